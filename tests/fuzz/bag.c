/* Manifests and tag files of a bag from anywhere, and the directory of a ZIP. */
#include <sys/mman.h>
#include <unistd.h>

#include "archive/bag_text.h"
#include "archive/zipdir.h"
#include "fuzz.h"

static void on_line(void *ctx, char *line, size_t n, size_t number)
{
    struct bag_manifest_line m;

    *(size_t *)ctx += number;
    if (bag_parse_manifest(line, n, &m) == 0)
        fuzz_must(m.path && m.hex && m.hex_len == strlen(m.hex), "a line of a manifest has both");
}

static void pieces(const uint8_t *data, size_t size)
{
    size_t sum = 0, piece = size ? *data % 64 + 1u : 1;
    struct bag_feed f = {.line = on_line, .ctx = &sum};

    for (size_t at = 0; at < size; at += piece)
        bag_feed_add(&f, (const char *)data + at, size - at < piece ? size - at : piece);
    (void)bag_feed_end(&f);
    str_clear(&f.text);
}

static void encodings(const uint8_t *data, size_t size)
{
    static const char *const known[] = {"UTF-16", "ISO-8859-1", "UTF-8", "UTF-16LE"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        AUTO_STR struct str text = STR_INIT;

        str_addn(&text, (const char *)data, size);
        (void)bag_take_bom(&text);
        (void)bag_decode(&text, known[i]);
    }
}

static void directory(const uint8_t *data, size_t size)
{
    AUTO_CLOSE int fd = memfd_create("zip", MFD_CLOEXEC);
    struct error err = ERROR_INIT;
    struct zip_dir d;
    struct zip_name n;

    fuzz_must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "the archive is written");
    (void)zip_dir_ends(fd, size);
    if (zip_dir_read(fd, size, &d, &err) < 0)
        return;
    for (size_t i = 0; i < d.len; i++)
        if (zip_dir_name(&d, i, &n) == 0)
            (void)zip_dir_doubt(&d, i, &n);
    zip_dir_clear(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pieces(data, size);
    encodings(data, size);
    directory(data, size);
    return 0;
}
