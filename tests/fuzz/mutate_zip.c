/* A zip archive, changed: which entries it has and in which order, their names, what is in one. It opens as before,
 * and each entry's size and CRC are right: a byte changed in an archive is refused for its CRC, and shows nothing of
 * what reads the entry. Entries come out as they are, not packed.
 */
#include "document/unzip.h"
#include "mutate.h"
#include "zip_maker.h"

enum { TRIES = 16, ENTRIES_MOST = 32, MOST_BYTES = 1 << 20, MOST_RATIO = 100 };

struct archive {
	struct zip_entry entries[ENTRIES_MOST];
	struct buf bytes[ENTRIES_MOST]; /* of the entries, as they were read */
	size_t count;
	struct dice *dice;
};

static const char *const names[] = {
	"README.TXT",
	"IHE_XDM/",
	"IHE_XDM/SUBSET01/METADATA.XML",
	"IHE_XDM/SUBSET02/METADATA.XML",
	"ihe_xdm/subset01/metadata.xml",
	"IHE_XDM/SUBSET01/DOC00001.XML",
	"IHE_XDM/SUBSET01/DOC00003.PDF",
};

/* false: it is none, or has more entries than there is room for. */
static bool read_archive(struct archive *archive, struct unzip *unzip)
{
	struct err err;

	if (unzip_count(unzip) == 0 || unzip_count(unzip) > ENTRIES_MOST)
		return false;
	for (size_t i = 0; i < unzip_count(unzip); i++, archive->count++) {
		if (unzip_take(unzip, i, &archive->bytes[i], &err) < 0)
			return false;
		archive->entries[i] = (struct zip_entry){ .name = slice_of(unzip_name(unzip, i)),
							  .bytes = buf_slice(&archive->bytes[i]) };
	}
	return true;
}

static struct zip_entry *any(struct archive *archive)
{
	return &archive->entries[dice_below(archive->dice, archive->count)];
}

static void drop(struct archive *archive)
{
	struct zip_entry *dropped = any(archive);

	*dropped = archive->entries[--archive->count];
}

static void swap(struct archive *archive)
{
	struct zip_entry *a = any(archive), *b = any(archive), kept = *a;

	*a = *b;
	*b = kept;
}

static void rename_it(struct archive *archive, struct zip_entry *entry)
{
	entry->name = slice_of(names[dice_below(archive->dice, length_of(names))]);
}

static void repeat(struct archive *archive)
{
	if (archive->count == ENTRIES_MOST)
		return;
	archive->entries[archive->count] = *any(archive);
	rename_it(archive, &archive->entries[archive->count++]);
}

/* In more than capitals: else the archive is refused for that. */
static bool names_differ(const struct archive *archive)
{
	for (size_t i = 0; i < archive->count; i++)
		for (size_t j = 0; j < i; j++)
			if (slice_is_nocase(archive->entries[i].name, archive->entries[j].name.p))
				return false;
	return true;
}

/* What is in `content` is there as long as the archive. */
static void change_once(struct archive *archive, struct buf *content)
{
	struct zip_entry *entry = any(archive);

	switch (dice_below(archive->dice, 12)) {
	case 0:
		drop(archive);
		break;
	case 1:
		swap(archive);
		break;
	case 2:
		repeat(archive);
		break;
	case 3:
		rename_it(archive, entry);
		break;
	case 4:
		entry->bytes = any(archive)->bytes;
		break;
	default:
		if (dice_below(archive->dice, 4) == 0 ||
		    !mutate_xml(entry->bytes, archive->dice, content)) {
			buf_clear(content);
			mutate_bytes(entry->bytes, content);
		}
		entry->bytes = buf_slice(content);
	}
}

static bool change(const struct archive *archive, struct slice text, struct buf *out)
{
	for (size_t i = 0; i < TRIES; i++) {
		scoped(buf_done) struct buf content = { .limit = out->limit };
		struct archive changed = *archive;

		buf_clear(out);
		change_once(&changed, &content);
		zip_make(changed.entries, changed.count, out);
		if (changed.count > 0 && names_differ(&changed) && !content.overfull &&
		    !out->overfull && !slice_equal(text, buf_slice(out)))
			return true;
	}
	return false;
}

bool mutate_zip(struct slice text, struct dice *dice, struct buf *out)
{
	static const struct unzip_limits limits = { ENTRIES_MOST, MOST_BYTES, MOST_RATIO };
	scoped(unzip_free) struct unzip *unzip = NULL;
	struct archive archive = { .dice = dice };
	struct err err;
	bool done;

	if (!slice_starts(text, "PK") || unzip_open(&unzip, text, &limits, &err) < 0)
		return false;
	done = read_archive(&archive, unzip) && change(&archive, text, out);
	for (size_t i = 0; i < ENTRIES_MOST; i++)
		buf_done(&archive.bytes[i]);
	return done;
}
