/* Logging in to a PKCS#11 token with a PIN of a file. Any thread.
 *
 * A token locks itself after few wrong PINs. So one that it refused is not tried again by this process, and
 * threads that all find their session lost try one after the other.
 */
#ifndef DMPFEED_BASE_TOKEN_PIN_H
#define DMPFEED_BASE_TOKEN_PIN_H

#include <p11-kit/pkcs11.h>

#include "base/buf.h"

/* With the first line of `file`; "": there is none, which does where the token wants none. -1: ERR_HALT, the PIN
 * is missing or refused; ERR_RETRY, the token is in trouble.
 */
must_use int token_pin_log_in(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot,
			      CK_SESSION_HANDLE session, const char *file, struct err *err);

/* A token that answers with something else than what is asked of it. Returns -1 (ERR_RETRY). */
int token_pin_trouble(CK_RV answer, const char *at, struct err *err);

#endif
