/*
 * tags: the files of a bag beside its payload (RFC 8493, section 2.1.1, 2.2): bagit.txt, bag-info.txt,
 * manifests in SHA-256 and SHA-512, tag manifests over all tag files; and the organizer's own:
 * README.txt and the metadata (attributes.h).
 *
 *   tags_begin()   README.txt, bagit.txt, bag-info.txt: before the payload
 *   tags_finish()  manifests, metadata, tag manifests: behind it, when all sums are known; in a ZIP
 *                  the index (bag_index.h), too, and what it is about as it is
 */
#ifndef ORGANIZER_ARCHIVE_TAGS_H
#define ORGANIZER_ARCHIVE_TAGS_H

#include <stddef.h>
#include <stdint.h>

#include "archive/pack.h"
#include "archive/payload.h"
#include "archive/sums.h"
#include "base/str.h"

struct error;
struct lang;

#define TAGS_MAX 10

/* One that was written. */
struct tag {
    const char *name; /* below the top folder */
    uint64_t size;
    struct sums sums;
};

struct tags {
    const struct snapshot_order *order;
    const struct payload *payload;
    const struct lang *lang;
    struct pack *pack;
    const char *top;  /* the one folder in the archive */
    int metadata;     /* file with the attributes, readable */
    int sha512;       /* file with the lines of manifest-sha512.txt, readable */
    struct tag list[TAGS_MAX]; /* in the order in which they lie in the archive */
    size_t len;
    size_t before; /* so many of them lie before the payload */
    struct str index; /* of the pieces written so far */
};

/* Each writes its files; what it needs of t is filled in by the caller. 0 or -1 with err. */
int tags_begin(struct tags *t, struct error *err);
int tags_finish(struct tags *t, struct error *err);
/* Appends the entry's line of a manifest. */
void tags_add_line(struct str *out, const char *hex, const struct payload_entry *e);
/* Appends path as manifests write it: CR, LF and % as %0D, %0A, %25 (RFC 8493, section 2.1.3). */
void tags_add_path(struct str *out, const char *path);

#endif
