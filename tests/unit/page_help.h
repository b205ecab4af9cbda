/* page_help: documents as lines of text, for the tests of what documents say. */
#ifndef TESTS_UNIT_PAGE_HELP_H
#define TESTS_UNIT_PAGE_HELP_H

#include <string.h>

#include "base/alloc.h"
#include "decide/content.h"

/* Adds the lines of text, parted by '\n', to c; "\f" at the start of one begins a page, '*' marks
 * it as bold and centred. */
static inline void page_add(struct content *c, const char *text)
{
    unsigned page = c->lines_len ? c->lines[c->lines_len - 1].page : 1;

    c->status = CONTENT_READ;
    while (*text) {
        size_t n = strcspn(text, "\n");
        const char *at = text;
        struct content_line line = {.percent = 100};

        text += n + (text[n] == '\n');
        for (; n > 0 && (*at == '\f' || *at == '*'); at++, n--) {
            page += *at == '\f';
            line.bold = line.centred = *at == '*';
        }
        if (n == 0)
            continue;
        line.page = page;
        line.text = xmemdup0(at, n);
        content_add_line(c, &line);
    }
    c->pages = page;
}

#endif
