/* A message of the ANS profile "Transmission de documents CDA en HL7 v2". What the profile says is
 * in tables here: kinds of message, editions, segments, fields, codes, flags. Pure. Owned by one
 * thread at a time.
 */
#include "hl7/transmission.h"

#include "base/clock.h"

enum { PATIENT_IDS_MOST = 100 };

/* What we do with a message, by MSH-9; the first row that fits decides. */
static const struct kind {
	const char *type, *event;   /* MSH-9.1, MSH-9.2; NULL: any other */
	enum reason refused;        /* REASON_NONE: we take it */
	const char *version;        /* MSH-12 */
	const char *order, *status; /* ORC-1 and OBX-11, which must say what the event says */
} kinds[] = {
	{ "MDM", "T02", .version = "2.6", .order = "NW", .status = "F" },
	{ "MDM", "T10", .refused = REASON_ACTION_NOT_SUPPORTED },
	{ "MDM", "T04", .refused = REASON_ACTION_NOT_SUPPORTED },
	{ "MDM", NULL, .refused = REASON_EVENT },
	{ "ORU", "R01", .refused = REASON_ACTION_NOT_SUPPORTED },
	{ "ORU", NULL, .refused = REASON_EVENT },
	{ "ADT", NULL, .refused = REASON_EVENT },
};

/* MSH-21. The minor number is not carried: 2.1 stands for 2.1.1, 2.1.2 and so on. */
static const struct edition {
	const char *version, *profile;
	bool has_order;    /* MDM has ORC and OBR */
	bool opaque_order; /* ORC-1 may be SC: only OBX-11 tells what is wanted */
} editions[] = {
	{ "2.1", "CISIS_CDA_HL7_V2", true, false },
	{ "2.0", "CISIS_CDA_HL7_V2", false, true },
};

/* The segments of MDM_T02, in order. Others may stand anywhere between them. */
static const struct {
	const char *name;
	bool repeats;
	bool of_order; /* where the edition has an order */
} structure[] = {
	{ "MSH", false, false }, { "EVN", false, false }, { "PID", false, false },
	{ "PV1", false, false }, { "ORC", false, true },  { "OBR", false, true },
	{ "TXA", false, false }, { "OBX", true, false },
};

/* What the profile requires and sending to the DMP, or answering, needs. */
static const struct {
	const char *segment;
	unsigned field;
	const char *what;
} required[] = {
	{ "MSH", 10, "the control id" },
	{ "MSH", 11, "the processing id" },
	{ "MSH", 12, "the version of HL7" },
	{ "PV1", 2, "the class of the visit" },
	{ "ORC", 1, "the order control" },
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

/* PID-32: table 0445 with its French additions. */
static const char *const identity_statuses[] = {
	"VALI", "PROV",  "VIDE", "DOUB", "DESA", "DPOT", "DOUA", "COLP", "COLV", "FILI", "CACH",
	"ANOM", "IDVER", "RECD", "IDRA", "USUR", "HOMD", "HOMA", "INVA", "FICT", "DOUT",
};

/* OBX-3.1 of what is not the document. FLAG_COUNT: of no use to the DMP. */
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
	struct arena *arena;
	const struct kind *kind;
	const struct edition *edition;
	struct transmission transmission;
	struct slice type; /* TXA-2.1 */
	bool flag_seen[FLAG_COUNT];
	unsigned documents;
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

	reading->kind = kind_of(type, event);
	if (type.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "MSH-9",
				  "the type of the message is empty");
	if (reading->kind == NULL)
		return err_refuse(err, REASON_MESSAGE_TYPE, "MSH-9",
				  "this type of message does not come to a gateway");
	if (slice_is(profile, "CISIS_CDA_HL7_LPS"))
		return err_refuse(err, REASON_VERSION, "MSH-21",
				  "the profile CISIS_CDA_HL7_LPS goes from a gateway to software, "
				  "never to a gateway");
	if (reading->kind->refused != REASON_NONE)
		return err_refuse(err, reading->kind->refused, "MSH-9", "%s",
				  reason_row(reading->kind->refused)->english);
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
		if (edition_is(&editions[i], version, profile))
			reading->edition = &editions[i];
	if (version.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "MSH-21", "the profile is empty");
	if (reading->edition == NULL)
		return err_refuse(
			err, REASON_VERSION, "MSH-21",
			"the profile is neither 2.1^CISIS_CDA_HL7_V2 nor its edition 2.0");
	reading->transmission.profile = text_of(reading, version);
	return 0;
}

static int check_required(const struct reading *reading, struct err *err)
{
	const struct hl7_message *message = reading->message;
	char where[ERR_WHERE];

	for (size_t i = 0; i < length_of(required); i++) {
		const char *segment = required[i].segment;
		unsigned field = required[i].field;
		size_t index = 0;

		if (hl7_find(message, segment, &index).p != NULL &&
		    code_at(message, segment, field, 1).n == 0)
			return err_refuse(err, REASON_FIELD_MISSING,
					  hl7_where(segment, field, 0, where), "%s is empty",
					  required[i].what);
	}
	return 0;
}

static int check_version(const struct reading *reading, struct err *err)
{
	if (slice_is(code_at(reading->message, "MSH", 12, 1), reading->kind->version))
		return 0;
	return err_refuse(err, REASON_VERSION, "MSH-12", "the version of HL7 is not %s",
			  reading->kind->version);
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

static size_t place_of(struct slice segment)
{
	size_t place = 0;

	while (place < length_of(structure) && !hl7_is(segment, structure[place].name))
		place++;
	return place;
}

static int check_structure(const struct reading *reading, struct err *err)
{
	const struct hl7_message *message = reading->message;
	bool seen[length_of(structure)] = { false };
	size_t last = 0, place;

	for (size_t i = 0; i < message->segment_count; i++) {
		place = place_of(message->segments[i]);
		if (place == length_of(structure))
			continue;
		if (seen[place] && !structure[place].repeats)
			return err_refuse(err, REASON_CARDINALITY, structure[place].name,
					  "there is more than one %s", structure[place].name);
		if (place < last)
			return err_refuse(err, REASON_SEQUENCE, structure[place].name,
					  "%s comes after %s", structure[place].name,
					  structure[last].name);
		seen[place] = true;
		last = place;
	}
	for (place = 0; place < length_of(structure); place++)
		if (!seen[place] && (!structure[place].of_order || reading->edition->has_order))
			return err_refuse(err, REASON_SEQUENCE, structure[place].name,
					  "the segment %s is missing", structure[place].name);
	return 0;
}

static void read_values(struct reading *reading)
{
	struct transmission *transmission = &reading->transmission;
	const struct hl7_message *message = reading->message;

	transmission->control_id = text_of(reading, hl7_field(message, message->segments[0], 10));
	transmission->application = text_of(reading, code_at(message, "MSH", 3, 1));
	transmission->facility = text_of(reading, code_at(message, "MSH", 4, 1));
	transmission->visit_class = text_of(reading, code_at(message, "PV1", 2, 1));
	transmission->visit_number = text_of(reading, code_at(message, "PV1", 19, 1));
	transmission->sex = text_of(reading, code_at(message, "PID", 8, 1));
	reading->type = code_at(message, "TXA", 2, 1);
	transmission->type_code = text_of(reading, reading->type);
}

static struct transmission_id read_id(const struct reading *reading, struct slice repetition)
{
	const struct hl7_message *message = reading->message;
	struct slice authority = hl7_component(message, repetition, 4);

	return (struct transmission_id){
		.number = text_of(reading, hl7_component(message, repetition, 1)),
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

static bool is_identity_status(struct slice status)
{
	for (size_t i = 0; i < length_of(identity_statuses); i++)
		if (slice_is(status, identity_statuses[i]))
			return true;
	return false;
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
		else if (status.n > 0 && !is_identity_status(status))
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

static int read_patient(struct reading *reading, struct err *err)
{
	size_t index = 0;
	struct slice pid = hl7_find(reading->message, "PID", &index);

	if (read_ids(reading, pid, err) < 0 || read_identity_status(reading, pid, err) < 0 ||
	    read_birth_date(reading, pid, err) < 0)
		return -1;
	return 0;
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
		.person_id = text_of(reading, hl7_component(message, person, 1)),
		.person_family = text_of(reading, hl7_component(message, person, 2)),
		.person_given = text_of(reading, hl7_component(message, person, 3)),
		.person_id_type = text_of(reading, hl7_component(message, person, 13)),
		.structure_name = text_of(reading, hl7_component(message, organisation, 1)),
		.structure_id = text_of(reading, hl7_component(message, organisation, 10)),
		.device = text_of(reading, hl7_component(message, fields[10], 1)),
	};
}

static int check_order(const struct reading *reading, struct err *err)
{
	struct slice order = code_at(reading->message, "ORC", 1, 1);

	if (slice_is(order, reading->kind->order) ||
	    (order.n == 0 && !reading->edition->has_order) ||
	    (slice_is(order, "SC") && reading->edition->opaque_order))
		return 0;
	return err_refuse(err, REASON_MESSAGE_INVALID, "ORC-1",
			  "the order control is not %s, as the event %s wants",
			  reading->kind->order, reading->kind->event);
}

static int read_flag(struct reading *reading, enum transmission_flag flag, const char *code,
		     const struct slice *obx, struct err *err)
{
	struct slice value = component_of(reading->message, obx[5], 1);
	bool yes = slice_is(value, "Y");

	if (flag == FLAG_COUNT)
		return 0;
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
	const struct hl7_message *message = reading->message;
	struct slice document = component_of(message, obx[5], 5);
	struct slice status = component_of(message, obx[11], 1);

	if (!slice_is_nocase(component_of(message, obx[2], 1), "ED"))
		return err_refuse(err, REASON_DATA_TYPE, "OBX-2",
				  "the type of the document's value is not ED");
	if (check_carriage(reading, obx[5], err) < 0)
		return -1;
	if (document.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "OBX-5.5", "the document is empty");
	if (status.n == 0)
		return err_refuse(err, REASON_FIELD_MISSING, "OBX-11",
				  "the status of the document is empty");
	if (!slice_is(status, reading->kind->status))
		return err_refuse(err, REASON_MESSAGE_INVALID, "OBX-11",
				  "the status of the document is not %s, as the event %s wants",
				  reading->kind->status, reading->kind->event);
	reading->transmission.document = document;
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
	       slice_equal(component_of(message, obx[3], 1), reading->type);
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
	if (++reading->documents > 1)
		return err_refuse(err, REASON_CARDINALITY, "OBX",
				  "there is more than one document: MDM carries exactly one");
	return read_document(reading, obx, err);
}

static int read_observations(struct reading *reading, struct err *err)
{
	for (size_t i = 0; i < reading->message->segment_count; i++)
		if (hl7_is(reading->message->segments[i], "OBX") &&
		    read_observation(reading, reading->message->segments[i], err) < 0)
			return -1;
	if (reading->documents == 0)
		return err_refuse(err, REASON_CARDINALITY, "OBX",
				  "no OBX of type ED carries a document");
	return 0;
}

int transmission_read(struct transmission *transmission, const struct hl7_message *message,
		      struct arena *arena, struct err *err)
{
	struct reading reading = { .message = message, .arena = arena };

	reading.transmission.flags[FLAG_DESTDMP] = true;
	if (check_delimiters(message, err) < 0 || read_kind(&reading, err) < 0 ||
	    read_edition(&reading, err) < 0 || check_structure(&reading, err) < 0 ||
	    check_required(&reading, err) < 0 || check_version(&reading, err) < 0 ||
	    check_codes(&reading, err) < 0)
		return -1;
	read_values(&reading);
	if (read_patient(&reading, err) < 0 || check_order(&reading, err) < 0 ||
	    read_observations(&reading, err) < 0)
		return -1;
	read_sender(&reading);
	*transmission = reading.transmission;
	return 0;
}
