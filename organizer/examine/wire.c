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
        char room[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t r;

    if (n_fd > 0) {
        memset(&control, 0, sizeof control);
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

int wire_receive(int sock, void *record, size_t n, int *fd)
{
    return receive_with(sock, record, n, fd, 1);
}

int wire_receive_two(int sock, void *record, size_t n, int fd[2])
{
    return receive_with(sock, record, n, fd, 2);
}
