"""A program that reads samples from its standard input and writes tensors to its standard output."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError

from tinsmith_backends.cpu.objects import TAIL
from tinsmith_backends.cpu.readout import Readout

Command = tuple[str, ...]


class Session:
    """The program while it runs. Leaving the `with` block waits for it, or ends it if it is not done."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    def __enter__(self) -> Session:
        self._words: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                _close(stream)
        status = self._process.wait()
        if status and kind is None:
            raise self._death(status)
        self._words.close()

    def write(self, data: bytes) -> None:
        """Hand the program bytes; `TinsmithError` if it has died."""
        stream = self._process.stdin
        try:
            if stream is not None:
                stream.write(data)
                stream.flush()
        except BrokenPipeError:
            raise self._death(self._process.wait()) from None

    def read(self, size: int) -> bytes:
        """The next `size` bytes; `TinsmithError` if the program dies before it wrote them."""
        stream = self._process.stdout
        data = stream.read(size) if stream is not None else b""
        if len(data) != size:
            raise self._death(self._process.wait())
        return data

    def _death(self, status: int) -> TinsmithError:
        self._words.seek(0)
        words = self._words.read().decode(errors="replace").strip()[-TAIL:]
        fix = ""
        if status < 0:
            reason = f"was ended by {signal.Signals(-status).name}"
            if -status == signal.SIGILL:
                fix = "this machine lacks an instruction of the target: another --runner or --target"
        else:
            reason = f"ended with exit status {status}" if status else "ended too early"
        return TinsmithError(f"the artefact {reason}", where=self._command[-2], why=words, fix=fix)


def _close(stream: IO[Any]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return


def run_samples(
    command: Command, readout: Readout, samples: Sequence[Arrays], *, layers: bool
) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Start the program once, and hand it one sample after the other."""
    chunks = list(readout.chunks(layers=layers))
    with Session((*command, "layers" if layers else "outputs", str(len(samples)))) as session:
        for sample in samples:
            session.write(b"".join(array.astype("<f4").tobytes() for array in readout.feed(sample)))
            found: dict[str, npt.NDArray[Any]] = {}
            for chunk in chunks:
                found |= readout.tensors(chunk, session.read(chunk.size))
            yield found if layers else {name: found[name] for name in readout.graph.outputs}


def read_constants(command: Command, readout: Readout) -> dict[str, bytes]:
    """The constants as they stand in the program."""
    with Session((*command, "constants", "0")) as session:
        struct = session.read(readout.constants_bytes or 16)
    return readout.constants(struct)


def run_times(command: Command, readout: Readout, sample: Arrays, repeats: int) -> list[float]:
    """Seconds of each of `repeats` inferences, as the program measured them."""
    with Session((*command, "time", str(repeats))) as session:
        session.write(b"".join(array.astype("<f4").tobytes() for array in readout.feed(sample)))
        data = session.read(8 * repeats)
    return [float(seconds) for seconds in np.frombuffer(data, "<f8")]
