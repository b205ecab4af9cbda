/* verify_internal: what verify.c and verify_tree.c share. Nobody else includes it. */
#ifndef ORGANIZER_RECORD_VERIFY_INTERNAL_H
#define ORGANIZER_RECORD_VERIFY_INTERNAL_H

#include "record/history.h"
#include "record/verify.h"

/* What a row said when the picture was taken. */
struct verify_row {
    int64_t number;
    enum doc_state state;
    struct digest digest;
    char *path;
};

struct verify {
    const struct verify_options *o;
    struct verify_counts *counts;
    int case_fd;
    struct verify_row *rows; /* with a file, in path order */
    size_t len, cap;
    int64_t size; /* of the journal, before the picture was taken */
    struct history_decided decided; /* then */
};

/* Counts the finding and tells it. */
void verify_tell(struct verify *v, const struct verify_finding *f);
/* The documents on disk against the rows. 0 or -1. */
int verify_documents(struct verify *v, struct error *err);

#endif
