/* An exchange medium from outside: whatever is taken has an id and a file. */
#include "document/cda.h"
#include "document/xdm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct unzip_limits limits = { .most_entries = 200,
						    .most_bytes = 1 << 20,
						    .most_ratio = 100 };
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct xdm xdm;

	cda_start();
	if (xdm_read(&xdm, (struct slice){ (const char *)data, size }, &limits, &arena, &err) < 0) {
		if (err.kind != ERR_REJECT || xdm.count != 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < xdm.count; i++)
		if (xdm.documents[i].unique_id[0] == '\0' || xdm.documents[i].name[0] == '\0')
			abort();
	if (xdm.count == 0)
		abort();
	xdm_done(&xdm);
	return 0;
}
