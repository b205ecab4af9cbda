/*
 * flow_cabinet: an empty cabinet in a temporary folder, its private state beside it, for tests of the
 * flow.
 */
#ifndef TESTS_UNIT_FLOW_CABINET_H
#define TESTS_UNIT_FLOW_CABINET_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/error.h"
#include "cabinet/cabinet.h"
#include "remove_tree.h"

static char base[] = "/tmp/organizer-flow-XXXXXX";
static char path[64], state_home[64];
static struct env env;

static int make_cabinet(void **state)
{
    struct init_result r;
    struct error err = ERROR_INIT;

    (void)state;
    memcpy(base + strlen(base) - 6, "XXXXXX", 6);
    if (!mkdtemp(base))
        return -1;
    snprintf(path, sizeof path, "%s/Matters", base);
    snprintf(state_home, sizeof state_home, "%s/state", base);
    setenv("STATE_DIRECTORY", state_home, 1);
    setenv("ORGANIZER_RULES", "rules", 0);
    return env_init(&env, &err) < 0 || cabinet_init(path, &env, &r, &err) < 0 ? -1 : 0;
}

static int remove_cabinet(void **state)
{
    (void)state;
    env_clear(&env);
    return remove_tree(base);
}

#endif
