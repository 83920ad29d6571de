/* The small values that come from outside: Base64, hex, times, ids, addresses. What is read is written the
 * same, and both ways to read Base64 agree.
 */
#include "base/address.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/network.h"
#include "base/ulid.h"
#include "document/ins.h"
#include "document/oid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_base64(struct slice text)
{
	scoped(buf_done) struct buf bytes = { 0 }, again = { 0 }, spoilt = { 0 }, back = { 0 };
	struct err err = { 0 };
	size_t n = 0;
	bool is;

	buf_add(&spoilt, text);
	buf_add_char(&spoilt, '\0');
	is = base64_decode(text, &bytes, &err) == 0;
	if ((base64_decode_in_place(spoilt.p, text.n, &n, &err) == 0) != is)
		abort();
	if (!is)
		return;
	if (!slice_equal(buf_slice(&bytes), (struct slice){ spoilt.p, n }))
		abort();
	base64_encode(buf_slice(&bytes), &again);
	if (base64_decode(buf_slice(&again), &back, &err) < 0 ||
	    !slice_equal(buf_slice(&back), buf_slice(&bytes)))
		abort();
}

static void read_hex(struct slice text)
{
	scoped(buf_done) struct buf bytes = { 0 }, again = { 0 };
	scoped(free_ptr) char *written = NULL;

	if (!hex_decode(text, &bytes))
		return;
	written = xcalloc(1, bytes.n * 2 + 1);
	if (!hex_decode(slice_of(hex((const uint8_t *)bytes.p, bytes.n, written)), &again) ||
	    !slice_equal(buf_slice(&again), buf_slice(&bytes)))
		abort();
}

static void read_time(struct slice text)
{
	char written[CLOCK_TEXT];
	int64_t time_ms, again_ms;
	struct err err = { 0 };
	bool zoned;

	if (clock_parse_hl7(text, &time_ms, &zoned, &err) < 0) {
		if (err.kind != ERR_REJECT)
			abort();
		return;
	}
	(void)clock_iso(time_ms, written);
	if (time_ms < 0 || time_ms >= INT64_C(253402000000000)) /* four digits of a year */
		return;
	(void)clock_hl7(time_ms, written);
	if (clock_parse_hl7(slice_of(written), &again_ms, &zoned, &err) < 0 || !zoned ||
	    again_ms != time_ms - time_ms % 1000)
		abort();
}

static void read_ids(struct slice text)
{
	scoped(free_ptr) char *words = slice_dup(text);
	char written[ULID_TEXT];
	struct err err = { 0 };
	struct ulid ulid, again;

	if (ulid_parse(text, &ulid) && (!ulid_parse(slice_of(ulid_text(&ulid, written)), &again) ||
					memcmp(&ulid, &again, sizeof(ulid)) != 0))
		abort();
	(void)oid_is_valid(words);
	if (ins_check(words, &err) == 0 && strlen(words) != 15)
		abort();
}

static void read_places(struct slice text)
{
	scoped(free_ptr) char *words = slice_dup(text);
	struct address address;
	struct network network, again;
	struct err err = { 0 };
	char written[NETWORK_TEXT];

	if (address_parse(words, &address))
		(void)address_is_loopback(&address);
	if (network_parse(text, &network, &err) < 0)
		return;
	if (network_parse(slice_of(network_text(&network, written)), &again, &err) < 0 ||
	    again.bits != network.bits)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = { (const char *)data, size };

	read_base64(text);
	read_hex(text);
	read_time(text);
	read_ids(text);
	read_places(text);
	return 0;
}
