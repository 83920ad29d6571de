/* The bodies that a CDA of level 1 may carry. Any thread. */
#include "document/body.h"

#include <strings.h>

#include "base/xml.h"
#include "document/pdf.h"

static bool is_pdf(struct slice body)
{
	return pdf_begins(body) && pdf_ends(body);
}

static bool is_rtf(struct slice body)
{
	return slice_starts(body, "{\\rtf");
}

static bool is_jpeg(struct slice body)
{
	return slice_starts(body, "\xff\xd8\xff");
}

static bool is_tiff(struct slice body)
{
	return body.n > 8 && (memcmp(body.p, "II*\0", 4) == 0 || memcmp(body.p, "MM\0*", 4) == 0);
}

/* UTF-8, of the characters that XML knows: a file in another charset would be read wrong. */
static bool is_text(struct slice body)
{
	bool is_blank = true;
	uint32_t c;

	while (body.n > 0) {
		body = slice_from(body, xml_char(body, &c));
		if (c == XML_REPLACEMENT)
			return false;
		is_blank = is_blank && c <= ' ';
	}
	return !is_blank;
}

/* Which endings, which media type (JDV_J60 has a format for each), how such a file begins. */
static const struct type {
	const char *ending, *media_type, *name;
	bool (*is)(struct slice body);
} types[] = {
	{ ".pdf", "application/pdf", "a whole PDF", is_pdf },
	{ ".txt", "text/plain", "a text in UTF-8", is_text },
	{ ".rtf", "text/rtf", "an RTF text", is_rtf },
	{ ".jpg", "image/jpeg", "a JPEG image", is_jpeg },
	{ ".jpeg", "image/jpeg", "a JPEG image", is_jpeg },
	{ ".tif", "image/tiff", "a TIFF image", is_tiff },
	{ ".tiff", "image/tiff", "a TIFF image", is_tiff },
};

const char *body_media_type(const char *file)
{
	const char *ending = strrchr(file, '.');

	for (size_t i = 0; ending != NULL && i < length_of(types); i++)
		if (strcasecmp(ending, types[i].ending) == 0)
			return types[i].media_type;
	return NULL;
}

bool body_is_sidecar(const char *file)
{
	const char *ending = strrchr(file, '.');

	return ending != NULL && strcasecmp(ending, BODY_SIDECAR) == 0;
}

int body_check(const char *media_type, struct slice body, struct err *err)
{
	for (size_t i = 0; i < length_of(types); i++)
		if (strcmp(media_type, types[i].media_type) == 0)
			return types[i].is(body)
				       ? 0
				       : err_refuse(err, REASON_BODY_INVALID, "",
						    "the file is not %s, whatever its ending says",
						    types[i].name);
	return err_refuse(err, REASON_BODY_INVALID, "", "no body is of the type %s", media_type);
}
