#!/bin/bash
# Prints how many bytes of flash a cache takes on a Cortex-M3, optimised for size ("z") and a little less so ("s"): text,
# data and constants, without the vector table. How many bytes of memory it takes, memory.sh tells.
#
#   tests/bare_metal/sizes.sh             all of it
#   tests/bare_metal/sizes.sh --check     at "z" only; runs each program, and fails beyond the ceilings below
#
# Needs Debian's Rust, which brings the source of its library, ld.lld-22 and QEMU.
set -euo pipefail
cd "$(dirname "$0")/cortex_m"

# Bytes at "z" beyond those of a program without a cache; a second cache beyond those with one.
declare -A most=([shared]=71550 [second]=50960 [slot]=68960 [write_back]=157960)

programs=(base shared second slot write_back)
bins=("${programs[@]/#/--bin=}")
target=${CARGO_TARGET_DIR:-$PWD/target}
build() { env PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$target" cargo build --quiet --profile "$1" "${bins[@]}"; }
# (Its time is that of its instructions, whatever else this machine does.)
run() {
  timeout 60 qemu-system-arm -icount shift=6,sleep=off -M lm3s6965evb -display none -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$1" 2> /dev/null
}
# The sections of a program that stand in flash.
flash() {
  python3 - "$1" << 'END'
import struct, sys
elf = open(sys.argv[1], "rb").read()
offset, = struct.unpack_from("<I", elf, 32)
size, count, names = struct.unpack_from("<HHH", elf, 46)
headers = [struct.unpack_from("<10I", elf, offset + at * size) for at in range(count)]
name = lambda header: elf[headers[names][4] + header[0]:].split(b"\0")[0]
print(sum(header[5] for header in headers if name(header) in (b".text", b".rodata", b".data")))
END
}

status=0
profiles=(release s)
[ "${1:-}" != --check ] || profiles=(release)
for profile in "${profiles[@]}"; do
  build "$profile"
  folder=$target/thumbv7m-none-eabi/$profile
  echo "opt-level $([ "$profile" = release ] && echo z || echo "$profile"), bytes of flash; beyond those without a cache"
  base=$(flash "$folder/base")
  for program in "${programs[@]}"; do
    bytes=$(flash "$folder/$program") before=$base
    [ "$program" != second ] || before=$(flash "$folder/shared")
    printf '%-12s %8d %8d\n' "$program" "$bytes" $((bytes - before))
    run "$folder/$program" || { echo "it does not hold"; status=1; }
    if [ "$profile" = release ] && [ $((bytes - before)) -gt "${most[$program]:-0}" ] && [ "$program" != base ]; then
      echo "more than ${most[$program]}"
      status=1
    fi
  done
done
exit $status
