/* A row as it was frozen, from the JSON object that was kept of it. Pure. Any thread. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "status/targets_json.h"
#include "status/targets_yaml.h"

struct frozen_row {
	const json_t *json;
	struct arena *arena; /* of texts */
};

static const char *text_of(const struct frozen_row *from, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? arena_dup(from->arena, slice_of(text)) : "";
}

static double real_of(const json_t *object, const char *name)
{
	const json_t *number = json_object_get(object, name);

	return json_is_number(number) ? json_number_value(number) : NAN;
}

static int64_t count_of(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *number = json_object_get(object, name);

	return json_is_integer(number) ? json_integer_value(number) : otherwise;
}

static int day_of(const json_t *object, const char *name, int otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));
	int day;

	return text != NULL && calendar_parse_day(slice_of(text), &day) ? day : otherwise;
}

/* As clock_iso() writes it; 0: there is none. */
static int64_t time_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	struct tm tm = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (rest == NULL || rest[0] != '.')
		return 0;
	return (int64_t)timegm(&tm) * 1000 + strtol(rest + 1, NULL, 10);
}

/* Which of the words it is; the last when it is none of them. */
static size_t word_of(const json_t *object, const char *name, const char *(*word)(size_t i),
		      size_t last)
{
	const char *text = json_string_value(json_object_get(object, name));
	size_t i = 0;

	while (i < last && (text == NULL || strcmp(text, word(i)) != 0))
		i++;
	return i;
}

static const char *state_word(size_t i)
{
	return target_state_text((enum target_state)i);
}

static const char *status_word(size_t i)
{
	return target_status_text((enum target_status)i);
}

static const char *kind_word(size_t i)
{
	return targets_kind_text((enum target_kind)i);
}

static const char *unit_word(size_t i)
{
	return targets_unit_text((enum projection_unit)i);
}

static void read_place(const struct frozen_row *from, struct board_row *row)
{
	const char *level = json_string_value(json_object_get(from->json, "level"));

	row->programme = text_of(from, from->json, "programme");
	row->programme_label = text_of(from, from->json, "programme_label");
	row->window = text_of(from, from->json, "window");
	row->start = day_of(from->json, "window_start", 0);
	row->end = day_of(from->json, "window_end", TARGETS_NO_END);
	row->window_status = (enum target_status)word_of(from->json, "window_status", status_word,
							 TARGET_INTERNAL);
	row->indicator = text_of(from, from->json, "indicator");
	row->label = text_of(from, from->json, "label");
	row->is_entity = level != NULL && strcmp(level, "finess_ej") == 0;
	row->lane = text_of(from, from->json, "finess_ej");
	row->place = row->is_entity ? row->lane : text_of(from, from->json, "finess_eg");
	row->place_name = text_of(from, from->json, "place_name");
	row->fields = text_of(from, from->json, "champ");
}

static void read_denominator(const struct frozen_row *from, struct board_row *row)
{
	const json_t *json = json_object_get(from->json, "denominator_from");

	row->denominator = (struct board_denominator){
		.is_known = json_is_integer(json_object_get(from->json, "denominator")),
		.n = count_of(from->json, "denominator", 0),
		.id = text_of(from, json, "id"),
		.source = text_of(from, json, "source"),
		.revision = (uint64_t)count_of(json, "revision", 0),
		.imported_ms = time_of(json, "imported"),
		.imported_by = text_of(from, json, "imported_by"),
		.until = day_of(json, "until", 0),
		.gaps = text_of(from, json, "gaps"),
		.sensitive = count_of(json, "sensitive", -1),
	};
}

static void read_threshold(const struct frozen_row *from, struct board_row *row)
{
	const json_t *json = json_object_get(from->json, "threshold");
	const char *op = json_string_value(json_object_get(json, "op"));
	const double value = real_of(json, "value"), amount = real_of(json, "amount_eur");

	row->kind = (enum target_kind)word_of(json, "kind", kind_word, KIND_RANK);
	row->threshold_status =
		(enum target_status)word_of(json, "status", status_word, TARGET_INTERNAL);
	row->threshold_source = text_of(from, json, "source");
	row->tier = (size_t)count_of(json, "tier", 0);
	row->tier_count = (size_t)count_of(json, "tiers", 0);
	row->per_month = json_is_true(json_object_get(json, "per_month"));
	row->amount_eur = isnan(amount) ? 0 : amount;
	row->reference = real_of(json, "reference");
	row->input.at_most = op != NULL && strcmp(op, "<=") == 0;
	row->input.has_threshold = !isnan(value);
	row->input.threshold = value;
	row->input.margin = fmax(real_of(json, "margin"), 0);
}

static void read_inputs(const struct frozen_row *from, struct board_row *row)
{
	const json_t *json = json_object_get(from->json, "inputs");
	struct projection_input *input = &row->input;
	const json_t *week;
	size_t i;

	input->is_ratio = json_is_true(json_object_get(from->json, "is_ratio"));
	input->numerator_measured = count_of(from->json, "numerator", 0);
	input->numerator = count_of(json, "numerator_now", input->numerator_measured);
	input->has_denominator = row->denominator.is_known;
	input->denominator = row->denominator.n;
	input->has_end = json_is_number(json_object_get(json, "days_left"));
	input->gap = fmax(real_of(json, "days_since_denominator"), 0);
	input->left = fmax(real_of(json, "days_left"), 0);
	input->numerator_pace = real_of(json, "numerator_per_day");
	input->denominator_pace = real_of(json, "denominator_per_day");
	input->produced_pace = real_of(json, "produced_per_day");
	input->first_pass_rate = real_of(json, "first_pass_rate");
	input->sendable = count_of(json, "sendable", 0);
	input->recoverable = count_of(json, "recoverable", 0);
	json_array_foreach(json_object_get(json, "weeks"), i, week)
	{
		if (json_is_number(week) && input->weeks < PROJECTION_WEEKS)
			input->weekly[input->weeks++] = json_number_value(week);
	}
}

static void read_projection(const struct frozen_row *from, struct board_row *row)
{
	row->projection = (struct projection){
		.state = (enum target_state)word_of(from->json, "state", state_word,
						    TARGET_NO_DENOMINATOR),
		.rate = real_of(from->json, "rate"),
		.rate_end = real_of(from->json, "projected_rate"),
		.low = real_of(from->json, "projected_low"),
		.high = real_of(from->json, "projected_high"),
		.is_young = json_is_true(json_object_get(from->json, "short_history")),
		.rate_recovered = real_of(from->json, "projected_with_recoverable"),
		.missing_now = count_of(from->json, "missing_now", -1),
		.missing_end = count_of(from->json, "missing_end", -1),
		.per_day = real_of(from->json, "needed_per_day"),
		.pace = real_of(from->json, "current_per_day"),
		.denominator_end = NAN,
	};
}

int targets_read_frozen(const char *frozen, struct arena *arena, struct board_row *ret_row)
{
	json_t *json = json_loads(frozen, 0, NULL);
	const struct frozen_row from = { json, arena };

	if (!json_is_string(json_object_get(json, "programme"))) {
		json_decref(json);
		return -1;
	}
	*ret_row = (struct board_row){
		.unit = (enum projection_unit)word_of(json, "unit", unit_word, UNIT_WEEK),
		.has_ended = true,
		.is_counted = json_is_true(json_object_get(json, "counted")),
		.english = text_of(&from, json, "sentence_en"),
		.french = text_of(&from, json, "sentence_fr"),
		.definition = text_of(&from, json, "definition"),
		.definition_hash = text_of(&from, json, "definition_hash"),
	};
	read_place(&from, ret_row);
	read_denominator(&from, ret_row);
	read_threshold(&from, ret_row);
	read_inputs(&from, ret_row);
	read_projection(&from, ret_row);
	json_decref(json);
	return 0;
}
