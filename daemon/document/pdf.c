/* What a PDF says of itself.
 *
 * PDF/A-1 (ISO 19005-1) is PDF 1.4 without what hides things: no encryption, no object streams, and
 * its metadata stream is not compressed (6.7.2). So the way from the trailer to the claim can be
 * walked with plain searches: the last /Root, that object, its /Metadata, that object, its XMP. A
 * file where the way is broken does not claim anything. Each step is one search over the bytes, so
 * no file makes it slow. Any thread.
 */
#include "document/pdf.h"

#include <stdio.h>

enum {
	ENDS_WITHIN = 1024, /* of the start, of the end: as readers allow */
	DICTIONARY = 65536, /* looked at, of an object */
	XMP = 1 << 20,
	MOST_OBJECT = 8388607, /* PDF 1.4, annex C */
	MOST_GENERATION = 65535,
};

static struct slice nothing(void)
{
	return (struct slice){ "", 0 };
}

static struct slice first(struct slice bytes, size_t most)
{
	return (struct slice){ bytes.p, min(bytes.n, most) };
}

/* What begins at the first `word`; empty: it is not there. */
static struct slice find(struct slice bytes, const char *word)
{
	const char *at = bytes.n ? memmem(bytes.p, bytes.n, word, strlen(word)) : NULL;

	return at ? slice_from(bytes, (size_t)(at - bytes.p)) : nothing();
}

static struct slice before(struct slice bytes, const char *word)
{
	struct slice rest = find(bytes, word);

	return rest.n ? (struct slice){ bytes.p, bytes.n - rest.n } : bytes;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\r' || c == '\n' || c == '\t' || c == '\f' || c == '\0';
}

/* Takes blanks, then a number, off *rest. */
static bool take_number(struct slice *rest, uint64_t most, uint64_t *ret_number)
{
	size_t n = 0;

	while (rest->n > 0 && is_blank(rest->p[0]))
		*rest = slice_from(*rest, 1);
	while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
		n++;
	if (!slice_to_u64((struct slice){ rest->p, n }, most, ret_number))
		return false;
	*rest = slice_from(*rest, n);
	return true;
}

struct reference {
	uint64_t object, generation;
};

/* "/Root 12 0 R", or another key. */
static bool take_reference(struct slice rest, const char *key, struct reference *ret_reference)
{
	rest = slice_from(rest, strlen(key));
	if (!take_number(&rest, MOST_OBJECT, &ret_reference->object) ||
	    !take_number(&rest, MOST_GENERATION, &ret_reference->generation))
		return false;
	while (rest.n > 0 && is_blank(rest.p[0]))
		rest = slice_from(rest, 1);
	return slice_starts(rest, "R");
}

/* The last reference that this key has: updates of a file stand behind what they update. */
static bool last_reference(struct slice bytes, const char *key, struct reference *ret_reference)
{
	struct reference found;
	bool any = false;

	for (struct slice rest = find(bytes, key); rest.n > 0;
	     rest = find(slice_from(rest, strlen(key)), key))
		if (take_reference(rest, key, &found)) {
			*ret_reference = found;
			any = true;
		}
	return any;
}

/* The content of an object, in its last version. */
static struct slice object(struct slice bytes, const struct reference *reference)
{
	struct slice found = nothing();
	char word[48];

	snprintf(word, sizeof(word), "%llu %llu obj", (unsigned long long)reference->object,
		 (unsigned long long)reference->generation);
	for (struct slice rest = find(bytes, word); rest.n > 0;
	     rest = find(slice_from(rest, strlen(word)), word))
		if (rest.p == bytes.p || is_blank(rest.p[-1]))
			found = slice_from(rest, strlen(word));
	return found;
}

/* /Encrypt with a reference or a dictionary behind it: as a word alone it may be text. */
static bool is_encrypted(struct slice bytes)
{
	static const char key[] = "/Encrypt";
	struct reference reference;

	for (struct slice rest = find(bytes, key); rest.n > 0;
	     rest = find(slice_from(rest, strlen(key)), key)) {
		struct slice behind = slice_trim(first(slice_from(rest, strlen(key)), 16));

		if (slice_starts(behind, "<<") || take_reference(rest, key, &reference))
			return true;
	}
	return false;
}

/* Uncompressed, and of the type that it should be. */
static struct slice xmp_of(struct slice bytes)
{
	struct reference root, metadata;
	struct slice catalog, stream, dictionary;

	if (!last_reference(bytes, "/Root", &root))
		return nothing();
	catalog = before(first(object(bytes, &root), DICTIONARY), "endobj");
	if (!last_reference(catalog, "/Metadata", &metadata))
		return nothing();
	stream = object(bytes, &metadata);
	dictionary = before(first(stream, DICTIONARY), "stream");
	if (dictionary.n == stream.n || find(dictionary, "/Filter").n > 0 ||
	    find(dictionary, "/XML").n == 0)
		return nothing();
	return before(first(slice_from(stream, dictionary.n), XMP), "endstream");
}

/* The value of a property, as an attribute or as an element: one character of it matters. */
static char property(struct slice xmp, const char *name)
{
	struct slice rest = find(xmp, name);
	size_t n = 0;

	rest = slice_from(rest, strlen(name));
	while (n < rest.n && (is_blank(rest.p[n]) || rest.p[n] == '=' || rest.p[n] == '>' ||
			      rest.p[n] == '"' || rest.p[n] == '\''))
		n++;
	return n > 0 && n < rest.n ? rest.p[n] : '\0';
}

bool pdf_begins(struct slice bytes)
{
	return find(first(bytes, ENDS_WITHIN), "%PDF-").n > 0;
}

bool pdf_ends(struct slice bytes)
{
	return find(slice_from(bytes, bytes.n - min(bytes.n, (size_t)ENDS_WITHIN)), "%%EOF").n > 0;
}

struct pdf pdf_look(struct slice bytes)
{
	struct slice xmp = xmp_of(bytes);
	char part = property(xmp, "pdfaid:part");

	return (struct pdf){
		.encrypted = is_encrypted(bytes),
		.pdfa_part = part >= '1' && part <= '9' ? (unsigned)(part - '0') : 0,
		.pdfa_conformance = property(xmp, "pdfaid:conformance"),
	};
}

bool pdf_is_pdfa_1(const struct pdf *pdf)
{
	return !pdf->encrypted && pdf->pdfa_part == 1 &&
	       (pdf->pdfa_conformance == 'A' || pdf->pdfa_conformance == 'B');
}
