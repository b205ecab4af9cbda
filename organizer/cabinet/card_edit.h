/*
 * card_edit: changes single fields of a card as a person would, and nothing else.
 *
 * The card is the person's file. All other bytes stay as they are: encoding (UTF-16 with its BOM,
 * UTF-8, Windows-1252), line ends, spelling, spacing, comments, order. Whoever asks for a change
 * parses what came out (card.h) and sees whether it says now what it shall.
 */
#ifndef ORGANIZER_CABINET_CARD_EDIT_H
#define ORGANIZER_CABINET_CARD_EDIT_H

#include <stdbool.h>
#include <stddef.h>

struct str;

struct card_change {
    const char *field; /* "Status", ASCII; compared as card_parse() does */
    const char *value; /* ASCII, one line; "" leaves the field without a value */
    const char *after; /* where the field is not there, it comes behind this one, else at the end */
    bool only_there;   /* changed where it is there, never added */
};

/* Writes to out (empty before) the n bytes with the changes made, in their order. Only the first
 * of several fields of one name is changed: it is the one that counts. Returns whether out differs
 * from the bytes. */
bool card_edit(const void *bytes, size_t n, const struct card_change *changes, size_t len,
               struct str *out);

#endif
