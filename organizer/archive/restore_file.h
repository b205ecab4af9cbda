/*
 * restore_file: one document on its way to the disk: long runs of zeros become holes, as a sparse
 * recording had them; nothing is written once the file system is as good as full.
 */
#ifndef ORGANIZER_ARCHIVE_RESTORE_FILE_H
#define ORGANIZER_ARCHIVE_RESTORE_FILE_H

#include <stddef.h>
#include <stdint.h>

struct restore_file {
    int fd;         /* at its end; borrowed */
    uint64_t zeros; /* that came and are neither written nor skipped */
    uint64_t *room; /* bytes that may still be written, by all files together */
    uint64_t taken; /* of these, by this one */
};

/* How many bytes may be written below the folder fd: what is free there but for a rest that others
 * need. UINT64_MAX: the file system does not say. */
uint64_t restore_file_room(int fd);
/* The next n bytes. Returns 0, or -1 with errno (ENOSPC, too, when the room is used up). */
int restore_file_add(struct restore_file *f, const void *p, size_t n);
/* Behind the last byte. Returns as above. */
int restore_file_end(struct restore_file *f);
/* The file is removed again: others have its room. */
void restore_file_removed(struct restore_file *f);

#endif
