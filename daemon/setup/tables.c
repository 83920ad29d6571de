/* The code tables, and what the configuration names of them. At start. */
#include "setup/tables.h"

static bool check_role(const struct config *config, const struct vihf_role *role,
		       const struct valuesets *valuesets, struct buf *errors)
{
	scoped(buf_done) struct buf nearest = { 0 };

	if (valueset_find(valuesets, VALUESET_ROLE, role->code, role->system) != NULL)
		return true;
	valueset_nearest(valuesets, VALUESET_ROLE, role->code, role->name, &nearest);
	config_fault(config, &role->code, errors,
		     "vihf.roles: %s of %s is not in subject-role.csv; nearest: %s", role->code,
		     role->system, buf_slice(&nearest).p);
	return false;
}

/* `field`: where the configuration has it. */
static bool check_type(const struct config *config, const void *field, const char *type,
		       const struct valuesets *valuesets, struct buf *errors)
{
	scoped(buf_done) struct buf nearest = { 0 };

	if (valueset_find(valuesets, VALUESET_TYPE, type, NULL) != NULL)
		return true;
	valueset_nearest(valuesets, VALUESET_TYPE, type, "", &nearest);
	config_fault(config, field, errors, "%s is not in type-code.csv; nearest: %s", type,
		     buf_slice(&nearest).p);
	return false;
}

static bool check_types(const struct config *config, const char *const *types, size_t count,
			const struct valuesets *valuesets, struct buf *errors)
{
	bool all = true;

	for (size_t i = 0; i < count; i++)
		all = check_type(config, &types[i], types[i], valuesets, errors) && all;
	return all;
}

/* One value, with blanks between them. */
static bool check_letters(const struct config *config, const struct valuesets *valuesets,
			  struct buf *errors)
{
	struct slice rest = slice_of(config->letter_types), word;
	bool all = true;

	while (rest.n > 0 && slice_next(&rest, ' ', &word)) {
		scoped(free_ptr) char *type = slice_dup(word);

		if (word.n > 0)
			all = check_type(config, &config->letter_types, type, valuesets, errors) &&
			      all;
	}
	return all;
}

static bool check_roles(const struct config *config, const struct config_sender *sender,
			const struct valuesets *valuesets, struct buf *errors)
{
	bool all = true;

	for (size_t i = 0; i < sender->role_count; i++)
		all = check_role(config, &sender->roles[i], valuesets, errors) && all;
	return all;
}

static bool check_site(const struct config *config, const struct config_site *site,
		       const struct valuesets *valuesets, struct buf *errors)
{
	bool all = check_types(config, site->types, site->type_count, valuesets, errors);

	/* A code that no document has would let leave what must wait. */
	all = check_types(config, site->sensitive_types, site->sensitive_type_count, valuesets,
			  errors) &&
	      all;
	for (size_t i = 0; i < site->policy_count; i++) {
		const char *const *type = &site->policies[i].type;

		all = (strcmp(*type, "*") == 0 ||
		       check_type(config, type, *type, valuesets, errors)) &&
		      all;
	}
	return check_roles(config, &site->sender, valuesets, errors) && all;
}

/* In which of the two the file is that is wrong. */
static void tell_file(const struct config *config, const struct err *err, struct buf *errors)
{
	const char *map = config->content_type_map;

	if (map[0] != '\0' && slice_starts(slice_of(err->text), map))
		config_fault(config, &config->content_type_map, errors, "maps.content_type: %s",
			     err->text);
	else
		config_fault(config, &config->valuesets_dir, errors, "valuesets.dir: %s",
			     err->text);
}

int tables_load(struct valuesets **ret_valuesets, const struct config *config, struct buf *errors)
{
	scoped(valuesets_free) struct valuesets *valuesets = NULL;
	struct err err = { 0 };
	bool all = true;

	if (valuesets_load_mapped(&valuesets, config->valuesets_dir, config->content_type_map,
				  &err) < 0) {
		tell_file(config, &err, errors);
		return -1;
	}
	for (size_t i = 0; i < config->establishment_count; i++)
		for (size_t j = 0; j < config->establishments[i].site_count; j++)
			all = check_site(config, &config->establishments[i].sites[j], valuesets,
					 errors) &&
			      all;
	for (size_t i = 0; i < config->priority_count; i++)
		all = check_types(config, config->priorities[i].types,
				  config->priorities[i].type_count, valuesets, errors) &&
		      all;
	all = check_letters(config, valuesets, errors) && all;
	for (size_t i = 0; i < config->source_sender_count; i++)
		all = check_roles(config, &config->source_senders[i].sender, valuesets, errors) &&
		      all;
	if (!all)
		return -1;
	*ret_valuesets = take(valuesets);
	return 0;
}

static const char *or_unknown(const char *text)
{
	return text[0] ? text : "unknown";
}

void tables_print(const struct valuesets *valuesets, struct buf *out)
{
	const struct valueset_edition *edition;

	for (size_t i = 0; (edition = valuesets_edition(valuesets, i)) != NULL; i++)
		buf_addf(out, "# %s: %s, OID %s, version %s, date %s\n", edition->file,
			 or_unknown(edition->list), or_unknown(edition->oid),
			 or_unknown(edition->version), or_unknown(edition->date));
}
