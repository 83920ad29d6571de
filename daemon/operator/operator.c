/* What people may see and ask of the running gateway. The loop answers from memory; what needs the
 * store is read by a worker through its own connection.
 */
#include "operator/operator.h"

#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/codec.h"
#include "crew/hands.h"
#include "operator/answer.h"
#include "operator/backup.h"
#include "operator/export.h"
#include "operator/imports.h"
#include "operator/inquiry.h"
#include "operator/lists.h"
#include "operator/members.h"
#include "operator/orders.h"
#include "operator/page_figures.h"
#include "operator/recall.h"
#include "operator/recount.h"
#include "operator/rights.h"
#include "operator/stay_list.h"
#include "operator/tail.h"
#include "status/page.h"

enum {
	LOOK_S = 5, /* how often the age of the oldest waiting document is read */
};

struct operator_desk {
	struct operator_parts parts;
	struct snapshot *snapshot; /* held */
	struct status_server *status_server;
	struct control *control;
	struct inquiry_parts inquiries;
	struct backup_parts backup;
	struct orders_parts orders;
	struct imports_parts imports;
	struct stay_list_parts stay_lists;
	struct export_parts export;
	struct tails *tails;
	struct lists *lists;
	struct page_figures *page;
	struct status page_status; /* of the last page */

	/* what the last status pointed to */
	struct status_lane *lanes;
	struct status_listener *listeners;
	struct mllp_figures *listener_figures;
	struct status_folder *folders;
	struct status_source *sources;
	struct status_collector collector;
	struct status_depth depths[DOC_STATE_COUNT];
	char not_ready[ERR_TEXT + 128];

	/* the oldest waiting document, and what waits for each source: read off the loop now and then */
	struct job look;
	struct snapshot *look_snapshot; /* held; NULL: nobody looks */
	struct event *look_again;
	int64_t oldest_queued_ms, looked_oldest_ms;
	struct owed {
		uint64_t waiting;
		int64_t oldest_ms;
	} * owed, *looked_owed;               /* by source */
	uint64_t invisible, looked_invisible; /* documents, for too long */
};

/* ---- status ---- */

static const char *why_not_ready(const struct pipeline_figures *figures)
{
	if (figures->closing)
		return reason_row(REASON_SHUTTING_DOWN)->english;
	return figures->store_trouble;
}

/* What the disk or the database says comes in English. */
static const char *why_not_ready_in_french(struct operator_desk *desk,
					   const struct pipeline_figures *figures)
{
	if (figures->closing)
		return reason_row(REASON_SHUTTING_DOWN)->french;
	snprintf(desk->not_ready, sizeof(desk->not_ready), "%s %s",
		 reason_row(REASON_STORE_UNAVAILABLE)->french, figures->store_trouble);
	return desk->not_ready;
}

static struct status_source source_now(const struct operator_desk *desk, size_t index)
{
	const struct mllp_sender_figures link = pipeline_way_back(desk->parts.pipeline, index);

	return (struct status_source){
		.name = link.source,
		.address = link.address,
		.state = link.state,
		.why = link.why,
		.connected = link.connected,
		.waiting = desk->owed[index].waiting,
		.oldest_ms = desk->owed[index].oldest_ms,
		.told = link.accepted,
		.refused = link.refused,
		.failed = link.failed,
		.resumes_ms = link.resumes_ms,
		.last_told_ms = link.last_accepted_ms,
	};
}

static const struct status_collector *collector_now(struct operator_desk *desk)
{
	struct collector_figures way;
	uint64_t waiting;

	if (!pipeline_trail(desk->parts.pipeline, &way, &waiting))
		return NULL;
	desk->collector = (struct status_collector){
		.address = way.address,
		.state = way.state,
		.why = way.why,
		.connected = way.connected,
		.waiting = waiting,
		.forwarded = way.arrived,
		.failed = way.failed,
		.resumes_ms = way.resumes_ms,
		.last_forwarded_ms = way.last_arrived_ms,
	};
	return &desk->collector;
}

static void fill_status(void *arg, struct status *ret_status)
{
	struct operator_desk *desk = arg;
	const struct pipeline *pipeline = desk->parts.pipeline;
	const struct config *config = desk->snapshot->config;
	const struct pipeline_figures figures = pipeline_figures(pipeline);
	const struct health *health = watch_health(desk->parts.watch);

	desk->lanes = xrealloc(desk->lanes, (config->establishment_count + health->stray_count +
					     1) * sizeof(*desk->lanes));
	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct lane_figures lane = pipeline_lane(pipeline, i);

		desk->lanes[i] = (struct status_lane){
			.name = lane.name,
			.state = lane_state_text(lane.state),
			.since_ms = lane.since_ms,
			.why = lane.why.english,
			.why_french = lane.why.french,
			.in_flight = lane.in_flight,
			.delivered = lane.delivered,
			.resumes_ms = lane.resumes_ms,
			.last_delivered_ms = lane.last_delivered_ms,
		};
	}
	for (size_t i = 0; i < health->stray_count; i++)
		desk->lanes[config->establishment_count + i] = (struct status_lane){
			.name = health->strays[i].lane,
			.state = lane_state_text(LANE_STOPPED),
			.since_ms = health->strays[i].since_ms,
			.why = health->strays[i].why,
			.why_french = health->strays[i].why_french,
		};
	for (size_t i = 0; i < config->mllp_count; i++) {
		const struct mllp_figures *mllp = &desk->listener_figures[i];

		desk->listener_figures[i] = pipeline_listener(pipeline, i);
		desk->listeners[i] = (struct status_listener){
			.name = mllp->name,
			.address = mllp->address,
			.tls = mllp->tls,
			.connections = mllp->connections,
			.in_flight_bytes = mllp->in_flight_bytes,
			.messages = mllp->messages,
			.broken_frames = mllp->broken_frames,
			.stray_bytes = mllp->stray_bytes,
			.refused_connections = mllp->refused_connections,
			.refused_peers = mllp->refused_peers,
			.failed_handshakes = mllp->failed_handshakes,
			.last_message_ms = mllp->last_message_ms,
		};
	}
	for (size_t i = 0; i < config->drop_count; i++) {
		const struct drop_figures drop = pipeline_folder(pipeline, i);

		desk->folders[i] = (struct status_folder){
			.name = drop.name,
			.path = drop.path,
			.trouble = drop.trouble,
			.waiting = drop.waiting,
			.taken = drop.taken,
			.rejected = drop.rejected,
			.last_file_ms = drop.last_file_ms,
		};
	}
	for (size_t i = 0; i < config->source_count; i++)
		desk->sources[i] = source_now(desk, i);
	for (enum doc_state state = 0; state < DOC_STATE_COUNT; state++) {
		desk->depths[state].state = doc_state_text(state);
		desk->depths[state].documents = figures.documents[state];
	}
	*ret_status = (struct status){
		.version = DMPFEED_VERSION,
		.environment = environment_text(config->environment),
		.now_ms = clock_now_ms(),
		.started_ms = desk->parts.started_ms,
		.lanes = desk->lanes,
		.lane_count = config->establishment_count + health->stray_count,
		.listeners = desk->listeners,
		.listener_count = config->mllp_count,
		.folders = desk->folders,
		.folder_count = config->drop_count,
		.sources = desk->sources,
		.source_count = config->source_count,
		.collector = collector_now(desk),
		.depths = desk->depths,
		.depth_count = DOC_STATE_COUNT,
		.oldest_queued_ms = figures.documents[DOC_QUEUED] ? desk->oldest_queued_ms : 0,
		.last_delivered_ms = figures.last_delivered_ms,
		.invisible_too_long = desk->invisible,
		.identities = figures.identities,
		.identities_ignored = figures.identities_ignored,
		.identities_unusable = figures.identities_unusable,
		.answers = figures.answers,
		.not_asked = figures.not_asked,
		.not_ready = why_not_ready(&figures),
		.not_ready_french = why_not_ready_in_french(desk, &figures),
		.health = health,
	};
	page_figures_tell(desk->page, ret_status);
}

static void fill_page(void *arg, struct page *ret_page)
{
	struct operator_desk *desk = arg;

	fill_status(desk, &desk->page_status);
	*ret_page = (struct page){
		.status = &desk->page_status,
		.board = board_now(desk->parts.board),
		.has_targets = desk->snapshot->targets->programme_count > 0,
	};
	page_figures_fill(desk->page, ret_page);
}

static void list(void *arg, enum status_listing listing, const struct query *query,
		 struct exchange *exchange)
{
	struct operator_desk *desk = arg;
	scoped(buf_done) struct buf board = { 0 };

	if (listing != LISTING_TARGETS) {
		lists_ask(desk->lists, listing, query,
			  standing_now(desk->snapshot->config, desk->parts.pipeline,
				       desk->parts.watch),
			  exchange);
		return;
	}
	targets_write(board_now(desk->parts.board), &board); /* counted already */
	buf_add_char(&board, '\n');
	status_answer(exchange, buf_slice(&board));
}

static void look_at_source(void *arg, const char *source, uint64_t ready, int64_t oldest_ms)
{
	struct operator_desk *desk = arg;
	const struct config *config = desk->look_snapshot->config;
	const struct config_source *known = config_source_of(config, source);

	if (known != NULL)
		desk->looked_owed[known - config->sources] = (struct owed){ ready, oldest_ms };
}

/* Worker. */
static void look(struct job *job, void *worker)
{
	struct operator_desk *desk = container_of(job, struct operator_desk, look);
	struct err err = { 0 };
	struct store *reader = hands_reader(worker, &err);

	if (reader == NULL || store_oldest_queued(reader, &desk->looked_oldest_ms, &err) < 0 ||
	    desk->looked_oldest_ms == INT64_MAX)
		desk->looked_oldest_ms = 0; /* unknown, or nothing waits */
	if (reader != NULL)
		(void)!store_count_acks(reader, look_at_source, desk, &err);
	desk->looked_invisible = UINT64_MAX; /* unknown */
	if (reader != NULL)
		(void)!store_count_invisible(
			reader, clock_now_ms() - desk->look_snapshot->config->invisible_most_ms,
			&desk->looked_invisible, &err);
}

/* Loop. */
static void looked(struct job *job)
{
	const struct timeval later = { LOOK_S, 0 };
	struct operator_desk *desk = container_of(job, struct operator_desk, look);

	desk->oldest_queued_ms = desk->looked_oldest_ms;
	if (desk->look_snapshot == desk->snapshot) {
		free(desk->owed);
		desk->owed = take(desk->looked_owed);
	}
	free(desk->looked_owed);
	desk->looked_owed = NULL;
	snapshot_let_go(&desk->look_snapshot);
	if (desk->looked_invisible == UINT64_MAX)
		desk->looked_invisible = desk->invisible;
	desk->invisible = desk->looked_invisible;
	event_add(desk->look_again, &later);
}

static void look_again(evutil_socket_t fd, short what, void *arg)
{
	struct operator_desk *desk = arg;

	(void)fd;
	(void)what;
	desk->look_snapshot = snapshot_hold(desk->snapshot);
	desk->looked_owed =
		xcalloc(desk->snapshot->config->source_count, sizeof(*desk->looked_owed));
	workers_submit(desk->parts.workers, &desk->look);
}

/* ---- requests ---- */

static void answer_status(struct operator_desk *desk, struct control_request *request)
{
	scoped(buf_done) struct buf answer = { 0 };
	struct status status;

	fill_status(desk, &status);
	buf_add_text(&answer, "{\"row\":");
	status_write(&status, &answer);
	buf_add_text(&answer, "}\n");
	answer_end(&answer, NULL);
	control_answer(request, buf_slice(&answer));
}

/* A row for each. */
static void answer_certificates(struct operator_desk *desk, struct control_request *request)
{
	const struct health *health = watch_health(desk->parts.watch);
	scoped(buf_done) struct buf answer = { 0 };
	json_t *object = json_object(), *row;
	size_t i;

	health_put_certificates(object, health, clock_now_ms());
	json_array_foreach(json_object_get(object, "certificates"), i, row)
		answer_line(&answer, "row", json_incref(row));
	json_decref(object);
	answer_end(&answer, NULL);
	control_answer(request, buf_slice(&answer));
}

enum { WHY_TEXT = 320 };

static void say_role(const json_t *asked, const char *command, const char *needed, const char *has,
		     const char *group, char ret_why[static WHY_TEXT])
{
	const bool has_group = group[0] != '\0';

	if (answer_in_french(asked))
		snprintf(ret_why, WHY_TEXT,
			 "« %.32s » demande le rôle %s, et le vôtre est %s : demander comme %s%s",
			 command, needed, has, has_group ? "membre du groupe " : "root", group);
	else
		snprintf(ret_why, WHY_TEXT,
			 "\"%.32s\" needs the role %s, and yours is %s: ask as %s%s", command,
			 needed, has, has_group ? "a member of the group " : "root", group);
}

/* It asks for what needs another role. */
static bool is_refused(const struct operator_desk *desk, struct control_request *request,
		       const json_t *asked)
{
	const enum control_role needed = rights_needed(asked);
	const char *command = answer_asked(asked, "command"), *group;
	char why[WHY_TEXT];

	if (request->role >= needed)
		return false;
	group = desk->snapshot->config->control.groups[needed];
	log_warning("control peer_uid=%ld role=%s refused needed=%s", (long)request->uid,
		    control_role_text(request->role), control_role_text(needed));
	say_role(asked, command, control_role_text(needed), control_role_text(request->role),
		 group != NULL ? group : "", why);
	answer_error(request, why);
	return true;
}

/* Loop: somebody asks. */
static void request_came(void *arg, struct control_request *request)
{
	struct operator_desk *desk = arg;
	json_t *asked = json_loadb(request->line.p, request->line.n, JSON_REJECT_DUPLICATES, NULL);
	const char *command = answer_asked(asked, "command");
	struct err err = { 0 };

	if (is_refused(desk, request, asked)) {
		json_decref(asked);
		return;
	}
	if (members_check(asked, &err) < 0) {
		answer_error(request, err.text);
		json_decref(asked);
		return;
	}
	if (recount_begin(&desk->orders, request, asked) ||
	    inquiry_begin(&desk->inquiries, request, asked) ||
	    backup_begin(&desk->backup, request, asked) ||
	    orders_begin(&desk->orders, request, asked) ||
	    imports_begin(&desk->imports, request, asked) ||
	    stay_list_begin(&desk->stay_lists, request, asked) ||
	    export_begin(&desk->export, request, asked) ||
	    recall_begin(&desk->orders, request, asked) || tails_begin(desk->tails, request, asked))
		return; /* it has both now */
	if (strcmp(command, "status") == 0)
		answer_status(desk, request);
	else if (strcmp(command, "certs") == 0)
		answer_certificates(desk, request);
	else if (strcmp(command, "reload") == 0)
		desk->parts.reload(desk->parts.reload_arg, request);
	else
		answer_error(request, answer_in_french(asked)
					      ? "ce n'est pas une commande de ce dmpfeedd"
					      : "this is not a command of this dmpfeedd");
	json_decref(asked);
}

static void documents_moved(void *arg, const struct store_moves *moves)
{
	struct operator_desk *desk = arg;

	page_figures_moved(desk->page, moves);
	tails_poke(desk->tails);
}

/* ---- another configuration ---- */

struct operator_plan {
	struct tls *tls; /* of the status port; NULL: none */
};

int operator_prepare(const struct snapshot *snapshot, struct operator_plan **ret_plan,
		     struct err *err)
{
	struct tls *tls;

	if (status_server_prepare(&snapshot->config->status, &tls, err) < 0)
		return -1;
	*ret_plan = xcalloc(1, sizeof(**ret_plan));
	(*ret_plan)->tls = tls;
	return 0;
}

void operator_plan_free(struct operator_plan **plan)
{
	if (*plan == NULL)
		return;
	tls_free(&(*plan)->tls);
	free_ptr(plan);
}

/* What a status points to, as many as there are of each. */
static void make_room(struct operator_desk *desk)
{
	const struct config *config = desk->snapshot->config;

	free(desk->listeners);
	free(desk->listener_figures);
	free(desk->folders);
	free(desk->sources);
	free(desk->owed);
	desk->listeners = xcalloc(config->mllp_count, sizeof(*desk->listeners));
	desk->listener_figures = xcalloc(config->mllp_count, sizeof(*desk->listener_figures));
	desk->folders = xcalloc(config->drop_count, sizeof(*desk->folders));
	desk->sources = xcalloc(config->source_count, sizeof(*desk->sources));
	desk->owed = xcalloc(config->source_count, sizeof(struct owed));
}

static void follow(struct operator_desk *desk, struct snapshot *snapshot)
{
	snapshot_let_go(&desk->snapshot);
	desk->snapshot = snapshot_hold(snapshot);
	desk->inquiries.config = snapshot->config;
	desk->imports.snapshot = snapshot;
	desk->stay_lists.snapshot = snapshot;
	desk->export.snapshot = snapshot;
	make_room(desk);
}

void operator_follow(struct operator_desk *desk, struct snapshot *snapshot,
		     struct operator_plan **plan)
{
	struct snapshot *before = snapshot_hold(desk->snapshot);

	follow(desk, snapshot);
	status_server_follow(desk->status_server, &snapshot->config->status, take((*plan)->tls));
	page_figures_follow(desk->page, snapshot);
	operator_plan_free(plan);
	snapshot_let_go(&before);
}

/* ---- birth and end ---- */

int operator_new(struct operator_desk **ret_desk, const struct operator_parts *parts,
		 struct err *err)
{
	scoped(operator_free) struct operator_desk *desk = xcalloc(1, sizeof(*desk));
	const struct config *config = parts->snapshot->config;
	const struct status_desk status = { fill_status, fill_page, list, desk };

	desk->parts = *parts;
	desk->inquiries = (struct inquiry_parts){ parts->snapshot->config, parts->pipeline,
						  parts->watch, parts->workers, parts->keeper };
	desk->backup = (struct backup_parts){ parts->keeper, parts->writer, parts->pipeline };
	desk->orders = (struct orders_parts){ parts->workers, parts->writer, parts->pipeline };
	desk->imports = (struct imports_parts){ parts->snapshot, parts->board, parts->workers,
						parts->writer, parts->pipeline };
	desk->stay_lists = (struct stay_list_parts){ parts->snapshot, desk->orders };
	desk->export = (struct export_parts){ parts->snapshot, parts->board,    parts->keeper,
					      parts->writer,   parts->pipeline, { 0 } };
	random_bytes(desk->export.secret, sizeof(desk->export.secret));
	desk->tails = tails_new(parts->loop, parts->workers);
	follow(desk, parts->snapshot);
	desk->look = (struct job){ .run = look, .done = looked };
	desk->look_again = event_new(parts->loop, -1, 0, look_again, desk);
	if (status_server_new(&desk->status_server, parts->loop, &config->status, &status, err) <
		    0 ||
	    control_new(&desk->control, parts->loop, &config->control, request_came, desk, err) < 0)
		return -1;
	desk->lists = lists_new(parts->workers);
	desk->page = page_figures_new(&(struct page_figures_parts){
		.loop = parts->loop,
		.snapshot = parts->snapshot,
		.workers = parts->workers,
		.keeper = parts->keeper,
	});
	pipeline_watch(parts->pipeline, documents_moved, desk);
	log_info("status address=%s://%s/", config->status.tls.cert[0] ? "https" : "http",
		 status_server_address(desk->status_server));
	look_again(-1, 0, desk);
	*ret_desk = take(desk);
	return 0;
}

void operator_free(struct operator_desk **desk)
{
	struct operator_desk *d = *desk;

	if (d == NULL)
		return;
	status_server_free(&d->status_server);
	control_free(&d->control);
	tails_free(&d->tails);
	lists_free(&d->lists);
	page_figures_free(&d->page);
	event_free(d->look_again);
	free(d->lanes);
	free(d->listeners);
	free(d->listener_figures);
	free(d->folders);
	free(d->sources);
	free(d->owed);
	free(d->looked_owed);
	snapshot_let_go(&d->look_snapshot);
	snapshot_let_go(&d->snapshot);
	free_ptr(desk);
}
