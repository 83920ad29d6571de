/* What one exchange came to, decided from the reply and the table of errors. Pure. Any thread. */
#ifndef DMPFEED_DISPATCH_OUTCOME_H
#define DMPFEED_DISPATCH_OUTCOME_H

#include "dispatch/error_table.h"

enum outcome_kind {
	OUTCOME_DELIVERED,  /* done, or answered */
	OUTCOME_RETRY,      /* this document, later: a coded, passing error */
	OUTCOME_RETRY_LANE, /* the way itself is in trouble: slow the lane, not the document */
	OUTCOME_REJECTED,   /* this document will never pass */
	OUTCOME_REFUSED,    /* this patient's DMP does not take it */
	OUTCOME_HALT,       /* the installation is at fault: stop the lane, call someone */
};

/* How the exchange went, before looking at the reply. */
struct exchange {
	bool answered;        /* a whole HTTP reply came */
	bool fully_written;   /* the whole request had left: without an answer, this is doubt */
	bool reply_too_large; /* it answered, with more than the DMP ever would */
	bool our_tls_refused; /* certificate or handshake trouble: no retry mends it */
	bool proxy_refused;   /* nor this: a proxy does not let us through */
	int http_status;
	int64_t retry_after_ms;     /* from Retry-After; 0: none */
	const char *transport_text; /* curl's words; "" */
};

struct outcome {
	enum outcome_kind kind;
	enum reason reason; /* REASON_NONE for a delivery */
	bool doubtful;      /* the DMP may hold it, from this attempt or an earlier one: same ids
			       next time, and `was_doubtful` then */
	const char *note;   /* "confirmed_by_duplicate", or "" */
	const char *code;   /* the DMP's, without one "http", without that "transport";
			       borrowed from the reply */
	const char *text;   /* the DMP's or our words; borrowed likewise */
	bool text_is_ours;  /* the DMP's may name the patient: for the history, never for a log */
	int64_t retry_after_ms;      /* of the two retries only; 0: none */
	const struct error_row *row; /* what the table of errors says of it; NULL: nothing */
	bool slow;                   /* to be tried again after the longest pause at once */
	bool stale;      /* rejected because the entry that was named is not as it was found */
	bool strange;    /* what answered was not the DMP: see suspicion.h */
	bool unknown;    /* rejected for want of knowing better: see suspicion.h */
	int http_status; /* where `code` is "http"; otherwise 0 */
};

/* What was tried. */
struct attempt {
	enum transaction asked;
	unsigned alike;    /* earlier ones of this document that ended with the reply's code */
	bool was_doubtful; /* the DMP may hold the document from an earlier one, so that a duplicate
			      means delivered */
	const char *unique_id; /* the document's, by which the DMP's words may name it; or NULL */
};

/* `reply` is read only if the exchange was answered. */
struct outcome outcome_of(const struct error_table *errors, const struct attempt *attempt,
			  const struct exchange *exchange, const struct reply *reply);

/* Appends what it says of the way, in a sentence for people (what is wrong, and what to do where the table
 * of errors knows): nothing of it may name a patient. "" of a delivery.
 */
void outcome_say(const struct outcome *outcome, bool french, struct buf *out);

/* Is this code of an outcome of our own making ("transport", "not_built"), and none of the DMP's? */
bool outcome_code_is_ours(const char *code);

#endif
