/* The sidecar: what it says, what it may leave out, and how every mistake in it is told. */
#include "value_sets.h"

#include <ctype.h>

#include "base/yaml_tree.h"
#include "document/sidecar.h"

struct reading {
	struct arena arena;
	struct sidecar sidecar;
	struct err err;
};

static void reading_done(struct reading *reading)
{
	arena_done(&reading->arena);
}

static int read_in(struct reading *reading, struct slice yaml, enum environment environment)
{
	const struct sidecar_context context = { valuesets, environment };

	return sidecar_read(&reading->sidecar, yaml, &context, &reading->arena, &reading->err);
}

static int read_text(struct reading *reading, const char *yaml)
{
	return read_in(reading, slice_of(yaml), ENVIRONMENT_TEST);
}

#define PATIENT                                                                                    \
	"patient:\n"                                                                               \
	"  ins: \"279035121518989\"\n"                                                             \
	"  identity: VALI\n"                                                                       \
	"  family: PAT-TROIS\n"                                                                    \
	"  given: DOMINIQUE\n"                                                                     \
	"  sex: F\n"                                                                               \
	"  birth_date: 1979-03-28\n"                                                               \
	"  birth_place: \"51215\"\n"
#define AUTHOR "author: { id: \"801234567866\", family: MARTIN, given: Claire }\n"
#define HEAD                                                                                       \
	"type: 11490-0\n"                                                                          \
	"date: 2026-11-20T10:15:00+01:00\n"
#define LEAST HEAD PATIENT AUTHOR

static void what_may_be_left_out_follows_from_the_rest(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };
	const struct sidecar *sidecar = &reading.sidecar;

	(void)state;
	if (read_text(&reading, LEAST) < 0)
		fail_msg("%s: %s", reading.err.where, reading.err.text);
	assert_string_equal(sidecar->type, "11490-0");
	assert_string_equal(sidecar->title, "");
	assert_string_equal(sidecar->date, "20261120101500+0100");
	assert_string_equal(sidecar->confidentiality, "N");
	assert_string_equal(sidecar->site, "");
	assert_int_equal(sidecar->version, 1);
	assert_string_equal(sidecar->patient->ins_oid, INS_OID_TEST);
	assert_string_equal(sidecar->patient->given_names, "DOMINIQUE");
	assert_string_equal(sidecar->patient->birth_date, "19790328");
	assert_ptr_equal(sidecar->legal_authenticator, sidecar->author);
	assert_ptr_equal(sidecar->act->performer, sidecar->author);
	assert_string_equal(sidecar->act->start, sidecar->date);
	assert_string_equal(sidecar->act->practice, "ETABLISSEMENT");
	assert_string_equal(sidecar->stay->start, sidecar->date);
	assert_string_equal(sidecar->stay->sector, "");
	assert_string_equal(sidecar->author->prefix, "");
	assert_false(sidecar->hidden_from_patient);
	assert_false(sidecar->secret_connection);
}

static void the_domain_of_the_ins_is_that_of_the_environment(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	assert_int_equal(read_in(&reading, slice_of(LEAST), ENVIRONMENT_PRODUCTION), 0);
	assert_string_equal(reading.sidecar.patient->ins_oid, INS_OID_NIR);
}

static void times_are_read_as_people_and_machines_write_them(void **state)
{
	static const struct {
		const char *written, *read;
	} rows[] = {
		{ "2026-11-20T10:15:00+01:00", "20261120101500+0100" },
		{ "2026-11-20T10:15:00+0100", "20261120101500+0100" },
		{ "2026-11-20 10:15:00-05:00", "20261120101500-0500" },
		{ "2026-11-20T10:15+01:00", "20261120101500+0100" },
		{ "2026-11-20T09:15:00Z", "20261120091500+0000" },
		{ "2026-11-20T10:15:00.250+01:00", "20261120101500+0100" },
		{ "20261120101500+0100", "20261120101500+0100" },
		{ "2026-11-20T10:15:00", "20261120101500+0100" }, /* tests run in Paris */
		{ "2026-07-20T10:15", "20260720101500+0200" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(reading_done) struct reading reading = { 0 };
		scoped(free_ptr) char *yaml =
			xasprintf("type: 11490-0\ndate: \"%s\"\n" PATIENT AUTHOR, rows[i].written);

		if (read_text(&reading, yaml) < 0)
			fail_msg("%s: %s", rows[i].written, reading.err.text);
		assert_string_equal(reading.sidecar.date, rows[i].read);
	}
}

static void a_replacement_is_a_second_version(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	assert_int_equal(read_text(&reading, LEAST "replaces: 1.2.250.1.999.5\n"), 0);
	assert_int_equal(reading.sidecar.version, 2);
	assert_string_equal(reading.sidecar.replaces, "1.2.250.1.999.5");
}

static void an_identity_has_any_status_of_the_table(void **state)
{
	static const char *const codes[] = { "PROV", "IDVER", "DOUT" };

	(void)state;
	for (size_t i = 0; i < length_of(codes); i++) {
		scoped(reading_done) struct reading reading = { 0 };
		scoped(free_ptr) char *yaml =
			xasprintf(HEAD "patient: { id: \"4711\", id_oid: 1.2.3, identity: %s, "
				       "family: X, given: Y, sex: F,"
				       " birth_date: 1979-03-28, birth_place: \"51215\" }\n" AUTHOR,
				  codes[i]);

		assert_int_equal(read_text(&reading, yaml), 0);
		assert_string_equal(reading.sidecar.patient->identity, codes[i]);
	}
}

static void it_may_be_hidden(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	assert_int_equal(read_text(&reading, LEAST "hidden_from: [patient, guardians]\n"), 0);
	assert_true(reading.sidecar.hidden_from_patient);
	assert_true(reading.sidecar.hidden_from_guardians);
	assert_false(reading.sidecar.hidden_from_professionals);
}

static void it_may_come_of_a_secret_connection(void **state)
{
	static const struct {
		const char *text;
		bool secret;
	} cases[] = {
		{ LEAST "secret_connection: true\n", true },
		{ LEAST "secret_connection: false\n", false },
		{ LEAST "secret_connection: \"true\"\n", true },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(reading_done) struct reading reading = { 0 };

		assert_int_equal(read_text(&reading, cases[i].text), 0);
		assert_int_equal(reading.sidecar.secret_connection, cases[i].secret);
	}
}

/* One mistake each: its place, its reason, and words of its sentence. */
static void a_mistake_is_told_with_its_place(void **state)
{
	static const struct {
		const char *yaml, *where, *words;
		enum reason reason;
	} rows[] = {
		{ LEAST "tittle: x\n", "line 12, column 1", "tittle is not a key here: known are",
		  0 },
		{ LEAST "Nom Patient: x\n", "line 12, column 1", "this is not a key here", 0 },
		{ "type: 11490-0\n" PATIENT AUTHOR, "line 1, column 1",
		  "date is missing: when the document", 0 },
		{ "type: 99999-9\ndate: 2026-11-20T10:15:00Z\n" PATIENT AUTHOR, "line 1, column 7",
		  "type is not in the DMP's list; nearest", REASON_TYPE_NOT_ACCEPTED },
		{ "type: 11490-0\ndate: 2026-11-20\n" PATIENT AUTHOR, "line 2, column 7",
		  "date is not a moment (2026", 0 },
		{ "type: 11490-0\ndate: 2026-13-20T10:15:00Z\n" PATIENT AUTHOR, "line 2, column 7",
		  "date is not a moment", 0 },
		{ HEAD "patient: { identity: VALI, family: X, given: Y, sex: F,"
		       " birth_date: 1979-03-28, birth_place: \"51215\" }\n" AUTHOR,
		  "line 3, column 1", "patient.ins is missing", REASON_INS_MISSING },
		{ HEAD "patient: { ins: \"279035121518988\", identity: VALI, family: X, given: Y,"
		       " sex: F, birth_date: 1979-03-28, birth_place: \"51215\" }\n" AUTHOR,
		  "line 3, column 17", "patient.ins is not an INS", REASON_INS_INVALID },
		{ HEAD "patient: { ins: \"279035121518989\", identity: VALID, family: X, given: Y,"
		       " sex: F, birth_date: 1979-03-28, birth_place: \"51215\" }\n" AUTHOR,
		  "line 3, column 46", "patient.identity is not one of table 0445: VALI, PROV, ",
		  0 },
		{ HEAD "patient: Paul\n" AUTHOR, "line 3, column 10",
		  "patient has no value of its own", 0 },
		{ HEAD AUTHOR, "line 1, column 1", "patient is missing", 0 },
		{ HEAD PATIENT "author: { id: \"8012 345\", family: MARTIN, given: Claire }\n",
		  "line 11, column 15", "author.id is not an identifier", 0 },
		{ HEAD PATIENT "author: { id: \"801\", family: , given: Claire }\n",
		  "line 11, column 30", "author.family is empty: the family name", 0 },
		{ HEAD PATIENT "author: { id: \"801\", family: \"\", given: Claire }\n",
		  "line 11, column 30", "author.family is empty: the family name", 0 },
		{ HEAD PATIENT "author: { id: \"801\", family: ~, given: Claire }\n",
		  "line 11, column 30", "author.family is empty: the family name", 0 },
		{ HEAD PATIENT "author: { id: \"801\", family: null, given: Claire }\n",
		  "line 11, column 30", "author.family is empty: the family name", 0 },
		{ LEAST "site: 99001\n", "line 12, column 7", "site is not a FINESS", 0 },
		{ LEAST "replaces: urn:uuid:1\n", "line 12, column 11", "replaces is not an OID",
		  0 },
		{ LEAST "version: 0\n", "line 12, column 10", "version is not a number", 0 },
		{ LEAST "version: 3\n", "line 1, column 1", "version 3 replaces another", 0 },
		{ LEAST "hidden_from: patient\n", "line 12, column 14", "hidden_from is not a list",
		  0 },
		{ LEAST "hidden_from: [all]\n", "line 12, column 15", "hidden_from knows", 0 },
		{ LEAST "secret_connection: Y\n", "line 12, column 20",
		  "secret_connection is not true or false", 0 },
		{ LEAST "secret_connection:\n", "line 12, column 19", "secret_connection is empty",
		  0 },
		{ LEAST "act: { practice: ETABLISEMENT }\n", "line 12, column 18",
		  "act.practice is not in the DMP's list; nearest: ETABLISSEMENT", 0 },
		{ LEAST "act: { code: X }\n", "line 1, column 1",
		  "act.code and act.code_system go together", 0 },
		{ LEAST "stay: { class: Z }\n", "line 12, column 16", "stay.class is not", 0 },
		{ LEAST "title: \"a\\tb\"\n", "line 12, column 8", "title is not one line", 0 },
		{ LEAST "title: &x y\n", "line 12, column 8", "anchors", 0 },
		{ LEAST "type: 11490-0\n", "line 12, column 1", "given at line 1 already", 0 },
		{ LEAST "\ttitle: x\n", "line 12, column 1", "tab", 0 },
		{ "just words\n", "line 1, column 1", "a sidecar is made of keys", 0 },
		{ "", "line 1, column 1", "a sidecar is made of keys", 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(reading_done) struct reading reading = { 0 };

		if (read_text(&reading, rows[i].yaml) == 0)
			fail_msg("row %zu was taken", i);
		if (strcmp(reading.err.where, rows[i].where) != 0 ||
		    strstr(reading.err.text, rows[i].words) == NULL)
			fail_msg("row %zu: %s: %s", i, reading.err.where, reading.err.text);
		assert_int_equal(reading.err.kind, ERR_REJECT);
		assert_int_equal(reading.err.reason,
				 rows[i].reason ? rows[i].reason : REASON_SIDECAR_INVALID);
		assert_int_equal(reading.sidecar.fault_count, 1);
	}
}

static void all_mistakes_are_told_at_once_in_their_order(void **state)
{
	static const struct {
		const char *where, *words;
	} rows[] = {
		{ "line 1, column 7", "type" },
		{ "line 2, column 7", "date" },
		{ "line 3, column 1", "author.given is missing" },
		{ "line 3, column 15", "author.id" },
		{ "line 4, column 1", "hidden is not a key" },
	};
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	assert_int_equal(read_text(&reading,
				   "type: nothing\ndate: yesterday\n"
				   "author: { id: \"&\", family: X }\nhidden: [patient]\n" PATIENT),
			 -1);
	assert_int_equal(reading.sidecar.fault_count, length_of(rows));
	for (size_t i = 0; i < length_of(rows); i++) {
		assert_string_equal(reading.sidecar.faults[i].where, rows[i].where);
		assert_non_null(strstr(reading.sidecar.faults[i].text, rows[i].words));
	}
	assert_string_equal(reading.err.text, reading.sidecar.faults[0].text);
}

/* Sentences are logged: they hold keys and codes, nothing of the patient. */
static void no_sentence_quotes_the_patient(void **state)
{
	scoped(reading_done) struct reading reading = { 0 };

	(void)state;
	assert_int_equal(read_text(&reading,
				   "type: INCONNU\ndate: INCONNU\nINCONNU: 1\n"
				   "patient: { ins: INCONNU, identity: inconnu, id: I NCONNU,"
				   " sex: INCONNU, birth_date: INCONNU, INCONNU: 2,"
				   " birth_place: INCONNU, family: \"INCONNU\\n\" }\n"),
			 -1);
	assert_true(reading.sidecar.fault_count > 8);
	for (size_t i = 0; i < reading.sidecar.fault_count; i++)
		assert_null(strcasestr(reading.sidecar.faults[i].text, "inconnu"));
}

static void a_hostile_file_ends_soon(void **state)
{
	scoped(reading_done) struct reading reading = { 0 }, deep = { 0 }, many = { 0 };
	scoped(buf_done) struct buf large = { 0 }, nested = { 0 }, wrong = { 0 };

	(void)state;
	for (size_t i = 0; i < YAML_TREE_BYTES; i += 8)
		buf_add_text(&large, "# blank\n");
	buf_add_text(&large, "x");
	assert_int_equal(read_in(&reading, buf_slice(&large), ENVIRONMENT_TEST), -1);
	for (size_t i = 0; i < 100000; i++)
		buf_add_char(&nested, '[');
	assert_int_equal(read_in(&deep, buf_slice(&nested), ENVIRONMENT_TEST), -1);
	for (unsigned i = 0; i < 900; i++)
		buf_addf(&wrong, "x%u: 1\n", i);
	assert_int_equal(read_in(&many, buf_slice(&wrong), ENVIRONMENT_TEST), -1);
	assert_int_equal(many.sidecar.fault_count, SIDECAR_FAULTS);
}

/* ---- conf/examples/sidecar.yaml ---- */

/* A comment that is a key: "#title: x", "#  start: x"; prose has one blank: "# The title". */
static bool is_commented_key(const char *behind_hash)
{
	const char *at = behind_hash;

	if (at[0] == ' ' && at[1] != ' ')
		return false;
	at += strspn(at, " ");
	return islower((unsigned char)*at) && at[strspn(at, "abcdefghijklmnopqrstuvwxyz_")] == ':';
}

static void read_example(struct buf *out, bool with_comments)
{
	scoped(buf_done) struct buf example = { 0 };
	struct slice rest, line;

	sample_read("../../conf/examples/sidecar.yaml", &example);
	rest = buf_slice(&example);
	while (slice_next(&rest, '\n', &line)) {
		size_t indent = 0;

		while (indent < line.n && line.p[indent] == ' ')
			indent++;
		if (indent < line.n && line.p[indent] == '#') {
			if (!with_comments || !is_commented_key(line.p + indent + 1))
				line.n = indent;
			buf_add(out, (struct slice){ line.p, indent });
			line = slice_from(line, indent + 1);
		}
		buf_add(out, line);
		buf_add_char(out, '\n');
	}
}

struct keys {
	const struct yaml_tree *example, *least;
};

static const struct yaml_tree *follow(const struct yaml_tree *tree, const char *name)
{
	struct slice rest = slice_of(name), key;

	while (tree != NULL && slice_next(&rest, '.', &key))
		tree = yaml_tree_find(tree, key);
	return tree;
}

/* Persons have the same keys wherever they stand: those of the author stand for all. */
static void hold_key(void *arg, const char *key, bool is_needed)
{
	const struct keys *keys = arg;

	if (slice_starts(slice_of(key), "legal_authenticator.") ||
	    slice_starts(slice_of(key), "act.performer."))
		return;
	if (follow(keys->example, key) == NULL)
		fail_msg("conf/examples/sidecar.yaml says nothing of %s", key);
	if (is_needed != (follow(keys->least, key) != NULL))
		fail_msg("%s: what is needed stands in the example, the rest in its comments", key);
}

static void no_complaint(void *arg, struct yaml_place place, const char *sentence)
{
	(void)arg;
	fail_msg("conf/examples/sidecar.yaml:%u:%u: %s", place.line, place.column, sentence);
}

static void the_example_is_complete_and_true(void **state)
{
	scoped(reading_done) struct reading least = { 0 }, most = { 0 };
	scoped(buf_done) struct buf short_text = { 0 }, whole = { 0 };
	struct keys keys;

	(void)state;
	read_example(&short_text, false);
	read_example(&whole, true);
	if (read_in(&least, buf_slice(&short_text), ENVIRONMENT_TEST) < 0)
		fail_msg("%s: %s", least.err.where, least.err.text);
	if (read_in(&most, buf_slice(&whole), ENVIRONMENT_TEST) < 0)
		fail_msg("without #: %s: %s", most.err.where, most.err.text);
	keys.least = yaml_tree_read(buf_slice(&short_text), &least.arena, no_complaint, NULL);
	keys.example = yaml_tree_read(buf_slice(&whole), &most.arena, no_complaint, NULL);
	sidecar_keys(hold_key, &keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_left_out_follows_from_the_rest),
		cmocka_unit_test(the_domain_of_the_ins_is_that_of_the_environment),
		cmocka_unit_test(times_are_read_as_people_and_machines_write_them),
		cmocka_unit_test(a_replacement_is_a_second_version),
		cmocka_unit_test(an_identity_has_any_status_of_the_table),
		cmocka_unit_test(it_may_be_hidden),
		cmocka_unit_test(it_may_come_of_a_secret_connection),
		cmocka_unit_test(a_mistake_is_told_with_its_place),
		cmocka_unit_test(all_mistakes_are_told_at_once_in_their_order),
		cmocka_unit_test(no_sentence_quotes_the_patient),
		cmocka_unit_test(a_hostile_file_ends_soon),
		cmocka_unit_test(the_example_is_complete_and_true),
	};

	return cmocka_run_group_tests(tests, load_valuesets, free_valuesets);
}
