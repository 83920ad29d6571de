/* Preloaded, makes every sync slower: what a hospital's storage does.
 *
 * SLOW_FSYNC_US: by how much.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int slowly(const char *name, int fd)
{
	union {
		void *symbol;
		int (*call)(int);
	} real = { .symbol = dlsym(RTLD_NEXT, name) };
	const char *us = getenv("SLOW_FSYNC_US");
	long wait_us = us ? atol(us) : 0;

	nanosleep(&(struct timespec){ wait_us / 1000000, wait_us % 1000000 * 1000 }, NULL);
	return real.call(fd);
}

int fsync(int fd)
{
	return slowly("fsync", fd);
}

int fdatasync(int fd)
{
	return slowly("fdatasync", fd);
}
