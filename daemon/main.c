/* dmpfeedd: start-up and shutdown, in order; nothing else. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "board.h"
#include "board_load.h"
#include "check.h"
#include "hands.h"
#include "operator.h"
#include "tables.h"

enum {
	PATIENCE_MS = 10000,
	DISK_THREADS = 2,
	WARN_DAYS = 60, /* before a certificate ends */
	LARGE_BYTES = 256 << 10,
	MOST_ARENAS = 4,
};

/* Everything that lives as long as the daemon. */
struct daemon {
	struct config *config;
	struct credentials *credentials;
	struct hands_settings hands, keeper_hands;
	struct store_settings keeper_store;
	atomic_bool ends; /* nothing long is worth waiting for any more */
	struct valuesets *valuesets;
	struct targets *targets;
	struct keyring *keyring;
	struct error_table *errors;
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
	struct event *signals[2];
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
	pipeline_close(daemon->pipeline, PATIENCE_MS, has_closed, daemon->loop);
}

static int read_config(struct daemon *daemon, const char *file)
{
	scoped(buf_done) struct buf errors = { 0 };

	if (config_load(&daemon->config, file, &errors) == 0)
		return 0;
	fprintf(stderr, "%s", errors.p ? errors.p : "");
	return -1;
}

/* The queue, with what this node was sending when it died put back. */
static int open_queue(struct daemon *daemon, struct store_counts *ret_counts, struct err *err)
{
	const struct config *config = daemon->config;
	bool is_new = access(config->store.path, F_OK) < 0;
	size_t recovered = 0;

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
	if (recovered > 0)
		log_warning("recovered documents=%zu: they were being sent when the daemon ended, "
			    "and go again "
			    "under the same ids",
			    recovered);
	return 0;
}

static unsigned worker_count(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return config->workers ? (unsigned)config->workers : (unsigned)max(cores, 1L);
}

static void start_threads(struct daemon *daemon)
{
	daemon->hands = (struct hands_settings){ &daemon->config->store, daemon->credentials };
	daemon->keeper_store = daemon->config->store;
	daemon->keeper_store.ends = &daemon->ends;
	daemon->keeper_hands =
		(struct hands_settings){ &daemon->keeper_store, daemon->credentials };
	daemon->writer = writer_new(&daemon->store, daemon->mailbox);
	daemon->workers =
		workers_new(&(struct workers_settings){ .count = worker_count(daemon->config),
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
	daemon->converters = workers_new(
		&(struct workers_settings){ .count = (unsigned)daemon->config->pdf_threads,
					    .name = "converter" },
		daemon->mailbox);
	daemon->disk =
		workers_new(&(struct workers_settings){ .count = DISK_THREADS, .name = "disk" },
			    daemon->mailbox);
}

static void watch_signals(struct daemon *daemon)
{
	static const int numbers[] = { SIGTERM, SIGINT };

	signal(SIGPIPE, SIG_IGN); /* a peer that left is an ordinary error of write() */
	for (size_t i = 0; i < length_of(numbers); i++) {
		daemon->signals[i] = evsignal_new(daemon->loop, numbers[i], asked_to_stop, daemon);
		event_add(daemon->signals[i], NULL);
	}
}

/* glibc keeps what was freed, and after one large block is freed it puts the next ones among the
 * small, where they stay: each thread would end with room for the largest document it has seen.
 */
static void give_memory_back(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* a large block is the kernel's again at once */
	mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
	mallopt(M_ARENA_MAX, MOST_ARENAS);
}

static int start(struct daemon *daemon, struct err *err)
{
	const int64_t started_ms = clock_now_ms();
	struct store_counts counts;

	give_memory_back();
	/* or glibc would look, at each time without a zone, whether that file is still the same */
	setenv("TZ", ":/etc/localtime", 0);
	cda_start();
	daemon->loop = event_base_new();
	daemon->mailbox = mailbox_new();
	daemon->mail = event_new(daemon->loop, mailbox_fd(daemon->mailbox), EV_READ | EV_PERSIST,
				 mail_came, daemon->mailbox);
	event_add(daemon->mail, NULL);
	if (error_table_load(&daemon->errors, daemon->config->errors_file, err) < 0 ||
	    open_queue(daemon, &counts, err) < 0)
		return -1;
	start_threads(daemon);
	if (pipeline_new(&daemon->pipeline,
			 &(struct pipeline_parts){
				 .loop = daemon->loop,
				 .config = daemon->config,
				 .valuesets = daemon->valuesets,
				 .errors = daemon->errors,
				 .credentials = daemon->credentials,
				 .workers = daemon->workers,
				 .disk = daemon->disk,
				 .converters = daemon->converters,
				 .keeper = daemon->keeper,
				 .writer = daemon->writer,
				 .counts = counts,
			 },
			 err) < 0)
		return -1;
	daemon->watch = watch_new(&(struct watch_parts){
		.loop = daemon->loop,
		.config = daemon->config,
		.pipeline = daemon->pipeline,
		.workers = daemon->workers,
		.writer = daemon->writer,
		.mailbox = daemon->mailbox,
		.started_ms = started_ms,
	});
	daemon->board = board_new(&(struct board_parts){
		.loop = daemon->loop,
		.config = daemon->config,
		.targets = daemon->targets,
		.pipeline = daemon->pipeline,
		.counter = daemon->counter,
		.writer = daemon->writer,
	});
	if (operator_new(&daemon->desk,
			 &(struct operator_parts){
				 .loop = daemon->loop,
				 .config = daemon->config,
				 .pipeline = daemon->pipeline,
				 .watch = daemon->watch,
				 .workers = daemon->workers,
				 .keeper = daemon->keeper,
				 .writer = daemon->writer,
				 .targets = daemon->targets,
				 .board = daemon->board,
				 .started_ms = started_ms,
			 },
			 err) < 0)
		return -1;
	watch_signals(daemon);
	return 0;
}

/* Threads first: they finish what they hold. What they post is still delivered (the last look at a
 * folder), unless patience ended: then it would go on to threads that are no more.
 */
static void stop(struct daemon *daemon)
{
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
	operator_free(&daemon->desk);
	watch_free(&daemon->watch);
	board_free(&daemon->board);
	pipeline_free(&daemon->pipeline);
	store_free(&daemon->store);
	valuesets_free(&daemon->valuesets);
	targets_free(&daemon->targets);
	keyring_free(&daemon->keyring);
	error_table_free(&daemon->errors);
	for (size_t i = 0; i < length_of(daemon->signals); i++)
		if (daemon->signals[i] != NULL)
			event_free(daemon->signals[i]);
	if (daemon->mail != NULL)
		event_free(daemon->mail);
	mailbox_free(&daemon->mailbox);
	if (daemon->loop != NULL)
		event_base_free(daemon->loop);
	credentials_free(&daemon->credentials);
	config_free(&daemon->config);
}

static void tell_certificate(const struct config_establishment *e, const struct signer *signer,
			     int64_t now_ms)
{
	const struct signer_facts *facts = signer_facts(signer);
	const int64_t days = signer_days_left(signer, now_ms);
	bool is_other = strcmp(facts->structure + (facts->structure[0] == '1'), e->finess_ej) != 0;

	log_line(days <= WARN_DAYS ? LEVEL_WARNING : LEVEL_INFO,
		 "signing lane=%s structure=%s days_left=%lld", e->finess_ej, facts->structure,
		 (long long)days);
	if (is_other)
		log_warning("the certificate that signs for establishment %s is of structure %s: "
			    "the DMP may refuse what it signs",
			    e->finess_ej, facts->structure);
}

/* Whoever must order a new certificate, or took another structure's, hears of it at each start. */
static void tell_certificates(const struct daemon *daemon)
{
	const int64_t now_ms = clock_now_ms();

	for (size_t i = 0; i < credentials_count(daemon->credentials); i++) {
		const struct config_establishment *e = &daemon->config->establishments[i];
		const struct signer *signer = credentials_signer(daemon->credentials, i);

		if (signer != NULL)
			tell_certificate(e, signer, now_ms);
	}
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
	struct config *config = daemon->config;
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
	int doors = credentials_check_doors(daemon->config, clock_now_ms(), errors);
	int tables = tables_load(&daemon->valuesets, daemon->config, errors);
	int targets = board_load_targets(&daemon->targets, daemon->config, errors);
	int keys = load_keys(daemon, errors);

	return doors < 0 || tables < 0 || targets < 0 || keys < 0 ? -1 : 0;
}

/* Who cannot send takes documents in all the same: they wait for whoever mends it, and the other
 * establishments' go on.
 */
static void load_credentials(struct daemon *daemon)
{
	scoped(buf_done) struct buf errors = { 0 };

	if (credentials_load(&daemon->credentials, daemon->config, clock_now_ms(), &errors) < 0)
		tell_errors("an establishment cannot send", &errors);
	tell_certificates(daemon);
}

static int serve(struct daemon *daemon)
{
	scoped(buf_done) struct buf errors = { 0 };
	struct err err = { 0 };

	umask(umask(0) | 0027); /* documents are nobody else's business */
	log_set_level(daemon->config->log_level);
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
		 environment_text(daemon->config->environment), daemon->config->file);
	event_base_dispatch(daemon->loop);
	stop(daemon);
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
	"  --user NAME      as root, check as that user (default dmpfeed, whom the service runs "
	"as)\n"
	"  --foreground     stay in the foreground: the only mode, systemd supervises\n";

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
			printf("dmpfeedd %s\n", DMPFEED_VERSION);
			return 0;
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
