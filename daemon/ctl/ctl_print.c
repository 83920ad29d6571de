/* What dmpfeedctl prints of each answer. One thread. */
#include "ctl/ctl_print.h"

#include <stdio.h>

#include "ctl/ctl_refusal.h"
#include "ctl/ctl_table.h"

/* clang-format off */
static const struct ctl_column list_columns[] = {
	{ "doc", "Document" }, { "state", "State" }, { "reason", "Reason" },
	{ "type_code", "Type" }, { "site", "Site" }, { "source", "Source" },
	{ "received", "Received" }, { "attempts", "Attempts" },
	{ "lane_state", "Lane" }, { "not_before", "Not before" }, { NULL, NULL },
};

static const struct ctl_column certificate_columns[] = {
	{ "owner", "Of" }, { "role", "Role" }, { "days_left", "Days left" }, { "not_after", "Ends" },
	{ "subject", "Subject" }, { NULL, NULL },
};

static const struct ctl_column alert_columns[] = {
	{ "severity", "Severity" }, { "name", "Name" }, { "subject", "Subject" }, { "since", "Since" },
	{ "said", "Alert" }, { "advised", "What to do" }, { NULL, NULL },
};

static const struct ctl_column audit_columns[] = {
	{ "at", "When" }, { "actor", "Who" }, { "what", "What" }, { "doc", "Document" }, { "site", "Site" },
	{ "state", "State" }, { "reason", "Reason" }, { "subject", "Subject" }, { "text", "Text" }, { NULL, NULL },
};

static const struct ctl_column shape_columns[] = {
	{ "lane", "Lane" }, { "type_code", "Type" }, { "total", "Number" }, { "1min", "1 min" },
	{ "5min", "5 min" }, { "15min", "15 min" }, { "1h", "1 h" }, { "4h", "4 h" },
	{ "12h", "12 h" }, { "1d", "1 d" }, { "3d", "3 d" }, { "7d", "7 d" }, { "older", "older" },
	{ NULL, NULL },
};

static const struct ctl_column counter_columns[] = {
	{ "finess_ej", "Entity" }, { "finess_eg", "Site" }, { "current", "Now" }, { "field", "Field" },
	{ "type_code", "Type" }, { "channel", "Channel" }, { "day", "Day" }, { "month", "Month" },
	{ "outcome", "Outcome" }, { "n", "Number" }, { NULL, NULL },
};

static const struct ctl_column stay_columns[] = {
	{ "stay", "Stay" }, { "site", "Site" }, { "unit", "Unit" }, { "field", "Field" }, { "start", "Begun" },
	{ "end", "Ended" }, { "days", "Days" }, { "sensitive", "Sensitive" }, { "letter_state", "Letter" },
	{ "letter_reason", "Reason" }, { NULL, NULL },
};

static const struct ctl_column order_columns[] = {
	{ "doc", "Document" }, { "done", "Done" }, { "from", "Before" }, { "state", "State" },
	{ "reason", "Reason" }, { "other_form", "With its other form" }, { "sentence", "Why not" }, { NULL, NULL },
};

static const struct ctl_column kind_columns[] = {
	{ "site", "Site" }, { "type_code", "Type" }, { "documents", "Number" }, { "done", "Done" },
	{ "from", "Before" }, { "state", "State" }, { "reason", "Reason" },
	{ "sentence", "Why not" }, { NULL, NULL },
};

static const struct ctl_column recall_members[] = {
	{ "doc", "Document" }, { "done", "Done" }, { "from", "State" }, { "deletion", "Deletion" },
	{ "other_form", "Other form" }, { "other_deletion", "Its deletion" },
	{ "other_sentence", "Why not that one" }, { "sentence", "Why not" }, { NULL, NULL },
};

static const struct ctl_column document_members[] = {
	{ "doc", "Document" }, { "state", "State" }, { "reason", "Reason" },
	{ "sentence", "Meaning" }, { "lane_state", "Its lane is" }, { "lane_since", "since" },
	{ "lane_why", "because" }, { "todo", "What to do" }, { "not_before", "Not before" },
	{ "attempts", "Attempts" }, { "doubtful", "In doubt" }, { "action", "Action" },
	{ "unique_id", "Identifier" }, { "type_code", "Type" }, { "bytes", "Bytes" },
	{ "other_form", "Other form" }, { "lane", "Lane" }, { "site", "Site" }, { "source", "Source" },
	{ "channel", "Channel" }, { "origin", "Origin" }, { "received", "Received" }, { "changed", "Changed" },
	{ "release", "Goes by itself" }, { "purged", "Body purged" }, { NULL, NULL },
};

static const struct ctl_column event_columns[] = {
	{ "at", "When" }, { "what", "What" }, { "state", "State" }, { "reason", "Reason" },
	{ "attempt", "Attempt" }, { "http_status", "HTTP" }, { "duration_ms", "ms" },
	{ "code", "Code" }, { "note", "Note" }, { "actor", "Who" }, { "origin", "Origin" },
	{ "text", "Text" },
	{ NULL, NULL },
};

static const struct ctl_column export_columns[] = {
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

static const struct ctl_column metadata_columns[] = {
	{ "name", "Name" }, { "from", "From" }, { "value", "Value" }, { NULL, NULL },
};

static const struct ctl_column status_members[] = {
	{ "ready", "Ready" }, { "not_ready", "because" }, { "last_delivered", "Last delivery" },
	{ "oldest_queued", "Oldest waiting for" },
	{ "invisible_too_long", "Invisible for too long" }, { "identities", "Identities (ADT)" },
	{ "identities_ignored", "of these, ignored" }, { "identities_unusable", "of these, unusable" },
	{ "answers", "Answers (ACK)" }, { "not_asked", "Patient not asked" },
	{ "uptime", "Running for" },
	{ "version", "Version" }, { "environment", "Environment" }, { NULL, NULL },
};

static const struct ctl_column backup_members[] = {
	{ "file", "Backup" }, { "bytes", "Bytes" }, { NULL, NULL },
};

static const struct ctl_column queue_columns[] = {
	{ "state", "State" }, { "documents", "Number" }, { NULL, NULL },
};

static const struct ctl_column lane_columns[] = {
	{ "name", "Name" }, { "state", "State" }, { "since", "Since" }, { "in_flight", "In flight" },
	{ "delivered", "Delivered" }, { "last_delivered", "Last delivery" },
	{ "resumes", "Tries again" }, { "why", "Why" }, { NULL, NULL },
};

static const struct ctl_column listener_columns[] = {
	{ "name", "Name" }, { "address", "Address" }, { "tls", "TLS" },
	{ "connections", "Connections" }, { "messages", "Messages" },
	{ "last_message", "Last message" }, { "broken_frames", "Broken frames" },
	{ "stray_bytes", "Stray bytes" }, { "refused_connections", "Too many" },
	{ "refused_peers", "Not allowed" }, { "failed_handshakes", "TLS failed" }, { NULL, NULL },
};

static const struct ctl_column folder_columns[] = {
	{ "name", "Name" }, { "path", "Path" }, { "waiting", "Waiting" }, { "taken", "Taken" },
	{ "rejected", "Rejected" }, { "last_file", "Last file" }, { "trouble", "Trouble" },
	{ NULL, NULL },
};

static const struct ctl_column collector_columns[] = {
	{ "address", "Address" }, { "state", "State" }, { "waiting", "Waiting" }, { "forwarded", "Last row" },
	{ "last_forwarded", "Arrived" }, { "failed", "Failed" }, { "resumes", "Tries again" }, { "why", "Why" },
	{ NULL, NULL },
};

static const struct ctl_column source_columns[] = {
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
	ctl_table("", answer->rows, list_columns);
}

void ctl_print_certificates(const struct ctl_answer *answer)
{
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No certificate."));
	ctl_table("", answer->rows, certificate_columns);
}

void ctl_print_audit(const struct ctl_answer *answer)
{
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("Nobody did anything in that time."));
	ctl_table("", answer->rows, audit_columns);
}

void ctl_print_shape(const struct ctl_answer *answer)
{
	puts(ctl_say(json_array_size(answer->rows) ? "What waits, by the age that it is below:"
						   : "Nothing waits."));
	ctl_table("", answer->rows, shape_columns);
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
	ctl_table("", answer->rows, stay_columns);
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
	ctl_table("", answer->rows, counter_columns);
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
	ctl_table("", kinds, kind_columns);
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
	ctl_table("", answer->rows, order_columns);
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
	ctl_members(json_array_get(answer->rows, 0), document_members);
	ctl_table("Metadata", answer->metadata, metadata_columns);
	ctl_table("History", answer->events, event_columns);
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
	ctl_table("Lanes", lanes, lane_columns);
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
	ctl_table("Alerts", alerts, alert_columns);
}

static void print_collector(const json_t *collector)
{
	json_t *rows = json_is_object(collector) ? json_pack("[O]", collector) : NULL;

	ctl_table("Forwarded audit trail", rows, collector_columns);
	json_decref(rows);
}

void ctl_print_status(const struct ctl_answer *answer)
{
	json_t *status = json_array_get(answer->rows, 0);
	json_t *queue = rows_of_queue(json_object_get(status, "queue"));

	set_duration(status, "uptime_s", "uptime");
	set_duration(status, "oldest_queued_s", "oldest_queued");
	ctl_members(status, status_members);
	print_alerts(json_object_get(status, "alerts"));
	ctl_table("Documents", queue, queue_columns);
	print_lanes(json_object_get(status, "lanes"));
	ctl_table("Listeners", json_object_get(status, "listeners"), listener_columns);
	ctl_table("Folders", json_object_get(status, "folders"), folder_columns);
	ctl_table("Acknowledgements to sources", json_object_get(status, "sources"),
		  source_columns);
	print_collector(json_object_get(status, "audit"));
	json_decref(queue);
}

void ctl_print_tail(const struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 };
	json_t *row;
	size_t i;

	forget_zeros(answer->rows);
	json_array_foreach(answer->rows, i, row)
	{
		for (size_t j = 0; j < length_of(tail_columns); j++)
			ctl_cell(&line, row, tail_columns[j].member, tail_columns[j].width);
		ctl_line(&line);
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
	ctl_members(row, recall_members);
}

void ctl_print_backup(const struct ctl_answer *answer)
{
	ctl_members(json_array_get(answer->rows, 0), backup_members);
}

void ctl_print_export(const struct ctl_answer *answer)
{
	ctl_table("", answer->rows, export_columns);
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
	ctl_line(&line);
	json_array_foreach(faults, i, fault)
	{
		ctl_add_clean(&line, slice_of(json_string_value(fault)).p, '\0');
		ctl_line(&line);
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
		ctl_line(&line);
	}
	json_array_foreach(json_object_get(row, "faults"), i, each)
	{
		ctl_add_clean(&line, slice_of(json_string_value(each)).p, '\0');
		ctl_line(&line);
	}
	json_array_foreach(json_object_get(row, "warnings"), i, each)
	{
		scoped(free_ptr) char *said = ctl_refusal(slice_of(json_string_value(each)).p);

		ctl_add_clean(&line, said, '\0');
		ctl_line(&line);
	}
	if (is_done)
		buf_addf(&line, "%s %" JSON_INTEGER_FORMAT, ctl_say("Reloaded. Changes:"),
			 json_integer_value(json_object_get(row, "change_count")));
	else
		buf_add_text(&line, ctl_say("Not reloaded: nothing has changed."));
	ctl_line(&line);
}

void ctl_print_json(const json_t *json)
{
	scoped(free_ptr) char *text = json_dumps(json, JSON_INDENT(2));
	scoped(buf_done) struct buf out = { 0 };

	ctl_add_clean(&out, text ? text : "null", '\n');
	puts(out.p);
}
