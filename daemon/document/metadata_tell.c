/* The metadata in words, for people who ask where a value came from. Nothing of the patient: only
 * where that came from. Any thread.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "document/metadata.h"

enum kind { WORDS, TIME, CODED, CODES, PARTY, PARTIES, PATIENT };

/* A value, or a list: then `count_at` is where its length stands. */
#define M(member) offsetof(struct metadata, member)
#define F(member) offsetof(struct metadata_from, member)

static const struct {
	const char *name;
	enum kind kind;
	size_t at, count_at, from_at;
} rows[] = {
	{ "unique_id", WORDS, M(unique_id), 0, F(unique_id) },
	{ "replaces", WORDS, M(replaces), 0, F(replaces) },
	{ "patient_ins", PATIENT, 0, 0, F(patient_ins) },
	{ "source_patient_id", PATIENT, 0, 0, F(source_patient_id) },
	{ "patient_traits", PATIENT, 0, 0, F(patient_traits) },
	{ "type", CODED, M(type), 0, F(type) },
	{ "class", CODED, M(class), 0, F(class) },
	{ "title", WORDS, M(title), 0, F(title) },
	{ "format", CODED, M(format), 0, F(format) },
	{ "mime_type", WORDS, M(mime_type), 0, F(mime_type) },
	{ "language", WORDS, M(language), 0, F(language) },
	{ "creation", TIME, M(creation_ms), 0, F(creation_ms) },
	{ "service_start", TIME, M(service_start_ms), 0, F(service_start_ms) },
	{ "service_stop", TIME, M(service_stop_ms), 0, F(service_stop_ms) },
	{ "facility", CODED, M(facility), 0, F(facility) },
	{ "practice", CODED, M(practice), 0, F(practice) },
	{ "content_type", CODED, M(content_type), 0, F(content_type) },
	{ "confidentialities", CODES, M(confidentialities), M(confidentiality_count),
	  F(confidentialities) },
	{ "events", CODES, M(events), M(event_count), F(events) },
	{ "authors", PARTIES, M(authors), M(author_count), F(authors) },
	{ "legal_authenticator", PARTY, M(legal_authenticator), 0, F(legal_authenticator) },
	{ "sender", PARTY, M(sender), 0, F(sender) },
	{ "site", WORDS, M(site), 0, F(site) },
};

static void add_coded(const struct coded *coded, struct buf *out)
{
	buf_addf(out, "%s%s %s", out->n ? ", " : "", coded->code, coded->display);
}

/* The patient may be the author. */
static void add_party(const struct party *party, struct buf *out)
{
	if (out->n > 0)
		buf_add_text(out, ", ");
	if (party->ins_oid[0] != '\0')
		buf_add_text(out, "(patient)");
	else
		buf_addf(out, "%s %s %s", party->id, party->family, party->given);
	if (party->institution_id[0] != '\0')
		buf_addf(out, " (%s)", party->institution_id);
}

static void add_time(int64_t time_ms, struct buf *out)
{
	char text[CLOCK_TEXT];

	if (time_ms != 0)
		buf_add_text(out, clock_iso(time_ms, text));
}

static void add_value(const struct metadata *metadata, size_t i, struct buf *out)
{
	const void *at = (const char *)metadata + rows[i].at;
	size_t count =
		rows[i].count_at
			? *(const size_t *)(const void *)((const char *)metadata + rows[i].count_at)
			: 0;

	switch (rows[i].kind) {
	case WORDS:
		buf_add_text(out, *(const char *const *)at);
		break;
	case TIME:
		add_time(*(const int64_t *)at, out);
		break;
	case CODED:
		add_coded(at, out);
		break;
	case CODES:
		for (size_t j = 0; j < count; j++)
			add_coded(*(struct coded *const *)at + j, out);
		break;
	case PARTY:
		add_party(at, out);
		break;
	case PARTIES:
		for (size_t j = 0; j < count; j++)
			add_party(*(struct party *const *)at + j, out);
		break;
	case PATIENT:
		break;
	}
}

void metadata_tell(const struct metadata *metadata,
		   void (*each)(void *arg, const char *name, const char *value,
				enum metadata_source from),
		   void *arg)
{
	scoped(buf_done) struct buf value = { 0 };

	each(arg, "action", action_text(metadata->action), metadata->from.action);
	for (size_t i = 0; i < length_of(rows); i++) {
		const char *from = (const char *)&metadata->from + rows[i].from_at;

		buf_clear(&value);
		add_value(metadata, i, &value);
		each(arg, rows[i].name, rows[i].kind == PATIENT ? NULL : buf_slice(&value).p,
		     *(const enum metadata_source *)(const void *)from);
	}
	if (metadata->from.visibility != FROM_NOWHERE)
		each(arg, "visibility", "", metadata->from.visibility);
	if (metadata->secret_connection)
		each(arg, "secret_connection", "", FROM_MESSAGE);
}
