#include "archive/proof.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/disk.h"
#include "archive/reading.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

struct proof {
    const struct proof_wanted *w;
    struct reading reading;
    size_t tag, at; /* next tag, next entry of the payload */
    struct str name;
};

/* ---- entry by entry --------------------------------------------------------------------------- */

/* What comes next in the archive. */
struct expected {
    const struct digest *digest; /* NULL: an empty folder */
    uint64_t size;
};

static bool is_packed(const struct payload_entry *e)
{
    return payload_is_file(e) || (e->flags & PAYLOAD_EMPTY && *e->path);
}

/* False when there is nothing more to come. */
static bool next_expected(struct proof *p, struct expected *x)
{
    const struct tags *t = p->w->tags;
    const struct payload *all = p->w->payload;

    str_reset(&p->name);
    str_addf(&p->name, "%s/", t->top);
    if (p->tag >= t->before)
        while (p->at < all->len && !is_packed(&all->entries[p->at]))
            p->at++;
    if (p->tag < t->before || p->at == all->len) {
        if (p->tag == t->len)
            return false;
        str_add(&p->name, t->list[p->tag].name);
        *x = (struct expected){&t->list[p->tag].sums.sha256, t->list[p->tag].size};
        p->tag++;
    } else {
        const struct payload_entry *e = &all->entries[p->at++];

        str_addf(&p->name, "data/%s%s", e->stored, payload_is_file(e) ? "" : "/");
        *x = payload_is_file(e) ? (struct expected){&e->sha256, e->size}
                                : (struct expected){NULL, 0};
    }
    return true;
}

static int differs(const struct proof *p, const char *what, struct error *err)
{
    return error_set(err, 0, "the archive on the disk is not what was written: %s of %s", what,
                     str_c(&p->name));
}

/* Reads the entry's bytes to the end. */
static int read_entry(struct proof *p, const struct expected *x, struct error *err)
{
    struct digester *g = digester_new();
    struct digest digest;
    uint64_t size = 0;
    la_int64_t offset;
    const void *bytes;
    size_t n;
    int rc;

    while ((rc = archive_read_data_block(p->reading.a, &bytes, &n, &offset)) == ARCHIVE_OK) {
        digester_add(g, bytes, n);
        size += n;
    }
    digest = digester_done(g);
    if (rc != ARCHIVE_EOF)
        return error_set(err, 0, "the archive on the disk is damaged at %s (%s)", str_c(&p->name),
                         archive_error_string(p->reading.a));
    if (size != x->size)
        return differs(p, "the size", err);
    if (x->digest && !digest_equal(&digest, x->digest))
        return differs(p, "the content", err);
    return 0;
}

static int check_entry(struct proof *p, struct archive_entry *entry, struct error *err)
{
    const char *name = archive_entry_pathname(entry);
    struct expected x;

    if (!next_expected(p, &x))
        return error_set(err, 0, "the archive on the disk holds more than was written");
    if (!name || strcmp(name, str_c(&p->name)) != 0)
        return differs(p, "the name", err);
    return read_entry(p, &x, err);
}

static int check_entries(struct proof *p, struct error *err)
{
    struct archive_entry *entry;
    struct expected x;
    int rc;

    while ((rc = archive_read_next_header(p->reading.a, &entry)) == ARCHIVE_OK) {
        if (p->w->stopped && p->w->stopped(p->w->ctx))
            return error_set(err, ECANCELED, "it was stopped");
        if (check_entry(p, entry, err) < 0)
            return -1;
    }
    if (rc != ARCHIVE_EOF)
        return error_set(err, 0, "the archive on the disk is damaged (%s)",
                         archive_error_string(p->reading.a));
    return next_expected(p, &x) ? differs(p, "nothing", err) : 0;
}

static int check(struct proof *p, struct disk *disk, struct error *err)
{
    int rc;

    if (disk_size(disk) != p->w->size)
        return error_set(err, 0, "the archive on the disk has another size than was written");
    if (reading_open(&p->reading, disk, p->w->format) == ARCHIVE_OK)
        rc = check_entries(p, err);
    else
        rc = error_set(err, 0, "the archive on the disk cannot be opened (%s)",
                       p->reading.a ? archive_error_string(p->reading.a) : "no memory");
    reading_close(&p->reading);
    return rc;
}

int proof_read(int dirfd, const char *name, const struct proof_wanted *w, struct error *err)
{
    struct proof p = {.w = w, .name = STR_INIT};
    struct disk *disk = disk_open(dirfd, name);
    struct digest digest;
    int rc;

    if (!disk)
        return error_set(err, errno, "the archive cannot be read back");
    rc = check(&p, disk, err);
    if (disk_end(disk, &digest) < 0)
        rc = rc < 0 ? rc : error_set(err, errno, "the archive cannot be read back");
    else if (rc == 0 && !digest_equal(&digest, &w->digest))
        rc = error_set(err, 0, "the archive on the disk is not what was written");
    str_clear(&p.name);
    return rc;
}
