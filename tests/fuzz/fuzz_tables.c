/* Files that an installation brings: the table of the DMP's errors, the keys of the queue. What is not taken is told,
 * with the line, and never with what is on the line of a key.
 */
#include "dispatch/error_table.h"
#include "queue/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_errors(struct slice bytes)
{
	const struct reply refusal = { .shape = REPLY_FAILURE,
				       .code = "XDSRepositoryError",
				       .text = "x" };
	scoped(error_table_free) struct error_table *table = NULL;
	const struct error_row *row;
	struct err err = { 0 };

	if (error_table_parse(&table, "t.csv", bytes, &err) < 0) {
		if (err.kind != ERR_HALT || strncmp(err.text, "t.csv:", 6) != 0)
			abort();
		return;
	}
	row = error_table_find(table, &refusal);
	if (row != NULL && row->class >= ERROR_CLASS_COUNT)
		abort();
}

static void read_keys(struct slice bytes)
{
	scoped(buf_done) struct buf sealed = { 0 }, opened = { 0 };
	scoped(keyring_free) struct keyring *keyring = NULL;
	const struct slice about = slice_of("about"), plain = slice_of("plain");
	struct err err = { 0 };

	if (keyring_read(&keyring, bytes, &err) < 0) {
		if (err.kind != ERR_HALT)
			abort();
		return;
	}
	keyring_seal(keyring, about, plain, &sealed);
	if (keyring_count(keyring) == 0 ||
	    keyring_open(keyring, 0, about, buf_slice(&sealed), &opened, &err) < 0 ||
	    !slice_equal(buf_slice(&opened), plain))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, size };

	read_errors(bytes);
	read_keys(bytes);
	return 0;
}
