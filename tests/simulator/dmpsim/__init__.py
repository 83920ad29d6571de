"""A simulated DMP: takes what a hospital gateway sends, judges it strictly, answers as the DMP answers.

    cli          the command line: make a PKI, or serve
    pki          test certificates, through the openssl command
    server       sockets, TLS, threads; nothing about documents
    http1        HTTP/1.1, read and written by hand so that nothing is forgiven
    simulator    one exchange from the request to the journal; the table of services
    submission   TD2.1: the order in which one request is judged
      frame        Content-Type and MIME parts (MTOM/XOP)
      envelope     SOAP 1.2 and WS-Addressing
      rim          ebRIM objects, read as they are
      registry     what each object must hold, alone
      agreement    what the objects must say together
      signature    the entry of the signature document
      document     the attached CDA against its metadata
      schema       XSD validation, when the schemas are there
      formats      shapes of values: OID, CX, XCN, XON, times
    answers      RegistryResponse and SOAP faults
    store        what was received, on disk
    faults       failures injected on purpose
    admin        the plain HTTP interface for tests and trainers
    waiting      the one place where a thread waits for another
    findings     what is wrong with a request, in words
    names        namespaces of the standards
    safe_xml     XML without network, DTD or entities

Nothing here logs or prints anything about a patient: sentences name places and rules, never values.
"""
