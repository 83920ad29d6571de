/* What is written to the store with who ordered it. */
#include "operator/signed_order.h"

static struct signed_order *order_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct signed_order, work);
}

/* Worker. */
static void prepare(struct job *job, void *hands)
{
	struct signed_order *order = order_of(job);

	actor_name(order->uid, order->actor);
	order->work.err = (struct err){ 0 };
	if (order->prepare != NULL)
		order->prepared = order->prepare(order, hands, &order->work.err);
}

/* Writer. */
static int apply(struct change *change, struct store *store, struct err *err)
{
	struct signed_order *order = container_of(change, struct signed_order, work);

	return order->apply(order, store, err);
}

/* Loop. */
static void applied(struct job *job)
{
	struct signed_order *order = order_of(job);

	order->done(order);
}

/* Loop. */
static void prepared(struct job *job)
{
	struct signed_order *order = order_of(job);

	if (order->prepared == 0 && pipeline_figures(order->parts.pipeline).closing)
		order->prepared = err_set(&order->work.err, ERR_RETRY,
					  "dmpfeedd is shutting down: it was not carried out");
	if (order->prepared != 0) {
		order->done(order);
		return;
	}
	order->work.apply = apply;
	order->work.job.done = applied;
	writer_submit(order->parts.writer, &order->work);
}

void signed_order_begin(struct signed_order *order, const struct signed_order_parts *parts,
			uid_t uid)
{
	order->parts = *parts;
	order->uid = uid;
	order->work.job = (struct job){ .run = prepare, .done = prepared };
	workers_submit(parts->workers, &order->work.job);
}
