/* Syslog, RFC 5424 in RFC 5425. Any thread. */
#include "base/syslog.h"

#include "base/clock.h"
#include "base/xml.h"

enum { HOST_CHARS = 255, APP_CHARS = 48, ID_CHARS = 32 };

/* Header fields know printable ASCII alone (RFC 5424, section 6). */
static void add_field(struct buf *line, const char *text, size_t most)
{
	for (size_t i = 0; i < most && text[i] != '\0'; i++)
		buf_add_char(line, text[i] > ' ' && text[i] < 0x7f ? text[i] : '_');
	buf_add_text(line, text[0] ? " " : "- ");
}

static bool is_control(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0);
}

/* The next character as it is written, and the bytes of `text` that it takes. */
static size_t write_char(struct slice text, bool is_value, struct buf *out)
{
	uint32_t c = (unsigned char)text.p[0];
	size_t n = c < 0x80 ? 1 : xml_char(text, &c);

	buf_clear(out);
	if (is_control(c))
		buf_addf(out, is_value ? "\\\\u%04x" : "\\u%04x", (unsigned)c);
	else if (c == XML_REPLACEMENT)
		buf_add_text(out, "\xef\xbf\xbd");
	else if (is_value && (c == '"' || c == '\\' || c == ']')) /* section 6.3.3 */
		buf_addf(out, "\\%c", (int)c);
	else
		buf_add(out, (struct slice){ text.p, n });
	return n;
}

/* Whole characters, as long as the line does not grow beyond `most`; false: not all of it fitted. */
static bool add_text(struct buf *line, const char *text, bool is_value, size_t most)
{
	scoped(buf_done) struct buf written = { 0 };
	struct slice rest = slice_of(text);

	while (rest.n > 0) {
		rest = slice_from(rest, write_char(rest, is_value, &written));
		if (line->n + written.n > most)
			return false;
		buf_add(line, buf_slice(&written));
	}
	return true;
}

/* A value that does not fit is not cut: half of an identifier is another one. */
static void add_param(struct buf *line, const struct syslog_param *param, size_t most)
{
	const size_t before = line->n;

	if (param->value[0] == '\0')
		return;
	buf_addf(line, " %s=\"", param->name);
	if (!add_text(line, param->value, true, most - 1))
		line->n = before;
	else
		buf_add_char(line, '"');
}

static void add_line(const struct syslog_message *message, size_t most_bytes, struct buf *line)
{
	char at[CLOCK_TEXT];

	buf_addf(line, "<%u>1 %s ", message->facility * 8 + message->severity,
		 clock_iso(message->at_ms, at));
	add_field(line, message->host, HOST_CHARS);
	add_field(line, message->app, APP_CHARS);
	buf_add_text(line, "- "); /* the process that wrote it down may have ended long ago */
	add_field(line, message->id, ID_CHARS);
	buf_addf(line, "[%s", message->element);
	for (size_t i = 0; i < message->param_count; i++)
		add_param(line, &message->params[i], most_bytes - 1);
	buf_add_char(line, ']');
	if (message->text[0] == '\0' || line->n + sizeof(" \xef\xbb\xbf") > most_bytes)
		return;
	buf_add_text(line, " \xef\xbb\xbf"); /* what follows is UTF-8 */
	(void)add_text(line, message->text, false, most_bytes);
}

void syslog_add(const struct syslog_message *message, size_t most_bytes, struct buf *out)
{
	scoped(buf_done) struct buf line = { 0 };

	add_line(message, max(most_bytes, (size_t)SYSLOG_LEAST_BYTES), &line);
	buf_addf(out, "%zu ", line.n);
	buf_add(out, buf_slice(&line));
}
