/* That what is kept of metadata is what was decided, and that whatever cannot have been decided is damage. */
#include "metadata_world.h"

#include <jansson.h>

static const char *const samples[] = {
	"discharge-letter.xml",      "operative-report.xml",  "prescription.xml",
	"laboratory-report-pdf.xml", "laboratory-report.xml", "imaging-report.xml",
	"consultation-note.xml",     "emergency-report.xml",  "consultation-note-prefixed.xml",
	"discharge-letter-bom.xml",  "self-presentable.xml",  "discharge-letter-replacement.xml",
};

static void what_is_kept_outlives_message_and_value_sets(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	scoped(free_ptr) char *family = xstrdup("MARTIN"), *visit = xstrdup("O");
	struct metadata_request request = no_request;
	struct valuesets *kept = valuesets;
	struct metadata metadata;

	(void)state;
	valuesets = NULL;
	load(state);
	request.sender_id = "801234567866";
	request.sender_family = family;
	request.sender_given = "Claire";
	request.visit_class = visit;
	metadata = fill(&cda, &request);
	valuesets_free(&valuesets);
	valuesets = kept;
	memset(family, 'x', strlen(family));
	assert_string_equal(metadata.sender.family, "MARTIN");
	assert_string_equal(metadata.type.code, "11490-0");
	assert_string_equal(metadata.content_type.display, "Consultations soins externes");
}

static void what_is_kept_is_what_was_decided(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf first = { 0 }, second = { 0 };
		struct cda cda = cda_of(samples[i]);
		struct metadata_request request = no_request;
		struct metadata metadata, again;
		struct err err = { 0 };

		request.invisible_to_patient = i % 2;
		request.secret_connection = i % 3 == 0;
		metadata = fill(&cda, &request);
		metadata_write(&metadata, &first);
		if (metadata_parse(&again, buf_slice(&first), &arena, &err) < 0)
			fail_msg("%s", err.text);
		metadata_write(&again, &second);
		assert_string_equal(first.p, second.p);
		assert_string_equal(again.title, metadata.title);
		assert_int_equal(again.creation_ms, metadata.creation_ms);
		assert_int_equal(again.confidentiality_count, metadata.confidentiality_count);
		assert_int_equal(again.secret_connection, i % 3 == 0);
		assert_string_equal(again.authors[0].family, metadata.authors[0].family);
		assert_int_equal(again.action, metadata.action);
	}
}

static json_t *kept_metadata(void)
{
	struct cda cda = cda_of("imaging-report.xml");
	struct metadata metadata = fill(&cda, &no_request);
	scoped(buf_done) struct buf text = { 0 };

	metadata_write(&metadata, &text);
	return json_loadb(text.p, text.n, 0, NULL);
}

static void assert_damaged(const json_t *json, const char *name)
{
	char *text = json_dumps(json, 0);
	struct metadata metadata;
	struct err err = { 0 };

	if (metadata_parse(&metadata, slice_of(text), &arena, &err) == 0)
		fail_msg("should be refused: %s", name);
	assert_int_equal(err.kind, ERR_HALT);
	if (strstr(err.text, name) == NULL)
		fail_msg("got \"%s\", want \"%s\"", err.text, name);
	free(text);
}

static void members_are_named_as_the_fields(void **state)
{
	static const char *const names[] = {
		"action",      "unique_id",         "patient_ins",         "source_patient_is_ins",
		"creation_ms", "confidentialities", "legal_authenticator", "content_type"
	};
	json_t *kept = kept_metadata();

	(void)state;
	for (size_t i = 0; i < length_of(names); i++)
		assert_non_null(json_object_get(kept, names[i]));
	assert_string_equal(json_string_value(json_object_get(kept, "action")), "submit");
	json_decref(kept);
}

static void a_member_of_another_type_or_name_is_damage(void **state)
{
	json_t *whole = kept_metadata(), *value;
	const char *name;

	(void)state;
	json_object_foreach(whole, name, value)
	{
		json_t *kept = json_deep_copy(whole);

		json_object_set_new(kept, name, json_null());
		assert_damaged(kept, name);
		json_object_set_new(kept, name, json_real(1.5));
		assert_damaged(kept, name);
		json_object_del(kept, name);
		json_object_set_new(kept, "other", json_null());
		assert_damaged(kept, strcmp(name, "action") == 0 ? name : "metadata");
		json_decref(kept);
	}
	json_object_set_new(whole, "other", json_null());
	assert_damaged(whole, "metadata");
	json_decref(whole);
}

/* An upgrade finds what an older gateway stored, without the members that it did not have. */
static void a_member_that_came_later_is_empty(void **state)
{
	static const char *const later[] = { "from", "creation_ms", "events",
					     "source_patient_is_ins", "patient_given" };
	json_t *kept = kept_metadata();
	scoped(free_ptr) char *text = NULL;
	struct metadata metadata;
	struct err err = { 0 };

	(void)state;
	memset(&metadata, 0x55, sizeof(metadata));
	for (size_t i = 0; i < length_of(later); i++)
		assert_int_equal(json_object_del(kept, later[i]), 0);
	text = json_dumps(kept, 0);
	json_decref(kept);
	assert_int_equal(metadata_parse(&metadata, slice_of(text), &arena, &err), 0);
	assert_int_equal(metadata.from.site, FROM_NOWHERE);
	assert_int_equal(metadata.creation_ms, 0);
	assert_int_equal(metadata.event_count, 0);
	assert_false(metadata.source_patient_is_ins);
	assert_false(metadata.secret_connection); /* which older ones did not know of */
	assert_string_equal(metadata.patient_given, "");
	assert_string_not_equal(metadata.patient_family, "");
}

static void what_the_decisions_never_leave_empty_is_damage(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
		{ "action", "\"delay\"" },
		{ "action", "\"replace\"" },
		{ "unique_id", "\"1.02\"" },
		{ "replaces", "\"1.2.3\"" },
		{ "patient_ins", "\"279035121518988\"" },
		{ "patient_ins_oid", "\"1.2.3\"" },
		{ "source_patient_oid", "\"\"" },
		{ "title", "\"\"" },
		{ "patient_birth_date", "\"1979\"" },
		{ "confidentialities", "[]" },
		{ "authors", "[]" },
		{ "authors", "[{}]" },
		{ "authors", "{}" },
		{ "events", "[{\"code\":\"\",\"system\":\"1.2\",\"display\":\"\"}]" },
		{ "type", "{\"code\":\"\",\"system\":\"1.2\",\"display\":\"\"}" },
		{ "type", "{\"code\":\"x\",\"system\":\"1.2\",\"name\":\"\"}" },
		{ "site", "\"\"" },
		{ "from", "[]" },
		{ "from", "{\"delay\":\"\"}" },
		{ "from", "{\"action\":\"hearsay\"}" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		json_t *kept = kept_metadata();

		json_object_set_new(kept, cases[i].name,
				    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		assert_damaged(kept, "");
		json_decref(kept);
	}
}

/* Whatever is in a text: letters beyond ASCII, what JSON escapes, what is no character at all. */
static void texts_are_kept_as_they_are(void **state)
{
	static const struct {
		const char *text, *kept;
	} cases[] = {
		{ "", "" },
		{ "H\xc3\xb4pital d\xe2\x80\x99\xc3\xa9t\xc3\xa9 \xf0\x9f\x8f\xa5",
		  "H\xc3\xb4pital d\xe2\x80\x99\xc3\xa9t\xc3\xa9 \xf0\x9f\x8f\xa5" },
		{ "a \"b\" \\ c/d", "a \"b\" \\ c/d" },
		{ "tab\tline\nbell\x07"
		  "del\x7f",
		  "tab\tline\nbell\x07"
		  "del\x7f" },
		{ "not whole \xc3", "\xef\xbf\xbd" },
		{ "\xff", "\xef\xbf\xbd" },
	};
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata = fill(&cda, &no_request);

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf text = { 0 };
		json_t *kept;

		metadata.title = cases[i].text;
		metadata_write(&metadata, &text);
		kept = json_loadb(text.p, text.n, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(kept, "title")),
				    cases[i].kept);
		json_decref(kept);
	}
}

static void every_cut_of_the_kept_form_is_damage(void **state)
{
	struct cda cda = cda_of("discharge-letter.xml");
	struct metadata metadata = fill(&cda, &no_request), again;
	scoped(buf_done) struct buf text = { 0 };
	struct err err;

	(void)state;
	metadata_write(&metadata, &text);
	for (size_t n = 0; n < text.n; n++) {
		assert_int_equal(metadata_parse(&again, (struct slice){ text.p, n }, &arena, &err),
				 -1);
		assert_int_equal(err.kind, ERR_HALT);
	}
	assert_int_equal(metadata_parse(&again, (struct slice){ 0 }, &arena, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_is_kept_outlives_message_and_value_sets),
		test(what_is_kept_is_what_was_decided),
		test(members_are_named_as_the_fields),
		test(a_member_of_another_type_or_name_is_damage),
		test(a_member_that_came_later_is_empty),
		test(what_the_decisions_never_leave_empty_is_damage),
		test(texts_are_kept_as_they_are),
		test(every_cut_of_the_kept_form_is_damage),
	};

	return cmocka_run_group_tests(tests, load, free_valuesets);
}
