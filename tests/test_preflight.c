/* What the machine allows, told with the place in the configuration that wants it, and what nobody looked at. */
#include "config_world.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/address.h"
#include "setup/preflight.h"
#include "setup/preflight_port.h"
#include "skip.h"

/* clang-format off */
static const char good[] =
/*  1 */ "environment: test\n"
/*  2 */ "valuesets: { dir: values }\n"
/*  3 */ "errors: { file: values/errors.csv }\n"
/*  4 */ "lps: { oid: 1.2.250.1.999.77 }\n"
/*  5 */ "state: { folder: state }\n"
/*  6 */ "control: { socket: control.sock }\n"
/*  7 */ "status: { listen: \"127.0.0.1:0\" }\n"
/*  8 */ "pdf: { converter: /bin/true, icc: number }\n"
/*  9 */ "intake:\n"
/* 10 */ "  mllp: [{ name: dpi, listen: \"127.0.0.1:0\", site: \"990012345\", source: DPI }]\n"
/* 11 */ "  drop: [{ name: labo, folder: labo, site: \"990012345\", source: LABO }]\n"
/* 12 */ "sources: [{ name: DPI, ack: { address: \"192.0.2.1:2576\" } }]\n"
/* 13 */ "establishments:\n"
/* 14 */ "  - finess_ej: \"990000987\"\n"
/* 15 */ "    name: CH DE VALBRUME\n"
/* 16 */ "    dmp:\n"
/* 17 */ "      url: { repository: https://dmp-test.example/repository }\n"
/* 18 */ "      tls: { ca: pki/ca.pem, cert: pki/auth.pem, key: pki/auth.key }\n"
/* 19 */ "      sign: { cert: pki/sign.pem, key: pki/sign.key, chain: pki/sign-chain.pem }\n"
/* 20 */ "    sites: [{ finess_eg: \"990012345\", name: CH DE VALBRUME, sector: SA01 }]\n";
/* clang-format on */

static int check(const char *text, struct buf *errors, struct buf *notes)
{
	scoped(config_free) struct config *config = must_parse(text);

	return preflight_check(config, errors, notes);
}

static void assert_passes(const char *text, struct buf *notes)
{
	scoped(buf_done) struct buf errors = { 0 };

	if (check(text, &errors, notes) < 0)
		fail_msg("%s", errors.p);
	assert_null(errors.p);
}

static void assert_told(const char *text, const char *place, const char *sentence)
{
	scoped(buf_done) struct buf errors = { 0 }, notes = { 0 };
	scoped(free_ptr) char *start = xasprintf("%s:%s: ", file, place);

	assert_int_equal(check(text, &errors, &notes), -1);
	if (!slice_starts(buf_slice(&errors), start) || strstr(errors.p, sentence) == NULL ||
	    strchr(errors.p, '\n') != errors.p + errors.n - 1)
		fail_msg("%s%s expected, in\n%s", start, sentence, errors.p);
}

static void what_nobody_looked_at_is_told(void **state)
{
	static const char *const lines[] = {
		("not checked: whether the DMP answers 990000987 at "
		 "https://dmp-test.example/repository, and knows its certificates\n"),
		"not checked: whether the source DPI answers at 192.0.2.1:2576\n",
		"not checked: whether the clock is right",
	};
	scoped(buf_done) struct buf notes = { 0 };

	(void)state;
	assert_passes(good, &notes);
	for (size_t i = 0; i < length_of(lines); i++)
		if (strstr(notes.p, lines[i]) == NULL)
			fail_msg("%s expected, in\n%s", lines[i], notes.p);
}

static void what_is_not_as_written_is_told_with_its_place(void **state)
{
	static const struct {
		const char *from, *to, *place, *sentence;
	} cases[] = {
		{ "folder: state", "folder: nowhere/state", "5:18", "state.folder: " },
		{ "folder: state", "folder: number", "5:18", "number is no folder" },
		{ "control.sock", "nowhere/control.sock", "6:20", "control.socket: " },
		{ "control.sock", "nowhere/control.sock", "6:20",
		  "(No such file or directory): make the folder" },
		{ "control.sock }", "control.sock, groups: { operate: nobody-has-it } }", "6:53",
		  "control.groups.operate: this machine has no group nobody-has-it: make it" },
		{ "/bin/true", "/nowhere/gs", "8:19", "install ghostscript" },
		{ "/bin/true", "number", "8:19", "cannot be run (Permission denied)" },
		{ "icc: number", "icc: nowhere", "8:35", "install libgs-common" },
		{ "\"127.0.0.1:0\" }",
		  "\"192.0.2.1:8690\", tls: { cert: pki/auth.pem, key: "
		  "pki/auth.key, client_ca: pki/ca.pem } }",
		  "7:19", "this machine has no such address" },
		{ "\"127.0.0.1:0\", site", "\"192.0.2.1:2575\", site", "10:31",
		  "listen: 192.0.2.1:2575 cannot be listened on (Cannot assign requested "
		  "address)" },
		{ "folder: labo", "folder: blocked", "11:32", "done is no folder" },
		{ "folder: labo", "folder: astray", "11:32",
		  "rejected is on another file system than its folder" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *text = replace(good, cases[i].from, cases[i].to);

		assert_told(text, cases[i].place, cases[i].sentence);
	}
}

static void several_are_told_at_once(void **state)
{
	scoped(free_ptr) char *one = replace(good, "/bin/true", "/nowhere/gs");
	scoped(free_ptr) char *text = replace(one, "folder: labo", "folder: blocked");
	scoped(buf_done) struct buf errors = { 0 }, notes = { 0 };

	(void)state;
	assert_int_equal(check(text, &errors, &notes), -1);
	assert_non_null(strstr(errors.p, "no folder"));
	assert_non_null(strstr(errors.p, "ghostscript"));
}

static void where_nothing_is_converted_no_converter_is_wanted(void **state)
{
	scoped(free_ptr) char *one = replace(good, "/bin/true", "/nowhere/gs");
	scoped(free_ptr) char *text = replace(one, "pdf: {", "pdf: { when_not_pdfa: refuse,");
	scoped(buf_done) struct buf notes = { 0 };

	(void)state;
	assert_passes(text, &notes);
}

static void what_the_unit_makes_need_not_be_there(void **state)
{
	scoped(free_ptr) char *text = replace(good, "control: { socket: control.sock }\n", "");
	scoped(buf_done) struct buf notes = { 0 };

	(void)state;
	if (access("/run/dmpfeed", F_OK) == 0)
		skip_because("the service runs on this machine");
	assert_passes(text, &notes);
	assert_non_null(strstr(notes.p, "not checked: /run/dmpfeed, which the unit makes"));
}

/* ---- ports ---- */

static int listen_on(int family, const char *ip, char ret_text[static ADDRESS_TEXT])
{
	scoped(free_ptr) char *text = xasprintf(family == AF_INET ? "%s:0" : "[%s]:0", ip);
	struct address address;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(address_parse(text, &address));
	assert_int_equal(bind(fd, (struct sockaddr *)&address.socket, address.bytes), 0);
	assert_int_equal(listen(fd, 1), 0);
	address_of_socket(fd, ret_text);
	return fd;
}

static int listen_on_path(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void a_port_in_use_is_told_unless_the_daemon_has_it(void **state)
{
	char taken[ADDRESS_TEXT];
	int fd = listen_on(AF_INET, "127.0.0.1", taken), control;
	scoped(free_ptr) char *listen = xasprintf("\"%s\", site", taken);
	scoped(free_ptr) char *text = replace(good, "\"127.0.0.1:0\", site", listen);
	scoped(free_ptr) char *socket_path = xasprintf("%s/control.sock", folder);
	scoped(free_ptr) char *note = NULL;
	scoped(buf_done) struct buf notes = { 0 };

	(void)state;
	assert_told(text, "10:31", "another program listens there");

	/* this process plays the daemon that runs */
	control = listen_on_path("control.sock");
	assert_int_equal(preflight_listener(socket_path), getpid());
	note = xasprintf("not checked: whether %s is free, for the dmpfeedd that runs (%d) listens "
			 "there\n",
			 taken, (int)getpid());
	assert_passes(text, &notes);
	assert_non_null(strstr(notes.p, note));
	close(control);
	assert_int_equal(preflight_listener(socket_path), 0);
	assert_int_equal(unlink(socket_path), 0);
	close(fd);
}

static void the_port_of_another_process_is_not_the_daemons(void **state)
{
	char taken[ADDRESS_TEXT];
	int fd = listen_on(AF_INET, "127.0.0.1", taken), pipe_fds[2];
	enum preflight_port port = PREFLIGHT_FREE;
	struct err err = { 0 };
	pid_t other;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	other = fork();
	if (other == 0) { /* it has none of our sockets, and waits until we are done */
		char byte;

		close(fd);
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1) < 0);
	}
	close(pipe_fds[0]);
	assert_int_equal(preflight_port(taken, getpid(), &port, &err), 0);
	assert_int_equal(port, PREFLIGHT_OURS);
	/* the child may not have closed its copy yet: a socket of the parent's own decides */
	{
		char later[ADDRESS_TEXT];
		int own = listen_on(AF_INET, "127.0.0.1", later);

		assert_int_equal(preflight_port(later, other, &port, &err), -1);
		assert_non_null(strstr(err.text, "another program listens there"));
		close(own);
	}
	close(pipe_fds[1]);
	assert_int_equal(waitpid(other, NULL, 0), other);
	close(fd);
}

/* ---- as whom ---- */

/* In a process of its own, which ends with 0 when all is as it should be. */
static int in_a_process(int (*work)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(work());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum { CANNOT = 77 };

static int look_without_proc(void)
{
	char taken[ADDRESS_TEXT];
	int fd = listen_on(AF_INET, "127.0.0.1", taken);
	enum preflight_port port = PREFLIGHT_FREE;
	struct err err = { 0 };

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		return CANNOT;
	if (preflight_port(taken, 0, &port, &err) < 0)
		return 1;
	close(fd);
	return port != PREFLIGHT_HIDDEN;
}

static void in_the_unit_a_port_that_systemd_may_keep_is_no_fault(void **state)
{
	int ended = in_a_process(look_without_proc);

	(void)state;
	if (ended == CANNOT)
		skip_because("only root may hide /proc, and not everywhere");
	assert_int_equal(ended, 0);
}

static int become_nobody(void)
{
	scoped(buf_done) struct buf notes = { 0 };
	struct err err = { 0 };

	if (preflight_become("nobody", file, &notes, &err) < 0 || geteuid() == 0 || setuid(0) == 0)
		return 1;
	return strcmp(notes.p, "checked as the user nobody\n") != 0;
}

static void root_looks_as_the_user_of_the_service(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become someone else");
	assert_int_equal(in_a_process(become_nobody), 0);
}

static void an_unknown_user_is_told(void **state)
{
	scoped(buf_done) struct buf notes = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(preflight_become("no-such-user", file, &notes, &err), -1);
	assert_string_equal(err.text, "there is no user no-such-user on this machine");
}

static void a_file_of_ones_own_is_looked_at_as_oneself(void **state)
{
	scoped(buf_done) struct buf notes = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(preflight_become(NULL, file, &notes, &err), 0);
	assert_non_null(strstr(notes.p, "not checked: whether the user dmpfeed may read"));
}

static void a_zone_that_is_not_that_of_paris_is_told(void **state)
{
	static const struct {
		const char *zone, *told; /* NULL: nothing */
	} rows[] = {
		{ "Europe/Paris", NULL },
		{ "Europe/Brussels", NULL },
		{ "UTC", "the zone of this machine (UTC, +0000) is not that of Paris" },
		{ "Africa/Algiers", "(CET, +0100) is not that of Paris" }, /* but in winter it is */
		{ "Indian/Reunion", "(+04, +0400) is not that of Paris" },
	};
	const char *kept = getenv("TZ");
	scoped(free_ptr) char *before = kept ? xstrdup(kept) : NULL;

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(buf_done) struct buf notes = { 0 };

		setenv("TZ", rows[i].zone, 1);
		assert_passes(good, &notes);
		if (rows[i].told == NULL)
			assert_null(strstr(notes.p, "the zone of this machine"));
		else if (strstr(notes.p, rows[i].told) == NULL ||
			 strstr(notes.p, "timedatectl set-timezone Europe/Paris") == NULL)
			fail_msg("%s expected, in\n%s", rows[i].told, notes.p);
	}
	if (before != NULL)
		setenv("TZ", before, 1);
	else
		unsetenv("TZ");
	tzset();
}

static int make_world(void **state)
{
	scoped(free_ptr) char *astray = NULL;

	if (make_everything(state) < 0)
		return -1;
	make_folder("blocked");
	make_file("blocked/done", "", 0600);
	make_folder("astray");
	astray = xasprintf("%s/astray/rejected", folder);
	return symlink("/proc", astray); /* a file system that is always another one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_looked_at_is_told),
		cmocka_unit_test(a_zone_that_is_not_that_of_paris_is_told),
		cmocka_unit_test(what_is_not_as_written_is_told_with_its_place),
		cmocka_unit_test(several_are_told_at_once),
		cmocka_unit_test(where_nothing_is_converted_no_converter_is_wanted),
		cmocka_unit_test(what_the_unit_makes_need_not_be_there),
		cmocka_unit_test(a_port_in_use_is_told_unless_the_daemon_has_it),
		cmocka_unit_test(the_port_of_another_process_is_not_the_daemons),
		cmocka_unit_test(in_the_unit_a_port_that_systemd_may_keep_is_no_fault),
		cmocka_unit_test(root_looks_as_the_user_of_the_service),
		cmocka_unit_test(an_unknown_user_is_told),
		cmocka_unit_test(a_file_of_ones_own_is_looked_at_as_oneself),
	};

	return cmocka_run_group_tests(tests, make_world, remove_everything);
}
