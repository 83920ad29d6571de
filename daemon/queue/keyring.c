/* The keys that bodies are encrypted with. Any thread. */
#include "queue/keyring.h"

#include <errno.h>
#include <stdio.h>

#include "base/codec.h"

enum { MOST_FILE = 4096 };

struct keyring {
	struct {
		uint8_t bytes[AES256_BYTES];
		char id[KEY_ID_TEXT];
	} keys[KEYRING_MOST];
	size_t count;
};

/* A digest of the key under a name of its own tells nothing of the key. */
static void name_key(struct keyring *keyring, size_t i)
{
	static const char purpose[] = "dmpfeed key id:";
	uint8_t text[sizeof(purpose) - 1 + AES256_BYTES], digest[SHA256_BYTES];

	memcpy(text, purpose, sizeof(purpose) - 1);
	memcpy(text + sizeof(purpose) - 1, keyring->keys[i].bytes, AES256_BYTES);
	sha256((struct slice){ (const char *)text, sizeof(text) }, digest);
	hex(digest, KEY_ID_TEXT / 2, keyring->keys[i].id);
	explicit_bzero(text, sizeof(text));
}

static int add_key(struct keyring *keyring, struct slice line)
{
	scoped(buf_done) struct buf bytes = { 0 };
	struct err ignored = { 0 };
	bool is_key;

	if (keyring->count == KEYRING_MOST)
		return -1;
	if (line.n == (size_t)AES256_BYTES * 2)
		is_key = hex_decode(line, &bytes);
	else
		is_key = base64_decode(line, &bytes, &ignored) == 0;
	is_key = is_key && bytes.n == AES256_BYTES;
	if (is_key) {
		memcpy(keyring->keys[keyring->count].bytes, bytes.p, AES256_BYTES);
		name_key(keyring, keyring->count++);
	}
	if (bytes.p != NULL)
		explicit_bzero(bytes.p, bytes.n);
	return is_key ? 0 : -1;
}

int keyring_read(struct keyring **ret_keyring, struct slice text, struct err *err)
{
	scoped(keyring_free) struct keyring *keyring = xcalloc(1, sizeof(*keyring));
	struct slice line;

	for (unsigned number = 1; slice_next(&text, '\n', &line); number++) {
		line = slice_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (add_key(keyring, line) < 0)
			return err_set(err, ERR_HALT,
				       "line %u is no key: 32 bytes in hex or Base64, %d lines at "
				       "most (openssl rand -hex 32)",
				       number, KEYRING_MOST);
	}
	if (keyring->count == 0)
		return err_set(err, ERR_HALT, "there is no key in it (openssl rand -hex 32)");
	*ret_keyring = take(keyring);
	return 0;
}

int keyring_load(struct keyring **ret_keyring, const char *file, struct err *err)
{
	char text[MOST_FILE];
	FILE *stream = fopen(file, "re");
	size_t n;
	int rc;

	if (stream == NULL)
		return err_set(err, ERR_HALT, "cannot read it: %s", strerrordesc_np(errno));
	setvbuf(stream, NULL, _IONBF, 0); /* no copy of a key stays behind */
	n = fread(text, 1, sizeof(text), stream);
	fclose(stream);
	rc = n == sizeof(text) ? err_set(err, ERR_HALT, "it is longer than a file of keys")
			       : keyring_read(ret_keyring, (struct slice){ text, n }, err);
	explicit_bzero(text, sizeof(text));
	return rc;
}

void keyring_free(struct keyring **keyring)
{
	if (*keyring != NULL)
		explicit_bzero(*keyring, sizeof(**keyring));
	free_ptr(keyring);
}

size_t keyring_count(const struct keyring *keyring)
{
	return keyring ? keyring->count : 0;
}

const char *keyring_id(const struct keyring *keyring, size_t i)
{
	return keyring->keys[i].id;
}

void keyring_seal(const struct keyring *keyring, struct slice about, struct slice plain,
		  struct buf *out)
{
	aes256_gcm_seal(keyring->keys[0].bytes, about, plain, out);
}

int keyring_open(const struct keyring *keyring, size_t i, struct slice about, struct slice sealed,
		 struct buf *out, struct err *err)
{
	if (aes256_gcm_open(keyring->keys[i].bytes, about, sealed, out))
		return 0;
	return err_set(err, ERR_HALT, "it is damaged in the store: key %s does not open it",
		       keyring->keys[i].id);
}
