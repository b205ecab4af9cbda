#include "flow/flights.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "flow/internal.h"

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) : 0;
}

static void add_key(struct flow *f, struct flight *fl, struct tally_key key)
{
    tally_add(&f->flying, &key);
    fl->keys[fl->len++] = key;
}

void flight_begin(struct flow *f, struct flight *fl, const struct doc_stamp *file,
                  const struct doc *d, char *path)
{
    fl->path = path;
    add_key(f, fl, tally_file(file));
    add_key(f, fl, tally_path(path, strlen(path)));
    add_key(f, fl, tally_folder(path, folder_length(path)));
    if (d->number)
        add_key(f, fl, tally_doc(d));
    DL_APPEND(f->flights, fl);
}

void flight_end(struct flow *f, struct flight *fl, const char *landed)
{
    if (!fl->len)
        return;
    while (fl->len > 0)
        tally_remove(&f->flying, &fl->keys[--fl->len]);
    DL_DELETE(f->flights, fl);
    /* Under another name than was thought: nobody could ask for that. */
    if (landed && (fl->again || strcmp(landed, fl->path) != 0))
        flow_hint(f, landed, false);
    free(fl->path);
    fl->path = NULL;
}

bool flights_have(const struct flow *f, const struct doc_stamp *file, const struct doc *d)
{
    const struct tally_key key = tally_doc(d);

    return tally_has_file(f->flying, file) || (d->number && tally_has(f->flying, &key));
}

void flights_missed(struct flow *f, const char *path)
{
    const struct tally_key key = tally_path(path, strlen(path));
    struct flight *fl;

    if (!tally_has(f->flying, &key))
        return;
    DL_FOREACH(f->flights, fl)
    {
        fl->again |= strcmp(fl->path, path) == 0;
    }
}

void flights_passed(struct flow *f, const char *folder)
{
    size_t n = strlen(folder);
    const struct tally_key key = tally_folder(folder, n);
    struct flight *fl;

    if (!tally_has(f->flying, &key))
        return;
    DL_FOREACH(f->flights, fl)
    {
        fl->again |= folder_length(fl->path) == n && strncmp(fl->path, folder, n) == 0;
    }
}

void flights_passed_below(struct flow *f, const char *top)
{
    size_t n = strlen(top);
    struct flight *fl;

    DL_FOREACH(f->flights, fl)
    {
        fl->again |= n == 0 || (strncmp(fl->path, top, n) == 0 && fl->path[n] == '/');
    }
}
