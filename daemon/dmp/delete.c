/* The deletion of a document of ours. Any thread. */
#include "dmp/delete.h"

#include "base/xml.h"

#define RIM "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
#define LCM "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
#define UPDATE "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
#define ASSOCIATION "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"

#define APPROVED "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
#define ARCHIVED "urn:asip:ci-sis:2010:StatusType:Archived"
#define DELETED "urn:asip:ci-sis:2010:StatusType:Deleted"

static void slot(const char *name, const char *value, struct buf *out)
{
	buf_addf(out, "<Slot name=\"%s\"><ValueList><Value>%s</Value></ValueList></Slot>", name,
		 value);
}

void delete_build(const struct deletion *deletion, struct buf *out)
{
	buf_add_text(out, "<lcm:SubmitObjectsRequest xmlns:lcm=\"" LCM "\" xmlns=\"" RIM
			  "\"><RegistryObjectList>");
	submission_set_build(&deletion->set, out);
	buf_add_text(out, "<Association id=\"as1\" associationType=\"" UPDATE
			  "\" objectType=\"" ASSOCIATION "\" sourceObject=\"" SUBMISSION_SET_ID
			  "\" targetObject=\"");
	xml_add(out, deletion->entry);
	buf_add_text(out, "\">");
	slot("OriginalStatus", deletion->archived ? ARCHIVED : APPROVED, out);
	slot("NewStatus", DELETED, out);
	buf_add_text(out, "</Association></RegistryObjectList></lcm:SubmitObjectsRequest>");
}
