/* The SOAP envelope, as the DMP's services want it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dmp/soap.h"

#define ENVELOPE                                                                                   \
	"<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" "                   \
	"xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"><soap:Header>"
#define MESSAGE_ID "<wsa:MessageID>urn:uuid:6d1f5f0e-6f2c-4a53-9d0e-0b6c7c1f2a11</wsa:MessageID>"
#define REPLY_TO                                                                                   \
	"<wsa:ReplyTo soap:mustUnderstand=\"1\"><wsa:Address>"                                     \
	"http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:ReplyTo>"
#define ACTION                                                                                     \
	"<wsa:Action soap:mustUnderstand=\"1\">urn:ihe:iti:2007:"                                  \
	"ProvideAndRegisterDocumentSet-b</wsa:Action>"
#define WSSE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define END "</soap:Body></soap:Envelope>"

static const struct soap_header plain = {
	.message_id = "6d1f5f0e-6f2c-4a53-9d0e-0b6c7c1f2a11",
	.to = "https://dmp-test.example/si-dmp-server/v2/services/repository",
	.action = SOAP_ACTION_PROVIDE_AND_REGISTER,
};

static void assert_envelope(const struct soap_header *header, const char *expected)
{
	scoped(buf_done) struct buf out = { 0 };

	soap_open(header, &out);
	buf_add_text(&out, "BODY");
	soap_close(&out);
	assert_string_equal(out.p, expected);
}

static void headers_come_in_the_order_of_the_samples(void **state)
{
	(void)state;
	assert_envelope(&plain, ENVELOPE MESSAGE_ID
			"<wsa:To>https://dmp-test.example/si-dmp-server/v2/services/repository"
			"</wsa:To>" REPLY_TO ACTION "</soap:Header><soap:Body>BODY" END);
}

static void the_address_may_be_empty(void **state)
{
	struct soap_header header = plain;

	(void)state;
	header.to = "";
	assert_envelope(&header, ENVELOPE MESSAGE_ID "<wsa:To></wsa:To>" REPLY_TO ACTION
						     "</soap:Header><soap:Body>BODY" END);
}

static void an_address_with_parameters_is_escaped(void **state)
{
	struct soap_header header = plain;

	(void)state;
	header.to = "https://dmp-test.example/?a=1&b=2";
	assert_envelope(&header, ENVELOPE MESSAGE_ID
			"<wsa:To>https://dmp-test.example/?a=1&amp;b=2</wsa:To>" REPLY_TO ACTION
			"</soap:Header><soap:Body>BODY" END);
}

static void the_assertion_travels_byte_for_byte_and_alone(void **state)
{
	static const char assertion[] = "<saml2:Assertion a='1'\n>&#233;</saml2:Assertion>";
	struct soap_header header = plain;

	(void)state;
	header.to = "";
	header.security = slice_of(assertion);
	assert_envelope(&header, ENVELOPE MESSAGE_ID "<wsa:To></wsa:To>" REPLY_TO ACTION
						     "<wsse:Security xmlns:wsse=\"" WSSE "\">"
						     "<saml2:Assertion a='1'\n>&#233;"
						     "</saml2:Assertion></wsse:Security>"
						     "</soap:Header><soap:Body>BODY" END);
}

static void every_transaction_has_its_actions(void **state)
{
	static const struct {
		enum transaction transaction;
		const char *text, *action, *reply_action;
	} rows[] = {
		{ TRANSACTION_EXISTENCE, "existence", "urn:hl7-org:v3:PRPA_IN201307UV02",
		  "urn:hl7-org:v3:PRPA_IN201308UV02" },
		{ TRANSACTION_SUBMIT, "submit", "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
		  "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse" },
		{ TRANSACTION_FIND, "find", "urn:ihe:iti:2007:RegistryStoredQuery",
		  "urn:ihe:iti:2007:RegistryStoredQueryResponse" },
		{ TRANSACTION_DELETE, "delete", "urn:ihe:iti:2010:UpdateDocumentSet",
		  "urn:ihe:iti:2010:UpdateDocumentSet-Response" },
	};

	(void)state;
	assert_int_equal(length_of(rows), TRANSACTION_COUNT);
	for (size_t i = 0; i < length_of(rows); i++) {
		assert_string_equal(transaction_text(rows[i].transaction), rows[i].text);
		assert_string_equal(soap_action(rows[i].transaction), rows[i].action);
		assert_string_equal(soap_reply_action(rows[i].transaction), rows[i].reply_action);
	}
}

static void a_plain_request_names_its_action_in_its_content_type(void **state)
{
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	soap_content_type(soap_action(TRANSACTION_DELETE), &out);
	assert_string_equal(out.p, "application/soap+xml; charset=UTF-8; "
				   "action=\"urn:ihe:iti:2010:UpdateDocumentSet\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_come_in_the_order_of_the_samples),
		cmocka_unit_test(the_address_may_be_empty),
		cmocka_unit_test(an_address_with_parameters_is_escaped),
		cmocka_unit_test(the_assertion_travels_byte_for_byte_and_alone),
		cmocka_unit_test(every_transaction_has_its_actions),
		cmocka_unit_test(a_plain_request_names_its_action_in_its_content_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
