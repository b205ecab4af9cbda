/*
 * since: from when on a folder is a new one in this cabinet.
 *
 * Only a folder that came after `init` becomes a case by its name alone, and its time of birth
 * tells that. In a tree that was copied or restored everything was born just now: what is there
 * when the organizer first meets it in its new place is as old as before.
 */
#ifndef ORGANIZER_FLOW_SINCE_H
#define ORGANIZER_FLOW_SINCE_H

#include "base/env.h"
#include "cabinet/cabinet.h"
#include "record/state.h"

/* The small value of the private state under which the place and its time are kept. */
#define SINCE_KEY "place"

/* Sets c->folders_ns of a cabinet that is not where `init` made it; s may be NULL. Returns what has
 * to be kept under SINCE_KEY now (the caller frees it), or NULL. */
char *since_of_folders(struct cabinet *c, struct state *s, const struct env *env);

#endif
