/* Alerts, told to whoever does not look: a command, or a webhook, for each that is raised, changes or is
 * cleared.
 *
 * One after the other, in order, on a thread of their own, so that neither the loop nor a document waits for
 * a program or a server that hangs. What fails is tried again, ever more rarely, a few times; what comes
 * while too many wait is dropped. Both are said in the journal, where the alert itself is in any case.
 *
 * Loop only.
 */
#ifndef DMPFEED_PUSH_H
#define DMPFEED_PUSH_H

#include "base/jobs.h"
#include "base/retry.h"

struct push_settings {
	const char **command; /* the program, by its path, and its arguments: no shell; */
	size_t command_count; /* 0: none */
	const char *url;      /* of the webhook; "": none */
	const char
		*ca; /* the authorities that its certificate is checked against; "": the system's */
	const char *token;  /* sent as Authorization: Bearer; "": none */
	int64_t timeout_ms; /* for each attempt */
	struct retry_settings retry;
	uint64_t most_attempts, most_waiting;
};

struct event_base;
struct push;

/* NULL when nobody is to be told. The settings are copied. */
struct push *push_new(const struct push_settings *settings, struct event_base *loop,
		      struct mailbox *mailbox);

/* Goes by these settings from the next attempt on, which is made at once where one had failed: they may mend what was
 * wrong. They may say that nobody is told any more, too.
 */
void push_follow(struct push *push, const struct push_settings *settings);

/* Gives up what is under way; then what waits. Both may be called with none. */
void push_stop(struct push *push); /* while the mailbox is there: */
void push_free(struct push **push);

/* `json`: what is told, an object; copied. `push` may be NULL. */
void push_tell(struct push *push, struct slice json);

#endif
