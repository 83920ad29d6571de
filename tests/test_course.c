/* The requests of one delivery, in order, and how it ends: each case is a story told request by
 * request.
 */
#include "sample.h"

#include "dispatch/course.h"

#define INS "279035121518989"
#define OLD "urn:uuid:00000000-0000-4000-8000-000000000001"
#define NEW "urn:uuid:00000000-0000-4000-8000-000000000002"

/* What the DMP answers to a request. */
enum answer {
	NO_MORE,
	DONE,
	ACTIVE,
	CLOSED,
	ABSENT,
	STRANGE,
	FOUND_OLD,
	FOUND_NEW,
	FOUND_NONE,
	FOUND_TWO,
	STALE,
	BUSY,
	SILENCE,
	REFUSED_CLOSED,
	CONFIRMED,
};

static struct reply reply_of(enum answer answer)
{
	struct reply reply = {
		.shape = REPLY_SUCCESS,
		.code = "",
		.text = "",
		.object = "",
		.query_code = "OK",
		.patient_status = "",
		.patient_count = 1,
		.patient_ids = { { INS_OID_TEST, INS } },
		.patient_id_count = 1,
	};

	if (answer == ACTIVE)
		reply.patient_status = "active";
	if (answer == CLOSED)
		reply.patient_status = "terminated";
	if (answer == ABSENT)
		reply.query_code = "NF";
	if (answer == FOUND_OLD || answer == FOUND_TWO)
		reply.object = OLD;
	if (answer == FOUND_NEW)
		reply.object = NEW;
	reply.object_count = answer == FOUND_TWO ? 2 : reply.object[0] != '\0';
	return reply;
}

static struct outcome outcome_for(enum answer answer)
{
	struct outcome outcome = { .note = "", .code = "", .text = "" };

	if (answer == STALE)
		outcome = (struct outcome){ OUTCOME_REJECTED, REASON_DMP_ERROR,
					    .note = "",       .code = "XDSMetadataVersionError",
					    .text = "",       .stale = true };
	if (answer == BUSY)
		outcome.kind = OUTCOME_RETRY;
	if (answer == SILENCE) {
		outcome.kind = OUTCOME_RETRY_LANE;
		outcome.doubtful = true;
	}
	if (answer == REFUSED_CLOSED) {
		outcome.kind = OUTCOME_REFUSED;
		outcome.reason = REASON_DMP_CLOSED;
	}
	if (answer == CONFIRMED)
		outcome.note = "confirmed_by_duplicate";
	return outcome;
}

struct story {
	const char *name;
	enum action action;
	bool check, as_new, doubtful;
	struct {
		enum transaction request;
		const char *entry;
		bool archived;
		enum answer answer;
		bool own;
	} steps[8];
	enum outcome_kind kind;
	enum reason reason;
	const char *note, *code;
	enum existence existence;
};

/* clang-format off */
#define ASK_EXISTENCE(answer) { TRANSACTION_EXISTENCE, "", false, answer, false }
#define ASK_FIND(answer) { TRANSACTION_FIND, "", false, answer, false }
#define ASK_OWN(answer) { TRANSACTION_FIND, "", false, answer, true }
#define SEND(entry, answer) { TRANSACTION_SUBMIT, entry, false, answer, false }
#define DELETE(entry, answer) { TRANSACTION_DELETE, entry, false, answer, false }
#define DELETE_ARCHIVED(entry, answer) { TRANSACTION_DELETE, entry, true, answer, false }
#define DELIVERED OUTCOME_DELIVERED, REASON_NONE

static const struct story stories[] = {
	{ "a new document is one request", ACTION_SUBMIT, false, false, false,
	  { SEND("", DONE) }, DELIVERED, "", "", EXISTENCE_ACTIVE },
	{ "its outcome is the course's", ACTION_SUBMIT, false, false, false,
	  { SEND("", BUSY) }, OUTCOME_RETRY, REASON_NONE, "", "", EXISTENCE_UNKNOWN },
	{ "a duplicate stays said", ACTION_SUBMIT, false, false, true,
	  { SEND("", CONFIRMED) }, DELIVERED, "confirmed_by_duplicate", "", EXISTENCE_ACTIVE },
	{ "a new document names no entry: it cannot be stale", ACTION_SUBMIT, false, false, false,
	  { SEND("", STALE) }, OUTCOME_REJECTED, REASON_DMP_ERROR, "", "XDSMetadataVersionError",
	  EXISTENCE_UNKNOWN },

	{ "existence is asked first", ACTION_SUBMIT, true, false, false,
	  { ASK_EXISTENCE(ACTIVE), SEND("", DONE) }, DELIVERED, "", "", EXISTENCE_ACTIVE },
	{ "a closed DMP is sent nothing", ACTION_SUBMIT, true, false, false,
	  { ASK_EXISTENCE(CLOSED) }, OUTCOME_REFUSED, REASON_DMP_CLOSED, "", "existence",
	  EXISTENCE_CLOSED },
	{ "an absent one neither", ACTION_REPLACE, true, false, false,
	  { ASK_EXISTENCE(ABSENT) }, OUTCOME_REFUSED, REASON_DMP_ABSENT, "", "existence",
	  EXISTENCE_ABSENT },
	{ "a status nobody described stops the lane", ACTION_SUBMIT, true, false, false,
	  { ASK_EXISTENCE(STRANGE) }, OUTCOME_HALT, REASON_LANE_STOPPED, "", "existence",
	  EXISTENCE_UNKNOWN },
	{ "a question not answered now is asked later", ACTION_SUBMIT, true, false, false,
	  { ASK_EXISTENCE(BUSY) }, OUTCOME_RETRY, REASON_NONE, "", "", EXISTENCE_UNKNOWN },
	{ "a DMP closed since is told by the submission", ACTION_SUBMIT, true, false, false,
	  { ASK_EXISTENCE(ACTIVE), SEND("", REFUSED_CLOSED) }, OUTCOME_REFUSED, REASON_DMP_CLOSED,
	  "", "", EXISTENCE_CLOSED },

	{ "what is replaced is found first", ACTION_REPLACE, false, false, false,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, DONE) }, DELIVERED, "", "", EXISTENCE_ACTIVE },
	{ "all three in order", ACTION_REPLACE, true, false, false,
	  { ASK_EXISTENCE(ACTIVE), ASK_FIND(FOUND_OLD), SEND(OLD, DONE) }, DELIVERED, "", "",
	  EXISTENCE_ACTIVE },
	{ "nothing to replace is a rejection", ACTION_REPLACE, false, false, false,
	  { ASK_FIND(FOUND_NONE) }, OUTCOME_REJECTED, REASON_PREDECESSOR_UNKNOWN, "", "not_found",
	  EXISTENCE_UNKNOWN },
	{ "which leaves a doubt", ACTION_REPLACE, false, false, true,
	  { ASK_FIND(FOUND_NONE), ASK_OWN(FOUND_NONE) }, OUTCOME_REJECTED, REASON_PREDECESSOR_UNKNOWN, "", "not_found",
	  EXISTENCE_UNKNOWN },
	{ "as does an answer that nobody described", ACTION_REPLACE, true, false, true,
	  { ASK_EXISTENCE(STRANGE) }, OUTCOME_HALT, REASON_LANE_STOPPED, "", "existence",
	  EXISTENCE_UNKNOWN },
	{ "or a new document, by key", ACTION_REPLACE, false, true, false,
	  { ASK_FIND(FOUND_NONE), SEND("", DONE) }, DELIVERED, "sent_as_new", "",
	  EXISTENCE_ACTIVE },
	{ "which may be a duplicate of ours", ACTION_REPLACE, false, true, true,
	  { ASK_FIND(FOUND_NONE), SEND("", CONFIRMED) }, DELIVERED, "confirmed_by_duplicate", "",
	  EXISTENCE_ACTIVE },
	{ "of two entries none is replaced", ACTION_REPLACE, false, true, false,
	  { ASK_FIND(FOUND_TWO) }, OUTCOME_REJECTED, REASON_DMP_ERROR, "", "find",
	  EXISTENCE_UNKNOWN },
	{ "an entry that changed is found again", ACTION_REPLACE, false, false, false,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_FIND(FOUND_NEW), SEND(NEW, DONE) },
	  DELIVERED, "", "", EXISTENCE_ACTIVE },
	{ "once", ACTION_REPLACE, false, false, false,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_FIND(FOUND_NEW), SEND(NEW, STALE) },
	  OUTCOME_REJECTED, REASON_DMP_ERROR, "", "XDSMetadataVersionError", EXISTENCE_UNKNOWN },
	{ "an entry that went is nothing to replace", ACTION_REPLACE, false, false, false,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_FIND(FOUND_NONE) },
	  OUTCOME_REJECTED, REASON_PREDECESSOR_UNKNOWN, "", "not_found", EXISTENCE_UNKNOWN },
	{ "or leaves a new document, by key", ACTION_REPLACE, false, true, false,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_FIND(FOUND_NONE), SEND("", DONE) },
	  DELIVERED, "sent_as_new", "", EXISTENCE_ACTIVE },
	{ "a replacement in doubt that cannot be done may be there", ACTION_REPLACE, false, false, true,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_OWN(FOUND_NEW) },
	  DELIVERED, "confirmed_by_presence", "", EXISTENCE_UNKNOWN },
	{ "so may one whose predecessor is gone", ACTION_REPLACE, false, false, true,
	  { ASK_FIND(FOUND_NONE), ASK_OWN(FOUND_NEW) },
	  DELIVERED, "confirmed_by_presence", "", EXISTENCE_UNKNOWN },
	{ "or will be told so later", ACTION_REPLACE, false, false, true,
	  { ASK_FIND(FOUND_NONE), ASK_OWN(BUSY) }, OUTCOME_RETRY, REASON_NONE, "", "",
	  EXISTENCE_UNKNOWN },
	{ "it is looked for once", ACTION_REPLACE, false, false, true,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_OWN(FOUND_NONE), ASK_FIND(FOUND_NEW), SEND(NEW, STALE) },
	  OUTCOME_REJECTED, REASON_DMP_ERROR, "", "XDSMetadataVersionError", EXISTENCE_UNKNOWN },
	{ "a question about it that is not answered now is asked later", ACTION_REPLACE, false, false, true,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_OWN(BUSY) },
	  OUTCOME_RETRY, REASON_NONE, "", "", EXISTENCE_UNKNOWN },
	{ "of two entries under its name none is believed", ACTION_REPLACE, false, false, true,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, STALE), ASK_OWN(FOUND_TWO) },
	  OUTCOME_REJECTED, REASON_DMP_ERROR, "", "find", EXISTENCE_UNKNOWN },
	{ "silence ends the attempt", ACTION_REPLACE, false, false, false,
	  { ASK_FIND(FOUND_OLD), SEND(OLD, SILENCE) }, OUTCOME_RETRY_LANE, REASON_NONE, "", "",
	  EXISTENCE_UNKNOWN },

	{ "what is deleted is found first", ACTION_DELETE, false, false, false,
	  { ASK_FIND(FOUND_OLD), DELETE(OLD, DONE) }, DELIVERED, "", "", EXISTENCE_UNKNOWN },
	{ "nothing to delete is a rejection", ACTION_DELETE, false, true, false,
	  { ASK_FIND(FOUND_NONE) }, OUTCOME_REJECTED, REASON_PREDECESSOR_UNKNOWN, "", "not_found",
	  EXISTENCE_UNKNOWN },
	{ "or the end of a deletion in doubt", ACTION_DELETE, false, false, true,
	  { ASK_FIND(FOUND_NONE) }, DELIVERED, "confirmed_by_absence", "", EXISTENCE_UNKNOWN },
	{ "an entry that did not change has another status", ACTION_DELETE, false, false, false,
	  { ASK_FIND(FOUND_OLD), DELETE(OLD, STALE), ASK_FIND(FOUND_OLD),
	    DELETE_ARCHIVED(OLD, DONE) },
	  DELIVERED, "", "", EXISTENCE_UNKNOWN },
	{ "one that changed has the usual one", ACTION_DELETE, false, false, false,
	  { ASK_FIND(FOUND_OLD), DELETE(OLD, STALE), ASK_FIND(FOUND_NEW), DELETE(NEW, STALE) },
	  OUTCOME_REJECTED, REASON_DMP_ERROR, "", "XDSMetadataVersionError", EXISTENCE_UNKNOWN },
};
/* clang-format on */

static struct course course_of(const struct story *story)
{
	return (struct course){
		.action = story->action,
		.ins = INS,
		.ins_oid = INS_OID_TEST,
		.was_doubtful = story->doubtful,
		.check_existence = story->check,
		.absent_as_new = story->as_new,
	};
}

static void tell(const struct story *story)
{
	struct course course = course_of(story);
	struct course_step step = course_next(&course);
	struct reply replies[length_of(story->steps)];

	for (size_t i = 0; i < length_of(story->steps) && story->steps[i].answer != NO_MORE; i++) {
		enum answer answer = story->steps[i].answer;
		struct outcome outcome = outcome_for(answer);

		outcome.doubtful |= story->doubtful && outcome.kind != OUTCOME_DELIVERED;
		assert_false(step.ended);
		assert_int_equal(step.request, story->steps[i].request);
		assert_string_equal(step.entry, story->steps[i].entry);
		assert_int_equal(step.archived, story->steps[i].archived);
		assert_int_equal(step.own, story->steps[i].own);
		replies[i] = reply_of(answer);
		course_learn(&course, step.request, &outcome, &replies[i]);
		step = course_next(&course);
	}
	assert_true(step.ended);
	assert_int_equal(step.outcome.kind, story->kind);
	assert_int_equal(step.outcome.reason, story->reason);
	assert_string_equal(step.outcome.note, story->note);
	if (story->doubtful)
		assert_int_equal(step.outcome.doubtful, story->kind != OUTCOME_DELIVERED);
	assert_string_equal(step.outcome.code, story->code);
	assert_int_equal(course_existence(&course), story->existence);
}

static void every_story_ends_as_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(stories); i++) {
		print_message("# %s\n", stories[i].name);
		tell(&stories[i]);
	}
}

static void what_is_known_already_is_not_asked(void **state)
{
	static const struct {
		enum existence known;
		bool ended;
	} rows[] = {
		{ EXISTENCE_ACTIVE, false },
		{ EXISTENCE_CLOSED, true },
		{ EXISTENCE_ABSENT, true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct course course = { .action = ACTION_SUBMIT,
					 .check_existence = true,
					 .existence = rows[i].known };
		struct course_step step = course_next(&course);

		assert_int_equal(step.ended, rows[i].ended);
		if (step.ended)
			assert_int_equal(step.outcome.kind, OUTCOME_REFUSED);
		else
			assert_int_equal(step.request, TRANSACTION_SUBMIT);
	}
}

/* Else what a cache knows would never grow old. */
static void what_was_known_already_is_not_learnt(void **state)
{
	struct course course = { .action = ACTION_SUBMIT,
				 .check_existence = true,
				 .existence = EXISTENCE_ACTIVE };
	const struct outcome busy = outcome_for(BUSY);
	const struct reply reply = reply_of(BUSY);

	(void)state;
	assert_int_equal(course_existence(&course), EXISTENCE_UNKNOWN);
	course_learn(&course, TRANSACTION_SUBMIT, &busy, &reply);
	assert_int_equal(course_existence(&course), EXISTENCE_UNKNOWN);
}

/* Whatever the DMP answers, and however often, it ends. */
static void every_course_ends(void **state)
{
	enum { ANSWERS = CONFIRMED + 1, DEPTH = 7, MOST = 6 };

	(void)state;
	for (unsigned n = 0; n < ANSWERS * ANSWERS * ANSWERS * ANSWERS * ANSWERS; n++) {
		const struct story story = { .action = (enum action)(n % 3),
					     .check = n % 2,
					     .as_new = n % 5 == 0,
					     .doubtful = n % 7 < 3 };
		struct course course = course_of(&story);
		struct reply replies[DEPTH];
		unsigned rest = n, asked = 0;

		while (!course_next(&course).ended) {
			enum answer answer = (enum answer)(rest % ANSWERS);
			struct outcome outcome = outcome_for(answer);

			assert_in_range(asked, 0, MOST - 1);
			replies[asked] = reply_of(answer);
			course_learn(&course, course_next(&course).request, &outcome,
				     &replies[asked]);
			asked++;
			rest /= ANSWERS;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_story_ends_as_told),
		cmocka_unit_test(what_is_known_already_is_not_asked),
		cmocka_unit_test(what_was_known_already_is_not_learnt),
		cmocka_unit_test(every_course_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
