#include "file/intent_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"

/* The strings of a row, by name in the log. */
static const struct field {
    const char *key;
    size_t offset;
} fields[] = {
    {"path", offsetof(struct doc, path)},           {"sentence", offsetof(struct doc, sentence)},
    {"help", offsetof(struct doc, help)},           {"type", offsetof(struct doc, type)},
    {"words", offsetof(struct doc, words)},         {"date", offsetof(struct doc, date)},
    {"original", offsetof(struct doc, original)},   {"why", offsetof(struct doc, why)},
    {"suggested", offsetof(struct doc, suggested)},
};

#define FIELDS (sizeof fields / sizeof *fields)

static const char *field_of(const struct doc *d, const struct field *f)
{
    return *(char *const *)(const void *)((const char *)d + f->offset);
}

static char **field_at(struct doc *d, const struct field *f)
{
    return (char **)(void *)((char *)d + f->offset);
}

static void name_member(struct str *json, const char *key, const char *value)
{
    if (value && *value)
        json_name(json, key, value);
}

static void write_stamp(struct str *json, const char *key, const struct doc_stamp *s)
{
    const int64_t n[] = {(int64_t)s->dev,  (int64_t)s->ino, s->birth_ns,
                         (int64_t)s->size, s->mtime_ns,     s->ctime_ns};

    json_key(json, key);
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        str_addc(json, i ? ',' : '[');
        str_addi(json, n[i]);
    }
    str_addc(json, ']');
}

static void write_doc(struct str *json, const struct doc *d)
{
    char hex[DIGEST_HEX];

    json_key(json, "doc");
    str_addc(json, '{');
    json_text(json, "case", d->case_id);
    json_num(json, "number", d->number);
    json_num(json, "read", d->read_ns);
    if (!digest_is_zero(&d->digest))
        json_text(json, "sha256", digest_hex(&d->digest, hex));
    json_text(json, "state", doc_state_name(d->state));
    if (d->kind != KIND_UNKNOWN)
        json_text(json, "kind", kind_info(d->kind)->name);
    if (d->reason != REASON_NONE)
        json_text(json, "reason", reason_code(d->reason));
    for (size_t i = 0; i < FIELDS; i++)
        name_member(json, fields[i].key, field_of(d, &fields[i]));
    json_num(json, "filed", d->filed_ns);
    json_num(json, "changed", d->changed_ns);
    json_num(json, "flags", d->by_hand | d->undone << 1 | d->before << 2 | (int64_t)d->unread << 3);
    str_addc(json, '}');
}

static void write_companions(struct str *json, char *const *companions)
{
    if (!companions || !*companions)
        return;
    json_key(json, "companions");
    str_addc(json, '[');
    for (; *companions; companions++) {
        json_comma(json);
        str_addc(json, '{');
        json_name(json, "name", *companions);
        str_addc(json, '}');
    }
    str_addc(json, ']');
}

void intent_write(struct str *json, const struct act *a, uint64_t root_dev)
{
    str_addc(json, '{');
    json_num(json, "v", 1);
    json_num(json, "folder", a->kind == ACT_FOLDER);
    json_num(json, "root", (int64_t)root_dev);
    json_name(json, "from", a->from);
    json_name(json, "to", a->to);
    write_stamp(json, "stamp", &a->stamp);
    name_member(json, "case_path", a->case_path);
    name_member(json, "former", a->former);
    name_member(json, "line", a->journal.len ? str_c(&a->journal) : NULL);
    write_companions(json, a->companions);
    write_doc(json, &a->doc);
    str_addc(json, '}');
}

static int read_stamp(const json_t *obj, const char *key, struct doc_stamp *s)
{
    const json_t *v = json_object_get(obj, key);
    int64_t n[6];

    if (json_array_size(v) != 6)
        return -1;
    for (size_t i = 0; i < 6; i++) {
        if (!json_is_integer(json_array_get(v, i)))
            return -1;
        n[i] = json_integer_value(json_array_get(v, i));
    }
    *s = (struct doc_stamp){.dev = (uint64_t)n[0],
                            .ino = (uint64_t)n[1],
                            .birth_ns = n[2],
                            .size = (uint64_t)n[3],
                            .mtime_ns = n[4],
                            .ctime_ns = n[5]};
    return 0;
}

static int read_doc(const json_t *v, struct doc *d)
{
    const char *id = json_get_text(v, "case"), *state = json_get_text(v, "state");
    const char *hex = json_get_text(v, "sha256");
    const char *kind = json_get_text(v, "kind"), *reason = json_get_text(v, "reason");
    int64_t flags = json_get_num(v, "flags", 0);
    int st = state ? doc_state_parse(state) : -1;

    if (!id || strlen(id) >= sizeof d->case_id || st < 0 || (hex && digest_parse(hex, &d->digest)))
        return -1;
    memcpy(d->case_id, id, strlen(id) + 1);
    d->state = (enum doc_state)st;
    d->number = json_get_num(v, "number", 0);
    d->read_ns = json_get_num(v, "read", 0);
    d->kind = kind ? kind_parse(kind) : KIND_UNKNOWN;
    d->reason = reason ? reason_parse(reason) : REASON_NONE;
    d->filed_ns = json_get_num(v, "filed", 0);
    d->changed_ns = json_get_num(v, "changed", 0);
    for (size_t i = 0; i < FIELDS; i++)
        *field_at(d, &fields[i]) = json_get_name(v, fields[i].key);
    d->by_hand = flags & 1;
    d->undone = flags & 2;
    d->before = flags & 4;
    d->unread = (enum doc_unread)(flags >> 3 & 3);
    return 0;
}

static void read_companions(const json_t *list, struct act *a)
{
    size_t n = json_array_size(list), len = 0;

    if (!n)
        return;
    a->companions = xcalloc(n + 1, sizeof *a->companions);
    for (size_t i = 0; i < n; i++) {
        char *name = json_get_name(json_array_get(list, i), "name");

        if (name)
            a->companions[len++] = name;
    }
}

static int fill(struct act *a, const json_t *v, uint64_t root_dev)
{
    AUTO_FREE char *line = json_get_name(v, "line");

    if (json_get_num(v, "v", 0) != 1 || read_stamp(v, "stamp", &a->stamp) < 0 ||
        read_doc(json_object_get(v, "doc"), &a->doc) < 0)
        return -1;
    a->from = json_get_name(v, "from");
    a->to = json_get_name(v, "to");
    a->case_path = json_get_name(v, "case_path");
    a->former = json_get_name(v, "former");
    if (!a->case_path)
        a->case_path = xstrdup("");
    if (line)
        str_add(&a->journal, line);
    read_companions(json_object_get(v, "companions"), a);
    if (a->stamp.dev == (uint64_t)json_get_num(v, "root", 0))
        a->stamp.dev = root_dev;
    return a->from && a->to ? 0 : -1;
}

struct act *intent_read(const char *json, uint64_t root_dev, struct error *err)
{
    json_error_t where;
    json_t *v = json_loads(json, JSON_ALLOW_NUL, &where);
    struct act *a = act_new(json_get_num(v, "folder", 0) ? ACT_FOLDER : ACT_RENAME);

    if (v && fill(a, v, root_dev) == 0) {
        json_decref(v);
        return a;
    }
    error_set(err, EINVAL, "the log of intents holds something else: %s", v ? "" : where.text);
    json_decref(v);
    act_free(a);
    return NULL;
}
