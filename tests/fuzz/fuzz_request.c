/* What strangers write into a request: its target, then, each on a line, who asks and what they would rather have. */
#include "status/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "state", "site", "lang", NULL };
	struct slice rest = { size ? (const char *)data : "", size }, target;
	struct request request = { 0 };
	struct query query;
	struct err err;

	slice_next(&rest, '\n', &target);
	slice_next(&rest, '\n', &request.authorization);
	request.accept_language = request.accept = rest.p ? rest : (struct slice){ "", 0 };
	if (request_read_target(target, &request) && request.path.n + request.query.n > target.n)
		abort();
	if (query_read(request.query, names, &query, &err) == 0)
		for (size_t i = 0; i < QUERY_VALUES; i++)
			if (memchr(query.values[i], '\0', QUERY_TEXT) == NULL)
				abort();
	(void)!request_shows(&request, "0123456789abcdef0123");
	(void)request_wants_french(&request);
	(void)request_wants_openmetrics(&request);
	return 0;
}
