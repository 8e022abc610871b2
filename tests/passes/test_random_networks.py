"""Chains of random layers: the canonical form computes what the network computed, whatever stands beside what."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from float_models import Array, ints, model, run, sample
from hypothesis import given, settings
from hypothesis import strategies as st
from test_canonical import assert_canonical
from tinsmith.frontend import canonicalize, load

Constants = dict[str, Array]
Layer = Callable[[str, str, int, np.random.Generator, Constants], tuple[str, int]]
"""(input, output, channels, random numbers, constants to add to) → the node's text and its channels."""


def _conv(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
    out = int(rng.integers(1, 5)) * c
    group = c if rng.random() < 0.4 else 1
    constants[f"{y}w"] = rng.normal(size=(out, c // group, 2, 2)).astype(np.float32) / 4
    bias = ""
    if rng.random() < 0.5:
        constants[f"{y}b"] = rng.normal(size=out).astype(np.float32)
        bias = f", {y}b"
    pads = ",".join(str(p) for p in rng.integers(0, 3, 4) * (rng.random() < 0.6))
    return f"{y} = Conv <group={group}, pads=[{pads}]> ({x}, {y}w{bias})", out


def _norm(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
    for k in "gbmv":
        constants[f"{y}{k}"] = rng.uniform(0.5, 1.5, c).astype(np.float32)
    return f"{y} = BatchNormalization ({x}, {y}g, {y}b, {y}m, {y}v)", c


def _arithmetic(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
    shape = [(), (1,), (c, 1, 1), (1, c, 1, 1)][rng.integers(4)]
    constants[f"{y}k"] = rng.uniform(0.5, 1.5, shape).astype(np.float32)
    op = ("Add", "Sub", "Mul", "Div")[rng.integers(4)]
    swap = op != "Div" and rng.random() < 0.5
    return f"{y} = {op} ({f'{y}k, {x}' if swap else f'{x}, {y}k'})", c


def _pad(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
    before, after = (int(n) for n in rng.integers(0, 2, 2)) if rng.random() < 0.5 else (0, 0)
    constants[f"{y}a"] = ints(0, before, *rng.integers(0, 2, 2), 0, after, *rng.integers(0, 2, 2))
    return f"{y} = Pad ({x}, {y}a)", c + before + after


def _slice(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
    constants |= {f"{y}s": ints(0), f"{y}e": ints(2**40), f"{y}a": ints(2 + rng.integers(2)), f"{y}t": ints(2)}
    return f"{y} = Slice ({x}, {y}s, {y}e, {y}a, {y}t)", c


def _slope(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
    constants[f"{y}p"] = rng.uniform(-0.5, 1.5, (c, 1, 1)).astype(np.float32)
    return f"{y} = PRelu ({x}, {y}p)", c


def _simple(text: str) -> Layer:
    def layer(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
        return f"{y} = {text} ({x})", c

    return layer


def _transposed(x: str, y: str, c: int, rng: np.random.Generator, constants: Constants) -> tuple[str, int]:
    constants[f"{y}w"] = rng.normal(size=(c, 2, 2, 3)).astype(np.float32) / 4
    return f"{y} = ConvTranspose <strides=[2,1], pads=[0,1,0,1]> ({x}, {y}w)", 2


LAYERS: dict[str, Layer] = {
    "transposed": _transposed,
    "conv": _conv,
    "norm": _norm,
    "arithmetic": _arithmetic,
    "pad": _pad,
    "slice": _slice,
    "relu": _simple("Relu"),
    "slope": _slope,
    "leaky": _simple("LeakyRelu <alpha=0.3>"),
    "square": lambda x, y, c, rng, constants: (f"{y} = Mul ({x}, {x})", c),
    "sigmoid": _simple("Sigmoid"),
    "silu": lambda x, y, c, rng, constants: (f"{y}s = Sigmoid ({x})\n{y} = Mul ({x}, {y}s)", c),
    "identity": _simple("Identity"),
    "max": _simple("MaxPool <kernel_shape=[3,2], pads=[1,1,1,0]>"),
    "ceil": _simple("MaxPool <kernel_shape=[2,2], strides=[2,1], ceil_mode=1>"),
    "average": _simple("AveragePool <kernel_shape=[2,2], pads=[1,0,0,1], count_include_pad=1>"),
    "self": lambda x, y, c, rng, constants: (f"{y} = Add ({x}, {x})", c),
}


@given(
    names=st.lists(st.sampled_from([*sorted(LAYERS), *["conv", "norm", "arithmetic"] * 4]), min_size=1, max_size=9),
    seed=st.integers(0, 2**32 - 1),
    tapped=st.integers(0, 8),
)
@settings(max_examples=100)
def test_chains(names: list[str], seed: int, tapped: int) -> None:
    """`tapped` makes one value in the chain an output too, so that nothing may be folded across it."""
    rng = np.random.default_rng(seed)
    constants: Constants = {}
    lines, value, channels = [], "x", 3
    for i, name in enumerate(names):
        line, channels = LAYERS[name](value, f"v{i}", channels, rng, constants)
        lines.append(line)
        value = f"v{i}"
    outputs = dict.fromkeys([value, f"v{tapped % len(names)}"])
    proto = model("\n".join(lines), x=(1, 3, 9, 8), outputs=" ".join(outputs), **constants)
    feeds = sample(proto, seed % 1000)
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(proto, Path(folder) / "net.onnx")
        m = canonicalize(load(Path(folder) / "net.onnx"))
    assert_canonical(m)
    after = ir.to_proto(m)
    onnx.checker.check_model(after, full_check=True)
    for a, b in zip(run(after, feeds), run(proto, feeds), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4 * max(1.0, float(np.abs(b).max())))
