#include "examine/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit.h"
#include "examine/reader.h"

int launch_pair(int sock[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
        return -1;
    if (fcntl(sock[0], F_SETFL, O_NONBLOCK) < 0) {
        int saved = errno;

        close(sock[0]);
        close(sock[1]);
        errno = saved;
        return -1;
    }
    return 0;
}

static int fill_actions(posix_spawn_file_actions_t *a, int sock)
{
    int r = posix_spawn_file_actions_adddup2(a, sock, WIRE_FD);

    for (int fd = 0; fd < 3 && r == 0; fd++)
        r = posix_spawn_file_actions_addopen(a, fd, "/dev/null", O_RDWR, 0);
    return r ? r : posix_spawn_file_actions_addclosefrom_np(a, WIRE_FD + 1);
}

static int fill_attributes(posix_spawnattr_t *a)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(a, &none);
    posix_spawnattr_setsigdefault(a, &all);
    /* A session of its own: an interrupt typed at a terminal is for the organizer, which then
     * ends its batch in order with its readers still there. */
    return posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                           POSIX_SPAWN_SETSID);
}

/* Returns an errno, 0 when it runs. */
static int spawn(const char *exe, const char *kind, int sock, pid_t *pid)
{
    char name[] = "organizer", option[] = "--reader", what[32];
    /* Symbols are looked up at once, not again by each child of the parsers: see text/warm.h. */
    char now[] = "LD_BIND_NOW=1", *argv[] = {name, option, what, NULL};
    char *envp[] = {strcmp(kind, "parsers") == 0 ? now : NULL, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r;

    strncpy(what, kind, sizeof what - 1);
    what[sizeof what - 1] = '\0';
    if ((r = posix_spawn_file_actions_init(&actions)))
        return r;
    if ((r = posix_spawnattr_init(&attributes)) == 0) {
        r = fill_actions(&actions, sock);
        if (r == 0)
            r = fill_attributes(&attributes);
        if (r == 0)
            r = posix_spawn(pid, exe, &actions, &attributes, argv, envp);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

static void become_reader(const char *kind, int sock)
{
    int null;

    if (sock != WIRE_FD && dup2(sock, WIRE_FD) < 0)
        _exit(EXIT_CANNOT);
    null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        dup2(null, fd);
    close_range(WIRE_FD + 1, ~0U, 0);
    _exit(reader_main(kind));
}

int launch_reader(const char *exe, const char *kind, const struct wire_setup *setup,
                  struct launched *out)
{
    int sock[2], r = 0;
    pid_t pid = -1;

    if (launch_pair(sock) < 0)
        return -1;
    if (exe) {
        r = spawn(exe, kind, sock[1], &pid);
    } else if ((pid = fork()) == 0) {
        become_reader(kind, sock[1]);
    } else if (pid < 0) {
        r = errno;
    }
    close(sock[1]);
    if (r == 0 && wire_send(sock[0], setup, sizeof *setup, -1, MSG_DONTWAIT) < 0) {
        r = errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    if (r) {
        close(sock[0]);
        errno = r;
        return -1;
    }
    out->pid = pid;
    out->sock = sock[0];
    return 0;
}
