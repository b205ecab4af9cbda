/*
 * bag_source: where a bag lies: a folder, or an archive behind an unpacker. Both yield the same
 * events (archive/unpack.h): entries, their bytes, what is wrong with them.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_SOURCE_H
#define ORGANIZER_ARCHIVE_BAG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/bag_table.h"
#include "archive/unpack.h"

struct error;

/* Called for each event, in order; returns 0 to go on. */
typedef int bag_sink(void *ctx, const struct unpack_event *e);

struct bag_source {
    int folder;            /* descriptor, or -1 */
    struct unpack *unpack; /* or NULL */
    bool lists_fast;       /* a list costs little beside reading all of it */
};

/* Opens the folder or archive path (relative to dirfd). *fd gets the archive's own descriptor,
 * which the caller closes, or -1 for a folder. Returns 0, or -1 with err. */
int bag_source_open(struct bag_source *s, int dirfd, const char *path,
                    const struct unpack_options *o, int *fd, struct error *err);
/* The bag says that so many bytes are in it (unpack_declare()). */
void bag_source_declare(const struct bag_source *s, uint64_t bytes);
/* All entries, without their bytes when data is false. Returns 0; -1 with err when it cannot be
 * read on; what the sink returned when that was not 0. */
int bag_source_all(struct bag_source *s, bool data, bag_sink *sink, void *ctx, struct error *err);
/* These len files with their bytes. They are sorted by number. Returns as above. */
int bag_source_read(struct bag_source *s, struct bag_file **files, size_t len, bag_sink *sink,
                    void *ctx, struct error *err);
/* Of the list nobody asks for more than these (unpack_want()). Returns 0, or -1 with err. */
int bag_source_want(const struct bag_source *s, const char *const *list, struct error *err);
/* n bytes of the file f from `from` on, as DATA. Returns 0, or 1 when no part can be had by itself,
 * with err. */
int bag_source_slice(const struct bag_source *s, const struct bag_file *f, uint64_t from, uint64_t n,
                     bag_sink *sink, void *ctx, struct error *err);
void bag_source_close(struct bag_source *s);

#endif
