/* dmpfeedctl: sends one request to the daemon's control socket and prints the answer. It knows the
 * words of the answers, nothing of how the daemon makes them.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "ctl/ctl_ask.h"
#include "ctl/ctl_export.h"

enum { PATIENCE_S = 60, MOST_ROWS = 10000, MOST_AGE = 100000 };

/* ---- the command line ---- */

enum option_id {
	SOCKET, /* these four belong to every command */
	JSON,
	HELP,
	VERSION,
	STATE, /* these are members of a request */
	REASON,
	SITE,
	LIMIT,
	AFTER,
	OLDER,
	FROM,
	TO,
	BY,
	DENOMINATOR,
	MAPPING,
	ACTOR,
	DRY_RUN, /* these too, and they are true or absent */
	FORCE,
	REBUILD,
	DECLARED,
	WITHOUT_LETTER,
	OUTSIDE,
	EVIDENCE,
	RATES,
	OPTION_COUNT,
};

#define ALL_COMMANDS (1U << SOCKET | 1U << JSON | 1U << HELP | 1U << VERSION)
#define DEFAULT_SOCKET "/run/dmpfeed/control.sock"

static const struct {
	const char *name, *value, *help, *preset, *member;
} option_rows[OPTION_COUNT] = {
	[SOCKET] = { "socket", "PATH", "the daemon's socket", "$DMPFEED_SOCKET, " DEFAULT_SOCKET },
	[JSON] = { "json", NULL, "JSON instead of columns", NULL },
	[HELP] = { "help", NULL, "this help", NULL },
	[VERSION] = { "version", NULL, "the version of dmpfeedctl", NULL },
	[STATE] = { "state", "S",
		    "in this state only, or invisible: delivered, and still hidden from the "
		    "patient",
		    NULL },
	[REASON] = { "reason", "R", "for this reason only", NULL },
	[SITE] = { "site", "F", "of this geographic FINESS only", NULL },
	[LIMIT] = { "limit", "N", "so many at most", "100" },
	[AFTER] = { "after", "DOC|8d",
		    "documents after this one; stays so many days after their end", NULL },
	[OLDER] = { "older-than", "AGE",
		    "those that came longer ago than this, like 15d or 36h; of those that are "
		    "hidden, "
		    "delivered longer ago",
		    NULL },
	[FROM] = { "from", "DAY", "from this day on, like 2026-11-01", NULL },
	[TO] = { "to", "DAY", "up to this day", NULL },
	[BY] = { "by", "day|month", "numbers of days, or of months", "day" },
	[DENOMINATOR] = { "denominator", "D", "which denominator it is", NULL },
	[MAPPING] = { "mapping", "FILE", "a YAML file of what the file calls its columns and types",
		      NULL },
	[ACTOR] = { "actor", "USER", "what this user did only", NULL },
	[DRY_RUN] = { "dry-run", NULL, "only say what would be done", NULL, "dry_run" },
	[FORCE] = { "force", NULL,
		    "also what only a person can answer for: an identity that is not qualified, a "
		    "version out of order, an attempt in doubt",
		    NULL, "force" },
	[REBUILD] = { "rebuild", NULL, "count all anew from the history, in the background", NULL,
		      "rebuild" },
	[DECLARED] = { "declared", NULL, "what the hospital declared, not what the CNAM counted",
		       NULL, "declared" },
	[WITHOUT_LETTER] = { "without-letter", NULL,
			     "those that ended, and of which the DMP has no discharge letter", NULL,
			     "without_letter" },
	[OUTSIDE] = { "outside", NULL,
		      "for a reader outside the hospital: small counts are not told", NULL,
		      "outside" },
	[EVIDENCE] = { "evidence", NULL,
		       "also evidence.csv, a row for each document, for an audit; noted in the "
		       "audit trail",
		       NULL, "evidence" },
	[RATES] = { "rates", NULL,
		    "how well each site feeds the DMP, and which units do not at all", NULL,
		    "rates" },
};

static const struct command {
	const char *name, *usage, *help;
	const char *argument;  /* NULL: none; otherwise the member of the request that it becomes */
	const char *arguments; /* NULL: none; otherwise the member that any number of them become */
	unsigned options;      /* bits, by option_id */
	bool many;             /* any number of rows; otherwise exactly one */
	bool history;
	bool in_rounds; /* by its reason it reaches so many at once: it is asked until none is left */
	bool is_final; /* a person is asked first, twice */
	bool is_path;  /* the argument: made absolute, for the daemon works elsewhere */
	bool writes;   /* files, into the folder that it names: asks on until all was told */
	bool follows;  /* asks again and again, from the mark of the last answer */
	bool is_long;  /* the answer may take as long as it likes */
	void (*print)(const struct ctl_answer *answer);
} commands[] = {
	{ .name = "status",
	  .usage = "status",
	  .help = "is the gateway working",
	  .print = ctl_print_status },
	{ .name = "certs",
	  .usage = "certs",
	  .help = "the certificates in use, and until when",
	  .many = true,
	  .print = ctl_print_certificates },
	{ .name = "list",
	  .usage = "list [--state S] [--reason R] [--site F] [--older-than AGE] [--limit N] "
		   "[--after DOC]",
	  .help = "documents, oldest first",
	  .options =
		  1U << STATE | 1U << REASON | 1U << SITE | 1U << OLDER | 1U << LIMIT | 1U << AFTER,
	  .many = true,
	  .print = ctl_print_list },
	{ .name = "shape",
	  .usage = "shape",
	  .help = "what waits, by lane, type and age",
	  .many = true,
	  .is_long = true,
	  .print = ctl_print_shape },
	{ .name = "show",
	  .usage = "show DOC",
	  .help = "one document and its history",
	  .argument = "doc",
	  .history = true,
	  .print = ctl_print_show },
	{ .name = "tail",
	  .usage = "tail [--site F]",
	  .help = "what happens to documents, as it happens",
	  .options = 1U << SITE,
	  .many = true,
	  .follows = true,
	  .print = ctl_print_tail },
	{ .name = "hold",
	  .usage = "hold DOC... [--dry-run]",
	  .help = "keep documents until they are released",
	  .arguments = "docs",
	  .options = 1U << DRY_RUN,
	  .many = true,
	  .print = ctl_print_orders },
	{ .name = "release",
	  .usage = "release DOC... | --reason R [--site F] [--after DOC] [--dry-run] [--force]",
	  .help = "send documents that are held",
	  .arguments = "docs",
	  .options = 1U << REASON | 1U << SITE | 1U << AFTER | 1U << DRY_RUN | 1U << FORCE,
	  .many = true,
	  .in_rounds = true,
	  .print = ctl_print_orders },
	{ .name = "retry",
	  .usage = "retry DOC... | --reason R [--site F] [--after DOC] [--dry-run] [--force]",
	  .help = "send again now, under the same ids, what was rejected or refused or waits",
	  .arguments = "docs",
	  .options = 1U << REASON | 1U << SITE | 1U << AFTER | 1U << DRY_RUN | 1U << FORCE,
	  .many = true,
	  .in_rounds = true,
	  .print = ctl_print_orders },
	{ .name = "cancel",
	  .usage = "cancel DOC... [--dry-run] [--force]",
	  .help = "give up documents that the DMP does not have",
	  .arguments = "docs",
	  .options = 1U << DRY_RUN | 1U << FORCE,
	  .many = true,
	  .print = ctl_print_orders },
	{ .name = "recall",
	  .usage = "recall DOC [--dry-run]",
	  .help = "delete a document in the DMP, which cannot be undone; asks twice",
	  .argument = "doc",
	  .options = 1U << DRY_RUN,
	  .is_final = true,
	  .print = ctl_print_recall },
	{ .name = "counters",
	  .usage = "counters [--from DAY] [--to DAY] [--by day|month] | --rebuild",
	  .help = "what is counted, by site, type, outcome and day",
	  .options = 1U << FROM | 1U << TO | 1U << BY | 1U << REBUILD,
	  .many = true,
	  .print = ctl_print_counters },
	{ .name = "stays",
	  .usage = "stays --without-letter [--after 8d] [--site F] [--limit N]",
	  .help = "stays that have ended, with their numbers; who asks is kept",
	  .options = 1U << WITHOUT_LETTER | 1U << AFTER | 1U << SITE | 1U << LIMIT,
	  .many = true,
	  .print = ctl_print_stays },
	{ .name = "targets",
	  .usage = "targets [--site F] [--rates]",
	  .help = "how far each place is from its usage targets",
	  .options = 1U << SITE | 1U << RATES,
	  .many = true,
	  .print = ctl_print_targets },
	{ .name = "import-denominators",
	  .usage = "import-denominators FILE [--denominator D] [--mapping FILE] [--dry-run]",
	  .help = "bring denominators: finess_eg;champ;month;n",
	  .argument = "file",
	  .options = 1U << DENOMINATOR | 1U << MAPPING | 1U << DRY_RUN,
	  .many = true,
	  .is_path = true,
	  .print = ctl_print_import },
	{ .name = "import-official",
	  .usage = "import-official FILE [--mapping FILE] [--declared] [--dry-run]",
	  .help = "bring what the CNAM counted: finess_eg;type_code;month;n",
	  .argument = "file",
	  .options = 1U << MAPPING | 1U << DECLARED | 1U << DRY_RUN,
	  .many = true,
	  .is_path = true,
	  .print = ctl_print_import },
	{ .name = "export",
	  .usage = "export DIR [--from MONTH] [--to MONTH] [--outside | --evidence]",
	  .help = "write counters, targets, rejections, reconciliation and delays to CSV files",
	  .argument = "dir",
	  .options = 1U << FROM | 1U << TO | 1U << OUTSIDE | 1U << EVIDENCE,
	  .many = true,
	  .is_long = true,
	  .writes = true,
	  .print = ctl_print_export },
	{ .name = "backup",
	  .usage = "backup FILE",
	  .help = "copy the whole queue to a file, while it is at work",
	  .argument = "file",
	  .is_path = true,
	  .is_long = true,
	  .print = ctl_print_backup },
	{ .name = "verify",
	  .usage = "verify",
	  .help = "is the database whole, and the audit chain through its history",
	  .is_long = true,
	  .print = ctl_print_verify },
	{ .name = "audit",
	  .usage = "audit [--from DAY] [--to DAY] [--actor USER] [--site F] [--limit N]",
	  .help = "who did what, and when: the newest last",
	  .options = 1U << FROM | 1U << TO | 1U << ACTOR | 1U << SITE | 1U << LIMIT,
	  .many = true,
	  .print = ctl_print_audit },
	{ .name = "reload",
	  .usage = "reload",
	  .help = "read the configuration again: all of it takes effect, or nothing",
	  .is_long = true,
	  .print = ctl_print_reload },
};

struct call {
	const struct command *command;
	const char *given[OPTION_COUNT]; /* NULL: not given */
	char **words;                    /* after the command, up to a NULL */
	uint64_t limit;
	uint64_t older_ms; /* 0: whatever its age */
	json_t *mark;      /* of a command that follows; NULL: not yet known */
};

static void print_option_help(size_t i)
{
	printf("  --%s%s%s\n      %s", option_rows[i].name, option_rows[i].value ? " " : "",
	       slice_of(option_rows[i].value).p, ctl_say(option_rows[i].help));
	if (option_rows[i].preset)
		printf(" (%s: %s)", ctl_say("default"), option_rows[i].preset);
	putchar('\n');
}

static void print_help(void)
{
	printf("dmpfeedctl [--socket PATH] [--json] %s\n\n%s\n", ctl_say("COMMAND"),
	       ctl_say("Commands"));
	for (size_t i = 0; i < length_of(commands); i++)
		printf("  %s\n      %s\n", commands[i].usage, ctl_say(commands[i].help));
	printf("\nOptions\n");
	for (size_t i = 0; i < OPTION_COUNT; i++)
		print_option_help(i);
	printf("\n%s\n", ctl_say("Exit status: 0 done, 1 the daemon says no or found a fault, 2 "
				 "misused, 3 the daemon cannot be reached."));
}

static int misused(const char *what, const char *about)
{
	return ctl_complain(EXIT_USAGE, ctl_say(what), about, ctl_say("See dmpfeedctl --help."));
}

/* getopt finds options before and after the command; what it would say of them, it says in one language. */
static int read_options(struct call *call, int argc, char **argv)
{
	struct option options[OPTION_COUNT + 1] = { 0 };
	int option;

	for (int i = 0; i < OPTION_COUNT; i++)
		options[i] =
			(struct option){ option_rows[i].name,
					 option_rows[i].value ? required_argument : no_argument,
					 NULL, i };
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == ':')
			return misused("this option takes a value", argv[optind - 1]);
		if (option < 0 || option >= OPTION_COUNT)
			return misused("there is no such option, or it takes no value",
				       argv[optind - 1]);
		call->given[option] = optarg ? optarg : "";
	}
	return 0;
}

static int read_limit(struct call *call)
{
	const char *limit = call->given[LIMIT] ? call->given[LIMIT] : option_rows[LIMIT].preset;

	if (!slice_to_u64(slice_of(limit), MOST_ROWS, &call->limit) || call->limit == 0)
		return misused("--limit takes a number from 1 to 10000, not", limit);
	return 0;
}

/* "15d", "36 h", "90min", "45s": with "j" for a day in French. */
static int read_age(struct call *call)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "s", 1000 },
		      { "min", 60000 },
		      { "h", 3600000 },
		      { "d", 86400000 },
		      { "j", 86400000 } };
	struct slice number = slice_of(call->given[OLDER]), unit;
	uint64_t count;

	if (call->given[OLDER] == NULL)
		return 0;
	while (number.n > 0 && (number.p[number.n - 1] < '0' || number.p[number.n - 1] > '9'))
		number.n--;
	unit = slice_trim(slice_from(slice_of(call->given[OLDER]), number.n));
	for (size_t i = 0; i < length_of(units); i++)
		if (slice_is(unit, units[i].name) && slice_to_u64(number, MOST_AGE, &count)) {
			call->older_ms = count * units[i].ms;
			return 0;
		}
	return misused("--older-than takes a number and s, min, h or d, not", call->given[OLDER]);
}

static int read_command(struct call *call, char **words, size_t word_count)
{
	if (word_count == 0)
		return misused("no command", "");
	for (size_t i = 0; i < length_of(commands); i++)
		if (strcmp(commands[i].name, words[0]) == 0)
			call->command = &commands[i];
	if (call->command == NULL)
		return misused("no such command", words[0]);
	if (!call->command->arguments && word_count != (call->command->argument ? 2 : 1))
		return misused("this command is written", call->command->usage);
	if (call->command->arguments && (word_count > 1) == (call->given[REASON] != NULL))
		return misused("this command is written", call->command->usage);
	call->words = words + 1; /* argv ends with NULL */
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (call->given[i] && ((call->command->options | ALL_COMMANDS) & 1U << i) == 0)
			return misused("this command does not take the option",
				       option_rows[i].name);
	return read_limit(call) || read_age(call) ? EXIT_USAGE : 0;
}

/* The daemon works in another folder. NULL when it is not UTF-8. */
static json_t *path_of(const char *word)
{
	scoped(free_ptr) char *folder = NULL, *path = NULL;

	if (word[0] == '/')
		return json_string(word);
	folder = getcwd(NULL, 0);
	path = xasprintf("%s/%s", folder ? folder : "", word);
	return json_string(path);
}

static json_t *argument_of(const struct call *call)
{
	return call->command->is_path ? path_of(call->words[0]) : json_string(call->words[0]);
}

/* NULL when one is not UTF-8. */
static json_t *array_of(char **words)
{
	json_t *array = json_array();

	for (; *words; words++)
		if (json_array_append_new(array, json_string(*words)) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* The line to send; NULL: an argument is not UTF-8. The caller frees it. */
static char *request_of(const struct call *call)
{
	json_t *json =
		json_pack("{s:s, s:s}", "command", call->command->name, "lang", ctl_language());
	char *text = NULL;
	int bad = 0;

	if (call->command->argument)
		bad |= json_object_set_new(json, call->command->argument, argument_of(call));
	if (call->command->arguments)
		bad |= json_object_set_new(json, call->command->arguments, array_of(call->words));
	for (size_t i = STATE; i < OPTION_COUNT; i++)
		if (call->given[i] && option_rows[i].member)
			bad |= json_object_set_new(json, option_rows[i].member, json_true());
		else if (call->given[i] && i != LIMIT && i != OLDER)
			bad |= json_object_set_new(json, option_rows[i].name,
						   i == MAPPING ? path_of(call->given[i])
								: json_string(call->given[i]));
	if (call->older_ms > 0)
		bad |= json_object_set_new(json, "older_than_ms",
					   json_integer((json_int_t)call->older_ms));
	if (call->mark)
		bad |= json_object_set(json, "mark", call->mark);
	if (call->command->options & 1U << LIMIT)
		bad |= json_object_set_new(json, option_rows[LIMIT].name,
					   json_integer((json_int_t)call->limit));
	if (!bad)
		text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

/* ---- the daemon ---- */

static const char *socket_of(const struct call *call)
{
	const char *from_environment = getenv("DMPFEED_SOCKET");

	if (call->given[SOCKET])
		return call->given[SOCKET];
	return from_environment && from_environment[0] ? from_environment : DEFAULT_SOCKET;
}

static int ask(const struct call *call, struct ctl_answer *answer)
{
	scoped(free_ptr) char *request = request_of(call);

	if (request == NULL)
		return misused("an argument is not UTF-8", "");
	return ctl_ask(
		&(struct ctl_question){ .path = socket_of(call),
					.request = request,
					.patience_s = call->command->is_long ? 0 : PATIENCE_S,
					.many = call->command->many },
		answer);
}

static void print_json(const struct call *call, const struct ctl_answer *answer)
{
	json_t *object = json_array_get(answer->rows, 0);

	if (call->command->history) {
		json_object_set(object, "events", answer->events);
		json_object_set(object, "metadata", answer->metadata);
	}
	ctl_print_json(call->command->many ? answer->rows : object);
}

/* A list that is as long as it may be has an end that nobody saw. */
static void tell_more(const struct call *call, const struct ctl_answer *answer)
{
	size_t count = json_array_size(answer->rows);
	const json_t *last = count ? json_array_get(answer->rows, count - 1) : NULL;
	const char *doc = json_string_value(json_object_get(last, "doc"));
	const unsigned options = call->command->options;
	scoped(free_ptr) char *words = NULL;

	if ((options & 1U << LIMIT) == 0 || count < call->limit)
		return;
	if (options & 1U << TO)
		ctl_complain(0, ctl_say("There may be more before these: add --to or --limit"), "",
			     "");
	if ((options & 1U << AFTER) == 0 || doc == NULL)
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

static void print_answer(const struct call *call, const struct ctl_answer *answer)
{
	if (call->given[JSON] && call->command->follows)
		ctl_print_json_lines(answer->rows);
	else if (call->given[JSON])
		print_json(call, answer);
	else
		call->command->print(answer);
}

/* The last row says where to go on. */
static void take_mark(struct call *call, struct ctl_answer *answer)
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
static int confirm(const struct call *call)
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

static int run_once(struct call *call)
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

static void end_round(struct rounds *rounds, const struct call *call,
		      const struct ctl_answer *answer)
{
	const size_t count = json_array_size(answer->rows);

	if (call->given[DRY_RUN])
		ctl_count_kinds(rounds->kinds, answer->rows);
	else if (call->given[JSON])
		ctl_print_json_part(answer->rows, rounds->looked_at);
	else if (count > 0 || rounds->looked_at == 0)
		call->command->print(answer);
	rounds->code = max(rounds->code, code_of(answer));
	rounds->looked_at += count;
	json_decref(rounds->after);
	rounds->after = json_incref(json_object_get(answer->rest, "after"));
}

static void end_rounds(const struct rounds *rounds, const struct call *call)
{
	if (call->given[DRY_RUN] && call->given[JSON])
		ctl_print_json(rounds->kinds);
	else if (call->given[DRY_RUN])
		ctl_print_kinds(rounds->kinds);
	else if (call->given[JSON])
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

static int run_in_rounds(struct call *call)
{
	struct rounds rounds = { .kinds = json_array() };
	int code;

	do {
		struct ctl_answer answer = answer_new();

		call->given[AFTER] =
			rounds.after ? json_string_value(rounds.after) : call->given[AFTER];
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

/* Nobody is asked about what cannot be done anyway. */
static int try_first(struct call *call)
{
	struct ctl_answer answer = answer_new();
	int code;

	call->given[DRY_RUN] = "";
	code = ask(call, &answer);
	call->given[DRY_RUN] = NULL;
	if (code == EXIT_SUCCESS) {
		code = code_of(&answer);
		if (code != EXIT_SUCCESS)
			print_answer(call, &answer);
	}
	answer_done(&answer);
	return code;
}

/* One piece after the other, until an answer has no mark to go on from. */
static int gather(struct call *call, struct ctl_export *export)
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

static int write_files(struct call *call)
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

static int run(struct call *call)
{
	int code = EXIT_SUCCESS;

	if (call->command->writes)
		return write_files(call);

	if (call->command->is_final && !call->given[DRY_RUN])
		code = try_first(call);
	if (call->command->is_final && !call->given[DRY_RUN] && code == EXIT_SUCCESS)
		code = confirm(call);
	if (code != EXIT_SUCCESS)
		return code;
	if (call->command->in_rounds && call->given[REASON])
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
	struct call call = { 0 };
	int code;

	no_memory_ends(end_without_memory);
	/* or a list would lack rows, and nobody know */
	json_set_alloc_funcs(xmalloc, free);
	setlocale(LC_ALL, "");
	ctl_choose_language();
	code = read_options(&call, argc, argv);
	if (code != 0)
		return code;
	if (call.given[HELP]) {
		print_help();
		return finish_output();
	}
	if (call.given[VERSION]) {
		puts("dmpfeedctl " DMPFEED_VERSION);
		return finish_output();
	}
	code = read_command(&call, argv + optind, (size_t)(argc - optind));
	return code ? code : run(&call);
}
