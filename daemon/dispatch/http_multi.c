/* curl's multi interface on libevent: curl tells which sockets to watch (on_socket) and when to call it
 * (on_timer_change); the loop tells curl what happened (ready, due). Loop only.
 */
#include "dispatch/http_multi.h"

#include <event2/event.h>

#include "base/buf.h"

/* A socket of curl's that the loop watches. Kept for the next socket when curl is done with it: it
 * may be the one whose event is running. */
struct watch {
	struct watch *next; /* of all there are */
	struct event *event;
	bool in_use;
};

struct http_multi {
	struct event_base *loop;
	struct event *timer;
	CURLM *curl;
	struct watch *watches;
	void (*happened)(void *arg);
	void *arg;
};

static void ready(evutil_socket_t fd, short what, void *arg)
{
	struct http_multi *multi = arg;
	const int happened =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(multi->curl, fd, happened, &running);
	multi->happened(multi->arg);
}

static void due(evutil_socket_t fd, short what, void *arg)
{
	struct http_multi *multi = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
	multi->happened(multi->arg);
}

static int on_timer_change(CURLM *curl, long timeout_ms, void *arg)
{
	struct http_multi *multi = arg;
	const struct timeval timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };

	(void)curl;
	if (timeout_ms < 0)
		event_del(multi->timer);
	else
		event_add(multi->timer, &timeout);
	return 0;
}

static struct watch *watch_of(struct http_multi *multi)
{
	struct watch *watch = multi->watches;

	while (watch != NULL && watch->in_use)
		watch = watch->next;
	if (watch == NULL) {
		watch = xcalloc(1, sizeof(*watch));
		watch->event = event_new(multi->loop, -1, 0, ready, multi);
		watch->next = multi->watches;
		multi->watches = watch;
	}
	watch->in_use = true;
	return watch;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct http_multi *multi = arg;
	struct watch *watch = assigned;
	const short events = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
				     (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (watch != NULL)
		event_del(watch->event);
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL)
			watch->in_use = false;
		return 0;
	}
	if (watch == NULL) {
		watch = watch_of(multi);
		curl_multi_assign(multi->curl, fd, watch);
	}
	event_assign(watch->event, multi->loop, fd, events, ready, multi);
	event_add(watch->event, NULL);
	return 0;
}

struct http_multi *http_multi_new(struct event_base *loop, size_t most_connections,
				  void (*happened)(void *arg), void *arg)
{
	struct http_multi *multi = xcalloc(1, sizeof(*multi));
	const long connections = (long)most_connections;
	CURLM *curl = curl_multi_init();

	if (curl == NULL)
		no_memory();
	multi->loop = loop;
	multi->timer = event_new(loop, -1, 0, due, multi);
	multi->curl = curl;
	multi->happened = happened;
	multi->arg = arg;
	curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, on_timer_change);
	curl_multi_setopt(curl, CURLMOPT_TIMERDATA, multi);
	curl_multi_setopt(curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(curl, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
	curl_multi_setopt(curl, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
	curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, connections);
	return multi;
}

bool http_multi_add(struct http_multi *multi, CURL *easy)
{
	return curl_multi_add_handle(multi->curl, easy) == CURLM_OK;
}

void http_multi_remove(struct http_multi *multi, CURL *easy)
{
	curl_multi_remove_handle(multi->curl, easy);
}

CURL *http_multi_ended(struct http_multi *multi, CURLcode *ret_code)
{
	const struct CURLMsg *message;
	int left;

	message = curl_multi_info_read(multi->curl, &left);
	if (message == NULL)
		return NULL;
	*ret_code = message->data.result;
	return message->easy_handle;
}

static void close_watches(struct http_multi *multi)
{
	struct watch *watch;

	while ((watch = multi->watches) != NULL) {
		multi->watches = watch->next;
		event_free(watch->event);
		free(watch);
	}
}

void http_multi_free(struct http_multi **multi)
{
	struct http_multi *m = *multi;

	if (m == NULL)
		return;
	curl_multi_cleanup(m->curl); /* still tells of its sockets and of its timer */
	close_watches(m);
	event_free(m->timer);
	free_ptr(multi);
}
