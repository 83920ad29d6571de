/* The bytes of one connected socket that does not block, in TLS or as they are.
 *
 * Loop only.
 */
#ifndef DMPFEED_BASE_STREAM_H
#define DMPFEED_BASE_STREAM_H

#include <sys/uio.h>

#include "base/tls.h"

struct stream {
	int fd;
	struct tls_session *tls; /* NULL: none */
};

/* Owns the socket. `tls` NULL: as it is; else stream_handshake() comes first. */
void stream_open(struct stream *stream, int fd, const struct tls *tls);

/* Tells the peer that nothing more will come. Its own bytes may still be read from the socket. */
void stream_end(struct stream *stream);
void stream_close(struct stream *stream);

/* As those of tls.h; a socket that is not ours to wait for yet TLS_WANTS_READ or TLS_WANTS_WRITE. */
must_use enum tls_turn stream_handshake(struct stream *stream, struct err *err);

/* Into both parts, one after the other. No event tells of what is left: the second takes 16 KiB (a
 * record of TLS) or more.
 */
must_use enum tls_turn stream_read(struct stream *stream, const struct iovec parts[static 2],
				   size_t *ret_n, struct err *err);
must_use enum tls_turn stream_write(struct stream *stream, struct slice bytes, size_t *ret_n,
				    struct err *err);

#endif
