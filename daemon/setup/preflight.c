/* What only this machine can tell of a configuration. */
#include "setup/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/url.h"
#include "setup/preflight_port.h"

struct flight {
	const struct config *config;
	struct buf *errors, *notes;
	int rc;
};

/* ---- as whom ---- */

#define SERVICE_USER "dmpfeed" /* of the unit */
#define SERVICE_FOLDER "/etc/dmpfeed/"

static int become(const struct passwd *entry, struct err *err)
{
	if (entry->pw_uid == geteuid())
		return 0;
	if (initgroups(entry->pw_name, entry->pw_gid) < 0 || setgid(entry->pw_gid) < 0 ||
	    setuid(entry->pw_uid) < 0)
		return err_set(err, ERR_HALT, "cannot become the user %s: %s", entry->pw_name,
			       strerror(errno));
	return 0;
}

int preflight_become(const char *user, const char *file, struct buf *notes, struct err *err)
{
	const struct passwd *entry = getpwnam(user ? user : SERVICE_USER);
	bool is_the_services = geteuid() == 0 && slice_starts(slice_of(file), SERVICE_FOLDER);

	if (user != NULL && entry == NULL)
		return err_set(err, ERR_HALT, "there is no user %s on this machine", user);
	if (entry == NULL || (user == NULL && !is_the_services && entry->pw_uid != geteuid())) {
		buf_add_text(
			notes,
			"not checked: whether the user " SERVICE_USER
			" may read these files and open these ports (as root: --user " SERVICE_USER
			")\n");
		return 0;
	}
	if (become(entry, err) < 0)
		return -1;
	buf_addf(notes, "checked as the user %s\n", entry->pw_name);
	return 0;
}

/* ---- folders ---- */

static void fault(struct flight *flight, const void *field, const char *format, ...)
	printf_like(3, 4);

static void fault(struct flight *flight, const void *field, const char *format, ...)
{
	char sentence[ERR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	config_fault(flight->config, field, flight->errors, "%s", sentence);
	flight->rc = -1;
}

/* Where a path is mounted: two mounts of one file system are two, to whoever renames. */
static bool mount_of(const char *path, uint64_t *ret_mount, mode_t *ret_mode)
{
	struct statx found;

	if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_MNT_ID, &found) < 0)
		return false;
	*ret_mount = found.stx_mnt_id;
	*ret_mode = found.stx_mode;
	return true;
}

static void check_below(struct flight *flight, const struct drop_settings *drop, uint64_t mount,
			const char *name)
{
	scoped(free_ptr) char *path = xasprintf("%s/%s", drop->path, name);
	uint64_t its_mount;
	mode_t mode;

	if (!mount_of(path, &its_mount, &mode)) {
		if (errno != ENOENT) /* it will be made */
			fault(flight, &drop->path, "folder: %s cannot be used (%s)", path,
			      strerror(errno));
	} else if (!S_ISDIR(mode)) {
		fault(flight, &drop->path,
		      "folder: %s is no folder, and files that were taken go there: move it away",
		      path);
	} else if (its_mount != mount) {
		fault(flight, &drop->path,
		      "folder: %s is on another file system than its folder: files could not be "
		      "moved there in one step",
		      path);
	} else if (access(path, W_OK | X_OK) < 0) {
		fault(flight, &drop->path, "folder: %s cannot be written in (%s)", path,
		      strerror(errno));
	}
}

static void check_drop(struct flight *flight, const struct drop_settings *drop)
{
	uint64_t mount;
	mode_t mode;

	if (access(drop->path, W_OK) < 0)
		fault(flight, &drop->path,
		      "folder: %s cannot be written in (%s): files that were taken are moved "
		      "within "
		      "it; systemd shows only what ReadWritePaths= names",
		      drop->path, strerror(errno));
	if (!mount_of(drop->path, &mount, &mode))
		return;
	check_below(flight, drop, mount, "done");
	check_below(flight, drop, mount, "rejected");
}

/* SQLite's log and locks need what network shares do not keep. */
static bool is_remote(const char *path)
{
	static const uint32_t remote[] = { NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,  SMB2_SUPER_MAGIC,
					   CIFS_SUPER_MAGIC, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,
					   V9FS_MAGIC };
	struct statfs found;

	if (statfs(path, &found) < 0)
		return false;
	for (size_t i = 0; i < length_of(remote); i++)
		if ((uint32_t)found.f_type == remote[i])
			return true;
	return false;
}

static const char *folder_above(const char *path, char **ret_text)
{
	char *slash;

	*ret_text = xstrdup(path);
	slash = strrchr(*ret_text, '/');
	if (slash == NULL)
		return ".";
	slash[slash == *ret_text] = '\0';
	return *ret_text;
}

/* What the unit makes at a start is not there before the first one. */
static void check_made(struct flight *flight, const char *path, const char *made_by_unit,
		       const void *field, const char *key)
{
	int number = access(path, W_OK | X_OK) < 0 ? errno : 0;

	if (number == ENOENT && strcmp(path, made_by_unit) == 0)
		buf_addf(flight->notes, "not checked: %s, which the unit makes at a start\n", path);
	else if (number != 0)
		fault(flight, field,
		      "%s: %s cannot be written in (%s): make the folder, for the "
		      "gateway's user",
		      key, path, strerror(number));
}

static void check_state(struct flight *flight)
{
	const struct config *config = flight->config;
	scoped(free_ptr) char *text = NULL;
	const char *path = config->state_dir;
	struct stat info;

	if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
		fault(flight, &config->state_dir, "state.folder: %s is no folder", path);
		return;
	}
	if (access(path, F_OK) < 0 && strcmp(path, "/var/lib/dmpfeed") != 0)
		path = folder_above(path, &text); /* the daemon makes it */
	check_made(flight, path, "/var/lib/dmpfeed", &config->state_dir, "state.folder");
	if (is_remote(path))
		fault(flight, &config->state_dir,
		      "state.folder: %s is on a network share, where a crash can damage the queue: "
		      "choose a folder of a local disk",
		      path);
}

static void check_socket(struct flight *flight)
{
	const struct config *config = flight->config;
	scoped(free_ptr) char *text = NULL;

	check_made(flight, folder_above(config->control.socket, &text), "/run/dmpfeed",
		   &config->control.socket, "control.socket");
}

/* A start wants them all. */
static void check_groups(struct flight *flight)
{
	const char *const *groups = flight->config->control.groups;
	gid_t group;
	int error;

	for (enum control_role role = ROLE_NONE; role < ROLE_COUNT; role++)
		if (groups[role] != NULL && groups[role][0] != '\0' &&
		    control_find_group(groups[role], &group, &error) < 0)
			fault(flight, &groups[role],
			      "control.groups.%s: this machine has no group %s: make it with "
			      "groupadd, or write one that it has",
			      control_role_text(role), groups[role]);
}

/* ---- programs ---- */

static void check_converter(struct flight *flight)
{
	const struct config *config = flight->config;

	if (config->when_not_pdfa != PDF_CONVERT || config->drop_count == 0)
		return;
	if (access(config->convert.converter, X_OK) < 0)
		fault(flight, &config->convert.converter,
		      "pdf.converter: %s cannot be run (%s): install ghostscript, or write "
		      "pdf.when_not_pdfa: refuse",
		      config->convert.converter, strerror(errno));
	if (access(config->convert.icc, R_OK) < 0)
		fault(flight, &config->convert.icc,
		      "pdf.icc: %s cannot be read (%s): install libgs-common, or write "
		      "pdf.when_not_pdfa: refuse",
		      config->convert.icc, strerror(errno));
}

/* ---- the network ---- */

static void check_port(struct flight *flight, const char *const *listen, const char *key,
		       pid_t owner)
{
	enum preflight_port port = PREFLIGHT_FREE;
	struct err err = { 0 };

	if (preflight_port(*listen, owner, &port, &err) < 0)
		fault(flight, listen, "%s: %s", key, err.text);
	else if (port == PREFLIGHT_OURS)
		buf_addf(flight->notes,
			 "not checked: whether %s is free, for the dmpfeedd that runs (%d) listens "
			 "there\n",
			 *listen, (int)owner);
	else if (port == PREFLIGHT_HIDDEN)
		buf_addf(
			flight->notes,
			"not checked: who listens on %s: right if it is systemd, for the service\n",
			*listen);
}

static void check_ports(struct flight *flight)
{
	const struct config *config = flight->config;
	pid_t owner = preflight_listener(config->control.socket);

	for (size_t i = 0; i < config->mllp_count; i++)
		check_port(flight, &config->mllp[i].listen, "listen", owner);
	check_port(flight, &config->status.listen, "status.listen", owner);
}

static void note_establishment(const struct config_establishment *e, struct buf *notes)
{
	const char *const urls[] = { e->url_repository, e->url_registry, e->url_patients };

	for (size_t i = 0; i < length_of(urls); i++)
		if (urls[i][0] != '\0')
			buf_addf(notes,
				 "not checked: whether the DMP answers %s at %s%s%s, and knows its "
				 "certificates\n",
				 e->finess_ej, urls[i], e->http.proxy[0] ? " through " : "",
				 e->http.proxy);
}

/* ---- the clock ---- */

static bool begins_with_paris(int day)
{
	const time_t begins_s = (time_t)(calendar_begins_ms(day) / 1000);
	struct tm here;

	localtime_r(&begins_s, &here);
	return here.tm_hour == 0 && here.tm_min == 0 &&
	       (here.tm_year + 1900) * 10000 + (here.tm_mon + 1) * 100 + here.tm_mday == day;
}

/* In winter or in summer; a hospital overseas means its own, so that this is no error. */
static void note_zone(struct buf *notes)
{
	const int year = calendar_day(clock_now_ms()) / 10000;
	const time_t now_s = (time_t)(clock_now_ms() / 1000);
	struct tm here;
	char zone[64];

	tzset();
	if (begins_with_paris(year * 10000 + 115) && begins_with_paris(year * 10000 + 715))
		return;
	localtime_r(&now_s, &here);
	strftime(zone, sizeof(zone), "%Z, %z", &here);
	buf_addf(notes,
		 "the zone of this machine (%s) is not that of Paris: a time without a zone, of a "
		 "message or a document, is taken for a time of that zone, and may be counted on "
		 "another day or month: timedatectl set-timezone Europe/Paris, unless the hospital "
		 "has the zone of the machine\n",
		 zone);
}

/* ---- others ---- */

/* What is somebody else's to say. */
static void note_unknown(const struct config *config, struct buf *notes)
{
	for (size_t i = 0; i < config->establishment_count; i++)
		note_establishment(&config->establishments[i], notes);
	for (size_t i = 0; i < config->source_count; i++)
		buf_addf(notes, "not checked: whether the source %s answers at %s\n",
			 config->sources[i].name, config->sources[i].ack.address);
	if (config->push.url[0] != '\0')
		buf_addf(notes, "not checked: whether the webhook at %.*s answers\n",
			 (int)url_origin(slice_of(config->push.url)).n, config->push.url);
	if (config->homologation_file[0] != '\0')
		buf_add_text(notes, "not checked: whether the DMP knows the number of the "
				    "homologation\n");
	if (config->key_file[0] != '\0')
		buf_add_text(notes,
			     "not checked: whether queue.encryption.key_file has every key "
			     "that the queue needs (if one lacks, the daemon refuses to start)\n");
	buf_add_text(notes, "not checked: whether the clock is right (the DMP refuses requests of "
			    "another time)\n");
}

int preflight_check(const struct config *config, struct buf *errors, struct buf *notes)
{
	struct flight flight = { config, errors, notes, 0 };

	check_state(&flight);
	check_socket(&flight);
	check_groups(&flight);
	for (size_t i = 0; i < config->drop_count; i++)
		check_drop(&flight, &config->drops[i]);
	check_converter(&flight);
	check_ports(&flight);
	note_zone(notes);
	note_unknown(config, notes);
	return flight.rc;
}
