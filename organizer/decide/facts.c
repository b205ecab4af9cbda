#include "decide/facts.h"

#include <string.h>

static const char *const date_sources[DATE_SOURCES] = {
    [DATE_FROM_NAME] = "name",       [DATE_FROM_DOCUMENT] = "document", [DATE_FROM_MAIL] = "mail",
    [DATE_FROM_WRITTEN] = "written", [DATE_FROM_FILED] = "filed",       [DATE_FROM_TAKEN] = "taken",
    [DATE_FROM_FILE] = "file",
};

const char *date_source_name(enum date_source s)
{
    return date_sources[s];
}

int date_source_parse(const char *name)
{
    for (int i = 0; i < DATE_SOURCES; i++)
        if (strcmp(date_sources[i], name) == 0)
            return i;
    return -1;
}

const struct content *facts_content(const struct facts *f)
{
    if (!f->content && f->content_missed)
        *f->content_missed = true;
    return f->content;
}

const struct heading *facts_heading(const struct facts *f)
{
    return facts_content(f) ? f->heading : NULL;
}

const struct content *facts_content_to_check(const struct facts *f)
{
    if (!f->content && f->content_unchecked)
        *f->content_unchecked = true;
    return f->content;
}

const struct heading *facts_heading_to_check(const struct facts *f)
{
    return facts_content_to_check(f) ? f->heading : NULL;
}
