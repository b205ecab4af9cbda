/*
 * inflate: RFC 1951, for the first few KiB of one member of a ZIP file.
 *
 * Small, slow and bounded: it is only asked for [Content_Types].xml, inside the sandbox.
 */
#ifndef ORGANIZER_EXAMINE_INFLATE_H
#define ORGANIZER_EXAMINE_INFLATE_H

#include <stddef.h>
#include <stdint.h>

/* Unpacks the n bytes at in into out, at most cap bytes; returns how many came out before the
 * end, the limit, or the first thing that is wrong. */
size_t inflate_some(const uint8_t *in, size_t n, uint8_t *out, size_t cap);

#endif
