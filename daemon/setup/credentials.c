/* The certificates and keys that the configuration names, opened. */
#include "setup/credentials.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/wire.h"
#include "config/option.h"

/* Of one establishment. */
struct credential {
	struct signer *signer; /* NULL: something is wrong */
	char trouble[ERR_TEXT];
	char client[SIGNER_STRUCTURE]; /* the structure that TLS shows */
};

struct credentials {
	uint64_t edition;
	struct credential *list;
	size_t count;
};

struct loading {
	const struct config *config;
	const struct config_establishment *establishment;
	struct credential *credential;
	int64_t now_ms;
	struct buf *errors;
};

/* What a file is for, and the member of the establishment that names it. */
struct named {
	const char *option; /* "dmp.tls.cert"; its last word is what err->where says */
	const void *field;
};

/* Tells it with its place; the first of them is what keeps the lane from starting, unless it passes by
 * itself: a token that is away. Returns -1.
 */
static int complain(struct loading *loading, const struct named *named, const char *link,
		    const struct err *err)
{
	struct credential *credential = loading->credential;

	config_fault(loading->config, named->field, loading->errors, "%s%s%s", named->option, link,
		     err->text);
	if (credential->trouble[0] == '\0' && err->kind != ERR_RETRY)
		snprintf(credential->trouble, sizeof(credential->trouble), "%s%s%.*s",
			 named->option, link, ERR_TEXT - 32, err->text);
	return -1;
}

/* What err->where names; the last row is for what no other is. */
static const struct named *culprit_of(const struct named *files, size_t count,
				      const struct err *err)
{
	size_t i = 0;

	while (i < count - 1 && strcmp(strrchr(files[i].option, '.') + 1, err->where) != 0)
		i++;
	return &files[i];
}

/* All that are missing, not the first alone. */
static int check_files(struct loading *loading)
{
	const struct config_establishment *e = loading->establishment;
	const struct {
		struct named named;
		const char *path;
		bool secret;
	} files[] = {
		{ { "dmp.tls.ca", &e->http.tls.ca }, e->http.tls.ca, false },
		{ { "dmp.tls.cert", &e->http.tls.cert }, e->http.tls.cert, false },
		{ { "dmp.tls.key", &e->http.tls.key }, e->http.tls.key, true },
		{ { "dmp.sign.cert", &e->sign.cert }, e->sign.cert, false },
		{ { "dmp.sign.key", &e->sign.key }, e->sign.key, true },
		{ { "dmp.sign.chain", &e->sign.chain }, e->sign.chain, false },
	};
	int rc = 0;

	for (size_t i = 0; i < length_of(files); i++) {
		struct err err = { 0 };

		if (option_check_file(files[i].path, files[i].secret, &err) < 0)
			rc = complain(loading, &files[i].named, " ", &err);
	}
	return rc;
}

static int check_tls(struct loading *loading)
{
	const struct http_settings *http = &loading->establishment->http;
	const struct named files[] = {
		{ "dmp.tls.ca", &http->tls.ca },
		{ "dmp.tls.key", &http->tls.key },
		{ "dmp.tls.ciphers", &http->tls.ciphers },
		{ "dmp.tls.cert", &http->tls.cert },
	};
	scoped(http_tls_free) struct http_tls *tls = NULL;
	struct err err = { 0 };

	if (signer_check_client(http->tls.cert, loading->credential->client, &err) < 0 ||
	    http_tls_new(&tls, &http->tls, loading->now_ms, &err) < 0 ||
	    http_tls_try(tls, &err) < 0)
		return complain(loading, culprit_of(files, length_of(files), &err), ": ", &err);
	return 0;
}

static int check_revocation(struct loading *loading)
{
	const struct http_settings *http = &loading->establishment->http;
	const struct named named = { "dmp.tls.crl", &http->revocation.crl };
	scoped(revocation_free) struct revocation *revocation = NULL;
	struct err err = { 0 };

	if (revocation_new(&revocation, &http->revocation, &err) < 0)
		return complain(loading, &named, ": ", &err);
	return 0;
}

static int load_signer(struct loading *loading, struct signer **ret_signer)
{
	const struct config *config = loading->config;
	const struct signer_settings *sign = &loading->establishment->sign;
	const struct signer_needs needs = {
		.sha1 = config->vihf.digest == DIGEST_SHA1 || config->xades.digest == DIGEST_SHA1,
		.full_chain = config->xades.full_chain,
		.ascii_names = config->ascii_names,
	};
	const struct named files[] = {
		{ "dmp.sign.key", &sign->key },
		{ "dmp.sign.chain", &sign->chain },
		{ "dmp.sign.cert", &sign->cert },
	};
	struct err err = { 0 };

	if (signer_load(ret_signer, sign, &needs, loading->now_ms, &err) < 0 ||
	    signer_try(*ret_signer, sign, &needs, &err) < 0)
		return complain(loading, culprit_of(files, length_of(files), &err), ": ", &err);
	return 0;
}

/* A file that is missing says nothing more of itself by being opened. */
static int load_one(struct loading *loading)
{
	scoped(signer_free) struct signer *signer = NULL;
	int tls, revocation, sign;

	if (check_files(loading) < 0)
		return -1;
	tls = check_tls(loading);
	revocation = check_revocation(loading);
	sign = load_signer(loading, &signer);
	if (loading->credential->trouble[0] == '\0')
		loading->credential->signer = take(signer);
	return tls < 0 || revocation < 0 || sign < 0 ? -1 : 0;
}

static int blame(const struct config *config, const struct named *culprit, const struct err *err,
		 struct buf *errors)
{
	config_fault(config, culprit->field, errors, "%s: %s", culprit->option, err->text);
	return -1;
}

/* Each listener and way back makes its own when it opens; here it is only told what would be wrong. */
static int check_listener(const struct config *config, const struct mllp_settings *mllp,
			  int64_t now_ms, struct buf *errors)
{
	const struct named settings[] = {
		{ "tls.key", &mllp->tls.key },         { "tls.client_ca", &mllp->tls.client_ca },
		{ "tls.ciphers", &mllp->tls.ciphers }, { "tls.min", &mllp->tls.min },
		{ "tls.cert", &mllp->tls.cert },
	};
	scoped(tls_free) struct tls *tls = NULL;
	struct err err = { 0 };

	if (mllp->tls.cert[0] == '\0' || tls_server_new(&tls, &mllp->tls, now_ms, &err) == 0)
		return 0;
	return blame(config, culprit_of(settings, length_of(settings), &err), &err, errors);
}

enum { OUTGOING_NAMED = 4 };

static int check_outgoing(const struct config *config, const struct tls_client_settings *settings,
			  const char *address, const struct named named[static OUTGOING_NAMED],
			  int64_t now_ms, struct buf *errors)
{
	scoped(tls_free) struct tls *tls = NULL;
	struct err err = { 0 };

	if (wire_tls(&tls, settings, address, now_ms, &err) == 0)
		return 0;
	return blame(config, culprit_of(named, OUTGOING_NAMED, &err), &err, errors);
}

static int check_source(const struct config *config, const struct mllp_sender_settings *ack,
			int64_t now_ms, struct buf *errors)
{
	const struct named settings[] = {
		{ "ack.tls.cert", &ack->tls.cert },
		{ "ack.tls.key", &ack->tls.key },
		{ "ack.tls.name", &ack->tls.name },
		{ "ack.tls.ca", &ack->tls.ca },
	};

	return check_outgoing(config, &ack->tls, ack->address, settings, now_ms, errors);
}

static int check_collector(const struct config *config, int64_t now_ms, struct buf *errors)
{
	const struct collector_settings *collector = &config->collector;
	const struct named settings[] = {
		{ "audit.syslog.tls.cert", &collector->tls.cert },
		{ "audit.syslog.tls.key", &collector->tls.key },
		{ "audit.syslog.tls.name", &collector->tls.name },
		{ "audit.syslog.tls.ca", &collector->tls.ca },
	};

	if (collector->address[0] == '\0')
		return 0;
	return check_outgoing(config, &collector->tls, collector->address, settings, now_ms,
			      errors);
}

static int check_status(const struct config *config, int64_t now_ms, struct buf *errors)
{
	const struct tls_server_settings *settings = &config->status.tls;
	const struct named named[] = {
		{ "status.tls.key", &settings->key },
		{ "status.tls.client_ca", &settings->client_ca },
		{ "status.tls.cert", &settings->cert },
	};
	scoped(tls_free) struct tls *tls = NULL;
	struct err err = { 0 };

	if (settings->cert[0] == '\0' || tls_server_new(&tls, settings, now_ms, &err) == 0)
		return 0;
	return blame(config, culprit_of(named, length_of(named), &err), &err, errors);
}

int credentials_check_doors(const struct config *config, int64_t now_ms, struct buf *errors)
{
	int rc = 0;

	for (size_t i = 0; i < config->mllp_count; i++)
		rc = min(rc, check_listener(config, &config->mllp[i], now_ms, errors));
	for (size_t i = 0; i < config->source_count; i++)
		rc = min(rc, check_source(config, &config->sources[i].ack, now_ms, errors));
	rc = min(rc, check_collector(config, now_ms, errors));
	return min(rc, check_status(config, now_ms, errors));
}

int credentials_load(struct credentials **ret_credentials, const struct config *config,
		     int64_t now_ms, struct buf *errors)
{
	static atomic_uint_fast64_t editions;
	struct credentials *credentials = xcalloc(1, sizeof(*credentials));
	int rc = 0;

	credentials->edition = atomic_fetch_add(&editions, 1) + 1;

	credentials->count = config->establishment_count;
	credentials->list = xcalloc(credentials->count, sizeof(*credentials->list));
	for (size_t i = 0; i < credentials->count; i++) {
		struct loading loading = { config, &config->establishments[i],
					   &credentials->list[i], now_ms, errors };

		if (load_one(&loading) < 0)
			rc = -1;
	}
	*ret_credentials = credentials;
	return rc;
}

static const char *structure_text(const char *structure)
{
	return structure[0] != '\0' ? structure : "none (it has no OU)";
}

/* An OU is the kind of number, 1 for a FINESS, and the number. */
void credentials_remark(const struct credentials *credentials, const struct config *config,
			size_t index, struct buf *remarks)
{
	const struct config_establishment *e = &config->establishments[index];
	const struct credential *credential = &credentials->list[index];
	const char *structure;

	if (credential->signer == NULL)
		return;
	structure = signer_facts(credential->signer)->structure;
	if (strcmp(structure + (structure[0] == '1'), e->finess_ej) != 0)
		buf_addf(remarks,
			 "the certificate that signs for establishment %s is of structure %s: the "
			 "DMP may refuse what it signs\n",
			 e->finess_ej, structure_text(structure));
	if (strcmp(structure, credential->client) != 0)
		buf_addf(remarks,
			 "the two certificates of establishment %s are not of one structure: %s "
			 "signs, %s speaks TLS; the DMP expects both of the same\n",
			 e->finess_ej, structure_text(structure),
			 structure_text(credential->client));
}

void credentials_free(struct credentials **credentials)
{
	struct credentials *c = *credentials;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		signer_free(&c->list[i].signer);
	free(c->list);
	free_ptr(credentials);
}

uint64_t credentials_edition(const struct credentials *credentials)
{
	return credentials->edition;
}

size_t credentials_count(const struct credentials *credentials)
{
	return credentials->count;
}

const char *credentials_trouble(const struct credentials *credentials, size_t index)
{
	return credentials->list[index].trouble;
}

const struct signer *credentials_signer(const struct credentials *credentials, size_t index)
{
	return credentials->list[index].signer;
}
