/* What a message says of a stay (IHE PAM, French extension 2.11; HL7 2.5 and 2.6 for PV1). Pure. */
#include "hl7/stay.h"

static const struct {
	const char *event;
	enum stay_news news, undone; /* what it says, and what its cancellation does */
} events[] = {
	{ "A01", STAY_BEGINS, STAY_NEVER_WAS }, { "A04", STAY_BEGINS, STAY_NEVER_WAS },
	{ "A05", STAY_SEEN, STAY_NEVER_WAS },   { "A14", STAY_SEEN, STAY_NEVER_WAS },
	{ "A02", STAY_MOVES, STAY_STAYS },      { "A06", STAY_MOVES, STAY_STAYS },
	{ "A07", STAY_MOVES, STAY_STAYS },      { "A03", STAY_ENDS, STAY_GOES_ON },
	{ "A11", STAY_NEVER_WAS, STAY_SEEN },   { "A27", STAY_NEVER_WAS, STAY_SEEN },
	{ "A38", STAY_NEVER_WAS, STAY_SEEN },   { "A12", STAY_STAYS, STAY_SEEN },
	{ "A13", STAY_GOES_ON, STAY_SEEN },     { "A21", STAY_SEEN, STAY_SEEN },
	{ "A22", STAY_SEEN, STAY_SEEN },        { "A52", STAY_SEEN, STAY_SEEN },
	{ "A53", STAY_SEEN, STAY_SEEN },        { "A54", STAY_SEEN, STAY_SEEN },
	{ "A55", STAY_SEEN, STAY_SEEN },        { "Z99", STAY_SEEN, STAY_SEEN },
};

/* The fields of the segments that say it; those of a segment that is not there are empty. */
struct fields {
	struct slice msh[10], evn[7], pv1[46], zbe[9];
};

static int64_t first_time(const struct hl7_message *message, struct slice one, struct slice other)
{
	const int64_t time_ms = hl7_time(message, one);

	return time_ms != 0 ? time_ms : hl7_time(message, other);
}

/* Only some of a text would be another one. */
static const char *text_of(const struct hl7_message *message, struct slice value, size_t most,
			   struct arena *arena)
{
	const char *text = hl7_text(message, value, arena);

	return strlen(text) <= most ? text : "";
}

static const char *code_text(const struct hl7_message *message, struct slice field, unsigned number,
			     struct arena *arena)
{
	return text_of(message, hl7_code(message, field, number), STAY_TEXT_MOST, arena);
}

static void read_segment(const struct hl7_message *message, const char *name, struct slice *fields,
			 unsigned count)
{
	size_t index = 0;

	hl7_fields(message, hl7_find(message, name, &index), fields, count);
}

static struct fields fields_of(const struct hl7_message *message)
{
	struct fields fields;

	read_segment(message, "MSH", fields.msh, length_of(fields.msh));
	read_segment(message, "EVN", fields.evn, length_of(fields.evn));
	read_segment(message, "PV1", fields.pv1, length_of(fields.pv1));
	read_segment(message, "ZBE", fields.zbe, length_of(fields.zbe));
	return fields;
}

/* ---- what happened ---- */

static enum stay_news news_of(struct slice event, bool is_undone)
{
	for (size_t i = 0; i < length_of(events); i++)
		if (slice_is(event, events[i].event))
			return is_undone ? events[i].undone : events[i].news;
	return STAY_NOTHING;
}

static enum stay_news read_news(const struct hl7_message *message, const struct fields *fields)
{
	const struct slice event = hl7_code(message, fields->msh[9], 2);
	const struct slice corrected = hl7_code(message, fields->zbe[6], 1);
	const bool is_undone = slice_is(hl7_code(message, fields->zbe[4], 1), "CANCEL");
	enum stay_news news;

	if (!slice_is(hl7_code(message, fields->msh[9], 1), "ADT"))
		return STAY_NOTHING;
	if (!slice_is(event, "Z99"))
		return news_of(event, false); /* A11, A12, A13 cancel by their names */
	news = news_of(corrected, is_undone);
	if (news == STAY_NOTHING || news == STAY_SEEN)
		return hl7_time(message, fields->pv1[45]) != 0 ? STAY_ENDS : STAY_SEEN;
	return news;
}

static void read_times(struct stay *stay, const struct hl7_message *message,
		       const struct fields *fields)
{
	int64_t happened_ms;

	stay->said_ms = first_time(message, fields->evn[2], fields->msh[7]);
	stay->moved_ms = first_time(message, fields->zbe[2], fields->evn[6]);
	stay->start_ms = hl7_time(message, fields->pv1[44]);
	stay->end_ms = hl7_time(message, fields->pv1[45]);
	happened_ms = stay->moved_ms != 0 ? stay->moved_ms : stay->said_ms;
	if (stay->news == STAY_BEGINS && stay->start_ms == 0)
		stay->start_ms = happened_ms;
	if (stay->news == STAY_ENDS && stay->end_ms == 0)
		stay->end_ms = happened_ms;
}

/* ---- which one, and where ---- */

static void read_number(struct stay *stay, const struct hl7_message *message,
			const struct fields *fields, struct arena *arena)
{
	const struct slice authority = hl7_component(message, fields->pv1[19], 4);

	stay->number =
		text_of(message, hl7_code(message, fields->pv1[19], 1), STAY_NUMBER_MOST, arena);
	stay->authority =
		text_of(message, hl7_trim(message, hl7_subcomponent(message, authority, 2)),
			STAY_TEXT_MOST, arena);
	if (stay->authority[0] == '\0')
		stay->authority =
			text_of(message, hl7_trim(message, hl7_subcomponent(message, authority, 1)),
				STAY_TEXT_MOST, arena);
}

static void add_unit(struct stay *stay, const struct hl7_message *message, struct slice unit,
		     struct arena *arena)
{
	static const char written_out[] = "[CR]"; /* as an official example ends */
	const size_t n = sizeof(written_out) - 1;
	const char *text;

	if (unit.n > n && memcmp(unit.p + unit.n - n, written_out, n) == 0)
		unit.n -= n;
	text = text_of(message, hl7_trim(message, unit), STAY_TEXT_MOST, arena);
	for (size_t i = 0; i < stay->unit_count; i++)
		if (strcmp(stay->units[i], text) == 0)
			return;
	if (text[0] != '\0' && stay->unit_count < STAY_UNITS_MOST)
		stay->units[stay->unit_count++] = text;
}

/* An XON: the identifier, or else the name. */
static void add_organisation(struct stay *stay, const struct hl7_message *message,
			     struct slice field, struct arena *arena)
{
	const struct slice id = hl7_code(message, field, 10);

	add_unit(stay, message, id.n > 0 ? id : hl7_code(message, field, 1), arena);
}

static void read_units(struct stay *stay, const struct hl7_message *message,
		       const struct fields *fields, struct arena *arena)
{
	add_organisation(stay, message, fields->zbe[7], arena);
	add_organisation(stay, message, fields->zbe[8], arena);
	add_unit(stay, message, hl7_code(message, fields->pv1[3], 1), arena);
	add_unit(stay, message, hl7_code(message, fields->pv1[10], 1), arena);
}

void stay_read(struct stay *stay, const struct hl7_message *message, struct arena *arena)
{
	const struct fields fields = fields_of(message);

	*stay = (struct stay){ .news = read_news(message, &fields) };
	stay->is_correction = slice_is(hl7_code(message, fields.msh[9], 2), "Z99");
	stay->is_past = slice_is(hl7_code(message, fields.zbe[5], 1), "Y");
	stay->class = code_text(message, fields.pv1[2], 1, arena);
	stay->flag = code_text(message, fields.pv1[16], 1, arena);
	read_number(stay, message, &fields, arena);
	read_units(stay, message, &fields, arena);
	read_times(stay, message, &fields);
}

const char *stay_unit(const struct stay *stay)
{
	return stay->unit_count > 0 ? stay->units[0] : "";
}
