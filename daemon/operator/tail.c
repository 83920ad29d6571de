/* The ledger as it grows.
 *
 *     look     worker   what is there above the mark; without a mark, where the ledger ends
 *     looked   loop     the answer, if there is something to tell; or it waits
 *     again    loop     documents have moved, or half a minute has passed: look
 */
#include "operator/tail.h"

#include <event2/event.h>
#include <sys/queue.h>

#include "crew/hands.h"
#include "operator/answer.h"

enum {
	MOST_ROWS = 500, /* of one answer */
	PATIENCE_S = 30, /* with nothing to tell */
	GATHER_MS = 100, /* a busy gateway moves a thousand documents a second */
	BEFORE = 10,     /* rows that one who comes anew is told first, as tail(1) does */
	NO_MARK = -1,
};

struct tail {
	LIST_ENTRY(tail) link; /* among those that wait */
	struct job job;
	struct tails *tails;
	struct control_request *request;
	json_t *asked;
	int64_t mark;   /* NO_MARK: the last few */
	uint64_t moves; /* as they were when it looked */
	bool patience_ended, told;
	struct event *patience;
	struct buf answer;
	struct err err;
};

LIST_HEAD(tail_list, tail);

struct tails {
	struct event_base *loop;
	struct workers *workers;
	struct event *gather;
	uint64_t moves; /* pokes since start */
	struct tail_list waiting;
};

/* ---- look ---- */

static void add_happening(void *arg, const struct store_happening *happening)
{
	struct tail *tail = arg;
	json_t *row = answer_event(&happening->event);
	char doc[ULID_TEXT];

	json_put_text(row, "doc", ulid_text(&happening->doc, doc));
	json_put_text(row, "lane", happening->lane);
	json_put_text(row, "site", happening->site);
	json_put_text(row, "type_code", happening->type_code);
	answer_line(&tail->answer, "row", row);
	tail->mark = (int64_t)happening->event.number;
	tail->told = true;
}

static int look_up(struct tail *tail, struct store *store, struct err *err)
{
	uint64_t newest;

	if (store_newest(store, &newest, err) < 0)
		return -1;
	if (tail->mark == NO_MARK)
		tail->mark = max((int64_t)newest - BEFORE, (int64_t)0);
	if ((uint64_t)tail->mark > newest) /* of another store, or of before a restoration */
		tail->mark = (int64_t)newest;
	return store_happenings(store, (uint64_t)tail->mark, answer_asked(tail->asked, "site"),
				MOST_ROWS, add_happening, tail, err);
}

/* Worker. */
static void look(struct job *job, void *worker)
{
	struct tail *tail = container_of(job, struct tail, job);
	struct store *reader = hands_reader(worker, &tail->err);

	if (reader != NULL)
		(void)!look_up(tail, reader, &tail->err);
}

/* ---- tell, or wait ---- */

static void tail_free(struct tail *tail)
{
	event_free(tail->patience);
	json_decref(tail->asked);
	buf_done(&tail->answer);
	free(tail);
}

static void tell(struct tail *tail)
{
	json_t *mark = json_object();

	json_put_count(mark, "mark", (uint64_t)tail->mark);
	answer_line(&tail->answer, "row", mark);
	answer_end(&tail->answer, tail->err.kind ? tail->err.text : NULL);
	control_answer(tail->request, buf_slice(&tail->answer));
	tail_free(tail);
}

static void begin_to_look(struct tail *tail)
{
	tail->moves = tail->tails->moves;
	workers_submit(tail->tails->workers, &tail->job);
}

static void look_again(struct tail *tail)
{
	LIST_REMOVE(tail, link);
	begin_to_look(tail);
}

static void gather(struct tails *tails)
{
	static const struct timeval soon = { 0, GATHER_MS * 1000 };

	if (!event_pending(tails->gather, EV_TIMEOUT, NULL))
		event_add(tails->gather, &soon);
}

/* Loop. */
static void looked(struct job *job)
{
	struct tail *tail = container_of(job, struct tail, job);

	if (tail->told || tail->patience_ended || tail->err.kind != ERR_NONE) {
		tell(tail);
		return;
	}
	LIST_INSERT_HEAD(&tail->tails->waiting, tail, link);
	if (tail->moves != tail->tails->moves) /* while it looked */
		gather(tail->tails);
}

static void patience_ended(evutil_socket_t fd, short what, void *arg)
{
	struct tail *tail = arg, *waiting;

	(void)fd, (void)what;
	tail->patience_ended = true;
	LIST_FOREACH(waiting, &tail->tails->waiting, link)
	{
		if (waiting == tail) {
			look_again(tail); /* what moved no document is told now */
			return;
		}
	}
}

/* Its place is another's from now on: one who comes and goes would take them all. */
static void client_left(void *arg)
{
	patience_ended(-1, 0, arg);
}

static void gathered(evutil_socket_t fd, short what, void *arg)
{
	struct tails *tails = arg;
	struct tail *tail;

	(void)fd, (void)what;
	while ((tail = LIST_FIRST(&tails->waiting)) != NULL)
		look_again(tail);
}

void tails_poke(struct tails *tails)
{
	tails->moves++;
	if (!LIST_EMPTY(&tails->waiting))
		gather(tails);
}

/* ---- requests ---- */

bool tails_begin(struct tails *tails, struct control_request *request, json_t *asked)
{
	static const struct timeval patience = { PATIENCE_S, 0 };
	const json_t *mark = json_object_get(asked, "mark");
	struct tail *tail;

	if (strcmp(answer_asked(asked, "command"), "tail") != 0)
		return false;
	tail = xcalloc(1, sizeof(*tail));
	tail->tails = tails;
	tail->request = request;
	tail->asked = asked;
	tail->mark = json_is_integer(mark) && json_integer_value(mark) >= 0
			     ? json_integer_value(mark)
			     : NO_MARK;
	tail->job = (struct job){ .run = look, .done = looked };
	tail->patience = event_new(tails->loop, -1, 0, patience_ended, tail);
	event_add(tail->patience, &patience);
	control_on_gone(request, client_left, tail);
	begin_to_look(tail);
	return true;
}

struct tails *tails_new(struct event_base *loop, struct workers *workers)
{
	struct tails *tails = xcalloc(1, sizeof(*tails));

	tails->loop = loop;
	tails->workers = workers;
	tails->gather = event_new(loop, -1, 0, gathered, tails);
	LIST_INIT(&tails->waiting);
	return tails;
}

void tails_free(struct tails **tails)
{
	struct tails *t = *tails;
	struct tail *tail;

	if (t == NULL)
		return;
	while ((tail = LIST_FIRST(&t->waiting)) != NULL) {
		LIST_REMOVE(tail, link);
		tell(tail);
	}
	event_free(t->gather);
	free_ptr(tails);
}
