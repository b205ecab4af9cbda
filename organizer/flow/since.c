#include "flow/since.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

char *since_of_folders(struct cabinet *c, struct state *s, const struct env *env)
{
    AUTO_FREE char *known = NULL;
    size_t n = strlen(c->place);

    if (!c->elsewhere)
        return NULL;
    known = s ? state_get(s, SINCE_KEY) : NULL;
    if (known && strncmp(known, c->place, n) == 0 && known[n] == ' ') {
        c->folders_ns = strtoll(known + n + 1, NULL, 10);
        return NULL;
    }
    c->folders_ns = env_disk_now(env);
    return xasprintf("%s %lld", c->place, (long long)c->folders_ns);
}
