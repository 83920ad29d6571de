/* What happens on the connections of an HL7 v2 listener. */
#include "mllp_world.h"

/* ---- framing ---- */

static void a_frame_is_handed_over_without_its_marks_and_answered_in_a_frame(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0bMSH|one\r\x1c\r");
	until(world, client.answers == 1);
	assert_payload(world, 0, "MSH|one\r");
	assert_heard(&client, "ack 0|");
	assert_int_equal(figures(world).messages, 1);
	assert_int_equal(figures(world).in_flight_bytes, 0);
	assert_true(figures(world).last_message_ms > 0);
	client_done(&client);
}

static void three_frames_in_one_write_get_three_answers_in_order(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r\x0btwo\x1c\r\x0bthree\x1c\r");
	until(world, client.answers == 3);
	assert_payload(world, 0, "one");
	assert_payload(world, 1, "two");
	assert_payload(world, 2, "three");
	assert_heard(&client, "ack 0|ack 1|ack 2|");
	client_done(&client);
}

static void a_frame_may_arrive_one_byte_at_a_time(void **state)
{
	static const char frame[] = "\x0bMSH|^~\\&|\r\x1c\r";
	struct world *world = *state;
	struct client client;

	open_server(world);
	client_open(&client, world);
	for (size_t i = 0; i < sizeof(frame) - 1; i++) {
		assert_int_equal(world->arrived, 0);
		client_send(&client, &frame[i], 1);
		until(world, figures(world).in_flight_bytes == i + 1 || world->arrived > 0);
	}
	until(world, client.answers == 1);
	assert_payload(world, 0, "MSH|^~\\&|\r");
	client_done(&client);
}

static void frames_may_be_split_anywhere(void **state)
{
	static const char frames[] = "\n\x0bone\x1c\r\x0btwo\x1c\r";
	struct world *world = *state;

	open_server(world);
	for (size_t cut = 1; cut < sizeof(frames) - 1; cut++) {
		uint64_t stray = figures(world).stray_bytes;
		size_t before = world->arrived;
		struct client client;

		client_open(&client, world);
		client_send(&client, frames, cut);
		until(world, figures(world).stray_bytes > stray);
		client_send(&client, frames + cut, sizeof(frames) - 1 - cut);
		until(world, client.answers == 2);
		assert_payload(world, before, "one");
		assert_payload(world, before + 1, "two");
		client_done(&client);
	}
}

static void stray_bytes_between_frames_are_skipped_and_counted(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	client_open(&client, world);
	send_literal(&client, "junk\x0bone\x1c\r\r\n\x0btwo\x1c\r\n");
	until(world, client.answers == 2 && figures(world).stray_bytes == 7);
	assert_payload(world, 0, "one");
	assert_payload(world, 1, "two");
	assert_int_equal(figures(world).in_flight_bytes, 0);
	client_done(&client);
}

static void an_empty_frame_is_handed_over_too(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0b\x1c\r");
	until(world, client.answers == 1);
	assert_int_equal(world->bytes[0], 0);
	client_done(&client);
}

static void an_empty_answer_sends_nothing_and_holds_up_nobody(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	send_literal(&client, "\x0bno answer wanted\x1c\r\x0btwo\x1c\r");
	until(world, world->arrived == 2);
	mllp_server_answer(take(world->arrivals[0]), slice_of(""));
	answer(world, 1);
	until(world, client.answers == 1);
	assert_heard(&client, "ack 1|");
	client_done(&client);
}

static void a_frame_of_twenty_megabytes_is_handed_over_with_its_buffer(void **state)
{
	enum { LARGE = 20 << 20 };
	struct world *world = *state;
	struct client client;

	world->settings.most_message_bytes = 32 << 20;
	world->settings.most_in_flight_bytes = 64 << 20;
	world->answers = false;
	open_server(world);
	client_open(&client, world);
	send_frame_of(&client, LARGE);
	until(world, world->arrived == 1);
	assert_int_equal(world->bytes[0], LARGE);
	/* its buffer has grown with it, and is not twice as large */
	assert_in_range(world->arrivals[0]->payload.room, LARGE, LARGE + LARGE / 2 + (1 << 20));
	assert_int_equal(world->arrivals[0]->payload.p[LARGE - 1], 'x');
	assert_int_equal(world->arrivals[0]->payload.p[LARGE], '\0');
	answer(world, 0);
	until(world, client.answers == 1);
	client_done(&client);
}

static void what_follows_a_large_frame_is_not_lost(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	client_open(&client, world);
	send_frame_of(&client, 300000);
	send_literal(&client, "\n\x0btwo\x1c\r\x0bthr");
	until(world, client.answers == 2);
	assert_int_equal(world->bytes[0], 300000);
	assert_payload(world, 1, "two");
	send_literal(&client, "ee\x1c\r");
	until(world, client.answers == 3);
	assert_payload(world, 2, "three");
	client_done(&client);
}

static void whoever_answers_may_keep_the_payload(void **state)
{
	struct world *world = *state;
	struct buf kept;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	send_literal(&client, "\x0bmine now\x1c\r");
	until(world, world->arrived == 1);
	kept = world->arrivals[0]->payload;
	world->arrivals[0]->payload = (struct buf){ 0 };
	answer(world, 0);
	until(world, client.answers == 1);
	assert_string_equal(kept.p, "mine now");
	assert_int_equal(figures(world).in_flight_bytes, 0);
	buf_done(&kept);
	client_done(&client);
}

/* ---- the end of a connection ---- */

static void a_frame_without_end_then_fin_is_not_handed_over(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0bMSH|never ends");
	until(world, figures(world).in_flight_bytes == 15);
	client_end(&client);
	until(world, client.ended);
	assert_int_equal(world->arrived, 0);
	assert_int_equal(figures(world).broken_frames, 1);
	assert_int_equal(figures(world).connections, 0);
	assert_int_equal(figures(world).in_flight_bytes, 0);
	client_done(&client);
}

static void a_half_closed_peer_still_gets_its_answers(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r\x0btwo\x1c\r");
	until(world, world->arrived == 2);
	client_end(&client);
	until_quiet(world);
	answer(world, 0);
	answer(world, 1);
	until(world, client.ended);
	assert_heard(&client, "ack 0|ack 1|");
	assert_int_equal(figures(world).connections, 0);
	client_done(&client);
}

static void an_arrival_outlives_its_connection(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r\x0btwo\x1c\r\x0bthree\x1c\r");
	until(world, world->arrived == 3);
	answer(world, 2); /* must wait for the others, which its sender does not */
	bufferevent_write(client.stream, "x", 1);
	client_done(&client);
	until_quiet(world);
	answer(world, 0); /* finds out that nobody listens */
	until_quiet(world);
	answer(world, 1);
	until(world, figures(world).connections == 0);
	assert_int_equal(figures(world).in_flight_bytes, 0);
}

static void an_arrival_outlives_the_server(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r\x0btwo\x1c\r");
	until(world, world->arrived == 2);
	answer(world, 1);
	mllp_server_free(&world->server);
	assert_null(world->server);
	assert_string_equal(world->arrivals[0]->payload.p, "one");
	answer(world, 0);
	until(world, client.ended || client.reset);
	assert_int_equal(client.answers, 0);
	client_done(&client);
}

static void closing_refuses_newcomers_and_answers_what_came(void **state)
{
	struct world *world = *state;
	struct client busy, quiet;

	open_server(world);
	world->answers = false;
	client_open(&busy, world);
	client_open(&quiet, world);
	send_literal(&busy, "\x0bone\x1c\r\x0bnever whole");
	until(world, world->arrived == 1 && figures(world).connections == 2);
	mllp_server_close(world->server);
	until(world, quiet.ended);
	assert_false(busy.ended);
	send_literal(&busy, "\x1c\r\x0bwent unread\x1c\r");
	answer(world, 0);
	until(world, busy.ended);
	assert_heard(&busy, "ack 0|");
	assert_int_equal(world->arrived, 1);
	client_done(&busy);
	client_done(&quiet);
	until(world, figures(world).connections == 0);
}

static void the_last_answer_survives_the_end_of_the_server(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r");
	until(world, world->arrived == 1);
	mllp_server_close(world->server);
	send_literal(&client, "\x0bunread when the socket closes\x1c\r");
	until(world, unsent(&client) == 0);
	answer(world, 0);
	mllp_server_free(&world->server);
	until(world, client.ended || client.reset);
	assert_heard(&client, "ack 0|");
	assert_true(client.ended);
	client_done(&client);
}

/* ---- order and pressure ---- */

static void answers_go_out_in_order_whatever_order_they_are_given_in(void **state)
{
	static const size_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					    { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct world *world = *state;

	open_server(world);
	world->answers = false;
	for (size_t i = 0; i < length_of(orders); i++) {
		size_t first = world->arrived;
		char expected[64];
		struct client client;

		client_open(&client, world);
		send_literal(&client, "\x0bone\x1c\r\x0btwo\x1c\r\x0bthree\x1c\r");
		until(world, world->arrived == first + 3);
		for (size_t j = 0; j < 3; j++)
			answer(world, first + orders[i][j]);
		until(world, client.answers == 3);
		snprintf(expected, sizeof(expected), "ack %zu|ack %zu|ack %zu|", first, first + 1,
			 first + 2);
		assert_heard(&client, expected);
		client_done(&client);
	}
}

static void one_connection_has_at_most_64_frames_unanswered(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	for (size_t i = 0; i < 200; i++)
		send_literal(&client, "\x0bone of many\x1c\r");
	until(world, world->arrived == 64);
	until_quiet(world);
	assert_int_equal(world->arrived, 64);
	answer(world, 0);
	until(world, world->arrived == 65);
	until_quiet(world);
	assert_int_equal(world->arrived, 65);
	world->answers = true;
	for (size_t i = 1; i < 65; i++)
		answer(world, i);
	until(world, client.answers == 200);
	assert_int_equal(figures(world).in_flight_bytes, 0);
	client_done(&client);
}

static void at_the_limit_of_bytes_in_flight_nobody_is_read(void **state)
{
	enum { SENDERS = 8, FRAME = 1 << 20, LIMIT = 4 << 20 };
	struct world *world = *state;
	struct client clients[SENDERS];
	size_t answers = 0;

	world->settings.most_in_flight_bytes = LIMIT;
	world->answers = false;
	open_server(world);
	for (size_t i = 0; i < SENDERS; i++) {
		client_open(&clients[i], world);
		for (int frames = 0; frames < 8; frames++)
			send_frame_of(&clients[i], FRAME);
	}
	until(world, figures(world).in_flight_bytes >= LIMIT);
	until_quiet(world);
	/* past the limit by no more than one read, or one frame that was let through */
	assert_in_range(figures(world).in_flight_bytes, LIMIT, LIMIT + FRAME + (256 << 10));
	for (size_t i = 0; i < SENDERS; i++)
		assert_true(unsent(&clients[i]) > 0);

	for (size_t next = 0; next < 64; next++) {
		until(world, world->arrived > next);
		assert_true(figures(world).in_flight_bytes <= LIMIT + FRAME + (256 << 10));
		answer(world, next);
	}
	for (size_t i = 0; i < SENDERS; i++) {
		until(world, clients[i].answers == 8);
		answers += clients[i].answers;
		client_done(&clients[i]);
	}
	assert_int_equal(answers, 64);
	assert_int_equal(figures(world).in_flight_bytes, 0);
}

static void unfinished_frames_at_the_limit_do_not_stop_the_eldest(void **state)
{
	struct world *world = *state;
	struct client clients[4];
	char part[1000];

	memset(part, 'x', sizeof(part));
	part[0] = MLLP_VT;
	world->settings.most_in_flight_bytes = 3500;
	open_server(world);
	for (size_t i = 0; i < length_of(clients); i++) {
		client_open(&clients[i], world);
		client_send(&clients[i], part, sizeof(part));
		until(world, figures(world).in_flight_bytes == (i + 1) * sizeof(part));
	}
	for (size_t i = length_of(clients); i-- > 0;) {
		send_literal(&clients[i], "end\x1c\r");
		until(world, unsent(&clients[i]) == 0);
	}
	for (size_t i = 0; i < length_of(clients); i++) {
		until(world, clients[i].answers == 1);
		client_done(&clients[i]);
	}
}

static void bytes_of_connections_that_are_gone_still_count(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	send_frame_of(&client, 5000);
	until(world, world->arrived == 1);
	client_done(&client);
	until(world, figures(world).connections == 1);
	assert_true(figures(world).in_flight_bytes >= 5000);
	answer(world, 0);
	until(world, figures(world).connections == 0);
	assert_int_equal(figures(world).in_flight_bytes, 0);
}

static void a_slow_store_is_not_blamed_on_the_senders(void **state)
{
	struct world *world = *state;
	const int64_t start_ms = clock_monotonic_ms();
	struct client slow, waiting;

	world->settings.idle_ms = 50;
	world->settings.most_in_flight_bytes = 3000;
	world->answers = false;
	open_server(world);
	client_open(&waiting, world);
	send_literal(&waiting, "\x0bhalf");
	until(world, figures(world).in_flight_bytes == 5);
	client_open(&slow, world);
	send_frame_of(&slow, 3000);
	until(world, world->arrived == 1);
	until(world, clock_monotonic_ms() - start_ms > 300);
	assert_int_equal(figures(world).connections, 2);
	send_literal(&waiting, " and half\x1c\r");
	world->answers = true;
	answer(world, 0);
	until(world, waiting.answers == 1);
	assert_payload(world, 1, "half and half");
	client_done(&slow);
	client_done(&waiting);
}

/* More than the kernel keeps for a peer that does not read. */
static void answer_at_length(struct world *world, size_t i)
{
	enum { LONG = 8 << 20 };
	char *text = xcalloc(1, LONG);

	memset(text, 'a', LONG);
	mllp_server_answer(take(world->arrivals[i]), (struct slice){ text, LONG });
	free(text);
}

static void answers_reach_a_peer_that_reads_late(void **state)
{
	struct world *world = *state;
	struct client client;

	open_server(world);
	world->answers = false;
	client_open(&client, world);
	bufferevent_disable(client.stream, EV_READ);
	send_literal(&client, "\x0bone\x1c\r\x0btwo\x1c\r");
	until(world, world->arrived == 2);
	answer_at_length(world, 0);
	answer(world, 1);
	until_quiet(world);
	bufferevent_enable(client.stream, EV_READ);
	until(world, client.answers == 2);
	client_done(&client);
}

static void a_peer_that_never_reads_its_answers_is_not_read_for_ever(void **state)
{
	struct world *world = *state;
	struct client client;

	world->settings.idle_ms = 300;
	open_server(world);
	client_open(&client, world);
	bufferevent_disable(client.stream, EV_READ);
	world->answers = false;
	send_literal(&client, "\x0bone\x1c\r");
	until(world, world->arrived == 1);
	answer_at_length(world, 0);
	send_literal(&client, "\x0bone more\x1c\r");
	until(world, figures(world).connections == 0);
	assert_int_equal(world->arrived, 1);
	client_done(&client);
}

/* ---- hostile and broken senders ---- */

static int64_t ms_until_answered(struct world *world)
{
	const int64_t start_ms = clock_monotonic_ms();
	struct client client;
	int64_t took_ms;

	client_open(&client, world);
	send_literal(&client, "\x0bgood\x1c\r");
	until(world, client.answers == 1);
	took_ms = clock_monotonic_ms() - start_ms;
	client_done(&client);
	return took_ms;
}

static void three_hundred_half_open_senders_do_not_delay_a_good_one(void **state)
{
	enum { SENDERS = 300 };
	struct world *world = *state;
	int64_t least_ms = INT64_MAX; /* of several: the machine may be busy with something else */
	int fds[SENDERS];

	open_server(world);
	for (size_t i = 0; i < SENDERS; i++) {
		fds[i] = dial(world);
		assert_int_equal(send(fds[i], "\x0bMSH|", 5, 0), 5);
	}
	until(world, figures(world).in_flight_bytes == SENDERS * 5);
	for (int i = 0; i < 5; i++)
		least_ms = min(least_ms, ms_until_answered(world));
	assert_true(least_ms < 50);
	assert_int_equal(world->arrived, 5);
	for (size_t i = 0; i < SENDERS; i++)
		close(fds[i]);
	until(world, figures(world).connections == 0);
}

static void a_quiet_connection_is_closed_at_the_idle_limit(void **state)
{
	struct world *world = *state;
	struct client client;

	world->settings.idle_ms = 100;
	open_server(world);
	client_open(&client, world);
	until(world, client.ended);
	assert_int_equal(figures(world).connections, 0);
	assert_int_equal(figures(world).broken_frames, 0);
	client_done(&client);
}

static void the_clock_of_an_unfinished_frame_counts_from_its_first_byte(void **state)
{
	struct world *world = *state;
	const int64_t start_ms = clock_monotonic_ms();
	struct client client;

	world->settings.idle_ms = 200;
	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0b");
	while (!client.ended && clock_monotonic_ms() - start_ms < PATIENCE_MS) {
		send_literal(&client, "x"); /* a byte at each turn of the loop */
		event_base_loop(world->loop, EVLOOP_ONCE);
	}
	assert_true(client.ended);
	assert_int_equal(world->arrived, 0);
	assert_int_equal(figures(world).broken_frames, 1);
	client_done(&client);
}

static void a_sender_that_waits_for_our_answer_is_not_idle(void **state)
{
	struct world *world = *state;
	const int64_t start_ms = clock_monotonic_ms();
	struct client client;

	world->settings.idle_ms = 50;
	world->answers = false;
	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r");
	until(world, world->arrived == 1);
	until(world, clock_monotonic_ms() - start_ms > 250);
	assert_int_equal(figures(world).connections, 1);
	answer(world, 0);
	until(world, client.answers == 1);
	client_done(&client);
}

static void frames_before_one_that_never_ends_are_still_answered(void **state)
{
	struct world *world = *state;
	struct client client;

	world->settings.idle_ms = 100;
	world->answers = false;
	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r\x0bnever ends");
	until(world, figures(world).broken_frames == 1);
	assert_false(client.ended);
	answer(world, 0);
	until(world, client.ended);
	assert_heard(&client, "ack 0|");
	client_done(&client);
}

static void a_peer_that_reads_nothing_after_a_frame_without_end_is_left(void **state)
{
	struct world *world = *state;
	struct client client;

	world->settings.idle_ms = 100;
	world->answers = false;
	open_server(world);
	client_open(&client, world);
	bufferevent_disable(client.stream, EV_READ);
	send_literal(&client, "\x0bone\x1c\r\x0bnever ends");
	until(world, figures(world).broken_frames == 1);
	answer_at_length(world, 0);
	until(world, figures(world).connections == 0);
	client_done(&client);
}

static void a_half_closed_peer_may_wait_longer_than_the_idle_limit(void **state)
{
	struct world *world = *state;
	const int64_t start_ms = clock_monotonic_ms();
	struct client client;

	world->settings.idle_ms = 50;
	world->answers = false;
	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r");
	until(world, world->arrived == 1);
	client_end(&client);
	until(world, clock_monotonic_ms() - start_ms > 250);
	answer(world, 0);
	until(world, client.ended);
	assert_heard(&client, "ack 0|");
	client_done(&client);
}

static void a_message_at_the_limit_of_size_is_taken(void **state)
{
	struct world *world = *state;
	struct client client;

	world->settings.most_message_bytes = 8;
	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0b"
			      "exactly8"
			      "\x1c");
	until(world, figures(world).in_flight_bytes == 10);
	send_literal(&client, "\r\x0b"
			      "exactly8"
			      "\x1c\r");
	until(world, client.answers == 2);
	assert_int_equal(world->framing[0].kind, ERR_NONE);
	assert_int_equal(world->framing[1].kind, ERR_NONE);
	client_done(&client);
}

static void a_message_past_the_limit_of_size_is_refused_and_the_connection_ends(void **state)
{
	static const size_t sizes[] = { 100001, 300000, 5000000 };
	struct world *world = *state;

	world->settings.most_message_bytes = 100000;
	open_server(world);
	for (size_t i = 0; i < length_of(sizes); i++) {
		struct client client;

		client_open(&client, world);
		send_frame_of(&client, sizes[i]);
		until(world, client.answers == 1 && (client.ended || client.reset));
		assert_int_equal(world->framing[i].kind, ERR_REJECT);
		assert_int_equal(world->framing[i].reason, REASON_TOO_LARGE);
		assert_int_equal(world->bytes[i], 64 << 10);
		client_done(&client);
		until(world, figures(world).connections == 0);
	}
	assert_int_equal(figures(world).broken_frames, length_of(sizes));
	assert_int_equal(figures(world).in_flight_bytes, 0);
}

static void the_answer_to_a_refused_frame_reaches_a_peer_that_goes_on_sending(void **state)
{
	struct world *world = *state;
	struct client client;

	world->settings.most_message_bytes = 8 << 20;
	open_server(world);
	client_open(&client, world);
	bufferevent_disable(client.stream, EV_READ); /* writes all before it reads */
	send_frame_of(&client, 15 << 20);
	until(world, unsent(&client) == 0);
	bufferevent_enable(client.stream, EV_READ);
	until(world, client.ended || client.reset);
	assert_heard(&client, "ack 0|");
	assert_true(client.ended);
	client_done(&client);
}

static void a_broken_frame_is_refused_after_those_before_it(void **state)
{
	static const struct {
		const char *bytes;
		const char *payload;
	} cases[] = {
		{ "\x0bone\x1c\r\x0bMSH|two\x1cno return", "MSH|two\x1cno return" },
		{ "\x0bone\x1c\r\x0bMSH|two\x0bMSH|three\x1c\r", "MSH|two\x0bMSH|three\x1c\r" },
	};
	struct world *world = *state;

	open_server(world);
	world->answers = false;
	for (size_t i = 0; i < length_of(cases); i++) {
		char expected[64];
		struct client client;

		client_open(&client, world);
		client_send(&client, cases[i].bytes, strlen(cases[i].bytes));
		until(world, world->arrived == 2 * i + 2);
		assert_int_equal(world->framing[2 * i].kind, ERR_NONE);
		assert_int_equal(world->framing[2 * i + 1].kind, ERR_REJECT);
		assert_int_equal(world->framing[2 * i + 1].reason, REASON_MESSAGE_INVALID);
		assert_payload(world, 2 * i + 1, cases[i].payload);
		answer(world, 2 * i + 1);
		answer(world, 2 * i);
		until(world, client.ended);
		snprintf(expected, sizeof(expected), "ack %zu|ack %zu|", 2 * i, 2 * i + 1);
		assert_heard(&client, expected);
		client_done(&client);
	}
	assert_int_equal(figures(world).broken_frames, length_of(cases));
}

static void a_peer_that_never_leaves_is_left_at_the_idle_limit(void **state)
{
	struct world *world = *state;
	int fd;

	world->settings.idle_ms = 100;
	open_server(world);
	fd = dial(world);
	assert_int_equal(send(fd, "\x0btwo\x1cno", 7, 0), 7);
	until(world, figures(world).broken_frames == 1);
	until(world, figures(world).connections == 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_frame_is_handed_over_without_its_marks_and_answered_in_a_frame),
		test(three_frames_in_one_write_get_three_answers_in_order),
		test(a_frame_may_arrive_one_byte_at_a_time),
		test(frames_may_be_split_anywhere),
		test(stray_bytes_between_frames_are_skipped_and_counted),
		test(an_empty_frame_is_handed_over_too),
		test(an_empty_answer_sends_nothing_and_holds_up_nobody),
		test(a_frame_of_twenty_megabytes_is_handed_over_with_its_buffer),
		test(what_follows_a_large_frame_is_not_lost),
		test(whoever_answers_may_keep_the_payload),
		test(a_frame_without_end_then_fin_is_not_handed_over),
		test(a_half_closed_peer_still_gets_its_answers),
		test(an_arrival_outlives_its_connection),
		test(an_arrival_outlives_the_server),
		test(closing_refuses_newcomers_and_answers_what_came),
		test(the_last_answer_survives_the_end_of_the_server),
		test(answers_go_out_in_order_whatever_order_they_are_given_in),
		test(one_connection_has_at_most_64_frames_unanswered),
		test(at_the_limit_of_bytes_in_flight_nobody_is_read),
		test(unfinished_frames_at_the_limit_do_not_stop_the_eldest),
		test(bytes_of_connections_that_are_gone_still_count),
		test(a_slow_store_is_not_blamed_on_the_senders),
		test(answers_reach_a_peer_that_reads_late),
		test(a_peer_that_never_reads_its_answers_is_not_read_for_ever),
		test(three_hundred_half_open_senders_do_not_delay_a_good_one),
		test(a_quiet_connection_is_closed_at_the_idle_limit),
		test(the_clock_of_an_unfinished_frame_counts_from_its_first_byte),
		test(a_sender_that_waits_for_our_answer_is_not_idle),
		test(frames_before_one_that_never_ends_are_still_answered),
		test(a_peer_that_reads_nothing_after_a_frame_without_end_is_left),
		test(a_half_closed_peer_may_wait_longer_than_the_idle_limit),
		test(a_message_at_the_limit_of_size_is_taken),
		test(a_message_past_the_limit_of_size_is_refused_and_the_connection_ends),
		test(the_answer_to_a_refused_frame_reaches_a_peer_that_goes_on_sending),
		test(a_broken_frame_is_refused_after_those_before_it),
		test(a_peer_that_never_leaves_is_left_at_the_idle_limit),
	};

	log_set_level(LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
