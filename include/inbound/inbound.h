/* Coming in: from a frame or a file to a document on disk and an answer.
 *
 * Loop only.
 */
#ifndef DMPFEED_INBOUND_INBOUND_H
#define DMPFEED_INBOUND_INBOUND_H

#include "base/histogram.h"
#include "crew/crew.h"
#include "hl7/identity.h"
#include "setup/snapshot.h"

struct inbound_parts {
	struct crew *crew;         /* outlives what is made of these */
	struct snapshot *snapshot; /* at first */

	/* A new document is on disk, to be sent for that legal entity. */
	void (*taken)(void *arg, const struct config_establishment *establishment);
	/* Documents are in other states than before. */
	void (*moved)(void *arg, struct store_moves *moves);
	/* A message is on disk whose source waits for a business acknowledgement: it may be ready
	 * already.
	 */
	void (*ack_wanted)(void *arg);
	/* A message says in which state a patient's DMP is; when, by the monotonic clock. */
	void (*dmp_told)(void *arg, const char *ins, const char *ins_oid, enum identity_dmp dmp,
			 int64_t said_ms);
	void *arg;
};

struct inbound;

/* Opens the listeners and the folders. -1: one of them cannot be (ERR_HALT). */
must_use int inbound_new(struct inbound **ret_inbound, const struct inbound_parts *parts,
			 struct err *err);

/* What another snapshot needs, opened before anything changes. -1 (ERR_HALT): a listener or folder cannot be, and
 * nothing has changed. The plan is of inbound_doors.h.
 */
struct doors_plan;
must_use int inbound_prepare(struct inbound *inbound, const struct snapshot *snapshot,
			     struct doors_plan **ret_plan, struct err *err);
void inbound_plan_free(struct doors_plan **plan);

/* Goes by that snapshot from now on: what came before ends as it began. Uses the plan up. */
void inbound_follow(struct inbound *inbound, struct snapshot *snapshot, struct doors_plan **plan);

/* Takes nothing more in; what came is still answered. */
void inbound_close(struct inbound *inbound);

/* What is still under way is given up: nobody is answered. After the threads ended. */
void inbound_free(struct inbound **inbound);

/* Since start: ADT taken, those of them that say nothing of an identity, or nothing that could be
 * used; ACK that came, which get no answer; documents of patients whom nobody asked.
 */
struct inbound_figures {
	uint64_t identities, identities_ignored, identities_unusable, answers, not_asked;
};

struct inbound_figures inbound_figures(const struct inbound *inbound);
/* From a whole frame to its answer, of one listener. */
const struct histogram *inbound_acks(const struct inbound *inbound, size_t index);
struct mllp_figures inbound_listener(const struct inbound *inbound, size_t index);
struct drop_figures inbound_folder(const struct inbound *inbound, size_t index);

#endif
