/* The HL7 v2 door: who may come in. What happens inside is mllp_connection.c's.
 *
 * Runs on the loop.
 */
#include "intake/mllp_server.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/inherited.h"
#include "base/log.h"
#include "intake/mllp_connection.h"

enum { ACCEPT_PAUSE_S = 1 };

struct mllp_server {
	const struct mllp_settings *settings;
	struct mllp_hall *hall;
	struct tls *tls; /* NULL: none */
	struct evconnlistener *listener;
	struct event *accept_again;
	int64_t peer_logged_ms, refusal_logged_ms, trouble_logged_ms;
};

/* ---- accepting ---- */

static bool is_allowed(const struct mllp_settings *settings, const struct sockaddr *peer)
{
	for (size_t i = 0; i < settings->allowed_count; i++)
		if (network_has(&settings->allowed[i], peer))
			return true;
	return settings->allowed_count == 0;
}

static void refuse_peer(struct mllp_server *server, const char *peer)
{
	mllp_hall_figures(server->hall)->refused_peers++;
	if (log_may_repeat(&server->peer_logged_ms, clock_monotonic_ms()))
		log_warning("mllp_peer_refused listener=%s peer=%s: it is not in the list of those "
			    "allowed",
			    server->settings->name, peer);
}

static void refuse_connection(struct mllp_server *server, const char *peer)
{
	mllp_hall_figures(server->hall)->refused_connections++;
	if (log_may_repeat(&server->refusal_logged_ms, clock_monotonic_ms()))
		log_warning("mllp_connection_refused listener=%s peer=%s: there are %" PRIu64
			    " already, the most allowed",
			    server->settings->name, peer, server->settings->most_connections);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *arg)
{
	struct mllp_server *server = arg;
	const struct mllp_settings *settings = server->settings;
	char peer[64];

	(void)listener;
	(void)length;
	address_text(address, peer);
	if (is_allowed(settings, address) &&
	    mllp_hall_figures(server->hall)->connections < settings->most_connections) {
		mllp_connection_new(server->hall, fd, server->tls, peer);
		return;
	}
	close(fd);
	if (is_allowed(settings, address))
		refuse_connection(server, peer);
	else
		refuse_peer(server, peer);
}

/* Without a free descriptor the connection stays in the kernel's queue and the listener readable:
 * accepting is tried again later, not at once and for ever.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct mllp_server *server = arg;
	const struct timeval pause = { ACCEPT_PAUSE_S, 0 };
	const int trouble = EVUTIL_SOCKET_ERROR();

	evconnlistener_disable(listener);
	event_add(server->accept_again, &pause);
	if (log_may_repeat(&server->trouble_logged_ms, clock_monotonic_ms()))
		log_error("mllp_cannot_accept listener=%s: %s", server->settings->name,
			  strerrordesc_np(trouble));
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct mllp_server *server = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(server->listener);
}

/* ---- birth and end ---- */

static int server_listen(struct mllp_server *server, struct event_base *loop, struct err *err)
{
	const char *listen = server->settings->listen;
	struct address address;
	int fd;

	if (!address_parse(listen, &address))
		return err_set(err, ERR_HALT,
			       "'%s' is not an address and a port, such as 127.0.0.1:2575", listen);
	fd = inherited_or_new(&address, server->settings->name);
	if (fd < 0)
		return err_set(err, ERR_HALT, "cannot listen on %s: %s", listen,
			       strerrordesc_np(errno));
	server->listener = evconnlistener_new(loop, on_accept, server,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
					      0 /* it listens */, fd);
	if (server->listener == NULL)
		no_memory();
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	address_of_socket(evconnlistener_get_fd(server->listener),
			  mllp_hall_figures(server->hall)->address);
	return 0;
}

int mllp_server_new(struct mllp_server **ret_server, struct event_base *loop,
		    const struct mllp_settings *settings, mllp_arrival_fn *on_arrival, void *arg,
		    struct err *err)
{
	scoped(mllp_server_free) struct mllp_server *server = xcalloc(1, sizeof(*server));

	server->settings = settings;
	server->hall = mllp_hall_new(loop, settings, on_arrival, arg);
	server->accept_again = event_new(loop, -1, 0, on_accept_again, server);
	if (settings->tls.cert != NULL && settings->tls.cert[0] != '\0') {
		if (tls_server_new(&server->tls, &settings->tls, clock_now_ms(), err) < 0)
			return -1;
		mllp_hall_figures(server->hall)->tls = true;
	}
	if (server_listen(server, loop, err) < 0)
		return -1;
	*ret_server = take(server);
	return 0;
}

void mllp_server_follow(struct mllp_server *server, const struct mllp_settings *settings,
			struct tls *tls)
{
	server->settings = settings;
	mllp_hall_follow(server->hall, settings);
	tls_free(&server->tls);
	server->tls = tls;
	mllp_hall_figures(server->hall)->tls = tls != NULL;
}

static void stop_listening(struct mllp_server *server)
{
	event_del(server->accept_again);
	if (server->listener != NULL)
		evconnlistener_free(server->listener);
	server->listener = NULL;
}

void mllp_server_close(struct mllp_server *server)
{
	stop_listening(server);
	mllp_hall_close(server->hall);
}

void mllp_server_free(struct mllp_server **server)
{
	struct mllp_server *s = *server;

	if (s == NULL)
		return;
	stop_listening(s);
	event_free(s->accept_again);
	mllp_hall_free(&s->hall);
	tls_free(&s->tls);
	free_ptr(server);
}

void mllp_server_answer(struct mllp_arrival *arrival, struct slice ack)
{
	mllp_arrival_answer(arrival, ack);
}

struct mllp_figures mllp_server_figures(const struct mllp_server *server)
{
	return *mllp_hall_figures(server->hall);
}
