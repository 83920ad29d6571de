/* The signature of a submission set: what it says, in which form, that it holds, and no longer when
 * a byte changes.
 */
#include "no_signature.h"
#include "pki.h"
#include "tree.h"
#include "verify.h"

#include <libxml/c14n.h>

#include "dmp/xades.h"

static struct pki pki;
static struct signer *signer;
static struct pen *pen;
static struct buf document;

static int make(void **state)
{
	(void)state;
	xmlsec_start();
	pki_make(&pki);
	signer = pki_signer(&pki);
	pen = pki_pen(signer);
	sample_read("imaging-report.xml", &document);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	buf_done(&document);
	pen_free(&pen);
	signer_free(&signer);
	pki_done(&pki);
	xmlsec_end();
	return 0;
}

static const struct xades_settings usual_settings = { DIGEST_SHA1, true };

static struct xades usual(void)
{
	return (struct xades){
		.settings = &usual_settings,
		.unique_id = "1.2.250.1.999.77.2.17",
		.set_unique_id = "1.2.250.1.999.77.1.17",
		.document_unique_id = "1.2.250.1.999.77.5.2026.88121",
		.document = buf_slice(&document),
		.now_ms = PKI_NOW_MS + 900,
	};
}

static void build(const struct xades *xades, struct buf *out)
{
	struct err err = { 0 };

	if (xades_build(xades, pen, out, &err) < 0)
		fail_msg("%s", err.text);
}

#define INFO "/ds:Signature/ds:SignedInfo"
#define MANIFEST "/ds:Signature/ds:Object[1]/ds:Manifest"
#define PURPOSE "/ds:Signature/ds:Object[2]/ds:SignatureProperties/ds:SignatureProperty"
#define QUALIFYING "/ds:Signature/ds:Object[3]/e:QualifyingProperties"
#define SIGNED QUALIFYING "/e:SignedProperties"
#define PROPERTIES SIGNED "/e:SignedSignatureProperties"
#define CERT(n) PROPERTIES "/e:SigningCertificate/e:Cert[" n "]"
#define AC_ORGANISATIONS                                                                           \
	"CN=AC ORGANISATIONS,O=H\xc3\xb4pital\\, du \\\"Val\\\",ST=Vosges (88),C=FR"
#define AC_RACINE "CN=AC RACINE,O=H\xc3\xb4pital\\, du \\\"Val\\\",ST=Vosges (88),C=FR"

static void it_says_what_the_dmps_own_example_says(void **state)
{
	static const struct fact facts[] = {
		{ "/ds:Signature/@Id", "S-1.2.250.1.999.77.2.17" },
		{ INFO "/ds:CanonicalizationMethod/@Algorithm",
		  "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments" },
		{ INFO "/ds:SignatureMethod/@Algorithm",
		  "http://www.w3.org/2000/09/xmldsig#rsa-sha1" },
		{ "count(" INFO "/ds:Reference)", "2" },
		{ "count(" INFO "//ds:Transforms)", "0" },
		{ INFO "/ds:Reference[1]/@Type", "http://www.w3.org/2000/09/xmldsig#Manifest" },
		{ INFO "/ds:Reference[1]/@URI", "#IHEManifest" },
		{ INFO "/ds:Reference[2]/@Type",
		  "http://uri.etsi.org/01903/v1.1.1#SignedProperties" },
		{ INFO "/ds:Reference[2]/@URI", "#S0-SignedProperties" },
		{ MANIFEST "/@Id", "IHEManifest" },
		{ "count(" MANIFEST "/ds:Reference)", "2" },
		{ MANIFEST "/ds:Reference[1]/@URI", "urn:oid:1.2.250.1.999.77.1.17" },
		{ "count(" MANIFEST "/ds:Reference[1]/ds:Transforms)", "0" },
		{ MANIFEST "/ds:Reference[1]/ds:DigestValue", "AA==" },
		{ MANIFEST "/ds:Reference[2]/@URI", "urn:oid:1.2.250.1.999.77.5.2026.88121" },
		{ "count(" MANIFEST "/ds:Reference[2]//ds:Transform)", "1" },
		{ MANIFEST "/ds:Reference[2]//ds:Transform/@Algorithm",
		  "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments" },
		{ "count(//ds:DigestMethod[@Algorithm = 'http://www.w3.org/2000/09/xmldsig#sha1'])",
		  "4" },
		{ PURPOSE "/@Id", "purposeOfSignature" },
		{ PURPOSE "/@Target", "#S-1.2.250.1.999.77.2.17" },
		{ PURPOSE, "1.2.840.10065.1.12.1.14" },
		{ QUALIFYING "/@Target", "#S-1.2.250.1.999.77.2.17" },
		{ SIGNED "/@Id", "S0-SignedProperties" },
		{ "local-name(" PROPERTIES "/*[1])", "SigningTime" },
		{ PROPERTIES "/e:SigningTime", "2026-11-20T12:00:00.900Z" },
		{ "local-name(" PROPERTIES "/*[2])", "SigningCertificate" },
		{ "local-name(" PROPERTIES "/*[3])", "SignaturePolicyIdentifier" },
		{ "count(" PROPERTIES "/e:SignaturePolicyIdentifier/e:SignaturePolicyImplied)",
		  "1" },
		{ "local-name(" SIGNED "/*[2])", "SignedDataObjectProperties" },
		{ "count(" SIGNED "/*[2]/node())", "0" },
		{ "count(//text()[normalize-space() = ''])", "0" },
	};
	const struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	build(&xades, &out);
	assert_facts(&out, facts, length_of(facts));
}

static void the_chain_is_named_from_the_leaf_to_the_root(void **state)
{
	static const struct fact facts[] = {
		{ "count(//e:Cert)", "3" },
		{ "count(//e:CertDigest/e:DigestMethod[@Algorithm = "
		  "'http://www.w3.org/2000/09/xmldsig#sha1'])",
		  "3" },
		{ CERT("1") "/e:IssuerSerial/ds:X509IssuerName", AC_ORGANISATIONS },
		{ CERT("1") "/e:IssuerSerial/ds:X509SerialNumber", "81164814519205" },
		{ CERT("2") "/e:IssuerSerial/ds:X509IssuerName", AC_RACINE },
		{ CERT("2") "/e:IssuerSerial/ds:X509SerialNumber", "2" },
		{ CERT("3") "/e:IssuerSerial/ds:X509IssuerName", AC_RACINE },
		{ CERT("3") "/e:IssuerSerial/ds:X509SerialNumber",
		  "5959830544989731847435721564328593839816449" },
	};
	X509 *const chain[] = { pki.sign, pki.intermediate, pki.root };
	const struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	build(&xades, &out);
	assert_facts(&out, facts, length_of(facts));
	for (int i = 0; i < 3; i++) {
		scoped(free_ptr) char *expression =
			xasprintf("//e:Cert[%d]/e:CertDigest/e:DigestValue", i + 1);
		scoped(buf_done) struct buf digest = { 0 };
		unsigned char bytes[SHA1_BYTES];

		X509_digest(chain[i], EVP_sha1(), bytes, NULL);
		base64_encode((struct slice){ (char *)bytes, sizeof(bytes) }, &digest);
		assert_facts(&out, &(struct fact){ expression, digest.p }, 1);
	}
}

static void the_leaf_may_be_named_alone(void **state)
{
	static const struct xades_settings settings = { DIGEST_SHA1, false };
	static const struct fact facts[] = {
		{ "count(//e:Cert)", "1" },
		{ CERT("1") "/e:IssuerSerial/ds:X509IssuerName", AC_ORGANISATIONS },
	};
	struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	xades.settings = &settings;
	build(&xades, &out);
	assert_facts(&out, facts, length_of(facts));
	assert_true(xmlsec_verifies(buf_slice(&out), pki.sign_pem, 2));
}

static void the_manifest_digests_the_canonical_document(void **state)
{
	xmlDoc *doc = xmlReadMemory(document.p, (int)document.n, NULL, NULL, XML_PARSE_NONET);
	const struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 }, digest = { 0 };
	uint8_t bytes[SHA1_BYTES];
	xmlChar *canonical = NULL;
	int n = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &canonical);

	(void)state;
	sha1((struct slice){ (char *)canonical, (size_t)n }, bytes);
	base64_encode((struct slice){ (char *)bytes, sizeof(bytes) }, &digest);
	build(&xades, &out);
	assert_facts(&out, &(struct fact){ MANIFEST "/ds:Reference[2]/ds:DigestValue", digest.p },
		     1);
	xmlFree(canonical);
	xmlFreeDoc(doc);
}

static void sha_256_changes_every_algorithm_together(void **state)
{
	static const struct xades_settings settings = { DIGEST_SHA256, true };
	static const struct fact facts[] = {
		{ "count(//@Algorithm[contains(., 'sha1')])", "0" },
		{ INFO "/ds:SignatureMethod/@Algorithm",
		  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" },
		{ "count(//ds:DigestMethod[@Algorithm = "
		  "'http://www.w3.org/2001/04/xmlenc#sha256'])",
		  "4" },
		{ "count(//e:DigestMethod[@Algorithm = 'http://www.w3.org/2001/04/xmlenc#sha256'])",
		  "3" },
		{ MANIFEST "/ds:Reference[1]/ds:DigestValue", "AA==" },
		{ "count(//*[local-name() = 'DigestValue'][string-length() = 44])", "6" },
	};
	struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	xades.settings = &settings;
	build(&xades, &out);
	assert_facts(&out, facts, length_of(facts));
	assert_true(xmlsec_verifies(buf_slice(&out), pki.sign_pem, 2));
}

static void the_signature_holds(void **state)
{
	const struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	build(&xades, &out);
	assert_true(xmlsec_verifies(buf_slice(&out), pki.sign_pem, 2));
	assert_facts(&out,
		     &(struct fact){ "/ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate",
				     signer_facts(signer)->certificate },
		     1);
}

static void one_byte_changed_breaks_the_signature(void **state)
{
	/* what says to whom it all belongs is not signed, in this edition of XAdES; nor is the key
	 * that is offered, nor the bits of nothing at the end of the signature's Base64 */
	static const struct uncovered uncovered[] = {
		{ "<Signature ", "<SignedInfo" },
		{ "<KeyInfo>", "</KeyInfo>" },
		{ "=</SignatureValue", ">" },
		{ "</Manifest>", "<SignedProperties" },
		{ "</SignedProperties>", "</Signature>" },
	};
	const struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	build(&xades, &out);
	assert_every_byte_counts(buf_slice(&out), pki.sign_pem, 2, uncovered, length_of(uncovered));
}

/* The document's digest in the Manifest, as a new text. */
static char *digest_of(const struct xades *xades)
{
	scoped(buf_done) struct buf out = { 0 };
	const char *start, *end;

	build(xades, &out);
	start = strstr(out.p, "</Transforms>");
	end = start ? strstr(start, "</Reference>") : NULL;
	assert_non_null(end);
	return slice_dup((struct slice){ start, (size_t)(end - start) });
}

static void one_byte_of_the_document_changed_is_another_manifest(void **state)
{
	struct xades xades = usual();
	scoped(free_ptr) char *one = digest_of(&xades), *two = NULL;
	scoped(buf_done) struct buf changed = { 0 };

	(void)state;
	buf_add(&changed, xades.document);
	*(strstr(changed.p, "</title>") - 1) ^= 1;
	xades.document = buf_slice(&changed);
	two = digest_of(&xades);
	assert_string_not_equal(one, two);
}

static void a_document_without_canonical_form_is_not_signed(void **state)
{
	struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	xades.document = slice_of("<a xmlns='relative'/>");
	assert_int_equal(xades_build(&xades, pen, &out, &err), -1);
	assert_int_equal(err.kind, ERR_REJECT);
	assert_int_equal(err.reason, REASON_DOCUMENT_INVALID);
}

static void what_cannot_be_signed_is_not_built(void **state)
{
	struct xades xades = usual();
	scoped(buf_done) struct buf out = { 0 };
	struct err err = { 0 };
	int rc;

	(void)state;
	nothing_is_signed = true;
	rc = xades_build(&xades, pen, &out, &err);
	nothing_is_signed = false;
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_HALT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_the_dmps_own_example_says),
		cmocka_unit_test(the_chain_is_named_from_the_leaf_to_the_root),
		cmocka_unit_test(the_leaf_may_be_named_alone),
		cmocka_unit_test(the_manifest_digests_the_canonical_document),
		cmocka_unit_test(sha_256_changes_every_algorithm_together),
		cmocka_unit_test(the_signature_holds),
		cmocka_unit_test(one_byte_changed_breaks_the_signature),
		cmocka_unit_test(one_byte_of_the_document_changed_is_another_manifest),
		cmocka_unit_test(a_document_without_canonical_form_is_not_signed),
		cmocka_unit_test(what_cannot_be_signed_is_not_built),
	};

	return cmocka_run_group_tests(tests, make, forget);
}
