/* What each worker has of its own. */
#include "hands.h"

#include <assert.h>

struct hands {
	const struct hands_settings *settings;
	struct store *reader;
	struct pen **pens; /* by establishment */
};

void *hands_new(void *hands_settings)
{
	struct hands *hands = xcalloc(1, sizeof(*hands));

	hands->settings = hands_settings;
	hands->pens =
		xcalloc(credentials_count(hands->settings->credentials), sizeof(struct pen *));
	return hands;
}

void hands_free(void *arg)
{
	struct hands *hands = arg;

	for (size_t i = 0; i < credentials_count(hands->settings->credentials); i++)
		pen_free(&hands->pens[i]);
	free(hands->pens);
	store_free(&hands->reader);
	free(hands);
}

struct store *hands_reader(struct hands *hands, struct err *err)
{
	if (hands->reader == NULL &&
	    store_open_reader(&hands->reader, hands->settings->store, err) < 0)
		return NULL;
	return hands->reader;
}

struct pen *hands_pen(struct hands *hands, size_t establishment, struct err *err)
{
	const struct credentials *credentials = hands->settings->credentials;

	const struct signer *signer = credentials_signer(credentials, establishment);

	assert(signer != NULL); /* without one, its lane claims nothing */
	if (hands->pens[establishment] == NULL)
		hands->pens[establishment] = pen_new(signer, err);
	return hands->pens[establishment];
}
