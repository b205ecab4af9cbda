#include "verbs/recorded.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "record/state_archive.h"
#include "verbs/verb.h"

void recorded_open(struct recorded *r, const struct verb_call *call, const char *path)
{
    struct error none = ERROR_INIT;
    AUTO_FREE char *cabinet = cabinet_find(call->cabinet ? call->cabinet : path, &none);

    r->survey = (struct survey){.cab = {.root = -1, .lock = -1}};
    /* Whoever may not read the private state learns what the archive alone tells. */
    if (cabinet && survey_open(&r->survey, cabinet, call->env, &none) < 0)
        r->survey.state = NULL;
}

bool recorded_digest(struct recorded *r, const char *path, struct digest *d)
{
    AUTO_FREE char *inside = r->survey.state ? verb_inside(r->survey.cab.path, path) : NULL;
    struct error none = ERROR_INIT;
    struct archive_row row;

    if (!inside || state_archive_at(r->survey.state, inside, &row, &none) <= 0)
        return false;
    *d = row.digest;
    archive_row_clear(&row);
    return true;
}

struct looking {
    struct recorded *r;
    const char *folder; /* from the cabinet down */
    void (*missing)(void *ctx, const char *path);
    void *ctx;
};

static int look_for(void *ctx, const struct archive_row *row)
{
    const struct looking *l = ctx;
    size_t n = strlen(l->folder);
    struct stat st;

    if (n && (strncmp(row->path, l->folder, n) != 0 || row->path[n] != '/'))
        return 0;
    if (fstatat(l->r->survey.cab.root, row->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        l->missing(l->ctx, row->path);
    return 0;
}

void recorded_missing(struct recorded *r, const char *folder,
                      void (*missing)(void *ctx, const char *path), void *ctx)
{
    AUTO_FREE char *real = r->survey.state ? xasprintf("%s/", folder) : NULL;
    AUTO_FREE char *inside = real ? verb_inside(r->survey.cab.path, real) : NULL;
    struct looking l = {r, inside, missing, ctx};
    struct error none = ERROR_INIT;

    if (inside)
        state_each_archive(r->survey.state, NULL, look_for, &l, &none);
}

void recorded_close(struct recorded *r)
{
    survey_close(&r->survey);
}
