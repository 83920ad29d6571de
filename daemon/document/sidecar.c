/* The sidecar: tables say which keys there are and what may stand behind each. Any thread. */
#include "document/sidecar_values.h"

#include <stdarg.h>
#include <stdio.h>

enum { LONGEST_KEY = 32 };

struct table {
	const struct sidecar_key *keys;
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
static void add_fault(struct sidecar_reader *reader, struct yaml_place place, enum reason reason,
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

static void complain(struct sidecar_reader *reader, struct yaml_place place, enum reason reason,
		     const char *format, ...) printf_like(4, 5);

static void complain(struct sidecar_reader *reader, struct yaml_place place, enum reason reason,
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

/* ---- the keys ---- */

static void open_map(struct sidecar_reader *reader, const struct sidecar_key *key,
		     const struct yaml_tree *tree, const char *path, void *into);
static void open_hidden_from(struct sidecar_reader *reader, const struct sidecar_key *key,
			     const struct yaml_tree *tree, const char *path, void *into);

static const enum valueset_list types = VALUESET_TYPE, practices = VALUESET_PRACTICE,
				sectors = VALUESET_FACILITY, specialties = VALUESET_SPECIALTY;
static const char *const confidentialities[] = { "N", "R", "V", NULL };
static const char *const sexes[] = { "M", "F", "U", NULL };
static const char *const classes[] = { "I", "O", "E", "R", "N", NULL };

#define IN(type, member) .at = offsetof(struct type, member)

/* clang-format off */
static const struct sidecar_key person_keys[] = {
	{ "id", sidecar_parse_id, IN(sidecar_person, id), .needed = true,
	  .help = "the national identifier of the person (8 and the RPPS number), in quotes" },
	{ "family", sidecar_parse_text, IN(sidecar_person, family), .needed = true,
	  .help = "the family name of the person" },
	{ "given", sidecar_parse_text, IN(sidecar_person, given), .needed = true,
	  .help = "the first name of the person" },
	{ "prefix", sidecar_parse_text, IN(sidecar_person, prefix),
	  .help = "what stands before the name, like DR" },
	{ "specialty", sidecar_parse_code, IN(sidecar_person, specialty), .more = &specialties,
	  .help = "profession and know-how, like G15_10/SM26" },
	{ "finess", sidecar_parse_finess, IN(sidecar_person, finess),
	  .help = "the FINESS of where the person works, when that is not the site" },
	{ "organisation", sidecar_parse_text, IN(sidecar_person, organisation),
	  .help = "what that place is called" },
};
static const struct sidecar_person person_preset = {
	.id = "", .family = "", .given = "", .prefix = "", .specialty = "",
	.finess = "", .organisation = "",
};
static const struct table person = { person_keys, length_of(person_keys),
				     sizeof(struct sidecar_person), &person_preset };

/* Whoever is not qualified may have no INS yet: the hospital's own number then says who it is, once it is. */
static bool waits_for_ins(const struct yaml_tree *map)
{
	const struct yaml_tree *status = yaml_tree_find(map, slice_of("identity"));

	return status != NULL && !slice_is(status->text, "VALI") &&
	       yaml_tree_find(map, slice_of("id")) != NULL;
}

static const struct sidecar_key patient_keys[] = {
	{ "ins", sidecar_parse_ins, IN(sidecar_patient, ins), .needed = true, .spared = waits_for_ins,
	  .reason = REASON_INS_MISSING,
	  .help = "the INS of the patient, 15 characters in quotes" },
	{ "ins_oid", sidecar_parse_ins_oid, IN(sidecar_patient, ins_oid),
	  .help = "the domain of the INS" },
	{ "identity", sidecar_parse_status, IN(sidecar_patient, identity), .needed = true,
	  .help = "the status of the identity (VALI when it is qualified, PROV, VIDE…)" },
	{ "id", sidecar_parse_id, IN(sidecar_patient, id),
	  .help = "the local identifier of the patient (IPP)" },
	{ "id_oid", sidecar_parse_oid, IN(sidecar_patient, id_oid),
	  .help = "the OID of the domain of that identifier" },
	{ "family", sidecar_parse_text, IN(sidecar_patient, family), .needed = true,
	  .help = "the family name at birth" },
	{ "given", sidecar_parse_text, IN(sidecar_patient, given), .needed = true,
	  .help = "the first of the names at birth" },
	{ "given_names", sidecar_parse_text, IN(sidecar_patient, given_names),
	  .help = "all first names of the birth certificate" },
	{ "sex", sidecar_parse_word, IN(sidecar_patient, sex), .needed = true, .more = sexes,
	  .help = "the sex of the patient: M, F or U" },
	{ "birth_date", sidecar_parse_day, IN(sidecar_patient, birth_date), .needed = true,
	  .help = "the day of birth (YYYY-MM-DD)" },
	{ "birth_place", sidecar_parse_insee, IN(sidecar_patient, birth_place), .needed = true,
	  .help = "the INSEE code of the place of birth, in quotes" },
};
static const struct sidecar_patient patient_preset = {
	.ins = "", .ins_oid = "", .identity = "", .id = "", .id_oid = "", .family = "", .given = "",
	.given_names = "", .sex = "", .birth_date = "", .birth_place = "",
};
static const struct table patient = { patient_keys, length_of(patient_keys),
				      sizeof(struct sidecar_patient), &patient_preset };

static const struct sidecar_key act_keys[] = {
	{ "start", sidecar_parse_time, IN(sidecar_act, start),
	  .help = "when the documented act began" },
	{ "stop", sidecar_parse_time, IN(sidecar_act, stop),
	  .help = "when it ended" },
	{ "code", sidecar_parse_id, IN(sidecar_act, code),
	  .help = "the code of the act (CCAM, LOINC…)" },
	{ "code_system", sidecar_parse_oid, IN(sidecar_act, code_system),
	  .help = "the OID of the list that this code is of" },
	{ "code_name", sidecar_parse_text, IN(sidecar_act, code_name),
	  .help = "what that list calls it" },
	{ "practice", sidecar_parse_code, IN(sidecar_act, practice), .more = &practices,
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

static const struct sidecar_key stay_keys[] = {
	{ "class", sidecar_parse_word, IN(sidecar_stay, class), .more = classes,
	  .help = "the class of the visit: I, O, E, R or N" },
	{ "number", sidecar_parse_id, IN(sidecar_stay, number),
	  .help = "the number of the visit" },
	{ "number_oid", sidecar_parse_oid, IN(sidecar_stay, number_oid),
	  .help = "the OID of the domain of that number" },
	{ "unit", sidecar_parse_id, IN(sidecar_stay, unit),
	  .help = "the unit (UF)" },
	{ "start", sidecar_parse_time, IN(sidecar_stay, start),
	  .help = "when the stay began" },
	{ "stop", sidecar_parse_time, IN(sidecar_stay, stop),
	  .help = "when it ended" },
	{ "sector", sidecar_parse_code, IN(sidecar_stay, sector), .more = &sectors,
	  .help = "the sector of activity, like SA01, when it is not the site's" },
};
static const struct sidecar_stay stay_preset = {
	.class = "", .number = "", .number_oid = "", .unit = "", .start = "", .stop = "", .sector = "",
};
static const struct table stay = { stay_keys, length_of(stay_keys), sizeof(struct sidecar_stay),
				   &stay_preset };

static const struct sidecar_key sidecar_keys_[] = {
	{ "type", sidecar_parse_code, IN(sidecar, type), .needed = true, .more = &types,
	  .reason = REASON_TYPE_NOT_ACCEPTED,
	  .help = "the code of the type of document, like 11490-0" },
	{ "title", sidecar_parse_text, IN(sidecar, title),
	  .help = "the title of the document" },
	{ "date", sidecar_parse_moment, IN(sidecar, date), .needed = true,
	  .help = "when the document was written (2026-11-20T10:15:00+01:00)" },
	{ "confidentiality", sidecar_parse_word, IN(sidecar, confidentiality), .more = confidentialities,
	  .help = "N (normal), R or V" },
	{ "hidden_from", NULL, open_hidden_from,
	  .help = "a list of professionals, patient, guardians" },
	{ "secret_connection", sidecar_parse_flag, IN(sidecar, secret_connection),
	  .help = "true for the care of a minor that the guardians must not hear of" },
	{ "site", sidecar_parse_finess, IN(sidecar, site),
	  .help = "the geographic FINESS of the site, when it is not the folder's" },
	{ "replaces", sidecar_parse_oid, IN(sidecar, replaces),
	  .help = "the OID of the document that this one replaces" },
	{ "version", sidecar_parse_version, IN(sidecar, version),
	  .help = "the number of the version" },
	{ "set_id", sidecar_parse_oid, IN(sidecar, set_id),
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

static const struct sidecar_key *find_key(const struct table *table, struct slice name)
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

static void complain_of_key(struct sidecar_reader *reader, const struct table *table,
			    const struct yaml_tree *entry)
{
	scoped(buf_done) struct buf known = { 0 };
	bool shown = looks_like_a_key(entry->key);

	for (size_t i = 0; i < table->count; i++)
		buf_addf(&known, "%s%s", i > 0 ? ", " : "", table->keys[i].name);
	complain(reader, entry->key_place, REASON_NONE, "%.*s is not a key here: known are %s",
		 shown ? (int)entry->key.n : 4, shown ? entry->key.p : "this", known.p);
}

static void read_text(struct sidecar_reader *reader, const struct sidecar_key *key,
		      const struct yaml_tree *tree, const char *path, void *into)
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

static void read_map(struct sidecar_reader *reader, const struct table *table,
		     const struct yaml_tree *map, const char *path, void *into)
{
	const struct yaml_tree *tree;

	for (const struct yaml_tree *entry = map->first; entry != NULL; entry = entry->next)
		if (find_key(table, entry->key) == NULL)
			complain_of_key(reader, table, entry);
	for (const struct sidecar_key *key = table->keys; key < table->keys + table->count; key++) {
		tree = yaml_tree_find(map, slice_of(key->name));
		if (tree == NULL && key->needed && (key->spared == NULL || !key->spared(map)))
			complain(reader, map->key.n ? map->key_place : map->place, key->reason,
				 "%s%s is missing: %s", path, key->name, key->help);
		else if (tree != NULL && key->parse == NULL)
			key->open(reader, key, tree, path, into);
		else if (tree != NULL)
			read_text(reader, key, tree, path, into);
	}
}

static void *new_struct(struct sidecar_reader *reader, const struct table *table)
{
	void *fresh = arena_alloc(reader->arena, table->struct_bytes);

	memcpy(fresh, table->preset, table->struct_bytes);
	return fresh;
}

static void open_map(struct sidecar_reader *reader, const struct sidecar_key *key,
		     const struct yaml_tree *tree, const char *path, void *into)
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

static void open_hidden_from(struct sidecar_reader *reader, const struct sidecar_key *key,
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

static void check_couples(struct sidecar_reader *reader, const struct yaml_tree *tree)
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

static void fill_silence(struct sidecar_reader *reader)
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
	struct sidecar_reader reader = { .arena = arena, .context = context, .sidecar = sidecar };
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
	for (const struct sidecar_key *key = table->keys; key < table->keys + table->count; key++) {
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
