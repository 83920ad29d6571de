/* What every part of a page writes. Pure. Any thread. */
#include "status/html.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

#define NARROW_SPACE "\xe2\x80\xaf" /* that does not break a line: before % and between thousands */
#define NO_BREAK "\xc2\xa0"

/* Control characters, which HTML does not have, are blanks. */
void html_add(struct buf *out, const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_add_text(out, "&amp;");
			break;
		case '<':
			buf_add_text(out, "&lt;");
			break;
		case '>':
			buf_add_text(out, "&gt;");
			break;
		case '"':
			buf_add_text(out, "&quot;");
			break;
		case '\'':
			buf_add_text(out, "&#39;");
			break;
		default:
			buf_add_char(out,
				     (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
			break;
		}
	}
}

void html_add_count(struct buf *out, uint64_t count, bool french)
{
	char digits[24];
	const int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			buf_add_text(out, french ? NARROW_SPACE : ",");
		buf_add_char(out, digits[i]);
	}
}

static const struct unit {
	int64_t ms;
	const char *english, *french;
} units[] = {
	{ INT64_C(86400000), "d", "j" },
	{ 3600000, "h", "h" },
	{ 60000, "min", "min" },
	{ 1000, "s", "s" },
};

static void add_unit(struct buf *out, int64_t number, const struct unit *unit, bool french)
{
	buf_addf(out, "%lld" NO_BREAK "%s", (long long)number,
		 french ? unit->french : unit->english);
}

void html_add_duration(struct buf *out, int64_t duration_ms, bool french)
{
	size_t i = 0;

	duration_ms = max(duration_ms, (int64_t)0);
	while (i + 1 < length_of(units) && duration_ms < units[i].ms)
		i++;
	add_unit(out, duration_ms / units[i].ms, &units[i], french);
	if (i < 2 && duration_ms / units[i].ms < 3 &&
	    duration_ms % units[i].ms >= units[i + 1].ms) {
		buf_add_text(out, NO_BREAK);
		add_unit(out, duration_ms % units[i].ms / units[i + 1].ms, &units[i + 1], french);
	}
}

/* ---- dates ---- */

static struct tm local(int64_t time_ms)
{
	const time_t at = (time_t)(time_ms / 1000);
	struct tm parts;

	localtime_r(&at, &parts);
	return parts;
}

static const char *month_of(const struct tm *date)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	return months[date->tm_mon];
}

void html_add_day(struct buf *out, int64_t time_ms, bool french)
{
	const struct tm date = local(time_ms);

	if (french)
		buf_addf(out, "%02d/%02d", date.tm_mday, date.tm_mon + 1);
	else
		buf_addf(out, "%d" NO_BREAK "%s", date.tm_mday, month_of(&date));
}

void html_add_date(struct buf *out, int64_t time_ms, bool french)
{
	html_add_day(out, time_ms, french);
	buf_addf(out, french ? "/%d" : NO_BREAK "%d", local(time_ms).tm_year + 1900);
}

void html_add_clock(struct buf *out, int64_t time_ms)
{
	const struct tm date = local(time_ms);

	buf_addf(out, "%02d:%02d", date.tm_hour, date.tm_min);
}

/* ---- how far away ---- */

static void open_time(struct buf *out, int64_t time_ms, bool french)
{
	char iso[CLOCK_TEXT];

	buf_addf(out, "<time datetime=\"%s\" title=\"", clock_iso(time_ms, iso));
	html_add_date(out, time_ms, french);
	buf_add_text(out, " ");
	html_add_clock(out, time_ms);
	buf_add_text(out, "\">");
}

void html_add_ago(struct buf *out, int64_t time_ms, int64_t now_ms, bool french)
{
	if (time_ms <= 0) {
		buf_add_text(out, french ? "jamais" : "never");
		return;
	}
	open_time(out, time_ms, french);
	if (french)
		buf_add_text(out, "il y a" NO_BREAK);
	html_add_duration(out, now_ms - time_ms, french);
	if (!french)
		buf_add_text(out, NO_BREAK "ago");
	buf_add_text(out, "</time>");
}

void html_add_until(struct buf *out, int64_t time_ms, int64_t now_ms, bool french)
{
	open_time(out, time_ms, french);
	buf_add_text(out, french ? "dans" NO_BREAK : "in" NO_BREAK);
	html_add_duration(out, time_ms - now_ms, french);
	buf_add_text(out, "</time>");
}
