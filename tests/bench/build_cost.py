"""What the trained networks of ../shared/data cost to compile and to keep: seconds, memory, code and arena bytes.

    python tests/bench/build_cost.py [--json]

A peer's figure is the one published for its runtime (wasm) or measured for its memory (Cortex-M); where there is no
peer, it is the limit that Tinsmith sets itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_report import Row, report

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SECONDS, MEGABYTES = 20.0, 1500.0
WASM_LIMIT, TFJS_RUNTIME = 48_000, 155_000
CMSIS_NN_RAM = {"ResNet8": 49_728, "DS-CNN": 16_000}


def samples(network: str, folder: Path) -> tuple[Path, Path]:
    """The float model and an .npz of calibration samples for it."""
    if network == "ResNet8":
        with np.load(DATA / "mlperftiny_ic01_200.npz") as data:
            x = data["x"].transpose(0, 3, 1, 2).astype(np.float32)
        model = DATA / "mlperftiny_ic_resnet8_f32.onnx"
    else:
        with np.load(DATA / "mlperftiny_kws01_1000.npz") as data:
            x = ((data["x"][:200].astype(np.float32) - 83) * np.float32(0.5847))[:, None]
        model = DATA / "mlperftiny_kws_dscnn_f32.onnx"
    path = folder / f"{network}.npz"
    np.savez(path, **{input_name(model): x})
    return model, path


def input_name(model: Path) -> str:
    import onnx

    return str(onnx.load(model).graph.input[0].name)


def compiled(network: str, target: str, folder: Path) -> tuple[dict[str, int], float, float]:
    """Compile in a process of its own: the report's memory section, seconds, and the largest process in MB."""
    model, calibrate = samples(network, folder)
    out = folder / f"{network}-{target}"
    command = [sys.executable, "-m", "tinsmith.cli.main", "compile", str(model), "--calibrate", str(calibrate)]
    watched = [sys.executable, "-c", "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"]  # fmt: skip
    start = time.perf_counter()
    ended = subprocess.run([*watched, *command, "--target", target, "-o", str(out)], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if ended.returncode:
        sys.exit(ended.stderr)
    memory: dict[str, int] = json.loads((out / "report.json").read_text())["memory"]
    return memory, seconds, int(ended.stdout.split()[-1]) / 1000


def main() -> int:
    """Measure everything; exit code 1 if a figure is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, seconds, megabytes = compiled("ResNet8", "arm64", folder)
        wasm, _, _ = compiled("ResNet8", "wasm", folder)
        rows = [
            Row("ResNet8 to arm64, seconds", seconds, SECONDS, "our limit", 1.0),
            Row("ResNet8 to arm64, MB of memory", megabytes, MEGABYTES, "our limit", 1.0),
            Row("ResNet8 .wasm besides weights", wasm["code_bytes"], TFJS_RUNTIME, "tfjs", WASM_LIMIT / TFJS_RUNTIME),
        ]
        for network, ram in CMSIS_NN_RAM.items():
            memory, _, _ = compiled(network, "cortex-m", folder)
            rows.append(Row(f"{network} on cortex-m, arena bytes", memory["arena_bytes"], ram, "CMSIS-NN", 1.0))
    return report(rows, "bytes unless said", as_json=as_json)


if __name__ == "__main__":
    sys.exit(main())
