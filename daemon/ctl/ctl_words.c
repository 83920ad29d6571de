/* What dmpfeedctl says, in English and French, and what it lets reach a terminal. One thread. */
#include "ctl/ctl_words.h"

#include <stdio.h>

#include "base/obeyed.h"

static bool french;

/* Our words; those that French shares are not in it. */
/* clang-format off */
static const struct {
	const char *english, *french;
} words[] = {
	{ "yes", "oui" },
	{ "no", "non" },
	{ "d", "j" },

	{ "Ready", "Prête" },
	{ "because", "parce que" },
	{ "Last delivery", "Dernier envoi" },
	{ "Oldest waiting for", "Plus ancien en attente depuis" },
	{ "Invisible for too long", "Invisibles depuis trop longtemps" },
	{ "Running for", "En marche depuis" },
	{ "Patient not asked", "Patient non interrogé" },
	{ "Environment", "Environnement" },
	{ "Number", "Nombre" },
	{ "Stay", "Séjour" },
	{ "Unit", "Unité" },
	{ "Begun", "Début" },
	{ "Ended", "Fin" },
	{ "Days", "Jours" },
	{ "Sensitive", "Sensible" },
	{ "Letter", "Lettre" },
	{ "No stay without a letter.", "Aucun séjour sans lettre." },
	{ "Stays without a letter", "Séjours sans lettre" },
	{ "stays that have ended, with their numbers; who asks is kept",
	  "séjours terminés, avec leurs numéros ; qui les demande est consigné" },
	{ "those that ended, and of which the DMP has no discharge letter",
	  "ceux qui sont terminés et dont le DMP n'a pas de lettre de sortie" },
	{ "Metadata", "Métadonnées" },
	{ "From", "Provenance" },
	{ "Value", "Valeur" },
	{ "Lanes", "Voies" },
	{ "Listeners", "Écoutes" },
	{ "Folders", "Dossiers" },
	{ "Name", "Nom" },
	{ "State", "État" },
	{ "Why", "Pourquoi" },
	{ "In flight", "En cours" },
	{ "Delivered", "Transmis" },
	{ "Tries again", "Reprise" },
	{ "Address", "Adresse" },
	{ "Connections", "Connexions" },
	{ "Broken frames", "Trames invalides" },
	{ "Stray bytes", "Octets hors trame" },
	{ "Too many", "En trop" },
	{ "Not allowed", "Non autorisés" },
	{ "TLS failed", "TLS en échec" },
	{ "Identities (ADT)", "Identités (ADT)" },
	{ "this option takes a value", "cette option prend une valeur" },
	{ "there is no such option, or it takes no value",
	  "cette option n'existe pas, ou ne prend pas de valeur" },
	{ "of these, ignored", "dont ignorées" },
	{ "of these, unusable", "dont inutilisables" },
	{ "Answers (ACK)", "Réponses (ACK)" },
	{ "Last message", "Dernier message" },
	{ "Path", "Chemin" },
	{ "Waiting", "En attente" },
	{ "Taken", "Pris" },
	{ "Rejected", "Rejetés" },
	{ "Last file", "Dernier fichier" },
	{ "Trouble", "Problème" },
	{ "Acknowledgements to sources", "Accusés de réception aux sources" },
	{ "Oldest", "Le plus ancien" },
	{ "Told", "Remis" },
	{ "Refused", "Refusés" },
	{ "Failed", "Échecs" },
	{ "Last told", "Dernier remis" },
	{ "Forwarded audit trail", "Piste d'audit transmise" },
	{ "Last row", "Dernière ligne" },
	{ "Arrived", "Arrivée" },

	{ "Alerts", "Alertes" },
	{ "Alert", "Alerte" },
	{ "Severity", "Gravité" },
	{ "Since", "Depuis" },
	{ "Of", "De" },
	{ "Role", "Rôle" },
	{ "Days left", "Jours restants" },
	{ "Ends", "Fin" },
	{ "Subject", "Sujet" },
	{ "who did what, and when: the newest last", "qui a fait quoi, et quand : le plus récent en dernier" },
	{ "what this user did only", "ce que cet utilisateur a fait seulement" },
	{ "Nobody did anything in that time.", "Personne n'a rien fait sur cette période." },
	{ "There may be more before these: add --to or --limit",
	  "Il peut y en avoir d'autres avant : ajouter --to ou --limit" },
	{ "No certificate.", "Aucun certificat." },
	{ "the certificates in use, and until when", "les certificats utilisés, et jusqu'à quand" },

	{ "No document.", "Aucun document." },
	{ "what waits, by lane, type and age", "ce qui attend, par voie, type et âge" },
	{ "What waits, by the age that it is below:", "Ce qui attend, selon l'âge qu'il n'a pas atteint :" },
	{ "Nothing waits.", "Rien n'attend." },
	{ "1 d", "1 j" },
	{ "what is counted, by site, type, outcome and day",
	  "ce qui est compté, par site, type, issue et jour" },
	{ "from this day on, like 2026-11-01", "à partir de ce jour, comme 2026-11-01" },
	{ "up to this day", "jusqu'à ce jour" },
	{ "numbers of days, or of months", "nombres par jour, ou par mois" },
	{ "count all anew from the history, in the background",
	  "recompter tout d'après l'historique, en arrière-plan" },
	{ "All is counted anew, in the background.", "Tout est recompté, en arrière-plan." },
	{ "Not all is counted yet: ask again in a moment.",
	  "Tout n'est pas encore compté : redemander dans un instant." },
	{ "Nothing was counted in that time.", "Rien n'a été compté sur cette période." },
	{ "Entity", "Entité" },
	{ "Now", "Actuel" },
	{ "Field", "Champ" },
	{ "Day", "Jour" },
	{ "Month", "Mois" },
	{ "Outcome", "Issue" },
	{ "delete a document in the DMP, which cannot be undone; asks twice",
	  "supprimer un document dans le DMP, sans retour ; demande deux fois" },
	{ "What the DMP deletes does not come back.", "Ce que le DMP supprime ne revient pas." },
	{ "Type the document's id again:", "Retaper l'identifiant du document :" },
	{ "Delete it in the DMP?", "Le supprimer dans le DMP ?" },
	{ "nothing was done", "rien n'a été fait" },
	{ "Deletion", "Suppression" },
	{ "Other form", "Autre forme" },
	{ "With its other form", "Avec son autre forme" },
	{ "Its deletion", "Sa suppression" },
	{ "Why not that one", "Pourquoi pas elle" },
	{ "With it goes the other form of its content:", "Avec lui part l'autre forme de son contenu :" },
	{ "The other form of its content stays as it is:", "L'autre forme de son contenu reste telle quelle :" },
	{ "what happens to documents, as it happens",
	  "ce qui arrive aux documents, au moment où cela arrive" },
	{ "3 d", "3 j" },
	{ "7 d", "7 j" },
	{ "older", "au-delà" },
	{ "There may be more: add --after", "Il peut y en avoir d'autres : ajouter --after" },
	{ "looked at", "examinés" },
	{ "remain: ask again with --after", "restent : recommencer avec --after" },
	{ "Reason", "Motif" },
	{ "Received", "Reçu" },
	{ "Attempts", "Tentatives" },
	{ "Not before", "Pas avant" },
	{ "Its lane is", "Sa voie est" },
	{ "since", "depuis" },
	{ "Identifier", "Identifiant" },
	{ "Lane", "Voie" },
	{ "Channel", "Canal" },
	{ "Origin", "Origine" },
	{ "Meaning", "Explication" },
	{ "What to do", "À faire" },
	{ "In doubt", "Douteux" },
	{ "Bytes", "Octets" },
	{ "Changed", "Modifié" },
	{ "Goes by itself", "Part de lui-même" },
	{ "Body purged", "Contenu purgé" },
	{ "History", "Historique" },
	{ "When", "Quand" },
	{ "What", "Quoi" },
	{ "Attempt", "Tentative" },
	{ "Text", "Texte" },
	{ "Who", "Qui" },
	{ "Backup", "Sauvegarde" },
	{ "Done", "Fait" },
	{ "would be", "serait fait" },
	{ "Before", "Avant" },
	{ "Why not", "Pourquoi pas" },

	{ "rows, chain whole, head", "lignes, chaîne intègre, tête" },
	{ "rows, faults:", "lignes, défauts :" },

	{ "read the configuration again: all of it takes effect, or nothing",
	  "relire la configuration : tout prend effet, ou rien" },
	{ "added", "ajouté" },
	{ "removed", "retiré" },
	{ "Reloaded. Changes:", "Rechargé. Changements :" },
	{ "Not reloaded: nothing has changed.", "Pas rechargé : rien n'a changé." },

	{ "COMMAND", "COMMANDE" },
	{ "Commands", "Commandes" },
	{ "is the gateway working", "la passerelle fonctionne-t-elle" },
	{ "documents, oldest first", "les documents, du plus ancien au plus récent" },
	{ "one document and its history: DOC is its id, or its identifier in the DMP",
	  "un document et son historique : DOC est son identifiant ici, ou dans le DMP" },
	{ "the daemon's socket", "le socket du démon" },
	{ "JSON instead of columns", "du JSON au lieu de colonnes" },
	{ "default", "par défaut" },
	{ "this help", "cette aide" },
	{ "the version of dmpfeedctl", "la version de dmpfeedctl" },
	{ "in this state only, or invisible: delivered, and still hidden from the patient",
	  "dans cet état seulement, ou invisible : remis, et encore caché au patient" },
	{ "for this reason only", "pour ce motif seulement" },
	{ "of this geographic FINESS only", "de ce FINESS géographique seulement" },
	{ "so many at most", "tant au plus" },
	{ "documents after this one; stays so many days after their end",
	  "les documents qui suivent celui-ci ; les séjours tant de jours après leur fin" },
	{ "those that came longer ago than this, like 15d or 36h; of those that are hidden, "
	  "delivered longer ago",
	  "ceux arrivés il y a plus longtemps que cela, comme 15j ou 36h ; pour ceux qui sont cachés, "
	  "remis depuis plus longtemps" },
	{ "--older-than takes a number and s, min, h or d (15d)",
	  "--older-than attend un nombre suivi de s, min, h ou j (15j)" },
	{ "keep documents until they are released",
	  "retenir des documents jusqu'à ce qu'on les libère" },
	{ "send documents that are held", "envoyer des documents retenus" },
	{ "send again now, under the same ids, what was rejected or refused or waits",
	  "renvoyer maintenant, sous les mêmes identifiants, ce qui est rejeté, refusé ou en attente" },
	{ "give up documents that the DMP does not have",
	  "abandonner des documents que le DMP n'a pas" },
	{ "only say what would be done", "dire seulement ce qui serait fait" },
	{ "also what only a person can answer for: an identity that is not qualified, a version out "
	  "of order, an attempt in doubt",
	  "aussi ce dont seule une personne peut répondre : une identité non qualifiée, une version "
	  "avant son tour, une tentative douteuse" },
	{ "copy the whole queue to a file, while it is at work",
	  "copier toute la file dans un fichier, sans arrêter la passerelle" },
	{ "is the database whole, and the audit chain through its history",
	  "la base est-elle intègre, et la chaîne d'audit de son historique" },
	{ "Exit status: 0 done, 1 the daemon says no or found a fault, 2 misused, 3 the daemon cannot "
	  "be reached.",
	  "Code de retour : 0 fait, 1 le démon refuse ou a trouvé un défaut, 2 mauvais usage, 3 démon "
	  "injoignable." },

	{ "how far each place is from its usage targets",
	  "à quelle distance chaque site est de ses objectifs d'usage" },
	{ "bring denominators: finess_eg;champ;month;n",
	  "apporter des dénominateurs : finess_eg;champ;month;n" },
	{ "bring what the CNAM counted: finess_eg;type_code;month;n",
	  "apporter ce que la CNAM a compté : finess_eg;type_code;month;n" },
	{ "which denominator it is", "de quel dénominateur il s'agit" },
	{ "a YAML file of what the file calls its columns and types",
	  "un fichier YAML disant comment le fichier appelle ses colonnes et ses types" },
	{ "what the hospital declared, not what the CNAM counted",
	  "ce que l'établissement a déclaré, non ce que la CNAM a compté" },
	{ "write counters, targets, rejections, reconciliation and delays to CSV files",
	  "écrire compteurs, objectifs, rejets, rapprochement et délais dans des fichiers CSV" },
	{ "how well each site feeds the DMP, and which units do not at all",
	  "comment chaque site alimente le DMP, et quelles unités pas du tout" },
	{ "Of what was to be fed", "Du produit" },
	{ "Without what was refused", "Hors refus" },
	{ "Stays with a letter", "Séjours avec lettre" },
	{ "Letters on the day", "Lettres du jour" },
	{ "next day", "lendemain" },
	{ "to the 8th", "jusqu'au 8e" },
	{ "later", "plus tard" },
	{ "First attempt", "Premier essai" },
	{ "Replaced", "Remplacés" },
	{ "Hidden", "Masqués" },
	{ "for too long", "trop longtemps" },
	{ "Weeks fed", "Semaines alimentées" },
	{ "Unit", "Unité" },
	{ "Discharges", "Sorties" },
	{ "Units that patients leave, and of which the DMP has nothing",
	  "Unités que des patients quittent, et dont le DMP n'a rien" },
	{ "for a reader outside the hospital: small counts are not told",
	  "pour un lecteur extérieur à l'établissement : les petits effectifs sont masqués" },
	{ "also evidence.csv, a row for each document, for an audit; noted in the audit trail",
	  "aussi evidence.csv, une ligne par document, pour un contrôle ; noté dans la piste d'audit" },
	{ "cannot write the files", "impossible d'écrire les fichiers" },
	{ "File", "Fichier" },
	{ "Rows", "Lignes" },
	{ "No target.", "Aucun objectif." },
	{ "Window", "Fenêtre" },
	{ "Indicator", "Indicateur" },
	{ "Place", "Lieu" },
	{ "Count", "Compte" },
	{ "Rate", "Taux" },
	{ "Target", "Objectif" },
	{ "Missing", "Manquent" },
	{ "Missing at the end", "Manqueront à la fin" },
	{ "Projected", "Projeté" },
	{ "Frozen", "Figé" },
	{ "Figures", "Chiffres" },
	{ "Denominator", "Dénominateur" },
	{ "First month", "Premier mois" },
	{ "Last month", "Dernier mois" },
	{ "Sum", "Somme" },
	{ "Revision", "Révision" },
	{ "Only tried", "À blanc" },
	{ "Unknown sites", "Sites inconnus" },
	{ "What is wrong with the file; nothing of it was kept", "Ce qui ne va pas dans le fichier ; rien n'en a été gardé" },
	{ "Counts that differ", "Comptes qui diffèrent" },
	{ "Site", "Site" },
	{ "Type", "Type" },
	{ "Month", "Mois" },
	{ "Ours", "Les nôtres" },
	{ "Declared", "Déclaré" },
	{ "Official", "Officiel" },
	{ "Gap", "Écart" },
	{ "Level", "Niveau" },

	{ "See dmpfeedctl --help.", "Voir dmpfeedctl --help." },
	{ "no command", "pas de commande" },
	{ "no such command", "commande inconnue" },
	{ "this command does not take the option", "cette commande ne prend pas l'option" },
	{ "this command is written", "cette commande s'écrit" },
	{ "--limit takes a number from 1 to 10000", "--limit attend un nombre de 1 à 10000" },
	{ "an argument is not UTF-8", "un argument n'est pas en UTF-8" },
	{ "cannot reach dmpfeedd", "dmpfeedd est injoignable" },
	{ "Is it running (systemctl status dmpfeed)? Is this its control.socket?",
	  "Est-il démarré (systemctl status dmpfeed) ? Est-ce bien son control.socket ?" },
	{ "It has stopped: see systemctl status dmpfeed.",
	  "Il s'est arrêté : voir systemctl status dmpfeed." },
	{ "Ask as root, as the user that runs dmpfeedd, or as a member of a group of control.groups.",
	  "Demander en root, avec le compte qui exécute dmpfeedd, ou comme membre d'un groupe de control.groups." },
	{ "The path of a socket has 1 to 107 bytes.",
	  "Le chemin d'un socket a de 1 à 107 octets." },
	{ "See systemctl status dmpfeed.", "Voir systemctl status dmpfeed." },
	{ "the answer of dmpfeedd broke off", "la réponse de dmpfeedd s'est interrompue" },
	{ "there is no memory left", "il n'y a plus de mémoire" },
	{ "What was asked for may have been done all the same.",
	  "Ce qui était demandé a peut-être été fait malgré tout." },
	{ "cannot write the answer", "impossible d'écrire la réponse" },
};
/* clang-format on */

/* The first variable that is set decides, as for every program (locale(7)). */
void ctl_choose_language(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = "";

	for (size_t i = 0; i < length_of(variables) && value[0] == '\0'; i++)
		value = slice_of(getenv(variables[i])).p;
	french = slice_starts(slice_of(value), "fr");
}

bool ctl_is_french(void)
{
	return french;
}

const char *ctl_language(void)
{
	return french ? "fr" : "en";
}

const char *ctl_say(const char *english)
{
	for (size_t i = 0; french && i < length_of(words); i++)
		if (strcmp(words[i].english, english) == 0)
			return words[i].french;
	return english;
}

/* Answers quote file names and other people's words: none of their bytes may move the cursor,
 * colour the terminal or turn a line round. Such characters become what JSON writes for them, so that JSON stays the
 * same JSON; `kept` is the one that is ours.
 */
void ctl_add_clean(struct buf *out, const char *text, char kept)
{
	for (size_t n; *text != '\0'; text += max(n, (size_t)1)) {
		uint32_t code;

		n = *text == kept ? 0 : obeyed_at(text, &code);
		if (n > 0)
			buf_addf(out, "\\u%04x", (unsigned)code);
		else
			buf_add_char(out, *text);
	}
}

int ctl_complain(int code, const char *what, const char *about, const char *advice)
{
	scoped(buf_done) struct buf line = { 0 };

	buf_add_text(&line, "dmpfeedctl: ");
	ctl_add_clean(&line, what, '\0');
	if (about[0])
		buf_add_text(&line, french ? " : " : ": ");
	ctl_add_clean(&line, about, '\0');
	fprintf(stderr, "%s\n%s%s", line.p, advice, advice[0] ? "\n" : "");
	return code;
}
