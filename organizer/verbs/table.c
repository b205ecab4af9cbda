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

enum { OPT_DRY_RUN = 256, OPT_CABINET, OPT_LAST, OPT_SINCE, OPT_ALL, OPT_OUTPUT, OPT_JSON, OPT_FORCE,
       OPT_FAST, OPT_TO, OPT_AS_CASE };

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPT_JSON},       {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"cabinet", required_argument, NULL, 'C'},   {"last", required_argument, NULL, OPT_LAST},
    {"since", required_argument, NULL, OPT_SINCE}, {"all", no_argument, NULL, OPT_ALL},
    {"output", required_argument, NULL, 'o'},    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},            {"force", no_argument, NULL, OPT_FORCE},
    {"fast", no_argument, NULL, OPT_FAST},       {"to", required_argument, NULL, OPT_TO},
    {"as-case", no_argument, NULL, OPT_AS_CASE}, {NULL, 0, NULL, 0},
};

/* The enum verb_option that an option of getopt is. */
static unsigned option_bit(int opt)
{
    switch (opt) {
    case OPT_JSON:
        return VERB_JSON;
    case OPT_DRY_RUN:
        return VERB_DRY_RUN;
    case 'C':
        return VERB_CABINET;
    case OPT_LAST:
        return VERB_LAST;
    case OPT_SINCE:
        return VERB_SINCE;
    case OPT_ALL:
        return VERB_ALL;
    case 'o':
        return VERB_OUTPUT;
    case 'v':
        return VERB_VERBOSE;
    case OPT_FORCE:
        return VERB_FORCE;
    case OPT_FAST:
        return VERB_FAST;
    case OPT_TO:
        return VERB_TO;
    case OPT_AS_CASE:
        return VERB_AS_CASE;
    default:
        return 0;
    }
}

int verb_fail(struct verb_call *call, int status, const char *fmt, ...)
{
    va_list ap;

    call->error.number = 0;
    va_start(ap, fmt);
    vsnprintf(call->error.text, sizeof call->error.text, fmt, ap);
    va_end(ap);
    return status;
}

int verb_flush(struct verb_call *call)
{
    /* What could not be written is not made good by what can be, later. */
    if (!call->lost && call->out.len &&
        io_write_all(STDOUT_FILENO, call->out.s, call->out.len) < 0)
        call->lost = errno;
    str_reset(&call->out);
    errno = call->lost;
    return call->lost ? -1 : 0;
}

static const struct verb *find_verb(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

static int usage(const struct verb *v)
{
    fprintf(stderr, "usage: organizer %s %s\n  %s\n", v->name, v->args, v->brief);
    return EXIT_USAGE;
}

static int take_option(struct verb_call *call, int opt)
{
    char *end;

    switch (opt) {
    case OPT_JSON:
        call->json = true;
        return 0;
    case OPT_DRY_RUN:
        call->dry_run = true;
        return 0;
    case 'C':
        call->cabinet = optarg;
        return 0;
    case OPT_LAST:
        call->last = strtoll(optarg, &end, 10);
        return *end || call->last < 1 ? -1 : 0;
    case OPT_SINCE:
        call->since = optarg;
        return 0;
    case OPT_ALL:
        call->all = true;
        return 0;
    case OPT_FORCE:
        call->force = true;
        return 0;
    case OPT_FAST:
        call->fast = true;
        return 0;
    case OPT_TO:
        call->to = optarg;
        return 0;
    case OPT_AS_CASE:
        call->as_case = true;
        return 0;
    case 'o':
        call->output = optarg;
        return 0;
    default:
        call->verbose = true;
        return 0;
    }
}

/* Parses argv (behind the verb's name). Returns 0, or the exit status to leave with. */
static int parse(struct verb_call *call, const struct verb *v, int argc, char **argv)
{
    int opt;

    if (v->options & VERB_OWN) {
        call->args = (const char *const *)(argv + 1);
        call->argc = argc - 1;
        return 0;
    }
    optind = 1;
    while ((opt = getopt_long(argc, argv, "C:o:vh", long_options, NULL)) != -1) {
        if (opt == 'h') {
            usage(v);
            return -1;
        }
        if (opt == '?' || !(v->options & option_bit(opt)) || take_option(call, opt) < 0) {
            if (opt != '?')
                fprintf(stderr, "organizer %s does not take that option or value\n", v->name);
            return usage(v);
        }
    }
    call->args = (const char *const *)(argv + optind);
    call->argc = argc - optind;
    if (call->argc < v->min_args || (v->max_args >= 0 && call->argc > v->max_args))
        return usage(v);
    return 0;
}

static void say_error(const struct verb_call *call)
{
    AUTO_STR struct str line = STR_INIT;
    const char *text = error_text(&call->error);

    if (!*text)
        return;
    str_add(&line, "organizer: ");
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");

        utf8_show(&line, p, n);
        if (p[n])
            str_addc(&line, '\n');
        p += n + (p[n] == '\n');
    }
    if (line.s[line.len - 1] != '\n')
        str_addc(&line, '\n');
    if (io_write_all(STDERR_FILENO, line.s, line.len) < 0)
        return;
}

int verb_main(int argc, char **argv, const struct env *env)
{
    const struct verb *v = argc > 1 ? find_verb(argv[1]) : find_verb("help");
    struct verb_call call = {.env = env, .log = {.journald = env->journald, .most = LOG_NOTICE}};
    int status;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        v = find_verb("help");
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        v = find_verb("version");
    if (!v) {
        fprintf(stderr, "organizer: there is no verb \"%s\"; organizer help lists them\n",
                argv[1]);
        return EXIT_USAGE;
    }
    status = parse(&call, v, argc > 1 ? argc - 1 : argc, argc > 1 ? argv + 1 : argv);
    if (status)
        return status < 0 ? EXIT_ORDER : status;
    if (call.verbose)
        call.log.most = LOG_DETAIL;
    status = v->run(&call);
    if (verb_flush(&call) < 0) {
        verb_fail(&call, EXIT_CANNOT, "standard output: %s", strerror(errno));
        status = EXIT_CANNOT;
    }
    if (status >= EXIT_USAGE)
        say_error(&call);
    str_clear(&call.out);
    return status;
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

char *verb_cabinet(struct verb_call *call, int arg)
{
    const char *start = call->cabinet ? call->cabinet
                        : arg >= 0 && arg < call->argc ? call->args[arg]
                                                       : NULL;

    return cabinet_find(start, &call->error);
}

char *verb_inside(const char *cabinet, const char *arg)
{
    const char *slash = strrchr(arg, '/');
    AUTO_FREE char *dir = slash ? xmemdup0(arg, (size_t)(slash - arg) + 1) : xstrdup(".");
    AUTO_FREE char *real = realpath(dir, NULL);
    AUTO_FREE char *whole = realpath(arg, NULL);
    const char *name = slash ? slash + 1 : arg;
    AUTO_FREE char *full = NULL;
    size_t n = strlen(cabinet);

    /* A folder, "." or ".." is resolved whole; a document's own name is taken as it is. */
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        full = xstrdup(whole);
    else if (real)
        full = xasprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    if (!full || strncmp(full, cabinet, n) != 0 || (full[n] != '/' && full[n] != '\0'))
        return NULL;
    return xstrdup(full[n] == '/' ? full + n + 1 : "");
}
