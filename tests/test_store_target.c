/* Imported figures, what waits, and what is frozen. */
#include "queue/store_target.h"

#include <sqlite3.h>

#include "queue/store_count.h"
#include "store_fixture.h"

static const char corsican[] = "2A0000014", zeros[] = "010003720";

static uint64_t import(struct fixture *f, enum store_figures kind, const char *series,
		       const struct store_figure *figures, size_t count)
{
	const struct store_import import = {
		.kind = kind,
		.series = series,
		.source = kind == FIGURES_DENOMINATOR ? "dim_import" : "official",
		.file = "sejours.csv",
		.actor = "dim (1001)",
		.now_ms = f->now_ms,
		.figures = figures,
		.count = count,
	};
	uint64_t revision = 0;

	ok(store_begin(f->store, &err));
	ok(store_import_figures(f->store, &import, &revision, &err));
	ok(store_commit(f->store, &err));
	return revision;
}

static void add_figure(void *arg, const struct store_figure *figure,
		       const struct store_origin *origin)
{
	buf_addf(arg, "%s/%s %d: %lld r%llu %s %s\n", figure->site, figure->name, figure->month,
		 (long long)figure->n, (unsigned long long)origin->revision, origin->source,
		 origin->actor);
}

static const char *figures(struct fixture *f, enum store_figures kind, const char *series, int from,
			   int to)
{
	static struct buf said;

	buf_clear(&said);
	buf_add_text(&said, "");
	ok(store_figures(f->store, kind, series, from, to, add_figure, &said, &err));
	return said.p;
}

static const struct store_figure october[] = {
	{ corsican, "MCO", 202610, 120 },
	{ zeros, "MCO", 202610, 900 },
	{ zeros, "SMR", 202610, 0 },
	{ zeros, "MCO", 202611, 950 },
};

static void figures_come_back_as_they_were(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(import(f, FIGURES_DENOMINATOR, "sejours", october, length_of(october)), 1);
	assert_string_equal(figures(f, FIGURES_DENOMINATOR, "sejours", 202601, 202612),
			    "010003720/MCO 202610: 900 r1 dim_import dim (1001)\n"
			    "010003720/MCO 202611: 950 r1 dim_import dim (1001)\n"
			    "010003720/SMR 202610: 0 r1 dim_import dim (1001)\n"
			    "2A0000014/MCO 202610: 120 r1 dim_import dim (1001)\n");
	assert_string_equal(figures(f, FIGURES_DENOMINATOR, "sejours", 202611, 202611),
			    "010003720/MCO 202611: 950 r1 dim_import dim (1001)\n");
	assert_string_equal(figures(f, FIGURES_DENOMINATOR, "visites", 202601, 202612), "");
	assert_string_equal(figures(f, FIGURES_OFFICIAL, "sejours", 202601, 202612), "");
}

/* A new revision stands beside the old one, which it hides figure by figure. */
static void the_newest_revision_of_each_figure_counts(void **state)
{
	static const struct store_figure revised[] = { { zeros, "MCO", 202610, 1000 } };
	struct fixture *f = *state;

	import(f, FIGURES_DENOMINATOR, "sejours", october, length_of(october));
	assert_int_equal(import(f, FIGURES_DENOMINATOR, "sejours", revised, 1), 2);
	assert_string_equal(figures(f, FIGURES_DENOMINATOR, "sejours", 202610, 202610),
			    "010003720/MCO 202610: 1000 r2 dim_import dim (1001)\n"
			    "010003720/SMR 202610: 0 r1 dim_import dim (1001)\n"
			    "2A0000014/MCO 202610: 120 r1 dim_import dim (1001)\n");
}

static void a_renumbered_site_is_called_by_its_new_number(void **state)
{
	const struct store_alias alias = { corsican, zeros };
	struct fixture *f = *state;

	import(f, FIGURES_OFFICIAL, "", october, 2);
	ok(store_begin(f->store, &err));
	ok(store_note_aliases(f->store, &alias, 1, &err));
	ok(store_commit(f->store, &err));
	assert_string_equal(figures(f, FIGURES_OFFICIAL, "", 202610, 202610),
			    "010003720/MCO 202610: 900 r1 official dim (1001)\n"
			    "010003720/MCO 202610: 120 r1 official dim (1001)\n");
	/* and brought again under that one, it is not counted beside what it was */
	import(f, FIGURES_OFFICIAL, "", &october[1], 1);
	assert_string_equal(figures(f, FIGURES_OFFICIAL, "", 202610, 202610),
			    "010003720/MCO 202610: 900 r2 official dim (1001)\n");
}

static void expect_abort(struct fixture *f, const char *sql, const char *words)
{
	sqlite3 *db;
	char *error = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, &error), SQLITE_CONSTRAINT);
	assert_string_equal(error, words);
	sqlite3_free(error);
	sqlite3_close(db);
}

static void imports_are_append_only(void **state)
{
	struct fixture *f = *state;

	import(f, FIGURES_DENOMINATOR, "sejours", october, length_of(october));
	expect_abort(f, "UPDATE figure SET n = 0", "imports are append-only");
	expect_abort(f, "DELETE FROM figure", "imports are append-only");
	expect_abort(f, "UPDATE import SET actor = 'nobody'", "imports are append-only");
	expect_abort(f, "DELETE FROM import", "imports are append-only");
}

static void a_figure_that_comes_twice_takes_the_import_back(void **state)
{
	static const struct store_figure twice[] = { { zeros, "MCO", 202610, 1 },
						     { zeros, "MCO", 202610, 2 } };
	const struct store_import import = { .series = "s",
					     .source = "manual",
					     .file = "f",
					     .actor = "a",
					     .figures = twice,
					     .count = 2 };
	struct fixture *f = *state;
	struct err broken = { 0 };
	uint64_t revision;

	ok(store_begin(f->store, &err));
	assert_int_equal(store_import_figures(f->store, &import, &revision, &broken), -1);
	store_rollback(f->store);
	assert_string_equal(figures(f, FIGURES_DENOMINATOR, "s", 202601, 202612), "");
}

/* ---- what waits ---- */

static void add_waiting(void *arg, const struct store_unsent *waiting)
{
	buf_addf(arg, "%s/%s/%s %s%s: %lld\n", waiting->lane, waiting->site, waiting->field,
		 waiting->type_code, waiting->needs_ins ? " ins" : "", (long long)waiting->n);
}

static void what_waits_by_type_and_for_whom(void **state)
{
	static const struct {
		const char *id, *action, *type;
		enum doc_state state;
		enum reason reason;
	} arrivals[] = {
		{ "1.2.1", "submit", "11490-0", DOC_QUEUED, REASON_NONE },
		{ "1.2.2", "submit", "11490-0", DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ "1.2.3", "submit", "11490-0", DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ "1.2.4", "submit", "11490-0", DOC_HELD, REASON_POLICY_HOLD },
		{ "1.2.5", "submit", "11502-2", DOC_QUEUED, REASON_NONE },
		{ "1.2.6", "submit", "11502-2", DOC_CANCELLED, REASON_NOT_FOR_DMP },
	};
	scoped(buf_done) struct buf said = { 0 };
	struct fixture *f = *state;

	for (size_t i = 0; i < length_of(arrivals); i++) {
		struct store_arrival one = arrival(f, arrivals[i].id, "body");

		one.action = arrivals[i].action;
		one.type_code = arrivals[i].type;
		one.state = arrivals[i].state;
		one.reason = arrivals[i].reason;
		one.facts.field = "MCO";
		take_in(f, &one);
	}
	ok(store_unsent(f->store, add_waiting, &said, &err));
	assert_string_equal(said.p, "990000987/990012345/MCO 11490-0: 2\n"
				    "990000987/990012345/MCO 11490-0 ins: 2\n"
				    "990000987/990012345/MCO 11502-2: 1\n");
}

/* ---- what is frozen ---- */

static int freeze(struct fixture *f, const char *place, const char *json)
{
	const struct store_snapshot snapshot = { "p", "w", "i", place, f->now_ms, json };
	int frozen = -1;

	ok(store_begin(f->store, &err));
	ok(frozen = store_freeze(f->store, &snapshot, &err));
	ok(store_commit(f->store, &err));
	return frozen;
}

static void add_snapshot(void *arg, const struct store_snapshot *snapshot)
{
	buf_addf(arg, "%s/%s/%s/%s %s\n", snapshot->programme, snapshot->window,
		 snapshot->indicator, snapshot->place, snapshot->json);
}

static void what_is_frozen_stays_as_it_was(void **state)
{
	scoped(buf_done) struct buf said = { 0 };
	struct fixture *f = *state;

	assert_int_equal(freeze(f, zeros, "{\"n\":1}"), 1);
	assert_int_equal(freeze(f, zeros, "{\"n\":2}"), 0);
	assert_int_equal(freeze(f, corsican, "{\"n\":3}"), 1);
	ok(store_snapshots(f->store, add_snapshot, &said, &err));
	assert_string_equal(said.p, "p/w/i/010003720 {\"n\":1}\np/w/i/2A0000014 {\"n\":3}\n");
	expect_abort(f, "UPDATE snapshot SET json = ''", "what is frozen stays");
}

static void what_was_frozen_long_ago_is_forgotten(void **state)
{
	scoped(buf_done) struct buf said = { 0 };
	struct fixture *f = *state;
	size_t count = 0;

	freeze(f, zeros, "{}");
	f->now_ms += 1000;
	freeze(f, corsican, "{}");
	ok(store_begin(f->store, &err));
	ok(store_forget_snapshots(f->store, f->now_ms, &count, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, 1);
	ok(store_snapshots(f->store, add_snapshot, &said, &err));
	assert_string_equal(said.p, "p/w/i/2A0000014 {}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(figures_come_back_as_they_were),
		test(the_newest_revision_of_each_figure_counts),
		test(a_renumbered_site_is_called_by_its_new_number),
		test(imports_are_append_only),
		test(a_figure_that_comes_twice_takes_the_import_back),
		test(what_waits_by_type_and_for_whom),
		test(what_is_frozen_stays_as_it_was),
		test(what_was_frozen_long_ago_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
