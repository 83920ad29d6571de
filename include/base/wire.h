/* One outgoing connection, plain or TLS: it is made, bytes go, bytes come, it ends. It moves bytes and no more:
 * when to dial, how long to wait and what it all means is its owner's business.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_BASE_WIRE_H
#define DMPFEED_BASE_WIRE_H

#include "base/address.h"
#include "base/tls.h"

struct event_base;

struct wire_calls {
	void (*open)(void *arg); /* the other side is there, and is who it should be */
	void (*sent)(void *arg); /* all that was to be sent is with the kernel */
	void (*heard)(void *arg, struct slice bytes);

	/* By the other side, or because something failed; `why` is "" when it has just said all that it will. It
	 * is closed already, and may be dialled again at once.
	 */
	void (*ended)(void *arg, const char *why);
	void *arg;
};

struct wire;

/* What such a wire speaks TLS with: NULL when the settings name no authorities; and where they give no name, the
 * certificate must be for the address ("10.1.2.3:2576"). -1: as tls_client_new().
 */
must_use int wire_tls(struct tls **ret_tls, const struct tls_client_settings *settings,
		      const char *address, int64_t now_ms, struct err *err);

/* Closed. `tls` (NULL: plain) outlives it. */
struct wire *wire_new(struct event_base *loop, const struct address *address, const struct tls *tls,
		      const struct wire_calls *calls);
void wire_free(struct wire **wire); /* not from within a callback */

/* One that is closed. open() or ended() follows, maybe before it returns. */
void wire_dial(struct wire *wire);

/* One that is open, and has sent what it was given before. The bytes are borrowed until sent() or the end;
 * nothing is heard meanwhile.
 */
void wire_send(struct wire *wire, struct slice bytes);

/* Closes it, whatever it does; nothing is called. */
void wire_hang_up(struct wire *wire);

bool wire_is_open(const struct wire *wire);

/* How far the other machine is with what was sent, in bytes as they went over the network. What it has
 * acknowledged is in its memory; whether its program has read it, TCP does not tell.
 */
struct wire_progress {
	uint64_t acknowledged;
	uint64_t waiting; /* given to the kernel, and not acknowledged */
};

struct wire_progress wire_progress(const struct wire *wire); /* of one that is open */

#endif
