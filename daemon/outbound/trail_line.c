/* A row of the audit chain, for a syslog collector. Any thread.
 *
 * MSGID is what happened, HOSTNAME the gateway that wrote it down, and each value a parameter of one element; a
 * sentence follows for people. The number of the row tells repeats, its digest proves later what the chain was.
 * What the DMP said in words, and what a file was called, may name a patient: they are not in it.
 */
#include "outbound/trail_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/syslog.h"

enum { NUMBER_TEXT = 24, ELEMENT_TEXT = 40 };

/* 0 where there was no attempt, no HTTP, no time to measure: "". */
static const char *number_text(uint64_t number, char room[static NUMBER_TEXT])
{
	snprintf(room, NUMBER_TEXT, "%" PRIu64, number);
	return number ? room : "";
}

static void say(const struct store_trail_row *row, const char *doc, struct buf *out)
{
	if (row->is_act)
		buf_addf(out, "%s %s%s%s", row->what, row->subject, row->text[0] ? ": " : "",
			 row->text);
	else
		buf_addf(out, "document %s %s: %s%s%s", doc, row->what, row->state,
			 row->reason[0] ? ", " : "", row->reason);
	if (row->actor[0])
		buf_addf(out, ", by %s", row->actor);
}

void trail_line(const struct store_trail_row *row, const struct collector_settings *settings,
		struct buf *out)
{
	char element[ELEMENT_TEXT], number[NUMBER_TEXT], attempt[NUMBER_TEXT], http[NUMBER_TEXT],
		ms[NUMBER_TEXT], digest[SHA256_BYTES * 2 + 1], doc[ULID_TEXT] = "";
	scoped(buf_done) struct buf sentence = { 0 };
	const struct syslog_param params[] = {
		{ "row", number_text(row->number, number) },
		{ "digest", hex(row->digest, sizeof(row->digest), digest) },
		{ "actor", row->actor },
		{ "subject", row->subject },
		{ "doc", row->is_act ? "" : ulid_text(&row->doc, doc) },
		{ "entity", row->lane },
		{ "site", row->site },
		{ "source", row->source },
		{ "channel", row->channel },
		{ "action", row->action },
		{ "type", row->type_code },
		{ "unique_id", row->unique_id },
		{ "state", row->state },
		{ "reason", row->reason },
		{ "attempt", number_text(row->attempt, attempt) },
		{ "http", number_text((uint64_t)row->http_status, http) },
		{ "code", row->code },
		{ "ms", number_text((uint64_t)row->duration_ms, ms) },
		{ "note", row->note },
	};

	snprintf(element, sizeof(element), "dmpfeed@%" PRIu64, settings->enterprise);
	say(row, doc, &sentence);
	syslog_add(
		&(struct syslog_message){
			.facility = (unsigned)settings->facility,
			.severity = SYSLOG_NOTICE, /* it tells what happened; alerts judge */
			.at_ms = row->at_ms,
			.host = row->node,
			.app = "dmpfeedd",
			.id = row->what,
			.element = element,
			.params = params,
			.param_count = length_of(params),
			.text = sentence.p,
		},
		settings->most_line_bytes, out);
}
