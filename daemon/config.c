/* The configuration: the table of every option, and what follows from them. How a file becomes a
 * struct and back is option_yaml.c's business, what must hold between options config_rules.c's.
 *
 * At start and at a reload, on the loop: it looks at the disk, and nothing of it waits long.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "config_rules.h"

/* ---- the table ---- */

#define KIB(n) ((int64_t)(n) << 10)
#define MIB(n) ((int64_t)(n) << 20)
#define SECONDS(n) ((int64_t)(n)*1000)
#define HOURS(n) (SECONDS(n) * 3600)

enum { SOCKET_PATH = 107 }; /* bytes of sockaddr_un.sun_path, without its NUL */

/* An id is this OID, a dot and a number of at most 39 digits; an OID in XDS ends at 64. */
enum { OID_ROOT = 24 };

static const struct option_word environments[] = { { "production", ENVIRONMENT_PRODUCTION },
						   { "test", ENVIRONMENT_TEST },
						   { "rehearsal", ENVIRONMENT_REHEARSAL },
						   { 0 } };
static const struct option_word log_levels[] = { { "error", LEVEL_ERROR },
						 { "warning", LEVEL_WARNING },
						 { "info", LEVEL_INFO },
						 { "debug", LEVEL_DEBUG },
						 { 0 } };
static const struct option_word when_done[] = { { "keep", false }, { "delete", true }, { 0 } };
static const struct option_word tls_versions[] = { { "1.2", 0 }, { "1.3", 0 }, { 0 } };
static const struct option_word visit_classes[] = { { "I", 0 }, { "O", 0 }, { "E", 0 },
						    { "R", 0 }, { "N", 0 }, { 0 } };
static const struct option_word processing_codes[] = {
	{ "auto", 0 }, { "P", 0 }, { "T", 0 }, { "D", 0 }, { 0 }
};
static const struct option_word when_absent[] = { { "reject", false },
						  { "send_as_new", true },
						  { 0 } };
static const struct option_word set_authors[] = { { "person", false }, { "system", true }, { 0 } };
static const struct option_word mode_names[] = { { "Authentification_Mode", 0 },
						 { "Authentification_mode", 0 },
						 { 0 } };
static const struct option_word digests[] = { { "sha256", DIGEST_SHA256 },
					      { "sha1", DIGEST_SHA1 },
					      { 0 } };
static const struct option_word charsets[] = { { "utf-8", false }, { "escaped", true }, { 0 } };
static const struct option_word chains[] = { { "full", true }, { "leaf", false }, { 0 } };
static const struct option_word revocations[] = {
	{ "off", REVOCATION_OFF }, { "soft", REVOCATION_SOFT }, { "hard", REVOCATION_HARD }, { 0 }
};
static const struct option_word restricted[] = { { "hold", RESTRICTED_HOLD },
						 { "refuse", RESTRICTED_REFUSE },
						 { "send", RESTRICTED_SEND },
						 { 0 } };
static const struct option_word structures[] = { { "known", false }, { "strict", true }, { 0 } };
static const struct option_word policy_actions[] = { { "send", POLICY_SEND },
						     { "hold", POLICY_HOLD },
						     { "delay", POLICY_DELAY },
						     { "invisible_patient", POLICY_INVISIBLE },
						     { 0 } };
static const struct option_word when_not_pdfa[] = {
	{ "convert", PDF_CONVERT }, { "refuse", PDF_REFUSE }, { "send", PDF_SEND }, { 0 }
};
static const struct option_word wsa_to[] = { { "url", 0 }, { "empty", 0 }, { 0 } };

/* The four suites that the DMP's software entry takes. */
#define DMP_CIPHERS                                                                                \
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"                                 \
	"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-SHA384"

/* clang-format off */
static const struct option mllp_options[] = {
	{ "name", OPTION_NAME, AT(struct mllp_settings, name), .least = 1, .most = 32,
	  .help = "what the journal and the status page call this listener" },
	{ "listen", OPTION_ADDRESS, AT(struct mllp_settings, listen),
	  .help = "the IP address and port to listen on, like \"127.0.0.1:2575\"" },
	{ "site", OPTION_FINESS, AT(struct mllp_settings, site),
	  .help = "the geographic FINESS, in quotes, of the site whose documents come here" },
	{ "source", OPTION_TEXT, AT(struct mllp_settings, source), .least = 1, .most = 64,
	  .help = "what the application that sends is called" },
	{ "max_message", OPTION_SIZE, AT(struct mllp_settings, most_message_bytes),
	  .preset = "32 MiB", .least = KIB(1), .most = MIB(192),
	  .help = "a message may be this large" },
	{ "max_in_flight", OPTION_SIZE, AT(struct mllp_settings, most_in_flight_bytes),
	  .preset = "128 MiB", .least = KIB(1), .most = MIB(16384),
	  .help = "beyond this many bytes not yet acknowledged, nothing more is read" },
	{ "max_connections", OPTION_COUNT, AT(struct mllp_settings, most_connections),
	  .preset = "256", .least = 1, .most = 4096,
	  .help = "connections at once" },
	{ "idle", OPTION_DURATION, AT(struct mllp_settings, idle_ms),
	  .preset = "10 min", .least = 100, .most = HOURS(168),
	  .help = "a connection that says nothing for so long is closed" },
	{ "tls.cert", OPTION_FILE, AT(struct mllp_settings, tls.cert),
	  .preset = "",
	  .help = "a PEM file of the listener's certificate, then its intermediates: TLS only" },
	{ "tls.key", OPTION_SECRET, AT(struct mllp_settings, tls.key),
	  .preset = "",
	  .help = "a PEM file of the private key of that certificate" },
	{ "tls.client_ca", OPTION_FILE, AT(struct mllp_settings, tls.client_ca),
	  .preset = "",
	  .help = "a PEM file of who may issue the certificates that senders must then show" },
	{ "tls.min", OPTION_WORD, AT(struct mllp_settings, tls.min),
	  .preset = "1.2", .words = tls_versions,
	  .help = "the oldest version of TLS that is spoken" },
	{ "tls.ciphers", OPTION_TEXT, AT(struct mllp_settings, tls.ciphers),
	  .preset = TLS_CIPHERS, .least = 1, .most = 1000,
	  .help = "the cipher suites of TLS 1.2, by OpenSSL's names" },
	{ "allow", OPTION_VALUES, AT(struct mllp_settings, allowed),
	  .preset = "",
	  .entries = &(const struct option_table){
		  sizeof(struct network),
		  &(const struct option){ "allow", OPTION_NETWORK, .bytes = sizeof(struct network),
					  .help = "an address or a network" },
		  1 },
	  .count_at = offsetof(struct mllp_settings, allowed_count),
	  .help = "the networks and addresses that may connect; none written: all" },
};

static const struct option drop_options[] = {
	{ "name", OPTION_NAME, AT(struct drop_settings, name), .least = 1, .most = 32,
	  .help = "what the journal and the status page call this folder" },
	{ "folder", OPTION_FOLDER, AT(struct drop_settings, path),
	  .help = "the folder where documents are dropped" },
	{ "site", OPTION_FINESS, AT(struct drop_settings, site),
	  .help = "the geographic FINESS, in quotes, of the site whose documents come here" },
	{ "source", OPTION_TEXT, AT(struct drop_settings, source), .least = 1, .most = 64,
	  .help = "what the application that drops is called" },
	{ "settle", OPTION_DURATION, AT(struct drop_settings, settle_ms),
	  .preset = "2 s", .least = 0, .most = HOURS(1),
	  .help = "a file is whole when it has not changed for so long" },
	{ "scan", OPTION_DURATION, AT(struct drop_settings, scan_ms),
	  .preset = "10 s", .least = 100, .most = HOURS(1),
	  .help = "the folder is looked through this often" },
	{ "max_file", OPTION_SIZE, AT(struct drop_settings, most_file_bytes),
	  .preset = "20 MiB", .least = KIB(1), .most = MIB(192),
	  .help = "a file may be this large" },
	{ "max_in_flight", OPTION_COUNT, AT(struct drop_settings, most_in_flight),
	  .preset = "16", .least = 1, .most = 1024,
	  .help = "files worked on at once" },
	{ "sidecar_wait", OPTION_DURATION, AT(struct drop_settings, companion_wait_ms),
	  .preset = "10 min", .least = 100, .most = HOURS(168),
	  .help = "a PDF waits so long for its YAML file, and the other way round" },
	{ "when_done", OPTION_CHOICE, AT(struct drop_settings, delete_when_done),
	  .preset = "keep", .words = when_done,
	  .help = "keep a taken file in done/DATE/, or delete it" },
};

static const struct option source_options[] = {
	{ "name", OPTION_TEXT, AT(struct config_source, name), .least = 1, .most = 64,
	  .help = "the source of a listener or folder" },
	{ "ack.address", OPTION_ADDRESS, AT(struct config_source, ack.address),
	  .help = "the IP address and port where it takes business acknowledgements, like "
		  "\"10.1.2.3:2576\"" },
	{ "ack.tls.ca", OPTION_FILE, AT(struct config_source, ack.tls.ca),
	  .preset = "",
	  .help = "a PEM file of the authorities that its certificate is checked against; "
		  "without one there is no TLS" },
	{ "ack.tls.cert", OPTION_FILE, AT(struct config_source, ack.tls.cert),
	  .preset = "",
	  .help = "a PEM file of the certificate that the gateway shows it" },
	{ "ack.tls.key", OPTION_SECRET, AT(struct config_source, ack.tls.key),
	  .preset = "",
	  .help = "a PEM file of the private key of that certificate" },
	{ "ack.tls.name", OPTION_TEXT, AT(struct config_source, ack.tls.name),
	  .preset = "", .least = 0, .most = 253,
	  .help = "the host name that its certificate must be for; the address, by default" },
	{ "ack.timeout", OPTION_DURATION, AT(struct config_source, ack.timeout_ms),
	  .preset = "30 s", .least = 100, .most = HOURS(1),
	  .help = "a connection is made within this, and an answer comes within this" },
	{ "ack.idle", OPTION_DURATION, AT(struct config_source, ack.idle_ms),
	  .preset = "1 min", .least = 100, .most = HOURS(24),
	  .help = "a connection with nothing to send for so long is closed" },
	{ "ack.retry.first", OPTION_DURATION, AT(struct config_source, ack.retry.first_ms),
	  .preset = "30 s", .least = 100, .most = HOURS(24),
	  .help = "the first wait after a failure; each further one is twice as long" },
	{ "ack.retry.most", OPTION_DURATION, AT(struct config_source, ack.retry.most_ms),
	  .preset = "1 h", .least = 100, .most = HOURS(24),
	  .help = "no wait is longer than this" },
};

static const struct option role_options[] = {
	{ "code", OPTION_TEXT, AT(struct vihf_role, code), .least = 1, .most = 32,
	  .help = "the code of the role, like AUTOMATE" },
	{ "system", OPTION_OID, AT(struct vihf_role, system), .most = 64,
	  .help = "the OID of the list that the code is of" },
	{ "name", OPTION_TEXT, AT(struct vihf_role, name), .least = 1, .most = 128,
	  .help = "what that list calls it" },
};

/* Who answers: of a site, and of a source. */
#define SENDER_OPTIONS(group, holder)                                                              \
	{ group "name_id", OPTION_TEXT, AT(holder, sender.name_id),                                \
	  .preset = "", .least = 0, .most = 128,                                                   \
	  .help = "the national identifier of the person who answers for what the gateway sends" },\
	{ group "subject_id", OPTION_TEXT, AT(holder, sender.subject_id),                          \
	  .preset = "", .least = 0, .most = 128,                                                   \
	  .help = "what the gateway is called there: software, model, department" },               \
	{ group "roles", OPTION_LIST, AT(holder, sender.roles),                                    \
	  .entries = &(const struct option_table){ sizeof(struct vihf_role), role_options,         \
						   length_of(role_options) },                      \
	  .count_at = offsetof(holder, sender.role_count),                                         \
	  .help = "the roles in which documents are sent" }

static const struct option source_sender_options[] = {
	{ "name", OPTION_TEXT, AT(struct config_source_sender, name), .least = 1, .most = 64,
	  .help = "the source of a listener or folder" },
	SENDER_OPTIONS("", struct config_source_sender),
};

static const struct option policy_options[] = {
	{ "type", OPTION_TEXT, AT(struct config_policy, type), .least = 1, .most = 32,
	  .help = "the code of a document type, or \"*\" for all" },
	{ "unit", OPTION_TEXT, AT(struct config_policy, unit),
	  .preset = "", .least = 0, .most = 64,
	  .help = "the unit that the message names (PV1-3.1); none: all" },
	{ "action", OPTION_CHOICE, AT(struct config_policy, action), .words = policy_actions,
	  .help = "write send, hold, delay or invisible_patient" },
	{ "delay", OPTION_DURATION, AT(struct config_policy, delay_ms),
	  .preset = "24 h", .least = 1000, .most = HOURS(24 * 90),
	  .help = "how long an action \"delay\" holds" },
};

static const struct option_word priorities[] = { { "high", PRIORITY_HIGH },
						 { "normal", PRIORITY_NORMAL },
						 { "low", PRIORITY_LOW },
						 { 0 } };

static const struct option priority_options[] = {
	{ "types", OPTION_VALUES, AT(struct config_priority, types), .least = 1,
	  .entries = &(const struct option_table){
		  sizeof(const char *),
		  &(const struct option){ "types", OPTION_TEXT, .bytes = sizeof(const char *),
					  .least = 1, .most = 32,
					  .help = "the code of a document type" },
		  1 },
	  .count_at = offsetof(struct config_priority, type_count),
	  .help = "the document types that it is about" },
	{ "priority", OPTION_CHOICE, AT(struct config_priority, priority), .words = priorities,
	  .help = "high, normal or low" },
};

static const struct option site_options[] = {
	{ "finess_eg", OPTION_FINESS, AT(struct config_site, metadata.finess_eg),
	  .help = "the geographic FINESS of the site, in quotes" },
	{ "name", OPTION_TEXT, AT(struct config_site, metadata.name), .least = 1, .most = 128,
	  .help = "what the site is called" },
	{ "sector", OPTION_SECTOR, AT(struct config_site, metadata.sector),
	  .help = "its sector of activity, like SA01 for a public hospital" },
	{ "visit_class", OPTION_WORD, AT(struct config_site, metadata.default_visit_class),
	  .preset = "I", .words = visit_classes,
	  .help = "the class of visit (HL7 PV1-2) of a document that comes without one" },
	{ "types", OPTION_VALUES, AT(struct config_site, types),
	  .preset = "",
	  .entries = &(const struct option_table){
		  sizeof(const char *),
		  &(const struct option){ "types", OPTION_TEXT, .bytes = sizeof(const char *),
					  .least = 1, .most = 32,
					  .help = "the code of a document type" },
		  1 },
	  .count_at = offsetof(struct config_site, type_count),
	  .help = "the document types that it sends; none written: all that the DMP takes" },
	{ "policies", OPTION_LIST, AT(struct config_site, policies),
	  .entries = &(const struct option_table){ sizeof(struct config_policy), policy_options,
						   length_of(policy_options) },
	  .count_at = offsetof(struct config_site, policy_count),
	  .help = "when it sends which documents: the first entry that fits decides" },
	SENDER_OPTIONS("vihf.", struct config_site),
};

static const struct option establishment_options[] = {
	{ "finess_ej", OPTION_FINESS, AT(struct config_establishment, finess_ej),
	  .help = "the FINESS of the legal entity, in quotes" },
	{ "name", OPTION_TEXT, AT(struct config_establishment, name), .least = 1, .most = 128,
	  .help = "what the legal entity is called" },
	{ "dmp.url.repository", OPTION_URL, AT(struct config_establishment, url_repository),
	  .most = 1000,
	  .help = "the URL of the DMP's service that documents are sent to" },
	{ "dmp.url.registry", OPTION_URL, AT(struct config_establishment, url_registry),
	  .preset = "", .most = 1000,
	  .help = "the URL of the service that finds and deletes documents" },
	{ "dmp.url.patients", OPTION_URL, AT(struct config_establishment, url_patients),
	  .preset = "", .most = 1000,
	  .help = "the URL of the service that knows which patients have a DMP" },
	{ "dmp.tls.min", OPTION_WORD, AT(struct config_establishment, http.tls.least),
	  .preset = "1.2", .words = tls_versions,
	  .help = "the oldest version of TLS that is spoken" },
	{ "dmp.tls.max", OPTION_WORD, AT(struct config_establishment, http.tls.most),
	  .preset = "1.2", .words = tls_versions,
	  .help = "the newest version of TLS that is spoken" },
	{ "dmp.tls.ciphers", OPTION_TEXT, AT(struct config_establishment, http.tls.ciphers),
	  .preset = DMP_CIPHERS, .least = 1, .most = 1000,
	  .help = "the cipher suites of TLS 1.2, by OpenSSL's names" },
	{ "dmp.tls.ca", OPTION_FILE, AT(struct config_establishment, http.tls.ca),
	  .may_lack = true,
	  .help = "a PEM file of the authorities that the DMP's certificate is checked against" },
	{ "dmp.tls.cert", OPTION_FILE, AT(struct config_establishment, http.tls.cert),
	  .may_lack = true,
	  .help = "a PEM file of the certificate ORG AUTH_CLI, then its intermediates" },
	{ "dmp.tls.key", OPTION_SECRET, AT(struct config_establishment, http.tls.key),
	  .may_lack = true,
	  .help = "a PEM file of the private key of that certificate" },
	{ "dmp.tls.revocation", OPTION_CHOICE,
	  AT(struct config_establishment, http.revocation.kind),
	  .preset = "soft", .words = revocations,
	  .help = "is the DMP's certificate refused when it was revoked, or also when that is not known" },
	{ "dmp.tls.crl", OPTION_PATH, AT(struct config_establishment, http.revocation.crl),
	  .preset = "",
	  .help = "a revocation list (CRL), or a folder of them, that somebody keeps up to date" },
	{ "dmp.sign.cert", OPTION_FILE, AT(struct config_establishment, sign.cert),
	  .may_lack = true,
	  .help = "a PEM file of the certificate ORG SIGN, for signatures only" },
	{ "dmp.sign.key", OPTION_SECRET, AT(struct config_establishment, sign.key),
	  .may_lack = true,
	  .help = "a PEM file of the private key of that certificate" },
	{ "dmp.sign.chain", OPTION_FILE, AT(struct config_establishment, sign.chain),
	  .may_lack = true,
	  .help = "a PEM file of the authorities above that certificate, up to the root" },
	{ "dmp.proxy.url", OPTION_PROXY, AT(struct config_establishment, http.proxy),
	  .preset = "", .most = 300,
	  .help = "the proxy through which the DMP is reached, like http://proxy.example:3128" },
	{ "dmp.proxy.credentials_file", OPTION_SECRET, AT(struct config_establishment, proxy_file),
	  .preset = "",
	  .help = "a file that holds user:password for that proxy, which is a secret" },
	{ "dmp.timeout.connect", OPTION_DURATION,
	  AT(struct config_establishment, http.connect_timeout_ms),
	  .preset = "10 s", .least = 100, .most = SECONDS(300),
	  .help = "a connection is made within this, or given up" },
	{ "dmp.timeout.exchange", OPTION_DURATION,
	  AT(struct config_establishment, http.exchange_timeout_ms),
	  .preset = "120 s", .least = 100, .most = HOURS(1),
	  .help = "request and reply together take no longer than this" },
	{ "dmp.max_reply", OPTION_SIZE, AT(struct config_establishment, http.most_reply_bytes),
	  .preset = "4 MiB", .least = KIB(1), .most = MIB(64),
	  .help = "a reply may be this large" },
	{ "dmp.max_submission", OPTION_SIZE,
	  AT(struct config_establishment, most_submission_bytes),
	  .preset = "50 MiB", .least = KIB(1), .most = MIB(192),
	  .help = "a submission, the document and what goes with it, may be this large" },
	{ "dmp.max_connections", OPTION_COUNT,
	  AT(struct config_establishment, http.most_connections),
	  .preset = "4", .least = 1, .most = 64,
	  .help = "connections to the DMP at once" },
	{ "dmp.max_in_flight", OPTION_COUNT, AT(struct config_establishment, lane.most_in_flight),
	  .preset = "8", .least = 1, .most = 1024,
	  .help = "documents being built, sent or settled at once" },
	{ "dmp.rate.per_s", OPTION_COUNT, AT(struct config_establishment, lane.rate.per_s),
	  .preset = "0", .least = 0, .most = 100000,
	  .help = "documents taken up a second, over time; 0: as many as go" },
	{ "dmp.rate.burst", OPTION_COUNT, AT(struct config_establishment, lane.rate.burst),
	  .preset = "100", .least = 1, .most = 100000,
	  .help = "documents taken up at once after a calm, when per_s limits them" },
	{ "dmp.wsa_to", OPTION_WORD, AT(struct config_establishment, wsa_to),
	  .preset = "url", .words = wsa_to,
	  .help = "what wsa:To says: the service's URL, or nothing" },
	{ "dmp.http_soapaction", OPTION_BOOLEAN,
	  AT(struct config_establishment, http_soap_action),
	  .preset = "false",
	  .help = "send the HTTP header SOAPAction of SOAP 1.1 too" },
	{ "dmp.check_existence", OPTION_BOOLEAN,
	  AT(struct config_establishment, check_existence),
	  .preset = "false",
	  .help = "ask whether the patient has a DMP before sending (TD0.2)" },
	{ "dmp.retry.first", OPTION_DURATION,
	  AT(struct config_establishment, lane.retry.first_ms),
	  .preset = "30 s", .least = 100, .most = HOURS(24),
	  .help = "the first wait after a failure; each further one is twice as long" },
	{ "dmp.retry.most", OPTION_DURATION, AT(struct config_establishment, lane.retry.most_ms),
	  .preset = "1 h", .least = 100, .most = HOURS(24),
	  .help = "no wait is longer than this" },
	{ "dmp.retry.probe", OPTION_DURATION, AT(struct config_establishment, lane.probe_ms),
	  .preset = "15 min", .least = 100, .most = HOURS(24),
	  .help = "a stopped lane tries one document this often" },
	{ "sites", OPTION_LIST, AT(struct config_establishment, sites), .least = 1,
	  .entries = &(const struct option_table){ sizeof(struct config_site), site_options,
						   length_of(site_options) },
	  .count_at = offsetof(struct config_establishment, site_count),
	  .help = "the sites it sends for, each with finess_eg, name and sector" },
};

static const struct option options[] = {
	{ "environment", OPTION_CHOICE, AT(struct config, environment), .words = environments,
	  .help = "write production, test or rehearsal" },
	{ "state.folder", OPTION_PATH, AT(struct config, state_dir),
	  .preset = "/var/lib/dmpfeed",
	  .help = "the folder of the queue: on a local disk, the gateway's alone" },
	{ "log.level", OPTION_CHOICE, AT(struct config, log_level),
	  .preset = "info", .words = log_levels,
	  .help = "how much the journal tells" },
	{ "workers", OPTION_COUNT, AT(struct config, workers),
	  .preset = "0", .least = 0, .most = 256,
	  .help = "threads that parse, build and sign; 0: one per core" },
	{ "valuesets.dir", OPTION_FOLDER, AT(struct config, valuesets_dir),
	  .preset = "/usr/share/dmpfeed/value-sets",
	  .help = "the folder of the code tables" },
	{ "maps.content_type", OPTION_FILE, AT(struct config, content_type_map),
	  .preset = "",
	  .help = "the table from the class of a visit to the content type of a submission" },
	{ "errors.file", OPTION_FILE, AT(struct config, errors_file),
	  .preset = "/usr/share/dmpfeed/dmp-errors.csv",
	  .help = "the table of what the DMP's error codes mean" },
	{ "control.socket", OPTION_PATH, AT(struct config, control.socket),
	  .preset = "/run/dmpfeed/control.sock", .most = SOCKET_PATH,
	  .help = "the socket that dmpfeedctl talks to" },
	{ "status.listen", OPTION_LOOPBACK, AT(struct config, status.listen),
	  .preset = "127.0.0.1:8690",
	  .help = "the IP address and port of the status page" },
	{ "document.max_size", OPTION_SIZE, AT(struct config, most_document_bytes),
	  .preset = "20 MiB", .least = KIB(1), .most = MIB(128),
	  .help = "a document may be this large" },
	{ "pdf.when_not_pdfa", OPTION_CHOICE, AT(struct config, when_not_pdfa),
	  .preset = "convert", .words = when_not_pdfa,
	  .help = "what is done with a PDF beside a sidecar that is not PDF/A-1" },
	{ "pdf.converter", OPTION_PATH, AT(struct config, convert.converter),
	  .preset = "/usr/bin/gs",
	  .help = "the program Ghostscript" },
	{ "pdf.icc", OPTION_PATH, AT(struct config, convert.icc),
	  .preset = "/usr/share/color/icc/ghostscript/srgb.icc",
	  .help = "the colour profile that a converted PDF carries" },
	{ "pdf.timeout", OPTION_DURATION, AT(struct config, convert.timeout_ms),
	  .preset = "60 s", .least = SECONDS(1), .most = HOURS(1),
	  .help = "a conversion takes no longer than this" },
	{ "pdf.max_memory", OPTION_SIZE, AT(struct config, convert.most_memory_bytes),
	  .preset = "1 GiB", .least = MIB(64), .most = MIB(16384),
	  .help = "a conversion takes no more memory than this" },
	{ "pdf.max_output", OPTION_SIZE, AT(struct config, convert.most_output_bytes),
	  .preset = "20 MiB", .least = KIB(1), .most = MIB(128),
	  .help = "a converted PDF may be this large" },
	{ "visibility.restricted", OPTION_CHOICE, AT(struct config, restricted),
	  .preset = "hold", .words = restricted,
	  .help = "what becomes of a document whose confidentialityCode is R or V" },
	{ "visibility.invisible_most", OPTION_DURATION, AT(struct config, invisible_most_ms),
	  .preset = "15 d", .least = 1000, .most = HOURS(24 * 365),
	  .help = "a document that the patient does not see longer than this is told of" },
	{ "visibility.allow_masked_and_invisible", OPTION_BOOLEAN,
	  AT(struct config, allow_masked_and_invisible),
	  .preset = "false",
	  .help = "may a document be hidden from professionals and from the patient at once" },
	{ "queue.max_age", OPTION_DURATION, AT(struct config, most_age_ms),
	  .preset = "7 d", .least = SECONDS(1), .most = HOURS(24 * 365),
	  .help = "a document that is older when an attempt fails is not tried again" },
	{ "queue.keep_bodies", OPTION_DURATION, AT(struct config, keep_bodies_ms),
	  .preset = "30 d", .least = 0, .most = HOURS(24 * 3650),
	  .help = "how long a document is kept after it was delivered, refused, rejected or cancelled" },
	{ "queue.priorities", OPTION_LIST, AT(struct config, priorities),
	  .entries = &(const struct option_table){ sizeof(struct config_priority),
						   priority_options, length_of(priority_options) },
	  .count_at = offsetof(struct config, priority_count),
	  .help = "the document types that go before others, or after" },
	{ "queue.encryption.key_file", OPTION_SECRET, AT(struct config, key_file),
	  .preset = "",
	  .help = "a file that holds the keys that documents are encrypted with, newest first" },
	{ "patient.ins_oids", OPTION_TEXT, AT(struct config, ins_oids),
	  .preset = "", .least = 0, .most = 200,
	  .help = "the domains (OID) of the INS that are taken, separated by blanks" },
	{ "patient.local_oid", OPTION_TEXT, AT(struct config, local_oid),
	  .preset = "", .least = 0, .most = 64,
	  .help = "the domain (OID) of the patient's local identifier, the IPP" },
	{ "metadata.set_author", OPTION_CHOICE, AT(struct config, system_sends),
	  .preset = "person", .words = set_authors,
	  .help = "who is the author of a submission: the person who asks, or always the system" },
	{ "metadata.send_hash_size", OPTION_BOOLEAN, AT(struct config, send_hash_size),
	  .preset = "false",
	  .help = "is the DMP told the hash and the size of each document" },
	{ "replace.when_absent", OPTION_CHOICE, AT(struct config, absent_as_new),
	  .preset = "reject", .words = when_absent,
	  .help = "what becomes of a document whose predecessor the DMP does not hold" },
	{ "replace.supersede_unsent", OPTION_BOOLEAN, AT(struct config, supersede_unsent),
	  .preset = "false",
	  .help = "does a new version take the place of one that was never sent" },
	{ "rplc.status_slot", OPTION_BOOLEAN, AT(struct config, replacement_has_status),
	  .preset = "false",
	  .help = "does the association of a replacement carry a SubmissionSetStatus" },
	{ "hl7.processing_code", OPTION_WORD, AT(struct config, processing_code),
	  .preset = "auto", .words = processing_codes,
	  .help = "the processingCode of TD0.2: auto is P in production, else D" },
	{ "td02.cache.positive", OPTION_DURATION,
	  AT(struct config, existence_cache.positive_ms),
	  .preset = "24 h", .least = 0, .most = HOURS(24 * 30),
	  .help = "how long a DMP that was open is believed to be" },
	{ "td02.cache.negative", OPTION_DURATION,
	  AT(struct config, existence_cache.negative_ms),
	  .preset = "24 h", .least = 0, .most = HOURS(24 * 30),
	  .help = "how long a DMP that was absent or closed is believed to be" },
	{ "td02.cache.patients", OPTION_COUNT, AT(struct config, existence_cache.most),
	  .preset = "100000", .least = 0, .most = 10000000,
	  .help = "of how many patients that is remembered" },
	{ "lps.name", OPTION_TEXT, AT(struct config, lps_name),
	  .preset = "dmpfeed", .least = 1, .most = 64,
	  .help = "the name of the software, as homologated" },
	{ "lps.version", OPTION_TEXT, AT(struct config, lps_version),
	  .preset = DMPFEED_VERSION, .least = 1, .most = 32,
	  .help = "its version, as homologated" },
	{ "lps.oid", OPTION_OID, AT(struct config, lps_oid), .most = OID_ROOT,
	  .help = "an OID of your own that no other gateway has, 24 characters at most" },
	{ "lps.internal_id", OPTION_NAME, AT(struct config, lps_internal_id),
	  .preset = "GW1", .least = 1, .most = 32,
	  .help = "what this gateway is called inside the structure, when no person asks" },
	{ "lps.id", OPTION_TEXT, AT(struct config, lps_id),
	  .preset = "", .least = 0, .most = 64,
	  .help = "an identifier of this installation, if the DMP shall be told one" },
	{ "lps.homologation_file", OPTION_SECRET, AT(struct config, homologation_file),
	  .preset = "",
	  .help = "a file that holds the number of the homologation, which is a secret" },
	{ "vihf.version", OPTION_NAME, AT(struct config, vihf.version),
	  .preset = "3.0", .least = 1, .most = 8,
	  .help = "the version of the VIHF that is announced" },
	{ "vihf.mode_name", OPTION_WORD, AT(struct config, vihf.mode_name),
	  .preset = "Authentification_Mode", .words = mode_names,
	  .help = "how the attribute of the mode of authentication is spelt" },
	{ "vihf.authn_context", OPTION_NAME, AT(struct config, vihf.authn_context),
	  .preset = "unspecified", .least = 1, .most = 64,
	  .help = "the SAML 2.0 class of authentication: the last word of its URN" },
	{ "vihf.conditions", OPTION_BOOLEAN, AT(struct config, vihf.conditions),
	  .preset = "false",
	  .help = "does the VIHF say from when to when it is valid" },
	{ "vihf.digest", OPTION_CHOICE, AT(struct config, vihf.digest),
	  .preset = "sha256", .words = digests,
	  .help = "the digest that the VIHF is signed with" },
	{ "vihf.issuer_charset", OPTION_CHOICE, AT(struct config, ascii_names),
	  .preset = "utf-8", .words = charsets,
	  .help = "how names of certificates write what is not ASCII" },
	{ "vihf.sources", OPTION_LIST, AT(struct config, source_senders),
	  .entries = &(const struct option_table){ sizeof(struct config_source_sender),
						   source_sender_options,
						   length_of(source_sender_options) },
	  .count_at = offsetof(struct config, source_sender_count),
	  .help = "sources for which somebody else answers than for their site" },
	{ "xades.digest", OPTION_CHOICE, AT(struct config, xades.digest),
	  .preset = "sha1", .words = digests,
	  .help = "the digest that submissions are signed with" },
	{ "xades.chain", OPTION_CHOICE, AT(struct config, xades.full_chain),
	  .preset = "full", .words = chains,
	  .help = "the certificates that a signature names: up to the root, or the first" },
	{ "intake.structures", OPTION_CHOICE, AT(struct config, strict_structures),
	  .preset = "known", .words = structures,
	  .help = "refuse senders known to be of another legal entity, or all that are not declared" },
	{ "intake.profile_1_2", OPTION_BOOLEAN, AT(struct config, transmission.profile_1_2),
	  .preset = "false",
	  .help = "are messages of edition 1.2 of the ANS profile taken too" },
	{ "intake.xdm.max_entries", OPTION_COUNT, AT(struct config, xdm.most_entries),
	  .preset = "200", .least = 2, .most = 65000,
	  .help = "an exchange medium (IHE XDM, .zip) may have this many entries" },
	{ "intake.xdm.max_size", OPTION_SIZE, AT(struct config, xdm.most_bytes),
	  .preset = "64 MiB", .least = KIB(1), .most = MIB(1024),
	  .help = "its entries together may be this large, unpacked" },
	{ "intake.xdm.max_ratio", OPTION_COUNT, AT(struct config, xdm.most_ratio),
	  .preset = "100", .least = 2, .most = 1100,
	  .help = "an entry of 1 MiB or more may unpack to this many times its size" },
	{ "intake.mllp", OPTION_LIST, AT(struct config, mllp),
	  .entries = &(const struct option_table){ sizeof(struct mllp_settings), mllp_options,
						   length_of(mllp_options) },
	  .count_at = offsetof(struct config, mllp_count),
	  .help = "the HL7 v2 listeners" },
	{ "intake.drop", OPTION_LIST, AT(struct config, drops),
	  .entries = &(const struct option_table){ sizeof(struct drop_settings), drop_options,
						   length_of(drop_options) },
	  .count_at = offsetof(struct config, drop_count),
	  .help = "the drop folders" },
	{ "sources", OPTION_LIST, AT(struct config, sources),
	  .entries = &(const struct option_table){ sizeof(struct config_source), source_options,
						   length_of(source_options) },
	  .count_at = offsetof(struct config, source_count),
	  .help = "the applications that business acknowledgements are sent back to" },
	{ "establishments", OPTION_LIST, AT(struct config, establishments), .least = 1,
	  .entries = &(const struct option_table){ sizeof(struct config_establishment),
						   establishment_options,
						   length_of(establishment_options) },
	  .count_at = offsetof(struct config, establishment_count),
	  .help = "the legal entities, each with finess_ej, name, dmp and sites" },
};
/* clang-format on */

static const struct option_table table = { sizeof(struct config), options, length_of(options) };

static void list_options(const struct option_table *of, const char *within,
			 void (*each)(void *arg, const struct config_option *option), void *arg)
{
	for (const struct option *o = of->options; o < of->options + of->count; o++) {
		bool is_list = o->kind == OPTION_LIST; /* one of values is told as one option */
		scoped(free_ptr) char *name =
			xasprintf("%s%s%s", within, o->name, is_list ? "[]." : "");

		if (is_list)
			list_options(o->entries, name, each, arg);
		else
			each(arg, &(struct config_option){ name, o->preset, o->help });
	}
}

void config_options(void (*each)(void *arg, const struct config_option *option), void *arg)
{
	list_options(&table, "", each, arg);
}

/* ---- secrets, which stand in files of their own ---- */

enum { MOST_SECRET = 200 };

static bool is_one_word(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return text.n > 0 && text.n <= MOST_SECRET;
}

/* What the file holds, alone on one line. NULL: something else. */
static const char *read_secret(const char *path, struct arena *arena)
{
	char text[MOST_SECRET + 2]; /* with a line end */
	struct slice word = { 0 };
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return NULL;
	word = slice_trim((struct slice){ text, fread(text, 1, sizeof(text), file) });
	fclose(file);
	return is_one_word(word) ? arena_dup(arena, word) : NULL;
}

static void read_homologation(struct config *config, struct option_reading *reading)
{
	/* the simulated DMP wants one, as the DMP does */
	config->vihf.homologation = config->environment == ENVIRONMENT_REHEARSAL ? "REHEARSAL" : "";
	if (config->homologation_file == NULL || config->homologation_file[0] == '\0')
		return;
	config->vihf.homologation = read_secret(config->homologation_file, &config->arena);
	if (config->vihf.homologation == NULL)
		option_complain(
			reading, &config->homologation_file,
			"lps.homologation_file must hold the number that the CNDA gave, alone, on "
			"one line");
}

static void read_proxy_login(struct config *config, struct config_establishment *establishment,
			     struct option_reading *reading)
{
	const char *login;

	establishment->http.proxy_login = "";
	if (establishment->proxy_file == NULL || establishment->proxy_file[0] == '\0')
		return;
	login = read_secret(establishment->proxy_file, &config->arena);
	if (login != NULL && strchr(login, ':') != NULL)
		establishment->http.proxy_login = login;
	else
		option_complain(reading, &establishment->proxy_file,
				"dmp.proxy.credentials_file must hold user:password, alone, on one "
				"line");
}

static void read_secrets(struct config *config, struct option_reading *reading)
{
	read_homologation(config, reading);
	for (size_t i = 0; i < config->establishment_count; i++)
		read_proxy_login(config, &config->establishments[i], reading);
}

/* ---- what follows from the options ---- */

/* A machine that sends by itself: the default role. */
static void derive_roles(struct config_sender *sender, struct arena *arena)
{
	static const struct vihf_role automaton = { "AUTOMATE", "1.2.250.1.213.1.1.4.6",
						    "AUTOMATE" };

	if (sender->role_count > 0)
		return;
	sender->roles = arena_alloc(arena, sizeof(automaton));
	sender->roles[0] = automaton;
	sender->role_count = 1;
}

static void derive(struct config *config)
{
	char node[HOST_NAME_MAX + 1] = "";

	gethostname(node, sizeof(node) - 1);
	config->store.node = arena_dup(&config->arena, slice_of(node));
	if (strcmp(config->processing_code, "auto") == 0)
		config->processing_code = config->environment == ENVIRONMENT_PRODUCTION ? "P" : "D";
	config->vihf.lps_id = config->lps_id;
	config->vihf.lps_name = config->lps_name;
	config->vihf.lps_version = config->lps_version;
	config->convert.folder = config->state_dir;
	config->store.path = arena_printf(&config->arena, "%s/queue.db", config->state_dir);
	for (size_t i = 0; i < config->source_count; i++)
		config->sources[i].ack.source = config->sources[i].name;
	for (size_t i = 0; i < config->establishment_count; i++) {
		struct config_establishment *e = &config->establishments[i];

		e->lane.name = e->finess_ej;
		for (size_t j = 0; j < e->site_count; j++) {
			e->sites[j].metadata.lps_name = config->lps_name;
			e->sites[j].metadata.lps_model = config->lps_version;
			e->sites[j].metadata.lps_internal_id = config->lps_internal_id;
			derive_roles(&e->sites[j].sender, &config->arena);
		}
	}
}

/* ---- from a file and back ---- */

/* Absolute, so that what is printed means the same wherever it is read again. */
static const char *folder_of(const char *file, struct arena *arena)
{
	const char *slash = strrchr(file, '/');
	const char *folder =
		slash == NULL   ? "."
		: slash == file ? "/"
				: arena_dup(arena, (struct slice){ file, (size_t)(slash - file) });
	char absolute[PATH_MAX];

	return realpath(folder, absolute) ? arena_dup(arena, slice_of(absolute)) : folder;
}

int config_parse(struct config **ret_config, const char *file, struct slice bytes,
		 struct buf *errors)
{
	scoped(config_free) struct config *config = xcalloc(1, sizeof(*config));
	const char *folder = folder_of(file, &config->arena);
	scoped(option_reading_free) struct option_reading *reading =
		option_reading_new(folder, &config->arena);

	config->file = arena_dup(&config->arena, slice_of(file));
	config->environment = ENVIRONMENT_TEST; /* until one is read: no rule depends on it */
	if (option_read(reading, &table, bytes, config) == 0) {
		read_secrets(config, reading);
		config_check(config, reading);
	}
	config->spots = option_keep_spots(reading, &config->arena);
	if (!option_is_usable(reading)) {
		option_tell(reading, file, errors);
		return -1;
	}
	derive(config);
	*ret_config = take(config);
	return 0;
}

/* 0, or errno. Reads one byte more than a configuration may have, so that yaml_tree_read() sees
 * when it is too large.
 */
static int read_file(const char *file, struct buf *ret_bytes)
{
	char *room = buf_reserve(ret_bytes, YAML_TREE_BYTES + 1);
	FILE *stream = fopen(file, "re");
	int failed;

	if (stream == NULL || room == NULL)
		return errno;
	errno = 0;
	ret_bytes->n = fread(room, 1, YAML_TREE_BYTES + 1, stream);
	failed = ferror(stream) ? errno : 0;
	fclose(stream);
	return failed;
}

int config_load(struct config **ret_config, const char *file, struct buf *errors)
{
	scoped(buf_done) struct buf bytes = { 0 };
	int failed = read_file(file, &bytes);

	if (failed != 0) {
		buf_addf(errors, "%s:1:1: cannot be read (%s): name another file with --config\n",
			 file, strerror(failed));
		return -1;
	}
	return config_parse(ret_config, file, buf_slice(&bytes), errors);
}

void config_free(struct config **config)
{
	if (*config == NULL)
		return;
	arena_done(&(*config)->arena);
	free_ptr(config);
}

void config_fault(const struct config *config, const void *field, struct buf *errors,
		  const char *format, ...)
{
	char sentence[ERR_TEXT + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	option_tell_one(config->file, option_spot_of(config->spots, field), sentence, errors);
}

enum store_priority config_priority_of(const struct config *config, const char *type_code)
{
	for (size_t i = 0; i < config->priority_count; i++)
		for (size_t j = 0; j < config->priorities[i].type_count; j++)
			if (strcmp(config->priorities[i].types[j], type_code) == 0)
				return config->priorities[i].priority;
	return PRIORITY_NORMAL;
}

void config_print(const struct config *config, struct buf *out)
{
	option_write(&table, config, out);
}

const struct config_establishment *config_establishment_of(const struct config *config,
							   const char *finess_eg,
							   const struct config_site **ret_site)
{
	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct config_establishment *e = &config->establishments[i];

		for (size_t j = 0; j < e->site_count; j++) {
			const char *candidate = e->sites[j].metadata.finess_eg;

			if (candidate == NULL || strcmp(candidate, finess_eg) != 0)
				continue;
			if (ret_site != NULL)
				*ret_site = &e->sites[j];
			return e;
		}
	}
	return NULL;
}

struct config_sender config_sender_of(const struct config *config, const struct config_site *site,
				      const char *source)
{
	struct config_sender sender = site->sender;

	for (size_t i = 0; i < config->source_sender_count; i++) {
		const struct config_sender *own = &config->source_senders[i].sender;

		if (strcmp(config->source_senders[i].name, source) != 0)
			continue;
		if (own->name_id[0] != '\0')
			sender.name_id = own->name_id;
		if (own->subject_id[0] != '\0')
			sender.subject_id = own->subject_id;
		if (own->role_count > 0) {
			sender.roles = own->roles;
			sender.role_count = own->role_count;
		}
	}
	return sender;
}

const struct config_source *config_source_of(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->source_count; i++)
		if (strcmp(config->sources[i].name, name) == 0)
			return &config->sources[i];
	return NULL;
}
