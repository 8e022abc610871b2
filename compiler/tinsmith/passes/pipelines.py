"""The passes, in order, by stage. Nothing is found by scanning: what is not listed here does not run."""

from __future__ import annotations

from tinsmith.passes.base import Pass
from tinsmith.passes.binarize_early import BinarizeEarly
from tinsmith.passes.binary_layers import BinaryLayers
from tinsmith.passes.clip_bounds import ClipBounds
from tinsmith.passes.conv_bias import ConvBias
from tinsmith.passes.curves import Curves
from tinsmith.passes.dead_code import DeadCode
from tinsmith.passes.drop_identity import DropIdentity
from tinsmith.passes.explicit_windows import ExplicitWindows
from tinsmith.passes.fold_affine import FoldAffine
from tinsmith.passes.fold_pads import FoldPads
from tinsmith.passes.grid_pairs import GridPairs
from tinsmith.passes.lower_exact import LowerExact
from tinsmith.passes.matmul_to_gemm import MatMulToGemm
from tinsmith.passes.merge_clips import MergeClips
from tinsmith.passes.pool_forms import PoolForms
from tinsmith.passes.prelu_forms import PReluForms
from tinsmith.passes.product_forms import ProductForms
from tinsmith.passes.prove_ranges import ProveRanges
from tinsmith.passes.reshape_forms import ReshapeForms
from tinsmith.passes.scale_after_moves import ScaleAfterMoves
from tinsmith.passes.signals_to_images import SignalsToImages
from tinsmith.passes.slices_to_conv import SlicesToConv
from tinsmith.passes.softmax_last import SoftmaxLast
from tinsmith.passes.transpose_forms import TransposeForms
from tinsmith.passes.transposed_convs import TransposedConvs
from tinsmith.passes.warn_of_bytes import WarnOfBytes

CANONICAL: tuple[type[Pass], ...] = (
    Curves,
    TransposeForms,
    ReshapeForms,
    DropIdentity,
    TransposedConvs,
    SignalsToImages,
    PoolForms,
    PReluForms,
    ProductForms,
    GridPairs,
    ClipBounds,
    MergeClips,
    ExplicitWindows,
    SlicesToConv,
    FoldPads,
    MatMulToGemm,
    ScaleAfterMoves,
    BinarizeEarly,
    FoldAffine,
    ConvBias,
    BinaryLayers,
    SoftmaxLast,
    # Reshapes that the passes above put in may meet others.
    ReshapeForms,
    DropIdentity,
    DeadCode,
)
"""IMPORTED → CANONICAL: floating point, few operators, everything explicit."""

EXACT: tuple[type[Pass], ...] = (LowerExact, ProveRanges, WarnOfBytes)
"""QUANTIZED → EXACT: integers, every range proved."""
