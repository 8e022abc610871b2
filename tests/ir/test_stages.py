"""The rules of each stage hold for what the passes make, and each breaks on the mistake that it is for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import pytest
from canonical_models import Canonical
from exact_models import random_exact
from tinsmith.ir.rules import RULES
from tinsmith.ir.stages import Stage, StageError, broken_rules, check_stage, is_exact
from tinsmith.passes.quantize import quantize

Damage = Callable[[ir.Model], None]


def canonical_model() -> ir.Model:
    net = Canonical(3)
    x = net.input("x", (1, 3, 6, 6))
    y = net.op("Relu", net.conv(x, 4, name="c"), name="r")
    y = net.op("MaxPool", y, kernel_shape=[2, 2], strides=[2, 2], name="m")
    y = net.op("Reshape", net.op("Add", y, y, name="a"), constants=(np.array([1, 36]),), name="f")
    weight = net.rng.normal(0, 1, (36, 5)).astype(np.float32)
    net.output(net.op("Softmax", net.gemm(y, weight, np.zeros(5, np.float32), name="g"), axis=-1, name="s"))
    return net.model()


def quantized_model() -> ir.Model:
    model = canonical_model()
    quantize(model, {"x": np.random.default_rng(0).normal(0, 1, (4, 1, 3, 6, 6)).astype(np.float32)})
    return model


MAKERS: dict[Stage, Callable[[], ir.Model]] = {
    Stage.IMPORTED: canonical_model,
    Stage.CANONICAL: canonical_model,
    Stage.QUANTIZED: quantized_model,
    Stage.EXACT: lambda: random_exact(0, "residual"),
}


def node(model: ir.Model, op_type: str) -> ir.Node:
    return next(n for n in model.graph if n.op_type == op_type)


def set_constant(model: ir.Model, op_type: str, index: int, array: np.ndarray) -> None:
    value = node(model, op_type).inputs[index]
    assert value is not None
    value.const_value = ir.tensor(array, name=value.name)


def set_attribute(op_type: str, attribute: ir.Attr) -> Damage:
    return lambda model: node(model, op_type).attributes.add(attribute)


def rename_operator(op_type: str, new: str, domain: str = "") -> Damage:
    def damage(model: ir.Model) -> None:
        found = node(model, op_type)
        found.op_type, found.domain = new, domain

    return damage


def unsorted(model: ir.Model) -> None:
    first = model.graph[0]
    model.graph.remove(first)
    model.graph.append(first)


def one_name_twice(model: ir.Model) -> None:
    model.graph[0].outputs[0].name = "x"


def dynamic_shape(model: ir.Model) -> None:
    model.graph.inputs[0].shape = ir.Shape(["batch", 3, 6, 6])


def half_precision(model: ir.Model) -> None:
    node(model, "Relu").outputs[0].type = ir.TensorType(ir.DataType.FLOAT16)


def no_bias(model: ir.Model) -> None:
    node(model, "Conv").resize_inputs(2)


def broadcast_sum(model: ir.Model) -> None:
    node(model, "Add").replace_input_with(1, model.graph.inputs[0])


def softmax_goes_on(model: ir.Model) -> None:
    end = node(model, "Softmax")
    model.graph.append(ir.node("Relu", [end.outputs[0]], name="late"))


def negative_scale(model: ir.Model) -> None:
    set_constant(model, "QuantizeLinear", 1, np.array(-0.5, np.float32))


def unquantized_input(model: ir.Model) -> None:
    node(model, "Conv").replace_input_with(0, model.graph.inputs[0])


def result_read_twice(model: ir.Model) -> None:
    model.graph.append(ir.node("Relu", [node(model, "Gemm").outputs[0]], name="extra"))


def weight_of_minus_128(model: ir.Model) -> None:
    dequantize = node(model, "Conv").inputs[1].producer()  # type: ignore[union-attr]
    value = dequantize.inputs[0]  # type: ignore[union-attr]
    value.const_value = ir.tensor(np.full(value.const_value.shape.numpy(), -128, np.int8))  # type: ignore[union-attr]


def pool_changes_grid(model: ir.Model) -> None:
    quantizer = node(model, "MaxPool").outputs[0].uses()[0].node
    scale = ir.Value(name="other", const_value=ir.tensor(np.array(0.3, np.float32), name="other"))
    model.graph.register_initializer(scale)
    quantizer.replace_input_with(1, scale)


def same_layer_name(model: ir.Model) -> None:
    model.graph[1].name = model.graph[2].name


def unreadable(model: ir.Model) -> None:
    node(model, "Conv").attributes.pop("shift")


def producer(model: ir.Model) -> None:
    model.producer_name = "somebody"


DAMAGES: list[tuple[Stage, str, Damage]] = [
    (Stage.IMPORTED, "values_are_defined_before_use", unsorted),
    (Stage.IMPORTED, "value_names_are_unique", one_name_twice),
    (Stage.CANONICAL, "operators_are_canonical", rename_operator("Relu", "Elu")),
    (Stage.CANONICAL, "shapes_are_static", dynamic_shape),
    (Stage.CANONICAL, "values_are_float", half_precision),
    (Stage.CANONICAL, "parameters_are_constants", no_bias),
    (Stage.CANONICAL, "windows_are_explicit", set_attribute("MaxPool", ir.AttrInt64("ceil_mode", 1))),
    (Stage.CANONICAL, "gemm_is_plain", set_attribute("Gemm", ir.AttrInt64("transB", 1))),
    (Stage.CANONICAL, "results_have_the_first_shape", broadcast_sum),
    (Stage.CANONICAL, "binary_layers_read_bits", rename_operator("Conv", "BinaryConv", "ai.tinsmith.trained")),
    (Stage.CANONICAL, "grids_are_pairs", rename_operator("Relu", "DequantizeLinear")),
    (Stage.CANONICAL, "classifiers_end_the_graph", softmax_goes_on),
    (Stage.QUANTIZED, "operators_are_canonical", rename_operator("Relu", "Elu")),
    (Stage.QUANTIZED, "shapes_are_static", dynamic_shape),
    (Stage.QUANTIZED, "windows_are_explicit", set_attribute("Conv", ir.AttrString("auto_pad", "SAME_UPPER"))),
    (Stage.QUANTIZED, "grids_are_constants", negative_scale),
    (Stage.QUANTIZED, "inputs_are_dequantized", unquantized_input),
    (Stage.QUANTIZED, "results_are_quantized", result_read_twice),
    (Stage.QUANTIZED, "weights_are_int8", weight_of_minus_128),
    (Stage.QUANTIZED, "moves_keep_the_grid", pool_changes_grid),
    (Stage.EXACT, "operators_are_exact", rename_operator("Conv", "Convolve", "ai.tinsmith")),
    (Stage.EXACT, "layer_names_are_unique", same_layer_name),
    (Stage.EXACT, "records_can_be_read", unreadable),
    (Stage.EXACT, "nothing_tells_where_it_was_made", producer),
]


@pytest.mark.parametrize("stage", Stage)
def test_what_the_passes_make_keeps_the_rules(stage: Stage) -> None:
    check_stage(MAKERS[stage](), stage)


@pytest.mark.parametrize(("stage", "rule", "damage"), DAMAGES, ids=[f"{s.value}-{r}" for s, r, _ in DAMAGES])
def test_each_rule_breaks_on_its_mistake(stage: Stage, rule: str, damage: Damage) -> None:
    model = MAKERS[stage]()
    damage(model)
    assert rule in {broken.rule for broken in broken_rules(model, stage)}


def test_every_rule_has_a_mistake_that_breaks_it_and_says_what_it_demands() -> None:
    tried = {rule for _, rule, _ in DAMAGES}
    for rules in RULES.values():
        for rule in rules:
            assert rule.__name__ in tried and rule.__doc__


def test_an_error_names_pass_node_and_rule() -> None:
    model = canonical_model()
    rename_operator("Relu", "Elu")(model)
    with pytest.raises(StageError, match=r"'canonical' after pass 'fold'(.|\n)*Elu 'r'.*operators_are_canonical"):
        check_stage(model, Stage.CANONICAL, after="fold")


def test_exact_files_are_recognised() -> None:
    assert is_exact(random_exact(1, "conv"))
    assert not is_exact(quantized_model())
