/* The id of a document. Any thread: each remembers the last id it gave out. */
#include "base/ulid.h"

#include "base/codec.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

typedef unsigned __int128 number;

static number number_of(const struct ulid *ulid)
{
	number value = 0;

	for (size_t i = 0; i < sizeof(ulid->bytes); i++)
		value = value << 8 | ulid->bytes[i];
	return value;
}

static struct ulid ulid_of(number value)
{
	struct ulid ulid;

	for (size_t i = sizeof(ulid.bytes); i-- > 0; value >>= 8)
		ulid.bytes[i] = (uint8_t)value;
	return ulid;
}

struct ulid ulid_new(int64_t now_ms)
{
	static _Thread_local number last;
	number chance = 0, value;
	uint8_t bytes[10];

	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		chance = chance << 8 | bytes[i];
	value = (number)(uint64_t)now_ms << 80 | chance;

	if (value >> 80 <= last >> 80) /* the same millisecond, or a clock that went back */
		value = last + 1;
	last = value;
	return ulid_of(value);
}

const char *ulid_text(const struct ulid *ulid, char ret_text[static ULID_TEXT])
{
	number value = number_of(ulid);

	for (size_t i = ULID_TEXT - 1; i-- > 0; value >>= 5)
		ret_text[i] = alphabet[value & 31];
	ret_text[ULID_TEXT - 1] = '\0';
	return ret_text;
}

bool ulid_parse(struct slice text, struct ulid *ret_ulid)
{
	number value = 0;

	if (text.n != ULID_TEXT - 1 || text.p[0] > '7')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] - 'a' + 'A')
							      : text.p[i];
		const char *digit = c ? strchr(alphabet, c) : NULL;

		if (digit == NULL)
			return false;
		value = value << 5 | (number)(digit - alphabet);
	}
	*ret_ulid = ulid_of(value);
	return true;
}

const char *ulid_decimal(const struct ulid *ulid, char ret_text[static ULID_DECIMAL])
{
	char digits[ULID_DECIMAL];
	number value = number_of(ulid);
	size_t n = sizeof(digits);

	digits[--n] = '\0';
	do {
		digits[--n] = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value > 0);
	memcpy(ret_text, digits + n, sizeof(digits) - n);
	return ret_text;
}
