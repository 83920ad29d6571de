/* Who comes before whom. A line is as long as what its connection sent without waiting for answers: mostly
 * one.
 */
#include "inbound/inbound_line.h"

struct line {
	LIST_ENTRY(line) link;
	const struct mllp_settings *listener;
	char peer[sizeof(((struct mllp_arrival *)0)->peer)];
	TAILQ_HEAD(, intake) intakes; /* oldest first */
};

static struct line *find(const struct line_list *lines, const struct mllp_arrival *message)
{
	struct line *line;

	LIST_FOREACH(line, lines, link)
	{
		if (line->listener == message->listener && strcmp(line->peer, message->peer) == 0)
			return line;
	}
	return NULL;
}

bool line_join(struct line_list *lines, struct intake *intake)
{
	const struct mllp_arrival *message = intake->message;
	struct line *line = find(lines, message);

	if (line == NULL) {
		line = xcalloc(1, sizeof(*line));
		line->listener = message->listener;
		memcpy(line->peer, message->peer, sizeof(line->peer));
		TAILQ_INIT(&line->intakes);
		LIST_INSERT_HEAD(lines, line, link);
	}
	intake->line = line;
	TAILQ_INSERT_TAIL(&line->intakes, intake, in_line);
	return TAILQ_FIRST(&line->intakes) == intake;
}

static void advance(struct line *line, line_hand_on_fn *hand_on)
{
	struct intake *intake;

	TAILQ_FOREACH(intake, &line->intakes, in_line)
	{
		if (!intake->is_ready)
			return;
		if (!intake->is_handed_on)
			hand_on(intake);
		intake->is_handed_on = true;
	}
}

void line_is_ready(struct intake *intake, line_hand_on_fn *hand_on)
{
	intake->is_ready = true;
	advance(intake->line, hand_on);
}

void line_leave(struct intake *intake, line_hand_on_fn *hand_on)
{
	struct line *line = intake->line;

	TAILQ_REMOVE(&line->intakes, intake, in_line);
	intake->line = NULL;
	if (TAILQ_EMPTY(&line->intakes)) {
		LIST_REMOVE(line, link);
		free(line);
	} else if (hand_on != NULL) {
		advance(line, hand_on);
	}
}
