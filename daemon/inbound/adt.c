/* What an ADT says, in the store's words. Pure. */
#include "inbound/adt.h"

#include "document/traits.h"

static bool is_there(const char *text)
{
	return text[0] != '\0';
}

/* ---- who it is ---- */

/* Under each name that its domain goes by. */
static void add_local(struct store_local *locals, size_t *count,
		      const struct identity_number *number)
{
	const char *const domains[] = { number->oid, number->name };

	for (size_t i = 0; i < length_of(domains); i++)
		if (is_there(domains[i]) && *count < STORE_LOCALS)
			locals[(*count)++] = (struct store_local){ domains[i], number->number };
}

static bool is_same(const struct identity_number *one, const struct identity_number *other)
{
	return strcmp(one->number, other->number) == 0 && strcmp(one->oid, other->oid) == 0 &&
	       strcmp(one->name, other->name) == 0;
}

static bool is_among(const struct identity_number *number, const struct identity_numbers *numbers)
{
	for (size_t i = 0; i < numbers->local_count; i++)
		if (is_same(number, &numbers->local[i]))
			return true;
	return false;
}

/* Numbers of before that lead to the patient of now: of a merge, or of one who was given another. */
static void add_merged(struct store_identity *said, const struct identity *identity)
{
	if (identity->kind != IDENTITY_MERGE && identity->kind != IDENTITY_CHANGE)
		return;
	for (size_t i = 0; i < identity->then.local_count; i++)
		if (!is_among(&identity->then.local[i], &identity->now))
			add_local(said->merged, &said->merged_count, &identity->then.local[i]);
}

/* An INS that is not qualified must be read as if it were not there (INS/va1.53). */
static bool is_qualified(const struct identity *identity, enum environment environment)
{
	struct err ignored = { 0 };

	return identity->validated && is_there(identity->ins) &&
	       ins_domain_allowed(identity->ins_oid, environment) &&
	       ins_check(identity->ins, &ignored) == 0;
}

/* A47: the INS was taken away, was another, or is not qualified any more. */
static bool is_withdrawn(const struct identity *identity, bool qualified)
{
	const struct identity_number *then = &identity->then.ins;

	return identity->kind == IDENTITY_CHANGE &&
	       (identity->now.ins_is_null ||
		(is_there(then->number) &&
		 (!qualified || strcmp(then->number, identity->ins) != 0)));
}

static struct slice facts_of(const struct identity *identity, struct arena *arena)
{
	const struct identity_traits *its = &identity->traits;
	const struct traits traits = { identity->ins,   identity->ins_oid, its->family,
				       its->given,      its->given_names,  its->sex,
				       its->birth_date, its->birth_place };
	scoped(buf_done) struct buf facts = { 0 };

	traits_write(&traits, &facts);
	return slice_of(arena_dup(arena, buf_slice(&facts)));
}

static void read_identity(struct adt *adt, const struct identity *identity,
			  enum environment environment, struct arena *arena)
{
	struct store_identity *said = &adt->identity;
	const bool qualified = is_qualified(identity, environment);

	if (identity->kind == IDENTITY_IGNORED)
		return;
	*said = (struct store_identity){
		.is_withdrawn = is_withdrawn(identity, qualified),
		.ins = qualified ? identity->ins : "",
		.ins_oid = qualified ? identity->ins_oid : "",
		.traits = traits_compared(identity->traits.birth_date, identity->traits.sex, arena),
		.facts = facts_of(identity, arena),
		.said_ms = identity->recorded_ms,
	};
	said->has_status = identity->has_status || said->is_withdrawn;
	for (size_t i = 0; i < identity->now.local_count; i++)
		add_local(said->locals, &said->local_count, &identity->now.local[i]);
	add_merged(said, identity);
	adt->has_identity =
		(said->has_status || said->merged_count > 0) && (said->local_count > 0 || qualified)
			? ADT_TAKEN
			: ADT_UNUSABLE;
}

/* ---- what they chose ---- */

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
	adt->choice_is_usable = identity->validated && is_there(identity->ins);
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
	if (!identity->validated || !is_there(identity->ins))
		return;
	adt->dmp = identity->dmp;
	adt->dmp_said_ms = identity->message_ms;
}

void adt_read(struct adt *adt, const struct hl7_message *message, enum environment environment,
	      struct arena *arena)
{
	struct identity identity;

	identity_read(&identity, message, ins_is_domain, arena);
	*adt = (struct adt){ 0 };
	read_identity(adt, &identity, environment, arena);
	read_choice(adt, &identity);
	read_dmp(adt, &identity);
	if (identity.validated) {
		adt->ins = identity.ins;
		adt->ins_oid = identity.ins_oid;
	}
}

bool adt_leaves_something(const struct adt *adt)
{
	return adt->has_identity == ADT_TAKEN || (adt->has_choice && adt->choice_is_usable) ||
	       adt->has_stay;
}
