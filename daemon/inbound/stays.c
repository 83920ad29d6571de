/* What a message says of a stay, as the installation sees it. Pure. */
#include "inbound/stays.h"

/* What each piece of news says; a cancelled movement brings the patient back to where PV1 says. */
static const struct {
	enum store_said exists, ended;
	bool has_place;
} meanings[] = {
	[STAY_SEEN] = { STORE_UNSAID, STORE_UNSAID, true },
	[STAY_BEGINS] = { STORE_SAID_YES, STORE_UNSAID, true },
	[STAY_MOVES] = { STORE_SAID_YES, STORE_UNSAID, true },
	[STAY_ENDS] = { STORE_SAID_YES, STORE_SAID_YES, true },
	[STAY_NEVER_WAS] = { STORE_SAID_NO, STORE_UNSAID, false },
	[STAY_STAYS] = { STORE_UNSAID, STORE_UNSAID, true },
	[STAY_GOES_ON] = { STORE_SAID_YES, STORE_SAID_NO, true },
};

/* One of the words of a list, between blanks. */
static bool is_word_of(const char *list, const char *word)
{
	const size_t n = strlen(word);

	if (n == 0 || strchr(word, ' ') != NULL)
		return false;
	for (const char *at = list; (at = strstr(at, word)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static bool is_one_of(const char *const *texts, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

bool stays_is_sensitive(const struct config_establishment *establishment, const char *unit)
{
	for (size_t i = 0; i < establishment->site_count; i++) {
		const struct config_site *site = &establishment->sites[i];

		if (is_one_of(site->sensitive_units, site->sensitive_unit_count, unit))
			return true;
	}
	return false;
}

/* A flag that the site does not know as harmless is not. */
static bool is_open(const struct config_site *site, const char *flag)
{
	return is_word_of(slice_of(site->open_flags).p, flag);
}

struct store_discretion stays_discretion(const struct config_establishment *establishment,
					 const struct config_site *site, const struct stay *stay)
{
	struct store_discretion discretion = { .unit = false };

	for (size_t i = 0; i < stay->unit_count; i++)
		discretion.unit |= stays_is_sensitive(establishment, stay->units[i]);
	if (slice_of(stay->flag).n > 0)
		discretion.flag = is_open(site, stay->flag) ? STORE_FLAG_OPEN : STORE_FLAG_DISCREET;
	return discretion;
}

static bool has_unit(const struct config_site *site, const char *unit)
{
	for (size_t i = 0; i < site->unit_count; i++)
		if (strcmp(site->units[i].unit, unit) == 0)
			return true;
	return is_one_of(site->sensitive_units, site->sensitive_unit_count, unit);
}

/* The site that says that the first of these units is its own; else that of the door. */
static const struct config_site *site_of(const struct config_establishment *establishment,
					 const struct config_site *door, const struct stay *stay)
{
	for (size_t i = 0; i < stay->unit_count; i++) {
		if (has_unit(door, stay->units[i]))
			return door;
		for (size_t j = 0; j < establishment->site_count; j++)
			if (has_unit(&establishment->sites[j], stay->units[i]))
				return &establishment->sites[j];
	}
	return door;
}

static enum store_said counts(const struct config_site *site, const struct stay *stay)
{
	if (stay->class[0] == '\0')
		return STORE_UNSAID;
	return is_word_of(slice_of(site->stay_classes).p, stay->class) ? STORE_SAID_YES
								       : STORE_SAID_NO;
}

bool stays_read(struct store_stay *ret_stay, const struct hl7_message *message,
		const struct config *config, const char *site, struct arena *arena)
{
	const struct config_establishment *establishment;
	const struct config_site *door = NULL, *own;
	struct stay stay;

	stay_read(&stay, message, arena);
	establishment = config_establishment_of(config, site, &door);
	if (stay.news == STAY_NOTHING || stay.number[0] == '\0' || establishment == NULL)
		return false;
	own = site_of(establishment, door, &stay);
	*ret_stay = (struct store_stay){
		.lane = establishment->finess_ej,
		.number = stay.number,
		.said_ms = stay.said_ms,
		.exists = meanings[stay.news].exists,
		.ended = meanings[stay.news].ended,
		.start_ms = stay.start_ms,
		.end_ms = stay.end_ms,
		.has_place = meanings[stay.news].has_place && !stay.is_past,
		.site = own->metadata.finess_eg,
		.unit = stay_unit(&stay),
		.field = config_field_of(own, stay_unit(&stay)),
		.since_ms = stay.is_correction ? 0 : stay.moved_ms,
		.counts = stay.is_past ? STORE_UNSAID : counts(own, &stay),
		.discretion = stays_discretion(establishment, own, &stay),
	};
	return true;
}
