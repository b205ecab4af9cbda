#include "archive/gain.h"

#include <stdint.h>

#define BLOCK  4096
#define BLOCKS 16
#define SMALL  2048 /* so little is always worth it */
/* Two bytes of random data are the same once in 256 times; chance alone makes no 1.3 of that in a
 * block. Base64 has 4, English text 17. */
#define UNEVEN 1.3
#define PART   10 /* one block in so many must be uneven */

static bool is_uneven(const uint8_t *p, size_t n)
{
    uint32_t seen[256] = {0};
    uint64_t pairs = 0;

    for (size_t i = 0; i < n; i++)
        seen[p[i]]++;
    for (int i = 0; i < 256; i++)
        if (seen[i])
            pairs += (uint64_t)seen[i] * (seen[i] - 1);
    return (double)pairs > UNEVEN * (double)n * (double)(n - 1) / 256;
}

bool gain_expected(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t blocks = n / BLOCK < BLOCKS ? n / BLOCK : BLOCKS;
    size_t uneven = 0;

    if (n <= SMALL)
        return n > 0;
    if (!blocks)
        return is_uneven(p, n);
    for (size_t i = 0; i < blocks; i++)
        uneven += is_uneven(p + (n - BLOCK) / blocks * i, BLOCK);
    return uneven * PART >= blocks;
}
