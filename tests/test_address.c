/* Addresses of sockets as people write them. */
#include "sample.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "base/address.h"

static void an_address_is_a_number_and_a_port(void **state)
{
	static const struct {
		const char *text;
		bool is_one, loopback;
	} rows[] = {
		{ "127.0.0.1:2575", true, true },
		{ "127.8.9.10:0", true, true },
		{ "0.0.0.0:65535", true, false },
		{ "192.0.2.7:1", true, false },
		{ "[::1]:2575", true, true },
		{ "[2001:db8::1]:2575", true, false },
		{ "", false, false },
		{ ":2575", false, false },
		{ "127.0.0.1", false, false },
		{ "127.0.0.1:", false, false },
		{ "127.0.0.1:65536", false, false },
		{ "127.0.0.1:-1", false, false },
		{ "127.0.0.1:1x", false, false },
		{ "127.0.0:1", false, false },
		{ "localhost:1", false, false },
		{ "::1:2575", false, false },
		{ "[]:1", false, false },
		{ "[127.0.0.1]:1", false, false },
		{ "[::1]2575", false, false },
		{ "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:1", false, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct address address;
		char text[ADDRESS_TEXT];

		if (address_parse(rows[i].text, &address) != rows[i].is_one)
			fail_msg("%s", rows[i].text);
		if (!rows[i].is_one)
			continue;
		assert_int_equal(address_is_loopback(&address), rows[i].loopback);
		assert_string_equal(address_text((struct sockaddr *)&address.socket, text),
				    rows[i].text);
	}
}

static void a_bound_socket_tells_where_it_is(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct address wanted, got;
	char text[ADDRESS_TEXT];

	(void)state;
	assert_true(address_parse("127.0.0.1:0", &wanted));
	assert_int_equal(bind(fd, (struct sockaddr *)&wanted.socket, wanted.bytes), 0);
	assert_true(address_parse(address_of_socket(fd, text), &got));
	assert_memory_equal(text, "127.0.0.1:", 10);
	assert_string_not_equal(text, "127.0.0.1:0");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_a_number_and_a_port),
		cmocka_unit_test(a_bound_socket_tells_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
