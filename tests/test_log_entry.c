/* A line as journald keeps it: which of its words are fields. */
#include "base/log_entry.h"

#include "sample.h"

/* The datagram begins alike. */
static void assert_entry(const char *line, const char *fields)
{
	scoped(free_ptr) char *want =
		xasprintf("PRIORITY=4\nSYSLOG_IDENTIFIER=dmpfeedd\nMESSAGE=%s\n%s", line, fields);
	scoped(buf_done) struct buf entry = { 0 };

	log_entry(4, slice_of(line), &entry);
	assert_string_equal(entry.p, want);
}

static void each_key_is_a_field(void **state)
{
	static const struct {
		const char *line, *fields;
	} cases[] = {
		{ "doc=01J9 outcome=delivered attempt=2 ms=412",
		  "DOC=01J9\nDMPFEED_OUTCOME=delivered\nDMPFEED_ATTEMPT=2\nDMPFEED_MS=412\n" },
		{ "doc=01J9 received channel=mllp type=11502-2",
		  "DOC=01J9\nDMPFEED_CHANNEL=mllp\nDMPFEED_TYPE=11502-2\n" },
		{ "started", "" },
		{ "", "" },
		/* a sentence has no keys */
		{ "refused ack=AE where=PID-3: doc=1 is no key",
		  "DMPFEED_ACK=AE\nDMPFEED_WHERE=PID-3\n" },
		{ "cannot start: config=x", "" },
		{ "refused where=: PID is not there, reason=x", "" },
		{ "mllp_peer_refused listener=dpi peer=[::1]:4711: not in the list",
		  "DMPFEED_LISTENER=dpi\nDMPFEED_PEER=[::1]:4711\n" },
		/* what belongs to a value */
		{ "reloaded by=root (0)", "DMPFEED_BY=root (0)\n" },
		{ "doc=1 by=root (0) forced", "DOC=1\nDMPFEED_BY=root (0)\n" },
		{ "not reloaded by=root (0): reason=x", "DMPFEED_BY=root (0)\n" },
		{ "doc=1 (see lane=2", "DOC=1\nDMPFEED_LANE=2\n" },
		/* the first counts, and only keys of ours do */
		{ "origin=a origin=b", "DMPFEED_ORIGIN=a\n" },
		{ "PRIORITY=0 _PID=1 MESSAGE=x =y doc= docs=1 do=1", "" },
		{ "origin=a=b lane=", "DMPFEED_ORIGIN=a=b\n" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++)
		assert_entry(cases[i].line, cases[i].fields);
}

static void no_more_fields_than_there_is_room_for(void **state)
{
	scoped(buf_done) struct buf line = { 0 };
	struct log_field fields[LOG_MOST_FIELDS];
	size_t count;
	const struct log_key *keys = log_keys(&count);

	(void)state;
	assert_true(count > LOG_MOST_FIELDS);
	for (size_t i = 0; i < count; i++)
		buf_addf(&line, "%s%s=%zu", i ? " " : "", keys[i].key, i);
	assert_int_equal(log_fields(buf_slice(&line), fields), LOG_MOST_FIELDS);
	assert_slice(fields[1].value, "1");
}

/* They are searched by halves, and each is a name that journald takes. */
static void keys_are_sorted(void **state)
{
	size_t count;
	const struct log_key *keys = log_keys(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(strspn(keys[i].key, "abcdefghijklmnopqrstuvwxyz_"),
				 strlen(keys[i].key));
		assert_true(strlen(keys[i].key) <= 64 - strlen("DMPFEED_"));
		assert_true(i == 0 || strcmp(keys[i - 1].key, keys[i].key) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_is_a_field),
		cmocka_unit_test(no_more_fields_than_there_is_room_for),
		cmocka_unit_test(keys_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
