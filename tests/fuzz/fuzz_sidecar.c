/* A sidecar: whatever is accepted can be built, and what is built can be read again. */
#include "document/cda_build.h"
#include "lists.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct metadata_site site = { .finess_eg = "990012345",
						   .name = "CH",
						   .sector = "SA01" };
	const struct sidecar_context context = { lists(), ENVIRONMENT_TEST };
	const struct cda_limits limits = { .most_bytes = 0 };
	scoped(buf_done) struct buf bytes = { 0 };
	scoped(arena_done) struct arena arena = { 0 };
	struct sidecar sidecar;
	struct err err = { 0 };
	struct cda cda;
	const struct cda_source source = {
		.sidecar = &sidecar,
		.site = &site,
		.valuesets = lists(),
		.unique_id = "1.2.3",
		.set_id = "1.2.4",
		.media_type = "text/plain",
		.body = { "text", 4 },
	};

	if (sidecar_read(&sidecar, (struct slice){ (const char *)data, size }, &context, &arena,
			 &err) < 0) {
		if (err.kind != ERR_REJECT || sidecar.fault_count == 0)
			abort();
		return 0;
	}
	cda_build(&source, &bytes);
	if (cda_read(&cda, buf_slice(&bytes), &limits, &arena, &err) < 0 ||
	    strcmp(cda.id.root, "1.2.3") != 0 || cda.main_event == NULL ||
	    strcmp(cda.patient_ids[0].extension, sidecar.patient->ins) != 0)
		abort();
	return 0;
}
