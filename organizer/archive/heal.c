#include "archive/heal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/disk.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/access.h"
#include "record/state_archive.h"

/* Its bytes, from the disk, are those that were proved before it got its name. */
static bool is_intended(const struct heal_order *h, const char *name)
{
    const struct snapshot_result *wanted = h->order->intended;
    struct disk *disk = disk_open(h->shelf->dir, name);
    struct digest digest;
    bool same_size;

    if (!disk)
        return false;
    same_size = disk_size(disk) == wanted->size;
    return disk_end(disk, &digest) == 0 && same_size && digest_equal(&digest, &wanted->digest);
}

/* 1 recorded, 0 not, -1. */
static int is_recorded(const struct heal_order *h, const char *name, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", h->order->folder, name);
    struct state *s = state_open(h->order->state_dir, true, err);
    struct archive_row row = {0};
    int rc = s ? state_archive_at(s, path, &row, err) : -1;

    archive_row_clear(&row);
    state_close(s);
    return rc;
}

static bool is_named_so(const struct heal_order *h, const char *name)
{
    AUTO_FREE char *start = xasprintf("%s_Archive_", h->order->prefix);
    const char *ending = snapshot_ending(h->order->format);
    size_t n = strlen(name), e = strlen(ending);

    return strncmp(name, start, strlen(start)) == 0 && n > e && strcmp(name + n - e, ending) == 0;
}

/* 1 it is the one, 0 not, -1. */
static int try_name(const struct heal_order *h, const char *name, struct snapshot_result *r,
                    struct error *err)
{
    const struct snapshot_result *wanted = h->order->intended;
    struct shelf_rights rights = {.case_fd = h->case_fd,
                                  .owner_only = access_walled(h->order->root, h->case_fd,
                                                              h->order->case_path)};
    int rc = is_named_so(h, name) ? is_recorded(h, name, err) : 1;

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (!is_intended(h, name))
        return 0;
    *r = (struct snapshot_result){.outcome = SNAPSHOT_MADE,
                                  .path = xasprintf("%s/%s", h->order->folder, name),
                                  .digest = wanted->digest,
                                  .content = wanted->content,
                                  .size = wanted->size,
                                  .documents = wanted->documents,
                                  .bytes = wanted->bytes,
                                  .healed = true};
    return shelf_write_sum(h->shelf, name, &r->digest, &rights, err) < 0 ? -1 : 1;
}

int heal_find(const struct heal_order *h, struct snapshot_result *r, struct error *err)
{
    struct dirent *e;
    DIR *d;
    int more = -1, rc = 0;

    if (!h->order->intended)
        return 0;
    d = io_list(h->shelf->dir);
    while (d && rc == 0 && (more = io_next(d, &e)) > 0)
        rc = try_name(h, e->d_name, r, err);
    if (rc == 0 && more < 0)
        rc = error_set(err, errno, "the folder %s cannot be read", h->order->folder);
    if (d)
        closedir(d);
    return rc;
}
