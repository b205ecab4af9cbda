/*
 * pump: reads the files of a payload in a thread of its own, one after another, hashes them, and
 * hands their bytes over. What is handed over as a file's last piece has been compared with what
 * the file must be; at the first that is not what it must be the pump hands nothing more over, but
 * reads on, so that all that differ are told.
 *
 *   pump_start()   then pump_next() … pump_release() until NULL, then pump_end()
 */
#ifndef ORGANIZER_ARCHIVE_PUMP_H
#define ORGANIZER_ARCHIVE_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/findings.h"
#include "archive/payload.h"

struct pump;

struct pump_options {
    int case_fd;
    struct payload *payload; /* sha256 of each file is filled in */
    /* What would take too much memory for 100,000 documents goes into files without a name: */
    int metadata; /* attributes of all entries are appended */
    int sha512;   /* lines of manifest-sha512.txt are appended */
    struct findings *findings; /* the pump's until pump_end() */
    bool (*stopped)(void *ctx); /* asked between two pieces; NULL: never */
    /* Bytes read so far; called on the pump's thread. May be NULL. */
    void (*progress)(void *ctx, uint64_t bytes);
    void *ctx;
};

/* A piece of a file, or an empty folder. */
struct pump_piece {
    const struct payload_entry *entry;
    const char *bytes;
    size_t len;
    bool first, last;
    bool deflate; /* with the first: compressing it gains something */
};

/* NULL with errno. */
struct pump *pump_start(const struct pump_options *o);
/* The next piece, waited for; false at the end, or when something differs. */
bool pump_next(struct pump *p, struct pump_piece *piece);
void pump_release(struct pump *p);
/* The emptying side gives up early: what is still unread is not read. */
void pump_stop(struct pump *p);
/* Waits for the thread and frees it. 0 when everything was read and is right; 1 when findings say
 * what is not, or it was stopped; -1 with errno when metadata could not be written. */
int pump_end(struct pump *p);

#endif
