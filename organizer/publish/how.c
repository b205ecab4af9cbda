/* How this works.html: half a page for who opens the share for the first time. */
#include <stdio.h>

#include "base/alloc.h"
#include "publish/html.h"
#include "publish/page.h"

#define STEPS 6

void page_how(struct str *out, const struct publish_job *job)
{
    const struct lang *lang = job->lang;

    html_begin(out, lang, lang_get(lang, "page.how.title"), "");
    str_add(out, "<header class=\"how\">\n<p class=\"up\"><a href=\"./Index.html\">");
    html_text(out, lang_get(lang, "page.all-cases"));
    str_add(out, "</a></p>\n");
    say(out, lang, "h1", NULL, "page.how.title");
    str_add(out, "</header>\n<main class=\"how\"><section>\n");
    say(out, lang, "p", "plain", job->suggest ? "page.how.suggest" : "page.how.intro");
    str_add(out, "<ul>\n");
    for (int i = 1; i <= STEPS; i++) {
        char key[32];

        snprintf(key, sizeof key, "page.how.%d", i);
        say(out, lang, "li", NULL, key);
    }
    str_add(out, "</ul>\n");
    say(out, lang, "p", "plain", "page.how.safe");
    str_add(out, "</section></main>\n");
    html_end(out);
}
