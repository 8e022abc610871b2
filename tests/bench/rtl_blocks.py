"""Synthesizes blocks of machines for the estimator's table, and prints how well the estimator fits it.

    python tests/bench/rtl_blocks.py --measure ecp5   # what the table lacks; remove it to start anew: an hour
    python tests/bench/rtl_blocks.py                  # prints the error of each module, in seconds

Blocks are the instances of some networks (tests/rtl/rtl_nets.py) at several intervals, the tables of one more, the
endings behind additions of zero points of another and what has 16 bits in a third, at most so many of a module, spread
over their sizes. The networks of the figures in docs are others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "rtl")]

from exact_wide import sixteen  # noqa: E402
from rtl_nets import bits, digits, integers, joined, sequence, shifts, skewed, tables  # noqa: E402
from tinsmith.errors import TinsmithError  # noqa: E402
from tinsmith.ir.exact import ExactGraph  # noqa: E402
from tinsmith_backends.rtl.adder import module  # noqa: E402
from tinsmith_backends.rtl.area.blocks import TABLE, Block, Measured, measured, write_table  # noqa: E402
from tinsmith_backends.rtl.area.fit import SMALL, errors, mean_error  # noqa: E402
from tinsmith_backends.rtl.buffers import roughly_sized  # noqa: E402
from tinsmith_backends.rtl.folding import Pins  # noqa: E402
from tinsmith_backends.rtl.instances import Instance  # noqa: E402
from tinsmith_backends.rtl.languages import VERILOG  # noqa: E402
from tinsmith_backends.synthesis.families import Resources  # noqa: E402
from tinsmith_backends.synthesis.yosys import synthesize  # noqa: E402

NETWORKS = (integers, bits, digits, sequence, shifts, joined)
INTERVALS = (64, 128, 256, 512, 1024, 4096)
MOST = 5
"""Blocks of a module, and of each of its kinds."""
KINDS = (
    *("KIND", "OP", "THRESHOLD", "PIXELS_OUTER", "HOLD", "MULTIPLIER", "CHANNELS_OUTER", "KH"),
    *("OFFSET", "X_W", "OUT_W"),
)
"""Parameters that make another module of one."""
LARGEST = 5_000
"""Bits of ROM and of logic, roughly: larger blocks take minutes."""


def instances() -> Iterator[Instance]:
    """Of every network at every interval, with adder graphs and without."""
    for make in NETWORKS:
        yield from _instances(make().graph())
    yield from (one for one in _instances(tables().graph()) if one.module == "tsm_table")
    yield from (one for one in _instances(skewed().graph()) if _uneven(one.parameters.get("OFFSET", 0)))
    wide = ("X_W", "OUT_W")
    yield from (one for one in _instances(sixteen().graph()) if 16 in map(one.parameters.get, wide))


def _instances(graph: ExactGraph) -> Iterator[Instance]:
    for interval in INTERVALS:
        for kind in ({}, {"kind": "mvu"}):
            try:
                yield from roughly_sized(graph, interval, Pins({}, kind))[0].instances
            except TinsmithError:
                continue


def chosen() -> list[Instance]:
    """Distinct blocks, at most `MOST` of a kind, spread from the least to the largest."""
    every: dict[str, dict[str, Instance]] = {}
    for instance in instances():
        block = Block.of(instance)
        kind = f"{block.module} {[block.parameters.get(name) for name in KINDS]} {_narrows(instance)}"
        every.setdefault(kind, {})[block.key] = instance
    kinds = []
    for blocks in every.values():
        ordered = sorted((one for one in blocks.values() if _size(one) <= LARGEST), key=_size)
        step = max(len(ordered) - 1, 1) / (min(MOST, len(ordered)) - 1 or 1)
        kinds.append([ordered[round(i * step)] for i in range(min(MOST, len(ordered)))])
    # In turns, so that a table that is made in part has some of every kind.
    return [kind[number] for number in range(MOST) for kind in kinds if number < len(kind)]


def _uneven(offset: int | str) -> bool:
    """Of an ending behind a join whose inputs have zero points: every bit of the sums counts."""
    return bool(int(offset) % 2)


def _narrows(instance: Instance) -> bool:
    """Whether words out are narrower than words in: the one kind of gearbox or the other."""
    return sum(w.bits for w in instance.outputs.values()) < sum(w.bits for w in instance.inputs.values())


def _size(instance: Instance) -> int:
    if instance.graph is not None:
        return round(instance.graph.adders)
    return sum(map(len, instance.memories.values())) * 4 + sum(wire.bits for wire in instance.ports.values())


def measure(instance: Instance, family: str) -> Resources:
    """What Yosys makes of one instance."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in instance.memories.items():
            (folder / name).write_text(text)
        sources = sorted(path for path in (ROOT / "rtl").glob("*/*.sv") if path.parent.name in ("common", "stream"))
        if instance.graph is not None:
            for name, text in {**module.cells(VERILOG), **module.sources(instance, instance.graph, VERILOG)}.items():
                (folder / name).write_text(text)
            sources += sorted(folder.glob("*.sv"))
        found = synthesize(sources, instance.module, family, parameters=instance.parameters, folder=folder)
    return found.resources


def measure_all(family: str, jobs: int) -> None:
    """Synthesize every block that the table lacks for a family; blocks that are no longer chosen stay in it."""
    rows = {row.block.key: row for row in (measured() if TABLE.exists() else ())}
    wanted = {Block.of(one).key: one for one in chosen()}
    missing = [one for key, one in wanted.items() if key not in rows or family not in rows[key].resources]
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(measure, one, family): Block.of(one) for one in missing}
        for number, done in enumerate(as_completed(running), 1):
            block = running[done]
            known = dict(rows[block.key].resources) if block.key in rows else {}
            rows[block.key] = Measured(block, {**known, family: done.result()})
            write_table(list(rows.values()))
            print(f"{number}/{len(missing)} {block.key} {done.result()}", flush=True)


def print_errors() -> None:
    """How far the estimator is from the table: look-up tables and flip-flops of each module, all of its blocks."""
    print(f"{'family':7} {'module':12} {'blocks':>6} {'LUT error: mean':>16} {'worst':>6} {'FF: mean':>9}")
    for family in sorted({family for row in measured() for family in row.resources}):
        for name, rows in sorted(errors(family).items()):
            pairs = [(row.resources[family], guess) for row, guess in rows]
            luts = [abs(guess.lut - right.lut) / max(right.lut, SMALL) for right, guess in pairs]
            ffs = [abs(guess.ff - right.ff) / max(right.ff, SMALL) for right, guess in pairs]
            mean, worst, registers = sum(luts) / len(luts), max(luts), sum(ffs) / len(ffs)
            print(f"{family:7} {name:12} {len(pairs):6} {mean:16.0%} {worst:6.0%} {registers:9.0%}")
        print(f"{family:7} {'all':12} {'':6} {mean_error(family):16.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", metavar="FAMILY", help="synthesize blocks: ecp5 or xc7")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    told = parser.parse_args()
    if told.measure:
        measure_all(told.measure, told.jobs)
    else:
        print_errors()


if __name__ == "__main__":
    main()
