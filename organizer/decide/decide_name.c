/* The fields of a document's name: where each comes from, and the name they make. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/decide_ctx.h"
#include "decide/match_words.h"
#include "decide/name.h"

enum {
    MAX_WORDS = 48,
    NAME_BYTES = 255,
    SERIAL_ROOM = 4,   /* "_100" */
    WORTH_CUTTING = 8, /* a single long word is cut, not dropped, when this much of it stays */
};

static void underscores_to_spaces(char *text)
{
    for (; *text; text++)
        if (*text == '_')
            *text = ' ';
}

/* --- from a name by the convention --- */

static enum row_answer type_from_parts(struct making *m)
{
    struct ctx *c = m->c;
    const struct doc_type *type = rules_doc_type(c->rules, c->parts.type);
    const char *words = c->parts.words ? c->parts.words : "";
    bool found = false;

    if (type) {
        making_take_type(m, type, xasprintf("name, %s", type->where));
        ctx_plain(c, &c->d->type, "plain.type.name", c->parts.type);
        m->words = name_words(words);
        return ROW_PASSES;
    }
    free(m->text);
    m->text = xasprintf("%s %s", c->parts.type, words);
    if (making_type_from_text(m, &found) == ROW_DECIDES)
        return ROW_DECIDES;
    if (found)
        return ROW_PASSES;
    if (ctx_in_inbox(c))
        return making_unknown_type(m, c->parts.type);
    m->type = name_words(c->parts.type);
    making_set_field(&c->d->type, m->type, xstrdup("name, unknown to the rules"));
    m->words = name_words(words);
    return ROW_PASSES;
}

static enum row_answer fields_from_parts(struct making *m)
{
    struct ctx *c = m->c;
    struct date_match d =
        date_find(c->parts.date, c->policy->date_order, c->policy->today, c->lang);

    if (d.verdict != DATE_FOUND)
        return making_ask_date(c, c->parts.date, &d);
    making_take_date(m, d.date, xstrdup("name"));
    ctx_plain(c, &c->d->date, "plain.date.name", NULL);
    return type_from_parts(m);
}

/* --- from any other name --- */

/* The client's own name: everywhere, but only once when it is a word of the vocabulary too. */
static void drop_client(struct making *m)
{
    const char *client = m->c->target->client;
    char room[128];
    struct tokens words = TOKENS_INIT;
    struct str key = STR_ON(room);
    size_t start, end;

    route_name_key(&key, client ? client : "");
    for (int i = 0; key.len > 0 && i < MAX_WORDS; i++) {
        tokens_read(&words, m->text, MAX_WORDS);
        if (!route_find_key(m->text, &words, str_c(&key), &start, &end))
            break;
        if (i == 1 && ctx_is_vocabulary(m->c, client))
            break;
        making_cut(m->text, start, end);
    }
    tokens_clear(&words);
    str_clear(&key);
}

static void replace_text(struct making *m, char *text)
{
    free(m->text);
    m->text = text;
}

/* The case's prefix, wherever it stands ("FW_ Smith_Divorce_letter"); from behind, since what is
 * cut moves what follows. */
static void drop_prefix(struct making *m)
{
    const struct ctx *c = m->c;
    size_t bound = strlen(m->text); /* a shorter prefix inside a longer one is gone with it */

    for (size_t i = c->hits_len; i-- > 0;) {
        const struct route_hit *h = &c->hits[i];

        if (h->matter != c->target || (h->kind != ROUTE_PREFIX && h->kind != ROUTE_FORMER) ||
            !ctx_is_whole_prefix(c, h) || h->end > bound)
            continue;
        making_cut(m->text, h->start, h->end);
        bound = h->start;
    }
    memmove(m->text, m->text + strspn(m->text, " _-"),
            strlen(m->text + strspn(m->text, " _-")) + 1);
}

static enum row_answer fields_from_words(struct making *m)
{
    struct ctx *c = m->c;
    bool dated, typed;

    replace_text(m, xstrdup(c->stem));
    drop_prefix(m);
    if (making_date_from_name(m, &dated) == ROW_DECIDES)
        return ROW_DECIDES;
    replace_text(m, rules_strip_noise(c->rules, m->text));
    /* Noise may have hidden it: DOC20260302143000. */
    if (!dated && making_date_from_name(m, &dated) == ROW_DECIDES)
        return ROW_DECIDES;
    underscores_to_spaces(m->text);
    if (ctx_prefix_length(c, c->target) == 0)
        drop_client(m);
    ctx_say(c, "  what is left of the name: \"%s\"", m->text);
    if (making_type_from_text(m, &typed) == ROW_DECIDES)
        return ROW_DECIDES;
    if (!typed)
        return making_unknown_type(m, NULL);
    return making_date_from_facts(m, dated);
}

/* --- the name --- */

static const char *received_word(const struct ctx *c)
{
    const char *word = lang_get(c->lang, "name.received");

    return strcmp(word, "name.received") == 0 ? "Received" : word;
}

const char *ctx_privileged_word(const struct ctx *c, const char *words)
{
    const unsigned marks = CONTENT_IS_PRIVILEGED | CONTENT_IS_WORK_PRODUCT;
    const char *word = lang_get(c->lang, "name.privileged");

    if (!c->f->content || !(c->f->content->flags & marks))
        return NULL;
    if (strcmp(word, "name.privileged") == 0)
        word = "Privileged";
    return words && strcasestr(words, word) ? NULL : word;
}

/* "Received" and "Privileged" come right behind the type, where they cannot give way. */
static char *all_words(const struct making *m)
{
    const char *privileged = ctx_privileged_word(m->c, m->words);
    const char *parts[] = {m->received ? received_word(m->c) : NULL, privileged, m->words};
    char room[256];
    struct str all = STR_ON(room);

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i] && *parts[i])
            str_adds(&all, all.len ? "-" : "", parts[i], NULL);
    return str_detach(&all);
}

static char *extension(const struct ctx *c)
{
    if (c->verdict == VERDICT_NO_EXTENSION)
        return xstrdup(kind_info(c->f->kind)->ext);
    return utf8_fold(c->ext);
}

/* The serial that the document has already stays with it in place. */
static bool keeps_serial(const struct ctx *c)
{
    return c->parsed && c->parts.serial && *c->parts.serial && !ctx_in_inbox(c);
}

static char *make_name(const struct making *m, const char *client, const char *case_type)
{
    const struct ctx *c = m->c;
    AUTO_FREE char *words = all_words(m);
    AUTO_FREE char *ext = extension(c);
    AUTO_FREE char *client_field = xstrdup(client);
    AUTO_FREE char *case_field = xstrdup(case_type);
    struct name_parts p = {
        .client = client_field,
        .case_type = case_field,
        .type = m->type,
        .words = *words ? words : NULL,
        .date = c->d->date.value,
        .serial = keeps_serial(c) ? c->parts.serial : NULL,
        .ext = *ext ? ext : NULL,
    };

    return rules_make_name(c->rules, &p);
}

static bool fits(const struct ctx *c, const char *folder, const char *name)
{
    const char *path = c->target->path;
    size_t chars = utf8_count(path, strlen(path)) + 1 + utf8_count(folder, strlen(folder)) +
                   (*folder ? 1 : 0) + utf8_count(name, strlen(name)) + SERIAL_ROOM;

    return strlen(name) + SERIAL_ROOM <= NAME_BYTES &&
           (c->policy->max_path == 0 || chars <= c->policy->max_path);
}

/* One word less, or the only one cut by a quarter; false when there is none left. */
static bool shorten(char *words)
{
    char *dash = strrchr(words, '-');
    size_t n = strlen(words);

    if (n == 0)
        return false;
    if (dash)
        *dash = '\0';
    else
        words[n / 4 * 3 >= WORTH_CUTTING ? utf8_cut(words, n, n / 4 * 3) : 0] = '\0';
    n = strlen(words);
    while (n > 0 && strchr("-.", words[n - 1]))
        words[--n] = '\0';
    return true;
}

static void say_privileged(struct making *m)
{
    AUTO_FREE char *words = all_words(m);

    making_set_field(&m->c->d->words, words, xstrdup("marked so on its first page"));
}

static enum row_answer made(struct making *m, char *name, const char *folder)
{
    struct ctx *c = m->c;
    struct decision *d = c->d;

    d->name = name;
    d->target = c->target;
    d->folder = xstrdup(folder);
    if (*m->words)
        making_set_field(&d->words, m->words, xstrdup("kept from the name"));
    if (ctx_privileged_word(c, m->words))
        say_privileged(m);
    if (!ctx_in_inbox(c) && strcmp(name, c->f->name) == 0) {
        ctx_say(c, "  this is the name it has");
        free(d->name);
        free(d->folder);
        d->name = d->folder = NULL;
        d->target = NULL;
        return ctx_conclude(c, ACTION_INDEX, c->f->former_of ? REASON_NEW_VERSION : REASON_NONE,
                            NULL);
    }
    return ctx_conclude(c, ACTION_FILE, c->f->former_of ? REASON_NEW_VERSION : REASON_NONE, NULL);
}

/* Makes the name fit and be legal: the words give way. */
static enum row_answer finish(struct making *m)
{
    struct ctx *c = m->c;
    const char *folder = ctx_in_inbox(c) ? m->folder : c->f->folder;
    const char *prefix = c->target->prefix, *bar = strchr(prefix, '_');
    AUTO_FREE char *client = xmemdup0(prefix, bar ? (size_t)(bar - prefix) : strlen(prefix));

    making_set_field(&c->d->client, c->target->client ? c->target->client : client,
                     xstrdup("the case"));
    making_set_field(&c->d->case_type, bar ? bar + 1 : "", xstrdup("the case"));
    for (;;) {
        char *name = make_name(m, client, bar ? bar + 1 : "");

        if (fits(c, folder, name) && !name_illegal(name))
            return made(m, name, folder);
        ctx_say(c, "  too long or not legal: %s", name);
        free(name);
        if (!shorten(m->words))
            return ctx_conclude(c, ACTION_LIST, REASON_TOO_LONG, NULL);
    }
}

/* A case that names nothing still takes its documents out of the office's Inbox, as they are. */
static enum row_answer deliver(struct ctx *c)
{
    if (name_illegal(c->f->name))
        return ctx_conclude(c, ACTION_LIST, REASON_BAD_NAME, NULL);
    c->d->name = xstrdup(c->f->name);
    c->d->target = c->target;
    c->d->folder = xstrdup("Inbox");
    return ctx_conclude(c, ACTION_FILE, REASON_NONE, NULL);
}

enum row_answer row_name(struct ctx *c)
{
    struct making m = {.c = c, .text = xstrdup(""), .words = NULL};
    bool own = c->parsed && ctx_prefix_is_of(c, c->target);
    enum row_answer answer;

    if (c->target->naming == NAMING_OFF && c->f->zone == ZONE_OFFICE_INBOX) {
        free(m.text);
        return deliver(c);
    }
    if (c->f->former_of)
        c->other = c->f->former_of;
    answer = own ? fields_from_parts(&m) : fields_from_words(&m);
    if (answer == ROW_PASSES)
        answer = finish(&m);
    free(m.text);
    free(m.type);
    free(m.words);
    return answer;
}

/* --- what is right already --- */

static bool is_lower_ascii(const char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            return false;
    return true;
}

/* As name_words() would write it. */
static bool is_field(const char *s)
{
    AUTO_FREE char *words = s ? name_words(s) : NULL;

    return !s || strcmp(words, s) == 0;
}

/* A name by the convention (any of them), with the case's prefix, present or former. */
enum row_answer row_in_order(struct ctx *c)
{
    struct date day;

    if (ctx_in_inbox(c))
        return ctx_pass(c, "what lies in an Inbox is moved even under the right name");
    if (!c->exact || !is_field(c->parts.type) || !is_field(c->parts.words))
        return ctx_pass(c, "its name is not one by the convention");
    if (!ctx_prefix_is_of(c, c->target))
        return ctx_pass(c, "%s is not the prefix of its case", c->said_prefix);
    day = date_parse_iso(c->parts.date);
    if (!date_is_set(day))
        return ctx_pass(c, "its date is not written as 2026-03-02");
    if (date_compare(day, c->policy->today) > 0 || day.year < ANCIENT_YEAR)
        return ctx_pass(c, "its date is a question");
    if (c->f->named_lately && ctx_privileged_word(c, c->parts.words))
        return ctx_pass(c, "it is marked privileged, and its name does not say so");
    if (!is_lower_ascii(c->ext) || strcmp(c->name, c->f->name) != 0 || name_illegal(c->f->name))
        return ctx_pass(c, "its name is right but for its extension or letters");
    c->d->day = day;
    making_set_field(&c->d->client, c->parts.client, xstrdup("name"));
    making_set_field(&c->d->case_type, c->parts.case_type, xstrdup("name"));
    making_set_field(&c->d->type, c->parts.type, xstrdup("name"));
    making_set_field(&c->d->date, c->parts.date, xstrdup("name"));
    if (c->parts.words && *c->parts.words)
        making_set_field(&c->d->words, c->parts.words, xstrdup("name"));
    if (rules_doc_type(c->rules, c->parts.type))
        c->d->type_name = rules_doc_type(c->rules, c->parts.type)->name;
    return ctx_conclude(c, ACTION_INDEX, c->f->former_of ? REASON_NEW_VERSION : REASON_NONE, NULL);
}
