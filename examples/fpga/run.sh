#!/usr/bin/env bash
# From nothing to a trained network as an hls4ml project and as RTL at three speeds, each compared with the same exact
# graph bit by bit, a table of what they take, and a picture of the machine at work. Everything it makes is in .venv and
# examples/out; it takes some ten minutes, half of them downloads.
set -euo pipefail
cd "$(dirname "$0")/../.."
. .ci/setup.sh
takes_no_arguments examples/fpga/run.sh "$@"

debian_packages iverilog:iverilog g++:g++
make_venv torch,fpga,examples
export PATH=$PWD/.venv/bin:$PATH
export OMP_NUM_THREADS=1 # so small a network trains fastest on one thread

out=examples/out/fpga
example=examples/fpga

# Shows a command and runs it.
run() {
    printf '\n$ %s\n' "$*" >&2
    "$@"
}

rm -rf "$out"
say "train a small network on scikit-learn's handwritten digits"
run tinsmith train $example/net.py:digits --data digits --rate 0.004 -o $out/digits
say "quantize it, once: every target takes the result"
run tinsmith quantize $out/digits/model.onnx --recipe $example/recipe.toml -o $out/digits.exact.onnx

say "hls4ml"
run tinsmith compile $out/digits.exact.onnx --target hls-vitis --recipe $example/targets.toml -o $out/hls-vitis
run tinsmith verify $out/hls-vitis
say "RTL: a result every 64, 1024 and 8192 clocks"
for interval in 64 1024 8192; do
    run tinsmith compile $out/digits.exact.onnx --target rtl-verilog --interval $interval -o $out/rtl-$interval
    run tinsmith verify $out/rtl-$interval --samples 4
    run tinsmith estimate $out/digits.exact.onnx --target rtl-verilog --set interval=$interval --json \
        > $out/rtl-$interval.estimate.json || echo "no estimate" >&2
done
say "the machine at work"
run python $example/wave.py $out/rtl-1024
say "what came out"
run python $example/table.py $out
echo "The builds are in $out, the waveform in $out/rtl-1024.vcd, the picture of it in $out/rtl-1024.png"
