#include "archive/heal.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/disk.h"
#include "archive/reading.h"
#include "archive/tags.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "cabinet/access.h"
#include "record/state_archive.h"

#define INFO_MAX 65536

/* One archive being read. The manifests of our own bags list the payload in the order in which it
 * lies in the archive: what they must say is known when they come. */
struct healing {
    const struct heal_order *h;
    struct digester *manifest; /* what manifest-sha256.txt must be, as far as read */
    struct str tagmanifest;    /* what tagmanifest-sha256.txt must be, as far as read */
    struct str info;           /* bag-info.txt */
    bool manifest_holds, tags_hold;
    uint64_t bytes;
};

/* The content of the entry in hand; kept in text when it is not NULL. 0, or -1: damaged. */
static int read_content(struct archive *a, struct digest *d, uint64_t *size, struct str *text)
{
    struct digester *g = digester_new();
    la_int64_t offset;
    const void *bytes;
    size_t n;
    int rc;

    *size = 0;
    while ((rc = archive_read_data_block(a, &bytes, &n, &offset)) == ARCHIVE_OK) {
        digester_add(g, bytes, n);
        *size += n;
        if (text && text->len + n <= INFO_MAX)
            str_addn(text, bytes, n);
    }
    *d = digester_done(g);
    return rc == ARCHIVE_EOF ? 0 : -1;
}

static void add_line(struct str *out, const struct digest *d, const char *name)
{
    char hex[DIGEST_HEX];

    str_addf(out, "%s  ", digest_hex(d, hex));
    tags_add_path(out, name);
    str_addc(out, '\n');
}

static void take_payload(struct healing *g, const char *name, const struct digest *d, uint64_t size)
{
    AUTO_STR struct str line = STR_INIT;

    if (name[strlen(name) - 1] == '/')
        return;
    add_line(&line, d, name);
    digester_add(g->manifest, line.s, line.len);
    g->bytes += size;
}

static void take_tag(struct healing *g, const char *name, const struct digest *d)
{
    struct digest wanted;

    if (strcmp(name, "tagmanifest-sha256.txt") == 0) {
        wanted = digest_of(g->tagmanifest.s, g->tagmanifest.len);
        g->tags_hold = digest_equal(&wanted, d);
        return;
    }
    if (strcmp(name, "manifest-sha256.txt") == 0) {
        wanted = digester_done(g->manifest);
        g->manifest = digester_new();
        g->manifest_holds = digest_equal(&wanted, d);
    }
    if (strncmp(name, "tagmanifest-", 12) != 0)
        add_line(&g->tagmanifest, d, name);
}

static int take_entry(struct healing *g, struct archive *a, const char *name)
{
    const char *inside = name ? strchr(name, '/') : NULL;
    struct digest d;
    uint64_t size;

    if (!inside || !inside[1])
        return -1;
    inside++;
    if (read_content(a, &d, &size, strcmp(inside, "bag-info.txt") == 0 ? &g->info : NULL) < 0)
        return -1;
    if (strncmp(inside, "data/", 5) == 0)
        take_payload(g, inside, &d, size);
    else
        take_tag(g, inside, &d);
    return 0;
}

/* Reads all of it. 0 when it holds, -1. */
static int read_all(struct healing *g, struct disk *disk)
{
    struct reading r;
    struct archive_entry *e;
    int rc = reading_open(&r, disk, g->h->order->format);

    while (rc == 0 && (rc = archive_read_next_header(r.a, &e)) == ARCHIVE_OK)
        rc = take_entry(g, r.a, archive_entry_pathname(e));
    reading_close(&r);
    return rc == ARCHIVE_EOF && g->manifest_holds && g->tags_hold ? 0 : -1;
}

/* The value of a line of bag-info.txt; caller frees, NULL when there is none. */
static char *info_value(const struct healing *g, const char *label)
{
    size_t n = strlen(label);

    for (const char *p = str_c(&g->info); *p; p += strcspn(p, "\n"), p += *p == '\n')
        if (strncmp(p, label, n) == 0 && strncmp(p + n, ": ", 2) == 0)
            return xmemdup0(p + n + 2, strcspn(p + n + 2, "\n"));
    return NULL;
}

/* What its bag-info.txt says: whether it is of this case, and what is in it. */
static bool take_info(const struct healing *g, struct snapshot_result *r)
{
    AUTO_FREE char *id = info_value(g, "Organizer-Case");
    AUTO_FREE char *content = info_value(g, "Organizer-Content");
    AUTO_FREE char *documents = info_value(g, "Organizer-Documents");

    if (!id || strcmp(id, g->h->order->case_id) != 0 || !content ||
        digest_parse(content, &r->content) < 0)
        return false;
    r->documents = documents ? strtoull(documents, NULL, 10) : 0;
    r->bytes = g->bytes;
    return true;
}

static bool is_whole(const struct heal_order *h, const char *name, struct snapshot_result *r)
{
    struct healing g = {.h = h, .manifest = digester_new()};
    struct disk *disk = disk_open(h->shelf->dir, name);
    bool whole = false;

    if (disk) {
        r->size = disk_size(disk);
        whole = read_all(&g, disk) == 0 && take_info(&g, r);
        whole = disk_end(disk, &r->digest) == 0 && whole;
    }
    digester_free(g.manifest);
    str_clear(&g.tagmanifest);
    str_clear(&g.info);
    return whole;
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

/* Exactly as shelf_publish() names them: a copy that somebody made is called otherwise. */
static bool is_named_so(const struct heal_order *h, const char *name)
{
    AUTO_FREE char *start = xasprintf("%s_Archive_", h->order->prefix);
    size_t n = strlen(start);

    if (strncmp(name, start, n) != 0 || strspn(name + n, "0123456789-") != strlen("2026-11-23"))
        return false;
    name += n + strlen("2026-11-23");
    if (*name == '_')
        name += 1 + strspn(name + 1, "0123456789");
    return strcmp(name, snapshot_ending(h->order->format)) == 0;
}

/* 1 it is one and is whole, 0 not, -1. */
static int try_name(const struct heal_order *h, const char *name, struct snapshot_result *r,
                    struct error *err)
{
    struct shelf_rights rights = {.case_fd = h->case_fd,
                                  .owner_only = access_walled(h->order->root, h->case_fd,
                                                              h->order->case_path)};
    int rc = is_named_so(h, name) ? is_recorded(h, name, err) : 1;

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (!is_whole(h, name, r))
        return 0;
    r->path = xasprintf("%s/%s", h->order->folder, name);
    r->outcome = SNAPSHOT_MADE;
    r->healed = true;
    return shelf_write_sum(h->shelf, name, &r->digest, &rights, err) < 0 ? -1 : 1;
}

int heal_find(const struct heal_order *h, struct snapshot_result *r, struct error *err)
{
    int fd = openat(h->shelf->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    int rc = 0;

    if (!d) {
        cleanup_close(&fd);
        return error_set(err, errno, "the folder %s cannot be read", h->order->folder);
    }
    while (rc == 0 && (e = readdir(d)))
        rc = try_name(h, e->d_name, r, err);
    closedir(d);
    return rc;
}
