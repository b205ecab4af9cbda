/* Plain text, and what is written in it. */
#include <string.h>

#include "text/charset.h"
#include "text/parse.h"
#include "text/text.h"

#define BYTES_MAX (4 * TEXT_MAX) /* of a document: UTF-32 has four to a letter */

void plain_prepare(void)
{
    charset_prepare();
}

/* A form feed in front of it. */
static void add_line(struct paper *p, const char *s, size_t n)
{
    const char *feed;

    while ((feed = memchr(s, '\f', n))) {
        paper_add(p, s, (size_t)(feed - s));
        paper_end(p, (struct look){0});
        paper_page(p);
        n -= (size_t)(feed - s) + 1;
        s = feed + 1;
    }
    paper_add(p, s, n);
    paper_end(p, (struct look){0});
}

void parse_plain(struct paper *p, const struct bytes *b)
{
    size_t mark, n = b->n < BYTES_MAX ? b->n : BYTES_MAX;
    const char *set = charset_guess(b->p, n, &mark);
    struct str text = STR_INIT;

    if (n < b->n)
        paper_status(p, CONTENT_PART, "content.part.size");
    charset_convert(&text, set, b->p + mark, n - mark);

    const char *s = str_c(&text), *end = s + text.len;

    while (s < end && !paper_full(p)) {
        size_t len = (size_t)(end - s), at = 0;

        while (at < len && s[at] != '\n' && s[at] != '\r')
            at++;
        add_line(p, s, at);
        s += at + 1;
    }
    str_clear(&text);
}
