/* The files that are written out, and their columns. Pure. */
#include "operator/export_columns.h"

#include "base/buf.h"

enum { MOST_COLUMNS = 26 };

/* clang-format off */
static const struct file {
	const char *name;
	const char *columns[MOST_COLUMNS]; /* fixed: other programs read them */
} files[EXPORT_FILES] = {
	[EXPORT_COUNTERS] = { "counters.csv", {
		"finess_ej", "finess_eg", "site", "champ", "month", "channel", "type_code", "type_label", "outcome", "n",
		"origin" } },
	[EXPORT_TARGETS] = { "targets.csv", {
		"programme", "window", "window_start", "window_end", "indicator", "finess_ej", "finess_eg", "champ",
		"numerator", "denominator", "denominator_source", "denominator_revision", "rate", "threshold",
		"threshold_status", "missing_now", "missing_end", "needed_per_day", "current_per_day", "projected_rate",
		"projected_low", "projected_high", "state", "definition_hash", "as_of" } },
	[EXPORT_REJECTIONS] = { "rejections.csv", {
		"finess_eg", "uf", "source_app", "month", "type_code", "outcome", "dmp_code", "n", "oldest", "newest",
		"suggested_action" } },
	[EXPORT_RECONCILIATION] = { "reconciliation.csv", {
		"finess_eg", "type_code", "month", "ours", "declared", "official", "gap_pct", "comment" } },
	[EXPORT_DELAYS] = { "delays.csv", {
		"finess_eg", "uf", "type_code", "month", "n", "d0", "d1", "d2_d8", "d9_plus", "median_hours", "p90_hours" } },
	[EXPORT_EVIDENCE] = { "evidence.csv", {
		"doc_id", "unique_id", "finess_eg", "type_code", "t_submitted_utc", "t_accepted_utc", "dmp_reply_id",
		"lineage_id", "body_sha256" } },
};

/* What a column means in one file goes before what it means in all. */
static const struct meaning {
	enum export_file file; /* EXPORT_FILES: all */
	const char *column, *english, *french;
} meanings[] = {
	{ EXPORT_FILES, "finess_ej", "the legal entity", "l'entité juridique" },
	{ EXPORT_FILES, "finess_eg", "the site, by the number that it had then",
	  "le site, sous le numéro qu'il avait alors" },
	{ EXPORT_RECONCILIATION, "finess_eg", "the site, by the number that it has now",
	  "le site, sous son numéro actuel" },
	{ EXPORT_TARGETS, "finess_eg", "the site, by the number that it has now; empty: the indicator is the entity's",
	  "le site, sous son numéro actuel ; vide : l'indicateur est celui de l'entité" },
	{ EXPORT_FILES, "site", "the name of the site", "le nom du site" },
	{ EXPORT_FILES, "champ", "the field of activity: MCO, SMR, PSY, HAD…; empty: not known, or all of them",
	  "le champ d'activité : MCO, SMR, PSY, HAD… ; vide : inconnu, ou tous" },
	{ EXPORT_FILES, "month", "the month (Europe/Paris) in which it happened",
	  "le mois (Europe/Paris) où cela s'est produit" },
	{ EXPORT_COUNTERS, "month", "the month (Europe/Paris) in which the outcome came; of RECEIVED, in which the document came",
	  "le mois (Europe/Paris) de l'issue ; pour RECEIVED, celui de l'arrivée du document" },
	{ EXPORT_DELAYS, "month", "the month (Europe/Paris) in which the DMP accepted the document",
	  "le mois (Europe/Paris) où le DMP a accepté le document" },
	{ EXPORT_FILES, "channel", "where it was sent: DMP", "le canal d'envoi : DMP" },
	{ EXPORT_FILES, "type_code", "the document's type (typeCode)", "le type du document (typeCode)" },
	{ EXPORT_FILES, "type_label", "what the type is called in the list in force",
	  "le libellé du type dans la nomenclature en vigueur" },
	{ EXPORT_COUNTERS, "outcome", "ACCEPTED and ACCEPTED_RECONCILED: each document once with all its versions (unique); "
	  "REPLACED_OK: later versions (gross: with these); DELETED_OK: deletions, in their own month (net: without "
	  "these); the others count events",
	  "ACCEPTED et ACCEPTED_RECONCILED : chaque document une fois, toutes versions confondues (unique) ; REPLACED_OK : "
	  "versions suivantes (brut : avec elles) ; DELETED_OK : suppressions, dans leur mois (net : sans elles) ; les "
	  "autres comptent des événements" },
	{ EXPORT_REJECTIONS, "outcome", "the outcome in counters.csv that this is a part of",
	  "l'issue de counters.csv dont ceci est une partie" },
	{ EXPORT_COUNTERS, "n", "how many", "combien" },
	{ EXPORT_REJECTIONS, "n", "how many times in the month; a document that is tried again counts again",
	  "combien de fois dans le mois ; un document renvoyé compte de nouveau" },
	{ EXPORT_DELAYS, "n", "documents, once with all their versions, whose stay is known to have ended",
	  "documents, une fois toutes versions confondues, dont la fin de séjour est connue" },
	{ EXPORT_FILES, "origin", "ours: counted here; declared: by the hospital; official: by the CNAM",
	  "ours : compté ici ; declared : déclaré par l'établissement ; official : compté par la CNAM" },

	{ EXPORT_FILES, "programme", "the programme", "le programme" },
	{ EXPORT_FILES, "window", "the window", "la fenêtre" },
	{ EXPORT_FILES, "window_start", "its first day", "son premier jour" },
	{ EXPORT_FILES, "window_end", "its last day; empty: it goes on", "son dernier jour ; vide : elle est ouverte" },
	{ EXPORT_FILES, "indicator", "the indicator; what it counts is under programmes here",
	  "l'indicateur ; ce qu'il compte est sous programmes ici" },
	{ EXPORT_FILES, "numerator", "what counts, up to the last day that the denominator is known for",
	  "ce qui compte, jusqu'au dernier jour où le dénominateur est connu" },
	{ EXPORT_FILES, "denominator", "what it is divided by; empty: not known", "ce qui divise ; vide : inconnu" },
	{ EXPORT_FILES, "denominator_source", "dim_import, manual, adt, produced or same_numerator",
	  "dim_import, manual, adt, produced ou same_numerator" },
	{ EXPORT_FILES, "denominator_revision", "the newest import of it", "son import le plus récent" },
	{ EXPORT_FILES, "rate", "a share (0.612 is 61.2 %), or the count of an indicator that counts",
	  "une part (0,612 vaut 61,2 %), ou le compte pour un indicateur de nombre" },
	{ EXPORT_FILES, "threshold", "to be reached; empty: nobody has said one", "à atteindre ; vide : personne ne l'a fixé" },
	{ EXPORT_FILES, "threshold_status", "official, internal, or to_confirm", "official, internal ou to_confirm" },
	{ EXPORT_FILES, "missing_now", "missing if the window closed now", "ce qui manque si la fenêtre fermait maintenant" },
	{ EXPORT_FILES, "missing_end", "still to be accepted before its end", "à faire accepter encore avant la fin" },
	{ EXPORT_FILES, "needed_per_day", "a working day, for that", "par jour ouvré, pour cela" },
	{ EXPORT_FILES, "current_per_day", "a working day, lately", "par jour ouvré, dernièrement" },
	{ EXPORT_FILES, "projected_rate", "at the end, at this pace", "à la fin, à ce rythme" },
	{ EXPORT_FILES, "projected_low", "at the end, at the pace of bad weeks", "à la fin, au rythme des mauvaises semaines" },
	{ EXPORT_FILES, "projected_high", "at the end, at the pace of good weeks", "à la fin, au rythme des bonnes semaines" },
	{ EXPORT_FILES, "state", "MET_NOW, ON_TRACK, AT_RISK, OUT_OF_REACH, NO_TARGET or NO_DENOMINATOR",
	  "MET_NOW, ON_TRACK, AT_RISK, OUT_OF_REACH, NO_TARGET ou NO_DENOMINATOR" },
	{ EXPORT_FILES, "definition_hash", "SHA-256 of the indicator's definition", "SHA-256 de la définition de l'indicateur" },
	{ EXPORT_FILES, "as_of", "when that was counted (UTC); of a window that is counted no longer, when it was frozen",
	  "quand cela a été compté (UTC) ; d'une fenêtre qui n'est plus comptée, quand elle a été figée" },

	{ EXPORT_FILES, "uf", "the unit that produced the document; empty: not known",
	  "l'unité fonctionnelle qui a produit le document ; vide : inconnue" },
	{ EXPORT_FILES, "source_app", "the application that sent it", "l'application qui l'a envoyé" },
	{ EXPORT_FILES, "dmp_code", "the DMP's error code; empty: the document did not get that far",
	  "le code d'erreur du DMP ; vide : le document n'est pas allé jusque-là" },
	{ EXPORT_FILES, "oldest", "the first time (UTC)", "la première fois (UTC)" },
	{ EXPORT_FILES, "newest", "the last time (UTC)", "la dernière fois (UTC)" },
	{ EXPORT_FILES, "suggested_action", "what to do about it", "que faire" },

	{ EXPORT_FILES, "ours", "ACCEPTED and ACCEPTED_RECONCILED here", "ACCEPTED et ACCEPTED_RECONCILED ici" },
	{ EXPORT_FILES, "declared", "what the hospital declared; empty: not known",
	  "ce que l'établissement a déclaré ; vide : inconnu" },
	{ EXPORT_FILES, "official", "what the CNAM counted; empty: not known", "ce que la CNAM a compté ; vide : inconnu" },
	{ EXPORT_FILES, "gap_pct", "100 x (ours - official) / official", "100 x (ours - official) / official" },
	{ EXPORT_FILES, "comment", "what the gap says", "ce que dit l'écart" },

	{ EXPORT_FILES, "d0", "accepted by the end of the day of discharge, or before it",
	  "acceptés au plus tard le jour de la sortie" },
	{ EXPORT_FILES, "d1", "accepted on the next day", "acceptés le lendemain" },
	{ EXPORT_FILES, "d2_d8", "accepted on the second to the eighth day", "acceptés du deuxième au huitième jour" },
	{ EXPORT_FILES, "d9_plus", "accepted later", "acceptés plus tard" },
	{ EXPORT_FILES, "median_hours", "from the discharge to the acceptance, of half of them at most; accepted before it: 0",
	  "de la sortie à l'acceptation, au plus pour la moitié ; accepté avant : 0" },
	{ EXPORT_FILES, "p90_hours", "the same, of nine in ten", "de même, pour neuf sur dix" },

	{ EXPORT_FILES, "doc_id", "the document's id in this gateway", "l'identifiant du document dans cette passerelle" },
	{ EXPORT_FILES, "unique_id", "its id in the DMP (XDS uniqueId)", "son identifiant dans le DMP (uniqueId XDS)" },
	{ EXPORT_FILES, "t_submitted_utc", "when it was first sent", "quand il a été envoyé pour la première fois" },
	{ EXPORT_FILES, "t_accepted_utc", "when the DMP had it", "quand le DMP l'a eu" },
	{ EXPORT_FILES, "dmp_reply_id", "the row of the audit chain that holds the DMP's answer (dmpfeedctl show, verify)",
	  "la ligne de la chaîne d'audit qui porte la réponse du DMP (dmpfeedctl show, verify)" },
	{ EXPORT_FILES, "lineage_id", "the document that its first version was: versions share it",
	  "le document qu'était sa première version : les versions le partagent" },
	{ EXPORT_FILES, "body_sha256", "SHA-256 of the document as it was received",
	  "SHA-256 du document tel qu'il a été reçu" },
};
/* clang-format on */

const char *export_file_name(enum export_file file)
{
	return files[file].name;
}

const char *const *export_file_columns(enum export_file file)
{
	return files[file].columns;
}

static const struct meaning *meaning_of(enum export_file file, const char *column)
{
	const struct meaning *found = NULL;

	for (size_t i = 0; i < length_of(meanings); i++) {
		if (strcmp(meanings[i].column, column) != 0)
			continue;
		if (meanings[i].file == file)
			return &meanings[i];
		if (meanings[i].file == EXPORT_FILES)
			found = &meanings[i];
	}
	return found;
}

json_t *export_definitions(enum export_file file, bool french)
{
	json_t *definitions = json_object();

	for (size_t i = 0; files[file].columns[i] != NULL; i++) {
		const char *column = files[file].columns[i];
		const struct meaning *meaning = meaning_of(file, column);

		if (meaning != NULL)
			json_object_set_new(
				definitions, column,
				json_string(french ? meaning->french : meaning->english));
	}
	return definitions;
}
