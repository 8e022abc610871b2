#!/bin/sh
# Builds the self-test of a cortex-m artefact as a bare-metal program and runs it in qemu: run.sh BUILD_FOLDER NAME WORK_FOLDER
set -eu
build=$1 name=$2 work=$3
here=$(dirname "$0")
arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -O2 -std=c11 -Wall -Wextra -Wpedantic -Werror \
    -c "$build/$name.c" -o "$work/network.o"
arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -O2 -std=gnu11 --specs=rdimon.specs -nostartfiles \
    -T "$here/mps2.ld" "$here/startup.c" "-I$build" "$work/network.o" "$build/${name}_weights.c" "$build/${name}_test.c" "$build/${name}_kernels.o" \
    -Wl,--no-warn-rwx-segments,-z,noexecstack -o "$work/test.elf"
exec timeout 600 qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$work/test.elf"
