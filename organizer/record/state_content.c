/* What documents say, by the digest of their bytes: the same for all that have these. */
#include "record/content_row.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "record/state_internal.h"
#include "text/answer.h"

#define NUMBER_BITS 32

/* record is for us (text/answer.h), facts for pages and people: JSON. */
const char state_content_schema[] =
    "CREATE TABLE IF NOT EXISTS content(digest BLOB PRIMARY KEY, version INTEGER NOT NULL,"
    " message BLOB, scan INTEGER, record BLOB NOT NULL, facts BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS content_message ON content(message) WHERE message IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS docs_by_content ON docs(digest, c) WHERE state<>4"
    " AND digest IS NOT NULL;"
    /* Digests lie all over an index: one of them is enough. */
    "DROP INDEX IF EXISTS docs_any_digest; DROP INDEX IF EXISTS docs_digest;"
    "DROP INDEX IF EXISTS docs_by_digest;";

static const char sql_get[] = "SELECT record FROM content WHERE digest=?1 AND version=?2";
static const char sql_facts[] = "SELECT facts FROM content WHERE digest=?1";
static const char sql_put[] =
    "INSERT INTO content(digest, version, message, scan, record, facts) VALUES(?1, ?2, ?3, ?4, ?5,"
    " ?6) ON CONFLICT(digest) DO UPDATE SET version=?2, message=?3, scan=?4, record=?5, facts=?6";
static const char sql_prune[] = "DELETE FROM content WHERE digest NOT IN"
                                " (SELECT digest FROM docs WHERE digest IS NOT NULL)";
static const char sql_unread[] =
    "SELECT d.key, d.kind, d.state<>4 AND d.digest IS NOT NULL AND"
    " (c.digest IS NULL OR c.scan=1 OR d.flags>7), c.scan FROM"
    " (SELECT key, kind, state, digest, flags FROM docs WHERE key>?1 ORDER BY key LIMIT ?2) d"
    " LEFT JOIN content c ON c.digest=d.digest AND c.version=?3 ORDER BY d.key";
static const char sql_message[] =
    "SELECT d.key, d.path FROM content c JOIN docs d ON d.digest=c.digest"
    " WHERE c.message=?1 AND d.state<>4 AND d.digest IS NOT NULL AND c.digest IS NOT ?2"
    " ORDER BY d.key LIMIT 16";

static void bind_str(struct bind *b, const struct str *s)
{
    b->rc |= sqlite3_bind_blob64(b->stmt, ++b->at, str_c(s), s->len, SQLITE_STATIC);
}

int state_content_get(struct state *s, const struct digest *digest, struct content *c,
                      struct error *err)
{
    struct bind b = {state_kept(s, sql_get, err), 0, SQLITE_OK};
    int rc;

    memset(c, 0, sizeof *c);
    if (!b.stmt)
        return -1;
    bind_digest(&b, digest);
    bind_int(&b, CONTENT_VERSION);
    rc = state_step(s, &b, err);
    /* One that cannot be read is as if it were not there: the document is read again. */
    if (rc > 0 && answer_read(c, sqlite3_column_blob(b.stmt, 0),
                              (size_t)sqlite3_column_bytes(b.stmt, 0)) < 0) {
        content_clear(c);
        rc = 0;
    }
    sqlite3_reset(b.stmt);
    return rc;
}

static void put_list(struct str *out, const char *key, char *const *list)
{
    if (!list || !*list)
        return;
    json_key(out, key);
    str_addc(out, '[');
    for (; *list; list++) {
        json_comma(out);
        json_quote(out, *list);
    }
    str_addc(out, ']');
}

static void put_text(struct str *out, const char *key, const char *value)
{
    if (value && *value)
        json_text(out, key, value);
}

static void put_date(struct str *out, const char *key, struct date d)
{
    char day[DATE_TEXT];

    put_text(out, key, date_text(d, day));
}

static const struct {
    unsigned flag;
    const char *key;
} flags[] = {
    {CONTENT_IS_ENCRYPTED, "encrypted"}, {CONTENT_HAS_MACROS, "macros"},
    {CONTENT_IS_SIGNED, "signed"},       {CONTENT_IS_SCAN, "scan"},
    {CONTENT_TEXT_BY_HOOK, "text_by_hook"}, {CONTENT_IS_PRIVILEGED, "privileged"},
    {CONTENT_IS_WORK_PRODUCT, "work_product"},
};

void content_facts_json(struct str *out, const struct content *c)
{
    put_text(out, "title", c->title);
    put_text(out, "author", c->author);
    put_text(out, "subject", c->subject);
    put_text(out, "sender", c->sender);
    put_list(out, "recipients", c->recipients);
    put_list(out, "attachments", c->attachments);
    put_text(out, "message_id", c->message_id);
    put_date(out, "mail_date", c->mail_date);
    put_date(out, "taken", c->taken_date);
    put_date(out, "created", c->property_date);
    if (c->pages)
        json_num(out, "pages", c->pages);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (c->flags & flags[i].flag)
            json_bool(out, flags[i].key, true);
    put_text(out, "why", c->why);
}

int state_content_put(struct state *s, const struct digest *digest, const struct content *c,
                      struct error *err)
{
    AUTO_STR struct str record = STR_INIT, facts = STR_INIT;
    struct bind b = {state_kept(s, sql_put, err), 0, SQLITE_OK};

    if (!b.stmt)
        return -1;
    answer_write(&record, c);
    str_addc(&facts, '{');
    content_facts_json(&facts, c);
    str_addc(&facts, '}');
    bind_digest(&b, digest);
    bind_int(&b, CONTENT_VERSION);
    bind_short(&b, c->message_id);
    bind_int(&b, content_wants_hook(c));
    bind_str(&b, &record);
    bind_str(&b, &facts);
    return state_change(s, &b, err);
}

bool content_wants_hook(const struct content *c)
{
    return (c->flags & CONTENT_IS_SCAN) && !(c->flags & CONTENT_TEXT_BY_HOOK);
}

int state_content_prune(struct state *s, struct error *err)
{
    struct bind b = {state_kept(s, sql_prune, err), 0, SQLITE_OK};

    return b.stmt ? state_change(s, &b, err) : -1;
}

/* ---- facts for pages ------------------------------------------------------------------------- */

static char *get_list(const json_t *o, const char *key)
{
    struct str out = STR_INIT;
    const json_t *list = json_object_get(o, key), *e;
    size_t i;

    json_array_foreach(list, i, e)
    {
        if (json_is_string(e))
            str_addf(&out, "%s%s", out.len ? "; " : "", json_string_value(e));
    }
    return out.len ? str_detach(&out) : NULL;
}

int state_content_facts(struct state *s, const struct digest *digest, struct content_facts *f,
                        struct error *err)
{
    struct bind b = {state_kept(s, sql_facts, err), 0, SQLITE_OK};
    json_t *o = NULL;
    int rc;

    memset(f, 0, sizeof *f);
    if (!b.stmt)
        return -1;
    bind_digest(&b, digest);
    rc = state_step(s, &b, err);
    if (rc > 0)
        o = json_loadb(sqlite3_column_blob(b.stmt, 0), (size_t)sqlite3_column_bytes(b.stmt, 0), 0,
                       NULL);
    sqlite3_reset(b.stmt);
    if (!o)
        return rc < 0 ? -1 : 0;
    f->title = xstrdup(json_get_text(o, "title"));
    f->author = xstrdup(json_get_text(o, "author"));
    f->subject = xstrdup(json_get_text(o, "subject"));
    f->sender = xstrdup(json_get_text(o, "sender"));
    f->why = xstrdup(json_get_text(o, "why"));
    f->recipients = get_list(o, "recipients");
    f->attachments = get_list(o, "attachments");
    f->pages = (unsigned)json_get_num(o, "pages", 0);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (json_is_true(json_object_get(o, flags[i].key)))
            f->flags |= flags[i].flag;
    json_decref(o);
    return 1;
}

void content_facts_clear(struct content_facts *f)
{
    char *texts[] = {f->title, f->author, f->subject, f->sender, f->recipients, f->attachments,
                     f->why};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    memset(f, 0, sizeof *f);
}

/* ---- who has it ------------------------------------------------------------------------------ */

int state_each_unread(struct state *s, int64_t *after, unsigned most, state_unread_fn *fn, void *ctx,
                      struct error *err)
{
    struct bind b = {state_own(s, sql_unread, err), 0, SQLITE_OK};
    char id[CASE_ID_SIZE];
    int rc, n = 0;

    if (!b.stmt)
        return -1;
    bind_int(&b, *after);
    bind_int(&b, most);
    bind_int(&b, CONTENT_VERSION);
    while ((rc = state_step(s, &b, err)) > 0) {
        const char *kind = (const char *)sqlite3_column_text(b.stmt, 1);
        int64_t key = sqlite3_column_int64(b.stmt, 0);

        if (sqlite3_column_int(b.stmt, 2)) {
            rc = state_case_id(s, key >> NUMBER_BITS, id, err);
            if (rc < 0)
                break;
            fn(ctx, id, key & ((INT64_C(1) << NUMBER_BITS) - 1),
               kind ? kind_parse(kind) : KIND_UNKNOWN, sqlite3_column_int(b.stmt, 3) == 1);
        }
        *after = key;
        n++;
    }
    sqlite3_finalize(b.stmt);
    return rc < 0 ? -1 : n;
}

int state_each_message(struct state *s, const char *message_id, const struct digest *but,
                       state_message_fn *fn, void *ctx, struct error *err)
{
    struct bind b = {state_own(s, sql_message, err), 0, SQLITE_OK};
    char id[CASE_ID_SIZE];
    int rc, answer = 0;

    if (!b.stmt)
        return -1;
    bind_bytes(&b, message_id);
    bind_digest(&b, but);
    while (answer == 0 && (rc = state_step(s, &b, err)) > 0) {
        AUTO_FREE char *path = column_copy(b.stmt, 1);

        rc = state_case_id(s, sqlite3_column_int64(b.stmt, 0) >> NUMBER_BITS, id, err);
        if (rc < 0)
            break;
        answer = fn(ctx, id, path ? path : "");
    }
    sqlite3_finalize(b.stmt);
    return answer ? answer : rc < 0 ? -1 : 0;
}
