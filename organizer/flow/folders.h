/* folders: what becomes of a folder directly in an Inbox, the same for the daemon and for `check`. */
#ifndef ORGANIZER_FLOW_FOLDERS_H
#define ORGANIZER_FLOW_FOLDERS_H

#include "cabinet/matter.h"
#include "decide/reason.h"

/* Why the folder at path (from root, the cabinet, down; directly in an Inbox, and not empty) is
 * taken nowhere and told: REASON_WHICH_CASE, REASON_OTHER_CASE with *other as it may be shown
 * (borrowed), or REASON_NONE. *target (may be NULL) gets the case it is for, NULL when unclear. */
enum reason folder_reason(const struct matters *all, int root, const char *path,
                          const struct lang *lang, struct matter **target, const char **other);

#endif
