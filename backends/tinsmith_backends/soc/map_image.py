"""The weight image with the program that the firmware runs, and the result frame that it answers with."""

from __future__ import annotations

from tinsmith_backends.soc.records import Choices, Field, Record

MAGIC_IMAGE = 0x314D5354  # "TSM1"
MAGIC_RESULT = 0x5453

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
        ("TABLE", 8, "entry x of the table, whose 256 bytes are 64 of its numbers"),
        (
            "CONV",
            9,
            "convolution, padding adds nothing; table of an output channel: bias, M, then the weights [kh][kw][channel "
            "of its group], four int8 a word",
        ),
        (
            "BITPOOL",
            10,
            "maximum over a window of bits, 1 is -1, eight channels a byte; table of a byte: its channels of which the "
            "minimum",
        ),
    ),
)
STEP = Record(
    "STEP",
    17,
    "Program step. A hardware step uses words 0 to 2; a software step the others. Tensors are HWC.",
    (
        Field("kind", 0, 0, 8, "STEP_*"),
        Field("operator", 0, 8, 8, "SOFT_* of a software step"),
        Field("in_signed", 0, 16, 1, "input bytes are int8, else uint8"),
        Field("in2_signed", 0, 17, 1, "the second operand is int8"),
        Field("packed", 0, 18, 1, "END_THRESHOLD makes a bit, 1 is -1, eight channels a byte"),
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
        Field("ending", 9, 22, 2, "END_* of a convolution"),
        Field("zero", 9, 24, 8, "added behind the clamp: the output's zero point"),
        Field("kh", 10, 0, 8, "rows of the window"),
        Field("kw", 10, 8, 8, "columns of the window"),
        Field("stride_y", 10, 16, 8, "rows from one output to the next"),
        Field("stride_x", 10, 24, 8, "columns from one output to the next"),
        Field("pad_top", 11, 0, 8, "rows above the input"),
        Field("pad_left", 11, 8, 8, "columns left of the input"),
        Field("dil_y", 11, 16, 8, "rows from one window row to the next"),
        Field("dil_x", 11, 24, 8, "columns from one window column to the next"),
        Field("lo", 12, 0, 16, "least output, less `zero`", signed=True),
        Field("hi", 12, 16, 16, "largest output, less `zero`", signed=True),
        Field("m_a", 13, 0, 32, "multiplier of an addition's first operand", signed=True),
        Field("m_b", 14, 0, 32, "multiplier of its second", signed=True),
        Field("inputs", 15, 0, 16, "channels of an input pixel of a convolution"),
        Field("groups", 15, 16, 16, "groups of its channels"),
        Field("in_zero", 16, 0, 8, "the input's zero point, subtracted where values are multiplied"),
        Field("in2_zero", 16, 8, 8, "that of the second operand"),
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
            "16-bit samples of an ADC; a frame begins `pretrigger` samples before the trigger",
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
        ("INT16", 4, "clamp((v + half) >> shift, -32768, 32767), low byte first"),
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
        Field("shift", 2, 24, 4, "of all formats but FORMAT_PAIR"),
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
