/* The page as a function of its figures. With DMPFEED_PAGES=FOLDER, the pages are written there, to be
 * looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "page_sample.h"
#include "status/page_parts.h"

static char *page_of(const struct page *page, bool french)
{
	scoped(buf_done) struct buf out = { 0 };

	page_write(page, french, &out);
	return slice_dup(buf_slice(&out));
}

static void keep(const char *name, const struct page *page, bool french)
{
	const char *folder = getenv("DMPFEED_PAGES");
	scoped(free_ptr) char *text = page_of(page, french);
	scoped(free_ptr) char *path = NULL;
	FILE *file;

	if (folder == NULL)
		return;
	path = xasprintf("%s/%s-%s.html", folder, name, french ? "fr" : "en");
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
}

/* ---- what it says ---- */

static void the_page_says_first_whether_it_works(void **state)
{
	struct page_sample sample;
	scoped(free_ptr) char *french = NULL;
	scoped(free_ptr) char *english = NULL;

	(void)state;
	sample_make(&sample);
	french = page_of(&sample.page, true);
	english = page_of(&sample.page, false);
	assert_has(french, "<html lang=\"fr\">");
	assert_has(french, "Tout fonctionne</h1>");
	assert_has(english, "<html lang=\"en\">");
	assert_has(english, "Everything works</h1>");
	keep("working", &sample.page, true);
	keep("working", &sample.page, false);
}

static void every_part_is_there_in_both_languages(void **state)
{
	static const char *const ids[] = { "needs",        "lanes",   "targets", "curves",
					   "certificates", "ways-in", "sources" };
	struct page_sample sample;

	(void)state;
	sample_make(&sample);
	for (int french = 0; french < 2; french++) {
		scoped(free_ptr) char *text = page_of(&sample.page, french);
		const char *at = text;

		for (size_t i = 0; i < length_of(ids); i++) {
			scoped(free_ptr) char *section = xasprintf("<section id=\"%s\"", ids[i]);

			at = strstr(at, section);
			assert_non_null(at); /* in this order */
		}
		assert_has_not(text, "(null)");
		assert_has_not(text, ">nan");
		assert_int_equal(count_of(text, "<section"), count_of(text, "</section>"));
		assert_int_equal(count_of(text, "<table"), count_of(text, "</table>"));
		assert_int_equal(count_of(text, "<li>"), count_of(text, "</li>"));
		assert_int_equal(count_of(text, "<div"), count_of(text, "</div>"));
		assert_int_equal(count_of(text, "<dl"), count_of(text, "</dl>"));
		assert_int_equal(count_of(text, "<article"), count_of(text, "</article>"));
	}
}

static void every_text_is_there_in_both_languages(void **state)
{
	(void)state;
	for (enum page_text text = 0; text < TEXT_COUNT; text++)
		for (int french = 0; french < 2; french++) {
			assert_non_null(page_text(text, french));
			assert_true(strlen(page_text(text, french)) > 0);
		}
}

static void documents_are_grouped_by_reason_with_what_to_do(void **state)
{
	struct page_sample sample;
	scoped(free_ptr) char *text = NULL;

	(void)state;
	sample_make(&sample);
	text = page_of(&sample.page, false);
	assert_has(text, "<b>1,900</b> <span>documents</span>");
	assert_has(text, "Qualify the identity: the document leaves by itself once an ADT says "
			 "so.");
	assert_has(text, "dmpfeedctl list --state held --reason ins_not_qualified");
	assert_has(text, "Saint-Martin <b>1,312</b>");
	assert_has(text, "Clinique des Tilleuls <b>588</b>");
	assert_has_not(text, "--reason waiting_predecessor"); /* nobody is needed for it */
	assert_has(text, "<dt><a href=\"#needs\">Need a person</a></dt><dd>1,981</dd>");
}

static void a_target_says_how_far_it_is(void **state)
{
	struct page_sample sample;
	scoped(free_ptr) char *text = NULL;

	(void)state;
	sample_make(&sample);
	text = page_of(&sample.page, true);
	assert_has(text, "<b>61,2\xe2\x80\xaf%</b> <span>seuil 70,0\xe2\x80\xaf%</span>");
	assert_has(text, "<rect class=\"reached\" width=\"61.2\"");
	assert_has(text, "<rect class=\"projected\" width=\"65.3\"");
	assert_has(text, "<rect class=\"threshold\" x=\"70.0\"");
	assert_has(text, "71,2\xe2\x80\xaf%–75,1\xe2\x80\xaf%"); /* the history is short */
	assert_has_not(text, "Fenêtre close");
	assert_has(text, "<dt>Manquent à ce jour</dt><dd>1\xe2\x80\xaf"
			 "180</dd>");
	assert_has(text, "menacé</span>");
	assert_has(text, "sans seuil</span>");
}

static void without_a_threshold_nothing_is_coloured(void **state)
{
	struct page_sample sample;
	scoped(free_ptr) char *text = NULL;

	(void)state;
	sample_make(&sample);
	sample.board.row_count = 1;
	sample.rows[0] = sample_ratio("990000027", "Clinique du Lac", "Comptes rendus d'imagerie",
				      0.45, 0, 0.47, TARGET_NO_TARGET);
	sample.rows[0].input = (struct projection_input){ .is_ratio = true };
	text = page_of(&sample.page, false);
	assert_has(text, "<p class=\"rate\"><b>45.0%</b></p>");
	assert_has(text, "<span class=\"pill quiet\">no threshold</span>");
	assert_has_not(text, "class=\"bar\"");
}

/* ---- verdicts ---- */

static void assert_verdict(const char *name, const struct page *page, const char *verdict)
{
	scoped(free_ptr) char *text = page_of(page, false);
	scoped(free_ptr) char *headline = xasprintf("%s</h1>", verdict);

	assert_has(text, headline);
	keep(name, page, true);
	keep(name, page, false);
}

static void a_stopped_lane_needs_somebody(void **state)
{
	struct page_sample sample;
	scoped(free_ptr) char *text = NULL;

	(void)state;
	sample_make(&sample);
	sample.lanes[1].state = "stopped";
	sample.lanes[1].why = "the certificate ORG AUTH_CLI ended on 2026-11-20";
	sample.lanes[1].why_french = "le certificat ORG AUTH_CLI est échu depuis le 20/11/2026";
	assert_verdict("stopped", &sample.page, "It needs you");
	text = page_of(&sample.page, false);
	assert_has(text, "Sending is stopped</strong> — <strong>Groupe Santé du Lac");
}

static void a_slowed_lane_is_coping(void **state)
{
	scoped(free_ptr) char *english = NULL, *french = NULL;
	struct page_sample sample;

	(void)state;
	sample_make(&sample);
	sample.lanes[0].state = "slowed";
	sample.lanes[0].why = "the DMP answers 503";
	sample.lanes[0].why_french = "le DMP répond 503";
	sample.lanes[0].resumes_ms = SAMPLE_NOW_MS + 40000;
	sample.lanes[0].since_ms = SAMPLE_NOW_MS - 7 * 60000;
	assert_verdict("slowed", &sample.page, "It works, with difficulty");
	english = page_of(&sample.page, false);
	french = page_of(&sample.page, true);
	assert_has(english, "the DMP answers 503");
	assert_has(french, "le DMP répond 503");
	assert_null(strstr(french, "the DMP answers"));
	assert_has(english, "<small>for 7\xc2\xa0min</small>");
	assert_has(french, "<small>depuis 7\xc2\xa0min</small>");
}

static void troubles_of_folders_and_sources_are_told(void **state)
{
	scoped(free_ptr) char *french = NULL;
	struct page_sample sample;

	(void)state;
	sample_make(&sample);
	sample.folders[0].trouble = "Permission denied";
	assert_verdict("folder", &sample.page, "It works, with difficulty");
	sample_make(&sample);
	sample.sources[0].state = "slowed";
	assert_verdict("source", &sample.page, "It works, with difficulty");
	sample_make(&sample);
	sample.status.not_ready = "the disk is full";
	sample.status.not_ready_french = "le disque est plein";
	assert_verdict("not-ready", &sample.page, "It needs you");
	french = page_of(&sample.page, true);
	assert_has(french, "le disque est plein");
	assert_has_not(french, "the disk is full");
}

static void alerts_weigh_by_their_severity(void **state)
{
	struct page_sample sample;

	(void)state;
	sample_make(&sample);
	sample.alerts[0] = (struct alert){
		.rule = ALERT_CERTIFICATE_ENDS,
		.severity = ALERT_WARNING,
		.subject = "dpi",
		.value = 9,
		.since_ms = SAMPLE_NOW_MS - SAMPLE_DAY_MS,
	};
	sample.health.alerts = sample.alerts;
	sample.health.alert_count = 1;
	assert_verdict("alert", &sample.page, "It works, with difficulty");
	sample.alerts[0].severity = ALERT_CRITICAL;
	assert_verdict("critical", &sample.page, "It needs you");
}

/* An alert knows numbers; a director knows names. */
static void an_alert_calls_an_establishment_by_its_name(void **state)
{
	static const struct alert alerts[] = {
		{ .rule = ALERT_CERTIFICATE_ENDS, .subject = "990000995 sign", .value = 9 },
		{ .rule = ALERT_SOURCE_SILENT, .subject = "DPI", .value = SAMPLE_HOUR_MS },
	};
	scoped(free_ptr) char *text = NULL;
	struct page_sample sample;

	(void)state;
	sample_make(&sample);
	sample.health.alerts = alerts;
	sample.health.alert_count = 2;
	text = page_of(&sample.page, true);
	assert_has(text,
		   "<li><strong>Groupe Santé du Lac</strong> — <strong>Le certificat 990000995 "
		   "sign expire dans 9 j.</strong>");
	assert_has(text, "<li><strong>La source DPI");
}

/* ---- nothing yet ---- */

static void a_gateway_without_documents_is_ready(void **state)
{
	static const struct status_depth none[] = { { "held", 0 }, { "queued", 0 } };
	struct page_sample sample;
	scoped(free_ptr) char *text = NULL;

	(void)state;
	sample_make(&sample);
	sample.curve = (struct curve){ .since_ms = SAMPLE_NOW_MS - SAMPLE_HOUR_MS };
	sample.status.depths = none;
	sample.status.depth_count = 2;
	sample.status.last_delivered_ms = sample.status.oldest_queued_ms = 0;
	sample.lanes[0].last_delivered_ms = sample.lanes[1].last_delivered_ms = 0;
	sample.page.waiting_count = 0;
	sample.page.board = NULL;
	sample.page.has_targets = false;
	sample.status.health = NULL;
	sample.status.source_count = 0;
	sample.status.environment = "test";
	assert_verdict("empty", &sample.page, "Ready, and nothing has come yet");
	text = page_of(&sample.page, false);
	assert_has(text, "Nothing needs anybody.");
	assert_has(text, "No usage target is configured.");
	assert_has(text, "No document in this time.");
	assert_has(text, "Test environment");
	assert_has(text, "never");
}

/* ---- what comes from outside ---- */

#define ATTACK "\"'><img src=x onerror=alert(1)>&<script>alert(2)</script>@live@"

static void whatever_comes_from_outside_stays_text(void **state)
{
	struct page_sample sample;

	(void)state;
	sample_make(&sample);
	sample.status.version = sample.status.not_ready = ATTACK;
	sample.status.not_ready_french = ATTACK;
	sample.lanes[0].name = sample.lanes[0].why = sample.lanes[1].why = ATTACK;
	sample.lanes[0].why_french = sample.lanes[1].why_french = ATTACK;
	sample.lanes[0].state = sample.lanes[1].state = "stopped";
	sample.listeners[0].name = sample.listeners[0].address = ATTACK;
	sample.folders[0].name = sample.folders[0].path = sample.folders[0].trouble = ATTACK;
	sample.sources[0].name = sample.sources[0].address = sample.sources[0].why = ATTACK;
	sample.sites[0].name = ATTACK;
	sample.rows[0].place = sample.rows[0].place_name = sample.waiting[1].site = ATTACK;
	sample.rows[0].label = sample.rows[0].programme_label = sample.rows[0].definition = ATTACK;
	sample.rows[0].fields = sample.rows[0].english = sample.rows[0].french = ATTACK;
	sample.certificates[0].owner = sample.certificates[0].subject = ATTACK;
	sample.alerts[0] = (struct alert){
		.rule = ALERT_DISK_LOW, .subject = ATTACK, .detail = ATTACK, .value = 1
	};
	sample.health.alerts = sample.alerts;
	sample.health.alert_count = 1;
	for (int french = 0; french < 2; french++) {
		scoped(free_ptr) char *text = page_of(&sample.page, french);

		assert_has_not(text, "<img");
		assert_has_not(text, "<script>alert");
		assert_has_not(text, "\"'>");
		assert_has(text, "&lt;img src=x onerror=alert(1)&gt;");
		assert_int_equal(count_of(text, "<script"), 1);
	}
	keep("attack", &sample.page, true);
}

/* ---- limits ---- */

enum { TIMES = 50 };

static int64_t time_to_draw(const struct page *page)
{
	const int64_t began_ms = clock_monotonic_ms();
	scoped(buf_done) struct buf out = { 0 };
	int64_t took_ms;

	for (size_t i = 0; i < TIMES; i++) {
		buf_clear(&out);
		page_write(page, i % 2, &out);
	}
	took_ms = clock_monotonic_ms() - began_ms;
	print_message("# %zu bytes, %.2f ms a page\n", out.n, (double)took_ms / TIMES);
	return took_ms;
}

/* The loop draws it, also with many sites and every reason. */
static void a_large_page_is_drawn_in_time(void **state)
{
	enum { SITES = 60 };
	static struct page_waiting waiting[SITES * 8];
	static struct board_row rows[SITES * 4];
	static char places[SITES][8];
	struct page_sample sample;
	int64_t took_ms;

	(void)state;
	sample_make(&sample);
	(void)time_to_draw(&sample.page);
	for (size_t i = 0; i < length_of(waiting); i++)
		waiting[i] = (struct page_waiting){ i % 2 ? "held" : "rejected",
						    REASON_INS_NOT_QUALIFIED + i % 20, "990000001",
						    1000 - i, SAMPLE_NOW_MS - 1 };
	for (size_t i = 0; i < length_of(rows); i++) {
		snprintf(places[i % SITES], sizeof(places[0]), "%zu", i % SITES);
		rows[i] = sample.rows[i / SITES];
		rows[i].place = places[i % SITES];
	}
	sample.page.waiting = waiting;
	sample.page.waiting_count = length_of(waiting);
	sample.board.rows = rows;
	sample.board.row_count = length_of(rows);
	took_ms = time_to_draw(&sample.page);
	assert_true(took_ms < TIMES * 100); /* 50 times what it takes: sanitizers, other programs */
}

static void the_live_part_is_in_the_page(void **state)
{
	struct page_sample sample;
	scoped(buf_done) struct buf live = { 0 };
	scoped(free_ptr) char *text = NULL;

	(void)state;
	sample_make(&sample);
	text = page_of(&sample.page, true);
	page_write_live(&sample.page, true, &live);
	assert_has(text, live.p);
	assert_has_not(live.p, "<html");
}

/* ---- the policy ---- */

static void the_policy_lets_the_pages_own_script_and_style_run(void **state)
{
	scoped(buf_done) struct buf policy = { 0 };
	struct page_sample sample;
	scoped(free_ptr) char *text = NULL;

	(void)state;
	page_policy(&policy);
	assert_has(policy.p, "default-src 'none'; style-src 'sha256-");
	assert_has(policy.p, "; script-src 'sha256-");
	assert_has_not(policy.p, "unsafe");
	sample_make(&sample);
	text = page_of(&sample.page, true);
	assert_has_not(text, " style=");
	assert_has_not(text, " onclick=");
	assert_int_equal(count_of(text, "<style>"), 1);
	assert_has_not(text, "http://");
	assert_has_not(text, "https://");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_says_first_whether_it_works),
		cmocka_unit_test(every_part_is_there_in_both_languages),
		cmocka_unit_test(every_text_is_there_in_both_languages),
		cmocka_unit_test(documents_are_grouped_by_reason_with_what_to_do),
		cmocka_unit_test(a_target_says_how_far_it_is),
		cmocka_unit_test(without_a_threshold_nothing_is_coloured),
		cmocka_unit_test(a_stopped_lane_needs_somebody),
		cmocka_unit_test(a_slowed_lane_is_coping),
		cmocka_unit_test(troubles_of_folders_and_sources_are_told),
		cmocka_unit_test(alerts_weigh_by_their_severity),
		cmocka_unit_test(an_alert_calls_an_establishment_by_its_name),
		cmocka_unit_test(a_gateway_without_documents_is_ready),
		cmocka_unit_test(whatever_comes_from_outside_stays_text),
		cmocka_unit_test(a_large_page_is_drawn_in_time),
		cmocka_unit_test(the_live_part_is_in_the_page),
		cmocka_unit_test(the_policy_lets_the_pages_own_script_and_style_run),
	};

	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
