#include "examine/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Sends with the first n_fd of the descriptors. */
static int send_with(int sock, const void *record, size_t n, const int *fd, size_t n_fd, int flags)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)record, .iov_len = n};
    union {
        char room[CMSG_SPACE(WIRE_MANY * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t r;

    if (n_fd > 0) {
        memset(control.room, 0, CMSG_SPACE(n_fd * sizeof *fd)); /* its padding is sent, too */
        m.msg_control = control.room;
        m.msg_controllen = CMSG_SPACE(n_fd * sizeof *fd);

        struct cmsghdr *c = &control.align; /* CMSG_FIRSTHDR(&m) */

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fd * sizeof *fd);
        memcpy(CMSG_DATA(c), fd, n_fd * sizeof *fd);
    }
    do
        r = sendmsg(sock, &m, flags | MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -1 : 0;
}

int wire_send(int sock, const void *record, size_t n, int fd, int flags)
{
    return send_with(sock, record, n, &fd, fd >= 0, flags);
}

int wire_send_many(int sock, const void *records, size_t size, const int *fds, size_t n, int flags)
{
    return send_with(sock, records, n * size, fds, n, flags);
}

int wire_send_two(int sock, const void *record, size_t n, const int fd[2], int flags)
{
    return send_with(sock, record, n, fd, 2, flags);
}

/* Takes exactly n_fd descriptors, else none. */
static int receive_with(int sock, void *record, size_t n, int *fd, size_t n_fd)
{
    struct iovec iov = {.iov_base = record, .iov_len = n};
    union {
        char room[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = CMSG_LEN(n_fd * sizeof *fd)}; /* more are closed */
    ssize_t r;

    for (size_t i = 0; i < n_fd; i++)
        fd[i] = -1;
    do
        r = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return -1;

    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int got[2] = {-1, -1};

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len >= CMSG_LEN(sizeof *fd) && c->cmsg_len <= CMSG_LEN(sizeof got))
        memcpy(got, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    if (c && c->cmsg_len >= CMSG_LEN(n_fd * sizeof *fd)) {
        memcpy(fd, got, n_fd * sizeof *fd);
        return (int)r;
    }
    for (size_t i = 0; i < 2; i++)
        if (got[i] >= 0)
            close(got[i]);
    return (int)r;
}

/* What came with the message, at most WIRE_MANY; the kernel closes more. */
static size_t descriptors(struct msghdr *m, int fds[WIRE_MANY])
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    size_t n = 0;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len >= CMSG_LEN(sizeof(int)) && c->cmsg_len <= CMSG_LEN(WIRE_MANY * sizeof(int))) {
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    }
    return n;
}

int wire_receive_many(int sock, void *records, size_t size, int fds[WIRE_MANY])
{
    struct iovec iov = {.iov_base = records, .iov_len = WIRE_MANY * size};
    union {
        char room[CMSG_SPACE(WIRE_MANY * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    size_t n, got;
    ssize_t r;

    do
        r = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (r < 0 && errno == EINTR);
    if (r <= 0)
        return (int)r;
    fds[0] = -1;
    n = (size_t)r / size;
    got = descriptors(&m, fds);
    if ((size_t)r == n * size && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
        (got == n || (n == 1 && got == 0)))
        return (int)n;
    for (size_t i = 0; i < got; i++)
        close(fds[i]);
    errno = 0;
    return -1;
}

int wire_receive(int sock, void *record, size_t n, int *fd)
{
    return receive_with(sock, record, n, fd, 1);
}

int wire_receive_two(int sock, void *record, size_t n, int fd[2])
{
    return receive_with(sock, record, n, fd, 2);
}
