/* POST over mutual TLS. Loop only.
 *
 * What has ended is collected outside curl's callbacks (http_multi.c), and handed to its owner by an event of
 * its own, so that a done() may do anything.
 *
 * At most most_connections transfers are curl's at a time. The others wait here: in curl their
 * timeouts would run already.
 */
#include "dispatch/http.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "dispatch/http_multi.h"

enum {
	MOST_CONNECTION_S = 3600,
	MOST_LOOK_S = 2,                /* for the revocation lists, on a disk that may hang */
	MOST_RETRY_AFTER_S = 24 * 3600, /* what a server may ask for: beyond, it is a mistake */
};

struct queue {
	struct http_request *first, *last;
};

/* A kept easy handle: its connection settings stay, its request changes. */
struct transfer {
	CURL *easy;
	struct http_request *request; /* NULL: idle */
	struct curl_slist *headers;
	unsigned sendings;     /* of that request */
	size_t body_taken;     /* by curl, in the sending under way */
	uint64_t body_written; /* to the kernel, in any sending */
	uint64_t reply_bytes, most_reply_bytes;
	bool reply_too_large;
	char error[CURL_ERROR_SIZE];
};

struct http {
	struct event_base *loop;
	struct event *delivery;
	struct http_multi *multi;
	struct transfer *transfers;
	size_t transfer_count;
	struct queue waiting, ended;
	struct http_tls *tls;
	struct revocation *revocation;
	struct workers *workers;
	struct event *look_lasts;
	bool waits_for_lists;
};

static void queue_put(struct queue *queue, struct http_request *request)
{
	request->next = NULL;
	if (queue->first == NULL)
		queue->first = request;
	else
		queue->last->next = request;
	queue->last = request;
}

static struct http_request *queue_take(struct queue *queue)
{
	struct http_request *request = queue->first;

	if (request != NULL)
		queue->first = request->next;
	return request;
}

static size_t body_bytes(const struct http_request *request)
{
	size_t n = 0;

	for (size_t i = 0; i < HTTP_PIECES; i++)
		n += request->body[i].n;
	return n;
}

/* ---- what an exchange came to ---- */

static bool is_tls_refusal(CURLcode code, const char *error)
{
	static const CURLcode codes[] = {
		CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,  CURLE_SSL_CIPHER,
		CURLE_SSL_CACERT_BADFILE,       CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
		CURLE_SSL_CLIENTCERT,
	};

	for (size_t i = 0; i < length_of(codes); i++)
		if (codes[i] == code)
			return true;
	return code != CURLE_OK && http_tls_is_refusal(error);
}

/* What body_written counts was taken by OpenSSL and so is in the kernel: nothing buffers in
 * between. curl may count some bytes of the header besides, when these did not leave at once. It is
 * never too few, and the doubt errs on the safe side. */
static bool is_fully_written(const struct transfer *transfer)
{
	long request_bytes = 0; /* without a body, the header tells whether anything left */

	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	return request_bytes > 0 && transfer->body_written >= body_bytes(transfer->request);
}

/* Asks for a login, or forbids: it will tomorrow. What passes (it cannot reach the server, it is
 * busy) is trouble of the way.
 */
static bool is_proxy_refusal(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status >= 300 && status < 500 && status != 408 && status != 429;
}

static int64_t retry_after_ms(CURL *easy)
{
	curl_off_t seconds = 0; /* a date in the past comes as a negative number */

	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
	return max(min(seconds, MOST_RETRY_AFTER_S), 0) * 1000;
}

static void describe_failure(const struct transfer *transfer, CURLcode code)
{
	/* What curl says of an alert "certificate expired"; when it is the server's certificate that
	 * does not pass, it says more. */
	static const char vague[] = "SSL certificate verification failed";
	char *text = transfer->request->transport_text;
	const size_t room = sizeof(transfer->request->transport_text);

	if (transfer->reply_too_large)
		snprintf(text, room, "the reply is larger than %llu bytes",
			 (unsigned long long)transfer->most_reply_bytes);
	else if (code == CURLE_SEND_FAIL_REWIND)
		snprintf(text, room, "the connection closed without an answer");
	else if (strcmp(transfer->error, vague) == 0)
		snprintf(text, room, "the server says that our certificate has expired");
	else
		snprintf(text, room, "%s",
			 transfer->error[0] ? transfer->error : curl_easy_strerror(code));
}

static int64_t date_ms(CURL *easy)
{
	struct curl_header *date;
	time_t seconds = -1;

	if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK)
		seconds = curl_getdate(date->value, NULL);
	return seconds > 0 ? (int64_t)seconds * 1000 : 0;
}

/* Of a handshake that our key did not sign, curl says that it failed. */
static bool describe_key_trouble(const struct http *http, const struct transfer *transfer,
				 CURLcode code)
{
	struct http_request *request = transfer->request;
	struct err why;

	if (code != CURLE_SSL_CONNECT_ERROR || http_tls_key_trouble(http->tls, &why) == 0)
		return false;
	snprintf(request->transport_text, sizeof(request->transport_text), "%.*s",
		 (int)sizeof(request->transport_text) - 1, why.text);
	return true;
}

static void fill(const struct http *http, const struct transfer *transfer, CURLcode code)
{
	struct http_request *request = transfer->request;
	const char *content_type = NULL;
	curl_off_t duration_us = 0;
	bool key_failed = false;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &content_type);
	curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &duration_us);
	snprintf(request->reply_content_type, sizeof(request->reply_content_type), "%s",
		 content_type ? content_type : "");
	if (code != CURLE_OK) {
		buf_clear(&request->reply);
		describe_failure(transfer, code);
		key_failed = describe_key_trouble(http, transfer, code);
	}
	request->duration_ms = duration_us / 1000;
	request->answered_ms = clock_now_ms();
	request->date_ms = date_ms(transfer->easy);
	request->exchange = (struct exchange){
		.answered = code == CURLE_OK,
		.fully_written = is_fully_written(transfer),
		.reply_too_large = transfer->reply_too_large,
		.our_tls_refused = is_tls_refusal(code, transfer->error) || key_failed,
		.proxy_refused = code != CURLE_OK && is_proxy_refusal(transfer->easy),
		.http_status = (int)status,
		.retry_after_ms = retry_after_ms(transfer->easy),
		.transport_text = request->transport_text,
	};
}

/* ---- transfers ---- */

static void release(struct http *http, struct transfer *transfer)
{
	http_multi_remove(http->multi, transfer->easy);
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	transfer->request = NULL;
}

static void end(struct http *http, struct transfer *transfer)
{
	queue_put(&http->ended, transfer->request);
	release(http, transfer);
	event_active(http->delivery, EV_TIMEOUT, 0);
}

static struct curl_slist *headers_of(const struct http_request *request)
{
	bool has_action = request->soap_action != NULL && request->soap_action[0] != '\0';
	scoped(free_ptr) char *content_type = xasprintf("Content-Type: %s", request->content_type);
	scoped(free_ptr) char *soap_action =
		xasprintf("SOAPAction: \"%s\"", has_action ? request->soap_action : "");
	const char *const lines[] = {
		content_type,
		"Accept: application/soap+xml, multipart/related",
		"Expect:", /* nothing: or curl waits for a 100 that few servers send */
		soap_action,
	};
	struct curl_slist *headers = NULL;

	for (size_t i = 0; i < length_of(lines) - !has_action; i++) {
		headers = curl_slist_append(headers, lines[i]);
		if (headers == NULL)
			no_memory();
	}
	return headers;
}

static void forget_the_last(struct transfer *transfer)
{
	struct http_request *request = transfer->request;

	transfer->sendings = 0;
	transfer->body_written = 0;
	transfer->reply_bytes = 0;
	transfer->reply_too_large = false;
	transfer->error[0] = '\0';
	buf_clear(&request->reply);
	request->reply.limit = transfer->most_reply_bytes;
	request->reply_content_type[0] = '\0';
	request->transport_text[0] = '\0';
	request->duration_ms = 0;
	request->sent_ms = request->answered_ms = request->date_ms = 0;
	request->exchange = (struct exchange){ .transport_text = request->transport_text };
}

static void start(struct http *http, struct transfer *transfer, struct http_request *request)
{
	CURL *easy = transfer->easy;
	CURLcode code;

	transfer->request = request;
	transfer->headers = headers_of(request);
	forget_the_last(transfer);
	code = curl_easy_setopt(easy, CURLOPT_URL, request->url);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
					(curl_off_t)body_bytes(request));
	if (code == CURLE_OK && !http_multi_add(http->multi, easy))
		code = CURLE_FAILED_INIT;
	if (code != CURLE_OK) {
		describe_failure(transfer, code);
		end(http, transfer);
	}
}

static void start_those_waiting(struct http *http)
{
	if (http->waits_for_lists)
		return;
	for (size_t i = 0; i < http->transfer_count && http->waiting.first != NULL; i++)
		if (http->transfers[i].request == NULL)
			start(http, &http->transfers[i], queue_take(&http->waiting));
}

static void go_on(struct http *http)
{
	http->waits_for_lists = false;
	event_del(http->look_lasts);
	start_those_waiting(http);
}

static void lists_are_known(void *http)
{
	go_on(http);
}

static void look_lasts(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_warning("the revocation lists could not be looked at within %d s: those of before stay "
		    "in force meanwhile",
		    MOST_LOOK_S);
	go_on(arg);
}

/* What is sent now goes by the lists of now. While a look goes on that is late already, by those of
 * before.
 */
void http_post(struct http *http, struct http_request *request)
{
	static const struct timeval most = { MOST_LOOK_S, 0 };

	queue_put(&http->waiting, request);
	if (revocation_look(http->revocation, http->workers, lists_are_known, http)) {
		http->waits_for_lists = true;
		event_add(http->look_lasts, &most);
	}
	start_those_waiting(http);
}

/* curl counts, as long as a handle lives, how many connections died under it: the sixth would not be replaced, and told as
 * "tried 5 times". A copy has the settings and counts anew.
 */
static void forget_dead_connections(struct transfer *transfer)
{
	CURL *copy = curl_easy_duphandle(transfer->easy);

	if (copy == NULL)
		no_memory();
	curl_easy_cleanup(transfer->easy);
	transfer->easy = copy;
}

static void collect(void *arg)
{
	struct http *http = arg;
	CURLcode code;
	CURL *easy;

	while ((easy = http_multi_ended(http->multi, &code)) != NULL) {
		struct transfer *transfer = NULL;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
		fill(http, transfer, code);
		end(http, transfer);
		if (code != CURLE_OK || transfer->sendings > 1)
			forget_dead_connections(transfer);
	}
	start_those_waiting(http);
}

static void deliver(evutil_socket_t fd, short what, void *arg)
{
	struct http *http = arg;
	struct http_request *request = queue_take(&http->ended);

	(void)fd;
	(void)what;
	if (http->ended.first != NULL)
		event_active(http->delivery, EV_TIMEOUT, 0);
	request->done(request); /* last: it may free the client */
}

/* ---- what curl asks of a transfer ---- */

/* Before each sending of the request. curl sends it again by itself when a kept-alive connection
 * turns out to be closed. */
static int on_sending(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	struct transfer *transfer = arg;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	transfer->sendings++;
	transfer->body_taken = 0;
	transfer->request->sent_ms = clock_now_ms();
	return CURL_PREREQFUNC_OK;
}

/* curl wants to send the request again after some of its body had left: the server may have all of
 * it and have stored the document. Refused, so that it comes to light as doubt. This is why the
 * body is not given as POSTFIELDS, which curl rewinds without asking. */
static int on_rewind(void *arg, curl_off_t offset, int origin)
{
	(void)arg;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

/* The count starts again when curl sends again: what had left by then is remembered here. */
static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
		       curl_off_t up)
{
	struct transfer *transfer = arg;

	(void)down_total;
	(void)down;
	(void)up_total;
	transfer->body_written = max(transfer->body_written, (uint64_t)up);
	return 0;
}

static size_t on_body_wanted(char *to, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	size_t n = 0, before = transfer->body_taken;

	for (size_t i = 0; i < HTTP_PIECES; i++) {
		const struct slice piece = transfer->request->body[i];
		const struct slice rest = slice_from(piece, before);
		const size_t more = min(rest.n, size * count - n);

		if (more > 0)
			memcpy(to + n, rest.p, more);
		n += more;
		before -= min(before, piece.n);
	}
	transfer->body_taken += n;
	return n;
}

/* Counts header and body together: neither may fill the memory. */
static bool still_fits(struct transfer *transfer, size_t n)
{
	transfer->reply_bytes += n;
	transfer->reply_too_large = transfer->reply_bytes > transfer->most_reply_bytes;
	return !transfer->reply_too_large;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	(void)line;
	return still_fits(arg, size * count) ? size * count : 0;
}

static size_t on_reply(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	const struct slice more = { bytes, size * count };

	if (!still_fits(transfer, more.n))
		return 0;
	buf_add(&transfer->request->reply, more);
	return more.n;
}

/* ---- birth ---- */

/* curl's number for both ends of the range; 0 when it is none. */
static long tls_range(const char *least, const char *most)
{
	static const struct {
		const char *text;
		long least, most;
	} versions[] = {
		{ "1.2", CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_2 },
		{ "1.3", CURL_SSLVERSION_TLSv1_3, CURL_SSLVERSION_MAX_TLSv1_3 },
	};

	for (size_t from = 0; from < length_of(versions); from++)
		for (size_t to = from; to < length_of(versions); to++)
			if (strcmp(versions[from].text, least) == 0 &&
			    strcmp(versions[to].text, most) == 0)
				return versions[from].least | versions[to].most;
	return 0;
}

static CURLcode set_numbers(CURL *easy, const struct http_settings *settings)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_POST, 1 },
		{ CURLOPT_NOPROGRESS, 0 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_QUICK_EXIT, 1 }, /* or a resolver that hangs holds the loop */
		{ CURLOPT_TCP_KEEPALIVE, 1 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		/* what a resumed session or an old connection was told may no longer be true */
		{ CURLOPT_SSL_SESSIONID_CACHE, settings->revocation.kind == REVOCATION_OFF },
		{ CURLOPT_MAXLIFETIME_CONN, MOST_CONNECTION_S },
		{ CURLOPT_SSLVERSION, tls_range(settings->tls.least, settings->tls.most) },
		{ CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms },
		{ CURLOPT_TIMEOUT_MS, (long)settings->exchange_timeout_ms },
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < length_of(numbers) && code == CURLE_OK; i++)
		code = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
	return code;
}

static CURLcode set_texts(CURL *easy, const struct http_settings *settings)
{
	bool has_login = settings->proxy_login != NULL && settings->proxy_login[0] != '\0';
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
		{ CURLOPT_PROTOCOLS_STR, "https" },
		{ CURLOPT_PROXY, settings->proxy ? settings->proxy : "" },
		{ CURLOPT_NOPROXY, "" }, /* the environment has no say: neither of these is NULL */
		{ CURLOPT_PROXYUSERPWD, has_login ? settings->proxy_login : NULL },
		{ CURLOPT_CAPATH, NULL }, /* the system's authorities do not count */
		{ CURLOPT_SSL_CIPHER_LIST, settings->tls.ciphers },
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < length_of(texts) && code == CURLE_OK; i++)
		code = curl_easy_setopt(easy, texts[i].option, texts[i].value);
	return code;
}

/* From memory: a file that is being replaced never meets a key of before, and the loop never waits
 * for a disk. */
static CURLcode set_authorities(CURL *easy, const struct http *http)
{
	const struct slice ca = http_tls_ca(http->tls);
	struct curl_blob blob = { (char *)(uintptr_t)ca.p, ca.n, CURL_BLOB_NOCOPY };

	return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
}

/* curl takes a certificate and a key as files only, and some keys are none. */
static CURLcode on_connecting(CURL *easy, void *ssl_context, void *arg)
{
	const struct http *http = arg;

	(void)easy;
	revocation_prepare(http->revocation, ssl_context);
	return http_tls_prepare(http->tls, ssl_context) == 0 ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

static void set_callbacks(CURL *easy, struct http *http, struct transfer *transfer)
{
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_connecting);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, http);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_sending);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_body_wanted);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static int open_transfer(struct http *http, struct transfer *transfer,
			 const struct http_settings *settings, struct err *err)
{
	CURLcode code;

	transfer->most_reply_bytes = settings->most_reply_bytes;
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL)
		no_memory();
	set_callbacks(transfer->easy, http, transfer);
	code = set_numbers(transfer->easy, settings);
	if (code == CURLE_OK)
		code = set_texts(transfer->easy, settings);
	if (code == CURLE_OK)
		code = set_authorities(transfer->easy, http);
	if (code != CURLE_OK)
		return err_set(err, ERR_HALT, "curl does not take a setting: %s",
			       curl_easy_strerror(code));
	return 0;
}

static void start_curl(void)
{
	static bool started;

	if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		no_memory();
	started = true;
}

int http_new(struct http **ret_http, struct event_base *loop, struct workers *workers,
	     const struct http_settings *settings, struct err *err)
{
	scoped(http_free) struct http *http = xcalloc(1, sizeof(*http));

	start_curl();
	if (http_tls_new(&http->tls, &settings->tls, clock_now_ms(), err) < 0 ||
	    revocation_new(&http->revocation, &settings->revocation, err) < 0)
		return -1;
	if (tls_range(settings->tls.least, settings->tls.most) == 0)
		return err_set(err, ERR_HALT, "TLS from %s to %s: the versions are 1.2 and 1.3",
			       settings->tls.least, settings->tls.most);
	http->loop = loop;
	http->workers = workers;
	http->look_lasts = event_new(loop, -1, 0, look_lasts, http);
	http->delivery = event_new(loop, -1, 0, deliver, http);
	http->transfer_count = settings->most_connections;
	http->transfers = xcalloc(http->transfer_count, sizeof(http->transfers[0]));
	http->multi = http_multi_new(loop, http->transfer_count, collect, http);
	for (size_t i = 0; i < http->transfer_count; i++)
		if (open_transfer(http, &http->transfers[i], settings, err) < 0)
			return -1;
	*ret_http = take(http);
	return 0;
}

/* ---- end ---- */

static void close_transfers(struct http *http)
{
	for (size_t i = 0; i < http->transfer_count; i++) {
		release(http, &http->transfers[i]);
		curl_easy_cleanup(http->transfers[i].easy);
	}
	free(http->transfers);
}

static void free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void http_free(struct http **http)
{
	struct http *h = *http;

	if (h == NULL)
		return;
	close_transfers(h);
	http_multi_free(&h->multi);
	free_event(h->delivery);
	free_event(h->look_lasts);
	http_tls_free(&h->tls);
	revocation_free(&h->revocation);
	free_ptr(http);
}
