/* Who gives an order. Worker. */
#include "operator/actor.h"

#include <pwd.h>
#include <stdio.h>

enum { MOST_NAME = 4096 }; /* of an entry in the table of users */

void actor_name(uid_t uid, char out[ACTOR_TEXT])
{
	char room[MOST_NAME];
	struct passwd user, *found = NULL;

	if (getpwuid_r(uid, &user, room, sizeof(room), &found) == 0 && found != NULL)
		snprintf(out, ACTOR_TEXT, "%.64s (%ld)", user.pw_name, (long)uid);
	else
		snprintf(out, ACTOR_TEXT, "(%ld)", (long)uid);
}
