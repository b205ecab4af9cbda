#include "base/sha.h"

#include <string.h>

static const uint32_t begin[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void sha_begin(struct sha *s)
{
    memcpy(s->h, begin, sizeof s->h);
    s->blocks = 0;
}

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#define ROUNDS 64
#define FOUR   (ROUNDS / 4) /* an instruction's message words are those of four rounds */
#define HAS    __attribute__((target("sha,sse4.1")))
#define INLINE HAS static inline __attribute__((always_inline))

static const uint32_t constants[ROUNDS] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* A stream in registers, its working variables named as in the standard, highest first. */
struct lane {
    __m128i abef, cdgh;
    __m128i abef_was, cdgh_was; /* before the block */
    __m128i w[4];               /* the last sixteen words of the schedule */
};

bool sha_can(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* The four from the lowest to the highest. */
INLINE __m128i turned(__m128i four)
{
    return _mm_shuffle_epi32(four, 0x1b);
}

INLINE void lane_load(struct lane *l, const struct sha *s)
{
    __m128i abcd = _mm_loadu_si128((const __m128i_u *)&s->h[0]);
    __m128i efgh = _mm_loadu_si128((const __m128i_u *)&s->h[4]);

    l->abef = turned(_mm_unpacklo_epi64(abcd, efgh));
    l->cdgh = turned(_mm_unpackhi_epi64(abcd, efgh));
}

INLINE void lane_store(const struct lane *l, struct sha *s)
{
    __m128i abef = turned(l->abef), cdgh = turned(l->cdgh);

    _mm_storeu_si128((__m128i_u *)&s->h[0], _mm_unpacklo_epi64(abef, cdgh));
    _mm_storeu_si128((__m128i_u *)&s->h[4], _mm_unpackhi_epi64(abef, cdgh));
}

INLINE void lane_read(struct lane *l, const uint8_t *p)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

    for (int i = 0; i < 4; i++)
        l->w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i_u *)(const void *)(p + 16 * i)),
                                   big_endian);
    l->abef_was = l->abef;
    l->cdgh_was = l->cdgh;
}

/* The next four rounds. */
INLINE void lane_four(struct lane *l, int i)
{
    __m128i *w = &l->w[i % 4], sum;

    if (i >= 4) {
        const __m128i *next = &l->w[(i + 1) % 4], *last = &l->w[(i + 3) % 4];

        sum = _mm_alignr_epi8(*last, l->w[(i + 2) % 4], 4);
        *w = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*w, *next), sum), *last);
    }
    sum = _mm_add_epi32(*w, _mm_load_si128((const __m128i *)(const void *)&constants[4 * i]));
    l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, sum);
    l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

INLINE void lane_add(struct lane *l)
{
    l->abef = _mm_add_epi32(l->abef, l->abef_was);
    l->cdgh = _mm_add_epi32(l->cdgh, l->cdgh_was);
}

HAS void sha_add(struct sha *s, const uint8_t *p, size_t n)
{
    struct lane l;

    lane_load(&l, s);
    s->blocks += n;
    for (; n > 0; n--, p += SHA_BLOCK) {
        lane_read(&l, p);
#pragma GCC unroll 16
        for (int i = 0; i < FOUR; i++)
            lane_four(&l, i);
        lane_add(&l);
    }
    lane_store(&l, s);
}

HAS void sha_add_two(struct sha *s, const uint8_t *p, struct sha *t, const uint8_t *q, size_t n)
{
    struct lane l, m;

    lane_load(&l, s);
    lane_load(&m, t);
    s->blocks += n;
    t->blocks += n;
    for (; n > 0; n--, p += SHA_BLOCK, q += SHA_BLOCK) {
        lane_read(&l, p);
        lane_read(&m, q);
#pragma GCC unroll 16
        for (int i = 0; i < FOUR; i++) {
            lane_four(&l, i);
            lane_four(&m, i);
        }
        lane_add(&l);
        lane_add(&m);
    }
    lane_store(&l, s);
    lane_store(&m, t);
}

#else

bool sha_can(void)
{
    return false;
}

void sha_add(struct sha *s, const uint8_t *p, size_t n)
{
    (void)s;
    (void)p;
    (void)n;
}

void sha_add_two(struct sha *s, const uint8_t *p, struct sha *t, const uint8_t *q, size_t n)
{
    sha_add(s, p, n);
    sha_add(t, q, n);
}

#endif

static void put_big_endian(uint8_t *to, uint64_t n, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; n >>= 8)
        to[i] = (uint8_t)n;
}

struct digest sha_end(struct sha *s, const uint8_t *p, size_t n)
{
    uint8_t last[2 * SHA_BLOCK] = {0};
    size_t len = n + 1 + sizeof(uint64_t) <= SHA_BLOCK ? SHA_BLOCK : sizeof last;
    uint64_t bits = 8 * (s->blocks * SHA_BLOCK + n);
    struct digest d;

    if (n > 0)
        memcpy(last, p, n);
    last[n] = 0x80;
    put_big_endian(last + len - sizeof bits, bits, sizeof bits);
    sha_add(s, last, len / SHA_BLOCK);
    for (size_t i = 0; i < sizeof s->h / sizeof *s->h; i++)
        put_big_endian(d.b + 4 * i, s->h[i], 4);
    return d;
}
