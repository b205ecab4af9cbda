/* decide_world: small rules, some cases and a policy for the tests of decide(). */
#ifndef ORGANIZER_TESTS_DECIDE_WORLD_H
#define ORGANIZER_TESTS_DECIDE_WORLD_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "decide/decide.h"
#include "decide/route.h"

static const struct world_file {
    const char *path, *text;
} world_files[] = {
    {"conventions.yaml",
     "conventions:\n"
     "  - pattern: '\\A(?<client>[^_\\s][^_]*)_(?<case_type>[^_]+)_(?<type>[^_-]+)"
     "(?:-(?<words>[^_]+))?_(?<date>\\d{4}-\\d{2}-\\d{2})(?:_(?<serial>\\d{2,3}))?"
     "(?:\\.(?<ext>tar\\.gz|[A-Za-z0-9]{1,8}))?\\z'\n"
     "    template: '{client}_{case_type}_{type}[-{words}]_{date}[_{serial}][.{ext}]'\n"},
    {"case-types.yaml", "case_types:\n"
                        "  - {name: Divorce, aliases: [Family]}\n"
                        "  - {name: PersonalInjury, aliases: [PI]}\n"
                        "  - {name: Probate}\n"
                        "  - {name: Litigation}\n"
                        "  - {name: Contract}\n"
                        "  - {name: IntellectualProperty, aliases: [IP, Patent]}\n"},
    {"types/Motions.yaml", "folder: Motions\n"
                           "types:\n"
                           "  - {type: Motion, words: [motion, mtn]}\n"
                           "  - {type: MotionToDismiss, words: [motion to dismiss, mtd]}\n"
                           "  - {type: Brief, words: [brief]}\n"},
    {"types/Court Papers.yaml", "folder: Court Papers\n"
                                "types:\n"
                                "  - {type: Order, words: [order]}\n"
                                "  - {type: Judgment, words: [judgment]}\n"},
    {"types/Correspondence.yaml", "folder: Correspondence\n"
                                  "types:\n"
                                  "  - {type: Letter, words: [letter, ltr]}\n"},
    {"types/Agreements.yaml", "folder: Agreements\n"
                              "types:\n"
                              "  - {type: Will, words: [last will]}\n"
                              "  - {type: Agreement, words: [agreement, contract]}\n"},
    {"types/Discovery.yaml", "folder: Discovery\n"
                             "types:\n"
                             "  - {type: DiscoveryResponse, words: [discovery]}\n"
                             "  - {type: Interrogatories, words: [interrogatories, rogs]}\n"
                             "  - {type: DepositionTranscript, words: [deposition, depo]}\n"},
    {"types/Evidence.yaml", "folder: Evidence\n"
                            "types:\n"
                            "  - {type: Exhibit, words: [exhibit]}\n"
                            "  - {type: Photo, when: {mime: 'image/*'}}\n"},
    {"types/Case Information.yaml", "folder: Case Information\n"
                                    "types:\n"
                                    "  - {type: EngagementLetter, words: [engagement letter]}\n"},
    {"as-is.yaml", "as_is:\n"
                   "  - what: Bates numbers\n"
                   "    when: {name: '^[A-Z]{4,}\\d{6,}\\.[a-z]+$'}\n"},
    {"noise.yaml", "words:\n"
                   "  - 'scan(?:[ _-]?\\d+)?'\n"
                   "  - '(?:IMG|DSC)[ _-]?\\d{4}'\n"
                   "  - 'copy of'\n"
                   "  - 'whatsapp image'\n"
                   "patterns:\n"
                   "  - '^(?:(?:RE|FW)(?:_|(?= )) *)+'\n"
                   "  - '^DOC(?=\\d{12})'\n"
                   "  - ' ?\\(\\d{1,3}\\)'\n"},
    {"markings.yaml", "privileged:\n"
                      "  - 'privileged'\n"
                      "work product:\n"
                      "  - 'attorney work product'\n"},
    {"ignored.yaml", "ignored:\n"
                     "  groups:\n"
                     "    - {what: office locks, files: ['~$*', '*.tmp']}\n"
                     "    - {what: system, folders: ['.git']}\n"
                     "conflict_copies:\n"
                     "  patterns:\n"
                     "    - {pattern: '^(?<name>.+) \\(conflicted copy [^)]*\\)(?<ext>\\.\\w+)$',"
                     " of: '{name}{ext}'}\n"},
    {"language/en.yaml",
     "month.long: [January, February, March, April, May, June, July, August, September, October,"
     " November, December]\n"
     "month.short: [Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec]\n"
     "name.received: Received\n"
     "paper.dated: [dated, date]\n"
     "paper.day-of: [day of]\n"
     "paper.filed: [filed]\n"
     "case.restricted: a restricted matter\n"
     "reason.other-case: 'other case: {other} ({why})'\n"
     "reason.already-filed.inbox: 'the same as {other}'\n"
     "help.other-case.no-such-case: 'make a folder {other}'\n"
     "reason.which-case: 'which case?'\n"
     "reason.which-case.candidates: 'which case: {candidates}?'\n"
     "reason.which-case.no-such-case: 'no case {why}'\n"
     "reason.which-case.did-you-mean: 'no case {why}; did you mean {candidates}?'\n"
     "help.which-case: 'put the case before the name'\n"
     "reason.unknown-type: 'what is it?'\n"
     "reason.unknown-type.did-you-mean: 'did you mean {candidates}?'\n"
     "reason.two-types: 'which of {candidates}?'\n"
     "reason.no-date: 'no date in {name}'\n"
     "reason.ambiguous-date: '{why} may be {candidates}'\n"
     "reason.impossible-date: '{date} is no day'\n"
     "reason.future-date: '{date} is still to come'\n"
     "reason.two-dates: '{candidates}?'\n"
     "reason.already-filed: 'already filed as {other}'\n"
     "reason.closed-case: '{case} is closed'\n"},
};

enum {
    SMITH,
    SMITH_2024,
    JONES,
    OKAFOR,
    ABDAL,
    SINGH,
    NGUYEN,
    MUELLER,
    CHEN,
    ORDER,
    CLOSED,
    HELD,
    SECRET,
    OFF,
    EVERY,
    CASES
};

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const smith_former[] = {"Smith_Family", NULL};
static const char *const smith_dockets[] = {"2:26-cv-00123", NULL};
static const char *const smith_alone[] = {"Photos", "*.pst", NULL};
static const char *const jones_dockets[] = {"1:25-cv-00777-ABC", NULL};
static const char *const jones_parties[] = {"Allied Freight Inc", "Maria Delgado", NULL};
static const char *const okafor_parties[] = {"Globex LLC", "Whitfield, Ann", NULL};

static struct case_facts world_cases[CASES] = {
    [SMITH] = {.path = "Smith_Divorce",
               .prefix = "Smith_Divorce",
               .client = "Smith",
               .case_type = "Divorce",
               .former = smith_former,
               .dockets = smith_dockets,
               .leave_alone = smith_alone},
    [SMITH_2024] = {.path = "old/Smith_Divorce-2024",
                    .prefix = "Smith_Divorce-2024",
                    .client = "Smith",
                    .case_type = "Divorce"},
    [JONES] = {.path = "Jones_PersonalInjury",
               .prefix = "Jones_PersonalInjury",
               .client = "Jones",
               .case_type = "PersonalInjury",
               .dockets = jones_dockets,
               .matter = "2025-0042",
               .parties = jones_parties},
    [OKAFOR] = {.path = "Okafor_Litigation",
                .prefix = "Okafor_Litigation",
                .client = "Okafor",
                .case_type = "Litigation",
                .matter = "104233",
                .parties = okafor_parties},
    [ABDAL] = {.path = "Abd-al-Rahman_IntellectualProperty",
               .prefix = "Abd-al-Rahman_IntellectualProperty",
               .client = "Abd-al-Rahman",
               .case_type = "IntellectualProperty"},
    [SINGH] = {.path = "Singh_Contract",
               .prefix = "Singh_Contract",
               .client = "Singh",
               .case_type = "Contract"},
    [NGUYEN] = {.path = "Nguyễn_Probate",
                .prefix = "Nguyễn_Probate",
                .client = "Nguyễn",
                .case_type = "Probate"},
    [MUELLER] = {.path = "Müller_Litigation",
                 .prefix = "Müller_Litigation",
                 .client = "Müller",
                 .case_type = "Litigation"},
    [CHEN] = {.path = "Chen_Litigation",
              .prefix = "Chen_Litigation",
              .client = "Chen",
              .case_type = "Litigation"},
    [ORDER] = {.path = "Order_Probate",
               .prefix = "Order_Probate",
               .client = "Order",
               .case_type = "Probate"},
    [CLOSED] = {.path = "Patel_Probate",
                .prefix = "Patel_Probate",
                .client = "Patel",
                .case_type = "Probate",
                .closed = true},
    [HELD] = {.path = "Rossi_Probate",
              .prefix = "Rossi_Probate",
              .client = "Rossi",
              .case_type = "Probate",
              .hold = true},
    [SECRET] = {.path = "Kim_Divorce",
                .prefix = "Kim_Divorce",
                .client = "Kim",
                .case_type = "Divorce",
                .restricted = true},
    [OFF] = {.path = "Dubois_Probate",
             .prefix = "Dubois_Probate",
             .client = "Dubois",
             .case_type = "Probate",
             .naming = NAMING_OFF},
    [EVERY] = {.path = "Cohen_Probate",
               .prefix = "Cohen_Probate",
               .client = "Cohen",
               .case_type = "Probate",
               .naming = NAMING_EVERYWHERE},
};

static const struct case_facts *world_list[CASES];
static struct roster world_roster;
static struct rules *rules;
static struct lang *lang;
static char world_dir[] = "/tmp/decide_world.XXXXXX";
static struct policy policy;

/* What is asked of decide() and what it said; one at a time. */
static struct facts facts;
static struct decision made;

/* A PDF called name that arrived in a case's Inbox on 2026-11-23. */
static inline void a_document(const char *name, int in)
{
    decision_clear(&made);
    policy = (struct policy){.date_order = DATE_ORDER_MDY,
                             .date_from = {DATE_FROM_NAME, DATE_FROM_DOCUMENT, DATE_FROM_FILE},
                             .date_from_len = 3,
                             .drafts_s = 432000,
                             .max_path = 200,
                             .today = {2026, 11, 23}};
    facts = (struct facts){.name = name,
                           .folder = "Inbox",
                           .zone = in < 0 ? ZONE_OFFICE_INBOX : ZONE_CASE_INBOX,
                           .home = in < 0 ? NULL : &world_cases[in],
                           .roster = &world_roster,
                           .kind = KIND_PDF,
                           .size = 1000,
                           .arrived = {2026, 11, 23},
                           .new_arrival = true};
}

static inline void in_folder(const char *folder)
{
    facts.zone = ZONE_STANDARD;
    facts.folder = folder;
    facts.new_arrival = false;
}

static inline void now_decide(void)
{
    decision_clear(&made);
    decide(rules, lang, &policy, &facts, false, &made);
}

static inline void world_write(const char *path, const char *text)
{
    AUTO_FREE char *full = xasprintf("%s/%s", world_dir, path);
    FILE *f = fopen(full, "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline int world_setup(void **state)
{
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct error err = ERROR_INIT;
    AUTO_FREE char *types = NULL;
    AUTO_FREE char *language = NULL;
    AUTO_FREE char *english = NULL;

    (void)state;
    if (!mkdtemp(world_dir))
        return -1;
    types = xasprintf("%s/types", world_dir);
    language = xasprintf("%s/language", world_dir);
    english = xasprintf("%s/en.yaml", language);
    mkdir(types, 0700);
    mkdir(language, 0700);
    for (size_t i = 0; i < sizeof world_files / sizeof *world_files; i++)
        world_write(world_files[i].path, world_files[i].text);
    lang = lang_load(english, &err);
    if (!lang)
        print_error("%s\n", err.text);
    rules = lang ? rules_load(world_dir, -1, lang, &p) : NULL;
    if (!rules)
        print_error("%s", str_c(&text));
    for (size_t i = 0; i < CASES; i++)
        world_list[i] = &world_cases[i];
    world_roster = (struct roster){world_list, CASES, NULL};
    world_roster.router = router_new(&world_roster);
    return rules ? 0 : -1;
}

static inline int world_teardown(void **state)
{
    (void)state;
    decision_clear(&made);
    router_free((struct router *)(uintptr_t)world_roster.router);
    rules_free(rules);
    lang_free(lang);
    for (size_t i = sizeof world_files / sizeof *world_files; i-- > 0;) {
        AUTO_FREE char *path = xasprintf("%s/%s", world_dir, world_files[i].path);

        unlink(path);
    }
    for (size_t i = 0; i < 2; i++) {
        AUTO_FREE char *dir = xasprintf("%s/%s", world_dir, i ? "language" : "types");

        rmdir(dir);
    }
    rmdir(world_dir);
    return 0;
}

#endif
