#include "decide/heading.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "decide/content.h"
#include "decide/heading_line.h"
#include "decide/lang.h"

enum {
    PAGE_LINES = 90,    /* of the first page: a title stands among them */
    TITLE_LINES = 6,    /* that make up one title */
    TITLE_BYTES = 400,  /* of a title; more is none */
    PLAIN_LINES = 18,   /* from the top in which a title without a caption may stand */
    CAPTION_REACH = 12, /* lines below the caption in which its title stands */
    COLUMN_LINES = 2,   /* lines with a bracket that make a caption of two columns */
    SUBJECT_LINES = 3,  /* that a subject may run on for */
    MAIL_TOP = 12,      /* lines among which From: and Sent: of a printed mail stand */
    ROLE_LETTERS = 6,   /* of "debtor"; "in" and "third" stand in sentences as well */
    NUMBERED_LINES = 4, /* lines in a row that start with the next number: pleading paper */
};

/* A first page taken apart. */
struct page {
    const struct page_words *words;
    struct page_line main[PAGE_LINES];  /* from the top; left sides of a caption */
    struct page_line right[PAGE_LINES]; /* right sides of a caption */
    size_t len, right_len;
    size_t caption_end; /* main lines up to here are the caption; 0: there is none */
};

/* --- reading the page --- */

/* Where the bracket or section sign stands that parts two columns; NULL when there is none. */
static const char *find_bar(const char *text, size_t *width)
{
    int open = 0;

    for (const char *p = text; *p; p++) {
        bool alone = (p == text || p[-1] == ' ') && (!p[1] || p[1] == ' ');

        *width = 1;
        if (*p == '|' && alone)
            return p;
        if (*p == '(')
            open++;
        else if (*p == ')' && --open < 0)
            return p == text || p[-1] == ' ' ? p : NULL;
        if (strncmp(p, "\xC2\xA7", 2) == 0 && (p == text || p[-1] == ' ') &&
            (!p[2] || p[2] == ' ') && !(p[2] && p[3] >= '0' && p[3] <= '9')) {
            *width = 2;
            return p;
        }
    }
    return NULL;
}

static void add_side(struct page *page, bool right, const struct content_line *from,
                     const char *text)
{
    struct page_line *l = right ? &page->right[page->right_len] : &page->main[page->len];

    page_line_read(l, from, text, page->words);
    l->split = true;
    if (right)
        page->right_len++;
    else
        page->len++;
}

static void add_split(struct page *page, const struct content_line *from, const char *bar,
                      size_t width, const char *text)
{
    AUTO_FREE char *left = xmemdup0(text, (size_t)(bar - text));
    const char *right = bar + width + strspn(bar + width, " )|");

    add_side(page, false, from, left);
    if (*right)
        add_side(page, true, from, right);
}

/* "Case No. 2:24-cv-01234" */
static bool is_number(const char *text, const struct page_words *w)
{
    AUTO_FREE char *copy = xstrdup(text);
    size_t count;
    AUTO_FREE char *words = page_fold(copy, &count);
    const struct page_line l = {.text = copy, .words = words, .count = count};

    return page_number_at(&l, w) > 0;
}

/* "Plaintiff, MOTION TO DISMISS", "Defendant. Case No. 24-1": two columns whose line is not drawn.
 * The byte where the right one starts; 0 when it is one. */
static size_t hidden_column(const char *text, const struct page_words *w)
{
    size_t n = strcspn(text, ",. )|"), spaces = strspn(text + n, " "), count;
    size_t gap = strspn(text + n, ",. )|");
    const char *right = text + n + gap;
    AUTO_FREE char *left = NULL;
    AUTO_FREE char *words = NULL;
    bool capitals;

    if (!text[n] || !*right || !n)
        return 0;
    left = xmemdup0(text, n);
    words = page_fold(left, &count);
    if (count != 1 || (!page_starts_with(words, w->role) && !page_starts_with(words, w->versus)))
        return 0;
    capitals = *right >= 'A' && *right <= 'Z' && right[1] >= 'A' && right[1] <= 'Z';
    return (capitals && spaces < gap) || (n >= ROLE_LETTERS && is_number(right, w))
               ? (size_t)(right - text)
               : 0;
}

/* Numbers at the start of lines that count on: pleading paper, transcripts. */
static bool is_numbered(const struct content *c)
{
    unsigned long last = 0;
    size_t run = 0;

    for (size_t i = 0; i < c->lines_len && i < PAGE_LINES; i++) {
        char *end;
        unsigned long n = strtoul(c->lines[i].text, &end, 10);

        if (end == c->lines[i].text || (*end && *end != ' '))
            continue;
        run = n == last + 1 ? run + 1 : 0;
        last = n;
        if (run >= NUMBERED_LINES)
            return true;
    }
    return false;
}

static const char *without_number(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n && n <= 2 && text[n] == ' ' ? text + n + 1 : text;
}

static size_t bars_on(const struct content *c)
{
    size_t n = 0, width;

    for (size_t i = 0; i < c->lines_len && i < PAGE_LINES; i++)
        n += find_bar(c->lines[i].text, &width) != NULL;
    return n;
}

static void read_page(struct page *page, const struct content *c)
{
    bool columns = bars_on(c) >= COLUMN_LINES, numbered = is_numbered(c);
    unsigned first = c->lines_len ? c->lines[0].page : 0;

    for (size_t i = 0; i < c->lines_len && page->len < PAGE_LINES; i++) {
        const struct content_line *line = &c->lines[i];
        const char *text = numbered ? without_number(line->text) : line->text;
        size_t width = 0, at;
        const char *bar = columns ? find_bar(text, &width) : NULL;

        if (line->page != first)
            break;
        at = bar ? 0 : hidden_column(text, page->words);
        if (bar) {
            add_split(page, line, bar, width, text);
        } else if (at) {
            add_split(page, line, text + at, 0, text);
        } else {
            page_line_read(&page->main[page->len], line, text, page->words);
            page->len++;
        }
    }
}

static void page_clear(struct page *page)
{
    for (size_t i = 0; i < page->len; i++)
        page_line_clear(&page->main[i]);
    for (size_t i = 0; i < page->right_len; i++)
        page_line_clear(&page->right[i]);
}

/* --- the caption --- */

static bool is_caption(const struct page_line *l)
{
    switch (l->kind) {
    case LINE_COURT:
    case LINE_NUMBER:
    case LINE_ROLE:
    case LINE_VERSUS:
    case LINE_MATTER:
        return true;
    default:
        return l->split;
    }
}

/* A caption has parties or a number, and one thing more: "STATE OF TENNESSEE ) COUNTY OF SHELBY )"
 * stands above an affidavit as well. It ends with the last line of these before the body begins. */
static void find_caption(struct page *page)
{
    const unsigned tells =
        1U << LINE_NUMBER | 1U << LINE_ROLE | 1U << LINE_VERSUS | 1U << LINE_MATTER;
    size_t end = 0, sorts = 0;
    unsigned seen = 0;

    for (size_t i = 0; i < page->len; i++) {
        const struct page_line *l = &page->main[i];

        if (l->kind == LINE_PROSE && sorts >= 2 && !l->split)
            break;
        if (!is_caption(l))
            continue;
        if (end && i > end + CAPTION_REACH)
            break;
        end = i + 1;
        if (!(seen & 1U << l->kind) && l->kind != LINE_SHORT && l->kind != LINE_EMPTY) {
            seen |= 1U << l->kind;
            sorts++;
        }
    }
    if (page->right_len && sorts)
        sorts++;
    page->caption_end = sorts >= 2 && seen & tells ? end : 0;
}

/* --- titles --- */

static bool may_be_title(const struct page_line *l)
{
    return l->kind == LINE_SHORT || (l->kind == LINE_PROSE && l->apart && l->upper);
}

/* The next line goes on with the title: set alike. */
static bool goes_on(const struct page_line *first, const struct page_line *next)
{
    if (!may_be_title(next))
        return false;
    if (first->upper)
        return next->upper || (first->apart && next->from->centred);
    return next->upper || first->apart == next->apart;
}

static void add_title(struct heading *h, const struct page_line *lines, size_t first, size_t last)
{
    struct str out = STR_INIT;

    for (size_t i = first; i <= last; i++)
        if (may_be_title(&lines[i]))
            str_addf(&out, "%s%s", out.len ? " " : "", lines[i].text);
    if (h->titles < HEADING_TITLES && out.len > 0 && out.len <= TITLE_BYTES)
        h->title[h->titles++] = str_detach(&out);
    str_clear(&out);
}

static bool is_passed_over(const struct page_line *l)
{
    return l->kind != LINE_SHORT && l->kind != LINE_PROSE && l->kind != LINE_DEAR;
}

/* The last line of the block that starts at line i. */
static size_t block_end(const struct page_line *lines, size_t len, size_t i)
{
    size_t last = i;

    for (size_t k = i + 1; k < len && k < i + TITLE_LINES; k++) {
        if (lines[k].kind == LINE_EMPTY)
            continue;
        if (!goes_on(&lines[i], &lines[k]))
            break;
        last = k;
    }
    return last;
}

/* Beside the parties: what is neither number nor judge. */
static void titles_beside(struct heading *h, const struct page *page)
{
    for (size_t i = 0; i < page->right_len;) {
        size_t last = i;

        if (page->right[i].kind != LINE_SHORT && page->right[i].kind != LINE_PROSE) {
            i++;
            continue;
        }
        while (
            last + 1 < page->right_len && last + 1 < i + TITLE_LINES &&
            (page->right[last + 1].kind == LINE_SHORT || page->right[last + 1].kind == LINE_PROSE))
            last++;
        add_title(h, page->right, i, last);
        i = last + 1;
    }
}

/* Below the caption, before the body. */
static void titles_below(struct heading *h, const struct page *page)
{
    for (size_t i = page->caption_end; i < page->len; i++) {
        size_t last;

        if (is_passed_over(&page->main[i]))
            continue;
        if (!may_be_title(&page->main[i]) || i > page->caption_end + CAPTION_REACH)
            break;
        last = block_end(page->main, page->len, i);
        add_title(h, page->main, i, last);
        i = last;
    }
}

/* Between parties and number. */
static void titles_within(struct heading *h, const struct page *page)
{
    size_t from = 0;

    for (size_t i = 0; i < page->caption_end; i++)
        if (page->main[i].kind == LINE_ROLE || page->main[i].kind == LINE_VERSUS)
            from = i + 1;
    for (size_t i = from; from && i < page->caption_end; i++) {
        size_t last;

        if (!may_be_title(&page->main[i]) || page->main[i].split)
            continue;
        last = block_end(page->main, page->caption_end, i);
        add_title(h, page->main, i, last);
        i = last;
    }
}

/* How much a line of a page without caption looks like its title. What is neither in capitals nor
 * set apart may be one only above the text. */
static int stands_out(const struct page *page, size_t at)
{
    const struct page_line *l = &page->main[at];
    const struct content_line *from = l->from;

    if (!may_be_title(l))
        return 0;
    for (size_t i = 0; i < at && !l->upper && !l->apart; i++)
        if (page->main[i].kind == LINE_PROSE)
            return 0;
    return (from->heading ? 3 : 0) + (from->percent >= 115 ? 3 : 0) + (from->centred ? 2 : 0) +
           (from->bold ? 2 : 0) + (l->upper ? 2 : 0) + (at < PLAIN_LINES / 3 ? 1 : 0);
}

static void titles_plain(struct heading *h, const struct page *page)
{
    bool taken[PLAIN_LINES] = {false};

    while (h->titles < HEADING_TITLES) {
        size_t best = 0, last;
        int most = 0;

        for (size_t i = 0; i < page->len && i < PLAIN_LINES; i++)
            if (!taken[i] && stands_out(page, i) > most) {
                best = i;
                most = stands_out(page, i);
            }
        if (most == 0)
            return;
        last = block_end(page->main, page->len, best);
        add_title(h, page->main, best, last);
        for (size_t i = best; i <= last && i < PLAIN_LINES; i++)
            taken[i] = true;
    }
}

/* --- letters, memos, mails --- */

static const char *behind_colon(const char *text)
{
    const char *p = strchr(text, ':');

    return p ? p + 1 + strspn(p + 1, " ") : text;
}

/* The subject at line i, with the lines that it runs on for. */
static char *subject_at(const struct page *page, size_t i, enum form form)
{
    struct str out = STR_INIT;

    str_add(&out, behind_colon(page->main[i].text));
    for (size_t k = i + 1; k < page->len && k <= i + SUBJECT_LINES; k++) {
        const struct page_line *l = &page->main[k];

        if (l->kind != LINE_SHORT && l->kind != LINE_NUMBER && l->kind != LINE_VERSUS)
            break;
        if (form == FORM_MEMO && !l->upper)
            break;
        str_addf(&out, " %s", l->text);
    }
    return str_detach(&out);
}

/* The first line of that kind, page->len for none. */
static size_t find_kind(const struct page *page, enum line_kind kind)
{
    size_t i = 0;

    while (i < page->len && page->main[i].kind != kind)
        i++;
    return i;
}

static bool starts_line(const struct page *page, const char *word, size_t within)
{
    const char *const list[] = {word, NULL};

    for (size_t i = 0; i < page->len && i < within; i++)
        if (page->main[i].kind == LINE_TO && page_starts_with(page->main[i].words, list))
            return true;
    return false;
}

static size_t count_kind(const struct page *page, enum line_kind kind, size_t within)
{
    size_t n = 0;

    for (size_t i = 0; i < page->len && i < within; i++)
        n += page->main[i].kind == kind;
    return n;
}

static enum form form_of(const struct page *page, const struct content *c)
{
    size_t dear = find_kind(page, LINE_DEAR), subject = find_kind(page, LINE_SUBJECT);

    if (c->subject || c->sender || c->message_id)
        return FORM_MAIL;
    if (page->len == 0)
        return FORM_NONE;
    if (page->main[0].kind == LINE_TO && count_kind(page, LINE_TO, MAIL_TOP) >= 2 &&
        (starts_line(page, "sent", MAIL_TOP) || strchr(page->main[0].text, '@')))
        return FORM_MAIL;
    if (dear < page->len && !page->caption_end)
        return FORM_LETTER;
    if (count_kind(page, LINE_TO, page->len) >= 2 && starts_line(page, "from", page->len) &&
        subject < page->len && !page->caption_end)
        return FORM_MEMO;
    /* A letter's Re: line with parties and number looks like a caption. */
    if (dear < page->len && subject < dear)
        return FORM_LETTER;
    return page->caption_end ? FORM_COURT : FORM_PLAIN;
}

/* Everything above line end but for addresses of attorneys and firms, and the right sides. */
static char *caption_of(const struct page *page, size_t end)
{
    struct str out = STR_INIT;

    for (size_t i = 0; i < end && i < page->len; i++)
        if (page->main[i].kind != LINE_ADDRESS)
            str_addf(&out, "%s\n", page->main[i].text);
    for (size_t i = 0; i < page->right_len; i++)
        str_addf(&out, "%s\n", page->right[i].text);
    return str_detach(&out);
}

static void add_number(char ***numbers, const struct page_line *l, const struct page_words *w)
{
    if (l->kind == LINE_NUMBER)
        content_add(numbers, l->text + page_number_at(l, w));
}

static void read_subject(struct heading *h, const struct page *page, const struct content *c)
{
    size_t i = find_kind(page, LINE_SUBJECT);

    if (c->subject)
        h->subject = xstrdup(c->subject);
    else if (i < page->len && h->form != FORM_COURT)
        h->subject = subject_at(page, i, h->form);
}

static size_t head_end(const struct page *page, enum form form)
{
    size_t dear = find_kind(page, LINE_DEAR), prose = find_kind(page, LINE_PROSE);

    if (form == FORM_COURT)
        return page->caption_end;
    if (form == FORM_LETTER)
        return dear;
    return form == FORM_MEMO ? prose : 0;
}

void heading_read(const struct content *content, const struct lang *lang, struct heading *h)
{
    const struct page_words words = page_words_of(lang);
    struct page *page;

    *h = (struct heading){.form = FORM_NONE};
    if (!content) {
        h->caption = xstrdup("");
        h->text = xstrdup("");
        return;
    }
    page = xcalloc(1, sizeof *page);
    page->words = &words;
    read_page(page, content);
    find_caption(page);
    h->form = form_of(page, content);
    h->text = content_text(content);
    h->caption = caption_of(page, head_end(page, h->form));
    read_subject(h, page, content);
    for (size_t i = 0; i < page->len && h->form != FORM_MAIL; i++)
        add_number(&h->numbers, &page->main[i], &words);
    for (size_t i = 0; i < page->right_len && h->form != FORM_MAIL; i++)
        add_number(&h->numbers, &page->right[i], &words);
    if (h->form == FORM_COURT) {
        titles_beside(h, page);
        titles_below(h, page);
        titles_within(h, page);
    } else if (h->form == FORM_PLAIN) {
        titles_plain(h, page);
    }
    page_clear(page);
    free(page);
}

void heading_clear(struct heading *h)
{
    for (size_t i = 0; i < h->titles; i++)
        free(h->title[i]);
    for (char **n = h->numbers; n && *n; n++)
        free(*n);
    free(h->numbers);
    free(h->subject);
    free(h->caption);
    free(h->text);
    *h = (struct heading){.form = FORM_NONE};
}

static const char *const forms[] = {
    [FORM_NONE] = "none", [FORM_COURT] = "court", [FORM_LETTER] = "letter",
    [FORM_MEMO] = "memo", [FORM_MAIL] = "mail",   [FORM_PLAIN] = "plain",
};

const char *form_name(enum form f)
{
    return forms[f];
}

int form_parse(const char *name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i], name) == 0)
            return (int)i;
    return -1;
}
