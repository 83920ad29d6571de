/* What a document says, whichever version of it says so. Any thread. */
#include "document/content.h"

void content_digest(const struct cda *cda, const struct metadata *metadata,
		    uint8_t ret_digest[static SHA256_BYTES])
{
	scoped(buf_done) struct buf room = { 0 };
	struct metadata same = *metadata;

	same.action = ACTION_SUBMIT;
	same.unique_id = same.replaces = "";
	same.creation_ms = 0;
	same.from = (struct metadata_from){ 0 }; /* the DMP is not told where a value came from */
	buf_add(&room, (struct slice){ (const char *)cda->content, sizeof(cda->content) });
	metadata_write(&same, &room);
	sha256(buf_slice(&room), ret_digest);
}
