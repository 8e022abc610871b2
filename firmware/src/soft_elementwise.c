// Operators that work element by element on HWC tensors of out_h * out_w pixels.
#include "soft.h"

// The fields that all of them use.
struct elements {
    const uint8_t *in, *in2;
    uint8_t *out;
    uint32_t pixels, channels, in_signed, in2_signed;
    int32_t in_zero, in2_zero;
    struct ending end;
};

static struct elements elements_of(uint8_t *memory, const uint32_t *step) {
    const uint32_t in_signed = tsm_get(step, TSM_STEP_IN_SIGNED), in2_signed = tsm_get(step, TSM_STEP_IN2_SIGNED);
    return (struct elements){
        .in = memory + tsm_get(step, TSM_STEP_IN_BASE),
        .in2 = memory + tsm_get(step, TSM_STEP_IN2_BASE),
        .out = memory + tsm_get(step, TSM_STEP_OUT_BASE),
        .pixels = tsm_get(step, TSM_STEP_OUT_H) * tsm_get(step, TSM_STEP_OUT_W),
        .channels = tsm_get(step, TSM_STEP_CHANNELS),
        .in_signed = in_signed,
        .in2_signed = in2_signed,
        .in_zero = soft_value((uint8_t)tsm_get(step, TSM_STEP_IN_ZERO), in_signed),
        .in2_zero = soft_value((uint8_t)tsm_get(step, TSM_STEP_IN2_ZERO), in2_signed),
        .end = soft_ending(step),
    };
}

void tsm_soft_add(uint8_t *memory, const uint32_t *step) {
    const struct elements e = elements_of(memory, step);
    const int64_t m_a = tsm_get_signed(step, TSM_STEP_M_A), m_b = tsm_get_signed(step, TSM_STEP_M_B);
    for (uint32_t i = 0; i < e.pixels * e.channels; i++) {
        if (i % 1024u == 0u) tsm_alive();
        const int32_t a = soft_value(e.in[i], e.in_signed) - e.in_zero, b = soft_value(e.in2[i], e.in2_signed) - e.in2_zero;
        e.out[i] = soft_requantize(m_a * a + m_b * b, &e.end);
    }
}

void tsm_soft_requantize(uint8_t *memory, const uint32_t *step, const int32_t *table) {
    struct elements e = elements_of(memory, step);
    for (; e.pixels > 0u; e.pixels--) {
        tsm_alive();
        for (uint32_t c = 0; c < e.channels; c++) {
            const int64_t product = (int64_t)table[c] * (soft_value(*e.in++, e.in_signed) - e.in_zero);
            *e.out++ = soft_requantize(product, &e.end);
        }
    }
}

void tsm_soft_table(uint8_t *memory, const uint32_t *step, const int32_t *table) {
    const struct elements e = elements_of(memory, step);
    const uint8_t *results = (const uint8_t *)table;
    for (uint32_t i = 0; i < e.pixels * e.channels; i++) {
        if (i % 1024u == 0u) tsm_alive();
        e.out[i] = results[e.in[i]];
    }
}

void tsm_soft_piecewise(uint8_t *memory, const uint32_t *step, const int32_t *table) {
    struct elements e = elements_of(memory, step);
    for (; e.pixels > 0u; e.pixels--) {
        tsm_alive();
        for (uint32_t c = 0; c < e.channels; c++) {
            const int32_t *knee = table + 5u * c, x = soft_value(*e.in++, e.in_signed) - e.in_zero;
            const int32_t *piece = x >= *knee ? knee + 3 : knee + 1;
            *e.out++ = soft_requantize((int64_t)x * piece[0] + piece[1], &e.end);
        }
    }
}
