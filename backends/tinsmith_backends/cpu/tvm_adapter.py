"""Turns kernels into machine code or C text with TVM, in a process of its own.

The functions have a plain C ABI: int32 scalars and typed pointers, no TVM runtime, no undefined symbol. TVM's code
generator aborts its process on an instruction that the target lacks, so it never runs inside the caller's.
"""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, overload

from tinsmith.errors import TinsmithError

from tinsmith_backends.cpu.kernels.base import Isa, Kernel
from tinsmith_backends.cpu.kernels.isa import ISAS, IsaInfo
from tinsmith_backends.cpu.kernels.signatures import WRITTEN

_READ_ONLY = re.compile(rf"(\w+ \*)(?!(?:restrict )?(?:{'|'.join(WRITTEN)})\b)")
"""Pointer parameters that a kernel does not write."""
_HELPERS = {b"__truncsfhf2": b"tinsmith_f16", b"__extendhfsf2": b"tinsmith_f16x"}
"""Weak functions that TVM adds to every object, by the names of a compiler's own but not by its calling convention: a
program that converts half floats would call them by mistake. The new names have the old lengths."""
_TAIL = 1500
"""Characters of the code generator's last words that an error quotes."""


@overload
def compile_kernels(kernels: Sequence[Kernel], isa: Literal["scalar"]) -> str: ...


@overload
def compile_kernels(kernels: Sequence[Kernel], isa: Isa) -> bytes | str: ...


def compile_kernels(kernels: Sequence[Kernel], isa: Isa) -> bytes | str:
    """Compile kernels into one relocatable object file, or into C11 source text for the isa "scalar".

    Kernels with one symbol are compiled once. The order of the result is that of the symbols, so equal sets of
    kernels give equal bytes. Raises `TinsmithError` that names the kernel where the code generator dies.
    """
    unique = [kernel for _, kernel in sorted({k.symbol: k for k in kernels}.items())]
    output, failure = _run_worker(unique, isa)
    if failure:
        raise _blame(unique, isa, failure)
    return output.decode("ascii") if isa == "scalar" else output


def _run_worker(kernels: Sequence[Kernel], isa: Isa) -> tuple[bytes, str]:
    """Output of the worker process and, when it failed, its last words."""
    command = [sys.executable, "-m", "tinsmith_backends.cpu.tvm_adapter"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONHASHSEED": "0"}
    request = pickle.dumps((list(kernels), isa))
    done = subprocess.run(command, input=request, capture_output=True, env=environment, check=False)
    if done.returncode == 0:
        return done.stdout, ""
    words = done.stderr.decode(errors="replace").strip()[-_TAIL:]
    return b"", f"exit status {done.returncode}: {words}"


def _blame(kernels: Sequence[Kernel], isa: Isa, failure: str) -> TinsmithError:
    """The error for a failed compilation, naming the first kernel that fails alone."""
    if "No module named 'tvm'" in failure:
        return TinsmithError(
            "the package tvm is missing", why="it generates the code of the kernels", fix="pip install 'tinsmith[cpu]'"
        )
    for kernel in kernels:
        alone = _run_worker([kernel], isa)[1] if len(kernels) > 1 else failure
        if alone:
            return TinsmithError(
                f"the code generator failed on kernel {kernel.symbol}",
                where=f"instruction set {isa}",
                why=alone,
                fix="another --target; this is a defect of the kernel, please report it with this message",
            )
    return TinsmithError("the code generator failed", where=f"instruction set {isa}", why=failure)


def _target_options(info: IsaInfo) -> dict[str, Any]:
    if not info.triple:
        return {"kind": "c"}
    options: dict[str, Any] = {"kind": "llvm", "mtriple": info.triple}
    if info.features:
        options["mattr"] = list(info.features)
    if info.cpu:
        options["mcpu"] = info.cpu
    if info.triple.startswith("thumb"):
        options["mfloat-abi"] = "soft"
    if info.generator_options:
        options["cl-opt"] = list(info.generator_options)
    # Said for every target, because a default that TVM picks comes with a warning.
    options["vector-width"] = 8 * info.vector_bytes if info.vector_bytes else 128
    return options


def _generate(kernels: Sequence[Kernel], isa: Isa) -> bytes:
    """Runs in the worker: TIR of all kernels to one module to bytes."""
    import tvm
    from tvm import tirx
    from tvm.target import Target

    target = Target(_target_options(ISAS[isa]))
    module = tvm.IRModule({kernel.symbol: kernel.prim_func() for kernel in kernels})
    module = tirx.transform.BindTarget(target.with_host(target))(module)
    with target:
        module = tirx.transform.LowerIntrin()(module)
    built = tvm.get_global_func("target.build." + target.kind.name)(module, target)
    if isa == "scalar":
        return _plain_c(built.inspect_source(), [kernel.symbol for kernel in kernels if kernel.in_place]).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernels.o"
        built.write_to_file(str(path), "o")
        data = path.read_bytes()
    for foreign, private in _HELPERS.items():
        data = data.replace(foreign, private)
    return data


def _plain_c(source: str, in_place: Sequence[str]) -> str:
    """TVM's C text as freestanding C11: without TVM's headers, and with the qualifiers of the kernels' signatures.

    Everything that a kernel only reads becomes const; every pointer becomes restrict, except in the kernels named by
    `in_place`, whose output may lie on an input.
    """
    foreign = ("#", "//", "void* __tvm_ffi__library_ctx", 'extern "C"')
    lines = [line for line in source.splitlines() if not line.startswith(foreign)]
    text = re.sub(r"\b(TVM_DLL|TVM_FFI_DLL_EXPORT) +", "", "\n".join(lines))

    def qualify(signature: re.Match[str]) -> str:
        restrict = "" if signature[1] in in_place else "restrict "
        pointers = re.sub(r"(\w+)\* (\w+)", rf"\1 *{restrict}\2", signature[2])
        qualified = _READ_ONLY.sub(r"const \1", pointers)
        return f"int32_t {signature[1]}({qualified})"

    text = re.sub(r"^int32_t (\w+)\((.*)\)", qualify, text, flags=re.MULTILINE)
    text = re.sub(r"^(int32_t \w+\(([^\n]*)\) \{)\n(.*?)^\}", _mention_unused, text, flags=re.MULTILINE | re.DOTALL)
    return "#include <stdint.h>\n#include <stdbool.h>\n\n" + text.strip() + "\n"


def _mention_unused(function: re.Match[str]) -> str:
    """A function without unused variables; unused parameters are cast to void, which keeps compilers quiet."""
    header, parameters, body = function.groups()
    body = _without_unused_variables(body)
    names = re.findall(r"(\w+)(?:,|$)", parameters)
    unused = "".join(f"  (void){name};\n" for name in names if not re.search(rf"\b{name}\b", body))
    return f"{header}\n{unused}{body}}}"


def _without_unused_variables(body: str) -> str:
    """Drops variables that nothing reads and arrays that are only written; others may follow them.

    Expressions have no side effects. Each statement is a line.
    """
    while True:
        uses = Counter(re.findall(r"\w+", body))
        writes = Counter(re.findall(r"^ +(\w+)\[[^\n=]*\] = ", body, re.MULTILINE))
        unused = {
            name
            for name in re.findall(r"^ +\w+ (\w+)(?:\[\d+\]| = [^\n]*);\n", body, re.MULTILINE)
            if uses[name] == 1 + writes[name]
        }
        if not unused:
            return body
        statement = rf"^ +(?:\w+ )?(?:{'|'.join(sorted(unused))})(?:\[[^\n=]*\])?(?: = [^\n]*)?;\n"
        body = re.sub(statement, "", body, flags=re.MULTILINE)


def main() -> None:
    """The worker process: a pickled request on standard input, the compiled bytes on standard output."""
    kernels, isa = pickle.load(sys.stdin.buffer)
    # Whatever the code generator prints goes to the error stream, not into the object file.
    output = os.dup(1)
    os.dup2(2, 1)
    data = _generate(kernels, isa)
    with open(output, "wb") as stream:
        stream.write(data)


if __name__ == "__main__":
    main()
