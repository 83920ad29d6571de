/* The threads that a document passes through: how work is handed to them, how much of it is under
 * way, and whether the store can be written.
 *
 * Loop only, but for what says otherwise. Whatever is handed over is a struct change, wherever it
 * runs: its job.done is called on the loop, and its err says what came of it.
 */
#ifndef DMPFEED_CREW_CREW_H
#define DMPFEED_CREW_CREW_H

#include "queue/writer.h"

struct event;
struct event_base;

struct crew {
	struct event_base *loop;
	struct workers *workers;    /* their context is a struct hands */
	struct workers *disk;       /* for folders, which may hang */
	struct workers *converters; /* for PDF files, which may take long */
	struct workers *keeper;     /* for what may take minutes; hands as well */
	struct writer *writer;

	/* Called when nothing is under way any more; may be NULL. */
	void (*idle)(void *arg);
	void *idle_arg;

	/* private */
	size_t under_way;
	char store_trouble[ERR_TEXT];
	bool store_damaged;    /* so that only a human can mend it */
	int64_t damage_met_ms; /* the last time, by the monotonic clock */
	struct change probe;
	bool probing; /* it is the writer's */
	struct event *probe_again;
};

/* The five above are filled; call these before the first and after the last work. */
void crew_start(struct crew *crew);
void crew_done(struct crew *crew);

void crew_on_worker(struct crew *crew, struct change *work,
		    void (*run)(struct job *job, void *hands), void (*done)(struct job *job));
void crew_on_disk(struct crew *crew, struct change *work,
		  void (*run)(struct job *job, void *nothing), void (*done)(struct job *job));
void crew_on_converter(struct crew *crew, struct change *work,
		       void (*run)(struct job *job, void *nothing), void (*done)(struct job *job));
void crew_on_keeper(struct crew *crew, struct change *work,
		    void (*run)(struct job *job, void *hands), void (*done)(struct job *job));
void crew_on_writer(struct crew *crew, struct change *work,
		    int (*apply)(struct change *change, struct store *store, struct err *err),
		    void (*done)(struct job *job));

/* Worker, or disk worker, within run(): the writer takes the work next, and not the loop. */
void crew_then_writer(struct crew *crew, struct change *work,
		      int (*apply)(struct change *change, struct store *store, struct err *err),
		      void (*done)(struct job *job));

/* One thing more, or less, is on its way through the threads. */
void crew_begin(struct crew *crew);
void crew_end(struct crew *crew);

/* Remembers, and says once, whether the store can be written. While it cannot, it is tried now and
 * then: nobody sends to a gateway that says it is not ready. Damage is not mended by a write that
 * happens to pass beside it: it is believed until nobody has met it for CREW_DAMAGE_LASTS_MS.
 */
enum { CREW_DAMAGE_LASTS_MS = 600000 };

void crew_note_store(struct crew *crew, const struct err *err);

#endif
