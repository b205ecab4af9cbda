/*
 * bag_table: every file that a bag has or speaks of, found by its name's bytes.
 *
 * 100,000 of them are kept in 30 MiB: a file, its name and its digests lie in pieces of memory that
 * are given back all at once.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_TABLE_H
#define ORGANIZER_ARCHIVE_BAG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bag_file {
    /* Both in the table's memory, and perhaps the same bytes: */
    uint8_t *want; /* digests that manifests say, one behind the other as in struct hash_set */
    uint8_t *got;  /* digests of what is there */
    uint64_t size;
    int64_t time_s;  /* of last change, UTC */
    uint32_t number; /* of the entry, where it is present */
    uint32_t wanted; /* bits: algorithms of want */
    uint32_t found;  /* bits: algorithms of got */
    uint32_t listed; /* bits: payload manifests that list it, in their order */
    uint32_t tagged; /* bits: tag manifests that do */
    uint32_t time_ns;
    uint8_t kind; /* enum unpack_kind */
    bool present; /* an entry of this name is there */
    bool fetch;   /* fetch.txt says where it is */
    bool damaged; /* it could not be read to its end */
    bool encrypted;
    bool twice;  /* another entry of the same name is there */
    char path[]; /* as the archive or folder has it: with the bag's base folder */
};

struct bag_piece;

struct bag_table {
    struct bag_file **files; /* in the order in which they came; owned */
    size_t len, cap;
    uint32_t *slots; /* index + 1; 0: free */
    size_t slots_len;
    uint64_t seed; /* so that nobody can make names that all fall together */
    struct bag_piece *pieces;
};

/* The file of that name, NULL when there is none. */
struct bag_file *bag_table_find(const struct bag_table *t, const char *path);
/* As above, and a new one when there is none. */
struct bag_file *bag_table_add(struct bag_table *t, const char *path);
/* n bytes, all zero, that live as long as the table does. */
void *bag_table_room(struct bag_table *t, size_t n);
void bag_table_clear(struct bag_table *t);

#endif
