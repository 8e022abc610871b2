"""What the sample stream carries: whole input tensors, or samples of an ADC that a trigger cuts frames from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tinsmith.errors import Problems
from tinsmith.ir.exact import Tensor
from tinsmith.settings import Setting, one_of

from tinsmith_backends.soc.memory_map import INPUT_MODE, SAMPLE_FORMAT

FRAME = "frame"
FORMATS = tuple(name.lower() for name, _, _ in SAMPLE_FORMAT.entries)
"""What a 16-bit sample can become."""
BECOMES = {"int8": "int8", "uint8": "uint8", "pair": "int8", "split": "uint8", "int16": "int16"}
"""The type of the input tensor that each makes."""
DEPTH = 1024
"""Samples that the frames which wait hold together."""


def _within(least: int, largest: int) -> Callable[[str], str | None]:
    def wrong(value: str) -> str | None:
        digits = value.removeprefix("-")
        fits = digits.isdecimal() and least <= int(value) <= largest
        return None if fits else f"it is a whole number from {least} to {largest}"

    return wrong


_SIXTEEN_BITS = _within(-(2**15), 2**15 - 1)
SETTINGS = (
    Setting(
        "stream",
        "frame: the stream carries input tensors; else 16-bit samples with a trigger, and what a sample becomes",
        FRAME,
        one_of(FRAME, *FORMATS),
    ),
    Setting("threshold", "a sample at or above it, after one below it, is a trigger", "1000", _SIXTEEN_BITS),
    Setting("pretrigger", "samples of a frame before the trigger", "16", _within(0, DEPTH - 1)),
    Setting("offset", "subtracted from every sample", "0", _SIXTEEN_BITS),
    Setting("shift", "bits by which a sample is scaled down", "0", _within(0, 15)),
    Setting("timeout", "clocks without a beat in mid-frame that are an error; 0 waits for ever", "1000000",
            _within(0, 2**32 - 1)),
)  # fmt: skip


@dataclass(frozen=True)
class Stream:
    """How inputs come; the attributes are the settings."""

    stream: str = FRAME
    threshold: int = 1000
    pretrigger: int = 16
    offset: int = 0
    shift: int = 0
    timeout: int = 1_000_000

    @staticmethod
    def of(values: Mapping[str, str]) -> Stream:
        """From settings that keep their rules."""
        names = ("threshold", "pretrigger", "offset", "shift", "timeout")
        return Stream(values["stream"], **{name: int(values[name]) for name in names})

    @property
    def beat_bytes(self) -> int:
        """Width of the stream."""
        return 4 if self.stream == FRAME else 2

    @property
    def sample_bytes(self) -> int:
        """Bytes of the input tensor that a sample becomes."""
        return 1 if self.stream in ("int8", "uint8") else 2

    def check(self, inputs: Mapping[str, Tensor], sizes: Mapping[str, int]) -> None:
        """Raise `TinsmithError` where a trigger cannot fill the network's inputs; `sizes` are their bytes."""
        if self.stream == FRAME:
            return
        problems, where = Problems(), f"--set stream={self.stream}"
        if len(inputs) != 1:
            why = "the trigger cuts frames for one input"
            problems.add(f"the network has {len(inputs)} inputs", where=where, why=why, fix="--set stream=frame")
        if self.stream == "split" and not 1 <= self.shift <= 8:
            why = "the lower of two channels has as many bits as shift says"
            problems.add(f"shift is {self.shift}", where=where, why=why, fix="--set shift=4")
        for name, tensor in inputs.items():
            samples, rest = divmod(sizes[name], self.sample_bytes)
            if tensor.dtype != BECOMES[self.stream]:
                fits = ", ".join(each for each in FORMATS if BECOMES[each] == tensor.dtype)
                what, why = f"{name} is {tensor.dtype}", f"samples become {BECOMES[self.stream]}"
                problems.add(what, where=where, why=why, fix=f"--set stream= one of {fits}")
            if rest or not self.pretrigger < samples <= DEPTH:
                why = f"a frame of {samples} samples begins {self.pretrigger} before its trigger, of at most {DEPTH}"
                problems.add(f"{name} has {sizes[name]} bytes", where=where, why=why, fix="--set pretrigger=…")
        problems.check()

    def record(self, base: int, size: int) -> dict[str, int]:
        """The entry of the input table for a tensor of `size` bytes at byte `base`."""
        found = {"base": base, "bytes": size, "beat_bytes": self.beat_bytes, "timeout": self.timeout}
        if self.stream == FRAME:
            return {**found, "mode": INPUT_MODE["FRAME"]}
        found |= {"mode": INPUT_MODE["TRIGGER"], "format": SAMPLE_FORMAT[self.stream.upper()], "shift": self.shift}
        numbers = {"threshold": self.threshold, "pretrigger": self.pretrigger, "offset": self.offset}
        return {**found, **numbers, "samples": size // self.sample_bytes}
