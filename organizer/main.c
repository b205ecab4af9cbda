/*
 * organizer: the daemon that keeps a law office's folders in order, and the verbs to steer it.
 *
 * The map: entry functions, and the folders under each. This is the program organizer-main; what people start
 * is verbs/front.c, which asks the daemon where that is all, and else becomes this.
 *
 *   main                      here
 *   ├─ reader_main            examine/  what a sandboxed reader runs (argv[1] is "--reader")
 *   ├─ job_main               archive/  work of minutes, in a process of its own ("--job"):
 *   │  └─ snapshot_make       archive/  a case as one file: a BagIt bag in a ZIP, proved from the disk
 *   └─ verb_main              verbs/    the command line as a table
 *      ├─ server_new          serve/    the daemon's socket, by which verbs ask it
 *      ├─ flow_open           flow/     the way of a document, one file a step:
 *      │  ├─ watcher_new      watch/    inotify is a hint, the scan is the truth
 *      │  ├─ settle_ask       settle/   is it finished?
 *      │  ├─ examiner_new     examine/  what is it?
 *      │  ├─ texts_new        text/     what does it say? (read by organizer-parsers: text/parsers.c)
 *      │  ├─ decide           decide/   facts and rules in, a decision with reasons out
 *      │  ├─ filer_new        file/     the only place that renames
 *      │  ├─ state_open       record/   private state and hash-chained journals
 *      │  ├─ publish_run      publish/  the pages that people see
 *      │  ├─ search_new       search/   the catalogue of what documents say, and its thread
 *      │  ├─ matters_new      cabinet/  configuration, cards, cases
 *      │  └─ hooks_new        hooks/    executables of the administrator
 *      ├─ bag_check           archive/  bags and archives by whomever: verify, list, diff, restore
 *      ├─ find_run            search/   looking for documents
 *      ├─ survey_run          flow/     the same decisions, nothing done: check, explain, plan
 *      └─ plan_arrange        plan/     existing trees: plan, review, apply
 *
 * base/ serves all of them. Data goes one way: watch, settle, examine, decide, file, record,
 * publish.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "archive/job.h"
#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/exit.h"
#include "examine/reader.h"
#include "record/state.h"
#include "verbs/verb.h"

int main(int argc, char **argv)
{
    struct env env;
    struct error err = ERROR_INIT;
    int status;

    if (argc > 2 && strcmp(argv[1], "--reader") == 0)
        return reader_main(argv[2]);
    if (argc == 2 && strcmp(argv[1], "--job") == 0)
        return job_main();
    alloc_give_back();
    state_prepare();
    signal(SIGPIPE, SIG_IGN);
    if (env_init(&env, &err) < 0) {
        fprintf(stderr, "organizer: %s\n", error_text(&err));
        return EXIT_CANNOT;
    }
    status = verb_main(argc, argv, &env);
    env_clear(&env);
    return status;
}
