/* Whose fault an unknown refusal is. Any thread. */
#include "dispatch/suspicion.h"

#include <stdio.h>

static bool has_met_it(const struct suspicion *suspicion, const struct ulid *doc)
{
	for (size_t i = 0; i < suspicion->count; i++)
		if (memcmp(&suspicion->documents[i], doc, sizeof(*doc)) == 0)
			return true;
	return false;
}

bool suspicion_raise(struct suspicion *suspicion, const char *code, const struct ulid *doc)
{
	if (strncmp(suspicion->code, code, sizeof(suspicion->code) - 1) != 0)
		suspicion_clear(suspicion);
	snprintf(suspicion->code, sizeof(suspicion->code), "%s", code);
	if (suspicion->count < SUSPICION_DOCUMENTS && !has_met_it(suspicion, doc))
		suspicion->documents[suspicion->count++] = *doc;
	return suspicion->count == SUSPICION_DOCUMENTS;
}

void suspicion_clear(struct suspicion *suspicion)
{
	suspicion->code[0] = '\0';
	suspicion->count = 0;
}

bool suspicion_of_stranger(struct suspicion *suspicion)
{
	suspicion->strangers = min(suspicion->strangers + 1, (unsigned)SUSPICION_STRANGERS);
	return suspicion->strangers == SUSPICION_STRANGERS;
}

void suspicion_was_the_dmp(struct suspicion *suspicion)
{
	suspicion->strangers = 0;
}
