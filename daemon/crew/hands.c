/* What each worker has of its own. */
#include "crew/hands.h"

#include <assert.h>

struct hands {
	const struct hands_settings *settings;
	struct store *reader;
	struct pen **pens; /* by establishment */
	size_t pen_count;
	uint64_t edition; /* of the credentials that they are of */
};

void *hands_new(void *hands_settings)
{
	struct hands *hands = xcalloc(1, sizeof(*hands));

	hands->settings = hands_settings;
	return hands;
}

static void put_pens_away(struct hands *hands)
{
	for (size_t i = 0; i < hands->pen_count; i++)
		pen_free(&hands->pens[i]);
	free(hands->pens);
	hands->pens = NULL;
	hands->pen_count = 0;
}

void hands_free(void *arg)
{
	struct hands *hands = arg;

	put_pens_away(hands);
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

struct pen *hands_pen(struct hands *hands, const struct credentials *credentials,
		      size_t establishment, struct err *err)
{
	const struct signer *signer = credentials_signer(credentials, establishment);

	assert(signer != NULL); /* without one, its lane claims nothing */
	if (hands->edition != credentials_edition(credentials)) {
		put_pens_away(hands);
		hands->pen_count = credentials_count(credentials);
		hands->pens = xcalloc(hands->pen_count, sizeof(struct pen *));
		hands->edition = credentials_edition(credentials);
	}
	if (hands->pens[establishment] == NULL)
		hands->pens[establishment] = pen_new(signer, err);
	return hands->pens[establishment];
}
