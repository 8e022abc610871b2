// Sums of products, for chips whose elements do not have them: convolutions of all kinds and dense layers.
#include "soft.h"

// A window over the input, and how many channels of a pixel one output reads.
struct conv {
    const uint8_t *in;
    int32_t in_h, in_w, kh, kw, dil_y, dil_x;
    uint32_t inputs, depth;
    int32_t sign, less;  // 128 for int8: (byte ^ sign) - sign is what is stored; less takes the zero point off too
};

// The sum of one output whose window begins at (top, left), over the channels from `first` on.
static int32_t sum_of(const struct conv *c, int32_t sum, const int8_t *weight, int32_t top, int32_t left, uint32_t first) {
    for (int32_t ky = 0; ky < c->kh; ky++) {
        const int32_t row = top + ky * c->dil_y;
        for (int32_t kx = 0; kx < c->kw; kx++, weight += c->depth) {
            const int32_t column = left + kx * c->dil_x;
            if (row < 0 || row >= c->in_h || column < 0 || column >= c->in_w) continue;
            const uint8_t *x = c->in + (uint32_t)(row * c->in_w + column) * c->inputs + first;
            for (uint32_t i = 0; i < c->depth; i++) sum += weight[i] * ((x[i] ^ c->sign) - c->less);
        }
    }
    return sum;
}

// Ends a sum, output `channel` of the pixel at `out`.
static void put_output(uint8_t *out, const uint32_t *step, const struct ending *end, uint32_t channel, int32_t sum,
                       int32_t multiplier) {
    switch (tsm_get(step, TSM_STEP_ENDING)) {
    case TSM_END_RAW: soft_put_word(out + 4u * channel, (uint32_t)sum); break;
    case TSM_END_THRESHOLD:
        if (tsm_get(step, TSM_STEP_PACKED) == 0u) {
            out[channel] = sum < 0 ? 0xffu : 1u;
        } else {
            if (channel % 8u == 0u) out[channel / 8u] = 0u;
            out[channel / 8u] |= (uint8_t)((sum < 0 ? 1u : 0u) << channel % 8u);
        }
        break;
    default:
        out[channel] = soft_requantize((int64_t)sum * multiplier, end);
    }
}

void tsm_soft_conv(uint8_t *memory, const uint32_t *step, const int32_t *table) {
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), groups = tsm_get(step, TSM_STEP_GROUPS);
    const uint32_t is_signed = tsm_get(step, TSM_STEP_IN_SIGNED);
    const int32_t sign = is_signed != 0u ? 128 : 0;
    const struct ending end = soft_ending(step);
    const struct conv c = {
        .in = memory + tsm_get(step, TSM_STEP_IN_BASE),
        .in_h = (int32_t)tsm_get(step, TSM_STEP_IN_H),
        .in_w = (int32_t)tsm_get(step, TSM_STEP_IN_W),
        .kh = (int32_t)tsm_get(step, TSM_STEP_KH),
        .kw = (int32_t)tsm_get(step, TSM_STEP_KW),
        .dil_y = (int32_t)tsm_get(step, TSM_STEP_DIL_Y),
        .dil_x = (int32_t)tsm_get(step, TSM_STEP_DIL_X),
        .inputs = tsm_get(step, TSM_STEP_INPUTS),
        .depth = tsm_get(step, TSM_STEP_INPUTS) / groups,
        .sign = sign,
        .less = sign + soft_value((uint8_t)tsm_get(step, TSM_STEP_IN_ZERO), is_signed),
    };
    const uint32_t words = tsm_soft_conv_words(step), pixel = tsm_soft_conv_pixel(step), together = channels / groups;
    const int32_t stride_y = (int32_t)tsm_get(step, TSM_STEP_STRIDE_Y), stride_x = (int32_t)tsm_get(step, TSM_STEP_STRIDE_X);
    const int32_t out_h = (int32_t)tsm_get(step, TSM_STEP_OUT_H), out_w = (int32_t)tsm_get(step, TSM_STEP_OUT_W);
    uint8_t *out = memory + tsm_get(step, TSM_STEP_OUT_BASE);
    for (int32_t y = 0; y < out_h; y++) {
        const int32_t top = y * stride_y - (int32_t)tsm_get(step, TSM_STEP_PAD_TOP);
        for (int32_t x = 0; x < out_w; x++, out += pixel) {
            const int32_t left = x * stride_x - (int32_t)tsm_get(step, TSM_STEP_PAD_LEFT), *row = table;
            uint32_t first = 0u, left_of_group = together;
            for (uint32_t channel = 0; channel < channels; channel++, row += words) {
                tsm_alive();
                const int32_t sum = sum_of(&c, row[0], (const int8_t *)(row + 2), top, left, first);
                put_output(out, step, &end, channel, sum, row[1]);
                if (--left_of_group == 0u) first += c.depth, left_of_group = together;
            }
        }
    }
}

uint32_t tsm_soft_conv_words(const uint32_t *step) {
    const uint32_t taps = tsm_get(step, TSM_STEP_KH) * tsm_get(step, TSM_STEP_KW);
    const uint32_t weights = taps * (tsm_get(step, TSM_STEP_INPUTS) / tsm_get(step, TSM_STEP_GROUPS));
    return 2u + weights / 4u + (weights % 4u != 0u ? 1u : 0u);
}

uint32_t tsm_soft_conv_pixel(const uint32_t *step) {
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), ending = tsm_get(step, TSM_STEP_ENDING);
    if (ending == TSM_END_RAW) return 4u * channels;
    return ending == TSM_END_THRESHOLD && tsm_get(step, TSM_STEP_PACKED) != 0u ? (channels + 7u) / 8u : channels;
}
