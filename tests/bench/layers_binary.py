"""Instructions of a binary and of an int8 layer D on Cortex-M4, counted in qemu.

    python tests/bench/layers_binary.py [--json]

Layer D is a 3x3 convolution of 14x14 pixels, 256 to 256 channels. The binary one goes from packed bits to packed bits.
Also prints instructions a product.

Needs gcc, arm-none-eabi-gcc with newlib and qemu-system-arm. Exit code 1 when the binary layer takes more than a
quarter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench_report import Row, report
from layers_shift import counted_on_cortex_m
from peer_layers import LAYERS, binary_kernel, layer_kernel, quantized_model

LIMIT = 0.25


def main() -> int:
    """Count, print, and say by the exit code whether the limit holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of the table")
    arguments = parser.parse_args()
    size = LAYERS["D"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layers = [binary_kernel(size, "dsp"), layer_kernel(size, quantized_model(size, folder), "dsp")]
        binary, whole = counted_on_cortex_m("dsp", layers, folder)
    products = size.operations / 2e6
    print(f"a product: {binary / products:.3f} of one bit, {whole / products:.3f} of int8", file=sys.stderr)
    work = f"cortex-m, {size}, {layers[0].kernel.name}"
    return report([Row(work, binary, whole, "our int8", LIMIT)], "millions of instructions", as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
