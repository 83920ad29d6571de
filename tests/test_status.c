/* What the gateway tells of itself: the members of GET /api/v1/status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "status/status.h"

enum { NOON_S = 1795262400 }; /* 2026-11-21T12:00:00Z */
#define NOON_MS ((int64_t)NOON_S * 1000)

static json_t *written(const struct status *status)
{
	scoped(buf_done) struct buf out = { 0 };
	json_error_t error;
	json_t *json;

	status_write(status, &out);
	assert_int_equal(out.n, strlen(out.p));
	assert_null(strchr(out.p, '\n'));
	json = json_loads(out.p, 0, &error);
	assert_non_null(json);
	return json;
}

static void assert_written(const struct status *status, const char *expected)
{
	json_t *json = written(status);
	char *text = json_dumps(json, JSON_COMPACT);

	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static const char *text_of(json_t *json, const char *list, const char *member)
{
	json_t *first = json_array_get(json_object_get(json, list), 0);

	return json_string_value(json_object_get(first, member));
}

static void an_idle_gateway_has_every_member(void **state)
{
	const struct status status = { .version = "1.2.3", .environment = "test" };

	(void)state;
	assert_written(
		&status,
		"{\"version\":\"1.2.3\",\"environment\":\"test\",\"uptime_s\":0,"
		"\"now\":null,\"ready\":true,\"not_ready\":null,\"queue\":{},"
		"\"oldest_queued_s\":null,\"last_delivered\":null,"
		"\"invisible_too_long\":0,"
		"\"identities\":0,\"identities_ignored\":0,\"identities_unusable\":"
		"0,\"answers\":0,\"not_asked\":0,\"lanes\":[],"
		"\"listeners\":[],\"folders\":[],\"sources\":[],\"audit\":null,\"sites\":[]}");
}

static void a_busy_gateway_tells_all_it_knows(void **state)
{
	static const struct status_depth depths[] = { { "queued", 3 },
						      { "delivered", 10000000000 } };
	static const struct status_lane lanes[] = {
		{ .name = "010000000",
		  .state = "slowed",
		  .since_ms = NOON_MS - 60000,
		  .why = "the DMP does not answer",
		  .why_french = "le DMP ne répond pas",
		  .in_flight = 8,
		  .delivered = 41,
		  .resumes_ms = NOON_MS + 30000,
		  .last_delivered_ms = NOON_MS - 1 },
	};
	static const struct status_listener listeners[] = {
		{ .name = "ehr",
		  .address = "127.0.0.1:2575",
		  .tls = true,
		  .connections = 2,
		  .in_flight_bytes = 4096,
		  .messages = 7,
		  .broken_frames = 1,
		  .stray_bytes = 12,
		  .refused_connections = 3,
		  .refused_peers = 4,
		  .failed_handshakes = 5,
		  .last_message_ms = NOON_MS },
	};
	static const struct status_folder folders[] = {
		{ .name = "lis",
		  .path = "/srv/drop",
		  .trouble = "",
		  .waiting = 4,
		  .taken = 5,
		  .rejected = 6 },
	};
	static const struct status_collector collector = {
		"10.1.2.4:6514", "open", "", true, 3, 1200, 2, 0, NOON_MS
	};
	static const struct status_source sources[] = {
		{ .name = "DPI",
		  .address = "10.1.2.3:2576",
		  .state = "slowed",
		  .why = "Connection refused",
		  .waiting = 8,
		  .told = 9,
		  .refused = 1,
		  .failed = 2,
		  .oldest_ms = NOON_MS - 3600000,
		  .resumes_ms = NOON_MS + 30000,
		  .last_told_ms = NOON_MS - 7200000 },
	};
	const struct status status = { .version = "1",
				       .environment = "production",
				       .now_ms = NOON_MS,
				       .started_ms = NOON_MS - 90500,
				       .lanes = lanes,
				       .lane_count = 1,
				       .listeners = listeners,
				       .listener_count = 1,
				       .folders = folders,
				       .folder_count = 1,
				       .collector = &collector,
				       .sources = sources,
				       .source_count = 1,
				       .depths = depths,
				       .depth_count = 2,
				       .oldest_queued_ms = NOON_MS - 3600000,
				       .last_delivered_ms = NOON_MS - 1,
				       .invisible_too_long = 4,
				       .identities = 21,
				       .identities_ignored = 5,
				       .identities_unusable = 6,
				       .answers = 22,
				       .not_asked = 23,
				       .not_ready = "the disk is full" };

	(void)state;
	assert_written(
		&status,
		"{\"version\":\"1\",\"environment\":\"production\",\"uptime_s\":90,"
		"\"now\":\"2026-11-21T12:00:00.000Z\",\"ready\":false,"
		"\"not_ready\":\"the disk is full\","
		"\"queue\":{\"queued\":3,\"delivered\":10000000000},\"oldest_queued_s\":3600,"
		"\"last_delivered\":\"2026-11-21T11:59:59.999Z\",\"invisible_too_long\":4,"
		"\"identities\":21,\"identities_ignored\":5,\"identities_unusable\":6,\"answers\":"
		"22,\"not_asked\":23,"
		"\"lanes\":[{\"name\":\"010000000\",\"state\":\"slowed\","
		"\"since\":\"2026-11-21T11:59:00.000Z\","
		"\"why\":\"the DMP does not answer\",\"sentence\":{"
		"\"en\":\"the DMP does not answer\",\"fr\":\"le DMP ne répond "
		"pas\"},\"in_flight\":8,\"delivered\":41,"
		"\"resumes\":\"2026-11-21T12:00:30.000Z\","
		"\"last_delivered\":\"2026-11-21T11:59:59.999Z\"}],"
		"\"listeners\":[{\"name\":\"ehr\",\"address\":\"127.0.0.1:2575\","
		"\"tls\":true,\"connections\":2,\"in_flight_bytes\":4096,\"messages\":7,"
		"\"broken_frames\":1,\"stray_bytes\":12,\"refused_connections\":3,"
		"\"refused_peers\":4,\"failed_handshakes\":5,"
		"\"last_message\":\"2026-11-21T12:00:00.000Z\"}],"
		"\"folders\":[{\"name\":\"lis\",\"path\":\"/srv/drop\",\"trouble\":null,"
		"\"waiting\":4,\"taken\":5,\"rejected\":6,\"last_file\":null}],"
		"\"sources\":[{\"name\":\"DPI\",\"address\":\"10.1.2.3:2576\","
		"\"state\":\"slowed\",\"why\":\"Connection refused\",\"connected\":false,"
		"\"waiting\":8,\"oldest\":\"2026-11-21T11:00:00.000Z\",\"told\":9,"
		"\"refused\":1,\"failed\":2,\"resumes\":\"2026-11-21T12:00:30.000Z\","
		"\"last_told\":\"2026-11-21T10:00:00.000Z\"}],"
		"\"audit\":{\"address\":\"10.1.2.4:6514\",\"state\":\"open\",\"why\":null,"
		"\"connected\":true,\"waiting\":3,\"forwarded\":1200,\"failed\":2,"
		"\"resumes\":null,\"last_forwarded\":\"2026-11-21T12:00:00.000Z\"},"
		"\"sites\":[]}");
}

static void sites_tell_their_last_delivery(void **state)
{
	static const struct status_site sites[] = { { "990000987", "CH", true, 0 },
						    { "990000001", "Saint-Martin", false, NOON_MS },
						    { "990000019", "Tilleuls", false, 0 } };
	const struct status status = { .sites = sites, .site_count = 3 };
	json_t *json = written(&status);
	char *text = json_dumps(json_object_get(json, "sites"), JSON_COMPACT);

	(void)state;
	assert_string_equal(text, "[{\"site\":\"990000001\",\"name\":\"Saint-Martin\","
				  "\"last_delivered\":\"2026-11-21T12:00:00.000Z\"},"
				  "{\"site\":\"990000019\",\"name\":\"Tilleuls\","
				  "\"last_delivered\":null}]");
	free(text);
	json_decref(json);
}

static void rates_are_what_the_curves_hold(void **state)
{
	struct curve curve = { .since_ms = NOON_MS };
	const struct status status = { .now_ms = NOON_MS, .curve = &curve };
	json_t *json;
	char *text;

	(void)state;
	curve_add(&curve, CURVE_RECEIVED, NOON_MS, 5);
	curve_add(&curve, CURVE_RECEIVED, NOON_MS - 2 * 86400000LL, 7);
	curve_add(&curve, CURVE_DELIVERED, NOON_MS, 4);
	curve_add(&curve, CURVE_REJECTED, NOON_MS, 1);
	json = written(&status);
	text = json_dumps(json_object_get(json, "rates"), JSON_COMPACT);
	assert_string_equal(text, "{\"since\":\"2026-11-21T12:00:00.000Z\","
				  "\"24h\":{\"received\":5,\"delivered\":4,\"rejected\":1},"
				  "\"30d\":{\"received\":12,\"delivered\":4,\"rejected\":1}}");
	free(text);
	json_decref(json);
}

static void a_clock_set_back_makes_no_negative_age(void **state)
{
	const struct status status = { .now_ms = NOON_MS,
				       .started_ms = NOON_MS + 5000,
				       .oldest_queued_ms = NOON_MS + 5000 };
	json_t *json = written(&status);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(json, "uptime_s")), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "oldest_queued_s")), 0);
	json_decref(json);
}

static void a_sentence_cut_within_a_character_is_still_told(void **state)
{
	static const struct status_lane lane = { .name = "a",
						 .state = "stopped",
						 .why = "refus\xc3" };
	const struct status status = { .lanes = &lane, .lane_count = 1 };
	json_t *json = written(&status);

	(void)state;
	assert_string_equal(text_of(json, "lanes", "why"), "refus?");
	json_decref(json);
}

static void accents_and_quotes_survive(void **state)
{
	static const struct status_folder folder = { .name = "a \"b\"\n",
						     .path = "/srv/d\xc3\xa9p\xc3\xb4t" };
	const struct status status = { .folders = &folder, .folder_count = 1 };
	json_t *json = written(&status);

	(void)state;
	assert_string_equal(text_of(json, "folders", "name"), "a \"b\"\n");
	assert_string_equal(text_of(json, "folders", "path"), "/srv/d\xc3\xa9p\xc3\xb4t");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_gateway_has_every_member),
		cmocka_unit_test(a_busy_gateway_tells_all_it_knows),
		cmocka_unit_test(sites_tell_their_last_delivery),
		cmocka_unit_test(rates_are_what_the_curves_hold),
		cmocka_unit_test(a_clock_set_back_makes_no_negative_age),
		cmocka_unit_test(a_sentence_cut_within_a_character_is_still_told),
		cmocka_unit_test(accents_and_quotes_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
