/* MLLP framing. Pure. Any thread. */
#include "hl7/mllp.h"

static const char *find_byte(const char *from, const char *end, char byte)
{
	return from < end ? memchr(from, byte, (size_t)(end - from)) : NULL;
}

size_t mllp_stray(struct slice in)
{
	const char *start = in.n ? memchr(in.p, MLLP_VT, in.n) : NULL;

	return start ? (size_t)(start - in.p) : in.n;
}

ssize_t mllp_next(struct slice in, size_t *seen, struct slice *ret_payload, struct err *err)
{
	const char *end = in.p + in.n;
	const char *from, *fs;

	if (in.n == 0)
		return 0;
	if (in.p[0] != MLLP_VT)
		return err_refuse(err, REASON_MESSAGE_INVALID, "",
				  "a frame does not begin with VT (0x0B)");
	from = in.p + max(min(*seen, in.n), (size_t)1);
	fs = find_byte(from, end, MLLP_FS);
	if (find_byte(from, fs ? fs : end, MLLP_VT) != NULL)
		return err_refuse(
			err, REASON_MESSAGE_INVALID, "",
			"a frame begins inside another: VT (0x0B) before FS CR (0x1C 0x0D)");
	if (fs == NULL || fs + 1 == end) {
		*seen = (size_t)((fs ? fs : end) - in.p);
		return 0;
	}
	if (fs[1] != MLLP_CR)
		return err_refuse(err, REASON_MESSAGE_INVALID, "",
				  "FS (0x1C) is not followed by CR (0x0D)");
	*seen = 0;
	*ret_payload = (struct slice){ in.p + 1, (size_t)(fs - in.p) - 1 };
	return fs + 2 - in.p;
}

void mllp_wrap(struct slice payload, struct buf *out)
{
	buf_add_char(out, MLLP_VT);
	buf_add(out, payload);
	buf_add_char(out, MLLP_FS);
	buf_add_char(out, MLLP_CR);
}
