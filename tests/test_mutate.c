/* The fuzzers' mutators: what was a message, well-formed XML, or an archive is one after each change, and another. */
#include "mutate.h"

#include <dirent.h>
#include <libxml/parser.h>

#include "document/unzip.h"
#include "hl7/message.h"
#include "sample.h"

enum {
	ROUNDS = 10000, /* of each kind, over all samples */
	CHAIN = 8,      /* changes of a sample, one upon the other */
	MOST_BYTES = 256 << 10,
	SAMPLES_MOST = 256,
};

typedef bool mutate_fn(struct slice text, struct dice *dice, struct buf *out);
typedef bool holds_fn(struct slice text);

static struct buf samples[SAMPLES_MOST];
static size_t sample_count;

static bool is_message(struct slice text)
{
	scoped(arena_done) struct arena arena = { 0 };
	struct hl7_message message;
	struct err err;

	return hl7_parse(&message, text, &arena, &err) == 0;
}

static bool is_xml(struct slice text)
{
	xmlDoc *doc = xmlReadMemory(text.p, (int)text.n, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR |
					    XML_PARSE_NOWARNING);

	xmlFreeDoc(doc);
	return doc != NULL;
}

static bool is_archive(struct slice text)
{
	static const struct unzip_limits limits = { 100, 1 << 20, 100 };
	scoped(unzip_free) struct unzip *unzip = NULL;
	scoped(buf_done) struct buf bytes = { 0 };
	struct err err;

	if (unzip_open(&unzip, text, &limits, &err) < 0)
		return false;
	for (size_t i = 0; i < unzip_count(unzip); i++)
		if (unzip_take(unzip, i, &bytes, &err) < 0)
			return false;
	return true;
}

static void forget_samples(void)
{
	while (sample_count > 0)
		buf_done(&samples[--sample_count]);
}

/* Those of a corpus that hold: others are there to be refused. */
static void take_samples(const char *target, holds_fn *holds)
{
	const char *root = getenv("DMPFEED_SOURCE");
	scoped(free_ptr) char *path =
		xasprintf("%s/tests/fuzz/corpus/%s", root ? root : ".", target);
	DIR *folder = opendir(path);
	struct dirent *entry;

	assert_non_null(folder);
	forget_samples();
	while ((entry = readdir(folder)) != NULL && sample_count < SAMPLES_MOST) {
		scoped(free_ptr) char *name =
			xasprintf("../fuzz/corpus/%s/%s", target, entry->d_name);
		struct buf *sample = &samples[sample_count];

		if (entry->d_name[0] == '.')
			continue;
		sample_read(name, sample);
		if (holds(buf_slice(sample)))
			sample_count++;
		else
			buf_done(sample);
	}
	closedir(folder);
	assert_in_range(sample_count, 5, SAMPLES_MOST);
}

struct seen {
	size_t changed, shorter, longer;
};

static void change_samples(mutate_fn *mutate_it, holds_fn *holds, struct seen *seen)
{
	for (uint64_t seed = 0; seed < ROUNDS / CHAIN; seed++) {
		scoped(buf_done) struct buf from = { .limit = MOST_BYTES };
		struct dice dice = { seed };

		buf_add(&from, buf_slice(&samples[seed % sample_count]));
		for (size_t i = 0; i < CHAIN; i++) {
			struct buf to = { .limit = MOST_BYTES };

			if (!mutate_it(buf_slice(&from), &dice, &to)) {
				buf_done(&to);
				break;
			}
			if (!holds(buf_slice(&to)))
				fail_msg("seed %zu, change %zu: %.*s", (size_t)seed, i,
					 (int)min(to.n, (size_t)4000), to.p);
			assert_false(slice_equal(buf_slice(&from), buf_slice(&to)));
			seen->changed++;
			seen->shorter += to.n < from.n;
			seen->longer += to.n > from.n;
			buf_done(&from);
			from = to;
		}
	}
	assert_in_range(seen->changed, ROUNDS * 3 / 4, ROUNDS);
	assert_in_range(seen->shorter, ROUNDS / 10, ROUNDS);
	assert_in_range(seen->longer, ROUNDS / 10, ROUNDS);
}

static void a_message_stays_one(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	take_samples("message", is_message);
	change_samples(mutate_hl7, is_message, &seen);
}

static void xml_stays_well_formed(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	take_samples("cda", is_xml);
	change_samples(mutate_xml, is_xml, &seen);
}

static void an_archive_stays_one(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	take_samples("xdm", is_archive);
	change_samples(mutate_zip, is_archive, &seen);
}

/* What kinds of changes there are, one of each. */
static void every_kind_of_change_comes(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPV1|I\rPID|1|2\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPID|1|2\rPID|1|2\rPV1|I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPV1|I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPID\rPV1|I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPID|2|1\rPV1|I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPID||1|2\rPV1|I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPID|1|2\rOBX|I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH#^~\\&#A\rPID#1#2\rPV1#I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\nPID|1|2\nPV1|I\n" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPID|1|2222\rPV1|I\r" },
		{ "MSH|^~\\&|A\rPID|1|2\rPV1|I\r", "MSH|^~\\&|A\rPID|1|\"\"\rPV1|I\r" },
		{ "MSH|^~\\&|A\rPID|1^2&3~4\r", "MSH|^~\\&|A\rPID|4~1^2&3\r" },
		{ "MSH|^~\\&|A\rPID|1^2&3~4\r", "MSH|^~\\&|A\rPID|2&3^1~4\r" },
		{ "MSH|^~\\&|A\rPID|1^2&3~4\r", "MSH|^~\\&|A\rPID|1^3&2~4\r" },
		{ "MSH|^~\\&|A\rOBX|1|PGE+PGIvPjwvYT48YQo+PGI+PC9iPjwvYQo+\r", "PGE+PGI+" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><c/><b>2</b></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><b>2</b><b>2</b><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><b>2</b><b>2</b></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'>2<c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><a><b>2</b></a><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<b x='1'><b>2</b><c/></b>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><b></b><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><b>&amp;</b><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><b><![CDATA[<&]]></b><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1111'><b>2</b><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a><b>2</b><c/></a>" },
		{ "<a x='1'><b>2</b><c/></a>", "<a x='1'><b x='1'>2</b><c/></a>" },
		{ "--b\nContent-ID: <1@b>\n\n<a/>\n--b--",
		  "--b\nContent-ID: <1@b>\n\n<a><a/></a>\n--b--" },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct dice dice = { i };
		bool met = false;

		for (size_t round = 0; round < 100000 && !met; round++) {
			scoped(buf_done) struct buf out = { .limit = 4096 };

			met = mutate(slice_of(cases[i].text), &dice, &out) &&
			      strstr(out.p, cases[i].wanted) != NULL;
		}
		if (!met)
			fail_msg("\"%s\" never became \"%s\"", cases[i].text, cases[i].wanted);
	}
}

static void what_is_neither_is_left_to_the_fuzzer(void **state)
{
	static const char *const cases[] = { "",
					     "MSH",
					     "MSH|^~\\",
					     "PID|1",
					     "no text",
					     "<",
					     "<a>",
					     "<a></b>",
					     "</a>",
					     "<a b=\"",
					     "<!DOCTYPE a [<!ENTITY b 'c'>]>",
					     "<a/" };

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(buf_done) struct buf out = { .limit = 4096 };
		struct dice dice = { i };

		if (mutate(slice_of(cases[i]), &dice, &out))
			fail_msg("\"%s\" became \"%s\"", cases[i], out.p);
	}
}

/* As the fuzzers call it: the same seed, the same result; never more than there is room for. */
static void a_seed_says_it_all_and_room_is_kept(void **state)
{
	uint8_t room[2][96];
	size_t n[2];

	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		for (size_t i = 0; i < 2; i++) {
			struct slice text = slice_of(seed % 2 ? "MSH|^~\\&|A\rPID|1|2\rPV1|I\r"
							      : "<a x='1'><b>2</b><c/></a>");
			void *mutator = afl_custom_init(NULL, seed);

			memcpy(room[i], text.p, text.n);
			n[i] = LLVMFuzzerCustomMutator(room[i], text.n, sizeof(room[i]), seed);
			assert_in_range(n[i], 0, sizeof(room[i]));
			afl_custom_deinit(mutator);
		}
		assert_int_equal(n[0], n[1]);
		assert_memory_equal(room[0], room[1], n[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_stays_one),
		cmocka_unit_test(xml_stays_well_formed),
		cmocka_unit_test(an_archive_stays_one),
		cmocka_unit_test(every_kind_of_change_comes),
		cmocka_unit_test(what_is_neither_is_left_to_the_fuzzer),
		cmocka_unit_test(a_seed_says_it_all_and_room_is_kept),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	forget_samples();
	return failed;
}
