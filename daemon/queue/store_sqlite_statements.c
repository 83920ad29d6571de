/* What the store says to SQLite: every statement but those that lay it out. Each is prepared once a
 * connection, at its first use.
 */
#include "queue/store_sqlite.h"

/* clang-format off */
#define STILL_INVISIBLE \
	"invisible = 1 AND state = 'delivered' AND action <> 'delete' AND NOT EXISTS (SELECT 1 FROM document f" \
	" WHERE f.follows = d.unique_id AND f.follows <> '' AND f.state = 'delivered')"
#define ROW_COLUMNS \
	"doc, action, unique_id, type_code, lane, site, source, channel, origin, state, reason," \
	" doubtful, attempts, body_bytes, received_ms, changed_ms, due_ms, last_arrival, release_ms, purged_ms," \
	" (SELECT o.doc FROM document o WHERE o.seq = d.pair)"
/* Another version of it was delivered, or its deletion. */
#define FORM_COLUMNS \
	"o.unique_id, o.names, o.state," \
	" EXISTS (SELECT 1 FROM document f WHERE f.follows = o.unique_id AND f.follows <> '' AND f.state = 'delivered')" \
	" OR EXISTS (SELECT 1 FROM document f WHERE f.names = o.unique_id AND f.names <> '' AND f.names <> f.follows" \
	"  AND f.state = 'delivered')"
#define EVENT_COLUMNS \
	"l.number, l.at_ms, l.what, l.state, l.reason, l.attempt, l.code, l.text, l.note, l.origin, l.http_status," \
	" l.duration_ms, l.actor"
/* What a document is judged by: store_sqlite_identity.c reads them. */
#define JUDGED_COLUMNS \
	"seq, state, reason, attempts, action, patient, traits, local, local_named, says_qualified, said_ms, rebuilt," \
	" then_for, received_ms"
/* These three as their indexes have them. */
#define OF_PATIENT "(state = 'held' OR state = 'queued' OR state = 'refused')"
#define FINAL \
	"(state = 'delivered' OR state = 'refused' OR state = 'rejected' OR state = 'suppressed' OR state = 'cancelled')"
#define ORDERABLE \
	"reason = ?1 AND reason <> '' AND purged_ms = 0" \
	" AND (state = 'held' OR state = 'queued' OR state = 'refused' OR state = 'rejected')" \
	" AND (state = 'held') = ?2 AND (?3 = '' OR site = ?3) AND doc > ?4"
/* What a number is of, beside its time. */
#define CELL "lane, site, field, type_code, channel, outcome"
#define REJECTION "lane, site, unit, source, type_code, outcome, reason, code"
#define NAMED(list, column) "(" list " = '' OR instr(" list ", char(31) || " column " || char(31)) > 0)"
/* Acceptances that count for ?1 ... ?20, with the number that their site has now. What the documents of a stay
 * say of its end holds where no ADT does. Where only stays that ADT tells of count (?20), they do so where it says that
 * they are, as what they are divided by: a document of theirs may come from elsewhere.
 */
#define IN_TIME "a.accepted_ms >= ?6 AND a.accepted_ms < ?7"
#define KNOWN_OF(in_time) "WITH " KNOWN_FROM("acceptance", in_time)
#define KNOWN_FROM(these, in_time) \
	"known AS (SELECT a.*, coalesce(x.current, iif(?20, s.site, a.site)) AS now_site," \
	"  iif(?20, s.field, a.field) AS now_field, iif(?20, s.unit, a.unit) AS now_unit, s.start_ms AS began_ms," \
	"  coalesce(nullif(s.end_ms, 0), a.stay_end_ms) AS ended_ms" \
	"  FROM " these " a LEFT JOIN stay s ON s.source = 'adt' AND s.key = a.stay" \
	"  LEFT JOIN site_alias x ON x.former = iif(?20, s.site, a.site)" \
	"  WHERE " in_time \
	"  AND " NAMED("?1", "a.type_code") " AND " NAMED("?3", "a.lane") \
	"  AND (?10 = '' OR a.channel = ?10)" \
	"  AND (NOT ?12 OR a.ins_qualified) AND (?15 <> 1 OR a.deleted_ms = 0)" \
	"  AND (NOT ?16 OR a.outcome = 'ACCEPTED') AND NOT coalesce((s.cancelled OR NOT s.counts) AND ?18, 0)" \
	"  AND (NOT ?20 OR s.key IS NOT NULL))," \
	" "
#define KNOWN KNOWN_OF(IN_TIME)
#define PICK PICK_WITH("")
#define PICK_WITH(more) \
	"picked AS (SELECT iif(?17, '', now_site) AS site, lane, iif(?17, '', now_field) AS field, stay, patient," \
	"  CASE ?11 WHEN 0 THEN accepted_ms WHEN 1 THEN submitted_ms WHEN 2 THEN created_ms ELSE ended_ms END AS at_ms," \
	"  accepted_ms, ended_ms, deleted_ms" more " FROM known WHERE " NAMED("?2", "now_site") \
	"  AND " NAMED("?4", "now_field") " AND " NAMED("?5", "now_unit") \
	"  AND (NOT ?13 OR (ended_ms > 0 AND accepted_ms - ended_ms <= ?14))"
/* The stay from which the patient came, to another site of the entity, no more than a day between them. */
#define SHARE SHARE_WITH("")
#define SHARE_WITH(more) \
	" UNION ALL SELECT iif(?17, '', coalesce(y.current, t.site)), k.lane, iif(?17, '', t.field), t.key, k.patient," \
	"  CASE ?11 WHEN 0 THEN k.accepted_ms WHEN 1 THEN k.submitted_ms WHEN 2 THEN k.created_ms ELSE t.end_ms END," \
	"  k.accepted_ms, t.end_ms, k.deleted_ms" more " FROM known k JOIN stay t ON t.source = 'adt' AND t.patient = k.patient" \
	"  AND t.end_ms BETWEEN k.began_ms - 86400000 AND k.began_ms + 86400000 AND t.end_ms > 0 AND t.lane = k.lane" \
	"  AND t.key <> k.stay AND NOT t.cancelled AND t.counts LEFT JOIN site_alias y ON y.former = t.site" \
	"  WHERE k.began_ms > 0 AND coalesce(y.current, t.site) <> k.now_site" \
	"  AND " NAMED("?2", "coalesce(y.current, t.site)") " AND " NAMED("?4", "t.field") " AND " NAMED("?5", "t.unit") \
	"  AND (NOT ?13 OR k.accepted_ms - t.end_ms <= ?14)"
#define COUNTED \
	")," \
	" counted AS (SELECT * FROM picked WHERE iif(?19 > 0 AND ended_ms > 0," \
	"  ended_ms >= ?8 AND ended_ms < ?9 AND accepted_ms < ?9 + ?19, at_ms >= ?8 AND at_ms < ?9))"
#define PICKED KNOWN PICK COUNTED
/* What was deleted is taken off on the day of its deletion; what is counted by its stay, where it counted. */
#define BY_ITS_STAY "(?19 > 0 AND ended_ms > 0)"
#define COMING_AND_GOING \
	" SELECT site, lane, field, paris_day(at_ms), sum(n) FROM (SELECT site, lane, field, at_ms, 1 AS n FROM counted" \
	" WHERE deleted_ms = 0 OR NOT " BY_ITS_STAY \
	" UNION ALL SELECT site, lane, field, deleted_ms, -1 FROM picked" \
	" WHERE deleted_ms >= ?8 AND deleted_ms < ?9 AND NOT " BY_ITS_STAY ")" \
	" GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 ORDER BY 2, 1, 3, 4"
/* with min(), the other columns are those of the row that has the least */
#define BY_STAY \
	" SELECT site, lane, field, paris_day(first_ms), count(*) FROM (SELECT site, lane, field," \
	" min(at_ms) AS first_ms FROM counted WHERE stay IS NOT NULL GROUP BY lane, site, stay)" \
	" GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4"
/* What waits, one of each lineage that the DMP does not have: its oldest, which goes first. waits: 1 to be sent, 2 for
 * its identity to be qualified; what goes under no circumstances is none of them. At ?21 it is as if it were accepted:
 * then it would count, beside what is accepted (0).
 */
#define AWAITED \
	"WITH unsent AS (SELECT root, min(seq) AS seq FROM (SELECT coalesce(g.root, d.seq) AS root, d.seq AS seq" \
	"  FROM document d LEFT JOIN lineage g ON g.seq = d.seq WHERE d.state IN ('held', 'queued', 'sending')" \
	"  AND d.action <> 'delete' AND " NAMED("?1", "d.type_code") " AND " NAMED("?3", "d.lane") ") w" \
	"  WHERE NOT EXISTS (SELECT 1 FROM acceptance a WHERE a.root = w.root AND a.deleted_ms = 0) GROUP BY root)," \
	" awaited AS (SELECT d.lane, d.site, d.field, d.unit, d.type_code, 'DMP' AS channel, 'ACCEPTED' AS outcome," \
	"  ?21 AS accepted_ms, coalesce((SELECT l.at_ms FROM ledger l WHERE l.seq = d.seq AND l.what = 'claimed'" \
	"   ORDER BY l.number LIMIT 1), ?21) AS submitted_ms, d.created_ms, d.stay," \
	"  coalesce(d.patient, d.local, d.local_named) AS patient, d.stay_end_ms, 1 AS ins_qualified, 0 AS deleted_ms," \
	"  iif(d.state = 'held' AND d.reason = ?22, 2, 1) AS waits FROM unsent JOIN document d USING (seq)" \
	"  WHERE NOT (d.state = 'held' AND d.reason IN ('ins_changed', 'ins_not_in_document'))),"
#define AWAITED_BESIDE(these) \
	" beside AS (SELECT * FROM awaited UNION ALL SELECT lane, site, field, unit, type_code, channel, outcome," \
	"  accepted_ms, submitted_ms, created_ms, stay, patient, stay_end_ms, ins_qualified, deleted_ms, 0 FROM acceptance" \
	"  WHERE " these "), "
#define AWAITED_EACH(key) \
	" SELECT site, lane, field, waits, count(*) FROM (SELECT site, lane, field, min(waits) AS waits FROM counted" \
	"  WHERE " key " IS NOT NULL GROUP BY lane, site, " key ") WHERE waits > 0 GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4"
#define DISCREET_STAY "EXISTS (SELECT 1 FROM discretion p WHERE p.key = s.key AND (p.flag OR p.unit))"
/* Stays that ended between ?3 and ?4, of the site ?2, of which the DMP has no document of the types ?1. */
#define LETTER_OF "d.stay = s.key AND d.action <> 'delete' AND " NAMED("?1", "d.type_code")
#define LETTERLESS_STAYS \
	"stay s LEFT JOIN site_alias x ON x.former = site WHERE source = 'adt' AND end_ms > 0 AND end_ms >= ?3" \
	" AND end_ms <= ?4 AND NOT cancelled AND counts AND (?2 = '' OR coalesce(x.current, site) = ?2)" \
	" AND NOT EXISTS (SELECT 1 FROM acceptance a WHERE a.stay = s.key AND a.deleted_ms = 0" \
	"  AND " NAMED("?1", "a.type_code") ")"
#define UNCHANGED "d.action = 'replace' AND d.state = 'suppressed' AND d.reason = 'unchanged'"
#define CAN_GO \
	"d.purged_ms = 0 AND d.names <> '' AND NOT EXISTS (SELECT 1 FROM document o" \
	" WHERE o.unique_id IN (d.unique_id, d.names) AND o.action = 'delete') AND NOT EXISTS (SELECT 1 FROM choice" \
	" WHERE choice.patient = d.patient AND feeding = 'opposed')"
/* A document has its turn from the row of the ledger with which it came, or was taken up last, unless it kept it. */
#define GETS_TURN "(l.what = 'received' OR (l.what = 'taken_up' AND l.note <> 'in_turn'))"
#define OWN_TURN "(SELECT max(number) FROM ledger l WHERE l.seq = d.seq AND " GETS_TURN ")"
/* A deletion that came before its document has its turn after it. */
#define TURN \
	"max(" OWN_TURN ", iif(d.action <> 'delete', 0, coalesce((SELECT max(number) FROM document y" \
	" JOIN ledger l ON l.seq = y.seq WHERE y.unique_id = d.unique_id AND y.action <> 'delete' AND " GETS_TURN "), 0)))"
#define FORCED "EXISTS (SELECT 1 FROM ledger l WHERE l.seq = d.seq AND l.note = 'forced' AND l.number > " TURN ")"
#define LINKS_OF_LEDGER \
	"SELECT l.number, d.doc, d.action, d.unique_id, d.digest, l.at_ms, l.what, l.state, l.reason," \
	" l.attempt, l.code, l.text, l.note, l.origin, l.actor, l.node, l.http_status, l.duration_ms, l.digest" \
	" FROM ledger l LEFT JOIN document d USING (seq) WHERE l.number > ?1 ORDER BY l.number LIMIT ?2"
/* An actor is a name and a number: "alice (1000)". */
#define DEED \
	"at_ms >= ?1 AND at_ms < ?2 AND (?3 = '' OR actor = ?3 OR substr(actor, 1, length(?3) + 2) = ?3 || ' (')"

const char *const store_statements[STATEMENT_COUNT] = {
	[SCHEMA_IS] = "PRAGMA user_version",
	[PAGES_ARE] = "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size",
	[CHECKPOINT] = "PRAGMA wal_checkpoint(PASSIVE)",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[SAVEPOINT] = "SAVEPOINT change",
	[RELEASE] = "RELEASE change",
	[UNDO] = "ROLLBACK TO change",

	[FIND_UNIQUE_ID] = "SELECT seq, doc, state, digest = ?3, attempts, reason,"
		" digest = ?3 AND action = ?2 AND lane = ?4,"
		" EXISTS (SELECT 1 FROM ledger l WHERE l.seq = d.seq AND l.what = 'cancelled'),"
		" EXISTS (SELECT 1 FROM document o WHERE o.unique_id = d.unique_id AND o.action <> 'delete'"
		"  AND (o.state IN ('held', 'queued', 'sending', 'delivered') OR o.doubtful = 1)),"
		" says_qualified = 0 OR said_ms < ?5, invisible <> ?6 AND action <> 'delete'"
		" FROM document d WHERE unique_id = ?1 AND (action = 'delete') = (?2 = 'delete')",
	[INSERT_DOCUMENT] = "INSERT INTO document (doc, action, unique_id, digest, type_code, lane, site, source,"
		" channel, origin, state, reason, due_ms, body_bytes, received_ms, changed_ms, since_ms,"
		" follows, as_new, release_ms, invisible, key, priority, patient, held_for, content,"
		" field, unit, stay, stay_end_ms, created_ms, ins_qualified, names, last_arrival, discreet,"
		" local, local_named, traits, says_qualified, said_ms, rebuilt, then_for, then_ms)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?13, ?13, ?13, ?15, ?16, ?17, ?18, ?19, ?20,"
		" ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40)",
	/* the values of INSERT_DOCUMENT; whence it came, and what is counted of it, is as it was */
	[TAKE_UP] = "UPDATE document SET state = ?11, reason = ?12, due_ms = ?13, changed_ms = ?13, since_ms = ?13,"
		" body_bytes = ?14, follows = ?15, as_new = ?16, release_ms = ?17, invisible = ?18, key = ?19, priority = ?20,"
		" patient = ?21, held_for = ?22, content = ?23, names = ?30, last_arrival = ?31, discreet = ?32,"
		" local = ?33, local_named = ?34, traits = ?35, says_qualified = ?36, said_ms = ?37, rebuilt = ?38,"
		" then_for = ?39, then_ms = ?40, attempts = 0, purged_ms = 0"
		" WHERE unique_id = ?3 AND action = ?2",
	[INSERT_BODY] = "INSERT INTO body (seq, metadata, bytes) VALUES (?1, ?2, ?3)",
	[INSERT_LARGE_BODY] = "INSERT INTO body (seq, metadata, bytes) VALUES (?1, ?2, zeroblob(?3))",
	[INSERT_EVENT] = "INSERT INTO ledger (seq, at_ms, what, state, reason, attempt, code, text, note, origin,"
		" node, http_status, duration_ms, actor, number, digest)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
	[SET_LAST_ARRIVAL] = "UPDATE document SET last_arrival = ?2 WHERE seq = ?1",

	[SET_RIGHT] = "UPDATE document SET due_ms = ?2 + max(due_ms - changed_ms, 0), changed_ms = ?2"
		" WHERE lane = ?1 AND state = 'queued' AND due_ms > ?2 AND changed_ms > ?2",
	/* whoever claimed it did so in a time that is yet to come: it has as long from now as from then */
	[SET_LEASES_RIGHT] = "UPDATE document SET lease_ms = ?2 + (lease_ms - changed_ms), changed_ms = ?2"
		" WHERE lane = ?1 AND state = 'sending' AND lease_ms > ?2 AND changed_ms > ?2",
	[SET_TIMED_RIGHT] = "UPDATE document SET release_ms = ?1 + (release_ms - changed_ms), changed_ms = ?1"
		" WHERE state = 'held' AND release_ms > max(?1, 0) AND changed_ms > ?1",
	/* in two parts: of a comparison of pairs SQLite uses the index for the first row alone, then walks */
	[NEXT_GROUP] = "SELECT site, source FROM (SELECT site, source FROM document WHERE lane = ?1"
		"  AND state = 'queued' AND priority = ?2 AND site = ?3 AND source > ?4 ORDER BY source LIMIT 1)"
		" UNION ALL SELECT site, source FROM (SELECT site, source FROM document WHERE lane = ?1"
		"  AND state = 'queued' AND priority = ?2 AND site > ?3 ORDER BY site, source LIMIT 1) LIMIT 1",
	[FIND_DUE] = "SELECT seq, doc, attempts, doubtful, since_ms, as_new FROM document WHERE lane = ?1"
		" AND state = 'queued' AND priority = ?2 AND site = ?3 AND source = ?4 AND due_ms <= ?5"
		" ORDER BY due_ms, seq LIMIT 1",
	[CLAIM] = "UPDATE document SET state = 'sending', reason = '', attempts = attempts + 1, node = ?2,"
		" changed_ms = ?3, lease_ms = ?4 WHERE seq = ?1",
	[FIND_NEXT_DUE] = "SELECT due_ms FROM document WHERE lane = ?1 AND state = 'queued'"
		" ORDER BY due_ms LIMIT 1",
	[FIND_SENDING] = "SELECT seq, attempts FROM document WHERE doc = ?1 AND state = 'sending'",
	[SETTLE] = "UPDATE document SET state = ?2, reason = ?3, doubtful = ?4, attempts = attempts - ?5,"
		" due_ms = ?6, node = '', changed_ms = ?7 WHERE seq = ?1",
	/* what stopped the lane was not the document's; an order, or its source, may have it begin anew */
	[COUNT_ALIKE] = "SELECT count(*) FROM ledger l WHERE seq = (SELECT seq FROM document WHERE doc = ?1)"
		" AND what = 'settled' AND code = ?2 AND reason <> 'lane_stopped' AND number > coalesce((SELECT"
		" max(number) FROM ledger r WHERE r.seq = l.seq AND r.what = 'claimed' AND r.attempt = 1), 0)",
	[FIND_CLAIMED] = "SELECT seq, attempts FROM document WHERE state = 'sending'"
		" AND (node = ?1 OR lease_ms <= ?2) LIMIT 1",
	[FIND_LAPSED] = "SELECT seq, attempts FROM document WHERE lane = ?3 AND state = 'sending'"
		" AND node <> ?1 AND lease_ms <= ?2 LIMIT 1",
	/* what follows it has replaced or deleted it */
	[ARRIVALS_ARE] = "SELECT seq FROM arrival_mark",
	[FIND_ARRIVALS] = "SELECT count(*), max(seq) FROM (SELECT seq FROM document WHERE seq > ?1 ORDER BY seq"
		" LIMIT ?2)",
	[NOTE_ARRIVALS] = "INSERT INTO arrival (slot, source, documents) SELECT received_ms / ?3 AS slot, source,"
		" count(*) FROM document WHERE seq > ?1 AND seq <= ?2 GROUP BY 1, 2"
		" ON CONFLICT (slot, source) DO UPDATE SET documents = documents + excluded.documents",
	[MARK_ARRIVALS] = "UPDATE arrival_mark SET seq = ?1",
	[FORGET_ARRIVALS] = "DELETE FROM arrival WHERE slot < ?1",
	[ARRIVALS] = "SELECT source, slot, documents FROM arrival WHERE slot >= ?1 AND slot <= ?2 ORDER BY slot, source",
	[COUNT_INVISIBLE] = "SELECT count(*) FROM document d INDEXED BY document_invisible WHERE " STILL_INVISIBLE " AND changed_ms < ?1",
	[OLDEST_INVISIBLE] = "SELECT changed_ms FROM document d INDEXED BY document_invisible WHERE " STILL_INVISIBLE
		" ORDER BY changed_ms LIMIT 1",
	[COUNT_WAITING] = "SELECT state, reason, count(*), min(changed_ms) FROM document"
		" WHERE state IN ('held', 'rejected') AND purged_ms = 0 GROUP BY state, reason",
	[COUNT_WAITING_SITES] = "SELECT state, reason, count(*) AS documents, min(changed_ms), site FROM document"
		" WHERE state IN ('held', 'rejected') AND purged_ms = 0 GROUP BY state, reason, site"
		" ORDER BY documents DESC LIMIT ?1",
	[HISTORY] = "SELECT at_ms, what, state FROM ledger ORDER BY number DESC LIMIT ?1",
	[RECOVER] = "UPDATE document SET state = 'queued', reason = 'doubtful', doubtful = 1, due_ms = ?2,"
		" node = '', changed_ms = ?2 WHERE seq = ?1",

	[OWN_TIME_IS] = "SELECT known_ms, doubted_ms FROM own_time UNION ALL"
		" SELECT * FROM (SELECT at_ms, 0 FROM ledger ORDER BY number DESC LIMIT 1) LIMIT 1",
	[KEEP_OWN_TIME] = "INSERT OR REPLACE INTO own_time (number, known_ms, doubted_ms) VALUES (1, ?1, ?2)",
	[PROBE] = "INSERT OR REPLACE INTO node (name, probed_ms) VALUES (?1, ?2)",

	/* the bytes of a large one are read apart */
	[LOAD] = "SELECT iif(length(bytes) < ?2, bytes, NULL), metadata, digest,"
		" (SELECT id FROM key WHERE key.number = document.key), seq"
		" FROM body JOIN document USING (seq) WHERE doc = ?1",
	[LOAD_METADATA] = "SELECT metadata, (SELECT id FROM key WHERE key.number = document.key)"
		" FROM body JOIN document USING (seq) WHERE doc = ?1",
	[FIND_KEY] = "SELECT number FROM key WHERE id = ?1",
	[ADD_KEY] = "INSERT INTO key (id) VALUES (?1) ON CONFLICT DO NOTHING",
	[KEYS_IN_USE] = "SELECT id FROM key WHERE EXISTS (SELECT 1 FROM document WHERE document.key = key.number"
		" AND document.key <> 0 AND purged_ms = 0)"
		" OR EXISTS (SELECT 1 FROM identity WHERE sealed_by = key.number AND sealed_by <> 0)"
		" OR EXISTS (SELECT 1 FROM built_with WHERE sealed_by = key.number AND sealed_by <> 0)",
	[COUNT_STATES] = "SELECT state, count(*) FROM document GROUP BY state",
	[OLDEST_QUEUED] = "SELECT received_ms FROM document WHERE state = 'queued' ORDER BY doc LIMIT 1",
	/* from one to the next by the index: as many steps as there are lanes */
	[QUEUED_LANES] = "WITH RECURSIVE lanes (lane) AS (SELECT min(lane) FROM document WHERE state = 'queued'"
		" UNION ALL SELECT (SELECT min(lane) FROM document WHERE state = 'queued' AND lane > lanes.lane)"
		" FROM lanes WHERE lane IS NOT NULL) SELECT lane FROM lanes WHERE lane IS NOT NULL",
	[LAST_DELIVERED] = "SELECT max(at_ms) FROM (SELECT at_ms, what, state FROM ledger ORDER BY number DESC"
		" LIMIT 10000) WHERE what = 'settled' AND state = 'delivered'",
	[LIST] = "SELECT " ROW_COLUMNS " FROM document d WHERE doc > ?1 AND (?2 = '' OR reason = ?2)"
		" AND (?3 = '' OR site = ?3) AND received_ms < ?5 ORDER BY doc LIMIT ?4",
	[LIST_STATE] = "SELECT " ROW_COLUMNS " FROM document d WHERE doc > ?1 AND (?2 = '' OR reason = ?2)"
		" AND (?3 = '' OR site = ?3) AND received_ms < ?5 AND state = ?6 ORDER BY doc LIMIT ?4",
	[LIST_ORDERABLE] = "SELECT " ROW_COLUMNS " FROM document d WHERE " ORDERABLE " ORDER BY doc LIMIT ?5",
	[COUNT_ORDERABLE] = "SELECT count(*) FROM document WHERE " ORDERABLE,
	[LIST_INVISIBLE] = "SELECT " ROW_COLUMNS " FROM document d WHERE doc > ?1 AND (?2 = '' OR reason = ?2)"
		" AND (?3 = '' OR site = ?3) AND changed_ms < ?5 AND " STILL_INVISIBLE " ORDER BY doc LIMIT ?4",
	[LIST_UNIQUE] = "SELECT " ROW_COLUMNS " FROM document d WHERE unique_id = ?1 ORDER BY seq",
	[SHOW] = "SELECT " ROW_COLUMNS ", seq FROM document d WHERE doc = ?1",
	[EVENTS] = "SELECT " EVENT_COLUMNS " FROM ledger l WHERE seq = ?1 ORDER BY l.number",
	[SHAPE] = "SELECT lane, type_code, CASE WHEN ?1 - received_ms < ?2 THEN 0 WHEN ?1 - received_ms < ?3 THEN 1"
		" WHEN ?1 - received_ms < ?4 THEN 2 WHEN ?1 - received_ms < ?5 THEN 3"
		" WHEN ?1 - received_ms < ?6 THEN 4 WHEN ?1 - received_ms < ?7 THEN 5"
		" WHEN ?1 - received_ms < ?8 THEN 6 WHEN ?1 - received_ms < ?9 THEN 7"
		" WHEN ?1 - received_ms < ?10 THEN 8 ELSE 9 END AS age, count(*) FROM document"
		" WHERE state IN ('held', 'queued', 'sending') GROUP BY lane, type_code, age"
		" ORDER BY lane, type_code, age",
	[HAPPENINGS] = "SELECT d.doc, d.lane, d.site, d.type_code, " EVENT_COLUMNS " FROM ledger l"
		" JOIN document d USING (seq) WHERE l.number > ?1 AND (?2 = '' OR d.site = ?2) ORDER BY l.number LIMIT ?3",
	[NEWEST] = "SELECT max(number) FROM ledger",

	[PAIR_IS] = "SELECT seq, pair FROM document WHERE doc = ?1",
	[NOTE_PAIR] = "UPDATE document SET pair = ?2 WHERE seq = ?1",
	[FIND_OTHER_FORM] = "SELECT " FORM_COLUMNS " FROM document n JOIN document o ON o.seq = n.pair"
		" WHERE n.unique_id = ?1 AND n.action <> 'delete'",
	[FIND_FORM] = "SELECT " FORM_COLUMNS " FROM document o WHERE o.unique_id = ?1 AND o.action <> 'delete'",

	[FIND_DOCUMENT] = "SELECT seq FROM document WHERE doc = ?1",
	[DOCUMENT_IS] = "SELECT doc FROM document WHERE seq = ?1",
	[FIND_ACK] = "SELECT number FROM acknowledgement WHERE document = ?3 AND other = ?4 AND source = ?1"
		" AND origin = ?2",
	[INSERT_ACK] = "INSERT INTO acknowledgement (source, origin, document, other, header, control_id, asked_ms)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[FIND_WAITING_ACK] = "SELECT number, document, other FROM acknowledgement WHERE state = 'waiting'"
		" AND (document = ?1 OR (other = ?1 AND other <> 0)) AND number > ?2 ORDER BY number LIMIT 1",
	[FIND_FINAL] = "SELECT d.state, d.reason, l.code, l.text FROM document d JOIN ledger l USING (seq)"
		" WHERE d.seq = ?1 AND l.what NOT IN ('received_again', 'source_told', 'purged', 'recalled',"
		" 'identity_changed', 'identity_restored')"
		" ORDER BY l.number DESC LIMIT 1",
	[CONCLUDE_ACK] = "UPDATE acknowledgement SET state = 'ready', positive = ?2, reason = ?3, code = ?4,"
		" text = ?5, ready_ms = ?6, due_ms = ?6 WHERE number = ?1",
	[NEXT_ACK] = "SELECT due_ms, number, (SELECT doc FROM document WHERE seq = document), control_id, origin,"
		" header, positive, reason, code, text, attempts, ready_ms FROM acknowledgement"
		" WHERE source = ?1 AND state = 'ready' ORDER BY due_ms, number LIMIT 1",
	[FIND_READY_ACK] = "SELECT document, other, control_id, positive FROM acknowledgement WHERE number = ?1"
		" AND state = 'ready'",
	[SETTLE_ACK] = "UPDATE acknowledgement SET state = ?2, attempts = attempts + 1, due_ms = ?3, sent_ms = ?4"
		" WHERE number = ?1",
	[DOCUMENT_NOW] = "SELECT state, reason, attempts FROM document WHERE seq = ?1",
	[COUNT_ACKS] = "SELECT source, count(*), min(ready_ms) FROM acknowledgement WHERE state = 'ready'"
		" GROUP BY source",

	[FIND_ORDERED] = "SELECT seq, state, reason, doubtful, follows, purged_ms,"
		" patient IS NULL AND (local IS NOT NULL OR local_named IS NOT NULL),"
		" action <> 'delete' AND EXISTS (SELECT 1 FROM document o WHERE o.unique_id = d.unique_id"
		"  AND o.action = 'delete' AND o.state <> 'cancelled' AND o.last_arrival > " OWN_TURN "),"
		" action <> 'submit', (SELECT o.doc FROM document o WHERE o.seq = d.pair)"
		" FROM document d WHERE doc = ?1",
	[ORDER] = "UPDATE document SET state = ?2, reason = ?3, changed_ms = ?4, due_ms = ?4,"
		" since_ms = iif(?2 = 'queued', ?4, since_ms), attempts = iif(?5, 0, attempts), release_ms = 0"
		" WHERE seq = ?1",

	[FIND_RECALLED] = "SELECT d.seq, d.state, d.action, d.unique_id, d.type_code, d.lane, d.site, d.purged_ms,"
		" d.doubtful, d.reason, o.seq, o.state, o.doc, o.follows, o.purged_ms, o.attempts, p.doc, p.state"
		" FROM document d LEFT JOIN document o ON o.unique_id = d.unique_id AND o.action = 'delete'"
		" LEFT JOIN document p ON p.seq = d.pair WHERE d.doc = ?1",

	[TURN_IS] = "SELECT " TURN ", action = 'delete' OR EXISTS (SELECT 1 FROM ledger l WHERE l.seq = d.seq"
		" AND what = 'taken_up' AND " GETS_TURN ") FROM document d WHERE seq = ?1",
	/* A document and its deletion may have one turn: the deletion asks. What is being sent cannot be stopped. And what
	 * goes for the sake of one that names it goes before that one, though it may have come after it.
	 */
	[FIND_BLOCKER] = "SELECT 1 FROM (SELECT seq, state, action, unique_id, needed FROM document WHERE unique_id = ?1"
		" UNION ALL SELECT seq, state, action, unique_id, 0 FROM document WHERE follows = ?1 AND follows <> '') d"
		" WHERE seq <> ?3 AND (state = 'sending' OR (state IN ('held', 'queued')"
		"  AND (needed OR (seq < ?2 AND " TURN " <= ?4)))) LIMIT 1",
	[FIND_FOLLOWER] = "SELECT seq FROM document d WHERE follows = ?1 AND follows <> '' AND state = 'held'"
		" AND reason = 'waiting_predecessor' ORDER BY " TURN " LIMIT 1",
	[FIND_AHEAD] = "SELECT seq FROM document d WHERE follows = ?1 AND follows <> '' AND state = 'queued' AND seq > ?2"
		" AND seq <> ?3 AND NOT " FORCED " ORDER BY seq LIMIT 1",
	[FIND_TURNING] = "SELECT follows FROM document d WHERE seq = ?1 AND follows <> '' AND state = 'queued' AND NOT " FORCED,
	[FOLLOWS_IS] = "SELECT follows FROM document WHERE seq = ?1",
	[ABOUT_ORDER] = "SELECT unique_id, iif(stands_for <> '', stands_for, follows) FROM document WHERE seq = ?1"
		" AND (follows <> '' OR stands_for <> '' OR EXISTS"
		" (SELECT 1 FROM document f WHERE f.follows = document.unique_id AND f.follows <> ''))",
	[LET_GO] = "UPDATE document SET state = ?2, reason = ?3, changed_ms = ?4, due_ms = ?4, since_ms = ?4,"
		" release_ms = 0, held_for = '' WHERE seq = ?1",
	/* in a store from a backup, what waits may have been tried since */
	[FIND_UNSENT] = "SELECT seq, state FROM document d WHERE unique_id = ?1 AND action = 'submit' AND doubtful = 0"
		" AND (state IN ('held', 'queued') OR (state = 'refused' AND reason = 'patient_opposed'))"
		" AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.seq = d.seq AND l.what = 'claimed')"
		" AND NOT EXISTS (SELECT 1 FROM document o WHERE o.follows = ?1 AND o.follows <> '' AND o.seq <> ?2"
		"  AND o.state IN ('held', 'queued', 'sending'))",
	[END_UNSENT] = "UPDATE document SET state = 'cancelled', reason = ?2, changed_ms = ?3 WHERE seq = ?1",
	[FIND_TIMED] = "SELECT seq FROM document INDEXED BY document_release WHERE state = 'held'"
		" AND release_ms > 0 AND release_ms <= ?1 ORDER BY release_ms LIMIT 1",

	[FIND_IDENTITY] = "SELECT patient, traits, said_ms, merged_into, heard_ms FROM identity WHERE key = ?1",
	[NOTE_IDENTITY] = "INSERT INTO identity (key, patient, traits, facts, sealed_by, said_ms, heard_ms, kept_ms)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (key) DO UPDATE SET patient = excluded.patient,"
		" traits = excluded.traits, facts = excluded.facts, sealed_by = excluded.sealed_by,"
		" said_ms = excluded.said_ms, heard_ms = excluded.heard_ms, merged_into = NULL, merged_ms = 0, kept_ms = max(kept_ms, excluded.kept_ms)"
		" WHERE excluded.said_ms >= identity.said_ms",
	[MERGE_IDENTITY] = "INSERT INTO identity (key, said_ms, heard_ms, merged_into, merged_ms, kept_ms)"
		" VALUES (?1, ?2, ?4, ?3, ?2, ?4)"
		" ON CONFLICT (key) DO UPDATE SET patient = NULL, traits = NULL, facts = NULL, sealed_by = 0,"
		" said_ms = excluded.said_ms, merged_into = excluded.merged_into, merged_ms = excluded.merged_ms,"
		" kept_ms = max(kept_ms, excluded.kept_ms) WHERE excluded.said_ms >= identity.said_ms",
	/* nothing was said of it yet, or it had been merged into another */
	[SURVIVE] = "INSERT INTO identity (key, said_ms, heard_ms, kept_ms) VALUES (?1, 0, 0, ?2) ON CONFLICT (key)"
		" DO UPDATE SET merged_into = NULL, merged_ms = 0 WHERE ?3 >= identity.merged_ms",
	[MERGED_KEYS] = "WITH RECURSIVE found (key) AS (SELECT ?1 UNION SELECT i.key FROM found"
		" JOIN identity i ON i.merged_into = found.key LIMIT ?2) SELECT key FROM found",
	[JUDGED] = "SELECT " JUDGED_COLUMNS " FROM document WHERE seq = ?1",
	[NEXT_JUDGED] = "SELECT " JUDGED_COLUMNS " FROM document WHERE seq = (SELECT min(seq) FROM ("
		"SELECT * FROM (SELECT seq FROM document WHERE local = ?1 AND seq > ?2 AND state IN ('held', 'queued')"
		"  ORDER BY seq LIMIT 1) UNION ALL"
		" SELECT * FROM (SELECT seq FROM document WHERE local_named = ?1 AND seq > ?2 AND state IN ('held', 'queued')"
		"  ORDER BY seq LIMIT 1)))",
	[HOLD_FOR_IDENTITY] = "UPDATE document SET state = 'held', reason = ?2, changed_ms = ?3 WHERE seq = ?1",
	[HOLD_NEXT] = "UPDATE document SET state = 'held', reason = then_for, release_ms = then_ms, then_for = '',"
		" then_ms = 0, changed_ms = ?2 WHERE seq = ?1",
	[NEXT_PLACED] = "SELECT " JUDGED_COLUMNS " FROM document WHERE seq = (SELECT min(seq) FROM ("
		"SELECT * FROM (SELECT seq FROM document WHERE local = ?1 AND seq > ?2 AND state = 'delivered'"
		"  AND action <> 'delete' AND patient IS NOT NULL ORDER BY seq LIMIT 1) UNION ALL"
		" SELECT * FROM (SELECT seq FROM document WHERE local_named = ?1 AND seq > ?2 AND state = 'delivered'"
		"  AND action <> 'delete' AND patient IS NOT NULL ORDER BY seq LIMIT 1)))",
	[SET_PLACED] = "UPDATE document SET reason = ?2 WHERE seq = ?1",
	[KEEP_FACTS] = "INSERT OR REPLACE INTO built_with (seq, facts, sealed_by) VALUES (?1, ?2, ?3)",
	[FACTS_OF] = "SELECT facts, (SELECT id FROM key WHERE key.number = sealed_by) FROM identity WHERE key = ?1"
		" AND facts IS NOT NULL",
	[FACTS_FOR] = "SELECT facts, (SELECT id FROM key WHERE key.number = sealed_by), doc FROM built_with"
		" JOIN document USING (seq) WHERE doc = ?1",
	[SET_SUBJECT] = "UPDATE document SET patient = ?2 WHERE seq = ?1",
	[SAY_QUALIFIED] = "UPDATE document SET says_qualified = 1, said_ms = ?2 WHERE seq = ?1",
	[FIND_OLD_IDENTITY] = "SELECT key FROM identity WHERE kept_ms <= ?1 ORDER BY kept_ms LIMIT 1",
	/* 9e15: what still waits keeps it, however old it is */
	[LAST_OF_IDENTITY] = "SELECT max(iif(state IN ('held', 'queued', 'sending'), 9000000000000000, received_ms)) FROM ("
		"SELECT state, received_ms FROM document WHERE local = ?1 UNION ALL"
		" SELECT state, received_ms FROM document WHERE local_named = ?1)",
	[KEEP_IDENTITY] = "UPDATE identity SET kept_ms = ?2 WHERE key = ?1",
	[FORGET_IDENTITY] = "DELETE FROM identity WHERE key = ?1",
	[PURGE_FACTS] = "DELETE FROM built_with WHERE seq = ?1",
	[COUNT_MISPLACED] = "SELECT count(*), min((SELECT max(at_ms) FROM ledger l WHERE l.seq = d.seq"
		" AND l.what = 'identity_changed')) FROM document d INDEXED BY document_misplaced"
		" WHERE state = 'delivered' AND reason = 'ins_changed'"
		" AND NOT EXISTS (SELECT 1 FROM document o WHERE o.unique_id = d.unique_id AND o.action = 'delete'"
		"  AND o.state NOT IN ('rejected', 'refused', 'suppressed', 'cancelled'))",
	[COUNT_IDENTITIES] = "SELECT count(*) FROM identity",

	[SECRET_IS] = "SELECT bytes FROM secret",
	[ADD_SECRET] = "INSERT INTO secret (number, bytes) VALUES (1, ?1)",
	[FIND_CHOICE] = "SELECT feeding FROM choice WHERE patient = ?1",
	[NOTE_CHOICE] = "INSERT INTO choice (patient, feeding, chosen_ms, changed_ms) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (patient) DO UPDATE SET feeding = excluded.feeding, chosen_ms = excluded.chosen_ms,"
		" changed_ms = excluded.changed_ms WHERE excluded.feeding <> 'not_asked'"
		" AND (choice.feeding = 'not_asked' OR excluded.chosen_ms >= choice.chosen_ms)",
	[FIND_OPPOSED] = "SELECT seq, doc, state, reason, attempts FROM document WHERE patient = ?1"
		" AND " OF_PATIENT " AND state <> 'refused' AND action <> 'delete' ORDER BY seq LIMIT 1",
	[FIND_UNMINDED] = "SELECT seq, doc, state, reason, attempts FROM document WHERE seq = ?1"
		" AND state IN ('held', 'queued') AND action <> 'delete' AND patient IS NOT NULL AND EXISTS (SELECT 1"
		" FROM choice WHERE choice.patient = document.patient AND feeding = 'opposed')",
	[REFUSE_OPPOSED] = "UPDATE document SET state = 'refused', reason = ?2, held_for = ?3, changed_ms = ?4"
		" WHERE seq = ?1",
	/* not what its source deleted meanwhile, whatever became of the deletion */
	[FIND_UNOPPOSED] = "SELECT seq, doc, state, held_for FROM document d WHERE patient = ?1"
		" AND " OF_PATIENT " AND seq > ?3 AND ((state = 'held' AND reason = 'feeding_not_asked')"
		"  OR (state = 'refused' AND reason = 'patient_opposed' AND received_ms >= ?2 AND purged_ms = 0"
		"   AND NOT EXISTS (SELECT 1 FROM document o WHERE o.unique_id = d.unique_id AND o.action = 'delete')))"
		" ORDER BY seq LIMIT 1",
	[HOLD_AGAIN] = "UPDATE document SET state = 'held', reason = ?2, held_for = '', changed_ms = ?3 WHERE seq = ?1",
	[STANDS_FOR] = "SELECT stands_for FROM document WHERE unique_id = ?1 AND stands_for <> ''",
	/* What the DMP has is still what was delivered: nothing has replaced or deleted it, or may have. And nobody
	 * needs this one: another that says something else, names it, and waits for nothing but it.
	 */
	[FIND_UNCHANGED] = "SELECT n.unique_id, p.unique_id, p.doc FROM document n"
		" JOIN document p ON p.unique_id = n.follows AND p.action <> 'delete' AND p.state = 'delivered'"
		"  AND p.lane = n.lane AND p.content = n.content"
		" WHERE n.seq = ?1 AND n.action = 'replace' AND n.content <> x'' AND n.doubtful = 0 AND n.attempts = 0"
		" AND n.needed = 0"
		" AND NOT EXISTS (SELECT 1 FROM document f WHERE f.follows = p.unique_id AND f.follows <> ''"
		"  AND (f.state IN ('sending', 'delivered') OR f.doubtful = 1))"
		" AND NOT EXISTS (SELECT 1 FROM document w WHERE w.follows = n.unique_id AND w.follows <> ''"
		"  AND w.action = 'replace' AND w.state = 'held' AND w.reason = 'waiting_predecessor'"
		"  AND w.content <> n.content)",
	/* it follows nothing any more: thousands of them would stand before what does */
	[SUPPRESS] = "UPDATE document SET state = 'suppressed', reason = 'unchanged', stands_for = ?2, follows = '',"
		" changed_ms = ?3, release_ms = 0 WHERE seq = ?1",
	/* what ended badly may be tried again */
	[REDIRECT] = "UPDATE document SET follows = ?2 WHERE follows = ?1 AND follows <> '' AND state <> 'delivered'",
	/* what was suppressed and is named, the first version first; its source may have deleted it since */
	[FIND_NAMED] = "WITH RECURSIVE named (seq, unique_id, names, can_go, depth) AS ("
		"SELECT d.seq, d.unique_id, d.names, " CAN_GO ", 1 FROM document n"
		"  JOIN document d ON d.unique_id = n.names AND " UNCHANGED
		"  WHERE n.seq = ?1 AND n.action = 'replace' AND n.names <> '' AND n.doubtful = 0"
		" UNION ALL SELECT d.seq, d.unique_id, d.names, " CAN_GO ", depth + 1 FROM named"
		"  JOIN document d ON d.unique_id = named.names AND " UNCHANGED " WHERE depth <= ?2)"
		" SELECT seq, can_go, names, (SELECT doc FROM document WHERE seq = ?1) FROM named ORDER BY depth DESC",
	[NEED] = "UPDATE document SET state = ?2, reason = ?3, needed = 1, stands_for = '', follows = names,"
		" changed_ms = ?4, due_ms = ?4, since_ms = ?4 WHERE seq = ?1",
	[REDIRECT_BACK] = "UPDATE document SET follows = names WHERE names = (SELECT unique_id FROM document"
		" WHERE seq = ?1) AND names <> '' AND names <> follows AND follows <> '' AND doubtful = 0"
		" AND state NOT IN ('sending', 'delivered')",
	[TARGET] = "SELECT follows FROM document WHERE doc = ?1",

	[BACKUP_IS] = "PRAGMA application_id",
	[FIND_RESTORED] = "SELECT seq, state, reason, attempts FROM document WHERE seq > ?1"
		" AND +state IN ('held', 'queued', 'sending') ORDER BY seq LIMIT 1",
	[DOUBT] = "UPDATE document SET doubtful = 1, state = ?2, reason = ?3, node = '', changed_ms = ?4 WHERE seq = ?1",
	[FIND_OLD] = "SELECT seq, state, reason FROM document INDEXED BY document_final"
		" WHERE changed_ms <= ?1 AND purged_ms = 0 AND " FINAL " ORDER BY changed_ms LIMIT 1",
	[PURGE_BODY] = "DELETE FROM body WHERE seq = ?1",
	[PURGE_ACKS] = "DELETE FROM acknowledgement WHERE document = ?1 AND state = 'sent'",
	[SET_PURGED] = "UPDATE document SET purged_ms = ?2 WHERE seq = ?1",

	[TALLY_IS] = "SELECT last, edition, is_emptying, until_ms, coalesce((SELECT max(number) FROM ledger), 0),"
		" stays FROM tally",
	/* what came later is none of its past, but a deletion may be of what came while it waited */
	[TALLY_ROWS] = "SELECT l.number, l.seq, l.at_ms, l.what, l.state, l.reason, l.code, l.note, l.attempt,"
		" d.action, d.lane, d.site, d.field, d.unit, d.source, d.type_code, d.stay, d.patient, d.received_ms,"
		" d.created_ms, d.stay_end_ms, d.ins_qualified, d.invisible,"
		" (SELECT p.seq FROM document p WHERE p.unique_id = iif(d.action = 'delete', nullif(d.follows, ''),"
		"  coalesce(nullif(d.names, ''), nullif(d.stands_for, ''), nullif(d.follows, '')))"
		"  AND p.action <> 'delete' AND (d.action = 'delete' OR p.seq < d.seq)),"
		" CASE WHEN l.what IN ('retried', 'taken_up') THEN (SELECT b.state = 'cancelled' FROM ledger b WHERE b.seq = l.seq AND b.number < l.number"
		"  ORDER BY b.number DESC LIMIT 1) END"
		" FROM ledger l CROSS JOIN document d USING (seq) WHERE l.number > ?1 ORDER BY l.number LIMIT ?2",
	[TALLY_ROOT] = "SELECT root FROM lineage WHERE seq = ?1",
	[TALLY_ACCEPTANCE] = "SELECT root, current, outcome, accepted_ms, submitted_ms, attempts, replaced, deleted_ms,"
		" action, lane, site, field, unit, source, type_code, stay, patient, received_ms, created_ms, stay_end_ms,"
		" ins_qualified, invisible FROM acceptance WHERE root = ?1",
	[TALLY_FIRST_TRY] = "SELECT at_ms FROM ledger WHERE seq = ?1 AND number < ?2 AND what = 'claimed'"
		" ORDER BY number LIMIT 1",
	[TALLY_IS_HERE] = "SELECT 1 FROM (SELECT ?1 AS seq UNION ALL SELECT seq FROM lineage WHERE root = ?1) v"
		" WHERE v.seq <> ?2 AND (SELECT l.state NOT IN ('cancelled', 'suppressed') FROM ledger l"
		"  WHERE l.seq = v.seq AND l.number < ?3 ORDER BY l.number DESC LIMIT 1) LIMIT 1",
	[TALLY_FACTS] = "SELECT action, lane, site, field, unit, source, type_code, stay, patient, received_ms, created_ms,"
		" stay_end_ms, ins_qualified, invisible FROM document WHERE seq = ?1",
	[TALLY_MOVE] = "UPDATE tally SET last = ?3, until_ms = coalesce((SELECT at_ms FROM ledger WHERE number = ?3), 0)"
		" WHERE last = ?1 AND edition = ?2 AND is_emptying = 0",
	[TALLY_AGAIN] = "UPDATE tally SET last = 0, until_ms = 0, edition = edition + 1, is_emptying = 1",
	[NOTE_RECOUNT] = "INSERT INTO recount (edition, at_ms, actor) SELECT edition, ?1, ?2 FROM tally",
	[TALLY_EMPTIED] = "UPDATE tally SET is_emptying = 0",
	[ADD_TO_DAY] = "INSERT INTO counter_day (day, lane, site, field, type_code, channel, outcome, n)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT (day, lane, site, field, type_code, channel, outcome) DO UPDATE SET n = n + excluded.n",
	[ADD_TO_MONTH] = "INSERT INTO counter_month (month, lane, site, field, type_code, channel, outcome, n)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT (month, lane, site, field, type_code, channel, outcome) DO UPDATE SET n = n + excluded.n",
	[PUT_ACCEPTANCE] = "INSERT OR REPLACE INTO acceptance (root, current, outcome, accepted_ms, submitted_ms, attempts,"
		" replaced, deleted_ms, action, lane, site, field, unit, source, type_code, stay, patient, received_ms,"
		" created_ms, stay_end_ms, ins_qualified, invisible, channel)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
	[PUT_ROOT] = "INSERT OR REPLACE INTO lineage (seq, root) VALUES (?1, ?2)",
	[TELL_STAY] = "INSERT INTO stay (source, key, lane, site, unit, field, start_ms, end_ms)"
		" VALUES ('document', ?1, ?2, ?3, ?4, ?5, 0, ?6) ON CONFLICT (source, key) DO UPDATE SET"
		" site = excluded.site, unit = excluded.unit, field = excluded.field,"
		" end_ms = iif(excluded.end_ms > 0, excluded.end_ms, end_ms)",
	[ADD_REJECTION] = "INSERT INTO counter_rejection (month, " REJECTION ", n, oldest_ms, newest_ms)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT (month, " REJECTION ") DO UPDATE SET n = n + excluded.n,"
		" oldest_ms = min(oldest_ms, excluded.oldest_ms), newest_ms = max(newest_ms, excluded.newest_ms)",
	[EMPTY_REJECTIONS] = "DELETE FROM counter_rejection WHERE (month, " REJECTION ") IN (SELECT month, " REJECTION
		" FROM counter_rejection LIMIT ?1)",
	[EMPTY_DAYS] = "DELETE FROM counter_day WHERE (day, " CELL ") IN (SELECT day, " CELL " FROM counter_day LIMIT ?1)",
	[EMPTY_MONTHS] = "DELETE FROM counter_month WHERE (month, " CELL ") IN (SELECT month, " CELL
		" FROM counter_month LIMIT ?1)",
	[EMPTY_ACCEPTANCES] = "DELETE FROM acceptance WHERE root IN (SELECT root FROM acceptance LIMIT ?1)",
	[EMPTY_ROOTS] = "DELETE FROM lineage WHERE seq IN (SELECT seq FROM lineage LIMIT ?1)",
	[EMPTY_STAYS] = "DELETE FROM stay WHERE source = 'document' AND key IN (SELECT key FROM stay"
		" WHERE source = 'document' LIMIT ?1)",
	[FORGET_DAYS] = "DELETE FROM counter_day WHERE (day, " CELL ") IN (SELECT day, " CELL
		" FROM counter_day WHERE day < ?1 ORDER BY day LIMIT ?2)",
	[DROP_ALIASES] = "DELETE FROM site_alias",
	[ADD_ALIAS] = "INSERT OR REPLACE INTO site_alias (former, current) VALUES (?1, ?2)",
	[COUNT_STAY_NEWS] = "UPDATE tally SET stays = stays + 1",
	[STAY_IS] = "SELECT cancelled, exists_said_ms, start_ms, start_said_ms, end_ms, end_said_ms, site, unit, field,"
		" since_ms, place_said_ms, counts, counts_said_ms FROM stay WHERE source = 'adt' AND key = ?1",
	[NOTE_STAY] = "INSERT OR REPLACE INTO stay (source, key, lane, site, unit, field, start_ms, end_ms, cancelled, number,"
		" sealed_by, counts, since_ms, exists_said_ms, start_said_ms, end_said_ms, place_said_ms, counts_said_ms,"
		" changed_ms, patient)"
		" VALUES ('adt', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
		" coalesce(?19, (SELECT patient FROM stay WHERE source = 'adt' AND key = ?1)))",
	[DISCRETION_IS] = "SELECT flag, flag_said_ms, unit FROM discretion WHERE key = ?1",
	[NOTE_DISCRETION] = "INSERT OR REPLACE INTO discretion (key, flag, flag_said_ms, unit, changed_ms)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
	/* what has ended badly may be tried again */
	[MARK_DISCREET] = "UPDATE document SET discreet = 1 WHERE stay = ?1 AND action <> 'delete'"
		" AND state NOT IN ('delivered', 'suppressed')",
	[FIND_DISCREET] = "SELECT seq, doc, attempts FROM document WHERE stay = ?1 AND state = 'queued' AND discreet = 1"
		" ORDER BY seq LIMIT 1",
	[FIND_INDISCREET] = "SELECT seq, doc, attempts FROM document WHERE seq = ?1 AND state = 'queued' AND discreet = 1",
	[HOLD_DISCREET] = "UPDATE document SET state = 'held', reason = ?2, release_ms = 0, changed_ms = ?3 WHERE seq = ?1",
	[IS_DISCREET] = "SELECT discreet FROM document WHERE seq = ?1",
	[DECIDE_DISCREET] = "UPDATE document SET discreet = 0 WHERE seq = ?1",
	[LETTERLESS] = "SELECT lane, coalesce(x.current, site) AS now_site, unit, field, number, sealed_by, key, start_ms,"
		" end_ms, " DISCREET_STAY ", (SELECT d.state FROM document d WHERE " LETTER_OF " ORDER BY d.seq DESC LIMIT 1),"
		" (SELECT d.reason FROM document d WHERE " LETTER_OF " ORDER BY d.seq DESC LIMIT 1)"
		" FROM " LETTERLESS_STAYS " ORDER BY end_ms, key LIMIT ?5",
	[COUNT_LETTERLESS] = "SELECT coalesce(x.current, site) AS now_site, count(*) FROM " LETTERLESS_STAYS
		" GROUP BY 1 ORDER BY 1",
	[FORGET_STAYS] = "DELETE FROM stay WHERE source = 'adt' AND key IN (SELECT key FROM stay s"
		" INDEXED BY stay_changed WHERE source = 'adt'"
		" AND changed_ms < ?1 AND end_ms < ?1 AND (end_ms > 0 OR cancelled OR NOT " DISCREET_STAY ") LIMIT ?2)",
	[FORGET_DISCRETION] = "DELETE FROM discretion WHERE key IN (SELECT key FROM discretion d WHERE changed_ms < ?1"
		" AND NOT EXISTS (SELECT 1 FROM stay s WHERE s.source = 'adt' AND s.key = d.key) LIMIT ?2)",
	[COUNTERS_BY_DAY] = "SELECT lane, site, field, type_code, channel, outcome, day, n, coalesce(x.current, site)"
		" FROM counter_day LEFT JOIN site_alias x ON x.former = site WHERE day BETWEEN ?1 AND ?2 AND n <> 0"
		" ORDER BY lane, site, field, type_code, channel, day, outcome",
	[COUNTERS_BY_MONTH] = "SELECT lane, site, field, type_code, channel, outcome, month, n, coalesce(x.current, site)"
		" FROM counter_month LEFT JOIN site_alias x ON x.former = site WHERE month BETWEEN ?1 AND ?2 AND n <> 0"
		" ORDER BY lane, site, field, type_code, channel, month, outcome",
	[COUNT_DOCUMENTS] = PICKED " SELECT site, lane, field, paris_day(at_ms), count(*) FROM counted"
		" GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4",
	[COUNT_NET_DOCUMENTS] = KNOWN_OF("(a.accepted_ms >= ?6 OR a.deleted_ms >= ?8) AND a.accepted_ms < ?7") PICK COUNTED
		COMING_AND_GOING,
	[COUNT_STAYS] = PICKED BY_STAY,
	[COUNT_SHARED_STAYS] = KNOWN PICK SHARE COUNTED BY_STAY,
	[COUNT_PATIENTS] = PICKED " SELECT site, lane, field, paris_day(first_ms), count(*) FROM (SELECT site, lane, field,"
		" min(at_ms) AS first_ms FROM counted WHERE patient IS NOT NULL GROUP BY lane, site, patient)"
		" GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4",
	[COUNT_WEEKS] = PICKED " SELECT site, lane, '', paris_monday(at_ms), 1 FROM counted GROUP BY 1, 2, 4 ORDER BY 2, 1, 4",
	[AWAITED_DOCUMENTS] = AWAITED KNOWN_FROM("awaited", IN_TIME) PICK_WITH(", waits") COUNTED
		" SELECT site, lane, field, waits, count(*) FROM counted GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4",
	[AWAITED_STAYS] = AWAITED AWAITED_BESIDE("stay IN (SELECT stay FROM awaited)") KNOWN_FROM("beside", IN_TIME)
		PICK_WITH(", waits") COUNTED AWAITED_EACH("stay"),
	[AWAITED_SHARED_STAYS] = AWAITED AWAITED_BESIDE("stay IN (SELECT stay FROM awaited)"
		" OR patient IN (SELECT patient FROM awaited)") KNOWN_FROM("beside", IN_TIME)
		PICK_WITH(", waits") SHARE_WITH(", k.waits") COUNTED AWAITED_EACH("stay"),
	[AWAITED_PATIENTS] = AWAITED AWAITED_BESIDE("patient IN (SELECT patient FROM awaited)")
		KNOWN_FROM("beside", IN_TIME) PICK_WITH(", waits") COUNTED AWAITED_EACH("patient"),
	[PRODUCED] = "SELECT coalesce(x.current, site) AS now_site, lane, field, day, sum(n)"
		" FROM counter_day LEFT JOIN site_alias x ON x.former = site WHERE day BETWEEN ?5 AND ?6 AND outcome = ?7"
		" AND " NAMED("?1", "type_code") " AND " NAMED("?2", "coalesce(x.current, site)")
		" AND " NAMED("?3", "lane") " AND " NAMED("?4", "field")
		" GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 ORDER BY 2, 1, 3, 4",
	[LAST_ACCEPTED] = "SELECT coalesce(x.current, site) AS now_site, max(accepted_ms) FROM acceptance"
		" LEFT JOIN site_alias x ON x.former = site WHERE accepted_ms > ?1 GROUP BY 1 ORDER BY 1",
	[STAYS_ENDED] = "SELECT coalesce(x.current, site) AS now_site, lane, field, paris_day(end_ms), count(*),"
		" sum(" DISCREET_STAY ")"
		" FROM stay s LEFT JOIN site_alias x ON x.former = site WHERE end_ms > 0 AND end_ms >= ?5 AND end_ms < ?6"
		" AND NOT cancelled AND counts AND (source = 'adt' OR (NOT ?7 AND NOT EXISTS (SELECT 1 FROM stay a"
		"  WHERE a.source = 'adt' AND a.key = s.key)))"
		" AND " NAMED("?1", "coalesce(x.current, site)") " AND " NAMED("?2", "lane")
		" AND " NAMED("?3", "field") " AND " NAMED("?4", "unit")
		" GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4",

	[ADD_IMPORT] = "INSERT INTO import (kind, series, source, file, digest, actor, imported_ms, figures)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ADD_FIGURE] = "INSERT INTO figure (revision, site, name, month, n) VALUES (?1, ?2, ?3, ?4, ?5)",
	/* what a site has under one number hides what it had under another: it is one */
	[FIGURES] = "SELECT now_site, name, month, n, revision, source, actor, imported_ms FROM (SELECT name, month, n,"
		"  revision, source, actor, imported_ms, site, coalesce(x.current, site) AS now_site, max(revision)"
		"  OVER (PARTITION BY coalesce(x.current, site), name, month) AS newest FROM import"
		"  JOIN figure USING (revision) LEFT JOIN site_alias x ON x.former = site"
		"  WHERE kind = ?1 AND series = ?2 AND month BETWEEN ?3 AND ?4) WHERE revision = newest"
		" ORDER BY 1, 2, 3, site",
	[WAITING] = "SELECT lane, coalesce(x.current, site), field, type_code, state = 'held' AND reason = ?1, count(*)"
		" FROM document LEFT JOIN site_alias x ON x.former = site"
		" WHERE state IN ('held', 'queued', 'sending') AND action = 'submit' GROUP BY 1, 2, 3, 4, 5",
	[QUALITY] = "SELECT lane, coalesce(x.current, site), count(*), sum(attempts <= 1), sum(replaced), sum(invisible),"
		" sum(invisible AND deleted_ms = 0 AND accepted_ms < ?2 AND EXISTS (SELECT 1 FROM document d"
		"  WHERE d.seq = acceptance.current AND d.invisible))"
		" FROM acceptance LEFT JOIN site_alias x ON x.former = site WHERE accepted_ms >= ?1 GROUP BY 1, 2",
	[PROMPTNESS] = "SELECT now_site, CASE WHEN came <= paris_day(ended_ms) THEN 0 WHEN came = paris_day_after(ended_ms, 1)"
		"  THEN 1 WHEN came <= paris_day_after(ended_ms, 8) THEN 2 ELSE 3 END, count(*) FROM ("
		"  SELECT coalesce(x.current, a.site) AS now_site, paris_day(a.accepted_ms) AS came,"
		"   coalesce(nullif(s.end_ms, 0), a.stay_end_ms) AS ended_ms FROM acceptance a"
		"   LEFT JOIN site_alias x ON x.former = a.site LEFT JOIN stay s ON s.source = 'adt' AND s.key = a.stay"
		"   WHERE a.accepted_ms >= ?1 AND " NAMED("?2", "a.type_code") ") WHERE ended_ms > 0 GROUP BY 1, 2",
	[UNITS] = "SELECT now_site, unit, sum(discharges), sum(accepted), max(weeks) FROM ("
		"SELECT coalesce(x.current, s.site) AS now_site, s.unit AS unit, count(*) AS discharges, 0 AS accepted,"
		"  0 AS weeks FROM stay s LEFT JOIN site_alias x ON x.former = s.site WHERE s.source = 'adt'"
		"  AND s.end_ms > 0 AND s.end_ms >= ?1 AND s.end_ms < ?2 AND NOT s.cancelled AND s.counts AND s.unit <> ''"
		"  GROUP BY 1, 2"
		" UNION ALL SELECT coalesce(x.current, a.site), a.unit, 0, count(*),"
		"  count(DISTINCT iif(a.accepted_ms < ?3, paris_monday(a.accepted_ms), NULL))"
		"  FROM acceptance a LEFT JOIN site_alias x ON x.former = a.site WHERE a.accepted_ms >= ?1"
		"  AND a.accepted_ms < ?2 AND a.unit <> '' GROUP BY 1, 2)"
		" GROUP BY 1, 2 ORDER BY 1, 2",
	[ADD_SNAPSHOT] = "INSERT OR IGNORE INTO snapshot (programme, window, indicator, place, frozen_ms, json)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SNAPSHOTS] = "SELECT programme, window, indicator, place, frozen_ms, json FROM snapshot"
		" ORDER BY programme, window, indicator, place",
	[FORGET_SNAPSHOTS] = "DELETE FROM snapshot WHERE frozen_ms < ?1",

	[READ_BEGIN] = "BEGIN",
	[READ_END] = "COMMIT",
	[REJECTIONS] = "SELECT site, unit, source, type_code, outcome, reason, code, month, n, oldest_ms, newest_ms"
		" FROM counter_rejection WHERE month BETWEEN ?1 AND ?2 ORDER BY month, site, unit, source, type_code,"
		" outcome, code, reason",
	[DELAYS] = "SELECT site, unit, type_code, accepted_ms, ended_ms FROM (SELECT a.site, a.unit, a.type_code, a.accepted_ms,"
		"  coalesce(nullif(s.end_ms, 0), a.stay_end_ms) AS ended_ms FROM acceptance a"
		"  LEFT JOIN stay s ON s.source = 'adt' AND s.key = a.stay WHERE a.accepted_ms >= ?1 AND a.accepted_ms < ?2)"
		" WHERE ended_ms > 0 ORDER BY site, unit, type_code",
	/* one row of the ledger for each document that the DMP took; how many rows are read is bounded by ?2 */
	[EVIDENCE] = "SELECT l.number, d.doc, d.unique_id, d.site, d.type_code, coalesce((SELECT f.at_ms FROM ledger f"
		"  WHERE f.seq = l.seq AND f.what = 'claimed' AND f.number < l.number ORDER BY f.number LIMIT 1), l.at_ms),"
		" l.at_ms, (SELECT r.doc FROM document r WHERE r.seq = coalesce((SELECT g.root FROM lineage g"
		"  WHERE g.seq = l.seq), l.seq)), d.digest,"
		" l.what = 'settled' AND l.state = 'delivered' AND d.action <> 'delete' AND l.at_ms >= ?3 AND l.at_ms < ?4"
		"  AND NOT EXISTS (SELECT 1 FROM ledger b WHERE b.seq = l.seq AND b.number < l.number AND b.what = 'settled'"
		"  AND b.state = 'delivered')"
		" FROM ledger l CROSS JOIN document d USING (seq) WHERE l.number > ?1 ORDER BY l.number LIMIT ?2",
	[ADD_ACT] = "INSERT INTO act (number, at_ms, what, subject, text, actor, node, digest)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ACTS] = "SELECT number, at_ms, what, subject, text, actor FROM act WHERE number > ?1 ORDER BY number LIMIT ?2",
	[ACT_IS] = "SELECT 1 FROM act WHERE what = ?1 AND subject = ?2 AND text = ?3 AND actor = ?4 AND at_ms = ?5",
	[DEEDS] = "SELECT * FROM (SELECT * FROM (SELECT number, at_ms, what, actor, '', '', d.doc, d.lane, d.site, l.state,"
		" l.reason FROM ledger l INDEXED BY ledger_ordered JOIN document d USING (seq) WHERE actor <> '' AND " DEED
		" AND (?4 = '' OR ?4 IN (d.site, d.lane)) ORDER BY number DESC LIMIT ?5)"
		" UNION ALL SELECT * FROM (SELECT number, at_ms, what, actor, subject, text, zeroblob(16), '', '', '', ''"
		" FROM act WHERE " DEED " AND (?4 = '' OR ' ' || subject || ' ' || text || ' ' GLOB '*[^0-9A-Za-z]' || ?4 || '[^0-9A-Za-z]*')"
		" ORDER BY number DESC LIMIT ?5) ORDER BY 1 DESC LIMIT ?5) ORDER BY 1",
	[IMPORTS] = "SELECT revision, kind, series, source, file, digest, actor, imported_ms, figures FROM import"
		" WHERE revision > ?1 ORDER BY revision",
	[IMPORT_FIGURES] = "SELECT site, name, month, n FROM figure WHERE revision = ?1 ORDER BY site, name, month",
	[COUNT_IMPORTS] = "SELECT (SELECT count(*) FROM act WHERE what = 'imported') - count(*) FROM import",
	[CHAIN_HEAD] = "SELECT number, digest FROM (SELECT number, digest FROM ledger ORDER BY number DESC LIMIT 1)"
		" UNION ALL SELECT number, digest FROM (SELECT number, digest FROM act ORDER BY number DESC LIMIT 1)"
		" ORDER BY number DESC LIMIT 1",
	[CHAIN_DOCUMENT] = "SELECT doc, action, unique_id, digest FROM document WHERE seq = ?1",
	[CHAIN_LEDGER] = LINKS_OF_LEDGER,
	[CHAIN_ROWS] = "SELECT * FROM (" LINKS_OF_LEDGER ") UNION ALL SELECT * FROM (SELECT number, zeroblob(16), '', '',"
		" x'', at_ms, what, '', '', 0, subject, text, '', '', actor, node, 0, 0, digest FROM act WHERE number > ?1"
		" ORDER BY number LIMIT ?2) ORDER BY 1 LIMIT ?2",
	[TRAIL] = "SELECT * FROM (SELECT l.number, l.at_ms, l.what, l.actor, l.node, l.digest, 0, '', '', d.doc, d.action,"
		" d.unique_id, d.type_code, d.lane, d.site, d.source, d.channel, l.state, l.reason, l.code, l.note, l.attempt,"
		" l.http_status, l.duration_ms FROM ledger l LEFT JOIN document d USING (seq) WHERE l.number > ?1"
		" ORDER BY l.number LIMIT ?2) UNION ALL SELECT * FROM (SELECT number, at_ms, what, actor, node, digest, 1,"
		" subject, text, zeroblob(16), '', '', '', '', '', '', '', '', '', '', '', 0, 0, 0 FROM act WHERE number > ?1"
		" ORDER BY number LIMIT ?2) ORDER BY 1 LIMIT ?2",
	[FORWARDED_IS] = "SELECT last FROM forwarding",
	[NOTE_FORWARDED] = "INSERT OR REPLACE INTO forwarding (number, last) VALUES (1, ?1)",
	[CHAIN_SET] = "UPDATE ledger SET digest = ?2 WHERE number = ?1",
	[CHECK_INTEGRITY] = "PRAGMA integrity_check(20)",
	[CHECK_REFERENCES] = "PRAGMA foreign_key_check",
	[CHECK_STATES] = "SELECT doc, state, last FROM (SELECT doc, state, (SELECT l.state FROM ledger l"
		" WHERE l.seq = document.seq ORDER BY l.number DESC LIMIT 1) AS last FROM document)"
		" WHERE state IS NOT last LIMIT 21",
};
/* clang-format on */
