/* The status port. Loop only. */
#include "status/status_server.h"

#include <errno.h>
#include <event2/listener.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/inherited.h"
#include "base/log.h"
#include "status/connection.h"
#include "status/json.h"
#include "status/metrics.h"
#include "status/page.h"

enum {
	PATIENCE_MS = 10000,
	MOST_CONNECTIONS = 64,
};

enum {
	OK = 200,
	BAD_REQUEST = 400,
	UNAUTHORIZED = 401,
	NOT_FOUND = 404,
	BAD_METHOD = 405,
	HAS_BODY = 413,
	UNAVAILABLE = 503,
};

struct status_server {
	struct connections *connections;
	struct tls *tls; /* NULL: none */
	const char *token;
	struct status_desk desk;
	struct buf policy; /* of the page */
	int64_t refusal_logged_ms;
	char address[ADDRESS_TEXT];
};

/* ---- what each path answers ---- */

static int answer_healthz(const struct status *status, struct buf *out)
{
	(void)status;
	buf_add_text(out, "ok\n");
	return OK;
}

static int answer_readyz(const struct status *status, struct buf *out)
{
	bool ready = status->not_ready == NULL || status->not_ready[0] == '\0';

	buf_addf(out, "%s\n", ready ? "ready" : status->not_ready);
	return ready ? OK : UNAVAILABLE;
}

static int answer_status(const struct status *status, struct buf *out)
{
	status_write(status, out);
	buf_add_char(out, '\n');
	return OK;
}

static const char type_text[] = "text/plain; charset=utf-8";
static const char type_html[] = "text/html; charset=utf-8";
static const char type_json[] = "application/json";

/* What people and machines may ask for. One of the four answers: from the figures, alone or as metrics; with
 * the page; or whoever is asked, later.
 */
static const struct path {
	const char *path, *type;
	const char *names[QUERY_VALUES + 1]; /* that its query may give */
	int (*answer)(const struct status *status, struct buf *out);
	bool is_page, is_metrics;
	enum status_listing listing;
} paths[] = {
	{ "/", type_html, { "lang", "part" }, .is_page = true },
	{ "/healthz", type_text, { NULL }, .answer = answer_healthz },
	{ "/readyz", type_text, { NULL }, .answer = answer_readyz },
	{ "/api/v1/status", type_json, { NULL }, .answer = answer_status },
	{ "/metrics", NULL, { NULL }, .is_metrics = true },
	{ "/api/v1/documents",
	  type_json,
	  { [DOCUMENTS_STATE] = "state",
	    [DOCUMENTS_REASON] = "reason",
	    [DOCUMENTS_SITE] = "site",
	    [DOCUMENTS_LIMIT] = "limit",
	    [DOCUMENTS_AFTER] = "after" },
	  .listing = LISTING_DOCUMENTS },
	{ "/api/v1/targets", type_json, { NULL }, .listing = LISTING_TARGETS },
	{ "/api/v1/counters",
	  type_json,
	  { [COUNTERS_FROM] = "from", [COUNTERS_TO] = "to", [COUNTERS_BY] = "by" },
	  .listing = LISTING_COUNTERS },
};

static const struct path *path_of(struct slice path)
{
	for (size_t i = 0; i < length_of(paths); i++)
		if (slice_is(path, paths[i].path))
			return &paths[i];
	return NULL;
}

/* ---- what is not answered ---- */

static void refuse(struct exchange *exchange, int code, struct header more, const char *why)
{
	const struct answer_head head = { .code = code, .type = type_json, .more = { more } };
	scoped(buf_done) struct buf body = { 0 };
	json_t *object = json_object();

	json_put_text(object, "error", why);
	json_add_and_free(object, &body);
	buf_add_char(&body, '\n');
	exchange_answer(exchange, &head, buf_slice(&body));
}

static const struct header nothing_more;

/* Of a request that is not one of ours: `code` says so already. */
static void refuse_code(struct exchange *exchange, int code)
{
	static const struct header allow = { "Allow", "GET, HEAD" };

	if (code == BAD_METHOD)
		refuse(exchange, code, allow, "this port is read-only: GET or HEAD");
	else if (code == HAS_BODY)
		refuse(exchange, code, nothing_more,
		       "this port is read-only: a request has no body");
	else
		refuse(exchange, code, nothing_more, "a request asks for a path of this port");
}

/* The token is wanted whatever is asked, so that nobody learns without it what there is. */
static bool may_ask(struct status_server *server, const struct request *request)
{
	if (server->token == NULL || server->token[0] == '\0' ||
	    request_shows(request, server->token))
		return true;
	if (request->authorization.n > 0 &&
	    log_may_repeat(&server->refusal_logged_ms, clock_monotonic_ms()))
		log_warning("status address=%s refused: the token shown is not that of "
			    "status.token_file",
			    server->address);
	return false;
}

/* ---- what is ---- */

enum { QUERY_LANG, QUERY_PART }; /* of the page */

static bool is_one_of(const char *value, const char *one, const char *other)
{
	return value[0] == '\0' || strcmp(value, one) == 0 || strcmp(value, other) == 0;
}

/* In the language that was chosen, or else in the one that the browser asks for. */
static void answer_page(struct status_server *server, struct exchange *exchange,
			const struct request *request, const struct query *query)
{
	const char *lang = query->values[QUERY_LANG];
	const bool french = lang[0] ? strcmp(lang, "fr") == 0 : request_wants_french(request);
	const struct answer_head head = { .code = OK,
					  .type = type_html,
					  .policy = server->policy.p,
					  .more = { { "Content-Language", french ? "fr" : "en" },
						    { "Vary", "Accept-Language" } } };
	scoped(buf_done) struct buf body = { 0 };
	struct page page = { 0 };

	if (!is_one_of(lang, "fr", "en") || !is_one_of(query->values[QUERY_PART], "live", "all")) {
		refuse(exchange, BAD_REQUEST, nothing_more,
		       "lang is fr or en; part is live, or all");
		return;
	}
	server->desk.page(server->desk.arg, &page);
	if (strcmp(query->values[QUERY_PART], "live") == 0)
		page_write_live(&page, french, &body);
	else
		page_write(&page, french, &body);
	exchange_answer(exchange, &head, buf_slice(&body));
}

static void answer_figures(struct status_server *server, struct exchange *exchange,
			   const struct path *path)
{
	struct answer_head head = { .type = path->type };
	scoped(buf_done) struct buf body = { 0 };
	struct status status = { 0 };

	server->desk.fill(server->desk.arg, &status);
	head.code = path->answer(&status, &body);
	exchange_answer(exchange, &head, buf_slice(&body));
}

static void answer_metrics(struct status_server *server, struct exchange *exchange,
			   const struct request *request)
{
	const enum metrics_format format =
		request_wants_openmetrics(request) ? METRICS_OPEN : METRICS_TEXT;
	const struct answer_head head = { .code = OK,
					  .type = metrics_type(format),
					  .more = { { "Vary", "Accept" } } };
	scoped(buf_done) struct buf body = { 0 };
	struct status status = { 0 };

	server->desk.fill(server->desk.arg, &status);
	metrics_write(&status, format, &body);
	exchange_answer(exchange, &head, buf_slice(&body));
}

void status_answer(struct exchange *exchange, struct slice json)
{
	exchange_answer(exchange, &(struct answer_head){ .code = OK, .type = type_json }, json);
}

void status_answer_bad(struct exchange *exchange, const char *why)
{
	refuse(exchange, BAD_REQUEST, nothing_more, why);
}

void status_answer_unavailable(struct exchange *exchange, const char *why)
{
	refuse(exchange, UNAVAILABLE, (struct header){ "Retry-After", "5" }, why);
}

static void on_request(void *arg, struct exchange *exchange, int code,
		       const struct request *request)
{
	static const struct header login = { "WWW-Authenticate",
					     "Basic realm=\"dmpfeed\", charset=\"UTF-8\"" };
	struct status_server *server = arg;
	const struct path *path = path_of(request->path);
	struct query query;
	struct err err = { 0 };

	if (code != OK)
		refuse_code(exchange, code);
	else if (!may_ask(server, request))
		refuse(exchange, UNAUTHORIZED, login,
		       "the token of status.token_file is wanted, as Authorization: Bearer");
	else if (path == NULL)
		refuse(exchange, NOT_FOUND, nothing_more, "there is nothing at this path");
	else if (query_read(request->query, path->names, &query, &err) < 0)
		refuse(exchange, BAD_REQUEST, nothing_more, err.text);
	else if (path->is_page)
		answer_page(server, exchange, request, &query);
	else if (path->is_metrics)
		answer_metrics(server, exchange, request);
	else if (path->answer != NULL)
		answer_figures(server, exchange, path);
	else
		server->desk.list(server->desk.arg, path->listing, &query, exchange);
}

/* ---- where it listens ---- */

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static int check_address(const struct status_settings *settings, struct address *ret_address,
			 struct err *err)
{
	const char *listen = settings->listen;

	if (!address_parse(listen, ret_address))
		return err_set(err, ERR_HALT,
			       "\"%s\" is not an address and a port, as in 127.0.0.1:8690", listen);
	if (!address_is_loopback(ret_address) &&
	    (!is_given(settings->tls.cert) ||
	     (!is_given(settings->token) && !is_given(settings->tls.client_ca))))
		return err_set(
			err, ERR_HALT,
			"%s is beyond loopback, which needs TLS, and a token or certificates "
			"of clients: give them, or an address of 127.0.0.0/8 or [::1]",
			listen);
	return 0;
}

static int start_listening(struct evconnlistener **ret_listener, struct event_base *loop,
			   const struct status_settings *settings, struct err *err)
{
	struct address address;
	int fd;

	if (check_address(settings, &address, err) < 0)
		return -1;
	fd = inherited_or_new(&address, "status");
	if (fd < 0)
		return err_set(err, ERR_HALT, "cannot listen on %s: %s", settings->listen,
			       strerror(errno));
	*ret_listener =
		evconnlistener_new(loop, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
				   0 /* it listens */, fd);
	if (*ret_listener == NULL)
		no_memory();
	return 0;
}

int status_server_prepare(const struct status_settings *settings, struct tls **ret_tls,
			  struct err *err)
{
	struct address address;

	*ret_tls = NULL;
	if (check_address(settings, &address, err) < 0)
		return err_within(err, "status.listen");
	if (is_given(settings->tls.cert) &&
	    tls_server_new(ret_tls, &settings->tls, clock_now_ms(), err) < 0)
		return err_within(err, "status.tls.%s", err->where);
	return 0;
}

void status_server_follow(struct status_server *server, const struct status_settings *settings,
			  struct tls *tls)
{
	server->token = settings->token;
	connections_speak(server->connections, tls);
	tls_free(&server->tls);
	server->tls = tls;
}

int status_server_new(struct status_server **ret_server, struct event_base *loop,
		      const struct status_settings *settings, const struct status_desk *desk,
		      struct err *err)
{
	scoped(status_server_free) struct status_server *server = xcalloc(1, sizeof(*server));
	struct connections_settings connections = {
		.most = settings->most_connections ? (size_t)settings->most_connections
						   : MOST_CONNECTIONS,
		.patience_ms = settings->patience_ms ? settings->patience_ms : PATIENCE_MS,
	};
	struct evconnlistener *listener = NULL;

	server->desk = *desk;
	page_policy(&server->policy);
	server->token = settings->token;
	if (status_server_prepare(settings, &server->tls, err) < 0)
		return -1;
	if (start_listening(&listener, loop, settings, err) < 0)
		return err_within(err, "status.listen");
	address_of_socket(evconnlistener_get_fd(listener), server->address);
	connections.tls = server->tls;
	server->connections = connections_new(listener, &connections, on_request, server);
	*ret_server = take(server);
	return 0;
}

void status_server_free(struct status_server **server)
{
	struct status_server *s = *server;

	if (s == NULL)
		return;
	connections_free(&s->connections);
	tls_free(&s->tls);
	buf_done(&s->policy);
	free_ptr(server);
}

const char *status_server_address(const struct status_server *server)
{
	return server->address;
}
