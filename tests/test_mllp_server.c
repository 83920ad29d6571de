/* The HL7 v2 door: where it listens, and who may come in. */
#include "mllp_world.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/resource.h>

#include "pki.h"

/* ---- how many ---- */

static void a_connection_past_the_most_allowed_is_closed_and_counted(void **state)
{
	struct world *world = *state;
	struct client first, second, third;

	world->settings.most_connections = 1;
	open_server(world);
	client_open(&first, world);
	until(world, figures(world).connections == 1);
	client_open(&second, world);
	until(world, second.ended || second.reset);
	assert_int_equal(figures(world).refused_connections, 1);
	send_literal(&first, "\x0bone\x1c\r");
	until(world, first.answers == 1);
	client_done(&first);
	until(world, figures(world).connections == 0);
	client_open(&third, world);
	send_literal(&third, "\x0btwo\x1c\r");
	until(world, third.answers == 1);
	client_done(&second);
	client_done(&third);
}

static void without_free_descriptors_the_listener_waits_and_goes_on(void **state)
{
	struct world *world = *state;
	struct rlimit limit, none;
	struct client client;

	open_server(world);
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ 3, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	until_quiet(world);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(figures(world).connections, 0);
	until(world, client.answers == 1);
	client_done(&client);
}

/* ---- who ---- */

static void only_those_in_the_list_come_in(void **state)
{
	static const struct {
		const char *listen;
		const char *allowed[2];
		bool comes_in;
	} cases[] = {
		{ "127.0.0.1:0", { "127.0.0.0/8" }, true },
		{ "127.0.0.1:0", { "10.0.0.0/8", "127.0.0.1" }, true },
		{ "127.0.0.1:0", { "10.0.0.0/8", "127.0.0.2" }, false },
		{ "127.0.0.1:0", { "::/0" }, false },
		{ "[::1]:0", { "::1" }, true },
		{ "[::1]:0", { "127.0.0.1" }, false },
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(cases); i++) {
		struct network allowed[2];
		struct client client;
		struct err err = { 0 };
		size_t n = 0;

		for (; n < 2 && cases[i].allowed[n] != NULL; n++)
			assert_int_equal(
				network_parse(slice_of(cases[i].allowed[n]), &allowed[n], &err), 0);
		world->settings.listen = cases[i].listen;
		world->settings.allowed = allowed;
		world->settings.allowed_count = n;
		open_server(world);
		client_open(&client, world);
		until(world, client.ended || client.reset || figures(world).connections == 1);
		assert_int_equal(figures(world).connections, cases[i].comes_in);
		assert_int_equal(figures(world).refused_peers, !cases[i].comes_in);
		assert_int_equal(figures(world).refused_connections, 0);
		client_done(&client);
		mllp_server_free(&world->server);
	}
}

/* ---- TLS ---- */

static struct pki pki;
static char *server_pem, *client_pem;

static char *write_leaf(const char *name, const char *cn)
{
	X509 *leaf = pki_issue(&(struct pki_request){ .cn = cn,
						      .usage = PKI_AUTH,
						      .from_days = -1000,
						      .to_days = 1000,
						      .serial = "03" },
			       pki.key, pki.intermediate, pki.key);
	char *path = pki_write(&pki, name, (X509 *[]){ leaf, pki.intermediate, NULL }, NULL);

	X509_free(leaf);
	return path;
}

static int make_certificates(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as the daemon */
	pki_make(&pki);
	server_pem = write_leaf("server.pem", "gateway");
	client_pem = write_leaf("client.pem", "labo");
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	free(server_pem);
	free(client_pem);
	pki_done(&pki);
	return 0;
}

static void open_tls_server(struct world *world, const char *client_ca)
{
	world->settings.tls = (struct tls_server_settings){ .cert = server_pem,
							    .key = pki.key_pem,
							    .client_ca = client_ca };
	open_server(world);
	assert_true(figures(world).tls);
}

/* A sender that trusts anybody; its certificate, or NULL. */
static void client_open_tls(struct client *client, struct world *world, const char *cert)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	if (cert != NULL) {
		assert_int_equal(SSL_CTX_use_certificate_chain_file(context, cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(context, pki.key), 1);
	}
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	client_take(client, bufferevent_openssl_socket_new(world->loop, dial(world), ssl,
							   BUFFEREVENT_SSL_CONNECTING,
							   BEV_OPT_CLOSE_ON_FREE));
	bufferevent_openssl_set_allow_dirty_shutdown(client->stream, 1);
}

static void frames_come_through_tls(void **state)
{
	struct world *world = *state;
	struct client client;

	open_tls_server(world, NULL);
	client_open_tls(&client, world, NULL);
	send_literal(&client, "stray\x0bone\x1c\r\x0btwo\x1c\r");
	send_frame_of(&client, 300000);
	send_literal(&client, "\x0blast\x1c\r");
	until(world, client.answers == 4);
	assert_payload(world, 0, "one");
	assert_payload(world, 1, "two");
	assert_int_equal(world->bytes[2], 300000);
	assert_payload(world, 3, "last");
	assert_heard(&client, "ack 0|ack 1|ack 2|ack 3|");
	assert_int_equal(figures(world).stray_bytes, 5);
	assert_int_equal(figures(world).failed_handshakes, 0);
	client_done(&client);
	until(world, figures(world).connections == 0);
}

static void back_pressure_holds_in_tls_too(void **state)
{
	enum { EACH = 200000 };
	struct world *world = *state;
	struct client client;

	world->answers = false;
	world->settings.most_in_flight_bytes = EACH;
	world->settings.most_message_bytes = EACH;
	open_tls_server(world, NULL);
	client_open_tls(&client, world, NULL);
	for (int i = 0; i < 50; i++)
		send_frame_of(&client, EACH);
	until(world, world->arrived > 0);
	until_quiet(world);
	assert_in_range(figures(world).in_flight_bytes, EACH, 2 * EACH + (256 << 10));
	for (size_t i = 0; i < 50; i++) {
		until(world, world->arrived > i);
		answer(world, i);
	}
	until(world, client.answers == 50);
	client_done(&client);
}

static void a_sender_must_show_a_certificate_where_one_is_asked_for(void **state)
{
	struct world *world = *state;
	struct client client;

	open_tls_server(world, pki.chain_pem);
	client_open_tls(&client, world, client_pem);
	send_literal(&client, "\x0bone\x1c\r");
	until(world, client.answers == 1);
	client_done(&client);
	client_open_tls(&client, world, NULL);
	send_literal(&client, "\x0btwo\x1c\r");
	until(world, client.ended || client.reset);
	until(world, figures(world).failed_handshakes == 1);
	assert_int_equal(world->arrived, 1);
	client_done(&client);
	until(world, figures(world).connections == 0);
}

static void a_sender_without_tls_is_closed_and_counted(void **state)
{
	struct world *world = *state;
	struct client client;

	open_tls_server(world, NULL);
	client_open(&client, world);
	send_literal(&client, "\x0bone\x1c\r");
	until(world, client.ended || client.reset);
	assert_int_equal(figures(world).failed_handshakes, 1);
	assert_int_equal(figures(world).connections, 0);
	assert_int_equal(world->arrived, 0);
	client_done(&client);
}

static void a_handshake_that_never_ends_is_cut(void **state)
{
	static const char begin[] = "\x16\x03\x01\x02";
	struct world *world = *state;
	int fds[3];

	world->settings.idle_ms = 200;
	open_tls_server(world, NULL);
	for (size_t i = 0; i < length_of(fds); i++) {
		fds[i] = dial(world);
		assert_int_equal(send(fds[i], begin, i, 0), i); /* says nothing, or little */
	}
	until(world, figures(world).failed_handshakes == length_of(fds));
	assert_int_equal(figures(world).connections, 0);
	for (size_t i = 0; i < length_of(fds); i++)
		close(fds[i]);
}

static void closing_ends_handshakes_too(void **state)
{
	struct world *world = *state;
	int fd;

	open_tls_server(world, NULL);
	fd = dial(world);
	until(world, figures(world).connections == 1);
	mllp_server_close(world->server);
	assert_int_equal(figures(world).connections, 0);
	close(fd);
}

static void the_last_answer_comes_before_the_end_of_tls(void **state)
{
	struct world *world = *state;
	struct client client;

	open_tls_server(world, NULL);
	world->answers = false;
	client_open_tls(&client, world, NULL);
	send_literal(&client, "\x0bone\x1c\r");
	until(world, world->arrived == 1);
	mllp_server_close(world->server);
	answer(world, 0);
	until(world, client.ended);
	assert_heard(&client, "ack 0|");
	assert_false(client.reset);
	client_done(&client);
}

static void a_certificate_that_cannot_be_used_is_said(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	world->settings.tls = (struct tls_server_settings){ .cert = server_pem, .key = server_pem };
	assert_int_equal(mllp_server_new(&world->server, world->loop, &world->settings, on_arrival,
					 world, &err),
			 -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_non_null(strstr(err.text, "holds no private key"));
}

/* ---- where it listens ---- */

static void it_listens_on_ipv6_too(void **state)
{
	struct world *world = *state;
	int fd;

	world->settings.listen = "[::1]:0";
	open_server(world);
	assert_memory_equal(figures(world).address, "[::1]:", 6);
	fd = dial(world);
	until(world, figures(world).connections == 1);
	close(fd);
}

static void what_is_not_an_address_and_a_port_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":2575",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"[::1]",
		"::1:x",
		"127.0.0.1:-1",
		"host:2575",
		"127.0.0.1:25 75",
		"[::1:2575",
		"[]:2575",
		"[127.0.0.1]:2575",
		"::1:2575",
		"[1234:5678:1234:5678:1234:5678:1234:5678:1234:5678]:2575",
	};
	struct world *world = *state;

	for (size_t i = 0; i < length_of(bad); i++) {
		struct err err = { 0 };

		world->settings.listen = bad[i];
		assert_int_equal(mllp_server_new(&world->server, world->loop, &world->settings,
						 on_arrival, world, &err),
				 -1);
		assert_int_equal(err.kind, ERR_HALT);
		assert_null(world->server);
	}
}

static void a_port_in_use_is_said(void **state)
{
	struct world *world = *state;
	struct mllp_settings settings = world->settings;
	struct mllp_server *second = NULL;
	struct mllp_figures first;
	struct err err = { 0 };

	open_server(world);
	first = figures(world);
	settings.listen = first.address;
	assert_int_equal(mllp_server_new(&second, world->loop, &settings, on_arrival, world, &err),
			 -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_non_null(strstr(err.text, first.address));
	assert_non_null(strstr(err.text, "in use"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_connection_past_the_most_allowed_is_closed_and_counted),
		test(without_free_descriptors_the_listener_waits_and_goes_on),
		test(it_listens_on_ipv6_too),
		test(what_is_not_an_address_and_a_port_is_refused),
		test(a_port_in_use_is_said),
		test(only_those_in_the_list_come_in),
		test(frames_come_through_tls),
		test(back_pressure_holds_in_tls_too),
		test(a_sender_must_show_a_certificate_where_one_is_asked_for),
		test(a_sender_without_tls_is_closed_and_counted),
		test(a_handshake_that_never_ends_is_cut),
		test(closing_ends_handshakes_too),
		test(the_last_answer_comes_before_the_end_of_tls),
		test(a_certificate_that_cannot_be_used_is_said),
	};

	log_set_level(LEVEL_ERROR);
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
