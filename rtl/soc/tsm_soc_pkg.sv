// The chip's numbers. Written by `python -m tinsmith_backends.soc.memory_map`: change backends/tinsmith_backends/soc/memory_map.py.
// _LSB and _W: a field of a descriptor or register taken as one flat vector, word 0 in the low bits.
`default_nettype none

// A design uses only some of the numbers.
// verilator lint_off UNUSEDPARAM
package tsm_soc_pkg;
  localparam [31:0] VERSION = 32'h00000004;
  localparam [31:0] TABLES = 32'h00000008;
  localparam [31:0] MAGIC_DESCRIPTOR = 32'h00005443;
  localparam [31:0] MAGIC_IMAGE = 32'h314d5354;
  localparam [31:0] MAGIC_RESULT = 32'h00005453;
  localparam [31:0] WATCHDOG_KEY = 32'h5a5a1234;

  // Parameter KIND: what one lane does
  localparam [31:0] KIND_MULTIPLY = 32'h00000000;
  localparam [31:0] KIND_SHIFT = 32'h00000001;
  localparam [31:0] KIND_XNOR = 32'h00000002;

  // Parameter OPS: operators that the chip has beside convolution, as a bit mask
  localparam [31:0] OPS_ADD = 32'h00000001;
  localparam [31:0] OPS_MAXPOOL = 32'h00000002;
  localparam [31:0] OPS_HISTORY = 32'h00000004;
  localparam [31:0] OPS_TABLE = 32'h00000008;

  // Opcodes of compute descriptors
  localparam [31:0] OP_CONV = 32'h00000001;
  localparam [31:0] OP_MAXPOOL = 32'h00000002;
  localparam [31:0] OP_ADD = 32'h00000003;
  localparam [31:0] OP_BITPOOL = 32'h00000004;

  // Opcodes of load descriptors
  localparam [31:0] LOAD_OP_WEIGHTS = 32'h00000001;
  localparam [31:0] LOAD_OP_PARAMETERS = 32'h00000002;
  localparam [31:0] LOAD_OP_TABLES = 32'h00000003;

  // What becomes of an accumulator
  localparam [31:0] END_REQUANTIZE = 32'h00000000;
  localparam [31:0] END_RAW = 32'h00000001;
  localparam [31:0] END_THRESHOLD = 32'h00000002;

  // Kinds of program steps
  localparam [31:0] STEP_HARDWARE = 32'h00000001;
  localparam [31:0] STEP_SOFTWARE = 32'h00000002;
  localparam [31:0] STEP_BOOT = 32'h00000003;

  // Operators that the firmware computes; bits as docs/numbers.md
  localparam [31:0] SOFT_ADD = 32'h00000001;
  localparam [31:0] SOFT_MAXPOOL = 32'h00000002;
  localparam [31:0] SOFT_REQUANTIZE = 32'h00000003;
  localparam [31:0] SOFT_PIECEWISE = 32'h00000004;
  localparam [31:0] SOFT_COPY = 32'h00000005;
  localparam [31:0] SOFT_SOFTMAX = 32'h00000006;
  localparam [31:0] SOFT_ARGMAX = 32'h00000007;
  localparam [31:0] SOFT_TABLE = 32'h00000008;
  localparam [31:0] SOFT_CONV = 32'h00000009;
  localparam [31:0] SOFT_BITPOOL = 32'h0000000a;

  // How the sample stream becomes an input tensor
  localparam [31:0] MODE_FRAME = 32'h00000000;
  localparam [31:0] MODE_TRIGGER = 32'h00000001;

  // What a 16-bit sample becomes in trigger mode; v = sample - offset
  localparam [31:0] FORMAT_INT8 = 32'h00000000;
  localparam [31:0] FORMAT_UINT8 = 32'h00000001;
  localparam [31:0] FORMAT_PAIR = 32'h00000002;
  localparam [31:0] FORMAT_SPLIT = 32'h00000003;
  localparam [31:0] FORMAT_INT16 = 32'h00000004;

  // Interrupt sources: bits of PENDING and ENABLE
  localparam [31:0] IRQ_ACCEL = 32'h00000000;
  localparam [31:0] IRQ_STREAM = 32'h00000001;
  localparam [31:0] IRQ_TIMER = 32'h00000002;
  localparam [31:0] IRQ_RESULT = 32'h00000003;

  // Error codes: in ERROR of the accelerator, in result frames, on the pins `error_o`
  localparam [31:0] ERR_NONE = 32'h00000000;
  localparam [31:0] ERR_OPCODE = 32'h00000001;
  localparam [31:0] ERR_MAGIC = 32'h00000002;
  localparam [31:0] ERR_COUNT = 32'h00000003;
  localparam [31:0] ERR_ADDRESS = 32'h00000004;
  localparam [31:0] ERR_CRC = 32'h00000005;
  localparam [31:0] ERR_ABORT = 32'h00000006;
  localparam [31:0] ERR_DEADLOCK = 32'h00000007;
  localparam [31:0] ERR_IMAGE_MAGIC = 32'h00000010;
  localparam [31:0] ERR_IMAGE_VERSION = 32'h00000011;
  localparam [31:0] ERR_IMAGE_IDENTITY = 32'h00000012;
  localparam [31:0] ERR_IMAGE_HEADER = 32'h00000013;
  localparam [31:0] ERR_IMAGE_TABLES = 32'h00000014;
  localparam [31:0] ERR_IMAGE_LAYOUT = 32'h00000015;
  localparam [31:0] ERR_STEP = 32'h00000016;
  localparam [31:0] ERR_STEP_LAYOUT = 32'h00000017;
  localparam [31:0] ERR_STREAM_WIDTH = 32'h00000018;
  localparam [31:0] ERR_STREAM_INPUT = 32'h00000019;
  localparam [31:0] ERR_STREAM_TIMEOUT = 32'h00000020;
  localparam [31:0] ERR_STREAM_LENGTH = 32'h00000021;
  localparam [31:0] ERR_STREAM_KEEP = 32'h00000022;
  localparam [31:0] ERR_HANG = 32'h00000030;
  localparam [31:0] ERR_WATCHDOG = 32'h00000031;
  localparam [31:0] ERR_TRAP = 32'h00000032;

  // firmware and its data; RAM_BYTES of it are there
  localparam [31:0] AT_RAM = 32'h00000000;

  // serial log, 8N1, sends only
  localparam [31:0] AT_UART = 32'h10000000;
  localparam [31:0] UART_DATA = 32'h00000000;
  localparam [31:0] UART_STATUS = 32'h00000004;
  localparam [31:0] UART_DIVISOR = 32'h00000008;
  localparam integer UART_STATUS_FULL_LSB = 0;
  localparam integer UART_STATUS_FULL_W = 1;
  localparam integer UART_STATUS_BUSY_LSB = 1;
  localparam integer UART_STATUS_BUSY_W = 1;

  // clocks since reset
  localparam [31:0] AT_TIMER = 32'h10000100;
  localparam [31:0] TIMER_COUNT = 32'h00000000;
  localparam [31:0] TIMER_COUNT_HIGH = 32'h00000004;
  localparam [31:0] TIMER_COMPARE = 32'h00000008;

  // restarts processor, accelerator and streams
  localparam [31:0] AT_WATCHDOG = 32'h10000200;
  localparam [31:0] WATCHDOG_RELOAD = 32'h00000000;
  localparam [31:0] WATCHDOG_KICK = 32'h00000004;
  localparam [31:0] WATCHDOG_CAUSE = 32'h00000008;
  localparam integer WATCHDOG_CAUSE_WATCHDOG_LSB = 0;
  localparam integer WATCHDOG_CAUSE_WATCHDOG_W = 1;
  localparam integer WATCHDOG_CAUSE_TRAP_LSB = 1;
  localparam integer WATCHDOG_CAUSE_TRAP_W = 1;

  // interrupt controller; its line is interrupt 3 of the processor
  localparam [31:0] AT_IRQC = 32'h10000300;
  localparam [31:0] IRQC_PENDING = 32'h00000000;
  localparam [31:0] IRQC_ENABLE = 32'h00000004;

  // pins and parameters
  localparam [31:0] AT_SYSTEM = 32'h10000400;
  localparam [31:0] SYSTEM_ERROR = 32'h00000000;
  localparam [31:0] SYSTEM_EXIT = 32'h00000004;
  localparam [31:0] SYSTEM_RAM_BYTES = 32'h00000008;
  localparam [31:0] SYSTEM_ACT_BYTES = 32'h0000000c;
  localparam [31:0] SYSTEM_DESC_WORDS = 32'h00000010;
  localparam [31:0] SYSTEM_EXT_BYTES = 32'h00000014;

  // accelerator: registers
  localparam [31:0] AT_ACCEL = 32'h20000000;
  localparam [31:0] CSR_ID = 32'h00000000;
  localparam [31:0] CSR_CTRL = 32'h00000004;
  localparam [31:0] CSR_STATUS = 32'h00000008;
  localparam [31:0] CSR_ERROR = 32'h0000000c;
  localparam [31:0] CSR_COMPUTE_BASE = 32'h00000010;
  localparam [31:0] CSR_COMPUTE_COUNT = 32'h00000014;
  localparam [31:0] CSR_LOAD_BASE = 32'h00000018;
  localparam [31:0] CSR_LOAD_COUNT = 32'h0000001c;
  localparam [31:0] CSR_CYCLES = 32'h00000020;
  localparam [31:0] CSR_ACTIVE = 32'h00000024;
  localparam [31:0] CSR_STALLS = 32'h00000028;
  localparam [31:0] CSR_LOAD_WAITS = 32'h0000002c;
  localparam [31:0] CSR_LOADED = 32'h00000030;
  localparam integer CSR_CTRL_START_LSB = 0;
  localparam integer CSR_CTRL_START_W = 1;
  localparam integer CSR_CTRL_ABORT_LSB = 1;
  localparam integer CSR_CTRL_ABORT_W = 1;
  localparam integer CSR_CTRL_IRQ_ENABLE_LSB = 2;
  localparam integer CSR_CTRL_IRQ_ENABLE_W = 1;
  localparam integer CSR_STATUS_BUSY_LSB = 0;
  localparam integer CSR_STATUS_BUSY_W = 1;
  localparam integer CSR_STATUS_DONE_LSB = 1;
  localparam integer CSR_STATUS_DONE_W = 1;
  localparam integer CSR_STATUS_ERROR_LSB = 2;
  localparam integer CSR_STATUS_ERROR_W = 1;
  localparam integer CSR_ERROR_CODE_LSB = 0;
  localparam integer CSR_ERROR_CODE_W = 8;
  localparam integer CSR_ERROR_LOAD_LSB = 8;
  localparam integer CSR_ERROR_LOAD_W = 1;
  localparam integer CSR_ERROR_INDEX_LSB = 16;
  localparam integer CSR_ERROR_INDEX_W = 16;

  // accelerator: descriptor memory
  localparam [31:0] AT_DESCRIPTORS = 32'h20010000;

  // accelerator: activation memory
  localparam [31:0] AT_ACTIVATIONS = 32'h20100000;

  // sample stream unit
  localparam [31:0] AT_STREAM = 32'h30000000;
  localparam [31:0] STREAM_CTRL = 32'h00000000;
  localparam [31:0] STREAM_STATUS = 32'h00000004;
  localparam [31:0] STREAM_CONFIG = 32'h00000008;
  localparam [31:0] STREAM_BASE = 32'h0000000c;
  localparam [31:0] STREAM_BYTES = 32'h00000010;
  localparam [31:0] STREAM_FRAME = 32'h00000014;
  localparam [31:0] STREAM_LEVEL = 32'h00000018;
  localparam [31:0] STREAM_TIMEOUT = 32'h0000001c;
  localparam [31:0] STREAM_OVERFLOWS = 32'h00000020;
  localparam [31:0] STREAM_FRAMES = 32'h00000024;
  localparam [31:0] STREAM_WIDTH = 32'h00000028;
  localparam [31:0] STREAM_DEPTH = 32'h0000002c;
  localparam integer STREAM_CTRL_START_LSB = 0;
  localparam integer STREAM_CTRL_START_W = 1;
  localparam integer STREAM_CTRL_STOP_LSB = 1;
  localparam integer STREAM_CTRL_STOP_W = 1;
  localparam integer STREAM_STATUS_BUSY_LSB = 0;
  localparam integer STREAM_STATUS_BUSY_W = 1;
  localparam integer STREAM_STATUS_DONE_LSB = 1;
  localparam integer STREAM_STATUS_DONE_W = 1;
  localparam integer STREAM_STATUS_ERROR_LSB = 8;
  localparam integer STREAM_STATUS_ERROR_W = 8;
  localparam integer STREAM_CONFIG_MODE_LSB = 0;
  localparam integer STREAM_CONFIG_MODE_W = 1;
  localparam integer STREAM_CONFIG_FORMAT_LSB = 8;
  localparam integer STREAM_CONFIG_FORMAT_W = 3;
  localparam integer STREAM_CONFIG_SHIFT_LSB = 16;
  localparam integer STREAM_CONFIG_SHIFT_W = 4;
  localparam integer STREAM_FRAME_SAMPLES_LSB = 0;
  localparam integer STREAM_FRAME_SAMPLES_W = 16;
  localparam integer STREAM_FRAME_PRETRIGGER_LSB = 16;
  localparam integer STREAM_FRAME_PRETRIGGER_W = 16;
  localparam integer STREAM_LEVEL_THRESHOLD_LSB = 0;
  localparam integer STREAM_LEVEL_THRESHOLD_W = 16;
  localparam integer STREAM_LEVEL_OFFSET_LSB = 16;
  localparam integer STREAM_LEVEL_OFFSET_W = 16;

  // result stream
  localparam [31:0] AT_RESULTS = 32'h30010000;
  localparam [31:0] RESULTS_DATA = 32'h00000000;
  localparam [31:0] RESULTS_LAST = 32'h00000004;
  localparam [31:0] RESULTS_BASE = 32'h00000008;
  localparam [31:0] RESULTS_WORDS = 32'h0000000c;
  localparam [31:0] RESULTS_STATUS = 32'h00000010;
  localparam integer RESULTS_WORDS_WORDS_LSB = 0;
  localparam integer RESULTS_WORDS_WORDS_W = 24;
  localparam integer RESULTS_WORDS_LAST_LSB = 31;
  localparam integer RESULTS_WORDS_LAST_W = 1;
  localparam integer RESULTS_STATUS_BUSY_LSB = 0;
  localparam integer RESULTS_STATUS_BUSY_W = 1;
  localparam integer RESULTS_STATUS_EMPTY_LSB = 1;
  localparam integer RESULTS_STATUS_EMPTY_W = 1;

  // external memory, read only: the weight image
  localparam [31:0] AT_EXTERNAL = 32'h40000000;

  // Compute descriptor. Addresses are bytes in the activation memory unless they say otherwise.
  localparam integer COMPUTE_WORDS = 24;
  localparam integer COMPUTE_OPCODE_LSB = 0;
  localparam integer COMPUTE_OPCODE_W = 8;
  localparam integer COMPUTE_IN_SIGNED_LSB = 8;
  localparam integer COMPUTE_IN_SIGNED_W = 1;
  localparam integer COMPUTE_CHANNELWISE_LSB = 9;
  localparam integer COMPUTE_CHANNELWISE_W = 1;
  localparam integer COMPUTE_W_PER_GROUP_LSB = 10;
  localparam integer COMPUTE_W_PER_GROUP_W = 1;
  localparam integer COMPUTE_HISTORY_LSB = 11;
  localparam integer COMPUTE_HISTORY_W = 1;
  localparam integer COMPUTE_IN2_SIGNED_LSB = 12;
  localparam integer COMPUTE_IN2_SIGNED_W = 1;
  localparam integer COMPUTE_WIDE_IN_LSB = 13;
  localparam integer COMPUTE_WIDE_IN_W = 1;
  localparam integer COMPUTE_PAD_NONE_LSB = 14;
  localparam integer COMPUTE_PAD_NONE_W = 1;
  localparam integer COMPUTE_MAGIC_LSB = 16;
  localparam integer COMPUTE_MAGIC_W = 16;
  localparam integer COMPUTE_AFTER_LOAD_LSB = 32;
  localparam integer COMPUTE_AFTER_LOAD_W = 32;
  localparam integer COMPUTE_IN_BASE_LSB = 64;
  localparam integer COMPUTE_IN_BASE_W = 32;
  localparam integer COMPUTE_IN2_BASE_LSB = 96;
  localparam integer COMPUTE_IN2_BASE_W = 32;
  localparam integer COMPUTE_IN_ROW_BYTES_LSB = 128;
  localparam integer COMPUTE_IN_ROW_BYTES_W = 32;
  localparam integer COMPUTE_OUT_H_LSB = 160;
  localparam integer COMPUTE_OUT_H_W = 16;
  localparam integer COMPUTE_IN_H_LSB = 176;
  localparam integer COMPUTE_IN_H_W = 16;
  localparam integer COMPUTE_OUT_W_LSB = 192;
  localparam integer COMPUTE_OUT_W_W = 16;
  localparam integer COMPUTE_GROUPS_LSB = 208;
  localparam integer COMPUTE_GROUPS_W = 16;
  localparam integer COMPUTE_KH_LSB = 224;
  localparam integer COMPUTE_KH_W = 8;
  localparam integer COMPUTE_KX_N_LSB = 232;
  localparam integer COMPUTE_KX_N_W = 8;
  localparam integer COMPUTE_RUN_N_LSB = 240;
  localparam integer COMPUTE_RUN_N_W = 16;
  localparam integer COMPUTE_STRIDE_Y_LSB = 256;
  localparam integer COMPUTE_STRIDE_Y_W = 8;
  localparam integer COMPUTE_DIL_Y_LSB = 264;
  localparam integer COMPUTE_DIL_Y_W = 8;
  localparam integer COMPUTE_PAD_TOP_LSB = 272;
  localparam integer COMPUTE_PAD_TOP_W = 8;
  localparam integer COMPUTE_PAD_BYTE_LSB = 280;
  localparam integer COMPUTE_PAD_BYTE_W = 8;
  localparam integer COMPUTE_STRIDE_XB_LSB = 288;
  localparam integer COMPUTE_STRIDE_XB_W = 16;
  localparam integer COMPUTE_DIL_XB_LSB = 304;
  localparam integer COMPUTE_DIL_XB_W = 16;
  localparam integer COMPUTE_PAD_LEFT_B_LSB = 320;
  localparam integer COMPUTE_PAD_LEFT_B_W = 16;
  localparam integer COMPUTE_LAST_COUNT_LSB = 336;
  localparam integer COMPUTE_LAST_COUNT_W = 8;
  localparam integer COMPUTE_RUN_LAST_LSB = 344;
  localparam integer COMPUTE_RUN_LAST_W = 5;
  localparam integer COMPUTE_W_BASE_LSB = 352;
  localparam integer COMPUTE_W_BASE_W = 32;
  localparam integer COMPUTE_P_BASE_LSB = 384;
  localparam integer COMPUTE_P_BASE_W = 32;
  localparam integer COMPUTE_OUT_BASE_LSB = 416;
  localparam integer COMPUTE_OUT_BASE_W = 32;
  localparam integer COMPUTE_OUT_ROW_BYTES_LSB = 448;
  localparam integer COMPUTE_OUT_ROW_BYTES_W = 32;
  localparam integer COMPUTE_OUT_PIX_BYTES_LSB = 480;
  localparam integer COMPUTE_OUT_PIX_BYTES_W = 32;
  localparam integer COMPUTE_SHIFT_LSB = 512;
  localparam integer COMPUTE_SHIFT_W = 6;
  localparam integer COMPUTE_ENDING_LSB = 520;
  localparam integer COMPUTE_ENDING_W = 2;
  localparam integer COMPUTE_LOOK_UP_LSB = 522;
  localparam integer COMPUTE_LOOK_UP_W = 1;
  localparam integer COMPUTE_TABLE_LSB = 528;
  localparam integer COMPUTE_TABLE_W = 3;
  localparam integer COMPUTE_WIDE_OUT_LSB = 523;
  localparam integer COMPUTE_WIDE_OUT_W = 1;
  localparam integer COMPUTE_ZERO_LSB = 536;
  localparam integer COMPUTE_ZERO_W = 8;
  localparam integer COMPUTE_LO_LSB = 544;
  localparam integer COMPUTE_LO_W = 16;
  localparam integer COMPUTE_HI_LSB = 560;
  localparam integer COMPUTE_HI_W = 16;
  localparam integer COMPUTE_M_A_LSB = 576;
  localparam integer COMPUTE_M_A_W = 32;
  localparam integer COMPUTE_M_B_LSB = 608;
  localparam integer COMPUTE_M_B_W = 32;
  localparam integer COMPUTE_LENGTH_LSB = 640;
  localparam integer COMPUTE_LENGTH_W = 32;
  localparam integer COMPUTE_HISTORY_STRIDE_LSB = 672;
  localparam integer COMPUTE_HISTORY_STRIDE_W = 8;
  localparam integer COMPUTE_HISTORY_KW_LSB = 680;
  localparam integer COMPUTE_HISTORY_KW_W = 8;
  localparam integer COMPUTE_IN2_ZERO_LSB = 688;
  localparam integer COMPUTE_IN2_ZERO_W = 8;

  // Load descriptor.
  localparam integer LOAD_WORDS = 8;
  localparam integer LOAD_OPCODE_LSB = 0;
  localparam integer LOAD_OPCODE_W = 8;
  localparam integer LOAD_MAGIC_LSB = 16;
  localparam integer LOAD_MAGIC_W = 16;
  localparam integer LOAD_AFTER_COMPUTE_LSB = 32;
  localparam integer LOAD_AFTER_COMPUTE_W = 32;
  localparam integer LOAD_EXT_ADDR_LSB = 64;
  localparam integer LOAD_EXT_ADDR_W = 32;
  localparam integer LOAD_EXT_WORDS_LSB = 96;
  localparam integer LOAD_EXT_WORDS_W = 32;
  localparam integer LOAD_DEST_LSB = 128;
  localparam integer LOAD_DEST_W = 32;
  localparam integer LOAD_CRC32_LSB = 160;
  localparam integer LOAD_CRC32_W = 32;

  // The identity word: FNV-1a over VERSION and the parameters, word by word.
  function automatic [31:0] identity(
      input [31:0] pes,
      input [31:0] lanes,
      input [31:0] rqs,
      input [31:0] act_bytes,
      input [31:0] wgt_words,
      input [31:0] par_words,
      input [31:0] desc_words,
      input [31:0] kind,
      input [31:0] ops
  );
    identity = (32'h811c9dc5 ^ VERSION) * 32'h01000193;
    identity = (identity ^ pes) * 32'h01000193;
    identity = (identity ^ lanes) * 32'h01000193;
    identity = (identity ^ rqs) * 32'h01000193;
    identity = (identity ^ act_bytes) * 32'h01000193;
    identity = (identity ^ wgt_words) * 32'h01000193;
    identity = (identity ^ par_words) * 32'h01000193;
    identity = (identity ^ desc_words) * 32'h01000193;
    identity = (identity ^ kind) * 32'h01000193;
    identity = (identity ^ ops) * 32'h01000193;
  endfunction
endpackage
// verilator lint_on UNUSEDPARAM

`default_nettype wire
