/* Which files are bodies, and which bytes are what their ending says. */
#include "sample.h"

#include "document/body.h"

static void the_ending_tells_the_media_type(void **state)
{
	static const struct {
		const char *file, *media_type;
	} rows[] = {
		{ "letter.pdf", "application/pdf" },
		{ "letter.PDF", "application/pdf" },
		{ "a.b.txt", "text/plain" },
		{ "letter.rtf", "text/rtf" },
		{ "scan.jpg", "image/jpeg" },
		{ "scan.jpeg", "image/jpeg" },
		{ "scan.tif", "image/tiff" },
		{ "scan.tiff", "image/tiff" },
		{ "letter.xml", NULL },
		{ "letter.yaml", NULL },
		{ "letter.pdf.xml", NULL },
		{ "pdf", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		const char *got = body_media_type(rows[i].file);

		if ((got == NULL) != (rows[i].media_type == NULL) ||
		    (got != NULL && strcmp(got, rows[i].media_type) != 0))
			fail_msg("%s: %s", rows[i].file, got ? got : "none");
	}
}

static void a_sidecar_is_known_by_its_ending(void **state)
{
	(void)state;
	assert_true(body_is_sidecar("letter.yaml"));
	assert_true(body_is_sidecar("letter.YAML"));
	assert_false(body_is_sidecar("letter.yaml.pdf"));
	assert_false(body_is_sidecar("yaml"));
}

static void the_bytes_must_agree(void **state)
{
	static const struct {
		const char *media_type;
		struct slice bytes;
		bool good;
	} rows[] = {
		{ "application/pdf", { "%PDF-1.4\n%%EOF", 14 }, true },
		{ "application/pdf", { "%PDF-1.4\n", 9 }, false } /* cut off */,
		{ "application/pdf", { "\n\n%PDF-1.4\n%%EOF\n", 17 }, true },
		{ "application/pdf", { "PK\3\4", 4 }, false },
		{ "application/pdf", { "", 0 }, false },
		{ "text/plain", { "Sortie pr\xc3\xa9vue\r\n", 16 }, true },
		{ "text/plain", { "Sortie pr\xe9vue", 12 }, false }, /* another charset */
		{ "text/plain", { "a\0b", 3 }, false },
		{ "text/plain", { " \n", 2 }, false },
		{ "text/plain", { "", 0 }, false },
		{ "text/rtf", { "{\\rtf1 x}", 9 }, true },
		{ "text/rtf", { "text", 4 }, false },
		{ "image/jpeg", { "\xff\xd8\xff\xe0", 4 }, true },
		{ "image/jpeg", { "\x89PNG", 4 }, false },
		{ "image/tiff", { "II*\0\x8\0\0\0\0", 9 }, true },
		{ "image/tiff", { "MM\0*\0\0\0\x8\0", 9 }, true },
		{ "image/tiff", { "II*", 3 }, false },
		{ "text/html", { "<html>", 6 }, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct err err = { 0 };

		if ((body_check(rows[i].media_type, rows[i].bytes, &err) == 0) != rows[i].good)
			fail_msg("row %zu: %s", i, err.text);
		if (!rows[i].good)
			assert_int_equal(err.reason, REASON_BODY_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ending_tells_the_media_type),
		cmocka_unit_test(a_sidecar_is_known_by_its_ending),
		cmocka_unit_test(the_bytes_must_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
