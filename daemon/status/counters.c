/* The rules of counting. Pure. */
#include "status/counters.h"

#include "base/calendar.h"

/* ---- what was seen in this piece ---- */

/* Things by their keys, in the order in which they came. */
struct seen {
	struct seen_entry {
		struct slice key;
		void *thing;
	} * entries;
	size_t count, room;
	size_t *slots; /* twice as many; 0: free, else the entry's place + 1 */
};

struct known_acceptance {
	struct count_acceptance is;
	bool changed;
};

struct counters {
	struct counters_past past;
	struct arena arena;
	struct buf key;
	struct seen cells, acceptances, roots, rejections;
	struct count_stay *stays;
	size_t stay_count, stay_room;
	uint64_t last;

	/* as counters_changes() gave them */
	struct count_cell *told_cells;
	struct count_acceptance *told_acceptances;
	struct count_root *told_roots;
	struct count_rejection *told_rejections;
};

static size_t *slot_of(const struct seen *seen, struct slice key)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	size_t at;

	for (size_t i = 0; i < key.n; i++)
		hash = (hash ^ (unsigned char)key.p[i]) * 1099511628211u;
	for (at = hash % (seen->room * 2); seen->slots[at] != 0; at = (at + 1) % (seen->room * 2))
		if (slice_equal(seen->entries[seen->slots[at] - 1].key, key))
			break;
	return &seen->slots[at];
}

static void *find(const struct seen *seen, struct slice key)
{
	size_t place = seen->room > 0 ? *slot_of(seen, key) : 0;

	return place > 0 ? seen->entries[place - 1].thing : NULL;
}

static void grow(struct seen *seen)
{
	seen->room = max(seen->room * 2, (size_t)64);
	seen->entries = xrealloc(seen->entries, seen->room * sizeof(*seen->entries));
	free(seen->slots);
	seen->slots = xcalloc(seen->room * 2, sizeof(*seen->slots));
	for (size_t i = 0; i < seen->count; i++)
		*slot_of(seen, seen->entries[i].key) = i + 1;
}

/* The key is new; it lives as long as the thing. */
static void *keep(struct seen *seen, struct slice key, void *thing)
{
	if (seen->count == seen->room)
		grow(seen);
	*slot_of(seen, key) = seen->count + 1;
	seen->entries[seen->count++] = (struct seen_entry){ key, thing };
	return thing;
}

static void forget(struct seen *seen)
{
	free(seen->entries);
	free(seen->slots);
}

static struct slice key_of(const int64_t *number)
{
	return (struct slice){ (const char *)number, sizeof(*number) };
}

/* ---- cells ---- */

static void count(struct counters *counters, const struct count_facts *facts,
		  enum count_outcome outcome, int64_t at_ms, int64_t n)
{
	const int day = calendar_day(at_ms);
	struct count_cell *cell;

	if (outcome == COUNT_NONE)
		return;
	buf_clear(&counters->key);
	buf_addf(&counters->key, "%s\x1f%s\x1f%s\x1f%s\x1f%d\x1f%d", facts->lane, facts->site,
		 facts->field, facts->type_code, (int)outcome, day);
	cell = find(&counters->cells, buf_slice(&counters->key));
	if (cell == NULL) {
		const struct slice key = { arena_dup(&counters->arena, buf_slice(&counters->key)),
					   counters->key.n };

		cell = arena_alloc(&counters->arena, sizeof(*cell));
		*cell = (struct count_cell){
			.lane = arena_dup(&counters->arena, slice_of(facts->lane)),
			.site = arena_dup(&counters->arena, slice_of(facts->site)),
			.field = arena_dup(&counters->arena, slice_of(facts->field)),
			.type_code = arena_dup(&counters->arena, slice_of(facts->type_code)),
			.channel = COUNT_CHANNEL_DMP,
			.outcome = outcome,
			.day = day,
		};
		keep(&counters->cells, key, cell);
	}
	cell->n += n;
}

/* ---- rejections ---- */

enum { MOST_CODE = 64 }; /* of the DMP's words that tell one rejection from another */

static struct slice code_of(const struct count_event *event)
{
	struct slice code = slice_of(event->code);

	if (code.n > MOST_CODE)
		for (code.n = MOST_CODE; code.n > 0 && (code.p[code.n] & 0xc0) == 0x80; code.n--)
			; /* whole characters */
	return code;
}

static struct count_rejection *new_rejection(struct counters *counters,
					     const struct count_event *event,
					     enum count_outcome outcome, int month)
{
	const struct count_facts *facts = &event->facts;
	struct arena *arena = &counters->arena;
	struct count_rejection *rejection = arena_alloc(arena, sizeof(*rejection));

	*rejection = (struct count_rejection){
		.lane = arena_dup(arena, slice_of(facts->lane)),
		.site = arena_dup(arena, slice_of(facts->site)),
		.unit = arena_dup(arena, slice_of(facts->unit)),
		.source = arena_dup(arena, slice_of(facts->source)),
		.type_code = arena_dup(arena, slice_of(facts->type_code)),
		.code = arena_dup(arena, code_of(event)),
		.outcome = outcome,
		.reason = event->reason,
		.month = month,
		.oldest_ms = event->at_ms,
		.newest_ms = event->at_ms,
	};
	return rejection;
}

/* Beside the cell of its outcome, of which it is a part. */
static void count_rejection(struct counters *counters, const struct count_event *event,
			    enum count_outcome outcome)
{
	const struct count_facts *facts = &event->facts;
	const int month = calendar_month(calendar_day(event->at_ms));
	struct count_rejection *rejection;

	if (!count_is_rejection(outcome))
		return;
	buf_clear(&counters->key);
	buf_addf(&counters->key, "%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%d\x1f%d\x1f%d\x1f", facts->lane,
		 facts->site, facts->unit, facts->source, facts->type_code, (int)outcome,
		 (int)event->reason, month);
	buf_add(&counters->key, code_of(event));
	rejection = find(&counters->rejections, buf_slice(&counters->key));
	if (rejection == NULL) {
		const struct slice key = { arena_dup(&counters->arena, buf_slice(&counters->key)),
					   counters->key.n };

		rejection = keep(&counters->rejections, key,
				 new_rejection(counters, event, outcome, month));
	}
	rejection->n++;
	rejection->oldest_ms = min(rejection->oldest_ms, event->at_ms);
	rejection->newest_ms = max(rejection->newest_ms, event->at_ms);
}

/* ---- lineages ---- */

static int find_root(struct counters *counters, int64_t seq, int64_t *ret_root, struct err *err)
{
	const struct count_root *root = find(&counters->roots, key_of(&seq));

	if (root == NULL)
		return counters->past.root(counters->past.arg, seq, ret_root, err);
	*ret_root = root->root;
	return 0;
}

static void keep_root(struct counters *counters, int64_t seq, int64_t root)
{
	struct count_root *known = find(&counters->roots, key_of(&seq));

	if (known == NULL) {
		known = arena_alloc(&counters->arena, sizeof(*known));
		known->seq = seq;
		keep(&counters->roots, key_of(&known->seq), known);
	}
	known->root = root;
}

/* That of the document which it names; its own when it names none that came before. */
static int root_of_event(struct counters *counters, const struct count_event *event,
			 int64_t *ret_root, struct err *err)
{
	*ret_root = event->seq;
	return event->follows ? find_root(counters, event->follows, ret_root, err) : 0;
}

/* *ret_known: NULL if the lineage was not accepted so far. */
static int find_acceptance(struct counters *counters, int64_t root,
			   struct known_acceptance **ret_known, struct err *err)
{
	struct known_acceptance *known = find(&counters->acceptances, key_of(&root));
	struct count_acceptance stored;
	int got;

	*ret_known = known;
	if (known != NULL)
		return 0;
	got = counters->past.acceptance(counters->past.arg, root, &counters->arena, &stored, err);
	if (got <= 0)
		return got;
	known = arena_alloc(&counters->arena, sizeof(*known));
	known->is = stored;
	*ret_known = keep(&counters->acceptances, key_of(&known->is.root), known);
	return 0;
}

/* ---- the DMP has it, or has it no more ---- */

static int accept_first(struct counters *counters, const struct count_event *event, int64_t root,
			struct err *err)
{
	const bool is_reconciled = strcmp(event->note, "confirmed_by_duplicate") == 0 ||
				   strcmp(event->note, "confirmed_by_presence") == 0;
	struct known_acceptance *known = arena_alloc(&counters->arena, sizeof(*known));
	struct count_acceptance *is = &known->is;

	*is = (struct count_acceptance){
		.root = root,
		.current = event->seq,
		.outcome = is_reconciled ? COUNT_ACCEPTED_RECONCILED : COUNT_ACCEPTED,
		.accepted_ms = event->at_ms,
		.attempts = event->attempt,
		.facts = event->facts,
	};
	if (counters->past.first_try(counters->past.arg, event->seq, event->number, event->at_ms,
				     &is->submitted_ms, err) < 0)
		return -1;
	/* one whose identity waited was not sent before it was qualified, or a person answered for it */
	is->facts.ins_qualified |= is->facts.patient.n > 0;
	count_facts_keep(&is->facts, &counters->arena);
	known->changed = true;
	keep(&counters->acceptances, key_of(&is->root), known);
	count(counters, &event->facts, is->outcome, event->at_ms, 1);
	return 0;
}

static int count_accepted(struct counters *counters, const struct count_event *event,
			  struct err *err)
{
	struct known_acceptance *known;
	int64_t root;

	if (root_of_event(counters, event, &root, err) < 0 ||
	    find_acceptance(counters, root, &known, err) < 0)
		return -1;
	if (known != NULL && known->is.current == event->seq)
		return 0; /* it said so before */
	if (known != NULL && known->is.deleted_ms != 0) {
		root = event->seq; /* what follows a deletion begins anew */
		known = NULL;
	}
	if (root != event->seq || event->follows != 0)
		keep_root(counters, event->seq, root);
	if (known == NULL)
		return accept_first(counters, event, root, err);
	known->is.current = event->seq;
	known->is.replaced++;
	known->changed = true;
	count(counters, &event->facts, COUNT_REPLACED_OK, event->at_ms, 1);
	return 0;
}

/* Net counts go down where the acceptance was counted, whatever the deletion itself says of site and type. */
static int count_deleted(struct counters *counters, const struct count_event *event,
			 struct err *err)
{
	struct known_acceptance *known = NULL;
	int64_t root;

	if (root_of_event(counters, event, &root, err) < 0 ||
	    (event->follows && find_acceptance(counters, root, &known, err) < 0))
		return -1;
	if (known == NULL || known->is.deleted_ms != 0 || known->is.current != event->follows) {
		count(counters, &event->facts, COUNT_DELETED_OTHER, event->at_ms, 1);
		return 0;
	}
	known->is.deleted_ms = event->at_ms;
	known->changed = true;
	count(counters, &known->is.facts, COUNT_DELETED_OK, event->at_ms, 1);
	return 0;
}

/* ---- what is to be fed ---- */

static void count_received(struct counters *counters, const struct count_facts *facts, int64_t n)
{
	count(counters, facts, COUNT_RECEIVED, facts->received_ms, n);
	if (facts->ins_qualified)
		count(counters, facts, COUNT_RECEIVED_QUALIFIED, facts->received_ms, n);
}

/* Whether the DMP has had the lineage, or another version of it was to be fed when this happened. */
static int is_fed_otherwise(struct counters *counters, const struct count_event *event,
			    int64_t root, bool *ret_is, struct err *err)
{
	const struct counters_past *past = &counters->past;
	struct known_acceptance *known;

	*ret_is = false;
	if (find_acceptance(counters, root, &known, err) < 0 ||
	    past->is_here(past->arg, root, event->seq, event->number, ret_is, err) < 0)
		return -1;
	*ret_is |= known != NULL;
	for (size_t i = 0; i < counters->roots.count && !*ret_is; i++) {
		const struct count_root *version = counters->roots.entries[i].thing;

		if (version->root == root && version->seq != root &&
		    past->is_here(past->arg, version->seq, event->seq, event->number, ret_is, err) <
			    0)
			return -1;
	}
	return 0;
}

/* A version comes (1) or goes (-1): that is its lineage's coming or going if no other is there. What is counted
 * is the first version, on its day.
 */
static int move_version(struct counters *counters, const struct count_event *event, int64_t root,
			int64_t n, struct err *err)
{
	const struct counters_past *past = &counters->past;
	struct count_facts facts = event->facts;
	bool is_otherwise;

	if (is_fed_otherwise(counters, event, root, &is_otherwise, err) < 0)
		return -1;
	if (is_otherwise)
		return 0;
	if (root != event->seq && past->facts(past->arg, root, &counters->arena, &facts, err) < 0)
		return -1;
	count_received(counters, &facts, n);
	return 0;
}

static void tell_stay(struct counters *counters, const struct count_facts *told)
{
	struct count_facts facts = *told;

	if (facts.stay.n == 0)
		return;
	if (counters->stay_count == counters->stay_room) {
		counters->stay_room = max(counters->stay_room * 2, (size_t)64);
		counters->stays =
			xrealloc(counters->stays, counters->stay_room * sizeof(*counters->stays));
	}
	count_facts_keep(&facts, &counters->arena);
	counters->stays[counters->stay_count++] = (struct count_stay){
		facts.stay, facts.lane, facts.site, facts.unit, facts.field, facts.stay_end_ms,
	};
}

static int take_in(struct counters *counters, const struct count_event *event, struct err *err)
{
	const bool is_out =
		strcmp(event->state, "cancelled") == 0 || strcmp(event->state, "suppressed") == 0;
	int64_t root;

	tell_stay(counters, &event->facts);
	if (root_of_event(counters, event, &root, err) < 0)
		return -1;
	if (root != event->seq)
		keep_root(counters, event->seq, root);
	if (is_out)
		return 0;
	if (root != event->seq)
		return move_version(counters, event, root, 1, err);
	count_received(counters, &event->facts, 1);
	return 0;
}

/* It was withdrawn before it was sent, or is to be fed after all. */
static int change_mind(struct counters *counters, const struct count_event *event, int64_t n,
		       struct err *err)
{
	int64_t root;

	return find_root(counters, event->seq, &root, err) < 0
		       ? -1
		       : move_version(counters, event, root, n, err);
}

static bool is_withdrawn(const struct count_event *event)
{
	return strcmp(event->what, "cancelled") == 0 || strcmp(event->what, "withdrawn") == 0;
}

/* ---- outcomes ---- */

/* What the DMP refuses is the gateway's dmp_error; its codes say more. */
static enum count_outcome outcome_of_code(const char *code)
{
	static const struct {
		const char *code;
		enum count_outcome outcome;
	} codes[] = {
		{ "InvalidDocumentContent", COUNT_REJECTED_FORMAT },
		{ "XDSMissingDocument", COUNT_REJECTED_FORMAT },
		{ "XDSMissingDocumentMetadata", COUNT_REJECTED_METADATA },
		{ "XDSRegistryMetadataError", COUNT_REJECTED_METADATA },
		{ "XDSRepositoryMetadataError", COUNT_REJECTED_METADATA },
		{ "XDSPatientIdDoesNotMatch", COUNT_REJECTED_METADATA },
		{ "XDSPatientIDReconciliationError", COUNT_REJECTED_METADATA },
		{ "XDSDuplicateUniqueIdInRegistry", COUNT_REJECTED_DUPLICATE_FOREIGN },
		{ "XDSNonIdenticalHash", COUNT_REJECTED_DUPLICATE_FOREIGN },
		{ "XDSNonIdenticalSize", COUNT_REJECTED_DUPLICATE_FOREIGN },
	};

	for (size_t i = 0; i < length_of(codes); i++)
		if (strcmp(code, codes[i].code) == 0)
			return codes[i].outcome;
	return COUNT_REJECTED_OTHER;
}

/* A reason that is not here is none that counts: its turn, its source's or an operator's will. */
static enum count_outcome outcome_of_reason(const struct count_event *event)
{
	static const enum count_outcome outcomes[REASON_COUNT] = {
		[REASON_INS_NOT_QUALIFIED] = COUNT_BLOCKED_INS_NOT_QUALIFIED,
		[REASON_INS_NOT_IN_DOCUMENT] = COUNT_BLOCKED_INS_NOT_QUALIFIED,
		[REASON_INS_CHANGED] = COUNT_BLOCKED_INS_CHANGED,
		[REASON_POLICY_HOLD] = COUNT_HELD_POLICY,
		[REASON_RESTRICTED] = COUNT_HELD_POLICY,
		[REASON_SENSITIVE_STAY] = COUNT_HELD_POLICY,
		[REASON_FEEDING_NOT_ASKED] = COUNT_HELD_POLICY,
		[REASON_MANUAL_HOLD] = COUNT_HELD_MANUAL,
		[REASON_RETRYING] = COUNT_FAILED_TRANSIENT,
		[REASON_DOUBTFUL] = COUNT_UNKNOWN,
		[REASON_LANE_STOPPED] = COUNT_REJECTED_AUTH,
		[REASON_PATIENT_OPPOSED] = COUNT_REFUSED_PATIENT_OPPOSED,
		[REASON_DMP_ABSENT] = COUNT_REFUSED_DMP_ABSENT,
		[REASON_DMP_CLOSED] = COUNT_REFUSED_DMP_CLOSED,
		[REASON_INS_MISSING] = COUNT_REJECTED_METADATA,
		[REASON_INS_INVALID] = COUNT_REJECTED_METADATA,
		[REASON_INS_MISMATCH] = COUNT_REJECTED_METADATA,
		[REASON_TYPE_NOT_ACCEPTED] = COUNT_REJECTED_METADATA,
		[REASON_HEADER_INCOMPLETE] = COUNT_REJECTED_METADATA,
		[REASON_METADATA_INVALID] = COUNT_REJECTED_METADATA,
		[REASON_DATA_TYPE] = COUNT_REJECTED_METADATA,
		[REASON_IDENTIFIER_HAS_EXTENSION] = COUNT_REJECTED_METADATA,
		[REASON_IDENTIFIER_INVALID] = COUNT_REJECTED_METADATA,
		[REASON_FINESS_MISMATCH] = COUNT_REJECTED_METADATA,
		[REASON_MASKS_CONFLICT] = COUNT_REJECTED_METADATA,
		[REASON_PREDECESSOR_UNKNOWN] = COUNT_REJECTED_METADATA,
		[REASON_DOCUMENT_INVALID] = COUNT_REJECTED_FORMAT,
		[REASON_SIDECAR_INVALID] = COUNT_REJECTED_FORMAT,
		[REASON_COMPANION_MISSING] = COUNT_REJECTED_FORMAT,
		[REASON_BODY_INVALID] = COUNT_REJECTED_FORMAT,
		[REASON_BODY_NOT_ACCEPTED] = COUNT_REJECTED_FORMAT,
		[REASON_PDF_NOT_PDFA] = COUNT_REJECTED_FORMAT,
		[REASON_TOO_LARGE] = COUNT_REJECTED_FORMAT,
		[REASON_ACTION_NOT_SUPPORTED] = COUNT_REJECTED_OTHER,
		[REASON_DUPLICATE_FOREIGN] = COUNT_REJECTED_DUPLICATE_FOREIGN,
		[REASON_TOO_OLD] = COUNT_EXPIRED,
		[REASON_UNCHANGED] = COUNT_SUPPRESSED_UNCHANGED,
	};

	if (event->reason == REASON_DMP_ERROR)
		return outcome_of_code(event->code);
	return event->reason < REASON_COUNT ? outcomes[event->reason] : COUNT_NONE;
}

/* The others either change nothing (a body is purged, a source is told) or lead to one of these. What is let go
 * may turn out to change nothing; what is sent again after it was delivered does.
 */
static enum count_outcome outcome_of(const struct count_event *event)
{
	static const char *const told[] = { "received", "taken_up", "settled",         "recovered",
					    "held",     "opposed",  "identity_changed" };

	if (strcmp(event->what, "received_again") == 0)
		return strcmp(event->state, "delivered") == 0 ? COUNT_SUPPRESSED_UNCHANGED
							      : COUNT_NONE;
	if (strcmp(event->what, "released") == 0)
		return strcmp(event->state, "suppressed") == 0 ? outcome_of_reason(event)
							       : COUNT_NONE;
	for (size_t i = 0; i < length_of(told); i++)
		if (strcmp(event->what, told[i]) == 0)
			return outcome_of_reason(event);
	return COUNT_NONE;
}

/* ---- a piece ---- */

struct counters *counters_new(const struct counters_past *past)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));

	counters->past = *past;
	return counters;
}

int counters_add(struct counters *counters, const struct count_event *event, struct err *err)
{
	const bool was_delivered =
		strcmp(event->what, "settled") == 0 && strcmp(event->state, "delivered") == 0;
	int rc = 0;

	counters->last = event->number;
	if (strcmp(event->facts.action, "delete") == 0)
		return was_delivered ? count_deleted(counters, event, err) : 0;
	if (was_delivered)
		return count_accepted(counters, event, err);
	if (strcmp(event->what, "received") == 0)
		rc = take_in(counters, event, err);
	else if (is_withdrawn(event))
		rc = change_mind(counters, event, -1, err);
	else if (event->was_out)
		rc = change_mind(counters, event, 1, err);
	count(counters, &event->facts, outcome_of(event), event->at_ms, 1);
	count_rejection(counters, event, outcome_of(event));
	return rc;
}

struct count_changes counters_changes(struct counters *counters)
{
	const struct seen *cells = &counters->cells, *acceptances = &counters->acceptances,
			  *roots = &counters->roots, *rejections = &counters->rejections;
	struct count_changes changes = { .last = counters->last,
					 .stays = counters->stays,
					 .stay_count = counters->stay_count,
					 .cell_count = cells->count,
					 .root_count = roots->count,
					 .rejection_count = rejections->count };

	counters->told_cells =
		xrealloc(counters->told_cells, (cells->count + 1) * sizeof(struct count_cell));
	counters->told_acceptances =
		xrealloc(counters->told_acceptances,
			 (acceptances->count + 1) * sizeof(struct count_acceptance));
	counters->told_roots =
		xrealloc(counters->told_roots, (roots->count + 1) * sizeof(struct count_root));
	counters->told_rejections =
		xrealloc(counters->told_rejections,
			 (rejections->count + 1) * sizeof(struct count_rejection));
	for (size_t i = 0; i < rejections->count; i++)
		counters->told_rejections[i] =
			*(struct count_rejection *)rejections->entries[i].thing;
	for (size_t i = 0; i < cells->count; i++)
		counters->told_cells[i] = *(struct count_cell *)cells->entries[i].thing;
	for (size_t i = 0; i < roots->count; i++)
		counters->told_roots[i] = *(struct count_root *)roots->entries[i].thing;
	for (size_t i = 0; i < acceptances->count; i++) {
		const struct known_acceptance *known = acceptances->entries[i].thing;

		if (known->changed)
			counters->told_acceptances[changes.acceptance_count++] = known->is;
	}
	changes.cells = counters->told_cells;
	changes.roots = counters->told_roots;
	changes.acceptances = counters->told_acceptances;
	changes.rejections = counters->told_rejections;
	return changes;
}

void counters_free(struct counters **counters)
{
	struct counters *c = *counters;

	if (c == NULL)
		return;
	forget(&c->cells);
	forget(&c->acceptances);
	forget(&c->roots);
	forget(&c->rejections);
	free(c->stays);
	free(c->told_cells);
	free(c->told_acceptances);
	free(c->told_roots);
	free(c->told_rejections);
	buf_done(&c->key);
	arena_done(&c->arena);
	free_ptr(counters);
}
