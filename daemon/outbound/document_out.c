/* From the store to a document that can leave. Any thread. */
#include "outbound/document_out.h"

#include "document/cda_build.h"
#include "document/traits.h"

/* As XDS takes texts: its separators mean something there. */
static const char *plain(const char *text, struct arena *arena)
{
	char *copy = arena_dup(arena, slice_of(text));

	for (char *c = copy; *c != '\0'; c++)
		if (strchr("^&|~", *c) != NULL)
			*c = ' ';
	return copy;
}

static const char *or_else(const char *text, const char *otherwise, struct arena *arena)
{
	return text[0] != '\0' ? plain(text, arena) : otherwise;
}

static void put_patient(struct metadata *metadata, const struct traits *traits, struct arena *arena)
{
	metadata->patient_ins = traits->ins;
	metadata->patient_ins_oid = traits->ins_oid;
	metadata->patient_family = or_else(traits->family, metadata->patient_family, arena);
	metadata->patient_given = or_else(traits->given, metadata->patient_given, arena);
	metadata->patient_sex = or_else(traits->sex, metadata->patient_sex, arena);
	metadata->patient_birth_date =
		or_else(traits->birth_date, metadata->patient_birth_date, arena);
	if (metadata->source_patient_is_ins) {
		metadata->source_patient_id = traits->ins;
		metadata->source_patient_oid = traits->ins_oid;
	}
}

static int build_again(struct buf *document, struct metadata *metadata, struct slice facts,
		       struct arena *arena, struct err *err)
{
	scoped(buf_done) struct buf built = { 0 };
	struct traits traits;

	if (!traits_read(&traits, facts, arena))
		return err_set(err, ERR_HALT, "what is kept of the document's patient is damaged");
	if (cda_put_patient(buf_slice(document), &traits, &built, err) < 0)
		return -1;
	buf_done(document);
	*document = built;
	built = (struct buf){ 0 };
	put_patient(metadata, &traits, arena);
	return 0;
}

int document_out(struct store *reader, const struct ulid *doc, struct buf *ret_document,
		 struct metadata *ret_metadata, struct arena *arena, struct err *err)
{
	scoped(buf_done) struct buf kept = { 0 }, facts = { 0 };
	int got;

	if (store_load(reader, doc, ret_document, &kept, err) < 0 ||
	    metadata_parse(ret_metadata, buf_slice(&kept), arena, err) < 0)
		return -1;
	got = store_load_facts(reader, doc, &facts, err);
	if (got < 0 ||
	    (got > 0 && build_again(ret_document, ret_metadata, buf_slice(&facts), arena, err) < 0))
		return -1;
	if (ret_metadata->patient_ins[0] == '\0')
		return err_refuse(err, REASON_INS_MISSING, "recordTarget/patientRole/id",
				  "the document carries no INS");
	return 0;
}
