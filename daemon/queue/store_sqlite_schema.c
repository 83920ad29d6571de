/* The tables of the store, and how older stores come to have them.
 *
 * Each step takes a store from one version to the next; a new one is brought through all of them, so
 * that there is one way to every version. A step that was released is never changed.
 */
#include "queue/store_sqlite.h"

#include <stdio.h>

/* clang-format off */
static const char version_1[] =
	"CREATE TABLE document ("
	"  seq INTEGER PRIMARY KEY,"
	"  doc BLOB NOT NULL UNIQUE CHECK (length(doc) = 16)," /* the ULID's bytes: sorts by time */
	"  action TEXT NOT NULL CHECK (action IN ('submit', 'replace', 'delete')),"
	"  unique_id TEXT NOT NULL,"
	"  digest BLOB NOT NULL CHECK (length(digest) = 32),"
	"  type_code TEXT NOT NULL,"
	"  lane TEXT NOT NULL,"
	"  site TEXT NOT NULL,"
	"  source TEXT NOT NULL,"
	"  channel TEXT NOT NULL,"
	"  origin TEXT NOT NULL,"
	"  state TEXT NOT NULL CHECK (state IN ('held', 'queued', 'sending', 'delivered', 'refused',"
	"                                       'rejected', 'suppressed', 'cancelled')),"
	"  reason TEXT NOT NULL,"
	"  doubtful INTEGER NOT NULL DEFAULT 0 CHECK (doubtful IN (0, 1)),"
	"  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),"
	"  due_ms INTEGER NOT NULL,"
	"  node TEXT NOT NULL DEFAULT ''," /* who holds the claim while sending */
	"  body_bytes INTEGER NOT NULL,"
	"  received_ms INTEGER NOT NULL,"
	"  changed_ms INTEGER NOT NULL,"
	"  last_arrival INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	/* A document, new or in the place of another, and its later deletion carry the same id: one
	 * of each.
	 */
	"CREATE UNIQUE INDEX document_unique_id ON document (unique_id, action);"
	"CREATE INDEX document_due ON document (lane, due_ms, seq) WHERE state = 'queued';"
	"CREATE INDEX document_state ON document (state, doc);"

	"CREATE TABLE body ("
	"  seq INTEGER PRIMARY KEY REFERENCES document (seq),"
	"  metadata BLOB NOT NULL,"
	"  bytes BLOB NOT NULL"
	") STRICT;"

	"CREATE TABLE node ("
	"  name TEXT PRIMARY KEY,"
	"  probed_ms INTEGER NOT NULL"
	") STRICT;"

	"CREATE TABLE ledger ("
	"  number INTEGER PRIMARY KEY,"
	"  seq INTEGER NOT NULL REFERENCES document (seq),"
	"  at_ms INTEGER NOT NULL,"
	"  what TEXT NOT NULL,"
	"  state TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  attempt INTEGER NOT NULL,"
	"  code TEXT NOT NULL,"
	"  text TEXT NOT NULL,"
	"  note TEXT NOT NULL,"
	"  origin TEXT NOT NULL,"
	"  node TEXT NOT NULL,"
	"  http_status INTEGER NOT NULL,"
	"  duration_ms INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX ledger_document ON ledger (seq, number);"
	"CREATE TRIGGER ledger_keeps BEFORE UPDATE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;"
	"CREATE TRIGGER ledger_stays BEFORE DELETE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;";

/* The business acknowledgements that sources asked for, one row a message: waiting for the outcome of
 * its documents, ready to be sent, sent. A message has one document or two (`other`, 0: none).
 */
static const char version_2[] =
	"CREATE TABLE acknowledgement ("
	"  number INTEGER PRIMARY KEY,"
	"  source TEXT NOT NULL,"
	"  origin TEXT NOT NULL," /* MSH-10 of the message */
	"  header BLOB NOT NULL," /* its MSH: nothing of the patient */
	"  control_id TEXT NOT NULL UNIQUE," /* MSH-10 of the acknowledgement, however often it is sent */
	"  document INTEGER NOT NULL REFERENCES document (seq),"
	"  other INTEGER NOT NULL,"
	"  asked_ms INTEGER NOT NULL,"
	"  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'ready', 'sent')),"
	"  positive INTEGER NOT NULL DEFAULT 0 CHECK (positive IN (0, 1)),"
	"  reason TEXT NOT NULL DEFAULT '',"
	"  code TEXT NOT NULL DEFAULT '',"
	"  text TEXT NOT NULL DEFAULT '',"
	"  ready_ms INTEGER NOT NULL DEFAULT 0,"
	"  due_ms INTEGER NOT NULL DEFAULT 0,"
	"  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),"
	"  sent_ms INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	/* not by origin first: real sources repeat their MSH-10 thousands of times */
	"CREATE INDEX acknowledgement_document ON acknowledgement (document, source, origin);"
	"CREATE INDEX acknowledgement_other ON acknowledgement (other) WHERE state = 'waiting' AND other <> 0;"
	"CREATE INDEX acknowledgement_due ON acknowledgement (source, due_ms, number) WHERE state = 'ready';"
	"CREATE INDEX acknowledgement_ready ON acknowledgement (source, ready_ms) WHERE state = 'ready';";

/* The chain through the ledger, and the person who gave an order. The digests of the rows that are
 * there follow; until then they stand in nobody's way.
 */
static const char version_3[] =
	"ALTER TABLE ledger ADD COLUMN actor TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE ledger ADD COLUMN digest BLOB NOT NULL CHECK (length(digest) = 32)"
	"  DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000';"
	"DROP TRIGGER ledger_keeps;";

static const char keep_ledger[] =
	"CREATE TRIGGER ledger_keeps BEFORE UPDATE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;";

/* The age of a document counts from when it was last let go. */
static const char version_4[] =
	"ALTER TABLE document ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;"
	"UPDATE document SET since_ms = received_ms;";

/* What a document follows, and until when it is held. */
static const char version_5[] =
	"ALTER TABLE document ADD COLUMN follows TEXT NOT NULL DEFAULT '';" /* a unique id */
	"ALTER TABLE document ADD COLUMN as_new INTEGER NOT NULL DEFAULT 0 CHECK (as_new IN (0, 1));"
	"ALTER TABLE document ADD COLUMN release_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX document_follows ON document (follows, seq) WHERE follows <> '';"
	"CREATE INDEX document_release ON document (release_ms) WHERE state = 'held' AND release_ms > 0;";

/* Until when a claim holds. */
static const char version_6[] =
	"ALTER TABLE document ADD COLUMN lease_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX document_claimed ON document (lane, lease_ms) WHERE state = 'sending';";

/* When a body was purged. */
static const char version_7[] =
	"ALTER TABLE document ADD COLUMN purged_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX document_final ON document (changed_ms) WHERE purged_ms = 0"
	"  AND state IN ('delivered', 'refused', 'rejected', 'suppressed', 'cancelled');";

/* Which documents the patient does not see yet. */
static const char version_8[] =
	"ALTER TABLE document ADD COLUMN invisible INTEGER NOT NULL DEFAULT 0 CHECK (invisible IN (0, 1));"
	"CREATE INDEX document_invisible ON document (changed_ms) WHERE invisible = 1 AND state = 'delivered';";

/* Which key a body is encrypted with; 0: none. */
static const char version_9[] =
	"CREATE TABLE key ("
	"  number INTEGER PRIMARY KEY,"
	"  id TEXT NOT NULL UNIQUE"
	") STRICT;"
	"ALTER TABLE document ADD COLUMN key INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX document_key ON document (key) WHERE key <> 0 AND purged_ms = 0;";

/* What goes first: by class, then site and source in turn. */
static const char version_10[] =
	"ALTER TABLE document ADD COLUMN priority INTEGER NOT NULL DEFAULT 1 CHECK (priority IN (0, 1, 2));"
	"CREATE INDEX document_turn ON document (lane, priority, site, source, due_ms, seq) WHERE state = 'queued';";

/* What patients chose. A document knows its patient by the same key; and what it was held for before it was
 * refused because of them.
 */
static const char version_11[] =
	"CREATE TABLE secret ("
	"  number INTEGER PRIMARY KEY CHECK (number = 1),"
	"  bytes BLOB NOT NULL CHECK (length(bytes) = 32)"
	") STRICT;"
	"CREATE TABLE choice ("
	"  patient BLOB PRIMARY KEY CHECK (length(patient) = 16),"
	"  feeding TEXT NOT NULL CHECK (feeding IN ('not_opposed', 'opposed', 'not_asked')),"
	"  chosen_ms INTEGER NOT NULL,"
	"  changed_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"ALTER TABLE document ADD COLUMN patient BLOB;"
	"ALTER TABLE document ADD COLUMN held_for TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX document_patient ON document (patient, seq) WHERE patient IS NOT NULL"
	"  AND state IN ('held', 'queued', 'refused');";

/* What a document says, and the one that it stands for because that one said so before. */
static const char version_12[] =
	"ALTER TABLE document ADD COLUMN content BLOB NOT NULL DEFAULT x'' CHECK (length(content) IN (0, 32));"
	"ALTER TABLE document ADD COLUMN stands_for TEXT NOT NULL DEFAULT '';" /* a unique id */
	"CREATE INDEX document_stands_for ON document (unique_id) WHERE stands_for <> '';";

/* What is counted, derived from the ledger, and up to which row of it that is (store_count.h). Of a document
 * what counting wants to know; of the stay, as of the patient, a key. `stay` has what ADT says and what
 * documents say side by side: the latter is derived.
 */
static const char version_13[] =
	"ALTER TABLE document ADD COLUMN field TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE document ADD COLUMN unit TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE document ADD COLUMN stay BLOB;"
	"ALTER TABLE document ADD COLUMN stay_end_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE document ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE document ADD COLUMN ins_qualified INTEGER NOT NULL DEFAULT 0 CHECK (ins_qualified IN (0, 1));"
	"CREATE TABLE tally ("
	"  number INTEGER PRIMARY KEY CHECK (number = 1),"
	"  last INTEGER NOT NULL," /* the last row of the ledger that is counted */
	"  edition INTEGER NOT NULL,"
	"  is_emptying INTEGER NOT NULL CHECK (is_emptying IN (0, 1)),"
	"  until_ms INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO tally (number, last, edition, is_emptying, until_ms) VALUES (1, 0, 1, 0, 0);"
	"CREATE TABLE counter_day ("
	"  day INTEGER NOT NULL," /* 20261122, in Paris */
	"  lane TEXT NOT NULL,"
	"  site TEXT NOT NULL,"
	"  field TEXT NOT NULL,"
	"  type_code TEXT NOT NULL,"
	"  channel TEXT NOT NULL,"
	"  outcome TEXT NOT NULL,"
	"  n INTEGER NOT NULL,"
	"  PRIMARY KEY (day, lane, site, field, type_code, channel, outcome)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE counter_month ("
	"  month INTEGER NOT NULL," /* 202611 */
	"  lane TEXT NOT NULL,"
	"  site TEXT NOT NULL,"
	"  field TEXT NOT NULL,"
	"  type_code TEXT NOT NULL,"
	"  channel TEXT NOT NULL,"
	"  outcome TEXT NOT NULL,"
	"  n INTEGER NOT NULL,"
	"  PRIMARY KEY (month, lane, site, field, type_code, channel, outcome)"
	") STRICT, WITHOUT ROWID;"
	/* one row a lineage that the DMP accepted, named by its first version */
	"CREATE TABLE acceptance ("
	"  root INTEGER PRIMARY KEY,"
	"  current INTEGER NOT NULL," /* the version that the DMP shows */
	"  action TEXT NOT NULL,"
	"  lane TEXT NOT NULL,"
	"  site TEXT NOT NULL,"
	"  field TEXT NOT NULL,"
	"  unit TEXT NOT NULL,"
	"  source TEXT NOT NULL,"
	"  type_code TEXT NOT NULL,"
	"  channel TEXT NOT NULL,"
	"  outcome TEXT NOT NULL CHECK (outcome IN ('ACCEPTED', 'ACCEPTED_RECONCILED')),"
	"  accepted_ms INTEGER NOT NULL,"
	"  submitted_ms INTEGER NOT NULL," /* the first attempt */
	"  received_ms INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  stay BLOB,"
	"  patient BLOB,"
	"  stay_end_ms INTEGER NOT NULL,"
	"  ins_qualified INTEGER NOT NULL,"
	"  invisible INTEGER NOT NULL,"
	"  attempts INTEGER NOT NULL,"
	"  replaced INTEGER NOT NULL," /* how often */
	"  deleted_ms INTEGER NOT NULL" /* 0: it is there */
	") STRICT;"
	"CREATE INDEX acceptance_accepted ON acceptance (accepted_ms);"
	/* of what replaces something: the lineage that it belongs to */
	"CREATE TABLE lineage ("
	"  seq INTEGER PRIMARY KEY,"
	"  root INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE stay ("
	"  source TEXT NOT NULL CHECK (source IN ('adt', 'document')),"
	"  key BLOB NOT NULL CHECK (length(key) = 16),"
	"  lane TEXT NOT NULL,"
	"  site TEXT NOT NULL,"
	"  unit TEXT NOT NULL,"
	"  field TEXT NOT NULL,"
	"  start_ms INTEGER NOT NULL,"
	"  end_ms INTEGER NOT NULL," /* 0: it is not over, or nobody says when */
	"  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled IN (0, 1)),"
	"  PRIMARY KEY (source, key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX stay_end ON stay (end_ms) WHERE end_ms > 0;"
	"CREATE TABLE site_alias ("
	"  former TEXT PRIMARY KEY,"
	"  current TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;";

/* What waits for a person or an event, by reason and site. */
static const char version_14[] =
	"CREATE INDEX document_waits ON document (state, reason, site, changed_ms, purged_ms)"
	"  WHERE state IN ('held', 'rejected') AND purged_ms = 0;";

/* Figures that people import, each import a revision, and the figures of windows that have ended. None is
 * ever altered: whoever was paid or judged by them may be asked years later.
 */
static const char version_15[] =
	"CREATE TABLE import ("
	"  revision INTEGER PRIMARY KEY,"
	"  kind TEXT NOT NULL CHECK (kind IN ('denominator', 'official', 'declared')),"
	"  series TEXT NOT NULL,"
	"  source TEXT NOT NULL,"
	"  file TEXT NOT NULL,"
	"  digest BLOB NOT NULL CHECK (length(digest) = 32),"
	"  actor TEXT NOT NULL,"
	"  imported_ms INTEGER NOT NULL,"
	"  figures INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX import_series ON import (kind, series);"
	"CREATE TABLE figure ("
	"  revision INTEGER NOT NULL REFERENCES import (revision),"
	"  site TEXT NOT NULL,"
	"  name TEXT NOT NULL," /* the champ, or the code of the type */
	"  month INTEGER NOT NULL," /* 202611 */
	"  n INTEGER NOT NULL CHECK (n >= 0),"
	"  PRIMARY KEY (revision, site, name, month)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE snapshot ("
	"  programme TEXT NOT NULL,"
	"  window TEXT NOT NULL,"
	"  indicator TEXT NOT NULL,"
	"  place TEXT NOT NULL,"
	"  frozen_ms INTEGER NOT NULL,"
	"  json TEXT NOT NULL,"
	"  PRIMARY KEY (programme, window, indicator, place)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TRIGGER import_keeps BEFORE UPDATE ON import BEGIN SELECT raise(ABORT, 'imports are append-only'); END;"
	"CREATE TRIGGER import_stays BEFORE DELETE ON import BEGIN SELECT raise(ABORT, 'imports are append-only'); END;"
	"CREATE TRIGGER figure_keeps BEFORE UPDATE ON figure BEGIN SELECT raise(ABORT, 'imports are append-only'); END;"
	"CREATE TRIGGER figure_stays BEFORE DELETE ON figure BEGIN SELECT raise(ABORT, 'imports are append-only'); END;"
	"CREATE TRIGGER snapshot_keeps BEFORE UPDATE ON snapshot BEGIN SELECT raise(ABORT, 'what is frozen stays'); END;";

/* The document that a version names, also where it follows another; and one that goes for its sake. */
static const char version_16[] =
	"ALTER TABLE document ADD COLUMN names TEXT NOT NULL DEFAULT '';" /* a unique id; before: not known */
	"ALTER TABLE document ADD COLUMN needed INTEGER NOT NULL DEFAULT 0 CHECK (needed IN (0, 1));"
	"CREATE INDEX document_redirected ON document (names) WHERE names <> '' AND names <> follows;";

/* Who had what was counted counted again. */
static const char version_17[] =
	"CREATE TABLE recount ("
	"  edition INTEGER PRIMARY KEY,"
	"  at_ms INTEGER NOT NULL,"
	"  actor TEXT NOT NULL"
	") STRICT;";

/* When documents come from each source, and the last one that was counted. */
static const char version_18[] =
	"CREATE TABLE arrival ("
	"  slot INTEGER NOT NULL,"
	"  source TEXT NOT NULL,"
	"  documents INTEGER NOT NULL,"
	"  PRIMARY KEY (slot, source)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE arrival_mark ("
	"  number INTEGER PRIMARY KEY CHECK (number = 1),"
	"  seq INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO arrival_mark (number, seq) VALUES (1, 0);";

/* The time that is believed (base/own_time.h). */
static const char version_19[] =
	"CREATE TABLE own_time ("
	"  number INTEGER PRIMARY KEY CHECK (number = 1),"
	"  known_ms INTEGER NOT NULL,"
	"  doubted_ms INTEGER NOT NULL"
	") STRICT;";

/* What orders reach by its reason. */
static const char version_20[] =
	"CREATE INDEX document_orderable ON document (reason, doc) WHERE reason <> '' AND purged_ms = 0"
	"  AND state IN ('held', 'queued', 'refused', 'rejected');";

/* What people had done that is about no document. In the chain it stands among the rows of the ledger, whose
 * numbers it shares; imports of before join it now.
 */
static const char version_21[] =
	"CREATE TABLE act ("
	"  number INTEGER PRIMARY KEY,"
	"  at_ms INTEGER NOT NULL,"
	"  what TEXT NOT NULL,"
	"  subject TEXT NOT NULL,"
	"  text TEXT NOT NULL,"
	"  actor TEXT NOT NULL,"
	"  node TEXT NOT NULL,"
	"  digest BLOB NOT NULL CHECK (length(digest) = 32)"
	") STRICT;"
	"CREATE TRIGGER act_keeps BEFORE UPDATE ON act BEGIN SELECT raise(ABORT, 'acts are append-only'); END;"
	"CREATE TRIGGER act_stays BEFORE DELETE ON act BEGIN SELECT raise(ABORT, 'acts are append-only'); END;";

/* What ADT messages say of stays, with when each thing was said; the number of the visit, sealed by a key or not;
 * which stays are to be discreet about, and the documents that are held for it.
 */
static const char version_22[] =
	"ALTER TABLE stay ADD COLUMN number BLOB;"
	"ALTER TABLE stay ADD COLUMN sealed_by TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE stay ADD COLUMN counts INTEGER NOT NULL DEFAULT 1 CHECK (counts IN (0, 1));"
	"ALTER TABLE stay ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stay ADD COLUMN exists_said_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stay ADD COLUMN start_said_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stay ADD COLUMN end_said_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stay ADD COLUMN place_said_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stay ADD COLUMN counts_said_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stay ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE tally ADD COLUMN stays INTEGER NOT NULL DEFAULT 0;" /* so many messages about stays */
	"CREATE INDEX stay_changed ON stay (changed_ms) WHERE source = 'adt';"
	"CREATE TABLE discretion ("
	"  key BLOB PRIMARY KEY CHECK (length(key) = 16),"
	"  flag INTEGER NOT NULL CHECK (flag IN (0, 1)),"
	"  flag_said_ms INTEGER NOT NULL,"
	"  unit INTEGER NOT NULL CHECK (unit IN (0, 1)),"
	"  changed_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX discretion_changed ON discretion (changed_ms);"
	"ALTER TABLE document ADD COLUMN discreet INTEGER NOT NULL DEFAULT 0 CHECK (discreet IN (0, 1));"
	"CREATE INDEX document_stay ON document (stay, seq) WHERE stay IS NOT NULL;"
	"CREATE INDEX acceptance_stay ON acceptance (stay) WHERE stay IS NOT NULL;";

/* What is known of patients' identities, by the keys of their local numbers; and by which of them a document
 * is found, what it says of its own, and the facts that it was built with when it left. What was delivered
 * under what is no longer so has a reason.
 */
static const char version_23[] =
	"CREATE TABLE identity ("
	"  key BLOB PRIMARY KEY CHECK (length(key) = 16),"
	"  patient BLOB," /* as documents have it; NULL: the identity is not qualified */
	"  traits BLOB,"
	"  facts BLOB,"
	"  sealed_by INTEGER NOT NULL DEFAULT 0,"
	"  said_ms INTEGER NOT NULL,"
	"  heard_ms INTEGER NOT NULL," /* by us */
	"  merged_into BLOB,"
	"  merged_ms INTEGER NOT NULL DEFAULT 0,"
	"  kept_ms INTEGER NOT NULL" /* of no use since: the last word or document */
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX identity_kept ON identity (kept_ms);"
	"CREATE INDEX identity_merged ON identity (merged_into) WHERE merged_into IS NOT NULL;"
	"CREATE INDEX identity_sealed ON identity (sealed_by) WHERE sealed_by <> 0;"
	"CREATE TABLE built_with ("
	"  seq INTEGER PRIMARY KEY REFERENCES document (seq),"
	"  facts BLOB NOT NULL,"
	"  sealed_by INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX built_with_sealed ON built_with (sealed_by) WHERE sealed_by <> 0;"
	"ALTER TABLE document ADD COLUMN local BLOB;"
	"ALTER TABLE document ADD COLUMN local_named BLOB;"
	"ALTER TABLE document ADD COLUMN traits BLOB;"
	"ALTER TABLE document ADD COLUMN says_qualified INTEGER NOT NULL DEFAULT 0 CHECK (says_qualified IN (0, 1));"
	"ALTER TABLE document ADD COLUMN said_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE document ADD COLUMN rebuilt INTEGER NOT NULL DEFAULT 0 CHECK (rebuilt IN (0, 1));"
	"ALTER TABLE document ADD COLUMN then_for TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE document ADD COLUMN then_ms INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX document_local ON document (local, seq) WHERE local IS NOT NULL;"
	"CREATE INDEX document_local_named ON document (local_named, seq) WHERE local_named IS NOT NULL;"
	"CREATE INDEX document_misplaced ON document (seq) WHERE state = 'delivered' AND reason = 'ins_changed';";

/* Why documents of a month did not pass, derived from the ledger: all is counted anew for it. */
static const char version_24[] =
	"CREATE TABLE counter_rejection ("
	"  month INTEGER NOT NULL,"
	"  lane TEXT NOT NULL,"
	"  site TEXT NOT NULL,"
	"  unit TEXT NOT NULL,"
	"  source TEXT NOT NULL,"
	"  type_code TEXT NOT NULL,"
	"  outcome TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  code TEXT NOT NULL," /* the DMP's */
	"  n INTEGER NOT NULL,"
	"  oldest_ms INTEGER NOT NULL,"
	"  newest_ms INTEGER NOT NULL,"
	"  PRIMARY KEY (month, lane, site, unit, source, type_code, outcome, reason, code)"
	") STRICT, WITHOUT ROWID;"
	"UPDATE tally SET last = 0, until_ms = 0, edition = edition + 1, is_emptying = 1 WHERE last > 0;";

/* Whose stay it is, as documents know their patient: a key. */
static const char version_25[] =
	"ALTER TABLE stay ADD COLUMN patient BLOB;"
	"CREATE INDEX stay_patient ON stay (patient, end_ms) WHERE source = 'adt' AND patient IS NOT NULL;";

/* What people ordered about documents: few rows of a long ledger. */
static const char version_26[] =
	"CREATE INDEX ledger_ordered ON ledger (number) WHERE actor <> '';";

/* Whether a value is in a list of more than two SQLite finds out by a table that it makes of the list, for each
 * row that is written: five of them were half of what taking a document in cost. An OR it just evaluates.
 * What the table may hold does not change by it, and its rows stay as they are.
 */
static const char version_27[] =
	"PRAGMA writable_schema = ON;"
	"UPDATE sqlite_schema SET sql = replace(replace(replace(sql,"
	"  'CHECK (action IN (''submit'', ''replace'', ''delete''))',"
	"  'CHECK (action = ''submit'' OR action = ''replace'' OR action = ''delete'')'),"
	"  'CHECK (state IN (''held'', ''queued'', ''sending'', ''delivered'', ''refused'','"
	"    || '                                       ''rejected'', ''suppressed'', ''cancelled''))',"
	"  'CHECK (state = ''held'' OR state = ''queued'' OR state = ''sending'' OR state = ''delivered'''"
	"    || ' OR state = ''refused'' OR state = ''rejected'' OR state = ''suppressed'' OR state = ''cancelled'')'),"
	"  'CHECK (priority IN (0, 1, 2))', 'CHECK (priority BETWEEN 0 AND 2)')"
	"  WHERE type = 'table' AND name = 'document';"
	"PRAGMA writable_schema = RESET;"
	"DROP INDEX document_final;"
	"CREATE INDEX document_final ON document (changed_ms) WHERE purged_ms = 0 AND (state = 'delivered'"
	"  OR state = 'refused' OR state = 'rejected' OR state = 'suppressed' OR state = 'cancelled');"
	"DROP INDEX document_patient;"
	"CREATE INDEX document_patient ON document (patient, seq) WHERE patient IS NOT NULL"
	"  AND (state = 'held' OR state = 'queued' OR state = 'refused');"
	"DROP INDEX document_orderable;"
	"CREATE INDEX document_orderable ON document (reason, doc) WHERE reason <> '' AND purged_ms = 0"
	"  AND (state = 'held' OR state = 'queued' OR state = 'refused' OR state = 'rejected');";

/* Up to which row the audit chain was forwarded. */
static const char version_28[] =
	"CREATE TABLE forwarding ("
	"  number INTEGER PRIMARY KEY CHECK (number = 1),"
	"  last INTEGER NOT NULL"
	") STRICT;";

/* The versions of a lineage: whether one of them is still to be fed. */
static const char version_29[] = "CREATE INDEX lineage_root ON lineage (root);";

/* The other form of the same content, which the same message brought: its row; 0: none. Of those of before, an
 * acknowledgement that their source asked for tells which they are.
 */
static const char version_30[] =
	"ALTER TABLE document ADD COLUMN pair INTEGER NOT NULL DEFAULT 0;"
	"UPDATE document SET pair = a.other FROM acknowledgement a WHERE a.document = document.seq AND a.other <> 0;"
	"UPDATE document SET pair = a.document FROM acknowledgement a WHERE a.other = document.seq AND a.other <> 0;";
/* clang-format on */

static int chain_ledger(struct store *store, struct err *err)
{
	if (store_chain_again(store, err) < 0)
		return -1;
	return sqlite_exec(&store->sqlite, keep_ledger, "be laid out", err);
}

static const struct {
	const char *sql;
	int (*then)(struct store *store, struct err *err); /* what SQL alone cannot do; or NULL */
} steps[] = {
	{ version_1, NULL },
	{ version_2, NULL },
	{ version_3, chain_ledger },
	{ version_4, NULL },
	{ version_5, NULL },
	{ version_6, NULL },
	{ version_7, NULL },
	{ version_8, NULL },
	{ version_9, NULL },
	{ version_10, NULL },
	{ version_11, store_draw_secret },
	{ version_12, NULL },
	{ version_13, NULL },
	{ version_14, NULL },
	{ version_15, NULL },
	{ version_16, NULL },
	{ version_17, NULL },
	{ version_18, NULL },
	{ version_19, NULL },
	{ version_20, NULL },
	{ version_21, store_chain_imports },
	{ version_22, NULL },
	{ version_23, NULL },
	{ version_24, NULL },
	{ version_25, NULL },
	{ version_26, NULL },
	{ version_27, NULL },
	{ version_28, NULL },
	{ version_29, NULL },
	{ version_30, NULL },
};

enum { VERSION = length_of(steps) };

static int schema_version(struct store *store, int *ret_version, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, SCHEMA_IS, NULL, 0, err);
	int got = found ? sqlite_step(&store->sqlite, found, err) : -1;

	if (got > 0)
		*ret_version = sqlite3_column_int(found, 0);
	return got > 0 ? 0 : -1;
}

/* From `version` on, all or nothing. */
static int take_steps(struct store *store, int version, struct err *err)
{
	char mark[64];

	if (store_begin(store, err) < 0)
		return -1;
	for (; version < VERSION; version++)
		if (sqlite_exec(&store->sqlite, steps[version].sql, "be laid out", err) < 0 ||
		    (steps[version].then != NULL && steps[version].then(store, err) < 0))
			return -1;
	snprintf(mark, sizeof(mark), "PRAGMA user_version = %d", VERSION);
	if (sqlite_exec(&store->sqlite, mark, "be laid out", err) < 0)
		return -1;
	return store_commit(store, err);
}

int store_migrate(struct store *store, struct err *err)
{
	int version = 0;

	if (schema_version(store, &version, err) < 0)
		return -1;
	if (version < 0 || version > VERSION)
		return err_set(err, ERR_HALT,
			       "its schema is version %d and this program knows %d: it was written "
			       "by a newer dmpfeed",
			       version, VERSION);
	if (version < VERSION && take_steps(store, version, err) < 0) {
		store_rollback(store);
		return -1;
	}
	return 0;
}
