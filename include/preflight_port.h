/* May this process listen there? Tries to bind, and listens to nothing. */
#ifndef DMPFEED_PREFLIGHT_PORT_H
#define DMPFEED_PREFLIGHT_PORT_H

#include <sys/types.h>

#include "base/address.h"

/* 0: it may; *ret_is_ours when the daemon `owner` (0: none) is what listens there now, or systemd for it. -1 (ERR_HALT): it may not, and
 * why.
 */
must_use int preflight_port(const char *listen, pid_t owner, bool *ret_is_ours, struct err *err);

/* The process that listens on that Unix socket; 0: none does, or this one may not ask. */
pid_t preflight_listener(const char *socket);

#endif
