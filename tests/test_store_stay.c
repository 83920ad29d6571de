/* Stays in the store: their numbers, who has left without a letter, and the documents that are held because
 * their stay is one to be discreet about.
 */
#include "queue/store_stay.h"

#include <sqlite3.h>

#include "queue/store_count.h"
#include "store_fixture.h"

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

static const char site[] = "990012345", other_site[] = "2A0000014";

static struct store_stay about(struct fixture *f, const char *number)
{
	return (struct store_stay){
		.lane = lane,
		.number = number,
		.said_ms = f->now_ms,
		.exists = STORE_SAID_YES,
		.has_place = true,
		.site = site,
		.unit = "UF12",
		.field = "MCO",
		.counts = STORE_SAID_YES,
		.now_ms = f->now_ms,
	};
}

static void note(struct fixture *f, const struct store_stay *stay)
{
	ok(store_begin(f->store, &err));
	ok(store_note_stay(f->store, stay, &err));
	ok(store_commit(f->store, &err));
}

static void leaves(struct fixture *f, const char *number, int days_ago)
{
	struct store_stay stay = about(f, number);

	stay.start_ms = f->now_ms - 30 * (int64_t)DAY_MS;
	stay.ended = STORE_SAID_YES;
	stay.end_ms = f->now_ms - days_ago * (int64_t)DAY_MS;
	note(f, &stay);
}

/* ---- without a letter ---- */

static const char *const letters[] = { "11490-0", "11504-8" };

static void add_stay(void *arg, const struct store_letterless_stay *stay)
{
	buf_addf(arg, "%s %s %s %s%s%s%s%s\n", stay->number ? stay->number : "?", stay->site,
		 stay->unit, stay->field, stay->is_discreet ? " discreet" : "",
		 stay->letter_state[0] ? " " : "", stay->letter_state,
		 stay->letter_reason[0] ? stay->letter_reason : "");
}

static void assert_letterless(struct fixture *f, struct store_letterless asked,
			      const char *expected)
{
	scoped(buf_done) struct buf said = { 0 };

	asked.types = letters;
	asked.type_count = length_of(letters);
	asked.limit = asked.limit ? asked.limit : 100;
	asked.until_ms = asked.until_ms ? asked.until_ms : f->now_ms;
	asked.site = asked.site ? asked.site : "";
	buf_add_text(&said, "");
	ok(store_list_letterless(f->store, &asked, add_stay, &said, &err));
	assert_string_equal(said.p, expected);
}

/* What the tally would have made of it. */
static void accept(struct fixture *f, const char *number, const char *type, int64_t deleted_ms)
{
	static int64_t root;
	struct store_arrival one = arrival(f, "", "body");
	scoped(buf_done) struct buf unique_id = { 0 };
	sqlite3 *db;
	char *insert;

	buf_addf(&unique_id, "1.2.999.%lld", (long long)++root);
	one.unique_id = unique_id.p;
	one.type_code = type;
	one.facts.stay = number;
	one.state = DOC_CANCELLED; /* only its key is wanted */
	take_in(f, &one);
	insert = xasprintf(
		"INSERT INTO acceptance SELECT seq, seq, 'submit', lane, site, '', '', '', "
		"type_code,"
		" 'DMP', 'ACCEPTED', 1, 1, 1, 1, stay, NULL, 0, 1, 0, 1, 0, %lld FROM document"
		" WHERE unique_id = '%s'; DELETE FROM body WHERE seq = (SELECT max(seq) FROM "
		"document);",
		(long long)deleted_ms, one.unique_id);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, insert, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	free(insert);
}

static void who_left_without_a_letter_is_told(void **state)
{
	struct fixture *f = *state;
	struct store_stay stay;
	struct store_arrival waiting = arrival(f, "1.2.3", "body");

	leaves(f, "LETTER", 10);
	leaves(f, "DELETED", 9);
	leaves(f, "OTHER-TYPE", 8);
	leaves(f, "NOTHING", 3);
	leaves(f, "TODAY", 0);
	accept(f, "LETTER", "11490-0", 0);
	accept(f, "DELETED", "11490-0", 5);
	accept(f, "OTHER-TYPE", "11502-2", 0);
	stay = about(f, "CANCELLED");
	stay.ended = STORE_SAID_YES;
	stay.end_ms = f->now_ms - DAY_MS;
	stay.exists = STORE_SAID_NO;
	note(f, &stay);
	stay = about(f, "EXTERNAL");
	stay.ended = STORE_SAID_YES;
	stay.end_ms = f->now_ms - DAY_MS;
	stay.counts = STORE_SAID_NO;
	note(f, &stay);
	stay = about(f, "GOES-ON");
	note(f, &stay);
	waiting.facts.stay = "NOTHING";
	waiting.state = DOC_HELD;
	waiting.reason = REASON_INS_NOT_QUALIFIED;
	take_in(f, &waiting);

	assert_letterless(f, (struct store_letterless){ 0 },
			  "DELETED 990012345 UF12 MCO cancelled\n"
			  "OTHER-TYPE 990012345 UF12 MCO\n"
			  "NOTHING 990012345 UF12 MCO heldins_not_qualified\n"
			  "TODAY 990012345 UF12 MCO\n");
	assert_letterless(f,
			  (struct store_letterless){ .until_ms = f->now_ms - DAY_MS, .limit = 2 },
			  "DELETED 990012345 UF12 MCO cancelled\nOTHER-TYPE 990012345 UF12 MCO\n");
	assert_letterless(f, (struct store_letterless){ .from_ms = f->now_ms - DAY_MS },
			  "TODAY 990012345 UF12 MCO\n");
	assert_letterless(f, (struct store_letterless){ .site = other_site }, "");
}

static void add_site(void *arg, const char *of, uint64_t stays)
{
	buf_addf(arg, "%s %llu\n", of, (unsigned long long)stays);
}

static void they_are_counted_by_the_site_of_today(void **state)
{
	static const struct store_alias alias = { site, other_site };
	struct store_letterless asked = { .types = letters, .type_count = 2, .site = "" };
	scoped(buf_done) struct buf said = { 0 };
	struct fixture *f = *state;

	leaves(f, "V1", 2);
	leaves(f, "V2", 3);
	ok(store_begin(f->store, &err));
	ok(store_note_aliases(f->store, &alias, 1, &err));
	ok(store_commit(f->store, &err));
	asked.until_ms = f->now_ms;
	ok(store_count_letterless(f->store, &asked, add_site, &said, &err));
	assert_string_equal(said.p, "2A0000014 2\n");
	assert_letterless(f, (struct store_letterless){ .site = other_site },
			  "V2 2A0000014 UF12 MCO\nV1 2A0000014 UF12 MCO\n");
}

/* ---- the number ---- */

static size_t seen_in_file(struct fixture *f, const char *text)
{
	char path[128], bytes[4 << 20];
	size_t n, seen = 0;
	FILE *file;

	store_free(&f->store); /* which brings the log into the file */
	snprintf(path, sizeof(path), "%s", f->path);
	file = fopen(path, "r");
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (const char *p = bytes;
	     (p = memmem(p, n - (size_t)(p - bytes), text, strlen(text))) != NULL; p++)
		seen++;
	open_store(f);
	return seen;
}

static void a_number_is_in_clear_once_and_only_where_nothing_is_encrypted(void **state)
{
	static const char key[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	static const char other[] =
		"ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct keyring *keyring = NULL, *without = NULL;
	struct fixture *f = *state;
	struct store_arrival one = arrival(f, "1.2.3", "body");

	leaves(f, "NUMBER-OF-A-STAY", 2);
	one.facts.stay = "NUMBER-OF-A-STAY";
	take_in(f, &one);
	assert_int_equal(seen_in_file(f, "NUMBER-OF-A-STAY"), 1);

	ok(keyring_read(&keyring, slice_of(key), &err));
	ok(keyring_read(&without, slice_of(other), &err));
	store_free(&f->store);
	f->settings.keys = keyring;
	open_store(f);
	leaves(f, "NUMBER-OF-A-STAY", 2);
	assert_letterless(f, (struct store_letterless){ 0 },
			  "NUMBER-OF-A-STAY 990012345 UF12 MCO queued\n");
	assert_int_equal(seen_in_file(f, "NUMBER-OF-A-STAY"), 0);
	store_free(&f->store);
	f->settings.keys = without;
	open_store(f);
	assert_letterless(f, (struct store_letterless){ 0 }, "? 990012345 UF12 MCO queued\n");
	store_free(&f->store);
	keyring_free(&keyring);
	keyring_free(&without);
}

/* ---- discretion ---- */

static struct store_receipt document(struct fixture *f, const char *unique_id, const char *stay)
{
	struct store_arrival one = arrival(f, unique_id, "body");

	one.facts.stay = stay;
	return take_in(f, &one);
}

static void keep_row(void *arg, const struct store_row *row)
{
	buf_addf(arg, "%s %s", doc_state_text(row->state), reason_row(row->reason)->code);
}

static void ignore_event(void *arg, const struct store_event *event)
{
	(void)arg;
	(void)event;
}

static void assert_stands(struct fixture *f, struct ulid doc, const char *expected)
{
	scoped(buf_done) struct buf said = { 0 };

	ok(store_show(f->store, &doc, keep_row, ignore_event, &said, &err));
	assert_string_equal(said.p, expected);
}

static void be_discreet(struct fixture *f, const char *number, struct store_discretion why)
{
	struct store_stay stay = about(f, number);

	stay.discretion = why;
	note(f, &stay);
}

static const struct store_discretion by_unit = { .unit = true },
				     by_flag = { .flag = STORE_FLAG_DISCREET },
				     open_flag = { .flag = STORE_FLAG_OPEN };

static struct store_ordered order(struct fixture *f, enum order which, struct ulid doc, bool force)
{
	const struct store_order order = {
		.doc = doc, .order = which, .force = force, .actor = "root (0)", .now_ms = f->now_ms
	};
	struct store_ordered ordered;

	ok(store_begin(f->store, &err));
	ok(store_order(f->store, &order, &ordered, &err));
	ok(store_commit(f->store, &err));
	return ordered;
}

static void documents_of_a_discreet_stay_wait_for_a_person(void **state)
{
	struct fixture *f = *state;
	struct ulid before = document(f, "1.2.1", "V1").doc, elsewhere, after;

	be_discreet(f, "V1", by_flag);
	assert_stands(f, before, "held sensitive_stay"); /* it was queued */
	elsewhere = document(f, "1.2.2", "V2").doc;
	assert_stands(f, elsewhere, "queued ");
	after = document(f, "1.2.3", "V1").doc;
	assert_stands(f, after, "held sensitive_stay");
	assert_int_equal(order(f, ORDER_RELEASE, after, false).to, DOC_QUEUED);
	be_discreet(f, "V1", by_flag); /* said again */
	assert_stands(f, after, "queued ");
	assert_stands(f, before, "held sensitive_stay");
}

static void a_flag_may_be_taken_back_and_a_unit_not(void **state)
{
	struct fixture *f = *state;

	be_discreet(f, "V1", by_flag);
	f->now_ms += HOUR_MS;
	be_discreet(f, "V1", open_flag);
	assert_int_equal(document(f, "1.2.1", "V1").state, DOC_QUEUED);
	f->now_ms -= HOUR_MS;
	be_discreet(f, "V1", by_flag); /* late: it was said before */
	f->now_ms += HOUR_MS;
	assert_int_equal(document(f, "1.2.2", "V1").state, DOC_QUEUED);
	be_discreet(f, "V1", by_unit);
	f->now_ms += HOUR_MS;
	be_discreet(f, "V1", open_flag); /* elsewhere by now */
	be_discreet(f, "V1", (struct store_discretion){ 0 });
	assert_int_equal(document(f, "1.2.3", "V1").reason, REASON_SENSITIVE_STAY);
}

static void a_document_makes_its_stay_discreet(void **state)
{
	struct fixture *f = *state;
	struct ulid before = document(f, "1.2.1", "V1").doc;
	struct store_arrival one = arrival(f, "1.2.2", "body");

	one.facts.stay = "V1";
	one.discretion = by_flag;
	assert_int_equal(take_in(f, &one).reason, REASON_SENSITIVE_STAY);
	assert_stands(f, before, "held sensitive_stay");
	assert_int_equal(document(f, "1.2.3", "V1").reason, REASON_SENSITIVE_STAY);
	one = arrival(f, "1.2.4", "body");
	one.facts.stay = "V1";
	one.discretion = open_flag; /* an application that knows nothing of it takes none back */
	assert_int_equal(take_in(f, &one).reason, REASON_SENSITIVE_STAY);

	one = arrival(f, "1.2.5", "body"); /* by its type: it says nothing of the stay */
	one.facts.stay = "V2";
	one.is_discreet = true;
	assert_int_equal(take_in(f, &one).reason, REASON_SENSITIVE_STAY);
	assert_int_equal(document(f, "1.2.6", "V2").state, DOC_QUEUED);
	one = arrival(f, "1.2.7", "body"); /* nor is a stay needed */
	one.discretion = by_unit;
	assert_int_equal(take_in(f, &one).reason, REASON_SENSITIVE_STAY);
}

/* Whatever lets it go: its time, its patient, its predecessor. */
static void nothing_but_a_person_lets_it_go(void **state)
{
	struct fixture *f = *state;
	struct store_arrival timed = arrival(f, "1.2.1", "body"),
			     unqualified = arrival(f, "1.2.2", "body"),
			     opposed = arrival(f, "1.2.3", "body");
	struct store_choice choice = { .ins = "279035121518989",
				       .ins_oid = "1.2.250.1.213.1.4.10",
				       .feeding = STORE_OPPOSED,
				       .chosen_ms = f->now_ms,
				       .now_ms = f->now_ms };
	struct store_noted noted;
	size_t released = 0;

	be_discreet(f, "V1", by_unit);
	timed.facts.stay = unqualified.facts.stay = opposed.facts.stay = "V1";
	timed.state = unqualified.state = DOC_HELD;
	timed.reason = REASON_POLICY_HOLD;
	timed.release_ms = f->now_ms;
	unqualified.reason = REASON_INS_NOT_QUALIFIED;
	opposed.ins = choice.ins;
	opposed.ins_oid = choice.ins_oid;
	ok(store_begin(f->store, &err));
	ok(store_note_choice(f->store, &choice, &noted, &err));
	ok(store_commit(f->store, &err));
	take_in(f, &timed);
	take_in(f, &unqualified);
	assert_int_equal(take_in(f, &opposed).reason, REASON_PATIENT_OPPOSED);

	choice.feeding = STORE_NOT_OPPOSED;
	choice.chosen_ms++;
	ok(store_begin(f->store, &err));
	ok(store_release_due(f->store, f->now_ms, 10, &released, &err));
	ok(store_note_choice(f->store, &choice, &noted, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(released, 1);
	assert_stands(f, timed.doc, "held sensitive_stay");
	assert_stands(f, opposed.doc, "held sensitive_stay");
	assert_stands(f, unqualified.doc, "held ins_not_qualified");
	/* who releases it for the identity does not know of the stay */
	assert_int_equal(order(f, ORDER_RELEASE, timed.doc, false).to, DOC_QUEUED);
	assert_non_null(order(f, ORDER_RELEASE, unqualified.doc, false).refusal);
	assert_int_equal(order(f, ORDER_RELEASE, unqualified.doc, true).to, DOC_QUEUED);
}

static void who_releases_it_for_something_else_has_not_looked(void **state)
{
	struct fixture *f = *state;
	struct store_arrival one = arrival(f, "1.2.1", "body");

	one.facts.stay = "V1";
	one.state = DOC_HELD;
	one.reason = REASON_POLICY_HOLD;
	take_in(f, &one);
	be_discreet(f, "V1", by_unit);
	assert_int_equal(order(f, ORDER_RELEASE, one.doc, false).reason, REASON_SENSITIVE_STAY);
	assert_stands(f, one.doc, "held sensitive_stay");
	assert_int_equal(order(f, ORDER_RELEASE, one.doc, false).to, DOC_QUEUED);
	assert_stands(f, one.doc, "queued ");
}

static void what_is_being_sent_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	int64_t next_ms;
	struct ulid doc = document(f, "1.2.1", "V1").doc;
	struct store_outcome failed;

	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	be_discreet(f, "V1", by_unit);
	assert_stands(f, doc, "sending ");
	failed = outcome(f, doc, DOC_QUEUED);
	failed.reason = REASON_RETRYING;
	settle(f, &failed);
	assert_stands(f, doc, "held sensitive_stay");
}

static void nor_is_it_after_a_kill(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	int64_t next_ms;
	struct ulid doc = document(f, "1.2.1", "V1").doc;
	struct store_recovered found;

	assert_int_equal(claim(f, 4, due, &next_ms), 1);
	be_discreet(f, "V1", by_unit);
	ok(store_begin(f->store, &err));
	ok(store_recover(f->store, f->now_ms, &found, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(found.claimed, 1);
	assert_stands(f, doc, "held sensitive_stay");
}

static void a_deletion_goes(void **state)
{
	struct fixture *f = *state;
	struct store_arrival one = arrival(f, "1.2.1", "body");

	be_discreet(f, "V1", by_unit);
	one.facts.stay = "V1";
	one.action = "delete";
	assert_int_equal(take_in(f, &one).state, DOC_QUEUED);
}

/* ---- counting and forgetting ---- */

static void add_number(void *arg, const struct store_number *number)
{
	buf_addf(arg, "%s %lld/%lld\n", number->site, (long long)number->discreet,
		 (long long)number->n);
}

static void discreet_stays_are_counted_and_flagged(void **state)
{
	struct fixture *f = *state;
	const struct store_ended asked = { .to_ms = f->now_ms + DAY_MS, .adt_only = true };
	scoped(buf_done) struct buf said = { 0 };

	leaves(f, "V1", 2);
	leaves(f, "V2", 1);
	leaves(f, "V3", 1);
	be_discreet(f, "V2", by_flag);
	ok(store_stays_ended(f->store, &asked, add_number, &said, &err));
	assert_string_equal(said.p, "990012345 0/1\n990012345 1/2\n");
	leaves(f, "V3", 0);
	assert_letterless(f, (struct store_letterless){ .limit = 2 },
			  "V1 990012345 UF12 MCO\nV2 990012345 UF12 MCO discreet\n");
}

static int forget(struct fixture *f, int64_t before_ms)
{
	int more = 1, rounds = -1;

	for (; more > 0; rounds++) {
		ok(store_begin(f->store, &err));
		ok(more = store_forget_stays(f->store, before_ms, 1, &err));
		ok(store_commit(f->store, &err));
	}
	return rounds;
}

static void old_stays_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct store_stay goes_on = about(f, "V4");

	leaves(f, "V1", 100);
	leaves(f, "V2", 100);
	be_discreet(f, "V2", by_flag);
	note(f, &goes_on);
	goes_on.number = "V5";
	goes_on.discretion = by_flag;
	note(f, &goes_on);
	assert_int_equal(forget(f, f->now_ms), 0); /* something was said of all of them just now */
	f->now_ms += DAY_MS;
	leaves(f, "V3", 2);
	assert_int_equal(forget(f, f->now_ms), 4); /* V1, V2 and its discretion, V4 */
	assert_letterless(f, (struct store_letterless){ 0 }, "V3 990012345 UF12 MCO\n");
	assert_int_equal(document(f, "1.2.1", "V5").reason, REASON_SENSITIVE_STAY);
}

static void a_stay_without_a_number_is_not_noted(void **state)
{
	struct fixture *f = *state;
	const struct store_stay nobody = about(f, "");
	struct err err = { 0 };

	assert_int_equal(store_note_stay(f->store, &nobody, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(who_left_without_a_letter_is_told),
		test(they_are_counted_by_the_site_of_today),
		test(a_number_is_in_clear_once_and_only_where_nothing_is_encrypted),
		test(documents_of_a_discreet_stay_wait_for_a_person),
		test(a_flag_may_be_taken_back_and_a_unit_not),
		test(a_document_makes_its_stay_discreet),
		test(nothing_but_a_person_lets_it_go),
		test(who_releases_it_for_something_else_has_not_looked),
		test(what_is_being_sent_is_not_tried_again),
		test(nor_is_it_after_a_kill),
		test(a_deletion_goes),
		test(discreet_stays_are_counted_and_flagged),
		test(old_stays_are_forgotten),
		test(a_stay_without_a_number_is_not_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
