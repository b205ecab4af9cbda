/*
 * Names are bytes; manifests are UTF-8 (RFC 8493, section 2.1.3, with bagit.txt). A path that is no
 * UTF-8 is stored with each offending byte as =HH, and the metadata keep its exact bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/payload.h"
#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"

#define BLOCK 65536

struct block {
    struct block *next;
    size_t used, size;
    char bytes[];
};

struct payload_names {
    struct block *first;
};

struct payload_names *payload_names_new(void)
{
    return xcalloc(1, sizeof(struct payload_names));
}

void payload_names_free(struct payload_names *n)
{
    while (n && n->first) {
        struct block *b = n->first;

        n->first = b->next;
        free(b);
    }
    free(n);
}

static char *room(struct payload_names *n, size_t bytes)
{
    struct block *b = n->first;

    if (!b || b->size - b->used < bytes) {
        size_t size = bytes > BLOCK - sizeof *b ? bytes : BLOCK - sizeof *b;

        b = xmalloc(sizeof *b + size);
        b->next = n->first;
        b->used = 0;
        b->size = size;
        n->first = b;
    }
    b->used += bytes;
    return b->bytes + b->used - bytes;
}

const char *payload_names_join(struct payload_names *n, const char *a, const char *b)
{
    char *to = room(n, strlen(a) + strlen(b) + 2), *at = to;

    if (*a) {
        at = stpcpy(at, a);
        *at++ = '/';
    }
    stpcpy(at, b);
    return to;
}

static void escape(struct str *out, const char *path)
{
    const char *end = path + strlen(path);

    while (path < end) {
        const char *from = path;

        if (utf8_next(&path, end) >= 0)
            str_addn(out, from, (size_t)(path - from));
        else
            for (; from < path; from++)
                str_addf(out, "=%02X", (unsigned char)*from);
    }
}

static int by_path(const void *key, const void *entry)
{
    return strcmp(key, ((const struct payload_entry *)entry)->path);
}

/* Whether the first n entries, or a path, hold the name already. */
static bool is_taken(const struct payload *p, size_t n, const char *stored)
{
    if (bsearch(stored, p->entries, p->len, sizeof *p->entries, by_path))
        return true;
    for (size_t i = 0; i < n; i++)
        if (p->entries[i].stored != p->entries[i].path &&
            strcmp(p->entries[i].stored, stored) == 0)
            return true;
    return false;
}

static const char *make_stored(struct payload *p, size_t i)
{
    AUTO_STR struct str name = STR_INIT;
    size_t len;

    escape(&name, p->entries[i].path);
    len = name.len;
    for (unsigned serial = 2; is_taken(p, i, str_c(&name)); serial++) {
        str_cut(&name, len);
        str_addf(&name, "~%u", serial);
    }
    return payload_names_join(p->names, "", str_c(&name));
}

void payload_names_store(struct payload *p)
{
    for (size_t i = 0; i < p->len; i++) {
        struct payload_entry *e = &p->entries[i];

        e->stored = utf8_valid(e->path, strlen(e->path)) ? e->path : make_stored(p, i);
    }
}
