/* TD3.3c: what a deletion holds. */
#include "tree.h"

#include "dmp/delete.h"

#define INS_CX "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
#define ENTRY "urn:uuid:3f6e0a54-52d1-11f1-9c1b-0242ac120002"
#define NOON_MS 1795176000000LL /* 2026-11-20T12:00:00Z */

/* clang-format off */
static const struct metadata metadata = {
	.action = ACTION_DELETE,
	.unique_id = "1.2.250.1.999.77.5.2026.88121", .replaces = "",
	.patient_ins = "279035121518989", .patient_ins_oid = INS_OID_TEST,
	.title = "Compte rendu",
	.content_type = { "04", "1.2.250.1.213.2.2", "Hospitalisation de jour" },
	.sender = {
		.id = "899900012345", .ins_oid = "", .family = "LHERMITE", .given = "Odile",
		.role = "", .specialty = { "", "", "" },
		.institution_name = "CH DE VALBRUME", .institution_id = "1990012345",
	},
};
static const struct deletion usual = {
	.set = {
		.metadata = &metadata,
		.set_unique_id = "1.2.250.1.999.77.1.1795169700.3",
		.source_id = "1.2.250.1.999.77",
		.now_ms = NOON_MS,
	},
	.entry = ENTRY,
};
/* clang-format on */

#define LIST "/l:SubmitObjectsRequest/r:RegistryObjectList"
#define SET LIST "/r:RegistryPackage"
#define LINK LIST "/r:Association"
#define VALUE(slot) "/r:Slot[@name='" slot "']/r:ValueList/r:Value"

static void a_set_without_document_changes_the_status_of_an_entry(void **state)
{
	static const struct fact facts[] = {
		{ "count(" LIST "/*)", "2" },
		{ "local-name(" LIST "/*[1])", "RegistryPackage" },
		{ SET "/@id", "SubmissionSet01" },
		{ SET VALUE("submissionTime"), "20261120120000" },
		{ "count(" SET "/r:Classification)", "3" },
		{ SET "/r:Classification" VALUE("authorPerson"),
		  "899900012345^LHERMITE^Odile^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS" },
		{ SET "/r:Classification" VALUE("authorInstitution"),
		  "CH DE VALBRUME^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990012345" },
		{ SET "/r:ExternalIdentifier[1]/@value", INS_CX },
		{ SET "/r:ExternalIdentifier[2]/@value", "1.2.250.1.999.77" },
		{ SET "/r:ExternalIdentifier[3]/@value", "1.2.250.1.999.77.1.1795169700.3" },
		{ LINK "/@id", "as1" },
		{ LINK "/@associationType",
		  "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus" },
		{ LINK "/@objectType",
		  "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association" },
		{ LINK "/@sourceObject", "SubmissionSet01" },
		{ LINK "/@targetObject", ENTRY },
		{ LINK VALUE("OriginalStatus"),
		  "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved" },
		{ LINK VALUE("NewStatus"), "urn:asip:ci-sis:2010:StatusType:Deleted" },
		{ "count(" LINK "/r:Slot)", "2" },
	};
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	delete_build(&usual, &body);
	assert_facts(&body, facts, length_of(facts));
}

static void an_archived_entry_is_deleted_from_that_status(void **state)
{
	static const struct fact fact = { LINK VALUE("OriginalStatus"),
					  "urn:asip:ci-sis:2010:StatusType:Archived" };
	scoped(buf_done) struct buf body = { 0 };
	struct deletion deletion = usual;

	(void)state;
	deletion.archived = true;
	delete_build(&deletion, &body);
	assert_facts(&body, &fact, 1);
}

static void the_entry_is_escaped(void **state)
{
	static const struct fact fact = { LINK "/@targetObject", "urn:uuid:\"<&" };
	scoped(buf_done) struct buf body = { 0 };
	struct deletion deletion = usual;

	(void)state;
	deletion.entry = "urn:uuid:\"<&";
	delete_build(&deletion, &body);
	assert_facts(&body, &fact, 1);
}

static void the_schema_takes_the_deletion(void **state)
{
	xmlSchema *schema = schema_at_hand("schema/ebRS/lcm.xsd");
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	if (schema == NULL)
		return;
	delete_build(&usual, &body);
	assert_valid(schema, &body);
	xmlSchemaFree(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_without_document_changes_the_status_of_an_entry),
		cmocka_unit_test(an_archived_entry_is_deleted_from_that_status),
		cmocka_unit_test(the_entry_is_escaped),
		cmocka_unit_test(the_schema_takes_the_deletion),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
