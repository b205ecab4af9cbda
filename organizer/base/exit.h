/* exit: what the exit status of every verb means (design.md section 7). */
#ifndef ORGANIZER_BASE_EXIT_H
#define ORGANIZER_BASE_EXIT_H

enum {
    EXIT_ORDER = 0,     /* in order */
    EXIT_ATTENTION = 1, /* something needs a person's attention */
    EXIT_USAGE = 2,     /* the command line is wrong */
    EXIT_CANNOT = 3,    /* it could not be done */
};

#endif
