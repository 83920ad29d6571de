/* URLs, as far as every library reads them alike: a scheme, a host that is a name or an address, maybe a port; no
 * user, no blank, no backslash. What follows the host is nobody's business here.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_BASE_URL_H
#define DMPFEED_BASE_URL_H

#include "base/buf.h"

struct url {
	char host[256]; /* an IPv6 address without its brackets */
	bool has_brackets, has_port;
	uint64_t port; /* never 0 where there is one */
};

/* `scheme`: "https://". false: it is no URL of that scheme, or one that libraries disagree about. */
must_use bool url_parse(const char *scheme, struct slice text, struct url *ret_url);

/* Scheme, host and port: what may be told of a URL whose path is a secret. Of what url_parse() takes. */
struct slice url_origin(struct slice text);

/* Is its host this machine: 127.0.0.0/8, ::1, localhost? */
bool url_is_loopback(const struct url *url);

#endif
