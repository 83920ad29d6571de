/* The arithmetic of targets. Pure. Any thread. */
#include "status/projection.h"

#include <math.h>

static const char *const state_texts[] = {
	[TARGET_MET_NOW] = "MET_NOW",     [TARGET_ON_TRACK] = "ON_TRACK",
	[TARGET_AT_RISK] = "AT_RISK",     [TARGET_OUT_OF_REACH] = "OUT_OF_REACH",
	[TARGET_NO_TARGET] = "NO_TARGET", [TARGET_NO_DENOMINATOR] = "NO_DENOMINATOR",
};

const char *target_state_text(enum target_state state)
{
	return state_texts[state];
}

/* 0.55 * 100 is a little more than 55: that is no document. */
static const double dust = 1e-6;

/* The same of a share, of which a document is little. */
static const double speck = 1e-9;

static int64_t missing(double wanted, double there)
{
	return (int64_t)fmax(0, ceil(wanted - there - dust));
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between the two nearest of them. */
static double percentile(const double *sorted, size_t count, double share)
{
	const double at = share * (double)(count - 1);
	const size_t below = (size_t)at, above = min(below + 1, count - 1);

	return sorted[below] + (sorted[above] - sorted[below]) * (at - (double)below);
}

/* What the numerator comes to, divided by what it is measured against. */
static double as_rate(const struct projection_input *input, double numerator, double denominator)
{
	if (!input->is_ratio)
		return numerator;
	return denominator > 0 ? numerator / denominator : NAN;
}

static void put_interval(const struct projection_input *input, struct projection *p)
{
	const size_t weeks = min(input->weeks, (size_t)PROJECTION_WEEKS);
	double sorted[PROJECTION_WEEKS];

	p->is_young = weeks < PROJECTION_ENOUGH;
	if (weeks == 0)
		return;
	memcpy(sorted, input->weekly, weeks * sizeof(sorted[0]));
	qsort(sorted, weeks, sizeof(sorted[0]), ascending);
	p->low = as_rate(input,
			 (double)input->numerator + percentile(sorted, weeks, 0.1) * input->left,
			 p->denominator_end);
	p->high = as_rate(input,
			  (double)input->numerator + percentile(sorted, weeks, 0.9) * input->left,
			  p->denominator_end);
}

static void put_end(const struct projection_input *input, struct projection *p)
{
	const double end = (double)input->numerator + input->numerator_pace * input->left;

	p->denominator_end =
		(double)input->denominator + input->denominator_pace * (input->gap + input->left);
	p->rate_end = as_rate(input, end, p->denominator_end);
	p->rate_recovered = as_rate(input, end + (double)input->recoverable, p->denominator_end);
	put_interval(input, p);
}

/* How much of the numerator the threshold asks for. */
static double wanted(const struct projection_input *input, double denominator)
{
	return input->is_ratio ? input->threshold * denominator : input->threshold;
}

static void put_missing(const struct projection_input *input, struct projection *p)
{
	const double numerator = (double)input->numerator;

	p->missing_now = missing(
		wanted(input, (double)input->denominator + input->denominator_pace * input->gap),
		numerator);
	if (!input->has_end)
		return;
	p->missing_end = missing(wanted(input, p->denominator_end), numerator);
	if (input->left > 0)
		p->per_day = (double)p->missing_end / input->left;
}

static bool is_out_of_reach(const struct projection_input *input, const struct projection *p)
{
	const double reachable = (double)(input->numerator + input->sendable + input->recoverable) +
				 input->produced_pace * input->left * input->first_pass_rate;

	/* before the first full week nobody knows what will be produced */
	return input->has_end && (input->weeks > 0 || input->left <= 0) &&
	       reachable < wanted(input, p->denominator_end) - dust;
}

/* Where an open window goes: to what lately came, of what lately came. */
static double direction(const struct projection_input *input, const struct projection *p)
{
	if (input->has_end)
		return p->rate_end;
	return as_rate(input, input->numerator_pace, input->denominator_pace);
}

/* By the units that lack, or are too many: of millions, a share that is nearly there lacks several. */
static bool is_reached(const struct projection_input *input)
{
	const double there =
		(double)(input->is_ratio ? input->numerator_measured : input->numerator);
	const double asked = wanted(input, (double)input->denominator);

	return input->at_most ? there <= asked + dust : there >= asked - dust;
}

static enum target_state state_at_least(const struct projection_input *input,
					const struct projection *p)
{
	if (is_reached(input))
		return TARGET_MET_NOW;
	if (is_out_of_reach(input, p))
		return TARGET_OUT_OF_REACH;
	if ((input->has_end || input->is_ratio) &&
	    direction(input, p) >= input->threshold + input->margin - speck)
		return TARGET_ON_TRACK;
	return TARGET_AT_RISK;
}

static enum target_state state_at_most(const struct projection_input *input,
				       const struct projection *p)
{
	if (is_reached(input))
		return TARGET_MET_NOW;
	if ((input->has_end || input->is_ratio) &&
	    direction(input, p) <= input->threshold - input->margin + speck)
		return TARGET_ON_TRACK;
	return TARGET_AT_RISK;
}

void projection_make(const struct projection_input *input, struct projection *ret_projection)
{
	struct projection p = {
		.rate = NAN,
		.rate_end = NAN,
		.low = NAN,
		.high = NAN,
		.rate_recovered = NAN,
		.missing_now = -1,
		.missing_end = -1,
		.per_day = NAN,
		.denominator_end = NAN,
		.pace = input->numerator_pace,
	};
	const bool can_measure =
		!input->is_ratio || (input->has_denominator && input->denominator > 0);

	if (can_measure)
		p.rate = as_rate(
			input,
			(double)(input->is_ratio ? input->numerator_measured : input->numerator),
			(double)input->denominator);
	if (can_measure && input->has_end)
		put_end(input, &p);
	if (can_measure && input->has_threshold && !input->at_most)
		put_missing(input, &p);
	if (!input->has_threshold)
		p.state = TARGET_NO_TARGET;
	else if (!can_measure)
		p.state = TARGET_NO_DENOMINATOR;
	else
		p.state = input->at_most ? state_at_most(input, &p) : state_at_least(input, &p);
	*ret_projection = p;
}
