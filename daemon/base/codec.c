/* Base64, and digests and chance from OpenSSL. Any thread. */
#include "base/codec.h"

#include <endian.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdio.h>

/* RFC 4648, table 1. */
/* clang-format off */
#define ALPHABET(letter)                                                                           \
	letter('A', 0)  letter('B', 1)  letter('C', 2)  letter('D', 3)  letter('E', 4)             \
	letter('F', 5)  letter('G', 6)  letter('H', 7)  letter('I', 8)  letter('J', 9)             \
	letter('K', 10) letter('L', 11) letter('M', 12) letter('N', 13) letter('O', 14)            \
	letter('P', 15) letter('Q', 16) letter('R', 17) letter('S', 18) letter('T', 19)            \
	letter('U', 20) letter('V', 21) letter('W', 22) letter('X', 23) letter('Y', 24)            \
	letter('Z', 25) letter('a', 26) letter('b', 27) letter('c', 28) letter('d', 29)            \
	letter('e', 30) letter('f', 31) letter('g', 32) letter('h', 33) letter('i', 34)            \
	letter('j', 35) letter('k', 36) letter('l', 37) letter('m', 38) letter('n', 39)            \
	letter('o', 40) letter('p', 41) letter('q', 42) letter('r', 43) letter('s', 44)            \
	letter('t', 45) letter('u', 46) letter('v', 47) letter('w', 48) letter('x', 49)            \
	letter('y', 50) letter('z', 51) letter('0', 52) letter('1', 53) letter('2', 54)            \
	letter('3', 55) letter('4', 56) letter('5', 57) letter('6', 58) letter('7', 59)            \
	letter('8', 60) letter('9', 61) letter('+', 62) letter('/', 63)
/* clang-format on */

/* What a character gives to its group of four: its six bits at their place in 24, and, above, one bit for
 * being of the alphabet. So a group is one OR, and whole if it has all four.
 */
#define FIRST(c, six) [c] = 1u << 24 | six << 18,
#define SECOND(c, six) [c] = 1u << 25 | six << 12,
#define THIRD(c, six) [c] = 1u << 26 | six << 6,
#define FOURTH(c, six) [c] = 1u << 27 | six,

static const uint32_t places[4][256] = {
	{ ALPHABET(FIRST) }, { ALPHABET(SECOND) }, { ALPHABET(THIRD) }, { ALPHABET(FOURTH) }
};

enum { WHOLE_GROUP = 15, NO_SIX = UINT8_MAX };

static uint32_t six_bits(char c)
{
	const uint32_t last = places[3][(unsigned char)c];

	return last ? last & 63 : NO_SIX;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whole groups of four, from text.p[at] on until anything else comes. Returns where that is. A byte more
 * than the group is written, which the next one overwrites: there is room for it. Our own and not OpenSSL's,
 * which wants the blanks taken out before and is slower: documents are megabytes.
 */
static size_t decode_groups(struct slice text, size_t at, unsigned char **ret_to)
{
	unsigned char *to = *ret_to;

	for (; text.n - at >= 4; at += 4) {
		const unsigned char *c = (const unsigned char *)text.p + at;
		uint32_t bits =
			places[0][c[0]] | places[1][c[1]] | places[2][c[2]] | places[3][c[3]];

		if (bits >> 24 != WHOLE_GROUP)
			break;
		bits = htobe32(bits << 8);
		memcpy(to, &bits, sizeof(bits));
		to += 3;
	}
	*ret_to = to;
	return at;
}

/* The end: `count` characters of a group that is not whole, and what stands for the others. */
static int decode_end(uint32_t bits, size_t count, size_t padding, unsigned char **to,
		      struct err *err)
{
	if ((count + padding) % 4 == 1)
		return err_refuse(err, REASON_DATA_TYPE, "",
				  "Base64 is cut: one character is left over");
	if (count == 1 || padding > 2 || (count == 0 && padding > 0) ||
	    (count > 0 && count + padding > 4))
		return err_refuse(err, REASON_DATA_TYPE, "",
				  "Base64 ends with '=' where it should not");
	if (count > 1)
		*(*to)++ = (unsigned char)(bits >> (count == 3 ? 10 : 4));
	if (count > 2)
		*(*to)++ = (unsigned char)(bits >> 2);
	return 0;
}

/* Decodes into `room`, which holds three bytes for each four of `text` and six more, or is `text`
 * itself: what is written never overtakes what is read. Blanks may
 * stand anywhere, and the end may lack its '='.
 */
static int decode_into(unsigned char *room, size_t *ret_written, struct slice text, struct err *err)
{
	size_t count = 0, padding = 0;
	unsigned char *to = room;
	uint32_t bits = 0, six;

	for (size_t i = 0; i < text.n; i++) {
		if (count == 0 && padding == 0 && (i = decode_groups(text, i, &to)) == text.n)
			break;
		if (is_blank(text.p[i]))
			continue;
		if (text.p[i] == '=') {
			padding++;
			continue;
		}
		six = six_bits(text.p[i]);
		if (six == NO_SIX || padding > 0)
			return err_refuse(err, REASON_DATA_TYPE, "", "Base64 is broken at byte %zu",
					  i);
		bits = bits << 6 | six;
		if (++count < 4)
			continue;
		*to++ = (unsigned char)(bits >> 16);
		*to++ = (unsigned char)(bits >> 8);
		*to++ = (unsigned char)bits;
		count = 0;
	}
	if (decode_end(bits, count, padding, &to, err) < 0)
		return -1;
	*ret_written = (size_t)(to - room);
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

int base64_decode_in_place(char *text, size_t n, size_t *ret_n, struct err *err)
{
	return decode_into((unsigned char *)text, ret_n, (struct slice){ text, n }, err);
}

/* Eight characters of the alphabet at a time. Returns how many. */
static size_t count_eights(struct slice text)
{
	const uint32_t *const known = places[0];
	size_t n = 0;

	for (; text.n - n >= 8; n += 8) {
		const unsigned char *c = (const unsigned char *)text.p + n;

		if (((known[c[0]] & known[c[1]] & known[c[2]] & known[c[3]] & known[c[4]] &
		      known[c[5]] & known[c[6]] & known[c[7]]) >>
		     24) == 0)
			break;
	}
	return n;
}

void base64_look(struct base64_seen *seen, struct slice more)
{
	while (more.n > 0 && !seen->is_broken) {
		const size_t eights = seen->padding == 0 ? count_eights(more) : 0;

		seen->count += eights;
		more = slice_from(more, eights);
		if (more.n == 0)
			break;
		if (more.p[0] == '=')
			seen->padding++;
		else if (six_bits(more.p[0]) != NO_SIX && seen->padding == 0)
			seen->count++;
		else
			seen->is_broken = !is_blank(more.p[0]);
		more = slice_from(more, 1);
	}
}

bool base64_is_whole(const struct base64_seen *seen)
{
	const size_t count = seen->count % 4; /* of the last group */

	if (seen->is_broken || seen->count == 0)
		return false;
	return count == 0 ? seen->padding == 0 : count > 1 && count + seen->padding <= 4;
}

void base64_encode(struct slice bytes, struct buf *out)
{
	char *end = buf_reserve(out, (bytes.n + 2) / 3 * 4);

	if (end == NULL)
		return;
	out->n += (size_t)EVP_EncodeBlock((unsigned char *)end, (const unsigned char *)bytes.p,
					  (int)bytes.n);
}

/* Kept for good: EVP_sha256() only names it, and OpenSSL 3 looks the name up, under a lock, at each use. */
static const EVP_MD *md_of(enum digest_kind kind)
{
	static const char *const names[] = { [DIGEST_SHA1] = "SHA1", [DIGEST_SHA256] = "SHA256" };
	static _Atomic(EVP_MD *) kept[length_of(names)];
	EVP_MD *md = atomic_load(&kept[kind]), *none = NULL;

	if (md != NULL)
		return md;
	md = EVP_MD_fetch(NULL, names[kind], NULL);
	if (md == NULL)
		no_memory(); /* an OpenSSL without SHA cannot have started */
	if (atomic_compare_exchange_strong(&kept[kind], &none, md))
		return md;
	EVP_MD_free(md); /* another thread was faster */
	return none;
}

static size_t digest_whole(enum digest_kind kind, struct slice bytes, uint8_t *ret_digest)
{
	unsigned n;

	if (EVP_Digest(bytes.p, bytes.n, ret_digest, &n, md_of(kind), NULL) != 1)
		no_memory();
	return n;
}

void sha256(struct slice bytes, uint8_t ret_digest[static SHA256_BYTES])
{
	digest_whole(DIGEST_SHA256, bytes, ret_digest);
}

void sha1(struct slice bytes, uint8_t ret_digest[static SHA1_BYTES])
{
	digest_whole(DIGEST_SHA1, bytes, ret_digest);
}

size_t digest_once(enum digest_kind kind, struct slice bytes,
		   uint8_t ret_digest[static DIGEST_MOST])
{
	return digest_whole(kind, bytes, ret_digest);
}

struct digest {
	EVP_MD_CTX *context;
};

struct digest *digest_new(enum digest_kind kind)
{
	struct digest *digest = xcalloc(1, sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	if (EVP_DigestInit_ex(digest->context, md_of(kind), NULL) != 1)
		no_memory();
	return digest;
}

void digest_add(struct digest *digest, struct slice bytes)
{
	if (EVP_DigestUpdate(digest->context, bytes.p, bytes.n) != 1)
		no_memory();
}

size_t digest_end(struct digest **digest, uint8_t ret_digest[static DIGEST_MOST])
{
	unsigned n;

	if (EVP_DigestFinal_ex((*digest)->context, ret_digest, &n) != 1)
		no_memory();
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

/* ---- encryption ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

bool hex_decode(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++)
		if (hex_digit(text.p[i]) < 0)
			return false;
	for (size_t i = 0; i + 1 < text.n; i += 2)
		buf_add_char(out, (char)(hex_digit(text.p[i]) << 4 | hex_digit(text.p[i + 1])));
	return text.n % 2 == 0;
}

enum { NONCE = 12, TAG = 16, PIECE = 1 << 30 };

/* Both ways: `in` to `room`, which is as long; what OpenSSL counts is an int. */
static bool cipher(EVP_CIPHER_CTX *context, struct slice about, struct slice in, char *room)
{
	unsigned char *to = (unsigned char *)room;
	int n;

	if (EVP_CipherUpdate(context, NULL, &n, (const unsigned char *)about.p, (int)about.n) != 1)
		return false;
	for (size_t at = 0; at < in.n; at += PIECE)
		if (EVP_CipherUpdate(context, to + at, &n, (const unsigned char *)in.p + at,
				     (int)min(in.n - at, (size_t)PIECE)) != 1)
			return false;
	return true;
}

void aes256_gcm_seal(const uint8_t key[static AES256_BYTES], struct slice about, struct slice plain,
		     struct buf *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	char *room = buf_reserve(out, NONCE + plain.n + TAG);
	unsigned char end[EVP_MAX_BLOCK_LENGTH];
	int n;

	if (room != NULL) {
		random_bytes(room, NONCE);
		if (context == NULL ||
		    EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key,
				      (const unsigned char *)room, 1) != 1 ||
		    !cipher(context, about, plain, room + NONCE) ||
		    EVP_CipherFinal_ex(context, end, &n) != 1 ||
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG,
					room + NONCE + plain.n) != 1)
			no_memory();
		out->n += NONCE + plain.n + TAG;
		out->p[out->n] = '\0';
	}
	EVP_CIPHER_CTX_free(context);
}

bool aes256_gcm_open(const uint8_t key[static AES256_BYTES], struct slice about,
		     struct slice sealed, struct buf *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const size_t plain_bytes = sealed.n - min(sealed.n, (size_t)(NONCE + TAG));
	char *room = buf_reserve(out, plain_bytes);
	unsigned char tag[TAG], end[EVP_MAX_BLOCK_LENGTH];
	bool is_authentic = false;
	int n;

	if (room != NULL && context != NULL && sealed.n >= NONCE + TAG) {
		memcpy(tag, sealed.p + NONCE + plain_bytes, TAG);
		is_authentic = EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key,
						 (const unsigned char *)sealed.p, 0) == 1 &&
			       cipher(context, about,
				      (struct slice){ sealed.p + NONCE, plain_bytes }, room) &&
			       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
			       EVP_CipherFinal_ex(context, end, &n) == 1;
		out->n += is_authentic ? plain_bytes : 0;
		out->p[out->n] = '\0';
	}
	EVP_CIPHER_CTX_free(context);
	return is_authentic;
}
