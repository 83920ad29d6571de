/* What became of a dropped file. Pure. Any thread. */
#include "intake/explanation.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/obeyed.h"
#include "hl7/charset.h"

/* YAML 1.2, production 1: U+FFFE and U+FFFF may not stand for themselves. */
static size_t noncharacter_at(const char *text, uint32_t *ret_code)
{
	if (strncmp(text, "\xef\xbf\xbe", 3) != 0 && strncmp(text, "\xef\xbf\xbf", 3) != 0)
		return 0;
	*ret_code = text[2] == '\xbe' ? 0xfffe : 0xffff;
	return 3;
}

/* A YAML double-quoted scalar. A name that is not UTF-8 is told as if it were ISO 8859-1, as it mostly is. */
static void add_quoted(struct buf *out, const char *text)
{
	const bool is_utf8 = charset_is_utf8(slice_of(text));
	uint32_t code;

	buf_add_char(out, '"');
	for (size_t n; *text != '\0'; text += max(n, (size_t)1)) {
		n = is_utf8 ? obeyed_at(text, &code) + noncharacter_at(text, &code) : 0;
		if (n > 0)
			buf_addf(out, "\\u%04x", (unsigned)code);
		else if (*text == '"' || *text == '\\')
			buf_addf(out, "\\%c", *text);
		else if (!is_utf8 && ((unsigned char)*text < ' ' || (unsigned char)*text > '~'))
			buf_addf(out, "\\x%02x", (unsigned char)*text);
		else
			buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void add_member(struct buf *out, const char *indent, const char *name, const char *value)
{
	buf_addf(out, "%s%s: ", indent, name);
	add_quoted(out, value);
	buf_add_char(out, '\n');
}

static void open_document(const char *file, int64_t now_ms, const char *list, struct buf *out)
{
	char time[CLOCK_TEXT];

	add_member(out, "", "file", file);
	add_member(out, "", "at", clock_iso(now_ms, time));
	buf_addf(out, "%s:\n", list);
}

void explanation_open(const char *file, int64_t now_ms, struct buf *out)
{
	open_document(file, now_ms, "errors", out);
}

void explanation_add(const struct err *why, struct buf *out)
{
	const struct reason_row *reason = reason_row(why->reason);
	char code[16];

	snprintf(code, sizeof(code), "%d", reason->hl7_code ? reason->hl7_code : 207);
	add_member(out, "  - ", "location", why->where);
	add_member(out, "    ", "code", code);
	add_member(out, "    ", "reason", reason->code);
	add_member(out, "    ", "text", why->text);
	add_member(out, "    ", "meaning", reason->english);
	add_member(out, "    ", "signification", reason->french);
	add_member(out, "    ", "todo", reason->action_english);
	add_member(out, "    ", "action", reason->action_french);
}

void result_open(const char *file, int64_t now_ms, const char *list, struct buf *out)
{
	open_document(file, now_ms, list, out);
}

void result_add_message(const char *control_id, const char *event, struct buf *out)
{
	if (control_id[0] == '\0' && event[0] == '\0') {
		buf_add_text(out, "  - documents:\n");
		return;
	}
	add_member(out, "  - ", "control_id", control_id);
	if (event[0] != '\0')
		add_member(out, "    ", "event", event);
	else
		buf_add_text(out, "    documents:\n");
}

void result_add_file(const char *name, struct buf *out)
{
	add_member(out, "  - ", "file", name);
	buf_add_text(out, "    documents:\n");
}

void result_add_document(const char *doc, const char *unique_id, const char *action,
			 const char *state, bool known, struct buf *out)
{
	add_member(out, "      - ", "doc", doc);
	add_member(out, "        ", "unique_id", unique_id);
	add_member(out, "        ", "action", action);
	add_member(out, "        ", "state", state);
	buf_addf(out, "        known: %s\n", known ? "true" : "false");
}

void result_add_set(const char *set_id, struct buf *out)
{
	add_member(out, "        ", "set_id", set_id);
}
