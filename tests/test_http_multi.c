/* curl's exchanges on the loop: what has ended is told, and nothing else. */
#include "sample.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <unistd.h>

#include "dispatch/http_multi.h"

enum { MOST_MS = 10000 };

struct world {
	struct event_base *loop;
	struct http_multi *multi;
	int fd;             /* bound, and never listening: whoever connects is refused */
	char url[64];       /* of it */
	size_t ended, most; /* after so many the loop breaks */
	CURL *last;
	CURLcode code;
};

static void happened(void *arg)
{
	struct world *world = arg;
	CURLcode code;
	CURL *easy;

	while ((easy = http_multi_ended(world->multi, &code)) != NULL) {
		http_multi_remove(world->multi, easy);
		world->last = easy;
		world->code = code;
		world->ended++;
	}
	if (world->ended >= world->most)
		event_base_loopbreak(world->loop);
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(here);

	assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
	world->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(world->fd, (struct sockaddr *)&here, n), 0);
	assert_int_equal(getsockname(world->fd, (struct sockaddr *)&here, &n), 0);
	snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u/", ntohs(here.sin_port));
	world->loop = event_base_new();
	world->multi = http_multi_new(world->loop, 2, happened, world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	http_multi_free(&world->multi);
	assert_null(world->multi);
	http_multi_free(&world->multi);
	event_base_free(world->loop);
	close(world->fd);
	free(world);
	return 0;
}

static CURL *handle_of(const struct world *world)
{
	CURL *easy = curl_easy_init();

	assert_non_null(easy);
	curl_easy_setopt(easy, CURLOPT_URL, world->url);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)MOST_MS);
	return easy;
}

/* Bounded by the handles' own time. */
static void run_until(struct world *world, size_t most)
{
	world->most = most;
	event_base_dispatch(world->loop);
	assert_int_equal(world->ended, most);
}

static void what_has_ended_is_told_with_its_code(void **state)
{
	struct world *world = *state;
	CURL *easy = handle_of(world);
	CURLcode code;

	assert_true(http_multi_add(world->multi, easy));
	assert_null(http_multi_ended(world->multi, &code)); /* never from within */
	run_until(world, 1);
	assert_ptr_equal(world->last, easy);
	assert_int_equal(world->code, CURLE_COULDNT_CONNECT);
	assert_true(http_multi_add(world->multi, easy)); /* again, by a socket of its own */
	run_until(world, 2);
	curl_easy_cleanup(easy);
}

static void what_was_removed_is_not_told(void **state)
{
	struct world *world = *state;
	CURL *one = handle_of(world), *other = handle_of(world);

	assert_true(http_multi_add(world->multi, one));
	assert_true(http_multi_add(world->multi, other));
	assert_false(http_multi_add(world->multi, other)); /* it is there */
	http_multi_remove(world->multi, one);
	run_until(world, 1);
	assert_ptr_equal(world->last, other);
	curl_easy_cleanup(one);
	curl_easy_cleanup(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_has_ended_is_told_with_its_code, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_was_removed_is_not_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
