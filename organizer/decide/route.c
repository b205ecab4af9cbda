#include "decide/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/table.h"
#include "base/utf8.h"
#include "decide/match_words.h"

enum {
    MAX_WORDS = 48,    /* of a name: more are not looked at */
    NAME_WORDS = 8,    /* of a client or party */
    NUMBER_WORDS = 10, /* runs of a docket number */
    SHORT_NUMBER = 5,  /* a plain matter number below this many digits counts only at the start */
};

struct place {
    const struct case_facts *matter;
    enum route_kind kind;
};

/* All cases under one key; keys start with 'p'refix, '#' number, 'n'ame or '@' address. */
struct entry {
    UT_hash_handle hh;
    struct place *places;
    size_t len, cap;
    char key[];
};

struct router {
    struct entry *entries;
    size_t longest[4]; /* bytes of the longest key of each sort */
};

enum sort { SORT_PREFIX, SORT_NUMBER, SORT_NAME, SORT_EMAIL };
static const char sort_letter[] = "p#n@";

static void add(struct router *r, enum sort sort, const char *key, const struct case_facts *c,
                enum route_kind kind)
{
    struct entry *e;
    size_t n = strlen(key);
    AUTO_FREE char *full = xasprintf("%c%s", sort_letter[sort], key);

    if (n == 0)
        return;
    if (n > r->longest[sort])
        r->longest[sort] = n;
    HASH_FIND(hh, r->entries, full, n + 1, e);
    if (!e) {
        e = xcalloc(1, sizeof *e + n + 2);
        memcpy(e->key, full, n + 2);
        HASH_ADD(hh, r->entries, key, n + 1, e);
    }
    for (size_t i = 0; i < e->len; i++)
        if (e->places[i].matter == c)
            return;
    GROW(e->places, e->len, e->cap);
    e->places[e->len++] = (struct place){c, kind};
}

static void add_prefix(struct router *r, const char *prefix, const struct case_facts *c,
                       enum route_kind kind)
{
    AUTO_FREE char *key = utf8_fold(prefix);

    add(r, SORT_PREFIX, key, c, kind);
}

/* A word of a number as it is compared: "24 Civ. 001234" is 24-cv-1234. */
static const char *plain_word(const char *word)
{
    if (strcmp(word, "civ") == 0)
        return "cv";
    if (strcmp(word, "crim") == 0)
        return "cr";
    while (word[0] == '0' && word[1] >= '0' && word[1] <= '9')
        word++;
    return word;
}

/* "2-26-cv-123" of the words from `first` on. */
static void number_key(struct str *out, const struct tokens *t, size_t first, size_t end)
{
    str_reset(out);
    for (size_t i = first; i < end; i++) {
        if (i > first)
            str_addc(out, '-');
        str_add(out, plain_word(tokens_word(t, i)));
    }
}

static bool has_digit(const char *s)
{
    return strpbrk(s, "0123456789") != NULL;
}

/* "2024-CA-3311" is written "24-CA-3311" as well, and the other way round. */
static void add_other_year(struct router *r, const char *key, const struct case_facts *c,
                           enum route_kind kind)
{
    size_t n = strspn(key, "0123456789");
    bool letters = key[n] == '-' && key[n + 1] >= 'a' && key[n + 1] <= 'z';
    AUTO_FREE char *longer = xasprintf("20%s", key);

    if (letters && n == 4 && (strncmp(key, "19", 2) == 0 || strncmp(key, "20", 2) == 0))
        add(r, SORT_NUMBER, key + 2, c, kind);
    else if (letters && n == 2)
        add(r, SORT_NUMBER, longer, c, kind);
}

/* A docket number, and what people write of it: without the office before ':' and without the
 * judge's letters at the end ("2:26-cv-00123-ABC"). */
static void add_number(struct router *r, const char *number, const struct case_facts *c,
                       enum route_kind kind)
{
    size_t office = strchr(number, ':') ? 1 : 0, last;
    struct tokens t = TOKENS_INIT;
    struct str key = STR_INIT;

    tokens_read(&t, number, NUMBER_WORDS);
    for (last = t.len; last > 0 && !has_digit(tokens_word(&t, last - 1));)
        last--;
    for (size_t first = 0; first <= office && last > 3 * first; first++)
        for (size_t end = last; end <= t.len; end += t.len > last ? t.len - last : 1) {
            number_key(&key, &t, first, end);
            if (key.len < 3)
                continue;
            add(r, SORT_NUMBER, str_c(&key), c, kind);
            add_other_year(r, str_c(&key), c, kind);
        }
    str_clear(&key);
    tokens_clear(&t);
}

void route_name_key(struct str *out, const char *name)
{
    struct tokens t = TOKENS_INIT;

    tokens_read(&t, name, MAX_WORDS);
    for (size_t i = 0; i < t.len; i++)
        str_add(out, tokens_word(&t, i));
    tokens_clear(&t);
}

/* Too short to tell anything: "Al", "v", but not two letters of a script that needs no more. */
static bool tells(const char *key)
{
    size_t n = strlen(key), count = utf8_count(key, n);

    return count >= 3 || (count == 2 && n > 3);
}

/* What companies have behind their names, and leave out in letters. */
static bool is_company_word(const char *word)
{
    static const char *const words[] = {"inc",     "incorporated", "llc",     "llp",         "lp",
                                        "pllc",    "pc",           "corp",    "corporation", "co",
                                        "company", "ltd",          "limited", "plc",         "na",
                                        "gmbh",    "ag",           "sa",      "bv"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* "Northgate Freight" of "Northgate Freight, Inc."; of one word nothing is left that tells. */
static void add_short_name(struct router *r, const struct tokens *t, const struct case_facts *c,
                           enum route_kind kind)
{
    AUTO_STR struct str key = STR_INIT;
    size_t n = t->len;

    /* "N.A." and "L.L.C." are letters. */
    while (n > 2 && (is_company_word(tokens_word(t, n - 1)) || !tokens_word(t, n - 1)[1]))
        n--;
    if (n == t->len || n < 2)
        return;
    for (size_t i = 0; i < n; i++)
        str_add(&key, tokens_word(t, i));
    add(r, SORT_NAME, str_c(&key), c, kind);
}

/* The name as written and, for two words, the other way round: "Whitfield, John". */
static void add_name(struct router *r, const char *name, const struct case_facts *c,
                     enum route_kind kind)
{
    struct tokens t = TOKENS_INIT;
    struct str key = STR_INIT;

    tokens_read(&t, name, NAME_WORDS);
    for (size_t i = 0; i < t.len; i++)
        str_add(&key, tokens_word(&t, i));
    if (tells(str_c(&key))) {
        add(r, SORT_NAME, str_c(&key), c, kind);
        if (t.len == 2) {
            str_reset(&key);
            str_addf(&key, "%s%s", tokens_word(&t, 1), tokens_word(&t, 0));
            add(r, SORT_NAME, str_c(&key), c, kind);
        }
        add_short_name(r, &t, c, kind);
    }
    str_clear(&key);
    tokens_clear(&t);
}

/* The address inside "Name <a@b>". */
static const char *address_in(const char *text, size_t *n)
{
    const char *open = strrchr(text, '<'), *at = open ? open + 1 : text;

    at += strspn(at, " ");
    *n = strcspn(at, "> ;,");
    return at;
}

static void add_email(struct router *r, const char *text, const struct case_facts *c)
{
    size_t n;
    const char *at = address_in(text, &n);
    AUTO_FREE char *address = xmemdup0(at, n);
    AUTO_FREE char *key = utf8_fold(address);

    if (strchr(key, '@'))
        add(r, SORT_EMAIL, key, c, ROUTE_EMAIL);
}

static void add_case(struct router *r, const struct case_facts *c)
{
    add_prefix(r, c->prefix, c, ROUTE_PREFIX);
    for (size_t i = 0; c->former && c->former[i]; i++)
        add_prefix(r, c->former[i], c, ROUTE_FORMER);
    for (size_t i = 0; c->dockets && c->dockets[i]; i++)
        add_number(r, c->dockets[i], c, ROUTE_DOCKET);
    if (c->matter)
        add_number(r, c->matter, c, ROUTE_MATTER);
    if (c->client)
        add_name(r, c->client, c, ROUTE_CLIENT);
    for (size_t i = 0; c->parties && c->parties[i]; i++)
        add_name(r, c->parties[i], c, ROUTE_PARTY);
    for (size_t i = 0; c->emails && c->emails[i]; i++)
        add_email(r, c->emails[i], c);
}

struct router *router_new(const struct roster *roster)
{
    struct router *r = xcalloc(1, sizeof *r);

    for (size_t i = 0; i < roster->len; i++)
        add_case(r, roster->cases[i]);
    return r;
}

void router_free(struct router *r)
{
    struct entry *e, *next;

    if (!r)
        return;
    HASH_ITER(hh, r->entries, e, next)
    {
        HASH_DEL(r->entries, e);
        free(e->places);
        free(e);
    }
    free(r);
}

/* What router_find() is filling. */
struct search {
    const struct router *router;
    const char *name;
    struct tokens words;
    struct str key;
    struct route_hit *out;
    size_t len, max;
};

static const struct entry *look_up(struct search *s)
{
    struct entry *e;

    HASH_FIND(hh, s->router->entries, s->key.s, s->key.len, e);
    return e;
}

static void take(struct search *s, const struct entry *e, size_t start, size_t end)
{
    for (size_t i = 0; e && i < e->len && s->len < s->max; i++)
        s->out[s->len++] = (struct route_hit){e->places[i].matter, e->places[i].kind, start, end};
}

static bool letter_before(const char *text, size_t at)
{
    const char *p = text + at, *q = p;

    if (at == 0)
        return false;
    do
        q--;
    while (q > text && ((unsigned char)*q & 0xC0) == 0x80);
    return utf8_is_word(utf8_next(&q, p));
}

static bool letter_at(const char *text, size_t at)
{
    const char *p = text + at;

    return *p && utf8_is_word(utf8_next(&p, p + strlen(p)));
}

bool route_whole_words(const char *text, const struct tokens *t, size_t first, size_t last)
{
    return !letter_before(text, t->v[first].start) && !letter_at(text, t->v[last].end);
}

bool route_find_key(const char *text, const struct tokens *t, const char *key, size_t *start,
                    size_t *end)
{
    for (size_t i = 0; i < t->len; i++) {
        const char *rest = key;

        for (size_t j = i; j < t->len && *rest; j++) {
            size_t n = strlen(tokens_word(t, j));

            if (strncmp(rest, tokens_word(t, j), n) != 0)
                break;
            rest += n;
            if (!*rest && route_whole_words(text, t, i, j)) {
                *start = t->v[i].start;
                *end = t->v[j].end;
                return true;
            }
        }
    }
    return false;
}

/* Prefixes that start at word i; the longest come last. */
static void find_prefixes(struct search *s, size_t i)
{
    size_t start = s->words.v[i].start;

    for (size_t j = i; j < s->words.len; j++) {
        size_t end = s->words.v[j].end, n = end - start;
        AUTO_FREE char *part = NULL;
        AUTO_FREE char *fold = NULL;

        if (n > s->router->longest[SORT_PREFIX] * 2)
            return;
        if (!memchr(s->name + start, '_', n) || letter_at(s->name, end))
            continue;
        part = xmemdup0(s->name + start, n);
        fold = utf8_fold(part);
        str_reset(&s->key);
        str_adds(&s->key, "p", fold, NULL);
        take(s, look_up(s), start, end);
    }
}

static void find_names(struct search *s, size_t i)
{
    str_reset(&s->key);
    str_addc(&s->key, 'n');
    for (size_t j = i; j < s->words.len && j < i + NAME_WORDS; j++) {
        str_add(&s->key, tokens_word(&s->words, j));
        if (s->key.len - 1 > s->router->longest[SORT_NAME])
            return;
        if (!letter_at(s->name, s->words.v[j].end))
            take(s, look_up(s), s->words.v[i].start, s->words.v[j].end);
    }
}

/* A plain short number says something only at the start: "1042 letter", not "Invoice 1042"; and
 * "2026" is a year. */
static bool is_weak_number(const char *key, size_t first)
{
    size_t n = strlen(key);

    if (strspn(key, "0123456789") != n)
        return false;
    if (n == 4 && (strncmp(key, "19", 2) == 0 || strncmp(key, "20", 2) == 0))
        return true;
    return n < SHORT_NUMBER && first > 0;
}

static void find_numbers(struct search *s, size_t i)
{
    str_reset(&s->key);
    for (size_t j = i; j < s->words.len && j < i + NUMBER_WORDS; j++) {
        str_addc(&s->key, j == i ? '#' : '-');
        str_add(&s->key, plain_word(tokens_word(&s->words, j)));
        if (s->key.len - 1 > s->router->longest[SORT_NUMBER])
            return;
        if (letter_at(s->name, s->words.v[j].end) || is_weak_number(s->key.s + 1, i))
            continue;
        take(s, look_up(s), s->words.v[i].start, s->words.v[j].end);
    }
}

size_t router_find(const struct router *r, const char *name, struct route_hit *out, size_t max)
{
    char room[256];
    struct search s = {r, name, TOKENS_INIT, STR_ON(room), out, 0, max};

    tokens_read(&s.words, name, MAX_WORDS);
    for (size_t i = 0; i < s.words.len; i++) {
        if (letter_before(name, s.words.v[i].start))
            continue;
        find_prefixes(&s, i);
        find_names(&s, i);
        find_numbers(&s, i);
    }
    tokens_clear(&s.words);
    str_clear(&s.key);
    return s.len;
}

size_t router_find_email(const struct router *r, const char *address, struct route_hit *out,
                         size_t max)
{
    struct search s = {r, address, TOKENS_INIT, STR_INIT, out, 0, max};
    size_t n;
    const char *at = address_in(address, &n);
    AUTO_FREE char *copy = xmemdup0(at, n);
    AUTO_FREE char *key = utf8_fold(copy);

    str_addf(&s.key, "@%s", key);
    take(&s, look_up(&s), (size_t)(at - address), (size_t)(at - address) + n);
    str_clear(&s.key);
    return s.len;
}
