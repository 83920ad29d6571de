/* A table of figures: what is accepted is in order and in bounds, what is refused is told. */
#include "status/figures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, size };

	for (enum figures_of of = FIGURES_BY_FIELD; of <= FIGURES_BY_TYPE; of++) {
		scoped(arena_done) struct arena arena = { 0 };
		scoped(buf_done) struct buf errors = { 0 };
		struct figures figures;

		if (figures_read(&figures, of, "f", bytes, NULL, &arena, &errors) < 0) {
			if (errors.n == 0)
				abort();
			continue;
		}
		for (size_t i = 0; i < figures.count; i++)
			if (strlen(figures.list[i].site) != 9 || figures.list[i].n < 0 ||
			    figures.list[i].name[0] == '\0')
				abort();
	}
	return 0;
}
