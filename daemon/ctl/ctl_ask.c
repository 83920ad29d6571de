/* The daemon's socket, as dmpfeedctl sees it: one line there, the lines of the answer back. One thread. */
#include "ctl/ctl_ask.h"
#include "ctl/ctl_refusal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_LINE_BYTES = 1 << 20 };

static int unreachable(const char *path, int error)
{
	scoped(free_ptr) char *about = xasprintf("%s: %s", path, strerror(error));
	const char *advice = "See systemctl status dmpfeed.";

	if (error == ENOENT)
		advice = "Is it running (systemctl status dmpfeed)? Is this its control.socket?";
	else if (error == ECONNREFUSED)
		advice = "It has stopped: see systemctl status dmpfeed.";
	else if (error == EACCES || error == EPERM)
		advice = "Ask as root, as the user that runs dmpfeedd, or as a member of a group "
			 "of control.groups.";
	else if (error == ENAMETOOLONG)
		advice = "The path of a socket has 1 to 107 bytes.";
	return ctl_complain(EXIT_UNREACHABLE, ctl_say("cannot reach dmpfeedd"), about,
			    ctl_say(advice));
}

/* A connection, or -1 and errno. */
static int connect_to(const char *path, time_t patience_s)
{
	const struct timeval patience = { .tv_sec = patience_s }; /* 0: for ever */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1; /* the process ends: so does the descriptor */
	return fd;
}

/* A peer that turns us away may have closed before it reads: its words are in the answer. */
static int send_line(int fd, struct slice line)
{
	while (line.n > 0) {
		ssize_t sent = send(fd, line.p, line.n, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EPIPE ? 0 : -1;
		line = slice_from(line, (size_t)sent);
	}
	return 0;
}

/* false: the answer ends, breaks or has no end of line within reason. */
static bool next_line(FILE *from, struct buf *line)
{
	int c;

	buf_clear(line);
	while ((c = getc(from)) != EOF && c != '\n' && !line->overfull)
		buf_add_char(line, (char)c);
	return c == '\n' && !line->overfull;
}

/* Adds a line to the answer. The last one comes back: the caller owns it. */
static json_t *take_line(struct ctl_answer *answer, const struct buf *line)
{
	json_t *json = json_loadb(buf_slice(line).p, line->n, 0, NULL);

	if (json_object_get(json, "row"))
		json_array_append(answer->rows, json_object_get(json, "row"));
	else if (json_object_get(json, "event"))
		json_array_append(answer->events, json_object_get(json, "event"));
	else if (json_object_get(json, "rest"))
		answer->rest = json_incref(json_object_get(json, "rest"));
	else if (json_object_get(json, "metadata"))
		json_array_append(answer->metadata, json_object_get(json, "metadata"));
	else
		return json ? json : json_object();
	json_decref(json);
	return NULL;
}

/* 0, or the exit code after a complaint. */
static int read_answer(struct ctl_answer *answer, FILE *from, bool many)
{
	scoped(buf_done) struct buf line = { .limit = MOST_LINE_BYTES };
	json_t *last = NULL;
	scoped(free_ptr) char *told = NULL;
	const char *error;
	int code = 0;

	errno = 0;
	while (last == NULL && next_line(from, &line))
		last = take_line(answer, &line);
	error = json_string_value(json_object_get(last, "error"));
	if (error != NULL)
		code = ctl_complain(EXIT_REFUSED, told = ctl_refusal(error), "", "");
	else if (!json_is_true(json_object_get(last, "ok")) ||
		 (!many && json_array_size(answer->rows) != 1))
		code = ctl_complain(EXIT_UNREACHABLE, ctl_say("the answer of dmpfeedd broke off"),
				    errno ? strerror(errno == EAGAIN ? ETIMEDOUT : errno) : "",
				    ctl_say("See systemctl status dmpfeed."));
	json_decref(last);
	return code;
}

int ctl_ask(const struct ctl_question *question, struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 };
	FILE *from;
	int code, fd;

	buf_addf(&line, "%s\n", question->request);
	fd = connect_to(question->path, question->patience_s);
	if (fd < 0 || send_line(fd, buf_slice(&line)) < 0 || (from = fdopen(fd, "r")) == NULL)
		return unreachable(question->path, errno);
	code = read_answer(answer, from, question->many);
	fclose(from);
	return code;
}
