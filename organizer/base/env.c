#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

static char *find_self(void)
{
    char buf[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", buf, sizeof buf - 1);

    return n > 0 ? xmemdup0(buf, (size_t)n) : xstrdup("/usr/bin/organizer");
}

/* Beside a program run from its build folder, else where `make install` puts them. */
static char *find_data(const char *self, const char *name)
{
    static const char *const places[] = {"..", "../share/organizer", "../../share/organizer"};
    const char *slash = strrchr(self, '/');

    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        AUTO_FREE char *p = xasprintf("%.*s/%s/%s", (int)(slash - self), self, places[i], name);
        char *real = access(p, R_OK | X_OK) == 0 ? realpath(p, NULL) : NULL;

        if (real)
            return real;
    }
    return xasprintf("/usr/share/organizer/%s", name);
}

/* systemd's RuntimeDirectory=, which may be one of several; where verbs look for it when they are no
 * service; or where tests want it. */
static char *find_run(void)
{
    const char *own = getenv("ORGANIZER_RUN"), *service = getenv("RUNTIME_DIRECTORY");

    if (own)
        return xstrdup(own);
    if (service && *service == '/')
        return xmemdup0(service, strcspn(service, ":"));
    return xstrdup("/run/organizer");
}

static int map_clock(struct env *e, const char *path, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *p = MAP_FAILED;
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof *e->clock_moving)
        p = mmap(NULL, sizeof *e->clock_moving, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return error_set(err, errno, "ORGANIZER_CLOCK: %s holds no 8 bytes of nanoseconds", path);
    e->clock_moving = p;
    return 0;
}

int env_init(struct env *e, struct error *err)
{
    const char *state = getenv("STATE_DIRECTORY");
    const char *home = getenv("HOME");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *xdgc = getenv("XDG_CONFIG_HOME");
    const char *shift = getenv("ORGANIZER_CLOCK");
    const char *patience = getenv("ORGANIZER_PATIENCE");
    const char *rules = getenv("ORGANIZER_RULES");
    const char *hooks = getenv("ORGANIZER_HOOKS");

    memset(e, 0, sizeof *e);
    if (!state && !home)
        return error_set(err, 0,
                         "neither STATE_DIRECTORY nor HOME is set: "
                         "set HOME, or STATE_DIRECTORY to a private folder");
    e->state_home = state         ? xstrdup(state)
                    : xdg && *xdg ? xasprintf("%s/organizer", xdg)
                                  : xasprintf("%s/.local/state/organizer", home);
    e->run_home = find_run();
    e->self_exe = find_self();
    e->rules_dir = rules ? xstrdup(rules) : find_data(e->self_exe, "rules");
    if (hooks)
        e->hooks_dir = xstrdup(hooks);
    else if (state || geteuid() == 0 || !home)
        e->hooks_dir = xstrdup("/etc/organizer/hooks");
    else
        e->hooks_dir = xdgc && *xdgc ? xasprintf("%s/organizer/hooks", xdgc)
                                     : xasprintf("%s/.config/organizer/hooks", home);
    if (shift && *shift == '@' && map_clock(e, shift + 1, err) < 0)
        return -1;
    e->clock_shift_ns = shift && !e->clock_moving ? strtoll(shift, NULL, 10) * NS_PER_S : 0;
    e->patience_ns = (patience ? strtoll(patience, NULL, 10) : 15 * 60) * NS_PER_S;
    e->tty = isatty(STDOUT_FILENO) == 1;
    e->color = e->tty && !getenv("NO_COLOR");
    e->journald = getenv("JOURNAL_STREAM") != NULL;
    return 0;
}

void env_clear(struct env *e)
{
    free(e->state_home);
    free(e->run_home);
    free(e->rules_dir);
    free(e->hooks_dir);
    free(e->self_exe);
    if (e->clock_moving)
        munmap((void *)(uintptr_t)e->clock_moving, sizeof *e->clock_moving);
    memset(e, 0, sizeof *e);
}

int64_t env_shift(const struct env *e)
{
    return e->clock_moving ? *e->clock_moving : e->clock_shift_ns;
}

int64_t env_disk_now(const struct env *e)
{
    struct timespec ts;

    (void)e;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t env_now(const struct env *e)
{
    return env_disk_now(e) + env_shift(e);
}

int64_t env_ticks(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Writes the last digits of value at p, and what stands behind them. */
static char *put_digits(char *p, int digits, int64_t value, char behind)
{
    for (int i = digits; i-- > 0; value /= 10)
        p[i] = (char)('0' + value % 10);
    p[digits] = behind;
    return p + digits + 1;
}

/* By hand: it stands in each line of journals and logs, and printf took longer than all else there. */
const char *time_text(int64_t t, char buf[static TIME_TEXT])
{
    int64_t frac = t % NS_PER_S;
    time_t sec = t / NS_PER_S;
    struct tm tm;
    char *p;

    if (frac < 0) {
        frac += NS_PER_S;
        sec--;
    }
    gmtime_r(&sec, &tm);
    p = put_digits(buf, 4, tm.tm_year + 1900, '-'); /* nanoseconds end in the year 2262 */
    p = put_digits(p, 2, tm.tm_mon + 1, '-');
    p = put_digits(p, 2, tm.tm_mday, 'T');
    p = put_digits(p, 2, tm.tm_hour, ':');
    p = put_digits(p, 2, tm.tm_min, ':');
    p = put_digits(p, 2, tm.tm_sec, '.');
    p = put_digits(p, 6, frac / 1000, 'Z');
    *p = '\0';
    return buf;
}

int time_parse(const char *s, int64_t *t)
{
    struct tm tm = {0};
    const char *p = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t frac = 0, unit = NS_PER_S / 10;

    if (!p)
        return -1;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
            frac += (*p - '0') * unit;
    if (*p != 'Z' || p[1])
        return -1;
    *t = (int64_t)timegm(&tm) * NS_PER_S + frac;
    return 0;
}
