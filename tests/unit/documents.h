/*
 * documents: small documents that tests make themselves: ZIP and compound files, mail.
 */
#ifndef TESTS_UNIT_DOCUMENTS_H
#define TESTS_UNIT_DOCUMENTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"

/* An open file in memory with these bytes, its offset at 0. */
static inline int document_open(const void *p, size_t n)
{
    int fd = memfd_create("document", MFD_CLOEXEC);

    if (fd < 0 || (n > 0 && pwrite(fd, p, n, 0) != (ssize_t)n)) {
        perror("document_open");
        abort();
    }
    return fd;
}

static inline void put16(struct str *b, unsigned v)
{
    str_addc(b, (char)(v & 255));
    str_addc(b, (char)(v >> 8 & 255));
}

static inline void put32(struct str *b, uint32_t v)
{
    put16(b, v & 0xFFFF);
    put16(b, v >> 16);
}

struct member {
    const char *name;
    const char *data; /* NULL: empty */
    size_t size;      /* 0: strlen(data) */
    unsigned method;  /* 0 stored, 8 packed */
};

/* The check sum of a ZIP. */
static inline uint32_t crc32_of(const char *p, size_t n)
{
    uint32_t crc = ~UINT32_C(0);

    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

/* A ZIP with the members in order; what is packed has no check sum.
 * with_directory 0 leaves the central directory away. */
static inline void zip_write(struct str *out, const struct member *m, size_t n, int with_directory)
{
    struct str dir = STR_INIT;

    for (size_t i = 0; i < n; i++) {
        size_t size = m[i].size ? m[i].size : m[i].data ? strlen(m[i].data) : 0;
        uint32_t crc = m[i].method || !m[i].data ? 0 : crc32_of(m[i].data, size);
        size_t at = out->len;

        str_addn(out, "PK\3\4\24\0\0\0", 8);
        put16(out, m[i].method);
        put32(out, 0);
        put32(out, crc);
        put32(out, (uint32_t)size);
        put32(out, (uint32_t)size);
        put16(out, (unsigned)strlen(m[i].name));
        put16(out, 0);
        str_add(out, m[i].name);
        str_addn(out, m[i].data ? m[i].data : "", size);

        str_addn(&dir, "PK\1\2\24\0\24\0\0\0", 10);
        put16(&dir, m[i].method);
        put32(&dir, 0);
        put32(&dir, crc);
        put32(&dir, (uint32_t)size);
        put32(&dir, (uint32_t)size);
        put16(&dir, (unsigned)strlen(m[i].name));
        put16(&dir, 0);
        put16(&dir, 0);
        put16(&dir, 0);
        put16(&dir, 0);
        put32(&dir, 0);
        put32(&dir, (uint32_t)at);
        str_add(&dir, m[i].name);
    }
    if (with_directory) {
        size_t at = out->len;

        str_addn(out, dir.s, dir.len);
        str_addn(out, "PK\5\6\0\0\0\0", 8);
        put16(out, (unsigned)n & 0xFFFF);
        put16(out, (unsigned)n & 0xFFFF);
        put32(out, (uint32_t)dir.len);
        put32(out, (uint32_t)at);
        put16(out, 0);
    }
    str_clear(&dir);
}

/* A compound file: a header, its table in sector 0, the directory in sector 1 on. Entry i + 1 is
 * names[i]; all are siblings to the right of one another under the root. */
static inline void ole_write(struct str *out, const char *const *names, size_t n)
{
    size_t sectors = (n + 1 + 3) / 4;

    str_addn(out, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
    while (out->len < 24)
        str_addc(out, 0);
    put16(out, 0x3E);
    put16(out, 3);
    put16(out, 0xFFFE);
    put16(out, 9);
    put16(out, 6);
    while (out->len < 44)
        str_addc(out, 0);
    put32(out, 1);
    put32(out, 1); /* the directory's first sector, at 48 */
    put32(out, 0);
    put32(out, 4096);
    put32(out, 0xFFFFFFFE);
    put32(out, 0);
    put32(out, 0xFFFFFFFE);
    put32(out, 0);
    put32(out, 0); /* the table is in sector 0, at 76 */
    while (out->len < 512)
        put32(out, 0xFFFFFFFF);
    put32(out, 0xFFFFFFFD);
    for (size_t i = 1; i <= sectors; i++)
        put32(out, i == sectors ? 0xFFFFFFFE : (uint32_t)i + 1);
    while (out->len < 1024)
        put32(out, 0xFFFFFFFF);
    for (size_t i = 0; i < sectors * 4; i++) {
        const char *name = i == 0 ? "Root Entry" : i <= n ? names[i - 1] : "";
        size_t start = out->len;

        for (size_t k = 0; k < 32; k++)
            put16(out, k < strlen(name) ? (unsigned char)name[k] : 0);
        put16(out, (unsigned)(2 * strlen(name) + 2));
        put16(out, i == 0 ? 5 : 2);
        put32(out, 0xFFFFFFFF);
        put32(out, i > 0 && i < n ? (uint32_t)i + 1 : 0xFFFFFFFF);
        put32(out, i == 0 && n > 0 ? 1 : 0xFFFFFFFF);
        while (out->len < start + 128)
            str_addc(out, 0);
    }
}

#endif
