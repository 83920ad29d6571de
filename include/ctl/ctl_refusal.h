/* What the daemon refuses and why, which it says in English, in the language of the user.
 *
 * One thread.
 */
#ifndef DMPFEED_CTL_CTL_REFUSAL_H
#define DMPFEED_CTL_CTL_REFUSAL_H

/* The caller frees it. As it is, where it is not known. */
char *ctl_refusal(const char *english);

#endif
