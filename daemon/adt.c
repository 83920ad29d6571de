/* What an ADT says, in the store's words. Pure. */
#include "adt.h"

#include "document/ins.h"

/* An INS that is not qualified must be read as if it were not there (INS/va1.53). */
static void read_choice(struct adt *adt, const struct identity *identity)
{
	static const enum store_feeding feedings[] = {
		[FEEDING_NOT_OPPOSED] = STORE_NOT_OPPOSED,
		[FEEDING_OPPOSED] = STORE_OPPOSED,
		[FEEDING_NOT_ASKED] = STORE_NOT_ASKED,
	};

	if (identity->feeding == FEEDING_UNSAID)
		return;
	adt->has_choice = true;
	adt->choice_is_usable = identity->validated && identity->ins[0] != '\0';
	adt->choice = (struct store_choice){
		.ins = identity->ins,
		.ins_oid = identity->ins_oid,
		.feeding = feedings[identity->feeding],
		.chosen_ms = identity->feeding_ms,
	};
}

/* ZFA-2, since when it is in that state, may be years ago: it was said when the message was written. */
static void read_dmp(struct adt *adt, const struct identity *identity)
{
	if (!identity->validated || identity->ins[0] == '\0')
		return;
	adt->dmp = identity->dmp;
	adt->ins = identity->ins;
	adt->ins_oid = identity->ins_oid;
	adt->dmp_said_ms = identity->message_ms;
}

void adt_read(struct adt *adt, const struct hl7_message *message, struct arena *arena)
{
	struct identity identity;

	identity_read(&identity, message, ins_is_domain, arena);
	*adt = (struct adt){ 0 };
	read_choice(adt, &identity);
	read_dmp(adt, &identity);
}

bool adt_leaves_something(const struct adt *adt)
{
	return (adt->has_choice && adt->choice_is_usable) || adt->has_stay;
}
