/* A table of ours as a person wrote it: whatever opens is read to its end, each record as wide as the
 * header; what is broken is told with file and line.
 */
#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct csv *csv, struct err *err)
{
	const size_t width = csv->field_count;
	size_t records = 0;
	int more;

	while ((more = csv_next(csv, err)) == 1) {
		if (csv->field_count != width || ++records > csv->most_records)
			abort();
		for (size_t i = 0; i < width; i++)
			if (csv->fields[i] == NULL)
				abort();
	}
	if (more < 0 && (err->kind != ERR_HALT || strncmp(err->text, "t.csv:", 6) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct err err = { 0 };
	struct csv csv;
	int column;

	if (csv_parse(&csv, "t.csv", (struct slice){ (const char *)data, size }, &arena, &err) <
	    0) {
		if (err.kind != ERR_HALT)
			abort();
		return 0;
	}
	if (csv_column(&csv, csv.fields[0], &column, &err) < 0 || column != 0 ||
	    csv_note(&csv, "OID", &arena) == NULL)
		abort();
	read_all(&csv, &err);
	return 0;
}
