/* The client against a real TLS server on loopback, which plays a script in a thread of its own. */
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

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/* `issuer` NULL: signs itself. */
static X509 *certificate(const char *name, EVP_PKEY *own, const X509 *issuer, EVP_PKEY *issuer_key,
			 int nid, const char *extension)
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

static void write_certs(const char *name, X509 *first, X509 *second)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	if (first != NULL)
		PEM_write_X509(file, first);
	if (second != NULL)
		PEM_write_X509(file, second);
	fclose(file);
}

static void write_key(const char *name, EVP_PKEY *of, const char *password)
{
	FILE *file = fopen(path_of(name), "w");
	scoped(free_ptr) char *owned = password ? xstrdup(password) : NULL;

	assert_non_null(file);
	PEM_write_PrivateKey(file, of, password ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, owned);
	fclose(file);
}

static int make_certificates(void **state)
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

static int remove_certificates(void **state)
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

static int verdict_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static int on_verify(int good, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct server *server = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), verdict_index());

	if (server->verdict == X509_V_OK)
		return good;
	X509_STORE_CTX_set_error(store, server->verdict);
	return 0;
}

static void end_connection(struct server *server)
{
	SSL_free(server->ssl);
	if (server->connection >= 0)
		close(server->connection);
	server->ssl = NULL;
	server->connection = -1;
}

static bool accept_tcp(struct server *server)
{
	struct pollfd fds[] = { { server->listener, POLLIN, 0 }, { server->ends[0], POLLIN, 0 } };

	end_connection(server);
	if (poll(fds, 2, -1) < 0 || fds[0].revents == 0)
		return false;
	server->connection = accept(server->listener, NULL, NULL);
	server->connections++;
	return true;
}

static void note_client(struct server *server)
{
	X509 *cert = SSL_get0_peer_certificate(server->ssl);

	if (cert != NULL)
		X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
					  server->client_name, sizeof(server->client_name));
}

static bool accept_tls(struct server *server)
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
static size_t request_bytes(struct server *server)
{
	const char *end = server->request.p ? strstr(server->request.p, "\r\n\r\n") : NULL;
	const char *length = end ? strcasestr(server->request.p, "\r\nContent-Length:") : NULL;

	if (length == NULL)
		return 0;
	server->body_at = (size_t)(end - server->request.p) + 4;
	return server->body_at + strtoul(length + 17, NULL, 10);
}

static void read_request(struct server *server)
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

static void renegotiate(struct server *server)
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

static void hang_up(struct server *server)
{
	char bytes[4096];

	shutdown(server->connection, SHUT_WR);
	while (read(server->connection, bytes, sizeof(bytes)) > 0)
		continue;
}

static void reset_connection(struct server *server)
{
	const struct linger now = { 1, 0 };

	setsockopt(server->connection, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	end_connection(server);
}

/* false: the script ends. */
static bool play(struct server *server, enum step step)
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

static void *serve(void *arg)
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

static SSL_CTX *server_context(struct server *server)
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
	if (server->ciphers != NULL)
		assert_int_equal(SSL_CTX_set_cipher_list(context, server->ciphers), 1);
	return context;
}

static int listen_on_loopback(int receive_buffer, int *ret_port)
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

static void server_start(struct server *server)
{
	server->connection = -1;
	server->listener = listen_on_loopback(server->receive_buffer, &server->port);
	server->context = server_context(server);
	assert_int_equal(pipe(server->ends), 0);
	assert_int_equal(pipe(server->tells), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_told(const struct server *server)
{
	char byte;

	assert_int_equal(read(server->tells[0], &byte, 1), 1);
}

/* Ends the script where it waits; what it noted may be read then. */
static void server_stop(struct server *server)
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

static struct http_settings settings(void)
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
	struct http *http;
	struct http_settings settings; /* as changed before client_start() */
};

static struct client client_of_settings(void)
{
	return (struct client){ .settings = settings() };
}

static void client_start(struct client *client)
{
	struct err err = { 0 };

	client->loop = event_base_new();
	if (http_new(&client->http, client->loop, &client->settings, &err) < 0)
		fail_msg("%s", err.text);
}

static void client_stop(struct client *client)
{
	http_free(&client->http);
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

static void on_done(struct http_request *request)
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

static void post_start(struct post *post, struct client *client, const struct server *server,
		       struct slice body)
{
	*post = (struct post){ .client = client };
	snprintf(post->url, sizeof(post->url), "https://127.0.0.1:%d/repository", server->port);
	post->request = (struct http_request){
		.url = post->url,
		.content_type = "application/soap+xml; charset=UTF-8",
		.body = body,
		.done = on_done,
	};
}

/* Posts and runs the loop until it is done. */
static void post_and_wait(struct post *post)
{
	const unsigned before = post->done;

	http_post(post->client->http, &post->request);
	assert_int_equal(post->done, before);
	while (post->done == before)
		assert_int_equal(event_base_loop(post->client->loop, EVLOOP_ONCE), 0);
}

/* One exchange of a client with a server, from the start of both to the end of both. */
static void exchange(struct post *post, struct client *client, struct server *server,
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

static void assert_answered(const struct post *post, int status)
{
	assert_string_equal(post->request.transport_text, "");
	assert_true(post->request.exchange.answered);
	assert_false(post->request.exchange.our_tls_refused);
	assert_int_equal(post->request.exchange.http_status, status);
}

static void assert_unanswered(const struct post *post)
{
	assert_false(post->request.exchange.answered);
	assert_string_not_equal(post->request.transport_text, "");
	assert_ptr_equal(post->request.exchange.transport_text, post->request.transport_text);
	assert_int_equal(post->request.reply.n, 0);
}

static void assert_reply(const struct post *post, const char *text)
{
	assert_true(slice_is(buf_slice(&post->request.reply), text));
}

#define SMALL slice_of("<soap/>")

static const enum step answers_once[] = { ACCEPT, READ, ANSWER, WAIT, END };

/* ---- answers ---- */

static void a_request_is_answered(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 200);
	assert_true(post.request.exchange.fully_written);
	assert_reply(&post, "<ok/>");
	assert_string_equal(post.request.reply_content_type, "application/soap+xml");
	assert_int_equal(post.request.exchange.retry_after_ms, 0);
	assert_in_range(post.request.duration_ms, 0, client.settings.exchange_timeout_ms);
	buf_done(&post.request.reply);
}

static void the_server_sees_a_plain_post_with_a_length(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;
	scoped(free_ptr) char *expected = NULL;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	client_stop(&client);
	server_stop(&server);
	expected = xasprintf("POST /repository HTTP/1.1\r\n"
			     "Host: 127.0.0.1:%d\r\n"
			     "Content-Type: application/soap+xml; charset=UTF-8\r\n"
			     "Accept: application/soap+xml, multipart/related\r\n"
			     "Content-Length: 7\r\n"
			     "\r\n"
			     "<soap/>",
			     server.port);
	assert_string_equal(server.request.p, expected);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void a_large_body_arrives_byte_for_byte(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	for (unsigned i = 0; i < 2000000; i++)
		buf_add_char(&body, (char)(i * i >> 8));
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, buf_slice(&body));
	post_and_wait(&post);
	client_stop(&client);
	server_stop(&server);
	assert_answered(&post, 200);
	assert_true(slice_equal(slice_from(buf_slice(&server.request), server.body_at),
				buf_slice(&body)));
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void a_body_may_come_in_any_form_of_http(void **state)
{
	static const char *const replies[] = {
		OK_REPLY,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		"chunked\r\n\r\n2\r\n<o\r\n3\r\nk/>\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ok/>",
		"HTTP/1.0 200 OK\r\n\r\n<ok/>",
		"HTTP/1.1 100 Continue\r\n\r\n" OK_REPLY,
	};

	(void)state;
	for (size_t i = 0; i < length_of(replies); i++) {
		const enum step script[] = { ACCEPT, READ, ANSWER, CLOSE, END };
		struct server server = { .script = script, .answer = replies[i] };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_answered(&post, 200);
		assert_reply(&post, "<ok/>");
		buf_done(&post.request.reply);
	}
}

static void an_answer_is_an_answer_whatever_its_status(void **state)
{
	static const int statuses[] = { 400, 403, 404, 413, 500, 503 };

	(void)state;
	for (size_t i = 0; i < length_of(statuses); i++) {
		scoped(free_ptr) char *reply = xasprintf(
			"HTTP/1.1 %d Word\r\nContent-Length: 5\r\n\r\n<no/>", statuses[i]);
		struct server server = { .script = answers_once, .answer = reply };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_answered(&post, statuses[i]);
		assert_reply(&post, "<no/>");
		buf_done(&post.request.reply);
	}
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, READ, ANSWER, END };
	struct server server = {
		.script = script,
		.answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
	};
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 302);
	assert_int_equal(server.requests, 1);
	buf_done(&post.request.reply);
}

static void an_answer_may_come_before_the_whole_request_was_read(void **state)
{
	static const enum step script[] = { ACCEPT, ANSWER, WAIT, END };
	struct server server = { .script = script,
				 .answer = "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n",
				 .receive_buffer = 65536 };
	struct client client = client_of_settings();
	struct post post;
	scoped(free_ptr) char *body = xcalloc(32, 1 << 20);

	(void)state;
	exchange(&post, &client, &server, (struct slice){ body, 32 << 20 });
	assert_answered(&post, 413);
	assert_false(post.request.exchange.fully_written);
	buf_done(&post.request.reply);
}

static void the_server_may_say_when_to_come_back(void **state)
{
	static const struct {
		const char *header;
		int64_t least_s, most_s;
	} cases[] = {
		{ "Retry-After: 120", 120, 120 },
		{ "retry-after:7", 7, 7 },
		{ "Retry-After: 999999999999", 86400, 86400 },
		{ "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT", 86400, 86400 },
		{ "Retry-After: Fri, 01 Jan 1999 00:00:00 GMT", 0, 0 },
		{ "Retry-After: -5", 0, 0 },
		{ "Retry-After: soon", 0, 0 },
		{ "Retry-Later: 120", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *reply = xasprintf(
			"HTTP/1.1 503 Busy\r\n%s\r\nContent-Length: 0\r\n\r\n", cases[i].header);
		struct server server = { .script = answers_once, .answer = reply };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_answered(&post, 503);
		assert_in_range(post.request.exchange.retry_after_ms, cases[i].least_s * 1000,
				cases[i].most_s * 1000);
		buf_done(&post.request.reply);
	}
}

static void the_server_may_give_the_date_to_come_back(void **state)
{
	const time_t later = time(NULL) + 100;
	char reply[256];
	struct tm tm;
	struct server server = { .script = answers_once, .answer = reply };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	gmtime_r(&later, &tm);
	strftime(reply, sizeof(reply),
		 "HTTP/1.1 429 Slowly\r\nRetry-After: %a, %d %b %Y %H:%M:%S GMT\r\n"
		 "Content-Length: 0\r\n\r\n",
		 &tm);
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 429);
	assert_in_range(post.request.exchange.retry_after_ms, 60000, 100000);
	buf_done(&post.request.reply);
}

static void a_content_type_that_does_not_fit_is_cut(void **state)
{
	scoped(free_ptr) char *reply = xasprintf(
		"HTTP/1.1 200 OK\r\nContent-Type: %0300d\r\nContent-Length: 0\r\n\r\n", 0);
	struct server server = { .script = answers_once, .answer = reply };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 200);
	assert_int_equal(strlen(post.request.reply_content_type), 255);
	buf_done(&post.request.reply);
}

static void nothing_of_an_exchange_is_left_to_the_next(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, READ, DEAFEN, RESET, END };
	struct server server = { .script = script,
				 .answer = "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n"
					   "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
					   "later" };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	assert_answered(&post, 503);
	assert_int_equal(post.request.exchange.retry_after_ms, 120000);
	assert_string_equal(post.request.reply_content_type, "text/plain");
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_int_equal(post.request.exchange.http_status, 0);
	assert_int_equal(post.request.exchange.retry_after_ms, 0);
	assert_string_equal(post.request.reply_content_type, "");
	client_stop(&client);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

/* ---- connections ---- */

static void a_second_request_uses_the_same_connection(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, READ, ANSWER, WAIT, END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	for (int i = 0; i < 2; i++) {
		post_and_wait(&post);
		assert_answered(&post, 200);
		assert_reply(&post, "<ok/>");
	}
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(server.connections, 1);
	assert_int_equal(server.requests, 2);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void a_done_may_post_again_at_once(void **state)
{
	static const enum step script[] = { ACCEPT, READ,   ANSWER, READ, ANSWER,
					    READ,   ANSWER, WAIT,   END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post.again = 2;
	http_post(client.http, &post.request);
	while (post.done < 3)
		event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(server.requests, 3);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void requests_beyond_the_connections_wait_their_turn(void **state)
{
	static const enum step script[] = { ACCEPT, READ,   ANSWER, READ, ANSWER,
					    READ,   ANSWER, WAIT,   END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post posts[3];

	(void)state;
	server_start(&server);
	client_start(&client);
	for (size_t i = 0; i < length_of(posts); i++) {
		post_start(&posts[i], &client, &server, SMALL);
		http_post(client.http, &posts[i].request);
	}
	while (posts[2].done == 0)
		event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	server_stop(&server);
	for (size_t i = 0; i < length_of(posts); i++) {
		assert_answered(&posts[i], 200);
		assert_int_equal(posts[i].order, posts[0].order + i);
		buf_done(&posts[i].request.reply);
	}
	assert_int_equal(server.connections, 1);
	buf_done(&server.request);
}

/* The server's end of the first connection stays open and silent until the second has answered. */
static void requests_go_at_once_as_far_as_connections_are_allowed(void **state)
{
	static const enum step script[] = { ACCEPT, WAIT, END };
	struct server silent = { .script = script }, server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post first, second;

	(void)state;
	client.settings.most_connections = 2;
	server_start(&silent);
	server_start(&server);
	client_start(&client);
	post_start(&first, &client, &silent, SMALL);
	http_post(client.http, &first.request);
	post_start(&second, &client, &server, SMALL);
	post_and_wait(&second);
	assert_answered(&second, 200);
	assert_int_equal(first.done, 0);
	client_stop(&client);
	server_stop(&silent);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&second.request.reply);
}

static void a_connection_that_the_server_closed_meanwhile_is_replaced(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, CLOSE, TELL,
					    ACCEPT, READ, ANSWER, WAIT,  END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	server_told(&server);
	post_and_wait(&post);
	assert_answered(&post, 200);
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(server.connections, 2);
	assert_int_equal(server.requests, 2);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void no_proxy_is_taken_from_the_environment(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	setenv("https_proxy", "http://127.0.0.1:9", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
	exchange(&post, &client, &server, SMALL);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	assert_answered(&post, 200);
	buf_done(&post.request.reply);
}

/* ---- no answer: had the request left? ---- */

/* Bodies: one that any socket takes at once, and one that none does. */
static void without_an_answer_it_is_known_whether_all_had_left(void **state)
{
	static const struct {
		enum step script[6];
		size_t body_bytes;
		int64_t timeout_ms;
		bool written;
	} cases[] = {
		{ { ACCEPT, READ, RESET, ACCEPT }, 7, 20000, true },
		{ { ACCEPT, READ, CLOSE, ACCEPT }, 7, 20000, true },
		{ { ACCEPT, READ, RESET, ACCEPT }, 32 << 20, 20000, true },
		{ { ACCEPT, READ, WAIT }, 7, 1500, true },
		{ { ACCEPT, RESET, ACCEPT }, 32 << 20, 20000, false },
		{ { ACCEPT, CLOSE, ACCEPT }, 32 << 20, 20000, false },
		{ { ACCEPT, WAIT }, 32 << 20, 700, false },
	};
	scoped(free_ptr) char *bytes = xcalloc(32, 1 << 20);

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct server server = { .script = cases[i].script, .receive_buffer = 65536 };
		struct client client = client_of_settings();
		struct post post;

		client.settings.exchange_timeout_ms = cases[i].timeout_ms;
		exchange(&post, &client, &server, (struct slice){ bytes, cases[i].body_bytes });
		assert_unanswered(&post);
		assert_int_equal(post.request.exchange.http_status, 0);
		assert_int_equal(post.request.exchange.fully_written, cases[i].written);
		assert_false(post.request.exchange.our_tls_refused);
		assert_int_equal(server.connections, 1);
		buf_done(&post.request.reply);
	}
}

/* Left to itself, curl would send the document again on a new connection, and the server would call
 * it a duplicate that is not ours. */
static void a_request_that_a_kept_connection_lost_is_not_sent_again(void **state)
{
	static const enum step scripts[][10] = {
		{ ACCEPT, READ, ANSWER, READ, RESET, ACCEPT, READ, ANSWER, WAIT },
		{ ACCEPT, READ, ANSWER, READ, CLOSE, ACCEPT, READ, ANSWER, WAIT },
		{ ACCEPT, READ, ANSWER, READ, DEAFEN, RESET, WAIT },
	};

	(void)state;
	for (size_t i = 0; i < length_of(scripts); i++) {
		struct server server = { .script = scripts[i] };
		struct client client = client_of_settings();
		struct post post;

		server_start(&server);
		client_start(&client);
		post_start(&post, &client, &server, SMALL);
		post_and_wait(&post);
		assert_answered(&post, 200);
		post_and_wait(&post);
		assert_unanswered(&post);
		assert_true(post.request.exchange.fully_written);
		client_stop(&client);
		server_stop(&server);
		assert_int_equal(server.requests, 2);
		buf_done(&server.request);
		buf_done(&post.request.reply);
	}
}

static void an_answer_that_breaks_off_is_none(void **state)
{
	static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<ok/>";
	static const enum step ends[] = { CLOSE, RESET };

	(void)state;
	for (size_t i = 0; i < length_of(ends); i++) {
		const enum step script[] = { ACCEPT, READ, ANSWER, ends[i], WAIT, END };
		struct server server = { .script = script, .answer = cut };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_true(post.request.exchange.fully_written);
		buf_done(&post.request.reply);
	}
}

static void an_answer_that_is_too_large_is_none(void **state)
{
	static const char *const starts[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", /* as body */
		"HTTP/1.1 200 OK\r\nX: ",                           /* as header */
	};

	(void)state;
	for (size_t i = 0; i < length_of(starts); i++) {
		scoped(free_ptr) char *reply = xasprintf("%s%020000d\r\n\r\n", starts[i], 0);
		struct server server = { .script = answers_once, .answer = reply };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_int_equal(post.request.exchange.http_status, 200);
		assert_string_equal(post.request.transport_text,
				    "the reply is larger than 10000 bytes");
		assert_true(post.request.exchange.fully_written);
		buf_done(&post.request.reply);
	}
}

static void what_does_not_speak_http_has_not_answered(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, CLOSE, END };
	struct server server = { .script = script, .answer = "220 mail ready\r\n" };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_unanswered(&post);
	assert_false(post.request.exchange.our_tls_refused);
	buf_done(&post.request.reply);
}

static void a_refused_connection_is_no_refusal_of_our_certificate(void **state)
{
	struct server nobody = { 0 };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	close(listen_on_loopback(0, &nobody.port));
	client_start(&client);
	post_start(&post, &client, &nobody, SMALL);
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_false(post.request.exchange.fully_written);
	assert_false(post.request.exchange.our_tls_refused);
	client_stop(&client);
}

static void a_handshake_that_breaks_off_is_no_refusal_of_our_certificate(void **state)
{
	static const enum step scripts[][4] = {
		{ ACCEPT_TCP, CLOSE, ACCEPT_TCP },
		{ ACCEPT_TCP, RESET, ACCEPT_TCP },
		{ ACCEPT_TCP, HANG_UP },
		{ ACCEPT_TCP, WAIT },
	};

	(void)state;
	for (size_t i = 0; i < length_of(scripts); i++) {
		struct server server = { .script = scripts[i] };
		struct client client = client_of_settings();
		struct post post;

		client.settings.connect_timeout_ms = 500;
		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_false(post.request.exchange.fully_written);
		assert_false(post.request.exchange.our_tls_refused);
	}
}

/* ---- a resolver that hangs ---- */

static int hung_names[2] = { -1, -1 };

/* In the place of the C library's, also for curl: waits until the test closes the pipe. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	char byte;

	(void)node;
	(void)service;
	(void)hints;
	(void)ret_list;
	(void)!read(hung_names[0], &byte, 1);
	return EAI_AGAIN;
}

static void a_resolver_that_hangs_does_not_hold_the_loop(void **state)
{
	struct server nobody = { 0 };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	assert_int_equal(pipe(hung_names), 0);
	client.settings.connect_timeout_ms = 300;
	client_start(&client);
	post_start(&post, &client, &nobody, SMALL);
	snprintf(post.url, sizeof(post.url), "https://somewhere.example/repository");
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_false(post.request.exchange.fully_written);
	http_post(client.http, &post.request);
	event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	close(hung_names[1]);
}

static void only_https_is_spoken(void **state)
{
	static const char *const schemes[] = { "http", "ftp", "file" };

	(void)state;
	for (size_t i = 0; i < length_of(schemes); i++) {
		struct server nobody = { 0 };
		struct client client = client_of_settings();
		struct post post;

		client_start(&client);
		post_start(&post, &client, &nobody, SMALL);
		snprintf(post.url, sizeof(post.url), "%s://127.0.0.1/repository", schemes[i]);
		post_and_wait(&post);
		assert_unanswered(&post);
		assert_false(post.request.exchange.fully_written);
		client_stop(&client);
	}
}

static void what_curl_refuses_at_once_is_done_from_the_loop(void **state)
{
	struct server nobody = { 0 };
	struct client client = client_of_settings();
	struct post posts[3];
	scoped(free_ptr) char *url = xasprintf("https://127.0.0.1/%09000000d", 0);

	(void)state;
	client.settings.most_connections = length_of(posts);
	client_start(&client);
	for (size_t i = 0; i < length_of(posts); i++) {
		post_start(&posts[i], &client, &nobody, SMALL);
		posts[i].request.url = url;
		http_post(client.http, &posts[i].request);
	}
	for (size_t i = 0; i < length_of(posts); i++)
		assert_int_equal(posts[i].done, 0);
	for (size_t i = 0; i < length_of(posts); i++) {
		while (posts[i].done == 0)
			event_base_loop(client.loop, EVLOOP_ONCE);
		assert_unanswered(&posts[i]);
		assert_int_equal(posts[i].order, posts[0].order + i);
	}
	client_stop(&client);
}

/* ---- TLS ---- */

static void the_server_sees_our_certificate_and_its_intermediate(void **state)
{
	static const char *const versions[] = { "1.2", "1.3" };

	(void)state;
	for (size_t i = 0; i < length_of(versions); i++) {
		struct server server = { .script = answers_once, .asks = true };
		struct client client = client_of_settings();
		struct post post;

		client.settings.tls.least = client.settings.tls.most = versions[i];
		exchange(&post, &client, &server, SMALL);
		assert_answered(&post, 200);
		assert_string_equal(server.client_name, "A hospital");
		buf_done(&post.request.reply);
	}
}

static void a_server_that_does_not_ask_sees_no_certificate(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 200);
	assert_string_equal(server.client_name, "");
	buf_done(&post.request.reply);
}

static void a_server_may_ask_for_our_certificate_after_it_read_the_request(void **state)
{
	static const enum step script[] = { ACCEPT, READ, RENEGOTIATE, ANSWER, WAIT, END };
	struct server server = { .script = script, .tls_max = TLS1_2_VERSION };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 200);
	assert_string_equal(server.client_name, "A hospital");
	buf_done(&post.request.reply);
}

static void a_server_that_is_not_the_one_is_sent_nothing(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, END };
	X509 *const certs[] = { stranger_cert, misnamed_cert };

	(void)state;
	for (size_t i = 0; i < length_of(certs); i++) {
		struct server server = { .script = script, .cert = certs[i] };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_true(post.request.exchange.our_tls_refused);
		assert_false(post.request.exchange.fully_written);
		assert_int_equal(server.requests, 0);
	}
}

static void a_server_that_refuses_our_certificate_is_understood(void **state)
{
	static const struct {
		int verdict;
		const char *words;
	} cases[] = {
		{ X509_V_ERR_CERT_HAS_EXPIRED, "expired" },
		{ X509_V_ERR_CERT_REVOKED, "certificate revoked" },
		{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "unknown ca" },
		{ X509_V_ERR_CERT_REJECTED, "bad certificate" },
		{ X509_V_ERR_INVALID_PURPOSE, "unsupported certificate" },
		{ X509_V_ERR_APPLICATION_VERIFICATION, "handshake failure" },
	};
	static const char *const versions[] = { "1.2", "1.3" };
	static const enum step script[] = { ACCEPT, HANG_UP, END };

	(void)state;
	for (size_t v = 0; v < length_of(versions); v++)
		for (size_t i = 0; i < length_of(cases); i++) {
			struct server server = { .script = script,
						 .asks = true,
						 .verdict = cases[i].verdict };
			struct client client = client_of_settings();
			struct post post;

			client.settings.tls.most = client.settings.tls.least = versions[v];
			exchange(&post, &client, &server, SMALL);
			assert_unanswered(&post);
			assert_true(post.request.exchange.our_tls_refused);
			assert_non_null(strstr(post.request.transport_text, cases[i].words));
			assert_int_equal(server.handshakes, 0);
		}
}

static void a_server_with_other_ideas_of_tls_is_understood(void **state)
{
	static const struct {
		const char *ciphers;
		int tls_min, tls_max;
	} cases[] = {
		{ "ECDHE-RSA-AES128-SHA256", 0, TLS1_2_VERSION }, /* handshake_failure */
		{ NULL, TLS1_3_VERSION, 0 },                      /* protocol_version */
	};
	static const enum step script[] = { ACCEPT, HANG_UP, END };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct server server = { .script = script,
					 .ciphers = cases[i].ciphers,
					 .tls_min = cases[i].tls_min,
					 .tls_max = cases[i].tls_max };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_true(post.request.exchange.our_tls_refused);
		assert_false(post.request.exchange.fully_written);
	}
}

/* ---- birth and end ---- */

static void assert_not_made(const struct http_settings *wrong, const char *culprit)
{
	struct event_base *loop = event_base_new();
	struct http *http = NULL;
	struct err err = { 0 };

	assert_int_equal(http_new(&http, loop, wrong, &err), -1);
	assert_null(http);
	assert_int_equal(err.kind, ERR_HALT);
	assert_non_null(strstr(err.text, culprit));
	event_base_free(loop);
}

static void a_wrong_file_is_named_at_start(void **state)
{
	static const struct {
		size_t setting;
		const char *file;
	} cases[] = {
		{ offsetof(struct http_settings, tls.ca), "absent.pem" },
		{ offsetof(struct http_settings, tls.ca), "empty.pem" },
		{ offsetof(struct http_settings, tls.ca), "key.pem" },
		{ offsetof(struct http_settings, tls.ca), "" }, /* the folder */
		{ offsetof(struct http_settings, tls.cert), "absent.pem" },
		{ offsetof(struct http_settings, tls.cert), "empty.pem" },
		{ offsetof(struct http_settings, tls.cert), "key.pem" },
		{ offsetof(struct http_settings, tls.key), "absent.pem" },
		{ offsetof(struct http_settings, tls.key), "empty.pem" },
		{ offsetof(struct http_settings, tls.key), "client.pem" },
		{ offsetof(struct http_settings, tls.key), "other-key.pem" },
		{ offsetof(struct http_settings, tls.key), "locked-key.pem" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct http_settings wrong = settings();
		const char **setting = (void *)((char *)&wrong + cases[i].setting);

		*setting = path_of(cases[i].file);
		assert_not_made(&wrong, *setting);
	}
}

static void a_key_that_is_not_the_certificates_is_said_with_both_files(void **state)
{
	struct http_settings wrong = settings();

	(void)state;
	wrong.tls.key = path_of("other-key.pem");
	assert_not_made(&wrong, "other-key.pem is not the key of the certificate in ");
	assert_not_made(&wrong, "client.pem");
}

static void wrong_tls_settings_are_named_at_start(void **state)
{
	static const char *const ranges[][2] = { { "1.1", "1.2" }, { "1.3", "1.2" }, { "", "" } };
	struct http_settings wrong = settings();

	(void)state;
	wrong.tls.ciphers = "NO-SUCH-CIPHER";
	assert_not_made(&wrong, "NO-SUCH-CIPHER");
	for (size_t i = 0; i < length_of(ranges); i++) {
		wrong = settings();
		wrong.tls.least = ranges[i][0];
		wrong.tls.most = ranges[i][1];
		assert_not_made(&wrong, "TLS from ");
	}
}

static void files_are_read_once(void **state)
{
	struct server server = { .script = answers_once, .asks = true };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	write_key("passing-key.pem", key, NULL);
	client.settings.tls.key = path_of("passing-key.pem");
	server_start(&server);
	client_start(&client);
	write_key("passing-key.pem", other_key, NULL);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	assert_answered(&post, 200);
	client_stop(&client);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void requests_under_way_are_dropped_with_the_client(void **state)
{
	static const enum step script[] = { ACCEPT, READ, TELL, WAIT, END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post under_way, waiting, done;
	struct server nobody = { 0 };

	(void)state;
	client.settings.most_connections = 2;
	server_start(&server);
	client_start(&client);
	post_start(&under_way, &client, &server, SMALL);
	http_post(client.http, &under_way.request);
	close(listen_on_loopback(0, &nobody.port));
	post_start(&done, &client, &nobody, SMALL);
	http_post(client.http, &done.request);
	post_start(&waiting, &client, &server, SMALL);
	http_post(client.http, &waiting.request);
	while (done.done == 0)
		event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(under_way.done, 0);
	assert_int_equal(waiting.done, 0);
	buf_done(&server.request);
}

static void a_done_may_free_the_client(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post, waiting;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post.ends_client = true;
	http_post(client.http, &post.request);
	post_start(&waiting, &client, &server, SMALL);
	http_post(client.http, &waiting.request);
	while (post.done == 0)
		event_base_loop(client.loop, EVLOOP_ONCE);
	assert_null(client.http);
	assert_answered(&post, 200);
	assert_int_equal(waiting.done, 0);
	client_stop(&client);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(the_server_sees_a_plain_post_with_a_length),
		cmocka_unit_test(a_large_body_arrives_byte_for_byte),
		cmocka_unit_test(a_body_may_come_in_any_form_of_http),
		cmocka_unit_test(an_answer_is_an_answer_whatever_its_status),
		cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
		cmocka_unit_test(an_answer_may_come_before_the_whole_request_was_read),
		cmocka_unit_test(the_server_may_say_when_to_come_back),
		cmocka_unit_test(the_server_may_give_the_date_to_come_back),
		cmocka_unit_test(a_content_type_that_does_not_fit_is_cut),
		cmocka_unit_test(nothing_of_an_exchange_is_left_to_the_next),
		cmocka_unit_test(a_second_request_uses_the_same_connection),
		cmocka_unit_test(a_done_may_post_again_at_once),
		cmocka_unit_test(requests_beyond_the_connections_wait_their_turn),
		cmocka_unit_test(requests_go_at_once_as_far_as_connections_are_allowed),
		cmocka_unit_test(a_connection_that_the_server_closed_meanwhile_is_replaced),
		cmocka_unit_test(no_proxy_is_taken_from_the_environment),
		cmocka_unit_test(without_an_answer_it_is_known_whether_all_had_left),
		cmocka_unit_test(a_request_that_a_kept_connection_lost_is_not_sent_again),
		cmocka_unit_test(an_answer_that_breaks_off_is_none),
		cmocka_unit_test(an_answer_that_is_too_large_is_none),
		cmocka_unit_test(what_does_not_speak_http_has_not_answered),
		cmocka_unit_test(a_refused_connection_is_no_refusal_of_our_certificate),
		cmocka_unit_test(a_handshake_that_breaks_off_is_no_refusal_of_our_certificate),
		cmocka_unit_test(a_resolver_that_hangs_does_not_hold_the_loop),
		cmocka_unit_test(only_https_is_spoken),
		cmocka_unit_test(what_curl_refuses_at_once_is_done_from_the_loop),
		cmocka_unit_test(the_server_sees_our_certificate_and_its_intermediate),
		cmocka_unit_test(a_server_that_does_not_ask_sees_no_certificate),
		cmocka_unit_test(a_server_may_ask_for_our_certificate_after_it_read_the_request),
		cmocka_unit_test(a_server_that_is_not_the_one_is_sent_nothing),
		cmocka_unit_test(a_server_that_refuses_our_certificate_is_understood),
		cmocka_unit_test(a_server_with_other_ideas_of_tls_is_understood),
		cmocka_unit_test(a_wrong_file_is_named_at_start),
		cmocka_unit_test(a_key_that_is_not_the_certificates_is_said_with_both_files),
		cmocka_unit_test(wrong_tls_settings_are_named_at_start),
		cmocka_unit_test(files_are_read_once),
		cmocka_unit_test(requests_under_way_are_dropped_with_the_client),
		cmocka_unit_test(a_done_may_free_the_client),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
