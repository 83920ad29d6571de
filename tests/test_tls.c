/* TLS on sockets that do not block: files that are wrong are told by name, both sides check each
 * other, and bytes go through in pieces of any size.
 */
#include "pki.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/tls.h"
#include "softhsm.h"

enum { YEARS = 1500, LARGE = 3 << 20 };

static struct pki pki;

/* Paths: of the server (DNS and IP), of the client, of another authority, and of files at fault. */
static char *server_pem, *client_pem, *client_only_pem, *server_only_pem, *alien_pem, *alien_ca,
	*ended_pem, *early_pem, *weak_pem, *other_key, *locked_key, *rubbish, *missing;

static char *write_certificate(const char *name, const struct pki_request *request, X509 *issuer)
{
	X509 *certificate = pki_issue(request, pki.key, issuer, pki.key);
	char *path =
		pki_write(&pki, name,
			  (X509 *[]){ certificate, issuer ? pki.intermediate : NULL, NULL }, NULL);

	X509_free(certificate);
	return path;
}

static char *write_text(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", pki.folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

/* A key of its own, and who issued itself with it. */
static char *write_weak(const char *name)
{
	EVP_PKEY *key = EVP_RSA_gen(1024);
	X509 *certificate = pki_issue(&(struct pki_request){ .cn = "weak",
							     .usage = PKI_AUTH,
							     .from_days = -YEARS,
							     .to_days = YEARS,
							     .serial = "05" },
				      key, NULL, key);
	char *path = pki_write(&pki, name, (X509 *[]){ certificate, NULL }, NULL);

	X509_free(certificate);
	EVP_PKEY_free(key);
	return path;
}

static char *write_key(const char *name, const EVP_CIPHER *cipher)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	char *path = xasprintf("%s/%s", pki.folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	PEM_write_PrivateKey(file, key, cipher, (const unsigned char *)"secret", cipher ? 6 : 0,
			     NULL, NULL);
	fclose(file);
	EVP_PKEY_free(key);
	return path;
}

static int make(void **state)
{
	struct pki_request leaf = { .cn = "serveur",
				    .usage = PKI_AUTH,
				    .from_days = -YEARS,
				    .to_days = YEARS,
				    .serial = "03",
				    .names = "DNS:engine.example,IP:127.0.0.1,IP:::1" };

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	pki_make(&pki);
	server_pem = write_certificate("server.pem", &leaf, pki.intermediate);
	leaf.cn = "Laboratoire \xc3\xa9toile";
	leaf.names = NULL;
	client_pem = write_certificate("client.pem", &leaf, pki.intermediate);
	leaf.uses = "clientAuth";
	client_only_pem = write_certificate("client-only.pem", &leaf, pki.intermediate);
	leaf.uses = "serverAuth";
	server_only_pem = write_certificate("server-only.pem", &leaf, pki.intermediate);
	leaf.uses = NULL;
	leaf.cn = "stranger";
	alien_pem = write_certificate("alien.pem", &leaf, NULL);
	alien_ca = alien_pem;
	leaf.to_days = -1;
	ended_pem = write_certificate("ended.pem", &leaf, pki.intermediate);
	leaf.from_days = 10, leaf.to_days = 20;
	early_pem = write_certificate("early.pem", &leaf, pki.intermediate);
	weak_pem = write_weak("weak.pem");
	other_key = write_key("other.key", NULL);
	locked_key = write_key("locked.key", EVP_aes_128_cbc());
	rubbish = write_text("rubbish.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
	missing = xasprintf("%s/missing.pem", pki.folder);
	return 0;
}

static int forget(void **state)
{
	char *const paths[] = { server_pem, client_pem, client_only_pem, server_only_pem,
				alien_pem,  ended_pem,  early_pem,       weak_pem,
				other_key,  locked_key, rubbish,         missing };

	(void)state;
	for (size_t i = 0; i < length_of(paths); i++)
		free(paths[i]);
	pki_done(&pki);
	return 0;
}

/* ---- files ---- */

static void a_file_at_fault_is_told_by_its_setting_and_name(void **state)
{
	const struct {
		const char *cert, *key, *client_ca, *min, *ciphers;
		const char *where, *text;
	} cases[] = {
		{ missing, pki.key_pem, "", "", "", "cert",
		  "missing.pem cannot be read: No such file or directory" },
		{ pki.folder, pki.key_pem, "", "", "", "cert", "cannot be read: Is a directory" },
		{ rubbish, pki.key_pem, "", "", "", "cert", "rubbish.pem does not hold" },
		{ pki.key_pem, pki.key_pem, "", "", "", "cert", "sign.key does not hold" },
		{ ended_pem, pki.key_pem, "", "", "", "cert",
		  "ended.pem ended on 2026-11-19T12:00:00.000Z: order a new one" },
		{ early_pem, pki.key_pem, "", "", "", "cert", "early.pem begins on 2026-11-30T" },
		{ weak_pem, pki.key_pem, "", "", "", "cert", "weak.pem holds a certificate whose" },
		{ client_only_pem, pki.key_pem, "", "", "", "cert",
		  "client-only.pem is not for a TLS server" },
		{ server_pem, missing, "", "", "", "key", "missing.pem cannot be read" },
		{ server_pem, rubbish, "", "", "", "key", "rubbish.pem holds no private key" },
		{ server_pem, other_key, "", "", "", "key",
		  "other.key is not the key of the certificate in " },
		{ server_pem, locked_key, "", "", "", "key", "protected by a password" },
		{ server_pem, "", "", "", "", "key", "a certificate and no key" },
		{ "", pki.key_pem, "", "", "", "cert", "a key and no certificate" },
		{ server_pem, pki.key_pem, missing, "", "", "client_ca", "cannot be read" },
		{ server_pem, pki.key_pem, rubbish, "", "", "client_ca", "holds no certificate" },
		{ server_pem, pki.key_pem, pki.key_pem, "", "", "client_ca", "holds no cert" },
		{ server_pem, pki.key_pem, "", "1.1", "", "min", "write 1.2 or 1.3" },
		{ server_pem, pki.key_pem, "", "", "NONE", "ciphers", "\"NONE\" names no cipher" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct tls_server_settings settings = {
			.cert = cases[i].cert,
			.key = cases[i].key,
			.client_ca = cases[i].client_ca,
			.min = cases[i].min,
			.ciphers = cases[i].ciphers,
		};
		struct tls *tls = NULL;
		struct err err = { 0 };

		assert_int_equal(tls_server_new(&tls, &settings, PKI_NOW_MS, &err), -1);
		assert_null(tls);
		assert_int_equal(err.kind, ERR_HALT);
		assert_string_equal(err.where, cases[i].where);
		if (strstr(err.text, cases[i].text) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void a_client_wants_authorities_a_name_and_a_whole_pair(void **state)
{
	char too_long[257] = { 0 }; /* DNS has 255 at most, and so has SNI */
	const struct {
		struct tls_client_settings settings;
		const char *where;
	} cases[] = {
		{ { .name = "engine.example" }, "ca" },
		{ { .ca = missing, .name = "engine.example" }, "ca" },
		{ { .ca = pki.chain_pem }, "name" },
		{ { .ca = pki.chain_pem, .name = too_long }, "name" },
		{ { .ca = pki.chain_pem, .name = "engine.example", .cert = client_pem }, "key" },
		{ { .ca = pki.chain_pem, .name = "engine.example", .key = pki.key_pem }, "cert" },
		{ { .ca = pki.chain_pem, .name = "engine.example", .min = "1.0" }, "min" },
		{ { .ca = pki.chain_pem,
		    .name = "engine.example",
		    .cert = server_only_pem,
		    .key = pki.key_pem },
		  "cert" },
	};

	(void)state;
	memset(too_long, 'a', sizeof(too_long) - 1);
	for (size_t i = 0; i < length_of(cases); i++) {
		struct tls *tls = NULL;
		struct err err = { 0 };

		assert_int_equal(tls_client_new(&tls, &cases[i].settings, PKI_NOW_MS, &err), -1);
		assert_int_equal(err.kind, ERR_HALT);
		assert_string_equal(err.where, cases[i].where);
	}
}

/* ---- sessions ---- */

struct side {
	int fd;
	struct tls *tls;
	struct tls_session *session;
	enum tls_turn turn;
	struct err err;
};

struct ends {
	struct side server, client;
};

/* Both settings may leave out what a test does not mind. */
static void ends_open(struct ends *ends, struct tls_server_settings server,
		      struct tls_client_settings client)
{
	struct err err = { 0 };
	int fds[2];

	*ends = (struct ends){ 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ends->server.fd = fds[0];
	ends->client.fd = fds[1];
	if (server.cert == NULL)
		server.cert = server_pem, server.key = pki.key_pem;
	if (client.ca == NULL)
		client.ca = pki.chain_pem;
	if (client.name == NULL)
		client.name = "engine.example";
	if (tls_server_new(&ends->server.tls, &server, PKI_NOW_MS, &err) < 0 ||
	    tls_client_new(&ends->client.tls, &client, PKI_NOW_MS, &err) < 0)
		fail_msg("%s", err.text);
	ends->server.session = tls_session_new(ends->server.tls, fds[0]);
	ends->client.session = tls_session_new(ends->client.tls, fds[1]);
	/* sessions do not need their contexts */
	tls_free(&ends->server.tls);
	tls_free(&ends->client.tls);
}

static void ends_close(struct ends *ends)
{
	tls_session_free(&ends->server.session);
	tls_session_free(&ends->client.session);
	close(ends->server.fd);
	close(ends->client.fd);
}

static bool waits(enum tls_turn turn)
{
	return turn == TLS_WANTS_READ || turn == TLS_WANTS_WRITE;
}

/* Both in turn, until each is through or has failed. */
static void shake_hands(struct ends *ends)
{
	struct side *const sides[] = { &ends->client, &ends->server };

	ends->client.turn = ends->server.turn = TLS_WANTS_READ;
	for (int i = 0; i < 20; i++) {
		struct side *side = sides[i % 2];

		if (waits(side->turn))
			side->turn = tls_handshake(side->session, &side->err);
	}
}

static void a_server_without_authorities_takes_anybody(void **state)
{
	char name[TLS_PEER];
	struct ends ends;

	(void)state;
	ends_open(&ends, (struct tls_server_settings){ 0 }, (struct tls_client_settings){ 0 });
	shake_hands(&ends);
	assert_int_equal(ends.server.turn, TLS_DONE);
	assert_int_equal(ends.client.turn, TLS_DONE);
	assert_string_equal(tls_version(ends.server.session), "TLSv1.3");
	assert_string_equal(tls_peer(ends.server.session, name), "");
	assert_string_equal(tls_peer(ends.client.session, name), "serveur");
	ends_close(&ends);
}

static void a_server_with_authorities_learns_the_name_of_its_client(void **state)
{
	char name[TLS_PEER];
	struct ends ends;

	(void)state;
	ends_open(&ends, (struct tls_server_settings){ .client_ca = pki.chain_pem },
		  (struct tls_client_settings){ .cert = client_pem, .key = pki.key_pem });
	shake_hands(&ends);
	assert_int_equal(ends.server.turn, TLS_DONE);
	assert_int_equal(ends.client.turn, TLS_DONE);
	assert_string_equal(tls_peer(ends.server.session, name), "Laboratoire \xc3\xa9toile");
	ends_close(&ends);
}

static void both_keys_may_be_on_a_token(void **state)
{
	struct tls_server_settings server = { .cert = server_pem, .client_ca = pki.chain_pem };
	scoped(free_ptr) char *uri = NULL;
	struct tls *tls = NULL;
	struct err err = { 0 };
	struct softhsm hsm;
	struct ends ends;

	(void)state;
	softhsm_is_needed();
	softhsm_make(&hsm);
	softhsm_add_token("dmp");
	softhsm_add_key("dmp", pki.key_pem, "tls", "01");
	uri = softhsm_uri(&hsm, "token=dmp;object=tls");
	server.key = uri;
	ends_open(&ends, server, (struct tls_client_settings){ .cert = client_pem, .key = uri });
	shake_hands(&ends);
	assert_int_equal(ends.server.turn, TLS_DONE);
	assert_int_equal(ends.client.turn, TLS_DONE);
	ends_close(&ends);
	softhsm_hide(&hsm);
	assert_int_equal(tls_server_new(&tls, &server, PKI_NOW_MS, &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_string_equal(err.where, "key");
	assert_non_null(strstr(err.text, "object=tls: the token is not there"));
	softhsm_done(&hsm);
}

static void a_certificate_may_be_trusted_by_itself(void **state)
{
	char name[TLS_PEER];
	struct ends ends;

	(void)state;
	ends_open(&ends, (struct tls_server_settings){ .client_ca = alien_ca },
		  (struct tls_client_settings){ .cert = alien_pem, .key = pki.key_pem });
	shake_hands(&ends);
	assert_int_equal(ends.server.turn, TLS_DONE);
	assert_string_equal(tls_peer(ends.server.session, name), "stranger");
	ends_close(&ends);
}

static void a_client_that_cannot_be_checked_is_refused(void **state)
{
	const struct {
		const char *cert, *words;
	} cases[] = {
		{ "", "peer did not return a certificate" },
		{ alien_pem, "the peer's certificate is refused: self-signed certificate" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct ends ends;

		ends_open(
			&ends, (struct tls_server_settings){ .client_ca = pki.chain_pem },
			(struct tls_client_settings){ .cert = cases[i].cert,
						      .key = cases[i].cert[0] ? pki.key_pem : "" });
		shake_hands(&ends);
		assert_int_equal(ends.server.turn, TLS_FAILED);
		assert_int_equal(ends.server.err.kind, ERR_RETRY);
		if (strstr(ends.server.err.text, cases[i].words) == NULL)
			fail_msg("%s", ends.server.err.text);
		ends_close(&ends);
	}
}

static void the_server_must_be_who_was_called(void **state)
{
	const struct {
		const char *name, *ca, *words;
	} cases[] = {
		{ "engine.example", NULL, NULL },
		{ "127.0.0.1", NULL, NULL },
		{ "::1", NULL, NULL },
		{ "other.example", NULL, "hostname mismatch" },
		{ "127.0.0.2", NULL, "IP address mismatch" },
		{ "engine.example", alien_ca, "unable to get local issuer certificate" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct ends ends;

		ends_open(&ends, (struct tls_server_settings){ 0 },
			  (struct tls_client_settings){ .name = cases[i].name, .ca = cases[i].ca });
		shake_hands(&ends);
		assert_int_equal(ends.client.turn, cases[i].words ? TLS_FAILED : TLS_DONE);
		if (cases[i].words != NULL && strstr(ends.client.err.text, cases[i].words) == NULL)
			fail_msg("%s", ends.client.err.text);
		ends_close(&ends);
	}
}

static void versions_must_meet(void **state)
{
	const struct tls_server_settings old = { .cert = server_pem,
						 .key = pki.key_pem,
						 .min = "1.3" };
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl;
	struct ends ends;

	(void)state;
	ends_open(&ends, old, (struct tls_client_settings){ 0 });
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	ssl = SSL_new(context);
	SSL_set_fd(ssl, ends.client.fd);
	assert_int_equal(SSL_connect(ssl), -1);
	assert_int_equal(tls_handshake(ends.server.session, &ends.server.err), TLS_FAILED);
	assert_non_null(strstr(ends.server.err.text, "unsupported protocol"));
	SSL_free(ssl);
	SSL_CTX_free(context);
	ends_close(&ends);
}

static void who_does_not_speak_tls_is_told_apart(void **state)
{
	struct ends ends;

	(void)state;
	ends_open(&ends, (struct tls_server_settings){ 0 }, (struct tls_client_settings){ 0 });
	assert_int_equal(tls_handshake(ends.server.session, &ends.server.err), TLS_WANTS_READ);
	assert_int_equal(send(ends.client.fd, "\x0bMSH|", 5, 0), 5);
	assert_int_equal(tls_handshake(ends.server.session, &ends.server.err), TLS_FAILED);
	assert_string_equal(ends.server.err.text,
			    "the peer does not speak TLS: it begins with the byte 0x0B");
	ends_close(&ends);
}

static void a_peer_that_leaves_during_the_handshake_is_a_failure(void **state)
{
	struct ends ends;

	(void)state;
	ends_open(&ends, (struct tls_server_settings){ 0 }, (struct tls_client_settings){ 0 });
	assert_int_equal(tls_handshake(ends.client.session, &ends.client.err), TLS_WANTS_READ);
	assert_int_equal(tls_handshake(ends.server.session, &ends.server.err), TLS_WANTS_READ);
	shutdown(ends.client.fd, SHUT_RDWR);
	assert_int_equal(tls_handshake(ends.server.session, &ends.server.err), TLS_FAILED);
	assert_string_equal(ends.server.err.text, "TLS failed: the peer left");
	ends_close(&ends);
}

/* ---- bytes ---- */

static void bytes_go_through_in_pieces_until_the_end(void **state)
{
	struct ends ends;
	char *sent = xcalloc(1, LARGE), *got = xcalloc(1, LARGE);
	size_t out = 0, in = 0, n;
	enum tls_turn turn;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < LARGE; i++)
		sent[i] = (char)(i * 2654435761U >> 16);
	ends_open(&ends, (struct tls_server_settings){ 0 }, (struct tls_client_settings){ 0 });
	shake_hands(&ends);
	while (in < LARGE) {
		bool moved = false;

		if (out < LARGE) {
			/* from elsewhere each time: what is tried again may have moved */
			scoped(free_ptr) char *copy = slice_dup(
				(struct slice){ sent + out, min((size_t)100000, LARGE - out) });

			turn = tls_write(ends.client.session,
					 (struct slice){ copy, min((size_t)100000, LARGE - out) },
					 &n, &err);
			moved = turn == TLS_DONE;
			assert_true(moved || turn == TLS_WANTS_WRITE);
			out += moved ? n : 0;
		}
		turn = tls_read(ends.server.session, got + in, min((size_t)777, LARGE - in), &n,
				&err);
		assert_true(turn == TLS_DONE || (moved && turn == TLS_WANTS_READ));
		in += turn == TLS_DONE ? n : 0;
	}
	assert_memory_equal(sent, got, LARGE);
	tls_end(ends.client.session);
	assert_int_equal(tls_read(ends.server.session, got, 1, &n, &err), TLS_ENDED);
	free(sent);
	free(got);
	ends_close(&ends);
}

static void a_peer_that_leaves_without_a_word_has_ended(void **state)
{
	struct ends ends;
	struct err err = { 0 };
	char got;
	size_t n;

	(void)state;
	ends_open(&ends, (struct tls_server_settings){ 0 }, (struct tls_client_settings){ 0 });
	shake_hands(&ends);
	shutdown(ends.client.fd, SHUT_WR);
	assert_int_equal(tls_read(ends.server.session, &got, 1, &n, &err), TLS_ENDED);
	ends_close(&ends);
}

static void what_is_no_record_fails(void **state)
{
	struct ends ends;
	struct err err = { 0 };
	char got;
	size_t n;

	(void)state;
	ends_open(&ends, (struct tls_server_settings){ 0 }, (struct tls_client_settings){ 0 });
	shake_hands(&ends);
	assert_int_equal(send(ends.client.fd, "\x17\x03\x03\x00\x05hello", 10, 0), 10);
	assert_int_equal(tls_read(ends.server.session, &got, 1, &n, &err), TLS_FAILED);
	assert_memory_equal(err.text, "TLS failed: ", 12);
	ends_close(&ends);
}

/* ---- for libevent ---- */

/* What it writes after a part would stand in the place of the rest. */
static void libevent_writes_all_or_nothing(void **state)
{
	const struct tls_server_settings settings = { .cert = server_pem, .key = pki.key_pem };
	struct tls *tls = NULL;
	struct err err = { 0 };
	SSL *ssl;

	(void)state;
	assert_int_equal(tls_server_new(&tls, &settings, PKI_NOW_MS, &err), 0);
	ssl = tls_for_libevent(tls);
	tls_free(&tls);
	SSL_clear(ssl); /* as libevent does */
	assert_int_equal(SSL_get_mode(ssl) & SSL_MODE_ENABLE_PARTIAL_WRITE, 0);
	SSL_free(ssl);
}

static void why_a_handshake_of_libevent_did_not_end_is_told(void **state)
{
	static const struct {
		unsigned long trouble;
		const char *text;
	} cases[] = {
		{ 0, "TLS failed: the peer left" },
		{ SSL_ERROR_SYSCALL, "TLS failed: the peer left" },
		{ ERR_PACK(ERR_LIB_SSL, 0, SSL_R_HTTP_REQUEST), "TLS failed: http request" },
	};
	const struct tls_server_settings settings = { .cert = server_pem, .key = pki.key_pem };
	struct tls *tls = NULL;
	struct err err = { 0 };
	SSL *ssl;

	(void)state;
	assert_int_equal(tls_server_new(&tls, &settings, PKI_NOW_MS, &err), 0);
	ssl = tls_for_libevent(tls);
	for (size_t i = 0; i < length_of(cases); i++) {
		assert_int_equal(tls_end_for_libevent(ssl, cases[i].trouble, &err), -1);
		assert_string_equal(err.text, cases[i].text);
	}
	SSL_free(ssl);
	tls_free(&tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_at_fault_is_told_by_its_setting_and_name),
		cmocka_unit_test(a_client_wants_authorities_a_name_and_a_whole_pair),
		cmocka_unit_test(a_server_without_authorities_takes_anybody),
		cmocka_unit_test(a_server_with_authorities_learns_the_name_of_its_client),
		cmocka_unit_test(both_keys_may_be_on_a_token),
		cmocka_unit_test(a_certificate_may_be_trusted_by_itself),
		cmocka_unit_test(a_client_that_cannot_be_checked_is_refused),
		cmocka_unit_test(the_server_must_be_who_was_called),
		cmocka_unit_test(versions_must_meet),
		cmocka_unit_test(who_does_not_speak_tls_is_told_apart),
		cmocka_unit_test(a_peer_that_leaves_during_the_handshake_is_a_failure),
		cmocka_unit_test(bytes_go_through_in_pieces_until_the_end),
		cmocka_unit_test(a_peer_that_leaves_without_a_word_has_ended),
		cmocka_unit_test(what_is_no_record_fails),
		cmocka_unit_test(libevent_writes_all_or_nothing),
		cmocka_unit_test(why_a_handshake_of_libevent_did_not_end_is_told),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
