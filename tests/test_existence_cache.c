/* What is remembered of patients' DMPs: for how long, of how many, and in which form. */
#include "sample.h"

#include "dispatch/existence_cache.h"

#define OID "1.2.250.1.213.1.4.10"
#define HOUR (3600 * 1000LL)

static const uint8_t secret[SHA256_BYTES] = { 1, 2, 3 };
static const struct existence_cache_settings usual = { .positive_ms = 24 * HOUR,
						       .negative_ms = 2 * HOUR,
						       .most = 3 };

static const char *patient(unsigned number)
{
	static char text[16];

	snprintf(text, sizeof(text), "%015u", number);
	return text;
}

static void assert_kept(struct existence_cache *cache, unsigned number, enum existence existence)
{
	assert_int_equal(existence_cache_find(cache, patient(number), OID, 0), existence);
}

static void what_was_put_is_found_until_it_is_too_old(void **state)
{
	static const struct {
		enum existence existence;
		int64_t until_ms;
	} rows[] = {
		{ EXISTENCE_ACTIVE, 24 * HOUR },
		{ EXISTENCE_ABSENT, 2 * HOUR },
		{ EXISTENCE_CLOSED, 2 * HOUR },
	};

	(void)state;
	for (size_t i = 0; i < length_of(rows); i++) {
		scoped(existence_cache_free) struct existence_cache *cache =
			existence_cache_new(&usual, secret);
		int64_t start = 5 * HOUR, end = start + rows[i].until_ms;

		assert_int_equal(existence_cache_find(cache, patient(1), OID, start),
				 EXISTENCE_UNKNOWN);
		existence_cache_put(cache, patient(1), OID, rows[i].existence, start);
		assert_int_equal(existence_cache_find(cache, patient(1), OID, start),
				 rows[i].existence);
		assert_int_equal(existence_cache_find(cache, patient(1), OID, end - 1),
				 rows[i].existence);
		assert_int_equal(existence_cache_find(cache, patient(1), OID, end),
				 EXISTENCE_UNKNOWN);
		assert_int_equal(existence_cache_count(cache), 0);
	}
}

static void looking_does_not_make_it_younger(void **state)
{
	scoped(existence_cache_free) struct existence_cache *cache =
		existence_cache_new(&usual, secret);

	(void)state;
	existence_cache_put(cache, patient(1), OID, EXISTENCE_ABSENT, 0);
	assert_int_equal(existence_cache_find(cache, patient(1), OID, HOUR), EXISTENCE_ABSENT);
	assert_int_equal(existence_cache_find(cache, patient(1), OID, 2 * HOUR), EXISTENCE_UNKNOWN);
}

/* By a message of the patient administration: it ages from when it was said, and the DMP knows better. */
static void what_somebody_else_says_is_believed_while_it_is_the_newest(void **state)
{
	scoped(existence_cache_free) struct existence_cache *cache =
		existence_cache_new(&usual, secret);

	(void)state;
	existence_cache_tell(cache, patient(1), OID, EXISTENCE_CLOSED, 5 * HOUR);
	assert_int_equal(existence_cache_find(cache, patient(1), OID, 7 * HOUR - 1),
			 EXISTENCE_CLOSED);
	existence_cache_tell(cache, patient(1), OID, EXISTENCE_ABSENT, 4 * HOUR); /* came late */
	assert_int_equal(existence_cache_find(cache, patient(1), OID, 6 * HOUR), EXISTENCE_CLOSED);
	existence_cache_tell(cache, patient(1), OID, EXISTENCE_ACTIVE, 6 * HOUR);
	assert_int_equal(existence_cache_find(cache, patient(1), OID, 6 * HOUR),
			 EXISTENCE_UNKNOWN); /* the DMP is asked */

	existence_cache_put(cache, patient(1), OID, EXISTENCE_ACTIVE, 6 * HOUR);
	existence_cache_tell(cache, patient(1), OID, EXISTENCE_CLOSED, 6 * HOUR - 1001);
	existence_cache_tell(cache, patient(1), OID, EXISTENCE_ACTIVE, 7 * HOUR);
	assert_int_equal(existence_cache_find(cache, patient(1), OID, 29 * HOUR),
			 EXISTENCE_ACTIVE); /* as long as the DMP's word is believed */
	existence_cache_tell(cache, patient(1), OID, EXISTENCE_CLOSED, 8 * HOUR);
	assert_int_equal(existence_cache_find(cache, patient(1), OID, 9 * HOUR), EXISTENCE_CLOSED);

	existence_cache_tell(cache, patient(2), OID, EXISTENCE_CLOSED, -100 * HOUR);
	assert_int_equal(existence_cache_find(cache, patient(2), OID, 0), EXISTENCE_UNKNOWN);
}

static void a_patient_is_a_number_in_a_domain(void **state)
{
	scoped(existence_cache_free) struct existence_cache *cache =
		existence_cache_new(&usual, secret);

	(void)state;
	existence_cache_put(cache, patient(1), OID, EXISTENCE_ACTIVE, 0);
	assert_int_equal(existence_cache_find(cache, patient(1), "1.2.250.1.213.1.4.8", 0),
			 EXISTENCE_UNKNOWN);
	assert_kept(cache, 2, EXISTENCE_UNKNOWN);
	assert_kept(cache, 1, EXISTENCE_ACTIVE);
}

static void the_last_word_counts(void **state)
{
	scoped(existence_cache_free) struct existence_cache *cache =
		existence_cache_new(&usual, secret);

	(void)state;
	existence_cache_put(cache, patient(1), OID, EXISTENCE_ACTIVE, 0);
	existence_cache_put(cache, patient(1), OID, EXISTENCE_CLOSED, 0);
	assert_kept(cache, 1, EXISTENCE_CLOSED);
	assert_int_equal(existence_cache_count(cache), 1);
	existence_cache_put(cache, patient(1), OID, EXISTENCE_UNKNOWN, 0);
	assert_kept(cache, 1, EXISTENCE_UNKNOWN);
	assert_int_equal(existence_cache_count(cache), 0);
}

static void the_one_not_used_for_longest_makes_room(void **state)
{
	scoped(existence_cache_free) struct existence_cache *cache =
		existence_cache_new(&usual, secret);

	(void)state;
	for (unsigned i = 1; i <= 3; i++)
		existence_cache_put(cache, patient(i), OID, EXISTENCE_ACTIVE, 0);
	assert_kept(cache, 1, EXISTENCE_ACTIVE);
	existence_cache_put(cache, patient(4), OID, EXISTENCE_ACTIVE, 0);
	assert_int_equal(existence_cache_count(cache), 3);
	assert_kept(cache, 2, EXISTENCE_UNKNOWN);
	assert_kept(cache, 1, EXISTENCE_ACTIVE);
	assert_kept(cache, 3, EXISTENCE_ACTIVE);
	assert_kept(cache, 4, EXISTENCE_ACTIVE);
}

static void nothing_is_kept_where_nothing_may_be(void **state)
{
	struct existence_cache_settings settings = usual;

	(void)state;
	settings.most = 0;
	scoped(existence_cache_free) struct existence_cache *none =
		existence_cache_new(&settings, secret);
	existence_cache_put(none, patient(1), OID, EXISTENCE_ACTIVE, 0);
	assert_kept(none, 1, EXISTENCE_UNKNOWN);

	settings = usual;
	settings.positive_ms = 0;
	scoped(existence_cache_free) struct existence_cache *negative =
		existence_cache_new(&settings, secret);
	existence_cache_put(negative, patient(1), OID, EXISTENCE_ACTIVE, 0);
	existence_cache_put(negative, patient(2), OID, EXISTENCE_ABSENT, 0);
	assert_kept(negative, 1, EXISTENCE_UNKNOWN);
	assert_kept(negative, 2, EXISTENCE_ABSENT);
}

/* Against a plain list of who was used last. */
static void a_long_life_keeps_exactly_the_latest(void **state)
{
	enum { MOST = 16, PATIENTS = 40, ROUNDS = 20000 };
	const struct existence_cache_settings settings = { HOUR, HOUR, MOST };
	scoped(existence_cache_free) struct existence_cache *cache =
		existence_cache_new(&settings, secret);
	unsigned list[MOST], n = 0, dice = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		unsigned who, at = 0;

		dice = dice * 1103515245 + 12345;
		who = (dice >> 16) % PATIENTS;
		while (at < n && list[at] != who)
			at++;
		assert_int_equal(existence_cache_find(cache, patient(who), OID, 0),
				 at < n ? EXISTENCE_ACTIVE : EXISTENCE_UNKNOWN);
		if (at < n) {
			memmove(&list[at], &list[at + 1], (n - at - 1) * sizeof(list[0]));
			n--;
			if (dice >> 30 == 0) { /* now and then it is forgotten */
				existence_cache_put(cache, patient(who), OID, EXISTENCE_UNKNOWN, 0);
				continue;
			}
		} else {
			existence_cache_put(cache, patient(who), OID, EXISTENCE_ACTIVE, 0);
			if (n == MOST)
				memmove(list, list + 1, --n * sizeof(list[0]));
		}
		list[n++] = who;
		assert_int_equal(existence_cache_count(cache), n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_until_it_is_too_old),
		cmocka_unit_test(looking_does_not_make_it_younger),
		cmocka_unit_test(what_somebody_else_says_is_believed_while_it_is_the_newest),
		cmocka_unit_test(a_patient_is_a_number_in_a_domain),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(the_one_not_used_for_longest_makes_room),
		cmocka_unit_test(nothing_is_kept_where_nothing_may_be),
		cmocka_unit_test(a_long_life_keeps_exactly_the_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
