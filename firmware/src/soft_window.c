// Operators that move bytes: the largest of a window, of bits too, and rows to another distance.
#include "soft.h"

// The largest input byte of one window and channel; what lies outside the input never wins. With `least`, the byte is of
// eight bits, 1 is -1, and the result the AND of those that are 0 in *least, the OR of the others.
static uint8_t largest(const uint8_t *in, const uint32_t *step, int32_t top, int32_t left, uint32_t channel,
                       const int32_t *least) {
    const int32_t in_h = (int32_t)tsm_get(step, TSM_STEP_IN_H), in_w = (int32_t)tsm_get(step, TSM_STEP_IN_W);
    const int32_t kh = (int32_t)tsm_get(step, TSM_STEP_KH), kw = (int32_t)tsm_get(step, TSM_STEP_KW);
    const int32_t dil_y = (int32_t)tsm_get(step, TSM_STEP_DIL_Y), dil_x = (int32_t)tsm_get(step, TSM_STEP_DIL_X);
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), is_signed = tsm_get(step, TSM_STEP_IN_SIGNED);
    const int32_t flipped = least != 0 ? *least & 0xff : 0;
    int32_t best = least != 0 ? 0xff : is_signed != 0u ? -128 : 0;
    for (int32_t ky = 0; ky < kh; ky++) {
        const int32_t row = top + ky * dil_y;
        for (int32_t kx = 0; row >= 0 && row < in_h && kx < kw; kx++) {
            const int32_t column = left + kx * dil_x;
            if (column < 0 || column >= in_w) continue;
            const uint8_t byte = in[(uint32_t)(row * in_w + column) * channels + channel];
            const int32_t value = soft_value(byte, is_signed);
            if (least != 0) best &= byte ^ flipped;
            else if (value > best) best = value;
        }
    }
    return (uint8_t)(best ^ flipped);
}

static void pool(uint8_t *memory, const uint32_t *step, const int32_t *least) {
    const uint8_t *in = memory + tsm_get(step, TSM_STEP_IN_BASE);
    uint8_t *out = memory + tsm_get(step, TSM_STEP_OUT_BASE);
    const int32_t out_h = (int32_t)tsm_get(step, TSM_STEP_OUT_H), out_w = (int32_t)tsm_get(step, TSM_STEP_OUT_W);
    const int32_t stride_y = (int32_t)tsm_get(step, TSM_STEP_STRIDE_Y);
    const int32_t stride_x = (int32_t)tsm_get(step, TSM_STEP_STRIDE_X);
    const int32_t pad_top = (int32_t)tsm_get(step, TSM_STEP_PAD_TOP), pad_left = (int32_t)tsm_get(step, TSM_STEP_PAD_LEFT);
    for (int32_t y = 0; y < out_h; y++)
        for (int32_t x = 0; x < out_w; x++)
            for (uint32_t c = 0; c < tsm_get(step, TSM_STEP_CHANNELS); c++, tsm_alive())
                *out++ = largest(in, step, y * stride_y - pad_top, x * stride_x - pad_left, c, least != 0 ? least + c : 0);
}

void tsm_soft_max_pool(uint8_t *memory, const uint32_t *step) { pool(memory, step, 0); }
void tsm_soft_bit_pool(uint8_t *memory, const uint32_t *step, const int32_t *table) { pool(memory, step, table); }

void tsm_soft_copy(uint8_t *memory, const uint32_t *step) {
    const uint8_t *in = memory + tsm_get(step, TSM_STEP_IN_BASE);
    uint8_t *out = memory + tsm_get(step, TSM_STEP_OUT_BASE);
    const uint32_t bytes = tsm_get(step, TSM_STEP_CHANNELS);
    for (uint32_t rows = tsm_get(step, TSM_STEP_IN_H); rows > 0u; rows--) {
        tsm_alive();
        for (uint32_t i = 0; i < bytes; i++) out[i] = in[i];
        in += tsm_get(step, TSM_STEP_IN_W);
        out += tsm_get(step, TSM_STEP_OUT_W);
    }
}
