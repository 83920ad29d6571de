/* What documents are: their bytes and what is known of them, in a table of their own, encrypted when
 * there is a key. Each is sealed to its document: it cannot be put in another's place.
 */
#include "queue/store_sqlite.h"

/* A statement copies its whole row: once more the memory of a very large document. Written into its row
 * instead, every page is written twice, which the ordinary scan shall not wait for. Nor does it fill the
 * cache with its pages, which nobody reads a second time.
 */
enum { LARGE_BODY = 8 << 20 };
static const char little_cache[] = "PRAGMA cache_size = -1024";

/* What is sealed, of which document. */
enum part { PART_BYTES = 'b', PART_METADATA = 'm' };

struct about {
	uint8_t doc[sizeof(struct ulid)];
	char part;
};

static struct about about(const struct ulid *doc, enum part part)
{
	struct about about = { .part = (char)part };

	memcpy(about.doc, doc->bytes, sizeof(about.doc));
	return about;
}

static struct slice slice_of_about(const struct about *about)
{
	return (struct slice){ (const char *)about, sizeof(*about) };
}

/* ---- the keys ---- */

static int64_t key_number(struct store *store, const char *id, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_KEY, VALUES(TEXT(id)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	return got > 0 ? sqlite3_column_int64(found, 0) : got;
}

/* Every body must be readable before anything is taken in or sent: found out later, documents would be
 * rejected one by one.
 */
static int check_keys(struct store *store, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, KEYS_IN_USE, NULL, 0, err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		bool known = false;

		for (size_t i = 0; i < keyring_count(store->keys) && !known; i++)
			known = strcmp(keyring_id(store->keys, i), sqlite_text(rows, 0)) == 0;
		if (!known)
			return err_set(
				err, ERR_HALT,
				"documents in it are encrypted with the key %s, which is not "
				"in queue.encryption.key_file",
				sqlite_text(rows, 0));
	}
	return got;
}

int store_take_keys(struct store *store, const struct keyring *keys, struct err *err)
{
	store->keys = keys;
	if (check_keys(store, err) < 0)
		return -1;
	if (keyring_count(keys) == 0)
		return 0;
	if (sqlite_run(&store->sqlite, ADD_KEY, VALUES(TEXT(keyring_id(keys, 0))), "note a key",
		       err) < 0)
		return -1;
	store->key = key_number(store, keyring_id(keys, 0), err);
	return store->key > 0 ? 0 : -1;
}

/* ---- in and out ---- */

static int insert_large(struct store *store, int64_t seq, struct slice metadata, struct slice body,
			const char *doing, struct err *err)
{
	if (sqlite_run(&store->sqlite, INSERT_LARGE_BODY,
		       VALUES(NUMBER(seq), BYTES(metadata), NUMBER(body.n)), doing, err) < 0)
		return -1;
	return sqlite_overwrite(&store->sqlite, "body", "bytes", seq, body, doing, err);
}

int store_insert_body(struct store *store, int64_t seq, const struct store_arrival *arrival,
		      struct err *err)
{
	static const char doing[] = "take a document's body in";
	const struct about bytes = about(&arrival->doc, PART_BYTES);
	const struct about what = about(&arrival->doc, PART_METADATA);
	scoped(buf_done) struct buf sealed = { 0 }, sealed_metadata = { 0 };
	struct slice body = arrival->body, metadata = arrival->metadata;
	struct err ignored = { 0 };
	int rc;

	if (keyring_count(store->keys) > 0) {
		keyring_seal(store->keys, slice_of_about(&bytes), body, &sealed);
		keyring_seal(store->keys, slice_of_about(&what), metadata, &sealed_metadata);
		if (buf_check(&sealed, "the document", err) < 0 ||
		    buf_check(&sealed_metadata, "the document's metadata", err) < 0)
			return -1;
		body = buf_slice(&sealed);
		metadata = buf_slice(&sealed_metadata);
	}
	if (body.n < LARGE_BODY)
		return sqlite_run(&store->sqlite, INSERT_BODY,
				  VALUES(NUMBER(seq), BYTES(metadata), BYTES(body)), doing, err);
	if (sqlite_exec(&store->sqlite, little_cache, doing, err) < 0)
		return -1;
	rc = insert_large(store, seq, metadata, body, doing, err);
	return sqlite_exec(&store->sqlite, STORE_CACHE, doing, rc < 0 ? &ignored : err) < 0 ? -1
											    : rc;
}

int store_remove_body(struct store *store, int64_t seq, struct err *err)
{
	return sqlite_run(&store->sqlite, PURGE_BODY, VALUES(NUMBER(seq)), "purge a body", err);
}

static int open_part(struct store *store, const struct ulid *doc, enum part part, const char *key,
		     struct slice kept, struct buf *out, struct err *err)
{
	const struct about what = about(doc, part);

	if (key[0] == '\0') {
		buf_add(out, kept);
		return 0;
	}
	for (size_t i = 0; i < keyring_count(store->keys); i++)
		if (strcmp(keyring_id(store->keys, i), key) == 0)
			return keyring_open(store->keys, i, slice_of_about(&what), kept, out, err);
	return err_set(err, ERR_HALT, "it is encrypted with the key %s, which is not there", key);
}

static int read_bytes(struct store *store, const struct ulid *doc, sqlite3_stmt *found,
		      struct buf *out, struct err *err)
{
	const char *key = sqlite_text(found, 3);
	scoped(buf_done) struct buf sealed = { 0 };
	struct buf *kept = key[0] ? &sealed : out;

	if (sqlite3_column_type(found, 0) != SQLITE_NULL)
		return open_part(store, doc, PART_BYTES, key, sqlite_bytes(found, 0), out, err);
	if (sqlite_append(&store->sqlite, "body", "bytes", sqlite3_column_int64(found, 4), kept,
			  err) < 0)
		return -1;
	return key[0] ? open_part(store, doc, PART_BYTES, key, buf_slice(&sealed), out, err) : 0;
}

/* Reads LOAD: what came, or nothing. */
static int read_body(struct store *store, const struct ulid *doc, sqlite3_stmt *found,
		     struct buf *ret_body, struct buf *ret_metadata, struct err *err)
{
	const size_t start = ret_body->n;
	const char *key = sqlite_text(found, 3);
	uint8_t digest[SHA256_BYTES];

	if (read_bytes(store, doc, found, ret_body, err) < 0)
		return err_within(err, "the document's body");
	sha256(slice_from(buf_slice(ret_body), start), digest);
	if (!slice_equal(sqlite_bytes(found, 2),
			 (struct slice){ (char *)digest, sizeof(digest) })) {
		ret_body->n = start; /* nobody sends what is not the document */
		return err_set(err, ERR_HALT,
			       "the document's body is damaged in the store: it is not what came");
	}
	if (open_part(store, doc, PART_METADATA, key, sqlite_bytes(found, 1), ret_metadata, err) <
	    0) {
		ret_body->n = start;
		return err_within(err, "the document's metadata");
	}
	return 0;
}

int store_load(struct store *store, const struct ulid *doc, struct buf *ret_body,
	       struct buf *ret_metadata, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, LOAD, VALUES(ID(doc), NUMBER(LARGE_BODY)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(err, ERR_HALT, "the document's body is not in the store");
	return read_body(store, doc, found, ret_body, ret_metadata, err);
}

int store_load_metadata(struct store *store, const struct ulid *doc, struct buf *ret_metadata,
			struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, LOAD_METADATA, VALUES(ID(doc)), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got;
	if (open_part(store, doc, PART_METADATA, sqlite_text(found, 1), sqlite_bytes(found, 0),
		      ret_metadata, err) < 0)
		return err_within(err, "the document's metadata");
	return 1;
}
