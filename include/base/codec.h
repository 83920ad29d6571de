/* Base64, and digests and chance from OpenSSL. Any thread. */
#ifndef DMPFEED_BASE_CODEC_H
#define DMPFEED_BASE_CODEC_H

#include "base/buf.h"

enum { SHA1_BYTES = 20, SHA256_BYTES = 32, UUID_TEXT = 37 };

/* Appends the bytes that `text` stands for. Blanks anywhere (space, tab, CR, LF) are skipped and
 * missing '=' are restored, as real files need; anything else that is not Base64 is -1 (ERR_REJECT,
 * REASON_DATA_TYPE). */
must_use int base64_decode(struct slice text, struct buf *out, struct err *err);

/* The same over its own text, which is spoilt, refused or not: of `n` bytes the first *ret_n are what
 * it stood for.
 */
must_use int base64_decode_in_place(char *text, size_t n, size_t *ret_n, struct err *err);

/* Of a text that comes piece by piece and that nobody keeps: would base64_decode() take it? All zero at first. */
struct base64_seen {
	size_t count, padding; /* of characters, and of '=' behind them */
	bool is_broken;
};
void base64_look(struct base64_seen *seen, struct slice more);
bool base64_is_whole(const struct base64_seen *seen); /* and not empty */

/* Appends the Base64 of `bytes`, on one line. */
void base64_encode(struct slice bytes, struct buf *out);

void sha256(struct slice bytes, uint8_t ret_digest[static SHA256_BYTES]);
void sha1(struct slice bytes, uint8_t ret_digest[static SHA1_BYTES]);

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256 };
enum { DIGEST_MOST = SHA256_BYTES };

/* Returns how many bytes of ret_digest it filled. */
size_t digest_once(enum digest_kind kind, struct slice bytes,
		   uint8_t ret_digest[static DIGEST_MOST]);

/* The same of bytes that come piece by piece. digest_end() frees. */
struct digest;
struct digest *digest_new(enum digest_kind kind);
void digest_add(struct digest *digest, struct slice bytes);
size_t digest_end(struct digest **digest, uint8_t ret_digest[static DIGEST_MOST]);

/* Lower case, two digits a byte; ret_text has room for 2 * n + 1. */
const char *hex(const uint8_t *bytes, size_t n, char *ret_text);

/* Appends the bytes that an even number of hex digits stands for; false: they are not. */
must_use bool hex_decode(struct slice text, struct buf *out);

enum { AES256_BYTES = 32 };

/* AES-256-GCM under a fresh random nonce: appends nonce (12 bytes), ciphertext, tag (16). One key may seal
 * some four thousand million times. `about` is not in it, and must be the same to open it.
 */
void aes256_gcm_seal(const uint8_t key[static AES256_BYTES], struct slice about, struct slice plain,
		     struct buf *out);

/* Appends what was sealed; false, and nothing, when it is not what was sealed. */
must_use bool aes256_gcm_open(const uint8_t key[static AES256_BYTES], struct slice about,
			      struct slice sealed, struct buf *out);

/* Cryptographic chance; aborts when the system has none. */
void random_bytes(void *ret_bytes, size_t n);
uint32_t random_u32(void);

/* A fresh UUID version 4, lower case. */
const char *uuid_new(char ret_text[static UUID_TEXT]);

#endif
