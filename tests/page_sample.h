/* A gateway to draw: a group of hospitals on an ordinary morning, with everything that a page can show. */
#ifndef DMPFEED_TESTS_PAGE_SAMPLE_H
#define DMPFEED_TESTS_PAGE_SAMPLE_H

#include <math.h>

#include "status/health.h"
#include "status/page.h"

#define SAMPLE_NOW_MS 1795340400000LL /* 2026-11-22T09:40:00Z, a Sunday, 10:40 in Paris */
#define SAMPLE_MINUTE_MS 60000LL
#define SAMPLE_HOUR_MS (60 * SAMPLE_MINUTE_MS)
#define SAMPLE_DAY_MS (24 * SAMPLE_HOUR_MS)

struct page_sample {
	struct status status;
	struct page page;
	struct curve curve;
	struct status_lane lanes[2];
	struct status_listener listeners[2];
	struct status_folder folders[2];
	struct status_source sources[2];
	struct status_depth depths[8];
	struct page_waiting waiting[8];
	struct health_certificate certificates[4];
	struct board_row rows[5];
	struct board_result board;
	struct status_site sites[5];
	struct alert alerts[2];
	struct health health;
};

/* Busy by day, quiet at night and on Sundays; the same every time. */
static inline void sample_curve(struct curve *curve)
{
	uint64_t chance = 88172645463325252;

	for (int64_t back_ms = 30 * SAMPLE_DAY_MS; back_ms >= 0; back_ms -= 30 * SAMPLE_MINUTE_MS) {
		const int64_t at_ms = SAMPLE_NOW_MS - back_ms;
		const int64_t hour = at_ms / SAMPLE_HOUR_MS % 24 + 1;
		const int64_t weekday = (at_ms / SAMPLE_DAY_MS + 4) % 7; /* 0: Sunday */
		uint64_t received = hour >= 8 && hour <= 18 ? 160 : hour >= 6 ? 40 : 8;

		chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
		received = received * (60 + chance % 80) / 100 /
			   (weekday == 0 || weekday == 6 ? 5 : 1);
		curve_add(curve, CURVE_RECEIVED, at_ms, received);
		curve_add(curve, CURVE_DELIVERED, at_ms, received - received / (17 + chance % 20));
		curve_add(curve, CURVE_REJECTED, at_ms, chance % 9 == 0 ? received / 20 : 0);
	}
}

static inline void sample_ways(struct page_sample *sample)
{
	sample->lanes[0] = (struct status_lane){ .name = "990000987",
						 .state = "open",
						 .why = "",
						 .in_flight = 3,
						 .delivered = 18204,
						 .last_delivered_ms = SAMPLE_NOW_MS - 41000 };
	sample->lanes[1] =
		(struct status_lane){ .name = "990000995",
				      .state = "open",
				      .why = "",
				      .delivered = 2310,
				      .last_delivered_ms = SAMPLE_NOW_MS - 6 * SAMPLE_MINUTE_MS };
	sample->listeners[0] = (struct status_listener){ .name = "dpi",
							 .address = "10.20.0.14:2575",
							 .tls = true,
							 .connections = 4,
							 .messages = 21456,
							 .last_message_ms = SAMPLE_NOW_MS - 12000 };
	sample->listeners[1] =
		(struct status_listener){ .name = "laboratoire",
					  .address = "10.20.0.14:2576",
					  .connections = 1,
					  .messages = 8034,
					  .broken_frames = 2,
					  .refused_peers = 5,
					  .last_message_ms = SAMPLE_NOW_MS - 3 * SAMPLE_MINUTE_MS };
	sample->folders[0] =
		(struct status_folder){ .name = "imagerie",
					.path = "/srv/dmpfeed/imagerie",
					.trouble = "",
					.waiting = 2,
					.taken = 4120,
					.rejected = 3,
					.last_file_ms = SAMPLE_NOW_MS - 14 * SAMPLE_MINUTE_MS };
	sample->sources[0] = (struct status_source){ .name = "DPI",
						     .address = "10.20.0.30:2600",
						     .state = "open",
						     .why = "",
						     .connected = true,
						     .waiting = 1,
						     .told = 18199,
						     .last_told_ms = SAMPLE_NOW_MS - 44000 };
	sample->status.lanes = sample->lanes;
	sample->status.lane_count = 2;
	sample->status.listeners = sample->listeners;
	sample->status.listener_count = 2;
	sample->status.folders = sample->folders;
	sample->status.folder_count = 1;
	sample->status.sources = sample->sources;
	sample->status.source_count = 1;
}

static inline void sample_documents(struct page_sample *sample)
{
	static const struct status_depth depths[] = {
		{ "held", 1979 },        { "queued", 42 },     { "sending", 3 },
		{ "delivered", 184231 }, { "refused", 3820 },  { "rejected", 17 },
		{ "suppressed", 655 },   { "cancelled", 210 },
	};
	static const struct page_waiting waiting[] = {
		{ "held", REASON_INS_NOT_QUALIFIED, "990000001", 1312,
		  SAMPLE_NOW_MS - 19 * SAMPLE_DAY_MS },
		{ "held", REASON_INS_NOT_QUALIFIED, "990000019", 588,
		  SAMPLE_NOW_MS - 8 * SAMPLE_DAY_MS },
		{ "held", REASON_POLICY_HOLD, "990000001", 64, SAMPLE_NOW_MS - 5 * SAMPLE_DAY_MS },
		{ "rejected", REASON_METADATA_INVALID, "990000027", 14,
		  SAMPLE_NOW_MS - 26 * SAMPLE_HOUR_MS },
		{ "held", REASON_WAITING_PREDECESSOR, "990000001", 15,
		  SAMPLE_NOW_MS - 2 * SAMPLE_HOUR_MS },
		{ "rejected", REASON_DMP_ERROR, "990000001", 3,
		  SAMPLE_NOW_MS - 3 * SAMPLE_HOUR_MS },
	};
	static const struct status_site sites[] = {
		{ "990000001", "Hôpital Saint-Martin", false, SAMPLE_NOW_MS - 41000 },
		{ "990000019", "Clinique des Tilleuls", false, SAMPLE_NOW_MS - 41000 },
		{ "990000027", "SSR du Lac", false, SAMPLE_NOW_MS - 41000 },
		{ "990000987", "Centre hospitalier du Val", true, 0 },
		{ "990000995", "Groupe Santé du Lac", true, 0 },
	};

	memcpy(sample->depths, depths, sizeof(depths));
	memcpy(sample->waiting, waiting, sizeof(waiting));
	memcpy(sample->sites, sites, sizeof(sites));
	sample->status.depths = sample->depths;
	sample->status.depth_count = length_of(depths);
	sample->page.waiting = sample->waiting;
	sample->page.waiting_count = length_of(waiting);
	sample->page.waiting_is_known = true;
	sample->status.sites = sample->sites;
	sample->status.site_count = length_of(sites);
}

/* A ratio; its missing documents and state are told, not computed: that is the projection's test. */
static inline struct board_row sample_ratio(const char *place, const char *name, const char *label,
					    double rate, double threshold, double rate_end,
					    enum target_state state)
{
	return (struct board_row){
		.programme = "hopen2-p1",
		.programme_label = "HOP'EN 2, phase 1",
		.window = "w1",
		.start = 20260101,
		.end = TARGETS_NO_END,
		.indicator = "sortie_70",
		.label = label,
		.place = place,
		.place_name = name,
		.lane = "990000987",
		.fields = "",
		.is_counted = true,
		.input = { .is_ratio = true, .has_threshold = true, .threshold = threshold },
		.projection = { .state = state,
				.rate = rate,
				.rate_end = rate_end,
				.low = NAN,
				.high = NAN,
				.missing_now = 0,
				.missing_end = 0 },
		.threshold_status = TARGET_OFFICIAL,
		.english = "",
		.french = "",
		.definition =
			"séjours avec un document de sortie accepté / séjours terminés (import "
			"DIM), MCO SMR PSY HAD",
		.definition_hash = "",
		.frozen = "",
	};
}

static inline void sample_targets(struct page_sample *sample)
{
	static const char martin[] = "Hôpital Saint-Martin", lac[] = "SSR du Lac",
			  stays[] = "Séjours clôturés par un document de sortie dans le DMP";
	struct board_row *rows = sample->rows;

	rows[0] = sample_ratio("990000001", martin, stays, 8200.0 / 13400, 0.7, 0.653,
			       TARGET_AT_RISK);
	rows[0].projection.missing_now = 1180;
	rows[0].projection.missing_end = 4414;
	rows[0].english = "Qualifying the identities that 1,900 documents wait for brings you to "
			  "75.9% at the end; without them, 65.3% (target 70.0%).";
	rows[0].french =
		"Qualifier les identités qu'attendent 1 900 documents vous amène à 75,9 % à "
		"la fin ; sans eux, 65,3 % (objectif 70,0 %).";
	rows[1] = sample_ratio("990000027", lac, stays, 0.684, 0.7, 0.734, TARGET_ON_TRACK);
	rows[1].projection.missing_now = 21;
	rows[1].projection.missing_end = 312;
	rows[1].projection.is_young = true;
	rows[1].projection.low = 0.712;
	rows[1].projection.high = 0.751;
	rows[1].english =
		"68.4% of 70.0% asked for. The window may end between 71.2% and 75.1% (the "
		"history is short): the target is reached.";
	rows[1].french = "68,4 % sur 70,0 % demandés. La fenêtre peut finir entre 71,2 % et 75,1 % "
			 "(l'historique est court) : l'objectif est atteint.";
	rows[2] = sample_ratio("990000001", martin,
			       "Lettre de liaison transmise le jour de la sortie", 0.864, 0.8, 0.87,
			       TARGET_MET_NOW);
	rows[2].programme_label = "Objectifs internes 2026-S2";
	rows[2].definition = "lettres acceptées sous 24 h / lettres acceptées";
	rows[2].threshold_status = TARGET_INTERNAL;
	rows[3] = sample_ratio("990000027", lac, "Comptes rendus de biologie", 6412, 0, NAN,
			       TARGET_NO_TARGET);
	rows[3].input = (struct projection_input){ 0 };
	rows[3].projection.missing_now = rows[3].projection.missing_end = -1;
	rows[3].programme_label = "SUN-ES, volet 1";
	rows[3].english = "No threshold is known: write it in the targets' file.";
	rows[3].french = "Aucun seuil n'est connu : l'écrire dans le fichier des objectifs.";
	rows[4] = rows[2];
	rows[4].label = "Fenêtre close";
	rows[4].has_ended = true;
	sample->board = (struct board_result){
		.as_of_ms = SAMPLE_NOW_MS, .today = 20261122, .rows = rows, .row_count = 5
	};
	sample->page.board = &sample->board;
	sample->page.has_targets = true;
}

static inline void sample_certificates(struct page_sample *sample)
{
	static const struct health_certificate certificates[] = {
		{ "990000987", "auth", "passerelle-dmp.ch-du-val.example",
		  SAMPLE_NOW_MS + 412 * SAMPLE_DAY_MS },
		{ "990000987", "sign", "CH DU VAL", SAMPLE_NOW_MS + 41 * SAMPLE_DAY_MS },
		{ "dpi", "listener", "dmpfeed.ch-du-val.example",
		  SAMPLE_NOW_MS + 9 * SAMPLE_DAY_MS },
	};

	memcpy(sample->certificates, certificates, sizeof(certificates));
	sample->health.certificates = sample->certificates;
	sample->status.health = &sample->health;
	sample->health.certificate_count = length_of(certificates);
}

/* Fills `sample`, which is not to be moved afterwards. */
static inline void sample_make(struct page_sample *sample)
{
	*sample = (struct page_sample){ 0 };
	sample->status = (struct status){
		.version = "1.2.3",
		.environment = "production",
		.now_ms = SAMPLE_NOW_MS,
		.started_ms = SAMPLE_NOW_MS - 12 * SAMPLE_DAY_MS,
		.oldest_queued_ms = SAMPLE_NOW_MS - 4 * SAMPLE_MINUTE_MS,
		.last_delivered_ms = SAMPLE_NOW_MS - 41000,
		.not_ready = "",
	};
	sample->page.status = &sample->status;
	sample->status.curve = &sample->curve;
	sample_curve(&sample->curve);
	sample_ways(sample);
	sample_documents(sample);
	sample_targets(sample);
	sample_certificates(sample);
}

#endif
