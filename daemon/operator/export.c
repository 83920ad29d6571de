/* What is written out, from a request to its answer:
 *
 *     begin      loop     what is asked for; at first, where each place stands
 *     note       writer   who asks, in the audit chain, where evidence is asked for
 *     read       keeper   a month of the files, or a part of the evidence
 *     answer     loop     pieces of files, and a mark to ask on from, unless that was all
 */
#include "operator/export.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "crew/hands.h"
#include "operator/answer.h"
#include "operator/export_files.h"
#include "operator/signed_order.h"
#include "queue/store_act.h"

enum {
	MONTHS_BEFORE = 12,
	MOST_MONTHS = 120,
	PIECE_BYTES = 256 << 10, /* of a line of the answer, which the other side bounds too */
	SEAL = 2 * SHA256_BYTES + 1,
};

/* One request. */
struct errand {
	struct job work; /* a piece that is read */
	struct err err;
	struct signed_order order; /* where evidence is asked for */
	const struct export_parts *parts;
	struct snapshot *snapshot; /* held */
	struct control_request *request;
	json_t *asked;

	struct export_asked what;
	bool with_evidence;
	bool is_first;
	int month;         /* to be read; 0: they are done, evidence is next */
	uint64_t evidence; /* the last row of the history that was read */
	bool has_more;
	struct export_text texts[EXPORT_FILES];
	struct buf answer;
};

static struct errand *errand_of(struct job *job)
{
	return container_of(job, struct errand, work);
}

/* ---- what is asked for ---- */

static int add_months(int month, int months)
{
	const int count = month / 100 * 12 + month % 100 - 1 + months;

	return count / 12 * 100 + count % 12 + 1;
}

/* 2026-11, or a day in it. */
static int read_month(const struct errand *errand, const char *name, int otherwise, int *ret_month,
		      struct err *err)
{
	const char *text = answer_asked(errand->asked, name);
	char day[sizeof("YYYY-MM-DD")];
	int parsed;

	*ret_month = otherwise;
	if (text[0] == '\0')
		return 0;
	snprintf(day, sizeof(day), strlen(text) == strlen("YYYY-MM") ? "%.7s-01" : "%.10s", text);
	if (strlen(text) > strlen("YYYY-MM-DD") || !calendar_parse_day(slice_of(day), &parsed))
		return err_set(err, ERR_REJECT, "%s takes a month like 2026-11, not '%s'", name,
			       text);
	*ret_month = calendar_month(parsed);
	return 0;
}

/* Only who began with an export, which was noted if it has evidence, goes on with it. */
static const char *seal_of(const struct errand *errand, char text[static SEAL])
{
	const uint8_t *secret = errand->parts->secret;
	scoped(buf_done) struct buf sealed = { 0 };
	uint8_t digest[SHA256_BYTES];

	buf_addf(&sealed, "%d %d %d %llu %d %ld ", errand->what.from, errand->what.to,
		 errand->month, (unsigned long long)errand->evidence, errand->with_evidence,
		 (long)errand->request->uid);
	buf_add(&sealed, (struct slice){ (const char *)secret, sizeof(errand->parts->secret) });
	sha256(buf_slice(&sealed), digest);
	return hex(digest, sizeof(digest), text);
}

static int read_mark(struct errand *errand, struct err *err)
{
	const json_t *mark = json_object_get(errand->asked, "mark");
	const char *seal = json_string_value(json_object_get(mark, "seal"));
	char wanted[SEAL];
	const json_int_t month = json_integer_value(json_object_get(mark, "month"));
	const json_int_t evidence = json_integer_value(json_object_get(mark, "evidence"));

	errand->is_first = mark == NULL;
	errand->month = errand->is_first ? errand->what.from : (int)month;
	errand->evidence = (uint64_t)max(evidence, (json_int_t)0);
	if (!errand->is_first && (seal == NULL || strcmp(seal, seal_of(errand, wanted)) != 0))
		return err_set(err, ERR_REJECT, "this mark is none of this export");
	return 0;
}

static int read_asked(struct errand *errand, struct err *err)
{
	struct export_asked *what = &errand->what;

	what->now_ms = clock_now_ms();
	what->french = answer_in_french(errand->asked);
	what->outside = json_is_true(json_object_get(errand->asked, "outside"));
	errand->with_evidence = json_is_true(json_object_get(errand->asked, "evidence"));
	if (read_month(errand, "to", calendar_month(calendar_day(what->now_ms)), &what->to, err) <
		    0 ||
	    read_month(errand, "from", add_months(what->to, -MONTHS_BEFORE), &what->from, err) < 0)
		return -1;
	if (what->from > what->to)
		return err_set(err, ERR_REJECT, "from is later than to");
	if (what->from < add_months(what->to, 1 - MOST_MONTHS))
		return err_set(err, ERR_REJECT, "more than %d months: ask for fewer", MOST_MONTHS);
	if (what->outside && errand->with_evidence)
		return err_set(err, ERR_REJECT,
			       "evidence names documents: it does not leave the "
			       "hospital with --outside");
	return read_mark(errand, err);
}

/* ---- the answer ---- */

/* What a file says of itself comes with its first piece. */
static int add_about(struct errand *errand, enum export_file file, struct err *err)
{
	json_t *about = export_about(&errand->what, file, err), *row;

	if (about == NULL)
		return -1;
	row = json_object();
	json_put_text(row, "file", export_file_name(file));
	json_object_set_new(row, "about", about);
	answer_line(&errand->answer, "row", row);
	return 0;
}

static void add_piece(struct errand *errand, enum export_file file, struct slice piece, size_t rows)
{
	scoped(free_ptr) char *text = slice_dup(piece);
	json_t *row = json_object();

	json_put_text(row, "file", export_file_name(file));
	json_put_text(row, "text", text);
	json_put_count(row, "rows", rows);
	answer_line(&errand->answer, "row", row);
}

/* Cut between lines: each piece is whole characters. */
static void add_pieces(struct errand *errand, enum export_file file)
{
	struct slice rest = buf_slice(&errand->texts[file].text);
	size_t rows = errand->texts[file].rows;

	while (rest.n > 0) {
		struct slice piece = { rest.p, min(rest.n, (size_t)PIECE_BYTES) };

		while (piece.n < rest.n && piece.n > 0 && piece.p[piece.n - 1] != '\n')
			piece.n--;
		if (piece.n == 0) /* no line is that long */
			piece.n = rest.n;
		add_piece(errand, file, piece, rows);
		rest = slice_from(rest, piece.n);
		rows = 0; /* told once */
	}
}

static void add_mark(struct errand *errand)
{
	json_t *row = json_object(), *mark = json_object();
	char seal[SEAL];

	json_put_text(mark, "seal", seal_of(errand, seal));
	json_put_count(mark, "month", (uint64_t)errand->month);
	json_put_count(mark, "evidence", errand->evidence);
	json_object_set_new(row, "mark", mark);
	answer_line(&errand->answer, "row", row);
}

static void end_errand(struct errand *errand)
{
	const bool failed = errand->err.kind != ERR_NONE;

	if (failed)
		buf_clear(&errand->answer);
	else if (errand->has_more)
		add_mark(errand);
	answer_end(&errand->answer, failed ? errand->err.text : NULL);
	control_answer(errand->request, buf_slice(&errand->answer));
	for (enum export_file file = 0; file < EXPORT_FILES; file++)
		export_text_done(&errand->texts[file]);
	buf_done(&errand->answer);
	json_decref(errand->asked);
	snapshot_let_go(&errand->snapshot);
	free(errand);
}

/* ---- reading ---- */

static bool is_wanted(const struct errand *errand, enum export_file file)
{
	return file != EXPORT_EVIDENCE || errand->with_evidence;
}

/* Before what the loop has put there. */
static int add_heads(struct errand *errand, struct err *err)
{
	for (enum export_file file = 0; file < EXPORT_FILES; file++) {
		struct export_text head = { 0 };

		if (!is_wanted(errand, file))
			continue;
		if (add_about(errand, file, err) < 0)
			return -1;
		export_add_head(&errand->what, file, &head);
		add_piece(errand, file, buf_slice(&head.text), 0);
		export_text_done(&head);
	}
	return 0;
}

static int read_piece(struct errand *errand, struct err *err)
{
	int rc = 0;

	if (errand->is_first && add_heads(errand, err) < 0)
		return -1;
	if (errand->month != 0) {
		if (export_add_month(&errand->what, errand->month, errand->texts, err) < 0)
			return -1;
		errand->month = errand->month == errand->what.to ? 0 : add_months(errand->month, 1);
		errand->has_more = errand->month != 0 || errand->with_evidence;
	} else if (errand->with_evidence) {
		rc = export_add_evidence(&errand->what, &errand->evidence,
					 &errand->texts[EXPORT_EVIDENCE], err);
		errand->has_more = rc > 0;
	}
	for (enum export_file file = 0; file < EXPORT_FILES; file++)
		add_pieces(errand, file);
	return rc < 0 ? -1 : 0;
}

/* Keeper. */
static void read(struct job *job, void *hands)
{
	struct errand *errand = errand_of(job);

	errand->err = (struct err){ 0 };
	errand->what.reader = hands_reader(hands, &errand->err);
	if (errand->what.reader != NULL)
		(void)!read_piece(errand, &errand->err);
}

/* Loop. */
static void has_read(struct job *job)
{
	end_errand(errand_of(job));
}

static void begin_to_read(struct errand *errand)
{
	errand->work = (struct job){ .run = read, .done = has_read };
	workers_submit(errand->parts->keeper, &errand->work);
}

/* ---- who takes evidence out ---- */

/* Writer. */
static int note(struct signed_order *order, struct store *store, struct err *err)
{
	const struct errand *errand = container_of(order, struct errand, order);
	char from[CALENDAR_TEXT], to[CALENDAR_TEXT], subject[2 * CALENDAR_TEXT + 8];

	snprintf(subject, sizeof(subject), "%s..%s", calendar_month_text(errand->what.from, from),
		 calendar_month_text(errand->what.to, to));
	return store_note_act(store,
			      &(struct store_act){ .at_ms = clock_now_ms(),
						   .what = "evidence",
						   .subject = subject,
						   .text = "",
						   .actor = order->actor },
			      err);
}

/* Loop. */
static void noted(struct signed_order *order)
{
	struct errand *errand = container_of(order, struct errand, order);

	errand->err = order->work.err;
	if (errand->err.kind == ERR_NONE && pipeline_figures(errand->parts->pipeline).closing)
		err_set(&errand->err, ERR_RETRY,
			"dmpfeedd is shutting down: it was not carried out");
	if (errand->err.kind != ERR_NONE) {
		end_errand(errand);
		return;
	}
	log_info("order=evidence from=%d to=%d by=%s", errand->what.from, errand->what.to,
		 order->actor);
	begin_to_read(errand);
}

/* ---- one after the other ---- */

static void begin(struct errand *errand)
{
	if (errand->is_first)
		export_add_targets(&errand->what, board_now(errand->parts->board),
				   &errand->texts[EXPORT_TARGETS]);
	if (!errand->is_first || !errand->with_evidence) {
		begin_to_read(errand);
		return;
	}
	errand->order.apply = note;
	errand->order.done = noted;
	signed_order_begin(&errand->order,
			   &(struct signed_order_parts){ errand->parts->keeper,
							 errand->parts->writer,
							 errand->parts->pipeline },
			   errand->request->uid);
}

bool export_begin(const struct export_parts *parts, struct control_request *request, json_t *asked)
{
	struct errand *errand;

	if (strcmp(answer_asked(asked, "command"), "export") != 0)
		return false;
	errand = xcalloc(1, sizeof(*errand));
	errand->parts = parts;
	errand->request = request;
	errand->asked = asked;
	errand->snapshot = snapshot_hold(parts->snapshot);
	errand->what = (struct export_asked){ .config = errand->snapshot->config,
					      .targets = errand->snapshot->targets,
					      .valuesets = errand->snapshot->valuesets };
	if (read_asked(errand, &errand->err) < 0)
		end_errand(errand);
	else
		begin(errand);
	return true;
}
