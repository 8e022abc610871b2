"""The program that a CPU runs: buffers, and steps that read and write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tinsmith_backends.cpu.kernels.base import Kernel
from tinsmith_backends.cpu.layout import Order

Role = Literal["input", "output", "arena"]
Element = Literal["int8", "int16", "int32", "uint32", "float32", "int64"]
"""int32: accumulators. uint32: words of packed bits."""
ELEMENT_BYTES: Mapping[Element, int] = {"int8": 1, "int16": 2, "int32": 4, "uint32": 4, "float32": 4, "int64": 8}
C_TYPES: Mapping[str, str] = {
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "float32": "float",
    "int64": "int64_t",
}
SCALED: tuple[str, ...] = ("int8", "int16", "int32")
"""Elements of outputs that stand for real values: the artefact has a function for each that dequantizes."""


@dataclass(frozen=True)
class Buffer:
    """Storage for one activation. Inputs and outputs of the network stand where the caller says."""

    name: str
    element: Element
    count: int
    role: Role = "arena"

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * ELEMENT_BYTES[self.element]


@dataclass(frozen=True)
class View:
    """How a tensor of the exact graph is stored: in which buffer, in which order, and in rows of how many packed bits.

    `row` is 0 for a tensor of bytes; see bit_layout.py.
    """

    buffer: str
    order: Order
    row: int = 0


@dataclass(frozen=True)
class Call:
    """A kernel call; `scalars` follow the pointers in the kernel's signature."""

    kernel: Kernel
    scalars: tuple[int, ...]


@dataclass(frozen=True)
class Move:
    """Copies elements of input number `source`: nested loops over (count, source step, target step).

    Attributes:
        source: position of the input.
        loops: outermost first; steps count bytes, words or, where bits move one by one, bits.
        offset: first element written.
        source_bits: whether bits are read one by one.
    """

    source: int
    loops: tuple[tuple[int, int, int], ...]
    offset: int = 0
    source_bits: bool = False


@dataclass(frozen=True)
class Moves:
    """A step that only moves elements.

    Attributes:
        moves: one after the other.
        target_bits: whether bits are written one by one, to words that the step clears first.
    """

    moves: tuple[Move, ...]
    target_bits: bool = False


@dataclass(frozen=True)
class Head:
    """Softmax or ArgMax of `rows` rows of `columns` 8-bit values."""

    kind: Literal["softmax", "argmax"]
    rows: int
    columns: int


@dataclass(frozen=True)
class Step:
    """One step of the program.

    Attributes:
        layer: the layer of the exact graph that it does, or helps to do.
        tensor: the tensor of the exact graph that is complete once it has run; empty for a helper.
        inputs: names of the buffers that it reads.
        output: name of the buffer that it writes.
        constants: what it reads besides, by kind: weight, bias, multiplier, table.
    """

    layer: str
    source: str
    op: str
    tensor: str
    inputs: tuple[str, ...]
    output: str
    body: Call | Moves | Head
    constants: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def kernel(self) -> str:
        """The name that reports show."""
        match self.body:
            case Call(kernel=kernel):
                return kernel.name
            case Head(kind=kind):
                return f"c_{kind}"
            case Moves(moves=moves, target_bits=packs):
                unpacks = any(move.source_bits for move in moves)
                if packs:
                    return "c_move_bits" if unpacks else "c_pack"
                return "c_unpack" if unpacks else "c_move"

    @property
    def scratch(self) -> int:
        """Bytes of scratch."""
        return self.body.kernel.scratch_bytes if isinstance(self.body, Call) else 0

    @property
    def in_place(self) -> tuple[int, ...]:
        """Inputs (by position) whose storage the output may take."""
        return self.body.kernel.in_place if isinstance(self.body, Call) else ()


@dataclass(frozen=True)
class Port:
    """One input or output of the network as the artefact has it.

    Attributes:
        name: the graph's own name of the float (or index) tensor.
        identifier: that name as a C identifier.
        buffer: the buffer that the caller brings.
        stored: the tensor of the exact graph that the buffer holds.
        scale: real = scale * (stored - zero_point); 0.0 where the buffer holds plain numbers.
        zero_point: of the stored value.
        lo: least stored value; the quantizer of an input clamps to it.
        hi: greatest stored value.
        shape: as stored, such as (1, 32, 32, 3) for an image in NHWC order.
        axes: axis i of `shape` is axis `axes[i]` of the ONNX tensor.
    """

    name: str
    identifier: str
    buffer: str
    stored: str
    scale: float
    zero_point: int
    lo: int
    hi: int
    shape: tuple[int, ...]
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Steps in the order in which they run, and everything that they touch."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    buffers: Mapping[str, Buffer]
    views: Mapping[str, View]
    steps: tuple[Step, ...]
