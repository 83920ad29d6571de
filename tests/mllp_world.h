/* A gateway behind an HL7 v2 door, and its senders: real sockets on loopback, the real loop, one
 * thread.
 */
#ifndef DMPFEED_TESTS_MLLP_WORLD_H
#define DMPFEED_TESTS_MLLP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "hl7/mllp.h"
#include "intake/mllp_server.h"

enum { PATIENCE_MS = 20000, MOST_ARRIVALS = 4096 };

/* A gateway that answers at once "ack N", N being the number of the arrival, or when it is told. */
struct world {
	struct event_base *loop;
	struct event *tick;
	struct mllp_settings settings;
	struct mllp_server *server;
	bool answers;

	struct mllp_arrival *arrivals[MOST_ARRIVALS]; /* NULL once answered */
	struct buf payloads[MOST_ARRIVALS];
	size_t bytes[MOST_ARRIVALS];
	struct err framing[MOST_ARRIVALS];
	size_t arrived;
};

static inline void answer(struct world *world, size_t i)
{
	struct mllp_arrival *arrival = world->arrivals[i];
	char text[32];

	snprintf(text, sizeof(text), "ack %zu", i);
	world->arrivals[i] = NULL;
	mllp_server_answer(arrival, slice_of(text));
}

static inline void on_arrival(void *arg, struct mllp_arrival *arrival)
{
	struct world *world = arg;
	size_t i = world->arrived++;

	assert_true(i < MOST_ARRIVALS);
	assert_ptr_equal(arrival->listener, &world->settings);
	assert_memory_equal(arrival->peer, "127.0.0.1:", 10);
	world->arrivals[i] = arrival;
	world->bytes[i] = arrival->payload.n;
	world->framing[i] = arrival->framing;
	buf_add(&world->payloads[i], (struct slice){ buf_slice(&arrival->payload).p,
						     min(arrival->payload.n, (size_t)64) });
	if (world->answers)
		answer(world, i);
}

static inline void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static inline void open_server(struct world *world)
{
	struct err err = { 0 };

	if (mllp_server_new(&world->server, world->loop, &world->settings, on_arrival, world,
			    &err) < 0)
		fail_msg("%s", err.text);
}

static inline int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	const struct timeval often = { 0, 20000 }; /* so that until() sees its deadline */

	world->loop = event_base_new();
	world->tick = event_new(world->loop, -1, EV_PERSIST, on_tick, NULL);
	event_add(world->tick, &often);
	world->answers = true;
	world->settings = (struct mllp_settings){
		.name = "test",
		.listen = "127.0.0.1:0",
		.most_message_bytes = 1 << 20,
		.most_in_flight_bytes = 16 << 20,
		.most_connections = 1000,
		.idle_ms = 60000,
	};
	*state = world;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *world = *state;

	mllp_server_free(&world->server);
	for (size_t i = 0; i < world->arrived; i++) {
		if (world->arrivals[i] != NULL)
			mllp_server_answer(world->arrivals[i], slice_of("late"));
		buf_done(&world->payloads[i]);
	}
	event_free(world->tick);
	event_base_free(world->loop);
	free(world);
	return 0;
}

/* Turns the loop until the condition holds. */
#define until(world, condition)                                                                    \
	do {                                                                                       \
		int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;                          \
		while (!(condition)) {                                                             \
			if (clock_monotonic_ms() > deadline_ms)                                    \
				fail_msg("never: %s", #condition);                                 \
			event_base_loop((world)->loop, EVLOOP_ONCE);                               \
		}                                                                                  \
	} while (0)

/* Turns the loop until nothing happens any more but its ticks. */
static inline void until_quiet(struct world *world)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(world->loop, EVLOOP_ONCE);
}

static inline struct mllp_figures figures(const struct world *world)
{
	return mllp_server_figures(world->server);
}

/* ---- a sender ---- */

struct client {
	struct bufferevent *stream;
	struct buf heard; /* answers, each followed by a bar */
	struct buf raw;
	size_t answers;
	bool ended, reset;
};

static inline void take_answers(struct client *client)
{
	struct slice payload;
	struct err err = { 0 };
	size_t seen = 0;
	ssize_t n;

	while ((n = mllp_next(buf_slice(&client->raw), &seen, &payload, &err)) > 0) {
		buf_add(&client->heard, payload);
		buf_add_char(&client->heard, '|');
		buf_drop(&client->raw, (size_t)n);
		client->answers++;
		seen = 0;
	}
	assert_int_equal(n, 0);
}

static inline void on_bytes(struct bufferevent *stream, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t n = evbuffer_get_length(input);
	char *end = buf_reserve(&client->raw, n);

	assert_non_null(end);
	evbuffer_remove(input, end, n);
	client->raw.n += n;
	take_answers(client);
}

static inline void on_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *client = arg;

	(void)stream;
	if (what & BEV_EVENT_EOF)
		client->ended = true;
	if (what & BEV_EVENT_ERROR)
		client->reset = true;
}

static inline int dial(const struct world *world)
{
	const char *address = mllp_server_figures(world->server).address;
	bool ip6 = address[0] == '[';
	struct sockaddr_storage to = { 0 };
	struct sockaddr_in *ip4_to = (void *)&to;
	struct sockaddr_in6 *ip6_to = (void *)&to;
	uint16_t port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (ip6)
		*ip6_to = (struct sockaddr_in6){ .sin6_family = AF_INET6,
						 .sin6_port = port,
						 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	else
		*ip4_to = (struct sockaddr_in){ .sin_family = AF_INET,
						.sin_port = port,
						.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_true(fd >= 0);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&to, ip6 ? sizeof(*ip6_to) : sizeof(*ip4_to)), 0);
	evutil_make_socket_nonblocking(fd);
	return fd;
}

static inline void client_take(struct client *client, struct bufferevent *stream)
{
	*client = (struct client){ .stream = stream };
	bufferevent_setcb(stream, on_bytes, NULL, on_event, client);
	bufferevent_enable(stream, EV_READ | EV_WRITE);
}

static inline void client_open(struct client *client, struct world *world)
{
	client_take(client,
		    bufferevent_socket_new(world->loop, dial(world), BEV_OPT_CLOSE_ON_FREE));
}

static inline void client_done(struct client *client)
{
	bufferevent_free(client->stream);
	buf_done(&client->heard);
	buf_done(&client->raw);
}

static inline void client_send(struct client *client, const char *bytes, size_t n)
{
	bufferevent_write(client->stream, bytes, n);
}

#define send_literal(client, text) client_send(client, text, sizeof(text) - 1)

static inline size_t unsent(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->stream));
}

static inline void client_end(struct client *client)
{
	shutdown(bufferevent_getfd(client->stream), SHUT_WR);
}

static inline void send_frame_of(struct client *client, size_t payload_bytes)
{
	char *payload = xcalloc(1, payload_bytes);
	scoped(buf_done) struct buf frame = { 0 };

	memset(payload, 'x', payload_bytes);
	mllp_wrap((struct slice){ payload, payload_bytes }, &frame);
	client_send(client, frame.p, frame.n);
	free(payload);
}

static inline void assert_heard(const struct client *client, const char *answers)
{
	assert_string_equal(buf_slice(&client->heard).p, answers);
}

static inline void assert_payload(const struct world *world, size_t i, const char *text)
{
	assert_true(world->arrived > i);
	assert_string_equal(buf_slice(&world->payloads[i]).p, text);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
