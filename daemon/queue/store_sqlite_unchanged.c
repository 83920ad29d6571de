/* A new version that changes nothing is not sent: it stands for the one that the DMP has.
 *
 * Software sends "replacements" that differ from what they replace by nothing but an id, a version and a
 * date. One of those ends as suppressed, provided that what it replaces was delivered and is still what
 * the DMP shows. The version after it names a document that the DMP never had; so `follows`, by which
 * everything keeps its order and the DMP is asked, always holds what the DMP knows: it is looked up when a
 * document comes, and rewritten in what already waits. One hop is enough, for what is stood for was
 * delivered itself. A document that may have been sent is sent again, whatever it says.
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

int store_suppress_unchanged(struct store *store, struct store_entry *entry,
			     char note[static ULID_TEXT], struct err *err)
{
	scoped(buf_done) struct buf unique_id = { 0 }, stands_for = { 0 };
	int got = find_unchanged(store, entry->seq, &unique_id, &stands_for, note, err);

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
	entry->note = note;
	return 1;
}

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
