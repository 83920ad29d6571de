/* From a PDF to PDF/A-1b, in a confined child process. Any worker. */
#include "convert/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "convert/confine.h"
#include "document/pdf.h"

#define WORK_NAME "convert."

enum {
	FILE_MODE = 0600,
	/* what the child ends with when it cannot become Ghostscript, and before that */
	NOT_STARTED = 127,
	NOT_CONFINED = 126,
	MOST_SAID = 8 << 10, /* bytes of what it says: the last of them */
	LOOK_MS = 200,       /* whether anybody still wants it */
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
	if (!S_ISREG(found.st_mode) || (uint64_t)found.st_size > most) {
		errno = S_ISREG(found.st_mode) ? EFBIG : EINVAL;
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
	/* without waiting for whoever should write into a pipe */
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
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

void convert_clean(const char *folder)
{
	scoped(free_ptr) char *pattern = xasprintf("%s/" WORK_NAME "[A-Za-z0-9]*", folder);
	glob_t found = { 0 };

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			remove_tree(found.gl_pathv[i]);
	globfree(&found);
}

/* ---- the child: between fork() and exec, only what a signal handler may call ---- */

static void set_streams(int said)
{
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(said, 1);
	dup2(said, 2);
	close_range(3, ~0U, 0);
}

static void become_ghostscript(const struct work *work, int said)
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
	const struct convert_settings *settings = work->settings;
	const struct confine_settings limits = {
		.program = settings->converter,
		.seconds = (uint64_t)settings->timeout_ms / 1000 + 1,
		.most_memory_bytes = settings->most_memory_bytes,
		.most_output_bytes = settings->most_output_bytes,
		.needs_isolation = settings->needs_isolation,
	};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fchdir(work->folder) == 0) {
		set_streams(said);
		if (confine(&limits) < 0)
			_exit(NOT_CONFINED);
		execve(settings->converter, (char *const *)(uintptr_t)arguments,
		       (char *const *)(uintptr_t)environment);
	}
	_exit(NOT_STARTED);
}

/* ---- what came of it ---- */

struct child {
	pid_t pid;
	int said;             /* to read what it says */
	struct buf said_last; /* which may be the patient's: only searched, for words of its own */
	int status;
	struct rusage used;
};

static void child_done(struct child *child)
{
	buf_done(&child->said_last);
}

/* Some of what it says; the older half goes when there is too much. */
static void hear(struct child *child)
{
	char *room = buf_reserve(&child->said_last, MOST_SAID);
	ssize_t n = read(child->said, room, MOST_SAID);

	if (n <= 0) {
		child->said = -1; /* poll() passes over it */
		return;
	}
	child->said_last.n += (size_t)n;
	if (child->said_last.n > MOST_SAID)
		buf_drop(&child->said_last, child->said_last.n - MOST_SAID);
}

static bool is_given_up(const struct convert_settings *settings)
{
	return settings->ends != NULL && atomic_load(settings->ends);
}

/* 1: it has ended; 0: its time had; -1: it cannot be watched, or nobody wants it any more, which is no
 * fault of the PDF.
 */
static int wait_for(struct child *child, const struct convert_settings *settings)
{
	struct pollfd ends[] = { { .fd = pidfd_open(child->pid, 0), .events = POLLIN },
				 { .events = POLLIN } };
	const int64_t until_ms = clock_monotonic_ms() + settings->timeout_ms;
	int64_t left_ms = settings->timeout_ms;
	bool given_up = false;

	if (ends[0].fd < 0)
		return -1;
	while (left_ms > 0 && ends[0].revents == 0 && !given_up) {
		ends[1].fd = child->said;
		ends[1].revents = 0;
		(void)!poll(ends, length_of(ends), (int)min(left_ms, (int64_t)LOOK_MS));
		if (ends[1].revents != 0)
			hear(child);
		left_ms = until_ms - clock_monotonic_ms();
		given_up = is_given_up(settings);
	}
	close(ends[0].fd);
	return ends[0].revents != 0 ? 1 : given_up ? -1 : 0;
}

static int refuse(struct err *err, const char *why)
{
	return err_refuse(err, REASON_PDF_NOT_PDFA, "",
			  "the PDF is not PDF/A-1, and could not be converted: %s", why);
}

/* What stands behind the last `words` in what it said, up to a blank or the end of the line. */
static struct slice said_after(const struct child *child, const char *words, const char *end)
{
	const char *text = child->said_last.p, *found = NULL, *next;

	for (next = text ? strstr(text, words) : NULL; next != NULL; next = strstr(next, words))
		found = next += strlen(words);
	return found ? (struct slice){ found, strcspn(found, end) } : (struct slice){ 0 };
}

/* The disk was full, or is broken: Ghostscript tells the system's own words. */
static const char *machine_trouble(const struct child *child)
{
	static const int errors[] = { ENOSPC, EDQUOT, EROFS, EIO, ENFILE };
	const struct slice error = said_after(child, "Last OS error: ", "\r\n");

	for (size_t i = 0; i < length_of(errors); i++)
		if (slice_is(error, strerrordesc_np(errors[i])))
			return strerrordesc_np(errors[i]);
	return NULL;
}

/* "syntaxerror": a name of PostScript's, which has letters only. */
static int refuse_named(const struct child *child, struct err *err)
{
	const struct slice name = said_after(child, "Error: /", " \r\n");
	scoped(free_ptr) char *why = NULL;

	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] | 0x20) >= 'a' && (name.p[i] | 0x20) <= 'z') || name.n > 32)
			return refuse(err, "Ghostscript cannot read it");
	/* Its own limit: a machine without memory does not say no, it kills. */
	if (slice_is(name, "VMerror"))
		return refuse(err, "it needs more memory than pdf.max_memory");
	why = xasprintf("Ghostscript cannot read it%s%.*s%s", name.n ? " (" : "", (int)name.n,
			name.n ? name.p : "", name.n ? ")" : "");
	return refuse(err, why);
}

static int judge_signal(const struct work *work, const struct child *child, struct err *err)
{
	const int signal = WTERMSIG(child->status);
	const int64_t used_ms =
		(child->used.ru_utime.tv_sec + child->used.ru_stime.tv_sec) * INT64_C(1000);

	if (signal == SIGXFSZ)
		return refuse(err, "the result is larger than pdf.max_output");
	if (signal == SIGXCPU || used_ms > work->settings->timeout_ms)
		return refuse(err, "it took longer than pdf.timeout");
	if (signal == SIGKILL) /* not ours, and no program's own */
		return err_set(
			err, ERR_RETRY,
			"to convert a PDF, Ghostscript was killed: it seems that the machine, "
			"or the limit of the service, had no memory left (pdf.max_memory)");
	if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT)
		return err_set(err, ERR_RETRY,
			       "to convert a PDF, Ghostscript was asked to stop (SIG%s), as all is "
			       "when the service stops",
			       sigabbrev_np(signal));
	return refuse(err, "Ghostscript fails on it");
}

static int judge_end(const struct work *work, const struct child *child, struct err *err)
{
	const char *trouble;

	if (WIFSIGNALED(child->status))
		return judge_signal(work, child, err);
	switch (WEXITSTATUS(child->status)) {
	case 0:
		return 0;
	case NOT_STARTED:
		return err_set(
			err, ERR_HALT,
			"the PDF converter %s cannot be run: install ghostscript, or name "
			"another in pdf.converter, or give it more in pdf.max_memory, or see "
			"pdf.when_not_pdfa",
			work->settings->converter);
	case NOT_CONFINED:
		return err_set(err, ERR_HALT,
			       "the PDF converter cannot be kept from the network, or within its "
			       "limits, on this system: see pdf.isolation");
	}
	trouble = machine_trouble(child);
	if (trouble != NULL)
		return err_set(err, ERR_RETRY, "to convert a PDF, %s cannot be written: %s",
			       work->settings->folder, trouble);
	return refuse_named(child, err);
}

/* Until it has ended, one way or another. 1: by itself; 0: its time had come; -1: nobody watched. */
static int see_it_end(struct child *child, const struct convert_settings *settings, struct err *err)
{
	const int said = child->said, ended = wait_for(child, settings);

	if (ended < 0 && is_given_up(settings))
		err_set(err, ERR_RETRY, "to convert a PDF there is no time: the gateway stops");
	else if (ended < 0)
		cannot(err, "its process cannot be watched");
	if (ended <= 0)
		kill(child->pid, SIGKILL);
	while (wait4(child->pid, &child->status, 0, &child->used) < 0 && errno == EINTR)
		;
	while (child->said >= 0 && ended > 0)
		hear(child);
	buf_add_char(&child->said_last, '\0');
	close(said);
	return ended;
}

static int run(const struct work *work, struct err *err)
{
	scoped(child_done) struct child child = { .status = 0 };
	int said[2], ended;

	if (pipe2(said, O_CLOEXEC) < 0)
		return cannot(err, "no pipe can be made");
	(void)!fcntl(said[0], F_SETFL, O_NONBLOCK);
	child.said = said[0];
	child.pid = fork();
	if (child.pid == 0)
		become_ghostscript(work, said[1]);
	close(said[1]);
	if (child.pid < 0) {
		cannot(err, "no process can be started");
		close(said[0]);
		return -1;
	}
	ended = see_it_end(&child, work->settings, err);
	if (ended <= 0)
		return ended < 0 ? -1 : refuse(err, "it took longer than pdf.timeout");
	return judge_end(work, &child, err);
}

static int read_result(const struct work *work, struct buf *ret_pdfa, struct err *err)
{
	const uint64_t most = work->settings->most_output_bytes;

	if (read_file(work->folder, "out.pdf", (size_t)most, ret_pdfa) == 0)
		return 0;
	return errno == ENOENT || errno == ELOOP || errno == EFBIG || errno == EINVAL
		       ? refuse(err, "Ghostscript made nothing of it")
		       : cannot(err, "what was made of it cannot be read");
}

int convert_to_pdfa(const struct convert_settings *settings, struct slice pdf, struct buf *ret_pdfa,
		    struct err *err)
{
	scoped(work_done) struct work work = { .settings = settings, .folder = -1 };
	scoped(buf_done) struct buf pdfa = { 0 };
	struct pdf found;

	if (is_given_up(settings))
		return err_set(err, ERR_RETRY,
			       "to convert a PDF there is no time: the gateway stops");
	if (work_open(&work, pdf, err) < 0 || run(&work, err) < 0 ||
	    read_result(&work, &pdfa, err) < 0)
		return -1;
	found = pdf_look(buf_slice(&pdfa));
	if (!pdf_begins(buf_slice(&pdfa)) || !pdf_is_pdfa_1(&found))
		return refuse(err, "what Ghostscript made of it is not PDF/A-1 either");
	*ret_pdfa = pdfa;
	pdfa = (struct buf){ 0 };
	return 0;
}
