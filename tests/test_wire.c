/* An outgoing connection, over loopback, with the other side in the hands of the test. TLS and its troubles
 * are test_mllp_sender.c's, which speaks through one.
 */
#include "base/wire.h"

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

enum { GUARD_S = 20, MUCH_BYTES = 32 << 20 /* more than two sockets keep */ };

struct world {
	struct event_base *loop;
	struct event *guard;
	int listening, other; /* -1: nobody has called */
	struct address address;
	struct wire *wire;
	char told[256]; /* by the wire, a letter or a word each */
	bool answers;   /* hangs up once it has heard something */
};

static void tell(struct world *world, const char *what)
{
	strncat(world->told, what, sizeof(world->told) - strlen(world->told) - 1);
	event_base_loopbreak(world->loop);
}

static void on_open(void *arg)
{
	tell(arg, "open ");
}

static void on_sent(void *arg)
{
	tell(arg, "sent ");
}

static void on_heard(void *arg, struct slice bytes)
{
	scoped(free_ptr) char *text = slice_dup(bytes);
	struct world *world = arg;

	tell(world, text);
	if (world->answers)
		wire_hang_up(world->wire);
}

static void on_ended(void *arg, const char *why)
{
	tell(arg, why[0] ? "failed " : "ended ");
}

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	fail_msg("nothing happened for %d s", GUARD_S);
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	const struct wire_calls calls = { on_open, on_sent, on_heard, on_ended, world };
	const struct timeval guard = { GUARD_S, 0 };
	char address[ADDRESS_TEXT];

	signal(SIGPIPE, SIG_IGN);
	world->other = -1;
	world->loop = event_base_new();
	world->guard = event_new(world->loop, -1, 0, on_guard, NULL);
	event_add(world->guard, &guard);
	assert_true(address_parse("127.0.0.1:0", &world->address));
	world->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(world->listening, (void *)&world->address.socket, world->address.bytes), 0);
	assert_int_equal(listen(world->listening, 1), 0);
	address_of_socket(world->listening, address);
	assert_true(address_parse(address, &world->address));
	world->wire = wire_new(world->loop, &world->address, NULL, &calls);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	wire_free(&world->wire);
	if (world->other >= 0)
		close(world->other);
	if (world->listening >= 0)
		close(world->listening);
	event_free(world->guard);
	event_base_free(world->loop);
	free(world);
	return 0;
}

static void wait_told(struct world *world, const char *wanted)
{
	if (world->told[0] == '\0')
		event_base_dispatch(world->loop);
	assert_string_equal(world->told, wanted);
	world->told[0] = '\0';
}

static void call(struct world *world)
{
	wire_dial(world->wire);
	wait_told(world, "open ");
	world->other = accept(world->listening, NULL, NULL);
	assert_true(wire_is_open(world->wire));
}

static void bytes_go_and_come(void **state)
{
	struct world *world = *state;
	char bytes[8] = "";

	call(world);
	wire_send(world->wire, slice_of("hello"));
	wait_told(world, "sent ");
	assert_int_equal(recv(world->other, bytes, sizeof(bytes), 0), 5);
	assert_string_equal(bytes, "hello");
	assert_int_equal(send(world->other, "good day", 8, 0), 8);
	wait_told(world, "good day");
}

static void who_is_not_there_is_told(void **state)
{
	struct world *world = *state;

	close(world->listening);
	world->listening = -1;
	wire_dial(world->wire);
	wait_told(world, "failed ");
	assert_false(wire_is_open(world->wire));
}

static void who_leaves_is_told_and_may_be_called_again(void **state)
{
	struct world *world = *state;

	call(world);
	close(world->other);
	wait_told(world, "ended ");
	assert_false(wire_is_open(world->wire));
	call(world);
}

static void who_hears_may_hang_up(void **state)
{
	struct world *world = *state;
	char byte;

	call(world);
	world->answers = true;
	assert_int_equal(send(world->other, "enough", 6, 0), 6);
	wait_told(world, "enough");
	assert_int_equal(recv(world->other, &byte, 1, 0), 0);
}

/* What is not read is not acknowledged for ever, and what is not acknowledged waits. */
static void how_far_the_other_side_is_can_be_seen(void **state)
{
	struct world *world = *state;
	scoped(free_ptr) char *much = xcalloc(1, MUCH_BYTES);
	struct wire_progress before, after;
	size_t left = MUCH_BYTES;

	call(world);
	before = wire_progress(world->wire);
	assert_int_equal(before.waiting, 0);
	wire_send(world->wire, (struct slice){ much, MUCH_BYTES });
	assert_string_equal(world->told, ""); /* it does not fit */
	after = wire_progress(world->wire);
	assert_true(after.waiting > 0);
	assert_true(after.acknowledged + after.waiting < before.acknowledged + MUCH_BYTES);
	while (left > 0) {
		event_base_loop(world->loop, EVLOOP_NONBLOCK);
		left -= (size_t)max(
			recv(world->other, much, min(left, (size_t)65536), MSG_DONTWAIT),
			(ssize_t)0);
	}
	wait_told(world, "sent ");
	do
		after = wire_progress(world->wire);
	while (after.waiting > 0); /* the kernel's own words to itself */
	assert_int_equal(after.acknowledged - before.acknowledged, MUCH_BYTES);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(bytes_go_and_come),
		test(who_is_not_there_is_told),
		test(who_leaves_is_told_and_may_be_called_again),
		test(who_hears_may_hang_up),
		test(how_far_the_other_side_is_can_be_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
