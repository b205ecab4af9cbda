/* store: the plan as the private state keeps it, and as people review it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "plan/plan.h"

#define PLAN_MAX (256 << 20)

static void row_json(struct str *out, const struct plan_row *r)
{
    char hex[DIGEST_HEX];

    str_addc(out, '{');
    json_num(out, "row", r->number);
    json_name(out, "from", r->from);
    json_name(out, "to", r->to);
    json_text(out, "case", r->case_id);
    json_text(out, "why", r->why ? r->why : "");
    json_text(out, "type", r->type ? r->type : "");
    json_text(out, "date", r->date ? r->date : "");
    json_text(out, "sha256", digest_hex(&r->digest, hex));
    json_num(out, "dev", (int64_t)r->stamp.dev);
    json_num(out, "ino", (int64_t)r->stamp.ino);
    json_num(out, "birth", r->stamp.birth_ns);
    json_num(out, "size", (int64_t)r->stamp.size);
    json_num(out, "mtime", r->stamp.mtime_ns);
    json_num(out, "ctime", r->stamp.ctime_ns);
    str_addc(out, '}');
}

static int open_plans(const char *state_dir, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/plans", state_dir);
    int fd;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set(err, errno, "%s cannot be made", path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? error_set(err, errno, "%s cannot be opened", path) : fd;
}

int plan_save(const struct plan *p, const char *state_dir, struct error *err)
{
    AUTO_CLOSE int dir = open_plans(state_dir, err);
    AUTO_STR struct str out = STR_INIT;
    char name[32];

    if (dir < 0)
        return -1;
    str_addc(&out, '{');
    json_num(&out, "v", 1);
    json_text(&out, "plan", p->id);
    json_text(&out, "cabinet", p->cabinet_id);
    json_num(&out, "made", p->made_ns);
    json_key(&out, "rows");
    str_addc(&out, '[');
    for (size_t i = 0; i < p->len; i++) {
        json_comma(&out);
        row_json(&out, &p->rows[i]);
    }
    str_add(&out, "]}\n");
    snprintf(name, sizeof name, "%s.json", p->id);
    return io_replace(dir, name, out.s, out.len, 0600, true, err);
}

static int read_row(struct plan *p, const json_t *j)
{
    AUTO_FREE char *from = json_get_name(j, "from");
    AUTO_FREE char *to = json_get_name(j, "to");
    const char *hex = json_get_text(j, "sha256"), *id = json_get_text(j, "case");
    struct plan_row *r;

    if (!from || !to || !hex || !id || strlen(id) >= CASE_ID_SIZE)
        return -1;
    r = plan_add(p, from, to);
    r->number = (unsigned)json_get_num(j, "row", 0);
    memcpy(r->case_id, id, strlen(id) + 1);
    r->why = xstrdup(json_get_text(j, "why"));
    r->type = xstrdup(json_get_text(j, "type"));
    r->date = xstrdup(json_get_text(j, "date"));
    r->stamp = (struct doc_stamp){.dev = (uint64_t)json_get_num(j, "dev", 0),
                                  .ino = (uint64_t)json_get_num(j, "ino", 0),
                                  .birth_ns = json_get_num(j, "birth", 0),
                                  .size = (uint64_t)json_get_num(j, "size", 0),
                                  .mtime_ns = json_get_num(j, "mtime", 0),
                                  .ctime_ns = json_get_num(j, "ctime", 0)};
    return digest_parse(hex, &r->digest);
}

static bool is_id(const char *s)
{
    return strlen(s) == 16 && strspn(s, "0123456789abcdef") == 16;
}

int plan_load(struct plan *p, const char *state_dir, const char *id, struct error *err)
{
    AUTO_CLOSE int dir = open_plans(state_dir, err);
    AUTO_STR struct str text = STR_INIT;
    const json_t *rows;
    json_t *j;
    char name[32];
    int rc = 0;

    memset(p, 0, sizeof *p);
    if (dir < 0)
        return -1;
    if (!is_id(id))
        return error_set(err, 0, "\"%s\" is no plan's id: the column Plan was changed", id);
    snprintf(name, sizeof name, "%s.json", id);
    if (io_read_file(dir, name, &text, PLAN_MAX) < 0)
        return error_set(err, errno, "plan %s is not known here: make a new one with organizer plan",
                         id);
    j = json_loadb(text.s, text.len, 0, NULL);
    rows = json_object_get(j, "rows");
    if (!json_is_array(rows) || json_get_num(j, "v", 0) != 1) {
        json_decref(j);
        return error_set(err, 0, "plan %s was made by another version: make a new one", id);
    }
    plan_init(p, json_get_text(j, "cabinet"), json_get_num(j, "made", 0));
    memcpy(p->id, id, sizeof p->id);
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++)
        rc = read_row(p, json_array_get(rows, i));
    json_decref(j);
    return rc == 0 ? 0 : error_set(err, 0, "plan %s is damaged: make a new one", id);
}

/* ---- for people ----------------------------------------------------------------------------------- */

static const char *const columns[] = {"Apply", "Plan", "Row", "From", "To", "Type", "Date", "Why"};
enum { COL_APPLY, COL_PLAN, COL_ROW, COL_FROM, COL_TO, COL_READ, COL_COUNT = 8 };

void plan_csv(const struct plan *p, struct str *out)
{
    char number[16], id[24];

    str_add(out, "\xEF\xBB\xBF");
    for (size_t i = 0; i < COL_COUNT; i++)
        csv_field(out, columns[i], i == 0);
    csv_end(out);
    /* "plan-" keeps Excel from reading 16 digits as a number and rounding it. */
    snprintf(id, sizeof id, "plan-%s", p->id);
    for (size_t i = 0; i < p->len; i++) {
        const struct plan_row *r = &p->rows[i];

        snprintf(number, sizeof number, "%u", r->number);
        csv_field(out, "yes", true);
        csv_field(out, id, false);
        csv_field(out, number, false);
        csv_field(out, r->from, false);
        csv_field(out, r->to, false);
        csv_field(out, r->type ? r->type : "", false);
        csv_field(out, r->date ? r->date : "", false);
        csv_field(out, r->why ? r->why : "", false);
        csv_end(out);
    }
}

static int parse_decision(const char *s, bool *apply)
{
    static const char *const yes[] = {"yes", "y", "x", "1", "true", NULL};
    static const char *const no[] = {"no", "n", "0", "false", "", NULL};

    for (size_t i = 0; yes[i]; i++)
        if (strcasecmp(s, yes[i]) == 0) {
            *apply = true;
            return 0;
        }
    for (size_t i = 0; no[i]; i++)
        if (strcasecmp(s, no[i]) == 0) {
            *apply = false;
            return 0;
        }
    return -1;
}

/* Where the columns that count are; -1 in at[i] when missing, as only names may be. */
static int find_columns(const struct csv_row *head, int at[COL_READ], struct error *err)
{
    for (int c = 0; c < COL_READ; c++) {
        at[c] = -1;
        for (size_t i = 0; i < head->len; i++)
            if (strcasecmp(head->fields[i], columns[c]) == 0)
                at[c] = (int)i;
        if (c <= COL_ROW && at[c] < 0)
            return error_set(err, 0, "the first line has no column \"%s\": is this a plan?",
                             columns[c]);
    }
    return 0;
}

/* The next letter or digit at or behind p. */
static const char *next_plain(const char *p)
{
    while (*p && (*p < '0' || *p > '9') && ((*p | 32) < 'a' || (*p | 32) > 'z'))
        p++;
    return p;
}

bool plan_same_to(const char *to, const char *planned)
{
    for (to = next_plain(to), planned = next_plain(planned); *to && *to == *planned;) {
        to = next_plain(to + 1);
        planned = next_plain(planned + 1);
    }
    return *to == *planned;
}

static const char *field(const struct csv_row *row, int at)
{
    return (size_t)at < row->len ? row->fields[at] : "";
}

static int read_line(const struct csv_row *row, const int at[COL_READ], char id[static 17],
                     plan_decision *fn, void *ctx, struct error *err)
{
    const char *plan = field(row, at[COL_PLAN]), *number = field(row, at[COL_ROW]);
    unsigned long n;
    bool apply;
    char *end;

    if (!*plan && !*number)
        return 0;
    if (strncmp(plan, "plan-", 5) != 0 || !is_id(plan + 5))
        return error_set(err, 0, "line %zu: \"%s\" is no plan's id", row->line, plan);
    if (*id && strcmp(id, plan + 5) != 0)
        return error_set(err, 0, "line %zu: rows of two plans are mixed", row->line);
    memcpy(id, plan + 5, 17);
    n = strtoul(number, &end, 10);
    if (!*number || *end || n == 0 || n > 100000000)
        return error_set(err, 0, "line %zu: \"%s\" is no row number", row->line, number);
    if (parse_decision(field(row, at[COL_APPLY]), &apply) < 0)
        return error_set(err, 0, "line %zu: Apply is \"%s\": write yes or no", row->line,
                         field(row, at[COL_APPLY]));
    fn(ctx, (unsigned)n, apply, at[COL_TO] < 0 ? NULL : field(row, at[COL_TO]));
    return 0;
}

int plan_csv_read(const char *text, size_t n, char id[static 17], plan_decision *fn, void *ctx,
                  struct error *err)
{
    char sep = csv_separator(text, n);
    size_t at = 0, line = 1;
    struct csv_row row;
    int col[COL_READ] = {-1, -1, -1, -1, -1}, rc;
    bool head = true;

    id[0] = '\0';
    while ((rc = csv_next(text, n, sep, &at, &line, &row)) > 0) {
        rc = head ? find_columns(&row, col, err) : read_line(&row, col, id, fn, ctx, err);
        head = false;
        csv_row_clear(&row);
        if (rc < 0)
            return -1;
    }
    if (rc < 0)
        return error_set(err, 0, "line %zu: a quote is opened and never closed", line);
    if (!*id)
        return error_set(err, 0, "there are no rows of a plan in it");
    return 0;
}
