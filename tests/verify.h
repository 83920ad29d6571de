/* A signature, verified by xmlsec, which knows nothing of us. */
#ifndef DMPFEED_TESTS_VERIFY_H
#define DMPFEED_TESTS_VERIFY_H

#include <libxml/parser.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

#include "sample.h"

static inline void say_nothing(void *arg, xmlErrorPtr error)
{
	(void)arg, (void)error;
}

/* Once, before and after the tests. Complaints about what must fail are not shown. */
static inline void xmlsec_start(void)
{
	xmlInitParser();
	assert_true(xmlSecInit() >= 0 && xmlSecCryptoAppInit(NULL) >= 0 && xmlSecCryptoInit() >= 0);
	xmlSecErrorsDefaultCallbackEnableOutput(0);
	xmlSetStructuredErrorFunc(NULL, say_nothing);
}

static inline void xmlsec_end(void)
{
	xmlSecCryptoShutdown();
	xmlSecCryptoAppShutdown();
	xmlSecShutdown();
	xmlCleanupParser();
}

/* Does the (first) signature in `xml` hold for the certificate, over so many references? What a
 * Manifest lists is the application's business (XML Signature, 5.1).
 */
static inline bool xmlsec_verifies(struct slice xml, const char *certificate, size_t references)
{
	static const xmlChar *const ids[] = { BAD_CAST "ID", BAD_CAST "Id", NULL };
	xmlDoc *doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);
	xmlNode *signature = NULL;
	bool verified = false;

	context->flags |= XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS;
	context->signKey =
		xmlSecCryptoAppKeyLoad(certificate, xmlSecKeyDataFormatCertPem, NULL, NULL, NULL);
	assert_non_null(context->signKey);
	if (doc != NULL) {
		xmlSecAddIDs(doc, xmlDocGetRootElement(doc), (const xmlChar **)(uintptr_t)ids);
		signature = xmlSecFindNode(xmlDocGetRootElement(doc), xmlSecNodeSignature,
					   xmlSecDSigNs);
	}
	if (signature != NULL && xmlSecDSigCtxVerify(context, signature) == 0)
		verified = context->status == xmlSecDSigStatusSucceeded &&
			   xmlSecPtrListGetSize(&context->signedInfoReferences) == references;
	xmlSecDSigCtxDestroy(context);
	xmlFreeDoc(doc);
	return verified;
}

/* Parts that a signature does not cover: from the end of the first text to the start of the
 * second.
 */
struct uncovered {
	const char *from, *to;
};

static inline bool is_covered(struct slice xml, size_t at, const struct uncovered *parts,
			      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *p = xml.p, *end;

		while ((p = strstr(p, parts[i].from)) != NULL) {
			end = strstr(p + strlen(parts[i].from), parts[i].to);
			assert_non_null(end);
			if (xml.p + at >= p + strlen(parts[i].from) && xml.p + at < end)
				return false;
			p = end;
		}
	}
	return true;
}

/* Changes one byte after the other, and wants each change noticed. */
static inline void assert_every_byte_counts(struct slice xml, const char *certificate,
					    size_t references, const struct uncovered *parts,
					    size_t count)
{
	scoped(free_ptr) char *copy = slice_dup(xml);
	size_t tried = 0;

	for (size_t i = 0; i < xml.n; i++) {
		if (!is_covered(xml, i, parts, count))
			continue;
		copy[i] ^= 1;
		if (xmlsec_verifies((struct slice){ copy, xml.n }, certificate, references))
			fail_msg("a change at byte %zu goes unnoticed: %.40s", i, copy + i);
		copy[i] ^= 1;
		tried++;
	}
	assert_true(tried > 1000);
}

#endif
