"""The HLS backend: hls4ml projects whose numbers are the exact graph's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from tinsmith import settings as told
from tinsmith.backend import Arrays, Build, LayerBuild, Runner, Step, Target
from tinsmith.errors import Problem, TinsmithError

from tinsmith_backends.hls.settings import Settings
from tinsmith_backends.hls.targets import TARGETS

if TYPE_CHECKING:
    from tinsmith.estimates import Estimate
    from tinsmith.ir.exact import ExactGraph

    from tinsmith_backends.hls.network import Network


@dataclass(frozen=True)
class HlsBackend:
    """Implements `tinsmith.backend.Backend` for the flows of targets.py."""

    given: told.Settings = field(default_factory=dict)
    targets: ClassVar[Mapping[str, Target]] = MappingProxyType({name: flow.target for name, flow in TARGETS.items()})

    def configured(self, target: str, settings: told.Settings) -> HlsBackend:
        """With an io type, a reuse factor, a strategy, a clock, a part: settings.py."""
        Settings.resolve(settings, TARGETS[target])
        return HlsBackend(settings)

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        """Every reason why this graph cannot be built; the same for all flows, but for tables."""
        from tinsmith_backends.hls.constraints import problems

        flow = TARGETS[target]
        return problems(graph, streams=Settings.resolve(self.given, flow).io_type == "io_stream", tables=flow.tables)

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        """Write the project into the empty folder `out`, with a self-test that needs no Tinsmith."""
        from tinsmith_backends.hls.description import describe, write_description
        from tinsmith_backends.hls.lower import lower
        from tinsmith_backends.hls.project import write_selftest

        flow = TARGETS[target]
        with step("lower to hls4ml layers"):
            network = lower(graph)
            settings = Settings.resolve(self.given, flow)
            settings.check(node.layer for node in network.nodes if node.is_weighted)
        with step("write the hls4ml project"):
            self._write(network, target, out)
            description = describe(network, shows_layers=settings.shows_layers)
            write_description(description, out)
            write_selftest(description, flow, out)
        weights = _weight_bytes(network)
        layers = tuple(
            LayerBuild(layer.name, self._kernel(network, target, layer.name), weights.get(layer.name, 0))
            for layer in graph.layers
        )
        return Build(0, 0, sum(weights.values()), 0, layers)

    def estimate(self, graph: ExactGraph, target: str) -> Estimate:
        """Multipliers, bits of their operands and of constants, with the strategies and reuse factors told."""
        from tinsmith_backends.hls.estimate import estimate
        from tinsmith_backends.hls.lower import lower

        network, settings = lower(graph), Settings.resolve(self.given, TARGETS[target])
        settings.check(node.layer for node in network.nodes if node.is_weighted)
        return estimate(network, settings, tuple(layer.name for layer in graph.layers))

    def write_vectors(
        self, graph: ExactGraph, target: str, out: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]
    ) -> None:
        """Add what the project's self-test compares."""
        from tinsmith_backends.hls.description import read_description
        from tinsmith_backends.hls.project import write_vectors

        write_vectors(read_description(out, graph), graph, out, expected)

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        """The project's weight files, written again from the exact graph."""
        import tempfile

        from tinsmith_backends.hls.lower import lower
        from tinsmith_backends.hls.runner import read_constants

        with tempfile.TemporaryDirectory(prefix="tinsmith-") as folder:
            self._write(lower(graph), target, Path(folder))
            return read_constants(Path(folder))

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> Runner:
        """The project's C++ simulation, compiled by g++. `TinsmithError` when that is missing or refuses it."""
        from tinsmith_backends.hls.runner import HlsRunner

        if runner not in (None, HlsRunner.name):
            what = f"{target} has no runner called {runner!r}"
            raise TinsmithError(what, where="--runner", fix=f"--runner {HlsRunner.name}")
        return HlsRunner(build, graph, TARGETS[target])

    def _write(self, network: Network, target: str, folder: Path) -> None:
        from tinsmith_backends.hls.hls4ml_adapter import write_project

        write_project(network, Settings.resolve(self.given, TARGETS[target]), folder)

    def _kernel(self, network: Network, target: str, layer: str) -> str:
        """hls4ml's names of the nodes that do a layer, and how one with weights is built."""
        nodes = [node for node in network.nodes if node.layer == layer]
        kinds = " + ".join(node.class_name for node in nodes) or "no code"
        if not any(node.is_weighted for node in nodes):
            return kinds
        built = Settings.resolve(self.given, TARGETS[target]).of_layer(layer)
        return f"{kinds} ({built.strategy}, reuse {built.reuse})"


def _weight_bytes(network: Network) -> dict[str, int]:
    """Bytes of the constants of each layer, in the widths of their types."""
    bits: dict[str, int] = {}
    for node in network.nodes:
        for what in ("weight", "bias", "scale"):
            data = node.attributes.get(f"{what}_data")
            if data is not None:
                bits[node.layer] = bits.get(node.layer, 0) + data.size * node.types[what].width
    return {layer: (count + 7) // 8 for layer, count in bits.items()}


BACKEND = HlsBackend()
"""What the entry point `tinsmith.backends` names."""
