// Driver of the accelerator: gives it a range of the descriptors, ahead of time, and sleeps until it has run them.
#include "tsm_firmware.h"

#define RUN_LIMIT 500000000u  // clocks; a run that takes longer hangs

static TSM_APART void tell(const struct tsm_image *image, const uint32_t *step) {
    const uint32_t loads = tsm_get(image->header, TSM_HEADER_COMPUTE_COUNT) * TSM_COMPUTE_WORDS;
    tsm_write(TSM_CSR_COMPUTE_BASE, tsm_get(step, TSM_STEP_FIRST_COMPUTE) * TSM_COMPUTE_WORDS);
    tsm_write(TSM_CSR_COMPUTE_COUNT, tsm_get(step, TSM_STEP_COMPUTE_COUNT));
    tsm_write(TSM_CSR_LOAD_BASE, loads + tsm_get(step, TSM_STEP_FIRST_LOAD) * TSM_LOAD_WORDS);
    tsm_write(TSM_CSR_LOAD_COUNT, tsm_get(step, TSM_STEP_LOAD_COUNT));
}

void tsm_accel_prepare(struct tsm_image *image, const uint32_t *step) {
    if (image->prepared == step) return;
    image->prepared = step;
    tell(image, step);
}

// A start clears what the run before has left in STATUS.
uint32_t tsm_accel_run(void) {
    const uint32_t irq = tsm_place(1u, TSM_CSR_CTRL_IRQ_ENABLE);
    tsm_write(TSM_CSR_CTRL, irq | tsm_place(1u, TSM_CSR_CTRL_START));
    if (!tsm_wait(TSM_IRQ_ACCEL, RUN_LIMIT)) {
        tsm_write(TSM_CSR_CTRL, irq | tsm_place(1u, TSM_CSR_CTRL_ABORT));
        return TSM_ERR_HANG;
    }
    const uint32_t status = tsm_read(TSM_CSR_STATUS);
    if (tsm_get(&status, TSM_CSR_STATUS_ERROR) == 0u) return TSM_ERR_NONE;
    const uint32_t error = tsm_read(TSM_CSR_ERROR);
    return tsm_get(&error, TSM_CSR_ERROR_CODE);
}
