#include "cabinet/card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cabinet/text.h"
#include "decide/vocab.h"
#include "record/doc.h"

#define PROBLEMS_MAX 20  /* more mistakes than this are not told */
#define OTHERS_MAX   200 /* more unknown fields than this are not kept */

/* A field of `beside`: it counts when the field itself is not there. */
struct late {
    unsigned line;
    char *field, *value;
};

/* A card on its way from text to struct: the field that lines are being collected for. */
struct reading {
    struct card *c;
    const struct rules *rules;
    const struct lang *lang;
    enum date_order order;
    unsigned line;    /* of the field */
    struct str field; /* its name as written; empty before the first */
    struct str value; /* lines joined by '\n', each without spaces around it */
    struct late *late; /* until all are read */
    size_t late_len, late_cap;
    uint32_t seen;    /* bits of fields[] that were there */
};

struct field {
    const char *name;
    const char *list; /* may be there several times; what parts its items. NULL: once */
    void (*read)(struct reading *r, const char *value);
    size_t member; /* of struct card, for those that are taken as they are */
};

void card_add_problem(struct card *c, unsigned line, const struct lang *lang, const char *key,
                      const char *field, const char *value, const char *want)
{
    AUTO_FREE char *full = xasprintf("card.%s", key);
    struct card_problem *p;

    if (c->problems_len >= PROBLEMS_MAX)
        return;
    c->problems = xreallocarray(c->problems, c->problems_len + 1, sizeof *c->problems);
    p = &c->problems[c->problems_len++];
    p->line = line;
    p->text = lang ? lang_format(lang, full, "field", field, "value", value, "want", want, NULL)
                   : xasprintf("%s %s: %s (%s)", full, field ? field : "", value ? value : "",
                               want ? want : "");
}

static void problem(struct reading *r, const char *key, const char *value, const char *want)
{
    card_add_problem(r->c, r->line, r->lang, key, str_c(&r->field), value, want);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The n bytes at s without blanks at either end. */
static char *trimmed(const char *s, size_t n)
{
    while (n && is_blank(*s)) {
        s++;
        n--;
    }
    while (n && is_blank(s[n - 1]))
        n--;
    return xmemdup0(s, n);
}

/* The value of a field that takes one line: its lines joined by spaces. */
static char *one_line(const char *value)
{
    char *s = xstrdup(value);

    for (char *p = s; *p; p++)
        if (*p == '\n')
            *p = ' ';
    return s;
}

static size_t list_len(char **list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* "Roe v. Doe" as "Roe; Doe": parties are written as captions write them. A capital V. may be
 * somebody's middle name. */
static char *parted_parties(const char *value)
{
    static const char *const versus[] = {" v. ",  " v ",  " vs. ",   " vs ",
                                         " VS. ", " VS ", " versus "};
    char *s = xstrdup(value);

    for (size_t i = 0; i < sizeof versus / sizeof *versus; i++)
        for (char *p; (p = strstr(s, versus[i]));)
            memset(p, ';', strlen(versus[i]));
    return s;
}

/* Adds what stands between any of the bytes of ends. */
static void list_add(char ***list, const char *value, const char *ends)
{
    size_t n = list_len(*list);

    for (const char *p = value; *p;) {
        size_t len = strcspn(p, ends);
        char *item = trimmed(p, len);

        p += len + (p[len] != '\0');
        if (!*item) {
            free(item);
            continue;
        }
        *list = xreallocarray(*list, n + 2, sizeof **list);
        (*list)[n++] = item;
        (*list)[n] = NULL;
    }
}

static void list_clear(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static bool is_one_of(const char *value, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(value, *words) == 0)
            return true;
    return false;
}

static bool is_yes(const char *value)
{
    return is_one_of(value, (const char *const[]){"yes", "y", "true", NULL});
}

static bool is_no(const char *value)
{
    return is_one_of(value, (const char *const[]){"no", "n", "none", "off", "false", "-", NULL});
}

static void read_id(struct reading *r, const char *value)
{
    if (strlen(value) != CASE_ID_SIZE - 1 ||
        strspn(value, "0123456789abcdefABCDEF") != CASE_ID_SIZE - 1) {
        problem(r, "id", value, NULL);
        return;
    }
    r->c->id = xstrdup(value);
    for (char *p = r->c->id; *p; p++)
        *p = (char)ascii_lower(*p);
}

static void read_case_type(struct reading *r, const char *value)
{
    AUTO_STR struct str want = STR_INIT;
    const struct case_type *type = r->rules ? rules_case_type_written(r->rules, value) : NULL;
    const char *near[4];
    size_t n;

    if (!r->rules || type) {
        r->c->case_type = xstrdup(!type || rules_case_type(r->rules, value) ? value : type->name);
        return;
    }
    r->c->bad_case_type = true;
    n = rules_near_case_types(r->rules, value, near, 4);
    for (size_t i = 0; i < n; i++)
        str_addf(&want, "%s%s", i ? ", " : "", near[i]);
    problem(r, n ? "case-type-near" : "case-type", value, str_c(&want));
}

static void read_status(struct reading *r, const char *value)
{
    if (is_one_of(value, (const char *const[]){"closed", "close", "closed.", NULL}))
        r->c->closed = true;
    else if (is_one_of(value, (const char *const[]){"open", "opened", "reopened", NULL}))
        r->c->closed = false;
    else
        problem(r, "choice", value, "open, closed");
}

/* A date in any form that names may have; only the whole value counts. */
static struct date_match find_date(struct reading *r, const char *value)
{
    struct date iso = date_parse_iso(value);
    struct date_match m = {.verdict = DATE_ABSENT};

    if (date_is_set(iso) && date_exists(iso)) {
        m.verdict = DATE_FOUND;
        m.date = iso;
        return m;
    }
    if (!r->lang)
        return m;
    m = date_find(value, r->order, (struct date){9999, 12, 31}, r->lang);
    if (m.start != 0 || m.end != strlen(value))
        m.verdict = DATE_ABSENT;
    return m;
}

static void read_date(struct reading *r, const char *value, char **out)
{
    struct date_match m = find_date(r, value);
    char one[DATE_TEXT], other[DATE_TEXT];

    if (m.verdict == DATE_FOUND || m.verdict == DATE_ANCIENT) {
        free(*out);
        *out = xstrdup(date_text(m.date, one));
    } else if (m.verdict == DATE_AMBIGUOUS) {
        AUTO_FREE char *want =
            xasprintf("%s, %s", date_text(m.date, one), date_text(m.other, other));

        problem(r, "date-ambiguous", value, want);
    } else {
        problem(r, "date", value, "2026-11-23");
    }
}

static void read_opened(struct reading *r, const char *value)
{
    read_date(r, value, &r->c->opened);
}

static void read_closed(struct reading *r, const char *value)
{
    read_date(r, value, &r->c->closed_on);
}

static void read_naming(struct reading *r, const char *value)
{
    static const char *const names[] = {"standard", "inbox", "everywhere", "off", NULL};

    for (int i = 0; names[i]; i++)
        if (strcasecmp(value, names[i]) == 0) {
            r->c->naming = (enum naming)i;
            r->c->naming_set = true;
            return;
        }
    problem(r, "choice", value, "standard, inbox, everywhere, off");
}

static void read_hold(struct reading *r, const char *value)
{
    if (!is_no(value))
        r->c->hold = xstrdup(value);
}

static void read_rename(struct reading *r, const char *value)
{
    static const char *const leave[] = {"leave", "leave them", "keep", NULL};

    if (!is_yes(value) && !is_no(value) && !is_one_of(value, leave)) {
        problem(r, "choice", value, "yes, no");
        return;
    }
    r->c->rename_documents = is_yes(value);
    r->c->rename_answered = true;
}

#define TEXT(name, m)                                                                              \
    {                                                                                              \
        name, NULL, NULL, offsetof(struct card, m)                                                 \
    }
#define LIST(name, ends, m)                                                                        \
    {                                                                                              \
        name, ends, NULL, offsetof(struct card, m)                                                 \
    }

/* The fields of a card. Those without a function of their own are kept as they are. */
static const struct field fields[] = {
    TEXT("client", client),
    {"case type", NULL, read_case_type, 0},
    {"status", NULL, read_status, 0},
    {"opened", NULL, read_opened, 0},
    {"closed", NULL, read_closed, 0},
    TEXT("priority", priority),
    TEXT("team", team),
    LIST("docket", ";,\n", dockets),
    TEXT("matter number", matter),
    LIST("parties", ";\n", parties),
    LIST("client email", ";,\n", emails),
    {"naming", NULL, read_naming, 0},
    LIST("leave alone", ";\n", leave_alone),
    {"hold", NULL, read_hold, 0},
    LIST("former names", ";\n", former),
    LIST("key documents", ";\n", key_documents),
    {"rename documents", NULL, read_rename, 0},
    TEXT("close anyway", close_anyway),
    {"case id", NULL, read_id, 0},
};
#define FIELDS (sizeof fields / sizeof *fields)
_Static_assert(FIELDS <= 32, "a bit each in struct reading");

/* Other ways to write some of them. */
static const struct {
    const char *written, *name;
} spellings[] = {
    {"dockets", "docket"},
    {"docket number", "docket"},
    {"docket no", "docket"},
    {"case number", "docket"},
    {"case no", "docket"},
    {"cause number", "docket"},
    {"cause no", "docket"},
    {"index number", "docket"},
    {"index no", "docket"},
    {"party", "parties"},
    {"client emails", "client email"},
    {"client e mail", "client email"},
    {"former name", "former names"},
    {"key document", "key documents"},
    {"type", "case type"},
    {"casetype", "case type"},
    {"client name", "client"},
    {"date opened", "opened"},
    {"opened on", "opened"},
    {"matter no", "matter number"},
    {"matter", "matter number"},
};

/* Of these, what offices also write beside the field itself ("Client: Smith", "Client name: Jane Smith"). */
static const char *const beside[] = {"client name", "date opened", "opened on", NULL};

/* A field's name as it is compared: lower case, one space between words, '_', '-', '.' and '#' as
 * spaces (a no-break space too). */
static char *field_key(const char *name)
{
    struct str key = STR_INIT;
    AUTO_FREE char *fold = utf8_fold(name);
    bool gap = false;

    for (const char *p = fold; *p; p++) {
        if (strncmp(p, "\xC2\xA0", 2) == 0) {
            gap = true;
            p++;
        } else if (strchr(" \t_-.#", *p)) {
            gap = true;
        } else {
            if (gap && key.len)
                str_addc(&key, ' ');
            gap = false;
            str_addc(&key, *p);
        }
    }
    return str_detach(&key);
}

static const struct field *field_named(const char *key)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strcmp(key, spellings[i].written) == 0)
            key = spellings[i].name;
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(key, fields[i].name) == 0)
            return &fields[i];
    return NULL;
}

/* The field that was probably meant: short names bear one slip only, or "Term" would be "Team". */
static const struct field *field_near(const char *key)
{
    const struct field *best = NULL;
    size_t least = 3;

    for (size_t i = 0; i < FIELDS; i++) {
        size_t n = word_distance(key, fields[i].name, 2);

        if (n < least && n <= (strlen(fields[i].name) < 7 ? 1U : 2U)) {
            least = n;
            best = &fields[i];
        }
    }
    return best;
}

/* "case type" as people see it: "Case type". */
static char *field_title(const struct field *f)
{
    char *s = xstrdup(f->name);

    s[0] = (char)(s[0] - 32);
    return s;
}

static void keep_other(struct reading *r)
{
    struct card *c = r->c;

    if (c->others_len >= OTHERS_MAX)
        return;
    c->others = xreallocarray(c->others, c->others_len + 1, sizeof *c->others);
    c->others[c->others_len++] =
        (struct card_other){.field = xstrdup(str_c(&r->field)), .value = xstrdup(str_c(&r->value))};
}

static void read_known(struct reading *r, const struct field *f, const char *value)
{
    AUTO_FREE char *line = one_line(value);
    uint32_t bit = UINT32_C(1) << (f - fields);
    char **member = (char **)(void *)((char *)r->c + f->member);

    if (!*value)
        return;
    if (!f->list && (r->seen & bit)) {
        problem(r, "twice", line, NULL);
        return;
    }
    r->seen |= bit;
    if (f->read) {
        f->read(r, line);
    } else if (f->list) {
        AUTO_FREE char *parted =
            f->member == offsetof(struct card, parties) ? parted_parties(value) : xstrdup(value);

        list_add((char ***)(void *)member, parted, f->list);
    } else {
        free(*member);
        *member = xstrdup(line);
    }
}

static void put_off(struct reading *r)
{
    GROW(r->late, r->late_len, r->late_cap);
    r->late[r->late_len++] =
        (struct late){r->line, xstrdup(str_c(&r->field)), xstrdup(str_c(&r->value))};
}

/* Beside the field itself it is one of the office's own, as any that is not known. */
static void read_late(struct reading *r)
{
    for (size_t i = 0; i < r->late_len; i++) {
        struct late *l = &r->late[i];
        AUTO_FREE char *key = field_key(l->field);
        const struct field *f = field_named(key);

        r->line = l->line;
        str_reset(&r->field);
        str_reset(&r->value);
        str_add(&r->field, l->field);
        str_add(&r->value, l->value);
        if (r->seen & UINT32_C(1) << (f - fields))
            keep_other(r);
        else
            read_known(r, f, l->value);
        free(l->field);
        free(l->value);
    }
    free(r->late);
}

/* The field that was being collected is complete. */
static void finish_field(struct reading *r)
{
    AUTO_FREE char *key = field_key(str_c(&r->field));
    const struct field *f = field_named(key);

    if (!r->field.len)
        return;
    if (f && is_one_of(key, beside)) {
        put_off(r);
    } else if (f) {
        read_known(r, f, str_c(&r->value));
    } else if ((f = field_near(key)) != NULL) {
        AUTO_FREE char *title = field_title(f);

        problem(r, "field-near", str_c(&r->value), title);
    } else {
        keep_other(r);
    }
    str_reset(&r->field);
    str_reset(&r->value);
}

static void start_field(struct reading *r, unsigned line, const char *s, const char *colon,
                        const char *end)
{
    AUTO_FREE char *name = trimmed(s, (size_t)(colon - s));
    AUTO_FREE char *value = trimmed(colon + 1, (size_t)(end - colon - 1));

    finish_field(r);
    r->line = line;
    str_add(&r->field, name);
    str_add(&r->value, value);
}

static void read_line(struct reading *r, unsigned line, const char *s, const char *end)
{
    AUTO_FREE char *text = trimmed(s, (size_t)(end - s));
    const char *colon = memchr(s, ':', (size_t)(end - s));

    if (!*text)
        return;
    if (is_blank(*s) && r->field.len) {
        if (r->value.len)
            str_addc(&r->value, '\n');
        str_add(&r->value, text);
        return;
    }
    if (colon && text[0] != ':') {
        start_field(r, line, s, colon, end);
        return;
    }
    finish_field(r);
    card_add_problem(r->c, line, r->lang, "line", NULL, text, NULL);
}

/* What WordPad and word processors save under the name of a text. */
static bool is_markup(const char *text)
{
    static const char *const starts[] = {"{\\rtf", "<html", "<!doctype", "<?xml"};

    text += strspn(text, " \t\n");
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncasecmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

void card_parse(struct card *c, const void *bytes, size_t n, const struct rules *rules,
                const struct lang *lang, enum date_order order)
{
    AUTO_STR struct str text = STR_INIT;
    struct reading r = {.c = c, .rules = rules, .lang = lang, .order = order};
    unsigned line = 1;

    memset(c, 0, sizeof *c);
    c->opened = xstrdup("");
    c->closed_on = xstrdup("");
    if (text_decode(bytes, n, &text) < 0 || is_markup(str_c(&text))) {
        card_add_problem(c, 1, lang, "binary", NULL, NULL, NULL);
        return;
    }
    for (const char *p = str_c(&text), *end = p + text.len; p < end; line++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));

        if (!stop)
            stop = end;
        read_line(&r, line, p, stop);
        p = stop < end ? stop + 1 : end;
    }
    finish_field(&r);
    read_late(&r);
    c->blank = !r.seen && !c->others_len;
    str_clear(&r.field);
    str_clear(&r.value);
}

const char *card_other(const struct card *c, const char *name)
{
    for (size_t i = 0; i < c->others_len; i++) {
        AUTO_FREE char *key = field_key(c->others[i].field);

        if (strcmp(key, name) == 0)
            return c->others[i].value;
    }
    return NULL;
}

void card_clear(struct card *c)
{
    free(c->id);
    free(c->client);
    free(c->case_type);
    free(c->opened);
    free(c->closed_on);
    free(c->priority);
    free(c->team);
    list_clear(c->dockets);
    list_clear(c->parties);
    list_clear(c->emails);
    list_clear(c->leave_alone);
    list_clear(c->former);
    list_clear(c->key_documents);
    free(c->matter);
    free(c->hold);
    free(c->close_anyway);
    for (size_t i = 0; i < c->others_len; i++) {
        free(c->others[i].field);
        free(c->others[i].value);
    }
    free(c->others);
    for (size_t i = 0; i < c->problems_len; i++)
        free(c->problems[i].text);
    free(c->problems);
    memset(c, 0, sizeof *c);
}

/* A value on one line, whatever is in it. */
static void put_value(struct str *out, const char *field, const char *value)
{
    str_addf(out, "%s:", field);
    if (value && *value)
        str_addc(out, ' ');
    for (const char *p = value ? value : ""; *p; p++)
        str_addc(out, (unsigned char)*p < 0x20 || *p == 0x7F ? ' ' : *p);
    str_add(out, "\r\n");
}

char *card_text(const char *id, const char *client, const char *case_type, const char *opened)
{
    struct str out = STR_INIT;

    /* CR LF: Notepad on older Windows shows one long line otherwise. */
    put_value(&out, "Client", client);
    put_value(&out, "Case type", case_type);
    put_value(&out, "Status", "open");
    put_value(&out, "Opened", opened);
    put_value(&out, "Priority", "normal");
    put_value(&out, "Team", NULL);
    put_value(&out, "Docket", NULL);
    put_value(&out, "Matter number", NULL);
    put_value(&out, "Parties", NULL);
    put_value(&out, "Client email", NULL);
    str_add(&out, "\r\n");
    put_value(&out, "Case id", id);
    return str_detach(&out);
}
