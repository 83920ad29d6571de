/* What a document says, whichever version of it says so. */
#include "document/content.h"

#include "sample.h"

static struct coded normal[] = { { "N", "2.16.840.1.113883.5.25", "Normal" } };
static struct coded hidden[] = { { "N", "2.16.840.1.113883.5.25", "Normal" },
				 { "INVISIBLE_PATIENT", "1.2.250.1.213.1.1.4.13", "Invisible" } };
static struct party author = { .id = "899700000001",
			       .ins_oid = "",
			       .family = "DOCTEUR",
			       .given = "ANNE",
			       .role = "",
			       .specialty = { "", "", "" },
			       .institution_name = "CH",
			       .institution_id = "1990012345" };

/* As it was decided for the first version; what the digest does not care for may be any value. */
static struct metadata first_version(void)
{
	const struct coded any = { "a", "1.2", "A" };

	return (struct metadata){
		.action = ACTION_SUBMIT,
		.unique_id = "1.2.3.1",
		.replaces = "",
		.patient_ins = "279035121518989",
		.patient_ins_oid = INS_OID_TEST,
		.source_patient_id = "4711",
		.source_patient_oid = "1.2.250.1.999.1",
		.patient_family = "PAT-TROIS",
		.patient_given = "DOMINIQUE",
		.patient_birth_date = "19790328",
		.patient_sex = "F",
		.title = "Lettre",
		.language = "fr-FR",
		.mime_type = "text/xml",
		.creation_ms = 1,
		.service_start_ms = 2,
		.service_stop_ms = 3,
		.type = any,
		.class = any,
		.format = any,
		.facility = any,
		.practice = any,
		.content_type = any,
		.confidentialities = normal,
		.confidentiality_count = 1,
		.authors = &author,
		.author_count = 1,
		.legal_authenticator = author,
		.sender = author,
		.site = "990012345",
	};
}

static bool is_same(const struct cda *cda, const struct metadata *metadata)
{
	const struct cda first_cda = { .has_content = true, .content = { 1 } };
	const struct metadata first = first_version();
	uint8_t one[SHA256_BYTES], other[SHA256_BYTES];
	scoped(buf_done) struct buf json = { 0 };

	content_write(&first_cda, &first, &json, one);
	content_write(cda ? cda : &first_cda, metadata ? metadata : &first, &json, other);
	return memcmp(one, other, sizeof(one)) == 0;
}

/* Databases hold it: another digest of the same would send what need not go. */
static void the_digest_is_that_of_a_first_version_without_a_name(void **state)
{
	const struct cda cda = { .has_content = true, .content = { 1, 2, 3 } };
	struct metadata next = first_version(), same = next;
	scoped(buf_done) struct buf json = { 0 }, alone = { 0 }, room = { 0 };
	uint8_t digest[SHA256_BYTES], expected[SHA256_BYTES];

	(void)state;
	next.action = ACTION_REPLACE;
	next.unique_id = "1.2.3.2";
	next.replaces = "1.2.3.1";
	next.from.title = FROM_DOCUMENT;
	same.unique_id = same.replaces = "";
	same.creation_ms = 0;
	buf_add(&room, (struct slice){ (const char *)cda.content, sizeof(cda.content) });
	metadata_write(&same, &room);
	sha256(buf_slice(&room), expected);
	content_write(&cda, &next, &json, digest);
	assert_memory_equal(digest, expected, sizeof(expected));
	metadata_write(&next, &alone);
	assert_true(slice_equal(buf_slice(&json), buf_slice(&alone)));
}

static void the_next_version_has_another_name_and_time(void **state)
{
	struct metadata next = first_version();

	(void)state;
	next.action = ACTION_REPLACE;
	next.unique_id = "1.2.3.2";
	next.replaces = "1.2.3.1";
	next.creation_ms = 1000;
	next.from.replaces = FROM_DOCUMENT;
	next.from.action = FROM_MESSAGE;
	assert_true(is_same(NULL, &next));
}

static void another_document_says_another_thing(void **state)
{
	const struct cda other = { .has_content = true, .content = { 2 } };

	(void)state;
	assert_false(is_same(&other, NULL));
}

static void who_sees_it_is_part_of_what_is_said(void **state)
{
	struct metadata next = first_version();

	(void)state;
	next.confidentialities = hidden;
	next.confidentiality_count = 2;
	assert_false(is_same(NULL, &next));
	next = first_version();
	next.secret_connection = true;
	assert_false(is_same(NULL, &next));
}

/* Nor does what came later change the digest of what does not have it. */
static void a_mark_is_written_only_where_it_is_set(void **state)
{
	struct metadata open = first_version(), secret = open;
	scoped(buf_done) struct buf json = { 0 }, other = { 0 };

	(void)state;
	secret.secret_connection = true;
	metadata_write(&open, &json);
	metadata_write(&secret, &other);
	assert_null(strstr(json.p, "secret_connection"));
	assert_non_null(strstr(other.p, "\"secret_connection\":true"));
}

/* Each text of the metadata in turn, but for the two that name a version. */
static void any_other_value_is_a_change(void **state)
{
	static const size_t texts[] = {
		offsetof(struct metadata, patient_ins),
		offsetof(struct metadata, patient_ins_oid),
		offsetof(struct metadata, source_patient_id),
		offsetof(struct metadata, patient_family),
		offsetof(struct metadata, title),
		offsetof(struct metadata, language),
		offsetof(struct metadata, mime_type),
		offsetof(struct metadata, type.code),
		offsetof(struct metadata, class.display),
		offsetof(struct metadata, facility.code),
		offsetof(struct metadata, legal_authenticator.id),
		offsetof(struct metadata, sender.id),
		offsetof(struct metadata, site),
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		struct metadata next = first_version();

		*(const char **)(void *)((char *)&next + texts[i]) = "another";
		if (is_same(NULL, &next))
			fail_msg("text %zu", i);
	}
	for (size_t i = 0; i < 2; i++) {
		struct metadata next = first_version();

		*(i ? &next.service_start_ms : &next.service_stop_ms) = 4;
		assert_false(is_same(NULL, &next));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_is_that_of_a_first_version_without_a_name),
		cmocka_unit_test(the_next_version_has_another_name_and_time),
		cmocka_unit_test(another_document_says_another_thing),
		cmocka_unit_test(who_sees_it_is_part_of_what_is_said),
		cmocka_unit_test(a_mark_is_written_only_where_it_is_set),
		cmocka_unit_test(any_other_value_is_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
