/* The values of a sidecar. Any thread. */
#include "document/sidecar_values.h"

#include "base/clock.h"
#include "base/identity_status.h"
#include "document/oid.h"

enum {
	MOST_TEXT = 256, /* bytes of a value */
	MOST_VERSION = 999999,
	FINESS = 9,
	INSEE = 5,
	DATE_DIGITS = 8,
	MINUTE_DIGITS = 12,
	SECOND_DIGITS = 14,
};

static void keep(struct sidecar_reader *reader, struct slice text, void *field)
{
	*(const char **)field = arena_dup(reader->arena, text);
}

const char *sidecar_parse_text(struct sidecar_reader *reader, const struct sidecar_key *key,
			       struct slice text, void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return "one line of text";
	if (text.n > MOST_TEXT)
		return "a text of 256 bytes at most";
	keep(reader, text, field);
	return NULL;
}

/* An identifier: no blank, none of the separators of HL7. */
const char *sidecar_parse_id(struct sidecar_reader *reader, const struct sidecar_key *key,
			     struct slice text, void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] > '~' ||
		    strchr("^&|~", text.p[i]) != NULL)
			return "an identifier (no blank, none of ^ & | ~)";
	if (text.n > OID_TEXT - 1)
		return "an identifier of 64 characters at most";
	keep(reader, text, field);
	return NULL;
}

const char *sidecar_parse_oid(struct sidecar_reader *reader, const struct sidecar_key *key,
			      struct slice text, void *field)
{
	(void)key;
	keep(reader, text, field);
	return oid_is_valid(*(const char **)field) ? NULL : "an OID (numbers and dots)";
}

const char *sidecar_parse_ins(struct sidecar_reader *reader, const struct sidecar_key *key,
			      struct slice text, void *field)
{
	struct err err;

	(void)key;
	keep(reader, text, field);
	return ins_check(*(const char **)field, &err) == 0
		       ? NULL
		       : "an INS: 15 characters, the last two being the key of the others";
}

const char *sidecar_parse_ins_oid(struct sidecar_reader *reader, const struct sidecar_key *key,
				  struct slice text, void *field)
{
	(void)key;
	keep(reader, text, field);
	return ins_is_domain(*(const char **)field)
		       ? NULL
		       : "a domain of the INS (1.2.250.1.213.1.4.8 for an INS-NIR, .9 for an "
			 "INS-NIA)";
}

const char *sidecar_parse_finess(struct sidecar_reader *reader, const struct sidecar_key *key,
				 struct slice text, void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == 'A' ||
		      text.p[i] == 'B'))
			text.n = 0;
	if (text.n != FINESS)
		return "a FINESS: nine characters, in quotes";
	keep(reader, text, field);
	return NULL;
}

const char *sidecar_parse_insee(struct sidecar_reader *reader, const struct sidecar_key *key,
				struct slice text, void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		      (i == 1 && (text.p[i] == 'A' || text.p[i] == 'B'))))
			text.n = 0;
	if (text.n != INSEE)
		return "the INSEE code of a town or country: five characters, in quotes";
	keep(reader, text, field);
	return NULL;
}

const char *sidecar_parse_word(struct sidecar_reader *reader, const struct sidecar_key *key,
			       struct slice text, void *field)
{
	for (const char *const *word = key->more; *word != NULL; word++)
		if (slice_is(text, *word)) {
			keep(reader, text, field);
			return NULL;
		}
	return key->help;
}

/* As at the door of messages: a slip of the pen would leave the document waiting for ever. */
const char *sidecar_parse_status(struct sidecar_reader *reader, const struct sidecar_key *key,
				 struct slice text, void *field)
{
	scoped(buf_done) struct buf known = { 0 };

	(void)key;
	keep(reader, text, field);
	if (identity_status_is_known(text))
		return NULL;
	identity_status_list(&known);
	return arena_printf(reader->arena, "one of table 0445: %s", known.p);
}

const char *sidecar_parse_version(struct sidecar_reader *reader, const struct sidecar_key *key,
				  struct slice text, void *field)
{
	(void)reader;
	(void)key;
	if (!slice_to_u64(text, MOST_VERSION, field) || *(uint64_t *)field == 0)
		return "a number from 1 on";
	return NULL;
}

const char *sidecar_parse_flag(struct sidecar_reader *reader, const struct sidecar_key *key,
			       struct slice text, void *field)
{
	(void)reader;
	(void)key;
	*(bool *)field = slice_is(text, "true");
	return *(bool *)field || slice_is(text, "false") ? NULL : "true or false";
}

const char *sidecar_parse_code(struct sidecar_reader *reader, const struct sidecar_key *key,
			       struct slice text, void *field)
{
	const enum valueset_list list = *(const enum valueset_list *)key->more;
	scoped(buf_done) struct buf nearest = { 0 };

	keep(reader, text, field);
	if (valueset_find(reader->context->valuesets, list, *(const char **)field, NULL) != NULL)
		return NULL;
	valueset_nearest(reader->context->valuesets, list, *(const char **)field, NULL, &nearest);
	return arena_printf(reader->arena, "in the DMP's list; nearest: %s", buf_slice(&nearest).p);
}

/* ISO 8601 and HL7 differ by their separators: what remains without them is HL7's, but for Z. */
static struct slice without_separators(struct sidecar_reader *reader, struct slice text)
{
	char *digits = arena_alloc(reader->arena, text.n + 5 + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool is_zone = c == '+' || (c == '-' && n >= MINUTE_DIGITS);

		if (is_zone || (c != '-' && c != ':' && c != 'T' && c != ' ' && c != 'Z'))
			digits[n++] = c;
		if (c == 'Z' && i + 1 == text.n)
			memcpy(digits + n, "+0000", 5), n += 5;
	}
	return (struct slice){ digits, n };
}

/* Digits at the start. */
static size_t precision_of(struct slice hl7)
{
	size_t n = 0;

	while (n < hl7.n && hl7.p[n] >= '0' && hl7.p[n] <= '9')
		n++;
	return n;
}

/* A day, or a moment with its zone: without one, the gateway's own. Fractions are left out. */
static bool read_time(struct sidecar_reader *reader, struct slice text, bool *ret_is_day,
		      void *field)
{
	struct slice hl7 = without_separators(reader, text);
	size_t digits = precision_of(hl7);
	char local[CLOCK_TEXT];
	struct err err;
	int64_t time_ms;
	bool zoned;

	*ret_is_day = digits == DATE_DIGITS;
	if ((digits != DATE_DIGITS && digits != MINUTE_DIGITS && digits != SECOND_DIGITS) ||
	    (*ret_is_day && hl7.n > digits) || clock_parse_hl7(hl7, &time_ms, &zoned, &err) < 0)
		return false;
	if (*ret_is_day)
		keep(reader, hl7, field);
	else if (!zoned)
		keep(reader, slice_of(clock_hl7(time_ms, local)), field);
	else
		*(const char **)field =
			arena_printf(reader->arena, "%.*s%s%.5s", (int)digits, hl7.p,
				     digits == MINUTE_DIGITS ? "00" : "", hl7.p + hl7.n - 5);
	return true;
}

const char *sidecar_parse_day(struct sidecar_reader *reader, const struct sidecar_key *key,
			      struct slice text, void *field)
{
	bool is_day;

	(void)key;
	return read_time(reader, text, &is_day, field) && is_day ? NULL : "a day (YYYY-MM-DD)";
}

const char *sidecar_parse_moment(struct sidecar_reader *reader, const struct sidecar_key *key,
				 struct slice text, void *field)
{
	bool is_day;

	(void)key;
	return read_time(reader, text, &is_day, field) && !is_day
		       ? NULL
		       : "a moment (2026-11-20T10:15:00+01:00)";
}

const char *sidecar_parse_time(struct sidecar_reader *reader, const struct sidecar_key *key,
			       struct slice text, void *field)
{
	bool is_day;

	(void)key;
	return read_time(reader, text, &is_day, field)
		       ? NULL
		       : "a moment (2026-11-20T10:15:00+01:00) or a day (2026-11-20)";
}
