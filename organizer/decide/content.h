/*
 * content: what one document says, as a sandboxed parser told it and the organizer checked it.
 *
 * Plain data, all text valid UTF-8 without control characters but '\n'. Made by text/ (one answer
 * for each document), kept by record/, seen by decide() and by the search index. Strings and
 * lists are owned; NULL means that the document has none. Lists are NULL-terminated.
 */
#ifndef ORGANIZER_DECIDE_CONTENT_H
#define ORGANIZER_DECIDE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/date.h"

/* The pages (or, without pages, the characters) that a document is classified by. */
#define CONTENT_PAGES 3
#define CONTENT_FIRST ((size_t)32 << 10) /* bytes of text in `lines` together, at most */
#define CONTENT_LINES 600

enum content_status {
    CONTENT_NONE,   /* nothing was read: the kind holds no text, or nobody asked yet */
    CONTENT_READ,   /* read to the end */
    CONTENT_PART,   /* read up to a limit: why says which */
    CONTENT_LOCKED, /* encrypted: what stands outside the lock is here */
    CONTENT_BROKEN, /* the parser could make nothing of it, died or took too long: why */
};

enum content_flag {
    CONTENT_IS_ENCRYPTED = 1,
    CONTENT_HAS_MACROS = 2,
    CONTENT_IS_SIGNED = 4,      /* a digital signature, in the document or around the mail */
    CONTENT_IS_SCAN = 8,        /* pages are pictures without text: the `text` hook may read them */
    CONTENT_TEXT_BY_HOOK = 16,  /* the text came from the `text` hook (OCR) */
    CONTENT_IS_PRIVILEGED = 32, /* marked PRIVILEGED, ATTORNEY-CLIENT … */
    CONTENT_IS_WORK_PRODUCT = 64,
};

/* One line of the first pages, as it stands on the paper. */
struct content_line {
    char *text;       /* white space folded, not empty */
    unsigned page;    /* from 1 */
    unsigned percent; /* its letters' height, 100 being what most of the text has; 0 unknown */
    bool centred, bold, heading; /* heading: the format itself calls it a title or heading */
};

struct content {
    enum content_status status;
    char *why;      /* PART, LOCKED, BROKEN: for a person; one of lang's "content.*" keys */
    unsigned flags; /* enum content_flag */
    unsigned pages; /* of a document with pages; slides, sheets; 0 unknown */
    struct content_line *lines;
    size_t lines_len;
    uint64_t text_len; /* bytes of all text that was found, which lies elsewhere (text/text.h) */
    /* Properties. title is what the program's properties say, not what stands on the page. */
    char *title, *author;
    /* Mail. Addresses as "Name <a@b>" or "a@b". */
    char *subject, *sender;
    char **recipients; /* To, Cc */
    char *message_id;  /* without <> */
    char **thread;     /* In-Reply-To and References, without <> */
    char **attachments; /* names */
    struct date mail_date;     /* Date header */
    struct date taken_date;    /* EXIF */
    struct date property_date; /* only to cross-check */
    /* What reading it took: processor time, and memory at most, in bytes. 0 unless it was read just now. */
    unsigned cpu_ms;
    uint64_t memory;
};

/* Frees what c owns; all zero then. */
void content_clear(struct content *c);
/* A deep copy; what `to` had is not freed. */
void content_copy(struct content *to, const struct content *from);
/* The lines of the first pages, each ended by '\n'. The caller frees it. */
char *content_text(const struct content *c);
/* Adds a line; text is taken over. */
void content_add_line(struct content *c, const struct content_line *line);
/* Sets a string to a copy of text (NULL: none), and adds one to a list. */
void content_set(char **to, const char *text);
void content_add(char ***list, const char *text);

#endif
