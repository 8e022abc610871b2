// What a classifier ends in: softmax and the place of the first maximum, over in_h rows of `channels` classes.
#include "soft.h"

// The place of the highest bit that is 1.
static uint32_t top_bit(uint32_t value) {
    uint32_t place = 0u;
    while (value >> 1u != 0u) value >>= 1u, place++;
    return place;
}

// `value` rounded to 24 bits, half to even, as (mantissa in [2^23, 2^24), place of its highest bit).
static uint32_t mantissa(uint32_t value, int32_t *exponent) {
    uint32_t top = top_bit(value);
    *exponent = (int32_t)top;
    if (top <= 23u) return value << (23u - top);
    const uint32_t cut = top - 23u, rest = value & ((1u << cut) - 1u), half = 1u << (cut - 1u);
    uint32_t kept = value >> cut;
    if (rest > half || (rest == half && (kept & 1u) != 0u)) kept++;
    if (kept >> 24u != 0u) kept >>= 1u, (*exponent)++;
    return kept;
}

uint32_t tsm_soft_quotient(uint32_t a, uint32_t b) {
    if (a == 0u) return 0u;
    int32_t up, down;
    uint32_t rest = mantissa(a, &up);
    const uint32_t by = mantissa(b, &down);
    int32_t exponent = up - down;
    if (rest < by) rest <<= 1u, exponent--;
    // One digit of a bit, then three of eight: 24 bits and one to round by; what is left says whether it is exactly half.
    uint32_t quotient = 1u;
    rest -= by;
    for (int i = 0; i < 3; i++) {
        const uint32_t digit = (rest << 8u) / by;
        rest = (rest << 8u) - digit * by;
        quotient = quotient << 8u | digit;
    }
    const uint32_t odd = quotient >> 1u & 1u;
    uint32_t bits = (quotient >> 1u) + ((quotient & 1u) != 0u && (rest != 0u || odd != 0u) ? 1u : 0u);
    // The mantissa's highest bit adds 1 to the exponent, and a carry out of it adds another, as it must.
    return ((uint32_t)(exponent + 126) << 23u) + bits;
}

static int32_t maximum(const uint8_t *row, uint32_t channels, uint32_t is_signed, uint32_t *place) {
    int32_t best = soft_value(row[0], is_signed);
    *place = 0u;
    for (uint32_t c = 1; c < channels; c++) {
        const int32_t value = soft_value(row[c], is_signed);
        if (value > best) best = value, *place = c;
    }
    return best;
}

void tsm_soft_softmax(uint8_t *memory, const uint32_t *step, const int32_t *table) {
    const uint8_t *in = memory + tsm_get(step, TSM_STEP_IN_BASE);
    uint8_t *out = memory + tsm_get(step, TSM_STEP_OUT_BASE);
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), is_signed = tsm_get(step, TSM_STEP_IN_SIGNED);
    for (uint32_t rows = tsm_get(step, TSM_STEP_IN_H); rows > 0u; rows--, in += channels) {
        tsm_alive();
        uint32_t place, sum = 0u;
        const int32_t best = maximum(in, channels, is_signed, &place);
        for (uint32_t c = 0; c < channels; c++) sum += (uint32_t)table[best - soft_value(in[c], is_signed)];
        for (uint32_t c = 0; c < channels; c++)
            out = soft_put_word(out, tsm_soft_quotient((uint32_t)table[best - soft_value(in[c], is_signed)], sum));
    }
}

void tsm_soft_argmax(uint8_t *memory, const uint32_t *step) {
    const uint8_t *in = memory + tsm_get(step, TSM_STEP_IN_BASE);
    uint8_t *out = memory + tsm_get(step, TSM_STEP_OUT_BASE);
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), is_signed = tsm_get(step, TSM_STEP_IN_SIGNED);
    for (uint32_t rows = tsm_get(step, TSM_STEP_IN_H); rows > 0u; rows--, in += channels) {
        tsm_alive();
        uint32_t place;
        (void)maximum(in, channels, is_signed, &place);
        out = soft_put_word(soft_put_word(out, place), 0u);
    }
}
