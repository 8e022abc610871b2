"""Arena bytes of a binary VGG-small and of its int8 twin, planned for each instruction set.

    python tests/bench/binary_memory.py [--json]

VGG-small on 32×32×3 images: convolutions of 128, 128, 256, 256, 512 and 512 channels, 3×3, each second one followed by
2×2 max-pooling, and a matrix product to 10 classes. First convolution and classifier stay 8 bit in the binary one. The
weights are random: memory depends on geometry alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench_report import Row, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from exact_net import Net
from tinsmith_backends.cpu.kernels.isa import ISAS
from tinsmith_backends.cpu.lower import lower
from tinsmith_backends.cpu.memory import plan

LIMIT = 0.35
AROUND = (1, 1, 1, 1)


def vgg_small(width: int = 128, size: int = 32, *, binary: bool) -> Net:
    """The exact graph; `width` is the number of channels of the first convolution, `size` that of rows and columns."""
    net = Net(1, "binary" if binary else "int8")
    x = net.conv(net.quantize(net.input("x", (1, 3, size, size))), width, pads=AROUND, bits=1 if binary else 8)
    for number, factor in enumerate((1, 2, 2, 4, 4)):
        if binary:
            last = number == 4
            x = net.binary_conv(x, factor * width, pads=AROUND, bits=8 if last else 1)
            pool = net.max_pool if last else net.binary_max_pool
        else:
            x = net.conv(x, factor * width, pads=AROUND)
            pool = net.max_pool
        x = pool(x, (2, 2), strides=(2, 2)) if number % 2 == 0 else x
    net.dequantize(net.matmul(net.flatten(x), 10, dtype="int8"))
    return net


def main() -> int:
    """Plan both networks for every instruction set; exit code 1 if a ratio is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    rows = []
    graphs = [vgg_small(binary=binary).graph() for binary in (True, False)]
    for isa in ISAS:
        ours, twin = (plan(lower(graph, isa)).arena_bytes for graph in graphs)
        rows.append(Row(f"arena of VGG-small, {isa}", ours, twin, "our int8", LIMIT))
    return report(rows, "bytes", as_json=parser.parse_args().json)


if __name__ == "__main__":
    sys.exit(main())
