/* A TLS server on loopback, which plays a script in a thread of its own, and the client that meets it:
 * for the tests of dispatch/http. Certificates are made once.
 */
#ifndef DMPFEED_TESTS_HTTPS_H
#define DMPFEED_TESTS_HTTPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dispatch/http.h"

/* ---- certificates, made once ---- */

static char folder[] = "/tmp/test_http.XXXXXX";
static char *files[32];
static size_t file_count;
static EVP_PKEY *key, *other_key;
static X509 *root, *intermediate, *server_cert, *misnamed_cert, *stranger_cert;

/* The path of a file of this name in the folder; it is removed at the end. */
static const char *path_of(const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);

	for (size_t i = 0; i < file_count; i++)
		if (strcmp(files[i], path) == 0) {
			free(path);
			return files[i];
		}
	assert_true(file_count < length_of(files));
	files[file_count] = path;
	return files[file_count++];
}

static inline void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/* `issuer` NULL: signs itself. */
static inline X509 *certificate(const char *name, EVP_PKEY *own, const X509 *issuer,
				EVP_PKEY *issuer_key, int nid, const char *extension)
{
	static long serial;
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
	X509_set_pubkey(cert, own);
	add_extension(cert, nid, extension);
	assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
	return cert;
}

static inline void write_certs(const char *name, X509 *first, X509 *second)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	if (first != NULL)
		PEM_write_X509(file, first);
	if (second != NULL)
		PEM_write_X509(file, second);
	fclose(file);
}

static inline void write_key(const char *name, EVP_PKEY *of, const char *password)
{
	FILE *file = fopen(path_of(name), "w");
	scoped(free_ptr) char *owned = password ? xstrdup(password) : NULL;

	assert_non_null(file);
	PEM_write_PrivateKey(file, of, password ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, owned);
	fclose(file);
}

static inline int make_certificates(void **state)
{
	X509 *stranger, *client;

	(void)state;
	assert_non_null(mkdtemp(folder));
	key = EVP_RSA_gen(2048);
	other_key = EVP_EC_gen("P-256");
	root = certificate("Root", key, NULL, key, NID_basic_constraints, "critical,CA:TRUE");
	intermediate = certificate("Intermediate", other_key, root, key, NID_basic_constraints,
				   "critical,CA:TRUE");
	client = certificate("A hospital", key, intermediate, other_key, NID_key_usage,
			     "critical,digitalSignature");
	stranger = certificate("Stranger", other_key, NULL, other_key, NID_basic_constraints,
			       "critical,CA:TRUE");
	server_cert = certificate("Server", key, root, key, NID_subject_alt_name, "IP:127.0.0.1");
	misnamed_cert = certificate("Server", key, root, key, NID_subject_alt_name,
				    "DNS:elsewhere.example");
	stranger_cert = certificate("Server", key, stranger, other_key, NID_subject_alt_name,
				    "IP:127.0.0.1");
	write_certs("ca.pem", root, NULL);
	write_certs("client.pem", client, intermediate);
	write_certs("empty.pem", NULL, NULL);
	write_key("key.pem", key, NULL);
	write_key("other-key.pem", other_key, NULL);
	write_key("locked-key.pem", key, "a password");
	X509_free(client);
	X509_free(stranger);
	return 0;
}

static inline int remove_certificates(void **state)
{
	(void)state;
	while (file_count > 0) {
		unlink(files[--file_count]);
		free(files[file_count]);
	}
	rmdir(folder);
	X509_free(root);
	X509_free(intermediate);
	X509_free(server_cert);
	X509_free(misnamed_cert);
	X509_free(stranger_cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

/* ---- the server ---- */

#define OK_REPLY                                                                                   \
	"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 5\r\n\r\n<ok/>"

enum step {
	END,
	ACCEPT,      /* a connection and its handshake; ends the script when the test has ended */
	ACCEPT_TCP,  /* without handshake */
	READ,        /* one whole request */
	ANSWER,      /* the answer */
	RENEGOTIATE, /* asks for the client's certificate only now (TLS 1.2) */
	CLOSE,       /* as TLS wants it */
	HANG_UP,     /* the end of what we send, then reads until the client has closed */
	RESET,       /* a TCP reset */
	DEAFEN,      /* no more connections: they are refused */
	TELL,        /* the test, which waits in server_told() */
	WAIT,        /* until the test has ended */
};

struct server {
	/* set before it starts */
	const enum step *script;
	const char *answer; /* NULL: OK_REPLY */
	X509 *cert;         /* NULL: server_cert */
	const char *ciphers;
	int tls_min, tls_max; /* 0: any */
	bool asks;            /* for the client's certificate, from the handshake on */
	int verdict;          /* on that certificate: X509_V_OK checks it really */
	int receive_buffer;   /* 0: the system's */
	struct slice staple;  /* an OCSP response in DER for who asks; empty: none */

	/* read after it has ended */
	unsigned connections, handshakes, requests;
	char client_name[64]; /* the subject of the certificate it saw last */
	struct buf request;   /* the last one, header and body */
	size_t body_at;

	int listener, port, ends[2], tells[2];
	pthread_t thread;
	SSL_CTX *context;
	SSL *ssl;
	int connection;
};

static inline int verdict_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static inline int on_verify(int good, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct server *server = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), verdict_index());

	if (server->verdict == X509_V_OK)
		return good;
	X509_STORE_CTX_set_error(store, server->verdict);
	return 0;
}

static inline void end_connection(struct server *server)
{
	SSL_free(server->ssl);
	if (server->connection >= 0)
		close(server->connection);
	server->ssl = NULL;
	server->connection = -1;
}

static inline bool accept_tcp(struct server *server)
{
	struct pollfd fds[] = { { server->listener, POLLIN, 0 }, { server->ends[0], POLLIN, 0 } };

	end_connection(server);
	if (poll(fds, 2, -1) < 0 || fds[0].revents == 0)
		return false;
	server->connection = accept(server->listener, NULL, NULL);
	server->connections++;
	return true;
}

static inline void note_client(struct server *server)
{
	X509 *cert = SSL_get0_peer_certificate(server->ssl);

	if (cert != NULL)
		X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
					  server->client_name, sizeof(server->client_name));
}

static inline bool accept_tls(struct server *server)
{
	if (!accept_tcp(server))
		return false;
	server->ssl = SSL_new(server->context);
	SSL_set_fd(server->ssl, server->connection);
	if (SSL_accept(server->ssl) == 1) {
		server->handshakes++;
		note_client(server);
	}
	return true;
}

/* How many bytes a request that starts like this has; 0: not known yet. */
static inline size_t request_bytes(struct server *server)
{
	const char *end = server->request.p ? strstr(server->request.p, "\r\n\r\n") : NULL;
	const char *length = end ? strcasestr(server->request.p, "\r\nContent-Length:") : NULL;

	if (length == NULL)
		return 0;
	server->body_at = (size_t)(end - server->request.p) + 4;
	return server->body_at + strtoul(length + 17, NULL, 10);
}

static inline void read_request(struct server *server)
{
	char bytes[16384];
	size_t wanted;
	int n;

	buf_clear(&server->request);
	do {
		n = SSL_read(server->ssl, bytes, sizeof(bytes));
		if (n <= 0)
			return;
		buf_add(&server->request, (struct slice){ bytes, (size_t)n });
		wanted = request_bytes(server);
	} while (wanted == 0 || server->request.n < wanted);
	server->requests++;
}

static inline void renegotiate(struct server *server)
{
	char byte;

	SSL_set_verify(server->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
	SSL_clear_mode(server->ssl, SSL_MODE_AUTO_RETRY); /* the peek ends with the handshake */
	SSL_set_options(server->ssl, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
	SSL_renegotiate(server->ssl);
	SSL_do_handshake(server->ssl);
	SSL_peek(server->ssl, &byte, 0);
	note_client(server);
}

static inline void hang_up(struct server *server)
{
	char bytes[4096];

	shutdown(server->connection, SHUT_WR);
	while (read(server->connection, bytes, sizeof(bytes)) > 0)
		continue;
}

static inline void reset_connection(struct server *server)
{
	const struct linger now = { 1, 0 };

	setsockopt(server->connection, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	end_connection(server);
}

/* false: the script ends. */
static inline bool play(struct server *server, enum step step)
{
	const char *answer = server->answer ? server->answer : OK_REPLY;
	char byte = 0;

	switch (step) {
	case END:
		return false;
	case ACCEPT:
		return accept_tls(server);
	case ACCEPT_TCP:
		return accept_tcp(server);
	case READ:
		read_request(server);
		break;
	case ANSWER:
		SSL_write(server->ssl, answer, (int)strlen(answer));
		break;
	case RENEGOTIATE:
		renegotiate(server);
		break;
	case CLOSE:
		if (server->ssl != NULL)
			SSL_shutdown(server->ssl);
		end_connection(server);
		break;
	case HANG_UP:
		hang_up(server);
		break;
	case RESET:
		reset_connection(server);
		break;
	case DEAFEN:
		close(server->listener);
		server->listener = -1;
		break;
	case TELL:
		return write(server->tells[1], &byte, 1) == 1;
	case WAIT:
		return read(server->ends[0], &byte, 1) == 1;
	}
	return true;
}

static inline void *serve(void *arg)
{
	struct server *server = arg;
	const enum step *step = server->script;
	sigset_t pipe;

	sigemptyset(&pipe); /* only here: the client must not need it */
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while (play(server, *step))
		step++;
	end_connection(server);
	return NULL;
}

static inline int on_status_wanted(SSL *ssl, void *arg)
{
	const struct server *server = arg;

	if (server->staple.n == 0)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup(server->staple.p, server->staple.n),
					(long)server->staple.n);
	return SSL_TLSEXT_ERR_OK;
}

static inline SSL_CTX *server_context(struct server *server)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(context, server->cert ? server->cert : server_cert);
	SSL_CTX_use_PrivateKey(context, key);
	SSL_CTX_set_min_proto_version(context, server->tls_min);
	SSL_CTX_set_max_proto_version(context, server->tls_max);
	SSL_CTX_set_ex_data(context, verdict_index(), server);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root);
	if (server->asks)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   on_verify);
	SSL_CTX_set_tlsext_status_cb(context, on_status_wanted);
	SSL_CTX_set_tlsext_status_arg(context, server);
	if (server->ciphers != NULL)
		assert_int_equal(SSL_CTX_set_cipher_list(context, server->ciphers), 1);
	return context;
}

static inline int listen_on_loopback(int receive_buffer, int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (receive_buffer > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static inline void server_start(struct server *server)
{
	server->connection = -1;
	server->listener = listen_on_loopback(server->receive_buffer, &server->port);
	server->context = server_context(server);
	assert_int_equal(pipe(server->ends), 0);
	assert_int_equal(pipe(server->tells), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static inline void server_told(const struct server *server)
{
	char byte;

	assert_int_equal(read(server->tells[0], &byte, 1), 1);
}

/* Ends the script where it waits; what it noted may be read then. */
static inline void server_stop(struct server *server)
{
	close(server->ends[1]);
	pthread_join(server->thread, NULL);
	close(server->ends[0]);
	close(server->tells[0]);
	close(server->tells[1]);
	if (server->listener >= 0)
		close(server->listener);
	SSL_CTX_free(server->context);
}

/* ---- the client ---- */

static inline struct http_settings settings(void)
{
	return (struct http_settings){
		.tls.ca = path_of("ca.pem"),
		.tls.cert = path_of("client.pem"),
		.tls.key = path_of("key.pem"),
		.tls.least = "1.2",
		.tls.most = "1.2",
		.tls.ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
			       "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-SHA384",
		.connect_timeout_ms = 10000,
		.exchange_timeout_ms = 20000,
		.most_reply_bytes = 10000,
		.most_connections = 1,
	};
}

struct client {
	struct event_base *loop;
	struct mailbox *mailbox;
	struct event *mail;
	struct workers *workers;
	struct http *http;
	struct http_settings settings; /* as changed before client_start() */
};

static inline struct client client_of_settings(void)
{
	return (struct client){ .settings = settings() };
}

static inline void mail_came(evutil_socket_t fd, short what, void *mailbox)
{
	(void)fd;
	(void)what;
	mailbox_deliver(mailbox);
}

static inline void client_start(struct client *client)
{
	const struct workers_settings settings = { .count = 1, .name = "disk" };
	struct err err = { 0 };

	client->loop = event_base_new();
	client->mailbox = mailbox_new();
	client->mail = event_new(client->loop, mailbox_fd(client->mailbox), EV_READ | EV_PERSIST,
				 mail_came, client->mailbox);
	event_add(client->mail, NULL);
	client->workers = workers_new(&settings, client->mailbox);
	if (http_new(&client->http, client->loop, client->workers, &client->settings, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void client_stop(struct client *client)
{
	http_free(&client->http);
	workers_free(&client->workers);
	mailbox_deliver(client->mailbox);
	event_free(client->mail);
	mailbox_free(&client->mailbox);
	event_base_free(client->loop);
}

struct post {
	struct http_request request;
	struct client *client;
	char url[64];
	unsigned done;
	unsigned again; /* posts itself so many times more */
	bool ends_client;
	unsigned order; /* when it was done, among all */
};

static unsigned done_count;

static inline void on_done(struct http_request *request)
{
	struct post *post = container_of(request, struct post, request);

	post->done++;
	post->order = ++done_count;
	if (post->ends_client)
		http_free(&post->client->http);
	if (post->again > 0) {
		post->again--;
		http_post(post->client->http, request);
	} else {
		event_base_loopbreak(post->client->loop);
	}
}

static inline void post_start(struct post *post, struct client *client, const struct server *server,
			      struct slice body)
{
	*post = (struct post){ .client = client };
	snprintf(post->url, sizeof(post->url), "https://127.0.0.1:%d/repository", server->port);
	post->request = (struct http_request){
		.url = post->url,
		.content_type = "application/soap+xml; charset=UTF-8",
		.body = { body },
		.done = on_done,
	};
}

/* Posts and runs the loop until it is done. */
static inline void post_and_wait(struct post *post)
{
	const unsigned before = post->done;

	http_post(post->client->http, &post->request);
	assert_int_equal(post->done, before);
	while (post->done == before)
		assert_int_equal(event_base_loop(post->client->loop, EVLOOP_ONCE), 0);
}

/* One exchange of a client with a server, from the start of both to the end of both. */
static inline void exchange(struct post *post, struct client *client, struct server *server,
			    struct slice body)
{
	server_start(server);
	client_start(client);
	post_start(post, client, server, body);
	post_and_wait(post);
	client_stop(client);
	server_stop(server);
	buf_done(&server->request);
}

static inline void assert_answered(const struct post *post, int status)
{
	assert_string_equal(post->request.transport_text, "");
	assert_true(post->request.exchange.answered);
	assert_false(post->request.exchange.our_tls_refused);
	assert_int_equal(post->request.exchange.http_status, status);
}

static inline void assert_unanswered(const struct post *post)
{
	assert_false(post->request.exchange.answered);
	assert_string_not_equal(post->request.transport_text, "");
	assert_ptr_equal(post->request.exchange.transport_text, post->request.transport_text);
	assert_int_equal(post->request.reply.n, 0);
}

static inline void assert_reply(const struct post *post, const char *text)
{
	assert_true(slice_is(buf_slice(&post->request.reply), text));
}

#define SMALL slice_of("<soap/>")

static const enum step answers_once[] = { ACCEPT, READ, ANSWER, WAIT, END };

#endif
