/*
 * nursery: the process that forks a parser for each document, so that one document cannot reach
 * into another's answer.
 *
 * It never looks at a document itself: it passes both descriptors on, waits until the parser is
 * gone, and says how that ended.
 */
#ifndef ORGANIZER_TEXT_NURSERY_H
#define ORGANIZER_TEXT_NURSERY_H

struct wire_setup;

/* Runs on the socket WIRE_FD until the other end is closed. Returns the exit status, see
 * reader_main(). */
int nursery_parsers(const struct wire_setup *setup);

#endif
