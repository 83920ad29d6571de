/* dmpfeedd --check-config: everything that can be wrong, told at once, or what is in force. */
#ifndef DMPFEED_SETUP_CHECK_H
#define DMPFEED_SETUP_CHECK_H

/* `user`: as preflight_become() has it. Prints, and returns what the program ends with. */
int check_config(const char *file, const char *user);

#endif
