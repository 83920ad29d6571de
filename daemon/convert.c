/* From a PDF to PDF/A-1b, in a confined child process. Any worker. */
#include "convert.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "document/pdf.h"

#define WORK_NAME "convert."

enum {
	FILE_MODE = 0600,
	MOST_FILES = 64,   /* open in the child */
	NOT_STARTED = 127, /* what the child ends with when it cannot become Ghostscript */
};

/* What PDF/A wants to be told besides the pages: what its colours mean. (Ghostscript's own
 * PDFA_def.ps, without its title, which would be its own.) The profile is a copy in the work
 * folder.
 */
static const char prologue[] =
	"%!\n"
	"[/_objdef {icc} /type /stream /OBJ pdfmark\n"
	"[{icc} << /N 3 >> /PUT pdfmark\n"
	"[{icc} (profile.icc) (r) file /PUT pdfmark\n"
	"[/_objdef {intent} /type /dict /OBJ pdfmark\n"
	"[{intent} << /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile {icc}\n"
	"  /OutputConditionIdentifier (sRGB) >> /PUT pdfmark\n"
	"[{Catalog} << /OutputIntents [ {intent} ] >> /PUT pdfmark\n";

/* ---- the work folder ---- */

struct work {
	const struct convert_settings *settings;
	char path[PATH_MAX];
	int folder; /* -1: none */
};

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	(void)!remove(path);
	return 0;
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void work_done(struct work *work)
{
	if (work->folder < 0)
		return;
	close(work->folder);
	remove_tree(work->path);
}

static int cannot(struct err *err, const char *what)
{
	return err_set(err, ERR_RETRY, "to convert a PDF, %s: %s", what, strerrordesc_np(errno));
}

static int write_file(const struct work *work, const char *name, struct slice bytes,
		      struct err *err)
{
	int fd = openat(work->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	ssize_t n = 0;

	while (fd >= 0 && bytes.n > 0 && n >= 0) {
		n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			n = 0;
		bytes = slice_from(bytes, n > 0 ? (size_t)n : 0);
	}
	if (fd < 0 || n < 0)
		cannot(err, "a file cannot be written");
	if (fd >= 0)
		close(fd);
	return fd < 0 || n < 0 ? -1 : 0;
}

/* ENOENT and the like are for the caller to explain: errno tells. */
static int read_fd(int fd, size_t most, struct buf *ret_bytes)
{
	struct stat found;
	char *into;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &found) < 0)
		return -1;
	if ((uint64_t)found.st_size > most) {
		errno = EFBIG;
		return -1;
	}
	into = buf_reserve(ret_bytes, (size_t)found.st_size + 1);
	while (into != NULL && n > 0 && ret_bytes->n < (size_t)found.st_size) {
		n = read(fd, ret_bytes->p + ret_bytes->n, (size_t)found.st_size - ret_bytes->n);
		ret_bytes->n += n > 0 ? (size_t)n : 0;
	}
	return n < 0 || into == NULL ? -1 : 0;
}

static int read_file(int folder, const char *name, size_t most, struct buf *ret_bytes)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int done = read_fd(fd, most, ret_bytes), trouble = errno;

	if (fd >= 0)
		close(fd);
	errno = trouble;
	return done;
}

enum { MOST_PROFILE = 1 << 20 };

static int copy_profile(const struct work *work, struct err *err)
{
	scoped(buf_done) struct buf profile = { 0 };

	if (read_file(AT_FDCWD, work->settings->icc, MOST_PROFILE, &profile) < 0)
		return err_set(err, ERR_HALT,
			       "the colour profile %s cannot be read (%s): install libgs-common, "
			       "or name another in pdf.icc",
			       work->settings->icc, strerrordesc_np(errno));
	return write_file(work, "profile.icc", buf_slice(&profile), err);
}

static int work_open(struct work *work, struct slice pdf, struct err *err)
{
	snprintf(work->path, sizeof(work->path), "%s/" WORK_NAME "XXXXXX", work->settings->folder);
	if (mkdtemp(work->path) == NULL)
		return cannot(err, "a work folder cannot be made");
	work->folder = open(work->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (work->folder < 0)
		return cannot(err, "a work folder cannot be opened");
	if (write_file(work, "in.pdf", pdf, err) < 0 ||
	    write_file(work, "prologue.ps", slice_of(prologue), err) < 0)
		return -1;
	return copy_profile(work, err);
}

void convert_clean(const struct convert_settings *settings)
{
	scoped(free_ptr) char *pattern =
		xasprintf("%s/" WORK_NAME "[A-Za-z0-9]*", settings->folder);
	glob_t found = { 0 };

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			remove_tree(found.gl_pathv[i]);
	globfree(&found);
}

/* ---- the child ---- */

static void limit(int what, uint64_t most)
{
	const struct rlimit both = { most, most };

	(void)!setrlimit(what, &both);
}

/* Between fork() and exec: only what a signal handler may call, for other threads held locks. */
static void confine(const struct work *work)
{
	const struct convert_settings *settings = work->settings;
	const uint64_t seconds = (uint64_t)settings->timeout_ms / 1000 + 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)!unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
	limit(RLIMIT_CPU, seconds);
	limit(RLIMIT_AS, settings->most_memory_bytes);
	limit(RLIMIT_FSIZE, settings->most_output_bytes);
	limit(RLIMIT_NOFILE, MOST_FILES);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_CORE, 0);
}

static void set_streams(void)
{
	int nowhere = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= 2; fd++)
		dup2(nowhere, fd); /* what it says may be the patient's */
	close_range(3, ~0U, 0);
}

static void become_ghostscript(const struct work *work)
{
	static const char *const arguments[] = {
		"gs",
		"-dSAFER",
		"-dBATCH",
		"-dNOPAUSE",
		"-dQUIET",
		"-dPDFSTOPONERROR", /* or it makes an empty page of what it cannot read */
		"-dPDFA=1",
		"-dPDFACompatibilityPolicy=1",
		"-sDEVICE=pdfwrite",
		"-sColorConversionStrategy=RGB",
		"-sOutputFile=out.pdf",
		"--permit-file-read=profile.icc",
		"prologue.ps",
		"in.pdf",
		NULL,
	};
	static const char *const environment[] = { "PATH=/usr/bin:/bin", "TMPDIR=.", "HOME=.",
						   "LC_ALL=C.UTF-8", NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fchdir(work->folder) == 0) {
		set_streams();
		confine(work);
		execve(work->settings->converter, (char *const *)(uintptr_t)arguments,
		       (char *const *)(uintptr_t)environment);
	}
	_exit(NOT_STARTED);
}

/* 1: it has ended; 0: its time had; -1: it cannot be watched, which is no fault of the PDF. */
static int wait_for(pid_t child, int64_t timeout_ms)
{
	struct pollfd ended = { .fd = pidfd_open(child, 0), .events = POLLIN };
	const int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	int64_t left_ms = timeout_ms;
	int n = 0;

	if (ended.fd < 0)
		return -1;
	while (left_ms > 0 && n <= 0) {
		n = poll(&ended, 1, (int)min(left_ms, (int64_t)INT_MAX));
		left_ms = until_ms - clock_monotonic_ms();
	}
	close(ended.fd);
	return n > 0;
}

static int refuse(struct err *err, const char *why)
{
	return err_refuse(err, REASON_PDF_NOT_PDFA, "",
			  "the PDF is not PDF/A-1, and could not be converted: %s", why);
}

static int judge_end(const struct convert_settings *settings, int status, struct err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)
		return err_set(err, ERR_HALT,
			       "the PDF converter %s cannot be run: install ghostscript, or name "
			       "another in pdf.converter, or see pdf.when_not_pdfa",
			       settings->converter);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		return refuse(err, "the result is larger than pdf.max_output");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return refuse(err, "it took longer than pdf.timeout");
	return refuse(err, "Ghostscript cannot read it, or needs more than pdf.max_memory or "
			   "pdf.max_output");
}

static int run(const struct work *work, struct err *err)
{
	const pid_t child = fork();
	int ended, status = 0;

	if (child < 0)
		return cannot(err, "no process can be started");
	if (child == 0)
		become_ghostscript(work);
	ended = wait_for(child, work->settings->timeout_ms);
	if (ended < 0)
		cannot(err, "its process cannot be watched");
	if (ended <= 0)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (ended <= 0)
		return ended < 0 ? -1 : refuse(err, "it took longer than pdf.timeout");
	return judge_end(work->settings, status, err);
}

int convert_to_pdfa(const struct convert_settings *settings, struct slice pdf, struct buf *ret_pdfa,
		    struct err *err)
{
	scoped(work_done) struct work work = { .settings = settings, .folder = -1 };
	scoped(buf_done) struct buf pdfa = { 0 };
	struct pdf found;

	if (work_open(&work, pdf, err) < 0 || run(&work, err) < 0)
		return -1;
	if (read_file(work.folder, "out.pdf", (size_t)settings->most_output_bytes, &pdfa) < 0)
		return refuse(err, "Ghostscript made nothing of it");
	found = pdf_look(buf_slice(&pdfa));
	if (!pdf_begins(buf_slice(&pdfa)) || !pdf_is_pdfa_1(&found))
		return refuse(err, "what Ghostscript made of it is not PDF/A-1 either");
	*ret_pdfa = pdfa;
	pdfa = (struct buf){ 0 };
	return 0;
}
