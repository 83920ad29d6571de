/* How requests over the control socket are read and answered: lines of JSON, as control.h has them.
 *
 * Any thread, but for answer_one() and answer_error().
 */
#ifndef DMPFEED_OPERATOR_ANSWER_H
#define DMPFEED_OPERATOR_ANSWER_H

#include "config.h"
#include "control/control.h"
#include "operator/standing.h"
#include "queue/store.h"
#include "status/json.h"

/* A text of the request; "" when it has none of that name. */
const char *answer_asked(const json_t *asked, const char *name);
bool answer_in_french(const json_t *asked);

/* Is it about a site that no establishment declares? */
bool answer_is_site_unknown(const json_t *asked, const struct config *config);

/* What was asked cannot be meant. */
enum answer_fault {
	FAULT_STATE,
	FAULT_REASON,
	FAULT_ID,
	FAULT_NO_DOCUMENT,
	FAULT_NO_UNIQUE_ID,
	FAULT_SEVERAL, /* documents have that unique id: about is which */
	FAULT_DAY,
	FAULT_LIMIT,
	FAULT_CHOOSE, /* documents, or a reason */
	FAULT_NAME,   /* documents only */
};

/* Says so in the language of who asks, `about` being what they wrote. Returns -1 (ERR_REJECT). */
int answer_refuse(struct err *err, const json_t *asked, enum answer_fault fault, const char *about);

/* How many rows are asked for: some when nothing says so, and never more than one list may have. -1 (ERR_REJECT): what
 * is asked for is no number above 0.
 */
must_use int answer_limit(const json_t *asked, size_t *ret_limit, struct err *err);

/* The id of a document; all-zero: none, which is null. */
void answer_put_doc(json_t *object, const char *name, const struct ulid *doc);

/* One row of the ledger; the caller owns it. */
json_t *answer_event(const struct store_event *event);

/* A document, without its origin: the name of a file may be a patient's. One that is queued says why it has not left.
 * The caller owns it.
 */
json_t *answer_row(const struct store_row *row, const struct standing *standing, bool french);

/* {"row": {…}} and the like; takes the object over. */
void answer_line(struct buf *out, const char *name, json_t *object);

/* The last line. `error`: a sentence, or NULL when all is well. */
void answer_end(struct buf *out, const char *error);

/* One row, which it takes over, or a sentence in its place. Loop only. */
void answer_one(struct control_request *request, json_t *row, const char *error);

/* Nothing but that sentence. Loop only. */
void answer_error(struct control_request *request, const char *error);

#endif
