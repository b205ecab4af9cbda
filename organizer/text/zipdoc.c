#include "text/zipdoc.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static bool add_name(void *ctx, const char *name)
{
    static const struct {
        const char *part;
        unsigned flag;
    } tells[] = {
        {"vbaProject.bin", CONTENT_HAS_MACROS},
        {"Basic/script-lc.xml", CONTENT_HAS_MACROS},
        {"_xmlsignatures/sig", CONTENT_IS_SIGNED},
        {"META-INF/documentsignatures.xml", CONTENT_IS_SIGNED},
    };
    struct zipdoc *z = ctx;

    GROW(z->names, z->len, z->cap);
    z->names[z->len++] = xstrdup(name);
    for (size_t i = 0; i < sizeof tells / sizeof tells[0]; i++)
        if (strstr(name, tells[i].part))
            z->paper->content.flags |= tells[i].flag;
    return true;
}

bool zipdoc_open(struct zipdoc *z, struct paper *p, const struct bytes *b)
{
    *z = (struct zipdoc){.paper = p, .box = {.bytes = b}};
    if (box_each(&z->box, add_name, z) && z->len > 0)
        return true;
    paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    return false;
}

static unsigned long number_behind(const char *name, size_t prefix)
{
    return strtoul(name + prefix, NULL, 10);
}

const char **zipdoc_parts(const struct zipdoc *z, const char *prefix)
{
    const char **found = xcalloc(z->len + 1, sizeof *found);
    size_t n = 0, len = strlen(prefix);

    for (size_t i = 0; i < z->len; i++) {
        const char *name = z->names[i];
        size_t at = n, full = strlen(name);

        if (strncmp(name, prefix, len) != 0 || full < 4 || strcmp(name + full - 4, ".xml") != 0 ||
            strchr(name + len, '/'))
            continue;
        while (at > 0 && number_behind(found[at - 1], len) > number_behind(name, len)) {
            found[at] = found[at - 1];
            at--;
        }
        found[at] = name;
        n++;
    }
    return found;
}

/* One part with properties. */
struct properties {
    const struct zipdoc_property *list, *at; /* at: whose element is open */
    size_t n;
    struct str text;
};

static void property_start(void *ctx, const struct tag *t)
{
    struct properties *s = ctx;

    s->at = NULL;
    for (size_t i = 0; i < s->n; i++)
        if (tag_is(t, s->list[i].element))
            s->at = &s->list[i];
    str_reset(&s->text);
}

static void property_text(void *ctx, const char *p, size_t n)
{
    struct properties *s = ctx;

    if (s->at && s->text.len < 4096)
        str_addn(&s->text, p, n);
}

static void property_end(void *ctx, const char *name)
{
    struct properties *s = ctx;
    const struct zipdoc_property *p = s->at;

    s->at = NULL;
    if (!p || strcmp(p->element, name) != 0)
        return;
    if (p->field && !*p->field)
        paper_set(p->field, str_c(&s->text), s->text.len);
    if (p->date)
        *p->date = paper_date(str_c(&s->text));
    if (p->number)
        *p->number = (unsigned)strtoul(str_c(&s->text), NULL, 10);
}

void zipdoc_properties(struct zipdoc *z, const char *part, const struct zipdoc_property *list,
                       size_t n)
{
    struct properties s = {.list = list, .n = n};
    const struct markup_events e = {
        .start = property_start, .end = property_end, .text = property_text, .ctx = &s};

    markup_part(&z->box, part, &e);
    str_clear(&s.text);
}

void zipdoc_core(struct zipdoc *z)
{
    struct content *c = &z->paper->content;
    const struct zipdoc_property core[] = {{"title", &c->title, NULL, NULL},
                                           {"creator", &c->author, NULL, NULL},
                                           {"created", NULL, &c->property_date, NULL}};

    zipdoc_properties(z, "docProps/core.xml", core, sizeof core / sizeof *core);
}

void zipdoc_close(struct zipdoc *z, int main)
{
    struct paper *p = z->paper;
    bool any = p->content.lines_len > 0;

    if (z->box.locked) {
        p->content.flags |= CONTENT_IS_ENCRYPTED;
        paper_status(p, CONTENT_LOCKED, "content.locked.password");
    } else if (z->box.over) {
        paper_status(p, CONTENT_PART, "content.part.size");
    } else if (main == 0 || (!any && (main < 0 || z->box.damaged))) {
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    } else if (main < 0 || z->box.damaged) {
        paper_status(p, CONTENT_PART, "content.part.damaged");
    }
    for (size_t i = 0; i < z->len; i++)
        free(z->names[i]);
    free(z->names);
}
