#!/bin/bash
# Runs the same cases on a small machine, emulated: the clock and the timer of the machine, loads woken by its interrupts,
# and what caches, slots and write-back caches promise. Ends with 0 if all of it held, with 1 if not.
#
#   tests/bare_metal/run.sh TARGET            thumbv7m, thumbv6m, thumbv6m-single-core, riscv32imac, riscv32imc, wasm32,
#                                             embassy (on thumbv7m)
#   BREAK=1 tests/bare_metal/run.sh TARGET    with a promise broken by a feature of these programs: has to end with 1
#
# Needs Debian's Rust, which brings the source of its library, ld.lld-22, and QEMU or Node.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

debian() { env PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1 "$@"; }
# No -nographic: under `timeout` in a terminal QEMU would be stopped for touching it from the background. Time is counted
# in instructions, and passes at once while the machine sleeps: so it is the same in each run, however busy the host.
qemu() {
  local status=0
  timeout 120 "$@" -icount shift=6,sleep=off -display none -monitor none -serial none \
    -semihosting-config enable=on,target=native 2> /dev/null || status=$?
  return $status
}
arm() { qemu qemu-system-arm -M "$1" -kernel "$2"; }
riscv() { qemu qemu-system-riscv32 -M virt -cpu "$1" -smp 1 -bios none -kernel "$2"; }

features=()
case $1 in
  thumbv7m) folder=cortex_m triple=thumbv7m-none-eabi run=(arm lm3s6965evb) ;;
  thumbv6m) folder=cortex_m triple=thumbv6m-none-eabi run=(arm microbit) features=(by-critical-section) ;;
  thumbv6m-single-core) folder=cortex_m triple=thumbv6m-none-eabi run=(arm microbit) features=(by-single-core) ;;
  riscv32imac) folder=riscv triple=riscv32imac-unknown-none-elf run=(riscv rv32) ;;
  riscv32imc)
    # Without atomic instructions: they trap.
    folder=riscv triple=riscv32imc-unknown-none-elf run=(riscv rv32,a=off,f=off,d=off) features=(by-critical-section)
    ;;
  wasm32) folder=wasm triple=wasm32-unknown-unknown ;;
  embassy) folder=embassy triple=thumbv7m-none-eabi ;;
  *) echo "no such target: $1"; exit 2 ;;
esac
groups=(caches slots pages)
# (Such a promise is one of caches.)
[ -z "${BREAK:-}" ] || { features+=(broken); groups=(caches); }

cd "$folder"
if [ "$folder" = wasm ]; then
  debian cargo build --quiet --release --features "${features[*]}"
  exec timeout 120 node run.mjs "$CARGO_TARGET_DIR/$triple/release/larder_wasm.wasm"
fi
if [ "$folder" = embassy ]; then
  debian cargo build --quiet --release --features "${features[*]}"
  arm lm3s6965evb "$CARGO_TARGET_DIR/$triple/release/larder-on-embassy"
  exit
fi
programs=("${groups[@]/#/--bin=}")
programs=("${programs[@]/%/_hold}")
debian cargo build --quiet --release --target "$triple" --features "${features[*]}" "${programs[@]}"
status=0
for cases in "${groups[@]}"; do
  echo "$1, $cases:"
  # (A write-back cache takes more memory than a micro:bit has, so it runs on the larger board.)
  [ "$cases" != pages ] || run=("${run[@]/microbit/lm3s6965evb}")
  "${run[@]}" "$CARGO_TARGET_DIR/$triple/release/${cases}_hold" || status=$?
done
if [ "$1" = thumbv7m ] && [ -z "${BREAK:-}" ]; then
  echo "$1, the program of the guide"
  debian cargo build --quiet --release --bin firmware
  arm lm3s6965evb "$CARGO_TARGET_DIR/$triple/release/firmware" || status=$?
fi
exit $status
