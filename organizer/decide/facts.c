#include "decide/facts.h"

const struct content *facts_content(const struct facts *f)
{
    if (!f->content && f->content_missed)
        *f->content_missed = true;
    return f->content;
}
