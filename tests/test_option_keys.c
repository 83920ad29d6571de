/* What a key is in its place, and what is said of one that is none. */
#include "sample.h"

#include "config/option_keys.h"

struct entry {
	const char *name, *cert;
};

struct sample {
	const char *level, *cert, *key;
	int64_t connect;
	struct entry *doors;
	size_t door_count;
};

static const struct option door_options[] = {
	{ "name", OPTION_NAME, AT(struct entry, name) },
	{ "tls.cert", OPTION_TEXT, AT(struct entry, cert) },
};

static const struct option_table door_table = { sizeof(struct entry), door_options,
						length_of(door_options) };

static const struct option options[] = {
	{ "level", OPTION_TEXT, AT(struct sample, level) },
	{ "dmp.tls.cert", OPTION_TEXT, AT(struct sample, cert) },
	{ "dmp.tls.key", OPTION_TEXT, AT(struct sample, key) },
	{ "dmp.timeout", OPTION_DURATION, AT(struct sample, connect) },
	{ "intake.doors", OPTION_LIST, AT(struct sample, doors), .entries = &door_table,
	  .count_at = offsetof(struct sample, door_count) },
};

static const struct option_table table = { sizeof(struct sample), options, length_of(options) };

static void a_key_is_a_row_or_a_group_where_it_stands(void **state)
{
	static const struct {
		const char *within, *key;
		enum option_key kind;
	} rows[] = {
		{ "", "level", OPTION_KEY_VALUE },        { "", "dmp", OPTION_KEY_GROUP },
		{ "dmp.", "tls", OPTION_KEY_GROUP },      { "dmp.", "timeout", OPTION_KEY_VALUE },
		{ "dmp.tls.", "cert", OPTION_KEY_VALUE }, { "intake.", "doors", OPTION_KEY_VALUE },
		{ "dmp.", "level", OPTION_KEY_UNKNOWN },  { "", "tls", OPTION_KEY_UNKNOWN },
		{ "", "lev", OPTION_KEY_UNKNOWN },        { "", "dmp.timeout", OPTION_KEY_UNKNOWN },
		{ "", "", OPTION_KEY_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++)
		if (option_key_of(&table, rows[i].within, slice_of(rows[i].key)) != rows[i].kind)
			fail_msg("%s%s", rows[i].within, rows[i].key);
}

static void the_keys_of_a_place_are_listed_once_each(void **state)
{
	static const char *const rows[][2] = {
		{ "", "level, dmp, intake" },
		{ "dmp.", "tls, timeout" },
		{ "dmp.tls.", "cert, key" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(buf_done) struct buf keys = { 0 };

		option_keys_list(&table, rows[i][0], &keys);
		assert_string_equal(keys.p, rows[i][1]);
	}
}

static void what_is_said_of_a_key_is_what_was_probably_meant(void **state)
{
	static const struct {
		const char *within, *key, *said;
	} rows[] = {
		/* it is right elsewhere */
		{ "dmp.", "level",
		  "\"level\" is not a key here: it belongs below the first column" },
		{ "", "timeout", "\"timeout\" is not a key here: it belongs below dmp" },
		{ "", "name", "\"name\" is not a key here: it belongs below intake.doors[]" },
		{ "", "tls", "\"tls\" is not a key here: it belongs below dmp, or intake.doors[]" },
		/* it is nearly right */
		{ "", "levle", "\"levle\" is not a key here: did you mean \"level\"?" },
		{ "dmp.", "timeouts", "\"timeouts\" is not a key here: did you mean \"timeout\"?" },
		{ "", "lvl", "\"lvl\" is not a key here: known are level, dmp, intake" },
		/* it is written as it nests */
		{ "", "dmp.timeout",
		  "\"dmp.timeout\" is not a key here: write what stands before the dot as a key, "
		  "the rest on a line of its own below it" },
		/* it is nothing like any */
		{ "dmp.tls.", "surprise", "\"surprise\" is not a key here: known are cert, key" },
		{ "dmp.", "", "\"\" is not a key here: known are tls, timeout" },
		{ "dmp.", "a key as long as this one is nobody would read",
		  "\"...\" is not a key here: known are tls, timeout" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(buf_done) struct buf sentence = { 0 };

		option_key_unknown(&table, &table, rows[i].within, slice_of(rows[i].key),
				   &sentence);
		assert_string_equal(sentence.p, rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_a_row_or_a_group_where_it_stands),
		cmocka_unit_test(the_keys_of_a_place_are_listed_once_each),
		cmocka_unit_test(what_is_said_of_a_key_is_what_was_probably_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
