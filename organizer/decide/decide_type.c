/* The type in the name being made: by the words of the old name, by what the document says, and
 * what happens when these two differ. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "decide/decide_ctx.h"
#include "decide/heading.h"
#include "decide/heading_line.h"
#include "decide/match_words.h"
#include "decide/name.h"

enum { MAX_MATCHES = 8, MAX_WORDS = 48 };

enum row_answer making_unknown_type(struct making *m, const char *word)
{
    struct ctx *c = m->c;
    const char *near[MAX_MATCHES];
    struct tokens t = TOKENS_INIT;
    enum row_answer answer;

    tokens_read(&t, m->text, MAX_WORDS);
    for (size_t i = 0; i < (word ? 1 : t.len); i++) {
        const char *w = word ? word : tokens_word(&t, i);
        size_t n = strlen(w) < 4 ? 0 : rules_near_doc_types(c->rules, w, near, MAX_MATCHES);

        for (size_t k = 0; k < n; k++)
            ctx_candidate(c, near[k]);
    }
    tokens_clear(&t);
    c->why = word ? word : m->text;
    answer = ctx_conclude(c, ACTION_LIST, REASON_UNKNOWN_TYPE, c->choices ? "did-you-mean" : NULL);
    c->why = NULL;
    return answer;
}

void making_take_type(struct making *m, const struct doc_type *type, char *source)
{
    free(m->type);
    m->type = xstrdup(type->name);
    m->folder = type->folder;
    m->c->d->type_name = type->name;
    making_set_field(&m->c->d->type, type->name, source);
}

static char *match_source(const struct type_match *t)
{
    char room[256];
    struct str out = STR_ON(room);
    bool by_name = strcmp(t->by, "name") == 0;

    str_adds(&out, "rule ", t->where, *t->matched ? ", " : ", by its ", t->by, NULL);
    if (*t->matched)
        str_adds(&out, by_name ? " matched \"" : " \"", t->matched, "\"", NULL);
    return str_detach(&out);
}

/* Why it is of that type, for people: "its title says …". */
static void say_plainly(struct ctx *c, const struct type_match *t)
{
    static const char *const sorts[] = {"name", "title", "text", "form", "kind"};
    AUTO_FREE char *key = NULL;

    if (!c->explain)
        return;
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts && !key; i++)
        if (strcmp(t->by, sorts[i]) == 0)
            key = xasprintf("plain.type.%s", sorts[i]);
    if (key && strcmp(t->by, "form") == 0) {
        const struct heading *h = c->f->heading;

        free(key);
        key = xasprintf("plain.type.form.%s", form_name(h ? h->form : FORM_NONE));
    }
    ctx_plain(c, &c->d->type, key ? key : "plain.type.other", t->matched);
}

static bool equally_likely(const struct type_match *t, int n)
{
    for (int i = 1; i < n; i++)
        if (t[i].score == t[0].score && t[i].type != t[0].type)
            return true;
    return false;
}

static enum row_answer two_types(struct ctx *c, const struct type_match *t, int n)
{
    for (int i = 0; i < n; i++)
        if (t[i].score == t[0].score)
            ctx_candidate(c, t[i].type->name);
    return ctx_conclude(c, ACTION_LIST, REASON_TWO_TYPES, NULL);
}

/* The case type's name and aliases are no words to keep; text is one side of the type's words. */
static void drop_case_type(const struct ctx *c, char *text)
{
    const struct case_type *t = NULL;
    struct tokens words = TOKENS_INIT;
    size_t start, end;

    if (text[strspn(text, " ")] && c->target->case_type)
        t = rules_case_type(c->rules, c->target->case_type);
    if (!t)
        return;
    tokens_read(&words, text, MAX_WORDS);
    for (const char *const *key = t->keys; *key; key++)
        if (route_find_key(text, &words, *key, &start, &end)) {
            making_cut(text, start, end);
            tokens_read(&words, text, MAX_WORDS);
        }
    tokens_clear(&words);
}

/* What is left of the text beside the type's words, joined as the words to keep. */
static void keep_words(struct making *m, size_t start, size_t end)
{
    AUTO_FREE char *left = xmemdup0(m->text, start);
    AUTO_FREE char *right = xstrdup(m->text + end);
    char room[256];
    AUTO_STR struct str both = STR_ON(room);

    drop_case_type(m->c, left);
    drop_case_type(m->c, right);
    str_adds(&both, left, " ", right, NULL);
    free(m->words);
    m->words = name_words(str_c(&both));
}

static bool is_among(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

/* The end of what the type's name says already: of "order granting", which tells an Order, the
 * words from "granting" on say what it is about, and are kept. */
static size_t own_words_end(const struct making *m, const struct type_match *t)
{
    const char *const *about = lang_list(m->c->lang, "word.about");
    struct tokens words = TOKENS_INIT;
    char own_room[128], said_room[128];
    struct str own = STR_ON(own_room), said = STR_ON(said_room);
    size_t end = t->end;

    tokens_read(&words, m->text, MAX_WORDS);
    for (size_t i = 0; i < words.len && words.v[i].end <= t->end; i++) {
        if (words.v[i].start < t->start)
            continue;
        if (said.len > 0 && is_among(about, tokens_word(&words, i))) {
            str_reset(&own);
            route_name_key(&own, t->type->name);
            if (strcmp(str_c(&said), str_c(&own)) == 0) {
                end = words.v[i].start;
                break;
            }
        }
        str_add(&said, tokens_word(&words, i));
    }
    tokens_clear(&words);
    str_clear(&own);
    str_clear(&said);
    return end;
}

/* --- what the name says beside what the document says --- */

/* All words of part stand in whole, in that order. */
static bool says_all_of(const char *whole, const char *part)
{
    size_t count;
    AUTO_FREE char *w = page_fold(whole, &count);
    AUTO_FREE char *p = page_fold(part, &count);

    return count > 0 && strstr(w, p);
}

enum speaker { NAME_COUNTS, DOCUMENT_COUNTS, NOBODY_COUNTS };

/* Which of the two tells the type. A wrong type is worse than a question: only what is the same
 * said more exactly is taken without one. */
static enum speaker who_counts(const struct ctx *c, const struct type_match *name,
                               const struct type_match *said)
{
    if (name->type == said->type || rules_of_any_kind(c->rules, name->type))
        return NAME_COUNTS;
    if (rules_less_exact(c->rules, name->type, said->type) || name->weak)
        return DOCUMENT_COUNTS;
    if (rules_less_exact(c->rules, said->type, name->type))
        return NAME_COUNTS;
    if (says_all_of(said->matched, name->matched))
        return DOCUMENT_COUNTS;
    if (*said->matched && says_all_of(name->matched, said->matched))
        return NAME_COUNTS;
    return c->f->answered ? NAME_COUNTS : NOBODY_COUNTS;
}

/* What the document is by its own title, or by being a letter or memo; a mail may be about
 * anything, but "reply" is no more than what the mail program calls it. Returns how many matches, 0
 * when it says nothing sure. */
static int sure_match(const struct ctx *c, const struct type_match *name, struct type_match *out)
{
    const struct heading *h = facts_heading_to_check(c->f);
    int n = 0;

    if (h && h->form == FORM_MAIL && name->weak)
        return rules_match_when(c->rules, c->f, out, NULL);
    if (!h || h->form == FORM_MAIL || h->form == FORM_NONE)
        return 0;
    for (size_t i = 0; n == 0 && i < h->titles; i++)
        n = rules_match_title(c->rules, h->title[i], out, MAX_MATCHES, NULL);
    if (n == 0 && (h->form == FORM_LETTER || h->form == FORM_MEMO))
        n = rules_match_when(c->rules, c->f, out, NULL);
    return n;
}

/* "Its name says Order, its title Motion": a question. */
static enum row_answer name_against_title(struct ctx *c, const struct type_match *name,
                                          const struct type_match *said)
{
    enum row_answer answer;

    ctx_candidate(c, name->type->name);
    ctx_candidate(c, said->type->name);
    c->type = name->type->name;
    c->other = said->type->name;
    c->why = said->matched;
    answer = ctx_conclude(c, ACTION_LIST, REASON_TWO_TYPES, *said->matched ? "title" : "content");
    c->type = c->other = c->why = NULL;
    return answer;
}

static const struct type_match *among(const struct type_match *t, int n,
                                      const struct doc_type *type)
{
    for (int i = 0; i < n; i++)
        if (t[i].type == type && t[i].score == t[0].score)
            return &t[i];
    return NULL;
}

/* The name's words tell n types, best first. */
static enum row_answer type_of_both(struct making *m, const struct type_match *t, int n)
{
    struct ctx *c = m->c;
    struct type_match said[MAX_MATCHES];
    int sure = sure_match(c, &t[0], said);
    const struct type_match *name = &t[0];
    enum speaker speaker = NAME_COUNTS;

    if (equally_likely(t, n)) {
        name = sure == 1 ? among(t, n, said[0].type) : NULL;
        if (!name)
            return two_types(c, t, n);
    } else if (sure == 1) {
        speaker = who_counts(c, name, &said[0]);
    }
    if (speaker == NOBODY_COUNTS)
        return name_against_title(c, name, &said[0]);
    if (speaker == DOCUMENT_COUNTS)
        ctx_say(c, "  its name says %s, its title more exactly %s", name->type->name,
                said[0].type->name);
    name = speaker == DOCUMENT_COUNTS ? &said[0] : name;
    making_take_type(m, name->type, match_source(name));
    say_plainly(c, name);
    name = speaker == DOCUMENT_COUNTS ? &t[0] : name;
    keep_words(m, name->start, own_words_end(m, name));
    return ROW_PASSES;
}

/* The type by its words in m->text, or by content. When no rule matches *found stays false. */
enum row_answer making_type_from_text(struct making *m, bool *found)
{
    struct ctx *c = m->c;
    struct type_match t[MAX_MATCHES];
    struct str *trace = c->explain ? &c->d->trace : NULL;
    int n = rules_match_name(c->rules, c->f, m->text, t, MAX_MATCHES, trace);

    *found = n > 0;
    if (n > 0)
        return type_of_both(m, t, n);
    n = rules_match_said(c->rules, c->f, t, MAX_MATCHES, trace);
    *found = n > 0;
    if (n < 0) {
        c->why = c->f->read_why;
        return ctx_conclude(c, ACTION_RETRY, REASON_READER_FAILED, NULL);
    }
    if (n == 0)
        return ROW_PASSES;
    if (equally_likely(t, n))
        return two_types(c, t, n);
    making_take_type(m, t[0].type, match_source(&t[0]));
    say_plainly(c, &t[0]);
    keep_words(m, 0, 0);
    return ROW_PASSES;
}
