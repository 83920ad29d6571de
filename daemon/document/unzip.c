/* Zip archives from outside. The list of entries is read here, before libzip sees it, because a
 * library hands names over as C strings and makes room for as many entries as it is told; libzip
 * unpacks. Any thread, one archive at a time.
 */
#include "document/unzip.h"

#include <endian.h>
#include <errno.h>
#include <sys/stat.h>
#include <zip.h>

/* APPNOTE.TXT, 4.3.12 and 4.3.16. */
enum {
	ENTRY_BYTES = 46,
	END_BYTES = 22,
	COMMENT_MOST = 0xffff,
	NAME_MOST = 255,
	UNIX = 3, /* the systems whose attributes hold a mode */
	DARWIN = 19,
	ENCRYPTED = 1,
	SMALL = 1 << 20, /* unpacked: the ratio of a small entry harms nobody */
};

struct entry {
	char name[NAME_MOST + 1];
	uint64_t size;
};

struct unzip {
	zip_t *archive;
	struct entry *entries;
	size_t count;
};

/* One line of the list, as the archive has it. */
struct line {
	unsigned place; /* from 1, for people */
	unsigned made_by, flags;
	uint32_t attributes;
	uint64_t packed, unpacked;
	struct slice name;
};

static int invalid(struct err *err, const char *what)
{
	return err_refuse(err, REASON_DOCUMENT_INVALID, "", "this is not a zip archive: %s", what);
}

static int refuse_entry(struct err *err, enum reason reason, const struct line *line,
			const char *what)
{
	return err_refuse(err, reason, "", "entry %u of the archive %s", line->place, what);
}

static unsigned two(const char *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return le16toh(value);
}

static uint32_t four(const char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return le32toh(value);
}

/* The last record of the archive, which a comment may follow. NULL: there is none. */
static const char *find_end(struct slice bytes)
{
	size_t most = min(bytes.n, (size_t)END_BYTES + COMMENT_MOST);

	for (size_t back = END_BYTES; back <= most; back++) {
		const char *p = bytes.p + bytes.n - back;

		if (memcmp(p, "PK\5\6", 4) == 0 && two(p + 20) == back - END_BYTES)
			return p;
	}
	return NULL;
}

/* Control characters, backslashes and drive letters are how other systems are led astray. */
static bool has_wrong_character(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == '\\' || name.p[i] == ':' ||
		    name.p[i] == 0x7f)
			return true;
	return false;
}

static bool leaves_its_folder(struct slice name)
{
	struct slice rest = name, part;

	while (slice_next(&rest, '/', &part))
		if (slice_is(part, "..") || slice_is(part, ".") || (part.n == 0 && rest.p != NULL))
			return true;
	return false;
}

static bool is_special(const struct line *line)
{
	mode_t mode = (mode_t)(line->attributes >> 16);

	if (line->made_by != UNIX && line->made_by != DARWIN)
		return false;
	return (mode & S_IFMT) != 0 && !S_ISREG(mode) && !S_ISDIR(mode);
}

static int check_line(const struct line *line, const struct unzip_limits *limits, struct err *err)
{
	if (line->name.n == 0 || line->name.n > NAME_MOST)
		return refuse_entry(err, REASON_DOCUMENT_INVALID, line,
				    "has no name, or one of more than 255 bytes");
	if (has_wrong_character(line->name) || line->name.p[0] == '/' ||
	    leaves_its_folder(line->name))
		return refuse_entry(err, REASON_DOCUMENT_INVALID, line,
				    "has a name that is no path inside the archive");
	if (is_special(line))
		return refuse_entry(err, REASON_DOCUMENT_INVALID, line,
				    "is neither a file nor a folder");
	if (line->flags & ENCRYPTED)
		return refuse_entry(err, REASON_DOCUMENT_INVALID, line, "is encrypted");
	if (line->unpacked >= SMALL &&
	    line->unpacked / max(line->packed, (uint64_t)1) >= limits->most_ratio)
		return refuse_entry(err, REASON_TOO_LARGE, line,
				    "unpacks to too many times its size");
	return 0;
}

/* Takes a line off `rest`. */
static int take_line(struct slice *rest, struct line *line, struct err *err)
{
	size_t whole;

	if (rest->n < ENTRY_BYTES || memcmp(rest->p, "PK\1\2", 4) != 0)
		return invalid(err, "its list of entries is broken");
	line->made_by = two(rest->p + 4) >> 8;
	line->flags = two(rest->p + 8);
	line->packed = four(rest->p + 20);
	line->unpacked = four(rest->p + 24);
	line->attributes = four(rest->p + 38);
	line->name = (struct slice){ rest->p + ENTRY_BYTES, two(rest->p + 28) };
	whole = ENTRY_BYTES + line->name.n + two(rest->p + 30) + two(rest->p + 32);
	if (whole > rest->n)
		return invalid(err, "its list of entries is cut");
	*rest = slice_from(*rest, whole);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two entries of one name: which of them was meant? */
static int refuse_twins(const struct unzip *unzip, struct err *err)
{
	scoped(free_ptr) const char **names = xcalloc(unzip->count + 1, sizeof(*names));

	for (size_t i = 0; i < unzip->count; i++)
		names[i] = unzip->entries[i].name;
	qsort(names, unzip->count, sizeof(*names), by_name);
	for (size_t i = 1; i < unzip->count; i++)
		if (strcasecmp(names[i], names[i - 1]) == 0)
			return err_refuse(err, REASON_DOCUMENT_INVALID, "",
					  "two entries of the archive have the same name");
	return 0;
}

static int take_list(struct unzip *unzip, struct slice list, size_t count,
		     const struct unzip_limits *limits, struct err *err)
{
	uint64_t bytes = 0;

	unzip->entries = xcalloc(count + 1, sizeof(*unzip->entries));
	for (; unzip->count < count; unzip->count++) {
		struct entry *entry = &unzip->entries[unzip->count];
		struct line line = { .place = (unsigned)unzip->count + 1 };

		if (take_line(&list, &line, err) < 0 || check_line(&line, limits, err) < 0)
			return -1;
		bytes += line.unpacked;
		if (bytes > limits->most_bytes)
			return err_refuse(err, REASON_TOO_LARGE, "",
					  "the archive unpacks to more than %llu bytes",
					  (unsigned long long)limits->most_bytes);
		memcpy(entry->name, line.name.p, line.name.n);
		entry->size = line.unpacked;
	}
	return refuse_twins(unzip, err);
}

/* The list must be all that stands before the end, and no more than it says. ZIP64, for which an
 * exchange medium is far too small, reads as offsets beyond the end.
 */
static int read_list(struct unzip *unzip, struct slice bytes, const struct unzip_limits *limits,
		     struct err *err)
{
	const char *end = find_end(bytes);
	size_t count, n, offset;

	if (end == NULL)
		return invalid(err, "it has no end");
	count = two(end + 10);
	n = four(end + 12);
	offset = four(end + 16);
	if (two(end + 4) != 0 || two(end + 8) != count)
		return invalid(err, "it is one part of several");
	if (count > limits->most_entries)
		return err_refuse(err, REASON_TOO_LARGE, "", "the archive has %zu entries", count);
	if (offset > (size_t)(end - bytes.p) || n > (size_t)(end - bytes.p) - offset)
		return invalid(err, "its list of entries is not where it should be");
	return take_list(unzip, (struct slice){ bytes.p + offset, n }, count, limits, err);
}

/* libzip must have read the same list. */
static int check_same_list(const struct unzip *unzip, struct err *err)
{
	zip_int64_t count = zip_get_num_entries(unzip->archive, 0);

	if (count < 0 || (size_t)count != unzip->count)
		return invalid(err, "it holds two lists of entries");
	for (size_t i = 0; i < unzip->count; i++) {
		const char *name = zip_get_name(unzip->archive, i, ZIP_FL_ENC_RAW);
		zip_stat_t stat;

		if (name == NULL || strcmp(name, unzip->entries[i].name) != 0 ||
		    zip_stat_index(unzip->archive, i, 0, &stat) < 0 ||
		    stat.size != unzip->entries[i].size)
			return invalid(err, "it holds two lists of entries");
	}
	return 0;
}

/* An archive is not at fault for memory that libzip lacks: it may say then that it is no archive, or nothing. */
static bool lacks_memory(struct err *err)
{
	if (errno != ENOMEM)
		return false;
	err_set(err, ERR_RETRY, "there is no memory to unpack the archive");
	return true;
}

static int open_archive(struct unzip *unzip, struct slice bytes, struct err *err)
{
	zip_source_t *source;
	zip_error_t error;
	int rc = 0;

	errno = 0;
	zip_error_init(&error);
	source = zip_source_buffer_create(bytes.p, bytes.n, 0, &error);
	if (source != NULL)
		unzip->archive = zip_open_from_source(source, ZIP_RDONLY, &error);
	if (unzip->archive == NULL) {
		rc = lacks_memory(err) ? -1 : invalid(err, zip_error_strerror(&error));
		zip_source_free(source); /* NULL is welcome */
	}
	zip_error_fini(&error);
	return rc;
}

int unzip_open(struct unzip **ret_unzip, struct slice bytes, const struct unzip_limits *limits,
	       struct err *err)
{
	scoped(unzip_free) struct unzip *unzip = xcalloc(1, sizeof(*unzip));

	if (read_list(unzip, bytes, limits, err) < 0 || open_archive(unzip, bytes, err) < 0 ||
	    check_same_list(unzip, err) < 0)
		return -1;
	*ret_unzip = take(unzip);
	return 0;
}

void unzip_free(struct unzip **unzip)
{
	if (*unzip == NULL)
		return;
	if ((*unzip)->archive != NULL)
		zip_discard((*unzip)->archive);
	free((*unzip)->entries);
	free_ptr(unzip);
}

size_t unzip_count(const struct unzip *unzip)
{
	return unzip->count;
}

const char *unzip_name(const struct unzip *unzip, size_t index)
{
	return unzip->entries[index].name;
}

bool unzip_find(const struct unzip *unzip, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < unzip->count; i++)
		if (strcasecmp(unzip->entries[i].name, name) == 0) {
			*ret_index = i;
			return true;
		}
	return false;
}

int unzip_take(struct unzip *unzip, size_t index, struct buf *ret_bytes, struct err *err)
{
	const size_t size = unzip->entries[index].size;
	const struct line line = { .place = (unsigned)index + 1 };
	zip_file_t *file;
	char *room, more;
	zip_int64_t got = -1, beyond = -1;

	buf_clear(ret_bytes);
	ret_bytes->limit = size + 1;
	room = buf_reserve(ret_bytes, size);
	errno = 0;
	file = zip_fopen_index(unzip->archive, index, 0);
	if (file != NULL && room != NULL) {
		got = zip_fread(file, room, size);
		beyond = zip_fread(file, &more, 1); /* only at its end is the checksum compared */
	}
	if (file != NULL)
		zip_fclose(file);
	if (got < 0 || (size_t)got != size || beyond != 0)
		return lacks_memory(err) ? -1
					 : refuse_entry(err, REASON_DOCUMENT_INVALID, &line,
							"cannot be unpacked: it is damaged or in "
							"an unknown method");
	ret_bytes->n = size;
	ret_bytes->p[size] = '\0';
	return 0;
}
