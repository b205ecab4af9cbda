/*
 * bag_text: the lines of a bag's tag files (RFC 8493 sections 2.1 to 2.3), and the paths in them.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_TEXT_H
#define ORGANIZER_ARCHIVE_BAG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Lines end with LF, CR or CRLF (section 2.3). */
struct bag_lines {
    char *at, *end; /* of what has not been read */
    size_t number;  /* of the line read last, from 1 */
};

/* The next line, its end cut off; *n gets its length. NULL at the end. text is written into. */
char *bag_next_line(struct bag_lines *l, size_t *n);

/* The lines of a text that comes in pieces, of which only an unfinished line is kept. */
struct bag_feed {
    void (*line)(void *ctx, char *line, size_t n, size_t number); /* line is written into */
    void *ctx;
    struct str text; /* the rest is this module's */
    size_t number, taken;
    bool large; /* a line or the whole is past what is read: nothing more came of it */
};

/* The next n bytes; ctx is a struct bag_feed. */
void bag_feed_add(void *ctx, const char *p, size_t n);
/* The last line, when it has no end. Returns false when the text was too large. */
bool bag_feed_end(struct bag_feed *f);

/* Whether text in that encoding is read as the bytes that it is. */
bool bag_encoding_plain(const char *name);
/* Whether tag files in that encoding are read here; UTF-8 and what it is called elsewhere too. */
bool bag_encoding_known(const char *name);
/* Turns text from that encoding into UTF-8; what says it is UTF-8 already stays bytes. Returns 0,
 * or -1 when it is not in that encoding. */
int bag_decode(struct str *text, const char *encoding);
/* Takes a byte-order mark (UTF-8's) off. Returns whether there was one. */
bool bag_take_bom(struct str *text);

/* A line of a manifest. */
struct bag_manifest_line {
    char *hex;
    size_t hex_len;
    char *path;
    bool star; /* md5sum's mark of a binary file before the path */
};
/* Takes a line of n bytes apart, in place. Returns 0, or -1 when it is none. */
int bag_parse_manifest(char *line, size_t n, struct bag_manifest_line *m);

/* A line of fetch.txt (section 2.2.3). */
struct bag_fetch_line {
    char *url, *path;
    bool size_known;
    uint64_t size;
};
int bag_parse_fetch(char *line, size_t n, struct bag_fetch_line *f);

/* Decodes %0A, %0D and (full: BagIt 1.0) %25, either case, in place. Returns whether a % remains
 * that stands for nothing. */
bool bag_decode_path(char *path, bool full);

/* The value of Payload-Oxum: "bytes.files" (section 2.2.2). Returns 0, or -1 when it is none. */
int bag_parse_oxum(const char *value, uint64_t *bytes, uint64_t *files);

enum bag_path {
    BAG_PATH_FINE,
    BAG_PATH_DOTTED,  /* "./a", "a//b", "a/./b": was made plain */
    BAG_PATH_OUTSIDE, /* absolute, "..", "~", a drive letter: leads out of the bag */
    BAG_PATH_EMPTY,
};
/* Looks at a path and makes it plain, in place. */
enum bag_path bag_path_plain(char *path);
/* Why programs may stumble over the name that path ends with, as part of a sentence; NULL when
 * nobody will. */
const char *bag_path_unwise(const char *path);

#endif
