/*
 * heading: what the first page of a document says of the document itself.
 *
 * Words like order, answer, notice and judgment stand in every legal text; what a document is
 * stands in its title. heading_read() takes the first page apart: stamps, attorneys, court, parties
 * and number (the caption), the title below or beside it, and the body, which is not looked at. A
 * letter, memo or mail has no title but a subject. How lines are told apart stands in
 * heading_line.c, their words in the language file ("paper.*").
 *
 *   heading_read(content, lang, &h)   once for each document
 *   rules_match_title(rules, h.title[i], …)   the type a title tells (rules.h)
 *   heading_clear(&h)
 */
#ifndef ORGANIZER_DECIDE_HEADING_H
#define ORGANIZER_DECIDE_HEADING_H

#include <stddef.h>

struct content;
struct lang;

enum form {
    FORM_NONE,   /* nothing was read, or nothing of it is known */
    FORM_COURT,  /* a caption: court, parties, number */
    FORM_LETTER, /* Dear …, Very truly yours */
    FORM_MEMO,   /* TO, FROM, DATE, RE */
    FORM_MAIL,   /* a mail, or a mail that was printed */
    FORM_PLAIN,  /* anything else with text */
};

enum { HEADING_TITLES = 4 };

/* Owned strings. */
struct heading {
    enum form form;
    char *title[HEADING_TITLES]; /* where the title may stand, best first; lines joined by spaces,
                                    scanners' mistakes in upper-case words mended */
    size_t titles;
    char *subject; /* Subject of a mail, Re: of a letter or memo; NULL when there is none */
    char *caption; /* the lines above the title, or above "Dear", each ended by '\n'; "" for none */
    char **numbers; /* what stands behind "Case No." there; NULL-terminated, NULL for none */
    char *text;     /* all lines that were read, each ended by '\n' */
};

/* Fills h; free with heading_clear(). content may be NULL: then nothing is known. */
void heading_read(const struct content *content, const struct lang *lang, struct heading *h);
void heading_clear(struct heading *h);
/* "court", "letter", …: as rules write it. */
const char *form_name(enum form f);
/* -1 for an unknown name. */
int form_parse(const char *name);

#endif
