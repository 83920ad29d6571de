/* From a document and its metadata to the bytes of a request: the document itself (TD2.1), or a
 * question or order about it (TD0.2, TD3.1b, TD3.3c). Each carries its VIHF, the document its
 * XAdES too.
 *
 * Any thread, each with a pen of its own.
 */
#ifndef DMPFEED_OUTBOUND_ASSEMBLE_H
#define DMPFEED_OUTBOUND_ASSEMBLE_H

#include "base/ulid.h"
#include "config.h"
#include "dmp/soap.h"

struct assembly {
	const struct config *config;
	const struct config_establishment *establishment;
	struct ulid doc; /* gives the set and its signature their unique ids, the same at every
			    attempt */
	struct slice document;
	const struct metadata *metadata;
	const char *source; /* that the document came from */
	struct pen *pen;    /* of the establishment */
	/* The one reading of the clock: the DMP wants creation, submission, signature and VIHF in
	 * that order. */
	int64_t now_ms;

	enum transaction request;
	const char *target; /* the unique id to find; NULL or "": the one that the document names */
	const char *entry;  /* to replace (a submission) or delete; NULL or "": none */
	bool archived;      /* the present status of an entry to delete */

	char *ret_message_id; /* UUID_TEXT characters: what the answer must relate to; or NULL */
};

/* A request, as it leaves: what comes before the document, then the document itself, which is not
 * copied, then what comes after it. One that carries no document is all head.
 */
struct assembled {
	struct buf content_type, head, tail;
};

void assembled_done(struct assembled *assembled); /* for scoped() */

/* The service that takes a request; "": the configuration does not say. */
const char *assemble_url(const struct config_establishment *establishment,
			 enum transaction request);

/* Appends what surrounds the document in the HTTP body, and the value of its Content-Type. -1: the
 * document cannot be signed or says that it was made later than now, the whole is larger than the
 * establishment's limit; or
 * nothing can be signed any more (ERR_HALT, REASON_LANE_STOPPED).
 */
must_use int assemble(const struct assembly *assembly, struct assembled *out, struct err *err);

#endif
