/* Addresses of sockets as people write them. Any thread. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

bool address_parse(const char *text, struct address *ret_address)
{
	struct sockaddr_in *ip4 = (void *)&ret_address->socket;
	struct sockaddr_in6 *ip6 = (void *)&ret_address->socket;
	const char *colon = strrchr(text, ':');
	struct slice host = { text, colon ? (size_t)(colon - text) : 0 };
	bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	char name[INET6_ADDRSTRLEN] = "";
	uint64_t port;

	if (bracketed)
		host = (struct slice){ host.p + 1, host.n - 2 };
	if (host.n == 0 || host.n >= sizeof(name) ||
	    !slice_to_u64(slice_of(colon + 1), UINT16_MAX, &port))
		return false;
	memcpy(name, host.p, host.n);
	*ret_address = (struct address){ 0 };
	if (bracketed) {
		ip6->sin6_family = AF_INET6;
		ip6->sin6_port = htons((uint16_t)port);
		ret_address->bytes = sizeof(*ip6);
		return inet_pton(AF_INET6, name, &ip6->sin6_addr) == 1;
	}
	ip4->sin_family = AF_INET;
	ip4->sin_port = htons((uint16_t)port);
	ret_address->bytes = sizeof(*ip4);
	return inet_pton(AF_INET, name, &ip4->sin_addr) == 1;
}

const char *address_text(const struct sockaddr *socket, char ret_text[static ADDRESS_TEXT])
{
	const struct sockaddr_in *ip4 = (const void *)socket;
	const struct sockaddr_in6 *ip6 = (const void *)socket;
	char host[INET6_ADDRSTRLEN] = "";

	if (socket->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &ip6->sin6_addr, host, sizeof(host));
		snprintf(ret_text, ADDRESS_TEXT, "[%s]:%u", host, (unsigned)ntohs(ip6->sin6_port));
	} else {
		inet_ntop(AF_INET, &ip4->sin_addr, host, sizeof(host));
		snprintf(ret_text, ADDRESS_TEXT, "%s:%u", host, (unsigned)ntohs(ip4->sin_port));
	}
	return ret_text;
}

const char *address_of_socket(int fd, char ret_text[static ADDRESS_TEXT])
{
	struct sockaddr_storage socket = { 0 };
	socklen_t bytes = sizeof(socket);

	getsockname(fd, (struct sockaddr *)&socket, &bytes);
	return address_text((const struct sockaddr *)&socket, ret_text);
}

bool address_is_loopback(const struct address *address)
{
	const struct sockaddr_in *ip4 = (const void *)&address->socket;
	const struct sockaddr_in6 *ip6 = (const void *)&address->socket;

	if (address->socket.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&ip6->sin6_addr);
	return ntohl(ip4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}
