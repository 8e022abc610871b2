// The weight image: is it one, is it whole, is it for this chip? What the processor needs of it is copied while its CRC
// is computed, so what was checked is what is used.
#include "tsm_firmware.h"

static uint32_t external(uint32_t offset) { return tsm_read(TSM_AT_EXTERNAL + offset); }

static uint32_t read_header(uint32_t *header) {
    uint32_t crc = 0u;
    for (uint32_t word = 0; word < TSM_HEADER_WORDS; word++) {
        header[word] = external(4u * word);
        if (word + 1u < TSM_HEADER_WORDS) crc = tsm_crc32(crc, header[word]);
    }
    if (tsm_get(header, TSM_HEADER_MAGIC) != TSM_MAGIC_IMAGE) return TSM_ERR_IMAGE_MAGIC;
    if (tsm_get(header, TSM_HEADER_VERSION) != TSM_VERSION) return TSM_ERR_IMAGE_VERSION;
    if (tsm_get(header, TSM_HEADER_HEADER_CRC) != crc) return TSM_ERR_IMAGE_HEADER;
    if (tsm_get(header, TSM_HEADER_IDENTITY) != tsm_read(TSM_CSR_ID)) return TSM_ERR_IMAGE_IDENTITY;
    return TSM_ERR_NONE;
}

// Whether `count` records of `words` words lie in the tables, which end at the payload.
static int inside(const uint32_t *header, uint32_t offset, uint32_t count, uint32_t words) {
    const uint32_t end = tsm_get(header, TSM_HEADER_PAYLOAD);
    return offset % 4u == 0u && offset >= 4u * TSM_HEADER_WORDS && offset <= end && count <= (end - offset) / (4u * words);
}

static int layout_fits(const uint32_t *header, uint32_t room) {
    const uint32_t payload = tsm_get(header, TSM_HEADER_PAYLOAD), bytes = tsm_get(header, TSM_HEADER_IMAGE_BYTES);
    const uint32_t computes = tsm_get(header, TSM_HEADER_COMPUTE_COUNT), loads = tsm_get(header, TSM_HEADER_LOAD_COUNT);
    const uint32_t steps = tsm_get(header, TSM_HEADER_STEP_COUNT);
    const uint32_t inputs = tsm_get(header, TSM_HEADER_INPUT_COUNT), outputs = tsm_get(header, TSM_HEADER_OUTPUT_COUNT);
    const uint32_t descriptors = tsm_read(TSM_SYSTEM_DESC_WORDS);
    return payload % 4u == 0u && payload >= 4u * TSM_HEADER_WORDS && payload <= bytes
        && bytes <= tsm_read(TSM_SYSTEM_EXT_BYTES) && payload / 4u - TSM_HEADER_WORDS <= room
        && steps >= 1u && inputs >= 1u && outputs >= 1u
        && inside(header, tsm_get(header, TSM_HEADER_STEPS), steps, TSM_STEP_WORDS)
        && inside(header, tsm_get(header, TSM_HEADER_COMPUTES), computes, TSM_COMPUTE_WORDS)
        && inside(header, tsm_get(header, TSM_HEADER_LOADS), loads, TSM_LOAD_WORDS)
        && inside(header, tsm_get(header, TSM_HEADER_INPUTS), inputs, TSM_INPUT_WORDS)
        && inside(header, tsm_get(header, TSM_HEADER_OUTPUTS), outputs, TSM_OUTPUT_WORDS)
        && computes <= descriptors / TSM_COMPUTE_WORDS
        && loads <= (descriptors - computes * TSM_COMPUTE_WORDS) / TSM_LOAD_WORDS;
}

static uint32_t read_tables(const uint32_t *header, uint32_t *tables) {
    const uint32_t words = tsm_get(header, TSM_HEADER_PAYLOAD) / 4u - TSM_HEADER_WORDS;
    uint32_t crc = 0u;
    for (uint32_t word = 0; word < words; word++) {
        tables[word] = external(4u * (TSM_HEADER_WORDS + word));
        crc = tsm_crc32(crc, tables[word]);
    }
    return crc == tsm_get(header, TSM_HEADER_TABLES_CRC) ? TSM_ERR_NONE : TSM_ERR_IMAGE_TABLES;
}

// Compute descriptors at word 0 of the descriptor memory, load descriptors behind them.
static void copy_descriptors(const struct tsm_image *image) {
    const uint32_t computes = tsm_get(image->header, TSM_HEADER_COMPUTE_COUNT) * TSM_COMPUTE_WORDS;
    const uint32_t loads = tsm_get(image->header, TSM_HEADER_LOAD_COUNT) * TSM_LOAD_WORDS;
    const uint32_t *from = tsm_image_at(image, tsm_get(image->header, TSM_HEADER_COMPUTES));
    for (uint32_t word = 0; word < computes; word++) tsm_write(TSM_AT_DESCRIPTORS + 4u * word, from[word]);
    from = tsm_image_at(image, tsm_get(image->header, TSM_HEADER_LOADS));
    for (uint32_t word = 0; word < loads; word++) tsm_write(TSM_AT_DESCRIPTORS + 4u * (computes + word), from[word]);
}

static uint32_t find_outputs(struct tsm_image *image) {
    const uint32_t *entry = image->outputs = tsm_image_at(image, tsm_get(image->header, TSM_HEADER_OUTPUTS));
    const uint32_t size = tsm_read(TSM_SYSTEM_ACT_BYTES);
    image->output_count = tsm_get(image->header, TSM_HEADER_OUTPUT_COUNT);
    for (uint32_t left = image->output_count; left > 0u; left--, entry += TSM_OUTPUT_WORDS) {
        const uint32_t base = tsm_get(entry, TSM_OUTPUT_BASE), bytes = tsm_get(entry, TSM_OUTPUT_BYTES);
        if (base % 4u != 0u || bytes == 0u || base > size || bytes > size - base) return TSM_ERR_IMAGE_LAYOUT;
    }
    return TSM_ERR_NONE;
}

static void find_steps(struct tsm_image *image) {
    image->steps = tsm_image_step(image, 0);
    image->step_count = tsm_get(image->header, TSM_HEADER_STEP_COUNT);
    for (; image->step_count > 0u && tsm_get(image->steps, TSM_STEP_KIND) == TSM_STEP_BOOT; image->step_count--)
        image->steps += TSM_STEP_WORDS;
}

const uint32_t *tsm_image_at(const struct tsm_image *image, uint32_t offset) {
    return image->tables + (offset / 4u - TSM_HEADER_WORDS);
}

const uint32_t *tsm_image_step(const struct tsm_image *image, uint32_t index) {
    return tsm_image_at(image, tsm_get(image->header, TSM_HEADER_STEPS)) + index * TSM_STEP_WORDS;
}

uint32_t tsm_image_open(struct tsm_image *image, uint32_t *tables, uint32_t room) {
    uint32_t error = read_header(image->header);
    if (error == TSM_ERR_NONE && !layout_fits(image->header, room)) error = TSM_ERR_IMAGE_LAYOUT;
    if (error == TSM_ERR_NONE) error = read_tables(image->header, tables);
    if (error != TSM_ERR_NONE) return error;
    image->tables = tables;
    error = find_outputs(image);
    for (uint32_t i = 0; error == TSM_ERR_NONE && i < tsm_get(image->header, TSM_HEADER_STEP_COUNT); i++)
        error = tsm_step_check(image, tsm_image_step(image, i));
    if (error != TSM_ERR_NONE) return error;
    copy_descriptors(image);
    find_steps(image);
    image->prepared = 0;
    image->result_words = tsm_results_words(image);
    return TSM_ERR_NONE;
}
