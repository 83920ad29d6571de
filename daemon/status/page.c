/* The page of the gateway: its skeleton, and the answer to "does it work". Pure. Any thread. */
#include "status/page.h"

#include "base/codec.h"
#include "status/html.h"
#include "status/page_parts.h"

/* ---- the verdict ---- */

enum verdict { VERDICT_WORKING, VERDICT_IDLE, VERDICT_COPING, VERDICT_NEEDS_YOU };

/* One thing that keeps it from being well. */
struct trouble {
	enum verdict verdict;
	enum page_text what;
	const char *who, *why;
};

enum { MOST_TROUBLES = 64 };

struct troubles {
	struct trouble list[MOST_TROUBLES];
	size_t count;
	enum verdict verdict;
};

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool is(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

static void add_trouble(struct troubles *troubles, const struct trouble *trouble)
{
	troubles->verdict = max(troubles->verdict, trouble->verdict);
	if (troubles->count < MOST_TROUBLES)
		troubles->list[troubles->count++] = *trouble;
}

static void look_at_alerts(const struct page *page, struct troubles *troubles)
{
	const struct health *health = page_health(page);

	for (size_t i = 0; i < health->alert_count; i++) {
		const enum verdict verdict = health->alerts[i].severity == ALERT_CRITICAL
						     ? VERDICT_NEEDS_YOU
						     : VERDICT_COPING;

		troubles->verdict = max(troubles->verdict, verdict);
	}
}

/* An alert that says it already, and what to do. */
static bool has_alert(const struct page *page, enum alert_rule rule, const char *subject)
{
	const struct health *health = page_health(page);

	for (size_t i = 0; i < health->alert_count; i++)
		if (health->alerts[i].rule == rule && is(subject, health->alerts[i].subject))
			return true;
	return false;
}

static void look_at_ways(const struct page_writer *writer, struct troubles *troubles)
{
	const struct page *page = writer->page;
	const struct status *status = page->status;

	for (size_t i = 0; i < status->lane_count; i++) {
		const struct status_lane *lane = &status->lanes[i];

		if (is(lane->state, "stopped") && !has_alert(page, ALERT_LANE_STOPPED, lane->name))
			add_trouble(troubles,
				    &(struct trouble){ VERDICT_NEEDS_YOU, TEXT_WHY_STOPPED,
						       lane->name, page_why(writer, lane) });
		else if (is(lane->state, "slowed"))
			add_trouble(troubles,
				    &(struct trouble){ VERDICT_COPING, TEXT_WHY_SLOWED, lane->name,
						       page_why(writer, lane) });
	}
	for (size_t i = 0; i < status->folder_count; i++)
		if (is_given(status->folders[i].trouble))
			add_trouble(troubles, &(struct trouble){ VERDICT_COPING, TEXT_WHY_FOLDER,
								 status->folders[i].name,
								 status->folders[i].trouble });
	for (size_t i = 0; i < status->source_count; i++)
		if (is(status->sources[i].state, "slowed"))
			add_trouble(troubles, &(struct trouble){ VERDICT_COPING, TEXT_WHY_SOURCE,
								 status->sources[i].name,
								 status->sources[i].why });
}

static bool has_seen_documents(const struct status *status)
{
	for (size_t i = 0; i < status->depth_count; i++)
		if (status->depths[i].documents > 0)
			return true;
	return status->last_delivered_ms > 0;
}

static void look_for_troubles(const struct page_writer *writer, struct troubles *ret_troubles)
{
	const struct status *status = writer->page->status;

	ret_troubles->count = 0;
	ret_troubles->verdict = has_seen_documents(status) ? VERDICT_WORKING : VERDICT_IDLE;
	if (is_given(status->not_ready))
		add_trouble(ret_troubles, &(struct trouble){ VERDICT_NEEDS_YOU, TEXT_WHY_NOT_READY,
							     NULL, page_not_ready(writer) });
	look_at_ways(writer, ret_troubles);
	look_at_alerts(writer->page, ret_troubles);
}

/* An establishment is called by its name too: an alert knows only its number. */
static void write_whose(struct page_writer *writer, const struct alert *alert)
{
	const size_t number = strcspn(alert->subject, " ");
	scoped(free_ptr) char *finess = slice_dup((struct slice){ alert->subject, number });
	const char *name = page_site_name(writer->page, finess);

	if (name == finess)
		return;
	page_tell(writer, name);
	page_raw(writer, "</strong> — <strong>");
}

static void write_alert(struct page_writer *writer, const struct alert *alert)
{
	scoped(buf_done) struct buf said = { 0 }, advice = { 0 };

	alert_say(alert, writer->french, &said);
	alert_advise(alert, writer->french, &advice);
	page_raw(writer, "<li><strong>");
	write_whose(writer, alert);
	page_tell(writer, said.p);
	page_raw(writer, "</strong> <span class=\"todo\">");
	page_tell(writer, advice.p);
	page_raw(writer, "</span> <span class=\"how\"><code>");
	page_tell(writer, alert_name(alert->rule));
	page_raw(writer, "</code> ");
	page_ago(writer, alert->since_ms);
	page_raw(writer, "</span></li>\n");
}

static void write_troubles(struct page_writer *writer, const struct troubles *troubles)
{
	const struct health *health = page_health(writer->page);

	if (troubles->count + health->alert_count == 0)
		return;
	page_raw(writer, "<ul class=\"why\">\n");
	for (size_t i = 0; i < troubles->count; i++) {
		const struct trouble *trouble = &troubles->list[i];

		page_raw(writer, "<li><strong>");
		page_say(writer, trouble->what);
		if (is_given(trouble->who)) {
			page_raw(writer, "</strong> — <strong>");
			page_tell(writer, page_site_name(writer->page, trouble->who));
		}
		page_raw(writer, "</strong> <span class=\"said\">");
		page_tell(writer, trouble->why);
		page_raw(writer, "</span></li>\n");
	}
	for (size_t i = 0; i < health->alert_count; i++)
		write_alert(writer, &health->alerts[i]);
	page_raw(writer, "</ul>\n");
}

/* ---- the figures under it ---- */

static uint64_t depth_of(const struct status *status, const char *state)
{
	for (size_t i = 0; i < status->depth_count; i++)
		if (strcmp(status->depths[i].state, state) == 0)
			return status->depths[i].documents;
	return 0;
}

static void open_fact(struct page_writer *writer, enum page_text name)
{
	page_raw(writer, "<div><dt>");
	page_say(writer, name);
	page_raw(writer, "</dt><dd>");
}

/* The same, of which a section further down says more. */
static void open_linked_fact(struct page_writer *writer, enum page_text name, const char *section)
{
	buf_addf(writer->out, "<div><dt><a href=\"#%s\">", section);
	page_say(writer, name);
	page_raw(writer, "</a></dt><dd>");
}

static void write_targets_fact(struct page_writer *writer)
{
	const struct page_targets_sum sum = page_targets_sum(writer->page);

	if (sum.measured == 0)
		return;
	open_linked_fact(writer, TEXT_TARGETS_REACHED, "targets");
	page_count(writer, sum.well);
	page_raw(writer, " <span class=\"quiet\">");
	page_say(writer, TEXT_OF);
	page_raw(writer, "</span> ");
	page_count(writer, sum.measured);
	page_raw(writer, "</dd></div>\n");
}

static void write_facts(struct page_writer *writer)
{
	const struct status *status = writer->page->status;

	page_raw(writer, "<dl class=\"facts\">\n");
	open_fact(writer, TEXT_LAST_DELIVERED);
	page_ago(writer, status->last_delivered_ms);
	page_raw(writer, "</dd></div>\n");
	open_fact(writer, TEXT_OLDEST_WAITING);
	if (status->oldest_queued_ms > 0)
		html_add_duration(writer->out, status->now_ms - status->oldest_queued_ms,
				  writer->french);
	else
		page_say(writer, TEXT_NOTHING_WAITS);
	page_raw(writer, "</dd></div>\n");
	open_fact(writer, TEXT_QUEUED);
	page_count(writer, depth_of(status, "queued") + depth_of(status, "sending"));
	page_raw(writer, "</dd></div>\n");
	open_linked_fact(writer, TEXT_TO_LOOK_AT, "needs");
	page_count(writer, page_for_people(writer->page));
	page_raw(writer, "</dd></div>\n");
	write_targets_fact(writer);
	page_raw(writer, "</dl>\n");
}

static void write_verdict(struct page_writer *writer)
{
	static const struct {
		const char *class;
		enum page_text text;
	} rows[] = {
		[VERDICT_WORKING] = { "good", TEXT_VERDICT_WORKING },
		[VERDICT_IDLE] = { "quiet", TEXT_VERDICT_IDLE },
		[VERDICT_COPING] = { "coping", TEXT_VERDICT_COPING },
		[VERDICT_NEEDS_YOU] = { "bad", TEXT_VERDICT_NEEDS_YOU },
	};
	struct troubles troubles;

	look_for_troubles(writer, &troubles);
	buf_addf(writer->out,
		 "<section class=\"verdict %s\" aria-labelledby=\"verdict\">\n<h1 id=\"verdict\">"
		 "<span class=\"dot\" aria-hidden=\"true\"></span>",
		 rows[troubles.verdict].class);
	page_say(writer, rows[troubles.verdict].text);
	page_raw(writer, "</h1>\n");
	write_troubles(writer, &troubles);
	write_facts(writer);
	page_close_section(writer);
}

/* ---- the document ---- */

static void write_live(struct page_writer *writer)
{
	write_verdict(writer);
	page_needs(writer);
	page_lanes(writer);
	page_targets(writer);
	page_curves(writer);
	page_certificates(writer);
	page_ways_in(writer);
	page_sources(writer);
}

static void write_environment(struct page_writer *writer)
{
	const char *environment = writer->page->status->environment;

	if (!is(environment, "test") && !is(environment, "rehearsal"))
		return;
	page_raw(writer, "<p class=\"environment\">");
	page_say(writer,
		 is(environment, "test") ? TEXT_ENVIRONMENT_TEST : TEXT_ENVIRONMENT_REHEARSAL);
	page_raw(writer, "</p>");
}

static void write_title(struct page_writer *writer)
{
	page_say(writer, TEXT_TITLE);
}

static void write_skip(struct page_writer *writer)
{
	page_say(writer, TEXT_SKIP);
}

static void write_languages(struct page_writer *writer)
{
	static const struct {
		const char *code, *name;
		bool french;
	} languages[] = { { "fr",
			    "Franç"
			    "ais",
			    true },
			  { "en", "English", false } };

	page_raw(writer, "<nav aria-label=\"");
	page_say(writer, TEXT_LANGUAGES);
	page_raw(writer, "\">");
	for (size_t i = 0; i < length_of(languages); i++)
		buf_addf(writer->out, "<a href=\"/?lang=%s\" lang=\"%s\" hreflang=\"%s\"%s>%s</a>",
			 languages[i].code, languages[i].code, languages[i].code,
			 languages[i].french == writer->french ? " aria-current=\"true\"" : "",
			 languages[i].name);
	page_raw(writer, "</nav>");
}

static void write_lang(struct page_writer *writer)
{
	page_raw(writer, writer->french ? "fr" : "en");
}

static void write_lost(struct page_writer *writer)
{
	page_say(writer, TEXT_LOST);
}

static void write_updated(struct page_writer *writer)
{
	page_say(writer, TEXT_UPDATED);
	page_raw(writer, " <span id=\"clock\">");
	html_add_clock(writer->out, writer->page->status->now_ms);
	page_raw(writer, "</span>");
}

static void write_style(struct page_writer *writer)
{
	page_raw(writer, page_css);
}

static void write_script(struct page_writer *writer)
{
	page_raw(writer, page_js);
}

static void write_foot(struct page_writer *writer)
{
	static const char *const links[] = { "/api/v1/status", "/metrics", "/healthz", "/readyz" };
	const struct status *status = writer->page->status;

	page_raw(writer, "<p>dmpfeed ");
	page_tell(writer, status->version);
	page_raw(writer, ", ");
	page_say(writer, TEXT_UPTIME);
	page_raw(writer, " ");
	html_add_duration(writer->out, status->now_ms - status->started_ms, writer->french);
	page_raw(writer, ". ");
	page_say(writer, TEXT_NO_PATIENT_DATA);
	page_raw(writer, "</p>\n<p>");
	page_say(writer, TEXT_TECHNICAL);
	for (size_t i = 0; i < length_of(links); i++)
		buf_addf(writer->out, " <a href=\"%s\">%s</a>", links[i], links[i]);
	page_raw(writer, "</p>");
}

static const struct slot {
	const char *name;
	void (*write)(struct page_writer *writer);
} slots[] = {
	{ "environment", write_environment },
	{ "foot", write_foot },
	{ "lang", write_lang },
	{ "languages", write_languages },
	{ "live", write_live },
	{ "lost", write_lost },
	{ "script", write_script },
	{ "skip", write_skip },
	{ "style", write_style },
	{ "title", write_title },
	{ "updated", write_updated },
};

static void write_slot(struct page_writer *writer, struct slice name)
{
	for (size_t i = 0; i < length_of(slots); i++)
		if (slice_is(name, slots[i].name))
			slots[i].write(writer);
}

/* In the skeleton, @name@ stands for what changes. */
void page_write(const struct page *page, bool french, struct buf *out)
{
	struct page_writer writer = { out, page, french };
	struct slice rest = slice_of(page_html), part;

	while (slice_next(&rest, '@', &part)) {
		buf_add(out, part);
		if (slice_next(&rest, '@', &part))
			write_slot(&writer, part);
	}
}

void page_write_live(const struct page *page, bool french, struct buf *out)
{
	struct page_writer writer = { out, page, french };

	write_live(&writer);
}

/* ---- what may run ---- */

static void add_hash(struct buf *out, const char *text)
{
	uint8_t digest[SHA256_BYTES];

	sha256(slice_of(text), digest);
	buf_add_text(out, "'sha256-");
	base64_encode((struct slice){ (const char *)digest, sizeof(digest) }, out);
	buf_add_text(out, "'");
}

void page_policy(struct buf *out)
{
	buf_add_text(out, "default-src 'none'; style-src ");
	add_hash(out, page_css);
	buf_add_text(out, "; script-src ");
	add_hash(out, page_js);
	buf_add_text(out, "; connect-src 'self'; img-src data:; base-uri 'none'; form-action "
			  "'none'; frame-ancestors 'none'");
}
