// Boot, then one frame after the other: samples in, the program, results out.
#include "tsm_firmware.h"

extern uint32_t tsm_tables_start[], tsm_tables_end[];  // of the linker script

static struct tsm_image image;
static struct {
    uint32_t frames, errors;
} counters;

static TSM_APART void report(uint32_t error, uint32_t detail) {
    counters.errors++;
    tsm_write(TSM_SYSTEM_ERROR, error);
    tsm_log("error");
    tsm_log_number("code", error);
    tsm_log_number("detail", detail);
    tsm_log_number("frames", counters.frames);
    tsm_log_number("errors", counters.errors);
    tsm_log_number("lost", tsm_read(TSM_STREAM_OVERFLOWS));
    tsm_log("\n");
    tsm_results_error(error, detail);
}

// Why the watchdog restarted the chip, or 0.
static uint32_t restart_cause(void) {
    const uint32_t cause = tsm_read(TSM_WATCHDOG_CAUSE);
    tsm_write(TSM_WATCHDOG_CAUSE, cause);
    if (tsm_get(&cause, TSM_WATCHDOG_CAUSE_TRAP) != 0u) return TSM_ERR_TRAP;
    return tsm_get(&cause, TSM_WATCHDOG_CAUSE_WATCHDOG) != 0u ? TSM_ERR_WATCHDOG : TSM_ERR_NONE;
}

static TSM_APART uint32_t boot(void) {
    const uint32_t cause = restart_cause();
    tsm_watchdog_start();
    tsm_log("tinsmith soc");
    tsm_log_number("id", tsm_read(TSM_CSR_ID));
    tsm_log("\n");
    if (cause != TSM_ERR_NONE) report(cause, 0u);
    uint32_t error = tsm_image_open(&image, tsm_tables_start, (uint32_t)(tsm_tables_end - tsm_tables_start));
    if (error == TSM_ERR_NONE) error = tsm_program_boot(&image);
    if (error == TSM_ERR_NONE) error = tsm_inputs_open(&image);
    return error;
}

static void serve_frame(void) {
    tsm_inputs_begin(&image);
    tsm_program_prepare(&image);
    uint32_t error = tsm_inputs_finish(&image);
    const uint32_t begin = tsm_clock();
    if (error == TSM_ERR_NONE) error = tsm_program_run(&image);
    const uint32_t clocks = tsm_clock() - begin;
    if (error != TSM_ERR_NONE) {
        report(error, tsm_read(TSM_CSR_ERROR));
        return;
    }
    tsm_write(TSM_SYSTEM_ERROR, TSM_ERR_NONE);
    tsm_results_send(&image, counters.frames++, clocks);
}

int main(void) {
    const uint32_t error = boot();
    if (error != TSM_ERR_NONE) {
        report(error, tsm_read(TSM_CSR_ERROR));
        tsm_wait(TSM_NEVER, 0u);  // refuses to run; the error stays on the pins
    }
    tsm_log("ready\n");
    for (;;) serve_frame();
}
