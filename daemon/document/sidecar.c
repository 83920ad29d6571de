/* The sidecar: tables say which keys there are and what may stand behind each. Any thread. */
#include "document/sidecar.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/yaml_tree.h"
#include "document/oid.h"

enum {
	MOST_TEXT = 256, /* bytes of a value */
	MOST_VERSION = 999999,
	FINESS = 9,
	INSEE = 5,
	DATE_DIGITS = 8,
	MINUTE_DIGITS = 12,
	SECOND_DIGITS = 14,
	LONGEST_KEY = 32,
};

struct reader {
	struct arena *arena;
	const struct sidecar_context *context;
	struct sidecar *sidecar;
	struct yaml_place places[SIDECAR_FAULTS]; /* of its faults */
};

struct key;

/* Reads what is written behind a key, which is a text. NULL, or what would be right: the end of
 * "KEY is not …".
 */
typedef const char *parse_fn(struct reader *reader, const struct key *key, struct slice text,
			     void *field);

struct key {
	const char *name;
	parse_fn *parse; /* NULL: a mapping or a list, read by `open` */
	void (*open)(struct reader *reader, const struct key *key, const struct yaml_tree *tree,
		     const char *path, void *into);
	size_t at; /* where in its struct */
	bool needed;
	enum reason reason; /* of a value that is missing or wrong, if it has one of its own */
	const void *more;   /* words, a list of codes, a table: as `parse` or `open` wants */
	const char *help;   /* what it is: the end of "KEY is missing: …" */
};

struct table {
	const struct key *keys;
	size_t count;
	size_t struct_bytes;
	const void *preset; /* of the struct */
};

/* ---- what is wrong, and where ---- */

static bool is_before(struct yaml_place a, struct yaml_place b)
{
	return a.line != b.line ? a.line < b.line : a.column < b.column;
}

/* In order of place, whatever the order of finding. */
static void add_fault(struct reader *reader, struct yaml_place place, enum reason reason,
		      const char *sentence)
{
	struct sidecar *sidecar = reader->sidecar;
	char where[ERR_WHERE];
	size_t at = sidecar->fault_count;

	if (at == SIDECAR_FAULTS)
		return;
	sidecar->fault_count++;
	for (; at > 0 && is_before(place, reader->places[at - 1]); at--) {
		reader->places[at] = reader->places[at - 1];
		sidecar->faults[at] = sidecar->faults[at - 1];
	}
	reader->places[at] = place;
	snprintf(where, sizeof(where), "line %u, column %u", place.line, place.column);
	err_refuse(&sidecar->faults[at], reason ? reason : REASON_SIDECAR_INVALID, where, "%s",
		   sentence);
}

static void complain(struct reader *reader, struct yaml_place place, enum reason reason,
		     const char *format, ...) printf_like(4, 5);

static void complain(struct reader *reader, struct yaml_place place, enum reason reason,
		     const char *format, ...)
{
	char sentence[ERR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	add_fault(reader, place, reason, sentence);
}

static void on_yaml_fault(void *arg, struct yaml_place place, const char *sentence)
{
	add_fault(arg, place, REASON_NONE, sentence);
}

/* ---- values ---- */

static void keep(struct reader *reader, struct slice text, void *field)
{
	*(const char **)field = arena_dup(reader->arena, text);
}

static const char *parse_text(struct reader *reader, const struct key *key, struct slice text,
			      void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return "one line of text";
	if (text.n > MOST_TEXT)
		return "a text of 256 bytes at most";
	keep(reader, text, field);
	return NULL;
}

/* An identifier: no blank, none of the separators of HL7. */
static const char *parse_id(struct reader *reader, const struct key *key, struct slice text,
			    void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] > '~' ||
		    strchr("^&|~", text.p[i]) != NULL)
			return "an identifier (no blank, none of ^ & | ~)";
	if (text.n > OID_TEXT - 1)
		return "an identifier of 64 characters at most";
	keep(reader, text, field);
	return NULL;
}

static const char *parse_oid(struct reader *reader, const struct key *key, struct slice text,
			     void *field)
{
	(void)key;
	keep(reader, text, field);
	return oid_is_valid(*(const char **)field) ? NULL : "an OID (numbers and dots)";
}

static const char *parse_ins(struct reader *reader, const struct key *key, struct slice text,
			     void *field)
{
	struct err err;

	(void)key;
	keep(reader, text, field);
	return ins_check(*(const char **)field, &err) == 0
		       ? NULL
		       : "an INS: 15 characters, the last two being the key of the others";
}

static const char *parse_ins_oid(struct reader *reader, const struct key *key, struct slice text,
				 void *field)
{
	(void)key;
	keep(reader, text, field);
	return ins_is_domain(*(const char **)field)
		       ? NULL
		       : "a domain of the INS (1.2.250.1.213.1.4.8 for an INS-NIR, .9 for an "
			 "INS-NIA)";
}

static const char *parse_finess(struct reader *reader, const struct key *key, struct slice text,
				void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == 'A' ||
		      text.p[i] == 'B'))
			text.n = 0;
	if (text.n != FINESS)
		return "a FINESS: nine characters, in quotes";
	keep(reader, text, field);
	return NULL;
}

static const char *parse_insee(struct reader *reader, const struct key *key, struct slice text,
			       void *field)
{
	(void)key;
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		      (i == 1 && (text.p[i] == 'A' || text.p[i] == 'B'))))
			text.n = 0;
	if (text.n != INSEE)
		return "the INSEE code of a town or country: five characters, in quotes";
	keep(reader, text, field);
	return NULL;
}

static const char *parse_word(struct reader *reader, const struct key *key, struct slice text,
			      void *field)
{
	for (const char *const *word = key->more; *word != NULL; word++)
		if (slice_is(text, *word)) {
			keep(reader, text, field);
			return NULL;
		}
	return key->help;
}

static const char *parse_status(struct reader *reader, const struct key *key, struct slice text,
				void *field)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 'A' || text.p[i] > 'Z')
			return key->help;
	if (text.n > 8)
		return key->help;
	keep(reader, text, field);
	return NULL;
}

static const char *parse_version(struct reader *reader, const struct key *key, struct slice text,
				 void *field)
{
	(void)reader;
	(void)key;
	if (!slice_to_u64(text, MOST_VERSION, field) || *(uint64_t *)field == 0)
		return "a number from 1 on";
	return NULL;
}

static const char *parse_code(struct reader *reader, const struct key *key, struct slice text,
			      void *field)
{
	const enum valueset_list list = *(const enum valueset_list *)key->more;
	scoped(buf_done) struct buf nearest = { 0 };

	keep(reader, text, field);
	if (valueset_find(reader->context->valuesets, list, *(const char **)field, NULL) != NULL)
		return NULL;
	valueset_nearest(reader->context->valuesets, list, *(const char **)field, NULL, &nearest);
	return arena_printf(reader->arena, "in the DMP's list; nearest: %s", buf_slice(&nearest).p);
}

/* ISO 8601 and HL7 differ by their separators: what remains without them is HL7's, but for Z. */
static struct slice without_separators(struct reader *reader, struct slice text)
{
	char *digits = arena_alloc(reader->arena, text.n + 5 + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool is_zone = c == '+' || (c == '-' && n >= MINUTE_DIGITS);

		if (is_zone || (c != '-' && c != ':' && c != 'T' && c != ' ' && c != 'Z'))
			digits[n++] = c;
		if (c == 'Z' && i + 1 == text.n)
			memcpy(digits + n, "+0000", 5), n += 5;
	}
	return (struct slice){ digits, n };
}

/* Digits at the start. */
static size_t precision_of(struct slice hl7)
{
	size_t n = 0;

	while (n < hl7.n && hl7.p[n] >= '0' && hl7.p[n] <= '9')
		n++;
	return n;
}

/* A day, or a moment with its zone: without one, the gateway's own. Fractions are left out. */
static bool read_time(struct reader *reader, struct slice text, bool *ret_is_day, void *field)
{
	struct slice hl7 = without_separators(reader, text);
	size_t digits = precision_of(hl7);
	char local[CLOCK_TEXT];
	struct err err;
	int64_t time_ms;
	bool zoned;

	*ret_is_day = digits == DATE_DIGITS;
	if ((digits != DATE_DIGITS && digits != MINUTE_DIGITS && digits != SECOND_DIGITS) ||
	    (*ret_is_day && hl7.n > digits) || clock_parse_hl7(hl7, &time_ms, &zoned, &err) < 0)
		return false;
	if (*ret_is_day)
		keep(reader, hl7, field);
	else if (!zoned)
		keep(reader, slice_of(clock_hl7(time_ms, local)), field);
	else
		*(const char **)field =
			arena_printf(reader->arena, "%.*s%s%.5s", (int)digits, hl7.p,
				     digits == MINUTE_DIGITS ? "00" : "", hl7.p + hl7.n - 5);
	return true;
}

static const char *parse_day(struct reader *reader, const struct key *key, struct slice text,
			     void *field)
{
	bool is_day;

	(void)key;
	return read_time(reader, text, &is_day, field) && is_day ? NULL : "a day (YYYY-MM-DD)";
}

static const char *parse_moment(struct reader *reader, const struct key *key, struct slice text,
				void *field)
{
	bool is_day;

	(void)key;
	return read_time(reader, text, &is_day, field) && !is_day
		       ? NULL
		       : "a moment (2026-11-20T10:15:00+01:00)";
}

static const char *parse_time(struct reader *reader, const struct key *key, struct slice text,
			      void *field)
{
	bool is_day;

	(void)key;
	return read_time(reader, text, &is_day, field)
		       ? NULL
		       : "a moment (2026-11-20T10:15:00+01:00) or a day (2026-11-20)";
}

/* ---- the keys ---- */

static void open_map(struct reader *reader, const struct key *key, const struct yaml_tree *tree,
		     const char *path, void *into);
static void open_hidden_from(struct reader *reader, const struct key *key,
			     const struct yaml_tree *tree, const char *path, void *into);

static const enum valueset_list types = VALUESET_TYPE, practices = VALUESET_PRACTICE,
				sectors = VALUESET_FACILITY, specialties = VALUESET_SPECIALTY;
static const char *const confidentialities[] = { "N", "R", "V", NULL };
static const char *const sexes[] = { "M", "F", "U", NULL };
static const char *const classes[] = { "I", "O", "E", "R", "N", NULL };

#define IN(type, member) .at = offsetof(struct type, member)

/* clang-format off */
static const struct key person_keys[] = {
	{ "id", parse_id, IN(sidecar_person, id), .needed = true,
	  .help = "the national identifier of the person (8 and the RPPS number), in quotes" },
	{ "family", parse_text, IN(sidecar_person, family), .needed = true,
	  .help = "the family name of the person" },
	{ "given", parse_text, IN(sidecar_person, given), .needed = true,
	  .help = "the first name of the person" },
	{ "prefix", parse_text, IN(sidecar_person, prefix),
	  .help = "what stands before the name, like DR" },
	{ "specialty", parse_code, IN(sidecar_person, specialty), .more = &specialties,
	  .help = "profession and know-how, like G15_10/SM26" },
	{ "finess", parse_finess, IN(sidecar_person, finess),
	  .help = "the FINESS of where the person works, when that is not the site" },
	{ "organisation", parse_text, IN(sidecar_person, organisation),
	  .help = "what that place is called" },
};
static const struct sidecar_person person_preset = {
	.id = "", .family = "", .given = "", .prefix = "", .specialty = "",
	.finess = "", .organisation = "",
};
static const struct table person = { person_keys, length_of(person_keys),
				     sizeof(struct sidecar_person), &person_preset };

static const struct key patient_keys[] = {
	{ "ins", parse_ins, IN(sidecar_patient, ins), .needed = true, .reason = REASON_INS_MISSING,
	  .help = "the INS of the patient, 15 characters in quotes" },
	{ "ins_oid", parse_ins_oid, IN(sidecar_patient, ins_oid),
	  .help = "the domain of the INS" },
	{ "identity", parse_status, IN(sidecar_patient, identity), .needed = true,
	  .help = "the status of the identity (VALI when it is qualified, PROV, VIDE…)" },
	{ "id", parse_id, IN(sidecar_patient, id),
	  .help = "the local identifier of the patient (IPP)" },
	{ "id_oid", parse_oid, IN(sidecar_patient, id_oid),
	  .help = "the OID of the domain of that identifier" },
	{ "family", parse_text, IN(sidecar_patient, family), .needed = true,
	  .help = "the family name at birth" },
	{ "given", parse_text, IN(sidecar_patient, given), .needed = true,
	  .help = "the first of the names at birth" },
	{ "given_names", parse_text, IN(sidecar_patient, given_names),
	  .help = "all first names of the birth certificate" },
	{ "sex", parse_word, IN(sidecar_patient, sex), .needed = true, .more = sexes,
	  .help = "the sex of the patient: M, F or U" },
	{ "birth_date", parse_day, IN(sidecar_patient, birth_date), .needed = true,
	  .help = "the day of birth (YYYY-MM-DD)" },
	{ "birth_place", parse_insee, IN(sidecar_patient, birth_place), .needed = true,
	  .help = "the INSEE code of the place of birth, in quotes" },
};
static const struct sidecar_patient patient_preset = {
	.ins = "", .ins_oid = "", .identity = "", .id = "", .id_oid = "", .family = "", .given = "",
	.given_names = "", .sex = "", .birth_date = "", .birth_place = "",
};
static const struct table patient = { patient_keys, length_of(patient_keys),
				      sizeof(struct sidecar_patient), &patient_preset };

static const struct key act_keys[] = {
	{ "start", parse_time, IN(sidecar_act, start),
	  .help = "when the documented act began" },
	{ "stop", parse_time, IN(sidecar_act, stop),
	  .help = "when it ended" },
	{ "code", parse_id, IN(sidecar_act, code),
	  .help = "the code of the act (CCAM, LOINC…)" },
	{ "code_system", parse_oid, IN(sidecar_act, code_system),
	  .help = "the OID of the list that this code is of" },
	{ "code_name", parse_text, IN(sidecar_act, code_name),
	  .help = "what that list calls it" },
	{ "practice", parse_code, IN(sidecar_act, practice), .more = &practices,
	  .help = "the setting of the act, like ETABLISSEMENT or AMBULATOIRE" },
	{ "performer", NULL, open_map, IN(sidecar_act, performer), .more = &person,
	  .help = "who performed the act" },
};
static const struct sidecar_act act_preset = {
	.start = "", .stop = "", .code = "", .code_system = "", .code_name = "",
	.practice = "ETABLISSEMENT",
};
static const struct table act = { act_keys, length_of(act_keys), sizeof(struct sidecar_act),
				  &act_preset };

static const struct key stay_keys[] = {
	{ "class", parse_word, IN(sidecar_stay, class), .more = classes,
	  .help = "the class of the visit: I, O, E, R or N" },
	{ "number", parse_id, IN(sidecar_stay, number),
	  .help = "the number of the visit" },
	{ "number_oid", parse_oid, IN(sidecar_stay, number_oid),
	  .help = "the OID of the domain of that number" },
	{ "unit", parse_id, IN(sidecar_stay, unit),
	  .help = "the unit (UF)" },
	{ "start", parse_time, IN(sidecar_stay, start),
	  .help = "when the stay began" },
	{ "stop", parse_time, IN(sidecar_stay, stop),
	  .help = "when it ended" },
	{ "sector", parse_code, IN(sidecar_stay, sector), .more = &sectors,
	  .help = "the sector of activity, like SA01, when it is not the site's" },
};
static const struct sidecar_stay stay_preset = {
	.class = "", .number = "", .number_oid = "", .unit = "", .start = "", .stop = "", .sector = "",
};
static const struct table stay = { stay_keys, length_of(stay_keys), sizeof(struct sidecar_stay),
				   &stay_preset };

static const struct key sidecar_keys_[] = {
	{ "type", parse_code, IN(sidecar, type), .needed = true, .more = &types,
	  .reason = REASON_TYPE_NOT_ACCEPTED,
	  .help = "the code of the type of document, like 11490-0" },
	{ "title", parse_text, IN(sidecar, title),
	  .help = "the title of the document" },
	{ "date", parse_moment, IN(sidecar, date), .needed = true,
	  .help = "when the document was written (2026-11-20T10:15:00+01:00)" },
	{ "confidentiality", parse_word, IN(sidecar, confidentiality), .more = confidentialities,
	  .help = "N (normal), R or V" },
	{ "hidden_from", NULL, open_hidden_from,
	  .help = "a list of professionals, patient, guardians" },
	{ "site", parse_finess, IN(sidecar, site),
	  .help = "the geographic FINESS of the site, when it is not the folder's" },
	{ "replaces", parse_oid, IN(sidecar, replaces),
	  .help = "the OID of the document that this one replaces" },
	{ "version", parse_version, IN(sidecar, version),
	  .help = "the number of the version" },
	{ "set_id", parse_oid, IN(sidecar, set_id),
	  .help = "the OID that all versions of the document share" },
	{ "patient", NULL, open_map, IN(sidecar, patient), .needed = true, .more = &patient,
	  .help = "the patient, with keys below it" },
	{ "author", NULL, open_map, IN(sidecar, author), .needed = true, .more = &person,
	  .help = "who wrote the document, with keys below it" },
	{ "legal_authenticator", NULL, open_map, IN(sidecar, legal_authenticator), .more = &person,
	  .help = "who answers for it" },
	{ "act", NULL, open_map, IN(sidecar, act), .more = &act,
	  .help = "the documented act" },
	{ "stay", NULL, open_map, IN(sidecar, stay), .more = &stay,
	  .help = "the stay or visit" },
};
/* clang-format on */
static const struct sidecar sidecar_preset = {
	.type = "",
	.title = "",
	.date = "",
	.confidentiality = "N",
	.site = "",
	.replaces = "",
	.set_id = "",
};
static const struct table whole = { sidecar_keys_, length_of(sidecar_keys_), sizeof(struct sidecar),
				    &sidecar_preset };

/* ---- from the tree to the structs ---- */

static const struct key *find_key(const struct table *table, struct slice name)
{
	for (size_t i = 0; i < table->count; i++)
		if (slice_is(name, table->keys[i].name))
			return &table->keys[i];
	return NULL;
}

/* A key that was mistyped may be shown; what else stands where a key should may be anything. */
static bool looks_like_a_key(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_'))
			return false;
	return name.n > 0 && name.n <= LONGEST_KEY;
}

static void complain_of_key(struct reader *reader, const struct table *table,
			    const struct yaml_tree *entry)
{
	scoped(buf_done) struct buf known = { 0 };
	bool shown = looks_like_a_key(entry->key);

	for (size_t i = 0; i < table->count; i++)
		buf_addf(&known, "%s%s", i > 0 ? ", " : "", table->keys[i].name);
	complain(reader, entry->key_place, REASON_NONE, "%.*s is not a key here: known are %s",
		 shown ? (int)entry->key.n : 4, shown ? entry->key.p : "this", known.p);
}

static void read_text(struct reader *reader, const struct key *key, const struct yaml_tree *tree,
		      const char *path, void *into)
{
	struct slice text = slice_trim(tree->text);
	const char *right;

	if (tree->kind != TREE_TEXT || yaml_tree_is_null(tree) || text.n == 0) {
		if (tree->kind != TREE_REFUSED)
			complain(reader, tree->place, key->reason, "%s%s is empty: %s", path,
				 key->name, key->help);
		return;
	}
	right = key->parse(reader, key, text, (char *)into + key->at);
	if (right != NULL)
		complain(reader, tree->place,
			 key->reason == REASON_INS_MISSING ? REASON_INS_INVALID : key->reason,
			 "%s%s is not %s", path, key->name, right);
}

static void read_map(struct reader *reader, const struct table *table, const struct yaml_tree *map,
		     const char *path, void *into)
{
	const struct yaml_tree *tree;

	for (const struct yaml_tree *entry = map->first; entry != NULL; entry = entry->next)
		if (find_key(table, entry->key) == NULL)
			complain_of_key(reader, table, entry);
	for (const struct key *key = table->keys; key < table->keys + table->count; key++) {
		tree = yaml_tree_find(map, slice_of(key->name));
		if (tree == NULL && key->needed)
			complain(reader, map->key.n ? map->key_place : map->place, key->reason,
				 "%s%s is missing: %s", path, key->name, key->help);
		else if (tree != NULL && key->parse == NULL)
			key->open(reader, key, tree, path, into);
		else if (tree != NULL)
			read_text(reader, key, tree, path, into);
	}
}

static void *new_struct(struct reader *reader, const struct table *table)
{
	void *fresh = arena_alloc(reader->arena, table->struct_bytes);

	memcpy(fresh, table->preset, table->struct_bytes);
	return fresh;
}

static void open_map(struct reader *reader, const struct key *key, const struct yaml_tree *tree,
		     const char *path, void *into)
{
	const struct table *table = key->more;
	void *fresh = new_struct(reader, table);

	memcpy((char *)into + key->at, &fresh, sizeof(fresh));
	if (tree->kind == TREE_MAP)
		read_map(reader, table, tree, arena_printf(reader->arena, "%s%s.", path, key->name),
			 fresh);
	else if (tree->kind != TREE_REFUSED)
		complain(reader, tree->place, REASON_NONE,
			 "%s%s has no value of its own: write its keys on lines below it, indented",
			 path, key->name);
}

static void open_hidden_from(struct reader *reader, const struct key *key,
			     const struct yaml_tree *tree, const char *path, void *into)
{
	struct sidecar *sidecar = into;
	const struct {
		const char *word;
		bool *flag;
	} words[] = { { "professionals", &sidecar->hidden_from_professionals },
		      { "patient", &sidecar->hidden_from_patient },
		      { "guardians", &sidecar->hidden_from_guardians } };
	size_t i;

	if (tree->kind != TREE_LIST) {
		complain(reader, tree->place, REASON_NONE, "%s%s is not %s", path, key->name,
			 key->help);
		return;
	}
	sidecar->hidden_from_nobody = tree->first == NULL;
	for (const struct yaml_tree *entry = tree->first; entry != NULL; entry = entry->next) {
		for (i = 0; i < length_of(words) && !slice_is(entry->text, words[i].word); i++)
			;
		if (i < length_of(words))
			*words[i].flag = true;
		else
			complain(reader, entry->place, REASON_NONE,
				 "%s%s knows professionals, patient and guardians", path,
				 key->name);
	}
}

/* ---- what must hold between keys, and what follows from silence ---- */

static void check_couples(struct reader *reader, const struct yaml_tree *tree)
{
	const struct sidecar *sidecar = reader->sidecar;
	const struct {
		const char *one, *other;
		const char *one_value, *other_value;
	} couples[] = {
		{ "patient.id", "patient.id_oid", sidecar->patient->id, sidecar->patient->id_oid },
		{ "act.code", "act.code_system", sidecar->act->code, sidecar->act->code_system },
		{ "stay.number", "stay.number_oid", sidecar->stay->number,
		  sidecar->stay->number_oid },
	};

	for (size_t i = 0; i < length_of(couples); i++)
		if ((couples[i].one_value[0] == '\0') != (couples[i].other_value[0] == '\0'))
			complain(reader, tree->place, REASON_NONE,
				 "%s and %s go together: write both or neither", couples[i].one,
				 couples[i].other);
	if (sidecar->version > 1 && sidecar->replaces[0] == '\0')
		complain(reader, tree->place, REASON_NONE,
			 "version %llu replaces another: write in replaces which document it is",
			 (unsigned long long)sidecar->version);
	if (sidecar->version == 1 && sidecar->replaces[0] != '\0')
		complain(reader, tree->place, REASON_NONE,
			 "a document that replaces another has a version from 2 on");
}

static void fill_silence(struct reader *reader)
{
	struct sidecar *sidecar = reader->sidecar;

	if (sidecar->patient == NULL)
		sidecar->patient = new_struct(reader, &patient);
	if (sidecar->author == NULL)
		sidecar->author = new_struct(reader, &person);
	if (sidecar->legal_authenticator == NULL)
		sidecar->legal_authenticator = sidecar->author;
	if (sidecar->act == NULL)
		sidecar->act = new_struct(reader, &act);
	if (sidecar->act->performer == NULL)
		sidecar->act->performer = sidecar->author;
	if (sidecar->act->start[0] == '\0')
		sidecar->act->start = sidecar->date;
	if (sidecar->stay == NULL)
		sidecar->stay = new_struct(reader, &stay);
	if (sidecar->stay->start[0] == '\0')
		sidecar->stay->start = sidecar->act->start;
	if (sidecar->patient->given_names[0] == '\0')
		sidecar->patient->given_names = sidecar->patient->given;
	if (sidecar->patient->ins_oid[0] == '\0')
		sidecar->patient->ins_oid = reader->context->environment == ENVIRONMENT_PRODUCTION
						    ? INS_OID_NIR
						    : INS_OID_TEST;
	if (sidecar->version == 0)
		sidecar->version = sidecar->replaces[0] ? 2 : 1;
}

int sidecar_read(struct sidecar *sidecar, struct slice yaml, const struct sidecar_context *context,
		 struct arena *arena, struct err *err)
{
	struct reader reader = { .arena = arena, .context = context, .sidecar = sidecar };
	const struct yaml_tree *tree;

	*sidecar = sidecar_preset;
	sidecar->faults = arena_alloc(arena, SIDECAR_FAULTS * sizeof(*sidecar->faults));
	tree = yaml_tree_read(yaml, arena, on_yaml_fault, &reader);
	if (tree != NULL && tree->kind == TREE_MAP)
		read_map(&reader, &whole, tree, "", sidecar);
	else if (tree != NULL)
		complain(&reader, tree->place, REASON_NONE,
			 "a sidecar is made of keys: write key: value, one a line");
	fill_silence(&reader);
	if (tree != NULL && tree->kind == TREE_MAP)
		check_couples(&reader, tree);
	if (sidecar->fault_count == 0)
		return 0;
	*err = sidecar->faults[0];
	return -1;
}

static void list_keys(const struct table *table, const char *within,
		      void (*each)(void *arg, const char *key, bool is_needed), void *arg)
{
	for (const struct key *key = table->keys; key < table->keys + table->count; key++) {
		scoped(free_ptr) char *name = xasprintf("%s%s", within, key->name);
		scoped(free_ptr) char *group = xasprintf("%s.", name);

		if (key->open == open_map)
			list_keys(key->more, group, each, arg);
		else
			each(arg, name, key->needed);
	}
}

void sidecar_keys(void (*each)(void *arg, const char *key, bool is_needed), void *arg)
{
	list_keys(&whole, "", each, arg);
}
