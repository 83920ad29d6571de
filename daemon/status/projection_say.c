/* What is said of a projection: first what helps, and never "send more" where documents only wait for
 * somebody. Pure. Any thread.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "status/projection.h"

enum { MOST_DIGITS = 24 };

/* U+202F, which separates thousands and keeps a sign with its number. */
#define THIN "\xe2\x80\xaf"

void projection_add_count(int64_t count, bool french, struct buf *out)
{
	char digits[MOST_DIGITS];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, count < 0 ? -count : count);

	if (count < 0)
		buf_add_char(out, '-');
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			buf_add_text(out, french ? THIN : ",");
		buf_add_char(out, digits[i]);
	}
}

/* With one digit behind the point. */
static void add_decimal(double number, bool french, struct buf *out)
{
	const int64_t tenths = (int64_t)llround(number * 10);

	if (tenths < 0)
		buf_add_char(out, '-');
	projection_add_count(llabs(tenths) / 10, french, out);
	buf_addf(out, "%c%lld", french ? ',' : '.', llabs(tenths) % 10);
}

void projection_add_rate(double rate, bool is_ratio, bool french, struct buf *out)
{
	if (isnan(rate)) {
		buf_add_text(out, "?");
	} else if (!is_ratio) {
		projection_add_count((int64_t)llround(rate), french, out);
	} else {
		add_decimal(rate * 100, french, out);
		buf_add_text(out, french ? THIN "%" : "%");
	}
}

double projection_shown(const struct projection_input *input, const struct projection *p)
{
	const double tenths = p->rate * 1000; /* of a percent */
	const bool is_missed = input->is_ratio && input->has_threshold && !isnan(p->rate) &&
			       p->state != TARGET_MET_NOW;

	if (!is_missed || llround(tenths) != llround(input->threshold * 1000))
		return p->rate;
	return (input->at_most ? ceil(tenths) : floor(tenths)) / 1000;
}

struct words {
	const char *english, *french;
};

static const struct {
	struct words one, many;
} units[] = {
	[UNIT_DOCUMENT] = { { "document", "document" }, { "documents", "documents" } },
	[UNIT_STAY] = { { "stay", "séjour" }, { "stays", "séjours" } },
	[UNIT_PATIENT] = { { "patient", "patient" }, { "patients", "patients" } },
	[UNIT_MESSAGE] = { { "message", "message" }, { "messages", "messages" } },
	[UNIT_WEEK] = { { "week", "semaine" }, { "weeks", "semaines" } },
};

struct speech {
	const struct projection_input *input;
	const struct projection *p;
	enum projection_unit unit;
	bool french;
	struct buf *out;
};

static void add(const struct speech *s, struct words words)
{
	buf_add_text(s->out, s->french ? words.french : words.english);
}

static void add_rate(const struct speech *s, double rate)
{
	projection_add_rate(rate, s->input->is_ratio, s->french, s->out);
}

static void add_units(const struct speech *s, int64_t count)
{
	projection_add_count(count, s->french, s->out);
	buf_add_char(s->out, ' ');
	add(s, count == 1 || (s->french && count == 0) ? units[s->unit].one : units[s->unit].many);
}

static void add_measured(const struct speech *s)
{
	add_rate(s, projection_shown(s->input, s->p));
	add(s, s->input->at_most ? (struct words){ " where at most ", " pour au plus " }
				 : (struct words){ " of ", " sur " });
	add_rate(s, s->input->threshold);
	add(s, (struct words){ " asked for", " demandés" });
}

/* "At the present pace the window ends at 65.3 %" */
static void add_end(const struct speech *s)
{
	if (s->p->is_young && !isnan(s->p->low)) {
		add(s, (struct words){ "The window may end between ",
				       "La fenêtre peut finir entre " });
		add_rate(s, s->p->low);
		add(s, (struct words){ " and ", " et " });
		add_rate(s, s->p->high);
		add(s, (struct words){ " (the history is short)", " (l'historique est court)" });
	} else {
		add(s, (struct words){ "At the present pace the window ends at ",
				       "Au rythme actuel, la fenêtre finit à " });
		add_rate(s, s->p->rate_end);
	}
}

static void say_met(const struct speech *s)
{
	add(s, (struct words){ "Reached: ", "Atteint : " });
	add_measured(s);
	add(s, (struct words){ ".", "." });
	if (s->input->has_end && s->input->left > 0 && s->input->is_ratio) {
		buf_add_char(s->out, ' ');
		add_end(s);
		add(s, (struct words){ ".", "." });
	}
}

static void say_on_track(const struct speech *s)
{
	add_measured(s);
	add(s, (struct words){ ". ", ". " });
	if (s->input->has_end) {
		add_end(s);
		add(s, (struct words){ ": the target is reached.", " : l'objectif est atteint." });
	} else {
		add(s, (struct words){ "What came lately is above the target.",
				       "Les dernières semaines dépassent l'objectif." });
	}
}

/* What somebody could let go: documents, or the stays and patients that they would satisfy. */
static void say_recoverable(const struct speech *s)
{
	const bool is_one = s->input->recoverable == 1;

	if (s->unit != UNIT_DOCUMENT)
		add(s, (struct words){ "Qualifying the identities that the documents of ",
				       "Qualifier les identités qu'attendent les documents de " });
	else
		add(s, (struct words){ "Qualifying the identities that ",
				       is_one ? "Qualifier les identités qu'attend "
					      : "Qualifier les identités qu'attendent " });
	add_units(s, s->input->recoverable);
	add(s, (struct words){ s->unit == UNIT_DOCUMENT && is_one ? " waits for brings you to "
								  : " wait for brings you to ",
			       " vous amène à " });
	add_rate(s, s->p->rate_recovered);
	add(s, (struct words){ " at the end; without them, ", " à la fin ; sans eux, " });
	add_rate(s, s->p->rate_end);
	add(s, (struct words){ " (target ", " (objectif " });
	add_rate(s, s->input->threshold);
	add(s, (struct words){ ").", ")." });
}

static void say_needed(const struct speech *s)
{
	add_measured(s);
	add(s, (struct words){ ". ", ". " });
	if (!s->input->has_end)
		return;
	add_end(s);
	add(s, (struct words){ ": ", " : " });
	add_units(s, s->p->missing_end);
	add(s, (struct words){ " more are needed", " de plus sont nécessaires" });
	if (!isnan(s->p->per_day)) {
		add(s, (struct words){ ", ", ", soit " });
		add_decimal(s->p->per_day, s->french, s->out);
		add(s, (struct words){ " a working day where ", " par jour ouvré contre " });
		add_decimal(s->p->pace, s->french, s->out);
		add(s, (struct words){ " come now", " aujourd'hui" });
	}
	add(s, (struct words){ ".", "." });
}

static void say_at_risk(const struct speech *s)
{
	if (s->input->recoverable > 0 && s->input->has_end && !s->input->at_most)
		say_recoverable(s);
	else if (s->input->at_most)
		add_measured(s), add(s, (struct words){ ".", "." });
	else
		say_needed(s);
}

static void say_out_of_reach(const struct speech *s)
{
	add_measured(s);
	if (s->input->left > 0)
		add(s, (struct words){ ": even if all that waits and all that will be produced "
				       "were accepted, the target would not be reached; missing: ",
				       " : même si tout ce qui attend et tout ce qui sera produit "
				       "était accepté, l'objectif ne serait pas atteint ; il "
				       "manque " });
	else
		add(s, (struct words){ ": the window has ended; missing: ",
				       " : la fenêtre est close, il manque " });
	add_units(s, s->p->missing_end);
	add(s, (struct words){ ".", "." });
}

void projection_say(const struct projection_input *input, const struct projection *projection,
		    enum projection_unit unit, bool french, struct buf *out)
{
	const struct speech s = { input, projection, unit, french, out };

	switch (projection->state) {
	case TARGET_MET_NOW:
		say_met(&s);
		break;
	case TARGET_ON_TRACK:
		say_on_track(&s);
		break;
	case TARGET_AT_RISK:
		say_at_risk(&s);
		break;
	case TARGET_OUT_OF_REACH:
		say_out_of_reach(&s);
		break;
	case TARGET_NO_TARGET:
		add(&s, (struct words){ "No threshold is known: write it in the targets' file.",
					"Aucun seuil n'est connu : l'écrire dans le fichier des "
					"objectifs." });
		break;
	case TARGET_NO_DENOMINATOR:
		add(&s, (struct words){ "There is nothing to measure against yet.",
					"Il n'y a encore rien à quoi le rapporter." });
		break;
	case TARGET_STATE_COUNT:
		break;
	}
}
