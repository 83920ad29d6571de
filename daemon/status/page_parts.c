/* The lists of the page: lanes, certificates, ways in and back. Pure. Any thread. */
#include "status/page_parts.h"

#include "status/html.h"

/* ---- what the parts share ---- */

void page_raw(struct page_writer *writer, const char *markup)
{
	buf_add_text(writer->out, markup);
}

void page_say(struct page_writer *writer, enum page_text text)
{
	html_add(writer->out, page_text(text, writer->french));
}

void page_tell(struct page_writer *writer, const char *text)
{
	html_add(writer->out, text);
}

void page_count(struct page_writer *writer, uint64_t count)
{
	html_add_count(writer->out, count, writer->french);
}

void page_ago(struct page_writer *writer, int64_t time_ms)
{
	html_add_ago(writer->out, time_ms, writer->page->status->now_ms, writer->french);
}

void page_open_section(struct page_writer *writer, const char *id, enum page_text heading)
{
	buf_addf(writer->out,
		 "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">", id, id,
		 id);
	page_say(writer, heading);
	page_raw(writer, "</h2>\n");
}

void page_close_section(struct page_writer *writer)
{
	page_raw(writer, "</section>\n");
}

void page_nothing(struct page_writer *writer, enum page_text text)
{
	page_raw(writer, "<p class=\"nothing\">");
	page_say(writer, text);
	page_raw(writer, "</p>\n");
}

void page_pill(struct page_writer *writer, enum page_tone tone, enum page_text text)
{
	static const char *const classes[] = {
		[TONE_GOOD] = "good",
		[TONE_COPING] = "coping",
		[TONE_BAD] = "bad",
		[TONE_QUIET] = "quiet",
	};

	buf_addf(writer->out, "<span class=\"pill %s\">", classes[tone]);
	page_say(writer, text);
	page_raw(writer, "</span>");
}

const struct health *page_health(const struct page *page)
{
	static const struct health nothing;

	return page->status->health ? page->status->health : &nothing;
}

const char *page_site_name(const struct page *page, const char *finess)
{
	const struct status *status = page->status;

	for (size_t i = 0; i < status->site_count; i++)
		if (strcmp(status->sites[i].finess, finess) == 0)
			return status->sites[i].name;
	return finess;
}

const char *page_why(const struct page_writer *writer, const struct status_lane *lane)
{
	return writer->french && lane->why_french != NULL ? lane->why_french : lane->why;
}

const char *page_not_ready(const struct page_writer *writer)
{
	const struct status *status = writer->page->status;

	return writer->french && status->not_ready_french != NULL ? status->not_ready_french
								  : status->not_ready;
}

/* ---- tables ---- */

/* A column. What narrow screens have no room for is only on wide ones; numbers stand to the right. */
struct column {
	enum page_text name;
	const char *class;
};

static void open_table(struct page_writer *writer, const char *heading_id,
		       const struct column *columns, size_t count)
{
	buf_addf(writer->out, "<table aria-labelledby=\"%s\">\n<thead><tr>", heading_id);
	for (size_t i = 0; i < count; i++) {
		buf_addf(writer->out, "<th scope=\"col\" class=\"%s\">", columns[i].class);
		page_say(writer, columns[i].name);
		page_raw(writer, "</th>");
	}
	page_raw(writer, "</tr></thead>\n<tbody>\n");
}

static void close_table(struct page_writer *writer)
{
	page_raw(writer, "</tbody></table>\n");
}

/* The first cell of a row: what it is about, and under it what else is known of it. */
static void open_row(struct page_writer *writer, const char *name, const char *more)
{
	page_raw(writer, "<tr><th scope=\"row\">");
	page_tell(writer, name);
	if (more != NULL && more[0] != '\0') {
		page_raw(writer, "<small>");
		page_tell(writer, more);
		page_raw(writer, "</small>");
	}
	page_raw(writer, "</th>");
}

static void open_cell(struct page_writer *writer, const struct column *column)
{
	buf_addf(writer->out, "<td class=\"%s\">", column->class);
}

static void count_cell(struct page_writer *writer, const struct column *column, uint64_t count)
{
	open_cell(writer, column);
	page_count(writer, count);
	page_raw(writer, "</td>");
}

static void ago_cell(struct page_writer *writer, const struct column *column, int64_t time_ms)
{
	open_cell(writer, column);
	page_ago(writer, time_ms);
	page_raw(writer, "</td>");
}

static void close_row(struct page_writer *writer)
{
	page_raw(writer, "</tr>\n");
}

/* ---- lanes ---- */

static void way_pill(struct page_writer *writer, const char *state)
{
	static const struct {
		const char *state;
		enum page_tone tone;
		enum page_text text;
	} rows[] = {
		{ "open", TONE_GOOD, TEXT_OPEN },
		{ "slowed", TONE_COPING, TEXT_SLOWED },
		{ "stopped", TONE_BAD, TEXT_STOPPED },
	};

	for (size_t i = 0; i < length_of(rows); i++)
		if (state != NULL && strcmp(state, rows[i].state) == 0)
			page_pill(writer, rows[i].tone, rows[i].text);
}

/* The state of a lane or of a way back, since when one in trouble has it, and when it is tried again. */
static void way_cell(struct page_writer *writer, const struct column *column, const char *state,
		     int64_t since_ms, int64_t resumes_ms)
{
	open_cell(writer, column);
	way_pill(writer, state);
	if (since_ms > 0 && strcmp(state, "open") != 0) {
		page_raw(writer, "<small>");
		page_say(writer, TEXT_SINCE);
		page_raw(writer, " ");
		html_add_duration(writer->out, writer->page->status->now_ms - since_ms,
				  writer->french);
		page_raw(writer, "</small>");
	}
	if (resumes_ms > writer->page->status->now_ms) {
		page_raw(writer, "<small>");
		page_say(writer, TEXT_RESUMES);
		page_raw(writer, " ");
		html_add_until(writer->out, resumes_ms, writer->page->status->now_ms,
			       writer->french);
		page_raw(writer, "</small>");
	}
	page_raw(writer, "</td>");
}

void page_lanes(struct page_writer *writer)
{
	static const struct column columns[] = {
		{ TEXT_LANE, "" },
		{ TEXT_STATE, "" },
		{ TEXT_LAST_DELIVERED, "" },
		{ TEXT_IN_FLIGHT, "number wide" },
		{ TEXT_DELIVERED_SINCE_START, "number wide" },
	};
	const struct status *status = writer->page->status;

	page_open_section(writer, "lanes", TEXT_LANES);
	open_table(writer, "lanes-title", columns, length_of(columns));
	for (size_t i = 0; i < status->lane_count; i++) {
		const struct status_lane *lane = &status->lanes[i];

		open_row(writer, page_site_name(writer->page, lane->name), page_why(writer, lane));
		way_cell(writer, &columns[1], lane->state, lane->since_ms, lane->resumes_ms);
		ago_cell(writer, &columns[2], lane->last_delivered_ms);
		count_cell(writer, &columns[3], lane->in_flight);
		count_cell(writer, &columns[4], lane->delivered);
		close_row(writer);
	}
	close_table(writer);
	page_close_section(writer);
}

/* ---- certificates ---- */

enum { DAYS_BAD = 15, DAYS_COPING = 60 };

static enum page_text role_text(const char *role)
{
	static const struct {
		const char *role;
		enum page_text text;
	} rows[] = {
		{ "auth", TEXT_ROLE_AUTH },         { "sign", TEXT_ROLE_SIGN },
		{ "listener", TEXT_ROLE_LISTENER }, { "ack", TEXT_ROLE_ACK },
		{ "status", TEXT_ROLE_STATUS },
	};

	for (size_t i = 0; i < length_of(rows); i++)
		if (strcmp(role, rows[i].role) == 0)
			return rows[i].text;
	return TEXT_CERTIFICATE;
}

static void days_cell(struct page_writer *writer, const struct column *column, int64_t days)
{
	buf_addf(writer->out, "<td class=\"%s\"><span class=\"pill %s\">", column->class,
		 days < DAYS_BAD      ? "bad"
		 : days < DAYS_COPING ? "coping"
				      : "good");
	if (days < 0)
		page_say(writer, TEXT_EXPIRED);
	else
		page_count(writer, (uint64_t)days);
	page_raw(writer, "</span></td>");
}

void page_certificates(struct page_writer *writer)
{
	static const struct column columns[] = {
		{ TEXT_CERTIFICATE, "" },
		{ TEXT_USE, "wide" },
		{ TEXT_ENDS, "" },
		{ TEXT_DAYS_LEFT, "number" },
	};
	const struct page *page = writer->page;
	const struct health *health = page_health(page);

	if (health->certificate_count == 0)
		return;
	page_open_section(writer, "certificates", TEXT_CERTIFICATES);
	open_table(writer, "certificates-title", columns, length_of(columns));
	for (size_t i = 0; i < health->certificate_count; i++) {
		const struct health_certificate *certificate = &health->certificates[i];

		open_row(writer, page_site_name(page, certificate->owner), certificate->subject);
		open_cell(writer, &columns[1]);
		page_say(writer, role_text(certificate->role));
		page_raw(writer, "</td><td>");
		html_add_date(writer->out, certificate->not_after_ms, writer->french);
		page_raw(writer, "</td>");
		days_cell(writer, &columns[3], health_days_left(certificate, page->status->now_ms));
		close_row(writer);
	}
	close_table(writer);
	page_close_section(writer);
}

/* ---- ways in ---- */

static void write_listeners(struct page_writer *writer)
{
	static const struct column columns[] = {
		{ TEXT_LISTENER, "" },
		{ TEXT_LAST_MESSAGE, "" },
		{ TEXT_MESSAGES, "number" },
		{ TEXT_CONNECTIONS, "number wide" },
		{ TEXT_REFUSED_CONNECTIONS, "number wide" },
		{ TEXT_BROKEN_FRAMES, "number wide" },
	};
	const struct status *status = writer->page->status;

	if (status->listener_count == 0)
		return;
	page_raw(writer, "<h3 id=\"listeners-title\">");
	page_say(writer, TEXT_LISTENERS);
	page_raw(writer, "</h3>\n");
	open_table(writer, "listeners-title", columns, length_of(columns));
	for (size_t i = 0; i < status->listener_count; i++) {
		const struct status_listener *listener = &status->listeners[i];

		open_row(writer, listener->name, listener->address);
		ago_cell(writer, &columns[1], listener->last_message_ms);
		count_cell(writer, &columns[2], listener->messages);
		count_cell(writer, &columns[3], listener->connections);
		count_cell(writer, &columns[4],
			   listener->refused_connections + listener->refused_peers +
				   listener->failed_handshakes);
		count_cell(writer, &columns[5], listener->broken_frames);
		close_row(writer);
	}
	close_table(writer);
}

static void write_folders(struct page_writer *writer)
{
	static const struct column columns[] = {
		{ TEXT_FOLDER, "" },
		{ TEXT_LAST_FILE, "" },
		{ TEXT_WAITING, "number" },
		{ TEXT_TAKEN, "number wide" },
		{ TEXT_REJECTED_FILES, "number wide" },
	};
	const struct status *status = writer->page->status;

	if (status->folder_count == 0)
		return;
	page_raw(writer, "<h3 id=\"folders-title\">");
	page_say(writer, TEXT_FOLDERS);
	page_raw(writer, "</h3>\n");
	open_table(writer, "folders-title", columns, length_of(columns));
	for (size_t i = 0; i < status->folder_count; i++) {
		const struct status_folder *folder = &status->folders[i];
		const bool is_well = folder->trouble == NULL || folder->trouble[0] == '\0';

		open_row(writer, folder->name, is_well ? folder->path : folder->trouble);
		ago_cell(writer, &columns[1], folder->last_file_ms);
		count_cell(writer, &columns[2], folder->waiting);
		count_cell(writer, &columns[3], folder->taken);
		count_cell(writer, &columns[4], folder->rejected);
		close_row(writer);
	}
	close_table(writer);
}

void page_ways_in(struct page_writer *writer)
{
	page_open_section(writer, "ways-in", TEXT_WAYS_IN);
	write_listeners(writer);
	write_folders(writer);
	page_close_section(writer);
}

/* ---- ways back ---- */

void page_sources(struct page_writer *writer)
{
	static const struct column columns[] = {
		{ TEXT_SOURCE, "" },        { TEXT_STATE, "" },
		{ TEXT_WAITING, "number" }, { TEXT_TOLD, "number wide" },
		{ TEXT_LAST_TOLD, "wide" },
	};
	const struct status *status = writer->page->status;

	if (status->source_count == 0)
		return;
	page_open_section(writer, "sources", TEXT_SOURCES);
	open_table(writer, "sources-title", columns, length_of(columns));
	for (size_t i = 0; i < status->source_count; i++) {
		const struct status_source *source = &status->sources[i];
		const bool is_well = source->why == NULL || source->why[0] == '\0';

		open_row(writer, source->name, is_well ? source->address : source->why);
		way_cell(writer, &columns[1], source->state, 0, source->resumes_ms);
		count_cell(writer, &columns[2], source->waiting);
		count_cell(writer, &columns[3], source->told);
		ago_cell(writer, &columns[4], source->last_told_ms);
		close_row(writer);
	}
	close_table(writer);
	page_close_section(writer);
}
