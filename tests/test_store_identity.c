/* Patients' identities: which documents wait for one, go once it is qualified, and must not have gone. */
#include <sqlite3.h>

#include "store_versions.h"

#define INS "279035121518989"
#define NEW_INS "277076322082910"
#define OID "1.2.250.1.213.1.4.10"
#define DOMAIN "1.2.250.1.999.1"
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* What a document says of its own, hours after the fixture's time: 0 is that time, UNSAID no time. */
enum { UNSAID = -1000 };

struct its {
	const char *id, *ipp, *ins;
	bool is_qualified;
	int hours;
};

static int64_t at(const struct fixture *f, int hours)
{
	return hours == UNSAID ? 0 : f->now_ms + hours * HOUR_MS;
}

static struct store_arrival of_patient(struct fixture *f, const struct its *its)
{
	struct store_arrival next = arrival(f, its->id, its->id);

	next.ins = its->ins;
	next.ins_oid = its->ins ? OID : "";
	next.subject = (struct store_subject){
		.locals = { { DOMAIN, its->ipp }, { "CH-A", its->ipp } },
		.is_qualified = its->is_qualified,
		.said_ms = at(f, its->hours),
	};
	if (!its->is_qualified) {
		next.state = DOC_HELD;
		next.reason = REASON_INS_NOT_QUALIFIED;
	}
	return next;
}

static struct ulid bring(struct fixture *f, const struct its *its)
{
	const struct store_arrival next = of_patient(f, its);

	return take_in(f, &next).doc;
}

static struct store_identified note(struct fixture *f, const struct store_identity *said)
{
	struct store_identity identity = *said;
	struct store_identified done;

	identity.now_ms = f->now_ms;
	ok(store_begin(f->store, &err));
	ok(store_savepoint(f->store, &err));
	ok(store_note_identity(f->store, &identity, &done, &err));
	store_savepoint_release(f->store);
	ok(store_commit(f->store, &err));
	return done;
}

/* That `ipp` is of that INS; NULL: that it is not qualified. */
static struct store_identified say(struct fixture *f, const char *ipp, const char *ins, int hours)
{
	return note(f, &(struct store_identity){ .locals = { { DOMAIN, ipp }, { "CH-A", ipp } },
						 .local_count = 2,
						 .has_status = true,
						 .ins = ins,
						 .ins_oid = OID,
						 .said_ms = at(f, hours) });
}

/* A40: `from` is `into` now, whose INS is as given. */
static struct store_identified merge(struct fixture *f, const char *from, const char *into,
				     const char *ins, int hours)
{
	return note(f, &(struct store_identity){ .locals = { { DOMAIN, into } },
						 .local_count = 1,
						 .merged = { { DOMAIN, from } },
						 .merged_count = 1,
						 .has_status = ins != NULL,
						 .ins = ins,
						 .ins_oid = OID,
						 .said_ms = at(f, hours) });
}

static void assert_stands(struct fixture *f, struct ulid doc, enum doc_state state,
			  enum reason reason)
{
	const struct last last = last_of(f, doc);

	if (last.state != state || last.reason != reason)
		fail_msg("%s for '%s', instead of %s for '%s'", doc_state_text(last.state),
			 reason_row(last.reason)->code, doc_state_text(state),
			 reason_row(reason)->code);
}

/* ---- before it is sent ---- */

/* The newest of the two words decides about the status; where they name different patients, neither. */
static void a_document_is_judged_by_the_newest_word(void **state)
{
	static const struct {
		const char *ins; /* of the document; NULL: none */
		bool is_qualified;
		int hours;
		const char *known; /* INS that the ADT at hour 0 qualified; "": it said otherwise */
		enum doc_state state;
		enum reason reason;
	} cases[] = {
		{ INS, true, -1, INS, DOC_QUEUED, REASON_NONE },
		{ INS, true, 1, INS, DOC_QUEUED, REASON_NONE },
		{ INS, true, UNSAID, INS, DOC_QUEUED, REASON_NONE },
		/* its software is late */
		{ INS, false, -1, INS, DOC_QUEUED, REASON_NONE },
		{ INS, false, 0, INS, DOC_QUEUED, REASON_NONE },
		{ INS, false, UNSAID, INS, DOC_QUEUED, REASON_NONE },
		{ INS, false, 1, INS, DOC_HELD, REASON_INS_NOT_QUALIFIED },
		/* or ahead */
		{ INS, true, 1, "", DOC_QUEUED, REASON_NONE },
		{ INS, true, 0, "", DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ INS, true, -1, "", DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ INS, true, UNSAID, "", DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ INS, false, 1, "", DOC_HELD, REASON_INS_NOT_QUALIFIED },
		/* two patients: no time settles it */
		{ INS, true, -1, NEW_INS, DOC_HELD, REASON_INS_CHANGED },
		{ INS, true, 1, NEW_INS, DOC_HELD, REASON_INS_CHANGED },
		{ INS, false, 1, NEW_INS, DOC_HELD, REASON_INS_CHANGED },
		/* nothing in it can be sent */
		{ NULL, false, -1, INS, DOC_HELD, REASON_INS_NOT_IN_DOCUMENT },
		{ NULL, false, 1, INS, DOC_HELD, REASON_INS_NOT_IN_DOCUMENT },
		{ NULL, false, 1, "", DOC_HELD, REASON_INS_NOT_QUALIFIED },
	};

	(void)state;
	for (int order = 0; order < 2; order++) { /* whichever comes first */
		for (size_t i = 0; i < length_of(cases); i++) {
			const struct its its = { "1.2.3.1", "4711", cases[i].ins,
						 cases[i].is_qualified, cases[i].hours };
			const char *ins = cases[i].known[0] ? cases[i].known : NULL;
			void *fresh;
			struct fixture *f;
			struct ulid doc;

			set_up(&fresh);
			f = fresh;
			if (order == 0)
				say(f, "4711", ins, 0);
			doc = bring(f, &its);
			if (order == 1)
				say(f, "4711", ins, 0);
			print_message("case %zu, order %d\n", i, order);
			assert_stands(f, doc, cases[i].state, cases[i].reason);
			assert_whole(f);
			tear_down(&fresh);
		}
	}
}

static void documents_leave_in_the_order_in_which_they_came(void **state)
{
	struct fixture *f = *state;
	struct store_due due[4];
	struct ulid docs[3];
	int64_t next_ms;

	for (size_t i = 0; i < length_of(docs); i++) {
		const char *const ids[] = { "1.2.3.1", "1.2.3.2", "1.2.3.3" };

		docs[i] = bring(f, &(struct its){ ids[i], "4711", INS, false, -1 });
		f->now_ms++;
	}
	assert_int_equal(say(f, "4711", INS, 0).released, 3);
	assert_int_equal(claim(f, 4, due, &next_ms), 3);
	for (size_t i = 0; i < length_of(docs); i++)
		assert_memory_equal(&due[i].doc, &docs[i], sizeof(docs[i]));
}

/* The clock of the software that sent it is ahead of the authority's, whose word comes after it. */
static void a_word_that_comes_after_the_document_lets_it_go(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, false, 1 });
	struct ulid next;

	f->now_ms++;
	say(f, "4711", INS, -1);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	f->now_ms++;
	next = bring(f, &(struct its){ "1.2.3.2", "4711", INS, false, 1 });
	assert_stands(f, next, DOC_HELD, REASON_INS_NOT_QUALIFIED);
	f->now_ms++;
	say(f, "4711", INS, -2); /* of before what is known: no news */
	assert_stands(f, next, DOC_HELD, REASON_INS_NOT_QUALIFIED);
	say(f, "4711", INS, 0);
	assert_stands(f, next, DOC_QUEUED, REASON_NONE);
}

static void another_patient_s_documents_stay(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4712", INS, false, -1 });

	assert_int_equal(say(f, "4711", INS, 0).released, 0);
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_QUALIFIED);
}

/* GAM and DPI need not write the domain alike. */
static void either_name_of_the_domain_leads_to_the_patient(void **state)
{
	static const struct store_local names[] = { { DOMAIN, "4711" }, { "CH-A", "4711" } };

	(void)state;
	for (size_t i = 0; i < length_of(names); i++) {
		void *fresh;
		struct fixture *f;
		struct ulid doc;

		set_up(&fresh);
		f = fresh;
		doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, false, -1 });
		note(f, &(struct store_identity){ .locals = { names[i] },
						  .local_count = 1,
						  .has_status = true,
						  .ins = INS,
						  .ins_oid = OID,
						  .said_ms = f->now_ms });
		assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
		tear_down(&fresh);
	}
}

/* Official messages bear the INS alone. */
static void a_document_without_a_local_number_is_found_by_its_ins(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "", INS, false, -1 });

	say(f, "4711", INS, 0);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	say(f, "4711", NEW_INS, 1);
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_QUALIFIED);
}

static void what_comes_late_or_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, false, -3 });

	say(f, "4711", INS, 0);
	assert_false(say(f, "4711", NULL, -1).is_newest);
	assert_false(say(f, "4711", NEW_INS, -1).is_newest);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	assert_int_equal(say(f, "4711", INS, 0).released, 0); /* again */
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void what_else_holds_it_goes_on_holding_it(void **state)
{
	struct fixture *f = *state;
	const struct its its = { "1.2.3.1", "4711", INS, false, -1 };
	struct store_arrival next = of_patient(f, &its);
	struct store_receipt taken;
	size_t count;

	next.subject.then_for = REASON_POLICY_HOLD;
	next.subject.then_ms = f->now_ms + HOUR_MS;
	taken = take_in(f, &next);
	assert_int_equal(taken.reason, REASON_INS_NOT_QUALIFIED);
	f->now_ms += 2 * HOUR_MS; /* the policy's time passes, the identity's has not come */
	ok(store_release_due(f->store, f->now_ms, 10, &count, &err));
	assert_int_equal(count, 0);
	f->now_ms -= 2 * HOUR_MS;
	say(f, "4711", INS, 0);
	assert_stands(f, taken.doc, DOC_HELD, REASON_POLICY_HOLD);
	f->now_ms += 2 * HOUR_MS;
	ok(store_release_due(f->store, f->now_ms, 10, &count, &err));
	assert_int_equal(count, 1);
	assert_stands(f, taken.doc, DOC_QUEUED, REASON_NONE);
}

/* A policy lets it go while the identity is in doubt: it waits for that then. */
static void whatever_lets_it_go_asks_for_the_identity(void **state)
{
	struct fixture *f = *state;
	const struct its its = { "1.2.3.1", "4711", INS, true, -1 };
	struct store_arrival next = of_patient(f, &its);
	struct ulid doc;
	size_t count;

	next.state = DOC_HELD;
	next.reason = REASON_POLICY_HOLD;
	next.release_ms = f->now_ms + HOUR_MS;
	doc = take_in(f, &next).doc;
	say(f, "4711", NULL, 0);
	assert_stands(f, doc, DOC_HELD, REASON_POLICY_HOLD);
	f->now_ms += 2 * HOUR_MS;
	ok(store_release_due(f->store, f->now_ms, 10, &count, &err));
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_QUALIFIED);
	say(f, "4711", INS, 1);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void a_new_version_waits_behind_the_one_that_waits(void **state)
{
	struct fixture *f = *state;
	const struct its its = { "1.2.3.2", "4711", INS, false, -1 };
	const struct ulid first = bring(f, &(struct its){ "1.2.3.1", "4711", INS, false, -1 });
	struct store_arrival next = of_patient(f, &its);
	struct ulid second;

	next.action = "replace";
	next.follows = "1.2.3.1";
	second = take_in(f, &next).doc;
	assert_int_equal(say(f, "4711", INS, 0).released, 2);
	assert_stands(f, first, DOC_QUEUED, REASON_NONE);
	assert_stands(f, second, DOC_HELD, REASON_WAITING_PREDECESSOR);
	end(f, first, DOC_DELIVERED);
	assert_stands(f, second, DOC_QUEUED, REASON_NONE);
}

static void an_opposition_holds_whoever_is_qualified(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, false, -1 });

	note_choice(f, STORE_OPPOSED);
	assert_stands(f, doc, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	say(f, "4711", INS, 0);
	assert_stands(f, doc, DOC_REFUSED, REASON_PATIENT_OPPOSED);
	f->now_ms += 1000;
	note_choice(f, STORE_NOT_OPPOSED);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void who_is_not_opposed_any_more_waits_for_the_identity_all_the_same(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, true, -1 });

	note_choice(f, STORE_OPPOSED);
	say(f, "4711", NULL, 0);
	f->now_ms += 1000;
	note_choice(f, STORE_NOT_OPPOSED);
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_QUALIFIED);
	say(f, "4711", INS, 1);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void an_ins_that_was_wrong_holds_what_bears_it(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, true, 0 });

	say(f, "4711", NEW_INS, 1);
	assert_stands(f, doc, DOC_HELD, REASON_INS_CHANGED);
	assert_false(release(f, doc, true).refusal == NULL); /* nobody sends it under another's */
	say(f, "4711", INS, 2);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void birth_date_and_sex_must_agree(void **state)
{
	struct fixture *f = *state;
	const struct its its = { "1.2.3.1", "4711", INS, false, -1 };
	struct store_arrival next = of_patient(f, &its);
	struct ulid doc;

	next.subject.traits = "19790328F";
	doc = take_in(f, &next).doc;
	note(f, &(struct store_identity){ .locals = { { DOMAIN, "4711" } },
					  .local_count = 1,
					  .has_status = true,
					  .ins = INS,
					  .ins_oid = OID,
					  .traits = "19790329F",
					  .said_ms = f->now_ms });
	assert_stands(f, doc, DOC_HELD, REASON_INS_CHANGED);
	say(f, "4711", INS, 1); /* silent about them: nothing is contradicted */
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void who_forces_it_answers_for_the_identity_until_a_later_word(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, false, -1 });
	struct store_outcome again;

	say(f, "4711", NULL, -1);
	assert_int_equal(release(f, doc, true).to, DOC_QUEUED);
	assert_true(is_due(f, doc));
	again = outcome(f, doc, DOC_QUEUED);
	settle(f, &again);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	say(f, "4711", NULL, 1);
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_QUALIFIED);
}

static void what_carries_no_ins_is_not_forced(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", NULL, false, -1 });

	assert_non_null(release(f, doc, true).refusal);
	say(f, "4711", INS, 0);
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_IN_DOCUMENT);
	assert_non_null(release(f, doc, true).refusal);
}

/* ---- what is built here ---- */

static void what_is_built_here_is_built_with_what_is_known_when_it_leaves(void **state)
{
	struct fixture *f = *state;
	const struct its its = { "1.2.3.1", "4711", NULL, false, UNSAID };
	struct store_arrival next = of_patient(f, &its);
	scoped(buf_done) struct buf facts = { 0 };
	struct ulid doc;

	next.subject.is_rebuilt = true;
	doc = take_in(f, &next).doc;
	ok(store_load_facts(f->store, &doc, &facts, &err));
	assert_int_equal(facts.n, 0);
	note(f, &(struct store_identity){ .locals = { { DOMAIN, "4711" } },
					  .local_count = 1,
					  .has_status = true,
					  .ins = INS,
					  .ins_oid = OID,
					  .facts = slice_of("who it is"),
					  .said_ms = f->now_ms });
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	ok(store_load_facts(f->store, &doc, &facts, &err));
	assert_true(slice_is(buf_slice(&facts), "who it is"));
	note_choice(f, STORE_OPPOSED); /* it is the patient's now */
	assert_stands(f, doc, DOC_REFUSED, REASON_PATIENT_OPPOSED);
}

static void who_the_patient_is_goes_with_the_body(void **state)
{
	struct fixture *f = *state;
	const struct its its = { "1.2.3.1", "4711", NULL, false, UNSAID };
	struct store_arrival next = of_patient(f, &its);
	scoped(buf_done) struct buf facts = { 0 };
	struct ulid doc;
	size_t count;

	next.subject.is_rebuilt = true;
	doc = take_in(f, &next).doc;
	note(f, &(struct store_identity){ .locals = { { DOMAIN, "4711" } },
					  .local_count = 1,
					  .has_status = true,
					  .ins = INS,
					  .ins_oid = OID,
					  .facts = slice_of("who it is"),
					  .said_ms = f->now_ms });
	end(f, doc, DOC_DELIVERED);
	ok(store_load_facts(f->store, &doc, &facts, &err));
	assert_true(slice_is(buf_slice(&facts), "who it is"));
	ok(store_begin(f->store, &err));
	ok(store_purge(f->store, f->now_ms, f->now_ms, 10, &count, &err));
	ok(store_commit(f->store, &err));
	assert_int_equal(count, 1);
	buf_clear(&facts);
	ok(store_load_facts(f->store, &doc, &facts, &err));
	assert_int_equal(facts.n, 0);
}

/* ---- mergers ---- */

static void documents_follow_the_one_that_remains(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4712", INS, false, -1 });

	merge(f, "4712", "4711", INS, 0);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	say(f, "4711", NULL, 1);
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_QUALIFIED);
	merge(f, "4711", "4710", INS, 2); /* and on */
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	assert_stands(f, bring(f, &(struct its){ "1.2.3.2", "4712", INS, false, -1 }), DOC_QUEUED,
		      REASON_NONE);
}

static void one_merged_into_a_patient_of_another_ins_waits(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4712", INS, true, -1 });

	merge(f, "4712", "4711", NEW_INS, 0);
	assert_stands(f, doc, DOC_HELD, REASON_INS_CHANGED);
}

static void a_merger_that_comes_late_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4712", INS, true, -3 });

	assert_true(merge(f, "4712", "4711", INS, 0).is_newest);
	assert_false(merge(f, "4712", "4713", NULL, -1).is_newest);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void one_merged_into_whom_nobody_knows_waits(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4712", INS, true, -1 });

	merge(f, "4712", "4711", NULL, 0);
	assert_stands(f, doc, DOC_HELD, REASON_INS_NOT_QUALIFIED);
	say(f, "4711", INS, 1);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void mergers_in_a_circle_end(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4712", INS, false, -1 });

	merge(f, "4712", "4711", INS, 0);
	merge(f, "4711", "4712", INS, 1); /* the other way round after all */
	merge(f, "4712", "4711", INS, 0); /* again, and late */
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
	merge(f, "4711", "4711", INS, 2);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

/* ---- after it was delivered ---- */

static uint64_t misplaced(struct fixture *f)
{
	int64_t oldest_ms;
	uint64_t count;

	ok(store_count_misplaced(f->store, &count, &oldest_ms, &err));
	assert_int_equal(oldest_ms, count ? f->now_ms : INT64_MAX);
	return count;
}

static struct ulid deliver(struct fixture *f, const char *id, const char *ipp)
{
	const struct ulid doc = bring(f, &(struct its){ id, ipp, INS, true, -1 });

	end(f, doc, DOC_DELIVERED);
	return doc;
}

static void what_was_delivered_under_a_wrong_ins_is_known(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = deliver(f, "1.2.3.1", "4711");

	assert_int_equal(say(f, "4711", INS, 0).misplaced, 0);
	assert_int_equal(misplaced(f), 0);
	assert_int_equal(say(f, "4711", NEW_INS, 1).misplaced, 1);
	assert_stands(f, doc, DOC_DELIVERED, REASON_INS_CHANGED);
	assert_int_equal(misplaced(f), 1);
	assert_int_equal(say(f, "4711", NEW_INS, 2).misplaced, 0); /* once */
	say(f, "4711", INS, 3);
	assert_stands(f, doc, DOC_DELIVERED, REASON_NONE);
	assert_int_equal(misplaced(f), 0);
	assert_whole(f);
}

static void an_ins_that_is_withdrawn_is_no_longer_its_patient_s(void **state)
{
	struct fixture *f = *state;

	deliver(f, "1.2.3.1", "4711");
	say(f, "4711", INS, 0);
	assert_int_equal(say(f, "4711", NULL, 1).misplaced, 1);
}

/* Where no ADT ever qualified it, one that calls it provisional takes nothing away. */
static void a_word_that_takes_nothing_away_misplaces_nothing(void **state)
{
	struct fixture *f = *state;

	deliver(f, "1.2.3.1", "4711");
	assert_int_equal(say(f, "4711", NULL, 0).misplaced, 0);
	assert_int_equal(note(f, &(struct store_identity){ .locals = { { DOMAIN, "4711" } },
							   .local_count = 1,
							   .has_status = true,
							   .is_withdrawn = true,
							   .said_ms = at(f, 1) })
				 .misplaced,
			 1);
}

static void a_merger_after_the_delivery_is_told(void **state)
{
	struct fixture *f = *state;

	deliver(f, "1.2.3.1", "4712");
	assert_int_equal(merge(f, "4712", "4711", INS, 0).misplaced, 0);
	assert_int_equal(merge(f, "4712", "4711", NEW_INS, 1).misplaced, 1);
}

static void a_word_that_comes_while_it_is_sent_is_heeded_when_it_is_over(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, true, -1 });
	const struct ulid next = bring(f, &(struct its){ "1.2.3.2", "4712", INS, true, -1 });
	struct store_due due[4];
	int64_t next_ms;
	const struct store_outcome delivered = outcome(f, doc, DOC_DELIVERED),
				   again = outcome(f, next, DOC_QUEUED);

	assert_int_equal(claim(f, 4, due, &next_ms), 2);
	say(f, "4711", NEW_INS, 0);
	say(f, "4712", NEW_INS, 0);
	assert_stands(f, doc, DOC_SENDING, REASON_NONE);
	settle(f, &delivered);
	settle(f, &again);
	assert_stands(f, doc, DOC_DELIVERED, REASON_INS_CHANGED);
	assert_stands(f, next, DOC_HELD, REASON_INS_CHANGED);
}

static void one_that_was_taken_back_is_misplaced_no_more(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = deliver(f, "1.2.3.1", "4711");
	struct store_recall recall = { .doc = doc,
				       .body = slice_of("1.2.3.1"),
				       .metadata = slice_of("{}"),
				       .actor = "anne",
				       .now_ms = f->now_ms };
	struct store_ordered ordered;

	recall.deletion = ulid_new(f->now_ms);
	say(f, "4711", NEW_INS, 0);
	assert_int_equal(misplaced(f), 1);
	ok(store_begin(f->store, &err));
	ok(store_recall(f->store, &recall, &ordered, &err));
	ok(store_commit(f->store, &err));
	assert_null(ordered.refusal);
	assert_int_equal(ordered.from, DOC_DELIVERED);
	assert_int_equal(ordered.to, DOC_QUEUED);
	assert_int_equal(misplaced(f), 0);
	end(f, recall.deletion, DOC_DELIVERED); /* whatever the identity is */
}

/* The deletion withdrew it before it was sent; it came again since. */
static void one_whose_deletion_came_to_nothing_is_misplaced(void **state)
{
	struct fixture *f = *state;
	const struct its its = { "1.2.3.1", "4711", INS, true, -1 };
	const struct ulid doc = bring(f, &its);

	delete_one(f, its.id);
	bring(f, &its);
	end(f, doc, DOC_DELIVERED);
	say(f, "4711", NEW_INS, 0);
	assert_int_equal(misplaced(f), 1);
}

/* ---- how it is kept ---- */

static void what_nothing_is_heard_of_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct ulid doc;
	uint64_t count;
	size_t gone;

	say(f, "4711", INS, 0);
	say(f, "4712", NEW_INS, 0);
	say(f, "4713", NULL, 0);
	doc = bring(f, &(struct its){ "1.2.3.1", "4711", INS, false, 1 });
	ok(store_count_identities(f->store, &count, &err));
	assert_int_equal(count, 8); /* two names each, and two INS */
	ok(store_purge_identities(f->store, f->now_ms - 1, 100, &gone, &err));
	assert_int_equal(gone, 0);
	ok(store_purge_identities(f->store, f->now_ms, 100, &gone, &err));
	assert_int_equal(gone, 6); /* but the two names of whom a document waits */
	ok(store_purge_identities(f->store, f->now_ms + 300 * DAY_MS, 100, &gone, &err));
	assert_int_equal(gone, 0);
	say(f, "4711", INS, 1);
	end(f, doc, DOC_DELIVERED);
	ok(store_purge_identities(f->store, f->now_ms + 302 * DAY_MS, 100, &gone, &err));
	ok(store_count_identities(f->store, &count, &err));
	assert_int_equal(count, 0);
}

static void it_survives_a_restart(void **state)
{
	struct fixture *f = *state;
	const struct ulid doc = bring(f, &(struct its){ "1.2.3.1", "4712", INS, false, -1 });

	merge(f, "4712", "4711", NULL, -1);
	store_free(&f->store);
	open_store(f);
	say(f, "4711", INS, 0);
	assert_stands(f, doc, DOC_QUEUED, REASON_NONE);
}

static void count_clear(void *arg, const char *text, const void *bytes, size_t n)
{
	*(int *)arg += memmem(bytes, n, text, strlen(text)) != NULL;
}

/* Neither INS nor IPP, nor, with a key, anything of the facts. */
static void nothing_of_the_patient_is_in_clear(void **state)
{
	static const char keys[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	static const char *const words[] = { INS, "I-4711", "who it is" };
	struct fixture *f = *state;
	struct keyring *keyring;
	const struct its its = { "1.2.3.1", "I-4711", INS, false, UNSAID };
	struct store_arrival next = of_patient(f, &its);
	scoped(buf_done) struct buf facts = { 0 };
	struct ulid doc;
	char part[4096];
	size_t n;
	int clear = 0;
	FILE *file;

	store_free(&f->store);
	ok(keyring_read(&keyring, slice_of(keys), &err));
	f->settings.keys = keyring;
	open_store(f);
	next.subject.is_rebuilt = true;
	doc = take_in(f, &next).doc;
	note(f, &(struct store_identity){ .locals = { { DOMAIN, "I-4711" } },
					  .local_count = 1,
					  .has_status = true,
					  .ins = INS,
					  .ins_oid = OID,
					  .facts = slice_of("who it is"),
					  .said_ms = f->now_ms });
	ok(store_load_facts(f->store, &doc, &facts, &err));
	assert_true(slice_is(buf_slice(&facts), "who it is"));
	store_free(&f->store);
	file = fopen(f->path, "rb");
	assert_non_null(file);
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		for (size_t i = 0; i < length_of(words); i++)
			count_clear(&clear, words[i], part, n);
	fclose(file);
	assert_int_equal(clear, 0);
	open_store(f);
	keyring_free(&keyring);
	f->settings.keys = NULL;
}

/* The version after it names it, and is the right patient's; it is not. */
static void what_goes_after_all_waits_for_its_patient(void **state)
{
	struct fixture *f = *state;
	const struct its first = { "1.2.3.1", "P1", INS, true, 1 };
	const struct its second = { "1.2.3.2", "P1", INS, true, 2 };
	const struct its third = { "1.2.3.3", "P1", NEW_INS, true, 4 };
	struct store_arrival next = of_patient(f, &first);
	struct ulid suppressed;

	next.content = said(SAME);
	end(f, take_in(f, &next).doc, DOC_DELIVERED);
	next = of_patient(f, &second);
	next.action = "replace";
	next.follows = first.id;
	next.content = said(SAME);
	suppressed = take_in(f, &next).doc;
	assert_int_equal(last_of(f, suppressed).state, DOC_SUPPRESSED);
	say(f, "P1", NEW_INS, 3);
	next = of_patient(f, &third);
	next.action = "replace";
	next.follows = second.id;
	next.content = said(OTHER);
	assert_waits(take_in(f, &next));
	assert_int_equal(last_of(f, suppressed).state, DOC_HELD);
	assert_int_equal(last_of(f, suppressed).reason, REASON_INS_CHANGED);
	assert_int_equal(counts(f).documents[DOC_QUEUED], 0);
	assert_whole(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_judged_by_the_newest_word),
		test(documents_leave_in_the_order_in_which_they_came),
		test(a_word_that_comes_after_the_document_lets_it_go),
		test(another_patient_s_documents_stay),
		cmocka_unit_test(either_name_of_the_domain_leads_to_the_patient),
		test(a_document_without_a_local_number_is_found_by_its_ins),
		test(what_comes_late_or_again_changes_nothing),
		test(what_else_holds_it_goes_on_holding_it),
		test(whatever_lets_it_go_asks_for_the_identity),
		test(a_new_version_waits_behind_the_one_that_waits),
		test(an_opposition_holds_whoever_is_qualified),
		test(who_is_not_opposed_any_more_waits_for_the_identity_all_the_same),
		test(an_ins_that_was_wrong_holds_what_bears_it),
		test(birth_date_and_sex_must_agree),
		test(who_forces_it_answers_for_the_identity_until_a_later_word),
		test(what_carries_no_ins_is_not_forced),
		test(what_is_built_here_is_built_with_what_is_known_when_it_leaves),
		test(who_the_patient_is_goes_with_the_body),
		test(documents_follow_the_one_that_remains),
		test(one_merged_into_a_patient_of_another_ins_waits),
		test(a_merger_that_comes_late_changes_nothing),
		test(one_merged_into_whom_nobody_knows_waits),
		test(mergers_in_a_circle_end),
		test(what_was_delivered_under_a_wrong_ins_is_known),
		test(an_ins_that_is_withdrawn_is_no_longer_its_patient_s),
		test(a_word_that_takes_nothing_away_misplaces_nothing),
		test(a_merger_after_the_delivery_is_told),
		test(a_word_that_comes_while_it_is_sent_is_heeded_when_it_is_over),
		test(one_that_was_taken_back_is_misplaced_no_more),
		test(one_whose_deletion_came_to_nothing_is_misplaced),
		test(what_nothing_is_heard_of_is_forgotten),
		test(it_survives_a_restart),
		test(nothing_of_the_patient_is_in_clear),
		test(what_goes_after_all_waits_for_its_patient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
