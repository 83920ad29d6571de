/* Who wrote a document, who answers for it, who asks for its sending. Any thread, one document at a time.
 */
#include "document/metadata_filling.h"

/* The domains of the national identifiers of professionals and of structures. */
#define PERSON_DOMAIN "1.2.250.1.71.4.2.1"
#define STRUCTURE_DOMAIN "1.2.250.1.71.4.2.2"

enum {
	BARE_FINESS = 9, /* characters of a FINESS; with the '1' of Struct_IdNat, 10 */
	BARE_RPPS = 11,
	PS_RPPS = 12, /* PS_IdNat */
	PS_ADELI = 10,
	SENDER_BYTES = 256,
};

/* A system or person that only the site knows: '3', the site's FINESS, its own identifier there. */
static const char *internal_id(struct filling *filling, const char *local)
{
	return arena_printf(filling->arena, "3%s/%s", or_empty(filling->context->site->finess_eg),
			    local);
}

/* An id of a structure's own, behind that of the structure: '1' ADELI, '3' FINESS, '4' SIREN, '5' SIRET, '6' RPPS. */
static bool has_structure(const char *id)
{
	return id[0] != '\0' && strchr("13456", id[0]) != NULL && strchr(id, '/') != NULL;
}

/* A system has no national id, whatever domain it names: the DMP knows it behind its structure, or the site's. */
static int take_person_id(struct filling *filling, const struct cda_id *id, const char *where,
			  struct party *party)
{
	bool has_extension = !is_empty(id->extension);

	if (is_empty(id->root) && !has_extension)
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, where, "%s has no id",
				  where);
	if (filling_has_separators(id->root) || filling_has_separators(id->extension))
		return err_refuse(filling->err, REASON_DATA_TYPE, where,
				  "the id holds one of ^ & | ~");
	if (has_extension && is(id->root, PERSON_DOMAIN) &&
	    (!party->is_system || has_structure(id->extension))) {
		party->id = id->extension;
		party->id_is_internal = strchr(id->extension, '/') != NULL;
	} else if (has_extension && ins_is_domain(id->root)) {
		party->id = id->extension;
		party->ins_oid = id->root;
	} else {
		party->id = internal_id(filling, has_extension ? id->extension : id->root);
		party->id_is_internal = true;
	}
	return 0;
}

static int take_name(struct filling *filling, const struct cda_person *person, const char *where,
		     struct party *party)
{
	const char *software = is_empty(person->software) ? person->device : person->software;

	party->is_system = person->is_device && is_empty(person->family);
	party->family = filling_plain(filling, party->is_system ? software : person->family);
	party->given = filling_plain(filling, party->is_system ? person->device : person->given);
	if (is_empty(party->family))
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, where,
				  "%s names neither a person nor a device", where);
	return 0;
}

/* Known in full or left out: authorSpecialty has no form for less, and need not be there. What is
 * of another code system is no specialty; what is of one of the list's must be in the list.
 */
static int take_specialty(struct filling *filling, const struct cda_code *from, const char *where,
			  struct coded *ret_specialty)
{
	*ret_specialty = (struct coded){ "", "", "" };
	if (is_empty(from->code) ||
	    !valueset_knows_system(filling->context->valuesets, VALUESET_SPECIALTY, from->system))
		return 0;
	if (filling_code(filling, VALUESET_SPECIALTY, where, from, ret_specialty) < 0)
		return -1;
	if (!is_empty(from->display)) /* as its author calls it */
		ret_specialty->display = from->display;
	ret_specialty->display = filling_plain(filling, ret_specialty->display);
	return 0;
}

/* Struct_IdNat. Headers also give the bare FINESS, without the '1' that says what it is. */
static const char *institution_of(struct filling *filling, const struct cda_id *id)
{
	if (!is(id->root, STRUCTURE_DOMAIN) || filling_has_separators(id->extension))
		return "";
	if (strlen(id->extension) == BARE_FINESS)
		return arena_printf(filling->arena, "1%s", id->extension);
	return id->extension;
}

static int take_party(struct filling *filling, const struct cda_person *person, const char *where,
		      struct party *party)
{
	*party = (struct party){
		.ins_oid = "",
		.role = person->role,
		.institution_name = filling_plain(filling, person->organisation_name),
		.institution_id = institution_of(filling, &person->organisation_id),
	};
	if (take_name(filling, person, where, party) < 0 ||
	    take_specialty(filling, &person->specialty, where, &party->specialty) < 0)
		return -1;
	return take_person_id(filling, &person->id, where, party);
}

int filling_authors(struct filling *filling)
{
	const struct cda *cda = filling->cda;
	struct metadata *metadata = filling->metadata;

	if (cda->author_count == 0)
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, "author",
				  "the document has no author");
	metadata->from.authors = FROM_DOCUMENT;
	metadata->authors =
		arena_alloc(filling->arena, cda->author_count * sizeof(*metadata->authors));
	for (; metadata->author_count < cda->author_count; metadata->author_count++)
		if (take_party(filling, &cda->authors[metadata->author_count],
			       "author/assignedAuthor",
			       &metadata->authors[metadata->author_count]) < 0)
			return -1;
	return 0;
}

int filling_authentication(struct filling *filling)
{
	const struct cda *cda = filling->cda;

	if (!cda->has_legal_authenticator)
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, "legalAuthenticator",
				  "the document has no legalAuthenticator");
	if (!cda->has_custodian)
		return err_refuse(filling->err, REASON_HEADER_INCOMPLETE, "custodian",
				  "the document has no custodian");
	filling->metadata->from.legal_authenticator = FROM_DOCUMENT;
	return take_party(filling, &cda->legal_authenticator, "legalAuthenticator/assignedEntity",
			  &filling->metadata->legal_authenticator);
}

/* What a document says is bounded where it is read; authorPerson (XCN of XDS) has no more room than this. */
static int check_length(struct filling *filling, const char *text)
{
	if (strlen(text) <= SENDER_BYTES)
		return 0;
	return err_refuse(filling->err, REASON_DATA_TYPE, "authorPerson",
			  "the person who sends has an id or a name of more than %d bytes",
			  SENDER_BYTES);
}

static bool has_digits(const char *id, size_t n)
{
	return strlen(id) == n && strspn(id, "0123456789") == n;
}

/* PS_IdNat: '8' and the 11 digits of an RPPS, '0' and the 9 characters of an ADELI. An RPPS may stand bare, as
 * PRT-5.13 can say. Whom only the structure knows has an id of its own there, behind that of the structure or
 * behind none: the site's.
 */
static int take_sender_id(struct filling *filling, const char *id, bool said_internal,
			  struct party *party)
{
	party->id_is_internal = said_internal || has_structure(id);
	if (party->id_is_internal)
		party->id = has_structure(id) ? id : internal_id(filling, id);
	else if ((id[0] == '8' && has_digits(id, PS_RPPS)) ||
		 (id[0] == '0' && strlen(id) == PS_ADELI))
		party->id = id;
	else if (has_digits(id, BARE_RPPS))
		party->id = arena_printf(filling->arena, "8%s", id);
	else
		return err_refuse(
			filling->err, REASON_DATA_TYPE, "authorPerson",
			"the id of the person who sends (PRT-5.1) is no PS_IdNat: 8 and the "
			"RPPS, 0 and the ADELI");
	return 0;
}

/* The person who asks for the sending; without one in full, the software of the site. The DMP wants
 * the institution of who is authenticated, which is the site's own (EX_2.1-1140).
 */
int filling_sender(struct filling *filling)
{
	const struct metadata_request *request = filling->context->request;
	const struct metadata_site *site = filling->context->site;
	const char *id = filling_plain(filling, request->sender_id);
	const char *family = filling_plain(filling, request->sender_family);
	const char *given = filling_plain(filling, request->sender_given);
	bool is_system = filling->context->system_sends || is_empty(id) || is_empty(family) ||
			 is_empty(given);
	struct party *sender = &filling->metadata->sender;

	if (!is_system && (check_length(filling, id) < 0 || check_length(filling, family) < 0 ||
			   check_length(filling, request->sender_given) < 0))
		return -1;
	*sender = (struct party){
		.id = is_system ? internal_id(filling, or_empty(site->lps_internal_id)) : id,
		.ins_oid = "",
		.family = is_system ? filling_plain(filling, or_empty(site->lps_name)) : family,
		.given = is_system ? filling_plain(filling, or_empty(site->lps_model)) : given,
		.is_system = is_system,
		.role = "",
		.specialty = { "", "", "" },
		.institution_name = filling_plain(filling, or_empty(site->name)),
		.institution_id = arena_printf(filling->arena, "1%s", or_empty(site->finess_eg)),
	};
	if (!is_system && take_sender_id(filling, id, request->sender_id_is_internal, sender) < 0)
		return -1;
	filling->metadata->from.sender = is_system ? FROM_SITE : FROM_MESSAGE;
	filling->metadata->from.site = FROM_SITE;
	filling->metadata->site = arena_dup(filling->arena, slice_of(site->finess_eg));
	return 0;
}
