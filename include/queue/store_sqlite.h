/* The store in SQLite, as its own files see it. Inside queue/ only; used by one thread.
 */
#ifndef DMPFEED_QUEUE_STORE_SQLITE_H
#define DMPFEED_QUEUE_STORE_SQLITE_H

#include <sys/types.h>

#include "queue/sqlite.h"
#include "queue/store.h"
#include "queue/store_act.h"

/* The end of the chain through the ledger: its last row. */
struct store_head {
	bool known; /* false: to be read before the next row is written */
	uint64_t number;
	uint8_t digest[SHA256_BYTES];
};

/* A file that SQLite holds open, as it was when it was opened, and its size when last looked at. */
struct store_file {
	char *path;
	dev_t device;
	ino_t inode;
	int64_t bytes;
};

/* A source at a site. */
struct store_turn {
	char site[16], source[STORE_SOURCE];
};

/* KiB: of what a connection keeps of the file in memory. */
#define STORE_CACHE "PRAGMA cache_size = -8192;"

/* The writer's log, as of its last commit. In pages. */
struct store_log {
	int pages, folded;
	int next_here, next_beside; /* when another attempt is worth it */
	bool has_begun_anew;        /* since it was last asked what is due */
};

struct store {
	struct sqlite sqlite;
	char *node;
	int lock_fd; /* the writer's: one process per store */
	struct store_head head, head_at_savepoint;
	struct buf room; /* for the canonical form of a row */
	struct store_moves moves;
	unsigned waking; /* what waits is being let go */
	size_t told_room;
	int64_t written_at_mark;                 /* rows */
	struct store_turn turns[PRIORITY_COUNT]; /* whose it was last, whatever the lane */
	const struct keyring *keys;
	int64_t key;                  /* the number of the one that writes; 0: none does */
	const atomic_bool *ends;      /* as the settings have it */
	uint8_t secret[SHA256_BYTES]; /* what patients' keys are made with, once it was read */
	bool knows_secret;
	bool knows_days;            /* SQL can be asked for the day of a time */
	struct store_file files[2]; /* the writer's: the database and its log */
	struct store_log log;
};

/* The statements. */
/* clang-format off */
enum store_statement {
	SCHEMA_IS, PAGES_ARE, CHECKPOINT,
	BEGIN, COMMIT, SAVEPOINT, RELEASE, UNDO,
	FIND_UNIQUE_ID, INSERT_DOCUMENT, TAKE_UP, INSERT_BODY, INSERT_LARGE_BODY, INSERT_EVENT, SET_LAST_ARRIVAL,
	SET_RIGHT, SET_LEASES_RIGHT, SET_TIMED_RIGHT, NEXT_GROUP, FIND_DUE, CLAIM, FIND_NEXT_DUE, FIND_SENDING, SETTLE, COUNT_ALIKE, FIND_CLAIMED, FIND_LAPSED,
	RECOVER, OWN_TIME_IS, KEEP_OWN_TIME, PROBE,
	LOAD, LOAD_METADATA, COUNT_STATES, OLDEST_QUEUED, QUEUED_LANES, LAST_DELIVERED, LIST, LIST_STATE, LIST_INVISIBLE, LIST_UNIQUE,
	SHOW, EVENTS,
	COUNT_INVISIBLE, OLDEST_INVISIBLE, COUNT_WAITING, COUNT_WAITING_SITES, HISTORY, SHAPE, HAPPENINGS, NEWEST,
	FIND_DOCUMENT, DOCUMENT_IS, PAIR_IS, NOTE_PAIR, FIND_OTHER_FORM, FIND_FORM,
	ARRIVALS_ARE, FIND_ARRIVALS, NOTE_ARRIVALS, MARK_ARRIVALS, FORGET_ARRIVALS, ARRIVALS,
	FIND_ACK, INSERT_ACK, FIND_WAITING_ACK, FIND_FINAL, CONCLUDE_ACK, NEXT_ACK,
	FIND_READY_ACK, SETTLE_ACK, DOCUMENT_NOW, COUNT_ACKS,
	LIST_ORDERABLE, COUNT_ORDERABLE, FIND_ORDERED, ORDER, FIND_RECALLED,
	TURN_IS, FIND_BLOCKER, FIND_FOLLOWER, FIND_AHEAD, FIND_TURNING, FOLLOWS_IS, ABOUT_ORDER, FIND_UNSENT, END_UNSENT, FIND_TIMED,
	FIND_KEY, ADD_KEY, KEYS_IN_USE,
	FIND_IDENTITY, NOTE_IDENTITY, MERGE_IDENTITY, SURVIVE, MERGED_KEYS, JUDGED, NEXT_JUDGED, HOLD_FOR_IDENTITY,
	HOLD_NEXT, NEXT_PLACED, SET_PLACED, KEEP_FACTS, FACTS_OF, FACTS_FOR, SET_SUBJECT, SAY_QUALIFIED,
	FIND_OLD_IDENTITY, LAST_OF_IDENTITY, KEEP_IDENTITY, FORGET_IDENTITY, PURGE_FACTS, COUNT_MISPLACED, COUNT_IDENTITIES,
	SECRET_IS, ADD_SECRET, FIND_CHOICE, NOTE_CHOICE, FIND_OPPOSED, FIND_UNMINDED, REFUSE_OPPOSED, FIND_UNOPPOSED, HOLD_AGAIN, LET_GO,
	BACKUP_IS, FIND_RESTORED, DOUBT,
	FIND_OLD, PURGE_BODY, PURGE_ACKS, SET_PURGED, STANDS_FOR, FIND_UNCHANGED, SUPPRESS, REDIRECT, FIND_NAMED,
	NEED, REDIRECT_BACK, TARGET, TALLY_IS, TALLY_ROWS, TALLY_ROOT, TALLY_ACCEPTANCE, TALLY_FIRST_TRY, TALLY_IS_HERE,
	TALLY_FACTS, TALLY_MOVE,
	TALLY_AGAIN, NOTE_RECOUNT, TALLY_EMPTIED,
	ADD_TO_DAY, ADD_TO_MONTH, ADD_REJECTION, PUT_ACCEPTANCE, PUT_ROOT, TELL_STAY,
	EMPTY_DAYS, EMPTY_MONTHS, EMPTY_ACCEPTANCES, EMPTY_ROOTS, EMPTY_STAYS, EMPTY_REJECTIONS, FORGET_DAYS,
	DROP_ALIASES, ADD_ALIAS,
	COUNT_STAY_NEWS, STAY_IS, NOTE_STAY, DISCRETION_IS, NOTE_DISCRETION, MARK_DISCREET, FIND_DISCREET, FIND_INDISCREET, HOLD_DISCREET,
	IS_DISCREET, DECIDE_DISCREET, LETTERLESS, COUNT_LETTERLESS, FORGET_STAYS, FORGET_DISCRETION,
	COUNTERS_BY_DAY, COUNTERS_BY_MONTH, COUNT_DOCUMENTS, COUNT_NET_DOCUMENTS, COUNT_STAYS, COUNT_SHARED_STAYS, COUNT_PATIENTS, COUNT_WEEKS,
	AWAITED_DOCUMENTS, AWAITED_STAYS, AWAITED_SHARED_STAYS, AWAITED_PATIENTS, PRODUCED, STAYS_ENDED, LAST_ACCEPTED,
	ADD_IMPORT, ADD_FIGURE, FIGURES, WAITING, QUALITY, PROMPTNESS, UNITS, ADD_SNAPSHOT, SNAPSHOTS, FORGET_SNAPSHOTS,
	READ_BEGIN, READ_END, REJECTIONS, DELAYS, EVIDENCE,
	ADD_ACT, ACTS, ACT_IS, DEEDS, IMPORTS, IMPORT_FIGURES,
	CHAIN_HEAD, CHAIN_DOCUMENT, CHAIN_LEDGER, CHAIN_ROWS, CHAIN_SET, CHECK_INTEGRITY, CHECK_REFERENCES, CHECK_STATES,
	COUNT_IMPORTS, TRAIL, FORWARDED_IS, NOTE_FORWARDED,
	STATEMENT_COUNT
};
/* clang-format on */
extern const char *const store_statements[STATEMENT_COUNT]; /* their texts */

/* Brings the schema to the version that this program knows, in one transaction. */
must_use int store_migrate(struct store *store, struct err *err);

/* Before the database is opened: -1 (ERR_HALT) where there was one, and is none any more. */
must_use int store_files_expect(const struct store *store, const char *path, struct err *err);

/* Once it is laid out: says for later starts that there is one, and remembers its files. */
must_use int store_files_mark(const struct store *store, struct err *err);
must_use int store_files_watch(struct store *store, const char *path, struct err *err);
void store_files_done(struct store *store);

/* -1 when they are not what they were, or were found damaged since. `is_between` transactions their
 * size tells something too. */
must_use int store_files_check(struct store *store, bool is_between, struct err *err);

/* Whoever refuses the files of `path` (its folder is in it) as damaged has a copy of them kept beside them, in
 * damaged/, unless there is one; err, which says why, then says where too, or why not.
 */
void store_keep_damaged(const char *path, struct err *err);

/* From now on the writer's log is folded when store_fold_due() says so, and not by commits. */
void store_fold_watch(struct store *store);

/* One row of what happened to a document; fields left out are empty. */
struct store_entry {
	int64_t seq, at_ms;
	const struct store_arrival
		*arrival; /* what the row holds, if it has just been made of it */
	const char *what;
	enum doc_state state;
	const char *reason;
	int64_t attempt;
	const char *code, *text, *note, *origin;
	const char *actor; /* the person who ordered it; empty: the gateway itself */
	int http_status;
	int64_t duration_ms;
	char room[ULID_TEXT]; /* for a note that is an id */
};

/* After the document's row was changed. In a final state, it is also what the sources that asked for
 * it are told.
 */
must_use int store_add_entry(struct store *store, const struct store_entry *entry, struct err *err);

/* A document's row is in another state. */
void store_moved(struct store *store, enum doc_state from, enum doc_state to);

/* After that: the journal will have a line of it, for whoever gave the change did not name it. */
must_use int store_tell(struct store *store, enum doc_state from, const struct store_entry *entry,
			struct err *err);

/* The same for one that brought the document from another state. At its end, what follows it wakes. */
must_use int store_add_move(struct store *store, enum doc_state from,
			    const struct store_entry *entry, struct err *err);

/* 1: something whose turn is before that of `seq`, and that has to do with the document `follows`, is under way; or it
 * is being sent, whatever its turn.
 */
must_use int store_is_blocked(struct store *store, const char *follows, int64_t seq,
			      struct err *err);

/* The keys that what is in the store needs are there; the first of them writes from now on. */
must_use int store_take_keys(struct store *store, const struct keyring *keys, struct err *err);

must_use int store_insert_body(struct store *store, int64_t seq,
			       const struct store_arrival *arrival, struct err *err);
must_use int store_remove_body(struct store *store, int64_t seq, struct err *err);

/* At start: does nothing unless the store was restored from a backup. */
must_use int store_doubt_restored(struct store *store, int64_t now_ms,
				  struct store_recovered *recovered, struct err *err);

/* One that has the id of a document that comes. */
struct store_again {
	int64_t seq; /* 0: none has */
	struct ulid doc;
	enum doc_state state;
	enum reason reason;
	int64_t attempts;
	bool is_foreign; /* it is another document */
	bool goes_on;    /* nothing came of it; it is decided upon anew */
	bool shows_otherwise;
};

/* 1: there is one; 0, -1. */
must_use int store_find_again(struct store *store, const struct store_arrival *arrival,
			      struct store_again *ret_again, struct err *err);

/* A document is under way again: what is queued, came after it and has to do with the same waits for it, but for one
 * (0: none) whose place the caller decides, and for what a person forced. 0: nobody has to do with it; 1; -1.
 */
must_use int store_put_behind(struct store *store, int64_t seq, int64_t but_for, int64_t now_ms,
			      struct err *err);

/* It is back in the queue: if something has come before it meanwhile, it waits for that, as what is put behind. */
must_use int store_mind_turn(struct store *store, int64_t seq, int64_t now_ms, struct err *err);

/* A document came to its end, or is not being sent any more: what waits for it goes, unless something else is before. */
must_use int store_wake_followers(struct store *store, int64_t seq, int64_t now_ms,
				  struct err *err);

/* Where a document that comes stands, and what it puts an end to. It comes after all that is under way; one that is
 * there already as `seq` (0: a new one) may keep its turn.
 */
struct store_place {
	enum doc_state state;
	enum reason reason;
	bool as_new;      /* it goes as a new document if the DMP does not hold what it replaces */
	int64_t ends_seq; /* 0: nothing */
	enum doc_state ends_from;
	enum reason ends_for;
};

must_use int store_find_place(struct store *store, const struct store_arrival *arrival, int64_t seq,
			      bool keeps_turn, struct store_place *ret_place, struct err *err);
must_use int store_end_predecessor(struct store *store, const struct store_arrival *arrival,
				   const struct store_place *place, struct err *err);

/* A patient as the store knows them: not in clear. */
enum { STORE_KEY = 16 };

struct store_patient {
	bool is_known;
	uint8_t key[STORE_KEY];
};

must_use int store_find_patient(struct store *store, const char *ins, const char *ins_oid,
				struct store_patient *ret_patient, struct err *err);
struct slice store_patient_key(const struct store_patient *patient); /* none: NULL */

/* A stay likewise; visit numbers are unique within a legal entity. No number: no key. */
must_use int store_find_stay(struct store *store, const char *lane, const char *number,
			     struct store_patient *ret_stay, struct err *err);

/* A document that comes: whether it, or its stay, is one to be discreet about. It is held then, unless more
 * speaks against it.
 */
must_use int store_heed_discretion(struct store *store, const struct store_patient *stay,
				   struct store_arrival *arrival, struct err *err);

/* 1: the document waits for a person because it is one to be discreet about. 0, -1. */
must_use int store_is_discreet(struct store *store, int64_t seq, struct err *err);

/* A person has looked at it: nothing holds it for that any more. */
must_use int store_decide_discreet(struct store *store, int64_t seq, struct err *err);

/* After something let a document back into the queue: one to be discreet about is held again. */
must_use int store_mind_discretion(struct store *store, int64_t seq, int64_t now_ms,
				   struct err *err);

/* A document that comes: what the patient's choice makes of the decision in *arrival. */
must_use int store_heed_choice(struct store *store, const struct store_patient *patient,
			       struct store_arrival *arrival, bool *ret_not_asked, struct err *err);

/* What one that is held will be held for again, once nobody opposes it. */
const char *store_held_for(enum doc_state state, enum reason reason);

/* After something let a document back into the queue: 1: its patient opposes it, it is refused. */
must_use int store_mind_choice(struct store *store, int64_t seq, int64_t now_ms, struct err *err);

/* The newest word about a patient. */
struct store_known {
	bool is_there;
	uint8_t key[STORE_KEY];               /* of the row that says it */
	struct store_patient patient, traits; /* not known: the identity is not qualified */
	int64_t said_ms, heard_ms;            /* as its author has it; when it came */
};

/* Where the key leads, through mergers. */
must_use int store_find_known(struct store *store, const struct store_patient *key,
			      struct store_known *ret_known, struct err *err);
must_use int store_find_local(struct store *store, const struct store_local *local,
			      struct store_patient *ret_key, struct err *err);
bool store_same_patient(const struct store_patient *one, const struct store_patient *other);

/* A document that comes: under which keys it is found, and what is known of its patient. */
struct store_keys {
	struct store_patient locals[2], traits;
	struct store_known known;
	bool is_built; /* it goes with what is known: store_keep_facts() once it is inserted */
};

/* What the patient's identity makes of the decision in *arrival; *patient: whose it is, if that follows. */
must_use int store_heed_identity(struct store *store, struct store_arrival *arrival,
				 struct store_patient *patient, struct store_keys *ret_keys,
				 struct err *err);

/* The document is built with what is known now. */
must_use int store_keep_facts(struct store *store, int64_t seq, const struct store_known *known,
			      struct err *err);

/* What the identity of its patient has against sending it; REASON_NONE: nothing. */
must_use int store_judge(struct store *store, int64_t seq, enum reason *ret_reason,
			 struct err *err);

/* A word about the patient was written under the key: what becomes of the documents that bear it. */
struct store_following {
	struct store_patient key;
	struct store_known before; /* what was known until now */
	bool is_explicit;          /* the former INS is said not to be the patient's */
	int64_t now_ms;
};

must_use int store_follow_identity(struct store *store, const struct store_following *following,
				   struct store_identified *done, struct err *err);

/* After something let the document back into the queue, or it was delivered. 1: it is held instead, or
 * misplaced.
 */
must_use int store_mind_identity(struct store *store, int64_t seq, int64_t now_ms, struct err *err);

/* After an attempt was over, or lost, or one that had ended goes after all: what came meanwhile may hold it, or have
 * it refused.
 */
must_use int store_mind_all(struct store *store, int64_t seq, int64_t now_ms, struct err *err);

/* The same of one that is held again for what held it before: it may have been settled since. */
must_use int store_weigh_identity(struct store *store, int64_t seq, int64_t now_ms,
				  struct err *err);

/* A key for a name within `what`, that tells nobody the name. */
must_use int store_find_key(struct store *store, const char *what, const char *name,
			    struct store_patient *ret_key, struct err *err);

/* A step of the schema. */
must_use int store_draw_secret(struct store *store, struct err *err);

/* The document that is named under that unique id: appends the id under which the DMP has it. */
must_use int store_stand_in(struct store *store, const char *unique_id, struct buf *out,
			    struct err *err);

/* Before the document entry->seq is queued: whether it need go (`may_end`: it does not when it changes
 * nothing), and whether others must go first. *entry says what becomes of it:
 *   queued      nothing stands in its way
 *   suppressed  its row is written, what waits for it is sent after another
 *   held        it waits for what it names, which was suppressed and goes after all: its own row is not
 *               written yet
 */
must_use int store_weigh(struct store *store, struct store_entry *entry, bool may_end,
			 struct err *err);

/* The same of one that was taken in as queued, and its row says so. */
must_use int store_weigh_arrival(struct store *store, struct store_entry *entry, struct err *err);

/* Nothing of its own holds the document entry->seq any more: it waits for its turn, ends, or is queued, as
 * the entry then says. The one place that decides it, whoever lets go.
 */
must_use int store_let_go(struct store *store, enum doc_state from, struct store_entry *entry,
			  struct err *err);

/* The number that the next row of the ledger will have. */
must_use int store_next_number(struct store *store, uint64_t *ret_number, struct err *err);

/* What the next row of the ledger is called in the chain, and the digest that it carries. */
must_use int store_chain_entry(struct store *store, const struct store_entry *entry,
			       struct store_head *ret_head, struct err *err);

/* The same of an act. */
must_use int store_chain_act(struct store *store, const struct store_act *act,
			     struct store_head *ret_head, struct err *err);

/* A step of the schema: gives every row its digest. */
must_use int store_chain_again(struct store *store, struct err *err);

/* A step of the schema: notes every import as an act. */
must_use int store_chain_imports(struct store *store, struct err *err);

/* Holds every import against its act. What does not fit is told, a sentence each. */
must_use int store_check_imports(struct store *store,
				 void (*fault)(void *arg, const char *sentence), void *arg,
				 struct err *err);

/* Its source is told, if it asked. */
bool store_has_ended_for_source(enum doc_state state, enum reason reason);

/* The document came to a final state: acknowledgements that waited for nothing else are ready. */
must_use int store_conclude_acks(struct store *store, int64_t seq, int64_t now_ms, struct err *err);

/* "<US>one<US>other<US>", as the statements look for a name in it; "" for none. */
const char *store_list_of(const char *const *names, size_t count, struct buf *out);

/* The number that the statement finds; `otherwise` when it finds none, or NULL. */
must_use int store_find_number(struct store *store, enum store_statement which,
			       const struct sqlite_value *values, size_t count, int64_t otherwise,
			       int64_t *ret_number, struct err *err);

/* Teaches the connection what SQL asks of the calendar; once is enough. */
must_use int store_teach_days(struct store *store, struct err *err);

/* Reads EVENT_COLUMNS, from that column on. */
struct store_event store_event_of(sqlite3_stmt *statement, int column);

enum doc_state store_state_of(sqlite3_stmt *statement, int column);

#endif
