/* A zip archive in memory, read with distrust: it is opened only when every one of its names could
 * safely be a path, no entry is anything but a file or a folder, and what it would unpack to is
 * within limits. Nothing is ever written to a disk.
 *
 * Pure. Owned by one thread at a time.
 */
#ifndef DMPFEED_DOCUMENT_UNZIP_H
#define DMPFEED_DOCUMENT_UNZIP_H

#include "base/buf.h"

struct unzip_limits {
	uint64_t most_entries;
	uint64_t most_bytes; /* of all entries together, unpacked */
	uint64_t most_ratio; /* of an entry of a mebibyte or more: unpacked to packed */
};

struct unzip;

/* `bytes` outlive what is opened. -1: REASON_DOCUMENT_INVALID or REASON_TOO_LARGE; ERR_RETRY when there
 * is no memory. An entry is told by its place in the archive: its name may be a patient's.
 */
must_use int unzip_open(struct unzip **ret_unzip, struct slice bytes,
			const struct unzip_limits *limits, struct err *err);
void unzip_free(struct unzip **unzip);

size_t unzip_count(const struct unzip *unzip);
const char *unzip_name(const struct unzip *unzip, size_t index); /* a folder's ends with '/' */

/* The entry of a name, whatever the case of its ASCII letters. false: there is none. */
must_use bool unzip_find(const struct unzip *unzip, const char *name, size_t *ret_index);

/* The entry's bytes, whose size and CRC-32 are what the archive says. */
must_use int unzip_take(struct unzip *unzip, size_t index, struct buf *ret_bytes, struct err *err);

#endif
