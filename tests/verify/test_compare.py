"""Comparison with ==: nothing that differs passes, and the first difference is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from exact_models import random_net
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph
from tinsmith.verify.compare import compare_constants, compare_tensors
from tinsmith.verify.oracle import Oracle
from tinsmith.verify.samples import CORNERS, generated
from tinsmith.verify.verify import verify_artefact

Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def net() -> tuple[ExactGraph, Arrays]:
    made = random_net(4, "residual")
    return made.graph(), Oracle(made.model()).run(made.sample(0))


def test_equal_tensors_are_counted(net: tuple[ExactGraph, Arrays]) -> None:
    graph, tensors = net
    count = sum(tensors[layer.output].size for layer in graph.layers)
    assert compare_tensors(graph, tensors, dict(tensors), "s") == (count, None)
    some = {name: tensors[name] for name in graph.outputs}
    assert compare_tensors(graph, tensors, some, "s") == (sum(a.size for a in some.values()), None)


def test_every_single_changed_element_is_found(net: tuple[ExactGraph, Arrays]) -> None:
    graph, tensors = net
    rng = np.random.default_rng(0)
    for layer in graph.layers:
        array = tensors[layer.output]
        index = tuple(int(rng.integers(n)) for n in array.shape)
        changed = array.copy()
        changed[index] = changed[index] ^ 1 if array.dtype.kind != "f" else np.nextafter(changed[index], np.float32(9))
        _, found = compare_tensors(graph, tensors, tensors | {layer.output: changed}, "s")
        assert found is not None
        assert (found.layer, found.source, found.index, found.different) == (layer.name, layer.source, index, 1)
        assert found.expected == repr(array[index].item())
        assert found.got == repr(changed[index].item())


def test_the_first_layer_in_the_graphs_order_is_named(net: tuple[ExactGraph, Arrays]) -> None:
    graph, tensors = net
    changed = {layer.output: tensors[layer.output] ^ 1 for layer in graph.layers[2:5]}
    _, found = compare_tensors(graph, tensors, tensors | changed, "s")
    assert found is not None
    assert found.layer == graph.layers[2].name


def test_type_shape_and_a_missing_output_are_mismatches(net: tuple[ExactGraph, Arrays]) -> None:
    graph, tensors = net
    name = graph.outputs[0]
    array = tensors[name]
    for other in (array.astype(np.float64), array.reshape(-1), array[:, :-1]):
        _, found = compare_tensors(graph, tensors, tensors | {name: other}, "s")
        assert found is not None
        assert found.got == f"{other.dtype} {other.shape}"
    without = {key: value for key, value in tensors.items() if key != name}
    _, found = compare_tensors(graph, tensors, without, "s")
    assert found is not None
    assert found.got == "nothing"


def test_floats_are_compared_by_their_bits(net: tuple[ExactGraph, Arrays]) -> None:
    graph, tensors = net
    name = graph.outputs[0]
    zero = np.zeros_like(tensors[name])
    _, found = compare_tensors(graph, tensors | {name: zero}, tensors | {name: -zero}, "s")
    assert found is not None
    assert (found.expected, found.got) == ("0.0", "-0.0")
    nan = np.full_like(zero, np.nan)
    assert compare_tensors(graph, tensors | {name: nan}, tensors | {name: nan.copy()}, "s")[1] is None


def test_constants_missing_unexpected_short_or_changed(net: tuple[ExactGraph, Arrays]) -> None:
    graph, _ = net
    first, second = (layer.name for layer in graph.layers[1:3])
    good = {f"{second}/weight": b"\1\2\3\4", f"{first}/bias": b"\5\6\7\0", f"{first}/weight": b"\1"}
    assert compare_constants(graph, good, dict(good)) is None
    bad = good | {f"{second}/weight": b"\1\2\3\5", f"{first}/bias": b"\5\6\4\0"}
    found = compare_constants(graph, good, bad)
    assert found is not None
    assert (found.layer, found.what, found.index) == (first, "constant bias", (2,))
    assert (found.expected, found.got) == ("0x07", "0x04")
    for broken in ({}, good | {"ghost/weight": b"1"}, good | {f"{first}/weight": b""}):
        assert compare_constants(graph, good, broken) is not None


def test_generated_samples_reach_the_corners_and_pass_the_range() -> None:
    net = random_net(4, "conv")
    graph = net.graph()
    samples = generated(graph, 20)
    (name,) = graph.inputs
    quantized = graph.tensors[graph.layers[0].output]
    oracle = Oracle(net.model())
    stored = [oracle.run(sample)[quantized.name] for sample in samples]
    assert (stored[0] == quantized.lo).all()
    assert (stored[1] == quantized.hi).all()
    assert set(np.unique(stored[2])) == {quantized.lo, quantized.hi}
    reals = [(sample[name].astype(np.float64) / quantized.scale) + quantized.zero_point for sample in samples]
    assert reals[CORNERS + 1].max() > quantized.hi + 1, "the second noise passes the range"
    assert {quantized.lo, quantized.hi} <= set(np.unique(stored[CORNERS + 1]))
    assert all(sample[name].dtype == np.float32 and np.isfinite(sample[name]).all() for sample in samples)
    again = generated(graph, 20)
    assert all((one[name] == other[name]).all() for one, other in zip(samples, again, strict=True))


def test_nothing_compared_is_an_error(net: tuple[ExactGraph, Arrays]) -> None:
    class Silent:
        name = "silent"

        def constants(self) -> dict[str, bytes]:
            return {}

        def run(self, samples: Any, *, layers: bool = True) -> Any:
            return iter([{} for _ in samples])

        def time(self, sample: Any, *, repeats: int) -> list[float]:
            return []

    class Empty:
        def run(self, sample: Any, /) -> Arrays:
            return {}

    graph, _ = net
    with pytest.raises(TinsmithError, match="no sample"):
        verify_artefact(graph, Empty(), Silent(), {}, [], target="t")
    without_outputs = ExactGraph(graph.name, graph.inputs, (), graph.tensors, graph.layers)
    with pytest.raises(TinsmithError, match="nothing was compared"):
        verify_artefact(without_outputs, Empty(), Silent(), {}, [("s", {})], target="t")
    found = verify_artefact(graph, Oracle(random_net(4, "residual").model()), Silent(), {},
                            [("s", random_net(4, "residual").sample(0))], target="t")  # fmt: skip
    assert not found.exact
