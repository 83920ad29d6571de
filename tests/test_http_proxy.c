/* The way through a proxy: what it is asked, that it sees nothing of what goes through, and what its
 * refusals mean.
 */
#include "https.h"

/* A proxy that takes one connection after the other, each in turn. */
struct proxy {
	const char *answer; /* to CONNECT; NULL: what lets through */

	/* read after it has ended */
	char asked[1024]; /* the head of the last request */
	unsigned connections;
	bool saw_plain; /* the request's own words went by */

	int listener, port, ends[2];
	pthread_t thread;
};

static void read_head(struct proxy *proxy, int fd)
{
	size_t n = 0;

	while (n < sizeof(proxy->asked) - 1 && read(fd, proxy->asked + n, 1) == 1) {
		proxy->asked[++n] = '\0';
		if (strstr(proxy->asked, "\r\n\r\n") != NULL)
			break;
	}
}

static int connect_as_asked(const struct proxy *proxy)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	assert_int_equal(sscanf(proxy->asked, "CONNECT 127.0.0.1:%d HTTP/1.1\r\n", &port), 1);
	address.sin_port = htons((uint16_t)port);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool pass_on(struct proxy *proxy, int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n <= 0)
		return false;
	if (memmem(bytes, (size_t)n, "POST", 4) != NULL || memmem(bytes, (size_t)n, "<soap/>", 7))
		proxy->saw_plain = true;
	return write(to, bytes, (size_t)n) == n;
}

static void tunnel(struct proxy *proxy, int client)
{
	int server = connect_as_asked(proxy);
	struct pollfd fds[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };

	do
		poll(fds, 2, -1);
	while ((fds[0].revents == 0 || pass_on(proxy, client, server)) &&
	       (fds[1].revents == 0 || pass_on(proxy, server, client)));
	close(server);
}

static void *forward(void *arg)
{
	static const char lets_through[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	struct proxy *proxy = arg;
	const char *answer = proxy->answer ? proxy->answer : lets_through;
	struct pollfd fds[] = { { proxy->listener, POLLIN, 0 }, { proxy->ends[0], POLLIN, 0 } };
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while (poll(fds, 2, -1) > 0 && fds[0].revents != 0) {
		int client = accept(proxy->listener, NULL, NULL);

		proxy->connections++;
		read_head(proxy, client);
		if (write(client, answer, strlen(answer)) > 0 && proxy->answer == NULL)
			tunnel(proxy, client);
		close(client);
	}
	return NULL;
}

static void proxy_start(struct proxy *proxy)
{
	proxy->listener = listen_on_loopback(0, &proxy->port);
	assert_int_equal(pipe(proxy->ends), 0);
	assert_int_equal(pthread_create(&proxy->thread, NULL, forward, proxy), 0);
}

static void proxy_stop(struct proxy *proxy)
{
	close(proxy->ends[1]);
	pthread_join(proxy->thread, NULL);
	close(proxy->ends[0]);
	close(proxy->listener);
}

static void through(struct proxy *proxy, struct post *post, struct server *server,
		    const char *login)
{
	struct client client = client_of_settings();
	char url[64];

	proxy_start(proxy);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", proxy->port);
	client.settings.proxy = url;
	client.settings.proxy_login = login;
	exchange(post, &client, server, SMALL);
	proxy_stop(proxy);
}

static void a_request_goes_through_and_is_not_seen(void **state)
{
	struct proxy proxy = { 0 };
	struct server server = { .script = answers_once, .asks = true };
	struct post post;
	char asked[64];

	(void)state;
	through(&proxy, &post, &server, "");
	assert_answered(&post, 200);
	assert_string_equal(server.client_name, "A hospital");
	snprintf(asked, sizeof(asked), "CONNECT 127.0.0.1:%d HTTP/1.1\r\n", server.port);
	assert_ptr_equal(strstr(proxy.asked, asked), proxy.asked);
	assert_null(strcasestr(proxy.asked, "Proxy-Authorization"));
	assert_null(strcasestr(proxy.asked, "SOAPAction"));
	assert_int_equal(proxy.connections, 1);
	assert_false(proxy.saw_plain);
	buf_done(&post.request.reply);
}

static void a_login_is_for_the_proxy_alone(void **state)
{
	struct proxy proxy = { 0 };
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;
	char url[64];

	(void)state;
	proxy_start(&proxy);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", proxy.port);
	client.settings.proxy = url;
	client.settings.proxy_login = "gateway:s3cret";
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	client_stop(&client);
	server_stop(&server);
	proxy_stop(&proxy);
	assert_answered(&post, 200);
	assert_non_null(strstr(proxy.asked, "Proxy-Authorization: Basic Z2F0ZXdheTpzM2NyZXQ=\r\n"));
	assert_null(strcasestr(server.request.p, "Authorization"));
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void the_environment_cannot_lead_past_it(void **state)
{
	struct proxy proxy = { 0 };
	struct server server = { .script = answers_once };
	struct post post;

	(void)state;
	setenv("no_proxy", "*", 1);
	setenv("NO_PROXY", "127.0.0.1", 1);
	through(&proxy, &post, &server, NULL);
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	assert_answered(&post, 200);
	assert_int_equal(proxy.connections, 1);
	buf_done(&post.request.reply);
}

static void a_proxy_that_lets_nobody_through_is_understood(void **state)
{
	static const struct {
		const char *answer;
		bool refused;
	} cases[] = {
		{ "HTTP/1.1 407 Proxy Authentication Required\r\n"
		  "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
		  true },
		{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", true },
		{ "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: "
		  "0\r\n\r\n",
		  true },
		{ "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", false },
		{ "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", false },
		{ "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false },
		{ "nothing of HTTP\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct proxy proxy = { .answer = cases[i].answer };
		struct server server = { .script = answers_once };
		struct post post;

		through(&proxy, &post, &server, "");
		assert_unanswered(&post);
		assert_int_equal(post.request.exchange.proxy_refused, cases[i].refused);
		assert_false(post.request.exchange.our_tls_refused);
		assert_false(post.request.exchange.fully_written);
		assert_int_equal(server.connections, 0);
	}
}

static void a_proxy_that_is_not_there_is_trouble_of_the_way(void **state)
{
	struct server server = { .script = answers_once }, nobody = { 0 };
	struct client client = client_of_settings();
	struct post post;
	char url[64];

	(void)state;
	close(listen_on_loopback(0, &nobody.port));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", nobody.port);
	client.settings.proxy = url;
	exchange(&post, &client, &server, SMALL);
	assert_unanswered(&post);
	assert_false(post.request.exchange.proxy_refused);
	assert_false(post.request.exchange.fully_written);
}

static void whoever_the_tunnel_leads_to_must_be_the_one(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, END };
	struct proxy proxy = { 0 };
	struct server server = { .script = script, .cert = stranger_cert };
	struct post post;

	(void)state;
	through(&proxy, &post, &server, "");
	assert_unanswered(&post);
	assert_true(post.request.exchange.our_tls_refused);
	assert_int_equal(server.requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_through_and_is_not_seen),
		cmocka_unit_test(a_login_is_for_the_proxy_alone),
		cmocka_unit_test(the_environment_cannot_lead_past_it),
		cmocka_unit_test(a_proxy_that_lets_nobody_through_is_understood),
		cmocka_unit_test(a_proxy_that_is_not_there_is_trouble_of_the_way),
		cmocka_unit_test(whoever_the_tunnel_leads_to_must_be_the_one),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
