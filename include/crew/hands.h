/* What each worker has of its own: a read connection to the store, and the pens that sign. The
 * context of the pool that inbound, outbound and operator hand their work to.
 *
 * Worker only: each thread has its own.
 */
#ifndef DMPFEED_CREW_HANDS_H
#define DMPFEED_CREW_HANDS_H

#include "setup/credentials.h"

struct hands_settings {
	const struct store_settings *store;
};

struct hands;

void *hands_new(void *hands_settings);
void hands_free(void *hands);

/* The worker's own read connection, opened at its first use. NULL and err when it cannot be. */
struct store *hands_reader(struct hands *hands, struct err *err);

/* The worker's own pen for an establishment of these credentials, likewise. Pens of those before are put away:
 * their certificates may have been renewed.
 */
struct pen *hands_pen(struct hands *hands, const struct credentials *credentials,
		      size_t establishment, struct err *err);

#endif
