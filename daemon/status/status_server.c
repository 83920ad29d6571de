/* The status port. Loop only.
 *
 * HTTP is evhttp's; the answers are such that no cache keeps and no browser guesses about them. Every
 * answer ends its connection, so that a scraper that leaves one open costs nothing.
 *
 * evhttp tells nobody when a connection ends, so their number has no bound but its timeouts. (A
 * reference of ours on each bufferevent outlives the socket: its event then stays in the loop, and
 * the next owner of the descriptor is never heard.) The port listens on loopback only.
 */
#include "status/status_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>

#include "base/address.h"
#include "base/log.h"

enum {
	MOST_HEADER_BYTES = 8192, /* the request line and all headers of one request */
	IDLE_MS = 10000,
	BACKLOG = 64,
};

struct status_server {
	struct evhttp *http;
	struct evconnlistener *listener;
	struct event *resume; /* accepting again, after the system refused to */
	status_fill_fn *fill;
	void *arg;
	char address[ADDRESS_TEXT];
};

/* ---- what each path answers ---- */

static int answer_healthz(const struct status *status, struct buf *out)
{
	(void)status;
	buf_add_text(out, "ok\n");
	return HTTP_OK;
}

static int answer_readyz(const struct status *status, struct buf *out)
{
	bool ready = status->not_ready == NULL || status->not_ready[0] == '\0';

	buf_addf(out, "%s\n", ready ? "ready" : status->not_ready);
	return ready ? HTTP_OK : HTTP_SERVUNAVAIL;
}

static int answer_status(const struct status *status, struct buf *out)
{
	status_write(status, out);
	buf_add_char(out, '\n');
	return HTTP_OK;
}

static const char text_type[] = "text/plain; charset=utf-8";
static const char json_type[] = "application/json";

static const struct page {
	const char *path, *type;
	int (*answer)(const struct status *status, struct buf *out);
} pages[] = {
	{ "/healthz", text_type, answer_healthz },
	{ "/readyz", text_type, answer_readyz },
	{ "/api/v1/status", json_type, answer_status },
};

static const struct page *page_of(struct evhttp_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	struct slice path = slice_of(uri ? evhttp_uri_get_path(uri) : NULL);

	for (size_t i = 0; i < length_of(pages); i++)
		if (slice_is(path, pages[i].path))
			return &pages[i];
	return NULL;
}

static void send_answer(struct evhttp_request *request, int code, const char *type,
			struct slice body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	bool head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
	struct evbuffer *bytes = evbuffer_new();
	char length[24];

	snprintf(length, sizeof(length), "%zu", body.n);
	evhttp_add_header(headers, "Content-Length", length);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Connection", "close");
	if (code == HTTP_BADMETHOD)
		evhttp_add_header(headers, "Allow", "GET, HEAD");
	if (!head)
		evbuffer_add(bytes, body.p, body.n);
	evhttp_send_reply(request, code, NULL, bytes);
	evbuffer_free(bytes);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct status_server *server = arg;
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	const struct page *page = page_of(request);
	scoped(buf_done) struct buf body = { 0 };
	struct status status = { 0 };
	int code;

	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		send_answer(request, HTTP_BADMETHOD, json_type,
			    slice_of("{\"error\":\"this port is read-only: GET or HEAD\"}\n"));
		return;
	}
	if (page == NULL) {
		send_answer(request, HTTP_NOTFOUND, json_type,
			    slice_of("{\"error\":\"there is nothing at this path\"}\n"));
		return;
	}
	server->fill(server->arg, &status);
	code = page->answer(&status, &body);
	send_answer(request, code, page->type, buf_slice(&body));
}

/* ---- where it listens ---- */

/* Out of descriptors or memory: the connection stays in the backlog and would wake the loop again
 * at once, so look away for a second.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct status_server *server = arg;
	static const struct timeval second = { .tv_sec = 1 };

	log_warning("status address=%s cannot accept: %s", server->address, strerror(errno));
	evconnlistener_disable(listener);
	event_add(server->resume, &second);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct status_server *server = arg;

	(void)fd, (void)what;
	evconnlistener_enable(server->listener);
}

static int start_listening(struct status_server *server, struct event_base *loop,
			   const char *listen, struct err *err)
{
	struct address address;

	if (!address_parse(listen, &address))
		return err_set(err, ERR_HALT,
			       "\"%s\" is not an address and a port, as in 127.0.0.1:8690", listen);
	if (!address_is_loopback(&address))
		return err_set(err, ERR_HALT,
			       "%s is beyond loopback, which would need TLS and a token: give an "
			       "address of 127.0.0.0/8 or [::1]",
			       listen);
	server->listener = evconnlistener_new_bind(
		loop, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
		BACKLOG, (struct sockaddr *)&address.socket, (int)address.bytes);
	if (server->listener == NULL)
		return err_set(err, ERR_HALT, "cannot listen on %s: %s", listen, strerror(errno));
	if (evhttp_bind_listener(server->http, server->listener) == NULL)
		abort(); /* memory */
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	address_of_socket(evconnlistener_get_fd(server->listener), server->address);
	return 0;
}

/* Every method that evhttp knows comes to on_request(), which answers 405 in its own words. */
static struct evhttp *http_new(struct status_server *server, struct event_base *loop,
			       int64_t idle_ms)
{
	const struct timeval idle = { .tv_sec = idle_ms / 1000, .tv_usec = idle_ms % 1000 * 1000 };
	struct evhttp *http = evhttp_new(loop);

	if (http == NULL)
		abort(); /* memory */
	evhttp_set_allowed_methods(http, UINT16_MAX);
	evhttp_set_max_headers_size(http, MOST_HEADER_BYTES);
	evhttp_set_max_body_size(http, 0);
	evhttp_set_timeout_tv(http, &idle);
	evhttp_set_default_content_type(http, NULL);
	evhttp_set_gencb(http, on_request, server);
	return http;
}

int status_server_new(struct status_server **ret_server, struct event_base *loop,
		      const struct status_settings *settings, status_fill_fn *fill, void *arg,
		      struct err *err)
{
	scoped(status_server_free) struct status_server *server = xcalloc(1, sizeof(*server));

	server->fill = fill;
	server->arg = arg;
	server->resume = event_new(loop, -1, 0, on_resume, server);
	server->http = http_new(server, loop, settings->idle_ms ? settings->idle_ms : IDLE_MS);
	if (start_listening(server, loop, settings->listen, err) < 0)
		return err_within(err, "status.listen");
	*ret_server = take(server);
	return 0;
}

void status_server_free(struct status_server **server)
{
	if (*server == NULL)
		return;
	evhttp_free((*server)->http);
	event_free((*server)->resume);
	free_ptr(server);
}

const char *status_server_address(const struct status_server *server)
{
	return server->address;
}
