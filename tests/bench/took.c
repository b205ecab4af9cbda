/*
 * took: how long a program takes, from its start to its end.
 *
 *   took PROGRAM ARGUMENT…
 *
 * Runs it with this program's standard output and prints the milliseconds on standard error. A small
 * program that does it tells less of its own time than an interpreter would. The exit status is that of
 * PROGRAM.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int main(int argc, char **argv)
{
    struct timespec from, to;
    int status = 0;
    pid_t pid;

    if (argc < 2)
        return 127;
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (posix_spawn(&pid, argv[1], NULL, NULL, argv + 1, environ) != 0 || waitpid(pid, &status, 0) < 0)
        return 127;
    clock_gettime(CLOCK_MONOTONIC, &to);
    fprintf(stderr, "%.6f\n",
            (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}
