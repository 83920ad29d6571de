/* The queue in SQLite. A store is used by one thread. The only SQL there is stands in
 * store_sqlite_statements.c and in store_sqlite_schema.c.
 *
 * WAL, so that readers never wait for the writer nor it for them; synchronous=FULL, so that a
 * commit is on disk when it returns (NORMAL would lose the last ones in a power cut: the first
 * promise). Hot rows are small; bodies stand in a table of their own, read once per attempt.
 */
#include "queue/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "queue/sqlite_log_check.h"

static const char every_connection[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; "
				       "PRAGMA foreign_keys = ON;" STORE_CACHE;

/* 8 KiB pages: a document of 50 to 150 kB lies on a dozen of them. What a savepoint remembers stays in memory: in a
 * temporary file, each commit would create and unlink one. What is deleted is overwritten: a body that
 * was purged must not be readable in a free page.
 */
static const char writing_connection[] =
	"PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	"PRAGMA journal_size_limit = 67108864;"
	"PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;";

/* After a sync that failed, Linux keeps the pages as if they were written. A process that died on it
 * leaves a log that reads well and is not on disk, and what is appended and synced after it would be
 * lost with it in a power cut. Brought into the database it is written, and synced, once more.
 */
static const char empty_the_log[] = "PRAGMA wal_checkpoint(TRUNCATE)";

static const char *const state_texts[DOC_STATE_COUNT] = {
	[DOC_HELD] = "held",
	[DOC_QUEUED] = "queued",
	[DOC_SENDING] = "sending",
	[DOC_DELIVERED] = "delivered",
	[DOC_REFUSED] = "refused",
	[DOC_REJECTED] = "rejected",
	[DOC_SUPPRESSED] = "suppressed",
	[DOC_CANCELLED] = "cancelled",
};

const char *doc_state_text(enum doc_state state)
{
	return state_texts[state];
}

bool doc_state_parse(struct slice text, enum doc_state *ret_state)
{
	for (enum doc_state state = 0; state < DOC_STATE_COUNT; state++) {
		if (slice_is(text, state_texts[state])) {
			*ret_state = state;
			return true;
		}
	}
	return false;
}

bool doc_state_is_final(enum doc_state state)
{
	switch (state) {
	case DOC_HELD:
	case DOC_QUEUED:
	case DOC_SENDING:
	case DOC_STATE_COUNT:
		return false;
	case DOC_DELIVERED:
	case DOC_REFUSED:
	case DOC_REJECTED:
	case DOC_SUPPRESSED:
	case DOC_CANCELLED:
		return true;
	}
	return false;
}

enum doc_state store_state_of(sqlite3_stmt *statement, int column)
{
	enum doc_state state = DOC_HELD; /* the table's check admits no other word */

	(void)!doc_state_parse(slice_of(sqlite_text(statement, column)), &state);
	return state;
}

/* ---- opening ---- */

/* One process per store: two would claim under one name. */
static int lock(struct store *store, const char *path, struct err *err)
{
	scoped(free_ptr) char *lock_path = xasprintf("%s.lock", path);

	store->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (store->lock_fd < 0)
		return err_set(err, ERR_HALT, "cannot open %s: %s", lock_path, strerror(errno));
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_HALT, "another dmpfeedd uses it (%s is locked)", lock_path);
	return 0;
}

static struct store *store_new(const struct store_settings *settings)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->lock_fd = -1;
	store->node = xstrdup(settings->node);
	return store;
}

static int open_database(struct store *store, const char *path, int flags, struct err *err)
{
	if (sqlite_open(&store->sqlite, path, flags, store_statements, STATEMENT_COUNT, err) < 0)
		return -1;
	return sqlite_exec(&store->sqlite, every_connection, "be set up", err);
}

static int check_log(struct store *store, const char *path, struct err *err)
{
	if (sqlite_log_check(path, err) == 0)
		return 0;
	if (err->kind == ERR_HALT)
		store->sqlite.damage = *err;
	return -1;
}

static int open_whole(struct store *store, const struct store_settings *settings, struct err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	if (check_log(store, settings->path, err) < 0 ||
	    open_database(store, settings->path, flags, err) < 0 ||
	    sqlite_exec(&store->sqlite, writing_connection, "be set up", err) < 0 ||
	    sqlite_exec(&store->sqlite, empty_the_log, "bring its log into the database", err) <
		    0 ||
	    store_migrate(store, err) < 0 || store_take_keys(store, settings->keys, err) < 0)
		return -1;
	return 0;
}

int store_open(struct store **ret_store, const struct store_settings *settings, struct err *err)
{
	scoped(store_free) struct store *store = store_new(settings);

	sqlite_start();
	if (lock(store, settings->path, err) < 0 ||
	    store_files_expect(store, settings->path, err) < 0)
		return err_within(err, "%s", settings->path);
	if (open_whole(store, settings, err) < 0) {
		if (store->sqlite.damage.kind != ERR_NONE)
			store_keep_damaged(settings->path, err);
		return err_within(err, "%s", settings->path);
	}
	if (store_files_mark(store, err) < 0 || store_files_watch(store, settings->path, err) < 0)
		return err_within(err, "%s", settings->path);
	store_fold_watch(store);
	*ret_store = take(store);
	return 0;
}

int store_open_reader(struct store **ret_store, const struct store_settings *settings,
		      struct err *err)
{
	scoped(store_free) struct store *store = store_new(settings);

	if (open_database(store, settings->path, SQLITE_OPEN_READONLY, err) < 0)
		return err_within(err, "%s", settings->path);
	store->ends = settings->ends;
	store->keys = settings->keys;
	if (settings->ends != NULL)
		sqlite_give_up_when(&store->sqlite, settings->ends);
	*ret_store = take(store);
	return 0;
}

void store_free(struct store **store)
{
	if (*store == NULL)
		return;
	sqlite_done(&(*store)->sqlite);
	store_files_done(*store);
	if ((*store)->lock_fd >= 0)
		close((*store)->lock_fd);
	free((*store)->node);
	buf_done(&(*store)->room);
	store_moves_done(&(*store)->moves);
	free_ptr(store);
}

/* ---- transactions ---- */

int store_begin(struct store *store, struct err *err)
{
	if (store_files_check(store, true, err) < 0)
		return -1;
	return sqlite_run(&store->sqlite, BEGIN, NULL, 0, "begin", err);
}

/* A failed sync needs nothing more: SQLite forgets the transaction, nobody was told yes, and the next
 * one writes over its frames in the log, so that those pages are dirty, and synced, anew.
 */
int store_commit(struct store *store, struct err *err)
{
	if (store_files_check(store, false, err) == 0 &&
	    sqlite_run(&store->sqlite, COMMIT, NULL, 0, "commit", err) == 0)
		return 0;
	store_rollback(store);
	return -1;
}

void store_rollback(struct store *store)
{
	store->head.known = false;
	if (!sqlite3_get_autocommit(store->sqlite.db))
		sqlite3_exec(store->sqlite.db, "ROLLBACK", NULL, NULL, NULL);
}

/* A full disk may roll the whole transaction back inside SQLite: what follows would then commit by
 * itself, one by one, behind the writer's back.
 */
int store_mark(struct store *store, struct err *err)
{
	if (sqlite3_get_autocommit(store->sqlite.db)) {
		err_set(err, ERR_RETRY, "the store took the whole transaction back");
		err->reason = REASON_STORE_UNAVAILABLE;
		return -1;
	}
	store->head_at_savepoint = store->head;
	store->moves = (struct store_moves){ .told = store->moves.told };
	store->written_at_mark = sqlite3_total_changes64(store->sqlite.db);
	return 0;
}

bool store_is_as_marked(const struct store *store)
{
	return !sqlite3_get_autocommit(store->sqlite.db) &&
	       sqlite3_total_changes64(store->sqlite.db) == store->written_at_mark;
}

int store_savepoint(struct store *store, struct err *err)
{
	if (store_mark(store, err) < 0)
		return -1;
	return sqlite_run(&store->sqlite, SAVEPOINT, NULL, 0, "begin a change", err);
}

void store_savepoint_release(struct store *store)
{
	struct err err = { 0 };

	(void)!sqlite_run(&store->sqlite, RELEASE, NULL, 0, "end a change",
			  &err); /* the commit tells if it matters */
}

void store_savepoint_undo(struct store *store)
{
	struct err err = { 0 };

	store->head = store->head_at_savepoint;
	if (sqlite3_get_autocommit(store->sqlite.db))
		return;
	if (sqlite_run(&store->sqlite, UNDO, NULL, 0, "undo a change", &err) < 0)
		store_rollback(store); /* half a change must not be committed */
	else
		store_savepoint_release(store);
}

/* ---- the ledger ---- */

int store_add_entry(struct store *store, const struct store_entry *entry, struct err *err)
{
	struct store_head head;
	const struct slice digest = { (const char *)head.digest, sizeof(head.digest) };

	if (store_chain_entry(store, entry, &head, err) < 0 ||
	    sqlite_run(&store->sqlite, INSERT_EVENT,
		       VALUES(NUMBER(entry->seq), NUMBER(entry->at_ms), TEXT(entry->what),
			      TEXT(state_texts[entry->state]), TEXT(entry->reason),
			      NUMBER(entry->attempt), TEXT(entry->code), TEXT(entry->text),
			      TEXT(entry->note), TEXT(entry->origin), TEXT(store->node),
			      NUMBER(entry->http_status), NUMBER(entry->duration_ms),
			      TEXT(entry->actor), NUMBER(head.number), BYTES(digest)),
		       "write the ledger", err) < 0)
		return -1;
	store->head = head;
	return store_has_ended_for_source(entry->state, reason_of(slice_of(entry->reason).p))
		       ? store_conclude_acks(store, entry->seq, entry->at_ms, err)
		       : 0;
}

/* ---- take in ---- */

static int add_arrival(struct store *store, const struct store_entry *entry, struct err *err)
{
	if (store_add_entry(store, entry, err) < 0)
		return -1;
	return sqlite_run(
		&store->sqlite, SET_LAST_ARRIVAL,
		VALUES(NUMBER(entry->seq), NUMBER(sqlite3_last_insert_rowid(store->sqlite.db))),
		"note an arrival", err);
}

/* Nothing new: a row of the ledger says that it came again. */
static int note_again(struct store *store, const struct store_arrival *arrival,
		      const struct store_again *again, struct err *err)
{
	const struct store_entry entry = { .seq = again->seq,
					   .at_ms = arrival->now_ms,
					   .what = "received_again",
					   .state = again->state,
					   .reason = reason_row(again->reason)->code,
					   .attempt = again->attempts,
					   .origin = arrival->origin };

	return add_arrival(store, &entry, err);
}

/* What is written with a document that comes, beside what it says. */
struct about {
	struct store_patient patient, stay;
	struct store_keys keys;
	const char *held_for; /* before its patient opposed it */
	const char *names;    /* the version that it replaces, as it says */
};

/* The row of a document: a new one, or that which it has. */
static int write_row(struct store *store, enum store_statement which,
		     const struct store_arrival *arrival, const struct about *about,
		     const struct store_place *place, uint64_t number, struct err *err)
{
	const struct slice digest = { (const char *)arrival->digest, sizeof(arrival->digest) };
	const struct store_subject *subject = &arrival->subject;
	const struct store_facts *facts = &arrival->facts;

	return sqlite_run(
		&store->sqlite, which,
		VALUES(ID(&arrival->doc), TEXT(arrival->action), TEXT(arrival->unique_id),
		       BYTES(digest), TEXT(arrival->type_code), TEXT(arrival->lane),
		       TEXT(arrival->site), TEXT(arrival->source), TEXT(arrival->channel),
		       TEXT(arrival->origin), TEXT(state_texts[place->state]),
		       TEXT(reason_row(place->reason)->code), NUMBER(arrival->now_ms),
		       NUMBER(arrival->body.n), TEXT(arrival->follows), NUMBER(place->as_new),
		       NUMBER(arrival->release_ms), NUMBER(arrival->invisible), NUMBER(store->key),
		       NUMBER(arrival->priority), BYTES(store_patient_key(&about->patient)),
		       TEXT(about->held_for),
		       BYTES(arrival->content.n ? arrival->content : slice_of("")),
		       TEXT(facts->field), TEXT(facts->unit),
		       BYTES(store_patient_key(&about->stay)), NUMBER(facts->stay_end_ms),
		       NUMBER(facts->created_ms), NUMBER(facts->ins_qualified), TEXT(about->names),
		       NUMBER(number), NUMBER(arrival->is_discreet),
		       BYTES(store_patient_key(&about->keys.locals[0])),
		       BYTES(store_patient_key(&about->keys.locals[1])),
		       BYTES(store_patient_key(&about->keys.traits)), NUMBER(subject->is_qualified),
		       NUMBER(subject->said_ms), NUMBER(subject->is_rebuilt),
		       TEXT(reason_row(subject->then_for)->code), NUMBER(subject->then_ms)),
		"take a document in", err);
}

/* What has to do with the same as what has come: what is to wait for it, and what waits no more. */
static int mind_others(struct store *store, const struct store_entry *entry,
		       const struct store_arrival *arrival, bool keeps_turn, struct err *err)
{
	const bool deletes = strcmp(arrival->action, "delete") == 0;
	int others =
		deletes ? 1 : store_put_behind(store, entry->seq, entry->seq, entry->at_ms, err);

	if (others <= 0 || (keeps_turn && !doc_state_is_final(entry->state)))
		return others;
	return store_wake_followers(store, entry->seq, entry->at_ms, err);
}

/* As it was decided, unless its predecessor says otherwise. One that is taken up comes last, as all that comes does;
 * but what waited already keeps its turn, for others wait behind it. Not a deletion: of what came meanwhile its
 * source knew when it said once more that the document is to go. And a deletion that is there already has its turn
 * after the document that comes: what waited behind it may go, and it waits.
 */
static int write_document(struct store *store, const struct store_arrival *arrival,
			  const struct about *about, const struct store_again *again,
			  struct store_receipt *ret_receipt, struct err *err)
{
	const bool is_new = again->seq == 0;
	const bool keeps_turn =
		!is_new && again->state == DOC_HELD && strcmp(arrival->action, "delete") != 0;
	struct store_entry entry = {
		.at_ms = arrival->now_ms,
		.what = is_new ? "received" : "taken_up",
		.note = keeps_turn ? "in_turn" : "",
		.origin = arrival->origin,
		.actor = arrival->actor,
		.arrival = is_new ? arrival : NULL,
	};
	struct store_place place;
	uint64_t number; /* of the entry to come */

	if (store_find_place(store, arrival, again->seq, keeps_turn, &place, err) < 0 ||
	    store_next_number(store, &number, err) < 0)
		return -1;
	entry.state = place.state;
	entry.reason = reason_row(place.reason)->code;
	if (write_row(store, is_new ? INSERT_DOCUMENT : TAKE_UP, arrival, about, &place, number,
		      err) < 0)
		return -1;
	entry.seq = is_new ? sqlite3_last_insert_rowid(store->sqlite.db) : again->seq;
	if ((!is_new && store_remove_body(store, entry.seq, err) < 0) ||
	    store_insert_body(store, entry.seq, arrival, err) < 0 ||
	    (about->keys.is_built &&
	     store_keep_facts(store, entry.seq, &about->keys.known, err) < 0) ||
	    (place.state == DOC_QUEUED && slice_of(arrival->follows).n > 0 &&
	     store_weigh_arrival(store, &entry, err) < 0))
		return -1;
	*ret_receipt = (struct store_receipt){ .taken = is_new ? STORE_NEW : STORE_TAKEN_UP,
					       .doc = arrival->doc,
					       .state = entry.state,
					       .reason = reason_of(entry.reason) };
	if (is_new)
		store->moves.change[entry.state]++;
	else
		store_moved(store, again->state, entry.state);
	/* what it needs may have written its own rows first */
	if ((store->head.number + 1 == number ? store_add_entry : add_arrival)(store, &entry, err) <
	    0)
		return -1;
	if (mind_others(store, &entry, arrival, keeps_turn, err) < 0)
		return -1;
	return store_end_predecessor(store, arrival, &place, err);
}

int store_take_in(struct store *store, const struct store_arrival *arrival,
		  struct store_receipt *ret_receipt, struct err *err)
{
	scoped(buf_done) struct buf follows = { 0 };
	struct store_arrival heeded = *arrival;
	struct store_patient patient, stay;
	struct store_again again;
	struct about about;
	enum doc_state state;
	enum reason reason;
	bool not_asked;

	if (store_find_again(store, arrival, &again, err) < 0)
		return -1;
	if (again.seq != 0 && !again.goes_on) {
		*ret_receipt = (struct store_receipt){
			.taken = again.is_foreign ? STORE_FOREIGN : STORE_KNOWN,
			.doc = again.doc,
			.state = again.state,
			.reason = again.reason,
			.shows_otherwise = again.shows_otherwise,
		};
		return again.is_foreign ? 0 : note_again(store, arrival, &again, err);
	}
	if (again.seq != 0)
		heeded.doc = again.doc;
	if (store_find_patient(store, arrival->ins, arrival->ins_oid, &patient, err) < 0 ||
	    store_find_stay(store, arrival->lane, arrival->facts.stay, &stay, err) < 0 ||
	    store_heed_identity(store, &heeded, &patient, &about.keys, err) < 0 ||
	    store_heed_discretion(store, &stay, &heeded, err) < 0)
		return -1;
	state = heeded.state;
	reason = heeded.reason;
	if (store_heed_choice(store, &patient, &heeded, &not_asked, err) < 0 ||
	    store_stand_in(store, slice_of(arrival->follows).p, &follows, err) < 0)
		return -1;
	heeded.follows = follows.p;
	about.patient = patient;
	about.stay = stay;
	about.held_for = heeded.state == DOC_REFUSED ? store_held_for(state, reason) : "";
	about.names = arrival->follows;
	if (write_document(store, &heeded, &about, &again, ret_receipt, err) < 0)
		return -1;
	ret_receipt->not_asked = not_asked;
	return 0;
}

/* ---- the disk ---- */

int store_probe(struct store *store, int64_t now_ms, struct err *err)
{
	return sqlite_run(&store->sqlite, PROBE, VALUES(TEXT(store->node), NUMBER(now_ms)),
			  "be written", err);
}

/* ---- look ---- */

int store_find_number(struct store *store, enum store_statement which,
		      const struct sqlite_value *values, size_t count, int64_t otherwise,
		      int64_t *ret_number, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, which, values, count, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got < 0)
		return -1;
	*ret_number = otherwise;
	if (got > 0 && sqlite3_column_type(found, 0) != SQLITE_NULL)
		*ret_number = sqlite3_column_int64(found, 0);
	return 0;
}

int store_oldest_queued(struct store *store, int64_t *ret_received_ms, struct err *err)
{
	return store_find_number(store, OLDEST_QUEUED, NULL, 0, INT64_MAX, ret_received_ms, err);
}

int store_queued_lanes(struct store *store, void (*each)(void *arg, const char *lane), void *arg,
		       struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, QUEUED_LANES, NULL, 0, err);
	int got = found ? 0 : -1;

	while (found != NULL && (got = sqlite_step(&store->sqlite, found, err)) > 0)
		each(arg, sqlite_text(found, 0));
	return got;
}

int store_count(struct store *store, struct store_counts *ret_counts, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *states =
		sqlite_prepare(&store->sqlite, COUNT_STATES, NULL, 0, err);
	struct store_counts counts = { 0 };
	int got;

	if (states == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, states, err)) > 0)
		counts.documents[store_state_of(states, 0)] =
			(uint64_t)sqlite3_column_int64(states, 1);
	if (got < 0 || store_find_number(store, LAST_DELIVERED, NULL, 0, 0,
					 &counts.last_delivered_ms, err) < 0)
		return -1;
	*ret_counts = counts;
	return 0;
}

/* Reads ROW_COLUMNS. */
static struct store_row row_of(sqlite3_stmt *statement)
{
	return (struct store_row){
		.doc = sqlite_ulid(statement, 0),
		.action = sqlite_text(statement, 1),
		.unique_id = sqlite_text(statement, 2),
		.type_code = sqlite_text(statement, 3),
		.lane = sqlite_text(statement, 4),
		.site = sqlite_text(statement, 5),
		.source = sqlite_text(statement, 6),
		.channel = sqlite_text(statement, 7),
		.origin = sqlite_text(statement, 8),
		.state = store_state_of(statement, 9),
		.reason = reason_of(sqlite_text(statement, 10)),
		.doubtful = sqlite3_column_int(statement, 11) != 0,
		.attempts = (unsigned)sqlite3_column_int64(statement, 12),
		.body_bytes = (uint64_t)sqlite3_column_int64(statement, 13),
		.received_ms = sqlite3_column_int64(statement, 14),
		.changed_ms = sqlite3_column_int64(statement, 15),
		.next_attempt_ms = sqlite3_column_int64(statement, 16),
		.last_arrival = (uint64_t)sqlite3_column_int64(statement, 17),
		.release_ms = sqlite3_column_int64(statement, 18),
		.purged_ms = sqlite3_column_int64(statement, 19),
		.other_form = sqlite_ulid(statement, 20),
	};
}

int store_list(struct store *store, const struct store_filter *filter,
	       void (*each)(void *arg, const struct store_row *row), void *arg, struct err *err)
{
	bool by_state = !filter->invisible && filter->state != NULL && filter->state[0] != '\0';
	const int64_t before_ms = filter->before_ms > 0 ? filter->before_ms : INT64_MAX;
	const int64_t limit = (int64_t)filter->limit;
	int64_t told = 0;
	const struct sqlite_value values[] = {
		ID(&filter->after), TEXT(filter->reason),
		TEXT(filter->site), NUMBER(filter->is_wanted ? -1 : limit),
		NUMBER(before_ms),  TEXT(filter->state)
	};
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(&store->sqlite,
								 filter->invisible ? LIST_INVISIBLE
								 : by_state        ? LIST_STATE
										   : LIST,
								 values, by_state ? 6 : 5, err);
	int got = 0;

	if (rows == NULL)
		return -1;
	while (told < limit && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_row row = row_of(rows);

		if (filter->is_wanted != NULL && !filter->is_wanted(filter->is_wanted_arg, &row))
			continue;
		each(arg, &row);
		told++;
	}
	return got < 0 ? -1 : 0;
}

int store_list_unique(struct store *store, const char *unique_id,
		      void (*each)(void *arg, const struct store_row *row), void *arg,
		      struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, LIST_UNIQUE, VALUES(TEXT(unique_id)), err);
	int got;

	if (rows == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_row row = row_of(rows);

		each(arg, &row);
	}
	return got;
}

struct store_event store_event_of(sqlite3_stmt *statement, int column)
{
	return (struct store_event){
		.number = (uint64_t)sqlite3_column_int64(statement, column),
		.at_ms = sqlite3_column_int64(statement, column + 1),
		.what = sqlite_text(statement, column + 2),
		.state = store_state_of(statement, column + 3),
		.reason = reason_of(sqlite_text(statement, column + 4)),
		.attempt = (unsigned)sqlite3_column_int64(statement, column + 5),
		.code = sqlite_text(statement, column + 6),
		.text = sqlite_text(statement, column + 7),
		.note = sqlite_text(statement, column + 8),
		.origin = sqlite_text(statement, column + 9),
		.http_status = sqlite3_column_int(statement, column + 10),
		.duration_ms = sqlite3_column_int64(statement, column + 11),
		.actor = sqlite_text(statement, column + 12),
	};
}

int store_list_orderable(struct store *store, const struct store_orderable *orderable,
			 void (*each)(void *arg, const struct store_row *row), void *arg,
			 uint64_t *ret_more, struct err *err)
{
	const struct sqlite_value values[] = { TEXT(orderable->reason), NUMBER(orderable->is_held),
					       TEXT(orderable->site), ID(&orderable->after),
					       NUMBER(orderable->limit) };
	scoped(sqlite_reset) sqlite3_stmt *all =
		sqlite_prepare(&store->sqlite, COUNT_ORDERABLE, values, 4, err);
	scoped(sqlite_reset) sqlite3_stmt *rows = NULL;
	uint64_t count;
	int got;

	if (all == NULL || sqlite_step(&store->sqlite, all, err) < 0)
		return -1;
	count = (uint64_t)sqlite3_column_int64(all, 0);
	*ret_more = count > orderable->limit ? count - orderable->limit : 0;
	rows = sqlite_prepare(&store->sqlite, LIST_ORDERABLE, values, 5, err);
	if (rows == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_row row = row_of(rows);

		each(arg, &row);
	}
	return got;
}

int store_show(struct store *store, const struct ulid *doc,
	       void (*on_row)(void *arg, const struct store_row *row),
	       void (*on_event)(void *arg, const struct store_event *event), void *arg,
	       struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, SHOW, VALUES(ID(doc)), err);
	scoped(sqlite_reset) sqlite3_stmt *events = NULL;
	struct store_row row;
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got < 0 ? -1 : 1;
	row = row_of(found);
	on_row(arg, &row);
	events = sqlite_prepare(&store->sqlite, EVENTS,
				VALUES(NUMBER(sqlite3_column_int64(found, 21))), err);
	if (events == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, events, err)) > 0) {
		const struct store_event event = store_event_of(events, 0);

		on_event(arg, &event);
	}
	return got;
}

int store_count_invisible(struct store *store, int64_t before_ms, uint64_t *ret_count,
			  struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, COUNT_INVISIBLE, VALUES(NUMBER(before_ms)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return -1;
	*ret_count = (uint64_t)sqlite3_column_int64(found, 0);
	return 0;
}
