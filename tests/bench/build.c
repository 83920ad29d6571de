/* Building and signing alone, on one thread: from a stored document to the bytes of its request.
 *
 * usage: bench_build CONFIG DOCUMENT MS
 */
#include <stdio.h>

#include "base/clock.h"
#include "bench.h"
#include "document/cda.h"
#include "inbound/decide.h"
#include "outbound/assemble.h"
#include "setup/credentials.h"

struct bench {
	struct config *config;
	struct credentials *credentials;
	struct valuesets *valuesets;
	struct pen *pen;
	struct decision decision;
	struct metadata metadata;
	struct arena arena;
};

static void prepare(struct bench *bench, const char *config, const char *file)
{
	struct buf errors = { 0 }, document = { 0 };
	struct err err = { 0 };
	size_t n;
	char *bytes = bench_read_file(file, &n);

	cda_start();
	if (config_load(&bench->config, config, &errors) < 0 ||
	    credentials_load(&bench->credentials, bench->config, clock_now_ms(), &errors) < 0)
		bench_die("%s", errors.p);
	buf_add(&document, (struct slice){ bytes, n });
	free(bytes);
	if (valuesets_load(&bench->valuesets, bench->config->valuesets_dir, &err) < 0 ||
	    decide_document(
		    &bench->decision, &document,
		    &(struct decision_settings){
			    .config = bench->config,
			    .valuesets = bench->valuesets,
			    .site = bench->config->establishments[0].sites[0].metadata.finess_eg,
		    },
		    &err) < 0 ||
	    metadata_parse(&bench->metadata, buf_slice(&bench->decision.documents[0].metadata),
			   &bench->arena, &err) < 0)
		bench_die("%s", err.text);
	bench->pen = pen_new(credentials_signer(bench->credentials, 0), &err);
	if (bench->pen == NULL)
		bench_die("%s", err.text);
}

static void build_one(const struct bench *bench)
{
	scoped(assembled_done) struct assembled request = { 0 };
	const int64_t now_ms = clock_now_ms();
	struct err err = { 0 };

	if (assemble(
		    &(struct assembly){
			    .config = bench->config,
			    .establishment = &bench->config->establishments[0],
			    .pen = bench->pen,
			    .now_ms = now_ms,
			    .doc = ulid_new(now_ms),
			    .source = "bench",
			    .document = buf_slice(&bench->decision.documents[0].body),
			    .metadata = &bench->metadata,
			    .request = TRANSACTION_SUBMIT,
		    },
		    &request, &err) < 0)
		bench_die("%s", err.text);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	int64_t start, now, run_ns;
	size_t count = 0;

	if (argc != 4)
		bench_die("usage: bench_build CONFIG DOCUMENT MS");
	prepare(&bench, argv[1], argv[2]);
	run_ns = bench_number(argv[3]) * 1000000;
	start = now = bench_now_ns();
	for (; now - start < run_ns; now = bench_now_ns(), count++)
		build_one(&bench);
	printf("{\"per_s\": %.2f}\n", (double)count * 1e9 / (double)(now - start));
	return 0;
}
