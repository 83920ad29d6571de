/* The order to copy the whole store.
 *
 *     name    keeper   who orders it
 *     note    writer   that, in the audit chain
 *     copy    keeper   the store, page by page
 *     done    loop     the answer
 */
#include "operator/backup.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/log_text.h"
#include "crew/hands.h"
#include "operator/actor.h"
#include "operator/answer.h"
#include "queue/store_act.h"

struct errand {
	struct change work;
	const struct backup_parts *parts;
	struct control_request *request;
	json_t *asked;
	char actor[ACTOR_TEXT];
	uint64_t bytes;
};

static struct errand *errand_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct errand, work);
}

static const char *file_of(const struct errand *errand)
{
	return answer_asked(errand->asked, "file");
}

static void errand_end(struct errand *errand, const char *error)
{
	json_t *row = json_object();

	json_put_text(row, "file", file_of(errand));
	json_put_count(row, "bytes", errand->bytes);
	answer_one(errand->request, row, error);
	json_decref(errand->asked);
	free(errand);
}

/* Keeper. */
static void copy(struct job *job, void *hands)
{
	struct errand *errand = errand_of(job);
	struct err *err = &errand->work.err;
	struct store *reader;

	*err = (struct err){ 0 };
	reader = hands_reader(hands, err);
	if (reader != NULL)
		(void)!store_backup(reader, file_of(errand), &errand->bytes, err);
}

/* Loop. */
static void copied(struct job *job)
{
	struct errand *errand = errand_of(job);

	errand_end(errand, errand->work.err.kind == ERR_NONE ? NULL : errand->work.err.text);
}

/* Writer. */
static int note(struct change *change, struct store *store, struct err *err)
{
	struct errand *errand = container_of(change, struct errand, work);

	return store_note_act(store,
			      &(struct store_act){ .at_ms = clock_now_ms(),
						   .what = "backup",
						   .subject = file_of(errand),
						   .text = "",
						   .actor = errand->actor },
			      err);
}

/* Loop: the commit has happened, or failed. A store that cannot be written is the one to make a copy of. */
static void noted(struct job *job)
{
	struct errand *errand = errand_of(job);
	char file[LOG_WORD];

	if (pipeline_figures(errand->parts->pipeline).closing) {
		errand_end(errand, "dmpfeedd is shutting down: it was not carried out");
		return;
	}
	log_info("order=backup file=%s by=%s", log_word(file_of(errand), file), errand->actor);
	if (errand->work.err.kind != ERR_NONE)
		log_warning("order=backup is not in the audit chain: %s", errand->work.err.text);
	errand->work.job = (struct job){ .run = copy, .done = copied };
	workers_submit(errand->parts->keeper, &errand->work.job);
}

/* Keeper: the table of users may be a network away. */
static void name(struct job *job, void *hands)
{
	struct errand *errand = errand_of(job);

	(void)hands;
	actor_name(errand->request->uid, errand->actor);
}

/* Loop. A daemon that is closing starts nothing more: the writer may have ended. */
static void named(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (pipeline_figures(errand->parts->pipeline).closing) {
		errand_end(errand, "dmpfeedd is shutting down: it was not carried out");
		return;
	}
	errand->work.apply = note;
	errand->work.job.done = noted;
	writer_submit(errand->parts->writer, &errand->work);
}

bool backup_begin(const struct backup_parts *parts, struct control_request *request, json_t *asked)
{
	struct errand *errand;

	if (strcmp(answer_asked(asked, "command"), "backup") != 0)
		return false;
	errand = xcalloc(1, sizeof(*errand));
	errand->parts = parts;
	errand->request = request;
	errand->asked = asked;
	errand->work.job = (struct job){ .run = name, .done = named };
	workers_submit(parts->keeper, &errand->work.job);
	return true;
}
