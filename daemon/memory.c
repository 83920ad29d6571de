/* What the libraries take memory with, where they let it be chosen. At start, before there are threads. */
#include "memory.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <openssl/crypto.h>
#include <time.h>

#include "base/buf.h"

/* OpenSSL names the line that asks. */
static void *allocate_for(size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return xmalloc(bytes);
}

static void *reallocate_for(void *p, size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return xrealloc(p, bytes);
}

static void free_for(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static void check_none_lacked(void)
{
	if (errno == ENOMEM)
		no_memory();
}

/* What these do first they do with the C library's memory, and go on without: the local time would be UTC, libxml2 have
 * no locks, and OpenSSL not have read its configuration.
 */
static void start_all(void)
{
	errno = 0;
	tzset();
	check_none_lacked();
	xmlInitParser();
	check_none_lacked();
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	check_none_lacked();
}

void memory_start(void)
{
	if (!CRYPTO_set_mem_functions(allocate_for, reallocate_for, free_for))
		abort(); /* somebody was before us: our own mistake */
	xmlMemSetup(free, xmalloc, xrealloc, xstrdup);
	event_set_mem_functions(xmalloc, xrealloc, free);
	json_set_alloc_funcs(xmalloc, free);
	start_all();
	/* after OpenSSL, which it would start */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, xmalloc, free, xrealloc, xstrdup, xcalloc) !=
	    CURLE_OK)
		no_memory();
}
