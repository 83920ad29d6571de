/* The life of a document, from the door to the DMP: inbound and outbound together, and what they
 * tell each other.
 *
 * Loop only.
 */
#ifndef DMPFEED_PIPELINE_H
#define DMPFEED_PIPELINE_H

#include "outbound/outbound.h"

struct pipeline_parts {
	struct event_base *loop;
	struct snapshot *snapshot;  /* at first */
	struct workers *workers;    /* their context is a struct hands */
	struct workers *disk;       /* for folders, which may hang */
	struct workers *converters; /* for PDF files, which may take long */
	struct workers *keeper;     /* likewise hands, for what may take minutes */
	struct writer *writer;
	struct store_counts counts; /* as the store had them at start */
};

struct pipeline;

/* Opens the listeners, the folders and the lanes. -1: a listener or folder cannot be (ERR_HALT). */
must_use int pipeline_new(struct pipeline **ret_pipeline, const struct pipeline_parts *parts,
			  struct err *err);

/* What another snapshot needs (its listeners, folders, links), made before anything changes. -1
 * (ERR_HALT): something of it cannot be, and nothing has changed.
 */
struct pipeline_plan;
must_use int pipeline_prepare(struct pipeline *pipeline, const struct snapshot *snapshot,
			      struct pipeline_plan **ret_plan, struct err *err);
void pipeline_plan_free(struct pipeline_plan **plan);

/* Goes by that snapshot from now on, in one turn of the loop: what is under way ends as it began. Uses the plan up. */
void pipeline_follow(struct pipeline *pipeline, struct snapshot *snapshot,
		     struct pipeline_plan **plan);

/* Takes nothing more in and starts no more sending; calls `closed` once what was under way has
 * ended, or `patience_ms` have passed.
 */
void pipeline_close(struct pipeline *pipeline, int64_t patience_ms, void (*closed)(void *arg),
		    void *arg);

/* Nothing is under way: no job of its own is with a thread or waits in the mailbox. */
bool pipeline_is_idle(const struct pipeline *pipeline);

/* After the workers and the writer ended. */
void pipeline_free(struct pipeline **pipeline);

/* What it is doing, for people. */
struct pipeline_figures {
	uint64_t documents[DOC_STATE_COUNT];
	uint64_t received, reached[DOC_STATE_COUNT]; /* since start: new, and come to each state */
	int64_t last_delivered_ms;
	/* since start: ADT taken; ACK that came, which get no answer; documents of patients whom nobody asked */
	uint64_t identities, identities_ignored, identities_unusable, answers, not_asked;
	const char *store_trouble; /* why nothing can be stored now; "" */
	bool store_damaged;        /* and that a human must act */
	bool closing;
};

/* Documents were moved by others than the pipeline's own stages, as an operator's order. Is done with
 * *moves.
 */
void pipeline_moved(struct pipeline *pipeline, struct store_moves *moves);

/* From now on `moved` is called whenever documents have come, or are in other states: on disk. */
void pipeline_watch(struct pipeline *pipeline,
		    void (*moved)(void *arg, const struct store_moves *moves), void *arg);

struct pipeline_figures pipeline_figures(const struct pipeline *pipeline);
struct lane_figures pipeline_lane(const struct pipeline *pipeline, size_t index);
const struct outbound_tally *pipeline_tally(const struct pipeline *pipeline, size_t index);
const struct histogram *pipeline_acks(const struct pipeline *pipeline,
				      size_t index); /* by listener */
struct mllp_figures pipeline_listener(const struct pipeline *pipeline, size_t index);
struct drop_figures pipeline_folder(const struct pipeline *pipeline, size_t index);
struct mllp_sender_figures pipeline_way_back(const struct pipeline *pipeline,
					     size_t index); /* by source */

/* The way to the collector of the audit trail, and how many rows it has yet to get; false: there is none. */
must_use bool pipeline_trail(const struct pipeline *pipeline, struct collector_figures *ret_figures,
			     uint64_t *ret_waiting);

#endif
