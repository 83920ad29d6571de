/* Which patients have a DMP, as the DMP said not long ago, so that it need not be asked for every
 * document. Bounded: the one not used for longest makes room. A patient is kept as a keyed digest,
 * never in clear.
 *
 * Pure: time and secret are arguments. Owned by one thread at a time.
 */
#ifndef DMPFEED_DISPATCH_EXISTENCE_CACHE_H
#define DMPFEED_DISPATCH_EXISTENCE_CACHE_H

#include "base/codec.h"
#include "dmp/existence.h"

struct existence_cache_settings {
	int64_t positive_ms, negative_ms; /* how long an open DMP, an absent or closed one, is
					     believed */
	uint64_t most;                    /* patients; 0: nothing is kept */
};

struct existence_cache;

/* `secret` is drawn at each start: the digests of one run say nothing to another. */
struct existence_cache *existence_cache_new(const struct existence_cache_settings *settings,
					    const uint8_t secret[static SHA256_BYTES]);
void existence_cache_free(struct existence_cache **cache);

/* EXISTENCE_UNKNOWN: not kept, or too old. */
enum existence existence_cache_find(struct existence_cache *cache, const char *ins,
				    const char *ins_oid, int64_t now_ms);

/* EXISTENCE_UNKNOWN forgets the patient. */
void existence_cache_put(struct existence_cache *cache, const char *ins, const char *ins_oid,
			 enum existence existence, int64_t now_ms);

/* Somebody else than the DMP said so at said_ms, which may be long ago. It is believed no longer than the DMP's
 * own word would be since then, and never against one that is newer (by a second). That a DMP is open, the DMP says
 * itself when it is asked: a word that it was closed is forgotten, no more.
 */
void existence_cache_tell(struct existence_cache *cache, const char *ins, const char *ins_oid,
			  enum existence existence, int64_t said_ms);

size_t existence_cache_count(const struct existence_cache *cache);

#endif
