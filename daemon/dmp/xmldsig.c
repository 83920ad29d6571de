/* What the two signatures of a submission have in common. Any thread. */
#include "dmp/xmldsig.h"

#include "base/xml.h"

static const struct {
	const char *digest, *signature;
} algorithms[] = {
	[DIGEST_SHA1] = { "http://www.w3.org/2000/09/xmldsig#sha1",
			  "http://www.w3.org/2000/09/xmldsig#rsa-sha1" },
	[DIGEST_SHA256] = { "http://www.w3.org/2001/04/xmlenc#sha256",
			    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" },
};

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	buf_add_char(out, ' ');
	buf_add_text(out, name);
	buf_add_text(out, "=\"");
	xml_add_canonical_attribute(out, value);
	buf_add_char(out, '"');
}

/* An element that has an algorithm and nothing else. Canonical form knows no empty-element tag. */
static void add_algorithm(struct buf *out, const char *element, const char *algorithm)
{
	buf_add_char(out, '<');
	buf_add_text(out, element);
	add_attribute(out, "Algorithm", algorithm);
	buf_add_text(out, "></");
	buf_add_text(out, element);
	buf_add_char(out, '>');
}

void xmldsig_add_digest(enum digest_kind kind, struct slice digest, struct buf *out)
{
	add_algorithm(out, "DigestMethod", algorithms[kind].digest);
	buf_add_text(out, "<DigestValue>");
	base64_encode(digest, out);
	buf_add_text(out, "</DigestValue>");
}

static void add_transforms(const struct xmldsig_reference *reference, struct buf *out)
{
	if (reference->transforms[0] == NULL)
		return;
	buf_add_text(out, "<Transforms>");
	for (size_t i = 0; i < length_of(reference->transforms); i++)
		if (reference->transforms[i] != NULL)
			add_algorithm(out, "Transform", reference->transforms[i]);
	buf_add_text(out, "</Transforms>");
}

void xmldsig_add_reference(enum digest_kind kind, const struct xmldsig_reference *reference,
			   struct buf *out)
{
	buf_add_text(out, "<Reference");
	if (reference->type[0] != '\0')
		add_attribute(out, "Type", reference->type);
	add_attribute(out, "URI", reference->uri);
	buf_add_char(out, '>');
	add_transforms(reference, out);
	xmldsig_add_digest(
		kind, (struct slice){ (const char *)reference->digest, reference->digest_n }, out);
	buf_add_text(out, "</Reference>");
}

static void add_signed_info(const struct xmldsig *xmldsig, struct buf *out)
{
	buf_add_text(out, "<SignedInfo xmlns=\"" XMLDSIG "\">");
	add_algorithm(out, "CanonicalizationMethod", xmldsig->canonicalization);
	add_algorithm(out, "SignatureMethod", algorithms[xmldsig->kind].signature);
	for (size_t i = 0; i < xmldsig->reference_count; i++)
		xmldsig_add_reference(xmldsig->kind, &xmldsig->references[i], out);
	buf_add_text(out, "</SignedInfo>");
}

int xmldsig_sign(const struct xmldsig *xmldsig, struct pen *pen, struct buf *out, struct err *err)
{
	scoped(buf_done) struct buf signed_info = { 0 };

	add_signed_info(xmldsig, &signed_info);
	buf_add(out, buf_slice(&signed_info));
	buf_add_text(out, "<SignatureValue>");
	if (pen_sign(pen, xmldsig->kind, buf_slice(&signed_info), out, err) < 0)
		return -1;
	buf_add_text(out, "</SignatureValue><KeyInfo><X509Data><X509Certificate>");
	buf_add_text(out, signer_facts(pen_signer(pen))->certificate);
	buf_add_text(out, "</X509Certificate></X509Data></KeyInfo>");
	return 0;
}
