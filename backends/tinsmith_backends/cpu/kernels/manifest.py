"""Every kernel template, and the one rule by which one is chosen: the first in the list that supports the job."""

from __future__ import annotations

from typing import Protocol, cast

from tinsmith_backends.cpu.kernels.absolute_sum import AbsoluteSum
from tinsmith_backends.cpu.kernels.add import Add
from tinsmith_backends.cpu.kernels.add_scalar import AddScalar
from tinsmith_backends.cpu.kernels.base import Isa, Kernel, Shape
from tinsmith_backends.cpu.kernels.binarize import Binarize
from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv
from tinsmith_backends.cpu.kernels.binary_maxpool import BinaryMaxPool
from tinsmith_backends.cpu.kernels.binary_table import BinaryTable
from tinsmith_backends.cpu.kernels.conv_16 import Conv16, ShiftConv16
from tinsmith_backends.cpu.kernels.conv_dsp import ConvDsp
from tinsmith_backends.cpu.kernels.conv_neon import ConvNeon, ConvNeon32
from tinsmith_backends.cpu.kernels.conv_neondot import ConvNeonDot
from tinsmith_backends.cpu.kernels.conv_pairs import ConvAvx2, ConvSimd128
from tinsmith_backends.cpu.kernels.conv_scalar import ConvScalar
from tinsmith_backends.cpu.kernels.conv_sum import ConvSum
from tinsmith_backends.cpu.kernels.depthwise import Depthwise
from tinsmith_backends.cpu.kernels.depthwise_dsp import DepthwiseDsp
from tinsmith_backends.cpu.kernels.depthwise_scalar import DepthwiseScalar
from tinsmith_backends.cpu.kernels.elementwise_dsp import AddDsp, RequantizeDsp
from tinsmith_backends.cpu.kernels.multiply import Multiply
from tinsmith_backends.cpu.kernels.piecewise_linear import PiecewiseLinear
from tinsmith_backends.cpu.kernels.pool import AveragePool, MaxPool
from tinsmith_backends.cpu.kernels.pool_dsp import AveragePoolDsp, MaxPoolDsp
from tinsmith_backends.cpu.kernels.pool_scalar import AveragePoolScalar, MaxPoolScalar
from tinsmith_backends.cpu.kernels.requantize import Requantize
from tinsmith_backends.cpu.kernels.requantize_scalar import RequantizeScalar
from tinsmith_backends.cpu.kernels.shift_depthwise import ShiftDepthwise, ShiftDepthwiseScalar
from tinsmith_backends.cpu.kernels.shift_dsp import ShiftDsp
from tinsmith_backends.cpu.kernels.shift_neon import ShiftNeon, ShiftNeon32, ShiftNeonWide, ShiftNeonWide32
from tinsmith_backends.cpu.kernels.shift_scalar import ShiftScalar
from tinsmith_backends.cpu.kernels.shift_simd import ShiftAvx2, ShiftNeonDot, ShiftSimd128
from tinsmith_backends.cpu.kernels.table import Table


class Template(Protocol):
    """A kernel class that says which jobs it can do."""

    def supports(self, kind: str, shape: Shape, isa: Isa) -> bool:
        """Whether `choose` may construct this template with `shape` and `isa`."""
        ...

    def __call__(self, shape: Shape, isa: Isa) -> Kernel:
        """The kernel for one shape and instruction set."""
        ...


TEMPLATES: tuple[Template, ...] = cast(
    tuple[Template, ...],
    (
        BinaryTable,
        BinaryConv,
        Binarize,
        BinaryMaxPool,
        PiecewiseLinear,
        Multiply,
        AbsoluteSum,
        Table,
        Depthwise,
        AveragePool,
        MaxPool,
        Add,
        Requantize,
        DepthwiseDsp,
        ConvDsp,
        AveragePoolDsp,
        MaxPoolDsp,
        AddDsp,
        RequantizeDsp,
        DepthwiseScalar,
        ConvScalar,
        ConvSum,
        Conv16,
        ShiftConv16,
        ConvAvx2,
        ConvNeon,
        ConvNeon32,
        ConvNeonDot,
        ConvSimd128,
        ShiftDepthwise,
        ShiftDepthwiseScalar,
        ShiftScalar,
        ShiftDsp,
        ShiftAvx2,
        ShiftNeon,
        ShiftNeonWide,
        ShiftNeon32,
        ShiftNeonWide32,
        ShiftNeonDot,
        ShiftSimd128,
        AveragePoolScalar,
        MaxPoolScalar,
        AddScalar,
        RequantizeScalar,
    ),
)
"""In order of preference; specialized templates stand before general ones."""


def choose(kind: str, shape: Shape, isa: Isa) -> Kernel:
    """The kernel that a layer gets. `kind` is one of kernels/signatures.py."""
    for template in TEMPLATES:
        if template.supports(kind, shape, isa):
            return template(shape, isa)
    raise LookupError(f"no kernel template takes {kind} of {shape} on {isa}")
