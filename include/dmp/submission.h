/* TD2.1: the registry objects of a submission (IHE ITI-41 Provide and Register Document Set-b,
 * ebRIM 3.0), as the body of a SOAP envelope. A template with escaped values: no tree is built.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_DMP_SUBMISSION_H
#define DMPFEED_DMP_SUBMISSION_H

#include "document/metadata.h"

struct submission {
	const struct metadata *metadata;
	const char *set_unique_id; /* the same at every attempt */
	const char *source_id;     /* OID of this gateway */
	const char *document_cid;  /* Content-ID of the document's part, without brackets */

	const char *signature_unique_id; /* the same at every attempt */
	const char *signature_cid;
	int64_t now_ms; /* submissionTime, and the time of signing */

	/* of the document: SHA-1 in hexadecimal, bytes; NULL: neither is said (the DMP finds them) */
	const char *document_hash;
	size_t document_bytes;

	/* the entry that the document takes the place of ("urn:uuid:…"); NULL or "": none */
	const char *replaced_entry;
	bool replacement_has_status; /* give that association its SubmissionSetStatus too */
};

#define SUBMISSION_SET_ID "SubmissionSet01"

/* Appends xdsb:ProvideAndRegisterDocumentSetRequest, for the document and the signature of the set.
 * What the metadata does not know is left out. Values are cut where the schema would refuse their
 * length.
 */
void submission_build(const struct submission *submission, struct buf *out);

/* Appends the submission set alone (rim:RegistryPackage): a request may carry no document. */
void submission_set_build(const struct submission *submission, struct buf *out);

#endif
