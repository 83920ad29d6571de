/* The code tables of the DMP's metadata, read at start from CSV files that a site can replace
 * without a build: what a code is called, of which system it is, which class a type belongs to,
 * which format a document has. Read-only once loaded: any thread.
 *
 * The files are CSV as base/csv.h reads it.
 */
#ifndef DMPFEED_DOCUMENT_VALUESET_H
#define DMPFEED_DOCUMENT_VALUESET_H

#include "base/buf.h"

enum valueset_list {
	VALUESET_TYPE,            /* type-code.csv (JDV_J66): typeCode, with its class */
	VALUESET_CLASS,           /* class-code.csv (JDV_J57) */
	VALUESET_FORMAT,          /* format-code.csv (JDV_J60) */
	VALUESET_FACILITY,        /* healthcare-facility-type.csv (JDV_J61) */
	VALUESET_PRACTICE,        /* practice-setting.csv (JDV_J62) */
	VALUESET_CONFIDENTIALITY, /* confidentiality.csv (JDV_J58) */
	VALUESET_CONTENT_TYPE,    /* content-type.csv (JDV_J59) */
	VALUESET_SPECIALTY,       /* author-specialty.csv (JDV_J01) */
	VALUESET_ROLE,            /* subject-role.csv (JDV_J65) */
	VALUESET_COUNT
};

struct valueset_row {
	const char *code;
	const char *system; /* what the codingScheme slot says: an OID */
	const char *display;
	const char *link; /* type: its class code, "" when the table knows none; others: "" */
};

struct valuesets;

/* Reads every list from `folder` (also format-by-template.csv and content-type-from-visit.csv). -1:
 * a file that is missing or broken, or that names a code of another list which is not there, said
 * with its line (ERR_HALT).
 */
must_use int valuesets_load(struct valuesets **ret_valuesets, const char *folder, struct err *err);

/* The same with another content-type-from-visit.csv; "": that of the folder. */
must_use int valuesets_load_mapped(struct valuesets **ret_valuesets, const char *folder,
				   const char *content_type_map, struct err *err);
void valuesets_free(struct valuesets **valuesets);

/* The row of a code; `system` NULL or "" takes the first. NULL: not in the list. */
const struct valueset_row *valueset_find(const struct valuesets *valuesets, enum valueset_list list,
					 const char *code, const char *system);

/* The format of a document. An unstructured body (`media_type` is not ""): by its media type,
 * whatever template the document declares; NULL when the DMP takes no such body. A structured one:
 * by the last of its templates that the table knows, because a header names the general ones first;
 * else the format for documents outside every profile.
 */
const struct valueset_row *valueset_format(const struct valuesets *valuesets,
					   const char *media_type, const char *const *templates,
					   size_t template_count);

/* contentTypeCode from the class of visit (PV1-2); NULL when the table has no row for it. */
const struct valueset_row *valueset_content_type(const struct valuesets *valuesets,
						 const char *visit_class);

/* Does the list hold codes of this system at all? */
bool valueset_knows_system(const struct valuesets *valuesets, enum valueset_list list,
			   const char *system);

/* Appends up to three codes of the list for a person to choose from, "A, B or C": those that look
 * most like `code`, or that are called nearly as `display` says ("" or NULL: not compared).
 */
void valueset_nearest(const struct valuesets *valuesets, enum valueset_list list, const char *code,
		      const char *display, struct buf *out);

/* What a file says of itself, in comments before its column names: "# list: JDV_J57-ClassCode-DMP",
 * "# oid: …", "# version: …", "# date: …". Texts are "" where it says nothing.
 */
struct valueset_edition {
	const char *file; /* "class-code.csv" */
	const char *list, *oid, *version, *date;
};

/* Of every file that was read, in turn; NULL past the last. */
const struct valueset_edition *valuesets_edition(const struct valuesets *valuesets, size_t index);

#endif
