/* An ADT, as far as it matters to a gateway (IHE PAM, French extension 2.10 and 2.11). Pure. */
#include "hl7/identity.h"

/* What each event says of the identity. Those of a stay carry PID as it stands when they are sent. */
static const struct {
	const char *event;
	enum identity_event kind;
} kinds[] = {
	{ "A01", IDENTITY_UPDATE }, { "A02", IDENTITY_UPDATE }, { "A03", IDENTITY_UPDATE },
	{ "A04", IDENTITY_UPDATE }, { "A05", IDENTITY_UPDATE }, { "A06", IDENTITY_UPDATE },
	{ "A07", IDENTITY_UPDATE }, { "A08", IDENTITY_UPDATE }, { "A11", IDENTITY_UPDATE },
	{ "A12", IDENTITY_UPDATE }, { "A13", IDENTITY_UPDATE }, { "A14", IDENTITY_UPDATE },
	{ "A21", IDENTITY_UPDATE }, { "A22", IDENTITY_UPDATE }, { "A28", IDENTITY_UPDATE },
	{ "A31", IDENTITY_UPDATE }, { "A38", IDENTITY_UPDATE }, { "A40", IDENTITY_MERGE },
	{ "A44", IDENTITY_UPDATE }, { "A47", IDENTITY_CHANGE }, { "A52", IDENTITY_UPDATE },
	{ "A53", IDENTITY_UPDATE }, { "A54", IDENTITY_UPDATE }, { "A55", IDENTITY_UPDATE },
	{ "Z99", IDENTITY_UPDATE },
};

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

static enum identity_event kind_of(const char *event)
{
	for (size_t i = 0; i < length_of(kinds); i++)
		if (strcmp(event, kinds[i].event) == 0)
			return kinds[i].kind;
	return IDENTITY_IGNORED;
}

/* ---- numbers ---- */

static const char *text_of(const struct hl7_message *message, struct slice value,
			   struct arena *arena)
{
	return hl7_text(message, hl7_trim(message, value), arena);
}

static struct identity_number number_of(const struct hl7_message *message, struct slice repetition,
					struct arena *arena)
{
	const struct slice authority = hl7_component(message, repetition, 4);

	return (struct identity_number){
		.number = text_of(message, hl7_component(message, repetition, 1), arena),
		.name = text_of(message, hl7_subcomponent(message, authority, 1), arena),
		.oid = text_of(message, hl7_subcomponent(message, authority, 2), arena),
	};
}

/* A patient is known by PI. Other types of number are of a card, an insurance, a stay (NH looks like an
 * INS and is the number for billing).
 */
static bool is_local(const struct hl7_message *message, struct slice repetition,
		     const struct identity_number *number)
{
	const struct slice type = hl7_code(message, repetition, 5);

	return number->number[0] != '\0' && (number->name[0] != '\0' || number->oid[0] != '\0') &&
	       (type.n == 0 || slice_is(type, "PI"));
}

/* An INS by its domain, not by the type in CX-5, unless that is NH: the number for billing. A null ("") takes it
 * away.
 */
static void read_numbers(struct identity_numbers *numbers, const struct hl7_message *message,
			 struct slice field, bool (*is_ins)(const char *oid), struct arena *arena)
{
	struct slice repetition;

	*numbers = (struct identity_numbers){ .ins = { "", "", "" } };
	while (hl7_next_repetition(message, &field, &repetition)) {
		const struct identity_number number = number_of(message, repetition, arena);

		if (is_ins(number.oid) && !slice_is(hl7_code(message, repetition, 5), "NH")) {
			if (numbers->ins.number[0] == '\0' && number.number[0] != '\0')
				numbers->ins = number;
			numbers->ins_is_null |= slice_is(hl7_code(message, repetition, 1), "\"\"");
		} else if (is_local(message, repetition, &number) &&
			   numbers->local_count < length_of(numbers->local)) {
			numbers->local[numbers->local_count++] = number;
		}
	}
}

/* ---- status and traits ---- */

static void read_status(struct identity *identity, const struct hl7_message *message,
			struct slice field)
{
	struct slice status;

	while (hl7_next_repetition(message, &field, &status)) {
		status = hl7_code(message, status, 1);
		identity->has_status |= status.n > 0 && !slice_is(status, "\"\"");
		identity->validated |= slice_is(status, "VALI");
	}
}

/* The first repetition of the field whose component `number` is `type`; else nothing. */
static struct slice repetition_of_type(const struct hl7_message *message, struct slice field,
				       unsigned number, const char *type)
{
	struct slice repetition;

	while (hl7_next_repetition(message, &field, &repetition))
		if (slice_is(hl7_code(message, repetition, number), type))
			return repetition;
	return (struct slice){ 0 };
}

static const char *birth_date_of(const struct hl7_message *message, struct slice field,
				 struct arena *arena)
{
	const struct slice date = hl7_code(message, field, 1);
	size_t n = 0;

	while (n < min(date.n, (size_t)8) && date.p[n] >= '0' && date.p[n] <= '9')
		n++;
	return n == 8 ? arena_dup(arena, (struct slice){ date.p, n }) : "";
}

/* PID-5 repeats: the name at birth is of type L, one in use of type D. PID-11 likewise: the place of birth
 * is of type BDL, with its INSEE code as county.
 */
static void read_traits(struct identity_traits *traits, const struct hl7_message *message,
			const struct slice *pid, struct arena *arena)
{
	const struct slice name = repetition_of_type(message, pid[5], 7, "L");
	const struct slice birth = repetition_of_type(message, pid[11], 7, "BDL");

	*traits = (struct identity_traits){
		.family = text_of(message,
				  hl7_subcomponent(message, hl7_component(message, name, 1), 1),
				  arena),
		.given = text_of(message, hl7_component(message, name, 2), arena),
		.given_names = text_of(message, hl7_component(message, name, 3), arena),
		.sex = text_of(message, hl7_component(message, pid[8], 1), arena),
		.birth_date = birth_date_of(message, pid[7], arena),
		.birth_place = text_of(message, hl7_component(message, birth, 9), arena),
	};
}

/* ---- all of it ---- */

static void read_choices(struct identity *identity, const struct hl7_message *message)
{
	struct slice zfa[11];

	hl7_fields(message, segment_of(message, "ZFA"), zfa, length_of(zfa));
	for (size_t i = 0; i < length_of(dmps); i++)
		if (slice_is(hl7_code(message, zfa[1], 1), dmps[i].code))
			identity->dmp = dmps[i].dmp;
	for (size_t i = 0; i < length_of(feedings); i++)
		if (slice_is(hl7_code(message, zfa[9], 1), feedings[i].code))
			identity->feeding = feedings[i].feeding;
	identity->dmp_ms = hl7_time(message, zfa[2]);
	identity->closed_ms = hl7_time(message, zfa[3]);
	identity->feeding_ms = hl7_time(message, zfa[10]);
	if (identity->feeding_ms == 0)
		identity->feeding_ms = identity->message_ms;
}

void identity_read(struct identity *identity, const struct hl7_message *message,
		   bool (*is_ins)(const char *oid), struct arena *arena)
{
	struct slice msh = message->segments[0], pid[33];

	*identity = (struct identity){ 0 };
	identity->event =
		hl7_text(message, hl7_code(message, hl7_field(message, msh, 9), 2), arena);
	identity->kind = kind_of(identity->event);
	identity->message_ms = hl7_time(message, hl7_field(message, msh, 7));
	identity->recorded_ms =
		hl7_time(message, hl7_field(message, segment_of(message, "EVN"), 2));
	if (identity->recorded_ms == 0)
		identity->recorded_ms = identity->message_ms;
	hl7_fields(message, segment_of(message, "PID"), pid, length_of(pid));
	read_numbers(&identity->now, message, pid[3], is_ins, arena);
	read_numbers(&identity->then, message, hl7_field(message, segment_of(message, "MRG"), 1),
		     is_ins, arena);
	identity->ins = identity->now.ins.number;
	identity->ins_oid = identity->ins[0] != '\0' ? identity->now.ins.oid : "";
	read_status(identity, message, pid[32]);
	read_traits(&identity->traits, message, pid, arena);
	if (has_choices(identity->event))
		read_choices(identity, message);
}
