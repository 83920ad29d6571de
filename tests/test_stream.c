/* Bytes of a socket, in TLS or as they are: both look the same from above. */
#include "pki.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/stream.h"

enum { ROOM = 16 << 10 };

static struct pki pki;
static struct tls *server_tls, *client_tls;

static int make(void **state)
{
	static const struct pki_request request = { .cn = "engine.example",
						    .usage = PKI_AUTH,
						    .from_days = -1000,
						    .to_days = 1000,
						    .serial = "03" };
	struct err err = { 0 };
	scoped(free_ptr) char *cert = NULL;
	X509 *leaf;

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	pki_make(&pki);
	leaf = pki_issue(&request, pki.key, pki.intermediate, pki.key);
	cert = pki_write(&pki, "server.pem", (X509 *[]){ leaf, NULL }, NULL);
	X509_free(leaf);
	if (tls_server_new(&server_tls,
			   &(struct tls_server_settings){ .cert = cert, .key = pki.key_pem },
			   PKI_NOW_MS, &err) < 0 ||
	    tls_client_new(
		    &client_tls,
		    &(struct tls_client_settings){ .ca = pki.chain_pem, .name = "engine.example" },
		    PKI_NOW_MS, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	tls_free(&server_tls);
	tls_free(&client_tls);
	pki_done(&pki);
	return 0;
}

struct pair {
	struct stream ours, theirs;
};

static void pair_open(struct pair *pair, bool in_tls)
{
	struct err err = { 0 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	stream_open(&pair->ours, fds[0], in_tls ? server_tls : NULL);
	stream_open(&pair->theirs, fds[1], in_tls ? client_tls : NULL);
	for (int i = 0; i < 10; i++)
		if (stream_handshake(i % 2 ? &pair->ours : &pair->theirs, &err) == TLS_FAILED)
			fail_msg("%s", err.text);
}

static void pair_close(struct pair *pair)
{
	stream_close(&pair->ours);
	stream_close(&pair->theirs);
}

static void write_text(struct stream *stream, const char *text)
{
	struct err err = { 0 };
	size_t n = 0;

	assert_int_equal(stream_write(stream, slice_of(text), &n, &err), TLS_DONE);
	assert_int_equal(n, strlen(text));
}

static void a_read_fills_the_first_part_and_goes_on_in_the_second(void **state)
{
	static const size_t firsts[] = { 0, 1, 4, 10, 11, ROOM };

	(void)state;
	for (size_t i = 0; i < 2 * length_of(firsts); i++) {
		static char first[ROOM], second[ROOM];
		const size_t own = firsts[i / 2];
		const struct iovec parts[2] = { { first, own }, { second, sizeof(second) } };
		struct err err = { 0 };
		struct pair pair;
		size_t n = 0;

		pair_open(&pair, i % 2);
		write_text(&pair.theirs, "0123456789");
		assert_int_equal(stream_read(&pair.ours, parts, &n, &err), TLS_DONE);
		assert_int_equal(n, 10);
		assert_memory_equal(first, "0123456789", min(own, n));
		assert_memory_equal(second, &"0123456789"[min(own, n)], n - min(own, n));
		assert_int_equal(stream_read(&pair.ours, parts, &n, &err), TLS_WANTS_READ);
		pair_close(&pair);
	}
}

static void a_peer_that_takes_no_more_is_waited_for(void **state)
{
	(void)state;
	for (int in_tls = 0; in_tls < 2; in_tls++) {
		static char bytes[ROOM];
		enum tls_turn turn = TLS_DONE;
		struct err err = { 0 };
		struct pair pair;
		size_t n;

		pair_open(&pair, in_tls);
		while (turn == TLS_DONE)
			turn = stream_write(&pair.ours, (struct slice){ bytes, ROOM }, &n, &err);
		assert_int_equal(turn, TLS_WANTS_WRITE);
		pair_close(&pair);
	}
}

static void the_end_of_one_side_leaves_the_other_its_say(void **state)
{
	(void)state;
	for (int in_tls = 0; in_tls < 2; in_tls++) {
		static char bytes[ROOM];
		const struct iovec parts[2] = { { 0 }, { bytes, sizeof(bytes) } };
		struct err err = { 0 };
		struct pair pair;
		size_t n = 0;

		pair_open(&pair, in_tls);
		stream_end(&pair.theirs);
		assert_int_equal(stream_read(&pair.ours, parts, &n, &err), TLS_ENDED);
		write_text(&pair.ours, "late");
		assert_int_equal(stream_read(&pair.theirs, parts, &n, &err), TLS_DONE);
		assert_int_equal(n, 4);
		pair_close(&pair);
	}
}

static void a_peer_that_is_gone_is_a_failure_in_words(void **state)
{
	(void)state;
	for (int in_tls = 0; in_tls < 2; in_tls++) {
		struct err err = { 0 };
		struct pair pair;
		size_t n;

		pair_open(&pair, in_tls);
		shutdown(pair.theirs.fd, SHUT_RDWR);
		assert_int_equal(stream_write(&pair.ours, slice_of("x"), &n, &err), TLS_FAILED);
		assert_int_equal(err.kind, ERR_RETRY);
		assert_non_null(strstr(err.text, "Broken pipe"));
		pair_close(&pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_fills_the_first_part_and_goes_on_in_the_second),
		cmocka_unit_test(a_peer_that_takes_no_more_is_waited_for),
		cmocka_unit_test(the_end_of_one_side_leaves_the_other_its_say),
		cmocka_unit_test(a_peer_that_is_gone_is_a_failure_in_words),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
