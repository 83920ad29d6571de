/* Why a dropped file was not taken. Pure. Any thread. */
#include "intake/explanation.h"

#include <stdio.h>

#include "base/clock.h"

/* A YAML double-quoted scalar: any byte that is not plain printable ASCII or UTF-8 is escaped. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buf_addf(out, "\\%c", *c);
		else if (*c < ' ' || *c == 0x7f)
			buf_addf(out, "\\x%02x", *c);
		else
			buf_add_char(out, (char)*c);
	}
	buf_add_char(out, '"');
}

static void add_member(struct buf *out, const char *indent, const char *name, const char *value)
{
	buf_addf(out, "%s%s: ", indent, name);
	add_quoted(out, value);
	buf_add_char(out, '\n');
}

void explanation_write(const char *file, int64_t now_ms, const struct err *why, struct buf *out)
{
	const struct reason_row *reason = reason_row(why->reason);
	char time[CLOCK_TEXT], code[16];

	snprintf(code, sizeof(code), "%d", reason->hl7_code ? reason->hl7_code : 207);
	add_member(out, "", "file", file);
	add_member(out, "", "at", clock_iso(now_ms, time));
	buf_add_text(out, "errors:\n");
	add_member(out, "  - ", "location", why->where);
	add_member(out, "    ", "code", code);
	add_member(out, "    ", "reason", reason->code);
	add_member(out, "    ", "text", why->text);
	add_member(out, "    ", "meaning", reason->english);
	add_member(out, "    ", "signification", reason->french);
	add_member(out, "    ", "todo", reason->action_english);
	add_member(out, "    ", "action", reason->action_french);
}
