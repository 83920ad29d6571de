/* A request of HTTP: its bytes whole, and arriving in two reads, say the same. */
#include "status/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "state", "site", "lang", NULL };
	const struct slice in = { (const char *)data, size };
	const size_t half = size ? data[size - 1] % size : 0;
	struct request request = { 0 };
	struct query query;
	size_t whole_n = 0, first_n = 0;
	struct err err;
	int whole = request_read(in, &request, &whole_n);
	int first = request_read((struct slice){ in.p, half }, &request, &first_n);

	if (first != 0 && (first != whole || first_n != whole_n))
		abort();
	if (whole != 200)
		return 0;
	if (whole_n > size)
		abort();
	(void)!request_read(in, &request, &whole_n);
	(void)!query_read(request.query, names, &query, &err);
	(void)!request_shows(&request, "0123456789abcdef0123");
	(void)request_wants_french(&request);
	return 0;
}
