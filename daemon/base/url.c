/* URLs, as far as every library reads them alike. Any thread. */
#include "base/url.h"

#include <arpa/inet.h>

enum { MOST_PORT = 65535 };

/* What one library takes for the end of the host, and another does not; a user; what must be escaped. */
static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~' ||
		    strchr("\\\"<>^`{|}#@", text.p[i]) != NULL)
			return false;
	return true;
}

/* "host:port", "[address]:port" */
static bool split(struct slice text, struct url *ret_url)
{
	struct url url = { .has_brackets = slice_starts(text, "[") };
	struct slice host = url.has_brackets ? slice_from(text, 1) : text, rest;
	const char *end = host.n ? memchr(host.p, url.has_brackets ? ']' : ':', host.n) : NULL;

	if (end != NULL)
		host.n = (size_t)(end - host.p);
	else if (url.has_brackets)
		return false;
	rest = slice_from(text, host.n + (url.has_brackets ? 2 : 0));
	if (host.n == 0 || host.n >= sizeof(url.host))
		return false;
	memcpy(url.host, host.p, host.n);
	url.has_port = rest.n > 0;
	if (url.has_port &&
	    (rest.p[0] != ':' || !slice_to_u64(slice_from(rest, 1), MOST_PORT, &url.port) ||
	     url.port == 0))
		return false;
	*ret_url = url;
	return true;
}

static bool is_host(const struct url *url)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-.";
	struct in6_addr address;

	if (url->has_brackets)
		return inet_pton(AF_INET6, url->host, &address) == 1;
	return url->host[strspn(url->host, allowed)] == '\0';
}

bool url_parse(const char *scheme, struct slice text, struct url *ret_url)
{
	struct slice authority = slice_from(text, strlen(scheme));
	struct url url;

	if (!slice_starts(text, scheme) || !is_plain(text))
		return false;
	for (size_t i = 0; i < authority.n; i++)
		if (authority.p[i] == '/' || authority.p[i] == '?')
			authority.n = i;
	if (!split(authority, &url) || !is_host(&url))
		return false;
	*ret_url = url;
	return true;
}

bool url_is_loopback(const struct url *url)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (url->has_brackets)
		return inet_pton(AF_INET6, url->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
	if (inet_pton(AF_INET, url->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return slice_is_nocase(slice_of(url->host), "localhost");
}

struct slice url_origin(struct slice text)
{
	const char *after = text.n > 0 ? memmem(text.p, text.n, "://", 3) : NULL;
	size_t n = after != NULL ? (size_t)(after - text.p) + 3 : 0;

	while (n < text.n && strchr("/?#", text.p[n]) == NULL)
		n++;
	return (struct slice){ text.p, n };
}
