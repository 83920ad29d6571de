/* The TLS side of the client, against a real TLS server: who shows what, what is refused, and what is
 * wrong with the files.
 */
#include "softhsm.h"

#include "https.h"

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

static void a_key_on_a_token_shakes_hands_while_the_token_is_there(void **state)
{
	static const char *const versions[] = { "1.2", "1.3" };
	scoped(free_ptr) char *uri = NULL;
	struct softhsm hsm;

	(void)state;
	softhsm_is_needed();
	softhsm_make(&hsm);
	softhsm_add_token("dmp");
	softhsm_add_key("dmp", path_of("key.pem"), "auth", "01");
	uri = softhsm_uri(&hsm, "token=dmp;object=auth");
	for (size_t i = 0; i < length_of(versions) * 2; i++) {
		static const enum step script[] = { ACCEPT, HANG_UP, END };
		const bool away = i >= length_of(versions);
		struct server server = { .script = away ? script : answers_once, .asks = true };
		struct client client = client_of_settings();
		struct post post;

		client.settings.tls.least = client.settings.tls.most =
			versions[i % length_of(versions)];
		client.settings.tls.key = uri;
		if (i == length_of(versions))
			softhsm_hide(&hsm);
		exchange(&post, &client, &server, SMALL);
		if (away) {
			assert_unanswered(&post);
			assert_true(post.request.exchange.our_tls_refused);
			assert_non_null(strstr(post.request.transport_text,
					       "object=auth: the token is not there"));
		} else {
			assert_answered(&post, 200);
			assert_string_equal(server.client_name, "A hospital");
		}
		buf_done(&post.request.reply);
	}
	softhsm_done(&hsm);
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

	assert_int_equal(http_new(&http, loop, NULL, wrong, &err), -1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_sees_our_certificate_and_its_intermediate),
		cmocka_unit_test(a_key_on_a_token_shakes_hands_while_the_token_is_there),
		cmocka_unit_test(a_server_that_does_not_ask_sees_no_certificate),
		cmocka_unit_test(a_server_may_ask_for_our_certificate_after_it_read_the_request),
		cmocka_unit_test(a_server_that_is_not_the_one_is_sent_nothing),
		cmocka_unit_test(a_server_that_refuses_our_certificate_is_understood),
		cmocka_unit_test(a_server_with_other_ideas_of_tls_is_understood),
		cmocka_unit_test(a_wrong_file_is_named_at_start),
		cmocka_unit_test(a_key_that_is_not_the_certificates_is_said_with_both_files),
		cmocka_unit_test(wrong_tls_settings_are_named_at_start),
		cmocka_unit_test(files_are_read_once),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
