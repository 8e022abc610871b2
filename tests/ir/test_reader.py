"""The strict reader: damaged exact files give errors that name the node, all at once, and believe no range."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from exact_models import Net, random_exact
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Conv
from tinsmith.ir.reader import read_exact
from tinsmith.passes.prove_ranges import ProveRanges

Damage = Callable[[ir.Model], None]


def conv_model() -> ir.Model:
    net = Net(2)
    x = net.quantize(net.input("x", (1, 4, 5, 5)))
    net.dequantize(net.max_pool(net.conv(x, 6, (3, 3)), (2, 2)))
    return net.model()


def conv(model: ir.Model) -> ir.Node:
    return next(node for node in model.graph if node.op_type == "Conv")


def constant(kind: str, array: np.ndarray) -> Damage:
    def damage(model: ir.Model) -> None:
        model.graph.initializers[f"conv_1/{kind}"].const_value = ir.tensor(array, name=f"conv_1/{kind}")

    return damage


def attribute(name: str, value: int) -> Damage:
    return lambda model: conv(model).attributes.add(ir.AttrInt64(name, value))


def metadata(name: str, key: str, text: str) -> Damage:
    def damage(model: ir.Model) -> None:
        value = next(v for node in model.graph for v in node.outputs if v.name == name)
        value.metadata_props[key] = text

    return damage


def without_functions(model: ir.Model) -> None:
    model.functions.clear()


def other_function(model: ir.Model) -> None:
    body = model.functions[("ai.tinsmith", "Conv", "")]
    next(node for node in body if node.op_type == "Add").op_type = "Sub"


def no_shape(model: ir.Model) -> None:
    conv(model).outputs[0].shape = None


DAMAGES: dict[str, tuple[str, Damage]] = {
    "bias of another length": ("bias and multiplier need one number", constant("bias", np.zeros(5, np.int32))),
    "bias of another type": ("is float32 of rank 1", constant("bias", np.zeros(6, np.float32))),
    "weight of -128": ("outside -127…127", constant("weight", np.zeros((6, 4, 3, 3), np.uint8))),
    "weight for other channels": ("input has 4 channels", constant("weight", np.full((6, 3, 3, 3), 128, np.uint8))),
    "other kernel": ("computed", constant("weight", np.full((6, 4, 1, 1), 128, np.uint8))),
    "multiplier of 0": ("not positive", constant("multiplier", np.zeros(6, np.int32))),
    "shift of 63": ("outside 1…62", attribute("shift", 63)),
    "hi past the type": ("no range of uint8", attribute("hi", 256)),
    "zero point of another tensor": ("x_zero_point must be 0", attribute("x_zero_point", 1)),
    "groups that do not divide": ("does not go with 5 groups", attribute("group", 5)),
    "no shift": ("'shift' of type INT is missing", lambda model: conv(model).attributes.pop("shift")),
    "no functions": ("function body is missing", without_functions),
    "another function body": ("function body is another one", other_function),
    "no shape": ("type or shape is unknown", no_shape),
    "half a quantization": ("incomplete or no number", metadata("conv_1_out", "tinsmith.lo", "low")),
    "scale of 0": ("scale 0.0", metadata("conv_1_out", "tinsmith.scale", "0.0")),
    "pool to another scale": ("moves values", metadata("max_pool_2_out", "tinsmith.scale", "7.0")),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named(name: str) -> None:
    message, damage = DAMAGES[name]
    model = conv_model()
    damage(model)
    with pytest.raises(TinsmithError, match=message) as caught:
        read_exact(model)
    assert all(problem.where and problem.fix for problem in caught.value.problems)


def test_all_damaged_nodes_are_reported_at_once() -> None:
    model = random_exact(3, "residual")
    for node in model.graph:
        if node.domain and "shift" in node.attributes:
            node.attributes.pop("shift")
    with pytest.raises(TinsmithError) as caught:
        read_exact(model)
    assert len(caught.value.problems) == sum(
        node.op_type in ("Conv", "Add", "AveragePool", "MatMul") for node in model.graph
    )


READERS: dict[str, Callable[[Net, str], str]] = {
    "MaxPool": lambda net, x: net.max_pool(x, (2, 2)),
    "AveragePool": lambda net, x: net.average_pool(x, (2, 2)),
    "Add": lambda net, x: net.add(x, x),
    "Multiply": lambda net, x: net.multiply(x, x),
    "Requantize": lambda net, x: net.requantize(x),
    "PiecewiseLinear": lambda net, x: net.piecewise_linear(x),
    "AbsoluteSum": lambda net, x: net.absolute_sum(x),
    "Binarize": lambda net, x: net.binary_conv(net.binarize(x), 3),
    "Table": lambda net, x: net.table(x),
    "Softmax": lambda net, x: net.softmax(x),
    "ArgMax": lambda net, x: net.arg_max(x),
}


@pytest.mark.parametrize("kind", READERS)
def test_16_bits_have_few_readers(kind: str) -> None:
    net = Net(1)
    READERS[kind](net, net.quantize(net.input("x", (1, 3, 5, 5)), dtype="int16"))
    with pytest.raises(TinsmithError, match=rf"{kind} .*it takes tensors of 8 bits"):
        read_exact(net.model())


@pytest.mark.parametrize("entries", [{"zero_point": "3"}, {"bits": "8"}, {"hi": "32768"}, {"bits": "32"}])
def test_a_tensor_of_16_bits_is_int16_with_zero_point_0(entries: dict[str, str]) -> None:
    net = Net(1)
    net.dequantize(net.conv(net.quantize(net.input("x", (1, 3, 5, 5)), dtype="int16"), 4, dtype="int16"))
    model = net.model()
    assert read_exact(model)
    value = next(node for node in model.graph if node.op_type == "Conv16").outputs[0]
    value.metadata_props.update({f"tinsmith.{key}": text for key, text in entries.items()})
    with pytest.raises(TinsmithError, match=f"tensor '{value.name}'"):
        read_exact(model)


def mutate(proto: onnx.ModelProto, rng: random.Random) -> None:
    """One change somewhere: an attribute, an input, a node, a constant's shape, metadata, a shape or a type."""
    graph, node = proto.graph, rng.choice(proto.graph.node)
    value = rng.choice([v for v in graph.value_info if v.metadata_props])
    names = ["", "nope", *(v.name for v in (*graph.value_info, *graph.initializer))]
    attribute = rng.choice(node.attribute) if node.attribute else onnx.AttributeProto(ints=[1], i=1)
    changes: list[Callable[[], object]] = [
        lambda: node.attribute.pop() if node.attribute else None,
        lambda: setattr(attribute, "i", rng.choice([-1, 0, 63, 256, 2**31, 2**62])),
        lambda: attribute.ints.__setitem__(0, rng.choice([-1, 0, 10**6])) if attribute.ints else None,
        lambda: setattr(attribute, "f", rng.choice([0.0, -1.0, float("nan"), float("inf")])),
        lambda: node.input.__setitem__(0, rng.choice(names)),
        lambda: node.input.pop(),
        lambda: graph.node.remove(node),
        lambda: rng.choice(graph.initializer).dims.__setitem__(0, rng.choice([0, 1, 99])),
        lambda: setattr(rng.choice(value.metadata_props), "value", rng.choice(["", "nan", "1e999", "-5", "300"])),
        lambda: setattr(value.type.tensor_type.shape.dim[-1], "dim_value", rng.choice([-1, 0, 1, 2**40])),
        lambda: setattr(value.type.tensor_type, "elem_type", rng.choice([1, 2, 6, 7, 10])),
        lambda: setattr(node, "op_type", rng.choice(["Conv", "MatMul", "Add", "MaxPool", "Relu", "Softmax"])),
        lambda: setattr(node, "domain", rng.choice(["", "ai.tinsmith", "x"])),
        lambda: node.output.append("extra"),
    ]
    rng.choice(changes)()


def test_a_damaged_file_is_read_or_refused_but_never_crashes() -> None:
    rng, refused = random.Random(5), 0
    kinds = ("residual", "binary_conv", "shift_matmul", "piecewise_linear", "multiply_constant", "absolute_sum")
    whole = [ir.to_proto(random_exact(3, kind)) for kind in kinds]
    for number in range(150):
        proto = onnx.ModelProto()
        proto.CopyFrom(whole[number % 2 * (number // 2 % len(whole))])  # every other one of a residual network
        mutate(proto, rng)
        try:
            read_exact(ir.from_proto(proto))
        except TinsmithError as error:
            refused += 1
            assert all(problem.what and problem.where for problem in error.problems)
    assert refused > 75


def test_claimed_ranges_are_not_believed() -> None:
    model = conv_model()
    honest = read_exact(model)
    metadata("conv_1_out", "tinsmith.lo", "100")(model)
    conv(model).metadata_props["tinsmith.acc_hi"] = "1"
    again = read_exact(model)
    assert again.tensors == honest.tensors
    layer = again.layers[1]
    assert isinstance(layer, Conv) and layer.acc == honest.layers[1].acc
    assert ProveRanges()(model)
    assert conv(model).metadata_props["tinsmith.acc_hi"] == str(layer.acc[1])
    assert conv(model).outputs[0].metadata_props["tinsmith.lo"] == str(honest.tensors["conv_1_out"].lo)
    assert not ProveRanges()(model)


def test_metadata_says_how_wide_the_product_is() -> None:
    for precision, bits in (("chosen", "32"), ("wide", "64")):
        net = Net(1)
        net.dequantize(net.requantize(net.quantize(net.input("x", (1, 4))), precision=precision))
        node = net.model().graph[1]
        assert node.metadata_props["tinsmith.product_bits"] == bits
