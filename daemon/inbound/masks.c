/* From whom a document is hidden: the codes beside the confidentiality that is its own. Pure. */
#include "inbound/masks.h"

static bool has(const struct metadata *metadata, const char *code)
{
	for (size_t i = 0; i < metadata->confidentiality_count; i++)
		if (strcmp(metadata->confidentialities[i].code, code) == 0)
			return true;
	return false;
}

const char *masks_said_otherwise(const struct metadata *before, const struct metadata *now)
{
	static const struct {
		const char *code, *hidden, *seen;
	} masks[] = {
		{ "INVISIBLE_PATIENT", "the patient does not see", "the patient sees" },
		{ "INVISIBLE_REPRESENTANTS_LEGAUX", "the guardians do not see",
		  "the guardians see" },
		{ "MASQUE_PS", "professionals do not see", "professionals see" },
	};

	for (size_t i = 0; i < length_of(masks); i++)
		if (has(before, masks[i].code) != has(now, masks[i].code))
			return has(before, masks[i].code) ? masks[i].hidden : masks[i].seen;
	if (before->secret_connection != now->secret_connection)
		return before->secret_connection ? "was sent over a secret connection"
						 : "was sent over no secret connection";
	return NULL;
}
