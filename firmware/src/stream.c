// The sample stream: which inputs the image wants, and filling them for one frame.
#include "tsm_firmware.h"

static const uint32_t *entry_at(const struct tsm_image *image, uint32_t index) {
    return tsm_image_at(image, tsm_get(image->header, TSM_HEADER_INPUTS)) + index * TSM_INPUT_WORDS;
}

static int trigger_fits(const uint32_t *entry) {
    const uint32_t samples = tsm_get(entry, TSM_INPUT_SAMPLES), format = tsm_get(entry, TSM_INPUT_FORMAT);
    const uint32_t size = format >= TSM_FORMAT_PAIR ? 2u : 1u, shift = tsm_get(entry, TSM_INPUT_SHIFT);
    return format <= TSM_FORMAT_INT16 && (format != TSM_FORMAT_SPLIT || (shift >= 1u && shift <= 8u)) && samples >= 1u && samples <= tsm_read(TSM_STREAM_DEPTH)
        && tsm_get(entry, TSM_INPUT_PRETRIGGER) < samples && tsm_get(entry, TSM_INPUT_BYTES) == samples * size;
}

static uint32_t check(const uint32_t *entry, uint32_t mode, uint32_t count) {
    const uint32_t base = tsm_get(entry, TSM_INPUT_BASE), bytes = tsm_get(entry, TSM_INPUT_BYTES);
    const uint32_t size = tsm_read(TSM_SYSTEM_ACT_BYTES), beat = tsm_get(entry, TSM_INPUT_BEAT_BYTES);
    if (beat != tsm_read(TSM_STREAM_WIDTH) || (mode == TSM_MODE_TRIGGER && beat != 2u)) return TSM_ERR_STREAM_WIDTH;
    if (base % 4u != 0u || bytes == 0u || base > size || bytes > size - base) return TSM_ERR_STREAM_INPUT;
    if (mode != tsm_get(entry, TSM_INPUT_MODE) || mode > TSM_MODE_TRIGGER) return TSM_ERR_STREAM_INPUT;
    if (mode == TSM_MODE_TRIGGER && (count != 1u || !trigger_fits(entry))) return TSM_ERR_STREAM_INPUT;
    return TSM_ERR_NONE;
}

static TSM_APART void configure(const uint32_t *entry) {
    tsm_write(TSM_STREAM_BASE, tsm_get(entry, TSM_INPUT_BASE));
    tsm_write(TSM_STREAM_BYTES, tsm_get(entry, TSM_INPUT_BYTES));
    tsm_write(TSM_STREAM_TIMEOUT, tsm_get(entry, TSM_INPUT_TIMEOUT));
    tsm_write(TSM_STREAM_FRAME, tsm_place(tsm_get(entry, TSM_INPUT_SAMPLES), TSM_STREAM_FRAME_SAMPLES)
                                    | tsm_place(tsm_get(entry, TSM_INPUT_PRETRIGGER), TSM_STREAM_FRAME_PRETRIGGER));
    tsm_write(TSM_STREAM_LEVEL, tsm_place(tsm_get(entry, TSM_INPUT_THRESHOLD), TSM_STREAM_LEVEL_THRESHOLD)
                                    | tsm_place(tsm_get(entry, TSM_INPUT_OFFSET), TSM_STREAM_LEVEL_OFFSET));
    tsm_write(TSM_STREAM_CONFIG, tsm_place(tsm_get(entry, TSM_INPUT_MODE), TSM_STREAM_CONFIG_MODE)
                                     | tsm_place(tsm_get(entry, TSM_INPUT_FORMAT), TSM_STREAM_CONFIG_FORMAT)
                                     | tsm_place(tsm_get(entry, TSM_INPUT_SHIFT), TSM_STREAM_CONFIG_SHIFT));
}

uint32_t tsm_inputs_open(struct tsm_image *image) {
    image->input_count = tsm_get(image->header, TSM_HEADER_INPUT_COUNT);
    image->input_mode = tsm_get(entry_at(image, 0), TSM_INPUT_MODE);
    for (uint32_t i = 0; i < image->input_count; i++) {
        const uint32_t error = check(entry_at(image, i), image->input_mode, image->input_count);
        if (error != TSM_ERR_NONE) return error;
    }
    configure(entry_at(image, 0));  // from here on, the trigger mode collects samples
    return TSM_ERR_NONE;
}

static void begin(const struct tsm_image *image, uint32_t index) {
    if (image->input_count > 1u) configure(entry_at(image, index));
    tsm_write(TSM_STREAM_CTRL, tsm_place(1u, TSM_STREAM_CTRL_START));
}

static uint32_t finish(void) {
    tsm_wait(TSM_IRQ_STREAM, 0u);
    const uint32_t status = tsm_read(TSM_STREAM_STATUS);
    tsm_write(TSM_STREAM_STATUS, tsm_place(1u, TSM_STREAM_STATUS_DONE));
    return tsm_get(&status, TSM_STREAM_STATUS_ERROR);
}

void tsm_inputs_begin(const struct tsm_image *image) { begin(image, 0u); }

uint32_t tsm_inputs_finish(const struct tsm_image *image) {
    uint32_t error = finish();
    for (uint32_t i = 1; error == TSM_ERR_NONE && i < image->input_count; i++) {
        begin(image, i);
        error = finish();
    }
    return error;
}
