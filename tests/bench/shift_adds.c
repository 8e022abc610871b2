/* One output of a convolution by 512 weights of 3 bits, by two ways that a Cortex-M4 has; both marked for counting.
   Weights are packed as kernels/shift_dsp.py packs them: a stream of bits, pair after pair. */
#include <stdint.h>

enum { WEIGHTS = 512, WORDS = WEIGHTS * 3 / 32 };
#define MARK(code) __asm__ volatile(".inst.w " #code ::: "memory")

static uint32_t codes[WORDS];
static int16_t x[WEIGHTS] __attribute__((aligned(4)));
static uint32_t table[64];

/* The 6 bits of pair `pair` of 16, of which three words are full. */
static inline uint32_t pair_of(const uint32_t *words, int pair)
{
    int bit = pair * 6, word = bit / 32, shift = bit % 32;
    uint32_t both = words[word] >> shift;
    if (shift > 26) {
        both |= words[word + 1] << (32 - shift);
    }
    return both & 63;
}

/* acc + x * 2**S, or minus that: the sign of the code turns the shifted number over. */
static inline int32_t added(int32_t acc, int32_t value, uint32_t code)
{
    int32_t negative = -(int32_t)(code >> 2 & 1);
    return acc + (((value << (code & 3)) ^ negative) - negative);
}

__attribute__((noinline)) static int32_t shifts_and_additions(void)
{
    int32_t acc = 0;
    for (int turn = 0; turn < WEIGHTS / 32; ++turn) {
#pragma GCC unroll 16
        for (int pair = 0; pair < 16; ++pair) {
            uint32_t both = pair_of(codes + turn * 3, pair);
            acc = added(acc, x[turn * 32 + pair * 2], both & 7);
            acc = added(acc, x[turn * 32 + pair * 2 + 1], both >> 3);
        }
    }
    return acc;
}

__attribute__((noinline)) static int32_t pairs_from_a_table(void)
{
    int32_t acc = 0;
    for (int turn = 0; turn < WEIGHTS / 32; ++turn) {
#pragma GCC unroll 16
        for (int pair = 0; pair < 16; ++pair) {
            uint32_t w = table[pair_of(codes + turn * 3, pair)], both;
            __builtin_memcpy(&both, x + turn * 32 + pair * 2, 4);
            __asm__("smlad %0, %1, %2, %0" : "+r"(acc) : "r"(w), "r"(both));
        }
    }
    return acc;
}

static int32_t weight(uint32_t code)
{
    return code & 4 ? -(1 << (code & 3)) : 1 << (code & 3);
}

int main(void)
{
    for (int i = 0; i < WORDS; ++i) codes[i] = (uint32_t)i * 2654435761u ^ (uint32_t)i * 40503u << 15;
    for (int i = 0; i < WEIGHTS; ++i) x[i] = (int16_t)((uint32_t)i * 2246822519u >> 24);
    for (uint32_t i = 0; i < 64; ++i) table[i] = (uint16_t)weight(i & 7) | (uint32_t)weight(i >> 3) << 16;
    MARK(0xf3af8061);
    int32_t first = shifts_and_additions();
    MARK(0xf3af8062);
    MARK(0xf3af8061);
    int32_t second = pairs_from_a_table();
    MARK(0xf3af8062);
    return first != second;
}
