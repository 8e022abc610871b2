"""Writes the memory map as a SystemVerilog package, a C header and a page of documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tinsmith_backends.soc import memory_map as m
from tinsmith_backends.soc.records import Block, Choices, Field, Record

GENERATED = (
    "Written by `python -m tinsmith_backends.soc.memory_map`: change backends/tinsmith_backends/soc/memory_map.py."
)


def _register_name(block: Block, name: str) -> str:
    """The accelerator's registers are CSR_*, the others carry their block's name."""
    return f"CSR_{name}" if block is m.ACCEL else f"{block.name}_{name}"


def _register_bits(block: Block) -> Iterator[tuple[str, Field]]:
    for register in block.registers:
        for field in register.bits:
            yield f"{_register_name(block, register.name)}_{field.name.upper()}", field


def _record_bits(record: Record) -> Iterator[tuple[str, Field]]:
    for field in record.fields:
        yield f"{record.name}_{field.name.upper()}", field


def _choice_values(choices: Choices) -> Iterator[tuple[str, int]]:
    for name, value, _ in choices.entries:
        yield f"{choices.name}_{name}", value


def package() -> str:
    """`tsm_soc_pkg`: offsets, bit positions in flat vectors (`_LSB`, `_W`), numbers, and the identity word."""

    def word(name: str, value: int) -> str:
        return f"  localparam [31:0] {name} = 32'h{value:08x};"

    def bits(name: str, field: Field) -> list[str]:
        return [f"  localparam integer {name}_LSB = {field.bit};", f"  localparam integer {name}_W = {field.width};"]

    lines = [
        f"// The chip's numbers. {GENERATED}",
        "// _LSB and _W: a field of a descriptor or register taken as one flat vector, word 0 in the low bits.",
        "`default_nettype none",
        "",
        "// A design uses only some of the numbers.",
        "// verilator lint_off UNUSEDPARAM",
        "package tsm_soc_pkg;",
        *(word(name, value) for name, value in m.NUMBERS.items()),
    ]
    for choices in m.CHOICES:
        lines += ["", f"  // {choices.meaning}", *(word(name, value) for name, value in _choice_values(choices))]
    for block in m.BLOCKS:
        lines += ["", f"  // {block.meaning}", word(f"AT_{block.name}", block.base)]
        lines += [word(_register_name(block, register.name), register.offset) for register in block.registers]
        for name, field in _register_bits(block):
            lines += bits(name, field)
    for record in (m.COMPUTE, m.LOAD):
        lines += ["", f"  // {record.meaning}", f"  localparam integer {record.name}_WORDS = {record.words};"]
        for name, field in _record_bits(record):
            lines += bits(name, field)
    parameters = [name.lower() for name in m.IDENTITY_PARAMETERS]
    lines += [
        "",
        "  // The identity word: FNV-1a over VERSION and the parameters, word by word.",
        "  function automatic [31:0] identity(",
        ",\n".join(f"      input [31:0] {name}" for name in parameters),
        "  );",
        f"    identity = (32'h{m.HASH_START:08x} ^ VERSION) * 32'h{m.HASH_PRIME:08x};",
        *(f"    identity = (identity ^ {name}) * 32'h{m.HASH_PRIME:08x};" for name in parameters),
        "  endfunction",
        "endpackage",
        "// verilator lint_on UNUSEDPARAM",
        "",
        "`default_nettype wire",
    ]
    return "\n".join(lines) + "\n"


def header() -> str:
    """`tsm_soc.h`: addresses, numbers, and fields as the three arguments of `tsm_get`."""

    def define(name: str, value: str) -> str:
        return f"#define TSM_{name} {value}"

    def bits(name: str, field: Field) -> str:
        return define(name, f"{field.word}u, {field.low}u, {field.width}u")

    lines = [
        f"// The chip's numbers. {GENERATED}",
        "// A field is `word, low, width`: tsm_get(words, TSM_STEP_KIND).",
        "#ifndef TSM_SOC_H",
        "#define TSM_SOC_H",
        *(define(name, f"0x{value:08x}u") for name, value in m.NUMBERS.items()),
    ]
    for choices in m.CHOICES:
        lines += ["", f"// {choices.meaning}", *(define(name, f"{value}u") for name, value in _choice_values(choices))]
    for block in m.BLOCKS:
        lines += ["", f"// {block.meaning}", define(f"AT_{block.name}", f"0x{block.base:08x}u")]
        for register in block.registers:
            address = f"0x{block.base + register.offset:08x}u"
            lines.append(
                define(_register_name(block, register.name), f"{address}  // {register.access}: {register.meaning}")
            )
        lines += [bits(name, field) for name, field in _register_bits(block)]
    for record in m.RECORDS:
        lines += ["", f"// {record.meaning}", define(f"{record.name}_WORDS", f"{record.words}u")]
        lines += [bits(name, field) for name, field in _record_bits(record)]
    return "\n".join([*lines, "", "#endif"]) + "\n"


def page() -> str:
    """`docs/soc-map.md`: the same as tables."""
    lines = [
        "# Memory map, descriptors, weight image, error codes of the `soc` target",
        "",
        GENERATED,
        "",
        "## Addresses",
        "",
        "| address | size | what |",
        "|---|---|---|",
        *(f"| `0x{b.base:08x}` | `0x{b.size:x}` | {b.name}: {b.meaning} |" for b in m.BLOCKS),
    ]
    for block in m.BLOCKS:
        if not block.registers:
            continue
        lines += ["", f"### {block.name}", "", "| offset | register | access | meaning |", "|---|---|---|---|"]
        for r in block.registers:
            inside = "; ".join(f"`{_span(field)}` {field.name}: {field.meaning}" for field in r.bits)
            lines.append(
                f"| `0x{r.offset:02x}` | {r.name} | {r.access} | {r.meaning}{'. ' + inside if inside else ''} |"
            )
    for record in m.RECORDS:
        lines += ["", f"## {record.name}: {record.words} words", "", record.meaning, ""]
        lines += ["| word | bits | field | meaning |", "|---|---|---|---|"]
        for field in record.fields:
            sign = ", signed" if field.signed else ""
            lines.append(f"| {field.word} | `{_span(field)}` | `{field.name}` | {field.meaning}{sign} |")
    for choices in m.CHOICES:
        lines += ["", f"## {choices.name}_*", "", choices.meaning, "", "| value | name | meaning |", "|---|---|---|"]
        lines += [f"| {value} | `{choices.name}_{name}` | {meaning} |" for name, value, meaning in choices.entries]
    names = ", ".join(f"`{name}`" for name in m.IDENTITY_PARAMETERS)
    lines += [
        "",
        "## Identity word",
        "",
        f"`h = 0x{m.HASH_START:08x}`; then for the version of the map ({m.VERSION}) and each of",
        f"{names}, as 32-bit words:",
        f"`h = (h ^ value) * 0x{m.HASH_PRIME:08x}` modulo 2^32. The chip computes it from its parameters.",
    ]
    return "\n".join(lines) + "\n"


def _span(field: Field) -> str:
    return f"{field.low}" if field.width == 1 else f"{field.low + field.width - 1}:{field.low}"


FILES: dict[str, Callable[[], str]] = {
    "rtl/soc/tsm_soc_pkg.sv": package,
    "firmware/include/tsm_soc.h": header,
    "docs/soc-map.md": page,
}
"""What is written from the map: path in the source tree, and who writes it."""
