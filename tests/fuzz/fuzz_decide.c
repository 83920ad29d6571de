/* Whatever comes in, from its bytes to the rows of the store: a message with its document, a document alone, an
 * exchange medium, a sidecar with its body. What is taken in has an id, its digest and metadata that can be read
 * again; what is not has a reason.
 */
#include "document/cda.h"
#include "inbound/decide.h"
#include "lists.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config_policy policies[] = {
	{ .type = "11488-4", .unit = "", .action = POLICY_HOLD },
	{ .type = "*", .unit = "UF13", .action = POLICY_DELAY, .delay_ms = 1000 },
	{ .type = "11502-2", .unit = "", .action = POLICY_INVISIBLE },
};
static struct config_site site = {
	.oid = "1.2.250.1.999.77",
	.policies = policies,
	.policy_count = length_of(policies),
	.sensitive_units = (const char *[]){ "UF14" },
	.sensitive_unit_count = 1,
	.sensitive_types = (const char *[]){ "34117-2" },
	.sensitive_type_count = 1,
	.open_flags = "N",
	.stay_classes = "I R",
	.metadata = { .finess_eg = "990012345",
		      .name = "CH",
		      .sector = "SA01",
		      .lps_name = "LPS",
		      .lps_model = "1",
		      .lps_internal_id = "GW1",
		      .default_visit_class = "I" },
};
static struct config_establishment establishment = {
	.finess_ej = "990000987",
	.url_registry = "https://127.0.0.1/registry",
	.name = "CH",
	.sites = &site,
	.site_count = 1,
};
static const struct config config = {
	.environment = ENVIRONMENT_REHEARSAL,
	.most_document_bytes = 1 << 20,
	.lps_oid = "1.2.250.1.999.77",
	.establishments = &establishment,
	.establishment_count = 1,
};

static void check_document(const struct decision_document *document, const char *action)
{
	scoped(arena_done) struct arena arena = { 0 };
	uint8_t digest[SHA256_BYTES];
	struct metadata metadata;
	struct err err;

	if (document->unique_id == NULL || document->unique_id[0] == '\0')
		abort();
	if (strcmp(action, "delete") == 0)
		return;
	sha256(buf_slice(&document->body), digest);
	if (document->body.n == 0 || memcmp(digest, document->digest, sizeof(digest)) != 0 ||
	    metadata_parse(&metadata, buf_slice(&document->metadata), &arena, &err) < 0)
		abort();
}

static void check(const struct decision *decision)
{
	if (decision->event != NULL && decision->event[0] != '\0') {
		if (decision->document_count > 0)
			abort();
		return;
	}
	if (decision->document_count == 0 || decision->action == NULL)
		abort();
	for (size_t i = 0; i < decision->document_count; i++)
		check_document(&decision->documents[i], decision->action);
}

static struct decision_settings settings(size_t size)
{
	return (struct decision_settings){
		.config = &config,
		.valuesets = lists(),
		.site = "990012345",
		.may_lack_ins = size % 2 == 0,
	};
}

static void settle(const struct decision *decision, int result, const struct err *err)
{
	if (result == 0)
		check(decision);
	else if (decision->fault_count == 0 && (err->kind == ERR_NONE || err->text[0] == '\0'))
		abort();
}

static void decide_archive(struct slice bytes)
{
	static const struct unzip_limits limits = { .most_entries = 200,
						    .most_bytes = 1 << 20,
						    .most_ratio = 100 };
	const struct decision_settings as = settings(bytes.n);
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct xdm xdm;

	if (xdm_read(&xdm, bytes, &limits, &arena, &err) < 0)
		return;
	for (size_t i = 0; i < xdm.count; i++) {
		scoped(decision_done) struct decision decision = { 0 };

		settle(&decision, decide_medium(&decision, &xdm.documents[i], &as, &err), &err);
	}
	xdm_done(&xdm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = { (const char *)data, size };
	const struct decision_settings as = settings(size);
	scoped(decision_done) struct decision decision = { 0 };
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };
	int result;

	cda_start();
	if (slice_starts(text, "PK")) {
		decide_archive(text);
		return 0;
	}
	buf_add(&bytes, text);
	if (slice_starts(slice_trim(text), "<")) {
		result = decide_document(&decision, &bytes, &as, &err);
	} else if (slice_starts(hl7_bare(text), "MSH")) {
		result = decide_message(&decision, &bytes, &as, &err);
	} else {
		buf_clear(&bytes);
		buf_add_text(&bytes, "text");
		result = decide_pair(&decision,
				     &(struct decision_pair){ .sidecar = text,
							      .body = &bytes,
							      .media_type = "text/plain" },
				     &as, &err);
	}
	settle(&decision, result, &err);
	return 0;
}
