/* From a body and its sidecar to what the store takes in. */
#include "value_sets.h"

#include "inbound/decide.h"

#define ROOT "1.2.250.1.999.77"
#define OWN_ROOT "1.2.250.1.999.78" /* of the second site */

static struct config_site sites[] = {
	{ .oid = ROOT,
	  .metadata = { .finess_eg = "990012345",
			.name = "CH DE VALBRUME",
			.sector = "SA01",
			.lps_name = "dmpfeed",
			.lps_model = "1",
			.lps_internal_id = "GW1",
			.default_visit_class = "I" } },
	{ .oid = OWN_ROOT,
	  .metadata = { .finess_eg = "990054321",
			.name = "HAD DE VALBRUME",
			.sector = "SA01",
			.lps_name = "dmpfeed",
			.lps_model = "1",
			.lps_internal_id = "GW1",
			.default_visit_class = "I" } },
};
static struct config_establishment establishment = {
	.finess_ej = "990000987",
	.url_registry = "https://127.0.0.1/registry",
	.name = "CH DE VALBRUME",
	.sites = sites,
	.site_count = length_of(sites),
};
static struct config config = {
	.environment = ENVIRONMENT_REHEARSAL,
	.most_document_bytes = 1 << 20,
	.lps_oid = ROOT,
	.when_not_pdfa = PDF_SEND,
	.convert = { .converter = "/nonexistent", .icc = "/nonexistent", .folder = "/nonexistent" },
	.establishments = &establishment,
	.establishment_count = 1,
};
static struct decision_settings settings = { .config = &config, .site = "990012345" };

static int load(void **state)
{
	load_valuesets(state);
	settings.valuesets = valuesets;
	return 0;
}

static int restore(void **state)
{
	(void)state;
	config.when_not_pdfa = PDF_SEND;
	establishment.url_registry = "https://127.0.0.1/registry";
	return 0;
}

static const struct decision_document *document_of(const struct decision *decision)
{
	return &decision->documents[0];
}

/* The sample pair, `more` added to its sidecar; a body of another type in the place of the PDF. */
static int decide_with(struct decision *decision, const char *more, const char *media_type,
		       const char *body, struct err *err)
{
	scoped(buf_done) struct buf sidecar = { 0 }, bytes = { 0 };
	struct decision_pair pair = { .body = &bytes, .media_type = media_type };

	sample_read("pair/letter.yaml", &sidecar);
	buf_add_text(&sidecar, more);
	if (body != NULL)
		buf_add_text(&bytes, body);
	else
		sample_read("pair/letter.pdf", &bytes);
	pair.sidecar = buf_slice(&sidecar);
	return decide_pair(decision, &pair, &settings, err);
}

static int decide_more(struct decision *decision, const char *more, struct err *err)
{
	return decide_with(decision, more, "application/pdf", NULL, err);
}

static void decide_well(struct decision *decision, const char *more)
{
	struct err err = { 0 };

	if (decide_more(decision, more, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
}

static void a_pair_is_queued_under_an_id_of_ours(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };

	(void)state;
	decide_well(&decision, "");
	assert_int_equal(decision.state, DOC_QUEUED);
	assert_string_equal(decision.action, "submit");
	assert_int_equal(decision.document_count, 1);
	assert_string_equal(document_of(&decision)->type_code, "11490-0");
	assert_ptr_equal(decision.establishment, &establishment);
	assert_string_equal(decision.site, "990012345");
	assert_true(slice_starts(slice_of(document_of(&decision)->unique_id), ROOT ".5."));
	assert_true(slice_starts(slice_of(decision.set_id), ROOT ".6."));
	assert_string_equal(document_of(&decision)->unique_id + strlen(ROOT ".5."),
			    decision.set_id + strlen(ROOT ".6."));
	assert_true(strlen(document_of(&decision)->unique_id) <= strlen(ROOT ".5.") + 37);
	assert_true(document_of(&decision)->facts.ins_qualified);
}

/* Of the next version of the gateway, too: the pair that is dropped again after an upgrade is the document that
 * it was. A change here sends it twice.
 */
static void the_id_of_a_pair_stays_as_it_is(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(decide_with(&decision, "", "text/plain", "text", &err), 0);
	assert_string_equal(document_of(&decision)->unique_id,
			    ROOT ".5.1320886069535167710147934181946369689");
}

/* A crash before the move, a second drop: the same document. */
static void the_same_pair_has_the_same_id_however_it_is_built(void **state)
{
	scoped(decision_done) struct decision one = { 0 }, other = { 0 };

	(void)state;
	decide_well(&one, "");
	sites[0].metadata.name = "RENAMED";
	decide_well(&other, "");
	sites[0].metadata.name = "CH DE VALBRUME";
	assert_string_equal(document_of(&one)->unique_id, document_of(&other)->unique_id);
	assert_true(document_of(&one)->id_tells);
	assert_false(slice_equal(buf_slice(&document_of(&one)->body),
				 buf_slice(&document_of(&other)->body)));
}

static void a_byte_of_either_file_makes_another_document(void **state)
{
	scoped(decision_done) struct decision one = { 0 }, other = { 0 }, third = { 0 };
	struct err err = { 0 };

	(void)state;
	decide_well(&one, "");
	decide_well(&other, "\n");
	assert_int_equal(decide_with(&third, "", "text/plain", "text", &err), 0);
	assert_string_not_equal(document_of(&one)->unique_id, document_of(&other)->unique_id);
	assert_string_not_equal(document_of(&one)->unique_id, document_of(&third)->unique_id);
}

static void what_versions_share_is_given_or_follows(void **state)
{
	static const struct {
		const char *more, *set_id; /* NULL: it must be given, and is not */
	} rows[] = {
		{ "replaces: " ROOT ".5.42\n", ROOT ".6.42" },
		{ "replaces: " ROOT ".5.42\nversion: 3\n", NULL },
		{ "replaces: 1.2.3\n", NULL },
		{ "replaces: 1.2.3\nset_id: 1.2.4\n", "1.2.4" },
		{ "replaces: " ROOT ".5.42\nversion: 3\nset_id: " ROOT ".6.1\n", ROOT ".6.1" },
		{ "set_id: 1.2.4\n", "1.2.4" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };
		struct err err = { 0 };
		int done = decide_more(&decision, rows[i].more, &err);

		if ((done == 0) != (rows[i].set_id != NULL))
			fail_msg("row %zu: %s", i, err.text);
		if (rows[i].set_id != NULL)
			assert_string_equal(decision.set_id, rows[i].set_id);
		else
			assert_string_equal(err.where, "set_id");
	}
}

/* Each site's under its own OID; and versions of what was built before it had one stay together. */
static void ids_stand_under_the_oid_of_the_site(void **state)
{
	scoped(decision_done) struct decision one = { 0 }, other = { 0 }, second = { 0 };
	scoped(decision_done) struct decision early = { 0 };

	(void)state;
	decide_well(&one, "");
	decide_well(&other, "site: \"990054321\"\n");
	assert_true(slice_starts(slice_of(document_of(&one)->unique_id), ROOT ".5."));
	assert_true(slice_starts(slice_of(document_of(&other)->unique_id), OWN_ROOT ".5."));
	assert_true(slice_starts(slice_of(other.set_id), OWN_ROOT ".6."));
	decide_well(&second, "site: \"990054321\"\nreplaces: " OWN_ROOT ".5.42\n");
	assert_string_equal(second.set_id, OWN_ROOT ".6.42");
	assert_true(slice_starts(slice_of(document_of(&second)->unique_id), OWN_ROOT ".5."));
	decide_well(&early, "site: \"990054321\"\nreplaces: " ROOT ".5.42\n");
	assert_string_equal(early.set_id, ROOT ".6.42");
}

static void replacing_needs_a_registry(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	struct err err = { 0 };

	(void)state;
	establishment.url_registry = "";
	assert_int_equal(decide_more(&decision, "replaces: " ROOT ".5.42\n", &err), -1);
	assert_int_equal(err.reason, REASON_ACTION_NOT_SUPPORTED);
}

static void the_sidecar_may_name_another_site(void **state)
{
	scoped(decision_done) struct decision decision = { 0 }, unknown = { 0 };
	struct err err = { 0 };

	(void)state;
	decide_well(&decision, "site: \"990054321\"\n");
	assert_string_equal(decision.site, "990054321");
	assert_non_null(strstr(document_of(&decision)->body.p, "HAD DE VALBRUME"));
	assert_int_equal(decide_more(&unknown, "site: \"990099999\"\n", &err), -1);
	assert_int_equal(err.reason, REASON_FINESS_MISMATCH);
}

static void an_identity_that_is_not_qualified_holds_it(void **state)
{
	scoped(buf_done) struct buf sidecar = { 0 }, body = { 0 };
	scoped(decision_done) struct decision decision = { 0 };
	struct decision_pair pair = { .body = &body, .media_type = "text/plain" };
	struct err err = { 0 };

	(void)state;
	sample_read("pair/letter.yaml", &sidecar);
	memcpy(strstr(sidecar.p, "VALI"), "PROV", 4);
	pair.sidecar = buf_slice(&sidecar);
	buf_add_text(&body, "text");
	if (decide_pair(&decision, &pair, &settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(decision.state, DOC_HELD);
	assert_int_equal(decision.reason, REASON_INS_NOT_QUALIFIED);
}

static void a_sidecar_hides_as_a_message_does(void **state)
{
	scoped(decision_done) struct decision decision = { 0 }, secret = { 0 }, both = { 0 };
	struct err err = { 0 };

	(void)state;
	decide_well(&secret, "secret_connection: true\n");
	assert_non_null(strstr(document_of(&secret)->metadata.p, "\"secret_connection\":true"));
	assert_non_null(strstr(document_of(&secret)->metadata.p, "INVISIBLE_REPRESENTANTS_LEGAUX"));
	decide_well(&decision, "hidden_from: [guardians]\n");
	assert_null(strstr(document_of(&decision)->metadata.p, "secret_connection"));
	assert_non_null(
		strstr(document_of(&decision)->metadata.p, "INVISIBLE_REPRESENTANTS_LEGAUX"));
	assert_int_equal(decide_more(&both, "hidden_from: [patient, professionals]\n", &err), -1);
	assert_int_equal(err.reason, REASON_MASKS_CONFLICT);
}

/* The version that a patient may see after all says so: else the policy would hide it again. */
static void a_sidecar_that_hides_from_nobody_has_the_last_word(void **state)
{
	static struct config_policy hide = { .type = "*", .unit = "", .action = POLICY_INVISIBLE };
	scoped(decision_done) struct decision silent = { 0 }, says = { 0 };

	(void)state;
	sites[0].policies = &hide;
	sites[0].policy_count = 1;
	decide_well(&silent, "");
	decide_well(&says, "hidden_from: []\n");
	sites[0].policy_count = 0;
	assert_true(document_of(&silent)->invisible);
	assert_false(document_of(&says)->invisible);
	assert_int_equal(says.state, DOC_QUEUED);
}

static void a_pdf_that_is_not_pdfa_is_dealt_with_as_configured(void **state)
{
	static const struct {
		enum config_pdf when;
		enum reason reason; /* REASON_NONE: it is taken */
	} rows[] = { { PDF_SEND, REASON_NONE }, { PDF_REFUSE, REASON_PDF_NOT_PDFA } };
	scoped(decision_done) struct decision converted = { 0 };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(decision_done) struct decision decision = { 0 };

		config.when_not_pdfa = rows[i].when;
		err = (struct err){ 0 };
		assert_int_equal(decide_more(&decision, "", &err), rows[i].reason ? -1 : 0);
		assert_int_equal(err.reason, rows[i].reason);
	}
	config.when_not_pdfa = PDF_CONVERT; /* where there is no folder to work in */
	assert_int_equal(decide_more(&converted, "", &err), -1);
	assert_int_equal(err.kind, ERR_RETRY);
}

/* What a folder must not wait for: told without doing it. */
static void only_a_pdf_to_convert_takes_long(void **state)
{
	static const struct {
		const char *sample, *media_type;
		enum config_pdf when;
		bool long_;
	} rows[] = {
		{ "pair/letter.pdf", "application/pdf", PDF_CONVERT, true },
		{ "pair/letter.pdf", "application/pdf", PDF_SEND, false },
		{ "pair/letter.pdf", "application/pdf", PDF_REFUSE, false },
		{ "pair/letter.yaml", "application/pdf", PDF_CONVERT, false },
		{ "pair/letter.pdf", "text/plain", PDF_CONVERT, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(buf_done) struct buf body = { 0 };
		const struct decision_pair pair = { .body = &body,
						    .media_type = rows[i].media_type };

		sample_read(rows[i].sample, &body);
		config.when_not_pdfa = rows[i].when;
		assert_int_equal(decide_pair_takes_long(&pair, &config), rows[i].long_);
	}
}

static void all_faults_of_a_sidecar_are_kept(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(decide_more(&decision, "site: 1\nversion: x\n", &err), -1);
	assert_int_equal(decision.fault_count, 2);
	assert_int_equal(decision.document_count, 0);
	assert_string_equal(err.text, decision.faults[0].text);
}

static void a_document_that_grew_too_large_is_refused(void **state)
{
	scoped(decision_done) struct decision decision = { 0 };
	scoped(free_ptr) char *body = xasprintf("%01000000d", 1); /* a third more in Base64 */
	struct err err = { 0 };

	(void)state;
	assert_int_equal(decide_with(&decision, "", "text/plain", body, &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define RESTORED(test) cmocka_unit_test_teardown(test, restore)
		RESTORED(a_pair_is_queued_under_an_id_of_ours),
		RESTORED(the_id_of_a_pair_stays_as_it_is),
		RESTORED(the_same_pair_has_the_same_id_however_it_is_built),
		RESTORED(a_byte_of_either_file_makes_another_document),
		RESTORED(what_versions_share_is_given_or_follows),
		RESTORED(ids_stand_under_the_oid_of_the_site),
		RESTORED(replacing_needs_a_registry),
		RESTORED(the_sidecar_may_name_another_site),
		RESTORED(an_identity_that_is_not_qualified_holds_it),
		RESTORED(a_sidecar_hides_as_a_message_does),
		RESTORED(a_sidecar_that_hides_from_nobody_has_the_last_word),
		RESTORED(a_pdf_that_is_not_pdfa_is_dealt_with_as_configured),
		RESTORED(only_a_pdf_to_convert_takes_long),
		RESTORED(all_faults_of_a_sidecar_are_kept),
		RESTORED(a_document_that_grew_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, load, free_valuesets);
}
