"""What is done with a build folder: verify, run, bench, synthesize, inspect; for command line and Python alike."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tinsmith.artefact import EXACT_NAME, VECTORS_NAME, Artefact
from tinsmith.backend import Arrays, Registry
from tinsmith.errors import TinsmithError
from tinsmith.progress import Progress
from tinsmith.report.model import Report

if TYPE_CHECKING:
    from tinsmith.estimates import Estimate
    from tinsmith.verify.verify import Verification

DEFAULT_SAMPLES = 24
DEFAULT_REPEATS = 20


@dataclass(frozen=True)
class Timing:
    """How long inferences took inside the artefact's own process, in seconds."""

    target: str
    runner: str
    repeats: int
    median_s: float
    min_s: float
    macs: int

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return asdict(self)


def verify(
    folder: str | Path,
    *,
    runner: str | None = None,
    samples: int = DEFAULT_SAMPLES,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> Verification:
    """Run the artefact and compare every layer with the oracle, bit by bit.

    Args:
        folder: a build folder.
        runner: how to run it; None is the target's own way.
        samples: how many inputs: up to half of them from the build's vectors, the rest corners, noise and
            out-of-range values.
        progress: where to announce the steps; None is silent.
        registry: which backends there are; None is every installed one.

    Raises:
        TinsmithError: the folder is no build, a tool is missing, its vectors are not what its exact graph gives, or
            `samples` is less than 1.
    """
    from tinsmith.vectors import check_vectors, read_vectors
    from tinsmith.verify.oracle import Oracle
    from tinsmith.verify.samples import generated
    from tinsmith.verify.verify import verify_artefact

    if samples < 1:
        raise TinsmithError(f"{samples} samples verify nothing", fix=f"--samples {DEFAULT_SAMPLES}")
    progress = progress or Progress(0, quiet=True)
    progress.expect(4)
    with progress.step("read the build"):
        artefact = Artefact.open(folder, registry)
        stored = read_vectors(artefact.folder / VECTORS_NAME)
        expected = artefact.backend.expected_constants(artefact.graph, artefact.target.name)
    with progress.step("start the oracle"):
        oracle = Oracle(artefact.folder / EXACT_NAME)
        check_vectors(stored, artefact.graph, oracle, str(artefact.folder / VECTORS_NAME))
    named: list[tuple[str, Arrays]] = [
        (f"vector {i}", sample) for i, sample in enumerate(stored.inputs[: (samples + 1) // 2])
    ]
    for i, sample in enumerate(generated(artefact.graph, samples - len(named))):
        named.append((f"generated {i}", sample))
    with progress.step("start the artefact"):
        running = artefact.runner(runner)
    with progress.step(f"run and compare {len(named)} samples"):
        return verify_artefact(artefact.graph, oracle, running, expected, named, target=artefact.target.name)


def run(
    folder: str | Path,
    inputs: str | Path | Mapping[str, npt.NDArray[Any]],
    out: str | Path | None = None,
    *,
    runner: str | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """Run the artefact on samples.

    Args:
        folder: a build folder.
        inputs: an .npz file or arrays, one array a model input, samples first.
        out: .npz file for the outputs; None writes none.
        runner: how to run it; None is the target's own way.
        progress: where to announce the steps; None is silent.
        registry: which backends there are; None is every installed one.

    Returns:
        One array an output of the network, samples first.

    Raises:
        TinsmithError: the folder is no build, the samples do not fit, or a tool is missing.
    """
    from tinsmith.calibration_data import iterate, load_samples
    from tinsmith.output import replace_file
    from tinsmith.vectors import stack, write_npz

    progress = progress or Progress(0, quiet=True)
    progress.expect(3)
    with ExitStack() as held:
        partial = None
        if out is not None:
            keep = (Path(inputs),) if isinstance(inputs, str | Path) else ()
            partial = held.enter_context(replace_file(Path(out), suffix=".npz", keep=keep))
        with progress.step("read the build and the samples"):
            artefact = Artefact.open(folder, registry)
            shapes = {name: artefact.graph.tensors[name].shape for name in artefact.graph.inputs}
            samples = list(iterate(load_samples(inputs, shapes, purpose="input")))
        with progress.step("start the artefact"):
            running = artefact.runner(runner)
        with progress.step(f"run {len(samples)} samples"):
            answers = list(running.run(samples, layers=False))
        if len(answers) != len(samples):
            raise TinsmithError(f"the artefact answered {len(answers)} of {len(samples)} samples", fix="compile again")
        outputs = stack([{name: answer[name] for name in artefact.graph.outputs} for answer in answers])
        if partial is not None:
            write_npz(outputs, partial)
    return outputs


def bench(
    folder: str | Path,
    *,
    runner: str | None = None,
    repeats: int = DEFAULT_REPEATS,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> Timing:
    """Time inferences inside the artefact's own process, on the first of the build's vectors.

    Under an emulator the seconds are the emulator's: good for comparing two builds, not for a device.

    Raises:
        TinsmithError: the folder is no build, a tool is missing, or `repeats` is less than 1.
    """
    from tinsmith.vectors import read_vectors

    if repeats < 1:
        raise TinsmithError(f"{repeats} repeats time nothing", fix=f"--repeats {DEFAULT_REPEATS}")
    progress = progress or Progress(0, quiet=True)
    progress.expect(3)
    with progress.step("read the build"):
        artefact = Artefact.open(folder, registry)
        sample = read_vectors(artefact.folder / VECTORS_NAME).inputs[0]
    with progress.step("start the artefact"):
        running = artefact.runner(runner)
    with progress.step(f"time {repeats} inferences"):
        seconds = running.time(sample, repeats=repeats)
    return Timing(
        artefact.target.name, running.name, len(seconds), statistics.median(seconds), min(seconds), artefact.report.macs
    )


def synthesize(
    folder: str | Path, family: str, *, progress: Progress | None = None, registry: Registry | None = None
) -> Estimate:
    """What a build really takes on an FPGA family, from open synthesis tools.

    Args:
        folder: a build folder.
        family: ecp5, xc7 or ice40.
        progress: where to announce the steps; None is silent.
        registry: which backends there are; None is every installed one.

    Raises:
        TinsmithError: the folder is no build, its target is no hardware, a tool is missing or refuses the build.
    """
    from tinsmith.estimates import synthesizing

    progress = progress or Progress(0, quiet=True)
    progress.expect(1)
    with progress.step("read the build"):
        artefact = Artefact.open(folder, registry)
        backend = synthesizing(artefact.backend, artefact.target.name)
    return backend.synthesize(artefact.folder, artefact.graph, artefact.target.name, family, progress.step)


def inspect(folder: str | Path) -> Report:
    """The report of a build folder; its page for a browser is report.html in the same folder."""
    from tinsmith.report.write import read_report

    return read_report(Path(folder))
