// The result stream: a header, then the output tensors, sent by the hardware from the activation memory. After each
// part the processor sleeps until it was taken, so a host that does not listen stops the chip but not the watchdog.
#include "tsm_firmware.h"

static uint32_t words_of(const uint32_t *entry) { return (tsm_get(entry, TSM_OUTPUT_BYTES) + 3u) / 4u; }

static void send_header(uint32_t error, uint32_t sequence, uint32_t clocks, uint32_t payload) {
    tsm_write(TSM_RESULTS_DATA, tsm_place(error, TSM_RESULT_ERROR) | tsm_place(TSM_MAGIC_RESULT, TSM_RESULT_MAGIC));
    tsm_write(TSM_RESULTS_DATA, sequence);
    tsm_write(TSM_RESULTS_DATA, clocks);
    tsm_write(payload == 0u ? TSM_RESULTS_LAST : TSM_RESULTS_DATA, payload);
}

uint32_t tsm_results_words(const struct tsm_image *image) {
    const uint32_t *entry = image->outputs;
    uint32_t words = 0u;
    for (uint32_t left = image->output_count; left > 0u; left--, entry += TSM_OUTPUT_WORDS)
        words += words_of(entry);
    return words;
}

void tsm_results_send(const struct tsm_image *image, uint32_t sequence, uint32_t clocks) {
    const uint32_t *entry = image->outputs;
    send_header(TSM_ERR_NONE, sequence, clocks, image->result_words);
    for (uint32_t left = image->output_count; left > 0u; left--, entry += TSM_OUTPUT_WORDS) {
        tsm_write(TSM_RESULTS_BASE, tsm_get(entry, TSM_OUTPUT_BASE));
        tsm_write(TSM_RESULTS_WORDS, tsm_place(words_of(entry), TSM_RESULTS_WORDS_WORDS)
                                         | tsm_place(left == 1u ? 1u : 0u, TSM_RESULTS_WORDS_LAST));
        tsm_wait(TSM_IRQ_RESULT, 0u);  // the next frame may reuse the tensor's place
    }
}

void tsm_results_error(uint32_t error, uint32_t detail) {
    send_header(error, detail, 0u, 0u);
    tsm_wait(TSM_IRQ_RESULT, 0u);
}
