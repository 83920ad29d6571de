/* The order to copy the whole store.
 *
 *     note    writer   who orders it, in the audit chain
 *     copy    keeper   the store, page by page
 *     done    loop     the answer
 */
#include "operator/backup.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/log_text.h"
#include "crew/hands.h"
#include "operator/answer.h"
#include "operator/signed_order.h"
#include "queue/store_act.h"

struct errand {
	struct signed_order order;
	struct job work; /* the copy */
	struct err err;  /* of it */
	const struct backup_parts *parts;
	struct control_request *request;
	json_t *asked;
	uint64_t bytes;
};

static struct errand *errand_of(struct job *job)
{
	return container_of(job, struct errand, work);
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
	struct err *err = &errand->err;
	struct store *reader = hands_reader(hands, err);

	if (reader != NULL)
		(void)!store_backup(reader, file_of(errand), &errand->bytes, err);
}

/* Loop. */
static void copied(struct job *job)
{
	struct errand *errand = errand_of(job);

	errand_end(errand, errand->err.kind == ERR_NONE ? NULL : errand->err.text);
}

/* Writer. */
static int note(struct signed_order *order, struct store *store, struct err *err)
{
	const struct errand *errand = container_of(order, struct errand, order);

	return store_note_act(store,
			      &(struct store_act){ .at_ms = clock_now_ms(),
						   .what = "backup",
						   .subject = file_of(errand),
						   .text = "",
						   .actor = order->actor },
			      err);
}

/* Loop. A store that cannot be written is the one to make a copy of. */
static void noted(struct signed_order *order)
{
	struct errand *errand = container_of(order, struct errand, order);
	char file[LOG_WORD];

	if (pipeline_figures(errand->parts->pipeline).closing) {
		errand_end(errand, "dmpfeedd is shutting down: it was not carried out");
		return;
	}
	log_info("order=backup file=%s by=%s", log_word(file_of(errand), file), order->actor);
	if (order->work.err.kind != ERR_NONE)
		log_warning("order=backup is not in the audit chain: %s", order->work.err.text);
	errand->work = (struct job){ .run = copy, .done = copied };
	workers_submit(errand->parts->keeper, &errand->work);
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
	errand->order.apply = note;
	errand->order.done = noted;
	signed_order_begin(
		&errand->order,
		&(struct signed_order_parts){ parts->keeper, parts->writer, parts->pipeline },
		request->uid);
	return true;
}
