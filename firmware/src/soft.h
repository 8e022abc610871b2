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

// How products become stored bytes.
struct ending {
    uint32_t shift, zero;
    int32_t lo, hi;
};

static inline struct ending soft_ending(const uint32_t *step) {
    return (struct ending){
        .shift = tsm_get(step, TSM_STEP_SHIFT),
        .zero = tsm_get(step, TSM_STEP_ZERO),
        .lo = tsm_get_signed(step, TSM_STEP_LO),
        .hi = tsm_get_signed(step, TSM_STEP_HI),
    };
}

// clamp((product + 2^(shift-1)) >> shift, lo, hi) + zero; shift 1 to 62, >> arithmetic.
static inline uint8_t soft_requantize(int64_t product, const struct ending *end) {
    const int64_t value = (product + ((int64_t)1 << (end->shift - 1u))) >> end->shift;
    return (uint8_t)((uint32_t)(value < end->lo ? end->lo : value > end->hi ? end->hi : (int32_t)value) + end->zero);
}

#endif
