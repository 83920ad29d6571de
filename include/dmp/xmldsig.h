/* What the two signatures of a submission have in common (W3C XML Signature, 2000/09/xmldsig#): the
 * VIHF's, enveloped, and the XAdES, which stands alone.
 *
 * What is digested or signed is written in canonical form to begin with, and sent as those very
 * bytes: nothing is parsed and nothing canonicalised to sign. To be in canonical form a part begins
 * with the declaration of its namespace, which repeats the one around it. Pure. Any thread.
 */
#ifndef DMPFEED_DMP_XMLDSIG_H
#define DMPFEED_DMP_XMLDSIG_H

#include "dmp/signer.h"

#define XMLDSIG "http://www.w3.org/2000/09/xmldsig#"
#define XMLDSIG_ENVELOPED "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
#define C14N_EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"
#define C14N_WITH_COMMENTS "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"

/* What a reference points at, and the digest of that. Texts are never NULL. */
struct xmldsig_reference {
	const char *type; /* "": none */
	const char *uri;  /* "#id" */
	uint8_t digest[DIGEST_MOST];
	size_t digest_n;
	const char *transforms[2]; /* in order; NULL: no more */
};

struct xmldsig {
	const char *canonicalization; /* of SignedInfo */
	enum digest_kind kind;        /* of every digest, and of the signature */
	const struct xmldsig_reference *references;
	size_t reference_count;
};

/* Appends SignedInfo, SignatureValue and KeyInfo: what stands at the start of an element Signature.
 */
must_use int xmldsig_sign(const struct xmldsig *xmldsig, struct pen *pen, struct buf *out,
			  struct err *err);

/* Appends an element Reference in canonical form. */
void xmldsig_add_reference(enum digest_kind kind, const struct xmldsig_reference *reference,
			   struct buf *out);

/* Appends DigestMethod and DigestValue, in whatever namespace is the default. */
void xmldsig_add_digest(enum digest_kind kind, struct slice digest, struct buf *out);

#endif
