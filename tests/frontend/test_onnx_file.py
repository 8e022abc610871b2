"""What an .onnx file may get wrong, and what is said about it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from float_models import ints, model, run, sample, statistics, weights
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize, load
from tinsmith.ir.provenance import layer_name, source


def net() -> onnx.ModelProto:
    return model("c = Conv (x, w)\n y = Relu (c)", w=weights(6, 4, 3, 3))


def refused(path: Path, shapes: dict[str, tuple[int, ...]] | None = None) -> str:
    with pytest.raises(TinsmithError) as caught:
        load(path, shapes)
    return str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 64, b"hello, world\n", b"TFL3" + bytes(100), b"PK\x03\x04" + bytes(30)]
)
def test_not_an_onnx_file(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(data)
    assert "net.onnx: is not an ONNX file, or is cut short" in refused(tmp_path / "net.onnx")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "none.onnx: cannot be read: No such file" in refused(tmp_path / "none.onnx")
    assert "cannot be read: Is a directory" in refused(tmp_path)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    data = net().SerializeToString()
    for length in range(0, len(data), 7):
        (tmp_path / "net.onnx").write_bytes(data[:length])
        refused(tmp_path / "net.onnx")


def test_damaged_bytes_never_crash(tmp_path: Path) -> None:
    """Any single flipped bit gives a model or a TinsmithError, nothing else."""
    body = (
        "c = Conv <group=2> (x, w)\n n = BatchNormalization (c, g, b, m, v)\n"
        "p = MaxPool <kernel_shape=[2,2], strides=[2,2]> (n)\n r = Reshape (p, s)\n y = Gemm <transB=1> (r, k)"
    )
    weight = {"w": weights(4, 2, 1, 1), "k": weights(2, 64), "s": ints(1, -1)}
    data = model(body, **weight, **statistics(4)).SerializeToString()
    rng = np.random.default_rng(0)
    outcomes = {True: 0, False: 0}
    for at in rng.choice(len(data), 250, replace=False):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        (tmp_path / "net.onnx").write_bytes(bytes(damaged))
        try:
            canonicalize(load(tmp_path / "net.onnx"))
            outcomes[True] += 1
        except TinsmithError:
            outcomes[False] += 1
    assert min(outcomes.values()) > 20, "both ways are tried"


def test_folding_that_overflows(tmp_path: Path) -> None:
    huge = {**statistics(6), "g": np.full(6, 1e38, np.float32), "v": np.full(6, 1e-9, np.float32)}
    proto = model(
        "c = Conv (x, w)\n y = BatchNormalization <epsilon=0.0> (c, g, b, m, v)", w=weights(6, 4, 3, 3), **huge
    )
    onnx.save(proto, tmp_path / "net.onnx")
    m = load(tmp_path / "net.onnx")
    with pytest.raises(TinsmithError, match=r"Conv 'c' \(c, y\): its weights overflow"):
        canonicalize(m)


def save_external(folder: Path, **change: str | None) -> Path:
    """The net with `w` in w.bin; `change` sets or (None) removes keys of the external data."""
    proto = net()
    tensor = proto.graph.initializer[0]
    data = tensor.raw_data
    (folder / "w.bin").write_bytes(b"junk" * 4 + data)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    keys: dict[str, str | None] = {"location": "w.bin", "offset": "16", "length": str(len(data))}
    for key, value in (keys | change).items():
        if value is not None:
            tensor.external_data.add(key=key, value=value)
    path = folder / "net.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_external_data_is_read(tmp_path: Path) -> None:
    digest = hashlib.sha1(b"junk" * 4 + net().graph.initializer[0].raw_data).hexdigest()
    for change in ({}, {"length": None}, {"checksum": digest}, {"location": "./w.bin"}):
        m = load(save_external(tmp_path, **change))
        value = m.graph.initializers["w"].const_value
        assert value is not None
        np.testing.assert_array_equal(value.numpy(), weights(6, 4, 3, 3))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"location": "gone.bin"}, "external data 'gone.bin' is missing"),
        ({"location": None}, "external but not where"),
        ({"length": "860"}, "the tensor needs 864, and claims 860"),
        ({"offset": "17"}, "w.bin has 880 bytes"),
        ({"offset": "-1"}, "at offset -1"),
        ({"offset": "x"}, "is no number"),
        ({"checksum": "0" * 40}, "the model says 0000"),
        ({"location": "../w.bin"}, "outside the model's folder"),
        ({"location": "/etc/passwd"}, "outside the model's folder"),
        ({"location": "link.bin"}, "outside the model's folder"),
        ({"location": "linked/w.bin"}, "outside the model's folder"),
    ],
)
def test_external_data_is_not_trusted(change: dict[str, str | None], words: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = save_external(folder, **change)
    (tmp_path / "w.bin").write_bytes((folder / "w.bin").read_bytes())
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    told = refused(path)
    assert words in told and "tensor 'w'" in told


def test_model_that_is_a_link_has_its_data_beside_it(tmp_path: Path) -> None:
    """The folder is where the model really is."""
    real = tmp_path / "real"
    real.mkdir()
    save_external(real)
    (tmp_path / "net.onnx").symlink_to(real / "net.onnx")
    assert load(tmp_path / "net.onnx").graph.initializers["w"].const_value is not None


def test_inline_data_of_the_wrong_size(tmp_path: Path) -> None:
    proto = net()
    proto.graph.initializer[0].raw_data = proto.graph.initializer[0].raw_data[:-4]
    onnx.save(proto, tmp_path / "net.onnx")
    assert "tensor 'w': its data does not fit its shape" in refused(tmp_path / "net.onnx")


def test_old_opset(tmp_path: Path) -> None:
    onnx.save(model("y = Relu (x)", opset=8), tmp_path / "net.onnx")
    assert "uses opset 8" in refused(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    ("x", "shapes", "words"),
    [
        ((1, 3, "H", "W"), {}, "input 'x': dimension 2 (H) is dynamic|--shape x=1,3,H,W|dimension 3 (W) is dynamic"),
        (("N", 3, "H", 8), {"x": (1, 3, 8)}, "--shape x=1,3,8 has 3 dimensions, the model 4|--shape x=1,3,H,8"),
        (("N", 3, "H", 8), {"x": (1, 4, 8, 8)}, "dimension 1 is 3 in the model"),
        (("N", 3, 8, 8), {"x": (2, 3, 8, 8)}, "dimension 0, the batch, is 2"),
        ((4, 3, 8, 8), {}, "dimension 0, the batch, is 4|--shape x=1,3,8,8"),
        ((1, 3, 0, 8), {}, "dimension 2 is 0"),
        ((1, 3, "H", 8), {"x": (1, 3, 0, 8)}, "dimension 2 is 0"),
        ((1, 3, 8, 8), {"X": (1, 3, 8, 8)}, "no input is called 'X'|inputs: x"),
    ],
)
def test_shapes(x: tuple[int | str, ...], shapes: dict[str, tuple[int, ...]], words: str, tmp_path: Path) -> None:
    onnx.save(model("y = Relu (x)", x=x), tmp_path / "net.onnx")
    told = refused(tmp_path / "net.onnx", shapes)
    for part in words.split("|"):
        assert part in told


def test_shapes_of_several_inputs_at_once(tmp_path: Path) -> None:
    proto = model("a = Add (x, z)\n y = Relu (a)", x=(1, "C"), extra=", float[4, D] z")
    onnx.save(proto, tmp_path / "net.onnx")
    told = refused(tmp_path / "net.onnx", {"q": (1,)})
    for words in (
        "no input is called 'q'",
        "input 'x': dimension 1 (C)",
        "'z': dimension 0, the",
        "'z': dimension 1 (D)",
    ):
        assert words in told


def test_given_shapes_fix_what_is_open(tmp_path: Path) -> None:
    onnx.save(model("y = GlobalAveragePool (x)", x=("N", 3, "H", "W")), tmp_path / "net.onnx")
    m = load(tmp_path / "net.onnx", {"x": (1, 3, 5, 7)})
    assert m.graph.inputs[0].shape == (1, 3, 5, 7) and m.graph.outputs[0].shape == (1, 3, 1, 1)


def test_fixed_batch_can_be_overridden(tmp_path: Path) -> None:
    onnx.save(model("y = Relu (x)", x=(8, 3)), tmp_path / "net.onnx")
    assert load(tmp_path / "net.onnx", {"x": (1, 3)}).graph.outputs[0].shape == (1, 3)


def test_shapes_that_do_not_fit_together(tmp_path: Path) -> None:
    onnx.save(model("y = MatMul (x, w)", x=(1, 5), w=weights(4, 3)), tmp_path / "net.onnx")
    assert "its shapes or types do not fit together" in refused(tmp_path / "net.onnx")


def test_undefined_value(tmp_path: Path) -> None:
    onnx.save(model("y = Add (x, gone)"), tmp_path / "net.onnx")
    refused(tmp_path / "net.onnx")


def test_initializers_among_the_inputs(tmp_path: Path) -> None:
    proto = net()
    proto.graph.input.append(onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, [6, 4, 3, 3]))
    onnx.save(proto, tmp_path / "net.onnx")
    assert [v.name for v in load(tmp_path / "net.onnx").graph.inputs] == ["x"]


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    proto = net()
    body = [onnx.helper.make_node("Relu", ["a"], ["r"]), onnx.helper.make_node("Add", ["a", "r"], ["b"])]
    function = onnx.helper.make_function("local", "F", ["a"], ["b"], body, [onnx.helper.make_opsetid("", 18)])
    proto.functions.append(function)
    proto.opset_import.add(domain="local", version=1)
    proto.graph.node[1].CopyFrom(onnx.helper.make_node("F", ["c"], ["y"], domain="local"))
    onnx.save(proto, tmp_path / "net.onnx")
    assert [n.op_type for n in load(tmp_path / "net.onnx").graph] == ["Conv", "Relu", "Add"]


def test_names_are_unique_and_foreign_metadata_goes(tmp_path: Path) -> None:
    proto = model("a = Relu (x)\n b = Relu (a)\n y = Relu (b)")
    for node, name in zip(proto.graph.node, ("act", "act", ""), strict=True):
        node.name = name
        node.doc_string = "/home/someone/net.py"
        node.metadata_props.add(key="who", value="/home/someone")
    proto.graph.doc_string = proto.doc_string = "/home/someone"
    onnx.save(proto, tmp_path / "net.onnx")
    m = load(tmp_path / "net.onnx")
    assert [(layer_name(n), source(n)) for n in m.graph] == [("act", "act"), ("act_2", "act"), ("y", "y")]
    assert b"/home" not in ir.to_proto(m).SerializeToString()


def test_names_from_torch_in_an_onnx_file(tmp_path: Path) -> None:
    proto = net()
    trace = 'File "/home/a/net.py", line 12, in forward\n  x\nFile "/x/site-packages/torch/nn.py", line 9, in forward'
    for key, value in {
        "pkg.torch.onnx.stack_trace": trace,
        "pkg.torch.onnx.name_scopes": "['', 'stem', 'stem.conv', 'conv2d_4']",
        "pkg.torch.onnx.class_hierarchy": "['net.Net', 'net.Stem', 'torch.nn.modules.conv.Conv2d', 'aten.conv2d']",
    }.items():
        proto.graph.node[0].metadata_props.add(key=key, value=value)
    onnx.save(proto, tmp_path / "net.onnx")
    node = load(tmp_path / "net.onnx").graph[0]
    assert (layer_name(node), source(node)) == ("stem.conv", "net.py:12")


def test_conversion_keeps_names(tmp_path: Path) -> None:
    proto = model("c = Conv (x, w)\n y = Clip (c, l)", w=weights(6, 4, 3, 3), l=np.float32(0), opset=11)
    proto.graph.node[0].name = "stem"
    onnx.save(proto, tmp_path / "net.onnx")
    m = load(tmp_path / "net.onnx")
    assert m.opset_imports[""] == 18 and [layer_name(n) for n in m.graph] == ["stem", "y"]


def test_the_file_is_read_only_once_and_left_alone(tmp_path: Path) -> None:
    path = save_external(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    canonicalize(load(path))
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_exact_files_pass_untouched(tmp_path: Path) -> None:
    proto = model("y = Relu (x)")
    proto.graph.node[0].domain = "ai.tinsmith"
    proto.opset_import.add(domain="ai.tinsmith", version=1)
    onnx.save(proto, tmp_path / "net.onnx")
    assert [n.domain for n in load(tmp_path / "net.onnx").graph] == ["ai.tinsmith"]


@pytest.mark.parametrize("opset", range(11, 24))
def test_every_opset_gives_the_same(opset: int, tmp_path: Path) -> None:
    squeeze = "s = Squeeze <axes=[2,3]> (p)" if opset < 13 else "s = Squeeze (p, axes)"
    body = (
        "c = Conv (x, w)\n n = BatchNormalization (c, g, b, m, v)\n r = Relu (n)\n p = GlobalAveragePool (r)\n"
        f"{squeeze}\n f = Gemm (s, k)\n y = Softmax <axis=1> (f)"
    )
    constants = {"w": weights(6, 4, 3, 3), "k": weights(6, 3), **statistics(6)}
    proto = model(body, opset=opset, **constants, **({} if opset < 13 else {"axes": ints(2, 3)}))
    onnx.save(proto, tmp_path / "net.onnx")
    feeds = sample(proto)
    after = ir.to_proto(canonicalize(load(tmp_path / "net.onnx")))
    np.testing.assert_allclose(run(after, feeds)[0], run(proto, feeds)[0], atol=1e-5)


def test_a_signals_bias_that_is_computed_of_a_shape(tmp_path: Path) -> None:
    """Exporters write no bias so. What inference said of the constant before it was one has no shape."""
    body = """
    outputs = Shape <start=0, end=1> (w)
    one = Constant <value_ints=[1]> ()
    size = Expand (outputs, one)
    zero = Constant <value_float=0.0> ()
    like = CastLike (zero, x)
    bias = Expand (like, size)
    y = Conv (x, w, bias)
    """
    weight = np.random.default_rng(1).normal(size=(4, 3, 2)).astype(np.float32)
    onnx.save(model(body, x=(1, 3, 8), outputs="y", w=weight), tmp_path / "net.onnx")
    assert [node.op_type for node in canonicalize(load(tmp_path / "net.onnx")).graph if node.op_type == "Conv"]
