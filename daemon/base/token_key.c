/* A private key on a token, as OpenSSL's: an RSA method that asks the token. One thread at a time.
 *
 * OpenSSL 3.0 calls this deprecated in favour of providers; it is the interface that Debian 12's own
 * engine for tokens uses.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/token_key.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>

/* What hangs on the RSA key. */
struct held {
	struct token *token;
	struct err trouble; /* of the last signature */
};

static RSA_METHOD *method;
static int held_index;

static int sign(int n, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	struct held *held = RSA_get_ex_data(rsa, held_index);
	const struct slice bytes = { (const char *)from, (size_t)n };
	const int room = RSA_size(rsa);

	held->trouble = (struct err){ 0 };
	if (padding != RSA_PKCS1_PADDING && padding != RSA_NO_PADDING)
		return -1;
	if (token_sign(held->token, padding == RSA_NO_PADDING ? TOKEN_RAW : TOKEN_PKCS1, bytes, to,
		       (size_t)room, &held->trouble) < 0)
		return -1;
	return room;
}

static void let_go(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number, void *arg)
{
	struct held *held = data;

	(void)parent, (void)all, (void)index, (void)number, (void)arg;
	if (held != NULL)
		token_free(&held->token);
	free(held);
}

static void make_method(void)
{
	method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	held_index = RSA_get_ex_new_index(0, NULL, NULL, NULL, let_go);
	if (method == NULL || held_index < 0)
		no_memory();
	RSA_meth_set1_name(method, "token");
	RSA_meth_set_priv_enc(method, sign);
}

/* Takes the token over. */
static EVP_PKEY *key_of(struct token *token, BIGNUM *modulus, BIGNUM *exponent)
{
	struct held *held = xcalloc(1, sizeof(*held));
	EVP_PKEY *key = EVP_PKEY_new();
	RSA *rsa = RSA_new();

	held->token = token;
	if (key == NULL || rsa == NULL || RSA_set0_key(rsa, modulus, exponent, NULL) != 1 ||
	    RSA_set_method(rsa, method) != 1 || RSA_set_ex_data(rsa, held_index, held) != 1 ||
	    EVP_PKEY_assign_RSA(key, rsa) != 1)
		no_memory();
	return key;
}

static void free_number(BIGNUM **number)
{
	BN_free(*number);
}

static void expect(struct token *token, const BIGNUM *modulus)
{
	scoped(buf_done) struct buf bytes = { 0 };
	const size_t n = (size_t)BN_num_bytes(modulus);
	char *to = buf_reserve(&bytes, n);

	BN_bn2bin(modulus, (unsigned char *)to);
	token_expect(token, (struct slice){ to, n });
}

int token_key_new(struct evp_pkey_st **ret_key, const char *uri, const struct x509_st *certificate,
		  struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const EVP_PKEY *public = X509_get0_pubkey(certificate);
	scoped(free_number) BIGNUM *modulus = NULL, *exponent = NULL;
	scoped(token_free) struct token *token = NULL;
	struct err own;

	if (token_new(&token, uri, &own) < 0)
		return err_set(err, ERR_HALT, "%.*s %s", (int)strcspn(uri, "?"), uri, own.text);
	if (public == NULL || !EVP_PKEY_is_a(public, "RSA") ||
	    EVP_PKEY_get_bn_param(public, "n", &modulus) != 1 ||
	    EVP_PKEY_get_bn_param(public, "e", &exponent) != 1)
		return err_set(
			err, ERR_HALT,
			"%s: its certificate is not of an RSA key: no other is used on a token",
			token_name(token));
	pthread_once(&once, make_method);
	expect(token, modulus);
	*ret_key = key_of(take(token), take(modulus), take(exponent));
	return 0;
}

/* NULL: it is no key on a token. */
static struct held *held_by(const struct evp_pkey_st *key)
{
	const RSA *rsa;

	if (key == NULL || EVP_PKEY_get0_provider(key) != NULL)
		return NULL; /* OpenSSL's own: asked for its RSA, it would copy the secret */
	rsa = EVP_PKEY_get0_RSA(key);
	return rsa != NULL && method != NULL && RSA_get_method(rsa) == method
		       ? RSA_get_ex_data(rsa, held_index)
		       : NULL;
}

bool token_key_is(const struct evp_pkey_st *key)
{
	return held_by(key) != NULL;
}

struct evp_pkey_st *token_key_copy(const struct evp_pkey_st *key)
{
	const struct held *held = held_by(key);
	const RSA *rsa = held ? EVP_PKEY_get0_RSA(key) : NULL;
	struct token *token = NULL;
	struct err err;

	if (held == NULL || token_new(&token, token_uri(held->token), &err) < 0)
		return NULL;
	expect(token, RSA_get0_n(rsa));
	return key_of(token, BN_dup(RSA_get0_n(rsa)), BN_dup(RSA_get0_e(rsa)));
}

int token_key_trouble(const struct evp_pkey_st *key, struct err *err)
{
	const struct held *held = held_by(key);

	if (held == NULL || held->trouble.kind == ERR_NONE)
		return 0;
	*err = held->trouble;
	return -1;
}

void token_key_forget_trouble(const struct evp_pkey_st *key)
{
	struct held *held = held_by(key);

	if (held != NULL)
		held->trouble = (struct err){ 0 };
}
