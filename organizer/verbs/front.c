/*
 * front: the program `organizer` as it is started. It asks the daemon what only the daemon is needed
 * for (finding, looking what is under way, waiting), and is over in a few milliseconds: it is small,
 * and needs none of the libraries that documents, archives and the private state need. For all else,
 * and where no daemon runs, it becomes organizer-main (main.c), which knows every verb.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/error.h"
#include "base/exit.h"
#include "verbs/verb.h"

/* Only asked for; what they look like to people stands in table.c. */
static const struct verb asked[] = {
    {"find", "", "", VERB_OWN, 0, -1, verb_find},
    {"status", "", "", VERB_JSON | VERB_CABINET, 0, 1, verb_status},
    {"sync", "", "", VERB_JSON | VERB_CABINET, 0, 1, verb_sync},
};

/* The exit status, or VERB_NOT_HERE: nothing was said or done. */
static int ask(int argc, char **argv)
{
    struct env env;
    struct error err = ERROR_INIT;
    int status = VERB_NOT_HERE;

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct verb_call call = {.env = &env};

        if (strcmp(argv[1], asked[i].name) != 0 || env_init(&env, &err) < 0)
            continue;
        status = verb_run(&call, &asked[i], argc - 1, argv + 1);
        env_clear(&env);
    }
    return status;
}

/* Beside this program as it is built, or where `make install` puts it. Returns only when it is not there. */
static void become_main(char **argv)
{
    static const char *const places[] = {"organizer-main", "../lib/organizer/organizer-main"};
    char path[PATH_MAX + 40];
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        snprintf(slash, sizeof path - (size_t)(slash - path), "/%s", places[i]);
        execv(path, argv);
        if (errno != ENOENT)
            break;
    }
}

int main(int argc, char **argv)
{
    int status;

    signal(SIGPIPE, SIG_IGN);
    status = argc > 1 ? ask(argc, argv) : VERB_NOT_HERE;
    if (status != VERB_NOT_HERE)
        return status;
    become_main(argv);
    fprintf(stderr, "organizer: organizer-main, which belongs to this program, cannot be started (%s): "
                    "install the organizer again\n", strerror(errno));
    return EXIT_CANNOT;
}
