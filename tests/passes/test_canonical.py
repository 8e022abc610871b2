"""Every float pattern becomes the canonical form, and after every pass the network still computes the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from float_models import ints, model, run, sample, statistics, weights
from tinsmith.frontend import load
from tinsmith.ir.domain import CURVE_DOMAIN
from tinsmith.ir.provenance import layer_name, source
from tinsmith.passes.pipelines import CANONICAL

FORM = {
    "Conv": {"kernel_shape", "strides", "pads", "dilations", "group"},
    "MaxPool": {"kernel_shape", "strides", "pads", "dilations"},
    "AveragePool": {"kernel_shape", "strides", "pads", "count_include_pad"},
    "Gemm": set(),
    "Relu": set(),
    "Clip": set(),
    "Add": set(),
    "Mul": set(),
    "PRelu": set(),
    "Concat": {"axis"},
    "Reshape": set(),
    "Transpose": {"perm"},
    "Softmax": {"axis"},
    "ArgMax": {"axis", "keepdims"},
}
"""Canonical operators and exactly the attributes that each has."""

IMAGE = weights(6, 4, 3, 3)
SQUARE = {"w": weights(4, 4, 3, 3)}
BN = "BatchNormalization (c, g, b, m, v)"
POOL = "MaxPool <kernel_shape=[3,2], pads=[1,0,1,1]>"
NEGATIVE = {"g": np.float32([1, 2, -1, 1, 0.5, 1])}
PAD4 = ints(0, 0, 1, 2, 0, 0, 1, 0)

SIGNAL = (1, 4, 9)
CASES: dict[str, tuple[onnx.ModelProto, str]] = {
    "conv of a signal": (model("y = Conv (x, w)", x=SIGNAL, w=weights(6, 4, 3)), "Reshape Conv Reshape"),
    "layers of a signal": (
        model(
            f"c = Conv <strides=[2], pads=[1,2]> (x, w, d)\n n = {BN}\n r = Relu (n)\n"
            'p = MaxPool <kernel_shape=[2]> (r)\n y = Conv <auto_pad="SAME_UPPER"> (p, u)',
            x=SIGNAL,
            w=weights(6, 4, 3),
            d=weights(6),
            u=weights(2, 6, 2),
            **statistics(6),
        ),
        "Reshape Conv Relu MaxPool Conv Reshape",
    ),
    "signal with a shortcut": (
        model(
            "c = Conv <pads=[1,1]> (x, w)\n a = Add (x, c)\n s = Mul (a, k)\n y = Concat <axis=-1> (s, x)",
            x=SIGNAL,
            w=weights(4, 4, 3),
            k=weights(4, 1),
        ),
        "Reshape Conv Add Mul Concat Reshape",
    ),
    "mean of a signal": (
        model("c = Conv (x, w)\n y = ReduceMean <keepdims=0> (c, a)", x=SIGNAL, w=weights(6, 4, 3), a=ints(-1)),
        "Reshape Conv AveragePool Reshape",
    ),
    "global pools of a signal": (
        model("a = GlobalAveragePool (x)\n b = GlobalMaxPool (x)\n y = Add (a, b)", x=SIGNAL),
        "Reshape AveragePool MaxPool Add Reshape",
    ),
    "one number a column of tokens": (
        model("r = Relu (x)\n y = Add (r, c)", x=(1, 5, 6), c=weights(6)),
        "Relu Add",
    ),
    "signal that others read as it was": (
        model(
            "c = Conv (x, w)\n t = Transpose <perm=[0,2,1]> (c)\n y = Relu (c)\n z = Relu (t)",
            x=SIGNAL,
            w=weights(6, 4, 3),
            outputs="y z",
        ),
        "Reshape Conv Relu Reshape Reshape Transpose Relu",
    ),
    "conv without bias or attributes": (model("y = Conv (x, w)", w=IMAGE), "Conv"),
    "same upper": (model('y = Conv <auto_pad="SAME_UPPER", strides=[2,3]> (x, w)', w=IMAGE, x=(1, 4, 7, 8)), "Conv"),
    "same lower": (model('y = Conv <auto_pad="SAME_LOWER", strides=[2,2]> (x, w)', w=IMAGE), "Conv"),
    "valid": (model('y = Conv <auto_pad="VALID"> (x, w)', w=IMAGE), "Conv"),
    "asymmetric pads": (model("y = Conv <pads=[0,1,2,1], strides=[2,1]> (x, w, b)", w=IMAGE, b=weights(6)), "Conv"),
    "dilated groups": (model("y = Conv <dilations=[2,1], group=2> (x, w)", w=weights(6, 2, 3, 3)), "Conv"),
    "conv bn relu": (
        model(f"c = Conv (x, w, d)\n n = {BN}\n y = Relu (n)", w=IMAGE, d=weights(6), **statistics(6)),
        "Conv Relu",
    ),
    "bn epsilon": (
        model("c = Conv (x, w)\n y = BatchNormalization <epsilon=0.5> (c, g, b, m, v)", w=IMAGE, **statistics(6)),
        "Conv",
    ),
    "bn of a conv that others read": (
        model(f"c = Conv (x, w)\n n = {BN}\n y = Add (n, c)", w=IMAGE, **statistics(6)),
        "Conv Mul Add Add",
    ),
    "bn of a conv that is an output": (
        model(f"c = Conv (x, w)\n y = {BN}", w=IMAGE, outputs="y c", **statistics(6)),
        "Conv Mul Add",
    ),
    "bn after add": (model(f"c = Add (x, x)\n n = {BN}\n y = Relu (n)", **statistics(4)), "Add Mul Add Relu"),
    "bn before an unpadded conv": (
        model("n = BatchNormalization (x, g, b, m, v)\n y = Conv <strides=[2,2]> (n, w)", w=IMAGE, **statistics(4)),
        "Conv",
    ),
    "bn behind a pool": (
        model(f"d = Conv (x, w)\n c = {POOL} (d)\n n = {BN}\n y = Relu (n)", w=IMAGE, **statistics(6)),
        "Conv MaxPool Relu",
    ),
    "negative factor behind a pool": (
        model(f"d = Conv (x, w)\n c = {POOL} (d)\n n = {BN}\n y = Relu (n)", w=IMAGE, **statistics(6) | NEGATIVE),
        "Conv MaxPool Mul Add Relu",
    ),
    "bn behind a pool of what others read": (
        model(f"d = Conv (x, w)\n c = {POOL} (d)\n y = {BN}\n z = Relu (d)", w=IMAGE, outputs="y z", **statistics(6)),
        "Conv MaxPool Mul Add Relu",
    ),
    "bn before a padded conv": (
        model("n = BatchNormalization (x, g, b, m, v)\n y = Conv <pads=[1,1,1,1]> (n, w)", w=IMAGE, **statistics(4)),
        "Mul Add Conv",
    ),
    "bn before grouped convs": (
        model(
            "n = BatchNormalization (x, g, b, m, v)\n p = Conv <group=2> (n, w)\n q = Conv <group=4> (n, u)\n"
            "y = Concat <axis=1> (p, q)",
            w=weights(6, 2, 3, 3),
            u=weights(8, 1, 3, 3),
            **statistics(4),
        ),
        "Conv Conv Concat",
    ),
    "bn of a vector after gemm": (
        model(f"c = Gemm (x, w)\n y = {BN}", x=(1, 5), w=weights(5, 3), **statistics(3)),
        "Gemm",
    ),
    "bn of a vector alone": (
        model(f"c = Relu (x)\n y = {BN}", x=(1, 5), **statistics(5)),
        "Relu Mul Add",
    ),
    "bn of a sequence": (
        model(f"c = Relu (x)\n y = {BN}", x=(1, 5, 3), **statistics(5)),
        "Relu Reshape Mul Add Reshape",
    ),
    "normalized input, padded conv": (
        model(
            "s = Sub (x, m)\n d = Div (s, v)\n y = Conv <pads=[1,1,1,1]> (d, w)",
            **SQUARE,
            m=weights(1, 4, 1, 1),
            v=weights(4, 1, 1),
        ),
        "Mul Add Conv",
    ),
    "scaled input, padded conv": (
        model("d = Mul (x, k)\n y = Conv <pads=[1,1,1,1]> (d, w)", **SQUARE, k=np.float32(1 / 255)),
        "Conv",
    ),
    "constant on the left": (
        model("s = Sub (m, x)\n d = Mul (k, s)\n a = Add (m, d)\n y = Relu (a)", m=weights(4, 1, 1), k=np.float32(-2)),
        "Mul Add Relu",
    ),
    "constant after conv": (
        model(
            "c = Conv (x, w)\n s = Add (c, m)\n d = Mul (s, m)\n y = Div (d, k)",
            w=IMAGE,
            m=weights(6, 1, 1),
            k=weights(1),
        ),
        "Conv",
    ),
    "scalar times matrix": (model("y = Mul (x, k)", x=(1, 3, 5), k=weights(1)), "Mul"),
    "gemm with everything": (
        model("y = Gemm <transB=1, alpha=0.5, beta=3.0> (x, w, b)", x=(1, 5), w=weights(3, 5), b=weights(1, 3)),
        "Gemm",
    ),
    "gemm without bias": (model("y = Gemm (x, w)", x=(1, 5), w=weights(5, 3)), "Gemm"),
    "gemm with scalar bias": (model("y = Gemm (x, w, b)", x=(1, 5), w=weights(5, 3), b=np.float32(2)), "Gemm"),
    "matmul": (model("y = MatMul (x, w)", x=(1, 5), w=weights(5, 3)), "Gemm"),
    "matmul of rank 3 with bias and scale": (
        model(
            "p = MatMul (x, w)\n a = Add (b, p)\n m = Mul (a, s)\n y = Sub (b, m)",
            x=(1, 7, 5),
            w=weights(5, 3),
            b=weights(3),
            s=weights(3),
        ),
        "Reshape Gemm Reshape",
    ),
    "matmuls in a row": (
        model("p = MatMul (x, w)\n r = Relu (p)\n y = MatMul (r, w)", x=(1, 7, 5), w=weights(5, 5)),
        "Reshape Gemm Reshape Relu Reshape Gemm Reshape",
    ),
    "shared weights, one normalized": (
        model(f"c = Conv <pads=[1,1,1,1]> (x, w)\n n = {BN}\n y = Conv (n, w)", **SQUARE, **statistics(4)),
        "Conv Conv",
    ),
    "max pool rounding up": (
        model("y = MaxPool <kernel_shape=[3,3], strides=[2,2], ceil_mode=1> (x)"),
        "MaxPool",
    ),
    "max pool, ceil without overhang": (
        model("y = MaxPool <kernel_shape=[2,2], strides=[2,2], ceil_mode=1, pads=[1,1,1,1]> (x)"),
        "MaxPool",
    ),
    "max pool same": (
        model(
            'y = MaxPool <kernel_shape=[3,2], strides=[2,2], auto_pad="SAME_UPPER", dilations=[1,1]> (x)',
            x=(1, 4, 7, 9),
        ),
        "MaxPool",
    ),
    "average pool counting pads": (
        model("y = AveragePool <kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1> (x)"),
        "AveragePool",
    ),
    "average pool same, nothing to pad": (
        model('y = AveragePool <kernel_shape=[2,2], strides=[2,2], auto_pad="SAME_UPPER"> (x)'),
        "AveragePool",
    ),
    "average pool, ceil without overhang": (
        model("y = AveragePool <kernel_shape=[2,2], strides=[2,2], ceil_mode=1> (x)"),
        "AveragePool",
    ),
    "global pools": (
        model("a = GlobalAveragePool (x)\n m = GlobalMaxPool (x)\n y = Add (a, m)", x=(1, 4, 5, 7)),
        "AveragePool MaxPool Add",
    ),
    "mean, axes as attribute": (
        model("y = ReduceMean <axes=[2,3], keepdims=0> (x)", x=(1, 4, 5, 7), opset=13),
        "AveragePool Reshape",
    ),
    "mean, axes as input": (model("y = ReduceMean (x, a)", x=(1, 4, 5, 7), a=ints(-1, -2)), "AveragePool"),
    "mean of the width": (
        model("y = ReduceMean <keepdims=0> (x, a)", x=(1, 4, 5, 7), a=ints(3)),
        "AveragePool Reshape",
    ),
    "pad before convs": (
        model(
            "p = Pad (x, a)\n c = Conv (p, w)\n"
            "d = Conv <pads=[1,0,0,1]> (p, w)\n e = Relu (c)\n y = Add (c, e)\n z = Relu (d)",
            outputs="y z",
            w=IMAGE,
            a=PAD4,
        ),
        "Conv Conv Relu Add Relu",
    ),
    "pad before an average pool": (
        model("p = Pad (x, a)\n y = AveragePool <kernel_shape=[3,3]> (p)", a=PAD4),
        "AveragePool",
    ),
    "pad wider than the pool": (
        model("p = Pad (x, a)\n y = AveragePool <kernel_shape=[2,2]> (p)", a=PAD4),
        "Conv AveragePool",
    ),
    "pad before max pool": (
        model("p = Pad (x, a)\n y = MaxPool <kernel_shape=[3,3]> (p)", a=PAD4),
        "Conv MaxPool",
    ),
    "pad that is the output": (model("y = Pad (x, a)", a=PAD4), "Conv"),
    "pad of named axes": (model("p = Pad (x, a,,n)\n y = Conv (p, w)", a=ints(1, 2), n=ints(-1), w=IMAGE), "Conv"),
    "shortcut of cifar resnets": (
        model(
            "s = Slice (x, o, e, i2, t)\n r = Slice (s, o, e, i3, t)\n y = Pad (r, a)",
            o=ints(0),
            e=ints(2**62),
            i2=ints(2),
            i3=ints(-1),
            t=ints(2),
            a=ints(0, 2, 0, 0, 0, 3, 0, 0),
            x=(1, 4, 7, 8),
        ),
        "Conv",
    ),
    "padded channels and rows": (
        model("p = Pad (x, a)\n y = Conv (p, w)", a=ints(0, 1, 1, 0, 0, 1, 2, 1), w=weights(5, 6, 3, 3)),
        "Conv Conv",
    ),
    "every third row": (model("y = Slice (x, o, e, a, t)", o=ints(0), e=ints(8), a=ints(2), t=ints(3)), "Conv"),
    "some channels": (model("y = Slice (x, o, e, a, t)", o=ints(-1), e=ints(-99), a=ints(1), t=ints(-2)), "Conv"),
    "relu6": (model("y = Clip (x, l, h)", l=np.float32(0), h=np.float32(6)), "Clip"),
    "clip to relu": (model("y = Clip (x, l)", l=np.float32(0)), "Relu"),
    "clip to infinity": (model("y = Clip (x, l, h)", l=np.float32(0), h=np.float32(np.inf)), "Relu"),
    "clip from above": (model("y = Clip (x,,h)", h=np.float32(0.5)), "Clip"),
    "clip of nothing": (model("c = Clip (x)\n y = Relu (c)"), "Relu"),
    "nothing at all": (
        model("i = Identity (x)\n d = Dropout (i)\n c = Cast <to=1> (d)\n r = Relu (c)\n y = Identity (r)"),
        "Relu",
    ),
    "a copy": (model("y = Identity (x)"), "Reshape"),
    "one value as two outputs": (model("y = Relu (x)\n z = Identity (y)", outputs="y z"), "Relu Reshape"),
    "reshapes in a row": (
        model(
            "a = Flatten (x)\n b = Unsqueeze (a, i)\n c = Squeeze (b, i)\n d = Reshape (c, s)\n y = Relu (d)",
            i=ints(0),
            s=ints(0, -1, 8),
        ),
        "Reshape Relu",
    ),
    "reshape to what it was": (model("a = Reshape (x, s)\n y = Relu (a)", s=ints(0, 0, 8, -1)), "Relu"),
    "transpose to channels last": (model("t = Transpose <perm=[0,2,3,1]> (x)\n y = Relu (t)"), "Transpose Relu"),
    "transpose of ones": (
        model("t = Transpose <perm=[0,2,1,3]> (x)\n y = Relu (t)", x=(1, 1, 5, 6)),
        "Reshape Relu",
    ),
    "transpose that moves": (model("t = Transpose (x)\n y = Relu (t)", x=(1, 2, 3)), "Transpose Relu"),
    "concat of one": (model("t = Concat <axis=1> (x)\n y = Relu (t)"), "Relu"),
    "softmax of a vector": (model("y = Softmax <axis=1> (x)", x=(1, 9)), "Softmax"),
    "softmax then flatten": (
        model("s = Softmax <axis=1> (x)\n y = Flatten (s)", x=(1, 9, 1, 1)),
        "Reshape Softmax",
    ),
    "softmax of channels": (model("y = Softmax <axis=1> (x)", x=(1, 9, 1, 1)), "Reshape Softmax"),
    "old softmax": (model("y = Softmax <axis=1> (x)", x=(1, 9), opset=11), "Softmax"),
    "argmax of softmax": (
        model("s = Softmax (x)\n i_y = ArgMax <axis=-1> (s)", x=(1, 9), outputs="i_y"),
        "ArgMax",
    ),
    "argmax of channels": (
        model("i_y = ArgMax <axis=1, keepdims=0> (x)", x=(1, 9, 1, 1), outputs="i_y"),
        "Reshape ArgMax",
    ),
    "newer opset": (model("c = Conv (x, w)\n y = Relu (c)", w=IMAGE, opset=21), "Conv Relu"),
    "older opset": (
        model(
            "c = Conv (x, w)\n d = Dropout (c)\n"
            "s = Unsqueeze <axes=[0]> (d)\n t = Squeeze <axes=[0]> (s)\n y = Clip (t, l)",
            w=IMAGE,
            l=np.float32(-0.5),
            opset=11,
        ),
        "Conv Clip",
    ),
    "batch by name": (model("y = Conv (x, w)", w=IMAGE, x=("N", 4, 8, 8)), "Conv"),
    "shape arithmetic": (
        model(
            "s = Shape (x)\n o = Gather (s, z)\n q = Mul (o, k)\n u = Unsqueeze (q, a)\n t = Concat <axis=0> (u, r)\n"
            "y = Reshape (x, t)",
            z=ints(0).reshape(()),
            k=ints(1).reshape(()),
            a=ints(0),
            r=ints(-1),
            x=("N", 4, 8, 8),
        ),
        "Reshape",
    ),
}


def assert_canonical(m: ir.Model) -> None:
    names = [layer_name(node) for node in m.graph]
    assert len(set(names)) == len(names)
    assert all(source(node) for node in m.graph)
    for node in m.graph:
        assert set(node.attributes) == (set() if node.domain == CURVE_DOMAIN else FORM[node.op_type]), node
        for value in node.outputs:
            assert value.shape is not None and value.shape.is_static() and value.dtype is not None
        constants = [i for i, v in enumerate(node.inputs) if v is not None and v.const_value is not None]
        if node.op_type in ("Conv", "Gemm"):
            assert constants == [1, 2]
            assert all(node.inputs[i].const_value.dtype == ir.DataType.FLOAT for i in (1, 2))
        elif node.op_type == "Clip":
            assert constants == [1, 2]
        elif node.op_type in ("Add", "Mul"):
            assert constants in ([], [1])
        elif node.op_type == "PRelu":
            assert constants == [1]
        elif node.op_type == "Reshape":
            assert constants == [1] and tuple(node.inputs[1].const_value.numpy()) == node.outputs[0].shape
        else:
            assert constants == []
        if node.op_type in ("Softmax", "ArgMax"):
            assert node.outputs[0].is_graph_output() and node.attributes["axis"].as_int() == -1


@pytest.mark.parametrize("case", CASES)
def test_same_results_after_every_pass(case: str, tmp_path: Path) -> None:
    proto, expected = CASES[case]
    path = tmp_path / "net.onnx"
    onnx.save(proto, path)
    feeds = sample(proto)
    before = run(proto, feeds)
    m = load(path)
    for make in CANONICAL:
        make()(m)
        after = ir.to_proto(m)
        onnx.checker.check_model(after, full_check=True)
        for a, b in zip(run(after, feeds), before, strict=True):
            np.testing.assert_allclose(a.reshape(b.shape), b, atol=1e-4, rtol=1e-4, err_msg=make.name)
    assert_canonical(m)
    assert Counter(node.op_type for node in m.graph) == Counter(expected.split())
    assert [v.name for v in m.graph.outputs] == [v.name for v in proto.graph.output]
    assert not any(make()(m) for make in CANONICAL if make.name != "dead-code"), "a second run changes nothing"


def test_outputs_keep_their_shapes(tmp_path: Path) -> None:
    """Only a Softmax of channels loses dimensions, as docs/operators.md says."""
    changed = set()
    for case, (proto, _) in CASES.items():
        onnx.save(proto, tmp_path / "net.onnx")
        m = load(tmp_path / "net.onnx")
        before = [tuple(v.shape.numpy()) for v in m.graph.outputs]
        for make in CANONICAL:
            make()(m)
        if [tuple(v.shape.numpy()) for v in m.graph.outputs] != before:
            changed.add(case)
    assert changed == {"softmax of channels"}


def test_merged_nodes_keep_every_source(tmp_path: Path) -> None:
    proto, _ = CASES["conv bn relu"]
    for node, name in zip(proto.graph.node, ("stem", "stem_bn", "act"), strict=True):
        node.name = name
    onnx.save(proto, tmp_path / "net.onnx")
    m = load(tmp_path / "net.onnx")
    for make in CANONICAL:
        make()(m)
    assert [(layer_name(n), source(n)) for n in m.graph] == [("stem", "stem, stem_bn"), ("act", "act")]


def test_unused_weights_go(tmp_path: Path) -> None:
    onnx.save(CASES["conv bn relu"][0], tmp_path / "net.onnx")
    m = load(tmp_path / "net.onnx")
    for make in CANONICAL:
        make()(m)
    assert len(m.graph.initializers) == 2
