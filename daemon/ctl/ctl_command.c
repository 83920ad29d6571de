/* What dmpfeedctl can be asked: its commands and their options, a command line read, and the request that it makes. */
#include "ctl/ctl_command.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

enum { MOST_ROWS = 10000, MOST_AGE = 100000 };

#define ALL_COMMANDS (1U << CTL_SOCKET | 1U << CTL_JSON | 1U << CTL_HELP | 1U << CTL_VERSION)
#define DEFAULT_SOCKET "/run/dmpfeed/control.sock"

static const struct {
	const char *name, *value, *help, *preset, *member;
} option_rows[CTL_OPTION_COUNT] = {
	[CTL_SOCKET] = { "socket", "PATH", "the daemon's socket",
			 "$DMPFEED_SOCKET, " DEFAULT_SOCKET },
	[CTL_JSON] = { "json", NULL, "JSON instead of columns", NULL },
	[CTL_HELP] = { "help", NULL, "this help", NULL },
	[CTL_VERSION] = { "version", NULL, "the version of dmpfeedctl", NULL },
	[CTL_STATE] = { "state", "S",
			"in this state only, or invisible: delivered, and still hidden from the "
			"patient",
			NULL },
	[CTL_REASON] = { "reason", "R", "for this reason only", NULL },
	[CTL_SITE] = { "site", "F", "of this geographic FINESS only", NULL },
	[CTL_LIMIT] = { "limit", "N", "so many at most", "100" },
	[CTL_AFTER] = { "after", "DOC|8d",
			"documents after this one; stays so many days after their end", NULL },
	[CTL_OLDER] = { "older-than", "AGE",
			"those that came longer ago than this, like 15d or 36h; of those that are "
			"hidden, "
			"delivered longer ago",
			NULL },
	[CTL_FROM] = { "from", "DAY", "from this day on, like 2026-11-01", NULL },
	[CTL_TO] = { "to", "DAY", "up to this day", NULL },
	[CTL_BY] = { "by", "day|month", "numbers of days, or of months", "day" },
	[CTL_DENOMINATOR] = { "denominator", "D", "which denominator it is", NULL },
	[CTL_MAPPING] = { "mapping", "FILE",
			  "a YAML file of what the file calls its columns and types", NULL },
	[CTL_ACTOR] = { "actor", "USER", "what this user did only", NULL },
	[CTL_DRY_RUN] = { "dry-run", NULL, "only say what would be done", NULL, "dry_run" },
	[CTL_FORCE] = { "force", NULL,
			"also what only a person can answer for: an identity that is not "
			"qualified, a "
			"version out of order, an attempt in doubt",
			NULL, "force" },
	[CTL_REBUILD] = { "rebuild", NULL, "count all anew from the history, in the background",
			  NULL, "rebuild" },
	[CTL_DECLARED] = { "declared", NULL,
			   "what the hospital declared, not what the CNAM counted", NULL,
			   "declared" },
	[CTL_WITHOUT_LETTER] = { "without-letter", NULL,
				 "those that ended, and of which the DMP has no discharge letter",
				 NULL, "without_letter" },
	[CTL_OUTSIDE] = { "outside", NULL,
			  "for a reader outside the hospital: small counts are not told", NULL,
			  "outside" },
	[CTL_EVIDENCE] = { "evidence", NULL,
			   "also evidence.csv, a row for each document, for an audit; noted in the "
			   "audit trail",
			   NULL, "evidence" },
	[CTL_RATES] = { "rates", NULL,
			"how well each site feeds the DMP, and which units do not at all", NULL,
			"rates" },
};

static const struct ctl_command commands[] = {
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
	  .options = 1U << CTL_STATE | 1U << CTL_REASON | 1U << CTL_SITE | 1U << CTL_OLDER |
		     1U << CTL_LIMIT | 1U << CTL_AFTER,
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
	  .help = "one document and its history: DOC is its id, or its identifier in the DMP",
	  .argument = "doc",
	  .history = true,
	  .print = ctl_print_show },
	{ .name = "tail",
	  .usage = "tail [--site F]",
	  .help = "what happens to documents, as it happens",
	  .options = 1U << CTL_SITE,
	  .many = true,
	  .follows = true,
	  .print = ctl_print_tail },
	{ .name = "hold",
	  .usage = "hold DOC... [--dry-run]",
	  .help = "keep documents until they are released",
	  .arguments = "docs",
	  .options = 1U << CTL_DRY_RUN,
	  .many = true,
	  .print = ctl_print_orders },
	{ .name = "release",
	  .usage = "release DOC... | --reason R [--site F] [--after DOC] [--dry-run] [--force]",
	  .help = "send documents that are held",
	  .arguments = "docs",
	  .options = 1U << CTL_REASON | 1U << CTL_SITE | 1U << CTL_AFTER | 1U << CTL_DRY_RUN |
		     1U << CTL_FORCE,
	  .many = true,
	  .in_rounds = true,
	  .print = ctl_print_orders },
	{ .name = "retry",
	  .usage = "retry DOC... | --reason R [--site F] [--after DOC] [--dry-run] [--force]",
	  .help = "send again now, under the same ids, what was rejected or refused or waits",
	  .arguments = "docs",
	  .options = 1U << CTL_REASON | 1U << CTL_SITE | 1U << CTL_AFTER | 1U << CTL_DRY_RUN |
		     1U << CTL_FORCE,
	  .many = true,
	  .in_rounds = true,
	  .print = ctl_print_orders },
	{ .name = "cancel",
	  .usage = "cancel DOC... [--dry-run] [--force]",
	  .help = "give up documents that the DMP does not have",
	  .arguments = "docs",
	  .options = 1U << CTL_DRY_RUN | 1U << CTL_FORCE,
	  .many = true,
	  .print = ctl_print_orders },
	{ .name = "recall",
	  .usage = "recall DOC [--dry-run]",
	  .help = "delete a document in the DMP, which cannot be undone; asks twice",
	  .argument = "doc",
	  .options = 1U << CTL_DRY_RUN,
	  .is_final = true,
	  .print = ctl_print_recall },
	{ .name = "counters",
	  .usage = "counters [--from DAY] [--to DAY] [--by day|month] | --rebuild",
	  .help = "what is counted, by site, type, outcome and day",
	  .options = 1U << CTL_FROM | 1U << CTL_TO | 1U << CTL_BY | 1U << CTL_REBUILD,
	  .many = true,
	  .print = ctl_print_counters },
	{ .name = "stays",
	  .usage = "stays --without-letter [--after 8d] [--site F] [--limit N]",
	  .help = "stays that have ended, with their numbers; who asks is kept",
	  .options = 1U << CTL_WITHOUT_LETTER | 1U << CTL_AFTER | 1U << CTL_SITE | 1U << CTL_LIMIT,
	  .many = true,
	  .print = ctl_print_stays },
	{ .name = "targets",
	  .usage = "targets [--site F] [--rates]",
	  .help = "how far each place is from its usage targets",
	  .options = 1U << CTL_SITE | 1U << CTL_RATES,
	  .many = true,
	  .print = ctl_print_targets },
	{ .name = "import-denominators",
	  .usage = "import-denominators FILE [--denominator D] [--mapping FILE] [--dry-run]",
	  .help = "bring denominators: finess_eg;champ;month;n",
	  .argument = "file",
	  .options = 1U << CTL_DENOMINATOR | 1U << CTL_MAPPING | 1U << CTL_DRY_RUN,
	  .many = true,
	  .is_path = true,
	  .print = ctl_print_import },
	{ .name = "import-official",
	  .usage = "import-official FILE [--mapping FILE] [--declared] [--dry-run]",
	  .help = "bring what the CNAM counted: finess_eg;type_code;month;n",
	  .argument = "file",
	  .options = 1U << CTL_MAPPING | 1U << CTL_DECLARED | 1U << CTL_DRY_RUN,
	  .many = true,
	  .is_path = true,
	  .print = ctl_print_import },
	{ .name = "export",
	  .usage = "export DIR [--from MONTH] [--to MONTH] [--outside | --evidence]",
	  .help = "write counters, targets, rejections, reconciliation and delays to CSV files",
	  .argument = "dir",
	  .options = 1U << CTL_FROM | 1U << CTL_TO | 1U << CTL_OUTSIDE | 1U << CTL_EVIDENCE,
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
	  .options = 1U << CTL_FROM | 1U << CTL_TO | 1U << CTL_ACTOR | 1U << CTL_SITE |
		     1U << CTL_LIMIT,
	  .many = true,
	  .print = ctl_print_audit },
	{ .name = "reload",
	  .usage = "reload",
	  .help = "read the configuration again: all of it takes effect, or nothing",
	  .is_long = true,
	  .print = ctl_print_reload },
};

static void print_option_help(size_t i)
{
	printf("  --%s%s%s\n      %s", option_rows[i].name, option_rows[i].value ? " " : "",
	       slice_of(option_rows[i].value).p, ctl_say(option_rows[i].help));
	if (option_rows[i].preset)
		printf(ctl_is_french() ? " (%s : %s)" : " (%s: %s)", ctl_say("default"),
		       option_rows[i].preset);
	putchar('\n');
}

void ctl_print_help(void)
{
	printf("dmpfeedctl [--socket PATH] [--json] %s\n\n%s\n", ctl_say("COMMAND"),
	       ctl_say("Commands"));
	for (size_t i = 0; i < length_of(commands); i++)
		printf("  %s\n      %s\n", commands[i].usage, ctl_say(commands[i].help));
	printf("\nOptions\n");
	for (size_t i = 0; i < CTL_OPTION_COUNT; i++)
		print_option_help(i);
	printf("\n%s\n", ctl_say("Exit status: 0 done, 1 the daemon says no or found a fault, 2 "
				 "misused, 3 the daemon cannot be reached."));
}

int ctl_misused(const char *what, const char *about)
{
	return ctl_complain(EXIT_USAGE, ctl_say(what), about, ctl_say("See dmpfeedctl --help."));
}

/* getopt finds options before and after the command; what it would say of them, it says in one language. */
int ctl_read_options(struct ctl_call *call, int argc, char **argv)
{
	struct option options[CTL_OPTION_COUNT + 1] = { 0 };
	int option;

	for (int i = 0; i < CTL_OPTION_COUNT; i++)
		options[i] =
			(struct option){ option_rows[i].name,
					 option_rows[i].value ? required_argument : no_argument,
					 NULL, i };
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == ':')
			return ctl_misused("this option takes a value", argv[optind - 1]);
		if (option < 0 || option >= CTL_OPTION_COUNT)
			return ctl_misused("there is no such option, or it takes no value",
					   argv[optind - 1]);
		call->given[option] = optarg ? optarg : "";
	}
	return 0;
}

static int value_misused(const char *what, const char *value)
{
	scoped(free_ptr) char *sentence = xasprintf(
		ctl_is_french() ? "%s, et non « %s »" : "%s, not '%s'", ctl_say(what), value);

	return ctl_misused(sentence, "");
}

static int read_limit(struct ctl_call *call)
{
	const char *limit =
		call->given[CTL_LIMIT] ? call->given[CTL_LIMIT] : option_rows[CTL_LIMIT].preset;

	if (!slice_to_u64(slice_of(limit), MOST_ROWS, &call->limit) || call->limit == 0)
		return value_misused("--limit takes a number from 1 to 10000", limit);
	return 0;
}

/* "15d", "36 h", "90min", "45s": with "j" for a day in French. */
static int read_age(struct ctl_call *call)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "s", 1000 },
		      { "min", 60000 },
		      { "h", 3600000 },
		      { "d", 86400000 },
		      { "j", 86400000 } };
	struct slice number = slice_of(call->given[CTL_OLDER]), unit;
	uint64_t count;

	if (call->given[CTL_OLDER] == NULL)
		return 0;
	while (number.n > 0 && (number.p[number.n - 1] < '0' || number.p[number.n - 1] > '9'))
		number.n--;
	unit = slice_trim(slice_from(slice_of(call->given[CTL_OLDER]), number.n));
	for (size_t i = 0; i < length_of(units); i++)
		if (slice_is(unit, units[i].name) && slice_to_u64(number, MOST_AGE, &count)) {
			call->older_ms = count * units[i].ms;
			return 0;
		}
	return value_misused("--older-than takes a number and s, min, h or d (15d)",
			     call->given[CTL_OLDER]);
}

int ctl_read_command(struct ctl_call *call, char **words, size_t word_count)
{
	if (word_count == 0)
		return ctl_misused("no command", "");
	for (size_t i = 0; i < length_of(commands); i++)
		if (strcmp(commands[i].name, words[0]) == 0)
			call->command = &commands[i];
	if (call->command == NULL)
		return ctl_misused("no such command", words[0]);
	if (!call->command->arguments && word_count != (call->command->argument ? 2 : 1))
		return ctl_misused("this command is written", call->command->usage);
	if (call->command->arguments && (word_count > 1) == (call->given[CTL_REASON] != NULL))
		return ctl_misused("this command is written", call->command->usage);
	call->words = words + 1; /* argv ends with NULL */
	for (size_t i = 0; i < CTL_OPTION_COUNT; i++)
		if (call->given[i] && ((call->command->options | ALL_COMMANDS) & 1U << i) == 0)
			return ctl_misused("this command does not take the option",
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

static json_t *argument_of(const struct ctl_call *call)
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

char *ctl_request(const struct ctl_call *call)
{
	json_t *json =
		json_pack("{s:s, s:s}", "command", call->command->name, "lang", ctl_language());
	char *text = NULL;
	int bad = 0;

	if (call->command->argument)
		bad |= json_object_set_new(json, call->command->argument, argument_of(call));
	if (call->command->arguments)
		bad |= json_object_set_new(json, call->command->arguments, array_of(call->words));
	for (size_t i = CTL_STATE; i < CTL_OPTION_COUNT; i++)
		if (call->given[i] && option_rows[i].member)
			bad |= json_object_set_new(json, option_rows[i].member, json_true());
		else if (call->given[i] && i != CTL_LIMIT && i != CTL_OLDER)
			bad |= json_object_set_new(json, option_rows[i].name,
						   i == CTL_MAPPING ? path_of(call->given[i])
								    : json_string(call->given[i]));
	if (call->older_ms > 0)
		bad |= json_object_set_new(json, "older_than_ms",
					   json_integer((json_int_t)call->older_ms));
	if (call->mark)
		bad |= json_object_set(json, "mark", call->mark);
	if (call->command->options & 1U << CTL_LIMIT)
		bad |= json_object_set_new(json, option_rows[CTL_LIMIT].name,
					   json_integer((json_int_t)call->limit));
	if (!bad)
		text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

const char *ctl_socket(const struct ctl_call *call)
{
	const char *from_environment = getenv("DMPFEED_SOCKET");

	if (call->given[CTL_SOCKET])
		return call->given[CTL_SOCKET];
	return from_environment && from_environment[0] ? from_environment : DEFAULT_SOCKET;
}
