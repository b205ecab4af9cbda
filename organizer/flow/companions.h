/*
 * companions: files that belong to a document by their names, and would lose it if it were renamed:
 * a signature (`x.pdf` + `x.pdf.p7s`), the pictures of a saved web page (`page.html` +
 * `page_files/`). And those that go with it.
 */
#ifndef ORGANIZER_FLOW_COMPANIONS_H
#define ORGANIZER_FLOW_COMPANIONS_H

#include <stdbool.h>

/* Whether the name alone may be that of a companion. */
bool companions_is_one(const char *name);
/* Whether companions of the document at path (from root down) lie beside it. */
bool companions_beside(int root, const char *path);
/* Names of files beside the document at path that move when it does (`._x`, its resource fork on a
 * Mac), as act.companions wants them: NULL-terminated, owned by the caller; NULL when there are
 * none. */
char **companions_moving(int root, const char *path);
/* The name of the document that the file `name` signs or stamps; NULL when it is no such file.
 * Caller frees. */
char *companions_signed(const char *name);
/* Whether the folder at path holds the parts of a saved web page that lies beside it. */
bool companions_is_page_folder(int root, const char *path);

#endif
