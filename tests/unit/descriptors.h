/* What this process has open. */
#ifndef ORGANIZER_TEST_DESCRIPTORS_H
#define ORGANIZER_TEST_DESCRIPTORS_H

#include <dirent.h>

/* How many, with two names and the descriptor of the look itself: for comparison. */
static inline unsigned open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

#endif
