"""Descriptors of the accelerator, the parameters that they depend on, and the identity word of a chip."""

from __future__ import annotations

from tinsmith_backends.soc.records import Choices, Field, Record

VERSION = 4
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
TABLES = 8
"""Tables of 256 bytes that a chip holds at once: as many as a block memory of an FPGA has."""

KIND = Choices(
    "KIND",
    "Parameter KIND: what one lane does",
    (
        ("MULTIPLY", 0, "signed 8-bit products"),
        ("SHIFT", 1, "shift and add; a weight is 1 << 4 | sign << 3 | shift, or 0"),
        ("XNOR", 2, "XNOR and popcount on bytes of eight bits, 1 is -1"),
    ),
)
OPS = Choices(
    "OPS",
    "Parameter OPS: operators that the chip has beside convolution, as a bit mask",
    (
        ("ADD", 1, "addition of two tensors"),
        ("MAXPOOL", 2, "maximum over a window"),
        ("HISTORY", 4, "depthwise convolution with a history of columns"),
        ("TABLE", 8, "results that go through a table of 256"),
    ),
)
OPCODE = Choices(
    "OP",
    "Opcodes of compute descriptors",
    (
        ("CONV", 1, "sums of products: convolution, dense, depthwise, average pool, requantization"),
        ("MAXPOOL", 2, "maximum over a window, channel by channel"),
        ("ADD", 3, "(a - pad_byte) * M_a + (b - in2_zero) * M_b over `length` bytes"),
        ("BITPOOL", 4, "maximum over a window of bits, eight channels a byte: their AND; KIND XNOR only"),
    ),
)
LOAD_OPCODE = Choices(
    "LOAD_OP",
    "Opcodes of load descriptors",
    (
        ("WEIGHTS", 1, "word 0 of element 0, word 0 of element 1, ..., word 1 of element 0; a word has LANES bytes"),
        ("PARAMETERS", 2, "bias then multiplier of element 0, of element 1, ..."),
        ("TABLES", 3, "64 words a table: the result for byte 0 in the lowest byte of the first"),
    ),
)
ENDING = Choices(
    "END",
    "What becomes of an accumulator",
    (
        (
            "REQUANTIZE",
            0,
            "clamp(((acc + bias) * M + 2^(shift-1)) >> shift, lo, hi) + zero, a byte, or two (`wide_out`)",
        ),
        ("RAW", 1, "acc + bias, int32, four bytes, little-endian"),
        ("THRESHOLD", 2, "acc + bias >= 0 ? 1 : -1, one int8 byte; in KIND XNOR one bit, eight channels a byte"),
    ),
)

COMPUTE = Record(
    "COMPUTE",
    24,
    "Compute descriptor. Addresses are bytes in the activation memory unless they say otherwise.",
    (
        Field("opcode", 0, 0, 8, "OP_*"),
        Field("in_signed", 0, 8, 1, "input bytes are int8, else uint8; of `wide_in` the high ones"),
        Field("channelwise", 0, 9, 1, "element p works on byte p of the word; columns move on with the group"),
        Field("w_per_group", 0, 10, 1, "every group has weights of its own"),
        Field("history", 0, 11, 1, "depthwise with a history of columns"),
        Field("in2_signed", 0, 12, 1, "the second operand of an addition is int8"),
        Field(
            "wide_in",
            0,
            13,
            1,
            "inputs of two bytes, low first: what odd lanes add counts 256 times; OP_CONV, no history",
        ),
        Field("pad_none", 0, 14, 1, "what stands outside the input adds nothing; KIND XNOR only"),
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
        Field("pad_byte", 8, 24, 8, "what stands outside the input; the zero point of an addition's first operand"),
        Field("stride_xb", 9, 0, 16, "bytes from one output pixel to the next"),
        Field("dil_xb", 9, 16, 16, "bytes from one run to the next"),
        Field("pad_left_b", 10, 0, 16, "bytes left of the input"),
        Field("last_count", 10, 16, 8, "channels in the last group, 1 to PES"),
        Field("run_last", 10, 24, 5, "bytes of a run's last word that add something, 0 is all; KIND XNOR only"),
        Field("w_base", 11, 0, 32, "first weight word in every element"),
        Field("p_base", 12, 0, 32, "first parameter word in every element; group g reads p_base + g"),
        Field("out_base", 13, 0, 32, "output tensor"),
        Field("out_row_bytes", 14, 0, 32, "bytes from one output row to the next"),
        Field("out_pix_bytes", 15, 0, 32, "bytes from one output pixel to the next"),
        Field("shift", 16, 0, 6, "s of the requantization, 1 to 62"),
        Field("ending", 16, 8, 2, "END_*"),
        Field("look_up", 16, 10, 1, "requantized bytes are replaced by their entries of a table"),
        Field("table", 16, 16, 3, "which table"),
        Field("wide_out", 16, 11, 1, "requantized results are int16, two bytes, low first; no table"),
        Field("zero", 16, 24, 8, "added behind the clamp: the output's zero point; 0 with `wide_out`"),
        Field("lo", 17, 0, 16, "least output, less `zero`", signed=True),
        Field("hi", 17, 16, 16, "largest output, less `zero`", signed=True),
        Field("m_a", 18, 0, 32, "multiplier of an addition's first operand", signed=True),
        Field("m_b", 19, 0, 32, "multiplier of its second", signed=True),
        Field("length", 20, 0, 32, "elements of an addition"),
        Field("history_stride", 21, 0, 8, "columns from one output to the next"),
        Field("history_kw", 21, 8, 8, "columns of the window"),
        Field("in2_zero", 21, 16, 8, "zero point of an addition's second operand"),
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
        Field("dest", 4, 0, 32, "first word in every element's weight or parameter memory, or in that of the tables"),
        Field("crc32", 5, 0, 32, "CRC-32 (zlib's) of the words read"),
    ),
)
