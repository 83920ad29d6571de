/* What the programs of the bench share. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

long bench_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number < 0)
		bench_die("%s is not a number", text);
	return number;
}

void *bench_alloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL)
		bench_die("out of memory");
	return p;
}

char *bench_read_file(const char *path, size_t *ret_n)
{
	FILE *file = fopen(path, "re");
	char *bytes;
	long n;

	if (file == NULL || fseek(file, 0, SEEK_END) < 0 || (n = ftell(file)) < 0)
		bench_die("%s: %s", path, strerror(errno));
	rewind(file);
	bytes = bench_alloc((size_t)n + 1, 1);
	*ret_n = fread(bytes, 1, (size_t)n, file);
	fclose(file);
	return bytes;
}

static int tcp_socket(void)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		bench_die("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		   sizeof(on)); /* inherited by what it accepts */
	return fd;
}

int bench_listen(long port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);
	int fd = tcp_socket();

	if (bind(fd, (struct sockaddr *)&address, n) < 0 || listen(fd, 1024) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		bench_die("listen: %s", strerror(errno));
	printf("{\"port\": %d}\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int bench_connect(int port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = tcp_socket();

	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
	    errno != EINPROGRESS)
		bench_die("connect to port %d: %s", port, strerror(errno));
	return fd;
}

int bench_epoll(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		bench_die("epoll: %s", strerror(errno));
	return epoll;
}

void bench_watch(int epoll, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0 &&
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		bench_die("epoll: %s", strerror(errno));
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_quantile(double *values, size_t count, double q)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), compare);
	return values[(size_t)(q * (double)(count - 1))];
}
