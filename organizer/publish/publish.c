#include "publish/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "publish/own.h"
#include "publish/page.h"
#include "record/state.h"

#define FLUSH_BYTES (4u << 20) /* pages held before they are written */
#define FLUSH_FILES 512

bool publish_is_own_name(const char *name)
{
    static const char *const names[] = {PAGE_INDEX, PAGE_TABLE, PAGE_ATTENTION, PAGE_HOW};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void notice_clear(struct notice *n)
{
    free(n->path);
    free(n->sentence);
    free(n->help);
    *n = (struct notice){0};
}

static void clear_notices(struct notice *n, size_t len)
{
    for (size_t i = 0; i < len; i++)
        notice_clear(&n[i]);
    free(n);
}

static void clear_case(struct page_case *c)
{
    char *const owned[] = {c->id,     c->path,     c->prefix,  c->client, c->case_type,
                           c->status, c->priority, c->team,    c->opened, c->closed_on,
                           c->docket, c->matter,   c->parties, c->hold};

    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    for (char **k = c->key_documents; k && *k; k++)
        free(*k);
    free(c->key_documents);
    clear_notices(c->notices, c->notices_len);
}

void publish_job_clear(struct publish_job *job)
{
    for (size_t i = 0; i < job->cases_len; i++)
        clear_case(&job->cases[i]);
    free(job->cases);
    clear_notices(job->notices, job->notices_len);
    clear_notices(job->set_aside, job->set_aside_len);
    *job = (struct publish_job){.root = -1};
}

static void keep_first(struct publish_job *job, const struct error *err)
{
    if (!*job->error.text)
        job->error = *err;
}

/* Somebody deletes the case: a page that came back would keep its folder from going. */
static bool is_beside_card(const struct publish_job *job, const char *path)
{
    AUTO_FREE char *card = xasprintf("%s/%s", path, job->card);
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(job->root, card, &name);

    return (dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) ||
           (errno != ENOENT && errno != ENOTDIR);
}

static void write_case(struct publish_job *job, struct state *s, struct own_set *set,
                       const struct tz *z, struct page_case *c)
{
    AUTO_STR struct str attention = STR_INIT;
    struct own_text index, table;
    struct error err = ERROR_INIT;
    struct listing l;

    if (job->card && !is_beside_card(job, c->path)) {
        c->put_off = true; /* or a program is saving its card */
        return;
    }
    if (listing_read(&l, s, c->id, c, job->rules, c->notices, c->notices_len, &err) < 0) {
        error_prefix(&err, "pages of %s", c->path);
        keep_first(job, &err);
    } else {
        own_in_work_since(set, c->losing ? 0 : job->in_work_ns, &c->put_off);
        own_text_begin(&index, set, c->path);
        page_case(&index, job, c, &l, z);
        own_put_text(set, PAGE_INDEX, &index);
        own_text_begin(&table, set, c->path);
        csv_case(&table, job, &l, z);
        own_put_text(set, PAGE_TABLE, &table);
        attention_case(&attention, job, &l);
        own_put(set, c->path, PAGE_ATTENTION, &attention);
    }
    listing_clear(&l);
}

static void write_cabinet(struct publish_job *job, struct state *s, struct own_set *set,
                          const struct tz *z)
{
    AUTO_STR struct str index = STR_INIT, attention = STR_INIT, how = STR_INIT;
    struct error err = ERROR_INIT;
    struct cabinet_view v;

    own_in_work_since(set, job->now_ns, NULL);
    page_how(&how, job);
    own_put(set, "", PAGE_HOW, &how);
    if (cabinet_view_read(&v, s, job, z, &err) < 0) {
        error_prefix(&err, "pages of the cabinet");
        keep_first(job, &err);
    } else {
        page_cabinet(&index, job, &v, z);
        attention_cabinet(&attention, job, &v);
        own_put(set, "", PAGE_INDEX, &index);
        own_put(set, "", PAGE_ATTENTION, &attention);
    }
    cabinet_view_clear(&v);
}

/* What was set aside is told as notices, and the counts and the first failure taken over. */
static void take_results(struct publish_job *job, const struct own_set *set)
{
    job->written += set->written;
    if (*set->error.text)
        keep_first(job, &set->error);
    if (set->set_aside_len == 0)
        return;
    job->set_aside = xreallocarray(job->set_aside, job->set_aside_len + set->set_aside_len,
                                   sizeof *job->set_aside);
    for (size_t i = 0; i < set->set_aside_len; i++) {
        const struct own_aside *a = &set->set_aside[i];
        const char *slash = strrchr(a->path, '/'), *other = slash ? slash + 1 : a->path;

        job->set_aside[job->set_aside_len++] = (struct notice){
            .reason = REASON_OWN_FILE,
            .path = xstrdup(a->path),
            .sentence =
                lang_format(job->lang, "reason.own-file", "name", a->name, "other", other, NULL),
            .help = lang_format(job->lang, "help.own-file", "name", a->name, "other", other, NULL)};
    }
}

int publish_run(struct publish_job *job)
{
    struct error err = ERROR_INIT;
    struct state *s = state_open(job->state_dir, false, &err);
    struct own_set set;
    struct tz *z;

    if (!s) {
        keep_first(job, &err);
        return -1;
    }
    z = tz_load(job->time_zone);
    own_init(&set, job->root, s);
    for (size_t i = 0; i < job->cases_len; i++) {
        if (job->cases[i].write)
            write_case(job, s, &set, z, &job->cases[i]);
        if (set.bytes >= FLUSH_BYTES || set.len >= FLUSH_FILES)
            own_flush(&set);
    }
    if (job->write_cabinet)
        write_cabinet(job, s, &set, z);
    own_flush(&set);
    take_results(job, &set);
    own_clear(&set);
    /* What could not be read is not on the pages that were made: they do not count as written, and are made again
     * with the next change, or at the next start. */
    if (state_failures(s) > 0)
        keep_first(job, state_failure(s));
    tz_free(z);
    state_close(s);
    return *job->error.text ? -1 : 0;
}
