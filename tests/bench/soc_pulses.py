"""Pulses from an ADC on the simulated chip: how near two may come, how many in a row, how many a second.

    python tests/bench/soc_pulses.py [--mhz 50] [--json]

The pulse network with an ADC that gives a sample a clock. Pulses are fired nearer and nearer until one is lost; every
answer is compared with the oracle's for the samples that the trigger cuts out. Figures are clocks of the simulation,
firmware included; `--mhz` turns them into seconds at a clock that `soc_area.py` prints.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from soc_networks import EXAMPLES, built
from tinsmith import pipeline
from tinsmith.errors import TinsmithError
from tinsmith.progress import Progress
from tinsmith.recipe import parse_recipe
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.soc.runner import VerilatorRunner
from tinsmith_backends.soc.system import Frame, run

Array = npt.NDArray[Any]
FRAME = 64
"""Samples of a pulse."""
PRETRIGGER = 16
BASELINE = 200
THRESHOLD = 400
BOOT = 240_000
"""Clocks until the first pulse: the firmware's log goes out meanwhile."""
SETTINGS = {"stream": "split", "shift": "4", "threshold": str(THRESHOLD), "pretrigger": str(PRETRIGGER)}
RANDOM = 200
"""Pulses fired at random times."""
TAIL = 100_000
"""Clocks behind the last pulse, in which every pulse that waits is served."""


@dataclass(frozen=True)
class Figures:
    """What was found, in clocks.

    Attributes:
        nearest: from one pulse to the next such that both are answered: the dead time behind a single pulse.
        burst: pulses at this distance, behind quiet, that are all answered.
        service: least distance at which pulses may go on for ever.
        lost: per cent of pulses at random times, half as many as `service` allows, that are lost.
    """

    nearest: int
    burst: int
    service: int
    lost: float


class Bench:
    """A built chip with the pulse network, and pulses to fire at it."""

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(EXAMPLES / "pulse"))
        from net import samples
        from pulse.detector import Detector, generate
        from pulse.network import as_input

        recipe = parse_recipe({"layers": {"pulse": {"range": [0.0, 255.0]}, "head": {"output": "accumulator"}}})
        source = f"{EXAMPLES / 'pulse' / 'net.py'}:pulse_net"
        exact = pipeline.make_exact(source, samples(100, seed=1), recipe=recipe, progress=Progress(0, quiet=True))
        self._chip: VerilatorRunner = built(exact.model, folder, SETTINGS)
        self._oracle, self._as_input = Oracle(exact.model), as_input
        counts = generate(Detector(), 50, 47.4, np.random.default_rng(7)).counts
        crossings = (counts >= THRESHOLD).argmax(axis=1)
        self._pulses = [np.roll(row, PRETRIGGER - at) for row, at in zip(counts, crossings, strict=True)]

    def answered(self, times: Sequence[int]) -> list[int]:
        """When pulses that begin at these clocks behind the boot are answered, each rightly.

        Raises:
            TinsmithError: an answer is an error, or not the oracle's for a pulse behind the one answered before.
        """
        stream = np.full(BOOT + times[-1] + TAIL, BASELINE, np.int16)
        for number, at in enumerate(times):
            stream[BOOT + at :][:FRAME] = self._pulses[number % len(self._pulses)]
        windows = np.stack([stream[BOOT + at :][:FRAME] for at in times])
        pending = [self._oracle.run({"pulse": x[None]}) for x in self._as_input(windows)]
        program, frame = self._chip.program, Frame(stream.astype("<i2").tobytes())
        outcome = run(
            program.parameters,
            self._chip.image,
            [frame],
            period=1,
            expected=len(times),
            clocks=len(stream),
            may_lose=True,
        )
        for number, answer in enumerate(outcome.answers):
            values = self._chip.results(answer.payload) if not answer.error else {}
            while pending and not (values and all(np.array_equal(pending[0][k], v) for k, v in values.items())):
                del pending[0]
            if not pending:
                raise TinsmithError(f"answer {number} is not the oracle's", where="simulated chip", why=outcome.log)
            del pending[0]
        return [answer.ended for answer in outcome.answers]

    def all_answered(self, count: int, distance: int) -> bool:
        """Whether so many pulses, one every `distance` clocks, are all answered."""
        return len(self.answered([distance * n for n in range(count)])) == count


def least(low: int, high: int, good: Callable[[int], bool]) -> int:
    """The least number above `low`, which is not good, up to `high`, which is."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle, high)
    return high


def measure(bench: Bench) -> Figures:
    """Nearer and nearer."""
    nearest = least(FRAME // 2, 10_000, lambda distance: bench.all_answered(2, distance))
    burst = least(1, 64, lambda count: not bench.all_answered(count, nearest)) - 1
    ended = bench.answered([nearest * n for n in range(burst)])
    service = math.ceil(float(np.diff(ended).mean()))
    if not bench.all_answered(RANDOM, service):
        raise TinsmithError(f"pulses {service} clocks apart do not go on for ever", where="simulated chip")
    gaps = np.random.default_rng(3).exponential(2 * service, RANDOM)
    times = np.cumsum(np.maximum(gaps, FRAME).astype(int)).tolist()
    return Figures(nearest, burst, service, 100 * (1 - len(bench.answered(times)) / RANDOM))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mhz", type=float, default=50.0, help="the chip's clock, and the ADC's")
    parser.add_argument("--json", action="store_true", help="print an object instead of lines")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as folder:
        found = measure(Bench(Path(folder)))
    if options.json:
        print(json.dumps({**asdict(found), "mhz": options.mhz, "pulses_a_second": options.mhz * 1e6 / found.service}))
        return 0
    rate = options.mhz * 1e6
    print(f"at {options.mhz:g} MHz, a sample a clock, the default chip:")
    print(f"  two pulses, both answered:    {found.nearest} clocks apart, {found.nearest / options.mhz:.2f} µs")
    print(f"  burst at this distance:       {found.burst} pulses")
    print(f"  pulses that go on for ever:   {found.service} clocks apart, {rate / found.service:,.0f} a second")
    print(f"  lost at random, half as many: {found.lost:.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
