// What the software operators share: a byte of either sign, and the one requantization of docs/numbers.md.
#ifndef TSM_SOFT_H
#define TSM_SOFT_H

#include "tsm_firmware.h"

static inline int32_t soft_value(uint8_t byte, uint32_t is_signed) {
    return is_signed != 0u && byte >= 128u ? (int32_t)byte - 256 : (int32_t)byte;
}

static inline uint8_t *soft_put_word(uint8_t *out, uint32_t word) {
    for (uint32_t i = 0; i < 4u; i++, word >>= 8u) *out++ = (uint8_t)word;
    return out;
}

// clamp((product + 2^(shift-1)) >> shift, lo, hi); shift 1 to 62, >> arithmetic.
static inline uint8_t soft_requantize(int64_t product, uint32_t shift, int32_t lo, int32_t hi) {
    const int64_t value = (product + ((int64_t)1 << (shift - 1u))) >> shift;
    return (uint8_t)(value < lo ? lo : value > hi ? hi : value);
}

#endif
