/* Alerts: what raises one, what clears it, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "status/alerts.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

#define WALL_MS 1795262400000 /* 2026-11-21T12:00:00Z, when a test begins */

/* What changed, as one text: "raised lane_stopped/010000000/critical ". */
static void note(void *arg, const struct alert *alert, enum alert_change change)
{
	buf_addf(arg, "%s %s/%s/%s ", alert_change_text(change), alert_name(alert->rule),
		 alert->subject, alert_severity_text(alert->severity));
}

static const struct alert_levels days = { .at = { 60, 30, 15, 7 }, .count = 4, .critical = 3 };
static const struct alert_levels ages = { .at = { 2 * HOUR, 12 * HOUR },
					  .count = 2,
					  .critical = 2 };
static const struct alert_levels bytes = { .at = { 10 << 20, 1 << 20 }, .count = 2, .critical = 2 };

/* One round with one sight, `at_ms` after the start. */
static void assert_round(struct alerts *alerts, int64_t at_ms, const struct alert_sight *sight,
			 const char *expected)
{
	scoped(buf_done) struct buf changes = { 0 };

	alerts_begin(alerts, (struct alert_time){ at_ms, WALL_MS + at_ms });
	if (sight != NULL)
		alerts_see(alerts, sight);
	alerts_end(alerts, note, &changes);
	assert_string_equal(changes.p ? changes.p : "", expected);
}

struct turn {
	int64_t at_ms, value;
	const char *expected;
};

static void assert_turns(enum alert_rule rule, const char *subject,
			 const struct alert_levels *levels, const struct turn *turns, size_t count)
{
	scoped(alerts_free) struct alerts *alerts = alerts_new(8);

	for (size_t i = 0; i < count; i++)
		assert_round(
			alerts, turns[i].at_ms,
			&(struct alert_sight){ rule, subject, turns[i].value, *levels, NULL, NULL },
			turns[i].expected);
}

#define assert_story(rule, subject, levels, ...)                                                   \
	assert_turns((rule), (subject), (levels), (const struct turn[]){ __VA_ARGS__ },            \
		     length_of(((const struct turn[]){ __VA_ARGS__ })))

static void a_value_past_its_level_raises_and_one_well_back_clears(void **state)
{
	(void)state;
	assert_story(ALERT_BACKLOG_AGE, "", &ages, { 0, 0, "" }, { 5 * SECOND, 2 * HOUR - 1, "" },
		     { 10 * SECOND, 2 * HOUR, "raised backlog_age//warning " },
		     { 15 * SECOND, 13 * HOUR, "changed backlog_age//critical " },
		     /* back, but within the margin of a tenth */
		     { 2 * MINUTE, 11 * HOUR, "" }, { 4 * MINUTE, 11 * HOUR, "" },
		     /* further back: for a minute, or it is not believed */
		     { 5 * MINUTE, 10 * HOUR, "" }, { 6 * MINUTE - 1, 10 * HOUR, "" },
		     { 6 * MINUTE, 10 * HOUR, "changed backlog_age//warning " },
		     { 7 * MINUTE, 0, "" }, { 8 * MINUTE, 0, "cleared backlog_age//warning " });
}

static void a_value_that_wavers_rings_once(void **state)
{
	scoped(alerts_free) struct alerts *alerts = alerts_new(8);
	size_t count;

	(void)state;
	assert_round(alerts, 0,
		     &(struct alert_sight){ ALERT_BACKLOG_AGE, "", 2 * HOUR, ages, NULL, NULL },
		     "raised backlog_age//warning ");
	for (int64_t i = 1; i < 1000; i++) /* an hour of it, far and back */
		assert_round(alerts, i * 5 * SECOND,
			     &(struct alert_sight){ ALERT_BACKLOG_AGE, "", i % 10 ? HOUR : 2 * HOUR,
						    ages, NULL, NULL },
			     "");
	assert_int_equal(alerts_raised(alerts, &count)->since_ms, WALL_MS);
	assert_int_equal(count, 1);
}

static void a_dip_that_is_short_rings_nobody(void **state)
{
	(void)state;
	assert_story(ALERT_DISK_LOW, "state", &bytes, { 0, 5 << 20, "" },
		     { 29 * SECOND, 5 << 20, "" }, { 29999, 20 << 20, "" },
		     /* from the start again */
		     { 30 * SECOND, 5 << 20, "" }, { 59 * SECOND, 5 << 20, "" },
		     { 60 * SECOND, 5 << 20, "raised disk_low/state/warning " },
		     { 61 * SECOND, 1 << 19, "" },
		     { 91 * SECOND, 1 << 19, "changed disk_low/state/critical " });
}

static void each_step_of_a_certificate_is_told(void **state)
{
	(void)state;
	assert_story(
		ALERT_CERTIFICATE_ENDS, "010000000 sign", &days, { 0, 61, "" },
		{ 1, 60, "raised certificate_expiring/010000000 sign/warning " }, { 2, 31, "" },
		{ 3, 30, "changed certificate_expiring/010000000 sign/warning " },
		{ 4, 15, "changed certificate_expiring/010000000 sign/critical " },
		{ 5, 7, "changed certificate_expiring/010000000 sign/critical " }, { 6, -3, "" },
		{ 7, 1095, "cleared certificate_expiring/010000000 sign/critical " });
}

static void two_subjects_do_not_mix(void **state)
{
	static const struct alert_levels now = { .at = { 1 }, .count = 1, .critical = 1 };
	scoped(alerts_free) struct alerts *alerts = alerts_new(2);
	scoped(buf_done) struct buf changes = { 0 };
	const struct alert *raised;
	size_t count;

	(void)state;
	alerts_begin(alerts, (struct alert_time){ 0, WALL_MS });
	alerts_see(alerts,
		   &(struct alert_sight){ ALERT_STORE_DAMAGED, "", 1, now, "page 7", NULL });
	alerts_see(alerts, &(struct alert_sight){ ALERT_LANE_STOPPED, "b", 1, now, NULL, NULL });
	alerts_see(alerts, &(struct alert_sight){ ALERT_LANE_STOPPED, "a", 1, now, NULL, NULL });
	alerts_end(alerts, note, &changes);
	raised = alerts_raised(alerts, &count);
	assert_int_equal(count, 2); /* the third is more than there is room for */
	assert_string_equal(raised[0].subject, "b");
	assert_int_equal(raised[1].rule, ALERT_STORE_DAMAGED);
	assert_string_equal(raised[1].detail, "page 7");

	assert_round(alerts, 1,
		     &(struct alert_sight){ ALERT_LANE_STOPPED, "b", 1, now, NULL, NULL },
		     "cleared store_damaged//critical "); /* it was not seen any more */
	assert_round(alerts, 2, NULL, "cleared lane_stopped/b/critical ");
	assert_round(alerts, 3, NULL, "");
}

static void assert_says(const struct alert *alert, const char *english, const char *french)
{
	scoped(buf_done) struct buf one = { 0 }, other = { 0 };

	alert_say(alert, false, &one);
	alert_say(alert, true, &other);
	assert_string_equal(one.p, english);
	assert_string_equal(other.p, french);
}

static void it_says_what_is_wrong_in_both_languages(void **state)
{
	(void)state;
	assert_says(&(struct alert){ .rule = ALERT_LANE_STOPPED,
				     .subject = "010000000",
				     .detail = "the certificate has expired.",
				     .value = 3 * HOUR },
		    "Lane 010000000 has been stopped for 3 h: the certificate has expired.",
		    "La voie d'envoi 010000000 est arrêtée depuis 3 h : the certificate has "
		    "expired.");
	assert_says(&(struct alert){ .rule = ALERT_CERTIFICATE_ENDS,
				     .subject = "010000000 auth",
				     .detail = "it has ended",
				     .detail_french = "il est échu",
				     .value = -3 },
		    "The certificate 010000000 auth has 0 days left: it has ended.",
		    "Le certificat 010000000 auth expire dans 0 j : il est échu.");
	assert_says(&(struct alert){ .rule = ALERT_CERTIFICATE_ENDS,
				     .subject = "010000000 auth",
				     .value = 1 },
		    "The certificate 010000000 auth has 1 day left.",
		    "Le certificat 010000000 auth expire dans 1 j.");
	assert_says(&(struct alert){ .rule = ALERT_CERTIFICATE_ENDS,
				     .subject = "010000000 auth",
				     .value = 12 },
		    "The certificate 010000000 auth has 12 days left.",
		    "Le certificat 010000000 auth expire dans 12 j.");
	assert_says(&(struct alert){ .rule = ALERT_DISK_LOW,
				     .subject = "/srv/drop",
				     .value = 700 << 20 },
		    "The disk of /srv/drop has 700 MiB left.",
		    "Il reste 700 Mio sur le disque de /srv/drop.");
	assert_says(&(struct alert){ .rule = ALERT_DMP_ABSENT_RATE,
				     .subject = "010000000",
				     .value = 113 },
		    "Lane 010000000: 11.3 % of the last day's documents met no DMP that takes "
		    "them (absent, closed, opposed).",
		    "Voie 010000000 : 11,3 % des documents du dernier jour n'ont pas trouvé de DMP "
		    "qui les prenne (absent, fermé, opposé).");
	assert_says(&(struct alert){ .rule = ALERT_CLOCK_JUMP, .value = 90 * SECOND },
		    "This machine's clock jumped by 90 s.",
		    "L'horloge de cette machine a sauté de 90 s.");
	assert_says(&(struct alert){ .rule = ALERT_BACKLOG_AGE, .value = 3 * (int64_t)DAY },
		    "The oldest document to be sent has waited for 3 days.",
		    "Le plus ancien document à envoyer attend depuis 3 jours.");
}

static void every_rule_has_its_words(void **state)
{
	(void)state;
	for (enum alert_rule rule = 0; rule < ALERT_RULE_COUNT; rule++)
		for (int french = 0; french < 2; french++) {
			const struct alert alert = { .rule = rule, .subject = "S", .value = 5 };
			scoped(buf_done) struct buf words = { 0 }, advice = { 0 };

			alert_say(&alert, french, &words);
			alert_advise(&alert, french, &advice);
			assert_true(words.n > 20 && advice.n > 20);
			assert_null(strpbrk(words.p, "{}"));
			assert_true(strlen(alert_name(rule)) > 5);
		}
}

static void no_half_of_a_character_is_kept(void **state)
{
	static const struct alert_levels now = { .at = { 1 }, .count = 1, .critical = 1 };
	scoped(alerts_free) struct alerts *alerts = alerts_new(1);
	scoped(buf_done) struct buf changes = { 0 };
	char subject[ALERT_SUBJECT + 8] = "x";
	size_t count;

	(void)state;
	while (strlen(subject) + 2 < sizeof(subject))
		strcat(subject, "é");
	alerts_begin(alerts, (struct alert_time){ 0, WALL_MS });
	alerts_see(alerts,
		   &(struct alert_sight){ ALERT_SOURCE_SILENT, subject, 1, now, NULL, NULL });
	alerts_end(alerts, note, &changes);
	assert_int_equal(strlen(alerts_raised(alerts, &count)->subject), ALERT_SUBJECT - 1);
	assert_int_equal(count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_past_its_level_raises_and_one_well_back_clears),
		cmocka_unit_test(a_value_that_wavers_rings_once),
		cmocka_unit_test(a_dip_that_is_short_rings_nobody),
		cmocka_unit_test(each_step_of_a_certificate_is_told),
		cmocka_unit_test(two_subjects_do_not_mix),
		cmocka_unit_test(it_says_what_is_wrong_in_both_languages),
		cmocka_unit_test(every_rule_has_its_words),
		cmocka_unit_test(no_half_of_a_character_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
