/* Senders of MLLP messages, one message under way on each connection; every answer is checked.
 *
 * Closed loop: the next message leaves when the answer has come. With --rate, open loop: message i
 * is meant to leave at i / rate, whatever happened to those before, and its latency counts from
 * then, so that a receiver that stalls is not asked less often and found fast.
 *
 * usage: bench_load --port N --template FILE [--connections N] [--ms N] [--warm-ms N]
 *                   [--count N] [--rate N] [--first N] [--times FILE]
 *
 * --count ends it after so many messages, --first is the number of the first one, --times writes
 * a line "NUMBER NANOSECONDS" for each, the moment that it was meant to leave.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum {
	MOST_SPOTS = 16,
	MOST_EVENTS = 256,
	MOST_ANSWER = 16 << 10,
	MARKER_BASE64 = BENCH_DIGITS / 3 * 4,
};

static const int64_t patience_ns = 60000000000; /* for the last answers */

static const char marker_base64[] = "Nzc3Nzc3Nzc3Nzc3"; /* BENCH_MARKER */

struct spot {
	size_t offset;
	bool base64;
};

struct sender {
	int fd;
	char *message;
	size_t sent;
	char answer[MOST_ANSWER];
	size_t answer_n;
	uint64_t number;
	int64_t meant_ns;
	bool busy;
};

struct load {
	long port, connections, run_ms, warm_ms, count, rate, first;
	const char *template_file, *times_file;

	char *template;
	size_t template_n;
	struct spot spots[MOST_SPOTS];
	size_t spot_count;

	int epoll;
	struct sender *senders;
	FILE *times;
	int64_t start_ns, end_ns;
	uint64_t started, answered, in_time; /* the last: within what is measured */
	double *latencies_ms;
	size_t latency_count, latency_room;
};

/* ---- messages ---- */

static void find_spots(struct load *load, const char *mark, size_t n, bool base64)
{
	const char *end = load->template + load->template_n, *at = load->template;

	while ((at = memmem(at, (size_t)(end - at), mark, n)) != NULL) {
		if (load->spot_count == MOST_SPOTS)
			bench_die("the template has too many marks");
		load->spots[load->spot_count++] =
			(struct spot){ (size_t)(at - load->template), base64 };
		at += n;
	}
}

/* Digits only, three by three: Base64 made for the numbers from 000 to 999, once. */
static void add_base64(const char *digits, char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+/";

	for (size_t i = 0; i < BENCH_DIGITS; i += 3) {
		unsigned three = (unsigned)((unsigned char)digits[i] << 16 |
					    (unsigned char)digits[i + 1] << 8 |
					    (unsigned char)digits[i + 2]);

		for (int shift = 18; shift >= 0; shift -= 6)
			*out++ = letters[three >> shift & 63];
	}
}

static void write_number(const struct load *load, struct sender *sender)
{
	char digits[BENCH_DIGITS + 9], base64[MARKER_BASE64];

	snprintf(digits, sizeof(digits), "%012" PRIu64, sender->number);
	add_base64(digits, base64);
	for (size_t i = 0; i < load->spot_count; i++) {
		const struct spot *spot = &load->spots[i];

		memcpy(sender->message + spot->offset, spot->base64 ? base64 : digits,
		       spot->base64 ? (size_t)MARKER_BASE64 : (size_t)BENCH_DIGITS);
	}
}

/* ---- sending ---- */

static void transmit(struct load *load, struct sender *sender)
{
	ssize_t n = send(sender->fd, sender->message + sender->sent,
			 load->template_n - sender->sent, MSG_NOSIGNAL);
	bool blocked = n < 0 && (errno == EAGAIN || errno == ENOTCONN);

	if (n < 0 && !blocked)
		bench_die("send: %s", strerror(errno));
	sender->sent += n > 0 ? (size_t)n : 0;
	if (sender->sent < load->template_n)
		bench_watch(load->epoll, sender->fd, EPOLLIN | EPOLLOUT, sender);
	else if (blocked || sender->sent > 0)
		bench_watch(load->epoll, sender->fd, EPOLLIN, sender);
}

static bool may_start(const struct load *load, int64_t now_ns)
{
	if (load->count > 0 && load->started >= (uint64_t)load->count)
		return false;
	return now_ns < load->end_ns;
}

static void start(struct load *load, struct sender *sender, int64_t meant_ns)
{
	sender->number = (uint64_t)load->first + load->started++;
	sender->meant_ns = meant_ns;
	sender->busy = true;
	sender->sent = 0;
	sender->answer_n = 0;
	write_number(load, sender);
	if (load->times != NULL)
		fprintf(load->times, "%" PRIu64 " %" PRId64 "\n", sender->number, meant_ns);
	transmit(load, sender);
}

static int64_t meant_ns(const struct load *load)
{
	return load->start_ns + (int64_t)(load->started * 1000000000 / (uint64_t)load->rate);
}

/* Those whose time has come, as long as somebody is free to send them. */
static void start_due(struct load *load, int64_t now_ns)
{
	for (long i = 0; i < load->connections; i++)
		if (!load->senders[i].busy && may_start(load, now_ns) && meant_ns(load) <= now_ns)
			start(load, &load->senders[i], meant_ns(load));
}

/* ---- answers ---- */

static void check_answer(struct sender *sender)
{
	char wanted[BENCH_DIGITS + 40];

	snprintf(wanted, sizeof(wanted), "MSA|AA|%012" PRIu64 "\r", sender->number);
	sender->answer[sender->answer_n] = '\0';
	if (strstr(sender->answer, wanted) == NULL)
		bench_die("message %" PRIu64 " was answered:\n%s", sender->number, sender->answer);
}

static void note_latency(struct load *load, double ms)
{
	if (load->latency_count == load->latency_room) {
		load->latency_room = load->latency_room * 2 + 1024;
		load->latencies_ms = reallocarray(load->latencies_ms, load->latency_room,
						  sizeof(*load->latencies_ms));
		if (load->latencies_ms == NULL)
			bench_die("out of memory");
	}
	load->latencies_ms[load->latency_count++] = ms;
}

static void receive(struct load *load, struct sender *sender)
{
	ssize_t n = recv(sender->fd, sender->answer + sender->answer_n,
			 MOST_ANSWER - 1 - sender->answer_n, 0);
	int64_t now_ns;

	if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
		return;
	if (n <= 0)
		bench_die("the receiver ended a connection");
	sender->answer_n += (size_t)n;
	if (sender->answer[sender->answer_n - 1] != '\r' ||
	    sender->answer[sender->answer_n - 2] != 0x1c)
		return;
	now_ns = bench_now_ns();
	check_answer(sender);
	load->answered++;
	sender->busy = false;
	if (now_ns >= load->start_ns + load->warm_ms * 1000000)
		note_latency(load, (double)(now_ns - sender->meant_ns) / 1e6);
	load->in_time +=
		now_ns >= load->start_ns + load->warm_ms * 1000000 && now_ns < load->end_ns;
	if (load->rate == 0 && may_start(load, now_ns))
		start(load, sender, now_ns);
}

/* ---- the run ---- */

static void connect_all(struct load *load)
{
	load->senders = bench_alloc((size_t)load->connections, sizeof(*load->senders));
	load->epoll = bench_epoll();
	for (long i = 0; i < load->connections; i++) {
		struct sender *sender = &load->senders[i];

		sender->fd = bench_connect((int)load->port);
		sender->message = bench_alloc(load->template_n, 1);
		memcpy(sender->message, load->template, load->template_n);
		bench_watch(load->epoll, sender->fd, EPOLLIN, sender);
	}
}

static void wait_for_events(struct load *load, int64_t now_ns)
{
	static struct epoll_event events[MOST_EVENTS];
	int64_t wait_ns = load->rate > 0 ? meant_ns(load) - now_ns : 100000000;
	struct timespec wait;
	int count;

	wait_ns = wait_ns < 50000 ? 50000 : wait_ns < 100000000 ? wait_ns : 100000000;
	wait = (struct timespec){ 0, wait_ns };
	count = epoll_pwait2(load->epoll, events, MOST_EVENTS, &wait, NULL);
	for (int i = 0; i < count; i++) {
		struct sender *sender = events[i].data.ptr;

		if (events[i].events & EPOLLOUT)
			transmit(load, sender);
		if (events[i].events & ~(uint32_t)EPOLLOUT)
			receive(load, sender);
	}
}

static bool is_over(const struct load *load, int64_t now_ns)
{
	if (load->run_ms > 0 && now_ns > load->end_ns + patience_ns)
		bench_die("%" PRIu64 " messages have no answer", load->started - load->answered);
	return load->answered == load->started && load->started > 0 && !may_start(load, now_ns);
}

static void run(struct load *load)
{
	int64_t now_ns = load->start_ns = bench_now_ns();

	load->end_ns = load->run_ms > 0 ? now_ns + load->run_ms * 1000000 : INT64_MAX;
	for (long i = 0; i < load->connections && load->rate == 0 && may_start(load, now_ns); i++)
		start(load, &load->senders[i], now_ns);
	while (!is_over(load, now_ns)) {
		if (load->rate > 0)
			start_due(load, now_ns);
		wait_for_events(load, now_ns);
		now_ns = bench_now_ns();
	}
}

/* Of the time between warming up and the end; all of it, if that was too short for every sender to
 * hear once, or if it was the number of messages that ended it.
 */
static double rate_of(const struct load *load, int64_t ended_ns)
{
	if (load->run_ms > 0 && load->in_time >= (uint64_t)load->connections)
		return (double)load->in_time * 1e3 / (double)(load->run_ms - load->warm_ms);
	return (double)load->answered * 1e9 / (double)(ended_ns - load->start_ns);
}

static void tell(struct load *load, int64_t ended_ns)
{
	double *latencies = load->latencies_ms;
	size_t n = load->latency_count;

	printf("{\"started\": %" PRIu64 ", \"acked\": %" PRIu64 ", \"per_s\": %.2f, "
	       "\"p50_ms\": %.4f, \"p99_ms\": %.4f, \"most_ms\": %.4f}\n",
	       load->started, load->answered, rate_of(load, ended_ns),
	       bench_quantile(latencies, n, 0.5), bench_quantile(latencies, n, 0.99),
	       bench_quantile(latencies, n, 1));
}

static void read_arguments(struct load *load, int argc, char **argv)
{
	const struct {
		const char *name;
		long *number;
		const char **text;
	} table[] = {
		{ "port", &load->port, NULL },        { "connections", &load->connections, NULL },
		{ "ms", &load->run_ms, NULL },        { "warm-ms", &load->warm_ms, NULL },
		{ "count", &load->count, NULL },      { "rate", &load->rate, NULL },
		{ "first", &load->first, NULL },      { "template", NULL, &load->template_file },
		{ "times", NULL, &load->times_file },
	};

	for (int i = 1; i + 1 < argc; i += 2) {
		size_t row = 0;

		while (row < sizeof(table) / sizeof(table[0]) &&
		       (strncmp(argv[i], "--", 2) != 0 ||
			strcmp(argv[i] + 2, table[row].name) != 0))
			row++;
		if (row == sizeof(table) / sizeof(table[0]))
			bench_die("%s is no option", argv[i]);
		if (table[row].number != NULL)
			*table[row].number = bench_number(argv[i + 1]);
		else
			*table[row].text = argv[i + 1];
	}
	if (argc % 2 == 0 || load->port == 0 || load->template_file == NULL ||
	    (load->run_ms == 0 && load->count == 0))
		bench_die("usage: bench_load --port N --template FILE --ms N | --count N ...");
}

int main(int argc, char **argv)
{
	static struct load load = { .connections = 1, .first = 100000000000 };

	read_arguments(&load, argc, argv);
	load.template = bench_read_file(load.template_file, &load.template_n);
	find_spots(&load, BENCH_MARKER, BENCH_DIGITS, false);
	find_spots(&load, marker_base64, MARKER_BASE64, true);
	if (load.times_file != NULL && (load.times = fopen(load.times_file, "we")) == NULL)
		bench_die("%s: %s", load.times_file, strerror(errno));
	connect_all(&load);
	run(&load);
	tell(&load, bench_now_ns());
	if (load.times != NULL)
		fclose(load.times);
	return 0;
}
