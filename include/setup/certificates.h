/* The certificates in use: whose, for what, and until when.
 *
 * Read at start from the files that the configuration names, as those who use them read them then: what
 * is renewed on the disk counts once it is used. Immutable afterwards: any thread may read it.
 */
#ifndef DMPFEED_SETUP_CERTIFICATES_H
#define DMPFEED_SETUP_CERTIFICATES_H

#include "config.h"
#include "status/health.h"

struct certificates;

/* One that cannot be read is left out: who needs it tells why. */
struct certificates *certificates_new(const struct config *config);
void certificates_free(struct certificates **certificates);

const struct health_certificate *certificates_list(const struct certificates *certificates,
						   size_t *ret_count);

#endif
