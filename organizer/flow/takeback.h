/*
 * takeback: names that were given before anybody read the document.
 *
 * A name that is clear by itself is not kept waiting for the parsers: the document is filed, and
 * read right after (reading.c). Where what it says then contradicts (another case's docket number,
 * another type than its name says, a mail that is there already), the naming is taken back: the
 * document lies again where it was dropped, listed with its reason as if it had never been named,
 * and its journal says so. Its row knows from when it is filed until it was read (doc.unread), so
 * that a crash between the two changes nothing.
 *
 * Nothing is fought for: only a document that lies as it was named and unchanged goes back, never
 * over anything, and not while somebody has it open. One that cannot is listed where it lies.
 */
#ifndef ORGANIZER_FLOW_TAKEBACK_H
#define ORGANIZER_FLOW_TAKEBACK_H

#include <stdbool.h>

#include "record/doc.h"

struct content;
struct decision;
struct flow;
struct item;
struct takebacks;

/* What doc.unread is to be of a document that is about to be filed by this decision. */
enum doc_unread takeback_of(struct flow *f, const struct item *it, const struct decision *d);
/* The row's document was read: content is what it says, NULL when it cannot be read. True when its
 * name stands; hooks that waited for that are run then, and its row will say so. False when it is
 * being taken back, or it cannot be said now: then flow_row_written() is called once more. */
bool takeback_stands(struct flow *f, const struct doc *row, const struct content *content);
/* Names that stand are noted in their rows now, not with the next. */
void takebacks_note(struct flow *f);
/* How many are being taken back, or are to be noted. */
size_t takebacks_len(const struct flow *f);

/* An empty one; takebacks_free(). */
struct takebacks *takebacks_new(void);
/* What is not noted is checked once more at the next start. */
void takebacks_free(struct flow *f);

#endif
