#include "file/act.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

struct act *act_new(enum act_kind kind)
{
    struct act *a = xcalloc(1, sizeof *a);

    a->kind = kind;
    a->fd = -1;
    return a;
}

bool act_moves_case(const struct act *a)
{
    return a->kind == ACT_FOLDER && a->case_path && *a->case_path &&
           strcmp(a->from, a->case_path) == 0;
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
    free(a->unseen);
    doc_clear(&a->doc);
    case_row_clear(&a->row);
    str_clear(&a->journal);
    free(a);
}

struct act *act_again(struct act *a)
{
    struct act *n = xcalloc(1, sizeof *n);

    *n = *a;
    n->fd = -1;
    n->to = NULL;
    n->unseen = NULL;
    n->next = NULL;
    n->status = ACT_PENDING;
    n->error = (struct error)ERROR_INIT;
    a->from = a->to_folder = a->to_name = a->case_path = a->former = NULL;
    a->companions = NULL;
    a->doc = (struct doc){0};
    a->row = (struct case_row){0};
    a->journal = (struct str)STR_INIT;
    return n;
}
