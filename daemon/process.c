/* This process, as the kernel sees it. */
#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double cpu_seconds(void)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) < 0)
		return 0;
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void look_at_memory(struct health_process *process)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long all = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file == NULL)
		return;
	if (fscanf(file, "%lu %lu", &all, &resident) == 2) {
		process->virtual_bytes = all * page;
		process->resident_bytes = resident * page;
	}
	fclose(file);
}

static uint64_t open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *found;
	uint64_t count = 0;

	if (folder == NULL)
		return 0;
	while ((found = readdir(folder)) != NULL)
		count += found->d_name[0] != '.';
	closedir(folder);
	return count - (count > 0); /* the folder's own */
}

void process_look(struct health_process *ret_process)
{
	struct rlimit files = { 0 };

	ret_process->cpu_s = cpu_seconds();
	look_at_memory(ret_process);
	ret_process->open_fds = open_descriptors();
	(void)!getrlimit(RLIMIT_NOFILE, &files);
	ret_process->most_fds = files.rlim_cur;
}
