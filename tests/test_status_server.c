/* The status port, asked through real sockets on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "pki.h"
#include "status/connection.h"
#include "status/page.h"
#include "status/status_server.h"

enum { PATIENCE_S = 20 };

struct fixture {
	struct event_base *loop;
	struct status_server *server;
	const char *not_ready;
	bool waits; /* lists are answered later */
	struct exchange *waiting;
};

static void fill(void *arg, struct status *ret_status)
{
	const struct fixture *fixture = arg;

	*ret_status = (struct status){ .version = "1.2.3",
				       .environment = "test",
				       .now_ms = clock_now_ms(),
				       .started_ms = clock_now_ms(),
				       .not_ready = fixture->not_ready };
}

static void fill_page(void *arg, struct page *ret_page)
{
	static struct status status;

	fill(arg, &status);
	*ret_page = (struct page){ .status = &status };
}

/* Tells what it was asked. */
static void list(void *arg, enum status_listing listing, const struct query *query,
		 struct exchange *exchange)
{
	scoped(buf_done) struct buf told = { 0 };
	struct fixture *fixture = arg;

	assert_int_equal(listing, LISTING_DOCUMENTS);
	buf_addf(&told, "%s,%s,%s,%s,%s", query->values[DOCUMENTS_STATE],
		 query->values[DOCUMENTS_REASON], query->values[DOCUMENTS_SITE],
		 query->values[DOCUMENTS_LIMIT], query->values[DOCUMENTS_AFTER]);
	if (fixture->waits)
		fixture->waiting = exchange;
	else
		status_answer(exchange, buf_slice(&told));
}

static struct status_desk desk_of(struct fixture *fixture)
{
	return (struct status_desk){ fill, fill_page, list, fixture };
}

static void start(struct fixture *fixture, const struct status_settings *settings)
{
	struct err err = { 0 };

	const struct status_desk desk = desk_of(fixture);

	if (status_server_new(&fixture->server, fixture->loop, settings, &desk, &err) < 0)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	log_set_level(LEVEL_ERROR);
	fixture->loop = event_base_new();
	fixture->not_ready = "";
	start(fixture, &(struct status_settings){ .listen = "127.0.0.1:0" });
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	status_server_free(&fixture->server);
	event_base_free(fixture->loop);
	free(fixture);
	return 0;
}

/* ---- a client ---- */

struct client {
	struct bufferevent *bev;
	struct buf answer;
	bool ended;
};

static void on_answer(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);

	buf_add(&client->answer, (struct slice){ (const char *)evbuffer_pullup(in, -1), n });
	evbuffer_drain(in, n);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) == 0)
		client->ended = true;
}

static void client_connect(struct client *client, struct fixture *fixture, SSL *tls)
{
	const char *address = status_server_address(fixture->server);
	struct sockaddr_storage peer = { 0 };
	int peer_bytes = sizeof(peer);

	*client = (struct client){ 0 };
	client->bev = tls ? bufferevent_openssl_socket_new(fixture->loop, -1, tls,
							   BUFFEREVENT_SSL_CONNECTING,
							   BEV_OPT_CLOSE_ON_FREE)
			  : bufferevent_socket_new(fixture->loop, -1, BEV_OPT_CLOSE_ON_FREE);
	assert_int_equal(evutil_parse_sockaddr_port(address, (struct sockaddr *)&peer, &peer_bytes),
			 0);
	bufferevent_setcb(client->bev, on_answer, NULL, on_end, client);
	assert_int_equal(
		bufferevent_socket_connect(client->bev, (struct sockaddr *)&peer, peer_bytes), 0);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}

static void client_open(struct client *client, struct fixture *fixture)
{
	client_connect(client, fixture, NULL);
}

static void say(struct client *client, const char *text)
{
	bufferevent_write(client->bev, text, strlen(text));
}

static void client_done(struct client *client)
{
	bufferevent_free(client->bev);
	buf_done(&client->answer);
}

static void turn_until(struct fixture *fixture, const bool *done)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int64_t deadline = clock_monotonic_ms() + PATIENCE_S * 1000;

	event_base_loopexit(fixture->loop, &patience);
	while (!*done && clock_monotonic_ms() < deadline)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	assert_true(*done);
}

/* The whole answer to a request, NUL-terminated: the caller frees. */
static char *asked_through(struct fixture *fixture, SSL *tls, const char *request)
{
	struct client client;
	char *answer;

	client_connect(&client, fixture, tls);
	say(&client, request);
	turn_until(fixture, &client.ended);
	answer = slice_dup(buf_slice(&client.answer));
	client_done(&client);
	return answer;
}

static char *asked(struct fixture *fixture, const char *request)
{
	return asked_through(fixture, NULL, request);
}

static const char *body_of(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void assert_has(const char *answer, const char *text)
{
	if (strstr(answer, text) == NULL)
		fail_msg("\"%s\" is not in:\n%s", text, answer);
}

static void assert_answer(struct fixture *fixture, const char *request, const char *status_line,
			  const char *body)
{
	scoped(free_ptr) char *answer = asked(fixture, request);

	if (strncmp(answer, status_line, strlen(status_line)) != 0)
		fail_msg("%s\nwas answered:\n%s", request, answer);
	assert_string_equal(body_of(answer), body);
}

static size_t open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

/* What is on its way comes in, and what that sets off. */
static void turn_a_while(struct fixture *fixture)
{
	for (size_t i = 0; i < 20; i++)
		event_base_loop(fixture->loop, EVLOOP_NONBLOCK);
}

/* ---- the paths ---- */

static void healthz_says_ok_while_the_loop_turns(void **state)
{
	assert_answer(*state, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "ok\n");
}

static void readyz_says_ready(void **state)
{
	assert_answer(*state, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ",
		      "ready\n");
}

static void readyz_says_in_one_line_why_it_is_not(void **state)
{
	struct fixture *fixture = *state;

	fixture->not_ready = "the disk is full";
	assert_answer(fixture, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 503 ",
		      "the disk is full\n");
}

static void healthz_is_200_when_readyz_is_503(void **state)
{
	struct fixture *fixture = *state;

	fixture->not_ready = "the disk is full";
	assert_answer(fixture, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "ok\n");
}

static void the_status_is_json(void **state)
{
	scoped(free_ptr) char *answer =
		asked(*state, "GET /api/v1/status HTTP/1.1\r\nHost: a\r\n\r\n");
	json_t *json = json_loads(body_of(answer), 0, NULL);

	assert_has(answer, "HTTP/1.1 200 ");
	assert_has(answer, "Content-Type: application/json\r\n");
	assert_string_equal(json_string_value(json_object_get(json, "version")), "1.2.3");
	json_decref(json);
}

static void the_metrics_are_prometheus_text(void **state)
{
	scoped(free_ptr) char *answer = asked(*state, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_has(answer, "HTTP/1.1 200 ");
	assert_has(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	assert_has(body_of(answer), "\ndmpfeed_build_info{version=\"1.2.3\"");
}

static void the_page_is_html_in_the_language_asked_for(void **state)
{
	static const struct {
		const char *request, *has;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "<html lang=\"fr\">" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nAccept-Language: en-GB\r\n\r\n",
		  "<html lang=\"en\">" },
		{ "GET /?lang=fr HTTP/1.1\r\nHost: a\r\nAccept-Language: en\r\n\r\n",
		  "<html lang=\"fr\">" },
		{ "GET /?lang=en HTTP/1.1\r\nHost: a\r\n\r\n", "Content-Language: en\r\n" },
		{ "GET /?part=live&lang=en HTTP/1.1\r\nHost: a\r\n\r\n",
		  "\r\n\r\n<section class=\"verdict" },
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		  "Content-Security-Policy: default-src 'none'; "
		  "style-src 'sha256-" },
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "Content-Type: text/html; charset=utf-8" },
		{ "GET /?lang=de HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET /?part=x HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 " },
	};

	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *answer = asked(*state, cases[i].request);

		assert_has(answer, cases[i].has);
	}
}

static void lists_are_asked_for_by_name(void **state)
{
	assert_answer(*state,
		      "GET /api/v1/documents?after=01J9&site=990000001&state=held HTTP/1.1\r\n"
		      "Host: a\r\n\r\n",
		      "HTTP/1.1 200 ", "held,,990000001,,01J9");
	assert_answer(*state, "GET /api/v1/documents?stat=held HTTP/1.1\r\nHost: a\r\n\r\n",
		      "HTTP/1.1 400 ",
		      "{\"error\":\"there is nothing called \\\"stat\\\" to ask for here\"}\n");
}

static void a_list_may_be_answered_later(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	fixture->waits = true;
	client_open(&client, fixture);
	say(&client, "GET /api/v1/documents HTTP/1.1\r\nHost: a\r\n\r\n");
	while (fixture->waiting == NULL)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	assert_false(client.ended);
	status_answer_unavailable(fixture->waiting, "too much is asked at once");
	turn_until(fixture, &client.ended);
	assert_has(client.answer.p, "HTTP/1.1 503 ");
	assert_has(client.answer.p, "Retry-After: 5\r\n");
	client_done(&client);
}

static void who_left_may_still_be_answered(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	fixture->waits = true;
	client_open(&client, fixture);
	say(&client, "GET /api/v1/documents HTTP/1.1\r\nHost: a\r\n\r\n");
	while (fixture->waiting == NULL)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	status_server_free(&fixture->server);
	status_answer(fixture->waiting, slice_of("{}"));
	client_done(&client);
}

static void a_query_that_nobody_knows_is_400(void **state)
{
	assert_answer(*state, "GET /healthz?probe=1 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ",
		      "{\"error\":\"there is nothing called \\\"probe\\\" to ask for here\"}\n");
	assert_answer(*state, "GET /healthz? HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "ok\n");
}

static void http_1_0_is_answered_too(void **state)
{
	assert_answer(*state, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "ok\n");
}

static void another_path_is_404_in_json(void **state)
{
	static const char *const paths[] = { "//",        "/healthz/",  "/HEALTHZ",   "/api",
					     "//healthz", "/%68ealthz", "/../healthz" };

	for (size_t i = 0; i < length_of(paths); i++) {
		scoped(free_ptr) char *request =
			xasprintf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);

		assert_answer(*state, request, "HTTP/1.1 404 ",
			      "{\"error\":\"there is nothing at this path\"}\n");
	}
}

static void every_answer_forbids_caching_and_guessing(void **state)
{
	static const char *const requests[] = {
		"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /api/v1/status HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
		"DELETE /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
	};

	for (size_t i = 0; i < length_of(requests); i++) {
		scoped(free_ptr) char *answer = asked(*state, requests[i]);

		assert_has(answer, "Cache-Control: no-store\r\n");
		assert_has(answer, "X-Content-Type-Options: nosniff\r\n");
		assert_has(answer, "Content-Security-Policy: default-src 'none'");
		assert_has(answer, "X-Frame-Options: DENY\r\n");
		assert_has(answer, "Referrer-Policy: no-referrer\r\n");
		assert_has(answer, "Connection: close\r\n");
	}
}

static void head_has_the_headers_without_the_body(void **state)
{
	scoped(free_ptr) char *answer = asked(*state, "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_has(answer, "HTTP/1.1 200 ");
	assert_has(answer, "Content-Length: 3\r\n");
	assert_string_equal(body_of(answer), "");
}

static void methods_that_change_something_are_405(void **state)
{
	static const char *const methods[] = {
		"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"
	};

	for (size_t i = 0; i < length_of(methods); i++) {
		scoped(free_ptr) char *request = xasprintf(
			"%s /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", methods[i]);
		scoped(free_ptr) char *answer = asked(*state, request);

		assert_has(answer, "HTTP/1.1 405 ");
		assert_has(answer, "Allow: GET, HEAD\r\n");
		assert_has(body_of(answer), "{\"error\":");
	}
}

/* ---- strange clients ---- */

static void a_body_is_refused(void **state)
{
	scoped(free_ptr) char *answer = asked(
		*state, "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");

	assert_has(answer, "HTTP/1.1 413 ");
}

static void a_chunked_body_is_refused(void **state)
{
	scoped(free_ptr) char *answer =
		asked(*state, "POST /healthz HTTP/1.1\r\nHost: a\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");

	assert_has(answer, "HTTP/1.1 413 ");
}

static void headers_have_a_limit(void **state)
{
	scoped(free_ptr) char *filler = xcalloc(20001, 1);
	scoped(free_ptr) char *request = NULL;
	scoped(free_ptr) char *answer = NULL;

	memset(filler, 'x', 20000);
	request = xasprintf("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: %s\r\n\r\n", filler);
	answer = asked(*state, request);
	assert_null(strstr(answer, "200 OK"));
}

static void what_is_not_http_gets_no_figures(void **state)
{
	static const char *const requests[] = { "\r\n\r\n", "MSH|^~\\&|\r\n\r\n", "GET\r\n\r\n",
						"GET /healthz HTTP/9.9\r\n\r\n",
						"GET /healthz\r\n\r\n" };

	for (size_t i = 0; i < length_of(requests); i++) {
		scoped(free_ptr) char *answer = asked(*state, requests[i]);

		assert_null(strstr(answer, "200 OK"));
	}
}

static void a_request_may_arrive_one_byte_at_a_time(void **state)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *fixture = *state;
	struct client client;

	client_open(&client, fixture);
	for (const char *byte = request; *byte; byte++) {
		bufferevent_write(client.bev, byte, 1);
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	}
	turn_until(fixture, &client.ended);
	assert_string_equal(body_of(client.answer.p), "ok\n");
	client_done(&client);
}

static void a_second_request_on_a_connection_is_not_served(void **state)
{
	scoped(free_ptr) char *answer = asked(*state, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
						      "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");

	assert_string_equal(body_of(answer), "ok\n");
}

static void a_client_that_stops_in_its_request_is_closed(void **state)
{
	struct fixture *fixture = *state;
	scoped(free_ptr) char *answer = NULL;

	status_server_free(&fixture->server);
	start(fixture, &(struct status_settings){ .listen = "127.0.0.1:0", .patience_ms = 30 });
	answer = asked(fixture, "GET /healthz HTTP/1.1\r\nHost:");
	assert_string_equal(answer, "");
}

static void answered_connections_leave_no_descriptor(void **state)
{
	struct fixture *fixture = *state;
	size_t before = open_descriptors();

	for (size_t i = 0; i < 100; i++)
		assert_answer(fixture, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ",
			      "ok\n");
	turn_a_while(fixture); /* libevent closes the client's end here */
	assert_int_equal(open_descriptors(), before);
}

static void a_server_may_end_while_clients_wait(void **state)
{
	struct fixture *fixture = *state;
	struct client clients[3];

	for (size_t i = 0; i < length_of(clients); i++) {
		client_open(&clients[i], fixture);
		say(&clients[i], "GET /he");
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	}
	status_server_free(&fixture->server);
	for (size_t i = 0; i < length_of(clients); i++) {
		turn_until(fixture, &clients[i].ended);
		client_done(&clients[i]);
	}
}

/* ---- how many ---- */

static void restart(struct fixture *fixture, const struct status_settings *settings)
{
	status_server_free(&fixture->server);
	start(fixture, settings);
}

static void who_asks_nothing_makes_room(void **state)
{
	struct fixture *fixture = *state;
	struct client idle[3];

	restart(fixture,
		&(struct status_settings){ .listen = "127.0.0.1:0", .most_connections = 3 });
	for (size_t i = 0; i < length_of(idle); i++) {
		client_open(&idle[i], fixture);
		say(&idle[i], "GET /he");
		turn_a_while(fixture);
	}
	assert_answer(fixture, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "ok\n");
	turn_until(fixture, &idle[0].ended);
	assert_false(idle[1].ended);
	assert_false(idle[2].ended);
	for (size_t i = 0; i < length_of(idle); i++)
		client_done(&idle[i]);
}

static void a_hundred_idle_connections_hold_no_more_descriptors_than_allowed(void **state)
{
	struct fixture *fixture = *state;
	struct client idle[100];
	size_t open = 0;

	restart(fixture,
		&(struct status_settings){ .listen = "127.0.0.1:0", .most_connections = 8 });
	for (size_t i = 0; i < length_of(idle); i++) {
		client_open(&idle[i], fixture);
		turn_a_while(fixture);
	}
	for (size_t i = 0; i < length_of(idle); i++) {
		open += !idle[i].ended;
		client_done(&idle[i]);
	}
	assert_int_equal(open, 8);
}

static void a_client_that_reads_nothing_is_closed(void **state)
{
	struct fixture *fixture = *state;
	size_t before = open_descriptors();
	struct client client;

	restart(fixture, &(struct status_settings){ .listen = "127.0.0.1:0", .patience_ms = 20 });
	client_open(&client, fixture);
	say(&client, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
	bufferevent_disable(client.bev, EV_READ);
	while (open_descriptors() != before + 1) /* its own end stays */
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	client_done(&client);
}

/* ---- who may ask ---- */

static const char token[] = "0123456789abcdef0123";

#define WITH(authorization) "GET /healthz HTTP/1.1\r\nHost: a\r\n" authorization "\r\n"
#define BEARER "Authorization: Bearer 0123456789abcdef0123\r\n"

static void with_a_token_only_its_bearer_is_answered(void **state)
{
	static const char *const refused[] = {
		WITH(""),
		WITH("Authorization: Bearer 0123456789abcdef0124\r\n"),
		WITH("Authorization: Bearer\r\n"),
		"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	struct fixture *fixture = *state;

	log_set_level(LEVEL_ERROR);
	restart(fixture, &(struct status_settings){ .listen = "127.0.0.1:0", .token = token });
	for (size_t i = 0; i < length_of(refused); i++) {
		scoped(free_ptr) char *answer = asked(fixture, refused[i]);

		assert_has(answer, "HTTP/1.1 401 ");
		assert_has(answer, "WWW-Authenticate: Basic");
		assert_null(strstr(answer, token));
	}
	assert_answer(fixture, WITH(BEARER), "HTTP/1.1 200 ", "ok\n");
}

static struct pki pki;
static char *server_pem, *client_pem, *stranger_pem;

static char *write_leaf(const char *name, X509 *issuer)
{
	X509 *leaf = pki_issue(&(struct pki_request){ .cn = name,
						      .usage = PKI_AUTH,
						      .from_days = -1000,
						      .to_days = 1000,
						      .serial = "03" },
			       pki.key, issuer, pki.key);
	char *path = pki_write(&pki, name, (X509 *[]){ leaf, issuer, NULL }, NULL);

	X509_free(leaf);
	return path;
}

static int make_certificates(void **state)
{
	(void)state;
	pki_make(&pki);
	server_pem = write_leaf("server.pem", pki.intermediate);
	client_pem = write_leaf("client.pem", pki.intermediate);
	stranger_pem = write_leaf("stranger.pem", NULL);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	free(server_pem);
	free(client_pem);
	free(stranger_pem);
	pki_done(&pki);
	return 0;
}

/* The client's side of TLS, which trusts anybody; its certificate, or NULL. */
static SSL *tls_of(const char *cert)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *tls;

	if (cert != NULL) {
		assert_int_equal(SSL_CTX_use_certificate_chain_file(context, cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(context, pki.key), 1);
	}
	tls = SSL_new(context);
	SSL_CTX_free(context);
	return tls;
}

static struct status_settings tls_settings(const char *listen)
{
	return (struct status_settings){ .listen = listen,
					 .tls = { .cert = server_pem, .key = pki.key_pem } };
}

static void beyond_loopback_a_token_over_tls_is_answered(void **state)
{
	struct fixture *fixture = *state;
	struct status_settings settings = tls_settings("0.0.0.0:0");
	scoped(free_ptr) char *without = NULL;
	scoped(free_ptr) char *with = NULL;

	settings.token = token;
	restart(fixture, &settings);
	without = asked_through(fixture, tls_of(NULL), WITH(""));
	assert_has(without, "HTTP/1.1 401 ");
	with = asked_through(fixture, tls_of(NULL), WITH(BEARER));
	assert_has(with, "HTTP/1.1 200 ");
	assert_string_equal(body_of(with), "ok\n");
}

static void with_authorities_only_their_certificates_are_answered(void **state)
{
	struct fixture *fixture = *state;
	struct status_settings settings = tls_settings("0.0.0.0:0");
	const char *const refused[] = { NULL, stranger_pem };
	scoped(free_ptr) char *known = NULL;

	settings.tls.client_ca = pki.chain_pem;
	restart(fixture, &settings);
	for (size_t i = 0; i < length_of(refused); i++) {
		scoped(free_ptr) char *answer =
			asked_through(fixture, tls_of(refused[i]), WITH(""));

		assert_string_equal(answer, "");
	}
	known = asked_through(fixture, tls_of(client_pem), WITH(""));
	assert_string_equal(body_of(known), "ok\n");
}

static void who_speaks_no_tls_to_tls_gets_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct status_settings settings = tls_settings("127.0.0.1:0");
	scoped(free_ptr) char *answer = NULL;

	restart(fixture, &settings);
	answer = asked(fixture, WITH(""));
	assert_string_equal(answer, "");
}

static void tls_without_its_key_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct status_settings settings = tls_settings("127.0.0.1:0");
	struct status_server *server = NULL;
	const struct status_desk desk = desk_of(fixture);
	struct err err = { 0 };

	settings.tls.key = "/nonexistent";
	assert_int_equal(status_server_new(&server, fixture->loop, &settings, &desk, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_has(err.text, "status.tls.key: ");
}

/* ---- where it listens ---- */

static void port_0_becomes_the_port_the_system_chose(void **state)
{
	struct fixture *fixture = *state;
	const char *address = status_server_address(fixture->server);

	assert_memory_equal(address, "127.0.0.1:", 10);
	assert_true(strtoul(address + 10, NULL, 10) > 0);
}

static void it_listens_on_the_other_loopback_too(void **state)
{
	struct fixture *fixture = *state;
	struct status_settings settings = { .listen = "[::1]:0" };
	const struct status_desk desk = desk_of(fixture);
	struct err err = { 0 };

	status_server_free(&fixture->server);
	if (status_server_new(&fixture->server, fixture->loop, &settings, &desk, &err) < 0)
		skip(); /* a machine without IPv6 */
	assert_memory_equal(status_server_address(fixture->server), "[::1]:", 6);
	assert_answer(fixture, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "ok\n");
}

/* TLS alone lets everybody in, and a token in clear is everybody's. */
static void half_a_lock_beyond_loopback_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct status_settings halves[] = { tls_settings("0.0.0.0:0"),
					    { .listen = "0.0.0.0:0", .token = token } };

	for (size_t i = 0; i < length_of(halves); i++) {
		struct status_server *server = NULL;
		const struct status_desk desk = desk_of(fixture);
		struct err err = { 0 };

		assert_int_equal(status_server_new(&server, fixture->loop, &halves[i], &desk, &err),
				 -1);
		assert_has(err.text, "is beyond loopback");
	}
}

static void assert_refused(struct fixture *fixture, const char *listen, const char *why)
{
	struct status_settings settings = { .listen = listen };
	struct status_server *server = NULL;
	const struct status_desk desk = desk_of(fixture);
	struct err err = { 0 };

	assert_int_equal(status_server_new(&server, fixture->loop, &settings, &desk, &err), -1);
	assert_null(server);
	assert_int_equal(err.kind, ERR_HALT);
	assert_has(err.text, "status.listen: ");
	assert_has(err.text, why);
}

static void addresses_beyond_loopback_are_refused(void **state)
{
	static const char *const addresses[] = { "0.0.0.0:8690",       "192.0.2.1:8690",
						 "128.0.0.1:0",        "[::]:8690",
						 "[2001:db8::1]:8690", "[::ffff:127.0.0.1]:8690" };

	for (size_t i = 0; i < length_of(addresses); i++)
		assert_refused(*state, addresses[i], "is beyond loopback");
}

static void what_is_no_address_and_port_is_refused(void **state)
{
	static const char *const addresses[] = {
		"",
		":",
		":8690",
		"8690",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:http",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1:8690 ",
		"localhost:8690",
		"[::1]",
		"[::1]8690",
		"::1:8690",
		"[]:1",
		"[:1",
		"127.1:8690",
	};

	for (size_t i = 0; i < length_of(addresses); i++)
		assert_refused(*state, addresses[i], "is not an address and a port");
}

static void a_port_in_use_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_refused(fixture, status_server_address(fixture->server), "Address already in use");
}

#define test_with_server(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_server(healthz_says_ok_while_the_loop_turns),
		test_with_server(readyz_says_ready),
		test_with_server(readyz_says_in_one_line_why_it_is_not),
		test_with_server(healthz_is_200_when_readyz_is_503),
		test_with_server(the_status_is_json),
		test_with_server(the_metrics_are_prometheus_text),
		test_with_server(the_page_is_html_in_the_language_asked_for),
		test_with_server(lists_are_asked_for_by_name),
		test_with_server(a_list_may_be_answered_later),
		test_with_server(who_left_may_still_be_answered),
		test_with_server(a_query_that_nobody_knows_is_400),
		test_with_server(http_1_0_is_answered_too),
		test_with_server(another_path_is_404_in_json),
		test_with_server(every_answer_forbids_caching_and_guessing),
		test_with_server(head_has_the_headers_without_the_body),
		test_with_server(methods_that_change_something_are_405),
		test_with_server(a_body_is_refused),
		test_with_server(a_chunked_body_is_refused),
		test_with_server(headers_have_a_limit),
		test_with_server(what_is_not_http_gets_no_figures),
		test_with_server(a_request_may_arrive_one_byte_at_a_time),
		test_with_server(a_second_request_on_a_connection_is_not_served),
		test_with_server(a_client_that_stops_in_its_request_is_closed),
		test_with_server(answered_connections_leave_no_descriptor),
		test_with_server(a_server_may_end_while_clients_wait),
		test_with_server(who_asks_nothing_makes_room),
		test_with_server(a_hundred_idle_connections_hold_no_more_descriptors_than_allowed),
		test_with_server(a_client_that_reads_nothing_is_closed),
		test_with_server(with_a_token_only_its_bearer_is_answered),
		test_with_server(beyond_loopback_a_token_over_tls_is_answered),
		test_with_server(with_authorities_only_their_certificates_are_answered),
		test_with_server(who_speaks_no_tls_to_tls_gets_nothing),
		test_with_server(tls_without_its_key_is_refused),
		test_with_server(half_a_lock_beyond_loopback_is_refused),
		test_with_server(port_0_becomes_the_port_the_system_chose),
		test_with_server(it_listens_on_the_other_loopback_too),
		test_with_server(addresses_beyond_loopback_are_refused),
		test_with_server(what_is_no_address_and_port_is_refused),
		test_with_server(a_port_in_use_is_refused),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
