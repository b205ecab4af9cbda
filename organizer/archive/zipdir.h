/*
 * zipdir: the central directory of a ZIP (PKWARE APPNOTE.TXT 4.3), with its names as bytes.
 *
 * libarchive converts names between character sets and normalises them, which a manifest of bytes
 * does not survive, and it takes an entry's name from beside the data, where Explorer and unzip
 * take it from the directory. So the directory is read here, and the two are compared. Runs where
 * nothing can be opened (archive/unpacker.h).
 */
#ifndef ORGANIZER_ARCHIVE_ZIPDIR_H
#define ORGANIZER_ARCHIVE_ZIPDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

struct zip_entry {
    uint64_t at; /* of its local header, in the file */
    uint64_t packed, size;
    int64_t time_s; /* of last change; as UTC when only MS-DOS's local time is there */
    char *name;     /* NUL behind it, and perhaps inside */
    char *plain;    /* the header's own name, where name is Info-ZIP's Unicode path; else NULL */
    uint32_t name_len, plain_len;
    uint32_t mode;  /* st_mode of its maker, 0 when that was no Unix */
    uint16_t flags; /* general purpose bit flag */
    uint16_t method;
};

/* In the order in which the entries lie in the file. */
struct zip_dir {
    struct zip_entry *entries;
    size_t len;
    uint64_t start; /* of the directory */
    bool rest;      /* something stands behind the directory's end record */
};

#define ZIP_ENCRYPTED 0x2041 /* encrypted; strong; masked headers */

/* Whether the file ends as a ZIP does. */
bool zip_dir_ends(int fd, uint64_t size);
/* Reads it from a file of size bytes. Returns 0, or -1 with err when it is damaged. */
int zip_dir_read(int fd, uint64_t size, struct zip_dir *d, struct error *err);
/* What the local header of entry i says otherwise, as a sentence for a person; NULL when it agrees
 * and lies where no other entry does. */
const char *zip_dir_doubt(int fd, const struct zip_dir *d, size_t i);
void zip_dir_clear(struct zip_dir *d);

#endif
