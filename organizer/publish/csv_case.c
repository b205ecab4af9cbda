/* Index.csv of a case. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "publish/page.h"

static const char *const headings[] = {
    "csv.date",      "csv.type",      "csv.words",     "csv.name",   "csv.folder",  "csv.state",
    "csv.attention", "csv.relevance", "csv.original",  "csv.filed",  "csv.size",    "csv.kind",
    "csv.sha256",    "csv.number",    "csv.suggested", "csv.remark", "csv.by-hand",
    "csv.title",     "csv.author",    "csv.subject",   "csv.from",   "csv.to",      "csv.attachments",
    "csv.pages",     "csv.privileged", "csv.work-product", "csv.encrypted", "csv.signed",
    "csv.macros",    "csv.scan",      "csv.ocr",       "csv.reading",
};

/* One column each, in this order: behind them why not all of it could be read. */
static const unsigned flags[] = {CONTENT_IS_PRIVILEGED, CONTENT_IS_WORK_PRODUCT,
                                 CONTENT_IS_ENCRYPTED,  CONTENT_IS_SIGNED,
                                 CONTENT_HAS_MACROS,    CONTENT_IS_SCAN,
                                 CONTENT_TEXT_BY_HOOK};

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static void key_field(struct str *out, const struct lang *lang, const char *prefix,
                      const char *code)
{
    AUTO_FREE char *key = xasprintf("page.%s.%s", prefix, code);

    csv_field(out, lang_get(lang, key), false);
}

/* What it says. */
static void add_said(struct str *out, const struct lang *lang, const struct content_facts *said)
{
    const char *texts[] = {said->title,  said->author,     said->subject,
                           said->sender, said->recipients, said->attachments};
    char pages[16] = "";

    if (said->pages)
        snprintf(pages, sizeof pages, "%u", said->pages);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        csv_field(out, or_empty(texts[i]), false);
    csv_field(out, pages, false);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        csv_field(out, said->flags & flags[i] ? lang_get(lang, "page.yes") : "", false);
    csv_field(out, said->why ? lang_get(lang, said->why) : "", false);
}

static void add_row(struct str *out, const struct publish_job *job, const struct tz *z,
                    const struct entry *e)
{
    static const char *const standings[] = {"attention", "filed", "indexed", "waiting"};
    static const char *const relevances[] = {"key", "supporting", "background"};
    const struct shown *d = &e->doc;
    char when[TZ_MINUTE] = "", size[24], number[24], hex[DIGEST_HEX] = "";

    snprintf(size, sizeof size, "%" PRIu64, d->size);
    snprintf(number, sizeof number, "%" PRId64, d->number);
    if (d->filed_ns > 0 && d->state == DOC_FILED)
        tz_minute(z, d->filed_ns, when);
    csv_field(out, or_empty(d->date), true);
    csv_field(out, or_empty(d->type), false);
    csv_field(out, or_empty(d->words), false);
    csv_field(out, e->name, false);
    csv_field(out, e->folder, false);
    key_field(out, job->lang, "state", standings[e->standing]);
    csv_field(out, e->standing == STANDING_ATTENTION ? or_empty(d->sentence) : "", false);
    if (e->relevance == RELEVANCE_NONE)
        csv_field(out, "", false);
    else
        key_field(out, job->lang, "relevance", relevances[e->relevance]);
    csv_field(out, or_empty(d->original), false);
    csv_field(out, when, false);
    csv_field(out, size, false);
    csv_field(out, kind_info(d->kind)->name, false);
    csv_field(out, digest_is_zero(&d->digest) ? "" : digest_hex(&d->digest, hex), false);
    csv_field(out, number, false);
    csv_field(out, or_empty(d->suggested), false);
    csv_field(out, or_empty(entry_remark(e, job->now_ns)), false);
    csv_field(out, d->by_hand ? lang_get(job->lang, "page.yes") : "", false);
    add_said(out, job->lang, e->said);
    csv_end(out);
}

void csv_case(struct own_text *text, const struct publish_job *job, const struct listing *l,
              const struct tz *z)
{
    struct str *out = &text->text;

    str_add(out, "\xEF\xBB\xBF");
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++) {
        AUTO_FREE char *key = xasprintf("page.%s", headings[i]);

        csv_field(out, lang_get(job->lang, key), i == 0);
    }
    csv_end(out);
    for (size_t i = 0; i < l->len; i++) {
        add_row(out, job, z, listing_say(l, i));
        own_text_pass(text);
    }
}
