/* Base64, digests and chance, all from OpenSSL. Any thread. */
#include "base/codec.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>

/* Decodes into `room`, which holds three bytes for each four of `text` and six more.
 * EVP_DecodeBlock takes whole groups of four only: this feeds it, skipping blanks and restoring
 * what is missing at the end.
 */
static int decode_into(unsigned char *room, size_t *ret_written, struct slice text, struct err *err)
{
	unsigned char chunk[4096];
	size_t n = 0, padding = 0, written = 0;

	for (size_t i = 0; i <= text.n; i++) {
		char c = i < text.n ? text.p[i] : '\0';
		int got;

		if (i < text.n) {
			if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
				continue;
			if (c == '=')
				padding++;
			else if (padding > 0 || c == '-' ||
				 c == '\0') /* OpenSSL reads '-' as an end */
				return err_refuse(err, REASON_DATA_TYPE, "",
						  "Base64 is broken at byte %zu", i);
			chunk[n++] = (unsigned char)c;
		} else {
			if (n % 4 == 1)
				return err_refuse(err, REASON_DATA_TYPE, "",
						  "Base64 is cut: one character is left over");
			for (; n % 4 != 0; padding++)
				chunk[n++] = '=';
		}
		if (padding > 2)
			return err_refuse(err, REASON_DATA_TYPE, "",
					  "Base64 ends with more than two '='");
		if (n < sizeof(chunk) && i < text.n)
			continue;
		got = n ? EVP_DecodeBlock(room + written, chunk, (int)n) : 0;
		if (got < 0)
			return err_refuse(
				err, REASON_DATA_TYPE, "",
				"Base64 holds a character that is none of it before byte %zu", i);
		written += (size_t)got;
		n = 0;
	}
	*ret_written = written - min(padding, written);
	return 0;
}

int base64_decode(struct slice text, struct buf *out, struct err *err)
{
	char *room = buf_reserve(out, text.n / 4 * 3 + 6);
	size_t written = 0;
	int result;

	if (room == NULL)
		return buf_check(out, "the decoded Base64", err);
	result = decode_into((unsigned char *)room, &written, text, err);
	out->n += written;
	out->p[out->n] = '\0'; /* what was tried and refused has overwritten it */
	return result;
}

void base64_encode(struct slice bytes, struct buf *out)
{
	char *end = buf_reserve(out, (bytes.n + 2) / 3 * 4);

	if (end == NULL)
		return;
	out->n += (size_t)EVP_EncodeBlock((unsigned char *)end, (const unsigned char *)bytes.p,
					  (int)bytes.n);
}

static size_t digest_whole(const EVP_MD *md, struct slice bytes, uint8_t *ret_digest)
{
	unsigned n;

	if (EVP_Digest(bytes.p, bytes.n, ret_digest, &n, md, NULL) != 1)
		abort(); /* an OpenSSL without SHA cannot have started */
	return n;
}

void sha256(struct slice bytes, uint8_t ret_digest[static SHA256_BYTES])
{
	digest_whole(EVP_sha256(), bytes, ret_digest);
}

void sha1(struct slice bytes, uint8_t ret_digest[static SHA1_BYTES])
{
	digest_whole(EVP_sha1(), bytes, ret_digest);
}

static const EVP_MD *md_of(enum digest_kind kind)
{
	return kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
}

size_t digest_once(enum digest_kind kind, struct slice bytes,
		   uint8_t ret_digest[static DIGEST_MOST])
{
	return digest_whole(md_of(kind), bytes, ret_digest);
}

struct digest {
	EVP_MD_CTX *context;
};

struct digest *digest_new(enum digest_kind kind)
{
	struct digest *digest = xcalloc(1, sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	if (EVP_DigestInit_ex(digest->context, md_of(kind), NULL) != 1)
		abort();
	return digest;
}

void digest_add(struct digest *digest, struct slice bytes)
{
	if (EVP_DigestUpdate(digest->context, bytes.p, bytes.n) != 1)
		abort();
}

size_t digest_end(struct digest **digest, uint8_t ret_digest[static DIGEST_MOST])
{
	unsigned n;

	if (EVP_DigestFinal_ex((*digest)->context, ret_digest, &n) != 1)
		abort();
	EVP_MD_CTX_free((*digest)->context);
	free_ptr(digest);
	return n;
}

const char *hex(const uint8_t *bytes, size_t n, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		ret_text[2 * i] = digits[bytes[i] >> 4];
		ret_text[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_text[2 * n] = '\0';
	return ret_text;
}

void random_bytes(void *ret_bytes, size_t n)
{
	if (RAND_bytes(ret_bytes, (int)n) != 1)
		abort(); /* ids that could repeat would break the second promise */
}

uint32_t random_u32(void)
{
	uint32_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

const char *uuid_new(char ret_text[static UUID_TEXT])
{
	static const uint8_t groups[] = { 4, 2, 2, 2, 6 };
	uint8_t bytes[16];
	size_t from = 0, to = 0;

	random_bytes(bytes, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 4122, 4.4: version 4 */
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < length_of(groups); from += groups[i], i++) {
		if (i > 0)
			ret_text[to++] = '-';
		hex(bytes + from, groups[i], ret_text + to);
		to += (size_t)groups[i] * 2;
	}
	return ret_text;
}
