/* An HL7 v2 message in ER7 form, cut into segments, fields, repetitions, components (HL7 2.5/2.6,
 * chapter 2). Borrows the text it was parsed from; nothing is copied but the list of segments.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_HL7_MESSAGE_H
#define DMPFEED_HL7_MESSAGE_H

#include "base/arena.h"

/* One delimiter: a character, which real files also write in two bytes (U+02DC for '~'). */
struct hl7_delimiter {
	char bytes[4];
	uint8_t n;
};

enum hl7_charset { HL7_UTF_8, HL7_8859_15 };

struct hl7_message {
	struct slice text;
	struct hl7_delimiter field, component, repetition, escape, subcomponent;
	enum hl7_charset charset; /* how to read the text of its fields */
	bool charset_corrected;   /* MSH-18 says otherwise, the bytes decided */
	struct slice *segments;   /* without their terminators; blank lines left out */
	size_t segment_count;
};

/* Cuts `text` (the payload of a frame, or a file: segments end with CR, LF or CRLF; a BOM before
 * MSH is skipped). Its list lives in `arena`. -1: not a message; err has where ("MSH-2") and a
 * reason of the profile's table. Refuses a second MSH: one message at a time.
 */
must_use int hl7_parse(struct hl7_message *message, struct slice text, struct arena *arena,
		       struct err *err);

/* The segment `index` (0 first) of the message; its name is its first three bytes. */
bool hl7_is(struct slice segment, const char *name);

/* The first segment of that name at or after *index (0 at first); *index becomes its place. A slice
 * with p NULL when there is none.
 */
struct slice hl7_find(const struct hl7_message *message, const char *name, size_t *index);

/* Field `number` of a segment, as HL7 counts (MSH-1 is the delimiter itself). Empty when absent.
 * Trailing blanks are cut.
 */
struct slice hl7_field(const struct hl7_message *message, struct slice segment, unsigned number);

/* Repetition (0 first), component and subcomponent (1 first) of what the level above gave. */
struct slice hl7_repetition(const struct hl7_message *message, struct slice field, unsigned index);
struct slice hl7_component(const struct hl7_message *message, struct slice repetition,
			   unsigned number);
struct slice hl7_subcomponent(const struct hl7_message *message, struct slice component,
			      unsigned number);

/* How many repetitions a field has; an empty field has none. */
unsigned hl7_repetitions(const struct hl7_message *message, struct slice field);

/* The value as people read it: UTF-8, escapes resolved (\F\ \S\ \T\ \R\ \E\ \Xhh\ \.br\; \H\ and
 * \N\ dropped; unknown ones kept), NUL-terminated, in `arena`. HL7's null ("") reads as empty.
 */
char *hl7_text(const struct hl7_message *message, struct slice value, struct arena *arena);

/* "PID-3.4.2": component and subcomponent 0 are left out. For err.where; ret_text has ERR_WHERE. */
const char *hl7_where(const char *segment, unsigned field, unsigned component, char *ret_text);

#endif
