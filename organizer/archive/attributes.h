/*
 * attributes: what BagIt does not keep of a file or folder, as lines of JSON: owner, mode, ACLs,
 * extended attributes, times to the nanosecond, empty folders, links; and exact names.
 *
 * The first line describes the format; then one line an entry, in the order of their names:
 *   path      in the bag: "data/Motions/x.pdf", "data" is the case folder
 *   name_hex  the path's exact bytes below data/, when it is no UTF-8 and so stored otherwise
 *   type      file, folder, link, pipe, socket, device
 *   mode      octal, with set-user-id and the like: "0640"
 *   uid gid user group   user and group only when this server knows the numbers
 *   mtime     "2026-03-02T10:00:00.123456789Z"; not for the organizer's own pages and folders
 *   acl, default_acl     as getfacl -cn writes them, joined by ','
 *   xattrs    name to hex
 *   target_hex           of a link
 *   recorded  false: the journal of the case does not know this document
 */
#ifndef ORGANIZER_ARCHIVE_ATTRIBUTES_H
#define ORGANIZER_ARCHIVE_ATTRIBUTES_H

#include "archive/payload.h"
#include "base/str.h"

#define ATTRIBUTES_NAME "organizer-metadata.jsonl"

struct lang;

/* Appends the first line. */
void attributes_header(struct str *out, const struct lang *lang);
/* Appends the entry's line. fd is open on it; -1 for what is neither file nor folder, which is looked
 * at in the folder case_fd. Returns 0, or -1 with errno. */
int attributes_add(struct str *out, const struct payload_entry *e, int fd, int case_fd);

#endif
