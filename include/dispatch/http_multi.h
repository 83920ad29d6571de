/* curl's exchanges on the loop: sockets and timeouts, and no idea of what is exchanged.
 *
 * Loop only.
 */
#ifndef DMPFEED_DISPATCH_HTTP_MULTI_H
#define DMPFEED_DISPATCH_HTTP_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct http_multi;

/* Never NULL. curl_global_init() was called before. `happened` is called when some exchange may have ended, outside
 * curl's own callbacks; it asks http_multi_ended(), may add and remove, and may not free.
 */
struct http_multi *http_multi_new(struct event_base *loop, size_t most_connections,
				  void (*happened)(void *arg), void *arg);

/* All that was added has been removed before. */
void http_multi_free(struct http_multi **multi);

/* Begins what the handle is set for; it is the caller's, and stays where it is until removed. */
bool http_multi_add(struct http_multi *multi, CURL *easy);
void http_multi_remove(struct http_multi *multi, CURL *easy);

/* The next that has ended since it was asked last, and how; NULL: no more. */
CURL *http_multi_ended(struct http_multi *multi, CURLcode *ret_code);

#endif
