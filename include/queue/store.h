/* The queue on disk: documents, their bodies, and the ledger of everything that happened to them.
 *
 * An interface of verbs that names no database, so that another store (a server shared by several
 * gateways) can stand beside the embedded one: a claim is written down with the node that holds
 * it, never only remembered. Every change of a document's state is one row of the ledger, which is
 * never altered.
 *
 * A store is used by one thread. The one that writes belongs to the writer (writer.h): nobody else
 * calls the verbs that change something. A reader sees what was committed.
 */
#ifndef DMPFEED_QUEUE_STORE_H
#define DMPFEED_QUEUE_STORE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/own_time.h"
#include "base/ulid.h"
#include "queue/keyring.h"

/* The words users see. */
enum doc_state {
	DOC_HELD,       /* waits for a person or an event */
	DOC_QUEUED,     /* will be sent */
	DOC_SENDING,    /* an attempt is under way */
	DOC_DELIVERED,  /* the DMP has it */
	DOC_REFUSED,    /* this patient's DMP does not take it: not an error */
	DOC_REJECTED,   /* cannot pass: a person must look */
	DOC_SUPPRESSED, /* identical to what was delivered: not sent again */
	DOC_CANCELLED,  /* withdrawn before sending, or not for the DMP */
	DOC_STATE_COUNT
};

const char *doc_state_text(enum doc_state state); /* "held" */
must_use bool doc_state_parse(struct slice text, enum doc_state *ret_state);

/* Nothing will happen to the document by itself any more. */
bool doc_state_is_final(enum doc_state state);

/* What goes first when much waits: all that is high before what is normal, all that is normal before what
 * is low.
 */
enum store_priority { PRIORITY_HIGH, PRIORITY_NORMAL, PRIORITY_LOW, PRIORITY_COUNT };

struct store_settings {
	const char *path;           /* of the database file; its -wal and -shm stand beside it */
	const char *node;           /* who claims: 64 characters at most */
	const struct keyring *keys; /* what bodies are encrypted with; NULL: nothing is */
	const atomic_bool
		*ends; /* once it is set, a reader gives up what it is reading; NULL: never */
};

struct store;

/* Opens, creates or migrates. ERR_HALT: a newer schema, a damaged file; ERR_RETRY: the disk. */
must_use int store_open(struct store **ret_store, const struct store_settings *settings,
			struct err *err);
must_use int store_open_reader(struct store **ret_store, const struct store_settings *settings,
			       struct err *err);
void store_free(struct store **store);

/* One transaction at a time. A commit that returned 0 is on disk: only then may anyone say "yes". After a
 * failed commit nothing of it happened.
 *
 * Each change in it begins with a savepoint, to which it can be taken back; or with a mark, which is
 * cheaper, and only tells whether it has written anything that would have to be taken back.
 */
must_use int store_begin(struct store *store, struct err *err);
must_use int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);
must_use int store_savepoint(struct store *store, struct err *err);
void store_savepoint_release(struct store *store);
void store_savepoint_undo(struct store *store);
must_use int store_mark(struct store *store, struct err *err);
bool store_is_as_marked(const struct store *store);

/* A document that a verb moved though nobody named it: it waited for the one that was named, or its time
 * had come.
 */
struct store_told {
	struct ulid doc;
	const char *what; /* as the ledger says it */
	enum doc_state from, to;
	enum reason reason;
	char note[ULID_TEXT];
};

/* What the change under way has done: to the number of documents in each state, and to which documents that
 * its verbs do not name.
 */
struct store_moves {
	int64_t change[DOC_STATE_COUNT];
	bool woke; /* something that waited for a person or an event is queued now */
	struct store_told *told;
	size_t told_count;
};

struct store_moves store_moves(const struct store *store); /* borrowed, until the next savepoint */
struct store_moves store_take_moves(struct store *store);  /* the caller's */
void store_moves_done(struct store_moves *moves);

/* ---- the log ---- */

/* What is committed is in a log first, and is brought into the database later. The writer asks after each
 * commit whether it is time; another thread does it beside, with a store of its own that can do nothing
 * else, and the writer hears from it how many pages were folded.
 */
enum store_fold { FOLD_NOTHING, FOLD_BESIDE, FOLD_HERE };

must_use int store_open_folding(struct store **ret_store, const struct store *store,
				struct err *err);
enum store_fold store_fold_due(struct store *store);
size_t store_fold(struct store *store); /* either's; 0: nothing could be */
void store_was_folded(struct store *store, size_t pages);

/* ---- take in ---- */

/* What counting wants to know of a document (store_count.h). Texts: "" or NULL when not known; times: 0. */
struct store_facts {
	const char *field; /* of activity: "MCO", … */
	const char *unit;  /* the UF that produced it */
	const char *stay;  /* the number of the visit: only a key of it is kept */
	int64_t stay_end_ms, created_ms;
	bool ins_qualified;
};

/* Why a stay is one to be discreet about. A unit that is sensitive makes it one for good, wherever the patient
 * goes from there. A flag of the visit may be taken back; STORE_FLAG_UNSAID says nothing of it.
 */
struct store_discretion {
	bool unit;
	enum { STORE_FLAG_UNSAID, STORE_FLAG_OPEN, STORE_FLAG_DISCREET } flag;
};

/* A number that a patient has in a domain, which goes by an OID or by a name. "" or NULL: none. */
struct store_local {
	const char *domain, *number;
};

/* Whose a document is by its own word, for store_note_identity(). */
struct store_subject {
	struct store_local locals[2]; /* one number under the domain's OID, and under its name */
	const char *traits; /* what must be the patient's too (birth date, sex); "": not known */
	/* Its identity is qualified, or not, as of then; 0: it says so without saying when, or says
	 * nothing. A document that was built here and is not of a qualified identity gets the right one
	 * when it leaves (store_load_facts()).
	 */
	bool is_qualified, is_rebuilt;
	int64_t said_ms;
	/* What else holds it once its identity is qualified, and until when (0: until a person says so). */
	enum reason then_for;
	int64_t then_ms;
};

/* A document that was read and decided upon. Texts and bytes are borrowed for the call. */
struct store_arrival {
	struct ulid doc;
	const char *action;    /* "submit", "replace", "delete" */
	const char *unique_id; /* an OID */
	const char *type_code;
	const char *lane; /* FINESS EJ of the legal entity that sends it */
	const char *site; /* FINESS EG */
	const char *source, *channel,
		*origin;   /* who sent it, "mllp" or "drop", control id or file name */
	const char *actor; /* the person who ordered it; NULL: the source sent it */
	int64_t now_ms;
	enum doc_state state; /* queued, held, cancelled… as the pipeline decided */
	enum reason reason;
	int64_t release_ms; /* of one that is held: when it is let go by itself; 0: not */
	/* The unique id of what it replaces or deletes, for which it waits when that is under way; NULL
	 * or "": nothing. `supersedes`: it takes the place of one that was never tried. A deletion does
	 * in any case.
	 */
	const char *follows;
	bool supersedes;
	/* What the document says, whichever version of it says so: 32 bytes; empty: not known. A replacement
	 * that says what the document that it replaces said is not sent, if that one was delivered: it ends
	 * as suppressed. When a later version names it, it goes after all, before that one; where it cannot, it
	 * stands for the other.
	 */
	struct slice content;
	bool invisible; /* the patient does not see it */
	enum store_priority priority;
	struct slice body;            /* the document, byte for byte */
	uint8_t digest[SHA256_BYTES]; /* of the body */
	/* The patient's INS and its domain, for their choice; "" or NULL: not known. */
	const char *ins, *ins_oid;
	bool holds_not_asked; /* hold it if nobody has asked the patient */
	/* The id was made of what the document is: under it there is no other document, though the
	 * body, built anew, may differ.
	 */
	bool id_tells;
	struct store_facts facts;
	/* It is held for a person (sensitive_stay) when its site never sends what is of its kind by itself, and when
	 * its stay is one to be discreet about: because of what it says itself, or of what was said before.
	 */
	bool is_discreet;
	struct store_discretion discretion; /* what it says of its stay; no flag takes one back */
	struct slice metadata;              /* opaque here */
	struct store_subject subject;
};

enum store_taken {
	STORE_NEW,   /* a document of ours from now on */
	STORE_KNOWN, /* the same id, the same bytes: nothing new, said in the ledger */
	/* The same, of which nothing had come: it was not for the DMP, was taken back before it was sent,
	 * replaced or deleted what was not there, or its identity was not qualified. It is as it was decided now.
	 */
	STORE_TAKEN_UP,
	STORE_FOREIGN, /* the same id, other bytes: not taken */
};

struct store_receipt {
	enum store_taken taken;
	struct ulid doc; /* the new one, or the one that has the id already */
	/* not as it was decided when it must wait for another, or the patient opposes it */
	enum doc_state state;
	enum reason reason;
	bool not_asked; /* new, and nobody has asked the patient */
	/* Known, but the patient is to see it, and was not; or is not to, and was: that is not done. */
	bool shows_otherwise;
};

must_use int store_take_in(struct store *store, const struct store_arrival *arrival,
			   struct store_receipt *ret_receipt, struct err *err);

/* ---- patients' choices ---- */

/* Whether the feeding of a patient's DMP is opposed. */
enum store_feeding { STORE_NOT_OPPOSED, STORE_OPPOSED, STORE_NOT_ASKED };

struct store_choice {
	const char *ins, *ins_oid; /* whose */
	enum store_feeding feeding;
	int64_t chosen_ms;       /* the newest one counts, whichever came last */
	int64_t release_from_ms; /* what came before then stays refused */
	int64_t now_ms;

	/* Called for each document that it moves; NULL: nobody wants to know. */
	void (*moved)(void *arg, const struct ulid *doc, enum doc_state from, enum doc_state to,
		      enum reason reason);
	void *arg;
};

struct store_noted {
	bool is_newest; /* false: a newer one was there already, nothing happened */
	size_t refused, released;
};

/* From now on, a document of a patient who opposes it is refused (patient_opposed) when it comes, and
 * those that are held or queued are refused at once; deletions are not. What is being sent goes on, but
 * is not tried again. One who does not oppose it any more: what was refused for it and has its body yet
 * goes, or is held again as it was before, unless it was deleted since.
 *
 * "Nobody has asked" is no choice: it changes none that was made.
 *
 * Of the patient is kept the digest of INS and domain, under a secret that was drawn for this store and
 * lies in it. So an excerpt tells nobody's number, and two stores cannot be compared. Whoever has the
 * whole file has the secret with it, and can find a number by trying: there are fewer than 10^11 that
 * a living person may have. Against that, only what keeps the file from others helps.
 */
must_use int store_note_choice(struct store *store, const struct store_choice *choice,
			       struct store_noted *ret_noted, struct err *err);

/* ---- patients' identities ---- */

enum { STORE_LOCALS = 20 /* more names of one patient are not kept */ };

/* What was said of a patient at some time, by whoever is the authority for it (an ADT). */
struct store_identity {
	struct store_local locals[STORE_LOCALS]; /* under which the patient is known */
	size_t local_count;
	/* Numbers that are the patient's from now on: they were another's (a merge), or are no longer used. */
	struct store_local merged[STORE_LOCALS];
	size_t merged_count;
	bool has_status;           /* false: nothing is said but the merge */
	const char *ins, *ins_oid; /* of a qualified identity; "" or NULL: it is not qualified */
	bool is_withdrawn;         /* an INS that it had is said not to be the patient's */
	const char *traits;        /* as store_subject has them */
	struct slice
		facts; /* opaque here: what a document is built with; kept encrypted, if bodies are */
	int64_t said_ms, now_ms;
};

struct store_identified {
	bool is_newest; /* false: all of it was known as well or better */
	size_t held, released, misplaced;
};

/* Keeps it under each name, and has every document of the patient follow it: what was held for it goes, in
 * the order in which it came (unless something else holds it), what waits under what is no longer so is
 * held, what was delivered so is misplaced: it stays delivered, for the reason ins_changed, until the
 * identity is again what it was, or the document is taken back.
 *
 * The newest word counts, by said_ms, whichever came last: a document's own (store_subject) too. Two that
 * name different INS are never settled by time: the document is held.
 *
 * Names are kept as keys, as patients are (store_note_choice()).
 */
must_use int store_note_identity(struct store *store, const struct store_identity *identity,
				 struct store_identified *ret_identified, struct err *err);

/* The facts that the document is to be built with, as they were when it was let go. 1, 0: none, -1. */
must_use int store_load_facts(struct store *store, const struct ulid *doc, struct buf *ret_facts,
			      struct err *err);

/* Deletes what is kept of patients of whom nothing has been said or received since until_ms. */
must_use int store_purge_identities(struct store *store, int64_t until_ms, size_t most,
				    size_t *ret_count, struct err *err);

/* What was delivered under an INS that is not its patient's any more, and was not taken back. */
must_use int store_count_misplaced(struct store *store, uint64_t *ret_count, int64_t *ret_oldest_ms,
				   struct err *err);

/* How many identities are kept. */
must_use int store_count_identities(struct store *store, uint64_t *ret_count, struct err *err);

/* ---- send ---- */

enum { STORE_SOURCE = 72 }; /* characters of a source's name, with its NUL */

struct store_due {
	struct ulid doc;
	unsigned attempt; /* 1 first */
	bool doubtful;    /* an earlier attempt may have been stored by the DMP */
	bool as_new;      /* what it replaces was never sent: absent, it goes as a new one */
	int64_t since_ms; /* from when its age counts: received, or released, or tried again by order */
	char source[STORE_SOURCE];
};

/* The wall clock may have been set back since documents went to the queue of the lane, were claimed, or
 * were held until a time: those of a time that is yet to come keep their pause, or their claim, counted from
 * now. Costs nothing when there are none.
 */
must_use int store_clock_went_back(struct store *store, const char *lane, int64_t now_ms,
				   size_t *ret_count, struct err *err);

/* Takes up to `most` documents of the lane that are due: the highest priority first, within it one of each
 * site and source in turn, of each the oldest due. They are `sending` and ours, for an hour: after that
 * another node may take them over, in doubt, as we do with what others let lapse.
 * *ret_next_ms: when the next one will be due, INT64_MAX when none waits.
 */
must_use int store_claim(struct store *store, const char *lane, int64_t now_ms, size_t most,
			 struct store_due *ret_due, size_t *ret_count, int64_t *ret_next_ms,
			 struct err *err);

/* How an attempt ended. */
struct store_outcome {
	struct ulid doc;
	int64_t now_ms;
	enum doc_state state; /* delivered, queued (again), refused, rejected */
	enum reason reason;
	bool doubtful;
	int64_t next_attempt_ms; /* for queued */
	bool attempt_counts; /* false: the lane was at fault, the document is not older for it */
	const char *code, *text; /* the DMP's words, or the transport's; cut at 1000 characters */
	const char *note;        /* "confirmed_by_duplicate", … */
	int http_status;         /* 0: none */
	int64_t duration_ms;
};

must_use int store_settle(struct store *store, const struct store_outcome *outcome,
			  struct err *err);

/* How many attempts of the document ended with this code, since it was tried first, or anew. Any store. */
must_use int store_count_alike(struct store *store, const struct ulid *doc, const char *code,
			       unsigned *ret_count, struct err *err);

/* What a start found. */
struct store_recovered {
	size_t claimed;   /* documents that were being sent */
	bool from_backup; /* for the first time: what happened since it was made is not known here */
	size_t doubted;   /* then, documents that had not ended */
};

/* At start: what this node had claimed when it died goes back to the queue, in doubt; and what another
 * had, if that was long ago. In a store that was restored from a backup, what waits is doubted too.
 */
must_use int store_recover(struct store *store, int64_t now_ms,
			   struct store_recovered *ret_recovered, struct err *err);

/* Lets go up to `most` documents that were held until a time which has come. */
must_use int store_release_due(struct store *store, int64_t now_ms, size_t most, size_t *ret_count,
			       struct err *err);

/* Deletes the bodies (bytes and metadata) of up to `most` documents that came to their final state no
 * later than until_ms, and what their sources were told of them. What they were, and all that happened to
 * them, stays.
 */
must_use int store_purge(struct store *store, int64_t until_ms, int64_t now_ms, size_t most,
			 size_t *ret_count, struct err *err);

/* The time that is believed, as it was kept last; else that of the newest row of the ledger. */
must_use int store_own_time(struct store *store, struct own_time *ret_time, struct err *err);
must_use int store_keep_own_time(struct store *store, const struct own_time *time, struct err *err);

/* Writes something small, so that a store that cannot be written says so without a document at stake. */
must_use int store_probe(struct store *store, int64_t now_ms, struct err *err);

/* ---- business acknowledgements ---- */

/* A message whose source wants to hear what became of it, once all of its documents have come to a
 * final state: Y when each was delivered or suppressed, else N with the words of the first that was
 * not. That is written down with the state itself, so that dying loses none; a later change of state
 * (a person tries again) is not told.
 */
struct store_ack_request {
	const char *source, *origin; /* who sent it; its MSH-10 */
	struct slice header;         /* its MSH */
	const char *control_id;      /* what its acknowledgement will be called, by us */
	struct ulid docs[2];         /* that it brought, as the receipts have them; one or two */
	size_t doc_count;
	int64_t now_ms;
};

/* In the transaction that took the documents in. The same message again (source, MSH-10, documents:
 * MSH-10 alone is not unique in practice) changes nothing: there is one acknowledgement. Under
 * another MSH-10 it is another message, whose sender waits for an acknowledgement of that: it gets
 * one, at once when the outcome is known.
 */
must_use int store_want_ack(struct store *store, const struct store_ack_request *request,
			    struct err *err);

/* One that is ready. */
struct store_ack {
	uint64_t number;
	struct ulid doc; /* the first document */
	const char *control_id, *origin;
	struct slice header;
	bool positive;
	enum reason reason;      /* why not, in our words; */
	const char *code, *text; /* and in the DMP's, as store_settle() was told them */
	unsigned attempt;        /* 1 first */
	int64_t ready_ms;
};

/* The first of the source that is due: its time has come, or is further off than any pause, since
 * most_wait_ms is the longest: the clock was set back. Texts live in `arena`. 1: there is one; 0: there is
 * none, and *ret_wait_ms says after how long there will be (INT64_MAX: none is ready); -1: err. Any store,
 * reader or writer: nothing is claimed, for the same acknowledgement twice does no harm.
 */
must_use int store_next_ack(struct store *store, const char *source, int64_t now_ms,
			    int64_t most_wait_ms, struct arena *arena, struct store_ack *ret_ack,
			    int64_t *ret_wait_ms, struct err *err);

/* The source has it (`told`), or it goes again, not before due_ms. */
struct store_ack_outcome {
	uint64_t number;
	int64_t now_ms, due_ms;
	bool told;
};

must_use int store_settle_ack(struct store *store, const struct store_ack_outcome *outcome,
			      struct err *err);

/* Each source that some are ready for: how many, and since when the oldest is. */
must_use int store_count_acks(struct store *store,
			      void (*each)(void *arg, const char *source, uint64_t ready,
					   int64_t oldest_ms),
			      void *arg, struct err *err);

/* ---- what people order ---- */

enum order {
	ORDER_HOLD,    /* it stays until somebody releases it */
	ORDER_RELEASE, /* what was held is sent */
	ORDER_RETRY, /* what ended badly, or waits to be tried again, is sent now, under the same ids */
	ORDER_CANCEL, /* it is not sent any more */
	ORDER_COUNT
};

struct store_order {
	struct ulid doc;
	enum order order;
	bool force;        /* order.h: what only a person can answer for */
	bool dry_run;      /* only say what would come of it: a reader will do */
	const char *actor; /* who orders it, for the ledger */
	int64_t now_ms;
};

struct order_refusal {
	const char *english, *french; /* one sentence */
};

struct store_ordered {
	bool found;
	const struct order_refusal *refusal; /* NULL: done */
	enum doc_state from, to;
	enum reason reason;   /* for which it is where it is now */
	struct ulid deletion; /* of one that is recalled: what deletes it */
	/* Of one that is recalled: the other form of its content. Of one that is given up: that form, if it is given up
	 * with it, and where it was. Else all-zero.
	 */
	struct ulid other;
	enum doc_state other_from;
};

/* What is given up takes the other form of its content with it, if that is not in the DMP. */
must_use int store_order(struct store *store, const struct store_order *order,
			 struct store_ordered *ret_ordered, struct err *err);

/* A document that was delivered, or may have been when its way ended, is to be deleted in the DMP (TD3.3c),
 * whatever its source says. Its other form is to be recalled with it, in the same transaction, if it can be; while that
 * one is on its way, neither is.
 */
struct store_recall {
	/* The deletion is a document of its own, under that id; or it is one that is there already, and came to
	 * nothing: that goes again.
	 */
	struct ulid doc, deletion;
	struct slice body, metadata; /* of the deletion */
	bool dry_run;                /* only say what would come of it: a reader will do */
	const char *actor;
	int64_t now_ms;
};

must_use int store_recall(struct store *store, const struct store_recall *recall,
			  struct store_ordered *ret_ordered, struct err *err);

struct store_row;

/* What an order to release (what is held) or to try again (what waits, was refused or rejected) reaches by
 * its reason, oldest first.
 */
struct store_orderable {
	const char *reason, *site; /* site: "" or NULL: any */
	bool is_held;
	struct ulid after; /* all-zero: from the start */
	size_t limit;
};

/* *ret_more: how many there are beyond the limit. Any store, reader or writer. */
must_use int store_list_orderable(struct store *store, const struct store_orderable *orderable,
				  void (*each)(void *arg, const struct store_row *row), void *arg,
				  uint64_t *ret_more, struct err *err);

/* ---- audit ---- */

struct store_audit {
	uint64_t rows;              /* of the ledger, that were read */
	uint64_t last;              /* the number of the last of them */
	uint8_t head[SHA256_BYTES]; /* its digest, which stands for all of the ledger */
	uint64_t faults;
};

/* Reads all of the store: is the database whole, does each row of the ledger stand as it was written,
 * does every document stand where the ledger left it. Takes long. What is found is told, a sentence
 * each, the first twenty; -1: it could not be read to its end.
 */
must_use int store_verify(struct store *store, void (*fault)(void *arg, const char *sentence),
			  void *arg, struct store_audit *ret_audit, struct err *err);

/* Writes a copy of the store as it is now to `path` (absolute), while the writer goes on; another file of
 * that name is replaced once the copy is whole and synced. A store that is opened from a copy knows that
 * it is one: store_recover() then doubts all that had not ended, for it may have been sent since.
 */
must_use int store_backup(struct store *store, const char *path, uint64_t *ret_bytes,
			  struct err *err);

/* ---- look (any store, reader or writer) ---- */

must_use int store_load(struct store *store, const struct ulid *doc, struct buf *ret_body,
			struct buf *ret_metadata, struct err *err);

/* The metadata alone. 1; 0: it was purged, with the body; -1. */
must_use int store_load_metadata(struct store *store, const struct ulid *doc,
				 struct buf *ret_metadata, struct err *err);

/* Appends the unique id under which the DMP is to be asked for what the document replaces or deletes: the
 * one that it names, or the one that this stands for. Nothing when it follows no document.
 */
must_use int store_target(struct store *store, const struct ulid *doc, struct buf *ret_unique_id,
			  struct err *err);

struct store_counts {
	uint64_t documents[DOC_STATE_COUNT];
	int64_t last_delivered_ms; /* 0: never, or too long ago to tell */
};

must_use int store_count(struct store *store, struct store_counts *ret_counts, struct err *err);

/* Documents that the patient does not see, delivered before then, which nothing has replaced or
 * deleted since.
 */
must_use int store_count_invisible(struct store *store, int64_t before_ms, uint64_t *ret_count,
				   struct err *err);

/* When the first of these was delivered; INT64_MAX: there is none. */
must_use int store_oldest_invisible(struct store *store, int64_t *ret_delivered_ms,
				    struct err *err);

/* What waits for a person or an event: held, or rejected with its body still there, so that it could be
 * tried again. For each state and reason, how many, and since when the oldest is.
 */
struct store_waiting {
	enum doc_state state;
	enum reason reason;
	const char *site; /* "": of all */
	uint64_t documents;
	int64_t oldest_ms;
};

must_use int store_count_waiting(struct store *store,
				 void (*each)(void *arg, const struct store_waiting *waiting),
				 void *arg, struct err *err);

/* The same of each site, what is most first, `most` of them at most. */
must_use int store_count_waiting_by_site(struct store *store, size_t most,
					 void (*each)(void *arg,
						      const struct store_waiting *waiting),
					 void *arg, struct err *err);

/* What happened lately, the newest first: all since from_ms, or the last `most` rows of the ledger. `what` as
 * store_event has it. *ret_from_ms: since when that is all that happened. Reads as many rows as it tells.
 */
struct store_happened {
	int64_t at_ms;
	const char *what;
	enum doc_state state;
};

must_use int store_history(struct store *store, int64_t from_ms, size_t most,
			   void (*each)(void *arg, const struct store_happened *happened),
			   void *arg, int64_t *ret_from_ms, struct err *err);

/* How many new documents came from each source, by slots of ten minutes since 1970, for a quarter of a year.
 * Those that came since the last call are counted, `most` of them: a change of its own, so that who takes
 * a document in does not wait for it.
 */
#define STORE_ARRIVAL_SLOT_MS ((int64_t)600000)

must_use int store_note_arrivals(struct store *store, int64_t now_ms, size_t most,
				 size_t *ret_count, struct err *err);

/* In order of slots, both ends included; what has not been counted yet is not there. */
must_use int store_arrivals(struct store *store, int64_t from_slot, int64_t to_slot,
			    void (*each)(void *arg, const char *source, int64_t slot,
					 uint64_t documents),
			    void *arg, struct err *err);

/* When the oldest document still queued was received; INT64_MAX: none is. */
must_use int store_oldest_queued(struct store *store, int64_t *ret_received_ms, struct err *err);

/* Each lane that a document is queued for. Reads as many rows as it tells. */
must_use int store_queued_lanes(struct store *store, void (*each)(void *arg, const char *lane),
				void *arg, struct err *err);

/* One document as lists show it: nothing about the patient. Texts are valid during the callback. */
struct store_row {
	struct ulid doc;
	const char *action, *unique_id, *type_code, *lane, *site, *source, *channel, *origin;
	enum doc_state state;
	enum reason reason;
	bool doubtful;
	unsigned attempts;
	uint64_t body_bytes;
	int64_t received_ms, changed_ms, next_attempt_ms;
	int64_t release_ms; /* of one that is held: when it goes by itself; 0: not */
	int64_t purged_ms;  /* 0: its body is there */
	struct ulid
		other_form; /* of the same content, brought or recalled with it; all-zero: none */
	uint64_t last_arrival; /* ledger number of the last time it was handed in: new or known */
};

struct store_filter {
	const char *state, *reason, *site; /* "" or NULL: any */
	int64_t before_ms; /* only what came in, or if invisible was delivered, before this; 0: any */
	bool invisible; /* only what was delivered and is still hidden from the patient, whatever its age */
	struct ulid after; /* all-zero: from the start; lists go by id, oldest first */
	size_t limit;
	/* Of those, the ones that are wanted alone, as many as the limit says; all others are read as well. NULL: any. */
	bool (*is_wanted)(const void *arg, const struct store_row *row);
	const void *is_wanted_arg;
};

must_use int store_list(struct store *store, const struct store_filter *filter,
			void (*each)(void *arg, const struct store_row *row), void *arg,
			struct err *err);

/* Those that have this unique id: none, a document, its deletion, or both; the older first. Any store. */
must_use int store_list_unique(struct store *store, const char *unique_id,
			       void (*each)(void *arg, const struct store_row *row), void *arg,
			       struct err *err);

/* How old what waits is: of that lane, type and age, so many. An age is the place in `until_ms` of the
 * first bound that it is below; `ages` when it is below none.
 */
struct store_heap {
	const char *lane, *type_code; /* valid during the callback */
	size_t age;
	uint64_t documents;
};

enum { STORE_AGES = 9 };

/* All that is held, queued or being sent, in order of lane, type and age. Reads every one of them. */
must_use int store_shape(struct store *store, int64_t now_ms, const int64_t until_ms[STORE_AGES],
			 void (*each)(void *arg, const struct store_heap *heap), void *arg,
			 struct err *err);

/* One row of the ledger. */
struct store_event {
	uint64_t number;
	int64_t at_ms;
	/* "received", "received_again", "taken_up", "claimed", "settled", "recovered", "source_told"; "held",
	 * "released", "retried", "cancelled", "withdrawn", "recalled", "needed"; "opposed",
	 * "identity_changed", "identity_restored",
	 * "purged", "restored" */
	const char *what;
	enum doc_state state;
	enum reason reason;
	unsigned attempt;
	const char *code, *text, *note, *origin, *actor;
	int http_status;
	int64_t duration_ms;
};

/* Rows of the ledger as they happen, of all documents: those with a number above `after`, oldest first, so
 * many at most. `site`: "" or NULL: any.
 */
struct store_happening {
	struct store_event event;
	struct ulid doc;
	const char *lane, *site, *type_code;
};

must_use int store_happenings(struct store *store, uint64_t after, const char *site, size_t most,
			      void (*each)(void *arg, const struct store_happening *happening),
			      void *arg, struct err *err);

/* The number of the newest row of the ledger; 0: there is none. */
must_use int store_newest(struct store *store, uint64_t *ret_number, struct err *err);

/* 0: found, 1: no such document, -1: err. Events oldest first. */
must_use int store_show(struct store *store, const struct ulid *doc,
			void (*on_row)(void *arg, const struct store_row *row),
			void (*on_event)(void *arg, const struct store_event *event), void *arg,
			struct err *err);

#endif
