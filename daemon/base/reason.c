/* The table of reasons. */
#include "base/reason.h"

#include <string.h>

#include "base/buf.h"

/* clang-format off: a table, read in columns */
static const struct reason_row rows[REASON_COUNT] = {
	[REASON_NONE] = { "", 0, NULL, "", "", "", "" },
	[REASON_INS_NOT_QUALIFIED] = { "ins_not_qualified", 0, NULL,
				       "The patient's identity is not qualified yet.",
				       "L'identité du patient n'est pas encore qualifiée.",
				       "Qualify the identity; the document then leaves by itself.",
				       "Qualifier l'identité ; le document partira alors de "
				       "lui-même." },
	[REASON_POLICY_HOLD] = { "policy_hold", 0, NULL,
				 "The site's policy holds this type of document.",
				 "La politique du site retient ce type de document.",
				 "Release it, or change the policy.",
				 "Le libérer, ou changer la politique." },
	[REASON_MANUAL_HOLD] = { "manual_hold", 0, NULL, "Somebody holds this document.",
				 "Quelqu'un retient ce document.", "Release it when it may leave.",
				 "Le libérer quand il peut partir." },
	[REASON_WAITING_PREDECESSOR] = { "waiting_predecessor", 0, NULL,
					 "The version that this document replaces has not been "
					 "delivered yet.",
					 "La version que ce document remplace n'est pas encore "
					 "transmise.",
					 "Nothing: it follows its predecessor.",
					 "Rien : il suivra son prédécesseur." },
	[REASON_RETRYING] = { "retrying", 0, NULL, "The last attempt failed for a passing cause.",
			      "La dernière tentative a échoué pour une cause passagère.",
			      "Nothing: it is tried again by itself.",
			      "Rien : une nouvelle tentative aura lieu d'elle-même." },
	[REASON_DOUBTFUL] = { "doubtful", 0, NULL,
			      "The document was sent but the answer was lost: the DMP may hold it "
			      "already.",
			      "Le document a été envoyé mais la réponse s'est perdue : le DMP le "
			      "détient peut-être déjà.",
			      "Nothing: it is sent again under the same identifiers, which the DMP "
			      "recognises.",
			      "Rien : il est renvoyé sous les mêmes identifiants, que le DMP "
			      "reconnaît." },
	[REASON_LANE_STOPPED] = { "lane_stopped", 0, NULL,
				  "Sending for this legal entity is stopped: its installation is "
				  "at fault.",
				  "L'envoi de cette entité juridique est arrêté : son installation "
				  "est en cause.",
				  "Read the lane's state and correct what it names.",
				  "Lire l'état de la voie d'envoi et corriger ce qu'il désigne." },
	[REASON_PATIENT_OPPOSED] = { "patient_opposed", 207, "AE",
				     "The patient opposes the feeding of their DMP.",
				     "Le patient s'oppose à l'alimentation de son DMP.",
				     "Nothing, unless the opposition is withdrawn.",
				     "Rien, sauf retrait de l'opposition." },
	[REASON_DMP_ABSENT] = { "dmp_absent", 0, NULL, "This patient has no DMP.",
				"Ce patient n'a pas de DMP.",
				"Nothing: a few patients in a hundred have none.",
				"Rien : quelques patients sur cent n'en ont pas." },
	[REASON_DMP_CLOSED] = { "dmp_closed", 0, NULL, "This patient's DMP is closed.",
				"Le DMP de ce patient est fermé.",
				"Nothing, unless the patient opens it again.",
				"Rien, sauf réouverture par le patient." },
	[REASON_INS_MISSING] = { "ins_missing", 207, "AE", "The document carries no INS.",
				 "Le document ne porte pas d'INS.",
				 "Have the source send it again with the qualified INS.",
				 "Faire renvoyer le document par sa source, avec l'INS "
				 "qualifiée." },
	[REASON_INS_INVALID] = { "ins_invalid", 207, "AE",
				 "The INS is not one: form, key or domain.",
				 "L'INS n'en est pas une : forme, clé ou domaine.",
				 "Correct the identity at the source and send again.",
				 "Corriger l'identité à la source et renvoyer." },
	[REASON_INS_MISMATCH] = { "ins_mismatch", 207, "AE",
				  "The message and the document name different patients.",
				  "Le message et le document désignent des patients différents.",
				  "Find out at the source whose document it is; never send it as "
				  "it is.",
				  "Établir à la source à qui est le document ; ne jamais l'envoyer "
				  "tel quel." },
	[REASON_TYPE_NOT_ACCEPTED] = { "type_not_accepted", 103, "AE",
				       "The DMP takes no document of this type.",
				       "Le DMP n'accepte pas de document de ce type.",
				       "Correct the type code at the source, or add it to the "
				       "value sets if the DMP's list has it.",
				       "Corriger le code de type à la source, ou l'ajouter aux "
				       "jeux de valeurs si la liste du DMP le contient." },
	[REASON_METADATA_INVALID] = { "metadata_invalid", 103, "AE",
				      "A value that the DMP requires is missing from the document "
				      "or outside its list.",
				      "Une valeur exigée par le DMP manque au document ou sort de "
				      "sa liste.",
				      "Correct the document's header at the source, or the site's "
				      "defaults.",
				      "Corriger l'en-tête du document à la source, ou les valeurs "
				      "par défaut du site." },
	[REASON_DOCUMENT_INVALID] = { "document_invalid", 199, "AE", "This is not a CDA document.",
				      "Ce n'est pas un document CDA.",
				      "Have the source produce a CDA (XML, ClinicalDocument, no "
				      "DTD).",
				      "Faire produire par la source un CDA (XML, ClinicalDocument, "
				      "sans DTD)." },
	[REASON_IDENTIFIER_HAS_EXTENSION] = { "identifier_has_extension", 207, "AE",
					      "The document's id has an extension: the DMP knows "
					      "plain OIDs only.",
					      "L'identifiant du document a une extension : le DMP "
					      "ne connaît que des OID simples.",
					      "Have the source identify its documents by an OID "
					      "alone.",
					      "Faire identifier les documents par un OID seul à la "
					      "source." },
	[REASON_IDENTIFIER_INVALID] = { "identifier_invalid", 207, "AE",
					"An identifier is not an OID (digits and dots, 64 "
					"characters at most, no leading zero).",
					"Un identifiant n'est pas un OID (chiffres et points, 64 "
					"caractères au plus, sans zéro en tête).",
					"Correct how the source builds its identifiers.",
					"Corriger la fabrication des identifiants à la source." },
	[REASON_FINESS_MISMATCH] = { "finess_mismatch", 207, "AE",
				     "No configured site answers for this document.",
				     "Aucun site configuré ne répond de ce document.",
				     "Give the listener or folder a site of the configuration, or "
				     "declare the site.",
				     "Donner à l'écoute ou au dossier un site de la configuration, "
				     "ou déclarer le site." },
	[REASON_MASKS_CONFLICT] = { "masks_conflict", 207, "AE",
				    "The document is hidden both from professionals and from the "
				    "patient, which the DMP refuses.",
				    "Le document est masqué à la fois aux professionnels et au "
				    "patient, ce que le DMP refuse.",
				    "Choose one of the two at the source.",
				    "Choisir l'un des deux à la source." },
	[REASON_PREDECESSOR_UNKNOWN] = { "predecessor_unknown", 199, "AE",
					 "The document replaces another that is not named, or is "
					 "not known.",
					 "Le document en remplace un autre qui n'est pas désigné, "
					 "ou pas connu.",
					 "Have the source name the replaced document in "
					 "relatedDocument.",
					 "Faire désigner le document remplacé dans relatedDocument "
					 "par la source." },
	[REASON_ACTION_NOT_SUPPORTED] = { "action_not_supported", 201, "AR",
					  "This gateway sends new documents only: it cannot "
					  "replace or delete yet.",
					  "Cette passerelle n'envoie que de nouveaux documents : "
					  "elle ne sait pas encore remplacer ni supprimer.",
					  "Keep the message: send it again after an upgrade.",
					  "Conserver le message : le renvoyer après une mise à "
					  "jour." },
	[REASON_TOO_LARGE] = { "too_large", 199, "AE", "It is larger than the limit.",
			       "La taille dépasse la limite.",
			       "Raise the limit in the configuration, or have a smaller document "
			       "produced.",
			       "Relever la limite dans la configuration, ou faire produire un "
			       "document plus petit." },
	[REASON_DUPLICATE_FOREIGN] = { "duplicate_foreign", 207, "AE",
				       "Another document already has this identifier.",
				       "Un autre document porte déjà cet identifiant.",
				       "Have the source give each document, and each version, an "
				       "identifier of its own.",
				       "Faire donner par la source un identifiant propre à chaque "
				       "document et à chaque version." },
	[REASON_TOO_OLD] = { "too_old", 0, NULL, "It could not be delivered within the age limit.",
			     "Il n'a pas pu être transmis dans le délai maximal.",
			     "Correct the cause, then retry it.",
			     "Corriger la cause, puis relancer l'envoi." },
	[REASON_DMP_ERROR] = { "dmp_error", 0, NULL, "The DMP refused the document.",
			       "Le DMP a refusé le document.",
			       "Read the DMP's words in the document's history.",
			       "Lire la réponse du DMP dans l'historique du document." },
	[REASON_NOT_FOR_DMP] = { "not_for_dmp", 0, NULL,
				 "The message's flags name another destination than the DMP.",
				 "Les indicateurs du message désignent une autre destination que "
				 "le DMP.",
				 "Nothing.", "Rien." },
	[REASON_UNCHANGED] = { "unchanged", 0, NULL, "Identical to what was already delivered.",
			       "Identique à ce qui a déjà été transmis.", "Nothing.", "Rien." },
	[REASON_SEQUENCE] = { "segment_sequence", 100, "AE",
			      "A segment of the message is missing or out of order.",
			      "Un segment du message manque ou n'est pas à sa place.",
			      "Correct the message at the source.",
			      "Corriger le message à la source." },
	[REASON_FIELD_MISSING] = { "field_missing", 101, "AE",
				   "A required field of the message is empty.",
				   "Un champ obligatoire du message est vide.",
				   "Correct the message at the source.",
				   "Corriger le message à la source." },
	[REASON_DATA_TYPE] = { "data_type", 102, "AE",
			       "A field does not have the form that its type requires.",
			       "Un champ n'a pas la forme que son type exige.",
			       "Correct the message at the source.",
			       "Corriger le message à la source." },
	[REASON_TABLE_VALUE] = { "table_value", 103, "AE", "A code is not in its table.",
				 "Un code n'est pas dans sa table.",
				 "Correct the message at the source.",
				 "Corriger le message à la source." },
	[REASON_CARDINALITY] = { "cardinality", 198, "AE",
				 "Something is repeated too often or not often enough.",
				 "Un élément est répété trop ou trop peu.",
				 "Correct the message at the source.",
				 "Corriger le message à la source." },
	[REASON_MESSAGE_INVALID] = { "message_invalid", 199, "AE",
				     "This is not an HL7 v2 message of the profile.",
				     "Ce n'est pas un message HL7 v2 du volet.",
				     "Correct the message at the source.",
				     "Corriger le message à la source." },
	[REASON_MESSAGE_TYPE] = { "message_type", 200, "AR",
				  "The gateway does not take this type of message.",
				  "La passerelle ne prend pas ce type de message.",
				  "Send it elsewhere, or not at all.",
				  "L'envoyer ailleurs, ou pas du tout." },
	[REASON_EVENT] = { "event", 201, "AR", "The gateway does not take this event.",
			   "La passerelle ne prend pas cet évènement.",
			   "Send it elsewhere, or not at all.",
			   "L'envoyer ailleurs, ou pas du tout." },
	[REASON_PROCESSING_ID] = { "processing_id", 202, "AE", "MSH-11 is not P, T or D.",
				   "MSH-11 n'est ni P, ni T, ni D.",
				   "Correct MSH-11 at the source.",
				   "Corriger MSH-11 à la source." },
	[REASON_VERSION] = { "version", 203, "AE",
			     "The gateway does not read this version of HL7 or of the profile.",
			     "La passerelle ne lit pas cette version d'HL7 ou du volet.",
			     "Have the source follow the ANS profile 2.1.",
			     "Faire suivre le volet ANS 2.1 par la source." },
	[REASON_STORE_UNAVAILABLE] = { "store_unavailable", 207, "AR",
				       "The gateway cannot store anything now.",
				       "La passerelle ne peut rien enregistrer pour l'instant.",
				       "Send the message again later; on the gateway, look at the "
				       "disk.",
				       "Renvoyer le message plus tard ; sur la passerelle, "
				       "regarder le disque." },
	[REASON_SHUTTING_DOWN] = { "shutting_down", 207, "AR", "The gateway is shutting down.",
				   "La passerelle s'arrête.", "Send the message again in a moment.",
				   "Renvoyer le message dans un instant." },
};
/* clang-format on */

const struct reason_row *reason_row(enum reason reason)
{
	return &rows[reason < REASON_COUNT ? reason : REASON_NONE];
}

enum reason reason_of(const char *code)
{
	for (enum reason reason = REASON_NONE + 1; reason < REASON_COUNT; reason++)
		if (strcmp(rows[reason].code, code) == 0)
			return reason;
	return REASON_NONE;
}

const char *hl7_error_text(int hl7_code)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{ 0, "Message accepted" },         { 100, "Segment sequence error" },
		{ 101, "Required field missing" }, { 102, "Data type error" },
		{ 103, "Table value not found" },  { 198, "Non-conformant cardinality" },
		{ 199, "Other HL7 error" },        { 200, "Unsupported message type" },
		{ 201, "Unsupported event code" }, { 202, "Unsupported processing id" },
		{ 203, "Unsupported version id" }, { 207, "Application error" },
	};

	for (size_t i = 0; i < length_of(texts); i++)
		if (texts[i].code == hl7_code)
			return texts[i].text;
	return "";
}
