/* The configuration: from a file to what the daemon goes by, and back. Its table of options is
 * config_table.c's business; how a file becomes a struct and back, option_yaml.c's; what must hold
 * between options, config_rules.c's.
 *
 * At start; at a reload, on a thread for that: it looks at the disk.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config_files.h"
#include "config/config_rules.h"
#include "config/config_table.h"
#include "config/option_diff.h"

/* ---- the options, told ---- */

static void list_options(const struct option_table *of, const char *within,
			 void (*each)(void *arg, const struct config_option *option), void *arg)
{
	for (const struct option *o = of->options; o < of->options + of->count; o++) {
		bool is_list = o->kind == OPTION_LIST; /* one of values is told as one option */
		scoped(free_ptr) char *name =
			xasprintf("%s%s%s", within, o->name, is_list ? "[]." : "");

		if (is_list)
			list_options(o->entries, name, each, arg);
		else
			each(arg, &(struct config_option){ name, o->preset, o->help, o->restart });
	}
}

void config_options(void (*each)(void *arg, const struct config_option *option), void *arg)
{
	list_options(&config_table, "", each, arg);
}

/* ---- secrets, which stand in files of their own ---- */

enum { MOST_SECRET = 200, LEAST_TOKEN = 20 };

static bool is_one_word(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return text.n > 0 && text.n <= MOST_SECRET;
}

/* What the file holds, alone on one line. NULL: something else. */
static const char *read_secret(const char *path, struct arena *arena)
{
	char text[MOST_SECRET + 2]; /* with a line end */
	struct slice word = { 0 };
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return NULL;
	word = slice_trim((struct slice){ text, fread(text, 1, sizeof(text), file) });
	fclose(file);
	return is_one_word(word) ? arena_dup(arena, word) : NULL;
}

static void read_homologation(struct config *config, struct option_reading *reading)
{
	/* the simulated DMP wants one, as the DMP does */
	config->vihf.homologation = config->environment == ENVIRONMENT_REHEARSAL ? "REHEARSAL" : "";
	if (config->homologation_file == NULL || config->homologation_file[0] == '\0')
		return;
	config->vihf.homologation = read_secret(config->homologation_file, &config->arena);
	if (config->vihf.homologation == NULL)
		option_complain(
			reading, &config->homologation_file,
			"lps.homologation_file must hold the number that the CNDA gave, alone, on "
			"one line");
}

static void read_proxy_login(struct config *config, struct config_establishment *establishment,
			     struct option_reading *reading)
{
	const char *login;

	establishment->http.proxy_login = "";
	if (establishment->proxy_file == NULL || establishment->proxy_file[0] == '\0')
		return;
	login = read_secret(establishment->proxy_file, &config->arena);
	if (login != NULL && strchr(login, ':') != NULL)
		establishment->http.proxy_login = login;
	else
		option_complain(reading, &establishment->proxy_file,
				"dmp.proxy.credentials_file must hold user:password, alone, on one "
				"line");
}

/* One that is short can be found by trying. */
static void read_status_token(struct config *config, struct option_reading *reading)
{
	config->status.token = "";
	if (config->status_token_file == NULL || config->status_token_file[0] == '\0')
		return;
	config->status.token = read_secret(config->status_token_file, &config->arena);
	if (config->status.token == NULL || strlen(config->status.token) < LEAST_TOKEN)
		option_complain(reading, &config->status_token_file,
				"status.token_file must hold a token of 20 to 200 letters, digits "
				"and signs, alone, on one line: openssl rand -hex 32 makes one");
}

static void read_push_token(struct config *config, struct option_reading *reading)
{
	config->push.token = "";
	if (config->push_token_file == NULL || config->push_token_file[0] == '\0')
		return;
	config->push.token = read_secret(config->push_token_file, &config->arena);
	if (config->push.token == NULL)
		option_complain(
			reading, &config->push_token_file,
			"alerts.push.token_file must hold the webhook's token, alone, on one "
			"line");
}

static void read_secrets(struct config *config, struct option_reading *reading)
{
	read_homologation(config, reading);
	read_status_token(config, reading);
	read_push_token(config, reading);
	for (size_t i = 0; i < config->establishment_count; i++)
		read_proxy_login(config, &config->establishments[i], reading);
}

/* ---- what follows from the options ---- */

/* A machine that sends by itself: the default role. */
static void derive_roles(struct config_sender *sender, struct arena *arena)
{
	static const struct vihf_role automaton = { "AUTOMATE", "1.2.250.1.213.1.1.4.6",
						    "AUTOMATE" };

	if (sender->role_count > 0)
		return;
	sender->roles = arena_alloc(arena, sizeof(automaton));
	sender->roles[0] = automaton;
	sender->role_count = 1;
}

/* A PDF lies there in clear while it is converted. What is encrypted on the disk is in clear in memory only, where systemd
 * gave us a folder.
 */
static const char *convert_folder(struct config *config)
{
	struct slice folders = slice_of(getenv("RUNTIME_DIRECTORY")), first;

	if (config->key_file[0] == '\0' || !slice_next(&folders, ':', &first) || first.n == 0)
		return config->state_dir;
	return arena_dup(&config->arena, first);
}

static void derive(struct config *config)
{
	char node[HOST_NAME_MAX + 1] = "";

	config->files = config->spots->files;
	config->file_count = config->spots->file_count;
	config->include = ""; /* all that they say is here now */
	gethostname(node, sizeof(node) - 1);
	config->store.node = arena_dup(&config->arena, slice_of(node));
	if (strcmp(config->processing_code, "auto") == 0)
		config->processing_code = config->environment == ENVIRONMENT_PRODUCTION ? "P" : "D";
	config->vihf.lps_id = config->lps_id;
	config->vihf.lps_name = config->lps_name;
	config->vihf.lps_version = config->lps_version;
	config->alerts.invisible_warning_ms = config->invisible_most_ms;
	config->convert.folder = convert_folder(config);
	config->store.path = arena_printf(&config->arena, "%s/queue.db", config->state_dir);
	for (size_t i = 0; i < config->source_count; i++)
		config->sources[i].ack.source = config->sources[i].name;
	for (size_t i = 0; i < config->establishment_count; i++) {
		struct config_establishment *e = &config->establishments[i];

		e->lane.name = e->finess_ej;
		for (size_t j = 0; j < e->site_count; j++) {
			if (e->sites[j].oid[0] == '\0')
				e->sites[j].oid = config->lps_oid;
			e->sites[j].metadata.lps_name = config->lps_name;
			e->sites[j].metadata.lps_model = config->lps_version;
			e->sites[j].metadata.lps_internal_id = config->lps_internal_id;
			derive_roles(&e->sites[j].sender, &config->arena);
		}
	}
}

/* ---- from a file and back ---- */

/* Absolute, so that what is printed means the same wherever it is read again. */
static const char *folder_of(const char *file, struct arena *arena)
{
	const char *slash = strrchr(file, '/');
	const char *folder =
		slash == NULL   ? "."
		: slash == file ? "/"
				: arena_dup(arena, (struct slice){ file, (size_t)(slash - file) });
	char absolute[PATH_MAX];

	return realpath(folder, absolute) ? arena_dup(arena, slice_of(absolute)) : folder;
}

struct loading {
	struct config *config;
	struct option_reading *reading;
	const char *folder;
	bool keeps_faulty;
};

static void begin(struct loading *loading, const char *file)
{
	struct config *config = xcalloc(1, sizeof(*config));

	config->file = arena_dup(&config->arena, slice_of(file));
	loading->keeps_faulty = false;
	config->environment = ENVIRONMENT_TEST; /* until one is read: it asks for least */
	loading->config = config;
	loading->folder = folder_of(file, &config->arena);
	loading->reading = option_reading_new(loading->folder, &config->arena);
}

static int finish(struct loading *loading, const struct yaml_tree *tree, struct config **ret_config,
		  struct buf *errors)
{
	scoped(config_free) struct config *config = loading->config;
	scoped(option_reading_free) struct option_reading *reading = loading->reading;
	bool is_whole = false;

	if (tree != NULL && option_read(reading, &config_table, tree, config) == 0) {
		is_whole = loading->keeps_faulty && option_is_whole(reading);
		read_secrets(config, reading);
		config_check(config, reading);
	}
	config->spots = option_keep_spots(reading, &config->arena);
	if (option_is_usable(reading)) {
		derive(config);
		*ret_config = take(config);
		return 0;
	}
	option_tell(reading, !is_whole, errors);
	if (is_whole) {
		option_stand_in(reading);
		derive(config);
		*ret_config = take(config);
	}
	return -1;
}

int config_parse(struct config **ret_config, const char *file, struct slice bytes,
		 struct buf *errors)
{
	struct loading loading;

	begin(&loading, file);
	return finish(&loading, config_files_parse(loading.reading, file, bytes), ret_config,
		      errors);
}

int config_load(struct config **ret_config, const char *file, struct buf *errors)
{
	struct loading loading;

	begin(&loading, file);
	return finish(&loading, config_files_load(loading.reading, file, loading.folder),
		      ret_config, errors);
}

int config_look(struct config **ret_config, const char *file, struct buf *errors)
{
	struct loading loading;

	begin(&loading, file);
	loading.keeps_faulty = true;
	return finish(&loading, config_files_load(loading.reading, file, loading.folder),
		      ret_config, errors);
}

void config_free(struct config **config)
{
	if (*config == NULL)
		return;
	arena_done(&(*config)->arena);
	free_ptr(config);
}

void config_fault(const struct config *config, const void *field, struct buf *errors,
		  const char *format, ...)
{
	char sentence[ERR_TEXT + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	option_tell_one(config->spots, field, sentence, errors);
}

enum store_priority config_priority_of(const struct config *config, const char *type_code)
{
	for (size_t i = 0; i < config->priority_count; i++)
		for (size_t j = 0; j < config->priorities[i].type_count; j++)
			if (strcmp(config->priorities[i].types[j], type_code) == 0)
				return config->priorities[i].priority;
	return PRIORITY_NORMAL;
}

void config_print(const struct config *config, struct buf *out)
{
	option_write(&config_table, config, out);
}

void config_diff(const struct config *before, const struct config *after,
		 void (*each)(void *arg, const struct option_change *change), void *arg)
{
	option_diff(&config_table, before, after, each, arg);
}

const struct config_establishment *config_establishment_of(const struct config *config,
							   const char *finess_eg,
							   const struct config_site **ret_site)
{
	for (size_t i = 0; i < config->establishment_count; i++) {
		const struct config_establishment *e = &config->establishments[i];

		for (size_t j = 0; j < e->site_count; j++) {
			const char *candidate = e->sites[j].metadata.finess_eg;

			if (candidate == NULL || strcmp(candidate, finess_eg) != 0)
				continue;
			if (ret_site != NULL)
				*ret_site = &e->sites[j];
			return e;
		}
	}
	return NULL;
}

const char *config_field_of(const struct config_site *site, const char *unit)
{
	const char *field = site->field;

	for (size_t i = 0; i < site->unit_count; i++) {
		if (strcmp(site->units[i].unit, unit) == 0) {
			field = site->units[i].field;
			break;
		}
	}
	return slice_is(slice_of(field), "none") ? "" : slice_of(field).p;
}

struct config_sender config_sender_of(const struct config *config, const struct config_site *site,
				      const char *source)
{
	struct config_sender sender = site->sender;

	for (size_t i = 0; i < config->source_sender_count; i++) {
		const struct config_sender *own = &config->source_senders[i].sender;

		if (strcmp(config->source_senders[i].name, source) != 0)
			continue;
		if (own->name_id[0] != '\0')
			sender.name_id = own->name_id;
		if (own->subject_id[0] != '\0')
			sender.subject_id = own->subject_id;
		if (own->role_count > 0) {
			sender.roles = own->roles;
			sender.role_count = own->role_count;
		}
	}
	return sender;
}

const struct config_source *config_source_of(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->source_count; i++)
		if (strcmp(config->sources[i].name, name) == 0)
			return &config->sources[i];
	return NULL;
}
