#include "file/act.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

struct act *act_new(enum act_kind kind)
{
    struct act *a = xcalloc(1, sizeof *a);

    a->kind = kind;
    a->fd = -1;
    return a;
}

void act_free(struct act *a)
{
    if (!a)
        return;
    if (a->fd >= 0)
        close(a->fd);
    for (char **c = a->companions; c && *c; c++)
        free(*c);
    free(a->companions);
    free(a->from);
    free(a->to_folder);
    free(a->to_name);
    free(a->case_path);
    free(a->former);
    free(a->to);
    doc_clear(&a->doc);
    case_row_clear(&a->row);
    str_clear(&a->journal);
    free(a);
}
