/* What the page says, in English and in French. Any thread. */
#include "status/page_text.h"

/* clang-format off */
static const struct {
	const char *english, *french;
} rows[TEXT_COUNT] = {
	[TEXT_TITLE] = { "Feeding the DMP", "Alimentation du DMP" },
	[TEXT_SKIP] = { "Go to the content", "Aller au contenu" },
	[TEXT_LANGUAGES] = { "Language", "Langue" },
	[TEXT_LOST] = {
		"The gateway does not answer any more. What is shown dates from",
		"La passerelle ne répond plus. Ce qui est affiché date de" },
	[TEXT_UPDATED] = { "As of", "État à" },
	[TEXT_ENVIRONMENT_TEST] = {
		"Test environment: nothing here reaches real patients",
		"Environnement de test : rien ici ne concerne de vrais patients" },
	[TEXT_ENVIRONMENT_REHEARSAL] = {
		"Rehearsal: nothing leaves this machine",
		"Répétition : rien ne quitte cette machine" },

	[TEXT_VERDICT_WORKING] = { "Everything works", "Tout fonctionne" },
	[TEXT_VERDICT_COPING] = { "It works, with difficulty", "Fonctionne, avec des difficultés" },
	[TEXT_VERDICT_NEEDS_YOU] = { "It needs you", "Une intervention est nécessaire" },
	[TEXT_VERDICT_IDLE] = { "Ready, and nothing has come yet", "Prête ; rien n'est encore arrivé" },
	[TEXT_LAST_DELIVERED] = { "Last delivery", "Dernière transmission" },
	[TEXT_OLDEST_WAITING] = { "Oldest in the queue", "Plus ancien en file" },
	[TEXT_NOTHING_WAITS] = { "nothing waits", "rien n'attend" },
	[TEXT_QUEUED] = { "In the queue", "En file d'attente" },
	[TEXT_TO_LOOK_AT] = { "Need a person", "À traiter" },
	[TEXT_TARGETS_REACHED] = { "Targets on track", "Objectifs tenus" },
	[TEXT_OF] = { "of", "sur" },

	[TEXT_WHY_STOPPED] = { "Sending is stopped", "L'envoi est arrêté" },
	[TEXT_WHY_SLOWED] = { "Sending is slowed", "L'envoi est ralenti" },
	[TEXT_WHY_FOLDER] = { "A folder cannot be read", "Un dossier est illisible" },
	[TEXT_WHY_SOURCE] = { "An application cannot be told", "Une application n'est pas joignable" },
	[TEXT_WHY_NOT_READY] = { "Nothing can be taken in", "Rien ne peut être pris en charge" },

	[TEXT_NEEDS] = { "What needs somebody", "Ce qui demande une intervention" },
	[TEXT_NEEDS_NOBODY] = { "Nothing needs anybody.", "Rien ne demande d'intervention." },
	[TEXT_NEEDS_UNKNOWN] = {
		"The queue is being looked through…",
		"La file d'attente est en cours de lecture…" },
	[TEXT_DOCUMENT] = { "document", "document" },
	[TEXT_DOCUMENTS] = { "documents", "documents" },
	[TEXT_SINCE] = { "for", "depuis" },
	[TEXT_OLDEST] = { "oldest:", "le plus ancien :" },
	[TEXT_ALSO_WAITING] = {
		"Waiting for an event, nothing to do:",
		"En attente d'un évènement, rien à faire :" },
	[TEXT_LIST_THEM] = { "List them", "Les lister" },
	[TEXT_INVISIBLE] = {
		"Documents that their patients do not see yet, and should",
		"Documents que leurs patients ne voient pas encore, et devraient voir" },
	[TEXT_INVISIBLE_ACTION] = {
		"Send a visible version that replaces each.",
		"Envoyer une version visible qui remplace chacun." },

	[TEXT_STATE_HELD] = { "held", "retenus" },
	[TEXT_STATE_QUEUED] = { "queued", "en file" },
	[TEXT_STATE_SENDING] = { "being sent", "en cours d'envoi" },
	[TEXT_STATE_DELIVERED] = { "delivered", "transmis" },
	[TEXT_STATE_REFUSED] = { "not for their DMP", "refusés par leur DMP" },
	[TEXT_STATE_REJECTED] = { "rejected", "rejetés" },
	[TEXT_STATE_SUPPRESSED] = { "unchanged", "inchangés" },
	[TEXT_STATE_CANCELLED] = { "withdrawn", "annulés" },
	[TEXT_STATES] = { "All documents, by state", "Tous les documents, par état" },

	[TEXT_LANES] = { "Ways to the DMP", "Voies vers le DMP" },
	[TEXT_LANE] = { "Legal entity", "Entité juridique" },
	[TEXT_STATE] = { "State", "État" },
	[TEXT_IN_FLIGHT] = { "Under way", "En cours" },
	[TEXT_DELIVERED_SINCE_START] = { "Delivered since start", "Transmis depuis le démarrage" },
	[TEXT_RESUMES] = { "tries again", "nouvel essai" },
	[TEXT_OPEN] = { "open", "ouverte" },
	[TEXT_SLOWED] = { "slowed", "ralentie" },
	[TEXT_STOPPED] = { "stopped", "arrêtée" },

	[TEXT_TARGETS] = { "Usage targets", "Objectifs d'usage" },
	[TEXT_NO_TARGETS] = {
		"No usage target is configured.",
		"Aucun objectif d'usage n'est configuré." },
	[TEXT_NO_TARGETS_ACTION] = {
		"Programmes (SUN-ES, HOP'EN 2, your own) are YAML files: once their folder is named (targets.dir), each establishment stands here against its thresholds.",
		"Les programmes (SUN-ES, HOP'EN 2, les vôtres) sont des fichiers YAML : une fois leur dossier nommé (targets.dir), chaque établissement figure ici face à ses seuils." },
	[TEXT_TARGETS_COMING] = { "Being counted…", "Décompte en cours…" },
	[TEXT_NO_WINDOW] = { "No programme has a window open now.", "Aucun programme n'a de fenêtre ouverte." },
	[TEXT_THRESHOLD] = { "threshold", "seuil" },
	[TEXT_CEILING] = { "at most", "au plus" },
	[TEXT_TO_CONFIRM] = { "to be confirmed", "à confirmer" },
	[TEXT_MISSING_NOW] = { "Missing now", "Manquent à ce jour" },
	[TEXT_MISSING_END] = { "To reach by the end", "Manquent d'ici la fin" },
	[TEXT_PROJECTED] = { "At this pace, at the end", "À ce rythme, à la fin" },
	[TEXT_TARGET_MET] = { "reached", "atteint" },
	[TEXT_TARGET_ON_TRACK] = { "on track", "en bonne voie" },
	[TEXT_TARGET_AT_RISK] = { "at risk", "menacé" },
	[TEXT_TARGET_OUT_OF_REACH] = { "out of reach", "hors d'atteinte" },
	[TEXT_TARGET_NONE] = { "no threshold", "sans seuil" },
	[TEXT_TARGET_UNKNOWN] = { "not measurable", "non mesurable" },

	[TEXT_CURVES] = { "Activity", "Activité" },
	[TEXT_LAST_DAY] = { "24 hours", "24 heures" },
	[TEXT_LAST_MONTH] = { "30 days", "30 jours" },
	[TEXT_RECEIVED] = { "received", "reçus" },
	[TEXT_DELIVERED] = { "delivered", "transmis" },
	[TEXT_REJECTED] = { "rejected", "rejetés" },
	[TEXT_NOW] = { "now", "maintenant" },
	[TEXT_TODAY] = { "today", "aujourd'hui" },
	[TEXT_FIGURES] = { "Figures", "Chiffres" },
	[TEXT_WHEN] = { "When", "Quand" },
	[TEXT_NO_ACTIVITY] = { "No document in this time.", "Aucun document sur cette période." },
	[TEXT_SHOWN_SINCE] = { "Known since", "Connu depuis" },

	[TEXT_CERTIFICATES] = { "Certificates", "Certificats" },
	[TEXT_CERTIFICATE] = { "Certificate", "Certificat" },
	[TEXT_USE] = { "Use", "Usage" },
	[TEXT_ENDS] = { "Ends", "Échéance" },
	[TEXT_DAYS_LEFT] = { "Days left", "Jours restants" },
	[TEXT_EXPIRED] = { "ended", "échu" },
	[TEXT_ROLE_AUTH] = { "connects to the DMP", "connexion au DMP" },
	[TEXT_ROLE_SIGN] = { "signs", "signature" },
	[TEXT_ROLE_LISTENER] = { "receives messages", "réception des messages" },
	[TEXT_ROLE_ACK] = { "answers the application", "réponse à l'application" },
	[TEXT_ROLE_STATUS] = { "this page", "cette page" },

	[TEXT_WAYS_IN] = { "Ways in", "Entrées" },
	[TEXT_LISTENERS] = { "Listeners", "Écoutes HL7" },
	[TEXT_LISTENER] = { "Listener", "Écoute" },
	[TEXT_MESSAGES] = { "Messages", "Messages" },
	[TEXT_CONNECTIONS] = { "Connections", "Connexions" },
	[TEXT_LAST_MESSAGE] = { "Last message", "Dernier message" },
	[TEXT_REFUSED_CONNECTIONS] = { "Turned away", "Refusées" },
	[TEXT_BROKEN_FRAMES] = { "Broken", "Mal formés" },
	[TEXT_FOLDERS] = { "Folders", "Dossiers" },
	[TEXT_FOLDER] = { "Folder", "Dossier" },
	[TEXT_WAITING] = { "Waiting", "En attente" },
	[TEXT_TAKEN] = { "Taken", "Pris" },
	[TEXT_REJECTED_FILES] = { "Rejected", "Rejetés" },
	[TEXT_LAST_FILE] = { "Last file", "Dernier fichier" },

	[TEXT_SOURCES] = { "Applications that are told", "Applications informées en retour" },
	[TEXT_SOURCE] = { "Application", "Application" },
	[TEXT_TOLD] = { "Told", "Informée" },
	[TEXT_LAST_TOLD] = { "Last told", "Dernier retour" },

	[TEXT_UPTIME] = { "running for", "en marche depuis" },
	[TEXT_TECHNICAL] = { "For machines:", "Pour les machines :" },
	[TEXT_NO_PATIENT_DATA] = {
		"This page shows nothing about any patient.",
		"Cette page ne montre rien d'aucun patient." },
};
/* clang-format on */

const char *page_text(enum page_text text, bool french)
{
	return french ? rows[text].french : rows[text].english;
}
