/* Logging in to a PKCS#11 token with a PIN of a file. Any thread. */
#include "base/token_pin.h"

#include <errno.h>
#include <fcntl.h>
#include <p11-kit/p11-kit.h>
#include <pthread.h>
#include <unistd.h>

#include "base/codec.h"

enum {
	MOST_PIN = 256,
	MOST_REFUSED = 64, /* remembered */
};

/* Tokens and PINs that do not go together, as digests. The lock is held while one is tried. */
static struct {
	pthread_mutex_t lock;
	uint64_t digests[MOST_REFUSED];
	size_t count;
} refused = { .lock = PTHREAD_MUTEX_INITIALIZER };

int token_pin_trouble(CK_RV answer, const char *at, struct err *err)
{
	return err_set(err, ERR_RETRY, "the token is in trouble (%s: %s)", at,
		       p11_kit_strerror(answer));
}

static uint64_t digest_of(const CK_TOKEN_INFO *info, const char *pin)
{
	struct {
		char label[sizeof(info->label)], serial[sizeof(info->serialNumber)], pin[MOST_PIN];
	} both = { 0 };
	uint8_t digest[DIGEST_MOST];
	uint64_t number;

	memcpy(both.label, info->label, sizeof(both.label));
	memcpy(both.serial, info->serialNumber, sizeof(both.serial));
	memcpy(both.pin, pin, strlen(pin));
	digest_once(DIGEST_SHA256, (struct slice){ (const char *)&both, sizeof(both) }, digest);
	explicit_bzero(&both, sizeof(both));
	memcpy(&number, digest, sizeof(number));
	return number;
}

static bool was_refused(uint64_t digest)
{
	for (size_t i = 0; i < min(refused.count, (size_t)MOST_REFUSED); i++)
		if (refused.digests[i] == digest)
			return true;
	return false;
}

/* The first line. */
static int read_pin(const char *file, char ret_pin[static MOST_PIN], struct err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret_pin, MOST_PIN - 1);
	int number = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_set(err, ERR_HALT, "its PIN cannot be read from %s (%s)", file,
			       strerrordesc_np(number));
	ret_pin[n] = '\0';
	ret_pin[strcspn(ret_pin, "\r\n")] = '\0';
	return 0;
}

static bool is_about_the_pin(CK_RV answer)
{
	return answer == CKR_PIN_INCORRECT || answer == CKR_PIN_INVALID ||
	       answer == CKR_PIN_LEN_RANGE || answer == CKR_PIN_EXPIRED || answer == CKR_PIN_LOCKED;
}

static int check_tries(const CK_TOKEN_INFO *info, uint64_t digest, const char *file,
		       struct err *err)
{
	if (info->flags & CKF_USER_PIN_LOCKED)
		return err_set(err, ERR_HALT, "the token has locked its PIN: unlock it");
	if (was_refused(digest))
		return err_set(err, ERR_HALT,
			       "the token has refused the PIN in %s: it is not tried again until "
			       "that file changes or the daemon is restarted",
			       file);
	if (info->flags & CKF_USER_PIN_FINAL_TRY)
		return err_set(err, ERR_HALT,
			       "one more wrong PIN and the token locks itself: log in to it by "
			       "hand once, with the PIN in %s",
			       file);
	return 0;
}

static int try_pin(CK_FUNCTION_LIST *functions, const CK_TOKEN_INFO *info,
		   CK_SESSION_HANDLE session, char *pin, const char *file, struct err *err)
{
	const uint64_t digest = digest_of(info, pin);
	CK_RV answer;

	if (check_tries(info, digest, file, err) < 0)
		return -1;
	answer = functions->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	if (answer == CKR_OK || answer == CKR_USER_ALREADY_LOGGED_IN)
		return 0;
	if (!is_about_the_pin(answer))
		return token_pin_trouble(answer, "login", err);
	refused.digests[refused.count++ % MOST_REFUSED] = digest;
	return err_set(err, ERR_HALT, "the token refuses the PIN in %s (%s)", file,
		       p11_kit_strerror(answer));
}

/* All sessions of a process are logged in to a token, or none. */
static bool is_logged_in(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;

	return functions->C_GetSessionInfo(session, &info) == CKR_OK &&
	       info.state == CKS_RO_USER_FUNCTIONS;
}

/* Under the lock. */
static int log_in(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot, CK_SESSION_HANDLE session,
		  const char *file, struct err *err)
{
	char pin[MOST_PIN] = "";
	CK_TOKEN_INFO info;
	CK_RV answer = functions->C_GetTokenInfo(slot, &info);
	int rc;

	if (answer != CKR_OK)
		return token_pin_trouble(answer, "token", err);
	if (!(info.flags & CKF_LOGIN_REQUIRED) || is_logged_in(functions, session))
		return 0;
	if (file[0] == '\0')
		return err_set(err, ERR_HALT,
			       "the token wants a PIN: write pin-source=file:/PATH after the ?");
	rc = read_pin(file, pin, err);
	if (rc == 0)
		rc = try_pin(functions, &info, session, pin, file, err);
	explicit_bzero(pin, sizeof(pin));
	return rc;
}

int token_pin_log_in(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot, CK_SESSION_HANDLE session,
		     const char *file, struct err *err)
{
	int rc;

	pthread_mutex_lock(&refused.lock);
	rc = log_in(functions, slot, session, file, err);
	pthread_mutex_unlock(&refused.lock);
	return rc;
}
