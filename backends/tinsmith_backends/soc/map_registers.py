"""Addresses, registers and interrupts: what the processor sees."""

from __future__ import annotations

from tinsmith_backends.soc.records import Block, Choices, Field, Register

WATCHDOG_KEY = 0x5A5A1234

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
            (_bit("mode", 0, "MODE_*"), _bit("format", 8, "FORMAT_*", 3), _bit("shift", 16, "right shift", 4)),
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
        Register("OVERFLOWS", 0x20, "r", "triggers lost since reset: no room for a frame, or too soon behind the last"),
        Register("FRAMES", 0x24, "r", "inputs filled since reset"),
        Register("WIDTH", 0x28, "r", "bytes of a beat, a parameter"),
        Register("DEPTH", 0x2C, "r", "samples that all frames which wait hold together, a parameter"),
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
