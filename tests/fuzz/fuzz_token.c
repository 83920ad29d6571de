/* The name of a key on a token, as somebody wrote it: what is taken names a module by its path, and the
 * file of the PIN if there is one; what is not is told.
 */
#include "base/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(free_ptr) char *uri = slice_dup((struct slice){ (const char *)data, size });
	scoped(token_free) struct token *token = NULL;
	struct err err = { 0 };

	if (!token_is_uri(uri))
		return 0;
	if (token_new(&token, uri, &err) < 0) {
		if (err.kind != ERR_HALT || strncmp(err.text, "is a PKCS#11 URI that ", 22) != 0)
			abort();
		return 0;
	}
	if (strcmp(token_uri(token), uri) != 0 || strchr(token_name(token), '?') != NULL ||
	    token_module(token)[0] != '/' ||
	    (token_pin_file(token)[0] != '\0' && token_pin_file(token)[0] != '/'))
		abort();
	return 0;
}
