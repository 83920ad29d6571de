/* The metadata as JSON and back: one table per struct says its members, for both directions. Any
 * thread.
 */
#include <inttypes.h>
#include <jansson.h>

#include "base/xml.h"
#include "document/metadata.h"
#include "document/oid.h"

/* A mark is a flag that came later: it is only written when it is set, so that what was digested before it
 * came has the same digest now.
 */
enum kind { TEXT, TIME, FLAG, MARK, ACTION, SOURCE, STRUCT, LIST };

/* A member of a struct: its name, where it is, and for a struct or a list of structs which. */
struct member {
	const char *name;
	size_t name_n;
	enum kind kind;
	size_t at, count_at;
	const struct shape *shape;
};

struct shape {
	const struct member *members;
	size_t count, bytes;
};

#define TEXT_OF(type, m)                                                                           \
	{                                                                                          \
#m, sizeof(#m) - 1, TEXT, offsetof(type, m), 0, NULL                               \
	}
#define FLAG_OF(type, m)                                                                           \
	{                                                                                          \
#m, sizeof(#m) - 1, FLAG, offsetof(type, m), 0, NULL                               \
	}
#define TIME_OF(type, m)                                                                           \
	{                                                                                          \
#m, sizeof(#m) - 1, TIME, offsetof(type, m), 0, NULL                               \
	}
#define STRUCT_OF(type, m, shape)                                                                  \
	{                                                                                          \
#m, sizeof(#m) - 1, STRUCT, offsetof(type, m), 0, shape                            \
	}
#define LIST_OF(type, m, n, shape)                                                                 \
	{                                                                                          \
#m, sizeof(#m) - 1, LIST, offsetof(type, m), offsetof(type, n), shape              \
	}

static const struct member coded_members[] = {
	TEXT_OF(struct coded, code),
	TEXT_OF(struct coded, system),
	TEXT_OF(struct coded, display),
};
static const struct shape coded = { coded_members, length_of(coded_members), sizeof(struct coded) };

static const struct member party_members[] = {
	TEXT_OF(struct party, id),
	TEXT_OF(struct party, ins_oid),
	TEXT_OF(struct party, family),
	TEXT_OF(struct party, given),
	FLAG_OF(struct party, is_system),
	FLAG_OF(struct party, id_is_internal),
	TEXT_OF(struct party, role),
	STRUCT_OF(struct party, specialty, &coded),
	TEXT_OF(struct party, institution_name),
	TEXT_OF(struct party, institution_id),
};
static const struct shape party = { party_members, length_of(party_members), sizeof(struct party) };

#define SOURCE_OF(m)                                                                               \
	{                                                                                          \
#m, sizeof(#m) - 1, SOURCE, offsetof(struct metadata_from, m), 0, NULL             \
	}

static const struct member from_members[] = {
	SOURCE_OF(action),
	SOURCE_OF(unique_id),
	SOURCE_OF(replaces),
	SOURCE_OF(patient_ins),
	SOURCE_OF(source_patient_id),
	SOURCE_OF(patient_traits),
	SOURCE_OF(title),
	SOURCE_OF(language),
	SOURCE_OF(mime_type),
	SOURCE_OF(creation_ms),
	SOURCE_OF(service_start_ms),
	SOURCE_OF(service_stop_ms),
	SOURCE_OF(type),
	SOURCE_OF(class),
	SOURCE_OF(format),
	SOURCE_OF(facility),
	SOURCE_OF(practice),
	SOURCE_OF(content_type),
	SOURCE_OF(confidentialities),
	SOURCE_OF(visibility),
	SOURCE_OF(events),
	SOURCE_OF(authors),
	SOURCE_OF(legal_authenticator),
	SOURCE_OF(sender),
	SOURCE_OF(site),
};
static const struct shape from = { from_members, length_of(from_members),
				   sizeof(struct metadata_from) };

static const struct member metadata_members[] = {
	{ "action", sizeof("action") - 1, ACTION, offsetof(struct metadata, action), 0, NULL },
	TEXT_OF(struct metadata, unique_id),
	TEXT_OF(struct metadata, replaces),
	TEXT_OF(struct metadata, patient_ins),
	TEXT_OF(struct metadata, patient_ins_oid),
	TEXT_OF(struct metadata, source_patient_id),
	TEXT_OF(struct metadata, source_patient_oid),
	FLAG_OF(struct metadata, source_patient_is_ins),
	TEXT_OF(struct metadata, patient_family),
	TEXT_OF(struct metadata, patient_given),
	TEXT_OF(struct metadata, patient_birth_date),
	TEXT_OF(struct metadata, patient_sex),
	TEXT_OF(struct metadata, title),
	TEXT_OF(struct metadata, language),
	TEXT_OF(struct metadata, mime_type),
	TIME_OF(struct metadata, creation_ms),
	TIME_OF(struct metadata, service_start_ms),
	TIME_OF(struct metadata, service_stop_ms),
	STRUCT_OF(struct metadata, type, &coded),
	STRUCT_OF(struct metadata, class, &coded),
	STRUCT_OF(struct metadata, format, &coded),
	STRUCT_OF(struct metadata, facility, &coded),
	STRUCT_OF(struct metadata, practice, &coded),
	STRUCT_OF(struct metadata, content_type, &coded),
	LIST_OF(struct metadata, confidentialities, confidentiality_count, &coded),
	{ "secret_connection", sizeof("secret_connection") - 1, MARK,
	  offsetof(struct metadata, secret_connection), 0, NULL },
	LIST_OF(struct metadata, events, event_count, &coded),
	LIST_OF(struct metadata, authors, author_count, &party),
	STRUCT_OF(struct metadata, legal_authenticator, &party),
	STRUCT_OF(struct metadata, sender, &party),
	TEXT_OF(struct metadata, site),
	STRUCT_OF(struct metadata, from, &from),
};
static const struct shape metadata_shape = { metadata_members, length_of(metadata_members),
					     sizeof(struct metadata) };

/* ---- to JSON ---- */

/* Written straight from the tables: a tree of a hundred values for each document would cost more
 * than reading the document does.
 */
static void write_object(const struct shape *shape, const void *base, struct buf *out);

static int append(const char *bytes, size_t n, void *out)
{
	buf_add(out, (struct slice){ bytes, n });
	return 0;
}

/* What stands in a JSON string as it is. */
static bool is_plain(struct slice text)
{
	uint32_t c;

	for (size_t i = 0; i < text.n;) {
		if (text.p[i] >= ' ' && text.p[i] <= '~') {
			if (text.p[i] == '"' || text.p[i] == '\\')
				return false;
			i++;
			continue;
		}
		if ((unsigned char)text.p[i] < 0x80)
			return false;
		i += xml_char(slice_from(text, i), &c);
		if (c == XML_REPLACEMENT)
			return false;
	}
	return true;
}

/* What is not UTF-8, which no reader lets through, reads as one replacement character. */
static void write_unusual_text(const char *text, struct buf *out)
{
	json_t *string = json_string(text);

	if (string == NULL)
		string = json_string("\xef\xbf\xbd");
	json_dump_callback(string, append, out, JSON_ENCODE_ANY);
	json_decref(string);
}

/* Room for all of it is asked for once: of a document there are hundreds, and twice. */
static void write_text(const char *text, struct buf *out)
{
	const struct slice whole = slice_of(text);
	char *to;

	if (!is_plain(whole))
		return write_unusual_text(text, out);
	to = buf_reserve(out, whole.n + 2);
	if (to == NULL)
		return;
	to[0] = '"';
	memcpy(to + 1, whole.p, whole.n);
	memcpy(to + 1 + whole.n, "\"", 2);
	out->n += whole.n + 2;
}

static void write_name(char before, const struct member *member, struct buf *out)
{
	const size_t n = member->name_n;
	char *to = buf_reserve(out, n + 4);

	if (to == NULL)
		return;
	to[0] = before;
	to[1] = '"';
	memcpy(to + 2, member->name, n);
	memcpy(to + 2 + n, "\":", 3);
	out->n += n + 4;
}

static void write_list(const struct member *member, const char *base, struct buf *out)
{
	const char *items;
	size_t count;

	memcpy(&items, base + member->at, sizeof(items));
	memcpy(&count, base + member->count_at, sizeof(count));
	buf_add_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		write_object(member->shape, items + i * member->shape->bytes, out);
	}
	buf_add_char(out, ']');
}

static void write_value(const struct member *member, const char *base, struct buf *out)
{
	const void *at = base + member->at;

	switch (member->kind) {
	case TEXT:
		write_text(*(const char *const *)at, out);
		break;
	case TIME:
		buf_addf(out, "%" PRId64, *(const int64_t *)at);
		break;
	case FLAG:
	case MARK:
		buf_add_text(out, *(const bool *)at ? "true" : "false");
		break;
	case ACTION:
		write_text(action_text(*(const enum action *)at), out);
		break;
	case SOURCE:
		write_text(metadata_source_text(*(const enum metadata_source *)at), out);
		break;
	case STRUCT:
		write_object(member->shape, at, out);
		break;
	case LIST:
		write_list(member, base, out);
		break;
	}
}

static void write_member(const struct shape *shape, size_t i, const void *base, struct buf *out)
{
	const struct member *member = &shape->members[i];

	if (member->kind == MARK && !*(const bool *)((const char *)base + member->at))
		return;
	write_name(i == 0 ? '{' : ',', member, out);
	write_value(member, base, out);
}

static void write_object(const struct shape *shape, const void *base, struct buf *out)
{
	for (size_t i = 0; i < shape->count; i++)
		write_member(shape, i, base, out);
	buf_add_char(out, '}');
}

void metadata_write(const struct metadata *metadata, struct buf *out)
{
	write_object(&metadata_shape, metadata, out);
}

/* The members that tell a version from the next, or only us: the DMP is not told where a value came from. */
static bool is_of_version(const struct member *member)
{
	static const size_t places[] = {
		offsetof(struct metadata, action),   offsetof(struct metadata, unique_id),
		offsetof(struct metadata, replaces), offsetof(struct metadata, creation_ms),
		offsetof(struct metadata, from),
	};

	for (size_t i = 0; i < length_of(places); i++)
		if (member->at == places[i])
			return true;
	return false;
}

void metadata_write_with_same(const struct metadata *metadata, struct buf *out, struct buf *same)
{
	static const struct metadata no_version = { .unique_id = "", .replaces = "" };

	for (size_t i = 0; i < metadata_shape.count; i++) {
		const size_t start = out->n;

		write_member(&metadata_shape, i, metadata, out);
		if (is_of_version(&metadata_shape.members[i]))
			write_member(&metadata_shape, i, &no_version, same);
		else
			buf_add(same, slice_from(buf_slice(out), start));
	}
	buf_add_char(out, '}');
	buf_add_char(same, '}');
}

/* ---- and back ---- */

static int damaged(struct err *err, const char *name)
{
	return err_set(err, ERR_HALT, "the stored metadata is damaged at \"%s\"", name);
}

static int take_object(const struct shape *shape, const char *name, const json_t *object,
		       void *base, struct arena *arena, struct err *err);

static int take_action(const json_t *json, enum action *ret_action)
{
	static const enum action actions[] = { ACTION_SUBMIT, ACTION_REPLACE, ACTION_DELETE };

	for (size_t i = 0; json_is_string(json) && i < length_of(actions); i++) {
		*ret_action = actions[i];
		if (strcmp(json_string_value(json), action_text(actions[i])) == 0)
			return 0;
	}
	return -1;
}

static int take_source(const json_t *json, enum metadata_source *ret_source)
{
	*ret_source = FROM_NOWHERE;
	if (json == NULL)
		return 0;
	for (enum metadata_source i = 0; json_is_string(json) && i < SOURCE_COUNT; i++) {
		*ret_source = i;
		if (strcmp(json_string_value(json), metadata_source_text(i)) == 0)
			return 0;
	}
	return -1;
}

static int take_list(const struct member *member, const json_t *list, char *base,
		     struct arena *arena, struct err *err)
{
	size_t count = json_array_size(list), bytes = member->shape->bytes;
	char *items = arena_alloc(arena, count * bytes);

	for (size_t i = 0; i < count; i++)
		if (take_object(member->shape, member->name, json_array_get(list, i),
				items + i * bytes, arena, err) < 0)
			return -1;
	memcpy(base + member->at, &items, sizeof(items)); /* there it has a type of its own */
	memcpy(base + member->count_at, &count, sizeof(count));
	return 0;
}

/* NULL: a gateway that did not have it yet stored the document. It is empty then, and check() says
 * whether it may be.
 */
static int take_member(const struct member *member, const json_t *json, char *base,
		       struct arena *arena, struct err *err)
{
	const bool is_there = json != NULL;
	void *at = base + member->at;

	switch (member->kind) {
	case TEXT:
		if (is_there && !json_is_string(json))
			break;
		*(const char **)at = arena_dup(arena, slice_of(json_string_value(json)));
		return 0;
	case TIME:
		if (is_there && !json_is_integer(json))
			break;
		*(int64_t *)at = json_integer_value(json);
		return 0;
	case FLAG:
	case MARK:
		if (is_there && !json_is_boolean(json))
			break;
		*(bool *)at = json_is_true(json);
		return 0;
	case ACTION:
		if (take_action(json, at) < 0)
			break;
		return 0;
	case SOURCE:
		if (take_source(json, at) < 0)
			break;
		return 0;
	case STRUCT:
		return take_object(member->shape, member->name, json, at, arena, err);
	case LIST:
		if (is_there && !json_is_array(json))
			break;
		return take_list(member, json, base, arena, err);
	}
	return damaged(err, member->name);
}

/* Its members, and no other. */
static int take_object(const struct shape *shape, const char *name, const json_t *object,
		       void *base, struct arena *arena, struct err *err)
{
	size_t taken = 0;

	if (object != NULL && !json_is_object(object))
		return damaged(err, name);
	for (size_t i = 0; i < shape->count; i++) {
		const json_t *value = json_object_get(object, shape->members[i].name);

		if (take_member(&shape->members[i], value, base, arena, err) < 0)
			return -1;
		taken += value != NULL;
	}
	return taken == json_object_size(object) ? 0 : damaged(err, name);
}

static bool is_coded(const struct coded *code)
{
	return code->code[0] != '\0' && code->system[0] != '\0';
}

static bool is_party(const struct party *who)
{
	return who->id[0] != '\0' && who->family[0] != '\0' &&
	       (who->ins_oid[0] == '\0' || ins_is_domain(who->ins_oid));
}

static bool are_coded(const struct coded *codes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_coded(&codes[i]))
			return false;
	return true;
}

static bool are_parties(const struct party *parties, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_party(&parties[i]))
			return false;
	return true;
}

/* What metadata_fill() never leaves undone. */
static int check(const struct metadata *metadata, struct err *err)
{
	const bool lacks_ins =
		metadata->patient_ins[0] == '\0' && metadata->patient_ins_oid[0] == '\0';
	bool replaces = metadata->replaces[0] != '\0';
	const struct {
		const char *name;
		bool holds;
	} rules[] = {
		{ "unique_id", oid_is_valid(metadata->unique_id) },
		{ "replaces", metadata->action == ACTION_DELETE ||
				      replaces == (metadata->action == ACTION_REPLACE) },
		{ "patient_ins", lacks_ins || ins_check(metadata->patient_ins, err) == 0 },
		{ "patient_ins_oid", lacks_ins || ins_is_domain(metadata->patient_ins_oid) },
		{ "source_patient_id", metadata->source_patient_id[0] != '\0' },
		{ "source_patient_oid", oid_is_valid(metadata->source_patient_oid) },
		{ "patient_family", metadata->patient_family[0] != '\0' },
		{ "patient_birth_date", strlen(metadata->patient_birth_date) == 8 },
		{ "title", metadata->title[0] != '\0' },
		{ "language", metadata->language[0] != '\0' },
		{ "mime_type", metadata->mime_type[0] != '\0' },
		{ "type", is_coded(&metadata->type) },
		{ "class", is_coded(&metadata->class) },
		{ "format", is_coded(&metadata->format) },
		{ "facility", is_coded(&metadata->facility) },
		{ "practice", is_coded(&metadata->practice) },
		{ "content_type", is_coded(&metadata->content_type) },
		{ "confidentialities",
		  metadata->confidentiality_count > 0 &&
			  are_coded(metadata->confidentialities, metadata->confidentiality_count) },
		{ "events", are_coded(metadata->events, metadata->event_count) },
		{ "authors", metadata->author_count > 0 &&
				     are_parties(metadata->authors, metadata->author_count) },
		{ "legal_authenticator", is_party(&metadata->legal_authenticator) },
		{ "sender", is_party(&metadata->sender) },
		{ "site", metadata->site[0] != '\0' },
	};

	for (size_t i = 0; i < length_of(rules); i++)
		if (!rules[i].holds)
			return damaged(err, rules[i].name);
	return 0;
}

int metadata_parse(struct metadata *metadata, struct slice json, struct arena *arena,
		   struct err *err)
{
	json_error_t error;
	json_t *object = json_loadb(json.p ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (object == NULL)
		return err_set(err, ERR_HALT, "the stored metadata is not JSON (byte %d)",
			       error.position);
	rc = take_object(&metadata_shape, "metadata", object, metadata, arena, err);
	json_decref(object);
	return rc < 0 ? -1 : check(metadata, err);
}
