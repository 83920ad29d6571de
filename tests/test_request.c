/* What a request asks for, and who asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/codec.h"
#include "status/request.h"

static void a_target_is_a_path_and_a_query(void **state)
{
	static const struct {
		const char *text, *path, *query;
	} cases[] = {
		{ "/", "/", "" },
		{ "/api/v1/documents?state=held&x", "/api/v1/documents", "state=held&x" },
		{ "/healthz?", "/healthz", "" },
		{ "//a/%68?b?c", "//a/%68", "b?c" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct request request = { 0 };

		if (!request_read_target(slice_of(cases[i].text), &request))
			fail_msg("%s", cases[i].text);
		assert_true(slice_is(request.path, cases[i].path));
		assert_true(slice_is(request.query, cases[i].query));
	}
}

static void what_is_for_others_is_no_target(void **state)
{
	static const char *const texts[] = { "",     "*",    "http://a/", "a:80",  "healthz",
					     "/a#b", "/a b", "/a\tb",     "/\x7f", "/\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		struct request request = { 0 };

		if (request_read_target(slice_of(texts[i]), &request))
			fail_msg("\"%s\" was taken", texts[i]);
	}
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
		("state="
		 "1234567890123456789012345678901234567890123456789012345678901234567890123456789"
		 "0"),
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

static void openmetrics_is_for_who_names_it(void **state)
{
	static const struct {
		const char *accept;
		bool open;
	} cases[] = {
		{ "", false },
		{ "*/*", false },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", false },
		{ "application/openmetrics-text", true },
		{ "application/openmetrics-text; version=1.0.0; charset=utf-8", true },
		{ "Application/OpenMetrics-Text;version=1.0.0", true },
		{ "application/openmetrics-text;version=0.0.1", false },
		{ "application/openmetrics-text;version=2.0.0", false },
		{ "application/openmetrics-text;version=1.0.0;q=0", false },
		{ "application/openmetrics-text;q=0.3,text/plain;q=0.5", false },
		{ "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.5", true },
		/* as Prometheus 2 and 3 ask */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		  "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  true },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		  "application/openmetrics-text;version=0.0.1;q=0.5,"
		  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
		  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		  true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct request request = { .accept = slice_of(cases[i].accept) };

		if (request_wants_openmetrics(&request) != cases[i].open)
			fail_msg("%s", cases[i].accept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_is_a_path_and_a_query),
		cmocka_unit_test(what_is_for_others_is_no_target),
		cmocka_unit_test(a_query_is_decoded),
		cmocka_unit_test(a_query_that_is_none_is_refused),
		cmocka_unit_test(the_token_opens_and_nothing_else_does),
		cmocka_unit_test(the_language_that_weighs_most_is_spoken),
		cmocka_unit_test(openmetrics_is_for_who_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
