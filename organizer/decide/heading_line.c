#include "decide/heading_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/content.h"
#include "decide/lang.h"

enum {
    LARGE = 115,        /* percent of the text's size from which a line stands out */
    PROSE_WORDS = 7,    /* fewer are no prose by their letters alone */
    SHORT_WORDS = 18,   /* more are no title */
    ROLE_WORDS = 8,     /* of "Plaintiff and Counter-Defendant," at most */
    LONG_WORD = 4,      /* letters of a word that a title would capitalise */
    NUMBER_LETTERS = 4, /* "FA 24 1234" */
    STAMP_WORDS = 5,    /* of a stamp at most */
    COURT_BEFORE = 2,   /* words before "circuit court" */
    DATE_WORDS = 5,     /* "Monday, March 2nd 2026" */
};

struct page_words page_words_of(const struct lang *l)
{
    return (struct page_words){
        .stamp = lang_list(l, "paper.stamp"),
        .mark = lang_list(l, "paper.mark"),
        .court = lang_list(l, "paper.court"),
        .court_start = lang_list(l, "paper.court-start"),
        .number = lang_list(l, "paper.number"),
        .role = lang_list(l, "paper.role"),
        .versus = lang_list(l, "paper.versus"),
        .matter = lang_list(l, "paper.matter"),
        .judge = lang_list(l, "paper.judge"),
        .judge_label = lang_list(l, "paper.judge-label"),
        .address = lang_list(l, "paper.address"),
        .street = lang_list(l, "paper.street"),
        .subject = lang_list(l, "paper.subject"),
        .dear = lang_list(l, "paper.dear"),
        .to = lang_list(l, "paper.to"),
        .month = lang_list(l, "month.long"),
    };
}

/* --- what scanners mistake --- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The letter that a scanner took for c. */
static char letter_for(char c, bool upper)
{
    static const char digits[] = "01586", letters[] = "OISBG";
    const char *at = strchr(digits, c);

    if (c == 'l' && upper)
        return 'I';
    if (!at || !c)
        return c;
    if (c == '1' && !upper)
        return 'l';
    return upper ? letters[at - digits] : (char)(letters[at - digits] + 32);
}

/* "0F", "T0": short words of titles, read with a digit. */
static void mend_small(char *w, size_t n)
{
    static const char *const small[] = {"OF", "TO", "IN", "IS", "ON", "OR", "SO", "BY", "FOR"};
    char meant[4] = "";
    size_t letters = 0;

    for (size_t i = 0; i < n; i++)
        letters += is_upper(w[i]);
    if (n < 2 || n > 3 || letters == 0)
        return;
    for (size_t i = 0; i < n; i++)
        meant[i] = is_digit(w[i]) || w[i] == 'l' ? letter_for(w[i], true) : w[i];
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (strcmp(meant, small[i]) == 0)
            memcpy(w, meant, n);
}

/* A word of mostly letters: its digits are letters, and its 'l' among capitals an 'I'. */
static void mend_word(char *w, size_t n)
{
    size_t upper = 0, lower = 0, digits = 0, ells = 0, other = 0;

    for (size_t i = 0; i < n; i++) {
        upper += is_upper(w[i]);
        ells += w[i] == 'l';
        lower += is_lower(w[i]);
        digits += is_digit(w[i]);
        other += strchr("()[]/-_@:", w[i]) != NULL;
    }
    if (other || upper + lower < 3 || digits > (upper + lower) / 2)
        return;
    for (size_t i = 0; i < n; i++)
        if (is_digit(w[i]) || (w[i] == 'l' && upper > lower && lower == ells && upper > 2))
            w[i] = letter_for(w[i], upper > lower - ells);
}

/* "O R D E R": single letters with a space between them, at least three, are one word. */
static void join_letters(char *text)
{
    char *to = text;

    for (char *p = text; *p;) {
        char *q = p;
        size_t n = 0;

        while (is_upper(*q) && (q[1] == ' ' || !q[1]) && (q == text || q[-1] == ' ')) {
            n++;
            if (!q[1])
                break;
            q += 2;
        }
        if (n >= 3) {
            for (size_t i = 0; i < n; i++)
                *to++ = p[2 * i];
            p += 2 * n - 1;
            continue;
        }
        *to++ = *p++;
    }
    *to = '\0';
}

char *page_mend(const char *text)
{
    char *copy = xstrdup(text);

    for (char *p = copy; *p;) {
        size_t n = strcspn(p, " .,;'");

        mend_word(p, n);
        mend_small(p, n);
        p += n + (p[n] != '\0');
    }
    join_letters(copy);
    return copy;
}

void page_mend_numbers(char *s)
{
    static const char letters[] = "OoIlSB", digits[] = "001158";

    for (size_t i = 0; s[i]; i++) {
        const char *at = strchr(letters, s[i]);
        bool before = i == 0 || is_digit(s[i - 1]) || strchr("-:/ ", s[i - 1]);
        bool behind = is_digit(s[i + 1]) || (i && is_digit(s[i - 1]) && strchr("-:/, ", s[i + 1]));

        if (at && before && behind)
            s[i] = digits[at - letters];
    }
}

/* --- words --- */

char *page_fold(const char *text, size_t *count)
{
    AUTO_FREE char *folded = utf8_fold_plain(text);
    struct str out = STR_INIT;
    const char *p = folded, *end = folded + strlen(folded);
    bool in_word = false;

    *count = 0;
    str_addc(&out, ' ');
    while (p < end) {
        const char *at = p;
        int32_t c = utf8_next(&p, end);

        if (c == '\'' || c == 0x2019 || (c == '&' && in_word))
            continue;
        if (utf8_is_word(c)) {
            *count += !in_word;
            str_addn(&out, at, (size_t)(p - at));
            in_word = true;
        } else if (in_word) {
            str_addc(&out, ' ');
            in_word = false;
        }
    }
    if (in_word)
        str_addc(&out, ' ');
    return str_detach(&out);
}

size_t page_starts_with(const char *words, const char *const *list)
{
    for (; *list; list++) {
        size_t n = strlen(*list);

        if (strncmp(words + 1, *list, n) == 0 && words[1 + n] == ' ')
            return 1 + n;
    }
    return 0;
}

bool page_holds(const char *words, const char *const *list)
{
    for (; *list; list++) {
        size_t n = strlen(*list);

        for (const char *p = words; (p = strstr(p, *list)); p++)
            if (p[-1] == ' ' && p[n] == ' ')
                return true;
    }
    return false;
}

/* --- what a line is --- */

static bool is_in(const char *const *list, const char *word, size_t n)
{
    for (; *list; list++)
        if (strncmp(*list, word, n) == 0 && !(*list)[n])
            return true;
    return false;
}

/* Nothing but words of the list. */
static bool only_holds(const struct page_line *l, const char *const *list)
{
    for (const char *p = l->words + 1; *p;) {
        size_t n = strcspn(p, " ");

        if (!is_in(list, p, n))
            return false;
        p += n + (p[n] == ' ');
    }
    return l->count > 0;
}

/* "Plaintiff," or "Plaintiffs and Counter-Defendants." */
static bool is_role(const struct page_line *l, const struct page_words *w)
{
    return l->count <= ROLE_WORDS && only_holds(l, w->role);
}

static bool has_telephone(const char *s)
{
    for (; *s; s++) {
        const char *p = s;
        size_t groups = 0, n;

        while ((n = strspn(p, "0123456789")) == 3 || (groups && n == 4)) {
            groups++;
            p += n + strspn(p + n, ") .-");
            if (n == 4 && groups >= 2)
                return true;
        }
        if (is_digit(*s))
            s += strspn(s, "0123456789") - 1;
    }
    return false;
}

/* "Springfield, CA 94612" */
static bool ends_with_zip(const char *s)
{
    size_t n = strlen(s), digits = 0;

    while (n > 0 && (is_digit(s[n - 1]) || s[n - 1] == '-'))
        n--, digits++;
    return (digits == 5 || digits == 10) && n >= 3 && s[n - 1] == ' ' && is_upper(s[n - 2]) &&
           is_upper(s[n - 3]);
}

static bool is_address(const struct page_line *l, const struct page_words *w)
{
    if (strchr(l->from->text, '@') || has_telephone(l->from->text) ||
        ends_with_zip(l->from->text) || page_holds(l->words, w->address))
        return true;
    return is_digit(l->words[1]) && l->count <= SHORT_WORDS && page_holds(l->words, w->street);
}

static bool is_month(const struct page_words *w, const char *word, size_t n)
{
    for (const char *const *m = w->month; *m; m++) {
        AUTO_FREE char *folded = utf8_fold(*m);

        if (strncmp(folded, word, n) == 0 && !folded[n])
            return true;
    }
    return false;
}

/* "March 2, 2026", "Monday, 2 March 2026" and nothing else. */
static bool is_date(const struct page_line *l, const struct page_words *w)
{
    bool month = false;
    size_t digits = 0;

    if (l->count > DATE_WORDS)
        return false;
    for (const char *p = l->words + 1; *p; p += strcspn(p, " ") + 1) {
        size_t n = strcspn(p, " ");

        month = month || is_month(w, p, n);
        digits += is_digit(*p);
    }
    return (month && digits >= 2) || (digits == 3 && l->count == 3);
}

/* Half of the longer words start with a small letter, or it runs on like a sentence. */
static bool is_prose(const struct page_line *l)
{
    size_t long_words = 0, small = 0, n = strlen(l->text);

    if (l->count > SHORT_WORDS)
        return true;
    if (l->count < PROSE_WORDS || l->upper)
        return false;
    for (const char *p = l->text; *p;) {
        size_t word = strcspn(p, " ");

        if (word > LONG_WORD) {
            long_words++;
            small += is_lower(*p);
        }
        p += word + (p[word] == ' ');
    }
    if (l->apart && small * 2 <= long_words)
        return false;
    return small * 5 >= long_words * 2 || (n && strchr(".:;,", l->text[n - 1]) && small > 0);
}

static bool is_upper_line(const char *text)
{
    size_t upper = 0, lower = 0;

    for (const char *p = text; *p; p++) {
        upper += is_upper(*p);
        lower += is_lower(*p);
    }
    return upper >= 2 && upper >= lower * 4;
}

static bool is_stamp(const struct page_line *l, const struct page_words *w)
{
    if ((l->count <= STAMP_WORDS && page_starts_with(l->words, w->stamp)) || only_holds(l, w->mark))
        return true;
    /* "Case 2:24-cv-1 Document 12 Filed 03/02/26 Page 1 of 8", "Doc. 540", "Document #: 33" */
    return strncmp(l->words, " case ", 6) == 0 && is_digit(l->words[6]) &&
           (strstr(l->words, " document ") || strstr(l->words, " doc "));
}

/* "2:24-cv-01234", "FA 24 1234", but no word of a sentence. */
static bool starts_number(const char *p)
{
    size_t letters = 0;

    while (is_upper(p[letters]))
        letters++;
    if (letters && letters <= NUMBER_LETTERS && p[letters] == ' ')
        p += letters + 1;
    for (; *p && *p != ' '; p++)
        if (is_digit(*p))
            return true;
    return false;
}

size_t page_number_at(const struct page_line *l, const struct page_words *w)
{
    size_t n = page_starts_with(l->words, w->number), words = 0;
    const char *p = l->text;

    for (size_t i = 1; i < n; i++)
        words += l->words[i] == ' ';
    for (size_t i = 0; n && i <= words && *p; i++) {
        p += strspn(p, " .:#,(");
        p += strcspn(p, " .:#,(");
    }
    p += strspn(p, " .:#,()");
    return n && starts_number(p) ? (size_t)(p - l->text) : 0;
}

/* Who hears it: a word that says so, or one that does with a colon or number behind it. */
static bool is_judge(const struct page_line *l, const struct page_words *w)
{
    return page_starts_with(l->words, w->judge) ||
           (page_starts_with(l->words, w->judge_label) && strpbrk(l->text, ":0123456789"));
}

/* "Re: ", "RE - ", not "Re-Notice". */
static bool is_labelled(const struct page_line *l, const char *const *list)
{
    size_t n = page_starts_with(l->words, list);
    const char *p = l->text + strcspn(l->text, ":");

    return n && *p == ':' && (size_t)(p - l->text) <= n + 2;
}

/* A court is named with few words before it: "SHELBY COUNTY CIRCUIT COURT", but not "NOTICE OF
 * REMOVAL TO THE DISTRICT COURT". */
static bool is_court(const struct page_line *l, const struct page_words *w)
{
    if (page_starts_with(l->words, w->court_start))
        return true;
    for (const char *const *c = w->court; *c; c++) {
        const char *at = strstr(l->words, *c);
        size_t before = 0;

        if (!at || at[-1] != ' ' || at[strlen(*c)] != ' ')
            continue;
        for (const char *p = l->words + 1; p < at; p++)
            before += *p == ' ';
        if (before <= COURT_BEFORE)
            return true;
    }
    return false;
}

static enum line_kind kind_of(const struct page_line *l, const struct page_words *w)
{
    if (l->count == 0 ||
        (l->count == 1 && strlen(l->words) <= 4 && !page_starts_with(l->words, w->versus)))
        return LINE_EMPTY;
    if (is_stamp(l, w))
        return LINE_STAMP;
    if (l->count <= ROLE_WORDS && only_holds(l, w->versus))
        return LINE_VERSUS;
    if (is_role(l, w))
        return LINE_ROLE;
    if (is_labelled(l, w->subject))
        return LINE_SUBJECT;
    if (is_labelled(l, w->to))
        return LINE_TO;
    if (page_starts_with(l->words, w->dear) && l->count <= 8)
        return LINE_DEAR;
    if (l->count <= SHORT_WORDS && page_number_at(l, w))
        return LINE_NUMBER;
    if (is_date(l, w))
        return LINE_DATE;
    if (is_prose(l))
        return LINE_PROSE;
    if (is_court(l, w))
        return LINE_COURT;
    if (page_starts_with(l->words, w->matter))
        return LINE_MATTER;
    if (is_address(l, w))
        return LINE_ADDRESS;
    if (is_judge(l, w))
        return LINE_JUDGE;
    return LINE_SHORT;
}

void page_line_read(struct page_line *l, const struct content_line *from, const char *text,
                    const struct page_words *w)
{
    *l = (struct page_line){.from = from, .text = page_mend(text)};
    l->words = page_fold(l->text, &l->count);
    l->upper = is_upper_line(l->text);
    l->apart = from->centred || from->bold || from->heading || from->percent >= LARGE;
    l->kind = kind_of(l, w);
}

void page_line_clear(struct page_line *l)
{
    free(l->text);
    free(l->words);
    *l = (struct page_line){0};
}
