/*
 * unpacker: the sandboxed process that parses an archive for the organizer (archive/unpack.h is
 * its other end). It is given one open descriptor, reads it with pread(2) alone, and can open,
 * run and connect to nothing.
 *
 *   organizer -> unpacker   wire_setup, then one wire_order with the archive's descriptor, then
 *                           orders: LIST or READ, and with READ the numbers of the entries that are
 *                           wanted (PICK); SLICE; WANT, to which nothing is said
 *   unpacker -> organizer   HELLO, FORMAT; for each order HOLDS (of a ZIP), entries, data, PASSED,
 *                           and DONE or FAILED
 *
 * Records: struct unpack_head and what follows it. DATA is a message of its own; of the others so
 * many are in one message as fit into it.
 */
#ifndef ORGANIZER_ARCHIVE_UNPACKER_H
#define ORGANIZER_ARCHIVE_UNPACKER_H

#include <stdint.h>

#define UNPACK_DATA_MAX ((size_t)120 << 10) /* bytes behind the head */
#define UNPACK_PICKS    ((size_t)16 << 10)  /* numbers in one PICK */
#define UNPACK_WANT_MAX ((size_t)64 << 10)  /* bytes of WANT behind the head */

enum unpack_what {
    /* To the unpacker. */
    UNPACK_LIST = 32, /* the entries without their data */
    UNPACK_READ,      /* number: how many are picked, in ascending order; 0: all of them */
    UNPACK_PICK,      /* uint32_t[] */
    UNPACK_WANT,      /* strings (wanted.h), each with its NUL: what LIST need not tell of a ZIP */
    UNPACK_SLICE,     /* number: of an entry of a ZIP that is stored; size: bytes from time_s on */
    /* From the unpacker. */
    UNPACK_HELLO,  /* flags: enum sandbox_lack */
    UNPACK_FORMAT, /* number: enum unpack_format */
    UNPACK_HOLDS,  /* number: bytes of all entries, as far as so many can be packed into theirs */
    UNPACK_PASSED, /* number: bytes that were decompressed for this order, sent or not */
    UNPACK_ENTRY,  /* number: of the entry, from 0; the name follows */
    UNPACK_DATA,   /* of that entry */
    UNPACK_END,    /* flags 1: damaged, and a sentence why follows */
    UNPACK_TOLD, /* what is wrong with that entry or the archive (number UINT64_MAX): a sentence */
    UNPACK_DONE, /* number: of entries */
    UNPACK_FAILED, /* a sentence follows; nothing more comes of this order */
};

enum unpack_format {
    UNPACK_NONE, /* nothing that is understood */
    UNPACK_ZIP,
    UNPACK_TAR,
    UNPACK_TAR_GZ,
    UNPACK_TAR_ZST,
    UNPACK_TAR_BZ2,
    UNPACK_TAR_XZ,
};

enum unpack_kind {
    UNPACK_FILE,
    UNPACK_FOLDER,
    UNPACK_SYMLINK,
    UNPACK_HARDLINK,
    UNPACK_SPECIAL, /* device, pipe, socket, or what nobody knows */
};

enum { UNPACK_ENCRYPTED = 1, UNPACK_SIZE_UNKNOWN = 2, UNPACK_DAMAGED = 1 };

struct unpack_head {
    uint32_t what; /* enum unpack_what */
    uint32_t flags;
    uint64_t number;
    uint64_t size;  /* ENTRY: bytes of the document */
    int64_t time_s; /* ENTRY: of last change, UTC */
    uint32_t time_ns;
    uint32_t kind; /* ENTRY: enum unpack_kind */
    uint64_t len;  /* bytes that follow */
};

struct wire_setup;

/* Runs on the socket that is descriptor 3 until the other end is closed; for examine/reader.h. */
int unpacker_run(const struct wire_setup *setup);

#endif
