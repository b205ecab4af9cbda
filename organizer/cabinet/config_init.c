/* config_init: the defaults of organizer.yaml. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cabinet/config.h"

#define SECOND INT64_C(1000)
#define DAY    (86400 * SECOND)

void config_clear_folders(struct config *c)
{
    for (size_t i = 0; i < c->folders_len; i++)
        free(c->folders[i].folder);
    free(c->folders);
    c->folders = NULL;
    c->folders_len = 0;
}

void config_init(struct config *c)
{
    *c = (struct config){
        .mode = MODE_ENFORCE,
        .naming = NAMING_STANDARD,
        .settle_ms = 10 * SECOND,
        .drafts_s = 5 * DAY / SECOND,
        .date_order = DATE_ORDER_ASK,
        .date_from = {DATE_FROM_NAME, DATE_FROM_DOCUMENT, DATE_FROM_FILE},
        .date_from_len = 3,
        .time_zone = xstrdup("UTC"),
        .nightly_min = 3 * 60 + 30,
        .retire_s = -1,
        .snapshots = SNAPSHOTS_NEVER,
        .keep = 4,
        .max_path = 200,
        .sweep_ms = 600 * SECOND,
        .hook_limit = 4,
        .hook_ms = 60 * SECOND,
        .upload_ms = 12 * 3600 * SECOND,
    };
}

void config_clear(struct config *c)
{
    config_clear_folders(c);
    free(c->time_zone);
    free(c->office);
    free(c->group);
    memset(c, 0, sizeof *c);
}
