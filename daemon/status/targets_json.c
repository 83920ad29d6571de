/* Where each place stands, as JSON. Pure. Any thread. */
#include "status/targets_json.h"

#include <math.h>

#include "status/json.h"

void board_result_free(struct board_result **result)
{
	if (*result == NULL)
		return;
	arena_done(&(*result)->arena);
	free_ptr(result);
}

/* ---- members ---- */

static void put_real(json_t *object, const char *name, double number)
{
	json_object_set_new(object, name, isfinite(number) ? json_real(number) : json_null());
}

static void put_known(json_t *object, const char *name, bool is_known, int64_t number)
{
	json_object_set_new(object, name,
			    is_known ? json_integer((json_int_t)number) : json_null());
}

static void put_amount(json_t *object, const char *name, double amount)
{
	put_real(object, name, amount > 0 ? amount : NAN);
}

static void put_day(json_t *object, const char *name, int day)
{
	char text[CALENDAR_TEXT];

	json_put_text(object, name,
		      day == 0 || day == TARGETS_NO_END ? NULL : calendar_day_text(day, text));
}

static void put_month(json_t *object, const char *name, int month)
{
	char text[CALENDAR_TEXT];

	json_put_text(object, name, calendar_month_text(month, text));
}

/* ---- rows ---- */

static json_t *json_of_denominator(const struct board_row *row)
{
	const struct board_denominator *denominator = &row->denominator;
	json_t *json = json_object();

	json_put_text(json, "id", denominator->id);
	json_put_text(json, "source", denominator->source);
	put_known(json, "revision", denominator->revision > 0, (int64_t)denominator->revision);
	json_put_time(json, "imported", denominator->imported_ms);
	json_put_text(json, "imported_by", denominator->imported_by);
	put_day(json, "until", denominator->until);
	json_put_text(json, "gaps", denominator->gaps);
	put_known(json, "sensitive", denominator->sensitive >= 0, denominator->sensitive);
	return json;
}

static json_t *json_of_threshold(const struct board_row *row)
{
	static const char *const kinds[] = { "ratio",  "count", "delta", "all_of",
					     "any_of", "tiers", "rank" };
	json_t *json = json_object();

	json_put_text(json, "kind", kinds[row->kind]);
	json_put_text(json, "op", row->input.at_most ? "<=" : ">=");
	put_real(json, "value", row->input.has_threshold ? row->input.threshold : NAN);
	json_put_text(json, "status", target_status_text(row->threshold_status));
	json_put_text(json, "source", row->threshold_source);
	put_real(json, "margin", row->input.margin);
	json_put_flag(json, "per_month", row->per_month);
	put_known(json, "tier", row->tier > 0, (int64_t)row->tier);
	put_known(json, "tiers", row->tier_count > 0, (int64_t)row->tier_count);
	put_real(json, "reference", row->kind == KIND_DELTA ? row->reference : NAN);
	put_amount(json, "amount_eur", row->amount_eur);
	return json;
}

/* What the projection was made of: with it, anybody can make it again. */
static json_t *json_of_inputs(const struct projection_input *input)
{
	json_t *json = json_object(), *weeks = json_array();

	put_known(json, "numerator_now", true, input->numerator);
	put_real(json, "days_since_denominator", input->gap);
	put_real(json, "days_left", input->has_end ? input->left : NAN);
	put_real(json, "numerator_per_day", input->numerator_pace);
	put_real(json, "denominator_per_day", input->denominator_pace);
	put_real(json, "produced_per_day", input->produced_pace);
	put_real(json, "first_pass_rate", input->first_pass_rate);
	json_put_count(json, "sendable", (uint64_t)max(input->sendable, (int64_t)0));
	json_put_count(json, "recoverable", (uint64_t)max(input->recoverable, (int64_t)0));
	for (size_t i = 0; i < input->weeks; i++)
		json_array_append_new(weeks, json_real(input->weekly[i]));
	json_object_set_new(json, "weeks", weeks);
	return json;
}

const char *targets_unit_text(enum projection_unit unit)
{
	static const char *const texts[] = {
		[UNIT_DOCUMENT] = "document", [UNIT_STAY] = "stay", [UNIT_PATIENT] = "patient",
		[UNIT_MESSAGE] = "message",   [UNIT_WEEK] = "week",
	};

	return texts[unit];
}

static void put_place(json_t *json, const struct board_row *row)
{
	json_put_text(json, "programme", row->programme);
	json_put_text(json, "programme_label", row->programme_label);
	json_put_text(json, "window", row->window);
	put_day(json, "window_start", row->start);
	put_day(json, "window_end", row->end);
	json_put_text(json, "window_status", target_status_text(row->window_status));
	json_put_flag(json, "ended", row->has_ended);
	json_put_text(json, "indicator", row->indicator);
	json_put_text(json, "label", row->label);
	json_put_text(json, "level", row->is_entity ? "finess_ej" : "finess_eg");
	json_put_text(json, "finess_ej", row->lane);
	json_put_text(json, "finess_eg", row->is_entity ? NULL : row->place);
	json_put_text(json, "place_name", row->place_name);
	json_put_text(json, "champ", row->fields);
}

int64_t board_numerator(const struct board_row *row)
{
	return row->input.is_ratio && row->denominator.is_known ? row->input.numerator_measured
								: row->input.numerator;
}

static void put_figures(json_t *json, const struct board_row *row)
{
	const struct projection *p = &row->projection;
	const struct projection_input *input = &row->input;

	json_put_text(json, "unit", targets_unit_text(row->unit));
	json_put_flag(json, "counted", row->is_counted);
	json_put_flag(json, "is_ratio", input->is_ratio);
	put_known(json, "numerator", row->is_counted, board_numerator(row));
	put_known(json, "denominator", row->denominator.is_known, row->denominator.n);
	json_object_set_new(json, "denominator_from", json_of_denominator(row));
	put_real(json, "rate", p->rate);
	json_object_set_new(json, "threshold", json_of_threshold(row));
	put_known(json, "missing_now", p->missing_now >= 0, p->missing_now);
	put_known(json, "missing_end", p->missing_end >= 0, p->missing_end);
	put_real(json, "needed_per_day", p->per_day);
	put_real(json, "current_per_day", row->is_counted ? p->pace : NAN);
	put_real(json, "projected_rate", p->rate_end);
	put_real(json, "projected_low", p->low);
	put_real(json, "projected_high", p->high);
	json_put_flag(json, "short_history", p->is_young);
	put_real(json, "projected_with_recoverable", p->rate_recovered);
	json_put_text(json, "state", target_state_text(p->state));
}

static json_t *json_of_row(const struct board_row *row)
{
	json_t *json = json_object();

	put_place(json, row);
	put_figures(json, row);
	json_put_text(json, "sentence_en", row->english);
	json_put_text(json, "sentence_fr", row->french);
	json_object_set_new(json, "inputs", json_of_inputs(&row->input));
	json_put_text(json, "definition", row->definition);
	json_put_text(json, "definition_hash", row->definition_hash);
	json_put_time(json, "frozen_at", row->frozen_ms);
	json_put_flag(json, "as_frozen", row->is_as_frozen);
	json_object_set_new(json, "frozen",
			    row->frozen[0] ? json_loads(row->frozen, 0, NULL) : json_null());
	return json;
}

void targets_write_row(const struct board_row *row, struct buf *out)
{
	json_add_and_free(json_of_row(row), out);
}

/* ---- places ---- */

static double share(int64_t part, int64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : NAN;
}

void board_rates(const struct board_quality *quality,
		 struct board_rate ret_rates[static BOARD_RATES])
{
	const struct board_quality *q = quality;
	const int64_t refused = q->absent + q->closed + q->opposed;
	const int64_t ended = q->accepted + q->rejected;
	const int64_t timed = q->prompt[BOARD_D0] + q->prompt[BOARD_D1] + q->prompt[BOARD_D2_D8] +
			      q->prompt[BOARD_D9_PLUS];
	const struct board_rate rates[BOARD_RATES] = {
		{ "feed_rate_produced", share(q->accepted, q->received) },
		{ "addressable_rate", share(q->accepted, q->received - refused) },
		{ "ins_ready_rate", share(q->received_qualified, q->received) },
		{ "first_pass_rate", share(q->first_pass, ended) },
		{ "reject_rate", share(q->rejected, ended) },
		{ "dmp_absent_rate", share(q->absent, ended + refused) },
		{ "replacement_rate", share(q->replaced, q->accepted) },
		{ "masking_rate", share(q->invisible, q->accepted) },
		{ "continuity", share(q->active_weeks, q->weeks) },
		{ "feed_rate_stays", share(q->fed_stays, q->stays) },
		{ "docs_per_stay", share(q->letters, q->stays) },
		{ "same_day_rate", share(q->prompt[BOARD_D0], timed) },
		{ "next_day_rate", share(q->prompt[BOARD_D1], timed) },
		{ "d2_d8_rate", share(q->prompt[BOARD_D2_D8], timed) },
		{ "later_rate", share(q->prompt[BOARD_D9_PLUS], timed) },
		{ "still_invisible_rate", share(q->still_invisible, q->accepted) },
	};

	memcpy(ret_rates, rates, sizeof(rates));
}

/* Each reason's share of what ended. */
static json_t *json_of_rejections(const struct board_quality *quality)
{
	const int64_t ended = quality->accepted + quality->rejected;
	json_t *json = json_object();

	for (enum count_outcome outcome = COUNT_REJECTED_FORMAT; outcome <= COUNT_REJECTED_OTHER;
	     outcome++)
		put_real(json, count_outcome_text(outcome),
			 share(quality->rejected_by[outcome], ended));
	return json;
}

static json_t *json_of_quality(const struct board_quality *quality)
{
	const struct {
		const char *name;
		int64_t n;
	} counts[] = {
		{ "received", quality->received },
		{ "received_qualified", quality->received_qualified },
		{ "accepted", quality->accepted },
		{ "first_pass", quality->first_pass },
		{ "replaced", quality->replaced },
		{ "invisible", quality->invisible },
		{ "still_invisible", quality->still_invisible },
		{ "stays_ended", quality->stays },
		{ "stays_with_letter", quality->fed_stays },
		{ "letters", quality->letters },
		{ "letters_d0", quality->prompt[BOARD_D0] },
		{ "letters_d1", quality->prompt[BOARD_D1] },
		{ "letters_d2_d8", quality->prompt[BOARD_D2_D8] },
		{ "letters_d9_plus", quality->prompt[BOARD_D9_PLUS] },
		{ "dmp_absent", quality->absent },
		{ "dmp_closed", quality->closed },
		{ "patient_opposed", quality->opposed },
		{ "rejected", quality->rejected },
		{ "waiting", quality->waiting },
		{ "waiting_for_ins", quality->waiting_for_ins },
		{ "weeks", quality->weeks },
		{ "active_weeks", quality->active_weeks },
	};
	struct board_rate rates[BOARD_RATES];
	json_t *json = json_object(), *all = json_object();

	json_put_text(json, "finess_eg", quality->site);
	json_put_text(json, "name", quality->name);
	for (size_t i = 0; i < length_of(counts); i++)
		put_known(json, counts[i].name, true, counts[i].n);
	board_rates(quality, rates);
	for (size_t i = 0; i < length_of(rates); i++)
		put_real(all, rates[i].name, rates[i].rate);
	json_object_set_new(json, "rates", all);
	json_object_set_new(json, "reject_rates", json_of_rejections(quality));
	return json;
}

void targets_write_quality(const struct board_quality *quality, struct buf *out)
{
	json_add_and_free(json_of_quality(quality), out);
}

bool board_is_covered(const struct board_unit *unit)
{
	return unit->discharges == 0 || unit->accepted > 0;
}

static json_t *json_of_unit(const struct board_unit *unit)
{
	json_t *json = json_object();

	json_put_text(json, "finess_eg", unit->site);
	json_put_text(json, "unit", unit->unit);
	put_known(json, "discharges", true, unit->discharges);
	put_known(json, "accepted", true, unit->accepted);
	json_put_flag(json, "covered", board_is_covered(unit));
	put_known(json, "weeks", true, unit->weeks);
	put_known(json, "active_weeks", true, unit->active_weeks);
	put_real(json, "continuity", share(unit->active_weeks, unit->weeks));
	return json;
}

void targets_write_unit(const struct board_unit *unit, struct buf *out)
{
	json_add_and_free(json_of_unit(unit), out);
}

static json_t *json_of_gap(const struct board_gap *gap)
{
	static const char *const levels[] = { "ok", "warn", "crit" };
	json_t *json = json_object();

	json_put_text(json, "finess_eg", gap->site);
	json_put_text(json, "type_code", gap->type_code);
	put_month(json, "month", gap->month);
	put_known(json, "ours", true, gap->ours);
	put_known(json, "official", gap->official >= 0, gap->official);
	put_known(json, "declared", gap->declared >= 0, gap->declared);
	put_real(json, "gap", gap->gap);
	json_put_text(json, "level", levels[gap->level]);
	return json;
}

void targets_write_gap(const struct board_gap *gap, struct buf *out)
{
	json_add_and_free(json_of_gap(gap), out);
}

/* ---- the whole ---- */

static json_t *json_of_window(const struct target_window *window)
{
	json_t *json = json_object();

	json_put_text(json, "id", window->id);
	put_day(json, "start", window->start);
	put_day(json, "end", window->end);
	json_put_text(json, "status", target_status_text(window->status));
	return json;
}

static json_t *json_of_indicator(const struct target_indicator *indicator)
{
	json_t *json = json_object();

	json_put_text(json, "id", indicator->id);
	json_put_text(json, "label", indicator->label);
	json_put_text(json, "definition", indicator->definition);
	json_put_text(json, "definition_hash", indicator->definition_hash);
	return json;
}

static json_t *json_of_programme(const struct target_programme *programme)
{
	json_t *json = json_object(), *windows = json_array();

	json_put_text(json, "id", programme->id);
	json_put_text(json, "label", programme->label);
	json_put_text(json, "file", programme->file);
	json_put_flag(json, "closed", programme->closed);
	json_put_text(json, "rollover", programme->rollover);
	for (size_t i = 0; i < programme->window_count; i++)
		json_array_append_new(windows, json_of_window(&programme->windows[i]));
	json_object_set_new(json, "windows", windows);
	json_put_list(json, "indicators", json_of_indicator, programme->indicators,
		      programme->indicator_count);
	return json;
}

json_t *targets_programmes(const struct targets *targets)
{
	json_t *programmes = json_array();

	for (size_t i = 0; i < targets->programme_count; i++)
		json_array_append_new(programmes, json_of_programme(&targets->programmes[i]));
	return programmes;
}

static void put_result(json_t *json, const struct board_result *result)
{
	const struct targets *targets = result->targets;
	char digest[SHA256_BYTES * 2 + 1];
	json_t *period = json_object();

	json_put_time(json, "as_of", result->as_of_ms);
	json_put_time(json, "counted_until", result->counted_until_ms);
	json_put_text(json, "config_hash", hex(targets->digest, sizeof(targets->digest), digest));
	json_put_flag(json, "weights_learned", result->weights_learned);
	json_object_set_new(json, "programmes", targets_programmes(targets));
	json_put_list(json, "rows", json_of_row, result->rows, result->row_count);
	put_day(period, "from", result->quality_from);
	put_day(period, "to", result->quality_to);
	json_object_set_new(json, "sites_period", period);
	json_put_list(json, "sites", json_of_quality, result->qualities, result->quality_count);
	json_put_list(json, "units", json_of_unit, result->units, result->unit_count);
	json_put_list(json, "official_gaps", json_of_gap, result->gaps, result->gap_count);
}

void targets_write(const struct board_result *result, struct buf *out)
{
	json_t *json = json_object();

	if (result != NULL)
		put_result(json, result);
	else
		json_put_time(json, "as_of", 0);
	json_add_and_free(json, out);
}
