/* The status port, over a real socket: whoever comes is asked one thing at most, and what is answered, if anything,
 * is HTTP.
 */
#include <event2/listener.h>
#include <stdlib.h>

#include "status/connection.h"
#include "talk.h"

static struct connections *connections;
static size_t requests;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_request(void *arg, struct exchange *exchange, int code,
		       const struct request *request)
{
	const struct answer_head head = { .code = code, .type = "text/plain" };

	(void)arg;
	requests++;
	if (code == 200 && request->path.n == 0)
		abort();
	exchange_answer(exchange, &head, request->path);
}

static void finish(void)
{
	connections_free(&connections);
	talk_end();
}

static void start(void)
{
	const struct connections_settings settings = { .most = 4, .patience_ms = 60000 };
	struct evconnlistener *listener;

	if (talk.loop != NULL)
		return;
	talk_begin();
	listener = evconnlistener_new_bind(talk.loop, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 8,
					   (struct sockaddr *)&talk.address, sizeof(talk.address));
	if (listener == NULL)
		abort();
	connections = connections_new(listener, &settings, on_request, NULL);
	atexit(finish);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, min(size, (size_t)TALK_BYTES) };
	scoped(buf_done) struct buf said = { 0 };

	start();
	requests = 0;
	(void)talk_through(bytes, &said);
	if (requests > 1 || (said.n > 0 && !slice_starts(buf_slice(&said), "HTTP/")))
		abort();
	return 0;
}
