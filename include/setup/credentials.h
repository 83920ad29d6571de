/* The certificates and keys that the configuration names, opened: who signs for each legal entity.
 *
 * Loaded at start and at each reload, immutable afterwards: any thread may read it.
 */
#ifndef DMPFEED_SETUP_CREDENTIALS_H
#define DMPFEED_SETUP_CREDENTIALS_H

#include "config.h"

struct credentials;

/* Opens and checks every one. -1: what is wrong with each is appended to `errors`, one line each:
 * "FILE:LINE:COLUMN: sentence". *ret_credentials is set all the same: an establishment at fault
 * cannot send, the others can. One whose key is on a token that is away can when it is back.
 */
int credentials_load(struct credentials **ret_credentials, const struct config *config,
		     int64_t now_ms, struct buf *errors);
/* What listeners and ways back to sources need for their TLS. -1 likewise; one at fault cannot open. */
must_use int credentials_check_doors(const struct config *config, int64_t now_ms,
				     struct buf *errors);

void credentials_free(struct credentials **credentials);

/* Its number: no other of this process has it, before or after. Never 0. */
uint64_t credentials_edition(const struct credentials *credentials);

/* By the place of the establishment in the configuration. */
size_t credentials_count(const struct credentials *credentials);

/* What keeps it from sending: which option is wrong, and how; "": nothing. */
const char *credentials_trouble(const struct credentials *credentials, size_t index);

/* What its certificates have that the DMP may mind, though each is good by itself: a sentence a line. */
void credentials_remark(const struct credentials *credentials, const struct config *config,
			size_t index, struct buf *remarks);

/* NULL when it cannot send. */
const struct signer *credentials_signer(const struct credentials *credentials, size_t index);

#endif
