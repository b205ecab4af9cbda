#include "cabinet/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/cabinet.h"

#define CONFIG_MAX    (256 * 1024) /* bytes of organizer.yaml that are read at most */
#define SECOND        INT64_C(1000)
#define DAY           (86400 * SECOND)
#define DURATION_MAX  (3650 * DAY)
#define DURATION_WANT "a time such as 10s, 15m, 2h or 5d"

/* Names of an enumeration's values, in its order, ended by NULL. */
static const char *const mode_names[] = {"enforce", "suggest", NULL};
static const char *const format_names[] = {"zip", "tar.zst", NULL};
static const char *const naming_names[] = {"standard", "inbox", "everywhere", "off", NULL};
static const char *const snapshots_names[] = {"never", "weekly", "nightly", NULL};
static const char *const order_names[] = {"ask", "mdy", "dmy", "ymd", NULL};

/* One document of YAML on its way into a struct config. */
struct reading {
    struct config *c;
    const char *file;
    yaml_document_t doc;
    struct error *err;
};

static int fault(struct reading *r, const yaml_node_t *at, const char *key, const char *want)
{
    return error_set(r->err, 0, "%s:%zu:%zu: %s must be %s", r->file, at->start_mark.line + 1,
                     at->start_mark.column + 1, key, want);
}

/* The node's text, or NULL when it is no plain value. A NUL inside makes it none as well. */
static const char *scalar(const yaml_node_t *node)
{
    const char *s;

    if (node->type != YAML_SCALAR_NODE)
        return NULL;
    s = (const char *)node->data.scalar.value;
    return strlen(s) == node->data.scalar.length ? s : NULL;
}

static int read_choice(struct reading *r, const yaml_node_t *node, const char *key,
                       const char *const *names)
{
    AUTO_STR struct str want = STR_INIT;
    const char *s = scalar(node);

    for (int i = 0; names[i]; i++) {
        if (s && strcasecmp(s, names[i]) == 0)
            return i;
        str_addf(&want, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
    }
    return fault(r, node, key, str_c(&want));
}

static int read_mode(struct reading *r, const yaml_node_t *node)
{
    int i = read_choice(r, node, "mode", mode_names);

    if (i >= 0)
        r->c->mode = (enum mode)i;
    return i < 0 ? -1 : 0;
}

static int read_naming(struct reading *r, const yaml_node_t *node)
{
    /* YAML 1.1 programs write `off` as a boolean. */
    const char *s = scalar(node);
    int i = s && (strcasecmp(s, "false") == 0 || strcasecmp(s, "no") == 0)
                ? (int)NAMING_OFF
                : read_choice(r, node, "naming", naming_names);

    if (i >= 0)
        r->c->naming = (enum naming)i;
    return i < 0 ? -1 : 0;
}

static int read_date_order(struct reading *r, const yaml_node_t *node)
{
    int i = read_choice(r, node, "date_order", order_names);

    if (i >= 0)
        r->c->date_order = (enum date_order)i;
    return i < 0 ? -1 : 0;
}

/* Milliseconds of "10s", "500ms", "5d" or plain seconds, or -1. */
static int64_t duration_ms(const char *s)
{
    static const struct unit {
        const char *name;
        int64_t ms;
    } units[] = {
        {"", SECOND},         {"ms", 1},  {"s", SECOND}, {"m", 60 * SECOND}, {"min", 60 * SECOND},
        {"h", 3600 * SECOND}, {"d", DAY}, {"w", 7 * DAY}};
    int64_t n = 0;
    const char *p = s;

    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (*p - '0');
        if (n > DURATION_MAX)
            return -1;
    }
    if (p == s)
        return -1;
    while (*p == ' ')
        p++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(p, units[i].name) == 0)
            return n > DURATION_MAX / units[i].ms ? -1 : n * units[i].ms;
    return -1;
}

static int read_duration(struct reading *r, const yaml_node_t *node, const char *key, int64_t least,
                         int64_t *ms)
{
    const char *s = scalar(node);
    int64_t n = s ? duration_ms(s) : -1;

    if (n < 0)
        return fault(r, node, key, DURATION_WANT);
    if (n < least)
        return fault(r, node, key, "longer than that");
    *ms = n;
    return 0;
}

static int read_settle(struct reading *r, const yaml_node_t *node)
{
    return read_duration(r, node, "settle", 0, &r->c->settle_ms);
}

static int read_drafts(struct reading *r, const yaml_node_t *node)
{
    int64_t ms = 0;

    if (read_duration(r, node, "drafts", 0, &ms) < 0)
        return -1;
    r->c->drafts_s = ms / SECOND;
    return 0;
}

static int read_sweep(struct reading *r, const yaml_node_t *node)
{
    return read_duration(r, node, "sweep", SECOND, &r->c->sweep_ms);
}

static int read_hook_time(struct reading *r, const yaml_node_t *node)
{
    return read_duration(r, node, "hook_time", SECOND, &r->c->hook_ms);
}

static bool is_never(const yaml_node_t *node)
{
    const char *s = scalar(node);

    return s && (strcasecmp(s, "never") == 0 || strcasecmp(s, "off") == 0);
}

static int read_retire(struct reading *r, const yaml_node_t *node)
{
    int64_t ms = 0;

    if (is_never(node)) {
        r->c->retire_s = -1;
        return 0;
    }
    if (read_duration(r, node, "retire", 0, &ms) < 0)
        return -1;
    r->c->retire_s = ms / SECOND;
    return 0;
}

static int read_snapshots(struct reading *r, const yaml_node_t *node)
{
    int i = read_choice(r, node, "snapshots", snapshots_names);

    if (i >= 0)
        r->c->snapshots = (enum snapshots)i;
    return i < 0 ? -1 : 0;
}

static int read_upload_time(struct reading *r, const yaml_node_t *node)
{
    return read_duration(r, node, "upload_time", SECOND, &r->c->upload_ms);
}

static int read_number(struct reading *r, const yaml_node_t *node, const char *key, unsigned least,
                       unsigned most, unsigned *out)
{
    const char *s = scalar(node);
    char want[64];
    unsigned n = 0;
    size_t len = s ? strlen(s) : 0;

    if (len > 0 && len < 9 && strspn(s, "0123456789") == len)
        n = (unsigned)strtoul(s, NULL, 10);
    if (n < least || n > most) {
        snprintf(want, sizeof want, "a whole number from %u to %u", least, most);
        return fault(r, node, key, want);
    }
    *out = n;
    return 0;
}

static int read_max_path(struct reading *r, const yaml_node_t *node)
{
    return read_number(r, node, "max_path", 80, 4000, &r->c->max_path);
}

static int read_keep(struct reading *r, const yaml_node_t *node)
{
    return read_number(r, node, "keep", 1, 1000, &r->c->keep);
}

static int read_hook_limit(struct reading *r, const yaml_node_t *node)
{
    return read_number(r, node, "hook_limit", 1, 64, &r->c->hook_limit);
}

static int read_text(struct reading *r, const yaml_node_t *node, const char *key, char **out)
{
    const char *s = scalar(node);

    if (!s || strpbrk(s, "\r\n"))
        return fault(r, node, key, "one line of text");
    free(*out);
    *out = *s && strcmp(s, "~") != 0 ? xstrdup(s) : NULL;
    return 0;
}

static int read_office(struct reading *r, const yaml_node_t *node)
{
    return read_text(r, node, "office", &r->c->office);
}

static int read_archive_format(struct reading *r, const yaml_node_t *node)
{
    int i = read_choice(r, node, "archive_format", format_names);

    if (i >= 0)
        r->c->archive_format = (enum archive_format)i;
    return i < 0 ? -1 : 0;
}

static int read_group(struct reading *r, const yaml_node_t *node)
{
    return read_text(r, node, "group", &r->c->group);
}

static int read_time_zone(struct reading *r, const yaml_node_t *node)
{
    const char *s = scalar(node);

    if (!s || (strcmp(s, "UTC") != 0 && (*s == '/' || strstr(s, "..") || !date_zone_exists(s))))
        return fault(r, node, "time_zone",
                     "a time zone of /usr/share/zoneinfo, such as Europe/London");
    free(r->c->time_zone);
    r->c->time_zone = xstrdup(s);
    return 0;
}

/* "3:30" or "03:30" as minutes after midnight, or -1. */
static int clock_minutes(const char *s)
{
    unsigned h, m;
    int end = 0;

    if (strlen(s) > 5 || strspn(s, "0123456789:") != strlen(s) ||
        /* NOLINTNEXTLINE(cert-err34-c): two digits overflow nothing */
        sscanf(s, "%2u:%2u%n", &h, &m, &end) != 2 || s[end] || end < 4 || h > 23 || m > 59)
        return -1;
    return (int)(h * 60 + m);
}

static int read_nightly(struct reading *r, const yaml_node_t *node)
{
    const char *s = scalar(node);
    bool never = is_never(node);
    int min = s && !never ? clock_minutes(s) : -1;

    if (min < 0 && !never)
        return fault(r, node, "nightly", "a time of day such as \"03:30\", or never");
    r->c->nightly_min = min;
    return 0;
}

static int read_date_from(struct reading *r, const yaml_node_t *node)
{
    static const char want[] = "a list of name, document, file, such as [name, document, file]; "
                               "document may be told apart as mail, written, filed, taken";
    enum date_source list[DATE_SOURCES];
    size_t n = 0;

    if (node->type != YAML_SEQUENCE_NODE)
        return fault(r, node, "date_from", want);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
         i++) {
        const yaml_node_t *item = yaml_document_get_node(&r->doc, *i);
        const char *s = scalar(item);
        int source = s ? date_source_parse(s) : -1;

        if (source < 0 || n == DATE_SOURCES)
            return fault(r, item, "date_from", want);
        list[n++] = (enum date_source)source;
    }
    memcpy(r->c->date_from, list, n * sizeof *list);
    r->c->date_from_len = n;
    return 0;
}

/* "Scans: { settle: 30s }" */
static int read_folder(struct reading *r, const yaml_node_t *key, const yaml_node_t *value)
{
    static const char want[] = "of the form { Scans: { settle: 30s } }";
    struct config *c = r->c;
    const char *name = scalar(key);
    size_t len = name ? strlen(name) : 0;
    int64_t ms = 0;
    yaml_node_pair_t *pair;

    if (len == 0 || value->type != YAML_MAPPING_NODE)
        return fault(r, key, "folders", want);
    if (name[0] == '/')
        return fault(r, key, "folders", "named from the cabinet down, without a leading /");
    pair = value->data.mapping.pairs.start;
    if (value->data.mapping.pairs.top - pair != 1)
        return fault(r, value, "folders", want);
    {
        const yaml_node_t *what = yaml_document_get_node(&r->doc, pair->key);
        const char *s = scalar(what);

        if (!s || strcmp(s, "settle") != 0)
            return fault(r, what, "folders", want);
    }
    if (read_duration(r, yaml_document_get_node(&r->doc, pair->value), "settle", 0, &ms) < 0)
        return -1;
    while (len > 1 && name[len - 1] == '/')
        len--;
    c->folders = xreallocarray(c->folders, c->folders_len + 1, sizeof *c->folders);
    c->folders[c->folders_len++] =
        (struct folder_settle){.folder = xmemdup0(name, len), .settle_ms = ms};
    return 0;
}

static int read_folders(struct reading *r, const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE)
        return fault(r, node, "folders", "of the form { Scans: { settle: 30s } }");
    config_clear_folders(r->c);
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++)
        if (read_folder(r, yaml_document_get_node(&r->doc, p->key),
                        yaml_document_get_node(&r->doc, p->value)) < 0)
            return -1;
    return 0;
}

/* Every key of organizer.yaml. */
static const struct key {
    const char *name;
    int (*read)(struct reading *r, const yaml_node_t *node);
} keys[] = {
    {"mode", read_mode},           {"naming", read_naming},         {"settle", read_settle},
    {"drafts", read_drafts},       {"folders", read_folders},       {"date_order", read_date_order},
    {"date_from", read_date_from}, {"time_zone", read_time_zone},   {"nightly", read_nightly},
    {"max_path", read_max_path},   {"sweep", read_sweep},           {"office", read_office},
    {"archive_format", read_archive_format},
    {"group", read_group},         {"hook_limit", read_hook_limit}, {"hook_time", read_hook_time},
    {"retire", read_retire},       {"snapshots", read_snapshots},   {"keep", read_keep},
    {"upload_time", read_upload_time},
};
#define KEYS (sizeof keys / sizeof *keys)

static int unknown_key(struct reading *r, const yaml_node_t *node)
{
    AUTO_STR struct str want = STR_INIT;

    for (size_t i = 0; i < KEYS; i++)
        str_addf(&want, "%s%s", i ? ", " : "", keys[i].name);
    return error_set(r->err, 0, "%s:%zu:%zu: unknown key; known are %s", r->file,
                     node->start_mark.line + 1, node->start_mark.column + 1, str_c(&want));
}

static int read_pair(struct reading *r, const yaml_node_pair_t *pair, bool seen[KEYS])
{
    const yaml_node_t *key = yaml_document_get_node(&r->doc, pair->key);
    const char *name = scalar(key);

    for (size_t i = 0; name && i < KEYS; i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        if (seen[i])
            return fault(r, key, name, "there once only");
        seen[i] = true;
        return keys[i].read(r, yaml_document_get_node(&r->doc, pair->value));
    }
    return unknown_key(r, key);
}

static int read_root(struct reading *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(&r->doc);
    bool seen[KEYS] = {false};

    if (!root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0))
        return 0; /* only comments */
    if (root->type != YAML_MAPPING_NODE)
        return fault(r, root, "the file", "lines of the form `key: value`");
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
         p++)
        if (read_pair(r, p, seen) < 0)
            return -1;
    return 0;
}

static int load_fault(const yaml_parser_t *parser, const char *file, struct error *err)
{
    bool marked = parser->problem_mark.line || parser->problem_mark.column;

    return error_set(err, 0, "%s:%zu:%zu: not YAML: %s", file,
                     marked ? parser->problem_mark.line + 1 : 1,
                     marked ? parser->problem_mark.column + 1 : 1,
                     parser->problem ? parser->problem : "cannot be read");
}

static void config_copy(struct config *to, const struct config *from)
{
    *to = *from;
    to->time_zone = xstrdup(from->time_zone);
    to->office = xstrdup(from->office);
    to->group = xstrdup(from->group);
    to->folders = xcalloc(from->folders_len + 1, sizeof *to->folders);
    for (size_t i = 0; i < from->folders_len; i++)
        to->folders[i] = (struct folder_settle){.folder = xstrdup(from->folders[i].folder),
                                                .settle_ms = from->folders[i].settle_ms};
}

int config_parse(struct config *c, const char *file, const char *text, size_t n, struct error *err)
{
    struct config fresh;
    struct reading r = {.c = &fresh, .file = file, .err = err};
    yaml_parser_t parser;
    int rc;

    config_copy(&fresh, c);
    if (!yaml_parser_initialize(&parser)) {
        config_clear(&fresh);
        return error_set(err, ENOMEM, "cannot read %s", file);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    if (yaml_parser_load(&parser, &r.doc)) {
        rc = read_root(&r);
        yaml_document_delete(&r.doc);
    } else {
        rc = load_fault(&parser, file, err);
    }
    yaml_parser_delete(&parser);
    if (rc == 0) {
        config_clear(c);
        *c = fresh;
    } else {
        config_clear(&fresh);
    }
    return rc;
}

/* 0 when st is owned by root or us and nobody else can write it. With an ACL the group's bits are
 * its mask, so that they speak for named users and groups too. */
static int trusted(const struct stat *st, const char *path, struct error *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return error_set(err, EPERM,
                         "%s belongs to user %u, who could change what is done here; "
                         "mend it with: chown root '%s'",
                         path, st->st_uid, path);
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, EPERM,
                         "%s can be changed by others than its owner (mode %04o); "
                         "mend it with: chmod go-w '%s'",
                         path, st->st_mode & 07777, path);
    return 0;
}

int config_open_trusted(int root, const char *path, struct error *err)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, path, &name);
    AUTO_FREE char *folder = xmemdup0(path, name > path ? (size_t)(name - path) - 1 : 0);
    struct stat st;
    int fd;

    if (dir < 0 || fstat(dir, &st) < 0)
        return error_set(err, errno, "cannot open the folder of %s", path);
    if (*folder && trusted(&st, folder, err) < 0)
        return -1;
    fd = beneath_open(dir, name, O_RDONLY, 0);
    if (fd < 0)
        return error_set(err, errno, "cannot open %s", path);
    if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        error_set(err, EPERM, "%s is neither a file nor a folder", path);
    else if (trusted(&st, path, err) == 0)
        return fd;
    close(fd);
    return -1;
}

int config_read(struct config *c, int root, struct error *err)
{
    AUTO_STR struct str text = STR_INIT;
    AUTO_CLOSE int fd = config_open_trusted(root, CABINET_CONFIG, err);

    if (fd < 0 && err->number == ENOENT) {
        config_clear(c);
        config_init(c);
        return 0;
    }
    if (fd < 0)
        return -1;
    if (io_read_all(fd, &text, CONFIG_MAX) < 0)
        return error_set(err, errno, "cannot read %s", CABINET_CONFIG);
    /* Keys that were taken out of the file go back to their defaults. */
    struct config fresh;
    int rc;

    config_init(&fresh);
    rc = config_parse(&fresh, CABINET_CONFIG, str_c(&text), text.len, err);
    if (rc < 0) {
        config_clear(&fresh);
        return -1;
    }
    config_clear(c);
    *c = fresh;
    return 0;
}

/* True when name (a folder's name, or a path when it holds a '/') is folder or one of its
 * parents. */
static bool covers(const char *name, const char *folder)
{
    size_t n = strlen(name);

    if (strchr(name, '/'))
        return strncmp(folder, name, n) == 0 && (folder[n] == '/' || folder[n] == '\0');
    for (const char *p = folder; *p;) {
        size_t len = strcspn(p, "/");

        if (len == n && memcmp(p, name, n) == 0)
            return true;
        p += len + (p[len] == '/');
    }
    return false;
}

int64_t config_settle_ms(const struct config *c, const char *folder)
{
    int64_t ms = c->settle_ms;
    bool named = false;

    /* The longest of several that apply: a document settled too late is only late. */
    for (size_t i = 0; i < c->folders_len; i++) {
        if (!covers(c->folders[i].folder, folder))
            continue;
        if (!named || c->folders[i].settle_ms > ms)
            ms = c->folders[i].settle_ms;
        named = true;
    }
    return ms;
}
