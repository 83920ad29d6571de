/* The confinement of a child process. In that child, but for confine_probe(). */
#include "convert/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MOST_FILES = 64,  /* open */
	KILL_AFTER_S = 5, /* of processor time beyond its limit, which it is told of first */
	X32_CALLS = 0x40000000,
};

#if defined(__x86_64__)
#define OUR_CALLS AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_CALLS AUDIT_ARCH_AARCH64
#endif

/* ---- limits ---- */

static bool limit(int what, uint64_t most, uint64_t more)
{
	const struct rlimit both = { most, most + more };

	return setrlimit(what, &both) == 0;
}

static bool limit_all(const struct confine_settings *settings)
{
	return limit(RLIMIT_CPU, settings->seconds, KILL_AFTER_S) &&
	       limit(RLIMIT_AS, settings->most_memory_bytes, 0) &&
	       limit(RLIMIT_FSIZE, settings->most_output_bytes, 0) &&
	       limit(RLIMIT_NOFILE, MOST_FILES, 0) && limit(RLIMIT_NPROC, 0, 0) &&
	       (limit(RLIMIT_CORE, 1, 0) || limit(RLIMIT_CORE, 0, 0)); /* as the daemon's own */
}

/* The first to go when the machine has no memory left. */
static void stand_in_front(void)
{
	static const char most[] = "1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* then as the system has it */
	(void)!write(fd, most, sizeof(most) - 1);
	close(fd);
}

/* ---- the filter ---- */

#ifdef OUR_CALLS
enum { FCHMODAT2 = 452, SETXATTRAT = 463 }; /* younger than the headers of Debian 12 */

/* Sockets; whatever looks into or signals other processes of our account; and what changes a file of ours that it
 * may not open, of which Landlock knows nothing.
 */
static const uint32_t closed_calls[] = {
	SYS_socket,
	SYS_socketpair,
	SYS_io_uring_setup,
	SYS_ptrace,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	SYS_process_vm_readv,
	SYS_tkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_process_vm_writev,
	SYS_process_madvise,
	SYS_truncate,
	SYS_fchmodat,
	FCHMODAT2,
	SYS_fchownat,
	SYS_setxattr,
	SYS_lsetxattr,
	SETXATTRAT,
#ifdef SYS_chmod /* not on every processor */
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
#endif
};

/* Of itself only: the first argument is its own number. */
static const uint32_t own_calls[] = { SYS_kill, SYS_tgkill };

enum { MOST_STEPS = 8 + 2 * (length_of(closed_calls) + 4 * length_of(own_calls)) };

struct program {
	struct sock_filter steps[MOST_STEPS];
	unsigned short n;
};

static void add_step(struct program *program, struct sock_filter step)
{
	program->steps[program->n++] = step;
}

static void add_load(struct program *program, size_t at)
{
	add_step(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at));
}

static void add_answer(struct program *program, uint32_t answer)
{
	add_step(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

/* Steps passed over when what was loaded compares so, or not. */
static void add_test(struct program *program, unsigned short comparison, uint32_t with,
		     uint8_t when_so, uint8_t when_not)
{
	add_step(program,
		 (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | comparison | BPF_K), with,
					      when_so, when_not));
}

static void write_program(struct program *program, pid_t own)
{
	const uint32_t no = SECCOMP_RET_ERRNO | EPERM;

	add_load(program, offsetof(struct seccomp_data, arch));
	add_test(program, BPF_JEQ, OUR_CALLS, 1, 0);
	add_answer(program, no);
	add_load(program, offsetof(struct seccomp_data, nr));
	add_test(program, BPF_JGE, X32_CALLS, 0, 1);
	add_answer(program, no);
	for (size_t i = 0; i < length_of(closed_calls); i++) {
		add_test(program, BPF_JEQ, closed_calls[i], 0, 1);
		add_answer(program, no);
	}
	for (size_t i = 0; i < length_of(own_calls); i++) {
		add_test(program, BPF_JEQ, own_calls[i], 0, 4);
		add_load(program, offsetof(struct seccomp_data, args)); /* both are little-endian */
		add_test(program, BPF_JEQ, (uint32_t)own, 0, 1);
		add_answer(program, SECCOMP_RET_ALLOW);
		add_answer(program, no);
	}
	add_answer(program, SECCOMP_RET_ALLOW);
}

static bool filter_calls(void)
{
	struct program program = { .n = 0 };
	struct sock_fprog whole = { .filter = program.steps };

	write_program(&program, getpid());
	whole.len = program.n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0;
}
#else
static bool filter_calls(void)
{
	return false; /* nobody has written down this machine's numbers */
}
#endif

/* ---- the files ---- */

enum {
	MAY_READ = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
		   LANDLOCK_ACCESS_FS_READ_DIR,
	MAY_ALL = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) -
		  1, /* of the first version: its last is this one */
	OF_A_FILE = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_WRITE_FILE
};

static void allow(int rules, const char *path, uint64_t what)
{
	struct landlock_path_beneath_attr rule = { what, open(path, O_PATH | O_CLOEXEC) };
	struct stat found;

	if (rule.parent_fd < 0)
		return; /* not on this machine */
	if (fstat(rule.parent_fd, &found) == 0 && !S_ISDIR(found.st_mode))
		rule.allowed_access &= OF_A_FILE;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

/* Programs, what Debian's Ghostscript reads, and the work folder, which it stands in. */
static bool close_files(const char *program)
{
	static const char *const read[] = {
		"/usr",
		"/opt",
		"/bin",
		"/lib",
		"/lib64",
		"/etc/ld.so.cache",
		"/etc/ld.so.preload",
		"/etc/localtime",
		"/etc/fonts",
		"/etc/ghostscript",
		"/etc/papersize",
		"/var/lib/ghostscript",
		"/var/cache/fontconfig",
		"/dev/urandom",
		"/dev/zero",
		"/proc/self",
	};
	const struct landlock_ruleset_attr handled = { .handled_access_fs = MAY_ALL };
	const int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	bool closed;

	if (rules < 0)
		return false;
	for (size_t i = 0; i < length_of(read); i++)
		allow(rules, read[i], MAY_READ);
	allow(rules, program, MAY_READ);
	allow(rules, "/dev/null", MAY_ALL);
	allow(rules, ".", MAY_ALL & ~LANDLOCK_ACCESS_FS_EXECUTE);
	closed = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return closed;
}

/* ---- all of it ---- */

static int isolate(const char *program)
{
	const bool alone = unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0;
	const bool stays_so = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	const bool enclosed = stays_so && close_files(program);
	const bool filtered = stays_so && filter_calls();

	return (alone ? 0 : CONFINE_NO_NAMESPACES) | (filtered ? 0 : CONFINE_NO_FILTER) |
	       (enclosed ? 0 : CONFINE_NO_LANDLOCK);
}

bool confine_isolates(int gaps)
{
	const int network = CONFINE_NO_NAMESPACES | CONFINE_NO_FILTER;

	return (gaps & network) != network;
}

int confine(const struct confine_settings *settings)
{
	int gaps;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	stand_in_front();
	gaps = isolate(settings->program);
	if (!limit_all(settings) || (settings->needs_isolation && !confine_isolates(gaps)))
		return -1;
	return gaps;
}

int confine_probe(void)
{
	const pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(isolate("."));
	if (child < 0)
		return -1;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : CONFINE_OPEN;
}
