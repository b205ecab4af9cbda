/* folder: which executables in hooks/<event>/ may run, and why others may not. */
#ifndef ORGANIZER_HOOKS_FOLDER_H
#define ORGANIZER_HOOKS_FOLDER_H

#include <stddef.h>

#include "base/log.h"

struct hook_folder {
    char **paths; /* absolute, in name order */
    size_t len;
};

/* Reads dir/event. What others than root or our user own or may write is refused and told in the
 * log: the folder itself, or single files. A missing folder is an empty one. */
void hook_folder_read(struct hook_folder *h, const char *dir, const char *event,
                      const struct log *log);
void hook_folder_clear(struct hook_folder *h);

#endif
