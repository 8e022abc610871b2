"""Transposed convolutions of random shapes: what onnxruntime computes, by convolutions and moves alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import tinsmith
import torch
from float_models import Array, model, run, sample, statistics, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from test_canonical import assert_canonical
from tinsmith.frontend import canonicalize, load
from tinsmith.frontend.torch_file import export_module
from torch import nn


def canonical(proto: onnx.ModelProto, folder: Path) -> ir.Model:
    onnx.save(proto, folder / "net.onnx")
    return canonicalize(load(folder / "net.onnx"))


def operators(m: ir.Model) -> str:
    return " ".join(node.op_type for node in m.graph)


@st.composite
def transposed(draw: st.DrawFn) -> onnx.ModelProto:
    """ConvTranspose of one or two axes with every attribute, with BatchNormalization and an activation or without."""

    def each(least: int, most: int) -> list[int]:
        return draw(st.lists(st.integers(least, most), min_size=axes, max_size=axes))

    axes = draw(st.integers(1, 2))
    size, kernel, stride, dilation = each(1, 6), each(1, 5), each(1, 4), each(1, 2)
    full = [(n - 1) * s + (k - 1) * d + 1 for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)]
    before = [draw(st.integers(0, min(3, n - 1))) for n in full]
    after = [draw(st.integers(0, min(3, n - 1 - b))) for n, b in zip(full, before, strict=True)]
    more = [draw(st.integers(0, s - 1)) for s in stride]
    group, inputs, outputs = (draw(st.integers(1, 3)) for _ in range(3))
    constants: dict[str, Array] = {"w": weights(group * inputs, outputs, *kernel), **statistics(group * outputs)}
    bias = draw(st.sampled_from(["", ", b"]))
    lines = [
        f"t = ConvTranspose <strides={stride}, pads={before + after}, dilations={dilation}, output_padding={more}, "
        f"group={group}> (x, w{bias})"
    ]
    if draw(st.booleans()):
        lines.append("n = BatchNormalization (t, g, b, m, v)")
    last = lines[-1].split()[0]
    follow = ["Relu ({})", "LeakyRelu <alpha=0.3> ({})", "Clip ({}, , top)", "Add ({0}, {0})", "Identity ({})"]
    lines.append("y = " + draw(st.sampled_from(follow)).format(last))
    constants["top"] = np.float32(0.5)
    return model("\n".join(lines), x=(1, group * inputs, *size), **constants)


@given(proto=transposed())
@settings(max_examples=60)
def test_equals_onnxruntime(proto: onnx.ModelProto, tmp_path_factory: pytest.TempPathFactory) -> None:
    m = canonical(proto, tmp_path_factory.mktemp("net"))
    assert_canonical(m)
    after, feeds = ir.to_proto(m), sample(proto)
    for a, b in zip(run(after, feeds), run(proto, feeds), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, atol=1e-5 * max(1.0, float(np.abs(b).max())))


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.ConvTranspose1d(4, 6, 2, stride=2), (1, 4, 9)),
        (lambda: nn.ConvTranspose1d(4, 6, 5, stride=3, padding=1, output_padding=2, groups=2), (1, 4, 7)),
        (lambda: nn.ConvTranspose2d(3, 4, (3, 2), stride=(2, 3), padding=(1, 0), dilation=(1, 2)), (1, 3, 5, 4)),
    ],
    ids=["signal", "groups", "image"],
)
def test_equals_torch(make: Callable[[], nn.Module], shape: tuple[int, ...], tmp_path: Path) -> None:
    module, x = make().eval(), torch.randn(shape)
    m = canonical(export_module(module, (x,), {}), tmp_path)
    (input_name,) = (value.name for value in m.graph.inputs)
    (y,) = run(ir.to_proto(m), {str(input_name): x.numpy()})
    np.testing.assert_allclose(y, module(x).detach().numpy(), atol=1e-5)


def test_layers_absorb_what_follows(tmp_path: Path) -> None:
    """A decoder's usual step is one convolution and moves, whose tap of every output is read once."""
    text = "t = ConvTranspose <strides=[2]> (x, w)\n n = BatchNormalization (t, g, b, m, v)\n r = Relu (n)\n"
    constants = {"w": weights(4, 6, 2), "u": weights(3, 6, 3), **statistics(6)}
    m = canonical(model(text + "y = Conv (r, u)", x=(1, 4, 8), **constants), tmp_path)
    assert operators(m) == "Reshape Conv Relu Reshape Transpose Reshape Conv Reshape"
    weight = m.graph[1].inputs[1]
    assert weight is not None and weight.shape is not None and tuple(weight.shape) == (12, 4, 1, 1)


def test_only_a_stride_that_does_not_divide_crops(tmp_path: Path) -> None:
    fits = model("y = ConvTranspose <strides=[2,2]> (x, w)", w=weights(4, 3, 4, 4))
    assert operators(canonical(fits, tmp_path)) == "Conv Reshape Transpose Reshape"
    odd = model("y = ConvTranspose <strides=[2,2]> (x, w)", w=weights(4, 3, 3, 3))
    assert operators(canonical(odd, tmp_path)) == "Conv Reshape Transpose Reshape Conv"


@pytest.mark.parametrize(
    ("shape", "kernel", "stride"), [((1, 8, 10), (2,), [2]), ((1, 6, 7), (4,), [3]), ((1, 3, 4, 5), (3, 3), [3, 2])]
)
def test_is_exact_on_a_cpu(shape: tuple[int, ...], kernel: tuple[int, ...], stride: list[int], tmp_path: Path) -> None:
    axes = len(kernel)
    proto = model(
        f"t = ConvTranspose <strides={stride}> (x, w, b)\n r = Relu (t)\n y = Conv (r, u)",
        x=shape,
        w=weights(shape[1], 6, *kernel),
        b=weights(6),
        u=weights(4, 6, *[2] * axes),
    )
    onnx.save(proto, tmp_path / "net.onnx")
    samples = np.random.default_rng(2).normal(size=(8, *shape[1:])).astype(np.float32)
    tinsmith.compile(tmp_path / "net.onnx", "c", tmp_path / "c", calibrate={"x": samples})
    assert tinsmith.verify(tmp_path / "c").exact
