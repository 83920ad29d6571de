/* A DMP that takes everything: TLS 1.2 with mutual authentication, HTTP/1.1 kept alive, one thread.
 * Each request is read whole, waits its latency, and is answered with a registry's Success.
 *
 * usage: bench_sink PKI LATENCY_MS [TIMES [PORT]]
 *
 * PKI: the folder with server.pem, server.key and ca.pem. Prints {"port": N}, and at SIGTERM what
 * it received. TIMES: a file to get a line "NUMBER NANOSECONDS" for each document, the moment of
 * its answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { READ_BYTES = 64 << 10, MOST_HEAD = 16 << 10, MOST_EVENTS = 256 };

struct peer {
	struct peer *next; /* of those that wait for their answer */
	int fd;
	SSL *tls;
	bool accepted, gone;
	char *in;
	size_t n, room;
	int64_t due_ns; /* 0: reading */
};

struct sink {
	SSL_CTX *tls;
	int epoll, listener;
	int64_t latency_ns;
	struct peer *first, *last; /* the latency is one: they are due in the order they came */
	FILE *times;
	uint64_t requests, connections;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

/* ---- requests ---- */

/* The bytes of the request at the start of `in`; 0: it is not whole. */
static size_t whole_bytes(const struct peer *peer)
{
	static const char name[] = "\r\nContent-Length:";
	const char *head_end = memmem(peer->in, peer->n, "\r\n\r\n", 4);
	size_t head_n = head_end ? (size_t)(head_end - peer->in) + 4 : 0, body_n;
	const char *length;

	if (head_n == 0)
		return 0;
	length = memmem(peer->in, head_n, name, sizeof(name) - 1);
	if (length == NULL)
		bench_die("a request without Content-Length");
	body_n = strtoul(length + sizeof(name) - 1, NULL, 10);
	return peer->n >= head_n + body_n ? head_n + body_n : 0;
}

static void note_time(struct sink *sink, const struct peer *peer, int64_t now_ns)
{
	const char *at = memmem(peer->in, peer->n, BENCH_ARC, sizeof(BENCH_ARC) - 1);

	if (sink->times != NULL && at != NULL)
		fprintf(sink->times, "%.*s %" PRId64 "\n", BENCH_DIGITS, at + sizeof(BENCH_ARC) - 1,
			now_ns);
}

static void answer(struct sink *sink, struct peer *peer, int64_t now_ns)
{
	static const char body[] =
		"<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\">"
		"<soap:Body><rs:RegistryResponse"
		" xmlns:rs=\"urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0\""
		" status=\"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success\"/>"
		"</soap:Body></soap:Envelope>";
	char reply[sizeof(body) + 200];
	int n = snprintf(reply, sizeof(reply),
			 "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; charset=UTF-8\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 sizeof(body) - 1, body);

	if (peer->gone)
		return;
	note_time(sink, peer, now_ns);
	peer->n = 0;
	peer->due_ns = 0;
	if (SSL_write(peer->tls, reply, n) != n)
		bench_die("an answer did not leave at once");
	sink->requests++;
}

/* ---- connections ---- */

static void peer_free(struct peer *peer)
{
	SSL_free(peer->tls);
	close(peer->fd);
	free(peer->in);
	free(peer);
}

static void accept_peer(struct sink *sink)
{
	int fd = accept4(sink->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct peer *peer = bench_alloc(1, sizeof(*peer));

	if (fd < 0) {
		free(peer);
		return;
	}
	peer->fd = fd;
	peer->tls = SSL_new(sink->tls);
	SSL_set_fd(peer->tls, fd);
	SSL_set_accept_state(peer->tls);
	bench_watch(sink->epoll, fd, EPOLLIN, peer);
	sink->connections++;
}

static void await(struct sink *sink, struct peer *peer)
{
	peer->due_ns = bench_now_ns() + sink->latency_ns;
	peer->next = NULL;
	if (sink->first == NULL)
		sink->first = peer;
	else
		sink->last->next = peer;
	sink->last = peer;
}

static void make_room(struct peer *peer)
{
	if (peer->room - peer->n >= READ_BYTES + 1)
		return;
	peer->room = peer->room * 2 + 2 * READ_BYTES;
	peer->in = realloc(peer->in, peer->room);
	if (peer->in == NULL)
		bench_die("out of memory");
}

static void receive(struct sink *sink, struct peer *peer)
{
	int n;

	do {
		make_room(peer);
		n = SSL_read(peer->tls, peer->in + peer->n, READ_BYTES);
		if (n > 0)
			peer->n += (size_t)n;
	} while (n > 0);
	if (SSL_get_error(peer->tls, n) != SSL_ERROR_WANT_READ) {
		ERR_clear_error();
		peer->gone = true;
		if (peer->due_ns == 0)
			peer_free(peer);
		else /* answer_due() frees it */
			epoll_ctl(sink->epoll, EPOLL_CTL_DEL, peer->fd, NULL);
		return;
	}
	if (peer->due_ns == 0 && peer->n > 0 && whole_bytes(peer) > 0)
		await(sink, peer);
}

static void answer_due(struct sink *sink)
{
	int64_t now_ns = bench_now_ns();

	while (sink->first != NULL && sink->first->due_ns <= now_ns) {
		struct peer *peer = sink->first;

		sink->first = peer->next;
		answer(sink, peer, now_ns);
		if (peer->gone)
			peer_free(peer);
	}
}

/* ---- the run ---- */

static void serve(struct sink *sink)
{
	static struct epoll_event events[MOST_EVENTS];

	while (!ended) {
		int64_t wait_ns = sink->first ? sink->first->due_ns - bench_now_ns() : 100000000;
		struct timespec wait = { 0, wait_ns < 0           ? 0
					    : wait_ns < 100000000 ? wait_ns
								  : 100000000 };
		int count = epoll_pwait2(sink->epoll, events, MOST_EVENTS, &wait, NULL);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL)
				accept_peer(sink);
			else
				receive(sink, events[i].data.ptr);
		}
		answer_due(sink);
	}
}

static SSL_CTX *tls_of(const char *pki)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	char cert[4096], key[4096], ca[4096];

	snprintf(cert, sizeof(cert), "%s/server.pem", pki);
	snprintf(key, sizeof(key), "%s/server.key", pki);
	snprintf(ca, sizeof(ca), "%s/ca.pem", pki);
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_id_context(tls, (const unsigned char *)"sink", 4);
	SSL_CTX_set_read_ahead(tls, 1);
	if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(tls, ca, NULL) != 1)
		bench_die("the certificates in %s do not serve", pki);
	return tls;
}

int main(int argc, char **argv)
{
	static struct sink sink;

	if (argc < 3)
		bench_die("usage: bench_sink PKI LATENCY_MS [TIMES [PORT]]");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, end);
	sink.tls = tls_of(argv[1]);
	sink.latency_ns = bench_number(argv[2]) * 1000000;
	if (argc > 3 && (sink.times = fopen(argv[3], "we")) == NULL)
		bench_die("%s: %s", argv[3], strerror(errno));
	sink.listener = bench_listen(argc > 4 ? bench_number(argv[4]) : 0);
	sink.epoll = bench_epoll();
	bench_watch(sink.epoll, sink.listener, EPOLLIN, NULL);
	serve(&sink);
	printf("{\"requests\": %" PRIu64 ", \"connections\": %" PRIu64 "}\n", sink.requests,
	       sink.connections);
	fflush(stdout);
	if (sink.times != NULL)
		fclose(sink.times);
	_exit(0); /* its connections end with it: nobody looks for what they hold */
}
