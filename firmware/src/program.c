// The program of an image: its steps, in order.
#include "tsm_firmware.h"

static TSM_APART void run_software(const struct tsm_image *image, const uint32_t *step) {
    const uint32_t table = tsm_get(step, TSM_STEP_TABLE);
    tsm_soft_run(tsm_activations(), step, table == 0u ? 0 : (const int32_t *)tsm_image_at(image, table));
}

static uint32_t run_accelerator(struct tsm_image *image, const uint32_t *step) {
    tsm_accel_prepare(image, step);
    return tsm_accel_run();
}

TSM_APART uint32_t tsm_program_boot(struct tsm_image *image) {
    uint32_t error = TSM_ERR_NONE;
    for (uint32_t i = 0; error == TSM_ERR_NONE && i < tsm_get(image->header, TSM_HEADER_STEP_COUNT); i++) {
        const uint32_t *step = tsm_image_step(image, i);
        if (tsm_get(step, TSM_STEP_KIND) == TSM_STEP_BOOT) error = run_accelerator(image, step);
    }
    return error;
}

uint32_t tsm_program_run(struct tsm_image *image) {
    const uint32_t *step = image->steps;
    uint32_t error = TSM_ERR_NONE;
    for (uint32_t left = image->step_count; error == TSM_ERR_NONE && left > 0u; left--, step += TSM_STEP_WORDS) {
        const uint32_t kind = tsm_get(step, TSM_STEP_KIND);
        if (kind == TSM_STEP_HARDWARE) error = run_accelerator(image, step);
        else if (kind == TSM_STEP_SOFTWARE) run_software(image, step);
    }
    return error;
}

void tsm_program_prepare(struct tsm_image *image) {
    const uint32_t *step = image->steps;
    for (uint32_t left = image->step_count; left > 0u; left--, step += TSM_STEP_WORDS) {
        if (tsm_get(step, TSM_STEP_KIND) == TSM_STEP_HARDWARE) {
            tsm_accel_prepare(image, step);
            return;
        }
    }
}
