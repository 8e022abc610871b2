#!/usr/bin/env bash
# From nothing to a trained network that computes the same bits on six targets, and a table that shows it.
# Everything it makes is in .venv and examples/out; it takes a few minutes, most of them downloads.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/setup.sh
takes_no_arguments examples/quickstart.sh "$@"

debian_packages qemu-aarch64:qemu-user node:nodejs
make_venv torch,cpu,examples
export PATH=$PWD/.venv/bin:$PATH

out=examples/out/quickstart
digits=examples/digits
targets="x86-64 arm64 arm64-dotprod wasm c cortex-m"

# Shows a command and runs it.
run() {
    printf '\n$ %s\n' "$*" >&2
    "$@"
}

rm -rf "$out"
say "train a small network on scikit-learn's handwritten digits"
run python $digits/train.py
say "quantize it, once: every target takes the result"
run tinsmith quantize $digits/net.py:digits --calibrate $out/calibrate.npz -o $out/digits.exact.onnx

# A target that fails does not keep the others from their turn; the table says so and fails.
for target in $targets; do
    say "$target"
    run tinsmith compile $out/digits.exact.onnx --target "$target" --calibrate $out/calibrate.npz -o "$out/$target" &&
        run tinsmith run "$out/$target" --input $out/test.npz -o "$out/$target.npz" &&
        run tinsmith verify "$out/$target" --json > "$out/$target.verify.json" ||
        echo "$target failed" >&2
    if [ "$target" = wasm ]; then
        run tinsmith verify "$out/$target" --runner node
    fi
done
say "what came out"
# shellcheck disable=SC2086  # a list of words
python $digits/table.py $targets
echo "The builds are in $out; look at $out/arm64/report.html, or: .venv/bin/tinsmith inspect $out/arm64"
