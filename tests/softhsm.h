/* A token of the test's own: SoftHSM in a folder, with keys put on it. Tests that need one are skipped,
 * saying so, where SoftHSM is not installed.
 */
#ifndef DMPFEED_TESTS_SOFTHSM_H
#define DMPFEED_TESTS_SOFTHSM_H

#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"
#include "skip.h"

#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define SOFTHSM_PIN "1234"

struct softhsm {
	char folder[32];
	char *pin_file, *tokens, *away; /* paths; the last: where they are hidden */
};

static inline bool softhsm_is_there(void)
{
	return access(SOFTHSM_MODULE, R_OK) == 0 && access("/usr/bin/softhsm2-util", X_OK) == 0;
}

/* First of all in a test that signs. */
#define softhsm_is_needed()                                                                        \
	do {                                                                                       \
		if (!softhsm_is_there())                                                           \
			skip_because("softhsm2 is not installed: there is no token");              \
	} while (0)

static inline void softhsm_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline void softhsm_run(const char *command)
{
	scoped(free_ptr) char *quiet = xasprintf("%s >/dev/null 2>&1", command);

	assert_int_equal(system(quiet), 0);
}

static inline void softhsm_make(struct softhsm *hsm)
{
	scoped(free_ptr) char *conf = NULL;
	scoped(free_ptr) char *text = NULL;

	*hsm = (struct softhsm){ .folder = "/tmp/test_hsm.XXXXXX" };
	assert_non_null(mkdtemp(hsm->folder));
	hsm->tokens = xasprintf("%s/tokens", hsm->folder);
	hsm->away = xasprintf("%s/away", hsm->folder);
	hsm->pin_file = xasprintf("%s/pin", hsm->folder);
	conf = xasprintf("%s/softhsm2.conf", hsm->folder);
	text = xasprintf(
		"directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
		hsm->tokens);
	assert_int_equal(mkdir(hsm->tokens, 0700), 0);
	softhsm_write(conf, text);
	softhsm_write(hsm->pin_file, SOFTHSM_PIN "\n");
	setenv("SOFTHSM2_CONF", conf, 1);
}

static inline void softhsm_add_token(const char *label)
{
	scoped(free_ptr) char *command = xasprintf(
		"softhsm2-util --init-token --free --label %s --so-pin 5678 --pin " SOFTHSM_PIN,
		label);

	softhsm_run(command);
}

static inline void softhsm_add_key(const char *token, const char *file, const char *label,
				   const char *id)
{
	scoped(free_ptr) char *command =
		xasprintf("softhsm2-util --import %s --token %s --label %s "
			  "--id %s --pin " SOFTHSM_PIN,
			  file, token, label, id);

	softhsm_run(command);
}

/* As if the token were taken out, and put back. */
static inline void softhsm_hide(const struct softhsm *hsm)
{
	assert_int_equal(rename(hsm->tokens, hsm->away), 0);
	assert_int_equal(mkdir(hsm->tokens, 0700), 0);
}

static inline void softhsm_bring_back(const struct softhsm *hsm)
{
	assert_int_equal(rmdir(hsm->tokens), 0);
	assert_int_equal(rename(hsm->away, hsm->tokens), 0);
}

/* Its URI, which the caller frees. */
static inline char *softhsm_uri(const struct softhsm *hsm, const char *path)
{
	return xasprintf("pkcs11:%s?module-path=" SOFTHSM_MODULE "&pin-source=file:%s", path,
			 hsm->pin_file);
}

static inline void softhsm_done(struct softhsm *hsm)
{
	scoped(free_ptr) char *command = xasprintf("rm -r %s", hsm->folder);

	assert_int_equal(system(command), 0);
	free(hsm->tokens);
	free(hsm->away);
	free(hsm->pin_file);
}

#endif
