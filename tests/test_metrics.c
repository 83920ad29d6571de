/* The metrics as Prometheus reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "status/metrics.h"

#define NOON_MS 1795262400000 /* 2026-11-21T12:00:00Z */

static struct status_lane lanes[] = {
	{ .name = "010000000",
	  .state = "slowed",
	  .why = "the DMP does not answer",
	  .in_flight = 8 },
};

static struct status_folder folders[] = {
	{ .name = "labo", .path = "/srv/labo", .trouble = "it hangs", .taken = 5 },
};

static struct status_source sources[] = { { .name = "the \"old\"\nDPI\\2", .waiting = 3 } };

static const struct status_depth depths[] = { { "queued", 3 }, { "delivered", 123456789012 } };

static void assert_has_line(const char *text, const char *line)
{
	const size_t n = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[n] == '\n')
			return;
	fail_msg("no line %s in\n%s", line, text);
}

static void assert_lines(const struct status *status, const char *const *lines)
{
	scoped(buf_done) struct buf out = { 0 };

	metrics_write(status, METRICS_TEXT, &out);
	for (; *lines != NULL; lines++)
		assert_has_line(out.p, *lines);
}

#define assert_written(status, ...)                                                                \
	assert_lines((status), (const char *const[]){ __VA_ARGS__, NULL })

static void figures_are_told_in_base_units(void **state)
{
	static const struct histogram lag = { .counts = { 5, 1 }, .total_ms = 7 };
	const struct health_process process = { .cpu_s = 1.25,
						.resident_bytes = 17179869184,
						.open_fds = 12,
						.most_fds = 1024,
						.started_ms = NOON_MS - 500 };
	const struct health health = {
		.received = 41, .loop_lag = &lag, .process = process, .log = { 312, 2 }
	};
	const struct status status = { .version = "1.2.3",
				       .environment = "production",
				       .now_ms = NOON_MS,
				       .oldest_queued_ms = NOON_MS - 90500,
				       .lanes = lanes,
				       .lane_count = 1,
				       .folders = folders,
				       .folder_count = 1,
				       .sources = sources,
				       .source_count = 1,
				       .depths = depths,
				       .depth_count = 2,
				       .health = &health };

	(void)state;
	assert_written(
		&status, "dmpfeed_build_info{version=\"1.2.3\",environment=\"production\"} 1",
		"dmpfeed_ready 1", "# TYPE dmpfeed_documents gauge",
		"dmpfeed_documents{state=\"delivered\"} 123456789012",
		"dmpfeed_oldest_queued_age_seconds 90.5",
		"# TYPE dmpfeed_documents_received_total counter",
		"dmpfeed_documents_received_total 41", "dmpfeed_log_left_out_total 312",
		"dmpfeed_log_lost_total 2",
		"dmpfeed_lane_state{lane=\"010000000\",state=\"open\"} 0",
		"dmpfeed_lane_state{lane=\"010000000\",state=\"slowed\"} 1",
		"dmpfeed_lane_in_flight{lane=\"010000000\"} 8",
		"dmpfeed_folder_taken_total{folder=\"labo\"} 5",
		"dmpfeed_folder_readable{folder=\"labo\"} 0", "process_cpu_seconds_total 1.25",
		"process_resident_memory_bytes 17179869184",
		"process_start_time_seconds 1795262399.5");
}

static void a_trail_that_is_forwarded_is_there(void **state)
{
	const struct status_collector collector = {
		.address = "10.1.2.4:6514", .waiting = 3, .forwarded = 1200, .failed = 2
	};
	const struct status status = { .version = "1",
				       .environment = "test",
				       .collector = &collector };

	(void)state;
	assert_written(&status, "dmpfeed_audit_rows_waiting{collector=\"10.1.2.4:6514\"} 3",
		       "dmpfeed_audit_forwarded_row{collector=\"10.1.2.4:6514\"} 1200",
		       "dmpfeed_audit_connections_failed_total{collector=\"10.1.2.4:6514\"} 2");
}

static void a_label_is_escaped(void **state)
{
	const struct status status = {
		.version = "1", .environment = "test", .sources = sources, .source_count = 1
	};

	(void)state;
	assert_written(&status,
		       "dmpfeed_source_acks_waiting{source=\"the \\\"old\\\"\\nDPI\\\\2\"} 3");
}

static void a_histogram_is_cumulative(void **state)
{
	struct histogram answers = { 0 };
	const struct health_lane lane = { .name = "010000000",
					  .answers = &answers,
					  .outcomes = { { "delivered", 9 },
							{ "retry", 1 },
							{ "retry_lane", 0 },
							{ "rejected", 0 },
							{ "refused", 0 },
							{ "halt", 0 } },
					  .knows_skew = true,
					  .skew_ms = -1500 };
	const struct health health = { .lanes = &lane, .lane_count = 1, .loop_lag = &answers };
	const struct status status = { .version = "1", .environment = "test", .health = &health };

	(void)state;
	histogram_add(&answers, 400);
	histogram_add(&answers, 450);
	histogram_add(&answers, 130000);
	assert_written(
		&status, "# TYPE dmpfeed_dmp_request_duration_seconds histogram",
		"dmpfeed_dmp_request_duration_seconds_bucket{lane=\"010000000\",le=\"0.2\"} 0",
		"dmpfeed_dmp_request_duration_seconds_bucket{lane=\"010000000\",le=\"0.5\"} 2",
		"dmpfeed_dmp_request_duration_seconds_bucket{lane=\"010000000\",le=\"120.0\"} 2",
		"dmpfeed_dmp_request_duration_seconds_bucket{lane=\"010000000\",le=\"+Inf\"} 3",
		"dmpfeed_dmp_request_duration_seconds_sum{lane=\"010000000\"} 130.85",
		"dmpfeed_dmp_request_duration_seconds_count{lane=\"010000000\"} 3",
		"dmpfeed_lane_attempts_total{lane=\"010000000\",outcome=\"delivered\"} 9",
		"dmpfeed_clock_skew_seconds{lane=\"010000000\"} -1.5",
		"dmpfeed_loop_lag_seconds_bucket{le=\"+Inf\"} 3",
		"dmpfeed_loop_lag_seconds_count 3");
}

static void alerts_and_certificates_are_there_by_name(void **state)
{
	static const struct histogram nothing;
	static const struct alert alerts[] = {
		{ .rule = ALERT_DISK_LOW, .severity = ALERT_CRITICAL, .subject = "state" },
	};
	static const struct health_certificate certificates[] = {
		{ "010000000", "sign", "O=Hospital", NOON_MS },
	};
	static const struct health_waiting waiting[] = { { "held", "ins_not_qualified", 7,
							   NOON_MS } };
	const struct health health = { .alerts = alerts,
				       .alert_count = 1,
				       .certificates = certificates,
				       .certificate_count = 1,
				       .waiting = waiting,
				       .waiting_count = 1,
				       .loop_lag = &nothing };
	const struct status status = { .version = "1",
				       .environment = "test",
				       .not_ready = "the disk is full",
				       .health = &health };

	(void)state;
	assert_written(&status, "dmpfeed_ready 0",
		       "dmpfeed_alert{name=\"disk_low\",subject=\"state\",severity=\"critical\"} 1",
		       "dmpfeed_certificate_not_after_timestamp_seconds{owner=\"010000000\",role="
		       "\"sign\"} "
		       "1795262400",
		       "dmpfeed_documents_waiting{state=\"held\",reason=\"ins_not_qualified\"} 7");
}

/* Each sample stands under the family of its name, each family once, whoever knows of its health. */
static void assert_families(enum metrics_format format)
{
	const struct status status = { .version = "1",
				       .environment = "test",
				       .lanes = lanes,
				       .lane_count = 1,
				       .folders = folders,
				       .folder_count = 1 };
	scoped(buf_done) struct buf out = { 0 }, seen = { 0 };
	struct slice rest, line, family = { "", 0 };

	metrics_write(&status, format, &out);
	rest = buf_slice(&out);
	while (slice_next(&rest, '\n', &line) && line.n > 0) {
		if (slice_starts(line, "# HELP ")) {
			family = slice_from(line, strlen("# HELP "));
			family.n =
				(size_t)((const char *)memchr(family.p, ' ', family.n) - family.p);
			buf_add_char(&seen, ' ');
			buf_add(&seen, family);
			buf_add_char(&seen, ' ');
			assert_null(memmem(seen.p, seen.n - family.n - 2,
					   seen.p + seen.n - family.n - 2, family.n + 2));
		} else if (slice_starts(line, "# TYPE ")) {
			assert_memory_equal(line.p + strlen("# TYPE "), family.p, family.n);
		} else if (!slice_is(line, "# EOF")) {
			assert_true(line.n > family.n);
			assert_memory_equal(line.p, family.p, family.n);
		}
	}
}

static void every_sample_is_of_the_family_above_it(void **state)
{
	(void)state;
	assert_families(METRICS_TEXT);
	assert_families(METRICS_OPEN);
}

static void openmetrics_names_counters_without_their_ending_and_has_an_end(void **state)
{
	static const char end[] = "\n# EOF\n";
	const struct status status = { .version = "1", .environment = "test" };
	scoped(buf_done) struct buf out = { 0 };

	(void)state;
	metrics_write(&status, METRICS_OPEN, &out);
	assert_has_line(out.p, "# HELP dmpfeed_documents_received New documents taken in.");
	assert_has_line(out.p, "# TYPE dmpfeed_documents_received counter");
	assert_has_line(out.p, "dmpfeed_documents_received_total 0");
	assert_has_line(out.p, "# TYPE dmpfeed_ready gauge");
	assert_string_equal(out.p + out.n - strlen(end), end);
	assert_null(strstr(out.p, "_total counter"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_told_in_base_units),
		cmocka_unit_test(a_trail_that_is_forwarded_is_there),
		cmocka_unit_test(a_label_is_escaped),
		cmocka_unit_test(a_histogram_is_cumulative),
		cmocka_unit_test(alerts_and_certificates_are_there_by_name),
		cmocka_unit_test(every_sample_is_of_the_family_above_it),
		cmocka_unit_test(openmetrics_names_counters_without_their_ending_and_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
