// A chip that is not there: runs the firmware's portable parts on this machine, one command after the other.
// Input: command, length, payload; output: length, payload; all numbers 32 bits of this machine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tsm_firmware.h"

#define LOG_WORDS 65536u

static uint8_t *memory, *external;
static uint32_t memory_bytes, external_bytes, now, accel_error, stream_error, width;
static uint32_t writes[LOG_WORDS], write_count;

uint32_t tsm_read(uint32_t address) {
    if (address >= TSM_AT_EXTERNAL) {
        uint32_t word = 0, offset = address - TSM_AT_EXTERNAL;
        if (offset + 4u <= external_bytes) memcpy(&word, external + offset, sizeof word);
        return word;
    }
    switch (address) {
    case TSM_CSR_ID: return IDENTITY;
    case TSM_CSR_STATUS: return accel_error != 0u ? 4u : 2u;
    case TSM_CSR_ERROR: return accel_error;
    case TSM_SYSTEM_ACT_BYTES: return memory_bytes;
    case TSM_SYSTEM_DESC_WORDS: return 2048u;
    case TSM_SYSTEM_EXT_BYTES: return 1u << 20;
    case TSM_STREAM_WIDTH: return width;
    case TSM_STREAM_DEPTH: return 1024u;
    case TSM_STREAM_STATUS: return 2u | stream_error << 8;
    case TSM_IRQC_PENDING: return 0xfu & ~(1u << TSM_IRQ_TIMER);
    case TSM_TIMER_COUNT: return now += 100u;
    default: return 0u;
    }
}

void tsm_write(uint32_t address, uint32_t value) {
    if (write_count + 2u <= LOG_WORDS) writes[write_count++] = address, writes[write_count++] = value;
}

void tsm_sleep(void) { now += 1000u; }
uint8_t *tsm_activations(void) { return memory; }

static void answer(const void *data, uint32_t bytes) {
    fwrite(&bytes, sizeof bytes, 1, stdout);
    fwrite(data, 1, bytes, stdout);
}

// A step, its table (count of words first), the activation memory -> an error, or the memory afterwards.
static void soft(const uint32_t *words, uint32_t bytes) {
    const uint32_t table_words = words[TSM_STEP_WORDS], used = 4u * (TSM_STEP_WORDS + 1u + table_words);
    struct tsm_image image = {.header = {[13] = 4u * (TSM_HEADER_WORDS + table_words)}};
    int32_t *table = malloc(4u * table_words + 1u);
    memcpy(table, words + TSM_STEP_WORDS + 1u, 4u * table_words);
    image.tables = (const uint32_t *)table;
    memory_bytes = bytes - used, memory = malloc(memory_bytes + 1u);
    memcpy(memory, (const uint8_t *)words + used, memory_bytes);
    const uint32_t error = tsm_step_check(&image, words);
    if (error == TSM_ERR_NONE) {
        tsm_soft_run(memory, words, table);
        answer(memory, memory_bytes);
    } else {
        answer(&error, sizeof error);
    }
    free(memory), free(table);
}

// Errors of accelerator and stream, room for tables in words, width of the stream, count of frames, the image -> the errors
// of opening and of the last frame, writes.
static void frame(const uint32_t *words, uint32_t bytes) {
    struct tsm_image image;
    const uint32_t room = words[2];
    uint32_t *tables = malloc(4u * room + 1u);
    accel_error = words[0], stream_error = words[1], width = words[3], now = 0, write_count = 2;
    external_bytes = bytes - 20u, external = malloc(external_bytes + 1u);
    memcpy(external, words + 5, external_bytes);
    memory_bytes = 65536u, memory = calloc(memory_bytes, 1);
    writes[0] = tsm_image_open(&image, tables, room);
    if (writes[0] == TSM_ERR_NONE) writes[0] = tsm_program_boot(&image);
    if (writes[0] == TSM_ERR_NONE) writes[0] = tsm_inputs_open(&image);
    writes[1] = writes[0];
    for (uint32_t left = words[4]; writes[0] == TSM_ERR_NONE && left > 0u; left--) {
        tsm_inputs_begin(&image);
        tsm_program_prepare(&image);
        writes[1] = tsm_inputs_finish(&image);
        if (writes[1] == TSM_ERR_NONE) writes[1] = tsm_program_run(&image);
        if (writes[1] == TSM_ERR_NONE) tsm_results_send(&image, 7u, 99u);
        else tsm_results_error(writes[1], accel_error);
    }
    answer(writes, 4u * write_count);
    free(memory), free(external), free(tables);
}

static void quotients(const uint32_t *pairs, uint32_t bytes) {
    uint32_t *found = malloc(bytes / 2u + 1u);
    for (uint32_t i = 0; i < bytes / 8u; i++) found[i] = tsm_soft_quotient(pairs[2u * i], pairs[2u * i + 1u]);
    answer(found, bytes / 2u);
    free(found);
}

static void crc(const uint32_t *words, uint32_t bytes) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes / 4u; i++) value = tsm_crc32(value, words[i]);
    answer(&value, sizeof value);
}

int main(void) {
    void (*const commands[])(const uint32_t *, uint32_t) = {soft, frame, quotients, crc};
    uint32_t head[2];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        uint32_t *payload = malloc(head[1] + 4u);
        if (head[0] >= 4u || fread(payload, 1, head[1], stdin) != head[1]) return 1;
        commands[head[0]](payload, head[1]);
        free(payload);
    }
    return 0;
}
