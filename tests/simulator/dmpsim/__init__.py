"""A simulated DMP: takes what a hospital gateway sends, judges it strictly, answers as the DMP answers.

    cli            make a PKI, or serve
    options        the command line, or a file that says the same
    pki            test certificates, through the openssl command
    server         sockets, TLS, threads; nothing about documents
    http1          HTTP/1.1, read and written by hand so that nothing is forgiven
    services       the table of transactions: how each is judged, done and answered
    simulator      one exchange from the request to the journal
    judgement      what all transactions have in common: options, envelope, VIHF
      frame        Content-Type and MIME parts (MTOM/XOP)
      envelope     SOAP 1.2 and WS-Addressing
      vihf         the SAML assertion, alone and against the rest
    submission     TD2.1: the order in which one request is judged
      rim          ebRIM objects, read as they are
      registry     what each object must hold, alone
      agreement    what the objects must say together
      value_sets   codes in the lists of the DMP
      signature    the entry of the signature document
      xades        the signature document itself
      document     the attached CDA against its metadata
    query          TD3.1b
    deletion       TD3.3c
    existence      TD0.2
    certificates   who signed: chains, names, uses
    xmldsig        what the VIHF and the XAdES have in common
    schema         XSD validation, when the schemas are there
    formats        shapes of values: OID, CX, XCN, XON, times
    answers        RegistryResponse, AdhocQueryResponse and SOAP faults
    dossiers       what the DMP holds for each patient: documents, versions, who may change them
    store          what was received, on disk
    faults         failures injected on purpose
    admin          the plain HTTP interface for tests and trainers
    waiting        the one place where a thread waits for another
    findings       what is wrong with a request, in words
    names          namespaces of the standards
    safe_xml       XML without network, DTD or entities

Nothing here logs or prints anything about a patient: sentences name places and rules, never values.
"""
