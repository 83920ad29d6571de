/* How dmpfeedctl asks the daemon. One thread. */
#ifndef DMPFEED_CTL_CTL_ASK_H
#define DMPFEED_CTL_CTL_ASK_H

#include <time.h>

#include "ctl/ctl_print.h"

/* What dmpfeedctl ends with, beside EXIT_SUCCESS. */
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

struct ctl_question {
	const char *path;    /* of the socket */
	const char *request; /* JSON, without the end of its line */
	time_t patience_s;   /* for each line; 0: for ever */
	bool many;           /* any number of rows; otherwise exactly one */
};

/* Adds what is answered. 0, or an exit code after a complaint. */
must_use int ctl_ask(const struct ctl_question *question, struct ctl_answer *answer);

#endif
