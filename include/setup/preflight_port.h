/* May this process listen there? Tries to bind, and listens to nothing. */
#ifndef DMPFEED_SETUP_PREFLIGHT_PORT_H
#define DMPFEED_SETUP_PREFLIGHT_PORT_H

#include <sys/types.h>

#include "base/address.h"

enum preflight_port {
	PREFLIGHT_FREE,
	PREFLIGHT_OURS, /* the daemon that runs listens there now */
	PREFLIGHT_HIDDEN, /* somebody does, and in the unit nothing tells who (ProcSubset=pid), or no daemon
			     runs: systemd keeps the port for the service, where it has a socket unit */
};

/* `owner`: the daemon that runs; 0: none. -1 (ERR_HALT): it may not, and why. */
must_use int preflight_port(const char *listen, pid_t owner, enum preflight_port *ret_port,
			    struct err *err);

/* The process that listens on that Unix socket; 0: none does, or this one may not ask. */
pid_t preflight_listener(const char *socket);

#endif
