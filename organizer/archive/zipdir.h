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

/* 56 bytes: archives of 100,000 documents are read in few MiB. */
struct zip_entry {
    uint64_t at; /* of its local header, in the file */
    uint64_t packed, size;
    int64_t time_s;  /* of last change; as UTC when only MS-DOS's local time is there */
    uint64_t record; /* where the directory has it, in the file */
    uint32_t mode;   /* st_mode of its maker, 0 when that was no Unix */
    uint32_t len;    /* of the record */
    uint16_t flags;  /* general purpose bit flag */
    uint16_t method;
};

/* Bytes in the directory, valid until the next call that is given it. No NUL behind them. */
struct zip_name {
    const char *name;
    const char *plain; /* the header's own, where name is Info-ZIP's Unicode path; else NULL */
    size_t name_len, plain_len;
};

/* In the order in which the entries lie in the file. */
struct zip_dir {
    struct zip_entry *entries;
    size_t len;
    uint64_t start, end; /* of the directory */
    uint64_t shift;      /* what was put before the archive: places count from behind it */
    uint64_t holds;      /* bytes of all entries; of each no more than its room can unfold to */
    bool twice;          /* two entries lie in the same place */
    bool rest;           /* something stands behind the directory's end record */
    /* The rest is this module's: the piece of the file that was read last. */
    int fd;
    uint8_t *piece;
    uint64_t piece_at;
    size_t piece_len;
};

#define ZIP_ENCRYPTED 0x2041 /* encrypted; strong; masked headers */

/* Whether the file ends as a ZIP does. */
bool zip_dir_ends(int fd, uint64_t size);
/* Reads it from a file of size bytes (fd borrowed until zip_dir_clear()). Returns 0, or -1 with err
 * when it is damaged. */
int zip_dir_read(int fd, uint64_t size, struct zip_dir *d, struct error *err);
/* The name of entry i. Returns 0, or -1 when it cannot be read (any more). */
int zip_dir_name(struct zip_dir *d, size_t i, struct zip_name *n);
/* Where in the file the n bytes of entry i from `from` on are. Returns 0, or -1 when it is packed,
 * encrypted, or has not so many. */
int zip_dir_slice(const struct zip_dir *d, uint64_t i, uint64_t from, uint64_t n, uint64_t *at);
/* What the local header of entry i, of that name, says otherwise, as a sentence for a person; NULL
 * when it agrees and lies where no other entry does. */
const char *zip_dir_doubt(const struct zip_dir *d, size_t i, const struct zip_name *n);
/* A directory of these len entries (numbers, ascending) alone, with its end record, to stand at
 * d->start in place of the whole one; libarchive then neither reads nor keeps the others. Owned by
 * the caller. NULL when there is no such form of it, or the file cannot be read. */
char *zip_dir_part(struct zip_dir *d, const uint32_t *picks, size_t len, size_t *bytes);
void zip_dir_clear(struct zip_dir *d);

#endif
