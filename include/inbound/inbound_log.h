/* What the journal says of what came in.
 *
 * Loop.
 */
#ifndef DMPFEED_INBOUND_INBOUND_LOG_H
#define DMPFEED_INBOUND_INBOUND_LOG_H

#include "inbound/inbound_intake.h"

/* `ack`: what the sender hears. Of a batch the first message at fault is told;
 * the file's explanation tells them all.
 */
void inbound_log(const struct intake *intake, const char *ack);

#endif
