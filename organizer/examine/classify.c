#include "examine/classify.h"

#include <magic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "examine/sniff.h"

struct classifier {
    struct source source;
    magic_t own;    /* rules/documents.magic, or NULL */
    magic_t system; /* or NULL */
};

/* Only the magic numbers: what libmagic would do beside them (looking into archives, guessing at
 * languages) is slow and known not to work well on office documents. */
#define FLAGS                                                                                      \
    (MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF |                \
     MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_TEXT)

static magic_t load(const char *file)
{
    magic_t m = magic_open(FLAGS);

    if (m && magic_load(m, file) < 0) {
        magic_close(m);
        return NULL;
    }
    return m;
}

struct classifier *classifier_new(const char *magic_file)
{
    struct classifier *c = xcalloc(1, sizeof *c);

    source_init(&c->source);
    if (magic_file && *magic_file)
        c->own = load(magic_file);
    c->system = load(NULL);
    return c;
}

void classifier_free(struct classifier *c)
{
    if (!c)
        return;
    source_clear(&c->source);
    if (c->own)
        magic_close(c->own);
    if (c->system)
        magic_close(c->system);
    free(c);
}

bool classifier_has_own(const struct classifier *c)
{
    return c->own != NULL;
}

static enum kind ask(magic_t m, const struct source *s)
{
    const char *mime = m ? magic_buffer(m, s->head, s->len) : NULL;
    enum kind k = mime ? kind_of_mime(mime) : KIND_DATA;

    /* Our own look said that it is no text. */
    return k == KIND_TEXT ? KIND_DATA : k;
}

enum kind classify(struct classifier *c, int fd, int *error)
{
    struct source *s = &c->source;

    *error = 0;
    if (source_open(s, fd) < 0) {
        *error = s->error;
        return KIND_UNKNOWN;
    }

    enum kind k = sniff(s);

    if (k == KIND_DATA)
        k = ask(c->own, s);
    if (k == KIND_DATA)
        k = ask(c->system, s);
    if (s->error) {
        *error = s->error;
        return KIND_UNKNOWN;
    }
    return k;
}
