// How the firmware touches the chip. Everything else is portable C: a host program that defines these functions
// (tests/soc/host) runs the same sources.
#ifndef TSM_IO_H
#define TSM_IO_H

#include <stdint.h>

#include "tsm_soc.h"

#ifdef TSM_HOST
uint32_t tsm_read(uint32_t address);
void tsm_write(uint32_t address, uint32_t value);
// Waits until an enabled interrupt source is active.
void tsm_sleep(void);
// The activation memory, by bytes.
uint8_t *tsm_activations(void);
#else
static inline uint32_t tsm_read(uint32_t address) { return *(volatile uint32_t *)(uintptr_t)address; }
static inline void tsm_write(uint32_t address, uint32_t value) { *(volatile uint32_t *)(uintptr_t)address = value; }
static inline void tsm_sleep(void) { __asm__ volatile(".word 0x0800400b" ::: "memory"); }  // picorv32's waitirq x0
static inline uint8_t *tsm_activations(void) { return (uint8_t *)(uintptr_t)TSM_AT_ACTIVATIONS; }
#endif

// The field (word, low, width) of a record: tsm_get(words, TSM_STEP_KIND).
static inline uint32_t tsm_get(const uint32_t *words, uint32_t word, uint32_t low, uint32_t width) {
    uint32_t mask = width == 32u ? 0xffffffffu : (1u << width) - 1u;
    return (words[word] >> low) & mask;
}

// The same, two's complement.
static inline int32_t tsm_get_signed(const uint32_t *words, uint32_t word, uint32_t low, uint32_t width) {
    uint32_t sign = 1u << (width - 1u);
    return (int32_t)((tsm_get(words, word, low, width) ^ sign) - sign);
}

// `value` in the place of a register's field; the field's word is 0.
static inline uint32_t tsm_place(uint32_t value, uint32_t word, uint32_t low, uint32_t width) {
    (void)word;
    return (width == 32u ? value : value & ((1u << width) - 1u)) << low;
}

#endif
