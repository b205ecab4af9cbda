/* refuse: what an errno means for an act, in one place, and in words. */
#ifndef ORGANIZER_FILE_REFUSE_H
#define ORGANIZER_FILE_REFUSE_H

#include "file/act.h"

/* The status that follows from an errno: STOPPED when the disk is in doubt, GONE, BUSY or REFUSED.
 */
enum act_status refuse_status(int number);
/* Sets status and error of a; returns -1. number 0: REFUSED. */
int refuse(struct act *a, int number, const char *what);

#endif
