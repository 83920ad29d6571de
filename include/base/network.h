/* Networks as people write them: "10.1.0.0/16", "192.168.4.7", "2001:db8::/32". Any thread. */
#ifndef DMPFEED_BASE_NETWORK_H
#define DMPFEED_BASE_NETWORK_H

#include <sys/socket.h>

#include "base/buf.h"

struct network {
	bool ip4;
	uint8_t address[16]; /* of IPv4 the first four */
	unsigned bits;       /* of it, that an address must share */
};

/* An address stands for itself alone. IPv4 may be written as IPv6 (::ffff:10.1.0.0/112). -1
 * (ERR_HALT): the text says what would be right.
 */
must_use int network_parse(struct slice text, struct network *ret_network, struct err *err);

enum { NETWORK_TEXT = 64 };

const char *network_text(const struct network *network, char ret_text[static NETWORK_TEXT]);

/* An IPv4 peer of a socket that speaks IPv6 (::ffff:10.1.0.7) is one of IPv4. */
bool network_has(const struct network *network, const struct sockaddr *peer);

#endif
