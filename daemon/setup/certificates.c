/* The certificates in use. Start, then any thread. */
#include "setup/certificates.h"

#include "base/pem.h"

struct certificates {
	struct arena arena;
	struct health_certificate *list;
	size_t count;
};

static void add(struct certificates *certificates, const char *owner, const char *role,
		const char *file)
{
	scoped(buf_done) struct buf subject = { 0 };
	struct err err = { 0 };
	int64_t not_after_ms;

	if (file == NULL || file[0] == '\0' || pem_look(file, &subject, &not_after_ms, &err) < 0)
		return;
	certificates->list[certificates->count++] = (struct health_certificate){
		.owner = owner,
		.role = role,
		.subject = arena_dup(&certificates->arena, buf_slice(&subject)),
		.not_after_ms = not_after_ms,
	};
}

struct certificates *certificates_new(const struct config *config)
{
	struct certificates *certificates = xcalloc(1, sizeof(*certificates));
	const size_t most =
		config->establishment_count * 2 + config->mllp_count + config->source_count + 2;

	certificates->list = xcalloc(most, sizeof(*certificates->list));
	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct config_establishment *e = &config->establishments[i];

		add(certificates, e->finess_ej, "auth", e->http.tls.cert);
		add(certificates, e->finess_ej, "sign", e->sign.cert);
	}
	for (size_t i = 0; i < config->mllp_count; i++)
		add(certificates, config->mllp[i].name, "listener", config->mllp[i].tls.cert);
	for (size_t i = 0; i < config->source_count; i++)
		add(certificates, config->sources[i].name, "ack", config->sources[i].ack.tls.cert);
	add(certificates, "audit", "collector", config->collector.tls.cert);
	add(certificates, "status", "status", config->status.tls.cert);
	return certificates;
}

void certificates_free(struct certificates **certificates)
{
	if (*certificates == NULL)
		return;
	free((*certificates)->list);
	arena_done(&(*certificates)->arena);
	free_ptr(certificates);
}

const struct health_certificate *certificates_list(const struct certificates *certificates,
						   size_t *ret_count)
{
	*ret_count = certificates->count;
	return certificates->list;
}
