/* Members of a JSON object, as our answers write them (jansson). Any thread; an object belongs to one. */
#ifndef DMPFEED_STATUS_JSON_H
#define DMPFEED_STATUS_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* NULL and "" are null. Bytes that are not UTF-8 (a file's name, a sentence cut in the middle of a
 * character) read as '?': JSON would refuse the whole text.
 */
void json_put_text(json_t *object, const char *name, const char *text);
void json_put_count(json_t *object, const char *name, uint64_t count);
void json_put_flag(json_t *object, const char *name, bool flag);

/* ISO 8601 in UTC; 0 and less are null. */
void json_put_time(json_t *object, const char *name, int64_t time_ms);

/* Sets object[name] to the array of json_of(items[i]). */
#define json_put_list(object, name, json_of, items, count)                                         \
	do {                                                                                       \
		json_t *list_ = json_array();                                                      \
		for (size_t i_ = 0; i_ < (count); i_++)                                            \
			json_array_append_new(list_, json_of(&(items)[i_]));                       \
		json_object_set_new((object), (name), list_);                                      \
	} while (0)

/* Appends the object, compact, and forgets it. */
void json_add_and_free(json_t *object, struct buf *out);

#endif
