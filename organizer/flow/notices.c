#include "flow/notices.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/str.h"
#include "flow/internal.h"
#include "record/state_archive.h"

/* What nobody has to mend is told for so long. */
#define TOLD_NS (INT64_C(14) * 24 * 3600 * NS_PER_S)

const enum reason notice_case_reasons[] = {REASON_TAMPERED,     REASON_COPIED_CASE,
                                           REASON_CARD,         REASON_CASE_RENAMED,
                                           REASON_NOT_CLOSED,   REASON_NONE};

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static char *sentence(const struct lang *lang, const char *what, enum reason reason,
                      const struct notice_about *a)
{
    AUTO_FREE char *key = xasprintf("%s.%s", what, reason_code(reason));
    const char *slash = strrchr(a->path, '/');
    const char *name = slash ? slash + 1 : a->path;
    char line[16];

    snprintf(line, sizeof line, "%u", a->line);
    return lang_format(lang, key, "name", name, "path", a->path, "other", or_empty(a->other),
                       "case", a->path, "why", or_empty(a->why), "folder", name, "line", line,
                       NULL);
}

void notice_text_make(struct notice_text *t, const struct lang *lang, enum reason reason,
                      const struct notice_about *about)
{
    t->sentence = sentence(lang, "reason", reason, about);
    t->help = sentence(lang, "help", reason, about);
}

void notice_text_clear(struct notice_text *t)
{
    free(t->sentence);
    free(t->help);
    *t = (struct notice_text){0};
}

const char *notice_other_kind(const struct lang *lang, mode_t mode)
{
    return lang_get(lang, S_ISLNK(mode)    ? "other.link"
                          : S_ISFIFO(mode) ? "other.pipe"
                          : S_ISSOCK(mode) ? "other.socket"
                                           : "other.device");
}

/* The prefix that the case had before its folder was renamed. Caller frees. */
static char *last_prefix(const struct matter *m)
{
    AUTO_FREE char *all = matter_former(m);
    const char *slash = all ? strrchr(all, '/') : NULL;

    return xstrdup(slash ? slash + 1 : all ? all : "");
}

static void copied(struct notice_about *a, const struct matters *all, const struct matter *m,
                   const struct lang *lang)
{
    const struct matter *of = matters_by_id(all, m->facts.id);

    /* Who may see the copy need not know where the case is. */
    a->other =
        of && of != m && !of->facts.restricted ? of->facts.path : lang_get(lang, "case.restricted");
}

/* The first mistake with its line; the others behind it with theirs. */
static char *mistakes(struct notice_about *a, const struct card *seen)
{
    struct str text = STR_INIT;

    a->line = seen->problems[0].line;
    str_add(&text, seen->problems[0].text);
    for (size_t i = 1; i < seen->problems_len; i++)
        str_addf(&text, "; line %u: %s", seen->problems[i].line, seen->problems[i].text);
    return str_detach(&text);
}

bool notice_of_case(struct notice_text *t, const struct matters *all, const struct matter *m,
                    const struct lang *lang, enum reason reason)
{
    struct notice_about a = {.path = m->facts.path};
    AUTO_FREE char *text = NULL;

    switch (reason) {
    case REASON_CARD:
        if (m->untouchable || m->seen.problems_len == 0)
            return false;
        text = mistakes(&a, &m->seen);
        a.why = text;
        break;
    case REASON_CASE_RENAMED:
        if (m->reason != reason)
            return false;
        text = last_prefix(m);
        a.other = text;
        break;
    case REASON_NOT_CLOSED:
        if (!m->card.closed || m->closed || !m->against)
            return false;
        a.why = m->against;
        break;
    case REASON_COPIED_CASE:
        if (m->reason != reason)
            return false;
        copied(&a, all, m, lang);
        break;
    default:
        if (m->reason != reason)
            return false;
    }
    notice_text_make(t, lang, reason, &a);
    return true;
}

bool notice_is_archived(struct state *state, int root, const struct case_row *row)
{
    struct error err = ERROR_INIT;
    struct archive_row last;
    bool is = false;

    if (row->closed && state_archive_last(state, row->id, &last, &err) > 0) {
        AUTO_CLOSE int fd = beneath_open(root, last.path, O_PATH, 0);

        is = fd >= 0 && !last.intermediate;
        archive_row_clear(&last);
    }
    return is;
}

bool notice_is_gone_told(struct state *state, const struct case_row *row, int root, int64_t now_ns)
{
    AUTO_CLOSE int fd = -1;

    if (notice_is_archived(state, root, row))
        return false;
    if (!row->gone_ns || now_ns - row->gone_ns <= TOLD_NS)
        return true;
    fd = beneath_open(root, row->path, O_PATH | O_DIRECTORY, 0);
    return fd >= 0;
}

char *notice_of_gone(struct notice_text *t, const struct lang *lang, int root,
                     const struct case_row *row)
{
    AUTO_CLOSE int fd = beneath_open(root, row->path, O_PATH | O_DIRECTORY, 0);
    char *path = row->restricted ? xstrdup("")
                 : fd < 0        ? xstrdup(row->path)
                                 : xasprintf("%s/" CARD_NAME, row->path);

    /* What not everybody may know of is told without its name. */
    notice_text_make(
        t, lang, REASON_MISSING,
        &(struct notice_about){.path = *path ? path : lang_get(lang, "case.restricted")});
    return path;
}

bool notice_is_loose_told(const struct cabinet *c, const char *path, const struct doc_stamp *file,
                          int64_t now_ns)
{
    return *path != '.' && !strchr(path, '/') && file->birth_ns > c->folders_ns &&
           now_ns - file->ctime_ns <= TOLD_NS;
}

/* ---- in the daemon --------------------------------------------------------------------------- */

static char *notice_key(enum reason reason, const char *path)
{
    return xasprintf("%s\n%s", reason_code(reason), path);
}

void flow_notice(struct flow *f, enum reason reason, const char *path, char *sentence_text,
                 char *help)
{
    AUTO_FREE char *key = notice_key(reason, path);
    struct flow_notice *n;

    HASH_FIND_STR(f->notices, key, n);
    if (n && strcmp(n->n.sentence, sentence_text) == 0) {
        free(sentence_text);
        free(help);
        return;
    }
    if (n) {
        notice_clear(&n->n);
    } else {
        n = xcalloc(1, sizeof *n);
        n->key = key;
        key = NULL;
        HASH_ADD_KEYPTR(hh, f->notices, n->key, strlen(n->key), n);
    }
    n->n = (struct notice){
        .reason = reason, .path = xstrdup(path), .sentence = sentence_text, .help = help};
    log_line(&f->log, LOG_NOTICE, "needs attention", "folder", path, "reason", reason_code(reason),
             "why", sentence_text, NULL);
    flow_touch(f, matters_of(f->matters, path, NULL));
    flow_touch(f, NULL);
}

static void drop(struct flow *f, struct flow_notice *n)
{
    HASH_DEL(f->notices, n);
    flow_touch(f, matters_of(f->matters, n->n.path, NULL));
    flow_touch(f, NULL);
    notice_clear(&n->n);
    free(n->key);
    free(n);
}

void flow_unnotice(struct flow *f, enum reason reason, const char *path)
{
    AUTO_FREE char *key = notice_key(reason, path);
    struct flow_notice *n;

    HASH_FIND_STR(f->notices, key, n);
    if (n)
        drop(f, n);
}

void flow_notice_about(struct flow *f, enum reason reason, const struct notice_about *about)
{
    struct notice_text t;

    notice_text_make(&t, f->lang, reason, about);
    flow_notice(f, reason, about->path, t.sentence, t.help);
}

void flow_notice_case(struct flow *f, const struct matter *m)
{
    struct notice_text t;

    for (const enum reason *r = notice_case_reasons; *r != REASON_NONE; r++) {
        if (notice_of_case(&t, f->matters, m, f->lang, *r))
            flow_notice(f, *r, m->facts.path, t.sentence, t.help);
        else
            flow_unnotice(f, *r, m->facts.path);
    }
}

void flow_unnotice_all(struct flow *f, const char *path)
{
    struct flow_notice *n, *tmp;

    HASH_ITER(hh, f->notices, n, tmp)
    {
        if (strcmp(n->n.path, path) == 0)
            drop(f, n);
    }
}

void flow_prune_notices(struct flow *f)
{
    struct flow_notice *n, *tmp;

    HASH_ITER(hh, f->notices, n, tmp)
    {
        const char *name;
        AUTO_CLOSE int dir = beneath_parent(f->cab.root, n->n.path, &name);

        if (n->n.reason == REASON_MISSING || n->n.reason == REASON_WATCH_LIMIT || !*n->n.path)
            continue;
        if (dir < 0 || faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            drop(f, n);
    }
}
