/* An ADT, as far as it matters to a gateway (IHE PAM, French extension 2.11). Pure. */
#include "hl7/identity.h"

#include "base/clock.h"

/* The events whose messages have a ZFA. */
static const char *const events[] = { "A01", "A04", "A05", "A14", "A28", "A31", "Z99" };

static const struct {
	const char *code;
	enum identity_feeding feeding;
} feedings[] = {
	{ "INO", FEEDING_NOT_OPPOSED },
	{ "IO", FEEDING_OPPOSED },
	{ "NA", FEEDING_NOT_ASKED },
};

static const struct {
	const char *code;
	enum identity_dmp dmp;
} dmps[] = {
	{ "ACTIF", DMP_OPEN },
	{ "FERME", DMP_CLOSED },
	{ "INEXISTANT", DMP_ABSENT },
};

/* A component as codes are compared. */
static struct slice code_of(const struct hl7_message *message, struct slice value, unsigned number)
{
	return hl7_trim(message, hl7_component(message, value, number));
}

static int64_t time_of(const struct hl7_message *message, struct slice field)
{
	int64_t time_ms = 0;
	struct err ignored;
	bool zoned;

	if (clock_parse_hl7(code_of(message, field, 1), &time_ms, &zoned, &ignored) < 0)
		return 0;
	return time_ms;
}

static struct slice segment_of(const struct hl7_message *message, const char *name)
{
	size_t index = 0;

	return hl7_find(message, name, &index);
}

static bool has_choices(const char *event)
{
	for (size_t i = 0; i < length_of(events); i++)
		if (strcmp(event, events[i]) == 0)
			return true;
	return false;
}

/* By the domain, not by the type in CX-5: NH looks alike and is the number for billing. A null ("")
 * takes an INS away.
 */
static void read_ins(struct identity *identity, const struct hl7_message *message, struct slice pid,
		     bool (*is_ins)(const char *oid), struct arena *arena)
{
	struct slice rest = hl7_field(message, pid, 3), repetition;

	while (hl7_next_repetition(message, &rest, &repetition)) {
		struct slice authority = hl7_component(message, repetition, 4);
		const char *oid = hl7_text(
			message, hl7_trim(message, hl7_subcomponent(message, authority, 2)), arena);
		const char *number = hl7_text(message, code_of(message, repetition, 1), arena);

		if (number[0] == '\0' || !is_ins(oid))
			continue;
		identity->ins = number;
		identity->ins_oid = oid;
		return;
	}
}

static void read_status(struct identity *identity, const struct hl7_message *message,
			struct slice pid)
{
	struct slice rest = hl7_field(message, pid, 32), status;

	while (hl7_next_repetition(message, &rest, &status))
		identity->validated |= slice_is(code_of(message, status, 1), "VALI");
}

static void read_choices(struct identity *identity, const struct hl7_message *message)
{
	struct slice zfa[11];

	hl7_fields(message, segment_of(message, "ZFA"), zfa, length_of(zfa));
	for (size_t i = 0; i < length_of(dmps); i++)
		if (slice_is(code_of(message, zfa[1], 1), dmps[i].code))
			identity->dmp = dmps[i].dmp;
	for (size_t i = 0; i < length_of(feedings); i++)
		if (slice_is(code_of(message, zfa[9], 1), feedings[i].code))
			identity->feeding = feedings[i].feeding;
	identity->dmp_ms = time_of(message, zfa[2]);
	identity->closed_ms = time_of(message, zfa[3]);
	identity->feeding_ms = time_of(message, zfa[10]);
	if (identity->feeding_ms == 0)
		identity->feeding_ms = identity->message_ms;
}

void identity_read(struct identity *identity, const struct hl7_message *message,
		   bool (*is_ins)(const char *oid), struct arena *arena)
{
	struct slice msh = message->segments[0], pid = segment_of(message, "PID");

	*identity = (struct identity){ .ins = "", .ins_oid = "" };
	identity->event = hl7_text(message, code_of(message, hl7_field(message, msh, 9), 2), arena);
	identity->message_ms = time_of(message, hl7_field(message, msh, 7));
	read_ins(identity, message, pid, is_ins, arena);
	read_status(identity, message, pid);
	if (has_choices(identity->event))
		read_choices(identity, message);
}
