/* Rows of the audit chain as a collector gets them. */
#include "outbound/trail_line.h"

#include "sample.h"

static const struct collector_settings settings = { .facility = 13,
						    .enterprise = 4711,
						    .most_line_bytes = 2048 };

static void assert_line(const struct store_trail_row *row, const char *wanted)
{
	scoped(buf_done) struct buf out = { 0 };
	scoped(free_ptr) char *framed = xasprintf("%zu %s", strlen(wanted), wanted);

	trail_line(row, &settings, &out);
	assert_string_equal(out.p, framed);
}

#define HEAD(id)                                                                                   \
	"<109>1 2026-11-20T09:41:06.007Z gw1 dmpfeedd - " id                                       \
	" [dmpfeed@4711 row=\"7\" digest=\"ab00000000"                                             \
	"000000000000000000000000000000000000000000000000000000\""

static struct store_trail_row row(const char *what)
{
	return (struct store_trail_row){
		.number = 7,
		.at_ms = 1795167666007,
		.what = what,
		.actor = "",
		.node = "gw1",
		.digest = { 0xab },
		.subject = "",
		.text = "",
		.action = "",
		.unique_id = "",
		.type_code = "",
		.lane = "",
		.site = "",
		.source = "",
		.channel = "",
		.state = "",
		.reason = "",
		.code = "",
		.note = "",
	};
}

static void an_exchange_with_the_dmp_has_all_but_the_patient(void **state)
{
	struct store_trail_row settled = row("settled");

	(void)state;
	assert_true(ulid_parse(slice_of("01JD0000000000000000000000"), &settled.doc));
	settled.lane = "990000987";
	settled.site = "990012345";
	settled.source = "DPI";
	settled.channel = "mllp";
	settled.action = "submit";
	settled.type_code = "11490-0";
	settled.unique_id = "1.2.250.1.7";
	settled.state = "rejected";
	settled.reason = "dmp_error";
	settled.attempt = 3;
	settled.http_status = 500;
	settled.duration_ms = 412;
	settled.code = "XDSRepositoryError";
	settled.note = "n";
	assert_line(
		&settled,
		HEAD("settled") " doc=\"01JD0000000000000000000000\" entity=\"990000987\" "
				"site=\"990012345\""
				" source=\"DPI\" channel=\"mllp\" action=\"submit\" "
				"type=\"11490-0\""
				" unique_id=\"1.2.250.1.7\" state=\"rejected\" reason=\"dmp_error\""
				" attempt=\"3\" http=\"500\" code=\"XDSRepositoryError\" "
				"ms=\"412\" note=\"n\"]"
				" \xef\xbb\xbf"
				"document 01JD0000000000000000000000 settled: rejected, dmp_error");
}

static void an_act_says_who_did_it(void **state)
{
	struct store_trail_row act = row("imported");

	(void)state;
	act.is_act = true;
	act.actor = "dim (1001)";
	act.subject = "denominator sejours";
	act.text = "revision=1";
	assert_line(&act,
		    HEAD("imported") " actor=\"dim (1001)\" subject=\"denominator sejours\"] "
				     "\xef\xbb\xbf"
				     "imported denominator sejours: revision=1, by dim (1001)");
	act.text = "";
	assert_line(&act, HEAD("imported") " actor=\"dim (1001)\" subject=\"denominator sejours\"] "
					   "\xef\xbb\xbf"
					   "imported denominator sejours, by dim (1001)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exchange_with_the_dmp_has_all_but_the_patient),
		cmocka_unit_test(an_act_says_who_did_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
