#include "examine/inflate.h"

#include <stdbool.h>
#include <string.h>

#define MAX_BITS  15
#define LITERALS  288
#define DISTANCES 30

struct stream {
    const uint8_t *in;
    size_t n, at;
    uint32_t hold; /* bits taken from `in` and not used, the next one lowest */
    unsigned held;
    uint8_t *out;
    size_t cap, len;
    bool bad; /* input over, output full, or nonsense */
};

/* Canonical Huffman code: how many codes of each length, and the symbols in order. */
struct code {
    uint16_t count[MAX_BITS + 1];
    uint16_t symbol[LITERALS];
};

static unsigned bits(struct stream *z, unsigned need)
{
    while (z->held < need) {
        if (z->at == z->n) {
            z->bad = true;
            return 0;
        }
        z->hold |= (uint32_t)z->in[z->at++] << z->held;
        z->held += 8;
    }

    unsigned v = z->hold & ((1U << need) - 1);

    z->hold >>= need;
    z->held -= need;
    return v;
}

static void put(struct stream *z, unsigned byte)
{
    if (z->len == z->cap)
        z->bad = true;
    else
        z->out[z->len++] = (uint8_t)byte;
}

static unsigned decode(struct stream *z, const struct code *c)
{
    int code = 0, first = 0, index = 0;

    for (unsigned len = 1; len <= MAX_BITS && !z->bad; len++) {
        code |= (int)bits(z, 1);

        int count = c->count[len];

        if (code - count < first)
            return c->symbol[index + (code - first)];
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    z->bad = true;
    return 0;
}

/* Returns false for more codes than the lengths allow. */
static bool construct(struct code *c, const uint8_t *length, unsigned n)
{
    uint16_t offs[MAX_BITS + 1] = {0};
    int left = 1;

    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < n; i++)
        c->count[length[i]]++;
    for (unsigned len = 1; len <= MAX_BITS; len++) {
        left = (left << 1) - c->count[len];
        if (left < 0)
            return false;
    }
    for (unsigned len = 1; len < MAX_BITS; len++)
        offs[len + 1] = (uint16_t)(offs[len] + c->count[len]);
    for (unsigned i = 0; i < n; i++)
        if (length[i] != 0)
            c->symbol[offs[length[i]]++] = (uint16_t)i;
    return true;
}

static void copy(struct stream *z, unsigned distance, unsigned len)
{
    if (distance > z->len) {
        z->bad = true;
        return;
    }
    while (len-- > 0 && !z->bad)
        put(z, z->out[z->len - distance]);
}

static void codes(struct stream *z, const struct code *lit, const struct code *dist)
{
    static const uint16_t lens[29] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                      15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                      67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t lext[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                     2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t dists[DISTANCES] = {
        1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    static const uint8_t dext[DISTANCES] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                            6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

    while (!z->bad) {
        unsigned symbol = decode(z, lit);

        if (z->bad || symbol == 256)
            return;
        if (symbol < 256) {
            put(z, symbol);
            continue;
        }
        symbol -= 257;
        if (symbol >= 29) {
            z->bad = true;
            return;
        }

        unsigned len = lens[symbol] + bits(z, lext[symbol]);
        unsigned d = decode(z, dist);

        if (d >= DISTANCES)
            z->bad = true;
        if (!z->bad)
            copy(z, dists[d] + bits(z, dext[d]), len);
    }
}

static void stored(struct stream *z)
{
    z->hold = 0;
    z->held = 0;

    unsigned len = bits(z, 16);

    bits(z, 16); /* its complement: the length is bounded anyway */
    while (len-- > 0 && !z->bad)
        put(z, bits(z, 8));
}

static void fixed(struct stream *z)
{
    struct code lit, dist;
    uint8_t lengths[LITERALS];

    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    construct(&lit, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    construct(&dist, lengths, DISTANCES);
    codes(z, &lit, &dist);
}

/* The lengths of both codes, themselves packed with a code. */
static bool read_lengths(struct stream *z, const struct code *c, uint8_t *lengths, unsigned n)
{
    unsigned i = 0;

    while (i < n) {
        unsigned symbol = decode(z, c), repeat, value = 0;

        if (z->bad)
            return false;
        if (symbol < 16) {
            lengths[i++] = (uint8_t)symbol;
            continue;
        }
        if (symbol == 16) {
            if (i == 0)
                return false;
            value = lengths[i - 1];
            repeat = 3 + bits(z, 2);
        } else {
            repeat = symbol == 17 ? 3 + bits(z, 3) : 11 + bits(z, 7);
        }
        if (z->bad || repeat > n - i)
            return false;
        memset(lengths + i, (int)value, repeat);
        i += repeat;
    }
    return true;
}

static void dynamic(struct stream *z)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    unsigned nlen = bits(z, 5) + 257, ndist = bits(z, 5) + 1, ncode = bits(z, 4) + 4;
    uint8_t lengths[286 + DISTANCES] = {0};
    struct code lit, dist;

    z->bad |= nlen > 286 || ndist > DISTANCES;
    for (unsigned i = 0; i < ncode && !z->bad; i++)
        lengths[order[i]] = (uint8_t)bits(z, 3);
    if (z->bad || !construct(&lit, lengths, 19)) {
        z->bad = true;
        return;
    }
    if (!read_lengths(z, &lit, lengths, nlen + ndist) || !construct(&lit, lengths, nlen) ||
        !construct(&dist, lengths + nlen, ndist)) {
        z->bad = true;
        return;
    }
    codes(z, &lit, &dist);
}

size_t inflate_some(const uint8_t *in, size_t n, uint8_t *out, size_t cap)
{
    struct stream z = {.in = in, .n = n, .out = out, .cap = cap};
    bool last = false;

    while (!last && !z.bad) {
        last = bits(&z, 1);
        switch (bits(&z, 2)) {
        case 0:
            stored(&z);
            break;
        case 1:
            fixed(&z);
            break;
        case 2:
            dynamic(&z);
            break;
        default:
            z.bad = true;
        }
    }
    return z.len;
}
