/* Tables of figures, as spreadsheets and portals write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "status/figures.h"

static const char *read_as(enum figures_of of, const char *text,
			   const struct figures_mapping *mapping)
{
	static struct buf said;
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf errors = { 0 };
	struct figures figures;

	buf_clear(&said);
	buf_add_text(&said, "");
	if (figures_read(&figures, of, "f.csv", slice_of(text), mapping, &arena, &errors) < 0) {
		buf_add(&said, buf_slice(&errors));
		return said.p;
	}
	for (size_t i = 0; i < figures.count; i++)
		buf_addf(&said, "%s/%s %d: %lld\n", figures.list[i].site, figures.list[i].name,
			 figures.list[i].month, (long long)figures.list[i].n);
	buf_addf(&said, "%d..%d: %lld", figures.first_month, figures.last_month,
		 (long long)figures.sum);
	return said.p;
}

static void a_sheet_as_excel_writes_it(void **state)
{
	(void)state;
	assert_string_equal(read_as(FIGURES_BY_FIELD,
				    "\xef\xbb\xbf"
				    "finess_eg;champ;month;n;remarque\r\n"
				    "\"010003720\";MCO;2026-10;1 200;x\r\n"
				    "2A0000014;SMR;10/2026;0;\r\n"
				    "010003720;MCO;202609;1\xe2\x80\xaf"
				    "100;\r\n"
				    "010003720;HAD;2026-10-31;7;\r\n",
				    NULL),
			    "010003720/HAD 202610: 7\n"
			    "010003720/MCO 202609: 1100\n"
			    "010003720/MCO 202610: 1200\n"
			    "2A0000014/SMR 202610: 0\n"
			    "202609..202610: 2307");
}

static void every_wrong_line_is_told(void **state)
{
	(void)state;
	assert_string_equal(
		read_as(FIGURES_BY_FIELD,
			"finess_eg;champ;month;n\n"
			"10003720;MCO;2026-10;1\n"
			"010003720;MCA;2026-13;-1\n"
			"010003720;MCO;2026-10\n"
			"010003720;MCO;2026-10;5\n"
			"010003720;MCO;2026-10;6\n"
			"01000372X;MCO;2026-10;1,5\n",
			NULL),
		"f.csv:2: finess_eg: \"10003720\" has lost the zeros at its beginning: format the "
		"column as text\n"
		"f.csv:3: champ: \"MCA\" is none of MCO, SMR, PSY, HAD, DIALYSE, EHPAD\n"
		"f.csv:3: month: \"2026-13\" is no month (2026-11)\n"
		"f.csv:3: n: \"-1\" is no number from 0 on\n"
		"f.csv:4: 3 fields under 4 columns\n"
		"f.csv:7: finess_eg: \"01000372X\" is no FINESS of nine characters\n"
		"f.csv:7: n: \"1,5\" is no number from 0 on\n"
		"f.csv:6: line 5 has the same site, champ and month\n");
}

static void what_is_no_table_is_refused(void **state)
{
	(void)state;
	assert_string_equal(read_as(FIGURES_BY_FIELD, "", NULL), "f.csv:1: the file is empty\n");
	assert_string_equal(read_as(FIGURES_BY_FIELD, "finess_eg;champ;month;n\n", NULL),
			    "f.csv:2: there is no figure in it\n");
	assert_string_equal(read_as(FIGURES_BY_TYPE, "finess_eg;champ;month;n\n", NULL),
			    "f.csv:1: there is no column \"type_code\" (columns are separated by "
			    "semicolons)\n");
	assert_string_equal(
		read_as(FIGURES_BY_FIELD, "finess_eg;champ;month;n\n\"010003720;M", NULL),
		"f.csv:2: a quoted field is not closed\n");
}

static void types_have_codes(void **state)
{
	(void)state;
	assert_string_equal(read_as(FIGURES_BY_TYPE,
				    "type_code,month,finess_eg,n\n11490-0,2026-10,010003720,3\n",
				    NULL),
			    "010003720/11490-0 202610: 3\n202610..202610: 3");
	assert_string_equal(
		read_as(FIGURES_BY_TYPE,
			"type_code,month,finess_eg,n\nCR bio,2026-10,010003720,3\n", NULL),
		"f.csv:2: type_code: \"CR bio\" is no code of a document type: say in a "
		"mapping which it means\n");
}

static const char mapping_text[] =
	"columns: {finess_eg: \"FINESS géographique\", type_code: Type, month: Mois, n: Nombre}\n"
	"types: {\"CR bio\": \"11502-2\", \"Lettre de liaison\": \"11490-0\"}\n";

static void other_names_by_a_mapping(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf errors = { 0 };
	struct figures_mapping mapping;

	(void)state;
	assert_int_equal(
		figures_read_mapping(&mapping, "m.yaml", slice_of(mapping_text), &arena, &errors),
		0);
	assert_string_equal(read_as(FIGURES_BY_TYPE,
				    "Mois;Type;FINESS géographique;Nombre\n"
				    "2026-10;CR bio;010003720;12\n"
				    "2026-10;34874-8;010003720;3\n",
				    &mapping),
			    "010003720/11502-2 202610: 12\n010003720/34874-8 202610: 3\n"
			    "202610..202610: 15");
}

static void a_wrong_mapping_is_told(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf errors = { 0 };
	struct figures_mapping mapping;

	(void)state;
	assert_int_equal(figures_read_mapping(&mapping, "m.yaml",
					      slice_of("columns: {finess: x}\ntype: {}\n"
						       "types: {a: \"b c\"}\n"),
					      &arena, &errors),
			 -1);
	assert_string_equal(errors.p,
			    "m.yaml:1:11: columns are finess_eg, champ or type_code, month and n, "
			    "each with the name that the file has for it\n"
			    "m.yaml:2:1: a mapping has the keys columns and types\n"
			    "m.yaml:3:12: this is no code of a document type\n");
}

/* Else the lines of any file of one column (a key) would be quoted to whoever names it. */
static void no_column_is_two_things(void **state)
{
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n";
	const char *head = "-----BEGIN PRIVATE KEY-----";
	const struct figures_mapping all = { .columns = { head, head, head, head } };
	const struct figures_mapping two = { .columns = { [3] = "month" } };

	(void)state;
	assert_string_equal(read_as(FIGURES_BY_TYPE, key, &all),
			    "f.csv:1: the column \"-----BEGIN PRIVATE KEY-----\" cannot be two "
			    "things at once\n");
	assert_string_equal(read_as(FIGURES_BY_TYPE, "finess_eg,type_code,month\nx,y,z\n", &two),
			    "f.csv:1: the column \"month\" cannot be two things at once\n");
}

static void a_file_full_of_errors_is_cut_short(void **state)
{
	scoped(buf_done) struct buf text = { 0 };
	const char *said;

	(void)state;
	buf_add_text(&text, "finess_eg;champ;month;n\n");
	for (int i = 0; i < 150; i++)
		buf_add_text(&text, "x;MCO;2026-10;1\n");
	said = read_as(FIGURES_BY_FIELD, text.p, NULL);
	assert_non_null(strstr(said, "f.csv:101: "));
	assert_null(strstr(said, "f.csv:102: "));
	assert_non_null(strstr(said, "f.csv: 50 more lines are wrong\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sheet_as_excel_writes_it),
		cmocka_unit_test(every_wrong_line_is_told),
		cmocka_unit_test(what_is_no_table_is_refused),
		cmocka_unit_test(types_have_codes),
		cmocka_unit_test(other_names_by_a_mapping),
		cmocka_unit_test(a_wrong_mapping_is_told),
		cmocka_unit_test(no_column_is_two_things),
		cmocka_unit_test(a_file_full_of_errors_is_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
