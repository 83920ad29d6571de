/* Who may ask what over the control socket. Pure. */
#include "operator/rights.h"

#include "operator/answer.h"

static const struct right {
	const char *command;
	const char *flag; /* only when the request says so; "": always */
	enum control_role role;
} rights[] = {
	/* the stricter rows of a command first */
	{ "counters", "rebuild", ROLE_ADMIN },
	{ "export", "evidence", ROLE_ADMIN }, /* what every document is known by outside */
	{ "certs", "", ROLE_READ },
	{ "counters", "", ROLE_READ },
	{ "export", "", ROLE_READ },
	{ "list", "", ROLE_READ },
	{ "shape", "", ROLE_READ },
	{ "show", "", ROLE_READ },
	{ "status", "", ROLE_READ },
	{ "tail", "", ROLE_READ },
	{ "targets", "", ROLE_READ },
	{ "verify", "", ROLE_READ },
	{ "cancel", "", ROLE_OPERATE },
	{ "hold", "", ROLE_OPERATE },
	{ "import-denominators", "", ROLE_OPERATE },
	{ "import-official", "", ROLE_OPERATE },
	{ "release", "", ROLE_OPERATE },
	{ "retry", "", ROLE_OPERATE },
	{ "stays", "", ROLE_OPERATE }, /* the numbers of stays, in clear */
	{ "audit", "", ROLE_ADMIN },   /* what people did who work here */
	{ "backup", "", ROLE_ADMIN },  /* takes the documents out of the queue's folder */
	{ "recall", "", ROLE_ADMIN },  /* what the DMP deletes does not come back */
	{ "reload", "", ROLE_ADMIN },
};

enum control_role rights_needed(const json_t *asked)
{
	const char *command = answer_asked(asked, "command");

	for (size_t i = 0; i < length_of(rights); i++)
		if (strcmp(command, rights[i].command) == 0 &&
		    (rights[i].flag[0] == '\0' ||
		     json_is_true(json_object_get(asked, rights[i].flag))))
			return rights[i].role;
	return ROLE_ADMIN;
}
