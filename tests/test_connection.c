/* The connections of the status port, plain and over TLS: whoever comes, however it speaks and leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/log.h"
#include "http_client.h"
#include "pki.h"
#include "status/connection.h"

enum { MOST_WAITING = 8, MANY = 32 << 20 };

struct fixture {
	struct event_base *loop;
	struct connections *connections;
	struct tls *tls;
	bool over_tls;
	char address[ADDRESS_TEXT];
	struct exchange *waiting[MOST_WAITING]; /* who asked for /wait */
	size_t waiting_count;
	struct buf large; /* what /large is answered */
	size_t large_count;
};

static struct pki pki;
static char *server_pem;

static int make_certificates(void **state)
{
	X509 *leaf;

	(void)state;
	pki_make(&pki);
	leaf = pki_issue(&(struct pki_request){ .cn = "server",
						.usage = PKI_AUTH,
						.from_days = -1000,
						.to_days = 1000,
						.serial = "03" },
			 pki.key, pki.intermediate, pki.key);
	server_pem =
		pki_write(&pki, "server.pem", (X509 *[]){ leaf, pki.intermediate, NULL }, NULL);
	X509_free(leaf);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	free(server_pem);
	pki_done(&pki);
	return 0;
}

static void on_request(void *arg, struct exchange *exchange, int code,
		       const struct request *request)
{
	const struct answer_head head = { .code = code, .type = "text/plain" };
	scoped(buf_done) struct buf body = { 0 };
	struct fixture *fixture = arg;

	if (slice_is(request->path, "/wait")) {
		fixture->waiting[fixture->waiting_count++] = exchange;
		return;
	}
	if (slice_is(request->path, "/large") && ++fixture->large_count > 0)
		buf_add(&body, buf_slice(&fixture->large));
	else
		buf_addf(&body, "%d %.*s", code, (int)request->path.n, request->path.p);
	exchange_answer(exchange, &head, buf_slice(&body));
}

static void answer_waiting(struct fixture *fixture, size_t i)
{
	exchange_answer(fixture->waiting[i],
			&(struct answer_head){ .code = 200, .type = "text/plain" },
			slice_of("waited"));
}

static void start(struct fixture *fixture, size_t most, int64_t patience_ms)
{
	const struct connections_settings settings = {
		.most = most,
		.patience_ms = patience_ms,
		.tls = fixture->over_tls ? fixture->tls : NULL,
	};
	const struct sockaddr_in loopback = { .sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct evconnlistener *listener =
		evconnlistener_new_bind(fixture->loop, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 128,
					(const struct sockaddr *)&loopback, sizeof(loopback));

	assert_non_null(listener);
	address_of_socket(evconnlistener_get_fd(listener), fixture->address);
	connections_free(&fixture->connections);
	fixture->connections = connections_new(listener, &settings, on_request, fixture);
}

static struct fixture *fixture_new(bool over_tls)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	const struct tls_server_settings tls = { .cert = server_pem, .key = pki.key_pem };
	struct err err = { 0 };

	log_set_level(LEVEL_ERROR);
	fixture->loop = event_base_new();
	fixture->over_tls = over_tls;
	if (tls_server_new(&fixture->tls, &tls, clock_now_ms(), &err) < 0)
		fail_msg("%s", err.text);
	for (unsigned i = 0; i < 100000; i++)
		buf_addf(&fixture->large, "%u\n", i);
	start(fixture, 64, 60000);
	return fixture;
}

static int set_up(void **state)
{
	*state = fixture_new(false);
	return 0;
}

static int set_up_tls(void **state)
{
	*state = fixture_new(true);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	connections_free(&fixture->connections);
	event_base_free(fixture->loop);
	tls_free(&fixture->tls);
	buf_done(&fixture->large);
	free(fixture);
	return 0;
}

static void open_client(struct client *client, struct fixture *fixture)
{
	client_open(client, fixture->loop, fixture->address,
		    fixture->over_tls ? client_tls(NULL, NULL) : NULL);
}

/* One that has said so much, all of which has left it, unless the server was faster to lose patience. */
static void open_client_that_says(struct client *client, struct fixture *fixture, const char *text)
{
	open_client(client, fixture);
	client_say(client, text);
	while (evbuffer_get_length(bufferevent_get_output(client->bev)) > 0 && !client->ended)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
}

static char *asked(struct fixture *fixture, const char *request)
{
	return ask(fixture->loop, fixture->address,
		   fixture->over_tls ? client_tls(NULL, NULL) : NULL, request);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* Again, where the machine is slower than the server's patience. */
static void assert_answers(struct fixture *fixture)
{
	scoped(free_ptr) char *answer = asked(fixture, GET("/ok"));

	for (size_t i = 0; i < 100 && answer[0] == '\0'; i++) {
		free_ptr(&answer);
		answer = asked(fixture, GET("/ok"));
	}
	assert_string_equal(body_of(answer), "200 /ok");
}

static void wait_for(struct fixture *fixture, size_t waiting)
{
	while (fixture->waiting_count < waiting)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
}

static void wait_for_descriptors(struct fixture *fixture, size_t count)
{
	const int64_t deadline = clock_monotonic_ms() + PATIENCE_S * 1000;

	while (open_descriptors() != count && clock_monotonic_ms() < deadline)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	assert_int_equal(open_descriptors(), count);
}

/* ---- what is asked ---- */

static void a_large_answer_comes_whole(void **state)
{
	struct fixture *fixture = *state;
	scoped(free_ptr) char *answer = asked(fixture, GET("/large"));

	assert_true(slice_equal(slice_of(body_of(answer)), buf_slice(&fixture->large)));
}

static void a_head_tells_how_long_the_answer_would_be(void **state)
{
	struct fixture *fixture = *state;
	scoped(free_ptr) char *length = xasprintf("Content-Length: %zu\r\n", fixture->large.n);
	scoped(free_ptr) char *answer = asked(fixture, "HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_has(answer, length);
	assert_string_equal(body_of(answer), "");
}

static void a_request_may_arrive_one_byte_at_a_time(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	open_client(&client, fixture);
	for (const char *byte = GET("/ok"); *byte; byte++) {
		bufferevent_write(client.bev, byte, 1);
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	}
	turn_until(fixture->loop, &client.ended);
	assert_string_equal(body_of(client.answer.p), "200 /ok");
	client_done(&client);
}

/* As "nc -N" does. */
static void who_has_said_all_is_answered(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	open_client_that_says(&client, fixture, GET("/large"));
	shutdown(bufferevent_getfd(client.bev), SHUT_WR);
	turn_until(fixture->loop, &client.ended);
	assert_true(slice_equal(slice_of(body_of(client.answer.p)), buf_slice(&fixture->large)));
	client_done(&client);
}

/* ---- strange requests ---- */

#define TWICE "GET /second HTTP/1.1\r\nHost: a\r\n\r\n"

/* Whatever libevent makes of them: one answer at most, and none to what comes after the first request. */
static void a_connection_is_answered_once(void **state)
{
	static const char *const requests[] = {
		GET("/ok") TWICE,
		GET("/ok") TWICE TWICE TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n" TWICE,
		"GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" TWICE,
		"HEAD /ok HTTP/1.1\r\nHost: a\r\n\r\n" TWICE,
		"GET http://b/ok HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n" TWICE,
		"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" TWICE,
		"CONNECT a:80 HTTP/1.1\r\nHost\r\n" TWICE TWICE,
		"POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" TWICE,
		"POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" TWICE,
		"HEAD /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 58\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: "
		"38\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 38\r\nContent-Length: "
		"0\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length : 38\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		"Content-Length: 4\r\n\r\n0\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\nContent-Length: 38\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n "
		"chunked\r\n\r\n0\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 38\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\nHost: a\n\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\nContent-Length: 0\n\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
		"9\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n" TWICE,
		"GET /ok HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" TWICE,
		"\r\n" TWICE,
	};
	struct fixture *fixture = *state;

	start(fixture, 64, 100); /* after CONNECT, libevent would wait for more */
	for (size_t i = 0; i < length_of(requests); i++) {
		scoped(free_ptr) char *answer = asked(fixture, requests[i]);
		const char *first = strstr(answer, "HTTP/");

		if (strstr(answer, "/second") != NULL ||
		    (first != NULL && strstr(first + 1, "HTTP/") != NULL))
			fail_msg("%s\nwas answered:\n%s", requests[i], answer);
	}
}

static void what_is_not_http_is_told_so(void **state)
{
	static const char *const requests[] = {
		"\r\n\r\n",
		"MSH|^~\\&|\r\n\r\n",
		"GET\r\n\r\n",
		"GET /ok\r\n\r\n",
		"GET /ok HTTP/9.9\r\n\r\n",
		"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://a/ok HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /ok#there HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /o k HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /ok HTTP/1.1\r\nno colon\r\n\r\n",
	};

	for (size_t i = 0; i < length_of(requests); i++) {
		scoped(free_ptr) char *answer = asked(*state, requests[i]);

		assert_has(answer, "HTTP/1.1 400 ");
	}
}

static void a_body_is_refused(void **state)
{
	static const char *const requests[] = {
		"POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
		"GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"HEAD /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"POST /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"GET /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
		("GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
		 "Content-Length: 5\r\n\r\nhello"),
	};

	for (size_t i = 0; i < length_of(requests); i++) {
		scoped(free_ptr) char *answer = asked(*state, requests[i]);

		assert_has(answer, "HTTP/1.1 413 ");
	}
}

static void headers_have_a_limit(void **state)
{
	static const char *const formats[] = {
		"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /ok HTTP/1.1\r\nHost: a\r\nX-Long: %s\r\n\r\n",
	};
	scoped(free_ptr) char *filler = xcalloc(8193, 1);

	memset(filler, 'x', 8192);
	for (size_t i = 0; i < length_of(formats); i++) {
		scoped(buf_done) struct buf request = { 0 };
		const char *format = formats[i], *at = strstr(format, "%s");

		buf_add(&request, (struct slice){ format, (size_t)(at - format) });
		buf_add_text(&request, filler);
		buf_add_text(&request, at + 2);
		scoped(free_ptr) char *answer = asked(*state, request.p);
		assert_has(answer, "HTTP/1.1 400 ");
	}
}

/* libevent reads it to its end, and knows no limit: it must wait outside. */
static void the_size_of_a_chunk_that_never_ends_is_not_kept(void **state)
{
	const int few = 64 << 10;
	struct fixture *fixture = *state;
	scoped(free_ptr) char *digits = xcalloc(MANY + 1, 1);
	struct client client;

	memset(digits, '0', MANY);
	start(fixture, 64, 300);
	open_client(&client, fixture);
	setsockopt(bufferevent_getfd(client.bev), SOL_SOCKET, SO_SNDBUF, &few, sizeof(few));
	client_say(&client, "POST /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	client_say(&client, digits);
	turn_until(fixture->loop, &client.ended);
	assert_in_range(MANY - evbuffer_get_length(bufferevent_get_output(client.bev)), 0, 2 << 20);
	client_done(&client);
}

/* ---- slow ones ---- */

static void who_stops_in_its_request_is_closed(void **state)
{
	struct fixture *fixture = *state;
	scoped(free_ptr) char *answer = NULL;

	start(fixture, 64, 30);
	answer = asked(fixture, "GET /ok HTTP/1.1\r\nHost:");
	assert_string_equal(answer, "");
}

static void dribble(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	client_say(arg, "x");
}

/* A byte every few milliseconds is no reason to wait longer; nor does it keep others from being answered. */
static void who_dribbles_is_closed(void **state)
{
	const struct timeval pause = { .tv_usec = 5000 };
	struct fixture *fixture = *state;
	struct client idle[6], slow;
	struct event *timer;

	start(fixture, 8, 200);
	open_client_that_says(&slow, fixture, "GET /ok HTTP/1.1\r\nX: ");
	timer = event_new(fixture->loop, -1, EV_PERSIST, dribble, &slow);
	event_add(timer, &pause);
	for (size_t i = 0; i < length_of(idle); i++) {
		open_client(&idle[i], fixture);
		turn_a_while(fixture->loop);
		assert_answers(fixture);
	}
	turn_until(fixture->loop, &slow.ended);
	assert_int_equal(slow.answer.n, 0);
	event_free(timer);
	client_done(&slow);
	for (size_t i = 0; i < length_of(idle); i++)
		client_done(&idle[i]);
}

static void who_reads_nothing_is_closed(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	size_t before;

	start(fixture, 64, 100);
	memset(buf_reserve(&fixture->large, MANY), 'x', MANY); /* more than sockets hold */
	fixture->large.n += MANY;
	turn_a_while(fixture->loop);
	before = open_descriptors();
	while (fixture->large_count == 0) { /* again, where the machine was slow itself */
		open_client(&client, fixture);
		client_say(&client, GET("/large"));
		while (fixture->large_count == 0 && !client.ended)
			event_base_loop(fixture->loop, EVLOOP_ONCE);
		bufferevent_disable(client.bev, EV_READ);
		if (fixture->large_count == 0)
			client_done(&client);
	}
	wait_for_descriptors(fixture, before + 1); /* its own end stays */
	client_done(&client);
}

static void who_is_never_answered_is_closed(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, 64, 50);
	while (fixture->waiting_count == 0) { /* again, where the machine was slow itself */
		scoped(free_ptr) char *answer = asked(fixture, GET("/wait"));

		assert_string_equal(answer, "");
	}
	answer_waiting(fixture, 0); /* for nobody */
}

/* ---- how many ---- */

static void who_asks_nothing_makes_room(void **state)
{
	struct fixture *fixture = *state;
	struct client idle[3];

	start(fixture, 3, 60000);
	for (size_t i = 0; i < length_of(idle); i++) {
		open_client_that_says(&idle[i], fixture, "GET /he");
		turn_a_while(fixture->loop);
	}
	assert_answers(fixture);
	turn_until(fixture->loop, &idle[0].ended);
	assert_false(idle[1].ended);
	assert_false(idle[2].ended);
	for (size_t i = 0; i < length_of(idle); i++)
		client_done(&idle[i]);
}

static size_t count_open(const struct client *clients, size_t count)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += !clients[i].ended;
	return open;
}

/* Some of them still in the backlog when others come to an end. */
static void a_hundred_idle_connections_hold_no_more_descriptors_than_allowed(void **state)
{
	struct fixture *fixture = *state;
	struct client idle[100];

	start(fixture, 8, 60000);
	for (size_t i = 0; i < length_of(idle); i++)
		open_client(&idle[i], fixture);
	while (count_open(idle, length_of(idle)) > 8)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	turn_a_while(fixture->loop);
	assert_int_equal(count_open(idle, length_of(idle)), 8);
	assert_answers(fixture);
	for (size_t i = 0; i < length_of(idle); i++)
		client_done(&idle[i]);
}

static void while_all_are_answered_others_wait(void **state)
{
	struct fixture *fixture = *state;
	struct client first, second, third;

	start(fixture, 2, 60000);
	open_client_that_says(&first, fixture, GET("/wait"));
	wait_for(fixture, 1);
	open_client_that_says(&second, fixture, GET("/wait"));
	wait_for(fixture, 2);
	open_client(&third, fixture);
	client_say(&third, GET("/ok"));
	turn_a_while(fixture->loop);
	assert_int_equal(third.answer.n, 0);
	assert_false(first.ended || second.ended || third.ended);
	answer_waiting(fixture, 0);
	turn_until(fixture->loop, &first.ended);
	assert_string_equal(body_of(first.answer.p), "waited");
	turn_until(fixture->loop, &third.ended);
	assert_string_equal(body_of(third.answer.p), "200 /ok");
	answer_waiting(fixture, 1);
	turn_until(fixture->loop, &second.ended);
	client_done(&first);
	client_done(&second);
	client_done(&third);
}

static void limit_descriptors(rlim_t most)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = min(most, limit.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void who_came_while_there_were_no_descriptors_is_served_later(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start(fixture, 64, 60000);
	open_client(&client, fixture);
	client_say(&client, GET("/ok"));
	limit_descriptors(3); /* of which all are in use */
	turn_a_while(fixture->loop);
	limit_descriptors(RLIM_INFINITY);
	assert_false(client.ended);
	turn_until(fixture->loop, &client.ended);
	assert_string_equal(body_of(client.answer.p), "200 /ok");
	client_done(&client);
}

/* ---- ends ---- */

/* Numbers of descriptors are used again: what libevent kept of an ended connection would take the bytes of
 * the next.
 */
static void who_leaves_early_leaves_nothing(void **state)
{
	static const char *const said[] = {
		"",         "G",           "GET /ok HTTP/1.1\r\nHost: a\r\n",
		GET("/ok"), GET("/large"), "nonsense\r\n",
	};
	struct fixture *fixture = *state;
	size_t before;

	assert_answers(fixture);
	turn_a_while(fixture->loop);
	before = open_descriptors();
	for (size_t i = 0; i < 4 * length_of(said); i++) {
		struct client client;

		open_client_that_says(&client, fixture, said[i % length_of(said)]);
		for (size_t turns = i / length_of(said); turns > 0; turns--)
			event_base_loop(fixture->loop, EVLOOP_NONBLOCK);
		client_done(&client);
		assert_answers(fixture);
	}
	wait_for_descriptors(fixture, before);
}

static void a_server_may_end_while_clients_wait(void **state)
{
	static const char *const said[] = { "", "GET /he", GET("/wait"), GET("/large") };
	struct fixture *fixture = *state;
	struct client clients[length_of(said)];

	for (size_t i = 0; i < length_of(said); i++) {
		open_client_that_says(&clients[i], fixture, said[i]);
		bufferevent_disable(clients[i].bev, EV_READ);
	}
	wait_for(fixture, 1);
	connections_free(&fixture->connections);
	answer_waiting(fixture, 0);
	for (size_t i = 0; i < length_of(said); i++) {
		bufferevent_enable(clients[i].bev, EV_READ);
		turn_until(fixture->loop, &clients[i].ended);
		client_done(&clients[i]);
	}
}

/* None is heard of yet. */
static void a_server_may_end_as_clients_come(void **state)
{
	struct fixture *fixture = *state;
	struct client clients[3];

	for (size_t i = 0; i < length_of(clients); i++)
		open_client(&clients[i], fixture);
	event_base_loop(fixture->loop, EVLOOP_ONCE);
	connections_free(&fixture->connections);
	for (size_t i = 0; i < length_of(clients); i++) {
		turn_until(fixture->loop, &clients[i].ended);
		client_done(&clients[i]);
	}
}

#define test_plain(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define test_tls(name)                                                                             \
	{                                                                                          \
#name "_over_tls", name, set_up_tls, tear_down, NULL                               \
	}
#define test_both(name) test_plain(name), test_tls(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_both(a_large_answer_comes_whole),
		test_both(a_head_tells_how_long_the_answer_would_be),
		test_both(a_request_may_arrive_one_byte_at_a_time),
		test_both(who_has_said_all_is_answered),
		test_plain(a_connection_is_answered_once),
		test_plain(what_is_not_http_is_told_so),
		test_plain(a_body_is_refused),
		test_plain(headers_have_a_limit),
		test_plain(the_size_of_a_chunk_that_never_ends_is_not_kept),
		test_both(who_stops_in_its_request_is_closed),
		test_both(who_dribbles_is_closed),
		test_both(who_reads_nothing_is_closed),
		test_both(who_is_never_answered_is_closed),
		test_both(who_asks_nothing_makes_room),
		test_both(a_hundred_idle_connections_hold_no_more_descriptors_than_allowed),
		test_both(while_all_are_answered_others_wait),
		test_plain(who_came_while_there_were_no_descriptors_is_served_later),
		test_both(who_leaves_early_leaves_nothing),
		test_both(a_server_may_end_while_clients_wait),
		test_both(a_server_may_end_as_clients_come),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
