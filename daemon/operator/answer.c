/* Lines of JSON over the control socket. */
#include "operator/answer.h"

const char *answer_asked(const json_t *asked, const char *name)
{
	const char *text = json_string_value(json_object_get(asked, name));

	return text ? text : "";
}

bool answer_in_french(const json_t *asked)
{
	return strcmp(answer_asked(asked, "lang"), "fr") == 0;
}

bool answer_is_site_unknown(const json_t *asked, const struct config *config)
{
	const char *site = answer_asked(asked, "site");

	return site[0] != '\0' && config_establishment_of(config, site, NULL) == NULL;
}

#define STATES                                                                                     \
	"held, queued, sending, delivered, refused, rejected, suppressed, cancelled, invisible"

/* What was written stands between the two halves. */
static const struct {
	const char *english[2], *french[2];
} faults[] = {
	[FAULT_STATE] = { { "there is no state '", "'; there are " STATES },
			  { "l'état « ", " » n'existe pas ; il y a " STATES } },
	[FAULT_REASON] = { { "there is no reason '",
			     "'; \"man dmpfeed-reasons\" has those there are" },
			   { "le motif « ",
			     " » n'existe pas ; « man dmpfeed-reasons » donne ceux qu'il y a" } },
	[FAULT_ID] = { { "'", "' is not a document's id" },
		       { "« ", " » n'est pas l'identifiant d'un document" } },
	[FAULT_NO_DOCUMENT] = { { "there is no document ", "" },
				{ "il n'y a pas de document ", "" } },
	[FAULT_NO_UNIQUE_ID] = { { "no document here has the identifier ", "" },
				 { "aucun document d'ici n'a l'identifiant ", "" } },
	[FAULT_SEVERAL] = { { "several documents have this identifier, name the one that is "
			      "meant: ",
			      "" },
			    { "plusieurs documents ont cet identifiant, désigner celui dont il "
			      "s'agit : ",
			      "" } },
	[FAULT_DAY] = { { "'", "' is not a day such as 2026-11-22" },
			{ "« ", " » n'est pas un jour comme 2026-11-22" } },
	[FAULT_LIMIT] = { { "limit is a number above 0, not ", "" },
			  { "limit est un nombre supérieur à 0, et non ", "" } },
	[FAULT_CHOOSE] = { { "name documents, or a reason: one of the two", "" },
			   { "nommer des documents, ou un motif : l'un des deux", "" } },
	[FAULT_NAME] = { { "this order names its documents", "" },
			 { "cet ordre nomme ses documents", "" } },
};

int answer_refuse(struct err *err, const json_t *asked, enum answer_fault fault, const char *about)
{
	const char *const *words =
		answer_in_french(asked) ? faults[fault].french : faults[fault].english;

	return err_set(err, ERR_REJECT, "%s%s%s", words[0], about, words[1]);
}

int answer_limit(const json_t *asked, size_t *ret_limit, struct err *err)
{
	enum { ROWS = 100, MOST_ROWS = 100000 };
	const json_t *limit = json_object_get(asked, "limit");
	scoped(free_ptr) char *text = NULL;

	if (limit != NULL && (!json_is_integer(limit) || json_integer_value(limit) < 1)) {
		text = json_dumps(limit, JSON_ENCODE_ANY | JSON_COMPACT);
		return answer_refuse(err, asked, FAULT_LIMIT, text ? text : "");
	}
	*ret_limit = limit ? (size_t)min(json_integer_value(limit), (json_int_t)MOST_ROWS) : ROWS;
	return 0;
}

json_t *answer_event(const struct store_event *event)
{
	json_t *object = json_object();

	json_put_count(object, "number", event->number);
	json_put_time(object, "at", event->at_ms);
	json_put_text(object, "what", event->what);
	json_put_text(object, "state", doc_state_text(event->state));
	json_put_text(object, "reason", reason_row(event->reason)->code);
	json_put_count(object, "attempt", event->attempt);
	json_put_text(object, "code", event->code);
	json_put_text(object, "text", event->text);
	json_put_text(object, "note", event->note);
	json_put_text(object, "origin", event->origin);
	json_put_text(object, "actor", event->actor);
	json_put_count(object, "http_status", (uint64_t)event->http_status);
	json_put_count(object, "duration_ms", (uint64_t)event->duration_ms);
	return object;
}

void answer_put_doc(json_t *object, const char *name, const struct ulid *doc)
{
	static const struct ulid none;
	char text[ULID_TEXT];

	json_put_text(object, name,
		      memcmp(doc, &none, sizeof(none)) == 0 ? "" : ulid_text(doc, text));
}

/* Members of a document that is queued; null of one that is not. */
static void put_lane(json_t *object, const struct standing_wait *wait, bool french)
{
	json_put_text(object, "lane_state", wait->lane_state);
	json_put_time(object, "lane_since", wait->since_ms);
	json_put_text(object, "lane_why", french ? wait->why.french : wait->why.english);
	json_put_time(object, "not_before", wait->not_before_ms);
}

json_t *answer_row(const struct store_row *row, const struct standing *standing, bool french)
{
	const struct standing_wait wait =
		row->state == DOC_QUEUED
			? standing_wait(standing, row)
			: (struct standing_wait){ .reason = row->reason, .todo = row->reason };
	const struct reason_row *reason = reason_row(wait.reason), *todo = reason_row(wait.todo);
	json_t *object = json_object();
	char doc[ULID_TEXT];

	json_put_text(object, "doc", ulid_text(&row->doc, doc));
	json_put_text(object, "action", row->action);
	json_put_text(object, "unique_id", row->unique_id);
	json_put_text(object, "type_code", row->type_code);
	json_put_text(object, "lane", row->lane);
	json_put_text(object, "site", row->site);
	json_put_text(object, "source", row->source);
	json_put_text(object, "channel", row->channel);
	json_put_text(object, "state", doc_state_text(row->state));
	json_put_text(object, "reason", reason->code);
	json_put_text(object, "sentence", french ? reason->french : reason->english);
	json_put_text(object, "todo", french ? todo->action_french : todo->action_english);
	put_lane(object, &wait, french);
	json_put_count(object, "attempts", row->attempts);
	json_put_flag(object, "doubtful", row->doubtful);
	json_put_count(object, "bytes", row->body_bytes);
	json_put_time(object, "received", row->received_ms);
	json_put_time(object, "changed", row->changed_ms);
	json_put_time(object, "next_attempt", row->state == DOC_QUEUED ? row->next_attempt_ms : 0);
	json_put_time(object, "release", row->state == DOC_HELD ? row->release_ms : 0);
	json_put_time(object, "purged", row->purged_ms);
	answer_put_doc(object, "other_form", &row->other_form);
	return object;
}

void answer_line(struct buf *out, const char *name, json_t *object)
{
	json_t *line = json_object();

	json_object_set_new(line, name, object);
	json_add_and_free(line, out);
	buf_add_char(out, '\n');
}

void answer_end(struct buf *out, const char *error)
{
	json_t *end = json_object();

	json_put_flag(end, "ok", error == NULL);
	if (error != NULL)
		json_put_text(end, "error", error);
	json_add_and_free(end, out);
	buf_add_char(out, '\n');
}

void answer_one(struct control_request *request, json_t *row, const char *error)
{
	scoped(buf_done) struct buf answer = { 0 };

	if (error == NULL)
		answer_line(&answer, "row", row);
	else
		json_decref(row);
	answer_end(&answer, error);
	control_answer(request, buf_slice(&answer));
}

void answer_error(struct control_request *request, const char *error)
{
	scoped(buf_done) struct buf answer = { 0 };

	answer_end(&answer, error);
	control_answer(request, buf_slice(&answer));
}
