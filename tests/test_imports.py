"""The arrows between packages, and what a plain `tinsmith --help` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from processor_time import least_seconds
from small_net import small_net

ROOT = Path(__file__).parents[1]
COMPILER = ROOT / "compiler" / "tinsmith"
EXTRAS = {"torch", "tvm", "wasmtime", "ziglang", "sklearn"}
HEAVY = {"google", "jinja2", "onnx", "onnx_ir", "onnxruntime", "onnxscript"}
SECONDS = 0.5


def imported(tree: ast.AST) -> set[str]:
    """Top-level packages that a syntax tree imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def sources(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found
    return found


def test_the_compiler_never_imports_a_backend() -> None:
    guilty = [path for path in sources(COMPILER) if "tinsmith_backends" in imported(ast.parse(path.read_text()))]
    assert guilty == []


VERBS = [["--help"], ["targets"], ["compile", "--help"], ["ops", "net.onnx", "--target", "wasm"]]


def start(arguments: list[str], folder: Path, after: str = "") -> str:
    """Runs a verb with every extra blocked, as where none is installed; gives stdout."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(EXTRAS)!r})); sys.argv = ['tinsmith', *{arguments!r}]\n"
        f"from tinsmith.cli.main import main\ntry: main()\nexcept SystemExit as ended: code = ended.code\n"
        f"else: code = 0\n{after}\nsys.exit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("arguments", VERBS, ids=" ".join)
def test_starts_without_extras_and_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    small_net(tmp_path / "net.onnx")
    heavy = HEAVY if arguments[0] != "ops" else HEAVY - {"onnx", "google"}
    out = start(arguments, tmp_path, f"print('imported:', sorted(set({sorted(heavy)!r}) & sys.modules.keys()))")
    assert out.endswith("imported: []\n"), out.splitlines()[-1]
    assert len(out.splitlines()) > 1


@pytest.mark.slow
@pytest.mark.parametrize("arguments", VERBS, ids=" ".join)
def test_starts_in_half_a_second(arguments: list[str], tmp_path: Path) -> None:
    small_net(tmp_path / "net.onnx")
    assert least_seconds(lambda: start(arguments, tmp_path)) < SECONDS
