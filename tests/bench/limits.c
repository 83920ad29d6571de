/* The machine's own limits: how often it syncs, how often it signs.
 *
 * usage: bench_limits fdatasync FOLDER MS | rsa2048 MS
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { APPEND_BYTES = 8192, MOST_THREADS = 256 };

/* Appends of 8 KiB, each synced before the next. */
static double syncs_per_s(const char *folder, int64_t run_ns)
{
	static char bytes[APPEND_BYTES];
	int fd = openat(AT_FDCWD, folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int64_t start = bench_now_ns(), now = start;
	size_t count = 0;

	if (fd < 0)
		bench_die("%s: %s", folder, strerror(errno));
	memset(bytes, 'x', sizeof(bytes));
	for (; now - start < run_ns; now = bench_now_ns(), count++)
		if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes) || fdatasync(fd) < 0)
			bench_die("%s: %s", folder, strerror(errno));
	close(fd);
	return (double)count * 1e9 / (double)(now - start);
}

struct signing {
	pthread_t thread;
	EVP_PKEY *key;
	int64_t until_ns;
	size_t count;
};

static void *sign(void *arg)
{
	struct signing *signing = arg;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signing->key, NULL);
	unsigned char digest[32] = { 0 }, signature[256];

	if (EVP_PKEY_sign_init(context) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) != 1)
		bench_die("OpenSSL cannot sign");
	for (; bench_now_ns() < signing->until_ns; signing->count++) {
		size_t n = sizeof(signature);

		digest[signing->count % sizeof(digest)]++;
		if (EVP_PKEY_sign(context, signature, &n, digest, sizeof(digest)) != 1)
			bench_die("OpenSSL cannot sign");
	}
	EVP_PKEY_CTX_free(context);
	return NULL;
}

/* On every core, each thread with a key of its own, as the gateway's. */
static double signatures_per_s(int64_t run_ns)
{
	static struct signing signing[MOST_THREADS];
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t threads = cores < MOST_THREADS ? (size_t)cores : MOST_THREADS;
	EVP_PKEY *key = EVP_RSA_gen(2048);
	int64_t start = bench_now_ns();
	size_t count = 0;

	if (key == NULL)
		bench_die("OpenSSL cannot make a key");
	for (size_t i = 0; i < threads; i++) {
		signing[i].key = EVP_PKEY_dup(key);
		signing[i].until_ns = start + run_ns;
		if (pthread_create(&signing[i].thread, NULL, sign, &signing[i]) != 0)
			bench_die("cannot start a thread");
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(signing[i].thread, NULL);
		EVP_PKEY_free(signing[i].key);
		count += signing[i].count;
	}
	EVP_PKEY_free(key);
	return (double)count * 1e9 / (double)(bench_now_ns() - start);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "fdatasync") == 0)
		printf("{\"per_s\": %.2f}\n",
		       syncs_per_s(argv[2], bench_number(argv[3]) * 1000000));
	else if (argc == 3 && strcmp(argv[1], "rsa2048") == 0)
		printf("{\"per_s\": %.2f}\n", signatures_per_s(bench_number(argv[2]) * 1000000));
	else
		bench_die("usage: bench_limits fdatasync FOLDER MS | rsa2048 MS");
	return 0;
}
