#!/usr/bin/env bash
# Sets everything up, then checks style and types and runs the tests. Arguments go to pytest: tests/run.sh -m slow runs the
# slow ones, tests/run.sh --hypothesis-profile=chance tries other random examples than the usual.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/setup.sh
tells_of_itself tests/run.sh "$@"

debian_packages qemu-aarch64:qemu-user qemu-system-arm:qemu-system-arm gcc:gcc g++:g++ make:make iverilog:iverilog ghdl:ghdl \
    clang:clang cmake:cmake node:nodejs \
    arm-none-eabi-gcc:gcc-arm-none-eabi /usr/lib/arm-none-eabi/include/stdio.h:libnewlib-arm-none-eabi \
    '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a:libclang-rt-14-dev'
make_venv torch,cpu,fpga,examples,dev
export PATH=$PWD/.venv/bin:$PATH

# Every check has its turn; one that fails makes the whole fail.
failed=0
say "style"
ruff check || failed=1
ruff format --check || failed=1
say "types"
mypy || failed=1
say "tests"
pytest -n 2 "$@" || failed=1
exit $failed
