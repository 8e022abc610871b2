"""`tinsmith estimate`, and devices: limits, times, what to change, and what cannot be estimated."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine
from fake_backend import FakeBackend, FakeRunner
from tinsmith.backend import Registry
from tinsmith.devices import Device, over_limits, read_devices, shares
from tinsmith.errors import Problem
from tinsmith.estimates import Estimate, Row

LAYERS = 8
"""Layers of the network in `place`."""


def test_a_model_is_estimated_in_words_and_in_json(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("estimate", place / "net.onnx", "--target", "fake", "--calibrate", place / "x.npz")
    assert ended.code == 0
    for word in ("as told", "--set depth=1", "a part", "120", "so"):
        assert word in ended.out
    found = tinsmith("estimate", place / "net.exact.onnx", "--target", "fake", "--json").json
    assert found["whole"]["values"]["parts"] == len(found["layers"]) == LAYERS
    assert found["whole"]["alternatives"][0]["values"]["interval"] == 20
    assert list(found["quantities"]) == ["parts", "latency", "interval"]


def test_a_build_is_synthesized(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("estimate", place / "out", "--synth", "ecp5")
    assert ended.code == 0 and "ecp5" in ended.out and "7" in ended.out
    assert tinsmith("estimate", place / "out", "--synth", "ecp5", "--json").json["whole"]["values"]["MHz"] == 61.5


@pytest.mark.parametrize("options", [(), ("--target", "fake", "--synth", "ecp5")])
def test_either_a_target_or_a_family(place: Path, tinsmith: CommandLine, options: tuple[str, ...]) -> None:
    ended = tinsmith("estimate", place / "net.exact.onnx", *options)
    assert ended.code == 2 and "either --target" in ended.err


def test_what_a_build_has_already_is_refused(place: Path, tinsmith: CommandLine) -> None:
    ended = tinsmith("estimate", place / "out", "--synth", "ecp5", "--interval", "5", "--calibrate", place / "x.npz")
    assert ended.code == 2 and "--calibrate has no effect" in ended.err and "--set has no effect" in ended.err


def test_reasons_of_the_target_are_reasons_here(place: Path, tinsmith: CommandLine) -> None:
    tinsmith.use(FakeBackend(refuse=[Problem("no such layer here"), Problem("nor this one")]))
    ended = tinsmith("estimate", place / "net.exact.onnx", "--target", "fake")
    assert ended.code == 2 and "no such layer here" in ended.err and "nor this one" in ended.err
    assert "no setting 'widht'" in tinsmith("estimate", place / "net.exact.onnx", "--target", "fake", "--set",
                                            "widht=2").err  # fmt: skip


class Plain:
    """A backend that neither estimates nor can be synthesized."""

    def __init__(self) -> None:
        self._made = FakeBackend()
        self.targets = self._made.targets
        self.configured = lambda target, settings: self
        self.runner = lambda *arguments: FakeRunner(*arguments)


def test_a_target_without_an_estimator_is_refused_with_the_reason(
    place: Path, tinsmith: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Plain()
    monkeypatch.setattr(Registry, "load", staticmethod(lambda: Registry(dict.fromkeys(plain.targets, plain))))
    ended = tinsmith("estimate", place / "net.exact.onnx", "--target", "fake")
    assert ended.code == 2 and "fake cannot be estimated" in ended.err and "why:" in ended.err
    ended = tinsmith("estimate", place / "out", "--synth", "ecp5")
    assert ended.code == 2 and "cannot be synthesized" in ended.err and "why:" in ended.err


def test_a_device_is_taken_wherever_a_target_is(place: Path, tinsmith: CommandLine) -> None:
    exact = place / "net.exact.onnx"
    assert "fake-large" in tinsmith("targets").out
    assert tinsmith("ops", exact, "--target", "fake-large").code == 0
    assert tinsmith("doctor", "fake-large").code == 0
    assert tinsmith("compile", exact, "--target", "fake-large", "-o", place / "large").code == 0
    assert tinsmith("verify", place / "large").code == 0
    assert tinsmith("inspect", place / "large", "--json").json["target"] == "fake-large"
    ended = tinsmith("estimate", exact, "--target", "fake-large")
    assert "parts 3% of 300" in ended.out and "at 50 MHz: latency 2.4 µs, 5,000,000 inferences a second" in ended.out


def test_what_does_not_fit_is_refused_with_the_resource_and_a_way_out(place: Path, tinsmith: CommandLine) -> None:
    exact = place / "net.exact.onnx"
    for command in (
        ("compile", exact, "--target", "fake-small", "-o", place / "new"),
        ("estimate", exact, "--target", "fake-small"),
        ("ops", exact, "--target", "fake-small"),
    ):
        ended = tinsmith(*command)
        text = ended.out + ended.err
        assert ended.code == 2 and "it takes 8 parts and fake-small has 5: 3 too many" in text
        assert "--set depth=1 or --target fake-large" in text
    assert not (place / "new").exists()


def test_limits_name_every_resource_that_is_short_and_the_layers_that_take_most() -> None:
    layers = tuple(Row(f"layer{n}", "", {"LUT": 100 * n, "DSP": n}) for n in range(5))
    whole = Row("net", "", {"LUT": 1000, "DSP": 10, "FF": 5}, (Row("net", "slower", {"LUT": 600, "DSP": 2}),))
    estimate = Estimate({"LUT": "tables", "DSP": "multipliers", "FF": "flip-flops"}, whole, layers)
    device = Device("d", "", "t", 1.0, {"LUT": 700, "DSP": 9, "FF": 5})
    found = over_limits(estimate, device)
    assert [problem.what for problem in found] == [
        "it takes 1,000 LUT and d has 700: 300 too many",
        "it takes 10 DSP and d has 9: 1 too many",
    ]
    assert "layer4 (400), layer3 (300), layer2 (200)" in found[0].why and found[0].fix == "slower"
    assert over_limits(estimate, Device("d", "", "t", 1.0, {"LUT": 1000})) == []
    assert "a smaller network" in over_limits(estimate, Device("d", "", "t", 1.0, {"LUT": 500}))[0].fix
    assert shares(Estimate({}, Row("net", "", {"bytes": 5})), Device("d", "", "t", 1.0, {"bytes": 50})) == [
        "d: bytes 10% of 50"
    ]


def test_devices_come_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(
        '[board]\nsummary = "b"\ntarget = "t"\nclock_mhz = 60\nlimits = { LUT = 5 }\nsettings = { fpga = "ecp5" }\n'
    )
    assert read_devices(tmp_path / "d.toml") == {"board": Device("board", "b", "t", 60, {"LUT": 5}, {"fpga": "ecp5"})}
