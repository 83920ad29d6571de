/* The VIHF: what it says, in which form, and that its signature holds wherever the assertion
 * stands, and no longer when a byte changes.
 */
#include "no_signature.h"
#include "pki.h"
#include "tree.h"
#include "verify.h"

#include "dmp/soap.h"
#include "dmp/vihf.h"

#define INS "279035121518989"
#define ID "0b7f8a52-9b1e-4c8e-8a86-2d8f0c6f4e01"

static struct pki pki;
static struct signer *signer;
static struct pen *pen;

static int make(void **state)
{
	(void)state;
	xmlsec_start();
	pki_make(&pki);
	signer = pki_signer(&pki);
	pen = pki_pen(signer);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	pen_free(&pen);
	signer_free(&signer);
	pki_done(&pki);
	xmlsec_end();
	return 0;
}

static const struct vihf_role automaton[] = { { "AUTOMATE", "1.2.250.1.213.1.1.4.6", "AUTOMATE" } };

static struct vihf_settings usual_settings(void)
{
	return (struct vihf_settings){
		.version = "3.0",
		.mode_name = "Authentification_Mode",
		.authn_context = "unspecified",
		.digest = DIGEST_SHA256,
		.lps_id = "VALBRUME-1",
		.lps_name = "Passerelle libre",
		.lps_version = "1.0",
		.homologation = "NUMERO-CNDA",
	};
}

static struct vihf usual(const struct vihf_settings *settings)
{
	return (struct vihf){
		.settings = settings,
		.id = ID,
		.now_ms = PKI_NOW_MS + 250,
		.name_id = "899900012345",
		.subject_id = "Passerelle libre, 1.0, DSI",
		.structure = "1990012345",
		.sector = "SA01",
		.roles = automaton,
		.role_count = 1,
		.patient_ins = INS,
		.patient_ins_oid = "1.2.250.1.213.1.4.10",
	};
}

static void build(const struct vihf *vihf, struct buf *out)
{
	struct err err = { 0 };

	if (vihf_build(vihf, pen, out, &err) < 0)
		fail_msg("%s", err.text);
}

#define ATTRIBUTE(name) "/s:Assertion/s:AttributeStatement/s:Attribute[@Name='" name "']"
#define VALUE(name) ATTRIBUTE(name) "/s:AttributeValue"
#define ROLE VALUE("urn:oasis:names:tc:xacml:2.0:subject:role") "/h:Role"
#define PURPOSE VALUE("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse") "/h:PurposeOfUse"
#define SECRET "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
#define SIGNATURE "/s:Assertion/ds:Signature"

static void it_says_who_asks_and_about_whom(void **state)
{
	static const struct fact facts[] = {
		{ "/s:Assertion/@ID", "_" ID },
		{ "/s:Assertion/@Version", "2.0" },
		{ "/s:Assertion/@IssueInstant", "2026-11-20T12:00:00.250Z" },
		{ "/s:Assertion/s:Issuer/@Format",
		  "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName" },
		{ "/s:Assertion/s:Issuer",
		  "CN=passerelle-dmp,OU=1990000987,O=H\xc3\xb4pital\\, du \\\"Val\\\","
		  "ST=Vosges (88),C=FR" },
		{ "/s:Assertion/s:Subject/s:NameID", "899900012345" },
		{ "count(/s:Assertion/s:Subject/s:NameID/@*)", "0" },
		{ "/s:Assertion/s:AuthnStatement/@AuthnInstant", "2026-11-20T12:00:00.250Z" },
		{ "/s:Assertion/s:AuthnStatement/s:AuthnContext/s:AuthnContextClassRef",
		  "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified" },
		{ VALUE("VIHF_Version"), "3.0" },
		{ VALUE("Authentification_Mode"), "INDIRECTE" },
		{ VALUE("Identifiant_Structure"), "1990012345" },
		{ VALUE("Secteur_Activite"), "SA01^1.2.250.1.71.4.2.4" },
		{ VALUE("urn:oasis:names:tc:xspa:1.0:subject:subject-id"),
		  "Passerelle libre, 1.0, DSI" },
		{ VALUE("urn:oasis:names:tc:xacml:2.0:resource:resource-id"),
		  INS "^^^&1.2.250.1.213.1.4.10&ISO^NH" },
		{ VALUE("Ressource_URN"), "urn:dmp" },
		{ VALUE("LPS_ID"), "VALBRUME-1" },
		{ VALUE("LPS_Nom"), "Passerelle libre" },
		{ VALUE("LPS_Version"), "1.0" },
		{ VALUE("LPS_ID_HOMOLOGATION_DMP"), "NUMERO-CNDA" },
		{ "count(//s:Attribute)", "13" },
		{ "count(//s:AttributeValue[@xsi:type='xs:string'])", "11" },
		{ "count(//s:AttributeValue[not(*)]/namespace::xs)", "11" },
		{ ROLE "/@code", "AUTOMATE" },
		{ ROLE "/@codeSystem", "1.2.250.1.213.1.1.4.6" },
		{ ROLE "/@displayName", "AUTOMATE" },
		{ ROLE "/@xsi:type", "CE" },
		{ PURPOSE "/@code", "normal" },
		{ PURPOSE "/@codeSystem", "1.2.250.1.213.1.1.4.248" },
		{ PURPOSE "/@codeSystemName", "mode acces VIHF 2.0" },
		{ PURPOSE "/@displayName", "Acc\xc3\xa8s normal" },
		{ PURPOSE "/@xsi:type", "CE" },
	};
	const struct vihf_settings settings = usual_settings();
	const struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	build(&vihf, &out);
	assert_facts(&out, facts, length_of(facts));
}

static void its_parts_come_in_the_order_of_the_schema(void **state)
{
	static const struct fact facts[] = {
		{ "local-name(/s:Assertion/*[1])", "Issuer" },
		{ "local-name(/s:Assertion/*[2])", "Signature" },
		{ "local-name(/s:Assertion/*[3])", "Subject" },
		{ "local-name(/s:Assertion/*[4])", "Conditions" },
		{ "local-name(/s:Assertion/*[5])", "AuthnStatement" },
		{ "local-name(/s:Assertion/*[6])", "AttributeStatement" },
		{ "count(/s:Assertion/*)", "6" },
		{ "/s:Assertion/s:Conditions/@NotBefore", "2026-11-20T11:59:00.250Z" },
		{ "/s:Assertion/s:Conditions/@NotOnOrAfter", "2026-11-20T12:10:00.250Z" },
		{ "count(/s:Assertion/s:Conditions/*)", "0" },
		{ "count(//text()[normalize-space() = ''])", "0" },
	};
	struct vihf_settings settings = usual_settings();
	const struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	settings.conditions = true;
	build(&vihf, &out);
	assert_facts(&out, facts, length_of(facts));
	assert_true(xmlsec_verifies(buf_slice(&out), pki.sign_pem, 1));
}

static void what_is_not_given_is_left_out(void **state)
{
	static const struct fact facts[] = {
		{ "count(/s:Assertion/s:Conditions)", "0" },
		{ "count(" ATTRIBUTE("LPS_ID") ")", "0" },
		{ "count(" ATTRIBUTE("LPS_ID_HOMOLOGATION_DMP") ")", "0" },
		{ "count(" ATTRIBUTE(SECRET) ")", "0" },
		{ "count(" ATTRIBUTE("Mode_Acces_Raison") ")", "0" },
		{ "count(//s:Attribute)", "11" },
	};
	struct vihf_settings settings = usual_settings();
	const struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	settings.lps_id = settings.homologation = "";
	build(&vihf, &out);
	assert_facts(&out, facts, length_of(facts));
}

static void what_sources_disagree_on_is_a_setting(void **state)
{
	static const struct fact facts[] = {
		{ VALUE("VIHF_Version"), "4.0" },
		{ VALUE("Authentification_mode"), "INDIRECTE" },
		{ "count(" ATTRIBUTE("Authentification_Mode") ")", "0" },
		{ "//s:AuthnContextClassRef", "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient" },
	};
	struct vihf_settings settings = usual_settings();
	const struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	settings.version = "4.0";
	settings.mode_name = "Authentification_mode";
	settings.authn_context = "TLSClient";
	build(&vihf, &out);
	assert_facts(&out, facts, length_of(facts));
}

static void a_minors_secret_care_is_said(void **state)
{
	static const struct fact fact = { VALUE(SECRET),
					  "INVISIBLE_REPRESENTANTS_LEGAUX^1.2.250.1.213.1.1.4.13" };
	const struct vihf_settings settings = usual_settings();
	struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	vihf.secret_connection = true;
	build(&vihf, &out);
	assert_facts(&out, &fact, 1);
	assert_true(xmlsec_verifies(buf_slice(&out), pki.sign_pem, 1));
}

static void each_role_is_a_value_of_one_attribute(void **state)
{
	static const struct vihf_role doctor[] = {
		{ "10", "1.2.250.1.71.1.2.7",
		  "M\xc3\xa9"
		  "decin" },
		{ "SM26", "1.2.250.1.71.4.2.5", "Qualifi\xc3\xa9 en \"<MG>\" & co" },
	};
	static const struct fact facts[] = {
		{ "count(" ATTRIBUTE("urn:oasis:names:tc:xacml:2.0:subject:role") ")", "1" },
		{ "count(" ROLE ")", "2" },
		{ "(" ROLE ")[1]/@code", "10" },
		{ "(" ROLE ")[2]/@displayName", "Qualifi\xc3\xa9 en \"<MG>\" & co" },
	};
	const struct vihf_settings settings = usual_settings();
	struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	vihf.roles = doctor;
	vihf.role_count = 2;
	build(&vihf, &out);
	assert_facts(&out, facts, length_of(facts));
	assert_true(xmlsec_verifies(buf_slice(&out), pki.sign_pem, 1));
}

/* ---- the signature ---- */

static void the_signature_has_its_form_in_either_digest(void **state)
{
	static const struct {
		enum digest_kind kind;
		const char *signature, *digest;
	} cases[] = {
		{ DIGEST_SHA256, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
		  "http://www.w3.org/2001/04/xmlenc#sha256" },
		{ DIGEST_SHA1, "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
		  "http://www.w3.org/2000/09/xmldsig#sha1" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		const struct fact facts[] = {
			{ SIGNATURE "/ds:SignedInfo/ds:CanonicalizationMethod/@Algorithm",
			  "http://www.w3.org/2001/10/xml-exc-c14n#" },
			{ SIGNATURE "/ds:SignedInfo/ds:SignatureMethod/@Algorithm",
			  cases[i].signature },
			{ "count(//ds:Reference)", "1" },
			{ "//ds:Reference/@URI", "#_" ID },
			{ "count(//ds:Transform)", "2" },
			{ "//ds:Transform[1]/@Algorithm",
			  "http://www.w3.org/2000/09/xmldsig#enveloped-signature" },
			{ "//ds:Transform[2]/@Algorithm",
			  "http://www.w3.org/2001/10/xml-exc-c14n#" },
			{ "count(//ds:Transform/*)", "0" },
			{ "//ds:DigestMethod/@Algorithm", cases[i].digest },
			{ SIGNATURE "/ds:KeyInfo/ds:X509Data/ds:X509Certificate",
			  signer_facts(signer)->certificate },
		};
		struct vihf_settings settings = usual_settings();
		const struct vihf vihf = usual(&settings);
		scoped(buf_done) struct buf out = { 0 };

		settings.digest = cases[i].kind;
		build(&vihf, &out);
		assert_facts(&out, facts, length_of(facts));
		assert_true(xmlsec_verifies(buf_slice(&out), pki.sign_pem, 1));
	}
}

static void the_signature_holds_inside_the_envelope(void **state)
{
	const struct vihf_settings settings = usual_settings();
	const struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf assertion = { 0 }, envelope = { 0 };
	struct soap_header header = { .message_id = ID, .to = "", .action = "urn:action" };

	(void)state;
	build(&vihf, &assertion);
	header.security = buf_slice(&assertion);
	soap_open(&header, &envelope);
	buf_add_text(&envelope, "<a xmlns=\"urn:a\"/>");
	soap_close(&envelope);
	assert_true(xmlsec_verifies(buf_slice(&envelope), pki.sign_pem, 1));
}

static void the_signature_holds_whatever_the_texts(void **state)
{
	static const char *const texts[] = {
		"<&>\"'", "a\tb\nc\rd", "\xf0\x9f\x98\x80\xc3\xa9", "\x01\xff\x80", "]]>",
		" ",      "&amp;&#38;"
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		const struct vihf_role role = { texts[i], texts[i], texts[i] };
		struct vihf_settings settings = usual_settings();
		struct vihf vihf = usual(&settings);
		scoped(buf_done) struct buf out = { 0 };

		settings.lps_name = settings.homologation = settings.authn_context = texts[i];
		vihf.name_id = vihf.subject_id = vihf.sector = vihf.patient_ins = texts[i];
		vihf.roles = &role;
		build(&vihf, &out);
		if (!xmlsec_verifies(buf_slice(&out), pki.sign_pem, 1))
			fail_msg("not with \"%s\"", texts[i]);
	}
}

static void the_signature_holds_for_no_other_key(void **state)
{
	const struct vihf_settings settings = usual_settings();
	const struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };
	struct pki other;

	(void)state;
	build(&vihf, &out);
	pki_make(&other);
	assert_false(xmlsec_verifies(buf_slice(&out), other.sign_pem, 1));
	pki_done(&other);
}

static void one_byte_changed_breaks_the_signature(void **state)
{
	/* a key is given to whoever verifies; xs counts for readers of schemas alone; the last
	 * character of the signature's Base64 holds bits that are nothing */
	static const struct uncovered uncovered[] = {
		{ "<KeyInfo>", "</KeyInfo>" },
		{ "<saml2:AttributeValue ", " xmlns:xsi" },
		{ "=</SignatureValue", ">" },
	};
	const struct vihf_settings settings = usual_settings();
	const struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	build(&vihf, &out);
	assert_every_byte_counts(buf_slice(&out), pki.sign_pem, 1, uncovered, length_of(uncovered));
}

static void every_assertion_is_another(void **state)
{
	const struct vihf_settings settings = usual_settings();
	struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf one = { 0 }, same = { 0 }, later = { 0 };

	(void)state;
	build(&vihf, &one);
	build(&vihf, &same);
	vihf.now_ms++;
	build(&vihf, &later);
	assert_string_equal(one.p, same.p); /* chance and time are arguments */
	assert_string_not_equal(one.p, later.p);
}

/* Never an assertion without its signature. */
static void what_cannot_be_signed_is_not_built(void **state)
{
	struct vihf_settings settings = usual_settings();
	struct vihf vihf = usual(&settings);
	scoped(buf_done) struct buf out = { 0 };
	struct err err = { 0 };
	int rc;

	(void)state;
	nothing_is_signed = true;
	rc = vihf_build(&vihf, pen, &out, &err);
	nothing_is_signed = false;
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_int_equal(out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_who_asks_and_about_whom),
		cmocka_unit_test(its_parts_come_in_the_order_of_the_schema),
		cmocka_unit_test(what_is_not_given_is_left_out),
		cmocka_unit_test(what_sources_disagree_on_is_a_setting),
		cmocka_unit_test(a_minors_secret_care_is_said),
		cmocka_unit_test(each_role_is_a_value_of_one_attribute),
		cmocka_unit_test(the_signature_has_its_form_in_either_digest),
		cmocka_unit_test(the_signature_holds_inside_the_envelope),
		cmocka_unit_test(the_signature_holds_whatever_the_texts),
		cmocka_unit_test(the_signature_holds_for_no_other_key),
		cmocka_unit_test(one_byte_changed_breaks_the_signature),
		cmocka_unit_test(every_assertion_is_another),
		cmocka_unit_test(what_cannot_be_signed_is_not_built),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
