"""The one description of the chip: generated files are current, fields hold what is put into them."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from pathlib import Path

import pytest
from tinsmith.errors import TinsmithError
from tinsmith_backends.soc import memory_map as m
from tinsmith_backends.soc.map_writers import FILES
from tinsmith_backends.soc.records import Record

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, HEADER, _ = FILES


@pytest.mark.parametrize("path", FILES)
def test_committed_files_are_what_the_generator_writes(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path](), "run python -m tinsmith_backends.soc.memory_map"


@pytest.mark.parametrize(("path", "name"), [(PACKAGE, r"localparam \S+ (\w+) ="), (HEADER, r"#define (\w+)")])
def test_every_name_is_there_once(path: str, name: str) -> None:
    names = re.findall(name, FILES[path]())
    assert len(names) > 200 and len(set(names)) == len(names)


@pytest.mark.parametrize("record", m.RECORDS, ids=lambda record: record.name)
def test_fields_do_not_overlap_and_stay_in_their_word(record: Record) -> None:
    fields = sorted(record.fields, key=lambda field: field.bit)
    assert all(field.low + field.width <= 32 and field.word < record.words for field in fields)
    assert all(a.bit + a.width <= b.bit for a, b in pairwise(fields))


@pytest.mark.parametrize("record", m.RECORDS, ids=lambda record: record.name)
def test_what_is_packed_comes_out(record: Record) -> None:
    rng = random.Random(record.name)
    for choose in (min, max, lambda limits: rng.randint(*limits)):
        values = {field.name: choose(field.limits) for field in record.fields}
        assert record.unpack(record.pack(values)) == values


def test_every_value_that_does_not_fit_is_named() -> None:
    with pytest.raises(TinsmithError) as refused:
        m.COMPUTE.pack({"opcode": 256, "lo": -40000, "colour": 1, "kh": 3})
    assert [problem.what for problem in refused.value.problems] == [
        "opcode is 256",
        "lo is -40000",
        "colour is no field of a COMPUTE record",
    ]


def test_blocks_and_registers_do_not_overlap() -> None:
    blocks = sorted(m.BLOCKS, key=lambda block: block.base)
    assert all(a.base + a.size <= b.base for a, b in pairwise(blocks))
    for block in blocks:
        offsets = [register.offset for register in block.registers]
        assert len(set(offsets)) == len(offsets) and all(o % 4 == 0 and o < block.size for o in offsets)


def test_the_identity_depends_on_every_parameter() -> None:
    base = [8, 8, 4, 65536, 1024, 256, 2048, 0, 7]
    words = {m.identity(*base)}
    for place in range(len(base)):
        words.add(m.identity(*(value + (at == place) for at, value in enumerate(base))))
    assert len(words) == len(base) + 1
