"""The firmware's portable parts on this machine, under address and undefined-behaviour sanitizers."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from soc_image import DEFAULT_CHIP, ImageParts, dense, frame_input, hardware, software
from soft_reference import OPERATORS, apply
from tinsmith_backends.soc import firmware
from tinsmith_backends.soc import memory_map as m

SOFT, FRAME, QUOTIENT, CRC = range(4)
PORTABLE = [path for path in firmware.sources() if path.stem not in {"main", "start"}]
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g", "-DTSM_HOST"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ERROR, ENDING = m.ERROR, m.ENDING


@pytest.fixture(scope="module", params=["gcc", "clang"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    program = tmp_path_factory.mktemp("host") / "chip"
    files = [Path(__file__).parent / "host" / "chip.c", *PORTABLE]
    command = [
        request.param,
        *STRICT,
        *SANITIZERS,
        f"-DIDENTITY={m.identity(*DEFAULT_CHIP)}u",
        f"-I{firmware.ROOT / 'firmware' / 'include'}",
        *files,
        "-o",
        program,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def ask(host: Path, command: int, payloads: Iterable[bytes]) -> list[bytes]:
    feed = b"".join(struct.pack("<II", command, len(payload)) + payload for payload in payloads)
    done = subprocess.run([str(host)], input=feed, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answers, at = [], 0
    while at < len(done.stdout):
        (size,) = struct.unpack_from("<I", done.stdout, at)
        answers.append(done.stdout[at + 4 : at + 4 + size])
        at += 4 + size
    return answers


def soft_payload(step: dict[str, int], table: npt.NDArray[np.int32], memory: npt.NDArray[np.uint8]) -> bytes:
    return (
        struct.pack(f"<{m.STEP.words}I", *m.STEP.pack(step))
        + struct.pack("<I", table.size)
        + table.tobytes()
        + memory.tobytes()
    )


def soft_case(
    name: str, rng: np.random.Generator, *, extreme: bool
) -> tuple[dict[str, int], npt.NDArray[np.int32], int]:
    """A step, its table, and the bytes that it needs."""
    h, w, c = (int(v) for v in rng.integers(1, (7, 7, 9)))
    top = 2**31 - 1 if extreme else 5000
    signed = {"in_signed": int(rng.integers(2)), "in2_signed": int(rng.integers(2))}
    lo, hi = sorted(int(v) for v in rng.integers(-128, 256, 2))
    scale = {"shift": int(rng.integers(1, 63 if extreme else 20)), "lo": lo, "hi": hi}
    scale |= {name: int(rng.integers(256)) for name in ("zero", "in_zero", "in2_zero")}
    step = {**software(name), **signed, **scale, "in_h": h, "in_w": w, "out_h": h, "out_w": w, "channels": c}
    table = np.zeros(0, np.int32)
    if name == "ADD":
        step |= {"m_a": int(rng.integers(1, top)), "m_b": int(rng.integers(1, top))}
    elif name == "REQUANTIZE":
        table = rng.integers(1, top, c, dtype=np.int32)
    elif name == "PIECEWISE":
        table = np.stack([rng.integers(-130, 260, c), *(rng.integers(-top, top, c) for _ in range(4))], 1).astype(
            np.int32
        )
    if name in {"MAXPOOL", "BITPOOL", "CONV"}:
        for field in ("kh", "kw", "stride_y", "stride_x", "dil_y", "dil_x"):
            step[field] = int(rng.integers(1, 4))
        step |= {"pad_top": int(rng.integers(0, 3)), "pad_left": int(rng.integers(0, 3))}
    if name == "COPY":
        step |= {"in_w": c + w, "out_w": c + h}
    elif name == "TABLE":
        table = rng.integers(-(2**31), 2**31, 64).astype(np.int32)
    elif name == "BITPOOL":
        table = rng.integers(0, 256, c, dtype=np.int32)
    elif name == "CONV":
        table = convolution_case(step, rng, top)
        c = step["channels"]
    elif name == "SOFTMAX":
        table = np.sort(rng.integers(0, 2**23 + 1, 256, dtype=np.int32))[::-1].copy()
        table[0] = max(int(table[0]), 1)
    sizes = {"ARGMAX": 8 * h, "SOFTMAX": 4 * h * c, "COPY": (h - 1) * (c + h) + c}
    if name == "CONV" and step["ending"] == ENDING["RAW"]:
        sizes["CONV"] = 4 * h * w * c
    elif name == "CONV" and step["ending"] == ENDING["THRESHOLD"] and step["packed"]:
        sizes["CONV"] = h * w * -(-c // 8)
    size = max(h * w * step.get("inputs", c), (h - 1) * step["in_w"] + c)
    step |= {"in_base": 0, "in2_base": size, "out_base": 2 * size, "table": 4 * m.HEADER.words if table.size else 0}
    return step, table.reshape(-1), 2 * size + sizes.get(name, h * w * c)


def convolution_case(step: dict[str, int], rng: np.random.Generator, top: int) -> npt.NDArray[np.int32]:
    """Grouped, of every ending: adds its fields to the step and gives its table."""
    groups, depth, together = (int(n) for n in rng.integers(1, (4, 6, 12)))
    step |= {"inputs": groups * depth, "groups": groups, "channels": groups * together}
    step |= {"ending": int(rng.integers(3)), "packed": int(rng.integers(2))}
    rows, count = groups * together, step["kh"] * step["kw"] * depth
    weights = np.zeros((rows, -(-count // 4) * 4), np.int8)
    weights[:, :count] = rng.integers(-128, 128, (rows, count))
    numbers = [rng.integers(-(2**20), 2**20, rows), rng.integers(1, top, rows)]
    return np.concatenate([np.stack(numbers, 1).astype(np.int32), weights.view("<i4")], axis=1).astype(np.int32)


@pytest.mark.parametrize("name", OPERATORS)
def test_software_operators_compute_the_contract(host: Path, name: str) -> None:
    rng = np.random.default_rng(len(name))
    cases = [soft_case(name, rng, extreme=i % 3 == 0) for i in range(60)]
    filled = [(step, table, rng.integers(0, 256, size).astype(np.uint8)) for step, table, size in cases]
    answers = ask(host, SOFT, (soft_payload(*case) for case in filled))
    assert len(answers) == len(filled)
    for (step, table, memory), answer in zip(filled, answers, strict=True):
        assert answer == apply(step, table, memory).tobytes(), step


def test_software_operators_work_in_place(host: Path) -> None:
    rng = np.random.default_rng(5)
    for name in ("ADD", "REQUANTIZE", "PIECEWISE", "TABLE"):
        step, table, size = soft_case(name, rng, extreme=False)
        step["out_base"] = step["in_base"] = 0
        memory = rng.integers(0, 256, size).astype(np.uint8)
        assert ask(host, SOFT, [soft_payload(step, table, memory)]) == [apply(step, table, memory).tobytes()]


@pytest.mark.parametrize("name", OPERATORS)
def test_steps_that_reach_past_the_memory_are_refused(host: Path, name: str) -> None:
    rng = np.random.default_rng(9)
    step, table, size = soft_case(name, rng, extreme=False)
    memory = np.zeros(size, np.uint8)
    steps = [{"out_base": size}, {"in_base": 0xFFFFFFFF}, {"channels": 0}, {"in_h": 65535, "out_h": 65535}]
    steps += [{"table": 2}, {"table": 0}] if table.size else []
    refused = [({**step, **change}, table, memory) for change in steps]
    refused += [(step, table, memory[:-1])] + [(step, table[:-1], memory)] * (table.size > 0)
    if name in {"ADD", "REQUANTIZE", "PIECEWISE"}:
        refused += [({**step, "shift": 0}, table, memory), ({**step, "shift": 63}, table, memory)]
    answers = ask(host, SOFT, (soft_payload(*case) for case in refused))
    assert {struct.unpack("<I", answer) for answer in answers} == {(ERROR["STEP_LAYOUT"],)}


def test_convolutions_whose_groups_or_ending_are_none_are_refused(host: Path) -> None:
    step, table, size = soft_case("CONV", np.random.default_rng(2), extreme=False)
    changes = [{"groups": 0}, {"groups": step["channels"] + 1}, {"ending": 3}, {"inputs": step["inputs"] + 1}]
    changes += [{"ending": 0, "shift": 0}, {"ending": 0, "shift": 63}]
    cases = [({**step, **change}, table, np.zeros(4 * size, np.uint8)) for change in changes]
    answers = ask(host, SOFT, (soft_payload(*case) for case in cases))
    assert answers == [struct.pack("<I", ERROR["STEP_LAYOUT"])] * len(cases)


def test_unknown_steps_are_refused(host: Path) -> None:
    step = {**software("COPY"), "in_h": 1, "channels": 1}
    cases = [{**step, "operator": 99}, {**step, "kind": 9}]
    answers = ask(host, SOFT, (soft_payload(case, np.zeros(0, np.int32), np.zeros(9, np.uint8)) for case in cases))
    assert answers == [struct.pack("<I", ERROR["STEP"])] * 2


def test_the_quotient_is_the_ieee_one(host: Path) -> None:
    rng = np.random.default_rng(3)
    a = np.concatenate([rng.integers(0, 2**23 + 1, 20000), [0, 1, 2**23, 2**23, 3, 1], 2 ** rng.integers(0, 24, 500)])
    special = [1, 2**31 - 1, 2**31 - 1, 1, 3, 3]
    divisors = [rng.integers(1, 2**31, 10000), rng.integers(1, 2**24, 10000), special, 2 ** rng.integers(0, 31, 500)]
    b = np.concatenate(divisors)
    pairs = np.stack([a, b], 1).astype("<u4").tobytes()
    (answer,) = ask(host, QUOTIENT, [pairs])
    assert answer == (a.astype(np.float32) / b.astype(np.float32)).astype("<f4").tobytes()


def test_the_crc_is_zlibs(host: Path) -> None:
    data = random.Random(4).randbytes(400)
    assert ask(host, CRC, [data]) == [struct.pack("<I", zlib.crc32(data))]


def network() -> ImageParts:
    parts = dense([[3, -5, 7, 1] * 4] * 5, [1, -2, 3, 4, 5], [20000] * 5, 18)
    boot = hardware(0, 1) | {"kind": m.STEP_KIND["BOOT"]}
    parts.steps = [
        boot,
        hardware(1, 1, first_load=1),
        software("COPY", in_base=1024, out_base=1028, in_h=1, channels=4),
    ]
    payload = parts.payload_offset
    parts.loads = [{**load, "ext_addr": at} for load, at in zip(parts.loads, (payload, payload + 128), strict=True)]
    return parts


def serve(
    host: Path,
    images: list[bytes],
    *,
    accel: int = 0,
    stream: int = 0,
    room: int = 4096,
    width: int = 4,
    frames: int = 1,
) -> list[list[int]]:
    answers = ask(host, FRAME, (struct.pack("<5I", accel, stream, room, width, frames) + image for image in images))
    return [list(struct.unpack(f"<{len(answer) // 4}I", answer)) for answer in answers]


ACCEL = {register.name: m.ACCEL.base + register.offset for register in m.ACCEL.registers}
RUN = [ACCEL[name] for name in ("COMPUTE_BASE", "COMPUTE_COUNT", "LOAD_BASE", "LOAD_COUNT")]


def test_a_frame_programs_the_accelerator_and_sends_the_outputs(host: Path) -> None:
    (words,) = serve(host, [network().pack()])
    assert words[:2] == [0, 0]
    writes = list(zip(words[2::2], words[3::2], strict=True))
    runs = [value for address, value in writes if address in RUN]
    assert runs == [0, 0, 24, 1, 0, 1, 32, 1]  # load descriptors stand behind the one compute descriptor
    descriptors = [value for address, value in writes if m.DESCRIPTORS.base <= address < m.ACTIVATIONS.base]
    assert descriptors == [word for record, entries in ((m.COMPUTE, network().computes), (m.LOAD, network().loads))
                           for entry in entries for word in record.pack(entry)]  # fmt: skip
    results = [value for address, value in writes if m.RESULTS.base <= address < m.EXTERNAL.base]
    header = m.RESULT.pack({"magic": m.MAGIC_RESULT, "sequence": 7, "clocks": 99, "payload": 2})
    assert results == [*header, 1024, 1 << 31 | 2]


def test_the_accelerator_is_told_of_a_run_that_it_does_not_know(host: Path) -> None:
    boot, run, other = [0, 0, 24, 1], [0, 1, 32, 1], [0, 1, 24, 1]
    start = 1 | 1 << 2  # and the interrupt
    for more, told in ([], run), ([hardware(1, 1)], 3 * (run + other)):
        parts = network()
        parts.steps += more
        payload = parts.payload_offset
        parts.loads = [{**load, "ext_addr": at} for load, at in zip(parts.loads, (payload, payload + 128), strict=True)]
        (words,) = serve(host, [parts.pack()], frames=3)
        writes = list(zip(words[2::2], words[3::2], strict=True))
        assert words[:2] == [0, 0] and [value for address, value in writes if address in RUN] == boot + told
        assert [value for address, value in writes if address == ACCEL["CTRL"]] == [start] * (1 + 3 * (1 + len(more)))


def test_errors_of_hardware_reach_the_host(host: Path) -> None:
    image = network().pack()
    assert serve(host, [image], accel=0x10005)[0][:2] == [5, 5]  # the boot run fails
    (words,) = serve(host, [image], stream=ERROR["STREAM_TIMEOUT"])
    assert words[:2] == [0, ERROR["STREAM_TIMEOUT"]]
    assert [
        value for address, value in zip(words[2::2], words[3::2], strict=True) if address == m.RESULTS.base + 4
    ] == [0]


def test_every_flipped_bit_of_header_and_tables_is_found(host: Path) -> None:
    parts = network()
    image = parts.pack()
    flips = []
    for bit in range(8 * parts.payload_offset):
        flipped = bytearray(image)
        flipped[bit // 8] ^= 1 << bit % 8
        flips.append(bytes(flipped))
    found = serve(host, flips)
    assert len(found) == len(flips) and all(len(words) == 2 and words[0] >= ERROR["IMAGE_MAGIC"] for words in found)


@pytest.mark.parametrize(
    ("error", "change"),
    [
        ("IMAGE_MAGIC", {"magic": 1}),
        ("IMAGE_VERSION", {"version": m.VERSION + 1}),
        ("IMAGE_IDENTITY", {"identity": m.identity(16, 8, 4, 65536, 1024, 256, 2048, 0, 15)}),
        ("IMAGE_HEADER", {"header_crc": 0}),
        ("IMAGE_TABLES", {"tables_crc": 0}),
        ("IMAGE_LAYOUT", {"image_bytes": 1 << 21}),
        ("IMAGE_LAYOUT", {"payload": 60}),
        ("IMAGE_LAYOUT", {"payload": 0xFFFFFFFC, "image_bytes": 0xFFFFFFFF}),
        ("IMAGE_LAYOUT", {"steps": 66}),
        ("IMAGE_LAYOUT", {"step_count": 0}),
        ("IMAGE_LAYOUT", {"compute_count": 0x10000001}),
        ("IMAGE_LAYOUT", {"load_count": 1000}),
        ("IMAGE_LAYOUT", {"outputs": 0xFFFFFFF0}),
        ("IMAGE_LAYOUT", {"output_count": 0}),
    ],
)
def test_headers_that_lie_are_refused(host: Path, error: str, change: dict[str, int]) -> None:
    parts = network()
    parts.header = change
    assert serve(host, [parts.pack()]) == [[ERROR[error], ERROR[error]]]


def changed(name: str, **values: int) -> ImageParts:
    parts = network()
    entries = getattr(parts, name)
    entries[-1] = {**entries[-1], **values}
    return parts


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        ("STREAM_WIDTH", changed("inputs", beat_bytes=2)),
        ("STREAM_WIDTH", changed("inputs", mode=m.INPUT_MODE["TRIGGER"], samples=16, bytes=16)),
        ("STREAM_INPUT", changed("inputs", base=2)),
        ("STREAM_INPUT", changed("inputs", base=65536)),
        ("STREAM_INPUT", changed("inputs", bytes=0)),
        ("STREAM_INPUT", changed("inputs", mode=2)),
        ("IMAGE_LAYOUT", changed("outputs", base=1026)),
        ("IMAGE_LAYOUT", changed("outputs", bytes=0xFFFFFFFC)),
        ("STEP_LAYOUT", changed("steps", kind=m.STEP_KIND["HARDWARE"], first_compute=1, compute_count=1)),
        ("STEP_LAYOUT", changed("steps", kind=m.STEP_KIND["HARDWARE"], load_count=3)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tables_that_do_not_fit_are_refused(host: Path, error: str, parts: ImageParts) -> None:
    assert serve(host, [parts.pack()])[0][0] == ERROR[error]


def test_tables_that_do_not_fit_the_processors_memory_are_refused(host: Path) -> None:
    parts = network()
    words = parts.payload_offset // 4 - m.HEADER.words
    assert serve(host, [parts.pack()], room=words - 1)[0][0] == ERROR["IMAGE_LAYOUT"]
    assert serve(host, [parts.pack()], room=words)[0][0] == 0


def test_several_inputs_are_filled_one_after_the_other(host: Path) -> None:
    parts = network()
    parts.inputs = [frame_input(16), frame_input(8, base=32)]
    payload = parts.payload_offset
    parts.loads = [{**load, "ext_addr": at} for load, at in zip(parts.loads, (payload, payload + 128), strict=True)]
    (words,) = serve(host, [parts.pack()])
    bases = [value for address, value in zip(words[2::2], words[3::2], strict=True) if address == m.STREAM.base + 0x0C]
    assert words[0] == 0 and bases == [0, 0, 32]


def test_the_firmware_is_small(tmp_path: Path) -> None:
    pytest.importorskip("ziglang", reason="ziglang is not installed")
    stack, variables = 2048, 512
    assert firmware.build(tmp_path / "firmware.hex") + stack + variables <= firmware.FIRMWARE_BYTES < 24 * 1024


def trigger(**values: int) -> bytes:
    """The image of a network that takes 16 bytes of 16 samples; `values` change its input."""
    entry = {"bytes": 16, "mode": m.INPUT_MODE["TRIGGER"], "beat_bytes": 2, "samples": 16, "pretrigger": 4}
    parts = network()
    parts.inputs = [{**entry, **values}]
    return parts.pack()


def test_a_trigger_is_configured_as_the_image_says(host: Path) -> None:
    split = m.SAMPLE_FORMAT["SPLIT"]
    image = trigger(samples=8, format=split, shift=4, threshold=-5, offset=100, timeout=9)
    (words,) = serve(host, [image], width=2)
    writes = dict(zip(words[2::2], words[3::2], strict=True))
    stream = {register.name: writes.get(m.STREAM.base + register.offset) for register in m.STREAM.registers}
    assert words[:2] == [0, 0] and stream["CONFIG"] == 4 << 16 | split << 8 | m.INPUT_MODE["TRIGGER"]
    assert (stream["FRAME"], stream["LEVEL"], stream["TIMEOUT"]) == (4 << 16 | 8, 100 << 16 | 0xFFFB, 9)


def test_triggers_that_cannot_be_are_refused(host: Path) -> None:
    split, pair = m.SAMPLE_FORMAT["SPLIT"], m.SAMPLE_FORMAT["PAIR"]
    wrong = [{"samples": 8}, {"samples": 0, "bytes": 0}, {"samples": 2000, "bytes": 2000}, {"pretrigger": 16}]
    wrong += [
        {"format": pair},
        {"format": 5, "samples": 8},
        {"format": m.SAMPLE_FORMAT["INT16"]},
        *({"format": split, "samples": 8, "shift": s} for s in (0, 9)),
    ]
    found = serve(host, [trigger(**values) for values in wrong], width=2)
    assert [words[0] for words in found] == [ERROR["STREAM_INPUT"]] * len(wrong)
    found = serve(host, [trigger(), trigger(beat_bytes=4)], width=4)
    assert [words[0] for words in found] == [ERROR["STREAM_WIDTH"]] * 2
