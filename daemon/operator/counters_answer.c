/* What is counted, for whoever asks. Worker. */
#include "operator/counters_answer.h"

#include "base/clock.h"
#include "status/counters_json.h"
#include "status/request.h"

enum { DAYS_BEFORE = 30 };

static int read_day(const char *text, const char *name, int otherwise, int *ret_day,
		    struct err *err)
{
	*ret_day = otherwise;
	if (text[0] == '\0' || calendar_parse_day(slice_of(text), ret_day))
		return 0;
	return err_set(err, ERR_REJECT, "%s takes a day like 2026-11-22, not '%s'", name, text);
}

static int read_asked(const struct counters_asked *asked, struct counters_page *ret_page,
		      struct err *err)
{
	struct counters_page page = { .by_month = strcmp(asked->by, "month") == 0 };

	if (asked->by[0] != '\0' && !page.by_month && strcmp(asked->by, "day") != 0)
		return err_set(err, ERR_REJECT, "by takes day or month, not '%s'", asked->by);
	if (read_day(asked->to, "to", calendar_day(clock_now_ms()), &page.to, err) < 0 ||
	    read_day(asked->from, "from", calendar_add(page.to, -DAYS_BEFORE), &page.from, err) < 0)
		return -1;
	if (page.from > page.to)
		return err_set(err, ERR_REJECT, "from is later than to");
	if (page.by_month) {
		page.from = calendar_month(page.from);
		page.to = calendar_month(page.to);
	}
	*ret_page = page;
	return 0;
}

static int read_cells(struct store *reader, const struct counters_page *page,
		      void (*each)(void *arg, const struct count_cell *cell, const char *current),
		      void *arg, struct err *err)
{
	return page->by_month
		       ? store_counters_by_month(reader, page->from, page->to, each, arg, err)
		       : store_counters(reader, page->from, page->to, each, arg, err);
}

static int read_reach(struct store *reader, struct counters_page *page, struct err *err)
{
	struct store_tally now;

	if (store_tally_now(reader, &now, err) < 0)
		return -1;
	page->until_ms = now.until_ms;
	page->behind = now.newest - now.last;
	page->is_counted_anew = now.is_emptying;
	return 0;
}

json_t *counters_reach(struct store *reader, struct err *err)
{
	struct counters_page page = { 0 };
	json_t *object;

	if (read_reach(reader, &page, err) < 0)
		return NULL;
	object = json_object();
	counters_json_put_reach(object, &page);
	return object;
}

static void add_cell(void *json, const struct count_cell *cell, const char *current)
{
	counters_json_add(json, cell, current);
}

int counters_answer(struct store *reader, struct slice text, struct buf *out, struct err *err)
{
	static const char *const names[] = { "from", "to", "by", NULL };
	struct counters_json *json;
	struct counters_page page;
	struct query query;
	int rc;

	if (query_read(text, names, &query, err) < 0 ||
	    read_asked(
		    &(struct counters_asked){ query.values[0], query.values[1], query.values[2] },
		    &page, err) < 0 ||
	    read_reach(reader, &page, err) < 0)
		return -1;
	json = counters_json_new(&page);
	rc = read_cells(reader, &page, add_cell, json, err);
	counters_json_end(&json, out);
	return rc;
}

struct listing {
	void (*each)(void *arg, json_t *row);
	void *arg;
};

static void list_cell(void *arg, const struct count_cell *cell, const char *current)
{
	const struct listing *listing = arg;

	listing->each(listing->arg, counters_json_row(cell, current));
}

int counters_list(struct store *reader, const struct counters_asked *asked,
		  void (*each)(void *arg, json_t *row), void *arg, struct err *err)
{
	struct listing listing = { each, arg };
	struct counters_page page;

	if (read_asked(asked, &page, err) < 0)
		return -1;
	return read_cells(reader, &page, list_cell, &listing, err);
}
