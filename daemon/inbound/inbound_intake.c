/* What the steps of an intake ask of it. */
#include "inbound/inbound_intake.h"

int intake_within(const struct intake *intake, size_t index, struct err *err)
{
	if (intake->part_count == 1)
		return -1;
	if (intake->is_medium)
		return err_within(err, "document %zu of %zu", index + 1, intake->part_count);
	return err_within(err, "message %zu of %zu (MSH-10: %s)", index + 1, intake->part_count,
			  intake->parts[index].decision.origin);
}

const char *intake_told_origin(const struct intake *intake)
{
	return intake->message ? intake->origin : intake->digest;
}

const char *intake_short_id(const struct ulid *id, char text[static ULID_TEXT])
{
	return ulid_text(id, text) + ULID_TEXT - 1 - 20;
}

bool intake_wants_ack(const struct intake *intake, const struct intake_part *part)
{
	return part->decision.ack_header.n > 0 &&
	       config_source_of(intake->config, intake->source) != NULL;
}
