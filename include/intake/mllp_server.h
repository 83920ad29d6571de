/* The HL7 v2 door: one listener, any number of connections, each answered in order. Memory is
 * bounded by the settings: when the bytes in flight reach the limit the listener stops reading.
 *
 * Loop only.
 */
#ifndef DMPFEED_INTAKE_MLLP_SERVER_H
#define DMPFEED_INTAKE_MLLP_SERVER_H

#include "base/network.h"
#include "base/tls.h"

struct event_base;

struct mllp_settings {
	const char *name;   /* in logs and status */
	const char *listen; /* "127.0.0.1:2575", "[::1]:2575"; port 0: the system chooses */
	struct tls_server_settings tls; /* without `cert`: none */
	struct network *allowed;        /* who may connect; none: everybody */
	size_t allowed_count;
	const char *site, *source;
	uint64_t most_message_bytes, most_in_flight_bytes;
	uint64_t most_connections;
	int64_t idle_ms; /* without a byte, or with a frame that does not end */
};

/* One frame, to be answered once. */
struct mllp_arrival {
	struct buf payload; /* whoever answers may take the bytes over */
	/* Not ERR_NONE: the frame is broken or too large and payload is how it began (64 KiB at
	 * most, enough to find MSH). Answer the refusal; the connection then closes.
	 */
	struct err framing;
	const struct mllp_settings *listener;
	char peer[64]; /* address and port */

	/* private */
	struct mllp_hall *hall;
	struct mllp_connection *connection; /* NULL: gone, the answer goes nowhere */
	struct mllp_arrival *next;
	struct buf answer;
	size_t bytes; /* counted against the limit */
	bool answered;
};

typedef void mllp_arrival_fn(void *arg, struct mllp_arrival *arrival);

struct mllp_server;

/* `settings` outlives the server and its arrivals. -1: cannot listen (ERR_HALT). */
must_use int mllp_server_new(struct mllp_server **ret_server, struct event_base *loop,
			     const struct mllp_settings *settings, mllp_arrival_fn *on_arrival,
			     void *arg, struct err *err);

/* Goes by these settings from now on, which have the same address: the socket stays, and so does every connection.
 * Those to come speak TLS by `tls`, which is the server's now, or without it (NULL). Arrivals not answered yet keep
 * pointing to the settings of before.
 */
void mllp_server_follow(struct mllp_server *server, const struct mllp_settings *settings,
			struct tls *tls);

/* Closes the connections. Arrivals not yet answered stay valid until they are. Not from within
 * on_arrival.
 */
void mllp_server_free(struct mllp_server **server);

/* Sends the acknowledgement (without frame) once those before it went, and frees the arrival. An
 * empty one sends nothing: some messages want no answer. Never calls on_arrival: it may be called
 * from within it.
 */
void mllp_server_answer(struct mllp_arrival *arrival, struct slice ack);

/* Accepts no more connections and reads no more frames; those handed over are still answered, then
 * their connections close.
 */
void mllp_server_close(struct mllp_server *server);

struct mllp_figures {
	const char *name;
	char address[64]; /* where it listens really */
	bool tls;
	uint64_t connections, in_flight_bytes;
	/* since start; a broken frame: not MLLP, too large, or begun and never ended; a refused
	 * connection: one too many, a refused peer: not one of `allowed` */
	uint64_t messages, broken_frames, stray_bytes, refused_connections, refused_peers,
		failed_handshakes;
	int64_t last_message_ms;
};

struct mllp_figures mllp_server_figures(const struct mllp_server *server);

#endif
