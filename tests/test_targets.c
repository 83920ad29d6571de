/* The files of targets: those that are shipped, the example of the specification, every kind of
 * threshold, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "near.h"
#include "status/targets.h"

static struct targets *parsed_bytes(struct slice bytes)
{
	const struct target_file file = { "t.yaml", bytes };
	scoped(buf_done) struct buf errors = { 0 };
	struct targets *targets = NULL;

	if (targets_parse(&targets, &file, 1, &errors) < 0)
		fail_msg("%s", buf_slice(&errors).p);
	return targets;
}

static struct targets *parsed(const char *text)
{
	return parsed_bytes(slice_of(text));
}

static void expect_errors(const char *text, const char *expected)
{
	const struct target_file file = { "t.yaml", slice_of(text) };
	scoped(buf_done) struct buf errors = { 0 };
	struct targets *targets = NULL;

	assert_int_equal(targets_parse(&targets, &file, 1, &errors), -1);
	assert_null(targets);
	assert_string_equal(buf_slice(&errors).p, expected);
}

/* ---- files ---- */

static void what_is_no_yaml_is_told(void **state)
{
	(void)state;
	expect_errors("schema: [usage-targets/1\nprogrammes:\n",
		      "t.yaml:2:11: YAML cannot be read from here on (while parsing a flow "
		      "sequence, did not find expected ',' or ']'): check the indentation, the "
		      "quotes and the colons\n");
}

static struct slice read_shipped(const char *name, struct buf *ret_bytes)
{
	scoped(free_ptr) char *path =
		xasprintf("%s/conf/targets/%s", getenv("DMPFEED_SOURCE"), name);
	FILE *file = fopen(path, "re");
	char *room = buf_reserve(ret_bytes, 65536);

	assert_non_null(file);
	ret_bytes->n = fread(room, 1, 65536, file);
	fclose(file);
	return buf_slice(ret_bytes);
}

static void shipped_files_go_together(void **state)
{
	static const char *const names[] = { "hopen2.yaml", "interne.yaml", "sun-es.yaml" };
	struct target_file files[length_of(names)];
	struct buf bytes[length_of(names)] = { 0 };
	scoped(buf_done) struct buf errors = { 0 };
	scoped(targets_free) struct targets *targets = NULL;

	(void)state;
	for (size_t i = 0; i < length_of(names); i++)
		files[i] = (struct target_file){ names[i], read_shipped(names[i], &bytes[i]) };
	if (targets_parse(&targets, files, length_of(names), &errors) < 0)
		fail_msg("%s", buf_slice(&errors).p);
	assert_int_equal(targets->programme_count, 3);
	assert_string_equal(targets->programmes[0].id, "hopen2-p1");
	assert_string_equal(targets->programmes[2].file, "sun-es.yaml");
	assert_true(targets->programmes[2].closed);
	assert_string_equal(targets->programmes[2].rollover, "next_window_amount");
	assert_int_equal(targets->programmes[2].window_count, 4);
	assert_int_equal(targets->programmes[0].windows[0].start, 20240725);
	assert_int_equal(targets->programmes[0].windows[0].end, TARGETS_NO_END);
	/* two files name the stays: they are the same */
	assert_int_equal(targets->denominator_count, 3);
	assert_ptr_equal(targets->programmes[0].indicators[0].denominator,
			 targets->programmes[2].indicators[0].denominator);
	assert_string_equal(targets->alerts_file, "interne.yaml");
	for (size_t i = 0; i < length_of(names); i++)
		buf_done(&bytes[i]);
}

/* No threshold that nobody has printed. */
static void shipped_thresholds_are_sourced(void **state)
{
	static const char *const names[] = { "hopen2.yaml", "sun-es.yaml" };
	size_t valued = 0;

	(void)state;
	for (size_t i = 0; i < length_of(names); i++) {
		scoped(buf_done) struct buf bytes = { 0 };
		scoped(targets_free) struct targets *targets =
			parsed_bytes(read_shipped(names[i], &bytes));
		const struct target_programme *programme = &targets->programmes[0];

		for (size_t j = 0; j < programme->indicator_count; j++) {
			const struct target_threshold *threshold =
				&programme->indicators[j].threshold;

			assert_true(threshold->source[0] != '\0');
			assert_int_equal(threshold->status, TARGET_TO_CONFIRM);
			valued += threshold->has_value;
		}
	}
	assert_int_equal(valued, 1);
}

/* ---- what is read ---- */

#define HEAD                                                                                       \
	"schema: usage-targets/1\n"                                                                \
	"document_types:\n"                                                                        \
	"  ll: {type_codes: [\"11490-0\", \"11490-1\"]}\n"                                         \
	"  cro: {type_codes: [\"34874-8\", \"11490-0\"]}\n"                                        \
	"  autre: {type_codes: []}\n"                                                              \
	"groups:\n"                                                                                \
	"  sortie: [ll, cro]\n"                                                                    \
	"denominators:\n"                                                                          \
	"  sejours: {source: dim_import, file: sejours.csv, unit: stay, exclude: [seances]}\n"     \
	"  rangs: {source: manual}\n"                                                              \
	"programmes:\n"                                                                            \
	"- id: p\n"                                                                                \
	"  windows: [{id: w, start: 2026-01-01, end: 2026-06-30, status: internal}]\n"             \
	"  indicators:\n"

/* Line 15 is the first below it. */
#define DOCUMENTS "numerator: {aggregate: documents}"

static void an_indicator_with_everything(void **state)
{
	scoped(targets_free) struct targets *targets = parsed(
		HEAD "  - id: a\n"
		     "    label: Séjours\n"
		     "    level: finess_ej\n"
		     "    scope: {champ: [MCO, HAD], finess_eg: [\"010003720\", "
		     "\"2A0000014\"], finess_ej: [\"010000001\"]}\n"
		     "    applies_if: {own_plateau: imagerie}\n"
		     "    numerator:\n"
		     "      aggregate: distinct_stays\n"
		     "      channel: [DMP, MSS_PS]\n"
		     "      types: {group: sortie}\n"
		     "      outcomes: [ACCEPTED]\n"
		     "      require: {ins_qualified: true, max_delay_hours_after_stay_end: 24}\n"
		     "      date_basis: stay_end\n"
		     "      net_of_deletions: true\n"
		     "      share_across_transfers: true\n"
		     "      late_grace_days: 30\n"
		     "    denominator: sejours\n"
		     "    threshold: {kind: ratio, op: \">=\", value: 0.7, status: official, "
		     "source: annexe}\n"
		     "    margin: 0.02\n"
		     "    amount_eur: 15000\n");
	const struct target_indicator *a = &targets->programmes[0].indicators[0];

	(void)state;
	assert_string_equal(a->label, "Séjours");
	assert_true(a->by_entity);
	assert_int_equal(a->fields.count, 2);
	assert_string_equal(a->sites.list[0], "010003720");
	assert_string_equal(a->sites.list[1], "2A0000014");
	assert_string_equal(a->lanes.list[0], "010000001");
	assert_string_equal(a->plateau, "imagerie");
	assert_int_equal(a->numerator.aggregate, AGGREGATE_STAYS);
	assert_int_equal(a->numerator.channels, CHANNEL_DMP | CHANNEL_MSS_PS);
	assert_int_equal(a->numerator.outcomes, OUTCOME_ACCEPTED);
	assert_int_equal(a->numerator.types.count, 3); /* each code once */
	assert_true(a->numerator.ins_qualified);
	assert_int_equal(a->numerator.most_delay_hours, 24);
	assert_int_equal(a->numerator.basis, BASIS_STAY_END);
	assert_true(a->numerator.net_of_deletions);
	assert_true(a->numerator.share_across_transfers);
	assert_int_equal(a->numerator.late_grace_days, 30);
	assert_string_equal(a->denominator->id, "sejours");
	assert_string_equal(a->denominator->exclude.list[0], "seances");
	assert_true(a->threshold.has_value);
	assert_near(a->threshold.value, 0.7, 0);
	assert_int_equal(a->threshold.status, TARGET_OFFICIAL);
	assert_near(a->margin, 0.02, 0);
	assert_near(a->amount_eur, 15000, 0);
	assert_string_equal(
		a->definition,
		"p/a: level=finess_ej champ=HAD+MCO finess_eg=010003720+2A0000014 "
		"finess_ej=010000001 own_plateau=imagerie; numerator: distinct_stays "
		"channel=DMP+MSS_PS types=11490-0+11490-1+34874-8 outcomes=ACCEPTED ins_qualified "
		"max_delay_hours_after_stay_end=24 date_basis=stay_end net_of_deletions "
		"share_across_transfers late_grace_days=30; denominator: sejours source=dim_import "
		"unit=stay "
		"exclude=seances; threshold: ratio >= 0.7 status=official margin=0.02");
	assert_int_equal(strlen(a->definition_hash), 64);
}

static void what_is_not_written_has_a_meaning(void **state)
{
	scoped(targets_free) struct targets *targets =
		parsed(HEAD "  - id: a\n"
			    "    " DOCUMENTS "\n"
			    "    denominator: sejours\n"
			    "    threshold: {kind: ratio, value: null, status: to_confirm}\n");
	const struct target_programme *p = &targets->programmes[0];
	const struct target_indicator *a = &p->indicators[0];

	(void)state;
	assert_string_equal(a->label, "a");
	assert_false(a->by_entity);
	assert_true(a->numerator.any_type);
	assert_int_equal(a->numerator.channels, CHANNEL_DMP);
	assert_int_equal(a->numerator.outcomes, OUTCOME_ACCEPTED | OUTCOME_ACCEPTED_RECONCILED);
	assert_int_equal(a->numerator.basis, BASIS_ACCEPTED);
	assert_false(a->threshold.has_value);
	assert_near(p->workdays.weekend, 0.15, 0);
	assert_near(p->workdays.august, 1, 0);
	assert_null(targets->alerts_file);
}

static void every_kind_of_threshold(void **state)
{
	scoped(targets_free) struct targets *targets = parsed(
		HEAD
		"  - {id: count, " DOCUMENTS
		", threshold: {kind: count, op: \">=\", value: 500, per: "
		"month, status: internal}}\n"
		"  - {id: delta, " DOCUMENTS ", threshold: {kind: delta, of: count, value: 100, "
		"reference: {start: 2025-01-01, end: 2025-06-30}, status: internal}}\n"
		"  - {id: tiers, " DOCUMENTS
		", denominator: sejours, threshold: {kind: tiers, of: ratio, "
		"tiers: [{value: 0.5, amount_eur: 10000}, {value: 0.7}], status: internal}}\n"
		"  - {id: rank, denominator: rangs, threshold: {kind: rank, op: \"<=\", value: 10, "
		"status: internal}}\n"
		"  - {id: any, threshold: {kind: any_of, indicators: [count, tiers], status: "
		"internal}}\n"
		"  - {id: all, threshold: {kind: all_of, indicators: [delta, rank], status: "
		"internal}}\n");
	const struct target_indicator *i = targets->programmes[0].indicators;

	(void)state;
	assert_true(i[0].threshold.per_month);
	assert_int_equal(i[1].threshold.reference_end, 20250630);
	assert_int_equal(i[1].threshold.of, KIND_COUNT);
	assert_int_equal(i[2].threshold.tier_count, 2);
	assert_near(i[2].threshold.tiers[0].amount_eur, 10000, 0);
	assert_near(i[2].threshold.value, 0.7, 0);
	assert_true(i[3].threshold.at_most);
	assert_int_equal(i[4].threshold.kind, KIND_ANY_OF);
	assert_string_equal(i[5].threshold.indicators.list[1], "rank");
	assert_string_equal(i[5].definition,
			    "p/all: level=finess_eg; threshold: all_of delta+rank status=internal");
}

static void a_ratio_of_the_same_without_its_condition(void **state)
{
	scoped(targets_free) struct targets *targets = parsed(
		HEAD
		"  - id: a\n"
		"    numerator: {aggregate: documents, types: [ll], require: {ins_qualified: true, "
		"max_delay_hours_after_stay_end: 24}}\n"
		"    denominator: {same_numerator_without: [max_delay_hours_after_stay_end]}\n"
		"    threshold: {kind: ratio, value: 0.8, status: internal}\n");
	const struct target_indicator *a = &targets->programmes[0].indicators[0];

	(void)state;
	assert_true(a->has_same);
	assert_int_equal(a->same.most_delay_hours, 0);
	assert_true(a->same.ins_qualified);
	assert_int_equal(a->numerator.most_delay_hours, 24);
}

static void definitions_differ_when_what_counts_does(void **state)
{
	static const char text[] = HEAD
		"  - {id: a, numerator: {aggregate: documents, types: [%s]}, denominator: sejours, "
		"label: %s, threshold: {kind: ratio, value: %s, status: internal}}\n";
	static const char *const given[][3] = { { "ll, cro", "x", "0.7" },
						{ "cro, ll", "y", "0.70" },
						{ "ll, cro", "x", "0.71" },
						{ "ll", "x", "0.7" } };
	char hashes[length_of(given)][65];

	(void)state;
	for (size_t i = 0; i < length_of(given); i++) {
		scoped(buf_done) struct buf made = { 0 };
		scoped(targets_free) struct targets *targets = NULL;

		buf_addf(&made, text, given[i][0], given[i][1], given[i][2]);
		targets = parsed(made.p);
		strcpy(hashes[i], targets->programmes[0].indicators[0].definition_hash);
	}
	assert_string_equal(hashes[0], hashes[1]); /* the same, in another order */
	assert_string_not_equal(hashes[0], hashes[2]);
	assert_string_not_equal(hashes[0], hashes[3]);
}

static void limits_of_alerts(void **state)
{
	scoped(targets_free) struct targets *targets =
		parsed("schema: usage-targets/1\n"
		       "working_days: {weekend_weight: 0.3, holidays: none}\n"
		       "alerts:\n"
		       "  dmp_absent_rate: {warn: 0.05, crit: 0.10, min_n: 200}\n"
		       "  certificate_days: {warn: 60, crit: 15}\n"
		       "  silence_factor: 3\n");

	(void)state;
	assert_true(targets->alerts.dmp_absent_rate.is_set);
	assert_near(targets->alerts.dmp_absent_rate.crit, 0.1, 0);
	assert_int_equal(targets->alerts.dmp_absent_rate.least, 200);
	assert_near(targets->alerts.certificate_days.warn, 60, 0);
	assert_near(targets->alerts.silence_factor, 3, 0);
	assert_false(targets->alerts.official_gap.is_set);
}

static void no_file_is_no_target(void **state)
{
	scoped(buf_done) struct buf errors = { 0 };
	scoped(targets_free) struct targets *targets = NULL;

	(void)state;
	assert_int_equal(targets_parse(&targets, NULL, 0, &errors), 0);
	assert_int_equal(targets->programme_count, 0);
}

/* ---- what is refused ---- */

static void everything_wrong_is_told_in_one_run(void **state)
{
	(void)state;
	expect_errors(
		"schema: usage-targets/2\n"
		"timezone: UTC\n"
		"working_days: {weekend_weight: 1.5, holidays: fr}\n"
		"document_type: {}\n"
		"document_types: {ll: {type_codes: [\"11490-0\"]}}\n"
		"groups: {g: [ll, lx]}\n"
		"denominators: {d: {source: excel}}\n"
		"alerts: {silence_factor: 0, official_gap: {warn: 0.05, crit: 0.02}}\n",
		"t.yaml:1:9: schema is not usage-targets/1, the form that this dmpfeed reads\n"
		"t.yaml:2:11: timezone is not Europe/Paris, whose days are counted\n"
		"t.yaml:3:32: weekend_weight is not what a day of a weekend brings of a working "
		"day, "
		"between 0 and 1\n"
		"t.yaml:3:47: holidays is one of fr-metropole, none\n"
		"t.yaml:4:1: \"document_type\" is not a key here: known are schema, timezone, "
		"working_days, document_types, groups, denominators, programmes, alerts\n"
		"t.yaml:6:18: \"lx\" is none of the document_types of this file\n"
		"t.yaml:7:28: source is one of dim_import, adt, produced, manual\n"
		"t.yaml:8:26: silence_factor is not a number from 1 on: times the usual gap "
		"between "
		"two documents\n"
		"t.yaml:8:43: official_gap would be critical before it warns: crit is not below "
		"warn\n");
}

/* One line each, with what is wrong in it; %s is put in front of each expectation. */
static const struct {
	const char *line, *error;
} indicators[] = {
	{ "{id: a, threshold: {kind: ratio, value: 0.7, status: internal}}",
	  "15:5: a is a ratio: it needs numerator and denominator\n" },
	{ "{id: a, " DOCUMENTS ", denominator: sejours, threshold: {kind: count, value: 7, status: "
	  "internal}}",
	  "15:5: a is a count: it needs a numerator, and is divided by nothing\n" },
	{ "{id: a, " DOCUMENTS ", denominator: sejour, threshold: {kind: ratio, value: 7, status: "
	  "internal}}",
	  "15:61: \"sejour\" is none of the denominators of this file\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: count, status: internal}}",
	  "15:48: value is missing: a number like 0.70; null while nobody knows it\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: count, value: seven, status: internal}}",
	  "15:80: value is not a number like 0.70; null while nobody knows it\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: count, value: 7, status: sure}}",
	  "15:91: status is one of to_confirm, official, internal\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: cuont, value: 7, status: internal}}",
	  "15:66: kind is one of ratio, count, delta, all_of, any_of, tiers, rank\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: count, value: 7, status: internal, reference: "
	  "{}}}",
	  "15:101: \"reference\" is not a key here: known are kind, status, source, op, value, "
	  "per\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: tiers, of: count, tiers: [{value: 7}, {value: "
	  "6}], status: internal}}",
	  "15:104: tiers rise: this one is not above the one before it\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: tiers, of: count, tiers: [{value: 9}, {value: "
	  "7}], status: internal}}",
	  "15:104: tiers rise: this one is not above the one before it\n" },
	{ "{id: a, " DOCUMENTS ", threshold: {kind: tiers, of: count, tiers: [{value: 7}, {value: "
	  "9}], op: \"<=\", status: internal}}",
	  "15:104: tiers of \"<=\" fall: this one is not below the one before it\n" },
	{ "{id: a, " DOCUMENTS ", denominator: sejours, threshold: {kind: rank, value: 7, status: "
	  "internal}}",
	  "15:5: a is a rank, which is imported: name its figures (source: manual) as denominator, "
	  "and no numerator\n" },
	{ "{id: a, numerator: {aggregate: documents, share_across_transfers: true}, threshold: "
	  "{kind: count, value: 7, status: internal}}",
	  "15:24: share_across_transfers is about stays: aggregate is distinct_stays with it\n" },
	{ "{id: a, threshold: {kind: all_of, indicators: [b], status: internal}}",
	  "15:5: a names b, which is no indicator of this programme that is counted\n" },
	{ "{id: a, " DOCUMENTS ", denominator: {same_numerator_without: [ins_qualified]}, "
	  "threshold: {kind: ratio, value: 1, status: internal}}",
	  "15:87: the numerator requires nothing of that name: it is one of the keys below its "
	  "require\n" },
	{ "{id: a, scope: {champ: [MCO, MCA]}, " DOCUMENTS ", threshold: {kind: count, value: 7, "
	  "status: internal}}",
	  "15:34: an entry of champ is one of MCO, SMR, PSY, HAD, DIALYSE, EHPAD\n" },
	{ "{id: a b, " DOCUMENTS ", threshold: {kind: count, value: 7, status: internal}}",
	  "15:10: id is a name of letters, digits, - _ . (64 at most)\n" },
};

static void indicators_that_make_no_sense(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(indicators); i++) {
		scoped(free_ptr) char *text = xasprintf("%s  - %s\n", HEAD, indicators[i].line);
		scoped(free_ptr) char *error = xasprintf("t.yaml:%s", indicators[i].error);

		expect_errors(text, error);
	}
}

/* YAML 1.1 reads 010003720 as the octal number 2099152. */
static void a_finess_stands_in_quotes(void **state)
{
	(void)state;
	expect_errors(
		HEAD "  - {id: a, scope: {finess_eg: [010003720, \"10003720\", "
		     "\"010003820\"]}, " DOCUMENTS
		     ", threshold: {kind: count, value: 7, status: internal}}\n",
		"t.yaml:15:33: an entry of finess_eg is a FINESS, in quotes: write "
		"\"010003720\"\n"
		"t.yaml:15:44: an entry of finess_eg is a FINESS: nine characters, in quotes\n");
}

static void windows_do_not_overlap(void **state)
{
	static const char text[] =
		"schema: usage-targets/1\n"
		"programmes:\n"
		"- id: p\n"
		"  windows:\n"
		"  - {id: w1, start: 2026-01-01, end: 2026-06-30, status: internal}\n"
		"  - {id: w2, start: 2026-06-30, end: 2026-12-31, status: internal}\n"
		"  - {id: w2, start: 2027-01-01, end: null, status: internal}\n"
		"  - {id: w4, start: 2027-02-30, end: 2027-01-01, status: internal}\n"
		"  - {id: w5, start: 2025-02-01, end: 2025-01-01, status: internal}\n"
		"  - {id: w6, start: 2028-01-01, end: 2028-06-30, status: internal}\n"
		"  indicators: [{id: a, " DOCUMENTS ", threshold: {kind: count, value: 1, status: "
		"internal}}]\n"
		"- id: p\n"
		"  windows: [{id: w1, start: 2026-01-01, end: 2026-06-30, status: internal}]\n"
		"  indicators: [{id: a, " DOCUMENTS ", threshold: {kind: count, value: 1, status: "
		"internal}}]\n";

	(void)state;
	expect_errors(text,
		      "t.yaml:6:5: window w2 overlaps window w1: a document would count in both; "
		      "change start or end of one\n"
		      "t.yaml:7:5: there is another window w2: give each an id of its own\n"
		      "t.yaml:8:21: start is not a day (2026-07-01)\n"
		      "t.yaml:9:5: window w5 ends before it starts\n"
		      "t.yaml:10:5: window w6 overlaps window w2: a document would count in both; "
		      "change start or end of one\n"
		      "t.yaml:12:3: there is another programme p in t.yaml: give each an id of its "
		      "own\n");
}

static void files_agree_with_each_other(void **state)
{
	static const struct target_file files[] = {
		{ "a.yaml",
		  { "schema: usage-targets/1\ndenominators: {d: {source: adt}}\n"
		    "alerts: {silence_factor: 3}\n",
		    84 } },
		{ "b.yaml",
		  { "schema: usage-targets/1\ndenominators: {d: {source: manual}}\n"
		    "alerts: {silence_factor: 4}\n",
		    87 } },
	};
	scoped(buf_done) struct buf errors = { 0 };
	struct targets *targets = NULL;

	(void)state;
	assert_int_equal(targets_parse(&targets, files, 2, &errors), -1);
	assert_string_equal(buf_slice(&errors).p,
			    "b.yaml:2:16: another file has a denominator d that is not the same: "
			    "give one of them another name\n"
			    "b.yaml:3:1: a.yaml has alerts already: keep them in one file\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_files_go_together),
		cmocka_unit_test(what_is_no_yaml_is_told),
		cmocka_unit_test(shipped_thresholds_are_sourced),
		cmocka_unit_test(an_indicator_with_everything),
		cmocka_unit_test(what_is_not_written_has_a_meaning),
		cmocka_unit_test(every_kind_of_threshold),
		cmocka_unit_test(a_ratio_of_the_same_without_its_condition),
		cmocka_unit_test(definitions_differ_when_what_counts_does),
		cmocka_unit_test(limits_of_alerts),
		cmocka_unit_test(no_file_is_no_target),
		cmocka_unit_test(everything_wrong_is_told_in_one_run),
		cmocka_unit_test(indicators_that_make_no_sense),
		cmocka_unit_test(a_finess_stands_in_quotes),
		cmocka_unit_test(windows_do_not_overlap),
		cmocka_unit_test(files_agree_with_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
