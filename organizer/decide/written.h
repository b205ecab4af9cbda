/*
 * written: the date that a document itself bears.
 *
 * "Dated: March 2, 2026", "IT IS SO ORDERED this 2nd day of March, 2026", the date line of a
 * letter, "DATE:" of a memo, "Sent:" of a printed mail, "Invoice Date"; and the stamp of the court
 * that filed it ("Filed 03/02/26", at the top of every page of an electronically filed paper). Days
 * that are told in passing ("on or about May 4, 2021") are none of its own. The words that a date
 * stands behind are in the language file ("paper.dated", "paper.filed").
 */
#ifndef ORGANIZER_DECIDE_WRITTEN_H
#define ORGANIZER_DECIDE_WRITTEN_H

#include "decide/date.h"

struct content;
struct heading;
struct lang;

/* A date and the line it stands in. */
struct written_date {
    struct date_match match; /* of line; DATE_ABSENT: there is none */
    char *line;              /* what match is of; owned, NULL for none */
    const char *whole;       /* the whole line, borrowed from the content; NULL for none */
};

struct written {
    struct written_date dated; /* of the document's own hand */
    struct written_date filed; /* the court's stamp */
};

/* Fills w; free with written_clear(). content and heading may be NULL. order, today, lang: as for
 * date_find(); a court's stamp has the month first unless it cannot. */
void written_read(const struct content *content, const struct heading *heading,
                  enum date_order order, struct date today, const struct lang *lang,
                  struct written *w);
void written_clear(struct written *w);

#endif
