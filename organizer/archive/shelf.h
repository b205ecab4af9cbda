/*
 * shelf: the folder in which archives lie, and how one comes to its name there.
 *
 *   shelf_open()      removes what earlier runs left under temporary names
 *   shelf_begin()     an empty file under a temporary name, 0600
 *   …it is written, synced, read back…
 *   shelf_publish()   rights of its case; renamed, never over anything; NAME.sha256 beside it; the
 *                     folder synced
 *
 * A crash leaves a temporary name, or the archive under its name, whole; perhaps without NAME.sha256
 * (heal.h).
 */
#ifndef ORGANIZER_ARCHIVE_SHELF_H
#define ORGANIZER_ARCHIVE_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct error;
struct str;

struct shelf {
    int dir;
    char temp[64]; /* name of the file being written; "" when there is none */
    int fd;        /* open on it, for writing; or -1 */
};

/* Who may read the archive: as the case folder's readers. */
struct shelf_rights {
    int case_fd;
    bool owner_only; /* a folder above the case keeps out some who could read the case itself */
};

/* Opens the folder (from the cabinet root down) for reading; unlike all else it may lie on another disk,
 * but never behind a link. -1 with errno. */
int shelf_folder(int root, const char *folder);
/* Removes what a crash left there under temporary names; what another run is writing stays. */
void shelf_tidy(int root, const char *folder);
/* Opens folder (from the cabinet root down; made when missing). 0, or -1 with err. */
int shelf_open(struct shelf *s, int root, const char *folder, struct error *err);
/* Closes it and removes what is still under a temporary name. */
void shelf_close(struct shelf *s);
/* Makes the file to write. 0 or -1. */
int shelf_begin(struct shelf *s, struct error *err);
/* A file without a name on the same file system, for reading and writing. -1 with err. */
int shelf_spool(struct shelf *s, struct error *err);
/* Gives the file its name: base + ext, or base_02 + ext, _03, … when that is taken (also by its
 * .sha256). *name is what it got; owned by the caller. 0 or -1; after -1 with *name set, the archive
 * has its name but not its .sha256. */
int shelf_publish(struct shelf *s, const char *base, const char *ext, const struct digest *digest,
                  const struct shelf_rights *rights, char **name, struct error *err);
/* Appends a line as `sha256sum -c` reads it: a name with a backslash or an end of line is escaped as
 * that writes them. */
void shelf_sum_line(struct str *out, const char *name, const struct digest *digest);
/* Writes NAME.sha256 as `sha256sum -c` reads it. One that is there already is left. 0 or -1. */
int shelf_write_sum(struct shelf *s, const char *name, const struct digest *digest,
                    const struct shelf_rights *rights, struct error *err);

#endif
