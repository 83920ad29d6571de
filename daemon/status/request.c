/* What a request asks for, and who asks. Pure. Any thread. */
#include "status/request.h"

#include <string.h>

#include "base/codec.h"

static bool is_visible(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return true;
}

/* That of a proxy ("http://..."), "*" and fragments are for others. */
bool request_read_target(struct slice target, struct request *ret_request)
{
	if (!slice_starts(target, "/") || !is_visible(target) ||
	    memchr(target.p, '#', target.n) != NULL)
		return false;
	slice_next(&target, '?', &ret_request->path);
	ret_request->query = target.p ? target : (struct slice){ "", 0 };
	return true;
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

/* ---- what is rather had ---- */

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

/* A parameter is in it as this text; or there is none of that name. */
static bool has_or_lacks(struct slice parameters, const char *name, const char *whole)
{
	struct slice one;

	while (slice_next(&parameters, ';', &one)) {
		one = slice_trim(one);
		if (slice_starts(one, name))
			return slice_is(one, whole);
	}
	return true;
}

bool request_wants_openmetrics(const struct request *request)
{
	struct slice rest = request->accept, one, type;
	unsigned open = 0, text = 0;

	while (rest.n > 0 && slice_next(&rest, ',', &one)) {
		slice_next(&one, ';', &type);
		type = slice_trim(type);
		if (slice_is_nocase(type, "application/openmetrics-text") &&
		    has_or_lacks(one, "version=", "version=1.0.0"))
			open = max(open, weight_of(one));
		if (slice_is_nocase(type, "text/plain"))
			text = max(text, weight_of(one));
	}
	return open > 0 && open >= text;
}
