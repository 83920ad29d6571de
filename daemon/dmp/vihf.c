/* The VIHF, written in exclusive canonical form. Any thread.
 *
 * It is written twice by the same functions: once as it is digested, without its signature; once as
 * it is sent. The other difference is the prefix xs, which only the value of xsi:type uses:
 * exclusive canonical form drops its declaration (section 2.3: it is not visibly used), and a
 * reader of schemas needs it.
 */
#include "dmp/vihf.h"

#include "base/clock.h"
#include "base/xml.h"

#define SAML "urn:oasis:names:tc:SAML:2.0:"
#define XSI "http://www.w3.org/2001/XMLSchema-instance"
#define XS "http://www.w3.org/2001/XMLSchema"
#define HL7 "urn:hl7-org:v3"
#define SECTORS "1.2.250.1.71.4.2.4"          /* codes of healthcareFacilityTypeCode */
#define VISIBILITIES "1.2.250.1.213.1.1.4.13" /* codes of confidentiality that are France's own */
#define ACCESS_MODES "1.2.250.1.213.1.1.4.248"

enum {
	LEEWAY_MS = 60 * 1000,        /* of the receiver's clock, behind ours */
	VALIDITY_MS = 10 * 60 * 1000, /* longer than an exchange takes */
};

enum form { DIGESTED, SENT };

struct writer {
	const struct vihf *vihf;
	enum form form;
	struct buf *out;
};

static void element(struct writer *w, const char *open, const char *text, const char *close)
{
	buf_add_text(w->out, open);
	xml_add_canonical_text(w->out, text);
	buf_add_text(w->out, close);
}

/* Attributes of XML come sorted: whoever calls names them in their order. */
static void xml_attribute(struct writer *w, const char *name, const char *value)
{
	buf_add_char(w->out, ' ');
	buf_add_text(w->out, name);
	buf_add_text(w->out, "=\"");
	xml_add_canonical_attribute(w->out, value);
	buf_add_char(w->out, '"');
}

/* ---- the attributes of SAML ---- */

static void open_attribute(struct writer *w, const char *name)
{
	buf_add_text(w->out, "<saml2:Attribute");
	xml_attribute(w, "Name", name);
	buf_add_char(w->out, '>');
}

static void close_attribute(struct writer *w)
{
	buf_add_text(w->out, "</saml2:Attribute>");
}

/* "": the attribute is left out. */
static void attribute(struct writer *w, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	open_attribute(w, name);
	buf_add_text(w->out, "<saml2:AttributeValue");
	if (w->form == SENT)
		buf_add_text(w->out, " xmlns:xs=\"" XS "\"");
	element(w, " xmlns:xsi=\"" XSI "\" xsi:type=\"xs:string\">", value,
		"</saml2:AttributeValue>");
	close_attribute(w);
}

/* An element of HL7 V3 of type CE. `system_name`: "", or the codeSystemName. */
static void coded_value(struct writer *w, const char *name, const struct vihf_role *value,
			const char *system_name)
{
	buf_add_text(w->out, "<saml2:AttributeValue><");
	buf_add_text(w->out, name);
	buf_add_text(w->out, " xmlns=\"" HL7 "\" xmlns:xsi=\"" XSI "\"");
	xml_attribute(w, "code", value->code);
	xml_attribute(w, "codeSystem", value->system);
	if (system_name[0] != '\0')
		xml_attribute(w, "codeSystemName", system_name);
	xml_attribute(w, "displayName", value->name);
	buf_add_text(w->out, " xsi:type=\"CE\"></");
	buf_add_text(w->out, name);
	buf_add_text(w->out, "></saml2:AttributeValue>");
}

static void roles(struct writer *w)
{
	open_attribute(w, "urn:oasis:names:tc:xacml:2.0:subject:role");
	for (size_t i = 0; i < w->vihf->role_count; i++)
		coded_value(w, "Role", &w->vihf->roles[i], "");
	close_attribute(w);
}

static void purpose_of_use(struct writer *w)
{
	static const struct vihf_role normal = { "normal", ACCESS_MODES, "Acc\xc3\xa8s normal" };

	open_attribute(w, "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse");
	coded_value(w, "PurposeOfUse", &normal, "mode acces VIHF 2.0");
	close_attribute(w);
}

static void attributes(struct writer *w)
{
	const struct vihf *vihf = w->vihf;
	const struct vihf_settings *settings = vihf->settings;
	scoped(free_ptr) char *sector = xasprintf("%s^" SECTORS, vihf->sector);
	scoped(free_ptr) char *patient =
		xasprintf("%s^^^&%s&ISO^NH", vihf->patient_ins, vihf->patient_ins_oid);

	buf_add_text(w->out, "<saml2:AttributeStatement>");
	attribute(w, "VIHF_Version", settings->version);
	attribute(w, settings->mode_name, "INDIRECTE");
	attribute(w, "Identifiant_Structure", vihf->structure);
	attribute(w, "Secteur_Activite", sector);
	attribute(w, "urn:oasis:names:tc:xspa:1.0:subject:subject-id", vihf->subject_id);
	roles(w);
	attribute(w, "urn:oasis:names:tc:xacml:2.0:resource:resource-id", patient);
	attribute(w, "Ressource_URN", "urn:dmp");
	purpose_of_use(w);
	if (vihf->secret_connection)
		attribute(w,
			  "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code",
			  "INVISIBLE_REPRESENTANTS_LEGAUX^" VISIBILITIES);
	attribute(w, "LPS_ID", settings->lps_id);
	attribute(w, "LPS_Nom", settings->lps_name);
	attribute(w, "LPS_Version", settings->lps_version);
	attribute(w, "LPS_ID_HOMOLOGATION_DMP", settings->homologation);
	buf_add_text(w->out, "</saml2:AttributeStatement>");
}

/* ---- the assertion ---- */

static void conditions(struct writer *w)
{
	char text[CLOCK_TEXT];

	if (!w->vihf->settings->conditions)
		return;
	buf_add_text(w->out, "<saml2:Conditions");
	xml_attribute(w, "NotBefore", clock_iso(w->vihf->now_ms - LEEWAY_MS, text));
	xml_attribute(w, "NotOnOrAfter", clock_iso(w->vihf->now_ms + VALIDITY_MS, text));
	buf_add_text(w->out, "></saml2:Conditions>");
}

/* Nobody logged in: the gateway asks now. */
static void authentication(struct writer *w)
{
	char now[CLOCK_TEXT];

	buf_add_text(w->out, "<saml2:AuthnStatement");
	xml_attribute(w, "AuthnInstant", clock_iso(w->vihf->now_ms, now));
	element(w, "><saml2:AuthnContext><saml2:AuthnContextClassRef>" SAML "ac:classes:",
		w->vihf->settings->authn_context,
		"</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>");
}

/* `signature`: the element, as it is sent; empty in what is digested. */
static void assertion(struct writer *w, const char *issuer, struct slice signature)
{
	char now[CLOCK_TEXT];

	buf_add_text(w->out, "<saml2:Assertion xmlns:saml2=\"" SAML "assertion\" ID=\"_");
	xml_add_canonical_attribute(w->out, w->vihf->id);
	buf_add_char(w->out, '"');
	xml_attribute(w, "IssueInstant", clock_iso(w->vihf->now_ms, now));
	xml_attribute(w, "Version", "2.0");
	element(w,
		"><saml2:Issuer Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:"
		"X509SubjectName\">",
		issuer, "</saml2:Issuer>");
	buf_add(w->out, signature);
	element(w, "<saml2:Subject><saml2:NameID>", w->vihf->name_id,
		"</saml2:NameID></saml2:Subject>");
	conditions(w);
	authentication(w);
	attributes(w);
	buf_add_text(w->out, "</saml2:Assertion>");
}

static int sign(const struct vihf *vihf, struct slice digested, struct pen *pen,
		struct buf *ret_signature, struct err *err)
{
	scoped(free_ptr) char *uri = xasprintf("#_%s", vihf->id);
	struct xmldsig_reference reference = {
		.type = "",
		.uri = uri,
		.transforms = { XMLDSIG_ENVELOPED, C14N_EXCLUSIVE },
	};
	const struct xmldsig xmldsig = {
		.canonicalization = C14N_EXCLUSIVE,
		.kind = vihf->settings->digest,
		.references = &reference,
		.reference_count = 1,
	};

	reference.digest_n = digest_once(vihf->settings->digest, digested, reference.digest);
	buf_add_text(ret_signature, "<Signature xmlns=\"" XMLDSIG "\">");
	if (xmldsig_sign(&xmldsig, pen, ret_signature, err) < 0)
		return -1;
	buf_add_text(ret_signature, "</Signature>");
	return 0;
}

int vihf_build(const struct vihf *vihf, struct pen *pen, struct buf *out, struct err *err)
{
	const char *issuer = signer_facts(pen_signer(pen))->subject;
	scoped(buf_done) struct buf digested = { 0 }, signature = { 0 };

	assertion(&(struct writer){ vihf, DIGESTED, &digested }, issuer, (struct slice){ 0 });
	if (sign(vihf, buf_slice(&digested), pen, &signature, err) < 0)
		return -1;
	assertion(&(struct writer){ vihf, SENT, out }, issuer, buf_slice(&signature));
	return 0;
}
