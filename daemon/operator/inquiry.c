/* What people ask that the store answers: read by a worker through its own connection. */
#include "operator/inquiry.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "crew/hands.h"
#include "document/metadata.h"
#include "operator/answer.h"
#include "operator/counters_answer.h"
#include "operator/named.h"
#include "queue/store_act.h"

struct inquiry_row;

struct inquiry {
	struct job job;
	const struct inquiry_row *row;
	struct control_request *request;
	json_t *asked;
	struct standing *standing; /* of the lanes, when it was asked */
	bool is_site_unknown;      /* no establishment declares the one that is asked for */
	struct buf answer;
};

static void add_row(void *arg, const struct store_row *row)
{
	struct inquiry *inquiry = arg;
	json_t *object = answer_row(row, inquiry->standing, answer_in_french(inquiry->asked));

	json_put_text(object, "origin", row->origin);
	json_put_count(object, "last_arrival", row->last_arrival);
	answer_line(&inquiry->answer, "row", object);
}

static void add_event(void *arg, const struct store_event *event)
{
	struct inquiry *inquiry = arg;

	answer_line(&inquiry->answer, "event", answer_event(event));
}

static int answer_list(struct inquiry *inquiry, struct store *store, struct err *err)
{
	json_int_t older_ms = json_integer_value(json_object_get(inquiry->asked, "older_than_ms"));
	struct store_filter filter = {
		.state = answer_asked(inquiry->asked, "state"),
		.reason = answer_asked(inquiry->asked, "reason"),
		.site = answer_asked(inquiry->asked, "site"),
		.before_ms = older_ms > 0 ? max(clock_now_ms() - older_ms, INT64_C(1)) : 0,
	};
	enum doc_state state;

	if (strcmp(filter.state, "invisible") == 0) { /* no state, but what people look for */
		filter.invisible = true;
		filter.state = "";
	}
	if (answer_limit(inquiry->asked, &filter.limit, err) < 0)
		return -1;
	if (filter.state[0] && !doc_state_parse(slice_of(filter.state), &state))
		return answer_refuse(err, inquiry->asked, FAULT_STATE, filter.state);
	if (filter.reason[0] && reason_of(filter.reason) == REASON_NONE)
		return answer_refuse(err, inquiry->asked, FAULT_REASON, filter.reason);
	if (answer_asked(inquiry->asked, "after")[0] &&
	    !ulid_parse(slice_of(answer_asked(inquiry->asked, "after")), &filter.after))
		return answer_refuse(err, inquiry->asked, FAULT_ID,
				     answer_asked(inquiry->asked, "after"));
	standing_narrow(inquiry->standing, &filter);
	if (store_list(store, &filter, add_row, inquiry, err) < 0)
		return -1;
	/* one that an establishment declared once has its documents */
	if (inquiry->is_site_unknown && inquiry->answer.n == 0)
		return err_set(err, ERR_REJECT, "no establishment declares site %s", filter.site);
	return 0;
}

/* As mail administrators look at a queue: one row a lane and type, one column an age. */
static const struct age {
	const char *name;
	int64_t until_ms;
} ages[] = {
	{ "1min", 60000 },   { "5min", 300000 },     { "15min", 900000 }, { "1h", 3600000 },
	{ "4h", 14400000 },  { "12h", 43200000 },    { "1d", 86400000 },  { "3d", 259200000 },
	{ "7d", 604800000 }, { "older", INT64_MAX },
};
_Static_assert(length_of(ages) == STORE_AGES + 1, "the last one has no end");

struct shape {
	struct inquiry *inquiry;
	json_t *row; /* of the lane and type that are being told; NULL: none yet */
};

static void end_row(struct shape *shape)
{
	if (shape->row != NULL)
		answer_line(&shape->inquiry->answer, "row", shape->row);
	shape->row = NULL;
}

static bool is_row_of(const json_t *row, const struct store_heap *heap)
{
	return row != NULL &&
	       strcmp(json_string_value(json_object_get(row, "lane")), heap->lane) == 0 &&
	       strcmp(json_string_value(json_object_get(row, "type_code")), heap->type_code) == 0;
}

static void add_heap(void *arg, const struct store_heap *heap)
{
	struct shape *shape = arg;
	uint64_t total;

	if (!is_row_of(shape->row, heap)) {
		end_row(shape);
		shape->row = json_object();
		json_put_text(shape->row, "lane", heap->lane);
		json_put_text(shape->row, "type_code", heap->type_code);
		json_put_count(shape->row, "total", 0);
		for (size_t i = 0; i < length_of(ages); i++)
			json_put_count(shape->row, ages[i].name, 0);
	}
	total = (uint64_t)json_integer_value(json_object_get(shape->row, "total"));
	json_put_count(shape->row, "total", total + heap->documents);
	json_put_count(shape->row, ages[heap->age].name, heap->documents);
}

static int answer_shape(struct inquiry *inquiry, struct store *store, struct err *err)
{
	struct shape shape = { .inquiry = inquiry };
	int64_t until_ms[STORE_AGES];
	int told;

	for (size_t i = 0; i < STORE_AGES; i++)
		until_ms[i] = ages[i].until_ms;
	told = store_shape(store, clock_now_ms(), until_ms, add_heap, &shape, err);
	end_row(&shape);
	return told;
}

static void add_value(void *arg, const char *name, const char *value, enum metadata_source from)
{
	struct inquiry *inquiry = arg;
	const char *hidden = answer_in_french(inquiry->asked) ? "(du patient : non affiché)"
							      : "(of the patient: not shown)";
	json_t *object = json_object();

	json_put_text(object, "name", name);
	json_put_text(object, "value", value ? value : hidden);
	json_put_text(object, "from", metadata_source_text(from));
	answer_line(&inquiry->answer, "metadata", object);
}

/* Where each value came from. What is kept of an old document may be its history alone. */
static void add_metadata(struct inquiry *inquiry, struct store *store, const struct ulid *doc)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf body = { 0 }, kept = { 0 };
	struct metadata metadata;
	struct err err = { 0 };

	if (store_load(store, doc, &body, &kept, &err) == 0 &&
	    metadata_parse(&metadata, buf_slice(&kept), &arena, &err) == 0)
		metadata_tell(&metadata, add_value, inquiry);
}

static int answer_show(struct inquiry *inquiry, struct store *store, struct err *err)
{
	struct ulid doc;
	int shown;

	if (named_document(store, inquiry->asked, answer_asked(inquiry->asked, "doc"), &doc, err) <
	    0)
		return -1;
	shown = store_show(store, &doc, add_row, add_event, inquiry, err);
	if (shown > 0)
		return answer_refuse(err, inquiry->asked, FAULT_NO_DOCUMENT,
				     answer_asked(inquiry->asked, "doc"));
	if (shown == 0)
		add_metadata(inquiry, store, &doc);
	return shown;
}

static void add_fault(void *arg, const char *sentence)
{
	json_array_append_new(arg, json_string(sentence));
}

static int answer_verify(struct inquiry *inquiry, struct store *store, struct err *err)
{
	json_t *object = json_object(), *faults = json_array();
	struct store_audit audit;
	char head[SHA256_BYTES * 2 + 1];

	json_object_set_new(object, "faults", faults);
	if (store_verify(store, add_fault, faults, &audit, err) < 0) {
		json_decref(object);
		return -1;
	}
	json_put_flag(object, "ok", audit.faults == 0);
	json_put_count(object, "rows", audit.rows);
	json_put_count(object, "fault_count", audit.faults);
	json_put_text(object, "head", hex(audit.head, sizeof(audit.head), head));
	answer_line(&inquiry->answer, "row", object);
	return 0;
}

static void add_deed(void *arg, const struct store_deed *deed)
{
	static const struct ulid none;
	struct inquiry *inquiry = arg;
	json_t *object = json_object();
	char doc[ULID_TEXT];
	bool is_act = memcmp(&deed->doc, &none, sizeof(none)) == 0;

	json_put_count(object, "number", deed->number);
	json_put_time(object, "at", deed->at_ms);
	json_put_text(object, "actor", deed->actor);
	json_put_text(object, "what", deed->what);
	json_put_text(object, "doc", is_act ? "" : ulid_text(&deed->doc, doc));
	json_put_text(object, "lane", deed->lane);
	json_put_text(object, "site", deed->site);
	json_put_text(object, "state", deed->state);
	json_put_text(object, "reason", deed->reason);
	json_put_text(object, "subject", deed->subject);
	json_put_text(object, "text", deed->text);
	answer_line(&inquiry->answer, "row", object);
}

/* Reads what `name` asks for: the moment at which the day begins that lies `later` days after it. */
static int read_day(const struct inquiry *inquiry, const char *name, int later, int64_t *moment_ms,
		    struct err *err)
{
	const char *text = answer_asked(inquiry->asked, name);
	int day;

	if (text[0] == '\0')
		return 0;
	if (!calendar_parse_day(slice_of(text), &day))
		return answer_refuse(err, inquiry->asked, FAULT_DAY, text);
	*moment_ms = calendar_begins_ms(calendar_add(day, later));
	return 0;
}

static int answer_audit(struct inquiry *inquiry, struct store *store, struct err *err)
{
	struct store_deeds_filter filter = {
		.until_ms = INT64_MAX,
		.actor = answer_asked(inquiry->asked, "actor"),
		.place = answer_asked(inquiry->asked, "site"),
	};

	if (read_day(inquiry, "from", 0, &filter.from_ms, err) < 0 ||
	    read_day(inquiry, "to", 1, &filter.until_ms, err) < 0 ||
	    answer_limit(inquiry->asked, &filter.limit, err) < 0)
		return -1;
	return store_deeds(store, &filter, add_deed, inquiry, err);
}

static void add_number(void *arg, json_t *row)
{
	struct inquiry *inquiry = arg;

	answer_line(&inquiry->answer, "row", row);
}

static int answer_counters(struct inquiry *inquiry, struct store *store, struct err *err)
{
	const struct counters_asked asked = { answer_asked(inquiry->asked, "from"),
					      answer_asked(inquiry->asked, "to"),
					      answer_asked(inquiry->asked, "by") };
	json_t *reach = counters_reach(store, err);

	if (reach == NULL)
		return -1;
	answer_line(&inquiry->answer, "metadata", reach);
	return counters_list(store, &asked, add_number, inquiry, err);
}

static const struct inquiry_row {
	const char *command;
	int (*answer)(struct inquiry *inquiry, struct store *store, struct err *err);
	bool is_long; /* minutes, of a large store: not for the threads that documents pass through */
} inquiries[] = {
	{ "list", answer_list, false },         { "show", answer_show, false },
	{ "shape", answer_shape, true },        { "verify", answer_verify, true },
	{ "counters", answer_counters, false }, { "audit", answer_audit, false },
};

/* Worker. */
static void inquire(struct job *job, void *worker)
{
	struct inquiry *inquiry = container_of(job, struct inquiry, job);
	struct err err = { 0 };
	struct store *reader = hands_reader(worker, &err);

	if (reader != NULL)
		(void)!inquiry->row->answer(inquiry, reader, &err);
	answer_end(&inquiry->answer, err.kind ? err.text : NULL);
}

/* Loop. */
static void inquired(struct job *job)
{
	struct inquiry *inquiry = container_of(job, struct inquiry, job);

	control_answer(inquiry->request, buf_slice(&inquiry->answer));
	json_decref(inquiry->asked);
	standing_free(&inquiry->standing);
	buf_done(&inquiry->answer);
	free(inquiry);
}

bool inquiry_begin(const struct inquiry_parts *parts, struct control_request *request,
		   json_t *asked)
{
	const char *command = answer_asked(asked, "command");

	for (size_t i = 0; i < length_of(inquiries); i++) {
		struct inquiry *inquiry;

		if (strcmp(command, inquiries[i].command) != 0)
			continue;
		inquiry = xcalloc(1, sizeof(*inquiry));
		inquiry->job = (struct job){ .run = inquire, .done = inquired };
		inquiry->row = &inquiries[i];
		inquiry->request = request;
		inquiry->asked = asked;
		inquiry->standing = standing_now(parts->config, parts->pipeline, parts->watch);
		inquiry->is_site_unknown = answer_is_site_unknown(asked, parts->config);
		workers_submit(inquiries[i].is_long ? parts->keeper : parts->workers,
			       &inquiry->job);
		return true;
	}
	return false;
}
