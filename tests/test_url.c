/* URLs, as far as every library reads them alike. */
#include "sample.h"

#include "base/url.h"

static void a_host_is_a_name_or_an_address_with_a_port_or_without(void **state)
{
	static const struct {
		const char *scheme, *text, *host; /* NULL: refused */
		uint64_t port;
	} rows[] = {
		{ "https://", "https://dmp.example", "dmp.example", 0 },
		{ "https://", "https://dmp.example/services?x=1", "dmp.example", 0 },
		{ "https://", "https://dmp.example?x=1", "dmp.example", 0 },
		{ "https://", "https://dmp.example:8443/services", "dmp.example", 8443 },
		{ "https://", "https://192.0.2.7:65535/", "192.0.2.7", 65535 },
		{ "https://", "https://[2001:db8::1]/", "2001:db8::1", 0 },
		{ "https://", "https://[2001:db8::1]:443/", "2001:db8::1", 443 },
		{ "http://", "http://proxy.example:3128", "proxy.example", 3128 },
		{ "https://", "http://dmp.example/", NULL, 0 },
		{ "http://", "https://dmp.example/", NULL, 0 },
		{ "https://", "HTTPS://dmp.example/", NULL, 0 },
		{ "https://", "https://", NULL, 0 },
		{ "https://", "https:///services", NULL, 0 },
		{ "https://", "https://:443/", NULL, 0 },
		{ "https://", "https://dmp.example:/", NULL, 0 },
		{ "https://", "https://dmp.example:0/", NULL, 0 },
		{ "https://", "https://dmp.example:65536/", NULL, 0 },
		{ "https://", "https://dmp.example:443x/", NULL, 0 },
		{ "https://", "https://user@dmp.example/", NULL, 0 },
		{ "https://", "https://dmp.example/a b", NULL, 0 },
		{ "https://", "https://dmp.example\\@other.example/", NULL, 0 },
		{ "https://", "https://dmp.example/#part", NULL, 0 },
		{ "https://", "https://dmp_example/", NULL, 0 },
		{ "https://", "https://dmp.ex\xc3\xa9mple/", NULL, 0 },
		{ "https://", "https://[2001:db8::1/", NULL, 0 },
		{ "https://", "https://[2001:db8::1]443/", NULL, 0 },
		{ "https://", "https://[127.0.0.1]/", NULL, 0 },
		{ "https://", "https://[]/", NULL, 0 },
		{ "https://", "https://[dmp.example]/", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct url url;

		if (url_parse(rows[i].scheme, slice_of(rows[i].text), &url) !=
		    (rows[i].host != NULL))
			fail_msg("%s", rows[i].text);
		if (rows[i].host == NULL)
			continue;
		assert_string_equal(url.host, rows[i].host);
		assert_int_equal(url.has_port, rows[i].port != 0);
		assert_int_equal(url.port, rows[i].port);
		assert_int_equal(url.has_brackets, strchr(rows[i].host, ':') != NULL);
	}
}

static void a_host_too_long_to_be_kept_is_none(void **state)
{
	char text[sizeof("https://") + sizeof(((struct url *)0)->host)] = "https://";
	const size_t scheme = strlen(text), most = sizeof(((struct url *)0)->host) - 1;
	struct url url;

	(void)state;
	memset(text + scheme, 'a', most);
	assert_true(url_parse("https://", (struct slice){ text, scheme + most }, &url));
	assert_int_equal(strlen(url.host), most);
	text[scheme + most] = 'a';
	assert_false(url_parse("https://", (struct slice){ text, scheme + most + 1 }, &url));
}

static void the_machine_itself_is_known_in_all_its_names(void **state)
{
	static const struct {
		const char *text;
		bool is_loopback;
	} rows[] = {
		{ "https://127.0.0.1:8443/services", true },
		{ "https://127.255.255.254/", true },
		{ "https://[::1]:8443/", true },
		{ "https://localhost", true },
		{ "https://LocalHost:1/", true },
		{ "https://127.0.0.1.dmp.example/", false },
		{ "https://localhost.dmp.example/", false },
		{ "https://127.1/", false },
		{ "https://128.0.0.1/", false },
		{ "https://[::2]/", false },
		{ "https://dmp.example/127.0.0.1", false },
		{ "https://dmp.example/?127.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct url url;

		if (!url_parse("https://", slice_of(rows[i].text), &url) ||
		    url_is_loopback(&url) != rows[i].is_loopback)
			fail_msg("%s", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_a_name_or_an_address_with_a_port_or_without),
		cmocka_unit_test(a_host_too_long_to_be_kept_is_none),
		cmocka_unit_test(the_machine_itself_is_known_in_all_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
