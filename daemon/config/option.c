/* The kinds of options: each is a way to read a value and a way to print it. Any thread. */
#include "config/option.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/network.h"
#include "base/obeyed.h"
#include "base/token.h"
#include "base/url.h"
#include "document/oid.h"

enum { SHOWN = 60, SHOWN_TEXT = SHOWN + 8, SHOWN_PATH = 300 };

/* The value as a sentence quotes it: not endless, no character cut in two. */
static const char *shown(struct slice text, char ret_text[static SHOWN_TEXT])
{
	size_t n = min(text.n, (size_t)SHOWN);

	if (n < text.n)
		while (n > 0 && (text.p[n] & 0xc0) == 0x80)
			n--;
	memcpy(ret_text, text.p, n);
	strcpy(ret_text + n, n < text.n ? "..." : "");
	return ret_text;
}

static int wrong(const struct option_text *written, struct err *err, const char *what_is_right)
{
	char text[SHOWN_TEXT];

	return err_set(err, ERR_HALT, "cannot be \"%s\": %s", shown(written->text, text),
		       what_is_right);
}

/* What is obeyed instead of shown would forge lines of the journal, or turn them round; the others named here
 * are nothing at all to YAML, and would not survive being printed. The text ends with a NUL, as a scalar does.
 */
static bool is_printable(struct slice text)
{
	static const char *const refused[] = { "\xef\xbb\xbf", "\xef\xbf\xbe", "\xef\xbf\xbf" };
	uint32_t code;

	for (; text.n > 0; text = slice_from(text, 1)) {
		if (text.p[0] == '\0' || obeyed_at(text.p, &code) > 0)
			return false;
		for (size_t i = 0; i < length_of(refused); i++)
			if (slice_starts(text, refused[i]))
				return false;
	}
	return true;
}

static size_t characters_of(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += (text.p[i] & 0xc0) != 0x80;
	return n;
}

/* ---- texts ---- */

static void keep_text(struct slice text, struct arena *arena, void *field)
{
	*(const char **)field = arena_dup(arena, text);
}

static int parse_text(const struct option *option, const struct option_text *written,
		      struct arena *arena, void *field, struct err *err)
{
	size_t n = characters_of(written->text);

	if ((int64_t)n < option->least || (int64_t)n > option->most)
		return err_set(err, ERR_HALT,
			       "has %zu characters: write at least %lld, at most %lld", n,
			       (long long)option->least, (long long)option->most);
	if (slice_trim(written->text).n != written->text.n)
		return wrong(written, err, "take away the blanks at its ends");
	keep_text(written->text, arena, field);
	return 0;
}

static bool may_be_empty(const struct option *option)
{
	return option->preset != NULL && option->preset[0] == '\0';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int parse_name(const struct option *option, const struct option_text *written,
		      struct arena *arena, void *field, struct err *err)
{
	for (size_t i = 0; i < written->text.n; i++)
		if (!is_letter(written->text.p[i]) && !is_digit(written->text.p[i]) &&
		    strchr("-_.", written->text.p[i]) == NULL)
			return wrong(written, err, "write letters, digits, - _ and . only");
	return parse_text(option, written, arena, field, err);
}

static bool is_finess(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_digit(text.p[i]) &&
		    !(i == 1 && text.p[0] == '2' && (text.p[i] == 'A' || text.p[i] == 'B')))
			return false;
	return text.n == 9;
}

static int parse_finess(const struct option *option, const struct option_text *written,
			struct arena *arena, void *field, struct err *err)
{
	(void)option;
	if (!written->quoted)
		return err_set(
			err, ERR_HALT,
			"must stand in quotes, like \"990012345\": without them YAML makes a "
			"number of it, and a number loses zeros and the letters of Corsica");
	if (!is_finess(written->text))
		return wrong(written, err, "a FINESS is nine digits (Corsica: 2A or 2B first)");
	keep_text(written->text, arena, field);
	return 0;
}

static int parse_sector(const struct option *option, const struct option_text *written,
			struct arena *arena, void *field, struct err *err)
{
	(void)option;
	if (written->text.n != 4 || !slice_starts(written->text, "SA") ||
	    !is_digit(written->text.p[2]) || !is_digit(written->text.p[3]))
		return wrong(written, err,
			     "write the sector of activity, SA and two digits (SA01: public "
			     "hospital)");
	keep_text(written->text, arena, field);
	return 0;
}

static int parse_oid(const struct option *option, const struct option_text *written,
		     struct arena *arena, void *field, struct err *err)
{
	const char *oid = arena_dup(arena, written->text);

	if (!(may_be_empty(option) && written->text.n == 0) && !oid_is_valid(oid))
		return wrong(written, err, "an OID is digits and dots, like 1.2.250.1.999.77");
	if ((int64_t)written->text.n > option->most)
		return err_set(err, ERR_HALT,
			       "has %zu characters, and may have %lld: the ids made under it add "
			       "up to 40, and an OID ends at 64",
			       written->text.n, (long long)option->most);
	*(const char **)field = oid;
	return 0;
}

static bool is_reserved(struct slice text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no",
					     "on",   "off",  "y",     "n" };

	for (size_t i = 0; i < length_of(words); i++)
		if (slice_is_nocase(text, words[i]))
			return true;
	return false;
}

/* Whatever any YAML reader takes for the very same text without quotes. */
static bool is_plain(struct slice text)
{
	if (text.n == 0 || (!is_letter(text.p[0]) && text.p[0] != '/') || is_reserved(text) ||
	    text.p[text.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!is_letter(text.p[i]) && !is_digit(text.p[i]) &&
		    (text.p[i] == '\0' || strchr(" /._-", text.p[i]) == NULL))
			return false;
	return true;
}

static void print_text(const struct option *option, const void *field, struct buf *out)
{
	const char *text = *(const char *const *)field;

	if (option->kind != OPTION_FINESS && is_plain(slice_of(text))) {
		buf_add_text(out, text);
		return;
	}
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

/* ---- words ---- */

static const struct option_word *find_word(const struct option_word *words, struct slice text)
{
	while (words->word != NULL && !slice_is(text, words->word))
		words++;
	return words->word ? words : NULL;
}

/* "write error, warning, info or debug" */
static int wrong_word(const struct option_text *written, const struct option_word *words,
		      struct err *err)
{
	char list[256] = "write ";

	for (; words->word != NULL; words++) {
		const char *after = words[1].word == NULL   ? ""
				    : words[2].word == NULL ? " or "
							    : ", ";

		strncat(list, words->word, sizeof(list) - strlen(list) - 1);
		strncat(list, after, sizeof(list) - strlen(list) - 1);
	}
	return wrong(written, err, list);
}

static int parse_word(const struct option *option, const struct option_text *written,
		      struct arena *arena, void *field, struct err *err)
{
	const struct option_word *word = find_word(option->words, written->text);

	(void)arena;
	if (word == NULL)
		return wrong_word(written, option->words, err);
	*(const char **)field = word->word;
	return 0;
}

static int parse_choice(const struct option *option, const struct option_text *written,
			struct arena *arena, void *field, struct err *err)
{
	const struct option_word *word = find_word(option->words, written->text);

	(void)arena;
	if (word == NULL)
		return wrong_word(written, option->words, err);
	if (option->bytes == sizeof(bool))
		*(bool *)field = word->value != 0;
	else
		memcpy(field, &word->value, sizeof(word->value));
	return 0;
}

static void print_choice(const struct option *option, const void *field, struct buf *out)
{
	const struct option_word *word = option->words;
	int value;

	if (option->bytes == sizeof(bool))
		value = *(const bool *)field;
	else
		memcpy(&value, field, sizeof(value));
	while (word->word != NULL && word->value != value)
		word++;
	assert(word->word != NULL);
	buf_add_text(out, word->word);
}

static int parse_boolean(const struct option *option, const struct option_text *written,
			 struct arena *arena, void *field, struct err *err)
{
	static const struct option_word words[] = { { "true", true }, { "false", false }, { 0 } };
	const struct option_word *word = find_word(words, written->text);

	(void)option;
	(void)arena;
	if (word == NULL)
		return wrong_word(written, words, err);
	*(bool *)field = word->value;
	return 0;
}

static void print_boolean(const struct option *option, const void *field, struct buf *out)
{
	(void)option;
	buf_add_text(out, *(const bool *)field ? "true" : "false");
}

/* ---- numbers ---- */

struct unit {
	const char *name;
	int64_t factor;
};

/* From the largest to the one that everything is kept in. A size without a unit is bytes. */
static const struct unit size_units[] = {
	{ "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "bytes", 1 }, { "", 1 }
};
static const struct unit duration_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 }
};
static const struct unit no_units[] = { { "", 1 } };

struct units {
	const struct unit *list;
	size_t count;
	const char *what_is_right;
};

static struct units units_of(enum option_kind kind)
{
	if (kind == OPTION_SIZE)
		return (struct units){ size_units, length_of(size_units),
				       "write a whole number and bytes, KiB, MiB or GiB, like "
				       "20 MiB" };
	if (kind == OPTION_DURATION)
		return (struct units){ duration_units, length_of(duration_units),
				       "write a whole number and ms, s, min, h or d, like 30 s" };
	return (struct units){ no_units, length_of(no_units), "write a whole number" };
}

static void print_amount(enum option_kind kind, int64_t value, struct buf *out)
{
	struct units units = units_of(kind);
	const struct unit *unit = units.list, *last = units.list + units.count - 1;

	while (unit < last && (value < unit->factor || value % unit->factor != 0))
		unit++;
	buf_addf(out, "%lld%s%s", (long long)(value / unit->factor), unit->name[0] ? " " : "",
		 unit->name);
}

static const struct unit *find_unit(const struct units *units, struct slice name)
{
	for (size_t i = 0; i < units->count; i++)
		if (slice_is(name, units->list[i].name))
			return &units->list[i];
	return NULL;
}

static int out_of_bounds(const struct option *option, struct err *err)
{
	scoped(buf_done) struct buf bounds = { 0 };

	buf_add_text(&bounds, "write at least ");
	print_amount(option->kind, option->least, &bounds);
	buf_add_text(&bounds, ", at most ");
	print_amount(option->kind, option->most, &bounds);
	return err_set(err, ERR_HALT, "is out of bounds: %s", bounds.p);
}

/* Units as written in the table above, a blank before them or not. */
static int parse_amount(const struct option *option, const struct option_text *written,
			struct arena *arena, void *field, struct err *err)
{
	struct units units = units_of(option->kind);
	struct slice number = written->text, name;
	const struct unit *unit;
	uint64_t count;
	int64_t value;

	(void)arena;
	for (number.n = 0; number.n < written->text.n && is_digit(number.p[number.n]);)
		number.n++;
	name = slice_trim(slice_from(written->text, number.n));
	unit = find_unit(&units, name);
	if (number.n == 0 || unit == NULL)
		return wrong(written, err, units.what_is_right);
	if (!slice_to_u64(number, INT64_MAX, &count) ||
	    __builtin_mul_overflow((int64_t)count, unit->factor, &value) || value < option->least ||
	    value > option->most)
		return out_of_bounds(option, err);
	memcpy(field, &value, sizeof(value)); /* int64_t or uint64_t: it is not negative */
	return 0;
}

static void print_number(const struct option *option, const void *field, struct buf *out)
{
	int64_t value;

	memcpy(&value, field, sizeof(value));
	print_amount(option->kind, value, out);
}

/* ---- files ---- */

static int resolve(const struct option *option, const struct option_text *written,
		   struct arena *arena, const char **ret_path, struct err *err)
{
	size_t most = option->most ? (size_t)option->most : PATH_MAX - 1, n;

	if (written->text.n == 0)
		return wrong(written, err, "write a path");
	if (slice_starts(written->text, "-----BEGIN"))
		return err_set(err, ERR_HALT,
			       "must be the path of a file, never what the file holds");
	*ret_path = written->text.p[0] == '/' ? arena_dup(arena, written->text)
					      : arena_printf(arena, "%s/%.*s", written->folder,
							     (int)written->text.n, written->text.p);
	n = strlen(*ret_path);
	if (n > most)
		return err_set(err, ERR_HALT, "is a path of %zu bytes: choose one of at most %zu",
			       n, most);
	return 0;
}

static int unreadable(const char *path, int number, const char *what_is_right, struct err *err)
{
	struct slice end = slice_of(path);

	/* the end of a path tells more than its start */
	while (end.n > SHOWN_PATH || (end.n < strlen(path) && (end.p[0] & 0xc0) == 0x80))
		end = slice_from(end, 1);
	return err_set(err, ERR_HALT, "is %s%s, which cannot be used (%s): %s",
		       end.n < strlen(path) ? "..." : "", end.p, strerror(number), what_is_right);
}

static int check_folder(const char *path, struct err *err)
{
	static const char what_is_right[] =
		"make the folder, or write the path of one that the gateway may enter";
	struct stat info;

	if (stat(path, &info) < 0)
		return unreadable(path, errno, what_is_right, err);
	if (!S_ISDIR(info.st_mode))
		return unreadable(path, ENOTDIR, what_is_right, err);
	if (access(path, R_OK | X_OK) < 0)
		return unreadable(path, errno, what_is_right, err);
	return 0;
}

static int check_file(const char *path, bool secret, struct err *err)
{
	static const char what_is_right[] = "write the path of a file that the gateway may read";
	struct stat info;

	if (stat(path, &info) < 0)
		return unreadable(path, errno, what_is_right, err);
	if (!S_ISREG(info.st_mode))
		return unreadable(path, S_ISDIR(info.st_mode) ? EISDIR : EINVAL, what_is_right,
				  err);
	if (access(path, R_OK) < 0)
		return unreadable(path, errno, what_is_right, err);
	if (secret && (info.st_mode & S_IROTH))
		return err_set(err, ERR_HALT,
			       "is a file that every user of this machine can read: take that "
			       "right away (chmod o-r)");
	return 0;
}

static int check_token(const char *uri, struct err *err)
{
	scoped(token_free) struct token *token = NULL;
	struct err own = { 0 };

	if (token_new(&token, uri, err) < 0)
		return -1;
	if (check_file(token_module(token), false, &own) < 0)
		return err_set(err, ERR_HALT, "has a module-path that %s", own.text);
	if (token_pin_file(token)[0] != '\0' && check_file(token_pin_file(token), true, &own) < 0)
		return err_set(err, ERR_HALT, "has a pin-source that %s", own.text);
	return 0;
}

int option_check_file(const char *path, bool secret, struct err *err)
{
	return token_is_uri(path) ? check_token(path, err) : check_file(path, secret, err);
}

static bool is_file(const struct option *option)
{
	return option->kind == OPTION_FILE || option->kind == OPTION_SECRET ||
	       option->kind == OPTION_KEY;
}

static bool is_secret(const struct option *option)
{
	return option->kind == OPTION_SECRET || option->kind == OPTION_KEY;
}

static int parse_path(const struct option *option, const struct option_text *written,
		      struct arena *arena, void *field, struct err *err)
{
	const char *path = NULL;

	if (written->text.n == 0 && may_be_empty(option)) {
		*(const char **)field = ""; /* there need not be one */
		return 0;
	}
	if (resolve(option, written, arena, &path, err) < 0)
		return -1;
	if (option->kind == OPTION_FOLDER && check_folder(path, err) < 0)
		return -1;
	if (is_file(option) && !option->may_lack &&
	    option_check_file(path, is_secret(option), err) < 0)
		return -1;
	*(const char **)field = path;
	return 0;
}

/* What is wrong with the URI itself is refused at once; what it names is a file as any other. */
static int parse_key(const struct option *option, const struct option_text *written,
		     struct arena *arena, void *field, struct err *err)
{
	const char *text = arena_dup(arena, written->text);
	scoped(token_free) struct token *token = NULL;

	if (!token_is_uri(text))
		return parse_path(option, written, arena, field, err);
	if (token_new(&token, text, err) < 0 ||
	    (!option->may_lack && option_check_file(text, true, err) < 0))
		return -1;
	*(const char **)field = text;
	return 0;
}

/* ---- the network ---- */

static int parse_address(const struct option *option, const struct option_text *written,
			 struct arena *arena, void *field, struct err *err)
{
	scoped(free_ptr) char *text = slice_dup(written->text);
	struct address address;

	if (!(may_be_empty(option) && written->text.n == 0) && !address_parse(text, &address))
		return wrong(written, err,
			     "write an IP address and a port, like \"127.0.0.1:2575\" or "
			     "\"[::1]:2575\"");
	keep_text(written->text, arena, field);
	return 0;
}

static int parse_network(const struct option *option, const struct option_text *written,
			 struct arena *arena, void *field, struct err *err)
{
	struct err what_is_right = { 0 };

	(void)option;
	(void)arena;
	if (network_parse(written->text, field, &what_is_right) < 0)
		return wrong(written, err, what_is_right.text);
	return 0;
}

static void print_network(const struct option *option, const void *field, struct buf *out)
{
	char text[NETWORK_TEXT];

	(void)option;
	buf_addf(out, "\"%s\"", network_text(field, text));
}

static int keep_url(const struct option *option, const struct option_text *written,
		    struct arena *arena, void *field, struct err *err)
{
	if ((int64_t)written->text.n > option->most)
		return err_set(err, ERR_HALT, "has %zu characters, and may have %lld",
			       written->text.n, (long long)option->most);
	keep_text(written->text, arena, field);
	return 0;
}

static int parse_url(const struct option *option, const struct option_text *written,
		     struct arena *arena, void *field, struct err *err)
{
	struct url url;

	if (!(may_be_empty(option) && written->text.n == 0) &&
	    !url_parse("https://", written->text, &url))
		return wrong(written, err,
			     "write the whole URL, like https://dmp.example/services/repository");
	return keep_url(option, written, arena, field, err);
}

/* What goes to another machine is encrypted; what stays on this one (a relay) need not be. */
static int parse_webhook(const struct option *option, const struct option_text *written,
			 struct arena *arena, void *field, struct err *err)
{
	const struct option_text told = { url_origin(written->text), written->quoted,
					  written->folder };
	struct url url;

	if (url_parse("http://", written->text, &url) && !url_is_loopback(&url))
		return wrong(&told, err,
			     "http is for this machine only (127.0.0.1, [::1] or localhost): "
			     "write an https URL for another");
	if (!(may_be_empty(option) && written->text.n == 0) &&
	    !url_parse("http://", written->text, &url) &&
	    !url_parse("https://", written->text, &url))
		return err_set(err, ERR_HALT,
			       "is no URL that can be used (not shown, for it may hold a secret): "
			       "write the whole of it, like https://hooks.example/alerts");
	return keep_url(option, written, arena, field, err);
}

/* Whoever has the whole of it may write where people read alerts. */
static void print_webhook(const struct option *option, const void *field, struct buf *out)
{
	const struct slice origin = url_origin(slice_of(*(const char *const *)field));
	scoped(free_ptr) char *told = xasprintf("%.*s", (int)origin.n, slice_of(origin.p).p);

	print_text(option, &told, out);
}

/* The port is never left to a default: libraries do not agree on it. */
static int parse_proxy(const struct option *option, const struct option_text *written,
		       struct arena *arena, void *field, struct err *err)
{
	struct url url;

	if (!(may_be_empty(option) && written->text.n == 0) &&
	    (!url_parse("http://", written->text, &url) || !url.has_port ||
	     written->text.p[written->text.n - 1] == '?' ||
	     memchr(written->text.p + strlen("http://"), '/',
		    written->text.n - strlen("http://")) != NULL))
		return wrong(
			written, err,
			"write http://, its host and its port, like http://proxy.example:3128");
	return keep_url(option, written, arena, field, err);
}

/* ---- all of them ---- */

static const struct kind {
	int (*parse)(const struct option *option, const struct option_text *written,
		     struct arena *arena, void *field, struct err *err);
	void (*print)(const struct option *option, const void *field, struct buf *out);
	size_t bytes; /* of its field; 0: an enum or a bool */
} kinds[] = {
	[OPTION_TEXT] = { parse_text, print_text, sizeof(char *) },
	[OPTION_NAME] = { parse_name, print_text, sizeof(char *) },
	[OPTION_WORD] = { parse_word, print_text, sizeof(char *) },
	[OPTION_CHOICE] = { parse_choice, print_choice, 0 },
	[OPTION_BOOLEAN] = { parse_boolean, print_boolean, sizeof(bool) },
	[OPTION_COUNT] = { parse_amount, print_number, sizeof(uint64_t) },
	[OPTION_SIZE] = { parse_amount, print_number, sizeof(uint64_t) },
	[OPTION_DURATION] = { parse_amount, print_number, sizeof(int64_t) },
	[OPTION_PATH] = { parse_path, print_text, sizeof(char *) },
	[OPTION_FOLDER] = { parse_path, print_text, sizeof(char *) },
	[OPTION_FILE] = { parse_path, print_text, sizeof(char *) },
	[OPTION_SECRET] = { parse_path, print_text, sizeof(char *) },
	[OPTION_KEY] = { parse_key, print_text, sizeof(char *) },
	[OPTION_ADDRESS] = { parse_address, print_text, sizeof(char *) },
	[OPTION_NETWORK] = { parse_network, print_network, sizeof(struct network) },
	[OPTION_URL] = { parse_url, print_text, sizeof(char *) },
	[OPTION_WEBHOOK] = { parse_webhook, print_webhook, sizeof(char *) },
	[OPTION_PROXY] = { parse_proxy, print_text, sizeof(char *) },
	[OPTION_FINESS] = { parse_finess, print_text, sizeof(char *) },
	[OPTION_OID] = { parse_oid, print_text, sizeof(char *) },
	[OPTION_SECTOR] = { parse_sector, print_text, sizeof(char *) },
};

static const struct kind *kind_of(const struct option *option)
{
	assert(option->kind < length_of(kinds)); /* a list is not a value */
	assert(kinds[option->kind].bytes == option->bytes ||
	       (kinds[option->kind].bytes == 0 &&
		(option->bytes == sizeof(bool) || option->bytes == sizeof(int))));
	return &kinds[option->kind];
}

int option_parse(const struct option *option, const struct option_text *written,
		 struct arena *arena, void *field, struct err *err)
{
	if (!is_printable(written->text))
		return err_set(err, ERR_HALT,
			       "holds a line end, a tab or another character that cannot be "
			       "printed: write it on one line");
	return kind_of(option)->parse(option, written, arena, field, err);
}

void option_print(const struct option *option, const void *field, struct buf *out)
{
	kind_of(option)->print(option, field, out);
}
