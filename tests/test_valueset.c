/* The code tables: what they answer, and what is said of a file that is broken. */
#include "document/valueset.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <unistd.h>

#include "document/oid.h"
#include "sample.h"

#define LOINC "2.16.840.1.113883.6.1"
#define TRE_A05 "1.2.250.1.213.1.1.4.12"

static const char *const files[] = {
	"type-code.csv",
	"class-code.csv",
	"format-code.csv",
	"healthcare-facility-type.csv",
	"practice-setting.csv",
	"confidentiality.csv",
	"content-type.csv",
	"format-by-template.csv",
	"content-type-from-visit.csv",
	"author-specialty.csv",
	"subject-role.csv",
};

static struct valuesets *valuesets; /* those of conf/ */

static char *source_folder(void)
{
	const char *root = getenv("DMPFEED_SOURCE");
	char *folder = xasprintf("%s/conf/value-sets", root ? root : ".");
	char *real = realpath(folder, NULL);

	if (real == NULL)
		fail_msg("there is no %s", folder);
	free(folder);
	return real;
}

static int load(void **state)
{
	char *folder = source_folder();
	struct err err;

	(void)state;
	if (valuesets_load(&valuesets, folder, &err) < 0)
		fail_msg("%s", err.text);
	free(folder);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	valuesets_free(&valuesets);
	return 0;
}

/* A folder of its own in which one file holds `text` (NULL: is missing) and the others are those of
 * conf/.
 */
static char *folder_with(const char *name, const char *text)
{
	char *folder = xstrdup("/tmp/test-valueset-XXXXXX"), *source = source_folder();

	if (mkdtemp(folder) == NULL)
		fail_msg("no temporary folder: %s", strerror(errno));
	for (size_t i = 0; i < length_of(files); i++) {
		char *from = xasprintf("%s/%s", source, files[i]);
		char *to = xasprintf("%s/%s", folder, files[i]);
		FILE *file;

		if (strcmp(files[i], name) != 0) {
			assert_int_equal(symlink(from, to), 0);
		} else if (text != NULL) {
			file = fopen(to, "w");
			assert_non_null(file);
			fputs(text, file);
			fclose(file);
		}
		free(from);
		free(to);
	}
	free(source);
	return folder;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat, (void)type, (void)ftw;
	return remove(path);
}

static void folder_remove(char *folder)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

static void row_is_found_by_code_and_system(void **state)
{
	const struct valueset_row *row = valueset_find(valuesets, VALUESET_TYPE, "11490-0", LOINC);

	(void)state;
	assert_non_null(row);
	assert_string_equal(row->code, "11490-0");
	assert_string_equal(row->system, LOINC);
	assert_string_equal(row->display,
			    "Lettre de liaison à la sortie d'un établissement de soins");
	assert_string_equal(row->link, "10");

	assert_ptr_equal(valueset_find(valuesets, VALUESET_TYPE, "11490-0", NULL), row);
	assert_ptr_equal(valueset_find(valuesets, VALUESET_TYPE, "11490-0", ""), row);
	assert_null(valueset_find(valuesets, VALUESET_TYPE, "11490-0", TRE_A05));
	assert_null(valueset_find(valuesets, VALUESET_TYPE, "11490", LOINC));
	assert_null(valueset_find(valuesets, VALUESET_TYPE, "11490-00", LOINC));
	assert_null(valueset_find(valuesets, VALUESET_TYPE, "", LOINC));
	assert_null(valueset_find(valuesets, VALUESET_CLASS, "11490-0", NULL));
}

static void one_code_of_two_systems_is_two_rows(void **state)
{
	const struct valueset_row *a, *b;

	(void)state;
	a = valueset_find(valuesets, VALUESET_CONTENT_TYPE, "11", "1.2.250.1.213.1.6.1.128");
	b = valueset_find(valuesets, VALUESET_CONTENT_TYPE, "11", "1.2.250.1.213.2.2");
	assert_non_null(a);
	assert_non_null(b);
	assert_string_equal(a->display, "Centre postcure");
	assert_ptr_equal(valueset_find(valuesets, VALUESET_CONTENT_TYPE, "11", NULL), a);
	assert_ptr_not_equal(a, b);
}

static void type_has_a_class_or_none(void **state)
{
	static const struct {
		const char *type, *class;
	} cases[] = {
		{ "11490-0", "10" },        { "34112-3", "10" }, { "11488-4", "10" },
		{ "34874-8", "10" },        { "15507-7", "10" }, { "11502-2", "10" },
		{ "60568-3", "10" },        { "18748-4", "31" }, { "IMG-KOS", "31" },
		{ "57833-6", "42" },        { "60593-1", "43" }, { "18776-5", "44" },
		{ "80565-5", "45" },        { "87273-9", "52" }, { "REMB", "60" },
		{ "EXPPAT_1", "90" },       { "86531-1", "95" }, { "SYNTH", "11" },
		{ "11526-1", "10" }, /* retired */
		{ "34895-3", "" },          { "83963-9", "" },   { "84067-8", "" },
		{ "97694-4", "" },          { "100967-9", "" },  { "101881-1", "" },
		{ "FEUILLE-DE-STYLE", "" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct valueset_row *row =
			valueset_find(valuesets, VALUESET_TYPE, cases[i].type, NULL);

		if (row == NULL || strcmp(row->link, cases[i].class) != 0)
			fail_msg("the class of %s is \"%s\"", cases[i].type, row ? row->link : "");
	}
	assert_null(valueset_find(valuesets, VALUESET_TYPE, "E1762", NULL)); /* a signature's */
}

static void structured_body_has_the_format_of_its_last_known_template(void **state)
{
	static const struct {
		const char *templates[4];
		const char *format;
	} cases[] = {
		{ { "2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1",
		    "1.2.250.1.213.1.1.1.29" },
		  "urn:asip:ci-sis:ldl-ses:2017" },
		{ { "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.3.3", "1.2.250.1.213.1.1.1.55" },
		  "urn:ihe:lab:xd-lab:2008" },
		{ { "1.2.250.1.213.1.1.1.30", "1.2.250.1.213.1.1.1.45", "1.2.3.4" },
		  "urn:ihe:rad:CDA:ImagingReportStructuredHeadings:2013" },
		{ { "1.2.250.1.213.1.1.1.59" }, "urn:ans:ci-sis:trod:2024" },
		{ { "1.2.250.1.213.1.1.1.1", "1.2.3.4" }, "urn:asipSante:modelesHorsProfils:2011" },
		{ { NULL }, "urn:asipSante:modelesHorsProfils:2011" },
		{ { "application/pdf" }, "urn:asipSante:modelesHorsProfils:2011" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct valueset_row *row;
		size_t n = 0;

		while (n < 4 && cases[i].templates[n] != NULL)
			n++;
		row = valueset_format(valuesets, "", cases[i].templates, n);
		assert_non_null(row);
		assert_string_equal(row->code, cases[i].format);
		assert_true(row->system[0] != '\0' && row->display[0] != '\0');
	}
}

static void unstructured_body_has_the_format_of_its_media_type(void **state)
{
	static const struct {
		const char *media_type, *format;
	} cases[] = {
		{ "application/pdf", "urn:ihe:iti:xds-sd:pdf:2008" },
		{ "Application/PDF", "urn:ihe:iti:xds-sd:pdf:2008" },
		{ "text/plain", "urn:ihe:iti:xds-sd:text:2008" },
		{ "text/plain; charset=utf-8", "urn:ihe:iti:xds-sd:text:2008" },
		{ "text/plain ;charset=utf-8", "urn:ihe:iti:xds-sd:text:2008" },
		{ "text/rtf", "urn:ihe:iti-fr:xds-sd:rtf:2010" },
		{ "image/jpeg", "urn:ihe:iti-fr:xds-sd:jpeg:2010" },
		{ "image/tiff", "urn:ihe:iti-fr:xds-sd:tiff:2010" },
		{ "text/html", NULL },
		{ "pdf", NULL },
		{ "*", NULL },
		{ ";", NULL },
		{ "1.2.250.1.213.1.1.1.55", NULL },
		{ "application/a-very-long-name-of-a-type-that-nobody-has-registered-yet", NULL },
	};
	static const char *const biology[] = { "1.3.6.1.4.1.19376.1.3.3" };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct valueset_row *row =
			valueset_format(valuesets, cases[i].media_type, biology, 1);

		if (cases[i].format == NULL)
			assert_null(row);
		else
			assert_string_equal(row->code, cases[i].format);
	}
}

static void content_type_follows_from_the_visit(void **state)
{
	static const struct {
		const char *visit, *code, *display;
	} cases[] = {
		{ "I", "03", "Hospitalisation complète (non compris hospitalisation de semaine)" },
		{ "O", "07", "Consultations soins externes" },
		{ "E", "07", "Consultations soins externes" },
		{ "R", "19", "Traitement et cure ambulatoire" },
		{ "N", "97", "Type d'activité indifférencié" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct valueset_row *row = valueset_content_type(valuesets, cases[i].visit);

		assert_non_null(row);
		assert_string_equal(row->code, cases[i].code);
		assert_string_equal(row->system, "1.2.250.1.213.2.2");
		assert_string_equal(row->display, cases[i].display);
	}
	assert_null(valueset_content_type(valuesets, "i"));
	assert_null(valueset_content_type(valuesets, ""));
	assert_null(valueset_content_type(valuesets, "P"));
}

static void nearest_codes_come_first(void **state)
{
	static const struct {
		enum valueset_list list;
		const char *code, *display, *nearest;
	} cases[] = {
		/* by its name, though the code is another's */
		{ VALUESET_TYPE, "99999-9", "CR operatoire", "34874-8, 29551-9 or 27899-4" },
		{ VALUESET_TYPE, "11490-1", NULL, "11490-0, 11493-4 or 11488-4" },
		{ VALUESET_PRACTICE, "ETABLISEMENT", "", "ETABLISSEMENT, EXP_PATIENT or ESSMS" },
		{ VALUESET_PRACTICE, "ambulatoire", "", "AMBULATOIRE, AMO or PALLIATIF" },
		{ VALUESET_FACILITY, "SA1", "", "SA01, SA10 or SA12" },
		{ VALUESET_CONFIDENTIALITY, "", "", "N, R or V" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf out = { 0 };

		valueset_nearest(valuesets, cases[i].list, cases[i].code, cases[i].display, &out);
		assert_string_equal(out.p, cases[i].nearest);
	}
}

static void every_file_says_which_list_it_is(void **state)
{
	const struct valueset_edition *edition;
	size_t count = 0;

	(void)state;
	for (; (edition = valuesets_edition(valuesets, count)) != NULL; count++) {
		assert_true(edition->list[0] != '\0');
		assert_true(strcmp(edition->oid, "none") == 0 || oid_is_valid(edition->oid));
		assert_true(edition->version[0] != '\0');
		assert_int_equal(strlen(edition->date), 10);
	}
	assert_int_equal(count, length_of(files));
	edition = valuesets_edition(valuesets, VALUESET_CLASS);
	assert_string_equal(edition->file, "class-code.csv");
	assert_string_equal(edition->list, "JDV_J57-ClassCode-DMP");
	assert_string_equal(edition->oid, "1.2.250.1.213.1.1.5.6");
	assert_string_equal(edition->version, "2023-09");
}

static void a_system_is_known_by_its_codes(void **state)
{
	(void)state;
	assert_true(valueset_knows_system(valuesets, VALUESET_SPECIALTY, "1.2.250.1.213.1.1.4.5"));
	assert_false(valueset_knows_system(valuesets, VALUESET_SPECIALTY, LOINC));
	assert_false(valueset_knows_system(valuesets, VALUESET_SPECIALTY, ""));
}

static void a_code_of_any_length_has_something_near(void **state)
{
	scoped(buf_done) struct buf out = { 0 };
	char code[300];

	(void)state;
	for (size_t n = 0; n < sizeof(code); n++) {
		memset(code, 'x', n);
		code[n] = '\0';
		buf_clear(&out);
		valueset_nearest(valuesets, VALUESET_CLASS, code, "", &out);
		assert_true(out.n > 0);
	}
}

static void comments_blank_lines_quotes_and_other_columns_are_welcome(void **state)
{
	char *folder = folder_with("confidentiality.csv",
				   "\xef\xbb\xbf# a comment, with \"quotes\"\r\n"
				   "\r\n"
				   "note,display,code,system\r\n"
				   ",Normal,N,1.2\r\n"
				   "\"two\r\nlines\",\"a \"\"quoted\"\", word\",\"MASQUE_PS\",1.3\n"
				   "# another\n"
				   "x,y,INVISIBLE_PATIENT,1.3\n"
				   "\n"
				   "\"\",z,INVISIBLE_REPRESENTANTS_LEGAUX,\"1.3\"");
	scoped(valuesets_free) struct valuesets *own = NULL;
	const struct valueset_row *row;
	struct err err = { 0 };

	(void)state;
	if (valuesets_load(&own, folder, &err) < 0)
		fail_msg("%s", err.text);
	row = valueset_find(own, VALUESET_CONFIDENTIALITY, "MASQUE_PS", "1.3");
	assert_non_null(row);
	assert_string_equal(row->display, "a \"quoted\", word");
	assert_non_null(valueset_find(own, VALUESET_CONFIDENTIALITY,
				      "INVISIBLE_REPRESENTANTS_LEGAUX", "1.3"));
	folder_remove(folder);
}

static void what_is_wrong_with_a_file_is_said_with_its_line(void **state)
{
#define HEADER "code,system,display\n"
	static const struct {
		const char *file, *text, *said;
	} cases[] = {
		{ "class-code.csv", NULL, "class-code.csv: No such file" },
		{ "class-code.csv", "", "class-code.csv:1: the file is empty" },
		{ "class-code.csv", "# only\n# words\n", ":3: the file is empty" },
		{ "class-code.csv", "code;system;display\n10;1.2;x\n",
		  ":1: there is no column \"code\"" },
		{ "type-code.csv", HEADER "a,1.2,x\n", ":1: there is no column \"class\"" },
		{ "class-code.csv", HEADER "10,1.2\n", ":2: 2 fields under 3 columns" },
		{ "class-code.csv", HEADER "10,1.2,x\n11,1.2,y,z\n",
		  ":3: 4 fields under 3 columns" },
		{ "class-code.csv", HEADER "10,1.2,x\n,1.2,y\n", ":3: a row lacks its code" },
		{ "class-code.csv", HEADER "10,,x\n", ":2: a row lacks its code" },
		{ "class-code.csv", HEADER "10,1.2,\n", ":2: a row lacks its code" },
		{ "class-code.csv", HEADER "10,1.2,a\"b\n", ":2: a quote stands inside" },
		{ "class-code.csv", HEADER "10,1.2,\"a\"b\n", ":2: a quote stands inside" },
		{ "class-code.csv", HEADER "10,1.2,a\rb\n", ":2: a quote stands inside" },
		{ "class-code.csv", HEADER "10,1.2,\"a\nb\n", ":2: a quoted field is not closed" },
		{ "class-code.csv", HEADER "10,1.2,\"a\nb\"\n11,1.2\n", ":4: 2 fields" },
		{ "class-code.csv", HEADER "10,1.2,x\n11,1.2,y\n10,1.2,z\n",
		  ":4: 10 stands on line 2 too" },
		{ "class-code.csv", HEADER "10,1.2,Synth\xe8se\n",
		  "class-code.csv: not text in UTF-8" },
		{ "class-code.csv", ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
		  ":1: there are more than 32 columns" },
		{ "class-code.csv", HEADER "10,1.2,x\n", "is not in class-code.csv" },
		{ "type-code.csv", "code,system,display,class\nA,1.2,x,10\nB,1.2,y,77\n",
		  "type-code.csv:3: \"77\" is not in class-code.csv" },
		{ "format-by-template.csv", "template_or_media_type,system,format\n*,1.2,urn:x\n",
		  ":2: \"urn:x\" is not in format-code.csv" },
		{ "format-by-template.csv",
		  "template_or_media_type,system,format\n"
		  "1.2.3,1.3.6.1.4.1.19376.1.2.3,urn:ihe:pharm:pre:2010\n",
		  "format-by-template.csv: there is no row for \"*\"" },
		{ "content-type-from-visit.csv", "visit,content_type,system\nI,03,1.2\n",
		  ":2: \"03\" is not in content-type.csv" },
		{ "content-type-from-visit.csv",
		  "visit,content_type,system\nO,07,1.2.250.1.213.2.2\n", "no row for \"I\"" },
		{ "confidentiality.csv", HEADER "N,1.2,x\n", "no row for \"MASQUE_PS\"" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		char *folder = folder_with(cases[i].file, cases[i].text);
		struct valuesets *own = NULL;
		struct err err = { 0 };

		if (valuesets_load(&own, folder, &err) == 0)
			fail_msg("%s should not load: %s", cases[i].file, cases[i].text);
		assert_int_equal(err.kind, ERR_HALT);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].said);
		assert_null(own);
		folder_remove(folder);
	}
}

static void the_map_of_visits_may_be_a_file_of_its_own(void **state)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *shipped = xasprintf("%s/conf/value-sets", root ? root : ".");
	char *folder = folder_with("content-type-from-visit.csv",
				   "visit,content_type,system\nI,04,1.2.250.1.213.2.2\n");
	scoped(free_ptr) char *map = xasprintf("%s/content-type-from-visit.csv", folder);
	scoped(valuesets_free) struct valuesets *own = NULL;
	struct valuesets *none = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(valuesets_load_mapped(&own, shipped, map, &err), 0);
	assert_string_equal(valueset_content_type(own, "I")->code, "04");
	folder_remove(folder);
	assert_int_equal(valuesets_load_mapped(&none, shipped, map, &err), -1);
	assert_non_null(strstr(err.text, "content-type-from-visit.csv"));
}

static void a_file_has_a_mebibyte_at_most(void **state)
{
	scoped(buf_done) struct buf text = { 0 };
	struct valuesets *own = NULL;
	struct err err = { 0 };
	char *folder;

	(void)state;
	buf_add_text(&text, "code,system,display\n10,1.2,x\n");
	while (text.n <= 1 << 20)
		buf_add_text(&text, "# and so on\n");
	folder = folder_with("class-code.csv", text.p);
	assert_int_equal(valuesets_load(&own, folder, &err), -1);
	assert_non_null(strstr(err.text, "larger than 1 MiB"));
	folder_remove(folder);
}

static void no_cut_of_a_file_is_read_past_its_end(void **state)
{
	static const char whole[] = "# words\r\ncode,system,display\r\n10,1.2,\"a \"\"b\"\"\"\r\n";
	char text[sizeof(whole)];

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		struct valuesets *own = NULL;
		struct err err = { 0 };
		char *folder;

		memcpy(text, whole, n);
		text[n] = '\0';
		folder = folder_with("class-code.csv", text);
		assert_int_equal(valuesets_load(&own, folder, &err), -1);
		folder_remove(folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_is_found_by_code_and_system),
		cmocka_unit_test(one_code_of_two_systems_is_two_rows),
		cmocka_unit_test(type_has_a_class_or_none),
		cmocka_unit_test(structured_body_has_the_format_of_its_last_known_template),
		cmocka_unit_test(unstructured_body_has_the_format_of_its_media_type),
		cmocka_unit_test(content_type_follows_from_the_visit),
		cmocka_unit_test(nearest_codes_come_first),
		cmocka_unit_test(every_file_says_which_list_it_is),
		cmocka_unit_test(a_system_is_known_by_its_codes),
		cmocka_unit_test(a_code_of_any_length_has_something_near),
		cmocka_unit_test(comments_blank_lines_quotes_and_other_columns_are_welcome),
		cmocka_unit_test(what_is_wrong_with_a_file_is_said_with_its_line),
		cmocka_unit_test(the_map_of_visits_may_be_a_file_of_its_own),
		cmocka_unit_test(a_file_has_a_mebibyte_at_most),
		cmocka_unit_test(no_cut_of_a_file_is_read_past_its_end),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
