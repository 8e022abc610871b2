// The program of an image: its steps, in order.
#include "tsm_firmware.h"

static uint32_t run_software(const struct tsm_image *image, const uint32_t *step) {
    const uint32_t table = tsm_get(step, TSM_STEP_TABLE);
    tsm_soft_run(tsm_activations(), step, table == 0u ? 0 : (const int32_t *)tsm_image_at(image, table));
    return TSM_ERR_NONE;
}

static uint32_t run_steps(const struct tsm_image *image, int boot) {
    const uint32_t count = tsm_get(image->header, TSM_HEADER_STEP_COUNT);
    uint32_t error = TSM_ERR_NONE;
    for (uint32_t i = 0; error == TSM_ERR_NONE && i < count; i++) {
        const uint32_t *step = tsm_image_step(image, i);
        const uint32_t kind = tsm_get(step, TSM_STEP_KIND);
        if (boot != (kind == TSM_STEP_BOOT)) continue;
        error = kind == TSM_STEP_SOFTWARE ? run_software(image, step) : tsm_accel_run(image, step);
    }
    return error;
}

uint32_t tsm_program_boot(const struct tsm_image *image) { return run_steps(image, 1); }
uint32_t tsm_program_run(const struct tsm_image *image) { return run_steps(image, 0); }
