/* From a document and its metadata to the bytes of the request that feeds it (TD2.1).
 *
 * Any thread.
 */
#ifndef DMPFEED_ASSEMBLE_H
#define DMPFEED_ASSEMBLE_H

#include "base/ulid.h"
#include "config.h"

struct assembly {
	const struct config *config;
	const struct config_establishment *establishment;
	struct ulid doc; /* gives the submission set its unique id: the same at every attempt */
	struct slice document, metadata;
};

/* Appends the HTTP body and the value of its Content-Type. -1: the metadata is damaged, or the
 * whole is too large.
 */
must_use int assemble(const struct assembly *assembly, struct buf *content_type, struct buf *out,
		      struct err *err);

#endif
