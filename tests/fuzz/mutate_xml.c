/* XML, changed: its elements, their attributes, their text; each tag has its other half, as before. What stands
 * around it (the headers of a multipart, what follows the root) is left alone. The tags alone are read: what has
 * declarations in its DOCTYPE, or is written in UTF-16, is not for this mutator.
 */
#include "mutate.h"

enum {
	TRIES = 16,
	STARTS_MOST = 16, /* '<' before the document: in the Content-ID of a multipart */
	TOKENS_MOST = 20000,
	ATTRIBUTES_MOST = 32,
	COPIES_MOST = 64,
	DEPTH_MOST = 300,
};

enum kind { OTHER, START, END, EMPTY };

struct token {
	enum kind kind;
	struct slice text, name;
	size_t partner; /* of a START its END, of an END its START; of others itself */
};

struct document {
	struct slice text;
	struct token *tokens; /* of the root, from its START (or the prolog) to its END */
	size_t count, room;
	struct dice *dice;
	struct buf *out;
};

struct attribute {
	struct slice text, name, value; /* the value with its quotes */
};

static const char *const values[] = {
	"",
	"0",
	"1",
	"-1",
	"true",
	"AA",
	"AE",
	"NA",
	"UNK",
	"fr-FR",
	"20261120",
	"20261120101500+0100",
	"99999999",
	"text/xml",
	"application/pdf",
	"B64",
	"1.2.250.1.213.1.4.10",
	"1.2.250.1.213.1.4.8",
	"279035121518989",
	"11490-0",
	"2.16.840.1.113883.6.1",
	"urn:uuid:00000000-0000-4000-8000-000000000000",
	"urn:oid:1.2.3",
	"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success",
	"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure",
	"urn:hl7-org:v3",
	"http://www.w3.org/2003/05/soap-envelope",
	"&amp;",
	"&lt;&gt;&quot;&apos;",
	"&#233;",
	"&#x20AC;",
	"&#10;&#13;&#9;",
};

static const char *const contents[] = {
	"<!-- - -->", "<?target data?>", "<![CDATA[<&]]>", "<![CDATA[]]>", "\n\t", "&#x1F600;", "x",
};

/* ---- reading ---- */

static bool is_name(char c)
{
	return c == ':' || c == '_' || c == '-' || c == '.' || (unsigned char)c >= 0x80 ||
	       (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Up to the end of the first `end` in it; 0: there is none. */
static size_t through(struct slice text, const char *end)
{
	const char *found = memmem(text.p, text.n, end, strlen(end));

	return found ? (size_t)(found - text.p) + strlen(end) : 0;
}

/* The '>' of a tag is the first that is in no quotes. */
static size_t through_tag(struct slice text)
{
	char quote = '\0';

	for (size_t i = 0; i < text.n; i++) {
		if (quote != '\0')
			quote = text.p[i] == quote ? '\0' : quote;
		else if (text.p[i] == '"' || text.p[i] == '\'')
			quote = text.p[i];
		else if (text.p[i] == '>')
			return i + 1;
	}
	return 0;
}

/* Text, a comment, or whatever else begins there and is no tag; 0: nothing that is known. */
static size_t through_other(struct slice text)
{
	static const struct {
		const char *start, *end;
	} kinds[] = { { "<!--", "-->" }, { "<![CDATA[", "]]>" }, { "<?", "?>" } };
	const char *next = memchr(text.p, '<', text.n);

	for (size_t i = 0; i < length_of(kinds); i++)
		if (slice_starts(text, kinds[i].start))
			return through(text, kinds[i].end);
	return next ? (size_t)(next - text.p) : text.n;
}

/* false: "<" begins no tag here, or one that does not end. */
static bool read_tag(struct slice text, struct token *ret_token)
{
	const size_t n = through_tag(text), start = n > 2 && text.p[1] == '/' ? 2 : 1;
	size_t end = start;

	while (end < n && is_name(text.p[end]))
		end++;
	if (end == start)
		return false;
	ret_token->text = (struct slice){ text.p, n };
	ret_token->name = (struct slice){ text.p + start, end - start };
	ret_token->kind = start == 2 ? END : text.p[n - 2] == '/' ? EMPTY : START;
	return true;
}

static struct token *add_token(struct document *document)
{
	if (document->count == document->room) {
		document->room = document->room ? document->room * 2 : 256;
		document->tokens =
			xrealloc(document->tokens, document->room * sizeof(*document->tokens));
	}
	document->tokens[document->count] = (struct token){ .partner = document->count };
	return &document->tokens[document->count++];
}

/* The innermost START that is open is *open: until it has an END, its partner is the one around it; the root's is
 * itself.
 */
static bool pair(struct document *document, size_t *open, bool *ret_done)
{
	const size_t at = document->count - 1;
	struct token *tokens = document->tokens, *token = &tokens[at];
	size_t around;

	if (token->kind == START) {
		token->partner = *open == SIZE_MAX ? at : *open;
		*open = at;
	} else if (token->kind == END) {
		if (*open == SIZE_MAX || !slice_equal(token->name, tokens[*open].name))
			return false;
		around = tokens[*open].partner;
		tokens[*open].partner = at;
		token->partner = *open;
		*ret_done = around == *open;
		*open = around;
	} else {
		*ret_done = token->kind == EMPTY && *open == SIZE_MAX;
	}
	return true;
}

/* From the first tag of `text` to the end of that element. */
static bool read_document(struct document *document, struct slice text)
{
	size_t open = SIZE_MAX, at = 0, n;
	bool done = false;

	for (document->count = 0; !done; at += n) {
		struct slice rest = slice_from(text, at);
		struct token *token;

		if (rest.n == 0 || document->count == TOKENS_MOST)
			return false;
		token = add_token(document);
		n = through_other(rest);
		token->text = (struct slice){ rest.p, n };
		if (n == 0 && !read_tag(rest, token))
			return false;
		n = token->text.n;
		if (!pair(document, &open, &done))
			return false;
	}
	return true;
}

/* The attributes of a START or EMPTY. */
static size_t read_attributes(const struct token *tag,
			      struct attribute list[static ATTRIBUTES_MOST])
{
	const char *p = tag->name.p + tag->name.n, *end = tag->text.p + tag->text.n;
	size_t count = 0;

	while (count < ATTRIBUTES_MOST) {
		struct attribute *attribute = &list[count];
		const char *start = p, *close;

		while (p < end && is_blank(*p))
			p++;
		attribute->name = (struct slice){ p, 0 };
		while (p < end && is_name(*p))
			p++;
		attribute->name.n = (size_t)(p - attribute->name.p);
		while (p < end && (*p == '=' || is_blank(*p)))
			p++;
		if (attribute->name.n == 0 || p == end || (*p != '"' && *p != '\''))
			break;
		close = memchr(p + 1, *p, (size_t)(end - p - 1));
		if (close == NULL)
			break;
		attribute->value = (struct slice){ p, (size_t)(close + 1 - p) };
		p = close + 1;
		attribute->text = (struct slice){ start, (size_t)(p - start) };
		count++;
	}
	return count;
}

/* ---- writing ---- */

static void add_before(const struct document *document, const char *p)
{
	buf_add(document->out, (struct slice){ document->text.p, (size_t)(p - document->text.p) });
}

static void add_after(const struct document *document, struct slice part)
{
	buf_add(document->out,
		slice_from(document->text, (size_t)(part.p + part.n - document->text.p)));
}

static void add_between(const struct document *document, struct slice first, struct slice last)
{
	const char *p = first.p + first.n;

	buf_add(document->out, (struct slice){ p, (size_t)(last.p - p) });
}

static void add_in_place_of(const struct document *document, struct slice old, struct slice new)
{
	add_before(document, old.p);
	buf_add(document->out, new);
	add_after(document, old);
}

static struct slice any_of(const struct document *document, const char *const *list, size_t count)
{
	return slice_of(list[dice_below(document->dice, count)]);
}

/* Mostly few. */
static size_t any_number(const struct document *document, size_t most)
{
	return 1 + dice_below(document->dice, 1 + dice_below(document->dice, most));
}

static void add_repeated(const struct document *document, struct slice text, size_t times)
{
	while (times-- > 0 && !document->out->overfull)
		buf_add(document->out, text);
}

/* ---- elements ---- */

/* A START or EMPTY; the first is the root. */
static const struct token *any_element(const struct document *document)
{
	size_t at = dice_below(document->dice, document->count);

	while (document->tokens[at].kind != START && document->tokens[at].kind != EMPTY)
		at = (at + 1) % document->count;
	return &document->tokens[at];
}

static bool is_root(const struct document *document, const struct token *token)
{
	return token->partner == document->count - 1;
}

static struct slice whole(const struct document *document, const struct token *token)
{
	const struct slice last = document->tokens[token->partner].text;

	return (struct slice){ token->text.p, (size_t)(last.p + last.n - token->text.p) };
}

/* Between its tags. */
static struct slice content(const struct document *document, const struct token *token)
{
	const char *start = token->text.p + token->text.n;

	if (token->kind == EMPTY)
		return (struct slice){ start, 0 };
	return (struct slice){ start, (size_t)(document->tokens[token->partner].text.p - start) };
}

static void add_wrapped(const struct document *document, struct slice element, struct slice name)
{
	const size_t depth = any_number(document, DEPTH_MOST);

	for (size_t i = 0; i < depth; i++)
		buf_addf(document->out, "<%.*s>", (int)name.n, name.p);
	buf_add(document->out, element);
	for (size_t i = 0; i < depth; i++)
		buf_addf(document->out, "</%.*s>", (int)name.n, name.p);
}

/* What becomes of an element; the root is wrapped and nothing else. */
enum fate { WRAPPED, DROPPED, UNWRAPPED, EMPTIED, REPEATED, FOLLOWED, REPLACED, FATES };

static bool change_element(const struct document *document, const struct token *token)
{
	const struct slice element = whole(document, token), within = content(document, token);
	const struct token *other = any_element(document);

	add_before(document, element.p);
	switch (is_root(document, token) ? WRAPPED : (enum fate)dice_below(document->dice, FATES)) {
	case WRAPPED:
		add_wrapped(document, element, other->name);
		break;
	case UNWRAPPED:
		buf_add(document->out, within);
		break;
	case EMPTIED:
		add_between(document, (struct slice){ element.p, 0 }, within);
		add_between(document, within, (struct slice){ element.p + element.n, 0 });
		break;
	case REPEATED:
		add_repeated(document, element, 1 + any_number(document, COPIES_MOST));
		break;
	case FOLLOWED:
		buf_add(document->out, element);
		buf_add(document->out, whole(document, other));
		break;
	case REPLACED:
		buf_add(document->out, whole(document, other));
		break;
	case DROPPED:
	case FATES:
		break;
	}
	add_after(document, element);
	return true;
}

static bool swap(const struct document *document, const struct token *token)
{
	const struct token *other = any_element(document);
	const struct slice first = whole(document, min(token, other));
	const struct slice last = whole(document, max(token, other));

	if (first.p + first.n > last.p)
		return false;
	add_before(document, first.p);
	buf_add(document->out, last);
	add_between(document, first, last);
	buf_add(document->out, first);
	add_after(document, last);
	return true;
}

static bool rename_it(const struct document *document, const struct token *token)
{
	const struct slice name = any_element(document)->name;
	const struct token *end = &document->tokens[token->partner];

	add_before(document, token->name.p);
	buf_add(document->out, name);
	if (token->kind == START) {
		add_between(document, token->name, end->name);
		buf_add(document->out, name);
	}
	add_after(document, end->name);
	return true;
}

/* ---- text ---- */

static void add_text(const struct document *document, struct slice text, const char *reserved)
{
	switch (dice_below(document->dice, 8)) {
	case 0:
		add_repeated(document, text.n > 0 ? text : slice_of("x"),
			     1 + any_number(document, document->out->limit));
		break;
	case 1 ... 4:
		mutate_text(text, reserved, document->out);
		break;
	default:
		buf_add(document->out, any_of(document, values, length_of(values)));
	}
}

/* What follows a tag, up to the next. */
static bool change_text(const struct document *document, const struct token *token)
{
	const struct token *next = token + 1;
	struct slice text = { token->text.p + token->text.n, 0 };

	if (token->kind != START)
		return false;
	if (next->kind == OTHER && next->text.p[0] != '<')
		text = next->text;
	add_before(document, text.p);
	if (dice_below(document->dice, 4) > 0)
		add_text(document, text, "<&>");
	else
		buf_add(document->out, any_of(document, contents, length_of(contents)));
	add_after(document, text);
	return true;
}

/* ---- attributes ---- */

static bool change_attribute(const struct document *document, const struct token *token)
{
	struct attribute list[ATTRIBUTES_MOST];
	const size_t count = read_attributes(token, list);
	struct slice value;

	if (count == 0)
		return false;
	value = list[dice_below(document->dice, count)].value;
	value = (struct slice){ value.p + 1, value.n - 2 };
	add_before(document, value.p);
	add_text(document, value, "<&\"'");
	add_after(document, value);
	return true;
}

static bool drop_attribute(const struct document *document, const struct token *token)
{
	struct attribute list[ATTRIBUTES_MOST];
	const size_t count = read_attributes(token, list);

	if (count == 0)
		return false;
	add_in_place_of(document, list[dice_below(document->dice, count)].text, slice_of(""));
	return true;
}

/* Another element's: it takes the place of one of that name. */
static bool copy_attribute(const struct document *document, const struct token *token)
{
	struct attribute list[ATTRIBUTES_MOST], others[ATTRIBUTES_MOST];
	const size_t count = read_attributes(token, list);
	const size_t other_count = read_attributes(any_element(document), others);
	struct slice place = { token->name.p + token->name.n, 0 };
	struct attribute other;

	if (other_count == 0 || count == ATTRIBUTES_MOST)
		return false;
	other = others[dice_below(document->dice, other_count)];
	for (size_t i = 0; i < count; i++)
		if (slice_equal(list[i].name, other.name))
			place = list[i].text;
	add_in_place_of(document, place, other.text);
	return true;
}

/* Elements more often than the rest: there are many ways. */
static bool (*const changes[])(const struct document *, const struct token *) = {
	change_element,   change_element,   swap,
	rename_it,        change_text,      change_text,
	change_attribute, change_attribute, change_attribute,
	drop_attribute,   copy_attribute,
};

/* ---- the whole ---- */

/* The first element in it that is whole. */
static bool find_document(struct document *document, struct slice text)
{
	const char *next = memchr(text.p, '<', text.n);

	for (size_t i = 0; i < STARTS_MOST && next != NULL; i++) {
		struct slice rest = slice_from(text, (size_t)(next - text.p));

		if (read_document(document, rest))
			return true;
		next = memchr(rest.p + 1, '<', rest.n - 1);
	}
	return false;
}

bool mutate_xml(struct slice text, struct dice *dice, struct buf *out)
{
	struct document document = { .text = text, .dice = dice, .out = out };
	bool done = false;

	if (text.n > 0 && find_document(&document, text)) {
		for (size_t i = 0; i < TRIES && !done; i++) {
			buf_clear(out);
			done = changes[dice_below(dice, length_of(changes))](
				       &document, any_element(&document)) &&
			       !out->overfull && !slice_equal(text, buf_slice(out));
		}
	}
	free(document.tokens);
	return done;
}
