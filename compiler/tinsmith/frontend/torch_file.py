"""`file.py:name`: runs the user's function, exports the module it returns, and says in the user's terms what fails."""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib.util
import io
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinsmith.errors import TinsmithError
from tinsmith.frontend.names import FRAME
from tinsmith.ir.domain import OPSET

if TYPE_CHECKING:
    import onnx


def export(file: Path, name: str) -> onnx.ModelProto:
    """The model that function `name` of `file` returns, as torch's exporter writes it (opset 18, not optimized).

    The function takes nothing and returns (module, example_inputs); example_inputs is a tensor, a tuple of tensors, or
    a dict of tensors by argument name. The module is switched to inference (`eval`).

    Raises:
        TinsmithError: torch or the file or the function is missing, what it returns is no module, or it fails.
    """
    check_file(file, name)
    module, args, kwargs = build(file, name)
    with _user_code(file.resolve()), _blame(file, f"{file}:{name}", "PyTorch cannot export the module"):
        return export_module(module, args, kwargs)


def check_file(file: Path, name: str) -> None:
    """Before anything runs: the file is there, is Python, has a function `name`, and torch is installed.

    Raises:
        TinsmithError: one of these is not so.
    """
    _check_names(file, name)
    _check_torch(f"{file}:{name}")


def build(file: Path, name: str) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Run function `name` of `file`: the module that it returns, and the example inputs by place and by name.

    Raises:
        TinsmithError: the file or the function fails, or what it returns is no module with example inputs.
    """
    where = f"{file}:{name}"
    return _example(_call(_load(file, name), file, where), where)


def export_module(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> onnx.ModelProto:
    """A module in inference as torch's exporter writes it (opset 18, not optimized).

    Layers that training made are one operator of `ai.tinsmith.trained` each.
    """
    import torch

    from tinsmith.train.frozen import freeze

    options = {"dynamo": True, "optimize": False, "verbose": False, "opset_version": OPSET}
    with _quiet():
        program = torch.onnx.export(freeze(module, args, kwargs), args, kwargs=kwargs or None, **options)
    proto: onnx.ModelProto = program.model_proto
    return proto


def _check_names(file: Path, name: str) -> None:
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise TinsmithError(f"cannot be read: {error.strerror}", where=str(file), fix="check the path") from error
    except (SyntaxError, ValueError) as error:
        raise TinsmithError(f"is not valid Python: {error}", where=str(file)) from error
    functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    bound = {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom | ast.Import) for a in n.names}
    assigned = {
        t.id: n.value for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
    }
    if name not in {*functions, *bound, *assigned}:
        made = [n for n, value in assigned.items() if isinstance(value, ast.Call)]  # such as partial(function, …)
        near = difflib.get_close_matches(name, functions + made, n=3, cutoff=0.4) or functions
        fix = ", ".join(f"{file}:{n}" for n in near) or "define a function that returns (module, example_inputs)"
        raise TinsmithError(f"has no function {name!r}", where=str(file), fix=fix)


def _check_torch(where: str) -> None:
    if importlib.util.find_spec("torch") is None:
        why = "models from Python files are exported by PyTorch, which is not installed"
        raise TinsmithError("PyTorch is missing", where=where, why=why, fix="pip install 'tinsmith[torch]'")


def _load(file: Path, name: str) -> Callable[[], Any]:
    """Import the user's file under a name of its own, with its folder on the path and no bytecode left behind."""
    path = file.resolve()
    spec = importlib.util.spec_from_file_location(f"tinsmith_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise TinsmithError("cannot be imported", where=str(file))
    module = importlib.util.module_from_spec(spec)
    with _user_code(path), _blame(file, f"{file}:{name}", "the file fails on import"):
        sys.modules[module.__name__] = module
        spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise TinsmithError(f"{name!r} is not a function", where=str(file))
    return _within(path, function)


def _within(path: Path, function: Callable[[], Any]) -> Callable[[], Any]:
    def call() -> Any:
        with _user_code(path):
            return function()

    return call


def _call(function: Callable[[], Any], file: Path, where: str) -> Any:
    with _blame(file, where, "the function fails"):
        return function()


def _example(returned: Any, where: str) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    import torch

    shape = "it must return (module, example_inputs)"
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise TinsmithError(f"returned {type(returned).__name__}", where=where, why=shape)
    module, example = returned
    if not isinstance(module, torch.nn.Module):
        what = f"the first value it returned is {type(module).__name__}, not a torch.nn.Module"
        raise TinsmithError(what, where=where, why=shape)
    kwargs = dict(example) if isinstance(example, dict) else {}
    args = () if kwargs else tuple(example) if isinstance(example, tuple | list) else (example,)
    wrong = [type(x).__name__ for x in (*args, *kwargs.values()) if not isinstance(x, torch.Tensor)]
    if wrong or not (args or kwargs):
        what = f"the example inputs hold {', '.join(wrong) or 'nothing'}"
        raise TinsmithError(what, where=where, why="they must be tensors: one, a tuple, or a dict by argument name")
    return module, args, kwargs


@contextlib.contextmanager
def _user_code(path: Path) -> Iterator[None]:
    """The user's folder is importable, and Python writes no __pycache__ into it."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(path.parent))
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
        sys.path.remove(str(path.parent))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's notes on its own progress, and its dumps of graphs, are not the user's concern."""
    before, nowhere = logging.root.manager.disable, io.StringIO()
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _blame(file: Path, where: str, what: str) -> Iterator[None]:
    """Turn whatever the user's code raises into one error that names the user's line."""
    try:
        yield
    except TinsmithError:
        raise
    except Exception as error:  # the user's code may raise anything at all
        cause = _root(error)
        message = str(cause).strip().splitlines()
        why = f"{type(cause).__name__}: {message[0]}" if message else type(cause).__name__
        line = _user_line(error, file)
        raise TinsmithError(
            what, where=f"{file}:{line}" if line else where, why=why, fix="run the module by hand"
        ) from error


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _user_line(error: BaseException, file: Path) -> int | None:
    """The innermost line of the user's file among the frames and the message of the error and of its causes."""
    chain: list[BaseException] = []
    step: BaseException | None = error
    while step is not None:
        chain.append(step)
        step = step.__cause__
    for step in reversed(chain):
        frames = traceback.extract_tb(step.__traceback__)
        lines = [f.lineno for f in frames if f.lineno and Path(f.filename) == file.resolve()]
        named = [int(n) for f, n in FRAME.findall(str(step)) if Path(f) == file.resolve()]
        if named or lines:
            return (named or lines)[-1]
    return None
