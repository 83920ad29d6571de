/* From a document and its metadata to the bytes of a request: the document itself (TD2.1), or a
 * question or order about it (TD0.2, TD3.1b, TD3.3c).
 *
 * Any thread.
 */
#ifndef DMPFEED_ASSEMBLE_H
#define DMPFEED_ASSEMBLE_H

#include "base/ulid.h"
#include "config.h"
#include "dmp/soap.h"

struct assembly {
	const struct config *config;
	const struct config_establishment *establishment;
	struct ulid doc; /* gives the submission set its unique id: the same at every attempt */
	struct slice document, metadata;

	enum transaction request;
	const char *entry; /* to replace (a submission) or delete; NULL or "": none */
	bool archived;     /* the present status of an entry to delete */

	char *ret_message_id; /* UUID_TEXT characters: what the answer must relate to; or NULL */
};

/* The service that takes a request; "": the configuration does not say. */
const char *assemble_url(const struct config_establishment *establishment,
			 enum transaction request);

/* Appends the HTTP body and the value of its Content-Type. -1: the metadata is damaged, or the
 * whole is too large.
 */
must_use int assemble(const struct assembly *assembly, struct buf *content_type, struct buf *out,
		      struct err *err);

#endif
