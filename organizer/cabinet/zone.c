#include "cabinet/zone.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

/* A zone, or, when it ends in '/', all that start so. */
struct place {
    const char *name;
    enum date_order order;
};

static const struct place places[] = {
    {"America/New_York", DATE_ORDER_MDY},
    {"America/Chicago", DATE_ORDER_MDY},
    {"America/Denver", DATE_ORDER_MDY},
    {"America/Los_Angeles", DATE_ORDER_MDY},
    {"America/Phoenix", DATE_ORDER_MDY},
    {"America/Detroit", DATE_ORDER_MDY},
    {"America/Boise", DATE_ORDER_MDY},
    {"America/Anchorage", DATE_ORDER_MDY},
    {"America/Juneau", DATE_ORDER_MDY},
    {"America/Sitka", DATE_ORDER_MDY},
    {"America/Metlakatla", DATE_ORDER_MDY},
    {"America/Yakutat", DATE_ORDER_MDY},
    {"America/Nome", DATE_ORDER_MDY},
    {"America/Adak", DATE_ORDER_MDY},
    {"America/Menominee", DATE_ORDER_MDY},
    {"America/Fort_Wayne", DATE_ORDER_MDY},
    {"America/Indianapolis", DATE_ORDER_MDY},
    {"America/Louisville", DATE_ORDER_MDY},
    {"America/Indiana/", DATE_ORDER_MDY},
    {"America/Kentucky/", DATE_ORDER_MDY},
    {"America/North_Dakota/", DATE_ORDER_MDY},
    {"Pacific/Honolulu", DATE_ORDER_MDY},
    {"US/", DATE_ORDER_MDY},
    {"EST5EDT", DATE_ORDER_MDY},
    {"CST6CDT", DATE_ORDER_MDY},
    {"MST7MDT", DATE_ORDER_MDY},
    {"PST8PDT", DATE_ORDER_MDY},
    {"Europe/", DATE_ORDER_DMY},
    {"Africa/", DATE_ORDER_DMY},
    {"Australia/", DATE_ORDER_DMY},
    {"GB", DATE_ORDER_DMY},
    {"Eire", DATE_ORDER_DMY},
    {"Asia/Tokyo", DATE_ORDER_YMD},
    {"Asia/Seoul", DATE_ORDER_YMD},
    {"Asia/Pyongyang", DATE_ORDER_YMD},
    {"Asia/Shanghai", DATE_ORDER_YMD},
    {"Asia/Urumqi", DATE_ORDER_YMD},
    {"Asia/Harbin", DATE_ORDER_YMD},
    {"Asia/Chongqing", DATE_ORDER_YMD},
    {"Asia/Taipei", DATE_ORDER_YMD},
    {"Asia/Ulaanbaatar", DATE_ORDER_YMD},
    {"Japan", DATE_ORDER_YMD},
    {"ROK", DATE_ORDER_YMD},
    {"ROC", DATE_ORDER_YMD},
    {"PRC", DATE_ORDER_YMD},
};

char *zone_of_link(const char *localtime)
{
    static const char root[] = "/zoneinfo/";
    char target[PATH_MAX];
    ssize_t n = readlink(localtime, target, sizeof target - 1);
    const char *zone;

    target[n > 0 ? n : 0] = '\0';
    zone = strstr(target, root);
    zone = zone ? zone + sizeof root - 1 : "UTC";
    if (!*zone || strcmp(zone, "localtime") == 0 || !date_zone_exists(zone))
        zone = "UTC";
    return xstrdup(zone);
}

enum date_order zone_date_order(const char *zone)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t n = strlen(places[i].name);

        if (places[i].name[n - 1] == '/' ? strncmp(zone, places[i].name, n) == 0
                                         : strcmp(zone, places[i].name) == 0)
            return places[i].order;
    }
    return DATE_ORDER_ASK;
}
