/* What counting wants to know of a document. Pure. */
#include "inbound/facts.h"

#include "base/clock.h"

enum { MOST_UNIT = 64 }; /* as configured ones; a longer text is no unit */

/* 0: there is none, or it cannot be read. What is only counted refuses nothing. */
static int64_t time_of(const char *hl7)
{
	struct err err = { 0 };
	int64_t time_ms;
	bool zoned;

	return hl7[0] != '\0' && clock_parse_hl7(slice_of(hl7), &time_ms, &zoned, &err) == 0
		       ? time_ms
		       : 0;
}

static const char *first_of(const char *one, const char *other)
{
	return one[0] != '\0' ? one : other;
}

void facts_tell_unit(struct store_facts *facts, const struct config_site *site, const char *unit)
{
	facts->unit = strlen(unit) <= MOST_UNIT ? unit : "";
	facts->field = config_field_of(site, facts->unit);
}

struct store_facts facts_of(const struct cda *cda, const struct metadata *metadata,
			    const struct transmission *message, const struct config_site *site)
{
	const bool is_validated = message == NULL || message->identity_validated;
	struct store_facts facts = {
		.stay = first_of(message ? message->visit_number : "", cda->encounter.extension),
		.stay_end_ms = time_of(message ? message->visit_end : ""),
		.created_ms = metadata->creation_ms,
		.ins_qualified = is_validated && metadata->patient_ins[0] != '\0',
	};

	if (facts.stay_end_ms == 0)
		facts.stay_end_ms = time_of(cda->encounter_stop);
	facts_tell_unit(&facts, site, message ? message->unit : "");
	return facts;
}
