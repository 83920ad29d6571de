/* The words of counting. */
#include "base/count.h"

static const char *const outcomes[COUNT_OUTCOMES] = {
	[COUNT_NONE] = "",
	[COUNT_RECEIVED] = "RECEIVED",
	[COUNT_RECEIVED_QUALIFIED] = "RECEIVED_QUALIFIED",
	[COUNT_ACCEPTED] = "ACCEPTED",
	[COUNT_ACCEPTED_RECONCILED] = "ACCEPTED_RECONCILED",
	[COUNT_REPLACED_OK] = "REPLACED_OK",
	[COUNT_DELETED_OK] = "DELETED_OK",
	[COUNT_DELETED_OTHER] = "DELETED_OTHER",
	[COUNT_UNKNOWN] = "UNKNOWN",
	[COUNT_SUPPRESSED_UNCHANGED] = "SUPPRESSED_UNCHANGED",
	[COUNT_HELD_MANUAL] = "HELD_MANUAL",
	[COUNT_HELD_POLICY] = "HELD_POLICY",
	[COUNT_BLOCKED_INS_NOT_QUALIFIED] = "BLOCKED_INS_NOT_QUALIFIED",
	[COUNT_BLOCKED_INS_CHANGED] = "BLOCKED_INS_CHANGED",
	[COUNT_REFUSED_DMP_ABSENT] = "REFUSED_DMP_ABSENT",
	[COUNT_REFUSED_DMP_CLOSED] = "REFUSED_DMP_CLOSED",
	[COUNT_REFUSED_PATIENT_OPPOSED] = "REFUSED_PATIENT_OPPOSED",
	[COUNT_REJECTED_FORMAT] = "REJECTED_FORMAT",
	[COUNT_REJECTED_METADATA] = "REJECTED_METADATA",
	[COUNT_REJECTED_AUTH] = "REJECTED_AUTH",
	[COUNT_REJECTED_DUPLICATE_FOREIGN] = "REJECTED_DUPLICATE_FOREIGN",
	[COUNT_REJECTED_OTHER] = "REJECTED_OTHER",
	[COUNT_FAILED_TRANSIENT] = "FAILED_TRANSIENT",
	[COUNT_EXPIRED] = "EXPIRED",
};

const char *count_outcome_text(enum count_outcome outcome)
{
	return outcome < COUNT_OUTCOMES ? outcomes[outcome] : "";
}

bool count_is_rejection(enum count_outcome outcome)
{
	return outcome == COUNT_BLOCKED_INS_NOT_QUALIFIED || outcome == COUNT_EXPIRED ||
	       (outcome >= COUNT_REFUSED_DMP_ABSENT && outcome <= COUNT_REJECTED_OTHER);
}

bool count_outcome_parse(struct slice text, enum count_outcome *ret_outcome)
{
	for (enum count_outcome outcome = COUNT_NONE + 1; outcome < COUNT_OUTCOMES; outcome++) {
		if (slice_is(text, outcomes[outcome])) {
			*ret_outcome = outcome;
			return true;
		}
	}
	return false;
}

const char *const *count_fields(void)
{
	static const char *const fields[] = {
		"MCO", "SMR", "PSY", "HAD", "DIALYSE", "EHPAD", NULL
	};

	return fields;
}

bool count_field_is_known(struct slice text)
{
	for (const char *const *field = count_fields(); *field != NULL; field++)
		if (slice_is(text, *field))
			return true;
	return false;
}

void count_facts_keep(struct count_facts *facts, struct arena *arena)
{
	const char **const texts[] = { &facts->action,   &facts->lane, &facts->site,
				       &facts->field,    &facts->unit, &facts->source,
				       &facts->type_code };
	struct slice *const keys[] = { &facts->stay, &facts->patient };

	for (size_t i = 0; i < length_of(texts); i++)
		*texts[i] = arena_dup(arena, slice_of(*texts[i]));
	for (size_t i = 0; i < length_of(keys); i++)
		if (keys[i]->n > 0)
			keys[i]->p = arena_dup(arena, *keys[i]);
}
