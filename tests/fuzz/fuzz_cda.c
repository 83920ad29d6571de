/* A document: read, decided, kept. Whatever is accepted can be kept and read again, the same. */
#include "document/metadata.h"
#include "lists.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cda_limits limits = { .most_bytes = 1 << 20 };
	static const struct metadata_site site = { .finess_eg = "990012345",
						   .name = "CH",
						   .sector = "SA01",
						   .lps_name = "LPS",
						   .lps_model = "1",
						   .lps_internal_id = "GW1" };
	static const struct metadata_request request = { .visit_class = "",
							 .sender_id = "",
							 .sender_family = "",
							 .sender_given = "",
							 .patient_ins = "",
							 .patient_ins_oid = "",
							 .patient_birth_date = "",
							 .patient_sex = "" };
	const struct metadata_context context = { .valuesets = lists(),
						  .site = &site,
						  .request = &request,
						  .environment = ENVIRONMENT_TEST };
	scoped(buf_done) struct buf kept = { 0 }, again = { 0 };
	scoped(arena_done) struct arena arena = { 0 };
	struct metadata metadata;
	struct err err;
	struct cda cda;

	cda_start();
	if (cda_read(&cda, (struct slice){ (const char *)data, size }, &limits, &arena, &err) < 0 ||
	    metadata_fill(&metadata, &cda, &context, &arena, &err) < 0)
		return 0;
	metadata_write(&metadata, &kept);
	if (metadata_parse(&metadata, buf_slice(&kept), &arena, &err) < 0)
		abort();
	metadata_write(&metadata, &again);
	if (!slice_equal(buf_slice(&kept), buf_slice(&again)))
		abort();
	return 0;
}
