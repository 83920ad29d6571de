/* Writes dmpfeed.yaml.5 from the table of options, so that the manual cannot fall behind it: run at build time.
 *
 * usage: manual > dmpfeed.yaml.5
 */
#include <stdio.h>

#include "config.h"

static const char head[] =
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
	"Secrets are files, never values; none is printed.\n"
	".PP\n"
	"A reload (SIGHUP,\n"
	".BR \"systemctl reload\" ,\n"
	".BR \"dmpfeedctl reload\" )\n"
	"reads all of it again, with the files that it names, and applies all of it or nothing. "
	"Some keys take\n"
	"effect at a start only, and say so below: a reload that changes one is refused.\n"
	".SH KEYS\n";

static const char tail[] = ".SH FILES\n"
			   ".I /etc/dmpfeed/dmpfeed.yaml\n"
			   ".SH SEE ALSO\n"
			   ".BR dmpfeedd (8),\n"
			   ".BR dmpfeedctl (1)\n";

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

int main(void)
{
	fputs(head, stdout);
	config_options(print_option, NULL);
	fputs(tail, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
