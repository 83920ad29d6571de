/* What a document says, whichever version of it says so. Any thread. */
#include "document/content.h"

enum { USUAL_BYTES = 4096 /* of metadata: asked for once, or they would grow ten times */ };

void content_write(const struct cda *cda, const struct metadata *metadata, struct buf *out,
		   uint8_t ret_digest[static SHA256_BYTES])
{
	scoped(buf_done) struct buf same = { 0 };

	(void)!buf_reserve(out, USUAL_BYTES);
	(void)!buf_reserve(&same, USUAL_BYTES);
	buf_add(&same, (struct slice){ (const char *)cda->content, sizeof(cda->content) });
	metadata_write_with_same(metadata, out, &same);
	sha256(buf_slice(&same), ret_digest);
}
