/* Stays, as ADT messages tell of them: what indicators about stays are counted with, who has left without a
 * letter, and which stays are to be discreet about.
 *
 * Messages are repeated, come late and out of order, and correct one another. So each thing that is known of
 * a stay carries when it was said, by the clock of who said it: what was said later counts, whenever it
 * came; of what was said at one time, what came last.
 *
 * Everywhere else, a stay is a key, made as patients' are. Its number is kept here alone, for people who look
 * for the record: in clear, or encrypted where documents are.
 */
#ifndef DMPFEED_QUEUE_STORE_STAY_H
#define DMPFEED_QUEUE_STORE_STAY_H

#include "queue/store.h"

enum store_said { STORE_UNSAID, STORE_SAID_YES, STORE_SAID_NO };

/* One message. Texts: "" when not said; times: 0. */
struct store_stay {
	const char *lane;   /* finess_ej: visit numbers are unique within one */
	const char *number; /* of the visit, as PV1-19 has it */
	/* The patient's INS and its domain, if they are qualified; "" or NULL: not known. Only a key of it is
	 * kept, as of documents.
	 */
	const char *ins, *ins_oid;
	int64_t said_ms;
	enum store_said exists; /* no: its admission was cancelled */
	enum store_said ended;  /* yes: at end_ms; no: it goes on */
	int64_t start_ms, end_ms;
	/* Where it is, since when (0: it has not moved, or not said when). No unit: the site is a guess, which
	 * one that is known outweighs.
	 */
	bool has_place;
	const char *site, *unit, *field;
	int64_t since_ms;
	enum store_said counts; /* it is of a class that indicators count */
	struct store_discretion discretion;
	int64_t now_ms;

	/* Called for each document that it holds; NULL: nobody wants to know. */
	void (*moved)(void *arg, const struct ulid *doc, enum doc_state from, enum doc_state to,
		      enum reason reason);
	void *arg;
};

/* Writer. Documents of a stay that becomes one to be discreet about, and are queued, are held at once
 * (sensitive_stay); so will those be that come, or are let go by anything but a person. Deletions are not.
 * What is being sent goes on, but is not tried again.
 */
must_use int store_note_stay(struct store *store, const struct store_stay *stay, struct err *err);

/* Stays that ended by `until_ms` and of which the DMP has no document of these types; oldest first. */
struct store_letterless {
	const char *const *types;
	size_t type_count;
	const char *site; /* as it is called now; "": all */
	int64_t from_ms, until_ms;
	size_t limit;
};

struct store_letterless_stay {
	const char *lane, *site, *unit, *field;
	const char *number; /* NULL: the key that it was encrypted with is not there any more */
	int64_t start_ms, end_ms;
	bool is_discreet;
	/* The last document of those types that came, which the DMP does not have: ""; none has come. */
	const char *letter_state, *letter_reason;
};

must_use int store_list_letterless(struct store *store, const struct store_letterless *asked,
				   void (*each)(void *arg,
						const struct store_letterless_stay *stay),
				   void *arg, struct err *err);

/* How many there are, site by site. */
must_use int store_count_letterless(struct store *store, const struct store_letterless *asked,
				    void (*each)(void *arg, const char *site, uint64_t stays),
				    void *arg, struct err *err);

/* Writer. Forgets up to `most` stays that ended, or that nothing was said of, before then; one that goes on and
 * is discreet is kept. 1: there may be more; 0: there were none; -1.
 */
must_use int store_forget_stays(struct store *store, int64_t before_ms, size_t most,
				struct err *err);

#endif
