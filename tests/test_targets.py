"""Every installed target, built for real: exact, reproducible, and a flipped bit in any constant is found."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from exact_models import Net
from tinsmith import pipeline, verbs
from tinsmith.backend import Registry
from tinsmith.output import build_files
from tinsmith_backends.cpu.constants import CTYPES, DTYPES

pytestmark = pytest.mark.slow

TARGETS = ("x86-64", "arm64", "arm64-dotprod", "armv7", "wasm", "c", "cortex-m")
FLIPS = 10
"""Random places a target; seven targets make seventy."""

Flip = Callable[[Path, np.random.Generator], str]


def network() -> Net:
    """Every kind of constant: weights of 8 bits, 1 bit and powers of two, limits, multipliers, two pieces, a table."""
    net = Net(5, "every_constant")
    x = net.quantize(net.input("x", (1, 3, 10, 10)))
    stem = net.conv(x, 12, pads=(1, 1, 1, 1), lo=0)
    deep = net.depthwise(stem, pads=(1, 1, 1, 1), precision="wide")
    joined = net.add(net.conv(deep, 12, (1, 1)), stem)
    pooled = net.average_pool(net.max_pool(joined, (2, 2), strides=(2, 2)), (5, 5))
    net.softmax(net.matmul(net.flatten(pooled), 7, dtype="int8"))
    bits = net.binary_conv(net.conv(deep, 33, (1, 1), bits=1), 40, pads=(1, 1, 1, 1), pad_value=0, bits=1)
    real = net.piecewise_linear(net.binary_conv(net.binary_max_pool(bits, (2, 2), strides=(2, 2)), 36, dtype="int8"))
    scaled = net.multiply(net.shift_conv(real, 34, (1, 1)), factor_shape=(1, 1, 3, 3), bits=1)
    net.dequantize(net.binary_matmul(net.flatten(net.concat(scaled, net.binarize(real))), 35, dtype="int8"))
    return net


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exact") / "net.onnx"
    ir.save(network().model(), path)
    return path


@pytest.fixture(scope="module", params=TARGETS)
def build(exact: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build") / str(request.param)
    pipeline.compile(exact, request.param, folder)
    return folder


def test_every_installed_target_is_tried() -> None:
    assert set(TARGETS) <= set(Registry.load().backends)


def test_is_exact(build: Path) -> None:
    found = verbs.verify(build, samples=16)
    assert found.exact, found.first_mismatch
    assert found.layers_compared == len(verbs.inspect(build).layers)


def test_wasm_is_exact_in_node_too(exact: Path, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is missing: apt-get install nodejs")
    pipeline.compile(exact, "wasm", tmp_path / "wasm")
    found = verbs.verify(tmp_path / "wasm", runner="node", samples=16)
    assert found.exact, found.first_mismatch
    assert found.runner == "node"


def test_another_folder_gives_the_same_bytes(
    build: Path, exact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deeper = tmp_path / "some" / "deeper folder"
    deeper.mkdir(parents=True)
    shutil.copy(exact, deeper / "net.onnx")
    monkeypatch.chdir(deeper)
    pipeline.compile("net.onnx", build.name, Path("..") / "b")
    other = deeper.parent / "b"
    assert build_files(other) == build_files(build)
    for name in build_files(build):
        assert (other / name).read_bytes() == (build / name).read_bytes(), name
        for path in (tmp_path, build.parent, Path.cwd()):
            assert str(path).encode() not in (build / name).read_bytes(), name


def test_one_flipped_bit_is_found_and_its_layer_named(build: Path, tmp_path: Path) -> None:
    flip = flip_in_wasm if build.name == "wasm" else flip_in_c
    kinds = set()
    rng = np.random.default_rng(TARGETS.index(build.name))
    for number in range(FLIPS):
        copy = tmp_path / str(number)
        shutil.copytree(build, copy)
        key = flip(copy, rng)
        layer, _, kind = key.rpartition("/")
        kinds.add(kind)
        found = verbs.verify(copy, samples=1)
        assert not found.exact, key
        assert found.first_mismatch is not None
        assert (found.first_mismatch.layer, found.first_mismatch.what) == (layer, f"constant {kind}")
        assert found.first_mismatch.different == 1, "one byte"
    assert len(kinds) > 1


def chosen_constant(folder: Path, rng: np.random.Generator) -> dict[str, int | str]:
    """One of the constants that program.json lists: first a kind, so that the many weights are not all there is."""
    constants = json.loads((folder / "program.json").read_text())["constants"]
    kinds = sorted({each["key"].rpartition("/")[2] for each in constants})
    kind = str(rng.choice(kinds))
    found: dict[str, int | str] = rng.choice([each for each in constants if each["key"].endswith(f"/{kind}")])
    return found


def flip_in_c(folder: Path, rng: np.random.Generator) -> str:
    """Flips one bit of one number in the arrays of the C file; gives `layer/kind`."""
    (path,) = folder.glob("*_weights.c")
    text = path.read_text()
    key = str(chosen_constant(folder, rng)["key"])
    array = re.search(rf"/\* {re.escape(key)} \*/\s*\.\w+ = \{{(.*?)\}}", text, re.DOTALL)
    assert array is not None, key
    numbers = list(re.finditer(r"-?\d+", array[1]))
    number = numbers[int(rng.integers(len(numbers)))]
    dtype = np.dtype(DTYPES[CTYPES.get(key.rpartition("/")[2], "int32_t")])
    bit = int(rng.integers(dtype.itemsize * 8))
    changed = int((np.array([int(number[0])], dtype).view(f"u{dtype.itemsize}") ^ (1 << bit)).view(dtype)[0])
    start = array.start(1)
    literal = f"({changed + 1} - 1)" if changed == -(2**31) else str(changed)
    path.write_text(text[: start + number.start()] + literal + text[start + number.end() :])
    return key


def flip_in_wasm(folder: Path, rng: np.random.Generator) -> str:
    """Flips one bit in the data segment of the module; gives `layer/kind`."""
    from tinsmith.artefact import Artefact

    (path,) = folder.glob("*.wasm")
    data = bytearray(path.read_bytes())
    artefact = Artefact.open(folder)
    expected = artefact.backend.expected_constants(artefact.graph, "wasm")
    key = str(chosen_constant(folder, rng)["key"])
    wanted = expected[key]
    assert data.count(wanted) == 1, f"{key} stands {data.count(wanted)} times in the module"
    place = data.find(wanted) + int(rng.integers(len(wanted)))
    data[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(bytes(data))
    return key
