"""recipe.toml: what to do to which layer."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tinsmith.errors import Problem, TinsmithError
from tinsmith.patterns import check_patterns, matches
from tinsmith.settings import from_table, overlaid

Calibrator = Literal["min-max", "percentile", "mse"]
WeightScales = Literal["per-channel", "per-tensor"]
Output = Literal["8-bit", "accumulator"]
Activations = Literal["8-bit", "16-bit"]
Scales = Literal["real", "power-of-two"]
POWERS_OF_TWO = "power-of-two"

_CALIBRATOR = (
    "How the range of an activation follows from the calibration samples. "
    "`min-max`: the smallest and largest value seen. `percentile`: the range that holds `percentile` % of the values. "
    "`mse`: the range with the least mean squared error of the 8-bit values."
)
_PERCENTILE = "Percent of the values that calibrator `percentile` keeps inside the range; above 50, at most 100."
_ASYMMETRIC = (
    "Whether a zero point other than 0 may be chosen. Finer where the values are far from centred; "
    "refused by FPGA targets, whose padding needs zero point 0."
)
_WEIGHTS = "One weight scale per output channel (`per-channel`) or one for the whole tensor (`per-tensor`)."
_SCALES = (
    "Which scales may be chosen: any (`real`), or `power-of-two`: less accurate, and requantization is then a shift, "
    "without a multiplier. Weights have one scale a tensor then, since all channels share the shift."
)
_BITS = (
    "Bits of weights and activations of layers whose weights are real numbers: 8. "
    "Fewer are trained (docs/training.md), and layers that were trained so keep theirs whatever stands here."
)
_SHIFT = "tinsmith.train.shift"
_RANGE = (
    "The range [low, high] of the layer's output in real values, instead of the calibrated one. "
    "It is widened to hold 0. No default: the range is calibrated."
)
_OUTPUT = (
    "What the layer puts out: `8-bit` values (16 where `activations` says so), or its `accumulator`, all 32 bits of "
    "the sum, which only a convolution or linear layer at the end of the network can; its weights then have one scale "
    "for all channels."
)
_ACTIVATIONS = (
    "Bits of what a layer puts out, and of model inputs: `8-bit`, or `16-bit` (int16, zero point 0), which "
    "convolutions and linear layers make and read, and Reshape, Transpose and Concat move. For the whole network, and "
    "for a pattern, it holds where nothing else makes or reads the tensor; a layer's own name insists."
)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @field_validator("bits", check_fields=False)
    @classmethod
    def _only_8_bits(cls, bits: int | None) -> int | None:
        if bits in (None, 8):
            return bits
        trainer = {1: "tinsmith.train.binarize", 2: _SHIFT, 3: _SHIFT, 4: _SHIFT}.get(bits or 0)
        fix = f"; train it with {trainer}" if trainer else ""
        raise ValueError(f"a layer of real weights cannot be made {bits} bit after training{fix}")


class LayerOverride(_Settings):
    """What the layers that a pattern matches do differently. A key left out keeps the global value."""

    calibrator: Calibrator | None = Field(default=None, description=_CALIBRATOR)
    percentile: float | None = Field(default=None, gt=50, le=100, description=_PERCENTILE)
    asymmetric: bool | None = Field(default=None, description=_ASYMMETRIC)
    weights: WeightScales | None = Field(default=None, description=_WEIGHTS)
    bits: int | None = Field(default=None, description=_BITS)
    range: list[float] | None = Field(default=None, min_length=2, max_length=2, description=_RANGE)
    output: Output | None = Field(default=None, description=_OUTPUT)
    activations: Activations | None = Field(default=None, description=_ACTIVATIONS)

    @model_validator(mode="after")
    def _range_is_ordered(self) -> Self:
        if self.range is not None and not -3e38 < self.range[0] < self.range[1] < 3e38:
            raise ValueError(f"range {self.range} is not [low, high] with low < high, both finite")
        return self


class LayerSettings(_Settings):
    """What holds for one layer, after all overrides."""

    calibrator: Calibrator
    percentile: float
    asymmetric: bool
    weights: WeightScales
    scales: Scales
    bits: int
    activations: Activations
    insists: bool = False
    """Whether the recipe names the layer, rather than match it, to say how many bits its activations have."""
    range: list[float] | None = None
    output: Output = "8-bit"

    @property
    def asks_for_16_bits(self) -> bool:
        """Whether the layer's activations should have 16 bits."""
        return self.activations == "16-bit"

    @property
    def powers_of_two(self) -> bool:
        """Whether every scale is a power of two."""
        return self.scales == POWERS_OF_TWO


class Recipe(_Settings):
    """A whole recipe. `Recipe()` is what holds without a recipe.toml."""

    calibrator: Calibrator = Field(default="mse", description=_CALIBRATOR)
    percentile: float = Field(default=99.99, gt=50, le=100, description=_PERCENTILE)
    asymmetric: bool = Field(default=False, description=_ASYMMETRIC)
    weights: WeightScales = Field(default="per-channel", description=_WEIGHTS)
    scales: Scales = Field(default="real", description=_SCALES)
    bits: int = Field(default=8, description=_BITS)
    activations: Activations = Field(default="8-bit", description=_ACTIVATIONS)
    layers: dict[str, LayerOverride] = Field(
        default_factory=dict,
        description="Overrides by layer name, name of a model input, or pattern (`*`, `?`, `[…]`). "
        "Where several match, a later one wins, key by key. Default: none.",
    )
    targets: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="What targets are told besides the network (`--set`), by name or pattern; read by `compile`. "
        'Keys of single layers stand in tables `layers."pattern"`. Default: none.',
    )

    @field_validator("targets")
    @classmethod
    def _targets_are_settings(cls, targets: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for table in targets.values():
            from_table(table)
        return targets

    @model_validator(mode="after")
    def _one_shift_for_all_channels(self) -> Self:
        given = "weights" in self.model_fields_set and self.weights == "per-channel"
        given |= any(override.weights == "per-channel" for override in self.layers.values())
        if self.scales == POWERS_OF_TWO and given:
            raise ValueError('weights = "per-channel" beside scales = "power-of-two": all channels share one shift')
        return self

    @property
    def quantizes(self) -> bool:
        """Whether it says anything that quantization reads."""
        return bool(self.model_fields_set - {"targets"})

    def told(self, target: str) -> dict[str, str]:
        """The settings of a target; where several tables match it, a later one wins, key by key."""
        found: dict[str, str] = {}
        for pattern, table in self.targets.items():
            if matches(pattern, target):
                found = overlaid(found, from_table(table))
        return found

    def settings(self, names: Iterable[str]) -> LayerSettings:
        """What holds for the layer that is known by `names` (a convolution and its fused ReLU have a name each)."""
        values: dict[str, Any] = self.model_dump(exclude={"layers", "targets"})
        known = list(names)
        for pattern, override in self.layers.items():
            if any(matches(pattern, name) for name in known):
                values |= override.model_dump(exclude_none=True)
                if override.activations is not None:
                    values["insists"] = pattern in known
        if self.scales == POWERS_OF_TWO:
            values["weights"] = "per-tensor"
        return LayerSettings(**values)

    def check_patterns(self, names: Sequence[str], where: str = "recipe") -> None:
        """Raise `TinsmithError` for every pattern that matches none of `names`, with the nearest of them."""
        check_patterns({key: f'{where}, [layers."{key}"]' for key in self.layers}, names, kind="layer")

    def check_targets(self, names: Iterable[str], where: str = "recipe") -> None:
        """Raise `TinsmithError` for every pattern of `targets` that matches none of `names`."""
        check_patterns({key: f'{where}, [targets."{key}"]' for key in self.targets}, names, kind="target")


def load_recipe(path: str | Path | None) -> Recipe:
    """The recipe in a TOML file; `None` gives the default recipe.

    Raises:
        TinsmithError: the file cannot be read or is not TOML, or, all at once, unknown keys (with the nearest key)
            and values of a wrong type or outside their limits.
    """
    if path is None:
        return Recipe()
    try:
        text = Path(path).read_bytes().decode("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise TinsmithError(
            f"cannot read the recipe: {error.strerror}", where=str(path), fix="check the path"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TinsmithError(
            f"the recipe is not TOML: {error}", where=str(path), fix="docs/recipe.md shows a whole recipe"
        ) from error
    return parse_recipe(table, str(path))


def parse_recipe(table: dict[str, Any], where: str = "recipe") -> Recipe:
    """The recipe that a table of a TOML file holds; raises `TinsmithError` with everything that is wrong in it."""
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        raise TinsmithError([_problem(dict(detail), where) for detail in error.errors()]) from error


def _problem(detail: dict[str, Any], where: str) -> Problem:
    """One of pydantic's findings as a sentence of ours."""
    path = [str(part) for part in detail["loc"]]
    in_layer = len(path) > 1 and path[0] == "layers"
    model = LayerOverride if in_layer else Recipe
    table = f'[layers."{path[1]}"]' if in_layer else ""
    key = ".".join(path[2:] if in_layer else path)
    place = ", ".join(part for part in (where, table) if part)
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, model.model_fields, n=1, cutoff=0.4)
        fix = f"did you mean {near[0]!r}?" if near else "known keys: " + ", ".join(model.model_fields)
        return Problem(f"unknown key {key!r}", where=place, why="a recipe has no key of this name", fix=fix)
    message = str(detail["msg"]).removeprefix("Value error, ")
    field = model.model_fields.get(key.split(".")[0])
    fix = field.description or "" if field else "docs/recipe.md lists every key"
    return Problem(f"{key} = {detail['input']!r}: {message}" if key else message, where=place, fix=fix)
