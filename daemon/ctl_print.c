/* How dmpfeedctl speaks to people. One thread. */
#include "ctl_print.h"

#include <assert.h>
#include <stdio.h>

/* ---- words ---- */

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
	{ "Environment", "Environnement" },
	{ "Number", "Nombre" },
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

	{ "Alerts", "Alertes" },
	{ "Alert", "Alerte" },
	{ "Severity", "Gravité" },
	{ "Since", "Depuis" },
	{ "Of", "De" },
	{ "Role", "Rôle" },
	{ "Days left", "Jours restants" },
	{ "Ends", "Fin" },
	{ "Subject", "Sujet" },
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
	{ "Next attempt", "Prochaine tentative" },
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

	{ "COMMAND", "COMMANDE" },
	{ "Commands", "Commandes" },
	{ "is the gateway working", "la passerelle fonctionne-t-elle" },
	{ "documents, oldest first", "les documents, du plus ancien au plus récent" },
	{ "one document and its history", "un document et son historique" },
	{ "the daemon's socket", "le socket du démon" },
	{ "JSON instead of columns", "du JSON au lieu de colonnes" },
	{ "default", "par défaut" },
	{ "this help", "cette aide" },
	{ "the version of dmpfeedctl", "la version de dmpfeedctl" },
	{ "in this state only", "dans cet état seulement" },
	{ "for this reason only", "pour ce motif seulement" },
	{ "of this geographic FINESS only", "de ce FINESS géographique seulement" },
	{ "so many at most", "tant au plus" },
	{ "those after this one", "ceux qui suivent celui-ci" },
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
	  "copier toute la file dans un fichier, pendant qu'elle travaille" },
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
	{ "--limit takes a number from 1 to 10000, not",
	  "--limit prend un nombre de 1 à 10000, pas" },
	{ "an argument is not UTF-8", "un argument n'est pas en UTF-8" },
	{ "cannot reach dmpfeedd", "dmpfeedd est injoignable" },
	{ "Is it running (systemctl status dmpfeed)? Is this its control.socket?",
	  "Est-il démarré (systemctl status dmpfeed) ? Est-ce bien son control.socket ?" },
	{ "It has stopped: see systemctl status dmpfeed.",
	  "Il s'est arrêté : voir systemctl status dmpfeed." },
	{ "Ask as root, or as the user that runs dmpfeedd.",
	  "Demander en root, ou avec le compte qui exécute dmpfeedd." },
	{ "The path of a socket has 1 to 107 bytes.",
	  "Le chemin d'un socket a de 1 à 107 octets." },
	{ "See systemctl status dmpfeed.", "Voir systemctl status dmpfeed." },
	{ "the answer of dmpfeedd broke off", "la réponse de dmpfeedd s'est interrompue" },
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

/* Answers quote file names and other people's words: none of their bytes may move the cursor or
 * colour the terminal. Control characters become what JSON writes for them, so that JSON stays the
 * same JSON; `kept` is the one that is ours.
 */
static void add_clean(struct buf *out, const char *text, char kept)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* U+0080 to U+009F */
			buf_addf(out, "\\u%04x", *++c);
		else if ((*c < ' ' && *c != kept) || *c == 0x7f)
			buf_addf(out, "\\u%04x", *c);
		else
			buf_add_char(out, (char)*c);
	}
}

int ctl_complain(int code, const char *what, const char *about, const char *advice)
{
	scoped(buf_done) struct buf line = { 0 };

	buf_add_text(&line, "dmpfeedctl: ");
	add_clean(&line, what, '\0');
	if (about[0])
		buf_add_text(&line, french ? " : " : ": ");
	add_clean(&line, about, '\0');
	fprintf(stderr, "%s\n%s%s", line.p, advice, advice[0] ? "\n" : "");
	return code;
}

/* ---- columns ---- */

/* A member of an object and its title, in English. A list of them ends with an empty one. */
struct column {
	const char *member, *title;
};

/* "" when there is nothing to show. */
static const char *cell_of(const json_t *row, const struct column *column, struct buf *cell)
{
	const json_t *value = json_object_get(row, column->member);

	buf_clear(cell);
	buf_add_text(cell, "");
	if (json_is_string(value))
		add_clean(cell, json_string_value(value), '\0');
	else if (json_is_integer(value))
		buf_addf(cell, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		buf_add_text(cell, ctl_say(json_is_true(value) ? "yes" : "no"));
	return cell->p;
}

/* In UTF-8 the bytes that continue a character take no place. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void add_padded(struct buf *line, const char *text, int width)
{
	buf_addf(line, "%s%*s", text, max(width - width_of(text), 0) + 2, "");
}

static void print_line(struct buf *line)
{
	while (line->n > 0 && line->p[line->n - 1] == ' ')
		line->p[--line->n] = '\0';
	puts(line->p);
	buf_clear(line);
}

/* 0: no row has anything in it. */
static int column_width(const json_t *rows, const struct column *column, struct buf *cell)
{
	int width = 0;

	for (size_t i = 0; i < json_array_size(rows); i++)
		width = max(width, width_of(cell_of(json_array_get(rows, i), column, cell)));
	return width ? max(width, width_of(ctl_say(column->title))) : 0;
}

enum { MOST_COLUMNS = 16 };

/* An array of objects, one a line under the titles. Columns in which no row has anything are left
 * out, and so is a table of which nothing is left. `heading`: "" for none.
 */
static void print_table(const char *heading, const json_t *rows, const struct column *columns)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	int widths[MOST_COLUMNS];

	for (size_t i = 0; columns[i].member; i++) {
		assert(i < MOST_COLUMNS);
		widths[i] = column_width(rows, &columns[i], &cell);
		if (widths[i] > 0)
			add_padded(&line, ctl_say(columns[i].title), widths[i]);
	}
	if (line.n == 0)
		return;
	if (heading[0])
		printf("\n%s\n", ctl_say(heading));
	print_line(&line);
	for (size_t row = 0; row < json_array_size(rows); row++) {
		for (size_t i = 0; columns[i].member; i++) {
			const char *text = cell_of(json_array_get(rows, row), &columns[i], &cell);

			if (widths[i] > 0)
				add_padded(&line, text[0] ? text : "-", widths[i]);
		}
		print_line(&line);
	}
}

/* An object, one member a line; those with nothing to show are left out. */
static void print_members(const json_t *object, const struct column *columns)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	int width = 0;

	for (size_t i = 0; columns[i].member; i++)
		width = max(width, width_of(ctl_say(columns[i].title)));
	for (size_t i = 0; columns[i].member; i++) {
		if (cell_of(object, &columns[i], &cell)[0] == '\0')
			continue;
		add_padded(&line, ctl_say(columns[i].title), width);
		buf_add(&line, buf_slice(&cell));
		print_line(&line);
	}
}

/* ---- what is printed of each answer ---- */

/* clang-format off */
static const struct column list_columns[] = {
	{ "doc", "Document" }, { "state", "State" }, { "reason", "Reason" },
	{ "type_code", "Type" }, { "site", "Site" }, { "source", "Source" },
	{ "received", "Received" }, { "attempts", "Attempts" },
	{ "next_attempt", "Next attempt" }, { NULL, NULL },
};

static const struct column certificate_columns[] = {
	{ "owner", "Of" }, { "role", "Role" }, { "days_left", "Days left" }, { "not_after", "Ends" },
	{ "subject", "Subject" }, { NULL, NULL },
};

static const struct column alert_columns[] = {
	{ "severity", "Severity" }, { "name", "Name" }, { "subject", "Subject" }, { "since", "Since" },
	{ "said", "Alert" }, { "advised", "What to do" }, { NULL, NULL },
};

static const struct column shape_columns[] = {
	{ "lane", "Lane" }, { "type_code", "Type" }, { "total", "Number" }, { "1min", "1 min" },
	{ "5min", "5 min" }, { "15min", "15 min" }, { "1h", "1 h" }, { "4h", "4 h" },
	{ "12h", "12 h" }, { "1d", "1 d" }, { "3d", "3 d" }, { "7d", "7 d" }, { "older", "older" },
	{ NULL, NULL },
};

static const struct column counter_columns[] = {
	{ "finess_ej", "Entity" }, { "finess_eg", "Site" }, { "current", "Now" }, { "field", "Field" },
	{ "type_code", "Type" }, { "channel", "Channel" }, { "day", "Day" }, { "month", "Month" },
	{ "outcome", "Outcome" }, { "n", "Number" }, { NULL, NULL },
};

static const struct column order_columns[] = {
	{ "doc", "Document" }, { "done", "Done" }, { "from", "Before" }, { "state", "State" },
	{ "reason", "Reason" }, { "sentence", "Why not" }, { NULL, NULL },
};

static const struct column target_columns[] = {
	{ "window_name", "Window" }, { "indicator", "Indicator" }, { "place", "Place" },
	{ "count", "Count" }, { "rate_text", "Rate" }, { "target", "Target" },
	{ "missing_now", "Missing" }, { "missing_end", "Missing at the end" },
	{ "projected", "Projected" }, { "state", "State" }, { "frozen_at", "Frozen" },
	{ NULL, NULL },
};

static const struct column import_members[] = {
	{ "figures", "Figures" }, { "denominator", "Denominator" },
	{ "first_month", "First month" }, { "last_month", "Last month" }, { "sum", "Sum" },
	{ "revision", "Revision" }, { "dry_run", "Only tried" }, { "unknown", "Unknown sites" },
	{ NULL, NULL },
};

static const struct column gap_columns[] = {
	{ "finess_eg", "Site" }, { "type_code", "Type" }, { "month", "Month" }, { "ours", "Ours" },
	{ "declared", "Declared" }, { "official", "Official" }, { "gap_text", "Gap" },
	{ "level", "Level" }, { NULL, NULL },
};

static const struct column kind_columns[] = {
	{ "site", "Site" }, { "type_code", "Type" }, { "documents", "Number" }, { "done", "Done" },
	{ "from", "Before" }, { "state", "State" }, { "sentence", "Why not" }, { NULL, NULL },
};

static const struct column recall_members[] = {
	{ "doc", "Document" }, { "done", "Done" }, { "from", "State" }, { "deletion", "Deletion" },
	{ "sentence", "Why not" }, { NULL, NULL },
};

static const struct column document_members[] = {
	{ "doc", "Document" }, { "state", "State" }, { "reason", "Reason" },
	{ "sentence", "Meaning" }, { "todo", "What to do" }, { "next_attempt", "Next attempt" },
	{ "attempts", "Attempts" }, { "doubtful", "In doubt" }, { "action", "Action" },
	{ "unique_id", "Identifier" }, { "type_code", "Type" }, { "bytes", "Bytes" },
	{ "lane", "Lane" }, { "site", "Site" }, { "source", "Source" }, { "channel", "Channel" },
	{ "origin", "Origin" }, { "received", "Received" }, { "changed", "Changed" },
	{ "release", "Goes by itself" }, { "purged", "Body purged" }, { NULL, NULL },
};

static const struct column event_columns[] = {
	{ "at", "When" }, { "what", "What" }, { "state", "State" }, { "reason", "Reason" },
	{ "attempt", "Attempt" }, { "http_status", "HTTP" }, { "duration_ms", "ms" },
	{ "code", "Code" }, { "note", "Note" }, { "actor", "Who" }, { "origin", "Origin" },
	{ "text", "Text" },
	{ NULL, NULL },
};

/* Each line is printed before the next is known: widths are those of usual words. */
static const struct {
	const char *member;
	int width;
} tail_columns[] = {
	{ "at", 24 }, { "doc", 26 }, { "what", 8 }, { "state", 9 }, { "reason", 0 },
	{ "type_code", 7 }, { "site", 9 }, { "http_status", 0 }, { "code", 0 }, { "actor", 0 },
};

static const struct column metadata_columns[] = {
	{ "name", "Name" }, { "from", "From" }, { "value", "Value" }, { NULL, NULL },
};

static const struct column status_members[] = {
	{ "ready", "Ready" }, { "not_ready", "because" }, { "last_delivered", "Last delivery" },
	{ "oldest_queued", "Oldest waiting for" },
	{ "invisible_too_long", "Invisible for too long" }, { "identities", "Identities (ADT)" },
	{ "answers", "Answers (ACK)" }, { "not_asked", "Patient not asked" },
	{ "uptime", "Running for" },
	{ "version", "Version" }, { "environment", "Environment" }, { NULL, NULL },
};

static const struct column backup_members[] = {
	{ "file", "Backup" }, { "bytes", "Bytes" }, { NULL, NULL },
};

static const struct column queue_columns[] = {
	{ "state", "State" }, { "documents", "Number" }, { NULL, NULL },
};

static const struct column lane_columns[] = {
	{ "name", "Name" }, { "state", "State" }, { "in_flight", "In flight" },
	{ "delivered", "Delivered" }, { "last_delivered", "Last delivery" },
	{ "resumes", "Tries again" }, { "why", "Why" }, { NULL, NULL },
};

static const struct column listener_columns[] = {
	{ "name", "Name" }, { "address", "Address" }, { "tls", "TLS" },
	{ "connections", "Connections" }, { "messages", "Messages" },
	{ "last_message", "Last message" }, { "broken_frames", "Broken frames" },
	{ "stray_bytes", "Stray bytes" }, { "refused_connections", "Too many" },
	{ "refused_peers", "Not allowed" }, { "failed_handshakes", "TLS failed" }, { NULL, NULL },
};

static const struct column folder_columns[] = {
	{ "name", "Name" }, { "path", "Path" }, { "waiting", "Waiting" }, { "taken", "Taken" },
	{ "rejected", "Rejected" }, { "last_file", "Last file" }, { "trouble", "Trouble" },
	{ NULL, NULL },
};

static const struct column source_columns[] = {
	{ "name", "Name" }, { "address", "Address" }, { "state", "State" },
	{ "waiting", "Waiting" }, { "oldest", "Oldest" }, { "told", "Told" },
	{ "refused", "Refused" }, { "failed", "Failed" }, { "last_told", "Last told" },
	{ "resumes", "Tries again" }, { "why", "Why" }, { NULL, NULL },
};
/* clang-format on */

void ctl_print_list(const struct ctl_answer *answer)
{
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No document."));
	print_table("", answer->rows, list_columns);
}

void ctl_print_certificates(const struct ctl_answer *answer)
{
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No certificate."));
	print_table("", answer->rows, certificate_columns);
}

void ctl_print_shape(const struct ctl_answer *answer)
{
	puts(ctl_say(json_array_size(answer->rows) ? "What waits, by the age that it is below:"
						   : "Nothing waits."));
	print_table("", answer->rows, shape_columns);
}

void ctl_print_counters(const struct ctl_answer *answer)
{
	const json_t *recount = json_object_get(json_array_get(answer->rows, 0), "recount");

	if (recount != NULL) {
		puts(ctl_say("All is counted anew, in the background."));
		return;
	}
	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("Nothing was counted in that time."));
	print_table("", answer->rows, counter_columns);
	if (!json_is_true(json_object_get(json_array_get(answer->metadata, 0), "complete")))
		puts(ctl_say("Not all is counted yet: ask again in a moment."));
}

/* What was ordered of a document: done, or what it would be. */
static void set_done(json_t *row)
{
	bool ok = json_is_true(json_object_get(row, "ok"));
	bool dry = json_is_true(json_object_get(row, "dry_run"));

	json_object_set_new(row, "done",
			    json_string(ctl_say(!ok   ? "no"
						: dry ? "would be"
						      : "yes")));
}

static const char *text_of(const json_t *row, const char *member)
{
	const char *text = json_string_value(json_object_get(row, member));

	return text ? text : "";
}

/* How many there are of each site and type to which the same happens: an array. */
static json_t *kinds_of(const json_t *rows)
{
	json_t *kinds = json_array(), *known = json_object();
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		scoped(free_ptr) char *name = xasprintf(
			"%s|%s|%s|%s|%s", text_of(row, "site"), text_of(row, "type_code"),
			text_of(row, "from"), text_of(row, "state"), text_of(row, "sentence"));
		json_t *kind = json_object_get(known, name);
		json_int_t before = json_integer_value(json_object_get(kind, "documents"));

		if (kind == NULL) {
			kind = json_copy(row);
			json_array_append(kinds, kind);
			json_object_set_new(known, name, kind);
		}
		json_object_set_new(kind, "documents", json_integer(before + 1));
	}
	json_decref(known);
	return kinds;
}

static void print_kinds(const json_t *rows)
{
	json_t *kinds = kinds_of(rows);

	print_table("", kinds, kind_columns);
	json_decref(kinds);
}

/* What would be done to all that a reason names is told by their number. */
static bool is_by_kind(const json_t *rows)
{
	const json_t *first = json_array_get(rows, 0);

	return json_is_true(json_object_get(first, "dry_run")) && text_of(first, "site")[0] != '\0';
}

void ctl_print_orders(const struct ctl_answer *answer)
{
	json_t *row;
	size_t i;

	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No document."));
	json_array_foreach(answer->rows, i, row)
	{
		set_done(row);
	}
	if (is_by_kind(answer->rows)) {
		print_kinds(answer->rows);
		return;
	}
	print_table("", answer->rows, order_columns);
}

/* The ledger writes 0 where there was no attempt, no HTTP, no time to measure. */
static void forget_zeros(json_t *events)
{
	static const char *const members[] = { "attempt", "http_status", "duration_ms" };
	json_t *event;
	size_t row;

	json_array_foreach(events, row, event)
	{
		for (size_t i = 0; i < length_of(members); i++)
			if (json_integer_value(json_object_get(event, members[i])) == 0)
				json_object_del(event, members[i]);
	}
}

void ctl_print_show(const struct ctl_answer *answer)
{
	forget_zeros(answer->events);
	print_members(json_array_get(answer->rows, 0), document_members);
	print_table("Metadata", answer->metadata, metadata_columns);
	print_table("History", answer->events, event_columns);
}

/* Sets object[text_member] to what object[seconds_member] is for people: its two largest units. */
static void set_duration(json_t *object, const char *seconds_member, const char *text_member)
{
	const json_t *value = json_object_get(object, seconds_member);
	long long s = json_integer_value(value);
	scoped(free_ptr) char *text = NULL;

	if (!json_is_integer(value))
		return;
	if (s >= 86400)
		text = xasprintf("%lld %s %lld h", s / 86400, ctl_say("d"), s / 3600 % 24);
	else if (s >= 3600)
		text = xasprintf("%lld h %lld min", s / 3600, s / 60 % 60);
	else
		text = xasprintf("%lld min %lld s", s / 60, s % 60);
	json_object_set_new(object, text_member, json_string(text));
}

/* {"held": 2, …} as rows. */
static json_t *rows_of_queue(json_t *queue)
{
	json_t *rows = json_array(), *documents;
	const char *state;

	json_object_foreach(queue, state, documents)
	{
		json_array_append_new(
			rows, json_pack("{s:s, s:O}", "state", state, "documents", documents));
	}
	return rows;
}

/* Sets object[to] to what object[from] says in the language of the user. */
static void set_words(json_t *object, const char *from, const char *to)
{
	const json_t *by_language = json_object_get(object, from);
	const char *text = json_string_value(json_object_get(by_language, ctl_language()));

	if (text != NULL)
		json_object_set_new(object, to, json_string(text));
}

static void print_alerts(json_t *alerts)
{
	json_t *alert;
	size_t i;

	json_array_foreach(alerts, i, alert)
	{
		set_words(alert, "sentence", "said");
		set_words(alert, "todo", "advised");
	}
	print_table("Alerts", alerts, alert_columns);
}

void ctl_print_status(const struct ctl_answer *answer)
{
	json_t *status = json_array_get(answer->rows, 0);
	json_t *queue = rows_of_queue(json_object_get(status, "queue"));

	set_duration(status, "uptime_s", "uptime");
	set_duration(status, "oldest_queued_s", "oldest_queued");
	print_members(status, status_members);
	print_alerts(json_object_get(status, "alerts"));
	print_table("Documents", queue, queue_columns);
	print_table("Lanes", json_object_get(status, "lanes"), lane_columns);
	print_table("Listeners", json_object_get(status, "listeners"), listener_columns);
	print_table("Folders", json_object_get(status, "folders"), folder_columns);
	print_table("Acknowledgements to sources", json_object_get(status, "sources"),
		    source_columns);
	json_decref(queue);
}

void ctl_print_tail(const struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 }, cell = { 0 };
	json_t *row;
	size_t i;

	forget_zeros(answer->rows);
	json_array_foreach(answer->rows, i, row)
	{
		for (size_t j = 0; j < length_of(tail_columns); j++) {
			const struct column column = { tail_columns[j].member, "" };
			const char *text = cell_of(row, &column, &cell);

			if (text[0] || tail_columns[j].width)
				add_padded(&line, text, tail_columns[j].width);
		}
		print_line(&line);
	}
}

void ctl_print_json_lines(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		scoped(free_ptr) char *text = json_dumps(row, JSON_COMPACT);
		scoped(buf_done) struct buf out = { 0 };

		add_clean(&out, text ? text : "null", '\0');
		puts(out.p);
	}
}

void ctl_print_recall(const struct ctl_answer *answer)
{
	json_t *row = json_array_get(answer->rows, 0);

	set_done(row);
	print_members(row, recall_members);
}

void ctl_print_backup(const struct ctl_answer *answer)
{
	print_members(json_array_get(answer->rows, 0), backup_members);
}

/* The head, noted elsewhere, shows later that the end of the chain was not cut off. */
void ctl_print_verify(const struct ctl_answer *answer)
{
	const json_t *row = json_array_get(answer->rows, 0), *fault;
	const json_t *faults = json_object_get(row, "faults");
	scoped(buf_done) struct buf line = { 0 };
	size_t i;

	buf_addf(&line, "%" JSON_INTEGER_FORMAT " ",
		 json_integer_value(json_object_get(row, "rows")));
	if (json_is_true(json_object_get(row, "ok"))) {
		buf_addf(&line, "%s ", ctl_say("rows, chain whole, head"));
		add_clean(&line, slice_of(json_string_value(json_object_get(row, "head"))).p, '\0');
	} else {
		buf_addf(&line, "%s %" JSON_INTEGER_FORMAT, ctl_say("rows, faults:"),
			 json_integer_value(json_object_get(row, "fault_count")));
	}
	print_line(&line);
	json_array_foreach(faults, i, fault)
	{
		add_clean(&line, slice_of(json_string_value(fault)).p, '\0');
		print_line(&line);
	}
}

void ctl_print_json(const json_t *json)
{
	scoped(free_ptr) char *text = json_dumps(json, JSON_INDENT(2));
	scoped(buf_done) struct buf out = { 0 };

	add_clean(&out, text ? text : "null", '\n');
	puts(out.p);
}

/* ---- targets ---- */

/* A share as people read it, or a count; nothing when it is not known. */
static void set_rate(json_t *object, const char *member, const json_t *value, bool is_ratio)
{
	scoped(buf_done) struct buf text = { 0 };

	if (!json_is_number(value))
		return;
	buf_addf(&text, is_ratio ? "%.1f %%" : "%.0f",
		 json_number_value(value) * (is_ratio ? 100 : 1));
	for (char *c = text.p; french && *c; c++)
		*c = *c == '.' ? ',' : *c;
	json_object_set_new(object, member, json_string(text.p));
}

static void set_target_texts(json_t *row)
{
	const json_t *threshold = json_object_get(row, "threshold");
	const json_t *numerator = json_object_get(row, "numerator");
	const json_t *denominator = json_object_get(row, "denominator");
	const char *entity = json_string_value(json_object_get(row, "finess_ej"));
	const char *site = json_string_value(json_object_get(row, "finess_eg"));
	bool is_ratio = json_is_true(json_object_get(row, "is_ratio"));
	scoped(free_ptr) char *window =
		xasprintf("%s %s", slice_of(json_string_value(json_object_get(row, "programme"))).p,
			  slice_of(json_string_value(json_object_get(row, "window"))).p);
	scoped(buf_done) struct buf count = { 0 };

	json_object_set_new(row, "window_name", json_string(window));
	json_object_set_new(row, "place", json_string(slice_of(site ? site : entity).p));
	if (json_is_integer(numerator))
		buf_addf(&count, "%" JSON_INTEGER_FORMAT, json_integer_value(numerator));
	if (json_is_integer(numerator) && json_is_integer(denominator))
		buf_addf(&count, "/%" JSON_INTEGER_FORMAT, json_integer_value(denominator));
	json_object_set_new(row, "count", json_string(buf_slice(&count).p));
	set_rate(row, "rate_text", json_object_get(row, "rate"), is_ratio);
	set_rate(row, "target", json_object_get(threshold, "value"), is_ratio);
	set_rate(row, "projected", json_object_get(row, "projected_rate"), is_ratio);
}

void ctl_print_targets(const struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 };
	json_t *row;
	size_t i;

	if (json_array_size(answer->rows) == 0)
		puts(ctl_say("No target."));
	json_array_foreach(answer->rows, i, row)
	{
		set_target_texts(row);
	}
	print_table("", answer->rows, target_columns);
	json_array_foreach(answer->rows, i, row)
	{
		const char *said = json_string_value(
			json_object_get(row, french ? "sentence_fr" : "sentence_en"));

		buf_addf(&line, "%s%s %s: ", i == 0 ? "\n" : "",
			 slice_of(json_string_value(json_object_get(row, "place"))).p,
			 slice_of(json_string_value(json_object_get(row, "indicator"))).p);
		add_clean(&line, slice_of(said).p, '\0');
		print_line(&line);
	}
}

static void set_unknown_sites(json_t *row)
{
	const json_t *sites = json_object_get(row, "unknown_sites"), *site;
	scoped(buf_done) struct buf text = { 0 };
	size_t i;

	json_array_foreach(sites, i, site)
	{
		buf_addf(&text, "%s%s", i ? ", " : "", slice_of(json_string_value(site)).p);
	}
	json_object_set_new(row, "unknown", json_string(buf_slice(&text).p));
	if (json_integer_value(json_object_get(row, "revision")) == 0)
		json_object_del(row, "revision");
}

/* The first row says what was brought; the others what is wrong with it, or how it differs from ours. */
void ctl_print_import(const struct ctl_answer *answer)
{
	scoped(buf_done) struct buf line = { 0 };
	json_t *gaps = json_array(), *row;
	bool has_faults = false;
	size_t i;

	set_unknown_sites(json_array_get(answer->rows, 0));
	json_array_foreach(answer->rows, i, row)
	{
		const char *fault = json_string_value(json_object_get(row, "fault"));
		json_t *gap = json_object_get(row, "gap");

		if (gap != NULL) {
			set_rate(gap, "gap_text", json_object_get(gap, "gap"), true);
			json_array_append(gaps, gap);
		}
		if (fault == NULL)
			continue;
		if (!has_faults)
			puts(ctl_say("What is wrong with the file; nothing of it was kept"));
		has_faults = true;
		add_clean(&line, fault, '\0');
		print_line(&line);
	}
	if (!has_faults)
		print_members(json_array_get(answer->rows, 0), import_members);
	print_table("Counts that differ", gaps, gap_columns);
	json_decref(gaps);
}
