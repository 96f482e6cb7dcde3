#!/bin/bash
# Prints how many bytes of memory a cache of u32 by u32 takes on a Cortex-M3: of stack by its calls, of heap by what it
# holds. The program checks itself: it ends with an error if more is taken than was preallocated, or if a heap that ends
# makes anything but refused values.
#
#   tests/bare_metal/memory.sh            the tables
#   tests/bare_metal/memory.sh --check    fails beyond the ceilings below as well
#
# Needs Debian's Rust, which brings the source of its library, ld.lld-22 and QEMU.
set -euo pipefail
cd "$(dirname "$0")/cortex_m"

# A ceiling is lowered with what it bounds, and raised for a reason only.
declare -A most=(
  ["stack of an insert"]=1700 ["stack of a miss that is ready"]=2300 ["stack of a hit by get"]=900
  ["stack of a hit by get_if_present"]=200 ["stack of a miss that waits"]=1900 ["stack of two more that join"]=1900
  ["stack of telling all three"]=2900 ["stack of a fetch of a slot"]=2400
  ["an entry beyond key and value, of 16, full"]=73 ["an entry beyond key and value, of 16, churned"]=116
  ["an entry beyond key and value, of 128, full"]=83 ["an entry beyond key and value, of 128, churned"]=95
  ["an entry beyond key and value, of 64 preallocated"]=100
  ["an empty cache of 16"]=2340 ["an empty cache of 128"]=4010
  ["the first load under way, of 16"]=210 ["the second load under way, of 16"]=136
  ["the third load under way, of 16"]=900 ["a second caller of a load, of 16"]=128
  ["the future of get"]=120
)

target=${CARGO_TARGET_DIR:-$PWD/target}
env PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$target" cargo build --quiet --release --bin memory
status=0
told=$(timeout 60 qemu-system-arm -icount shift=6,sleep=off -M lm3s6965evb -display none -monitor none -serial none \
  -semihosting-config enable=on,target=native -kernel "$target/thumbv7m-none-eabi/release/memory" 2> /dev/null) || status=1
echo "| what | bytes |"
echo "|---|---|"
sed -n 's/^\(.*\): \([0-9]*\)$/| \1 | \2 |/p' <<< "$told"
grep -vE ': [0-9]+$' <<< "$told" || true
[ $status = 0 ] || echo "it does not hold"
if [ "${1:-}" = --check ]; then
  for what in "${!most[@]}"; do
    bytes=$(sed -n "s/^$what: //p" <<< "$told")
    [ "${bytes:-99999}" -le "${most[$what]}" ] || { echo "$what: ${bytes:-none}, more than ${most[$what]}"; status=1; }
  done
fi
exit $status
