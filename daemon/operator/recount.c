/* The order to count all anew.
 *
 *     name       worker   who orders it
 *     carry_out  writer   the mark says so, the table of recounts by whom
 *     done       loop     one line in the journal, the answer
 */
#include "operator/recount.h"

#include "base/clock.h"
#include "base/log.h"
#include "operator/actor.h"
#include "operator/answer.h"
#include "queue/store_count.h"

struct errand {
	struct change work;
	const struct orders_parts *parts;
	struct control_request *request;
	json_t *asked;
	struct store_tally now;
	char actor[ACTOR_TEXT];
};

static struct errand *errand_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct errand, work);
}

/* Worker. */
static void name(struct job *job, void *worker)
{
	struct errand *errand = errand_of(job);

	(void)worker;
	actor_name(errand->request->uid, errand->actor);
}

/* Writer. */
static int carry_out(struct change *change, struct store *store, struct err *err)
{
	struct errand *errand = container_of(change, struct errand, work);

	if (store_tally_again(store, errand->actor, clock_now_ms(), err) < 0)
		return -1;
	return store_tally_now(store, &errand->now, err);
}

static void errand_end(struct errand *errand, const char *error)
{
	json_t *row = json_object();

	json_put_count(row, "recount", errand->now.edition);
	json_put_count(row, "rows", errand->now.newest);
	answer_one(errand->request, row, error);
	json_decref(errand->asked);
	free(errand);
}

/* Loop: the commit has happened, or failed. */
static void carried_out(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (errand->work.err.kind != ERR_NONE) {
		errand_end(errand, errand->work.err.text);
		return;
	}
	log_info("order=recount rows=%llu by=%s", (unsigned long long)errand->now.newest,
		 errand->actor);
	errand_end(errand, NULL);
}

/* Loop. A daemon that is closing starts nothing more: the writer may have ended. */
static void named(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (pipeline_figures(errand->parts->pipeline).closing) {
		errand_end(errand, "dmpfeedd is shutting down: it was not carried out");
		return;
	}
	errand->work.apply = carry_out;
	errand->work.job.done = carried_out;
	writer_submit(errand->parts->writer, &errand->work);
}

bool recount_begin(const struct orders_parts *parts, struct control_request *request, json_t *asked)
{
	struct errand *errand;

	if (strcmp(answer_asked(asked, "command"), "counters") != 0 ||
	    !json_is_true(json_object_get(asked, "rebuild")))
		return false;
	errand = xcalloc(1, sizeof(*errand));
	errand->parts = parts;
	errand->request = request;
	errand->asked = asked;
	errand->work.job = (struct job){ .run = name, .done = named };
	workers_submit(parts->workers, &errand->work.job);
	return true;
}
