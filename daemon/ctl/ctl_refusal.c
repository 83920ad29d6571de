/* What the daemon refuses and why, in the language of the user. What it has in both languages itself (reasons,
 * states, roles) comes in the right one; these are the sentences that it has in one.
 */
#include "ctl/ctl_refusal.h"

#include "ctl/ctl_words.h"

enum { MOST_QUOTED = 4 };

/* '%': what is quoted there, in the same order in both. */
static const struct refusal {
	const char *english, *french;
} refusals[] = {
	/* clang-format off */
	{ "%: No such file or directory: the daemon must be able to read it (another folder?)",
	  "% : le démon ne l'y trouve pas (un autre dossier ?)" },
	{ "%: Permission denied: the daemon must be able to read it (another folder?)",
	  "% : le démon n'a pas le droit de le lire (un autre dossier ?)" },
	{ "%: %: the daemon must be able to read it (another folder?)",
	  "% : % : le démon doit pouvoir le lire (un autre dossier ?)" },
	{ "%: it is a pipe or a device, and not a file", "% : c'est un tube ou un périphérique, et non un fichier" },
	{ "no file of targets (targets.dir) has a denominator that is imported",
	  "aucun fichier d'objectifs (targets.dir) n'a de dénominateur à importer" },
	{ "which denominator is it? name it with --denominator (there are: %), or call the file as the targets do",
	  "de quel dénominateur s'agit-il ? le nommer avec --denominator (il y a : %), ou donner au fichier le nom qu'il a dans les objectifs" },
	{ "nothing was counted yet: ask again in a moment", "rien n'a encore été compté : redemander dans un instant" },
	{ "dmpfeedd is shutting down", "dmpfeedd s'arrête" },
	{ "dmpfeedd is shutting down: it was not carried out", "dmpfeedd s'arrête : rien n'a été fait" },
	{ "dmpfeedd is shutting down: not all of it was carried out", "dmpfeedd s'arrête : tout n'a pas été fait" },
	{ "dmpfeedd is shutting down: ask again when it has started", "dmpfeedd s'arrête : redemander quand il aura démarré" },
	{ "only root and the user that runs dmpfeedd may ask", "seuls root et l'utilisateur de dmpfeedd peuvent demander" },
	{ "only root, the user that runs dmpfeedd and members of the groups under control.groups may ask",
	  "seuls root, l'utilisateur de dmpfeedd et les membres des groupes de control.groups peuvent demander" },
	{ "too many connections to dmpfeedd: try again in a moment",
	  "trop de connexions à dmpfeedd : réessayer dans un instant" },
	{ "the request is longer than 64 KiB", "la demande dépasse 64 Kio" },
	{ "at most % documents at once", "% documents au plus à la fois" },
	{ "% takes a day like 2026-11-22, not '%'", "--% attend un jour comme 2026-11-22, et non « % »" },
	{ "% takes a month like 2026-11, not '%'", "--% attend un mois comme 2026-11, et non « % »" },
	{ "by takes day or month, not '%'", "--by attend day ou month, et non « % »" },
	{ "from is later than to", "--from est postérieur à --to" },
	{ "this mark is none of this export", "cette marque n'est pas de cet export" },
	{ "more than % months: ask for fewer", "plus de % mois : en demander moins" },
	{ "evidence names documents: it does not leave the hospital with --outside",
	  "les preuves nomment des documents : elles ne sortent pas de l'hôpital avec --outside" },
	{ "after takes a number of days like 8d, not '%'", "--after attend un nombre de jours comme 8j, et non « % »" },
	{ "no establishment declares site %", "aucun établissement ne déclare le site %" },
	{ "say which stays: --without-letter", "dire quels séjours : --without-letter" },
	{ "documents of % wait, and no establishment has this FINESS any more: put it back, or cancel them",
	  "des documents de % attendent, et plus aucun établissement n'a ce FINESS : le remettre, ou les annuler" },
	/* of backups */
	{ "a backup's file is given by its absolute path", "le fichier d'une sauvegarde se donne par son chemin absolu" },
	{ "% is there, and is not a file", "% existe, et n'est pas un fichier" },
	{ "% is a file of the queue itself", "% est un fichier de la file elle-même" },
	{ "% is there, and is no backup: choose another name, or remove it",
	  "% existe, et n'est pas une sauvegarde : choisir un autre nom, ou le supprimer" },
	{ "cannot create %: Read-only file system",
	  "impossible de créer % : le démon n'y a pas le droit d'écrire (ReadWritePaths= de son unité)" },
	{ "cannot create %: Permission denied", "impossible de créer % : le démon n'a pas le droit d'y écrire" },
	{ "cannot create %: No such file or directory", "impossible de créer % : le démon n'y trouve pas de dossier" },
	/* of files that are imported */
	{ "a quoted field is not closed", "un champ entre guillemets n'est pas fermé" },
	{ "a quote stands inside a field, or text behind a quoted one",
	  "un guillemet se trouve dans un champ, ou du texte après un champ entre guillemets" },
	{ "there are more than % columns", "il y a plus de % colonnes" },
	{ "%: larger than 1 MiB", "% : plus de 1 Mio" },
	{ "%: not text in UTF-8", "% : pas un texte en UTF-8" },
	{ "the file is empty", "le fichier est vide" },
	{ "there is no column \"%\" (columns are separated by commas)",
	  "il n'y a pas de colonne « % » (les colonnes sont séparées par des virgules)" },
	{ "there is no column \"%\" (columns are separated by semicolons)",
	  "il n'y a pas de colonne « % » (les colonnes sont séparées par des points-virgules)" },
	{ "the column \"%\" cannot be two things at once", "la colonne « % » ne peut être deux choses à la fois" },
	{ "% fields under % columns", "% champs sous % colonnes" },
	{ "%: \"%\" has lost the zeros at its beginning: format the column as text",
	  "% : « % » a perdu ses zéros de tête : mettre la colonne au format texte" },
	{ "%: \"%\" is no FINESS of nine characters", "% : « % » n'est pas un FINESS de neuf caractères" },
	{ "%: \"%\" is none of MCO, SMR, PSY, HAD, DIALYSE, EHPAD", "% : « % » n'est pas un de MCO, SMR, PSY, HAD, DIALYSE, EHPAD" },
	{ "%: \"%\" is no code of a document type: say in a mapping which it means",
	  "% : « % » n'est pas un code de type de document : dire par une correspondance lequel c'est" },
	{ "%: \"%\" is no month (2026-11)", "% : « % » n'est pas un mois (2026-11)" },
	{ "%: \"%\" is no number from 0 on", "% : « % » n'est pas un nombre à partir de 0" },
	{ "line % has the same site, % and month", "la ligne % a les mêmes site, % et mois" },
	{ "there is no figure in it", "il ne contient aucun chiffre" },
	/* clang-format on */
};

/* What stands for each '%', as short as it can be; false: the text is not of this pattern. */
static bool fits(const char *pattern, struct slice text, struct slice quoted[MOST_QUOTED])
{
	size_t count = 0, n = strcspn(pattern, "%");

	if (text.n < n || memcmp(text.p, pattern, n) != 0)
		return false;
	text = slice_from(text, n);
	for (pattern += n; *pattern == '%'; pattern += n) {
		const char *found;

		n = strcspn(++pattern, "%");
		found = n > 0 ? memmem(text.p, text.n, pattern, n) : text.p + text.n;
		if (n > 0 && pattern[n] == '\0' &&
		    text.n >= n) /* nothing may come behind the last */
			found = memcmp(text.p + text.n - n, pattern, n) == 0 ? text.p + text.n - n
									     : NULL;
		if (found == NULL || count == MOST_QUOTED)
			return false;
		quoted[count++] = (struct slice){ text.p, (size_t)(found - text.p) };
		text = slice_from(text, (size_t)(found - text.p) + n);
	}
	return text.n == 0;
}

static void fill(const char *pattern, const struct slice *quoted, struct buf *out)
{
	for (; *pattern; pattern++)
		if (*pattern == '%')
			buf_add(out, *quoted++);
		else
			buf_add_char(out, *pattern);
}

static bool add_known(struct slice text, struct buf *out)
{
	struct slice quoted[MOST_QUOTED] = { 0 };

	for (size_t i = 0; i < length_of(refusals); i++)
		if (fits(refusals[i].english, text, quoted)) {
			fill(refusals[i].french, quoted, out);
			return true;
		}
	return false;
}

/* Where in a file something is wrong stands before what is. */
static size_t place_of(struct slice text)
{
	for (size_t n = 0; n + 2 < text.n; n++)
		if (text.p[n] == ':' && text.p[n + 1] == ' ' && n > 0 && text.p[n - 1] >= '0' &&
		    text.p[n - 1] <= '9')
			return n + 2;
	return 0;
}

char *ctl_refusal(const char *english)
{
	const struct slice text = slice_of(english);
	const size_t n = place_of(text);
	scoped(buf_done) struct buf out = { 0 };

	if (!ctl_is_french())
		return slice_dup(text);
	if (n > 0 && add_known(slice_from(text, n), &out)) {
		scoped(buf_done) struct buf whole = { 0 };

		buf_add(&whole, (struct slice){ text.p, n - 2 });
		buf_add_text(&whole, " : ");
		buf_add(&whole, buf_slice(&out));
		return slice_dup(buf_slice(&whole));
	}
	buf_clear(&out);
	return slice_dup(add_known(text, &out) ? buf_slice(&out) : text);
}
