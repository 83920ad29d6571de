/* The socket that dmpfeedctl talks to. Loop only.
 *
 * Who may speak is decided by the kernel's word on the peer, when it connects; the mode of the
 * socket only keeps the others from trying. A connection is read while nothing is under way on it:
 * what a peer sends ahead waits in its own socket, and a peer that does not read its answer waits
 * with it.
 */
#include "control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

enum {
	MOST_LINE_BYTES = 64 << 10,
	MOST_CONNECTIONS = 32,
	KEPT_CONNECTIONS =
		4, /* of them for root and the user that runs us: whoever reloads finds a place */
	IDLE_MS = 5 * 60 * 1000,
	BACKLOG = 32,
	MODE = 0660,
	MODE_WITH_GROUPS = 0666,
	MOST_GROUPS = 65536,        /* of a peer, as Linux has it (NGROUPS_MAX) */
	MOST_GROUP_BYTES = 1 << 20, /* of an entry in the table of groups */
};

struct control_connection {
	LIST_ENTRY(control_connection) link;
	struct control *control;
	struct bufferevent *bev;
	struct control_request *request; /* under way */
	struct event *leaving; /* NULL: who asked for it need not know that the peer left */
	void (*gone)(void *arg);
	void *gone_arg;
	uid_t uid;
	enum control_role role;
	bool serving; /* serve() is at work, further down the stack */
	bool ending;  /* closes when what it is still owed has gone */
};

LIST_HEAD(control_connections, control_connection);

struct control {
	struct event_base *loop;
	struct evconnlistener *listener;
	struct event *resume; /* accepting again, after the system refused to */
	struct event *sweep;
	control_request_fn *on_request;
	void *arg;
	int64_t idle_ms;
	bool has_group[ROLE_COUNT];
	gid_t groups[ROLE_COUNT];
	mode_t mode; /* of the socket */
	struct control_connections open, closed;
	size_t open_count;
	struct sockaddr_un address;
	struct stat node; /* the socket's file, to know it again */
};

/* ---- connections ---- */

static void stop_watching(struct control_connection *connection)
{
	if (connection->leaving != NULL)
		event_free(connection->leaving);
	connection->leaving = NULL;
}

/* Nothing more happens on it; freed once nobody can be using it any more. */
static void connection_close(struct control_connection *connection)
{
	struct control *control = connection->control;

	if (connection->request)
		connection->request->connection = NULL;
	stop_watching(connection);
	bufferevent_setcb(connection->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(connection->bev, EV_READ | EV_WRITE);
	LIST_REMOVE(connection, link);
	LIST_INSERT_HEAD(&control->closed, connection, link);
	control->open_count--;
	event_active(control->sweep, EV_TIMEOUT, 0);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;
	struct control_connection *connection;

	(void)fd, (void)what;
	while ((connection = LIST_FIRST(&control->closed)) != NULL) {
		LIST_REMOVE(connection, link);
		bufferevent_free(connection->bev);
		free(connection);
	}
}

/* No more requests; the last bytes still go out. */
static void connection_end(struct control_connection *connection)
{
	connection->ending = true;
	bufferevent_disable(connection->bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(connection->bev)) == 0)
		connection_close(connection);
}

/* Takes the next line, if there is a whole one. */
static struct control_request *next_request(struct control_connection *connection)
{
	struct evbuffer *in = bufferevent_get_input(connection->bev);
	struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
	struct control_request *request;
	char *text;

	if (end.pos < 0)
		return NULL;
	request = xcalloc(1, sizeof(*request));
	request->connection = connection;
	request->uid = connection->uid;
	request->role = connection->role;
	text = buf_reserve(&request->text, (size_t)end.pos);
	evbuffer_remove(in, text, (size_t)end.pos);
	text[end.pos] = '\0';
	request->text.n = (size_t)end.pos;
	evbuffer_drain(in, 1);
	request->line = buf_slice(&request->text);
	return request;
}

/* An answer is waited for, or on its way. */
static bool is_busy(const struct control_connection *connection)
{
	return connection->request != NULL ||
	       evbuffer_get_length(bufferevent_get_output(connection->bev)) > 0;
}

/* Hands over the next request when the one before it is done with; without one, reads on. */
static void serve(struct control_connection *connection)
{
	static const char too_long[] = "{\"ok\":false,\"error\":\"the request is longer than "
				       "64 KiB\"}\n";
	struct evbuffer *in = bufferevent_get_input(connection->bev);
	struct control *control = connection->control;

	connection->serving = true;
	while (!is_busy(connection) && (connection->request = next_request(connection)) != NULL)
		control->on_request(control->arg, connection->request);
	connection->serving = false;

	if (is_busy(connection)) {
		bufferevent_disable(connection->bev, EV_READ);
	} else if (evbuffer_get_length(in) > MOST_LINE_BYTES) {
		bufferevent_write(connection->bev, too_long, sizeof(too_long) - 1);
		connection_end(connection);
	} else {
		bufferevent_enable(connection->bev, EV_READ);
	}
}

void control_answer(struct control_request *request, struct slice lines)
{
	struct control_connection *connection = request->connection;

	buf_done(&request->text);
	free(request);
	if (connection == NULL)
		return;
	connection->request = NULL;
	stop_watching(connection);
	bufferevent_write(connection->bev, lines.p, lines.n);
	if (!connection->serving) /* or the stack grows with each request answered at once */
		serve(connection);
}

static void on_leaving(evutil_socket_t fd, short what, void *arg)
{
	struct control_connection *connection = arg;
	struct pollfd peer = { .fd = fd };

	(void)what;
	if (poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR)) != 0)
		connection->gone(connection->gone_arg);
}

/* The end of what a peer sends is told at once, and again when it closes: edges, for the first would wake the loop
 * without end. libevent wants no other event on the descriptor then; nothing is read while a request is under way, and
 * nothing is written before its answer.
 */
void control_on_gone(struct control_request *request, void (*gone)(void *arg), void *arg)
{
	struct control_connection *connection = request->connection;

	if (connection == NULL)
		return;
	bufferevent_disable(connection->bev, EV_READ);
	connection->gone = gone;
	connection->gone_arg = arg;
	connection->leaving =
		event_new(connection->control->loop, bufferevent_getfd(connection->bev),
			  EV_CLOSED | EV_ET | EV_PERSIST, on_leaving, connection);
	event_add(connection->leaving, NULL);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	serve(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct control_connection *connection = arg;

	(void)bev;
	if (connection->ending)
		connection_close(connection);
	else
		serve(connection);
}

/* An end comes only while reading, when every whole line was answered: a peer that shut down its
 * side after its requests ("echo … | socat") still gets the answers.
 */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & BEV_EVENT_EOF)
		connection_end(arg);
	else
		connection_close(arg);
}

static void connection_new(struct control *control, int fd, uid_t uid, enum control_role role)
{
	const struct timeval idle = { .tv_sec = control->idle_ms / 1000,
				      .tv_usec = control->idle_ms % 1000 * 1000 };
	struct control_connection *connection = xcalloc(1, sizeof(*connection));

	connection->control = control;
	connection->uid = uid;
	connection->role = role;
	connection->bev = bufferevent_socket_new(control->loop, fd, BEV_OPT_CLOSE_ON_FREE);
	if (connection->bev == NULL)
		no_memory();
	LIST_INSERT_HEAD(&control->open, connection, link);
	control->open_count++;
	bufferevent_setcb(connection->bev, on_read, on_written, on_event, connection);
	bufferevent_setwatermark(connection->bev, EV_READ, 0, MOST_LINE_BYTES + 1);
	bufferevent_set_timeouts(connection->bev, &idle, &idle);
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
}

/* One line fits into a socket that is still empty: nothing to wait for. */
static void turn_away(int fd, const char *why)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"ok\":false,\"error\":\"%s\"}\n", why);

	if (send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("control peer gone before it was turned away: %s", strerror(errno));
	close(fd);
}

/* ---- who asks ---- */

const char *control_role_text(enum control_role role)
{
	static const char *const texts[ROLE_COUNT] = {
		[ROLE_NONE] = "none",
		[ROLE_READ] = "read",
		[ROLE_OPERATE] = "operate",
		[ROLE_ADMIN] = "admin",
	};

	return texts[role];
}

static enum control_role role_of_group(const struct control *control, gid_t group)
{
	enum control_role role = ROLE_ADMIN;

	while (role > ROLE_NONE && !(control->has_group[role] && control->groups[role] == group))
		role--;
	return role;
}

static bool is_at_home(const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}

/* What the kernel noted when the peer connected: its user, its group, its other groups. */
static enum control_role role_of(const struct control *control, int fd, const struct ucred *peer)
{
	enum control_role role = role_of_group(control, peer->gid);
	socklen_t bytes = 0;
	gid_t *groups;

	if (is_at_home(peer))
		return ROLE_ADMIN;
	if (control->mode == MODE)
		return ROLE_NONE;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) == 0 || errno != ERANGE ||
	    bytes > MOST_GROUPS * sizeof(*groups))
		return role; /* no other groups */
	groups = xcalloc(1, bytes);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) == 0)
		for (size_t i = 0; i < bytes / sizeof(*groups); i++)
			role = max(role, role_of_group(control, groups[i]));
	free(groups);
	return role;
}

int control_find_group(const char *name, gid_t *ret_group, int *ret_error)
{
	scoped(free_ptr) char *room = xcalloc(1, MOST_GROUP_BYTES);
	struct group group, *found = NULL;

	*ret_error = getgrnam_r(name, &group, room, MOST_GROUP_BYTES, &found);
	if (found == NULL)
		return -1;
	*ret_group = group.gr_gid;
	return 0;
}

/* Once, at the start: a group that is made anew afterwards is another one. */
static int find_group(struct control *control, enum control_role role, const char *name,
		      struct err *err)
{
	int error;

	if (control_find_group(name, &control->groups[role], &error) < 0)
		return err_set(err, ERR_HALT, "groups.%s: this machine has no group %s%s%s",
			       control_role_text(role), name, error ? ": " : "",
			       error ? strerror(error) : "");
	control->has_group[role] = true;
	control->mode = MODE_WITH_GROUPS;
	return 0;
}

static int find_groups(struct control *control, const struct control_settings *settings,
		       struct err *err)
{
	control->mode = MODE;
	for (enum control_role role = ROLE_READ; role < ROLE_COUNT; role++) {
		const char *name = settings->groups[role];

		if (name != NULL && name[0] != '\0' && find_group(control, role, name, err) < 0)
			return err_within(err, "control");
	}
	return 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int address_bytes, void *arg)
{
	struct control *control = arg;
	struct ucred peer = { 0 };
	socklen_t peer_bytes = sizeof(peer);
	enum control_role role = ROLE_NONE;

	(void)listener, (void)address, (void)address_bytes;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_bytes) == 0)
		role = role_of(control, fd, &peer);
	if (role == ROLE_NONE) {
		log_warning("control peer_uid=%ld turned away", (long)peer.uid);
		turn_away(fd, control->mode == MODE
				      ? "only root and the user that runs dmpfeedd may ask"
				      : "only root, the user that runs dmpfeedd and members of the "
					"groups under control.groups may ask");
	} else if (control->open_count >=
		   (size_t)MOST_CONNECTIONS - (is_at_home(&peer) ? 0 : KEPT_CONNECTIONS)) {
		log_warning("control connections=%zu one more turned away", control->open_count);
		turn_away(fd, "too many connections to dmpfeedd: try again in a moment");
	} else {
		connection_new(control, fd, peer.uid, role);
	}
}

/* Out of descriptors or memory: the connection stays in the backlog and would wake the loop again
 * at once, so look away for a second.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct control *control = arg;
	static const struct timeval second = { .tv_sec = 1 };

	log_warning("control cannot accept: %s", strerror(errno));
	evconnlistener_disable(listener);
	event_add(control->resume, &second);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd, (void)what;
	evconnlistener_enable(control->listener);
}

/* ---- the socket ---- */

static int socket_new(struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? err_set(err, ERR_HALT, "no socket: %s", strerror(errno)) : fd;
}

/* The path is taken. A socket that nobody answers on was left by a process that died. */
static int remove_stale(const struct sockaddr_un *address, struct err *err)
{
	const char *path = address->sun_path;
	struct stat node;
	int fd, connected, error;

	if (lstat(path, &node) < 0)
		return errno == ENOENT ? 0
				       : err_set(err, ERR_HALT, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(node.st_mode))
		return err_set(err, ERR_HALT, "%s exists and is not a socket", path);
	fd = socket_new(err);
	if (fd < 0)
		return -1;
	connected = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	error = errno;
	close(fd);
	if (connected == 0 || error == EAGAIN) /* EAGAIN: its backlog is full, but it has one */
		return err_set(err, ERR_HALT, "another dmpfeedd answers on %s", path);
	if (error != ECONNREFUSED && error != ENOENT)
		return err_set(err, ERR_HALT, "%s is there, and connecting to it fails: %s", path,
			       strerror(error));
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, ERR_HALT, "cannot remove the stale socket %s: %s", path,
			       strerror(errno));
	return 0;
}

/* The mode is set before bind() gives the socket a name, so that it never has a wider one; the
 * umask may have narrowed it, which chmod() puts right.
 */
static int bind_socket(struct control *control, int fd, struct err *err)
{
	const struct sockaddr *address = (const struct sockaddr *)&control->address;
	const char *path = control->address.sun_path;
	int bound;

	if (fchmod(fd, control->mode) < 0)
		return err_set(err, ERR_HALT, "cannot set the mode of a socket: %s",
			       strerror(errno));
	bound = bind(fd, address, sizeof(control->address));
	if (bound < 0 && errno == EADDRINUSE) {
		if (remove_stale(&control->address, err) < 0)
			return -1;
		bound = bind(fd, address, sizeof(control->address));
	}
	if (bound < 0)
		return err_set(err, ERR_HALT, "cannot make the socket %s: %s", path,
			       strerror(errno));
	if (lstat(path, &control->node) < 0 || chmod(path, control->mode) < 0)
		return err_set(err, ERR_HALT, "the socket %s: %s", path, strerror(errno));
	return 0;
}

static int start_listening(struct control *control, const char *path, struct err *err)
{
	const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
	int fd;

	if (path[0] == '\0' || strlen(path) >= sizeof(control->address.sun_path))
		return err_set(err, ERR_HALT, "a socket's path has 1 to %zu bytes, not %zu",
			       sizeof(control->address.sun_path) - 1, strlen(path));
	control->address.sun_family = AF_UNIX;
	memcpy(control->address.sun_path, path, strlen(path));
	fd = socket_new(err);
	if (fd < 0)
		return -1;
	if (bind_socket(control, fd, err) < 0) {
		close(fd);
		return -1;
	}
	control->listener =
		evconnlistener_new(control->loop, on_accept, control, flags, BACKLOG, fd);
	if (control->listener == NULL) {
		err_set(err, ERR_HALT, "cannot listen on %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	evconnlistener_set_error_cb(control->listener, on_accept_error);
	return 0;
}

int control_new(struct control **ret_control, struct event_base *loop,
		const struct control_settings *settings, control_request_fn *on_request, void *arg,
		struct err *err)
{
	scoped(control_free) struct control *control = xcalloc(1, sizeof(*control));

	control->loop = loop;
	control->on_request = on_request;
	control->arg = arg;
	control->idle_ms = settings->idle_ms ? settings->idle_ms : IDLE_MS;
	control->resume = event_new(loop, -1, 0, on_resume, control);
	control->sweep = event_new(loop, -1, 0, on_sweep, control);
	if (find_groups(control, settings, err) < 0)
		return -1;
	if (start_listening(control, settings->socket, err) < 0)
		return err_within(err, "control.socket");
	*ret_control = take(control);
	return 0;
}

/* The file goes if it is still ours: another process may have put its own in its place. */
static void remove_socket(const struct control *control)
{
	struct stat node;

	if (control->node.st_ino != 0 && lstat(control->address.sun_path, &node) == 0 &&
	    node.st_dev == control->node.st_dev && node.st_ino == control->node.st_ino)
		unlink(control->address.sun_path);
}

void control_free(struct control **control)
{
	struct control_connection *connection;

	if (*control == NULL)
		return;
	remove_socket(*control);
	if ((*control)->listener)
		evconnlistener_free((*control)->listener);
	while ((connection = LIST_FIRST(&(*control)->open)) != NULL)
		connection_close(connection);
	on_sweep(-1, 0, *control);
	event_free((*control)->sweep);
	event_free((*control)->resume);
	free_ptr(control);
}
