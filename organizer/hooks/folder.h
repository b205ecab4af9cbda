/* folder: which executables in hooks/<event>/ may run, and why others may not. */
#ifndef ORGANIZER_HOOKS_FOLDER_H
#define ORGANIZER_HOOKS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

struct str;

struct hook_folder {
    char **paths; /* absolute, in name order */
    size_t len;
    unsigned refused; /* that do not run though somebody put them there */
    int error; /* errno of what could not be read: what else there is is not known now; or 0 */
};

/* Reads dir/event. What others than root or our user own or may write is refused and told in the
 * log: the folder itself with all above it, or single files (links are followed, and where they
 * lead is judged the same way). Hidden names, backups and what a package manager left aside
 * (.dpkg-old, .rpmsave) are passed over; what is not executable is told, too, but for papers
 * (README, *.txt, …). A missing folder is an empty one, and so is one that we may not read, which
 * is told. */
void hook_folder_read(struct hook_folder *h, const char *dir, const char *event,
                      const struct log *log);
void hook_folder_clear(struct hook_folder *h);

/* Whether nobody but root and our user can change the file at path, or put another in its place:
 * the file, its folder and every folder above it (a sticky one like /tmp is fine). Links are
 * followed first. False puts the reason and the remedy in why; errno is that of what could not be
 * looked at, or 0. */
bool hook_trusted(const char *path, struct str *why);

#endif
