/* What may be said of an identity: HL7 table 0445 with its French additions (PID-32, and patient.identity of a
 * sidecar). Of all of them only VALI is qualified. Pure.
 */
#ifndef DMPFEED_BASE_IDENTITY_STATUS_H
#define DMPFEED_BASE_IDENTITY_STATUS_H

#include "base/buf.h"

/* Of one that is not, nobody could say when its document may leave. */
bool identity_status_is_known(struct slice code);

/* "VALI, PROV, VIDE, …": all of them. */
void identity_status_list(struct buf *out);

#endif
