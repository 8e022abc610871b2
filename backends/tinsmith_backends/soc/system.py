"""Runs the simulated chip with its firmware: a weight image and frames in, result frames, pins, log and traces out."""

from __future__ import annotations

import functools
import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinsmith.errors import TinsmithError

from tinsmith_backends.soc import firmware
from tinsmith_backends.soc.cycles import EXT_LATENCY
from tinsmith_backends.soc.memory_map import MAGIC_RESULT, RESULT
from tinsmith_backends.soc.simulator import COUNTERS, DEFAULTS, simulator

PRINTED = 4
"""Lines that the runner prints before the log."""


@dataclass(frozen=True)
class Frame:
    """Bytes for the sample stream; `stops` leaves out TLAST, and the next frame waits for the chip's answer."""

    data: bytes
    stops: bool = False


@dataclass(frozen=True)
class Faults:
    """What goes wrong in a run.

    Attributes:
        flips: (clock, byte offset in the image, bit).
        resets: clocks at which the chip is reset; the host then repeats the frame that has no answer.
        stalls: probability, each clock, that the external memory or a stream's other end waits.
        seed: of the stalls.
    """

    flips: Sequence[tuple[int, int, int]] = ()
    resets: Sequence[int] = ()
    stalls: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class Answer:
    """A result frame.

    Attributes:
        error: ERR_*; the payload is empty unless it is 0.
        sequence: of the frame, or the accelerator's ERROR register after an error.
        clocks: what the firmware measured, from the frame's last beat to the end of the program.
        payload: the output tensors' bytes, each rounded up to words.
        began: clock of the frame's first beat.
        ended: clock of the last word.
        counters: the accelerator's, summed over the frame's runs: `COUNTERS`.
    """

    error: int
    sequence: int
    clocks: int
    payload: bytes
    began: int
    ended: int
    counters: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """Everything that a run showed.

    Attributes:
        clocks: from the first reset to the end.
        error: the pins error_o.
        irq: the pin irq_o.
        log: the UART's text.
        trace: the regions that were asked for, in the order in which their time came, frame after frame.
        spans: (descriptor, first clock, last clock) of every compute descriptor.
        exit_code: the number written to EXIT, or None.
    """

    answers: list[Answer]
    clocks: int
    error: int
    irq: bool
    log: str
    trace: bytes
    spans: list[tuple[int, int, int]]
    exit_code: int | None


def run(
    parameters: Mapping[str, int],
    image: bytes,
    frames: Sequence[Frame],
    *,
    regions: Sequence[tuple[int, int, int]] = (),
    faults: Faults | None = None,
    period: int = 0,
    expected: int | None = None,
    clocks: int = 1_000_000_000,
    may_lose: bool = False,
    root: Path = firmware.ROOT,
) -> Outcome:
    """Simulate a chip.

    Args:
        parameters: of the RTL; others are `DEFAULTS`.
        image: what the external memory holds.
        frames: what the host offers, one after the other.
        regions: (n, address, bytes) of the activation memory to copy when compute descriptor n of a frame, counted over
            all its runs from 0, is about to start; n = their number means the frame's end.
        faults: what goes wrong.
        period: 0, or clocks from one beat to the next of a source that does not wait.
        expected: result frames after which the run ends; one a frame unless told.
        clocks: after so many the run ends in any case.
        may_lose: fewer answers than expected are no error, since a source that does not wait may come too fast.
        root: the folder that has `rtl/` and `firmware/`.

    Raises:
        TinsmithError: where a tool is missing, or the chip does not answer in time.
    """
    faults = faults or Faults()
    expected = len(frames) if expected is None else expected
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as name:
        folder = Path(name)
        (folder / "firmware.hex").write_text(firmware_words({**DEFAULTS, **parameters}["RAM_BYTES"], root))
        (folder / "image.bin").write_bytes(image)
        records = (struct.pack("<II", len(each.data), each.stops) + each.data for each in frames)
        (folder / "frames.bin").write_bytes(b"".join(records))
        (folder / "regions.txt").write_text("".join(f"{n} {address} {size}\n" for n, address, size in regions))
        files = ("image", "frames", "results", "trace", "spans")
        told = [word for file in files for word in (f"--{file}", f"{file}.{'txt' if file == 'spans' else 'bin'}")]
        told += ["--trace-list", "regions.txt", "--stalls", str(faults.stalls), "--seed", str(faults.seed)]
        told += ["--latency", str(EXT_LATENCY)]
        told += ["--period", str(period), "--expect", str(expected), "--clocks", str(clocks)]
        told += [word for flip in faults.flips for word in ("--flip", ":".join(map(str, flip)))]
        told += [word for clock in faults.resets for word in ("--reset-at", str(clock))]
        printed = launch(simulator(parameters, root=root), told, folder)
        outcome = _outcome(folder, printed)
    if len(outcome.answers) < expected and outcome.exit_code is None and not may_lose:
        what = f"{len(outcome.answers)} of {expected} result frames in {outcome.clocks} clocks"
        raise TinsmithError(what, where="simulated chip", why=f"its log says: {outcome.log.strip() or 'nothing'}")
    return outcome


@functools.cache
def firmware_words(ram_bytes: int, root: Path) -> str:
    """The firmware as the RTL reads it."""
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as folder:
        out = Path(folder) / "firmware.hex"
        firmware.build(out, ram_bytes=ram_bytes, root=root)
        return out.read_text()


def launch(program: Path, told: Sequence[str], folder: Path) -> str:
    """What the runner prints; raises `TinsmithError` with its complaint."""
    done = subprocess.run([str(program), *told], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise TinsmithError(
            f"the simulator ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout.decode(errors="replace")


def _outcome(folder: Path, printed: str) -> Outcome:
    lines = printed.split("\n", PRINTED)
    clocks, ended, error, irq = (line.split()[1:] for line in lines[:PRINTED])
    spans = [tuple(map(int, line.split())) for line in (folder / "spans.txt").read_text().splitlines()]
    return Outcome(
        answers=_answers((folder / "results.bin").read_bytes()),
        clocks=int(clocks[0]),
        error=int(error[0]),
        irq=irq[0] == "1",
        log=lines[PRINTED],
        trace=(folder / "trace.bin").read_bytes(),
        spans=[(number, begin, end) for number, begin, end in spans],
        exit_code=int(ended[1]) if ended[0] == "1" else None,
    )


def _answers(data: bytes) -> list[Answer]:
    record = struct.Struct(f"<{2 + len(COUNTERS)}QI")
    answers: list[Answer] = []
    at = 0
    while at < len(data):
        began, ended, *counters, count = record.unpack_from(data, at)
        words = struct.unpack_from(f"<{count}I", data, at + record.size)
        at += record.size + 4 * count
        header = RESULT.unpack(words[: RESULT.words]) if count >= RESULT.words else {}
        if header.get("magic") != MAGIC_RESULT or header["payload"] != count - RESULT.words:
            raise TinsmithError(f"result frame {len(answers)} is no frame: {count} words", where="simulated chip")
        answers.append(
            Answer(
                error=header["error"],
                sequence=header["sequence"],
                clocks=header["clocks"],
                payload=struct.pack(f"<{count - RESULT.words}I", *words[RESULT.words :]),
                began=began,
                ended=ended,
                counters=dict(zip(COUNTERS, counters, strict=True)),
            )
        )
    return answers
