/* The modules that speak to PKCS#11 tokens: a library of each token's maker, loaded and started as long
 * as somebody uses it. Any thread.
 *
 * A module that lost its token may have to be started anew before it sees it again, and that ends
 * every session there is: nobody may be in a call meanwhile, and whoever has a session must know.
 */
#ifndef DMPFEED_BASE_TOKEN_MODULE_H
#define DMPFEED_BASE_TOKEN_MODULE_H

#include <p11-kit/pkcs11.h>

#include "base/buf.h"

struct token_module;

/* -1: ERR_HALT, the file is none; ERR_RETRY, it does not start. */
must_use int token_module_use(struct token_module **ret_module, const char *path, struct err *err);
void token_module_leave(struct token_module **module);

/* Its functions are called between these two only. Returns which start this is: sessions of another
 * one are no more.
 */
uint64_t token_module_enter(struct token_module *module, CK_FUNCTION_LIST **ret_functions);
void token_module_exit(struct token_module *module);

/* Starts it anew, once all who are in calls are out, if it is still in that start. */
void token_module_restart(struct token_module *module, uint64_t start);

#endif
