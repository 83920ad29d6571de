/* Whether the server's certificate was revoked, as its lists and the answer it staples tell: against a
 * real TLS server, by the client that uses it.
 */
#include "https.h"

#include <fcntl.h>
#include <openssl/ocsp.h>
#include <sys/stat.h>

/* ---- lists ---- */

/* A list of the root: of the certificates of one serial number, if any; made and ending so many
 * seconds from now.
 */
static X509_CRL *list_of(const X509 *revoked, long made_s, long ends_s)
{
	X509_CRL *list = X509_CRL_new();
	ASN1_TIME *time = X509_gmtime_adj(NULL, made_s);

	X509_CRL_set_version(list, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(list, X509_get_subject_name(root));
	X509_CRL_set1_lastUpdate(list, time);
	X509_gmtime_adj(time, ends_s);
	X509_CRL_set1_nextUpdate(list, time);
	if (revoked != NULL) {
		X509_REVOKED *entry = X509_REVOKED_new();

		X509_gmtime_adj(time, made_s);
		X509_REVOKED_set_serialNumber(
			entry, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(revoked));
		X509_REVOKED_set_revocationDate(entry, time);
		X509_CRL_add0_revoked(list, entry);
	}
	ASN1_TIME_free(time);
	X509_CRL_sort(list);
	assert_true(X509_CRL_sign(list, key, EVP_sha256()) > 0);
	return list;
}

/* Renamed into place, as whoever keeps it up to date should. */
static void write_list(const char *name, X509_CRL *list, bool der)
{
	scoped(free_ptr) char *part = xasprintf("%s/.part", folder);
	FILE *file = fopen(part, "w");

	assert_non_null(file);
	assert_int_equal(der ? i2d_X509_CRL_fp(file, list) : PEM_write_X509_CRL(file, list), 1);
	fclose(file);
	assert_int_equal(rename(part, path_of(name)), 0);
	X509_CRL_free(list);
}

enum { MADE = -3000, ENDS = 3000, ENDED = -60 };

static int make_lists(void **state)
{
	assert_int_equal(make_certificates(state), 0);
	assert_int_equal(mkdir(path_of("lists"), 0700), 0);
	write_list("all-good.pem", list_of(misnamed_cert, MADE, ENDS), false);
	write_list("revoked.pem", list_of(server_cert, MADE, ENDS), false);
	write_list("revoked.der", list_of(server_cert, MADE, ENDS), true);
	write_list("revoked-old.pem", list_of(server_cert, MADE, ENDED), false);
	write_list("good-old.pem", list_of(NULL, MADE, ENDED), false);
	return 0;
}

static int remove_lists(void **state)
{
	rmdir(path_of("lists"));
	return remove_certificates(state);
}

/* ---- answers to staple ---- */

enum form { USUAL, WITH_SHA256, BY_A_STRANGER, ABOUT_ANOTHER };

struct stapled {
	int status;
	long made_s, ends_s;
	enum form form;
};

static void staple(const struct stapled *what, struct buf *out)
{
	OCSP_BASICRESP *answer = OCSP_BASICRESP_new();
	OCSP_CERTID *id =
		OCSP_cert_to_id(what->form == WITH_SHA256 ? EVP_sha256() : NULL,
				what->form == ABOUT_ANOTHER ? misnamed_cert : server_cert, root);
	ASN1_TIME *from = X509_gmtime_adj(NULL, what->made_s),
		  *to = X509_gmtime_adj(NULL, what->ends_s);
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int n;

	assert_non_null(OCSP_basic_add1_status(answer, id, what->status, 0, from, from, to));
	assert_int_equal(OCSP_basic_sign(answer, what->form == BY_A_STRANGER ? stranger_cert : root,
					 key, EVP_sha256(), NULL, 0),
			 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answer);
	n = i2d_OCSP_RESPONSE(response, &der);
	assert_true(n > 0);
	buf_add(out, (struct slice){ (char *)der, (size_t)n });
	OPENSSL_free(der);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	OCSP_CERTID_free(id);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(answer);
}

/* ---- what comes of it ---- */

static const enum step serves_who_trusts[] = { ACCEPT, READ, ANSWER, END };

static void assert_outcome(enum revocation_kind kind, const char *crl, struct slice stapled,
			   const char *refusal)
{
	static const char *const versions[] = { "1.2", "1.3" };

	for (size_t i = 0; i < length_of(versions); i++) {
		struct server server = { .script = serves_who_trusts, .staple = stapled };
		struct client client = client_of_settings();
		struct post post;

		client.settings.tls.least = client.settings.tls.most = versions[i];
		client.settings.revocation = (struct revocation_settings){ kind, crl };
		exchange(&post, &client, &server, SMALL);
		if (refusal == NULL) {
			assert_answered(&post, 200);
		} else {
			assert_unanswered(&post);
			assert_true(post.request.exchange.our_tls_refused);
			assert_false(post.request.exchange.fully_written);
			assert_int_equal(server.requests, 0);
			if (strstr(post.request.transport_text, refusal) == NULL)
				fail_msg("\"%s\" instead of \"%s\"", post.request.transport_text,
					 refusal);
		}
		buf_done(&post.request.reply);
	}
}

#define REVOKED "certificate revoked"
#define UNKNOWN "unable to get certificate CRL"

static void the_lists_decide(void **state)
{
	static const struct {
		const char *crl;
		enum revocation_kind kind;
		const char *refusal;
	} cases[] = {
		{ "", REVOCATION_OFF, NULL },
		{ "", REVOCATION_SOFT, NULL },
		{ "", REVOCATION_HARD, UNKNOWN },
		{ "all-good.pem", REVOCATION_SOFT, NULL },
		{ "all-good.pem", REVOCATION_HARD, NULL },
		{ "revoked.pem", REVOCATION_OFF, NULL },
		{ "revoked.pem", REVOCATION_SOFT, REVOKED },
		{ "revoked.pem", REVOCATION_HARD, REVOKED },
		{ "revoked.der", REVOCATION_SOFT, REVOKED },
		{ "revoked-old.pem", REVOCATION_SOFT, REVOKED },
		{ "good-old.pem", REVOCATION_SOFT, NULL },
		{ "good-old.pem", REVOCATION_HARD, UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_outcome(cases[i].kind, cases[i].crl[0] ? path_of(cases[i].crl) : "",
			       (struct slice){ 0 }, cases[i].refusal);
}

static void the_stapled_answer_decides(void **state)
{
	const struct {
		struct stapled stapled;
		const char *soft, *hard;
	} cases[] = {
		{ { V_OCSP_CERTSTATUS_GOOD, MADE, ENDS, USUAL }, NULL, NULL },
		{ { V_OCSP_CERTSTATUS_GOOD, MADE, ENDS, WITH_SHA256 }, NULL, NULL },
		{ { V_OCSP_CERTSTATUS_REVOKED, MADE, ENDS, USUAL }, REVOKED, REVOKED },
		{ { V_OCSP_CERTSTATUS_UNKNOWN, MADE, ENDS, USUAL }, NULL, UNKNOWN },
		/* not to be believed */
		{ { V_OCSP_CERTSTATUS_GOOD, MADE, ENDED - 600, USUAL }, NULL, UNKNOWN },
		{ { V_OCSP_CERTSTATUS_GOOD, MADE, ENDS, BY_A_STRANGER }, NULL, UNKNOWN },
		{ { V_OCSP_CERTSTATUS_REVOKED, MADE, ENDS, BY_A_STRANGER }, NULL, UNKNOWN },
		{ { V_OCSP_CERTSTATUS_GOOD, MADE, ENDS, ABOUT_ANOTHER }, NULL, UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf der = { 0 };

		staple(&cases[i].stapled, &der);
		assert_outcome(REVOCATION_OFF, "", buf_slice(&der), NULL);
		assert_outcome(REVOCATION_SOFT, "", buf_slice(&der), cases[i].soft);
		assert_outcome(REVOCATION_HARD, "", buf_slice(&der), cases[i].hard);
	}
	assert_outcome(REVOCATION_SOFT, "", slice_of("no OCSP at all"), NULL);
	assert_outcome(REVOCATION_HARD, "", slice_of("no OCSP at all"), UNKNOWN);
}

static void a_good_answer_does_not_outweigh_a_list(void **state)
{
	const struct stapled good = { V_OCSP_CERTSTATUS_GOOD, MADE, ENDS, USUAL };
	scoped(buf_done) struct buf der = { 0 };

	(void)state;
	staple(&good, &der);
	assert_outcome(REVOCATION_SOFT, path_of("revoked.pem"), buf_slice(&der), REVOKED);
}

static void a_folder_holds_several_lists(void **state)
{
	(void)state;
	write_list("lists/.hidden", list_of(server_cert, MADE, ENDS), false);
	assert_outcome(REVOCATION_SOFT, path_of("lists"), (struct slice){ 0 }, NULL);
	write_list("lists/one.crl", list_of(NULL, MADE - 10, ENDS), true);
	assert_outcome(REVOCATION_HARD, path_of("lists"), (struct slice){ 0 }, NULL);
	write_list("lists/two.crl", list_of(server_cert, MADE, ENDS), false);
	assert_outcome(REVOCATION_SOFT, path_of("lists"), (struct slice){ 0 }, REVOKED);
	for (int i = 0; i < 3; i++)
		unlink(path_of(
			(const char *[]){ "lists/.hidden", "lists/one.crl", "lists/two.crl" }[i]));
}

/* One client, which connects anew for each request. */
static const enum step serves_three_times[] = { ACCEPT, READ, ANSWER, CLOSE, ACCEPT, CLOSE,
						ACCEPT, READ, ANSWER, WAIT,  END };
#define LAST_REPLY                                                                                 \
	"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nConnection: close\r\n"           \
	"Content-Length: 5\r\n\r\n<ok/>"

static void lists_that_change_count_from_the_next_connection_on(void **state)
{
	struct server server = { .script = serves_three_times, .answer = LAST_REPLY };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	write_list("kept.pem", list_of(NULL, MADE, ENDS), false);
	client.settings.revocation =
		(struct revocation_settings){ REVOCATION_HARD, path_of("kept.pem") };
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	assert_answered(&post, 200);
	write_list("kept.pem", list_of(server_cert, MADE, ENDS), false);
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_non_null(strstr(post.request.transport_text, REVOKED));
	write_list("kept.pem", list_of(NULL, MADE, ENDS), false);
	post_and_wait(&post);
	assert_answered(&post, 200);
	client_stop(&client);
	server_stop(&server);

	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void what_is_no_list_leaves_the_one_of_before_in_force(void **state)
{
	struct server server = { .script = serves_who_trusts };
	struct client client = client_of_settings();
	struct post post;
	FILE *file;

	(void)state;
	write_list("kept.pem", list_of(server_cert, MADE, ENDS), false);
	client.settings.revocation =
		(struct revocation_settings){ REVOCATION_SOFT, path_of("kept.pem") };
	server_start(&server);
	client_start(&client);
	file = fopen(path_of("kept.pem"), "w");
	fputs("half a lis", file);
	fclose(file);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_non_null(strstr(post.request.transport_text, REVOKED));
	client_stop(&client);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

/* A pipe in the place of the list holds whoever reads it, as a share does that is away. */
static void hang(void)
{
	unlink(path_of("kept.pem"));
	assert_int_equal(mkfifo(path_of("kept.pem"), 0600), 0);
}

static void let_go(void)
{
	close(open(path_of("kept.pem"), O_WRONLY));
	unlink(path_of("kept.pem"));
}

static void a_disk_that_hangs_holds_neither_the_loop_nor_requests(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	write_list("kept.pem", list_of(NULL, MADE, ENDS), false);
	client.settings.revocation =
		(struct revocation_settings){ REVOCATION_HARD, path_of("kept.pem") };
	server_start(&server);
	client_start(&client);
	hang();
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	assert_answered(&post, 200);
	let_go();
	client_stop(&client);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void a_client_that_goes_while_it_looks_is_not_missed(void **state)
{
	const struct server server = { .port = 1 };
	struct client client = client_of_settings();
	char *path = xstrdup(path_of("kept.pem")); /* settings go with their client at a reload */
	struct post post;

	(void)state;
	write_list("kept.pem", list_of(NULL, MADE, ENDS), false);
	client.settings.revocation = (struct revocation_settings){ REVOCATION_HARD, path };
	client_start(&client);
	hang();
	post_start(&post, &client, &server, SMALL);
	http_post(client.http, &post.request);
	http_free(&client.http);
	free(path);
	let_go();
	client_stop(&client);
	assert_int_equal(post.done, 0);
}

static void what_is_no_list_is_named_at_start(void **state)
{
	static const struct {
		const char *file, *words;
	} cases[] = {
		{ "absent.crl", "No such file" },
		{ "ca.pem", "holds no revocation list" },
		{ "empty.pem", "holds no revocation list" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct revocation_settings settings = { REVOCATION_SOFT,
							      path_of(cases[i].file) };
		struct revocation *revocation = NULL;
		struct err err = { 0 };

		assert_int_equal(revocation_new(&revocation, &settings, &err), -1);
		assert_null(revocation);
		assert_int_equal(err.kind, ERR_HALT);
		assert_non_null(strstr(err.text, settings.crl));
		assert_non_null(strstr(err.text, cases[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lists_decide),
		cmocka_unit_test(the_stapled_answer_decides),
		cmocka_unit_test(a_good_answer_does_not_outweigh_a_list),
		cmocka_unit_test(a_folder_holds_several_lists),
		cmocka_unit_test(lists_that_change_count_from_the_next_connection_on),
		cmocka_unit_test(what_is_no_list_leaves_the_one_of_before_in_force),
		cmocka_unit_test(a_disk_that_hangs_holds_neither_the_loop_nor_requests),
		cmocka_unit_test(a_client_that_goes_while_it_looks_is_not_missed),
		cmocka_unit_test(what_is_no_list_is_named_at_start),
	};

	return cmocka_run_group_tests(tests, make_lists, remove_lists);
}
