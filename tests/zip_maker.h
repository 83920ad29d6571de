/* Zip archives for tests, honest and not: entries are stored as they are, and everything that the
 * archive says of them can be said otherwise.
 */
#ifndef DMPFEED_TESTS_ZIP_MAKER_H
#define DMPFEED_TESTS_ZIP_MAKER_H

#include <endian.h>

#include "base/buf.h"

struct zip_entry {
	struct slice name, bytes; /* of all-zero bytes "bytes" is made */
	uint32_t mode;            /* of Unix: 0100644 */
	uint32_t claimed;         /* the size that is said, unless 0 */
	uint16_t flags;
	uint32_t wrong_crc; /* added to the right one */
};

static inline uint32_t zip_crc(struct slice bytes)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < bytes.n; i++) {
		crc ^= (unsigned char)bytes.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320U & -(crc & 1));
	}
	return ~crc;
}

static inline void zip_two(struct buf *out, unsigned value)
{
	uint16_t little = htole16((uint16_t)value);

	buf_add(out, (struct slice){ (const char *)&little, 2 });
}

static inline void zip_four(struct buf *out, uint32_t value)
{
	uint32_t little = htole32(value);

	buf_add(out, (struct slice){ (const char *)&little, 4 });
}

/* What stands in both headers: flags to the length of the extra field. */
static inline void zip_common(struct buf *out, const struct zip_entry *entry)
{
	zip_two(out, 20);
	zip_two(out, entry->flags);
	zip_two(out, 0); /* stored */
	zip_four(out, 0x5b7651c7);
	zip_four(out, zip_crc(entry->bytes) + entry->wrong_crc);
	zip_four(out, (uint32_t)entry->bytes.n);
	zip_four(out, entry->claimed ? entry->claimed : (uint32_t)entry->bytes.n);
	zip_two(out, (unsigned)entry->name.n);
	zip_two(out, 0);
}

static inline void zip_add(struct zip_entry entry, struct buf *list, struct buf *out)
{
	const uint32_t at = (uint32_t)out->n;

	if (entry.bytes.p == NULL)
		entry.bytes = slice_of("bytes");
	buf_add_text(out, "PK\3\4");
	zip_common(out, &entry);
	buf_add(out, entry.name);
	buf_add(out, entry.bytes);

	buf_add_text(list, "PK\1\2");
	zip_two(list, 3 << 8 | 20); /* made by Unix */
	zip_common(list, &entry);
	zip_two(list, 0); /* no comment, one disk, binary */
	zip_two(list, 0);
	zip_two(list, 0);
	zip_four(list, (entry.mode ? entry.mode : 0100644) << 16);
	zip_four(list, at);
	buf_add(list, entry.name);
}

static inline void zip_make(const struct zip_entry *entries, size_t count, struct buf *out)
{
	scoped(buf_done) struct buf list = { 0 };
	uint32_t at;

	for (size_t i = 0; i < count; i++)
		zip_add(entries[i], &list, out);
	at = (uint32_t)out->n;
	buf_add(out, buf_slice(&list));
	buf_add_text(out, "PK\5\6");
	zip_four(out, 0);
	zip_two(out, (unsigned)count);
	zip_two(out, (unsigned)count);
	zip_four(out, (uint32_t)list.n);
	zip_four(out, at);
	zip_two(out, 0);
}

#endif
