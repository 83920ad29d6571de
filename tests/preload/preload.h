/* What the libraries that are preloaded into the daemon share: the C library's own function behind one
 * of theirs, the file behind a descriptor, and memory that a test writes into while the daemon runs.
 */
#ifndef DMPFEED_TESTS_PRELOAD_H
#define DMPFEED_TESTS_PRELOAD_H

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The function that the program would have called. ISO C has no cast from object to function. */
#define real(name)                                                                                 \
	({                                                                                         \
		static union {                                                                     \
			void *symbol;                                                              \
			__typeof__(&name) call;                                                    \
		} next;                                                                            \
		if (next.symbol == NULL)                                                           \
			next.symbol = dlsym(RTLD_NEXT, #name);                                     \
		next.call;                                                                         \
	})

/* The file that an environment variable names, shared with whoever else maps it; NULL when it names none. */
static inline void *shared_memory(const char *variable, size_t bytes)
{
	const char *path = getenv(variable);
	int fd = path ? real(open)(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory =
		fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

static inline bool path_of(int fd, char ret_path[static PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret_path, PATH_MAX - 1);
	ret_path[n > 0 ? n : 0] = '\0';
	return n > 0 && ret_path[0] == '/';
}

/* The path of `name` as the *at() calls take it. */
static inline bool path_at(int folder, const char *name, char ret_path[static PATH_MAX])
{
	char base[PATH_MAX];

	if (name[0] == '/')
		return snprintf(ret_path, PATH_MAX, "%s", name) < PATH_MAX;
	if (folder == AT_FDCWD ? getcwd(base, sizeof(base)) == NULL : !path_of(folder, base))
		return false;
	return snprintf(ret_path, PATH_MAX, "%s/%s", base, name) < PATH_MAX;
}

static inline bool is_under(const char *path, const char *folder)
{
	size_t n = folder ? strlen(folder) : 0;

	return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

#endif
