/* dmpfeedd: start-up and shutdown, in order; nothing else. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inherited.h"
#include "base/journal.h"
#include "base/notify.h"
#include "board/board.h"
#include "crew/hands.h"
#include "heartbeat.h"
#include "memory.h"
#include "reload.h"
#include "setup/board_load.h"
#include "setup/check.h"
#include "setup/tables.h"
#include "versions.h"

enum {
	PATIENCE_MS = 10000,
	DISK_THREADS = 2,
	LARGE_BYTES = 256 << 10,
	KEPT_BYTES = 2 << 20,
	MOST_ARENAS = 4,
};

/* Everything that lives as long as the daemon. */
struct daemon {
	struct snapshot *first; /* what cannot change while it runs stands here */
	struct hands_settings hands, keeper_hands;
	struct store_settings keeper_store;
	atomic_bool ends; /* nothing long is worth waiting for any more */
	struct keyring *keyring;
	struct event_base *loop;
	struct mailbox *mailbox;
	struct event *mail;
	struct store *store;
	struct writer *writer;
	struct workers *workers, *disk, *converters, *keeper, *counter;
	struct pipeline *pipeline;
	struct watch *watch;
	struct board *board;
	struct operator_desk *desk;
	struct reload *reload;
	struct heartbeat *heartbeat;
	struct event *signals[3];
};

static void mail_came(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	mailbox_deliver(arg);
}

static void has_closed(void *arg)
{
	event_base_loopbreak(arg);
}

static void asked_to_stop(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)what;
	log_info("stopping signal=%s", sigabbrev_np((int)signal));
	notify_tell("STOPPING=1\nSTATUS=Stopping");
	heartbeat_stop(daemon->heartbeat);
	pipeline_close(daemon->pipeline, PATIENCE_MS, has_closed, daemon->loop);
}

static void asked_to_reload(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)signal;
	(void)what;
	reload_begin(daemon->reload, NULL);
}

/* The manager takes it for reloading only with the time at which it began. */
static void reload_begins(void *arg)
{
	(void)arg;
	notify_tell("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_ms() * 1000);
}

static void reload_ended(void *arg)
{
	(void)arg;
	notify_tell("READY=1");
}

static void reload_is_asked_for(void *arg, struct control_request *request)
{
	struct daemon *daemon = arg;

	reload_begin(daemon->reload, request);
}

static int read_config(struct daemon *daemon, const char *file)
{
	scoped(buf_done) struct buf errors = { 0 };

	if (snapshot_new(&daemon->first, file, &errors) == 0)
		return 0;
	fprintf(stderr, "%s", errors.p ? errors.p : "");
	return -1;
}

/* The queue, with what this node was sending when it died put back. */
static int open_queue(struct daemon *daemon, struct store_counts *ret_counts, struct err *err)
{
	const struct config *config = daemon->first->config;
	bool is_new = access(config->store.path, F_OK) < 0;
	struct store_recovered recovered = { 0 };

	if (mkdir(config->state_dir, 0750) < 0 && errno != EEXIST)
		return err_set(err, ERR_HALT, "cannot create %s: %s", config->state_dir,
			       strerror(errno));
	if (store_open(&daemon->store, &config->store, err) < 0)
		return -1;
	if (store_begin(daemon->store, err) < 0 ||
	    store_recover(daemon->store, clock_now_ms(), &recovered, err) < 0 ||
	    store_commit(daemon->store, err) < 0 || store_count(daemon->store, ret_counts, err) < 0)
		return err_within(err, "%s", config->store.path);
	if (is_new)
		log_warning("store made path=%s: it is empty, which is right at a first start only",
			    config->store.path);
	if (recovered.claimed > 0)
		log_warning("recovered documents=%zu: they were being sent when the daemon ended, "
			    "and go again "
			    "under the same ids",
			    recovered.claimed);
	if (recovered.from_backup)
		log_warning("restored documents=%zu: they had not ended in the backup that the "
			    "queue begins from, and go again under the same ids, unless they are "
			    "held; what people ordered, and what ADT messages said, since it was "
			    "made is not known here",
			    recovered.doubted);
	return 0;
}

static unsigned worker_count(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return config->workers ? (unsigned)config->workers : (unsigned)max(cores, 1L);
}

static void start_threads(struct daemon *daemon)
{
	const struct config *config = daemon->first->config;

	daemon->hands = (struct hands_settings){ &config->store };
	daemon->keeper_store = config->store;
	daemon->keeper_store.ends = &daemon->ends;
	daemon->keeper_hands = (struct hands_settings){ &daemon->keeper_store };
	daemon->writer = writer_new(&daemon->store, daemon->mailbox);
	daemon->workers = workers_new(&(struct workers_settings){ .count = worker_count(config),
								  .name = "worker",
								  .context_new = hands_new,
								  .context_free = hands_free,
								  .arg = &daemon->hands },
				      daemon->mailbox);
	daemon->keeper = workers_new(&(struct workers_settings){ .count = 1,
								 .name = "keeper",
								 .context_new = hands_new,
								 .context_free = hands_free,
								 .arg = &daemon->keeper_hands },
				     daemon->mailbox);
	/* not the keeper: of a large store it takes minutes, and what follows the ledger would wait */
	daemon->counter = workers_new(&(struct workers_settings){ .count = 1,
								  .name = "board",
								  .context_new = hands_new,
								  .context_free = hands_free,
								  .arg = &daemon->keeper_hands },
				      daemon->mailbox);
	daemon->converters =
		workers_new(&(struct workers_settings){ .count = (unsigned)config->pdf_threads,
							.name = "converter" },
			    daemon->mailbox);
	daemon->disk =
		workers_new(&(struct workers_settings){ .count = DISK_THREADS, .name = "disk" },
			    daemon->mailbox);
}

static void watch_signals(struct daemon *daemon)
{
	static const struct {
		int number;
		event_callback_fn asked;
	} signals[] = {
		{ SIGTERM, asked_to_stop },
		{ SIGINT, asked_to_stop },
		{ SIGHUP, asked_to_reload },
	};

	_Static_assert(length_of(signals) == length_of(daemon->signals), "as many events");
	signal(SIGPIPE, SIG_IGN); /* a peer that left is an ordinary error of write() */
	for (size_t i = 0; i < length_of(signals); i++) {
		daemon->signals[i] =
			evsignal_new(daemon->loop, signals[i].number, signals[i].asked, daemon);
		event_add(daemon->signals[i], NULL);
	}
}

/* glibc keeps what was freed, and after one large block is freed it puts the next ones among the
 * small, where they stay: each thread would end with room for the largest document it has seen.
 */
static void give_memory_back(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* a large block is the kernel's again at once */
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);  /* but not what each few messages need again */
	mallopt(M_ARENA_MAX, MOST_ARENAS);
}

/* Whoever connects to one of these waits for ever: nobody takes what comes. */
static void tell_sockets_left(void)
{
	char address[ADDRESS_TEXT];
	const char *name;

	for (size_t i = 0; inherited_is_left(i, &name, address); i++)
		log_warning(
			"the service manager gave the socket %s, address=%s: no listener of the "
			"configuration has that address",
			name, address);
}

static void start_loop(struct daemon *daemon)
{
	daemon->loop = event_base_new();
	daemon->mailbox = mailbox_new();
	daemon->mail = event_new(daemon->loop, mailbox_fd(daemon->mailbox), EV_READ | EV_PERSIST,
				 mail_came, daemon->mailbox);
	event_add(daemon->mail, NULL);
}

static int start_pipeline(struct daemon *daemon, struct store_counts counts, struct err *err)
{
	return pipeline_new(&daemon->pipeline,
			    &(struct pipeline_parts){
				    .loop = daemon->loop,
				    .snapshot = daemon->first,
				    .workers = daemon->workers,
				    .disk = daemon->disk,
				    .converters = daemon->converters,
				    .keeper = daemon->keeper,
				    .writer = daemon->writer,
				    .counts = counts,
			    },
			    err);
}

/* What is counted beside the documents' way: the health of it all, and the indicators. */
static void start_watching(struct daemon *daemon, int64_t started_ms)
{
	daemon->watch = watch_new(&(struct watch_parts){
		.loop = daemon->loop,
		.snapshot = daemon->first,
		.pipeline = daemon->pipeline,
		.workers = daemon->workers,
		.writer = daemon->writer,
		.mailbox = daemon->mailbox,
		.started_ms = started_ms,
	});
	daemon->board = board_new(&(struct board_parts){
		.loop = daemon->loop,
		.snapshot = daemon->first,
		.pipeline = daemon->pipeline,
		.counter = daemon->counter,
		.writer = daemon->writer,
	});
}

static int start_desk(struct daemon *daemon, int64_t started_ms, struct err *err)
{
	return operator_new(&daemon->desk,
			    &(struct operator_parts){
				    .loop = daemon->loop,
				    .snapshot = daemon->first,
				    .pipeline = daemon->pipeline,
				    .watch = daemon->watch,
				    .workers = daemon->workers,
				    .keeper = daemon->keeper,
				    .writer = daemon->writer,
				    .board = daemon->board,
				    .started_ms = started_ms,
				    .reload = reload_is_asked_for,
				    .reload_arg = daemon,
			    },
			    err);
}

static void start_reload(struct daemon *daemon)
{
	daemon->reload = reload_new(&(struct reload_parts){
		.mailbox = daemon->mailbox,
		.writer = daemon->writer,
		.snapshot = daemon->first,
		.pipeline = daemon->pipeline,
		.watch = daemon->watch,
		.board = daemon->board,
		.desk = daemon->desk,
		.begins = reload_begins,
		.ended = reload_ended,
		.arg = daemon,
	});
}

static void start_heartbeat(struct daemon *daemon)
{
	daemon->heartbeat = heartbeat_new(&(struct heartbeat_parts){
		.loop = daemon->loop,
		.pipeline = daemon->pipeline,
		.workers = daemon->workers,
		.writer = daemon->writer,
	});
}

static int start(struct daemon *daemon, struct err *err)
{
	const int64_t started_ms = clock_now_ms();
	struct store_counts counts;

	give_memory_back();
	/* or glibc would look, at each time without a zone, whether that file is still the same */
	setenv("TZ", ":/etc/localtime", 0);
	cda_start();
	start_loop(daemon);
	if (open_queue(daemon, &counts, err) < 0)
		return -1;
	start_threads(daemon);
	if (start_pipeline(daemon, counts, err) < 0)
		return -1;
	start_watching(daemon, started_ms);
	if (start_desk(daemon, started_ms, err) < 0)
		return -1;
	start_reload(daemon);
	start_heartbeat(daemon);
	tell_sockets_left();
	watch_signals(daemon);
	return 0;
}

/* Threads first: they finish what they hold. What they post is still delivered (the last look at a
 * folder), unless patience ended: then it would go on to threads that are no more.
 */
static void stop(struct daemon *daemon)
{
	reload_stop(daemon->reload);
	workers_free(&daemon->workers);
	workers_free(&daemon->disk);
	workers_free(&daemon->converters);
	atomic_store(&daemon->ends, true);
	watch_stop(daemon->watch);
	workers_free(&daemon->keeper);
	workers_free(&daemon->counter);
	writer_free(&daemon->writer);
	if (daemon->desk != NULL && pipeline_is_idle(daemon->pipeline))
		mailbox_deliver(daemon->mailbox);
	reload_free(&daemon->reload);
	operator_free(&daemon->desk);
	watch_free(&daemon->watch);
	board_free(&daemon->board);
	heartbeat_free(&daemon->heartbeat);
	pipeline_free(&daemon->pipeline);
	store_free(&daemon->store);
	keyring_free(&daemon->keyring);
	for (size_t i = 0; i < length_of(daemon->signals); i++)
		if (daemon->signals[i] != NULL)
			event_free(daemon->signals[i]);
	if (daemon->mail != NULL)
		event_free(daemon->mail);
	mailbox_free(&daemon->mailbox);
	if (daemon->loop != NULL)
		event_base_free(daemon->loop);
	snapshot_let_go(&daemon->first);
	inherited_end();
}

static void tell_errors(const char *what, const struct buf *errors)
{
	struct slice rest = slice_trim(buf_slice(errors)), line;

	while (slice_next(&rest, '\n', &line))
		log_error("%s: %.*s", what, (int)line.n, line.p);
}

/* The keys of what is kept. */
static int load_keys(struct daemon *daemon, struct buf *errors)
{
	struct config *config = daemon->first->config;
	struct err err = { 0 };

	if (config->key_file[0] == '\0')
		return 0;
	if (keyring_load(&daemon->keyring, config->key_file, &err) < 0) {
		config_fault(config, &config->key_file, errors, "queue.encryption.key_file: %s",
			     err.text);
		return -1;
	}
	config->store.keys = daemon->keyring;
	return 0;
}

/* Without these, nobody can be served. */
static int load_what_all_need(struct daemon *daemon, struct buf *errors)
{
	int named = snapshot_load(daemon->first, errors);
	int keys = load_keys(daemon, errors);

	return named < 0 || keys < 0 ? -1 : 0;
}

/* Who cannot send takes documents in all the same: they wait for whoever mends it, and the other
 * establishments' go on.
 */
static void load_credentials(struct daemon *daemon)
{
	scoped(buf_done) struct buf errors = { 0 };

	if (snapshot_load_credentials(daemon->first, &errors) < 0)
		tell_errors("an establishment cannot send", &errors);
	snapshot_tell_certificates(daemon->first);
}

/* Keys, and patients, are in memory. One byte is less than any core; and where cores go through a pipe, to a program that
 * keeps them, this very limit keeps the kernel from it, and 0 does not (core_pattern; it is how such programs
 * are kept from their own cores).
 */
static void leave_no_core(void)
{
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 1 }) < 0) /* it may be 0 for good */
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static int serve(struct daemon *daemon)
{
	scoped(buf_done) struct buf errors = { 0 };
	struct err err = { 0 };

	signal(SIGHUP, SIG_IGN); /* until it can be heeded */
	log_start(JOURNAL_SOCKET);
	inherited_start();
	umask(umask(0) | 0027); /* documents are nobody else's business */
	leave_no_core();
	log_set_level(daemon->first->config->log_level);
	log_limit(&daemon->first->config->log_rate_limit);
	if (load_what_all_need(daemon, &errors) < 0) {
		tell_errors("cannot start", &errors);
		stop(daemon);
		return 1;
	}
	load_credentials(daemon);
	if (start(daemon, &err) < 0) {
		log_error("cannot start: %s", err.text);
		stop(daemon);
		return 1;
	}
	log_info("started version=%s environment=%s config=%s", DMPFEED_VERSION,
		 environment_text(daemon->first->config->environment), daemon->first->config->file);
	notify_tell("READY=1");
	event_base_dispatch(daemon->loop);
	stop(daemon);
	log_end();
	log_info("stopped");
	return 0;
}

static const char usage[] =
	"usage: dmpfeedd [--config FILE] [--check-config [--user NAME]] [--foreground]\n"
	"       dmpfeedd --version | --help\n"
	"\n"
	"Feeds the DMP (Mon espace santé) with the documents of a hospital.\n"
	"\n"
	"  --config FILE    configuration (default /etc/dmpfeed/dmpfeed.yaml)\n"
	"  --check-config   print the effective configuration, or every error of the file, and "
	"end\n"
	"  --user NAME      check as that user; by default, root checks files of /etc/dmpfeed as "
	"dmpfeed\n"
	"  --foreground     stay in the foreground: the only mode, systemd supervises\n";

static int print_version(void)
{
	scoped(buf_done) struct buf libraries = { 0 };

	versions_print(&libraries);
	printf("dmpfeedd %s\n%s", DMPFEED_VERSION, libraries.p);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "user", required_argument, NULL, 'u' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *file = "/etc/dmpfeed/dmpfeed.yaml";
	const char *user = NULL;
	bool only_check = false;
	struct daemon daemon = { 0 };
	int option;

	memory_start();
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'k':
			only_check = true;
			break;
		case 'u':
			user = optarg;
			break;
		case 'f':
			break;
		case 'v':
			return print_version();
		case 'h':
			printf("%s", usage);
			return 0;
		default:
			fprintf(stderr, "%s", usage);
			return 2;
		}
	}
	if (optind < argc || (user != NULL && !only_check)) {
		fprintf(stderr, "%s", usage);
		return 2;
	}
	if (only_check)
		return check_config(file, user);
	return read_config(&daemon, file) < 0 ? 1 : serve(&daemon);
}
