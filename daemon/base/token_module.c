/* The modules that speak to PKCS#11 tokens. Any thread. */
#include "base/token_module.h"

#include <p11-kit/p11-kit.h>
#include <pthread.h>

struct token_module {
	char *path;
	CK_FUNCTION_LIST *functions;
	pthread_rwlock_t in_calls; /* read by who calls, written by who starts it anew */
	uint64_t start;            /* 0: the last one failed */
	size_t users;
	struct token_module *next;
};

/* The lock is held while a module is loaded and started, not while it signs. */
static struct {
	pthread_mutex_t lock;
	struct token_module *modules;
	uint64_t starts;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* p11-kit's own call says nothing of threads, and some modules then lock nothing. */
static CK_RV start(CK_FUNCTION_LIST *functions)
{
	CK_C_INITIALIZE_ARGS several_threads = { .flags = CKF_OS_LOCKING_OK };

	return functions->C_Initialize(&several_threads);
}

static uint64_t next_start(void)
{
	return __atomic_add_fetch(&shared.starts, 1, __ATOMIC_RELAXED);
}

static int load(struct token_module **ret_module, const char *path, struct err *err)
{
	CK_FUNCTION_LIST *functions;
	struct token_module *module;
	CK_RV answer;

	p11_kit_be_quiet();
	functions = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED);
	if (functions == NULL)
		return err_set(err, ERR_HALT, "%s is no PKCS#11 module that can be loaded", path);
	answer = start(functions);
	if (answer != CKR_OK) {
		p11_kit_module_release(functions);
		return err_set(err, ERR_RETRY, "the module %s does not start: %s", path,
			       p11_kit_strerror(answer));
	}
	module = xcalloc(1, sizeof(*module));
	module->path = xstrdup(path);
	module->functions = functions;
	module->start = next_start();
	pthread_rwlock_init(&module->in_calls, NULL);
	module->next = shared.modules;
	shared.modules = module;
	*ret_module = module;
	return 0;
}

static void unload(struct token_module *module)
{
	struct token_module **at = &shared.modules;

	while (*at != module)
		at = &(*at)->next;
	*at = module->next;
	if (module->start != 0)
		module->functions->C_Finalize(NULL);
	p11_kit_module_release(module->functions);
	pthread_rwlock_destroy(&module->in_calls);
	free(module->path);
	free(module);
}

int token_module_use(struct token_module **ret_module, const char *path, struct err *err)
{
	struct token_module *module;
	int rc = 0;

	pthread_mutex_lock(&shared.lock);
	module = shared.modules;
	while (module != NULL && strcmp(module->path, path) != 0)
		module = module->next;
	if (module == NULL)
		rc = load(&module, path, err);
	if (module != NULL) {
		module->users++;
		*ret_module = module;
	}
	pthread_mutex_unlock(&shared.lock);
	return rc;
}

void token_module_leave(struct token_module **module)
{
	pthread_mutex_lock(&shared.lock);
	if (*module != NULL && --(*module)->users == 0)
		unload(*module);
	pthread_mutex_unlock(&shared.lock);
	*module = NULL;
}

uint64_t token_module_enter(struct token_module *module, CK_FUNCTION_LIST **ret_functions)
{
	pthread_rwlock_rdlock(&module->in_calls);
	*ret_functions = module->functions;
	return module->start;
}

void token_module_exit(struct token_module *module)
{
	pthread_rwlock_unlock(&module->in_calls);
}

void token_module_restart(struct token_module *module, uint64_t seen)
{
	pthread_rwlock_wrlock(&module->in_calls);
	if (module->start == seen) {
		if (module->start != 0)
			module->functions->C_Finalize(NULL);
		module->start = start(module->functions) == CKR_OK ? next_start() : 0;
	}
	pthread_rwlock_unlock(&module->in_calls);
}
