/* The connections of one HL7 v2 listener, and the hall that they stand in: what they share, and the
 * limit of the bytes in flight that stops all of them.
 *
 * Loop only. The business of mllp_server.c and no other.
 */
#ifndef DMPFEED_INTAKE_MLLP_CONNECTION_H
#define DMPFEED_INTAKE_MLLP_CONNECTION_H

#include "intake/mllp_server.h"

struct mllp_hall;

struct mllp_hall *mllp_hall_new(struct event_base *loop, const struct mllp_settings *settings,
				mllp_arrival_fn *on_arrival, void *arg);

/* Closes the connections. The hall itself stays until the last arrival is answered. */
void mllp_hall_free(struct mllp_hall **hall);

/* Reads no more frames; those handed over are still answered, then their connections close. */
void mllp_hall_close(struct mllp_hall *hall);

/* Goes by these settings from now on; arrivals not answered yet keep pointing to those of before. */
void mllp_hall_follow(struct mllp_hall *hall, const struct mllp_settings *settings);

/* They belong to the hall and may be added to. */
struct mllp_figures *mllp_hall_figures(struct mllp_hall *hall);

/* Takes over a connected socket that does not block. `tls` NULL: without. */
void mllp_connection_new(struct mllp_hall *hall, int fd, const struct tls *tls,
			 const char peer[static 64]);

/* See mllp_server_answer(). */
void mllp_arrival_answer(struct mllp_arrival *arrival, struct slice ack);

#endif
