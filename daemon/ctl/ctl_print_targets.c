/* What dmpfeedctl prints of targets, and of the figures that people bring. One thread. */
#include "ctl/ctl_print.h"

#include <stdio.h>

#include "ctl/ctl_refusal.h"
#include "ctl/ctl_table.h"

/* clang-format off */
static const struct ctl_column target_columns[] = {
	{ "window_name", "Window" }, { "indicator", "Indicator" }, { "place", "Place" },
	{ "count", "Count" }, { "rate_text", "Rate" }, { "target", "Target" },
	{ "missing_now", "Missing" }, { "missing_end", "Missing at the end" },
	{ "projected", "Projected" }, { "state", "State" }, { "frozen_at", "Frozen" },
	{ NULL, NULL },
};

static const struct ctl_column import_members[] = {
	{ "figures", "Figures" }, { "denominator", "Denominator" },
	{ "first_month", "First month" }, { "last_month", "Last month" }, { "sum", "Sum" },
	{ "revision", "Revision" }, { "dry_run", "Only tried" }, { "unknown", "Unknown sites" },
	{ NULL, NULL },
};

static const struct ctl_column gap_columns[] = {
	{ "finess_eg", "Site" }, { "type_code", "Type" }, { "month", "Month" }, { "ours", "Ours" },
	{ "declared", "Declared" }, { "official", "Official" }, { "gap_text", "Gap" },
	{ "level", "Level" }, { NULL, NULL },
};

static const struct ctl_column rate_columns[] = {
	{ "finess_eg", "Site" }, { "feed_rate_produced", "Of what was to be fed" },
	{ "addressable_rate", "Without what was refused" }, { "feed_rate_stays", "Stays with a letter" },
	{ "same_day_rate", "Letters on the day" }, { "next_day_rate", "next day" },
	{ "d2_d8_rate", "to the 8th" }, { "later_rate", "later" },
	{ "first_pass_rate", "First attempt" }, { "replacement_rate", "Replaced" },
	{ "masking_rate", "Hidden" }, { "still_invisible_rate", "for too long" },
	{ "continuity", "Weeks fed" }, { NULL, NULL },
};

static const struct ctl_column uncovered_columns[] = {
	{ "finess_eg", "Site" }, { "unit", "Unit" }, { "discharges", "Discharges" }, { NULL, NULL },
};
/* clang-format on */

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
	ctl_table("", sites, rate_columns);
	ctl_table("Units that patients leave, and of which the DMP has nothing", uncovered,
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
	ctl_table("", answer->rows, target_columns);
	json_array_foreach(answer->rows, i, row)
	{
		const char *said = json_string_value(
			json_object_get(row, ctl_is_french() ? "sentence_fr" : "sentence_en"));

		buf_addf(&line, "%s%s %s: ", i == 0 ? "\n" : "",
			 slice_of(json_string_value(json_object_get(row, "place"))).p,
			 slice_of(json_string_value(json_object_get(row, "indicator"))).p);
		ctl_add_clean(&line, slice_of(said).p, '\0');
		ctl_line(&line);
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
		ctl_line(&line);
	}
	if (!has_faults)
		ctl_members(json_array_get(answer->rows, 0), import_members);
	ctl_table("Counts that differ", gaps, gap_columns);
	json_decref(gaps);
}
