/*
 * restore: documents out of a bag, into a folder.
 *
 *   restore_open()     what is in the bag, and which documents are wanted
 *   restore_run()      writes them below a folder of a temporary name, each compared with its
 * manifest while it is written; puts them on the disk; only then gives them their name
 *   restore_close()
 *
 * A crash leaves a folder of a temporary name, which the next restore to the same place removes; no
 * document is ever seen under its own name before it is whole, verified and on the disk. Nothing
 * that exists is replaced, and nothing is written outside the folder, whatever the archive says:
 * each name is opened below it by openat2(2), and entries that are no regular files are not made.
 */
#ifndef ORGANIZER_ARCHIVE_RESTORE_H
#define ORGANIZER_ARCHIVE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

struct error;

struct restore_options {
    const char *exe; /* as in struct bag_options */
    int64_t stall_ms;
    const char *const *wanted; /* names, folders or patterns, NULL-terminated; NULL: all */
    bool rooted;               /* the folder itself takes owner and rights of the case, too */
    /* Whether a document is left out though nobody named it: path from the case folder down. NULL:
     * none is. */
    bool (*left_out)(void *ctx, const char *path);
    /* What could not be restored, or not as it was, and why; path may be "". */
    void (*told)(void *ctx, const char *path, const char *why);
    void (*done)(void *ctx, const char *path, uint64_t size); /* NULL: nobody asks */
    void (*progress)(void *ctx, uint64_t bytes, uint64_t of);
    void *ctx;
};

struct restore_counts {
    uint64_t files, bytes; /* that are there now */
    uint64_t failed;       /* documents and names that are not: each was told */
};

struct restore;

/* Looks into the archive or bag at path (relative to dirfd). NULL with err when it cannot be read,
 * is no bag, or when nothing in it is wanted. */
struct restore *restore_open(int dirfd, const char *path, const struct restore_options *o,
                             struct error *err);
/* The case of which the bag is: "Smith_Divorce" and its id. NULL: it does not say. */
const char *restore_prefix(const struct restore *r);
const char *restore_case_id(const struct restore *r);
/* Each document that is wanted, in no fixed order. */
void restore_each(const struct restore *r, void (*each)(void *ctx, const char *path, uint64_t size),
                  void *ctx);
/* Restores into the folder name of parent (a descriptor), which must not exist; name NULL: into
 * parent itself, beside what is there. Returns 0 with the counts; 1 when name is taken; -1 with
 * err, and then nothing is to be seen of it. */
int restore_run(struct restore *r, int parent, const char *name, struct restore_counts *c,
                struct error *err);
/* NULL is fine. */
void restore_close(struct restore *r);

#endif
