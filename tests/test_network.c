/* Networks: how they are written, and which addresses are of them. */
#include "sample.h"

#include "base/address.h"
#include "base/network.h"

static void what_is_written_is_read_and_written_alike(void **state)
{
	static const struct {
		const char *text, *again;
	} cases[] = {
		{ "10.1.0.0/16", "10.1.0.0/16" },
		{ "192.168.4.7", "192.168.4.7" },
		{ "192.168.4.7/32", "192.168.4.7" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "10.128.0.0/9", "10.128.0.0/9" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::/0", "::/0" },
		{ "::1", "::1" },
		{ "::ffff:10.1.0.0/112", "10.1.0.0/16" },
		{ "::ffff:10.1.2.3", "10.1.2.3" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct network network;
		char text[NETWORK_TEXT];
		struct err err = { 0 };

		if (network_parse(slice_of(cases[i].text), &network, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(network_text(&network, text), cases[i].again);
	}
}

static void what_is_no_network_is_told(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "write an IP address or a network" },
		{ "/8", "write an IP address or a network" },
		{ "labo.example", "write an IP address" },
		{ "10.1", "write an IP address" },
		{ "10.1.0.0.0/16", "write an IP address" },
		{ "10.1.0.256", "write an IP address" },
		{ "[::1]", "write an IP address" },
		{ "2001:db8:::/32", "write an IP address" },
		{ "10.1.0.0-10.1.0.9", "write an IP address" },
		{ " 10.1.0.0/16", "write an IP address" },
		{ "1234:1234:1234:1234:1234:1234:123.123.123.123:1234:1234", "write an IP addr" },
		{ "10.1.0.0/", "a number of bits after the slash, 32 at most" },
		{ "10.1.0.0/33", "32 at most" },
		{ "10.1.0.0/-1", "32 at most" },
		{ "10.1.0.0/255.255.0.0", "32 at most" },
		{ "10.1.0.0/16/16", "32 at most" },
		{ "::/129", "128 at most" },
		{ "10.1.2.3/16", "beyond its 16 bits: write 10.1.0.0/16, or more bits" },
		{ "10.1.0.0/15", "beyond its 15 bits: write 10.0.0.0/15" },
		{ "10.0.0.1/0", "beyond its 0 bits: write 0.0.0.0/0" },
		{ "2001:db8::1/32", "beyond its 32 bits: write 2001:db8::/32" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct network network;
		struct err err = { 0 };

		assert_int_equal(network_parse(slice_of(cases[i].text), &network, &err), -1);
		assert_int_equal(err.kind, ERR_HALT);
		if (strstr(err.text, cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

static void addresses_are_of_their_networks_and_no_others(void **state)
{
	static const struct {
		const char *network, *peer;
		bool has;
	} cases[] = {
		{ "10.1.0.0/16", "10.1.0.0:1", true },
		{ "10.1.0.0/16", "10.1.255.255:65535", true },
		{ "10.1.0.0/16", "10.2.0.0:1", false },
		{ "10.1.0.0/16", "10.0.255.255:1", false },
		{ "10.1.0.0/16", "[::ffff:10.1.4.4]:1", true },
		{ "10.1.0.0/16", "[::ffff:10.2.4.4]:1", false },
		{ "10.1.0.0/16", "[::1]:1", false },
		{ "10.128.0.0/9", "10.127.0.1:1", false },
		{ "10.128.0.0/9", "10.128.0.1:1", true },
		{ "192.168.4.7", "192.168.4.7:1", true },
		{ "192.168.4.7", "192.168.4.6:1", false },
		{ "0.0.0.0/0", "203.0.113.9:1", true },
		{ "0.0.0.0/0", "[::1]:1", false },
		{ "::/0", "[::1]:1", true },
		{ "::/0", "127.0.0.1:1", false },
		{ "::/0", "[::ffff:127.0.0.1]:1", false },
		{ "::ffff:10.1.0.0/112", "10.1.4.4:1", true },
		{ "2001:db8::/32", "[2001:db8:ffff::1]:1", true },
		{ "2001:db8::/32", "[2001:db9::1]:1", false },
		{ "2001:db8::1", "[2001:db8::1]:1", true },
		{ "2001:db8::1", "[2001:db8::2]:1", false },
		{ "2001:db8::/127", "[2001:db8::1]:1", true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct network network;
		struct address peer;
		struct err err = { 0 };

		assert_int_equal(network_parse(slice_of(cases[i].network), &network, &err), 0);
		assert_true(address_parse(cases[i].peer, &peer));
		if (network_has(&network, (struct sockaddr *)&peer.socket) != cases[i].has)
			fail_msg("%s, %s", cases[i].network, cases[i].peer);
	}
}

static void a_peer_that_is_not_of_the_internet_is_of_no_network(void **state)
{
	const struct sockaddr peer = { .sa_family = AF_UNIX };
	const struct network everything4 = { .ip4 = true }, everything6 = { 0 };

	(void)state;
	assert_false(network_has(&everything4, &peer));
	assert_false(network_has(&everything6, &peer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_and_written_alike),
		cmocka_unit_test(what_is_no_network_is_told),
		cmocka_unit_test(addresses_are_of_their_networks_and_no_others),
		cmocka_unit_test(a_peer_that_is_not_of_the_internet_is_of_no_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
