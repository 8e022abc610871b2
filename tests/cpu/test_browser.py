"""The npm package in a browser."""

from __future__ import annotations

import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cpu_nets import build
from exact_models import Net
from tinsmith.verify.oracle import Oracle

CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--virtual-time-budget=20000",
    "--dump-dom",
]


@pytest.mark.slow
def test_runs_in_a_browser(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium is installed")
    net = Net(4, "digits")
    net.arg_max(net.matmul(net.quantize(net.input("x", (1, 6)), scale=0.02), 200))
    build(net, "wasm", tmp_path / "digits")
    values = net.sample(3)["x"]
    (tmp_path / "index.html").write_text(
        '<p id="result">none</p><script type="module">import { load } from "./digits/index.mjs";\n'
        f"const net = await load();\nconst found = net.run({{ x: new Float32Array({values.ravel().tolist()}) }});\n"
        "document.getElementById('result').textContent = `index ${found.arg_max_2_out[0]}`;</script>"
    )
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/index.html"
        command = [browser, *CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", address]
        page = subprocess.run(command, capture_output=True, text=True, timeout=600).stdout
        server.shutdown()
    index = int(Oracle(net.model()).run({"x": values})["arg_max_2_out"][0])
    assert f"index {index}<" in page
