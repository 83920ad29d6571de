/* Memory that lacks ends us in words, whoever lacked it; nothing is ever read otherwise for it. Each allocation of a
 * library's, or of the C library's, fails once, in a process of its own; where there are hundreds, not quite all of them.
 */
#include "pki.h"
#include "sample.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/buffer.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pem.h"
#include "base/yaml_tree.h"
#include "dmp/c14n.h"
#include "dmp/reply.h"
#include "document/cda.h"
#include "document/unzip.h"
#include "memory.h"
#include "queue/sqlite.h"
#include "skip.h"
#include "zip_maker.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true /* it wants to be the one who hands out memory */
#elif defined(__has_feature)
#define IS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED false
#endif

/* Each of the first ones fails, then ever fewer of them. */
enum { NEVER = -1, MOST = 20000, EACH = 200 };

static atomic_int until_it_lacks = NEVER;

#if !IS_SANITIZED
static bool lacks(void)
{
	if (atomic_load(&until_it_lacks) == NEVER || atomic_fetch_sub(&until_it_lacks, 1) != 0)
		return false;
	errno = ENOMEM;
	return true;
}

/* The C library's own, by the names that need no looking up: that would allocate. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *p, size_t bytes);

void *malloc(size_t bytes)
{
	return lacks() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return lacks() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *p, size_t bytes)
{
	return lacks() ? NULL : __libc_realloc(p, bytes);
}
#endif

/* ---- what is done without memory ---- */

static struct pki pki;
static struct buf letter, archive;

static enum err_kind use_curl(struct buf *out)
{
	CURL *curl = curl_easy_init();
	char *escaped = curl_easy_escape(curl, "a b", 3);

	buf_add_text(out, escaped);
	curl_free(escaped);
	curl_easy_cleanup(curl);
	return ERR_NONE;
}

static enum err_kind use_jansson(struct buf *out)
{
	json_t *object = json_pack("{s:s, s:[i, i]}", "name", "value", "list", 1, 2);
	char *text = json_dumps(object, JSON_SORT_KEYS);

	buf_add_text(out, text);
	free(text);
	json_decref(object);
	return ERR_NONE;
}

static enum err_kind use_libevent(struct buf *out)
{
	struct evbuffer *bytes = evbuffer_new();

	evbuffer_add_printf(bytes, "%s %d", "text", 1);
	evbuffer_add(bytes, letter.p, letter.n);
	buf_add(out, (struct slice){ (const char *)evbuffer_pullup(bytes, -1),
				     evbuffer_get_length(bytes) });
	evbuffer_free(bytes);
	return ERR_NONE;
}

static enum err_kind read_cda(struct buf *out)
{
	const struct cda_limits limits = { 0 };
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct cda cda;

	if (cda_read(&cda, buf_slice(&letter), &limits, &arena, &err) < 0)
		buf_add_text(out, err.text);
	else
		buf_addf(out, "%s %s", cda.title, cda.birth_family);
	arena_done(&arena);
	return err.kind;
}

static enum err_kind make_canonical(struct buf *out)
{
	uint8_t digest[DIGEST_MOST];
	struct err err = { 0 };
	size_t n = 0;

	if (c14n_digest(buf_slice(&letter), DIGEST_SHA256, digest, &n, &err) < 0)
		buf_add_text(out, err.text);
	buf_add(out, (struct slice){ (const char *)digest, n });
	return err.kind;
}

static enum err_kind read_reply(struct buf *out)
{
	static const char answer[] =
		"<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'><Body><Fault>"
		"<Code><Value>Receiver</Value></Code><Reason><Text>later</Text></Reason>"
		"</Fault></Body></Envelope>";
	struct arena arena = { 0 };
	struct reply reply;

	reply_read(&reply, TRANSACTION_SUBMIT, slice_of("application/soap+xml"), slice_of(answer),
		   &arena);
	buf_addf(out, "%d %s %s", reply.shape, reply.code, reply.text);
	arena_done(&arena);
	return ERR_NONE;
}

static enum err_kind open_archive(struct buf *out)
{
	const struct unzip_limits limits = { 10, 1000, 100 };
	scoped(unzip_free) struct unzip *unzip = NULL;
	struct err err = { 0 };

	if (unzip_open(&unzip, buf_slice(&archive), &limits, &err) < 0 ||
	    unzip_take(unzip, 0, out, &err) < 0)
		buf_add_text(out, err.text);
	return err.kind;
}

static void complain(void *out, struct yaml_place place, const char *sentence)
{
	(void)place;
	buf_add_text(out, sentence);
}

static enum err_kind read_yaml(struct buf *out)
{
	static const char text[] =
		"%YAML 1.1\n---\nlist: [ a, 'b', { c: d } ]\ntext: |\n  e\n  f\n";
	struct arena arena = { 0 };
	const struct yaml_tree *tree = yaml_tree_read(slice_of(text), &arena, complain, out);
	const struct yaml_tree *found = tree ? yaml_tree_find(tree, slice_of("text")) : NULL;

	buf_add(out, found ? found->text : slice_of("?"));
	arena_done(&arena);
	return ERR_NONE;
}

static enum err_kind look_at_certificate(struct buf *out)
{
	struct err err = { 0 };
	int64_t until_ms = 0;

	if (pem_look(pki.sign_pem, out, &until_ms, &err) < 0)
		buf_add_text(out, err.text);
	buf_addf(out, " %lld", (long long)until_ms);
	return err.kind;
}

/* SQLite says what it lacks: that may be tried again, and is no other value. */
static enum err_kind ask_sqlite(struct buf *out)
{
	static const char *const texts[] = { "SELECT 12345, ?1, x'00' || ?1" };
	struct sqlite sqlite = { 0 };
	struct err err = { 0 };
	int rc = sqlite_open(&sqlite, ":memory:", SQLITE_OPEN_READWRITE, texts, 1, &err);
	sqlite3_stmt *statement =
		rc < 0 ? NULL : sqlite_prepare(&sqlite, 0, VALUES(TEXT("text")), &err);

	if (statement != NULL && sqlite_step(&sqlite, statement, &err) > 0)
		buf_addf(out, "%s %s %zu", sqlite_text(statement, 0), sqlite_text(statement, 1),
			 sqlite_bytes(statement, 2).n);
	sqlite_reset(&statement);
	sqlite_done(&sqlite);
	return err.kind;
}

static enum err_kind start(struct buf *out)
{
	time_t now = 1763800000;
	struct tm local;

	memory_start();
	buf_addf(out, "%d", localtime_r(&now, &local)->tm_hour);
	return ERR_NONE;
}

struct use {
	const char *name;
	enum err_kind (*run)(struct buf *out);
};

/* ---- one process each ---- */

struct run {
	const struct use *use;
	int nth;
	bool retry;
	struct buf out;
};

/* A thread, for what libraries keep for each. */
static void *run_in_thread(void *arg)
{
	struct run *run = arg;

	assert_non_null(buf_reserve(&run->out, 1 << 16)); /* ours, before */
	atomic_store(&until_it_lacks, run->nth);
	run->retry = run->use->run(&run->out) == ERR_RETRY;
	return NULL;
}

enum { DONE = 0, TO_BE_TRIED_AGAIN, NONE_LACKED };

static void run_apart(struct run *run, int out)
{
	pthread_t thread;
	int left;

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	dup2(out, STDERR_FILENO);
	pthread_create(&thread, NULL, run_in_thread, run);
	pthread_join(thread, NULL);
	left = atomic_exchange(&until_it_lacks, NEVER);
	if (!run->retry)
		(void)!write(out, run->out.p, run->out.n);
	_exit(run->retry ? TO_BE_TRIED_AGAIN : left < 0 ? DONE : NONE_LACKED);
}

/* How it ended, and what came of it, or was said. */
static int run_without_nth(const struct use *use, int nth, struct buf *ret_out)
{
	int pipes[2], status;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		run_apart(&(struct run){ .use = use, .nth = nth }, pipes[1]);
	close(pipes[1]);
	buf_clear(ret_out);
	while ((n = read(pipes[0], buf_reserve(ret_out, 4096), 4096)) > 0)
		ret_out->n += (size_t)n;
	ret_out->p[ret_out->n] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static bool is_said_and_ended(int status, const struct buf *said)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	       strstr(said->p, "<3>out of memory: stopping; ") != NULL;
}

static void try_each_allocation(const struct use *use)
{
	scoped(buf_done) struct buf right = { 0 }, got = { 0 };
	int status = run_without_nth(use, MOST, &right), nth, ended = 0;

	assert_int_equal(status, NONE_LACKED << 8);
	assert_true(right.n > 0);
	for (nth = 0; nth < MOST; nth += 1 + nth / EACH) {
		status = run_without_nth(use, nth, &got);
		if (status == NONE_LACKED << 8)
			break;
		ended += is_said_and_ended(status, &got);
		if (!is_said_and_ended(status, &got) && status != TO_BE_TRIED_AGAIN << 8 &&
		    (status != DONE || !slice_equal(buf_slice(&got), buf_slice(&right))))
			fail_msg("%s without allocation %d: status %#x, \"%s\"", use->name, nth,
				 status, got.p);
	}
	assert_true(ended > 0);
	print_message("# %s: of %d allocations %d end us\n", use->name, nth, ended);
}

/* The first test: nothing was started yet. */
static void no_library_begins_with_less(void **state)
{
	(void)state;
	if (IS_SANITIZED)
		skip_because("a sanitizer hands out memory itself");
	try_each_allocation(&(struct use){ "start", start });
}

static void nothing_is_read_otherwise(void **state)
{
	static const struct use uses[] = {
		{ "curl", use_curl },
		{ "jansson", use_jansson },
		{ "libevent", use_libevent },
		{ "CDA", read_cda },
		{ "canonical", make_canonical },
		{ "reply", read_reply },
		{ "archive", open_archive },
		{ "YAML", read_yaml },
		{ "PEM", look_at_certificate },
		{ "SQLite", ask_sqlite },
	};
	const struct zip_entry entry = { .name = slice_of("ONE.XML") };

	(void)state;
	if (IS_SANITIZED)
		skip_because("a sanitizer hands out memory itself");
	memory_start();
	pki_make(&pki);
	sample_read("discharge-letter.xml", &letter);
	zip_make(&entry, 1, &archive);
	for (size_t i = 0; i < length_of(uses); i++)
		try_each_allocation(&uses[i]);
	buf_done(&letter);
	buf_done(&archive);
	pki_done(&pki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_library_begins_with_less),
		cmocka_unit_test(nothing_is_read_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
