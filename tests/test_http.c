/* The client against a real TLS server on loopback, which plays a script in a thread of its own. */
#include "https.h"

#include "base/clock.h"

/* ---- answers ---- */

static void a_request_is_answered(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 200);
	assert_true(post.request.exchange.fully_written);
	assert_reply(&post, "<ok/>");
	assert_string_equal(post.request.reply_content_type, "application/soap+xml");
	assert_int_equal(post.request.exchange.retry_after_ms, 0);
	assert_in_range(post.request.duration_ms, 0, client.settings.exchange_timeout_ms);
	buf_done(&post.request.reply);
}

static void the_server_sees_a_plain_post_with_a_length(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;
	scoped(free_ptr) char *expected = NULL;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	client_stop(&client);
	server_stop(&server);
	expected = xasprintf("POST /repository HTTP/1.1\r\n"
			     "Host: 127.0.0.1:%d\r\n"
			     "Content-Type: application/soap+xml; charset=UTF-8\r\n"
			     "Accept: application/soap+xml, multipart/related\r\n"
			     "Content-Length: 7\r\n"
			     "\r\n"
			     "<soap/>",
			     server.port);
	assert_string_equal(server.request.p, expected);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void a_large_body_arrives_byte_for_byte(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	for (unsigned i = 0; i < 2000000; i++)
		buf_add_char(&body, (char)(i * i >> 8));
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, buf_slice(&body));
	post_and_wait(&post);
	client_stop(&client);
	server_stop(&server);
	assert_answered(&post, 200);
	assert_true(slice_equal(slice_from(buf_slice(&server.request), server.body_at),
				buf_slice(&body)));
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

/* Wherever its pieces begin and end, curl gets whole mouthfuls of 64 KiB. */
static void a_body_in_pieces_arrives_as_one(void **state)
{
	enum { BYTES = 200000 };
	static const size_t cuts[][2] = { { 0, 0 },         { 0, BYTES },         { BYTES, BYTES },
					  { 1, 2 },         { 700, BYTES - 900 }, { 65536, 131072 },
					  { 65535, 65536 }, { 100000, 100000 } };
	scoped(buf_done) struct buf body = { 0 };

	(void)state;
	for (unsigned i = 0; i < BYTES; i++)
		buf_add_char(&body, (char)(i * i >> 8));
	for (size_t i = 0; i < length_of(cuts); i++) {
		const size_t first = cuts[i][0], second = cuts[i][1];
		struct server server = { .script = answers_once };
		struct client client = client_of_settings();
		struct post post;

		server_start(&server);
		client_start(&client);
		post_start(&post, &client, &server, (struct slice){ body.p, first });
		post.request.body[1] = (struct slice){ body.p + first, second - first };
		post.request.body[2] = slice_from(buf_slice(&body), second);
		post_and_wait(&post);
		client_stop(&client);
		server_stop(&server);
		assert_answered(&post, 200);
		assert_true(post.request.exchange.fully_written);
		assert_true(slice_equal(slice_from(buf_slice(&server.request), server.body_at),
					buf_slice(&body)));
		buf_done(&server.request);
		buf_done(&post.request.reply);
	}
}

static void a_body_may_come_in_any_form_of_http(void **state)
{
	static const char *const replies[] = {
		OK_REPLY,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		"chunked\r\n\r\n2\r\n<o\r\n3\r\nk/>\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ok/>",
		"HTTP/1.0 200 OK\r\n\r\n<ok/>",
		"HTTP/1.1 100 Continue\r\n\r\n" OK_REPLY,
	};

	(void)state;
	for (size_t i = 0; i < length_of(replies); i++) {
		const enum step script[] = { ACCEPT, READ, ANSWER, CLOSE, END };
		struct server server = { .script = script, .answer = replies[i] };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_answered(&post, 200);
		assert_reply(&post, "<ok/>");
		buf_done(&post.request.reply);
	}
}

static void an_answer_is_an_answer_whatever_its_status(void **state)
{
	static const int statuses[] = { 400, 403, 404, 413, 500, 503 };

	(void)state;
	for (size_t i = 0; i < length_of(statuses); i++) {
		scoped(free_ptr) char *reply = xasprintf(
			"HTTP/1.1 %d Word\r\nContent-Length: 5\r\n\r\n<no/>", statuses[i]);
		struct server server = { .script = answers_once, .answer = reply };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_answered(&post, statuses[i]);
		assert_reply(&post, "<no/>");
		buf_done(&post.request.reply);
	}
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, READ, ANSWER, END };
	struct server server = {
		.script = script,
		.answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
	};
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 302);
	assert_int_equal(server.requests, 1);
	buf_done(&post.request.reply);
}

static void an_answer_may_come_before_the_whole_request_was_read(void **state)
{
	static const enum step script[] = { ACCEPT, ANSWER, WAIT, END };
	struct server server = { .script = script,
				 .answer = "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n",
				 .receive_buffer = 65536 };
	struct client client = client_of_settings();
	struct post post;
	scoped(free_ptr) char *body = xcalloc(32, 1 << 20);

	(void)state;
	exchange(&post, &client, &server, (struct slice){ body, 32 << 20 });
	assert_answered(&post, 413);
	assert_false(post.request.exchange.fully_written);
	buf_done(&post.request.reply);
}

static void the_server_may_say_when_to_come_back(void **state)
{
	static const struct {
		const char *header;
		int64_t least_s, most_s;
	} cases[] = {
		{ "Retry-After: 120", 120, 120 },
		{ "retry-after:7", 7, 7 },
		{ "Retry-After: 999999999999", 86400, 86400 },
		{ "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT", 86400, 86400 },
		{ "Retry-After: Fri, 01 Jan 1999 00:00:00 GMT", 0, 0 },
		{ "Retry-After: -5", 0, 0 },
		{ "Retry-After: soon", 0, 0 },
		{ "Retry-Later: 120", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *reply = xasprintf(
			"HTTP/1.1 503 Busy\r\n%s\r\nContent-Length: 0\r\n\r\n", cases[i].header);
		struct server server = { .script = answers_once, .answer = reply };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_answered(&post, 503);
		assert_in_range(post.request.exchange.retry_after_ms, cases[i].least_s * 1000,
				cases[i].most_s * 1000);
		buf_done(&post.request.reply);
	}
}

static void the_server_may_give_the_date_to_come_back(void **state)
{
	const time_t later = time(NULL) + 100;
	char reply[256];
	struct tm tm;
	struct server server = { .script = answers_once, .answer = reply };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	gmtime_r(&later, &tm);
	strftime(reply, sizeof(reply),
		 "HTTP/1.1 429 Slowly\r\nRetry-After: %a, %d %b %Y %H:%M:%S GMT\r\n"
		 "Content-Length: 0\r\n\r\n",
		 &tm);
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 429);
	assert_in_range(post.request.exchange.retry_after_ms, 60000, 100000);
	buf_done(&post.request.reply);
}

static void the_server_says_what_time_it_is(void **state)
{
	static const struct {
		const char *header;
		int64_t date_ms;
	} cases[] = {
		{ "Date: Sat, 21 Nov 2026 12:00:00 GMT", 1795262400000 },
		{ "date: Saturday, 21-Nov-26 12:00:00 GMT", 1795262400000 },
		{ "Date: yesterday", 0 },
		{ "Dates: Sat, 21 Nov 2026 12:00:00 GMT", 0 },
	};

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		scoped(free_ptr) char *reply = xasprintf(
			"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 0\r\n\r\n", cases[i].header);
		const int64_t before_ms = clock_now_ms();
		struct server server = { .script = answers_once, .answer = reply };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_int_equal(post.request.date_ms, cases[i].date_ms);
		assert_true(before_ms <= post.request.sent_ms &&
			    post.request.sent_ms <= post.request.answered_ms &&
			    post.request.answered_ms <= clock_now_ms());
		buf_done(&post.request.reply);
	}
}

static void a_content_type_that_does_not_fit_is_cut(void **state)
{
	scoped(free_ptr) char *reply = xasprintf(
		"HTTP/1.1 200 OK\r\nContent-Type: %0300d\r\nContent-Length: 0\r\n\r\n", 0);
	struct server server = { .script = answers_once, .answer = reply };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_answered(&post, 200);
	assert_int_equal(strlen(post.request.reply_content_type), 255);
	buf_done(&post.request.reply);
}

static void nothing_of_an_exchange_is_left_to_the_next(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, READ, DEAFEN, RESET, END };
	struct server server = { .script = script,
				 .answer = "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n"
					   "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
					   "later" };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	assert_answered(&post, 503);
	assert_int_equal(post.request.exchange.retry_after_ms, 120000);
	assert_string_equal(post.request.reply_content_type, "text/plain");
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_int_equal(post.request.exchange.http_status, 0);
	assert_int_equal(post.request.exchange.retry_after_ms, 0);
	assert_string_equal(post.request.reply_content_type, "");
	client_stop(&client);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

/* ---- connections ---- */

static void a_second_request_uses_the_same_connection(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, READ, ANSWER, WAIT, END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	for (int i = 0; i < 2; i++) {
		post_and_wait(&post);
		assert_answered(&post, 200);
		assert_reply(&post, "<ok/>");
	}
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(server.connections, 1);
	assert_int_equal(server.requests, 2);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void a_done_may_post_again_at_once(void **state)
{
	static const enum step script[] = { ACCEPT, READ,   ANSWER, READ, ANSWER,
					    READ,   ANSWER, WAIT,   END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post.again = 2;
	http_post(client.http, &post.request);
	while (post.done < 3)
		event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(server.requests, 3);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void requests_beyond_the_connections_wait_their_turn(void **state)
{
	static const enum step script[] = { ACCEPT, READ,   ANSWER, READ, ANSWER,
					    READ,   ANSWER, WAIT,   END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post posts[3];

	(void)state;
	server_start(&server);
	client_start(&client);
	for (size_t i = 0; i < length_of(posts); i++) {
		post_start(&posts[i], &client, &server, SMALL);
		http_post(client.http, &posts[i].request);
	}
	while (posts[2].done == 0)
		event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	server_stop(&server);
	for (size_t i = 0; i < length_of(posts); i++) {
		assert_answered(&posts[i], 200);
		assert_int_equal(posts[i].order, posts[0].order + i);
		buf_done(&posts[i].request.reply);
	}
	assert_int_equal(server.connections, 1);
	buf_done(&server.request);
}

/* The server's end of the first connection stays open and silent until the second has answered. */
static void requests_go_at_once_as_far_as_connections_are_allowed(void **state)
{
	static const enum step script[] = { ACCEPT, WAIT, END };
	struct server silent = { .script = script }, server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post first, second;

	(void)state;
	client.settings.most_connections = 2;
	server_start(&silent);
	server_start(&server);
	client_start(&client);
	post_start(&first, &client, &silent, SMALL);
	http_post(client.http, &first.request);
	post_start(&second, &client, &server, SMALL);
	post_and_wait(&second);
	assert_answered(&second, 200);
	assert_int_equal(first.done, 0);
	client_stop(&client);
	server_stop(&silent);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&second.request.reply);
}

static void a_connection_that_the_server_closed_meanwhile_is_replaced(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, CLOSE, TELL,
					    ACCEPT, READ, ANSWER, WAIT,  END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post_and_wait(&post);
	server_told(&server);
	post_and_wait(&post);
	assert_answered(&post, 200);
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(server.connections, 2);
	assert_int_equal(server.requests, 2);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void the_action_may_be_a_header_too(void **state)
{
	static const char *const actions[] = { NULL, "", "urn:ihe:iti:2010:UpdateDocumentSet" };

	(void)state;
	for (size_t i = 0; i < length_of(actions); i++) {
		struct server server = { .script = answers_once };
		struct client client = client_of_settings();
		struct post post;
		const char *line;

		server_start(&server);
		client_start(&client);
		post_start(&post, &client, &server, SMALL);
		post.request.soap_action = actions[i];
		post_and_wait(&post);
		client_stop(&client);
		server_stop(&server);
		line = strstr(server.request.p, "SOAPAction");
		if (i < 2)
			assert_null(line);
		else
			assert_ptr_equal(strstr(line, "SOAPAction: "
						      "\"urn:ihe:iti:2010:UpdateDocumentSet\"\r\n"),
					 line);
		buf_done(&server.request);
		buf_done(&post.request.reply);
	}
}

static void no_proxy_is_taken_from_the_environment(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	setenv("https_proxy", "http://127.0.0.1:9", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
	exchange(&post, &client, &server, SMALL);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	assert_answered(&post, 200);
	buf_done(&post.request.reply);
}

/* ---- no answer: had the request left? ---- */

/* Bodies: one that any socket takes at once, and one that none does. */
static void without_an_answer_it_is_known_whether_all_had_left(void **state)
{
	static const struct {
		enum step script[6];
		size_t body_bytes;
		int64_t timeout_ms;
		bool written;
	} cases[] = {
		{ { ACCEPT, READ, RESET, ACCEPT }, 7, 20000, true },
		{ { ACCEPT, READ, CLOSE, ACCEPT }, 7, 20000, true },
		{ { ACCEPT, READ, RESET, ACCEPT }, 32 << 20, 20000, true },
		{ { ACCEPT, READ, WAIT }, 7, 1500, true },
		{ { ACCEPT, RESET, ACCEPT }, 32 << 20, 20000, false },
		{ { ACCEPT, CLOSE, ACCEPT }, 32 << 20, 20000, false },
		{ { ACCEPT, WAIT }, 32 << 20, 700, false },
	};
	scoped(free_ptr) char *bytes = xcalloc(32, 1 << 20);

	(void)state;
	for (size_t i = 0; i < length_of(cases); i++) {
		struct server server = { .script = cases[i].script, .receive_buffer = 65536 };
		struct client client = client_of_settings();
		struct post post;

		client.settings.exchange_timeout_ms = cases[i].timeout_ms;
		exchange(&post, &client, &server, (struct slice){ bytes, cases[i].body_bytes });
		assert_unanswered(&post);
		assert_int_equal(post.request.exchange.http_status, 0);
		assert_int_equal(post.request.exchange.fully_written, cases[i].written);
		assert_false(post.request.exchange.our_tls_refused);
		assert_int_equal(server.connections, 1);
		buf_done(&post.request.reply);
	}
}

/* Left to itself, curl would send the document again on a new connection, and the server would call
 * it a duplicate that is not ours. */
static void a_request_that_a_kept_connection_lost_is_not_sent_again(void **state)
{
	static const enum step scripts[][10] = {
		{ ACCEPT, READ, ANSWER, READ, RESET, ACCEPT, READ, ANSWER, WAIT },
		{ ACCEPT, READ, ANSWER, READ, CLOSE, ACCEPT, READ, ANSWER, WAIT },
		{ ACCEPT, READ, ANSWER, READ, DEAFEN, RESET, WAIT },
	};

	(void)state;
	for (size_t i = 0; i < length_of(scripts); i++) {
		struct server server = { .script = scripts[i] };
		struct client client = client_of_settings();
		struct post post;

		server_start(&server);
		client_start(&client);
		post_start(&post, &client, &server, SMALL);
		post_and_wait(&post);
		assert_answered(&post, 200);
		post_and_wait(&post);
		assert_unanswered(&post);
		assert_true(post.request.exchange.fully_written);
		client_stop(&client);
		server_stop(&server);
		assert_int_equal(server.requests, 2);
		buf_done(&server.request);
		buf_done(&post.request.reply);
	}
}

/* curl counts them, and would tell of the sixth that it was tried five times. */
static void each_request_that_a_kept_connection_lost_is_told_alike(void **state)
{
	enum { TIMES = 7 };
	static const enum step once[] = { ACCEPT, READ, ANSWER, READ, CLOSE, ACCEPT, CLOSE };
	enum step script[TIMES * length_of(once) + 1];
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	for (size_t i = 0; i < TIMES; i++)
		memcpy(script + i * length_of(once), once, sizeof(once));
	script[TIMES * length_of(once)] = END;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	for (size_t i = 0; i < TIMES; i++) {
		post_and_wait(&post);
		assert_answered(&post, 200);
		post_and_wait(&post);
		assert_unanswered(&post);
		assert_string_equal(post.request.transport_text,
				    "the connection closed without an answer");
	}
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(server.requests, 2 * TIMES);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

static void an_answer_that_breaks_off_is_none(void **state)
{
	static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<ok/>";
	static const enum step ends[] = { CLOSE, RESET };

	(void)state;
	for (size_t i = 0; i < length_of(ends); i++) {
		const enum step script[] = { ACCEPT, READ, ANSWER, ends[i], WAIT, END };
		struct server server = { .script = script, .answer = cut };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_true(post.request.exchange.fully_written);
		buf_done(&post.request.reply);
	}
}

static void an_answer_that_is_too_large_is_none(void **state)
{
	static const char *const starts[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", /* as body */
		"HTTP/1.1 200 OK\r\nX: ",                           /* as header */
	};

	(void)state;
	for (size_t i = 0; i < length_of(starts); i++) {
		scoped(free_ptr) char *reply = xasprintf("%s%020000d\r\n\r\n", starts[i], 0);
		struct server server = { .script = answers_once, .answer = reply };
		struct client client = client_of_settings();
		struct post post;

		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_int_equal(post.request.exchange.http_status, 200);
		assert_string_equal(post.request.transport_text,
				    "the reply is larger than 10000 bytes");
		assert_true(post.request.exchange.fully_written);
		buf_done(&post.request.reply);
	}
}

static void what_does_not_speak_http_has_not_answered(void **state)
{
	static const enum step script[] = { ACCEPT, READ, ANSWER, CLOSE, END };
	struct server server = { .script = script, .answer = "220 mail ready\r\n" };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	exchange(&post, &client, &server, SMALL);
	assert_unanswered(&post);
	assert_false(post.request.exchange.our_tls_refused);
	buf_done(&post.request.reply);
}

static void a_refused_connection_is_no_refusal_of_our_certificate(void **state)
{
	struct server nobody = { 0 };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	close(listen_on_loopback(0, &nobody.port));
	client_start(&client);
	post_start(&post, &client, &nobody, SMALL);
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_false(post.request.exchange.fully_written);
	assert_false(post.request.exchange.our_tls_refused);
	client_stop(&client);
}

static void a_handshake_that_breaks_off_is_no_refusal_of_our_certificate(void **state)
{
	static const enum step scripts[][4] = {
		{ ACCEPT_TCP, CLOSE, ACCEPT_TCP },
		{ ACCEPT_TCP, RESET, ACCEPT_TCP },
		{ ACCEPT_TCP, HANG_UP },
		{ ACCEPT_TCP, WAIT },
	};

	(void)state;
	for (size_t i = 0; i < length_of(scripts); i++) {
		struct server server = { .script = scripts[i] };
		struct client client = client_of_settings();
		struct post post;

		client.settings.connect_timeout_ms = 500;
		exchange(&post, &client, &server, SMALL);
		assert_unanswered(&post);
		assert_false(post.request.exchange.fully_written);
		assert_false(post.request.exchange.our_tls_refused);
	}
}

/* ---- a resolver that hangs ---- */

static int hung_names[2] = { -1, -1 };

/* In the place of the C library's, also for curl: waits until the test closes the pipe. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	char byte;

	(void)node;
	(void)service;
	(void)hints;
	(void)ret_list;
	(void)!read(hung_names[0], &byte, 1);
	return EAI_AGAIN;
}

static void a_resolver_that_hangs_does_not_hold_the_loop(void **state)
{
	struct server nobody = { 0 };
	struct client client = client_of_settings();
	struct post post;

	(void)state;
	assert_int_equal(pipe(hung_names), 0);
	client.settings.connect_timeout_ms = 300;
	client_start(&client);
	post_start(&post, &client, &nobody, SMALL);
	snprintf(post.url, sizeof(post.url), "https://somewhere.example/repository");
	post_and_wait(&post);
	assert_unanswered(&post);
	assert_false(post.request.exchange.fully_written);
	http_post(client.http, &post.request);
	event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	close(hung_names[1]);
}

static void only_https_is_spoken(void **state)
{
	static const char *const schemes[] = { "http", "ftp", "file" };

	(void)state;
	for (size_t i = 0; i < length_of(schemes); i++) {
		struct server nobody = { 0 };
		struct client client = client_of_settings();
		struct post post;

		client_start(&client);
		post_start(&post, &client, &nobody, SMALL);
		snprintf(post.url, sizeof(post.url), "%s://127.0.0.1/repository", schemes[i]);
		post_and_wait(&post);
		assert_unanswered(&post);
		assert_false(post.request.exchange.fully_written);
		client_stop(&client);
	}
}

static void what_curl_refuses_at_once_is_done_from_the_loop(void **state)
{
	struct server nobody = { 0 };
	struct client client = client_of_settings();
	struct post posts[3];
	scoped(free_ptr) char *url = xasprintf("https://127.0.0.1/%09000000d", 0);

	(void)state;
	client.settings.most_connections = length_of(posts);
	client_start(&client);
	for (size_t i = 0; i < length_of(posts); i++) {
		post_start(&posts[i], &client, &nobody, SMALL);
		posts[i].request.url = url;
		http_post(client.http, &posts[i].request);
	}
	for (size_t i = 0; i < length_of(posts); i++)
		assert_int_equal(posts[i].done, 0);
	for (size_t i = 0; i < length_of(posts); i++) {
		while (posts[i].done == 0)
			event_base_loop(client.loop, EVLOOP_ONCE);
		assert_unanswered(&posts[i]);
		assert_int_equal(posts[i].order, posts[0].order + i);
	}
	client_stop(&client);
}

/* ---- end ---- */

static void requests_under_way_are_dropped_with_the_client(void **state)
{
	static const enum step script[] = { ACCEPT, READ, TELL, WAIT, END };
	struct server server = { .script = script };
	struct client client = client_of_settings();
	struct post under_way, waiting, done;
	struct server nobody = { 0 };

	(void)state;
	client.settings.most_connections = 2;
	server_start(&server);
	client_start(&client);
	post_start(&under_way, &client, &server, SMALL);
	http_post(client.http, &under_way.request);
	close(listen_on_loopback(0, &nobody.port));
	post_start(&done, &client, &nobody, SMALL);
	http_post(client.http, &done.request);
	post_start(&waiting, &client, &server, SMALL);
	http_post(client.http, &waiting.request);
	while (done.done == 0)
		event_base_loop(client.loop, EVLOOP_ONCE);
	client_stop(&client);
	server_stop(&server);
	assert_int_equal(under_way.done, 0);
	assert_int_equal(waiting.done, 0);
	buf_done(&server.request);
}

static void a_done_may_free_the_client(void **state)
{
	struct server server = { .script = answers_once };
	struct client client = client_of_settings();
	struct post post, waiting;

	(void)state;
	server_start(&server);
	client_start(&client);
	post_start(&post, &client, &server, SMALL);
	post.ends_client = true;
	http_post(client.http, &post.request);
	post_start(&waiting, &client, &server, SMALL);
	http_post(client.http, &waiting.request);
	while (post.done == 0)
		event_base_loop(client.loop, EVLOOP_ONCE);
	assert_null(client.http);
	assert_answered(&post, 200);
	assert_int_equal(waiting.done, 0);
	client_stop(&client);
	server_stop(&server);
	buf_done(&server.request);
	buf_done(&post.request.reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(the_server_sees_a_plain_post_with_a_length),
		cmocka_unit_test(a_large_body_arrives_byte_for_byte),
		cmocka_unit_test(a_body_in_pieces_arrives_as_one),
		cmocka_unit_test(a_body_may_come_in_any_form_of_http),
		cmocka_unit_test(an_answer_is_an_answer_whatever_its_status),
		cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
		cmocka_unit_test(an_answer_may_come_before_the_whole_request_was_read),
		cmocka_unit_test(the_server_may_say_when_to_come_back),
		cmocka_unit_test(the_server_may_give_the_date_to_come_back),
		cmocka_unit_test(the_server_says_what_time_it_is),
		cmocka_unit_test(a_content_type_that_does_not_fit_is_cut),
		cmocka_unit_test(nothing_of_an_exchange_is_left_to_the_next),
		cmocka_unit_test(a_second_request_uses_the_same_connection),
		cmocka_unit_test(a_done_may_post_again_at_once),
		cmocka_unit_test(requests_beyond_the_connections_wait_their_turn),
		cmocka_unit_test(requests_go_at_once_as_far_as_connections_are_allowed),
		cmocka_unit_test(a_connection_that_the_server_closed_meanwhile_is_replaced),
		cmocka_unit_test(the_action_may_be_a_header_too),
		cmocka_unit_test(no_proxy_is_taken_from_the_environment),
		cmocka_unit_test(without_an_answer_it_is_known_whether_all_had_left),
		cmocka_unit_test(a_request_that_a_kept_connection_lost_is_not_sent_again),
		cmocka_unit_test(each_request_that_a_kept_connection_lost_is_told_alike),
		cmocka_unit_test(an_answer_that_breaks_off_is_none),
		cmocka_unit_test(an_answer_that_is_too_large_is_none),
		cmocka_unit_test(what_does_not_speak_http_has_not_answered),
		cmocka_unit_test(a_refused_connection_is_no_refusal_of_our_certificate),
		cmocka_unit_test(a_handshake_that_breaks_off_is_no_refusal_of_our_certificate),
		cmocka_unit_test(a_resolver_that_hangs_does_not_hold_the_loop),
		cmocka_unit_test(only_https_is_spoken),
		cmocka_unit_test(what_curl_refuses_at_once_is_done_from_the_loop),
		cmocka_unit_test(requests_under_way_are_dropped_with_the_client),
		cmocka_unit_test(a_done_may_free_the_client),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
