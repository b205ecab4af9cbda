#include "search/passage.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "search/fts.h"
#include "search/words.h"

#define INSTANCES 400 /* hits that are looked at: the first of a long text */
#define WIDE      24  /* words shown */
#define BEFORE    6   /* of these, before the first hit */
#define BYTES     400 /* shown at most: words of a text may be long */

/* One hit: the words of one phrase of the query. */
struct hit {
    int phrase, first, words; /* word numbers of the column, from 0 */
};

struct hits {
    struct hit list[INSTANCES];
    int len;
};

static void take_hits(struct hits *h, const Fts5ExtensionApi *api, Fts5Context *fts, int column)
{
    int all = 0;

    h->len = 0;
    if (api->xInstCount(fts, &all) != SQLITE_OK)
        return;
    for (int i = 0; i < all && h->len < INSTANCES; i++) {
        int phrase, col, at;

        if (api->xInst(fts, i, &phrase, &col, &at) == SQLITE_OK && col == column)
            h->list[h->len++] = (struct hit){phrase, at, api->xPhraseSize(fts, phrase)};
    }
}

/* How many different phrases begin within a passage that begins with hit i. */
static int worth(const struct hits *h, int i)
{
    uint64_t seen = 0;

    for (int k = i; k < h->len && h->list[k].first < h->list[i].first + WIDE - BEFORE; k++)
        seen |= UINT64_C(1) << (h->list[k].phrase & 63);
    return __builtin_popcountll(seen);
}

static int best(const struct hits *h)
{
    int at = 0, most = 0;

    for (int i = 0; i < h->len; i++) {
        int n = worth(h, i);

        if (n > most) {
            most = n;
            at = i;
        }
    }
    return at;
}

/* Appends text with white space folded and no control characters. */
static void add_plain(struct str *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool space = (unsigned char)s[i] <= ' ' || s[i] == 0x7F;

        if (!space)
            str_addc(out, s[i]);
        else if (out->len && out->s[out->len - 1] != ' ')
            str_addc(out, ' ');
    }
}

/* The number of words from `at` on that belong to hits which begin there; 0 when none does. */
static int hit_words(const struct hits *h, int at)
{
    int n = 0;

    for (int i = 0; i < h->len; i++)
        if (h->list[i].first == at && h->list[i].words > n)
            n = h->list[i].words;
    return n;
}

struct writing {
    struct str out;
    const struct hits *hits;
    const char *text;
    size_t done; /* bytes of the text that are written */
    int inside;  /* words of the hit that are still to come; 0: none */
};

static void add_word(struct writing *w, int number, const struct words *word)
{
    int n = hit_words(w->hits, number);
    bool begins = n > 0 && w->inside == 0;

    add_plain(&w->out, w->text + w->done, word->start - w->done);
    if (begins)
        str_addc(&w->out, HIT_BEGIN);
    if (n > w->inside)
        w->inside = n;
    add_plain(&w->out, w->text + word->start, word->stop - word->start);
    w->done = word->stop;
    if (w->inside > 0 && --w->inside == 0)
        str_addc(&w->out, HIT_END);
}

static void write_passage(struct writing *w, size_t n, int first)
{
    struct words word;
    int number = 0;
    bool more = false;

    words_begin(&word, w->text, n);
    while ((more = words_next(&word))) {
        if (number == first) {
            w->done = word.start;
            if (first > 0)
                str_add(&w->out, "\xE2\x80\xA6 ");
        }
        if (number >= first + WIDE || w->out.len > BYTES)
            break;
        if (number >= first)
            add_word(w, number, &word);
        number++;
    }
    if (w->inside > 0)
        str_addc(&w->out, HIT_END);
    if (more) {
        str_add(&w->out, " \xE2\x80\xA6");
        return;
    }
    add_plain(&w->out, w->text + w->done, utf8_cut(w->text + w->done, n - w->done, 16));
    while (w->out.len && w->out.s[w->out.len - 1] == ' ')
        str_cut(&w->out, w->out.len - 1);
}

void passage(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx, int n,
             sqlite3_value **v)
{
    struct hits hits;
    int column = n > 0 ? sqlite3_value_int(v[0]) : 0, len = 0, first;
    const char *text = NULL;
    struct writing w = {.hits = &hits};

    take_hits(&hits, api, fts, column);
    if (hits.len == 0)
        return;
    if (api->xColumnText(fts, column, &text, &len) != SQLITE_OK || !text)
        return;
    first = hits.list[best(&hits)].first - BEFORE;
    w.text = text;
    write_passage(&w, (size_t)len, first > 0 ? first : 0);
    sqlite3_result_text64(ctx, str_c(&w.out), w.out.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    str_clear(&w.out);
}
