// Time, sleep and the watchdog: the processor sleeps until an interrupt, and the timer wakes it to kick.
#include "tsm_firmware.h"

#define KICK_CLOCKS 1000000u
#define WATCHDOG_CLOCKS (4u * KICK_CLOCKS)

uint32_t tsm_clock(void) { return tsm_read(TSM_TIMER_COUNT); }

void tsm_alive(void) { tsm_write(TSM_WATCHDOG_KICK, TSM_WATCHDOG_KEY); }

static void kick(uint32_t now) {
    tsm_alive();
    tsm_write(TSM_TIMER_COMPARE, now + KICK_CLOCKS);
}

void tsm_watchdog_start(void) {
    tsm_write(TSM_WATCHDOG_RELOAD, WATCHDOG_CLOCKS);
    kick(tsm_clock());
}

int tsm_wait(uint32_t source, uint32_t limit) {
    const uint32_t begin = limit == 0u ? 0u : tsm_clock();
    tsm_write(TSM_IRQC_ENABLE, 1u << source | 1u << TSM_IRQ_TIMER);
    for (;;) {
        const uint32_t pending = tsm_read(TSM_IRQC_PENDING);
        if ((pending >> source & 1u) != 0u) return 1;
        if ((pending >> TSM_IRQ_TIMER & 1u) != 0u) {
            const uint32_t now = tsm_clock();
            kick(now);
            if (limit != 0u && now - begin > limit) return 0;
        }
        tsm_sleep();
    }
}
