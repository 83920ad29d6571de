/* From a PDF to PDF/A-1b, by Ghostscript: a foreign program that reads foreign bytes, so it runs as
 * a confined child process.
 *
 * The child has an environment of its own, an empty work folder that is removed after it and the only
 * place where it writes, no file but its three, programs and fonts, limits on time, memory and output, no
 * network, no right to start another process or to gain rights (confine.h), and -dSAFER, by which
 * Ghostscript itself opens no other file and runs no command. It dies with the thread that started it.
 *
 * Worker: it waits for the child, as long as the settings allow.
 */
#ifndef DMPFEED_CONVERT_CONVERT_H
#define DMPFEED_CONVERT_CONVERT_H

#include <stdatomic.h>

#include "base/buf.h"

struct convert_settings {
	const char *converter; /* the program: /usr/bin/gs */
	const char *icc;       /* the profile of the colours on screen (RGB) */
	const char *folder;    /* where work folders are made: the gateway's alone */
	int64_t timeout_ms;
	uint64_t most_memory_bytes, most_output_bytes;
	bool needs_isolation; /* no conversion where nothing keeps it from the network, or from files */
	const atomic_bool *ends; /* it is given up once this is true (ERR_RETRY); NULL: never */
};

/* The PDF/A of `pdf`, checked to be one. -1: it cannot be made of this PDF (ERR_REJECT), or the
 * converter cannot be run (ERR_HALT), or not now (ERR_RETRY: the disk is full, the system killed it
 * for want of memory, and whatever else is no fault of the PDF). More memory or time than the
 * settings allow is a fault of the PDF: they say where to refuse.
 */
must_use int convert_to_pdfa(const struct convert_settings *settings, struct slice pdf,
			     struct buf *ret_pdfa, struct err *err);

/* At start: removes the work folders that a process left in it which was killed. */
void convert_clean(const char *folder);

#endif
