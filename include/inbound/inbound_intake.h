/* One frame or file on its way in, and what each step makes of it. Shared by the files of inbound, and by
 * nobody else.
 *
 * Owned by one thread at a time, as the job in it is.
 */
#ifndef DMPFEED_INBOUND_INBOUND_INTAKE_H
#define DMPFEED_INBOUND_INBOUND_INTAKE_H

#include <sys/queue.h>

#include "crew/crew.h"
#include "inbound/decide.h"
#include "setup/snapshot.h"

/* A document that came before, now in another state. */
struct intake_move {
	struct ulid doc;
	enum doc_state from, to;
	enum reason reason;
};

/* One message, or a document that comes alone. */
struct intake_part {
	struct decision decision;
	struct err err;                                /* why it was refused */
	struct ulid docs[TRANSMISSION_DOCUMENTS_MOST]; /* their ids, if they are new */
	struct store_receipt receipts[TRANSMISSION_DOCUMENTS_MOST];

	/* what the ADT that it is did to others */
	struct store_noted noted;
	struct store_identified identified;
	struct intake_move *moves;
	size_t move_count, move_room;
};

/* One frame or file on its way in. What is in it is taken in together, or not at all. */
struct intake {
	struct change work;
	LIST_ENTRY(intake) link;
	struct line *line; /* of a message: inbound_line.h */
	TAILQ_ENTRY(intake) in_line;
	bool is_ready, is_handed_on;
	bool goes_straight; /* to the writer, from the thread that has read it */
	struct inbound *inbound;
	struct snapshot *snapshot;   /* held: what it began with, and ends with */
	const struct config *config; /* of that */

	struct mllp_arrival *message; /* who waits for an answer: one of the two */
	struct drop_file *file;
	char digest[DROP_DIGEST]; /* of the file's name, for logs */
	const char *channel, *site, *source, *origin;
	struct ulid doc;
	int64_t came_ms, began_ms; /* by the wall clock, and by the other */
	struct buf bytes;          /* what came */
	struct buf head;           /* the start of a message, to answer it */

	struct intake_part *parts; /* several of a batch file or a medium */
	size_t part_count;
	bool is_batch, is_medium, is_pair;
	bool takes_long, may_take_long; /* it was not done on the disk's thread: for a converter */
	struct err err;                 /* why nothing was taken in */
};

/* Which message of a batch file, or document of a medium, the error is about. Returns -1. */
int intake_within(const struct intake *intake, size_t index, struct err *err);

/* The message's control id, or the digest of the file's name. */
const char *intake_told_origin(const struct intake *intake);

/* MSH-10 holds 20 characters: those of an id that differ. */
const char *intake_short_id(const struct ulid *id, char text[static ULID_TEXT]);

/* The source of this message will hear what becomes of it. */
bool intake_wants_ack(const struct intake *intake, const struct intake_part *part);

#endif
