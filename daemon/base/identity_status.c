/* The status of an identity. */
#include "base/identity_status.h"

static const char *const codes[] = {
	"VALI", "PROV",  "VIDE", "DOUB", "DESA", "DPOT", "DOUA", "COLP", "COLV", "FILI", "CACH",
	"ANOM", "IDVER", "RECD", "IDRA", "USUR", "HOMD", "HOMA", "INVA", "FICT", "DOUT",
};

bool identity_status_is_known(struct slice code)
{
	for (size_t i = 0; i < length_of(codes); i++)
		if (slice_is(code, codes[i]))
			return true;
	return false;
}

void identity_status_list(struct buf *out)
{
	for (size_t i = 0; i < length_of(codes); i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", codes[i]);
}
