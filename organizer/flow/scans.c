/*
 * scans: pictures of text, which the administrator's `text` hook reads, one at a time, later, and
 * without holding anything up.
 *
 * The hook gets the document as descriptor 3 and writes text to descriptor 4: a file in memory that
 * cannot grow. What it wrote is taken like any stranger's text: a parser reads it. The text is kept
 * in the case, in .organizer/text/NUMBER.txt, with the case's rights, and the document is decided
 * again with it. The document itself is never changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "cabinet/rights.h"
#include "flow/finding.h"
#include "flow/internal.h"
#include "record/content_row.h"
#include "text/text.h"
#include "text/texts.h"

#define HOOK_MS     (15 * 60 * 1000) /* of one document */
#define TEXT_FOLDER ".organizer/text"

struct picture {
    char key[CASE_ID_SIZE + 24];
    struct flow *flow;
    char case_id[CASE_ID_SIZE];
    int64_t number;
    /* While the hook has it. */
    struct doc row;
    struct content content; /* as the parser read it */
    int fd, text;
    bool asked; /* the search wants its text meanwhile */
    UT_hash_handle hh;
};

struct scans {
    struct flow *flow;
    struct hooks *hooks; /* of their own: filing and stopping do not wait for them */
    struct picture *wanted, *now;
    uint64_t read, failed;
};

static void picture_free(struct picture *s)
{
    if (s->fd >= 0)
        close(s->fd);
    if (s->text >= 0)
        close(s->text);
    doc_clear(&s->row);
    content_clear(&s->content);
    free(s);
}

static char *folder_of_text(struct flow *f, const char *case_id)
{
    const struct matter *m = matters_by_id(f->matters, case_id);

    return m ? xasprintf("%s/" TEXT_FOLDER, m->facts.path) : NULL;
}

int flow_open_hook_text(struct flow *f, const struct doc *d)
{
    AUTO_FREE char *folder = folder_of_text(f, d->case_id);
    AUTO_FREE char *path =
        folder ? xasprintf("%s/%lld.txt", folder, (long long)d->number) : NULL;

    return path ? beneath_open(f->cab.root, path, O_RDONLY | O_NOFOLLOW, 0) : -1;
}

/* ---- the text is kept in the case ------------------------------------------------------------- */

/* On its way through the filer's thread. */
struct keeping {
    int root, text;
    uint64_t len;
    char *folder;
    char name[32];
};

static int copy_text(const struct keeping *k, int to)
{
    struct text_view v;
    int rc;

    if (text_view_open(&v, k->text, k->len) < 0)
        return -1;
    rc = io_write_all(to, v.s, v.len);
    text_view_close(&v);
    return rc;
}

/* What cannot be written is read from the picture again when it is wanted: never the act's failure. */
static int keep_text(void *ctx, struct state *s, struct error *err)
{
    const struct keeping *k = ctx;
    static const char temporary[] = IO_TEMP_PREFIX "text";
    AUTO_CLOSE int dir = -1;
    AUTO_CLOSE int fd = -1;

    (void)s;
    (void)err;
    if (rights_mkdirs(k->root, k->folder) < 0)
        return 0;
    dir = beneath_open(k->root, k->folder, O_RDONLY | O_DIRECTORY, 0);
    if (dir < 0)
        return 0;
    unlinkat(dir, temporary, 0);
    fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;
    if (copy_text(k, fd) < 0 || rights_of_file(dir, fd) < 0 || fsync(fd) < 0 ||
        renameat(dir, temporary, dir, k->name) < 0)
        unlinkat(dir, temporary, 0);
    return 0;
}

static void text_kept(void *ctx, struct act *a)
{
    struct keeping *k = ctx;

    (void)a;
    close(k->text);
    free(k->folder);
    free(k);
}

static void keep_in_case(struct flow *f, const struct picture *s, int text, uint64_t len)
{
    AUTO_FREE char *folder = folder_of_text(f, s->row.case_id);
    struct keeping *k;
    struct act *a;

    if (!folder || text < 0)
        return;
    k = xcalloc(1, sizeof *k);
    *k = (struct keeping){.root = f->cab.root, .len = len};
    k->text = fcntl(text, F_DUPFD_CLOEXEC, 3);
    k->folder = folder;
    folder = NULL;
    snprintf(k->name, sizeof k->name, "%lld.txt", (long long)s->number);
    a = act_new(ACT_CALL);
    a->call = keep_text;
    a->done = text_kept;
    a->ctx = k;
    filer_submit(f->filer, a);
}

/* ---- one picture ------------------------------------------------------------------------------ */

static void picture_done(struct picture *s, bool told)
{
    struct flow *f = s->flow;

    f->scans->now = NULL;
    if (s->asked && !told && f->started && !f->stopping)
        flow_find_text(f, &s->row, &s->content, -1);
    picture_free(s);
    if (f->started)
        flow_wake(f);
}

/* The lines are those of the text, all else is what the document itself told. */
static void merge(struct content *to, const struct content *text)
{
    struct content lines;

    content_copy(&lines, text);
    for (size_t i = 0; i < to->lines_len; i++)
        free(to->lines[i].text);
    free(to->lines);
    to->lines = lines.lines;
    to->lines_len = lines.lines_len;
    to->text_len = text->text_len;
    to->flags |= CONTENT_TEXT_BY_HOOK;
    lines.lines = NULL;
    lines.lines_len = 0;
    content_clear(&lines);
}

static void text_read(void *ctx, const struct content *c, int text)
{
    struct picture *s = ctx;
    struct flow *f = s->flow;
    bool read = f->started && !f->stopping && c->status != CONTENT_NONE;

    if (read) {
        merge(&s->content, c);
        f->scans->read++;
        keep_in_case(f, s, text, c->text_len);
        flow_keep_read(f, &s->row, &s->content, text);
    }
    picture_done(s, read);
}

static void hook_done_reading(void *ctx, enum hook_answer answer, const char *why)
{
    struct picture *s = ctx;
    struct flow *f = s->flow;
    off_t written;

    (void)why; /* the runner has logged it */
    if (answer != HOOK_OK || !f->started || f->stopping) {
        f->scans->failed += answer == HOOK_FAILED;
        picture_done(s, false);
        return;
    }
    /* The offset is shared with the hook: so much it wrote. */
    written = lseek(s->text, 0, SEEK_CUR);
    if (written < 0 || ftruncate(s->text, written) < 0) {
        picture_done(s, false);
        return;
    }
    texts_submit(f->texts, s->text, KIND_TEXT, false, text_read, s);
}

static void describe(struct str *json, const struct flow *f, const struct picture *s)
{
    char hex[DIGEST_HEX];

    str_addc(json, '{');
    json_num(json, "v", 1);
    json_text(json, "event", "text");
    json_name(json, "cabinet", f->cab.path);
    json_text(json, "case_id", s->row.case_id);
    json_num(json, "number", s->row.number);
    json_name(json, "path", s->row.path);
    json_text(json, "type", kind_info(s->row.kind)->mime);
    json_text(json, "sha256", digest_hex(&s->row.digest, hex));
    json_num(json, "size", (int64_t)s->row.stamp.size);
    json_num(json, "pages", s->content.pages);
    str_addc(json, '}');
}

/* What the hook said of these bytes is kept: it was wanted twice. */
static bool is_read(struct flow *f, const struct picture *s)
{
    AUTO_CLOSE int text =
        s->content.flags & CONTENT_TEXT_BY_HOOK ? flow_open_hook_text(f, &s->row) : -1;

    return text >= 0;
}

/* False when it is not, or not any more, what its row says, or is read already. */
static bool open_picture(struct flow *f, struct picture *s)
{
    struct error err = ERROR_INIT;
    struct doc_stamp now;
    AUTO_FREE char *path = NULL;

    if (state_doc_by_number(f->state, s->case_id, s->number, &s->row, &err) <= 0 ||
        s->row.state == DOC_GONE ||
        state_content_get(f->state, &s->row.digest, &s->content, &err) <= 0 ||
        !(s->content.flags & CONTENT_IS_SCAN) || is_read(f, s))
        return false;
    path = flow_path_of(f, &s->row);
    if (path)
        s->fd = beneath_open(f->cab.root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (s->fd < 0 || doc_stamp_take(s->fd, -1, NULL, &now) < 0 ||
        !doc_stamp_equal(&now, &s->row.stamp))
        return false;
    s->text = text_file_new();
    return s->text >= 0;
}

void scans_next(struct scans *scans)
{
    struct flow *f = scans->flow;

    /* As long as it cannot be told who reads them they wait. */
    while (!scans->now && scans->wanted && hooks_are_known(scans->hooks, "text")) {
        struct picture *s = scans->wanted;
        AUTO_STR struct str json = STR_INIT;

        HASH_DEL(scans->wanted, s);
        if (!open_picture(f, s)) {
            picture_free(s);
            continue;
        }
        describe(&json, f, s);
        scans->now = s;
        hooks_run_output(scans->hooks, "text", str_c(&json), s->fd, s->text, hook_done_reading, s);
    }
}

/* ---- what is wanted --------------------------------------------------------------------------- */

void flow_want_scan(struct flow *f, const char *case_id, int64_t number)
{
    struct picture *s;
    char key[sizeof s->key];

    if (!hooks_any(f->scans->hooks, "text"))
        return;
    snprintf(key, sizeof key, "%s/%lld", case_id, (long long)number);
    HASH_FIND_STR(f->scans->wanted, key, s);
    if (s)
        return;
    s = xcalloc(1, sizeof *s);
    memcpy(s->key, key, sizeof key);
    snprintf(s->case_id, sizeof s->case_id, "%s", case_id);
    s->flow = f;
    s->number = number;
    s->fd = s->text = -1;
    HASH_ADD_STR(f->scans->wanted, key, s);
}

bool scans_put_off(struct scans *scans, const struct doc *d)
{
    struct picture *s = scans->now;

    if (!s || s->number != d->number || strcmp(s->case_id, d->case_id) != 0 ||
        !digest_equal(&s->row.digest, &d->digest))
        return false;
    s->asked = true;
    return true;
}

size_t scans_len(const struct scans *s)
{
    return HASH_COUNT(s->wanted) + (s->now != NULL);
}

void scans_reload(struct scans *s)
{
    hooks_reload(s->hooks);
}

void scans_status(const struct scans *s, struct str *json)
{
    json_num(json, "scans_to_read", (int64_t)scans_len(s));
    json_num(json, "scans_read", (int64_t)s->read);
    json_num(json, "scans_failed", (int64_t)s->failed);
}

struct scans *scans_new(struct flow *f)
{
    struct scans *s = xcalloc(1, sizeof *s);

    s->flow = f;
    s->hooks = hooks_new(f->loop, f->env->hooks_dir, 1, HOOK_MS, &f->log);
    return s;
}

void scans_free(struct scans *s)
{
    struct picture *w, *tmp;

    if (!s)
        return;
    hooks_free(s->hooks);
    HASH_ITER(hh, s->wanted, w, tmp)
    {
        HASH_DEL(s->wanted, w);
        picture_free(w);
    }
    free(s);
}
