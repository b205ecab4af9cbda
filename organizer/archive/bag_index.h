/*
 * bag_index: where in the long tag files of an organizer's own archive the lines about a document
 * are, so that one document is found and verified without reading them whole.
 *
 * The manifest in SHA-256 and the metadata (attributes.h) lie in a ZIP as they are, not compressed.
 * organizer-index.jsonl, a tag file like the others, has a line for each 64 KiB of either:
 *
 *   file    "manifest-sha256.txt"
 *   at      first byte of the piece, which begins and ends with a line
 *   size    bytes of it
 *   sha256  of these
 *   first   path of its first line, as it stands there; paths ascend from piece to piece
 *
 * Trust is a chain: the tag manifest has the digest of the index, the index that of the piece, the
 * piece that of the document. Whatever is not as it says (another program packed the archive anew) is
 * no error: the tag files are read whole then.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_INDEX_H
#define ORGANIZER_ARCHIVE_BAG_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "archive/bag_load.h"

struct bag_index;

#define BAG_INDEX       "organizer-index.jsonl"
#define BAG_INDEX_PIECE ((size_t)64 << 10)

/* Appends the line of a piece, the n bytes at p, which begin at `at` of the file. */
void bag_index_line(struct str *out, const char *file, uint64_t at, const char *p, size_t n);

/* Reads the index f of b, whose list and tag manifests are read. Returns 0; 1 when it is of no use
 * here (past 16,384 pieces or 16 MiB, too), or more is wanted than it helps with; -1 with err when the
 * archive cannot be read on. */
int bag_index_open(struct bag *b, struct bag_file *f, struct bag_index **x, struct error *err);
/* The pieces of the manifest f with the lines about all wanted files that are there go to the sink;
 * those of the metadata about them, about wanted folders that are entries of their own, and about those
 * above. Returns 0, or 1 when they are not all to be had so. */
int bag_index_manifest(const struct bag_index *x, const struct bag_file *f, bag_text_sink *sink,
                       void *ctx);
int bag_index_metadata(const struct bag_index *x, const struct bag_file *f, bag_text_sink *sink,
                       void *ctx);
/* NULL is fine. */
void bag_index_close(struct bag_index *x);

#endif
