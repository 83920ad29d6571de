/* What the filling of metadata takes. Any thread, one document at a time. */
#include "document/metadata_filling.h"

#include "base/clock.h"

enum { SHOWN = 64 };

/* 1900-01-01: what is older was misdated, and a year of three digits breaks the format of XDS. */
static const int64_t oldest_ms = INT64_C(-2208988800000);

const char *filling_shown(const char *code)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._:/#+-";
	size_t n = strlen(code);

	return n > 0 && n <= SHOWN && strspn(code, allowed) == n ? code : "(unreadable)";
}

const char *filling_plain(struct filling *filling, const char *text)
{
	char *copy = arena_dup(filling->arena, slice_of(text)), *to = copy;

	for (const char *from = copy; *from != '\0'; from++)
		if (strchr("^&|~", *from) == NULL)
			*to++ = *from;
	*to = '\0';
	return copy;
}

bool filling_has_separators(const char *text)
{
	return strpbrk(text, "^&|~") != NULL;
}

struct coded filling_coded(struct filling *filling, const struct valueset_row *row)
{
	return (struct coded){ arena_dup(filling->arena, slice_of(row->code)),
			       arena_dup(filling->arena, slice_of(row->system)),
			       arena_dup(filling->arena, slice_of(row->display)) };
}

int filling_code(struct filling *filling, enum valueset_list list, const char *where,
		 const struct cda_code *from, struct coded *ret_coded)
{
	const char *code = from->code, *system = from->system;
	const struct valuesets *valuesets = filling->context->valuesets;
	const struct valueset_row *row = valueset_find(valuesets, list, code, system);
	scoped(buf_done) struct buf nearest = { 0 };

	if (is_empty(code))
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, where, "%s is missing",
				  where);
	if (row != NULL) {
		*ret_coded = filling_coded(filling, row);
		return 0;
	}
	row = valueset_find(valuesets, list, code, NULL);
	if (row != NULL) {
		err_refuse(filling->err, REASON_METADATA_INVALID, where,
			   "%s is known, but not of the code system %s: it is of %s",
			   filling_shown(code), filling_shown(system), row->system);
		return err_quotes(filling->err);
	}
	valueset_nearest(valuesets, list, code, from->display, &nearest);
	err_refuse(filling->err, REASON_METADATA_INVALID, where,
		   "%s is not in the DMP's list; nearest: %s", filling_shown(code),
		   buf_slice(&nearest).p);
	return err_quotes(filling->err);
}

int filling_time(struct filling *filling, const char *where, const char *text, int64_t *ret_time_ms)
{
	bool zoned;

	if (is_empty(text))
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, where, "%s is missing",
				  where);
	if (clock_parse_hl7(slice_of(text), ret_time_ms, &zoned, filling->err) < 0 ||
	    *ret_time_ms < oldest_ms)
		return err_refuse(filling->err, REASON_DATA_TYPE, where,
				  "%s is not a time (YYYYMMDDHHMMSS+ZZZZ, since 1900)", where);
	return 0;
}
