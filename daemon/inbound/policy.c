/* What a legal entity and its sites let through. Any thread. */
#include "inbound/policy.h"

enum { FINESS = 9 };

/* A FINESS stands bare, or behind the '1' of Struct_IdNat; other identifiers (SIREN, SIRET, RPPS)
 * are not compared. NULL: this is none.
 */
static const char *finess_of(const char *structure)
{
	size_t n = strlen(structure);

	if (n == FINESS)
		return structure;
	return n == FINESS + 1 && structure[0] == '1' ? structure + 1 : NULL;
}

static bool has(const struct config_establishment *establishment, const char *finess)
{
	for (size_t i = 0; i < establishment->site_count; i++)
		if (strcmp(establishment->sites[i].metadata.finess_eg, finess) == 0)
			return true;
	return strcmp(establishment->finess_ej, finess) == 0;
}

static bool is_declared(const struct config *config, const char *finess)
{
	for (size_t i = 0; i < config->establishment_count; i++)
		if (has(&config->establishments[i], finess))
			return true;
	return false;
}

const struct config_site *policy_site_of(const struct config_establishment *establishment,
					 const char *structure, const struct config_site *otherwise)
{
	const char *finess = finess_of(structure);

	for (size_t i = 0; finess != NULL && i < establishment->site_count; i++)
		if (strcmp(establishment->sites[i].metadata.finess_eg, finess) == 0)
			return &establishment->sites[i];
	return otherwise;
}

int policy_check_structure(const struct config *config,
			   const struct config_establishment *establishment, const char *structure,
			   const char *where, struct err *err)
{
	const char *finess = finess_of(structure);

	if (structure[0] == '\0' || (finess != NULL && has(establishment, finess)))
		return 0;
	if (finess != NULL && is_declared(config, finess))
		return err_refuse(err, REASON_FINESS_MISMATCH, where,
				  "structure %s is declared, but not of legal entity %s, whose "
				  "documents come here",
				  finess, establishment->finess_ej);
	if (config->strict_structures)
		return err_refuse(err, REASON_FINESS_MISMATCH, where,
				  "the structure is not the FINESS of legal entity %s nor of one "
				  "of its declared sites",
				  establishment->finess_ej);
	return 0;
}

const struct config_policy *policy_of(const struct config_site *site, const char *type,
				      const char *unit)
{
	for (size_t i = 0; i < site->policy_count; i++) {
		const struct config_policy *policy = &site->policies[i];

		if (strcmp(policy->type, "*") != 0 && strcmp(policy->type, type) != 0)
			continue;
		if (policy->unit[0] == '\0' || strcmp(policy->unit, unit) == 0)
			return policy;
	}
	return NULL;
}

int policy_check_type(const struct config_site *site, const char *type, struct err *err)
{
	for (size_t i = 0; i < site->type_count; i++)
		if (strcmp(site->types[i], type) == 0)
			return 0;
	if (site->type_count == 0)
		return 0;
	return err_refuse(err, REASON_TYPE_NOT_ACCEPTED, "code/@code",
			  "site %s does not send documents of the type %s (sites[].types)",
			  site->metadata.finess_eg, type);
}

bool policy_is_sensitive(const struct config_site *site, const char *type)
{
	for (size_t i = 0; i < site->sensitive_type_count; i++)
		if (strcmp(site->sensitive_types[i], type) == 0)
			return true;
	return false;
}

int policy_check_restricted(const struct config *config, const char *confidentiality,
			    bool *ret_held, struct err *err)
{
	*ret_held = false;
	if (strcmp(confidentiality, "R") != 0 && strcmp(confidentiality, "V") != 0)
		return 0;
	if (config->restricted == RESTRICTED_REFUSE)
		return err_refuse(
			err, REASON_RESTRICTED, "confidentialityCode",
			"the document is restricted (%s): visibility.restricted is refuse",
			confidentiality);
	*ret_held = config->restricted == RESTRICTED_HOLD;
	return 0;
}
