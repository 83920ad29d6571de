/* The rules of counting: each case of the specification, cut into pieces in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "status/counters.h"

enum { MOST = 64, HOUR_MS = 3600000 };

/* ---- what was counted, as a store would keep it ---- */

struct kept {
	struct arena arena;
	struct count_acceptance acceptances[MOST];
	struct count_root roots[MOST];
	struct count_cell cells[MOST];
	struct count_stay stays[MOST];
	size_t acceptance_count, root_count, cell_count, stay_count;
	const struct step *steps; /* the ledger */
	size_t step_count;
};

/* Left out: a document of its own, queued, in October. */
struct step {
	int64_t seq, follows;
	const char *action;
	const char *at; /* "20261005120000+0100" */
	const char *what, *state;
	enum reason reason;
	const char *note, *code;
	const char *site, *type;
	bool was_out, unqualified;
	const char *stay;
};

static int find_root(void *arg, int64_t seq, int64_t *ret_root, struct err *err)
{
	const struct kept *kept = arg;

	(void)err;
	*ret_root = seq;
	for (size_t i = 0; i < kept->root_count; i++)
		if (kept->roots[i].seq == seq)
			*ret_root = kept->roots[i].root;
	return 0;
}

static int find_acceptance(void *arg, int64_t root, struct arena *arena,
			   struct count_acceptance *ret_acceptance, struct err *err)
{
	const struct kept *kept = arg;

	(void)err;
	for (size_t i = 0; i < kept->acceptance_count; i++) {
		if (kept->acceptances[i].root == root) {
			*ret_acceptance = kept->acceptances[i];
			count_facts_keep(&ret_acceptance->facts, arena);
			return 1;
		}
	}
	return 0;
}

/* An hour before it was accepted. */
static int first_try(void *arg, int64_t seq, uint64_t before, int64_t otherwise, int64_t *ret_ms,
		     struct err *err)
{
	(void)arg;
	(void)seq;
	(void)before;
	(void)err;
	*ret_ms = otherwise - HOUR_MS;
	return 0;
}

static struct count_cell *cell_like(struct kept *kept, const struct count_cell *cell)
{
	for (size_t i = 0; i < kept->cell_count; i++) {
		struct count_cell *known = &kept->cells[i];

		if (known->day == cell->day && known->outcome == cell->outcome &&
		    strcmp(known->lane, cell->lane) == 0 && strcmp(known->site, cell->site) == 0 &&
		    strcmp(known->field, cell->field) == 0 &&
		    strcmp(known->type_code, cell->type_code) == 0)
			return known;
	}
	assert_true(kept->cell_count < MOST);
	kept->cells[kept->cell_count] = *cell;
	kept->cells[kept->cell_count].n = 0;
	kept->cells[kept->cell_count].lane = arena_dup(&kept->arena, slice_of(cell->lane));
	kept->cells[kept->cell_count].site = arena_dup(&kept->arena, slice_of(cell->site));
	kept->cells[kept->cell_count].field = arena_dup(&kept->arena, slice_of(cell->field));
	kept->cells[kept->cell_count].type_code =
		arena_dup(&kept->arena, slice_of(cell->type_code));
	return &kept->cells[kept->cell_count++];
}

static void apply(struct kept *kept, const struct count_changes *changes)
{
	for (size_t i = 0; i < changes->cell_count; i++)
		cell_like(kept, &changes->cells[i])->n += changes->cells[i].n;
	for (size_t i = 0; i < changes->acceptance_count; i++) {
		size_t at = 0;

		while (at < kept->acceptance_count &&
		       kept->acceptances[at].root != changes->acceptances[i].root)
			at++;
		assert_true(at < MOST);
		kept->acceptance_count = max(kept->acceptance_count, at + 1);
		kept->acceptances[at] = changes->acceptances[i];
		count_facts_keep(&kept->acceptances[at].facts, &kept->arena);
	}
	for (size_t i = 0; i < changes->root_count; i++) {
		size_t at = 0;

		while (at < kept->root_count && kept->roots[at].seq != changes->roots[i].seq)
			at++;
		assert_true(at < MOST);
		kept->root_count = max(kept->root_count, at + 1);
		kept->roots[at] = changes->roots[i];
	}
	for (size_t i = 0; i < changes->stay_count; i++) {
		assert_true(kept->stay_count < MOST);
		kept->stays[kept->stay_count] = changes->stays[i];
		kept->stays[kept->stay_count].unit =
			arena_dup(&kept->arena, slice_of(changes->stays[i].unit));
		kept->stay_count++;
	}
}

/* ---- histories ---- */

static const char october[] = "20261005120000+0000";

static int64_t time_of(const char *hl7)
{
	int64_t time_ms = 0;
	struct err err = { 0 };
	bool zoned;

	if (clock_parse_hl7(slice_of(hl7 ? hl7 : october), &time_ms, &zoned, &err) < 0 || !zoned)
		fail_msg("%s: %s", hl7, err.text);
	return time_ms;
}

static const char * or (const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static struct count_event event_of(const struct step *step, uint64_t number)
{
	return (struct count_event){
		.number = number,
		.seq = step->seq,
		.at_ms = time_of(step->at),
		.what = step->what,
		.state = or (step->state, "queued"),
		.reason = step->reason,
		.code = or (step->code, ""),
		.note = or (step->note, ""),
		.attempt = 1,
		.follows = step->follows,
		.was_out = step->was_out,
		.facts = { .action = or (step->action, "submit"),
			   .lane = "990000987",
			   .site = or (step->site, "990012345"),
			   .field = "MCO",
			   .unit = "UF12",
			   .source = "DPI",
			   .type_code = or (step->type, "11490-0"),
			   .stay = slice_of(step->stay),
			   .received_ms = time_of(october),
			   .ins_qualified = !step->unqualified },
	};
}

static bool is_out(const struct step *step)
{
	return step->state != NULL &&
	       (strcmp(step->state, "cancelled") == 0 || strcmp(step->state, "suppressed") == 0);
}

/* What the steps do not tell of came before them. */
static int is_here(void *arg, int64_t root, int64_t except, uint64_t before, bool *ret_is,
		   struct err *err)
{
	const struct kept *kept = arg;
	bool here[MOST] = { [0] = false };
	int64_t of;

	here[root] = true;
	for (size_t i = 0; i + 1 < before; i++) {
		const int64_t seq = kept->steps[i].seq;

		assert_int_equal(find_root(arg, seq, &of, err), 0);
		if (seq == root || of == root)
			here[seq] = !is_out(&kept->steps[i]);
	}
	*ret_is = false;
	for (int64_t seq = 0; seq < MOST; seq++)
		*ret_is |= here[seq] && seq != except;
	return 0;
}

static int facts_of(void *arg, int64_t seq, struct arena *arena, struct count_facts *ret_facts,
		    struct err *err)
{
	const struct kept *kept = arg;

	(void)err;
	for (size_t i = 0; i < kept->step_count; i++)
		if (kept->steps[i].seq == seq) {
			*ret_facts = event_of(&kept->steps[i], i + 1).facts;
			count_facts_keep(ret_facts, arena);
			return 0;
		}
	return -1;
}

/* Folds [from, to[ upon what is kept. */
static void fold(struct kept *kept, const struct step *steps, size_t from, size_t to)
{
	const struct counters_past past = { find_root, find_acceptance, first_try,
					    is_here,   facts_of,        kept };
	scoped(counters_free) struct counters *counters = counters_new(&past);
	struct count_changes changes;
	struct err err = { 0 };

	kept->steps = steps;
	kept->step_count = to;
	for (size_t i = from; i < to; i++) {
		/* as the store hands them over: gone after the call */
		scoped(free_ptr) char *what = xstrdup(steps[i].what);
		struct count_event event = event_of(&steps[i], i + 1);

		event.what = what;
		assert_int_equal(counters_add(counters, &event, &err), 0);
	}
	changes = counters_changes(counters);
	assert_int_equal(changes.last, to);
	apply(kept, &changes);
}

static int by_text(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* "RECEIVED 2026-10-05: 1\n…", sorted, then what the lineages are. */
static void tell(const struct kept *kept, struct buf *out)
{
	char *lines[MOST], day[CALENDAR_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < kept->cell_count; i++) {
		const struct count_cell *cell = &kept->cells[i];
		const bool elsewhere = strcmp(cell->site, "990012345") != 0;

		if (cell->n != 0)
			lines[n++] =
				xasprintf("%s%s%s %s: %lld\n", elsewhere ? cell->site : "",
					  elsewhere ? " " : "", count_outcome_text(cell->outcome),
					  calendar_day_text(cell->day, day), (long long)cell->n);
	}
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		buf_add_text(out, lines[i]);
		free(lines[i]);
	}
	for (size_t i = 0; i < kept->acceptance_count; i++) {
		const struct count_acceptance *is = &kept->acceptances[i];

		buf_addf(out, "#%d shows %d, replaced %u%s\n", (int)is->root, (int)is->current,
			 is->replaced, is->deleted_ms ? ", deleted" : "");
	}
}

/* The history in one piece, in two pieces cut anywhere, and row by row: the same. */
static void comes_to(const struct step *steps, size_t count, const char *expected)
{
	for (size_t cut = 0; cut <= count + 1; cut++) {
		struct kept kept = { 0 };
		scoped(buf_done) struct buf out = { 0 };

		if (cut <= count) {
			if (cut > 0)
				fold(&kept, steps, 0, cut);
			if (cut < count)
				fold(&kept, steps, cut, count);
		} else {
			for (size_t i = 0; i < count; i++)
				fold(&kept, steps, i, i + 1);
		}
		buf_add_text(&out, "");
		tell(&kept, &out);
		arena_done(&kept.arena);
		if (strcmp(out.p, expected) != 0)
			fail_msg("cut at %zu of %zu:\n%sis not\n%s", cut, count, out.p, expected);
	}
}

#define come_to(steps, expected) comes_to(steps, length_of(steps), expected)

/* clang-format off */
#define RECEIVED(...) { .what = "received", __VA_ARGS__ }
#define DELIVERED(...) { .what = "settled", .state = "delivered", __VA_ARGS__ }
#define REPLACE(of) .action = "replace", .follows = (of)
#define DELETE(of) .action = "delete", .follows = (of)

/* ---- what is counted when: the table of the specification ---- */

static void a_first_version_counts_on_its_day_in_paris(void **state)
{
	static const struct step march[] = { RECEIVED(.seq = 1), DELIVERED(.seq = 1, .at = "20260331215959.9+0000") };
	static const struct step april[] = { RECEIVED(.seq = 1), DELIVERED(.seq = 1, .at = "20260331220000.1+0000") };

	(void)state;
	come_to(march, "ACCEPTED 2026-03-31: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"#1 shows 1, replaced 0\n");
	come_to(april, "ACCEPTED 2026-04-01: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"#1 shows 1, replaced 0\n");
}

static void a_replacement_is_no_new_document(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1), DELIVERED(.seq = 1),
		RECEIVED(.seq = 2, REPLACE(1)), DELIVERED(.seq = 2, REPLACE(1), .at = "20261105120000+0000"),
	};

	(void)state;
	come_to(steps, "ACCEPTED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"REPLACED_OK 2026-11-05: 1\n#1 shows 2, replaced 1\n");
}

static void what_corrects_a_rejected_version_counts_when_it_is_accepted(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1, .unqualified = true),
		{ .seq = 1, .what = "settled", .state = "rejected", .reason = REASON_METADATA_INVALID, .unqualified = true },
		RECEIVED(.seq = 2, REPLACE(1)), DELIVERED(.seq = 2, REPLACE(1), .at = "20261105120000+0000"),
	};

	(void)state;
	come_to(steps, "ACCEPTED 2026-11-05: 1\nRECEIVED 2026-10-05: 1\nREJECTED_METADATA 2026-10-05: 1\n"
		"#1 shows 2, replaced 0\n");
}

static void a_deletion_takes_back_in_its_own_month(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1), DELIVERED(.seq = 1),
		RECEIVED(.seq = 2, DELETE(1)), DELIVERED(.seq = 2, DELETE(1), .at = "20261105120000+0000", .site = "", .type = ""),
	};

	(void)state; /* and in the cell of what it deletes */
	come_to(steps, "ACCEPTED 2026-10-05: 1\nDELETED_OK 2026-11-05: 1\nRECEIVED 2026-10-05: 1\n"
		"RECEIVED_QUALIFIED 2026-10-05: 1\n#1 shows 1, replaced 0, deleted\n");
}

static void what_is_sent_after_a_deletion_is_another_lineage(void **state)
{
	static const struct step sent_again[] = {
		RECEIVED(.seq = 1), DELIVERED(.seq = 1),
		RECEIVED(.seq = 2, DELETE(1)), DELIVERED(.seq = 2, DELETE(1)),
		RECEIVED(.seq = 3), DELIVERED(.seq = 3),
	};
	static const struct step as_a_replacement[] = {
		RECEIVED(.seq = 1), DELIVERED(.seq = 1),
		RECEIVED(.seq = 2, DELETE(1)), DELIVERED(.seq = 2, DELETE(1)),
		RECEIVED(.seq = 3, REPLACE(1)), RECEIVED(.seq = 4, REPLACE(3)),
		DELIVERED(.seq = 3, REPLACE(1)), DELIVERED(.seq = 4, REPLACE(3)),
	};

	(void)state;
	come_to(sent_again, "ACCEPTED 2026-10-05: 2\nDELETED_OK 2026-10-05: 1\nRECEIVED 2026-10-05: 2\n"
		"RECEIVED_QUALIFIED 2026-10-05: 2\n#1 shows 1, replaced 0, deleted\n#3 shows 3, replaced 0\n");
	come_to(as_a_replacement, "ACCEPTED 2026-10-05: 2\nDELETED_OK 2026-10-05: 1\nRECEIVED 2026-10-05: 1\n"
		"RECEIVED_QUALIFIED 2026-10-05: 1\nREPLACED_OK 2026-10-05: 1\n"
		"#1 shows 1, replaced 0, deleted\n#3 shows 4, replaced 1\n");
}

static void what_comes_twice_counts_once(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1),
		{ .seq = 1, .what = "received_again", .state = "queued" }, /* an answer was lost */
		DELIVERED(.seq = 1),
		{ .seq = 1, .what = "received_again", .state = "delivered" }, /* another application */
		RECEIVED(.seq = 2, REPLACE(1), .state = "suppressed", .reason = REASON_UNCHANGED),
		{ .seq = 3, REPLACE(1), .what = "released", .state = "suppressed", .reason = REASON_UNCHANGED },
	};

	(void)state;
	come_to(steps, "ACCEPTED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"SUPPRESSED_UNCHANGED 2026-10-05: 3\n#1 shows 1, replaced 0\n");
}

static void three_documents_of_a_stay_are_three(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1, .stay = "stay-of-16-bytes"), DELIVERED(.seq = 1, .stay = "stay-of-16-bytes"),
		RECEIVED(.seq = 2, .stay = "stay-of-16-bytes", .type = "34874-8"),
		DELIVERED(.seq = 2, .stay = "stay-of-16-bytes", .type = "34874-8"),
		RECEIVED(.seq = 3, .stay = "stay-of-16-bytes", .type = "57833-6"),
		DELIVERED(.seq = 3, .stay = "stay-of-16-bytes", .type = "57833-6"),
	};
	struct kept kept = { 0 };

	(void)state;
	come_to(steps, "ACCEPTED 2026-10-05: 1\nACCEPTED 2026-10-05: 1\nACCEPTED 2026-10-05: 1\n"
		"RECEIVED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\n"
		"RECEIVED_QUALIFIED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"#1 shows 1, replaced 0\n#2 shows 2, replaced 0\n#3 shows 3, replaced 0\n");
	fold(&kept, steps, 0, length_of(steps));
	assert_int_equal(kept.stay_count, 3); /* told by each */
	for (size_t i = 0; i < 3; i++) { /* and one for whoever counts stays */
		assert_string_equal(kept.stays[i].unit, "UF12");
		assert_true(slice_is(kept.acceptances[i].facts.stay, "stay-of-16-bytes"));
	}
	arena_done(&kept.arena);
}

/* By submission it counts in the month of the first attempt, by acceptance in that of the proof. */
static void a_lost_answer_is_reconciled_once(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1),
		{ .seq = 1, .what = "recovered", .reason = REASON_DOUBTFUL },
		DELIVERED(.seq = 1, .note = "confirmed_by_presence", .at = "20261101000000+0100"),
	};
	struct kept kept = { 0 };

	(void)state;
	come_to(steps, "ACCEPTED_RECONCILED 2026-11-01: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"UNKNOWN 2026-10-05: 1\n#1 shows 1, replaced 0\n");
	fold(&kept, steps, 0, length_of(steps));
	assert_int_equal(calendar_day(kept.acceptances[0].accepted_ms), 20261101);
	assert_int_equal(calendar_day(kept.acceptances[0].submitted_ms), 20261031);
	arena_done(&kept.arena);
}

static void what_is_told_of_a_delivered_document_changes_nothing(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1), DELIVERED(.seq = 1),
		{ .seq = 1, .what = "purged", .state = "delivered" }, { .seq = 1, .what = "source_told", .state = "delivered" },
		{ .seq = 1, .what = "restored" },
		DELIVERED(.seq = 1, .note = "confirmed_by_duplicate"), /* a backup that was sent again */
	};

	(void)state;
	come_to(steps, "ACCEPTED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"#1 shows 1, replaced 0\n");
}

/* ---- chains ---- */

static void five_versions_are_one_document_replaced_four_times(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1), RECEIVED(.seq = 2, REPLACE(1)), RECEIVED(.seq = 3, REPLACE(2)),
		RECEIVED(.seq = 4, REPLACE(3)), RECEIVED(.seq = 5, REPLACE(4)),
		DELIVERED(.seq = 1), DELIVERED(.seq = 2, REPLACE(1)), DELIVERED(.seq = 3, REPLACE(2)),
		DELIVERED(.seq = 4, REPLACE(3)), DELIVERED(.seq = 5, REPLACE(4)),
	};
	static const struct step and_deleted[] = {
		RECEIVED(.seq = 1), DELIVERED(.seq = 1), RECEIVED(.seq = 2, REPLACE(1)), DELIVERED(.seq = 2, REPLACE(1)),
		DELIVERED(.seq = 3, DELETE(1)), /* the version that nobody sees any more */
		DELIVERED(.seq = 4, DELETE(2)), DELIVERED(.seq = 5, DELETE(2)),
	};

	(void)state;
	come_to(steps, "ACCEPTED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"REPLACED_OK 2026-10-05: 4\n#1 shows 5, replaced 4\n");
	come_to(and_deleted, "ACCEPTED 2026-10-05: 1\nDELETED_OK 2026-10-05: 1\nDELETED_OTHER 2026-10-05: 2\n"
		"RECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\nREPLACED_OK 2026-10-05: 1\n"
		"#1 shows 2, replaced 1, deleted\n");
}

static void versions_that_never_went_do_not_break_the_chain(void **state)
{
	static const struct step steps[] = {
		RECEIVED(.seq = 1), RECEIVED(.seq = 2, REPLACE(1)), RECEIVED(.seq = 3, REPLACE(2)),
		{ .seq = 1, .what = "withdrawn", .state = "cancelled", .reason = REASON_SUPERSEDED },
		{ .seq = 2, REPLACE(1), .what = "settled", .state = "rejected", .reason = REASON_TOO_LARGE },
		DELIVERED(.seq = 3, REPLACE(2)), DELIVERED(.seq = 2, REPLACE(1)), /* tried again, and last */
	};

	(void)state;
	come_to(steps, "ACCEPTED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"REJECTED_FORMAT 2026-10-05: 1\nREPLACED_OK 2026-10-05: 1\n#1 shows 2, replaced 1\n");
}

static void what_we_never_saw_is_the_beginning_of_nothing(void **state)
{
	static const struct step replaced[] = { RECEIVED(.seq = 1, REPLACE(0)), DELIVERED(.seq = 1, REPLACE(0)),
						RECEIVED(.seq = 2, REPLACE(1)), DELIVERED(.seq = 2, REPLACE(1)) };
	static const struct step deleted[] = { RECEIVED(.seq = 1, DELETE(0)), DELIVERED(.seq = 1, DELETE(0)) };

	(void)state;
	come_to(replaced, "ACCEPTED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"REPLACED_OK 2026-10-05: 1\n#1 shows 2, replaced 1\n");
	come_to(deleted, "DELETED_OTHER 2026-10-05: 1\n");
}

/* ---- what is to be fed ---- */

static void what_its_source_takes_back_was_not_to_be_fed(void **state)
{
	static const struct step withdrawn[] = {
		RECEIVED(.seq = 1), { .seq = 1, .what = "withdrawn", .state = "cancelled", .reason = REASON_WITHDRAWN },
		RECEIVED(.seq = 2, DELETE(1), .state = "suppressed", .reason = REASON_WITHDRAWN),
		{ .seq = 1, .what = "purged", .state = "cancelled", .reason = REASON_WITHDRAWN },
	};
	static const struct step cancelled[] = {
		RECEIVED(.seq = 1), { .seq = 1, .what = "cancelled", .state = "cancelled", .reason = REASON_WITHDRAWN },
		{ .seq = 1, .what = "retried", .was_out = true }, DELIVERED(.seq = 1),
	};
	static const struct step sent_again[] = {
		RECEIVED(.seq = 1, .state = "cancelled", .reason = REASON_NOT_FOR_DMP),
		{ .seq = 1, .what = "taken_up", .state = "held", .reason = REASON_POLICY_HOLD, .was_out = true },
	};
	static const struct step not_for_us[] = {
		RECEIVED(.seq = 1, .state = "cancelled", .reason = REASON_NOT_FOR_DMP),
	};
	static const struct step retried[] = {
		RECEIVED(.seq = 1), { .seq = 1, .what = "settled", .state = "rejected", .reason = REASON_DMP_ERROR },
		{ .seq = 1, .what = "retried" },
	};

	(void)state;
	come_to(withdrawn, "");
	come_to(cancelled, "ACCEPTED 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"
		"#1 shows 1, replaced 0\n");
	come_to(not_for_us, "");
	come_to(sent_again, "HELD_POLICY 2026-10-05: 1\nRECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n");
	come_to(retried, "RECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\nREJECTED_OTHER 2026-10-05: 1\n");
}

#define CANCELLED(...) { .what = "cancelled", .state = "cancelled", .reason = REASON_WITHDRAWN, __VA_ARGS__ }
#define FED_ONCE "RECEIVED 2026-10-05: 1\nRECEIVED_QUALIFIED 2026-10-05: 1\n"

/* Whichever of them is cancelled, and in whatever order. */
static void a_lineage_is_to_be_fed_as_long_as_a_version_of_it_is(void **state)
{
	static const struct step the_first_is_cancelled[] = {
		RECEIVED(.seq = 1), { .seq = 1, .what = "settled", .state = "rejected", .reason = REASON_TOO_LARGE },
		RECEIVED(.seq = 2, REPLACE(1)), DELIVERED(.seq = 2, REPLACE(1)), CANCELLED(.seq = 1),
	};
	static const struct step while_the_other_waits[] = {
		RECEIVED(.seq = 1, .state = "held"), RECEIVED(.seq = 2, REPLACE(1), .state = "held", .site = "2A0000014"),
		CANCELLED(.seq = 1),
	};
	static const struct step both_are[] = {
		RECEIVED(.seq = 1, .state = "held"), RECEIVED(.seq = 2, REPLACE(1), .state = "held", .site = "2A0000014"),
		CANCELLED(.seq = 1), CANCELLED(.seq = 2, REPLACE(1), .site = "2A0000014"),
	};
	static const struct step the_other_is_and_then_the_first[] = {
		RECEIVED(.seq = 1, .state = "held"), RECEIVED(.seq = 2, REPLACE(1), .state = "held"),
		CANCELLED(.seq = 2, REPLACE(1)), CANCELLED(.seq = 1),
	};
	static const struct step the_other_comes_after_that[] = {
		RECEIVED(.seq = 1, .state = "held"), CANCELLED(.seq = 1),
		RECEIVED(.seq = 2, REPLACE(1), .at = "20261105120000+0000"), { .seq = 1, .what = "retried", .was_out = true },
	};
	static const struct step what_took_its_place_is_cancelled[] = {
		RECEIVED(.seq = 1), RECEIVED(.seq = 2, REPLACE(1)),
		{ .seq = 1, .what = "withdrawn", .state = "cancelled", .reason = REASON_SUPERSEDED },
		CANCELLED(.seq = 2, REPLACE(1)),
	};

	(void)state;
	come_to(the_first_is_cancelled, "ACCEPTED 2026-10-05: 1\n" FED_ONCE "REJECTED_FORMAT 2026-10-05: 1\n"
		"#1 shows 2, replaced 0\n");
	come_to(while_the_other_waits, FED_ONCE);
	come_to(both_are, "");
	come_to(the_other_is_and_then_the_first, "");
	come_to(the_other_comes_after_that, FED_ONCE);
	come_to(what_took_its_place_is_cancelled, "");
}

/* ---- the other outcomes ---- */

static void each_end_has_its_outcome(void **state)
{
	static const struct {
		const char *what, *state;
		enum reason reason;
		const char *code, *outcome;
	} cases[] = {
		{ "received", "held", REASON_INS_NOT_QUALIFIED, "", "BLOCKED_INS_NOT_QUALIFIED" },
		{ "held", "held", REASON_INS_NOT_IN_DOCUMENT, "", "BLOCKED_INS_NOT_QUALIFIED" },
		{ "held", "held", REASON_INS_CHANGED, "", "BLOCKED_INS_CHANGED" },
		{ "identity_changed", "delivered", REASON_INS_CHANGED, "", "BLOCKED_INS_CHANGED" },
		{ "received", "held", REASON_POLICY_HOLD, "", "HELD_POLICY" },
		{ "received", "held", REASON_FEEDING_NOT_ASKED, "", "HELD_POLICY" },
		{ "received", "held", REASON_WAITING_PREDECESSOR, "", "" },
		{ "held", "held", REASON_MANUAL_HOLD, "", "HELD_MANUAL" },
		{ "received", "refused", REASON_PATIENT_OPPOSED, "", "REFUSED_PATIENT_OPPOSED" },
		{ "opposed", "refused", REASON_PATIENT_OPPOSED, "", "REFUSED_PATIENT_OPPOSED" },
		{ "settled", "refused", REASON_DMP_ABSENT, "", "REFUSED_DMP_ABSENT" },
		{ "settled", "refused", REASON_DMP_CLOSED, "", "REFUSED_DMP_CLOSED" },
		{ "settled", "queued", REASON_RETRYING, "", "FAILED_TRANSIENT" },
		{ "settled", "queued", REASON_DOUBTFUL, "", "UNKNOWN" },
		{ "settled", "queued", REASON_LANE_STOPPED, "", "REJECTED_AUTH" },
		{ "settled", "rejected", REASON_TOO_OLD, "", "EXPIRED" },
		{ "settled", "rejected", REASON_DUPLICATE_FOREIGN, "", "REJECTED_DUPLICATE_FOREIGN" },
		{ "settled", "rejected", REASON_PDF_NOT_PDFA, "", "REJECTED_FORMAT" },
		{ "settled", "rejected", REASON_DMP_ERROR, "InvalidDocumentContent", "REJECTED_FORMAT" },
		{ "settled", "rejected", REASON_DMP_ERROR, "XDSRegistryMetadataError", "REJECTED_METADATA" },
		{ "settled", "rejected", REASON_DMP_ERROR, "XDSNonIdenticalHash", "REJECTED_DUPLICATE_FOREIGN" },
		{ "settled", "rejected", REASON_DMP_ERROR, "Unheard", "REJECTED_OTHER" },
		{ "claimed", "sending", REASON_NONE, "", "" },
		{ "released", "queued", REASON_NONE, "", "" },
		{ "released", "held", REASON_POLICY_HOLD, "", "" },
		{ "purged", "rejected", REASON_TOO_OLD, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct step step = { .seq = 1, REPLACE(7), .what = cases[i].what, .state = cases[i].state,
					   .reason = cases[i].reason, .code = cases[i].code };
		const struct step deletion = { .seq = 1, DELETE(7), .what = cases[i].what, .state = cases[i].state,
					       .reason = cases[i].reason, .code = cases[i].code };
		scoped(free_ptr) char *expected = cases[i].outcome[0] ? xasprintf("%s 2026-10-05: 1\n", cases[i].outcome)
								      : xstrdup("");

		comes_to(&step, 1, expected);
		comes_to(&deletion, 1, "");
	}
}
/* clang-format on */

static void sites_and_types_are_told_apart(void **state)
{
	static const struct step steps[] = { DELIVERED(.seq = 1, .site = "2A0000014"),
					     DELIVERED(.seq = 2, .site = "010003720"),
					     DELIVERED(.seq = 3, .site = "10003720") };

	(void)state;
	come_to(steps, "010003720 ACCEPTED 2026-10-05: 1\n10003720 ACCEPTED 2026-10-05: 1\n"
		       "2A0000014 ACCEPTED 2026-10-05: 1\n#1 shows 1, replaced 0\n"
		       "#2 shows 2, replaced 0\n#3 shows 3, replaced 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_version_counts_on_its_day_in_paris),
		cmocka_unit_test(a_replacement_is_no_new_document),
		cmocka_unit_test(what_corrects_a_rejected_version_counts_when_it_is_accepted),
		cmocka_unit_test(a_deletion_takes_back_in_its_own_month),
		cmocka_unit_test(what_is_sent_after_a_deletion_is_another_lineage),
		cmocka_unit_test(what_comes_twice_counts_once),
		cmocka_unit_test(three_documents_of_a_stay_are_three),
		cmocka_unit_test(a_lost_answer_is_reconciled_once),
		cmocka_unit_test(what_is_told_of_a_delivered_document_changes_nothing),
		cmocka_unit_test(five_versions_are_one_document_replaced_four_times),
		cmocka_unit_test(versions_that_never_went_do_not_break_the_chain),
		cmocka_unit_test(what_we_never_saw_is_the_beginning_of_nothing),
		cmocka_unit_test(what_its_source_takes_back_was_not_to_be_fed),
		cmocka_unit_test(a_lineage_is_to_be_fed_as_long_as_a_version_of_it_is),
		cmocka_unit_test(each_end_has_its_outcome),
		cmocka_unit_test(sites_and_types_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
