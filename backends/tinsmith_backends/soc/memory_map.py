"""The one description of the chip, put together from its parts.

| file | what it describes |
|---|---|
| `map_descriptors` | descriptors and parameters of the accelerator, the identity word |
| `map_registers` | addresses, registers, interrupts |
| `map_image` | weight image, program steps, tables of inputs and outputs, result frames |
| `map_errors` | error codes |

`python -m tinsmith_backends.soc.memory_map` writes from it what the RTL, the firmware and the reader use:
`rtl/soc/tsm_soc_pkg.sv`, `firmware/include/tsm_soc.h` and `docs/soc-map.md`. The compiler packs with the same tables.
"""

from __future__ import annotations

from pathlib import Path

from tinsmith_backends.soc.map_descriptors import (
    COMPUTE,
    ENDING,
    HASH_PRIME,
    HASH_START,
    IDENTITY_PARAMETERS,
    KIND,
    LOAD,
    LOAD_OPCODE,
    MAGIC_DESCRIPTOR,
    OPCODE,
    OPS,
    TABLES,
    VERSION,
    identity,
)
from tinsmith_backends.soc.map_errors import ERROR
from tinsmith_backends.soc.map_image import (
    HEADER,
    INPUT,
    INPUT_MODE,
    MAGIC_IMAGE,
    MAGIC_RESULT,
    OUTPUT,
    RESULT,
    SAMPLE_FORMAT,
    SOFT_OPERATOR,
    STEP,
    STEP_KIND,
)
from tinsmith_backends.soc.map_registers import (
    ACCEL,
    ACTIVATIONS,
    DESCRIPTORS,
    EXTERNAL,
    IRQ,
    IRQC,
    RAM,
    RESULTS,
    STREAM,
    SYSTEM,
    TIMER,
    UART,
    WATCHDOG,
    WATCHDOG_KEY,
)

__all__ = [
    "ACCEL",
    "ACTIVATIONS",
    "BLOCKS",
    "CHOICES",
    "COMPUTE",
    "DESCRIPTORS",
    "ENDING",
    "ERROR",
    "EXTERNAL",
    "HASH_PRIME",
    "HASH_START",
    "HEADER",
    "IDENTITY_PARAMETERS",
    "INPUT",
    "INPUT_MODE",
    "IRQ",
    "IRQC",
    "KIND",
    "LOAD",
    "LOAD_OPCODE",
    "MAGIC_DESCRIPTOR",
    "MAGIC_IMAGE",
    "MAGIC_RESULT",
    "NUMBERS",
    "OPCODE",
    "OPS",
    "OUTPUT",
    "RAM",
    "RECORDS",
    "RESULT",
    "RESULTS",
    "SAMPLE_FORMAT",
    "SOFT_OPERATOR",
    "STEP",
    "STEP_KIND",
    "STREAM",
    "SYSTEM",
    "TABLES",
    "TIMER",
    "UART",
    "VERSION",
    "WATCHDOG",
    "WATCHDOG_KEY",
    "identity",
]

RECORDS = (COMPUTE, LOAD, HEADER, STEP, INPUT, OUTPUT, RESULT)
CHOICES = (KIND, OPS, OPCODE, LOAD_OPCODE, ENDING, STEP_KIND, SOFT_OPERATOR, INPUT_MODE, SAMPLE_FORMAT, IRQ, ERROR)
BLOCKS = (
    *(RAM, UART, TIMER, WATCHDOG, IRQC, SYSTEM),
    *(ACCEL, DESCRIPTORS, ACTIVATIONS, STREAM, RESULTS, EXTERNAL),
)
NUMBERS = {
    "VERSION": VERSION,
    "TABLES": TABLES,
    "MAGIC_DESCRIPTOR": MAGIC_DESCRIPTOR,
    "MAGIC_IMAGE": MAGIC_IMAGE,
    "MAGIC_RESULT": MAGIC_RESULT,
    "WATCHDOG_KEY": WATCHDOG_KEY,
}


def main() -> None:
    """Write the three files into the source tree that this module stands in."""
    from tinsmith_backends.soc.map_writers import FILES

    root = Path(__file__).parents[3]
    for path, text in FILES.items():
        (root / path).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
