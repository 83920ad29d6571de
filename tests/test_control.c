/* The control socket, spoken to through real sockets on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "skip.h"

enum { PATIENCE_S = 20, MOST_LINE_BYTES = 64 << 10, MOST_CONNECTIONS = 32, OTHER_USER = 65534 };

struct fixture {
	struct event_base *loop;
	struct control *control;
	char folder[64], path[80];

	bool at_once;                 /* requests are answered within the callback, by an echo */
	struct control_request *kept; /* otherwise: the last one */
	size_t requests;
	enum control_role role; /* of who asked last */
	struct buf seen;        /* the lines of all requests, each ended by '|' */
};

static void answer_with(struct control_request *request, const char *lines)
{
	control_answer(request, slice_of(lines));
}

static void on_request(void *arg, struct control_request *request)
{
	struct fixture *fixture = arg;

	fixture->requests++;
	fixture->role = request->role;
	buf_add(&fixture->seen, request->line);
	buf_add_char(&fixture->seen, '|');
	fixture->kept = request;
	if (fixture->at_once)
		answer_with(take(fixture->kept), "{\"ok\":true}\n");
}

static void start(struct fixture *fixture, int64_t idle_ms)
{
	const struct control_settings settings = { .socket = fixture->path, .idle_ms = idle_ms };
	struct err err = { 0 };

	if (control_new(&fixture->control, fixture->loop, &settings, on_request, fixture, &err) < 0)
		fail_msg("%s", err.text);
}

static int set_up_folder(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	log_set_level(LEVEL_ERROR);
	fixture->loop = event_base_new();
	fixture->at_once = true;
	strcpy(fixture->folder, "/tmp/dmpfeed-control-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->folder);
	*state = fixture;
	return 0;
}

static int set_up(void **state)
{
	set_up_folder(state);
	start(*state, 0);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	control_free(&fixture->control);
	event_base_free(fixture->loop);
	unlink(fixture->path);
	assert_int_equal(rmdir(fixture->folder), 0);
	buf_done(&fixture->seen);
	free(fixture);
	return 0;
}

/* ---- a peer ---- */

struct peer {
	struct bufferevent *bev;
	struct buf answer;
	bool ended;
};

static void on_answer(struct bufferevent *bev, void *arg)
{
	struct peer *peer = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);

	buf_add(&peer->answer, (struct slice){ (const char *)evbuffer_pullup(in, -1), n });
	evbuffer_drain(in, n);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct peer *peer = arg;

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) == 0)
		peer->ended = true;
}

static int connected_fd(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void peer_open(struct peer *peer, struct fixture *fixture)
{
	int fd = connected_fd(fixture->path);

	assert_true(fd >= 0);
	evutil_make_socket_nonblocking(fd);
	*peer = (struct peer){ .bev = bufferevent_socket_new(fixture->loop, fd,
							     BEV_OPT_CLOSE_ON_FREE) };
	bufferevent_setcb(peer->bev, on_answer, NULL, on_end, peer);
	bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
}

static void peer_done(struct peer *peer)
{
	bufferevent_free(peer->bev);
	buf_done(&peer->answer);
}

static void peer_say(struct peer *peer, const char *text)
{
	bufferevent_write(peer->bev, text, strlen(text));
}

static bool has_ended(const struct peer *peer)
{
	return peer->ended;
}

static bool has_line(const struct peer *peer)
{
	return peer->answer.n > 0 && peer->answer.p[peer->answer.n - 1] == '\n';
}

static void turn_until(struct fixture *fixture, bool (*done)(const struct peer *peer),
		       const struct peer *peer)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int64_t deadline = clock_monotonic_ms() + PATIENCE_S * 1000;

	event_base_loopexit(fixture->loop, &patience);
	while (!done(peer) && clock_monotonic_ms() < deadline)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	assert_true(done(peer));
}

static void turn_until_requests(struct fixture *fixture, size_t count)
{
	int64_t deadline = clock_monotonic_ms() + PATIENCE_S * 1000;

	while (fixture->requests < count && clock_monotonic_ms() < deadline)
		event_base_loop(fixture->loop, EVLOOP_ONCE);
	assert_int_equal(fixture->requests, count);
}

/* All that is ready now, and what comes of it. */
static void turn_until_quiet(struct fixture *fixture)
{
	for (size_t i = 0; i < 50; i++)
		event_base_loop(fixture->loop, EVLOOP_NONBLOCK);
}

static void assert_seen(const struct fixture *fixture, const char *lines)
{
	assert_string_equal(fixture->seen.p ? fixture->seen.p : "", lines);
}

/* ---- requests and answers ---- */

static void a_request_is_a_line_and_gets_its_answer(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	peer_open(&peer, fixture);
	peer_say(&peer, "{\"command\":\"status\"}\n");
	turn_until(fixture, has_line, &peer);
	assert_seen(fixture, "{\"command\":\"status\"}|");
	assert_string_equal(peer.answer.p, "{\"ok\":true}\n");
	assert_false(peer.ended);
	peer_done(&peer);
}

static void a_request_tells_who_asks(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	fixture->at_once = false;
	peer_open(&peer, fixture);
	peer_say(&peer, "{}\n");
	turn_until_requests(fixture, 1);
	assert_int_equal(fixture->kept->uid, geteuid());
	answer_with(fixture->kept, "");
	peer_done(&peer);
}

static void a_request_may_arrive_one_byte_at_a_time(void **state)
{
	static const char request[] = "{\"command\":\"list\"}\n";
	struct fixture *fixture = *state;
	struct peer peer;

	peer_open(&peer, fixture);
	for (const char *byte = request; *byte; byte++) {
		assert_seen(fixture, "");
		bufferevent_write(peer.bev, byte, 1);
		turn_until_quiet(fixture);
	}
	assert_seen(fixture, "{\"command\":\"list\"}|");
	peer_done(&peer);
}

static void a_request_may_hold_any_byte_but_a_line_feed(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	peer_open(&peer, fixture);
	bufferevent_write(peer.bev, "a\0\r\xff\n", 5);
	turn_until(fixture, has_line, &peer);
	assert_int_equal(fixture->seen.n, 5);
	assert_memory_equal(fixture->seen.p, "a\0\r\xff|", 5);
	peer_done(&peer);
}

static void requests_sent_together_are_handed_over_one_after_the_other(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	fixture->at_once = false;
	peer_open(&peer, fixture);
	peer_say(&peer, "1\n2\n3\n");
	turn_until_requests(fixture, 1);
	turn_until_quiet(fixture);
	assert_seen(fixture, "1|");
	answer_with(fixture->kept, "one\n");
	turn_until_requests(fixture, 2);
	answer_with(fixture->kept, "two\n");
	turn_until_requests(fixture, 3);
	answer_with(fixture->kept, "three\n");
	turn_until_quiet(fixture);
	assert_seen(fixture, "1|2|3|");
	assert_string_equal(peer.answer.p, "one\ntwo\nthree\n");
	peer_done(&peer);
}

static void a_thousand_requests_answered_at_once_are_all_answered(void **state)
{
	enum { MANY = 1000 };
	struct fixture *fixture = *state;
	struct peer peer;

	peer_open(&peer, fixture);
	for (size_t i = 0; i < MANY; i++)
		peer_say(&peer, "{}\n");
	turn_until_requests(fixture, MANY);
	turn_until_quiet(fixture);
	assert_int_equal(peer.answer.n, MANY * strlen("{\"ok\":true}\n"));
	peer_done(&peer);
}

static void an_empty_answer_lets_the_next_request_through(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	fixture->at_once = false;
	peer_open(&peer, fixture);
	peer_say(&peer, "1\n2\n");
	turn_until_requests(fixture, 1);
	answer_with(fixture->kept, "");
	turn_until_requests(fixture, 2);
	answer_with(fixture->kept, "");
	peer_done(&peer);
}

static void an_answer_may_be_large(void **state)
{
	enum { LARGE = 8 << 20 };
	struct fixture *fixture = *state;
	scoped(free_ptr) char *large = xcalloc(LARGE + 1, 1);
	struct peer peer;

	memset(large, 'x', LARGE - 1);
	large[LARGE - 1] = '\n';
	fixture->at_once = false;
	peer_open(&peer, fixture);
	peer_say(&peer, "{}\n");
	turn_until_requests(fixture, 1);
	answer_with(fixture->kept, large);
	turn_until(fixture, has_line, &peer);
	assert_int_equal(peer.answer.n, LARGE);
	peer_done(&peer);
}

static void a_peer_that_does_not_read_is_not_served_further(void **state)
{
	enum { LARGE = 4 << 20 };
	struct fixture *fixture = *state;
	scoped(free_ptr) char *large = xcalloc(LARGE + 1, 1);
	struct peer peer;

	memset(large, 'x', LARGE);
	fixture->at_once = false;
	peer_open(&peer, fixture);
	bufferevent_disable(peer.bev, EV_READ);
	peer_say(&peer, "1\n2\n");
	turn_until_requests(fixture, 1);
	answer_with(fixture->kept, large);
	turn_until_quiet(fixture);
	assert_seen(fixture, "1|");
	bufferevent_enable(peer.bev, EV_READ);
	turn_until_requests(fixture, 2);
	answer_with(fixture->kept, "");
	peer_done(&peer);
}

static void a_line_of_64_kib_is_taken(void **state)
{
	struct fixture *fixture = *state;
	scoped(free_ptr) char *line = xcalloc(MOST_LINE_BYTES + 2, 1);
	struct peer peer;

	memset(line, 'x', MOST_LINE_BYTES);
	line[MOST_LINE_BYTES] = '\n';
	peer_open(&peer, fixture);
	peer_say(&peer, line);
	turn_until(fixture, has_line, &peer);
	assert_int_equal(fixture->seen.n, MOST_LINE_BYTES + 1);
	peer_done(&peer);
}

static void a_longer_line_is_refused_and_the_connection_closed(void **state)
{
	struct fixture *fixture = *state;
	scoped(free_ptr) char *line = xcalloc(MOST_LINE_BYTES + 3, 1);
	struct peer peer;

	memset(line, 'x', MOST_LINE_BYTES + 1);
	line[MOST_LINE_BYTES + 1] = '\n';
	peer_open(&peer, fixture);
	peer_say(&peer, line);
	turn_until(fixture, has_ended, &peer);
	assert_string_equal(peer.answer.p,
			    "{\"ok\":false,\"error\":\"the request is longer than 64 KiB\"}\n");
	assert_seen(fixture, "");
	peer_done(&peer);
}

/* ---- peers that leave ---- */

static void a_peer_that_only_ends_its_side_gets_its_answers(void **state)
{
	static const char requests[] = "1\n2\n";
	struct fixture *fixture = *state;
	int fd = connected_fd(fixture->path);
	char answers[64] = "";

	assert_int_equal(write(fd, requests, sizeof(requests) - 1), sizeof(requests) - 1);
	shutdown(fd, SHUT_WR);
	turn_until_requests(fixture, 2);
	turn_until_quiet(fixture);
	assert_int_equal(recv(fd, answers, sizeof(answers) - 1, MSG_WAITALL), 24);
	assert_string_equal(answers, "{\"ok\":true}\n{\"ok\":true}\n");
	close(fd);
}

static void a_request_stays_valid_when_its_peer_has_left(void **state)
{
	struct fixture *fixture = *state;
	int fd = connected_fd(fixture->path);

	fixture->at_once = false;
	assert_int_equal(write(fd, "late\n", 5), 5);
	turn_until_requests(fixture, 1);
	close(fd);
	turn_until_quiet(fixture);
	assert_true(slice_is(fixture->kept->line, "late"));
	answer_with(fixture->kept, "{\"ok\":true}\n");
	turn_until_quiet(fixture);
}

static void count_gone(void *arg)
{
	size_t *gone = arg;

	(*gone)++;
}

/* A peer has asked, and whoever answers wants to hear when it leaves. */
static void watched(struct fixture *fixture, const char *lines, struct peer *peer, size_t *gone)
{
	fixture->at_once = false;
	peer_open(peer, fixture);
	peer_say(peer, lines);
	turn_until_requests(fixture, 1);
	control_on_gone(fixture->kept, count_gone, gone);
}

static void who_waits_for_long_is_told_that_its_peer_has_left(void **state)
{
	struct fixture *fixture = *state;
	size_t gone = 0;
	struct peer peer;

	watched(fixture, "long\n", &peer, &gone);
	turn_until_quiet(fixture);
	assert_int_equal(gone, 0);
	peer_done(&peer);
	turn_until_quiet(fixture);
	assert_int_equal(gone, 1);
	answer_with(fixture->kept, "{\"ok\":true}\n");
	turn_until_quiet(fixture);
	assert_int_equal(gone, 1);
}

/* "echo … | socat": it shuts down its side, and still wants the answer. */
static void a_peer_that_only_ends_its_side_has_not_left(void **state)
{
	struct fixture *fixture = *state;
	size_t gone = 0;
	struct peer peer;

	watched(fixture, "long\n", &peer, &gone);
	assert_int_equal(shutdown(bufferevent_getfd(peer.bev), SHUT_WR), 0);
	turn_until_quiet(fixture);
	assert_int_equal(gone, 0);
	answer_with(fixture->kept, "one\n");
	turn_until(fixture, has_line, &peer);
	assert_string_equal(peer.answer.p, "one\n");
	peer_done(&peer);
}

static void a_peer_that_ends_its_side_and_then_leaves_has_left(void **state)
{
	struct fixture *fixture = *state;
	size_t gone = 0;
	struct peer peer;

	watched(fixture, "long\n", &peer, &gone);
	assert_int_equal(shutdown(bufferevent_getfd(peer.bev), SHUT_WR), 0);
	turn_until_quiet(fixture);
	peer_done(&peer);
	turn_until_quiet(fixture);
	assert_true(gone >= 1);
	answer_with(fixture->kept, "");
}

/* What it was told of one request is not told of the next, which nobody watches. */
static void a_connection_goes_on_after_a_request_that_was_watched(void **state)
{
	struct fixture *fixture = *state;
	size_t gone = 0;
	struct peer peer;

	watched(fixture, "long\nnext\n", &peer, &gone);
	answer_with(fixture->kept, "one\n");
	turn_until_requests(fixture, 2);
	assert_seen(fixture, "long|next|");
	peer_done(&peer);
	turn_until_quiet(fixture);
	assert_int_equal(gone, 0);
	answer_with(fixture->kept, "");
}

static void a_request_stays_valid_after_the_end_of_the_control(void **state)
{
	struct fixture *fixture = *state;
	int fd = connected_fd(fixture->path);

	fixture->at_once = false;
	assert_int_equal(write(fd, "late\n", 5), 5);
	turn_until_requests(fixture, 1);
	control_free(&fixture->control);
	assert_true(slice_is(fixture->kept->line, "late"));
	answer_with(fixture->kept, "{\"ok\":true}\n");
	close(fd);
}

static void a_line_that_never_ends_is_no_request(void **state)
{
	struct fixture *fixture = *state;
	int fd = connected_fd(fixture->path);

	assert_int_equal(write(fd, "{}", 2), 2);
	close(fd);
	turn_until_quiet(fixture);
	assert_seen(fixture, "");
}

static void an_idle_peer_is_closed(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	control_free(&fixture->control);
	start(fixture, 30);
	peer_open(&peer, fixture);
	peer_say(&peer, "{\"command\":");
	turn_until(fixture, has_ended, &peer);
	assert_int_equal(peer.answer.n, 0);
	peer_done(&peer);
}

static void a_peer_that_waits_for_its_answer_is_not_idle(void **state)
{
	struct fixture *fixture = *state;
	struct peer patient, idle;

	control_free(&fixture->control);
	start(fixture, 30);
	fixture->at_once = false;
	peer_open(&patient, fixture);
	peer_say(&patient, "{}\n");
	turn_until_requests(fixture, 1);
	peer_open(&idle, fixture);
	turn_until(fixture, has_ended, &idle); /* so more than 30 ms went by */
	answer_with(fixture->kept, "{\"ok\":true}\n");
	turn_until(fixture, has_line, &patient);
	peer_done(&patient);
	peer_done(&idle);
}

/* ---- peers that are turned away ---- */

static void one_connection_too_many_is_told_so(void **state)
{
	struct fixture *fixture = *state;
	struct peer peers[MOST_CONNECTIONS], another;

	for (size_t i = 0; i < MOST_CONNECTIONS; i++) {
		peer_open(&peers[i], fixture);
		turn_until_quiet(fixture);
	}
	peer_open(&another, fixture);
	turn_until(fixture, has_ended, &another);
	assert_string_equal(another.answer.p, "{\"ok\":false,\"error\":\"too many connections to "
					      "dmpfeedd: try again in a moment\"}\n");
	peer_done(&another);

	peer_done(&peers[0]); /* which makes a place */
	turn_until_quiet(fixture);
	peer_open(&another, fixture);
	peer_say(&another, "{}\n");
	turn_until(fixture, has_line, &another);
	assert_string_equal(another.answer.p, "{\"ok\":true}\n");
	peer_done(&another);
	for (size_t i = 1; i < MOST_CONNECTIONS; i++)
		peer_done(&peers[i]);
}

/* What a process of another user, member of these groups, is answered. */
static void other_user_asks(struct fixture *fixture, const gid_t *groups, size_t count,
			    char answer[256])
{
	int ends[2], status = 0, fd;
	pid_t child;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(chmod(fixture->folder, 0755), 0);
	child = fork();
	if (child == 0) {
		if (setgroups(count, groups) < 0 || setgid(OTHER_USER) < 0 ||
		    setuid(OTHER_USER) < 0)
			_exit(1);
		fd = connected_fd(fixture->path);
		(void)!send(fd, "{}\n", 3, MSG_NOSIGNAL); /* who is turned away may be too late */
		n = read(fd, answer, 255);
		_exit(n < 0 || write(ends[1], answer, (size_t)n) != n);
	}
	for (int64_t end_ms = clock_monotonic_ms() + PATIENCE_S * 1000;
	     waitpid(child, &status, WNOHANG) == 0 && clock_monotonic_ms() < end_ms;)
		event_base_loop(fixture->loop, EVLOOP_NONBLOCK);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	n = read(ends[0], answer, 255);
	assert_true(n > 0);
	answer[n] = '\0';
	close(ends[0]);
	close(ends[1]);
}

static void a_peer_of_another_user_is_turned_away(void **state)
{
	struct fixture *fixture = *state;
	char answer[256];

	if (geteuid() != 0)
		skip_because("only root can become someone else");
	assert_int_equal(chmod(fixture->path, 0666), 0);
	other_user_asks(fixture, NULL, 0, answer);
	assert_string_equal(answer, "{\"ok\":false,\"error\":\"only root and the user that runs "
				    "dmpfeedd may ask\"}\n");
	assert_seen(fixture, "");
}

/* The groups that every Debian has, by number. */
enum { GROUP_BIN = 2, GROUP_SYS = 3, GROUP_ADM = 4, GROUP_TTY = 5 };

static void members_of_groups_have_their_roles(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		gid_t groups[3];
		size_t count;
		enum control_role role;
	} cases[] = {
		{ { GROUP_BIN }, 1, ROLE_READ },
		{ { GROUP_SYS }, 1, ROLE_OPERATE },
		{ { GROUP_ADM }, 1, ROLE_ADMIN },
		{ { GROUP_BIN, GROUP_SYS }, 2, ROLE_OPERATE }, /* the highest */
		{ { GROUP_ADM, GROUP_TTY, GROUP_BIN }, 3, ROLE_ADMIN },
		{ { GROUP_TTY }, 1, ROLE_NONE },
		{ { 0 }, 0, ROLE_NONE },
	};
	const struct control_settings settings = {
		.socket = fixture->path,
		.groups = { [ROLE_READ] = "bin", [ROLE_OPERATE] = "sys", [ROLE_ADMIN] = "adm" },
	};
	struct err err = { 0 };
	char answer[256];

	if (geteuid() != 0)
		skip_because("only root can become someone else");
	if (control_new(&fixture->control, fixture->loop, &settings, on_request, fixture, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < length_of(cases); i++) {
		fixture->role = ROLE_NONE;
		other_user_asks(fixture, cases[i].groups, cases[i].count, answer);
		assert_int_equal(fixture->role, cases[i].role);
		assert_string_equal(
			answer, cases[i].role != ROLE_NONE
					? "{\"ok\":true}\n"
					: "{\"ok\":false,\"error\":\"only root, the user that runs "
					  "dmpfeedd and members of the groups under "
					  "control.groups may ask\"}\n");
	}
}

static void a_group_that_does_not_exist_is_told(void **state)
{
	struct fixture *fixture = *state;
	const struct control_settings settings = {
		.socket = fixture->path,
		.groups = { [ROLE_OPERATE] = "dmpfeed-nobody-has-this" },
	};
	struct err err = { 0 };

	assert_int_equal(
		control_new(&fixture->control, fixture->loop, &settings, on_request, fixture, &err),
		-1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_string_equal(err.text, "control: groups.operate: this machine has no group "
				      "dmpfeed-nobody-has-this");
}

/* ---- the socket's file ---- */

static void the_socket_is_for_its_user_and_group(void **state)
{
	struct fixture *fixture = *state;
	static const mode_t umasks[] = { 0, 022, 077, 0777 };

	for (size_t i = 0; i < length_of(umasks); i++) {
		struct stat node;
		mode_t before;

		control_free(&fixture->control);
		before = umask(umasks[i]);
		start(fixture, 0);
		umask(before);
		assert_int_equal(stat(fixture->path, &node), 0);
		assert_int_equal(node.st_mode & 07777, 0660);
	}
}

static void the_socket_goes_with_the_control(void **state)
{
	struct fixture *fixture = *state;
	struct stat node;

	control_free(&fixture->control);
	assert_int_equal(lstat(fixture->path, &node), -1);
	assert_int_equal(errno, ENOENT);
}

static void a_socket_that_took_its_place_stays(void **state)
{
	struct fixture *fixture = *state;
	struct control *first = take(fixture->control);

	assert_int_equal(unlink(fixture->path), 0);
	start(fixture, 0);
	control_free(&first);
	assert_int_equal(access(fixture->path, F_OK), 0);
}

static void leave_stale_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void a_socket_left_by_a_dead_process_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	leave_stale_socket(fixture->path);
	start(fixture, 0);
	peer_open(&peer, fixture);
	peer_say(&peer, "{}\n");
	turn_until(fixture, has_line, &peer);
	peer_done(&peer);
}

static void assert_refused(struct fixture *fixture, const char *path, const char *why)
{
	const struct control_settings settings = { .socket = path };
	struct control *control = NULL;
	struct err err = { 0 };

	assert_int_equal(control_new(&control, fixture->loop, &settings, on_request, fixture, &err),
			 -1);
	assert_null(control);
	assert_int_equal(err.kind, ERR_HALT);
	if (strstr(err.text, why) == NULL || !slice_starts(slice_of(err.text), "control.socket: "))
		fail_msg("\"%s\" is not in: %s", why, err.text);
}

static void a_socket_that_someone_answers_on_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct peer peer;

	assert_refused(fixture, fixture->path, "another dmpfeedd answers on /tmp/");
	peer_open(&peer, fixture);
	peer_say(&peer, "{}\n");
	turn_until(fixture, has_line, &peer);
	peer_done(&peer);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	int fd = open(fixture->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_refused(fixture, fixture->path, "exists and is not a socket");
	assert_int_equal(access(fixture->path, F_OK), 0);
}

static void a_missing_folder_is_told(void **state)
{
	struct fixture *fixture = *state;
	scoped(free_ptr) char *path = xasprintf("%s/none/socket", fixture->folder);

	assert_refused(fixture, path, "No such file or directory");
}

static void a_path_that_no_socket_can_have_is_told(void **state)
{
	char path[110];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_refused(*state, path, "a socket's path has 1 to 107 bytes, not 109");
	assert_refused(*state, "", "a socket's path has 1 to 107 bytes, not 0");
}

#define test_with_control(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define test_with_folder(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_control(a_request_is_a_line_and_gets_its_answer),
		test_with_control(a_request_tells_who_asks),
		test_with_control(a_request_may_arrive_one_byte_at_a_time),
		test_with_control(a_request_may_hold_any_byte_but_a_line_feed),
		test_with_control(requests_sent_together_are_handed_over_one_after_the_other),
		test_with_control(a_thousand_requests_answered_at_once_are_all_answered),
		test_with_control(an_empty_answer_lets_the_next_request_through),
		test_with_control(an_answer_may_be_large),
		test_with_control(a_peer_that_does_not_read_is_not_served_further),
		test_with_control(a_line_of_64_kib_is_taken),
		test_with_control(a_longer_line_is_refused_and_the_connection_closed),
		test_with_control(a_peer_that_only_ends_its_side_gets_its_answers),
		test_with_control(a_request_stays_valid_when_its_peer_has_left),
		test_with_control(who_waits_for_long_is_told_that_its_peer_has_left),
		test_with_control(a_peer_that_only_ends_its_side_has_not_left),
		test_with_control(a_peer_that_ends_its_side_and_then_leaves_has_left),
		test_with_control(a_connection_goes_on_after_a_request_that_was_watched),
		test_with_control(a_request_stays_valid_after_the_end_of_the_control),
		test_with_control(a_line_that_never_ends_is_no_request),
		test_with_control(an_idle_peer_is_closed),
		test_with_control(a_peer_that_waits_for_its_answer_is_not_idle),
		test_with_control(one_connection_too_many_is_told_so),
		test_with_control(a_peer_of_another_user_is_turned_away),
		test_with_folder(members_of_groups_have_their_roles),
		test_with_folder(a_group_that_does_not_exist_is_told),
		test_with_control(the_socket_is_for_its_user_and_group),
		test_with_control(the_socket_goes_with_the_control),
		test_with_control(a_socket_that_took_its_place_stays),
		test_with_folder(a_socket_left_by_a_dead_process_is_replaced),
		test_with_control(a_socket_that_someone_answers_on_is_left_alone),
		test_with_folder(a_file_that_is_no_socket_is_left_alone),
		test_with_folder(a_missing_folder_is_told),
		test_with_folder(a_path_that_no_socket_can_have_is_told),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
