/* dmpfeedctl: sends one request to the daemon's control socket and prints the answer. It knows the
 * words of the answers, nothing of how the daemon makes them.
 */
#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "ctl/ctl_command.h"
#include "ctl/ctl_export.h"

enum { PATIENCE_S = 60 };

/* ---- once ---- */

static int ask(const struct ctl_call *call, struct ctl_answer *answer)
{
	scoped(free_ptr) char *request = ctl_request(call);

	if (request == NULL)
		return ctl_misused("an argument is not UTF-8", "");
	return ctl_ask(
		&(struct ctl_question){ .path = ctl_socket(call),
					.request = request,
					.patience_s = call->command->is_long ? 0 : PATIENCE_S,
					.many = call->command->many },
		answer);
}

static void print_json(const struct ctl_call *call, const struct ctl_answer *answer)
{
	json_t *object = json_array_get(answer->rows, 0);

	if (call->command->history) {
		json_object_set(object, "events", answer->events);
		json_object_set(object, "metadata", answer->metadata);
	}
	ctl_print_json(call->command->many ? answer->rows : object);
}

/* A list that is as long as it may be has an end that nobody saw. */
static void tell_more(const struct ctl_call *call, const struct ctl_answer *answer)
{
	size_t count = json_array_size(answer->rows);
	const json_t *last = count ? json_array_get(answer->rows, count - 1) : NULL;
	const char *doc = json_string_value(json_object_get(last, "doc"));
	const unsigned options = call->command->options;
	scoped(free_ptr) char *words = NULL;

	if ((options & 1U << CTL_LIMIT) == 0 || count < call->limit)
		return;
	if (options & 1U << CTL_TO)
		ctl_complain(0, ctl_say("There may be more before these: add --to or --limit"), "",
			     "");
	if ((options & 1U << CTL_AFTER) == 0 || doc == NULL)
		return;
	words = xasprintf("%s %s", ctl_say("There may be more: add --after"), doc);
	ctl_complain(0, words, "", "");
}

/* A row may say that something of it is not well. */
static int code_of(const struct ctl_answer *answer)
{
	json_t *row;
	size_t i;

	json_array_foreach(answer->rows, i, row)
	{
		if (json_is_false(json_object_get(row, "ok")))
			return EXIT_REFUSED;
	}
	return EXIT_SUCCESS;
}

/* Whoever reads us may have seen enough (head): that is no failure. */
static int finish_output(void)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
		return EXIT_SUCCESS;
	return ctl_complain(EXIT_REFUSED, ctl_say("cannot write the answer"), strerror(errno), "");
}

static void print_answer(const struct ctl_call *call, const struct ctl_answer *answer)
{
	if (call->given[CTL_JSON] && call->command->follows)
		ctl_print_json_lines(answer->rows);
	else if (call->given[CTL_JSON])
		print_json(call, answer);
	else
		call->command->print(answer);
}

/* The last row says where to go on. */
static void take_mark(struct ctl_call *call, struct ctl_answer *answer)
{
	const size_t count = json_array_size(answer->rows);
	json_t *mark =
		count ? json_object_get(json_array_get(answer->rows, count - 1), "mark") : NULL;

	if (mark == NULL)
		return;
	json_decref(call->mark);
	call->mark = json_incref(mark);
	json_array_remove(answer->rows, count - 1);
}

/* false: the line is not that word. */
static bool reads(const char *wanted)
{
	scoped(free_ptr) char *line = NULL;
	size_t room = 0;

	fflush(stdout);
	return getline(&line, &room, stdin) >= 0 && slice_is(slice_trim(slice_of(line)), wanted);
}

/* The document is named once more, by hand; then the word. */
static int confirm(const struct ctl_call *call)
{
	const char *yes = ctl_say("yes");

	fprintf(stderr, "%s\n%s ", ctl_say("What the DMP deletes does not come back."),
		ctl_say("Type the document's id again:"));
	if (!reads(call->words[0]))
		return ctl_complain(EXIT_REFUSED, ctl_say("nothing was done"), "", "");
	fprintf(stderr, "%s (%s) ", ctl_say("Delete it in the DMP?"), yes);
	if (!reads(yes))
		return ctl_complain(EXIT_REFUSED, ctl_say("nothing was done"), "", "");
	return EXIT_SUCCESS;
}

static struct ctl_answer answer_new(void)
{
	return (struct ctl_answer){ json_array(), json_array(), json_array(), NULL };
}

static void answer_done(struct ctl_answer *answer)
{
	json_decref(answer->rows);
	json_decref(answer->events);
	json_decref(answer->metadata);
	json_decref(answer->rest);
}

static int run_once(struct ctl_call *call)
{
	struct ctl_answer answer = answer_new();
	int code = ask(call, &answer);

	if (code == 0) {
		take_mark(call, &answer);
		print_answer(call, &answer);
		code = finish_output();
		if (code == EXIT_SUCCESS)
			code = code_of(&answer);
		tell_more(call, &answer);
	}
	answer_done(&answer);
	return code;
}

/* ---- orders by a reason ---- */

/* The daemon reaches so many documents at once, and says how many remain. */
struct rounds {
	json_t *kinds; /* of a dry run */
	size_t looked_at, remain;
	json_t *after; /* the last that was looked at */
	int code;
};

static void end_round(struct rounds *rounds, const struct ctl_call *call,
		      const struct ctl_answer *answer)
{
	const size_t count = json_array_size(answer->rows);

	if (call->given[CTL_DRY_RUN])
		ctl_count_kinds(rounds->kinds, answer->rows);
	else if (call->given[CTL_JSON])
		ctl_print_json_part(answer->rows, rounds->looked_at);
	else if (count > 0 || rounds->looked_at == 0)
		call->command->print(answer);
	rounds->code = max(rounds->code, code_of(answer));
	rounds->looked_at += count;
	json_decref(rounds->after);
	rounds->after = json_incref(json_object_get(answer->rest, "after"));
}

static void end_rounds(const struct rounds *rounds, const struct ctl_call *call)
{
	if (call->given[CTL_DRY_RUN] && call->given[CTL_JSON])
		ctl_print_json(rounds->kinds);
	else if (call->given[CTL_DRY_RUN])
		ctl_print_kinds(rounds->kinds);
	else if (call->given[CTL_JSON])
		ctl_print_json_end(rounds->looked_at);
}

static void tell_rest(const struct rounds *rounds)
{
	scoped(free_ptr) char *words =
		xasprintf("%zu %s, %zu %s %s", rounds->looked_at, ctl_say("looked at"),
			  rounds->remain, ctl_say("remain: ask again with --after"),
			  slice_of(json_string_value(rounds->after)).p);

	ctl_complain(0, words, "", "");
}

/* As many as there were at first: what comes meanwhile does not keep it going for ever. */
static size_t remaining(const struct rounds *rounds, const struct ctl_answer *answer)
{
	const size_t count = json_array_size(answer->rows);
	const size_t more = (size_t)json_integer_value(json_object_get(answer->rest, "more"));

	if (rounds->looked_at > 0 && more + count > rounds->remain)
		return rounds->remain - min(rounds->remain, count);
	return more;
}

static int run_in_rounds(struct ctl_call *call)
{
	struct rounds rounds = { .kinds = json_array() };
	int code;

	do {
		struct ctl_answer answer = answer_new();

		call->given[CTL_AFTER] =
			rounds.after ? json_string_value(rounds.after) : call->given[CTL_AFTER];
		code = ask(call, &answer);
		if (code == EXIT_SUCCESS) {
			rounds.remain = remaining(&rounds, &answer);
			end_round(&rounds, call, &answer);
		}
		answer_done(&answer);
	} while (code == EXIT_SUCCESS && rounds.remain > 0 && !ferror(stdout));
	if (code == EXIT_SUCCESS || rounds.looked_at > 0)
		end_rounds(&rounds, call);
	if (rounds.remain > 0)
		tell_rest(&rounds);
	code = max(code, rounds.code);
	if (code == EXIT_SUCCESS)
		code = finish_output();
	json_decref(rounds.kinds);
	json_decref(rounds.after);
	return code;
}

static void tell_other_form(const struct ctl_answer *answer)
{
	const json_t *row = json_array_get(answer->rows, 0);
	const char *other = json_string_value(json_object_get(row, "other_form"));
	const char *why_not = json_string_value(json_object_get(row, "other_sentence"));

	if (other != NULL)
		fprintf(stderr, "%s %s%s%s\n",
			ctl_say(why_not ? "The other form of its content stays as it is:"
					: "With it goes the other form of its content:"),
			other, why_not ? ". " : "", why_not ? why_not : "");
}

/* Nobody is asked about what cannot be done anyway. */
static int try_first(struct ctl_call *call)
{
	struct ctl_answer answer = answer_new();
	int code;

	call->given[CTL_DRY_RUN] = "";
	code = ask(call, &answer);
	call->given[CTL_DRY_RUN] = NULL;
	if (code == EXIT_SUCCESS) {
		code = code_of(&answer);
		if (code != EXIT_SUCCESS)
			print_answer(call, &answer);
		else
			tell_other_form(&answer);
	}
	answer_done(&answer);
	return code;
}

/* One piece after the other, until an answer has no mark to go on from. */
static int gather(struct ctl_call *call, struct ctl_export *export)
{
	struct ctl_answer answer = answer_new();
	int code = ask(call, &answer);

	json_decref(call->mark);
	call->mark = NULL;
	if (code == 0) {
		take_mark(call, &answer);
		code = ctl_export_take(export, answer.rows) ? EXIT_SUCCESS : EXIT_REFUSED;
	}
	answer_done(&answer);
	return code;
}

static int write_files(struct ctl_call *call)
{
	scoped(ctl_export_free) struct ctl_export *export = ctl_export_new(call->words[0]);
	struct ctl_answer written = { 0 };
	int code = export ? EXIT_SUCCESS : EXIT_REFUSED;

	if (export == NULL)
		return code;
	do
		code = gather(call, export);
	while (code == EXIT_SUCCESS && call->mark != NULL);
	if (code == EXIT_SUCCESS && (written.rows = ctl_export_end(export)) == NULL)
		code = EXIT_REFUSED;
	if (code == EXIT_SUCCESS) {
		print_answer(call, &written);
		code = finish_output();
	}
	json_decref(written.rows);
	return code;
}

static int run(struct ctl_call *call)
{
	int code = EXIT_SUCCESS;

	if (call->command->writes)
		return write_files(call);

	if (call->command->is_final && !call->given[CTL_DRY_RUN])
		code = try_first(call);
	if (call->command->is_final && !call->given[CTL_DRY_RUN] && code == EXIT_SUCCESS)
		code = confirm(call);
	if (code != EXIT_SUCCESS)
		return code;
	if (call->command->in_rounds && call->given[CTL_REASON])
		return run_in_rounds(call);
	do
		code = run_once(call);
	while (code == EXIT_SUCCESS && call->command->follows && !ferror(stdout));
	json_decref(call->mark);
	return code;
}

static void end_without_memory(void)
{
	fprintf(stderr, "dmpfeedctl: %s\n%s\n", ctl_say("there is no memory left"),
		ctl_say("What was asked for may have been done all the same."));
	_exit(EXIT_UNREACHABLE);
}

int main(int argc, char **argv)
{
	struct ctl_call call = { 0 };
	int code;

	no_memory_ends(end_without_memory);
	/* or a list would lack rows, and nobody know */
	json_set_alloc_funcs(xmalloc, free);
	setlocale(LC_ALL, "");
	ctl_choose_language();
	code = ctl_read_options(&call, argc, argv);
	if (code != 0)
		return code;
	if (call.given[CTL_HELP]) {
		ctl_print_help();
		return finish_output();
	}
	if (call.given[CTL_VERSION]) {
		puts("dmpfeedctl " DMPFEED_VERSION);
		return finish_output();
	}
	code = ctl_read_command(&call, argv + optind, (size_t)(argc - optind));
	return code ? code : run(&call);
}
