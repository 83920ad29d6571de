/* What an exchange came to: the shipped table of codes and words, and transport, row by row. */
#include "sample.h"

#include "dispatch/outcome.h"

static struct error_table *errors; /* that of conf/ */

static int load(void **state)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *file = xasprintf("%s/conf/dmp-errors.csv", root ? root : ".");
	struct err err = { 0 };

	(void)state;
	if (error_table_load(&errors, file, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	error_table_free(&errors);
	return 0;
}

static struct outcome judge(const struct exchange *exchange, const struct reply *reply,
			    bool was_doubtful)
{
	const struct attempt attempt = { .asked = TRANSACTION_SUBMIT,
					 .was_doubtful = was_doubtful };

	return outcome_of(errors, &attempt, exchange, reply);
}

static const struct exchange answered_200 = {
	.answered = true, .fully_written = true, .http_status = 200, .transport_text = ""
};

static struct reply reply_of(enum reply_shape shape, const char *code, const char *text)
{
	return (struct reply){
		.shape = shape, .code = code, .text = text, .location = "", .relates_to = ""
	};
}

static struct outcome outcome_of_code(enum reply_shape shape, const char *code, bool was_doubtful)
{
	struct reply reply = reply_of(shape, code, "words");

	return judge(&answered_200, &reply, was_doubtful);
}

static struct exchange answered(int status)
{
	struct exchange exchange = answered_200;

	exchange.http_status = status;
	return exchange;
}

static void a_success_is_a_delivery(void **state)
{
	struct outcome outcome = outcome_of_code(REPLY_SUCCESS, "", false);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_DELIVERED);
	assert_int_equal(outcome.reason, REASON_NONE);
	assert_false(outcome.doubtful);
	assert_string_equal(outcome.note, "");
}

static void a_success_after_doubt_ends_the_doubt(void **state)
{
	struct outcome outcome = outcome_of_code(REPLY_SUCCESS, "", true);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_DELIVERED);
	assert_false(outcome.doubtful);
	assert_string_equal(outcome.note, "");
}

static void warnings_do_not_spoil_a_success(void **state)
{
	static const char *const warnings[] = { "XDSExtraMetadataNotSaved",
						"PartialFolderContentNotProcessed",
						"DocumentQueued" };

	(void)state;
	for (size_t i = 0; i < length_of(warnings); i++) {
		struct outcome outcome = outcome_of_code(REPLY_SUCCESS, warnings[i], false);

		assert_int_equal(outcome.kind, OUTCOME_DELIVERED);
		assert_string_equal(outcome.code, warnings[i]);
	}
}

struct row {
	const char *code;
	enum outcome_kind kind;
	enum reason reason;
};

/* clang-format off */
static const struct row code_rows[] = {
	{ "DMPInvalidCertificate", OUTCOME_HALT, REASON_LANE_STOPPED },
	{ "DMPAccessDeniedByRightsService", OUTCOME_HALT, REASON_LANE_STOPPED },
	{ "DMPClosed", OUTCOME_REFUSED, REASON_DMP_CLOSED },
	{ "XDSDocumentUniqueIdError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSRegistryBusy", OUTCOME_RETRY, REASON_RETRYING },
	{ "XDSRepositoryBusy", OUTCOME_RETRY, REASON_RETRYING },
	{ "XDSRegistryNotAvailable", OUTCOME_RETRY, REASON_RETRYING },
	{ "XDSRegistryOutOfResources", OUTCOME_RETRY, REASON_RETRYING },
	{ "XDSRepositoryOutOfResources", OUTCOME_RETRY, REASON_RETRYING },
	{ "XDSRegistryError", OUTCOME_RETRY, REASON_RETRYING },
	{ "XDSRepositoryError", OUTCOME_RETRY, REASON_RETRYING },
	{ "XDSUnknownPatientId", OUTCOME_REFUSED, REASON_DMP_ABSENT },
	{ "XDSPatientIdDoesNotMatch", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSDuplicateUniqueIdInRegistry", OUTCOME_REJECTED, REASON_DUPLICATE_FOREIGN },
	{ "XDSRegistryDuplicateUniqueIdInMessage", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSRepositoryDuplicateUniqueIdInMessage", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSNonIdenticalHash", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSNonIdenticalSize", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSRegistryMetadataError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSRepositoryMetadataError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSMissingDocument", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSMissingDocumentMetadata", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "InvalidDocumentContent", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "UnresolvedReferenceException", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSReplaceFailed", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSRegistryDeprecatedDocumentError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSMetadataUpdateError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSMetadataUpdateOperationError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSMetadataVersionError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSPatientIDReconciliationError", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "XDSTooManyResults", OUTCOME_HALT, REASON_LANE_STOPPED },
	{ "XDSUnknownStoredQuery", OUTCOME_HALT, REASON_LANE_STOPPED },
	{ "XDSStoredQueryMissingParam", OUTCOME_HALT, REASON_LANE_STOPPED },
	{ "XDSStoredQueryParamNumber", OUTCOME_HALT, REASON_LANE_STOPPED },
	{ "XDSResultNotSinglePatient", OUTCOME_HALT, REASON_LANE_STOPPED },
	{ "XDSUnknownRepositoryId", OUTCOME_HALT, REASON_LANE_STOPPED },
	/* codes that nobody has met, and none at all */
	{ "DMPFound", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "DMPSomethingNew", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "xdsregistrybusy", OUTCOME_REJECTED, REASON_DMP_ERROR },
	{ "", OUTCOME_REJECTED, REASON_DMP_ERROR },
};
/* clang-format on */

static void a_code_means_the_same_in_every_shape(void **state)
{
	static const enum reply_shape shapes[] = { REPLY_FAILURE, REPLY_FAULT, REPLY_HL7_ACK };

	(void)state;
	for (size_t i = 0; i < length_of(code_rows) * length_of(shapes); i++) {
		const struct row *row = &code_rows[i / length_of(shapes)];
		struct outcome outcome =
			outcome_of_code(shapes[i % length_of(shapes)], row->code, false);

		assert_int_equal(outcome.kind, row->kind);
		assert_int_equal(outcome.reason, row->reason);
		assert_false(outcome.doubtful);
		assert_string_equal(outcome.note, "");
		assert_string_equal(outcome.code, row->code[0] ? row->code : "http");
		assert_string_equal(outcome.text, "words");
	}
}

static void a_known_code_wins_over_the_party_of_the_fault(void **state)
{
	struct reply reply = reply_of(REPLY_FAULT, "XDSRegistryMetadataError", "");

	(void)state;
	reply.fault_of_receiver = true;
	assert_int_equal(judge(&answered_200, &reply, false).kind, OUTCOME_REJECTED);
	reply.code = "XDSRegistryBusy";
	reply.fault_of_receiver = false;
	assert_int_equal(judge(&answered_200, &reply, false).kind, OUTCOME_RETRY);
}

static void the_words_decide_where_the_code_does_not(void **state)
{
	static const char *const texts[] = {
		"Erreur d'authentification de la personne morale",
		"Erreur d\xe2\x80\x99"
		"authentification de la personne morale.",
		"Aucun AuthorInstitution ne correspond \xc3\xa0 l'utilisateur du VIHF",
		"Aucune sp\xc3\xa9"
		"cialit\xc3\xa9 dans le vihf pour le r\xc3\xb4le",
		"Aucune sp\xc3\xa9"
		"cialit\xc3\xa9 dans le VIHF",
		"Structure introuvable ou Inactive",
		"PS et Structure non li\xc3\xa9s",
		"A required header representing a Message Addressing Property is not present",
	};
	static const char *const codes[] = { "", "DMPSomethingNew", "XDSRegistryError",
					     "XDSRepositoryError" };

	(void)state;
	for (size_t i = 0; i < length_of(texts) * length_of(codes); i++) {
		struct reply reply = reply_of(REPLY_FAULT, codes[i % length_of(codes)],
					      texts[i / length_of(codes)]);

		assert_int_equal(judge(&answered_200, &reply, false).kind, OUTCOME_HALT);
	}
}

static void a_precise_code_wins_over_the_words(void **state)
{
	struct reply reply = reply_of(REPLY_FAILURE, "XDSRegistryMetadataError",
				      "Structure introuvable ou Inactive");

	(void)state;
	assert_int_equal(judge(&answered_200, &reply, false).kind, OUTCOME_REJECTED);
}

static void an_unknown_fault_is_the_fault_of_whom_it_names(void **state)
{
	struct reply reply = reply_of(REPLY_FAULT, "DMPSomethingNew", "words");
	struct exchange exchange = answered(500);

	(void)state;
	assert_int_equal(judge(&exchange, &reply, false).kind, OUTCOME_REJECTED);
	reply.fault_of_receiver = true;
	assert_int_equal(judge(&exchange, &reply, false).kind, OUTCOME_RETRY);
}

static void soap_is_read_before_the_status(void **state)
{
	static const int statuses[] = { 200, 400, 401, 403, 404, 413, 500, 503 };

	(void)state;
	for (size_t i = 0; i < length_of(statuses); i++) {
		struct exchange exchange = answered(statuses[i]);
		struct reply success = reply_of(REPLY_SUCCESS, "", "");
		struct reply closed = reply_of(REPLY_FAULT, "DMPClosed", "");

		assert_int_equal(judge(&exchange, &success, false).kind, OUTCOME_DELIVERED);
		assert_int_equal(judge(&exchange, &closed, false).kind, OUTCOME_REFUSED);
	}
}

static void a_fault_without_a_code_goes_by_its_status(void **state)
{
	struct reply reply = reply_of(REPLY_FAULT, "", "words");
	struct exchange exchange = answered(500);

	(void)state;
	assert_string_equal(judge(&exchange, &reply, false).code, "http");
}

/* Without SOAP. `written` false: the answer came before the whole request had left. */
/* clang-format off */
static const struct {
	int status;
	bool written;
	enum outcome_kind kind;
	enum reason reason;
	bool doubtful;
	const char *code;
} status_rows[] = {
	{ 200, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 200, false, OUTCOME_RETRY_LANE, REASON_RETRYING, false, "http" },
	{ 202, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 204, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 300, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 301, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 302, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 307, false, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 400, true, OUTCOME_REJECTED, REASON_DMP_ERROR, false, "http" },
	{ 401, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 403, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 404, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 405, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 407, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 408, false, OUTCOME_RETRY_LANE, REASON_RETRYING, false, "http" },
	{ 413, true, OUTCOME_REJECTED, REASON_TOO_LARGE, false, "http" },
	{ 415, true, OUTCOME_HALT, REASON_LANE_STOPPED, false, "http" },
	{ 429, true, OUTCOME_RETRY_LANE, REASON_RETRYING, false, "http" },
	{ 500, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 502, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 503, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 503, false, OUTCOME_RETRY_LANE, REASON_RETRYING, false, "http" },
	{ 504, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 599, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 100, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 600, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 99, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ 0, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
	{ -1, true, OUTCOME_RETRY_LANE, REASON_DOUBTFUL, true, "http" },
};
/* clang-format on */

static void without_soap_the_status_decides(void **state)
{
	struct reply reply = reply_of(REPLY_NONE, "", "the answer is not XML");

	(void)state;
	for (size_t i = 0; i < length_of(status_rows); i++) {
		struct exchange exchange = answered(status_rows[i].status);
		struct outcome outcome;

		exchange.fully_written = status_rows[i].written;
		outcome = judge(&exchange, &reply, false);
		assert_int_equal(outcome.kind, status_rows[i].kind);
		assert_int_equal(outcome.reason, status_rows[i].reason);
		assert_int_equal(outcome.doubtful, status_rows[i].doubtful);
		assert_int_equal(outcome.strange, status_rows[i].status / 100 == 2);
		assert_string_equal(outcome.code, status_rows[i].code);
		assert_string_equal(outcome.text, "the answer is not XML");
	}
}

static void no_answer_to_a_whole_request_is_doubt(void **state)
{
	const struct exchange exchange = { .fully_written = true, .transport_text = "timeout" };
	struct outcome outcome = judge(&exchange, NULL, false);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_RETRY_LANE);
	assert_int_equal(outcome.reason, REASON_DOUBTFUL);
	assert_true(outcome.doubtful);
	assert_string_equal(outcome.code, "transport");
	assert_string_equal(outcome.text, "timeout");
}

static void an_answer_that_never_ends_is_nobodys(void **state)
{
	const struct exchange exchange = { .fully_written = true,
					   .reply_too_large = true,
					   .transport_text = "too large" };
	struct outcome outcome = judge(&exchange, NULL, false);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_RETRY_LANE);
	assert_true(outcome.doubtful);
	assert_true(outcome.strange);
	assert_false(outcome_of_code(REPLY_FAILURE, "XDSRegistryBusy", false).strange);
	assert_false(outcome_of_code(REPLY_SUCCESS, "", false).strange);
}

static void no_answer_to_half_a_request_is_none(void **state)
{
	const struct exchange exchange = { .transport_text = "connection refused" };
	struct outcome outcome = judge(&exchange, NULL, false);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_RETRY_LANE);
	assert_int_equal(outcome.reason, REASON_RETRYING);
	assert_false(outcome.doubtful);
	assert_string_equal(outcome.code, "transport");
	assert_string_equal(outcome.text, "connection refused");
}

static void a_refused_certificate_stops_the_lane(void **state)
{
	const struct exchange exchange = { .our_tls_refused = true,
					   .transport_text = "alert certificate expired" };
	struct outcome outcome = judge(&exchange, NULL, false);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_HALT);
	assert_int_equal(outcome.reason, REASON_LANE_STOPPED);
	assert_false(outcome.doubtful);
	assert_string_equal(outcome.text, "alert certificate expired");
}

static void a_proxy_that_lets_nobody_through_stops_the_lane(void **state)
{
	const struct exchange exchange = { .proxy_refused = true,
					   .transport_text = "CONNECT tunnel failed" };
	struct outcome outcome = judge(&exchange, NULL, false);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_HALT);
	assert_int_equal(outcome.reason, REASON_LANE_STOPPED);
	assert_false(outcome.doubtful);
	assert_string_equal(outcome.text, "CONNECT tunnel failed");
}

static void a_duplicate_after_doubt_is_our_own_document(void **state)
{
	struct outcome outcome =
		outcome_of_code(REPLY_FAILURE, "XDSDuplicateUniqueIdInRegistry", true);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_DELIVERED);
	assert_int_equal(outcome.reason, REASON_NONE);
	assert_false(outcome.doubtful);
	assert_string_equal(outcome.note, "confirmed_by_duplicate");
	assert_string_equal(outcome.code, "XDSDuplicateUniqueIdInRegistry");
}

#define OURS "1.2.250.1.999.1.9.1"

/* Where the DMP has no code for it, or wraps it in one that says little. */
static void a_duplicate_may_be_told_in_words_that_name_our_document(void **state)
{
	static const struct {
		const char *code, *text;
		bool confirmed;
	} cases[] = {
		{ "XDSRegistryError", OURS, true },
		{ "XDSRepositoryError", "uniqueId '" OURS "' existe", true },
		{ "DMPSomethingNew", "Doublon : " OURS ".", true },
		{ "", "2." OURS ", puis " OURS, true },
		{ "XDSRegistryError", "Doublon", false },
		{ "XDSRegistryError", "Doublon de " OURS "7", false },
		{ "XDSRegistryError", "Doublon de " OURS ".7", false },
		{ "XDSRegistryError", "Doublon de 1." OURS, false },
		{ "XDSRegistryError", "Doublon de 2" OURS, false },
		/* codes that are described mean what they say */
		{ "XDSRegistryMetadataError", "typeCode de " OURS, false },
		{ "XDSRegistryBusy", OURS, false },
		/* as do words */
		{ "XDSRegistryError", "Structure introuvable ou Inactive : " OURS, false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct reply reply = reply_of(REPLY_FAILURE, cases[i].code, cases[i].text);
		struct attempt attempt = { .asked = TRANSACTION_SUBMIT,
					   .alike = 4,
					   .was_doubtful = true,
					   .unique_id = OURS };
		struct outcome outcome = outcome_of(errors, &attempt, &answered_200, &reply);

		assert_int_equal(outcome.kind == OUTCOME_DELIVERED, cases[i].confirmed);
		assert_string_equal(outcome.note,
				    cases[i].confirmed ? "confirmed_by_duplicate" : "");
		assert_int_equal(outcome.doubtful, !cases[i].confirmed);
		attempt.was_doubtful = false;
		assert_int_not_equal(outcome_of(errors, &attempt, &answered_200, &reply).kind,
				     OUTCOME_DELIVERED);
		attempt.was_doubtful = true;
		attempt.asked = TRANSACTION_DELETE;
		assert_int_not_equal(outcome_of(errors, &attempt, &answered_200, &reply).kind,
				     OUTCOME_DELIVERED);
	}
}

static void a_duplicate_without_doubt_is_somebody_elses(void **state)
{
	struct outcome outcome =
		outcome_of_code(REPLY_FAULT, "XDSDuplicateUniqueIdInRegistry", false);

	(void)state;
	assert_int_equal(outcome.kind, OUTCOME_REJECTED);
	assert_int_equal(outcome.reason, REASON_DUPLICATE_FOREIGN);
	assert_string_equal(outcome.note, "");
}

static void doubt_lasts_until_the_document_is_delivered(void **state)
{
	const struct exchange refused = { .transport_text = "connection refused" };
	const struct exchange tls = { .our_tls_refused = true, .transport_text = "" };
	struct outcome outcome = judge(&refused, NULL, true);

	(void)state;
	assert_true(outcome.doubtful);
	assert_int_equal(outcome.reason, REASON_DOUBTFUL);

	outcome = outcome_of_code(REPLY_FAILURE, "XDSRegistryBusy", true);
	assert_int_equal(outcome.kind, OUTCOME_RETRY);
	assert_true(outcome.doubtful);
	assert_int_equal(outcome.reason, REASON_DOUBTFUL);

	outcome = judge(&tls, NULL, true);
	assert_true(outcome.doubtful);
	assert_int_equal(outcome.reason, REASON_LANE_STOPPED);

	outcome = outcome_of_code(REPLY_FAILURE, "InvalidDocumentContent", true);
	assert_true(outcome.doubtful);
	assert_int_equal(outcome.reason, REASON_DMP_ERROR);
}

static void retry_after_is_honoured_by_retries_only(void **state)
{
	struct exchange exchange = answered(503);
	struct reply none = reply_of(REPLY_NONE, "", "");
	struct reply busy = reply_of(REPLY_FAULT, "XDSRegistryBusy", "");
	struct reply closed = reply_of(REPLY_FAULT, "DMPClosed", "");

	(void)state;
	exchange.retry_after_ms = 120000;
	assert_int_equal(judge(&exchange, &none, false).retry_after_ms, 120000);
	assert_int_equal(judge(&exchange, &busy, false).retry_after_ms, 120000);
	assert_int_equal(judge(&exchange, &closed, false).retry_after_ms, 0);
}

static void a_vague_error_is_the_documents_after_five_attempts(void **state)
{
	struct reply reply = reply_of(REPLY_FAILURE, "XDSRegistryError", "words");

	(void)state;
	for (unsigned alike = 0; alike < 6; alike++) {
		const struct attempt attempt = { .asked = TRANSACTION_SUBMIT, .alike = alike };

		assert_int_equal(outcome_of(errors, &attempt, &answered_200, &reply).kind,
				 alike < 4 ? OUTCOME_RETRY : OUTCOME_REJECTED);
	}
}

static void what_takes_time_to_pass_is_told_apart(void **state)
{
	(void)state;
	assert_true(outcome_of_code(REPLY_FAILURE, "XDSRegistryOutOfResources", false).slow);
	assert_true(outcome_of_code(REPLY_FAULT, "XDSRepositoryOutOfResources", true).slow);
	assert_false(outcome_of_code(REPLY_FAILURE, "XDSRegistryBusy", false).slow);
}

static void a_question_without_an_answer_leaves_no_doubt(void **state)
{
	static const struct {
		enum transaction asked;
		bool doubtful;
	} rows[] = {
		{ TRANSACTION_EXISTENCE, false },
		{ TRANSACTION_FIND, false },
		{ TRANSACTION_SUBMIT, true },
		{ TRANSACTION_DELETE, true },
	};
	const struct exchange silence = { .fully_written = true, .transport_text = "timeout" };

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct attempt attempt = { .asked = rows[i].asked };
		struct outcome outcome = outcome_of(errors, &attempt, &silence, NULL);

		assert_int_equal(outcome.kind, OUTCOME_RETRY_LANE);
		assert_int_equal(outcome.doubtful, rows[i].doubtful);
		attempt.was_doubtful = true;
		assert_true(outcome_of(errors, &attempt, &silence, NULL).doubtful);
	}
}

static void a_duplicate_confirms_what_may_have_been_done_and_answers_no_question(void **state)
{
	static const struct {
		enum transaction asked;
		enum outcome_kind kind;
	} rows[] = {
		{ TRANSACTION_SUBMIT, OUTCOME_DELIVERED },
		{ TRANSACTION_DELETE, OUTCOME_DELIVERED },
		{ TRANSACTION_EXISTENCE, OUTCOME_REJECTED },
		{ TRANSACTION_FIND, OUTCOME_REJECTED },
	};
	struct reply reply = reply_of(REPLY_FAILURE, "XDSDuplicateUniqueIdInRegistry", "");

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		struct attempt attempt = { .asked = rows[i].asked, .was_doubtful = true };

		assert_int_equal(outcome_of(errors, &attempt, &answered_200, &reply).kind,
				 rows[i].kind);
		attempt.was_doubtful = false;
		assert_int_equal(outcome_of(errors, &attempt, &answered_200, &reply).kind,
				 OUTCOME_REJECTED);
	}
}

static void that_there_is_no_such_document_answers_the_question_for_it(void **state)
{
	static const enum transaction others[] = { TRANSACTION_EXISTENCE, TRANSACTION_SUBMIT,
						   TRANSACTION_DELETE };
	const struct reply reply = reply_of(REPLY_FAULT, "XDSDocumentUniqueIdError", "words");
	struct attempt attempt = { .asked = TRANSACTION_FIND };

	(void)state;
	assert_int_equal(outcome_of(errors, &attempt, &answered_200, &reply).kind,
			 OUTCOME_DELIVERED);
	for (size_t i = 0; i < length_of(others); i++) {
		attempt.asked = others[i];
		assert_int_equal(outcome_of(errors, &attempt, &answered_200, &reply).kind,
				 OUTCOME_REJECTED);
	}
}

static void an_entry_that_is_not_as_it_was_found_is_told_apart(void **state)
{
	static const char *const codes[] = {
		"UnresolvedReferenceException",       "XDSReplaceFailed",
		"XDSRegistryDeprecatedDocumentError", "XDSMetadataUpdateError",
		"XDSMetadataUpdateOperationError",    "XDSMetadataVersionError",
	};

	(void)state;
	for (size_t i = 0; i < length_of(codes); i++)
		assert_true(outcome_of_code(REPLY_FAILURE, codes[i], false).stale);
	assert_false(outcome_of_code(REPLY_FAILURE, "XDSRegistryMetadataError", false).stale);
}

static void what_nobody_described_is_told_apart(void **state)
{
	struct reply none = reply_of(REPLY_NONE, "", "not XML");
	struct exchange refused = answered(400);

	(void)state;
	assert_true(outcome_of_code(REPLY_FAILURE, "DMPSomethingNew", false).unknown);
	assert_true(outcome_of_code(REPLY_FAULT, "", false).unknown);
	assert_true(judge(&refused, &none, false).unknown);
	assert_false(outcome_of_code(REPLY_FAILURE, "InvalidDocumentContent", false).unknown);
	assert_false(outcome_of_code(REPLY_SUCCESS, "", false).unknown);
	assert_null(outcome_of_code(REPLY_FAILURE, "DMPSomethingNew", false).row);
}

static void a_known_code_has_a_sentence_for_people(void **state)
{
	struct outcome outcome = outcome_of_code(REPLY_FAULT, "DMPClosed", false);

	(void)state;
	assert_non_null(outcome.row);
	assert_string_equal(outcome.row->english, "This patient's DMP is closed.");
	assert_null(outcome_of_code(REPLY_SUCCESS, "", false).row);
}

/* A source is told which list a code is of. */
static void assert_said(const struct outcome *outcome, const char *english, const char *french)
{
	const char *const wanted[] = { english, french };

	for (size_t in_french = 0; in_french < 2; in_french++) {
		scoped(buf_done) struct buf said = { 0 };

		outcome_say(outcome, in_french == 1, &said);
		assert_string_equal(slice_of(said.p).p, wanted[in_french]);
	}
}

static void what_the_way_came_to_is_said_in_both_languages(void **state)
{
	static const struct {
		const char *code, *text;
		enum outcome_kind kind;
		int http_status;
		bool strange;
		const char *english, *french;
	} cases[] = {
		{ "transport", "Connection refused", OUTCOME_RETRY_LANE, 0, false,
		  "The DMP does not answer: Connection refused",
		  "Le DMP ne répond pas : Connection refused" },
		{ "transport", "certificate expired", OUTCOME_HALT, 0, false,
		  "The secured way to the DMP is refused (a certificate, TLS, a proxy): "
		  "certificate "
		  "expired",
		  "L'accès sécurisé au DMP est refusé (certificat, TLS ou proxy) : certificate "
		  "expired" },
		{ "http", "the answer is not XML", OUTCOME_RETRY_LANE, 503, false,
		  "The DMP, or what stands before it, is out of order (HTTP 503)",
		  "Le DMP, ou ce qui se trouve devant lui, est en panne (HTTP 503)" },
		{ "http", "the answer is not XML", OUTCOME_HALT, 403, false,
		  "The DMP turns the gateway away: its URL, its rights or its certificate (HTTP "
		  "403)",
		  "Le DMP éconduit la passerelle : son URL, ses droits ou son certificat (HTTP "
		  "403)" },
		{ "http", "the answer is not XML", OUTCOME_HALT, 200, true,
		  "What answers is not the DMP (HTTP 200): the answer is not XML",
		  "Ce qui répond n'est pas le DMP (HTTP 200) : the answer is not XML" },
		{ "not_built", "dmp.sign.cert: it ended", OUTCOME_HALT, 0, false,
		  "Requests cannot be made or signed: dmp.sign.cert: it ended",
		  "Les requêtes ne peuvent être construites ou signées : dmp.sign.cert: it ended" },
		{ "new", "", OUTCOME_HALT, 0, false, "Sending fails", "L'envoi échoue" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct outcome outcome = { .kind = cases[i].kind,
						 .code = cases[i].code,
						 .text = cases[i].text,
						 .text_is_ours = true,
						 .http_status = cases[i].http_status,
						 .strange = cases[i].strange };

		assert_said(&outcome, cases[i].english, cases[i].french);
	}
}

/* The DMP's own words may name the patient: the table speaks, and says what to do. */
static void of_the_dmps_refusal_the_table_speaks(void **state)
{
	const struct outcome outcome =
		outcome_of_code(REPLY_FAILURE, "DMPInvalidCertificate", false);
	struct outcome undescribed = outcome_of_code(REPLY_FAILURE, "Nobody knows it", false);
	const struct outcome delivered = outcome_of_code(REPLY_SUCCESS, "", false);

	(void)state;
	assert_said(
		&outcome,
		"The assertion is signed with a certificate that is not for signing, has ended or "
		"was revoked. Check which certificate signs: ORG SIGN, in force.",
		"L'assertion est signée avec un certificat qui n'est pas de signature, est échu ou "
		"révoqué. Vérifier le certificat qui signe : ORG SIGN, en cours de validité.");
	undescribed.reason = REASON_LANE_STOPPED;
	assert_said(&undescribed, reason_row(REASON_LANE_STOPPED)->english,
		    reason_row(REASON_LANE_STOPPED)->french);
	assert_said(&delivered, "", "");
}

/* The status that an answer came with is known of it. */
static void a_status_without_soap_is_told(void **state)
{
	const struct exchange exchange = answered(503);
	const struct reply reply = reply_of(REPLY_NONE, "", "the answer is not XML");
	const struct outcome outcome = judge(&exchange, &reply, false);

	(void)state;
	assert_int_equal(outcome.http_status, 503);
	assert_said(&outcome, "The DMP, or what stands before it, is out of order (HTTP 503)",
		    "Le DMP, ou ce qui se trouve devant lui, est en panne (HTTP 503)");
}

static void our_codes_are_none_of_the_dmps(void **state)
{
	static const char *const ours[] = { "",          "transport", "http",
					    "existence", "not_found", "not_built" };

	(void)state;
	for (size_t i = 0; i < length_of(ours); i++)
		assert_true(outcome_code_is_ours(ours[i]));
	assert_false(outcome_code_is_ours("DMPClosed"));
	assert_false(outcome_code_is_ours("XDSRepositoryError"));
	assert_true(outcome_code_is_ours(outcome_of_code(REPLY_NONE, "", false).code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_success_is_a_delivery),
		cmocka_unit_test(a_success_after_doubt_ends_the_doubt),
		cmocka_unit_test(warnings_do_not_spoil_a_success),
		cmocka_unit_test(a_code_means_the_same_in_every_shape),
		cmocka_unit_test(a_known_code_wins_over_the_party_of_the_fault),
		cmocka_unit_test(the_words_decide_where_the_code_does_not),
		cmocka_unit_test(a_precise_code_wins_over_the_words),
		cmocka_unit_test(an_unknown_fault_is_the_fault_of_whom_it_names),
		cmocka_unit_test(soap_is_read_before_the_status),
		cmocka_unit_test(a_fault_without_a_code_goes_by_its_status),
		cmocka_unit_test(without_soap_the_status_decides),
		cmocka_unit_test(no_answer_to_a_whole_request_is_doubt),
		cmocka_unit_test(an_answer_that_never_ends_is_nobodys),
		cmocka_unit_test(no_answer_to_half_a_request_is_none),
		cmocka_unit_test(a_refused_certificate_stops_the_lane),
		cmocka_unit_test(a_proxy_that_lets_nobody_through_stops_the_lane),
		cmocka_unit_test(a_duplicate_after_doubt_is_our_own_document),
		cmocka_unit_test(a_duplicate_may_be_told_in_words_that_name_our_document),
		cmocka_unit_test(a_duplicate_without_doubt_is_somebody_elses),
		cmocka_unit_test(doubt_lasts_until_the_document_is_delivered),
		cmocka_unit_test(retry_after_is_honoured_by_retries_only),
		cmocka_unit_test(a_vague_error_is_the_documents_after_five_attempts),
		cmocka_unit_test(what_takes_time_to_pass_is_told_apart),
		cmocka_unit_test(a_question_without_an_answer_leaves_no_doubt),
		cmocka_unit_test(
			a_duplicate_confirms_what_may_have_been_done_and_answers_no_question),
		cmocka_unit_test(that_there_is_no_such_document_answers_the_question_for_it),
		cmocka_unit_test(an_entry_that_is_not_as_it_was_found_is_told_apart),
		cmocka_unit_test(what_nobody_described_is_told_apart),
		cmocka_unit_test(a_known_code_has_a_sentence_for_people),
		cmocka_unit_test(what_the_way_came_to_is_said_in_both_languages),
		cmocka_unit_test(of_the_dmps_refusal_the_table_speaks),
		cmocka_unit_test(a_status_without_soap_is_told),
		cmocka_unit_test(our_codes_are_none_of_the_dmps),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
