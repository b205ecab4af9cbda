/*
 * table: hash tables (uthash), which end the program as all else does when there is no memory
 * (base/alloc.h). By themselves they leave with exit(-1), and say nothing.
 */
#ifndef ORGANIZER_BASE_TABLE_H
#define ORGANIZER_BASE_TABLE_H

#include "base/alloc.h"

#define uthash_malloc(n) xmalloc(n)
#include <uthash.h>

#endif
