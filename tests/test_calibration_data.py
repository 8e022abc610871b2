"""Loading samples: what is accepted, and that every fault is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canonical_models import Canonical
from tinsmith.calibration_data import count, input_shapes, iterate, load_samples
from tinsmith.errors import TinsmithError

SHAPES = {"image": (1, 3, 4, 5), "extra": (1, 2)}


def arrays(n: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"image": rng.normal(size=(n, 3, 4, 5)), "extra": rng.integers(0, 255, (n, 2), np.uint8)}


def problems(source: Any, shapes: dict[str, tuple[int, ...]] = SHAPES) -> list[str]:
    with pytest.raises(TinsmithError) as caught:
        load_samples(source, shapes)
    return [str(problem) for problem in caught.value.problems]


def test_samples_are_float32_with_batch_1_and_extra_arrays_are_left_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", labels=np.array(["cat"] * 6), **arrays())
    loaded = load_samples(tmp_path / "x.npz", SHAPES)
    assert {name: (a.shape, a.dtype) for name, a in loaded.items()} == {
        "image": ((6, 1, 3, 4, 5), np.float32),
        "extra": ((6, 1, 2), np.float32),
    }
    assert count(loaded) == 6
    second = list(iterate(loaded))[1]
    assert np.array_equal(second["image"], arrays()["image"][1:2].astype(np.float32))
    assert np.array_equal(second["extra"], arrays()["extra"][1:2])


def test_the_batch_dimension_may_be_there_and_compression_too(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", image=arrays()["image"][:, None], extra=arrays()["extra"])
    assert load_samples(str(tmp_path / "x.npz"), SHAPES)["image"].shape == (6, 1, 3, 4, 5)


def test_shapes_come_from_the_model() -> None:
    net = Canonical()
    net.output(net.conv(net.input("x", (1, 3, 4, 4)), 2))
    assert input_shapes(net.model()) == {"x": (1, 3, 4, 4)}


def test_every_fault_of_every_array_is_reported_at_once() -> None:
    found = problems({"imagee": np.zeros((6, 3, 4, 5)), "extra": np.array([["a", "b"]])})
    assert len(found) == 2
    assert "'image'" in found[0] and "rename 'imagee' to 'image'" in found[0]
    assert "<U1" in found[1]


def test_one_input_and_one_array_of_another_name_names_both() -> None:
    (found,) = problems({"pixels": np.zeros((1, 3))}, {"input": (1, 3)})
    assert "'input'" in found and "'pixels'" in found


def test_channels_last_images_get_a_hint() -> None:
    found = problems(arrays() | {"image": np.zeros((6, 4, 5, 3))})
    assert "(6, 4, 5, 3)" in found[0] and "(samples, 3, 4, 5)" in found[0] and "transpose(0, 3, 1, 2)" in found[0]


@pytest.mark.parametrize("shape", [(), (6,), (6, 60), (3, 4, 5)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    (found,) = problems(arrays() | {"image": np.zeros(shape)})
    assert str(shape) in found


def test_no_samples_and_differing_counts_are_refused() -> None:
    assert "no samples" in problems(arrays(0))[0]
    (found,) = problems(arrays() | {"extra": np.zeros((5, 2))})
    assert "'image' has 6" in found and "'extra' has 5" in found


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_in_float32_are_counted(bad: float) -> None:
    image = arrays()["image"]
    image[4, 1, 2] = bad
    (found,) = problems(arrays() | {"image": image})
    assert "5 values" in found and "sample 4" in found


@pytest.mark.parametrize("dtype", ["complex64", "U3", "datetime64[s]"])
def test_types_that_are_no_numbers_are_refused(dtype: str) -> None:
    assert dtype[:2] in problems(arrays() | {"extra": np.zeros((6, 2), dtype)})[0].replace("<", "")


def test_python_objects_are_refused_and_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(tmp_path / "x.npz", image=arrays()["image"], extra=np.array([[Trap(), 1]] * 6, object))
    assert "array 'extra'" in problems(tmp_path / "x.npz")[0]
    assert not (tmp_path / "sprung").exists()


def test_files_that_are_no_npz_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    np.savez(tmp_path / "whole.npz", **arrays())
    data = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[: len(data) // 2])
    damaged = bytearray(data)
    damaged[200:400] = bytes(200)
    (tmp_path / "damaged.npz").write_bytes(damaged)
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "folder.npz").mkdir()
    for name in ("one.npy", "cut.npz", "empty.npz", "damaged.npz", "folder.npz", "missing.npz"):
        (found,) = problems(tmp_path / name)
        assert name in found
