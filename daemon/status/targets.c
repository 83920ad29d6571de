/* All files of targets together, and what each indicator is by definition. Pure. */
#include "status/targets.h"

#include <stdio.h>

#include "status/targets_yaml.h"

const char *target_source_text(enum target_source source)
{
	static const char *const texts[] = {
		[SOURCE_DIM_IMPORT] = "dim_import",
		[SOURCE_ADT] = "adt",
		[SOURCE_PRODUCED] = "produced",
		[SOURCE_MANUAL] = "manual",
	};

	return texts[source];
}

enum projection_unit target_unit(enum target_aggregate aggregate)
{
	static const enum projection_unit units[] = {
		[AGGREGATE_DOCUMENTS] = UNIT_DOCUMENT, [AGGREGATE_STAYS] = UNIT_STAY,
		[AGGREGATE_PATIENTS] = UNIT_PATIENT,   [AGGREGATE_MESSAGES] = UNIT_MESSAGE,
		[AGGREGATE_WEEKS] = UNIT_WEEK,
	};

	return units[aggregate];
}

const struct target_indicator *targets_indicator(const struct target_programme *programme,
						 const char *id)
{
	for (size_t i = 0; i < programme->indicator_count; i++)
		if (strcmp(programme->indicators[i].id, id) == 0)
			return &programme->indicators[i];
	return NULL;
}

/* ---- definitions ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In one order, whatever that of the file: the same figure has the same definition. */
static void add_texts(const struct target_texts *texts, struct buf *out)
{
	const char **sorted = xcalloc(max(texts->count, (size_t)1), sizeof(*sorted));

	for (size_t i = 0; i < texts->count; i++)
		sorted[i] = texts->list[i];
	qsort(sorted, texts->count, sizeof(*sorted), by_text);
	for (size_t i = 0; i < texts->count; i++)
		buf_addf(out, "%s%s", i > 0 ? "+" : "", sorted[i]);
	free(sorted);
}

static void add_named(const char *name, const struct target_texts *texts, struct buf *out)
{
	if (texts->count == 0)
		return;
	buf_addf(out, " %s=", name);
	add_texts(texts, out);
}

static void add_numerator(const struct target_numerator *numerator, struct buf *out)
{
	buf_addf(out, " %s channel=", targets_aggregate_text(numerator->aggregate));
	targets_add_channels(numerator, out);
	buf_add_text(out, " types=");
	if (numerator->any_type)
		buf_add_char(out, '*');
	else if (numerator->types.count == 0)
		buf_add_text(out, "none");
	add_texts(&numerator->types, out);
	buf_add_text(out, " outcomes=");
	targets_add_outcomes(numerator, out);
	if (numerator->ins_qualified)
		buf_add_text(out, " ins_qualified");
	if (numerator->most_delay_hours > 0)
		buf_addf(out, " max_delay_hours_after_stay_end=%llu",
			 (unsigned long long)numerator->most_delay_hours);
	buf_addf(out, " date_basis=%s", targets_basis_text(numerator->basis));
	if (numerator->net_of_deletions)
		buf_add_text(out, " net_of_deletions");
	if (numerator->share_across_transfers)
		buf_add_text(out, " share_across_transfers");
	if (numerator->late_grace_days > 0)
		buf_addf(out, " late_grace_days=%llu",
			 (unsigned long long)numerator->late_grace_days);
}

static void add_denominator(const struct target_indicator *indicator, struct buf *out)
{
	static const char *const units[] = { "document", "stay", "patient", "message", "week" };
	const struct target_denominator *denominator = indicator->denominator;

	if (indicator->has_same) {
		buf_add_text(out, "; denominator:");
		add_numerator(&indicator->same, out);
	}
	if (denominator == NULL)
		return;
	buf_addf(out, "; denominator: %s source=%s unit=%s", denominator->id,
		 target_source_text(denominator->source), units[denominator->unit]);
	if (denominator->date_basis[0] != '\0')
		buf_addf(out, " date_basis=%s", denominator->date_basis);
	add_named("exclude", &denominator->exclude, out);
}

static void add_reference(const struct target_threshold *threshold, struct buf *out)
{
	char start[CALENDAR_TEXT], end[CALENDAR_TEXT];

	if (threshold->kind == KIND_DELTA)
		buf_addf(out, " since %s..%s", calendar_day_text(threshold->reference_start, start),
			 calendar_day_text(threshold->reference_end, end));
}

static void add_threshold(const struct target_threshold *threshold, struct buf *out)
{
	buf_addf(out, "; threshold: %s", targets_kind_text(threshold->kind));
	if (threshold->kind == KIND_DELTA || threshold->kind == KIND_TIERS)
		buf_addf(out, " of %s", targets_kind_text(threshold->of));
	if (threshold->indicators.count > 0) {
		buf_add_char(out, ' ');
		add_texts(&threshold->indicators, out);
	}
	for (size_t i = 0; i < threshold->tier_count; i++)
		buf_addf(out, " %s%g", threshold->at_most ? "<=" : ">=", threshold->tiers[i].value);
	if (threshold->tier_count == 0 && threshold->has_value)
		buf_addf(out, " %s %g", threshold->at_most ? "<=" : ">=", threshold->value);
	else if (threshold->tier_count == 0 && threshold->indicators.count == 0)
		buf_add_text(out, " null");
	if (threshold->per_month)
		buf_add_text(out, " per month");
	add_reference(threshold, out);
	buf_addf(out, " status=%s", target_status_text(threshold->status));
}

void targets_define(struct targets *targets, const struct target_programme *programme,
		    struct target_indicator *indicator)
{
	scoped(buf_done) struct buf text = { 0 };
	uint8_t digest[SHA256_BYTES];

	buf_addf(&text, "%s/%s: level=%s", programme->id, indicator->id,
		 indicator->by_entity ? "finess_ej" : "finess_eg");
	add_named("champ", &indicator->fields, &text);
	add_named("finess_eg", &indicator->sites, &text);
	add_named("finess_ej", &indicator->lanes, &text);
	if (indicator->plateau[0] != '\0')
		buf_addf(&text, " own_plateau=%s", indicator->plateau);
	if (indicator->has_numerator) {
		buf_add_text(&text, "; numerator:");
		add_numerator(&indicator->numerator, &text);
	}
	add_denominator(indicator, &text);
	add_threshold(&indicator->threshold, &text);
	if (indicator->margin > 0)
		buf_addf(&text, " margin=%g", indicator->margin);
	indicator->definition = arena_dup(&targets->arena, buf_slice(&text));
	sha256(buf_slice(&text), digest);
	hex(digest, sizeof(digest), indicator->definition_hash);
}

/* ---- files ---- */

static void on_yaml_fault(void *arg, struct yaml_place place, const char *sentence)
{
	targets_complain(arg, place, "%s", sentence);
}

static int by_place(const void *a, const void *b)
{
	const struct targets_fault *x = a, *y = b;

	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->place.column != y->place.column)
		return x->place.column < y->place.column ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

/* What the sentences quote comes from the file: nothing of it may start a line of its own. */
static void add_sentence(const char *sentence, struct buf *errors)
{
	for (; *sentence; sentence++)
		buf_add_char(errors,
			     (unsigned char)*sentence < ' ' || *sentence == 0x7f ? '?' : *sentence);
	buf_add_char(errors, '\n');
}

static void tell_faults(struct targets_reader *reader, struct buf *errors)
{
	const size_t told = min(reader->fault_count, (size_t)TARGETS_FAULTS);

	qsort(reader->faults, told, sizeof(reader->faults[0]), by_place);
	for (size_t i = 0; i < told; i++) {
		const struct targets_fault *fault = &reader->faults[i];

		buf_addf(errors, "%s:%u:%u: ", reader->file, fault->place.line,
			 fault->place.column);
		add_sentence(fault->sentence, errors);
	}
	if (told < reader->fault_count)
		buf_addf(errors, "%s:1:1: %zu more errors are not shown: correct these first\n",
			 reader->file, reader->fault_count - told);
}

static int read_file(struct targets *targets, const struct target_file *file, struct buf *errors)
{
	struct targets_reader *reader = xcalloc(1, sizeof(*reader));
	const struct yaml_tree *root;
	bool is_good;

	reader->targets = targets;
	reader->file = file->name;
	reader->workdays = workdays_preset();
	root = yaml_tree_read(file->bytes, &reader->scratch, on_yaml_fault, reader);
	if (root != NULL)
		targets_read_file(reader, root);
	is_good = reader->fault_count == 0;
	tell_faults(reader, errors);
	arena_done(&reader->scratch);
	free(reader);
	return is_good ? 0 : -1;
}

static void add_digest(struct digest *digest, const struct target_file *file)
{
	char head[64];
	int n = snprintf(head, sizeof(head), "%zu %zu\n", strlen(file->name), file->bytes.n);

	digest_add(digest, (struct slice){ head, (size_t)n });
	digest_add(digest, slice_of(file->name));
	digest_add(digest, file->bytes);
}

int targets_parse(struct targets **ret_targets, const struct target_file *files, size_t count,
		  struct buf *errors)
{
	scoped(targets_free) struct targets *targets = xcalloc(1, sizeof(*targets));
	struct digest *digest = digest_new(DIGEST_SHA256);
	bool is_good = true;

	for (size_t i = 0; i < count; i++) {
		is_good = read_file(targets, &files[i], errors) == 0 && is_good;
		add_digest(digest, &files[i]);
	}
	digest_end(&digest, targets->digest);
	if (!is_good)
		return -1;
	*ret_targets = take(targets);
	return 0;
}

void targets_free(struct targets **targets)
{
	if (*targets == NULL)
		return;
	arena_done(&(*targets)->arena);
	free_ptr(targets);
}
