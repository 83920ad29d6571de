/* Patients' identities as an authority (an ADT) last said them, each under the keys of its local numbers.
 *
 * A document is judged by the newest word of its patient's identity, wherever it stands and whenever that
 * word comes: store_sqlite_subject.c does. Here is what is kept of the words themselves. A number that was
 * merged into another points to it, and whoever asks is led there.
 */
#include "queue/store_sqlite.h"

enum {
	HOPS_MOST = 8, /* of mergers, each into the next */
	KEYS_MOST = 256,
	ASK_AGAIN_MS = 86400000, /* whether documents still need what is kept */
};

/* ---- keys ---- */

int store_find_local(struct store *store, const struct store_local *local,
		     struct store_patient *ret_key, struct err *err)
{
	return store_find_key(store, slice_of(local->domain).p, slice_of(local->number).p, ret_key,
			      err);
}

/* ---- what is known ---- */

static void copy_key(uint8_t to[static STORE_KEY], struct slice from)
{
	memcpy(to, from.p, min(from.n, (size_t)STORE_KEY));
}

static struct store_patient patient_of(sqlite3_stmt *found, int column)
{
	struct store_patient patient = { 0 };
	const struct slice bytes = sqlite_bytes(found, column);

	patient.is_known = bytes.n == sizeof(patient.key);
	if (patient.is_known)
		copy_key(patient.key, bytes);
	return patient;
}

static struct slice key_of(const uint8_t key[static STORE_KEY])
{
	return (struct slice){ (const char *)key, STORE_KEY };
}

/* Its own row, wherever it leads. 1, 0, -1. */
static int find_row(struct store *store, const uint8_t key[static STORE_KEY],
		    struct store_known *ret_known, struct store_patient *ret_into, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FIND_IDENTITY, VALUES(BYTES(key_of(key))), err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	*ret_known = (struct store_known){ 0 };
	*ret_into = (struct store_patient){ 0 };
	if (got <= 0)
		return got;
	ret_known->is_there = true;
	copy_key(ret_known->key, key_of(key));
	ret_known->patient = patient_of(found, 0);
	ret_known->traits = patient_of(found, 1);
	ret_known->said_ms = sqlite3_column_int64(found, 2);
	*ret_into = patient_of(found, 3);
	ret_known->heard_ms = sqlite3_column_int64(found, 4);
	return 1;
}

/* What is known of the one that it was merged into is known since the merger at the latest: a document that
 * is older than that does not speak for it.
 */
int store_find_known(struct store *store, const struct store_patient *key,
		     struct store_known *ret_known, struct err *err)
{
	struct store_patient into = *key;
	int64_t merged_ms = 0;

	*ret_known = (struct store_known){ 0 };
	for (int hop = 0; into.is_known && hop < HOPS_MOST; hop++) {
		const struct store_patient at = into;

		merged_ms = max(merged_ms, ret_known->said_ms);
		if (find_row(store, at.key, ret_known, &into, err) < 0)
			return -1;
	}
	ret_known->said_ms = max(ret_known->said_ms, merged_ms);
	return 0;
}

/* ---- facts ---- */

static int seal(struct store *store, struct slice about, struct slice plain, struct buf *sealed,
		struct slice *ret_kept, struct err *err)
{
	*ret_kept = plain;
	if (plain.n == 0 || keyring_count(store->keys) == 0)
		return 0;
	keyring_seal(store->keys, about, plain, sealed);
	*ret_kept = buf_slice(sealed);
	return buf_check(sealed, "the identity", err);
}

static int unseal(struct store *store, const char *key, struct slice about, struct slice kept,
		  struct buf *out, struct err *err)
{
	if (key[0] == '\0') {
		buf_add(out, kept);
		return buf_check(out, "the identity", err);
	}
	for (size_t i = 0; i < keyring_count(store->keys); i++)
		if (strcmp(keyring_id(store->keys, i), key) == 0)
			return keyring_open(store->keys, i, about, kept, out, err);
	return err_set(err, ERR_HALT, "it is encrypted with the key %s, which is not there", key);
}

/* Of a document: not to be put in another's place. */
struct about {
	uint8_t doc[sizeof(struct ulid)];
	char part;
};

static struct about about_of(const struct ulid *doc)
{
	struct about about = { .part = 'i' };

	memcpy(about.doc, doc->bytes, sizeof(about.doc));
	return about;
}

static struct slice slice_of_about(const struct about *about)
{
	return (struct slice){ (const char *)about, sizeof(*about) };
}

int store_keep_facts(struct store *store, int64_t seq, const struct store_known *known,
		     struct err *err)
{
	scoped(buf_done) struct buf plain = { 0 }, sealed = { 0 };
	struct slice kept;
	struct about about;

	{
		scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
			&store->sqlite, FACTS_OF, VALUES(BYTES(key_of(known->key))), err);
		int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

		if (got <= 0)
			return got;
		if (unseal(store, sqlite_text(found, 1), key_of(known->key), sqlite_bytes(found, 0),
			   &plain, err) < 0)
			return err_within(err, "a patient's identity");
	}
	{
		scoped(sqlite_reset) sqlite3_stmt *found =
			sqlite_prepare(&store->sqlite, DOCUMENT_IS, VALUES(NUMBER(seq)), err);
		struct ulid doc;

		if (found == NULL || sqlite_step(&store->sqlite, found, err) < 0)
			return -1;
		doc = sqlite_ulid(found, 0);
		about = about_of(&doc);
	}
	if (seal(store, slice_of_about(&about), buf_slice(&plain), &sealed, &kept, err) < 0)
		return -1;
	return sqlite_run(&store->sqlite, KEEP_FACTS,
			  VALUES(NUMBER(seq), BYTES(kept), NUMBER(sealed.n > 0 ? store->key : 0)),
			  "keep what a document is built with", err);
}

int store_load_facts(struct store *store, const struct ulid *doc, struct buf *ret_facts,
		     struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, FACTS_FOR, VALUES(ID(doc)), err);
	const struct about about = about_of(doc);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got <= 0)
		return got;
	if (unseal(store, sqlite_text(found, 1), slice_of_about(&about), sqlite_bytes(found, 0),
		   ret_facts, err) < 0)
		return err_within(err, "the document's patient");
	return 1;
}

/* ---- a word comes ---- */

/* One name of the patient, and what was known under it before. */
struct name {
	struct store_patient key;
	struct store_known before;
};

struct noting {
	const struct store_identity *identity;
	struct store_patient patient, traits;
	struct name names[STORE_LOCALS * 2];
	size_t count;
	size_t ins_at,
		merged_from; /* where the INS stands, if it is one; from where on they are merged */
	struct store_identified done;
};

static int add_name(struct store *store, struct noting *noting, const struct store_local *local,
		    struct err *err)
{
	struct name *name = &noting->names[noting->count];

	if (noting->count == length_of(noting->names))
		return 0;
	if (store_find_local(store, local, &name->key, err) < 0)
		return -1;
	noting->count += name->key.is_known;
	return 0;
}

/* Whoever has no other number is known by the INS itself: it is qualified, or was until now. */
static int add_ins(struct store *store, struct noting *noting, struct err *err)
{
	const struct store_identity *identity = noting->identity;
	const struct store_local ins = { identity->ins_oid, identity->ins };

	return noting->patient.is_known ? add_name(store, noting, &ins, err) : 0;
}

static int find_names(struct store *store, struct noting *noting, struct err *err)
{
	const struct store_identity *identity = noting->identity;

	for (size_t i = 0; i < identity->local_count; i++)
		if (add_name(store, noting, &identity->locals[i], err) < 0)
			return -1;
	noting->ins_at = noting->count;
	if (add_ins(store, noting, err) < 0)
		return -1;
	noting->merged_from = noting->count;
	for (size_t i = 0; i < identity->merged_count; i++)
		if (add_name(store, noting, &identity->merged[i], err) < 0)
			return -1;
	for (size_t i = 0; i < noting->count; i++)
		if (store_find_known(store, &noting->names[i].key, &noting->names[i].before, err) <
		    0)
			return -1;
	return 0;
}

static int write_row(struct store *store, struct noting *noting, const struct store_patient *key,
		     bool is_qualified, struct err *err)
{
	const struct store_identity *identity = noting->identity;
	scoped(buf_done) struct buf sealed = { 0 };
	struct slice kept;

	if (seal(store, store_patient_key(key), is_qualified ? identity->facts : slice_of(""),
		 &sealed, &kept, err) < 0 ||
	    sqlite_run(&store->sqlite, NOTE_IDENTITY,
		       VALUES(BYTES(store_patient_key(key)),
			      BYTES(is_qualified ? store_patient_key(&noting->patient)
						 : (struct slice){ 0 }),
			      BYTES(is_qualified ? store_patient_key(&noting->traits)
						 : (struct slice){ 0 }),
			      BYTES(is_qualified ? kept : (struct slice){ 0 }),
			      NUMBER(sealed.n > 0 ? store->key : 0), NUMBER(identity->said_ms),
			      NUMBER(identity->now_ms)),
		       "note an identity", err) < 0)
		return -1;
	noting->done.is_newest |= sqlite3_changes64(store->sqlite.db) > 0;
	return 0;
}

/* An INS that this patient had, as long as this is the newest word of it, is nobody's for now. */
static int take_ins_away(struct store *store, struct noting *noting, struct err *err)
{
	const size_t count = noting->merged_from;

	for (size_t i = 0; i < count; i++) {
		const struct store_known *before = &noting->names[i].before;
		struct name *old = &noting->names[noting->count];

		if (!before->patient.is_known || before->said_ms > noting->identity->said_ms ||
		    store_same_patient(&before->patient, &noting->patient))
			continue;
		if (write_row(store, noting, &before->patient, false, err) < 0)
			return -1;
		if (noting->count < length_of(noting->names)) {
			*old = (struct name){ .key = before->patient, .before = *before };
			noting->count++;
		}
		return 0;
	}
	return 0;
}

static int write_status(struct store *store, struct noting *noting, struct err *err)
{
	if (!noting->identity->has_status)
		return 0;
	for (size_t i = 0; i < noting->merged_from; i++) {
		if (i > 0 && i == noting->ins_at && !noting->done.is_newest)
			return 0; /* whose INS it is was said better since */
		if (write_row(store, noting, &noting->names[i].key, noting->patient.is_known, err) <
		    0)
			return -1;
	}
	return 0;
}

static int write_mergers(struct store *store, struct noting *noting, struct err *err)
{
	const struct store_identity *identity = noting->identity;
	const struct slice survivor = store_patient_key(&noting->names[0].key);

	if (noting->merged_from == 0 || identity->merged_count == 0)
		return 0;
	if (sqlite_run(&store->sqlite, SURVIVE,
		       VALUES(BYTES(survivor), NUMBER(identity->now_ms), NUMBER(identity->said_ms)),
		       "note an identity", err) < 0)
		return -1;
	for (size_t i = noting->merged_from; i < noting->count; i++) {
		const struct slice key = store_patient_key(&noting->names[i].key);

		if (slice_equal(key, survivor))
			continue;
		if (sqlite_run(&store->sqlite, MERGE_IDENTITY,
			       VALUES(BYTES(key), NUMBER(identity->said_ms), BYTES(survivor),
				      NUMBER(identity->now_ms)),
			       "note a merger", err) < 0)
			return -1;
		noting->done.is_newest |= sqlite3_changes64(store->sqlite.db) > 0;
	}
	return 0;
}

/* Documents are known by a name that led here already, too. */
static int follow(struct store *store, const struct name *name, bool is_explicit,
		  struct noting *noting, struct err *err)
{
	struct store_patient keys[KEYS_MOST];
	size_t count = 0;

	{
		scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
			&store->sqlite, MERGED_KEYS,
			VALUES(BYTES(store_patient_key(&name->key)), NUMBER(KEYS_MOST)), err);
		int got = -1;

		while (found != NULL && count < KEYS_MOST &&
		       (got = sqlite_step(&store->sqlite, found, err)) > 0)
			keys[count++] = patient_of(found, 0);
		if (got < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++) {
		const struct store_following following = { .key = keys[i],
							   .before = name->before,
							   .is_explicit = is_explicit,
							   .now_ms = noting->identity->now_ms };

		if (store_follow_identity(store, &following, &noting->done, err) < 0)
			return -1;
	}
	return 0;
}

int store_note_identity(struct store *store, const struct store_identity *identity,
			struct store_identified *ret_identified, struct err *err)
{
	struct noting noting = { .identity = identity };

	if (store_find_patient(store, slice_of(identity->ins).p, slice_of(identity->ins_oid).p,
			       &noting.patient, err) < 0 ||
	    store_find_key(store, "traits", slice_of(identity->traits).p, &noting.traits, err) <
		    0 ||
	    find_names(store, &noting, err) < 0 || write_status(store, &noting, err) < 0 ||
	    write_mergers(store, &noting, err) < 0)
		return -1;
	if (noting.done.is_newest && identity->has_status && take_ins_away(store, &noting, err) < 0)
		return -1;
	for (size_t i = 0; i < noting.count && noting.done.is_newest; i++) {
		const bool is_merged = i >= noting.merged_from;

		if (follow(store, &noting.names[i], is_merged || identity->is_withdrawn, &noting,
			   err) < 0)
			return -1;
	}
	*ret_identified = noting.done;
	return 0;
}

/* ---- what is over ---- */

/* 1: it is kept for its documents' sake, 0: it is gone, -1. */
static int keep_or_forget(struct store *store, struct slice key, int64_t until_ms, struct err *err)
{
	int64_t last_ms;

	if (store_find_number(store, LAST_OF_IDENTITY, VALUES(BYTES(key)), 0, &last_ms, err) < 0)
		return -1;
	if (last_ms > until_ms)
		return sqlite_run(&store->sqlite, KEEP_IDENTITY,
				  VALUES(BYTES(key), NUMBER(min(last_ms, until_ms + ASK_AGAIN_MS))),
				  "keep an identity", err) < 0
			       ? -1
			       : 1;
	return sqlite_run(&store->sqlite, FORGET_IDENTITY, VALUES(BYTES(key)), "forget an identity",
			  err);
}

int store_purge_identities(struct store *store, int64_t until_ms, size_t most, size_t *ret_count,
			   struct err *err)
{
	*ret_count = 0;
	for (size_t i = 0; i < most; i++) {
		uint8_t key[STORE_KEY];
		int got;

		{
			scoped(sqlite_reset) sqlite3_stmt *found = sqlite_prepare(
				&store->sqlite, FIND_OLD_IDENTITY, VALUES(NUMBER(until_ms)), err);

			got = found ? sqlite_step(&store->sqlite, found, err) : -1;
			if (got <= 0)
				return got;
			copy_key(key, sqlite_bytes(found, 0));
		}
		got = keep_or_forget(store, key_of(key), until_ms, err);
		if (got < 0)
			return -1;
		*ret_count += got == 0;
	}
	return 0;
}

int store_count_identities(struct store *store, uint64_t *ret_count, struct err *err)
{
	int64_t count;

	if (store_find_number(store, COUNT_IDENTITIES, NULL, 0, 0, &count, err) < 0)
		return -1;
	*ret_count = (uint64_t)count;
	return 0;
}
