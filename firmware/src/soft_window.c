// Operators that move bytes: the largest of a window, of bits too, and rows to another distance.
#include "soft.h"

// Those taps of an output's window that lie inside the input: `rows` times `columns`, the first at byte `first`.
struct window {
    const uint8_t *first;
    uint32_t rows, columns, row_bytes, column_bytes;
};

typedef uint8_t reduction(const struct window *window, uint32_t channel, const uint32_t *step, const int32_t *table);

// How many of `count` taps lie from 0 to `size`; `at` becomes the place of the first that does.
static uint32_t inside(int32_t *at, uint32_t count, int32_t dilation, int32_t size) {
    for (; count > 0u && *at < 0; count--) *at += dilation;
    uint32_t found = 0u;
    for (int32_t place = *at; found < count && place < size; place += dilation) found++;
    return found;
}

static struct window window_of(const uint8_t *in, const uint32_t *step, uint32_t y, uint32_t x) {
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), in_w = tsm_get(step, TSM_STEP_IN_W);
    const uint32_t dil_y = tsm_get(step, TSM_STEP_DIL_Y), dil_x = tsm_get(step, TSM_STEP_DIL_X);
    int32_t row = (int32_t)(y * tsm_get(step, TSM_STEP_STRIDE_Y)) - (int32_t)tsm_get(step, TSM_STEP_PAD_TOP);
    int32_t column = (int32_t)(x * tsm_get(step, TSM_STEP_STRIDE_X)) - (int32_t)tsm_get(step, TSM_STEP_PAD_LEFT);
    const int32_t in_h = (int32_t)tsm_get(step, TSM_STEP_IN_H);
    const uint32_t rows = inside(&row, tsm_get(step, TSM_STEP_KH), (int32_t)dil_y, in_h);
    const uint32_t columns = inside(&column, tsm_get(step, TSM_STEP_KW), (int32_t)dil_x, (int32_t)in_w);
    if (rows == 0u || columns == 0u) return (struct window){in, 0u, 0u, 0u, 0u};
    const uint8_t *first = in + ((uint32_t)row * in_w + (uint32_t)column) * channels;
    return (struct window){first, rows, columns, dil_y * in_w * channels, dil_x * channels};
}

static uint8_t largest(const struct window *window, uint32_t channel, const uint32_t *step, const int32_t *table) {
    const uint32_t is_signed = tsm_get(step, TSM_STEP_IN_SIGNED);
    int32_t best = is_signed != 0u ? -128 : 0;
    (void)table;
    for (uint32_t row = 0; row < window->rows; row++) {
        uint32_t tap = row * window->row_bytes + channel;
        for (uint32_t left = window->columns; left > 0u; left--, tap += window->column_bytes) {
            const int32_t value = soft_value(window->first[tap], is_signed);
            if (value > best) best = value;
        }
    }
    return (uint8_t)best;
}

// The maximum of eight bits, 1 is -1: the AND of bytes; the minimum, their OR, of those that are 1 in the table.
static uint8_t largest_bits(const struct window *window, uint32_t channel, const uint32_t *step, const int32_t *table) {
    const uint8_t least = (uint8_t)table[channel];
    uint8_t best = 0xffu;
    (void)step;
    for (uint32_t row = 0; row < window->rows; row++) {
        uint32_t tap = row * window->row_bytes + channel;
        for (uint32_t left = window->columns; left > 0u; left--, tap += window->column_bytes)
            best &= window->first[tap] ^ least;
    }
    return best ^ least;
}

static void pool(uint8_t *memory, const uint32_t *step, const int32_t *table, reduction *reduce) {
    const uint8_t *in = memory + tsm_get(step, TSM_STEP_IN_BASE);
    uint8_t *out = memory + tsm_get(step, TSM_STEP_OUT_BASE);
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS);
    for (uint32_t y = 0; y < tsm_get(step, TSM_STEP_OUT_H); y++)
        for (uint32_t x = 0; x < tsm_get(step, TSM_STEP_OUT_W); x++) {
            const struct window window = window_of(in, step, y, x);
            for (uint32_t c = 0; c < channels; c++, tsm_alive()) *out++ = reduce(&window, c, step, table);
        }
}

void tsm_soft_max_pool(uint8_t *memory, const uint32_t *step) { pool(memory, step, 0, largest); }
void tsm_soft_bit_pool(uint8_t *memory, const uint32_t *step, const int32_t *table) {
    pool(memory, step, table, largest_bits);
}

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
