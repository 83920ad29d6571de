/* The list of stays that ended without a letter:
 *
 *     find       worker   the stays; who asks
 *     write_down writer   that they did, in the audit chain
 *     done       loop     one line in the journal, the answer
 */
#include "operator/stay_list.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "base/log.h"
#include "crew/hands.h"
#include "operator/actor.h"
#include "operator/answer.h"
#include "queue/store_act.h"
#include "queue/store_count.h"
#include "queue/store_stay.h"

enum { DAY_MS = 24 * 3600000, MOST_DAYS = 9999 };

struct errand {
	struct change work;
	const struct stay_list_parts *parts;
	struct snapshot *snapshot; /* held */
	struct control_request *request;
	json_t *asked;
	char actor[ACTOR_TEXT];
	struct arena arena;
	struct store_letterless what;
	uint64_t days; /* after the end of the stay */
	int64_t now_ms;
	uint64_t told, all;
	struct buf answer;
};

static struct errand *errand_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct errand, work);
}

const char *const *stay_list_types(const struct config *config, struct arena *arena,
				   size_t *ret_count)
{
	const char *rest = config->letter_types;
	const char **types = arena_alloc(arena, (strlen(rest) / 2 + 1) * sizeof(*types));
	size_t count = 0;

	while (*(rest += strspn(rest, " ")) != '\0') {
		const size_t n = strcspn(rest, " ");

		types[count++] = arena_dup(arena, (struct slice){ rest, n });
		rest += n;
	}
	*ret_count = count;
	return types;
}

/* ---- what is asked ---- */

/* "8d", "8 d", "8" or "8j", as French says it. */
static int read_days(const char *text, uint64_t *ret_days, struct err *err)
{
	const size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits + strspn(text + digits, " ");

	*ret_days = 1;
	if (text[0] == '\0')
		return 0;
	if ((unit[0] == '\0' || strcmp(unit, "d") == 0 || strcmp(unit, "j") == 0) &&
	    slice_to_u64((struct slice){ text, digits }, MOST_DAYS, ret_days))
		return 0;
	return err_set(err, ERR_REJECT, "after takes a number of days like 8d, not '%s'", text);
}

static int read_asked(struct errand *errand, struct err *err)
{
	const char *site = answer_asked(errand->asked, "site");

	if (read_days(answer_asked(errand->asked, "after"), &errand->days, err) < 0)
		return -1;
	if (site[0] != '\0' &&
	    config_establishment_of(errand->snapshot->config, site, NULL) == NULL)
		return err_set(err, ERR_REJECT, "no establishment declares site %s", site);
	errand->now_ms = clock_now_ms();
	errand->what = (struct store_letterless){
		.site = site,
		.until_ms = errand->now_ms - (int64_t)errand->days * DAY_MS,
	};
	if (answer_limit(errand->asked, &errand->what.limit, err) < 0)
		return -1;
	errand->what.types =
		stay_list_types(errand->snapshot->config, &errand->arena, &errand->what.type_count);
	return 0;
}

/* ---- the stays ---- */

static void add_stay(void *arg, const struct store_letterless_stay *stay)
{
	struct errand *errand = arg;
	json_t *row = json_object();

	json_put_text(row, "stay", stay->number);
	json_put_text(row, "site", stay->site);
	json_put_text(row, "unit", stay->unit);
	json_put_text(row, "field", stay->field);
	json_put_time(row, "start", stay->start_ms);
	json_put_time(row, "end", stay->end_ms);
	json_put_count(row, "days", (uint64_t)((errand->now_ms - stay->end_ms) / DAY_MS));
	json_put_flag(row, "sensitive", stay->is_discreet);
	json_put_text(row, "letter_state", stay->letter_state);
	json_put_text(row, "letter_reason", stay->letter_reason);
	answer_line(&errand->answer, "row", row);
	errand->told++;
}

static void add_count(void *arg, const char *site, uint64_t stays)
{
	(void)site;
	((struct errand *)arg)->all += stays;
}

/* Letters are counted as the ledger is followed: while all is counted anew, none is known. */
static int tell_reach(struct errand *errand, struct store *reader, struct err *err)
{
	struct store_tally now;
	json_t *reach;

	if (store_tally_now(reader, &now, err) < 0)
		return -1;
	reach = json_object();
	json_put_count(reach, "stays", errand->all);
	json_put_count(reach, "after_days", errand->days);
	json_put_flag(reach, "complete", !now.is_emptying && now.last == now.newest);
	answer_line(&errand->answer, "metadata", reach);
	return 0;
}

/* Worker. */
static void find(struct job *job, void *worker)
{
	struct errand *errand = errand_of(job);
	struct err *err = &errand->work.err;
	struct store *reader = hands_reader(worker, err);

	actor_name(errand->request->uid, errand->actor);
	if (reader == NULL || read_asked(errand, err) < 0 ||
	    store_count_letterless(reader, &errand->what, add_count, errand, err) < 0 ||
	    tell_reach(errand, reader, err) < 0)
		return;
	(void)!store_list_letterless(reader, &errand->what, add_stay, errand, err);
}

/* ---- who read it ---- */

/* Writer. */
static int write_down(struct change *change, struct store *store, struct err *err)
{
	struct errand *errand = container_of(change, struct errand, work);
	scoped(buf_done) struct buf text = { 0 };
	struct store_act act = {
		.at_ms = errand->now_ms,
		.what = "read",
		.subject = "stays without a letter",
		.actor = errand->actor,
	};

	buf_addf(&text, "stays=%llu after_days=%llu site=%s", (unsigned long long)errand->told,
		 (unsigned long long)errand->days, errand->what.site);
	act.text = text.p;
	return store_note_act(store, &act, err);
}

static void errand_end(struct errand *errand, const char *error)
{
	if (error != NULL)
		buf_clear(&errand->answer); /* numbers that nobody is noted to have read */
	answer_end(&errand->answer, error);
	control_answer(errand->request, buf_slice(&errand->answer));
	json_decref(errand->asked);
	buf_done(&errand->answer);
	snapshot_let_go(&errand->snapshot);
	arena_done(&errand->arena);
	free(errand);
}

/* Loop: the commit has happened, or failed. */
static void written_down(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (errand->work.err.kind != ERR_NONE) {
		errand_end(errand, errand->work.err.text);
		return;
	}
	log_info("read stays=%llu by=%s: those without a letter", (unsigned long long)errand->told,
		 errand->actor);
	errand_end(errand, NULL);
}

/* Loop. A daemon that is closing starts nothing more: the writer may have ended. */
static void found(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (errand->work.err.kind != ERR_NONE) {
		errand_end(errand, errand->work.err.text);
		return;
	}
	if (pipeline_figures(errand->parts->orders.pipeline).closing) {
		errand_end(errand, "dmpfeedd is shutting down: ask again when it has started");
		return;
	}
	errand->work.apply = write_down;
	errand->work.job.done = written_down;
	writer_submit(errand->parts->orders.writer, &errand->work);
}

bool stay_list_begin(const struct stay_list_parts *parts, struct control_request *request,
		     json_t *asked)
{
	struct errand *errand;

	if (strcmp(answer_asked(asked, "command"), "stays") != 0)
		return false;
	errand = xcalloc(1, sizeof(*errand));
	errand->parts = parts;
	errand->snapshot = snapshot_hold(parts->snapshot);
	errand->request = request;
	errand->asked = asked;
	if (!json_is_true(json_object_get(asked, "without_letter"))) {
		errand_end(errand, "say which stays: --without-letter");
		return true;
	}
	errand->work.job = (struct job){ .run = find, .done = found };
	workers_submit(parts->orders.workers, &errand->work.job);
	return true;
}
