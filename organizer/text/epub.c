/* Electronic books (EPUB 3): web pages in a ZIP. */
#include <string.h>

#include "base/alloc.h"
#include "text/html.h"
#include "text/text.h"
#include "text/zipdoc.h"

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), len = strlen(end);

    return n >= len && strcmp(name + n - len, end) == 0;
}

static bool is_page(const char *name)
{
    return ends_in(name, ".xhtml") || ends_in(name, ".html") || ends_in(name, ".htm");
}

static bool collect(void *ctx, const char *p, size_t n)
{
    str_addn(ctx, p, n);
    return ((struct str *)ctx)->len < 4 * TEXT_MAX;
}

/* In the order in which they lie, which is that of reading as programs write them. */
static int read_pages(struct zipdoc *z)
{
    int found = 0;

    for (size_t i = 0; i < z->len && !paper_full(z->paper); i++) {
        struct str page = STR_INIT;

        if (is_page(z->names[i]) && box_part(&z->box, z->names[i], collect, &page)) {
            html_read(z->paper, str_c(&page), page.len, NULL);
            paper_page(z->paper);
            found = 1;
        }
        str_clear(&page);
    }
    return found;
}

void parse_epub(struct paper *p, const struct bytes *b)
{
    struct zipdoc z;
    struct content *c = &p->content;
    const struct zipdoc_property list[] = {{"title", &c->title, NULL, NULL},
                                           {"creator", &c->author, NULL, NULL},
                                           {"date", NULL, &c->property_date, NULL}};

    if (!zipdoc_open(&z, p, b))
        return;
    for (size_t i = 0; i < z.len; i++) {
        z.box.locked |= ends_in(z.names[i], "META-INF/rights.xml");
        if (ends_in(z.names[i], ".opf"))
            zipdoc_properties(&z, z.names[i], list, sizeof list / sizeof *list);
    }
    zipdoc_close(&z, z.box.locked ? 1 : read_pages(&z));
}
