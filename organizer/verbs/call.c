/* call: what verbs have in common: their options, their output, the cabinet that they are about. */
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

/* A program that cannot do the verb without a daemon leaves all that is to be said to the one that can. */
static int usage(const struct verb_call *call, const struct verb *v)
{
    if (!call->here)
        return VERB_NOT_HERE;
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

/* Parses argv (behind the verb's name). False: leave with *status. */
static bool parse(struct verb_call *call, const struct verb *v, int argc, char **argv, int *status)
{
    int opt;

    if (v->options & VERB_OWN) {
        call->args = (const char *const *)(argv + 1);
        call->argc = argc - 1;
        return true;
    }
    optind = 1;
    opterr = call->here != NULL;
    while ((opt = getopt_long(argc, argv, "C:o:vh", long_options, NULL)) != -1) {
        if (opt != '?' && opt != 'h' && (v->options & option_bit(opt)) &&
            take_option(call, opt) == 0)
            continue;
        if (opt != '?' && opt != 'h' && call->here)
            fprintf(stderr, "organizer %s does not take that option or value\n", v->name);
        *status = usage(call, v);
        if (opt == 'h' && call->here)
            *status = EXIT_ORDER;
        return false;
    }
    call->args = (const char *const *)(argv + optind);
    call->argc = argc - optind;
    if (call->argc >= v->min_args && (v->max_args < 0 || call->argc <= v->max_args))
        return true;
    *status = usage(call, v);
    return false;
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

int verb_run(struct verb_call *call, const struct verb *v, int argc, char **argv)
{
    int status;

    if (!parse(call, v, argc, argv, &status))
        return status;
    if (call->verbose)
        call->log.most = LOG_DETAIL;
    status = v->run(call);
    if (verb_flush(call) < 0) {
        verb_fail(call, EXIT_CANNOT, "standard output: %s", strerror(errno));
        status = EXIT_CANNOT;
    }
    if (status >= EXIT_USAGE)
        say_error(call);
    str_clear(&call->out);
    return status;
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
    if (full && strncmp(full, cabinet, n) == 0 && (full[n] == '/' || full[n] == '\0'))
        return xstrdup(full[n] == '/' ? full + n + 1 : "");
    return slash && slash > arg && cabinet_lies_in(cabinet, arg) ? xstrdup(arg) : NULL;
}
