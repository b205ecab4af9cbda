#include "file/refuse.h"

#include <errno.h>

enum act_status refuse_status(int number)
{
    struct error e = {.number = number};

    if (number == ENOENT || number == ESTALE)
        return ACT_GONE;
    switch (error_severity(&e)) {
    case SEVERITY_STOP:
        return ACT_STOPPED;
    case SEVERITY_RETRY:
        return ACT_BUSY;
    default:
        return ACT_REFUSED;
    }
}

int refuse(struct act *a, int number, const char *what)
{
    a->status = refuse_status(number);
    return error_set(&a->error, number, "%s", what);
}
