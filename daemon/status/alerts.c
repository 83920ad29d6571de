/* Alerts: the rules, and when one is raised and cleared. Pure. Any thread. */
#include "status/alerts.h"

#include <inttypes.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

enum unit { UNIT_NONE, UNIT_DURATION, UNIT_DAYS, UNIT_BYTES, UNIT_COUNT, UNIT_TENTHS_PERCENT };

/* In the sentences {subject} and {value} stand for those of the alert, {detail} for ": " and its
 * detail, when it has one.
 */
static const struct rule {
	const char *name;
	enum unit unit;
	bool fewer_is_worse;
	int64_t margin; /* in hundredths of the level: how far back past it before it clears */
	int64_t raise_ms, clear_ms; /* how long it must last */
	const char *english, *french, *advice_english, *advice_french;
} rules[] = {
	/* clang-format off */
	[ALERT_LANE_STOPPED] = { "lane_stopped", UNIT_DURATION, false, 0, 0, 0,
		"Lane {subject} has been stopped for {value}{detail}.",
		"La voie d'envoi {subject} est arrêtée depuis {value}{detail}.",
		"Correct what it names: the lane tries one document now and then, and opens by itself.",
		"Corriger ce qui est désigné : la voie essaie un document de temps en temps et se rouvre d'elle-même." },
	[ALERT_BACKLOG_AGE] = { "backlog_age", UNIT_DURATION, false, 10, 0, MINUTE_MS,
		"The oldest document to be sent has waited for {value}.",
		"Le plus ancien document à envoyer attend depuis {value}.",
		"See which lane is slowed or stopped, then \"dmpfeedctl list --state queued\".",
		"Voir quelle voie est ralentie ou arrêtée, puis « dmpfeedctl list --state queued »." },
	[ALERT_SOURCE_SILENT] = { "source_silent", UNIT_DURATION, false, 0, 0, 0,
		"Source {subject} has sent no document for {value}, which it does not do at this time of the week.",
		"La source {subject} n'a envoyé aucun document depuis {value}, ce qui est inhabituel à ce moment de la semaine.",
		"Look at the application that sends, its interface engine and the way between them and the gateway.",
		"Vérifier l'application émettrice, son EAI et le chemin jusqu'à la passerelle." },
	[ALERT_CERTIFICATE_ENDS] = { "certificate_expiring", UNIT_DAYS, true, 0, 0, 0,
		"The certificate {subject} has {value} left{detail}.",
		"Le certificat {subject} expire dans {value}{detail}.",
		"Order its successor now, install it and reload the gateway before that day.",
		"Commander dès maintenant son successeur, l'installer et recharger la passerelle avant cette date." },
	[ALERT_DISK_LOW] = { "disk_low", UNIT_BYTES, true, 10, 30 * SECOND_MS, MINUTE_MS,
		"The disk of {subject} has {value} left{detail}.",
		"Il reste {value} sur le disque de {subject}{detail}.",
		"Free room or enlarge the disk: once it is full, nothing more is taken in.",
		"Libérer de la place ou agrandir le disque : une fois plein, plus rien n'est accepté." },
	[ALERT_CLOCK_SKEW] = { "clock_skew", UNIT_DURATION, false, 25, 0, 0,
		"This machine's clock and that of the DMP, as lane {subject} hears it, are {value} apart.",
		"L'horloge de cette machine et celle du DMP, vue par la voie {subject}, diffèrent de {value}.",
		"See that time synchronisation (NTP) runs: the DMP refuses signatures of another time.",
		"Vérifier la synchronisation horaire (NTP) : le DMP refuse des signatures d'une autre heure." },
	[ALERT_CLOCK_JUMP] = { "clock_skew", UNIT_DURATION, false, 0, 0, 0,
		"This machine's clock jumped by {value}.",
		"L'horloge de cette machine a sauté de {value}.",
		"Find out who set it (NTP, the hypervisor after a pause) and that it is right now.",
		"Chercher qui l'a réglée (NTP, l'hyperviseur après une pause) et vérifier qu'elle est juste." },
	[ALERT_REJECTED_COUNT] = { "rejected_waiting", UNIT_COUNT, false, 10, 0, MINUTE_MS,
		"{value} rejected documents wait for somebody to look at them.",
		"{value} documents rejetés attendent que quelqu'un les examine.",
		"\"dmpfeedctl list --state rejected\" tells why; correct and retry, or cancel them.",
		"« dmpfeedctl list --state rejected » dit pourquoi ; corriger et réessayer, ou les annuler." },
	[ALERT_REJECTED_AGE] = { "rejected_waiting", UNIT_DURATION, false, 0, 0, MINUTE_MS,
		"The oldest rejected document has waited for {value} for somebody to look at it.",
		"Le plus ancien document rejeté attend depuis {value} que quelqu'un l'examine.",
		"\"dmpfeedctl list --state rejected\" tells why; correct and retry, or cancel it.",
		"« dmpfeedctl list --state rejected » dit pourquoi ; corriger et réessayer, ou l'annuler." },
	[ALERT_INVISIBLE_TOO_LONG] = { "invisible_too_long", UNIT_DURATION, false, 0, 0, MINUTE_MS,
		"A document has been hidden from its patient for {value}.",
		"Un document est caché à son patient depuis {value}.",
		"\"dmpfeedctl list --state invisible\" names them; once the announcement is done, replace each by a visible version at the source.",
		"« dmpfeedctl list --state invisible » les nomme ; une fois l'annonce faite, remplacer chacun à la source par une version visible." },
	[ALERT_STORE_DAMAGED] = { "store_damaged", UNIT_NONE, false, 0, 0, 0,
		"The file of the queue is damaged{detail}.",
		"Le fichier de la file d'attente est endommagé{detail}.",
		"Stop the gateway, keep the damaged file, restore the last backup, then \"dmpfeedctl verify\".",
		"Arrêter la passerelle, garder le fichier endommagé, restaurer la dernière sauvegarde, puis « dmpfeedctl verify »." },
	[ALERT_INS_COUNT] = { "ins_waiting", UNIT_COUNT, false, 10, 0, MINUTE_MS,
		"{value} documents wait for a qualified INS.",
		"{value} documents attendent une INS qualifiée.",
		"Have the identity-vigilance cell qualify them: \"dmpfeedctl list --reason ins_not_qualified\" names them.",
		"Faire qualifier les identités par la cellule d'identitovigilance : « dmpfeedctl list --reason ins_not_qualified » les nomme." },
	[ALERT_INS_AGE] = { "ins_waiting", UNIT_DURATION, false, 0, 0, MINUTE_MS,
		"A document has waited for a qualified INS for {value}.",
		"Un document attend une INS qualifiée depuis {value}.",
		"Have the identity-vigilance cell qualify it: \"dmpfeedctl list --reason ins_not_qualified\" names it.",
		"Faire qualifier l'identité par la cellule d'identitovigilance : « dmpfeedctl list --reason ins_not_qualified » le nomme." },
	[ALERT_IDENTITY_CHANGED] = { "identity_changed", UNIT_COUNT, false, 0, 0, 0,
		"The DMP has {value} documents under an INS that is not their patient's any more.",
		"Le DMP détient {value} documents sous une INS qui n'est plus celle de leur patient.",
		"\"dmpfeedctl list --state delivered --reason ins_changed\" names them; "
		"\"dmpfeedctl recall\" takes each back.",
		"« dmpfeedctl list --state delivered --reason ins_changed » les nomme ; "
		"« dmpfeedctl recall » retire chacun." },
	[ALERT_DMP_ABSENT_RATE] = { "dmp_absent_rate", UNIT_TENTHS_PERCENT, false, 20, 0, 10 * MINUTE_MS,
		"Lane {subject}: {value} of the last day's documents met no DMP that takes them (absent, closed, opposed).",
		"Voie {subject} : {value} des documents du dernier jour n'ont pas trouvé de DMP qui les prenne (absent, fermé, opposé).",
		"Two or three in a hundred are usual; beyond, see whether identities or consents come right from the source.",
		"Deux ou trois sur cent, c'est habituel ; au-delà, vérifier les identités et les consentements venus de la source." },
	[ALERT_NOT_FORWARDED] = { "audit_not_forwarded", UNIT_DURATION, false, 0, 0, 0,
		"The collector of the audit trail, {subject}, has taken nothing for {value}{detail}.",
		"Le collecteur de la piste d'audit, {subject}, n'a rien pris depuis {value}{detail}.",
		"See that it runs, can be reached and shows a valid certificate: nothing is lost, what it missed follows by itself.",
		"Vérifier qu'il fonctionne, qu'il est joignable et que son certificat est valide : rien n'est perdu, ce qu'il a manqué suivra de lui-même." },
	/* clang-format on */
};
_Static_assert(length_of(rules) == ALERT_RULE_COUNT, "a rule has no row");

struct entry {
	struct alert alert;
	unsigned step;     /* levels that are passed; 0: it is no alert */
	unsigned told;     /* the same, as people know it */
	unsigned asked;    /* what the value asks for, */
	int64_t asked_ms;  /* and since when it has asked for more, or for less, than `step` */
	unsigned critical; /* of the levels it was last seen with */
	bool seen;         /* in this round */
};

struct alerts {
	size_t most, count;
	struct entry *entries;
	struct alert_time time;
	struct alert *raised;
	size_t raised_count;
};

const char *alert_name(enum alert_rule rule)
{
	return rules[rule].name;
}

const char *alert_severity_text(enum alert_severity severity)
{
	return severity == ALERT_CRITICAL ? "critical" : "warning";
}

const char *alert_change_text(enum alert_change change)
{
	static const char *const texts[] = {
		[ALERT_RAISED] = "raised", [ALERT_CHANGED] = "changed", [ALERT_CLEARED] = "cleared"
	};

	return texts[change];
}

/* ---- when ---- */

/* Is the value past this level? One that is believed to be past it needs to come further back. */
static bool is_past(const struct rule *rule, int64_t value, int64_t level, bool was)
{
	const int64_t back = was ? level * rule->margin / 100 : 0;

	return rule->fewer_is_worse ? value <= level + back : value >= level - back;
}

static unsigned steps_past(const struct alert_sight *sight, unsigned step)
{
	unsigned past = 0;

	while (past < sight->levels.count &&
	       is_past(&rules[sight->rule], sight->value, sight->levels.at[past], past < step))
		past++;
	return past;
}

/* The value asks for a step, and has for a while? Then it is that step's. */
static void ask(struct entry *entry, unsigned step, int64_t now_ms)
{
	const struct rule *rule = &rules[entry->alert.rule];
	bool asked_before = entry->asked != entry->step;
	bool turned = (entry->asked > entry->step) != (step > entry->step);

	entry->asked = step;
	if (step == entry->step)
		return;
	if (!asked_before || turned)
		entry->asked_ms = now_ms;
	if (now_ms - entry->asked_ms >= (step > entry->step ? rule->raise_ms : rule->clear_ms))
		entry->step = step;
}

/* ---- rounds ---- */

struct alerts *alerts_new(size_t most)
{
	struct alerts *alerts = xcalloc(1, sizeof(*alerts));

	alerts->most = most;
	alerts->entries = xcalloc(most, sizeof(alerts->entries[0]));
	alerts->raised = xcalloc(most, sizeof(alerts->raised[0]));
	return alerts;
}

void alerts_free(struct alerts **alerts)
{
	if (*alerts == NULL)
		return;
	free((*alerts)->entries);
	free((*alerts)->raised);
	free_ptr(alerts);
}

void alerts_begin(struct alerts *alerts, struct alert_time time)
{
	alerts->time = time;
	for (size_t i = 0; i < alerts->count; i++)
		alerts->entries[i].seen = false;
}

/* As much as fits, and no half of a character. */
static void copy(char *to, size_t room, const char *text)
{
	size_t n = min(strlen(text), room - 1);

	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memcpy(to, text, n);
	to[n] = '\0';
}

static struct entry *entry_of(struct alerts *alerts, const struct alert_sight *sight)
{
	char subject[ALERT_SUBJECT];
	struct entry *entry;

	copy(subject, sizeof(subject), sight->subject);
	for (size_t i = 0; i < alerts->count; i++)
		if (alerts->entries[i].alert.rule == sight->rule &&
		    strcmp(alerts->entries[i].alert.subject, subject) == 0)
			return &alerts->entries[i];
	if (alerts->count == alerts->most)
		return NULL;
	entry = &alerts->entries[alerts->count++];
	*entry = (struct entry){ .alert.rule = sight->rule };
	memcpy(entry->alert.subject, subject, sizeof(subject));
	return entry;
}

void alerts_see(struct alerts *alerts, const struct alert_sight *sight)
{
	struct entry *entry = entry_of(alerts, sight);

	if (entry == NULL)
		return;
	entry->seen = true;
	entry->critical = sight->levels.critical;
	entry->alert.value = sight->value;
	copy(entry->alert.detail, ALERT_DETAIL, sight->detail ? sight->detail : "");
	copy(entry->alert.detail_french, ALERT_DETAIL,
	     sight->detail_french ? sight->detail_french : "");
	ask(entry, steps_past(sight, entry->step), alerts->time.monotonic_ms);
}

static void tell(const struct alerts *alerts, struct entry *entry,
		 void (*changed)(void *arg, const struct alert *alert, enum alert_change change),
		 void *arg)
{
	const unsigned was = entry->told;
	struct alert *alert = &entry->alert;

	if (was == 0)
		alert->since_ms = alerts->time.wall_ms;
	if (entry->step > 0)
		alert->severity = entry->step >= entry->critical ? ALERT_CRITICAL : ALERT_WARNING;
	entry->told = entry->step;
	changed(arg, alert,
		was == 0           ? ALERT_RAISED
		: entry->step == 0 ? ALERT_CLEARED
				   : ALERT_CHANGED);
}

static int by_rule(const void *a, const void *b)
{
	const struct alert *one = a, *other = b;

	return one->rule != other->rule ? (one->rule > other->rule) - (one->rule < other->rule)
					: strcmp(one->subject, other->subject);
}

void alerts_end(struct alerts *alerts,
		void (*changed)(void *arg, const struct alert *alert, enum alert_change change),
		void *arg)
{
	size_t kept = 0;

	alerts->raised_count = 0;
	for (size_t i = 0; i < alerts->count; i++) {
		struct entry *entry = &alerts->entries[i];

		if (!entry->seen)
			entry->step = entry->asked = 0;
		if (entry->step != entry->told)
			tell(alerts, entry, changed, arg);
		if (entry->step > 0)
			alerts->raised[alerts->raised_count++] = entry->alert;
		if (entry->seen)
			alerts->entries[kept++] = *entry;
	}
	alerts->count = kept;
	qsort(alerts->raised, alerts->raised_count, sizeof(struct alert), by_rule);
}

const struct alert *alerts_raised(const struct alerts *alerts, size_t *ret_count)
{
	*ret_count = alerts->raised_count;
	return alerts->raised;
}

/* ---- in words ---- */

/* The largest unit of which there are two at least. */
static void say_duration(int64_t ms, bool french, struct buf *out)
{
	static const struct {
		int64_t ms;
		const char *english, *french;
	} units[] = {
		{ 24 * (int64_t)HOUR_MS, "days", "jours" },
		{ HOUR_MS, "h", "h" },
		{ MINUTE_MS, "min", "min" },
		{ SECOND_MS, "s", "s" },
	};
	size_t i = 0;

	while (i + 1 < length_of(units) && ms < 2 * units[i].ms)
		i++;
	buf_addf(out, "%" PRId64 " %s", ms / units[i].ms,
		 french ? units[i].french : units[i].english);
}

static void say_bytes(int64_t bytes, bool french, struct buf *out)
{
	static const char *const units[][2] = {
		{ "KiB", "Kio" }, { "MiB", "Mio" }, { "GiB", "Gio" }, { "TiB", "Tio" }
	};
	int64_t number = bytes / 1024;
	size_t i = 0;

	for (; i + 1 < length_of(units) && number >= 10 * 1024; i++)
		number /= 1024;
	buf_addf(out, "%" PRId64 " %s", number, units[i][french]);
}

static void say_value(const struct alert *alert, bool french, struct buf *out)
{
	const int64_t value = alert->value;

	switch (rules[alert->rule].unit) {
	case UNIT_NONE:
		return;
	case UNIT_DURATION:
		say_duration(value, french, out);
		return;
	case UNIT_DAYS: /* one that has ended says so in its detail */
		buf_addf(out, "%" PRId64 " %s", max(value, (int64_t)0),
			 french       ? "j"
			 : value == 1 ? "day"
				      : "days");
		return;
	case UNIT_BYTES:
		say_bytes(value, french, out);
		return;
	case UNIT_COUNT:
		buf_addf(out, "%" PRId64, value);
		return;
	case UNIT_TENTHS_PERCENT:
		buf_addf(out, french ? "%" PRId64 ",%" PRId64 " %%" : "%" PRId64 ".%" PRId64 " %%",
			 value / 10, value % 10);
		return;
	}
}

/* Without its last full stop: the sentence has its own. */
static void say_detail(const struct alert *alert, bool french, struct buf *out)
{
	const bool has_french = french && alert->detail_french[0] != '\0';
	struct slice detail = slice_of(has_french ? alert->detail_french : alert->detail);

	if (detail.n == 0)
		return;
	detail.n -= detail.p[detail.n - 1] == '.';
	buf_add_text(out, french ? " : " : ": ");
	buf_add(out, detail);
}

void alert_say(const struct alert *alert, bool french, struct buf *out)
{
	const struct rule *rule = &rules[alert->rule];
	struct slice rest = slice_of(french ? rule->french : rule->english);

	while (rest.n > 0) {
		if (slice_starts(rest, "{subject}")) {
			buf_add_text(out, alert->subject);
		} else if (slice_starts(rest, "{value}")) {
			say_value(alert, french, out);
		} else if (slice_starts(rest, "{detail}")) {
			say_detail(alert, french, out);
		} else {
			buf_add_char(out, rest.p[0]);
			rest = slice_from(rest, 1);
			continue;
		}
		rest = slice_from(rest,
				  (size_t)((const char *)memchr(rest.p, '}', rest.n) - rest.p) + 1);
	}
}

void alert_advise(const struct alert *alert, bool french, struct buf *out)
{
	const struct rule *rule = &rules[alert->rule];

	buf_add_text(out, french ? rule->advice_french : rule->advice_english);
}
