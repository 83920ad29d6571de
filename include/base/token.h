/* A private RSA key that stays on a PKCS#11 token: an HSM, a smart card, SoftHSM. Its name is a URI
 * (RFC 7512), which also says which module speaks to the token and which file holds the PIN:
 *
 *     pkcs11:token=dmp;object=sign?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/…/pin
 *
 * A struct token has a session of its own and belongs to one thread at a time; several threads sign
 * at once with several of them. It opens itself at the first signature, and again when the session
 * is lost: a token that comes back is used again without anybody's doing. A module that hangs keeps
 * its caller waiting.
 *
 * A PIN that a token has refused is not tried again by this process: a token locks itself after
 * few wrong ones.
 */
#ifndef DMPFEED_BASE_TOKEN_H
#define DMPFEED_BASE_TOKEN_H

#include "base/buf.h"

struct token;

/* Does the text name a key on a token, and no file? */
bool token_is_uri(const char *text);

/* Looks at no module and no token. -1 (ERR_HALT): the text continues "SETTING …" and says what would
 * be right.
 */
must_use int token_new(struct token **ret_token, const char *uri, struct err *err);
void token_free(struct token **token);

/* The URI without what follows "?", for people; all of it; and the files that it names. */
const char *token_name(const struct token *token);
const char *token_uri(const struct token *token);
const char *token_module(const struct token *token);
const char *token_pin_file(const struct token *token); /* "": none */

/* Only a key with this modulus will do: that of its certificate. */
void token_expect(struct token *token, struct slice modulus);

enum token_padding {
	TOKEN_PKCS1, /* the token pads what it signs, a DigestInfo (CKM_RSA_PKCS) */
	TOKEN_RAW,   /* it was padded, to the length of the modulus (CKM_RSA_X_509) */
};

/* As long as the modulus: `room` bytes of `ret_signature` at least. -1: ERR_RETRY, the token is away
 * or in trouble, and will do when it is back; ERR_HALT, something is wrong with it that only a human
 * can mend.
 */
must_use int token_sign(struct token *token, enum token_padding padding, struct slice bytes,
			unsigned char *ret_signature, size_t room, struct err *err);

#endif
