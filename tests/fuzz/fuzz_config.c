/* The configuration: whatever loads must print as something that loads, and prints the same. */
#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool load(struct slice text, struct buf *ret_printed)
{
	scoped(config_free) struct config *config = NULL;
	scoped(buf_done) struct buf errors = { 0 };

	if (config_parse(&config, "/proc/self/fuzz.yaml", text, &errors) < 0) {
		if (errors.n == 0)
			abort();
		return false;
	}
	config_print(config, ret_printed);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(buf_done) struct buf printed = { 0 }, again = { 0 };

	if (!load((struct slice){ (const char *)data, size }, &printed))
		return 0;
	if (!load(buf_slice(&printed), &again) ||
	    !slice_equal(buf_slice(&printed), buf_slice(&again)))
		abort();
	return 0;
}
