/* Asking whether a patient has a DMP, and what the answer means. Any thread. */
#include "dmp/existence.h"

#include "base/clock.h"
#include "base/xml.h"

/* Under the gateway's OID: the roots of messages and of queries. */
#define MESSAGE_ARC ".3.1"
#define QUERY_ARC ".3.2"

#define DMP_OID "1.2.250.1.213.4.1.1.1"

static void attribute(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, " %s=\"", name);
	xml_add(out, value);
	buf_add_char(out, '"');
}

/* An instance identifier: <name root="…arc" extension="…"/>. */
static void identifier(struct buf *out, const char *name, const char *root, const char *arc,
		       const char *extension)
{
	buf_addf(out, "<%s root=\"", name);
	xml_add(out, root);
	buf_addf(out, "%s\"", arc);
	if (extension != NULL)
		attribute(out, "extension", extension);
	buf_add_text(out, "/>");
}

static void transmission(const struct existence_request *request, struct buf *out)
{
	char now[CLOCK_TEXT];

	identifier(out, "id", request->gateway_oid, MESSAGE_ARC, request->message_uuid);
	buf_addf(out, "<creationTime value=\"%s\"/>", clock_xds(request->now_ms, now));
	buf_add_text(out, "<interactionId root=\"2.16.840.1.113883.1.6\" "
			  "extension=\"PRPA_IN201307UV02\"/><processingCode");
	attribute(out, "code", request->processing_code);
	buf_add_text(out, "/><processingModeCode code=\"T\"/><acceptAckCode code=\"AL\"/>"
			  "<receiver typeCode=\"RCV\">"
			  "<device classCode=\"DEV\" determinerCode=\"INSTANCE\">"
			  "<id root=\"" DMP_OID "\"/><softwareName>DMP</softwareName>"
			  "</device></receiver><sender typeCode=\"SND\">"
			  "<device classCode=\"DEV\" determinerCode=\"INSTANCE\">");
	identifier(out, "id", request->gateway_oid, "", NULL);
	buf_add_text(out, "<softwareName>");
	xml_add(out, request->software);
	buf_add_text(out, "</softwareName></device></sender><attentionLine xsi:nil=\"true\"/>");
}

void existence_build(const struct existence_request *request, struct buf *out)
{
	buf_add_text(out, "<PRPA_IN201307UV02 xmlns=\"urn:hl7-org:v3\" "
			  "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
			  "ITSVersion=\"XML_1.0\">");
	transmission(request, out);
	buf_add_text(out, "<controlActProcess classCode=\"CACT\" moodCode=\"EVN\">"
			  "<reasonCode code=\"TEST_EXST\" "
			  "codeSystem=\"1.2.250.1.213.1.1.4.11\" "
			  "displayName=\"Test d'existence de dossier\"/><queryByParameter>");
	identifier(out, "queryId", request->gateway_oid, QUERY_ARC, request->query_uuid);
	buf_add_text(out, "<statusCode code=\"new\"/><parameterList>"
			  "<dataSource xsi:nil=\"true\"/><patientIdentifier>");
	identifier(out, "value", request->ins_oid, "", request->ins);
	buf_add_text(out, "<semanticsText>Patient.id</semanticsText></patientIdentifier>"
			  "</parameterList></queryByParameter></controlActProcess>"
			  "</PRPA_IN201307UV02>");
}

const char *existence_text(enum existence existence)
{
	static const char *const texts[] = {
		[EXISTENCE_UNKNOWN] = "unknown",
		[EXISTENCE_ACTIVE] = "active",
		[EXISTENCE_CLOSED] = "closed",
		[EXISTENCE_ABSENT] = "absent",
	};

	return texts[existence];
}

/* Several identifiers may come, older ones too: those of our domain decide. */
static const char *not_our_patient(const struct reply *reply, const char *ins, const char *ins_oid)
{
	bool named = false;

	if (reply->patient_count != 1)
		return reply->patient_count == 0 ? "the answer names no patient"
						 : "the answer names several patients";
	for (size_t i = 0; i < reply->patient_id_count; i++) {
		const struct reply_id *id = &reply->patient_ids[i];

		if (strcmp(id->root, ins_oid) != 0)
			continue;
		if (strcmp(id->extension, ins) != 0)
			return "the answer is about another patient";
		named = true;
	}
	return named ? NULL : "the answer names no patient of the domain asked for";
}

enum existence existence_read(const struct reply *reply, const char *ins, const char *ins_oid,
			      const char **ret_why)
{
	*ret_why = "";
	if (strcmp(reply->query_code, "NF") == 0)
		return EXISTENCE_ABSENT;
	*ret_why = not_our_patient(reply, ins, ins_oid);
	if (*ret_why != NULL)
		return EXISTENCE_UNKNOWN;
	*ret_why = "";
	if (strcmp(reply->patient_status, "active") == 0)
		return EXISTENCE_ACTIVE;
	if (strcmp(reply->patient_status, "terminated") == 0)
		return EXISTENCE_CLOSED;
	*ret_why = "the status of the patient's DMP is neither active nor terminated";
	return EXISTENCE_UNKNOWN;
}
