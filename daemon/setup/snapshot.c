/* What the daemon goes by until its configuration is read again. */
#include "setup/snapshot.h"

#include "base/clock.h"
#include "setup/board_load.h"
#include "setup/tables.h"

enum { WARN_DAYS = 60 /* before a certificate ends */ };

int snapshot_new(struct snapshot **ret_snapshot, const char *file, struct buf *errors)
{
	struct snapshot *snapshot;
	struct config *config;

	if (config_load(&config, file, errors) < 0)
		return -1;
	snapshot = xcalloc(1, sizeof(*snapshot));
	snapshot->config = config;
	snapshot->holders = 1;
	*ret_snapshot = snapshot;
	return 0;
}

static int load_errors(struct snapshot *snapshot, struct buf *errors)
{
	const struct config *config = snapshot->config;
	struct err err = { 0 };

	if (error_table_load(&snapshot->errors, config->errors_file, &err) == 0)
		return 0;
	config_fault(config, &config->errors_file, errors, "errors.file: %s", err.text);
	return -1;
}

int snapshot_load(struct snapshot *snapshot, struct buf *errors)
{
	const struct config *config = snapshot->config;
	int doors = credentials_check_doors(config, clock_now_ms(), errors);
	int tables = tables_load(&snapshot->valuesets, config, errors);
	int targets = board_load_targets(&snapshot->targets, config, errors);
	int table = load_errors(snapshot, errors);

	snapshot->certificates = certificates_new(config);
	return doors < 0 || tables < 0 || targets < 0 || table < 0 ? -1 : 0;
}

int snapshot_load_credentials(struct snapshot *snapshot, struct buf *errors)
{
	return credentials_load(&snapshot->credentials, snapshot->config, clock_now_ms(), errors);
}

static void tell_certificate(const struct config_establishment *e, const struct signer *signer,
			     int64_t now_ms)
{
	const struct signer_facts *facts = signer_facts(signer);
	const int64_t days = signer_days_left(signer, now_ms);

	log_line(days <= WARN_DAYS ? LEVEL_WARNING : LEVEL_INFO,
		 "signing lane=%s structure=%s days_left=%lld", e->finess_ej, facts->structure,
		 (long long)days);
}

void snapshot_tell_certificates(const struct snapshot *snapshot)
{
	const int64_t now_ms = clock_now_ms();
	scoped(buf_done) struct buf remarks = { 0 };
	struct slice rest, line;

	for (size_t i = 0; i < credentials_count(snapshot->credentials); i++) {
		const struct config_establishment *e = &snapshot->config->establishments[i];
		const struct signer *signer = credentials_signer(snapshot->credentials, i);

		if (signer != NULL)
			tell_certificate(e, signer, now_ms);
		credentials_remark(snapshot->credentials, snapshot->config, i, &remarks);
	}
	rest = slice_trim(buf_slice(&remarks));
	while (rest.n > 0 && slice_next(&rest, '\n', &line))
		log_warning("%.*s", (int)line.n, line.p);
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
	snapshot->holders++;
	return snapshot;
}

void snapshot_let_go(struct snapshot **snapshot)
{
	struct snapshot *s = *snapshot;

	*snapshot = NULL;
	if (s == NULL || --s->holders > 0)
		return;
	certificates_free(&s->certificates);
	targets_free(&s->targets);
	error_table_free(&s->errors);
	valuesets_free(&s->valuesets);
	credentials_free(&s->credentials);
	config_free(&s->config);
	free(s);
}
