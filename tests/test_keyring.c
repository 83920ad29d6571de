/* The keys of what is kept: how they are read, and that nothing opens but with the right one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/codec.h"
#include "queue/keyring.h"

#define HEX_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64_KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER_KEY "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static struct keyring *ring(const char *text)
{
	struct keyring *keyring = NULL;
	struct err err = { 0 };

	if (keyring_read(&keyring, slice_of(text), &err) < 0)
		fail_msg("%s", err.text);
	return keyring;
}

static void a_key_is_the_same_in_hex_and_in_base64(void **state)
{
	scoped(keyring_free) struct keyring *one = ring(HEX_KEY "\n");
	scoped(keyring_free) struct keyring *other = ring("# the key of 2026\r\n\r\n" BASE64_KEY);

	(void)state;
	assert_int_equal(keyring_count(one), 1);
	assert_string_equal(keyring_id(one, 0), keyring_id(other, 0));
	assert_int_equal(strlen(keyring_id(one, 0)), KEY_ID_TEXT - 1);
}

static void what_is_no_key_is_refused_without_being_quoted(void **state)
{
	static const char *const texts[] = {
		"",           "# nothing\n",          "secret",
		HEX_KEY "00", HEX_KEY "\nzz" HEX_KEY, "AAECAwQFBgcICQoLDA0ODw=="
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		struct keyring *keyring = NULL;
		struct err err = { 0 };

		assert_int_equal(keyring_read(&keyring, slice_of(texts[i]), &err), -1);
		assert_int_equal(err.kind, ERR_HALT);
		assert_null(strstr(err.text, "secret"));
		assert_null(strstr(err.text, "0001"));
	}
}

static void the_newest_key_seals_and_each_opens_its_own(void **state)
{
	scoped(keyring_free) struct keyring *old = ring(HEX_KEY),
					    *both = ring(OTHER_KEY "\n" HEX_KEY);
	scoped(buf_done) struct buf sealed = { 0 }, again = { 0 }, out = { 0 };
	struct slice about = slice_of("doc"), plain = slice_of("a letter");
	struct err err = { 0 };

	(void)state;
	keyring_seal(old, about, plain, &sealed);
	assert_int_equal(keyring_open(both, 1, about, buf_slice(&sealed), &out, &err), 0);
	assert_true(slice_equal(buf_slice(&out), plain));
	keyring_seal(both, about, plain, &again);
	assert_int_equal(keyring_open(old, 0, about, buf_slice(&again), &out, &err), -1);
	assert_int_equal(err.kind, ERR_HALT);
	assert_non_null(strstr(err.text, keyring_id(old, 0)));
}

static void nothing_altered_cut_or_put_elsewhere_opens(void **state)
{
	scoped(keyring_free) struct keyring *keyring = ring(HEX_KEY);
	scoped(buf_done) struct buf sealed = { 0 }, out = { 0 };
	struct slice about = slice_of("doc"), whole;
	struct err err = { 0 };

	(void)state;
	keyring_seal(keyring, about, slice_of("a letter"), &sealed);
	whole = buf_slice(&sealed);
	assert_int_equal(keyring_open(keyring, 0, slice_of("dod"), whole, &out, &err), -1);
	for (size_t n = 0; n < whole.n; n++) {
		const struct slice cut = { whole.p, n };

		assert_int_equal(keyring_open(keyring, 0, about, cut, &out, &err), -1);
		sealed.p[n] ^= 1;
		assert_int_equal(keyring_open(keyring, 0, about, whole, &out, &err), -1);
		sealed.p[n] ^= 1;
	}
	assert_int_equal(out.n, 0);
	assert_int_equal(keyring_open(keyring, 0, about, whole, &out, &err), 0);
}

static void the_same_twice_does_not_look_the_same(void **state)
{
	scoped(keyring_free) struct keyring *keyring = ring(HEX_KEY);
	scoped(buf_done) struct buf one = { 0 }, other = { 0 };

	(void)state;
	keyring_seal(keyring, slice_of("doc"), slice_of("a letter"), &one);
	keyring_seal(keyring, slice_of("doc"), slice_of("a letter"), &other);
	assert_false(slice_equal(buf_slice(&one), buf_slice(&other)));
}

/* Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation". */
static void it_is_the_aes_gcm_of_everybody(void **state)
{
	scoped(buf_done) struct buf key = { 0 }, sealed = { 0 }, about = { 0 }, out = { 0 },
				    plain = { 0 };

	(void)state;
	assert_true(hex_decode(
		slice_of("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
		&key));
	assert_true(hex_decode(slice_of("feedfacedeadbeeffeedfacedeadbeefabaddad2"), &about));
	assert_true(hex_decode(
		slice_of("cafebabefacedbaddecaf888"
			 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
			 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
			 "76fc6ece0f4e1768cddf8853bb2d551b"),
		&sealed));
	assert_true(hex_decode(
		slice_of("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
			 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
		&plain));
	assert_true(aes256_gcm_open((const uint8_t *)key.p, buf_slice(&about), buf_slice(&sealed),
				    &out));
	assert_true(slice_equal(buf_slice(&out), buf_slice(&plain)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_the_same_in_hex_and_in_base64),
		cmocka_unit_test(what_is_no_key_is_refused_without_being_quoted),
		cmocka_unit_test(the_newest_key_seals_and_each_opens_its_own),
		cmocka_unit_test(nothing_altered_cut_or_put_elsewhere_opens),
		cmocka_unit_test(the_same_twice_does_not_look_the_same),
		cmocka_unit_test(it_is_the_aes_gcm_of_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
