/* What the DMP said of patients' DMPs. Any one thread.
 *
 * A hash table of chains over entries that are also in one list by use. Entries are numbered from
 * 1; 0 is no entry, and entry 0 holds both ends of the list.
 */
#include "dispatch/existence_cache.h"

struct entry {
	uint8_t patient[SHA256_BYTES];
	enum existence existence;
	int64_t known_ms, until_ms;
	uint32_t newer, older; /* in the list by use; a free entry has the next free one in older */
	uint32_t chain;        /* the next of its bucket */
};

struct existence_cache {
	struct existence_cache_settings settings;
	uint8_t secret[SHA256_BYTES];
	struct entry *entries; /* most + 1 */
	uint32_t *buckets;
	uint32_t bucket_count, used, free;
	size_t count;
};

enum {
	MOST_ENTRIES = 1 << 24,
	SECOND_MS = 1000, /* as exact as a message is: of what is said in one, the last counts */
};

struct existence_cache *existence_cache_new(const struct existence_cache_settings *settings,
					    const uint8_t secret[static SHA256_BYTES])
{
	struct existence_cache *cache = xcalloc(1, sizeof(*cache));

	cache->settings = *settings;
	cache->settings.most = min(settings->most, (uint64_t)MOST_ENTRIES);
	memcpy(cache->secret, secret, sizeof(cache->secret));
	cache->bucket_count = (uint32_t)cache->settings.most + 1;
	cache->entries = xcalloc(cache->settings.most + 1, sizeof(*cache->entries));
	cache->buckets = xcalloc(cache->bucket_count, sizeof(*cache->buckets));
	return cache;
}

void existence_cache_free(struct existence_cache **cache)
{
	if (*cache == NULL)
		return;
	free((*cache)->entries);
	free((*cache)->buckets);
	free_ptr(cache);
}

static void digest_of(const struct existence_cache *cache, const char *ins, const char *ins_oid,
		      uint8_t ret_digest[static SHA256_BYTES])
{
	scoped(buf_done) struct buf text = { 0 };

	buf_add(&text, (struct slice){ (const char *)cache->secret, sizeof(cache->secret) });
	buf_add_text(&text, ins_oid);
	buf_add_char(&text, '/');
	buf_add_text(&text, ins);
	sha256(buf_slice(&text), ret_digest);
	explicit_bzero(text.p, text.n);
}

static uint32_t *bucket_of(struct existence_cache *cache, const uint8_t *patient)
{
	uint32_t start;

	memcpy(&start, patient, sizeof(start));
	return &cache->buckets[start % cache->bucket_count];
}

static uint32_t find(struct existence_cache *cache, const uint8_t *patient)
{
	uint32_t i = *bucket_of(cache, patient);

	while (i != 0 && memcmp(cache->entries[i].patient, patient, SHA256_BYTES) != 0)
		i = cache->entries[i].chain;
	return i;
}

static void leave_list(struct existence_cache *cache, uint32_t i)
{
	struct entry *e = &cache->entries[i];

	cache->entries[e->newer].older = e->older;
	cache->entries[e->older].newer = e->newer;
}

static void join_list(struct existence_cache *cache, uint32_t i)
{
	struct entry *ends = &cache->entries[0], *e = &cache->entries[i];

	e->newer = 0;
	e->older = ends->older;
	cache->entries[ends->older].newer = i;
	ends->older = i;
}

static void forget(struct existence_cache *cache, uint32_t i)
{
	uint32_t *link = bucket_of(cache, cache->entries[i].patient);

	while (*link != i)
		link = &cache->entries[*link].chain;
	*link = cache->entries[i].chain;
	leave_list(cache, i);
	cache->entries[i] = (struct entry){ .older = cache->free };
	cache->free = i;
	cache->count--;
}

/* A place for one more: a free one, a new one, or that of the one not used for longest. */
static uint32_t make_room(struct existence_cache *cache)
{
	uint32_t i;

	if (cache->count == cache->settings.most)
		forget(cache, cache->entries[0].newer);
	cache->count++;
	if (cache->free == 0)
		return ++cache->used;
	i = cache->free;
	cache->free = cache->entries[i].older;
	return i;
}

enum existence existence_cache_find(struct existence_cache *cache, const char *ins,
				    const char *ins_oid, int64_t now_ms)
{
	uint8_t patient[SHA256_BYTES];
	uint32_t i;

	digest_of(cache, ins, ins_oid, patient);
	i = find(cache, patient);
	if (i == 0)
		return EXISTENCE_UNKNOWN;
	if (now_ms >= cache->entries[i].until_ms) {
		forget(cache, i);
		return EXISTENCE_UNKNOWN;
	}
	leave_list(cache, i);
	join_list(cache, i);
	return cache->entries[i].existence;
}

/* As known at `now_ms`. */
static void put(struct existence_cache *cache, const uint8_t patient[static SHA256_BYTES],
		enum existence existence, int64_t now_ms)
{
	int64_t believed_ms = existence == EXISTENCE_ACTIVE ? cache->settings.positive_ms
							    : cache->settings.negative_ms;
	uint32_t i = find(cache, patient), *bucket;

	if (i != 0)
		forget(cache, i);
	if (existence == EXISTENCE_UNKNOWN || believed_ms <= 0 || cache->settings.most == 0)
		return;
	i = make_room(cache);
	bucket = bucket_of(cache, patient);
	cache->entries[i] = (struct entry){ .existence = existence,
					    .known_ms = now_ms,
					    .until_ms = now_ms + believed_ms,
					    .chain = *bucket };
	memcpy(cache->entries[i].patient, patient, SHA256_BYTES);
	*bucket = i;
	join_list(cache, i);
}

void existence_cache_put(struct existence_cache *cache, const char *ins, const char *ins_oid,
			 enum existence existence, int64_t now_ms)
{
	uint8_t patient[SHA256_BYTES];

	digest_of(cache, ins, ins_oid, patient);
	put(cache, patient, existence, now_ms);
}

void existence_cache_tell(struct existence_cache *cache, const char *ins, const char *ins_oid,
			  enum existence existence, int64_t said_ms)
{
	uint8_t patient[SHA256_BYTES];
	const struct entry *known;

	digest_of(cache, ins, ins_oid, patient);
	known = &cache->entries[find(cache, patient)];
	if (known != cache->entries && known->known_ms > said_ms + SECOND_MS)
		return;
	if (existence != EXISTENCE_ACTIVE)
		put(cache, patient, existence, said_ms);
	else if (known->existence != EXISTENCE_ACTIVE)
		put(cache, patient, EXISTENCE_UNKNOWN, said_ms);
}

size_t existence_cache_count(const struct existence_cache *cache)
{
	return cache->count;
}
