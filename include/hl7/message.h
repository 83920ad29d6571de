/* An HL7 v2 message in ER7 form, cut into segments, fields, repetitions, components (HL7 2.5/2.6,
 * chapter 2). Borrows the text it was parsed from; nothing is copied but the list of segments.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_HL7_MESSAGE_H
#define DMPFEED_HL7_MESSAGE_H

#include "base/arena.h"
#include "hl7/charset.h"

/* A message of the ANS profile has some twenty segments; each recipient adds one. */
enum { HL7_SEGMENTS_MOST = 10000 };

/* One delimiter: a character, which real files also write in two bytes (U+02DC for '~'). */
struct hl7_delimiter {
	char bytes[4];
	uint8_t n;
};

struct hl7_message {
	struct slice text;
	struct hl7_delimiter field, component, repetition, escape, subcomponent;
	enum hl7_charset charset; /* how to read the text of its fields */
	bool charset_corrected;   /* MSH-18 says otherwise, the bytes decided */
	bool line_feeds;          /* LF or CRLF ends a segment, where HL7 wants CR */
	struct slice *segments;   /* without their terminators; blank lines left out */
	size_t segment_count;
};

/* `text` without a byte order mark before it and blanks around it. */
struct slice hl7_bare(struct slice text);

/* Cuts `text` (the payload of a frame, or a file: segments end with CR, LF or CRLF; a BOM before
 * MSH is skipped). A line that is no segment continues the OBX before it: Base64 broken into lines.
 * The list of segments lives in `arena`. -1: not a message; err has where ("MSH-2") and a reason of
 * the profile's table. Refuses a second MSH: one message at a time.
 */
must_use int hl7_parse(struct hl7_message *message, struct slice text, struct arena *arena,
		       struct err *err);

/* The MSH of what may be no message at all, for those who must answer it; a slice with p NULL when
 * there is none. *message then serves hl7_field() and the like on that segment; it lists no
 * segment. Where MSH-2 does not say the delimiters, those of the profile apply.
 */
struct slice hl7_header(struct hl7_message *message, struct slice text);

/* Is this segment of that name (three letters or digits)? */
bool hl7_is(struct slice segment, const char *name);

/* The first segment of that name at or after *index (0 at first); *index becomes its place. A slice
 * with p NULL when there is none.
 */
struct slice hl7_find(const struct hl7_message *message, const char *name, size_t *index);

/* `value` without blanks at its ends. The no-break space is one: official examples end PRT-8 with a
 * dozen.
 */
struct slice hl7_trim(const struct hl7_message *message, struct slice value);

/* Field `number` of a segment, as HL7 counts (MSH-1 is the delimiter itself). Empty when absent.
 * Blanks at its end are cut.
 */
struct slice hl7_field(const struct hl7_message *message, struct slice segment, unsigned number);

/* Fields 0 (the name) to count - 1 in one look: what hl7_field() gives for each. */
void hl7_fields(const struct hl7_message *message, struct slice segment, struct slice *ret_fields,
		unsigned count);

/* Repetition (0 first), component and subcomponent (1 first) of what the level above gave. */
struct slice hl7_repetition(const struct hl7_message *message, struct slice field, unsigned index);
struct slice hl7_component(const struct hl7_message *message, struct slice repetition,
			   unsigned number);
struct slice hl7_subcomponent(const struct hl7_message *message, struct slice component,
			      unsigned number);

/* A component as codes are compared: without blanks at its ends. */
struct slice hl7_code(const struct hl7_message *message, struct slice repetition, unsigned number);

/* The time that a field begins with, in milliseconds since 1970; 0 when it has none, or one that cannot be read. */
int64_t hl7_time(const struct hl7_message *message, struct slice field);

/* How many repetitions a field has; an empty field has none. */
unsigned hl7_repetitions(const struct hl7_message *message, struct slice field);

/* Takes the next repetition off *rest, the whole field at first; false when none is left. For who
 * wants them all: one look at each byte, however many there are.
 */
bool hl7_next_repetition(const struct hl7_message *message, struct slice *rest,
			 struct slice *ret_repetition);

/* The value as people read it: UTF-8, escapes resolved (\F\ \S\ \T\ \R\ \E\ \Xhh\ \.br\; \H\ and
 * \N\ dropped; unknown ones kept), NUL-terminated, in `arena`. What XML could not hold becomes
 * U+FFFD. HL7's null ("") reads as empty.
 */
char *hl7_text(const struct hl7_message *message, struct slice value, struct arena *arena);

/* Appends `text` (UTF-8) as a value between the profile's delimiters, |^~\&: these escaped, a line
 * end as \.br\, no other control character.
 */
void hl7_escape(struct slice text, struct buf *out);

/* "PID-3.4", or "PID-3" for component 0. For err.where; ret_text has ERR_WHERE. */
const char *hl7_where(const char *segment, unsigned field, unsigned component,
		      char ret_text[static ERR_WHERE]);

#endif
