/* The status port, asked through real sockets on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "http_client.h"
#include "pki.h"
#include "skip.h"
#include "status/connection.h"
#include "status/page.h"
#include "status/status_server.h"

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

static char *asked_through(struct fixture *fixture, SSL *tls, const char *request)
{
	return ask(fixture->loop, status_server_address(fixture->server), tls, request);
}

static char *asked(struct fixture *fixture, const char *request)
{
	return asked_through(fixture, NULL, request);
}

static void assert_answer(struct fixture *fixture, const char *request, const char *status_line,
			  const char *body)
{
	scoped(free_ptr) char *answer = asked(fixture, request);

	if (strncmp(answer, status_line, strlen(status_line)) != 0)
		fail_msg("%s\nwas answered:\n%s", request, answer);
	assert_string_equal(body_of(answer), body);
}

static void wait_for_list(struct fixture *fixture)
{
	while (fixture->waiting == NULL)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
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

static void the_metrics_are_openmetrics_for_who_accepts_it(void **state)
{
	scoped(free_ptr) char *answer =
		asked(*state, "GET /metrics HTTP/1.1\r\nHost: a\r\n"
			      "Accept: application/openmetrics-text;version=1.0.0\r\n\r\n");

	assert_has(answer, "Content-Type: application/openmetrics-text; version=1.0.0; "
			   "charset=utf-8\r\n");
	assert_has(answer, "Vary: Accept\r\n");
	assert_has(body_of(answer), "\n# EOF\n");
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
	client_open(&client, fixture->loop, status_server_address(fixture->server), NULL);
	client_say(&client, "GET /api/v1/documents HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_for_list(fixture);
	assert_false(client.ended);
	status_answer_unavailable(fixture->waiting, "too much is asked at once");
	turn_until(fixture->loop, &client.ended);
	assert_has(client.answer.p, "HTTP/1.1 503 ");
	assert_has(client.answer.p, "Retry-After: 5\r\n");
	client_done(&client);
}

static void who_left_may_still_be_answered(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	fixture->waits = true;
	client_open(&client, fixture->loop, status_server_address(fixture->server), NULL);
	client_say(&client, "GET /api/v1/documents HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_for_list(fixture);
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
	assert_answer(*state, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 ", "ok\n");
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
	static const char *const methods[] = { "POST",  "PUT",   "DELETE", "OPTIONS",
					       "TRACE", "PATCH", "PURGE",  "get" };

	for (size_t i = 0; i < length_of(methods); i++) {
		scoped(free_ptr) char *request = xasprintf(
			"%s /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", methods[i]);
		scoped(free_ptr) char *answer = asked(*state, request);

		assert_has(answer, "HTTP/1.1 405 ");
		assert_has(answer, "Allow: GET, HEAD\r\n");
		assert_has(body_of(answer), "{\"error\":");
	}
}

/* ---- who may ask ---- */

static void restart(struct fixture *fixture, const struct status_settings *settings)
{
	status_server_free(&fixture->server);
	start(fixture, settings);
}

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
	without = asked_through(fixture, client_tls(NULL, NULL), WITH(""));
	assert_has(without, "HTTP/1.1 401 ");
	with = asked_through(fixture, client_tls(NULL, NULL), WITH(BEARER));
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
			asked_through(fixture, client_tls(refused[i], pki.key), WITH(""));

		assert_string_equal(answer, "");
	}
	known = asked_through(fixture, client_tls(client_pem, pki.key), WITH(""));
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
		skip_because("a machine without IPv6");
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
		test_with_server(the_metrics_are_openmetrics_for_who_accepts_it),
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
