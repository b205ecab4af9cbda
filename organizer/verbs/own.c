#include "verbs/own.h"

#include <string.h>

#include "base/io.h"
#include "cabinet/cabinet.h"
#include "publish/publish.h"
#include "record/journal.h"

bool own_is_made(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t n = strlen(JOURNAL_FOLDER);

    if (strncmp(path, JOURNAL_FOLDER, n) == 0 && (path[n] == '/' || path[n] == '\0'))
        return true;
    if (strncmp(name, IO_TEMP_PREFIX, strlen(IO_TEMP_PREFIX)) == 0)
        return true;
    return !slash && publish_is_own_name(name);
}

bool own_is_made_or_card(const char *path)
{
    return own_is_made(path) || strcmp(path, CARD_NAME) == 0;
}
