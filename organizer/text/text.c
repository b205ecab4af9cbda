#include "text/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"

int text_file_new(void)
{
    int fd = memfd_create("organizer-text", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)(TEXT_MAX + TEXT_RECORD)) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0)
        return fd;

    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

static bool is_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)s[i] < ' ' && s[i] != '\n') || s[i] == 0x7f)
            return false;
    return utf8_valid(s, n);
}

int text_view_open(struct text_view *v, int fd, uint64_t len)
{
    *v = (struct text_view){.s = ""};
    if (len == 0)
        return 0;
    if (len > TEXT_MAX) {
        errno = EBADMSG;
        return -1;
    }

    /* Nobody who may write is there any more. */
    void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);

    if (map == MAP_FAILED)
        return -1;
    *v = (struct text_view){map, len, map, len};
    if (is_text(v->s, len))
        return 0;
    text_view_close(v);
    errno = EBADMSG;
    return -1;
}

void text_view_close(struct text_view *v)
{
    if (v->map)
        munmap(v->map, v->map_len);
    *v = (struct text_view){.s = ""};
}
