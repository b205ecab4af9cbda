#include "search/passage.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "search/words.h"

#define INSTANCES 400 /* hits that are looked at: the first of a long text */
#define BEFORE    6   /* words shown before the first hit */
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

    for (int k = i; k < h->len && h->list[k].first < h->list[i].first + PASSAGE_WORDS - BEFORE; k++)
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

/* Of hits that begin at the same word the longest counts. */
static void show(struct passage *p, const struct hit *h)
{
    int last = p->len - 1;

    if (h->first < p->first || h->first >= p->first + PASSAGE_WORDS)
        return;
    if (last < 0 || p->hits[last].at != h->first) {
        if (p->len == PASSAGE_WORDS)
            return;
        last = p->len++;
        p->hits[last].at = h->first;
        p->hits[last].words = 0;
    }
    if (p->hits[last].words < h->words)
        p->hits[last].words = h->words;
}

void passage_find(struct passage *p, const Fts5ExtensionApi *api, Fts5Context *fts, int column)
{
    struct hits hits;

    p->first = -1;
    p->len = 0;
    take_hits(&hits, api, fts, column);
    if (hits.len == 0)
        return;
    p->first = hits.list[best(&hits)].first - BEFORE;
    if (p->first < 0)
        p->first = 0;
    for (int i = 0; i < hits.len; i++)
        show(p, &hits.list[i]);
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

/* The number of words from `at` on that belong to a hit which begins there; 0 when none does. */
static int hit_words(const struct passage *p, int at)
{
    for (int i = 0; i < p->len; i++)
        if (p->hits[i].at == at)
            return p->hits[i].words;
    return 0;
}

struct writing {
    struct str *out;
    const struct passage *passage;
    const char *text;
    size_t begun; /* length of out before it */
    size_t done;  /* bytes of the text that are written */
    int inside;   /* words of the hit that are still to come; 0: none */
};

static void add_word(struct writing *w, int number, const struct words *word)
{
    int n = hit_words(w->passage, number);
    bool begins = n > 0 && w->inside == 0;

    add_plain(w->out, w->text + w->done, word->start - w->done);
    if (begins)
        str_addc(w->out, HIT_BEGIN);
    if (n > w->inside)
        w->inside = n;
    add_plain(w->out, w->text + word->start, word->stop - word->start);
    w->done = word->stop;
    if (w->inside > 0 && --w->inside == 0)
        str_addc(w->out, HIT_END);
}

/* The words that are shown; true when the text goes on behind them. */
static bool add_words(struct writing *w, struct words *word)
{
    bool more = words_next(word);

    w->done = more ? word->start : 0;
    for (int i = 0; more && i < PASSAGE_WORDS && w->out->len - w->begun <= BYTES; i++) {
        add_word(w, w->passage->first + i, word);
        more = words_next(word);
    }
    if (w->inside > 0)
        str_addc(w->out, HIT_END);
    return more;
}

bool passage_write(const struct passage *p, const char *text, size_t n, bool whole, struct str *out)
{
    struct writing w = {.out = out, .passage = p, .text = text, .begun = out->len};
    struct words word;
    bool more;

    words_begin(&word, text, n);
    if (!words_skip(&word, (size_t)p->first) && !whole)
        return false;
    if (p->first > 0)
        str_add(out, "\xE2\x80\xA6 ");
    more = add_words(&w, &word);
    /* A word, or a character, may have been cut in two. */
    if (!whole && (!more || word.stop + WORD_MAX > n)) {
        str_cut(out, w.begun);
        return false;
    }
    if (more) {
        str_add(out, " \xE2\x80\xA6");
        return true;
    }
    add_plain(out, text + w.done, utf8_cut(text + w.done, n - w.done, 16));
    while (out->len > w.begun && out->s[out->len - 1] == ' ')
        str_cut(out, out->len - 1);
    return true;
}
