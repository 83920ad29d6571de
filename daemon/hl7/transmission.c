/* A message of the ANS profile "Transmission de documents CDA en HL7 v2". What the profile says is
 * in tables here: kinds of message, editions, segments, fields, codes, flags. Pure. Owned by one
 * thread at a time.
 */
#include "hl7/transmission.h"

#include "base/clock.h"
#include "base/identity_status.h"

/* The authority of the national identifiers of professionals: PRT-5.9.2. */
#define PERSON_AUTHORITY "1.2.250.1.71.4.2.1"

enum { PATIENT_IDS_MOST = 100 };

/* What is wanted, in the three places that say it. They must agree, or the message is refused. */
static const struct {
	const char *event;  /* MSH-9.2 of an MDM */
	const char *order;  /* ORC-1 */
	const char *status; /* OBX-11 of a document */
	const char *word;
} actions[] = {
	[TRANSMISSION_SUBMIT] = { "T02", "NW", "F", "add" },
	[TRANSMISSION_REPLACE] = { "T10", "RO", "C", "replace" },
	[TRANSMISSION_DELETE] = { "T04", "CA", "D", "delete" },
};

/* The segments of a structure, in order. Others may stand anywhere between them. */
struct place {
	const char *name;
	bool repeats;
	bool of_order; /* where the edition has an order */
	bool opens;    /* a group that repeats: what follows may come once more after it */
};

static const struct place mdm_t02[] = {
	{ .name = "MSH" },
	{ .name = "EVN" },
	{ .name = "PID" },
	{ .name = "PV1" },
	{ .name = "ORC", .of_order = true },
	{ .name = "OBR", .of_order = true },
	{ .name = "TXA" },
	{ .name = "OBX", .repeats = true },
};

static const struct place oru_r01[] = {
	{ .name = "MSH" }, { .name = "PID" },
	{ .name = "PV1" }, { .name = "ORC", .opens = true },
	{ .name = "OBR" }, { .name = "OBX", .repeats = true },
};

enum { PLACES_MOST = 8 };

static const struct structure {
	const struct place *places;
	size_t count;
	const char *version; /* MSH-12 */
	unsigned most_documents;
	bool has_trigger; /* MSH-9.2 says what is wanted */
} mdm = { mdm_t02, length_of(mdm_t02), "2.6", 1, true },
  oru = { oru_r01, length_of(oru_r01), "2.5", TRANSMISSION_DOCUMENTS_MOST, false };

/* What we do with a message, by MSH-9; the first row that fits decides. */
static const struct kind {
	const char *type, *event;          /* MSH-9.1, MSH-9.2; NULL: any other */
	enum reason refused;               /* REASON_NONE: we take it */
	const struct structure *structure; /* NULL: nothing of it is read here but who and which */
} kinds[] = {
	{ "MDM", "T02", .structure = &mdm },      { "MDM", "T10", .structure = &mdm },
	{ "MDM", "T04", .structure = &mdm },      { "MDM", NULL, .refused = REASON_EVENT },
	{ "ORU", "R01", .structure = &oru },      { "ORU", NULL, .refused = REASON_EVENT },
	{ "ADT", "", .refused = REASON_EVENT },   { .type = "ADT" },
	{ "ZAM", NULL, .refused = REASON_EVENT }, /* goes from a gateway to software */
};

/* MSH-21. The minor number is not carried: 2.1 stands for 2.1.1, 2.1.2 and so on. */
static const struct edition {
	const char *version, *profile;
	bool has_order;    /* MDM has ORC and OBR */
	bool opaque_order; /* ORC-1 may be SC: only OBX-11 tells what is wanted */
	bool opaque_ids;   /* TXA-12 and TXA-13 are the sender's own numbers */
	bool on_demand;    /* only where the settings want it */
	bool has_flags;    /* each of the ten is required */
} editions[] = {
	{ "2.1", "CISIS_CDA_HL7_V2", .has_order = true, .has_flags = true },
	{ "2.0", "CISIS_CDA_HL7_V2", .opaque_order = true },
	{ "1.2", "CISIS_CDA_HL7_V1", .opaque_order = true, .opaque_ids = true, .on_demand = true },
};

/* What the profile requires and sending to the DMP, or answering, needs. */
static const struct {
	const char *segment;
	unsigned field;
	const char *what;
} required[] = {
	{ "MSH", 11, "the processing id" },
	{ "MSH", 12, "the version of HL7" },
	{ "PV1", 2, "the class of the visit" },
	{ "TXA", 2, "the type of the document" },
	{ "TXA", 12, "the identifier of the document" },
};

static const struct {
	const char *segment;
	unsigned field;
	const char *codes; /* one letter each */
	enum reason reason;
} coded[] = {
	{ "MSH", 11, "PTD", REASON_PROCESSING_ID },
	{ "PV1", 2, "EIORN", REASON_TABLE_VALUE },
};

/* OBX-3.1 of each flag; the name of edition 2.1 stands first, and is told. FLAG_COUNT: of no use to the DMP. */
static const struct {
	const char *code;
	enum transmission_flag flag;
} flags[] = {
	{ "MASQUE_PS", FLAG_MASQUE_PS },
	{ "INVISIBLE_PATIENT", FLAG_INVISIBLE_PATIENT },
	{ "INVISIBLE_REP_LEGAUX", FLAG_INVISIBLE_REP_LEGAUX },
	{ "INVISIBLE_REPRENSANTS_LEGAUX", FLAG_INVISIBLE_REP_LEGAUX },   /* 1.0, 1.1: misspelt */
	{ "INVISIBLE_REPRESENTANTS_LEGAUX", FLAG_INVISIBLE_REP_LEGAUX }, /* 1.2 */
	{ "CONNEXION_SECRETE", FLAG_CONNEXION_SECRETE },
	{ "MODIF_CONF_CODE", FLAG_MODIF_CONF_CODE },
	{ "MODIF_CONFIDENTIALITYCODE", FLAG_MODIF_CONF_CODE }, /* 1.2 */
	{ "DESTDMP", FLAG_DESTDMP },
	{ "DESTMSSANTEPS", FLAG_DESTMSSANTEPS },
	{ "DESTMSSANTEPAT", FLAG_DESTMSSANTEPAT },
	{ "ACK_RECEPTION", FLAG_ACK_RECEPTION },
	{ "ACK_LECTURE_MSS", FLAG_ACK_LECTURE_MSS },
	{ "ACK_LECTURE", FLAG_ACK_LECTURE_MSS }, /* some official examples */
	{ "CORPSMAIL_PS", FLAG_COUNT },
	{ "CORPSMAIL_PATIENT", FLAG_COUNT },
	{ "COMP_LOT", FLAG_COUNT }, /* 1.2 only */
};

/* OBX-5 of the document, without regard to case: the profile itself writes both. */
static const struct {
	unsigned component;
	const char *value;
} carriage[] = { { 2, "TEXT" }, { 3, "XML" }, { 4, "Base64" } };

struct reading {
	const struct hl7_message *message;
	const struct transmission_settings *settings;
	struct arena *arena;
	const struct structure *structure;
	const struct edition *edition;
	struct transmission transmission;
	const char *said_by; /* which place said first what is wanted; NULL: none yet */
	struct slice type;   /* code of the document to come: TXA-2.1, OBR-4.1 */
	bool flag_seen[FLAG_COUNT];
};

static const struct transmission nothing_read = {
	.event = "",
	.control_id = "",
	.application = "",
	.facility = "",
	.profile = "",
	.birth_date = "",
	.sex = "",
	.visit_class = "",
	.visit_number = "",
	.visit_end = "",
	.unit = "",
	.type_code = "",
	.replaces = "",
	.sender = { .person_id = "",
		    .person_family = "",
		    .person_given = "",
		    .person_id_type = "",
		    .structure_name = "",
		    .structure_id = "",
		    .device = "" },
	.flags[FLAG_DESTDMP] = true,
};

/* A component as codes are compared: without blanks at its ends, HL7's null being empty. */
static struct slice component_of(const struct hl7_message *message, struct slice value,
				 unsigned number)
{
	value = hl7_trim(message, hl7_component(message, value, number));
	return slice_is(value, "\"\"") ? slice_of("") : value;
}

/* The same, of the first repetition of a field of the first segment of that name. */
static struct slice code_at(const struct hl7_message *message, const char *segment, unsigned field,
			    unsigned component)
{
	size_t index = 0;
	struct slice found = hl7_find(message, segment, &index);

	found = hl7_repetition(message, hl7_field(message, found, field), 0);
	return component_of(message, found, component);
}

static const char *text_of(const struct reading *reading, struct slice value)
{
	return hl7_text(reading->message, hl7_trim(reading->message, value), reading->arena);
}

/* The profile fixes them; U+02DC in place of '~' comes from its own examples. */
static int check_delimiters(const struct hl7_message *message, struct err *err)
{
	struct slice declared = hl7_field(message, message->segments[0], 2);

	if (message->field.bytes[0] == '|' &&
	    (slice_starts(declared, "^~\\&") || slice_starts(declared, "^\xcb\x9c\\&")))
		return 0;
	return err_refuse(err, REASON_DATA_TYPE, "MSH-2", "the delimiters are not |^~\\&");
}

/* "2.1^CISIS_CDA_HL7_V2". Software that writes MSH one field short has it in MSH-20. */
static struct slice profile_field(const struct hl7_message *message)
{
	unsigned number = code_at(message, "MSH", 21, 1).n > 0 ? 21 : 20;

	return hl7_repetition(message, hl7_field(message, message->segments[0], number), 0);
}

static const struct kind *kind_of(struct slice type, struct slice event)
{
	for (size_t i = 0; i < length_of(kinds); i++)
		if (slice_is(type, kinds[i].type) &&
		    (kinds[i].event == NULL || slice_is(event, kinds[i].event)))
			return &kinds[i];
	return NULL;
}

static int read_kind(struct reading *reading, struct err *err)
{
	const struct hl7_message *message = reading->message;
	struct slice type = code_at(message, "MSH", 9, 1), event = code_at(message, "MSH", 9, 2);
	struct slice profile = component_of(message, profile_field(message), 2);
	const struct kind *kind = kind_of(type, event);

	if (type.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "MSH-9",
				  "the type of the message is empty");
	if (kind == NULL)
		return err_refuse(err, REASON_MESSAGE_TYPE, "MSH-9",
				  "this type of message does not come to a gateway");
	if (slice_is(profile, "CISIS_CDA_HL7_LPS"))
		return err_refuse(err, REASON_VERSION, "MSH-21",
				  "the profile CISIS_CDA_HL7_LPS goes from a gateway to software, "
				  "never to a gateway");
	if (kind->refused != REASON_NONE)
		return err_refuse(err, kind->refused, "MSH-9", "%s",
				  reason_row(kind->refused)->english);
	reading->structure = kind->structure;
	reading->transmission.is_identity = kind->structure == NULL;
	reading->transmission.event = text_of(reading, event);
	return 0;
}

static bool edition_is(const struct edition *edition, struct slice version, struct slice profile)
{
	size_t n = strlen(edition->version);

	return slice_is(profile, edition->profile) && slice_starts(version, edition->version) &&
	       (version.n == n || version.p[n] == '.');
}

static int read_edition(struct reading *reading, struct err *err)
{
	struct slice field = profile_field(reading->message);
	struct slice version = component_of(reading->message, field, 1);
	struct slice profile = component_of(reading->message, field, 2);

	for (size_t i = 0; i < length_of(editions); i++)
		if (edition_is(&editions[i], version, profile) &&
		    (!editions[i].on_demand || reading->settings->profile_1_2))
			reading->edition = &editions[i];
	if (version.n == 0)
		return err_refuse(
			err, REASON_FIELD_MISSING, "MSH-21",
			"the profile is empty: the sender names it, as in 2.1^CISIS_CDA_HL7_V2");
	if (reading->edition == NULL)
		return err_refuse(
			err, REASON_VERSION, "MSH-21",
			"the profile is none of the editions 2.1 and 2.0 of CISIS_CDA_HL7_V2, nor "
			"1.2 where the settings take it");
	reading->transmission.profile = text_of(reading, version);
	return 0;
}

/* The place of a segment in the structure; its count of places for any other segment. */
static size_t place_of(const struct structure *structure, struct slice segment)
{
	size_t place = 0;

	while (place < structure->count && !hl7_is(segment, structure->places[place].name))
		place++;
	return place;
}

static int check_required(const struct reading *reading, struct err *err)
{
	const struct hl7_message *message = reading->message;
	const struct structure *structure = reading->structure;
	char where[ERR_WHERE];

	for (size_t i = 0; i < length_of(required); i++) {
		const char *segment = required[i].segment;
		unsigned field = required[i].field;
		size_t index = 0;

		if (place_of(structure, slice_of(segment)) < structure->count &&
		    hl7_find(message, segment, &index).p != NULL &&
		    code_at(message, segment, field, 1).n == 0)
			return err_refuse(err, REASON_FIELD_MISSING,
					  hl7_where(segment, field, 0, where), "%s is empty",
					  required[i].what);
	}
	return 0;
}

static int check_version(const struct reading *reading, struct err *err)
{
	if (slice_is(code_at(reading->message, "MSH", 12, 1), reading->structure->version))
		return 0;
	return err_refuse(err, REASON_VERSION, "MSH-12", "the version of HL7 is not %s",
			  reading->structure->version);
}

static int check_codes(const struct reading *reading, struct err *err)
{
	char where[ERR_WHERE];

	for (size_t i = 0; i < length_of(coded); i++) {
		struct slice code = code_at(reading->message, coded[i].segment, coded[i].field, 1);

		if (code.n != 1 ||
		    memchr(coded[i].codes, code.p[0], strlen(coded[i].codes)) == NULL)
			return err_refuse(err, coded[i].reason,
					  hl7_where(coded[i].segment, coded[i].field, 0, where),
					  "the code is none of %s", coded[i].codes);
	}
	return 0;
}

static int check_complete(const struct reading *reading, const bool *seen, struct err *err)
{
	const struct structure *structure = reading->structure;

	for (size_t i = 0; i < structure->count; i++)
		if (!seen[i] && (!structure->places[i].of_order || reading->edition->has_order))
			return err_refuse(err, REASON_SEQUENCE, structure->places[i].name,
					  "the segment %s is missing", structure->places[i].name);
	return 0;
}

static int check_structure(const struct reading *reading, struct err *err)
{
	const struct hl7_message *message = reading->message;
	const struct structure *structure = reading->structure;
	const struct place *places = structure->places;
	bool seen[PLACES_MOST] = { false };
	size_t last = 0, place;

	for (size_t i = 0; i < message->segment_count; i++) {
		place = place_of(structure, message->segments[i]);
		if (place == structure->count)
			continue;
		if (places[place].opens && seen[place]) { /* the group once more */
			if (check_complete(reading, seen, err) < 0)
				return -1;
			memset(seen + place, 0, sizeof(seen) - place * sizeof(seen[0]));
			last = place;
		}
		if (seen[place] && !places[place].repeats)
			return err_refuse(err, REASON_CARDINALITY, places[place].name,
					  "there is more than one %s", places[place].name);
		if (place < last)
			return err_refuse(err, REASON_SEQUENCE, places[place].name,
					  "%s comes after %s", places[place].name,
					  places[last].name);
		seen[place] = true;
		last = place;
	}
	return check_complete(reading, seen, err);
}

/* Who sends, and which message it is. */
static int read_header(struct reading *reading, struct err *err)
{
	struct transmission *transmission = &reading->transmission;
	const struct hl7_message *message = reading->message;

	if (code_at(message, "MSH", 10, 1).n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "MSH-10", "the control id is empty");
	transmission->control_id = text_of(reading, hl7_field(message, message->segments[0], 10));
	transmission->application = text_of(reading, code_at(message, "MSH", 3, 1));
	transmission->facility = text_of(reading, code_at(message, "MSH", 4, 1));
	return 0;
}

/* An EI as XDS writes an id: root, or root^extension. It is the OID alone, or extension^^root^ISO;
 * older software puts a name into its second component.
 */
static const char *entity_of(const struct reading *reading, struct slice field)
{
	const struct hl7_message *message = reading->message;
	const char *first = text_of(reading, component_of(message, field, 1));
	const char *root = text_of(reading, component_of(message, field, 3));

	if (root[0] == '\0')
		return first;
	return first[0] ? arena_printf(reading->arena, "%s^%s", root, first) : root;
}

static void read_values(struct reading *reading)
{
	struct transmission *transmission = &reading->transmission;
	const struct hl7_message *message = reading->message;
	size_t index = 0;
	struct slice txa = hl7_find(message, "TXA", &index);

	transmission->visit_class = text_of(reading, code_at(message, "PV1", 2, 1));
	transmission->visit_number = text_of(reading, code_at(message, "PV1", 19, 1));
	transmission->visit_end = text_of(reading, code_at(message, "PV1", 45, 1));
	transmission->unit = text_of(reading, code_at(message, "PV1", 3, 1));
	stay_read(&transmission->stay, message, reading->arena);
	transmission->sex = text_of(reading, code_at(message, "PID", 8, 1));
	if (!reading->structure->has_trigger) {
		transmission->type_code = text_of(reading, code_at(message, "OBR", 4, 1));
		return;
	}
	reading->type = code_at(message, "TXA", 2, 1);
	transmission->type_code = text_of(reading, reading->type);
	if (!reading->edition->opaque_ids)
		transmission->replaces =
			entity_of(reading, hl7_repetition(message, hl7_field(message, txa, 13), 0));
}

static struct transmission_id read_id(const struct reading *reading, struct slice repetition)
{
	const struct hl7_message *message = reading->message;
	struct slice authority = hl7_component(message, repetition, 4);

	return (struct transmission_id){
		.number = text_of(reading, hl7_component(message, repetition, 1)),
		.name = text_of(reading, hl7_subcomponent(message, authority, 1)),
		.oid = text_of(reading, hl7_subcomponent(message, authority, 2)),
		.type = text_of(reading, hl7_component(message, repetition, 5)),
	};
}

static int read_ids(struct reading *reading, struct slice pid, struct err *err)
{
	struct transmission *transmission = &reading->transmission;
	struct slice rest = hl7_field(reading->message, pid, 3), repetition;
	unsigned count = hl7_repetitions(reading->message, rest);
	struct transmission_id *ids;

	if (count > PATIENT_IDS_MOST)
		return err_refuse(err, REASON_CARDINALITY, "PID-3", "more than %d identifiers",
				  PATIENT_IDS_MOST);
	ids = arena_alloc(reading->arena, count * sizeof(*ids));
	while (hl7_next_repetition(reading->message, &rest, &repetition))
		if (component_of(reading->message, repetition, 1).n > 0)
			ids[transmission->id_count++] = read_id(reading, repetition);
	transmission->ids = ids;
	if (transmission->id_count == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "PID-3",
				  "no identifier of the patient has a number");
	return 0;
}

/* A status we do not know beside VALI changes nothing; alone it would leave the document waiting
 * for ever.
 */
static int read_identity_status(struct reading *reading, struct slice pid, struct err *err)
{
	struct slice rest = hl7_field(reading->message, pid, 32), status;
	bool unknown = false;

	while (hl7_next_repetition(reading->message, &rest, &status)) {
		status = component_of(reading->message, status, 1);
		if (slice_is(status, "VALI"))
			reading->transmission.identity_validated = true;
		else if (status.n > 0 && !identity_status_is_known(status))
			unknown = true;
	}
	if (unknown && !reading->transmission.identity_validated)
		return err_refuse(err, REASON_TABLE_VALUE, "PID-32",
				  "the status of the identity is not in table 0445");
	return 0;
}

static int read_birth_date(struct reading *reading, struct slice pid, struct err *err)
{
	struct slice date = component_of(reading->message, hl7_field(reading->message, pid, 7), 1);
	struct err ignored;
	int64_t time_ms;
	bool zoned;
	size_t n = 0;

	if (date.n > 0 && clock_parse_hl7(date, &time_ms, &zoned, &ignored) < 0)
		return err_refuse(err, REASON_DATA_TYPE, "PID-7",
				  "the birth date is not of the form YYYYMMDD");
	while (n < min(date.n, (size_t)8) && date.p[n] >= '0' && date.p[n] <= '9')
		n++;
	reading->transmission.birth_date = text_of(reading, (struct slice){ date.p, n });
	return 0;
}

/* PID is as it was when the message was recorded. */
static int64_t time_at(const struct reading *reading, const char *segment, unsigned field)
{
	int64_t time_ms = 0;
	struct err ignored;
	bool zoned;

	return clock_parse_hl7(code_at(reading->message, segment, field, 1), &time_ms, &zoned,
			       &ignored) < 0
		       ? 0
		       : time_ms;
}

static int read_patient(struct reading *reading, struct err *err)
{
	size_t index = 0;
	struct slice pid = hl7_find(reading->message, "PID", &index);

	if (read_ids(reading, pid, err) < 0 || read_identity_status(reading, pid, err) < 0 ||
	    read_birth_date(reading, pid, err) < 0)
		return -1;
	reading->transmission.identity_ms = time_at(reading, "EVN", 2);
	if (reading->transmission.identity_ms == 0)
		reading->transmission.identity_ms = time_at(reading, "MSH", 7);
	return 0;
}

static bool is_foreign(const struct reading *reading, struct slice person)
{
	const struct hl7_message *message = reading->message;
	struct slice authority = hl7_component(message, person, 9);

	authority = component_of(message, hl7_subcomponent(message, authority, 2), 1);
	return authority.n > 0 && !slice_is(authority, PERSON_AUTHORITY) &&
	       !slice_is(component_of(message, person, 13), "EI");
}

/* PRT-4 is SB^text^table, or SB alone in older messages. It is the same for every document. */
static void read_sender(struct reading *reading)
{
	const struct hl7_message *message = reading->message;
	struct transmission_sender *sender = &reading->transmission.sender;
	struct slice prt, fields[11], person, organisation;
	bool *found = &reading->transmission.has_sender;

	for (size_t index = 0; !*found; index++) {
		prt = hl7_find(message, "PRT", &index);
		hl7_fields(message, prt, fields, length_of(fields));
		*found = slice_is(component_of(message, fields[4], 1), "SB");
		if (prt.p == NULL) /* no sender: its texts are empty, like the fields */
			break;
	}
	person = hl7_repetition(message, fields[5], 0);
	organisation = hl7_repetition(message, fields[8], 0);
	*sender = (struct transmission_sender){
		.person_id = text_of(reading, component_of(message, person, 1)),
		.person_family = text_of(reading, component_of(message, person, 2)),
		.person_given = text_of(reading, component_of(message, person, 3)),
		.person_id_type = text_of(reading, component_of(message, person, 13)),
		.person_is_system = slice_is(component_of(message, person, 10), "U"),
		.person_is_foreign = is_foreign(reading, person),
		.structure_name = text_of(reading, component_of(message, organisation, 1)),
		.structure_id = text_of(reading, component_of(message, organisation, 10)),
		.device = text_of(reading, component_of(message, fields[10], 1)),
	};
}

/* One more place says what is wanted. */
static int agree(struct reading *reading, enum transmission_action said, const char *where,
		 struct err *err)
{
	struct transmission *transmission = &reading->transmission;

	if (reading->said_by != NULL && transmission->action != said)
		return err_refuse(err, REASON_MESSAGE_INVALID, where,
				  "%s asks to %s a document, %s to %s one", where,
				  actions[said].word, reading->said_by,
				  actions[transmission->action].word);
	transmission->action = said;
	if (reading->said_by == NULL)
		reading->said_by = where;
	return 0;
}

static int read_trigger(struct reading *reading, struct err *err)
{
	for (size_t i = 0; i < length_of(actions); i++)
		if (reading->structure->has_trigger &&
		    strcmp(reading->transmission.event, actions[i].event) == 0)
			return agree(reading, (enum transmission_action)i, "MSH-9", err);
	return 0;
}

static int read_order(struct reading *reading, struct slice orc, struct err *err)
{
	const struct hl7_message *message = reading->message;
	struct slice order = component_of(message, hl7_field(message, orc, 1), 1);

	if (order.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "ORC-1", "the order control is empty");
	if (slice_is(order, "SC") && reading->edition->opaque_order)
		return 0;
	for (size_t i = 0; i < length_of(actions); i++)
		if (slice_is(order, actions[i].order))
			return agree(reading, (enum transmission_action)i, "ORC-1", err);
	return err_refuse(err, REASON_MESSAGE_INVALID, "ORC-1",
			  "the order control is none of NW, RO and CA");
}

static int read_orders(struct reading *reading, struct err *err)
{
	for (size_t i = 0; i < reading->message->segment_count; i++)
		if (hl7_is(reading->message->segments[i], "ORC") &&
		    read_order(reading, reading->message->segments[i], err) < 0)
			return -1;
	return 0;
}

static int read_status(struct reading *reading, struct slice status, struct err *err)
{
	if (status.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "OBX-11",
				  "the status of the document is empty");
	for (size_t i = 0; i < length_of(actions); i++)
		if (slice_is(status, actions[i].status))
			return agree(reading, (enum transmission_action)i, "OBX-11", err);
	return err_refuse(err, REASON_MESSAGE_INVALID, "OBX-11",
			  "the status of the document is none of F, C and D");
}

static int read_flag(struct reading *reading, enum transmission_flag flag, const char *code,
		     const struct slice *obx, struct err *err)
{
	struct slice value = component_of(reading->message, obx[5], 1);
	bool yes = slice_is(value, "Y");

	if (flag == FLAG_COUNT)
		return 0;
	if (value.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "OBX-5", "%s is empty", code);
	if (!yes && !slice_is(value, "N"))
		return err_refuse(err, REASON_TABLE_VALUE, "OBX-5", "%s is neither Y nor N", code);
	if (reading->flag_seen[flag] && reading->transmission.flags[flag] != yes)
		return err_refuse(err, REASON_MESSAGE_INVALID, "OBX-5", "%s is both Y and N", code);
	reading->flag_seen[flag] = true;
	reading->transmission.flags[flag] = yes;
	return 0;
}

static int check_carriage(const struct reading *reading, struct slice value, struct err *err)
{
	char where[ERR_WHERE];

	for (size_t i = 0; i < length_of(carriage); i++) {
		unsigned number = carriage[i].component;
		struct slice said = component_of(reading->message, value, number);

		if (!slice_is_nocase(said, carriage[i].value))
			return err_refuse(err, REASON_DATA_TYPE, hl7_where("OBX", 5, number, where),
					  "the document is not carried as ^TEXT^XML^Base64^");
	}
	return 0;
}

static int read_document(struct reading *reading, const struct slice *obx, struct err *err)
{
	struct transmission *transmission = &reading->transmission;
	const struct hl7_message *message = reading->message;
	struct slice document = component_of(message, obx[5], 5);
	struct slice status = component_of(message, obx[11], 1);

	if (transmission->document_count == reading->structure->most_documents)
		return err_refuse(err, REASON_CARDINALITY, "OBX",
				  "there are more documents than this message may carry: %u",
				  reading->structure->most_documents);
	if (component_of(message, obx[2], 1).n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "OBX-2",
				  "the type of the document's value is empty");
	if (!slice_is_nocase(component_of(message, obx[2], 1), "ED"))
		return err_refuse(err, REASON_DATA_TYPE, "OBX-2",
				  "the type of the document's value is not ED");
	if (obx[5].n == 0 || slice_is(obx[5], "\"\""))
		return err_refuse(err, REASON_FIELD_MISSING, "OBX-5", "the document is empty");
	if (check_carriage(reading, obx[5], err) < 0)
		return -1;
	if (document.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "OBX-5.5", "the document is empty");
	if (read_status(reading, status, err) < 0)
		return -1;
	transmission->documents[transmission->document_count++] = (struct transmission_document){
		.type_code = text_of(reading, component_of(message, obx[3], 1)),
		.status = text_of(reading, status),
		.base64 = document,
	};
	return 0;
}

/* The document is the OBX of type ED, or the one that bears its code with a wrong type. What else
 * an OBX may be is no matter for the DMP.
 */
static bool is_document(const struct reading *reading, const struct slice *obx)
{
	const struct hl7_message *message = reading->message;

	if (slice_is_nocase(component_of(message, obx[3], 3), "MetaDMPMSS"))
		return false; /* a flag that an edition to come may add */
	return slice_is_nocase(component_of(message, obx[2], 1), "ED") ||
	       (reading->type.n > 0 &&
		slice_equal(component_of(message, obx[3], 1), reading->type));
}

static int read_observation(struct reading *reading, struct slice segment, struct err *err)
{
	const struct hl7_message *message = reading->message;
	struct slice obx[12], code;

	hl7_fields(message, segment, obx, length_of(obx));
	code = component_of(message, obx[3], 1);
	for (size_t i = 0; i < length_of(flags); i++)
		if (slice_is(code, flags[i].code))
			return read_flag(reading, flags[i].flag, flags[i].code, obx, err);
	if (!is_document(reading, obx))
		return 0;
	return read_document(reading, obx, err);
}

static int read_observations(struct reading *reading, struct err *err)
{
	const struct hl7_message *message = reading->message;

	for (size_t i = 0; i < message->segment_count; i++) {
		struct slice segment = message->segments[i];

		if (hl7_is(segment, "OBR") && !reading->structure->has_trigger)
			reading->type = component_of(message, hl7_field(message, segment, 4), 1);
		if (hl7_is(segment, "OBX") && read_observation(reading, segment, err) < 0)
			return -1;
	}
	if (reading->transmission.document_count == 0)
		return err_refuse(err, REASON_CARDINALITY, "OBX",
				  "no OBX of type ED carries a document");
	return 0;
}

/* What says from whom the document is hidden must not be taken for a no because it is missing. What is about mail
 * and acknowledgements is no reason to keep it from the DMP.
 */
static int check_flags(struct reading *reading, struct err *err)
{
	for (size_t i = 0; reading->edition->has_flags && i < length_of(flags); i++) {
		const enum transmission_flag flag = flags[i].flag;

		if (flag == FLAG_COUNT || reading->flag_seen[flag])
			continue;
		if (flag <= FLAG_DESTDMP)
			return err_refuse(err, REASON_FIELD_MISSING, "OBX",
					  "the flag %s is missing: edition 2.1 requires its Y or N",
					  flags[i].code);
		reading->transmission.lacks_flag = true;
	}
	return 0;
}

static int read_documents(struct reading *reading, struct err *err)
{
	if (read_edition(reading, err) < 0 || check_structure(reading, err) < 0 ||
	    check_required(reading, err) < 0 || check_version(reading, err) < 0 ||
	    check_codes(reading, err) < 0)
		return -1;
	read_values(reading);
	if (read_patient(reading, err) < 0 || read_trigger(reading, err) < 0 ||
	    read_orders(reading, err) < 0 || read_observations(reading, err) < 0 ||
	    check_flags(reading, err) < 0)
		return -1;
	read_sender(reading);
	return 0;
}

int transmission_read(struct transmission *transmission, const struct hl7_message *message,
		      const struct transmission_settings *settings, struct arena *arena,
		      struct err *err)
{
	struct reading reading = {
		.message = message,
		.settings = settings,
		.arena = arena,
		.transmission = nothing_read,
	};

	if (check_delimiters(message, err) < 0 || read_kind(&reading, err) < 0 ||
	    read_header(&reading, err) < 0)
		return -1;
	if (!reading.transmission.is_identity && read_documents(&reading, err) < 0)
		return -1;
	*transmission = reading.transmission;
	return 0;
}
