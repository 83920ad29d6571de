/* The versions of the libraries, asked of themselves. Whoever reports a fault tells them with it. */
#include "versions.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <yaml.h>
#include <zip.h>

void versions_print(struct buf *out)
{
	const unsigned xml = (unsigned)atoi(xmlParserVersion); /* 20914: 2.9.14 */

	buf_addf(out, "Jansson %s\n", jansson_version_str());
	buf_addf(out, "OpenSSL %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
	buf_addf(out, "SQLite %s\n", sqlite3_libversion());
	buf_addf(out, "libcurl %s\n", curl_version_info(CURLVERSION_NOW)->version);
	buf_addf(out, "libevent %s\n", event_get_version());
	buf_addf(out, "libxml2 %u.%u.%u\n", xml / 10000, xml / 100 % 100, xml % 100);
	buf_addf(out, "libyaml %s\n", yaml_get_version_string());
	buf_addf(out, "libzip %s\n", zip_libzip_version());
	buf_add_text(out, "p11-kit " P11_KIT_VERSION "\n"); /* it has no word for it: as built */
}
