/* The metadata of the official examples, against a table that was read by eye, and their fate
 * against the corpus' own manifest. The corpus stands beside the project, or the tests are skipped.
 */
#include "value_sets.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/csv.h"
#include "document/metadata.h"

static struct arena arena;
static char *folder; /* of the corpus */

static const struct metadata_site site = {
	.finess_eg = "990012345",
	.name = "CH DE VALBRUME",
	.sector = "SA01",
	.lps_name = "Passerelle libre",
	.lps_model = "1.0",
	.lps_internal_id = "GW1",
};

static const char *root_of_source(void)
{
	return slice_of(getenv("DMPFEED_SOURCE")).n ? getenv("DMPFEED_SOURCE") : ".";
}

static int load(void **state)
{
	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return load_valuesets(state);
}

static int unload(void **state)
{
	(void)state;
	valuesets_free(&valuesets);
	arena_done(&arena);
	free(folder);
	return 0;
}

static struct csv table_of(const char *path)
{
	struct csv csv;
	struct err err;

	if (csv_open(&csv, path, &arena, &err) < 0)
		fail_msg("%s", err.text);
	return csv;
}

static int column(const struct csv *csv, const char *name)
{
	struct err err;
	int found;

	if (csv_column(csv, name, &found, &err) < 0)
		fail_msg("%s", err.text);
	return found;
}

/* 0, or the reason why the document is refused. */
static enum reason read_file(const char *path, struct metadata *ret_metadata)
{
	static const struct metadata_request request = { .visit_class = "",
							 .sender_id = "",
							 .sender_family = "",
							 .sender_given = "",
							 .patient_ins = "",
							 .patient_ins_oid = "",
							 .patient_birth_date = "",
							 .patient_sex = "" };
	const struct metadata_context context = { .valuesets = valuesets,
						  .site = &site,
						  .request = &request,
						  .environment = ENVIRONMENT_REHEARSAL };
	const struct cda_limits limits = { 0 };
	scoped(buf_done) struct buf bytes = { 0 };
	FILE *file = fopen(path, "rb");
	struct err err = { 0 };
	struct cda cda;
	char *end;
	size_t n;

	if (file == NULL)
		fail_msg("cannot read %s", path);
	do {
		end = buf_reserve(&bytes, 1 << 16);
		n = fread(end, 1, 1 << 16, file);
		bytes.n += n;
	} while (n > 0);
	fclose(file);
	if (cda_read(&cda, buf_slice(&bytes), &limits, &arena, &err) < 0 ||
	    metadata_fill(ret_metadata, &cda, &context, &arena, &err) < 0)
		return err.reason;
	return REASON_NONE;
}

static const char *time_of(int64_t time_ms)
{
	char text[CLOCK_TEXT];

	return time_ms ? arena_dup(&arena, slice_of(clock_xds(time_ms, text))) : "";
}

static const char *events_of(const struct metadata *metadata)
{
	struct buf codes = { 0 };
	const char *text;

	for (size_t i = 0; i < metadata->event_count; i++)
		buf_addf(&codes, "%s%s", i ? " " : "", metadata->events[i].code);
	text = arena_dup(&arena, buf_slice(&codes));
	buf_done(&codes);
	return text;
}

static void metadata_are_those_of_the_header(void **state)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *path =
		xasprintf("%s/tests/data/corpus-metadata.csv", root ? root : ".");
	struct csv csv;
	struct err err;
	size_t documents = 0;

	(void)state;
	csv = table_of(path);
	while (csv_next(&csv, &err) > 0) {
		scoped(free_ptr) char *file =
			xasprintf("%s/cda/examples/%s.xml", folder, csv.fields[0]);
		struct metadata m;

		assert_int_equal(read_file(file, &m), REASON_NONE);
		const char *const got[] = {
			m.unique_id,
			m.replaces,
			m.type.code,
			m.class.code,
			m.format.code,
			m.facility.code,
			m.practice.code,
			time_of(m.creation_ms),
			time_of(m.service_start_ms),
			time_of(m.service_stop_ms),
			events_of(&m),
			m.authors[0].id,
			m.authors[0].institution_id,
		};

		assert_int_equal(csv.field_count, length_of(got) + 1);
		for (size_t i = 0; i < length_of(got); i++)
			if (strcmp(got[i], csv.fields[i + 1]) != 0)
				fail_msg("%s, column %zu: got \"%s\", want \"%s\"", csv.fields[0],
					 i + 2, got[i], csv.fields[i + 1]);
		assert_int_equal(m.action, m.replaces[0] ? ACTION_REPLACE : ACTION_SUBMIT);
		assert_string_equal(m.language, "fr-FR");
		assert_string_equal(m.mime_type, "text/xml");
		assert_string_equal(m.confidentialities[0].code, "N");
		documents++;
	}
	assert_int_equal(documents, 14);
}

static void every_document_of_the_corpus_has_the_fate_that_its_manifest_expects(void **state)
{
	static const struct {
		const char *expected;
		enum reason reason;
		enum action action;
	} fates[] = {
		{ "accept-initial", REASON_NONE, ACTION_SUBMIT },
		{ "accept-replace", REASON_NONE, ACTION_REPLACE },
		{ "reject-ins-key", REASON_INS_INVALID, 0 },
		{ "reject-parent-id-not-oid", REASON_IDENTIFIER_INVALID, 0 },
	};
	scoped(free_ptr) char *path = xasprintf("%s/MANIFEST.csv", folder);
	int family, expected;
	struct csv csv;
	struct err err;
	size_t documents = 0;

	(void)state;
	csv = table_of(path);
	family = column(&csv, "family");
	expected = column(&csv, "expected");
	while (csv_next(&csv, &err) > 0) {
		scoped(free_ptr) char *file = xasprintf("%s/%s", folder, csv.fields[0]);
		struct metadata metadata;
		enum reason reason;
		size_t fate = 0;

		if (!slice_starts(slice_of(csv.fields[family]), "cda-"))
			continue;
		while (fate < length_of(fates) &&
		       strcmp(fates[fate].expected, csv.fields[expected]) != 0)
			fate++;
		if (fate == length_of(fates))
			fail_msg("%s: nobody knows what \"%s\" is", csv.fields[0],
				 csv.fields[expected]);
		reason = read_file(file, &metadata);
		if (reason != fates[fate].reason ||
		    (reason == REASON_NONE && metadata.action != fates[fate].action))
			fail_msg("%s: %s, expected %s", csv.fields[0], reason_row(reason)->code,
				 csv.fields[expected]);
		documents++;
	}
	assert_true(documents > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_are_those_of_the_header),
		cmocka_unit_test(
			every_document_of_the_corpus_has_the_fate_that_its_manifest_expects),
	};

	folder = xasprintf("%s/../shared/corpus", root_of_source());
	if (access(folder, R_OK) < 0) { /* cmocka has no word for a test that is skipped */
		printf("1..0 # SKIP the corpus is not there: %s\n", folder);
		free(folder);
		return 0;
	}
	return cmocka_run_group_tests(tests, load, unload);
}
