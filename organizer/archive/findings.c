#include "archive/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/lang.h"

/* The worse an outcome, the higher. */
static int rank(enum snapshot_outcome o)
{
    return o == SNAPSHOT_FAILED ? 3 : o == SNAPSHOT_DIFFERS ? 2 : o == SNAPSHOT_BUSY ? 1 : 0;
}

void findings_add(struct findings *f, enum snapshot_outcome outcome, const char *key,
                  const char *name, const char *why)
{
    AUTO_STR struct str shown = STR_INIT;

    if (rank(outcome) > rank(f->worst))
        f->worst = outcome;
    if (f->len == FINDINGS_MAX) {
        f->more++;
        return;
    }
    utf8_show(&shown, name, strlen(name));
    GROW(f->text, f->len, f->cap);
    f->text[f->len++] =
        lang_format(f->lang, key, "name", str_c(&shown), "why", why ? why : "", NULL);
}

char **findings_take(struct findings *f)
{
    char **text, n[24];

    if (!f->len)
        return NULL;
    text = xcalloc(f->len + 2, sizeof *text);
    memcpy(text, f->text, f->len * sizeof *text);
    if (f->more) {
        snprintf(n, sizeof n, "%zu", f->more);
        text[f->len] = lang_format(f->lang, "archive.more", "n", n, NULL);
    }
    free(f->text);
    f->text = NULL;
    f->len = f->cap = f->more = 0;
    return text;
}

void findings_clear(struct findings *f)
{
    for (size_t i = 0; i < f->len; i++)
        free(f->text[i]);
    free(f->text);
    *f = (struct findings){.lang = f->lang};
}
