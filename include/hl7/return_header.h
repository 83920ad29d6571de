/* The MSH of what goes back to the sender of a message: an acknowledgement, technical or business.
 * Sender and receiver change places; what the sender's own MSH tells is used, whatever it is.
 *
 * Pure. Any thread.
 */
#ifndef DMPFEED_HL7_RETURN_HEADER_H
#define DMPFEED_HL7_RETURN_HEADER_H

#include "hl7/message.h"

struct return_header {
	int64_t now_ms;
	const char *type;       /* MSH-9: "ACK^T02^ACK" */
	const char *control_id; /* ours: MSH-10, 20 characters at most */
	const char *version;    /* MSH-12; NULL: that of the message */
	const char *profile;    /* MSH-21; NULL: none */
};

/* Appends the segment. `msh` is the sender's, as hl7_header() gave it with `header`. */
void return_header_add(const struct hl7_message *header, struct slice msh,
		       const struct return_header *about, struct buf *out);

/* Appends a field of the sender's MSH as a value of our message: the very bytes where they can
 * stand between our delimiters, so that the sender finds what it wrote.
 */
void return_header_add_value(const struct hl7_message *header, struct slice msh, unsigned number,
			     struct buf *out);

#endif
