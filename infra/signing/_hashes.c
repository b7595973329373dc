/*
 * Compression functions of GOST 34.311-95 and Kupyna (DSTU 7564:2014), and the loops over them that
 * key files need (repeated hashing, PBKDF2).
 *
 * Optional: `python -m infra.signing.build` compiles this file, infra/signing/native.py loads it, and
 * Python code that gives the same answers stands in where it is missing. All tables come from that
 * Python code, so that every constant exists once. Nothing here allocates, fails or keeps state.
 *
 * Table look-ups depend on the data: none of this is constant-time (docs/constant-time.md).
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t load64(const uint8_t *p)
{
    return load32(p) | (uint64_t)load32(p + 4) << 32;
}

static void store64(uint8_t *p, uint64_t v)
{
    store32(p, (uint32_t)v);
    store32(p + 4, (uint32_t)(v >> 32));
}

/* A plain memset before return may be optimised away. */
static void wipe(void *p, size_t n)
{
    volatile uint8_t *q = p;
    while (n--)
        *q++ = 0;
}

/* ---- GOST 34.311-95 ---------------------------------------------------------------------------- */

/* `sbox`: four tables of 256 words, one for each octet of the sum, already rotated left by 11. */
#define GOST_F(x)                                                                                  \
    (sbox[(x) & 255] ^ sbox[256 + ((x) >> 8 & 255)] ^ sbox[512 + ((x) >> 16 & 255)] ^              \
     sbox[768 + ((x) >> 24)])

typedef struct {
    uint8_t h[32];     /* chaining value */
    uint8_t sum[32];   /* sum of all blocks modulo 2^256 */
    uint64_t length;   /* octets hashed */
} gost_state;

/* Four words of 64 bits, the lowest first: (y1, y2, y3, y4) -> (y2, y3, y4, y1 ^ y2). */
static void gost_a(uint64_t y[4])
{
    uint64_t fresh = y[0] ^ y[1];
    y[0] = y[1];
    y[1] = y[2];
    y[2] = y[3];
    y[3] = fresh;
}

static void gost_key(const uint64_t u[4], const uint64_t v[4], uint32_t key[8])
{
    uint8_t w[32];
    for (int i = 0; i < 4; i++)
        store64(w + 8 * i, u[i] ^ v[i]);
    for (int k = 0; k < 8; k++)
        key[k] = (uint32_t)w[k] | (uint32_t)w[8 + k] << 8 | (uint32_t)w[16 + k] << 16 |
                 (uint32_t)w[24 + k] << 24;
}

/* psi on sixteen 16-bit words, `steps` times, over a sliding window. */
static void gost_psi(uint16_t window[16], int steps)
{
    uint16_t run[16 + 61];
    memcpy(run, window, 32);
    for (int i = 0; i < steps; i++)
        run[16 + i] = run[i] ^ run[i + 1] ^ run[i + 2] ^ run[i + 3] ^ run[i + 12] ^ run[i + 15];
    memcpy(window, run + steps, 32);
}

static void gost_compress(const uint32_t *sbox, uint8_t h[32], const uint8_t m[32])
{
    static const uint64_t c3[4] = {0xFF00FF00FF00FF00ULL, 0x00FF00FF00FF00FFULL,
                                   0xFF0000FF00FFFF00ULL, 0xFF00FFFF000000FFULL};
    uint32_t key[4][8];
    uint64_t u[4], v[4];
    for (int i = 0; i < 4; i++) {
        u[i] = load64(h + 8 * i);
        v[i] = load64(m + 8 * i);
    }
    gost_key(u, v, key[0]);
    for (int j = 1; j < 4; j++) {
        gost_a(u);
        if (j == 2)
            for (int i = 0; i < 4; i++)
                u[i] ^= c3[i];
        gost_a(v);
        gost_a(v);
        gost_key(u, v, key[j]);
    }

    /* The four blocks are independent; one loop over all keeps the processor busy. */
    uint32_t a[4], b[4];
    for (int i = 0; i < 4; i++) {
        a[i] = load32(h + 8 * i);
        b[i] = load32(h + 8 * i + 4);
    }
    for (int round = 0; round < 32; round += 2) {
        int first = round < 24 ? round & 7 : 31 - round;
        int second = round < 24 ? first + 1 : first - 1;
        for (int i = 0; i < 4; i++) {
            uint32_t x = a[i] + key[i][first];
            b[i] ^= GOST_F(x);
            x = b[i] + key[i][second];
            a[i] ^= GOST_F(x);
        }
    }

    uint16_t s[16];
    for (int i = 0; i < 4; i++) {
        s[4 * i] = (uint16_t)b[i];
        s[4 * i + 1] = (uint16_t)(b[i] >> 16);
        s[4 * i + 2] = (uint16_t)a[i];
        s[4 * i + 3] = (uint16_t)(a[i] >> 16);
    }
    gost_psi(s, 12);
    for (int i = 0; i < 16; i++)
        s[i] ^= (uint16_t)(m[2 * i] | m[2 * i + 1] << 8);
    gost_psi(s, 1);
    for (int i = 0; i < 16; i++)
        s[i] ^= (uint16_t)(h[2 * i] | h[2 * i + 1] << 8);
    gost_psi(s, 61);
    for (int i = 0; i < 16; i++) {
        h[2 * i] = (uint8_t)s[i];
        h[2 * i + 1] = (uint8_t)(s[i] >> 8);
    }
}

static void gost_block(const uint32_t *sbox, gost_state *state, const uint8_t block[32])
{
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += (unsigned)state->sum[i] + block[i];
        state->sum[i] = (uint8_t)carry;
        carry >>= 8;
    }
    gost_compress(sbox, state->h, block);
}

/* Whole blocks may come in several calls; a last short one ends the message. */
static void gost_update(const uint32_t *sbox, gost_state *state, const uint8_t *data, size_t length)
{
    state->length += length;
    for (; length >= 32; data += 32, length -= 32)
        gost_block(sbox, state, data);
    if (length) {
        uint8_t block[32] = {0};
        memcpy(block, data, length);
        gost_block(sbox, state, block);
    }
}

static void gost_final(const uint32_t *sbox, gost_state *state, uint8_t out[32])
{
    uint8_t bits[32] = {0};
    store64(bits, state->length << 3);
    bits[8] = (uint8_t)(state->length >> 61);
    gost_compress(sbox, state->h, bits);
    gost_compress(sbox, state->h, state->sum);
    memcpy(out, state->h, 32);
}

EXPORT void fiscal_gost34311(const uint32_t *sbox, const uint8_t *data, size_t length,
                             uint8_t out[32])
{
    gost_state state = {{0}, {0}, 0};
    gost_update(sbox, &state, data, length);
    gost_final(sbox, &state, out);
}

/* The hash applied `times` times: first to the data, then to each digest. */
EXPORT void fiscal_gost34311_repeat(const uint32_t *sbox, const uint8_t *data, size_t length,
                                    uint32_t times, uint8_t out[32])
{
    fiscal_gost34311(sbox, data, length, out);
    while (--times)
        fiscal_gost34311(sbox, out, 32, out);
}

/*
 * The iterations of PBKDF2 with HMAC: `inner` and `outer` are the key's 32 octets xored with ipad and
 * opad, `first` is U1. Leaves U1 ^ U2 ^ ... in `out`.
 */
EXPORT void fiscal_gost34311_pbkdf2(const uint32_t *sbox, const uint8_t inner[32],
                                    const uint8_t outer[32], const uint8_t first[32],
                                    uint32_t iterations, uint8_t out[32])
{
    gost_state inside = {{0}, {0}, 0}, outside = {{0}, {0}, 0}, state;
    uint8_t u[32];
    gost_update(sbox, &inside, inner, 32);
    gost_update(sbox, &outside, outer, 32);
    memcpy(u, first, 32);
    memcpy(out, first, 32);
    while (--iterations) {
        state = inside;
        gost_update(sbox, &state, u, 32);
        gost_final(sbox, &state, u);
        state = outside;
        gost_update(sbox, &state, u, 32);
        gost_final(sbox, &state, u);
        for (int i = 0; i < 32; i++)
            out[i] ^= u[i];
    }
    wipe(&inside, sizeof inside);
    wipe(&outside, sizeof outside);
    wipe(&state, sizeof state);
    wipe(u, sizeof u);
}

/* ---- Kupyna ------------------------------------------------------------------------------------ */

/* `t`: eight tables of 256 words, substitution and column mixing of each row. */
typedef struct {
    const uint64_t *t;
    int columns, rounds;
} kupyna_size;

static void kupyna_round(const kupyna_size *k, uint64_t s[16])
{
    uint64_t fresh[16];
    int columns = k->columns, mask = columns - 1;
    /* Row 7 of the wide state moves by 11 columns, every other row by its number. */
    int last = columns == 16 ? 11 : 7;
    for (int c = 0; c < columns; c++) {
        uint64_t word = k->t[7 * 256 + (s[(c - last) & mask] >> 56)];
        for (int row = 0; row < 7; row++)
            word ^= k->t[row * 256 + (s[(c - row) & mask] >> (8 * row) & 255)];
        fresh[c] = word;
    }
    memcpy(s, fresh, sizeof(uint64_t) * (size_t)columns);
}

static void kupyna_p(const kupyna_size *k, uint64_t s[16])
{
    for (int round = 0; round < k->rounds; round++) {
        for (int c = 0; c < k->columns; c++)
            s[c] ^= (uint64_t)(c << 4 ^ round);
        kupyna_round(k, s);
    }
}

static void kupyna_q(const kupyna_size *k, uint64_t s[16])
{
    for (int round = 0; round < k->rounds; round++) {
        for (int c = 0; c < k->columns; c++)
            s[c] += 0x00F0F0F0F0F0F0F3ULL ^ (uint64_t)((k->columns - c - 1) << 4 ^ round) << 56;
        kupyna_round(k, s);
    }
}

static void kupyna_block(const kupyna_size *k, uint64_t h[16], const uint8_t *block)
{
    uint64_t p[16], q[16];
    for (int c = 0; c < k->columns; c++) {
        q[c] = load64(block + 8 * c);
        p[c] = q[c] ^ h[c];
    }
    kupyna_p(k, p);
    kupyna_q(k, q);
    for (int c = 0; c < k->columns; c++)
        h[c] ^= p[c] ^ q[c];
}

static void kupyna_output(const kupyna_size *k, uint64_t h[16], size_t digest, uint8_t *out)
{
    uint64_t p[16];
    uint8_t bytes[128];
    memcpy(p, h, sizeof p);
    kupyna_p(k, p);
    for (int c = 0; c < k->columns; c++)
        store64(bytes + 8 * c, h[c] ^ p[c]);
    memcpy(out, bytes + 8 * k->columns - digest, digest);
}

static kupyna_size kupyna_start(const uint64_t *t, size_t digest, uint64_t h[16])
{
    kupyna_size k = {t, digest <= 32 ? 8 : 16, digest <= 32 ? 10 : 14};
    memset(h, 0, sizeof(uint64_t) * 16);
    h[0] = (uint64_t)(8 * k.columns);
    return k;
}

/* `digest`: octets of the answer, 32, 48 or 64. */
EXPORT void fiscal_kupyna(const uint64_t *t, size_t digest, const uint8_t *data, size_t length,
                          uint8_t *out)
{
    uint64_t h[16];
    uint8_t tail[256] = {0};
    kupyna_size k = kupyna_start(t, digest, h);
    size_t block = (size_t)(8 * k.columns), left = length;
    for (; left >= block; data += block, left -= block)
        kupyna_block(&k, h, data);
    size_t padded = left + 13 <= block ? block : 2 * block;
    if (left)
        memcpy(tail, data, left);
    tail[left] = 0x80;
    store64(tail + padded - 12, (uint64_t)length << 3);
    tail[padded - 4] = (uint8_t)((uint64_t)length >> 61);
    for (size_t at = 0; at < padded; at += block)
        kupyna_block(&k, h, tail + at);
    kupyna_output(&k, h, digest, out);
}

EXPORT void fiscal_kupyna_repeat(const uint64_t *t, size_t digest, const uint8_t *data,
                                 size_t length, uint32_t times, uint8_t *out)
{
    fiscal_kupyna(t, digest, data, length, out);
    while (--times)
        fiscal_kupyna(t, digest, out, digest, out);
}

/*
 * The iterations of PBKDF2 with Kupyna-KMAC-256: `head` is the padded key, `middle` the padding that
 * follows a message of 32 octets, `tail` the inverted key with the padding of the whole, 64 octets
 * each but `middle`, of 32. `first` is U1. Leaves U1 ^ U2 ^ ... in `out`.
 */
EXPORT void fiscal_kupyna_pbkdf2(const uint64_t *t, const uint8_t head[64],
                                 const uint8_t middle[32], const uint8_t tail[64],
                                 const uint8_t first[32], uint32_t iterations, uint8_t out[32])
{
    uint64_t start[16], h[16];
    uint8_t block[64];
    kupyna_size k = kupyna_start(t, 32, start);
    kupyna_block(&k, start, head);
    memcpy(block, first, 32);
    memcpy(block + 32, middle, 32);
    memcpy(out, first, 32);
    while (--iterations) {
        memcpy(h, start, sizeof h);
        kupyna_block(&k, h, block);
        kupyna_block(&k, h, tail);
        kupyna_output(&k, h, 32, block);
        for (int i = 0; i < 32; i++)
            out[i] ^= block[i];
    }
    wipe(start, sizeof start);
    wipe(h, sizeof h);
    wipe(block, sizeof block);
}
