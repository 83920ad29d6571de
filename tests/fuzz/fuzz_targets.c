/* A file of targets: what is accepted is defined, what is refused is told, a line each. */
#include "status/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_windows(const struct target_programme *programme)
{
	for (size_t i = 1; i < programme->window_count; i++)
		for (size_t j = 0; j < i; j++)
			if (programme->windows[i].start <= programme->windows[j].end &&
			    programme->windows[j].start <= programme->windows[i].end)
				abort();
}

static void check(const struct targets *targets)
{
	for (size_t i = 0; i < targets->programme_count; i++) {
		const struct target_programme *programme = &targets->programmes[i];

		check_windows(programme);
		for (size_t j = 0; j < programme->indicator_count; j++)
			if (strlen(programme->indicators[j].definition_hash) != 64 ||
			    programme->indicators[j].id[0] == '\0')
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct target_file file = { "f", { (const char *)data, size } };
	scoped(buf_done) struct buf errors = { 0 };
	scoped(targets_free) struct targets *targets = NULL;
	struct slice rest, line;

	if (targets_parse(&targets, &file, 1, &errors) == 0) {
		check(targets);
		return 0;
	}
	rest = slice_trim(buf_slice(&errors));
	if (rest.n == 0)
		abort();
	while (slice_next(&rest, '\n', &line))
		if (!slice_starts(line, "f:"))
			abort();
	return 0;
}
