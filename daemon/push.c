/* Alerts, told to whoever does not look. The queue is the loop's; one thread runs the command or asks the
 * webhook, and waits for it.
 */
#include "push.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"

enum {
	PATIENCE_MS = 100, /* how soon the end is noticed */
	NOT_STARTED = 127,
};

/* What is told. */
struct message {
	STAILQ_ENTRY(message) link;
	struct buf json;
	unsigned failures;
};

/* Settings of its own: the thread may read them while others are to come. */
struct kept {
	struct push_settings settings;
	struct arena arena;
};

struct push {
	const struct push_settings *settings; /* of: */
	struct kept *kept;
	struct kept *next; /* once no attempt is under way; NULL: none */
	struct workers *thread;
	struct event *again;
	STAILQ_HEAD(, message) waiting;
	uint64_t waiting_count;
	atomic_bool ends;

	struct job job; /* for the first that waits */
	struct message *message;
	bool telling;
	struct err err;
};

static struct kept *keep(const struct push_settings *settings)
{
	struct kept *kept = xcalloc(1, sizeof(*kept));
	const char **const texts[] = { &kept->settings.url, &kept->settings.ca,
				       &kept->settings.token };

	kept->settings = *settings;
	for (size_t i = 0; i < length_of(texts); i++)
		if (*texts[i] != NULL)
			*texts[i] = arena_dup(&kept->arena, slice_of(*texts[i]));
	kept->settings.command =
		arena_alloc(&kept->arena, settings->command_count * sizeof(const char *));
	for (size_t i = 0; i < settings->command_count; i++)
		kept->settings.command[i] = arena_dup(&kept->arena, slice_of(settings->command[i]));
	return kept;
}

static void kept_free(struct kept **kept)
{
	if (*kept == NULL)
		return;
	arena_done(&(*kept)->arena);
	free_ptr(kept);
}

/* Nothing is with the thread. */
static void take_next(struct push *push)
{
	if (push->next == NULL)
		return;
	kept_free(&push->kept);
	push->kept = take(push->next);
	push->settings = &push->kept->settings;
}

static bool tells_anybody(const struct push_settings *settings)
{
	return settings->command_count > 0 || settings->url[0] != '\0';
}

/* ---- a command ---- */

/* Between fork() and exec: only what a signal handler may call. */
static void become(const struct push_settings *settings, char **arguments, int in)
{
	static const char *const environment[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
						   "LC_ALL=C.UTF-8", NULL };
	int nowhere = open("/dev/null", O_WRONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, STDIN_FILENO);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	close_range(3, ~0U, 0);
	execve(settings->command[0], arguments, (char *const *)(uintptr_t)environment);
	_exit(NOT_STARTED);
}

/* All that it reads, from a file that is nobody else's: a pipe could be full. */
static int file_of(struct slice json)
{
	int fd = memfd_create("alert", MFD_CLOEXEC);

	if (fd >= 0 &&
	    (write(fd, json.p, json.n) != (ssize_t)json.n || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* true: it has ended by itself. */
static bool wait_for(const struct push *push, pid_t child)
{
	const int64_t until_ms = clock_monotonic_ms() + push->settings->timeout_ms;
	struct pollfd ended = { .fd = pidfd_open(child, 0), .events = POLLIN };
	int n = 0;

	while (ended.fd >= 0 && n <= 0 && clock_monotonic_ms() < until_ms &&
	       !atomic_load(&push->ends))
		n = poll(&ended, 1, PATIENCE_MS);
	if (ended.fd >= 0)
		close(ended.fd);
	return n > 0;
}

static int judge(const struct push *push, bool by_itself, int status, struct err *err)
{
	const char *program = push->settings->command[0];

	if (!by_itself)
		return err_set(err, ERR_RETRY, "%s did not end in time", program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)
		return err_set(err, ERR_RETRY, "%s cannot be run", program);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_RETRY, "%s ended with %s %d", program,
			       WIFEXITED(status) ? "status" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return 0;
}

static int run_command(const struct push *push, struct slice json, struct err *err)
{
	const struct push_settings *settings = push->settings;
	scoped(free_ptr) char **arguments =
		xcalloc(settings->command_count + 1, sizeof(arguments[0]));
	int in = file_of(json), status = 0;
	bool by_itself;
	pid_t child;

	for (size_t i = 0; i < settings->command_count; i++)
		arguments[i] = (char *)(uintptr_t)settings->command[i];
	child = in < 0 ? -1 : fork();
	if (child == 0)
		become(settings, arguments, in);
	if (in >= 0)
		close(in);
	if (child < 0)
		return err_set(err, ERR_RETRY, "no process can be started: %s",
			       strerrordesc_np(errno));
	by_itself = wait_for(push, child);
	if (!by_itself && kill(-child, SIGKILL) < 0) /* it may not be a group's yet */
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return judge(push, by_itself, status, err);
}

/* ---- a webhook ---- */

static size_t swallow(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes, (void)arg;
	return size * count;
}

static int has_ended(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
		     curl_off_t up)
{
	const struct push *push = arg;

	(void)down_total, (void)down, (void)up_total, (void)up;
	return atomic_load(&push->ends);
}

static struct curl_slist *headers_of(const struct push_settings *settings)
{
	scoped(free_ptr) char *token =
		xasprintf("Authorization: Bearer %s", settings->token ? settings->token : "");
	const char *const lines[] = { "Content-Type: application/json", "Expect:", token };
	struct curl_slist *headers = NULL;

	for (size_t i = 0; i < length_of(lines) - (settings->token == NULL || !settings->token[0]);
	     i++)
		headers = curl_slist_append(headers, lines[i]);
	return headers;
}

static void prepare(CURL *easy, const struct push *push, struct slice json)
{
	const struct push_settings *settings = push->settings;

	curl_easy_setopt(easy, CURLOPT_URL, settings->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
			 slice_starts(slice_of(settings->url), "http:") ? "http" : "https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* the environment has no say */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
			 1L); /* a resolver that hangs is not waited for */
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (settings->ca != NULL && settings->ca[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.n);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json.p);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, has_ended);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, push);
}

static int ask_webhook(const struct push *push, struct slice json, struct err *err)
{
	struct curl_slist *headers = headers_of(push->settings);
	char words[CURL_ERROR_SIZE] = "";
	CURL *easy = curl_easy_init();
	long status = 0;
	CURLcode code;

	if (easy == NULL || headers == NULL)
		no_memory();
	prepare(easy, push, json);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
	code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return err_set(err, ERR_RETRY, "the webhook: %s",
			       words[0] ? words : curl_easy_strerror(code));
	if (status < 200 || status > 299)
		return err_set(err, ERR_RETRY, "the webhook answers %ld", status);
	return 0;
}

/* ---- one after the other ---- */

/* The thread. What one of the two took is told again when the other did not: better twice than never. */
static void run(struct job *job, void *nothing)
{
	struct push *push = container_of(job, struct push, job);
	const struct slice json = buf_slice(&push->message->json);

	(void)nothing;
	push->err = (struct err){ 0 };
	if (push->settings->command_count > 0 && run_command(push, json, &push->err) < 0)
		return;
	if (push->settings->url[0] != '\0')
		(void)!ask_webhook(push, json, &push->err);
}

static void message_free(struct message *message)
{
	buf_done(&message->json);
	free(message);
}

static void tell_first(struct push *push)
{
	struct message *message = STAILQ_FIRST(&push->waiting);

	if (message == NULL || push->telling || push->thread == NULL) /* it has ended */
		return;
	push->telling = true;
	push->message = message;
	workers_submit(push->thread, &push->job);
}

static void forget_first(struct push *push)
{
	struct message *message = STAILQ_FIRST(&push->waiting);

	STAILQ_REMOVE_HEAD(&push->waiting, link);
	push->waiting_count--;
	message_free(message);
}

/* Loop. */
static void done(struct job *job)
{
	struct push *push = container_of(job, struct push, job);
	unsigned failures = push->err.kind == ERR_NONE ? 0 : ++push->message->failures;
	int64_t delay_ms;

	take_next(push);
	if (failures > 0 && failures < push->settings->most_attempts) {
		delay_ms = retry_delay_ms(&push->settings->retry, failures, random_u32());
		log_warning("alert not told, tries again: %s", push->err.text);
		event_add(push->again,
			  &(struct timeval){ delay_ms / 1000, delay_ms % 1000 * 1000 });
		return;
	}
	if (failures > 0)
		log_error("alert not told, given up after attempts=%u: %s", failures,
			  push->err.text);
	push->telling = false;
	forget_first(push);
	tell_first(push);
}

static void try_again(evutil_socket_t fd, short what, void *arg)
{
	struct push *push = arg;

	(void)fd, (void)what;
	push->telling = false;
	tell_first(push);
}

void push_tell(struct push *push, struct slice json)
{
	struct message *message;

	if (push == NULL || !tells_anybody(push->settings))
		return;
	if (push->waiting_count >= push->settings->most_waiting) {
		log_error("alert not told: alerts.push has %llu to tell already",
			  (unsigned long long)push->waiting_count);
		return;
	}
	message = xcalloc(1, sizeof(*message));
	buf_add(&message->json, json);
	STAILQ_INSERT_TAIL(&push->waiting, message, link);
	push->waiting_count++;
	tell_first(push);
}

/* ---- birth and end ---- */

struct push *push_new(const struct push_settings *settings, struct event_base *loop,
		      struct mailbox *mailbox)
{
	struct push *push;

	if (!tells_anybody(settings))
		return NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT); /* before the thread, which would */
	push = xcalloc(1, sizeof(*push));
	push->kept = keep(settings);
	push->settings = &push->kept->settings;
	push->job = (struct job){ .run = run, .done = done };
	push->again = event_new(loop, -1, 0, try_again, push);
	push->thread =
		workers_new(&(struct workers_settings){ .count = 1, .name = "push" }, mailbox);
	STAILQ_INIT(&push->waiting);
	return push;
}

void push_follow(struct push *push, const struct push_settings *settings)
{
	kept_free(&push->next);
	push->next = keep(settings);
	if (!push->telling)
		take_next(push);
	else if (event_pending(push->again, EV_TIMEOUT, NULL)) {
		take_next(push);
		event_add(push->again, &(struct timeval){ 0 }); /* it may have been mended */
	}
}

void push_stop(struct push *push)
{
	if (push == NULL)
		return;
	atomic_store(&push->ends, true);
	workers_free(&push->thread);
}

void push_free(struct push **push)
{
	if (*push == NULL)
		return;
	while (!STAILQ_EMPTY(&(*push)->waiting))
		forget_first(*push);
	event_free((*push)->again);
	kept_free(&(*push)->kept);
	kept_free(&(*push)->next);
	free_ptr(push);
}
