/* The keys that bodies are encrypted with at rest: AES-256-GCM, the newest key first, older ones kept to
 * read what they wrote.
 *
 * Read at start, immutable afterwards: any thread may use it.
 */
#ifndef DMPFEED_QUEUE_KEYRING_H
#define DMPFEED_QUEUE_KEYRING_H

#include "base/buf.h"

enum { KEY_ID_TEXT = 17, KEYRING_MOST = 16 };

struct keyring;

/* One key a line, 32 bytes in hex (64 digits) or Base64; lines that begin with # say nothing. -1: err
 * (ERR_HALT) names the line, never what is on it.
 */
must_use int keyring_read(struct keyring **ret_keyring, struct slice text, struct err *err);
must_use int keyring_load(struct keyring **ret_keyring, const char *file, struct err *err);
void keyring_free(struct keyring **keyring);

size_t keyring_count(const struct keyring *keyring);

/* What key `i` is called: the start of a digest of it, in hex. 0 is the one that writes. */
const char *keyring_id(const struct keyring *keyring, size_t i);

/* Appends nonce, ciphertext and tag of `plain`, by the newest key. `about` must be the same when it is
 * opened: a body cannot be put in another's place.
 */
void keyring_seal(const struct keyring *keyring, struct slice about, struct slice plain,
		  struct buf *out);

/* Appends what key `i` sealed. -1 (ERR_HALT): it is not what was sealed. */
must_use int keyring_open(const struct keyring *keyring, size_t i, struct slice about,
			  struct slice sealed, struct buf *out, struct err *err);

#endif
