/* What the files that are written out hold. Worker. */
#include "operator/export_files.h"

#include <math.h>

#include "operator/counters_answer.h"
#include "queue/store_export.h"
#include "status/json.h"

enum { EVIDENCE_AT_ONCE = 20000 }; /* rows of the history */

#define HOUR_MS 3600000.0

void export_text_done(struct export_text *text)
{
	buf_done(&text->text);
}

static struct sheet sheet_of(const struct export_asked *asked, struct export_text *text)
{
	return (struct sheet){
		.out = &text->text,
		.decimal = asked->config->export_point ? '.' : ',',
		.least_shown = asked->outside ? asked->config->export_small_cell : 0,
	};
}

static void end_row(struct sheet *sheet, struct export_text *text)
{
	sheet_end_line(sheet);
	text->rows++;
}

void export_add_head(const struct export_asked *asked, enum export_file file,
		     struct export_text *text)
{
	const struct sheet sheet = sheet_of(asked, text);

	sheet_begin(&sheet, export_file_columns(file));
}

/* ---- counters ---- */

struct counting {
	const struct export_asked *asked;
	struct export_text *text;
	const char *origin;
};

static const char *name_of_site(const struct export_asked *asked, const char *finess_eg)
{
	const struct config_site *site = NULL;

	(void)config_establishment_of(asked->config, finess_eg, &site);
	return site ? site->metadata.name : "";
}

static const char *label_of(const struct export_asked *asked, const char *type_code)
{
	const struct valueset_row *row =
		asked->valuesets ? valueset_find(asked->valuesets, VALUESET_TYPE, type_code, NULL)
				 : NULL;

	return row ? row->display : "";
}

static void add_cell(const struct counting *counting, const struct count_cell *cell,
		     const char *current)
{
	struct sheet sheet = sheet_of(counting->asked, counting->text);

	sheet_code(&sheet, cell->lane);
	sheet_code(&sheet, cell->site);
	sheet_text(&sheet, name_of_site(counting->asked, current));
	sheet_text(&sheet, cell->field);
	sheet_month(&sheet, cell->day);
	sheet_text(&sheet, cell->channel);
	sheet_text(&sheet, cell->type_code);
	sheet_text(&sheet, label_of(counting->asked, cell->type_code));
	sheet_word(&sheet, count_outcome_text(cell->outcome));
	sheet_count(&sheet, cell->n);
	sheet_word(&sheet, counting->origin);
	end_row(&sheet, counting->text);
}

static void on_cell(void *arg, const struct count_cell *cell, const char *current)
{
	add_cell(arg, cell, current);
}

static void on_figure(void *arg, const struct store_figure *figure,
		      const struct store_origin *origin)
{
	const struct counting *counting = arg;
	const struct config_establishment *e =
		config_establishment_of(counting->asked->config, figure->site, NULL);
	const struct count_cell cell = {
		.lane = e ? e->finess_ej : "",
		.site = figure->site,
		.field = "",
		.type_code = figure->name,
		.channel = COUNT_CHANNEL_DMP,
		.outcome = COUNT_ACCEPTED,
		.day = figure->month,
		.n = figure->n,
	};

	(void)origin;
	add_cell(counting, &cell, figure->site);
}

static int add_counters(const struct export_asked *asked, int month, struct export_text *text,
			struct err *err)
{
	struct counting ours = { asked, text, "ours" };
	struct counting declared = { asked, text, "declared" };
	struct counting official = { asked, text, "official" };

	if (store_counters_by_month(asked->reader, month, month, on_cell, &ours, err) < 0 ||
	    store_figures(asked->reader, FIGURES_DECLARED, "", month, month, on_figure, &declared,
			  err) < 0)
		return -1;
	return store_figures(asked->reader, FIGURES_OFFICIAL, "", month, month, on_figure,
			     &official, err);
}

/* ---- rejections ---- */

static void on_rejection(void *arg, const struct count_rejection *rejection)
{
	const struct counting *counting = arg;
	const struct reason_row *reason = reason_row(rejection->reason);
	struct sheet sheet = sheet_of(counting->asked, counting->text);
	/* two times that are one would tell that there was one */
	const bool is_masked = sheet_masks(&sheet, rejection->n);

	sheet_code(&sheet, rejection->site);
	sheet_text(&sheet, rejection->unit);
	sheet_text(&sheet, rejection->source);
	sheet_month(&sheet, rejection->month);
	sheet_text(&sheet, rejection->type_code);
	sheet_word(&sheet, count_outcome_text(rejection->outcome));
	sheet_text(&sheet, rejection->code);
	sheet_count(&sheet, rejection->n);
	sheet_time(&sheet, is_masked ? 0 : rejection->oldest_ms);
	sheet_time(&sheet, is_masked ? 0 : rejection->newest_ms);
	sheet_text(&sheet,
		   counting->asked->french ? reason->action_french : reason->action_english);
	end_row(&sheet, counting->text);
}

/* ---- ours, declared, official ---- */

static const char *comment_on(const struct board_gap *gap, bool french)
{
	if (gap->official < 0)
		return french ? "Aucun chiffre officiel n'a été importé pour ce mois."
			      : "No official figure was imported for that month.";
	if (gap->level == BOARD_WELL)
		return "";
	if (gap->ours > gap->official)
		return french ? "La CNAM en compte moins : versions, suppressions, date de compte "
				"ou établissement d'imputation ?"
			      : "The CNAM counts fewer: versions, deletions, its date of counting, "
				"or the site that it credits?";
	return french ? "La CNAM en compte plus : une autre application alimente-t-elle ?"
		      : "The CNAM counts more: does another application feed?";
}

static void add_known(struct sheet *sheet, int64_t count)
{
	if (count < 0)
		sheet_none(sheet);
	else
		sheet_count(sheet, count);
}

/* A count that is not told must not follow from the others. */
static double gap_to_tell(const struct sheet *sheet, const struct board_gap *gap)
{
	return sheet_masks(sheet, gap->ours) || sheet_masks(sheet, gap->official) ? NAN
										  : gap->gap * 100;
}

static int add_reconciliation(const struct export_asked *asked, int month, struct export_text *text,
			      struct err *err)
{
	const struct board_asked board = { asked->config, asked->targets, asked->reader,
					   asked->now_ms };
	scoped(arena_done) struct arena arena = { 0 };
	struct board_gap *gaps;
	size_t count;

	if (board_find_gaps(&board, month, month, &arena, &gaps, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct sheet sheet = sheet_of(asked, text);

		sheet_code(&sheet, gaps[i].site);
		sheet_text(&sheet, gaps[i].type_code);
		sheet_month(&sheet, gaps[i].month);
		sheet_count(&sheet, gaps[i].ours);
		add_known(&sheet, gaps[i].declared);
		add_known(&sheet, gaps[i].official);
		sheet_real(&sheet, gap_to_tell(&sheet, &gaps[i]), 1);
		sheet_text(&sheet, comment_on(&gaps[i], asked->french));
		end_row(&sheet, text);
	}
	return 0;
}

/* ---- delays ---- */

enum { D0, D1, D2_D8, D9_PLUS, DELAYS };

/* Of one site, unit and type, whose documents come one after the other. */
struct delays {
	const struct export_asked *asked;
	struct export_text *text;
	int month;
	struct buf site, unit, type_code;
	int64_t n, by_days[DELAYS];
	double *hours;
	size_t room;
};

static void delays_done(struct delays *delays)
{
	buf_done(&delays->site);
	buf_done(&delays->unit);
	buf_done(&delays->type_code);
	free(delays->hours);
}

static int by_hours(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The least that so many in a hundred do not exceed. */
static double percentile(const struct delays *delays, int64_t percent)
{
	return delays->hours[(delays->n * percent + 99) / 100 - 1];
}

/* A count that is masked alone would follow from the others: the least of these, or DELAYS. */
static int least_beside(const struct delays *delays, const struct sheet *sheet)
{
	int masked = 0, least = DELAYS;

	for (int i = 0; i < DELAYS; i++)
		if (sheet_masks(sheet, delays->by_days[i]))
			masked++;
		else if (delays->by_days[i] > 0 &&
			 (least == DELAYS || delays->by_days[i] < delays->by_days[least]))
			least = i;
	return masked == 1 ? least : DELAYS;
}

static void end_delays(struct delays *delays)
{
	struct sheet sheet = sheet_of(delays->asked, delays->text);
	const bool is_masked = sheet_masks(&sheet, delays->n);
	const int beside = least_beside(delays, &sheet);

	if (delays->n == 0)
		return;
	qsort(delays->hours, (size_t)delays->n, sizeof(*delays->hours), by_hours);
	sheet_code(&sheet, buf_slice(&delays->site).p);
	sheet_text(&sheet, buf_slice(&delays->unit).p);
	sheet_text(&sheet, buf_slice(&delays->type_code).p);
	sheet_month(&sheet, delays->month);
	sheet_count(&sheet, delays->n);
	for (int i = 0; i < DELAYS; i++)
		if (is_masked || i == beside)
			sheet_none(&sheet);
		else
			sheet_count(&sheet, delays->by_days[i]);
	sheet_real(&sheet, is_masked ? NAN : percentile(delays, 50), 1);
	sheet_real(&sheet, is_masked ? NAN : percentile(delays, 90), 1);
	end_row(&sheet, delays->text);
	delays->n = 0;
	memset(delays->by_days, 0, sizeof(delays->by_days));
}

static bool is_of_group(const struct delays *delays, const struct store_delay *delay)
{
	return slice_is(buf_slice(&delays->site), delay->site) &&
	       slice_is(buf_slice(&delays->unit), delay->unit) &&
	       slice_is(buf_slice(&delays->type_code), delay->type_code);
}

static void set_text(struct buf *buf, const char *text)
{
	buf_clear(buf);
	buf_add_text(buf, text);
}

static void on_delay(void *arg, const struct store_delay *delay)
{
	struct delays *delays = arg;
	const int days =
		workdays_between(calendar_day(delay->ended_ms), calendar_day(delay->accepted_ms));

	if (!is_of_group(delays, delay)) {
		end_delays(delays);
		set_text(&delays->site, delay->site);
		set_text(&delays->unit, delay->unit);
		set_text(&delays->type_code, delay->type_code);
	}
	if ((size_t)delays->n == delays->room) {
		delays->room = max(delays->room * 2, (size_t)1024);
		delays->hours = xrealloc(delays->hours, delays->room * sizeof(*delays->hours));
	}
	delays->hours[delays->n++] =
		(double)max(delay->accepted_ms - delay->ended_ms, (int64_t)0) / HOUR_MS;
	delays->by_days[days <= 0 ? D0 : days == 1 ? D1 : days <= 8 ? D2_D8 : D9_PLUS]++;
}

static int month_after(int month)
{
	return calendar_month(calendar_add(month * 100 + 1, 31));
}

static int64_t month_begins_ms(int month)
{
	return calendar_begins_ms(month * 100 + 1);
}

static int add_delays(const struct export_asked *asked, int month, struct export_text *text,
		      struct err *err)
{
	scoped(delays_done) struct delays delays = { .asked = asked, .text = text, .month = month };
	int rc = store_delays(asked->reader, month_begins_ms(month),
			      month_begins_ms(month_after(month)), on_delay, &delays, err);

	end_delays(&delays);
	return rc;
}

/* ---- a month of them all ---- */

static int add_month(const struct export_asked *asked, int month, struct export_text *texts,
		     struct err *err)
{
	struct counting rejections = { asked, &texts[EXPORT_REJECTIONS], "" };

	if (add_counters(asked, month, &texts[EXPORT_COUNTERS], err) < 0 ||
	    store_rejections(asked->reader, month, month, on_rejection, &rejections, err) < 0 ||
	    add_reconciliation(asked, month, &texts[EXPORT_RECONCILIATION], err) < 0)
		return -1;
	return add_delays(asked, month, &texts[EXPORT_DELAYS], err);
}

int export_add_month(const struct export_asked *asked, int month,
		     struct export_text texts[static EXPORT_FILES], struct err *err)
{
	int rc;

	if (store_begin_reading(asked->reader, err) < 0)
		return -1;
	rc = add_month(asked, month, texts, err);
	store_end_reading(asked->reader);
	return rc;
}

/* ---- targets ---- */

static void add_if(struct sheet *sheet, bool is_known, int64_t number)
{
	if (is_known)
		sheet_number(sheet, number);
	else
		sheet_none(sheet);
}

static void add_place(struct sheet *sheet, const struct board_row *row)
{
	sheet_text(sheet, row->programme);
	sheet_text(sheet, row->window);
	sheet_day(sheet, row->start);
	sheet_day(sheet, row->end == TARGETS_NO_END ? 0 : row->end);
	sheet_text(sheet, row->indicator);
	sheet_code(sheet, row->lane);
	if (row->is_entity)
		sheet_none(sheet);
	else
		sheet_code(sheet, row->place);
	sheet_text(sheet, row->fields);
}

static void add_figures(struct sheet *sheet, const struct board_row *row)
{
	const struct projection *p = &row->projection;

	add_if(sheet, row->is_counted, board_numerator(row));
	add_if(sheet, row->denominator.is_known, row->denominator.n);
	sheet_word(sheet, row->denominator.source);
	add_if(sheet, row->denominator.revision > 0, (int64_t)row->denominator.revision);
	sheet_real(sheet, p->rate, 4);
	sheet_real(sheet, row->input.has_threshold ? row->input.threshold : NAN, 4);
	sheet_word(sheet, target_status_text(row->threshold_status));
	add_if(sheet, p->missing_now >= 0, p->missing_now);
	add_if(sheet, p->missing_end >= 0, p->missing_end);
	sheet_real(sheet, p->per_day, 1);
	sheet_real(sheet, row->is_counted ? p->pace : NAN, 1);
	sheet_real(sheet, p->rate_end, 4);
	sheet_real(sheet, p->low, 4);
	sheet_real(sheet, p->high, 4);
	sheet_word(sheet, target_state_text(p->state));
}

void export_add_targets(const struct export_asked *asked, const struct board_result *board,
			struct export_text *text)
{
	for (size_t i = 0; board != NULL && i < board->row_count; i++) {
		struct sheet sheet = sheet_of(asked, text);

		add_place(&sheet, &board->rows[i]);
		add_figures(&sheet, &board->rows[i]);
		sheet_word(&sheet, board->rows[i].definition_hash);
		sheet_time(&sheet, board->rows[i].is_as_frozen ? board->rows[i].frozen_ms
							       : board->as_of_ms);
		end_row(&sheet, text);
	}
}

/* ---- evidence ---- */

static void on_evidence(void *arg, const struct store_evidence *evidence)
{
	const struct counting *counting = arg;
	struct sheet sheet = sheet_of(counting->asked, counting->text);
	char doc[ULID_TEXT], lineage[ULID_TEXT], body[SHA256_BYTES * 2 + 1];

	sheet_word(&sheet, ulid_text(&evidence->doc, doc));
	sheet_text(&sheet, evidence->unique_id);
	sheet_code(&sheet, evidence->site);
	sheet_text(&sheet, evidence->type_code);
	sheet_time(&sheet, evidence->submitted_ms);
	sheet_time(&sheet, evidence->accepted_ms);
	sheet_number(&sheet, (int64_t)evidence->number);
	sheet_word(&sheet, ulid_text(&evidence->lineage, lineage));
	sheet_word(&sheet, hex(evidence->body, sizeof(evidence->body), body));
	end_row(&sheet, counting->text);
}

int export_add_evidence(const struct export_asked *asked, uint64_t *mark, struct export_text *text,
			struct err *err)
{
	struct counting counting = { asked, text, "" };
	const uint64_t before = *mark;

	if (store_evidence(asked->reader, before, EVIDENCE_AT_ONCE, month_begins_ms(asked->from),
			   month_begins_ms(month_after(asked->to)), on_evidence, &counting, mark,
			   err) < 0)
		return -1;
	return *mark != before;
}

/* ---- what is to be known of a file ---- */

static void put_month(json_t *json, const char *name, int month)
{
	char text[CALENDAR_TEXT];

	json_put_text(json, name, calendar_month_text(month, text));
}

static json_t *json_of_period(const struct export_asked *asked)
{
	json_t *json = json_object();

	put_month(json, "from", asked->from);
	put_month(json, "to", asked->to);
	json_put_text(json, "timezone", "Europe/Paris");
	return json;
}

static json_t *json_of_format(const struct export_asked *asked)
{
	json_t *json = json_object();

	json_put_text(json, "encoding", "UTF-8");
	json_put_text(json, "separator", ";");
	json_put_text(json, "decimal", asked->config->export_point ? "." : ",");
	json_object_set_new(json, "small_cell",
			    asked->outside
				    ? json_integer((json_int_t)asked->config->export_small_cell)
				    : json_null());
	return json;
}

static void put_digests(json_t *json, const struct export_asked *asked)
{
	scoped(buf_done) struct buf settings = { 0 };
	char text[SHA256_BYTES * 2 + 1];
	uint8_t digest[SHA256_BYTES];

	json_put_text(json, "config_hash",
		      hex(asked->targets->digest, sizeof(asked->targets->digest), text));
	config_print(asked->config, &settings);
	sha256(buf_slice(&settings), digest);
	json_put_text(json, "settings_hash", hex(digest, sizeof(digest), text));
}

static json_t *json_of_columns(enum export_file file)
{
	const char *const *columns = export_file_columns(file);
	json_t *json = json_array();

	for (size_t i = 0; columns[i] != NULL; i++)
		json_array_append_new(json, json_string(columns[i]));
	return json;
}

json_t *export_about(const struct export_asked *asked, enum export_file file, struct err *err)
{
	json_t *reach = counters_reach(asked->reader, err), *json;

	if (reach == NULL)
		return NULL;
	json = json_object();
	json_put_text(json, "file", export_file_name(file));
	json_put_text(json, "gateway", "dmpfeed " DMPFEED_VERSION);
	json_put_time(json, "generated", asked->now_ms);
	json_object_set_new(json, "period", json_of_period(asked));
	json_object_update(json, reach);
	json_decref(reach);
	put_digests(json, asked);
	json_object_set_new(json, "programmes", targets_programmes(asked->targets));
	json_object_set_new(json, "format", json_of_format(asked));
	json_object_set_new(json, "columns", json_of_columns(file));
	json_object_set_new(json, "definitions", export_definitions(file, asked->french));
	return json;
}
