/* A sender of HL7 v2, over a real socket, whose messages are answered together and the last first: it hears an
 * answer to each, in order, and no byte stays in flight.
 */
#include <stdlib.h>

#include "hl7/mllp.h"
#include "intake/mllp_connection.h"
#include "talk.h"

enum { ARRIVALS_MOST = TALK_BYTES };

static const struct mllp_settings settings = { .name = "fuzz",
					       .most_message_bytes = 4096,
					       .most_in_flight_bytes = TALK_BYTES,
					       .most_connections = 4,
					       .idle_ms = 60000 };
static struct mllp_hall *hall;
static struct event *answering;
static struct mllp_arrival *waiting[ARRIVALS_MOST];
static size_t arrived, answered; /* from `answered` on they wait */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_arrival(void *arg, struct mllp_arrival *arrival)
{
	(void)arg;
	if (arrived == ARRIVALS_MOST ||
	    (arrival->framing.kind == ERR_NONE && arrival->payload.n > settings.most_message_bytes))
		abort();
	waiting[arrived++] = arrival;
	event_active(answering, EV_TIMEOUT, 0);
}

static void on_answering(evutil_socket_t fd, short what, void *arg)
{
	const size_t end = arrived;
	char text[32];

	(void)fd, (void)what, (void)arg;
	for (size_t i = end; i > answered; i--) {
		snprintf(text, sizeof(text), "ack %zu", i - 1);
		mllp_arrival_answer(waiting[i - 1], slice_of(text));
	}
	answered = end;
}

static void finish(void)
{
	mllp_hall_free(&hall);
	event_free(answering);
	talk_end();
}

static void start(void)
{
	if (talk.loop != NULL)
		return;
	talk_begin();
	answering = event_new(talk.loop, -1, 0, on_answering, NULL);
	hall = mllp_hall_new(talk.loop, &settings, on_arrival, NULL);
	atexit(finish);
}

static void check_answers(struct slice said)
{
	struct slice payload;
	size_t heard = 0;
	char text[32];
	struct err err;

	for (size_t seen = 0; said.n > 0; seen = 0) {
		const ssize_t n = mllp_next(said, &seen, &payload, &err);

		snprintf(text, sizeof(text), "ack %zu", heard++);
		if (n <= 0 || !slice_is(payload, text))
			abort();
		said = slice_from(said, (size_t)n);
	}
	if (heard != arrived)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, min(size, (size_t)TALK_BYTES) };
	const char peer[64] = "fuzz";
	scoped(buf_done) struct buf said = { 0 };
	int ends[2];

	start();
	arrived = answered = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	mllp_connection_new(hall, ends[1], NULL, peer);
	(void)talk_over(ends[0], bytes, &said);
	check_answers(buf_slice(&said));
	if (mllp_hall_figures(hall)->in_flight_bytes != 0 ||
	    mllp_hall_figures(hall)->connections != 0)
		abort();
	return 0;
}
