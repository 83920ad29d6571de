/* Metadata while they are filled, and what all of that takes: codes of lists, times, texts without the
 * separators of XCN, XON and CX. Shared by the files of metadata, and by nobody else.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DOCUMENT_METADATA_FILLING_H
#define DMPFEED_DOCUMENT_METADATA_FILLING_H

#include "document/metadata.h"

struct filling {
	struct metadata *metadata;
	const struct cda *cda;
	const struct metadata_context *context;
	struct arena *arena;
	struct err *err;
};

static inline bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool is_empty(const char *text)
{
	return text == NULL || text[0] == '\0';
}

static inline const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* A code of the document, for an error text that quotes (err.h): only what looks like one, for it may be anything. */
const char *filling_shown(const char *code);

/* For XCN, XON and CX: the official samples show no escape for these four (they are dropped). */
const char *filling_plain(struct filling *filling, const char *text);
bool filling_has_separators(const char *text);

struct coded filling_coded(struct filling *filling, const struct valueset_row *row);

/* The row of a code of the document. Missing or outside its list: refused, with what comes near. */
must_use int filling_code(struct filling *filling, enum valueset_list list, const char *where,
			  const struct cda_code *from, struct coded *ret_coded);

must_use int filling_time(struct filling *filling, const char *where, const char *text,
			  int64_t *ret_time_ms);

/* Steps of metadata_fill(): whose it is, who wrote, who answers, who asks. */
must_use int filling_patient(struct filling *filling);
must_use int filling_authors(struct filling *filling);
must_use int filling_authentication(struct filling *filling);
must_use int filling_sender(struct filling *filling);

#endif
