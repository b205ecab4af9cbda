/* zone: the system's time zone, and how dates are written there. */
#ifndef ORGANIZER_CABINET_ZONE_H
#define ORGANIZER_CABINET_ZONE_H

#include "decide/date.h"

/* The IANA name that the link localtime (/etc/localtime) leads to, "UTC" when it tells none. The
 * caller frees it. */
char *zone_of_link(const char *localtime);
/* How dates in figures are mostly written where the zone is: month first in the United States, day
 * first in Europe, Africa and Australia, year first in East Asia; elsewhere it is asked. */
enum date_order zone_date_order(const char *zone);

#endif
