/* own: what in a case is the organizer's own, and no document, for verbs about archives. */
#ifndef ORGANIZER_VERBS_OWN_H
#define ORGANIZER_VERBS_OWN_H

#include <stdbool.h>

/* Whether path (from the case folder down) is the organizer's: its journal, pages, temporary names.
 */
bool own_is_made(const char *path);
/* As above, and the case's card, which is people's. */
bool own_is_made_or_card(const char *path);

#endif
