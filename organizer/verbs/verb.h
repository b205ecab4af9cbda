/*
 * verb: the command line as a table (style rule 13). Help comes from the table, exit codes from
 * base/exit.h. A verb writes to call->out; main checks that standard output took it all.
 */
#ifndef ORGANIZER_VERBS_VERB_H
#define ORGANIZER_VERBS_VERB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

/* Which options a verb takes. */
enum verb_option {
    VERB_JSON = 1,
    VERB_DRY_RUN = 2,
    VERB_CABINET = 4,  /* --cabinet FOLDER: where to look instead of the current folder */
    VERB_LAST = 8,     /* --last N */
    VERB_SINCE = 16,   /* --since TIME */
    VERB_ALL = 32,     /* --all */
    VERB_OUTPUT = 64,  /* --output FILE */
    VERB_VERBOSE = 128, /* --verbose */
    VERB_FORCE = 256,   /* --force */
    VERB_FAST = 512,    /* --fast */
    VERB_TO = 1024,     /* --to FOLDER */
    VERB_AS_CASE = 2048, /* --as-case */
    VERB_OWN = 1 << 30  /* the verb reads its options itself: args are all that was typed */
};

struct survey;
struct talk_reply;
struct talk_request;

/* One call of a verb. */
struct verb_call {
    const struct env *env;
    struct log log;
    const char *const *args; /* positional, NULL-terminated */
    int argc;
    bool json, dry_run, all, verbose, force, fast, as_case;
    int64_t last;       /* 0: not given */
    const char *since;  /* NULL: not given */
    const char *output; /* NULL: not given */
    const char *to;     /* NULL: not given */
    const char *cabinet;
    /* Does what the daemon was to be asked for, where none runs; NULL: this program cannot. */
    int (*here)(struct verb_call *call, const char *cabinet, const char *verb,
                const char *const *args);
    struct str out;     /* for standard output */
    int lost;           /* errno of a failed write to standard output */
    struct error error; /* when the verb returns EXIT_CANNOT or EXIT_USAGE: said on standard error */
};

struct verb {
    const char *name;
    const char *args;  /* "[CABINET]" */
    const char *brief; /* one line */
    unsigned options;  /* enum verb_option */
    int min_args, max_args; /* max -1: any number */
    int (*run)(struct verb_call *call);
};

/* NULL-named entry ends it. */
extern const struct verb verbs[];

/* What a verb returns, instead of an exit status, when no daemon runs and call->here is NULL. */
#define VERB_NOT_HERE (-1)

/* Runs `organizer ARGV…`; returns the exit status. */
int verb_main(int argc, char **argv, const struct env *env);
/* Runs one verb; argv[0] is its name. Returns the exit status, or VERB_NOT_HERE. */
int verb_run(struct verb_call *call, const struct verb *v, int argc, char **argv);
/* For call->here: does it here, as the user of the private state, holding the lock. */
int verb_here(struct verb_call *call, const char *cabinet, const char *verb,
              const char *const *args);
/* What the daemon, or a flow of this process, answers to verb: facts for standard output, or why it
 * could not be done. Of several cases some can be done and some not: facts, too. */
void verb_take_answer(struct verb_call *call, const char *verb, int status, const char *text);
/* It may take minutes, and can tell how far it is. */
bool verb_makes_snapshots(const char *verb);
/* Writes what is in out to standard output and empties it. Returns 0, or -1 with errno, also when an
 * earlier write failed: verb_main() tells of it. */
int verb_flush(struct verb_call *call);
/* Fails with the text: sets error, returns status. */
int verb_fail(struct verb_call *call, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The cabinet of this call: --cabinet, else args[arg] when arg >= 0 and given, else upward from
 * the current folder. NULL with call->error. Caller frees. */
char *verb_cabinet(struct verb_call *call, int arg);
/* As talk_ask() (serve/talk.h), of the cabinet's daemon: in the private state, or where the daemon of
 * another user serves its group. */
int verb_talk(struct verb_call *call, const char *cabinet, const struct talk_request *r,
              struct talk_reply *reply);
/* Asks the daemon for verb, or does it here when none runs (call->here). */
int verb_ask(struct verb_call *call, const char *cabinet, const char *verb,
             const char *const *args);
/* A path that the user typed, as a path below the cabinet; NULL when it lies outside. Caller frees. */
char *verb_inside(const char *cabinet, const char *arg);

/* Tells on standard error, unless it is for programs, that there is no case yet and how one is made:
 * check and plan say nothing of a tree without any. */
void verb_say_no_case(const struct verb_call *call, const struct survey *s);

/* One for each line of the table: does what the verb says, prints, returns the exit status. */
int verb_init(struct verb_call *call);
int verb_watch(struct verb_call *call);
int verb_sweep(struct verb_call *call);
int verb_sync(struct verb_call *call);
int verb_status(struct verb_call *call);
int verb_reload(struct verb_call *call);
int verb_new(struct verb_call *call);
int verb_adopt(struct verb_call *call);
int verb_close(struct verb_call *call);
int verb_reopen(struct verb_call *call);
int verb_archive(struct verb_call *call);
int verb_retire(struct verb_call *call);
int verb_nightly(struct verb_call *call);
int verb_check(struct verb_call *call);
int verb_explain(struct verb_call *call);
int verb_plan(struct verb_call *call);
int verb_apply(struct verb_call *call);
int verb_log(struct verb_call *call);
int verb_undo(struct verb_call *call);
int verb_verify(struct verb_call *call);
/* verb_verify() for cases alone. */
int verb_verify_cases(struct verb_call *call);
int verb_list(struct verb_call *call);
int verb_diff(struct verb_call *call);
int verb_restore(struct verb_call *call);
int verb_find(struct verb_call *call);
int verb_rules(struct verb_call *call);
int verb_help(struct verb_call *call);
int verb_version(struct verb_call *call);

#endif
