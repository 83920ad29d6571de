/* What dmpfeedctl prints of each answer. One thread. */
#include "ctl/ctl_print.h"
#include "ctl/ctl_refusal.h"

#include <assert.h>
#include <stdio.h>

/* ---- columns ---- */

/* A member of an object and its title, in English. A list of them ends with an empty one. */
struct column {
	const char *member, *title;
};

/* "" when there is nothing to show. */
static const char *cell_of(const json_t *row, const struct column *column, struct buf *cell)
{
	const json_t *value = json_object_get(row, column->member);

	buf_clear(cell);
	buf_add_text(cell, "");
	if (json_is_string(value))
		ctl_add_clean(cell, json_string_value(value), '\0');
	else if (json_is_integer(value))
		buf_addf(cell, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		buf_add_text(cell, ctl_say(json_is_true(value) ? "yes" : "no"));
	return cell->p;
}

/* In UTF-8 the bytes that continue a character take no place. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void add_padded(struct buf *line, const char *text, int width)
{
	buf_addf(line, "%s%*s", text, max(width - width_of(text), 0) + 2, "");
}

static void print_line(struct buf *line)
{
	while (line->n > 0 && line->p[line->n - 1] == ' ')
		line->p[--line->n] = '\0';
	puts(line->p);
	buf_clear(line);
}

/* 0: no row has anything in it. */
static int column_width(const json_t *rows, const struct column *column, struct buf *cell)
{
	int width = 0;

	for (size_t i = 0; i < json_array_size(rows); i++)
		width = max(width, width_of(cell_of(json_array_get(rows, i), column, cell)));
	return width ? max(width, width_of(ctl_say(column->title))) : 0;
}

enum { MOST_COLUMNS = 16 };

/* An array of objects, one a line under the titles. Columns in which no row has anything are left
 * out, and so is a table of which nothing is left. `heading`: "" for none.
 */
static void print_table(const char *heading, const json_t *rows, const struct column *columns)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	int widths[MOST_COLUMNS];

	for (size_t i = 0; columns[i].member; i++) {
		assert(i < MOST_COLUMNS);
		widths[i] = column_width(rows, &columns[i], &cell);
		if (widths[i] > 0)
			add_padded(&line, ctl_say(columns[i].title), widths[i]);
	}
	if (line.n == 0)
		return;
	if (heading[0])
		printf("\n%s\n", ctl_say(heading));
	print_line(&line);
	for (size_t row = 0; row < json_array_size(rows); row++) {
		for (size_t i = 0; columns[i].member; i++) {
			const char *text = cell_of(json_array_get(rows, row), &columns[i], &cell);

			if (widths[i] > 0)
				add_padded(&line, text[0] ? text : "-", widths[i]);
		}
		print_line(&line);
	}
}

/* An object, one member a line; those with nothing to show are left out. */
static void print_members(const json_t *object, const struct column *columns)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	int width = 0;

	for (size_t i = 0; columns[i].member; i++)
		width = max(width, width_of(ctl_say(columns[i].title)));
	for (size_t i = 0; columns[i].member; i++) {
		if (cell_of(object, &columns[i], &cell)[0] == '\0')
			continue;
		add_padded(&line, ctl_say(columns[i].title), width);
		buf_add(&line, buf_slice(&cell));
		print_line(&line);
	}
}

/* ---- what is printed of each answer ---- */

/* clang-format off */
static const struct column list_columns[] = {
	{ "doc", "Document" }, { "state", "State" }, { "reason", "Reason" },
	{ "type_code", "Type" }, { "site", "Site" }, { "source", "Source" },
	{ "received", "Received" }, { "attempts", "Attempts" },
	{ "next_attempt", "Next attempt" }, { NULL, NULL },
};

static const struct column certificate_columns[] = {
	{ "owner", "Of" }, { "role", "Role" }, { "days_left", "Days left" }, { "not_after", "Ends" },
	{ "subject", "Subject" }, { NULL, NULL },
};

static const struct column alert_columns[] = {
	{ "severity", "Severity" }, { "name", "Name" }, { "subject", "Subject" }, { "since", "Since" },
	{ "said", "Alert" }, { "advised", "What to do" }, { NULL, NULL },
};

static const struct column shape_columns[] = {
	{ "lane", "Lane" }, { "type_code", "Type" }, { "total", "Number" }, { "1min", "1 min" },
	{ "5min", "5 min" }, { "15min", "15 min" }, { "1h", "1 h" }, { "4h", "4 h" },
	{ "12h", "12 h" }, { "1d", "1 d" }, { "3d", "3 d" }, { "7d", "7 d" }, { "older", "older" },
	{ NULL, NULL },
};

static const struct column counter_columns[] = {
	{ "finess_ej", "Entity" }, { "finess_eg", "Site" }, { "current", "Now" }, { "field", "Field" },
	{ "type_code", "Type" }, { "channel", "Channel" }, { "day", "Day" }, { "month", "Month" },
	{ "outcome", "Outcome" }, { "n", "Number" }, { NULL, NULL },
};

static const struct column stay_columns[] = {
	{ "stay", "Stay" }, { "site", "Site" }, { "unit", "Unit" }, { "field", "Field" }, { "start", "Begun" },
	{ "end", "Ended" }, { "days", "Days" }, { "sensitive", "Sensitive" }, { "letter_state", "Letter" },
	{ "letter_reason", "Reason" }, { NULL, NULL },
};

static const struct column order_columns[] = {
	{ "doc", "Document" }, { "done", "Done" }, { "from", "Before" }, { "state", "State" },
	{ "reason", "Reason" }, { "sentence", "Why not" }, { NULL, NULL },
};

static const struct column target_columns[] = {
	{ "window_name", "Window" }, { "indicator", "Indicator" }, { "place", "Place" },
	{ "count", "Count" }, { "rate_text", "Rate" }, { "target", "Target" },
	{ "missing_now", "Missing" }, { "missing_end", "Missing at the end" },
	{ "projected", "Projected" }, { "state", "State" }, { "frozen_at", "Frozen" },
	{ NULL, NULL },
};

static const struct column import_members[] = {
	{ "figures", "Figures" }, { "denominator", "Denominator" },
	{ "first_month", "First month" }, { "last_month", "Last month" }, { "sum", "Sum" },
	{ "revision", "Revision" }, { "dry_run", "Only tried" }, { "unknown", "Unknown sites" },
	{ NULL, NULL },
};

static const struct column gap_columns[] = {
	{ "finess_eg", "Site" }, { "type_code", "Type" }, { "month", "Month" }, { "ours", "Ours" },
	{ "declared", "Declared" }, { "official", "Official" }, { "gap_text", "Gap" },
	{ "level", "Level" }, { NULL, NULL },
};

static const struct column kind_columns[] = {
	{ "site", "Site" }, { "type_code", "Type" }, { "documents", "Number" }, { "done", "Done" },
	{ "from", "Before" }, { "state", "State" }, { "reason", "Reason" },
	{ "sentence", "Why not" }, { NULL, NULL },
};

static const struct column recall_members[] = {
	{ "doc", "Document" }, { "done", "Done" }, { "from", "State" }, { "deletion", "Deletion" },
	{ "sentence", "Why not" }, { NULL, NULL },
};

static const struct column document_members[] = {
	{ "doc", "Document" }, { "state", "State" }, { "reason", "Reason" },
	{ "sentence", "Meaning" }, { "todo", "What to do" }, { "next_attempt", "Next attempt" },
	{ "attempts", "Attempts" }, { "doubtful", "In doubt" }, { "action", "Action" },
	{ "unique_id", "Identifier" }, { "type_code", "Type" }, { "bytes", "Bytes" },
	{ "lane", "Lane" }, { "site", "Site" }, { "source", "Source" }, { "channel", "Channel" },
	{ "origin", "Origin" }, { "received", "Received" }, { "changed", "Changed" },
	{ "release", "Goes by itself" }, { "purged", "Body purged" }, { NULL, NULL },
};

static const struct column event_columns[] = {
	{ "at", "When" }, { "what", "What" }, { "state", "State" }, { "reason", "Reason" },
	{ "attempt", "Attempt" }, { "http_status", "HTTP" }, { "duration_ms", "ms" },
	{ "code", "Code" }, { "note", "Note" }, { "actor", "Who" }, { "origin", "Origin" },
	{ "text", "Text" },
	{ NULL, NULL },
};

static const struct column rate_columns[] = {
	{ "finess_eg", "Site" }, { "feed_rate_produced", "Of what was to be fed" },
	{ "addressable_rate", "Without what was refused" }, { "feed_rate_stays", "Stays with a letter" },
	{ "same_day_rate", "Letters on the day" }, { "next_day_rate", "next day" },
	{ "d2_d8_rate", "to the 8th" }, { "later_rate", "later" },
	{ "first_pass_rate", "First attempt" }, { "replacement_rate", "Replaced" },
	{ "masking_rate", "Hidden" }, { "still_invisible_rate", "for too long" },
	{ "continuity", "Weeks fed" }, { NULL, NULL },
};

static const struct column uncovered_columns[] = {
	{ "finess_eg", "Site" }, { "unit", "Unit" }, { "discharges", "Discharges" }, { NULL, NULL },
};

static const struct column export_columns[] = {
	{ "path", "File" }, { "rows", "Rows" }, { "bytes", "Bytes" }, { NULL, NULL },
};

/* Each line is printed before the next is known: widths are those of usual words. */
static const struct {
	const char *member;
	int width;
} tail_columns[] = {
	{ "at", 24 }, { "doc", 26 }, { "what", 8 }, { "state", 9 }, { "reason", 0 },
	{ "type_code", 7 }, { "site", 9 }, { "http_status", 0 }, { "code", 0 }, { "actor", 0 },
};

static const struct column metadata_columns[] = {
	{ "name", "Name" }, { "from", "From" }, { "value", "Value" }, { NULL, NULL },
};

static const struct column status_members[] = {
	{ "ready", "Ready" }, { "not_ready", "because" }, { "last_delivered", "Last delivery" },
	{ "oldest_queued", "Oldest waiting for" },
	{ "invisible_too_long", "Invisible for too long" }, { "identities", "Identities (ADT)" },
	{ "identities_ignored", "of these, ignored" }, { "identities_unusable", "of these, unusable" },
	{ "answers", "Answers (ACK)" }, { "not_asked", "Patient not asked" },
	{ "uptime", "Running for" },
	{ "version", "Version" }, { "environment", "Environment" }, { NULL, NULL },
};

static const struct column backup_members[] = {
	{ "file", "Backup" }, { "bytes", "Bytes" }, { NULL, NULL },
};

static const struct column queue_columns[] = {
	{ "state", "State" }, { "documents", "Number" }, { NULL, NULL },
};

static const struct column lane_columns[] = {
	{ "name", "Name" }, { "state", "State" }, { "in_flight", "In flight" },
	{ "delivered", "Delivered" }, { "last_delivered", "Last delivery" },
	{ "resumes", "Tries again" }, { "why", "Why" }, { NULL, NULL },
};

static const struct column listener_columns[] = {
	{ "name", "Name" }, { "address", "Address" }, { "tls", "TLS" },
	{ "connections", "Connections" }, { "messages", "Messages" },
	{ "last_message", "Last message" }, { "broken_frames", "Broken frames" },
	{ "stray_bytes", "Stray bytes" }, { "refused_connections", "Too many" },
	{ "refused_peers", "Not allowed" }, { "failed_handshakes", "TLS failed" }, { NULL, NULL },
};

static const struct column folder_columns[] = {
	{ "name", "Name" }, { "path", "Path" }, { "waiting", "Waiting" }, { "taken", "Taken" },
	{ "rejected", "Rejected" }, { "last_file", "Last file" }, { "trouble", "Trouble" },
	{ NULL, NULL },
};

static const struct column source_columns[] = {
	{ "name", "Name" }, { "address", "Address" }, { "state", "State" },
	{ "waiting", "Waiting" }, { "oldest", "Oldest" }, { "told", "Told" },
	{ "refused", "Refused" }, { "failed", "Failed" }, { "last_told", "Last told" },
	{ "resumes", "Tries again" }, { "why", "Why" }, { NULL, NULL },
};
/* clang-format on */

void ctl_print_list(const struct ctl_answer *answer)
{
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No document."));
	print_table("", answer->rows, list_columns);
}

void ctl_print_certificates(const struct ctl_answer *answer)
{
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No certificate."));
	print_table("", answer->rows, certificate_columns);
}

void ctl_print_shape(const struct ctl_answer *answer)
{
	puts(ctl_say(json_array_size(answer->rows) ? "What waits, by the age that it is below:"
						   : "Nothing waits."));
	print_table("", answer->rows, shape_columns);
}

/* Some of them are shown, oldest first; how many there are is told. */
void ctl_print_stays(const struct ctl_answer *answer)
{
	const json_t *reach = json_array_get(answer->metadata, 0);
	const json_int_t all = json_integer_value(json_object_get(reach, "stays"));

	if (all == 0)
		puts(ctl_say("No stay without a letter."));
	else
		printf("%s: %" JSON_INTEGER_FORMAT "\n", ctl_say("Stays without a letter"), all);
	print_table("", answer->rows, stay_columns);
	if (!json_is_true(json_object_get(reach, "complete")))
		puts(ctl_say("Not all is counted yet: ask again in a moment."));
}

void ctl_print_counters(const struct ctl_answer *answer)
{
	const json_t *recount = json_object_get(json_array_get(answer->rows, 0), "recount");

	if (recount != NULL) {
		puts(ctl_say("All is counted anew, in the background."));
		return;
	}
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("Nothing was counted in that time."));
	print_table("", answer->rows, counter_columns);
	if (!json_is_true(json_object_get(json_array_get(answer->metadata, 0), "complete")))
		puts(ctl_say("Not all is counted yet: ask again in a moment."));
}

/* What was ordered of a document: done, or what it would be. */
static void set_done(json_t *row)
{
	bool ok = json_is_true(json_object_get(row, "ok"));
	bool dry = json_is_true(json_object_get(row, "dry_run"));

	json_object_set_new(row, "done",
			    json_string(ctl_say(!ok   ? "no"
						: dry ? "would be"
						      : "yes")));
}

static const char *text_of(const json_t *row, const char *member)
{
	const char *text = json_string_value(json_object_get(row, member));

	return text ? text : "";
}

static bool is_same_kind(const json_t *kind, const json_t *row)
{
	static const char *const members[] = { "site",  "type_code", "from",
					       "state", "reason",    "sentence" };

	for (size_t i = 0; i < length_of(members); i++)
		if (strcmp(text_of(kind, members[i]), text_of(row, members[i])) != 0)
			return false;
	return true;
}

static json_t *kind_of(json_t *kinds, json_t *row)
{
	json_t *kind;
	size_t i;

	json_array_foreach(kinds, i, kind)
	{
		if (is_same_kind(kind, row))
			return kind;
	}
	kind = json_copy(row);
	json_object_del(kind, "doc");
	json_array_append_new(kinds, kind);
	return kind;
}

void ctl_count_kinds(json_t *kinds, const json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *kind = kind_of(kinds, row);
		json_int_t before = json_integer_value(json_object_get(kind, "documents"));

		json_object_set_new(kind, "documents", json_integer(before + 1));
	}
}

void ctl_print_kinds(json_t *kinds)
{
	json_t *kind;
	size_t i;

	if (json_array_size(kinds) == 0)
		puts(ctl_say("No document."));
	json_array_foreach(kinds, i, kind)
	{
		set_done(kind);
	}
	print_table("", kinds, kind_columns);
}

void ctl_print_orders(const struct ctl_answer *answer)
{
	json_t *row;
	size_t i;

	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No document."));
	json_array_foreach(answer->rows, i, row)
	{
		set_done(row);
	}
	print_table("", answer->rows, order_columns);
}

/* The ledger writes 0 where there was no attempt, no HTTP, no time to measure. */
static void forget_zeros(json_t *events)
{
	static const char *const members[] = { "attempt", "http_status", "duration_ms" };
	json_t *event;
	size_t row;

	json_array_foreach(events, row, event)
	{
		for (size_t i = 0; i < length_of(members); i++)
			if (json_integer_value(json_object_get(event, members[i])) == 0)
				json_object_del(event, members[i]);
	}
}

void ctl_print_show(const struct ctl_answer *answer)
{
	forget_zeros(answer->events);
	print_members(json_array_get(answer->rows, 0), document_members);
	print_table("Metadata", answer->metadata, metadata_columns);
	print_table("History", answer->events, event_columns);
}

/* Sets object[text_member] to what object[seconds_member] is for people: its two largest units. */
static void set_duration(json_t *object, const char *seconds_member, const char *text_member)
{
	const json_t *value = json_object_get(object, seconds_member);
	long long s = json_integer_value(value);
	scoped(free_ptr) char *text = NULL;

	if (!json_is_integer(value))
		return;
	if (s >= 86400)
		text = xasprintf("%lld %s %lld h", s / 86400, ctl_say("d"), s / 3600 % 24);
	else if (s >= 3600)
		text = xasprintf("%lld h %lld min", s / 3600, s / 60 % 60);
	else
		text = xasprintf("%lld min %lld s", s / 60, s % 60);
	json_object_set_new(object, text_member, json_string(text));
}

/* {"held": 2, …} as rows. */
static json_t *rows_of_queue(json_t *queue)
{
	json_t *rows = json_array(), *documents;
	const char *state;

	json_object_foreach(queue, state, documents)
	{
		json_array_append_new(
			rows, json_pack("{s:s, s:O}", "state", state, "documents", documents));
	}
	return rows;
}

/* Sets object[to] to what object[from] says in the language of the user. */
static void set_words(json_t *object, const char *from, const char *to)
{
	const json_t *by_language = json_object_get(object, from);
	const char *text = json_string_value(json_object_get(by_language, ctl_language()));

	if (text != NULL)
		json_object_set_new(object, to, json_string(text));
}

static void print_lanes(json_t *lanes)
{
	json_t *lane;
	size_t i;

	json_array_foreach(lanes, i, lane)
	{
		set_words(lane, "sentence", "why");
	}
	print_table("Lanes", lanes, lane_columns);
}

static void print_alerts(json_t *alerts)
{
	json_t *alert;
	size_t i;

	json_array_foreach(alerts, i, alert)
	{
		set_words(alert, "sentence", "said");
		set_words(alert, "todo", "advised");
	}
	print_table("Alerts", alerts, alert_columns);
}

void ctl_print_status(const struct ctl_answer *answer)
{
	json_t *status = json_array_get(answer->rows, 0);
	json_t *queue = rows_of_queue(json_object_get(status, "queue"));

	set_duration(status, "uptime_s", "uptime");
	set_duration(status, "oldest_queued_s", "oldest_queued");
	print_members(status, status_members);
	print_alerts(json_object_get(status, "alerts"));
	print_table("Documents", queue, queue_columns);
	print_lanes(json_object_get(status, "lanes"));
	print_table("Listeners", json_object_get(status, "listeners"), listener_columns);
	print_table("Folders", json_object_get(status, "folders"), folder_columns);
	print_table("Acknowledgements to sources", json_object_get(status, "sources"),
		    source_columns);
	json_decref(queue);
}

void ctl_print_tail(const struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	json_t *row;
	size_t i;

	forget_zeros(answer->rows);
	json_array_foreach(answer->rows, i, row)
	{
		for (size_t j = 0; j < length_of(tail_columns); j++) {
			const struct column column = { tail_columns[j].member, "" };
			const char *text = cell_of(row, &column, &cell);

			if (text[0] || tail_columns[j].width)
				add_padded(&line, text, tail_columns[j].width);
		}
		print_line(&line);
	}
}

static void print_json_line(const json_t *row, const char *end)
{
	scoped(free_ptr) char *text = json_dumps(row, JSON_COMPACT);
	scoped(buf_done) struct buf out = { 0 };

	ctl_add_clean(&out, text ? text : "null", '\0');
	printf("%s%s", out.p, end);
}

void ctl_print_json_lines(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		print_json_line(row, "\n");
	}
}

void ctl_print_json_part(const json_t *rows, size_t before)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		printf("%s", before + i == 0 ? "[\n" : ",\n");
		print_json_line(row, "");
	}
}

void ctl_print_json_end(size_t count)
{
	puts(count == 0 ? "[]" : "\n]");
}

void ctl_print_recall(const struct ctl_answer *answer)
{
	json_t *row = json_array_get(answer->rows, 0);

	set_done(row);
	print_members(row, recall_members);
}

void ctl_print_backup(const struct ctl_answer *answer)
{
	print_members(json_array_get(answer->rows, 0), backup_members);
}

void ctl_print_export(const struct ctl_answer *answer)
{
	print_table("", answer->rows, export_columns);
	if (!json_is_true(json_object_get(json_array_get(answer->rows, 0), "complete")))
		puts(ctl_say("Not all is counted yet: ask again in a moment."));
}

/* The head, noted elsewhere, shows later that the end of the chain was not cut off. */
void ctl_print_verify(const struct ctl_answer *answer)
{
	const json_t *row = json_array_get(answer->rows, 0), *fault;
	const json_t *faults = json_object_get(row, "faults");
	scoped(buf_done) struct buf line = { 0 };
	size_t i;

	buf_addf(&line, "%" JSON_INTEGER_FORMAT " ",
		 json_integer_value(json_object_get(row, "rows")));
	if (json_is_true(json_object_get(row, "ok"))) {
		buf_addf(&line, "%s ", ctl_say("rows, chain whole, head"));
		ctl_add_clean(&line, slice_of(json_string_value(json_object_get(row, "head"))).p,
			      '\0');
	} else {
		buf_addf(&line, "%s %" JSON_INTEGER_FORMAT, ctl_say("rows, faults:"),
			 json_integer_value(json_object_get(row, "fault_count")));
	}
	print_line(&line);
	json_array_foreach(faults, i, fault)
	{
		ctl_add_clean(&line, slice_of(json_string_value(fault)).p, '\0');
		print_line(&line);
	}
}

/* A key, and what it was and is; an entry of a list comes or goes. */
static void add_change(struct buf *line, const json_t *change)
{
	const char *before = json_string_value(json_object_get(change, "before"));
	const char *after = json_string_value(json_object_get(change, "after"));

	ctl_add_clean(line, slice_of(json_string_value(json_object_get(change, "key"))).p, '\0');
	buf_add_text(line, ": ");
	if (before != NULL && after != NULL) {
		ctl_add_clean(line, before, '\0');
		buf_add_text(line, " -> ");
		ctl_add_clean(line, after, '\0');
	} else {
		buf_add_text(line, ctl_say(after ? "added" : "removed"));
	}
}

void ctl_print_reload(const struct ctl_answer *answer)
{
	const json_t *row = json_array_get(answer->rows, 0), *each;
	const bool is_done = json_is_true(json_object_get(row, "ok"));
	scoped(buf_done) struct buf line = { 0 };
	size_t i;

	json_array_foreach(json_object_get(row, "changes"), i, each)
	{
		add_change(&line, each);
		print_line(&line);
	}
	json_array_foreach(json_object_get(row, "faults"), i, each)
	{
		ctl_add_clean(&line, slice_of(json_string_value(each)).p, '\0');
		print_line(&line);
	}
	if (is_done)
		buf_addf(&line, "%s %" JSON_INTEGER_FORMAT, ctl_say("Reloaded. Changes:"),
			 json_integer_value(json_object_get(row, "change_count")));
	else
		buf_add_text(&line, ctl_say("Not reloaded: nothing has changed."));
	print_line(&line);
}

void ctl_print_json(const json_t *json)
{
	scoped(free_ptr) char *text = json_dumps(json, JSON_INDENT(2));
	scoped(buf_done) struct buf out = { 0 };

	ctl_add_clean(&out, text ? text : "null", '\n');
	puts(out.p);
}

/* ---- targets ---- */

/* A share as people read it, or a count; nothing when it is not known. */
static void set_rate(json_t *object, const char *member, const json_t *value, bool is_ratio)
{
	scoped(buf_done) struct buf text = { 0 };

	if (!json_is_number(value))
		return;
	buf_addf(&text, is_ratio ? "%.1f %%" : "%.0f",
		 json_number_value(value) * (is_ratio ? 100 : 1));
	for (char *c = text.p; ctl_is_french() && *c; c++)
		*c = *c == '.' ? ',' : *c;
	json_object_set_new(object, member, json_string(text.p));
}

static void set_target_texts(json_t *row)
{
	const json_t *threshold = json_object_get(row, "threshold");
	const json_t *numerator = json_object_get(row, "numerator");
	const json_t *denominator = json_object_get(row, "denominator");
	const char *entity = json_string_value(json_object_get(row, "finess_ej"));
	const char *site = json_string_value(json_object_get(row, "finess_eg"));
	bool is_ratio = json_is_true(json_object_get(row, "is_ratio"));
	scoped(free_ptr) char *window =
		xasprintf("%s %s", slice_of(json_string_value(json_object_get(row, "programme"))).p,
			  slice_of(json_string_value(json_object_get(row, "window"))).p);
	scoped(buf_done) struct buf count = { 0 };

	json_object_set_new(row, "window_name", json_string(window));
	json_object_set_new(row, "place", json_string(slice_of(site ? site : entity).p));
	if (json_is_integer(numerator))
		buf_addf(&count, "%" JSON_INTEGER_FORMAT, json_integer_value(numerator));
	if (json_is_integer(numerator) && json_is_integer(denominator))
		buf_addf(&count, "/%" JSON_INTEGER_FORMAT, json_integer_value(denominator));
	json_object_set_new(row, "count", json_string(buf_slice(&count).p));
	set_rate(row, "rate_text", json_object_get(row, "rate"), is_ratio);
	set_rate(row, "target", json_object_get(threshold, "value"), is_ratio);
	set_rate(row, "projected", json_object_get(row, "projected_rate"), is_ratio);
}

/* Rows of sites with their rates, then of units. */
static void print_rates(json_t *rows)
{
	json_t *sites = json_array(), *uncovered = json_array(), *row, *value;
	const char *name;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_t *unit = json_object_get(row, "unit");

		if (unit != NULL && json_is_false(json_object_get(unit, "covered")))
			json_array_append(uncovered, unit);
		json_object_foreach(json_object_get(row, "rates"), name, value)
		{
			set_rate(row, name, value, true);
		}
		if (unit == NULL)
			json_array_append(sites, row);
	}
	print_table("", sites, rate_columns);
	print_table("Units that patients leave, and of which the DMP has nothing", uncovered,
		    uncovered_columns);
	json_decref(sites);
	json_decref(uncovered);
}

void ctl_print_targets(const struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 };
	json_t *row;
	size_t i;

	row = json_array_get(answer->rows, 0);
	if (json_object_get(row, "rates") != NULL) {
		print_rates(answer->rows);
		return;
	}
	if (row == NULL)
		puts(ctl_say("No target."));
	json_array_foreach(answer->rows, i, row)
	{
		set_target_texts(row);
	}
	print_table("", answer->rows, target_columns);
	json_array_foreach(answer->rows, i, row)
	{
		const char *said = json_string_value(
			json_object_get(row, ctl_is_french() ? "sentence_fr" : "sentence_en"));

		buf_addf(&line, "%s%s %s: ", i == 0 ? "\n" : "",
			 slice_of(json_string_value(json_object_get(row, "place"))).p,
			 slice_of(json_string_value(json_object_get(row, "indicator"))).p);
		ctl_add_clean(&line, slice_of(said).p, '\0');
		print_line(&line);
	}
}

static void set_unknown_sites(json_t *row)
{
	const json_t *sites = json_object_get(row, "unknown_sites"), *site;
	scoped(buf_done) struct buf text = { 0 };
	size_t i;

	json_array_foreach(sites, i, site)
	{
		buf_addf(&text, "%s%s", i ? ", " : "", slice_of(json_string_value(site)).p);
	}
	json_object_set_new(row, "unknown", json_string(buf_slice(&text).p));
	if (json_integer_value(json_object_get(row, "revision")) == 0)
		json_object_del(row, "revision");
}

/* The first row says what was brought; the others what is wrong with it, or how it differs from ours. */
void ctl_print_import(const struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 };
	json_t *gaps = json_array(), *row;
	bool has_faults = false;
	size_t i;

	set_unknown_sites(json_array_get(answer->rows, 0));
	json_array_foreach(answer->rows, i, row)
	{
		const char *fault = json_string_value(json_object_get(row, "fault"));
		scoped(free_ptr) char *told = fault ? ctl_refusal(fault) : NULL;
		json_t *gap = json_object_get(row, "gap");

		if (gap != NULL) {
			set_rate(gap, "gap_text", json_object_get(gap, "gap"), true);
			json_array_append(gaps, gap);
		}
		if (fault == NULL)
			continue;
		if (!has_faults)
			puts(ctl_say("What is wrong with the file; nothing of it was kept"));
		has_faults = true;
		ctl_add_clean(&line, told, '\0');
		print_line(&line);
	}
	if (!has_faults)
		print_members(json_array_get(answer->rows, 0), import_members);
	print_table("Counts that differ", gaps, gap_columns);
	json_decref(gaps);
}
