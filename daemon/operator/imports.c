/* Figures that people bring, from a request to its answer:
 *
 *     read_in    worker   the file, whole and checked; who asks
 *     write_down writer   a revision
 *     compare    worker   of official counts: where ours part from them
 *     answer     loop
 */
#include "operator/imports.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/disk.h"
#include "board/board_gap.h"
#include "crew/hands.h"
#include "operator/actor.h"
#include "operator/answer.h"
#include "status/figures.h"

enum { MOST_UNKNOWN = 20 };

struct errand {
	struct change work;
	const struct imports_parts *parts;
	struct snapshot *snapshot; /* held */
	struct control_request *request;
	json_t *asked;
	char actor[ACTOR_TEXT];

	enum store_figures kind;
	const struct target_denominator *denominator;
	bool dry_run;
	struct arena arena;
	struct figures figures;
	struct buf faults; /* lines of what is wrong with the file */
	struct store_figure *rows;
	uint8_t digest[SHA256_BYTES];
	uint64_t revision;
	struct board_gap *gaps;
	size_t gap_count;
};

static struct errand *errand_of(struct job *job)
{
	return container_of(container_of(job, struct change, job), struct errand, work);
}

/* ---- reading ---- */

static int read_file(const char *path, struct buf *ret_bytes, struct err *err)
{
	const int failed = disk_read(path, CSV_BYTES, ret_bytes);

	if (failed == EINVAL)
		return err_set(err, ERR_REJECT, "%s: it is a pipe or a device, and not a file",
			       path);
	if (failed != 0)
		return err_set(err, ERR_REJECT,
			       "%s: %s: the daemon must be able to read it (another folder?)", path,
			       strerror(failed));
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_imported(const struct target_denominator *denominator)
{
	return denominator->source == SOURCE_DIM_IMPORT || denominator->source == SOURCE_MANUAL;
}

static void list_denominators(const struct targets *targets, struct buf *out)
{
	for (size_t i = 0; i < targets->denominator_count; i++)
		if (is_imported(targets->denominators[i]))
			buf_addf(out, "%s%s", out->n ? ", " : "", targets->denominators[i]->id);
}

/* The one that is named; or whose file has that name; or the only one that there is. */
static int find_denominator(struct errand *errand, const char *path, struct err *err)
{
	const struct targets *targets = errand->snapshot->targets;
	const char *named = answer_asked(errand->asked, "denominator");
	scoped(buf_done) struct buf known = { 0 };
	size_t fits = 0;

	for (size_t i = 0; i < targets->denominator_count; i++) {
		const struct target_denominator *one = targets->denominators[i];

		if (!is_imported(one) || (named[0] ? strcmp(one->id, named) != 0
						   : strcmp(one->file, base_name(path)) != 0))
			continue;
		errand->denominator = one;
		fits++;
	}
	if (fits == 1)
		return 0;
	list_denominators(targets, &known);
	if (known.n == 0)
		return err_set(
			err, ERR_REJECT,
			"no file of targets (targets.dir) has a denominator that is imported");
	return err_set(
		err, ERR_REJECT,
		"which denominator is it? name it with --denominator (there are: %s), or call "
		"the file as the targets do",
		known.p);
}

static int read_mapping(struct errand *errand, struct figures_mapping *ret_mapping, struct err *err)
{
	const char *path = answer_asked(errand->asked, "mapping");
	scoped(buf_done) struct buf bytes = { 0 };

	if (read_file(path, &bytes, err) < 0)
		return -1;
	if (figures_read_mapping(
		    ret_mapping, base_name(path),
		    (struct slice){ arena_dup(&errand->arena, buf_slice(&bytes)), bytes.n },
		    &errand->arena, &errand->faults) < 0)
		return -1;
	return 0;
}

static void take_rows(struct errand *errand)
{
	const struct figures *figures = &errand->figures;

	errand->rows = arena_alloc(&errand->arena, figures->count * sizeof(*errand->rows));
	for (size_t i = 0; i < figures->count; i++)
		errand->rows[i] =
			(struct store_figure){ figures->list[i].site, figures->list[i].name,
					       figures->list[i].month, figures->list[i].n };
}

/* 0, or -1: err, or faults of the file. */
static int read_figures(struct errand *errand, struct err *err)
{
	const char *path = answer_asked(errand->asked, "file");
	bool is_mapped = answer_asked(errand->asked, "mapping")[0] != '\0';
	scoped(buf_done) struct buf bytes = { 0 };
	struct figures_mapping mapping = { 0 };

	if (errand->kind == FIGURES_DENOMINATOR && find_denominator(errand, path, err) < 0)
		return -1;
	if ((is_mapped && read_mapping(errand, &mapping, err) < 0) ||
	    read_file(path, &bytes, err) < 0)
		return -1;
	sha256(buf_slice(&bytes), errand->digest);
	if (figures_read(&errand->figures,
			 errand->kind == FIGURES_DENOMINATOR ? FIGURES_BY_FIELD : FIGURES_BY_TYPE,
			 base_name(path), buf_slice(&bytes), is_mapped ? &mapping : NULL,
			 &errand->arena, &errand->faults) < 0)
		return -1;
	take_rows(errand);
	return 0;
}

/* Worker. */
static void read_in(struct job *job, void *worker)
{
	struct errand *errand = errand_of(job);

	(void)worker;
	actor_name(errand->request->uid, errand->actor);
	errand->work.err = (struct err){ 0 };
	(void)!read_figures(errand, &errand->work.err);
}

/* ---- writing ---- */

/* Writer. */
static int write_down(struct change *change, struct store *store, struct err *err)
{
	struct errand *errand = container_of(change, struct errand, work);
	struct store_import import = {
		.kind = errand->kind,
		.series = errand->denominator ? errand->denominator->id : "",
		.source = errand->denominator ? target_source_text(errand->denominator->source)
			  : errand->kind == FIGURES_DECLARED ? "declared"
							     : "official",
		.file = base_name(answer_asked(errand->asked, "file")),
		.actor = errand->actor,
		.now_ms = clock_now_ms(),
		.figures = errand->rows,
		.count = errand->figures.count,
	};

	memcpy(import.digest, errand->digest, sizeof(errand->digest));
	return store_import_figures(store, &import, &errand->revision, err);
}

/* Worker. */
static void compare(struct job *job, void *hands)
{
	struct errand *errand = errand_of(job);
	struct err err = { 0 };
	struct store *reader = hands_reader(hands, &err);
	const struct board_asked asked = { errand->snapshot->config, errand->snapshot->targets,
					   reader, clock_now_ms() };

	if (reader != NULL)
		(void)!board_find_gaps(&asked, errand->figures.first_month,
				       errand->figures.last_month, &errand->arena, &errand->gaps,
				       &errand->gap_count, &err);
}

/* ---- the answer ---- */

/* By the number that it has, or by one that it had: figures under that one count too. */
static bool was_called(const struct config_site *site, const char *finess_eg)
{
	for (size_t i = 0; i < site->formerly_count; i++)
		if (strcmp(site->formerly[i], finess_eg) == 0)
			return true;
	return false;
}

static bool is_ours(const struct config *config, const char *finess_eg)
{
	for (size_t i = 0; i < config->establishment_count; i++)
		for (size_t j = 0; j < config->establishments[i].site_count; j++)
			if (was_called(&config->establishments[i].sites[j], finess_eg))
				return true;
	return config_establishment_of(config, finess_eg, NULL) != NULL;
}

/* Sites that no establishment of the configuration declares: they are kept, and shown nowhere. */
static json_t *unknown_sites(const struct errand *errand)
{
	json_t *sites = json_array();
	const char *last = "";

	for (size_t i = 0; i < errand->figures.count; i++) {
		const char *site = errand->figures.list[i].site; /* they are in order of it */

		if (strcmp(site, last) != 0 && json_array_size(sites) < MOST_UNKNOWN &&
		    !is_ours(errand->snapshot->config, site))
			json_array_append_new(sites, json_string(site));
		last = site;
	}
	return sites;
}

static void put_month(json_t *json, const char *name, int month)
{
	char text[CALENDAR_TEXT];

	json_put_text(json, name, month ? calendar_month_text(month, text) : NULL);
}

static void answer_summary(const struct errand *errand, bool is_good, struct buf *out)
{
	json_t *row = json_object();

	json_put_flag(row, "ok", is_good);
	json_put_flag(row, "dry_run", errand->dry_run);
	json_put_text(row, "denominator", errand->denominator ? errand->denominator->id : NULL);
	json_put_count(row, "figures", errand->figures.count);
	put_month(row, "first_month", errand->figures.first_month);
	put_month(row, "last_month", errand->figures.last_month);
	json_put_count(row, "sum", (uint64_t)errand->figures.sum);
	json_put_count(row, "revision", errand->revision);
	json_object_set_new(row, "unknown_sites", unknown_sites(errand));
	answer_line(out, "row", row);
}

static void answer_faults(const struct errand *errand, struct buf *out)
{
	struct slice rest = slice_trim(buf_slice(&errand->faults)), line;

	while (rest.n > 0 && slice_next(&rest, '\n', &line)) {
		scoped(free_ptr) char *fault = slice_dup(line);
		json_t *row = json_object();

		json_put_flag(row, "ok", false);
		json_put_text(row, "fault", fault);
		answer_line(out, "row", row);
	}
}

/* Those that matter. */
static void answer_gaps(const struct errand *errand, struct buf *out)
{
	for (size_t i = 0; i < errand->gap_count; i++) {
		if (errand->gaps[i].level == BOARD_WELL)
			continue;
		buf_add_text(out, "{\"row\":{\"gap\":");
		targets_write_gap(&errand->gaps[i], out);
		buf_add_text(out, "}}\n");
	}
}

static void end_errand(struct errand *errand)
{
	scoped(buf_done) struct buf answer = { 0 };
	const bool failed = errand->work.err.kind != ERR_NONE;

	if (!failed) {
		answer_summary(errand, errand->faults.n == 0, &answer);
		answer_faults(errand, &answer);
		answer_gaps(errand, &answer);
	}
	answer_end(&answer, failed ? errand->work.err.text : NULL);
	control_answer(errand->request, buf_slice(&answer));
	json_decref(errand->asked);
	buf_done(&errand->faults);
	arena_done(&errand->arena);
	snapshot_let_go(&errand->snapshot);
	free(errand);
}

/* ---- one after the other ---- */

static void log_gaps(const struct errand *errand)
{
	char month[CALENDAR_TEXT];

	for (size_t i = 0; i < errand->gap_count; i++) {
		const struct board_gap *gap = &errand->gaps[i];

		if (gap->level != BOARD_WELL)
			log_warning("official counts differ site=%s type=%s month=%s ours=%" PRId64
				    " official=%" PRId64,
				    gap->site, gap->type_code,
				    calendar_month_text(gap->month, month), gap->ours,
				    gap->official);
	}
}

/* Loop. */
static void compared(struct job *job)
{
	struct errand *errand = errand_of(job);

	log_gaps(errand);
	end_errand(errand);
}

/* Loop: the commit has happened, or failed. */
static void written(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (errand->work.err.kind != ERR_NONE) {
		end_errand(errand);
		return;
	}
	log_info("imported figures=%zu kind=%s revision=%" PRIu64 " by=%s", errand->figures.count,
		 errand->denominator                ? errand->denominator->id
		 : errand->kind == FIGURES_DECLARED ? "declared"
						    : "official",
		 errand->revision, errand->actor);
	if (pipeline_figures(errand->parts->pipeline).closing) {
		end_errand(errand);
		return;
	}
	board_again(errand->parts->board);
	if (errand->kind == FIGURES_DENOMINATOR) {
		end_errand(errand);
		return;
	}
	errand->work.job = (struct job){ .run = compare, .done = compared };
	workers_submit(errand->parts->workers, &errand->work.job);
}

/* Loop. A daemon that is closing starts nothing more: the writer may have ended. */
static void has_read(struct job *job)
{
	struct errand *errand = errand_of(job);

	if (pipeline_figures(errand->parts->pipeline).closing)
		err_set(&errand->work.err, ERR_RETRY, "dmpfeedd is shutting down");
	if (errand->work.err.kind != ERR_NONE || errand->faults.n > 0 || errand->dry_run) {
		end_errand(errand);
		return;
	}
	errand->work.apply = write_down;
	errand->work.job.done = written;
	writer_submit(errand->parts->writer, &errand->work);
}

static void begin(const struct imports_parts *parts, struct control_request *request, json_t *asked,
		  enum store_figures kind)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	errand->parts = parts;
	errand->snapshot = snapshot_hold(parts->snapshot);
	errand->request = request;
	errand->asked = asked;
	errand->kind = kind;
	errand->dry_run = json_is_true(json_object_get(asked, "dry_run"));
	errand->work.job = (struct job){ .run = read_in, .done = has_read };
	workers_submit(parts->workers, &errand->work.job);
}

/* ---- where each place stands ---- */

static bool is_asked_for(const struct board_row *row, const json_t *asked)
{
	const char *site = answer_asked(asked, "site");

	return site[0] == '\0' || strcmp(site, row->place) == 0;
}

static void end_targets(const struct imports_parts *parts, struct control_request *request,
			const json_t *asked, struct buf *answer)
{
	scoped(free_ptr) char *unknown =
		xasprintf("no establishment declares site %s", answer_asked(asked, "site"));

	if (board_now(parts->board) == NULL)
		answer_end(answer, "nothing was counted yet: ask again in a moment");
	else if (answer->n == 0 && answer_is_site_unknown(asked, parts->snapshot->config))
		answer_end(answer, unknown);
	else
		answer_end(answer, NULL);
	control_answer(request, buf_slice(answer));
}

/* How well each site feeds, whatever the programme; and the units of which patients leave and nothing comes. */
static void answer_rates(const struct imports_parts *parts, struct control_request *request,
			 const json_t *asked)
{
	const struct board_result *result = board_now(parts->board);
	const char *site = answer_asked(asked, "site");
	scoped(buf_done) struct buf answer = { 0 };

	for (size_t i = 0; result != NULL && i < result->quality_count; i++) {
		if (site[0] != '\0' && strcmp(site, result->qualities[i].site) != 0)
			continue;
		buf_add_text(&answer, "{\"row\":");
		targets_write_quality(&result->qualities[i], &answer);
		buf_add_text(&answer, "}\n");
	}
	for (size_t i = 0; result != NULL && i < result->unit_count; i++) {
		const struct board_unit *unit = &result->units[i];

		if ((site[0] != '\0' && strcmp(site, unit->site) != 0))
			continue;
		buf_add_text(&answer, "{\"row\":{\"unit\":");
		targets_write_unit(unit, &answer);
		buf_add_text(&answer, "}}\n");
	}
	end_targets(parts, request, asked, &answer);
}

static void answer_targets(const struct imports_parts *parts, struct control_request *request,
			   const json_t *asked)
{
	const struct board_result *result = board_now(parts->board);
	scoped(buf_done) struct buf answer = { 0 };

	for (size_t i = 0; result != NULL && i < result->row_count; i++) {
		if (!is_asked_for(&result->rows[i], asked))
			continue;
		buf_add_text(&answer, "{\"row\":");
		targets_write_row(&result->rows[i], &answer);
		buf_add_text(&answer, "}\n");
	}
	end_targets(parts, request, asked, &answer);
}

bool imports_begin(const struct imports_parts *parts, struct control_request *request,
		   json_t *asked)
{
	const char *command = answer_asked(asked, "command");

	if (strcmp(command, "targets") == 0) {
		if (json_is_true(json_object_get(asked, "rates")))
			answer_rates(parts, request, asked);
		else
			answer_targets(parts, request, asked);
		json_decref(asked);
	} else if (strcmp(command, "import-denominators") == 0) {
		begin(parts, request, asked, FIGURES_DENOMINATOR);
	} else if (strcmp(command, "import-official") == 0) {
		begin(parts, request, asked,
		      json_is_true(json_object_get(asked, "declared")) ? FIGURES_DECLARED
								       : FIGURES_OFFICIAL);
	} else {
		return false;
	}
	return true;
}
