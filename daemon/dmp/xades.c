/* The signature of a submission set. Any thread.
 *
 * Two parts are referred to without a transform, the Manifest and the SignedProperties: what counts
 * is then their inclusive canonical form where they stand, with every namespace around them. There
 * is one around each, which it declares itself: so the part is the same bytes in and out of place.
 */
#include "dmp/xades.h"

#include "base/clock.h"
#include "base/xml.h"
#include "dmp/c14n.h"

#define ETSI "http://uri.etsi.org/01903/v1.1.1#"
#define MANIFEST_ID "IHEManifest"
#define PROPERTIES_ID "S0-SignedProperties"
#define PURPOSE_SOURCE "1.2.840.10065.1.12.1.14" /* the signer is where the documents come from */

/* An Id must not begin with a digit. */
static void add_signature_id(const struct xades *xades, struct buf *out)
{
	buf_add_text(out, "S-");
	xml_add_canonical_attribute(out, xades->unique_id);
}

static int add_manifest(const struct xades *xades, struct buf *out, struct err *err)
{
	const enum digest_kind kind = xades->settings->digest;
	scoped(free_ptr) char *set_uri = xasprintf("urn:oid:%s", xades->set_unique_id);
	scoped(free_ptr) char *document_uri = xasprintf("urn:oid:%s", xades->document_unique_id);
	/* the set itself cannot be hashed: one zero byte stands for its digest */
	const struct xmldsig_reference set = { .type = "", .uri = set_uri, .digest_n = 1 };
	struct xmldsig_reference document = {
		.type = "",
		.uri = document_uri,
		.transforms = { C14N_WITH_COMMENTS },
	};

	if (c14n_digest(xades->document, kind, document.digest, &document.digest_n, err) < 0)
		return -1;
	buf_add_text(out, "<Manifest xmlns=\"" XMLDSIG "\" Id=\"" MANIFEST_ID "\">");
	xmldsig_add_reference(kind, &set, out);
	xmldsig_add_reference(kind, &document, out);
	buf_add_text(out, "</Manifest>");
	return 0;
}

static void add_certificate(const struct signer_certificate *certificate, enum digest_kind kind,
			    struct buf *out)
{
	const struct slice digest =
		kind == DIGEST_SHA1
			? (struct slice){ (const char *)certificate->sha1, SHA1_BYTES }
			: (struct slice){ (const char *)certificate->sha256, SHA256_BYTES };

	buf_add_text(out, "<Cert><CertDigest>");
	xmldsig_add_digest(kind, digest, out);
	buf_add_text(out, "</CertDigest><IssuerSerial><X509IssuerName xmlns=\"" XMLDSIG "\">");
	xml_add_canonical_text(out, certificate->issuer);
	buf_add_text(out, "</X509IssuerName><X509SerialNumber xmlns=\"" XMLDSIG "\">");
	buf_add_text(out, certificate->serial);
	buf_add_text(out, "</X509SerialNumber></IssuerSerial></Cert>");
}

static void add_properties(const struct xades *xades, const struct signer_facts *facts,
			   struct buf *out)
{
	const size_t count = xades->settings->full_chain ? facts->chain_count : 1;
	char now[CLOCK_TEXT];

	buf_add_text(out, "<SignedProperties xmlns=\"" ETSI "\" Id=\"" PROPERTIES_ID
			  "\"><SignedSignatureProperties><SigningTime>");
	buf_add_text(out, clock_iso(xades->now_ms, now));
	buf_add_text(out, "</SigningTime><SigningCertificate>");
	for (size_t i = 0; i < count; i++)
		add_certificate(&facts->chain[i], xades->settings->digest, out);
	buf_add_text(out, "</SigningCertificate><SignaturePolicyIdentifier>"
			  "<SignaturePolicyImplied></SignaturePolicyImplied>"
			  "</SignaturePolicyIdentifier></SignedSignatureProperties>"
			  "<SignedDataObjectProperties></SignedDataObjectProperties>"
			  "</SignedProperties>");
}

static int sign(const struct xades *xades, struct slice manifest, struct slice properties,
		struct pen *pen, struct buf *out, struct err *err)
{
	const enum digest_kind kind = xades->settings->digest;
	struct xmldsig_reference references[] = {
		{ .type = XMLDSIG "Manifest", .uri = "#" MANIFEST_ID },
		{ .type = ETSI "SignedProperties", .uri = "#" PROPERTIES_ID },
	};
	const struct xmldsig xmldsig = {
		.canonicalization = C14N_WITH_COMMENTS,
		.kind = kind,
		.references = references,
		.reference_count = length_of(references),
	};

	references[0].digest_n = digest_once(kind, manifest, references[0].digest);
	references[1].digest_n = digest_once(kind, properties, references[1].digest);
	return xmldsig_sign(&xmldsig, pen, out, err);
}

static void add_objects(const struct xades *xades, struct slice manifest, struct slice properties,
			struct buf *out)
{
	buf_add_text(out, "<Object>");
	buf_add(out, manifest);
	buf_add_text(out, "</Object><Object><SignatureProperties>"
			  "<SignatureProperty Id=\"purposeOfSignature\" Target=\"#");
	add_signature_id(xades, out);
	buf_add_text(out, "\">" PURPOSE_SOURCE "</SignatureProperty></SignatureProperties></Object>"
			  "<Object><QualifyingProperties xmlns=\"" ETSI "\" Target=\"#");
	add_signature_id(xades, out);
	buf_add_text(out, "\">");
	buf_add(out, properties);
	buf_add_text(out, "</QualifyingProperties></Object>");
}

int xades_build(const struct xades *xades, struct pen *pen, struct buf *out, struct err *err)
{
	scoped(buf_done) struct buf manifest = { 0 }, properties = { 0 };

	if (add_manifest(xades, &manifest, err) < 0)
		return -1;
	add_properties(xades, signer_facts(pen_signer(pen)), &properties);
	buf_add_text(out, "<Signature xmlns=\"" XMLDSIG "\" Id=\"");
	add_signature_id(xades, out);
	buf_add_text(out, "\">");
	if (sign(xades, buf_slice(&manifest), buf_slice(&properties), pen, out, err) < 0)
		return -1;
	add_objects(xades, buf_slice(&manifest), buf_slice(&properties), out);
	buf_add_text(out, "</Signature>");
	return 0;
}
