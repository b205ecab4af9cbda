#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/utf8.h"

static void add_value(struct str *line, const char *value)
{
    bool quote = *value == '\0' || strpbrk(value, " =\"\\\t\n") != NULL;

    if (quote)
        str_addc(line, '"');
    for (const char *p = value; *p;) {
        size_t n = strcspn(p, "\"");

        utf8_show(line, p, n);
        p += n;
        if (*p == '"') {
            str_add(line, "\\\"");
            p++;
        }
    }
    if (quote)
        str_addc(line, '"');
}

void log_line(const struct log *l, enum log_level level, const char *message, ...)
{
    static const char *const priority[] = {"<3>", "<4>", "<5>", "<6>"};
    char room[1024];
    AUTO_STR struct str line = STR_ON(room);
    const char *key;
    va_list ap;

    if (level > l->most)
        return;
    if (l->journald)
        str_add(&line, priority[level]);
    utf8_show(&line, message, strlen(message));
    va_start(ap, message);
    while ((key = va_arg(ap, const char *))) {
        const char *value = va_arg(ap, const char *);

        str_addc(&line, ' ');
        str_add(&line, key);
        str_addc(&line, '=');
        add_value(&line, value ? value : "");
    }
    va_end(ap);
    str_addc(&line, '\n');
    /* A log that cannot be written has nowhere to say so. */
    (void)io_write_all(STDERR_FILENO, line.s, line.len);
}
