/* The socket that dmpfeedctl talks to, over a real one. Each whole line gets one answer, in order; a line that
 * is no request is told so, and which right each needs is known.
 */
#include <stdlib.h>

#include "operator/answer.h"
#include "operator/rights.h"
#include "talk.h"

static struct control *control;
static size_t requests;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the operator's desk reads them. */
static void on_request(void *arg, struct control_request *request)
{
	json_t *asked = json_loadb(request->line.p, request->line.n, JSON_REJECT_DUPLICATES, NULL);
	scoped(buf_done) struct buf answer = { 0 };

	(void)arg;
	requests++;
	if (rights_needed(asked) >= ROLE_COUNT)
		abort();
	if (answer_asked(asked, "command")[0] == '\0' || answer_in_french(asked)) {
		json_decref(asked);
		answer_error(request, "no command");
		return;
	}
	answer_line(&answer, "row", asked);
	answer_end(&answer, NULL);
	control_answer(request, buf_slice(&answer));
}

static void finish(void)
{
	control_free(&control);
	talk_end();
}

static void start(void)
{
	const struct control_settings settings = { .socket = talk.address.sun_path };
	struct err err = { 0 };

	if (talk.loop != NULL)
		return;
	talk_begin();
	if (control_new(&control, talk.loop, &settings, on_request, NULL, &err) < 0)
		abort();
	atexit(finish);
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
	const struct slice bytes = { (const char *)data, min(size, (size_t)TALK_BYTES) };
	scoped(buf_done) struct buf said = { 0 };

	start();
	requests = 0;
	if (!talk_through(bytes, &said) || requests != count(bytes, '\n') ||
	    count(buf_slice(&said), '\n') < requests)
		abort();
	return 0;
}
