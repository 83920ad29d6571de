/* What an ADT says, in the store's words. Pure. */
#include "adt.h"

#include "document/ins.h"
#include "hl7/identity.h"

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

void adt_read(struct adt *adt, const struct hl7_message *message, struct arena *arena)
{
	struct identity identity;

	identity_read(&identity, message, ins_is_domain, arena);
	*adt = (struct adt){ 0 };
	read_choice(adt, &identity);
}

bool adt_leaves_something(const struct adt *adt)
{
	return (adt->has_choice && adt->choice_is_usable) || adt->has_stay;
}
