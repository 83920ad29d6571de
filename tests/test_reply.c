/* What the DMP answered, in each of its shapes and in none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libxml/parser.h>

#include "dmp/reply.h"

#define SOAP_XML "application/soap+xml; charset=UTF-8"
#define OPEN                                                                                       \
	"<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" "                   \
	"xmlns:wsa=\"http://www.w3.org/2005/08/addressing\" "                                      \
	"xmlns:rs=\"urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0\">"
#define IN_BODY(content) OPEN "<soap:Body>" content "</soap:Body></soap:Envelope>"
#define STATUS "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:"
#define SEVERITY "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:"
#define RESPONSE(status, content)                                                                  \
	IN_BODY("<rs:RegistryResponse status=\"" status "\">" content "</rs:RegistryResponse>")
#define ERROR(code, context, severity)                                                             \
	"<rs:RegistryError errorCode=\"" code "\" codeContext=\"" context                          \
	"\" location=\"Document01\" severity=\"" SEVERITY severity "\"/>"
#define FAILURE(errors)                                                                            \
	RESPONSE(STATUS "Failure", "<rs:RegistryErrorList>" errors "</rs:RegistryErrorList>")
#define FAULT(code, reason)                                                                        \
	IN_BODY("<soap:Fault><soap:Code>" code "</soap:Code><soap:Reason><soap:Text "              \
		"xml:lang=\"fr\">" reason "</soap:Text></soap:Reason></soap:Fault>")
#define VALUE(value) "<soap:Value>" value "</soap:Value>"
#define SUBCODE(content) "<soap:Subcode>" content "</soap:Subcode>"

static struct reply read_as(const char *type, const char *body, struct arena *arena)
{
	/* on the heap, without a NUL behind it: the sanitizer sees a byte too many */
	size_t n = strlen(body);
	scoped(free_ptr) char *bytes = malloc(n ? n : 1);
	struct reply reply;

	memcpy(bytes, body, n);
	reply_read(&reply, TRANSACTION_SUBMIT, slice_of(type), (struct slice){ bytes, n }, arena);
	return reply;
}

static void assert_refusal(const char *body, enum reply_shape shape, const char *code,
			   const char *text)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply = read_as(SOAP_XML, body, &arena);

	assert_int_equal(reply.shape, shape);
	assert_string_equal(reply.code, code);
	assert_string_equal(reply.text, text);
}

static void assert_none(const char *type, const char *body, const char *why)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply = read_as(type, body, &arena);

	assert_int_equal(reply.shape, REPLY_NONE);
	assert_string_equal(reply.code, "");
	assert_string_equal(reply.text, why);
	assert_string_equal(reply.location, "");
	assert_string_equal(reply.relates_to, "");
	assert_false(reply.fault_of_receiver);
}

static void a_success_is_a_registry_response(void **state)
{
	(void)state;
	assert_refusal(RESPONSE(STATUS "Success", ""), REPLY_SUCCESS, "", "");
}

static void a_success_may_carry_warnings(void **state)
{
	(void)state;
	assert_refusal(RESPONSE(STATUS "Success", "<rs:RegistryErrorList>" ERROR(
							  "XDSExtraMetadataNotSaved", "slot x",
							  "Warning") "</rs:RegistryErrorList>"),
		       REPLY_SUCCESS, "XDSExtraMetadataNotSaved", "slot x");
}

static void a_failure_gives_code_words_and_location(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply = read_as(
		SOAP_XML, FAILURE(ERROR("XDSRegistryMetadataError", "typeCode inconnu", "Error")),
		&arena);

	(void)state;
	assert_int_equal(reply.shape, REPLY_FAILURE);
	assert_string_equal(reply.code, "XDSRegistryMetadataError");
	assert_string_equal(reply.text, "typeCode inconnu");
	assert_string_equal(reply.location, "Document01");
}

static void of_several_errors_the_first_that_is_no_warning_counts(void **state)
{
	(void)state;
	assert_refusal(FAILURE(ERROR("DocumentQueued", "a", "Warning")
				       ERROR("XDSRegistryBusy", "b", "Error")
					       ERROR("XDSRegistryError", "c", "Error")),
		       REPLY_FAILURE, "XDSRegistryBusy", "b");
	assert_refusal(FAILURE(ERROR("First", "a", "Warning") ERROR("Second", "b", "Warning")),
		       REPLY_FAILURE, "First", "a");
}

static void a_partial_success_is_a_failure(void **state)
{
	(void)state;
	assert_refusal(RESPONSE("urn:ihe:iti:2007:ResponseStatusType:PartialSuccess", ""),
		       REPLY_FAILURE, "", "");
	assert_refusal(RESPONSE(STATUS "Unavailable", ""), REPLY_FAILURE, "", "");
}

static void a_fault_gives_the_local_part_of_its_innermost_subcode(void **state)
{
	(void)state;
	assert_refusal(FAULT(VALUE("soap:Sender") SUBCODE(VALUE("soap:DMPInvalidCertificate")),
			     "Le certificat est invalide"),
		       REPLY_FAULT, "DMPInvalidCertificate", "Le certificat est invalide");
	assert_refusal(FAULT(VALUE("soap:Sender")
				     SUBCODE(VALUE("soap:Outer") SUBCODE(VALUE(" soap:Inner "))),
			     "x"),
		       REPLY_FAULT, "Inner", "x");
	assert_refusal(FAULT(VALUE("soap:Sender") SUBCODE(VALUE("Bare")), "x"), REPLY_FAULT, "Bare",
		       "x");
	assert_refusal(FAULT(VALUE("soap:Sender"), "x"), REPLY_FAULT, "", "x");
	assert_refusal(FAULT(VALUE("soap:MustUnderstand"), "x"), REPLY_FAULT, "MustUnderstand",
		       "x");
}

static void a_fault_says_whose_it_is(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };

	(void)state;
	assert_true(read_as(SOAP_XML, FAULT(VALUE("soap:Receiver"), ""), &arena).fault_of_receiver);
	assert_true(
		read_as(SOAP_XML,
			FAULT(VALUE("soap:Receiver") SUBCODE(VALUE("soap:XDSRegistryError")), ""),
			&arena)
			.fault_of_receiver);
	assert_false(read_as(SOAP_XML, FAULT(VALUE("soap:Sender"), ""), &arena).fault_of_receiver);
}

#define OLD_FAULT(code)                                                                            \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>"      \
	"<faultcode>" code "</faultcode><faultstring>words</faultstring>"                          \
	"</s:Fault></s:Body></s:Envelope>"

static void a_fault_of_soap_1_1_is_read_too(void **state)
{
	static const struct {
		const char *body, *code;
		bool of_receiver;
	} cases[] = {
		{ OLD_FAULT("s:Server"), "", true },
		{ OLD_FAULT("s:Client"), "", false },
		{ OLD_FAULT("s:Server.DMPClosed"), "DMPClosed", true },
		{ OLD_FAULT("s:Client.Authentication.Expired"), "Expired", false },
		{ OLD_FAULT("s:DMPInvalidCertificate"), "DMPInvalidCertificate", false },
		{ OLD_FAULT(""), "", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply = read_as("text/xml", cases[i].body, &arena);

		assert_int_equal(reply.shape, REPLY_FAULT);
		assert_string_equal(reply.code, cases[i].code);
		assert_string_equal(reply.text, "words");
		assert_int_equal(reply.fault_of_receiver, cases[i].of_receiver);
	}
}

#define ACKNOWLEDGEMENT(type)                                                                      \
	"<acknowledgement xmlns=\"urn:hl7-org:v3\" typeCode=\"" type "\">"                         \
	"<acknowledgementDetail typeCode=\"E\"><code code=\"DMPClosed\"/>"                         \
	"<text>DMP <b/>ferm&#xe9;</text></acknowledgementDetail></acknowledgement>"
#define IN_MESSAGE(content)                                                                        \
	IN_BODY("<PRPA_IN201308UV02 xmlns=\"urn:hl7-org:v3\">" content "</PRPA_IN201308UV02>")

static void an_hl7_acknowledgement_gives_code_and_words(void **state)
{
	(void)state;
	assert_refusal(IN_MESSAGE(ACKNOWLEDGEMENT("AE")), REPLY_HL7_ACK, "DMPClosed",
		       "DMP ferm\xc3\xa9");
	assert_refusal(IN_MESSAGE(ACKNOWLEDGEMENT("AR")), REPLY_HL7_ACK, "DMPClosed",
		       "DMP ferm\xc3\xa9");
	assert_refusal(IN_BODY(ACKNOWLEDGEMENT("AE")), REPLY_HL7_ACK, "DMPClosed",
		       "DMP ferm\xc3\xa9");
}

static void an_hl7_acknowledgement_that_accepts_is_no_refusal(void **state)
{
	(void)state;
	assert_none(SOAP_XML, IN_MESSAGE(ACKNOWLEDGEMENT("AA")),
		    "the SOAP answer holds neither a result nor a fault");
}

static void the_message_answered_is_named(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply =
		read_as(SOAP_XML,
			OPEN "<soap:Header><wsa:RelatesTo> urn:uuid:1 </wsa:RelatesTo>"
			     "</soap:Header><soap:Body><rs:RegistryResponse status=\"" STATUS
			     "Success\"/></soap:Body></soap:Envelope>",
			&arena);

	(void)state;
	assert_int_equal(reply.shape, REPLY_SUCCESS);
	assert_string_equal(reply.relates_to, "urn:uuid:1");
}

static void what_does_not_fit_the_request_is_odd_and_decides_nothing(void **state)
{
	static const struct {
		const char *headers, *odd;
	} cases[] = {
		{ "", "" },
		{ "<wsa:RelatesTo>urn:uuid:6D1F</wsa:RelatesTo>", "" },
		{ "<wsa:RelatesTo>6d1f</wsa:RelatesTo>", "" },
		{ "<wsa:RelatesTo>urn:uuid:2</wsa:RelatesTo>",
		  "the answer relates to another message" },
		{ "<wsa:Action>urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse"
		  "</wsa:Action>",
		  "" },
		{ "<wsa:Action>urn:x</wsa:Action>",
		  "the answer's action is not the one of this transaction" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(free_ptr) char *body = xasprintf(
			OPEN "<soap:Header>%s</soap:Header><soap:Body><rs:RegistryResponse "
			     "status=\"" STATUS "Success\"/></soap:Body></soap:Envelope>",
			cases[i].headers);
		struct reply reply = read_as(SOAP_XML, body, &arena);

		assert_int_equal(reply.shape, REPLY_SUCCESS);
		assert_string_equal(reply_oddity(&reply, TRANSACTION_SUBMIT, "6d1f"), cases[i].odd);
	}
}

static void a_reply_may_be_multipart(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct reply reply = read_as(
		"multipart/related; boundary=b; start=\"<r>\"; type=\"application/xop+xml\"",
		"--b\r\nContent-ID: <a>\r\n\r\nbytes\r\n--b\r\nContent-ID: <r>\r\n\r\n" FAILURE(
			ERROR("XDSRegistryBusy", "", "Error")) "\r\n--b--\r\n",
		&arena);

	(void)state;
	assert_int_equal(reply.shape, REPLY_FAILURE);
	assert_string_equal(reply.code, "XDSRegistryBusy");
}

static void a_blank_may_stand_before_the_declaration(void **state)
{
	(void)state;
	assert_refusal(
		"\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" RESPONSE(STATUS "Success", ""),
		REPLY_SUCCESS, "", "");
}

static void what_is_not_soap_decides_nothing(void **state)
{
	(void)state;
	assert_none(SOAP_XML, "", "the answer is empty");
	assert_none(SOAP_XML, " \r\n", "the answer is empty");
	assert_none("text/html", "<html><body><p>Bad gateway<br></body></html>",
		    "the answer is not XML");
	assert_none("text/html", "<html><body>Bad gateway</body></html>",
		    "the answer is XML but not SOAP");
	assert_none("application/json", "{}", "the answer is not XML");
	assert_none(SOAP_XML, IN_BODY(""), "the SOAP answer holds neither a result nor a fault");
	assert_none(SOAP_XML, IN_BODY("<rs:RegistryResponse/>"),
		    "the SOAP answer holds neither a result nor a fault");
	assert_none("multipart/related", "x",
		    "the answer is multipart but its Content-Type gives no boundary");
}

static void a_result_counts_only_in_its_place(void **state)
{
	static const char *const bodies[] = {
		"<rs:RegistryResponse xmlns:rs=\"urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0\" "
		"status=\"" STATUS "Success\"/>",
		OPEN "<soap:Header><rs:RegistryResponse status=\"" STATUS
		     "Success\"/></soap:Header><soap:Body/></soap:Envelope>",
		IN_BODY("<x><rs:RegistryResponse status=\"" STATUS "Success\"/></x>"),
		IN_BODY("<x xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body>"
			"<rs:RegistryResponse status=\"" STATUS "Success\"/></soap:Body></x>"),
		IN_BODY("<RegistryResponse status=\"" STATUS "Success\"/>"),
		IN_BODY("<rs:RegistryResponse soap:status=\"" STATUS "Success\"/>"),
	};

	(void)state;
	for (size_t i = 0; i < length_of(bodies); i++) {
		scoped(arena_done) struct arena arena = { 0 };

		assert_int_equal(read_as(SOAP_XML, bodies[i], &arena).shape, REPLY_NONE);
	}
}

static void a_registry_response_answers_a_submission_or_a_deletion(void **state)
{
	static const enum reply_shape shapes[TRANSACTION_COUNT] = {
		[TRANSACTION_SUBMIT] = REPLY_SUCCESS,
		[TRANSACTION_DELETE] = REPLY_SUCCESS,
	};

	(void)state;
	for (int asked = 0; asked < TRANSACTION_COUNT; asked++) {
		scoped(arena_done) struct arena arena = { 0 };
		struct reply reply;

		reply_read(&reply, (enum transaction)asked, slice_of(SOAP_XML),
			   slice_of(RESPONSE(STATUS "Success", "")), &arena);
		assert_int_equal(reply.shape, shapes[asked]);
		reply_read(&reply, (enum transaction)asked, slice_of(SOAP_XML),
			   slice_of(FAILURE(ERROR("XDSRegistryBusy", "", "Error"))), &arena);
		assert_int_equal(reply.shape, REPLY_FAILURE);
	}
}

static void of_two_answers_the_first_counts(void **state)
{
	(void)state;
	assert_refusal(IN_BODY("<soap:Fault><soap:Code>" VALUE("soap:Sender") SUBCODE(VALUE(
			       "soap:A")) "</soap:Code></soap:Fault>"
					  "<rs:RegistryResponse status=\"" STATUS "Success\"/>"),
		       REPLY_FAULT, "A", "");
}

static void a_document_type_is_refused_before_anything_is_declared(void **state)
{
	(void)state;
	assert_none(SOAP_XML,
		    "<!DOCTYPE a [<!ENTITY e \"ee\"><!ENTITY f \"&e;&e;\">]>" RESPONSE(
			    STATUS "Success", ""),
		    "the answer has a DOCTYPE, which is refused");
	assert_none(SOAP_XML,
		    "<!DOCTYPE a SYSTEM \"file:///etc/hostname\">" RESPONSE(STATUS "Success", ""),
		    "the answer has a DOCTYPE, which is refused");
	assert_none(SOAP_XML, IN_BODY("&e;"), "the answer is not XML");
}

static void a_reply_cut_anywhere_decides_nothing(void **state)
{
	static const char whole[] =
		FAULT(VALUE("soap:Sender") SUBCODE(VALUE("soap:DMPInvalidCertificate")), "raison");

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(free_ptr) char *cut = slice_dup((struct slice){ whole, n });

		assert_int_equal(read_as(SOAP_XML, cut, &arena).shape, REPLY_NONE);
	}
}

static void depth_is_bounded(void **state)
{
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++)
		buf_add_text(&body, "<a>");
	for (int i = 0; i < 200; i++)
		buf_add_text(&body, "</a>");
	assert_none(SOAP_XML, body.p, "the answer is nested too deep");
}

/* A million would take libxml2 minutes. */
static void what_takes_long_to_read_is_given_up(void **state)
{
	static const struct {
		const char *before, *open, *close, *after, *said;
	} cases[] = {
		{ "<a ", "a", "='' ", "/>", "an element has too many attributes" },
		{ "<a ", "xmlns:a", "='u' ", "/>", "the answer is not XML" },
		{ "<a>", "<a", "/>", "</a>", "there are too many different names" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf body = { 0 };

		buf_add_text(&body, cases[i].before);
		for (int n = 0; n < 200000; n++)
			buf_addf(&body, "%s%d%s", cases[i].open, n, cases[i].close);
		buf_add_text(&body, cases[i].after);
		assert_none(SOAP_XML, body.p, cases[i].said);
	}
}

static void words_are_cleaned_and_put_on_one_line(void **state)
{
	(void)state;
	assert_refusal(FAULT(VALUE("soap:Sender"), "  a&#10;&#9; b\x7f"
						   "c&#x85;&#x202e;d\xc2\xa0"
						   "e  "),
		       REPLY_FAULT, "", "a b c d e");
	/* the first and the last of those that turn the line or end it, and their neighbours that do not */
	assert_refusal(FAULT(VALUE("soap:Sender"), "a&#x2028;b&#x202e;c&#x2066;d&#x2069;e&#x61c;f"
						   "&#x200e;g&#x200f;h"),
		       REPLY_FAULT, "", "a b c d e f g h");
	assert_refusal(FAULT(VALUE("soap:Sender"), "a&#x2027;b&#x202f;c&#x2065;d&#x206a;"),
		       REPLY_FAULT, "", "a\u2027b\u202fc\u2065d\u206a");
	assert_refusal(FAULT(VALUE("soap:Sender"), "<![CDATA[a <b>]]> c"), REPLY_FAULT, "",
		       "a <b> c");
}

static void words_are_cut_between_two_characters(void **state)
{
	for (size_t accents = REPLY_TEXT - 1; accents <= 5000; accents += accents / 2) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(buf_done) struct buf body = { 0 }, expected = { 0 };
		struct reply reply;

		(void)state;
		buf_add_text(&body, OPEN "<soap:Body><soap:Fault><soap:Reason><soap:Text>a");
		buf_add_text(&expected, "a");
		for (size_t i = 0; i < accents; i++)
			buf_add_text(&body, "\xc3\xa9");
		for (size_t i = 0; i < REPLY_TEXT - 1; i++)
			buf_add_text(&expected, "\xc3\xa9");
		buf_add_text(&body, "</soap:Text></soap:Reason></soap:Fault></soap:Body>"
				    "</soap:Envelope>");
		reply = read_as(SOAP_XML, body.p, &arena);
		assert_string_equal(reply.text, expected.p);
	}
}

static void codes_are_cut_too(void **state)
{
	scoped(arena_done) struct arena arena = { 0 };
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	buf_add_text(&body, OPEN "<soap:Body><rs:RegistryResponse status=\"" STATUS
				 "Failure\"><rs:RegistryErrorList><rs:RegistryError errorCode=\"");
	for (int i = 0; i < 1000; i++)
		buf_add_char(&body, 'x');
	buf_add_text(&body, "\"/></rs:RegistryErrorList></rs:RegistryResponse></soap:Body>"
			    "</soap:Envelope>");
	assert_int_equal(strlen(read_as(SOAP_XML, body.p, &arena).code), REPLY_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_success_is_a_registry_response),
		cmocka_unit_test(a_success_may_carry_warnings),
		cmocka_unit_test(a_failure_gives_code_words_and_location),
		cmocka_unit_test(of_several_errors_the_first_that_is_no_warning_counts),
		cmocka_unit_test(a_partial_success_is_a_failure),
		cmocka_unit_test(a_fault_gives_the_local_part_of_its_innermost_subcode),
		cmocka_unit_test(a_fault_says_whose_it_is),
		cmocka_unit_test(a_fault_of_soap_1_1_is_read_too),
		cmocka_unit_test(an_hl7_acknowledgement_gives_code_and_words),
		cmocka_unit_test(an_hl7_acknowledgement_that_accepts_is_no_refusal),
		cmocka_unit_test(the_message_answered_is_named),
		cmocka_unit_test(what_does_not_fit_the_request_is_odd_and_decides_nothing),
		cmocka_unit_test(a_reply_may_be_multipart),
		cmocka_unit_test(a_blank_may_stand_before_the_declaration),
		cmocka_unit_test(what_is_not_soap_decides_nothing),
		cmocka_unit_test(a_result_counts_only_in_its_place),
		cmocka_unit_test(a_registry_response_answers_a_submission_or_a_deletion),
		cmocka_unit_test(of_two_answers_the_first_counts),
		cmocka_unit_test(a_document_type_is_refused_before_anything_is_declared),
		cmocka_unit_test(a_reply_cut_anywhere_decides_nothing),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(what_takes_long_to_read_is_given_up),
		cmocka_unit_test(words_are_cleaned_and_put_on_one_line),
		cmocka_unit_test(words_are_cut_between_two_characters),
		cmocka_unit_test(codes_are_cut_too),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
