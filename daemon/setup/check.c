/* dmpfeedd --check-config. One thread, no loop: it reads, looks, prints and ends. */
#include "setup/check.h"

#include <stdio.h>

#include "base/clock.h"
#include "dispatch/error_table.h"
#include "queue/keyring.h"
#include "setup/board_load.h"
#include "setup/credentials.h"
#include "setup/preflight.h"
#include "setup/tables.h"

struct checking {
	struct config *config;
	struct credentials *credentials;
	struct valuesets *valuesets;
	struct targets *targets;
	struct buf errors, notes;
};

static void checking_done(struct checking *checking)
{
	credentials_free(&checking->credentials);
	valuesets_free(&checking->valuesets);
	targets_free(&checking->targets);
	config_free(&checking->config);
	buf_done(&checking->errors);
	buf_done(&checking->notes);
}

static int check_keys(struct checking *checking)
{
	const struct config *config = checking->config;
	scoped(keyring_free) struct keyring *keyring = NULL;
	struct err err = { 0 };

	if (config->key_file[0] == '\0' || keyring_load(&keyring, config->key_file, &err) == 0)
		return 0;
	config_fault(config, &config->key_file, &checking->errors, "queue.encryption.key_file: %s",
		     err.text);
	return -1;
}

static int check_errors(struct checking *checking)
{
	const struct config *config = checking->config;
	scoped(error_table_free) struct error_table *table = NULL;
	struct err err = { 0 };

	if (error_table_load(&table, config->errors_file, &err) == 0)
		return 0;
	config_fault(config, &config->errors_file, &checking->errors, "errors.file: %s", err.text);
	return -1;
}

static void note_certificates(struct checking *checking)
{
	const struct credentials *credentials = checking->credentials;

	for (size_t i = 0; i < credentials_count(credentials); i++)
		credentials_remark(credentials, checking->config, i, &checking->notes);
}

/* Each of them, whatever the others found. */
static int check_all(struct checking *checking)
{
	const struct config *config = checking->config;
	struct buf *errors = &checking->errors;
	int64_t now_ms = clock_now_ms();
	int rc = credentials_load(&checking->credentials, config, now_ms, errors);

	note_certificates(checking);
	rc = min(rc, credentials_check_doors(config, now_ms, errors));
	rc = min(rc, tables_load(&checking->valuesets, checking->config, errors));
	rc = min(rc, board_load_targets(&checking->targets, config, errors));
	rc = min(rc, check_keys(checking));
	rc = min(rc, check_errors(checking));
	return min(rc, preflight_check(config, errors, &checking->notes));
}

static void add_comments(struct slice lines, struct buf *out)
{
	struct slice line;

	while (lines.n > 0 && slice_next(&lines, '\n', &line))
		buf_addf(out, "# %.*s\n", (int)line.n, line.p);
}

static void print(const struct checking *checking)
{
	const struct config *config = checking->config;
	scoped(buf_done) struct buf text = { 0 };

	config_print(config, &text);
	tables_print(checking->valuesets, &text);
	board_print_targets(checking->targets, &text);
	for (size_t i = 0; i < config->file_count; i++)
		buf_addf(&text, "# read: %s\n", config->files[i]);
	add_comments(buf_slice(&checking->notes), &text);
	printf("%s", text.p);
}

int check_config(const char *file, const char *user)
{
	scoped(checking_done) struct checking checking = { 0 };
	struct err err = { 0 };
	int rc;

	if (preflight_become(user, file, &checking.notes, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	rc = config_look(&checking.config, file, &checking.errors);
	if (checking.config != NULL)
		rc = min(rc, check_all(&checking));
	if (rc < 0) {
		fprintf(stderr, "%s", checking.errors.p ? checking.errors.p : "");
		return 1;
	}
	print(&checking);
	return 0;
}
