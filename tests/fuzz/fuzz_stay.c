/* A message about a stay, whatever it says: texts are UTF-8 and no longer than they may be, units are told once. */
#include "hl7/stay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t most)
{
	if (strlen(text) > most || !charset_is_utf8(slice_of(text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, size };
	scoped(arena_done) struct arena arena = { 0 };
	struct hl7_message message;
	struct err err = { 0 };
	struct stay stay;

	if (hl7_parse(&message, bytes, &arena, &err) < 0)
		return 0;
	stay_read(&stay, &message, &arena);
	check_text(stay.number, STAY_NUMBER_MOST);
	check_text(stay.authority, STAY_TEXT_MOST);
	check_text(stay.class, STAY_TEXT_MOST);
	check_text(stay.flag, STAY_TEXT_MOST);
	for (size_t i = 0; i < stay.unit_count; i++) {
		check_text(stay.units[i], STAY_TEXT_MOST);
		for (size_t j = 0; j < i; j++)
			if (strcmp(stay.units[i], stay.units[j]) == 0)
				abort();
	}
	if (stay.unit_count > STAY_UNITS_MOST || stay.news > STAY_GOES_ON)
		abort();
	return 0;
}
