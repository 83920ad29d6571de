/* The configuration: the table of every option, how the file's tree becomes a struct, what must
 * hold between options, and the way back to YAML.
 *
 * At start and at a reload, on the loop: it looks at the disk, and nothing of it waits long.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "option.h"
#include "yaml_tree.h"

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
static const struct option_word mode_names[] = { { "Authentification_Mode", 0 },
						 { "Authentification_mode", 0 },
						 { 0 } };
static const struct option_word digests[] = { { "sha256", DIGEST_SHA256 },
					      { "sha1", DIGEST_SHA1 },
					      { 0 } };
static const struct option_word charsets[] = { { "utf-8", false }, { "escaped", true }, { 0 } };
static const struct option_word chains[] = { { "full", true }, { "leaf", false }, { 0 } };
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
	{ "when_done", OPTION_CHOICE, AT(struct drop_settings, delete_when_done),
	  .preset = "keep", .words = when_done,
	  .help = "keep a taken file in done/DATE/, or delete it" },
};

static const struct option role_options[] = {
	{ "code", OPTION_TEXT, AT(struct vihf_role, code), .least = 1, .most = 32,
	  .help = "the code of the role, like AUTOMATE" },
	{ "system", OPTION_OID, AT(struct vihf_role, system), .most = 64,
	  .help = "the OID of the list that the code is of" },
	{ "name", OPTION_TEXT, AT(struct vihf_role, name), .least = 1, .most = 128,
	  .help = "what that list calls it" },
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
	{ "vihf.name_id", OPTION_TEXT, AT(struct config_site, name_id),
	  .preset = "", .least = 0, .most = 128,
	  .help = "the national identifier of the person who answers for what the gateway sends" },
	{ "vihf.subject_id", OPTION_TEXT, AT(struct config_site, subject_id),
	  .preset = "", .least = 0, .most = 128,
	  .help = "what the gateway is called there: software, model, department" },
	{ "vihf.roles", OPTION_LIST, AT(struct config_site, roles),
	  .entries = &(const struct option_table){ sizeof(struct vihf_role), role_options,
						   length_of(role_options) },
	  .count_at = offsetof(struct config_site, role_count),
	  .help = "the roles in which documents are sent" },
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
	{ "dmp.tls.min", OPTION_WORD, AT(struct config_establishment, http.tls_min),
	  .preset = "1.2", .words = tls_versions,
	  .help = "the oldest version of TLS that is spoken" },
	{ "dmp.tls.max", OPTION_WORD, AT(struct config_establishment, http.tls_max),
	  .preset = "1.2", .words = tls_versions,
	  .help = "the newest version of TLS that is spoken" },
	{ "dmp.tls.ciphers", OPTION_TEXT, AT(struct config_establishment, http.ciphers),
	  .preset = DMP_CIPHERS, .least = 1, .most = 1000,
	  .help = "the cipher suites of TLS 1.2, by OpenSSL's names" },
	{ "dmp.tls.ca", OPTION_FILE, AT(struct config_establishment, http.ca),
	  .help = "a PEM file of the authorities that the DMP's certificate is checked against" },
	{ "dmp.tls.cert", OPTION_FILE, AT(struct config_establishment, http.cert),
	  .help = "a PEM file of the certificate ORG AUTH_CLI, then its intermediates" },
	{ "dmp.tls.key", OPTION_SECRET, AT(struct config_establishment, http.key),
	  .help = "a PEM file of the private key of that certificate" },
	{ "dmp.sign.cert", OPTION_FILE, AT(struct config_establishment, sign.cert),
	  .help = "a PEM file of the certificate ORG SIGN, for signatures only" },
	{ "dmp.sign.key", OPTION_SECRET, AT(struct config_establishment, sign.key),
	  .help = "a PEM file of the private key of that certificate" },
	{ "dmp.sign.chain", OPTION_FILE, AT(struct config_establishment, sign.chain),
	  .help = "a PEM file of the authorities above that certificate, up to the root" },
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
	{ "dmp.max_connections", OPTION_COUNT,
	  AT(struct config_establishment, http.most_connections),
	  .preset = "4", .least = 1, .most = 64,
	  .help = "connections to the DMP at once" },
	{ "dmp.max_in_flight", OPTION_COUNT, AT(struct config_establishment, lane.most_in_flight),
	  .preset = "8", .least = 1, .most = 1024,
	  .help = "documents being built, sent or settled at once" },
	{ "dmp.wsa_to", OPTION_WORD, AT(struct config_establishment, wsa_to),
	  .preset = "url", .words = wsa_to,
	  .help = "what wsa:To says: the service's URL, or nothing" },
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
	{ "visibility.allow_masked_and_invisible", OPTION_BOOLEAN,
	  AT(struct config, allow_masked_and_invisible),
	  .preset = "false",
	  .help = "may a document be hidden from professionals and from the patient at once" },
	{ "replace.when_absent", OPTION_CHOICE, AT(struct config, absent_as_new),
	  .preset = "reject", .words = when_absent,
	  .help = "what becomes of a document whose predecessor the DMP does not hold" },
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
	{ "xades.digest", OPTION_CHOICE, AT(struct config, xades.digest),
	  .preset = "sha1", .words = digests,
	  .help = "the digest that submissions are signed with" },
	{ "xades.chain", OPTION_CHOICE, AT(struct config, xades.full_chain),
	  .preset = "full", .words = chains,
	  .help = "the certificates that a signature names: up to the root, or the first" },
	{ "intake.profile_1_2", OPTION_BOOLEAN, AT(struct config, transmission.profile_1_2),
	  .preset = "false",
	  .help = "are messages of edition 1.2 of the ANS profile taken too" },
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
		bool is_list = o->kind == OPTION_LIST;
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

/* ---- what is wrong, and where ---- */

enum { MOST_FAULTS = 100 };

struct fault {
	struct yaml_place place;
	size_t number; /* in order of finding */
	const char *sentence;
};

/* Where a field of the configuration was written; for a preset, where it could have been. */
struct config_spot {
	const void *field;
	struct yaml_place place;
};

struct loading {
	struct config *config;
	const char *folder;   /* of the file: relative paths start there */
	struct arena scratch; /* the tree, the sentences */
	struct fault faults[MOST_FAULTS];
	size_t fault_count; /* may pass MOST_FAULTS: the rest is counted only */
	struct config_spot *spots;
	size_t spot_count, spot_room;
};

static void add_fault(void *arg, struct yaml_place place, const char *sentence)
{
	struct loading *loading = arg;
	size_t number = loading->fault_count++;

	if (number < MOST_FAULTS)
		loading->faults[number] =
			(struct fault){ place, number,
					arena_dup(&loading->scratch, slice_of(sentence)) };
}

static void complain(struct loading *loading, struct yaml_place place, const char *format, ...)
	printf_like(3, 4);

static void complain(struct loading *loading, struct yaml_place place, const char *format, ...)
{
	char sentence[ERR_TEXT + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	add_fault(loading, place, sentence);
}

static void note_spot(struct loading *loading, const void *field, struct yaml_place place)
{
	if (loading->spot_count == loading->spot_room) {
		loading->spot_room = loading->spot_room * 2 + 64;
		loading->spots =
			xrealloc(loading->spots, loading->spot_room * sizeof(*loading->spots));
	}
	loading->spots[loading->spot_count++] = (struct config_spot){ field, place };
}

static struct yaml_place spot_of(const struct loading *loading, const void *field)
{
	for (size_t i = 0; i < loading->spot_count; i++)
		if (loading->spots[i].field == field)
			return loading->spots[i].place;
	return (struct yaml_place){ 1, 1 };
}

/* What must be kept of that for config_fault(). */
static void keep_spots(const struct loading *loading, struct config *config)
{
	size_t bytes = loading->spot_count * sizeof(*loading->spots);

	config->spots = arena_alloc(&config->arena, bytes);
	config->spot_count = loading->spot_count;
	if (bytes > 0)
		memcpy(config->spots, loading->spots, bytes);
}

static int compare_faults(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;

	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->place.column != y->place.column)
		return x->place.column < y->place.column ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

/* What the sentences quote comes from the file: nothing of it may start a line of its own. */
static void add_printable(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_add_char(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void tell_faults(struct loading *loading, const char *file, struct buf *errors)
{
	size_t told = min(loading->fault_count, (size_t)MOST_FAULTS);

	qsort(loading->faults, told, sizeof(loading->faults[0]), compare_faults);
	for (size_t i = 0; i < told; i++) {
		const struct fault *fault = &loading->faults[i];

		buf_addf(errors, "%s:%u:%u: ", file, fault->place.line, fault->place.column);
		add_printable(errors, fault->sentence);
		buf_add_char(errors, '\n');
	}
	if (told < loading->fault_count)
		buf_addf(errors, "%s:1:1: %zu more errors are not shown: correct these first\n",
			 file, loading->fault_count - told);
}

/* ---- keys ---- */

/* The key that a row has right below `within` ("" or "dmp.tls."); empty when it stands elsewhere.
 */
static struct slice key_below(const struct option *option, const char *within)
{
	struct slice name = slice_of(option->name), key;

	if (!slice_starts(name, within))
		return (struct slice){ 0 };
	name = slice_from(name, strlen(within));
	return slice_next(&name, '.', &key) ? key : (struct slice){ 0 };
}

enum { LONGEST_KEY = 40 };

/* How many characters must be changed, added or taken away to make b of a (Levenshtein). */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[LONGEST_KEY + 1], diagonal, above;

	if (a.n > LONGEST_KEY || b.n > LONGEST_KEY)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			above = row[j];
			row[j] = min(above, row[j - 1]) + 1;
			row[j] = min(row[j], diagonal + (a.p[i - 1] != b.p[j - 1]));
			diagonal = above;
		}
	}
	return row[b.n];
}

static struct slice nearest_key(const struct option_table *of, const char *within, struct slice key)
{
	size_t least = min((size_t)2, key.n / 2) + 1, d;
	struct slice nearest = { 0 }, candidate;

	for (size_t i = 0; i < of->count; i++) {
		candidate = key_below(&of->options[i], within);
		d = candidate.n ? distance(key, candidate) : SIZE_MAX;
		if (d < least) {
			least = d;
			nearest = candidate;
		}
	}
	return nearest;
}

static void list_keys(const struct option_table *of, const char *within, struct buf *out)
{
	struct slice key, last = { 0 };

	for (size_t i = 0; i < of->count; i++) {
		key = key_below(&of->options[i], within);
		if (key.n == 0 || slice_equal(key, last))
			continue;
		buf_addf(out, "%s%.*s", out->n ? ", " : "", (int)key.n, key.p);
		last = key;
	}
}

static void complain_of_key(struct loading *loading, const struct option_table *of,
			    const char *within, const struct yaml_tree *entry)
{
	scoped(buf_done) struct buf known = { 0 };
	struct slice nearest = nearest_key(of, within, entry->key);
	const char *shown = entry->key.n <= LONGEST_KEY ? entry->key.p : "...";

	if (nearest.n > 0) {
		complain(loading, entry->key_place,
			 "\"%s\" is not a key here: did you mean \"%.*s\"?", shown, (int)nearest.n,
			 nearest.p);
	} else if (entry->key.n > 0 && memchr(entry->key.p, '.', entry->key.n) != NULL) {
		complain(loading, entry->key_place,
			 "\"%s\" is not a key here: write what stands before the dot as a key, the "
			 "rest on a line of its own below it",
			 shown);
	} else {
		list_keys(of, within, &known);
		complain(loading, entry->key_place, "\"%s\" is not a key here: known are %s", shown,
			 known.p);
	}
}

enum key_kind { KEY_UNKNOWN, KEY_OPTION, KEY_GROUP };

static enum key_kind kind_of_key(const struct option_table *of, const char *within,
				 struct slice key)
{
	for (size_t i = 0; i < of->count; i++)
		if (key.n > 0 && slice_equal(key_below(&of->options[i], within), key))
			return strlen(of->options[i].name) == strlen(within) + key.n ? KEY_OPTION
										     : KEY_GROUP;
	return KEY_UNKNOWN;
}

static void check_keys(struct loading *loading, const struct option_table *of, const char *within,
		       const struct yaml_tree *map);

static void check_group(struct loading *loading, const struct option_table *of, const char *within,
			const struct yaml_tree *entry)
{
	const char *group =
		arena_printf(&loading->scratch, "%s%.*s.", within, (int)entry->key.n, entry->key.p);
	scoped(buf_done) struct buf known = { 0 };

	if (entry->kind == TREE_MAP) {
		check_keys(loading, of, group, entry);
	} else if (entry->kind != TREE_REFUSED && !yaml_tree_is_null(entry)) {
		list_keys(of, group, &known);
		complain(loading, entry->place,
			 "%.*s has no value of its own: write its keys (%s) on lines below it",
			 (int)entry->key.n, entry->key.p, known.p);
	}
}

/* Every key below `map` is that of a row, or groups several. */
static void check_keys(struct loading *loading, const struct option_table *of, const char *within,
		       const struct yaml_tree *map)
{
	for (const struct yaml_tree *entry = map->first; entry != NULL; entry = entry->next) {
		enum key_kind kind = kind_of_key(of, within, entry->key);

		if (kind == KEY_UNKNOWN)
			complain_of_key(loading, of, within, entry);
		else if (kind == KEY_GROUP)
			check_group(loading, of, within, entry);
	}
}

/* ---- values ---- */

/* Follows "dmp.tls.cert" down from `map`. NULL when something lacks; *ret_last is the last that was
 * there.
 */
static const struct yaml_tree *locate(const struct yaml_tree *map, const char *name,
				      const struct yaml_tree **ret_last)
{
	struct slice rest = slice_of(name), key;
	const struct yaml_tree *tree = map;

	while (tree != NULL && slice_next(&rest, '.', &key)) {
		*ret_last = tree;
		tree = yaml_tree_find(tree, key);
	}
	return tree;
}

static bool is_map(const struct yaml_tree *tree)
{
	return tree->kind == TREE_MAP || yaml_tree_is_null(tree);
}

static struct yaml_place head_of(const struct yaml_tree *map)
{
	return map->key.n ? map->key_place : map->place;
}

/* A complaint stands at `place` and begins with the option's name and `link`. */
static void read_value(struct loading *loading, const struct option *option,
		       const struct option_text *text, struct yaml_place place, const char *link,
		       void *into)
{
	void *field = (char *)into + option->at;
	struct err err = { 0 };

	note_spot(loading, field, place);
	if (option_parse(option, text, &loading->config->arena, field, &err) < 0)
		complain(loading, place, "%s %s%s", option->name, link, err.text);
}

static void read_written(struct loading *loading, const struct option *option,
			 const struct yaml_tree *tree, void *into)
{
	const struct option_text text = { tree->text, tree->quoted, loading->folder };

	if (tree->kind == TREE_REFUSED)
		return;
	if (tree->kind != TREE_TEXT)
		complain(loading, tree->place, "%s takes one value: %s", option->name,
			 option->help);
	else if (yaml_tree_is_null(tree) && option->preset != NULL)
		complain(loading, tree->place,
			 "%s is empty: write a value, or take the line away to have %s",
			 option->name, option->preset);
	else if (yaml_tree_is_null(tree))
		complain(loading, tree->place, "%s is empty: %s", option->name, option->help);
	else
		read_value(loading, option, &text, tree->place, "", into);
}

static void read_unwritten(struct loading *loading, const struct option *option,
			   const struct yaml_tree *last, void *into)
{
	const struct option_text text = { slice_of(option->preset), true, loading->folder };

	if (option->preset != NULL)
		read_value(loading, option, &text, head_of(last), "is not written, and by default ",
			   into);
	else if (is_map(last))
		complain(loading, head_of(last), "%s is missing: %s", option->name, option->help);
}

static void read_list(struct loading *loading, const struct option *option,
		      const struct yaml_tree *list, const struct yaml_tree *last, void *into);

static void read_struct(struct loading *loading, const struct option_table *of,
			const struct yaml_tree *map, void *into)
{
	check_keys(loading, of, "", map);
	for (const struct option *o = of->options; o < of->options + of->count; o++) {
		const struct yaml_tree *last = map, *tree = locate(map, o->name, &last);

		if (o->kind == OPTION_LIST)
			read_list(loading, o, tree, last, into);
		else if (tree != NULL)
			read_written(loading, o, tree, into);
		else
			read_unwritten(loading, o, last, into);
	}
}

/* The entries of a list, whose struct keeps a pointer to the first and their number. */
static void read_entries(struct loading *loading, const struct option *option,
			 const struct yaml_tree *list, void *into)
{
	size_t bytes = option->entries->struct_bytes, n = 0;
	char *entries = arena_alloc(&loading->config->arena, list->count * bytes);

	for (const struct yaml_tree *entry = list->first; entry != NULL; entry = entry->next) {
		if (is_map(entry))
			read_struct(loading, option->entries, entry, entries + n++ * bytes);
		else if (entry->kind != TREE_REFUSED)
			complain(loading, entry->place,
				 "an entry of %s is made of keys: write key: value after the dash",
				 option->name);
	}
	memcpy((char *)into + option->at, &entries, sizeof(entries));
	memcpy((char *)into + option->count_at, &n, sizeof(n));
}

static void read_list(struct loading *loading, const struct option *option,
		      const struct yaml_tree *list, const struct yaml_tree *last, void *into)
{
	struct yaml_place place = list ? list->key_place : head_of(last);

	note_spot(loading, (char *)into + option->at, place);
	if (list != NULL ? list->kind == TREE_REFUSED : !is_map(last))
		return; /* that was complained about */
	if (list != NULL && list->kind != TREE_LIST && !yaml_tree_is_null(list)) {
		complain(loading, list->place,
			 "%s is a list: begin each of its entries with a dash", option->name);
		return;
	}
	if (list != NULL && list->kind == TREE_LIST)
		read_entries(loading, option, list, into);
	if (option->least > 0 && (list == NULL || list->count == 0))
		complain(loading, place, "%s needs at least one entry: %s", option->name,
			 option->help);
}

/* ---- what must hold between options ---- */

/* Texts that must differ, each with the field that holds it. */
struct claims {
	struct claim {
		const char *text;
		const void *field;
		size_t number; /* in order of the file */
	} * list;
	size_t count, room;
};

static void claims_done(struct claims *claims)
{
	free(claims->list);
}

static void claim(struct claims *claims, const char *text, const void *field)
{
	if (text == NULL) /* it was complained about */
		return;
	if (claims->count == claims->room) {
		claims->room = claims->room * 2 + 16;
		claims->list = xrealloc(claims->list, claims->room * sizeof(*claims->list));
	}
	claims->list[claims->count] = (struct claim){ text, field, claims->count };
	claims->count++;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* Complains about each but the first of those that are equal. */
static void check_claims(struct loading *loading, struct claims *claims, const char *rule)
{
	if (claims->count == 0)
		return;
	qsort(claims->list, claims->count, sizeof(claims->list[0]), compare_claims);
	for (size_t i = 1; i < claims->count; i++) {
		const struct claim *one = &claims->list[i - 1], *other = &claims->list[i];

		if (strcmp(one->text, other->text) == 0)
			complain(loading, spot_of(loading, other->field),
				 "this is written at line %u too: %s",
				 spot_of(loading, one->field).line, rule);
	}
}

static void check_names(struct loading *loading)
{
	const struct config *config = loading->config;
	scoped(claims_done) struct claims claims = { 0 };

	for (size_t i = 0; i < config->mllp_count; i++)
		claim(&claims, config->mllp[i].name, &config->mllp[i].name);
	for (size_t i = 0; i < config->drop_count; i++)
		claim(&claims, config->drops[i].name, &config->drops[i].name);
	check_claims(loading, &claims, "every listener and every folder has a name of its own");
}

static void claim_address(struct claims *claims, const char *const *listen)
{
	size_t n = strlen(*listen ? *listen : "");

	if (n >= 2 && strcmp(*listen + n - 2, ":0") != 0) /* 0: the system chooses */
		claim(claims, *listen, listen);
}

static void check_addresses(struct loading *loading)
{
	const struct config *config = loading->config;
	scoped(claims_done) struct claims claims = { 0 };

	claim_address(&claims, &config->status.listen);
	for (size_t i = 0; i < config->mllp_count; i++)
		claim_address(&claims, &config->mllp[i].listen);
	check_claims(loading, &claims, "every listener has an address and port of its own");
}

/* By device and inode: one folder may have several paths. */
static void check_folders(struct loading *loading)
{
	const struct config *config = loading->config;
	scoped(claims_done) struct claims claims = { 0 };
	struct stat info;

	for (size_t i = 0; i < config->drop_count; i++)
		if (config->drops[i].path != NULL && stat(config->drops[i].path, &info) == 0)
			claim(&claims,
			      arena_printf(&loading->scratch, "%llu %llu",
					   (unsigned long long)info.st_dev,
					   (unsigned long long)info.st_ino),
			      &config->drops[i].path);
	check_claims(loading, &claims,
		     "two entries that watch one folder would race for its files");
}

static void check_entities(struct loading *loading)
{
	const struct config *config = loading->config;
	scoped(claims_done) struct claims entities = { 0 }, sites = { 0 };

	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct config_establishment *e = &config->establishments[i];

		claim(&entities, e->finess_ej, &e->finess_ej);
		for (size_t j = 0; j < e->site_count; j++)
			claim(&sites, e->sites[j].metadata.finess_eg,
			      &e->sites[j].metadata.finess_eg);
	}
	check_claims(loading, &entities, "a legal entity is one entry of establishments");
	check_claims(loading, &sites, "a site belongs to one legal entity, and is written once");
}

static void check_site(struct loading *loading, const char *const *site)
{
	if (*site != NULL && config_establishment_of(loading->config, *site, NULL) == NULL)
		complain(loading, spot_of(loading, site),
			 "site %s is declared by no establishment: add it to the sites of the one "
			 "that sends for it",
			 *site);
}

static void check_intake(struct loading *loading)
{
	const struct config *config = loading->config;

	if (config->mllp_count + config->drop_count == 0)
		complain(loading, spot_of(loading, &config->mllp),
			 "there is no way in: declare a listener in intake.mllp, or a folder in "
			 "intake.drop");
	for (size_t i = 0; i < config->mllp_count; i++)
		check_site(loading, &config->mllp[i].site);
	for (size_t i = 0; i < config->drop_count; i++)
		check_site(loading, &config->drops[i].site);
}

/* A message as large as allowed must fit beside nothing else, or its sender waits for ever. */
static void check_limits(struct loading *loading)
{
	const struct config *config = loading->config;

	for (size_t i = 0; i < config->mllp_count; i++) {
		const struct mllp_settings *mllp = &config->mllp[i];

		if (mllp->most_in_flight_bytes != 0 &&
		    mllp->most_in_flight_bytes < mllp->most_message_bytes)
			complain(loading, spot_of(loading, &mllp->most_in_flight_bytes),
				 "max_in_flight must be at least max_message: one message of that "
				 "size could never be read");
	}
}

/* An invented patient must not reach a real DMP. */
static void check_destination(struct loading *loading, const struct config_establishment *e)
{
	const char *const *const urls[] = { &e->url_repository, &e->url_registry,
					    &e->url_patients };

	if (loading->config->environment != ENVIRONMENT_REHEARSAL)
		return;
	for (size_t i = 0; i < length_of(urls); i++)
		if (*urls[i] != NULL && (*urls[i])[0] != '\0' && !option_url_is_loopback(*urls[i]))
			complain(loading, spot_of(loading, urls[i]),
				 "a rehearsal sends to this machine only: write a URL of "
				 "127.0.0.1, [::1] or localhost, or another environment");
}

static void check_lane(struct loading *loading, const struct config_establishment *e)
{
	if (e->check_existence && e->url_patients != NULL && e->url_patients[0] == '\0')
		complain(loading, spot_of(loading, &e->check_existence),
			 "dmp.check_existence needs the URL of the service to ask: write "
			 "dmp.url.patients");
	if (e->http.tls_min != NULL && e->http.tls_max != NULL &&
	    strcmp(e->http.tls_min, e->http.tls_max) > 0)
		complain(loading, spot_of(loading, &e->http.tls_max),
			 "dmp.tls.max must not be older than dmp.tls.min (%s)", e->http.tls_min);
	if (e->lane.retry.most_ms != 0 && e->lane.retry.most_ms < e->lane.retry.first_ms)
		complain(loading, spot_of(loading, &e->lane.retry.most_ms),
			 "dmp.retry.most must not be shorter than dmp.retry.first");
}

/* ---- the number of the homologation ---- */

enum { MOST_NUMBER = 100 };

static bool is_number(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return text.n > 0 && text.n <= MOST_NUMBER;
}

static void read_homologation(struct loading *loading)
{
	struct config *config = loading->config;
	struct slice number = { 0 };
	char text[MOST_NUMBER + 2]; /* with a line end */
	FILE *file;

	/* the simulated DMP wants one, as the DMP does */
	config->vihf.homologation = config->environment == ENVIRONMENT_REHEARSAL ? "REHEARSAL" : "";
	if (config->homologation_file == NULL || config->homologation_file[0] == '\0')
		return;
	file = fopen(config->homologation_file, "re");
	if (file != NULL) {
		number = slice_trim((struct slice){ text, fread(text, 1, sizeof(text), file) });
		fclose(file);
	}
	if (is_number(number))
		config->vihf.homologation = arena_dup(&config->arena, number);
	else
		complain(loading, spot_of(loading, &config->homologation_file),
			 "lps.homologation_file must hold the number that the CNDA gave, alone, on "
			 "one line");
}

static void check_homologation(struct loading *loading)
{
	const struct config *config = loading->config;

	if (config->environment == ENVIRONMENT_PRODUCTION && config->homologation_file != NULL &&
	    config->homologation_file[0] == '\0')
		complain(
			loading, spot_of(loading, &config->homologation_file),
			"lps.homologation_file is missing: in production, the DMP wants the number "
			"of the homologation, in a file of its own");
}

static void check_all(struct loading *loading)
{
	const struct config *config = loading->config;

	check_names(loading);
	check_addresses(loading);
	check_folders(loading);
	check_entities(loading);
	check_intake(loading);
	check_limits(loading);
	read_homologation(loading);
	check_homologation(loading);
	for (size_t i = 0; i < config->establishment_count; i++) {
		check_destination(loading, &config->establishments[i]);
		check_lane(loading, &config->establishments[i]);
	}
}

/* ---- what follows from the options ---- */

/* A machine that sends by itself: the default role. */
static void derive_roles(struct config_site *site, struct arena *arena)
{
	static const struct vihf_role automaton = { "AUTOMATE", "1.2.250.1.213.1.1.4.6",
						    "AUTOMATE" };

	if (site->role_count > 0)
		return;
	site->roles = arena_alloc(arena, sizeof(automaton));
	site->roles[0] = automaton;
	site->role_count = 1;
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
	config->store.path = arena_printf(&config->arena, "%s/queue.db", config->state_dir);
	for (size_t i = 0; i < config->establishment_count; i++) {
		struct config_establishment *e = &config->establishments[i];

		e->lane.name = e->finess_ej;
		for (size_t j = 0; j < e->site_count; j++) {
			e->sites[j].metadata.lps_name = config->lps_name;
			e->sites[j].metadata.lps_model = config->lps_version;
			e->sites[j].metadata.lps_internal_id = config->lps_internal_id;
			derive_roles(&e->sites[j], &config->arena);
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
	struct loading loading = { .config = config };
	const struct yaml_tree *tree;
	bool is_good;

	config->file = arena_dup(&config->arena, slice_of(file));
	config->environment = ENVIRONMENT_TEST; /* until one is read: no rule depends on it */
	loading.folder = folder_of(file, &config->arena);
	tree = yaml_tree_read(bytes, &loading.scratch, add_fault, &loading);
	if (tree != NULL && !is_map(tree)) {
		complain(&loading, tree->place,
			 "a configuration is made of keys: write key: value, one a line");
	} else if (tree != NULL) {
		read_struct(&loading, &table, tree, config);
		check_all(&loading);
	}
	tell_faults(&loading, file, errors);
	is_good = loading.fault_count == 0;
	keep_spots(&loading, config);
	free(loading.spots);
	arena_done(&loading.scratch);
	if (!is_good)
		return -1;
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
	struct yaml_place place = { 1, 1 };
	char sentence[ERR_TEXT + 64];
	va_list arguments;

	for (size_t i = 0; i < config->spot_count; i++)
		if (config->spots[i].field == field)
			place = config->spots[i].place;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	buf_addf(errors, "%s:%u:%u: ", config->file, place.line, place.column);
	add_printable(errors, sentence);
	buf_add_char(errors, '\n');
}

struct printer {
	struct buf *out;
	bool dash; /* the next line begins an entry of a list */
};

static void begin_line(struct printer *printer, size_t depth)
{
	for (size_t i = printer->dash; i < depth; i++)
		buf_add_text(printer->out, "  ");
	if (printer->dash)
		buf_add_text(printer->out, "- ");
	printer->dash = false;
}

/* The groups that `name` opens and `before`, the row above, did not. Returns how many enclose it.
 */
static size_t print_groups(struct printer *printer, const char *name, const char *before,
			   size_t depth)
{
	struct slice rest = slice_of(name), above = slice_of(before), group, group_above;
	bool is_open = true;

	for (; slice_next(&rest, '.', &group) && rest.p != NULL; depth++) {
		is_open = is_open && slice_next(&above, '.', &group_above) &&
			  slice_equal(group, group_above);
		if (is_open)
			continue;
		begin_line(printer, depth);
		buf_addf(printer->out, "%.*s:\n", (int)group.n, group.p);
	}
	return depth;
}

static void print_struct(struct printer *printer, const struct option_table *of, const void *from,
			 size_t depth);

static void print_list(struct printer *printer, const struct option *option, const void *from,
		       size_t depth)
{
	const char *entries;
	size_t n;

	memcpy(&entries, (const char *)from + option->at, sizeof(entries));
	memcpy(&n, (const char *)from + option->count_at, sizeof(n));
	buf_add_text(printer->out, n ? "\n" : " []\n");
	for (size_t i = 0; i < n; i++) {
		printer->dash = true;
		print_struct(printer, option->entries, entries + i * option->entries->struct_bytes,
			     depth + 2);
	}
}

static void print_struct(struct printer *printer, const struct option_table *of, const void *from,
			 size_t depth)
{
	const char *before = "", *dot;

	for (const struct option *o = of->options; o < of->options + of->count; o++) {
		size_t inner = print_groups(printer, o->name, before, depth);

		dot = strrchr(o->name, '.');
		begin_line(printer, inner);
		buf_addf(printer->out, "%s:", dot ? dot + 1 : o->name);
		if (o->kind == OPTION_LIST) {
			print_list(printer, o, from, inner);
		} else {
			buf_add_char(printer->out, ' ');
			option_print(o, (const char *)from + o->at, printer->out);
			buf_add_char(printer->out, '\n');
		}
		before = o->name;
	}
}

void config_print(const struct config *config, struct buf *out)
{
	struct printer printer = { .out = out };

	print_struct(&printer, &table, config, 0);
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
