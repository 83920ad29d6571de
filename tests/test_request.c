/* One request of HTTP/1: what is read, what is refused, and that no split of its bytes changes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "status/request.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"

static int read_text(const char *text, struct request *ret_request)
{
	size_t n = 0;

	return request_read(slice_of(text), ret_request, &n);
}

static void a_request_is_read(void **state)
{
	static const char text[] =
		"HEAD /api/v1/documents?state=held&x HTTP/1.1\r\nhost: a\r\n"
		"AUTHORIZATION:Bearer t \r\nAccept-Language: fr\r\nX:\t\r\n\r\nGET";
	struct request request;
	size_t n = 0;

	(void)state;
	assert_int_equal(request_read(slice_of(text), &request, &n), 200);
	assert_int_equal(n, sizeof(text) - 1 - 3);
	assert_true(request.is_head);
	assert_true(slice_is(request.path, "/api/v1/documents"));
	assert_true(slice_is(request.query, "state=held&x"));
	assert_true(slice_is(request.authorization, "Bearer t"));
	assert_true(slice_is(request.accept_language, "fr"));
}

static void a_request_may_be_cut_anywhere(void **state)
{
	static const char text[] = GET "Accept-Language: en\r\n\r\n";
	struct request request;
	size_t used;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(request_read((struct slice){ text, n }, &request, &used), 0);
	assert_int_equal(read_text(text, &request), 200);
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		/* the first line */
		{ "\r\n", 400 },
		{ "GET\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1 \r\n\r\n", 400 },
		{ " GET / HTTP/1.1\r\n\r\n", 400 },
		{ "G(T / HTTP/1.1\r\n\r\n", 400 },
		{ "GET http://a/ HTTP/1.1\r\n\r\n", 400 },
		{ "GET * HTTP/1.1\r\n\r\n", 400 },
		{ "GET /a#b HTTP/1.1\r\n\r\n", 400 },
		{ "GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 400 },
		{ "GET / http/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/2.0\r\n\r\n", 505 },
		{ "GET / HTTP/1.2\r\n\r\n", 505 },
		{ "get / HTTP/1.1\r\nHost: a\r\n\r\n", 405 },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405 },
		/* line ends */
		{ "GET / HTTP/1.1\nHost: a\n\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\rb", 400 },
		/* headers */
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ GET "Host: b\r\n\r\n", 400 },
		{ GET "X : y\r\n\r\n", 400 },
		{ GET " folded\r\n\r\n", 400 },
		{ GET "no colon\r\n\r\n", 400 },
		{ GET ": nameless\r\n\r\n", 400 },
		{ GET "X: \x01\r\n\r\n", 400 },
		{ GET "Authorization: a\r\nAuthorization: b\r\n\r\n", 400 },
		/* bodies */
		{ GET "Content-Length: 1\r\n\r\n", 413 },
		{ GET "Content-Length: 0\r\n\r\n", 200 },
		{ GET "Content-Length: +0\r\n\r\n", 400 },
		{ GET "Content-Length:\r\n\r\n", 400 },
		{ GET "Content-Length: 0, 0\r\n\r\n", 400 },
		{ GET "Content-Length: 0\r\nContent-Length: 5\r\n\r\n", 400 },
		{ GET "Transfer-Encoding: chunked\r\n\r\n", 413 },
		{ GET "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400 },
		{ GET "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
		{ "GET / HTTP/1.0\r\n\r\n", 200 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct request request;
		int code = read_text(cases[i].text, &request);

		if (code != cases[i].code)
			fail_msg("%d, not %d:\n%s", code, cases[i].code, cases[i].text);
	}
}

static void more_headers_than_anybody_sends_are_refused(void **state)
{
	scoped(buf_done) struct buf text = { 0 };
	struct request request;
	size_t n;

	(void)state;
	buf_add_text(&text, GET);
	for (size_t i = 0; i < 101; i++)
		buf_add_text(&text, "X: y\r\n");
	buf_add_text(&text, "\r\n");
	assert_int_equal(request_read(buf_slice(&text), &request, &n), 400);
}

static void a_nul_in_a_request_is_refused(void **state)
{
	static const char text[] = "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n";
	struct request request;
	size_t n;

	(void)state;
	assert_int_equal(request_read((struct slice){ text, sizeof(text) - 1 }, &request, &n), 400);
}

/* ---- queries ---- */

static const char *const names[] = { "state", "site", NULL };

static void a_query_is_decoded(void **state)
{
	static const struct {
		const char *text, *state, *site;
	} cases[] = {
		{ "", "", "" },
		{ "&&", "", "" },
		{ "state", "", "" },
		{ "state=held", "held", "" },
		{ "site=%39%390000001&state=a+b", "a b", "990000001" },
		{ "state=a%2Bb%26c%3d", "a+b&c=", "" },
		{ "state=%c3%A9", "\xc3\xa9", "" },
		{ "state=a=b", "a=b", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct query query;
		struct err err = { 0 };

		if (query_read(slice_of(cases[i].text), names, &query, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(query.values[0], cases[i].state);
		assert_string_equal(query.values[1], cases[i].site);
	}
}

static void a_query_that_is_none_is_refused(void **state)
{
	static const char *const texts[] = {
		"State=a",
		"stat=a",
		"state=a&state=a",
		"=a",
		"state=%",
		"state=%4",
		"state=%zz",
		"state=%00",
		"state=%0a",
		"other",
		"state="
		"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		struct query query;
		struct err err = { 0 };

		if (query_read(slice_of(texts[i]), names, &query, &err) == 0)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_int_equal(err.kind, ERR_REJECT);
	}
}

/* ---- tokens ---- */

static void the_token_opens_and_nothing_else_does(void **state)
{
	static const struct {
		const char *shown;
		bool opens;
	} cases[] = {
		{ "Bearer 0123456789abcdef0123", true },
		{ "bearer  0123456789abcdef0123", true },
		{ "Bearer 0123456789abcdef0124", false },
		{ "Bearer 0123456789abcdef012", false },
		{ "Bearer 0123456789abcdef01234", false },
		{ "Bearer ", false },
		{ "Bearer", false },
		{ "", false },
		{ "0123456789abcdef0123", false },
		{ "Digest 0123456789abcdef0123", false },
		{ "Basic b3BzOjAxMjM0NTY3ODlhYmNkZWYwMTIz", true },
		{ "Basic OjAxMjM0NTY3ODlhYmNkZWYwMTIz", true },
		{ "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM=", false }, /* without a user and a colon */
		{ "Basic 0123456789abcdef0123", false },
		{ "Basic ***", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct request request = { .authorization = slice_of(cases[i].shown) };

		if (request_shows(&request, "0123456789abcdef0123") != cases[i].opens)
			fail_msg("%s", cases[i].shown);
	}
}

/* ---- languages ---- */

static void the_language_that_weighs_most_is_spoken(void **state)
{
	static const struct {
		const char *accepted;
		bool french;
	} cases[] = {
		{ "", true },
		{ "de", true },
		{ "*", true },
		{ "fr", true },
		{ "en", false },
		{ "EN-us", false },
		{ "fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", true },
		{ "en-GB, en; q=0.9, fr; q=0.5", false },
		{ "en;q=0.5,fr;q=0.55", true },
		{ "en;q=0.551,fr;q=0.55", false },
		{ "fr;q=0,en;q=0.001", false },
		{ "french,en;q=0.1", false },
		{ ";;,,;q=,en", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct request request = { .accept_language = slice_of(cases[i].accepted) };

		if (request_wants_french(&request) != cases[i].french)
			fail_msg("%s", cases[i].accepted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(a_request_may_be_cut_anywhere),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(more_headers_than_anybody_sends_are_refused),
		cmocka_unit_test(a_nul_in_a_request_is_refused),
		cmocka_unit_test(a_query_is_decoded),
		cmocka_unit_test(a_query_that_is_none_is_refused),
		cmocka_unit_test(the_token_opens_and_nothing_else_does),
		cmocka_unit_test(the_language_that_weighs_most_is_spoken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
