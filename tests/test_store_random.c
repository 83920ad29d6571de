/* Sequences that nobody thought of, against a DMP of a few lines: documents, their versions and deletions come in any
 * order and again, attempts end in any way or with the process, people and authorities say what they like. After
 * each step what is promised holds; and once everybody has let go, nothing waits any more, and nothing is shown
 * that its source deleted last.
 *
 * Each sequence is one transaction that is taken back: hundreds of them take seconds. One follows from its number:
 * DMPFEED_SEED says with which to begin, DMPFEED_ROUNDS how many there are, DMPFEED_TELL=1 tells the steps.
 */
#include <stdlib.h>

#include "queue/order.h"
#include "queue/store_pair.h"
#include "queue/store_stay.h"
#include "store_versions.h"

#define INS "279035121518989"
#define NEW_INS "277076322082910"
#define OID "1.2.250.1.213.1.4.10"
#define DOMAIN "1.2.250.1.999.1"

enum { ROUNDS = 600, STEPS = 40, IDS = 5, MINUTE = 60000 };

/* ---- what there is ---- */

/* The first, two versions one of the other, another version of the first, and a document of its own. */
static const struct {
	const char *id, *of, *content, *ins;
} papers[IDS] = {
	{ "1.2.3.1", NULL, SAME, INS },           { "1.2.3.2", "1.2.3.1", SAME, INS },
	{ "1.2.3.3", "1.2.3.2", OTHER, NEW_INS }, { "1.2.3.4", "1.2.3.1", OTHER, INS },
	{ "1.2.3.5", NULL, OTHER, INS },
};

enum held { NEVER, SHOWN, REPLACED, DELETED };

/* What the store is to be held against. */
struct world {
	struct fixture *f;
	uint64_t dice;
	unsigned seed;
	bool tells;
	enum held dmp[IDS];
	struct ulid docs[IDS][2]; /* a document, its deletion */
	bool there[IDS][2];
	bool delivered[IDS][2], tried[IDS][2];
	bool is_forced[IDS][2]; /* a person sent it out of order */
	int turn[IDS][2], turns;
	bool is_ordered; /* a person has meddled: the source does not have the last word any more */
	enum {
		NOTHING,
		THE_DOCUMENT,
		ITS_DELETION
	} last[IDS]; /* that the source said, and was taken */
	bool opposed, discreet;
	const char *ins; /* as the authority has it; NULL: it is not qualified */
	int64_t counted[DOC_STATE_COUNT];
};

static unsigned roll(struct world *w, unsigned sides)
{
	w->dice = w->dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->dice >> 33) % sides;
}

static void tell(const struct world *w, const char *what, size_t paper, int which, const char *how)
{
	if (w->tells)
		print_message("  %s %s%s %s\n", what, which ? "deletion of " : "", papers[paper].id,
			      how);
}

static void promise(const struct world *w, const char *what, bool kept)
{
	if (!kept)
		fail_msg("DMPFEED_SEED=%u: %s", w->seed, what);
}

/* ---- each change ---- */

static void begin(struct world *w)
{
	w->f->now_ms += 1 + roll(w, MINUTE);
	ok(store_savepoint(w->f->store, &err));
}

static void end_change(struct world *w)
{
	struct store_moves moves = store_take_moves(w->f->store);

	for (size_t i = 0; i < DOC_STATE_COUNT; i++)
		w->counted[i] += moves.change[i];
	store_moves_done(&moves);
	store_savepoint_release(w->f->store);
}

struct seen {
	enum doc_state state;
	enum reason reason;
};

static void see(void *arg, const struct store_row *row)
{
	*(struct seen *)arg = (struct seen){ row->state, row->reason };
}

static void ignore(void *arg, const struct store_event *event)
{
	(void)arg, (void)event;
}

static struct seen look(const struct world *w, size_t paper, int which)
{
	struct seen seen = { 0 };

	ok(store_show(w->f->store, &w->docs[paper][which], see, ignore, &seen, &err));
	return seen;
}

/* A deletion goes whatever is said of the patient; and people may insist. */
static void check_queued(const struct world *w, size_t paper)
{
	const char *ins = papers[paper].ins;

	promise(w, "nothing of who opposes it is queued", !w->opposed || strcmp(ins, INS) != 0);
	promise(w, "nothing of another's INS is queued",
		w->ins == NULL || strcmp(ins, w->ins) == 0);
	promise(w, "nothing of a discreet stay is queued", !w->discreet);
}

static void check_one(const struct world *w, size_t paper, int which)
{
	const struct seen seen = look(w, paper, which);

	promise(w, "what was delivered stays so",
		!w->delivered[paper][which] || seen.state == DOC_DELIVERED);
	promise(w, "every state has its reason",
		seen.state == DOC_DELIVERED || seen.state == DOC_SENDING ||
			seen.state == DOC_QUEUED || seen.reason != REASON_NONE);
	if (seen.state == DOC_QUEUED && which == 0 && !w->is_ordered)
		check_queued(w, paper);
}

static void check(const struct world *w)
{
	const struct store_counts is = counts(w->f);

	for (size_t i = 0; i < DOC_STATE_COUNT; i++)
		promise(w, "the states are counted as they are",
			w->counted[i] == (int64_t)is.documents[i]);
	for (size_t i = 0; i < 2 * IDS; i++)
		if (w->there[i / 2][i % 2])
			check_one(w, i / 2, i % 2);
}

/* ---- the source ---- */

static void take_last_turn(struct world *w, size_t paper, int which)
{
	w->turn[paper][which] = ++w->turns;
	w->is_forced[paper][which] = false;
	if (which == 0) {
		w->turn[paper][1] = ++w->turns; /* not before what it deletes */
		w->is_forced[paper][1] = false;
	}
}

static void come_in(struct world *w, size_t paper, int which)
{
	static const struct {
		enum doc_state state;
		enum reason reason;
	} decisions[] = {
		{ DOC_QUEUED, REASON_NONE },
		{ DOC_QUEUED, REASON_NONE },
		{ DOC_QUEUED, REASON_NONE },
		{ DOC_HELD, REASON_POLICY_HOLD },
		{ DOC_HELD, REASON_INS_NOT_QUALIFIED },
		{ DOC_CANCELLED, REASON_NOT_FOR_DMP },
	};
	const size_t decided = roll(w, length_of(decisions));
	const bool waits =
		w->there[paper][which] && look(w, paper, which).state == DOC_HELD && which == 0;
	struct store_arrival next =
		version(w->f, papers[paper].id, papers[paper].of, papers[paper].content);
	struct store_receipt receipt;

	if (which == 1) {
		next = arrival(w->f, papers[paper].id, papers[paper].id);
		next.action = "delete";
		next.follows = papers[paper].id;
	}
	next.ins = papers[paper].ins;
	next.ins_oid = OID;
	next.facts.stay = "STAY";
	next.state = decisions[decided].state;
	next.reason = decisions[decided].reason;
	next.release_ms =
		next.reason == REASON_POLICY_HOLD && roll(w, 2) ? w->f->now_ms + 10 * MINUTE : 0;
	next.supersedes = w->seed % 2;
	next.subject = (struct store_subject){
		.locals = { { DOMAIN, "P1" } },
		.is_qualified = next.reason != REASON_INS_NOT_QUALIFIED,
		.said_ms = w->f->now_ms,
	};
	begin(w);
	ok(store_take_in(w->f->store, &next, &receipt, &err));
	end_change(w);
	tell(w,
	     receipt.taken == STORE_NEW       ? "new"
	     : receipt.taken == STORE_KNOWN   ? "known"
	     : receipt.taken == STORE_FOREIGN ? "foreign"
					      : "taken up",
	     paper, which, reason_row(receipt.reason)->code);
	w->docs[paper][which] = receipt.doc;
	w->there[paper][which] = true;
	if (!waits && (receipt.taken == STORE_NEW || receipt.taken == STORE_TAKEN_UP))
		take_last_turn(w, paper, which);
	if (next.reason == REASON_NOT_FOR_DMP ||
	    (receipt.taken == STORE_KNOWN && receipt.state != DOC_SUPPRESSED &&
	     (doc_state_is_final(receipt.state) || receipt.state == DOC_SENDING)))
		return;
	if (which == 0 && receipt.taken == STORE_KNOWN)
		return; /* it changed nothing, and changes nothing now */
	w->last[paper] = which ? ITS_DELETION : THE_DOCUMENT;
}

/* ---- the DMP ---- */

static bool find(const struct world *w, struct ulid doc, size_t *ret_paper, int *ret_which)
{
	for (size_t i = 0; i < IDS; i++)
		for (int which = 0; which < 2; which++)
			if (w->there[i][which] &&
			    memcmp(&w->docs[i][which], &doc, sizeof(doc)) == 0) {
				*ret_paper = i;
				*ret_which = which;
				return true;
			}
	return false;
}

static size_t target_of(const struct world *w, struct ulid doc)
{
	scoped(buf_done) struct buf target = { 0 };
	size_t i = 0;

	ok(store_target(w->f->store, &doc, &target, &err));
	while (i < IDS && !slice_is(buf_slice(&target), papers[i].id))
		i++;
	return i;
}

static bool holds(const struct world *w, size_t paper)
{
	return paper < IDS && (w->dmp[paper] == SHOWN || w->dmp[paper] == REPLACED);
}

static struct store_outcome rejected(const struct store_outcome *of, enum reason reason)
{
	struct store_outcome outcome = *of;

	outcome.state = DOC_REJECTED;
	outcome.reason = reason;
	return outcome;
}

/* What the course makes of what the DMP answers, and what the DMP has then. */
static struct store_outcome delete_there(struct world *w, const struct store_due *due, size_t paper)
{
	struct store_outcome outcome = { .doc = due->doc, .state = DOC_DELIVERED };

	if (!holds(w, paper))
		return due->doubtful ? outcome : rejected(&outcome, REASON_PREDECESSOR_UNKNOWN);
	w->dmp[paper] = DELETED;
	return outcome;
}

static struct store_outcome send_there(struct world *w, const struct store_due *due, size_t paper)
{
	struct store_outcome outcome = { .doc = due->doc, .state = DOC_DELIVERED };
	const size_t target = papers[paper].of ? target_of(w, due->doc) : IDS;

	if (papers[paper].of != NULL && !(due->as_new && !holds(w, target))) {
		if (due->doubtful && holds(w, paper))
			return outcome; /* confirmed by its presence */
		if (!holds(w, target))
			return rejected(&outcome, REASON_PREDECESSOR_UNKNOWN);
		if (w->dmp[target] == REPLACED)
			return rejected(&outcome, REASON_DMP_ERROR);
		w->dmp[target] = REPLACED;
	}
	if (w->dmp[paper] != NEVER)
		return due->doubtful ? outcome : rejected(&outcome, REASON_DUPLICATE_FOREIGN);
	w->dmp[paper] = SHOWN;
	return outcome;
}

/* ---- an attempt ---- */

static void settle_one(struct world *w, const struct store_outcome *outcome)
{
	begin(w);
	ok(store_settle(w->f->store, outcome, &err));
	end_change(w);
}

/* It is done or not, and is answered, or the answer or the process is lost. */
static void try_one(struct world *w, const struct store_due *due, bool is_fair)
{
	struct store_outcome outcome = { .doc = due->doc,
					 .state = DOC_QUEUED,
					 .doubtful = due->doubtful };
	const unsigned fate = is_fair ? 9 : roll(w, 12);
	struct store_recovered recovered;
	size_t paper = 0;
	int which = 0;

	promise(w, "what leaves is known", find(w, due->doc, &paper, &which));
	promise(w, "what was delivered is not sent again", !w->delivered[paper][which]);
	w->tried[paper][which] = true;
	if (fate >= 2)
		outcome = which ? delete_there(w, due, paper) : send_there(w, due, paper);
	if (fate == 2 || fate == 0) { /* killed, after or before */
		tell(w, "killed in", paper, which, fate ? "done" : "not done");
		begin(w);
		ok(store_recover(w->f->store, w->f->now_ms, &recovered, &err));
		end_change(w);
		return;
	}
	if (fate == 3) { /* the answer is lost */
		outcome = (struct store_outcome){ .doc = due->doc,
						  .state = DOC_QUEUED,
						  .doubtful = true };
	} else if (fate == 1) {
		static const struct seen ends[] = { { DOC_REJECTED, REASON_DMP_ERROR },
						    { DOC_REJECTED, REASON_TOO_OLD },
						    { DOC_REFUSED, REASON_DMP_ABSENT },
						    { DOC_QUEUED, REASON_RETRYING } };
		const struct seen end = ends[roll(w, 4)];

		outcome.state = end.state;
		outcome.reason = end.reason;
	}
	if (outcome.state == DOC_QUEUED && outcome.reason == REASON_NONE)
		outcome.reason = REASON_DOUBTFUL;
	if (outcome.state != DOC_DELIVERED)
		outcome.doubtful |= due->doubtful;
	outcome.now_ms = w->f->now_ms;
	outcome.next_attempt_ms = w->f->now_ms + (is_fair ? 0 : roll(w, 5) * MINUTE);
	outcome.attempt_counts = roll(w, 3) > 0;
	outcome.code = outcome.text = outcome.note = "";
	tell(w, doc_state_text(outcome.state), paper, which, reason_row(outcome.reason)->code);
	w->delivered[paper][which] = outcome.state == DOC_DELIVERED;
	settle_one(w, &outcome);
}

/* It, or another of the same document, came before and is under way. */
static void check_turn(const struct world *w, size_t paper, int which)
{
	const size_t target = target_of(w, w->docs[paper][which]);

	if (target == IDS || w->is_forced[paper][which])
		return;
	for (int i = 0; i < 2; i++)
		promise(w, "what leaves does not pass what it follows",
			!w->there[target][i] || (target == paper && i == which) ||
				w->turn[target][i] > w->turn[paper][which] ||
				doc_state_is_final(look(w, target, i).state));
}

/* Another that replaces or deletes the same is on its way. */
static void check_alone(const struct world *w, size_t paper, int which)
{
	const size_t target = target_of(w, w->docs[paper][which]);

	if (target == IDS || w->is_forced[paper][which])
		return;
	for (size_t i = 0; i < 2 * IDS; i++)
		promise(w, "what leaves does not go beside another of the same document",
			!w->there[i / 2][i % 2] || i == 2 * paper + (size_t)which ||
				w->is_forced[i / 2][i % 2] ||
				target_of(w, w->docs[i / 2][i % 2]) != target ||
				look(w, i / 2, i % 2).state != DOC_SENDING);
}

/* Several leave at once; between the claim and the answer others may come. */
static void step(struct world *w);

static size_t send_some(struct world *w, bool is_fair)
{
	struct store_due due[3];
	size_t count;
	int64_t next_ms;

	begin(w);
	ok(store_claim(w->f->store, lane, w->f->now_ms, is_fair ? 3 : 1 + roll(w, 3), due, &count,
		       &next_ms, &err));
	end_change(w);
	for (size_t i = 0; i < count; i++) {
		size_t paper = 0;
		int which = 0;

		promise(w, "what leaves is known", find(w, due[i].doc, &paper, &which));
		check_turn(w, paper, which);
		check_alone(w, paper, which);
	}
	for (size_t i = 0; i < count; i++) {
		size_t paper = 0;
		int which = 0;

		if (!is_fair && roll(w, 2))
			step(w);
		promise(w, "what leaves is known", find(w, due[i].doc, &paper, &which));
		if (look(w, paper, which).state == DOC_SENDING) /* not so after a kill */
			try_one(w, &due[i], is_fair);
	}
	return count;
}

/* ---- people, and those who answer for patients ---- */

/* Two that replace the same are the two forms of one content, in some sequences. */
static void tie(struct world *w)
{
	begin(w);
	ok(store_note_pair(w->f->store, (const struct ulid[]){ w->docs[1][0], w->docs[3][0] },
			   &err));
	end_change(w);
}

static void check_given_up(const struct world *w, const struct store_ordered *ordered)
{
	size_t paper = 0;
	int which = 0;

	if (find(w, ordered->other, &paper, &which))
		promise(w, "with one form the other is given up",
			doc_state_is_final(look(w, paper, which).state));
}

static void order_it(struct world *w, size_t paper, int which)
{
	const struct store_order order = {
		.doc = w->docs[paper][which],
		.order = (enum order)roll(w, ORDER_COUNT),
		.force = roll(w, 4) == 0,
		.actor = "anne",
		.now_ms = w->f->now_ms,
	};
	struct store_ordered ordered;

	begin(w);
	ok(store_order(w->f->store, &order, &ordered, &err));
	end_change(w);
	check_given_up(w, &ordered);
	w->is_ordered |= ordered.refusal == NULL;
	w->is_forced[paper][which] |= ordered.refusal == NULL && order.force;
	tell(w, order_text(order.order), paper, which, ordered.refusal ? "refused" : "done");
}

static void recall_it(struct world *w, size_t paper)
{
	const struct store_recall recall = {
		.doc = w->docs[paper][0],
		.deletion = ulid_new(w->f->now_ms),
		.body = slice_of("deletion"),
		.metadata = slice_of("{}"),
		.actor = "anne",
		.now_ms = w->f->now_ms,
	};
	struct store_ordered ordered;

	begin(w);
	ok(store_recall(w->f->store, &recall, &ordered, &err));
	end_change(w);
	tell(w, "recall", paper, 0, ordered.refusal ? ordered.refusal->english : "done");
	if (ordered.refusal != NULL)
		return;
	w->is_ordered = true;
	w->docs[paper][1] = ordered.deletion;
	w->there[paper][1] = true;
	take_last_turn(w, paper, 1);
}

static void choose(struct world *w, bool opposed)
{
	const struct store_choice choice =
		choice_of(w->f, opposed ? STORE_OPPOSED : STORE_NOT_OPPOSED);
	struct store_noted noted;

	begin(w);
	ok(store_note_choice(w->f->store, &choice, &noted, &err));
	end_change(w);
	w->opposed = opposed;
	tell(w, opposed ? "opposed" : "not opposed", 0, 0, "");
}

static void identify(struct world *w, const char *ins)
{
	const struct store_identity identity = { .locals = { { DOMAIN, "P1" } },
						 .local_count = 1,
						 .has_status = true,
						 .ins = ins,
						 .ins_oid = ins ? OID : "",
						 .said_ms = w->f->now_ms,
						 .now_ms = w->f->now_ms };
	struct store_identified done;

	begin(w);
	ok(store_note_identity(w->f->store, &identity, &done, &err));
	end_change(w);
	w->ins = ins;
	tell(w, "identity", 0, 0, ins ? ins : "not qualified");
}

static void flag(struct world *w, bool discreet)
{
	const struct store_stay stay = {
		.lane = lane,
		.number = "STAY",
		.said_ms = w->f->now_ms,
		.exists = STORE_SAID_YES,
		.discretion.flag = discreet ? STORE_FLAG_DISCREET : STORE_FLAG_OPEN,
		.now_ms = w->f->now_ms,
	};

	begin(w);
	ok(store_note_stay(w->f->store, &stay, &err));
	end_change(w);
	w->discreet = discreet;
	tell(w, discreet ? "discreet" : "open", 0, 0, "");
}

static void release_timed(struct world *w)
{
	size_t count;

	begin(w);
	ok(store_release_due(w->f->store, w->f->now_ms, 9, &count, &err));
	end_change(w);
}

/* ---- a sequence ---- */

static void step(struct world *w)
{
	static const char *const numbers[] = { INS, INS, NULL, NEW_INS };
	const bool has_people = w->seed % 3 == 0, has_others = w->seed % 4 != 1;
	const size_t paper = roll(w, w->seed % 5 == 0 ? IDS : 3);
	const int which = roll(w, 3) == 0;
	const unsigned what = roll(w, 20);

	if (has_people && w->there[1][0] && w->there[3][0])
		tie(w);
	if (what < 9)
		come_in(w, paper, which);
	else if (what < 14)
		send_some(w, false);
	else if (what == 14)
		release_timed(w);
	else if (what < 17 && has_people && w->there[paper][which])
		order_it(w, paper, which);
	else if (what == 17 && has_people && w->there[paper][0])
		recall_it(w, paper);
	else if (what == 18 && has_others)
		identify(w, numbers[roll(w, 4)]);
	else if (what == 19 && has_others && roll(w, 2))
		choose(w, roll(w, 2));
	else if (what == 19 && has_others)
		flag(w, roll(w, 2));
	check(w);
}

/* Of what a person may answer for. */
static bool let_go(struct world *w, size_t paper, int which)
{
	const struct store_order order = { .doc = w->docs[paper][which],
					   .order = ORDER_RELEASE,
					   .actor = "anne",
					   .now_ms = w->f->now_ms };
	const struct seen seen = look(w, paper, which);
	struct store_ordered ordered;

	if (seen.state != DOC_HELD || seen.reason == REASON_WAITING_PREDECESSOR ||
	    seen.reason == REASON_INS_CHANGED)
		return false;
	tell(w, "let go", paper, which, reason_row(seen.reason)->code);
	begin(w);
	ok(store_order(w->f->store, &order, &ordered, &err));
	end_change(w);
	return true;
}

/* Everybody lets go, and the DMP answers. */
static void let_all_go(struct world *w)
{
	struct store_recovered recovered;

	begin(w);
	ok(store_recover(w->f->store, w->f->now_ms, &recovered, &err));
	end_change(w);
	choose(w, false);
	flag(w, false);
	for (int round = 0, quiet = 0; quiet < 4; round++) {
		bool held = false;

		promise(w, "it comes to rest", round < 60);
		w->f->now_ms += 60 * MINUTE;
		identify(w, round % 2 ? NEW_INS : INS);
		release_timed(w);
		for (size_t i = 0; i < 2 * IDS; i++)
			held |= w->there[i / 2][i % 2] && let_go(w, i / 2, i % 2);
		quiet = send_some(w, true) == 0 && !held ? quiet + 1 : 0;
	}
}

static void check_deleted(const struct world *w, size_t paper)
{
	const struct seen deletion = look(w, paper, 1);

	promise(w, "what its source deleted last is not shown",
		deletion.state == DOC_REJECTED || deletion.state == DOC_REFUSED);
	promise(w, "what is deleted was there first",
		deletion.reason != REASON_PREDECESSOR_UNKNOWN);
}

static void check_end(const struct world *w)
{
	struct store_audit audit;

	for (size_t i = 0; i < 2 * IDS; i++)
		promise(w, "what waits for its turn gets it",
			!w->there[i / 2][i % 2] || doc_state_is_final(look(w, i / 2, i % 2).state));
	for (size_t i = 0; i < IDS; i++)
		if (!w->is_ordered && w->last[i] == ITS_DELETION && w->dmp[i] == SHOWN)
			check_deleted(w, i);
	if (w->seed % 50 != 0)
		return;
	ok(store_verify(w->f->store, NULL, NULL, &audit, &err));
	promise(w, "the store is whole", audit.faults == 0);
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void promises_hold_in_any_sequence(void **state)
{
	struct fixture *f = *state;
	const unsigned first = from_environment("DMPFEED_SEED", random_u32() % 1000000);
	const unsigned rounds = from_environment("DMPFEED_ROUNDS", ROUNDS);
	const int64_t from_ms = f->now_ms;

	print_message("# DMPFEED_SEED=%u\n", first);
	for (unsigned seed = first; seed < first + rounds; seed++) {
		struct world w = { .f = f,
				   .dice = seed * UINT64_C(2654435761) + 1,
				   .seed = seed,
				   .tells = getenv("DMPFEED_TELL") != NULL };

		f->now_ms = from_ms;
		ok(store_begin(f->store, &err));
		for (int i = 0; i < STEPS; i++)
			step(&w);
		let_all_go(&w);
		check_end(&w);
		store_rollback(f->store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(promises_hold_in_any_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
