/* MLLP framing, however the bytes arrive. */
#include "hl7/mllp.h"

#include "sample.h"

static const char *const samples[] = {
	"hl7/mdm_new.hl7",       "hl7/mdm_new_2.0.hl7",  "hl7/mdm_replace.hl7",
	"hl7/mdm_delete.hl7",    "hl7/oru_new.hl7",      "hl7/mdm_lps.hl7",
	"hl7/adt_admission.hl7", "hl7/ack_business.hl7", "hl7/zam_refused.hl7",
};

static void frame_is_taken_whole(void **state)
{
	const struct slice whole = slice_of("\vMSH|^~\\&|\r\034\r");
	struct slice payload = { 0 };
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	assert_int_equal(mllp_next(whole, &seen, &payload, &err), whole.n);
	assert_slice(payload, "MSH|^~\\&|\r");
}

static void frame_may_arrive_one_byte_at_a_time(void **state)
{
	const struct slice whole = slice_of("\vMSH|^~\\&|\r\034\r");
	struct slice payload;
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	for (size_t n = 0; n < whole.n; n++)
		assert_int_equal(mllp_next((struct slice){ whole.p, n }, &seen, &payload, &err), 0);
	assert_int_equal(mllp_next(whole, &seen, &payload, &err), whole.n);
}

static void assert_framed_in_two_reads(struct slice frame, size_t first)
{
	struct slice payload = { 0 };
	struct err err = { 0 };
	size_t seen = 0;

	assert_int_equal(mllp_next((struct slice){ frame.p, first }, &seen, &payload, &err), 0);
	assert_true(seen <= first);
	assert_int_equal(mllp_next(frame, &seen, &payload, &err), frame.n);
	assert_ptr_equal(payload.p, frame.p + 1);
	assert_int_equal(payload.n, frame.n - 3);
	assert_int_equal(seen, 0);
}

static void every_message_may_be_split_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < length_of(samples); i++) {
		scoped(buf_done) struct buf message = { 0 }, frame = { 0 };

		sample_read(samples[i], &message);
		mllp_wrap(buf_slice(&message), &frame);
		for (size_t first = 0; first < frame.n; first++)
			assert_framed_in_two_reads(buf_slice(&frame), first);
	}
}

static void frames_follow_each_other(void **state)
{
	const struct slice both = slice_of("\vone\034\r\vtwo\034\r");
	struct slice payload = { 0 };
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	assert_int_equal(mllp_next(both, &seen, &payload, &err), 6);
	assert_slice(payload, "one");
	assert_int_equal(mllp_next(slice_from(both, 6), &seen, &payload, &err), 6);
	assert_slice(payload, "two");
}

static void frame_may_be_empty(void **state)
{
	struct slice payload = { "x", 1 };
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	assert_int_equal(mllp_next(slice_of("\v\034\r"), &seen, &payload, &err), 3);
	assert_int_equal(payload.n, 0);
}

static void payload_may_hold_nul(void **state)
{
	struct slice payload = { 0 };
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	assert_int_equal(mllp_next(bytes_of("\va\0b\034\r"), &seen, &payload, &err), 6);
	assert_slice(payload, "a\0b");
}

static void what_was_seen_is_not_looked_at_again(void **state)
{
	struct slice payload = { 0 };
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	assert_int_equal(mllp_next(slice_of("\vabcdef"), &seen, &payload, &err), 0);
	assert_int_equal(seen, 7);
	/* a frame that would end within the bytes already seen does not end there */
	assert_int_equal(mllp_next(slice_of("\va\034\rdefgh"), &seen, &payload, &err), 0);
	assert_int_equal(seen, 9);
}

/* Every prefix of these is incomplete until the byte that breaks it. */
static void what_is_not_mllp_is_refused_at_its_byte(void **state)
{
	static const char *const broken[] = {
		"x",           /* a frame begins with VT */
		"\r",          /* stray bytes are the caller's to drop */
		"\va\v",       /* a frame inside a frame */
		"\v\v",        /* the same, at once */
		"\va\034\n",   /* FS LF */
		"\va\034\034", /* FS FS */
		"\va\034\v",   /* the next frame without the CR of this one */
	};

	(void)state;
	for (size_t i = 0; i < length_of(broken); i++) {
		struct slice whole = slice_of(broken[i]), payload;
		struct err err = { 0 };
		size_t seen = 0;

		for (size_t n = 0; n < whole.n; n++)
			assert_int_equal(
				mllp_next((struct slice){ whole.p, n }, &seen, &payload, &err), 0);
		assert_int_equal(mllp_next(whole, &seen, &payload, &err), -1);
		assert_int_equal(err.kind, ERR_REJECT);
		assert_int_equal(err.reason, REASON_MESSAGE_INVALID);
	}
}

static void vt_after_the_frame_belongs_to_the_next_one(void **state)
{
	struct slice payload = { 0 };
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	assert_int_equal(mllp_next(slice_of("\va\034\r\v\v"), &seen, &payload, &err), 4);
}

static void stray_bytes_reach_to_the_next_vt(void **state)
{
	(void)state;
	assert_int_equal(mllp_stray(slice_of("")), 0);
	assert_int_equal(mllp_stray((struct slice){ NULL, 0 }), 0);
	assert_int_equal(mllp_stray(slice_of("\va")), 0);
	assert_int_equal(mllp_stray(slice_of("\r\n\va")), 2);
	assert_int_equal(mllp_stray(slice_of("no frame")), 8);
}

static void wrapping_and_reading_give_the_payload_back(void **state)
{
	scoped(buf_done) struct buf frame = { 0 };
	struct slice payload = { 0 };
	struct err err = { 0 };
	size_t seen = 0;

	(void)state;
	mllp_wrap(slice_of("MSA|AA|1\r"), &frame);
	assert_slice(buf_slice(&frame), "\vMSA|AA|1\r\034\r");
	assert_int_equal(mllp_next(buf_slice(&frame), &seen, &payload, &err), frame.n);
	assert_slice(payload, "MSA|AA|1\r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_is_taken_whole),
		cmocka_unit_test(frame_may_arrive_one_byte_at_a_time),
		cmocka_unit_test(every_message_may_be_split_at_every_byte),
		cmocka_unit_test(frames_follow_each_other),
		cmocka_unit_test(frame_may_be_empty),
		cmocka_unit_test(payload_may_hold_nul),
		cmocka_unit_test(what_was_seen_is_not_looked_at_again),
		cmocka_unit_test(what_is_not_mllp_is_refused_at_its_byte),
		cmocka_unit_test(vt_after_the_frame_belongs_to_the_next_one),
		cmocka_unit_test(stray_bytes_reach_to_the_next_vt),
		cmocka_unit_test(wrapping_and_reading_give_the_payload_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
