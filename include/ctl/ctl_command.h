/* What dmpfeedctl can be asked: its commands and their options, a command line read, and the request that it makes. What
 * fails has been told on stderr, and returns the exit status.
 */
#ifndef DMPFEED_CTL_CTL_COMMAND_H
#define DMPFEED_CTL_CTL_COMMAND_H

#include "ctl/ctl_ask.h"

enum ctl_option {
	CTL_SOCKET, /* these four belong to every command */
	CTL_JSON,
	CTL_HELP,
	CTL_VERSION,
	CTL_STATE, /* these are members of a request */
	CTL_REASON,
	CTL_SITE,
	CTL_LIMIT,
	CTL_AFTER,
	CTL_OLDER,
	CTL_FROM,
	CTL_TO,
	CTL_BY,
	CTL_DENOMINATOR,
	CTL_MAPPING,
	CTL_ACTOR,
	CTL_DRY_RUN, /* these too, and they are true or absent */
	CTL_FORCE,
	CTL_REBUILD,
	CTL_DECLARED,
	CTL_WITHOUT_LETTER,
	CTL_OUTSIDE,
	CTL_EVIDENCE,
	CTL_RATES,
	CTL_OPTION_COUNT,
};

struct ctl_command {
	const char *name, *usage, *help;
	const char *argument;  /* NULL: none; otherwise the member of the request that it becomes */
	const char *arguments; /* NULL: none; otherwise the member that any number of them become */
	unsigned options;      /* bits, by ctl_option */
	bool many;             /* any number of rows; otherwise exactly one */
	bool history;
	bool in_rounds; /* by its reason it reaches so many at once: it is asked until none is left */
	bool is_final; /* a person is asked first, twice */
	bool is_path;  /* the argument: made absolute, for the daemon works elsewhere */
	bool writes;   /* files, into the folder that it names: asks on until all was told */
	bool follows;  /* asks again and again, from the mark of the last answer */
	bool is_long;  /* the answer may take as long as it likes */
	void (*print)(const struct ctl_answer *answer);
};

struct ctl_call {
	const struct ctl_command *command;
	const char *given[CTL_OPTION_COUNT]; /* NULL: not given */
	char **words;                        /* after the command, up to a NULL */
	uint64_t limit;
	uint64_t older_ms; /* 0: whatever its age */
	json_t *mark;      /* of a command that follows; NULL: not yet known */
};

/* The options, before and after the command: those to --help and --version may come without one. */
must_use int ctl_read_options(struct ctl_call *call, int argc, char **argv);

/* The command and what it is given; `words` ends with NULL, and is kept. */
must_use int ctl_read_command(struct ctl_call *call, char **words, size_t word_count);

void ctl_print_help(void);

/* It was asked wrongly: what, and about which word. Returns the exit status. */
int ctl_misused(const char *what, const char *about);

/* The line to send; NULL: an argument is not UTF-8. The caller frees it. */
char *ctl_request(const struct ctl_call *call);

/* The path of the daemon's: given, of the environment, or the usual one. */
const char *ctl_socket(const struct ctl_call *call);

#endif
