"""The oracle: what it gives, what it refuses, and that an older processor computes the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from exact_models import KINDS, random_net
from exact_wide import WIDE_KINDS, random_wide
from tinsmith.errors import TinsmithError
from tinsmith.verify.oracle import Oracle

HASWELL = """
import sys
import numpy as np
from tinsmith.verify.oracle import Oracle

for folder in sys.argv[1:]:
    sample = dict(np.load(folder + "/sample.npz"))
    np.savez(folder + "/got.npz", *Oracle(folder + "/net.onnx").run(sample).values())
"""


def test_gives_every_layers_output_and_the_file_the_same_as_the_model(tmp_path: Path) -> None:
    net = random_net(11, "residual")
    model, sample = net.model(), net.sample(1)
    ir.save(model, tmp_path / "net.onnx")
    from_model, from_file = Oracle(model).run(sample), Oracle(tmp_path / "net.onnx").run(sample)
    assert set(from_model) == {layer.output for layer in net.graph().layers} == set(from_file)
    for name, values in from_model.items():
        np.testing.assert_array_equal(from_file[name], values)
    assert [v.name for v in model.graph.outputs] == net.outputs


def test_names_everything_wrong_with_a_sample() -> None:
    oracle = Oracle(random_net(2, "add").model())
    with pytest.raises(TinsmithError) as caught:
        oracle.run({"a": np.zeros((1, 2), np.float64), "c": np.zeros(1, np.float32)})
    assert [problem.where for problem in caught.value.problems] == ["input 'b'", "input 'c'", "input 'a'"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("qemu-x86_64") is None, reason="qemu-x86_64 is missing: apt-get install qemu-user")
def test_a_processor_without_vnni_computes_the_same(tmp_path: Path) -> None:
    """Products of mixed signedness saturate there; the function bodies must not hold any."""
    wanted = {}
    for kind in (*KINDS, *WIDE_KINDS):
        for seed in range(3):
            folder = tmp_path / f"{kind}_{seed}"
            folder.mkdir()
            net = (random_net if kind in KINDS else random_wide)(seed, kind, extreme=True)
            sample = net.sample(seed, extreme=True)
            ir.save(net.model(), folder / "net.onnx")
            np.savez(folder / "sample.npz", **sample)  # type: ignore[arg-type]
            wanted[folder] = list(Oracle(net.model()).run(sample).values())
    command = ["qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c", HASWELL, *map(str, wanted)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    for folder, arrays in wanted.items():
        got = np.load(folder / "got.npz")
        assert len(got.files) == len(arrays)
        for index, array in enumerate(arrays):
            np.testing.assert_array_equal(got[f"arr_{index}"], array, err_msg=f"{folder.name}, output {index}")
