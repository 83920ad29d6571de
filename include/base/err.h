/* What went wrong, in the only three ways that make a difference to the caller, and one line for
 * people.
 *
 * What can fail returns 0, or -1 with *err filled. The setters return -1 so that failing is one
 * line:
 *
 *         return err_refuse(err, REASON_FIELD_MISSING, "TXA-12", "the document number is empty");
 *
 * Any thread; a struct err belongs to whoever declared it. Text never holds patient data: it is
 * logged and answered. Where it quotes what came, and that may be anything, it is answered alone.
 */
#ifndef DMPFEED_BASE_ERR_H
#define DMPFEED_BASE_ERR_H

#include <stdbool.h>

#include "base/reason.h"

#define must_use __attribute__((warn_unused_result))
#define printf_like(text, first) __attribute__((format(printf, text, first)))

enum err_kind {
	ERR_NONE,
	ERR_RETRY,  /* the world is at fault: try again later         */
	ERR_REJECT, /* the document is at fault: it will never pass   */
	ERR_HALT,   /* the installation is at fault: a human must act */
};

enum { ERR_TEXT = 512, ERR_WHERE = 40 };

struct err {
	enum err_kind kind;
	enum reason reason;    /* what users and senders are told; REASON_NONE where only the kind
				  matters */
	char where[ERR_WHERE]; /* the field or element at fault ("PID-3", "id/@root"); "" when
				  unknown      */
	char text[ERR_TEXT];   /* cut, never overrun   */
	bool quotes;           /* a value that came from outside */
};

/* Says what happened. Replaces what *err held. Returns -1. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...) printf_like(3, 4);

/* The document or message is at fault (ERR_REJECT), for a reason that has a row in the table of
 * reasons, at a place. Returns -1. */
int err_refuse(struct err *err, enum reason reason, const char *where, const char *format, ...)
	printf_like(4, 5);

/* What was just said quotes a value from outside: an INS may stand where a code should. Returns -1. */
int err_quotes(struct err *err);

/* What the journal may have of it: the text, or where that quotes, what the reason says. */
const char *err_told(const struct err *err);

/* Puts the caller's part of the story in front: "message from 10.0.0.7: MSH-9 is empty". Kind,
 * reason and place stay. Returns -1. */
int err_within(struct err *err, const char *format, ...) printf_like(2, 3);

#endif
