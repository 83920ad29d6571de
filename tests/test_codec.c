/* Base64, digests and chance, against the answers that their standards give. */
#include "base/codec.h"

#include "sample.h"

static void base64_is_that_of_rfc_4648(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		/* section 10 */
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\373\377\277", "+/+/" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf text = { 0 }, bytes = { 0 };
		struct err err = { 0 };

		base64_encode(slice_of(cases[i].bytes), &text);
		assert_true(slice_is(buf_slice(&text), cases[i].text));
		assert_int_equal(base64_decode(buf_slice(&text), &bytes, &err), 0);
		assert_true(slice_is(buf_slice(&bytes), cases[i].bytes));
	}
}

static void blanks_are_skipped_and_padding_restored(void **state)
{
	static const char *const texts[] = {
		"Zm9vYg==", "Zm9vYg=",   "Zm9vYg",       "Zm9v\r\nYg==",     " Zm9vYg==\n",
		"Z m9vYg=", "Zm9vYg= =", "\tZm9vYg==\t", "Z\nm\n9\nv\nY\ng",
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		scoped(buf_done) struct buf bytes = { 0 };
		struct err err = { 0 };

		assert_int_equal(base64_decode(slice_of(texts[i]), &bytes, &err), 0);
		assert_slice(buf_slice(&bytes), "foob");
	}
}

static void what_is_not_base64_is_refused_and_appends_nothing(void **state)
{
	static const char *const texts[] = {
		"Z",          "Zm9vY",   "=",        "==",       "Zg===",
		"Zm9v=",      "Zm9v==",  "Zm9v====", "Zg==Zg==", "Z=g=",
		"Zm9v-_-_",   "Zm9-",    "Zm9vYg-",  "Zm9v\vYg", "Zm9v\302\240Yg",
		"Zm9vYg\351", "Zm9v.Yg", "<xml/>",
	};

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		scoped(buf_done) struct buf bytes = { 0 };
		struct err err = { 0 };

		buf_add_text(&bytes, "before");
		if (base64_decode(slice_of(texts[i]), &bytes, &err) == 0)
			fail_msg("\"%s\" was read", texts[i]);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, REASON_DATA_TYPE);
		assert_slice(buf_slice(&bytes), "before");
		assert_string_equal(bytes.p, "before");
	}
}

static bool looks_whole(struct slice text, size_t piece)
{
	struct base64_seen seen = { 0 };

	for (; text.n > piece; text = slice_from(text, piece))
		base64_look(&seen, (struct slice){ text.p, piece });
	base64_look(&seen, text);
	return base64_is_whole(&seen);
}

/* In pieces of any size; and every byte, at every place of two groups of eight. */
static void what_is_looked_at_is_judged_as_what_is_decoded(void **state)
{
	static const char *const texts[] = {
		"Zm9vYg==",
		"Zm9vYg=",
		"Zm9vYg",
		"Zm9v\r\nYg==",
		" Zm9vYg==\n",
		"Z m9vYg=",
		"Zm9vYg= =",
		"\tZm9vYg==\t",
		"Z\nm\n9\nv\nY\ng",
		"+/+/Zm9vYmFyZm9vYmFy",
		"Z",
		"Zm9vY",
		"=",
		"==",
		"Zg===",
		"Zm9v=",
		"Zm9v==",
		"Zm9v====",
		"Zg==Zg==",
		"Z=g=",
		"Zm9v-_-_",
		"Zm9-",
		"Zm9vYg-",
		"Zm9v\vYg",
		"Zm9v\302\240Yg",
	};
	char text[] = "Zm9vYmFyZm9vYmFy";

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++)
		for (size_t piece = 1; piece <= strlen(texts[i]); piece++) {
			scoped(buf_done) struct buf bytes = { 0 };
			struct err err;

			assert_int_equal(looks_whole(slice_of(texts[i]), piece),
					 base64_decode(slice_of(texts[i]), &bytes, &err) == 0);
		}
	for (size_t i = 0; i < strlen(text); i++)
		for (int byte = 0; byte < 256; byte++) {
			scoped(buf_done) struct buf bytes = { 0 };
			const char kept = text[i];
			const struct slice all = { text, sizeof(text) - 1 };
			struct err err;

			text[i] = (char)byte;
			assert_int_equal(looks_whole(all, sizeof(text)),
					 base64_decode(all, &bytes, &err) == 0);
			text[i] = kept;
		}
	assert_false(looks_whole(slice_of(""), 1)); /* decoded it is empty, and says nothing */
	assert_false(looks_whole(slice_of(" \n"), 1));
}

static void nul_is_not_base64(void **state)
{
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(base64_decode(bytes_of("Zm9v\0"), &bytes, &err), -1);
	assert_int_equal(base64_decode(bytes_of("Zm9\0"), &bytes, &err), -1);
}

/* Each place of two groups, each byte in it: what OpenSSL does not read, we do not. */
static void no_byte_passes_that_is_no_base64(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	char text[] = "Zm9vYmFy";

	(void)state;
	for (size_t place = 0; place < 8; place++) {
		for (int byte = 0; byte < 256; byte++) {
			scoped(buf_done) struct buf bytes = { 0 }, again = { 0 };
			bool is_letter = byte != 0 && strchr(alphabet, byte) != NULL;
			bool may_stand = is_letter || byte == ' ' || byte == '\t' || byte == '\r' ||
					 byte == '\n' || (byte == '=' && place == 7);
			char kept = text[place];
			struct err err = { 0 };

			text[place] = (char)byte;
			assert_int_equal(base64_decode((struct slice){ text, 8 }, &bytes, &err),
					 may_stand ? 0 : -1);
			base64_encode(buf_slice(&bytes), &again);
			if (is_letter)
				assert_string_equal(again.p, text);
			text[place] = kept;
		}
	}
}

static void any_length_survives_the_round_trip(void **state)
{
	static const size_t middles[] = { 0, 3072, 6144, 100000 };

	(void)state;
	for (size_t i = 0; i < length_of(middles); i++) {
		for (size_t n = max(middles[i], (size_t)4) - 4; n < middles[i] + 5; n++) {
			scoped(buf_done) struct buf bytes = { 0 }, text = { 0 }, again = { 0 };
			struct err err = { 0 };

			for (size_t j = 0; j < n; j++)
				buf_add_char(&bytes, (char)(j * 7 + j / 256));
			buf_add_text(&text, "<");
			base64_encode(buf_slice(&bytes), &text);
			assert_int_equal(text.n, 1 + (n + 2) / 3 * 4);
			assert_int_equal(strlen(text.p), text.n);
			while (text.p[text.n - 1] == '=') /* the document's last line, cut */
				text.n--;
			assert_int_equal(
				base64_decode(slice_from(buf_slice(&text), 1), &again, &err), 0);
			assert_true(slice_equal(buf_slice(&bytes), buf_slice(&again)));
		}
	}
}

static void decoding_appends_and_obeys_the_limit(void **state)
{
	scoped(buf_done) struct buf bytes = { 0 }, small = { .limit = 5 };
	struct err err = { 0 };

	(void)state;
	buf_add_text(&bytes, "a");
	assert_int_equal(base64_decode(slice_of("Zm9v"), &bytes, &err), 0);
	assert_slice(buf_slice(&bytes), "afoo");
	assert_int_equal(base64_decode(slice_of("Zm9vYmFy"), &small, &err), -1);
	assert_int_equal(err.reason, REASON_TOO_LARGE);
}

static void sha_1_gives_the_known_answers(void **state)
{
	static const struct {
		const char *text, *digest;
	} cases[] = {
		/* RFC 3174, 7.3 */
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		uint8_t digest[SHA1_BYTES];
		char text[2 * SHA1_BYTES + 1];

		sha1(slice_of(cases[i].text), digest);
		assert_string_equal(hex(digest, sizeof(digest), text), cases[i].digest);
	}
}

static void sha_256_gives_the_known_answers(void **state)
{
	static const struct {
		const char *text, *digest;
	} cases[] = {
		/* RFC 6234, 8.5 */
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		uint8_t digest[SHA256_BYTES];
		char text[2 * SHA256_BYTES + 1];

		sha256(slice_of(cases[i].text), digest);
		assert_string_equal(hex(digest, sizeof(digest), text), cases[i].digest);
	}
}

static void sha_of_a_million_letters_is_known_too(void **state)
{
	scoped(buf_done) struct buf letters = { 0 };
	uint8_t digest[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];

	(void)state;
	for (int i = 0; i < 1000000; i++)
		buf_add_char(&letters, 'a');
	sha1(buf_slice(&letters), digest);
	assert_string_equal(hex(digest, SHA1_BYTES, text),
			    "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	sha256(buf_slice(&letters), digest);
	assert_string_equal(hex(digest, SHA256_BYTES, text),
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hex_is_lower_case_two_digits_a_byte(void **state)
{
	char text[9];

	(void)state;
	assert_string_equal(hex((const uint8_t *)"\x00\x0f\xa0\xff", 4, text), "000fa0ff");
	assert_string_equal(hex((const uint8_t *)"", 0, text), "");
}

static void uuids_have_their_form_and_differ(void **state)
{
	char one[UUID_TEXT], two[UUID_TEXT];

	(void)state;
	for (int round = 0; round < 100; round++) {
		uuid_new(one);
		assert_int_equal(strlen(one), UUID_TEXT - 1);
		assert_int_equal(strspn(one, "0123456789abcdef-"), UUID_TEXT - 1);
		assert_true(one[8] == '-' && one[13] == '-' && one[18] == '-' && one[23] == '-');
		assert_int_equal(one[14], '4');
		assert_non_null(strchr("89ab", one[19]));
		assert_string_not_equal(one, uuid_new(two));
	}
}

static void chance_fills_every_byte(void **state)
{
	uint8_t bytes[32] = { 0 }, any[32] = { 0 };
	bool differs = false;

	(void)state;
	for (int round = 0; round < 100; round++) {
		random_bytes(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
			any[i] |= bytes[i];
		differs = differs || random_u32() != random_u32();
	}
	for (size_t i = 0; i < sizeof(any); i++)
		assert_int_not_equal(any[i], 0);
	assert_true(differs);
}

static void a_digest_may_come_piece_by_piece(void **state)
{
	static const char text[] = "what is digested, in one piece or in many";
	static const struct {
		enum digest_kind kind;
		size_t bytes;
	} kinds[] = { { DIGEST_SHA1, SHA1_BYTES }, { DIGEST_SHA256, SHA256_BYTES } };
	uint8_t whole[DIGEST_MOST], pieces[DIGEST_MOST];

	(void)state;
	for (size_t i = 0; i < length_of(kinds); i++) {
		struct digest *digest = digest_new(kinds[i].kind);

		for (size_t j = 0; j < strlen(text); j++)
			digest_add(digest, (struct slice){ text + j, 1 });
		assert_int_equal(digest_end(&digest, pieces), kinds[i].bytes);
		assert_null(digest);
		assert_int_equal(digest_once(kinds[i].kind, slice_of(text), whole), kinds[i].bytes);
		assert_memory_equal(whole, pieces, kinds[i].bytes);
	}
}

static void text_may_be_decoded_in_its_place(void **state)
{
	static const char *const texts[] = { "",           "Zg==",         "Zm9vYg",
					     "Zm9vYmFy",   "Zm9v\r\nYmFy", " Z m9vYg= =",
					     "Zm9vYmFyZg", "Zm9v-_-_",     "Zg===" };

	(void)state;
	for (size_t i = 0; i < length_of(texts); i++) {
		scoped(free_ptr) char *text = xstrdup(texts[i]);
		scoped(buf_done) struct buf apart = { 0 };
		struct err err = { 0 }, same = { 0 };
		size_t n = 0;
		int result = base64_decode(slice_of(texts[i]), &apart, &err);

		assert_int_equal(base64_decode_in_place(text, strlen(texts[i]), &n, &same), result);
		assert_string_equal(same.text, err.text);
		if (result == 0)
			assert_true(slice_equal((struct slice){ text, n }, buf_slice(&apart)));
	}
}

static void a_group_may_be_cut_anywhere(void **state)
{
	static const char *const cuts[] = { " ", "\t", "\r\n", "    ", " \n \n " };
	const struct slice whole = slice_of("Zm9vYmFyIGZvbyBiYXIgZm9vIGI=");

	(void)state;
	for (size_t at = 0; at <= whole.n; at++) {
		for (size_t i = 0; i < length_of(cuts); i++) {
			scoped(buf_done) struct buf text = { 0 }, apart = { 0 };
			struct err err = { 0 };
			size_t n;

			buf_add(&text, (struct slice){ whole.p, at });
			buf_add_text(&text, cuts[i]);
			buf_add(&text, slice_from(whole, at));
			assert_int_equal(base64_decode(buf_slice(&text), &apart, &err), 0);
			assert_slice(buf_slice(&apart), "foobar foo bar foo b");
			assert_int_equal(base64_decode_in_place(text.p, text.n, &n, &err), 0);
			text.n = n;
			assert_slice(buf_slice(&text), "foobar foo bar foo b");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_may_be_cut_anywhere),
		cmocka_unit_test(text_may_be_decoded_in_its_place),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
		cmocka_unit_test(blanks_are_skipped_and_padding_restored),
		cmocka_unit_test(what_is_not_base64_is_refused_and_appends_nothing),
		cmocka_unit_test(what_is_looked_at_is_judged_as_what_is_decoded),
		cmocka_unit_test(nul_is_not_base64),
		cmocka_unit_test(no_byte_passes_that_is_no_base64),
		cmocka_unit_test(any_length_survives_the_round_trip),
		cmocka_unit_test(decoding_appends_and_obeys_the_limit),
		cmocka_unit_test(sha_1_gives_the_known_answers),
		cmocka_unit_test(sha_256_gives_the_known_answers),
		cmocka_unit_test(sha_of_a_million_letters_is_known_too),
		cmocka_unit_test(a_digest_may_come_piece_by_piece),
		cmocka_unit_test(hex_is_lower_case_two_digits_a_byte),
		cmocka_unit_test(uuids_have_their_form_and_differ),
		cmocka_unit_test(chance_fills_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
