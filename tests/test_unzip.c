/* Archives that are what they say, and the ways in which they are not. */
#include "sample.h"

#include "document/unzip.h"
#include "zip_maker.h"

static const struct unzip_limits limits = { .most_entries = 4,
					    .most_bytes = 3 << 20,
					    .most_ratio = 100 };

#define ENTRY(entry_name, ...)                                                                     \
	{                                                                                          \
		.name = { entry_name, sizeof(entry_name) - 1 }, __VA_ARGS__                        \
	}

static int open_bytes(struct unzip **ret_unzip, struct slice bytes, struct err *err)
{
	*err = (struct err){ 0 };
	return unzip_open(ret_unzip, bytes, &limits, err);
}

static void entries_are_found_and_taken(void **state)
{
	const struct zip_entry entries[] = { ENTRY("A/"), ENTRY("A/ONE.XML"),
					     ENTRY("A/two", .bytes = { "", 0 }) };
	scoped(unzip_free) struct unzip *unzip = NULL;
	scoped(buf_done) struct buf archive = { 0 }, bytes = { 0 };
	struct err err;
	size_t index;

	(void)state;
	zip_make(entries, length_of(entries), &archive);
	assert_int_equal(open_bytes(&unzip, buf_slice(&archive), &err), 0);
	assert_int_equal(unzip_count(unzip), 3);
	assert_string_equal(unzip_name(unzip, 0), "A/");
	assert_true(unzip_find(unzip, "a/One.xml", &index));
	assert_int_equal(index, 1);
	assert_int_equal(unzip_take(unzip, index, &bytes, &err), 0);
	assert_string_equal(bytes.p, "bytes");
	assert_int_equal(bytes.n, 5);
	assert_int_equal(unzip_take(unzip, 2, &bytes, &err), 0);
	assert_int_equal(bytes.n, 0);
	assert_false(unzip_find(unzip, "A/three", &index));
}

static void hostile_entries_are_refused(void **state)
{
	const struct {
		struct zip_entry entry;
		enum reason reason;
		const char *said;
	} cases[] = {
		{ ENTRY("../x"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("a/../../x"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("a/.."), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("./x"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("a//x"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("/etc/passwd"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("a\\..\\x"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("C:x"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("a\0.xml"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY("a\n.xml"), REASON_DOCUMENT_INVALID, "no path inside" },
		{ ENTRY(""), REASON_DOCUMENT_INVALID, "has no name" },
		{ ENTRY("first"), REASON_DOCUMENT_INVALID, "the same name" },
		{ ENTRY("FIRST"), REASON_DOCUMENT_INVALID, "the same name" },
		{ ENTRY("link", .mode = 0120777), REASON_DOCUMENT_INVALID, "neither a file" },
		{ ENTRY("fifo", .mode = 0010644), REASON_DOCUMENT_INVALID, "neither a file" },
		{ ENTRY("x", .flags = 1), REASON_DOCUMENT_INVALID, "is encrypted" },
		{ ENTRY("x", .claimed = 1 << 20), REASON_TOO_LARGE, "too many times" },
		{ ENTRY("x", .claimed = 0xffffffff), REASON_TOO_LARGE, "too many times" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct zip_entry entries[] = { ENTRY("first"), cases[i].entry };
		scoped(buf_done) struct buf archive = { 0 };
		struct unzip *unzip = NULL;
		struct err err;

		zip_make(entries, length_of(entries), &archive);
		if (open_bytes(&unzip, buf_slice(&archive), &err) == 0)
			fail_msg("case %zu should be refused", i);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, cases[i].reason);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("case %zu: got \"%s\", want \"%s\"", i, err.text, cases[i].said);
	}
}

static void all_entries_together_have_a_limit(void **state)
{
	scoped(free_ptr) char *much = xcalloc(1, 2 << 20);
	struct zip_entry entries[] = { ENTRY("a"), ENTRY("b"), ENTRY("c"), ENTRY("d"), ENTRY("e") };
	scoped(buf_done) struct buf archive = { 0 };
	struct unzip *unzip = NULL;
	struct err err;

	(void)state;
	zip_make(entries, 5, &archive);
	assert_int_equal(open_bytes(&unzip, buf_slice(&archive), &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
	assert_non_null(strstr(err.text, "5 entries"));

	entries[0].bytes = entries[1].bytes = (struct slice){ much, 2 << 20 };
	buf_clear(&archive);
	zip_make(entries, 2, &archive);
	assert_int_equal(open_bytes(&unzip, buf_slice(&archive), &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
	assert_non_null(strstr(err.text, "more than 3145728 bytes"));
}

/* The record at the end says where the list of entries is, and what of it is read is of the archive. */
static void a_list_that_is_not_where_it_is_said_to_be_is_refused(void **state)
{
	const struct zip_entry entries[] = { ENTRY("A/ONE.XML") };
	enum { END_BYTES = 22, LIST_BYTES_AT = 12, LIST_AT = 16 };
	static const struct {
		size_t at;
		uint32_t more; /* than there is */
		const char *said;
	} cases[] = {
		{ LIST_BYTES_AT, 1, "is not where it should be" },
		{ LIST_BYTES_AT, 22, "is not where it should be" },
		{ LIST_AT, 1, "is not where it should be" },
		{ LIST_AT, 1 << 20, "is not where it should be" },
		{ LIST_AT, -1U, "its list of entries is broken" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf archive = { 0 };
		struct unzip *unzip = NULL;
		uint32_t value;
		struct err err;
		char *at;

		zip_make(entries, length_of(entries), &archive);
		at = archive.p + archive.n - END_BYTES + cases[i].at;
		memcpy(&value, at, sizeof(value));
		value = htole32(le32toh(value) + cases[i].more);
		memcpy(at, &value, sizeof(value));
		assert_int_equal(open_bytes(&unzip, buf_slice(&archive), &err), -1);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("case %zu: got \"%s\", want \"%s\"", i, err.text, cases[i].said);
	}
}

/* What is found out only when the entry is unpacked. */
static void an_entry_that_is_not_what_it_says_is_refused(void **state)
{
	const struct zip_entry entries[] = { ENTRY("a", .wrong_crc = 1), ENTRY("b", .claimed = 4),
					     ENTRY("c", .claimed = 6) };

	(void)state;
	for (size_t i = 0; i < length_of(entries); i++) {
		scoped(buf_done) struct buf archive = { 0 }, bytes = { 0 };
		scoped(unzip_free) struct unzip *unzip = NULL;
		struct err err;

		zip_make(&entries[i], 1, &archive);
		if (open_bytes(&unzip, buf_slice(&archive), &err) < 0)
			continue; /* found out even earlier */
		assert_int_equal(unzip_take(unzip, 0, &bytes, &err), -1);
		assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
	}
}

static void every_cut_and_every_changed_byte_is_read_or_refused(void **state)
{
	const struct zip_entry entries[] = { ENTRY("A/ONE.XML"), ENTRY("A/TWO.XML") };
	scoped(buf_done) struct buf archive = { 0 };
	struct err err;

	(void)state;
	zip_make(entries, length_of(entries), &archive);
	for (size_t n = 0; n < archive.n; n++) {
		scoped(free_ptr) char *cut = slice_dup((struct slice){ archive.p, n });
		struct unzip *unzip = NULL;

		assert_int_equal(open_bytes(&unzip, (struct slice){ cut, n }, &err), -1);
	}
	for (size_t n = 0; n < archive.n; n++)
		for (int bit = 0; bit < 8; bit++) {
			scoped(unzip_free) struct unzip *unzip = NULL;
			scoped(buf_done) struct buf bytes = { 0 };

			archive.p[n] = (char)(archive.p[n] ^ 1 << bit);
			if (open_bytes(&unzip, buf_slice(&archive), &err) == 0)
				for (size_t i = 0; i < unzip_count(unzip); i++)
					(void)!unzip_take(unzip, i, &bytes, &err);
			archive.p[n] = (char)(archive.p[n] ^ 1 << bit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_found_and_taken),
		cmocka_unit_test(hostile_entries_are_refused),
		cmocka_unit_test(all_entries_together_have_a_limit),
		cmocka_unit_test(a_list_that_is_not_where_it_is_said_to_be_is_refused),
		cmocka_unit_test(an_entry_that_is_not_what_it_says_is_refused),
		cmocka_unit_test(every_cut_and_every_changed_byte_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
