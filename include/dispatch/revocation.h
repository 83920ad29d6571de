/* Whether the server's certificate was revoked: by the lists (CRL) in a file or folder that somebody
 * keeps up to date, and by the OCSP answer that a server may staple to its certificate. What neither
 * tells is taken for good softly, and refused hard. A certificate that is on a list is refused even
 * when the list is out of date.
 *
 * Loop only.
 */
#ifndef DMPFEED_DISPATCH_REVOCATION_H
#define DMPFEED_DISPATCH_REVOCATION_H

#include "base/jobs.h"

enum revocation_kind { REVOCATION_OFF, REVOCATION_SOFT, REVOCATION_HARD };

struct revocation_settings {
	enum revocation_kind kind;
	const char *crl; /* a file, or a folder of files, each PEM or DER; NULL or "": none */
};

struct revocation;

/* Reads the lists. -1: a file that cannot be read, or holds none (ERR_HALT). The settings' texts
 * must outlive it.
 */
must_use int revocation_new(struct revocation **ret_revocation,
			    const struct revocation_settings *settings, struct err *err);

/* Who is still looking keeps what it needs; done() is not called. */
void revocation_free(struct revocation **revocation);

/* Looks on a worker whether the lists have changed on the disk, and reads them again; then done(arg).
 * When they cannot be read those of before stay in force, and the journal says so once. false: there
 * is no list to be looked at, or somebody is looking already, and done() is not called for this.
 */
bool revocation_look(struct revocation *revocation, struct workers *workers,
		     void (*done)(void *arg), void *arg);

/* Gives an SSL_CTX, for a new connection, what is to be checked of the server. */
void revocation_prepare(const struct revocation *revocation, void *ssl_context);

#endif
