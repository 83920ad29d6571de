/* Whether an address is free, and who has it if not. */
#include "setup/preflight_port.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

enum { LISTENING = 0x0a }; /* TCP_LISTEN, as /proc/net/tcp has it */

static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };

static unsigned port_of(const struct address *address)
{
	/* at the same place in both families */
	return ntohs(((const struct sockaddr_in *)(const void *)&address->socket)->sin_port);
}

static bool has_socket(pid_t pid, unsigned long inode)
{
	scoped(free_ptr) char *folder = xasprintf("/proc/%d/fd", (int)pid);
	scoped(free_ptr) char *wanted = xasprintf("socket:[%lu]", inode);
	DIR *fds = opendir(folder);
	char name[64];
	bool found = false;

	if (fds == NULL)
		return errno == EACCES; /* another user's: it is believed to be the one */
	for (struct dirent *fd; !found && (fd = readdir(fds)) != NULL;) {
		ssize_t n = readlinkat(dirfd(fds), fd->d_name, name, sizeof(name) - 1);

		found = n > 0 && slice_is((struct slice){ name, (size_t)n }, wanted);
	}
	closedir(fds);
	return found;
}

/* Is every socket that listens on that port the process's own? What cannot be read says nothing against it. */
static bool has_port(pid_t pid, unsigned port)
{
	char line[512];
	bool all = true;

	for (size_t i = 0; i < length_of(tables); i++) {
		FILE *table = fopen(tables[i], "re");

		while (table != NULL && fgets(line, sizeof(line), table) != NULL) {
			unsigned local, state;
			unsigned long inode;

			if (sscanf(line, " %*d: %*[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %lu",
				   &local, &state, &inode) == 3 &&
			    local == port && state == LISTENING)
				all = all && has_socket(pid, inode);
		}
		if (table != NULL)
			fclose(table);
	}
	return all;
}

/* Before a start, systemd may be what listens there, to hand the socket to the service: who it is, nobody may see from
 * here, and the start itself will tell.
 */
static bool is_run_by_manager(void)
{
	uint64_t process;

	return slice_to_u64(slice_of(getenv("SYSTEMD_EXEC_PID")), INT32_MAX, &process) &&
	       process == (uint64_t)getpid();
}

static int refuse(const char *listen, int number, struct err *err)
{
	static const struct {
		int number;
		const char *what_is_right;
	} rows[] = {
		{ EADDRINUSE,
		  "another program listens there (ss -ltnp tells which): end it, or choose "
		  "another port" },
		{ EADDRNOTAVAIL, "this machine has no such address: choose one that \"ip address\" "
				 "shows" },
		{ EACCES,
		  "ports below 1024 are not for this user: choose a higher one, or give the "
		  "service AmbientCapabilities=CAP_NET_BIND_SERVICE" },
	};
	const char *what_is_right = "choose another address";

	for (size_t i = 0; i < length_of(rows); i++)
		if (rows[i].number == number)
			what_is_right = rows[i].what_is_right;
	return err_set(err, ERR_HALT, "%s cannot be listened on (%s): %s", listen, strerror(number),
		       what_is_right);
}

/* 0, or errno. */
static int try_to_bind(const struct address *address)
{
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), number = 0;

	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (const struct sockaddr *)&address->socket, address->bytes) < 0)
		number = errno;
	close(fd);
	return number;
}

int preflight_port(const char *listen, pid_t owner, enum preflight_port *ret_port, struct err *err)
{
	enum preflight_port port = PREFLIGHT_FREE;
	struct address address;
	int number;

	if (!address_parse(listen, &address))
		return err_set(err, ERR_HALT, "%s is not an address and a port", listen);
	number = try_to_bind(&address);
	if (number == EADDRINUSE && owner != 0 && has_port(owner, port_of(&address)))
		port = PREFLIGHT_OURS;
	else if (number == EADDRINUSE &&
		 (access(tables[0], R_OK) < 0 || (owner == 0 && is_run_by_manager())))
		port = PREFLIGHT_HIDDEN;
	else if (number != 0)
		return refuse(listen, number, err);
	*ret_port = port;
	return 0;
}

pid_t preflight_listener(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	socklen_t bytes = sizeof(peer);
	int fd = strlen(path) < sizeof(address.sun_path)
			 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
			 : -1;

	if (fd < 0)
		return 0;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0)
		peer.pid = 0;
	close(fd);
	return peer.pid;
}
