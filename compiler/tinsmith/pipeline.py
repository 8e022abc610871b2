"""From a model to an exact graph, and from an exact graph to a build folder, in named steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tinsmith.artefact import EXACT_NAME, VECTORS_NAME
from tinsmith.backend import Arrays, Backend, Registry
from tinsmith.errors import TinsmithError
from tinsmith.exact_file import save_exact
from tinsmith.fidelity import note_fidelity, noted_fidelity
from tinsmith.output import build_files, replace_file, replace_folder
from tinsmith.progress import Progress
from tinsmith.settings import Settings, check_layers, overlaid
from tinsmith.toolcheck import require_tools

if TYPE_CHECKING:
    import onnx_ir as ir

    from tinsmith.estimates import Estimate
    from tinsmith.recipe import Recipe
    from tinsmith.report.model import Report

SampleSource = str | Path | Mapping[str, npt.NDArray[Any]]
"""An .npz file or arrays: one array a model input, by name, samples first."""
Shapes = Mapping[str, tuple[int, ...]]
"""Shape of a model input by name, for inputs that have a dynamic one."""

CALIBRATION_NAME = "calibrate.npz"
"""Calibration samples that lie beside a model, as `tinsmith train` leaves them."""
VECTORS = 8
"""Samples that a build keeps with the oracle's answers."""
_STEPS_AROUND_BUILD = 2
_EXPORTERS_NAMES = ("", "graph", "main_graph", "tf2onnx", "torch_jit", "torch-jit-export")
"""Names that exporters give to every graph."""


@dataclass(frozen=True)
class Exact:
    """An exact graph and the calibration samples that it is tried with (none for an exact file without any)."""

    model: ir.Model
    samples: tuple[Arrays, ...]


def quantize(
    model: str | Path,
    calibrate: SampleSource | None,
    out: str | Path,
    *,
    recipe: str | Path | None = None,
    shapes: Shapes | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make the exact graph that every target takes.

    Args:
        model: an .onnx file or `file.py:name`.
        calibrate: calibration samples; None for those that training left beside the model.
        out: the .onnx file to write.
        recipe: recipe.toml; None is the default recipe.
        shapes: shapes of inputs that have dynamic dimensions.
        progress: where to announce the steps; None is silent.

    Returns:
        `out`.

    Raises:
        TinsmithError: the model or the samples cannot be taken (every reason), or `out` cannot be written.
    """
    from tinsmith.recipe import load_recipe

    progress = progress or Progress(0, quiet=True)
    progress.expect(1)
    read = load_recipe(recipe)
    sources = [Path(str(source).partition(":")[0]) for source in (model, calibrate) if isinstance(source, str | Path)]
    with replace_file(Path(out), suffix=".onnx", keep=tuple(sources)) as partial:
        exact = make_exact(model, calibrate, recipe=read, shapes=shapes, progress=progress)
        with progress.step("write the exact graph"):
            save_exact(exact.model, partial)
    return Path(out)


def compile(
    model: str | Path,
    target: str,
    out: str | Path,
    *,
    calibrate: SampleSource | None = None,
    recipe: str | Path | None = None,
    shapes: Shapes | None = None,
    name: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> Report:
    """Build a model for a target into a folder.

    Args:
        model: an .onnx file, `file.py:name`, or an exact graph that `quantize` wrote.
        target: a name of `tinsmith targets`.
        out: the folder to make, or an earlier build to replace.
        calibrate: calibration samples; None takes `calibrate.npz` beside the .onnx file. An exact graph needs none,
            and only takes its test vectors from them.
        recipe: recipe.toml; None is the default recipe. An exact graph takes one that only speaks of targets.
        shapes: shapes of inputs that have dynamic dimensions. An exact graph takes none.
        name: name of the network in the generated code; None is the model's own.
        settings: what the target is told besides, by key, as in `--set KEY=VALUE`; they win over the recipe's.
        progress: where to announce the steps; None is silent.
        registry: which backends there are; None is every installed one.

    Returns:
        The report of the build, as in its report.json.

    Raises:
        TinsmithError: no target has that name, a tool is missing, the model, the samples or the folder cannot be
            taken, or the target cannot take the graph; with every reason.
    """
    progress = progress or Progress(0, quiet=True)
    backend, read, settings = _told(target, recipe, settings or {}, registry or Registry.load())
    wanted = backend.targets[target]
    require_tools(wanted, "compile")
    progress.expect(wanted.steps + _STEPS_AROUND_BUILD)
    with replace_folder(Path(out)) as partial:
        exact = make_exact(model, calibrate, recipe=read, shapes=shapes, progress=progress)
        if name is not None:
            exact.model.graph.name = name
        made = Registry({target: backend})
        return build(exact, target, partial, settings=settings, progress=progress, registry=made)


def estimate(
    model: str | Path,
    target: str,
    *,
    calibrate: SampleSource | None = None,
    recipe: str | Path | None = None,
    shapes: Shapes | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> Estimate:
    """What a model would take on a target, without building it or asking any tool; arguments as in `compile`.

    Raises:
        TinsmithError: as in `compile`, or the target has no model of what networks take.
    """
    from tinsmith.estimates import estimating
    from tinsmith.ir.reader import read_exact

    progress = progress or Progress(0, quiet=True)
    backend, read, settings = _told(target, recipe, settings or {}, registry or Registry.load())
    estimator = estimating(backend, target)
    progress.expect(1)
    exact = make_exact(model, calibrate, recipe=read, shapes=shapes, progress=progress)
    graph = read_exact(exact.model)
    check_layers(settings, [layer.name for layer in graph.layers])
    with progress.step("estimate"):
        if problems := backend.problems(graph, target):
            raise TinsmithError(problems)
        return estimator.estimate(graph, target)


def _told(
    target: str, recipe: str | Path | None, settings: Settings, known: Registry
) -> tuple[Backend, Recipe, Settings]:
    """The backend of a target with everything that the recipe and `settings` tell it; the recipe; what was told."""
    from tinsmith.recipe import load_recipe

    read = load_recipe(recipe)
    backend, _ = known.target(target)
    read.check_targets(known.backends)
    told = overlaid(read.told(target), settings)
    return backend.configured(target, told), read, told


def build(
    exact: Exact, target: str, folder: Path, *, settings: Settings, progress: Progress, registry: Registry
) -> Report:
    """Fill the empty `folder` with the artefact, the exact graph, test vectors and the report."""
    from tinsmith.ir.reader import read_exact
    from tinsmith.ir.warnings import warnings_of
    from tinsmith.report.make import make_report
    from tinsmith.report.write import REPORT_FILES, write_report
    from tinsmith.vectors import Vectors, write_vectors
    from tinsmith.verify.oracle import Oracle
    from tinsmith.verify.samples import generated

    backend, wanted = registry.target(target)
    graph = read_exact(exact.model)
    check_layers(settings, [layer.name for layer in graph.layers])
    problems = backend.problems(graph, target)
    if problems:
        raise TinsmithError(problems)
    built = backend.build(graph, target, folder, progress.step)
    with progress.step("write the exact graph and test vectors"):
        save_exact(exact.model, folder / EXACT_NAME)
        samples = list(exact.samples[:VECTORS]) or generated(graph, VECTORS)
        oracle = Oracle(folder / EXACT_NAME)
        answers = [oracle.run(sample) for sample in samples]
        outputs = [{name: answer[name] for name in graph.outputs} for answer in answers]
        write_vectors(Vectors(tuple(samples), tuple(outputs)), folder / VECTORS_NAME)
        backend.write_vectors(graph, target, folder, samples, answers)
    with progress.step("write the report"):
        files, warned = [*build_files(folder), *REPORT_FILES], warnings_of(exact.model)
        noted = noted_fidelity(exact.model)
        report = make_report(graph, built, wanted, sqnr_db=noted, files=files, settings=settings, warned=warned)
        write_report(report, folder)
    return report


def make_exact(
    model: str | Path,
    calibrate: SampleSource | None,
    *,
    recipe: Recipe | None = None,
    shapes: Shapes | None = None,
    progress: Progress,
) -> Exact:
    """The exact graph of a model, or the one that an exact file holds; arguments as in `compile`."""
    from tinsmith.calibration_data import count, input_shapes, iterate, load_samples
    from tinsmith.frontend import canonicalize, load
    from tinsmith.ir.stages import is_exact
    from tinsmith.numerics.float_run import FloatRun
    from tinsmith.passes.lower_exact import lower
    from tinsmith.passes.quantize import quantize as quantize_pass
    from tinsmith.recipe import Recipe

    recipe = recipe or Recipe()
    progress.expect(5)
    with progress.step("load the model"):
        loaded = load(model, shapes)
    if is_exact(loaded):
        progress.expect(-4)
        return _taken_as_it_is(loaded, calibrate, recipe=recipe, shapes=shapes, where=str(model))
    calibrate, origin = _calibration(model, calibrate)
    progress.expect(0 if calibrate is not None else -1)
    loaded.graph.name = network_name(model, loaded.graph.name or "")
    with progress.step("canonicalize"):
        loaded = canonicalize(loaded)
    samples = None if calibrate is None else load_samples(calibrate, input_shapes(loaded))
    floating = FloatRun(loaded)
    how = "" if samples is None else f"calibrate with {count(samples)} samples{origin} and "
    with progress.step(f"{how}quantize"):
        quantize_pass(loaded, samples, recipe)
    with progress.step("lower to integers and prove ranges"):
        lower(loaded)
    if samples is None:
        return Exact(loaded, ())
    with progress.step("measure the fidelity of every layer"):
        note_fidelity(loaded, floating, samples)
    return Exact(loaded, tuple(islice(iterate(samples), VECTORS)))


def _calibration(model: str | Path, calibrate: SampleSource | None) -> tuple[SampleSource | None, str]:
    """The samples to calibrate with, and where they come from if nobody named them: what training left, or none."""
    left = Path(model).with_name(CALIBRATION_NAME)
    if calibrate is None and str(model).endswith(".onnx") and left.is_file():
        return left, f" of {left}"
    return calibrate, ""


def network_name(model: str | Path, graph_name: str) -> str:
    """What a network is called: the Python function, else the graph's name, else the file if an exporter chose that."""
    file, colon, function = str(model).rpartition(":")
    if colon and file.endswith(".py"):
        return function
    return Path(model).stem if graph_name in _EXPORTERS_NAMES else graph_name


def _taken_as_it_is(
    model: ir.Model, calibrate: SampleSource | None, *, recipe: Recipe, shapes: object, where: str
) -> Exact:
    """An exact graph needs no quantization: samples become test vectors, what it needs would change nothing."""
    from tinsmith.calibration_data import input_shapes, iterate, load_samples

    why = "this model is an exact graph already: it is quantized and its shapes are fixed"
    if recipe.quantizes:
        fix = "leave it out, or give a recipe that has [targets] only"
        raise TinsmithError("--recipe has no effect", where=where, why=why, fix=fix)
    if shapes:
        raise TinsmithError("--shape has no effect", where=where, why=why, fix="leave --shape out")
    if calibrate is None:
        return Exact(model, ())
    samples = load_samples(calibrate, input_shapes(model), purpose="test vector")
    return Exact(model, tuple(islice(iterate(samples), VECTORS)))
