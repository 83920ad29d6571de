/* One request of HTTP/1, as the status port takes it. Pure. Any thread.
 *
 * RFC 9112. What it says a server may tolerate (line ends without CR, folded lines, blanks before a
 * colon) is how requests are smuggled past a proxy, and no scraper or browser sends it.
 */
#include "status/request.h"

#include <string.h>

#include "base/codec.h"

enum { MOST_HEADERS = 100 };

enum {
	OK = 200,
	BAD = 400,
	OTHER_METHOD = 405,
	HAS_BODY = 413,
	OTHER_VERSION = 505,
};

/* ---- lines ---- */

/* tchar of RFC 9110 */
static bool is_token(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		const char c = text.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) &&
		    (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return text.n > 0;
}

static bool is_value(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (((unsigned char)text.p[i] < ' ' && text.p[i] != '\t') || text.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_visible(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return true;
}

/* Takes the next line off *rest. 1: there is one, without its end; 0: not whole yet; -1: a line end
 * that is not CR LF.
 */
static int next_line(struct slice *rest, struct slice *ret_line)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	const char *cr = memchr(rest->p, '\r', n);

	if (cr != NULL && cr != rest->p + n - 1)
		return -1;
	if (end == NULL)
		return 0;
	if (cr == NULL)
		return -1;
	*ret_line = (struct slice){ rest->p, n - 1 };
	*rest = slice_from(*rest, n + 1);
	return 1;
}

/* ---- the request line ---- */

static int read_version(struct slice text, bool *ret_has_host)
{
	if (!slice_starts(text, "HTTP/") || text.n != 8 || text.p[6] != '.')
		return BAD;
	if (!slice_is(text, "HTTP/1.1") && !slice_is(text, "HTTP/1.0"))
		return OTHER_VERSION;
	*ret_has_host = text.p[7] == '1';
	return OK;
}

static int read_first_line(struct slice line, struct request *request, bool *ret_has_host)
{
	struct slice method, target;

	if (!slice_next(&line, ' ', &method) || !slice_next(&line, ' ', &target) || line.p == NULL)
		return BAD;
	if (!is_token(method) || !slice_starts(target, "/") || !is_visible(target) ||
	    memchr(target.p, '#', target.n) != NULL)
		return BAD;
	slice_next(&target, '?', &request->path);
	request->query = target.p ? target : (struct slice){ "", 0 };
	request->is_head = slice_is(method, "HEAD");
	if (read_version(line, ret_has_host) != OK)
		return read_version(line, ret_has_host);
	return request->is_head || slice_is(method, "GET") ? OK : OTHER_METHOD;
}

/* ---- headers ---- */

/* What a request may have once, and what it says. */
struct headers {
	struct slice host, length, encoding, authorization, accept_language;
};

static bool keep(struct headers *headers, struct slice name, struct slice value)
{
	const struct {
		const char *name;
		struct slice *to;
	} known[] = {
		{ "Host", &headers->host },
		{ "Content-Length", &headers->length },
		{ "Transfer-Encoding", &headers->encoding },
		{ "Authorization", &headers->authorization },
	};

	if (slice_is_nocase(name, "Accept-Language") && headers->accept_language.n == 0)
		headers->accept_language = value;
	for (size_t i = 0; i < length_of(known); i++) {
		if (!slice_is_nocase(name, known[i].name))
			continue;
		if (known[i].to->p != NULL)
			return false;
		*known[i].to = value;
	}
	return true;
}

static bool read_header(struct slice line, struct headers *headers)
{
	struct slice name;

	slice_next(&line, ':', &name);
	if (line.p == NULL || !is_token(name) || !is_value(line))
		return false;
	return keep(headers, name, slice_trim(line));
}

/* A length beside an encoding is what smuggling is made of; a body of either kind is not for us. */
static int judge_body(const struct headers *headers)
{
	uint64_t length = 0;

	if (headers->encoding.p != NULL)
		return headers->length.p != NULL ? BAD : HAS_BODY;
	if (headers->length.p != NULL && !slice_to_u64(headers->length, UINT64_MAX, &length))
		return BAD;
	return length > 0 ? HAS_BODY : OK;
}

int request_read(struct slice in, struct request *ret_request, size_t *ret_n)
{
	struct slice rest = in, line;
	struct headers headers = { 0 };
	struct request request = { 0 };
	bool has_host = false;
	size_t count = 0;
	int got = next_line(&rest, &line), code, body;

	if (got <= 0)
		return got < 0 ? BAD : 0;
	code = read_first_line(line, &request, &has_host);
	if (code != OK && code != OTHER_METHOD)
		return code;
	while ((got = next_line(&rest, &line)) > 0 && line.n > 0)
		if (++count > MOST_HEADERS || !read_header(line, &headers))
			return BAD;
	if (got <= 0)
		return got < 0 ? BAD : 0;
	if (has_host && headers.host.p == NULL)
		return BAD;
	body = judge_body(&headers);
	if (body != OK)
		return body;
	request.authorization = headers.authorization;
	request.accept_language = headers.accept_language;
	*ret_request = request;
	*ret_n = in.n - rest.n;
	return code;
}

/* ---- the query ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* false: too long, or not text. */
static bool decode(struct slice text, char ret_value[static QUERY_TEXT])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		int c = text.p[i] == '+' ? ' ' : (unsigned char)text.p[i];

		if (c == '%') {
			const int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;

			c = high < 0 ? -1 : hex_digit(text.p[i + 2]);
			c = c < 0 ? -1 : high * 16 + c;
			i += 2;
		}
		if (c < ' ' || c == 0x7f || n + 1 == QUERY_TEXT)
			return false;
		ret_value[n++] = (char)c;
	}
	ret_value[n] = '\0';
	return true;
}

static int read_pair(struct slice pair, const char *const *names, bool *given, struct query *query,
		     struct err *err)
{
	struct slice name;

	slice_next(&pair, '=', &name);
	for (size_t i = 0; names[i] != NULL; i++) {
		if (!slice_is(name, names[i]))
			continue;
		if (given[i])
			return err_set(err, ERR_REJECT, "\"%s\" is given twice", names[i]);
		given[i] = true;
		if (!decode(pair.p ? pair : (struct slice){ "", 0 }, query->values[i]))
			return err_set(err, ERR_REJECT, "the value of \"%s\" is not one", names[i]);
		return 0;
	}
	return err_set(err, ERR_REJECT, "there is nothing called \"%.*s\" to ask for here",
		       (int)min(name.n, (size_t)40), name.p);
}

int query_read(struct slice text, const char *const *names, struct query *ret_query,
	       struct err *err)
{
	struct query query = { 0 };
	bool given[QUERY_VALUES] = { 0 };
	struct slice pair;

	while (text.n > 0 && slice_next(&text, '&', &pair))
		if (pair.n > 0 && read_pair(pair, names, given, &query, err) < 0)
			return -1;
	*ret_query = query;
	return 0;
}

/* ---- who asks ---- */

static bool is_secret(struct slice shown, const char *secret)
{
	uint8_t one[SHA256_BYTES], other[SHA256_BYTES];
	unsigned differs = 0;

	sha256(shown, one);
	sha256(slice_of(secret), other);
	for (size_t i = 0; i < sizeof(one); i++)
		differs |= one[i] ^ other[i];
	return differs == 0;
}

bool request_shows(const struct request *request, const char *token)
{
	scoped(buf_done) struct buf login = { 0 };
	struct slice rest = request->authorization, scheme, password;
	struct err err;

	if (rest.n == 0 || !slice_next(&rest, ' ', &scheme) || rest.p == NULL)
		return false;
	rest = slice_trim(rest);
	if (slice_is_nocase(scheme, "Bearer"))
		return is_secret(rest, token);
	if (!slice_is_nocase(scheme, "Basic") || base64_decode(rest, &login, &err) < 0)
		return false;
	password = buf_slice(&login);
	slice_next(&password, ':', &rest);
	return password.p != NULL && is_secret(password, token);
}

/* ---- the language ---- */

/* "fr;q=0.8": in thousandths; what cannot be read weighs nothing. */
static unsigned weight_of(struct slice parameters)
{
	struct slice one;
	unsigned weight = 1000;

	while (slice_next(&parameters, ';', &one)) {
		one = slice_trim(one);
		if (!slice_starts(one, "q="))
			continue;
		one = slice_from(one, 2);
		weight = one.n > 0 && one.p[0] == '1' ? 1000 : 0;
		for (size_t i = 2, worth = 100; i < min(one.n, (size_t)5) && weight < 1000;
		     i++, worth /= 10)
			if (one.p[i] >= '0' && one.p[i] <= '9')
				weight += (unsigned)((size_t)(one.p[i] - '0') * worth);
	}
	return weight;
}

static bool is_language(struct slice range, const char *code)
{
	struct slice primary;

	slice_next(&range, '-', &primary);
	return slice_is_nocase(primary, code);
}

bool request_wants_french(const struct request *request)
{
	struct slice rest = request->accept_language, one, range;
	unsigned french = 0, english = 0;

	while (rest.n > 0 && slice_next(&rest, ',', &one)) {
		one = slice_trim(one);
		slice_next(&one, ';', &range);
		range = slice_trim(range);
		if (is_language(range, "fr"))
			french = max(french, weight_of(one));
		if (is_language(range, "en"))
			english = max(english, weight_of(one));
	}
	return french >= english;
}
