/* Writes the pages of the manual that are lists from the tables of the daemon, so that they cannot fall behind: run at
 * build time.
 *
 * usage: manual dmpfeed.yaml.5|dmpfeed-journal.7|dmpfeed-reasons.7
 */
#include <stdio.h>

#include "base/log_entry.h"
#include "base/reason.h"
#include "config.h"

static const char yaml_head[] =
	".TH DMPFEED.YAML 5 \"\" \"dmpfeed " DMPFEED_VERSION "\" \"File Formats\"\n"
	".SH NAME\n"
	"dmpfeed.yaml \\- configuration of dmpfeedd\n"
	".SH SYNOPSIS\n"
	".I /etc/dmpfeed/dmpfeed.yaml\n"
	".SH DESCRIPTION\n"
	"One YAML 1.1 file, and those that it includes: by default all that\n"
	".I conf.d/*.yaml\n"
	"beside it names, in that order. Their keys join those of the file, the entries of their "
	"lists come\n"
	"after its own; a value that two files give is an error.\n"
	".PP\n"
	"Keys that are not known, values of another type or out of bounds, "
	"files that\n"
	"are missing and certificates that do not fit are errors, all told in one run with file, "
	"line and\n"
	"column:\n"
	".PP\n"
	".RS\n"
	".B dmpfeedd --config\n"
	".I FILE\n"
	".B --check-config\n"
	".RE\n"
	".PP\n"
	"prints what is in force, or those errors. The commented reference that is installed as\n"
	".I /usr/share/dmpfeed/dmpfeed.yaml\n"
	"has every key with an example.\n"
	".PP\n"
	"A name below is a path through the file:\n"
	".B status.listen\n"
	"is the key\n"
	".B listen\n"
	"of the mapping\n"
	".BR status ,\n"
	"and\n"
	".B establishments[].sites[].name\n"
	"one of each site in each establishment. Sizes take bytes, KiB, MiB or GiB; durations ms, "
	"s, min, h\n"
	"or d. Relative paths begin at the folder of the file. FINESS numbers stand in quotes, "
	"always: YAML\n"
	"would make numbers of them, and lose zeros.\n"
	".PP\n"
	"Secrets are files, never values; none is printed. Where a private key is named, the URI "
	"(RFC 7512)\n"
	"of an RSA key on a PKCS#11 token may stand instead of a file, with its module and the "
	"file of\n"
	"its PIN:\n"
	".PP\n"
	".RS\n"
	".nf\n"
	"key: \"pkcs11:token=NAME;object=NAME?module\\-path=/PATH&pin\\-source=file:/PATH\"\n"
	".fi\n"
	".RE\n"
	".PP\n"
	"A reload (SIGHUP,\n"
	".BR \"systemctl reload\" ,\n"
	".BR \"dmpfeedctl reload\" )\n"
	"reads all of it again, with the files that it names, and applies all of it or nothing. "
	"Some keys take\n"
	"effect at a start only, and say so below: a reload that changes one is refused.\n"
	".SH KEYS\n";

static const char yaml_tail[] = ".SH FILES\n"
				".I /etc/dmpfeed/dmpfeed.yaml\n"
				".SH SEE ALSO\n"
				".BR dmpfeedd (8),\n"
				".BR dmpfeedctl (1)\n";

static const char journal_head[] =
	".TH DMPFEED-JOURNAL 7 \"\" \"dmpfeed " DMPFEED_VERSION "\" \"Miscellaneous\"\n"
	".SH NAME\n"
	"dmpfeed-journal \\- what dmpfeedd writes to the journal, and how to search it\n"
	".SH DESCRIPTION\n"
	".BR dmpfeedd (8)\n"
	"writes one line for each thing that happened, the document first when it happened to "
	"one:\n"
	".PP\n"
	".RS\n"
	"doc=01JD3B9QGKZ0V6X8T5N2M4R7WC outcome=delivered attempt=2 ms=412 lane=990000987\n"
	".RE\n"
	".PP\n"
	"and a sentence after a colon where one is needed. Its priority is\n"
	".B err\n"
	"when a person must act,\n"
	".B warning\n"
	"when the gateway copes,\n"
	".B info\n"
	"when a document moved on, and\n"
	".B debug\n"
	"for the rest\n"
	".RB ( log.level\n"
	"in\n"
	".BR dmpfeed.yaml (5)).\n"
	"Nothing in it identifies a patient: a dropped file is named by a digest, and the words of "
	"the DMP stay\n"
	"in the history of the document\n"
	".RB ( \"dmpfeedctl show\" ).\n"
	".PP\n"
	"Where systemd connects standard error to the journal, each line is an entry with a field "
	"for each\n"
	"key of it, to search by:\n"
	".PP\n"
	".RS\n"
	".nf\n"
	"journalctl DOC=01JD3B9QGKZ0V6X8T5N2M4R7WC\n"
	"journalctl -u dmpfeed -p warning DMPFEED_SOURCE=LABO --since today\n"
	"journalctl -u dmpfeed -o json DMPFEED_ALERT=lane_stopped\n"
	".fi\n"
	".RE\n"
	".PP\n"
	"Elsewhere lines go to standard error, with the priority in front\n"
	".RB ( <3> \" to \" <7> ).\n"
	"Control characters and bytes that are not UTF-8 are written as\n"
	".B \\en\n"
	"or\n"
	".BR \\ex1b ,\n"
	"and blanks in what a sender chose as\n"
	".BR \\ex20 :\n"
	"whatever comes from outside is one value in one line.\n"
	".PP\n"
	"Of lines of one kind the journal gets so many in an interval\n"
	".RB ( log.rate_limit ),\n"
	"and then one that says how many more there were, and the last of them\n"
	".RB ( left_out ):\n"
	"a flood of refusals does not carry the alert away that matters.\n"
	".PP\n"
	"The daemon does not wait for a journal that does not read: what it does not take within a "
	"tenth of a\n"
	"second is lost, and the next line that it takes says how many were\n"
	".RB ( lost ).\n"
	"Nothing that must be kept depends on it: what happened to a document is in the queue.\n"
	".SH FIELDS\n";

static const char journal_tail[] = ".SH SEE ALSO\n"
				   ".BR dmpfeedd (8),\n"
				   ".BR dmpfeed.yaml (5),\n"
				   ".BR journalctl (1)\n";

static const char reasons_head[] =
	".TH DMPFEED-REASONS 7 \"\" \"dmpfeed " DMPFEED_VERSION "\" \"Miscellaneous\"\n"
	".SH NAME\n"
	"dmpfeed-reasons \\- why a document is where it is, and what to do\n"
	".SH DESCRIPTION\n"
	"Each has a fixed name, which is what\n"
	".B \"dmpfeedctl list \\-\\-reason\"\n"
	"and\n"
	".B \"dmpfeedctl retry \\-\\-reason\"\n"
	"take, and what the journal, the status page and the metrics write. Where it answers an "
	"HL7 message, its\n"
	"code in ERR\\-3 (table messageErrorCondition of the ANS profile) stands behind it.\n"
	".SH REASONS\n";

static const char reasons_tail[] = ".SH SEE ALSO\n"
				   ".BR dmpfeedctl (1),\n"
				   ".BR dmpfeed-journal (7)\n";

/* A line of text as roff reads it: no hyphen becomes a dash, no first character a request. */
static void print_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == ':')
			fputs(":\\:", stdout); /* a list of cipher suites may be broken here */
		else
			putchar(*text == '\n' ? ' ' : *text);
	}
	putchar('\n');
}

static void print_option(void *arg, const struct config_option *option)
{
	(void)arg;
	fputs(".TP\n.B ", stdout);
	print_text(option->name);
	print_text(option->help);
	fputs(".br\n", stdout);
	if (option->preset == NULL)
		print_text("It must be given.");
	else if (option->preset[0] == '\0')
		print_text("By default: none.");
	else
		fputs("By default: ", stdout), print_text(option->preset);
	if (option->restart)
		fputs(".br\n", stdout), print_text("It takes effect at a start only.");
}

static void print_yaml(void)
{
	fputs(yaml_head, stdout);
	config_options(print_option, NULL);
	fputs(yaml_tail, stdout);
}

static void print_journal(void)
{
	size_t count;
	const struct log_key *keys = log_keys(&count);

	fputs(journal_head, stdout);
	for (size_t i = 0; i < count; i++) {
		scoped(buf_done) struct buf field = { 0 };

		log_field_name(slice_of(keys[i].key), &field);
		fputs(".TP\n.B ", stdout);
		print_text(field.p);
		print_text(keys[i].meaning);
	}
	fputs(journal_tail, stdout);
}

static void print_reasons(void)
{
	fputs(reasons_head, stdout);
	for (enum reason reason = REASON_NONE + 1; reason < REASON_COUNT; reason++) {
		const struct reason_row *row = reason_row(reason);

		fputs(".TP\n.B ", stdout);
		print_text(row->code);
		if (row->hl7_code != 0)
			printf("(%d)\n", row->hl7_code);
		print_text(row->english);
		fputs(".br\n", stdout);
		print_text(row->action_english);
	}
	fputs(reasons_tail, stdout);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} pages[] = { { "dmpfeed.yaml.5", print_yaml },
		      { "dmpfeed-journal.7", print_journal },
		      { "dmpfeed-reasons.7", print_reasons } };

	for (size_t i = 0; argc == 2 && i < length_of(pages); i++)
		if (strcmp(argv[1], pages[i].name) == 0) {
			pages[i].print();
			return fflush(stdout) == 0 ? 0 : 1;
		}
	fprintf(stderr, "usage: manual dmpfeed.yaml.5|dmpfeed-journal.7|dmpfeed-reasons.7\n");
	return 2;
}
