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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_come_in_the_order_of_the_samples),
		cmocka_unit_test(the_address_may_be_empty),
		cmocka_unit_test(an_address_with_parameters_is_escaped),
		cmocka_unit_test(the_assertion_travels_byte_for_byte_and_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
