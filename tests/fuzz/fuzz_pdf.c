/* A PDF is looked at, never believed beyond its end. */
#include "document/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, size };
	const struct pdf pdf = pdf_look(bytes);

	if (pdf.pdfa_part > 9 || (pdf_is_pdfa_1(&pdf) && pdf.encrypted))
		abort();
	(void)pdf_begins(bytes);
	return 0;
}
