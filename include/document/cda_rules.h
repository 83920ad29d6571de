/* What is read of the header of a CDA document, as a table of paths; and what is known while it is read.
 * Shared by the files of cda, and by nobody else: the parser hands elements over (cda.c), the table says
 * what each of them gives (cda_rules.c).
 *
 * Owned by one thread at a time.
 */
#ifndef DMPFEED_DOCUMENT_CDA_RULES_H
#define DMPFEED_DOCUMENT_CDA_RULES_H

#include "document/cda.h"

enum {
	CDA_PATH = 192,
	CDA_RULE_PATH = 128,  /* of a rule, at most */
	CDA_MOST_VALUE = 4096 /* bytes kept of a text; an attribute is refused above */
};

enum cda_place { CDA_BEFORE, CDA_INSIDE, CDA_AFTER }; /* of the ClinicalDocument */

struct cda_reader {
	struct cda *cda;
	struct arena *arena;
	struct err *err;
	bool failed;

	struct _xmlParserCtxt *parser;
	struct slice rest; /* not handed to the parser yet */

	struct slice bytes;     /* all of them */
	struct digest *content; /* of those before `digested`, but for what tells a version */
	size_t digested;
	unsigned apart; /* depth of the element that is left out; 0: none */
	bool lost;      /* where an element begins or ends could not be told */

	enum cda_place place;
	unsigned depth, most_depth;
	unsigned root;                  /* depth of the ClinicalDocument */
	unsigned skipped;               /* depth of the element being passed over; 0: none */
	unsigned stylesheet, signature; /* depth of what is around the ClinicalDocument; 0: none */
	char path[CDA_PATH]; /* of the element, from the ClinicalDocument: "author/time" */
	size_t path_n;
	uint64_t seen; /* rules that may apply once only, by their place in the table */

	const struct cda_rule *text_rule; /* what the characters are for; NULL: nobody wants them */
	struct buf text;
	struct base64_seen body;
	const char *qualifier; /* of the part of the patient's name being read */
	bool has_birth_family, has_birth_given;

	struct cda_person *person; /* the author or signatory being read */
	struct cda_event *event;
	struct cda_code *translations; /* of this event */
	size_t translation_count;      /* of all events */
	bool parent_wanted;            /* the relatedDocument being read is the one to keep */
};

/* The attributes of an element, as libxml2 gives them: five pointers each. */
struct cda_attributes {
	const unsigned char **five;
	size_t count;
};

enum cda_owner { CDA_OF_DOCUMENT, CDA_OF_PERSON, CDA_OF_EVENT };
enum cda_kind { CDA_NOTHING, CDA_ID, CDA_CODE, CDA_ATTRIBUTE, CDA_TEXT, CDA_BODY };

/* What an element at `path` gives: its id, code, attribute or text goes to the member at `member`
 * of its owner, unless that holds a value already; a body is looked at, and nothing of it kept. `open`
 * does whatever else the element asks for, first.
 */
struct cda_rule {
	char path[CDA_RULE_PATH];
	void (*open)(struct cda_reader *reader, const struct cda_attributes *attributes);
	void (*close)(struct cda_reader *reader,
		      const char *text); /* a text that needs a thought */
	enum cda_kind kind;
	enum cda_owner owner;
	size_t member;
	const char *attribute;
	bool once;
	bool of_version; /* it tells this version from the next */
};

/* The document is at fault: nothing more is read of it. */
void cda_stop(struct cda_reader *reader, enum reason reason, const char *text);

/* Where the reader is: what err.where has room for. */
const char *cda_where(const struct cda_reader *reader);

/* The rule of the reader's path; NULL: none. *ret_leads: other rules are below it. */
const struct cda_rule *cda_rule_of(const struct cda_reader *reader, bool *ret_leads);

/* Of reader->seen. */
uint64_t cda_rule_bit(const struct cda_rule *rule);

/* What the element gives: by what the rule does first, and by its attributes or, later, its text. */
void cda_take_element(struct cda_reader *reader, const struct cda_rule *rule,
		      const struct cda_attributes *attributes);
void cda_take_text(struct cda_reader *reader);

/* An empty document, before; and what follows from all of it, after. */
void cda_begin(struct cda *cda);
const struct cda_event *cda_main_event(const struct cda *cda);

#endif
