#include "flow/lookover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cabinet/cabinet.h"
#include "cabinet/text.h"
#include "file/lease.h"
#include "publish/publish.h"
#include "record/journal.h"
#include "settle/settle.h"

#define CLOSING_LETTER "ClosingLetter"
#define TASKS_MAX      (256 * 1024)
#define DEPTH_MAX      64

static const char *const task_files[] = {"Tasks.txt", "To do.txt", "Todo.txt", "To-do.txt", NULL};

void lookover_init(struct lookover *l, const struct matter *m)
{
    const char *tasks = card_other(&m->card, "tasks");

    *l = (struct lookover){
        .path = xstrdup(m->facts.path),
        .originals = xstrdup(card_other(&m->card, "originals")),
        .trust = xstrdup(card_other(&m->card, "trust balance")),
        .tampered = m->reason == REASON_TAMPERED,
        .tasks = xstrdup(tasks ? tasks : card_other(&m->card, "open tasks")),
    };
    snprintf(l->id, sizeof l->id, "%s", m->facts.id);
}

static void names_clear(struct lookover_names *n)
{
    for (size_t i = 0; i < n->shown; i++)
        free(n->names[i]);
    *n = (struct lookover_names){.len = 0};
}

void lookover_clear(struct lookover *l)
{
    free(l->path);
    free(l->originals);
    free(l->trust);
    free(l->tasks);
    names_clear(&l->busy);
    names_clear(&l->attention);
    names_clear(&l->todo);
    names_clear(&l->unknown);
    for (size_t i = 0; i < l->against_len; i++)
        free(l->against[i]);
    free(l->against);
    *l = (struct lookover){.path = NULL};
}

/* Counts text, and keeps it when it is one of the first; what was kept is counted once. */
static void add(struct lookover_names *n, const char *text)
{
    AUTO_STR struct str shown = STR_INIT;

    utf8_show(&shown, text, strlen(text));
    for (size_t i = 0; i < n->shown; i++)
        if (strcmp(n->names[i], str_c(&shown)) == 0)
            return;
    if (n->shown < sizeof n->names / sizeof *n->names)
        n->names[n->shown++] = str_detach(&shown);
    n->len++;
}

void lookover_add_busy(struct lookover *l, const char *path)
{
    add(&l->busy, path);
}

/* ---- the card -------------------------------------------------------------------------------- */

static bool is_nothing(const char *value)
{
    static const char *const words[] = {"",    "none", "no",  "nil", "n/a",     "na",
                                        "-",   "--",   "nothing", "zero", "false", "0"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(value, words[i]) == 0)
            return true;
    return false;
}

/* Without blanks and a full stop at its ends. Caller frees. */
static char *bare(const char *value)
{
    size_t n;

    while (*value == ' ' || *value == '\t')
        value++;
    n = strlen(value);
    while (n && strchr(" \t.\r\n", value[n - 1]))
        n--;
    return xmemdup0(value, n);
}

bool lookover_is_noted(const char *value, bool money)
{
    AUTO_FREE char *v = bare(value ? value : "");

    if (is_nothing(v))
        return false;
    if (!money)
        return strncasecmp(v, "returned", 8) != 0 && strncasecmp(v, "all returned", 12) != 0;
    /* "0.00", "$ 0,00", "EUR 0": figures, and all of them nought. */
    return !v[strcspn(v, "0123456789")] || v[strcspn(v, "123456789")];
}

static const char *skip_bullet(const char *s)
{
    static const char *const bullets[] = {"- ", "* ", "+ ", "\xE2\x80\xA2"};

    while (*s == ' ' || *s == '\t')
        s++;
    for (size_t i = 0; i < sizeof bullets / sizeof *bullets; i++)
        if (strncmp(s, bullets[i], strlen(bullets[i])) == 0)
            s += strlen(bullets[i]);
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

/* What stands above a list of tasks. */
static bool is_heading(const char *s)
{
    static const char *const titles[] = {"to do", "todo", "to-do", "tasks", "open tasks"};
    size_t n = strlen(s);

    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcasecmp(s, titles[i]) == 0)
            return true;
    return *s == '#' || s[n - 1] == ':' || strspn(s, "=-_*") == n;
}

bool lookover_is_task(const char *line)
{
    static const char *const done[] = {"[x]", "x ", "done", "\xE2\x9C\x93", "\xE2\x9C\x94",
                                       "\xE2\x98\x91", "\xE2\x98\x92"};
    AUTO_FREE char *v = bare(skip_bullet(line));
    size_t n = strlen(v);

    if (is_nothing(v) || is_heading(v))
        return false;
    for (size_t i = 0; i < sizeof done / sizeof *done; i++)
        if (strncasecmp(v, done[i], strlen(done[i])) == 0)
            return false;
    return n < 6 || strcasecmp(v + n - 6, "(done)") != 0;
}

static void take_tasks(struct lookover *l, const char *text, const char *ends)
{
    for (const char *p = text ? text : ""; *p;) {
        size_t n = strcspn(p, ends);
        AUTO_FREE char *line = xmemdup0(p, n);

        if (lookover_is_task(line)) {
            AUTO_FREE char *task = bare(skip_bullet(line));

            add(&l->todo, task);
        }
        p += n + (p[n] != '\0');
    }
}

static bool is_task_file(const char *name)
{
    for (size_t i = 0; task_files[i]; i++)
        if (strcasecmp(name, task_files[i]) == 0)
            return true;
    return false;
}

/* A list of tasks as people keep it beside the card. -1 with errno when it cannot be read. */
static int read_tasks(struct lookover *l, int dir, const char *name)
{
    AUTO_STR struct str bytes = STR_INIT, text = STR_INIT;

    if (io_read_file(dir, name, &bytes, TASKS_MAX) < 0)
        return -1;
    if (text_decode(str_c(&bytes), bytes.len, &text) == 0)
        take_tasks(l, str_c(&text), "\n");
    return 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int take_row(void *ctx, const struct doc *d)
{
    struct lookover *l = ctx;

    if (d->state == DOC_WAITING && d->reason != REASON_DRAFT)
        add(&l->busy, d->path);
    else if (reason_is_attention(d->reason) && d->reason != REASON_CLOSED_CASE)
        add(&l->attention, d->path);
    l->letter |= d->type && strcmp(d->type, CLOSING_LETTER) == 0;
    return 0;
}

/* ---- the folder ------------------------------------------------------------------------------ */

/* What cannot be looked at, with errno, may speak against it. What is gone or not ours to open does
 * not. */
static void look_failed(struct lookover *l, const char *path)
{
    if (!io_is_lasting(errno))
        add(&l->unknown, path);
}

static void look_at_file(struct lookover *l, int dir, const char *name, const char *inside,
                         const char *path)
{
    int open;

    if (!*inside && publish_is_own_name(name))
        return;
    if (!*inside && is_task_file(name) && read_tasks(l, dir, name) < 0)
        look_failed(l, path);
    open = settle_is_lock(name) ? 1 : lease_ask_in(dir, name);
    if (open > 0)
        add(&l->busy, path);
    else if (open < 0)
        look_failed(l, path);
}

static void walk(struct lookover *l, int fd, const char *inside, unsigned depth);

static void walk_entry(struct lookover *l, int dir, const char *name, const char *inside,
                       unsigned depth)
{
    AUTO_FREE char *path = xjoin(inside, name);
    struct stat st;
    int fd;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        look_failed(l, path);
        return;
    }
    if (S_ISREG(st.st_mode))
        look_at_file(l, dir, name, inside, path);
    if (!S_ISDIR(st.st_mode) || depth + 1 >= DEPTH_MAX)
        return;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        look_failed(l, path);
    else
        walk(l, fd, path, depth + 1);
}

/* Takes the descriptor over. */
static void walk(struct lookover *l, int fd, const char *inside, unsigned depth)
{
    DIR *d = io_list_own(fd);
    struct dirent *e;
    int more = -1;

    while (d && (more = io_next(d, &e)) > 0)
        if (strcmp(e->d_name, JOURNAL_FOLDER) != 0 &&
            strncmp(e->d_name, IO_TEMP_PREFIX, sizeof IO_TEMP_PREFIX - 1) != 0)
            walk_entry(l, dirfd(d), e->d_name, inside, depth);
    if (more < 0)
        look_failed(l, *inside ? inside : l->path);
    if (d)
        closedir(d);
}

int lookover_run(struct lookover *l, int root, struct state *state, struct error *err)
{
    int fd;

    if (state && state_each_doc(state, l->id, false, take_row, l, err) < 0)
        return -1;
    fd = beneath_open(root, l->path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_set(err, errno, "the folder %s cannot be opened", l->path);
    take_tasks(l, l->tasks, ";\n");
    walk(l, fd, "", 0);
    return 0;
}

/* ---- in words -------------------------------------------------------------------------------- */

static void object(struct lookover *l, char *sentence)
{
    l->against = xreallocarray(l->against, l->against_len + 2, sizeof *l->against);
    l->against[l->against_len++] = sentence;
    l->against[l->against_len] = NULL;
}

static void object_names(struct lookover *l, const struct lang *lang, const char *what,
                         const struct lookover_names *n)
{
    AUTO_FREE char *key = xasprintf("closing.%s.%s", what, n->len == 1 ? "one" : "many");
    AUTO_STR struct str names = STR_INIT;
    char number[24];

    if (n->len == 0)
        return;
    for (size_t i = 0; i < n->shown; i++)
        str_addf(&names, "%s%s", i ? ", " : "", n->names[i]);
    if (n->len > n->shown)
        str_add(&names, ", \xE2\x80\xA6");
    snprintf(number, sizeof number, "%zu", n->len);
    object(l, lang_format(lang, key, "n", number, "names", str_c(&names), NULL));
}

static void object_value(struct lookover *l, const struct lang *lang, const char *key,
                         const char *value)
{
    AUTO_STR struct str shown = STR_INIT;

    utf8_show(&shown, value, strlen(value));
    object(l, lang_format(lang, key, "value", str_c(&shown), NULL));
}

void lookover_say(struct lookover *l, const struct lang *lang)
{
    if (l->tampered)
        object(l, xstrdup(lang_get(lang, "closing.tampered")));
    object_names(l, lang, "attention", &l->attention);
    object_names(l, lang, "open", &l->busy);
    object_names(l, lang, "unknown", &l->unknown);
    if (!l->letter)
        object(l, xstrdup(lang_get(lang, "closing.no-letter")));
    if (lookover_is_noted(l->originals, false))
        object_value(l, lang, "closing.originals", l->originals);
    if (lookover_is_noted(l->trust, true))
        object_value(l, lang, "closing.trust", l->trust);
    object_names(l, lang, "tasks", &l->todo);
}

char *lookover_text(const struct lookover *l)
{
    struct str out = STR_INIT;

    for (size_t i = 0; i < l->against_len; i++)
        str_addf(&out, "%s%s", i ? "; " : "", l->against[i]);
    return str_detach(&out);
}
