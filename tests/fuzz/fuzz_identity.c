/* An ADT, whatever it says: texts are UTF-8 and what is not known is not said. */
#include "hl7/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_ins(const char *oid)
{
	return oid[0] == '1';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { (const char *)data, size };
	scoped(arena_done) struct arena arena = { 0 };
	struct hl7_message message;
	struct identity identity;
	struct err err = { 0 };

	if (hl7_parse(&message, bytes, &arena, &err) < 0)
		return 0;
	identity_read(&identity, &message, is_ins, &arena);
	if (!charset_is_utf8(slice_of(identity.ins)) ||
	    !charset_is_utf8(slice_of(identity.event)) ||
	    (identity.ins[0] != '\0') != (identity.ins_oid[0] == '1') ||
	    !charset_is_utf8(slice_of(identity.traits.family)) ||
	    identity.now.local_count > IDENTITY_NUMBERS_MOST ||
	    identity.then.local_count > IDENTITY_NUMBERS_MOST ||
	    (identity.validated && !identity.has_status) || identity.feeding > FEEDING_NOT_ASKED ||
	    identity.dmp > DMP_ABSENT)
		abort();
	return 0;
}
