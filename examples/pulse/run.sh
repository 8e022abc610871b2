#!/usr/bin/env bash
# Trains the pulse network, quantizes, compiles and runs it; prints and draws time and energy resolution against the
# signal-to-noise ratio, beside bound and classical estimators. Everything it makes is in .venv and examples/out/pulse.
# Options go on to the program: --target T, --data FOLDER, -o DIR.
set -euo pipefail
cd "$(dirname "$0")/../.."
. .ci/setup.sh
tells_of_itself examples/pulse/run.sh "$@"

make_venv torch,cpu,fpga,examples
export PATH=$PWD/.venv/bin:$PATH
PYTHONPATH=examples/pulse exec python -m pulse "$@"
