#include "cabinet/matter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "cabinet/cabinet.h"
#include "cabinet/matter_set.h"
#include "decide/name.h"
#include "decide/route.h"

struct matters *matters_new(int root, const struct rules *rules, const struct lang *lang)
{
    struct matters *m = xcalloc(1, sizeof *m);

    m->root = root;
    m->rules = rules;
    m->lang = lang;
    m->date_order = DATE_ORDER_ASK;
    m->cache = xcalloc(1, sizeof *m->cache);
    m->cache->stale = true;
    return m;
}

void matters_free(struct matters *m)
{
    if (!m)
        return;
    while (m->len)
        matters_drop(m, m->order[m->len - 1]);
    free(m->order);
    router_free(m->cache->router);
    free(m->cache->cases);
    free(m->cache);
    free(m);
}

static void remake_all(struct matters *m)
{
    for (size_t i = 0; i < m->len; i++)
        matter_make_facts(m, m->order[i]);
}

/* At the next look cards are read again though they are the same: all, or those with mistakes. */
static void doubt_cards(struct matters *m, bool all)
{
    for (size_t i = 0; i < m->len; i++)
        if (all || m->order[i]->m.seen.problems_len)
            memset(&m->order[i]->m.card_digest, 0, sizeof m->order[i]->m.card_digest);
}

void matters_set_rules(struct matters *m, const struct rules *rules, const struct lang *lang)
{
    m->rules = rules;
    m->lang = lang;
    doubt_cards(m, false);
    remake_all(m);
}

void matters_set_naming(struct matters *m, enum naming naming)
{
    m->naming = naming;
    remake_all(m);
}

void matters_set_date_order(struct matters *m, enum date_order order)
{
    if (order != m->date_order)
        doubt_cards(m, true);
    m->date_order = order;
}

void matters_on_drop(struct matters *m, void (*drop)(void *ctx, struct matter *matter), void *ctx)
{
    m->drop = drop;
    m->drop_ctx = ctx;
}

struct node *matters_node(const struct matters *m, const char *path, size_t len)
{
    struct node *n;

    HASH_FIND(by_path, m->by_path, path, len, n);
    return n;
}

size_t matters_lower(const struct matters *m, const char *path)
{
    size_t lo = 0, hi = m->len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(m->order[mid]->path, path) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void order_insert(struct matters *m, struct node *n)
{
    size_t at = matters_lower(m, n->path);

    GROW(m->order, m->len, m->cap);
    memmove(m->order + at + 1, m->order + at, (m->len - at) * sizeof *m->order);
    m->order[at] = n;
    m->len++;
    HASH_ADD_KEYPTR(by_path, m->by_path, n->path, strlen(n->path), n);
    m->cache->stale = true;
}

static void order_remove(struct matters *m, struct node *n)
{
    size_t at = matters_lower(m, n->path);

    memmove(m->order + at, m->order + at + 1, (m->len - at - 1) * sizeof *m->order);
    m->len--;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is in order is in the table */
    HASH_DELETE(by_path, m->by_path, n);
    m->cache->stale = true;
}

struct node *matters_add(struct matters *m, const char *path)
{
    struct node *n = xcalloc(1, sizeof *n);

    n->path = xstrdup(path);
    order_insert(m, n);
    return n;
}

static void id_remove(struct matters *m, struct node *n)
{
    struct node *found;

    HASH_FIND(by_id, m->by_id, n->id, strlen(n->id), found);
    if (found == n)
        HASH_DELETE(by_id, m->by_id, n);
}

void matters_set_id(struct matters *m, struct node *n, const char *id)
{
    struct node *found;

    id_remove(m, n);
    snprintf(n->id, sizeof n->id, "%s", id);
    HASH_FIND(by_id, m->by_id, n->id, strlen(n->id), found);
    if (*n->id && !n->m.untouchable && !found)
        HASH_ADD_KEYPTR(by_id, m->by_id, n->id, strlen(n->id), n);
}

void matters_move(struct matters *m, struct node *n, const char *path)
{
    order_remove(m, n);
    free(n->path);
    n->path = xstrdup(path);
    order_insert(m, n);
}

void matters_drop(struct matters *m, struct node *n)
{
    if (m->drop)
        m->drop(m->drop_ctx, &n->m);
    id_remove(m, n);
    order_remove(m, n);
    card_clear(&n->m.card);
    card_clear(&n->m.seen);
    free(n->m.against);
    for (char **f = n->former_own; f && *f; f++)
        free(*f);
    free(n->former_own);
    free(n->former);
    free(n->path);
    free(n->prefix);
    free(n->client);
    free(n->case_type);
    free(n);
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return n == 0 || (strncmp(path, folder, n) == 0 && path[n] == '/');
}

void matters_forget(struct matters *m, const char *path)
{
    struct node *n = matters_node(m, path, strlen(path));
    AUTO_FREE char *below = xasprintf("%s%s", path, *path ? "/" : "");
    size_t at;

    if (n)
        matters_drop(m, n);
    at = matters_lower(m, below);
    while (at < m->len && is_below(m->order[at]->path, path))
        matters_drop(m, m->order[at]);
}

struct matter *matters_of(const struct matters *m, const char *path, const char **inside)
{
    for (const char *end = path; *end; end += *end == '/') {
        struct node *n;

        end = strchrnul(end, '/');
        n = matters_node(m, path, (size_t)(end - path));
        if (!n)
            continue;
        if (inside)
            *inside = *end ? end + 1 : end;
        return &n->m;
    }
    return NULL;
}

struct matter *matters_by_id(const struct matters *m, const char *id)
{
    struct node *n;

    HASH_FIND(by_id, m->by_id, id, strlen(id), n);
    return n ? &n->m : NULL;
}

struct matter *matters_by_path(const struct matters *m, const char *path)
{
    struct node *n = matters_node(m, path, strlen(path));

    return n ? &n->m : NULL;
}

static bool had_prefix(const struct node *n, const char *what)
{
    for (const char **f = n->former; f && *f; f++)
        if (name_same(*f, what))
            return true;
    return false;
}

/* The only one that matches; *count says how many did, names gets their paths. */
static struct node *find_by(const struct matters *m, const char *what, bool former, size_t *count,
                            struct str *names)
{
    struct node *found = NULL;

    *count = 0;
    for (size_t i = 0; i < m->len; i++) {
        struct node *n = m->order[i];

        if (n->m.untouchable || !(former ? had_prefix(n, what) : name_same(n->prefix, what)))
            continue;
        found = n;
        (*count)++;
        if (names->len < 200)
            str_addf(names, "%s%s", names->len ? ", " : "", n->path);
    }
    return found;
}

struct matter *matters_find(const struct matters *m, const char *what, struct error *err)
{
    AUTO_STR struct str names = STR_INIT;
    size_t len = strlen(what), count;
    struct node *n;

    while (len > 1 && what[len - 1] == '/')
        len--;
    n = matters_node(m, what, len);
    if (n)
        return &n->m;
    for (int former = 0; former <= 1; former++) {
        AUTO_FREE char *name = xmemdup0(what, len);

        n = find_by(m, name, former, &count, &names);
        if (count == 1)
            return &n->m;
        if (count > 1) {
            error_set(err, 0, "%s could be several cases: give the path, one of %s", what,
                      str_c(&names));
            return NULL;
        }
    }
    error_set(err, 0, "there is no case %s (give its prefix, such as Smith_Divorce, or its path)",
              what);
    return NULL;
}

size_t matters_len(const struct matters *m)
{
    return m->len;
}

struct matter *matters_at(const struct matters *m, size_t i)
{
    return i < m->len ? &m->order[i]->m : NULL;
}

const struct roster *matters_roster(const struct matters *m)
{
    struct roster_cache *c = m->cache;

    if (!c->stale)
        return &c->roster;
    c->roster.len = 0;
    for (size_t i = 0; i < m->len; i++) {
        if (m->order[i]->m.untouchable)
            continue; /* nothing is routed to a copy, and it contradicts nothing */
        GROW(c->cases, c->roster.len, c->cap);
        c->cases[c->roster.len++] = &m->order[i]->m.facts;
    }
    router_free(c->router);
    c->roster.cases = c->cases;
    c->roster.router = c->router = router_new(&c->roster);
    c->stale = false;
    return &c->roster;
}

/* `*` and `?` of a glob pattern, case-insensitively. Goes back to the last star only, so that no
 * pattern of a card takes long. */
static bool glob_matches(const char *pattern, const char *s, size_t n)
{
    const char *star = NULL, *end = s + n, *retry = NULL;

    while (s < end) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = s;
        } else if (*pattern == '?' || (*pattern && strncasecmp(pattern, s, 1) == 0)) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* A line of `Leave alone`: a folder (path inside the case, or name anywhere), or a pattern of
 * names. */
static bool leaves_alone(const char *entry, const char *inside)
{
    AUTO_FREE char *e = xstrdup(entry);
    size_t len;

    for (char *p = e; *p; p++)
        if (*p == '\\')
            *p = '/'; /* as Windows writes it */
    len = strlen(e);
    while (len && e[len - 1] == '/')
        e[--len] = '\0';
    if (!len)
        return false;
    for (const char *part = inside; *part;) {
        const char *end = strchrnul(part, '/');

        if (glob_matches(e, part, (size_t)(end - part)) ||
            glob_matches(e, inside, (size_t)(end - inside)))
            return true;
        part = end + (*end == '/');
    }
    return false;
}

static bool is_part(const char *part, size_t n, const char *name)
{
    return strlen(name) == n && strncasecmp(part, name, n) == 0;
}

/* In a folder of the case that `restore` made: they had their names already. */
static bool in_restored(const char *inside)
{
    size_t n = strlen(RESTORED_NAME);

    return strncmp(inside, RESTORED_NAME, n) == 0 && inside[n] >= '0' && inside[n] <= '9' &&
           strchr(inside, '/');
}

/* Below Drafts or As Received, at any depth. */
static bool in_drafts(const char *inside)
{
    for (const char *part = inside, *end; (end = strchr(part, '/')) != NULL; part = end + 1)
        if (is_part(part, (size_t)(end - part), DRAFTS_NAME) ||
            is_part(part, (size_t)(end - part), RECEIVED_NAME))
            return true;
    return false;
}

static enum zone zone_in_case(const struct matters *m, const struct node *n, const char *inside)
{
    const char *slash = strchr(inside, '/');
    AUTO_FREE char *folder = NULL;

    if (n->m.untouchable || in_drafts(inside) || in_restored(inside))
        return ZONE_LEFT_ALONE;
    for (char **e = n->m.card.leave_alone; e && *e; e++)
        if (leaves_alone(*e, inside))
            return ZONE_LEFT_ALONE;
    if (!slash || strchr(slash + 1, '/'))
        return ZONE_ELSEWHERE;
    if (strncmp(inside, INBOX_NAME "/", sizeof INBOX_NAME) == 0)
        return ZONE_CASE_INBOX;
    folder = xmemdup0(inside, (size_t)(slash - inside));
    return m->rules && rules_is_standard_folder(m->rules, folder) ? ZONE_STANDARD : ZONE_ELSEWHERE;
}

enum zone matters_zone(const struct matters *m, const char *path, struct matter **home,
                       const char **inside)
{
    const char *below = path;
    struct matter *matter = matters_of(m, path, &below);
    static const char inbox[] = INBOX_NAME "/";

    if (home)
        *home = matter;
    if (inside)
        *inside = below;
    if (matter)
        return zone_in_case(m, (const struct node *)(const void *)matter, below);
    if (strncmp(path, inbox, sizeof inbox - 1) == 0 && !strchr(path + sizeof inbox - 1, '/'))
        return ZONE_OFFICE_INBOX;
    return ZONE_OUTSIDE;
}

void case_id_mint(char id[static CASE_ID_SIZE])
{
    unsigned char raw[(CASE_ID_SIZE - 1) / 2];

    /* Short reads do not happen below 256 bytes; an error here means a kernel without random. */
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
        abort();
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(id + 2 * i, 3, "%02x", raw[i]);
}
