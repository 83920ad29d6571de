/* Whether the server's certificate was revoked. Loop only, but for the look at the disk. */
#include "dispatch/revocation.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "base/log.h"
#include "dispatch/http_tls.h"

enum {
	MOST_BYTES = 32 << 20, /* of one file */
	MOST_FILES = 256,
	SKEW_S = 300, /* between the clock of who answers OCSP and ours */
};

/* What is found on the disk. */
struct found {
	struct stack_st_X509_CRL *lists; /* NULL: the files are what they were, or cannot be read */
	uint8_t likeness[SHA256_BYTES];  /* of the files; all-zero: not known */
	struct err err;
};

struct revocation {
	enum revocation_kind kind;
	char *path; /* "": none; its own, for a look may outlast the settings */
	struct stack_st_X509_CRL *lists;
	/* what the files were like: when they were read, and when they could not be */
	uint8_t likeness[SHA256_BYTES], unreadable[SHA256_BYTES];

	struct job look;
	struct found found; /* the worker's, as `path` and `likeness` are, while looking */
	void (*done)(void *arg);
	void *arg;
	bool looking, freed;
};

/* ---- the lists ---- */

static void free_lists(struct stack_st_X509_CRL **lists)
{
	sk_X509_CRL_pop_free(*lists, X509_CRL_free);
	*lists = NULL;
}

/* DER is one list, PEM may be several. */
static X509_CRL *next_list(BIO *bio, bool is_der)
{
	return is_der ? d2i_X509_CRL_bio(bio, NULL) : PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
}

static int read_lists(const char *path, struct stack_st_X509_CRL *lists, struct err *err)
{
	scoped(buf_done) struct buf bytes = { 0 };
	const int before = sk_X509_CRL_num(lists);
	X509_CRL *list;
	bool is_der;
	BIO *bio;

	if (http_tls_read(path, MOST_BYTES, &bytes, err) < 0)
		return -1;
	is_der = bytes.n > 0 && bytes.p[0] == V_ASN1_SEQUENCE + V_ASN1_CONSTRUCTED;
	bio = BIO_new_mem_buf(bytes.p ? bytes.p : "", (int)bytes.n);
	while ((list = next_list(bio, is_der)) != NULL)
		sk_X509_CRL_push(lists, list);
	BIO_free(bio);
	ERR_clear_error(); /* that of the end */
	if (sk_X509_CRL_num(lists) == before)
		return err_set(err, ERR_HALT, "%s holds no revocation list (CRL)", path);
	return 0;
}

/* The file itself, or what is in the folder, hidden files apart. Each path to each(), until it says
 * -1.
 */
static int walk(const char *path, int (*each)(void *arg, const char *path, struct err *err),
		void *arg, struct err *err)
{
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort), rc = 0, files = 0;

	if (count < 0 && errno == ENOTDIR)
		return each(arg, path, err);
	if (count < 0)
		return err_set(err, ERR_HALT, "%s cannot be read: %m", path);
	for (int i = 0; i < count; i++) {
		if (rc == 0 && names[i]->d_name[0] != '.') {
			scoped(free_ptr) char *file = xasprintf("%s/%s", path, names[i]->d_name);

			rc = files++ < MOST_FILES
				     ? each(arg, file, err)
				     : err_set(err, ERR_HALT, "%s holds more than %d files", path,
					       MOST_FILES);
		}
		free(names[i]);
	}
	free(names);
	return rc;
}

static int add_likeness(void *arg, const char *path, struct err *err)
{
	struct buf *all = arg;
	struct stat info;

	if (stat(path, &info) < 0)
		return err_set(err, ERR_HALT, "%s cannot be read: %m", path);
	buf_addf(all, "%s %llu %lld %lld.%ld\n", path, (unsigned long long)info.st_ino,
		 (long long)info.st_size, (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
	return 0;
}

static int likeness_of(const char *path, uint8_t ret_likeness[static SHA256_BYTES], struct err *err)
{
	scoped(buf_done) struct buf all = { 0 };

	if (walk(path, add_likeness, &all, err) < 0)
		return -1;
	sha256(buf_slice(&all), ret_likeness);
	return 0;
}

static int add_lists(void *arg, const char *path, struct err *err)
{
	return read_lists(path, arg, err);
}

static void look_at_files(const struct revocation *revocation, struct found *ret_found)
{
	scoped(free_lists) struct stack_st_X509_CRL *lists = sk_X509_CRL_new_null();

	*ret_found = (struct found){ 0 };
	if (likeness_of(revocation->path, ret_found->likeness, &ret_found->err) < 0 ||
	    memcmp(ret_found->likeness, revocation->likeness, SHA256_BYTES) == 0 ||
	    walk(revocation->path, add_lists, lists, &ret_found->err) < 0)
		return;
	ret_found->lists = take(lists);
}

static void take_lists(struct revocation *revocation)
{
	struct found *found = &revocation->found;

	if (found->lists == NULL)
		return;
	free_lists(&revocation->lists);
	revocation->lists = take(found->lists);
	memcpy(revocation->likeness, found->likeness, SHA256_BYTES);
}

/* Worker. */
static void look(struct job *job, void *worker)
{
	struct revocation *revocation = container_of(job, struct revocation, look);

	(void)worker;
	look_at_files(revocation, &revocation->found);
}

/* Says once of each state of the files that it cannot be used. */
static void tell_unreadable(struct revocation *revocation)
{
	const struct found *found = &revocation->found;

	if (found->err.kind == ERR_NONE)
		return;
	if (memcmp(found->likeness, revocation->unreadable, SHA256_BYTES) != 0)
		log_error("the revocation lists of before stay in force: %s", found->err.text);
	memcpy(revocation->unreadable, found->likeness, SHA256_BYTES);
}

/* Loop. */
static void looked(struct job *job)
{
	struct revocation *revocation = container_of(job, struct revocation, look);

	revocation->looking = false;
	take_lists(revocation);
	tell_unreadable(revocation);
	if (revocation->freed)
		revocation_free(&revocation);
	else
		revocation->done(revocation->arg);
}

bool revocation_look(struct revocation *revocation, struct workers *workers,
		     void (*done)(void *arg), void *arg)
{
	if (revocation->path[0] == '\0' || revocation->looking)
		return false;
	revocation->looking = true;
	revocation->look = (struct job){ .run = look, .done = looked };
	revocation->done = done;
	revocation->arg = arg;
	workers_submit(workers, &revocation->look);
	return true;
}

/* ---- the server's certificate ---- */

/* Set on a connection whose server's own certificate no list speaks of. */
static int unlisted_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* Lists that are missing or out of date tell nothing: neither good nor bad. */
static bool tells_nothing(int error)
{
	static const int errors[] = {
		X509_V_ERR_UNABLE_TO_GET_CRL,
		X509_V_ERR_CRL_HAS_EXPIRED,
		X509_V_ERR_CRL_NOT_YET_VALID,
		X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
		X509_V_ERR_CRL_SIGNATURE_FAILURE,
		X509_V_ERR_DIFFERENT_CRL_SCOPE,
		X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
		X509_V_ERR_CRL_PATH_VALIDATION_ERROR,
		X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION,
	};

	for (size_t i = 0; i < length_of(errors); i++)
		if (errors[i] == error)
			return true;
	return false;
}

/* Whatever the list says, OpenSSL goes on to look for the certificate in it when this is not an
 * error: a revoked one is refused even by a list that is out of date.
 */
static int on_verify(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

	if (good || !tells_nothing(X509_STORE_CTX_get_error(store)))
		return good;
	if (ssl != NULL && X509_STORE_CTX_get_error_depth(store) == 0)
		SSL_set_ex_data(ssl, unlisted_index(), store); /* anything but NULL */
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static bool is_about(const OCSP_SINGLERESP *single, const X509 *cert, const X509 *issuer)
{
	const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
	ASN1_OBJECT *algorithm = NULL;
	OCSP_CERTID *ours;
	bool is_same;

	OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, (OCSP_CERTID *)(uintptr_t)id);
	ours = OCSP_cert_to_id(EVP_get_digestbyobj(algorithm), cert, issuer);
	is_same = ours != NULL && OCSP_id_cmp(ours, id) == 0;
	OCSP_CERTID_free(ours);
	return is_same;
}

static int status_in(OCSP_BASICRESP *answer, const X509 *cert, const X509 *issuer)
{
	for (int i = 0; i < OCSP_resp_count(answer); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(answer, i);
		ASN1_GENERALIZEDTIME *from, *to;
		int status = OCSP_single_get0_status(single, NULL, NULL, &from, &to);

		if (is_about(single, cert, issuer) &&
		    OCSP_check_validity(from, to, SKEW_S, -1) == 1)
			return status;
	}
	return V_OCSP_CERTSTATUS_UNKNOWN;
}

/* What the stapled answer says, if it is one that may be believed. */
static int stapled_status(SSL *ssl)
{
	const unsigned char *bytes = NULL;
	const long n = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	OCSP_RESPONSE *response =
		bytes != NULL && n > 0 ? d2i_OCSP_RESPONSE(NULL, &bytes, n) : NULL;
	OCSP_BASICRESP *answer = response ? OCSP_response_get1_basic(response) : NULL;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;

	if (answer != NULL && sk_X509_num(chain) > 1 &&
	    OCSP_basic_verify(answer, chain, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), 0) == 1)
		status = status_in(answer, sk_X509_value(chain, 0), sk_X509_value(chain, 1));
	OCSP_BASICRESP_free(answer);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return status;
}

/* Ends the handshake with words that curl quotes as it does those of other certificates. */
static int refuse(SSL *ssl, int error)
{
	SSL_set_verify_result(ssl, error);
	ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
	return 0;
}

/* Once the server's certificate was verified and its status, if it came, is there. */
static int on_status(SSL *ssl, void *arg)
{
	const struct revocation *revocation = arg;
	const int status = stapled_status(ssl);

	if (status == V_OCSP_CERTSTATUS_REVOKED)
		return refuse(ssl, X509_V_ERR_CERT_REVOKED);
	if (revocation->kind == REVOCATION_HARD && status != V_OCSP_CERTSTATUS_GOOD &&
	    SSL_get_ex_data(ssl, unlisted_index()) != NULL)
		return refuse(ssl, X509_V_ERR_UNABLE_TO_GET_CRL);
	return 1;
}

void revocation_prepare(const struct revocation *revocation, void *ssl_context)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ssl_context);

	if (revocation->kind == REVOCATION_OFF)
		return;
	for (int i = 0; i < sk_X509_CRL_num(revocation->lists); i++)
		X509_STORE_add_crl(store, sk_X509_CRL_value(revocation->lists, i));
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_STORE_set_verify_cb(store, on_verify);
	SSL_CTX_set_tlsext_status_type(ssl_context, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_set_tlsext_status_cb(ssl_context, on_status);
	SSL_CTX_set_tlsext_status_arg(ssl_context, (void *)(uintptr_t)revocation);
}

/* ---- birth and end ---- */

int revocation_new(struct revocation **ret_revocation, const struct revocation_settings *settings,
		   struct err *err)
{
	scoped(revocation_free) struct revocation *revocation = xcalloc(1, sizeof(*revocation));

	memset(revocation->unreadable, 0xff,
	       sizeof(revocation->unreadable)); /* none of which is known */
	revocation->kind = settings->kind;
	revocation->path =
		xstrdup(settings->crl && settings->kind != REVOCATION_OFF ? settings->crl : "");
	if (revocation->path[0] != '\0')
		look_at_files(revocation, &revocation->found);
	take_lists(revocation);
	if (revocation->found.err.kind != ERR_NONE) {
		*err = revocation->found.err;
		return -1;
	}
	*ret_revocation = take(revocation);
	return 0;
}

void revocation_free(struct revocation **revocation)
{
	if (*revocation == NULL)
		return;
	if ((*revocation)->looking) {
		(*revocation)->freed = true; /* looked() comes back to this */
		*revocation = NULL;
		return;
	}
	free_lists(&(*revocation)->lists);
	free((*revocation)->path);
	free_ptr(revocation);
}
