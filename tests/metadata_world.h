/* What the tests of metadata share: samples read, decided upon with a site, a message and the value sets. */
#ifndef DMPFEED_TESTS_METADATA_WORLD_H
#define DMPFEED_TESTS_METADATA_WORLD_H

#include "document/metadata.h"

#include <time.h>

#include "value_sets.h"

static const struct metadata_site site = {
	.finess_eg = "990012345",
	.name = "CH DE VALBRUME",
	.sector = "SA01",
	.lps_name = "Passerelle libre",
	.lps_model = "1.0",
	.lps_internal_id = "GW1",
};

static const struct metadata_request no_request = {
	.visit_class = "",
	.sender_id = "",
	.sender_family = "",
	.sender_given = "",
	.patient_ins = "",
	.patient_ins_oid = "",
	.patient_birth_date = "",
	.patient_sex = "",
};

static struct arena arena;

static inline int load(void **state)
{
	setenv("TZ", "Europe/Paris", 1);
	tzset();
	return load_valuesets(state);
}

static inline int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static inline struct cda cda_of(const char *name)
{
	const struct cda_limits limits = { 0 };
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err;
	struct cda cda;

	sample_read(name, &bytes);
	if (cda_read(&cda, buf_slice(&bytes), &limits, &arena, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	return cda;
}

static inline struct metadata_context context_of(const struct metadata_request *request)
{
	return (struct metadata_context){ .valuesets = valuesets,
					  .site = &site,
					  .request = request,
					  .environment = ENVIRONMENT_REHEARSAL };
}

static inline struct metadata fill(const struct cda *cda, const struct metadata_request *request)
{
	struct metadata_context context = context_of(request);
	struct err err = { 0 };
	struct metadata metadata;

	if (metadata_fill(&metadata, cda, &context, &arena, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	return metadata;
}

static inline struct err refuse_in(const struct cda *cda, const struct metadata_context *context)
{
	struct err err = { 0 };
	struct metadata metadata;

	if (metadata_fill(&metadata, cda, context, &arena, &err) == 0)
		fail_msg("the document should be refused");
	assert_int_equal(err.kind, ERR_REJECT);
	return err;
}

static inline struct err refuse(const struct cda *cda, const struct metadata_request *request)
{
	struct metadata_context context = context_of(request);

	return refuse_in(cda, &context);
}

#define test(name) cmocka_unit_test_teardown(name, finish)

#endif
