/*
 * bag_load: a bag's structure: its entries, its declaration, and what its manifests say of each
 * file. Everything else (bag.h, restore.h, the verbs list and diff) starts from here.
 *
 * bag_open() finds out what lies there; bag_load() reads the list and the tag files and tells what
 * is wrong with them; then the files are in the table, with the digests that they should have. For
 * a compressed tar, where a list costs as much as reading it all, the payload is hashed on the way.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_LOAD_H
#define ORGANIZER_ARCHIVE_BAG_LOAD_H

#include "archive/bag.h"
#include "archive/bag_rules.h"
#include "archive/bag_source.h"
#include "archive/bag_table.h"
#include "archive/hash.h"
#include "base/str.h"

#define BAG_MANIFESTS 16                         /* of each kind */
#define BAG_METADATA  "organizer-metadata.jsonl" /* see attributes.h */

/* A tag file that is read as text. */
struct bag_tag {
    struct bag_file *file;
    struct str text;
    bool dropped; /* past what is kept on the way: to be read by itself */
};
/* The next piece of a tag file's text. */
typedef void bag_text_sink(void *ctx, const char *p, size_t n);

struct bag_manifest {
    struct bag_file *file;
    const char *name; /* in file->path, behind the base */
    int algorithm;    /* index in the set, -1: libcrypto has none */
    bool tag;         /* tagmanifest-… */
};

struct bag {
    struct bag_source source;
    int fd; /* of the archive, -1: a folder */
    const struct bag_options *options;
    struct bag_counts *counts;
    struct bag_table files;
    struct hash_set hashes;
    char *base; /* "" or "Smith_Divorce/", in front of every path of the bag */
    size_t base_len;
    int version; /* 97, 100; 0: unknown */
    char *encoding;
    struct bag_manifest manifests[2 * BAG_MANIFESTS];
    size_t manifests_len, payload_manifests, tag_manifests;
    struct bag_tag *tags; /* as far as they are read */
    size_t tags_len, tags_cap;
    /* Of the payload only this is wanted (wanted.h): most of the rest is not even put down, and of
     * several strong manifests one is read, by the index where there is one. Set before bag_load();
     * borrowed; NULL: all. */
    const char *const *wanted;
    struct bag_index *index; /* bag_index.h; NULL: it has none that helps */
    char *oxum;    /* as bag-info.txt has it; NULL: none. So are the next two */
    char *prefix;  /* External-Identifier: of an organizer's archive the case's prefix */
    char *case_id; /* Organizer-Case */
    bool metadata; /* what restore_rights.h reads is kept on the way, too */
    bool hashed;   /* the payload was hashed on the way */
    uint64_t read; /* bytes that have been hashed */
    uint64_t to_read;
};

/* Opens what lies at path. Returns 0, or -1 with err; bag_close() either way. */
int bag_open(struct bag *b, int dirfd, const char *path, const struct bag_options *o,
             struct bag_counts *c, struct error *err);
/* Reads list and tag files. Returns 0 whatever is wrong with them, -1 with err when the archive
 * cannot be read on. */
int bag_load(struct bag *b, struct error *err);
/* Has sink called with the text of a tag file, piece by piece, which was kept on the way or is read
 * now. Its digest is in file->got then, and file->damaged says whether it was all. Returns 0, or -1
 * with err when the archive cannot be read on. */
int bag_read_text(struct bag *b, struct bag_file *f, bag_text_sink *sink, void *ctx,
                  struct error *err);
/* The list alone, of a folder that need not be a bag. Returns as bag_load(). */
int bag_list(struct bag *b, struct error *err);
/* Reads these files and computes their digests; judge: compares each at once (bag_judge()) and
 * forgets what was computed. Returns as bag_load(). */
int bag_hash_files(struct bag *b, struct bag_file **files, size_t len, bool judge,
                   struct error *err);
void bag_close(struct bag *b);

/* The path below the bag's base; for what lies beside the bag, as the archive has it. */
const char *bag_path_in(const struct bag *b, const struct bag_file *f);
/* Whether f lies in the bag, and whether it is payload. */
bool bag_has(const struct bag *b, const struct bag_file *f);
bool bag_is_payload(const struct bag *b, const struct bag_file *f);
/* The bag's file of that path below its base, or NULL. */
struct bag_file *bag_find(const struct bag *b, const char *path);
/* Whether the digest of algorithm i, wanted and found, is right. */
bool bag_digest_right(const struct bag *b, const struct bag_file *f, size_t i);
/* Whether f was read and manifests say its digests, all of them the right ones. */
bool bag_is_vouched_for(const struct bag *b, const struct bag_file *f);
/* Compares the digests of f that are wanted and found; tells of the first that is wrong. */
void bag_judge(const struct bag *b, const struct bag_file *f);
/* Tells of a file. detail may be NULL. */
void bag_tell_file(const struct bag *b, enum bag_rule rule, const struct bag_file *f,
                   const char *detail);

/* For bag_load() alone (bag_tags.c): understands the text of the tag files. */
void bag_read_declaration(struct bag *b, struct bag_tag *t);
void bag_read_fetch(struct bag *b, struct bag_tag *t);
void bag_read_info(struct bag *b, struct bag_tag *t);
/* A manifest comes in pieces: begin, any number of pieces (ctx is what begin returned), end, which
 * takes back all that it said unless it was whole, and frees it. */
struct manifest_reading *bag_manifest_begin(struct bag *b, size_t manifest);
void bag_manifest_add(void *ctx, const char *p, size_t n);
void bag_manifest_end(struct manifest_reading *r, bool whole);

#endif
