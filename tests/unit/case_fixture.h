/*
 * A fresh cabinet in a temporary folder, with a small vocabulary and language of its own, for the
 * tests of cards and cases. Group setup fixture_make(), group teardown fixture_remove(); between
 * tests fixture_empty() clears the cabinet.
 */
#ifndef ORGANIZER_TEST_CASE_FIXTURE_H
#define ORGANIZER_TEST_CASE_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "decide/lang.h"
#include "decide/rules.h"
#include "remove_tree.h"

static char fixture_path[64]; /* holds rules/, en.yaml, and Matters/, the cabinet */
static struct rules *fixture_rules;
static struct lang *fixture_lang;

static inline int fixture_put(const char *name, const char *text)
{
    char path[512];
    FILE *f;
    int rc;

    snprintf(path, sizeof path, "%s/%s", fixture_path, name);
    f = fopen(path, "w");
    if (!f)
        return -1;
    rc = fputs(text, f);
    return fclose(f) == 0 && rc >= 0 ? 0 : -1;
}

static inline int fixture_folder(const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", fixture_path, name);
    return mkdir(path, 0755);
}

static const char fixture_types[] = "case_types:\n"
                                    "  - { name: PersonalInjury, aliases: [PI], meaning: Injury / person }\n"
                                    "  - { name: Divorce, aliases: [Family] }\n"
                                    "  - { name: Tax }\n"
                                    "  - { name: DUI }\n"
                                    "  - { name: General }\n"
                                    "  - { name: Contract }\n"
                                    "  - { name: RealEstate }\n";

static const char fixture_sentences[] =
    "month.long: [January, February, March, April, May, June, July, August, September, October,"
    " November, December]\n"
    "month.short: [Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec]\n"
    "folder.everyday: [tax, general, contract, old, new, templates, sample, office]\n"
    "card.binary: 'card.binary'\n"
    "card.too-large: 'card.too-large'\n"
    "card.not-a-file: 'card.not-a-file'\n"
    "card.unreadable: 'card.unreadable'\n"
    "card.unread: 'card.unread'\n"
    "card.line: 'card.line {value}'\n"
    "card.twice: 'card.twice {field} {value}'\n"
    "card.field-near: 'card.field-near {field} {want}'\n"
    "card.choice: 'card.choice {field} {value} {want}'\n"
    "card.date: 'card.date {field} {value} {want}'\n"
    "card.date-ambiguous: 'card.date-ambiguous {field} {value} {want}'\n"
    "card.id: 'card.id {value}'\n"
    "card.foreign-id: 'card.foreign-id {value} {want}'\n"
    "card.no-client: 'card.no-client {value}'\n"
    "card.case-type: 'card.case-type {value}'\n"
    "card.case-type-near: 'card.case-type-near {value} {want}'\n";

static const char *const fixture_blank[] = {"rules/as-is.yaml", "rules/noise.yaml",
                                            "rules/ignored.yaml", "rules/markings.yaml"};

static const char fixture_convention[] =
    "conventions:\n"
    "  - pattern: '^(?<client>[^_]+)_(?<case_type>[^_]+)_(?<type>[^_-]+)(-(?<words>[^_]+))?"
    "_(?<date>[0-9-]{10})(_(?<serial>[0-9]+))?(\\.(?<ext>[a-z0-9]+))?$'\n"
    "    template: '{client}_{case_type}_{type}[-{words}]_{date}[_{serial}][.{ext}]'\n";

static const char fixture_motions[] =
    "folder: Motions\ntypes:\n"
    "  - { type: Motion, words: [mtn], examples: { mtn to stay: Motion, letter: none } }\n";

static inline int fixture_load(void)
{
    struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct error err = ERROR_INIT;
    char path[128];

    snprintf(path, sizeof path, "%s/en.yaml", fixture_path);
    fixture_lang = lang_load(path, &err);
    snprintf(path, sizeof path, "%s/rules", fixture_path);
    fixture_rules = fixture_lang ? rules_load(path, -1, fixture_lang, &p) : NULL;
    if (!fixture_rules)
        fprintf(stderr, "%s\n%s\n", err.text, str_c(&text));
    str_clear(&text);
    return fixture_rules ? 0 : -1;
}

static inline int fixture_make(void **state)
{
    (void)state;
    snprintf(fixture_path, sizeof fixture_path, "/tmp/organizer-case-XXXXXX");
    if (!mkdtemp(fixture_path) || fixture_folder("rules") < 0 ||
        fixture_folder("rules/types") < 0 || fixture_folder("Matters") < 0 ||
        fixture_put("en.yaml", fixture_sentences) < 0 ||
        fixture_put("rules/case-types.yaml", fixture_types) < 0 ||
        fixture_put("rules/types/motions.yaml", fixture_motions) < 0 ||
        fixture_put("rules/conventions.yaml", fixture_convention) < 0)
        return -1;
    for (size_t i = 0; i < sizeof fixture_blank / sizeof *fixture_blank; i++)
        if (fixture_put(fixture_blank[i], "# nothing\n") < 0)
            return -1;
    return fixture_load();
}

static inline int fixture_empty(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/Matters", fixture_path);
    return remove_tree(path) < 0 ||
                   fixture_folder("Matters") < 0
               ? -1
               : 0;
}

static inline int fixture_remove(void **state)
{
    (void)state;
    rules_free(fixture_rules);
    lang_free(fixture_lang);
    return remove_tree(fixture_path);
}

#endif
