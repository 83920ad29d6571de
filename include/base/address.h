/* Addresses of sockets as people write them: "127.0.0.1:2575", "[::1]:2575". Numbers only: a name
 * would ask a server that may not answer. Any thread.
 */
#ifndef DMPFEED_BASE_ADDRESS_H
#define DMPFEED_BASE_ADDRESS_H

#include <sys/socket.h>

#include "base/buf.h"

enum { ADDRESS_TEXT = 64 };

struct address {
	struct sockaddr_storage socket;
	socklen_t bytes; /* of it */
};

/* false: not an address and a port. Port 0 is one: the system chooses. */
must_use bool address_parse(const char *text, struct address *ret_address);

const char *address_text(const struct sockaddr *socket, char ret_text[static ADDRESS_TEXT]);

/* Where a bound socket really is. */
const char *address_of_socket(int fd, char ret_text[static ADDRESS_TEXT]);

/* This machine alone: 127.0.0.0/8, ::1. */
bool address_is_loopback(const struct address *address);

#endif
