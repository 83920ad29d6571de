/* The way to a syslog collector: one TLS connection, over which rows of the audit chain go in order. It decides
 * when, moves bytes, and says which rows have arrived; where they are kept is the business of whoever gave it its
 * callbacks.
 *
 * Syslog has no acknowledgement. What is handed over is with the other machine once TCP says so, and may still
 * be lost there if its program dies before it reads. So a row is believed to have arrived when that was
 * acknowledged and the connection stood for a while after (settle_ms). When it breaks, all rows after the last
 * that arrived go again: some come twice, and their numbers tell.
 *
 * It connects when there is something to send, and leaves when there has been nothing for a while. When the
 * collector is not there, closes, or takes nothing for too long, the way is slowed: it pauses, longer from one
 * failure to the next, until rows arrive again.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_DISPATCH_COLLECTOR_H
#define DMPFEED_DISPATCH_COLLECTOR_H

#include "base/retry.h"
#include "base/tls.h"

struct event_base;

struct collector_settings {
	const char *address;            /* "10.1.2.3:6514"; "": there is none */
	struct tls_client_settings tls; /* no name: that of the address */
	uint64_t facility;
	uint64_t enterprise;      /* the number that the names of values are under */
	uint64_t most_line_bytes; /* of a message; longer ones are cut */
	int64_t timeout_ms;       /* to connect; and in which it must take something */
	int64_t idle_ms;          /* a connection with nothing to send for so long is closed */
	int64_t settle_ms;
	struct retry_settings retry;
};

struct collector_calls {
	/* Rows after that one may go. Answer with collector_send() or collector_nothing(), at once or later. */
	void (*wants)(void *arg, uint64_t after);

	/* All rows up to that one have arrived, as far as can be known. */
	void (*arrived)(void *arg, uint64_t row);
	void *arg;
};

struct collector;

/* `settings` outlives it. -1: an address or a certificate
 * that cannot be used (ERR_HALT).
 */
must_use int collector_new(struct collector **ret_collector, struct event_base *loop,
			   const struct collector_settings *settings,
			   const struct collector_calls *calls, struct err *err);
void collector_free(struct collector **collector); /* not from within a callback */

/* It takes the place of another to the same address: since when that one failed, and why, stays known. It tries
 * at once.
 */
void collector_inherit(struct collector *collector, const struct collector *before);

/* Idle until then: the last row that arrived before this. */
void collector_begin(struct collector *collector, uint64_t arrived);

/* There may be rows to send. */
void collector_poke(struct collector *collector);

/* What goes next: the rows after `after`, up to `last`, framed; the bytes are borrowed until wants(). They are
 * dropped, and wanted again, if the connection they were made for has broken since.
 */
void collector_send(struct collector *collector, uint64_t after, uint64_t last, struct slice bytes);
void collector_nothing(struct collector *collector); /* until it is poked */

/* Asks for nothing more and leaves. */
void collector_close(struct collector *collector);

struct collector_figures {
	const char *address;
	const char *state; /* "open", "slowed" */
	const char *why;   /* "" when open */
	bool connected;
	uint64_t sent;           /* the last row that was handed over, */
	uint64_t arrived;        /* and the last that arrived */
	uint64_t failed;         /* connections that were not made, or broke */
	int64_t resumes_ms;      /* when it tries again, by the wall clock; 0: it is open */
	int64_t failing_ms;      /* for how long; 0: it is open */
	int64_t last_arrived_ms; /* by the wall clock, when that was found; 0: not since start */
};

struct collector_figures collector_figures(const struct collector *collector);

#endif
