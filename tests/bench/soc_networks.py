"""Whole networks on the simulated chip: equal to the oracle, multiply-accumulates a clock, the cycle model beside it.

    python tests/bench/soc_networks.py [--json] [--few] [--set KEY=VALUE …]

Frames are timed from the first beat of the sample stream to the last word of the result, firmware included; one
follows the other. Goals: the MACs a clock of the commercial accelerator of this size in MLPerf Tiny v1.4; 85 % use of
the multipliers over the convolutions, from one layer's end to the next; a cycle model within 1 %.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import accuracy
import fpga_nets
import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from rich.console import Console
from rich.table import Table
from tinsmith import pipeline
from tinsmith.artefact import Artefact
from tinsmith.calibration_data import iterate, load_samples
from tinsmith.ir.exact import BinaryConv, Conv, ShiftConv
from tinsmith.progress import Progress
from tinsmith.recipe import parse_recipe
from tinsmith.report.make import macs
from tinsmith.verify.oracle import Oracle
from tinsmith.verify.verify import Verification, verify_artefact
from tinsmith_backends.soc.description import constants, describe
from tinsmith_backends.soc.runner import VerilatorRunner
from tinsmith_backends.soc.system import Outcome

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Samples = list[Mapping[str, npt.NDArray[Any]]]
Made = tuple[ir.Model, Samples]
TIMED = 3
"""Frames that are timed, behind one that is not: the weights are loaded before it."""


@dataclass(frozen=True)
class Network:
    """What is run.

    Attributes:
        make: the exact graph, and as many samples as are asked for.
        samples: how many are compared with the oracle.
        macs_a_clock: goal for whole frames, or 0.
        use: goal for the convolutions, in per cent, or 0.
        settings: of the chip, where it is not the default one.
    """

    name: str
    make: Callable[[int], Made]
    samples: int
    macs_a_clock: float = 0
    use: float = 0
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """What came out of one network.

    Attributes:
        exact: every tensor of every sample is the oracle's.
        frame: clocks from the first beat in to the last word out, the mean.
        accelerator: of these with the accelerator at work.
        macs_a_clock: of whole frames.
        use: per cent of the multipliers' clocks that are useful, over the convolutions.
        model: clocks of the cycle model over those of the simulation, for the accelerator.
    """

    network: str
    samples: int
    exact: bool
    frame: float
    accelerator: float
    macs_a_clock: float
    use: float
    model: float

    def reaches(self, network: Network) -> bool:
        """Whether all goals are met."""
        fast = self.macs_a_clock >= network.macs_a_clock and self.use >= network.use
        return self.exact and fast and self.model == 1


def mlperf(number: int) -> Callable[[int], Made]:
    """A network of MLPerf Tiny with its inputs."""

    def make(count: int) -> Made:
        work = accuracy.WORKS[number]
        _, exact = accuracy.exact_model(work, accuracy.DATA)
        name = exact.graph.inputs[0].name or ""
        inputs, _ = work.samples(accuracy.DATA, work.test)
        return exact, [{name: sample} for sample in inputs[:count]]

    return make


def pulse(count: int, activations: str = "8-bit") -> Made:
    """The pulse network with seeded weights, its heads as accumulators; tensors of 16 bits where asked and possible."""
    sys.path.insert(0, str(EXAMPLES / "pulse"))
    from net import samples

    recipe = parse_recipe({"activations": activations, "layers": {"head": {"output": "accumulator"}}})
    source = f"{EXAMPLES / 'pulse' / 'net.py'}:pulse_net"
    exact = pipeline.make_exact(source, samples(100, seed=1), recipe=recipe, progress=Progress(0, quiet=True))
    return exact.model, _listed(samples(count, seed=2), exact.model)


def digits(count: int) -> Made:
    """The digits network with seeded weights, and scanned digits."""
    from sklearn.datasets import load_digits

    images = (load_digits().images[:, None] / 16).astype(np.float32)
    source = f"{Path(__file__).parent / 'soc_digits.py'}:digits"
    exact = pipeline.make_exact(source, {"image": images[:200]}, progress=Progress(0, quiet=True))
    return exact.model, _listed({"image": images[200 : 200 + count]}, exact.model)


def trained(name: str) -> Callable[[int], Made]:
    """A network of tests/fpga_nets.py."""

    def make(count: int) -> Made:
        model = ir.load(fpga_nets.exact(name))
        return model, _listed(fpga_nets.inputs(name, count), model)

    return make


def _listed(arrays: Mapping[str, npt.NDArray[Any]], model: ir.Model) -> Samples:
    shapes = {value.name or "": tuple(map(int, value.shape or ())) for value in model.graph.inputs}
    return list(iterate(load_samples(arrays, shapes, purpose="input")))


NETWORKS = (
    Network("pulse network", pulse, 200, 0, 85),
    Network("pulse network, 16 bits", partial(pulse, activations="16-bit"), 50, 0, 60),
    Network("digits", digits, 50),
    Network("ResNet8", mlperf(0), 3, 54, 85),
    Network("DS-CNN", mlperf(1), 10, 32),
    Network("digits of shifts", trained("dense_shift"), 50, settings={"kind": "shift"}),
    Network("TFC of bits", trained("tfc"), 50, settings={"kind": "xnor"}),
)
FROM_DATA = ("ResNet8", "DS-CNN", "TFC of bits")
"""Networks that tests skip where the shared data is not there."""


def built(model: ir.Model, folder: Path, settings: Mapping[str, str]) -> VerilatorRunner:
    """The runner of a build of an exact graph."""
    ir.save(model, folder / "exact.onnx")
    pipeline.compile(folder / "exact.onnx", "soc", folder / "soc", settings=settings)
    runner = Artefact.open(folder / "soc").runner()
    assert isinstance(runner, VerilatorRunner)
    return runner


def compared(runner: VerilatorRunner, model: ir.Model, samples: Samples) -> Verification:
    """Every tensor of every sample with the oracle's, and the image with the graph's constants."""
    named = [(f"sample {number}", sample) for number, sample in enumerate(samples)]
    program = runner.program
    right = constants(describe(program), program.image.data)
    return verify_artefact(program.graph, Oracle(model), runner, right, named, target="soc")


def use_of_convolutions(runner: VerilatorRunner, outcome: Outcome) -> float:
    """Per cent of the multipliers' clocks that make useful products, over the convolutions of the last frame."""
    program = runner.program
    wanted = {layer.name for layer in program.graph.layers if isinstance(layer, Conv | ShiftConv | BinaryConv)}
    spans = outcome.spans[-len(program.computes) :]
    before = [spans[0][1] - program.timing.spans[0].begin, *(end for _, _, end in spans)]
    clocks = sum(
        end - start
        for (_, _, end), start, compute in zip(spans, before, program.computes, strict=False)
        if compute.of.layer in wanted
    )
    useful = sum(macs(program.graph, layer) for layer in program.graph.layers if layer.name in wanted)
    return 100 * useful / (clocks * program.chip.macs) if clocks else 0.0


def measure(network: Network, count: int, settings: Mapping[str, str]) -> Figures:
    """Build, compare, time."""
    model, samples = network.make(max(count, TIMED + 1))
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as folder:
        runner = built(model, Path(folder), {**network.settings, **settings})
        found = compared(runner, model, samples[:count])
        outcome = runner.simulate(samples[: TIMED + 1])
    answers = outcome.answers[1:]
    frame = float(np.mean([answer.ended - answer.began for answer in answers]))
    busy = float(np.mean([answer.counters["cycles"] for answer in answers]))
    graph, timing = runner.program.graph, runner.program.timing
    work = sum(macs(graph, layer) for layer in graph.layers)
    use = use_of_convolutions(runner, outcome)
    return Figures(network.name, found.samples, found.exact, frame, busy, work / frame, use, timing.clocks / busy)


def rows(settings: Mapping[str, str], *, few: bool) -> Iterator[tuple[Network, Figures]]:
    """Every network whose data is there."""
    for network in NETWORKS:
        if network.name not in FROM_DATA or accuracy.DATA.exists():
            yield network, measure(network, min(network.samples, 2) if few else network.samples, settings)


def main() -> int:
    """Measure and print; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.add_argument("--few", action="store_true", help="compare two samples of each network only")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the target")
    options = parser.parse_args()
    settings = dict(text.split("=", 1) for text in options.set)
    found = list(rows(settings, few=options.few))
    if options.json:
        print(json.dumps([asdict(figures) for _, figures in found], indent=1))
    else:
        table = Table("network", "samples", "equal", "frame", "accelerator", "MACs a clock", "use, %", "model")
        for _, figures in found:
            table.add_row(*(f"{v:,.3f}" if isinstance(v, float) else str(v) for v in asdict(figures).values()))
        Console(width=120).print(table)
    return int(not all(figures.reaches(network) for network, figures in found))


if __name__ == "__main__":
    sys.exit(main())
