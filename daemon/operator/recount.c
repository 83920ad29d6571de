/* The order to count all anew: the mark says so, the table of recounts by whom. */
#include "operator/recount.h"

#include "base/clock.h"
#include "base/log.h"
#include "operator/answer.h"
#include "operator/signed_order.h"
#include "queue/store_count.h"

struct errand {
	struct signed_order order;
	struct control_request *request;
	json_t *asked;
	struct store_tally now;
};

/* Writer. */
static int carry_out(struct signed_order *order, struct store *store, struct err *err)
{
	struct errand *errand = container_of(order, struct errand, order);

	if (store_tally_again(store, order->actor, clock_now_ms(), err) < 0)
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

/* Loop. */
static void carried_out(struct signed_order *order)
{
	struct errand *errand = container_of(order, struct errand, order);

	if (order->work.err.kind != ERR_NONE) {
		errand_end(errand, order->work.err.text);
		return;
	}
	log_info("order=recount rows=%llu by=%s", (unsigned long long)errand->now.newest,
		 order->actor);
	errand_end(errand, NULL);
}

bool recount_begin(const struct orders_parts *parts, struct control_request *request, json_t *asked)
{
	struct errand *errand;

	if (strcmp(answer_asked(asked, "command"), "counters") != 0 ||
	    !json_is_true(json_object_get(asked, "rebuild")))
		return false;
	errand = xcalloc(1, sizeof(*errand));
	errand->request = request;
	errand->asked = asked;
	errand->order.apply = carry_out;
	errand->order.done = carried_out;
	signed_order_begin(
		&errand->order,
		&(struct signed_order_parts){ parts->workers, parts->writer, parts->pipeline },
		request->uid);
	return true;
}
