// Text on the UART; waits for room.
#include "tsm_firmware.h"

static void put(uint32_t byte) {
    const uint32_t full = tsm_place(1u, TSM_UART_STATUS_FULL);
    while ((tsm_read(TSM_UART_STATUS) & full) != 0u) {
    }
    tsm_write(TSM_UART_DATA, byte);
}

void tsm_log(const char *text) {
    while (*text != '\0') put((uint8_t)*text++);
}

void tsm_log_number(const char *name, uint32_t value) {
    put(' ');
    tsm_log(name);
    put('=');
    for (int low = 28; low >= 0; low -= 4) put((uint8_t) "0123456789abcdef"[(value >> low) & 15u]);
}
