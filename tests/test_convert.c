/* The converter's confinement, with programs of our own in Ghostscript's place, and Ghostscript
 * itself where it is installed.
 */
#include "sample.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "convert/confine.h"
#include "convert/convert.h"
#include "document/pdf.h"

#define GHOSTSCRIPT "/usr/bin/gs"
#define PROFILE "/usr/share/color/icc/ghostscript/srgb.icc"

struct world {
	char path[64], program[96], profile[96], work[96];
	struct convert_settings settings;
	struct buf pdf, pdfa;
	struct err err;
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	strcpy(world->path, "/tmp/test_convert.XXXXXX");
	assert_non_null(mkdtemp(world->path));
	snprintf(world->program, sizeof(world->program), "%s/program", world->path);
	snprintf(world->profile, sizeof(world->profile), "%s/profile", world->path);
	snprintf(world->work, sizeof(world->work), "%s/work", world->path);
	assert_int_equal(mkdir(world->work, 0700), 0);
	write_file(world->profile, "a profile", 0600);
	world->settings = (struct convert_settings){
		.converter = world->program,
		.icc = world->profile,
		.folder = world->work,
		.timeout_ms = 20000,
		.most_memory_bytes = 1 << 30,
		.most_output_bytes = 1 << 20,
	};
	sample_read("pair/letter.pdf", &world->pdf);
	*state = world;
	return 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

static int tear_down(void **state)
{
	struct world *world = *state;

	nftw(world->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	buf_done(&world->pdf);
	buf_done(&world->pdfa);
	free(world);
	return 0;
}

static int convert(struct world *world)
{
	return convert_to_pdfa(&world->settings, buf_slice(&world->pdf), &world->pdfa, &world->err);
}

/* With this script in Ghostscript's place. */
static int convert_with(struct world *world, const char *script)
{
	scoped(free_ptr) char *text = xasprintf("#!/bin/sh\n%s\n", script);

	write_file(world->program, text, 0700);
	return convert(world);
}

static void assert_refused(const struct world *world, const char *words)
{
	assert_int_equal(world->err.kind, ERR_REJECT);
	assert_int_equal(world->err.reason, REASON_PDF_NOT_PDFA);
	if (strstr(world->err.text, words) == NULL)
		fail_msg("%s", world->err.text);
}

static void assert_nothing_left(const struct world *world)
{
	DIR *folder = opendir(world->work);
	size_t n = 0;

	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	assert_int_equal(n, 2); /* . and .. */
}

/* What a script makes when it is content. */
#define GOOD                                                                                       \
	"printf '%%PDF-1.4\\n1 0 obj\\n<< /Metadata 2 0 R >>\\nendobj\\n2 0 obj\\n<< /Subtype "    \
	"/XML >>\\nstream\\n<x pdfaid:part=\"1\" "                                                 \
	"pdfaid:conformance=\"B\"/>\\nendstream\\ntrailer\\n<< /Root 1 0 R >>\\n' > out.pdf"

static void what_the_program_makes_is_taken(void **state)
{
	struct world *world = *state;

	if (convert_with(world, GOOD) < 0)
		fail_msg("%s", world->err.text);
	assert_true(pdf_begins(buf_slice(&world->pdfa)));
	assert_nothing_left(world);
}

/* Each is checked by the script itself, which fails where it is not so. It may start no process,
 * so it is all built-in commands.
 */
static void the_program_finds_little_to_work_with(void **state)
{
	static const struct {
		const char *what, *script;
	} rows[] = {
		{ "its files", "set -- *\n[ \"$*\" = 'in.pdf profile.icc prologue.ps' ]" },
		{ "its environment", "[ -z \"$DMPFEED_SOURCE$LOGNAME$USER\" ] && "
				     "[ \"$PATH\" = /usr/bin:/bin ] && [ \"$HOME\" = . ]" },
		{ "no open files", /* 10: the script itself */
		  "for fd in 3 4 5 6 7 8 9 11 12 13 14 15 16 17 18 19 20; do "
		  "if [ -e /proc/$$/fd/$fd ]; then exit 9; fi; done" },
		{ "no new rights", "while read -r name value; do "
				   "if [ \"$name\" = NoNewPrivs: ]; then break; fi; "
				   "done < /proc/self/status; [ \"$value\" = 1 ]" },
		{ "limits", "while read -r line; do set -- $line; case $line in "
			    "'Max cpu time'*) [ $4 = 21 ] || exit 9;; "
			    "'Max file size'*) [ $4 = 1048576 ] || exit 9;; "
			    "'Max address space'*) [ $4 = 1073741824 ] || exit 9;; "
			    "'Max processes'*) [ $3 = 0 ] || exit 9;; "
			    "'Max core file size'*) [ $5 -le 1 ] || exit 9;; "
			    "'Max open files'*) [ $4 = 64 ] || exit 9;; "
			    "esac; done < /proc/self/limits" },
		{ "-dSAFER", "case \" $* \" in *' -dSAFER '*) ;; *) exit 9; esac" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(free_ptr) char *script =
			xasprintf("{ %s; } || exit 9\n%s", rows[i].script, GOOD);

		if (convert_with(world, script) < 0)
			fail_msg("%s: %s", rows[i].what, world->err.text);
		buf_done(&world->pdfa);
	}
}

/* By the filter: nothing at all; by namespaces, where an ordinary process may have them: none but its own
 * loopback.
 */
static void the_program_has_no_network(void **state)
{
	struct world *world = *state;
	const int gaps = confine_probe();

	assert_true(gaps >= 0);
	world->settings.needs_isolation = true;
	if (gaps & CONFINE_NO_NAMESPACES)
		print_message("not looked at: no user namespaces here\n");
	else if (convert_with(
			 world,
			 "while read -r name rest; do case $name in "
			 "Inter-*|face*|lo:) ;; *) exit 9; esac; done < /proc/net/dev\n" GOOD) < 0)
		fail_msg("%s", world->err.text);
	if (gaps & CONFINE_NO_FILTER) {
		print_message("not looked at: no filter of system calls here\n");
		return;
	}
	buf_done(&world->pdfa);
	if (convert_with(world, "exec /usr/bin/python3 -c '\n"
				"import os, shutil, socket, sys\n"
				"for kind in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):\n"
				"    try: socket.socket(kind); sys.exit(9)\n"
				"    except PermissionError: pass\n"
				"try: os.kill(os.getppid(), 0); sys.exit(9)\n"
				"except PermissionError: pass\n"
				"os.kill(os.getpid(), 0)\n"
				"open(\"out.pdf\", \"wb\").write(b\"not a PDF\")'") < 0)
		assert_refused(world, "is not PDF/A-1 either");
	else
		fail_msg("it is no PDF");
}

static void what_is_not_its_own_it_neither_reads_nor_changes(void **state)
{
	struct world *world = *state;

	if (confine_probe() & (CONFINE_NO_LANDLOCK | CONFINE_NO_FILTER)) {
		print_message("not looked at: no Landlock here, or no filter of system calls\n");
		return;
	}
	if (convert_with(world, "exec /usr/bin/python3 -c '\n"
				"import os, sys\n"
				"other = \"../../profile\"\n"
				"os.stat(other)\n"
				"for attempt in (lambda: open(\"/etc/passwd\"),\n"
				"                lambda: open(other),\n"
				"                lambda: open(other, \"a\"),\n"
				"                lambda: open(\"../planted\", \"w\"),\n"
				"                lambda: os.truncate(other, 0),\n"
				"                lambda: os.chmod(other, 0o644),\n"
				"                lambda: os.chown(other, -1, os.getgid()),\n"
				"                lambda: os.setxattr(other, \"user.x\", b\"\"),\n"
				"                lambda: os.unlink(other),\n"
				"                lambda: os.rename(other, \"mine\"),\n"
				"                lambda: open(f\"/proc/{os.getppid()}/mem\")):\n"
				"    try: attempt(); sys.exit(9)\n"
				"    except PermissionError: pass\n"
				"open(\"out.pdf\", \"wb\").write(b\"not a PDF\")'") < 0)
		assert_refused(world, "is not PDF/A-1 either");
	else
		fail_msg("it is no PDF");
}

static void a_program_that_does_not_end_is_ended(void **state)
{
	struct world *world = *state;
	const int64_t start_ms = clock_monotonic_ms();

	world->settings.timeout_ms = 300;
	assert_int_equal(convert_with(world, "exec sleep 1000"), -1);
	assert_true(clock_monotonic_ms() - start_ms < 15000);
	assert_refused(world, "longer than pdf.timeout");
	assert_nothing_left(world);
}

static void nobody_waits_for_a_program_when_the_gateway_ends(void **state)
{
	struct world *world = *state;
	const int64_t start_ms = clock_monotonic_ms();
	atomic_bool ends = true;

	world->settings.ends = &ends;
	assert_int_equal(convert_with(world, "exec sleep 1000"), -1);
	assert_int_equal(world->err.kind, ERR_RETRY);
	assert_true(clock_monotonic_ms() - start_ms < 15000);
	ends = false;
	if (convert_with(world, GOOD) < 0)
		fail_msg("%s", world->err.text);
}

static void a_program_that_makes_too_much_is_refused(void **state)
{
	struct world *world = *state;

	assert_int_equal(convert_with(world, "exec cat /dev/zero > out.pdf"), -1);
	assert_refused(world, "larger than pdf.max_output");
	assert_nothing_left(world);
}

/* Whoever opened a pipe would wait for its other end, and with it all that is to be converted. */
static void what_is_made_is_a_file_or_nothing(void **state)
{
	static const char *const scripts[] = {
		"exec mkfifo out.pdf",
		"exec mkdir out.pdf",
		"exec ln -s in.pdf out.pdf",
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(scripts); i++) {
		assert_int_equal(convert_with(world, scripts[i]), -1);
		assert_refused(world, "Ghostscript made nothing of it");
		assert_nothing_left(world);
	}
}

static void a_program_that_fails_is_no_reason_to_try_again(void **state)
{
	struct world *world = *state;

	assert_int_equal(convert_with(world, "exit 1"), -1);
	assert_refused(world, "Ghostscript cannot read it");
}

/* Its words tell why; only those that are its own are told on. */
static void what_it_says_is_told_where_it_is_a_name(void **state)
{
	static const struct {
		const char *script, *words;
	} rows[] = {
		{ "echo 'Error: /rangecheck in --x--'; echo 'Error: /syntaxerror in --runpdf--'; "
		  "exit 1",
		  "cannot read it (syntaxerror)" },
		{ "echo 'Error: /VMerror in --x--'; exit 1", "more memory than pdf.max_memory" },
		{ "echo 'Error: /PAT-TROIS in --x--'; exit 1", "Ghostscript cannot read it" },
		{ "kill -SEGV $$", "Ghostscript fails on it" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(rows); i++) {
		assert_int_equal(convert_with(world, rows[i].script), -1);
		assert_refused(world, rows[i].words);
		assert_null(strstr(world->err.text, "PAT-TROIS"));
	}
}

/* Another time it will do. */
static void what_is_the_machines_fault_is_not_the_pdfs(void **state)
{
	static const struct {
		const char *script, *words;
	} rows[] = {
		{ "kill -KILL $$", "no memory left" },
		{ "kill -TERM $$", "asked to stop (SIGTERM)" },
		{ "echo 'Error: /ioerror in --showpage--' >&2; "
		  "echo 'Last OS error: No space left on device' >&2; exit 1",
		  "No space left on device" },
		{ "echo 'Last OS error: Disk quota exceeded'; exit 1", "Disk quota exceeded" },
		{ "echo 'Last OS error: Input/output error'; exit 1", "Input/output error" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(rows); i++) {
		assert_int_equal(convert_with(world, rows[i].script), -1);
		assert_int_equal(world->err.kind, ERR_RETRY);
		if (strstr(world->err.text, rows[i].words) == NULL)
			fail_msg("%s", world->err.text);
		assert_nothing_left(world);
	}
}

static void a_program_that_talks_without_end_is_heard_to_its_end(void **state)
{
	struct world *world = *state;

	assert_int_equal(convert_with(world, "n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); "
					     "echo 'some more of what nobody reads'; done; "
					     "echo 'Error: /VMerror in --x--'; exit 1"),
			 -1);
	assert_refused(world, "more memory than pdf.max_memory");
}

/* Whatever reads it when the machine has no memory left is the first to go. */
static void the_program_goes_first_when_memory_ends(void **state)
{
	struct world *world = *state;

	if (convert_with(world, "read -r score < /proc/self/oom_score_adj; [ $score = 1000 ] || "
				"exit 9\n" GOOD) < 0)
		fail_msg("%s", world->err.text);
}

static void a_program_that_makes_nothing_is_refused(void **state)
{
	struct world *world = *state;

	assert_int_equal(convert_with(world, "exit 0"), -1);
	assert_refused(world, "made nothing of it");
	assert_int_equal(convert_with(world, "exec ln -s /etc/passwd out.pdf"), -1);
	assert_refused(world, "made nothing of it");
}

static void what_the_program_makes_is_checked(void **state)
{
	struct world *world = *state;

	assert_int_equal(convert_with(world, "exec cp in.pdf out.pdf"), -1);
	assert_refused(world, "is not PDF/A-1 either");
}

static void a_program_that_is_not_there_stops_for_a_person(void **state)
{
	struct world *world = *state;

	assert_int_equal(convert(world), -1);
	assert_int_equal(world->err.kind, ERR_HALT);
	assert_non_null(strstr(world->err.text, "install ghostscript"));
	world->settings.icc = "/nonexistent";
	assert_int_equal(convert_with(world, GOOD), -1);
	assert_int_equal(world->err.kind, ERR_HALT);
	assert_non_null(strstr(world->err.text, "pdf.icc"));
	assert_nothing_left(world);
}

static void what_a_killed_process_left_is_cleaned(void **state)
{
	struct world *world = *state;
	scoped(free_ptr) char *folder = xasprintf("%s/convert.abc123", world->work);
	scoped(free_ptr) char *file = xasprintf("%s/in.pdf", folder);

	assert_int_equal(mkdir(folder, 0700), 0);
	write_file(file, "left", 0600);
	convert_clean(world->work);
	assert_nothing_left(world);
}

static void ghostscript_makes_a_pdfa(void **state)
{
	struct world *world = *state;
	struct pdf pdf;

	if (access(GHOSTSCRIPT, X_OK) < 0) {
		print_message("skipped: " GHOSTSCRIPT " is not installed\n");
		return;
	}
	world->settings.converter = GHOSTSCRIPT;
	world->settings.icc = PROFILE;
	if (convert(world) < 0)
		fail_msg("%s", world->err.text);
	pdf = pdf_look(buf_slice(&world->pdfa));
	assert_true(pdf_is_pdfa_1(&pdf));
	assert_nothing_left(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
		WITH_WORLD(what_the_program_makes_is_taken),
		WITH_WORLD(the_program_finds_little_to_work_with),
		WITH_WORLD(the_program_has_no_network),
		WITH_WORLD(what_is_not_its_own_it_neither_reads_nor_changes),
		WITH_WORLD(a_program_that_does_not_end_is_ended),
		WITH_WORLD(nobody_waits_for_a_program_when_the_gateway_ends),
		WITH_WORLD(a_program_that_makes_too_much_is_refused),
		WITH_WORLD(what_is_made_is_a_file_or_nothing),
		WITH_WORLD(a_program_that_fails_is_no_reason_to_try_again),
		WITH_WORLD(what_it_says_is_told_where_it_is_a_name),
		WITH_WORLD(what_is_the_machines_fault_is_not_the_pdfs),
		WITH_WORLD(a_program_that_talks_without_end_is_heard_to_its_end),
		WITH_WORLD(the_program_goes_first_when_memory_ends),
		WITH_WORLD(a_program_that_makes_nothing_is_refused),
		WITH_WORLD(what_the_program_makes_is_checked),
		WITH_WORLD(a_program_that_is_not_there_stops_for_a_person),
		WITH_WORLD(what_a_killed_process_left_is_cleaned),
		WITH_WORLD(ghostscript_makes_a_pdfa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
