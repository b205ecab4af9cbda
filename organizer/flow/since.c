#include "flow/since.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

char *since_of_folders(struct cabinet *c, struct state *s, const struct env *env)
{
    AUTO_FREE char *known = NULL;
    size_t n = strlen(c->place);
    struct error err = ERROR_INIT;
    int found;

    if (!c->elsewhere)
        return NULL;
    found = s ? state_find(s, SINCE_KEY, &known, &err) : 0;
    if (found > 0 && strncmp(known, c->place, n) == 0 && known[n] == ' ') {
        c->folders_ns = strtoll(known + n + 1, NULL, 10);
        return NULL;
    }
    c->folders_ns = env_disk_now(env);
    /* What cannot be read is not replaced: the next start may read it. */
    if (found < 0)
        return NULL;
    return xasprintf("%s %lld", c->place, (long long)c->folders_ns);
}
