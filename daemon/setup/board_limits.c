/* Limits of alerts in a file of targets, held against the configuration's. Pure. */
#include "setup/board_limits.h"

#include <math.h>

#define DAY_MS 86400000.0

/* A limit that both say; not said: NAN. */
struct limit {
	const char *theirs;    /* as the targets call it */
	const char *ours;      /* as dmpfeed.yaml calls it */
	double said, in_force; /* in the unit of the targets */
	double scale;          /* from that to the unit of dmpfeed.yaml */
	const char *unit;      /* of dmpfeed.yaml: " d" */
};

static double said(const struct target_alert *alert, double value)
{
	return alert->is_set ? value : NAN;
}

static bool is_same(const struct limit *limit)
{
	return isnan(limit->said) || fabs(limit->said - limit->in_force) < 1e-6;
}

int board_check_limits(const struct targets *targets, const struct config *config,
		       struct buf *errors)
{
	const struct target_alerts *t = &targets->alerts;
	const struct threshold_settings *c = &config->alerts;
	const struct target_alert *absent = &t->dmp_absent_rate, *days = &t->certificate_days,
				  *hidden = &t->invisible_patient_days;
	const struct limit limits[] = {
		{ "dmp_absent_rate.warn", "alerts.dmp_absent_rate.warning",
		  said(absent, absent->warn), (double)c->absent_percent.warning / 100, 100, "" },
		{ "dmp_absent_rate.crit", "alerts.dmp_absent_rate.critical",
		  said(absent, absent->crit), (double)c->absent_percent.critical / 100, 100, "" },
		{ "dmp_absent_rate.min_n", "alerts.dmp_absent_rate.least_documents",
		  absent->least > 0 ? (double)absent->least : NAN, (double)c->absent_least, 1, "" },
		{ "certificate_days.warn", "alerts.certificate_expiring.warning",
		  said(days, days->warn), (double)c->certificate_ms.warning / DAY_MS, 1, " d" },
		{ "certificate_days.crit", "alerts.certificate_expiring.critical",
		  said(days, days->crit), (double)c->certificate_ms.critical / DAY_MS, 1, " d" },
		{ "silence_factor", "alerts.source_silent.factor",
		  t->silence_factor > 0 ? t->silence_factor : NAN, (double)c->silence_factor, 1,
		  "" },
		{ "invisible_patient_days.warn", "visibility.invisible_most",
		  said(hidden, hidden->warn), (double)c->invisible_warning_ms / DAY_MS, 1, " d" },
		{ "invisible_patient_days.crit", "alerts.invisible_too_long.critical",
		  said(hidden, hidden->crit), (double)c->invisible_critical_ms / DAY_MS, 1, " d" },
	};
	bool is_good = true;

	for (size_t i = 0; i < length_of(limits); i++) {
		const struct limit *one = &limits[i];

		if (is_same(one))
			continue;
		is_good = false;
		buf_addf(errors,
			 "%s:%u:%u: alerts: %s is %g, and %s in %s means %g%s, which is what "
			 "rings: write %s: %g%s there, or take this one away\n",
			 targets->alerts_file, targets->alerts_line, targets->alerts_column,
			 one->theirs, one->said, one->ours, config->file,
			 one->in_force * one->scale, one->unit, one->ours, one->said * one->scale,
			 one->unit);
	}
	return is_good ? 0 : -1;
}
