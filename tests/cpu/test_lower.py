from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cpu_nets import everything
from exact_models import Net
from tinsmith.ir.exact import ExactGraph
from tinsmith_backends.cpu.constraints import problems
from tinsmith_backends.cpu.lower import lower
from tinsmith_backends.cpu.memory import Memory, plan
from tinsmith_backends.cpu.program import Moves
from tinsmith_backends.identifiers import identifier, unique


def _kernels(net: Net) -> list[str]:
    return [step.op for step in lower(net.graph(), "scalar").steps]


def _moved(net: Net) -> list[str]:
    return [step.layer for step in lower(net.graph(), "scalar").steps if isinstance(step.body, Moves)]


def test_flattening_permutes_weights_and_no_data() -> None:
    net = Net(1)
    x = net.quantize(net.input("x", (1, 3, 4, 5)))
    net.dequantize(net.matmul(net.flatten(net.conv(x, 6)), 10))
    assert _kernels(net) == ["Conv", "MatMul"]


def test_a_model_with_channels_last_inputs_moves_nothing() -> None:
    net = Net(1)
    x = net.quantize(net.input("x", (1, 6, 5, 3)))
    y = net.conv(net.transpose(x, (0, 3, 1, 2)), 4)
    net.dequantize(net.transpose(y, (0, 2, 3, 1)))
    program = lower(net.graph(), "scalar")
    assert [step.op for step in program.steps] == ["Conv"]
    assert program.inputs[0].shape == (1, 6, 5, 3)
    assert program.inputs[0].axes == (0, 1, 2, 3)
    assert program.outputs[0].axes == (0, 1, 2, 3)


def test_inputs_of_convolutions_are_channels_last() -> None:
    net = Net(1)
    net.dequantize(net.conv(net.quantize(net.input("x", (1, 3, 6, 5))), 4))
    port = lower(net.graph(), "scalar").inputs[0]
    assert (port.shape, port.axes) == ((1, 6, 5, 3), (0, 2, 3, 1))


def test_uint8_is_stored_less_128() -> None:
    net = Net(1)
    net.dequantize(net.quantize(net.input("x", (1, 4)), zero_point=130))
    port = lower(net.graph(), "scalar").inputs[0]
    assert (port.zero_point, port.lo, port.hi) == (2, -128, 127)


def test_a_tensor_that_is_input_and_output_is_copied() -> None:
    net = Net(1)
    net.dequantize(net.quantize(net.input("x", (1, 4))))
    program = lower(net.graph(), "scalar")
    assert _moved(net) == [net.layers[-1].name]
    assert program.inputs[0].buffer != program.outputs[0].buffer


def test_two_outputs_of_one_tensor_have_a_buffer_each() -> None:
    net = Net(1)
    y = net.matmul(net.quantize(net.input("x", (1, 4))), 3)
    net.dequantize(y)
    net.dequantize(y)
    program = lower(net.graph(), "scalar")
    assert len({port.buffer for port in program.outputs}) == 2


def test_a_reordered_tensor_is_copied_once() -> None:
    net = Net(1)
    y = net.conv(net.quantize(net.input("x", (1, 3, 4, 5))), 6)
    for _ in range(2):
        net.dequantize(net.matmul(net.reshape(y, (6, 6)), 2))
    assert len(_moved(net)) == 1


def check_plan(memory: Memory) -> None:
    """Replays the program: no step may write on bytes that a later step reads as something else."""
    program = memory.program
    owner: dict[int, str] = {}
    places = {n: range(o, o + program.buffers[n].size) for n, o in memory.offsets.items()}

    def fill(name: str) -> None:
        owner.update(dict.fromkeys(places[name], name))

    for port in program.inputs:
        fill(port.buffer)
    for number, step in enumerate(program.steps):
        for name in step.inputs:
            assert all(owner[i] == name for i in places[name]), f"step {number} reads {name} too late"
        if number in memory.scratch:
            begin = memory.scratch[number]
            assert begin % 16 == 0
            assert begin + step.scratch <= memory.arena_bytes
            owner.update(dict.fromkeys(range(begin, begin + step.scratch), "scratch"))
            for name in step.inputs:
                assert all(owner[i] == name for i in places[name]), f"scratch of step {number} is on its input"
        if step.output in places:
            fill(step.output)
            shared = [name for name in step.inputs if set(places[name]) & set(places[step.output])]
            allowed = [step.inputs[i] for i in step.in_place]
            assert set(shared) <= set(allowed), f"step {number} overwrites its input"
            assert "scratch" not in {owner[i] for i in places[step.output]}
    for port in program.outputs:
        if port.buffer in places:
            assert all(owner[i] == port.buffer for i in places[port.buffer])


@pytest.mark.parametrize("isa", ["scalar", "neon", "simd128", "dsp"])
def test_no_step_finds_its_input_overwritten(isa: str) -> None:
    memory = plan(lower(everything().graph(), isa))  # type: ignore[arg-type]
    check_plan(memory)
    assert memory.arena_bytes >= memory.lower_bound_bytes


def test_a_sum_takes_the_place_of_an_input_that_dies() -> None:
    net = Net(1)
    x = net.quantize(net.input("x", (1, 4, 8, 8)))
    a, b = net.conv(x, 4, (1, 1)), net.conv(x, 4, (1, 1))
    net.dequantize(net.conv(net.add(a, b), 4, (1, 1)))
    memory = plan(lower(net.graph(), "scalar"))
    assert memory.lower_bound_bytes == 3 * 256
    check_plan(memory)


def _graph() -> ExactGraph:
    net = Net(1)
    x = net.quantize(net.input("x", (1, 3, 6, 5)))
    net.dequantize(net.concat(net.conv(x, 4, (1, 1)), x))
    return net.graph()


def test_a_good_graph_has_no_problems() -> None:
    assert problems(_graph()) == []
    assert problems(everything().graph()) == []


def test_every_problem_is_named_at_once() -> None:
    graph = _graph()
    conv = next(layer for layer in graph.layers if layer.kind == "Conv")
    wrong = replace(graph.tensors[conv.output], scale=9.0)
    two = replace(graph.tensors[conv.inputs[0]], shape=(2, 3, 6, 5))
    bad = replace(
        graph,
        tensors={**graph.tensors, conv.output: wrong, conv.inputs[0]: two},
        outputs=(*graph.outputs, conv.output),
    )
    found = [str(problem) for problem in problems(bad)]
    assert len(found) == 3
    assert any("one image at a time" in text and conv.name in text and conv.source in text for text in found)
    assert any("share type, scale and zero point" in text for text in found)
    assert any(repr(conv.output) in text for text in found)


def test_identifiers() -> None:
    assert identifier("layer1/conv.0:out") == "layer1_conv_0_out"
    assert [identifier(n) for n in ("3x", "", "float", "a", "é", "from0", "__x__")] == [
        "n3x",
        "net",
        "n_float",
        "a",
        "net",
        "n_from0",
        "x",
    ]
    assert unique(["x.1", "x/1", "X_1", "y"]) == ["x_1", "x_1_2", "X_1_3", "y"]


def test_weights_are_packed_for_the_stored_zero_point() -> None:
    """A window of zeros in the graph's terms must give the plain bias, whatever the zero point."""
    net = Net(3)
    net.dequantize(net.matmul(net.quantize(net.input("x", (1, 9)), zero_point=7), 4))
    layer = net.graph().layers[1]
    step = lower(net.graph(), "scalar").steps[0]
    bias = np.frombuffer(step.constants["bias"], "<i4")
    stored = 7 - 128
    assert np.array_equal(bias + stored * layer.weight.sum(0, dtype=np.int64), layer.bias)  # type: ignore[attr-defined]
