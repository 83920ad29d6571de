/* A private RSA key on a PKCS#11 token. One thread at a time.
 *
 * Each key has its own session, so that threads wait for the token and not for one another. Whatever
 * goes wrong with a signature, the session is thrown away and one more is tried with a new one, of a
 * module that was started anew where that is of use: what a lost session, a restarted HSM or a card
 * that was taken out and put back look like differs from module to module.
 */
#include "base/token.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "base/clock.h"
#include "base/token_module.h"
#include "base/token_pin.h"

enum {
	MOST_SLOTS = 256,
	MOST_MODULUS = 1024, /* bytes */
	TRIES = 2,           /* with the session there is, and with a new one */
	PATIENCE = 9,        /* times as long as it took to fail, the token is left alone */
};

struct token {
	char *text, *name;
	P11KitUri *uri;
	const char *pin_file;
	struct buf modulus;

	struct token_module *module; /* NULL: not used */
	CK_FUNCTION_LIST *functions;
	uint64_t start;            /* of the module, */
	CK_SESSION_HANDLE session; /* in which this was opened; 0: none is open */
	CK_OBJECT_HANDLE key;

	int64_t again_ms;   /* the token is left alone until then, */
	struct err trouble; /* for this */
};

/* ---- the name ---- */

bool token_is_uri(const char *text)
{
	return slice_is_nocase((struct slice){ text, strnlen(text, strlen("pkcs11:")) }, "pkcs11:");
}

static int badly_written(struct err *err, const char *what)
{
	return err_set(err, ERR_HALT, "is a PKCS#11 URI that %s", what);
}

/* RFC 7512 lets it be a path, a file: URI, or a program that tells it. */
static int note_pin_source(struct token *token, struct err *err)
{
	const char *source = p11_kit_uri_get_pin_source(token->uri);

	token->pin_file = "";
	if (source == NULL)
		return 0;
	token->pin_file =
		slice_starts(slice_of(source), "file:") ? source + strlen("file:") : source;
	if (slice_starts(slice_of(token->pin_file), "///"))
		token->pin_file += strlen("//");
	if (token->pin_file[0] != '/')
		return badly_written(err, "gets its PIN from something else than a file: write "
					  "pin-source=file:/PATH, from / on");
	return 0;
}

/* Of private keys, whether it says so or not. */
static int note_class(struct token *token, struct err *err)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE attribute = { CKA_CLASS, &class, sizeof(class) };
	const CK_ATTRIBUTE *written = p11_kit_uri_get_attribute(token->uri, CKA_CLASS);

	if (written != NULL && (written->ulValueLen != sizeof(class) ||
				memcmp(written->pValue, &class, sizeof(class)) != 0))
		return badly_written(err, "names no private key: write type=private");
	p11_kit_uri_set_attribute(token->uri, &attribute);
	return 0;
}

static int check_uri(struct token *token, struct err *err)
{
	const char *module = p11_kit_uri_get_module_path(token->uri);

	if (p11_kit_uri_get_pin_value(token->uri) != NULL)
		return badly_written(err,
				     "has the PIN in it (pin-value): write the PIN in a file that "
				     "only the gateway can read, and pin-source=file:/PATH");
	if (p11_kit_uri_any_unrecognized(token->uri))
		return badly_written(err, "holds an attribute that is not known: see RFC 7512");
	if (module == NULL || module[0] != '/')
		return badly_written(err, "does not say which module speaks to the token: write "
					  "module-path=/PATH, from / on");
	if (p11_kit_uri_get_attribute(token->uri, CKA_LABEL) == NULL &&
	    p11_kit_uri_get_attribute(token->uri, CKA_ID) == NULL)
		return badly_written(err, "does not say which key: write object=NAME or id=%01");
	return min(note_class(token, err), note_pin_source(token, err));
}

/* p11-kit takes others too, and the name is for the journal. */
static const char uri_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:[]@!$'()*+,=&/?|-._~;%";

int token_new(struct token **ret_token, const char *uri, struct err *err)
{
	scoped(token_free) struct token *token = xcalloc(1, sizeof(*token));
	int result;

	token->text = xstrdup(uri);
	token->name = xasprintf("%.*s", (int)strcspn(uri, "?"), uri);
	token->uri = p11_kit_uri_new();
	if (token->uri == NULL)
		no_memory();
	result = p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, token->uri);
	if (result != P11_KIT_URI_OK || strspn(uri, uri_characters) < strlen(uri))
		return badly_written(err, "cannot be read: write pkcs11:token=NAME;object=NAME"
					  "?module-path=/PATH&pin-source=file:/PATH");
	if (check_uri(token, err) < 0)
		return -1;
	*ret_token = take(token);
	return 0;
}

const char *token_name(const struct token *token)
{
	return token->name;
}

const char *token_uri(const struct token *token)
{
	return token->text;
}

const char *token_module(const struct token *token)
{
	return p11_kit_uri_get_module_path(token->uri);
}

const char *token_pin_file(const struct token *token)
{
	return token->pin_file;
}

void token_expect(struct token *token, struct slice modulus)
{
	buf_clear(&token->modulus);
	buf_add(&token->modulus, modulus);
}

/* ---- the key; all of this between token_module_enter() and _exit() ---- */

static bool is_the_one(const struct token *token, CK_SLOT_ID slot)
{
	const CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(token->uri);
	CK_TOKEN_INFO info;

	return (wanted == (CK_SLOT_ID)-1 || wanted == slot) &&
	       token->functions->C_GetTokenInfo(slot, &info) == CKR_OK &&
	       (info.flags & CKF_TOKEN_INITIALIZED) &&
	       p11_kit_uri_match_token_info(token->uri, &info);
}

/* A PIN must not go to a token that is not meant. */
static int find_slot(const struct token *token, CK_SLOT_ID *ret_slot, struct err *err)
{
	CK_SLOT_ID slots[MOST_SLOTS];
	CK_ULONG count = MOST_SLOTS;
	CK_RV answer = token->functions->C_GetSlotList(CK_TRUE, slots, &count);
	size_t found = 0;

	if (answer != CKR_OK)
		return token_pin_trouble(answer, "slots", err);
	for (CK_ULONG i = 0; i < count; i++)
		if (is_the_one(token, slots[i])) {
			*ret_slot = slots[i];
			found++;
		}
	if (found == 0)
		return err_set(err, ERR_RETRY,
			       "the token is not there: it is used again when it is back");
	if (found > 1)
		return err_set(err, ERR_HALT,
			       "%zu tokens are meant: add what tells them apart (token=, serial=)",
			       found);
	return 0;
}

static int find_key(struct token *token, struct err *err)
{
	CK_ULONG attribute_count, count = 0;
	CK_ATTRIBUTE *attributes = p11_kit_uri_get_attributes(token->uri, &attribute_count);
	CK_OBJECT_HANDLE keys[2];
	CK_RV answer =
		token->functions->C_FindObjectsInit(token->session, attributes, attribute_count);

	if (answer == CKR_OK) {
		answer = token->functions->C_FindObjects(token->session, keys, length_of(keys),
							 &count);
		token->functions->C_FindObjectsFinal(token->session);
	}
	if (answer != CKR_OK)
		return token_pin_trouble(answer, "search", err);
	if (count == 0)
		return err_set(err, ERR_HALT, "the token holds no such private key");
	if (count > 1)
		return err_set(err, ERR_HALT,
			       "the token holds several such private keys: add id=%%01 of the "
			       "right one");
	token->key = keys[0];
	return 0;
}

static CK_RV read_attribute(const struct token *token, CK_ATTRIBUTE_TYPE type, void *ret_value,
			    size_t *n)
{
	CK_ATTRIBUTE attribute = { type, ret_value, *n };
	CK_RV answer =
		token->functions->C_GetAttributeValue(token->session, token->key, &attribute, 1);

	*n = attribute.ulValueLen;
	return answer;
}

static int check_key(const struct token *token, struct err *err)
{
	unsigned char modulus[MOST_MODULUS];
	CK_KEY_TYPE type = 0;
	CK_BBOOL each_time = CK_FALSE;
	size_t modulus_n = sizeof(modulus), type_n = sizeof(type), each_n = sizeof(each_time);
	CK_RV answer = read_attribute(token, CKA_KEY_TYPE, &type, &type_n);

	if (answer == CKR_OK && type != CKK_RSA)
		return err_set(err, ERR_HALT, "this is no RSA key: no other is used on a token");
	if (answer == CKR_OK)
		answer = read_attribute(token, CKA_MODULUS, modulus, &modulus_n);
	if (answer != CKR_OK)
		return token_pin_trouble(answer, "key", err);
	if (!slice_equal((struct slice){ (char *)modulus, modulus_n }, buf_slice(&token->modulus)))
		return err_set(err, ERR_HALT, "this is not the key of the certificate beside it");
	if (read_attribute(token, CKA_ALWAYS_AUTHENTICATE, &each_time, &each_n) == CKR_OK &&
	    each_time)
		return err_set(err, ERR_HALT,
			       "this key wants its PIN at each signature, which is not done: take "
			       "one without CKA_ALWAYS_AUTHENTICATE");
	return 0;
}

static void close_session(struct token *token)
{
	if (token->session != 0)
		token->functions->C_CloseSession(token->session);
	token->session = 0;
}

static int open_session(struct token *token, struct err *err)
{
	CK_SLOT_ID slot = 0;
	CK_RV answer;

	if (find_slot(token, &slot, err) < 0)
		return -1;
	answer = token->functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
						 &token->session);
	if (answer != CKR_OK)
		return token_pin_trouble(answer, "session", err);
	if (token_pin_log_in(token->functions, slot, token->session, token->pin_file, err) == 0 &&
	    find_key(token, err) == 0 && check_key(token, err) == 0)
		return 0;
	close_session(token);
	return -1;
}

static CK_RV call_sign(const struct token *token, enum token_padding padding, struct slice bytes,
		       unsigned char *ret_signature, size_t room)
{
	static const CK_MECHANISM_TYPE types[] = {
		[TOKEN_PKCS1] = CKM_RSA_PKCS,
		[TOKEN_RAW] = CKM_RSA_X_509,
	};
	CK_MECHANISM mechanism = { types[padding], NULL, 0 };
	CK_ULONG n = room;
	CK_RV answer = token->functions->C_SignInit(token->session, &mechanism, token->key);

	if (answer == CKR_OK)
		answer = token->functions->C_Sign(token->session, (CK_BYTE *)(uintptr_t)bytes.p,
						  bytes.n, ret_signature, &n);
	return answer == CKR_OK && n != token->modulus.n ? CKR_SIGNATURE_LEN_RANGE : answer;
}

/* What no new session would mend. */
static bool is_refusal(CK_RV answer)
{
	return answer == CKR_MECHANISM_INVALID || answer == CKR_KEY_FUNCTION_NOT_PERMITTED ||
	       answer == CKR_KEY_TYPE_INCONSISTENT;
}

static int sign_in_session(struct token *token, enum token_padding padding, struct slice bytes,
			   unsigned char *ret_signature, size_t room, struct err *err)
{
	CK_RV answer;

	if (token->session == 0 && open_session(token, err) < 0)
		return -1;
	answer = call_sign(token, padding, bytes, ret_signature, room);
	if (answer == CKR_OK)
		return 0;
	close_session(token);
	if (is_refusal(answer))
		return err_set(err, ERR_HALT, "the token does not sign with %s: %s",
			       padding == TOKEN_RAW ? "CKM_RSA_X_509, which TLS needs"
						    : "CKM_RSA_PKCS",
			       p11_kit_strerror(answer));
	return token_pin_trouble(answer, "signature", err);
}

/* ---- the module ---- */

static int sign_once(struct token *token, enum token_padding padding, struct slice bytes,
		     unsigned char *ret_signature, size_t room, struct err *err)
{
	uint64_t start;
	int rc;

	if (token->module == NULL && token_module_use(&token->module, token_module(token), err) < 0)
		return -1;
	start = token_module_enter(token->module, &token->functions);
	if (token->start != start)
		token->session = 0;
	token->start = start;
	rc = sign_in_session(token, padding, bytes, ret_signature, room, err);
	token_module_exit(token->module);
	return rc;
}

static void leave_module(struct token *token)
{
	if (token->module == NULL)
		return;
	if (token_module_enter(token->module, &token->functions) == token->start)
		close_session(token);
	token_module_exit(token->module);
	token_module_leave(&token->module);
	token->session = 0;
}

static int sign_if_there(struct token *token, enum token_padding padding, struct slice bytes,
			 unsigned char *ret_signature, size_t room, struct err *err)
{
	for (int i = 0;; i++) {
		if (sign_once(token, padding, bytes, ret_signature, room, err) == 0)
			return 0;
		if (err->kind != ERR_RETRY || i + 1 == TRIES)
			return -1;
		if (token->module != NULL)
			token_module_restart(token->module, token->start);
	}
}

/* Some modules take long to find their token gone, and the caller may be the loop: it waits for them a tenth
 * of the time at most.
 */
int token_sign(struct token *token, enum token_padding padding, struct slice bytes,
	       unsigned char *ret_signature, size_t room, struct err *err)
{
	const int64_t now_ms = clock_monotonic_ms();

	if (now_ms < token->again_ms) {
		*err = token->trouble;
		return -1;
	}
	if (sign_if_there(token, padding, bytes, ret_signature, room, err) == 0)
		return 0;
	leave_module(token);
	err_within(err, "%s", token->name);
	token->trouble = *err;
	token->again_ms = clock_monotonic_ms();
	token->again_ms += (token->again_ms - now_ms) * PATIENCE;
	return -1;
}

void token_free(struct token **token)
{
	if (*token == NULL)
		return;
	leave_module(*token);
	p11_kit_uri_free((*token)->uri);
	buf_done(&(*token)->modulus);
	free((*token)->text);
	free((*token)->name);
	free_ptr(token);
}
