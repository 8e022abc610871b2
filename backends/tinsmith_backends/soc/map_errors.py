"""Error codes."""

from __future__ import annotations

from tinsmith_backends.soc.records import Choices

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
