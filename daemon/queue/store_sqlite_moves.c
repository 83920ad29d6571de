/* What a change does to documents, for those who count them and those who write the journal. */
#include "queue/store_sqlite.h"

#include <stdio.h>

struct store_moves store_moves(const struct store *store)
{
	return store->moves;
}

struct store_moves store_take_moves(struct store *store)
{
	const struct store_moves moves = store->moves;

	store->moves = (struct store_moves){ 0 };
	store->told_room = 0;
	return moves;
}

void store_moves_done(struct store_moves *moves)
{
	free(moves->told);
	*moves = (struct store_moves){ 0 };
}

void store_moved(struct store *store, enum doc_state from, enum doc_state to)
{
	store->moves.change[from]--;
	store->moves.change[to]++;
	store->moves.woke |= to == DOC_QUEUED && from != DOC_SENDING;
}

int store_tell(struct store *store, enum doc_state from, const struct store_entry *entry,
	       struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, DOCUMENT_IS, VALUES(NUMBER(entry->seq)), err);
	struct store_moves *moves = &store->moves;
	struct store_told *told;

	if (found == NULL || sqlite_step(&store->sqlite, found, err) < 0)
		return -1;
	if (moves->told_count == store->told_room) {
		store->told_room = store->told_room * 2 + 16;
		moves->told = xrealloc(moves->told, store->told_room * sizeof(*moves->told));
	}
	told = &moves->told[moves->told_count++];
	*told = (struct store_told){ .doc = sqlite_ulid(found, 0),
				     .what = entry->what,
				     .from = from,
				     .to = entry->state,
				     .reason = reason_of(entry->reason) };
	snprintf(told->note, sizeof(told->note), "%s", slice_of(entry->note).p);
	return 0;
}
