/* The VIHF: the SAML 2.0 assertion by which the hospital says, in each request, who asks and about
 * whom ("authentification indirecte"), signed by its certificate ORG SIGN.
 *
 * Written in canonical form (xmldsig.h). Pure. Any thread.
 */
#ifndef DMPFEED_DMP_VIHF_H
#define DMPFEED_DMP_VIHF_H

#include "dmp/xmldsig.h"

/* What is the same for every document. Texts are never NULL; "" leaves an attribute out. */
struct vihf_settings {
	const char *version;       /* VIHF_Version */
	const char *mode_name;     /* how the attribute Authentification_Mode is spelt */
	const char *authn_context; /* last part of a SAML 2.0 class: "unspecified" */
	bool conditions;           /* say from when to when it is valid */
	enum digest_kind digest;
	const char *lps_id, *lps_name, *lps_version;
	const char *homologation; /* a secret */
};

struct vihf_role {
	const char *code, *system, *name;
};

struct vihf {
	const struct vihf_settings *settings;
	const char *id; /* a UUID, fresh at every attempt */
	int64_t now_ms; /* IssueInstant */

	const char *name_id;    /* identifier of who asks, or of who answers for the gateway */
	const char *subject_id; /* their name; of software: its name, model and department */
	const char *structure;  /* Struct_IdNat of the site */
	const char *sector;     /* its sector of activity: SA01 */
	const struct vihf_role *roles;
	size_t role_count;

	const char *patient_ins, *patient_ins_oid;
	/* a minor's care that the guardians must not see: the documents sent are invisible to them */
	bool secret_connection;
};

/* Appends the signed assertion. -1 (ERR_HALT): it cannot be signed. */
must_use int vihf_build(const struct vihf *vihf, struct pen *pen, struct buf *out, struct err *err);

#endif
