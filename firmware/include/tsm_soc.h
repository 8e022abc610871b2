// The chip's numbers. Written by `python -m tinsmith_backends.soc.memory_map`: change backends/tinsmith_backends/soc/memory_map.py.
// A field is `word, low, width`: tsm_get(words, TSM_STEP_KIND).
#ifndef TSM_SOC_H
#define TSM_SOC_H
#define TSM_VERSION 0x00000004u
#define TSM_TABLES 0x00000008u
#define TSM_MAGIC_DESCRIPTOR 0x00005443u
#define TSM_MAGIC_IMAGE 0x314d5354u
#define TSM_MAGIC_RESULT 0x00005453u
#define TSM_WATCHDOG_KEY 0x5a5a1234u

// Parameter KIND: what one lane does
#define TSM_KIND_MULTIPLY 0u
#define TSM_KIND_SHIFT 1u
#define TSM_KIND_XNOR 2u

// Parameter OPS: operators that the chip has beside convolution, as a bit mask
#define TSM_OPS_ADD 1u
#define TSM_OPS_MAXPOOL 2u
#define TSM_OPS_HISTORY 4u
#define TSM_OPS_TABLE 8u

// Opcodes of compute descriptors
#define TSM_OP_CONV 1u
#define TSM_OP_MAXPOOL 2u
#define TSM_OP_ADD 3u
#define TSM_OP_BITPOOL 4u

// Opcodes of load descriptors
#define TSM_LOAD_OP_WEIGHTS 1u
#define TSM_LOAD_OP_PARAMETERS 2u
#define TSM_LOAD_OP_TABLES 3u

// What becomes of an accumulator
#define TSM_END_REQUANTIZE 0u
#define TSM_END_RAW 1u
#define TSM_END_THRESHOLD 2u

// Kinds of program steps
#define TSM_STEP_HARDWARE 1u
#define TSM_STEP_SOFTWARE 2u
#define TSM_STEP_BOOT 3u

// Operators that the firmware computes; bits as docs/numbers.md
#define TSM_SOFT_ADD 1u
#define TSM_SOFT_MAXPOOL 2u
#define TSM_SOFT_REQUANTIZE 3u
#define TSM_SOFT_PIECEWISE 4u
#define TSM_SOFT_COPY 5u
#define TSM_SOFT_SOFTMAX 6u
#define TSM_SOFT_ARGMAX 7u
#define TSM_SOFT_TABLE 8u
#define TSM_SOFT_CONV 9u
#define TSM_SOFT_BITPOOL 10u

// How the sample stream becomes an input tensor
#define TSM_MODE_FRAME 0u
#define TSM_MODE_TRIGGER 1u

// What a 16-bit sample becomes in trigger mode; v = sample - offset
#define TSM_FORMAT_INT8 0u
#define TSM_FORMAT_UINT8 1u
#define TSM_FORMAT_PAIR 2u
#define TSM_FORMAT_SPLIT 3u
#define TSM_FORMAT_INT16 4u

// Interrupt sources: bits of PENDING and ENABLE
#define TSM_IRQ_ACCEL 0u
#define TSM_IRQ_STREAM 1u
#define TSM_IRQ_TIMER 2u
#define TSM_IRQ_RESULT 3u

// Error codes: in ERROR of the accelerator, in result frames, on the pins `error_o`
#define TSM_ERR_NONE 0u
#define TSM_ERR_OPCODE 1u
#define TSM_ERR_MAGIC 2u
#define TSM_ERR_COUNT 3u
#define TSM_ERR_ADDRESS 4u
#define TSM_ERR_CRC 5u
#define TSM_ERR_ABORT 6u
#define TSM_ERR_DEADLOCK 7u
#define TSM_ERR_IMAGE_MAGIC 16u
#define TSM_ERR_IMAGE_VERSION 17u
#define TSM_ERR_IMAGE_IDENTITY 18u
#define TSM_ERR_IMAGE_HEADER 19u
#define TSM_ERR_IMAGE_TABLES 20u
#define TSM_ERR_IMAGE_LAYOUT 21u
#define TSM_ERR_STEP 22u
#define TSM_ERR_STEP_LAYOUT 23u
#define TSM_ERR_STREAM_WIDTH 24u
#define TSM_ERR_STREAM_INPUT 25u
#define TSM_ERR_STREAM_TIMEOUT 32u
#define TSM_ERR_STREAM_LENGTH 33u
#define TSM_ERR_STREAM_KEEP 34u
#define TSM_ERR_HANG 48u
#define TSM_ERR_WATCHDOG 49u
#define TSM_ERR_TRAP 50u

// firmware and its data; RAM_BYTES of it are there
#define TSM_AT_RAM 0x00000000u

// serial log, 8N1, sends only
#define TSM_AT_UART 0x10000000u
#define TSM_UART_DATA 0x10000000u  // w: byte to send; lost where the queue is full
#define TSM_UART_STATUS 0x10000004u  // r: state
#define TSM_UART_DIVISOR 0x10000008u  // rw: clocks a bit, at least 2; parameter UART_DIVISOR after reset
#define TSM_UART_STATUS_FULL 0u, 0u, 1u
#define TSM_UART_STATUS_BUSY 0u, 1u, 1u

// clocks since reset
#define TSM_AT_TIMER 0x10000100u
#define TSM_TIMER_COUNT 0x10000100u  // r: low 32 bits; the read holds the high ones
#define TSM_TIMER_COUNT_HIGH 0x10000104u  // r: high 32 bits at the last read of COUNT
#define TSM_TIMER_COMPARE 0x10000108u  // rw: interrupt while COUNT - COMPARE, modulo 2^32, is less than 2^31

// restarts processor, accelerator and streams
#define TSM_AT_WATCHDOG 0x10000200u
#define TSM_WATCHDOG_RELOAD 0x10000200u  // rw: clocks from a kick to the restart; 0 is off
#define TSM_WATCHDOG_KICK 0x10000204u  // w: write 0x5A5A1234
#define TSM_WATCHDOG_CAUSE 0x10000208u  // w1c: why it restarted
#define TSM_WATCHDOG_CAUSE_WATCHDOG 0u, 0u, 1u
#define TSM_WATCHDOG_CAUSE_TRAP 0u, 1u, 1u

// interrupt controller; its line is interrupt 3 of the processor
#define TSM_AT_IRQC 0x10000300u
#define TSM_IRQC_PENDING 0x10000300u  // r: sources that are active (levels)
#define TSM_IRQC_ENABLE 0x10000304u  // rw: sources that reach the processor

// pins and parameters
#define TSM_AT_SYSTEM 0x10000400u
#define TSM_SYSTEM_ERROR 0x10000400u  // rw: low 8 bits: pins error_o; irq_o is high while it is not 0
#define TSM_SYSTEM_EXIT 0x10000404u  // w: ends a simulation with this number
#define TSM_SYSTEM_RAM_BYTES 0x10000408u  // r: parameter
#define TSM_SYSTEM_ACT_BYTES 0x1000040cu  // r: parameter
#define TSM_SYSTEM_DESC_WORDS 0x10000410u  // r: parameter
#define TSM_SYSTEM_EXT_BYTES 0x10000414u  // r: parameter: size of the external memory

// accelerator: registers
#define TSM_AT_ACCEL 0x20000000u
#define TSM_CSR_ID 0x20000000u  // r: identity word
#define TSM_CSR_CTRL 0x20000004u  // rw: control
#define TSM_CSR_STATUS 0x20000008u  // w1c: state
#define TSM_CSR_ERROR 0x2000000cu  // r: of the last run
#define TSM_CSR_COMPUTE_BASE 0x20000010u  // rw: first compute descriptor, word address in the descriptor memory
#define TSM_CSR_COMPUTE_COUNT 0x20000014u  // rw: compute descriptors
#define TSM_CSR_LOAD_BASE 0x20000018u  // rw: first load descriptor, word address
#define TSM_CSR_LOAD_COUNT 0x2000001cu  // rw: load descriptors
#define TSM_CSR_CYCLES 0x20000020u  // r: clocks of the last run
#define TSM_CSR_ACTIVE 0x20000024u  // r: clocks with a step of the array
#define TSM_CSR_STALLS 0x20000028u  // r: clocks in which the array waited for the ending
#define TSM_CSR_LOAD_WAITS 0x2000002cu  // r: clocks in which a compute descriptor waited for loads
#define TSM_CSR_LOADED 0x20000030u  // r: 32-bit words loaded
#define TSM_CSR_CTRL_START 0u, 0u, 1u
#define TSM_CSR_CTRL_ABORT 0u, 1u, 1u
#define TSM_CSR_CTRL_IRQ_ENABLE 0u, 2u, 1u
#define TSM_CSR_STATUS_BUSY 0u, 0u, 1u
#define TSM_CSR_STATUS_DONE 0u, 1u, 1u
#define TSM_CSR_STATUS_ERROR 0u, 2u, 1u
#define TSM_CSR_ERROR_CODE 0u, 0u, 8u
#define TSM_CSR_ERROR_LOAD 0u, 8u, 1u
#define TSM_CSR_ERROR_INDEX 0u, 16u, 16u

// accelerator: descriptor memory
#define TSM_AT_DESCRIPTORS 0x20010000u

// accelerator: activation memory
#define TSM_AT_ACTIVATIONS 0x20100000u

// sample stream unit
#define TSM_AT_STREAM 0x30000000u
#define TSM_STREAM_CTRL 0x30000000u  // w: control
#define TSM_STREAM_STATUS 0x30000004u  // w1c: state
#define TSM_STREAM_CONFIG 0x30000008u  // rw: what samples become
#define TSM_STREAM_BASE 0x3000000cu  // rw: of the input tensor, multiple of 4
#define TSM_STREAM_BYTES 0x30000010u  // rw: of the input tensor, at least 1
#define TSM_STREAM_FRAME 0x30000014u  // rw: of the trigger mode
#define TSM_STREAM_LEVEL 0x30000018u  // rw: signed
#define TSM_STREAM_TIMEOUT 0x3000001cu  // rw: clocks without a beat in mid-frame; 0 waits for ever
#define TSM_STREAM_OVERFLOWS 0x30000020u  // r: triggers lost since reset: no room for a frame, or too soon behind the last
#define TSM_STREAM_FRAMES 0x30000024u  // r: inputs filled since reset
#define TSM_STREAM_WIDTH 0x30000028u  // r: bytes of a beat, a parameter
#define TSM_STREAM_DEPTH 0x3000002cu  // r: samples that all frames which wait hold together, a parameter
#define TSM_STREAM_CTRL_START 0u, 0u, 1u
#define TSM_STREAM_CTRL_STOP 0u, 1u, 1u
#define TSM_STREAM_STATUS_BUSY 0u, 0u, 1u
#define TSM_STREAM_STATUS_DONE 0u, 1u, 1u
#define TSM_STREAM_STATUS_ERROR 0u, 8u, 8u
#define TSM_STREAM_CONFIG_MODE 0u, 0u, 1u
#define TSM_STREAM_CONFIG_FORMAT 0u, 8u, 3u
#define TSM_STREAM_CONFIG_SHIFT 0u, 16u, 4u
#define TSM_STREAM_FRAME_SAMPLES 0u, 0u, 16u
#define TSM_STREAM_FRAME_PRETRIGGER 0u, 16u, 16u
#define TSM_STREAM_LEVEL_THRESHOLD 0u, 0u, 16u
#define TSM_STREAM_LEVEL_OFFSET 0u, 16u, 16u

// result stream
#define TSM_AT_RESULTS 0x30010000u
#define TSM_RESULTS_DATA 0x30010000u  // w: word to send; the write waits for room
#define TSM_RESULTS_LAST 0x30010004u  // w: word to send with TLAST
#define TSM_RESULTS_BASE 0x30010008u  // rw: of the tensor to send from the activation memory, multiple of 4
#define TSM_RESULTS_WORDS 0x3001000cu  // rw: words to send; the write starts it
#define TSM_RESULTS_STATUS 0x30010010u  // r: state
#define TSM_RESULTS_WORDS_WORDS 0u, 0u, 24u
#define TSM_RESULTS_WORDS_LAST 0u, 31u, 1u
#define TSM_RESULTS_STATUS_BUSY 0u, 0u, 1u
#define TSM_RESULTS_STATUS_EMPTY 0u, 1u, 1u

// external memory, read only: the weight image
#define TSM_AT_EXTERNAL 0x40000000u

// Compute descriptor. Addresses are bytes in the activation memory unless they say otherwise.
#define TSM_COMPUTE_WORDS 24u
#define TSM_COMPUTE_OPCODE 0u, 0u, 8u
#define TSM_COMPUTE_IN_SIGNED 0u, 8u, 1u
#define TSM_COMPUTE_CHANNELWISE 0u, 9u, 1u
#define TSM_COMPUTE_W_PER_GROUP 0u, 10u, 1u
#define TSM_COMPUTE_HISTORY 0u, 11u, 1u
#define TSM_COMPUTE_IN2_SIGNED 0u, 12u, 1u
#define TSM_COMPUTE_WIDE_IN 0u, 13u, 1u
#define TSM_COMPUTE_PAD_NONE 0u, 14u, 1u
#define TSM_COMPUTE_MAGIC 0u, 16u, 16u
#define TSM_COMPUTE_AFTER_LOAD 1u, 0u, 32u
#define TSM_COMPUTE_IN_BASE 2u, 0u, 32u
#define TSM_COMPUTE_IN2_BASE 3u, 0u, 32u
#define TSM_COMPUTE_IN_ROW_BYTES 4u, 0u, 32u
#define TSM_COMPUTE_OUT_H 5u, 0u, 16u
#define TSM_COMPUTE_IN_H 5u, 16u, 16u
#define TSM_COMPUTE_OUT_W 6u, 0u, 16u
#define TSM_COMPUTE_GROUPS 6u, 16u, 16u
#define TSM_COMPUTE_KH 7u, 0u, 8u
#define TSM_COMPUTE_KX_N 7u, 8u, 8u
#define TSM_COMPUTE_RUN_N 7u, 16u, 16u
#define TSM_COMPUTE_STRIDE_Y 8u, 0u, 8u
#define TSM_COMPUTE_DIL_Y 8u, 8u, 8u
#define TSM_COMPUTE_PAD_TOP 8u, 16u, 8u
#define TSM_COMPUTE_PAD_BYTE 8u, 24u, 8u
#define TSM_COMPUTE_STRIDE_XB 9u, 0u, 16u
#define TSM_COMPUTE_DIL_XB 9u, 16u, 16u
#define TSM_COMPUTE_PAD_LEFT_B 10u, 0u, 16u
#define TSM_COMPUTE_LAST_COUNT 10u, 16u, 8u
#define TSM_COMPUTE_RUN_LAST 10u, 24u, 5u
#define TSM_COMPUTE_W_BASE 11u, 0u, 32u
#define TSM_COMPUTE_P_BASE 12u, 0u, 32u
#define TSM_COMPUTE_OUT_BASE 13u, 0u, 32u
#define TSM_COMPUTE_OUT_ROW_BYTES 14u, 0u, 32u
#define TSM_COMPUTE_OUT_PIX_BYTES 15u, 0u, 32u
#define TSM_COMPUTE_SHIFT 16u, 0u, 6u
#define TSM_COMPUTE_ENDING 16u, 8u, 2u
#define TSM_COMPUTE_LOOK_UP 16u, 10u, 1u
#define TSM_COMPUTE_TABLE 16u, 16u, 3u
#define TSM_COMPUTE_WIDE_OUT 16u, 11u, 1u
#define TSM_COMPUTE_ZERO 16u, 24u, 8u
#define TSM_COMPUTE_LO 17u, 0u, 16u
#define TSM_COMPUTE_HI 17u, 16u, 16u
#define TSM_COMPUTE_M_A 18u, 0u, 32u
#define TSM_COMPUTE_M_B 19u, 0u, 32u
#define TSM_COMPUTE_LENGTH 20u, 0u, 32u
#define TSM_COMPUTE_HISTORY_STRIDE 21u, 0u, 8u
#define TSM_COMPUTE_HISTORY_KW 21u, 8u, 8u
#define TSM_COMPUTE_IN2_ZERO 21u, 16u, 8u

// Load descriptor.
#define TSM_LOAD_WORDS 8u
#define TSM_LOAD_OPCODE 0u, 0u, 8u
#define TSM_LOAD_MAGIC 0u, 16u, 16u
#define TSM_LOAD_AFTER_COMPUTE 1u, 0u, 32u
#define TSM_LOAD_EXT_ADDR 2u, 0u, 32u
#define TSM_LOAD_EXT_WORDS 3u, 0u, 32u
#define TSM_LOAD_DEST 4u, 0u, 32u
#define TSM_LOAD_CRC32 5u, 0u, 32u

// Weight image: header. Offsets are bytes from the image's start, multiples of 4.
#define TSM_HEADER_WORDS 16u
#define TSM_HEADER_MAGIC 0u, 0u, 32u
#define TSM_HEADER_VERSION 1u, 0u, 32u
#define TSM_HEADER_IDENTITY 2u, 0u, 32u
#define TSM_HEADER_IMAGE_BYTES 3u, 0u, 32u
#define TSM_HEADER_STEPS 4u, 0u, 32u
#define TSM_HEADER_STEP_COUNT 5u, 0u, 32u
#define TSM_HEADER_COMPUTES 6u, 0u, 32u
#define TSM_HEADER_COMPUTE_COUNT 7u, 0u, 32u
#define TSM_HEADER_LOADS 8u, 0u, 32u
#define TSM_HEADER_LOAD_COUNT 9u, 0u, 32u
#define TSM_HEADER_INPUTS 10u, 0u, 32u
#define TSM_HEADER_OUTPUTS 11u, 0u, 32u
#define TSM_HEADER_INPUT_COUNT 12u, 0u, 16u
#define TSM_HEADER_OUTPUT_COUNT 12u, 16u, 16u
#define TSM_HEADER_PAYLOAD 13u, 0u, 32u
#define TSM_HEADER_TABLES_CRC 14u, 0u, 32u
#define TSM_HEADER_HEADER_CRC 15u, 0u, 32u

// Program step. A hardware step uses words 0 to 2; a software step the others. Tensors are HWC.
#define TSM_STEP_WORDS 17u
#define TSM_STEP_KIND 0u, 0u, 8u
#define TSM_STEP_OPERATOR 0u, 8u, 8u
#define TSM_STEP_IN_SIGNED 0u, 16u, 1u
#define TSM_STEP_IN2_SIGNED 0u, 17u, 1u
#define TSM_STEP_PACKED 0u, 18u, 1u
#define TSM_STEP_FIRST_COMPUTE 1u, 0u, 16u
#define TSM_STEP_COMPUTE_COUNT 1u, 16u, 16u
#define TSM_STEP_FIRST_LOAD 2u, 0u, 16u
#define TSM_STEP_LOAD_COUNT 2u, 16u, 16u
#define TSM_STEP_TABLE 3u, 0u, 32u
#define TSM_STEP_IN_BASE 4u, 0u, 32u
#define TSM_STEP_IN2_BASE 5u, 0u, 32u
#define TSM_STEP_OUT_BASE 6u, 0u, 32u
#define TSM_STEP_IN_H 7u, 0u, 16u
#define TSM_STEP_IN_W 7u, 16u, 16u
#define TSM_STEP_OUT_H 8u, 0u, 16u
#define TSM_STEP_OUT_W 8u, 16u, 16u
#define TSM_STEP_CHANNELS 9u, 0u, 16u
#define TSM_STEP_SHIFT 9u, 16u, 6u
#define TSM_STEP_ENDING 9u, 22u, 2u
#define TSM_STEP_ZERO 9u, 24u, 8u
#define TSM_STEP_KH 10u, 0u, 8u
#define TSM_STEP_KW 10u, 8u, 8u
#define TSM_STEP_STRIDE_Y 10u, 16u, 8u
#define TSM_STEP_STRIDE_X 10u, 24u, 8u
#define TSM_STEP_PAD_TOP 11u, 0u, 8u
#define TSM_STEP_PAD_LEFT 11u, 8u, 8u
#define TSM_STEP_DIL_Y 11u, 16u, 8u
#define TSM_STEP_DIL_X 11u, 24u, 8u
#define TSM_STEP_LO 12u, 0u, 16u
#define TSM_STEP_HI 12u, 16u, 16u
#define TSM_STEP_M_A 13u, 0u, 32u
#define TSM_STEP_M_B 14u, 0u, 32u
#define TSM_STEP_INPUTS 15u, 0u, 16u
#define TSM_STEP_GROUPS 15u, 16u, 16u
#define TSM_STEP_IN_ZERO 16u, 0u, 8u
#define TSM_STEP_IN2_ZERO 16u, 8u, 8u

// Entry of the input table: one tensor that the sample stream fills.
#define TSM_INPUT_WORDS 8u
#define TSM_INPUT_BASE 0u, 0u, 32u
#define TSM_INPUT_BYTES 1u, 0u, 32u
#define TSM_INPUT_MODE 2u, 0u, 8u
#define TSM_INPUT_FORMAT 2u, 8u, 8u
#define TSM_INPUT_BEAT_BYTES 2u, 16u, 8u
#define TSM_INPUT_SHIFT 2u, 24u, 4u
#define TSM_INPUT_SAMPLES 3u, 0u, 16u
#define TSM_INPUT_PRETRIGGER 3u, 16u, 16u
#define TSM_INPUT_THRESHOLD 4u, 0u, 16u
#define TSM_INPUT_OFFSET 4u, 16u, 16u
#define TSM_INPUT_TIMEOUT 5u, 0u, 32u

// Entry of the output table: one tensor of the result frame.
#define TSM_OUTPUT_WORDS 4u
#define TSM_OUTPUT_BASE 0u, 0u, 32u
#define TSM_OUTPUT_BYTES 1u, 0u, 32u

// Header of a result frame; the output tensors follow, TLAST on the last word.
#define TSM_RESULT_WORDS 4u
#define TSM_RESULT_ERROR 0u, 0u, 8u
#define TSM_RESULT_MAGIC 0u, 16u, 16u
#define TSM_RESULT_SEQUENCE 1u, 0u, 32u
#define TSM_RESULT_CLOCKS 2u, 0u, 32u
#define TSM_RESULT_PAYLOAD 3u, 0u, 32u

#endif
