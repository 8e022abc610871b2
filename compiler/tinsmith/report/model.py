"""What report.json says: one pydantic model, from which the schema in report/schema.json is generated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Bytes = Annotated[int, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemoryReport(_Record):
    """Memory of the artefact, in bytes."""

    arena_bytes: Bytes = Field(description="Working memory that one inference needs, given by the caller.")
    arena_lower_bound_bytes: Bytes = Field(description="Largest sum of tensors that live at one moment.")
    weight_bytes: Bytes = Field(description="Constants: weights, biases, multipliers and tables, as packed.")
    code_bytes: Bytes = Field(description="Machine code, without constants.")


class LayerReport(_Record):
    """One layer of the exact graph and what the backend made of it."""

    name: str = Field(description="Unique name, from the ONNX node or the torch module.")
    source: str = Field(description="Python file and line, or the ONNX nodes that were merged into the layer.")
    op: str = Field(description="Operator of the exact graph.")
    shape: tuple[int, ...] = Field(description="Shape of its output in ONNX order.")
    weight_bits: int = Field(ge=0, description="Bits of one weight; 0 where the layer has no weights.")
    input_bits: int = Field(ge=1, description="Bits of one element of its widest input.")
    activation_bits: int = Field(ge=1, description="Bits of one element of its output.")
    density: float | None = Field(ge=0, le=1, description="Share of weights that are not zero; null without weights.")
    macs: int = Field(ge=0, description="Multiply-accumulates of one inference.")
    multipliers: int = Field(ge=0, description="Constants of its requantization that are no powers of two.")
    weight_bytes: Bytes = Field(description="Bytes of its constants in the artefact.")
    kernel: str = Field(description="Kernels that compute it; empty where nothing is computed.")


class LayerWarning(_Record):
    """Something about one layer that the user should know, such as why it stayed 8 bit."""

    name: str = Field(description="Name of the layer.")
    text: str = Field(description="What happened and why.")


class LayerAccuracy(_Record):
    """How far the integers of one layer are from the float model's values, over the calibration samples."""

    name: str
    sqnr_db: float | None = Field(description="Signal-to-quantization-noise ratio in dB; null where it is infinite.")


class AccuracyReport(_Record):
    """Fidelity to the float model; `layers` is empty for a graph that carries no such measurement."""

    layers: tuple[LayerAccuracy, ...] = ()


class Report(_Record):
    """One build."""

    generator: Literal["tinsmith"] = Field(description="Marks the folder as a build that may be replaced.")
    version: str = Field(description="Version of Tinsmith that wrote it.")
    name: str = Field(description="Name of the network.")
    target: str
    runner: str = Field(description="How `tinsmith verify` runs it unless told otherwise.")
    settings: dict[str, str] = Field(description="What the target was told besides the network.")
    macs: int = Field(ge=0, description="Multiply-accumulates of one inference.")
    memory: MemoryReport
    layers: tuple[LayerReport, ...]
    warnings: tuple[LayerWarning, ...] = Field(description="What fell short of what was asked for, layer by layer.")
    accuracy: AccuracyReport
    files: tuple[str, ...] = Field(description="Every file of the build, relative to its folder.")
