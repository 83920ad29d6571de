/* The drop folder: what is in it, what of that is whole, and whose turn it is.
 *
 * The loop keeps one entry per name and decides; drop_scan.c looks into the folder, one job at a time
 * on the disk workers.
 */
#include "intake/drop.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/retry.h"
#include "document/body.h"
#include "intake/drop_scan.h"

enum {
	LEAST_GAP_MS = 20, /* between two scans */
	SCAN_SHARE = 4,    /* a scan that took 1 s is not repeated for 4 s */
	HANGING_MS = 60000,
	STUCK_MOST_MS = 900000, /* the longest pause of a file that cannot be moved */
};

/* ---- what is in the folder ---- */

enum entry_state {
	ENTRY_NEW, /* heard of, or settled: the next scan tells */
	ENTRY_SETTLING,
	ENTRY_WHOLE,
	ENTRY_HANDED,
	ENTRY_PARKED,    /* handed over, for long */
	ENTRY_COMPANION, /* handed over with its body */
	ENTRY_IGNORED,   /* no regular file */
};

struct drop_entry {
	LIST_ENTRY(drop_entry) link;
	struct drop_file file;
	enum entry_state state;
	int64_t since_ms;      /* first seen like this */
	int64_t not_before_ms; /* to be handed over */
	unsigned stuck;        /* times in a row that it could not be moved */
	uint64_t from_scan;    /* what scans before this one saw was before our last word */
	uint64_t seen_in_scan;
	bool renamed; /* into place, to be seen by from_scan */
	bool touched; /* while handed over */

	/* of a pair; both anew at each scan */
	struct drop_entry *companion; /* the other one, when both may be handed over */
	bool is_awaited;              /* of a sidecar: a body of its name is there */
};

struct drop {
	const struct drop_settings *settings;
	char *path; /* for a scan, which may outlast the settings */
	struct workers *disk;
	drop_file_fn *on_file;
	void *arg;
	struct drop_figures figures;
	char trouble[ERR_TEXT];

	int inotify;
	struct event *heard, *scan_due, *pump;

	struct drop_scan scan;
	bool scanning;
	uint64_t scan_number; /* of the last one begun */
	int64_t scan_begun_ms, scan_wanted_ms;
	int watch;

	void *by_name; /* tsearch(3) */
	LIST_HEAD(, drop_entry) entries;
	size_t entry_count, parked;
	struct drop_entry **queue; /* whole, in order of handing over; rebuilt by each scan */
	size_t queued, queue_next;

	bool closed;
	bool freed; /* stays for the scan, and for files not settled yet */
};

static int by_name(const void *a, const void *b)
{
	const struct drop_entry *one = a, *other = b;

	return strcmp(one->file.name, other->file.name);
}

static struct drop_entry *entry_find(const struct drop *drop, const char *name)
{
	const struct drop_entry like = { .file.name = name };
	void *node = tfind(&like, &drop->by_name, by_name);

	return node ? *(struct drop_entry **)node : NULL;
}

static struct drop_entry *entry_new(struct drop *drop, const char *name)
{
	struct drop_entry *entry = xcalloc(1, sizeof(*entry));

	entry->file.folder = drop->settings;
	entry->file.name = xstrdup(name);
	entry->file.drop = drop;
	if (tsearch(entry, &drop->by_name, by_name) == NULL)
		no_memory();
	LIST_INSERT_HEAD(&drop->entries, entry, link);
	drop->entry_count++;
	return entry;
}

static void entry_enter(struct drop_entry *entry, enum entry_state state)
{
	struct drop *drop = entry->file.drop;

	drop->figures.waiting -= entry->state == ENTRY_WHOLE || entry->state == ENTRY_PARKED;
	drop->figures.waiting += state == ENTRY_WHOLE || state == ENTRY_PARKED;
	drop->parked -= entry->state == ENTRY_PARKED;
	drop->parked += state == ENTRY_PARKED;
	drop->figures.in_flight -= entry->state == ENTRY_HANDED;
	drop->figures.in_flight += state == ENTRY_HANDED;
	entry->state = state;
}

static bool is_handed(const struct drop_entry *entry)
{
	return entry->state == ENTRY_HANDED || entry->state == ENTRY_PARKED ||
	       entry->state == ENTRY_COMPANION;
}

static void entry_free(struct drop_entry *entry)
{
	struct drop *drop = entry->file.drop;
	char *name = (char *)(uintptr_t)entry->file.name;

	entry_enter(entry, ENTRY_NEW);
	tdelete(entry, &drop->by_name, by_name);
	LIST_REMOVE(entry, link);
	drop->entry_count--;
	free(name);
	free(entry);
}

static void entry_ignore(struct drop_entry *entry)
{
	char digest[DROP_DIGEST];

	if (entry->state == ENTRY_IGNORED)
		return;
	entry_enter(entry, ENTRY_IGNORED);
	log_warning("drop_ignored folder=%s file=%s: not a regular file", entry->file.folder->name,
		    drop_name_digest(entry->file.name, digest));
}

static bool is_unchanged(const struct drop_entry *entry, const struct drop_sighting *sighting)
{
	return (entry->state == ENTRY_SETTLING || entry->state == ENTRY_WHOLE) &&
	       entry->file.size == sighting->size &&
	       entry->file.modified_ns == sighting->modified_ns &&
	       entry->file.inode == sighting->inode;
}

/* Between two looks: a file unchanged from the end of one scan to the start of another. */
static bool has_settled(const struct drop_entry *entry, const struct drop_scan *scan)
{
	const int64_t settle_ms = entry->file.folder->settle_ms;

	return settle_ms == 0 || scan->started_ms - entry->since_ms >= settle_ms;
}

static void entry_see(struct drop_entry *entry, const struct drop_scan *scan,
		      const struct drop_sighting *sighting)
{
	const uint64_t number = entry->file.drop->scan_number;

	if (entry->from_scan > number)
		return;
	entry->seen_in_scan = number;
	if (is_handed(entry))
		return;
	if (!sighting->regular) {
		entry->renamed = false;
		entry_ignore(entry);
		return;
	}
	if (!is_unchanged(entry, sighting)) {
		entry->file.size = sighting->size;
		entry->file.modified_ns = sighting->modified_ns;
		entry->file.inode = sighting->inode;
		entry->since_ms = scan->ended_ms;
		entry->not_before_ms = 0;
		entry->stuck = 0;
		entry_enter(entry, ENTRY_SETTLING);
	}
	if (entry->renamed || has_settled(entry, scan))
		entry_enter(entry, ENTRY_WHOLE);
	entry->renamed = false;
}

static void forget_what_is_gone(struct drop *drop)
{
	struct drop_entry *entry, *next;

	for (entry = LIST_FIRST(&drop->entries); entry != NULL; entry = next) {
		next = LIST_NEXT(entry, link);
		if (!is_handed(entry) && entry->from_scan <= drop->scan_number &&
		    entry->seen_in_scan != drop->scan_number)
			entry_free(entry);
	}
}

static void forget_queue(struct drop *drop)
{
	free(drop->queue);
	drop->queue = NULL;
	drop->queued = 0;
	drop->queue_next = 0;
}

static int by_age(const void *a, const void *b)
{
	const struct drop_entry *one = *(struct drop_entry *const *)a,
				*other = *(struct drop_entry *const *)b;

	if (one->file.modified_ns != other->file.modified_ns)
		return one->file.modified_ns < other->file.modified_ns ? -1 : 1;
	return strcmp(one->file.name, other->file.name);
}

/* ---- pairs ---- */

static bool is_ready(const struct drop_entry *entry, int64_t now_ms)
{
	return entry->state == ENTRY_WHOLE && entry->not_before_ms <= now_ms;
}

static bool is_of_pair(const struct drop_entry *entry)
{
	return body_media_type(entry->file.name) != NULL || body_is_sidecar(entry->file.name);
}

/* letter.yaml for letter.pdf; NULL: the folder has none. */
static struct drop_entry *sidecar_of(const struct drop *drop, const struct drop_entry *body)
{
	static const char *const endings[] = { BODY_SIDECAR, BODY_SIDECAR_CAPITALS };
	const char *name = body->file.name;
	struct drop_entry *found = NULL;

	for (size_t i = 0; i < length_of(endings) && found == NULL; i++) {
		scoped(free_ptr) char *sidecar =
			xasprintf("%.*s%s", (int)(strrchr(name, '.') - name), name, endings[i]);

		found = entry_find(drop, sidecar);
	}
	return found != NULL && found->state != ENTRY_IGNORED ? found : NULL;
}

/* Of several bodies that one sidecar could describe, the first that is ready gets it. */
static void pair(struct drop_entry *body, struct drop_entry *sidecar, int64_t now_ms)
{
	sidecar->is_awaited = true;
	if (!is_ready(body, now_ms) || !is_ready(sidecar, now_ms) || sidecar->companion != NULL)
		return;
	body->companion = sidecar;
	sidecar->companion = body;
}

static void find_pairs(struct drop *drop, int64_t now_ms)
{
	struct drop_entry *entry, *sidecar;

	for (entry = LIST_FIRST(&drop->entries); entry != NULL; entry = LIST_NEXT(entry, link)) {
		entry->companion = NULL;
		entry->is_awaited = false;
	}
	for (entry = LIST_FIRST(&drop->entries); entry != NULL; entry = LIST_NEXT(entry, link)) {
		if (body_media_type(entry->file.name) == NULL || entry->state == ENTRY_IGNORED)
			continue;
		sidecar = sidecar_of(drop, entry);
		if (sidecar != NULL)
			pair(entry, sidecar, now_ms);
	}
}

/* Its other half is not there, or is another's. (One that is there and not whole is waited for.) */
static bool is_alone(const struct drop_entry *entry)
{
	const struct drop_entry *sidecar;

	if (body_is_sidecar(entry->file.name))
		return !entry->is_awaited;
	sidecar = sidecar_of(entry->file.drop, entry);
	return sidecar == NULL || sidecar->companion != NULL;
}

static int64_t alone_until_ms(const struct drop_entry *entry)
{
	return entry->since_ms + entry->file.folder->companion_wait_ms;
}

/* A sidecar goes with its body; whoever waited for the other one in vain goes alone. */
static bool is_due(const struct drop_entry *entry, int64_t now_ms)
{
	if (!is_ready(entry, now_ms))
		return false;
	if (!is_of_pair(entry))
		return true;
	if (entry->companion != NULL)
		return !body_is_sidecar(entry->file.name);
	return alone_until_ms(entry) <= now_ms && is_alone(entry);
}

static void queue_what_is_whole(struct drop *drop)
{
	const int64_t now_ms = clock_monotonic_ms();
	struct drop_entry *entry;

	forget_queue(drop);
	find_pairs(drop, now_ms);
	drop->queue = xcalloc(drop->entry_count, sizeof(struct drop_entry *));
	for (entry = LIST_FIRST(&drop->entries); entry != NULL; entry = LIST_NEXT(entry, link))
		if (is_due(entry, now_ms))
			drop->queue[drop->queued++] = entry;
	qsort(drop->queue, drop->queued, sizeof(struct drop_entry *), by_age);
}

/* ---- handing over ---- */

/* Not renamed over, nor settled, since it was queued: else the next scan tells. */
static bool is_still_whole(const struct drop_entry *entry)
{
	return entry->state == ENTRY_WHOLE && entry->from_scan <= entry->file.drop->scan_number;
}

static void entry_hand(struct drop_entry *entry, enum entry_state state)
{
	entry_enter(entry, state);
	entry->touched = false;
	entry->file.fate = DROP_LEFT;
}

static void hand_over(struct drop *drop, struct drop_entry *entry)
{
	struct drop_entry *companion = entry->companion;

	if (!is_still_whole(entry) || (companion != NULL && !is_still_whole(companion)))
		return;
	entry_hand(entry, ENTRY_HANDED);
	if (companion != NULL)
		entry_hand(companion, ENTRY_COMPANION);
	entry->file.companion = companion ? &companion->file : NULL;
	drop->figures.last_file_ms = clock_now_ms();
	drop->on_file(drop->arg, &entry->file);
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
	struct drop *drop = arg;

	(void)fd;
	(void)what;
	while (!drop->closed && drop->queue_next < drop->queued &&
	       drop->figures.in_flight < drop->settings->most_in_flight)
		hand_over(drop, drop->queue[drop->queue_next++]);
}

/* ---- when to look ---- */

static void arm(struct event *timer, int64_t wait_ms)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	event_add(timer, &wait);
}

/* At least a little after the last scan, and longer where a scan is long: many small changes to a
 * large folder must not keep a worker looking at it for ever. While one runs it is the worker's:
 * scan_done() arms again.
 */
static void arm_scan(struct drop *drop)
{
	const struct drop_scan *last = &drop->scan;
	int64_t gap_ms, wait_ms;

	if (drop->scanning || drop->closed)
		return;
	gap_ms = max((last->ended_ms - last->started_ms) * SCAN_SHARE, (int64_t)LEAST_GAP_MS);
	wait_ms = max(drop->scan_wanted_ms, last->ended_ms + gap_ms) - clock_monotonic_ms();
	arm(drop->scan_due, max(wait_ms, (int64_t)0));
}

static void want_scan(struct drop *drop, int64_t at_ms)
{
	if (at_ms >= drop->scan_wanted_ms)
		return;
	drop->scan_wanted_ms = at_ms;
	arm_scan(drop);
}

/* The regular look, or the moment when a file may have become whole. While the folder cannot be
 * read no moment is better than another.
 */
static void want_next_scan(struct drop *drop, bool readable)
{
	const struct drop_settings *settings = drop->settings;
	const int64_t now_ms = clock_monotonic_ms();
	int64_t at_ms = now_ms + settings->scan_ms;
	const struct drop_entry *entry;

	for (entry = readable ? LIST_FIRST(&drop->entries) : NULL; entry != NULL;
	     entry = LIST_NEXT(entry, link)) {
		if (entry->state == ENTRY_SETTLING)
			at_ms = min(at_ms, entry->since_ms + settings->settle_ms);
		if (entry->state == ENTRY_WHOLE && entry->not_before_ms > now_ms)
			at_ms = min(at_ms, entry->not_before_ms);
		if (entry->state == ENTRY_WHOLE && is_of_pair(entry) &&
		    alone_until_ms(entry) > now_ms)
			at_ms = min(at_ms, alone_until_ms(entry));
	}
	drop->scan_wanted_ms = min(drop->scan_wanted_ms, at_ms);
	arm_scan(drop);
}

static void on_scan_due(evutil_socket_t fd, short what, void *arg)
{
	struct drop *drop = arg;

	(void)fd;
	(void)what;
	drop->scanning = true;
	drop->scan_number++;
	drop->scan_begun_ms = clock_monotonic_ms();
	drop->scan_wanted_ms = INT64_MAX;
	workers_submit(drop->disk, &drop->scan.job);
}

static void note_trouble(struct drop *drop, const struct err *err)
{
	const bool is = err->kind != ERR_NONE, was = drop->trouble[0] != '\0';

	if (is && !was)
		log_error("drop_unreadable folder=%s: %s", drop->settings->name, err->text);
	if (!is && was)
		log_info("drop_readable_again folder=%s", drop->settings->name);
	snprintf(drop->trouble, sizeof(drop->trouble), "%s", is ? err->text : "");
}

static void drop_done(struct drop *drop)
{
	if (!drop->freed || drop->scanning || drop->figures.in_flight > 0 || drop->parked > 0)
		return;
	if (drop->inotify >= 0)
		close(drop->inotify);
	free(drop->path);
	free(drop);
}

static void take_sightings(struct drop *drop)
{
	const struct drop_scan *scan = &drop->scan;

	for (const struct drop_sighting *sighting = scan->first; sighting;
	     sighting = sighting->next) {
		struct drop_entry *entry = entry_find(drop, sighting->name);

		entry_see(entry ? entry : entry_new(drop, sighting->name), scan, sighting);
	}
	forget_what_is_gone(drop);
	queue_what_is_whole(drop);
}

static void scan_done(struct job *job)
{
	struct drop_scan *scan = container_of(job, struct drop_scan, job);
	struct drop *drop = container_of(scan, struct drop, scan);

	drop->scanning = false;
	drop->watch = scan->watch;
	drop->figures.room = scan->room;
	if (!drop->closed) {
		note_trouble(drop, &scan->err);
		if (scan->listed)
			take_sightings(drop);
		else
			forget_queue(drop);
		want_next_scan(drop, scan->listed);
		event_active(drop->pump, EV_TIMEOUT, 0);
	}
	drop_scan_clear(scan);
	drop_done(drop);
}

/* One event of inotify. true: worth a look. */
static bool hear(struct drop *drop, const struct inotify_event *event)
{
	struct drop_entry *entry;
	bool renamed = event->mask & IN_MOVED_TO && event->wd == drop->watch;

	if (event->len == 0) /* events were lost, or the watch was */
		return true;
	if (event->mask & IN_ISDIR || !drop_scan_looks_at(event->name))
		return false;
	entry = entry_find(drop, event->name);
	if (entry == NULL && renamed && drop->entry_count < DROP_MOST_LISTED)
		entry = entry_new(drop, event->name);
	if (entry == NULL)
		return true;
	entry->touched = true;
	if (renamed) {
		entry->renamed = true;
		entry->from_scan = drop->scan_number + 1;
	}
	return !is_handed(entry);
}

static void on_heard(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char
		events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	struct drop *drop = arg;
	bool look = false;
	ssize_t n;

	(void)what;
	while ((n = read(fd, events, sizeof(events))) > 0) {
		for (const char *at = events; at < events + n;) {
			const struct inotify_event *event = (const void *)at;

			look |= hear(drop, event);
			at += sizeof(*event) + event->len;
		}
	}
	if (look)
		want_scan(drop, clock_monotonic_ms());
}

static void count_fate(struct drop *drop, enum drop_fate fate)
{
	drop->figures.taken += fate == DROP_TAKEN;
	drop->figures.rejected += fate == DROP_REJECTED;
}

/* A file that cannot be moved, or worked on, is read, and told to the ledger, each time that it comes
 * again: ever more rarely. The first that can be after all says that the others can.
 */
static void note_stuck(struct drop_entry *entry)
{
	struct drop *drop = entry->file.drop;
	const bool is = entry->file.fate == DROP_STUCK, was = entry->stuck > 0;
	struct drop_entry *other;

	entry->stuck = is ? entry->stuck + 1 : 0;
	if (is || !was || drop->freed)
		return;
	for (other = LIST_FIRST(&drop->entries); other != NULL; other = LIST_NEXT(other, link))
		if (other->stuck > 0)
			other->not_before_ms = 0;
	want_scan(drop, clock_monotonic_ms());
}

static int64_t pause_ms(const struct drop_entry *entry)
{
	const int64_t scan_ms = entry->file.folder->scan_ms;
	const struct retry_settings retry = { scan_ms, max(scan_ms, (int64_t)STUCK_MOST_MS) };

	return entry->stuck > 0 ? retry_delay_ms(&retry, entry->stuck, random_u32()) : scan_ms;
}

/* true: somebody wrote to it meanwhile. */
static bool entry_settle(struct drop_entry *entry, bool again)
{
	entry->from_scan = entry->file.drop->scan_number + 1;
	note_stuck(entry);
	entry_enter(entry, again ? ENTRY_WHOLE : ENTRY_NEW);
	if (again)
		entry->not_before_ms = clock_monotonic_ms() + pause_ms(entry);
	entry->file.folder = entry->file.drop->settings;
	return entry->touched;
}

void drop_settle(struct drop_file *file, bool again)
{
	struct drop_entry *entry = container_of(file, struct drop_entry, file);
	struct drop_entry *companion =
		file->companion ? container_of(file->companion, struct drop_entry, file) : NULL;
	struct drop *drop = file->drop;
	bool look = entry_settle(entry, again);

	if (companion != NULL) {
		companion->file.fate = file->fate;
		look |= entry_settle(companion, again);
	}
	if (!again)
		count_fate(drop, file->fate);
	if (drop->freed) {
		entry_free(entry);
		if (companion != NULL)
			entry_free(companion);
		drop_done(drop);
		return;
	}
	if (look)
		want_scan(drop, clock_monotonic_ms());
	event_active(drop->pump, EV_TIMEOUT, 0);
}

void drop_settle_later(struct drop_file *file)
{
	file->fate = DROP_STUCK;
	drop_settle(file, true);
}

void drop_park(struct drop_file *file)
{
	entry_enter(container_of(file, struct drop_entry, file), ENTRY_PARKED);
	if (!file->drop->closed)
		event_active(file->drop->pump, EV_TIMEOUT, 0);
}

/* ---- birth and end ---- */

static void start_listening(struct drop *drop, struct event_base *loop)
{
	drop->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (drop->inotify >= 0) {
		drop->heard = event_new(loop, drop->inotify, EV_READ | EV_PERSIST, on_heard, drop);
		event_add(drop->heard, NULL);
	}
	drop->scan.inotify = drop->inotify;
	drop->scan.watch = -1;
	drop_scan_watch(&drop->scan);
	drop->watch = drop->scan.watch;
	if (drop->watch < 0)
		log_warning("drop_not_watched folder=%s: %s; files are found by looking every "
			    "%lld ms",
			    drop->settings->name, strerrordesc_np(errno),
			    (long long)drop->settings->scan_ms);
}

int drop_new(struct drop **ret_drop, struct event_base *loop, struct workers *disk,
	     const struct drop_settings *settings, drop_file_fn *on_file, void *arg,
	     struct err *err)
{
	struct drop *drop;

	if (drop_prepare(settings, err) < 0)
		return -1;
	drop = xcalloc(1, sizeof(*drop));
	drop->settings = settings;
	drop->disk = disk;
	drop->on_file = on_file;
	drop->arg = arg;
	drop->figures.name = settings->name;
	drop->figures.path = settings->path;
	LIST_INIT(&drop->entries);
	drop->scan.job = (struct job){ .run = drop_scan_run, .done = scan_done };
	drop->path = xstrdup(settings->path);
	drop->scan.path = drop->path;
	drop->scan_due = event_new(loop, -1, 0, on_scan_due, drop);
	drop->pump = event_new(loop, -1, 0, on_pump, drop);
	start_listening(drop, loop);
	drop->scan_wanted_ms = INT64_MAX;
	want_scan(drop, clock_monotonic_ms());
	*ret_drop = drop;
	return 0;
}

void drop_follow(struct drop *drop, const struct drop_settings *settings)
{
	struct drop_entry *entry;

	drop->settings = settings;
	drop->figures.name = settings->name;
	drop->figures.path = settings->path;
	LIST_FOREACH(entry, &drop->entries, link)
	if (!is_handed(entry))
		entry->file.folder = settings;
	want_scan(drop, clock_monotonic_ms()); /* what was not whole may be now */
}

void drop_close(struct drop *drop)
{
	drop->closed = true;
	event_del(drop->scan_due);
	event_del(drop->pump);
	if (drop->heard != NULL)
		event_del(drop->heard);
	forget_queue(drop);
}

void drop_free(struct drop **drop)
{
	struct drop *d = *drop;
	struct drop_entry *entry, *next;

	if (d == NULL)
		return;
	drop_close(d);
	event_free(d->scan_due);
	event_free(d->pump);
	if (d->heard != NULL)
		event_free(d->heard);
	for (entry = LIST_FIRST(&d->entries); entry != NULL; entry = next) {
		next = LIST_NEXT(entry, link);
		if (!is_handed(entry))
			entry_free(entry);
	}
	d->freed = true;
	drop_done(d);
	*drop = NULL;
}

struct drop_figures drop_figures(const struct drop *drop)
{
	struct drop_figures figures = drop->figures;

	figures.trouble = drop->trouble;
	if (drop->scanning && clock_monotonic_ms() - drop->scan_begun_ms > HANGING_MS)
		figures.trouble = "the folder has not answered for more than a minute";
	return figures;
}
