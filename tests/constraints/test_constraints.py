"""Every reason for a refusal: each constraint refuses something, names it, and all are told at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import trained_cases
from float_models import Array, ints, model, statistics, weights
from tinsmith.constraints import GraphView, check, survey
from tinsmith.constraints.check import rule
from tinsmith.constraints.docs import operators_page
from tinsmith.constraints.table import EVERY, OPERATORS
from tinsmith.errors import Problem, TinsmithError
from tinsmith.frontend import load
from tinsmith.frontend.prepare import prepare

IMAGE = {"w": weights(6, 4, 3, 3)}
POOL = "kernel_shape=[3,3]"


def norm(value: float) -> dict[str, Array]:
    return {**statistics(4), "g": np.full(4, value, np.float32)}


# name → (model, constraint that refuses it, words of the message)
CASES: dict[str, tuple[onnx.ModelProto, str, str]] = {
    "conv 3-d": (
        model("y = Conv (x, w)", x=(1, 4, 8, 8, 8), w=weights(6, 4, 3, 3, 3)),
        "is_an_image",
        "Conv 'y': its input has shape [1, 4, 8, 8, 8]",
    ),
    "batch by reshape": (
        model(
            "r = Reshape (x, s)\n y = Relu (r)\n z = MaxPool <kernel_shape=[2,2]> (r)",
            s=ints(2, 2, 8, 8),
            outputs="y z",
        ),
        "is_an_image",
        "MaxPool 'z': its input has batch 2",
    ),
    "computed weights": (
        model("c = Relu (x)\n y = Conv (x, c)", x=(1, 1, 1, 1)),
        "weights_are_constant",
        "Conv 'y': 'c' is not a constant",
    ),
    "negative pads": (
        model("y = Conv <pads=[-1,0,0,0]> (x, w)", **IMAGE),
        "pads_are_not_negative",
        "pads is [-1, 0, 0, 0]",
    ),
    "transposed convolution of a size to come": (
        model('y = ConvTranspose <auto_pad="SAME_UPPER", strides=[2,2]> (x, w)', w=weights(4, 2, 3, 3)),
        "transposed_pads_are_explicit",
        "auto_pad is 'SAME_UPPER'",
    ),
    "transposed convolution of another input": (
        model("y = ConvTranspose (x, w)", w=weights(5, 2, 3, 3)),
        "transposed_kernel_fits_weights",
        "weight [5, 2, 3, 3], group 1",
    ),
    "padding as wide as the pool": (
        model(f"y = MaxPool <{POOL}, pads=[0,3,0,0]> (x)"),
        "padding_is_smaller_than_the_kernel",
        "pads [0, 3, 0, 0]",
    ),
    "average that skips padding": (
        model(f"y = AveragePool <{POOL}, pads=[1,1,1,1]> (x)"),
        "average_counts_padding",
        "count_include_pad=0",
    ),
    "average, same, skips padding": (
        model(f'y = AveragePool <{POOL}, auto_pad="SAME_UPPER"> (x)'),
        "average_counts_padding",
        "pads [1, 1, 1, 1]",
    ),
    "average that runs over": (
        model(f"y = AveragePool <{POOL}, strides=[2,2], ceil_mode=1> (x)"),
        "average_has_no_overhang",
        "run over an input of [8, 8]",
    ),
    "column-major indices": (
        model(f"y = MaxPool <{POOL}, storage_order=1> (x)"),
        "indices_are_row_major",
        "storage_order is 1",
    ),
    "indices of a pool": (
        model(f"y, i_z = MaxPool <{POOL}> (x)", outputs="y i_z"),
        "has_one_output",
        "output 'i_z' is used",
    ),
    "mean of channels": (
        model("y = ReduceMean (x, a)", a=ints(1)),
        "reduces_height_or_width",
        "axes [1] of [1, 4, 8, 8]",
    ),
    "mean of everything": (model("y = ReduceMean (x)"), "reduces_height_or_width", "over all axes"),
    "attention": (
        model("t = Transpose (x)\n y = MatMul (x, t)", x=(1, 5)),
        "product_is_by_a_constant_matrix",
        "MatMul 'y': 't' is not a constant",
    ),
    "constant on the left": (
        model("y = MatMul (w, x)", x=(1, 5), w=weights(3, 1)),
        "product_is_by_a_constant_matrix",
        "'w' is on the wrong side",
    ),
    "batched constant": (
        model("y = MatMul (x, w)", x=(1, 2, 5), w=weights(1, 5, 3)),
        "product_is_by_a_constant_matrix",
        "the constant has shape [1, 5, 3]",
    ),
    "transposed left side": (
        model("y = Gemm <transA=1> (x, w)", x=(1, 5), w=weights(1, 3)),
        "left_side_is_not_transposed",
        "transA is 1",
    ),
    "bias for every row": (
        model("r = Reshape (x, s)\n y = Gemm (r, w, b)", x=(1, 10), s=ints(2, 5), w=weights(5, 3), b=weights(2, 3)),
        "bias_is_per_column",
        "the bias has shape [2, 3]",
    ),
    "training": (
        model("y = BatchNormalization <training_mode=1> (x, g, b, m, v)", **statistics(4)),
        "normalization_is_for_inference",
        "training_mode is 1",
    ),
    "normalized rows": (
        model("r = Reshape (x, s)\n y = BatchNormalization (r, g, b, m, v)", x=(1, 8), s=ints(2, 4), **statistics(4)),
        "normalization_has_channels",
        "its input has shape [2, 4]",
    ),
    "broadcast sum": (
        model("p = GlobalAveragePool (x)\n y = Add (x, p)"),
        "operands_have_one_shape",
        "[1, 4, 8, 8] and [1, 4, 1, 1]",
    ),
    "difference": (model("p = Relu (x)\n y = Sub (x, p)"), "one_operand_is_constant", "both operands are computed"),
    "outer product": (
        model("p = MaxPool <kernel_shape=[8,1]> (x)\n q = MaxPool <kernel_shape=[1,8]> (x)\n y = Mul (p, q)"),
        "factor_broadcasts_to_the_other",
        "Mul 'y': [1, 4, 1, 8] and [1, 4, 8, 1]",
    ),
    "factor larger than the value": (
        model("y = Mul (x, k)", x=(1, 4, 1, 1), k=weights(1, 4, 3, 3)),
        "factor_broadcasts_to_the_other",
        "[1, 4, 1, 1] and [1, 4, 3, 3]",
    ),
    "slope of places": (
        model("y = PRelu (x, s)", s=weights(4, 8, 8)),
        "slope_is_per_channel",
        "the slope has shape [4, 8, 8]",
    ),
    "computed slope": (
        model("p = MaxPool <kernel_shape=[8,8]> (x)\n y = PRelu (x, p)"),
        "slope_is_per_channel",
        "'p' is not a constant",
    ),
    "magnitude": (model("a = Abs (x)\n y = Relu (a)"), "magnitudes_are_averaged", "Relu 'y' reads it"),
    "curve of two values": (
        model("a = MaxPool <kernel_shape=[1,1]> (x)\n y = Max (x, a)"),
        "makes_one_value_of_one",
        "several values meet",
    ),
    "curve with a number a channel": (
        model("y = Pow (x, w)", w=weights(4, 1, 1)),
        "makes_one_value_of_one",
        "several values meet",
    ),
    "magnitude at the end": (model("y = Abs (x)"), "magnitudes_are_averaged", "its result is an output"),
    "a grid a channel": (
        model(
            "q = QuantizeLinear (x, s, z)\n y = DequantizeLinear (q, s, z)",
            s=np.ones(4, np.float32),
            z=np.zeros(4, np.int8),
        ),
        "grid_is_constant",
        "it has 4 scales and 4 zero points",
    ),
    "a grid of scale 0": (
        model("q = QuantizeLinear (x, s, z)\n y = DequantizeLinear (q, s, z)", s=np.float32(0), z=np.int8(0)),
        "grid_is_constant",
        "its scale is 0",
    ),
    "a grid without zero point": (
        model("q = QuantizeLinear (x, s)\n y = DequantizeLinear (q, s)", s=np.float32(1)),
        "grid_is_constant",
        "its zero point is not given as a constant",
    ),
    "two grids": (
        model(
            "q = QuantizeLinear (x, s, z)\n y = DequantizeLinear (q, t, z)",
            s=np.float32(1),
            t=np.float32(2),
            z=np.int8(0),
        ),
        "is_dequantized",
        "DequantizeLinear 'y' reads it with another scale",
    ),
    "integers that are moved": (
        model(
            "q = QuantizeLinear (x, s, z)\n r = Transpose (q)\n y = DequantizeLinear (r, s, z)",
            s=np.float32(1),
            z=np.int8(0),
        ),
        "is_dequantized",
        "Transpose 'r' reads it",
    ),
    "integers that are given": (
        model("y = DequantizeLinear (q, s, z)", extra=", int8[1, 4] q", s=np.float32(1), z=np.int8(0)),
        "reads_what_was_quantized",
        "it reads 'q'",
    ),
    "reciprocal": (model("y = Div (k, x)", k=weights(1)), "one_operand_is_constant", "the divisor is computed"),
    "division by nothing": (
        model("y = Div (x, k)", k=np.zeros((4, 1, 1), np.float32)),
        "divisor_is_not_zero",
        "a divisor is 0",
    ),
    "position table": (
        model("y = Add (x, k)", k=weights(4, 8, 8)),
        "constant_is_per_channel",
        "the constant has shape [4, 8, 8]",
    ),
    "empty clip": (
        model("y = Clip (x, l, h)", l=np.float32(3), h=np.float32(1)),
        "bounds_are_constant",
        "min 3.0 > max 1.0",
    ),
    "computed shape": (
        model("r = Relu (x)\n s = Cast <to=7> (r)\n y = Reshape (x, s)", x=(1,)),
        "shape_is_constant",
        "Reshape 'y': 's' is computed",
    ),
    "joined with a constant": (
        model("y = Concat <axis=1> (x, k)", k=weights(1, 2, 8, 8)),
        "joins_computed_values",
        "'k' is a constant",
    ),
    "reflection": (
        model('y = Pad <mode="reflect"> (x, a)', a=ints(0, 0, 1, 1, 0, 0, 1, 1)),
        "pads_with_zeros",
        "mode is 'reflect'",
    ),
    "pad with ones": (
        model("y = Pad (x, a, k)", a=ints(0, 0, 1, 1, 0, 0, 1, 1), k=np.float32(1)),
        "pads_with_zeros",
        "the value is 1.0",
    ),
    "crop": (
        model("y = Slice (x, o, e, a)", o=ints(1), e=ints(7), a=ints(2)),
        "slices_channels_or_every_nth_pixel",
        "axis 2 of 8 keeps 1:7:1",
    ),
    "flipped": (
        model("y = Slice (x, o, e, a, t)", o=ints(-1), e=ints(-9), a=ints(3), t=ints(-1)),
        "slices_channels_or_every_nth_pixel",
        "axis 3 of 8 keeps 7:-1:-1",
    ),
    "cast to integers": (
        model("i_y = Cast <to=7> (x)", outputs="i_y"),
        "cast_keeps_the_type",
        "it makes type 7",
    ),
    "dropout in training": (
        model("y = Dropout (x, r, t)", r=np.float32(0.5), t=np.asarray(True)),
        "dropout_is_for_inference",
        "training_mode is true",
    ),
    "softmax of columns": (
        model("y = Softmax <axis=1> (x)", x=(1, 4, 8)),
        "axis_is_the_last",
        "Softmax 'y': axis 1 of [1, 4, 8]",
    ),
    "softmax in the middle": (
        model("s = Softmax (x)\n y = MatMul (s, w)", x=(1, 5), w=weights(5, 3)),
        "result_is_the_output",
        "Softmax 's': its result goes into MatMul 'y'",
    ),
    "softmax read twice": (
        model("y = Softmax (x)\n z = Relu (y)", x=(1, 5), outputs="y z"),
        "result_is_the_output",
        "its result also goes into Relu 'z'",
    ),
    "last of equals": (
        model("i_y = ArgMax <axis=1, select_last_index=1> (x)", x=(1, 5), outputs="i_y"),
        "first_of_equals_wins",
        "select_last_index is 1",
    ),
    "negative variance": (
        model("y = BatchNormalization (x, g, b, m, v)", **{**statistics(4), "v": -(weights(4) ** 2)}),
        "variance_is_positive",
        "4 of the 4 variances are not",
    ),
    "nan": (
        model("y = BatchNormalization (x, g, b, m, v)", **norm(np.nan)),
        "constants_are_finite_float32",
        "4 of the 4 values of 'g' are NaN or infinite",
    ),
    "infinity": (
        model("y = Conv (x, w)", w=np.where(weights(6, 4, 3, 3) > 2, np.inf, np.float32(0)).astype(np.float32)),
        "constants_are_finite_float32",
        "values of 'w' are NaN or infinite",
    ),
} | trained_cases.CASES


def problems_of(proto: onnx.ModelProto) -> list[Problem]:
    copy = onnx.ModelProto.FromString(proto.SerializeToString())
    try:
        return check(GraphView(prepare(copy, {}, "net.onnx", None)))
    except TinsmithError as error:
        return error.problems


@pytest.mark.parametrize("case", CASES)
def test_refuses_with_place_and_reason(case: str) -> None:
    proto, constraint, words = CASES[case]
    functions = {c.__name__: c for o in OPERATORS.values() for c in o.constraints} | {c.__name__: c for c in EVERY}
    why, fix = rule(functions[constraint])
    told = [p for p in problems_of(proto) if p.why == why]
    assert told, problems_of(proto)
    assert any(words in f"{p.where}: {p.what}" for p in told), told
    assert told[0].fix == fix and fix


# A file cannot break these without failing earlier, in shape inference; they guard what inference does not check.
GUARDS = {"kernel_fits_weights", "window_size_is_clear", "values_are_float32", "values_are_not_empty"}


def test_every_constraint_refuses_something() -> None:
    tried = {constraint for _, constraint, _ in CASES.values()}
    known = {c.__name__ for o in OPERATORS.values() for c in (*o.constraints, *EVERY)}
    assert known - GUARDS == tried


def test_types_and_sizes() -> None:
    half = model("c = Conv (x, w)\n y = Relu (c)", w=weights(6, 4, 3, 3).astype(np.float16))
    for value in (*half.graph.input, *half.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    told = [str(p) for p in problems_of(half)]
    assert any("'x' is float16" in t for t in told)
    assert any("'w' is float16" in t for t in told)
    empty = model("s = Slice (x, o, e, a)\n y = Relu (s)", o=ints(3), e=ints(3), a=ints(1))
    assert any("'s' has shape [1, 0, 8, 8]" in str(p) for p in problems_of(empty))


def test_declared_window_that_is_not_the_computed_one() -> None:
    proto = model("y = MaxPool <kernel_shape=[3,3], strides=[2,2], ceil_mode=1> (x)")
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    proto = onnx.shape_inference.infer_shapes(proto)
    assert check(GraphView(proto)) == []
    proto.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 3
    assert ["computed [4, 4], declared [3, 4]" in str(p) for p in check(GraphView(proto))] == [True]


def test_weights_that_do_not_fit() -> None:
    proto = model("y = Conv <group=3> (x, w)", **IMAGE)
    assert any("group 3" in str(p) for p in check(GraphView(proto)))


def test_everything_at_once(tmp_path: Path) -> None:
    """Unknown operators, unknown attributes, control flow and constraints, in one error."""
    proto = model(
        "a = Cos (x)\n b = Frobnicate (a)\n c = com.acme.Warp <k=1> (b)\n d = Acosh (x)\n"
        "e = MaxPool <kernel_shape=[2,2], wrong=1> (x)\n f = Conv <pads=[-1,0,0,0]> (e, w)\n"
        "g = Add (c, d)\n y = Add (f, g)",
        **IMAGE,
    )
    proto.opset_import.add(domain="com.acme", version=1)
    onnx.save(proto, tmp_path / "net.onnx")
    with pytest.raises(TinsmithError) as caught:
        load(tmp_path / "net.onnx")
    told = str(caught.value)
    for words in (
        "Cos 'a': operator 'Cos' is not supported",
        "operator 'Frobnicate' is unknown",
        "operator 'Warp' of domain 'com.acme' is unknown",
        "operator 'Acosh' is not supported",
        "MaxPool 'e': attribute 'wrong' is unknown",
        "pads is [-1, 0, 0, 0]",
    ):
        assert words in told
    assert len(caught.value.problems) == 6


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("y = MaxPool (x)", "MaxPool, node name: y): [ShapeInferenceError] Attribute kernel_shape must be"),
        ("y = MaxPool <kernel_shape=3> (x)", "attribute 'kernel_shape' is not ints"),
        ("y = MaxPool <kernel_shape=[2,2], strides=[1]> (x)", "strides"),
        ("y = Conv (x)", "has 1 inputs"),
        ("y = Relu ()", "node name: y): Input 0 is out of bounds"),
    ],
)
def test_ill_formed_nodes(body: str, words: str) -> None:
    assert words in str([str(p) for p in problems_of(model(body))])


def test_control_flow_is_refused() -> None:
    branch = onnx.parser.parse_graph("branch () => (float[1,4,8,8] z) <float[1,4,8,8] k> { z = Identity (k) }")
    proto = model("y = Relu (x)")
    node = onnx.helper.make_node("If", ["cond"], ["y"], then_branch=branch, else_branch=branch)
    proto.graph.node[0].CopyFrom(node)
    proto.graph.input.append(onnx.helper.make_tensor_value_info("cond", onnx.TensorProto.BOOL, [1]))
    (problem,) = check(GraphView(proto))
    assert problem.what == "operator 'If' is not supported" and "control flow" in problem.why


def test_output_that_is_an_input() -> None:
    proto = model("y = Relu (x)", outputs="y x")
    assert [p.what for p in check(GraphView(proto))] == ["output 'x' is an input"]


def test_survey_counts_and_blames() -> None:
    proto = model("a = Relu (x)\n b = Cos (a)\n c = Relu (b)\n d = Relu (x)\n y = Add (c, d)")
    rows = survey(GraphView(proto))
    assert [(r.operator, r.count, r.supported) for r in rows] == [
        ("Add", 1, True),
        ("Cos", 1, False),
        ("Relu", 3, True),
    ]


def test_dead_branches_do_not_count() -> None:
    assert problems_of(model("a = Cos (x)\n y = Relu (x)")) == []


def test_the_page_is_up_to_date() -> None:
    """`python -m tinsmith.constraints.docs docs/operators.md` writes it again."""
    page = Path(__file__).parents[2] / "docs/operators.md"
    assert page.read_text(encoding="utf-8") == operators_page()


def test_a_trained_operator_without_its_attributes() -> None:
    told = [str(p) for p in problems_of(trained_cases.binary_conv(trained_cases.WINDOW))]
    assert any("BinaryConv 'y': attribute 'pad_value' is missing" in t for t in told), told


def test_bits_pass_moves_and_pools() -> None:
    moved = "p = MaxPool <kernel_shape=[2,2]> (z)\n r = Transpose <perm=[0,1,3,2]> (p)\n q = Concat <axis=2> (r, r)"
    assert problems_of(trained_cases.binary_conv(before=f"z = {trained_cases.DOMAIN}.Binarize (x, t)\n {moved}")) == []
