#include "text/markup.h"

#include <libxml/parser.h>
#include <string.h>

#include "base/alloc.h"

bool tag_is(const struct tag *t, const char *name)
{
    return strcmp(t->name, name) == 0;
}

const char *tag_value(const struct tag *t, const char *attribute, char room[static 64])
{
    room[0] = '\0';
    for (int i = 0; i < t->n; i++) {
        const unsigned char **a = t->attributes + (ptrdiff_t)5 * i;
        size_t n = (size_t)(a[4] - a[3]);

        if (strcmp((const char *)a[0], attribute) != 0)
            continue;
        n = n < 63 ? n : 63;
        memcpy(room, a[3], n);
        room[n] = '\0';
        break;
    }
    return room;
}

bool tag_has(const struct tag *t, const char *attribute, const char *value)
{
    char room[64];

    return strcmp(tag_value(t, attribute, room), value) == 0;
}

bool tag_is_on(const struct tag *t)
{
    return !tag_has(t, "val", "0") && !tag_has(t, "val", "false") && !tag_has(t, "val", "off");
}

/* One run. */
struct run {
    const struct markup_events *e;
    xmlParserCtxtPtr parser;
};

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int spaces_n, const xmlChar **spaces, int n, int defaulted,
                     const xmlChar **attributes)
{
    const struct run *r = ctx;
    const struct tag t = {(const char *)name, attributes, n};

    (void)prefix;
    (void)uri;
    (void)spaces_n;
    (void)spaces;
    (void)defaulted;
    if (r->e->start)
        r->e->start(r->e->ctx, &t);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    const struct run *r = ctx;

    (void)prefix;
    (void)uri;
    if (r->e->end)
        r->e->end(r->e->ctx, (const char *)name);
}

static void on_text(void *ctx, const xmlChar *s, int n)
{
    const struct run *r = ctx;

    if (r->e->text)
        r->e->text(r->e->ctx, (const char *)s, (size_t)n);
}

static void run_open(struct run *r, const struct markup_events *e)
{
    xmlSAXHandler sax = {.startElementNs = on_start,
                         .endElementNs = on_end,
                         .characters = on_text,
                         .ignorableWhitespace = on_text,
                         .cdataBlock = on_text,
                         .initialized = XML_SAX2_MAGIC};

    r->e = e;
    r->parser = xmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL);
    if (r->parser)
        xmlCtxtUseOptions(r->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

/* Returns false when no more is wanted. */
static bool feed(void *ctx, const char *p, size_t n)
{
    struct run *r = ctx;

    if (!r->parser || (r->e->paper && paper_full(r->e->paper)))
        return false;
    return xmlParseChunk(r->parser, p, (int)n, 0) == 0;
}

/* Returns whether it was all well-formed, as far as it was read. */
static bool run_close(struct run *r)
{
    bool fine;

    if (!r->parser)
        return false;
    if (!r->e->paper || !paper_full(r->e->paper))
        xmlParseChunk(r->parser, "", 0, 1);
    fine = r->parser->wellFormed || (r->e->paper && paper_full(r->e->paper));
    xmlFreeParserCtxt(r->parser);
    return fine;
}

int markup_part(struct box *x, const char *part, const struct markup_events *e)
{
    struct run r;
    bool found, fine;

    run_open(&r, e);
    found = box_part(x, part, feed, &r);
    fine = run_close(&r);
    return !found ? 0 : fine ? 1 : -1;
}

int markup_bytes(const void *p, size_t n, const struct markup_events *e)
{
    struct run r;
    const char *at = p;

    run_open(&r, e);
    while (n > 0) {
        size_t some = n < 65536 ? n : 65536;

        if (!feed(&r, at, some))
            break;
        at += some;
        n -= some;
    }
    return run_close(&r) ? 1 : -1;
}

void markup_prepare(void)
{
    const struct markup_events none = {0};

    xmlInitParser();
    markup_bytes("<a>b</a>", 8, &none);
}
