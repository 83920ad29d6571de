/* A look: what the watch must not read itself, for the disk and the store may take their time; and the rhythm of
 * each source, which is learnt from the arrivals that the store has counted.
 *
 * The loop's, but a worker's (whose context is a struct hands) from the moment that its job is submitted until
 * the job is done.
 */
#ifndef DMPFEED_WATCH_LOOK_H
#define DMPFEED_WATCH_LOOK_H

#include "base/disk.h"
#include "base/jobs.h"
#include "config.h"
#include "status/health.h"
#include "status/rhythm.h"

enum {
	LOOK_WAITING = 64,   /* kinds of waiting documents, at most */
	LOOK_LANE_TEXT = 16, /* a FINESS */
};

/* What the store says, when it could last be asked. */
struct look_store {
	struct health_waiting waiting[LOOK_WAITING];
	size_t waiting_count;
	int64_t oldest_queued_ms, oldest_invisible_ms; /* INT64_MAX: none */
	uint64_t misplaced; /* documents whose patient's INS is another now */
};

/* Lanes that documents are queued for: as many as there are, or the one that is lost could be the one left out. */
struct look_lanes {
	char (*names)[LOOK_LANE_TEXT];
	size_t count, room;
};

/* Who sends, and when it usually does. */
struct look_sender {
	char *name;
	struct rhythm rhythm;
};

struct look {
	struct job job;
	const struct config *config; /* the first: the store stays where it is */
	struct disk_room room;       /* where the state is */
	uint64_t store_bytes, wal_bytes;
	struct health_process process;
	struct look_store store;
	struct look_lanes lanes;
	bool has_lanes;              /* the store said which there are */
	struct look_sender *senders; /* each source once */
	size_t sender_count;
	int64_t next_slot; /* arrivals before it are known; those of the slot before may still come */
	int64_t took_ms;
};

/* Nothing is known, nobody is named. `config` outlives the look; `done` is called on the loop. */
void look_init(struct look *look, const struct config *config, void (*done)(struct job *job));
void look_done(struct look *look);

/* The senders are those of this configuration from now on. What is known of one stays known; for a new one, all
 * arrivals are read again.
 */
void look_name_senders(struct look *look, const struct config *config);

/* The next look reads all arrivals, not those alone that came since the last. */
void look_at_all_arrivals(struct look *look);

#endif
