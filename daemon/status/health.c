/* What is known of the gateway's health, as JSON. Pure. Any thread. */
#include "status/health.h"

#include "status/json.h"

enum { DAY_MS = 24 * 3600 * 1000 };

int64_t health_days_left(const struct health_certificate *certificate, int64_t now_ms)
{
	const int64_t left_ms = certificate->not_after_ms - now_ms;

	return left_ms / DAY_MS - (left_ms % DAY_MS < 0); /* rounded down: an hour ago is -1 */
}

/* { "en": …, "fr": … } */
static void put_words(json_t *object, const char *name, const struct alert *alert,
		      void (*say)(const struct alert *alert, bool french, struct buf *out))
{
	static const char *const languages[] = { "en", "fr" };
	json_t *words = json_object();

	for (size_t french = 0; french < length_of(languages); french++) {
		scoped(buf_done) struct buf text = { 0 };

		say(alert, french == 1, &text);
		json_put_text(words, languages[french], text.p);
	}
	json_object_set_new(object, name, words);
}

static void put_alert(json_t *json, const struct alert *alert)
{
	json_put_text(json, "name", alert_name(alert->rule));
	json_put_text(json, "severity", alert_severity_text(alert->severity));
	json_put_text(json, "subject", alert->subject);
	json_put_time(json, "since", alert->since_ms);
	put_words(json, "sentence", alert, alert_say);
	put_words(json, "todo", alert, alert_advise);
}

static json_t *json_of_alert(const struct alert *alert)
{
	json_t *json = json_object();

	put_alert(json, alert);
	return json;
}

void health_tell_alert(const struct alert *alert, enum alert_change change, const char *gateway,
		       struct buf *out)
{
	json_t *json = json_object();

	json_put_text(json, "change", alert_change_text(change));
	json_put_text(json, "gateway", gateway);
	put_alert(json, alert);
	json_add_and_free(json, out);
}

static json_t *json_of_certificate(const struct health_certificate *certificate, int64_t now_ms)
{
	json_t *json = json_object();

	json_put_text(json, "owner", certificate->owner);
	json_put_text(json, "role", certificate->role);
	json_put_text(json, "subject", certificate->subject);
	json_put_time(json, "not_after", certificate->not_after_ms);
	json_object_set_new(json, "days_left", json_integer(health_days_left(certificate, now_ms)));
	return json;
}

static json_t *json_of_disk(const struct health_disk *disk)
{
	json_t *json = json_object();

	json_put_text(json, "name", disk->name);
	json_put_count(json, "free_bytes", disk->free_bytes);
	json_put_count(json, "size_bytes", disk->size_bytes);
	return json;
}

static json_t *json_of_waiting(const struct health_waiting *waiting)
{
	json_t *json = json_object();

	json_put_text(json, "state", waiting->state);
	json_put_text(json, "reason", waiting->reason);
	json_put_count(json, "documents", waiting->documents);
	json_put_time(json, "oldest", waiting->oldest_ms);
	return json;
}

void health_put_certificates(json_t *object, const struct health *health, int64_t now_ms)
{
	json_t *list = json_array();

	for (size_t i = 0; i < health->certificate_count; i++)
		json_array_append_new(list, json_of_certificate(&health->certificates[i], now_ms));
	json_object_set_new(object, "certificates", list);
}

void health_put(json_t *object, const struct health *health, int64_t now_ms)
{
	json_t *alerts = json_array(), *disks = json_array(), *waiting = json_array();

	for (size_t i = 0; i < health->alert_count; i++)
		json_array_append_new(alerts, json_of_alert(&health->alerts[i]));
	for (size_t i = 0; i < health->disk_count; i++)
		json_array_append_new(disks, json_of_disk(&health->disks[i]));
	for (size_t i = 0; i < health->waiting_count; i++)
		json_array_append_new(waiting, json_of_waiting(&health->waiting[i]));
	json_object_set_new(object, "alerts", alerts);
	health_put_certificates(object, health, now_ms);
	json_object_set_new(object, "disks", disks);
	json_object_set_new(object, "waiting", waiting);
}
