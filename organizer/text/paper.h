/*
 * paper: what a parser writes on: lines as they stand in the document, its properties, flags.
 *
 *   paper_add()   text of the line at work, UTF-8 or not; white space and controls are folded
 *   paper_end()   ends the line, with what it looks like
 *   paper_page()  what follows is on the next page
 *   paper_close() tells what most of the text looks like, and writes the record
 *
 * All text goes to the file in memory as it comes; the lines of the first pages, in bounds, are
 * kept for the record. When paper_full(), no more text is wanted. Used by parsers only.
 */
#ifndef ORGANIZER_TEXT_PAPER_H
#define ORGANIZER_TEXT_PAPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "decide/content.h"

struct paper {
    struct content content;
    int out;             /* the file in memory */
    unsigned page;       /* from 1 */
    struct str line;     /* the line at work */
    bool gap;            /* white space before what comes next */
    size_t first;        /* bytes kept in content.lines */
    bool aside;          /* what comes is for the search only: notes, comments */
    struct str buffer;   /* text not yet written to out */
    uint64_t written;    /* bytes of text in out */
    unsigned lines;
    bool full;
};

/* What a line looks like. */
struct look {
    unsigned size; /* of its letters, in any unit; 0 unknown */
    bool centred, bold, heading;
};

/* Begins a paper that is written to the descriptor out, which is borrowed. */
void paper_open(struct paper *p, int out);
/* Adds n bytes. Those that are no UTF-8 become U+FFFD. */
void paper_add(struct paper *p, const char *s, size_t n);
void paper_end(struct paper *p, struct look look);
void paper_page(struct paper *p);
/* At the end of a mail: the names of its attachments are searched for, too. */
void paper_attachments(struct paper *p);
bool paper_full(const struct paper *p);
/* Most of the time that a parser has is used up: what takes long is to be left out. */
bool paper_is_late(void);
/* Sets a property: white space folded, cut when long, none when empty. */
void paper_set(char **field, const char *s, size_t n);
/* Adds to a list, likewise; at most most. */
void paper_list(char ***list, size_t most, const char *s, size_t n);
/* The document could not be read as it should: the worst that was told stays. why is one of
 * answer_whys. */
void paper_status(struct paper *p, enum content_status status, const char *why);
/* The date of an ISO time ("2026-03-02T…"), DATE_NONE for anything else. */
struct date paper_date(const char *s);
/* Writes everything. 0, or -1 with errno. Frees nothing: the process ends. */
int paper_close(struct paper *p);

#endif
