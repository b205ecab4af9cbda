/* reading: libarchive on a file that comes from the disk (disk.h), in one of our own formats. */
#ifndef ORGANIZER_ARCHIVE_READING_H
#define ORGANIZER_ARCHIVE_READING_H

#include <archive.h>
#include <stdint.h>

#include "archive/disk.h"
#include "archive/snapshot.h"

struct reading {
    struct archive *a; /* for archive_read_next_header() and the like */
    struct disk *disk;
    uint64_t pos;
};

/* Opens it: a ZIP by its central directory. disk is borrowed. Returns ARCHIVE_OK or libarchive's
 * error, told by archive_error_string(r->a); close it either way. */
int reading_open(struct reading *r, struct disk *disk, enum snapshot_format format);
void reading_close(struct reading *r);

#endif
