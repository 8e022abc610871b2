"""The one description of the chip's registers, addresses, descriptors, weight image and error codes.

`python -m tinsmith_backends.soc.memory_map` writes from it what the RTL, the firmware and the reader use:
`rtl/soc/tsm_soc_pkg.sv`, `firmware/include/tsm_soc.h` and `docs/soc-map.md`. The compiler packs with the same tables.
"""

from __future__ import annotations

from pathlib import Path

from tinsmith_backends.soc.records import Block, Choices, Field, Record, Register

VERSION = 1
"""Of the map; part of every identity word."""

IDENTITY_PARAMETERS = ("PES", "LANES", "RQS", "ACT_BYTES", "WGT_WORDS", "PAR_WORDS", "DESC_WORDS", "KIND", "OPS")
"""The accelerator's parameters, in the order in which they are hashed."""

HASH_START = 0x811C9DC5
HASH_PRIME = 0x01000193


def identity(*values: int) -> int:
    """The word that says for which chip an image is: FNV-1a over the map's version and the parameters, word by word.

    The package has the same function, so the chip computes its own from its parameters.

    Args:
        values: one for each of `IDENTITY_PARAMETERS`.
    """
    if len(values) != len(IDENTITY_PARAMETERS):
        raise TypeError(f"{len(IDENTITY_PARAMETERS)} values: {', '.join(IDENTITY_PARAMETERS)}")
    word = HASH_START
    for value in (VERSION, *values):
        word = ((word ^ value) * HASH_PRIME) & 0xFFFFFFFF
    return word


MAGIC_DESCRIPTOR = 0x5443
MAGIC_IMAGE = 0x314D5354  # "TSM1"
MAGIC_RESULT = 0x5453
WATCHDOG_KEY = 0x5A5A1234

KIND = Choices(
    "KIND",
    "Parameter KIND: what one lane does",
    (
        ("MULTIPLY", 0, "signed 8-bit products"),
        ("SHIFT", 1, "shift and add; a weight is sign and shift"),
        ("XNOR", 2, "XNOR and popcount on bits"),
    ),
)
OPS = Choices(
    "OPS",
    "Parameter OPS: operators that the chip has beside convolution, as a bit mask",
    (
        ("ADD", 1, "addition of two tensors"),
        ("MAXPOOL", 2, "maximum over a window"),
        ("HISTORY", 4, "depthwise convolution with a history of columns"),
    ),
)
OPCODE = Choices(
    "OP",
    "Opcodes of compute descriptors",
    (
        ("CONV", 1, "sums of products: convolution, dense, depthwise, average pool, requantization"),
        ("MAXPOOL", 2, "maximum over a window, channel by channel"),
        ("ADD", 3, "a * M_a + b * M_b over `length` bytes"),
    ),
)
LOAD_OPCODE = Choices(
    "LOAD_OP",
    "Opcodes of load descriptors",
    (
        ("WEIGHTS", 1, "word 0 of element 0, word 0 of element 1, ..., word 1 of element 0; a word has LANES bytes"),
        ("PARAMETERS", 2, "bias then multiplier of element 0, of element 1, ..."),
    ),
)
ENDING = Choices(
    "END",
    "What becomes of an accumulator",
    (
        ("REQUANTIZE", 0, "clamp(((acc + bias) * M + 2^(shift-1)) >> shift, lo, hi), one byte"),
        ("RAW", 1, "acc + bias, int32, four bytes, little-endian"),
        ("THRESHOLD", 2, "acc + bias >= 0 ? 1 : -1, one int8 byte"),
    ),
)

COMPUTE = Record(
    "COMPUTE",
    24,
    "Compute descriptor. Addresses are bytes in the activation memory unless they say otherwise.",
    (
        Field("opcode", 0, 0, 8, "OP_*"),
        Field("in_signed", 0, 8, 1, "input bytes are int8, else uint8"),
        Field("channelwise", 0, 9, 1, "element p works on byte p of the word; columns move on with the group"),
        Field("w_per_group", 0, 10, 1, "every group has weights of its own"),
        Field("history", 0, 11, 1, "depthwise with a history of columns"),
        Field("in2_signed", 0, 12, 1, "the second operand of an addition is int8"),
        Field("magic", 0, 16, 16, "0x5443"),
        Field("after_load", 1, 0, 32, "begins once so many load descriptors of the run have finished"),
        Field("in_base", 2, 0, 32, "input tensor"),
        Field("in2_base", 3, 0, 32, "second operand of an addition"),
        Field("in_row_bytes", 4, 0, 32, "bytes of an input row"),
        Field("out_h", 5, 0, 16, "rows of the output"),
        Field("in_h", 5, 16, 16, "rows of the input"),
        Field("out_w", 6, 0, 16, "pixels of an output row"),
        Field("groups", 6, 16, 16, "groups of PES output channels"),
        Field("kh", 7, 0, 8, "rows of the window"),
        Field("kx_n", 7, 8, 8, "runs of bytes in a window's row"),
        Field("run_n", 7, 16, 16, "words of LANES bytes in a run"),
        Field("stride_y", 8, 0, 8, "rows from one output row to the next"),
        Field("dil_y", 8, 8, 8, "rows from one window row to the next"),
        Field("pad_top", 8, 16, 8, "rows above the input"),
        Field("pad_byte", 8, 24, 8, "what stands outside the input"),
        Field("stride_xb", 9, 0, 16, "bytes from one output pixel to the next"),
        Field("dil_xb", 9, 16, 16, "bytes from one run to the next"),
        Field("pad_left_b", 10, 0, 16, "bytes left of the input"),
        Field("last_count", 10, 16, 8, "channels in the last group, 1 to PES"),
        Field("w_base", 11, 0, 32, "first weight word in every element"),
        Field("p_base", 12, 0, 32, "first parameter word in every element; group g reads p_base + g"),
        Field("out_base", 13, 0, 32, "output tensor"),
        Field("out_row_bytes", 14, 0, 32, "bytes from one output row to the next"),
        Field("out_pix_bytes", 15, 0, 32, "bytes from one output pixel to the next"),
        Field("shift", 16, 0, 6, "s of the requantization, 1 to 62"),
        Field("ending", 16, 8, 2, "END_*"),
        Field("lo", 17, 0, 16, "least output", signed=True),
        Field("hi", 17, 16, 16, "largest output", signed=True),
        Field("m_a", 18, 0, 32, "multiplier of an addition's first operand", signed=True),
        Field("m_b", 19, 0, 32, "multiplier of its second", signed=True),
        Field("length", 20, 0, 32, "elements of an addition"),
        Field("history_stride", 21, 0, 8, "columns from one output to the next"),
        Field("history_kw", 21, 8, 8, "columns of the window"),
    ),
)
LOAD = Record(
    "LOAD",
    8,
    "Load descriptor.",
    (
        Field("opcode", 0, 0, 8, "LOAD_OP_*"),
        Field("magic", 0, 16, 16, "0x5443"),
        Field("after_compute", 1, 0, 32, "begins once so many compute descriptors of the run have finished"),
        Field("ext_addr", 2, 0, 32, "byte address in the external memory, a multiple of 4"),
        Field("ext_words", 3, 0, 32, "32-bit words to read"),
        Field("dest", 4, 0, 32, "first word in every element's weight or parameter memory"),
        Field("crc32", 5, 0, 32, "CRC-32 (zlib's) of the words read"),
    ),
)

HEADER = Record(
    "HEADER",
    16,
    "Weight image: header. Offsets are bytes from the image's start, multiples of 4.",
    (
        Field("magic", 0, 0, 32, '0x314D5354, "TSM1"'),
        Field("version", 1, 0, 32, "of this map"),
        Field("identity", 2, 0, 32, "of the chip that the image is for"),
        Field("image_bytes", 3, 0, 32, "length of the image"),
        Field("steps", 4, 0, 32, "offset of the program steps"),
        Field("step_count", 5, 0, 32, "program steps"),
        Field("computes", 6, 0, 32, "offset of the compute descriptors"),
        Field("compute_count", 7, 0, 32, "compute descriptors"),
        Field("loads", 8, 0, 32, "offset of the load descriptors"),
        Field("load_count", 9, 0, 32, "load descriptors"),
        Field("inputs", 10, 0, 32, "offset of the input table"),
        Field("outputs", 11, 0, 32, "offset of the output table"),
        Field("input_count", 12, 0, 16, "entries of the input table"),
        Field("output_count", 12, 16, 16, "entries of the output table"),
        Field("payload", 13, 0, 32, "offset of what the load descriptors read; the last part of the image"),
        Field("tables_crc", 14, 0, 32, "CRC-32 of the bytes from 64 to the payload"),
        Field("header_crc", 15, 0, 32, "CRC-32 of the 60 bytes before"),
    ),
)
STEP_KIND = Choices(
    "STEP",
    "Kinds of program steps",
    (
        ("HARDWARE", 1, "a run of the accelerator"),
        ("SOFTWARE", 2, "an operator that the processor computes"),
        ("BOOT", 3, "a run of the accelerator once after the image was checked, before the first frame"),
    ),
)
SOFT_OPERATOR = Choices(
    "SOFT",
    "Operators that the firmware computes; bits as docs/numbers.md",
    (
        ("ADD", 1, "in * m_a + in2 * m_b, requantized with M = 1; elements: out_h * out_w * channels"),
        ("MAXPOOL", 2, "maximum over a window; padding never wins"),
        ("REQUANTIZE", 3, "x * M[c]; table: M of every channel"),
        ("PIECEWISE", 4, "x * m[k][c] + b[k][c], k = x >= knee[c]; table of a channel: knee, m0, b0, m1, b1"),
        (
            "COPY",
            5,
            "in_h rows of `channels` bytes, `in_w` bytes apart in the input, `out_w` bytes apart in the output",
        ),
        ("SOFTMAX", 6, "in_h rows of `channels`: binary32 of table[max - x] / their sum; table of 256, 0 to 2^23"),
        ("ARGMAX", 7, "in_h rows of `channels`: int64 index of the first maximum"),
    ),
)
STEP = Record(
    "STEP",
    16,
    "Program step. A hardware step uses words 0 to 2; a software step the others. Tensors are HWC.",
    (
        Field("kind", 0, 0, 8, "STEP_*"),
        Field("operator", 0, 8, 8, "SOFT_* of a software step"),
        Field("in_signed", 0, 16, 1, "input bytes are int8, else uint8"),
        Field("in2_signed", 0, 17, 1, "the second operand is int8"),
        Field("first_compute", 1, 0, 16, "first compute descriptor of the run"),
        Field("compute_count", 1, 16, 16, "compute descriptors of the run"),
        Field("first_load", 2, 0, 16, "first load descriptor of the run"),
        Field("load_count", 2, 16, 16, "load descriptors of the run"),
        Field("table", 3, 0, 32, "int32 numbers of every channel: offset in the image"),
        Field("in_base", 4, 0, 32, "input, byte address in the activation memory"),
        Field("in2_base", 5, 0, 32, "second operand"),
        Field("out_base", 6, 0, 32, "output"),
        Field("in_h", 7, 0, 16, "rows of the input"),
        Field("in_w", 7, 16, 16, "pixels of an input row"),
        Field("out_h", 8, 0, 16, "rows of the output"),
        Field("out_w", 8, 16, 16, "pixels of an output row"),
        Field("channels", 9, 0, 16, "channels"),
        Field("shift", 9, 16, 6, "s of the requantization"),
        Field("kh", 10, 0, 8, "rows of the window"),
        Field("kw", 10, 8, 8, "columns of the window"),
        Field("stride_y", 10, 16, 8, "rows from one output to the next"),
        Field("stride_x", 10, 24, 8, "columns from one output to the next"),
        Field("pad_top", 11, 0, 8, "rows above the input"),
        Field("pad_left", 11, 8, 8, "columns left of the input"),
        Field("dil_y", 11, 16, 8, "rows from one window row to the next"),
        Field("dil_x", 11, 24, 8, "columns from one window column to the next"),
        Field("lo", 12, 0, 16, "least output", signed=True),
        Field("hi", 12, 16, 16, "largest output", signed=True),
        Field("m_a", 13, 0, 32, "multiplier of an addition's first operand", signed=True),
        Field("m_b", 14, 0, 32, "multiplier of its second", signed=True),
    ),
)
INPUT_MODE = Choices(
    "MODE",
    "How the sample stream becomes an input tensor",
    (
        ("FRAME", 0, "the bytes of the stream are the tensor, lowest byte of a beat first; TLAST ends it"),
        (
            "TRIGGER",
            1,
            "16-bit samples run through a circular buffer; a frame begins `pretrigger` samples before the trigger",
        ),
    ),
)
SAMPLE_FORMAT = Choices(
    "FORMAT",
    "What a 16-bit sample becomes in trigger mode; v = sample - offset",
    (
        ("INT8", 0, "clamp((v + half) >> shift, -128, 127), half = 2^(shift-1) or 0"),
        ("UINT8", 1, "clamp((v + half) >> shift, 0, 255)"),
        ("PAIR", 2, "two int8 channels h, l with v = 256 * h + l, v clamped to -32896 ... 32639"),
        (
            "SPLIT",
            3,
            "two uint8 channels v >> shift, v mod 2^shift, shift 1 to 8, v clamped to 0 ... 2^(8 + shift) - 1",
        ),
    ),
)
INPUT = Record(
    "INPUT",
    8,
    "Entry of the input table: one tensor that the sample stream fills.",
    (
        Field("base", 0, 0, 32, "byte address in the activation memory, a multiple of 4"),
        Field("bytes", 1, 0, 32, "of the tensor"),
        Field("mode", 2, 0, 8, "MODE_*"),
        Field("format", 2, 8, 8, "FORMAT_* of the trigger mode"),
        Field("beat_bytes", 2, 16, 8, "of the sample stream: 2 or 4; trigger mode needs 2"),
        Field("shift", 2, 24, 4, "of FORMAT_INT8, FORMAT_UINT8 and FORMAT_SPLIT"),
        Field("samples", 3, 0, 16, "of a triggered frame"),
        Field("pretrigger", 3, 16, 16, "samples before the trigger"),
        Field("threshold", 4, 0, 16, "a trigger is a sample at or above it after one below it", signed=True),
        Field("offset", 4, 16, 16, "subtracted from every sample", signed=True),
        Field("timeout", 5, 0, 32, "clocks without a beat in mid-frame that are an error; 0 waits for ever"),
    ),
)
OUTPUT = Record(
    "OUTPUT",
    4,
    "Entry of the output table: one tensor of the result frame.",
    (
        Field("base", 0, 0, 32, "byte address in the activation memory, a multiple of 4"),
        Field("bytes", 1, 0, 32, "of the tensor; a result frame rounds every tensor up to words"),
    ),
)
RESULT = Record(
    "RESULT",
    4,
    "Header of a result frame; the output tensors follow, TLAST on the last word.",
    (
        Field("error", 0, 0, 8, "ERR_*; after an error no tensor follows"),
        Field("magic", 0, 16, 16, "0x5453"),
        Field("sequence", 1, 0, 32, "of the frame since reset, or ERROR of the accelerator where error is not 0"),
        Field("clocks", 2, 0, 32, "from the frame's last beat to the end of the program"),
        Field("payload", 3, 0, 32, "words that follow"),
    ),
)
ERROR = Choices(
    "ERR",
    "Error codes: in ERROR of the accelerator, in result frames, on the pins `error_o`",
    (
        ("NONE", 0x00, "no error"),
        ("OPCODE", 0x01, "a descriptor with an opcode that the chip does not have"),
        ("MAGIC", 0x02, "a descriptor without its magic number"),
        ("COUNT", 0x03, "a descriptor with a count of 0, or one past the chip's"),
        ("ADDRESS", 0x04, "a descriptor that reaches past a memory"),
        ("CRC", 0x05, "the words of a load descriptor do not have its CRC"),
        ("ABORT", 0x06, "the run was stopped by CTRL"),
        ("DEADLOCK", 0x07, "a descriptor waits for one that cannot come"),
        ("IMAGE_MAGIC", 0x10, "no image in the external memory"),
        ("IMAGE_VERSION", 0x11, "image for another version of this map"),
        ("IMAGE_IDENTITY", 0x12, "image for another chip configuration"),
        ("IMAGE_HEADER", 0x13, "wrong CRC of the header"),
        ("IMAGE_TABLES", 0x14, "wrong CRC of the tables"),
        ("IMAGE_LAYOUT", 0x15, "an offset or a count of the header does not fit the image or the chip"),
        ("STEP", 0x16, "a program step that nobody has"),
        ("STEP_LAYOUT", 0x17, "a program step that reaches past its descriptors, the image or the activation memory"),
        ("STREAM_WIDTH", 0x18, "an input for a sample stream of another width"),
        ("STREAM_INPUT", 0x19, "an input that the sample stream unit cannot fill"),
        ("STREAM_TIMEOUT", 0x20, "a frame stopped in the middle"),
        ("STREAM_LENGTH", 0x21, "TLAST came early, or not at the frame's end"),
        ("STREAM_KEEP", 0x22, "a beat of fewer bytes than the stream is wide, before the frame's end"),
        ("HANG", 0x30, "the accelerator did not finish"),
        ("WATCHDOG", 0x31, "the watchdog has restarted the chip"),
        ("TRAP", 0x32, "the processor stopped at an illegal instruction or a bus error"),
    ),
)

IRQ = Choices(
    "IRQ",
    "Interrupt sources: bits of PENDING and ENABLE",
    (
        ("ACCEL", 0, "the accelerator has finished, or stopped at an error"),
        ("STREAM", 1, "the sample stream unit has filled an input, or met an error"),
        ("TIMER", 2, "the timer has passed COMPARE"),
        ("RESULT", 3, "the result stream is empty"),
    ),
)


def _bit(name: str, low: int, meaning: str, width: int = 1) -> Field:
    return Field(name, 0, low, width, meaning)


RAM = Block("RAM", 0x0000_0000, 0x0010_0000, "firmware and its data; RAM_BYTES of it are there")
UART = Block(
    "UART",
    0x1000_0000,
    0x100,
    "serial log, 8N1, sends only",
    (
        Register("DATA", 0x0, "w", "byte to send; lost where the queue is full"),
        Register("STATUS", 0x4, "r", "state", (_bit("full", 0, "no room"), _bit("busy", 1, "not all sent"))),
        Register("DIVISOR", 0x8, "rw", "clocks a bit, at least 2; parameter UART_DIVISOR after reset"),
    ),
)
TIMER = Block(
    "TIMER",
    0x1000_0100,
    0x100,
    "clocks since reset",
    (
        Register("COUNT", 0x0, "r", "low 32 bits; the read holds the high ones"),
        Register("COUNT_HIGH", 0x4, "r", "high 32 bits at the last read of COUNT"),
        Register("COMPARE", 0x8, "rw", "interrupt while COUNT - COMPARE, modulo 2^32, is less than 2^31"),
    ),
)
WATCHDOG = Block(
    "WATCHDOG",
    0x1000_0200,
    0x100,
    "restarts processor, accelerator and streams",
    (
        Register("RELOAD", 0x0, "rw", "clocks from a kick to the restart; 0 is off"),
        Register("KICK", 0x4, "w", "write 0x5A5A1234"),
        Register("CAUSE", 0x8, "w1c", "why it restarted", (_bit("watchdog", 0, "no kick"), _bit("trap", 1, "trap"))),
    ),
)
IRQC = Block(
    "IRQC",
    0x1000_0300,
    0x100,
    "interrupt controller; its line is interrupt 3 of the processor",
    (
        Register("PENDING", 0x0, "r", "sources that are active (levels)"),
        Register("ENABLE", 0x4, "rw", "sources that reach the processor"),
    ),
)
SYSTEM = Block(
    "SYSTEM",
    0x1000_0400,
    0x100,
    "pins and parameters",
    (
        Register("ERROR", 0x0, "rw", "low 8 bits: pins error_o; irq_o is high while it is not 0"),
        Register("EXIT", 0x4, "w", "ends a simulation with this number"),
        Register("RAM_BYTES", 0x8, "r", "parameter"),
        Register("ACT_BYTES", 0xC, "r", "parameter"),
        Register("DESC_WORDS", 0x10, "r", "parameter"),
        Register("EXT_BYTES", 0x14, "r", "parameter: size of the external memory"),
    ),
)
ACCEL = Block(
    "ACCEL",
    0x2000_0000,
    0x1_0000,
    "accelerator: registers",
    (
        Register("ID", 0x00, "r", "identity word"),
        Register(
            "CTRL",
            0x04,
            "rw",
            "control",
            (
                _bit("start", 0, "reads 0"),
                _bit("abort", 1, "reads 0"),
                _bit("irq_enable", 2, "interrupt on done or error"),
            ),
        ),
        Register(
            "STATUS",
            0x08,
            "w1c",
            "state",
            (
                _bit("busy", 0, "a run is on"),
                _bit("done", 1, "a run has ended"),
                _bit("error", 2, "it ended at an error"),
            ),
        ),
        Register(
            "ERROR",
            0x0C,
            "r",
            "of the last run",
            (
                _bit("code", 0, "ERR_*", 8),
                _bit("load", 8, "in the load list"),
                _bit("index", 16, "descriptor of the run", 16),
            ),
        ),
        Register("COMPUTE_BASE", 0x10, "rw", "first compute descriptor, word address in the descriptor memory"),
        Register("COMPUTE_COUNT", 0x14, "rw", "compute descriptors"),
        Register("LOAD_BASE", 0x18, "rw", "first load descriptor, word address"),
        Register("LOAD_COUNT", 0x1C, "rw", "load descriptors"),
        Register("CYCLES", 0x20, "r", "clocks of the last run"),
        Register("ACTIVE", 0x24, "r", "clocks with a step of the array"),
        Register("STALLS", 0x28, "r", "clocks in which the array waited for the ending"),
        Register("LOAD_WAITS", 0x2C, "r", "clocks in which a compute descriptor waited for loads"),
        Register("LOADED", 0x30, "r", "32-bit words loaded"),
    ),
)
DESCRIPTORS = Block("DESCRIPTORS", 0x2001_0000, 0x1_0000, "accelerator: descriptor memory")
ACTIVATIONS = Block("ACTIVATIONS", 0x2010_0000, 0x10_0000, "accelerator: activation memory")
STREAM = Block(
    "STREAM",
    0x3000_0000,
    0x1_0000,
    "sample stream unit",
    (
        Register(
            "CTRL", 0x00, "w", "control", (_bit("start", 0, "fill the input"), _bit("stop", 1, "give up the frame"))
        ),
        Register(
            "STATUS",
            0x04,
            "w1c",
            "state",
            (
                _bit("busy", 0, "filling"),
                _bit("done", 1, "filled, or stopped at an error"),
                _bit("error", 8, "ERR_* of the frame, cleared with done", 8),
            ),
        ),
        Register(
            "CONFIG",
            0x08,
            "rw",
            "what samples become",
            (_bit("mode", 0, "MODE_*"), _bit("format", 8, "FORMAT_*", 2), _bit("shift", 16, "right shift", 4)),
        ),
        Register("BASE", 0x0C, "rw", "of the input tensor, multiple of 4"),
        Register("BYTES", 0x10, "rw", "of the input tensor, at least 1"),
        Register(
            "FRAME",
            0x14,
            "rw",
            "of the trigger mode",
            (_bit("samples", 0, "at most DEPTH", 16), _bit("pretrigger", 16, "less than samples", 16)),
        ),
        Register(
            "LEVEL",
            0x18,
            "rw",
            "signed",
            (_bit("threshold", 0, "of the trigger", 16), _bit("offset", 16, "subtracted", 16)),
        ),
        Register("TIMEOUT", 0x1C, "rw", "clocks without a beat in mid-frame; 0 waits for ever"),
        Register("OVERFLOWS", 0x20, "r", "triggers lost since reset: no room, or no history before them yet"),
        Register("FRAMES", 0x24, "r", "inputs filled since reset"),
        Register("WIDTH", 0x28, "r", "bytes of a beat, a parameter"),
        Register("DEPTH", 0x2C, "r", "samples in the circular buffer, a parameter"),
    ),
)
RESULTS = Block(
    "RESULTS",
    0x3001_0000,
    0x1_0000,
    "result stream",
    (
        Register("DATA", 0x00, "w", "word to send; the write waits for room"),
        Register("LAST", 0x04, "w", "word to send with TLAST"),
        Register("BASE", 0x08, "rw", "of the tensor to send from the activation memory, multiple of 4"),
        Register(
            "WORDS",
            0x0C,
            "rw",
            "words to send; the write starts it",
            (_bit("words", 0, "count", 24), _bit("last", 31, "TLAST")),
        ),
        Register(
            "STATUS", 0x10, "r", "state", (_bit("busy", 0, "a tensor is on its way"), _bit("empty", 1, "all taken"))
        ),
    ),
)
EXTERNAL = Block("EXTERNAL", 0x4000_0000, 0x4000_0000, "external memory, read only: the weight image")

RECORDS = (COMPUTE, LOAD, HEADER, STEP, INPUT, OUTPUT, RESULT)
CHOICES = (KIND, OPS, OPCODE, LOAD_OPCODE, ENDING, STEP_KIND, SOFT_OPERATOR, INPUT_MODE, SAMPLE_FORMAT, IRQ, ERROR)
BLOCKS = (
    *(RAM, UART, TIMER, WATCHDOG, IRQC, SYSTEM),
    *(ACCEL, DESCRIPTORS, ACTIVATIONS, STREAM, RESULTS, EXTERNAL),
)
NUMBERS = {
    "VERSION": VERSION,
    "MAGIC_DESCRIPTOR": MAGIC_DESCRIPTOR,
    "MAGIC_IMAGE": MAGIC_IMAGE,
    "MAGIC_RESULT": MAGIC_RESULT,
    "WATCHDOG_KEY": WATCHDOG_KEY,
}


def main() -> None:
    """Write the three files into the source tree that this module stands in."""
    from tinsmith_backends.soc.map_writers import FILES

    root = Path(__file__).parents[3]
    for path, text in FILES.items():
        (root / path).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
