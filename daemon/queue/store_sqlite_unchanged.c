/* A new version that changes nothing is not sent: it stands for the one that the DMP has.
 *
 * Software sends "replacements" that differ from what they replace by nothing but an id, a version and a
 * date. One of those ends as suppressed, provided that what it replaces was delivered and is still what
 * the DMP shows. A document that may have been sent is sent again, whatever it says.
 *
 * The version after it names, in its own CDA, a document that the DMP never had, and the DMP may compare. So
 * when such a version goes, what it names goes first, after all: it comes out of its end, in the same
 * transaction, with all those before it that were suppressed too, and each waits for the one that it names.
 *
 * Where that cannot be (the body was purged, its source deleted it, its patient opposes it), and for a
 * deletion, which carries no CDA, the suppressed one only stands for another: `follows`, by which everything
 * keeps its order and the DMP is asked, holds what the DMP knows or will know, and `names` what the document
 * itself says. `follows` is looked up when a document comes, and rewritten in what waits. One hop is enough,
 * for what is stood for was delivered itself.
 */
#include "queue/store_sqlite.h"

int store_stand_in(struct store *store, const char *unique_id, struct buf *out, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found = NULL;
	int got = 0;

	if (unique_id[0] != '\0') {
		found = sqlite_prepare(&store->sqlite, STANDS_FOR, VALUES(TEXT(unique_id)), err);
		got = found ? sqlite_step(&store->sqlite, found, err) : -1;
	}
	if (got >= 0)
		buf_add_text(out, got > 0 ? sqlite_text(found, 0) : unique_id);
	return got < 0 ? -1 : 0;
}

/* ---- it need not go ---- */

/* What the document changes nothing of: 1, 0, -1. */
static int find_unchanged(struct store *store, int64_t seq, struct buf *unique_id,
			  struct buf *stands_for, char note[static ULID_TEXT], struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_UNCHANGED, VALUES(NUMBER(seq)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;
	struct ulid doc;

	if (got > 0) {
		doc = sqlite_ulid(found, 2);
		ulid_text(&doc, note);
		buf_add_text(unique_id, sqlite_text(found, 0));
		buf_add_text(stands_for, sqlite_text(found, 1));
	}
	return got;
}

/* 1: the entry says so. */
static int suppress_unchanged(struct store *store, struct store_entry *entry, struct err *err)
{
	scoped(buf_done) struct buf unique_id = { 0 }, stands_for = { 0 };
	int got = find_unchanged(store, entry->seq, &unique_id, &stands_for, entry->room, err);

	if (got <= 0)
		return got;
	if (sqlite_run(&store->sqlite, SUPPRESS,
		       VALUES(NUMBER(entry->seq), TEXT(stands_for.p), NUMBER(entry->at_ms)),
		       "suppress a document", err) < 0 ||
	    sqlite_run(&store->sqlite, REDIRECT, VALUES(TEXT(unique_id.p), TEXT(stands_for.p)),
		       "note what a document stands for", err) < 0)
		return -1;
	entry->state = DOC_SUPPRESSED;
	entry->reason = reason_row(REASON_UNCHANGED)->code;
	entry->note = entry->room;
	return 1;
}

/* ---- others go first ---- */

enum { MOST_NAMED = 1000 /* go after all for the sake of one: in one transaction */ };

/* What must go first, the first of all before the others. */
struct named {
	int64_t seqs[MOST_NAMED];
	size_t count;
	struct buf follows; /* what the first of them names */
	char by[ULID_TEXT]; /* for whose sake */
};

static void named_done(struct named *named)
{
	buf_done(&named->follows);
}

/* 1: all of them can go; 0: there are none, or not all can, and it goes as if they stood for another. */
static int find_named(struct store *store, int64_t seq, struct named *named, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, FIND_NAMED, VALUES(NUMBER(seq), NUMBER(MOST_NAMED)), err);
	int got = rows ? sqlite_step(&store->sqlite, rows, err) : -1;
	struct ulid by;

	if (got > 0) {
		by = sqlite_ulid(rows, 3);
		ulid_text(&by, named->by);
		buf_add_text(&named->follows, sqlite_text(rows, 2));
	}
	for (; got > 0; got = sqlite_step(&store->sqlite, rows, err)) {
		if (named->count == MOST_NAMED || !sqlite3_column_int(rows, 1))
			return 0;
		named->seqs[named->count++] = sqlite3_column_int64(rows, 0);
	}
	return got < 0 ? -1 : named->count > 0;
}

static int need(struct store *store, int64_t seq, bool waits, int64_t now_ms, const char *by,
		struct err *err)
{
	const struct store_entry entry = {
		.seq = seq,
		.at_ms = now_ms,
		.what = "needed",
		.state = waits ? DOC_HELD : DOC_QUEUED,
		.reason = reason_row(waits ? REASON_WAITING_PREDECESSOR : REASON_NONE)->code,
		.note = by,
	};

	if (sqlite_run(&store->sqlite, NEED,
		       VALUES(NUMBER(seq), TEXT(doc_state_text(entry.state)), TEXT(entry.reason),
			      NUMBER(now_ms)),
		       "send a document after all", err) < 0 ||
	    store_tell(store, DOC_SUPPRESSED, &entry, err) < 0 ||
	    store_add_move(store, DOC_SUPPRESSED, &entry, err) < 0)
		return -1;
	return waits ? 0 : store_mind_all(store, seq, now_ms, err); /* long after it was decided */
}

static int need_named(struct store *store, struct store_entry *entry, struct err *err)
{
	scoped(named_done) struct named named = { 0 };
	int got = find_named(store, entry->seq, &named, err);
	int blocked;

	if (got <= 0)
		return got;
	for (size_t i = 0; i < named.count; i++) /* none of what waits stands before the first */
		if (sqlite_run(&store->sqlite, REDIRECT_BACK, VALUES(NUMBER(named.seqs[i])),
			       "note what a document follows", err) < 0)
			return -1;
	blocked = store_is_blocked(store, slice_of(named.follows.p).p, named.seqs[0], err);
	for (size_t i = 0; i < named.count && blocked >= 0; i++)
		if (need(store, named.seqs[i], i > 0 || blocked, entry->at_ms, named.by, err) < 0)
			return -1;
	if (blocked < 0)
		return -1;
	for (size_t i = 0; i < named.count; i++)
		if (store_put_behind(store, named.seqs[i], entry->seq, entry->at_ms, err) < 0)
			return -1;
	/* what waited for what is redirected may go; not from within, for many may wait */
	if (store->waking == 0 && store_wake_followers(store, named.seqs[0], entry->at_ms, err) < 0)
		return -1;
	entry->state = DOC_HELD;
	entry->reason = reason_row(REASON_WAITING_PREDECESSOR)->code;
	return 0;
}

int store_weigh(struct store *store, struct store_entry *entry, bool may_end, struct err *err)
{
	int ended = may_end ? suppress_unchanged(store, entry, err) : 0;

	if (ended != 0)
		return ended < 0 ? -1 : 0;
	return need_named(store, entry, err);
}

/* ---- under which name ---- */

int store_target(struct store *store, const struct ulid *doc, struct buf *ret_unique_id,
		 struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, TARGET, VALUES(ID(doc)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got > 0)
		buf_add_text(ret_unique_id, sqlite_text(found, 0));
	return got < 0 ? -1 : 0;
}
