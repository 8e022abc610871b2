// The firmware's parts and what they need of each other. Error codes are TSM_ERR_*; 0 is none.
#ifndef TSM_FIRMWARE_H
#define TSM_FIRMWARE_H

#include "tsm_io.h"

// A checked weight image. Everything that the processor uses of it after the check stands in its own memory, so a bit
// that flips later in the external memory meets a CRC or nobody.
struct tsm_image {
    uint32_t header[TSM_HEADER_WORDS];
    const uint32_t *tables;    // the words behind the header, up to the payload
    const uint32_t *steps;     // those of a frame: what stands behind the first ones of the boot
    uint32_t step_count;       // of these
    const uint32_t *prepared;  // the run that the accelerator's registers say; 0: none
    uint32_t input_mode;       // TSM_MODE_* of all inputs
    uint32_t input_count;
    const uint32_t *outputs;   // the first of the output tensors
    uint32_t output_count;
    uint32_t result_words;     // of all of them
};

// For functions that most frames do not need: as a part of the loop of frames they would cost it registers.
#define TSM_APART __attribute__((noinline))

// image.c: reads and checks the image into `tables`, room for `room` words; copies the descriptors to the accelerator.
uint32_t tsm_image_open(struct tsm_image *image, uint32_t *tables, uint32_t room);
// The words at byte `offset` of the image, which lie in its tables.
const uint32_t *tsm_image_at(const struct tsm_image *image, uint32_t offset);
const uint32_t *tsm_image_step(const struct tsm_image *image, uint32_t index);

// step.c: whether a program step stays inside the descriptors, the image and the activation memory.
uint32_t tsm_step_check(const struct tsm_image *image, const uint32_t *step);

// crc32.c: zlib's CRC-32 over a word's four bytes, lowest first. Begins with 0.
uint32_t tsm_crc32(uint32_t crc, uint32_t word);

// program.c: the steps one after the other: `boot` ones once, all others for every frame. A frame's first run is prepared
// before the frame is there: tsm_program_prepare, then tsm_program_run.
uint32_t tsm_program_boot(struct tsm_image *image);
void tsm_program_prepare(struct tsm_image *image);
uint32_t tsm_program_run(struct tsm_image *image);

// accel.c: says which descriptors are next, if the accelerator does not know; runs them, and sleeps until they are done.
void tsm_accel_prepare(struct tsm_image *image, const uint32_t *step);
uint32_t tsm_accel_run(void);

// soft_*.c: operators in software, on the activation memory; `table` as docs/soc-map.md.
void tsm_soft_run(uint8_t *memory, const uint32_t *step, const int32_t *table);
void tsm_soft_add(uint8_t *memory, const uint32_t *step);
void tsm_soft_max_pool(uint8_t *memory, const uint32_t *step);
void tsm_soft_requantize(uint8_t *memory, const uint32_t *step, const int32_t *table);
void tsm_soft_piecewise(uint8_t *memory, const uint32_t *step, const int32_t *table);
void tsm_soft_table(uint8_t *memory, const uint32_t *step, const int32_t *table);
void tsm_soft_copy(uint8_t *memory, const uint32_t *step);
void tsm_soft_softmax(uint8_t *memory, const uint32_t *step, const int32_t *table);
void tsm_soft_argmax(uint8_t *memory, const uint32_t *step);
void tsm_soft_conv(uint8_t *memory, const uint32_t *step, const int32_t *table);
void tsm_soft_bit_pool(uint8_t *memory, const uint32_t *step, const int32_t *table);
// Of a convolution: words of an output channel in its table, bytes of an output pixel. Its groups are not 0.
uint32_t tsm_soft_conv_words(const uint32_t *step);
uint32_t tsm_soft_conv_pixel(const uint32_t *step);
// binary32 of a / b, correctly rounded; 0 <= a <= 2^24, 0 < b < 2^31; a is exact in binary32, b is rounded to it first.
uint32_t tsm_soft_quotient(uint32_t a, uint32_t b);

// stream.c: the sample stream; results.c: the result stream.
uint32_t tsm_inputs_open(struct tsm_image *image);
void tsm_inputs_begin(const struct tsm_image *image);   // starts to fill the first input
uint32_t tsm_inputs_finish(const struct tsm_image *image);  // waits for it, then fills the others
uint32_t tsm_results_words(const struct tsm_image *image);
void tsm_results_send(const struct tsm_image *image, uint32_t sequence, uint32_t clocks);
void tsm_results_error(uint32_t error, uint32_t detail);

// clock.c: time, sleep, watchdog. Waiting kicks the watchdog; a limit of 0 waits for ever. 0 when the limit has passed.
#define TSM_NEVER 31u  // a source that does not exist
uint32_t tsm_clock(void);
int tsm_wait(uint32_t source, uint32_t limit);
void tsm_watchdog_start(void);
void tsm_alive(void);  // kicks it: in the loops of work that may last longer than it waits

// log.c: the UART.
void tsm_log(const char *text);
void tsm_log_number(const char *name, uint32_t value);

#endif
