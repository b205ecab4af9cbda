/* heading_line: one line of a first page and what it is. For heading*.c and written.c only. */
#ifndef ORGANIZER_DECIDE_HEADING_LINE_H
#define ORGANIZER_DECIDE_HEADING_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct content_line;
struct lang;

enum line_kind {
    LINE_EMPTY,   /* a rule, a page number, a lone bracket */
    LINE_STAMP,   /* FILED, RECEIVED, Case 2:24-cv-1 Document 12 Filed 03/02/26 Page 1 of 8 */
    LINE_COURT,   /* the court's name and place */
    LINE_NUMBER,  /* Case No. … */
    LINE_ROLE,    /* Plaintiff, Defendant */
    LINE_VERSUS,  /* v. */
    LINE_MATTER,  /* In re … */
    LINE_JUDGE,   /* who hears it, where and when */
    LINE_ADDRESS, /* attorneys, firms, streets, telephones */
    LINE_DATE,    /* a date and nothing else */
    LINE_SUBJECT, /* Re: … */
    LINE_DEAR,    /* Dear … */
    LINE_TO,      /* To: From: Date: Sent: cc: */
    LINE_SHORT,   /* short, in capitals or set apart: a title may look like this */
    LINE_PROSE,
};

struct page_line {
    const struct content_line *from;
    enum line_kind kind;
    char *text;   /* as read, scanners' mistakes mended */
    char *words;  /* " in the court ": folded, one space around each word */
    size_t count; /* of words */
    bool upper;   /* in capitals */
    bool apart;   /* centred, bold, large or a heading */
    bool split;   /* the left or right side of a caption that is set in two columns */
};

/* Lists of words of the language file, each ended by NULL. */
struct page_words {
    const char *const *stamp,
        *const *mark, *const *court, *const *court_start,
                                         *const *number,
                                             *const *role,
                                                 *const *versus,
                                                     *const *matter,
                                                         *const *judge,
                                                             *const *judge_label,
                                                                 *const *address,
                                                                     *const *street,
                                                                         *const *subject,
                                                                             *const *dear,
                                                                                 *const *to,
                                                                                     *const *month;
};

/* Those of lang, which lives longer. */
/* Borrowed from lang. */
struct page_words page_words_of(const struct lang *lang);
/* Fills l with what text is; from says how it is set. Free with page_line_clear(). */
void page_line_read(struct page_line *l, const struct content_line *from, const char *text,
                    const struct page_words *w);
void page_line_clear(struct page_line *l);
/* The byte of text where the number behind "Case No." starts; 0 when the line holds none. */
size_t page_number_at(const struct page_line *l, const struct page_words *w);
/* Letters that scanners mistake for others, mended in words where they can be told: "M0TION". The
 * caller frees it. */
char *page_mend(const char *text);
/* Letters that scanners read for digits, inside numbers, mended in place: "2:24-cv-O1234". */
void page_mend_numbers(char *s);
/* The byte behind the first of these words with which the folded line starts; 0 for none. */
size_t page_starts_with(const char *words, const char *const *list);
/* One of these stands in the folded line as whole words. */
bool page_holds(const char *words, const char *const *list);
/* Folded words with one space around each: " in the court ". The caller frees it. */
char *page_fold(const char *text, size_t *count);

#endif
