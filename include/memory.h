/* The memory that libraries take. */
#ifndef DMPFEED_MEMORY_H
#define DMPFEED_MEMORY_H

/* No library is told that there is none: this one says then that a document is no XML, that one that a certificate is
 * not signed, the next one crashes. They end as xcalloc() does, in words. First of all, before any of them takes some.
 *
 * SQLite is left as it is: it says what it lacks, takes back what it began, and the writer tries again.
 */
void memory_start(void);

#endif
