/* The numbers that are counted, as JSON. Pure. */
#include "status/counters_json.h"

#include "base/calendar.h"
#include "status/json.h"

enum { MOST_ROWS = 100000 }; /* of one answer: some 20 MB */

struct counters_json {
	struct counters_page page;
	json_t *counters, *accepted;
	json_t *group; /* the last of `accepted`, whose sums are: */
	int64_t unique, replaced, deleted;
	bool truncated;
};

static const char *day_text(int day, char ret_text[static CALENDAR_TEXT])
{
	return day > 999999 ? calendar_day_text(day, ret_text) : calendar_month_text(day, ret_text);
}

/* What one number, or one sum, is of. */
static json_t *json_of(const struct count_cell *cell, const char *current)
{
	json_t *json = json_object();
	char day[CALENDAR_TEXT];

	json_put_text(json, "finess_ej", cell->lane);
	json_put_text(json, "finess_eg", cell->site);
	json_put_text(json, "current", strcmp(current, cell->site) == 0 ? NULL : current);
	json_put_text(json, "field", cell->field);
	json_put_text(json, "type_code", cell->type_code);
	json_put_text(json, "channel", cell->channel);
	json_put_text(json, cell->day > 999999 ? "day" : "month", day_text(cell->day, day));
	return json;
}

json_t *counters_json_row(const struct count_cell *cell, const char *current)
{
	json_t *json = json_of(cell, current);

	json_put_text(json, "outcome", count_outcome_text(cell->outcome));
	json_object_set_new(json, "n", json_integer(cell->n));
	return json;
}

struct counters_json *counters_json_new(const struct counters_page *page)
{
	struct counters_json *json = xcalloc(1, sizeof(*json));

	json->page = *page;
	json->counters = json_array();
	json->accepted = json_array();
	return json;
}

/* A site, type and day of which nothing was accepted, replaced or deleted has no sums. */
static void end_group(struct counters_json *json)
{
	if (json->group == NULL)
		return;
	if (json->unique == 0 && json->replaced == 0 && json->deleted == 0) {
		json_decref(json->group);
	} else {
		json_object_set_new(json->group, "accepted_unique", json_integer(json->unique));
		json_object_set_new(json->group, "accepted_gross",
				    json_integer(json->unique + json->replaced));
		json_object_set_new(json->group, "accepted_net",
				    json_integer(json->unique - json->deleted));
		json_array_append_new(json->accepted, json->group);
	}
	json->group = NULL;
	json->unique = json->replaced = json->deleted = 0;
}

static void add_to_group(struct counters_json *json, const struct count_cell *cell,
			 const char *current)
{
	json_t *group = json_of(cell, current);

	if (json->group == NULL || !json_equal(json->group, group)) {
		end_group(json);
		json->group = json_incref(group);
	}
	json_decref(group);
	switch (cell->outcome) {
	case COUNT_ACCEPTED:
	case COUNT_ACCEPTED_RECONCILED:
		json->unique += cell->n;
		break;
	case COUNT_REPLACED_OK:
		json->replaced += cell->n;
		break;
	case COUNT_DELETED_OK:
		json->deleted += cell->n;
		break;
	default: /* the others are no acceptance */
		break;
	}
}

void counters_json_add(struct counters_json *json, const struct count_cell *cell,
		       const char *current)
{
	if (json_array_size(json->counters) == MOST_ROWS) {
		json->truncated = true;
		return;
	}
	json_array_append_new(json->counters, counters_json_row(cell, current));
	add_to_group(json, cell, current);
}

void counters_json_put_reach(json_t *object, const struct counters_page *page)
{
	json_put_time(object, "counted_until", page->until_ms);
	json_put_count(object, "behind", page->behind);
	json_put_flag(object, "complete", !page->is_counted_anew && page->behind == 0);
}

void counters_json_end(struct counters_json **ended, struct buf *out)
{
	struct counters_json *json = *ended;
	const struct counters_page *page = &json->page;
	json_t *object = json_object();
	char text[CALENDAR_TEXT];

	end_group(json);
	json_put_text(object, "from", day_text(page->from, text));
	json_put_text(object, "to", day_text(page->to, text));
	json_put_text(object, "by", page->by_month ? "month" : "day");
	counters_json_put_reach(object, page);
	json_put_flag(object, "truncated", json->truncated);
	json_object_set_new(object, "counters", json->counters);
	json_object_set_new(object, "accepted", json->accepted);
	json_add_and_free(object, out);
	free_ptr(ended);
}
