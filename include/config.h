/* The configuration: one YAML file, one table of options, every error of a file reported at once
 * with file:line:column.
 *
 * Read at start and at each reload, immutable afterwards: any thread may read it.
 */
#ifndef DMPFEED_CONFIG_H
#define DMPFEED_CONFIG_H

#include "base/log.h"
#include "control/control.h"
#include "convert/convert.h"
#include "dispatch/collector.h"
#include "dispatch/existence_cache.h"
#include "dispatch/http.h"
#include "dispatch/lane.h"
#include "dmp/vihf.h"
#include "dmp/xades.h"
#include "document/metadata.h"
#include "document/unzip.h"
#include "hl7/transmission.h"
#include "intake/drop.h"
#include "intake/mllp_sender.h"
#include "intake/mllp_server.h"
#include "push.h"
#include "queue/store.h"
#include "status/status_server.h"
#include "status/thresholds.h"

/* When documents of a type, or of a unit, are sent. */
enum policy_action { POLICY_SEND, POLICY_HOLD, POLICY_DELAY, POLICY_INVISIBLE };

enum { CONFIG_DELAY_MS = 24 * 3600 * 1000 }; /* unless it is written otherwise */

struct config_policy {
	const char *type; /* "*": any */
	const char *unit; /* PV1-3.1; "": any, and that of a document without message */
	enum policy_action action;
	int64_t delay_ms; /* of POLICY_DELAY */
};

/* Who answers for what the gateway sends by itself; "": the gateway, by its own names. */
struct config_sender {
	const char *name_id, *subject_id;
	struct vihf_role *roles; /* of a site: one at least */
	size_t role_count;
};

/* For the documents of one source, in place of what their site says; what it leaves out is the
 * site's.
 */
struct config_source_sender {
	const char *name; /* of the source */
	struct config_sender sender;
};

/* A unit (UF) of a site whose activity is of another field. */
struct config_unit {
	const char *unit, *field;
};

/* What becomes of documents of patients whom nobody asked: of a site, "default" is what all do. */
enum not_asked { NOT_ASKED_AS_ALL, NOT_ASKED_SEND, NOT_ASKED_HOLD };

struct config_site {
	struct metadata_site metadata;
	const char *oid; /* the ids of documents built for it are made under it */
	struct config_sender sender;
	const char **types; /* of documents that it sends; none: all that the DMP takes */
	size_t type_count;
	struct config_policy *policies; /* the first that fits */
	size_t policy_count;
	const char *field;         /* of activity, for what is counted: "MCO", …, "none" */
	struct config_unit *units; /* those of another one */
	size_t unit_count;
	/* What is held for a person, whatever else: of units, of visits whose flag (PV1-16) is not one of those
	 * that are known as harmless, of types.
	 */
	const char **sensitive_units;
	size_t sensitive_unit_count;
	const char **sensitive_types;
	size_t sensitive_type_count;
	const char *open_flags;   /* with blanks between them */
	const char *stay_classes; /* of visits (PV1-2) that indicators count as stays, likewise */
	enum not_asked not_asked;
	const char **formerly; /* the geographic FINESS numbers that it had before */
	size_t formerly_count;
	const char *
		*plateaus; /* "biologie", "imagerie": its own, for targets that only these have */
	size_t plateau_count;
};

struct config_establishment {
	const char *finess_ej, *name;
	const char *url_repository;
	const char *url_registry; /* "": none; nothing can be replaced or deleted */
	const char *url_patients; /* "": none; existence cannot be checked */
	bool check_existence;     /* before every first document of a patient */
	uint64_t most_submission_bytes;
	uint64_t most_submission_documents; /* 1: each document has its own outcome */
	const char *wsa_to;                 /* "url" (the service's URL) or "empty" */
	bool http_soap_action;              /* the header SOAPAction too */
	const char *proxy_file;             /* "": none; what it holds is in http.proxy_login */
	struct http_settings http;
	struct signer_settings sign;
	struct lane_settings lane;
	struct config_site *sites;
	size_t site_count;
};

/* An application that sends, and what the gateway sends back to it. */
struct config_source {
	const char *name; /* as the listeners and folders have it */
	struct mllp_sender_settings ack;
};

/* What becomes of a document whose confidentiality is R or V. */
enum restricted { RESTRICTED_HOLD, RESTRICTED_REFUSE, RESTRICTED_SEND };

/* What is done with a PDF that is not PDF/A-1. */
enum config_pdf { PDF_CONVERT, PDF_REFUSE, PDF_SEND };

/* Document types that go before others, or after. */
struct config_priority {
	const char **types;
	size_t type_count;
	enum store_priority priority;
};

struct config {
	const char *file;
	const char **files; /* that were read: `file`, and what it includes */
	size_t file_count;
	const char *include; /* "": it was done */
	enum environment environment;
	enum log_level log_level;
	struct flood_limit log_rate_limit;
	uint64_t workers; /* threads that parse and build; 0: one per core */
	const char *state_dir;
	const char *valuesets_dir, *errors_file;
	uint64_t most_document_bytes;
	struct config_priority *priorities;
	size_t priority_count;
	const char *key_file;   /* "": what is kept is not encrypted */
	int64_t keep_bodies_ms; /* after the final state */
	int64_t keep_days_ms;   /* numbers of single days; those of months are kept for ever */
	int64_t most_age_ms;    /* a document that is older when an attempt fails is rejected */
	bool allow_masked_and_invisible;
	enum config_pdf when_not_pdfa;
	struct convert_settings convert;
	uint64_t pdf_threads, most_pdf_waiting; /* that convert; to be converted */
	enum restricted restricted;
	int64_t invisible_most_ms; /* a document may be hidden from the patient this long */
	bool strict_structures;    /* who sends must be of a declared site */
	const char *ins_oids;      /* "": those of the environment */
	const char *local_oid;     /* "": any */
	bool few_traits;           /* what the DMP is told of a patient is enough */
	bool system_sends;         /* the gateway is the author of what is sent, whoever asks */
	bool send_hash_size;
	const char *content_type_map; /* "": that in valuesets_dir */
	struct transmission_settings transmission;
	bool absent_as_new; /* a document whose predecessor the DMP does not hold goes as a new one */
	bool supersede_unsent;   /* a new version takes the place of one that was never tried */
	bool suppress_unchanged; /* a new version that changes nothing is not sent */
	bool replacement_has_status;
	const char *processing_code; /* HL7 V3: "P", "T", "D" */
	struct existence_cache_settings existence_cache;
	bool believes_adt; /* of the state of a patient's DMP */

	int64_t keep_identities_ms;  /* after the last word or document of the patient */
	bool hold_not_asked;         /* what is of a patient whom nobody asked */
	int64_t release_most_age_ms; /* what was refused is sent after all if it is not older */

	const char *lps_name, *lps_version, *lps_oid, *lps_internal_id;
	const char *lps_id;            /* "": none */
	const char *homologation_file; /* "": none */

	struct vihf_settings vihf; /* with the number of the homologation, which is a secret */
	struct xades_settings xades;
	bool ascii_names; /* in both signatures */

	const char *letter_types; /* with blanks between them: a stay without one has no letter */
	int64_t keep_stays_ms;    /* after their end */

	const char *targets_dir;    /* "": there are no targets */
	int64_t targets_every_ms;   /* they are counted */
	int64_t keep_snapshots_ms;  /* figures of windows that have ended */
	bool export_point;          /* decimals in files for spreadsheets: a point, not a comma */
	uint64_t export_small_cell; /* smaller counts are not told to the outside */

	struct control_settings control;
	struct status_settings status;
	const char *status_token_file;       /* "": none; what it holds is in status.token */
	struct collector_settings collector; /* of the audit trail */
	struct threshold_settings alerts;
	struct push_settings push;
	const char *push_token_file; /* "": none; what it holds is in push.token */
	struct store_settings store;

	struct unzip_limits xdm;
	struct mllp_settings *mllp;
	size_t mllp_count;
	struct drop_settings *drops;
	size_t drop_count;
	struct config_source *sources;
	size_t source_count;
	struct config_source_sender *source_senders;
	size_t source_sender_count;
	struct config_establishment *establishments;
	size_t establishment_count;

	struct option_spots *spots; /* where each option was written */
	struct arena arena;
};

/* Reads and checks `file`, with the files that it includes. 0, or -1 with every error appended to
 * `errors`, one line each: "FILE:LINE:COLUMN: sentence". Certificates and keys that cannot be read
 * are among them, but are not enough for -1: one establishment's must not stop the others.
 * credentials_load() tells them then.
 */
must_use int config_load(struct config **ret_config, const char *file, struct buf *errors);

/* The same, to tell all that is wrong: one with errors that leave no doubt of the rest is handed over too, for that
 * to be looked at. Nobody may go by it.
 */
must_use int config_look(struct config **ret_config, const char *file, struct buf *errors);

/* The same of bytes that were read already, alone; `file` gives relative paths their folder. */
must_use int config_parse(struct config **ret_config, const char *file, struct slice bytes,
			  struct buf *errors);
void config_free(struct config **config);

/* Appends an error about what `field`, a member that is an option, names: one line as
 * config_load() writes them.
 */
void config_fault(const struct config *config, const void *field, struct buf *errors,
		  const char *format, ...) printf_like(4, 5);

/* What a document type was given; normal when it was given nothing. */
enum store_priority config_priority_of(const struct config *config, const char *type_code);

/* The effective configuration, defaults included, as YAML that config_load() accepts. Of alerts.push.url the path is left
 * out: whoever keeps the print as a file writes it again.
 */
void config_print(const struct config *config, struct buf *out);

/* What differs between the options of two configurations. */
struct option_change;
void config_diff(const struct config *before, const struct config *after,
		 void (*each)(void *arg, const struct option_change *change), void *arg);

/* The establishment and site of a geographic FINESS; NULL when no establishment declares it.
 * `ret_site` may be NULL.
 */
const struct config_establishment *config_establishment_of(const struct config *config,
							   const char *finess_eg,
							   const struct config_site **ret_site);

/* The field of activity of that unit of the site; "": nobody says. */
const char *config_field_of(const struct config_site *site, const char *unit);

/* Who answers for what the gateway sends by itself of that site and source. */
struct config_sender config_sender_of(const struct config *config, const struct config_site *site,
				      const char *source);

/* The source of that name; NULL: nothing is sent back to it. */
const struct config_source *config_source_of(const struct config *config, const char *name);

/* Every option there is, for whoever writes about them. Texts are valid during the callback. */
struct config_option {
	const char *name;   /* "establishments[].dmp.tls.min" */
	const char *preset; /* what is meant when the file is silent; NULL: it must be given */
	const char *help;   /* what it is */
	bool restart;       /* it takes effect at a start only */
};

void config_options(void (*each)(void *arg, const struct config_option *option), void *arg);

#endif
