/* The way to a syslog collector, over loopback, with the collector in the hands of the test. TLS is
 * test_mllp_sender.c's, which speaks through the same wire; the rows are tests/system/test_audit_syslog.py's.
 */
#include "dispatch/collector.h"

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"

enum { GUARD_S = 20, SHORT_MS = 20, LONG_MS = 3600000 };

struct world {
	struct event_base *loop;
	struct event *guard;
	int listening, other; /* -1: not there */
	char address[ADDRESS_TEXT];
	struct collector_settings settings;
	struct collector *collector;
	uint64_t newest; /* the collector is given one row at a time, up to that one */
	bool asks_later; /* it is given none until the test does */
	uint64_t wanted_after, arrived;
	char page[16];
};

static void give(struct world *world, uint64_t after)
{
	snprintf(world->page, sizeof(world->page), "<%llu>", (unsigned long long)after + 1);
	collector_send(world->collector, after, after + 1, slice_of(world->page));
}

static void wants(void *arg, uint64_t after)
{
	struct world *world = arg;

	world->wanted_after = after;
	if (world->asks_later)
		event_base_loopbreak(world->loop);
	else if (after < world->newest)
		give(world, after);
	else
		collector_nothing(world->collector);
}

static void arrived(void *arg, uint64_t row)
{
	struct world *world = arg;

	world->arrived = row;
	event_base_loopbreak(world->loop);
}

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	fail_msg("nothing happened for %d s", GUARD_S);
}

static void have_listening(struct world *world)
{
	struct address address;
	const int on = 1;

	assert_true(address_parse(world->address[0] ? world->address : "127.0.0.1:0", &address));
	world->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(world->listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(world->listening, (void *)&address.socket, address.bytes), 0);
	assert_int_equal(listen(world->listening, 8), 0);
	address_of_socket(world->listening, world->address);
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	const struct timeval guard = { GUARD_S, 0 };

	signal(SIGPIPE, SIG_IGN);
	world->loop = event_base_new();
	world->guard = event_new(world->loop, -1, 0, on_guard, NULL);
	event_add(world->guard, &guard);
	world->other = -1;
	have_listening(world);
	world->settings = (struct collector_settings){ .address = world->address,
						       .timeout_ms = LONG_MS,
						       .idle_ms = LONG_MS,
						       .settle_ms = SHORT_MS,
						       .retry = { SHORT_MS, SHORT_MS } };
	*state = world;
	return 0;
}

static void leave(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	collector_free(&world->collector);
	leave(&world->other);
	leave(&world->listening);
	event_free(world->guard);
	event_base_free(world->loop);
	free(world);
	return 0;
}

static void begin(struct world *world, uint64_t after, uint64_t newest)
{
	const struct collector_calls calls = { wants, arrived, world };
	struct err err = { 0 };

	if (collector_new(&world->collector, world->loop, &world->settings, &calls, &err) < 0)
		fail_msg("%s", err.text);
	world->newest = newest;
	collector_begin(world->collector, after);
}

static struct collector_figures figures(const struct world *world)
{
	return collector_figures(world->collector);
}

/* Until so many connections failed. */
static void turn_until_failed(struct world *world, uint64_t count)
{
	while (figures(world).failed < count)
		event_base_loop(world->loop, EVLOOP_ONCE);
}

static void turn_until_sent(struct world *world, uint64_t row)
{
	while (figures(world).sent < row)
		event_base_loop(world->loop, EVLOOP_ONCE);
}

static void answer_call(struct world *world)
{
	world->other = accept(world->listening, NULL, NULL);
	assert_true(world->other >= 0);
}

static void assert_heard(struct world *world, const char *wanted)
{
	char bytes[64] = "";

	assert_int_equal(recv(world->other, bytes, strlen(wanted), MSG_WAITALL), strlen(wanted));
	assert_string_equal(bytes, wanted);
}

static void rows_go_in_order_and_arrive(void **state)
{
	struct world *world = *state;

	begin(world, 4, 7);
	turn_until_sent(world, 7);
	answer_call(world);
	assert_heard(world, "<5><6><7>");
	while (world->arrived < 7)
		event_base_dispatch(world->loop);
	assert_int_equal(figures(world).arrived, 7);
	assert_true(figures(world).connected);
	assert_string_equal(figures(world).state, "open");
	world->newest = 8;
	collector_poke(world->collector);
	assert_heard(world, "<8>"); /* on the same connection */
}

static void what_may_not_have_arrived_goes_again(void **state)
{
	struct world *world = *state;

	world->settings.settle_ms = LONG_MS;
	begin(world, 0, 3);
	turn_until_sent(world, 3);
	answer_call(world);
	assert_heard(world, "<1><2><3>");
	leave(&world->other);
	turn_until_failed(world, 1);
	assert_string_equal(figures(world).state, "slowed");
	assert_string_equal(figures(world).why, "the collector closed the connection");
	assert_int_equal(figures(world).sent, 0);
	turn_until_sent(world, 3);
	answer_call(world);
	assert_heard(world, "<1><2><3>");
	assert_string_equal(figures(world).state, "slowed"); /* until it is believed */
	assert_int_equal(world->arrived, 0);
}

static void who_closes_when_all_has_arrived_has_not_failed(void **state)
{
	struct world *world = *state;

	begin(world, 0, 1);
	turn_until_sent(world, 1);
	answer_call(world);
	while (world->arrived < 1)
		event_base_dispatch(world->loop);
	leave(&world->other);
	while (figures(world).connected)
		event_base_loop(world->loop, EVLOOP_ONCE);
	assert_string_equal(figures(world).state, "open");
	assert_int_equal(figures(world).failed, 0);
	world->newest = 2;
	collector_poke(world->collector);
	turn_until_sent(world, 2);
	answer_call(world);
	assert_heard(world, "<2>");
}

static void who_is_not_there_is_tried_again(void **state)
{
	struct world *world = *state;

	leave(&world->listening);
	begin(world, 0, 1);
	turn_until_failed(world, 3);
	assert_string_equal(figures(world).why, "Connection refused");
	assert_true(figures(world).failing_ms > 0 && figures(world).resumes_ms > 0);
	have_listening(world);
	turn_until_sent(world, 1);
	answer_call(world);
	assert_heard(world, "<1>");
	while (world->arrived < 1)
		event_base_dispatch(world->loop);
	assert_string_equal(figures(world).state, "open");
	assert_int_equal(figures(world).failing_ms, 0);
}

/* The rows that are being read then are those after what was sent, not after what arrived. */
static void rows_for_a_connection_that_broke_are_wanted_anew(void **state)
{
	struct world *world = *state;

	world->settings.settle_ms = LONG_MS;
	begin(world, 0, 2);
	turn_until_sent(world, 2);
	answer_call(world);
	world->asks_later = true;
	collector_poke(world->collector);
	assert_int_equal(world->wanted_after, 2);
	leave(&world->other);
	turn_until_failed(world, 1);
	world->newest = 3;
	world->asks_later = false;
	give(world, 2);
	turn_until_sent(world, 3);
	answer_call(world);
	assert_heard(world, "<1><2><3>");
}

static void a_connection_with_nothing_to_say_is_left(void **state)
{
	struct world *world = *state;
	char byte;

	world->settings.idle_ms = SHORT_MS;
	begin(world, 0, 1);
	turn_until_sent(world, 1);
	answer_call(world);
	while (figures(world).connected)
		event_base_loop(world->loop, EVLOOP_ONCE);
	assert_int_equal(world->arrived, 1);
	assert_heard(world, "<1>");
	assert_int_equal(recv(world->other, &byte, 1, 0), 0);
	assert_string_equal(figures(world).state, "open");
}

static void another_way_to_the_same_collector_knows_since_when_it_fails(void **state)
{
	struct world *world = *state;
	struct collector *before;

	leave(&world->listening);
	begin(world, 0, 1);
	turn_until_failed(world, 2);
	before = take(world->collector);
	world->asks_later = true;
	begin(world, 0, 0);
	collector_inherit(world->collector, before);
	assert_true(figures(world).failing_ms > 0);
	assert_int_equal(figures(world).failed, 2);
	assert_string_equal(figures(world).why, "Connection refused");
	collector_free(&before);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(rows_go_in_order_and_arrive),
		test(what_may_not_have_arrived_goes_again),
		test(who_closes_when_all_has_arrived_has_not_failed),
		test(who_is_not_there_is_tried_again),
		test(rows_for_a_connection_that_broke_are_wanted_anew),
		test(a_connection_with_nothing_to_say_is_left),
		test(another_way_to_the_same_collector_knows_since_when_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
