/* The connections of the status port: those of evhttp. Loop only.
 *
 * It reads and writes HTTP, and leaves three things open: how many there are, how long a request may take
 * whose bytes come one by one, and how many requests one connection may send. So each is known here from
 * its first moment, when evhttp asks for a bufferevent, to its last, which evhttp_connection_set_closecb()
 * tells. We end one as its bufferevent would: by saying that time is up.
 */
#include "status/connection.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <sys/queue.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"

enum {
	MOST_HEAD_BYTES = 8192,
	MOST_READ_BYTES = 16 << 10, /* of what evhttp would gather without end: it waits outside */
	MOST_TICK_MS = 1000,
	ANSWER_PATIENCE = 6, /* times that for a request */
	EVERY_METHOD = 0xffff,
};

enum {
	OK = 200,
	BAD_REQUEST = 400,
	BAD_METHOD = 405,
	HAS_BODY = 413,
};

struct connection {
	TAILQ_ENTRY(connection) link;
	struct connections *all;
	struct bufferevent *bev;        /* evhttp's: there until on_end() */
	struct evhttp_connection *http; /* NULL: not adopted yet */
	int64_t deadline_ms;
	bool asked;
	bool answered; /* by evhttp itself, maybe */
	bool is_ours_to_end;
};

TAILQ_HEAD(connection_list, connection);

struct connections {
	struct evhttp *http;
	struct evconnlistener *listener; /* evhttp's */
	struct connections_settings settings;
	exchange_fn *on_request;
	void *arg;
	struct event *newcomer, *tick;
	struct connection_list open; /* the eldest first */
	size_t count, asked;
	int64_t full_logged_ms, failure_logged_ms;
};

struct exchange {
	struct evhttp_request *request;
};

/* ---- from the first moment to the last ---- */

static void connection_end(struct connection *connection)
{
	connection->is_ours_to_end = true;
	bufferevent_trigger_event(connection->bev, BEV_EVENT_TIMEOUT, 0);
}

/* The ends that we make are not the peer's failures. */
static void part(struct connection *connection)
{
	struct connections *all = connection->all;
	struct ssl_st *tls = bufferevent_openssl_get_ssl(connection->bev);
	char peer[ADDRESS_TEXT];
	struct err err = { 0 };

	if (tls != NULL &&
	    tls_end_for_libevent(tls, bufferevent_get_openssl_error(connection->bev), &err) < 0 &&
	    !connection->is_ours_to_end &&
	    log_may_repeat(&all->failure_logged_ms, clock_monotonic_ms()))
		log_warning("status_handshake_failed peer=%s: %s",
			    address_text(evhttp_connection_get_addr(connection->http), peer),
			    err.text);
}

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;

	(void)output;
	connection->answered |= info->n_added > 0;
}

static void on_end(struct evhttp_connection *http, void *arg)
{
	struct connection *connection = arg;
	struct connections *all = connection->all;

	(void)http;
	part(connection);
	evbuffer_remove_cb(bufferevent_get_output(connection->bev), on_output, connection);
	TAILQ_REMOVE(&all->open, connection, link);
	all->count--;
	all->asked -= connection->asked;
	evconnlistener_enable(all->listener);
	free(connection);
}

/* evhttp shows a connection with its first request, which may never come. But it is whom the bufferevent
 * calls back.
 */
static void adopt(struct connection *connection)
{
	void *http = NULL;

	bufferevent_getcb(connection->bev, NULL, NULL, NULL, &http);
	assert(evhttp_connection_get_bufferevent(http) == connection->bev);
	connection->http = http;
	evhttp_connection_set_closecb(http, on_end, connection);
}

static void adopt_newcomers(struct connections *all)
{
	struct connection *connection;

	TAILQ_FOREACH_REVERSE(connection, &all->open, connection_list, link)
	{
		if (connection->http != NULL)
			return;
		adopt(connection);
	}
}

/* Before anything is heard of the connections that were just let in. */
static void on_newcomer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	adopt_newcomers(arg);
}

/* There is one: while all have asked, nobody is let in. */
static struct connection *eldest_idle(struct connections *all)
{
	struct connection *connection = TAILQ_FIRST(&all->open);

	while (connection->asked)
		connection = TAILQ_NEXT(connection, link);
	return connection;
}

static void make_room(struct connections *all)
{
	if (all->count < all->settings.most)
		return;
	if (log_may_repeat(&all->full_logged_ms, clock_monotonic_ms()))
		log_warning("status connections=%zu: as many as status.max_connections allows; who "
			    "asks nothing makes room",
			    all->count);
	connection_end(eldest_idle(all));
}

static struct bufferevent *bufferevent_of(struct event_base *loop, const struct tls *tls)
{
	struct bufferevent *bev = tls ? bufferevent_openssl_socket_new(
						loop, -1, tls_for_libevent(tls),
						BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
				      : bufferevent_socket_new(loop, -1, BEV_OPT_CLOSE_ON_FREE);

	if (bev == NULL)
		no_memory();
	bufferevent_setwatermark(bev, EV_READ, 0, MOST_READ_BYTES);
	return bev;
}

/* evhttp has accepted somebody, and makes the rest of the connection when this has returned. */
static struct bufferevent *on_connection(struct event_base *loop, void *arg)
{
	struct connections *all = arg;
	struct connection *connection = xcalloc(1, sizeof(*connection));

	adopt_newcomers(all);
	make_room(all);
	connection->all = all;
	connection->bev = bufferevent_of(loop, all->settings.tls);
	connection->deadline_ms = clock_monotonic_ms() + all->settings.patience_ms;
	evbuffer_add_cb(bufferevent_get_output(connection->bev), on_output, connection);
	TAILQ_INSERT_TAIL(&all->open, connection, link);
	all->count++;
	event_active(all->newcomer, EV_TIMEOUT, 0);
	return connection->bev;
}

/* Out of descriptors or memory: the connection stays in the backlog and would wake the loop again at once,
 * so look away until the next tick.
 */
static void on_accept_error(struct evconnlistener *listener, void *http)
{
	char address[ADDRESS_TEXT];

	(void)http;
	log_warning("status address=%s cannot accept: %s",
		    address_of_socket(evconnlistener_get_fd(listener), address), strerror(errno));
	evconnlistener_disable(listener);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct connections *all = arg;
	struct connection *connection, *next;
	const int64_t now_ms = clock_monotonic_ms();

	(void)fd, (void)what;
	for (connection = TAILQ_FIRST(&all->open); connection != NULL; connection = next) {
		next = TAILQ_NEXT(connection, link);
		if (connection->deadline_ms <= now_ms)
			connection_end(connection);
	}
	if (all->asked < all->settings.most)
		evconnlistener_enable(all->listener);
}

/* ---- a request ---- */

static struct slice header_of(struct evhttp_request *request, const char *name)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), name);

	return slice_of(value ? value : "");
}

/* evhttp refuses those that it reads; with some methods it reads none, and of two lengths it knows the first. */
static bool has_body(struct evhttp_request *request)
{
	const struct evkeyval *header;

	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
	{
		const struct slice name = slice_of(header->key), value = slice_of(header->value);

		if (value.n > 0 &&
		    (slice_is_nocase(name, "Transfer-Encoding") ||
		     (slice_is_nocase(name, "Content-Length") && !slice_is(value, "0"))))
			return true;
	}
	return false;
}

static int read_request(struct evhttp_request *from, struct request *ret_request)
{
	const enum evhttp_cmd_type method = evhttp_request_get_command(from);

	ret_request->authorization = header_of(from, "Authorization");
	ret_request->accept = header_of(from, "Accept");
	ret_request->accept_language = header_of(from, "Accept-Language");
	if (has_body(from))
		return HAS_BODY;
	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
		return BAD_METHOD;
	return request_read_target(slice_of(evhttp_request_get_uri(from)), ret_request)
		       ? OK
		       : BAD_REQUEST;
}

static struct connection *connection_of(struct connections *all, struct evhttp_connection *http)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(http);
	struct connection *connection = TAILQ_FIRST(&all->open);

	while (connection->bev != bev)
		connection = TAILQ_NEXT(connection, link);
	return connection;
}

static void count_asked(struct connection *connection)
{
	struct connections *all = connection->all;

	connection->asked = true;
	connection->deadline_ms =
		clock_monotonic_ms() + all->settings.patience_ms * ANSWER_PATIENCE;
	if (++all->asked == all->settings.most)
		evconnlistener_disable(all->listener);
}

/* Every answer says that it is the last. evhttp believes so but after CONNECT, even one that it refused. */
static void on_request(struct evhttp_request *from, void *arg)
{
	struct connections *all = arg;
	struct evhttp_connection *http = evhttp_request_get_connection(from);
	struct connection *connection = connection_of(all, http);
	struct request request = { 0 };
	struct exchange *exchange;
	int code;

	if (connection->answered || evhttp_request_get_command(from) == EVHTTP_REQ_CONNECT) {
		evhttp_connection_free(http);
		return;
	}
	count_asked(connection);
	exchange = xcalloc(1, sizeof(*exchange));
	exchange->request = from;
	code = read_request(from, &request);
	all->on_request(all->arg, exchange, code, &request);
}

/* ---- its answer ---- */

/* No cache keeps it, no browser guesses about it, no page frames it. */
static void add_head(struct evhttp_request *request, const struct answer_head *head,
		     size_t body_bytes)
{
	scoped(free_ptr) char *length = xasprintf("%zu", body_bytes);
	const struct header headers[] = {
		{ "Content-Type", head->type },
		{ "Content-Length", length },
		{ "Cache-Control", "no-store" },
		{ "Content-Security-Policy",
		  head->policy ? head->policy : "default-src 'none'; frame-ancestors 'none'" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		head->more[0],
		head->more[1],
		{ "Connection", "close" },
	};

	for (size_t i = 0; i < length_of(headers); i++)
		if (headers[i].name != NULL)
			evhttp_add_header(evhttp_request_get_output_headers(request),
					  headers[i].name, headers[i].value);
}

/* evhttp goes on listening, to hear that the peer leaves: but who has said all may still want to be
 * answered, and what else it says nobody reads.
 */
void exchange_answer(struct exchange *exchange, const struct answer_head *head, struct slice body)
{
	struct evhttp_request *request = exchange->request;
	struct evhttp_connection *http = evhttp_request_get_connection(request);
	struct evbuffer *out = evbuffer_new();

	add_head(request, head, body.n);
	if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
		evbuffer_add(out, body.p, body.n);
	evhttp_send_reply(request, head->code, NULL, out);
	if (http != NULL)
		bufferevent_disable(evhttp_connection_get_bufferevent(http), EV_READ);
	evbuffer_free(out);
	free(exchange);
}

/* ---- birth and end ---- */

static struct evhttp *http_new(struct connections *all)
{
	struct evhttp *http = evhttp_new(evconnlistener_get_base(all->listener));

	if (http == NULL || evhttp_bind_listener(http, all->listener) == NULL)
		no_memory();
	evhttp_set_allowed_methods(http, EVERY_METHOD); /* we say which */
	evhttp_set_max_headers_size(http, MOST_HEAD_BYTES);
	evhttp_set_max_body_size(http, 0);
	evhttp_set_bevcb(http, on_connection, all);
	evhttp_set_gencb(http, on_request, all);
	evconnlistener_set_error_cb(all->listener, on_accept_error);
	return http;
}

struct connections *connections_new(struct evconnlistener *listener,
				    const struct connections_settings *settings,
				    exchange_fn *on_asked, void *arg)
{
	struct connections *all = xcalloc(1, sizeof(*all));
	struct event_base *loop = evconnlistener_get_base(listener);
	const int64_t tick_ms = min(settings->patience_ms, (int64_t)MOST_TICK_MS);
	const struct timeval tick = { tick_ms / 1000, tick_ms % 1000 * 1000 };

	all->listener = listener;
	all->settings = *settings;
	all->on_request = on_asked;
	all->arg = arg;
	TAILQ_INIT(&all->open);
	all->http = http_new(all);
	all->newcomer = event_new(loop, -1, 0, on_newcomer, all);
	all->tick = event_new(loop, -1, EV_PERSIST, on_tick, all);
	event_add(all->tick, &tick);
	return all;
}

void connections_speak(struct connections *connections, const struct tls *tls)
{
	connections->settings.tls = tls;
}

/* One by one first: so evhttp lets go of the requests that wait for an answer. */
void connections_free(struct connections **connections)
{
	struct connections *all = *connections;
	struct connection *connection;

	if (all == NULL)
		return;
	adopt_newcomers(all);
	while ((connection = TAILQ_FIRST(&all->open)) != NULL)
		connection_end(connection);
	evhttp_free(all->http);
	event_free(all->newcomer);
	event_free(all->tick);
	free_ptr(connections);
}
