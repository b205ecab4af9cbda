/*
 * rename: one document under its new name, or nothing happened.
 *
 * Lease, look, renameat2(RENAME_NOREPLACE), comparison of what lies under the new name now with the
 * leased descriptor, lease back. What was moved instead of the document (a program saved over the
 * name at that instant) is put back; where its old name is taken again by then it stays under the
 * new one: nothing is ever lost or replaced.
 */
#ifndef ORGANIZER_FILE_RENAME_H
#define ORGANIZER_FILE_RENAME_H

struct act;
struct doc_stamp;
struct filing;
struct folders;
struct parents;

/* Opens a->from (unless a->fd is open already) and sees that it is the document that was examined.
 * 0, or -1 with a->status and a->error. */
int rename_open(const struct filing *g, struct act *a);
/* Renames a->from to a->to. Sets a->status and a->error; ACT_PENDING: the name was taken meanwhile,
 * choose another. For ACT_DONE doc.path and doc.stamp are set. Both folders are opened by p and
 * added to touched. */
void rename_do(const struct filing *g, struct act *a, struct parents *p, struct folders *touched);
/* Takes a done act back, because it could not be recorded. The document may stay under its new
 * name, when its old one is taken or someone has it open: recovery finds it there. */
void rename_undo(const struct filing *g, struct act *a, struct folders *touched);
/* Moves the companions that lie beside from to beside to; one that cannot be moved stays. */
void rename_companions(const struct act *a, int from_folder, const char *from, int to_folder,
                       const char *to);
/* Sets doc.path and doc.stamp for a document that lies under a->to with the stamp st. */
void rename_fill_doc(struct act *a, const struct doc_stamp *st);

#endif
