/* The libraries in use, for --version. */
#ifndef DMPFEED_VERSIONS_H
#define DMPFEED_VERSIONS_H

#include "base/buf.h"

/* Appends a line for each: its name and the version that runs, whatever it was built with. */
void versions_print(struct buf *out);

#endif
