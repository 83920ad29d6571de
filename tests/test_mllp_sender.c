/* The way back to a source: a real link over loopback to a source that does what a script says, with
 * the pauses on a clock of the test's own.
 */
#include "intake/mllp_sender.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>

#include "base/address.h"
#include "base/clock.h"
#include "hl7/mllp.h"
#include "pki.h"

enum { GUARD_S = 20 };

static struct pki pki;
static char *server_pem, *client_pem;

/* ---- a source ---- */

/* What it does with a message. Those below LEAVES then close the connection. */
enum act {
	END, /* of a script */
	ACCEPT,
	ACCEPT_IN_PIECES,
	ACCEPT_AMONG_STRAY_BYTES,
	ANSWER_AE,
	ANSWER_AR,
	LEAVES,
	ACCEPT_AND_LEAVE,
	LEAVE_WITHOUT_A_WORD, /* before the message is read, too */
	LEAVE_IN_THE_MIDDLE,
	SAY_NOTHING, /* until the other leaves */
	ANSWER_ANOTHER,
	ANSWER_GARBAGE,
	ANSWER_NO_HL7,
	ANSWER_WITHOUT_END,
};

struct source {
	int fd;
	const enum act *script;
	const struct tls_server_settings *tls_settings;
	struct tls *tls;
	pthread_t thread;
	bool runs;
	size_t connections, messages;
	char ids[512]; /* MSH-10 of what came, in order */
};

struct talk {
	int fd;
	struct tls_session *session;
};

/* Blocking; 0: the peer has left. */
static size_t hear(const struct talk *talk, char *to, size_t room)
{
	struct err err = { 0 };
	size_t n = 0;
	ssize_t got;

	if (talk->session != NULL)
		return tls_read(talk->session, to, room, &n, &err) == TLS_DONE ? n : 0;
	got = recv(talk->fd, to, room, 0);
	return got > 0 ? (size_t)got : 0;
}

static void say(const struct talk *talk, struct slice bytes)
{
	struct err err = { 0 };
	size_t n = 0;

	if (talk->session == NULL)
		(void)!send(talk->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	else
		(void)!(tls_write(talk->session, bytes, &n, &err) == TLS_DONE);
}

static bool hear_message(const struct talk *talk, struct buf *ret_message)
{
	struct slice payload;
	struct err err = { 0 };
	size_t seen = 0, n;

	buf_clear(ret_message);
	while (mllp_next(buf_slice(ret_message), &seen, &payload, &err) == 0) {
		n = hear(talk, buf_reserve(ret_message, 4096), 4096);
		ret_message->n += n;
		if (n == 0)
			return false;
	}
	return true;
}

static struct slice id_of(const struct buf *message)
{
	struct slice rest = buf_slice(message), field = { 0 };

	for (int i = 0; i < 10; i++)
		(void)!slice_next(&rest, '|', &field);
	return field;
}

static void answer(const struct talk *talk, const char *code, struct slice id)
{
	scoped(free_ptr) char *text =
		xasprintf("\x0bMSH|^~\\&|DPI|CH|PFI|CH|20261120||ACK^Z01^ACK|7|P|2.6\r"
			  "MSA|%s|%.*s\r\x1c\r",
			  code, (int)id.n, id.p);

	say(talk, slice_of(text));
}

static void answer_in_pieces(const struct talk *talk, struct slice id)
{
	scoped(free_ptr) char *text =
		xasprintf("\x0bMSH|^~\\&|||||||ACK|7|P|2.6\rMSA|AA|%.*s\r\x1c\r", (int)id.n, id.p);

	for (const char *c = text; *c; c++)
		say(talk, (struct slice){ c, 1 });
}

static void answer_without_end(const struct talk *talk)
{
	char bytes[4096];

	memset(bytes, 'A', sizeof(bytes));
	say(talk, slice_of("\x0bMSH|"));
	for (int i = 0; i < 20; i++)
		say(talk, (struct slice){ bytes, sizeof(bytes) });
}

static void act(const struct talk *talk, enum act what, const struct buf *message)
{
	struct slice id = id_of(message);
	char byte;

	switch (what) {
	case ACCEPT:
	case ACCEPT_AND_LEAVE:
		answer(talk, "AA", id);
		break;
	case ACCEPT_IN_PIECES:
		answer_in_pieces(talk, id);
		break;
	case ACCEPT_AMONG_STRAY_BYTES:
		say(talk, slice_of("\r\n\r\n"));
		answer(talk, "AA", id);
		break;
	case ANSWER_AE:
		answer(talk, "AE", id);
		break;
	case ANSWER_AR:
		answer(talk, "AR", id);
		break;
	case LEAVE_IN_THE_MIDDLE:
		say(talk, slice_of("\x0bMSH|^~\\&|DPI|CH|PFI"));
		break;
	case SAY_NOTHING:
		while (hear(talk, &byte, 1) > 0)
			;
		break;
	case ANSWER_ANOTHER:
		answer(talk, "AA", slice_of("G999"));
		break;
	case ANSWER_GARBAGE:
		say(talk, slice_of("\x0b one \x0b two"));
		break;
	case ANSWER_NO_HL7:
		say(talk, slice_of("\x0bHTTP/1.1 400 Bad Request\x1c\r"));
		break;
	case ANSWER_WITHOUT_END:
		answer_without_end(talk);
		break;
	case LEAVE_WITHOUT_A_WORD:
	case LEAVES:
	case END:
		break;
	}
}

/* One connection, as far as the script goes with it. */
static void serve(struct source *source, const struct talk *talk)
{
	scoped(buf_done) struct buf message = { 0 };
	enum act what;

	do {
		if (!hear_message(talk, &message))
			return;
		source->messages++;
		strncat(source->ids, " ", sizeof(source->ids) - strlen(source->ids) - 1);
		strncat(source->ids, id_of(&message).p,
			min(id_of(&message).n, sizeof(source->ids) - strlen(source->ids) - 1));
		what = *source->script;
		if (what == END)
			return;
		source->script++;
		act(talk, what, &message);
	} while (what < LEAVES);
}

static void *source_main(void *arg)
{
	struct source *source = arg;

	while (*source->script != END) {
		struct err err = { 0 };
		struct talk talk = { .fd = accept(source->fd, NULL, NULL) };

		if (talk.fd < 0)
			break;
		source->connections++;
		if (*source->script == LEAVE_WITHOUT_A_WORD) {
			source->script++;
			close(talk.fd);
			continue;
		}
		if (source->tls != NULL)
			talk.session = tls_session_new(source->tls, talk.fd);
		if (talk.session == NULL || tls_handshake(talk.session, &err) == TLS_DONE)
			serve(source, &talk);
		else
			source->script++; /* it is over with this one */
		tls_session_free(&talk.session);
		close(talk.fd);
	}
	return NULL;
}

/* ---- the world of a test ---- */

struct world {
	struct event_base *loop;
	struct event *guard;
	struct source source;
	char address[ADDRESS_TEXT];
	struct mllp_sender_settings settings;
	struct mllp_sender *sender;
	int64_t wait_ms;

	size_t to_send, at; /* messages G0, G1… */
	size_t asked, ended;
	enum mllp_sent sent; /* the last outcome */
	char why[ERR_TEXT];
};

static int64_t now_ms;

static int64_t test_clock(void)
{
	return now_ms;
}

static uint32_t no_chance(void)
{
	return 512; /* in the middle: the delay itself */
}

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("nothing happened for %d s", GUARD_S);
}

static void wants(void *arg)
{
	struct world *world = arg;
	scoped(free_ptr) char *message = NULL;
	char id[24];

	world->asked++;
	if (world->at == world->to_send) {
		mllp_sender_nothing(world->sender, world->wait_ms);
		event_base_loopbreak(world->loop);
		return;
	}
	snprintf(id, sizeof(id), "G%zu", world->at);
	message = xasprintf("MSH|^~\\&|PFI|CH|DPI|CH|20261120||ZAM^Z01^ZAM_Z01|%s|P|2.6\r", id);
	mllp_sender_send(world->sender, slice_of(message), id);
}

static void ended(void *arg, enum mllp_sent sent, const char *why)
{
	struct world *world = arg;

	world->ended++;
	world->at += sent == MLLP_SENT_ACCEPTED;
	world->sent = sent;
	snprintf(world->why, sizeof(world->why), "%s", why);
	mllp_sender_settled(world->sender);
	event_base_loopbreak(world->loop);
}

static void source_listen(struct world *world)
{
	struct address address;
	const int on = 1;

	assert_true(address_parse(world->address[0] ? world->address : "127.0.0.1:0", &address));
	world->source.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(world->source.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(world->source.fd, (void *)&address.socket, address.bytes), 0);
	assert_int_equal(listen(world->source.fd, 8), 0);
	address_of_socket(world->source.fd, world->address);
}

static void source_run(struct world *world, const enum act *script)
{
	struct err err = { 0 };

	world->source.script = script;
	if (world->source.tls_settings != NULL &&
	    tls_server_new(&world->source.tls, world->source.tls_settings, PKI_NOW_MS, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(pthread_create(&world->source.thread, NULL, source_main, &world->source),
			 0);
	world->source.runs = true;
}

/* After it: what the source has seen may be read. */
static void source_join(struct world *world)
{
	if (world->sender != NULL)
		mllp_sender_close(world->sender);
	if (world->source.runs) {
		shutdown(world->source.fd, SHUT_RDWR); /* accept() ends */
		pthread_join(world->source.thread, NULL);
	}
	world->source.runs = false;
	tls_free(&world->source.tls);
}

static void open_sender(struct world *world)
{
	const struct mllp_sender_calls calls = { wants, ended, world };
	struct err err = { 0 };

	if (mllp_sender_new(&world->sender, world->loop, &world->settings, &calls, &err) < 0)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	const struct timeval guard = { GUARD_S, 0 };

	now_ms = PKI_NOW_MS;
	world->loop = event_base_new();
	world->guard = event_new(world->loop, -1, 0, on_guard, NULL);
	event_add(world->guard, &guard);
	source_listen(world);
	world->wait_ms = INT64_MAX;
	world->settings = (struct mllp_sender_settings){
		.source = "DPI",
		.address = world->address,
		.retry = { 30000, 3600000 },
		.timeout_ms = 10000,
		.idle_ms = 10000,
		.clock_ms = test_clock,
		.chance = no_chance,
	};
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	mllp_sender_free(&world->sender);
	source_join(world);
	if (world->source.fd >= 0)
		close(world->source.fd);
	event_free(world->guard);
	event_base_free(world->loop);
	free(world);
	return 0;
}

/* Until one more message has ended, or was asked for in vain. A pause is over at once. */
static void turn(struct world *world)
{
	const size_t before = world->ended;

	if (mllp_sender_wakes_ms(world->sender) != INT64_MAX)
		now_ms = max(now_ms, mllp_sender_wakes_ms(world->sender));
	mllp_sender_wake(world->sender);
	if (world->ended == before)
		event_base_dispatch(world->loop);
}

static void send_messages(struct world *world, size_t count)
{
	world->to_send += count;
	mllp_sender_poke(world->sender);
}

static struct mllp_sender_figures figures(const struct world *world)
{
	return mllp_sender_figures(world->sender);
}

static void assert_ended(const struct world *world, enum mllp_sent sent, const char *why)
{
	if (world->sent != sent || strstr(world->why, why) == NULL)
		fail_msg("ended as %d: \"%s\"", (int)world->sent, world->why);
}

/* ---- what goes well ---- */

static void messages_go_one_after_the_other_on_one_connection(void **state)
{
	static const enum act script[] = { ACCEPT, ACCEPT_IN_PIECES, ACCEPT_AMONG_STRAY_BYTES,
					   END };
	struct world *world = *state;

	source_run(world, script);
	open_sender(world);
	send_messages(world, 3);
	while (world->at < 3)
		turn(world);
	assert_true(figures(world).connected);
	assert_int_equal(figures(world).accepted, 3);
	assert_in_range(figures(world).last_accepted_ms, clock_now_ms() - GUARD_S * 1000,
			clock_now_ms());
	source_join(world);
	assert_int_equal(world->source.connections, 1);
	assert_string_equal(world->source.ids, " G0 G1 G2");
}

static void without_anything_to_send_it_does_not_connect(void **state)
{
	static const enum act script[] = { ACCEPT, END };
	struct world *world = *state;

	source_run(world, script);
	open_sender(world);
	assert_true(mllp_sender_wakes_ms(world->sender) == INT64_MAX);
	mllp_sender_poke(world->sender);
	assert_int_equal(world->asked, 1);
	assert_false(figures(world).connected);
	source_join(world);
	assert_int_equal(world->source.connections, 0);
}

static void it_closes_when_there_is_nothing_for_a_while(void **state)
{
	static const enum act script[] = { ACCEPT, SAY_NOTHING, END };
	struct world *world = *state;

	world->settings.idle_ms = 20;
	source_run(world, script);
	open_sender(world);
	send_messages(world, 1);
	turn(world);
	while (figures(world).connected)
		event_base_loop(world->loop, EVLOOP_ONCE);
	assert_ended(world, MLLP_SENT_ACCEPTED, "");
	assert_string_equal(figures(world).state, "open");
}

/* Many a receiver does; nothing is lost and nothing is slowed by it. */
static void a_source_that_closes_after_each_message_is_called_again(void **state)
{
	static const enum act script[] = { ACCEPT_AND_LEAVE, ACCEPT_AND_LEAVE, ACCEPT_AND_LEAVE,
					   END };
	struct world *world = *state;

	source_run(world, script);
	open_sender(world);
	send_messages(world, 3);
	while (world->at < 3) {
		turn(world);
		assert_ended(world, MLLP_SENT_ACCEPTED, "");
	}
	source_join(world);
	assert_string_equal(world->source.ids, " G0 G1 G2");
}

/* The connection that had been used was lost with the message on it. */
static void a_used_connection_that_breaks_is_no_failure(void **state)
{
	static const enum act script[] = { ACCEPT, LEAVE_IN_THE_MIDDLE, ACCEPT, END };
	struct world *world = *state;

	source_run(world, script);
	open_sender(world);
	send_messages(world, 2);
	turn(world);
	turn(world);
	assert_ended(world, MLLP_SENT_ACCEPTED, "");
	source_join(world);
	assert_string_equal(world->source.ids, " G0 G1 G1");
}

static void who_has_nothing_is_asked_again_when_it_is_due(void **state)
{
	struct world *world = *state;

	open_sender(world);
	world->wait_ms = 5000;
	mllp_sender_poke(world->sender);
	assert_int_equal(world->asked, 1);
	assert_true(mllp_sender_wakes_ms(world->sender) == now_ms + 5000);
	mllp_sender_wake(world->sender);
	assert_int_equal(world->asked, 1);
	now_ms += 5000;
	mllp_sender_wake(world->sender);
	assert_int_equal(world->asked, 2);
}

/* However many documents end: the queue is not asked for each. */
static void many_pokes_are_one_question(void **state)
{
	struct world *world = *state;

	open_sender(world);
	for (int i = 0; i < 1000; i++)
		mllp_sender_poke(world->sender);
	assert_int_equal(world->asked, 1);
	now_ms = mllp_sender_wakes_ms(world->sender);
	mllp_sender_wake(world->sender);
	assert_int_equal(world->asked, 2);
}

/* ---- every fault ---- */

static void faults_are_told_and_the_message_goes_again(void **state)
{
	static const struct {
		enum act act;
		enum mllp_sent sent;
		const char *why;
	} cases[] = {
		{ ANSWER_AE, MLLP_SENT_REFUSED, "answered AE" },
		{ ANSWER_AR, MLLP_SENT_REFUSED, "answered AR" },
		{ ANSWER_ANOTHER, MLLP_SENT_LOST, "another message" },
		{ ANSWER_GARBAGE, MLLP_SENT_LOST, "VT (0x0B)" },
		{ ANSWER_NO_HL7, MLLP_SENT_LOST, "no HL7 message" },
		{ ANSWER_WITHOUT_END, MLLP_SENT_LOST, "too large" },
		{ LEAVE_WITHOUT_A_WORD, MLLP_SENT_LOST, "" },
		{ LEAVE_IN_THE_MIDDLE, MLLP_SENT_LOST, "" },
		{ SAY_NOTHING, MLLP_SENT_LOST, "did not acknowledge in time" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(cases); i++) {
		const enum act script[] = { cases[i].act, ACCEPT, END };
		const int64_t failed_ms = now_ms;

		world->settings.timeout_ms = cases[i].act == SAY_NOTHING ? 50 : 10000;
		world->source.ids[0] = '\0';
		source_run(world, script);
		open_sender(world);
		send_messages(world, 1);
		turn(world);
		assert_ended(world, cases[i].sent, cases[i].why);
		assert_string_equal(figures(world).state, "slowed");
		assert_in_range(figures(world).resumes_ms, clock_now_ms() + 25000,
				clock_now_ms() + 30000);
		assert_true(mllp_sender_wakes_ms(world->sender) == failed_ms + 30000);
		turn(world);
		assert_ended(world, MLLP_SENT_ACCEPTED, "");
		assert_string_equal(figures(world).state, "open");
		assert_string_equal(figures(world).why, "");
		mllp_sender_free(&world->sender);
		source_join(world);
		close(world->source.fd);
		source_listen(world);
	}
}

static void a_source_that_is_not_there_is_not_reached(void **state)
{
	struct world *world = *state;

	close(world->source.fd);
	world->source.fd = -1;
	open_sender(world);
	send_messages(world, 1);
	turn(world);
	assert_ended(world, MLLP_SENT_NOT, "refused");
	assert_int_equal(figures(world).failed, 1);
}

/* The call is taken by the kernel, and nobody answers it: as a machine that hangs. */
static void a_source_that_hangs_is_left_in_time(void **state)
{
	struct world *world = *state;

	world->settings.timeout_ms = 50;
	open_sender(world);
	send_messages(world, 1);
	turn(world);
	assert_ended(world, MLLP_SENT_LOST, "in time");
	assert_false(figures(world).connected);
}

static void a_source_that_is_down_for_a_week_costs_an_attempt_per_pause(void **state)
{
	static const enum act script[] = { ACCEPT, END };
	struct world *world = *state;
	const int64_t week_ms = INT64_C(7) * 24 * 3600 * 1000, start_ms = now_ms;

	close(world->source.fd);
	world->source.fd = -1;
	open_sender(world);
	send_messages(world, 1);
	while (now_ms - start_ms < week_ms) {
		const int64_t before_ms = now_ms;

		turn(world);
		assert_ended(world, MLLP_SENT_NOT, "refused");
		assert_true(now_ms - before_ms <= 3600000);
	}
	assert_in_range(world->ended, 7 * 24, 7 * 24 + 10);
	source_listen(world);
	source_run(world, script);
	turn(world);
	assert_ended(world, MLLP_SENT_ACCEPTED, "");
	source_join(world);
	assert_string_equal(world->source.ids, " G0");
}

static void a_poke_does_not_end_a_pause(void **state)
{
	struct world *world = *state;

	close(world->source.fd);
	world->source.fd = -1;
	open_sender(world);
	send_messages(world, 1);
	turn(world);
	for (int i = 0; i < 10; i++)
		mllp_sender_poke(world->sender);
	assert_int_equal(world->asked, 1);
}

static void closing_gives_up_what_is_in_flight(void **state)
{
	static const enum act script[] = { SAY_NOTHING, END };
	struct world *world = *state;

	source_run(world, script);
	open_sender(world);
	send_messages(world, 1);
	event_base_loop(world->loop, EVLOOP_ONCE);
	mllp_sender_close(world->sender);
	assert_int_equal(world->ended, 0);
	assert_false(figures(world).connected);
	mllp_sender_poke(world->sender);
	assert_int_equal(world->asked, 1);
}

/* ---- TLS ---- */

static void over_tls(struct world *world, const struct tls_server_settings *server,
		     const struct tls_client_settings *client, const enum act *script)
{
	world->source.tls_settings = server;
	world->settings.tls = *client;
	source_run(world, script);
	open_sender(world);
	send_messages(world, 2);
	turn(world);
}

static void messages_go_over_tls(void **state)
{
	static const enum act script[] = { ACCEPT, ACCEPT_IN_PIECES, END };
	struct world *world = *state;

	over_tls(world, &(struct tls_server_settings){ .cert = server_pem, .key = pki.key_pem },
		 &(struct tls_client_settings){ .ca = pki.chain_pem }, script);
	assert_ended(world, MLLP_SENT_ACCEPTED, "");
	turn(world);
	assert_ended(world, MLLP_SENT_ACCEPTED, "");
	source_join(world);
	assert_int_equal(world->source.connections, 1);
	assert_string_equal(world->source.ids, " G0 G1");
}

static void messages_go_over_mutual_tls(void **state)
{
	static const enum act script[] = { ACCEPT, ACCEPT, END };
	struct world *world = *state;

	over_tls(world,
		 &(struct tls_server_settings){
			 .cert = server_pem, .key = pki.key_pem, .client_ca = pki.chain_pem },
		 &(struct tls_client_settings){ .ca = pki.chain_pem,
						.cert = client_pem,
						.key = pki.key_pem,
						.name = "engine.example" },
		 script);
	assert_ended(world, MLLP_SENT_ACCEPTED, "");
}

static void a_source_of_another_name_is_told_nothing(void **state)
{
	static const enum act script[] = { ACCEPT, END };
	struct world *world = *state;

	over_tls(world, &(struct tls_server_settings){ .cert = server_pem, .key = pki.key_pem },
		 &(struct tls_client_settings){ .ca = pki.chain_pem, .name = "other.example" },
		 script);
	assert_ended(world, MLLP_SENT_NOT, "certificate is refused");
	source_join(world);
	assert_int_equal(world->source.messages, 0);
}

static void without_the_certificate_that_is_asked_for_nothing_is_accepted(void **state)
{
	static const enum act script[] = { ACCEPT, END };
	struct world *world = *state;

	over_tls(world,
		 &(struct tls_server_settings){
			 .cert = server_pem, .key = pki.key_pem, .client_ca = pki.chain_pem },
		 &(struct tls_client_settings){ .ca = pki.chain_pem }, script);
	assert_true(world->sent == MLLP_SENT_NOT || world->sent == MLLP_SENT_LOST);
	source_join(world);
	assert_int_equal(world->source.messages, 0);
}

static void a_source_without_tls_gets_nothing(void **state)
{
	static const enum act script[] = { LEAVE_WITHOUT_A_WORD, END };
	struct world *world = *state;

	world->settings.tls = (struct tls_client_settings){ .ca = pki.chain_pem };
	source_run(world, script);
	open_sender(world);
	send_messages(world, 1);
	turn(world);
	assert_ended(world, MLLP_SENT_NOT, "");
}

static void what_cannot_be_used_is_told_at_birth(void **state)
{
	const struct {
		const char *address, *ca, *why;
	} cases[] = {
		{ "dpi.example:2576", "", "not an address" },
		{ "127.0.0.1", "", "not an address" },
		{ "127.0.0.1:2576", "/nowhere.pem", "/nowhere.pem" },
	};
	struct world *world = *state;
	const struct mllp_sender_calls calls = { wants, ended, world };

	for (size_t i = 0; i < length_of(cases); i++) {
		struct err err = { 0 };

		world->settings.address = cases[i].address;
		world->settings.tls.ca = cases[i].ca;
		assert_int_equal(mllp_sender_new(&world->sender, world->loop, &world->settings,
						 &calls, &err),
				 -1);
		assert_int_equal(err.kind, ERR_HALT);
		if (strstr(err.text, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* ---- certificates ---- */

static char *write_certificate(const char *name, const char *names)
{
	X509 *certificate = pki_issue(&(struct pki_request){ .ou = "1990000987",
							     .cn = name,
							     .usage = PKI_AUTH,
							     .from_days = -1000,
							     .to_days = 1000,
							     .serial = "77",
							     .names = names },
				      pki.key, pki.intermediate, pki.key);
	char *path = pki_write(&pki, name, (X509 *[]){ certificate, NULL }, NULL);

	X509_free(certificate);
	return path;
}

static int make(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	pki_make(&pki);
	server_pem = write_certificate("server.pem", "DNS:engine.example,IP:127.0.0.1");
	client_pem = write_certificate("client.pem", NULL);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	unlink(server_pem);
	unlink(client_pem);
	free(server_pem);
	free(client_pem);
	pki_done(&pki);
	return 0;
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(messages_go_one_after_the_other_on_one_connection),
		test(without_anything_to_send_it_does_not_connect),
		test(it_closes_when_there_is_nothing_for_a_while),
		test(a_source_that_closes_after_each_message_is_called_again),
		test(a_used_connection_that_breaks_is_no_failure),
		test(who_has_nothing_is_asked_again_when_it_is_due),
		test(many_pokes_are_one_question),
		test(faults_are_told_and_the_message_goes_again),
		test(a_source_that_is_not_there_is_not_reached),
		test(a_source_that_hangs_is_left_in_time),
		test(a_source_that_is_down_for_a_week_costs_an_attempt_per_pause),
		test(a_poke_does_not_end_a_pause),
		test(closing_gives_up_what_is_in_flight),
		test(messages_go_over_tls),
		test(messages_go_over_mutual_tls),
		test(a_source_of_another_name_is_told_nothing),
		test(without_the_certificate_that_is_asked_for_nothing_is_accepted),
		test(a_source_without_tls_gets_nothing),
		test(what_cannot_be_used_is_told_at_birth),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
