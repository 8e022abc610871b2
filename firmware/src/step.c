// Checks of program steps, once at boot, so that running them needs none.
#include "tsm_firmware.h"

// What a software operator touches: bytes of its tensors, words of its table; and whether it requantizes.
struct extent {
    uint64_t in, in2, out, table;
    int scales;
};

static uint64_t strided(uint32_t rows, uint32_t stride, uint32_t bytes) {
    return rows == 0u ? 0u : (uint64_t)(rows - 1u) * stride + bytes;
}

// Of a convolution; of none where its groups do not divide its channels.
static struct extent conv_extent(const uint32_t *step) {
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), inputs = tsm_get(step, TSM_STEP_INPUTS);
    const uint32_t groups = tsm_get(step, TSM_STEP_GROUPS), ending = tsm_get(step, TSM_STEP_ENDING);
    if (groups == 0u || channels % groups != 0u || inputs % groups != 0u || ending > TSM_END_THRESHOLD)
        return (struct extent){0u, 0u, 0u, 0u, 0};
    return (struct extent){
        .in = (uint64_t)tsm_get(step, TSM_STEP_IN_H) * tsm_get(step, TSM_STEP_IN_W) * inputs,
        .out = (uint64_t)tsm_get(step, TSM_STEP_OUT_H) * tsm_get(step, TSM_STEP_OUT_W) * tsm_soft_conv_pixel(step),
        .table = (uint64_t)channels * tsm_soft_conv_words(step),
        .scales = ending == TSM_END_REQUANTIZE,
    };
}

static uint32_t extent_of(const uint32_t *step, struct extent *extent) {
    const uint32_t channels = tsm_get(step, TSM_STEP_CHANNELS), in_h = tsm_get(step, TSM_STEP_IN_H);
    const uint64_t in = (uint64_t)in_h * tsm_get(step, TSM_STEP_IN_W) * channels;
    const uint64_t out = (uint64_t)tsm_get(step, TSM_STEP_OUT_H) * tsm_get(step, TSM_STEP_OUT_W) * channels;
    switch (tsm_get(step, TSM_STEP_OPERATOR)) {
    case TSM_SOFT_ADD: *extent = (struct extent){out, out, out, 0u, 1}; break;
    case TSM_SOFT_MAXPOOL: *extent = (struct extent){in, 0u, out, 0u, 0}; break;
    case TSM_SOFT_REQUANTIZE: *extent = (struct extent){out, 0u, out, channels, 1}; break;
    case TSM_SOFT_PIECEWISE: *extent = (struct extent){out, 0u, out, 5u * channels, 1}; break;
    case TSM_SOFT_TABLE: *extent = (struct extent){out, 0u, out, 64u, 0}; break;
    case TSM_SOFT_COPY:
        *extent = (struct extent){strided(in_h, tsm_get(step, TSM_STEP_IN_W), channels), 0u,
                                  strided(in_h, tsm_get(step, TSM_STEP_OUT_W), channels), 0u, 0};
        break;
    case TSM_SOFT_SOFTMAX:
        *extent = (struct extent){(uint64_t)in_h * channels, 0u, 4u * (uint64_t)in_h * channels, 256u, 0};
        break;
    case TSM_SOFT_ARGMAX: *extent = (struct extent){(uint64_t)in_h * channels, 0u, 8u * (uint64_t)in_h, 0u, 0}; break;
    case TSM_SOFT_CONV: *extent = conv_extent(step); break;
    case TSM_SOFT_BITPOOL: *extent = (struct extent){in, 0u, out, channels, 0}; break;
    default: return TSM_ERR_STEP;
    }
    return TSM_ERR_NONE;
}

static uint32_t check_software(const struct tsm_image *image, const uint32_t *step) {
    const uint64_t size = tsm_read(TSM_SYSTEM_ACT_BYTES);
    const uint32_t table = tsm_get(step, TSM_STEP_TABLE), payload = tsm_get(image->header, TSM_HEADER_PAYLOAD);
    struct extent extent;
    const uint32_t error = extent_of(step, &extent);
    if (error != TSM_ERR_NONE) return error;
    if (extent.out == 0u || tsm_get(step, TSM_STEP_CHANNELS) == 0u
        || tsm_get(step, TSM_STEP_IN_BASE) + extent.in > size
        || tsm_get(step, TSM_STEP_IN2_BASE) + extent.in2 > size || tsm_get(step, TSM_STEP_OUT_BASE) + extent.out > size)
        return TSM_ERR_STEP_LAYOUT;
    const uint32_t shift = tsm_get(step, TSM_STEP_SHIFT);
    if (extent.scales && (shift < 1u || shift > 62u)) return TSM_ERR_STEP_LAYOUT;
    if (extent.table != 0u
        && (table % 4u != 0u || table < 4u * TSM_HEADER_WORDS || table > payload || extent.table > (payload - table) / 4u))
        return TSM_ERR_STEP_LAYOUT;
    // A softmax whose table begins with 0 would divide by it.
    const int softmax = tsm_get(step, TSM_STEP_OPERATOR) == TSM_SOFT_SOFTMAX;
    return softmax && tsm_image_at(image, table)[0] == 0u ? TSM_ERR_STEP_LAYOUT : TSM_ERR_NONE;
}

static uint32_t check_hardware(const struct tsm_image *image, const uint32_t *step) {
    const uint32_t computes = tsm_get(step, TSM_STEP_FIRST_COMPUTE) + tsm_get(step, TSM_STEP_COMPUTE_COUNT);
    const uint32_t loads = tsm_get(step, TSM_STEP_FIRST_LOAD) + tsm_get(step, TSM_STEP_LOAD_COUNT);
    const int fits = computes <= tsm_get(image->header, TSM_HEADER_COMPUTE_COUNT)
                  && loads <= tsm_get(image->header, TSM_HEADER_LOAD_COUNT);
    return fits ? TSM_ERR_NONE : TSM_ERR_STEP_LAYOUT;
}

uint32_t tsm_step_check(const struct tsm_image *image, const uint32_t *step) {
    switch (tsm_get(step, TSM_STEP_KIND)) {
    case TSM_STEP_HARDWARE:
    case TSM_STEP_BOOT: return check_hardware(image, step);
    case TSM_STEP_SOFTWARE: return check_software(image, step);
    default: return TSM_ERR_STEP;
    }
}
