/*
 * progress: how far a long act is, on standard error when that is a terminal, from its second
 * second on; one line that is overwritten, and gone at the end.
 */
#ifndef ORGANIZER_VERBS_PROGRESS_H
#define ORGANIZER_VERBS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    int64_t start_ns, next_ns;
    bool on;    /* a terminal */
    bool shown; /* something stands there */
};

/* Nothing is shown yet. */
void progress_start(struct progress *p);
/* what (a name; shown as it is safe) is bytes far, of so many (0: nobody knows). Cheap: most calls
 * only look at the clock. */
void progress_show(struct progress *p, const char *what, uint64_t bytes, uint64_t of);
/* Wipes the line, before something else is printed or at the end. */
void progress_wipe(struct progress *p);

struct str;
/* "1.4 GB", in decimal as file managers count. */
void bytes_text(struct str *out, uint64_t bytes);

#endif
