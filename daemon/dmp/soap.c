/* The SOAP 1.2 envelope. Any thread.
 *
 * No white space between the elements: the assertion inside is signed, and what surrounds it had
 * better be as plain as the samples the DMP was tried with.
 */
#include "dmp/soap.h"

#include "base/xml.h"

#define SOAP "http://www.w3.org/2003/05/soap-envelope"
#define WSA "http://www.w3.org/2005/08/addressing"
#define WSSE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

static const struct {
	const char *text, *action, *reply_action;
} transactions[TRANSACTION_COUNT] = {
	[TRANSACTION_EXISTENCE] = { "existence", "urn:hl7-org:v3:PRPA_IN201307UV02",
				    "urn:hl7-org:v3:PRPA_IN201308UV02" },
	[TRANSACTION_SUBMIT] = { "submit", SOAP_ACTION_PROVIDE_AND_REGISTER,
				 SOAP_ACTION_PROVIDE_AND_REGISTER "Response" },
	[TRANSACTION_FIND] = { "find", "urn:ihe:iti:2007:RegistryStoredQuery",
			       "urn:ihe:iti:2007:RegistryStoredQueryResponse" },
	/* this one with a hyphen, as the service's WSDL has it */
	[TRANSACTION_DELETE] = { "delete", "urn:ihe:iti:2010:UpdateDocumentSet",
				 "urn:ihe:iti:2010:UpdateDocumentSet-Response" },
};

const char *soap_action(enum transaction transaction)
{
	return transactions[transaction].action;
}

const char *soap_reply_action(enum transaction transaction)
{
	return transactions[transaction].reply_action;
}

const char *transaction_text(enum transaction transaction)
{
	return transactions[transaction].text;
}

void soap_content_type(const char *action, struct buf *out)
{
	buf_addf(out, "application/soap+xml; charset=UTF-8; action=\"%s\"", action);
}

/* No mustUnderstand: the DMP's stack refuses it on this header. */
static void add_security(struct slice assertion, struct buf *out)
{
	if (assertion.n == 0)
		return;
	buf_add_text(out, "<wsse:Security xmlns:wsse=\"" WSSE "\">");
	buf_add(out, assertion);
	buf_add_text(out, "</wsse:Security>");
}

void soap_open(const struct soap_header *header, struct buf *out)
{
	buf_add_text(out, "<soap:Envelope xmlns:soap=\"" SOAP "\" xmlns:wsa=\"" WSA "\">"
			  "<soap:Header><wsa:MessageID>urn:uuid:");
	xml_add(out, header->message_id);
	buf_add_text(out, "</wsa:MessageID><wsa:To>");
	xml_add(out, header->to);
	buf_add_text(out, "</wsa:To><wsa:ReplyTo soap:mustUnderstand=\"1\"><wsa:Address>" WSA
			  "/anonymous</wsa:Address></wsa:ReplyTo>"
			  "<wsa:Action soap:mustUnderstand=\"1\">");
	xml_add(out, header->action);
	buf_add_text(out, "</wsa:Action>");
	add_security(header->security, out);
	buf_add_text(out, "</soap:Header><soap:Body>");
}

void soap_close(struct buf *out)
{
	buf_add_text(out, "</soap:Body></soap:Envelope>");
}
