/* A client of a server on the same loop, for tests: says what it is told to, keeps what it hears. */
#ifndef DMPFEED_TESTS_HTTP_CLIENT_H
#define DMPFEED_TESTS_HTTP_CLIENT_H

#include <dirent.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/clock.h"

enum { PATIENCE_S = 20 };

struct client {
	struct bufferevent *bev;
	struct buf answer;
	bool ended;
};

static void on_answer(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);

	buf_add(&client->answer, (struct slice){ (const char *)evbuffer_pullup(in, -1), n });
	evbuffer_drain(in, n);
}

static void on_client_end(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) == 0)
		client->ended = true;
}

/* `tls`: the client's side, which is then the client's; NULL: none. */
static inline void client_open(struct client *client, struct event_base *loop, const char *address,
			       SSL *tls)
{
	struct sockaddr_storage peer = { 0 };
	int peer_bytes = sizeof(peer);

	*client = (struct client){ 0 };
	client->bev =
		tls ? bufferevent_openssl_socket_new(loop, -1, tls, BUFFEREVENT_SSL_CONNECTING,
						     BEV_OPT_CLOSE_ON_FREE)
		    : bufferevent_socket_new(loop, -1, BEV_OPT_CLOSE_ON_FREE);
	assert_int_equal(evutil_parse_sockaddr_port(address, (struct sockaddr *)&peer, &peer_bytes),
			 0);
	bufferevent_setcb(client->bev, on_answer, NULL, on_client_end, client);
	assert_int_equal(
		bufferevent_socket_connect(client->bev, (struct sockaddr *)&peer, peer_bytes), 0);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}

static inline void client_say(struct client *client, const char *text)
{
	bufferevent_write(client->bev, text, strlen(text));
}

static inline void client_done(struct client *client)
{
	bufferevent_free(client->bev);
	buf_done(&client->answer);
}

static inline void turn_until(struct event_base *loop, const bool *done)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int64_t deadline = clock_monotonic_ms() + PATIENCE_S * 1000;

	event_base_loopexit(loop, &patience);
	while (!*done && clock_monotonic_ms() < deadline)
		event_base_loop(loop, EVLOOP_ONCE);
	assert_true(*done);
}

/* What is on its way comes in, and what that sets off. */
static inline void turn_a_while(struct event_base *loop)
{
	for (size_t i = 0; i < 20; i++)
		event_base_loop(loop, EVLOOP_NONBLOCK);
}

/* All that is heard after `request`, NUL-terminated: the caller frees. */
static inline char *ask(struct event_base *loop, const char *address, SSL *tls, const char *request)
{
	struct client client;
	char *answer;

	client_open(&client, loop, address, tls);
	client_say(&client, request);
	turn_until(loop, &client.ended);
	answer = slice_dup(buf_slice(&client.answer));
	client_done(&client);
	return answer;
}

/* The client's side of TLS, which trusts anybody; its certificate and key, or NULL. */
static inline SSL *client_tls(const char *cert, EVP_PKEY *key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *tls;

	if (cert != NULL) {
		assert_int_equal(SSL_CTX_use_certificate_chain_file(context, cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
	}
	tls = SSL_new(context);
	SSL_CTX_free(context);
	return tls;
}

static inline const char *body_of(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static inline void assert_has(const char *answer, const char *text)
{
	if (strstr(answer, text) == NULL)
		fail_msg("\"%s\" is not in:\n%s", text, answer);
}

static inline size_t open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

#endif
