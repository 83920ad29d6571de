/* The order of requests of one delivery. Any thread. */
#include "dispatch/course.h"

#include <stdio.h>

#include "dmp/find.h"

enum { MOST_SEARCHES = 2 }; /* an entry's id changes with its metadata: look again once */

static struct course_step ask(enum transaction request)
{
	return (struct course_step){ .request = request, .entry = "" };
}

static struct course_step end(const struct outcome *outcome)
{
	return (struct course_step){ .ended = true, .entry = "", .outcome = *outcome };
}

/* An outcome of our own making. */
static struct outcome ours(enum outcome_kind kind, enum reason reason, const char *code,
			   const char *text)
{
	return (struct outcome){
		.kind = kind,
		.reason = reason,
		.note = "",
		.code = code,
		.text = text,
		.text_is_ours = true,
	};
}

static struct course_step refuse(enum existence existence)
{
	const struct outcome outcome =
		ours(OUTCOME_REFUSED,
		     existence == EXISTENCE_CLOSED ? REASON_DMP_CLOSED : REASON_DMP_ABSENT,
		     "existence", "");

	return end(&outcome);
}

/* A deletion whose answer was lost, and whose document is not there any more, was done. */
static struct course_step without_target(const struct course *course)
{
	struct outcome outcome = ours(OUTCOME_REJECTED, REASON_PREDECESSOR_UNKNOWN, "not_found",
				      "the DMP holds no document of ours under the identifier to "
				      "replace or delete");

	if (course->action == ACTION_REPLACE && course->absent_as_new)
		return ask(TRANSACTION_SUBMIT);
	if (course->action == ACTION_DELETE && course->was_doubtful) {
		outcome = ours(OUTCOME_DELIVERED, REASON_NONE, "", "");
		outcome.note = "confirmed_by_absence";
	}
	outcome.doubtful = course->was_doubtful && outcome.kind != OUTCOME_DELIVERED;
	return end(&outcome);
}

/* A deletion names the entry's present status. One that was refused although the entry had not
 * changed in the meantime named the wrong one.
 */
static struct course_step with_target(const struct course *course)
{
	struct course_step step =
		ask(course->action == ACTION_DELETE ? TRANSACTION_DELETE : TRANSACTION_SUBMIT);

	step.entry = course->entry;
	step.archived = course->action == ACTION_DELETE && course->entry_is_the_same;
	return step;
}

static struct course_step next_request(const struct course *course)
{
	if (course->check_existence && course->existence == EXISTENCE_UNKNOWN)
		return ask(TRANSACTION_EXISTENCE);
	if (course->existence == EXISTENCE_CLOSED || course->existence == EXISTENCE_ABSENT)
		return refuse(course->existence);
	if (course->action == ACTION_SUBMIT)
		return ask(TRANSACTION_SUBMIT);
	switch (course->target) {
	case TARGET_NOT_SOUGHT:
		break;
	case TARGET_FOUND:
		return with_target(course);
	case TARGET_ABSENT:
		return without_target(course);
	}
	return ask(TRANSACTION_FIND);
}

static bool changes_something(enum transaction request)
{
	return request == TRANSACTION_SUBMIT || request == TRANSACTION_DELETE;
}

/* A replacement that cannot be done, or whose predecessor is gone, may have been done by an attempt whose answer
 * was lost: a DMP that looks at what is replaced first does not tell the duplicate.
 */
static bool may_be_there(const struct course *course)
{
	const bool is_refused = course->outcome.stale && changes_something(course->last);
	const bool is_without = course->target == TARGET_ABSENT && !course->absent_as_new;

	return course->action == ACTION_REPLACE && course->was_doubtful &&
	       course->own == TARGET_NOT_SOUGHT && (is_refused || is_without);
}

static struct course_step find_own(void)
{
	struct course_step step = ask(TRANSACTION_FIND);

	step.own = true;
	return step;
}

static struct course_step is_there(void)
{
	struct outcome outcome = ours(OUTCOME_DELIVERED, REASON_NONE, "", "");

	outcome.note = "confirmed_by_presence";
	return end(&outcome);
}

static bool may_search_again(const struct course *course)
{
	return course->outcome.stale && changes_something(course->last) &&
	       course->target == TARGET_FOUND && course->searches < MOST_SEARCHES;
}

struct course_step course_next(const struct course *course)
{
	struct outcome outcome = course->outcome;

	if (!course->has_asked)
		return next_request(course);
	if (course->own == TARGET_FOUND)
		return is_there();
	if (may_be_there(course))
		return find_own();
	if (outcome.kind != OUTCOME_DELIVERED)
		return may_search_again(course) ? ask(TRANSACTION_FIND) : end(&outcome);
	if (!changes_something(course->last))
		return next_request(course);
	if (course->target == TARGET_ABSENT && outcome.note[0] == '\0')
		outcome.note = "sent_as_new";
	return end(&outcome);
}

static void fail(struct course *course, enum outcome_kind kind, enum reason reason,
		 const char *code, const char *why)
{
	snprintf(course->why, sizeof(course->why), "%s", why);
	course->outcome = ours(kind, reason, code, course->why);
	course->outcome.doubtful = course->was_doubtful;
}

/* A status that nobody described: whatever it means, it means it for other patients too. */
static void learn_existence(struct course *course, const struct reply *reply)
{
	const char *why;

	course->existence = existence_read(reply, course->ins, course->ins_oid, &why);
	if (course->existence == EXISTENCE_UNKNOWN)
		fail(course, OUTCOME_HALT, REASON_LANE_STOPPED, "existence", why);
}

/* Where it is not there, all is as it was before the question. */
static void learn_own(struct course *course, const struct reply *reply)
{
	const char *entry;
	struct err err = { 0 };
	int found = find_read(reply, &entry, &err);

	if (found < 0)
		fail(course, OUTCOME_REJECTED, REASON_DMP_ERROR, "find", err.text);
	if (found > 0)
		course->own = TARGET_FOUND;
}

static void learn_target(struct course *course, const struct reply *reply)
{
	const char *entry = "";
	struct err err = { 0 };
	int found = find_read(reply, &entry, &err);

	course->searches++;
	if (found < 0) {
		fail(course, OUTCOME_REJECTED, REASON_DMP_ERROR, "find", err.text);
		return;
	}
	course->entry_is_the_same =
		found > 0 && course->target == TARGET_FOUND && strcmp(course->entry, entry) == 0;
	course->target = found > 0 ? TARGET_FOUND : TARGET_ABSENT;
	course->entry = entry;
}

void course_learn(struct course *course, enum transaction asked, const struct outcome *outcome,
		  const struct reply *reply)
{
	if (course->has_asked && may_be_there(course)) { /* that was the question */
		course->own = TARGET_ABSENT;
		if (outcome->kind == OUTCOME_DELIVERED) {
			learn_own(course, reply);
			return;
		}
	}
	course->has_asked = true;
	course->last = asked;
	course->outcome = *outcome;
	if (outcome->kind != OUTCOME_DELIVERED)
		return;
	if (asked == TRANSACTION_EXISTENCE)
		learn_existence(course, reply);
	else if (asked == TRANSACTION_FIND)
		learn_target(course, reply);
}

enum existence course_existence(const struct course *course)
{
	bool done = course->outcome.kind == OUTCOME_DELIVERED;

	if (!course->has_asked)
		return EXISTENCE_UNKNOWN;
	if (course->outcome.reason == REASON_DMP_CLOSED)
		return EXISTENCE_CLOSED;
	if (course->outcome.reason == REASON_DMP_ABSENT)
		return EXISTENCE_ABSENT;
	if (done && course->last == TRANSACTION_SUBMIT)
		return EXISTENCE_ACTIVE;
	return done && course->last == TRANSACTION_EXISTENCE ? course->existence
							     : EXISTENCE_UNKNOWN;
}
