/* Members of a JSON object, as our answers write them. Any thread. */
#include "status/json.h"

#include "base/clock.h"

void json_put_text(json_t *object, const char *name, const char *text)
{
	scoped(free_ptr) char *ascii = NULL;
	json_t *json = text && text[0] ? json_string(text) : json_null();

	if (json == NULL) {
		ascii = xstrdup(text);
		for (char *c = ascii; *c; c++)
			if ((unsigned char)*c > 0x7f)
				*c = '?';
		json = json_string(ascii);
	}
	json_object_set_new(object, name, json);
}

void json_put_count(json_t *object, const char *name, uint64_t count)
{
	json_object_set_new(object, name, json_integer((json_int_t)count));
}

void json_put_flag(json_t *object, const char *name, bool flag)
{
	json_object_set_new(object, name, json_boolean(flag));
}

void json_put_time(json_t *object, const char *name, int64_t time_ms)
{
	char text[CLOCK_TEXT];

	json_put_text(object, name, time_ms > 0 ? clock_iso(time_ms, text) : NULL);
}

static int add(const char *text, size_t n, void *out)
{
	buf_add(out, (struct slice){ text, n });
	return 0;
}

void json_add_and_free(json_t *object, struct buf *out)
{
	json_dump_callback(object, add, out, JSON_COMPACT);
	json_decref(object);
}
