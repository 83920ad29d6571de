/* The bytes of one connected socket that does not block, in TLS or as they are. Loop only. */
#include "base/stream.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TLS_RECORD = 16 << 10 }; /* most that is decrypted at once (RFC 8446, 5.1) */

void stream_open(struct stream *stream, int fd, const struct tls *tls)
{
	stream->fd = fd;
	stream->tls = tls ? tls_session_new(tls, fd) : NULL;
}

void stream_end(struct stream *stream)
{
	if (stream->tls != NULL)
		tls_end(stream->tls);
	shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
	tls_session_free(&stream->tls);
	close(stream->fd);
	stream->fd = -1;
}

/* What the system call came to, in the words of TLS. */
static enum tls_turn turn_of(ssize_t n, enum tls_turn wants, size_t *ret_n, struct err *err)
{
	if (n > 0) {
		*ret_n = (size_t)n;
		return TLS_DONE;
	}
	if (n == 0)
		return TLS_ENDED;
	if (errno == EAGAIN || errno == EINTR)
		return wants;
	err_set(err, ERR_RETRY, "%s", strerrordesc_np(errno));
	return TLS_FAILED;
}

enum tls_turn stream_handshake(struct stream *stream, struct err *err)
{
	return stream->tls ? tls_handshake(stream->tls, err) : TLS_DONE;
}

/* A record is copied whole, from the second part if the first is too small for it. */
static enum tls_turn read_record(struct stream *stream, const struct iovec parts[static 2],
				 size_t *ret_n, struct err *err)
{
	enum tls_turn turn;
	size_t n = 0, first;

	assert(parts[1].iov_len >= TLS_RECORD);
	if (parts[0].iov_len >= TLS_RECORD)
		return tls_read(stream->tls, parts[0].iov_base, parts[0].iov_len, ret_n, err);
	turn = tls_read(stream->tls, parts[1].iov_base, parts[1].iov_len, &n, err);
	if (turn != TLS_DONE)
		return turn;
	first = min(n, parts[0].iov_len);
	if (first > 0)
		memcpy(parts[0].iov_base, parts[1].iov_base, first);
	memmove(parts[1].iov_base, (char *)parts[1].iov_base + first, n - first);
	*ret_n = n;
	return TLS_DONE;
}

enum tls_turn stream_read(struct stream *stream, const struct iovec parts[static 2], size_t *ret_n,
			  struct err *err)
{
	if (stream->tls != NULL)
		return read_record(stream, parts, ret_n, err);
	return turn_of(readv(stream->fd, parts, 2), TLS_WANTS_READ, ret_n, err);
}

enum tls_turn stream_write(struct stream *stream, struct slice bytes, size_t *ret_n,
			   struct err *err)
{
	if (stream->tls != NULL)
		return tls_write(stream->tls, bytes, ret_n, err);
	return turn_of(send(stream->fd, bytes.p, bytes.n, MSG_NOSIGNAL), TLS_WANTS_WRITE, ret_n,
		       err);
}
