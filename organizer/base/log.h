/*
 * log: one line an event, `message key=value …`, to stderr or (with priorities) to journald.
 *
 * Written by who decides (style rule 8), never by modules. Values are escaped so that no name
 * can forge a line. Keys are plain words.
 */
#ifndef ORGANIZER_BASE_LOG_H
#define ORGANIZER_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DETAIL };

struct log {
    bool journald;       /* put <N> priorities before each line (sd-daemon(3)) */
    enum log_level most; /* lines above this level are not written */
};

/* key/value pairs as strings, ended by NULL: log_line(l, LOG_NOTICE, "filed", "from", a, NULL) */
void log_line(const struct log *l, enum log_level level, const char *message, ...)
    __attribute__((sentinel));

#endif
