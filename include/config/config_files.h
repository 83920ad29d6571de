/* The files of a configuration: the one that is named, and those that it includes, as one tree.
 *
 * What a later file says is added to what the earlier ones said: keys beside keys, the entries of a list
 * after those that are there. Only the first includes others, and no order of files decides which of
 * two values counts: a value that two files give is an error.
 */
#ifndef DMPFEED_CONFIG_CONFIG_FILES_H
#define DMPFEED_CONFIG_CONFIG_FILES_H

#include "config/option_yaml.h"

/* Included when the file does not say what is: a folder beside it, which need not be there. */
#define CONFIG_INCLUDE "conf.d/*.yaml"

/* What `file` and those that it includes say; a pattern that does not begin with / starts at `folder`.
 * NULL: there is nothing to work with, and complaints say why.
 */
const struct yaml_tree *config_files_load(struct option_reading *reading, const char *file,
					  const char *folder);

/* What `bytes`, the text of `file`, say; files that it includes are not read. NULL likewise. */
const struct yaml_tree *config_files_parse(struct option_reading *reading, const char *file,
					   struct slice bytes);

#endif
