/* The MTOM/XOP frame, written and read. Any thread. */
#include "dmp/mtom.h"

#include "base/codec.h"

#define SOAP_TYPE "application/soap+xml"

enum { MOST_BOUNDARY = 70 }; /* RFC 2046, 5.1.1 */

const char *mtom_boundary(const uint8_t chance[static 16], char ret_boundary[static MTOM_BOUNDARY])
{
	static const char prefix[] = "dmpfeed-";

	memcpy(ret_boundary, prefix, sizeof(prefix));
	hex(chance, 16, ret_boundary + sizeof(prefix) - 1);
	return ret_boundary;
}

void mtom_content_type(const char *boundary, const char *action, struct buf *out)
{
	buf_addf(out,
		 "multipart/related; boundary=\"%s\"; type=\"application/xop+xml\"; "
		 "start=\"<" MTOM_ROOT_ID ">\"; start-info=\"" SOAP_TYPE "\"; action=\"%s\"",
		 boundary, action);
}

static void add_headers(const char *content_id, struct buf *out)
{
	buf_addf(out, "Content-Transfer-Encoding: binary\r\nContent-ID: <%s>\r\n\r\n", content_id);
}

void mtom_open_root(const char *boundary, const char *action, struct buf *out)
{
	buf_addf(out,
		 "--%s\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"" SOAP_TYPE
		 "\"; action=\"%s\"\r\n",
		 boundary, action);
	add_headers(MTOM_ROOT_ID, out);
}

/* The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1): the bytes before it
 * stay what they are. */
void mtom_open_part(const char *boundary, const char *content_id, struct buf *out)
{
	buf_addf(out, "\r\n--%s\r\nContent-Type: text/xml; charset=UTF-8\r\n", boundary);
	add_headers(content_id, out);
}

void mtom_close(const char *boundary, struct buf *out)
{
	buf_addf(out, "\r\n--%s--\r\n", boundary);
}

static struct slice unquoted(struct slice *rest)
{
	size_t end = 1;
	struct slice value;

	while (end < rest->n && rest->p[end] != '"')
		end += rest->p[end] == '\\' ? 2 : 1;
	end = min(end, rest->n);
	value = (struct slice){ rest->p + 1, end - 1 };
	*rest = slice_from(*rest, end + 1);
	return value;
}

/* Takes the next `name=value` off *rest, which begins after a ';'. A value in quotes may hold ';'.
 */
static bool next_parameter(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
	struct slice names, ignored;

	if (!slice_next(rest, '=', &names))
		return false;
	while (slice_next(&names, ';', ret_name)) /* passes over parameters without a value */
		;
	*ret_name = slice_trim(*ret_name);
	if (rest->p == NULL)
		return false;
	*rest = slice_trim(*rest);
	if (rest->n > 0 && rest->p[0] == '"') {
		*ret_value = unquoted(rest);
		slice_next(rest, ';', &ignored);
	} else {
		slice_next(rest, ';', ret_value);
		*ret_value = slice_trim(*ret_value);
	}
	return true;
}

/* Does a line that delimits parts begin here? Then its length, line end included, and whether it is
 * the last one. */
static bool is_delimiter(struct slice rest, struct slice boundary, size_t *ret_bytes,
			 bool *ret_last)
{
	size_t n = 2 + boundary.n;

	if (!slice_starts(rest, "--") || rest.n < n ||
	    !slice_equal((struct slice){ rest.p + 2, boundary.n }, boundary))
		return false;
	*ret_last = slice_starts(slice_from(rest, n), "--");
	while (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\t' || rest.p[n] == '\r'))
		n++;
	*ret_bytes = n + 1;
	return *ret_last || (n < rest.n && rest.p[n] == '\n');
}

/* The bytes of a part: from `start` up to the line end that belongs to the delimiter at `line`. */
static struct slice part_between(struct slice body, size_t start, size_t line)
{
	if (line > start && body.p[line - 1] == '\n')
		line--;
	if (line > start && body.p[line - 1] == '\r')
		line--;
	return (struct slice){ body.p + start, line - start };
}

static struct slice without_brackets(struct slice id)
{
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		return (struct slice){ id.p + 1, id.n - 2 };
	return id;
}

/* Takes the headers off *part, which leaves its content. false: they have no end. */
static bool take_headers(struct slice *part, struct slice *ret_id)
{
	struct slice line, name;

	*ret_id = (struct slice){ 0 };
	while (slice_next(part, '\n', &line) && part->p != NULL) {
		line = slice_trim(line);
		if (line.n == 0)
			return true;
		if (slice_next(&line, ':', &name) && slice_is_nocase(name, "Content-ID"))
			*ret_id = without_brackets(slice_trim(line));
	}
	return false;
}

/* RFC 2387, 3.2: the root is the part that `start` names, or else the first one; and so it is when
 * `start` names none, as some stacks do, for only an envelope passes what follows. */
static bool find_root(struct slice body, struct slice boundary, struct slice start,
		      struct slice *ret_root)
{
	size_t line = 0, bytes, part_start = 0;
	bool inside = false, found = false, last = false;
	const char *end;

	while (!last && line < body.n) {
		if (!is_delimiter(slice_from(body, line), boundary, &bytes, &last)) {
			end = memchr(body.p + line, '\n', body.n - line);
			line = end ? (size_t)(end - body.p) + 1 : body.n;
			continue;
		}
		if (inside) {
			struct slice part = part_between(body, part_start, line), id;
			bool whole = take_headers(&part, &id);
			bool named = start.n == 0 || slice_equal(id, start);

			if (whole && (named || !found))
				*ret_root = part;
			found = found || whole;
			if (whole && named)
				return true;
		}
		inside = true;
		line = part_start = line + bytes;
	}
	return found;
}

int mtom_root(struct slice content_type, struct slice body, struct slice *ret_root, struct err *err)
{
	struct slice rest = content_type, type = { 0 }, name, value;
	struct slice boundary = { 0 }, start = { 0 };

	slice_next(&rest, ';', &type);
	type = slice_trim(type);
	type.n = min(type.n, strlen("multipart/"));
	if (!slice_is_nocase(type, "multipart/")) {
		*ret_root = body;
		return 0;
	}
	while (next_parameter(&rest, &name, &value)) {
		if (slice_is_nocase(name, "boundary"))
			boundary = value;
		else if (slice_is_nocase(name, "start"))
			start = without_brackets(slice_trim(value));
	}
	if (boundary.n == 0 || boundary.n > MOST_BOUNDARY)
		return err_set(err, ERR_RETRY,
			       "the answer is multipart but its Content-Type gives no boundary");
	if (!find_root(body, boundary, start, ret_root))
		return err_set(err, ERR_RETRY, "the answer is multipart but holds no whole part");
	return 0;
}
