#include "file/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/io.h"

static enum lease set(int fd, int type)
{
    if (fcntl(fd, F_SETLEASE, type) == 0)
        return LEASE_GRANTED;
    return errno == EAGAIN || errno == EBUSY ? LEASE_BUSY : LEASE_NONE;
}

enum lease lease_ask_read(int fd)
{
    enum lease l = set(fd, F_RDLCK);

    if (l == LEASE_GRANTED)
        lease_drop(fd);
    return l;
}

int lease_ask_in(int dir, const char *name)
{
    AUTO_CLOSE int fd =
        openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        return lease_ask_read(fd) == LEASE_BUSY;
    /* Or somebody else asks the kernel just now. */
    if (errno == EAGAIN)
        return 1;
    return io_is_lasting(errno) ? 0 : -1;
}

enum lease lease_take(int fd)
{
    return set(fd, F_WRLCK);
}

void lease_drop(int fd)
{
    /* It fails only when the kernel took the lease away already. */
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
}

void lease_block_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}
