/* Acts: what stands in the chain without being about a document. */
#include "queue/store_act.h"
#include "queue/store_sqlite.h"

int store_note_act(struct store *store, const struct store_act *act, struct err *err)
{
	struct store_head head;
	const struct slice digest = { (const char *)head.digest, sizeof(head.digest) };

	if (store_chain_act(store, act, &head, err) < 0 ||
	    sqlite_run(&store->sqlite, ADD_ACT,
		       VALUES(NUMBER(head.number), NUMBER(act->at_ms), TEXT(act->what),
			      TEXT(act->subject), TEXT(act->text), TEXT(act->actor),
			      TEXT(store->node), BYTES(digest)),
		       "note an act", err) < 0)
		return -1;
	store->head = head;
	return 0;
}

int store_acts(struct store *store, uint64_t after, size_t most,
	       void (*each)(void *arg, const struct store_act *act), void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, ACTS, VALUES(NUMBER(after), NUMBER(most)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_act act = {
			.number = (uint64_t)sqlite3_column_int64(rows, 0),
			.at_ms = sqlite3_column_int64(rows, 1),
			.what = sqlite_text(rows, 2),
			.subject = sqlite_text(rows, 3),
			.text = sqlite_text(rows, 4),
			.actor = sqlite_text(rows, 5),
		};

		each(arg, &act);
	}
	return got;
}

int store_deeds(struct store *store, const struct store_deeds_filter *filter,
		void (*each)(void *arg, const struct store_deed *deed), void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, DEEDS,
		VALUES(NUMBER(filter->from_ms), NUMBER(filter->until_ms), TEXT(filter->actor),
		       TEXT(filter->place), NUMBER(filter->limit)),
		err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_deed deed = {
			.number = (uint64_t)sqlite3_column_int64(rows, 0),
			.at_ms = sqlite3_column_int64(rows, 1),
			.what = sqlite_text(rows, 2),
			.actor = sqlite_text(rows, 3),
			.subject = sqlite_text(rows, 4),
			.text = sqlite_text(rows, 5),
			.doc = sqlite_ulid(rows, 6),
			.lane = sqlite_text(rows, 7),
			.site = sqlite_text(rows, 8),
			.state = sqlite_text(rows, 9),
			.reason = sqlite_text(rows, 10),
		};

		each(arg, &deed);
	}
	return got;
}
