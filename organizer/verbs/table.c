/* table: the verbs, their options, and the way from argv to one of them. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/utf8.h"
#include "cabinet/cabinet.h"
#include "verbs/verb.h"

#ifndef ORGANIZER_VERSION
#define ORGANIZER_VERSION "0.1"
#endif

const struct verb verbs[] = {
    {"init", "[FOLDER]", "make a cabinet; what is there already is only recorded", VERB_JSON, 0, 1,
     verb_init},
    {"watch", "[CABINET]", "the daemon: watch, name, file, record, until it is told to stop",
     VERB_VERBOSE | VERB_CABINET, 0, 1, verb_watch},
    {"sweep", "[CABINET]", "look at everything once and file what is to be filed",
     VERB_JSON | VERB_CABINET | VERB_VERBOSE, 0, 1, verb_sweep},
    {"sync", "[CABINET]", "wait until what was dropped is filed, listed, or waited for",
     VERB_JSON | VERB_CABINET, 0, 1, verb_sync},
    {"status", "[CABINET]", "what the daemon is doing", VERB_JSON | VERB_CABINET, 0, 1,
     verb_status},
    {"reload", "[CABINET]", "read configuration and rules again", VERB_CABINET, 0, 1, verb_reload},
    {"new", "CLIENT CASETYPE [FOLDER-NAME]", "open a case: its folder and its card",
     VERB_CABINET | VERB_DRY_RUN, 2, 3, verb_new},
    {"adopt", "FOLDER [CLIENT CASETYPE]",
     "make a case of a folder that was there; accept a restored journal",
     VERB_CABINET | VERB_DRY_RUN, 1, 3, verb_adopt},
    {"close", "CASE", "close a case, or tell what speaks against it (--force: all the same)",
     VERB_CABINET | VERB_DRY_RUN | VERB_JSON | VERB_FORCE, 1, 1, verb_close},
    {"reopen", "CASE", "a closed case is open again", VERB_CABINET | VERB_DRY_RUN | VERB_JSON, 1, 1,
     verb_reopen},
    {"archive", "[CASE…]", "make snapshots: of these cases, or of all closed ones that changed",
     VERB_CABINET | VERB_DRY_RUN | VERB_JSON, 0, -1, verb_archive},
    {"retire", "CASE", "move a closed case whose archive is in order to the folder Closed",
     VERB_CABINET | VERB_DRY_RUN | VERB_JSON, 1, 1, verb_retire},
    {"nightly", "[CABINET]", "a night's work now: sweep, verify, archive, report",
     VERB_CABINET | VERB_DRY_RUN | VERB_JSON | VERB_VERBOSE, 0, 1, verb_nightly},
    {"check", "[PATH…]", "what needs attention; exit 1 when something does",
     VERB_JSON | VERB_CABINET, 0, -1, verb_check},
    {"explain", "PATH…", "what would become of a document, and why", VERB_JSON | VERB_CABINET, 1,
     -1, verb_explain},
    {"plan", "[PATH…]", "write the renamings that the rules suggest to a CSV file for review",
     VERB_CABINET | VERB_OUTPUT | VERB_JSON, 0, -1, verb_plan},
    {"apply", "PLAN.csv", "do what was reviewed in the plan, and still is so",
     VERB_CABINET | VERB_DRY_RUN, 1, 1, verb_apply},
    {"log", "[CASE|DOCUMENT]", "what happened, newest last",
     VERB_JSON | VERB_CABINET | VERB_LAST | VERB_SINCE, 0, 1, verb_log},
    {"undo", "CASE|DOCUMENT", "take filing back: one document, --last N, --since TIME, --all",
     VERB_CABINET | VERB_LAST | VERB_SINCE | VERB_ALL | VERB_DRY_RUN, 0, 1, verb_undo},
    {"verify", "[CASE|ARCHIVE|BAG…]",
     "compare cases with what was recorded, archives and bags with their manifests",
     VERB_JSON | VERB_CABINET | VERB_ALL | VERB_FAST, 0, -1, verb_verify},
    {"list", "ARCHIVE", "the documents in an archive, with size, date and digest", VERB_JSON, 1, 1,
     verb_list},
    {"diff", "ARCHIVE CASE", "how a case differs from an archive of it; exit 1 when it does",
     VERB_JSON | VERB_CABINET, 2, 2, verb_diff},
    {"restore", "ARCHIVE [NAME…]", "documents out of an archive, into a new folder",
     VERB_JSON | VERB_CABINET | VERB_DRY_RUN | VERB_TO | VERB_AS_CASE, 1, -1, verb_restore},
    {"find", "WORDS…", "documents by what they say; also --client, --case, --type, --since …",
     VERB_OWN, 0, -1, verb_find},
    {"rules", "check|test|list [CABINET]", "check, test or list the rules",
     VERB_JSON | VERB_CABINET, 1, 2, verb_rules},
    {"help", "[VERB]", "this text, or a verb's", 0, 0, 1, verb_help},
    {"version", "", "print the version", 0, 0, 0, verb_version},
    {NULL, NULL, NULL, 0, 0, 0, NULL},
};

static const struct verb *find_verb(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

int verb_main(int argc, char **argv, const struct env *env)
{
    const struct verb *v = argc > 1 ? find_verb(argv[1]) : find_verb("help");
    struct verb_call call = {.env = env,
                             .log = {.journald = env->journald, .most = LOG_NOTICE},
                             .here = verb_here};

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        v = find_verb("help");
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        v = find_verb("version");
    if (!v) {
        fprintf(stderr, "organizer: there is no verb \"%s\"; organizer help lists them\n",
                argv[1]);
        return EXIT_USAGE;
    }
    return verb_run(&call, v, argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
}

int verb_help(struct verb_call *call)
{
    const struct verb *one = call->argc ? find_verb(call->args[0]) : NULL;

    if (call->argc && !one)
        return verb_fail(call, EXIT_USAGE, "there is no verb \"%s\"; organizer help lists them",
                         call->args[0]);
    if (one) {
        str_addf(&call->out, "organizer %s %s\n    %s\n", one->name, one->args, one->brief);
        return EXIT_ORDER;
    }
    str_add(&call->out, "organizer names, files and proves the documents of a law office.\n\n");
    for (const struct verb *v = verbs; v->name; v++)
        /* printf() counts bytes; people count characters. */
        str_addf(&call->out, "  organizer %-8s %s%*s %s\n", v->name, v->args,
                 30 - (int)utf8_count(v->args, strlen(v->args)), "", v->brief);
    str_add(&call->out,
            "\nThe cabinet is found upward from where you stand, or given: -C FOLDER.\n"
            "Exit status: 0 in order, 1 something needs attention, 2 usage, 3 could not do it.\n"
            "More: man organizer, man organizer.yaml, man organizer-rules\n");
    return EXIT_ORDER;
}

int verb_version(struct verb_call *call)
{
    str_add(&call->out, "organizer " ORGANIZER_VERSION "\n");
    return EXIT_ORDER;
}
