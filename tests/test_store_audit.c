/* The chain through the ledger: whatever is altered behind the store's back is found. */
#include <sqlite3.h>

#include "queue/store_act.h"
#include "queue/store_target.h"
#include "queue/store_trail.h"
#include "store_fixture.h"

/* Does to the file what the store never would. */
static void tamper(struct fixture *f, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db,
			 "DROP TRIGGER IF EXISTS ledger_keeps; DROP TRIGGER IF EXISTS ledger_stays;"
			 "DROP TRIGGER IF EXISTS act_keeps; DROP TRIGGER IF EXISTS act_stays;"
			 "DROP TRIGGER IF EXISTS import_keeps; DROP TRIGGER IF EXISTS import_stays;"
			 "DROP TRIGGER IF EXISTS figure_keeps; DROP TRIGGER IF EXISTS figure_stays",
			 NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

struct findings {
	size_t count;
	char first[256];
};

static void note(void *arg, const char *sentence)
{
	struct findings *findings = arg;

	if (findings->count++ == 0)
		snprintf(findings->first, sizeof(findings->first), "%s", sentence);
}

static struct store_audit verify(struct fixture *f, struct findings *ret_findings)
{
	struct store *reader = NULL;
	struct store_audit audit;

	*ret_findings = (struct findings){ 0 };
	ok(store_open_reader(&reader, &f->settings, &err));
	ok(store_verify(reader, note, ret_findings, &audit, &err));
	store_free(&reader);
	assert_int_equal(audit.faults, ret_findings->count);
	return audit;
}

static void finds(struct fixture *f, const char *words)
{
	struct findings findings;

	verify(f, &findings);
	if (findings.count != 1 || strstr(findings.first, words) == NULL)
		fail_msg("%zu faults, \"%s\" where \"%s\" is meant", findings.count, findings.first,
			 words);
}

/* Two documents delivered: six rows. */
static void deliver_two(struct fixture *f)
{
	struct store_due due[2];
	int64_t next_ms;

	queue_one(f, "1.2.3.1");
	queue_one(f, "1.2.3.2");
	assert_int_equal(claim(f, 2, due, &next_ms), 2);
	for (size_t i = 0; i < 2; i++) {
		struct store_outcome delivered = outcome(f, due[i].doc, DOC_DELIVERED);

		delivered.text = "Document enregistré";
		settle(f, &delivered);
	}
}

static void an_untouched_store_is_whole(void **state)
{
	struct fixture *f = *state;
	struct findings findings;

	assert_int_equal(verify(f, &findings).rows, 0);
	deliver_two(f);
	assert_int_equal(verify(f, &findings).rows, 6);
	assert_int_equal(findings.count, 0);
}

static void the_chain_goes_on_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct findings findings;

	queue_one(f, "1.2.3.1");
	store_free(&f->store);
	open_store(f);
	queue_one(f, "1.2.3.2");
	assert_int_equal(verify(f, &findings).rows, 2);
	assert_int_equal(findings.count, 0);
}

static void the_chain_goes_on_after_what_was_taken_back(void **state)
{
	struct fixture *f = *state;
	const struct store_arrival undone = arrival(f, "1.2.3.1", "body");
	const struct store_arrival kept = arrival(f, "1.2.3.2", "body");
	struct store_receipt receipt;
	struct findings findings;

	ok(store_begin(f->store, &err));
	ok(store_take_in(f->store, &undone, &receipt, &err));
	store_rollback(f->store);
	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_take_in(f->store, &undone, &receipt, &err));
	store_savepoint_undo(f->store);
	ok(store_savepoint(f->store, &err));
	ok(store_take_in(f->store, &kept, &receipt, &err));
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
	assert_int_equal(verify(f, &findings).rows, 1);
	assert_int_equal(findings.count, 0);
}

static void the_head_changes_with_every_row(void **state)
{
	struct fixture *f = *state;
	struct store_audit one, other;
	struct findings findings;

	queue_one(f, "1.2.3.1");
	one = verify(f, &findings);
	queue_one(f, "1.2.3.2");
	other = verify(f, &findings);
	assert_memory_not_equal(one.head, other.head, sizeof(one.head));
}

/* One at a time: what each leaves behind is what the next one must not hide. */
static void any_altered_field_is_found(void **state)
{
	static const char *const fields[] = {
		"at_ms = at_ms + 1",
		"what = 'settle'",
		"reason = 'retrying'",
		"attempt = attempt + 1",
		"code = 'x'",
		"text = 'Document enregistre'",
		"note = 'x'",
		"origin = 'x'",
		"actor = 'root'",
		"node = 'elsewhere'",
		"http_status = 201",
		"duration_ms = 1",
		"digest = zeroblob(32)",
		"state = 'delivering'",
	};
	struct fixture *f = *state;

	deliver_two(f);
	for (size_t i = 0; i < length_of(fields); i++) {
		scoped(free_ptr) char *alter =
			xasprintf("CREATE TABLE kept AS SELECT * FROM ledger WHERE number = 5;"
				  "UPDATE ledger SET %s WHERE number = 5",
				  fields[i]);
		struct findings findings;

		tamper(f, alter);
		verify(f, &findings);
		if (findings.count == 0 || strstr(findings.first, "row 5 of the ledger") == NULL)
			fail_msg("%s: \"%s\"", fields[i], findings.first);
		tamper(f, "REPLACE INTO ledger SELECT * FROM kept; DROP TABLE kept");
		verify(f, &findings);
		assert_int_equal(findings.count, 0);
	}
}

static void a_document_that_became_another_is_found(void **state)
{
	struct fixture *f = *state;

	queue_one(f, "1.2.3.1");
	tamper(f, "UPDATE document SET unique_id = '1.2.3.9'");
	finds(f, "row 1 of the ledger");
}

static void a_row_taken_out_of_the_middle_is_found(void **state)
{
	struct fixture *f = *state;
	struct findings findings;

	deliver_two(f);
	tamper(f, "DELETE FROM ledger WHERE number = 3");
	verify(f, &findings);
	assert_int_equal(findings.count, 1);
	assert_non_null(strstr(findings.first, "no rows 3 to 3"));
}

static void a_last_row_cut_off_leaves_its_document_astray(void **state)
{
	struct fixture *f = *state;

	deliver_two(f);
	tamper(f, "DELETE FROM ledger WHERE number = 6");
	finds(f, "is delivered, but the ledger left it sending");
}

static void a_state_changed_without_a_row_is_found(void **state)
{
	struct fixture *f = *state;

	queue_one(f, "1.2.3.1");
	tamper(f, "UPDATE document SET state = 'delivered'");
	finds(f, "is delivered, but the ledger left it queued");
}

static void a_body_without_a_document_is_found(void **state)
{
	struct fixture *f = *state;

	tamper(f, "PRAGMA foreign_keys = OFF; INSERT INTO body VALUES (77, x'00', x'00')");
	finds(f, "of table body refers to a row of table document");
}

/* ---- what people do that is about no document ---- */

static void import_two(struct fixture *f)
{
	static const struct store_figure figures[] = { { "990012345", "MCO", 202610, 120 },
						       { "990012345", "MCO", 202611, 130 } };
	const struct store_import import = { .kind = FIGURES_DENOMINATOR,
					     .series = "sejours",
					     .source = "dim_import",
					     .file = "sejours.csv",
					     .actor = "dim (1001)",
					     .now_ms = f->now_ms,
					     .figures = figures,
					     .count = length_of(figures) };
	uint64_t revision;

	ok(store_begin(f->store, &err));
	ok(store_import_figures(f->store, &import, &revision, &err));
	ok(store_commit(f->store, &err));
}

/* A document before it and one after, so that the act is the second of three rows. */
static void import_between(struct fixture *f)
{
	queue_one(f, "1.2.3.1");
	import_two(f);
	queue_one(f, "1.2.3.2");
}

static void tell_act(void *arg, const struct store_act *act)
{
	struct buf *out = arg;

	buf_addf(out, "%d %s|%s|%s|%s\n", (int)act->number, act->what, act->subject, act->actor,
		 act->text);
}

static void an_act_stands_in_the_chain_with_who_did_it(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf acts = { 0 };
	struct findings findings;

	import_between(f);
	ok(store_begin(f->store, &err));
	ok(store_tally_again(f->store, "root (0)", f->now_ms, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(verify(f, &findings).rows, 4);
	assert_int_equal(findings.count, 0);
	ok(store_acts(f->store, 0, 10, tell_act, &acts, &err));
	assert_non_null(strstr(acts.p, "2 imported|denominator sejours|dim (1001)|revision=1 "
				       "source=dim_import file=sejours.csv sha256=0"));
	assert_non_null(strstr(acts.p, "\n4 recounted|counters|root (0)|\n"));
	buf_clear(&acts);
	ok(store_acts(f->store, 3, 10, tell_act, &acts, &err));
	assert_string_equal(acts.p, "4 recounted|counters|root (0)|\n");
}

static void tell_deed(void *arg, const struct store_deed *deed)
{
	struct buf *out = arg;

	buf_addf(out, "%d %s %s %s%s;", (int)deed->number, deed->actor, deed->what, deed->subject,
		 deed->site);
}

static void assert_deeds(struct fixture *f, const struct store_deeds_filter *filter,
			 const char *wanted)
{
	scoped(buf_done) struct buf told = { 0 };

	buf_add_text(&told, "");
	ok(store_deeds(f->store, filter, tell_deed, &told, &err));
	assert_string_equal(buf_slice(&told).p, wanted);
}

static void hold(struct fixture *f, struct ulid doc)
{
	const struct store_order its = {
		.doc = doc, .order = ORDER_HOLD, .actor = "anne", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &its, &ordered, &err));
	ok(store_commit(f->store, &err));
}

static void what_people_did_is_told_of_acts_and_orders_alike(void **state)
{
	struct fixture *f = *state;
	struct store_deeds_filter all = {
		.until_ms = INT64_MAX, .actor = "", .place = "", .limit = 9
	};
	const int64_t before_ms = f->now_ms;
	struct store_deeds_filter each;

	hold(f, queue_one(f, "1.2.3.1"));
	import_two(f);
	f->now_ms += 1000;
	ok(store_begin(f->store, &err));
	ok(store_tally_again(f->store, "root (0)", f->now_ms, &err));
	ok(store_commit(f->store, &err));
	assert_deeds(f, &all,
		     "2 anne held 990012345;3 dim (1001) imported denominator sejours;"
		     "4 root (0) recounted counters;");
	each = all, each.limit = 1;
	assert_deeds(f, &each, "4 root (0) recounted counters;");
	each = all, each.actor = "dim";
	assert_deeds(f, &each, "3 dim (1001) imported denominator sejours;");
	each = all, each.actor = "root (0)";
	assert_deeds(f, &each, "4 root (0) recounted counters;");
	each = all, each.actor = "di";
	assert_deeds(f, &each, "");
	each = all, each.place = "990012345";
	assert_deeds(f, &each, "2 anne held 990012345;");
	each = all, each.place = "99001234"; /* of a number the whole */
	assert_deeds(f, &each, "");
	each = all, each.place = "sejours.cs";
	assert_deeds(f, &each, "");
	each = all, each.place = "sejours.csv"; /* an act names what it was about */
	assert_deeds(f, &each, "3 dim (1001) imported denominator sejours;");
	each = all, each.from_ms = before_ms + 1;
	assert_deeds(f, &each, "4 root (0) recounted counters;");
	each = all, each.until_ms = before_ms;
	assert_deeds(f, &each, "");
}

static void tell_row(void *arg, const struct store_trail_row *row)
{
	struct buf *out = arg;

	buf_addf(out, "%d %s %s%s %s%s%s;", (int)row->number, row->what, row->subject,
		 row->unique_id, row->state, row->actor, row->is_act ? " (act)" : "");
}

static void assert_trail(struct fixture *f, uint64_t after, size_t most, const char *wanted)
{
	scoped(buf_done) struct buf told = { 0 };

	buf_add_text(&told, "");
	ok(store_trail(f->store, after, most, tell_row, &told, &err));
	assert_string_equal(buf_slice(&told).p, wanted);
}

static void the_trail_is_the_chain_in_order(void **state)
{
	struct fixture *f = *state;

	import_between(f);
	assert_trail(f, 0, 9,
		     "1 received 1.2.3.1 queued;2 imported denominator sejours dim (1001) (act);"
		     "3 received 1.2.3.2 queued;");
	assert_trail(f, 1, 1, "2 imported denominator sejours dim (1001) (act);");
	assert_trail(f, 2, 9, "3 received 1.2.3.2 queued;");
	assert_trail(f, 3, 9, "");
}

static void it_is_known_how_far_the_trail_was_forwarded(void **state)
{
	struct fixture *f = *state;
	struct store_trail_reach reach;

	ok(store_trail_reach(f->store, &reach, &err));
	assert_int_equal(reach.forwarded + reach.newest, 0);
	import_between(f);
	for (uint64_t row = 2; row <= 3; row++) {
		ok(store_begin(f->store, &err));
		ok(store_note_forwarded(f->store, row, &err));
		ok(store_commit(f->store, &err));
		store_free(&f->store);
		open_store(f);
		ok(store_trail_reach(f->store, &reach, &err));
		assert_int_equal(reach.forwarded, row);
		assert_int_equal(reach.newest, 3);
	}
}

static void an_altered_act_is_found(void **state)
{
	static const char *const fields[] = {
		"at_ms = at_ms + 1", "what = 'x'",       "subject = 'denominator other'",
		"text = 'x'",        "actor = 'nobody'", "node = 'elsewhere'",
	};
	struct fixture *f = *state;

	import_between(f);
	for (size_t i = 0; i < length_of(fields); i++) {
		scoped(free_ptr) char *alter = xasprintf(
			"CREATE TABLE kept AS SELECT * FROM act; UPDATE act SET %s", fields[i]);
		struct findings findings;

		tamper(f, alter);
		verify(f, &findings);
		if (findings.count == 0 ||
		    strstr(findings.first, "row 2 of the ledger (act, ") == NULL)
			fail_msg("%s: \"%s\"", fields[i], findings.first);
		tamper(f, "REPLACE INTO act SELECT * FROM kept; DROP TABLE kept");
		verify(f, &findings);
		assert_int_equal(findings.count, 0);
	}
}

static void an_act_taken_out_is_found(void **state)
{
	struct fixture *f = *state;
	struct findings findings;

	import_between(f);
	tamper(f, "DELETE FROM act");
	verify(f, &findings);
	assert_int_equal(findings.count, 2); /* the import that nobody ordered is the other one */
	assert_non_null(strstr(findings.first, "no rows 2 to 2"));
}

static void imported_figures_that_were_altered_are_found(void **state)
{
	static const char *const changes[] = {
		"UPDATE figure SET n = 100 WHERE month = 202611",
		"DELETE FROM figure WHERE month = 202611",
		"INSERT INTO figure VALUES (1, '990012345', 'SMR', 202611, 1)",
		"UPDATE import SET actor = 'nobody'",
		"UPDATE import SET imported_ms = imported_ms - 1",
		"UPDATE import SET digest = randomblob(32)",
	};
	struct fixture *f = *state;

	import_between(f);
	for (size_t i = 0; i < length_of(changes); i++) {
		scoped(free_ptr) char *change =
			xasprintf("CREATE TABLE kept AS SELECT * FROM figure;"
				  "CREATE TABLE came AS SELECT * FROM import; %s",
				  changes[i]);

		tamper(f, change);
		finds(f, "revision 1 of the imported figures (denominator sejours) is not what");
		tamper(f,
		       "DELETE FROM figure; DELETE FROM import; INSERT INTO import SELECT * FROM "
		       "came;"
		       "INSERT INTO figure SELECT * FROM kept; DROP TABLE kept; DROP TABLE came");
	}
	tamper(f, "DELETE FROM figure; DELETE FROM import");
	finds(f, "1 imports that the chain knows are gone");
}

static void the_chain_goes_on_behind_an_act_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct findings findings;

	queue_one(f, "1.2.3.1");
	import_two(f);
	store_free(&f->store);
	open_store(f);
	queue_one(f, "1.2.3.2");
	assert_int_equal(verify(f, &findings).last, 3);
	assert_int_equal(findings.count, 0);
}

static void the_ledger_itself_refuses_to_be_altered(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	queue_one(f, "1.2.3.1");
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE ledger SET note = 'x'", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM ledger", NULL, NULL, NULL),
			 SQLITE_CONSTRAINT);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_untouched_store_is_whole),
		test(the_chain_goes_on_after_a_restart),
		test(the_chain_goes_on_after_what_was_taken_back),
		test(the_head_changes_with_every_row),
		test(any_altered_field_is_found),
		test(a_document_that_became_another_is_found),
		test(a_row_taken_out_of_the_middle_is_found),
		test(a_last_row_cut_off_leaves_its_document_astray),
		test(a_state_changed_without_a_row_is_found),
		test(a_body_without_a_document_is_found),
		test(an_act_stands_in_the_chain_with_who_did_it),
		test(what_people_did_is_told_of_acts_and_orders_alike),
		test(the_trail_is_the_chain_in_order),
		test(it_is_known_how_far_the_trail_was_forwarded),
		test(an_altered_act_is_found),
		test(an_act_taken_out_is_found),
		test(imported_figures_that_were_altered_are_found),
		test(the_chain_goes_on_behind_an_act_after_a_restart),
		test(the_ledger_itself_refuses_to_be_altered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
