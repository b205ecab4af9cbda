/* folders: what becomes of a folder directly in an Inbox, and which of a case's folders a document goes to:
 * the same for the daemon, `check` and `plan`. */
#ifndef ORGANIZER_FLOW_FOLDERS_H
#define ORGANIZER_FLOW_FOLDERS_H

#include "cabinet/matter.h"
#include "decide/reason.h"

/* Why the folder at path (from root, the cabinet, down; directly in an Inbox, and not empty) is
 * taken nowhere and told: REASON_WHICH_CASE, REASON_OTHER_CASE with *other as it may be shown
 * (borrowed), or REASON_NONE. *target (may be NULL) gets the case it is for, NULL when that is unclear
 * or it is a page's, which stays. */
enum reason folder_reason(const struct matters *all, int root, const char *path,
                          const struct lang *lang, struct matter **target, const char **other);

/* The folder of the case at case_path (from root down; "": the case itself) that documents for
 * `folder` go to: one that is there in other capitals is used. Caller frees. NULL
 * with errno when whether there is one is not known now. */
char *folder_in_case(int root, const char *case_path, const char *folder);

#endif
