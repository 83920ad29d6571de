/* The certificates and keys that the configuration names, opened. */
#include "credentials.h"

struct credentials {
	struct signer **signers;
	size_t count;
};

/* Which option names what err->where speaks of. */
struct culprit {
	const char *where, *option;
	const void *field;
};

/* The last one is at fault when none is named. */
static void blame(const struct config *config, const struct culprit *culprits, size_t count,
		  const struct err *err, struct buf *errors)
{
	size_t i = 0;

	while (i < count - 1 && strcmp(culprits[i].where, err->where) != 0)
		i++;
	config_fault(config, culprits[i].field, errors, "%s: %s", culprits[i].option, err->text);
}

static void complain(const struct config *config, const struct config_establishment *e,
		     const struct err *err, struct buf *errors)
{
	const struct culprit files[] = {
		{ "key", "dmp.sign.key", &e->sign.key },
		{ "chain", "dmp.sign.chain", &e->sign.chain },
		{ "cert", "dmp.sign.cert", &e->sign.cert },
	};

	blame(config, files, length_of(files), err, errors);
}

/* Each listener makes its own when it opens; here it is only told what would be wrong. */
static bool check_listener(const struct config *config, const struct mllp_settings *mllp,
			   int64_t now_ms, struct buf *errors)
{
	const struct culprit settings[] = {
		{ "key", "tls.key", &mllp->tls.key },
		{ "client_ca", "tls.client_ca", &mllp->tls.client_ca },
		{ "ciphers", "tls.ciphers", &mllp->tls.ciphers },
		{ "min", "tls.min", &mllp->tls.min },
		{ "cert", "tls.cert", &mllp->tls.cert },
	};
	scoped(tls_free) struct tls *tls = NULL;
	struct err err = { 0 };

	if (mllp->tls.cert[0] == '\0' || tls_server_new(&tls, &mllp->tls, now_ms, &err) == 0)
		return true;
	blame(config, settings, length_of(settings), &err, errors);
	return false;
}

/* And each way back to a source. */
static bool check_source(const struct config *config, const struct mllp_sender_settings *ack,
			 int64_t now_ms, struct buf *errors)
{
	const struct culprit settings[] = {
		{ "cert", "ack.tls.cert", &ack->tls.cert },
		{ "key", "ack.tls.key", &ack->tls.key },
		{ "name", "ack.tls.name", &ack->tls.name },
		{ "ca", "ack.tls.ca", &ack->tls.ca },
	};
	scoped(tls_free) struct tls *tls = NULL;
	struct err err = { 0 };

	if (mllp_sender_tls(&tls, ack, now_ms, &err) == 0)
		return true;
	blame(config, settings, length_of(settings), &err, errors);
	return false;
}

static bool load_one(struct signer **ret_signer, const struct config *config,
		     const struct config_establishment *e, int64_t now_ms, struct buf *errors)
{
	const struct signer_needs needs = {
		.sha1 = config->vihf.digest == DIGEST_SHA1 || config->xades.digest == DIGEST_SHA1,
		.full_chain = config->xades.full_chain,
		.ascii_names = config->ascii_names,
	};
	const size_t before = errors->n;
	struct err err = { 0 };

	if (signer_check_client(e->http.tls.cert, now_ms, &err) < 0)
		config_fault(config, &e->http.tls.cert, errors, "dmp.tls.cert: %s", err.text);
	if (signer_load(ret_signer, &e->sign, &needs, now_ms, &err) < 0)
		complain(config, e, &err, errors);
	return errors->n == before;
}

int credentials_load(struct credentials **ret_credentials, const struct config *config,
		     int64_t now_ms, struct buf *errors)
{
	scoped(credentials_free) struct credentials *credentials = xcalloc(1, sizeof(*credentials));
	bool all = true;

	credentials->count = config->establishment_count;
	credentials->signers = xcalloc(credentials->count, sizeof(struct signer *));
	for (size_t i = 0; i < credentials->count; i++)
		all = load_one(&credentials->signers[i], config, &config->establishments[i], now_ms,
			       errors) &&
		      all;
	for (size_t i = 0; i < config->mllp_count; i++)
		all = check_listener(config, &config->mllp[i], now_ms, errors) && all;
	for (size_t i = 0; i < config->source_count; i++)
		all = check_source(config, &config->sources[i].ack, now_ms, errors) && all;
	if (!all)
		return -1;
	*ret_credentials = take(credentials);
	return 0;
}

void credentials_free(struct credentials **credentials)
{
	struct credentials *c = *credentials;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		signer_free(&c->signers[i]);
	free(c->signers);
	free_ptr(credentials);
}

size_t credentials_count(const struct credentials *credentials)
{
	return credentials->count;
}

const struct signer *credentials_signer(const struct credentials *credentials, size_t index)
{
	return credentials->signers[index];
}
