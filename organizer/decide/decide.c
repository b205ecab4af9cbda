#include "decide/decide.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "decide/decide_ctx.h"
#include "decide/heading.h"
#include "decide/name.h"

bool decide_is_ignored(const struct rules *rules, const char *name, bool dir, const char **why)
{
    const char *where = rules_ignored(rules, name, dir);

    if (why)
        *why = where;
    return where != NULL;
}

static bool in_folder(const char *folder, const char *pattern)
{
    size_t n = strlen(pattern);

    while (n > 0 && pattern[n - 1] == '/')
        n--;
    return n > 0 && strncasecmp(folder, pattern, n) == 0 && (!folder[n] || folder[n] == '/');
}

/* What the card's "Leave alone" says of the document: the pattern, or NULL. */
static const char *left_alone_by_card(const struct facts *f)
{
    const char *const *p = f->home ? f->home->leave_alone : NULL;

    for (; p && *p; p++)
        if (in_folder(f->folder, *p) || fnmatch(*p, f->name, FNM_CASEFOLD) == 0)
            return *p;
    return NULL;
}

static bool is_inbox(const struct facts *f)
{
    return f->zone == ZONE_OFFICE_INBOX || f->zone == ZONE_CASE_INBOX;
}

bool ctx_in_inbox(const struct ctx *c)
{
    return is_inbox(c->f);
}

bool decide_needs_content(const struct rules *rules, const struct facts *f)
{
    if (f->zone == ZONE_OUTSIDE || f->zone == ZONE_LEFT_ALONE || f->accompanied || f->undone)
        return false;
    if ((f->by_hand && !is_inbox(f)) || left_alone_by_card(f))
        return false;
    return rules_as_is(rules, f, NULL) == NULL;
}

static enum row_answer unread(struct ctx *c)
{
    c->why = c->f->read_why;
    return ctx_conclude(c, ACTION_RETRY, REASON_READER_FAILED, NULL);
}

/* It is indexed under the name it has. Without its digest the history would prove nothing of it: if it
 * could not be read, that is tried again. */
static enum row_answer indexed(struct ctx *c, enum reason reason)
{
    return c->f->read_failed ? unread(c) : ctx_conclude(c, ACTION_INDEX, reason, NULL);
}

/* It stays as it is. In an Inbox, which is empty only when all is filed, a person is asked to put it
 * where it belongs, unless a person said that it stays (its card). */
static enum row_answer as_is(struct ctx *c, bool by_card, const char *variant)
{
    if (c->f->zone == ZONE_OFFICE_INBOX)
        return ctx_conclude(c, ACTION_LIST, REASON_WHICH_CASE, "as-is");
    if (c->f->zone == ZONE_CASE_INBOX && !by_card)
        return ctx_conclude(c, ACTION_LIST, REASON_KEEPS_NAME, variant);
    return indexed(c, REASON_AS_IS);
}

static enum row_answer row_outside(struct ctx *c)
{
    if (c->f->zone != ZONE_OUTSIDE)
        return ctx_pass(c, "it lies in %s", c->f->home ? "a case" : "the office's Inbox");
    return ctx_conclude(c, ACTION_INDEX, REASON_NONE, NULL);
}

static enum row_answer row_as_is(struct ctx *c)
{
    const char *where;

    if (c->f->zone == ZONE_LEFT_ALONE) {
        c->why = c->f->folder;
        return as_is(c, false, NULL);
    }
    if (c->f->accompanied) {
        ctx_say(c, "  it belongs together with other files beside it");
        return as_is(c, false, "together");
    }
    c->why = left_alone_by_card(c->f);
    if (c->why) {
        ctx_say(c, "  the card leaves alone: %s", c->why);
        return as_is(c, true, NULL);
    }
    where = rules_as_is(c->rules, c->f, c->explain ? &c->d->trace : NULL);
    if (!where)
        return ctx_pass(c, "no rule, folder or card keeps its name");
    c->why = where;
    ctx_say(c, "  rule %s keeps its name", where);
    return as_is(c, false, NULL);
}

static enum row_answer row_undone(struct ctx *c)
{
    if (!c->f->undone)
        return ctx_pass(c, "nobody took its filing back");
    return indexed(c, REASON_UNDONE);
}

static enum row_answer row_by_hand(struct ctx *c)
{
    if (!c->f->by_hand)
        return ctx_pass(c, "nobody named it by hand");
    if (ctx_in_inbox(c))
        return ctx_pass(c, "it was named by hand, but an Inbox asks for a name again");
    return indexed(c, REASON_BY_HAND);
}

/* A closed case and one on hold: nothing is named there, and what is dropped is listed. Used for
 * the case it lies in and for the one it is routed to. */
static enum row_answer row_closed(struct ctx *c)
{
    if (!c->target)
        return ctx_pass(c, "its case is not known yet");
    if (c->target->closed)
        return ctx_in_inbox(c) || c->f->late
                   ? ctx_conclude(c, ACTION_LIST, REASON_CLOSED_CASE, NULL)
                   : indexed(c, REASON_NONE);
    if (c->target->hold)
        return ctx_in_inbox(c) ? ctx_conclude(c, ACTION_LIST, REASON_ON_HOLD, NULL)
                               : indexed(c, REASON_AS_IS);
    return ctx_pass(c, "the case is open and not on hold");
}

static enum row_answer row_unread(struct ctx *c)
{
    if (!c->f->read_failed)
        return ctx_pass(c, "its content was read");
    return unread(c);
}

static enum row_answer row_empty(struct ctx *c)
{
    if (c->f->kind != KIND_EMPTY)
        return ctx_pass(c, "it is not empty");
    return ctx_conclude(c, ACTION_RETRY, REASON_EMPTY, NULL);
}

/* Mails are read before anything is decided: what they are is in their head. */
static enum row_answer row_same_mail(struct ctx *c)
{
    if ((kind_info(c->f->kind)->flags & KIND_IS_MAIL) &&
        (ctx_in_inbox(c) || c->f->zone == ZONE_STANDARD))
        facts_content_to_check(c->f);
    if (!c->f->same_mail)
        return ctx_pass(c, "no mail of the case has its Message-ID");
    c->other = c->f->same_mail;
    if (ctx_in_inbox(c))
        return ctx_conclude(c, ACTION_LIST, REASON_ALREADY_FILED, "mail");
    return ctx_conclude(c, ACTION_INDEX, REASON_SAME_CONTENT, "mail");
}

/* The path in the case of a document that lies in its Inbox itself. */
static bool is_in_inbox(const char *path)
{
    return strncmp(path, "Inbox/", 6) == 0;
}

static enum row_answer row_same_content(struct ctx *c)
{
    if (!c->f->same_as)
        return ctx_pass(c, "no document of the case has the same content");
    c->other = c->f->same_as;
    if (ctx_in_inbox(c))
        return ctx_conclude(c, ACTION_LIST, REASON_ALREADY_FILED,
                            is_in_inbox(c->other) ? "inbox" : NULL);
    return ctx_conclude(c, ACTION_INDEX, REASON_SAME_CONTENT, NULL);
}

static enum row_answer row_conflict_copy(struct ctx *c)
{
    AUTO_FREE char *of = NULL;
    const char *where = rules_conflict_copy(c->rules, c->f->name, &of);
    enum row_answer answer;

    if (!where)
        return ctx_pass(c, "its name is not that of a sync client's conflict copy");
    ctx_say(c, "  rule %s: a conflict copy of %s", where, of ? of : "another document");
    c->other = of;
    if (c->f->zone == ZONE_OFFICE_INBOX)
        answer = ctx_conclude(c, ACTION_LIST, REASON_WHICH_CASE, "conflict-copy");
    else
        answer = ctx_conclude(c, ACTION_INDEX, REASON_CONFLICT_COPY, NULL);
    c->other = NULL;
    return answer;
}

/* A program saved under the name it had opened. In an Inbox or a standard folder it is named like
 * any other document, which makes it the next serial beside the first; elsewhere it stays. */
static enum row_answer row_new_version(struct ctx *c)
{
    if (!c->f->former_of)
        return ctx_pass(c, "no document had this name before");
    c->other = c->f->former_of;
    if (ctx_in_inbox(c) || c->f->zone == ZONE_STANDARD)
        return ctx_pass(c, "a new version of %s: it gets a name of its own", c->other);
    return ctx_conclude(c, ACTION_INDEX, REASON_NEW_VERSION, NULL);
}

static enum row_answer row_not_named(struct ctx *c)
{
    enum naming naming = c->target ? c->target->naming : c->policy->naming;

    if (naming == NAMING_OFF && c->f->zone == ZONE_CASE_INBOX)
        return ctx_conclude(c, ACTION_INDEX, REASON_AS_IS, NULL);
    if (ctx_in_inbox(c))
        return ctx_pass(c, "it lies in an Inbox");
    if (naming == NAMING_EVERYWHERE)
        return ctx_pass(c, "the office names documents in every folder");
    if (c->f->zone == ZONE_STANDARD && naming == NAMING_STANDARD)
        return ctx_pass(c, "it lies in a standard folder");
    if (*c->f->folder)
        ctx_say(c, "  in %s nothing is named: it is indexed where it lies", c->f->folder);
    else
        ctx_say(c, "  in the case's own folder nothing is named: it is indexed where it lies");
    return ctx_conclude(c, ACTION_INDEX, c->f->former_of ? REASON_NEW_VERSION : REASON_NONE, NULL);
}

static enum row_answer row_program(struct ctx *c)
{
    if (c->verdict != VERDICT_PROGRAM)
        return ctx_pass(c, "it is no program (%s)", kind_info(c->f->kind)->name);
    return ctx_conclude(c, ACTION_LIST, REASON_PROGRAM, NULL);
}

static enum row_answer row_contradiction(struct ctx *c)
{
    AUTO_FREE char *right = NULL;
    enum row_answer answer;

    if (c->verdict != VERDICT_CONTRADICTS)
        return ctx_pass(c, "content and extension agree");
    right = xasprintf("%s.%s", c->stem, kind_info(c->f->kind)->ext);
    c->other = right;
    answer = ctx_conclude(c, ACTION_LIST, REASON_CONTRADICTION,
                          *kind_info(c->f->kind)->ext ? NULL : "unknown");
    c->other = NULL;
    return answer;
}

static enum row_answer row_bad_name(struct ctx *c)
{
    if (!c->valid)
        return ctx_conclude(c, ACTION_LIST, REASON_BAD_NAME, NULL);
    if (utf8_deceptive(c->f->name, strlen(c->f->name)))
        return ctx_conclude(c, ACTION_LIST, REASON_DECEPTIVE_NAME, NULL);
    return ctx_pass(c, "its name is readable text");
}

static enum row_answer row_draft(struct ctx *c)
{
    if (ctx_in_inbox(c))
        return ctx_pass(c, "drafts wait in case folders, not in an Inbox");
    if (c->f->named_lately)
        return ctx_pass(c, "it was filed a moment ago");
    if (!(kind_info(c->f->kind)->flags & KIND_IS_EDITABLE))
        return ctx_pass(c, "nobody goes on writing in %s", kind_info(c->f->kind)->plain);
    if (c->f->quiet_s >= c->policy->drafts_s)
        return ctx_pass(c, "it has not been changed for long enough");
    c->d->wait_s = c->policy->drafts_s - c->f->quiet_s;
    return ctx_conclude(c, ACTION_WAIT, REASON_DRAFT, NULL);
}

/* The table of design.md section 5, top-down. What is ignored, a link, or still being written is
 * told before anything is known of it, and never comes here. */
static const struct row {
    const char *name;
    enum row_answer (*run)(struct ctx *c);
} table[] = {
    {"outside", row_outside},
    {"as it is", row_as_is},
    {"another case", row_other_case},
    {"undone", row_undone},
    {"named by hand", row_by_hand},
    {"closed or on hold", row_closed},
    {"unread", row_unread},
    {"empty", row_empty},
    {"another case by what it says", row_other_said},
    {"new version", row_new_version},
    {"same content", row_same_content},
    {"same mail", row_same_mail},
    {"conflict copy", row_conflict_copy},
    {"not named here", row_not_named},
    {"program", row_program},
    {"contradiction", row_contradiction},
    {"readable name", row_bad_name},
    {"in order", row_in_order},
    {"which case", row_route},
    {"case closed or on hold", row_closed},
    {"draft", row_draft},
    {"name", row_name},
};

static void read_stem(struct ctx *c)
{
    const char *s = c->f->name;
    size_t n, dot;

    while (*s == ' ')
        s++;
    n = strlen(s);
    while (n > 0 && s[n - 1] == ' ')
        n--;
    c->name = xmemdup0(s, n);
    if (c->valid) {
        char *nfc = utf8_nfc(c->name);

        free(c->name);
        c->name = nfc;
    }
    dot = name_ext(c->name);
    c->ext = c->name[dot] ? c->name + dot + 1 : c->name + dot;
    while (dot > 0 && c->name[dot - 1] == ' ')
        dot--;
    c->stem = xmemdup0(c->name, dot);
}

/* The case type without what tells two cases apart: "Divorce-2024". */
static const struct case_type *case_type_said(const struct ctx *c)
{
    const char *said = c->parts.case_type;
    const struct case_type *t = rules_case_type(c->rules, said);
    size_t n = strcspn(said, "-");
    AUTO_FREE char *word = NULL;

    if (t || !said[n])
        return t;
    word = xmemdup0(said, n);
    return rules_case_type(c->rules, word);
}

/* The name with a last field like "20260302" written as the convention has it; NULL when the last
 * field is no date by itself. */
static char *with_plain_date(const struct ctx *c)
{
    const char *last = strrchr(c->stem, '_');
    struct date_match m;
    char iso[DATE_TEXT];

    if (!last)
        return NULL;
    m = date_find(last + 1, c->policy->date_order, c->policy->today, c->lang);
    if (m.verdict != DATE_FOUND || m.start != 0 || m.end != strlen(last + 1))
        return NULL;
    return xasprintf("%.*s_%s%s%s", (int)(last - c->stem), c->stem, date_text(m.date, iso),
                     *c->ext ? "." : "", c->ext);
}

static bool parse(struct ctx *c, const char *name)
{
    if (rules_parse_name(c->rules, name, &c->parts) && c->parts.client && c->parts.case_type &&
        c->parts.type && c->parts.date)
        return true;
    name_parts_clear(&c->parts);
    return false;
}

static void read_parts(struct ctx *c)
{
    c->parsed = c->exact = parse(c, c->name);
    if (!c->parsed) {
        AUTO_FREE char *plain = with_plain_date(c);

        c->parsed = plain && parse(c, plain);
    }
    if (!c->parsed)
        return;
    c->said_prefix = xasprintf("%s_%s", c->parts.client, c->parts.case_type);
    c->said_type = case_type_said(c);
}

static void read_hits(struct ctx *c)
{
    const struct router *r = c->f->roster ? c->f->roster->router : NULL;

    if (!r) {
        const struct roster only = {&c->f->home, c->f->home ? 1 : 0, NULL};

        c->own_router = router_new(c->f->roster ? c->f->roster : &only);
        r = c->own_router;
    }
    c->hits_len = router_find(r, c->stem, c->hits, CTX_HITS);
}

/* By the last extension: of "tar.gz" what the content is. */
static enum verdict verdict_of(const struct ctx *c)
{
    const char *dot = strrchr(c->ext, '.');

    return kind_verdict(c->f->kind, dot ? dot + 1 : c->ext);
}

static void ctx_init(struct ctx *c)
{
    size_t n = strlen(c->f->name);

    c->valid = utf8_valid(c->f->name, n);
    c->target = c->f->home;
    read_stem(c);
    c->verdict = verdict_of(c);
    if (!c->valid || c->f->zone == ZONE_OUTSIDE || c->f->zone == ZONE_LEFT_ALONE)
        return;
    read_parts(c);
    read_hits(c);
}

static void ctx_clear(struct ctx *c)
{
    free(c->name);
    free(c->stem);
    free(c->said_prefix);
    free(c->choices);
    free(c->because);
    name_parts_clear(&c->parts);
    router_free(c->own_router);
}

void decide(const struct rules *rules, const struct lang *lang, const struct policy *policy,
            const struct facts *f, bool explain, struct decision *d)
{
    struct facts facts = *f;
    struct heading heading = {.form = FORM_NONE};
    struct ctx c = {.rules = rules, .lang = lang, .policy = policy, .f = &facts, .d = d};

    *d = (struct decision){.trace = STR_INIT};
    facts.content_missed = &d->wants_content;
    facts.content_unchecked = &d->unchecked;
    if (f->content) {
        heading_read(f->content, lang, &heading);
        facts.heading = &heading;
    }
    c.explain = explain;
    ctx_init(&c);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].run(&c) == ROW_DECIDES) {
            ctx_say(&c, "%s: yes%s%s", table[i].name, *d->sentence ? ", " : "", d->sentence);
            break;
        }
        ctx_say(&c, "%s: no, %s", table[i].name, c.because ? c.because : "");
    }
    if (explain)
        d->story = ctx_story(&c);
    ctx_clear(&c);
    heading_clear(&heading);
}

static void field_clear(struct field *f)
{
    free(f->value);
    free(f->source);
    free(f->plain);
}

void decision_clear(struct decision *d)
{
    struct field *fields[] = {&d->client, &d->case_type, &d->type,
                              &d->words,  &d->date,      &d->matter};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        field_clear(fields[i]);
    free(d->story);
    free(d->sentence);
    free(d->help);
    free(d->folder);
    free(d->name);
    for (char **p = d->candidates; p && *p; p++)
        free(*p);
    free(d->candidates);
    str_clear(&d->trace);
    *d = (struct decision){.trace = STR_INIT};
}

static void why_field(struct str *out, const char *what, const struct field *f)
{
    if (!f->value || !*f->value)
        return;
    str_adds(out, out->len ? ", " : "", what, " ", f->value, NULL);
    if (f->source)
        str_adds(out, " (", f->source, ")", NULL);
}

char *decision_why(const struct decision *d)
{
    char room[512];
    struct str out = STR_ON(room);

    why_field(&out, "case", &d->matter);
    why_field(&out, "type", &d->type);
    why_field(&out, "words", &d->words);
    why_field(&out, "date", &d->date);
    if (d->action != ACTION_FILE && d->sentence && *d->sentence)
        str_adds(&out, out.len ? "; " : "", d->sentence, NULL);
    return str_detach(&out);
}
