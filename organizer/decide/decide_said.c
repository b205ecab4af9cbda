/* Whose document it is by what it says: numbers and parties in its caption, subject and addresses,
 * and the mail that it answers. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/decide_ctx.h"
#include "decide/heading.h"
#include "decide/heading_line.h"

/*
 * A docket number, a matter number or the thread of a mail tell a case. A name alone does not: the
 * same insurer, bank or opposing counsel is in many cases; two signs that do not depend on each
 * other do (two persons of the card, or a person and the client's address), when no other case may
 * be meant. What stands in the head of a document counts first: court papers cite other cases. Of a
 * letter or mail without anything there a number in the body does, when it is the only one.
 */
enum {
    SIGNS = 64,
    SIGN_BYTES = 96,
    PLAIN_HEAD = 12,    /* lines at the top of a document without a caption */
    LABELLED_HEAD = 60, /* lines in which a labelled number counts even there */
    WIDELY_KNOWN = 3,   /* a party of more cases tells none apart */
    HITS = 64,
    NUMBER_BYTES = 5, /* a shorter matter number without its label is any number */
};

/* One thing in the document that speaks of a case. */
struct sign {
    const struct case_facts *matter;
    enum route_kind kind;
    const char *where;     /* "in its caption" */
    char text[SIGN_BYTES]; /* as written */
};

struct signs {
    struct ctx *c;
    const struct router *router;
    struct sign v[SIGNS];
    size_t len;
    bool unknown_number; /* its caption has a case number that no card has */
};

static bool is_person(enum route_kind k)
{
    return k == ROUTE_CLIENT || k == ROUTE_PARTY;
}

static bool is_strong(enum route_kind k)
{
    return k == ROUTE_DOCKET || k == ROUTE_MATTER;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- finding signs --- */

static bool has_office(const struct case_facts *matter)
{
    bool all = false;

    for (const char *const *d = matter->dockets; d && *d; d++)
        all = strchr(*d, ':') != NULL;
    return all;
}

/* The number goes on where the hit ends or starts: "1:24-cv-1234" is not "2:24-cv-1234". */
static bool is_cut(const char *line, const struct route_hit *h)
{
    const char *start = line + h->start, *end = line + h->end;

    if (h->start >= 2 && start[-1] == ':' && is_digit(start[-2]))
        return has_office(h->matter);
    if (h->start >= 2 && strchr("-/", start[-1]) && is_digit(start[-2]))
        return true;
    return *end && strchr("-/", *end) && is_digit(end[1]);
}

/* "Our file: 1042-01": the words before a matter number say that it is one. */
static bool is_labelled(const struct ctx *c, const char *line, size_t at)
{
    AUTO_FREE char *before = xmemdup0(line, at);
    size_t count;
    AUTO_FREE char *words = page_fold(before, &count);
    size_t n = strlen(words);

    for (const char *const *l = lang_list(c->lang, "paper.matter-number"); *l; l++) {
        size_t m = strlen(*l);

        if (n >= m + 2 && strncmp(words + n - m - 1, *l, m) == 0 && words[n - m - 2] == ' ')
            return true;
    }
    return false;
}

static void add_sign(struct signs *s, const struct route_hit *h, const char *line,
                     const char *where)
{
    struct sign *sign = &s->v[s->len];
    size_t n = utf8_cut(line + h->start, h->end - h->start, SIGN_BYTES - 1);

    if (s->len == SIGNS)
        return;
    *sign = (struct sign){.matter = h->matter, .kind = h->kind, .where = where};
    memcpy(sign->text, line + h->start, n);
    s->len++;
}

static size_t sharing(const struct route_hit *hits, size_t n, const struct route_hit *h)
{
    size_t same = 0;

    for (size_t i = 0; i < n; i++)
        same += hits[i].start == h->start && hits[i].end == h->end;
    return same;
}

static bool counts(struct signs *s, const char *line, const struct route_hit *hits, size_t n,
                   const struct route_hit *h)
{
    AUTO_FREE char *text = NULL;

    switch (h->kind) {
    case ROUTE_DOCKET:
        return !is_cut(line, h);
    case ROUTE_MATTER:
        return !is_cut(line, h) && is_labelled(s->c, line, h->start);
    case ROUTE_CLIENT:
    case ROUTE_PARTY:
        text = xmemdup0(line + h->start, h->end - h->start);
        return sharing(hits, n, h) <= WIDELY_KNOWN &&
               (strpbrk(text, " -") || !ctx_is_vocabulary(s->c, text));
    case ROUTE_PREFIX:
    case ROUTE_FORMER:
    case ROUTE_EMAIL:
    default:
        return false;
    }
}

/* What in one line speaks of cases; names only where they count. */
static void read_line(struct signs *s, const char *text, const char *where, bool names)
{
    struct route_hit hits[HITS];
    AUTO_FREE char *line = xstrdup(text);
    size_t n;

    page_mend_numbers(line);
    n = router_find(s->router, line, hits, HITS);
    for (size_t i = 0; i < n; i++)
        if ((names || is_strong(hits[i].kind)) && counts(s, line, hits, n, &hits[i]))
            add_sign(s, &hits[i], line, where);
}

/* The line at *p, to be freed, and *p behind it. */
static char *take_line(const char **p)
{
    size_t n = strcspn(*p, "\n");
    char *line = xmemdup0(*p, n);

    *p += n + ((*p)[n] == '\n');
    return line;
}

/* Lines from to end - 1 of text. */
static void read_lines(struct signs *s, const char *text, size_t from, size_t end,
                       const char *where, bool names)
{
    const char *p = text;

    for (size_t i = 0; *p && i < end; i++) {
        AUTO_FREE char *line = take_line(&p);

        if (i >= from)
            read_line(s, line, where, names);
    }
}

/* Below the head only a number that a label stands before: "Case No. …", "Matter: …". */
static void read_labelled(struct signs *s, const struct heading *h)
{
    const struct page_words w = page_words_of(s->c->lang);
    const char *p = h->text;

    for (size_t i = 0; *p && i < LABELLED_HEAD; i++) {
        size_t count;
        AUTO_FREE char *line = take_line(&p);
        AUTO_FREE char *words = page_fold(line, &count);

        if (i >= PLAIN_HEAD &&
            (page_starts_with(words, w.number) ||
             page_starts_with(words, lang_list(s->c->lang, "paper.matter-number"))))
            read_line(s, line, "on its first page", false);
    }
}

static void read_address(struct signs *s, const char *address, const char *where)
{
    struct route_hit hits[HITS];
    size_t n = address ? router_find_email(s->router, address, hits, HITS) : 0;

    for (size_t i = 0; i < n; i++)
        add_sign(s, &hits[i], address, where);
}

static void read_mail(struct signs *s, const struct content *said)
{
    read_address(s, said->sender, "as its sender");
    for (char **r = said->recipients; r && *r; r++)
        read_address(s, *r, "among its recipients");
}

static void check_numbers(struct signs *s, const struct heading *h)
{
    for (char **n = h->numbers; n && *n; n++) {
        size_t before = s->len;

        read_line(s, *n, "in its caption", false);
        s->unknown_number |= s->len == before;
    }
}

static void signs_read(struct signs *s, struct ctx *c, const struct heading *h)
{
    const struct roster *roster = c->f->roster;

    *s = (struct signs){.c = c, .router = c->own_router};
    if (roster && roster->router)
        s->router = roster->router;
    if (!h || !s->router)
        return;
    read_lines(s, h->caption, 0, SIZE_MAX, h->form == FORM_COURT ? "in its caption" : "in its head",
               true);
    if (h->subject)
        read_line(s, h->subject, "in its subject", true);
    if (h->form == FORM_PLAIN || (h->form == FORM_MAIL && !c->f->content->message_id))
        read_lines(s, h->text, 0, PLAIN_HEAD, "at its top", h->form == FORM_PLAIN);
    if (h->form != FORM_MAIL && h->form != FORM_COURT)
        read_labelled(s, h);
    check_numbers(s, h);
    read_mail(s, c->f->content);
}

/* --- what they say together --- */

static const struct sign *strong_of(const struct signs *s, const struct case_facts *matter)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->v[i].matter == matter && is_strong(s->v[i].kind))
            return &s->v[i];
    return NULL;
}

/* The one case that numbers tell, the first of them; *many: they tell several. */
static const struct sign *strong(const struct signs *s, bool *many)
{
    const struct sign *found = NULL;

    *many = false;
    for (size_t i = 0; i < s->len; i++) {
        if (!is_strong(s->v[i].kind))
            continue;
        *many = *many || (found && found->matter != s->v[i].matter);
        found = found ? found : &s->v[i];
    }
    return found;
}

/* The keys of two names, one of which may be part of the other: "smith" in "taylorsmith". */
static bool is_same_person(const struct sign *a, const struct sign *b)
{
    AUTO_STR struct str x = STR_INIT, y = STR_INIT;

    route_name_key(&x, a->text);
    route_name_key(&y, b->text);
    return strstr(str_c(&x), str_c(&y)) || strstr(str_c(&y), str_c(&x));
}

static bool is_longer_person(const struct sign *a, const struct sign *b)
{
    return strlen(a->text) > strlen(b->text);
}

/* How many signs of the case do not depend on each other; *first and *second (may be NULL). */
static size_t weak_signs(const struct signs *s, const struct case_facts *matter,
                         const struct sign **first, const struct sign **second)
{
    const struct sign *found[SIGNS];
    size_t n = 0;
    bool address = false;

    for (size_t i = 0; i < s->len; i++) {
        const struct sign *sign = &s->v[i];
        bool more = is_person(sign->kind) || (sign->kind == ROUTE_EMAIL && !address);

        if (sign->matter != matter || !more)
            continue;
        address = address || sign->kind == ROUTE_EMAIL;
        /* "Smith" says no more than "Taylor Smith", which may come later. */
        for (size_t k = 0; k < s->len && more && is_person(sign->kind); k++)
            if (k != i && s->v[k].matter == matter && is_person(s->v[k].kind) &&
                is_same_person(sign, &s->v[k]) &&
                (is_longer_person(&s->v[k], sign) || (k < i && !is_longer_person(sign, &s->v[k]))))
                more = false;
        if (more)
            found[n++] = sign;
    }
    if (first)
        *first = n > 0 ? found[0] : NULL;
    if (second)
        *second = n > 1 ? found[1] : NULL;
    return n;
}

/* Its card names other persons, none of whom the document speaks of: it is not the one. */
static bool is_ruled_out(const struct signs *s, const struct case_facts *matter)
{
    size_t listed = 0;

    for (const char *const *p = matter->parties; p && *p; p++)
        listed++;
    return listed >= 2 && weak_signs(s, matter, NULL, NULL) < 2;
}

/* Another case may be meant as well. */
static bool has_rival(const struct signs *s, const struct case_facts *matter)
{
    for (size_t i = 0; i < s->len; i++) {
        const struct sign *sign = &s->v[i];

        if (sign->matter == matter || is_strong(sign->kind))
            continue;
        if (weak_signs(s, sign->matter, NULL, NULL) >= 2)
            return true;
        if (sign->kind != ROUTE_PARTY && !is_ruled_out(s, sign->matter))
            return true;
    }
    return false;
}

static bool has_docket(const struct case_facts *matter)
{
    return matter->dockets && *matter->dockets;
}

/* The case that two weaker signs tell beyond doubt, or NULL. */
static const struct case_facts *by_weak_signs(const struct signs *s, const struct sign **first,
                                              const struct sign **second)
{
    const struct case_facts *found = NULL;

    for (size_t i = 0; i < s->len; i++) {
        const struct case_facts *matter = s->v[i].matter;

        if ((found && matter == found) || weak_signs(s, matter, first, second) < 2)
            continue;
        if (found || has_rival(s, matter) || (s->unknown_number && has_docket(matter)))
            return NULL;
        found = matter;
    }
    if (found)
        weak_signs(s, found, first, second);
    return found;
}

/* --- the office's Inbox --- */

static void note(struct ctx *c, const struct case_facts *matter, char *source)
{
    ctx_plain(c, &c->d->matter, "plain.case", source);
    making_set_field(&c->d->matter, ctx_case_label(c, matter), source);
    ctx_say(c, "  it belongs to %s: %s", c->d->matter.value, source);
}

static const char *kind_of(enum route_kind k)
{
    return k == ROUTE_DOCKET   ? "docket number"
           : k == ROUTE_MATTER ? "matter number"
           : k == ROUTE_EMAIL  ? "address"
                               : "name";
}

static void note_sign(struct ctx *c, const struct sign *s)
{
    note(c, s->matter, xasprintf("its %s \"%s\" %s", kind_of(s->kind), s->text, s->where));
}

static void note_two(struct ctx *c, const struct sign *a, const struct sign *b)
{
    note(c, a->matter,
         xasprintf("%s \"%s\" %s and %s \"%s\" %s", kind_of(a->kind), a->text, a->where,
                   kind_of(b->kind), b->text, b->where));
}

/* Numbers first: the likeliest candidates come first. */
static void list_signs(struct ctx *c, const struct signs *s)
{
    for (int weak = 0; weak < 2; weak++)
        for (size_t i = 0; i < s->len; i++) {
            if (is_strong(s->v[i].kind) == weak)
                continue;
            ctx_say(c, "  \"%s\" %s speaks of %s", s->v[i].text, s->v[i].where,
                    ctx_case_label(c, s->v[i].matter));
            ctx_candidate(c, ctx_case_label(c, s->v[i].matter));
        }
}

static bool speaks_of_others(const struct signs *s, const struct case_facts *matter)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->v[i].matter != matter)
            return true;
    return false;
}

/* No other court has it, nor any paper that is cited: "2:24-cv-01234", "our file 1042-01". */
static bool is_whole_number(const struct sign *s)
{
    return s->kind == ROUTE_MATTER || (has_office(s->matter) && strchr(s->text, ':'));
}

/* The one case whose number stands anywhere in a letter or mail that tells no other by its head, or
 * NULL. "No. 24-cv-1234" alone may be cited from elsewhere: with it a person or an address is wanted. */
static const struct case_facts *by_body(struct ctx *c, const struct signs *s,
                                        const struct heading *h)
{
    struct signs body = {.c = c, .router = s->router};
    bool many;
    const struct sign *sure;

    if (!h || !s->router || (h->form != FORM_LETTER && h->form != FORM_MAIL) || s->unknown_number)
        return NULL;
    read_lines(&body, h->text, 0, SIZE_MAX, "in its text", true);
    sure = strong(&body, &many);
    if (!sure || many || speaks_of_others(s, sure->matter))
        return NULL;
    if (!is_whole_number(sure) && weak_signs(&body, sure->matter, NULL, NULL) == 0 &&
        weak_signs(s, sure->matter, NULL, NULL) == 0)
        return NULL;
    note_sign(c, sure);
    return sure->matter;
}

/* A number in the body may be that of another paper: it is no more than a candidate, and none where
 * the caption has a number of its own. */
static void list_cited(struct ctx *c, const struct signs *s, const struct heading *h)
{
    for (const char *p = h && !s->unknown_number ? h->text : ""; *p;) {
        struct route_hit hits[HITS];
        AUTO_FREE char *line = take_line(&p);
        size_t found = s->router ? router_find(s->router, line, hits, HITS) : 0;

        for (size_t i = 0; i < found; i++) {
            if (!is_strong(hits[i].kind) || is_cut(line, &hits[i]) ||
                hits[i].end - hits[i].start < NUMBER_BYTES)
                continue;
            ctx_say(c, "  \"%.*s\" in its text may speak of %s", (int)(hits[i].end - hits[i].start),
                    line + hits[i].start, ctx_case_label(c, hits[i].matter));
            ctx_candidate(c, ctx_case_label(c, hits[i].matter));
        }
    }
}

/* What numbers tell, unless thread or parties say otherwise. */
static bool is_contradicted(const struct ctx *c, const struct signs *s,
                            const struct case_facts *matter)
{
    if (c->f->thread_case && c->f->thread_case != matter)
        return true;
    for (size_t i = 0; i < s->len; i++)
        if (s->v[i].matter != matter && weak_signs(s, s->v[i].matter, NULL, NULL) >= 2 &&
            weak_signs(s, matter, NULL, NULL) == 0)
            return true;
    return false;
}

const struct case_facts *said_case(struct ctx *c)
{
    struct signs s;
    const struct sign *sure, *first, *second;
    const struct case_facts *matter;
    bool many;

    signs_read(&s, c, facts_heading(c->f));
    sure = strong(&s, &many);
    if (sure && !many && !is_contradicted(c, &s, sure->matter)) {
        note_sign(c, sure);
        return sure->matter;
    }
    matter = c->f->thread_case;
    if (!sure && matter) {
        note(c, matter,
             xasprintf("it answers a mail filed there%s%s", c->f->thread_doc ? ", " : "",
                       c->f->thread_doc ? c->f->thread_doc : ""));
        return matter;
    }
    matter = sure ? NULL : by_weak_signs(&s, &first, &second);
    if (matter) {
        note_two(c, first, second);
        return matter;
    }
    matter = sure || c->f->thread_case ? NULL : by_body(c, &s, facts_heading(c->f));
    if (matter)
        return matter;
    list_signs(c, &s);
    if (c->f->thread_case)
        ctx_candidate(c, ctx_case_label(c, c->f->thread_case));
    list_cited(c, &s, facts_heading(c->f));
    return NULL;
}

bool said_otherwise(struct ctx *c, const struct case_facts *matter)
{
    struct signs s;
    const struct sign *sure;
    bool many;

    signs_read(&s, c, facts_heading(c->f));
    sure = strong(&s, &many);
    if (!sure || strong_of(&s, matter))
        return false;
    ctx_say(c, "  but its %s \"%s\" %s is that of %s", kind_of(sure->kind), sure->text, sure->where,
            ctx_case_label(c, sure->matter));
    ctx_candidate(c, ctx_case_label(c, matter));
    ctx_candidate(c, ctx_case_label(c, sure->matter));
    return true;
}

/* --- a case's own folder --- */

/* What belongs to another case than home and not to home, or NULL. */
static const struct sign *foreign(const struct signs *s, const struct case_facts *home)
{
    const struct sign *sure;
    bool many;

    if (strong_of(s, home))
        return NULL;
    sure = strong(s, &many);
    if (sure || weak_signs(s, home, NULL, NULL) > 0)
        return sure;
    for (size_t i = 0; i < s->len; i++)
        if (weak_signs(s, s->v[i].matter, NULL, NULL) >= 2)
            return &s->v[i];
    return NULL;
}

enum row_answer row_other_said(struct ctx *c)
{
    const struct case_facts *home = c->f->home;
    struct signs s;
    const struct sign *sign;
    enum row_answer answer;

    if (!home)
        return ctx_pass(c, "it lies in no case yet");
    signs_read(&s, c, facts_heading_to_check(c->f));
    sign = foreign(&s, home);
    if (!sign)
        return ctx_pass(c, "nothing in its head belongs to another case than %s", home->prefix);
    ctx_say(c, "  its %s \"%s\" %s is that of %s", kind_of(sign->kind), sign->text, sign->where,
            ctx_case_label(c, sign->matter));
    c->why = sign->text;
    c->other = ctx_case_label(c, sign->matter);
    ctx_candidate(c, c->other);
    answer =
        ctx_conclude(c, ACTION_LIST, REASON_OTHER_CASE, is_strong(sign->kind) ? "number" : "names");
    c->why = c->other = NULL;
    return answer;
}
