/* One legal entity's way to the DMP. Loop only. */
#include "outbound/outbound_way.h"

/* ---- who posts ---- */

/* Whatever the DMP needs of the establishment was looked at when its credentials were loaded; what
 * changed on the disk since is found here. -1: it has nothing to send with, err says why.
 */
static int client_new(struct client **ret_client, struct ways *ways,
		      const struct snapshot *snapshot, size_t index, struct err *err)
{
	const char *trouble = credentials_trouble(snapshot->credentials, index);
	const struct config_establishment *establishment = &snapshot->config->establishments[index];
	struct client *client;
	struct http *http;

	if (trouble[0] != '\0')
		return err_set(err, ERR_HALT, "%s", trouble);
	if (http_new(&http, ways->crew->loop, ways->crew->disk, &establishment->http, err) < 0)
		return -1;
	client = xcalloc(1, sizeof(*client));
	client->http = http;
	client->users = 1;
	LIST_INSERT_HEAD(&ways->clients, client, link);
	*ret_client = client;
	return 0;
}

struct client *client_hold(struct client *client)
{
	client->users++;
	return client;
}

void client_let_go(struct client **client)
{
	struct client *c = *client;

	*client = NULL;
	if (c == NULL || --c->users > 0)
		return;
	LIST_REMOVE(c, link);
	http_free(&c->http);
	free(c);
}

/* ---- the way ---- */

static struct way *way_new(struct ways *ways, const struct config_establishment *establishment)
{
	struct way *way = xcalloc(1, sizeof(*way));

	way->outbound = ways->outbound;
	way->name = xstrdup(establishment->finess_ej);
	way->claimed_ms = INT64_MAX; /* what was queued before a restart too */
	way->lane = lane_new(ways->crew->loop, &establishment->lane, ways->claim, way);
	LIST_INSERT_HEAD(&ways->all, way, link);
	return way;
}

static void block(struct way *way, const char *trouble)
{
	scoped(free_ptr) char *english =
		xasprintf("What it sends and signs with is not fit: %s", trouble);
	scoped(free_ptr) char *french =
		xasprintf("Ce avec quoi elle envoie et signe ne convient pas : %s", trouble);

	lane_block(way->lane, (struct lane_why){ english, french });
}

/* Takes `client` over; without one, its lane is blocked, and `why` says why. */
static void way_follow(struct way *way, struct snapshot *snapshot, size_t index,
		       struct client *client, const char *why)
{
	struct snapshot *before = way->snapshot;

	way->snapshot = snapshot_hold(snapshot);
	way->index = index;
	way->establishment = &snapshot->config->establishments[index];
	client_let_go(&way->client);
	way->client = client;
	if (client == NULL)
		block(way, why);
	else
		lane_follow(way->lane, &way->establishment->lane);
	snapshot_let_go(&before);
}

static void way_free(struct way **way)
{
	struct way *w = *way;

	*way = NULL;
	LIST_REMOVE(w, link);
	lane_free(&w->lane);
	client_let_go(&w->client);
	snapshot_let_go(&w->snapshot);
	free(w->name);
	free(w);
}

void way_begin(struct way *way)
{
	way->users++;
}

void way_end(struct way *way)
{
	if (--way->users == 0 && way->is_gone)
		way_free(&way);
}

static void way_leave(struct way *way)
{
	lane_close(way->lane);
	way->is_gone = true;
	way_begin(way);
	way_end(way);
}

/* ---- all of them ---- */

struct way *ways_find(const struct ways *ways, const char *finess_ej)
{
	for (size_t i = 0; i < ways->count; i++)
		if (strcmp(ways->list[i]->name, finess_ej) == 0)
			return ways->list[i];
	return NULL;
}

struct outbound_plan {
	struct client **clients; /* by establishment; NULL: it has nothing to send with, */
	struct err *why;         /* and why */
	size_t count;
};

struct outbound_plan *ways_plan(struct ways *ways, const struct snapshot *snapshot)
{
	struct outbound_plan *plan = xcalloc(1, sizeof(*plan));

	plan->count = snapshot->config->establishment_count;
	plan->clients = xcalloc(plan->count, sizeof(struct client *));
	plan->why = xcalloc(plan->count, sizeof(*plan->why));
	for (size_t i = 0; i < plan->count; i++)
		(void)!client_new(&plan->clients[i], ways, snapshot, i, &plan->why[i]);
	return plan;
}

void outbound_plan_free(struct outbound_plan **plan)
{
	struct outbound_plan *p = *plan;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		client_let_go(&p->clients[i]);
	free(p->clients);
	free(p->why);
	free_ptr(plan);
}

int ways_prepare(struct ways *ways, const struct snapshot *snapshot,
		 struct outbound_plan **ret_plan, struct err *err)
{
	scoped(outbound_plan_free) struct outbound_plan *plan = ways_plan(ways, snapshot);

	for (size_t i = 0; i < plan->count; i++) {
		const char *name = snapshot->config->establishments[i].finess_ej;
		const struct way *way = ways_find(ways, name);

		if (plan->clients[i] != NULL || (way != NULL && way->client == NULL))
			continue; /* or it could not send before */
		return err_set(err, ERR_HALT, "establishment %s: %s", name, plan->why[i].text);
	}
	*ret_plan = take(plan);
	return 0;
}

void ways_follow(struct ways *ways, struct snapshot *snapshot, struct outbound_plan **plan)
{
	const struct config *config = snapshot->config;
	struct way **list = xcalloc((*plan)->count, sizeof(struct way *));

	for (size_t i = 0; i < (*plan)->count; i++) {
		list[i] = ways_find(ways, config->establishments[i].finess_ej);
		if (list[i] == NULL)
			list[i] = way_new(ways, &config->establishments[i]);
		way_follow(list[i], snapshot, i, take((*plan)->clients[i]), (*plan)->why[i].text);
	}
	for (size_t i = 0; i < ways->count; i++)
		if (ways->list[i]->snapshot != snapshot)
			way_leave(ways->list[i]);
	free(ways->list);
	ways->list = list;
	ways->count = (*plan)->count;
	outbound_plan_free(plan);
}

void ways_hang_up(struct ways *ways)
{
	struct client *client;

	LIST_FOREACH(client, &ways->clients, link)
	http_free(&client->http);
}

void ways_done(struct ways *ways)
{
	struct way *way;

	while ((way = LIST_FIRST(&ways->all)) != NULL)
		way_free(&way);
	free(ways->list);
}
