/* What targets are measured against and did not come as documents: figures that people import, revision
 * beside revision, and the figures of windows that have ended, frozen.
 *
 * Nothing here is ever changed: an import adds a revision, and who brought it is written down with it.
 * Days and months as base/calendar.h has them.
 */
#ifndef DMPFEED_QUEUE_STORE_TARGET_H
#define DMPFEED_QUEUE_STORE_TARGET_H

#include "queue/store_count.h"

/* ---- imports ---- */

enum store_figures {
	FIGURES_DENOMINATOR, /* of a denominator of the targets, by champ */
	FIGURES_OFFICIAL,    /* what the CNAM counted, by document type */
	FIGURES_DECLARED,    /* what the hospital declared, likewise */
};

struct store_figure {
	const char *site; /* finess_eg */
	const char *name; /* the champ, or the code of the type */
	int month;        /* 202611 */
	int64_t n;
};

struct store_import {
	enum store_figures kind;
	const char *series;           /* the id of the denominator; "": there is one only */
	const char *source;           /* "dim_import", "manual", "official" */
	const char *file;             /* its name, */
	uint8_t digest[SHA256_BYTES]; /* and what it held */
	const char *actor;            /* who brought it */
	int64_t now_ms;
	const struct store_figure *figures;
	size_t count;
};

/* Writer. Revisions count up over all imports; each is an act too (store_act.h). */
must_use int store_import_figures(struct store *store, const struct store_import *import,
				  uint64_t *ret_revision, struct err *err);

/* Where a figure came from. */
struct store_origin {
	uint64_t revision;
	const char *source, *actor;
	int64_t imported_ms;
};

/* The newest revision of each figure whose month lies in [from_month, to_month], by site, name and month;
 * `site` as it is called now, so that a renumbered one may be told twice, of one revision. Texts are valid
 * during the callback.
 */
must_use int store_figures(struct store *store, enum store_figures kind, const char *series,
			   int from_month, int to_month,
			   void (*each)(void *arg, const struct store_figure *figure,
					const struct store_origin *origin),
			   void *arg, struct err *err);

/* ---- what waits ---- */

struct store_unsent {
	const char *lane, *site, *field, *type_code; /* site: as it is called now */
	bool needs_ins;                              /* for its identity to be qualified */
	int64_t n;
};

/* New documents (no versions, no deletions) that are queued, being sent, or held. */
must_use int store_unsent(struct store *store,
			  void (*each)(void *arg, const struct store_unsent *waiting), void *arg,
			  struct err *err);

/* ---- how well it goes ---- */

/* Of what was accepted since then, by site as it is called now. */
struct store_quality {
	const char *lane, *site;
	int64_t accepted, first_pass; /* first_pass: at the first attempt */
	int64_t replaced;             /* versions that took the place of one of these */
	int64_t invisible;
	int64_t still_invisible; /* of these, accepted before hidden_before_ms, and hidden yet */
};

must_use int store_quality(struct store *store, int64_t since_ms, int64_t hidden_before_ms,
			   void (*each)(void *arg, const struct store_quality *quality), void *arg,
			   struct err *err);

/* Of lineages of these types that were accepted since then, and whose stay is known to have ended: how many
 * came on its last day or before, on the next day, by the eighth, and later; by site.
 */
enum store_promptness { STORE_D0, STORE_D1, STORE_D2_D8, STORE_D9_PLUS, STORE_PROMPTNESS };

must_use int
store_promptness(struct store *store, const struct store_names *types, int64_t since_ms,
		 void (*each)(void *arg, const char *site, enum store_promptness when, int64_t n),
		 void *arg, struct err *err);

/* What each unit did in [from_ms, to_ms[; weeks: those before whole_ms, in which something was accepted. */
struct store_unit {
	const char *site, *unit; /* site: as it is called now */
	int64_t discharges;      /* as ADT messages tell of them */
	int64_t accepted;
	unsigned active_weeks;
};

must_use int store_units(struct store *store, int64_t from_ms, int64_t to_ms, int64_t whole_ms,
			 void (*each)(void *arg, const struct store_unit *unit), void *arg,
			 struct err *err);

/* ---- frozen figures ---- */

/* Of one indicator, of one place, when its window had ended. */
struct store_snapshot {
	const char *programme, *window, *indicator;
	const char *place; /* finess_eg or finess_ej */
	int64_t frozen_ms;
	const char *json; /* all that went in, and what came out */
};

/* Writer. 1: frozen; 0: there was one already, which stays; -1. */
must_use int store_freeze(struct store *store, const struct store_snapshot *snapshot,
			  struct err *err);

must_use int store_snapshots(struct store *store,
			     void (*each)(void *arg, const struct store_snapshot *snapshot),
			     void *arg, struct err *err);

/* Writer. Those that were frozen before then. */
must_use int store_forget_snapshots(struct store *store, int64_t before_ms, size_t *ret_count,
				    struct err *err);

#endif
