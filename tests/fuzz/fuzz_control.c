/* The socket that dmpfeedctl talks to, over a real one: the bytes in two pieces, then the end. Each whole
 * line gets one answer, in order; a line that is no request is told so.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "operator/answer.h"

enum { MOST_BYTES = 16 << 10 /* both ways, they fit into a socket that nobody reads */ };

static struct {
	struct event_base *loop;
	struct control *control;
	struct sockaddr_un address;
	char folder[32];
	size_t requests;
} world;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the operator's desk reads them. */
static void on_request(void *arg, struct control_request *request)
{
	json_t *asked = json_loadb(request->line.p, request->line.n, JSON_REJECT_DUPLICATES, NULL);
	scoped(buf_done) struct buf answer = { 0 };

	(void)arg;
	world.requests++;
	if (answer_asked(asked, "command")[0] == '\0' || answer_in_french(asked)) {
		json_decref(asked);
		answer_error(request, "no command");
		return;
	}
	answer_line(&answer, "row", asked);
	answer_end(&answer, NULL);
	control_answer(request, buf_slice(&answer));
}

static void clean(void)
{
	control_free(&world.control);
	rmdir(world.folder);
	event_base_free(world.loop);
}

static void start(void)
{
	const struct control_settings settings = { .socket = world.address.sun_path };
	struct err err = { 0 };

	if (world.loop != NULL)
		return;
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LEVEL_ERROR);
	strcpy(world.folder, "/tmp/fuzz_control.XXXXXX");
	if (mkdtemp(world.folder) == NULL)
		abort();
	world.address.sun_family = AF_UNIX;
	snprintf(world.address.sun_path, sizeof(world.address.sun_path), "%s/socket", world.folder);
	world.loop = event_base_new();
	if (control_new(&world.control, world.loop, &settings, on_request, NULL, &err) < 0)
		abort();
	atexit(clean);
}

static int put(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		bytes = slice_from(bytes, (size_t)n);
		event_base_loop(world.loop, EVLOOP_NONBLOCK);
	}
	return 0;
}

/* All that is said until the other side ends. */
static void listen_to(int fd, struct buf *ret_said)
{
	ssize_t n = 1;

	for (size_t turns = 0; n != 0; turns++) {
		char *room = buf_reserve(ret_said, MOST_BYTES);

		event_base_loop(world.loop, EVLOOP_NONBLOCK);
		n = recv(fd, room, MOST_BYTES, MSG_DONTWAIT);
		ret_said->n += n > 0 ? (size_t)n : 0;
		if (turns > 100000)
			abort(); /* it neither speaks nor ends */
	}
}

static size_t count(struct slice text, char wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == wanted;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, min(size, (size_t)MOST_BYTES) };
	const size_t half = bytes.n ? (uint8_t)bytes.p[bytes.n - 1] % bytes.n : 0;
	scoped(buf_done) struct buf said = { 0 };
	int fd;

	start();
	world.requests = 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&world.address, sizeof(world.address)) < 0)
		abort();
	if (put(fd, (struct slice){ bytes.p, half }) < 0 || put(fd, slice_from(bytes, half)) < 0)
		abort();
	shutdown(fd, SHUT_WR);
	listen_to(fd, &said);
	close(fd);
	event_base_loop(world.loop, EVLOOP_NONBLOCK);
	if (world.requests != count(bytes, '\n') || count(buf_slice(&said), '\n') < world.requests)
		abort();
	return 0;
}
