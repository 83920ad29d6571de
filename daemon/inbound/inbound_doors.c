/* The listeners and the folders. Loop only. */
#include "inbound/inbound_doors.h"

#include <event2/event.h>
#include <sys/queue.h>

#include "base/clock.h"

enum { SWEEP_S = 1 };

struct door {
	struct mllp_server *server;
	struct histogram acks;
	const struct mllp_settings *settings;

	struct snapshot *snapshot; /* held, once it leaves: its settings are of that one */
	LIST_ENTRY(door) link;
};

LIST_HEAD(door_list, door);

struct folder {
	struct drop *drop;
	const struct drop_settings *settings;
};

struct doors {
	struct doors_parts parts;
	struct snapshot *snapshot; /* held; NULL: there are none yet */
	struct door **listeners;
	size_t listener_count;
	struct folder *folders;
	size_t folder_count;
	struct door_list leaving; /* they still answer what they took */
	struct event *sweep;
};

struct doors_plan {
	struct planned_listener {
		struct door *door; /* that is there, or a new one */
		bool is_new;
		struct tls *tls; /* of one that is there */
	} * listeners;
	struct planned_folder {
		struct drop *drop;
		bool is_new;
	} * folders;
	size_t listener_count, folder_count;
};

/* ---- which of those that are there is meant ---- */

/* The system's choice of a port is another for each. */
static bool is_any_port(const char *listen)
{
	const struct slice port = slice_of(strrchr(listen, ':'));

	return slice_is(port, ":0");
}

static bool is_same_listener(const struct mllp_settings *a, const struct mllp_settings *b)
{
	return strcmp(a->listen, b->listen) == 0 &&
	       (!is_any_port(a->listen) || strcmp(a->name, b->name) == 0);
}

static struct door *listener_like(const struct doors *doors, const struct mllp_settings *settings)
{
	for (size_t i = 0; i < doors->listener_count; i++)
		if (is_same_listener(doors->listeners[i]->settings, settings))
			return doors->listeners[i];
	return NULL;
}

static struct drop *folder_like(const struct doors *doors, const struct drop_settings *settings)
{
	for (size_t i = 0; i < doors->folder_count; i++)
		if (strcmp(doors->folders[i].settings->path, settings->path) == 0)
			return doors->folders[i].drop;
	return NULL;
}

/* ---- preparing ---- */

static void door_free(struct door **door)
{
	if (*door == NULL)
		return;
	mllp_server_free(&(*door)->server);
	snapshot_let_go(&(*door)->snapshot);
	free_ptr(door);
}

static int prepare_listener(struct doors *doors, const struct mllp_settings *settings,
			    struct planned_listener *planned, struct err *err)
{
	const struct doors_parts *parts = &doors->parts;
	scoped(door_free) struct door *door = NULL;

	planned->door = listener_like(doors, settings);
	if (planned->door != NULL)
		return settings->tls.cert[0] == '\0'
			       ? 0
			       : tls_server_new(&planned->tls, &settings->tls, clock_now_ms(), err);
	door = xcalloc(1, sizeof(*door));
	if (mllp_server_new(&door->server, parts->crew->loop, settings, parts->message_came,
			    parts->arg, err) < 0)
		return -1;
	planned->is_new = true;
	planned->door = take(door);
	return 0;
}

static int prepare_folder(struct doors *doors, const struct drop_settings *settings,
			  struct planned_folder *planned, struct err *err)
{
	const struct doors_parts *parts = &doors->parts;

	planned->drop = folder_like(doors, settings);
	if (planned->drop != NULL)
		return 0;
	if (drop_new(&planned->drop, parts->crew->loop, parts->crew->disk, settings,
		     parts->file_came, parts->arg, err) < 0)
		return -1;
	planned->is_new = true;
	return 0;
}

int doors_prepare(struct doors *doors, const struct config *config, struct doors_plan **ret_plan,
		  struct err *err)
{
	scoped(doors_plan_free) struct doors_plan *plan = xcalloc(1, sizeof(*plan));

	plan->listener_count = config->mllp_count;
	plan->folder_count = config->drop_count;
	plan->listeners = xcalloc(plan->listener_count, sizeof(*plan->listeners));
	plan->folders = xcalloc(plan->folder_count, sizeof(*plan->folders));
	for (size_t i = 0; i < plan->listener_count; i++)
		if (prepare_listener(doors, &config->mllp[i], &plan->listeners[i], err) < 0)
			return err_within(err, "listener %s", config->mllp[i].name);
	for (size_t i = 0; i < plan->folder_count; i++)
		if (prepare_folder(doors, &config->drops[i], &plan->folders[i], err) < 0)
			return err_within(err, "folder %s", config->drops[i].name);
	*ret_plan = take(plan);
	return 0;
}

void doors_plan_free(struct doors_plan **plan)
{
	struct doors_plan *p = *plan;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->listener_count; i++) {
		tls_free(&p->listeners[i].tls);
		if (p->listeners[i].is_new)
			door_free(&p->listeners[i].door);
	}
	for (size_t i = 0; i < p->folder_count; i++)
		if (p->folders[i].is_new)
			drop_free(&p->folders[i].drop);
	free(p->listeners);
	free(p->folders);
	free_ptr(plan);
}

/* ---- following ---- */

/* One that leaves has gone when its last connection has. */
static void sweep(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval later = { SWEEP_S, 0 };
	struct doors *doors = arg;
	struct door *door, *next;

	(void)fd;
	(void)what;
	for (door = LIST_FIRST(&doors->leaving); door != NULL; door = next) {
		next = LIST_NEXT(door, link);
		if (mllp_server_figures(door->server).connections > 0)
			continue;
		LIST_REMOVE(door, link);
		door_free(&door);
	}
	if (!LIST_EMPTY(&doors->leaving))
		event_add(doors->sweep, &later);
}

static void listener_leaves(struct doors *doors, struct door *door)
{
	log_info("not listening any more name=%s address=%s", door->settings->name,
		 mllp_server_figures(door->server).address);
	door->snapshot = snapshot_hold(doors->snapshot);
	mllp_server_close(door->server);
	LIST_INSERT_HEAD(&doors->leaving, door, link);
}

static struct door *follow_listener(struct planned_listener *planned,
				    const struct mllp_settings *settings)
{
	struct door *door = planned->door;

	door->settings = settings;
	if (planned->is_new)
		log_info("listening name=%s address=%s", settings->name,
			 mllp_server_figures(door->server).address);
	else
		mllp_server_follow(door->server, settings, take(planned->tls));
	planned->is_new = false; /* it is ours now */
	return door;
}

static void follow_listeners(struct doors *doors, const struct config *config,
			     struct doors_plan *plan)
{
	struct door **listeners = xcalloc(plan->listener_count, sizeof(struct door *));

	for (size_t i = 0; i < plan->listener_count; i++)
		listeners[i] = follow_listener(&plan->listeners[i], &config->mllp[i]);
	for (size_t i = 0; i < doors->listener_count; i++) {
		size_t j = 0;

		while (j < plan->listener_count && listeners[j] != doors->listeners[i])
			j++;
		if (j == plan->listener_count)
			listener_leaves(doors, doors->listeners[i]);
	}
	free(doors->listeners);
	doors->listeners = listeners;
	doors->listener_count = plan->listener_count;
}

static struct folder follow_folder(struct planned_folder *planned,
				   const struct drop_settings *settings)
{
	if (planned->is_new)
		log_info("watching name=%s folder=%s", settings->name, settings->path);
	else
		drop_follow(planned->drop, settings);
	planned->is_new = false; /* it is ours now */
	return (struct folder){ planned->drop, settings };
}

static void follow_folders(struct doors *doors, const struct config *config,
			   struct doors_plan *plan)
{
	struct folder *folders = xcalloc(plan->folder_count, sizeof(*folders));

	for (size_t i = 0; i < plan->folder_count; i++)
		folders[i] = follow_folder(&plan->folders[i], &config->drops[i]);
	for (size_t i = 0; i < doors->folder_count; i++) {
		size_t j = 0;

		while (j < plan->folder_count && folders[j].drop != doors->folders[i].drop)
			j++;
		if (j < plan->folder_count)
			continue;
		log_info("not watching any more name=%s folder=%s",
			 doors->folders[i].settings->name, doors->folders[i].settings->path);
		drop_free(&doors->folders[i].drop);
	}
	free(doors->folders);
	doors->folders = folders;
	doors->folder_count = plan->folder_count;
}

void doors_follow(struct doors *doors, struct snapshot *snapshot, struct doors_plan **plan)
{
	struct snapshot *before = doors->snapshot;

	follow_listeners(doors, snapshot->config, *plan);
	follow_folders(doors, snapshot->config, *plan);
	doors_plan_free(plan);
	doors->snapshot = snapshot_hold(snapshot);
	snapshot_let_go(&before);
	sweep(-1, 0, doors);
}

/* ---- birth and end ---- */

struct doors *doors_new(const struct doors_parts *parts)
{
	struct doors *doors = xcalloc(1, sizeof(*doors));

	doors->parts = *parts;
	doors->sweep = event_new(parts->crew->loop, -1, 0, sweep, doors);
	return doors;
}

void doors_close(struct doors *doors)
{
	for (size_t i = 0; i < doors->listener_count; i++)
		mllp_server_close(doors->listeners[i]->server);
	for (size_t i = 0; i < doors->folder_count; i++)
		drop_close(doors->folders[i].drop);
}

void doors_free(struct doors **doors)
{
	struct doors *d = *doors;
	struct door *door;

	if (d == NULL)
		return;
	while ((door = LIST_FIRST(&d->leaving)) != NULL) {
		LIST_REMOVE(door, link);
		door_free(&door);
	}
	for (size_t i = 0; i < d->listener_count; i++)
		door_free(&d->listeners[i]);
	for (size_t i = 0; i < d->folder_count; i++)
		drop_free(&d->folders[i].drop);
	event_free(d->sweep);
	free(d->listeners);
	free(d->folders);
	snapshot_let_go(&d->snapshot);
	free_ptr(doors);
}

/* ---- for people ---- */

void doors_answered(struct doors *doors, const char *listener, int64_t took_ms)
{
	for (size_t i = 0; i < doors->listener_count; i++)
		if (strcmp(doors->listeners[i]->settings->name, listener) == 0)
			histogram_add(&doors->listeners[i]->acks, took_ms);
}

const struct histogram *doors_acks(const struct doors *doors, size_t index)
{
	return &doors->listeners[index]->acks;
}

struct mllp_figures doors_listener(const struct doors *doors, size_t index)
{
	return mllp_server_figures(doors->listeners[index]->server);
}

struct drop_figures doors_folder(const struct doors *doors, size_t index)
{
	return drop_figures(doors->folders[index].drop);
}
