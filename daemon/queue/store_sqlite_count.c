/* What the store counts, and what can be asked of it: the rules are others', here is the SQL's side. */
#include "queue/store_count.h"
#include "queue/store_sqlite.h"

static struct slice optional(sqlite3_stmt *row, int column)
{
	const struct slice none = { 0 };

	return sqlite3_column_type(row, column) == SQLITE_NULL ? none : sqlite_bytes(row, column);
}

/* ---- the mark ---- */

int store_tally_now(struct store *store, struct store_tally *ret_tally, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *row =
		sqlite_prepare(&store->sqlite, TALLY_IS, NULL, 0, err);
	int got = row ? sqlite_step(&store->sqlite, row, err) : -1;

	if (got <= 0)
		return got < 0 ? -1 : err_set(err, ERR_HALT, "the store has lost its tally");
	*ret_tally = (struct store_tally){
		.last = (uint64_t)sqlite3_column_int64(row, 0),
		.edition = (uint64_t)sqlite3_column_int64(row, 1),
		.is_emptying = sqlite3_column_int(row, 2) != 0,
		.until_ms = sqlite3_column_int64(row, 3),
		.newest = (uint64_t)sqlite3_column_int64(row, 4),
		.stays = (uint64_t)sqlite3_column_int64(row, 5),
	};
	return 0;
}

/* ---- reading the ledger ---- */

/* The columns from `first` on: action, lane, site, field, unit, source, type_code, stay, patient,
 * received_ms, created_ms, stay_end_ms, ins_qualified, invisible.
 */
static struct count_facts facts_of(sqlite3_stmt *row, int first)
{
	return (struct count_facts){
		.action = sqlite_text(row, first),
		.lane = sqlite_text(row, first + 1),
		.site = sqlite_text(row, first + 2),
		.field = sqlite_text(row, first + 3),
		.unit = sqlite_text(row, first + 4),
		.source = sqlite_text(row, first + 5),
		.type_code = sqlite_text(row, first + 6),
		.stay = optional(row, first + 7),
		.patient = optional(row, first + 8),
		.received_ms = sqlite3_column_int64(row, first + 9),
		.created_ms = sqlite3_column_int64(row, first + 10),
		.stay_end_ms = sqlite3_column_int64(row, first + 11),
		.ins_qualified = sqlite3_column_int(row, first + 12) != 0,
		.invisible = sqlite3_column_int(row, first + 13) != 0,
	};
}

static struct count_event event_of(sqlite3_stmt *row)
{
	return (struct count_event){
		.number = (uint64_t)sqlite3_column_int64(row, 0),
		.seq = sqlite3_column_int64(row, 1),
		.at_ms = sqlite3_column_int64(row, 2),
		.what = sqlite_text(row, 3),
		.state = sqlite_text(row, 4),
		.reason = reason_of(sqlite_text(row, 5)),
		.code = sqlite_text(row, 6),
		.note = sqlite_text(row, 7),
		.attempt = (unsigned)sqlite3_column_int64(row, 8),
		.facts = facts_of(row, 9),
		.follows = sqlite3_column_int64(row, 23),
		.was_out = sqlite3_column_int(row, 24) != 0,
	};
}

int store_tally_read(struct store *store, uint64_t after, size_t most,
		     int (*each)(void *arg, const struct count_event *event, struct err *err),
		     void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = sqlite_prepare(
		&store->sqlite, TALLY_ROWS, VALUES(NUMBER(after), NUMBER(most)), err);
	int got;

	if (rows == NULL)
		return -1;
	while ((got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct count_event event = event_of(rows);

		if (each(arg, &event, err) < 0)
			return -1;
	}
	return got;
}

int store_tally_root(struct store *store, int64_t seq, int64_t *ret_root, struct err *err)
{
	return store_find_number(store, TALLY_ROOT, VALUES(NUMBER(seq)), seq, ret_root, err);
}

int store_tally_first_try(struct store *store, int64_t seq, uint64_t before, int64_t otherwise,
			  int64_t *ret_ms, struct err *err)
{
	return store_find_number(store, TALLY_FIRST_TRY, VALUES(NUMBER(seq), NUMBER(before)),
				 otherwise, ret_ms, err);
}

int store_tally_acceptance(struct store *store, int64_t root, struct arena *arena,
			   struct count_acceptance *ret_acceptance, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *row =
		sqlite_prepare(&store->sqlite, TALLY_ACCEPTANCE, VALUES(NUMBER(root)), err);
	int got = row ? sqlite_step(&store->sqlite, row, err) : -1;
	enum count_outcome outcome = COUNT_ACCEPTED; /* the table's check admits no other */

	if (got <= 0)
		return got;
	(void)!count_outcome_parse(slice_of(sqlite_text(row, 2)), &outcome);
	*ret_acceptance = (struct count_acceptance){
		.root = sqlite3_column_int64(row, 0),
		.current = sqlite3_column_int64(row, 1),
		.outcome = outcome,
		.accepted_ms = sqlite3_column_int64(row, 3),
		.submitted_ms = sqlite3_column_int64(row, 4),
		.attempts = (unsigned)sqlite3_column_int64(row, 5),
		.replaced = (unsigned)sqlite3_column_int64(row, 6),
		.deleted_ms = sqlite3_column_int64(row, 7),
		.facts = facts_of(row, 8),
	};
	count_facts_keep(&ret_acceptance->facts, arena);
	return 1;
}

int store_tally_is_here(struct store *store, int64_t root, int64_t except, uint64_t before,
			bool *ret_is, struct err *err)
{
	int64_t found;

	if (store_find_number(store, TALLY_IS_HERE,
			      VALUES(NUMBER(root), NUMBER(except), NUMBER(before)), 0, &found,
			      err) < 0)
		return -1;
	*ret_is = found != 0;
	return 0;
}

int store_tally_facts(struct store *store, int64_t seq, struct arena *arena,
		      struct count_facts *ret_facts, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *row =
		sqlite_prepare(&store->sqlite, TALLY_FACTS, VALUES(NUMBER(seq)), err);
	int got = row ? sqlite_step(&store->sqlite, row, err) : -1;

	if (got <= 0)
		return got < 0 ? -1
			       : err_set(err, ERR_HALT, "a lineage has lost its first version");
	*ret_facts = facts_of(row, 0);
	count_facts_keep(ret_facts, arena);
	return 0;
}

/* ---- writing what changes ---- */

static int add_cell(struct store *store, const struct count_cell *cell, struct err *err)
{
	static const enum store_statement statements[] = { ADD_TO_DAY, ADD_TO_MONTH };
	const int days[] = { cell->day, calendar_month(cell->day) };

	for (size_t i = 0; i < length_of(statements); i++)
		if (sqlite_run(&store->sqlite, statements[i],
			       VALUES(NUMBER(days[i]), TEXT(cell->lane), TEXT(cell->site),
				      TEXT(cell->field), TEXT(cell->type_code), TEXT(cell->channel),
				      TEXT(count_outcome_text(cell->outcome)), NUMBER(cell->n)),
			       "count", err) < 0)
			return -1;
	return 0;
}

static int put_acceptance(struct store *store, const struct count_acceptance *one, struct err *err)
{
	const struct count_facts *facts = &one->facts;

	return sqlite_run(&store->sqlite, PUT_ACCEPTANCE,
			  VALUES(NUMBER(one->root), NUMBER(one->current),
				 TEXT(count_outcome_text(one->outcome)), NUMBER(one->accepted_ms),
				 NUMBER(one->submitted_ms), NUMBER(one->attempts),
				 NUMBER(one->replaced), NUMBER(one->deleted_ms),
				 TEXT(facts->action), TEXT(facts->lane), TEXT(facts->site),
				 TEXT(facts->field), TEXT(facts->unit), TEXT(facts->source),
				 TEXT(facts->type_code), BYTES(facts->stay), BYTES(facts->patient),
				 NUMBER(facts->received_ms), NUMBER(facts->created_ms),
				 NUMBER(facts->stay_end_ms), NUMBER(facts->ins_qualified),
				 NUMBER(facts->invisible), TEXT(COUNT_CHANNEL_DMP)),
			  "count what was accepted", err);
}

static int add_rejection(struct store *store, const struct count_rejection *one, struct err *err)
{
	return sqlite_run(&store->sqlite, ADD_REJECTION,
			  VALUES(NUMBER(one->month), TEXT(one->lane), TEXT(one->site),
				 TEXT(one->unit), TEXT(one->source), TEXT(one->type_code),
				 TEXT(count_outcome_text(one->outcome)),
				 TEXT(reason_row(one->reason)->code), TEXT(one->code),
				 NUMBER(one->n), NUMBER(one->oldest_ms), NUMBER(one->newest_ms)),
			  "count what did not pass", err);
}

static int apply_changes(struct store *store, const struct count_changes *changes, struct err *err)
{
	for (size_t i = 0; i < changes->cell_count; i++)
		if (add_cell(store, &changes->cells[i], err) < 0)
			return -1;
	for (size_t i = 0; i < changes->acceptance_count; i++)
		if (put_acceptance(store, &changes->acceptances[i], err) < 0)
			return -1;
	for (size_t i = 0; i < changes->root_count; i++)
		if (sqlite_run(
			    &store->sqlite, PUT_ROOT,
			    VALUES(NUMBER(changes->roots[i].seq), NUMBER(changes->roots[i].root)),
			    "note a lineage", err) < 0)
			return -1;
	for (size_t i = 0; i < changes->rejection_count; i++)
		if (add_rejection(store, &changes->rejections[i], err) < 0)
			return -1;
	for (size_t i = 0; i < changes->stay_count; i++) {
		const struct count_stay *stay = &changes->stays[i];

		if (sqlite_run(&store->sqlite, TELL_STAY,
			       VALUES(BYTES(stay->key), TEXT(stay->lane), TEXT(stay->site),
				      TEXT(stay->unit), TEXT(stay->field), NUMBER(stay->end_ms)),
			       "note a stay", err) < 0)
			return -1;
	}
	return 0;
}

int store_tally_apply(struct store *store, const struct store_tally *tally,
		      const struct count_changes *changes, struct err *err)
{
	if (sqlite_run(&store->sqlite, TALLY_MOVE,
		       VALUES(NUMBER(tally->last), NUMBER(tally->edition), NUMBER(changes->last)),
		       "move the tally", err) < 0)
		return -1;
	if (sqlite3_changes64(store->sqlite.db) == 0)
		return 0;
	return apply_changes(store, changes, err) < 0 ? -1 : 1;
}

/* ---- counting anew ---- */

int store_tally_again(struct store *store, const char *actor, int64_t now_ms, struct err *err)
{
	if (sqlite_run(&store->sqlite, TALLY_AGAIN, NULL, 0, "begin to count anew", err) < 0)
		return -1;
	if (sqlite_run(&store->sqlite, NOTE_RECOUNT, VALUES(NUMBER(now_ms), TEXT(actor)),
		       "note who counts anew", err) < 0)
		return -1;
	return store_note_act(store,
			      &(struct store_act){ .at_ms = now_ms,
						   .what = "recounted",
						   .subject = "counters",
						   .text = "",
						   .actor = actor },
			      err);
}

int store_tally_empty(struct store *store, size_t most, struct err *err)
{
	static const enum store_statement statements[] = { EMPTY_DAYS,        EMPTY_MONTHS,
							   EMPTY_ACCEPTANCES, EMPTY_ROOTS,
							   EMPTY_STAYS,       EMPTY_REJECTIONS };

	for (size_t i = 0; i < length_of(statements); i++) {
		if (sqlite_run(&store->sqlite, statements[i], VALUES(NUMBER(most)),
			       "forget what was counted", err) < 0)
			return -1;
		if (sqlite3_changes64(store->sqlite.db) > 0)
			return 1;
	}
	return sqlite_run(&store->sqlite, TALLY_EMPTIED, NULL, 0, "begin to count anew", err);
}

int store_tally_forget(struct store *store, int day, size_t most, struct err *err)
{
	if (sqlite_run(&store->sqlite, FORGET_DAYS, VALUES(NUMBER(day), NUMBER(most)),
		       "forget old days", err) < 0)
		return -1;
	return sqlite3_changes64(store->sqlite.db) > 0;
}

/* ---- sites ---- */

int store_note_aliases(struct store *store, const struct store_alias *aliases, size_t count,
		       struct err *err)
{
	if (sqlite_run(&store->sqlite, DROP_ALIASES, NULL, 0, "note the sites", err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (sqlite_run(&store->sqlite, ADD_ALIAS,
			       VALUES(TEXT(aliases[i].former), TEXT(aliases[i].current)),
			       "note the sites", err) < 0)
			return -1;
	return 0;
}

/* ---- what is asked ---- */

static void paris_day(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int(context, calendar_day(sqlite3_value_int64(values[0])));
}

static void paris_day_after(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int(context, calendar_add(calendar_day(sqlite3_value_int64(values[0])),
						 sqlite3_value_int(values[1])));
}

static void paris_monday(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	sqlite3_result_int(context, calendar_monday(calendar_day(sqlite3_value_int64(values[0]))));
}

/* Once a connection. */
int store_teach_days(struct store *store, struct err *err)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	sqlite3 *db = store->sqlite.db;

	if (store->knows_days)
		return 0;
	if (sqlite3_create_function_v2(db, "paris_day", 1, flags, NULL, paris_day, NULL, NULL,
				       NULL) != SQLITE_OK ||
	    sqlite3_create_function_v2(db, "paris_day_after", 2, flags, NULL, paris_day_after, NULL,
				       NULL, NULL) != SQLITE_OK ||
	    sqlite3_create_function_v2(db, "paris_monday", 1, flags, NULL, paris_monday, NULL, NULL,
				       NULL) != SQLITE_OK)
		return sqlite_failed(&store->sqlite, "learn the calendar", err);
	store->knows_days = true;
	return 0;
}

const char *store_list_of(const char *const *names, size_t count, struct buf *out)
{
	if (count == 0)
		return "";
	buf_add_char(out, '\x1f');
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s\x1f", names[i]);
	return out->p;
}

static const char *list_of(const struct store_names *names, struct buf *out)
{
	return store_list_of(names->names, names->count, out);
}

static struct count_cell cell_of(sqlite3_stmt *row)
{
	struct count_cell cell = {
		.lane = sqlite_text(row, 0),
		.site = sqlite_text(row, 1),
		.field = sqlite_text(row, 2),
		.type_code = sqlite_text(row, 3),
		.channel = sqlite_text(row, 4),
		.day = sqlite3_column_int(row, 6),
		.n = sqlite3_column_int64(row, 7),
	};

	(void)!count_outcome_parse(slice_of(sqlite_text(row, 5)), &cell.outcome);
	return cell;
}

static int read_cells(struct store *store, enum store_statement which, int from, int to,
		      void (*each)(void *arg, const struct count_cell *cell, const char *current),
		      void *arg, struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows =
		sqlite_prepare(&store->sqlite, which, VALUES(NUMBER(from), NUMBER(to)), err);
	int got = -1;

	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct count_cell cell = cell_of(rows);

		each(arg, &cell, sqlite_text(rows, 8));
	}
	return got;
}

int store_counters(struct store *store, int from_day, int to_day,
		   void (*each)(void *arg, const struct count_cell *cell, const char *current),
		   void *arg, struct err *err)
{
	return read_cells(store, COUNTERS_BY_DAY, from_day, to_day, each, arg, err);
}

int store_counters_by_month(struct store *store, int from_month, int to_month,
			    void (*each)(void *arg, const struct count_cell *cell,
					 const char *current),
			    void *arg, struct err *err)
{
	return read_cells(store, COUNTERS_BY_MONTH, from_month, to_month, each, arg, err);
}

/* Rows of site, lane, field, day, n; of stays, how many of them are to be discreet about. */
static int read_numbers(struct store *store, enum store_statement which,
			const struct sqlite_value *values, size_t count,
			void (*each)(void *arg, const struct store_number *number), void *arg,
			struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *rows = NULL;
	int got = -1;

	if (store_teach_days(store, err) < 0)
		return -1;
	rows = sqlite_prepare(&store->sqlite, which, values, count, err);
	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_number number = {
			.site = sqlite_text(rows, 0),
			.lane = sqlite_text(rows, 1),
			.field = sqlite_text(rows, 2),
			.day = sqlite3_column_int(rows, 3),
			.n = sqlite3_column_int64(rows, 4),
			.discreet =
				sqlite3_data_count(rows) > 5 ? sqlite3_column_int64(rows, 5) : 0,
		};

		each(arg, &number);
	}
	return got;
}

/* As the statements have it: 0 counts what was deleted, 1 does not, 2 takes it off when it was. */
static int net_of(const struct store_numerator *asked)
{
	const bool is_dated_by_the_feed =
		asked->basis == STORE_BY_ACCEPTED || asked->basis == STORE_BY_SUBMITTED;

	if (!asked->net_of_deletions)
		return 0;
	return asked->aggregate == STORE_DOCUMENTS && is_dated_by_the_feed ? 2 : 1;
}

static enum store_statement statement_of(const struct store_numerator *asked)
{
	static const enum store_statement statements[] = {
		[STORE_DOCUMENTS] = COUNT_DOCUMENTS,
		[STORE_STAYS] = COUNT_STAYS,
		[STORE_PATIENTS] = COUNT_PATIENTS,
		[STORE_WEEKS] = COUNT_WEEKS,
	};

	if (asked->aggregate == STORE_STAYS && asked->share_across_transfers)
		return COUNT_SHARED_STAYS;
	return net_of(asked) == 2 ? COUNT_NET_DOCUMENTS : statements[asked->aggregate];
}

/* The lists that its values borrow. */
struct lists {
	struct buf types, sites, lanes, fields, units;
};

static void lists_done(struct lists *lists)
{
	buf_done(&lists->types);
	buf_done(&lists->sites);
	buf_done(&lists->lanes);
	buf_done(&lists->fields);
	buf_done(&lists->units);
}

enum { NUMERATOR_VALUES = 20 };

/* ?1 to ?20 */
static void bind_numerator(const struct store_numerator *asked, struct lists *lists,
			   struct sqlite_value ret_values[static NUMERATOR_VALUES])
{
	const bool by_accepted = asked->basis == STORE_BY_ACCEPTED;
	/* whole days of Paris, of which one may have 23 or 25 hours */
	const int64_t grace_ms = calendar_begins_ms(calendar_add(calendar_day(asked->to_ms),
								 max(asked->late_grace_days, 0))) -
				 calendar_begins_ms(calendar_day(asked->to_ms));
	/* ?6 and ?7 only spare reading what cannot count */
	const struct sqlite_value values[NUMERATOR_VALUES] = {
		TEXT(list_of(&asked->types, &lists->types)),
		TEXT(list_of(&asked->sites, &lists->sites)),
		TEXT(list_of(&asked->lanes, &lists->lanes)),
		TEXT(list_of(&asked->fields, &lists->fields)),
		TEXT(list_of(&asked->units, &lists->units)),
		NUMBER(by_accepted && grace_ms == 0 ? asked->from_ms : INT64_MIN),
		NUMBER(by_accepted ? asked->to_ms + grace_ms : INT64_MAX),
		NUMBER(asked->from_ms),
		NUMBER(asked->to_ms),
		TEXT(asked->channel),
		NUMBER(asked->basis),
		NUMBER(asked->ins_qualified),
		NUMBER(asked->has_most_delay),
		NUMBER(asked->most_delay_ms),
		NUMBER(net_of(asked)),
		NUMBER(asked->not_reconciled),
		NUMBER(asked->by_lane),
		NUMBER(asked->aggregate == STORE_STAYS),
		NUMBER(grace_ms),
		NUMBER(asked->adt_only),
	};

	memcpy(ret_values, values, sizeof(values));
}

int store_numerator(struct store *store, const struct store_numerator *asked,
		    void (*each)(void *arg, const struct store_number *number), void *arg,
		    struct err *err)
{
	scoped(lists_done) struct lists lists = { 0 };
	struct sqlite_value values[NUMERATOR_VALUES];

	bind_numerator(asked, &lists, values);
	return read_numbers(store, statement_of(asked), values, NUMERATOR_VALUES, each, arg, err);
}

static enum store_statement awaited_of(const struct store_numerator *asked)
{
	if (asked->aggregate == STORE_PATIENTS)
		return AWAITED_PATIENTS;
	if (asked->aggregate == STORE_DOCUMENTS)
		return AWAITED_DOCUMENTS;
	return asked->share_across_transfers ? AWAITED_SHARED_STAYS : AWAITED_STAYS;
}

int store_awaited(struct store *store, const struct store_numerator *asked, int64_t now_ms,
		  void (*each)(void *arg, const struct store_awaited *awaited), void *arg,
		  struct err *err)
{
	scoped(lists_done) struct lists lists = { 0 };
	scoped(sqlite_reset) sqlite3_stmt *rows = NULL;
	struct sqlite_value values[NUMERATOR_VALUES + 2];
	int got = -1;

	if (asked->aggregate == STORE_WEEKS)
		return 0;
	bind_numerator(asked, &lists, values);
	values[NUMERATOR_VALUES] = (struct sqlite_value)NUMBER(now_ms);
	values[NUMERATOR_VALUES + 1] =
		(struct sqlite_value)TEXT(reason_row(REASON_INS_NOT_QUALIFIED)->code);
	rows = sqlite_prepare(&store->sqlite, awaited_of(asked), values, length_of(values), err);
	while (rows != NULL && (got = sqlite_step(&store->sqlite, rows, err)) > 0) {
		const struct store_awaited awaited = {
			.site = sqlite_text(rows, 0),
			.lane = sqlite_text(rows, 1),
			.needs_ins = sqlite3_column_int(rows, 3) == 2,
			.n = sqlite3_column_int64(rows, 4),
		};

		each(arg, &awaited);
	}
	return got;
}

int store_produced(struct store *store, const struct store_produced *asked,
		   void (*each)(void *arg, const struct store_number *number), void *arg,
		   struct err *err)
{
	const enum count_outcome outcome =
		asked->ins_qualified ? COUNT_RECEIVED_QUALIFIED : COUNT_RECEIVED;
	scoped(buf_done) struct buf types = { 0 }, sites = { 0 }, lanes = { 0 }, fields = { 0 };

	return read_numbers(store, PRODUCED,
			    VALUES(TEXT(list_of(&asked->types, &types)),
				   TEXT(list_of(&asked->sites, &sites)),
				   TEXT(list_of(&asked->lanes, &lanes)),
				   TEXT(list_of(&asked->fields, &fields)), NUMBER(asked->from_day),
				   NUMBER(asked->to_day), TEXT(count_outcome_text(outcome))),
			    each, arg, err);
}

int store_stays_ended(struct store *store, const struct store_ended *asked,
		      void (*each)(void *arg, const struct store_number *number), void *arg,
		      struct err *err)
{
	scoped(buf_done) struct buf sites = { 0 }, lanes = { 0 }, fields = { 0 }, units = { 0 };

	return read_numbers(
		store, STAYS_ENDED,
		VALUES(TEXT(list_of(&asked->sites, &sites)), TEXT(list_of(&asked->lanes, &lanes)),
		       TEXT(list_of(&asked->fields, &fields)), TEXT(list_of(&asked->units, &units)),
		       NUMBER(asked->from_ms), NUMBER(asked->to_ms), NUMBER(asked->adt_only)),
		each, arg, err);
}

int store_last_accepted(struct store *store, int64_t after_ms,
			void (*each)(void *arg, const char *site, int64_t accepted_ms), void *arg,
			struct err *err)
{
	scoped(sqlite_reset) sqlite3_stmt *found =
		sqlite_prepare(&store->sqlite, LAST_ACCEPTED, VALUES(NUMBER(after_ms)), err);
	int got = found ? 0 : -1;

	while (found != NULL && (got = sqlite_step(&store->sqlite, found, err)) > 0)
		each(arg, sqlite_text(found, 0), sqlite3_column_int64(found, 1));
	return got;
}
