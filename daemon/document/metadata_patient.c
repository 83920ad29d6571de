/* Whose a document is: the INS, the traits that go with it, the number that its establishment knows the patient
 * by. Any thread, one document at a time.
 */
#include "document/metadata_filling.h"

#include <stdio.h>

#include "base/clock.h"
#include "document/oid.h"

/* Below it, every national identifier of a person: INS, withdrawn INS-C, NIR for billing. */
#define NATIONAL_PATIENT_DOMAINS "1.2.250.1.213.1.4."

enum { DATE_DIGITS = 8 };

static bool is_taken_domain(const struct metadata_context *context, const char *oid)
{
	struct slice rest = slice_of(context->ins_oids ? context->ins_oids : ""), one;

	if (!ins_domain_allowed(oid, context->environment))
		return false;
	if (rest.n == 0)
		return true;
	while (slice_next(&rest, ' ', &one))
		if (slice_is(one, oid))
			return true;
	return false;
}

/* The first id of an INS domain that has a number. -1: others have another number, so that nobody knows whose
 * document it is.
 */
static int find_ins(struct filling *filling, const char *where, const struct cda_id **ret_ins)
{
	const struct cda *cda = filling->cda;
	const struct cda_id *ins = NULL;

	for (size_t i = 0; i < cda->patient_id_count; i++) {
		const struct cda_id *id = &cda->patient_ids[i];

		if (!ins_is_domain(id->root) || is_empty(id->extension))
			continue;
		if (ins != NULL && !is(id->extension, ins->extension))
			return err_refuse(filling->err, REASON_INS_MISMATCH, where,
					  "the document carries two INS that differ");
		ins = ins ? ins : id;
	}
	*ret_ins = ins;
	return 0;
}

static int fill_ins(struct filling *filling)
{
	static const char where[] = "recordTarget/patientRole/id";
	const struct cda_id *ins = NULL;

	if (find_ins(filling, where, &ins) < 0)
		return -1;
	filling->metadata->patient_ins = filling->metadata->patient_ins_oid = "";
	if (ins == NULL && filling->context->may_lack_ins)
		return 0;
	if (ins == NULL)
		return err_refuse(filling->err, REASON_INS_MISSING, where,
				  "the document carries no INS");
	if (ins_check(ins->extension, filling->err) < 0) {
		snprintf(filling->err->where, sizeof(filling->err->where), "%s", where);
		return -1;
	}
	if (!is_taken_domain(filling->context, ins->root))
		return err_refuse(
			filling->err, REASON_INS_INVALID, where,
			"an INS of the domain %s is not sent from the environment %s%s", ins->root,
			environment_text(filling->context->environment),
			is_empty(filling->context->ins_oids) ? "" : " as patient.ins_oids has it");
	filling->metadata->from.patient_ins = FROM_DOCUMENT;
	filling->metadata->patient_ins = ins->extension;
	filling->metadata->patient_ins_oid = ins->root;
	return 0;
}

/* What goes with an INS, all of it: less is no qualified identity, whatever the message says of it. The
 * DMP is told a part.
 */
static int check_traits(struct filling *filling)
{
	const struct cda *cda = filling->cda;
	const struct {
		const char *where, *what, *value;
	} traits[] = {
		{ "patient/name/family", "family name", cda->birth_family },
		{ "patient/birthTime", "birth date", cda->birth_time },
		{ "patient/name/given", "first given name", cda->birth_given },
		{ "patient/name/given", "list of given names (given without qualifier)",
		  cda->given_names },
		{ "patient/administrativeGenderCode", "sex", cda->sex },
		{ "patient/birthplace", "place of birth (INSEE code)", cda->birth_place },
	};
	enum { NEEDED_BY_THE_DMP = 2 };
	const bool is_few =
		filling->context->few_traits || is_empty(filling->metadata->patient_ins);
	const size_t count = is_few ? NEEDED_BY_THE_DMP : length_of(traits);

	for (size_t i = 0; i < count; i++)
		if (is_empty(traits[i].value))
			return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, traits[i].where,
					  "the patient has no %s", traits[i].what);
	return 0;
}

/* Those in sourcePatientInfo. The hour of a birth is left out. */
static int fill_traits(struct filling *filling)
{
	const struct cda *cda = filling->cda;
	struct metadata *metadata = filling->metadata;
	struct slice birth = slice_of(cda->birth_time);
	int64_t time_ms;
	bool zoned;

	if (check_traits(filling) < 0)
		return -1;
	metadata->patient_family = filling_plain(filling, cda->birth_family);
	metadata->patient_given = filling_plain(filling, cda->birth_given);
	birth.n = min(birth.n, (size_t)DATE_DIGITS);
	if (clock_parse_hl7(birth, &time_ms, &zoned, filling->err) < 0)
		return err_refuse(filling->err, REASON_DATA_TYPE, "patient/birthTime",
				  "the birth date is not of the form YYYYMMDD");
	if (birth.n < DATE_DIGITS)
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, "patient/birthTime",
				  "the birth date is not known to the day (YYYYMMDD)");
	metadata->from.patient_traits = FROM_DOCUMENT;
	metadata->patient_birth_date = arena_dup(filling->arena, birth);
	metadata->patient_sex = is(cda->sex, "M") ? "M" : is(cda->sex, "F") ? "F" : "U";
	return 0;
}

static bool is_sex(const char *text)
{
	return is(text, "M") || is(text, "F");
}

/* Each may be known to the year, the month or the day (TS of HL7). */
static bool dates_differ(const char *a, const char *b)
{
	return strncmp(a, b, min(strlen(a), strlen(b))) != 0;
}

/* The message about one patient and the document about another: whoever is right, nothing is sent.
 * Birth date and sex, which the INS stands for, must agree as well. A document without INS waits for one.
 */
static int check_same_patient(struct filling *filling)
{
	const struct metadata_request *request = filling->context->request;
	const struct metadata *metadata = filling->metadata;
	const struct {
		const char *where, *what;
		bool differs;
	} traits[] = {
		{ "PID-3", "the INS",
		  !is_empty(request->patient_ins) && !is_empty(metadata->patient_ins) &&
			  (!is(request->patient_ins, metadata->patient_ins) ||
			   !is(request->patient_ins_oid, metadata->patient_ins_oid)) },
		{ "PID-7", "the birth date",
		  dates_differ(request->patient_birth_date, metadata->patient_birth_date) },
		{ "PID-8", "the sex",
		  is_sex(request->patient_sex) && is_sex(metadata->patient_sex) &&
			  !is(request->patient_sex, metadata->patient_sex) },
	};

	for (size_t i = 0; i < length_of(traits); i++)
		if (traits[i].differs)
			return err_refuse(filling->err, REASON_INS_MISMATCH, traits[i].where,
					  "%s of the message and of the document differ",
					  traits[i].what);
	return 0;
}

static bool is_local_patient_id(const struct metadata_context *context, const struct cda_id *id)
{
	if (!is_empty(context->local_oid) && !is(id->root, context->local_oid))
		return false;
	return !is_empty(id->extension) && !filling_has_separators(id->extension) &&
	       oid_is_valid(id->root) &&
	       !slice_starts(slice_of(id->root), NATIONAL_PATIENT_DOMAINS);
}

static int fill_source_patient(struct filling *filling)
{
	const struct cda *cda = filling->cda;
	struct metadata *metadata = filling->metadata;

	for (size_t i = 0; i < cda->patient_id_count; i++) {
		if (!is_local_patient_id(filling->context, &cda->patient_ids[i]))
			continue;
		metadata->from.source_patient_id = FROM_DOCUMENT;
		metadata->source_patient_id = cda->patient_ids[i].extension;
		metadata->source_patient_oid = cda->patient_ids[i].root;
		return 0;
	}
	if (is_empty(metadata->patient_ins))
		return err_refuse(filling->err, REASON_INS_MISSING, "recordTarget/patientRole/id",
				  "the document carries neither an INS nor a local identifier");
	metadata->from.source_patient_id = FROM_RULE;
	metadata->source_patient_id = metadata->patient_ins;
	metadata->source_patient_oid = metadata->patient_ins_oid;
	metadata->source_patient_is_ins = true;
	return 0;
}

/* The first step of all: of a document about another patient nothing else need be told. */
int filling_patient(struct filling *filling)
{
	if (fill_ins(filling) < 0 || fill_traits(filling) < 0 || check_same_patient(filling) < 0)
		return -1;
	return fill_source_patient(filling);
}
