/* Sockets that the service manager opened and listens on for us (sd_listen_fds(3)): it holds them while we are
 * restarted, and may open ports that we may not.
 *
 * They stay the process's own: who takes one gets a copy, so that one given back at a reload can be taken again. One
 * thread.
 */
#ifndef DMPFEED_BASE_INHERITED_H
#define DMPFEED_BASE_INHERITED_H

#include "base/address.h"

/* At start, before anything else opens descriptors. */
void inherited_start(void);
void inherited_end(void);

/* The socket that listens on this address; where its port is 0, one of that host and name (FileDescriptorName=). A copy
 * for the caller, that does not block. -1: none.
 */
int inherited_take(const struct address *address, const char *name);

/* The same; or, when there is none, a new one that is bound and listens. -1: errno says why. */
int inherited_or_new(const struct address *address, const char *name);

/* One that nobody has taken yet: its name and address; false: none is left. */
bool inherited_is_left(size_t index, const char **ret_name, char ret_address[static ADDRESS_TEXT]);

#endif
