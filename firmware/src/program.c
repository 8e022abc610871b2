// The program of an image: its steps, in order.
#include "tsm_firmware.h"

static uint32_t run_software(const struct tsm_image *image, const uint32_t *step) {
    const uint32_t table = tsm_get(step, TSM_STEP_TABLE);
    tsm_soft_run(tsm_activations(), step, table == 0u ? 0 : (const int32_t *)tsm_image_at(image, table));
    return TSM_ERR_NONE;
}

// `prepared`: the accelerator knows its first run already.
static uint32_t run_steps(const struct tsm_image *image, int boot, int prepared) {
    const uint32_t *step = tsm_image_step(image, 0);
    uint32_t error = TSM_ERR_NONE;
    for (uint32_t left = tsm_get(image->header, TSM_HEADER_STEP_COUNT); error == TSM_ERR_NONE && left > 0u; left--) {
        const uint32_t kind = tsm_get(step, TSM_STEP_KIND);
        if (boot == (kind == TSM_STEP_BOOT)) {
            if (kind == TSM_STEP_SOFTWARE) {
                error = run_software(image, step);
            } else {
                if (!prepared) tsm_accel_prepare(image, step);
                prepared = 0;
                error = tsm_accel_run();
            }
        }
        step += TSM_STEP_WORDS;
    }
    return error;
}

uint32_t tsm_program_boot(const struct tsm_image *image) { return run_steps(image, 1, 0); }
uint32_t tsm_program_run(const struct tsm_image *image) { return run_steps(image, 0, 1); }

void tsm_program_prepare(const struct tsm_image *image) {
    const uint32_t *step = tsm_image_step(image, 0);
    for (uint32_t left = tsm_get(image->header, TSM_HEADER_STEP_COUNT); left > 0u; left--, step += TSM_STEP_WORDS) {
        if (tsm_get(step, TSM_STEP_KIND) == TSM_STEP_HARDWARE) {
            tsm_accel_prepare(image, step);
            return;
        }
    }
}
