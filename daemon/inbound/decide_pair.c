/* A body and its sidecar: the document that is built of them, and what becomes of it. Pure, but for the conversion of a
 * PDF.
 */
#include "inbound/decide_one.h"

#include <endian.h>

#include "base/ulid.h"
#include "document/body.h"
#include "document/cda_build.h"
#include "document/pdf.h"
#include "inbound/facts.h"
#include "inbound/stays.h"

/* Under the site's OID (assemble.c has those under the installation's, which may be the same): the
 * documents that are built for it, and what their versions have in common.
 */
enum { BUILT_ARC = 5, BUILT_SET_ARC = 6 };

static void digest_pair(const struct decision_pair *pair, uint8_t ret_digest[static SHA256_BYTES])
{
	struct digest *digest = digest_new(DIGEST_SHA256);
	/* where one ends and the other begins */
	const uint64_t sidecar_bytes = htobe64(pair->sidecar.n);

	digest_add(digest, slice_of("pair"));
	digest_add(digest, (struct slice){ (const char *)&sidecar_bytes, sizeof(sidecar_bytes) });
	digest_add(digest, pair->sidecar);
	digest_add(digest, buf_slice(pair->body));
	digest_end(&digest, ret_digest);
}

/* 120 bits: no more digits than the ids of submissions have. */
static const char *number_of(const struct decision_pair *pair, struct arena *arena)
{
	struct ulid number = { { 0 } };
	char digits[ULID_DECIMAL];
	uint8_t digest[SHA256_BYTES];

	digest_pair(pair, digest);
	memcpy(number.bytes + 1, digest, sizeof(number.bytes) - 1);
	return arena_dup(arena, slice_of(ulid_decimal(&number, digits)));
}

/* Of version 2, when the first was built here: under the OID that the site has, or had while it had none
 * of its own. NULL: it was not.
 */
static const char *set_of(const char *predecessor, const struct config *config,
			  const struct config_site *site, struct arena *arena)
{
	const char *const roots[] = { site->oid, config->lps_oid };

	for (size_t i = 0; i < length_of(roots); i++) {
		const char *ours = arena_printf(arena, "%s.%d.", roots[i], BUILT_ARC);

		if (slice_starts(slice_of(predecessor), ours))
			return arena_printf(arena, "%s.%d.%s", roots[i], BUILT_SET_ARC,
					    predecessor + strlen(ours));
	}
	return NULL;
}

/* What is common to all versions: given, or following from the first version's id, if that is ours.
 */
static int find_set(struct decision *decision, const struct sidecar *sidecar,
		    const struct config *config, const struct config_site *site, const char *number,
		    struct err *err)
{
	if (sidecar->set_id[0] != '\0')
		decision->set_id = sidecar->set_id;
	else if (sidecar->version == 1)
		decision->set_id = arena_printf(&decision->arena, "%s.%d.%s", site->oid,
						BUILT_SET_ARC, number);
	else if (sidecar->version == 2)
		decision->set_id = set_of(sidecar->replaces, config, site, &decision->arena);
	if (decision->set_id != NULL)
		return 0;
	return err_refuse(err, REASON_SIDECAR_INVALID, "set_id",
			  "set_id is missing: a version that replaces a document built "
			  "elsewhere, or a third one, must say what all versions share (the "
			  "setId of the first)");
}

static bool is_pdf(const struct decision_pair *pair)
{
	return strcmp(pair->media_type, "application/pdf") == 0;
}

bool decide_pair_takes_long(const struct decision_pair *pair, const struct config *config)
{
	const struct pdf pdf = pdf_look(buf_slice(pair->body));

	return is_pdf(pair) && config->when_not_pdfa == PDF_CONVERT &&
	       pdf_begins(buf_slice(pair->body)) && !pdf_is_pdfa_1(&pdf) && !pdf.encrypted;
}

/* The DMP wants PDF/A-1. */
static int prepare_pdf(const struct decision_settings *settings, struct buf *body, struct err *err)
{
	const struct config *config = settings->config;
	struct convert_settings convert = config->convert;
	const struct pdf pdf = pdf_look(buf_slice(body));
	scoped(buf_done) struct buf pdfa = { 0 };

	if (pdf_is_pdfa_1(&pdf) || config->when_not_pdfa == PDF_SEND)
		return 0;
	if (pdf.encrypted)
		return err_refuse(
			err, REASON_BODY_INVALID, "",
			"the PDF is encrypted: whoever reads it in the DMP has no password");
	if (config->when_not_pdfa == PDF_REFUSE)
		return err_refuse(
			err, REASON_PDF_NOT_PDFA, "",
			"the PDF is not PDF/A-1, and pdf.when_not_pdfa says to refuse it");
	convert.ends = settings->ends;
	if (convert_to_pdfa(&convert, buf_slice(body), &pdfa, err) < 0)
		return -1;
	buf_done(body);
	*body = pdfa;
	pdfa = (struct buf){ 0 };
	return 0;
}

static struct metadata_request request_of_sidecar(const struct sidecar *sidecar)
{
	struct metadata_request request = decide_no_request;

	request.masked_from_professionals = sidecar->hidden_from_professionals;
	request.invisible_to_patient = sidecar->hidden_from_patient;
	request.invisible_to_guardians = sidecar->hidden_from_guardians;
	request.secret_connection = sidecar->secret_connection;
	request.visibility_changes = sidecar->hidden_from_nobody;
	request.visit_class = sidecar->stay->class;
	return request;
}

static int build(struct decision *decision, const struct decision_pair *pair,
		 const struct sidecar *sidecar, const struct decision_settings *settings,
		 struct err *err)
{
	struct decision_document *document = &decision->documents[0];
	const char *number = number_of(pair, &decision->arena);
	const struct config_site *site;
	struct cda_source source = {
		.sidecar = sidecar,
		.valuesets = settings->valuesets,
		.media_type = pair->media_type,
	};

	if (config_establishment_of(settings->config, settings->site, &site) == NULL)
		return err_refuse(err, REASON_FINESS_MISMATCH, "site",
				  "no establishment declares site %s", settings->site);
	if (body_check(pair->media_type, buf_slice(pair->body), err) < 0 ||
	    find_set(decision, sidecar, settings->config, site, number, err) < 0)
		return -1;
	if (is_pdf(pair) && prepare_pdf(settings, pair->body, err) < 0)
		return -1;
	source.site = &site->metadata;
	source.unique_id = arena_printf(&decision->arena, "%s.%d.%s", site->oid, BUILT_ARC, number);
	source.set_id = decision->set_id;
	source.body = buf_slice(pair->body);
	cda_build(&source, &document->body);
	return buf_check(&document->body, "the document", err);
}

static void tell_unit(struct decision *decision, const struct decision_settings *settings,
		      const struct sidecar *sidecar)
{
	const struct config_site *site = NULL;

	if (config_establishment_of(settings->config, settings->site, &site) == NULL)
		return;
	facts_tell_unit(&decision->documents[0].facts, site, sidecar->stay->unit);
	decision->documents[0].discretion.unit =
		stays_is_sensitive(decision->establishment, sidecar->stay->unit);
}

int decide_pair(struct decision *decision, const struct decision_pair *pair,
		const struct decision_settings *settings, struct err *err)
{
	const struct sidecar_context context = { settings->valuesets,
						 settings->config->environment };
	struct decision_document *document = &decision->documents[0];
	struct decision_settings own = *settings;
	struct metadata_request request;
	struct metadata metadata;
	struct sidecar sidecar;
	bool is_qualified;

	decision->state = DOC_QUEUED; /* unless something speaks against it */
	decision->origin = decision->event = "";
	if (sidecar_read(&sidecar, pair->sidecar, &context, &decision->arena, err) < 0) {
		decision->faults = sidecar.faults;
		decision->fault_count = sidecar.fault_count;
		return -1;
	}
	is_qualified = strcmp(sidecar.patient->identity, "VALI") == 0;
	own.may_lack_ins = !is_qualified;
	if (sidecar.site[0] != '\0')
		own.site = sidecar.site;
	if (build(decision, pair, &sidecar, &own, err) < 0)
		return -1;
	buf_done(pair->body);
	decision->document_count = 1;
	request = request_of_sidecar(&sidecar);
	if (decide_one(decision, document, &metadata, &request, NULL, &own, err) < 0)
		return -1;
	document->id_tells = true;
	tell_unit(decision, &own, &sidecar);
	if (!is_qualified) {
		document->facts.ins_qualified = document->subject.is_qualified = false;
		document->subject.is_rebuilt = true;
		decide_wait_for_identity(decision);
	}
	return decide_check_supported(decision, "replaces", err);
}
