#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *e, int number, const char *fmt, ...)
{
    va_list ap;

    e->number = number;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return -1;
}

int error_prefix(struct error *e, const char *fmt, ...)
{
    char old[sizeof e->text];
    va_list ap;
    int n;

    memcpy(old, e->text, sizeof old);
    va_start(ap, fmt);
    n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - (size_t)n, ": %.*s",
                 (int)(sizeof e->text - (size_t)n) - 3, old);
    return -1;
}

const char *error_why(int number)
{
    static _Thread_local char buf[96];

    return number == EXDEV ? "on another disk (a mounted file system)"
                           : strerror_r(number, buf, sizeof buf);
}

const char *error_text(const struct error *e)
{
    static _Thread_local char buf[sizeof e->text + 128];

    if (!e->number)
        return e->text;
    snprintf(buf, sizeof buf, "%s: %s", e->text, error_why(e->number));
    return buf;
}

enum severity error_severity(const struct error *e)
{
    switch (e->number) {
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ETXTBSY:
    case ENOENT:
    case ESTALE:
    case EMFILE:
    case ENFILE:
        return SEVERITY_RETRY;
    case EIO:
    case ENOSPC:
    case EDQUOT:
    case EROFS:
        return SEVERITY_STOP;
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
        return SEVERITY_CASE;
    default:
        return SEVERITY_DOCUMENT;
    }
}
