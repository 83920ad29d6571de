/* Is each member of a request over the control socket of the kind that its readers want? Pure. */
#include "operator/members.h"

#include "operator/answer.h"

/* An empty one would be read as if it were not there: an order to one site, whose name a script did not have, would be an
 * order to all.
 */
static bool is_text(const json_t *value)
{
	return json_string_length(value) > 0;
}

static bool is_flag(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_texts(const json_t *value)
{
	const json_t *each;
	size_t i;

	json_array_foreach(value, i, each) if (!json_is_string(each)) return false;
	return json_is_array(value);
}

/* Of events a number, of an export what it gave itself, which export.c reads. */
static bool is_mark(const json_t *value)
{
	return is_count(value) || json_is_object(value);
}

static const struct kind {
	bool (*fits)(const json_t *value);
	const char *english, *french;
} text = { is_text, "a text in quotes with something in it",
	   "un texte entre guillemets, non vide" },
  flag = { is_flag, "true or false", "true ou false" },
  count = { is_count, "a whole number, 0 or more", "un nombre entier, 0 ou plus" },
  texts = { is_texts, "a list of texts in quotes", "une liste de textes entre guillemets" },
  mark = { is_mark, "the mark of an answer before", "la marque d'une réponse précédente" };

/* All that any command reads, but "limit", which answer_limit() refuses itself: a name is of one kind whatever is asked.
 */
static const struct {
	const char *name;
	const struct kind *kind;
} members[] = {
	{ "command", &text },        { "lang", &text },     { "doc", &text },
	{ "docs", &texts },          { "state", &text },    { "reason", &text },
	{ "site", &text },           { "after", &text },    { "older_than_ms", &count },
	{ "from", &text },           { "to", &text },       { "by", &text },
	{ "actor", &text },          { "file", &text },     { "mapping", &text },
	{ "denominator", &text },    { "mark", &mark },     { "dry_run", &flag },
	{ "force", &flag },          { "rebuild", &flag },  { "declared", &flag },
	{ "outside", &flag },        { "evidence", &flag }, { "rates", &flag },
	{ "without_letter", &flag },
};

static int refuse(const json_t *asked, const char *name, const struct kind *kind,
		  const json_t *value, struct err *err)
{
	scoped(free_ptr) char *written = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	const bool french = answer_in_french(asked);

	return err_set(err, ERR_REJECT, french ? "%s est %s, et non %s" : "%s is %s, not %s", name,
		       french ? kind->french : kind->english, written ? written : "");
}

int members_check(const json_t *asked, struct err *err)
{
	for (size_t i = 0; i < length_of(members); i++) {
		const json_t *value = json_object_get(asked, members[i].name);

		if (value != NULL && !members[i].kind->fits(value))
			return refuse(asked, members[i].name, members[i].kind, value, err);
	}
	return 0;
}
