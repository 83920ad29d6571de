/* Object identifiers. Any thread. */
#include "document/oid.h"

/* Takes one arc off *rest: digits, no leading zero but "0" itself. */
static bool take_arc(struct slice *rest)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
		n++;
	if (n == 0 || (n > 1 && rest->p[0] == '0'))
		return false;
	*rest = slice_from(*rest, n);
	return true;
}

bool oid_is_valid(const char *text)
{
	struct slice rest = slice_of(text);
	bool has_dot = false;

	if (rest.n >= OID_TEXT || rest.n == 0 || rest.p[0] > '2') /* ITU-T X.660: roots 0, 1, 2 */
		return false;
	while (take_arc(&rest)) {
		if (rest.n == 0)
			return has_dot;
		if (rest.p[0] != '.')
			return false;
		has_dot = true;
		rest = slice_from(rest, 1);
	}
	return false;
}
