/* The way back to a source: one outgoing MLLP link, plain or TLS, to the listener where the source takes
 * what the gateway owes it, one message at a time. It decides when and moves bytes; where the messages
 * are kept is the business of whoever gave it its callbacks.
 *
 * It connects when there is something to send, and closes when there has been nothing for a while. An
 * answer is waited for only so long. After anything but AA the link is slowed: it pauses, longer from
 * one failure to the next, and then asks for a message again; the first AA opens it. A source that is
 * down for a week costs one attempt per pause.
 *
 * Loop only, in a process that ignores SIGPIPE.
 */
#ifndef DMPFEED_INTAKE_MLLP_SENDER_H
#define DMPFEED_INTAKE_MLLP_SENDER_H

#include "base/retry.h"
#include "base/tls.h"

struct event_base;

struct mllp_sender_settings {
	const char *source;             /* in logs and status */
	const char *address;            /* "10.1.2.3:2576", "[fd00::7]:2576" */
	struct tls_client_settings tls; /* no ca: plain. No name: that of the address */
	struct retry_settings retry;
	int64_t timeout_ms; /* to connect; and then for the answer */
	int64_t idle_ms;    /* a connection with nothing to send for so long is closed */

	/* Where time and chance come from: NULL for the monotonic clock and random_u32(). */
	int64_t (*clock_ms)(void);
	uint32_t (*chance)(void);
};

/* What became of a message. */
enum mllp_sent {
	MLLP_SENT_ACCEPTED, /* AA */
	MLLP_SENT_REFUSED,  /* the source answered, and not AA */
	MLLP_SENT_LOST,     /* it may have arrived: no answer came, or none that can be read */
	MLLP_SENT_NOT,      /* the source was not reached: nothing left */
};

struct mllp_sender_calls {
	/* The link is ready for a message. Answer with mllp_sender_send() or mllp_sender_nothing(),
	 * at once or later.
	 */
	void (*wants)(void *arg);

	/* Its way has ended; `why` is a sentence, "" after AA. Answer with mllp_sender_settled(), at
	 * once or later.
	 */
	void (*ended)(void *arg, enum mllp_sent sent, const char *why);
	void *arg;
};

struct mllp_sender;

/* Idle until it is poked. `settings` outlives it. -1: an address or a certificate that cannot be
 * used (ERR_HALT).
 */
must_use int mllp_sender_new(struct mllp_sender **ret_sender, struct event_base *loop,
			     const struct mllp_sender_settings *settings,
			     const struct mllp_sender_calls *calls, struct err *err);
void mllp_sender_free(struct mllp_sender **sender); /* not from within a callback */

/* There may be something to send. */
void mllp_sender_poke(struct mllp_sender *sender);

/* The message (without frame) to send, and its MSH-10, which the answer must name. Both are copied. */
void mllp_sender_send(struct mllp_sender *sender, struct slice message, const char *control_id);

/* There is none; the next will be due after so long. INT64_MAX: not before a poke. */
void mllp_sender_nothing(struct mllp_sender *sender, int64_t wait_ms);

/* What ended() told was written down. */
void mllp_sender_settled(struct mllp_sender *sender);

/* When the link will do something by itself, by its monotonic clock (INT64_MAX: not before it is told
 * something), and the alarm for it: tests ring it.
 */
int64_t mllp_sender_wakes_ms(const struct mllp_sender *sender);
void mllp_sender_wake(struct mllp_sender *sender);

/* Asks for nothing more and leaves the source; what is in flight is given up, and not told. */
void mllp_sender_close(struct mllp_sender *sender);

struct mllp_sender_figures {
	const char *source, *address;
	const char *state;  /* "open", "slowed" */
	const char *why;    /* "" when open */
	int64_t resumes_ms; /* when it tries again, by the wall clock; 0: it is open */
	bool connected;
	uint64_t accepted, refused, failed; /* since start; failed: lost, or not sent */
	int64_t last_accepted_ms;
};

struct mllp_sender_figures mllp_sender_figures(const struct mllp_sender *sender);

#endif
