/* What the programs of the bench share: a clock, an end, a socket, quantiles. They measure the
 * gateway from outside, and so have nothing of it but, in build.c, what they measure.
 */
#ifndef DMPFEED_BENCH_H
#define DMPFEED_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Every document of the bench carries this number where its own goes: in the id of the document,
 * of its set, of the message. Twelve digits of a CDA that begin at a multiple of three are sixteen
 * characters of Base64, whatever stands around them.
 */
#define BENCH_MARKER "777777777777"
#define BENCH_ARC "1.2.250.1.999.1.9."

enum { BENCH_DIGITS = sizeof(BENCH_MARKER) - 1 };

int64_t bench_now_ns(void); /* monotonic: the same for every process of the machine */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
long bench_number(const char *text); /* of the command line */
void *bench_alloc(size_t count, size_t size);
char *bench_read_file(const char *path, size_t *ret_n); /* ended by NUL */

/* On the loopback; not blocking. Listening, on any port if it is 0, prints {"port": N}, the sign that it is ready. */
int bench_listen(long port);
int bench_connect(int port);
int bench_epoll(void);
void bench_watch(int epoll, int fd, uint32_t events, void *what);

/* Sorts; q from 0 to 1. */
double bench_quantile(double *values, size_t count, double q);

#endif
