/*
 * error: why something did not work, and who goes on.
 *
 * A function that can fail takes a struct error * as its last argument, returns 0 or a value on
 * success and -1 (or NULL) on failure with the error filled in. Who decides what follows writes
 * the one log line; modules never print. The struct error * is never NULL.
 */
#ifndef ORGANIZER_BASE_ERROR_H
#define ORGANIZER_BASE_ERROR_H

/* Who goes on after an error (style rule 7). */
enum severity {
    SEVERITY_RETRY,    /* passing: try this document again later */
    SEVERITY_DOCUMENT, /* this document is left where it is and listed */
    SEVERITY_CASE,     /* this case is left alone until the next sweep */
    SEVERITY_STOP,     /* the disk or the program is in doubt: stop filing, say so */
};

struct error {
    int number;     /* errno, or 0 when no system call failed */
    char text[400]; /* what happened and what to do, for a person; without the errno's text */
};

#define ERROR_INIT {0, ""}

/* Fills e and returns -1. number may be 0. */
int error_set(struct error *e, int number, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text and returns -1. */
int error_prefix(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text with the errno's own text behind it, in a static thread-local buffer. */
const char *error_text(const struct error *e);
/* What an errno means in a cabinet, thread-local: strerror(3), but EXDEV in plain words. */
const char *error_why(int number);
/* The one place that decides who goes on. */
enum severity error_severity(const struct error *e);

#endif
