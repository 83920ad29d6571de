/* What one delivery attempt came to. Any thread.
 *
 * The order of decision: what the DMP's code says; what its words say; whose fault the SOAP fault
 * names; and only without any of these, the HTTP status or the transport.
 */
#include "dispatch/outcome.h"

#include <string.h>

enum finding {
	UNKNOWN, /* not in the table that was asked */
	DELIVERED,
	PASSING,      /* their trouble, coded: this document again, later */
	WAY,          /* the way there is in trouble; the DMP does not hold the document */
	LOST_ANSWER,  /* the same, but it may hold it: the request had left */
	DOCUMENT,     /* the document is at fault */
	TOO_LARGE,    /* so is its size */
	ABSENT,       /* the patient has no DMP */
	CLOSED,       /* or no more */
	INSTALLATION, /* we are at fault */
	DUPLICATE,    /* the DMP holds this identifier already: one of the next two */
	CONFIRMED,    /* from an attempt of ours */
	FOREIGN,      /* from somebody else */
	VAGUE, /* a code that often wraps another refusal: its words decide, else it passes */
};

/* What each finding comes to; those that depend on more are brought back to another before. */
static const struct {
	enum outcome_kind kind;
	enum reason reason;
} verdicts[] = {
	[DELIVERED] = { OUTCOME_DELIVERED, REASON_NONE },
	[CONFIRMED] = { OUTCOME_DELIVERED, REASON_NONE },
	[FOREIGN] = { OUTCOME_REJECTED, REASON_DUPLICATE_FOREIGN },
	[PASSING] = { OUTCOME_RETRY, REASON_RETRYING },
	[WAY] = { OUTCOME_RETRY_LANE, REASON_RETRYING },
	[LOST_ANSWER] = { OUTCOME_RETRY_LANE, REASON_DOUBTFUL },
	[DOCUMENT] = { OUTCOME_REJECTED, REASON_DMP_ERROR },
	[TOO_LARGE] = { OUTCOME_REJECTED, REASON_TOO_LARGE },
	[ABSENT] = { OUTCOME_REFUSED, REASON_DMP_ABSENT },
	[CLOSED] = { OUTCOME_REFUSED, REASON_DMP_CLOSED },
	[INSTALLATION] = { OUTCOME_HALT, REASON_LANE_STOPPED },
};

/* The DMP's own codes, then those that IHE allows in an answer to ITI-41, ITI-57 and ITI-18. An
 * unknown one is the document's fault. Missing on purpose: IHE's warnings, which come with a
 * success.
 */
static const struct {
	const char *code;
	enum finding finding;
} codes[] = {
	{ "DMPInvalidCertificate", INSTALLATION }, /* the assertion is signed by the wrong key */
	{ "DMPAccessDeniedByRightsService", INSTALLATION },
	{ "DMPClosed", CLOSED },

	{ "XDSRegistryBusy", PASSING },
	{ "XDSRepositoryBusy", PASSING },
	{ "XDSRegistryNotAvailable", PASSING },
	{ "XDSRegistryOutOfResources", PASSING },
	{ "XDSRepositoryOutOfResources", PASSING },
	{ "XDSRegistryError", VAGUE },
	{ "XDSRepositoryError", VAGUE },

	{ "XDSUnknownPatientId", ABSENT },
	{ "XDSDuplicateUniqueIdInRegistry", DUPLICATE },

	{ "XDSDocumentUniqueIdError", DOCUMENT },
	{ "XDSPatientIdDoesNotMatch", DOCUMENT },
	{ "XDSPatientIDReconciliationError", DOCUMENT },
	{ "XDSRegistryDuplicateUniqueIdInMessage", DOCUMENT },
	{ "XDSRepositoryDuplicateUniqueIdInMessage", DOCUMENT },
	{ "XDSNonIdenticalHash", DOCUMENT },
	{ "XDSNonIdenticalSize", DOCUMENT },
	{ "XDSRegistryMetadataError", DOCUMENT },
	{ "XDSRepositoryMetadataError", DOCUMENT },
	{ "XDSMissingDocument", DOCUMENT },
	{ "XDSMissingDocumentMetadata", DOCUMENT },
	{ "InvalidDocumentContent", DOCUMENT },
	{ "UnresolvedReferenceException", DOCUMENT },
	{ "XDSReplaceFailed", DOCUMENT },
	{ "XDSRegistryDeprecatedDocumentError", DOCUMENT },
	{ "XDSMetadataUpdateError", DOCUMENT },
	{ "XDSMetadataUpdateOperationError", DOCUMENT },
	{ "XDSMetadataVersionError", DOCUMENT },

	{ "XDSTooManyResults", INSTALLATION }, /* our queries are wrong */
	{ "XDSUnknownStoredQuery", INSTALLATION },
	{ "XDSStoredQueryMissingParam", INSTALLATION },
	{ "XDSStoredQueryParamNumber", INSTALLATION },
	{ "XDSResultNotSinglePatient", INSTALLATION },
	{ "XDSUnknownRepositoryId", INSTALLATION },
};

/* Part of the DMP's words, without regard to the case of ASCII letters. Accents and apostrophes are
 * left out where they can be: they are written in more than one way. */
static const struct {
	const char *part;
	enum finding finding;
} words[] = {
	/* the assertion names another structure than the certificate */
	{ "authentification de la personne morale", INSTALLATION },
	/* the author of the submission set is another structure than the assertion's */
	{ "Aucun AuthorInstitution ne correspond", INSTALLATION },
	/* the assertion lacks the second role */
	{ "Aucune spécialité dans le vihf", INSTALLATION },
	/* the directory does not know the structure, or its sector of activity disagrees */
	{ "Structure introuvable ou inactive", INSTALLATION },
	{ "PS et Structure non li", INSTALLATION },
	/* a WS-Addressing header is missing */
	{ "A required header representing a Message Addressing Property is not present",
	  INSTALLATION },
};

/* clang-format off */
/* Without SOAP: the first row that holds the status. */
static const struct {
	int from, to;
	enum finding finding;
} statuses[] = {
	{ 300, 399, INSTALLATION }, /* the services do not move: the URL is wrong */
	{ 400, 400, DOCUMENT },
	{ 408, 408, WAY },
	{ 413, 413, TOO_LARGE },
	{ 429, 429, WAY },
	{ 400, 499, INSTALLATION }, /* 401, 403, 404, 405, 415: so for every document */
};
/* clang-format on */

static enum finding finding_of_code(const char *code)
{
	for (size_t i = 0; i < length_of(codes); i++)
		if (strcmp(codes[i].code, code) == 0)
			return codes[i].finding;
	return UNKNOWN;
}

static enum finding finding_of_words(const char *text)
{
	for (size_t i = 0; i < length_of(words); i++)
		if (strcasestr(text, words[i].part) != NULL)
			return words[i].finding;
	return UNKNOWN;
}

static enum finding finding_of_refusal(const struct reply *reply)
{
	enum finding by_code = finding_of_code(reply->code), by_words;

	if (by_code != UNKNOWN && by_code != VAGUE)
		return by_code;
	by_words = finding_of_words(reply->text);
	if (by_words != UNKNOWN)
		return by_words;
	return by_code == VAGUE || reply->fault_of_receiver ? PASSING : DOCUMENT;
}

/* A status that says nothing of the document: an error on the way back, or somebody else's page. If
 * the request had left, a server behind may have stored it.
 */
static enum finding finding_of_status(int status, bool fully_written)
{
	for (size_t i = 0; i < length_of(statuses); i++)
		if (status >= statuses[i].from && status <= statuses[i].to)
			return statuses[i].finding;
	return fully_written ? LOST_ANSWER : WAY;
}

static enum finding finding_of_reply(const struct exchange *exchange, const struct reply *reply)
{
	switch (reply->shape) {
	case REPLY_SUCCESS:
		return DELIVERED;
	case REPLY_FAILURE:
	case REPLY_FAULT:
	case REPLY_HL7_ACK:
		return finding_of_refusal(reply);
	case REPLY_NONE:
		break;
	}
	return finding_of_status(exchange->http_status, exchange->fully_written);
}

static enum finding finding_of_silence(const struct exchange *exchange)
{
	if (exchange->our_tls_refused)
		return INSTALLATION;
	return exchange->fully_written ? LOST_ANSWER : WAY;
}

/* The DMP holds this identifier already: from an attempt of ours whose answer was lost, or else from
 * somebody else.
 */
static enum finding finding_of_duplicate(bool was_doubtful)
{
	return was_doubtful ? CONFIRMED : FOREIGN;
}

struct outcome outcome_of(const struct exchange *exchange, const struct reply *reply,
			  bool was_doubtful)
{
	enum finding finding = exchange->answered ? finding_of_reply(exchange, reply)
						  : finding_of_silence(exchange);
	struct outcome outcome;

	if (finding == DUPLICATE)
		finding = finding_of_duplicate(was_doubtful);
	outcome = (struct outcome){
		.kind = verdicts[finding].kind,
		.reason = verdicts[finding].reason,
		.note = finding == CONFIRMED ? "confirmed_by_duplicate" : "",
		.code = "transport",
		.text = exchange->transport_text,
		.text_is_ours = !exchange->answered || reply->shape == REPLY_NONE,
	};
	outcome.doubtful =
		outcome.kind != OUTCOME_DELIVERED && (was_doubtful || finding == LOST_ANSWER);
	if (exchange->answered) {
		outcome.code = reply->code;
		if (reply->code[0] == '\0' && finding != DELIVERED)
			outcome.code = "http"; /* whose status is known beside it */
		outcome.text = reply->text;
	}
	if (outcome.kind == OUTCOME_RETRY || outcome.kind == OUTCOME_RETRY_LANE) {
		outcome.retry_after_ms = exchange->retry_after_ms;
		if (outcome.doubtful)
			outcome.reason = REASON_DOUBTFUL;
	}
	return outcome;
}
