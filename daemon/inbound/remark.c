/* What goes all the same, and is told (intake profile: what a gateway warns of). Pure. */
#include "inbound/remark.h"

enum { TITLE_CHARACTERS = 128, DAY_DIGITS = 8 };

static const char *const texts[REMARK_COUNT] = {
	[REMARK_LOCAL_IDS] = "PID-3 and the document's recordTarget name other local identifiers "
			     "of the patient",
	[REMARK_INS_NOT_FIRST] = "the INS is not the first id of its recordTarget",
	[REMARK_TEMPLATES] = "it does not have the templateId of a CDA of France "
			     "(2.16.840.1.113883.2.8.2.1) and of the CI-SIS "
			     "(1.2.250.1.213.1.1.1.1)",
	[REMARK_LONG_TITLE] = "its title is longer than 128 characters: the DMP is told the "
			      "beginning",
	[REMARK_NO_SET_ID] = "it has no setId",
	[REMARK_NO_ZONE] = "its effectiveTime has no zone: it is taken for the time of this "
			   "machine",
	[REMARK_FLAG_MISSING] = "a flag of edition 2.1 about mail or acknowledgements is missing: "
				"it is taken as N",
	[REMARK_FOREIGN_SENDER] =
		"PRT-5.9 of who sends is not 1.2.250.1.71.4.2.1, nor PRT-5.13 EI: "
		"the software of the site sends",
};

const char *remark_text(enum remark remark)
{
	return texts[remark];
}

/* An INS is compared elsewhere, and refused when it differs. */
static bool is_local(const char *oid)
{
	return oid[0] != '\0' && !slice_starts(slice_of(oid), "1.2.250.1.213.1.4.");
}

static bool document_has(const struct cda *cda, const struct transmission_id *id)
{
	for (size_t i = 0; i < cda->patient_id_count; i++)
		if (strcmp(cda->patient_ids[i].root, id->oid) == 0 &&
		    strcmp(cda->patient_ids[i].extension, id->number) == 0)
			return true;
	return false;
}

/* An equality of the two lists. */
static bool local_ids_differ(const struct cda *cda, const struct transmission *message)
{
	size_t in_message = 0, in_document = 0;

	for (size_t i = 0; i < message->id_count; i++) {
		if (!is_local(message->ids[i].oid))
			continue;
		if (!document_has(cda, &message->ids[i]))
			return true;
		in_message++;
	}
	for (size_t i = 0; i < cda->patient_id_count; i++)
		in_document += is_local(cda->patient_ids[i].root);
	return in_message != in_document;
}

static bool has_template(const struct cda *cda, const char *root)
{
	for (size_t i = 0; i < cda->template_count; i++)
		if (strcmp(cda->templates[i], root) == 0)
			return true;
	return false;
}

/* In UTF-8 the bytes that continue a character are none of their own. */
static size_t characters_of(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static bool lacks_zone(const char *time)
{
	return strlen(time) > DAY_DIGITS && strpbrk(time, "+-Z") == NULL;
}

unsigned remarks_of(const struct cda *cda, const struct transmission *message)
{
	const bool found[REMARK_COUNT] = {
		[REMARK_LOCAL_IDS] = message != NULL && local_ids_differ(cda, message),
		[REMARK_INS_NOT_FIRST] =
			cda->patient_id_count > 0 && is_local(cda->patient_ids[0].root),
		[REMARK_TEMPLATES] = !has_template(cda, "2.16.840.1.113883.2.8.2.1") ||
				     !has_template(cda, "1.2.250.1.213.1.1.1.1"),
		[REMARK_LONG_TITLE] = characters_of(cda->title) > TITLE_CHARACTERS,
		[REMARK_NO_SET_ID] = cda->set_id.root[0] == '\0',
		[REMARK_NO_ZONE] = lacks_zone(cda->effective_time),
		[REMARK_FLAG_MISSING] = message != NULL && message->lacks_flag,
		[REMARK_FOREIGN_SENDER] = message != NULL && message->sender.person_is_foreign,
	};
	unsigned remarks = 0;

	for (size_t i = 0; i < REMARK_COUNT; i++)
		remarks |= (unsigned)found[i] << i;
	return remarks;
}
