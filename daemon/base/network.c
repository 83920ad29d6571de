/* Networks as people write them. Any thread. */
#include "base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

enum { BITS4 = 32, BITS6 = 128, BITS_MAPPED = BITS6 - BITS4 };

/* The first twelve bytes of an IPv4 address that is written as IPv6 (RFC 4291, 2.5.5.2). */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_mapped(const uint8_t address[static 16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static void unmap(struct network *network)
{
	if (network->ip4 || network->bits < BITS_MAPPED || !is_mapped(network->address))
		return;
	memmove(network->address, network->address + sizeof(mapped), 4);
	memset(network->address + 4, 0, sizeof(mapped));
	network->bits -= BITS_MAPPED;
	network->ip4 = true;
}

static bool parse_address(struct slice text, struct network *network)
{
	char address[INET6_ADDRSTRLEN] = "";

	if (text.n >= sizeof(address))
		return false;
	memcpy(address, text.p, text.n);
	network->ip4 = inet_pton(AF_INET, address, network->address) == 1;
	return network->ip4 || inet_pton(AF_INET6, address, network->address) == 1;
}

static bool has_bit(const uint8_t *address, unsigned i)
{
	return address[i / 8] & 0x80 >> i % 8;
}

/* false: some were set. */
static bool clear_rest(struct network *network)
{
	bool clear = true;

	for (unsigned i = network->bits; i < BITS6; i++)
		if (has_bit(network->address, i)) {
			network->address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
			clear = false;
		}
	return clear;
}

int network_parse(struct slice text, struct network *ret_network, struct err *err)
{
	const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	struct slice address = { text.p, slash ? (size_t)(slash - text.p) : text.n };
	struct network network = { 0 };
	char right[NETWORK_TEXT];
	unsigned whole;
	uint64_t bits;

	if (!parse_address(address, &network))
		return err_set(err, ERR_HALT,
			       "write an IP address or a network, like \"10.1.0.0/16\", "
			       "\"192.168.4.7\" or \"2001:db8::/32\"");
	whole = network.ip4 ? BITS4 : BITS6;
	bits = whole;
	if (slash != NULL && !slice_to_u64(slice_from(text, address.n + 1), whole, &bits))
		return err_set(err, ERR_HALT, "write a number of bits after the slash, %u at most",
			       whole);
	network.bits = (unsigned)bits;
	if (!clear_rest(&network))
		return err_set(err, ERR_HALT,
			       "it goes on beyond its %u bits: write %s, or more bits",
			       network.bits, network_text(&network, right));
	unmap(&network);
	*ret_network = network;
	return 0;
}

const char *network_text(const struct network *network, char ret_text[static NETWORK_TEXT])
{
	const unsigned whole = network->ip4 ? BITS4 : BITS6;
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(network->ip4 ? AF_INET : AF_INET6, network->address, address, sizeof(address));
	if (network->bits == whole)
		snprintf(ret_text, NETWORK_TEXT, "%s", address);
	else
		snprintf(ret_text, NETWORK_TEXT, "%s/%u", address, network->bits);
	return ret_text;
}

/* As the network of that address alone. false: it is not of the internet. */
static bool network_of(const struct sockaddr *peer, struct network *ret_network)
{
	const struct sockaddr_in *ip4 = (const void *)peer;
	const struct sockaddr_in6 *ip6 = (const void *)peer;

	*ret_network = (struct network){ .ip4 = peer->sa_family == AF_INET };
	ret_network->bits = ret_network->ip4 ? BITS4 : BITS6;
	if (ret_network->ip4)
		memcpy(ret_network->address, &ip4->sin_addr, 4);
	else if (peer->sa_family == AF_INET6)
		memcpy(ret_network->address, &ip6->sin6_addr, 16);
	else
		return false;
	unmap(ret_network);
	return true;
}

bool network_has(const struct network *network, const struct sockaddr *peer)
{
	struct network one;

	if (!network_of(peer, &one) || one.ip4 != network->ip4)
		return false;
	for (unsigned i = 0; i < network->bits; i++)
		if (has_bit(one.address, i) != has_bit(network->address, i))
			return false;
	return true;
}
