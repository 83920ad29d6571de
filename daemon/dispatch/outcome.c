/* What one exchange came to. Any thread.
 *
 * The order of decision: what the table says of the DMP's code, then of its words; whose fault the
 * SOAP fault names; and only without any of these, the HTTP status or the transport.
 */
#include "dispatch/outcome.h"

enum finding {
	DELIVERED,
	PASSING,      /* their trouble, coded: this document again, later */
	SLOW,         /* the same, and it takes time to pass */
	WAY,          /* the way there is in trouble; the DMP does not hold the document */
	LOST_ANSWER,  /* the same, but it may hold it: the request had left */
	DOCUMENT,     /* the document is at fault */
	UNDESCRIBED,  /* so it must be: nobody has described this refusal */
	MISSING,      /* the DMP holds no document of this identifier */
	STALE,        /* the entry to replace or delete is not as it was found */
	TOO_LARGE,    /* so is its size */
	ABSENT,       /* the patient has no DMP */
	CLOSED,       /* or no more */
	OPPOSED,      /* or wants nothing put in it */
	INSTALLATION, /* we are at fault */
	DUPLICATE,    /* the DMP holds this identifier already: one of the next two */
	CONFIRMED,    /* from an attempt of ours */
	FOREIGN,      /* from somebody else */
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
	[SLOW] = { OUTCOME_RETRY, REASON_RETRYING },
	[WAY] = { OUTCOME_RETRY_LANE, REASON_RETRYING },
	[LOST_ANSWER] = { OUTCOME_RETRY_LANE, REASON_DOUBTFUL },
	[DOCUMENT] = { OUTCOME_REJECTED, REASON_DMP_ERROR },
	[UNDESCRIBED] = { OUTCOME_REJECTED, REASON_DMP_ERROR },
	[MISSING] = { OUTCOME_REJECTED, REASON_DMP_ERROR },
	[STALE] = { OUTCOME_REJECTED, REASON_DMP_ERROR },
	[TOO_LARGE] = { OUTCOME_REJECTED, REASON_TOO_LARGE },
	[ABSENT] = { OUTCOME_REFUSED, REASON_DMP_ABSENT },
	[CLOSED] = { OUTCOME_REFUSED, REASON_DMP_CLOSED },
	[OPPOSED] = { OUTCOME_REFUSED, REASON_PATIENT_OPPOSED },
	[INSTALLATION] = { OUTCOME_HALT, REASON_LANE_STOPPED },
};

static const enum finding findings[ERROR_CLASS_COUNT] = {
	[ERROR_TRANSIENT] = PASSING,
	[ERROR_SLOW] = SLOW,
	[ERROR_VAGUE] = PASSING,
	[ERROR_DOCUMENT] = DOCUMENT,
	[ERROR_MISSING] = MISSING,
	[ERROR_STALE] = STALE,
	[ERROR_ABSENT] = ABSENT,
	[ERROR_CLOSED] = CLOSED,
	[ERROR_OPPOSED] = OPPOSED,
	[ERROR_DUPLICATE] = DUPLICATE,
	[ERROR_CONFIGURATION] = INSTALLATION,
};

/* clang-format off */
/* Without SOAP: the first row that holds the status. */
static const struct {
	int from, to;
	enum finding finding;
} statuses[] = {
	{ 300, 399, INSTALLATION }, /* the services do not move: the URL is wrong */
	{ 400, 400, UNDESCRIBED },
	{ 408, 408, WAY },
	{ 413, 413, TOO_LARGE },
	{ 429, 429, WAY },
	{ 400, 499, INSTALLATION }, /* 401, 403, 404, 405, 415: so for every document */
};
/* clang-format on */

static enum finding finding_of_row(const struct error_row *row, const struct attempt *attempt)
{
	bool is_spent = row->attempts > 0 && attempt->alike + 1 >= row->attempts;

	return is_spent && verdicts[findings[row->class]].kind == OUTCOME_RETRY
		       ? DOCUMENT
		       : findings[row->class];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Do the words name this OID, and not a longer one that it is a part of? */
static bool names(const char *words, const char *oid)
{
	const size_t n = oid ? strlen(oid) : 0;
	const char *at = words;

	for (; n > 0 && (at = strstr(at, oid)) != NULL; at++) {
		const bool begins = at == words || (!is_digit(at[-1]) && at[-1] != '.');
		const bool goes_on = is_digit(at[n]) || (at[n] == '.' && is_digit(at[n + 1]));

		if (begins && !goes_on)
			return true;
	}
	return false;
}

/* A duplicate told in words only: a refusal that nobody described names a document that the DMP may
 * hold from us. A code that is described means what it says, whatever it names.
 */
static bool tells_of_ours(const struct error_row *row, const struct attempt *attempt,
			  const struct reply *reply)
{
	return (row == NULL || row->class == ERROR_VAGUE) && attempt->was_doubtful &&
	       attempt->asked == TRANSACTION_SUBMIT && names(reply->text, attempt->unique_id);
}

static enum finding finding_of_refusal(const struct error_row *row, const struct attempt *attempt,
				       const struct reply *reply)
{
	if (tells_of_ours(row, attempt, reply))
		return CONFIRMED;
	if (row != NULL)
		return finding_of_row(row, attempt);
	return reply->fault_of_receiver ? PASSING : UNDESCRIBED;
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

static bool is_refusal(enum reply_shape shape)
{
	return shape == REPLY_FAILURE || shape == REPLY_FAULT || shape == REPLY_HL7_ACK;
}

static bool changes_something(enum transaction asked)
{
	return asked == TRANSACTION_SUBMIT || asked == TRANSACTION_DELETE;
}

static enum finding finding_of_silence(const struct exchange *exchange)
{
	if (exchange->our_tls_refused || exchange->proxy_refused)
		return INSTALLATION;
	return exchange->fully_written ? LOST_ANSWER : WAY;
}

/* The DMP holds this identifier already: from an attempt of ours whose answer was lost, or else from
 * somebody else. To a question it is no answer.
 */
static enum finding finding_of_duplicate(const struct attempt *attempt)
{
	if (!changes_something(attempt->asked))
		return DOCUMENT;
	return attempt->was_doubtful ? CONFIRMED : FOREIGN;
}

static enum finding finding_of(const struct error_row *row, const struct attempt *attempt,
			       const struct exchange *exchange, const struct reply *reply)
{
	enum finding finding;

	if (!exchange->answered)
		finding = finding_of_silence(exchange);
	else if (reply->shape == REPLY_SUCCESS)
		finding = DELIVERED;
	else if (is_refusal(reply->shape))
		finding = finding_of_refusal(row, attempt, reply);
	else
		finding = finding_of_status(exchange->http_status, exchange->fully_written);

	if (finding == MISSING && attempt->asked == TRANSACTION_FIND)
		return DELIVERED; /* an answer, which names no entry */
	if (finding == DUPLICATE)
		return finding_of_duplicate(attempt);
	return finding == LOST_ANSWER && !changes_something(attempt->asked) ? WAY : finding;
}

/* A page of a proxy or portal instead of the DMP's answer. A status that tells of trouble is none:
 * that is for whoever set it to mend.
 */
static bool is_strange(const struct exchange *exchange, const struct reply *reply)
{
	if (!exchange->answered)
		return exchange->reply_too_large;
	return reply->shape == REPLY_NONE && exchange->http_status >= 200 &&
	       exchange->http_status < 300;
}

/* The code and words that came, or ours. */
static void quote(struct outcome *outcome, const struct exchange *exchange,
		  const struct reply *reply)
{
	outcome->code = "transport";
	outcome->text = exchange->transport_text;
	outcome->text_is_ours = !exchange->answered || reply->shape == REPLY_NONE;
	if (!exchange->answered)
		return;
	outcome->code = reply->code;
	if (reply->code[0] == '\0' && reply->shape != REPLY_SUCCESS)
		outcome->code = "http";
	if (strcmp(outcome->code, "http") == 0)
		outcome->http_status = exchange->http_status;
	outcome->text = reply->text;
}

struct outcome outcome_of(const struct error_table *errors, const struct attempt *attempt,
			  const struct exchange *exchange, const struct reply *reply)
{
	const struct error_row *row = exchange->answered && is_refusal(reply->shape)
					      ? error_table_find(errors, reply)
					      : NULL;
	enum finding finding = finding_of(row, attempt, exchange, reply);
	struct outcome outcome = {
		.kind = verdicts[finding].kind,
		.reason = verdicts[finding].reason,
		.note = finding == CONFIRMED ? "confirmed_by_duplicate" : "",
		.row = row,
		.slow = finding == SLOW,
		.stale = finding == STALE,
		.strange = is_strange(exchange, reply),
		.unknown = finding == UNDESCRIBED,
	};

	quote(&outcome, exchange, reply);
	outcome.doubtful = outcome.kind != OUTCOME_DELIVERED &&
			   (attempt->was_doubtful || finding == LOST_ANSWER);
	if (outcome.kind == OUTCOME_RETRY || outcome.kind == OUTCOME_RETRY_LANE) {
		outcome.retry_after_ms = exchange->retry_after_ms;
		if (outcome.doubtful)
			outcome.reason = REASON_DOUBTFUL;
	}
	return outcome;
}

/* ---- in words ---- */

/* What an outcome of our own making means. The first row that fits. */
static const struct cause {
	const char *code;
	bool halts, strange; /* true: only those */
	const char *english, *french;
} causes[] = {
	/* clang-format off */
	{ "transport", true, false,
	  "The secured way to the DMP is refused (a certificate, TLS, a proxy)",
	  "L'accès sécurisé au DMP est refusé (certificat, TLS ou proxy)" },
	{ "transport", false, false, "The DMP does not answer", "Le DMP ne répond pas" },
	{ "http", false, true, "What answers is not the DMP", "Ce qui répond n'est pas le DMP" },
	{ "http", true, false,
	  "The DMP turns the gateway away: its URL, its rights or its certificate",
	  "Le DMP éconduit la passerelle : son URL, ses droits ou son certificat" },
	{ "http", false, false,
	  "The DMP, or what stands before it, is out of order",
	  "Le DMP, ou ce qui se trouve devant lui, est en panne" },
	{ "existence", false, false,
	  "The DMP gives an answer that the gateway does not know",
	  "Le DMP donne une réponse que la passerelle ne connaît pas" },
	{ "not_built", false, false,
	  "Requests cannot be made or signed",
	  "Les requêtes ne peuvent être construites ou signées" },
	{ "", false, false, "Sending fails", "L'envoi échoue" },
	/* clang-format on */
};

static const struct cause *cause_of(const struct outcome *outcome)
{
	const struct cause *cause = causes;

	while (cause->code[0] != '\0' && (strcmp(cause->code, outcome->code) != 0 ||
					  (cause->halts && outcome->kind != OUTCOME_HALT) ||
					  (cause->strange && !outcome->strange)))
		cause++;
	return cause;
}

/* Of a status that is no success, what came with it says no more. */
static void say_cause(const struct outcome *outcome, bool french, struct buf *out)
{
	const struct cause *cause = cause_of(outcome);
	const bool is_success = outcome->http_status >= 200 && outcome->http_status < 300;

	buf_add_text(out, french ? cause->french : cause->english);
	if (outcome->http_status != 0)
		buf_addf(out, " (HTTP %d)", outcome->http_status);
	if (outcome->text[0] != '\0' && (outcome->http_status == 0 || is_success))
		buf_addf(out, "%s%s", french ? " : " : ": ", outcome->text);
}

static const char *of_two(bool french, const char *in_french, const char *in_english)
{
	return french && in_french[0] != '\0' ? in_french : in_english;
}

void outcome_say(const struct outcome *outcome, bool french, struct buf *out)
{
	const struct reason_row *reason = reason_row(outcome->reason);
	const struct error_row *row = outcome->row;

	if (outcome->kind == OUTCOME_DELIVERED)
		return;
	if (outcome->text_is_ours) {
		say_cause(outcome, french, out);
	} else if (row == NULL || row->english[0] == '\0') {
		buf_add_text(out, of_two(french, reason->french, reason->english));
	} else {
		const char *todo = of_two(french, row->todo_french, row->todo_english);

		buf_add_text(out, of_two(french, row->french, row->english));
		buf_addf(out, "%s%s", todo[0] ? " " : "", todo);
	}
}

bool outcome_code_is_ours(const char *code)
{
	static const char *const ours[] = { "",          "transport", "http",
					    "existence", "not_found", "not_built" };

	for (size_t i = 0; i < length_of(ours); i++)
		if (strcmp(code, ours[i]) == 0)
			return true;
	return false;
}
