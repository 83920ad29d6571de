/* The configuration, read again. */
#include "reload.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "config/option_diff.h"
#include "operator/actor.h"
#include "operator/answer.h"
#include "queue/store_act.h"

enum { MOST_TOLD = 500 /* changes, one by one */ };

/* Who asked. */
struct asker {
	struct control_request *request;
	char name[ACTOR_TEXT];
	struct asker *next;
};

struct reload {
	struct reload_parts parts;
	struct snapshot *snapshot; /* held: the one in force */
	struct workers *thread;
	struct asker *askers, *later; /* of this reading, and of the next */
	bool is_reading, is_asked_again;

	/* of the reading under way: the thread's, then the loop's */
	struct job job;
	struct snapshot *next; /* NULL: the file itself is wrong */
	bool is_good;
	struct buf errors, troubles; /* what is wrong; and with who sends, which may be as before */
	struct buf warnings;         /* what a person should know of it all the same */

	json_t *changes; /* a row for each */
	size_t change_count;
};

/* ---- reading ---- */

static bool is_watched(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->drop_count; i++)
		if (strcmp(config->drops[i].path, path) == 0)
			return true;
	return false;
}

/* New folders: here, where one on a share that hangs keeps nobody else waiting. */
static int look_at_folders(struct reload *reload)
{
	const struct config *config = reload->next->config;
	int rc = 0;

	for (size_t i = 0; i < config->drop_count; i++) {
		const struct drop_settings *drop = &config->drops[i];
		struct err err = { 0 };

		if (is_watched(reload->snapshot->config, drop->path) ||
		    drop_prepare(drop, &err) == 0)
			continue;
		config_fault(config, &drop->path, &reload->errors, "folder: %s", err.text);
		rc = -1;
	}
	return rc;
}

/* The thread. */
static void read_all(struct job *job, void *nothing)
{
	struct reload *reload = container_of(job, struct reload, job);
	int all, folders;

	(void)nothing;
	for (struct asker *asker = reload->askers; asker != NULL; asker = asker->next)
		actor_name(asker->request->uid, asker->name);
	if (snapshot_new(&reload->next, reload->snapshot->config->file, &reload->errors) < 0)
		return;
	all = snapshot_load(reload->next, &reload->errors);
	folders = look_at_folders(reload);
	(void)snapshot_load_credentials(reload->next, &reload->troubles);
	reload->is_good = all == 0 && folders == 0;
}

/* ---- what changes ---- */

static void note_change(struct reload *reload, const char *key, const char *before,
			const char *after)
{
	json_t *row = json_object();

	if (reload->change_count++ < MOST_TOLD) {
		json_object_set_new(row, "key", json_string(key));
		json_object_set_new(row, "before", before ? json_string(before) : json_null());
		json_object_set_new(row, "after", after ? json_string(after) : json_null());
		json_array_append_new(reload->changes, row);
	} else {
		json_decref(row);
	}
}

static void option_changed(void *arg, const struct option_change *change)
{
	struct reload *reload = arg;

	note_change(reload, change->name, change->before, change->after);
	if (!change->option->restart)
		return;
	config_fault(reload->next->config, change->field, &reload->errors,
		     "%s cannot change while the daemon runs, it is %s: write that back, or "
		     "restart the daemon",
		     change->name, change->before);
	reload->is_good = false;
}

static const struct health_certificate *certificate_like(const struct certificates *certificates,
							 const struct health_certificate *like)
{
	size_t count;
	const struct health_certificate *list = certificates_list(certificates, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].owner, like->owner) == 0 &&
		    strcmp(list[i].role, like->role) == 0)
			return &list[i];
	return NULL;
}

/* Renewed in place, its file keeps its name. */
static void find_renewed(struct reload *reload)
{
	size_t count;
	const struct health_certificate *list =
		certificates_list(reload->next->certificates, &count);

	for (size_t i = 0; i < count; i++) {
		const struct health_certificate *before =
			certificate_like(reload->snapshot->certificates, &list[i]);
		scoped(free_ptr) char *key =
			xasprintf("certificate %s %s", list[i].owner, list[i].role);
		char was[CLOCK_TEXT], is[CLOCK_TEXT];

		if (before != NULL && (before->not_after_ms != list[i].not_after_ms ||
				       strcmp(before->subject, list[i].subject) != 0))
			note_change(reload, key, clock_iso(before->not_after_ms, was),
				    clock_iso(list[i].not_after_ms, is));
	}
}

/* ---- whether it can ---- */

/* Who could not send before may go on so: a fault of theirs must not keep the others' certificates from being
 * renewed.
 */
static bool was_in_trouble(const struct snapshot *before, const char *finess_ej)
{
	for (size_t i = 0; i < before->config->establishment_count; i++)
		if (strcmp(before->config->establishments[i].finess_ej, finess_ej) == 0)
			return credentials_trouble(before->credentials, i)[0] != '\0';
	return false;
}

static void judge_senders(struct reload *reload)
{
	const struct snapshot *next = reload->next;

	for (size_t i = 0; i < next->config->establishment_count; i++)
		if (credentials_trouble(next->credentials, i)[0] != '\0' &&
		    !was_in_trouble(reload->snapshot, next->config->establishments[i].finess_ej))
			reload->is_good = false;
	if (!reload->is_good)
		buf_add(&reload->errors, buf_slice(&reload->troubles));
}

static void judge(struct reload *reload)
{
	if (reload->next == NULL)
		return;
	judge_senders(reload);
	config_diff(reload->snapshot->config, reload->next->config, option_changed, reload);
	if (reload->is_good)
		find_renewed(reload);
}

/* ---- the turn of the loop in which it happens ---- */

static int follow(struct reload *reload, struct err *err)
{
	const struct reload_parts *parts = &reload->parts;
	struct snapshot *next = reload->next;
	scoped(pipeline_plan_free) struct pipeline_plan *pipeline = NULL;
	scoped(operator_plan_free) struct operator_plan *desk = NULL;

	if (operator_prepare(next, &desk, err) < 0 ||
	    pipeline_prepare(parts->pipeline, next, &pipeline, err) < 0)
		return -1;
	log_set_level(next->config->log_level);
	log_limit(&next->config->log_rate_limit);
	pipeline_follow(parts->pipeline, next, &pipeline);
	watch_follow(parts->watch, next);
	board_follow(parts->board, next);
	operator_follow(parts->desk, next, &desk);
	snapshot_let_go(&reload->snapshot);
	reload->snapshot = snapshot_hold(next);
	watch_tell_strays(parts->watch, &reload->warnings);
	return 0;
}

static void try_to_follow(struct reload *reload)
{
	struct err err = { 0 };

	if (pipeline_figures(reload->parts.pipeline).closing) {
		buf_add_text(&reload->errors, "the daemon is shutting down\n");
		reload->is_good = false;
	} else if (reload->is_good && follow(reload, &err) < 0) {
		buf_addf(&reload->errors, "%s: %s\n", reload->next->config->file, err.text);
		reload->is_good = false;
	}
}

/* ---- what is told ---- */

static size_t log_lines(enum log_level level, const char *what, const struct buf *lines)
{
	struct slice rest = slice_trim(buf_slice(lines)), line;
	size_t count = 0;

	while (rest.n > 0 && slice_next(&rest, '\n', &line)) {
		log_line(level, "%s: %.*s", what, (int)line.n, line.p);
		count++;
	}
	return count;
}

static void log_changes(const struct reload *reload)
{
	const json_t *row;
	size_t i;

	json_array_foreach(reload->changes, i, row)
	{
		const char *key = json_string_value(json_object_get(row, "key"));
		const char *before = json_string_value(json_object_get(row, "before"));
		const char *after = json_string_value(json_object_get(row, "after"));

		if (before == NULL || after == NULL)
			log_info("reload %s: %s", key, after ? "added" : "removed");
		else
			log_info("reload %s: %s -> %s", key, before, after);
	}
}

static const char *who_asked(const struct reload *reload)
{
	return reload->askers ? reload->askers->name : "a signal";
}

static void tell_journal(const struct reload *reload)
{
	size_t errors;

	if (reload->is_good) {
		log_changes(reload);
		(void)log_lines(LEVEL_ERROR, "an establishment cannot send", &reload->troubles);
		snapshot_tell_certificates(reload->snapshot);
		log_info("reloaded changes=%zu config=%s by=%s", reload->change_count,
			 reload->snapshot->config->file, who_asked(reload));
		return;
	}
	errors = log_lines(LEVEL_ERROR, "not reloaded", &reload->errors);
	log_error("not reloaded errors=%zu config=%s by=%s: nothing has changed", errors,
		  reload->snapshot->config->file, who_asked(reload));
}

static json_t *list_of(const struct buf *lines)
{
	struct slice rest = slice_trim(buf_slice(lines)), line;
	json_t *list = json_array();

	while (rest.n > 0 && slice_next(&rest, '\n', &line))
		json_array_append_new(list, json_stringn(line.p, line.n));
	return list;
}

/* {"ok": true, "change_count": 2, "changes": […], "warnings": […]}, or {"ok": false, "faults": […]} */
static json_t *row_of(const struct reload *reload)
{
	json_t *row = json_object();

	json_put_flag(row, "ok", reload->is_good);
	if (reload->is_good) {
		json_put_count(row, "change_count", reload->change_count);
		json_object_set(row, "changes", reload->changes);
		json_object_set_new(row, "warnings", list_of(&reload->warnings));
	} else {
		json_object_set_new(row, "faults", list_of(&reload->errors));
	}
	return row;
}

static void answer(struct reload *reload)
{
	scoped(buf_done) struct buf text = { 0 };
	struct asker *asker;

	answer_line(&text, "row", row_of(reload));
	answer_end(&text, NULL);
	while ((asker = reload->askers) != NULL) {
		reload->askers = asker->next;
		control_answer(asker->request, buf_slice(&text));
		free(asker);
	}
}

static void forget(struct reload *reload)
{
	snapshot_let_go(&reload->next);
	buf_done(&reload->errors);
	buf_done(&reload->troubles);
	buf_done(&reload->warnings);
	json_decref(reload->changes);
	reload->changes = NULL;
	reload->change_count = 0;
	reload->is_good = false;
}

/* ---- the audit chain ---- */

enum { MOST_NOTED = 2000 /* characters of the keys that changed */ };

struct note {
	struct change work;
	char actor[ACTOR_TEXT];
	struct buf file, text;
};

/* Writer. */
static int write_note(struct change *change, struct store *store, struct err *err)
{
	const struct note *note = container_of(change, struct note, work);
	const struct store_act act = {
		.at_ms = clock_now_ms(),
		.what = "reloaded",
		.subject = note->file.p,
		.text = note->text.p,
		.actor = note->actor,
	};

	return store_note_act(store, &act, err);
}

/* Loop. */
static void noted(struct job *job)
{
	struct note *note = container_of(container_of(job, struct change, job), struct note, work);

	if (note->work.err.kind != ERR_NONE)
		log_warning("the audit chain does not have this reload: %s", note->work.err.text);
	buf_done(&note->file);
	buf_done(&note->text);
	free(note);
}

static void add_keys(const struct reload *reload, struct buf *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(reload->changes, i, row)
	{
		if (out->n < MOST_NOTED)
			buf_addf(out, " %s", json_string_value(json_object_get(row, "key")));
	}
}

/* Which keys, and by whom; what they were is in the journal. */
static void note(const struct reload *reload)
{
	struct note *note;

	if (!reload->is_good)
		return;
	note = xcalloc(1, sizeof(*note));
	snprintf(note->actor, sizeof(note->actor), "%s", who_asked(reload));
	buf_add_text(&note->file, reload->snapshot->config->file);
	buf_addf(&note->text, "changes=%zu", reload->change_count);
	add_keys(reload, &note->text);
	note->work = (struct change){ .apply = write_note, .job.done = noted };
	writer_submit(reload->parts.writer, &note->work);
}

/* ---- one after the other ---- */

static void begin(struct reload *reload)
{
	reload->is_reading = true;
	reload->is_asked_again = false;
	reload->askers = take(reload->later);
	reload->changes = json_array();
	reload->parts.begins(reload->parts.arg);
	workers_submit(reload->thread, &reload->job);
}

/* Loop. */
static void was_read(struct job *job)
{
	struct reload *reload = container_of(job, struct reload, job);

	judge(reload);
	try_to_follow(reload);
	tell_journal(reload);
	note(reload);
	answer(reload);
	forget(reload);
	reload->is_reading = false;
	reload->parts.ended(reload->parts.arg);
	if (reload->is_asked_again && reload->thread != NULL)
		begin(reload);
}

void reload_begin(struct reload *reload, struct control_request *request)
{
	struct asker *asker;

	if (request != NULL) {
		asker = xcalloc(1, sizeof(*asker));
		asker->request = request;
		asker->next = reload->later;
		reload->later = asker;
	}
	if (reload->is_reading)
		reload->is_asked_again = true;
	else
		begin(reload);
}

struct reload *reload_new(const struct reload_parts *parts)
{
	struct reload *reload = xcalloc(1, sizeof(*reload));

	reload->parts = *parts;
	reload->snapshot = snapshot_hold(parts->snapshot);
	reload->job = (struct job){ .run = read_all, .done = was_read };
	reload->thread = workers_new(&(struct workers_settings){ .count = 1, .name = "reload" },
				     parts->mailbox);
	return reload;
}

/* With a word: after an empty answer the next request on that connection would be taken up. */
static void drop_askers(struct asker **askers)
{
	scoped(buf_done) struct buf text = { 0 };
	struct asker *asker;

	answer_end(&text, "dmpfeedd is shutting down");
	while ((asker = *askers) != NULL) {
		*askers = asker->next;
		control_answer(asker->request, buf_slice(&text));
		free(asker);
	}
}

void reload_stop(struct reload *reload)
{
	if (reload != NULL)
		workers_free(&reload->thread);
}

void reload_free(struct reload **reload)
{
	struct reload *r = *reload;

	if (r == NULL)
		return;
	reload_stop(r);
	drop_askers(&r->askers);
	drop_askers(&r->later);
	forget(r);
	snapshot_let_go(&r->snapshot);
	free_ptr(reload);
}
