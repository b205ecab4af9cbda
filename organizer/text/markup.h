/*
 * markup: XML as events, by libxml2, with nothing that reaches out or grows: no entities but the
 * five of XML itself, no DTD, no network, bounded depth.
 */
#ifndef ORGANIZER_TEXT_MARKUP_H
#define ORGANIZER_TEXT_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "text/box.h"

/* A start tag; names without prefix. */
struct tag {
    const char *name;
    const unsigned char **attributes; /* libxml2's, five to an attribute */
    int n;
};

/* Whether the tag's name is this. */
bool tag_is(const struct tag *t, const char *name);
/* The value of an attribute, copied into room and cut; "" when there is none. Returns room. */
const char *tag_value(const struct tag *t, const char *attribute, char room[static 64]);
/* The attribute has exactly this value. */
bool tag_has(const struct tag *t, const char *attribute, const char *value);
/* A switch of office formats: <w:b/> is on, <w:b w:val="0"/> and "false" are off. */
bool tag_is_on(const struct tag *t);

/* Any may be NULL. */
struct markup_events {
    void (*start)(void *ctx, const struct tag *t);
    void (*end)(void *ctx, const char *name);
    void (*text)(void *ctx, const char *s, size_t n);
    void *ctx;
    const struct paper *paper; /* when it is full, no more is read; may be NULL */
};

/* Reads a part of a box as XML. 1 read, 0 no such part, -1 it is damaged: what came before counts.
 */
int markup_part(struct box *x, const char *part, const struct markup_events *e);
/* Reads n bytes. 1, or -1 as above. */
int markup_bytes(const void *p, size_t n, const struct markup_events *e);
/* Opens what libxml2 wants, before the sandbox. */
void markup_prepare(void);

#endif
