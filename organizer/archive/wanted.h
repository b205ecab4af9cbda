/*
 * wanted: what of an archive is asked for by name: names or paths of documents, of folders with all
 * that is in them, or patterns of these, in any case of letters.
 */
#ifndef ORGANIZER_ARCHIVE_WANTED_H
#define ORGANIZER_ARCHIVE_WANTED_H

#include <stdbool.h>

/* Whether path, from the case folder down, is asked for by one of the NULL-terminated list; hit[i]
 * (NULL: nobody asks) is set for each that does. */
bool wanted_any(const char *const *list, const char *path, bool *hit);
/* Whether the file path of a bag, from the bag down, is surely not asked for: payload, under a name
 * that is the same however archives and manifests write names. list NULL: all is asked for. */
bool wanted_is_aside(const char *const *list, const char *path);
/* As above, for an entry of an archive: the bag may be all of it, or lie in a folder of it, which may
 * be called data, too. */
bool wanted_entry_aside(const char *const *list, const char *path);

#endif
