#include "serve/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"

#define SOCKET_NAME "socket"

/* A state folder's path may be longer than sun_path: named through an open descriptor. */
static int socket_address(int dirfd, struct sockaddr_un *sun)
{
    *sun = (struct sockaddr_un){.sun_family = AF_UNIX};
    return snprintf(sun->sun_path, sizeof sun->sun_path, "/proc/self/fd/%d/" SOCKET_NAME, dirfd);
}

int talk_listen(const char *dir, struct error *err)
{
    AUTO_CLOSE int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un sun;

    if (dirfd < 0 || fd < 0) {
        error_set(err, errno, "no socket can be made in %s", dir);
        goto fail;
    }
    socket_address(dirfd, &sun);
    if (unlinkat(dirfd, SOCKET_NAME, 0) < 0 && errno != ENOENT) {
        error_set(err, errno, "the old socket in %s cannot be removed", dir);
        goto fail;
    }
    if (bind(fd, (struct sockaddr *)&sun, sizeof sun) < 0 ||
        fchmodat(dirfd, SOCKET_NAME, 0666, 0) < 0 || listen(fd, 16) < 0) {
        error_set(err, errno, "the socket in %s cannot listen", dir);
        goto fail;
    }
    return fd;
fail:
    if (fd >= 0)
        close(fd);
    return -1;
}

void talk_remove(const char *dir)
{
    AUTO_CLOSE int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dirfd >= 0 && unlinkat(dirfd, SOCKET_NAME, 0) == 0)
        (void)rmdir(dir);
}

static void write_request(struct str *line, const struct talk_request *r)
{
    str_addc(line, '{');
    json_num(line, "v", 1);
    json_text(line, "verb", r->verb);
    json_key(line, "args");
    str_addc(line, '[');
    for (size_t i = 0; r->args && r->args[i]; i++) {
        json_comma(line);
        str_addc(line, '{');
        json_name(line, "arg", r->args[i]);
        str_addc(line, '}');
    }
    str_addc(line, ']');
    json_name(line, "cwd", r->cwd ? r->cwd : "/");
    json_bool(line, "dry_run", r->dry_run);
    json_bool(line, "json", r->json);
    json_bool(line, "force", r->force);
    str_add(line, "}\n");
}

static int read_reply(int fd, struct talk_reply *reply, struct error *err)
{
    AUTO_STR struct str line = STR_INIT;
    json_error_t why;
    json_t *j;
    const char *text;

    if (io_read_all(fd, &line, 64 * TALK_LINE_MAX) < 0)
        return error_set(err, errno, "the daemon's answer cannot be read");
    j = json_loadb(str_c(&line), line.len, 0, &why);
    text = json_get_text(j, "text");
    if (!j || !text) {
        json_decref(j);
        return error_set(err, 0, "the daemon went away before it answered");
    }
    reply->status = (int)json_get_num(j, "status", 3);
    reply->refused = json_is_true(json_object_get(j, "refused"));
    str_reset(&reply->text);
    str_add(&reply->text, text);
    json_decref(j);
    return 1;
}

#define WAIT_MS 400

static void wait_for_reply(int fd, const struct talk_request *r)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    while (r->waiting && poll(&p, 1, WAIT_MS) == 0)
        r->waiting(r->ctx);
}

int talk_ask(const char *dir, const struct talk_request *r, struct talk_reply *reply,
             struct error *err)
{
    AUTO_CLOSE int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    AUTO_STR struct str line = STR_INIT;
    struct sockaddr_un sun;

    if (dirfd < 0)
        return errno == ENOENT ? 0 : error_set(err, errno, "%s cannot be entered", dir);
    if (fd < 0)
        return error_set(err, errno, "no socket");
    socket_address(dirfd, &sun);
    if (connect(fd, (struct sockaddr *)&sun, sizeof sun) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return 0;
        return error_set(err, errno, "the daemon cannot be asked");
    }
    write_request(&line, r);
    if (io_write_all(fd, line.s, line.len) < 0)
        return error_set(err, errno, "the daemon cannot be asked");
    wait_for_reply(fd, r);
    return read_reply(fd, reply, err);
}
