#include "verbs/progress.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/io.h"
#include "base/str.h"
#include "base/utf8.h"

#define WIPE "\r\033[K"

void bytes_text(struct str *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    double n = (double)bytes;
    size_t i = 0;

    while (n >= 999.95 && i + 1 < sizeof units / sizeof units[0]) {
        n /= 1000;
        i++;
    }
    str_addf(out, i ? "%.1f %s" : "%.0f %s", n, units[i]);
}

void progress_start(struct progress *p)
{
    *p = (struct progress){.start_ns = env_ticks(), .on = isatty(STDERR_FILENO) == 1};
    p->next_ns = p->start_ns + NS_PER_S;
}

/* Progress that cannot be shown is no failure. */
static void put(const struct str *line)
{
    if (io_write_all(STDERR_FILENO, str_c(line), line->len) < 0)
        return;
}

void progress_show(struct progress *p, const char *what, uint64_t bytes, uint64_t of)
{
    AUTO_STR struct str line = STR_INIT;
    int64_t now;

    if (!p->on || (now = env_ticks()) < p->next_ns)
        return;
    p->next_ns = now + NS_PER_S / 5;
    p->shown = true;
    str_add(&line, WIPE);
    utf8_show(&line, what, strlen(what));
    str_add(&line, "  ");
    bytes_text(&line, bytes);
    if (of) {
        str_add(&line, " of ");
        bytes_text(&line, of);
        str_addf(&line, " (%" PRIu64 " %%)", bytes >= of ? 100 : bytes * 100 / of);
    }
    str_add(&line, ", ");
    bytes_text(&line, (uint64_t)((double)bytes * 1e9 / (double)(now - p->start_ns)));
    str_add(&line, "/s");
    put(&line);
}

void progress_wipe(struct progress *p)
{
    struct str line = {(char[]){WIPE}, sizeof WIPE - 1, 0, true};

    if (p->shown)
        put(&line);
    p->shown = false;
}
