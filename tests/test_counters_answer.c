/* What is counted, for whoever asks: the JSON, and the questions that are refused. */
#include "operator/counters_answer.h"
#include "store_fixture.h"

static struct count_cell cell(const char *site, enum count_outcome outcome, int day, int64_t n)
{
	return (struct count_cell){ .lane = lane,
				    .site = site,
				    .field = "MCO",
				    .type_code = "11490-0",
				    .channel = COUNT_CHANNEL_DMP,
				    .outcome = outcome,
				    .day = day,
				    .n = n };
}

/* Two sites, of which one was renumbered; a day with three outcomes and one without an acceptance. */
static void count_some(struct fixture *f)
{
	static const struct store_alias aliases[] = { { "010003720", "2A0000014" } };
	const struct count_cell cells[] = {
		cell("010003720", COUNT_ACCEPTED, 20261101, 3),
		cell("010003720", COUNT_ACCEPTED_RECONCILED, 20261101, 1),
		cell("010003720", COUNT_REPLACED_OK, 20261101, 2),
		cell("010003720", COUNT_DELETED_OK, 20261102, 1),
		cell("2A0000014", COUNT_RECEIVED, 20261102, 5),
		cell("2A0000014", COUNT_ACCEPTED, 20261201, 7),
	};
	const struct count_changes changes = { .cells = cells, .cell_count = length_of(cells) };
	struct store_tally now;
	int applied = 0;

	ok(store_tally_now(f->store, &now, &err));
	ok(store_begin(f->store, &err));
	ok(applied = store_tally_apply(f->store, &now, &changes, &err));
	ok(store_note_aliases(f->store, aliases, 1, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(applied, 1);
}

#define NUMBER(site, current, day, outcome, n)                                                     \
	"{\"finess_ej\":\"990000987\",\"finess_eg\":\"" site "\",\"current\":" current             \
	",\"field\":\"MCO\",\"type_code\":\"11490-0\",\"channel\":\"DMP\"," day                    \
	",\"outcome\":\"" outcome "\",\"n\":" n "}"
#define SUMS(site, current, day, unique, gross, net)                                               \
	"{\"finess_ej\":\"990000987\",\"finess_eg\":\"" site "\",\"current\":" current             \
	",\"field\":\"MCO\",\"type_code\":\"11490-0\",\"channel\":\"DMP\"," day                    \
	",\"accepted_unique\":" unique ",\"accepted_gross\":" gross ",\"accepted_net\":" net "}"

static void numbers_and_sums_are_told(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf out = { 0 };

	count_some(f);
	ok(counters_answer(f->store, slice_of("from=2026-11-01&to=2026-11-30"), &out, &err));
	assert_string_equal(
		out.p, "{\"from\":\"2026-11-01\",\"to\":\"2026-11-30\",\"by\":\"day\","
		       "\"counted_until\":null,\"behind\":0,\"complete\":true,\"truncated\":false,"
		       "\"counters\":[" /* */
		NUMBER("010003720", "\"2A0000014\"", "\"day\":\"2026-11-01\"", "ACCEPTED",
		       "3") "," /* */
		NUMBER("010003720", "\"2A0000014\"", "\"day\":\"2026-11-01\"",
		       "ACCEPTED_RECONCILED", "1") "," /* */
		NUMBER("010003720", "\"2A0000014\"", "\"day\":\"2026-11-01\"", "REPLACED_OK",
		       "2") "," NUMBER("010003720", "\"2A0000014\"", "\"day\":\"2026-11-02\"",
				       "DELETED_OK", "1") "," NUMBER("2A0000014", "null",
								     "\"day\":\"2026-11-02\"",
								     "RECEIVED",
								     "5") "],"
									  "\"accepted\":[" /* */
		SUMS("010003720", "\"2A0000014\"", "\"day\":\"2026-11-01\"", "4", "6",
		     "4") "," /* */
		SUMS("010003720", "\"2A0000014\"", "\"day\":\"2026-11-02\"", "0", "0", "-1") "]}");
}

static void months_are_told_too(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf out = { 0 };

	count_some(f);
	ok(counters_answer(f->store, slice_of("from=2026-12-05&to=2026-12-06&by=month"), &out,
			   &err));
	assert_non_null(
		strstr(out.p, "{\"from\":\"2026-12\",\"to\":\"2026-12\",\"by\":\"month\","));
	assert_non_null(strstr(
		out.p, NUMBER("2A0000014", "null", "\"month\":\"2026-12\"", "ACCEPTED", "7")));
	assert_non_null(
		strstr(out.p, SUMS("2A0000014", "null", "\"month\":\"2026-12\"", "7", "7", "7")));
}

static void what_is_not_counted_yet_is_said(void **state)
{
	struct fixture *f = *state;
	scoped(buf_done) struct buf out = { 0 };

	queue_one(f, "1.2.3");
	ok(counters_answer(f->store, slice_of(""), &out, &err));
	assert_non_null(strstr(out.p, "\"behind\":1,\"complete\":false,"));
	ok(store_begin(f->store, &err));
	ok(store_tally_again(f->store, "root (0)", f->now_ms, &err));
	ok(store_commit(f->store, &err));
	buf_clear(&out);
	ok(counters_answer(f->store, slice_of(""), &out, &err));
	assert_non_null(strstr(out.p, "\"complete\":false,"));
}

static void a_wrong_question_is_refused(void **state)
{
	static const struct {
		const char *query, *sentence;
	} cases[] = {
		{ "from=2026-11-31", "from takes a day like 2026-11-22, not '2026-11-31'" },
		{ "to=tomorrow", "to takes a day like" },
		{ "from=2026-11-02&to=2026-11-01", "from is later than to" },
		{ "by=week", "by takes day or month, not 'week'" },
		{ "since=2026-11-01", "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf out = { 0 };
		struct err err = { 0 };

		assert_int_equal(counters_answer(f->store, slice_of(cases[i].query), &out, &err),
				 -1);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_non_null(strstr(err.text, cases[i].sentence));
		assert_int_equal(out.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(numbers_and_sums_are_told),
		test(months_are_told_too),
		test(what_is_not_counted_yet_is_said),
		test(a_wrong_question_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
