/* What must hold between the options of a configuration. */
#include "config/config_rules.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/address.h"
#include "base/url.h"
#include "document/oid.h"

/* Texts that must differ, each with the field that holds it. */
struct claims {
	struct claim {
		const char *text;
		const void *field;
		size_t number; /* in order of the file */
	} * list;
	size_t count, room;
};

static void claims_done(struct claims *claims)
{
	free(claims->list);
}

static void claim(struct claims *claims, const char *text, const void *field)
{
	if (text == NULL) /* it was complained about */
		return;
	if (claims->count == claims->room) {
		claims->room = claims->room * 2 + 16;
		claims->list = xrealloc(claims->list, claims->room * sizeof(*claims->list));
	}
	claims->list[claims->count] = (struct claim){ text, field, claims->count };
	claims->count++;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* Complains about each but the first of those that are equal. */
static void check_claims(struct option_reading *reading, struct claims *claims, const char *rule)
{
	if (claims->count == 0)
		return;
	qsort(claims->list, claims->count, sizeof(claims->list[0]), compare_claims);
	for (size_t i = 1; i < claims->count; i++) {
		const struct claim *one = &claims->list[i - 1], *other = &claims->list[i];

		if (strcmp(one->text, other->text) == 0)
			option_complain(reading, other->field, "this is written %s too: %s",
					option_where(reading, one->field, other->field), rule);
	}
}

static void check_names(const struct config *config, struct option_reading *reading)
{
	scoped(claims_done) struct claims claims = { 0 };

	for (size_t i = 0; i < config->mllp_count; i++)
		claim(&claims, config->mllp[i].name, &config->mllp[i].name);
	for (size_t i = 0; i < config->drop_count; i++)
		claim(&claims, config->drops[i].name, &config->drops[i].name);
	check_claims(reading, &claims, "every listener and every folder has a name of its own");
}

static void claim_address(struct claims *claims, const char *const *listen)
{
	size_t n = strlen(*listen ? *listen : "");

	if (n >= 2 && strcmp(*listen + n - 2, ":0") != 0) /* 0: the system chooses */
		claim(claims, *listen, listen);
}

static void check_addresses(const struct config *config, struct option_reading *reading)
{
	scoped(claims_done) struct claims claims = { 0 };

	claim_address(&claims, &config->status.listen);
	for (size_t i = 0; i < config->mllp_count; i++)
		claim_address(&claims, &config->mllp[i].listen);
	check_claims(reading, &claims, "every listener has an address and port of its own");
}

/* By device and inode: one folder may have several paths. */
static bool is_one_folder(const char *one, const char *other)
{
	struct stat a, b;

	return one != NULL && other != NULL && stat(one, &a) == 0 && stat(other, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void check_folders(const struct config *config, struct option_reading *reading)
{
	scoped(claims_done) struct claims claims = { 0 };
	struct stat info;

	for (size_t i = 0; i < config->drop_count; i++)
		if (config->drops[i].path != NULL && stat(config->drops[i].path, &info) == 0)
			claim(&claims,
			      arena_printf(option_scratch(reading), "%llu %llu",
					   (unsigned long long)info.st_dev,
					   (unsigned long long)info.st_ino),
			      &config->drops[i].path);
	check_claims(reading, &claims,
		     "two entries that watch one folder would race for its files");
	for (size_t i = 0; i < config->drop_count; i++)
		if (is_one_folder(config->drops[i].path, config->state_dir))
			option_complain(
				reading, &config->drops[i].path,
				"state.folder is this folder too, and the queue's own files "
				"would be taken for documents: choose another");
}

/* By the number that it has, and those that it had: what was counted under one belongs to one site. */
static void claim_site(struct claims *sites, const struct config_site *site)
{
	claim(sites, site->metadata.finess_eg, &site->metadata.finess_eg);
	for (size_t i = 0; i < site->formerly_count; i++)
		claim(sites, site->formerly[i], &site->formerly[i]);
}

/* Whatever fits `other` fits `one`, too. */
static bool covers(const struct config_policy *one, const struct config_policy *other)
{
	if (one->type == NULL || one->unit == NULL || other->type == NULL || other->unit == NULL)
		return false; /* it was complained about */
	return (strcmp(one->type, "*") == 0 || strcmp(one->type, other->type) == 0) &&
	       (one->unit[0] == '\0' || strcmp(one->unit, other->unit) == 0);
}

/* 24 h is what an entry has that says nothing, so that --check-config prints it of any. */
static void check_delay(const struct config_policy *policy, struct option_reading *reading)
{
	if (policy->action != POLICY_DELAY && policy->delay_ms != CONFIG_DELAY_MS)
		option_complain(
			reading, &policy->delay_ms,
			"delay says how long the action \"delay\" holds, and this entry has "
			"another action: write action: delay, or take the delay away");
}

/* The first that fits decides: what was to be held, or hidden, would leave. */
static void check_policies(const struct config_site *site, struct option_reading *reading)
{
	for (size_t i = 0; i < site->policy_count; i++)
		check_delay(&site->policies[i], reading);
	for (size_t i = 1; i < site->policy_count; i++)
		for (size_t j = 0; j < i; j++)
			if (covers(&site->policies[j], &site->policies[i])) {
				option_complain(
					reading, &site->policies[i].type,
					"this entry never decides, for whatever it fits is "
					"decided %s: write it before that one, or take it away",
					option_where(reading, &site->policies[j].type,
						     &site->policies[i].type));
				break;
			}
}

/* A flag or a class of visit is a letter or a few: with a comma behind it, it is none that a message has. */
static void check_words(const char *const *words, const char *name, const char *example,
			struct option_reading *reading)
{
	if (*words != NULL && strpbrk(*words, ",;") != NULL)
		option_complain(reading, words,
				"%s has blanks between its values, and no comma: write them like "
				"\"%s\"",
				name, example);
}

static void check_units(const struct config_site *site, struct option_reading *reading)
{
	scoped(claims_done) struct claims units = { 0 };

	for (size_t i = 0; i < site->unit_count; i++)
		claim(&units, site->units[i].unit, &site->units[i].unit);
	check_claims(reading, &units, "a unit has one field of activity");
}

static void check_sites(const struct config_establishment *e, struct option_reading *reading)
{
	for (size_t i = 0; i < e->site_count; i++) {
		check_words(&e->sites[i].stay_classes, "stay_classes", "I O", reading);
		check_words(&e->sites[i].open_flags, "sensitive.open_flags", "N P", reading);
		check_policies(&e->sites[i], reading);
		check_units(&e->sites[i], reading);
	}
}

static void check_entities(const struct config *config, struct option_reading *reading)
{
	scoped(claims_done) struct claims entities = { 0 }, sites = { 0 };

	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct config_establishment *e = &config->establishments[i];

		claim(&entities, e->finess_ej, &e->finess_ej);
		for (size_t j = 0; j < e->site_count; j++)
			claim_site(&sites, &e->sites[j]);
	}
	check_claims(reading, &entities, "a legal entity is one entry of establishments");
	check_claims(reading, &sites, "a site belongs to one legal entity, and is written once");
}

static bool is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* One that could not be read may be the one that is meant. */
static bool has_unread_site(const struct config *config)
{
	for (size_t i = 0; i < config->establishment_count; i++)
		for (size_t j = 0; j < config->establishments[i].site_count; j++)
			if (config->establishments[i].sites[j].metadata.finess_eg == NULL)
				return true;
	return false;
}

static void check_site(const struct config *config, const char *const *site,
		       struct option_reading *reading)
{
	if (*site != NULL && !has_unread_site(config) &&
	    config_establishment_of(config, *site, NULL) == NULL)
		option_complain(
			reading, site,
			"site %s is declared by no establishment: add it to the sites of the one "
			"that sends for it",
			*site);
}

/* Of a listener, or of the status page. */
static void check_server_tls(const struct tls_server_settings *tls, struct option_reading *reading)
{
	if (tls->cert == NULL || tls->key == NULL || tls->client_ca == NULL)
		return; /* it was complained about */
	if (tls->cert[0] != '\0' && tls->key[0] == '\0')
		option_complain(reading, &tls->key,
				"tls.key is missing: a certificate is of no use without its key");
	if (tls->cert[0] == '\0' && (tls->key[0] != '\0' || tls->client_ca[0] != '\0'))
		option_complain(reading, &tls->cert,
				"tls.cert is missing: without it there is no TLS here");
}

static void check_intake(const struct config *config, struct option_reading *reading)
{
	if (config->mllp_count + config->drop_count == 0)
		option_complain(
			reading, &config->mllp,
			"there is no way in: declare a listener in intake.mllp, or a folder in "
			"intake.drop");
	for (size_t i = 0; i < config->mllp_count; i++) {
		check_site(config, &config->mllp[i].site, reading);
		check_server_tls(&config->mllp[i].tls, reading);
	}
	for (size_t i = 0; i < config->drop_count; i++)
		check_site(config, &config->drops[i].site, reading);
}

/* What the page tells is not for the whole network. */
static void check_status(const struct config *config, struct option_reading *reading)
{
	const struct status_settings *status = &config->status;
	struct address address;

	check_server_tls(&status->tls, reading);
	if (status->listen == NULL || !address_parse(status->listen, &address) ||
	    address_is_loopback(&address))
		return;
	if (!is_given(status->tls.cert))
		option_complain(
			reading, &status->listen,
			"beyond this machine the status page needs status.tls.cert and "
			"status.tls.key: write them, or an address of 127.0.0.0/8 or [::1]");
	else if (!is_given(status->tls.client_ca) && !is_given(config->status_token_file))
		option_complain(reading, &status->listen,
				"beyond this machine whoever asks for the status page must show "
				"something: write status.token_file or status.tls.client_ca");
}

static bool is_source(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->mllp_count; i++)
		if (config->mllp[i].source != NULL && strcmp(config->mllp[i].source, name) == 0)
			return true;
	for (size_t i = 0; i < config->drop_count; i++)
		if (config->drops[i].source != NULL && strcmp(config->drops[i].source, name) == 0)
			return true;
	return false;
}

/* A connection that the gateway makes, and what its keys are called. */
struct outgoing {
	const char *name;
	const char *const *address;
	const struct tls_client_settings *tls;
	const struct retry_settings *retry;
	bool needs_tls;
};

static void check_outgoing_tls(const struct outgoing *out, struct option_reading *reading)
{
	const struct tls_client_settings *tls = out->tls;
	const bool has_cert = tls->cert != NULL && is_given(tls->cert);
	const bool has_key = tls->key != NULL && is_given(tls->key);
	const bool has_name = tls->name != NULL && is_given(tls->name);

	if (tls->cert != NULL && tls->key != NULL && has_cert != has_key)
		option_complain(reading, has_cert ? &tls->key : &tls->cert,
				"%s.tls.cert and %s.tls.key go together: write both, or none",
				out->name, out->name);
	if (tls->ca != NULL && !is_given(tls->ca) &&
	    (out->needs_tls || has_cert || has_key || has_name))
		option_complain(reading, &tls->ca,
				"%s.tls.ca is missing: without the authorities of the other side "
				"there is no TLS",
				out->name);
}

static void check_outgoing(const struct config *config, const struct outgoing *out,
			   struct option_reading *reading)
{
	struct address address;

	if (out->retry->most_ms != 0 && out->retry->most_ms < out->retry->first_ms)
		option_complain(reading, &out->retry->most_ms,
				"%s.retry.most must not be shorter than %s.retry.first", out->name,
				out->name);
	check_outgoing_tls(out, reading);
	if (config->environment == ENVIRONMENT_REHEARSAL && *out->address != NULL &&
	    address_parse(*out->address, &address) && !address_is_loopback(&address))
		option_complain(reading, out->address,
				"a rehearsal sends to this machine only: write an address of "
				"127.0.0.0/8 or [::1], or another environment");
}

static void check_ack(const struct config *config, const struct mllp_sender_settings *ack,
		      struct option_reading *reading)
{
	check_outgoing(config,
		       &(struct outgoing){ "ack", &ack->address, &ack->tls, &ack->retry, false },
		       reading);
}

static void check_collector(const struct config *config, struct option_reading *reading)
{
	const struct collector_settings *collector = &config->collector;
	const bool is_given_one = collector->address != NULL && is_given(collector->address);

	check_outgoing(config,
		       &(struct outgoing){ "audit.syslog", &collector->address, &collector->tls,
					   &collector->retry, is_given_one },
		       reading);
}

static void check_source(const struct config *config, const char *const *name,
			 struct option_reading *reading)
{
	if (*name != NULL && !is_source(config, *name))
		option_complain(reading, name,
				"no listener or folder has the source %s: write it as intake.mllp "
				"or intake.drop has it",
				*name);
}

static void check_source_senders(const struct config *config, struct option_reading *reading)
{
	scoped(claims_done) struct claims claims = { 0 };

	for (size_t i = 0; i < config->source_sender_count; i++) {
		const char *const *name = &config->source_senders[i].name;

		claim(&claims, *name, name);
		check_source(config, name, reading);
	}
	check_claims(reading, &claims, "a source is one entry of vihf.sources");
}

static void check_sources(const struct config *config, struct option_reading *reading)
{
	scoped(claims_done) struct claims claims = { 0 };

	for (size_t i = 0; i < config->source_count; i++) {
		const struct config_source *source = &config->sources[i];

		claim(&claims, source->name, &source->name);
		check_source(config, &source->name, reading);
		check_ack(config, &source->ack, reading);
	}
	check_claims(reading, &claims, "a source is one entry of sources");
}

/* A message as large as allowed must fit beside nothing else, or its sender waits for ever. */
static void check_limits(const struct config *config, struct option_reading *reading)
{
	for (size_t i = 0; i < config->mllp_count; i++) {
		const struct mllp_settings *mllp = &config->mllp[i];

		if (mllp->most_in_flight_bytes != 0 &&
		    mllp->most_in_flight_bytes < mllp->most_message_bytes)
			option_complain(
				reading, &mllp->most_in_flight_bytes,
				"max_in_flight must be at least max_message: one message of that "
				"size could never be read");
	}
}

/* Each is one that is known, and right for the environment. */
static void check_domains(const struct config *config, struct option_reading *reading)
{
	struct slice rest = slice_of(config->ins_oids ? config->ins_oids : ""), one;

	while (rest.n > 0 && slice_next(&rest, ' ', &one)) {
		const char *oid = arena_dup(option_scratch(reading), one);

		if (!ins_domain_allowed(oid, config->environment))
			option_complain(reading, &config->ins_oids,
					"patient.ins_oids: \"%s\" is no domain of the INS that the "
					"environment %s takes",
					oid, environment_text(config->environment));
	}
}

static void check_local_domain(const struct config *config, struct option_reading *reading)
{
	if (config->local_oid != NULL && config->local_oid[0] != '\0' &&
	    (!oid_is_valid(config->local_oid) || ins_is_domain(config->local_oid)))
		option_complain(reading, &config->local_oid,
				"patient.local_oid must be an OID of your own");
}

enum platform { PLATFORM_UNKNOWN, PLATFORM_PRODUCTION, PLATFORM_TEST };

/* "dev9", "formation2" */
static bool is_test_label(struct slice label)
{
	while (label.n > 0 && label.p[label.n - 1] >= '0' && label.p[label.n - 1] <= '9')
		label.n--;
	return slice_is_nocase(label, "dev") || slice_is_nocase(label, "formation");
}

/* Of the DMP's own domain, as far as hosts of it are known: lps2.dmp.gouv.fr, dev1.lps2.dmp.gouv.fr,
 * lps.dev9.dmp.gouv.fr.
 */
static enum platform platform_of(struct slice host)
{
	static const char *const production[] = { "lps.dmp.gouv.fr", "lps2.dmp.gouv.fr" };
	static const char domain[] = ".dmp.gouv.fr";
	struct slice label;

	if (host.n > 0 && host.p[host.n - 1] == '.') /* the root may be written */
		host.n--;
	for (size_t i = 0; i < length_of(production); i++)
		if (slice_is_nocase(host, production[i]))
			return PLATFORM_PRODUCTION;
	if (host.n < strlen(domain) ||
	    !slice_is_nocase(slice_from(host, host.n - strlen(domain)), domain))
		return PLATFORM_UNKNOWN;
	while (slice_next(&host, '.', &label))
		if (is_test_label(label))
			return PLATFORM_TEST;
	return PLATFORM_UNKNOWN;
}

static bool stays_here(const char *scheme, const char *text)
{
	struct url url;

	return url_parse(scheme, slice_of(text), &url) && url_is_loopback(&url);
}

/* An invented patient must not reach the DMP itself, nor a real one what vendors share. */
static void check_url(const struct config *config, const char *const *text,
		      struct option_reading *reading)
{
	struct url url = { 0 };
	enum platform platform = PLATFORM_UNKNOWN;

	if (url_parse("https://", slice_of(*text), &url))
		platform = platform_of(slice_of(url.host));

	switch (config->environment) {
	case ENVIRONMENT_PRODUCTION:
		if (platform == PLATFORM_TEST)
			option_complain(reading, text,
					"real patients do not go to %s, a test platform of the "
					"DMP: write the host of production, or environment: test",
					url.host);
		break;
	case ENVIRONMENT_TEST:
		if (platform == PLATFORM_PRODUCTION)
			option_complain(reading, text,
					"invented patients do not go to %s, the DMP itself: "
					"write the host of a test platform, or environment: "
					"production",
					url.host);
		break;
	case ENVIRONMENT_REHEARSAL:
		if (!stays_here("https://", *text))
			option_complain(reading, text,
					"a rehearsal sends to this machine only: write a URL of "
					"127.0.0.1, [::1] or localhost, or another environment");
		break;
	}
}

static void check_destination(const struct config *config, const struct config_establishment *e,
			      struct option_reading *reading)
{
	const char *const *const urls[] = { &e->url_repository, &e->url_registry,
					    &e->url_patients };

	for (size_t i = 0; i < length_of(urls); i++)
		if (is_given(*urls[i]))
			check_url(config, urls[i], reading);
	if (config->environment == ENVIRONMENT_REHEARSAL && is_given(e->http.proxy) &&
	    !stays_here("http://", e->http.proxy))
		option_complain(reading, &e->http.proxy,
				"a rehearsal sends to this machine only, and another machine's "
				"proxy leads elsewhere");
}

static void check_lane(const struct config_establishment *e, struct option_reading *reading)
{
	if (e->check_existence && e->url_patients != NULL && e->url_patients[0] == '\0')
		option_complain(reading, &e->check_existence,
				"dmp.check_existence needs the URL of the service to ask: write "
				"dmp.url.patients");
	if (e->http.tls.least != NULL && e->http.tls.most != NULL &&
	    strcmp(e->http.tls.least, e->http.tls.most) > 0)
		option_complain(reading, &e->http.tls.most,
				"dmp.tls.max must not be older than dmp.tls.min (%s)",
				e->http.tls.least);
	if (e->proxy_file != NULL && e->proxy_file[0] != '\0' && e->http.proxy != NULL &&
	    e->http.proxy[0] == '\0')
		option_complain(reading, &e->proxy_file,
				"dmp.proxy.credentials_file is of no use without dmp.proxy.url");
	if (e->lane.retry.most_ms != 0 && e->lane.retry.most_ms < e->lane.retry.first_ms)
		option_complain(reading, &e->lane.retry.most_ms,
				"dmp.retry.most must not be shorter than dmp.retry.first");
}

static void check_homologation(const struct config *config, struct option_reading *reading)
{
	if (config->environment == ENVIRONMENT_PRODUCTION && config->homologation_file != NULL &&
	    config->homologation_file[0] == '\0')
		option_complain(
			reading, &config->homologation_file,
			"lps.homologation_file is missing: in production, the DMP wants the number "
			"of the homologation, in a file of its own");
}

static void check_push(const struct config *config, struct option_reading *reading)
{
	const struct push_settings *push = &config->push;

	if (push->command_count > 0 && push->command[0] != NULL &&
	    (push->command[0][0] != '/' || access(push->command[0], X_OK) < 0))
		option_complain(reading, &push->command,
				"alerts.push.command must begin with the path of a program, from "
				"/ on, that may be run");
	if (config->environment == ENVIRONMENT_REHEARSAL && is_given(push->url) &&
	    !stays_here("https://", push->url) && !stays_here("http://", push->url))
		option_complain(reading, &push->url,
				"a rehearsal tells this machine only: write a URL of 127.0.0.1, "
				"[::1] or localhost, or another environment");
	if (push->retry.most_ms != 0 && push->retry.most_ms < push->retry.first_ms)
		option_complain(reading, &push->retry.most_ms,
				"alerts.push.retry.most must not be shorter than its first");
}

/* What could not be read is 0: it was complained about. */
static void check_worse(struct option_reading *reading, const int64_t *critical, int64_t warning,
			bool less_is_worse, const char *name, const char *of)
{
	if (*critical != 0 && warning != 0 &&
	    (less_is_worse ? *critical > warning : *critical < warning))
		option_complain(reading, critical, "alerts.%s.critical must be worse than %s", name,
				of);
}

static void check_alerts(const struct config *config, struct option_reading *reading)
{
	const struct threshold_settings *alerts = &config->alerts;
	const struct {
		const char *name;
		const struct threshold *threshold;
		bool less_is_worse;
	} rows[] = {
		{ "backlog_age", &alerts->backlog_age_ms, false },
		{ "certificate_expiring", &alerts->certificate_ms, true },
		{ "clock_skew", &alerts->clock_skew_ms, false },
		{ "rejected_waiting", &alerts->rejected_age_ms, false },
		{ "ins_waiting", &alerts->ins_age_ms, false },
		{ "dmp_absent_rate", &alerts->absent_percent, false },
		{ "audit_not_forwarded", &alerts->audit_unreached_ms, false },
		{ "disk_low.share", &alerts->disk_percent, true },
		{ "disk_low.free", &alerts->disk_bytes, true },
	};

	for (size_t i = 0; i < length_of(rows); i++)
		check_worse(reading, &rows[i].threshold->critical, rows[i].threshold->warning,
			    rows[i].less_is_worse, rows[i].name, "its warning");
	check_worse(reading, &alerts->invisible_critical_ms, config->invisible_most_ms, false,
		    "invisible_too_long", "its warning, visibility.invisible_most");
}

void config_check(const struct config *config, struct option_reading *reading)
{
	check_names(config, reading);
	check_addresses(config, reading);
	check_folders(config, reading);
	check_entities(config, reading);
	check_intake(config, reading);
	check_status(config, reading);
	check_limits(config, reading);
	check_sources(config, reading);
	check_collector(config, reading);
	check_source_senders(config, reading);
	check_domains(config, reading);
	check_local_domain(config, reading);
	check_homologation(config, reading);
	check_alerts(config, reading);
	check_push(config, reading);
	for (size_t i = 0; i < config->establishment_count; i++) {
		check_destination(config, &config->establishments[i], reading);
		check_lane(&config->establishments[i], reading);
		check_sites(&config->establishments[i], reading);
	}
}
