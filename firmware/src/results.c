// The result stream: a header, then the output tensors, sent by the hardware from the activation memory. Each part waits
// until the one before has been taken, asleep, so that a host that does not listen stops the chip but not the watchdog.
#include "tsm_firmware.h"

static uint32_t words_of(const uint32_t *entry) { return (tsm_get(entry, TSM_OUTPUT_BYTES) + 3u) / 4u; }

static void send_header(uint32_t error, uint32_t sequence, uint32_t clocks, uint32_t payload) {
    tsm_wait(TSM_IRQ_RESULT, 0u);
    tsm_write(TSM_RESULTS_DATA, tsm_place(error, TSM_RESULT_ERROR) | tsm_place(TSM_MAGIC_RESULT, TSM_RESULT_MAGIC));
    tsm_write(TSM_RESULTS_DATA, sequence);
    tsm_write(TSM_RESULTS_DATA, clocks);
    tsm_write(payload == 0u ? TSM_RESULTS_LAST : TSM_RESULTS_DATA, payload);
}

void tsm_results_send(const struct tsm_image *image, uint32_t sequence, uint32_t clocks) {
    const uint32_t *first = tsm_image_at(image, tsm_get(image->header, TSM_HEADER_OUTPUTS));
    const uint32_t *end = first + TSM_OUTPUT_WORDS * tsm_get(image->header, TSM_HEADER_OUTPUT_COUNT);
    uint32_t payload = 0u;
    for (const uint32_t *entry = first; entry < end; entry += TSM_OUTPUT_WORDS) payload += words_of(entry);
    send_header(TSM_ERR_NONE, sequence, clocks, payload);
    for (const uint32_t *entry = first; entry < end; entry += TSM_OUTPUT_WORDS) {
        const uint32_t last = entry + TSM_OUTPUT_WORDS == end ? 1u : 0u;
        if (entry != first) tsm_wait(TSM_IRQ_RESULT, 0u);
        tsm_write(TSM_RESULTS_BASE, tsm_get(entry, TSM_OUTPUT_BASE));
        tsm_write(TSM_RESULTS_WORDS, tsm_place(words_of(entry), TSM_RESULTS_WORDS_WORDS)
                                         | tsm_place(last, TSM_RESULTS_WORDS_LAST));
    }
    tsm_wait(TSM_IRQ_RESULT, 0u);  // the next frame may reuse the tensors' place
}

void tsm_results_error(uint32_t error, uint32_t detail) { send_header(error, detail, 0u, 0u); }
