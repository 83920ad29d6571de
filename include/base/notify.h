/* What the service manager is told (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names. Without one,
 * nobody is told.
 *
 * Our own: the protocol is stable and written down, ten lines speak it, and a library of systemd's would be one more
 * thing to trust and to ship. Any thread.
 */
#ifndef DMPFEED_BASE_NOTIFY_H
#define DMPFEED_BASE_NOTIFY_H

#include "base/buf.h"

/* "READY=1", "STATUS=…", several on lines of their own. Never waits; what the manager cannot take is lost. */
void notify_tell(const char *format, ...) printf_like(1, 2);

/* Does anybody listen? */
bool notify_is_heard(void);

/* The manager must hear "WATCHDOG=1" this often, or it starts us anew; 0: it does not care. */
int64_t notify_watchdog_ms(void);

#endif
