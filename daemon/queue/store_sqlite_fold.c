/* The log of what was committed, and how it is brought into the database: folded.
 *
 * It begins anew, and so stays small, once all of it is folded and nobody reads in it. A commit that had
 * to fold it would make senders wait for thousands of pages. So most of it is folded beside the writer,
 * by a connection on a thread of its own; but as long as commits go on, that one never comes to the
 * end: the writer itself folds the little that is left. Where too much is left for too long, because
 * the disk does not keep up, the writer does it all, and senders wait: the log has an end.
 */
#include "queue/store_sqlite.h"

/* In pages: what is worth a round, and small enough that a commit that comes while it is synced does not
 * wait long behind it; when the log may begin anew; what the writer does itself; after how many more it
 * tries again; and when it does all.
 */
enum {
	ROUND_PAGES = 256,
	LOG_PAGES = 4096,
	REST_PAGES = 128,
	AGAIN_PAGES = 512,
	MOST_PAGES = 8192,
};

/* After each commit of the writer. */
static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store_log *log = &((struct store *)arg)->log;

	(void)db;
	(void)name;
	if (pages < log->pages)
		*log = (struct store_log){ .has_begun_anew = true };
	log->pages = pages;
	return SQLITE_OK;
}

void store_fold_watch(struct store *store)
{
	sqlite3_wal_hook(store->sqlite.db, on_commit, store);
}

int store_open_folding(struct store **ret_store, const struct store *store, struct err *err)
{
	scoped(store_free) struct store *beside = xcalloc(1, sizeof(*beside));

	beside->lock_fd = -1;
	if (sqlite_open(&beside->sqlite, sqlite3_db_filename(store->sqlite.db, "main"),
			SQLITE_OPEN_READWRITE, NULL, 0, err) < 0 ||
	    sqlite_exec(&beside->sqlite, "PRAGMA synchronous = FULL", "be set up", err) < 0)
		return -1;
	*ret_store = take(beside);
	return 0;
}

enum store_fold store_fold_due(struct store *store)
{
	struct store_log *log = &store->log;
	const int rest = log->pages - log->folded;

	log->has_begun_anew = false;
	if (log->pages >= LOG_PAGES && (rest <= REST_PAGES || log->pages >= MOST_PAGES))
		return log->pages >= log->next_here ? FOLD_HERE : FOLD_NOTHING;
	if ((rest < ROUND_PAGES && log->pages < LOG_PAGES) || log->pages < log->next_beside)
		return FOLD_NOTHING;
	log->next_beside = log->pages + REST_PAGES;
	return FOLD_BESIDE;
}

size_t store_fold(struct store *store)
{
	int pages = 0, folded = 0;

	if (sqlite3_wal_checkpoint_v2(store->sqlite.db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages,
				      &folded) != SQLITE_OK ||
	    folded < 0)
		folded = 0;
	/* a reader may hold the rest for as long as it likes: not at each commit, then */
	store->log.next_here = store->log.pages + AGAIN_PAGES;
	store->log.folded = folded;
	return (size_t)folded;
}

void store_was_folded(struct store *store, size_t pages)
{
	if (!store->log.has_begun_anew)
		store->log.folded = (int)min(pages, (size_t)store->log.pages);
}
